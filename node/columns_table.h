/* The names columns have in real exports, folded, with # for a number in them. Only columns.c
 * includes it. */
#ifndef KITH_NODE_COLUMNS_TABLE_H
#define KITH_NODE_COLUMNS_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum columns_what {
    COLUMNS_UNKNOWN,
    COLUMNS_SKIP,      /* says nothing: "SMTP" */
    COLUMNS_FIELD,     /* part: the contact's field */
    COLUMNS_NAME_PART, /* part: component of N */
    COLUMNS_ORG,
    COLUMNS_DEPARTMENT,
    COLUMNS_TAGS,
    COLUMNS_EMAIL, /* part of the next three: the contact's field */
    COLUMNS_PHONE,
    COLUMNS_URL,
    COLUMNS_VALUE_LABEL, /* of an e-mail, phone or web address; part: which of the three */
    COLUMNS_ADR,         /* part: component of ADR; 7 and 8: more lines of the street */
    COLUMNS_ADR_FORMATTED,
    COLUMNS_ADR_LABEL,
    COLUMNS_CONNECTED, /* LinkedIn's date */
    COLUMNS_PROPERTY,  /* label: the vCard property it is */
    COLUMNS_KIND,
    COLUMNS_EXTRA, /* our own export's: properties, blank lines between */
    COLUMNS_PHOTO
};

struct columns_name {
    const char *name;
    uint8_t formats;          /* bits 1 << enum columns_format; 0: all */
    uint8_t what, part, slot; /* slot 0: the number in the name */
    const char *label;
};

/* Appends nothing; NULL when nobody knows the name. */
const struct columns_name *columns_table_find(const char *folded, unsigned format);

#endif
