/*
 * A line that is no command is answered with the one that was probably meant: people say friends
 * and delete, put the verb first, forget the quotes. What they typed after it comes along, so that
 * the answer can be copied.
 */
#include <stdio.h>
#include <string.h>

#include "node/cmd.h"

enum { CMD_GUESS_WORD = 64, CMD_GUESS_FAR = 4, CMD_GUESS_WORDS = 40 };

struct cmd_guess_pair {
    const char *typed, *means;
};

/* Words for a whole command. */
static const struct cmd_guess_pair cmd_guess_first[] = {
    {"search", "contact search"},
    {"find", "contact search"},
    {"lookup", "contact search"},
    {"add", "contact add"},
    {"new", "contact add"},
    {"show", "contact show"},
    {"view", "contact show"},
    {"open", "contact show"},
    {"list", "contact list"},
    {"ls", "contact list"},
    {"people", "contact list"},
    {"book", "contact list"},
    {"edit", "contact edit"},
    {"change", "contact edit"},
    {"update", "contact edit"},
    {"remove", "contact remove"},
    {"delete", "contact remove"},
    {"rm", "contact remove"},
    {"merge", "contact merge"},
    {"history", "contact history"},
    {"duplicates", "contact duplicates"},
    {"share", "contact share"},
    {"timeline", "contact timeline"},
    {"note", "contact log"},
    {"met", "contact log"},
    {"invite", "peer invite"},
    {"link", "peer invite"},
    {"connect", "peer invite"},
    {"pair", "peer invite"},
    {"accept", "peer accept"},
    {"join", "peer accept"},
    {"friends", "peer list"},
    {"words", "peer words"},
    {"compare", "peer words"},
    {"compared", "peer compared"},
    {"block", "peer block"},
    {"unblock", "peer unblock"},
    {"post", "ask post"},
    {"pass", "ask pass"},
    {"forward", "ask pass"},
    {"reply", "ask reply"},
    {"answer", "ask reply"},
    {"answers", "lead list"},
    {"replies", "lead list"},
    {"inbox", "lead list"},
    {"messages", "lead list"},
    {"thank", "thanks"},
    {"introductions", "intro list"},
    {"introduction", "intro list"},
    {"decline", "intro decline"},
    {"verify", "endorsement verify"},
    {"birthdays", "due"},
    {"birthday", "due"},
    {"today", "due"},
    {"agenda", "due"},
    {"profile", "me show"},
    {"card", "me show"},
    {"whoami", "me show"},
    {"start", "run"},
    {"serve", "run"},
    {"node", "run"},
    {"daemon", "run"},
    {"quit", "stop"},
    {"info", "status"},
    {"setup", "init"},
    {"register", "init"},
    {"backup", "export"},
    {"check", "doctor"},
    {"news", "log"},
    {"events", "log"},
    {"manual", "man"},
    {"usage", "help"},
};

/* Words for the second word of a command; the first that makes one counts. */
static const struct cmd_guess_pair cmd_guess_second[] = {
    {"delete", "remove"},    {"rm", "remove"},     {"del", "remove"},      {"forget", "remove"},
    {"ls", "list"},          {"all", "list"},      {"view", "show"},       {"get", "show"},
    {"open", "show"},        {"info", "show"},     {"read", "show"},       {"find", "search"},
    {"lookup", "search"},    {"change", "edit"},   {"update", "edit"},     {"set", "edit"},
    {"modify", "edit"},      {"add", "create"},    {"new", "create"},      {"new", "add"},
    {"create", "add"},       {"make", "create"},   {"add", "invite"},      {"new", "invite"},
    {"connect", "invite"},   {"link", "invite"},   {"join", "accept"},     {"yes", "accept"},
    {"agree", "accept"},     {"no", "decline"},    {"reject", "decline"},  {"refuse", "decline"},
    {"verify", "words"},     {"compare", "words"}, {"forward", "pass"},    {"answer", "reply"},
    {"reply", "answer"},     {"new", "post"},      {"create", "post"},     {"send", "post"},
    {"end", "close"},        {"stop", "close"},    {"cancel", "withdraw"}, {"note", "log"},
    {"reject", "set-aside"}, {"accept", "keep"},
};

