/*
 * What may follow on a command line, for a shell that asks at every press of a key: decided here,
 * once for all shells, from the command table. The shell hands over the words that stand before the
 * cursor, the last one begun or empty, and gets one candidate a line, with what it is about behind
 * a tab. A line that begins with a tab asks the shell for names of files.
 *
 * Nothing is said that would land in somebody's line: no failure, no question.
 */
#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/cmd.h"
#include "node/describe.h"
#include "node/door.h"
#include "node/show_state.h"

enum { CMD_COMPLETE_PATIENCE_MS = 1000, CMD_COMPLETE_ABOUT_MAX = 70 };

struct cmd_complete {
    struct config config; /* with the home that was typed */
    struct buf home;
    const char *shell;
    json_t *typed; /* words, without their quotes; all borrowed texts are in here */
    char *words[CMD_WORDS_MAX];
    int words_count, args_count;
    char *arg;             /* the first one */
    const struct cmd *cmd; /* NULL: not known yet */
    bool is_lost;          /* there is no such command */
    bool is_verbatim;      /* behind -- */
    const char *flag;      /* whose value comes next; NULL: none */
    size_t flag_size;
    const char *last; /* the word that is begun */
    char quote;       /* the quote it begins with, or 0 */
    size_t kept;      /* of --name=value, what stands before the value */
    json_t *candidates;
    bool wants_files;
};

/* Words. */

/* Without quotes and backslashes; what was left open counts as closed. out_quote: the one it begins
 * with and that is open. */
static json_t *cmd_complete_unquote(const char *word, char *out_quote)
{
    struct buf plain = {0};
    char quote = 0;
    json_t *text;

    *out_quote = 0;
    for (const char *at = word; *at != '\0'; at++) {
        if (quote == 0 && (*at == '"' || *at == '\'')) {
            quote = *at;
            *out_quote = at == word ? quote : *out_quote;
        } else if (quote != 0 && *at == quote) {
            quote = 0;
        } else {
            at += *at == '\\' && quote != '\'' && at[1] != '\0';
            buf_byte(&plain, (uint8_t)*at);
        }
    }
    *out_quote = quote != 0 ? *out_quote : (char)0;
    text = json_stringn((const char *)plain.data, plain.size);
    buf_release(&plain);
    return text != NULL ? text : json_string("");
}

/* The flags that every command takes. */
static const struct {
    const char *name;
    bool has_value;
} cmd_complete_globals[] = {
    {"--json", false},   {"--home", true},  {"--no-input", false}, {"--passphrase-file", true},
    {"--header", false}, {"--color", true}, {"--help", false},
};

enum { CMD_COMPLETE_GLOBALS = sizeof cmd_complete_globals / sizeof cmd_complete_globals[0] };

static const struct cmd_flag *cmd_complete_flag(const struct cmd *cmd, const char *name,
                                                size_t size)
{
    for (size_t at = 0; cmd != NULL && at < CMD_FLAGS_MAX && cmd->flags[at].name != NULL; at++)
        if (strlen(cmd->flags[at].name) == size && strncmp(cmd->flags[at].name, name, size) == 0)
            return &cmd->flags[at];
    return NULL;
}

static bool cmd_complete_has_value(const struct cmd *cmd, const char *word, size_t size)
{
    const struct cmd_flag *flag = cmd_complete_flag(cmd, word + 2, size - 2);

    for (size_t at = 0; at < CMD_COMPLETE_GLOBALS; at++)
        if (strlen(cmd_complete_globals[at].name) == size &&
            strncmp(cmd_complete_globals[at].name, word, size) == 0)
            return cmd_complete_globals[at].has_value;
    return flag != NULL && flag->type != CMD_BOOL;
}

static bool cmd_complete_is_flag(const struct cmd_complete *complete, const char *name)
{
    return complete->flag_size == strlen(name) &&
           strncmp(complete->flag, name, complete->flag_size) == 0;
}

