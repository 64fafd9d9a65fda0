/*
 * What files have told of a contact so far, as short hashes: so that an import leaves alone what
 * the owner changed by hand since. A value that stands in the contact and never came from a file is
 * the owner's; so is the absence of one that did. What was never imported has no owner's mark:
 * there the file is believed, as before.
 */
#ifndef KITH_NODE_IMPORT_BASE_H
#define KITH_NODE_IMPORT_BASE_H

#include "node/amend.h"
#include "proto/limits.h"

enum {
    IMPORT_BASE_HASH = 4, /* bytes of a hash: by chance two values of one field are one in 2^32 */
    IMPORT_BASE_ROW =
        1 + IMPORT_BASE_HASH /* field and hash; beyond IMPORT_BASE_MAX the oldest go */
};

/* Zero it before first use. */
struct import_base {
    struct buf rows;
    bool is_new; /* nothing was imported into this contact before */
    bool is_changed;
};

/* What the contact says of earlier imports. */
void import_base_begin(struct import_base *base, const struct object *contact);
bool import_base_has(const struct import_base *base, uint8_t field, struct span value);
/* May the file's value be written, or would it overwrite what the owner did since? */
bool import_base_may_set(const struct import_base *base, const struct object *contact,
                         uint8_t field, struct span value);
bool import_base_may_add(const struct import_base *base, const struct object *contact,
                         uint8_t field, struct span value);
/* Notes that the file told it. */
void import_base_note(struct import_base *base, uint8_t field, struct span value);
/* Writes what was noted, when it is more than was known. The rows must live until the amendment has
 * ended; import_base_release frees them. */
void import_base_end(struct import_base *base, struct amend *amend);
void import_base_release(struct import_base *base);

#endif
