/* What there is to type, in the order help shows it: one group of commands after another. */
#include "node/cmd.h"

#include <string.h>

static const struct cmd cmd_first[] = {
    {.words = "init",
     .args = {"[NAME]"},
     .flags = {{"name", CMD_TEXT, "NAME"},
               CMD_CARD_FLAGS,
               {"passphrase-file", CMD_TEXT, "F"},
               {"recovery-file", CMD_TEXT, "F"}},
     .run = cmd_init,
     .summary = "make your identity and an empty address book",
     .example = "kith init --name \"Mara Lindt\" --email mara@example.org"},
    {.words = "run",
     .flags = {{"listen", CMD_LIST, "HOST:PORT"},
               {"no-listen", CMD_BOOL, NULL},
               {"announce", CMD_LIST, "HOST:PORT"}},
     .run = cmd_run,
     .summary = "run your node: it syncs with your peers until you stop it",
     .example = "kith run --listen [::]:5484"},
    {.words = "stop",
     .method = "stop",
     .run = cmd_stop,
     .summary = "end a running node cleanly",
     .example = "kith stop"},
    {.words = "status",
     .method = "status",
     .run = cmd_status,
     .summary = "where things stand, and what waits for you",
     .example = "kith status --json"},
    {.words = "me show",
     .method = "me.show",
     .run = cmd_op,
     .summary = "your own card",
     .example = "kith me show"},
    {.words = "me edit",
     .method = "me.edit",
     .flags = {{"name", CMD_TEXT, "NAME"},
               CMD_CARD_FLAGS,
               {"add", CMD_LIST, "KEY=VALUE"},
               {"unset", CMD_LIST, "KEY[=VALUE]"}},
     .run = cmd_op,
     .summary = "change your card, for your peers; --email, --tel and --url replace what is "
                "there, --add and --unset change one",
     .example = "kith me edit --title \"Looking for work\""},
    {.words = NULL},
};

static const struct cmd cmd_care[] = {
    {.words = "sync",
     .method = "sync",
     .args = {"[WHO]"},
     .of = "peer",
     .flags = {{"wait", CMD_TEXT, "SECONDS"}},
     .run = cmd_op,
     .summary = "call your peers now; with --wait, until all is in step",
     .example = "kith sync --wait 30"},
    {.words = "log",
     .method = "log",
     .flags = {{"follow", CMD_BOOL, NULL}},
     .run = cmd_log,
     .summary = "what happened; --follow goes on as it happens",
     .example = "kith log --follow"},
    {.words = "doctor",
     .method = "doctor",
     .flags = {{"rebuild", CMD_BOOL, NULL}},
     .run = cmd_doctor,
     .summary = "look everything over; --rebuild makes the lists again",
     .example = "kith doctor"},
    {.words = "completion",
     .args = {"SHELL"},
     .run = cmd_completion,
     .summary = "completion for bash, zsh or fish; people's names too",
     .example = "source <(kith completion bash)"},
    {.words = "complete",
     .args = {"[WORDS...]"},
     .flags = {{"shell", CMD_TEXT, "bash|bash-list|zsh|fish"}},
     .run = cmd_complete,
     .summary =
         "names of people that begin so, one a line; with --shell, what may follow on a line",
     .example = "kith complete an"},
    {.words = "man",
     .args = {"[TOPIC...]"},
     .run = cmd_man,
     .summary = "the manual page, for man -l or a package",
     .example = "kith man peer invite"},
    {.words = "version",
     .run = cmd_version,
     .summary = "which kith this is",
     .example = "kith version"},
    {.words = "help",
     .args = {"[TOPIC...]"},
     .run = cmd_help,
     .summary = "what a day is made of; all: every command; or one of them",
     .example = "kith help peer invite"},
    {.words = NULL},
};

/* In the order of a first day: oneself, one's contacts, one's peers, and what keeps it all well. */
static const struct cmd *const cmd_groups[] = {
    cmd_first,       cmd_table_contact,      cmd_table_circle,
    cmd_table_peer,  cmd_table_introduction, cmd_table_endorsement,
    cmd_table_ask,   cmd_table_reply,        cmd_table_share,
    cmd_table_touch, cmd_table_trust,        cmd_care,
};

const struct cmd *cmd_at(size_t index)
{
    for (size_t group = 0; group < sizeof cmd_groups / sizeof cmd_groups[0]; group++)
        for (const struct cmd *cmd = cmd_groups[group]; cmd->words != NULL; cmd++)
            if (index-- == 0)
                return cmd;
    return NULL;
}

const struct cmd *cmd_find(char *const *words, int count, int *out_used)
{
    const struct cmd *cmd;

    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++) {
        const char *space = strchr(cmd->words, ' ');
        size_t first = space != NULL ? (size_t)(space - cmd->words) : strlen(cmd->words);

        if (count < 1 || strlen(words[0]) != first || strncmp(words[0], cmd->words, first) != 0)
            continue;
        *out_used = 1;
        if (space == NULL)
            return cmd;
        *out_used = 2;
        if (count > 1 && strcmp(words[1], space + 1) == 0)
            return cmd;
    }
    return NULL;
}

void cmd_arg_name(const char *arg, char out[static CMD_ARG_NAME_SIZE])
{
    size_t size = 0;

    for (; *arg != '\0' && *arg != '.' && size + 1 < CMD_ARG_NAME_SIZE; arg++)
        if (*arg >= 'A' && *arg <= 'Z')
            out[size++] = (char)(*arg + 32);
    out[size] = '\0';
}
