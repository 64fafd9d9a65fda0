/*
 * From what was typed to a command: global flags may stand anywhere, the first words name the
 * command, the rest are its flags and arguments, which become the op's params.
 */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "node/cmd.h"
#include "node/door.h"
#include "node/prompt.h"
#include "node/rpc.h"
#include "proto/scan.h"

enum { MAIN_WORDS_MAX = 512, MAIN_ANSWER_MAX = 1000 };

/* What is left of the command line once the global flags are out. */
struct main_words {
    char *words[MAIN_WORDS_MAX];
    int count;
    bool wants_help, wants_version;
    const char *valueless; /* a global flag whose value is missing */
    const char *colour;    /* a --color that is none */
};

static int main_fail(const struct config *config, const char *hint, const char *message,
                     const char *word)
{
    struct op_failure failure = {0};

    door_fail(&failure, OP_USAGE, hint, "%s%.100s", message, word);
    return cmd_fail(config, &failure);
}

/* Takes "--name value" or "--name=value". Moves *at past what it used. NULL when there is no value.
 */
static char *main_value(char **argv, int argc, int *at, size_t name_size)
{
    char *word = argv[*at];

    if (word[name_size] == '=')
        return word + name_size + 1;
    if (*at + 1 >= argc)
        return NULL;
    return argv[++*at];
}

static bool main_is_flag(const char *word, const char *name)
{
    size_t size = strlen(name);

    return strncmp(word, name, size) == 0 && (word[size] == '\0' || word[size] == '=');
}

/* A global flag with a value: moves *at past it. */
static const char *main_take_value(char **argv, int argc, int *at, struct main_words *out)
{
    const char *flag = argv[*at];
    const char *value = main_value(argv, argc, at, strcspn(flag, "="));

    if (value == NULL || value[0] == '\0' || (value == argv[*at] && strncmp(value, "--", 2) == 0))
        out->valueless = flag;
    return value;
}

static void main_take_colour(const char *value, struct config *config, struct main_words *out)
{
    if (value != NULL && strcmp(value, "always") == 0)
        config->colour = CONFIG_COLOUR_ALWAYS;
    else if (value != NULL && strcmp(value, "never") == 0)
        config->colour = CONFIG_COLOUR_NEVER;
    else if (value != NULL && strcmp(value, "auto") == 0)
        config->colour = CONFIG_COLOUR_AUTO;
    else
        out->colour = value;
}

/* Global flags that are on or off; false when it is none. */
static bool main_take_switch(const char *word, struct config *config, struct main_words *out)
{
    if (strcmp(word, "--json") == 0)
        config->is_json = true;
    else if (strcmp(word, "--no-input") == 0)
        config->no_input = true;
    else if (strcmp(word, "--header") == 0)
        config->wants_header = true;
    else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        out->wants_help = true;
    else if (out->count == 0 && strcmp(word, "--version") == 0)
        out->wants_version = true;
    else
        return false;
    return true;
}

static bool main_take_globals(int argc, char **argv, struct config *config, struct main_words *out)
{
    bool is_verbatim = false;

    for (int at = 1; at < argc; at++) {
        const char *word = argv[at];

        is_verbatim |= strcmp(word, "--") == 0;
        if (!is_verbatim && main_take_switch(word, config, out))
            continue;
        if (!is_verbatim && main_is_flag(word, "--home")) {
            config->home = main_take_value(argv, argc, &at, out);
        } else if (!is_verbatim && main_is_flag(word, "--passphrase-file")) {
            config->passphrase_file = main_take_value(argv, argc, &at, out);
        } else if (!is_verbatim && main_is_flag(word, "--color")) {
            main_take_colour(main_take_value(argv, argc, &at, out), config, out);
        } else {
            if (out->count == MAIN_WORDS_MAX)
                return false;
            out->words[out->count++] = argv[at];
        }
    }
    return true;
}

/* One command's flags and arguments. */

static const struct cmd_flag *main_flag(const struct cmd *cmd, const char *name, size_t size)
{
    for (size_t at = 0; at < CMD_FLAGS_MAX && cmd->flags[at].name != NULL; at++)
        if (strlen(cmd->flags[at].name) == size && strncmp(cmd->flags[at].name, name, size) == 0)
            return &cmd->flags[at];
    return NULL;
}