/* Of all values only the home counts here. */
static void cmd_complete_take(struct cmd_complete *complete, const char *value)
{
    const char *user = config_env("HOME");

    if (cmd_complete_is_flag(complete, "--home") && complete->home.size == 0) {
        if (strncmp(value, "~/", 2) == 0 && user != NULL) {
            buf_append(&complete->home, span_str(user));
            value++;
        }
        buf_append(&complete->home, span_str(value));
        buf_byte(&complete->home, 0);
        if (buf_err(&complete->home) == ERR_OK)
            complete->config.home = (const char *)complete->home.data;
    }
    complete->flag = NULL;
}

static void cmd_complete_plain(struct cmd_complete *complete, char *word)
{
    int used;

    if (complete->cmd != NULL || complete->words_count == CMD_WORDS_MAX) {
        complete->arg = complete->args_count++ == 0 ? word : complete->arg;
        return;
    }
    complete->words[complete->words_count++] = word;
    complete->cmd = cmd_find(complete->words, complete->words_count, &used);
    complete->is_lost = complete->cmd == NULL && complete->words_count == CMD_WORDS_MAX;
}

/* Does a word of a line take a value with it? */
static bool cmd_complete_begin_flag(struct cmd_complete *complete, const char *word, size_t size)
{
    static const char output[] = "--output";

    complete->flag = word;
    complete->flag_size = size;
    if (strcmp(word, "-o") == 0 && cmd_complete_flag(complete->cmd, "output", 6) != NULL) {
        complete->flag = output;
        complete->flag_size = strlen(output);
        return true;
    }
    return size > 2 && cmd_complete_has_value(complete->cmd, word, size);
}

/* A word that stands whole on the line. */
static void cmd_complete_pass(struct cmd_complete *complete, const char *word)
{
    size_t size = strcspn(word, "=");

    if (complete->flag != NULL) {
        /* Bash makes three words of --name=value. */
        if (strcmp(word, "=") != 0)
            cmd_complete_take(complete, word);
    } else if (!complete->is_verbatim && strcmp(word, "--") == 0) {
        complete->is_verbatim = true;
    } else if (complete->is_verbatim || word[0] != '-' || word[1] == '\0') {
        cmd_complete_plain(complete, (char *)(uintptr_t)word);
    } else if (!cmd_complete_begin_flag(complete, word, size)) {
        complete->flag = NULL;
    } else if (word[size] == '=') {
        cmd_complete_take(complete, word + size + 1);
    }
}

static void cmd_complete_read(struct cmd_complete *complete, json_t *line)
{
    bool is_plain = strcmp(complete->shell, "fish") == 0; /* It has taken the quotes off. */
    size_t at, count = json_array_size(line);
    json_t *word;

    json_array_foreach(line, at, word)
    {
        const char *text = json_string_value(word);
        char quote = 0;
        json_t *plain =
            is_plain && at + 1 < count ? json_string(text) : cmd_complete_unquote(text, &quote);

        (void)json_array_append_new(complete->typed,
                                    plain); /* A lost word offers something else. */
        complete->quote = quote;
    }
    complete->last = "";
    json_array_foreach(complete->typed, at, word)
    {
        if (at + 1 == count)
            complete->last = json_string_value(word);
        else
            cmd_complete_pass(complete, json_string_value(word));
    }
    if (complete->flag != NULL && strcmp(complete->last, "=") == 0)
        complete->last = "";
}

/* Candidates. */

static void cmd_complete_add(struct cmd_complete *complete, const char *value, size_t size,
                             const char *about)
{
    const char *begun = complete->last + complete->kept;
    json_t *row;

    if (strncmp(value, begun, strlen(begun)) != 0 || strlen(begun) > size)
        return;
    row = json_pack("{s:s%, s:s}", "value", value, size, "about", about);
    (void)json_array_append_new(complete->candidates, row); /* A lost one is not offered. */
}

