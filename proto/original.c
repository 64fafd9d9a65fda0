/* The codec of originals. */
#include "proto/original.h"

#include "proto/limits.h"

/* PROTOCOL ORIGIN-1: "An edit may have a fifth element [device, seq, entry hash]: it repeats, write
 * for write, what that device wrote first, as the entry seq of its log in this space; the time is
 * that entry's, too." */
void original_put(const struct original *original, struct buf *out)
{
    wire_put_array(out, original->has_place ? 5 : 3);
    wire_put_bin(out, span_of(original->device.bytes, 32));
    wire_put_uint(out, original->seq);
    wire_put_bin(out, span_of(original->entry_hash.bytes, HASH_SIZE));
    if (!original->has_place)
        return;
    wire_put_bin(out, span_of(original->place_device.bytes, 32));
    wire_put_uint(out, original->place_seq);
}

void original_read(struct wire *wire, struct original *out)
{
    struct wire list = wire_array(wire, 3, 5);

    *out = (struct original){.has_place = list.left > 3};
    wire_bytes(&list, out->device.bytes, 32);
    out->seq = wire_uint(&list, LOG_SIZE_MAX);
    wire_bytes(&list, out->entry_hash.bytes, HASH_SIZE);
    if (out->has_place) {
        wire_bytes(&list, out->place_device.bytes, 32);
        out->place_seq = wire_uint(&list, LOG_SIZE_MAX);
    }
    wire_end(&list);
}

bool original_is_equal(const struct original *left, const struct original *right)
{
    return public_key_is_equal(&left->device, &right->device) && left->seq == right->seq &&
           span_is_equal(span_of(left->entry_hash.bytes, HASH_SIZE),
                         span_of(right->entry_hash.bytes, HASH_SIZE));
}
