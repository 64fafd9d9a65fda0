/*
 * The JSON Canonicalization Scheme (RFC 8785): one writing for one value, so that signatures of
 * others' formats can be made and checked. Keys in the order of UTF-16, numbers as ECMAScript
 * writes them, no white space, no normalisation of text.
 */
#ifndef KITH_NODE_JCS_H
#define KITH_NODE_JCS_H

#include <jansson.h>

#include "crypto/span.h"

/* Appends the canonical bytes. Whole numbers beyond 2^53 are written as the double they are to
 * ECMAScript. The value must not nest deeper than its parser allowed. ERR_NOMEM. */
MUST_USE enum err jcs_write(json_t *value, struct buf *out);

#endif