/* Has no command before this one the same first word? */
static bool cmd_complete_is_first(size_t index)
{
    const char *words = cmd_at(index)->words;
    size_t size = strcspn(words, " ");

    for (size_t at = 0; at < index; at++)
        if (strcspn(cmd_at(at)->words, " ") == size && strncmp(cmd_at(at)->words, words, size) == 0)
            return false;
    return true;
}

/* The words of kith, first or second. */
static void cmd_complete_commands(struct cmd_complete *complete)
{
    const char *first = complete->words_count > 0 ? complete->words[0] : NULL;
    const struct cmd *cmd;

    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++) {
        size_t size = strcspn(cmd->words, " ");
        bool is_group = cmd->words[size] == ' ';

        if (first == NULL && cmd_complete_is_first(at))
            cmd_complete_add(complete, cmd->words, size, is_group ? "" : cmd->summary);
        if (first != NULL && is_group && strlen(first) == size &&
            strncmp(first, cmd->words, size) == 0)
            cmd_complete_add(complete, cmd->words + size + 1, strlen(cmd->words) - size - 1,
                             cmd->summary);
    }
}

static void cmd_complete_flags(struct cmd_complete *complete)
{
    const struct cmd_flag *flags = complete->cmd != NULL ? complete->cmd->flags : NULL;
    char name[CMD_ARG_NAME_SIZE + 2];

    for (size_t at = 0; flags != NULL && at < CMD_FLAGS_MAX && flags[at].name != NULL; at++) {
        (void)snprintf(name, sizeof name, "--%s", flags[at].name); /* Names of ours fit. */
        cmd_complete_add(complete, name, strlen(name),
                         flags[at].value != NULL ? flags[at].value : "");
    }
    for (size_t at = 0; at < CMD_COMPLETE_GLOBALS; at++)
        cmd_complete_add(complete, cmd_complete_globals[at].name,
                         strlen(cmd_complete_globals[at].name), "");
}

/* One of a few words, with bars between them: "found|changed". */
static void cmd_complete_choices(struct cmd_complete *complete, const char *choices)
{
    for (size_t size; *choices != '\0'; choices += size + (choices[size] == '|')) {
        size = strcspn(choices, "|");
        cmd_complete_add(complete, choices, size, "");
    }
}

/* Such words, or DATE|14d, which says in what shape something is wanted? */
static bool cmd_complete_is_choice(const char *value)
{
    bool was_capital = false;

    for (const char *at = value; *at != '\0'; at++) {
        bool is_capital = *at >= 'A' && *at <= 'Z';

        if (is_capital && was_capital)
            return false;
        was_capital = is_capital;
    }
    return strchr(value, '|') != NULL;
}

/* People and things, as the store knows them: see op_complete.h. */
static void cmd_complete_of(struct cmd_complete *complete, const char *of)
{
    struct door_call call = {.method = "complete", .patience_ms = CMD_COMPLETE_PATIENCE_MS};
    struct home home;
    json_t *row;
    size_t at;

    if (home_init(&complete->config, &home) != ERR_OK)
        return;
    /* A store that is open to the disk is read beside the node, which may be busy. */
    call.is_apart = !home_is_protected(&home);
    call.params = json_pack("{s:s, s:s}", "of", of, "prefix", complete->last + complete->kept);
    if (call.params != NULL && door_call(&complete->config, &call))
        json_array_foreach(json_object_get(call.result, "candidates"), at, row)(void)
            json_array_append(complete->candidates, row);
    json_decref(call.params);
    json_decref(call.result);
}

/* What the words of the table stand for. where is the name of a flag, or "" for an argument. */
static const struct {
    const char *value, *where, *of;
} cmd_complete_kinds[] = {
    {"WHO", "about", "people"},  {"WHO", "of", "people"},
    {"WHO", "", "people"},       {"WHO", "*", "peer"},
    {"OTHER", "", "people"},     {"A", "", "peer"},
    {"B", "", "peer"},           {"PEER", "*", "peer"},
    {"INTRODUCER", "*", "peer"}, {"C", "*", "circle"},
    {"T", "tag", "tag"},         {"SKILL", "*", "tag"},
    {"O", "org", "org"},         {"ID", "renews", "endorsement.given"},
};

