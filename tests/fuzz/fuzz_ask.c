/* Any bytes as a body, an author part, a pass and a close: read or refused; what was read is
 * written as it was, and what was verified reads the same without cryptography. */
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "proto/ask_pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_body(struct span bytes)
{
    struct buf again = {0};
    struct ask ask;

    if (ask_read(bytes, &ask) != ERR_OK)
        return;
    if (ask_write(&ask, &again) != ERR_OK || !span_is_equal(buf_span(&again), bytes) ||
        ask.hop_limit == 0 || ask.hop_limit > ASK_HOPS_MAX || ask.expires_ms <= ask.issued_ms ||
        ask_text_fault(&ask) != NULL)
        abort();
    buf_release(&again);
}

static void fuzz_pass(struct span bytes)
{
    static const struct public_key from = {{1}}, reader = {{2}};
    struct public_key grant;
    enum ask_fault fault;
    struct ask_pass pass;
    struct buf next = {0};
    enum err err;

    if (ask_pass_read(bytes, &pass) != ERR_OK)
        return;
    if (pass.depth == 0 || pass.depth > ASK_HOPS_MAX ||
        ask_pass_check(&pass, &from, &reader, &fault) != ERR_OK ||
        ask_fault_sentence(fault) == NULL)
        abort();
    err = ask_pass_issue(&pass, &reader, span_of(NULL, 0), &next, &grant);
    if ((err == ERR_OK) != (pass.depth < pass.ask.hop_limit) ||
        (err == ERR_OK && next.size > ASK_PASS_SIZE_MAX))
        abort();
    buf_release(&next);
}

static void fuzz_rest(struct span bytes)
{
    static const struct ask ask = {.hop_limit = 1};
    static const struct hash hash = {{3}};
    struct ask_close close, peeked;
    struct ask_signer signer;

    if (ask_author_read(bytes, &ask, &hash, &signer) == ERR_OK)
        abort(); /* Nobody commits to nothing. */
    if (ask_author_peek(bytes, &signer) == ERR_OK && signer.name.size > NAME_SIZE_MAX)
        abort();
    if (ask_close_read(bytes, &close) == ERR_OK &&
        (ask_close_peek(bytes, &peeked) != ERR_OK ||
         memcmp(close.hash.bytes, peeked.hash.bytes, HASH_SIZE) != 0 || close.reason == 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);

    if (secret_start() != ERR_OK)
        abort();
    fuzz_body(bytes);
    fuzz_pass(bytes);
    fuzz_rest(bytes);
    return 0;
}
