/*
 * From what was typed to a command: global flags may stand anywhere, the first words name the
 * command, the rest are its flags and arguments, which become the op's params.
 */
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
#include "proto/scan.h"

enum { MAIN_WORDS_MAX = 512 };

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

    if (value == NULL || value[0] == '\0')
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
    return json_object_set_new(params, name, json_string(word)) == 0;
}

static int main_parse(const struct config *config, const struct cmd *cmd, char **words, int count,
                      json_t *params)
{
    size_t args = 0;
    bool is_verbatim = false;

    for (int at = 0; at < count; at++) {
        const struct cmd_flag *flag;
        const char *value = NULL;
        size_t size;

        if (!scan_is_utf8(span_str(words[at])))
            return main_fail(config, "use UTF-8", "this is not text: ", "");
        if (!is_verbatim && strcmp(words[at], "--") == 0) {
            is_verbatim = true;
            continue;
        }
        if (!is_verbatim && strcmp(words[at], "-o") == 0 && main_flag(cmd, "output", 6) != NULL) {
            value = at + 1 < count ? words[++at] : NULL;
            if (value == NULL || !main_add_flag(main_flag(cmd, "output", 6), value, params))
                return main_fail(config, cmd->example, "a file is missing after ", "-o");
            continue;
        }
        if (is_verbatim || strncmp(words[at], "--", 2) != 0) {
            if (!main_add_arg(cmd, args++, words[at], params))
                return main_fail(config, cmd->example, "there is one word too many: ", words[at]);
            continue;
        }
        size = strcspn(words[at] + 2, "=");
        flag = main_flag(cmd, words[at] + 2, size);
        if (flag == NULL)
            return main_fail(config, cmd->example, "this command does not know ", words[at]);
        if (flag->type != CMD_BOOL) {
            value = main_value(words, count, &at, size + 2);
            if (value == NULL)
                return main_fail(config, cmd->example, "a value is missing after ", words[at]);
        }
        if (!main_add_flag(flag, value, params))
            return main_fail(config, cmd->example,
                             flag->type == CMD_NUMBER ? "a number is wanted after --"
                                                      : "that is not what is wanted after --",
                             flag->name);
    }
    if (args < CMD_ARGS_MAX && cmd->args[args] != NULL && cmd->args[args][0] != '[')
        return main_fail(config, cmd->example, "still missing: ", cmd->args[args]);
    return OP_DONE;
}

/* No such command: the nearest one. */

static size_t main_distance(const char *left, const char *right)
{
    size_t row[64], left_size = strlen(left), right_size = strlen(right);

    if (left_size > 62 || right_size > 62)
        return 64;
    for (size_t at = 0; at <= right_size; at++)
        row[at] = at;
    for (size_t x = 1; x <= left_size; x++) {
        size_t diagonal = row[0];

        row[0] = x;
        for (size_t y = 1; y <= right_size; y++) {
            size_t changed = diagonal + (left[x - 1] != right[y - 1]);
            size_t least = row[y] < row[y - 1] ? row[y] + 1 : row[y - 1] + 1;

            diagonal = row[y];
            row[y] = changed < least ? changed : least;
        }
    }
    return row[right_size];
}

/* "kith peer" alone: what can follow it. */
static bool main_list_group(const struct main_words *words, char *out, size_t size)
{
    size_t used = 0, first = strlen(words->words[0]);
    const struct cmd *cmd;

    out[0] = '\0';
    for (size_t at = 0; words->count == 1 && (cmd = cmd_at(at)) != NULL; at++) {
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
    char typed[64], hint[80] = "kith help", group[400];
    const struct cmd *cmd;
    size_t least = 4;

    if (main_list_group(words, group, sizeof group)) {
        struct op_failure failure = {0};

        (void)snprintf(hint, sizeof hint, "kith help %.40s", words->words[0]);
        door_fail(&failure, OP_USAGE, hint, "%.40s wants one more word: %s", words->words[0],
                  group);
        return cmd_fail(config, &failure);
    }

    (void)snprintf(typed, sizeof typed, "%s%s%s", words->words[0], words->count > 1 ? " " : "",
                   words->count > 1 ? words->words[1] : "");
    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++) {
        size_t distance = main_distance(typed, cmd->words);

        if (distance < least && distance * 2 <= strlen(typed)) {
            least = distance;
            (void)snprintf(hint, sizeof hint, "kith %s", cmd->words);
        }
    }
    return main_fail(config, hint, "there is no command ", typed);
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
    json_object_seed(0);
    if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
        (void)setlocale(LC_CTYPE, "C.UTF-8"); /* Names are UTF-8 whatever the environment says. */
    if (words == NULL || secret_start() != ERR_OK) {
        (void)fputs("kith: out of memory\n", stderr);
        heap_free(words);
        return OP_FAILED;
    }
    if (!main_take_globals(argc, argv, &config, words))
        code = main_fail(&config, "kith help", "too many words", "");
    else
        code = main_dispatch(&config, words);
    /* What nobody got was not done, however often it was tried. */
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && code == OP_DONE)
        code = OP_FAILED;
    heap_free(words);
    return code;
}