static bool main_add_flag(const struct cmd_flag *flag, const char *value, json_t *params)
{
    json_t *list;
    char *end;

    switch (flag->type) {
    case CMD_BOOL:
        return json_object_set_new(params, flag->name, json_true()) == 0;
    case CMD_TEXT:
        return json_object_set_new(params, flag->name, json_string(value)) == 0;
    case CMD_NUMBER: {
        long number = strtol(value, &end, 10);

        return *value != '\0' && *end == '\0' &&
               json_object_set_new(params, flag->name, json_integer(number)) == 0;
    }
    case CMD_LIST:
        list = json_object_get(params, flag->name);
        if (list == NULL) {
            list = json_array();
            (void)json_object_set_new(params, flag->name,
                                      list); /* A failure shows with the append. */
        }
        return json_array_append_new(list, json_string(value)) == 0;
    }
    return false;
}

static bool main_add_arg(const struct cmd *cmd, size_t index, const char *word, json_t *params)
{
    char name[CMD_ARG_NAME_SIZE];
    size_t last = 0;

    while (last + 1 < CMD_ARGS_MAX && cmd->args[last + 1] != NULL)
        last++;
    if (cmd->args[last] != NULL && index >= last && strstr(cmd->args[last], "...") != NULL) {
        struct cmd_flag list = {.name = name, .type = CMD_LIST};

        cmd_arg_name(cmd->args[last], name);
        return main_add_flag(&list, word, params);
    }
    if (index >= CMD_ARGS_MAX || cmd->args[index] == NULL)
        return false;
    cmd_arg_name(cmd->args[index], name);
    return json_object_get(params, name) == NULL && /* A flag may have said it. */
           json_object_set_new(params, name, json_string(word)) == 0;
}

/* What several words are in one argument of a command that has no other of several words. */
static const char *main_join_between(const struct cmd *cmd)
{
    const char *first = cmd->args[0], *last = cmd->args[1] != NULL ? cmd->args[1] : first;

    if (last == NULL || cmd->args[2 - (cmd->args[1] == NULL)] != NULL)
        return NULL;
    if (last == first && strcmp(first, "URI") == 0)
        return "";
    if (strstr(last, "TEXT") != NULL && (last == first || strcmp(first, "ID") == 0))
        return " ";
    return last == first && (strcmp(first, "WHO") == 0 || strstr(first, "NAME") != NULL) ? " "
                                                                                         : NULL;
}

/* A name of two words is typed without quotes, as it is said; an invitation was broken by a mail.
 * An address or a number after a name is no part of it. */
static bool main_join(const struct cmd *cmd, size_t index, const char *word, json_t *params)
{
    char name[CMD_ARG_NAME_SIZE];
    const char *between = main_join_between(cmd), *so_far, *last;
    json_t *joined;

    if (between == NULL || index == 0)
        return false;
    last = cmd->args[cmd->args[1] != NULL ? 1 : 0];
    if (cmd->text != NULL && !cmd->may_lack_text && strstr(last, "TEXT") == NULL)
        return false; /* It may be what the text should say. */
    if (strstr(last, "TEXT") == NULL && between[0] != '\0' && strpbrk(word, "@=:/+0123456789"))
        return false;
    cmd_arg_name(last, name);
    so_far = json_string_value(json_object_get(params, name));
    if (so_far == NULL)
        return false;
    joined = json_sprintf("%s%s%s", so_far, between, word);
    return joined != NULL && json_object_set_new(params, name, joined) == 0;
}

/* Mostly it belongs to the one before, or a flag was left out. */
static int main_too_many(const struct config *config, const struct cmd *cmd, char **words,
                         int count, int at)
{
    char hint[300];

    if (!cmd_guess_many(cmd, words, count, at, hint, sizeof hint))
        (void)snprintf(hint, sizeof hint, "%.299s", cmd->example);
    return main_fail(config, hint, "there is one word too many: ", words[at]);
}

/* What is missing is asked for where somebody is there to answer; an id is looked up first. */
static int main_missing(const struct config *config, const struct cmd *cmd, size_t index,
                        json_t *params)
{
    static const char *const asked[] = {"NAME", "WHO", "URI", "FILE"};
    static const char *const labels[] = {"Name", "Who", "The invitation, from kith: to its end",
                                         "File"};
    const char *group = cmd->words;
    char answer[MAIN_ANSWER_MAX], hint[80];

    for (size_t at = 0; index == 0 && cmd->args[1] == NULL && at < 4; at++)
        if (strcmp(cmd->args[0], asked[at]) == 0 && config_may_prompt(config) && !config->is_json &&
            prompt_line(labels[at], answer, sizeof answer) && scan_is_utf8(span_str(answer)) &&
            main_add_arg(cmd, 0, answer, params))
            return OP_DONE;
    (void)snprintf(hint, sizeof hint, "kith %.*s list", (int)strcspn(group, " "), group);
    if (strcmp(group, "thanks") == 0)
        (void)snprintf(hint, sizeof hint, "kith lead list");
    return main_fail(config, strcmp(cmd->args[index], "ID") == 0 ? hint : cmd->example,
                     "still missing: ", cmd->args[index]);
}

