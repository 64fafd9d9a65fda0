/*
 * vCards (RFC 2426, RFC 6350, and 2.1 as phones wrote it) to people. Pure: bytes in, values out, in
 * one pass. A card that cannot be read is passed over and told with its line; the others are read.
 * What has no field of its own is kept verbatim.
 *
 * A person is a JSON object: name, org, title, place, note, uid, kind ("org") as texts; email, tel,
 * url, tag, label (label, 0x1f, value) and extra (a whole property, unfolded) as arrays of texts.
 * All of it is valid UTF-8.
 */
#ifndef KITH_NODE_VCARD_H
#define KITH_NODE_VCARD_H

#include <jansson.h>

#include "crypto/span.h"

enum {
    VCARD_LINE_MAX = 1 << 20,
    VCARD_CARDS_MAX = 100000,
    VCARD_PROPERTIES_MAX = 2000 /* of one card */
};

struct vcard_reader {
    /* Borrows the person. An error ends the reading and is returned. */
    enum err (*person)(void *self, json_t *person, size_t line);
    void (*reject)(void *self, size_t line, const char *why);
    void *self;
};

/* ERR_LIMIT beyond VCARD_CARDS_MAX cards; ERR_NOMEM; what person returned. */
MUST_USE enum err vcard_read(struct span file, const struct vcard_reader *reader);

#endif
