/*
 * Somebody as an address book file tells of them, whatever its format: values under the numbers of
 * a contact's fields, in the order they were read. Every reader makes one, every writer takes one,
 * and an import compares one with what the store has.
 *
 * One-line fields hold no control bytes, notes no other than line ends and tabs; all of it is
 * valid UTF-8 and fits one entry. CONTACT_EXTRAS holds what kith has no field for, in one form
 * whatever it was read from: a vCard property of version 3 or 4 on one line, unfolded, in UTF-8,
 * without ENCODING=QUOTED-PRINTABLE and CHARSET, the bare types of 2.1 written TYPE=..., and no
 * group; properties of one group stand together, one a line, with the group "item".
 */
#ifndef KITH_NODE_PERSON_H
#define KITH_NODE_PERSON_H

#include "crypto/span.h"
#include "proto/contact.h"
#include "proto/limits.h"

#define PERSON_LABEL_MARK 0x1f /* between a label and what it is about: unit separator */

struct person_value {
    uint8_t field;
    uint32_t at, size; /* in text */
};

/* Zero it before first use. */
struct person {
    size_t line;       /* of the file, where the card or row begins; 1 is the first */
    struct buf text;   /* the bytes of all values */
    struct buf values; /* struct person_value, one after the other */
    bool is_cut;       /* something did not fit and was left out or shortened */
    bool is_unended;   /* the file does not say where the card ends: it may be half of one */
};

/* Forgets the last one, keeps the memory. */
void person_begin(struct person *person, size_t line);
/* Sets a field that has one value. False, and nothing done, when it has one already or there is
 * nothing to see in the text. Too long text is cut at a character; is_cut tells. */
bool person_set(struct person *person, uint8_t field, struct span text);
/* Adds to a field that has several. False when there is nothing to see in the text, when it is too
 * long or one too many. */
bool person_add(struct person *person, uint8_t field, struct span text);
/* Says what kind of e-mail or phone a value is. */
void person_label(struct person *person, struct span label, struct span value);
/* Value number index of a field; empty beyond the last. Valid until the next set or add. */
struct span person_at(const struct person *person, uint8_t field, size_t index);
static inline struct span person_text(const struct person *person, uint8_t field)
{
    return person_at(person, field, 0);
}
size_t person_count(const struct person *person);
/* Value number index of all, in the order they came. */
struct span person_value_at(const struct person *person, size_t index, uint8_t *out_field);
/* The label of a value; empty when there is none. */
struct span person_label_of(const struct person *person, struct span value);
/* A person who has no name takes the organisation's, or the first e-mail, or the first phone; false
 * when there is none of these either. */
bool person_settle_name(struct person *person);
MUST_USE enum err person_err(const struct person *person);
void person_release(struct person *person);

/* White space and control bytes taken off both ends. */
struct span person_trim(struct span text);

/* Where readers put what they find. Lines count from 1. */
struct person_reader {
    /* Borrows the person. An error ends the reading and is returned. */
    enum err (*person)(void *self, const struct person *person);
    /* A card or row that cannot be read and is left out. */
    void (*reject)(void *self, size_t line, const char *why);
    void *self;
};

#endif
