/* Help is the table, printed. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "node/cmd.h"
#include "node/door.h"

enum { CMD_HELP_COLUMNS = 80, CMD_HELP_INDENT = 30, CMD_HELP_USAGE = 8 };

/* Words of a text, or (pieces) what is put one after another, never torn apart: what does not fit a
 * line goes on in the next, so far in. */
struct cmd_help_line {
    size_t indent, used;
};

static void cmd_help_put(struct cmd_help_line *line, const char *piece, size_t size)
{
    if (line->used > line->indent && line->used + 1 + size > CMD_HELP_COLUMNS) {
        (void)printf("\n%*s", (int)line->indent, "");
        line->used = line->indent;
    } else if (line->used > line->indent) {
        (void)putchar(' ');
        line->used++;
    }
    (void)printf("%.*s", (int)size, piece);
    line->used += size;
}

static void cmd_help_text(const char *text, size_t indent)
{
    struct cmd_help_line line = {.indent = indent, .used = indent};

    while (*text != '\0') {
        size_t size = strcspn(text, " ");

        cmd_help_put(&line, text, size);
        text += size + (text[size] == ' ');
    }
    (void)putchar('\n');
}

void cmd_usage(const struct cmd *cmd)
{
    struct cmd_help_line line = {.indent = CMD_HELP_USAGE, .used = CMD_HELP_USAGE};
    char piece[200];

    cmd_help_text(cmd->summary, 0);
    (void)printf("    e.g. %s\n    ", cmd->example);
    line.used = 4;
    (void)snprintf(piece, sizeof piece, "kith %s", cmd->words);
    (void)fputs(piece, stdout);
    line.used += strlen(piece);
    for (size_t at = 0; at < CMD_ARGS_MAX && cmd->args[at] != NULL; at++)
        cmd_help_put(&line, cmd->args[at], strlen(cmd->args[at]));
    for (size_t at = 0; at < CMD_FLAGS_MAX && cmd->flags[at].name != NULL; at++) {
        (void)snprintf(piece, sizeof piece, "[--%s%s%s]%s", cmd->flags[at].name,
                       cmd->flags[at].value != NULL ? " " : "",
                       cmd->flags[at].value != NULL ? cmd->flags[at].value : "",
                       cmd->flags[at].type == CMD_LIST ? "..." : "");
        cmd_help_put(&line, piece, strlen(piece));
    }
    (void)puts("\n");
}

/* The words kith uses, for who wonders. */
static const struct {
    const char *word, *means;
} cmd_help_word[] = {
    {"who", "whoever a command is about: an alias, a name or words of it (case and accents do not "
            "matter), an e-mail, or the first 6 characters or more of an id or did:key. If several "
            "fit, kith "
            "lists them and does nothing."},
    {"id",
     "of an introduction, an ask, a lead or an endorsement: the first 6 characters or more, or "
     "words of a name it goes by: who is introduced, the title of the ask, who answered, who "
     "wrote it or whom it is about. If several fit, kith lists them and does nothing."},
    {"contact", "a person or organisation in your address book. What you write of them is yours "
                "alone."},
    {"card", "what a person says of themselves; your peers hold yours, and you hold theirs."},
    {"peer", "somebody whose kith is linked with yours: your cards keep each other up to date."},
    {"invitation",
     "a line beginning kith:1 that links two people once: kith peer invite, kith peer "
     "accept."},
    {"safety-words",
     "eight words that are the same on both sides of a link: compare them by voice, "
     "then type kith peer compared WHO."},
    {"recovery-words", "24 words that are your identity: write them down, show them to nobody."},
    {"device", "one machine of yours; a member may have several."},
    {"match",
     "somebody you know who may fit an ask: kith looks for its tags and words in your contacts' "
     "tags, titles, organisations and places, in your peers' cards and endorsements, and in notes "
     "that hold the word #match. You alone see it; nothing is sent."},
    {"share", "a contact who has agreed, told to a peer with the fields you choose; notes never "
              "travel. You can take it back, but not from who has kept it."},
    {"node", "kith run: it calls your peers and is called by them."},
    {"home", "the folder that holds your keys and your store: --home DIR, KITH_HOME, else "
             "~/.local/share/kith."},
};

/* What a group of commands is about, above its first one. */
static const struct {
    const struct cmd *first; /* NULL: by its words */
    const char *words, *title;
} cmd_help_titles[] = {
    {NULL, "init", "Yourself and your node"},
    {cmd_table_contact, NULL, "Your address book"},
    {cmd_table_circle, NULL, "Circles"},
    {cmd_table_peer, NULL, "Peers"},
    {cmd_table_introduction, NULL, "Introductions"},
    {cmd_table_endorsement, NULL, "Endorsements"},
    {cmd_table_ask, NULL, "Asks and offers"},
    {cmd_table_reply, NULL, "Answers and thanks"},
    {cmd_table_share, NULL, "Shared contacts"},
    {cmd_table_touch, NULL, "Keeping in touch"},
    {cmd_table_trust, NULL, "Whom to trust, and who could introduce you"},
    {NULL, "sync", "Care"},
};