static size_t cmd_guess_distance(const char *left, const char *right)
{
    size_t row[CMD_GUESS_WORD], left_size = strlen(left), right_size = strlen(right);

    if (left_size > CMD_GUESS_WORD - 2 || right_size > CMD_GUESS_WORD - 2)
        return CMD_GUESS_WORD;
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

/* The command of these two words; NULL when there is none. */
static const struct cmd *cmd_guess_at(const char *first, const char *second)
{
    char words[CMD_GUESS_WORD];
    const struct cmd *cmd;

    (void)snprintf(words, sizeof words, "%.30s%s%.30s", first, second[0] != '\0' ? " " : "",
                   second);
    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++)
        if (strcmp(cmd->words, words) == 0)
            return cmd;
    return NULL;
}

/* A group, and another word for what it can do. */
static const struct cmd *cmd_guess_verb(const char *group, const char *verb)
{
    const struct cmd *cmd = cmd_guess_at(group, verb);

    for (size_t at = 0; cmd == NULL && at < sizeof cmd_guess_second / sizeof cmd_guess_second[0];
         at++)
        if (strcmp(cmd_guess_second[at].typed, verb) == 0)
            cmd = cmd_guess_at(group, cmd_guess_second[at].means);
    return cmd;
}

/* "contacts" is many of "contact". */
static void cmd_guess_one_of(const char *many, char out[static CMD_GUESS_WORD])
{
    size_t size;

    (void)snprintf(out, CMD_GUESS_WORD, "%.60s", many);
    size = strlen(out);
    if (size > 1 && out[size - 1] == 's')
        out[size - 1] = '\0';
}

static const struct cmd *cmd_guess_whole(const char *word)
{
    for (size_t at = 0; at < sizeof cmd_guess_first / sizeof cmd_guess_first[0]; at++)
        if (strcmp(cmd_guess_first[at].typed, word) == 0)
            return cmd_guess_at(cmd_guess_first[at].means, "");
    return NULL;
}

/* Slips of the fingers: at most every second letter is one. */
static bool cmd_guess_is_nearer(const char *typed, const char *word, size_t *least)
{
    size_t distance = cmd_guess_distance(typed, word);

    if (distance >= *least || distance * 2 > strlen(typed))
        return false;
    *least = distance;
    return true;
}

static const struct cmd *cmd_guess_near(char *const *words, int count, int *out_used)
{
    const struct cmd *cmd, *found = NULL;
    size_t least = CMD_GUESS_FAR, first = strlen(words[0]);
    char typed[2 * CMD_GUESS_WORD];

    (void)snprintf(typed, sizeof typed, "%.60s%s%.60s", words[0], count > 1 ? " " : "",
                   count > 1 ? words[1] : "");
    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++) {
        bool is_group = strncmp(cmd->words, words[0], first) == 0 && cmd->words[first] == ' ',
             is_pair = count > 1 && strchr(cmd->words, ' ') != NULL;
        const char *word = is_group && is_pair ? cmd->words + first + 1 : cmd->words;

        if (is_group && !is_pair)
            continue;
        if (!cmd_guess_is_nearer(is_group ? words[1] : (is_pair ? typed : words[0]), word, &least))
            continue;
        found = cmd;
        *out_used = is_pair ? 2 : 1;
    }
    return found;
}

static const struct cmd *cmd_guess_find(char *const *words, int count, int *out_used)
{
    char one[CMD_GUESS_WORD];
    const struct cmd *cmd = NULL;

    *out_used = 2;
    if (count > 1) {
        cmd_guess_one_of(words[1], one);
        cmd = cmd_guess_verb(words[0], words[1]);
        cmd = cmd != NULL ? cmd : cmd_guess_verb(one, words[0]);
    }
    if (cmd != NULL)
        return cmd;
    *out_used = 1;
    cmd = cmd_guess_whole(words[0]);
    cmd_guess_one_of(words[0], one);
    if (cmd == NULL && strcmp(one, words[0]) != 0)
        cmd = cmd_guess_at(one, "list");
    if (cmd == NULL && count > 1 && strchr(words[1], ' ') != NULL)
        cmd =
            cmd_guess_at(words[0], "post"); /* The text itself, and the word before it left out. */
    return cmd != NULL ? cmd : cmd_guess_near(words, count, out_used);
}

