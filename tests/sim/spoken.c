/* See spoken.h. */
#include "tests/sim/spoken.h"

static void spoken_entry(struct world_node *node, const struct snapshot *snapshot,
                         const struct entry_row *row, spoken_fn each, void *self)
{
    struct spoken spoken = {.has_expiry = row->entry.header.expires_at_s > 0};
    struct edit_space edit = {0};
    struct buf plain = {0};
    struct span statement = {0};
    struct log_row log;

    world_must(ledger_log_numbered(snapshot, row->log, &log));
    if (ledger_open_entry(snapshot, row, &plain) == ERR_OK &&
        edit_read(&edit, buf_span(&plain)) == ERR_OK && edit.edit.kind == KIND_INTRODUCTION)
        statement = edit.edit.writes[0].value.bytes;
    spoken.is_first = public_key_is_equal(&log.device, ledger_device(node->ledger)) &&
                      !row->is_cut && !edit.edit.has_original;
    if (statement.size > 0 &&
        introduction_read(statement, &spoken.member, &spoken.message) == ERR_OK)
        each(self, node, snapshot, &spoken);
    edit_release(&edit);
    buf_release(&plain);
}

void spoken_each(struct world_node *node, uint64_t *arrival, spoken_fn each, void *self)
{
    struct snapshot snapshot;
    struct entry_row row;
    uint64_t newest;

    if (!node->is_up || node->ledger == NULL)
        return;
    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(ledger_newest_arrival(&snapshot, &newest));
    for (; *arrival < newest; (*arrival)++)
        if (ledger_entry(&snapshot, *arrival + 1, &row) == ERR_OK)
            spoken_entry(node, &snapshot, &row, each, self);
    ledger_snapshot_end(&snapshot);
}