/* Is the next word a flag of the command, and so no value of the one before it? A value that looks
 * like one is said with an equals sign. */
static bool main_is_next_flag(const struct cmd *cmd, char **words, int count, int at)
{
    return at < count && strncmp(words[at], "--", 2) == 0 &&
           main_flag(cmd, words[at] + 2, strcspn(words[at] + 2, "=")) != NULL;
}

/* A flag and its value: moves *at past them. */
static int main_take_flag(const struct config *config, const struct cmd *cmd, char **words,
                          int count, int *at, json_t *params)
{
    char hint[50];
    const char *word = words[*at], *value = NULL;
    bool is_output = strcmp(word, "-o") == 0;
    size_t size = is_output ? 6 : strcspn(word + 2, "=");
    const struct cmd_flag *flag = main_flag(cmd, is_output ? "output" : word + 2, size);

    if (flag == NULL)
        return main_fail(config, cmd->example, "this command does not know ", word);
    if (is_output && *at + 1 >= count)
        return main_fail(config, cmd->example, "a file is missing after ", "-o");
    if (flag->type == CMD_BOOL && !is_output && word[size + 2] == '=')
        return main_fail(config, cmd->example, "this flag takes no value; leave it out for no: --",
                         flag->name);
    if (flag->type != CMD_BOOL && !is_output && word[size + 2] == '\0' &&
        main_is_next_flag(cmd, words, count, *at + 1))
        return main_fail(config, cmd->example, "a value is missing after ", word);
    if (is_output)
        value = words[++*at];
    else if (flag->type != CMD_BOOL && (value = main_value(words, count, at, size + 2)) == NULL)
        return main_fail(config, cmd->example, "a value is missing after ", word);
    (void)snprintf(hint, sizeof hint, "leave one --%.30s out", flag->name);
    if (flag->type != CMD_BOOL && flag->type != CMD_LIST && json_object_get(params, flag->name))
        return main_fail(config, hint, "only one value counts, and there are two: --", flag->name);
    if (main_add_flag(flag, value, params))
        return OP_DONE;
    (void)snprintf(hint, sizeof hint, "--%.40s 50", flag->name);
    return main_fail(config, flag->type == CMD_NUMBER ? hint : cmd->example,
                     flag->type == CMD_NUMBER ? "a number is wanted after --"
                                              : "that is not what is wanted after --",
                     flag->name);
}

static int main_parse(const struct config *config, const struct cmd *cmd, char **words, int count,
                      json_t *params)
{
    size_t args = 0;
    int last = -1; /* the last argument */
    bool is_verbatim = false;

    for (int at = 0; at < count; at++) {
        if (!scan_is_utf8(span_str(words[at])))
            return main_fail(config, "use UTF-8", "this is not text: ", "");
        if (!is_verbatim && strcmp(words[at], "--") == 0) {
            is_verbatim = true;
        } else if (!is_verbatim &&
                   (strncmp(words[at], "--", 2) == 0 ||
                    (strcmp(words[at], "-o") == 0 && main_flag(cmd, "output", 6) != NULL))) {
            int code = main_take_flag(config, cmd, words, count, &at, params);

            if (code != OP_DONE)
                return code;
        } else {
            if (main_add_arg(cmd, args, words[at], params))
                args++;
            else if (last != at - 1 || !main_join(cmd, args, words[at], params))
                return main_too_many(config, cmd, words, count, at);
            last = at;
        }
    }
    if (args < CMD_ARGS_MAX && cmd->args[args] != NULL && cmd->args[args][0] != '[')
        return main_missing(config, cmd, args, params);
    return OP_DONE;
}

/* No such command: what was meant. */

