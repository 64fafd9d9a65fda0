/* Frames are sealed straight into the output and opened straight into the content; padding is never
 * copied out. */
#include "crypto/channel.h"

#include <string.h>

enum { CHANNEL_FLAG_CLOSE = 1, CHANNEL_FLAG_REKEY = 2, CHANNEL_PLAIN_MIN = 256 };

#define CHANNEL_NONCE_MAX (UINT64_C(1) << 48)

void channel_init(struct channel *channel, const uint8_t send_key[static KEY_SIZE],
                  const uint8_t receive_key[static KEY_SIZE])
{
    memset(channel, 0, sizeof *channel);
    memcpy(channel->send.key, send_key, KEY_SIZE);
    memcpy(channel->receive.key, receive_key, KEY_SIZE);
    channel->rekey_frames = CHANNEL_REKEY_FRAMES;
    channel->rekey_bytes = CHANNEL_REKEY_BYTES;
}

void channel_rekey(struct channel *channel)
{
    channel->wants_rekey = true;
}

/* PROTOCOL CHANNEL-2: "Its plaintext is flags 1 | content size u16 | content | zeros, of 256,
 * 512, 1,024, 4,096 or 16,384 bytes: the least that fits." */
static size_t channel_bucket(size_t size)
{
    static const size_t buckets[] = {CHANNEL_PLAIN_MIN, 512, 1024, 4096, CHANNEL_PLAIN_MAX};

    for (size_t at = 0; at < sizeof buckets / sizeof buckets[0]; at++)
        if (size <= buckets[at])
            return buckets[at];
    return 0;
}

/* Counts a frame; true when one more of the largest could pass a bound, so that this one must carry
 * the flag. */
/* PROTOCOL CHANNEL-4: "A sender sets flag 2 at the latest in the 65,536th frame, or in the frame
 * after which another of the largest could bring the plaintexts under one key beyond 256 MiB,
 * and after 15 minutes. Whoever does not is ended. The counter goes on; it ends at 2^48." */
static bool channel_count(const struct channel *channel, struct channel_direction *direction,
                          size_t size)
{
    direction->nonce++;
    direction->frames++;
    direction->bytes += size;
    return direction->frames >= channel->rekey_frames ||
           direction->bytes + CHANNEL_FRAME_MAX > channel->rekey_bytes;
}

/* PROTOCOL CHANNEL-3: "Flag 1: the last frame; an end without it is a cut. Flag 2: both sides
 * replace the direction's key by REKEY (Noise 4.2) after it." */
static void channel_turn_key(struct channel_direction *direction)
{
    noise_rekey(direction->key);
    direction->frames = 0;
    direction->bytes = 0;
}

/* PROTOCOL CHANNEL-1: "A frame is size u16 | ciphertext and tag of ChaCha20-Poly1305 under the
 * direction's key with a counter from 0 as nonce (Noise 5.1)." */
static enum err channel_seal_frame(struct channel *channel, struct span content, uint8_t flags,
                                   struct buf *out)
{
    size_t plain_size = channel_bucket(content.size + CHANNEL_HEADER_SIZE);
    uint64_t nonce = channel->send.nonce;
    uint8_t *frame, *plain;

    if (nonce >= CHANNEL_NONCE_MAX)
        return ERR_STATE;
    frame = buf_grow(out, 2 + plain_size + NOISE_TAG_SIZE);
    if (frame == NULL)
        return ERR_NOMEM;
    if (channel_count(channel, &channel->send, plain_size) || channel->wants_rekey)
        flags |= CHANNEL_FLAG_REKEY;
    be16_put(frame, (uint16_t)(plain_size + NOISE_TAG_SIZE));
    plain = frame + 2;
    plain[0] = flags;
    be16_put(plain + 1, (uint16_t)content.size);
    if (content.size > 0)
        memcpy(plain + CHANNEL_HEADER_SIZE, content.data, content.size);
    memset(plain + CHANNEL_HEADER_SIZE + content.size, 0,
           plain_size - CHANNEL_HEADER_SIZE - content.size);
    noise_seal(channel->send.key, nonce, span_of(NULL, 0), span_of(plain, plain_size), plain);
    if ((flags & CHANNEL_FLAG_REKEY) != 0) {
        channel_turn_key(&channel->send);
        channel->wants_rekey = false;
    }
    return ERR_OK;
}

