/*
 * Completion for bash, zsh and fish, written from the command table: commands, flags, and people,
 * whose names the program itself is asked for (kith complete PREFIX, which only reads the store).
 */
#include <stdio.h>
#include <string.h>

#include "node/cmd.h"

/* The first word of a command's words. */
static size_t cmd_first_size(const struct cmd *cmd)
{
    return strcspn(cmd->words, " ");
}

static bool cmd_is_first_of_group(size_t index)
{
    const struct cmd *cmd = cmd_at(index), *other;
    size_t size = cmd_first_size(cmd);

    for (size_t at = 0; at < index && (other = cmd_at(at)) != NULL; at++)
        if (cmd_first_size(other) == size && strncmp(cmd->words, other->words, size) == 0)
            return false;
    return true;
}

static bool cmd_is_in_group(const struct cmd *cmd, const char *word, size_t size)
{
    return cmd_first_size(cmd) == size && strncmp(cmd->words, word, size) == 0;
}

static bool cmd_has_people(const struct cmd *cmd)
{
    for (size_t at = 0; at < CMD_ARGS_MAX && cmd->args[at] != NULL; at++)
        if (strstr(cmd->args[at], "WHO") != NULL || strcmp(cmd->args[at], "OTHER") == 0)
            return true;
    return false;
}

static bool cmd_has_files(const struct cmd *cmd)
{
    for (size_t at = 0; at < CMD_ARGS_MAX && cmd->args[at] != NULL; at++)
        if (strstr(cmd->args[at], "FILE") != NULL)
            return true;
    return false;
}

/* Every first word, each once. */
static void cmd_print_first_words(void)
{
    const struct cmd *cmd;

    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++)
        if (cmd_is_first_of_group(at))
            (void)printf("%.*s ", (int)cmd_first_size(cmd), cmd->words);
}

static void cmd_print_second_words(const char *word, size_t size)
{
    const struct cmd *cmd;

    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++)
        if (cmd_is_in_group(cmd, word, size) && cmd->words[size] == ' ')
            (void)printf("%s ", cmd->words + size + 1);
}

static void cmd_print_flags(const struct cmd *cmd)
{
    for (size_t at = 0; at < CMD_FLAGS_MAX && cmd->flags[at].name != NULL; at++)
        (void)printf("--%s ", cmd->flags[at].name);
    (void)fputs("--json --home --no-input --passphrase-file --header --color --help", stdout);
}

/* Bash; zsh reads the same through bashcompinit. */

static void cmd_print_bash_case(const struct cmd *cmd)
{
    (void)printf("    \"%s\")\n        flags=\"", cmd->words);
    cmd_print_flags(cmd);
    (void)printf("\" people=%d files=%d ;;\n", cmd_has_people(cmd), cmd_has_files(cmd));
}

static void cmd_print_bash(void)
{
    const struct cmd *cmd;

    (void)puts("# kith completion: source <(kith completion bash)\n"
               "_kith() {\n"
               "    local cur=\"${COMP_WORDS[COMP_CWORD]}\" first= second= word flags= people=0 "
               "files=0 home=() skip=0 line\n"
               "    COMPREPLY=()\n"
               "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
               "        if [ \"$skip\" = 1 ]; then skip=0; home=(--home \"$word\"); continue; fi\n"
               "        case \"$word\" in\n"
               "        --home) skip=1 ;;\n"
               "        -*) ;;\n"
               "        *) if [ -z \"$first\" ]; then first=$word; elif [ -z \"$second\" ]; then "
               "second=$word; fi ;;\n"
               "        esac\n"
               "    done");
    (void)fputs("    if [ -z \"$first\" ]; then\n        COMPREPLY=($(compgen -W \"", stdout);
    cmd_print_first_words();
    (void)puts("\" -- \"$cur\"))\n        return\n    fi\n    case \"$first\" in");
    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++) {
        size_t size = cmd_first_size(cmd);

        if (!cmd_is_first_of_group(at) || cmd->words[size] != ' ')
            continue;
        (void)printf("    %.*s)\n        if [ -z \"$second\" ]; then\n"
                     "            COMPREPLY=($(compgen -W \"",
                     (int)size, cmd->words);
        cmd_print_second_words(cmd->words, size);
        (void)puts("\" -- \"$cur\"))\n            return\n        fi ;;");
    }
    (void)puts("    *) second= ;;\n    esac\n    case \"$first${second:+ $second}\" in");
    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++)
        cmd_print_bash_case(cmd);
    (void)puts("    esac\n"
               "    case \"$cur\" in\n"
               "    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\")); return ;;\n"
               "    esac\n"
               "    [ \"$files\" = 0 ] || COMPREPLY=($(compgen -f -- \"$cur\"))\n"
               "    [ \"$people\" = 0 ] || while IFS= read -r line; do\n"
               "        COMPREPLY+=(\"$(printf '%q' \"$line\")\")\n"
               "    done < <(kith \"${home[@]}\" complete \"${cur//\\\\/}\" 2>/dev/null)\n"
               "}\n"
               "complete -F _kith kith");
}

