/* Any bytes as what is said in an introduction, as an introduction key, and as the inside of a
 * hello: read or refused, and what was verified reads the same without cryptography. */
#include <stdlib.h>

#include "crypto/secret.h"
#include "proto/introduction_bond.h"
#include "proto/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_hello(struct span bytes)
{
    struct introduction_bond bond = {.key = {3}};
    struct public_key sender = {{5}};
    struct introduction_hello hello;
    struct buf sealed = {0}, plain = {0};
    uint8_t key[KEY_SIZE];

    digest_derive(bond.key, "kith hello key", span_of(sender.bytes, 32), key);
    seal(key, span_of(bond.transcript.bytes, HASH_SIZE), bytes, &sealed);
    if (introduction_bond_open(&bond, &sender, buf_span(&sealed), &plain, &hello) == ERR_OK)
        abort(); /* Nobody signed it. */
    buf_release(&sealed);
    buf_release(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct introduction_message message, peeked;
    struct public_key member, again;
    struct span bytes = span_of(data, size);
    uint8_t key[32];
    enum err err;

    if (secret_start() != ERR_OK)
        abort();
    err = introduction_peek(bytes, &again, &peeked);
    if (err == ERR_OK && peeked.type == INTRODUCTION_OFFER &&
        introduction_expires_ms(&peeked.offer) >
            peeked.offer.issued_ms + INTRODUCTION_DAYS_MAX * MS_PER_DAY)
        abort();
    if (introduction_read(bytes, &member, &message) == ERR_OK &&
        (err != ERR_OK || !public_key_is_equal(&member, &again) || message.type != peeked.type ||
         introduction_introducer(&message, &member) == NULL))
        abort();
    if (introduction_key_read(bytes, &member, key) == ERR_OK && err == ERR_OK)
        abort(); /* One label each: no statement is both. */
    fuzz_hello(bytes);
    return 0;
}
