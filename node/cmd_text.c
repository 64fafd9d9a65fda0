/* Text that a person has written is never thrown away because a command failed afterwards; and
 * nobody writes one and hears then that it can be given to nobody. */
#include "node/cmd_text.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/door.h"
#include "node/prompt.h"

enum {
    CMD_TEXT_SIZE_MAX = 256 << 10,
    CMD_TEXT_WORDS_MAX = 16,
    CMD_TEXT_EDITOR_MAX = 1000,
    CMD_TEXT_LINE_MAX = 2000,
    CMD_TEXT_METHOD_SIZE = 40
};

/* As long as the longest text that has to have a length (ENDORSEMENT_WORDS_MIN). */
static const char cmd_text_stand_in[] = "what is yet to be written";

static const char cmd_text_cut[] = "\n------ what stands from this line on is left out ------\n";

extern char **environ;

static bool cmd_text_fail(struct op_failure *failure, const struct cmd *cmd, enum op_code code,
                          const char *message)
{
    char hint[100];

    (void)snprintf(hint, sizeof hint, "kith help %.60s", cmd->words);
    door_fail(failure, code, hint, "%s", message);
    return false;
}

/* Without white space around it; false when nothing is left. */
static bool cmd_text_take(struct span written, const struct cmd *cmd, json_t *params,
                          struct op_failure *failure)
{
    json_t *text;

    while (written.size > 0 && memchr(" \t\r\n", written.data[written.size - 1], 4) != NULL)
        written.size--;
    while (written.size > 0 && memchr(" \t\r\n", written.data[0], 4) != NULL)
        written = span_of(written.data + 1, written.size - 1);
    if (written.size == 0)
        return cmd_text_fail(failure, cmd, OP_CANCELLED, "nothing was written: cancelled");
    text = json_stringn((const char *)written.data, written.size);
    if (text == NULL)
        return cmd_text_fail(failure, cmd, OP_USAGE, "that is no text in UTF-8");
    (void)json_object_set_new(params, cmd->text, text);
    return true;
}

static bool cmd_text_read(const char *path, const struct cmd *cmd, json_t *params,
                          struct op_failure *failure)
{
    struct buf file = {0};
    enum err err = home_read_file(path, CMD_TEXT_SIZE_MAX, &file);
    struct span written = buf_span(&file);
    bool is_taken = false;

    if (err == ERR_OK) {
        const uint8_t *cut =
            file.size > 0 ? memmem(file.data, file.size, cmd_text_cut + 1, sizeof cmd_text_cut - 2)
                          : NULL;

        if (cut != NULL)
            written.size = (size_t)(cut - file.data);
        is_taken = cmd_text_take(written, cmd, params, failure);
    } else {
        (void)cmd_text_fail(failure, cmd, OP_FAILED,
                            err == ERR_LIMIT ? "that is too much text" : "it could not be read");
    }
    buf_release(&file);
    return is_taken;
}

/* The editor. */

static bool cmd_text_prepare(const struct config *config, const struct cmd *cmd, const char *before,
                             struct cmd_text *out)
{
    struct config_places places;
    char text[400];
    int descriptor, size;
    bool is_written;

    if (config_places(config, &places) != ERR_OK)
        return false;
    (void)snprintf(out->path, sizeof out->path, "%s/text-XXXXXX", places.home);
    descriptor = mkstemp(out->path); /* For its owner alone. */
    if (descriptor < 0) {
        out->path[0] = '\0';
        return false;
    }
    size = snprintf(text, sizeof text, "\n%skith %s: %s.\nLeave it empty, and nothing happens.\n",
                    cmd_text_cut, cmd->words, cmd->summary);
    is_written = write(descriptor, before, strlen(before)) == (ssize_t)strlen(before) &&
                 write(descriptor, text, (size_t)size) == size;
    (void)close(descriptor);
    return is_written;
}

/* NULL: the owner has named none, and is not put into one they may not know how to leave. */
static const char *cmd_text_editor(void)
{
    const char *editor = config_env("VISUAL");

    return editor != NULL ? editor : config_env("EDITOR");
}

/* One line, where no editor is named. */
static bool cmd_text_ask_line(const struct cmd *cmd, json_t *params, struct op_failure *failure)
{
    char line[CMD_TEXT_LINE_MAX];

    (void)fprintf(stderr, "kith %s: %s.\n", cmd->words, cmd->summary);
    if (!prompt_line("In one line (EDITOR names a program for more)", line, sizeof line))
        line[0] = '\0';
    return cmd_text_take(span_str(line), cmd, params, failure);
}

/* Its words, the file last. False when there are too many. */
static bool cmd_text_split(char editor[static CMD_TEXT_EDITOR_MAX + 1], char *path,
                           char *words[static CMD_TEXT_WORDS_MAX + 1])
{
    size_t count = 0;

    for (char *at = editor; *at != '\0';) {
        at += strspn(at, " \t");
        if (*at == '\0')
            break;
        if (count + 1 >= CMD_TEXT_WORDS_MAX)
            return false;
        words[count++] = at;
        at += strcspn(at, " \t");
        if (*at != '\0')
            *at++ = '\0';
    }
    words[count++] = path;
    words[count] = NULL;
    return count > 1;
}

