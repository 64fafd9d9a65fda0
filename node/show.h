/*
 * What people see: answers as sentences and tables on standard output. Names and notes of others
 * are cleaned first, so that no control byte, no change of writing direction and no flood of
 * accents reaches a terminal.
 */
#ifndef KITH_NODE_SHOW_H
#define KITH_NODE_SHOW_H

#include <stdio.h>

#include "node/ops.h"

/* Appends the text as it may be shown: control bytes, bidirectional overrides and zero-width
 * characters go, line ends become spaces, at most four combining marks stay on a letter. */
void show_clean(struct span text, struct buf *out);
/* Among the params of show_result, how to look, when it is not by itself: {"header": titles even
 * where no terminal is, "colour": bool, "columns": width or 0}. */
#define SHOW_LOOK "look"
/* Prints the answer of a method for people. */
void show_result(const char *method, json_t *result, json_t *params);
/* One row of the log, on one line. */
void show_event(json_t *row);
/* What would be shared, and with whom. */
void show_share_plan(json_t *result, FILE *out);
void show_failure(const struct op_failure *failure, bool wants_colour);
/* One line on standard error that is drawn over itself; shown on terminals only. */
void show_progress(uint64_t done, uint64_t total);
void show_progress_end(void);

#endif
