/* Padding hides sizes, the knock hides everything from those who were never told it. */
#include "crypto/handshake.h"

#include <string.h>

#include "crypto/secret.h"

static const char handshake_name[] = "Noise_XKpsk3_25519_ChaChaPoly_SHA256";

enum {
    HANDSHAKE_HEADER_SIZE = HANDSHAKE_KNOCK_SIZE + 1 + HANDSHAKE_SELECTOR_SIZE,
    HANDSHAKE_FIRST_PADDING = HANDSHAKE_FIRST_SIZE - HANDSHAKE_HEADER_SIZE - 32 - NOISE_TAG_SIZE,
    HANDSHAKE_SECOND_PADDING = HANDSHAKE_SECOND_SIZE - 32 - NOISE_TAG_SIZE,
    HANDSHAKE_THIRD_OVERHEAD = 2 + 32 + NOISE_TAG_SIZE + NOISE_TAG_SIZE
};

/* The part of message 3 the static key takes up; where the trial goes on. Token 1 of "s3p" after
 * "s" and "3". */
enum { HANDSHAKE_PSK_TOKEN = 2, HANDSHAKE_PSK_OFFSET = 32 + NOISE_TAG_SIZE };

/* PROTOCOL KNOCK-3: "An invitation's secret of 16 bytes gives root = HASH(kith invitation,
 * secret); selector = MAC-8(root, kith selector), knock key = KDF(root, kith inv knock), psk =
 * KDF(root, kith inv psk)." */
void handshake_invitation(const uint8_t *secret, size_t secret_size,
                          struct handshake_invitation *out)
{
    const struct span part = span_of(secret, secret_size);
    struct hash root;

    digest("kith invitation", &part, 1, &root);
    digest_keyed(root.bytes, "kith selector", NULL, 0, out->selector, HANDSHAKE_SELECTOR_SIZE);
    digest_derive(root.bytes, "kith inv knock", span_of(NULL, 0), out->knock);
    digest_derive(root.bytes, "kith inv psk", span_of(NULL, 0), out->psk);
    secret_wipe(&root, sizeof root);
}

/* PROTOCOL HANDSHAKE-1: "Noise_XKpsk3_25519_ChaChaPoly_SHA256, revision 34, with the prologue
 * kith | version 1. The responder's static key comes from a certificate or the invitation." */
static void handshake_prologue(uint8_t out[static 5])
{
    memcpy(out, "kith", 4);
    out[4] = HANDSHAKE_VERSION;
}

/* The knock covers version, selector and ephemeral: the 41 bytes after it. */
/* PROTOCOL KNOCK-1: "Message 1 is 256 bytes: knock 16 | version 1 | selector 8 | ephemeral key
 * 32 | sealed zeros to the end." */
/* PROTOCOL KNOCK-2: "The knock is MAC-16(knock key, kith knock, version | selector | ephemeral
 * key). Nothing is computed, and not one byte sent, before a knock fits." */
static void handshake_knock(const uint8_t knock[static KEY_SIZE], const uint8_t *covered,
                            uint8_t out[static HANDSHAKE_KNOCK_SIZE])
{
    const struct span part = span_of(covered, 1 + HANDSHAKE_SELECTOR_SIZE + 32);

    digest_keyed(knock, "kith knock", &part, 1, out, HANDSHAKE_KNOCK_SIZE);
}

enum err handshake_dial(struct handshake *handshake, const struct handshake_dial *dial,
                        const struct entropy *entropy, struct buf *out)
{
    static const uint8_t zeros[HANDSHAKE_FIRST_PADDING];
    uint8_t header[HANDSHAKE_HEADER_SIZE] = {0}, prologue[5];
    struct noise_keys keys = {.own_static = dial->own_static,
                              .remote_static = dial->remote_static,
                              .psks = dial->psk,
                              .psks_count = 1};
    size_t begun_at = out->size;
    enum err err;

    handshake_prologue(prologue);
    err = noise_init(&handshake->noise, handshake_name, true, span_of(prologue, sizeof prologue),
                     &keys);
    if (err != ERR_OK)
        return err;
    header[HANDSHAKE_KNOCK_SIZE] = HANDSHAKE_VERSION;
    if (dial->selector != NULL)
        memcpy(header + HANDSHAKE_KNOCK_SIZE + 1, dial->selector, HANDSHAKE_SELECTOR_SIZE);
    else
        entropy_fill(entropy, header + HANDSHAKE_KNOCK_SIZE + 1, HANDSHAKE_SELECTOR_SIZE);
    buf_append(out, span_of(header, sizeof header));
    err = noise_write(&handshake->noise, entropy, span_of(zeros, sizeof zeros), out);
    if (err != ERR_OK)
        return err;
    handshake_knock(dial->knock, out->data + begun_at + HANDSHAKE_KNOCK_SIZE, out->data + begun_at);
    return ERR_OK;
}

static void handshake_result(const struct noise *noise, bool is_initiator,
                             struct handshake_result *out)
{
    if (is_initiator)
        noise_split(noise, out->send_key, out->receive_key);
    else
        noise_split(noise, out->receive_key, out->send_key);
    memcpy(out->hash.bytes, noise->hash, HASH_SIZE);
    memcpy(out->remote_static, noise->remote_static, KEY_SIZE);
}

enum err handshake_finish(struct handshake *handshake, struct span second, struct span content,
                          const struct entropy *entropy, struct buf *out,
                          struct handshake_result *out_result)
{
    uint8_t padded[HANDSHAKE_THIRD_LARGE - HANDSHAKE_THIRD_OVERHEAD] = {0};
    size_t total = HANDSHAKE_THIRD_SMALL;
    struct buf ignored = {0};
    enum err err;

