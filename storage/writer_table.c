/* Spaces are never taken away, and their writers stay: nothing is erased here. */
#include "storage/writer_table.h"

#include "storage/ledger_state.h"

enum err writer_table_put(struct ledger_txn *txn, const struct space_row *space)
{
    struct key key;

    key_of_bytes(span_of(space->writer.bytes, 32), &key);
    key_add_u32(&key, space->number);
    return ledger_put(txn, TABLE_WRITER, &key, span_of(NULL, 0));
}

enum err writer_table_make(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = ledger_clear(txn, TABLE_WRITER, span_of(NULL, 0));

    for (uint32_t number = 1; err == ERR_OK && number <= txn->counters.spaces; number++) {
        struct space_row space;

        err = ledger_space_numbered(&snapshot, number, &space);
        if (err == ERR_OK)
            err = writer_table_put(txn, &space);
    }
    return err;
}

struct writer_walk {
    const struct snapshot *snapshot;
    writer_table_fn each;
    void *self;
};

static enum err writer_table_on_row(void *self, struct span key, struct span value)
{
    const struct writer_walk *walk = self;
    struct space_row space;
    enum err err = ERR_CORRUPT;

    (void)value;
    if (key.size == 32 + 4)
        err = ledger_space_numbered(walk->snapshot, be32(key.data + 32), &space);
    return err == ERR_OK ? walk->each(walk->self, &space) : err;
}

enum err writer_table_each(const struct snapshot *snapshot, const struct public_key *writer,
                           writer_table_fn each, void *self)
{
    struct writer_walk walk = {.snapshot = snapshot, .each = each, .self = self};

    return ledger_each(snapshot, TABLE_WRITER, span_of(writer->bytes, 32), writer_table_on_row,
                       &walk);
}