enum err channel_seal(struct channel *channel, struct span content, bool is_close, struct buf *out)
{
    if (channel->send.is_closed)
        return ERR_STATE;
    while (content.size > 0 || is_close) {
        size_t size = content.size < CHANNEL_CONTENT_MAX ? content.size : CHANNEL_CONTENT_MAX;
        bool is_last = is_close && size == content.size;
        enum err err = channel_seal_frame(channel, span_of(content.data, size),
                                          is_last ? CHANNEL_FLAG_CLOSE : 0, out);

        if (err != ERR_OK)
            return err;
        content = span_of(size > 0 ? content.data + size : NULL, content.size - size);
        if (is_last) {
            channel->send.is_closed = true;
            break;
        }
    }
    return ERR_OK;
}

static enum err channel_read_plain(struct channel *channel, const uint8_t *plain, size_t plain_size,
                                   bool is_rekey_due, struct buf *out)
{
    size_t size = be16(plain + 1);

    if ((plain[0] & ~(CHANNEL_FLAG_CLOSE | CHANNEL_FLAG_REKEY)) != 0 ||
        size > plain_size - CHANNEL_HEADER_SIZE ||
        channel_bucket(size + CHANNEL_HEADER_SIZE) != plain_size)
        return ERR_MALFORMED;
    if (is_rekey_due && (plain[0] & CHANNEL_FLAG_REKEY) == 0)
        return ERR_MALFORMED;
    for (size_t at = CHANNEL_HEADER_SIZE + size; at < plain_size; at++)
        if (plain[at] != 0)
            return ERR_MALFORMED;
    buf_append(out, span_of(plain + CHANNEL_HEADER_SIZE, size));
    if ((plain[0] & CHANNEL_FLAG_REKEY) != 0)
        channel_turn_key(&channel->receive);
    channel->receive.is_closed = (plain[0] & CHANNEL_FLAG_CLOSE) != 0;
    return buf_err(out);
}

/* Opens in place: the ciphertext is not needed again. */
static enum err channel_open_frame(struct channel *channel, uint8_t *sealed, size_t size,
                                   struct buf *out)
{
    size_t plain_size = size - NOISE_TAG_SIZE;
    uint64_t nonce = channel->receive.nonce;
    bool is_rekey_due;

    if (channel->receive.is_closed || nonce >= CHANNEL_NONCE_MAX)
        return ERR_MALFORMED;
    if (noise_open(channel->receive.key, nonce, span_of(NULL, 0), span_of(sealed, size), sealed) !=
        ERR_OK)
        return ERR_FORGED;
    is_rekey_due = channel_count(channel, &channel->receive, plain_size);
    return channel_read_plain(channel, sealed, plain_size, is_rekey_due, out);
}

enum err channel_open(struct channel *channel, struct buf *in, struct buf *out_content)
{
    size_t at = 0;
    enum err err = ERR_OK;

    while (err == ERR_OK && in->size - at >= 2) {
        size_t size = be16(in->data + at);

        if (size < CHANNEL_PLAIN_MIN + NOISE_TAG_SIZE ||
            size > CHANNEL_PLAIN_MAX + NOISE_TAG_SIZE ||
            channel_bucket(size - NOISE_TAG_SIZE) != size - NOISE_TAG_SIZE)
            return ERR_MALFORMED;
        if (in->size - at - 2 < size)
            break;
        err = channel_open_frame(channel, in->data + at + 2, size, out_content);
        at += 2 + size;
    }
    buf_drop(in, at);
    return err;
}
