/*
 * Addresses, and the invitation: "kith:1" and base32 (RFC 4648, lower case, no padding) of
 * device static key 32 | secret 16 | expires u32 (hours since 1970) | addresses | name hint |
 * checksum 4.
 */
#ifndef KITH_PROTO_INVITE_H
#define KITH_PROTO_INVITE_H

#include "crypto/digest.h"
#include "proto/limits.h"
#include "proto/wire.h"

struct address {
    uint8_t host[16]; /* IPv6; IPv4 as ::ffff:a.b.c.d */
    uint16_t port;
};

enum {
    ADDRESS_TEXT_SIZE = 54,
    INVITATION_TEXT_SIZE_MAX = 6 + (INVITATION_SIZE_MAX * 8 + 4) / 5 + 1
};

bool address_is_ipv4(const struct address *address);
bool address_is_loopback(const struct address *address);
/* Can it be another machine's beyond this one's cable? Not: loopback, link-local, unspecified,
 * multicast, broadcast, port 0. */
bool address_is_elsewhere(const struct address *address);
bool address_is_equal(const struct address *left, const struct address *right);
/* "203.0.113.5:5484" or "[2001:db8::5]:5484". */
void address_write(const struct address *address, char out[static ADDRESS_TEXT_SIZE]);
/* Numbers only, no names; the port may be missing, PORT_DEFAULT then. ERR_INVALID. */
MUST_USE enum err address_read(struct span text, struct address *out);
/* A list as bytes: 6 bytes for IPv4 after a 4, 18 for IPv6 after a 6. */
void address_put_list(const struct address *addresses, size_t count, struct buf *out);
MUST_USE enum err address_read_list(struct span bytes, struct address *out,
                                    size_t *out_count /* <= ADDRESSES_MAX */);

struct invitation {
    uint8_t static_key[32];
    uint8_t secret[INVITATION_SECRET_SIZE];
    uint64_t expires_at_s; /* rounded up to the hour */
    struct address addresses[ADDRESSES_MAX];
    size_t addresses_count;
    char hint[INVITATION_HINT_SIZE_MAX + 1]; /* the inviter's name, cut on a character boundary */
};

/* ERR_LIMIT when it does not fit INVITATION_SIZE_MAX. */
MUST_USE enum err invitation_write(const struct invitation *invitation,
                                   char out[static INVITATION_TEXT_SIZE_MAX]);
/* White space around and line breaks inside are ignored, case does not matter. ERR_INVALID: not an
 * invitation at all; ERR_VERSION: of another version; ERR_CORRUPT: damaged (checksum, length). */
MUST_USE enum err invitation_read(struct span text, struct invitation *out);

#endif
