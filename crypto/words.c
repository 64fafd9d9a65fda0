/* Bits to words and back, eleven at a time. */
#include "crypto/words.h"

#include <string.h>

#include "crypto/secret.h"
#include "crypto/wordlist.h"

enum { WORDS_BITS = 11, WORDS_RECOVERY_BYTES = SEED_SIZE + 1 };

/* The eleven bits that begin at bit number at. */
static unsigned words_bits(const uint8_t *bytes, size_t at)
{
    unsigned value = 0;

    for (size_t bit = at; bit < at + WORDS_BITS; bit++)
        value = value << 1 | (bytes[bit / 8] >> (7 - bit % 8) & 1u);
    return value;
}

static void words_write(const uint8_t *bytes, size_t count, char *out)
{
    for (size_t at = 0; at < count; at++) {
        const char *word = wordlist[words_bits(bytes, at * WORDS_BITS)];
        size_t size = strlen(word);

        memcpy(out, word, size);
        out += size;
        *out++ = at + 1 < count ? ' ' : '\0';
    }
}

void words_recovery(const uint8_t seed[static SEED_SIZE], char out[static WORDS_RECOVERY_SIZE])
{
    uint8_t bytes[WORDS_RECOVERY_BYTES], hash[32];

    memcpy(bytes, seed, SEED_SIZE);
    digest_sha_hash(DIGEST_SHA256, span_of(seed, SEED_SIZE), span_of(NULL, 0), hash);
    bytes[SEED_SIZE] = hash[0];
    words_write(bytes, WORDS_RECOVERY_COUNT, out);
    secret_wipe(bytes, sizeof bytes);
    secret_wipe(hash, sizeof hash);
}

/* The list is in alphabetical order. -1 when the word is not in it. */
static int words_find(struct span word)
{
    size_t low = 0, high = WORDLIST_COUNT;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = span_order(word, span_str(wordlist[middle]));

        if (order == 0)
            return (int)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

static bool words_is_space(uint8_t letter)
{
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

/* Takes the next word in lower case from the front of text. False at the end, or for a word longer
 * than any. */
static bool words_next(struct span *text, uint8_t word[static WORD_SIZE_MAX], size_t *out_size)
{
    size_t size = 0;

    while (text->size > 0 && words_is_space(text->data[0]))
        *text = span_of(text->data + 1, text->size - 1);
    while (text->size > 0 && !words_is_space(text->data[0])) {
        uint8_t letter = text->data[0];

        if (size == WORD_SIZE_MAX)
            return false;
        word[size++] = letter >= 'A' && letter <= 'Z' ? (uint8_t)(letter + 32) : letter;
        *text = span_of(text->data + 1, text->size - 1);
    }
    *out_size = size;
    return size > 0;
}

static enum err words_read_bits(struct span text, uint8_t bytes[static WORDS_RECOVERY_BYTES])
{
    uint8_t word[WORD_SIZE_MAX];
    size_t size, count = 0;

    memset(bytes, 0, WORDS_RECOVERY_BYTES);
    while (words_next(&text, word, &size)) {
        int value = words_find(span_of(word, size));

        if (value < 0 || count == WORDS_RECOVERY_COUNT)
            return ERR_INVALID;
        for (size_t bit = 0; bit < WORDS_BITS; bit++)
            if (((unsigned)value >> (WORDS_BITS - 1 - bit) & 1u) != 0)
                bytes[(count * WORDS_BITS + bit) / 8] |=
                    (uint8_t)(0x80u >> (count * WORDS_BITS + bit) % 8);
        count++;
    }
    return text.size == 0 && count == WORDS_RECOVERY_COUNT ? ERR_OK : ERR_INVALID;
}

enum err words_read_recovery(struct span text, uint8_t out_seed[static SEED_SIZE])
{
    uint8_t bytes[WORDS_RECOVERY_BYTES], hash[32];
    enum err err = words_read_bits(text, bytes);

    if (err == ERR_OK) {
        digest_sha_hash(DIGEST_SHA256, span_of(bytes, SEED_SIZE), span_of(NULL, 0), hash);
        err = hash[0] == bytes[SEED_SIZE] ? ERR_OK : ERR_FORGED;
        secret_wipe(hash, sizeof hash);
    }
    if (err == ERR_OK)
        memcpy(out_seed, bytes, SEED_SIZE);
    secret_wipe(bytes, sizeof bytes);
    return err;
}

void words_safety(const struct public_key *left, const struct public_key *right,
                  char out[static WORDS_SAFETY_SIZE])
{
    struct span first = span_of(left->bytes, 32), second = span_of(right->bytes, 32);
    bool is_ordered = span_order(first, second) <= 0;
    const struct span parts[2] = {is_ordered ? first : second, is_ordered ? second : first};
    struct hash hash;

    digest("kith safety", parts, 2, &hash);
    words_write(hash.bytes, WORDS_SAFETY_COUNT, out);
}
