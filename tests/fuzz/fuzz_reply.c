/* Any bytes as what is carried for a thread, and as the inside of its letters: read or refused, and
 * what was read is written again as the same bytes. */
#include <stdlib.h>

#include "crypto/secret.h"
#include "proto/answer.h"
#include "proto/limits.h"
#include "proto/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_same(struct span bytes, enum err err, struct buf *again)
{
    if (err != ERR_OK || !span_is_equal(bytes, buf_span(again)))
        abort();
    buf_release(again);
}

static void fuzz_inside(struct span bytes)
{
    struct answer_letter letter;
    struct reply reply;
    struct buf again = {0};

    if (reply_peek(bytes, &reply) == ERR_OK)
        fuzz_same(bytes, reply_write(&reply, &again), &again);
    if (answer_peek(bytes, &letter) == ERR_OK)
        fuzz_same(bytes, answer_write(&letter, &again), &again);
}

/* As the plaintext of a sealed letter: nobody signed it. */
static void fuzz_letter(struct span bytes)
{
    const uint8_t seed[SEED_SIZE] = {3};
    struct entropy entropy = entropy_os();
    struct buf sealed = {0}, plain = {0};
    struct public_key member;
    struct exchange_key key;
    struct hash ask = {{5}};
    struct letter letter;
    struct reply reply;
    bool has_member;

    identity_exchange_key(seed, &key);
    if (seal_wrap(key.public_key, &entropy, bytes, &sealed) != ERR_OK)
        abort();
    if (reply_open(&key, &ask, buf_span(&sealed), &plain, &reply, &letter, &has_member, &member) ==
        ERR_OK)
        abort();
    buf_release(&sealed);
    buf_release(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    struct reply_carried carried;
    struct answer answer, looked;
    struct buf again = {0};

    if (secret_start() != ERR_OK)
        abort();
    if (reply_read_carried(bytes, &carried) == ERR_OK) {
        reply_carry(&carried, &again);
        fuzz_same(bytes, buf_err(&again), &again);
    }
    if (answer_read(bytes, &answer) == ERR_OK && answer_look(bytes, &looked) != ERR_OK)
        abort();
    fuzz_inside(bytes);
    fuzz_letter(bytes);
    return 0;
}
