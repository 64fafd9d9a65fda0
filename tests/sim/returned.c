#include "tests/sim/returned.h"

#include "crypto/secret.h"
#include "proto/frame.h"
#include "proto/message.h"
#include "storage/replica.h"

static void returned_must(enum err err)
{
    KITH_ASSERT(err == ERR_OK);
}

struct returned *returned_carry(const struct returned_row *row)
{
    struct frame_reader reader = {0};
    struct wire_doc doc = {0};
    struct returned *returned;
    struct message message;
    struct buf bytes = {0};
    struct span one;

    message_put_returned(row, 0, &bytes);
    returned_must(frame_feed(&reader, buf_span(&bytes)));
    returned_must(frame_next(&reader, &one));
    returned_must(message_read(&doc, one, &message));
    returned_must(returned_read(&message.returned, &returned));
    wire_release(&doc);
    frame_release(&reader);
    buf_release(&bytes);
    return returned;
}

size_t returned_own_log(struct member *member, const struct id *space,
                        struct returned *out[static RETURNED_MAX])
{
    struct log_id log = {.space = *space, .device = *ledger_device(member->ledger)};
    struct snapshot snapshot = member_snapshot(member);
    struct returned_row *row = secret_new(sizeof *row);
    struct replica replica;
    struct chain at;
    size_t count = 0;
    enum err err;

    KITH_ASSERT(row != NULL);
    replica_of(&snapshot, &replica);
    chain_begin(&log, &at);
    while ((err = replica.fetch(replica.self, &log, &at, row)) == ERR_OK && count < RETURNED_MAX) {
        at = row->end;
        row->epochs_count = 0;
        row->is_last = true;
        out[count++] = returned_carry(row);
        returned_release(row);
    }
    KITH_ASSERT(err == ERR_NOT_FOUND);
    secret_free(row);
    ledger_snapshot_end(&snapshot);
    return count;
}