/* As a shell takes it as one word. False when that is no short matter. */
static bool cmd_guess_quote(struct buf *out, const char *word)
{
    bool is_plain = word[0] != '\0';

    for (const char *at = word; *at != '\0'; at++) {
        if (strchr("\"$`\\!", *at) != NULL || (unsigned char)*at < ' ')
            return false;
        is_plain = is_plain && strchr(" '*?[]{}()<>|&;~#", *at) == NULL;
    }
    buf_append(out, span_str(is_plain ? "" : "\""));
    buf_append(out, span_str(word));
    buf_append(out, span_str(is_plain ? "" : "\""));
    return true;
}

bool cmd_guess_line(const char *command, char *const *words, int count, struct cmd_guess_join join,
                    char *out, size_t size)
{
    struct buf line = {0}, one = {0};
    bool is_told = true;

    buf_append(&line, span_str("kith "));
    buf_append(&line, span_str(command));
    for (int at = 0; is_told && at < count; at++) {
        buf_clear(&one);
        buf_append(&one, span_str(words[at]));
        while (at >= join.from && at < join.to) {
            buf_byte(&one, ' ');
            buf_append(&one, span_str(words[++at]));
        }
        buf_byte(&one, '\0');
        buf_byte(&line, ' ');
        is_told = !one.is_failed && cmd_guess_quote(&line, (const char *)one.data);
    }
    buf_byte(&line, '\0');
    is_told = is_told && !line.is_failed && line.size <= size;
    if (is_told)
        memcpy(out, line.data, line.size);
    buf_release(&one);
    buf_release(&line);
    return is_told;
}

/* What a word without a flag stands for: an address, a number, a field, a span of time. */
static const char *cmd_guess_flag(const struct cmd *cmd, const char *word)
{
    static const char *const flags[] = {"set", "email", "every", "tel", "to"};
    size_t digits = strspn(word, "0123456789"), number = strspn(word, "+0123456789 -/");
    const bool fits[] = {strchr(word, '=') != NULL, strchr(word, '@') != NULL,
                         digits > 0 && word[digits] != '\0' && strchr("dwmy", word[digits]) != NULL,
                         number >= 4 && word[number] == '\0',
                         cmd->args[0] != NULL && strcmp(cmd->args[0], "ID") == 0};

    for (size_t at = 0; at < CMD_FLAGS_MAX && cmd->flags[at].name != NULL; at++)
        for (size_t kind = 0; kind < 5; kind++)
            if (fits[kind] && strcmp(cmd->flags[at].name, flags[kind]) == 0)
                return flags[kind];
    return NULL;
}

bool cmd_guess_many(const struct cmd *cmd, char *const *words, int count, int at, char *out,
                    size_t size)
{
    struct cmd_guess_join join = {at - 1, at};
    const char *flag = cmd_guess_flag(cmd, words[at]);
    char *more[CMD_GUESS_WORDS + 1], dashed[CMD_GUESS_WORD];
    int first = 0;

    if (at == 0 || count > CMD_GUESS_WORDS)
        return false;
    while (at > first && strncmp(words[at - 1 - first], "--", 2) != 0)
        first++;
    if (flag != NULL) { /* What stands before it is one name. */
        (void)snprintf(dashed, sizeof dashed, "--%s", flag);
        memcpy(more, words, (size_t)at * sizeof *more);
        more[at] = dashed;
        memcpy(more + at + 1, words + at, (size_t)(count - at) * sizeof *more);
        join = (struct cmd_guess_join){0, first == at ? at - 1 : 0};
        return cmd_guess_line(cmd->words, more, count + 1, join, out, size);
    }
    if (strncmp(words[at - 1], "--", 2) == 0 || (cmd->text != NULL && cmd->args[1] == NULL))
        return false;
    if (first == at && cmd->args[1] != NULL && strcmp(cmd->args[0], "ID") != 0)
        join = (struct cmd_guess_join){0, 1}; /* A name has two words more often than the rest. */
    while (join.from > 0 && join.to + 1 < count && strncmp(words[join.to + 1], "--", 2) != 0)
        join.to++;
    return cmd_guess_line(cmd->words, words, count, join, out, size);
}

bool cmd_guess(char *const *words, int count, char *out, size_t size)
{
    int used;
    const struct cmd *cmd = cmd_guess_find(words, count, &used);

    if (cmd == NULL)
        return false;
    if (cmd->args[0] == NULL) /* It would not know what to do with them. */
        count = used;
    if (!cmd_guess_line(cmd->words, words + used, count - used, (struct cmd_guess_join){0, 0}, out,
                        size))
        (void)snprintf(out, size, "kith %s", cmd->words);
    return true;
}