    if (second.size != HANDSHAKE_SECOND_SIZE)
        return ERR_MALFORMED;
    if (content.size > HANDSHAKE_CONTENT_MAX)
        return ERR_LIMIT;
    if (content.size + 2 > HANDSHAKE_THIRD_SMALL - HANDSHAKE_THIRD_OVERHEAD)
        total = HANDSHAKE_THIRD_LARGE;
    err = noise_read(&handshake->noise, second, &ignored);
    buf_release(&ignored);
    if (err != ERR_OK)
        return err;
    be16_put(padded, (uint16_t)content.size);
    if (content.size > 0)
        memcpy(padded + 2, content.data, content.size);
    buf_u16(out, (uint16_t)(total - 2));
    err = noise_write(&handshake->noise, entropy, span_of(padded, total - HANDSHAKE_THIRD_OVERHEAD),
                      out);
    if (err == ERR_OK)
        handshake_result(&handshake->noise, true, out_result);
    return err;
}

struct span handshake_selector(struct span first)
{
    KITH_ASSERT(first.size >= HANDSHAKE_HEADER_SIZE);
    return span_of(first.data + HANDSHAKE_KNOCK_SIZE + 1, HANDSHAKE_SELECTOR_SIZE);
}

struct span handshake_ephemeral(struct span first)
{
    KITH_ASSERT(first.size >= HANDSHAKE_HEADER_SIZE + KEY_SIZE);
    return span_of(first.data + HANDSHAKE_HEADER_SIZE, KEY_SIZE);
}

enum err handshake_check_knock(struct span first, const uint8_t knock[static KEY_SIZE])
{
    uint8_t expected[HANDSHAKE_KNOCK_SIZE];

    if (first.size != HANDSHAKE_FIRST_SIZE)
        return ERR_FORGED;
    handshake_knock(knock, first.data + HANDSHAKE_KNOCK_SIZE, expected);
    if (!secret_is_equal(expected, first.data, HANDSHAKE_KNOCK_SIZE))
        return ERR_FORGED;
    return first.data[HANDSHAKE_KNOCK_SIZE] == HANDSHAKE_VERSION ? ERR_OK : ERR_VERSION;
}

/* PROTOCOL HANDSHAKE-2: "The payload of message 1 is 183 zeros, that of message 2 is 208 zeros;
 * message 2 is 256 bytes." */
enum err handshake_answer(struct handshake *handshake, const struct exchange_key *own_static,
                          struct span first, const struct entropy *entropy, struct buf *out)
{
    static const uint8_t zeros[HANDSHAKE_SECOND_PADDING];
    struct noise_keys keys = {.own_static = own_static};
    struct buf ignored = {0};
    uint8_t prologue[5];
    enum err err;

    if (first.size != HANDSHAKE_FIRST_SIZE)
        return ERR_MALFORMED;
    handshake_prologue(prologue);
    err = noise_init(&handshake->noise, handshake_name, false, span_of(prologue, sizeof prologue),
                     &keys);
    if (err == ERR_OK)
        err = noise_read(
            &handshake->noise,
            span_of(first.data + HANDSHAKE_HEADER_SIZE, first.size - HANDSHAKE_HEADER_SIZE),
            &ignored);
    buf_release(&ignored);
    if (err == ERR_OK)
        err = noise_write(&handshake->noise, entropy, span_of(zeros, sizeof zeros), out);
    return err;
}

size_t handshake_third_size(struct span third)
{
    size_t size = (size_t)be16(third.data) + 2;

    return size == HANDSHAKE_THIRD_SMALL || size == HANDSHAKE_THIRD_LARGE ? size : 0;
}

/* PROTOCOL HANDSHAKE-3: "Message 3 is size u16 | Noise message; it is 256 or 1,792 bytes in all.
 * Its payload is content size u16 | content | zeros. The content is empty, or, under an
 * invitation, the identity of the initiator (CERT-4)." */
static struct span handshake_third(struct span third)
{
    return span_of(third.data + 2, third.size - 2);
}

enum err handshake_reveal(struct handshake *handshake, struct span third,
                          uint8_t out_static[static KEY_SIZE])
{
    size_t token, offset;
    enum err err;

    if (third.size < 2 || handshake_third_size(third) != third.size)
        return ERR_MALFORMED;
    err = noise_read_static(&handshake->noise, handshake_third(third), &token, &offset);
    if (err != ERR_OK)
        return err;
    KITH_ASSERT(token == HANDSHAKE_PSK_TOKEN && offset == HANDSHAKE_PSK_OFFSET);
    memcpy(out_static, handshake->noise.remote_static, KEY_SIZE);
    return ERR_OK;
}

enum err handshake_try_psk(struct handshake *handshake, struct span third,
                           const uint8_t psk[static KEY_SIZE], struct buf *out_content,
                           struct handshake_result *out_result)
{
    struct buf padded = {0};
    enum err err;

    memcpy(&handshake->trial, &handshake->noise, sizeof handshake->trial);
    err = noise_read_rest(&handshake->trial, handshake_third(third), HANDSHAKE_PSK_TOKEN,
                          HANDSHAKE_PSK_OFFSET, psk, &padded);
    if (err == ERR_OK && (padded.size < 2 || be16(padded.data) > padded.size - 2 ||
                          be16(padded.data) > HANDSHAKE_CONTENT_MAX))
        err = ERR_MALFORMED;
    if (err == ERR_OK) {
        buf_append(out_content, span_of(padded.data + 2, be16(padded.data)));
        handshake_result(&handshake->trial, false, out_result);
        err = buf_err(out_content);
    }
    buf_release(&padded);
    return err;
}
