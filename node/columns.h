/*
 * What the columns of a table of people mean: LinkedIn's Connections.csv, both generations of
 * Google's contacts.csv, Outlook's export, and plain tables whose first row names the columns in
 * usual words. A cell of a column nobody knows is kept with the column's name, as
 * X-COLUMN;NAME="...":..., and comes back as that column.
 */
#ifndef KITH_NODE_COLUMNS_H
#define KITH_NODE_COLUMNS_H

#include "node/csv.h"
#include "node/person.h"

enum columns_format { COLUMNS_PLAIN, COLUMNS_LINKEDIN, COLUMNS_GOOGLE, COLUMNS_OUTLOOK };

enum { COLUMNS_SLOTS = 64 /* e-mails, phones, addresses... a table numbers */ };

struct columns_meaning {
    uint8_t what;      /* enum columns_what, columns.c */
    uint8_t slot;      /* which e-mail, phone, address it belongs to */
    uint8_t part;      /* of an address or a name */
    const char *label; /* fixed by the column: "work"; or NULL */
};

struct columns {
    enum columns_format format;
    size_t known;      /* columns that mean something */
    bool has_somebody; /* one of them says who it is */
    size_t count;
    struct columns_meaning meanings[CSV_CELLS_MAX];
    struct buf names; /* as written */
    size_t name_ends[CSV_CELLS_MAX];
};

/* Reads a row as the one that names the columns; zero out before first use. ERR_NOMEM. */
MUST_USE enum err columns_read(struct columns *out, const struct csv_row *row);
/* Does it look like one? Two known columns, or the only one. */
bool columns_is_header(const struct columns *columns);
/* For a table without such a row: what its cells look like. False when nothing in this row is an
 * e-mail or a phone. */
bool columns_guess(struct columns *out, const struct csv_row *row);
/* Fills person from a row. False when the row says nobody's name, organisation, e-mail or phone.
 * ERR_NOMEM shows in person_err. */
bool columns_person(const struct columns *columns, const struct csv_row *row,
                    struct person *person);
void columns_release(struct columns *columns);

#endif