/* Words where the table has only a name for them. */
static const struct {
    const char *value, *choices;
} cmd_complete_lists[] = {
    {"LEVEL", "close|good|known|met|muted"},
    {"SHELL", "bash|zsh|fish"},
    {"KEY=VALUE", "name=|org=|title=|place=|email=|tel=|url=|tag=|note=|met=|kind="},
    {"KEY[=VALUE]", "org|title|place|email|tel|url|tag|note|met"},
    {"WHEN", "auto|always|never"},
};

static void cmd_complete_value(struct cmd_complete *complete, const char *value, const char *where)
{
    if (strcmp(value, "F") == 0 || strcmp(value, "FILE") == 0 || strcmp(value, "URI") == 0 ||
        strcmp(value, "DIR") == 0)
        complete->wants_files = true;
    if (cmd_complete_is_choice(value))
        cmd_complete_choices(complete, value);
    for (size_t at = 0; at < sizeof cmd_complete_lists / sizeof cmd_complete_lists[0]; at++)
        if (strcmp(value, cmd_complete_lists[at].value) == 0)
            cmd_complete_choices(complete, cmd_complete_lists[at].choices);
    for (size_t at = 0; at < sizeof cmd_complete_kinds / sizeof cmd_complete_kinds[0]; at++) {
        const char *here = cmd_complete_kinds[at].where;

        if (strcmp(value, cmd_complete_kinds[at].value) != 0 ||
            (strcmp(here, where) != 0 && (strcmp(here, "*") != 0 || where[0] == '\0')))
            continue;
        cmd_complete_of(complete, cmd_complete_kinds[at].of);
        return;
    }
}

static void cmd_complete_flag_value(struct cmd_complete *complete)
{
    const struct cmd_flag *flag =
        cmd_complete_flag(complete->cmd, complete->flag + 2, complete->flag_size - 2);

    if (flag != NULL && flag->value != NULL)
        cmd_complete_value(complete, flag->value, flag->name);
    else if (cmd_complete_is_flag(complete, "--color"))
        cmd_complete_value(complete, "WHEN", "");
    else
        cmd_complete_value(complete, "DIR", "");
}

/* The argument that comes next. */
static void cmd_complete_arg(struct cmd_complete *complete)
{
    const struct cmd *cmd = complete->cmd;
    size_t index = (size_t)complete->args_count, last = 0;
    char name[CMD_ARG_NAME_SIZE];
    size_t size = 0;

    while (last + 1 < CMD_ARGS_MAX && cmd->args[last + 1] != NULL)
        last++;
    if (cmd->args[last] != NULL && index > last && strstr(cmd->args[last], "...") != NULL)
        index = last;
    if (index >= CMD_ARGS_MAX || cmd->args[index] == NULL)
        return;
    for (const char *at = cmd->args[index]; *at != '\0' && size + 1 < sizeof name; at++)
        if (*at >= 'A' && *at <= 'Z')
            name[size++] = *at;
    name[size] = '\0';
    if (strcmp(name, "TOPIC") == 0) {
        complete->words[0] = complete->arg;
        complete->words_count = complete->args_count;
        if (complete->args_count < CMD_WORDS_MAX)
            cmd_complete_commands(complete);
    } else if (index == 0 && cmd->of != NULL) {
        cmd_complete_of(complete, cmd->of);
    } else {
        cmd_complete_value(complete, name, "");
    }
}

