/*
 * What passes between a new device of a member and the one that admits it: what the new one asks to
 * be certified with, and what it is told. How the two travel is the caller's affair; the welcome is
 * as secret as the self space.
 */
#ifndef KITH_PROTO_WELCOME_H
#define KITH_PROTO_WELCOME_H

#include "proto/id.h"
#include "proto/invite.h"
#include "proto/limits.h"

/* Bytes, by the bounds of the elements: heads of msgpack, three keys and a name; seven keys and
 * ids, two identities, addresses. */
enum {
    WELCOME_ASK_SIZE_MAX = 2 + 3 * (2 + KEY_SIZE) + 2 + DEVICE_NAME_SIZE_MAX,
    WELCOME_SIZE_MAX = 2 + 5 * (2 + KEY_SIZE) + 2 * (2 + ID_SIZE) + 2 * (3 + IDENTITY_SIZE_MAX) +
                       2 + ADDRESSES_MAX * (ADDRESS_SIZE_MAX + 1)
};

/* name is of the device. */
struct welcome_ask {
    struct public_key device;
    uint8_t static_key[KEY_SIZE], receiving_key[KEY_SIZE];
    char name[DEVICE_NAME_SIZE_MAX + 1];
};

/* Lives in memory from secret_new, or is wiped after use. */
struct welcome {
    struct public_key member;
    struct hash next_root_hash;
    uint8_t recovery_public[KEY_SIZE];
    struct id self_space, card_space;
    uint8_t secret[KEY_SIZE], knock[KEY_SIZE];
    uint8_t identity[IDENTITY_SIZE_MAX]; /* root and chain of the new device */
    size_t identity_size;
    uint8_t host[IDENTITY_SIZE_MAX]; /* and of the one that certified it */
    size_t host_size;
    uint8_t addresses[ADDRESSES_MAX * (ADDRESS_SIZE_MAX + 1)]; /* of that one (address_put_list) */
    size_t addresses_size;
};

/* Appends the bytes; out fails where memory is short. What was appended of a welcome is secret. */
void welcome_ask_write(const struct welcome_ask *ask, struct buf *out);
void welcome_write(const struct welcome *welcome, struct buf *out);
/* Shape and bounds; whose identities they are is not looked at. ERR_MALFORMED, ERR_LIMIT: beyond
 * the bound of the whole, ERR_VERSION: a newer form, ERR_NOMEM. */
MUST_USE enum err welcome_ask_read(struct span bytes, struct welcome_ask *out);
MUST_USE enum err welcome_read(struct span bytes, struct welcome *out);

#endif
