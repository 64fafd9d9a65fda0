/*
 * A person as a vCard, of version 3 (what phones and mail programs read most surely) or 4. What
 * vcard_read made of a card comes back as it was: a kept property is written where the contact
 * still says what it says, else the fields are; the rest of what was kept follows.
 *
 * Lines end in \r\n and are folded at 75 bytes between characters (RFC 6350 3.2). No value can
 * begin a property of its own: line ends are written \n.
 */
#ifndef KITH_NODE_VCARD_WRITE_H
#define KITH_NODE_VCARD_WRITE_H

#include "node/person.h"

enum vcard_version { VCARD_3 = 3, VCARD_4 = 4 };

/* Appends one card; failure sticks in out. */
void vcard_write(const struct person *person, enum vcard_version version, struct buf *out);

#endif