static const char *cmd_help_title(const struct cmd *cmd)
{
    for (size_t at = 0; at < sizeof cmd_help_titles / sizeof cmd_help_titles[0]; at++)
        if (cmd == cmd_help_titles[at].first ||
            (cmd_help_titles[at].words != NULL &&
             strcmp(cmd->words, cmd_help_titles[at].words) == 0))
            return cmd_help_titles[at].title;
    return NULL;
}

/* What a day is made of, on one screen. */
static void cmd_help_first(void)
{
    static const char *const rows[][2] = {
        {"kith", "where things stand, and what to do next"},
        {"kith import FILE", "bring your address book"},
        {"kith contact search WORDS", "find somebody; contact add, show, edit, list"},
        {"kith contact log WHO", "note that you were in touch"},
        {"kith remind WHO --every 3m", "be reminded; kith due has what is due"},
        {"kith run", "run your node, so that your peers reach you"},
        {"kith peer invite NAME", "link with somebody; they type kith peer accept"},
        {"kith ask post TEXT", "ask your network; ask list, show, pass, reply"},
        {"kith lead list", "the answers, yours and theirs; thanks ID"},
        {"kith introduce A B", "bring two peers together; intro list, accept"},
        {"kith endorse WHO", "vouch for somebody's work; endorsement list"},
        {"kith undo", "take back the last change to your contacts"},
        {"kith doctor", "look everything over"}};
    struct cmd_help_line line = {.indent = 7, .used = 7};

    (void)puts("kith: the people you know, on your own machine\n");
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++)
        (void)printf("  %-*s %s\n", CMD_HELP_INDENT - 3, rows[at][0], rows[at][1]);
    (void)puts("\nAll: kith help all. One: kith help peer invite. A group: kith help peer.");
    (void)fputs("Words: ", stdout);
    for (size_t at = 0; at < sizeof cmd_help_word / sizeof cmd_help_word[0]; at++)
        cmd_help_put(&line, cmd_help_word[at].word, strlen(cmd_help_word[at].word));
    (void)puts(" (kith help WORD).");
}

static void cmd_help_all(void)
{
    struct cmd_help_line line = {.indent = 7, .used = 7};
    const struct cmd *cmd;

    (void)puts("kith: the people you know, on your own machine");
    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++) {
        const char *title = cmd_help_title(cmd);

        if (title != NULL)
            (void)printf("\n%s\n", title);
        (void)printf("  kith %-*s ", CMD_HELP_INDENT - 8, cmd->words);
        cmd_help_text(cmd->summary, CMD_HELP_INDENT);
    }
    (void)puts("\nWith every command: --home DIR, --json, --no-input, --passphrase-file FILE,\n"
               "--header (titles above piped tables), --color=auto|always|never.");
    (void)puts("WHO is an alias, a name, an e-mail, or the beginning of an id or did:key.\n"
               "ID is the beginning of an id, or words of a name: kith help id.");
    (void)puts("More about one: kith help peer invite. About a group: kith help peer.\n"
               "About exit codes: kith help exit-codes.");
    (void)fputs("Words: ", stdout);
    for (size_t at = 0; at < sizeof cmd_help_word / sizeof cmd_help_word[0]; at++)
        cmd_help_put(&line, cmd_help_word[at].word, strlen(cmd_help_word[at].word));
    (void)puts(" (kith help WORD).");
}

/* Takes the document over: with --json it is what is printed. */
static int cmd_help_end(const struct config *config, json_t *document)
{
    if (config->is_json) {
        (void)json_dumpf(document, stdout, JSON_COMPACT); /* A closed pipe shows in the flush. */
        (void)putchar('\n');
    }
    json_decref(document);
    return fflush(stdout) == 0 ? OP_DONE : OP_FAILED;
}

static json_t *cmd_help_describe(const struct cmd *cmd)
{
    json_t *args = json_array(), *flags = json_array();

    for (size_t at = 0; at < CMD_ARGS_MAX && cmd->args[at] != NULL; at++)
        (void)json_array_append_new(args, json_string(cmd->args[at])); /* Lost ones are absent. */
    for (size_t at = 0; at < CMD_FLAGS_MAX && cmd->flags[at].name != NULL; at++) {
        json_t *flag = json_pack("{s:s, s:b}", "name", cmd->flags[at].name, "repeatable",
                                 cmd->flags[at].type == CMD_LIST);

        if (cmd->flags[at].value != NULL)
            (void)json_object_set_new(flag, "value", json_string(cmd->flags[at].value));
        (void)json_array_append_new(flags, flag);
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "command", cmd->words, "summary", cmd->summary,
                     "example", cmd->example, "arguments", args, "flags", flags);
}

