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

static bool forget_is_same_log(const struct forget_place *left, const struct forget_place *right)
{
    return public_key_is_equal(&left->device, &right->device);
}

void forget_put_places(const struct forget_place *places, size_t count, struct buf *out)
{
    size_t logs = 0, end;

    for (size_t at = 0; at < count; at++)
        logs += at == 0 || !forget_is_same_log(&places[at - 1], &places[at]);
    wire_put_array(out, logs);
    for (size_t at = 0; at < count; at = end) {
        for (end = at + 1; end < count && forget_is_same_log(&places[at], &places[end]); end++)
            continue;
        wire_put_array(out, 2);
        wire_put_bin(out, span_of(places[at].device.bytes, 32));
        wire_put_array(out, end - at);
        for (size_t one = at; one < end; one++) {
            wire_put_array(out, 2);
            wire_put_uint(out, places[one].seq);
            wire_put_bin(out, span_of(places[one].payload.bytes, HASH_SIZE));
        }
    }
}

/* The places of one device. */
static enum err forget_read_log(struct wire *row, struct forget_place *place, size_t *count,
                                forget_fn each, void *self)
{
    struct wire places = wire_array(row, 1, FORGET_PLACES_MAX);

    while (places.left > 0 && wire_err(row->doc) == ERR_OK) {
        struct wire one = wire_array(&places, 2, 2);
        enum err err;

        place->seq = wire_uint(&one, LOG_SIZE_MAX);
        wire_bytes(&one, place->payload.bytes, HASH_SIZE);
        (*count)++;
        if (wire_err(row->doc) != ERR_OK || each == NULL)
            continue;
        err = each(self, place);
        if (err != ERR_OK)
            return err;
    }
    return wire_err(row->doc);
}

static enum err forget_read(struct wire list, size_t *count, forget_fn each, void *self)
{
    while (list.left > 0 && wire_err(list.doc) == ERR_OK) {
        struct wire row = wire_array(&list, 2, 2);
        struct forget_place place;
        enum err err;

        wire_bytes(&row, place.device.bytes, 32);
        err = forget_read_log(&row, &place, count, each, self);
        if (err != ERR_OK)
            return err;
    }
    return wire_err(list.doc);
}

enum err forget_each_place(struct span places, forget_fn each, void *self)
{
    struct wire_doc doc = {0};
    struct wire list;
    size_t count = 0;
    enum err err = wire_open(&doc, places, &list);

    if (err == ERR_OK && list.left > LOGS_PER_PEER_MAX)
        err = ERR_MALFORMED;
    if (err == ERR_OK)
        err = forget_read(list, &count, NULL, NULL);
    if (err == ERR_OK && count > FORGET_PLACES_MAX)
        err = ERR_MALFORMED;
    if (err == ERR_OK)
        err = forget_read(list, &count, each, self);
    wire_release(&doc);
    return err;
}
