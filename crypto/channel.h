/*
 * Frames after the handshake. On the wire: size u16 | ciphertext and tag. Inside: flags 1 | content
 * size u16 | content | zeros, padded so that the plaintext is 256, 512, 1,024, 4,096 or 16,384
 * bytes. The nonce is a counter per direction.
 *
 * Each direction takes a new key (Noise's REKEY) after a frame that carries the rekey flag; a
 * sender must set it at the latest when CHANNEL_REKEY_FRAMES or CHANNEL_REKEY_BYTES were sent under
 * one key, and a receiver that sees more ends the channel. The counter is not reset and stops for
 * good at 2^48. The close flag tells an end from a cut.
 */
#ifndef KITH_CRYPTO_CHANNEL_H
#define KITH_CRYPTO_CHANNEL_H

#include "crypto/noise.h"

enum {
    CHANNEL_PLAIN_MAX = 16384,
    CHANNEL_HEADER_SIZE = 3,
    CHANNEL_CONTENT_MAX = CHANNEL_PLAIN_MAX - CHANNEL_HEADER_SIZE,
    CHANNEL_FRAME_MAX = 2 + CHANNEL_PLAIN_MAX + NOISE_TAG_SIZE,
    CHANNEL_REKEY_FRAMES = 1 << 16,
    CHANNEL_REKEY_BYTES = 256 << 20
};

struct channel_direction {
    uint8_t key[KEY_SIZE]; /* secret */
    uint64_t nonce;
    uint64_t frames, bytes; /* under this key */
    bool is_closed;
};

/* Holds secrets: lives in memory from secret_new. */
struct channel {
    struct channel_direction send, receive;
    uint64_t rekey_frames,
        rekey_bytes; /* the bounds; the constants above unless a test says otherwise */
    bool wants_rekey;
};

void channel_init(struct channel *channel, const uint8_t send_key[static KEY_SIZE],
                  const uint8_t receive_key[static KEY_SIZE]);
/* The next frame sent carries the rekey flag: for the bound in time (15 minutes). */
void channel_rekey(struct channel *channel);
/* Appends as many frames as the content needs; with is_close the last one closes, even when there
 * is no content. ERR_STATE after the close or at the end of the counter; ERR_NOMEM. */
MUST_USE enum err channel_seal(struct channel *channel, struct span content, bool is_close,
                               struct buf *out);
/* Opens every whole frame at the front of in, appends their content, and drops them from in.
 * ERR_FORGED, ERR_MALFORMED (sizes, padding, a frame after the close, no rekey when it was due),
 * ERR_NOMEM: the channel is then over. */
MUST_USE enum err channel_open(struct channel *channel, struct buf *in, struct buf *out_content);
/* The other side closed: an end after this is no truncation. */
static inline bool channel_is_closed(const struct channel *channel)
{
    return channel->receive.is_closed;
}

#endif
