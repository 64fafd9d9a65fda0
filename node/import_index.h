/*
 * Who was met in this import already and does not stand in the views yet: those are made in sorted
 * rounds when everybody is in the log, because one by one costs three times as much. Keys of names,
 * e-mails, phones, UIDs and profiles as 64-bit hashes under a random salt: 16 bytes each, no more
 * than a dozen a person.
 */
#ifndef KITH_NODE_IMPORT_INDEX_H
#define KITH_NODE_IMPORT_INDEX_H

#include "crypto/digest.h"
#include "crypto/entropy.h"
#include "node/person.h"

struct import_index {
    uint8_t salt[SHORT_KEY_SIZE];
    struct import_index_slot *slots; /* a power of two of them, at most half full */
    size_t capacity, count;
};

enum import_index_answer {
    IMPORT_INDEX_NEW,  /* nobody like this was met */
    IMPORT_INDEX_LIKE, /* somebody of this name, or with this e-mail or phone, who is another */
    IMPORT_INDEX_MET   /* it may be the same person: the views must be asked */
};

/* Zero it before first use. */
void import_index_begin(struct import_index *index, const struct entropy *entropy);
/* folded is the person's name. *out_line: where the other stands in the file. */
enum import_index_answer import_index_look(const struct import_index *index,
                                           const struct person *person, struct span folded,
                                           size_t *out_line);
/* Is this contact among those that were changed? */
bool import_index_has(const struct import_index *index, const struct id *contact);
/* ERR_NOMEM. */
MUST_USE enum err import_index_add(struct import_index *index, const struct person *person,
                                   struct span folded, const struct id *contact);
/* Everybody met so far stands in the views now. */
void import_index_clear(struct import_index *index);
void import_index_release(struct import_index *index);

#endif