/* "kith peer" alone: what can follow it. */
static bool main_list_group(const struct main_words *words, char *out, size_t size)
{
    size_t used = 0, first = strlen(words->words[0]);
    const struct cmd *cmd;

    out[0] = '\0';
    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++) {
        int written;

        if (strncmp(cmd->words, words->words[0], first) != 0 || cmd->words[first] != ' ')
            continue;
        written =
            snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", cmd->words + first + 1);
        if (written < 0 || (size_t)written >= size - used)
            break;
        used += (size_t)written;
    }
    return used > 0;
}

static int main_unknown(const struct config *config, const struct main_words *words)
{
    char hint[300], group[400];
    bool is_group = main_list_group(words, group, sizeof group), has_second = words->count > 1,
         is_guessed =
             (!is_group || has_second) && cmd_guess(words->words, words->count, hint, sizeof hint);
    struct op_failure failure = {0};

    if (!is_guessed)
        (void)snprintf(hint, sizeof hint, "kith help%s%.40s", is_group ? " " : "",
                       is_group ? words->words[0] : "");
    if (is_group && !is_guessed)
        door_fail(&failure, OP_USAGE, hint, "%.40s wants one %s: %s", words->words[0],
                  has_second ? "of these words" : "more word", group);
    else
        door_fail(&failure, OP_USAGE, hint, "there is no command %.60s%s%.60s", words->words[0],
                  has_second ? " " : "", has_second ? words->words[1] : "");
    return cmd_fail(config, &failure);
}

static void main_group_help(const struct main_words *words, json_t *params)
{
    json_t *topic = json_array();

    for (int at = 0; at < words->count && at < CMD_WORDS_MAX; at++)
        (void)json_array_append_new(
            topic, json_string(words->words[at])); /* A lost word shows more help. */
    (void)json_object_set_new(params, "topic", topic);
}

static int main_dispatch(const struct config *config, struct main_words *words)
{
    const struct cmd *cmd;
    json_t *params = json_object();
    int used = 0, code;

    cmd = cmd_find(words->words, words->count, &used);
    if (words->valueless != NULL) {
        code = main_fail(config, "--home DIR, --passphrase-file FILE, --color WHEN",
                         "a value is missing after ", words->valueless);
    } else if (words->colour != NULL) {
        code = main_fail(config, "--color=auto, --color=always or --color=never",
                         "that is no way to colour: ", words->colour);
    } else if (words->wants_version) {
        code = cmd_version(config, NULL, params);
    } else if (words->wants_help || words->count == 0) {
        main_group_help(words, params);
        code = words->count == 0 && !words->wants_help
                   ? cmd_status(config, cmd_find((char *[]){(char[]){"status"}}, 1, &used), params)
                   : cmd_help(config, NULL, params);
    } else if (cmd == NULL) {
        code = main_unknown(config, words);
    } else {
        code = main_parse(config, cmd, words->words + used, words->count - used, params);
        if (code == OP_DONE)
            code = cmd->run(config, cmd, params);
    }
    json_decref(params);
    return code;
}

/* A command that calls more than one op asks for a passphrase once. At worst it asks again. */
static void main_open_pipe(struct config *config)
{
    int ends[2];

    if (config->passphrase_file != NULL || !config_may_prompt(config) ||
        pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return;
    config->typed_from = ends[0];
    config->typed_to = ends[1];
}

/* Every command holds keys: nobody reads them out of a core file or through a debugger of the same
 * user, and what is written is for its owner alone. */
static void main_seal_process(void)
{
    struct rlimit none = {0};

    (void)setrlimit(RLIMIT_CORE, &none); /* Lowering is always allowed. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)umask(077);
}

int main(int argc, char **argv)
{
    struct main_words *words = heap_new_zeroed(1, sizeof *words);
    struct config config = {0};
    int code;

    (void)signal(SIGPIPE, SIG_IGN); /* A reader that goes away is an error of the write, not the end
                                       of the program. */
    main_seal_process();
    rpc_start();
    if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
        (void)setlocale(LC_CTYPE, "C.UTF-8"); /* Names are UTF-8 whatever the environment says. */
    if (words == NULL || secret_start() != ERR_OK) {
        (void)fputs("kith: out of memory\n", stderr);
        heap_free(words);
        return OP_FAILED;
    }
    if (!main_take_globals(argc, argv, &config, words)) {
        code = main_fail(&config, "kith help", "too many words", "");
    } else {
        main_open_pipe(&config);
        code = main_dispatch(&config, words);
    }
    /* What nobody got was not done, however often it was tried. */
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && code == OP_DONE)
        code = OP_FAILED;
    heap_free(words);
    return code;
}
