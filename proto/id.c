/* Ids are drawn, or follow from the key they are about. */
#include "proto/id.h"

#include <string.h>

enum { ID_TIME_SIZE = 6 };

/* PROTOCOL ID-1: "An object's id is creation time in milliseconds u48 | 10 random bytes, except
 * where a kind says otherwise." */
void id_draw(const struct entropy *entropy, uint64_t now_ms, struct id *out)
{
    uint8_t time[8];

    be64_put(time, now_ms);
    memcpy(out->bytes, time + 2, ID_TIME_SIZE);
    entropy_fill(entropy, out->bytes + ID_TIME_SIZE, ID_SIZE - ID_TIME_SIZE);
}

void id_draw_random(const struct entropy *entropy, struct id *out)
{
    entropy_fill(entropy, out->bytes, ID_SIZE);
}

void id_about(const char *label, const struct public_key *key, struct id *out)
{
    struct span part = span_of(key->bytes, 32);
    struct hash hash;

    digest(label, &part, 1, &hash);
    memcpy(out->bytes, hash.bytes, ID_SIZE);
}
