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
/* Prints a document for programs, with a line end: nothing in it reaches a terminal as anything but
 * text; flags are jansson's. */
void show_json(json_t *document, size_t flags);
/* Prints what goes into a file, byte for byte; cleaned where it is a terminal that gets it. False
 * when nobody reads it. */
bool show_file(struct span text);
/* Among the params of show_result, how to look, when it is not by itself: {"header": titles even
 * where no terminal is, "colour": bool, "columns": width or 0}. */
#define SHOW_LOOK "look"
/* Prints the answer of a method for people. */
void show_result(const char *method, json_t *result, json_t *params);
/* A sentence or more, broken between words as wide as the terminal is. */
void show_say(const char *text);
/* A line to type, never broken, and what it does; the command takes up so much room. */
void show_command(const char *label, const char *command, size_t width, const char *does);
/* Words to be read aloud or written down: numbered, so many a line, on a terminal; one line and
 * nothing else for a program. Then an empty line. */
void show_numbered(const char *words, size_t a_line);
/* One row of the log. */
void show_event(json_t *row);
/* What would be posted, to whom, and how far it may go. */
void show_post_plan(json_t *result, FILE *out);
/* What would be shared, and with whom. */
void show_share_plan(json_t *result, FILE *out);
void show_failure(const struct op_failure *failure, bool wants_colour);
/* One line on standard error that is drawn over itself; shown on terminals only. */
void show_progress(uint64_t done, uint64_t total);
void show_progress_end(void);

#endif