/* True when it ended well. */
static bool cmd_text_edit(struct cmd_text *text)
{
    char editor[CMD_TEXT_EDITOR_MAX + 1];
    char *words[CMD_TEXT_WORDS_MAX + 1];
    int size = snprintf(editor, sizeof editor, "%s", cmd_text_editor()), status = 0;
    pid_t pid;

    if (size < 0 || (size_t)size >= sizeof editor || !cmd_text_split(editor, text->path, words) ||
        posix_spawnp(&pid, words[0], NULL, NULL, words, environ) != 0)
        return false;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool cmd_text_change(const struct config *config, const struct cmd *cmd, const char *before,
                     json_t *params, struct cmd_text *out, struct op_failure *failure)
{
    char message[CMD_TEXT_EDITOR_MAX + 100];

    *out = (struct cmd_text){{0}};
    if (cmd_text_editor() == NULL && before[0] != '\0')
        return cmd_text_fail(failure, cmd, OP_FAILED,
                             "there is a text already: EDITOR names the program to change it with");
    if (cmd_text_editor() == NULL)
        return cmd_text_ask_line(cmd, params, failure);
    if (!cmd_text_prepare(config, cmd, before, out))
        return cmd_text_fail(failure, cmd, OP_FAILED, "there is no place to write the text in");
    if (!cmd_text_edit(out)) {
        (void)snprintf(message, sizeof message,
                       "your editor (%.300s) did not end well: cancelled; EDITOR names another",
                       cmd_text_editor());
        cmd_text_end(out, true);
        return cmd_text_fail(failure, cmd, OP_CANCELLED, message);
    }
    if (cmd_text_read(out->path, cmd, params, failure))
        return true;
    cmd_text_end(out, failure->code == OP_CANCELLED);
    return false;
}

bool cmd_text_may_ask(const struct config *config)
{
    return config_may_prompt(config) && !config->is_json && isatty(STDOUT_FILENO) != 0;
}

/* An introduction has words for each side, and needs no others. */
static bool cmd_text_is_in_parts(json_t *params)
{
    return json_object_get(params, "to-a") != NULL && json_object_get(params, "to-b") != NULL;
}

bool cmd_text_plan(const struct config *config, const struct cmd *cmd, json_t *params,
                   json_t **out_answer, struct op_failure *failure)
{
    char method[CMD_TEXT_METHOD_SIZE];
    struct door_call plan = {.method = method, .params = json_copy(params)};
    const char *given = json_string_value(json_object_get(params, cmd->text));
    bool is_well;

    (void)snprintf(method, sizeof method, "%s.plan", cmd->method);
    if (given == NULL || strcmp(given, "-") == 0)
        (void)json_object_set_new(plan.params, cmd->text, json_string(cmd_text_stand_in));
    is_well = door_call(config, &plan);
    if (is_well)
        *out_answer = plan.result;
    else
        *failure = plan.failure;
    json_decref(plan.params);
    return is_well;
}

/* Would it be done, with any words? Where a look would ask for the passphrase the words come first,
 * so that it does not wait in a pipe while they are written: they are kept where they can be given
 * to nobody. */
static bool cmd_text_is_welcome(const struct config *config, const struct cmd *cmd, json_t *params,
                                struct op_failure *failure)
{
    json_t *answer;

    if (door_would_ask(config))
        return true;
    if (!cmd_text_plan(config, cmd, params, &answer, failure))
        return false;
    json_decref(answer);
    return true;
}

bool cmd_text_fill(const struct config *config, const struct cmd *cmd, json_t *params,
                   struct cmd_text *out, struct op_failure *failure)
{
    const char *given =
        cmd->text != NULL ? json_string_value(json_object_get(params, cmd->text)) : NULL;

    *out = (struct cmd_text){{0}};
    if (cmd->text == NULL || (given != NULL && strcmp(given, "-") != 0) ||
        (given == NULL && (cmd_text_is_in_parts(params) || cmd->may_lack_text)))
        return true;
    if (given == NULL && !cmd_text_may_ask(config))
        return true; /* The op says what is missing. */
    /* A pipe has nothing to lose. */
    if ((given == NULL || isatty(STDIN_FILENO)) &&
        !cmd_text_is_welcome(config, cmd, params, failure))
        return false;
    if (given != NULL)
        return cmd_text_read("-", cmd, params, failure);
    return cmd_text_change(config, cmd, "", params, out, failure);
}

void cmd_text_end(const struct cmd_text *text, bool was_taken)
{
    if (text->path[0] == '\0')
        return;
    if (was_taken)
        (void)unlink(text->path);
    else
        (void)fprintf(stderr, "      your text is kept in %s\n", text->path);
}