static void cmd_print_zsh(void)
{
    (void)puts("#compdef kith\n"
               "# kith completion: source <(kith completion zsh)\n"
               "autoload -U +X bashcompinit && bashcompinit");
    cmd_print_bash();
}

/* Fish. */

/* Fish quotes with single quotes; only these two need a backslash. */
static void cmd_print_quoted(const char *text)
{
    (void)putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            (void)putchar('\\');
        (void)putchar(*text);
    }
    (void)putchar('\'');
}

static void cmd_print_fish_condition(const struct cmd *cmd)
{
    size_t size = cmd_first_size(cmd);

    if (cmd->words[size] == ' ')
        (void)printf("-n '__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s' ",
                     (int)size, cmd->words, cmd->words + size + 1);
    else
        (void)printf("-n '__fish_seen_subcommand_from %s' ", cmd->words);
}

static void cmd_print_fish_command(const struct cmd *cmd)
{
    for (size_t at = 0; at < CMD_FLAGS_MAX && cmd->flags[at].name != NULL; at++) {
        (void)fputs("complete -c kith ", stdout);
        cmd_print_fish_condition(cmd);
        (void)printf("-l %s%s\n", cmd->flags[at].name,
                     cmd->flags[at].type == CMD_BOOL ? "" : " -x");
    }
    if (cmd_has_people(cmd)) {
        (void)fputs("complete -c kith ", stdout);
        cmd_print_fish_condition(cmd);
        (void)puts("-a '(kith complete (commandline -ct) 2>/dev/null)'");
    }
    if (cmd_has_files(cmd)) {
        (void)fputs("complete -c kith ", stdout);
        cmd_print_fish_condition(cmd);
        (void)puts("-F");
    }
}

static void cmd_print_fish(void)
{
    const struct cmd *cmd;

    (void)puts("# kith completion: kith completion fish | source\n"
               "complete -c kith -f\n"
               "complete -c kith -l json\ncomplete -c kith -l no-input\n"
               "complete -c kith -l header\ncomplete -c kith -l color -xa 'auto always never'\n"
               "complete -c kith -l home -r\ncomplete -c kith -l passphrase-file -r");
    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++) {
        size_t size = cmd_first_size(cmd);

        if (cmd_is_first_of_group(at)) {
            (void)printf("complete -c kith -n __fish_use_subcommand -a %.*s", (int)size,
                         cmd->words);
            if (cmd->words[size] == '\0') {
                (void)fputs(" -d ", stdout);
                cmd_print_quoted(cmd->summary);
            }
            (void)putchar('\n');
        }
        if (cmd->words[size] == ' ') {
            (void)printf("complete -c kith -n '__fish_seen_subcommand_from %.*s' -a %s -d ",
                         (int)size, cmd->words, cmd->words + size + 1);
            cmd_print_quoted(cmd->summary);
            (void)putchar('\n');
        }
        cmd_print_fish_command(cmd);
    }
}

int cmd_completion(const struct config *config, const struct cmd *cmd, json_t *params)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", cmd_print_bash}, {"zsh", cmd_print_zsh}, {"fish", cmd_print_fish}};
    const char *shell = json_string_value(json_object_get(params, "shell"));
    struct op_failure failure = {.code = OP_USAGE,
                                 .message = "kith completes for bash, zsh and fish"};

    for (size_t at = 0; at < sizeof shells / sizeof shells[0]; at++)
        if (shell != NULL && strcmp(shell, shells[at].name) == 0) {
            shells[at].print();
            return fflush(stdout) == 0 ? OP_DONE : OP_FAILED;
        }
    (void)snprintf(failure.hint, sizeof failure.hint, "%s", cmd->example);
    return cmd_fail(config, &failure);
}
