/* The fields of a restatement, and the marks it covers. */
#include "proto/restate.h"

enum { RESTATE_COVER_SIZE = 1 + 34 + 9 + 18 }; /* at most, as msgpack */

static const struct field restate_fields[] = {
    {RESTATE_COVERS, "covers", VALUE_BYTES, false, MATCH_EXACT,
     3 + LOGS_PER_PEER_MAX *RESTATE_COVER_SIZE},
    {RESTATE_EPOCH, "epoch", VALUE_BYTES, false, MATCH_EXACT, HASH_SIZE},
    {RESTATE_COMPLETE, "complete", VALUE_NUMBER, false, MATCH_EXACT, 0},
};

const struct kind restate_kind = {.number = KIND_RESTATEMENT,
                                  .name = "restatement",
                                  .spaces = 1u << SPACE_CARD | 1u << SPACE_NETWORK,
                                  .fields = restate_fields,
                                  .fields_count = sizeof restate_fields / sizeof restate_fields[0]};

void restate_put_covers(const struct restate_cover *covers, size_t count, struct buf *out)
{
    wire_put_array(out, count);
    for (size_t at = 0; at < count; at++) {
        wire_put_array(out, 3);
        wire_put_bin(out, span_of(covers[at].device.bytes, 32));
        wire_put_uint(out, covers[at].size);
        wire_put_bin(out, span_of(covers[at].tag, TAG_SIZE));
    }
}

enum err restate_read_covers(struct span bytes, struct restate_cover out[static LOGS_PER_PEER_MAX],
                             size_t *out_count)
{
    struct wire_doc doc = {0};
    struct wire list;
    enum err err = wire_open(&doc, bytes, &list);

    *out_count = 0;
    if (err == ERR_OK && list.left > LOGS_PER_PEER_MAX)
        wire_fail(&list);
    while (err == ERR_OK && list.left > 0 && wire_err(&doc) == ERR_OK) {
        struct restate_cover *cover = &out[(*out_count)++];
        struct wire row = wire_array(&list, 3, 3);

        wire_bytes(&row, cover->device.bytes, 32);
        cover->size = wire_uint(&row, LOG_SIZE_MAX);
        wire_bytes(&row, cover->tag, TAG_SIZE);
        wire_end(&row);
    }
    if (err == ERR_OK)
        err = wire_err(&doc);
    wire_release(&doc);
    return err;
}
