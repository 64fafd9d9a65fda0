/*
 * How two devices prove their keys: Noise_XKpsk3_25519_ChaChaPoly_SHA256 behind a knock. Pure:
 * bytes in, bytes out.
 *
 *   message 1   256 bytes: knock 16 | version 1 | selector 8 | ephemeral 32 | sealed zeros
 *   message 2   256 bytes: ephemeral 32 | sealed zeros
 *   message 3   size u16 | static key 48 | sealed [content size u16 | content | zeros]; 256 or
 * 1,792 bytes in all
 *
 * Message 1 carries nothing: whoever steals the responder's static key could read and forge it. All
 * failures look alike to the other side. A struct handshake holds secrets: it lives in memory from
 * secret_new and is wiped by secret_free.
 */
#ifndef KITH_CRYPTO_HANDSHAKE_H
#define KITH_CRYPTO_HANDSHAKE_H

#include "crypto/noise.h"

enum {
    HANDSHAKE_VERSION = 1,
    HANDSHAKE_KNOCK_SIZE = 16,
    HANDSHAKE_SELECTOR_SIZE = 8,
    HANDSHAKE_FIRST_SIZE = 256,
    HANDSHAKE_SECOND_SIZE = 256,
    HANDSHAKE_THIRD_SMALL = 256,
    HANDSHAKE_THIRD_LARGE = 1792,
    HANDSHAKE_CONTENT_MAX = 1536
};

struct handshake {
    struct noise noise;
    struct noise trial; /* what a candidate psk is tried on */
};

struct handshake_result {
    uint8_t send_key[KEY_SIZE], receive_key[KEY_SIZE]; /* secret */
    struct hash hash; /* binds everything said later to this handshake */
    uint8_t remote_static[KEY_SIZE];
};

/* What an invitation's secret stands for in a handshake. */
struct handshake_invitation {
    uint8_t selector[HANDSHAKE_SELECTOR_SIZE];
    uint8_t knock[KEY_SIZE];
    uint8_t psk[KEY_SIZE];
};
void handshake_invitation(const uint8_t *secret, size_t secret_size,
                          struct handshake_invitation *out);

/* The one who dials. */

struct handshake_dial {
    const struct exchange_key *own_static;
    const uint8_t *remote_static; /* 32 bytes */
    const uint8_t *knock;         /* 32 bytes */
    const uint8_t *selector;      /* 8 bytes, or NULL: random, for a member's knock */
    const uint8_t *psk;           /* 32 bytes */
};
/* Appends message 1. ERR_FORGED when the remote key is a low-order point. */
MUST_USE enum err handshake_dial(struct handshake *handshake, const struct handshake_dial *dial,
                                 const struct entropy *entropy, struct buf *out);
/* Reads message 2 (HANDSHAKE_SECOND_SIZE bytes) and appends message 3 with this content.
 * ERR_FORGED, ERR_LIMIT. */
MUST_USE enum err handshake_finish(struct handshake *handshake, struct span second,
                                   struct span content, const struct entropy *entropy,
                                   struct buf *out, struct handshake_result *out_result);

/* The one who is called. */

/* The selector in message 1, for the choice of knock keys; borrowed. */
struct span handshake_selector(struct span first);
/* The initiator's ephemeral key in message 1, by which a replay is known; borrowed, KEY_SIZE. */
struct span handshake_ephemeral(struct span first);
/* Under a microsecond. ERR_OK; ERR_FORGED: no knock under this key; ERR_VERSION: a knock under this
 * key by another version. */
MUST_USE enum err handshake_check_knock(struct span first, const uint8_t knock[static KEY_SIZE]);
/* Reads message 1, whose knock was found good, and appends message 2. ERR_FORGED. */
MUST_USE enum err handshake_answer(struct handshake *handshake,
                                   const struct exchange_key *own_static, struct span first,
                                   const struct entropy *entropy, struct buf *out);
/* How long message 3 is in all, from its first two bytes. 0: not a possible size. */
size_t handshake_third_size(struct span third);
/* Reads the static key that message 3 reveals; nothing is proven yet. ERR_FORGED. */
MUST_USE enum err handshake_reveal(struct handshake *handshake, struct span third,
                                   uint8_t out_static[static KEY_SIZE]);
/* Tries a psk on message 3 after handshake_reveal; may be called again with another after
 * ERR_FORGED. Appends the content. */
MUST_USE enum err handshake_try_psk(struct handshake *handshake, struct span third,
                                    const uint8_t psk[static KEY_SIZE], struct buf *out_content,
                                    struct handshake_result *out_result);

#endif
