/*
 * Rows of comma-separated values (RFC 4180 as spreadsheets and exporters write it), by libcsv:
 * quotes, doubled quotes, line ends inside quotes, any line end, spaces around bare cells taken
 * off. Pure. A row that cannot be read is passed over and told with its line.
 *
 * A quoted cell that never ends would swallow the rest of the file: it is told with the line its
 * row began on, and reading goes on after that line, CSV_RESTARTS_MAX times.
 */
#ifndef KITH_NODE_CSV_H
#define KITH_NODE_CSV_H

#include "crypto/span.h"
#include "proto/limits.h"

struct csv_row {
    size_t line; /* where it begins; the first is 1 */
    const struct span *cells;
    size_t count; /* at least 1 */
};

struct csv_reader {
    /* Borrows the row. An error ends the reading and is returned. */
    enum err (*row)(void *self, const struct csv_row *row);
    /* Like person_reader's. May be NULL. */
    void (*reject)(void *self, size_t line, const char *why);
    void *self;
};

/* Blank lines are no rows. ERR_NOMEM; what reader->row returned. */
MUST_USE enum err csv_read(struct span text, char delimiter, const struct csv_reader *reader);

/* Appends a cell as spreadsheets read it: quoted where it must be, and with an apostrophe before
 * what they would run as a formula (= + - @, a tab or \r in front), or before such apostrophes. */
void csv_put(struct span cell, struct buf *out);
/* The cell without the apostrophe csv_put set. */
struct span csv_plain(struct span cell);

#endif
