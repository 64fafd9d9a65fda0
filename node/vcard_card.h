/* From the properties of one card to a person. */
#ifndef KITH_NODE_VCARD_CARD_H
#define KITH_NODE_VCARD_CARD_H

#include "node/person.h"
#include "node/property.h"
#include "proto/limits.h"

/* What one group of a card has: item1.TEL and item1.X-ABLabel. */
struct vcard_group {
    struct buf name;
    struct buf lines; /* properties kith has no field for, each ending in a line end */
    size_t lines_count;
    struct buf subject; /* the e-mail, phone or web address it is about */
    struct buf label;   /* X-ABLabel, as it stands */
};

/* Zero it before first use. */
struct vcard_card {
    struct person person;
    struct vcard_group groups[VCARD_GROUPS_MAX];
    size_t groups_count;
    struct buf name;  /* said from N */
    struct buf n;     /* N itself, when it says more than the name */
    struct buf raw;   /* the value under way: UTF-8, escapes still in */
    struct buf plain; /* and escapes off */
    struct buf line;  /* a line to be kept */
    size_t properties;
};

void vcard_card_begin(struct vcard_card *card, size_t line);
/* Takes one property; false beyond VCARD_PROPERTIES_MAX. */
bool vcard_card_take(struct vcard_card *card, const struct property *property);
/* Settles labels, names and groups; the person is whole then. False when nothing says who it is. */
bool vcard_card_end(struct vcard_card *card);
MUST_USE enum err vcard_card_err(const struct vcard_card *card);
void vcard_card_release(struct vcard_card *card);

#endif
