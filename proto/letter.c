/* The inside of a letter is size u16, that many bytes, then zeros up to one of three sizes. */
#include "proto/letter.h"

#include <string.h>

#include "crypto/secret.h"
#include "proto/limits.h"

static const char letter_label[] = "kith letter";
static const char letter_by_label[] = "kith letter by";

enum { LETTER_INSIDE_MAX = LETTER_SIZE_MAX - SEAL_WRAP_OVERHEAD - 2 };

static const size_t letter_sizes[] = {LETTER_SIZE_MIN, 4096, LETTER_SIZE_MAX};

/* PROTOCOL LETTER-2: "Its id is HASH(`kith letter id`, its bytes)." */
void letter_id(struct span letter, struct hash *out)
{
    digest("kith letter id", &letter, 1, out);
}

bool letter_is_size(size_t size)
{
    for (size_t at = 0; at < sizeof letter_sizes / sizeof letter_sizes[0]; at++)
        if (letter_sizes[at] == size)
            return true;
    return false;
}

/* What a device signs: the content's hash, so that who reads a quoted copy can check it. */
static void letter_claim(struct span content, struct hash *out)
{
    digest(letter_by_label, &content, 1, out);
}

static enum err letter_put(const struct letter_by *by, struct span content, struct buf *out)
{
    uint8_t signature[SIGNATURE_SIZE];
    struct buf proof = {0};
    struct hash claim;
    enum err err = identity_sign(by->writer, letter_label, content, signature);

    letter_claim(content, &claim);
    if (err == ERR_OK && by->device != NULL)
        err = statement_by_device(letter_by_label, by->device, by->identity,
                                  span_of(claim.bytes, HASH_SIZE), &proof);
    if (err == ERR_OK) {
        wire_put_array(out, 3);
        wire_put_bin(out, content);
        wire_put_bin(out, span_of(signature, SIGNATURE_SIZE));
        wire_put_bin(out, buf_span(&proof));
        err = buf_err(out);
    }
    buf_release(&proof);
    return err;
}

/* PROTOCOL LETTER-1: "padded with zeros to the least of 1,024, 4,096 and 16,384 bytes that holds
 * the sealed letter" */
static enum err letter_pad(struct span inside, struct buf *out)
{
    size_t whole = inside.size + 2 + SEAL_WRAP_OVERHEAD;
    size_t at = 0;
    uint8_t *zeros;

    if (inside.size > LETTER_INSIDE_MAX)
        return ERR_LIMIT;
    while (letter_sizes[at] < whole)
        at++;
    buf_u16(out, (uint16_t)inside.size);
    buf_append(out, inside);
    zeros = buf_grow(out, letter_sizes[at] - whole);
    if (zeros != NULL)
        memset(zeros, 0, letter_sizes[at] - whole);
    return buf_err(out);
}

static void letter_wipe(struct buf *buf)
{
    if (buf->data != NULL)
        secret_wipe(buf->data, buf->capacity);
    buf_release(buf);
}

/* PROTOCOL LETTER-3: "The writer's key is one made for this alone: the thread's of who replies, the
 * ask's of who asked." */
enum err letter_seal(const struct letter_by *by, struct span content,
                     const uint8_t recipient[static KEY_SIZE], const struct entropy *entropy,
                     struct buf *out)
{
    struct buf inside = {0}, padded = {0};
    enum err err = content.size <= LETTER_INSIDE_MAX ? letter_put(by, content, &inside) : ERR_LIMIT;

    if (err == ERR_OK)
        err = letter_pad(buf_span(&inside), &padded);
    if (err == ERR_OK)
        err = seal_wrap(recipient, entropy, buf_span(&padded), out);
    letter_wipe(&inside);
    letter_wipe(&padded);
    return err;
}

/* PROTOCOL LETTER-1: "Another size, or padding that is not zero, is malformed." */
static enum err letter_unpad(struct span padded, struct span *out)
{
    size_t size = padded.size >= 2 ? be16(padded.data) : 0;

    if (padded.size < 2 || size > padded.size - 2)
        return ERR_MALFORMED;
    *out = span_of(padded.data + 2, size);
    for (size_t at = 2 + size; at < padded.size; at++)
        if (padded.data[at] != 0)
            return ERR_MALFORMED;
    return ERR_OK;
}

enum err letter_open(const struct exchange_key *key, struct span bytes, struct buf *plain,
                     struct letter *out)
{
    struct span inside = {0};
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = letter_is_size(bytes.size) ? ERR_OK : ERR_MALFORMED;

    *out = (struct letter){.content = span_of(NULL, 0)};
    if (err == ERR_OK)
        err = seal_unwrap(key->public_key, key->secret, bytes, plain);
    if (err == ERR_OK)
        err = letter_unpad(buf_span(plain), &inside);
    if (err == ERR_OK)
        err = wire_open(&doc, inside, &wire);
    if (err == ERR_OK) {
        out->content = wire_bin(&wire, 1, LETTER_INSIDE_MAX);
        out->signature = wire_bin(&wire, SIGNATURE_SIZE, SIGNATURE_SIZE);
        out->proof = wire_bin(&wire, 0, IDENTITY_SIZE_MAX + 256);
        wire_end(&wire);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    return err;
}

/* PROTOCOL LETTER-4: "Who gives their name adds a statement of a device of theirs" */
enum err letter_verify(const struct letter *letter, const struct public_key *writer,
                       bool *out_has_member, struct public_key *out_member)
{
    struct statement statement;
    struct hash claim;
    enum err err = identity_verify(writer, letter_label, letter->content, letter->signature.data);

    *out_has_member = false;
    if (err != ERR_OK || letter->proof.size == 0)
        return err;
    err = statement_read(letter_by_label, letter->proof, &statement);
    if (err != ERR_OK)
        return err;
    letter_claim(letter->content, &claim);
    if (statement.chain.count == 0 ||
        !span_is_equal(statement.body, span_of(claim.bytes, HASH_SIZE)))
        return ERR_FORGED;
    *out_has_member = true;
    *out_member = statement.member;
    return ERR_OK;
}

enum err letter_signers(const struct letter *letter, struct device_keys *out)
{
    struct statement statement;
    enum err err = ERR_OK;

    out->count = 0;
    if (letter->proof.size == 0)
        return ERR_OK;
    err = statement_read(letter_by_label, letter->proof, &statement);
    if (err == ERR_OK)
        device_keys_of(&statement.chain, out);
    return err;
}
