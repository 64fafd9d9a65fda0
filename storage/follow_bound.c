/* What somebody else may make of an object, and of a space. */
#include "proto/limits.h"
#include "storage/follow_state.h"

enum err follow_bound_log(struct ledger_txn *txn, uint32_t space, const struct public_key *device,
                          uint32_t *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row about;
    struct key key, prefix;
    struct span row;
    size_t count = 0;
    enum err err;

    key_of_u32(space, &prefix);
    key = prefix;
    key_add_bytes(&key, span_of(device->bytes, 32));
    err = ledger_get(&snapshot, TABLE_LOG_ID, &key, &row);
    if (err == ERR_OK)
        *out = be32(row.data);
    if (err != ERR_NOT_FOUND)
        return err;
    err = ledger_space_numbered(&snapshot, space, &about);
    if (err == ERR_OK && !about.is_mine)
        err = ledger_count_rows(&snapshot, TABLE_LOG_ID, key_span(&prefix), SPACE_LOGS_MAX, &count);
    if (err == ERR_OK && count >= SPACE_LOGS_MAX)
        err = ERR_LIMIT;
    return err == ERR_OK ? log_table_number(txn, space, device, out) : err;
}

/* A place in a log that nothing is known of is covered by nothing. */
enum err follow_place_log(struct ledger_txn *txn, const struct space_row *space,
                          const struct public_key *device, uint32_t *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct log_id id = {.space = space->id, .device = *device};
    struct log_row log;
    enum err err = ledger_log(&snapshot, &id, &log);

    *out = err == ERR_OK ? log.number : 0;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL MERGE-5: "An edit that would give an object of somebody else more than OBJECT_MARKS_MAX
 * dots, ties, marks of logs and names, or their space more than SPACE_LOGS_MAX logs, or that makes
 * any object larger than 1 MiB as it is kept, is passed over." */
bool follow_bound_is_beyond(const struct space_row *space, const struct object *object,
                            const struct edit *edit)
{
    return !space->is_mine && object_marks(object) + edit_marks(edit) > OBJECT_MARKS_MAX;
}
