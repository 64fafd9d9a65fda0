/*
 * Words people can write down and say aloud, from the BIP-39 English list of 2,048.
 * Recovery words: 256 bits and an 8-bit SHA-256 checksum in 24 words (BIP-39).
 * Safety words: eight words (88 bits) over the roots of two members, the same on both sides.
 */
#ifndef KITH_CRYPTO_WORDS_H
#define KITH_CRYPTO_WORDS_H

#include "crypto/identity.h"

enum {
    WORDS_RECOVERY_COUNT = 24,
    WORDS_SAFETY_COUNT = 8,
    WORD_SIZE_MAX = 8,
    WORDS_RECOVERY_SIZE = WORDS_RECOVERY_COUNT * (WORD_SIZE_MAX + 1),
    WORDS_SAFETY_SIZE = WORDS_SAFETY_COUNT * (WORD_SIZE_MAX + 1)
};

/* Writes the words, separated by single spaces, with an end. */
void words_recovery(const uint8_t seed[static SEED_SIZE], char out[static WORDS_RECOVERY_SIZE]);
/* Case and runs of white space do not matter. ERR_INVALID for a word not in the list or a wrong
 * count; ERR_FORGED when the checksum does not fit (a word was written down wrong). */
MUST_USE enum err words_read_recovery(struct span text, uint8_t out_seed[static SEED_SIZE]);
void words_safety(const struct public_key *left, const struct public_key *right,
                  char out[static WORDS_SAFETY_SIZE]);

#endif
