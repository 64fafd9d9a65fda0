/*
 * What a shell is told to do when its owner presses tab: it asks kith itself, with the words of the
 * line (cmd_complete.c). So the three scripts are short, say the same, and stay as they are when
 * kith learns a new command.
 */
#include <stdio.h>
#include <string.h>

#include "node/cmd.h"

/* Descriptions stand only where bash shows a list and types nothing. */
static const char cmd_bash[] =
    "# kith completion: source <(kith completion bash)\n"
    "_kith() {\n"
    "    local cur=\"${COMP_WORDS[COMP_CWORD]}\" kith=kith shell=bash line file\n"
    "    [[ $1 == */* && -x $1 ]] && kith=$1\n"
    "    case \"${COMP_TYPE:-9}\" in 33 | 63 | 64) shell=bash-list ;; esac\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        case \"$line\" in\n"
    "        $'\\tfiles')\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            while IFS= read -r file; do COMPREPLY+=(\"$file\"); done < <(compgen -f -- "
    "\"$cur\")\n"
    "            ;;\n"
    "        *=) compopt -o nospace 2>/dev/null; COMPREPLY+=(\"$line\") ;;\n"
    "        *) COMPREPLY+=(\"$line\") ;;\n"
    "        esac\n"
    "    done < <(\"$kith\" complete --shell \"$shell\" -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
    "</dev/null 2>/dev/null)\n"
    "}\n"
    "complete -F _kith kith";

/* As a file of the function path it is called by its name; sourced, it announces itself. */
static const char cmd_zsh[] =
    "#compdef kith\n"
    "# kith completion: source <(kith completion zsh)\n"
    "_kith() {\n"
    "    local line value result=1\n"
    "    local -a values shown begun\n"
    "    while IFS= read -r line; do\n"
    "        value=${line%%$'\\t'*}\n"
    "        if [[ $line == $'\\tfiles' ]]; then\n"
    "            _files && result=0\n"
    "        elif [[ $value == *= ]]; then\n"
    "            begun+=(\"$value\")\n"
    "        else\n"
    "            values+=(\"$value\")\n"
    "            shown+=(\"${line/$'\\t'/  -- }\")\n"
    "        fi\n"
    "    done < <(kith complete --shell zsh -- \"${(@)words[2,CURRENT-1]}\" \"$IPREFIX$QIPREFIX"
    "$PREFIX\" </dev/null 2>/dev/null)\n"
    "    (( ${#begun} )) && compadd -U -S '' -a begun && result=0\n"
    "    (( ${#values} )) && compadd -U -l -d shown -a values && result=0\n"
    "    return result\n"
    "}\n"
    "if [[ ${funcstack[1]} == _kith ]]; then\n"
    "    _kith \"$@\"\n"
    "else\n"
    "    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }\n"
    "    compdef _kith kith\n"
    "fi";

static const char cmd_fish[] =
    "# kith completion: kith completion fish | source\n"
    "function __kith_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l begun (commandline -ct)\n"
    "    set -e words[1]\n"
    "    for line in (kith complete --shell fish -- $words \"$begun\" </dev/null 2>/dev/null)\n"
    "        if test \"$line\" = \\tfiles\n"
    "            __fish_complete_path \"$begun\"\n"
    "        else\n"
    "            printf '%s\\n' $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c kith -f -a '(__kith_complete)'";

int cmd_completion(const struct config *config, const struct cmd *cmd, json_t *params)
{
    static const struct {
        const char *name, *script;
    } shells[] = {{"bash", cmd_bash}, {"zsh", cmd_zsh}, {"fish", cmd_fish}};
    const char *shell = json_string_value(json_object_get(params, "shell"));
    struct op_failure failure = {.code = OP_USAGE,
                                 .message = "kith completes for bash, zsh and fish"};

    for (size_t at = 0; at < sizeof shells / sizeof shells[0]; at++)
        if (shell != NULL && strcmp(shell, shells[at].name) == 0) {
            json_t *document = config->is_json ? json_pack("{s:i, s:s, s:s}", "v", 1, "shell",
                                                           shell, "script", shells[at].script)
                                               : NULL;

            if (document != NULL)
                (void)json_dumpf(document, stdout, JSON_COMPACT); /* Shows in the flush. */
            (void)puts(config->is_json ? "" : shells[at].script);
            json_decref(document);
            return fflush(stdout) == 0 ? OP_DONE : OP_FAILED;
        }
    (void)snprintf(failure.hint, sizeof failure.hint, "%s", cmd->example);
    return cmd_fail(config, &failure);
}
