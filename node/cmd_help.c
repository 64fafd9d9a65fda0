/* Help is the table, printed. */
#include <stdio.h>
#include <string.h>

#include "node/cmd.h"

void cmd_usage(const struct cmd *cmd)
{
    (void)printf("kith %s", cmd->words);
    for (size_t at = 0; at < CMD_ARGS_MAX && cmd->args[at] != NULL; at++)
        (void)printf(" %s", cmd->args[at]);
    for (size_t at = 0; at < CMD_FLAGS_MAX && cmd->flags[at].name != NULL; at++)
        (void)printf(" [--%s%s%s]%s", cmd->flags[at].name, cmd->flags[at].value != NULL ? " " : "",
                     cmd->flags[at].value != NULL ? cmd->flags[at].value : "",
                     cmd->flags[at].type == CMD_LIST ? "..." : "");
    (void)printf("\n    %s\n    e.g. %s\n", cmd->summary, cmd->example);
}

static void cmd_help_all(void)
{
    const struct cmd *cmd;

    (void)puts("kith: the people you know, on your own machine\n");
    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++)
        (void)printf("  kith %-16s %s\n", cmd->words, cmd->summary);
    (void)puts("\nWith every command: --home DIR, --json, --no-input, --passphrase-file FILE.");
    (void)puts("WHO is an alias, a name, an e-mail, or the beginning of an id or did:key.");
    (void)puts("More about one: kith help peer invite. About exit codes: kith help exit-codes.");
}

static void cmd_help_codes(void)
{
    (void)puts("0  done, or queued until a peer can be reached\n1  failed\n2  not understood\n3  "
               "no such person or thing\n"
               "4  needs a running node\n5  a signature, verification or trust failure\n6  more "
               "than one fits: choose\n"
               "7  locked by a passphrase\n8  cancelled\n130  interrupted");
}

int cmd_help(const struct config *config, const struct cmd *cmd, json_t *params)
{
    json_t *topic = json_object_get(params, "topic");
    const char *first = json_string_value(json_array_get(topic, 0)),
               *second = json_string_value(json_array_get(topic, 1));
    size_t shown = 0;

    (void)config;
    if (first == NULL) {
        cmd_help_all();
        return OP_DONE;
    }
    if (strcmp(first, "exit-codes") == 0) {
        cmd_help_codes();
        return OP_DONE;
    }
    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++) {
        const char *rest = cmd->words + strlen(first);

        if (strncmp(cmd->words, first, strlen(first)) != 0 || (rest[0] != '\0' && rest[0] != ' '))
            continue;
        if (second != NULL && (rest[0] != ' ' || strcmp(rest + 1, second) != 0))
            continue;
        cmd_usage(cmd);
        shown++;
    }
    if (shown > 0)
        return OP_DONE;
    (void)fprintf(stderr, "kith: there is no command like that\n      try: kith help\n");
    return OP_USAGE;
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
