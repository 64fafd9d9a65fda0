/* Manual pages: one for the program, one for each command, in the man macros of troff, written from
 * the command table. */
#include <stdio.h>
#include <string.h>

#include "node/cmd.h"

/* A line that begins with a full stop or an apostrophe would be taken for a macro. */
static void cmd_print_roff(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '-' || *text == '\\')
            (void)printf("\\%c", *text == '\\' ? 'e' : '-');
        else
            (void)putchar(*text);
}

static void cmd_print_man_synopsis(const struct cmd *cmd)
{
    (void)fputs(".B kith ", stdout);
    cmd_print_roff(cmd->words);
    (void)putchar('\n');
    for (size_t at = 0; at < CMD_ARGS_MAX && cmd->args[at] != NULL; at++)
        (void)printf(".I %s\n", cmd->args[at]);
    for (size_t at = 0; at < CMD_FLAGS_MAX && cmd->flags[at].name != NULL; at++) {
        (void)fputs(".RB [ \\-\\-", stdout);
        cmd_print_roff(cmd->flags[at].name);
        if (cmd->flags[at].value != NULL) {
            (void)fputs(" \" ", stdout);
            cmd_print_roff(cmd->flags[at].value);
            (void)putchar('"');
        }
        (void)printf(" ]%s\n", cmd->flags[at].type == CMD_LIST ? "..." : "");
    }
}

static void cmd_print_man_command(const struct cmd *cmd)
{
    (void)fputs(".TP\n", stdout);
    cmd_print_man_synopsis(cmd);
    (void)fputs(".br\n", stdout);
    cmd_print_roff(cmd->summary);
    (void)fputs("\n.br\n.RI \"For example: \" ", stdout);
    (void)putchar('"');
    for (const char *at = cmd->example; *at != '\0'; at++)
        (void)printf(*at == '"' ? "\\(dq" : *at == '-' ? "\\-" : *at == '\\' ? "\\e" : "%c", *at);
    (void)puts("\"");
}

static void cmd_print_man_all(void)
{
    const struct cmd *cmd;

    (void)printf(".TH KITH 1 \"\" \"kith %s\" \"User Commands\"\n", KITH_VERSION);
    (void)puts(".SH NAME\nkith \\- the people you know, on your own machine\n"
               ".SH SYNOPSIS\n.B kith\n.I command\n.RI [ arguments ]\n"
               ".SH DESCRIPTION\n"
               "kith keeps your address book on your own machine and syncs signed, encrypted "
               "updates with the people you have linked with, directly.\n"
               ".SH OPTIONS\n"
               ".TP\n.BI \\-\\-home \" DIR\"\nEverything in one folder; else KITH_HOME, else the "
               "XDG places.\n"
               ".TP\n.B \\-\\-json\nOne JSON document on standard output, nothing else there.\n"
               ".TP\n.B \\-\\-no\\-input\nNever ask.\n"
               ".TP\n.BI \\-\\-passphrase\\-file \" FILE\"\nThe first line of the file opens the "
               "keys.\n"
               ".TP\n.B \\-\\-header\nTitles above tables that go to no terminal.\n"
               ".TP\n.BI \\-\\-color= WHEN\nauto, always or never.\n.SH COMMANDS");
    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++)
        cmd_print_man_command(cmd);
    (void)puts(
        ".SH \"EXIT STATUS\"\n0 done or queued, 1 failed, 2 not understood, 3 no such person "
        "or thing, 4 needs a running node, 5 a signature, verification or trust failure, 6 "
        "more than one fits, 7 locked by a passphrase, 8 cancelled, 130 interrupted.\n"
        ".SH ENVIRONMENT\n.TP\n.B KITH_HOME\nAs \\-\\-home.\n"
        ".TP\n.B NO_COLOR\nNo colours; so do TERM=dumb and CLICOLOR=0.\n"
        ".TP\n.B COLUMNS\nHow wide tables are; else as wide as the terminal.");
}

static bool cmd_is_called(const struct cmd *cmd, const char *first, const char *second)
{
    size_t size = strlen(first);

    if (strncmp(cmd->words, first, size) != 0)
        return false;
    return second != NULL ? cmd->words[size] == ' ' && strcmp(cmd->words + size + 1, second) == 0
                          : cmd->words[size] == '\0';
}

int cmd_man(const struct config *config, const struct cmd *cmd, json_t *params)
{
    json_t *topic = json_object_get(params, "topic");
    const char *first = json_string_value(json_array_get(topic, 0)),
               *second = json_string_value(json_array_get(topic, 1));
    struct op_failure failure = {.code = OP_USAGE, .message = "there is no command like that"};
    const struct cmd *found = NULL, *other;

    if (config->is_json)
        return cmd_help(config, cmd, params); /* A page is for people; this is what it tells. */
    if (first == NULL) {
        cmd_print_man_all();
        return fflush(stdout) == 0 ? OP_DONE : OP_FAILED;
    }
    for (size_t at = 0; (other = cmd_at(at)) != NULL; at++)
        if (cmd_is_called(other, first, second))
            found = other;
    if (found == NULL) {
        (void)snprintf(failure.hint, sizeof failure.hint, "%s", cmd->example);
        return cmd_fail(config, &failure);
    }
    (void)printf(".TH KITH 1 \"\" \"kith %s\" \"User Commands\"\n.SH NAME\nkith ", KITH_VERSION);
    cmd_print_roff(found->words);
    (void)fputs(" \\- ", stdout);
    cmd_print_roff(found->summary);
    (void)puts("\n.SH COMMAND");
    cmd_print_man_command(found);
    return fflush(stdout) == 0 ? OP_DONE : OP_FAILED;
}