static const struct {
    int code;
    const char *means;
} cmd_help_code[] = {
    {OP_DONE, "done, or queued until a peer can be reached"},
    {OP_FAILED, "failed"},
    {OP_USAGE, "not understood"},
    {OP_NOT_FOUND, "no such person or thing"},
    {OP_NEEDS_NODE, "needs a running node"},
    {OP_UNTRUSTED, "a signature, verification or trust failure"},
    {OP_AMBIGUOUS, "more than one fits: choose"},
    {OP_LOCKED, "locked by a passphrase"},
    {OP_CANCELLED, "cancelled"},
    {130, "interrupted"},
};

static int cmd_help_codes(const struct config *config)
{
    json_t *codes = json_object();

    for (size_t at = 0; at < sizeof cmd_help_code / sizeof cmd_help_code[0]; at++) {
        char number[12];

        (void)snprintf(number, sizeof number, "%d", cmd_help_code[at].code);
        if (config->is_json)
            (void)json_object_set_new(codes, number, json_string(cmd_help_code[at].means));
        else
            (void)printf("%-3s %s\n", number, cmd_help_code[at].means);
    }
    return cmd_help_end(config, json_pack("{s:i, s:o}", "v", 1, "exit_codes", codes));
}

/* False when nobody asks for a word of these. */
static bool cmd_help_on_word(const struct config *config, const char *topic, int *out_code)
{
    for (size_t at = 0; at < sizeof cmd_help_word / sizeof cmd_help_word[0]; at++) {
        if (strcasecmp(topic, cmd_help_word[at].word) != 0)
            continue;
        if (!config->is_json)
            (void)printf("%s: %s\n", cmd_help_word[at].word, cmd_help_word[at].means);
        *out_code = cmd_help_end(config, json_pack("{s:i, s:s, s:s}", "v", 1, "word",
                                                   cmd_help_word[at].word, "means",
                                                   cmd_help_word[at].means));
        return true;
    }
    return false;
}

/* Does this command answer to these first words? */
static bool cmd_help_fits(const struct cmd *cmd, const char *first, const char *second)
{
    size_t size = first != NULL ? strlen(first) : 0;
    const char *rest = cmd->words + size;

    if (first == NULL)
        return true;
    if (strncmp(cmd->words, first, size) != 0 || (rest[0] != '\0' && rest[0] != ' '))
        return false;
    return second == NULL || (rest[0] == ' ' && strcmp(rest + 1, second) == 0);
}

int cmd_help(const struct config *config, const struct cmd *cmd, json_t *params)
{
    json_t *topic = json_object_get(params, "topic"), *commands = json_array();
    const char *first = json_string_value(json_array_get(topic, 0)),
               *second = json_string_value(json_array_get(topic, 1));
    struct op_failure failure = {0};
    bool wants_all = first != NULL && strcmp(first, "all") == 0;
    int code;

    if (wants_all)
        first = second = NULL;
    if (first != NULL && strcmp(first, "exit-codes") == 0) {
        json_decref(commands);
        return cmd_help_codes(config);
    }
    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++)
        if (cmd_help_fits(cmd, first, second))
            (void)json_array_append_new(commands, cmd_help_describe(cmd));
    if (json_array_size(commands) == 0) {
        json_decref(commands);
        if (second == NULL && cmd_help_on_word(config, first, &code))
            return code;
        door_fail(&failure, OP_USAGE, "kith help", "there is no command %.40s%s%.40s", first,
                  second != NULL ? " " : "", second != NULL ? second : "");
        return cmd_fail(config, &failure);
    }
    if (!config->is_json && first == NULL && wants_all)
        cmd_help_all();
    else if (!config->is_json && first == NULL)
        cmd_help_first();
    for (size_t at = 0; !config->is_json && first != NULL && (cmd = cmd_at(at)) != NULL; at++)
        if (cmd_help_fits(cmd, first, second))
            cmd_usage(cmd);
    if (!config->is_json && first != NULL && second == NULL)
        for (size_t at = 0; at < sizeof cmd_help_word / sizeof cmd_help_word[0]; at++)
            if (strcmp(first, cmd_help_word[at].word) == 0)
                (void)printf("A %s is %s\n", first, cmd_help_word[at].means);
    return cmd_help_end(config, json_pack("{s:i, s:o}", "v", 1, "commands", commands));
}

int cmd_version(const struct config *config, const struct cmd *cmd, json_t *params)
{
    (void)cmd;
    (void)params;
    if (config->is_json)
        (void)printf("{\"v\":1,\"version\":\"%s\",\"protocol\":1}\n", KITH_VERSION);
    else
        (void)printf("kith %s, protocol 1\n", KITH_VERSION);
    return OP_DONE;
}
