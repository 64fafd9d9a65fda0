/*
 * An address book as a file: which format it is in, and its people one after the other, whatever
 * the format. Pure. Two readings of one file tell the same people in the same order.
 */
#ifndef KITH_NODE_BOOK_H
#define KITH_NODE_BOOK_H

#include "node/person.h"

enum book_format {
    BOOK_ANY, /* found out */
    BOOK_VCARD,
    BOOK_LINKEDIN,
    BOOK_GOOGLE,
    BOOK_OUTLOOK,
    BOOK_CSV,
    BOOK_JSON /* our own export */
};

/* False when there is no format of that name. */
bool book_format_named(const char *name, enum book_format *out);

/* ERR_MALFORMED: the file is not in this format, or in none; out_why says how, for people.
 * ERR_NOMEM; what reader->person returned. */
MUST_USE enum err book_read(struct span file, enum book_format format,
                            const struct person_reader *reader, const char **out_why);

#endif
