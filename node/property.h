/*
 * One vCard property as kith keeps it (person.h says in which form), and what the structured ones
 * say as plain text: N as a name, ORG as an organisation, ADR as a place. A contact keeps the plain
 * text; the property is kept beside it only where the text alone would not bring it back.
 */
#ifndef KITH_NODE_PROPERTY_H
#define KITH_NODE_PROPERTY_H

#include "crypto/span.h"

/* Borrowed from the line: group.NAME;parameters:value. */
struct property {
    struct span group, name, parameters, value;
};

/* False when there is no name or no colon. */
bool property_read(struct span line, struct property *out);
/* Cuts the next parameter off the front of rest: its key (empty for the bare words of 2.1) and its
 * value, quotes off. False at the end. */
bool property_parameter(struct span *rest, struct span *out_key, struct span *out_value);
/* Is this word among the types? Bare words are types. */
bool property_has_type(struct span parameters, const char *word);
/* Where an e-mail, phone or web address belongs ("work", "home fax"): appends the words of its
 * types that say so. */
void property_label(struct span parameters, struct buf *out);
/* Appends a label as the words property_label would give ("Work Fax" as "work fax"); nothing when
 * it is made of other words. */
void property_words(struct span label, struct buf *out);
/* Do the words of this label bring all of these types back? TYPE=INTERNET and VOICE say nothing,
 * nor does how the value was written. */
bool property_is_told_by(struct span parameters);

/* N (family; given; additional; prefixes; suffixes) said as people say a name. */
void property_name_of(struct span n, struct buf *out);
/* N for a name of which nothing else is known: the last word is the family's. */
void property_guess_n(struct span name, struct buf *out);
/* ORG: organisation and units, with commas. */
void property_org_of(struct span org, struct buf *out);
/* ADR: locality, region, country. The place is where, not which door. */
void property_place_of(struct span adr, struct buf *out);
/* Appends components, escaped and joined by semicolons. */
void property_join(const struct span *components, size_t count, struct buf *out);

#endif
