/* Open addressing, at most half full. */
#include "proto/places.h"

#include "crypto/digest.h"
#include "crypto/heap.h"

enum { PLACES_CAPACITY_MIN = 16 };

uint64_t places_word(const uint8_t key[static HASH_SIZE], const struct log_id *log)
{
    const struct span parts[] = {span_of(log->space.bytes, ID_SIZE),
                                 span_of(log->device.bytes, 32)};
    uint8_t word[8];

    digest_keyed(key, "kith places", parts, 2, word, sizeof word);
    return be64(word);
}

bool places_next(const struct places *places, uint64_t word, size_t *step, uint32_t *out)
{
    while (*step < places->capacity) {
        const struct place *place =
            &places->table[((size_t)word + (*step)++) & (places->capacity - 1)];

        if (place->at == 0)
            return false;
        *out = place->at - 1;
        if (place->word == word)
            return true;
    }
    return false;
}

static void places_put(struct places *places, uint64_t word, uint32_t at)
{
    size_t place = (size_t)word & (places->capacity - 1);

    while (places->table[place].at != 0)
        place = (place + 1) & (places->capacity - 1);
    places->table[place] = (struct place){.word = word, .at = at};
    places->count++;
}

static bool places_grow(struct places *places)
{
    struct places grown = {.capacity =
                               places->capacity == 0 ? PLACES_CAPACITY_MIN : places->capacity * 2};

    grown.table = heap_new_zeroed(grown.capacity, sizeof *grown.table);
    if (grown.table == NULL)
        return false;
    for (size_t at = 0; at < places->capacity; at++)
        if (places->table[at].at != 0)
            places_put(&grown, places->table[at].word, places->table[at].at);
    heap_free(places->table);
    *places = grown;
    return true;
}

bool places_add(struct places *places, uint64_t word, uint32_t at)
{
    if (2 * (places->count + 1) > places->capacity && !places_grow(places))
        return false;
    places_put(places, word, at + 1);
    return true;
}

size_t places_held(const struct places *places)
{
    return places->capacity * sizeof *places->table;
}

void places_release(struct places *places)
{
    heap_free(places->table);
    *places = (struct places){0};
}
