/* A contact's fields. Numbers are on the wire and on disk; add, never renumber. */
#ifndef KITH_PROTO_CONTACT_H
#define KITH_PROTO_CONTACT_H

#include "proto/kind.h"

enum contact_field {
    CONTACT_NAME = 1,
    CONTACT_ORG = 2,
    CONTACT_TITLE = 3,
    CONTACT_PLACE = 4,
    CONTACT_NOTE = 5,
    CONTACT_MET = 6,
    CONTACT_IS_ORG = 7,    /* number: 1 for an organisation */
    CONTACT_MEMBER = 8,    /* bytes: root of the member it is linked to */
    CONTACT_UID = 9,       /* text: UID of the card it was imported from */
    CONTACT_PHOTO = 10,    /* bytes: the verbatim property of an imported card */
    CONTACT_CREATED = 11,  /* number: ms */
    CONTACT_IMPORTED = 12, /* bytes: what files told so far, see node/import_base.h */
    CONTACT_EMAILS = 20,   /* sets from here */
    CONTACT_PHONES = 21,
    CONTACT_URLS = 22,
    CONTACT_TAGS = 23,
    CONTACT_LABELS = 24, /* text: label, unit separator (0x1f), e-mail or phone */
    CONTACT_EXTRAS = 25  /* text: a property kith has no field for, verbatim */
};

extern const struct kind contact_kind;

#endif
