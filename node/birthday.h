/*
 * The birthday of a contact: a vCard property among what is kept beside the fields
 * (CONTACT_EXTRAS), as address books bring it. Pure.
 */
#ifndef KITH_NODE_BIRTHDAY_H
#define KITH_NODE_BIRTHDAY_H

#include "node/date.h"
#include "proto/object.h"

enum { BIRTHDAY_SIZE = 24 };

/* What a BDAY property says, whatever group and parameters it has; empty when it is none. */
struct span birthday_said(struct span extra);
/* The first birthday the contact has. ERR_NOT_FOUND: none that is a day. */
MUST_USE enum err birthday_find(const struct object *contact, struct date *out);
/* The property for a day as somebody typed it: with a year, or "--05-01" or "05-01". ERR_INVALID.
 */
MUST_USE enum err birthday_write(struct span typed, char out[static BIRTHDAY_SIZE]);
/* "1990-05-01", or "--05-01" of no year. */
void birthday_text(const struct date *day, char out[static BIRTHDAY_SIZE]);

#endif
