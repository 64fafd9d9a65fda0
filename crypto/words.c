/*
 * Bits to words and back, eleven at a time. The list is sorted, so reading is a binary search.
 * Neither way is constant-time: both happen once, for a person at the screen, on their own machine.
 */
#include "crypto/words.h"

#include <string.h>

#include "crypto/secret.h"
#include "crypto/wordlist.h"

enum { WORDS_BITS = 11, WORDS_RECOVERY_BYTES = SEED_SIZE + 1 }; /* the seed and its checksum */

_Static_assert((int)WORD_SIZE_MAX == (int)WORDLIST_WORD_SIZE, "room for each word of the list");
_Static_assert(WORDS_RECOVERY_COUNT *WORDS_BITS == WORDS_RECOVERY_BYTES * 8, "BIP-39: 24 words");

/* Number of the 11 bits that word index covers, most significant first. */
static unsigned words_bits(const uint8_t *bytes, size_t index)
{
    unsigned number = 0;

    for (size_t bit = index * WORDS_BITS; bit < (index + 1) * WORDS_BITS; bit++)
        number = number << 1 | ((unsigned)bytes[bit / 8] >> (7 - bit % 8) & 1U);
    return number;
}

/* Sets the same bits in bytes that are still zero there. */
static void words_bits_put(uint8_t *bytes, size_t index, unsigned number)
{
    for (size_t at = 0; at < WORDS_BITS; at++) {
        size_t bit = index * WORDS_BITS + at;
        unsigned value = number >> (WORDS_BITS - 1 - at) & 1U;

        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] | value << (7 - bit % 8));
    }
}

static void words_write(const uint8_t *bytes, size_t count, char *out)
{
    for (size_t index = 0; index < count; index++) {
        const char *word = wordlist[words_bits(bytes, index)];
        size_t size = strlen(word);

        memcpy(out, word, size);
        out += size;
        *out++ = index + 1 < count ? ' ' : '\0';
    }
}

/* The word's number in the list, or WORDLIST_COUNT. word is in lower case with its end. */
/* PROTOCOL WORDS-1: "Words are from the English list of BIP-39, numbered 0 to 2,047; a word
 * carries 11 bits, most significant first." */
static unsigned words_find(const char *word)
{
    unsigned low = 0, high = WORDLIST_COUNT;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        int order = strcmp(word, wordlist[middle]);

        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return WORDLIST_COUNT;
}

static bool words_is_space(uint8_t letter)
{
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

/* Cuts the next word, in lower case, off the front of text: its size, 0 at the end of the text, or
 * more than WORD_SIZE_MAX for a word too long for the list. */
static size_t words_next(struct span *text, char out[static WORD_SIZE_MAX + 1])
{
    size_t size = 0;

    while (text->size > 0 && words_is_space(text->data[0]))
        *text = span_of(text->data + 1, text->size - 1);
    for (; text->size > 0 && !words_is_space(text->data[0]); size++) {
        uint8_t letter = text->data[0];

        if (size == WORD_SIZE_MAX)
            return WORD_SIZE_MAX + 1;
        out[size] = (char)(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
        *text = span_of(text->data + 1, text->size - 1);
    }
    out[size] = '\0';
    return size;
}

/* BIP-39: the first byte of the seed's SHA-256. */
static uint8_t words_checksum(const uint8_t seed[static SEED_SIZE])
{
    uint8_t hash[HASH_SIZE];
    uint8_t first;

    digest_sha_hash(DIGEST_SHA256, span_of(seed, SEED_SIZE), span_of(NULL, 0), hash);
    first = hash[0];
    secret_wipe(hash, sizeof hash);
    return first;
}

/* PROTOCOL WORDS-2: "The recovery words are 24 words over the recovery seed and one byte, the
 * first of its SHA-256 (BIP-39 with 256 bits of entropy). The seed is the entropy itself;
 * BIP-39's PBKDF2 step is not used." */
void words_recovery(const uint8_t seed[static SEED_SIZE], char out[static WORDS_RECOVERY_SIZE])
{
    uint8_t bytes[WORDS_RECOVERY_BYTES];

    memcpy(bytes, seed, SEED_SIZE);
    bytes[SEED_SIZE] = words_checksum(seed);
    words_write(bytes, WORDS_RECOVERY_COUNT, out);
    secret_wipe(bytes, sizeof bytes);
}

/* PROTOCOL WORDS-3: "They are written in lower case with single spaces. A reader takes either
 * case and any run of ASCII white space, before and after too, and whole words only." */
/* PROTOCOL WORDS-4: "A reader tells apart: not 24 words of the list, and a checksum that does
 * not fit." */
enum err words_read_recovery(struct span text, uint8_t out_seed[static SEED_SIZE])
{
    uint8_t bytes[WORDS_RECOVERY_BYTES] = {0};
    char word[WORD_SIZE_MAX + 1] = {0};
    enum err err = ERR_INVALID;

    for (size_t index = 0; index < WORDS_RECOVERY_COUNT; index++) {
        size_t size = words_next(&text, word);
        /* A zero byte within a word would end it early for the search. */
        bool is_word = size > 0 && size <= WORD_SIZE_MAX && strlen(word) == size;
        unsigned number = is_word ? words_find(word) : WORDLIST_COUNT;

        if (number == WORDLIST_COUNT)
            goto wipe;
        words_bits_put(bytes, index, number);
    }
    if (words_next(&text, word) != 0)
        goto wipe;
    err = ERR_FORGED;
    if (bytes[SEED_SIZE] != words_checksum(bytes))
        goto wipe;
    memcpy(out_seed, bytes, SEED_SIZE);
    err = ERR_OK;
wipe:
    secret_wipe(bytes, sizeof bytes);
    secret_wipe(word, sizeof word);
    return err;
}

/* PROTOCOL WORDS-5: "The safety words of two members are 8 words over the first 88 bits of
 * H(kith safety, lower root | higher root), where the roots are the 32-byte public keys in the
 * order of bytes." */
void words_safety(const struct public_key *left, const struct public_key *right,
                  char out[static WORDS_SAFETY_SIZE])
{
    struct span roots[2] = {span_of(left->bytes, 32), span_of(right->bytes, 32)};
    struct hash hash;

    /* The lower root first, so that both sides read the same words. */
    if (span_order(roots[0], roots[1]) > 0) {
        roots[0] = span_of(right->bytes, 32);
        roots[1] = span_of(left->bytes, 32);
    }
    digest("kith safety", roots, 2, &hash);
    words_write(hash.bytes, WORDS_SAFETY_COUNT, out);
}
