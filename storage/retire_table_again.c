/* What was stated of the devices of a member, looked at once more: when a device has become known,
 * or another statement counts. */
#include <string.h>

#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/retire_rows.h"
#include "storage/row.h"
#include "storage/view_peer.h"
#include "storage/writer_table.h"

/* Applying. */

static enum err retire_table_on_kept(void *self, struct span key, struct span value)
{
    struct buf *devices = self;
    struct span device = span_of(key.data + 4, 32);

    (void)value;
    if (key.size < 4 + 32)
        return ERR_CORRUPT;
    if (devices->size == 0 ||
        !span_is_equal(span_of(devices->data + devices->size - 32, 32), device))
        buf_append(devices, device);
    return buf_err(devices);
}

static enum err retire_table_on_space(void *self, const struct space_row *space)
{
    struct buf *spaces = self;

    buf_append(spaces, span_of(space, sizeof *space));
    return buf_err(spaces);
}

static enum err retire_table_apply_space(struct ledger_txn *txn, const struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct buf devices = {0};
    struct key prefix;
    enum err err;

    key_of_u32(space->number, &prefix);
    err = ledger_each(&snapshot, TABLE_KEEP, key_span(&prefix), retire_table_on_kept, &devices);
    for (size_t at = 0; err == ERR_OK && at < devices.size; at += 32) {
        struct public_key device;

        memcpy(device.bytes, devices.data + at, 32);
        err = keep_apply(txn, space, &device);
    }
    buf_release(&devices);
    return err;
}

enum err retire_table_apply(struct ledger_txn *txn, const struct public_key *member)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct buf spaces = {0};
    struct space_row space;
    enum err err = writer_table_each(&snapshot, member, retire_table_on_space, &spaces);

    for (size_t at = 0; err == ERR_OK && at < spaces.size; at += sizeof space) {
        memcpy(&space, spaces.data + at, sizeof space);
        err = retire_table_apply_space(txn, &space);
    }
    buf_release(&spaces);
    return err;
}

/* Hearing. */

struct retire_table_hearing {
    struct public_key device;
    struct id at; /* the object that was looked at last */
    struct buf statement;
};

static enum err retire_table_on_object(void *self, uint32_t number, const struct object *object)
{
    struct retire_table_hearing *hearing = self;
    struct span statement = object_value(object, KIND_STATEMENT_FIELD).bytes;
    struct public_key device;

    (void)number;
    hearing->at = object->id;
    if (retire_peek(object->kind, statement, &device) != ERR_OK ||
        !public_key_is_equal(&device, &hearing->device))
        return ERR_OK;
    buf_append(&hearing->statement, statement);
    return buf_err(&hearing->statement) == ERR_OK ? ERR_CANCELLED : ERR_NOMEM;
}

static enum err retire_table_hear_kind(struct ledger_txn *txn, const struct space_row *space,
                                       uint8_t kind, const struct public_key *device)
{
    struct retire_table_hearing hearing = {.device = *device};
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool is_first = true;
    enum err err;

    do {
        buf_clear(&hearing.statement);
        err = row_each_after(&snapshot, &space->id, kind, is_first ? NULL : &hearing.at,
                             retire_table_on_object, &hearing);
        is_first = false;
        if (err == ERR_CANCELLED)
            err = retire_table_take(txn, &space->writer, buf_span(&hearing.statement));
    } while (err == ERR_OK && hearing.statement.size > 0);
    buf_release(&hearing.statement);
    return err;
}

/* PROTOCOL STOLEN-14: "What a space says of a device that is not known yet is looked at again when
 * it is known." */
enum err retire_table_hear(struct ledger_txn *txn, struct span device)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct public_key about;
    struct buf spaces = {0};
    struct device_row row;
    enum err err = device.size == 32 ? ERR_OK : ERR_NOT_FOUND;

    if (err == ERR_OK) {
        memcpy(about.bytes, device.data, 32);
        err = view_device(&snapshot, &about, &row);
    }
    if (err == ERR_OK)
        err = writer_table_each(&snapshot, &row.member, retire_table_on_space, &spaces);
    for (size_t at = 0; err == ERR_OK && at < spaces.size; at += sizeof(struct space_row)) {
        struct space_row space;

        memcpy(&space, spaces.data + at, sizeof space);
        if (space.kind == SPACE_CARD)
            err = retire_table_hear_kind(txn, &space, KIND_RETIRE, &about);
        if (err == ERR_OK)
            err = retire_table_hear_kind(txn, &space, KIND_KEEP, &about);
    }
    buf_release(&spaces);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
