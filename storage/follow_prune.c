/*
 * What an object loses when the payloads behind it are gone or over. Nothing older comes up again:
 * forgets name all of an object, and what expires lives and dies whole.
 */
#include <string.h>

#include "crypto/secret.h"
#include "storage/absent.h"
#include "storage/expiry.h"
#include "storage/follow_state.h"
#include "storage/row.h"

static bool follow_is_lost(void *self, uint64_t arrival)
{
    const struct snapshot *snapshot = self;
    struct entry_row row;

    if (ledger_entry(snapshot, arrival, &row) != ERR_OK)
        return false;
    return row.entry.payload.size == 0 || expiry_is_over(snapshot, &row);
}

/* Does this edit, which stands apart from its log, show what it says? */
static bool follow_shows_apart(const struct snapshot *snapshot, uint64_t arrival)
{
    struct edit_space edit = {0};
    struct buf plain = {0};
    struct entry_row row;
    bool shows = false;

    if (ledger_entry(snapshot, arrival, &row) == ERR_OK && row.entry.payload.size > 0 &&
        !expiry_is_over(snapshot, &row) && ledger_open_entry(snapshot, &row, &plain) == ERR_OK &&
        edit_read(&edit, buf_span(&plain)) == ERR_OK)
        for (size_t at = 0; at < edit.edit.writes_count; at++)
            shows |=
                edit.edit.writes[at].op != WRITE_DELETE && (row.is_cut || edit.edit.has_original);
    edit_release(&edit);
    if (plain.data != NULL)
        secret_wipe(plain.data, plain.capacity);
    buf_release(&plain);
    return shows;
}

/* Entries that no forget names wrote here, too: what they say may have been displaced by what is
 * lost now, as an added tag is by its removal, of which nothing else tells. A place in a log says
 * nothing of those apart. */
static bool follow_has_others(const struct snapshot *snapshot, const struct object *object)
{
    for (size_t at = 0; at < object->touched_count; at++) {
        struct entry_row row;
        enum err err =
            ledger_entry_at(snapshot, object->touched[at].log, object->touched[at].seq, &row);

        if (err == ERR_OK && row.entry.payload.size > 0 && !expiry_is_over(snapshot, &row))
            return true;
    }
    for (size_t at = 0; object->apart_count > 0 && at < object->edits_count; at++)
        if (follow_shows_apart(snapshot, object->edits[at]))
            return true;
    return false;
}

enum err follow_prune(struct ledger_txn *txn, const struct space_row *space, uint8_t kind,
                      const struct id *object)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct object before = {0}, after = {0};
    struct buf bytes = {0};
    uint32_t number;
    bool has_others = false, is_less = false;
    enum err err = row_find(&snapshot, space->number, kind, object, &number);

    if (err == ERR_OK)
        err = follow_read_row(txn, &bytes, number, &before, &after);
    if (err == ERR_OK) {
        is_less = object_prune(&after, follow_is_lost, &snapshot);
        has_others = (is_less || before.gone_count > 0) && follow_has_others(&snapshot, &before);
    }
    if (err == ERR_OK && is_less)
        err = row_put(txn, number, space->number, &after);
    if (err == ERR_OK && is_less)
        err = follow_tell(txn, space, number, &before, &after);
    object_release(&before);
    object_release(&after);
    if (bytes.data != NULL)
        secret_wipe(bytes.data, bytes.capacity);
    buf_release(&bytes);
    return err == ERR_NOT_FOUND          ? ERR_OK
           : err == ERR_OK && has_others ? follow_space_again(txn, space->number)
                                         : err;
}

enum err follow_hide(struct ledger_txn *txn, uint64_t arrival)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct edit_space edit = {0};
    struct buf plain = {0};
    struct space_row space;
    struct entry_row row;
    struct log_row log;
    enum err err = ledger_entry(&snapshot, arrival, &row);

    if (err == ERR_OK)
        err = ledger_log_numbered(&snapshot, row.log, &log);
    if (err == ERR_OK)
        err = ledger_space_numbered(&snapshot, log.space, &space);
    if (err == ERR_OK)
        err = ledger_open_entry(&snapshot, &row, &plain);
    if (err == ERR_OK)
        err = edit_read(&edit, buf_span(&plain));
    if (err == ERR_OK)
        err = follow_prune(txn, &space, edit.edit.kind, &edit.edit.object);
    edit_release(&edit);
    if (plain.data != NULL)
        secret_wipe(plain.data, plain.capacity);
    buf_release(&plain);
    /* What was never read shows nothing. */
    return err == ERR_NOT_FOUND || err == ERR_KEY_MISSING || err == ERR_FORGED ||
                   err == ERR_MALFORMED
               ? ERR_OK
               : err;
}
