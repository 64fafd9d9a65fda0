/*
 * The gate in front of msgpack-c, which reserves gigabytes on five hostile bytes. One linear pass,
 * no allocation: exactly one object, arrays nested to SCAN_DEPTH_MAX, counts no greater than the
 * bytes left, shortest encodings, only nil, false, true, unsigned integers, strings of valid UTF-8,
 * binary and arrays.
 */
#ifndef KITH_PROTO_SCAN_H
#define KITH_PROTO_SCAN_H

#include "crypto/span.h"

/* Why bytes were refused; SCAN_FINE is 0. */
enum scan_verdict {
    SCAN_FINE,
    SCAN_TRUNCATED,    /* announced more than there is */
    SCAN_TRAILING,     /* bytes after the object */
    SCAN_DEEP,         /* nested deeper than SCAN_DEPTH_MAX */
    SCAN_FORBIDDEN,    /* map, float, extension, negative number, reserved byte */
    SCAN_NOT_SHORTEST, /* a longer encoding than needed */
    SCAN_NOT_UTF8      /* a string that is not valid UTF-8 */
};

enum scan_verdict scan(struct span bytes);
/* Valid UTF-8 by RFC 3629: no overlong forms, no surrogates. */
bool scan_is_utf8(struct span text);
/* The longest beginning of at most size_max bytes that cuts no letter in two. */
struct span scan_cut(struct span text, size_t size_max);

#endif
