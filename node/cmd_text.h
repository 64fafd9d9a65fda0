/*
 * Longer text for a command: as typed, from standard input ("-"), or, where it was left out on a
 * terminal, from the owner's editor. Which of a command's params that is says its row (struct cmd,
 * text). No shell is asked: the editor's words are split at blanks and it is started by name.
 */
#ifndef KITH_NODE_CMD_TEXT_H
#define KITH_NODE_CMD_TEXT_H

#include "node/cmd.h"

/* What was written in the editor, until the op is done with it. Zeroed: nothing was. */
struct cmd_text {
    char path[CONFIG_PATH_MAX + 32]; /* the file it was written in; empty: none */
};

/* Completes the params. False with a failure: what METHOD.plan refuses, before anything is asked;
 * OP_CANCELLED for an empty text, OP_USAGE where there is neither text nor a terminal to ask for
 * it. */
bool cmd_text_fill(const struct config *config, const struct cmd *cmd, json_t *params,
                   struct cmd_text *out, struct op_failure *failure);
/* What the op METHOD.plan says to these params, with words in the place of a text that is yet to be
 * written. False with a failure; else the answer is the caller's to release. */
bool cmd_text_plan(const struct config *config, const struct cmd *cmd, json_t *params,
                   json_t **out_answer, struct op_failure *failure);
/* May the owner be asked? Not in a script, a pipe, or for a program. */
bool cmd_text_may_ask(const struct config *config);
/* Asks the owner to change a text, in their editor. As above; left empty it is cancelled. */
bool cmd_text_change(const struct config *config, const struct cmd *cmd, const char *before,
                     json_t *params, struct cmd_text *out, struct op_failure *failure);
/* After the op: what was written goes when it was taken, and stays, with a word where, when not. */
void cmd_text_end(const struct cmd_text *text, bool was_taken);

#endif
