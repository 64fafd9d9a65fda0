/* The fields of a forget, and the places it names. */
#include "proto/forget.h"

#include "proto/limits.h"

static const struct field forget_fields[] = {
    {FORGET_KIND, "kind", VALUE_NUMBER, false, MATCH_EXACT, UINT8_MAX},
    {FORGET_OBJECT, "object", VALUE_BYTES, false, MATCH_EXACT, ID_SIZE},
    {FORGET_PLACES, "places", VALUE_BYTES, false, MATCH_EXACT, VALUE_SIZE_MAX},
};

const struct kind forget_kind = {.number = KIND_FORGET,
                                 .name = "forget",
                                 .spaces = 1u << SPACE_SELF | 1u << SPACE_PAIR,
                                 .fields = forget_fields,
                                 .fields_count = sizeof forget_fields / sizeof forget_fields[0]};

void forget_put_places(const struct public_key *device, const uint64_t *seqs, size_t count,
                       struct buf *out)
{
    wire_put_array(out, 2);
    wire_put_bin(out, span_of(device->bytes, 32));
    wire_put_array(out, count);
    for (size_t at = 0; at < count; at++)
        wire_put_uint(out, seqs[at]);
}

static enum err forget_read(struct wire list, forget_fn each, void *self)
{
    while (list.left > 0 && wire_err(list.doc) == ERR_OK) {
        struct wire row = wire_array(&list, 2, 2), seqs;
        struct public_key device;

        wire_bytes(&row, device.bytes, 32);
        seqs = wire_array(&row, 1, VALUE_SIZE_MAX);
        while (seqs.left > 0 && wire_err(list.doc) == ERR_OK) {
            uint64_t seq = wire_uint(&seqs, LOG_SIZE_MAX);
            enum err err =
                each != NULL && wire_err(list.doc) == ERR_OK ? each(self, &device, seq) : ERR_OK;

            if (err != ERR_OK)
                return err;
        }
    }
    return wire_err(list.doc);
}

enum err forget_each_place(struct span places, forget_fn each, void *self)
{
    struct wire_doc doc = {0};
    struct wire list;
    enum err err = wire_open(&doc, places, &list);

    if (err == ERR_OK && list.left > LOGS_PER_PEER_MAX)
        err = ERR_MALFORMED;
    if (err == ERR_OK)
        err = forget_read(list, NULL, NULL);
    if (err == ERR_OK)
        err = forget_read(list, each, self);
    wire_release(&doc);
    return err;
}