static void cmd_complete_find(struct cmd_complete *complete)
{
    const char *last = complete->last;
    size_t size = strcspn(last, "=");

    if (complete->flag != NULL) {
        cmd_complete_flag_value(complete);
    } else if (!complete->is_verbatim && last[0] == '-' && last[size] == '=' &&
               cmd_complete_begin_flag(complete, last, size)) {
        complete->kept = size + 1;
        cmd_complete_flag_value(complete);
    } else if (!complete->is_verbatim && last[0] == '-') {
        cmd_complete_flags(complete);
    } else if (complete->cmd == NULL && !complete->is_lost) {
        cmd_complete_commands(complete);
    } else if (complete->cmd != NULL) {
        cmd_complete_arg(complete);
    }
}

/* Saying it. */

/* As the shell has to read it; zsh and fish put in what they need. */
static void cmd_complete_put(const struct cmd_complete *complete, const char *value)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-.,:@%+=/";
    bool is_bash = strncmp(complete->shell, "bash", 4) == 0;

    (void)printf("%.*s", (int)complete->kept, complete->last);
    for (const char *at = value; *at != '\0'; at++) {
        bool is_special = complete->quote == '"'
                              ? strchr("\"\\$`", *at) != NULL
                              : (unsigned char)*at < 0x80 && strchr(plain, *at) == NULL;

        if (is_bash && complete->quote == '\'')
            (void)fputs(*at == '\'' ? "'\\'" : "", stdout);
        else if (is_bash && is_special)
            (void)putchar('\\');
        (void)putchar(*at);
    }
}

static void cmd_complete_say(const struct cmd_complete *complete)
{
    bool is_bash = strcmp(complete->shell, "bash") == 0,
         is_list =
             strcmp(complete->shell, "bash-list") == 0 && json_array_size(complete->candidates) > 1;
    json_t *row;
    size_t at;

    if (complete->wants_files)
        (void)puts("\tfiles");
    json_array_foreach(complete->candidates, at, row)
    {
        const char *value = show_text(row, "value");
        char *clean = show_copy(value), *about = show_copy(show_text(row, "about"));
        char shown[CMD_COMPLETE_ABOUT_MAX + 1];

        /* What a terminal would not show as it is cannot be typed either. */
        if (clean != NULL && strcmp(clean, value) == 0 &&
            (strncmp(value, "--", 2) != 0 || complete->last[0] == '-' || complete->is_verbatim)) {
            cmd_complete_put(complete, value);
            if (about != NULL && about[0] != '\0' && !is_bash) {
                describe_cut(shown, sizeof shown, span_str(about));
                (void)printf(is_list ? "  (%s)" : "\t%s", shown);
            }
            (void)putchar('\n');
        }
        heap_free(clean);
        heap_free(about);
    }
}

/* Names alone, for who asks by hand. */
static int cmd_complete_names(const struct config *config, const char *prefix)
{
    struct door_call call = {.method = "complete", .params = json_pack("{s:s}", "prefix", prefix)};
    int code;

    if (door_call(config, &call))
        code = cmd_print(config, call.method, call.result, call.params);
    else
        code = cmd_fail(config, &call.failure);
    json_decref(call.params);
    json_decref(call.result);
    return code;
}

int cmd_complete(const struct config *config, const struct cmd *cmd, json_t *params)
{
    const char *shell = json_string_value(json_object_get(params, "shell"));
    json_t *line = json_object_get(params, "words");
    const char *word = json_string_value(json_array_get(line, 0));
    struct cmd_complete complete = {.config = *config, .shell = shell};

    (void)cmd;
    if (shell == NULL)
        return cmd_complete_names(config, word != NULL ? word : "");
    complete.config.no_input = true;
    complete.typed = json_array();
    complete.candidates = json_array();
    cmd_complete_read(&complete, line);
    cmd_complete_find(&complete);
    cmd_complete_say(&complete);
    json_decref(complete.typed);
    json_decref(complete.candidates);
    buf_release(&complete.home);
    return fflush(stdout) == 0 ? OP_DONE : OP_FAILED;
}
