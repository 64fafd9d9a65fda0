/* Open addressing, at most half full; the place is the top of a product with a secret odd word. */
#include "proto/offers.h"

#include "crypto/heap.h"

enum { OFFERS_CAPACITY_MIN = 16 };

/* Where the word stands, or would. */
static size_t offers_place(const struct offers *offers, uint64_t key, uint64_t word)
{
    size_t at = (size_t)(word * (key | 1) >> 32) & (offers->capacity - 1);

    while (offers->words[at] != 0 && offers->words[at] != word)
        at = (at + 1) & (offers->capacity - 1);
    return at;
}

static bool offers_grow(struct offers *offers, uint64_t key)
{
    struct offers grown = {.count = offers->count,
                           .capacity =
                               offers->capacity == 0 ? OFFERS_CAPACITY_MIN : offers->capacity * 2};

    grown.words = heap_new_zeroed(grown.capacity, sizeof *grown.words);
    if (grown.words == NULL)
        return false;
    for (size_t at = 0; at < offers->capacity; at++)
        if (offers->words[at] != 0)
            grown.words[offers_place(&grown, key, offers->words[at])] = offers->words[at];
    heap_free(offers->words);
    *offers = grown;
    return true;
}

bool offers_add(struct offers *offers, const uint8_t key[static HASH_SIZE], const struct hash *hash)
{
    uint64_t secret = be64(key), word = be64(hash->bytes) ^ be64(key + 8);
    size_t at;

    word += word == 0;
    if (offers->capacity > 0 && offers->words[offers_place(offers, secret, word)] == word)
        return false;
    if (offers->count == OFFERS_MAX ||
        (2 * (offers->count + 1) > offers->capacity && !offers_grow(offers, secret)))
        return false;
    at = offers_place(offers, secret, word);
    offers->words[at] = word;
    offers->count++;
    return true;
}

size_t offers_held(const struct offers *offers)
{
    return offers->capacity * sizeof *offers->words;
}

void offers_release(struct offers *offers)
{
    heap_free(offers->words);
    *offers = (struct offers){0};
}
