/* What follows when a device stands otherwise than it did. A row for each that once did not stand
 * well: in the table of certificates (view_certificate.c), 4, member, device: one byte. */
#include <string.h>

#include "storage/agenda.h"
#include "storage/endorsement_table.h"
#include "storage/follow.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/return_table.h"
#include "storage/running.h"
#include "storage/space.h"
#include "storage/writer_table.h"

enum { STANDING_ROW = 4 };

static void standing_key(const struct public_key *member, const struct public_key *device,
                         struct key *out)
{
    key_of_byte(STANDING_ROW, out);
    key_add_bytes(out, span_of(member->bytes, 32));
    key_add_bytes(out, span_of(device->bytes, 32));
}

enum err standing_noted(const struct snapshot *snapshot, const struct public_key *member,
                        const struct public_key *device, enum standing *out)
{
    struct span row;
    struct key key;
    enum err err;

    *out = STANDING_GOOD;
    standing_key(member, device, &key);
    err = ledger_get(snapshot, TABLE_CERTIFICATE, &key, &row);
    if (err == ERR_OK && (row.size != 1 || row.data[0] > STANDING_VOID))
        return ERR_CORRUPT;
    if (err == ERR_OK)
        *out = (enum standing)row.data[0];
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

bool standing_is_row(const struct key *key, struct public_key *out_member,
                     struct public_key *out_device)
{
    if (key->size != 1 + 32 + 32 || key->bytes[0] != STANDING_ROW)
        return false;
    memcpy(out_member->bytes, key->bytes + 1, 32);
    memcpy(out_device->bytes, key->bytes + 33, 32);
    return true;
}

static enum err standing_on_stated(void *self, struct span key, struct span value)
{
    struct buf *devices = self;

    (void)value;
    if (key.size < 32)
        return ERR_CORRUPT;
    buf_append(devices, span_of(key.data, 32));
    return buf_err(devices);
}

enum err standing_look_again(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct buf devices = {0};
    enum err err =
        ledger_each(&snapshot, TABLE_RETIRE, span_of(NULL, 0), standing_on_stated, &devices);

    for (size_t at = 0; err == ERR_OK && at < devices.size; at += 32) {
        struct public_key device;
        struct device_row row;

        memcpy(device.bytes, devices.data + at, 32);
        err = view_device(&snapshot, &device, &row);
        if (err == ERR_OK)
            err = agenda_put(txn, AGENDA_NOW, KIND_CERTIFICATE, span_of(row.member.bytes, 32));
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    buf_release(&devices);
    return err;
}

enum err standing_look_at_own(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool has_any = false;
    enum err err = retire_table_has_any(&snapshot, &has_any);

    return err == ERR_OK && has_any ? agenda_put(txn, AGENDA_NOW, KIND_CERTIFICATE,
                                                 span_of(ledger_member(txn->ledger)->bytes, 32))
                                    : err;
}

static enum err standing_on_space(void *self, const struct space_row *space)
{
    struct buf *spaces = self;

    buf_append(spaces, span_of(space, sizeof *space));
    return buf_err(spaces);
}

static enum err standing_on_cut(void *self, uint64_t arrival)
{
    *(bool *)self = true;
    (void)arrival;
    return ERR_CANCELLED;
}

static enum err standing_has_cut(const struct snapshot *snapshot, const struct space_row *space,
                                 const struct public_key *device, bool *in_out)
{
    struct log_id id = {.space = space->id, .device = *device};
    struct log_row log;
    enum err err = ledger_log(snapshot, &id, &log);

    if (err == ERR_OK)
        err = return_table_cuts(snapshot, log.number, standing_on_cut, in_out);
    return err == ERR_NOT_FOUND || err == ERR_CANCELLED ? ERR_OK : err;
}

struct standing_change {
    const struct public_key *member, *device;
    enum standing before, now;
};

/* PROTOCOL STOLEN-1: "What a stolen device wrote beyond its mark says nothing." What was cut, or is
 * now, is merged no more where it was stolen, and is again where it was not: also what has joined
 * its log. */
static enum err standing_change_log(struct ledger_txn *txn, const struct standing_change *change,
                                    const struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool is_theft = (change->before >= STANDING_STOLEN) != (change->now >= STANDING_STOLEN);
    bool has_cut = false;
    enum err err = ERR_OK;

    if (is_theft)
        err = standing_has_cut(&snapshot, space, change->device, &has_cut);
    if (err == ERR_OK)
        err = keep_apply(txn, space, change->device);
    if (err == ERR_OK && is_theft)
        err = standing_has_cut(&snapshot, space, change->device, &has_cut);
    return err == ERR_OK && has_cut ? follow_space_again(txn, space->number) : err;
}

static enum err standing_change_logs(struct ledger_txn *txn, const struct standing_change *change)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct buf spaces = {0};
    struct space_row space;
    enum err err = writer_table_each(&snapshot, change->member, standing_on_space, &spaces);

    for (size_t at = 0; err == ERR_OK && at < spaces.size; at += sizeof space) {
        memcpy(&space, spaces.data + at, sizeof space);
        err = standing_change_log(txn, change, &space);
    }
    buf_release(&spaces);
    return err;
}

static enum err standing_changed(struct ledger_txn *txn, const struct standing_change *change)
{
    bool is_mine = public_key_is_equal(change->member, ledger_member(txn->ledger));
    enum err err = ERR_OK;

    txn->news.has_links = true; /* It is called no more, or by its old name only. */
    txn->must_keep |= is_mine;
    if (is_mine)
        err = agenda_put(txn, AGENDA_NOW, KIND_CERTIFICATE, span_of(NULL, 0));
    if (err == ERR_OK && is_mine && change->now == STANDING_STOLEN)
        err = agenda_put(txn, txn->now_ms + RUNNING_DAY_MS, KIND_KEEP,
                         span_of(change->device->bytes, sizeof change->device->bytes));
    if (err == ERR_OK && (standing_is_out(change->now) || standing_is_out(change->before)))
        err = space_shut_out(txn, change->member);
    if (err == ERR_OK && (standing_is_out(change->now) || standing_is_out(change->before)))
        err = endorsement_table_judge(txn, change->member);
    return err == ERR_OK ? standing_change_logs(txn, change) : err;
}

enum err standing_note(struct ledger_txn *txn, const struct public_key *member,
                       const struct public_key *device, bool *out_is_other)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct standing_change change = {.member = member, .device = device};
    struct device_row row;
    bool has_any = false;
    struct key key;
    uint8_t now;
    enum err err = retire_table_has_any(&snapshot, &has_any);

    *out_is_other = false;
    if (err != ERR_OK || !has_any)
        return err;
    err = view_device(&snapshot, device, &row);
    if (err != ERR_OK || !public_key_is_equal(&row.member, member))
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    err = standing_of(&snapshot, device, &change.now);
    if (err == ERR_OK)
        err = standing_noted(&snapshot, member, device, &change.before);
    if (err != ERR_OK || change.now == change.before)
        return err;
    *out_is_other = true;
    now = (uint8_t)change.now;
    standing_key(member, device, &key);
    err = ledger_put(txn, TABLE_CERTIFICATE, &key, span_of(&now, 1));
    return err == ERR_OK ? standing_changed(txn, &change) : err;
}
