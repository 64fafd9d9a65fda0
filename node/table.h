/*
 * People as a table, one row each, with the columns Google's contacts have where there is one, so
 * that others read it too: "E-mail 1 - Label", "E-mail 1 - Value". What has no column stands in
 * "Extra". columns.h reads it back.
 *
 * More values of one kind than a table numbers share its last column, with " ::: " between, as
 * Google does; their labels are not told.
 */
#ifndef KITH_NODE_TABLE_H
#define KITH_NODE_TABLE_H

#include "node/person.h"

/* How many numbered columns a table of these people has. */
struct table_shape {
    uint8_t emails, phones, urls;
};

/* Makes room for one more person. */
void table_shape_fit(struct table_shape *shape, const struct person *person);
void table_write_header(const struct table_shape *shape, struct buf *out);
void table_write(const struct table_shape *shape, const struct person *person, struct buf *out);

#endif
