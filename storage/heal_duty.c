/* What a device owes as long as retired devices are known: marks for their logs, epochs, and its
 * word about those that are void. */
#include <string.h>

#include "crypto/secret.h"
#include "storage/agenda.h"
#include "storage/follow.h"
#include "storage/heal.h"
#include "storage/heal_state.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/space.h"

/* Void devices. */

struct heal_certified {
    struct ledger_txn *txn;
    struct buf devices; /* their keys */
};

/* Devices of mine that are void and were not told to be out yet. */
static enum err heal_on_device(void *self, const struct device_row *device)
{
    struct heal_certified *certified = self;
    struct snapshot snapshot = ledger_txn_snapshot(certified->txn);
    enum standing standing;
    bool is_sure = false;
    enum err err = standing_of(&snapshot, &device->device, &standing);

    if (err == ERR_OK && standing == STANDING_VOID)
        err = standing_is_sure(&snapshot, &device->device, &is_sure); /* It is said for good. */
    if (err == ERR_OK && is_sure) {
        buf_append(&certified->devices, span_of(device->device.bytes, 32));
        err = buf_err(&certified->devices);
    }
    return err;
}

/* PROTOCOL STOLEN-7: "A void device is retired as stolen, with marks of 0 where nothing of it is
 * held, by a device of its member that learns of it and holds all that counts of the logs of the
 * stolen ones above it in the card space" */
enum err heal_void(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct heal_certified certified = {.txn = txn};
    bool is_due = false;
    enum err err = agenda_has_kind(&snapshot, KIND_CERTIFICATE, &is_due);

    if (err != ERR_OK || is_due || follow_txn_is_behind(txn)) /* They are to be judged anew. */
        return err == ERR_OK ? standing_look_at_own(txn) : err;
    err = view_device_each(&snapshot, ledger_member(txn->ledger), heal_on_device, &certified);
    for (size_t at = 0; err == ERR_OK && at < certified.devices.size; at += 32) {
        struct public_key device;

        memcpy(device.bytes, certified.devices.data + at, 32);
        err = heal_retire(txn, &device, NULL, RETIRE_STOLEN);
        if (err == ERR_OK)
            err = heal_keep_all(txn, &device);
    }
    buf_release(&certified.devices);
    return err;
}

/* Standing duties. */

struct heal_logs {
    struct ledger_txn *txn;
    const struct space_row *space;
    struct buf devices; /* their keys */
};

/* Does this device have a say over that one, which is out? */
static enum err heal_has_say(const struct snapshot *snapshot, const struct public_key *device,
                             bool *out)
{
    bool has_root = ledger_root_key(snapshot->ledger) != NULL;
    struct standing_word word = {.signer = has_root ? ledger_member(snapshot->ledger)
                                                    : ledger_device(snapshot->ledger)};
    struct standing_line line;
    enum err err = standing_line_of(snapshot, device, ledger_member(snapshot->ledger), &line);

    *out = false;
    if (err == ERR_OK)
        err = standing_is_said_above(snapshot, &line, &word, false, out);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL STOLEN-5: "Where it was stolen another one adds a keep that is missing only when one for
 * the self space is known, or a day after it heard: it may hold less than the one that says so, and
 * what lies beyond is lost." */
static enum err heal_may_keep(const struct snapshot *snapshot, const struct public_key *device,
                              bool *out)
{
    enum standing standing;
    struct space_row own;
    struct keep keep;
    enum err err = standing_of(snapshot, device, &standing);

    *out = err == ERR_OK;
    if (err == ERR_OK && standing_is_out(standing))
        err = heal_has_say(snapshot, device, out);
    if (err != ERR_OK || !*out || standing != STANDING_STOLEN)
        return err;
    err = ledger_own_space(snapshot, SPACE_SELF, &own);
    if (err == ERR_OK)
        err = retire_table_keep(snapshot, own.number, device, &keep);
    *out = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err heal_on_log(void *self, const struct log_row *log)
{
    struct heal_logs *logs = self;
    struct snapshot snapshot = ledger_txn_snapshot(logs->txn);
    struct retire_state state;
    bool may = false;
    struct keep keep;
    enum err err = retire_table_state(&snapshot, &log->device, &state);

    if (err != ERR_OK || !state.is_retired)
        return err;
    err = retire_table_keep(&snapshot, logs->space->number, &log->device, &keep);
    if (err == ERR_NOT_FOUND)
        err = heal_may_keep(&snapshot, &log->device, &may);
    if (err == ERR_OK && may) {
        buf_append(&logs->devices, span_of(log->device.bytes, 32));
        err = buf_err(&logs->devices);
    }
    return err;
}

struct heal_search {
    const struct snapshot *snapshot;
    struct hash wanted;
    uint32_t opened; /* the log of its opening; 0: an older store does not say */
    bool is_found;
};

/* Where other devices write under it their logs list it, too, and say nothing of its opening. */
static enum err heal_on_epoch_log(void *self, const struct log_row *log)
{
    struct heal_search *search = self;

    if (search->opened > 0 && search->opened != log->number)
        return ERR_OK;
    for (uint32_t index = 1; index <= log->epochs_count; index++) {
        struct hash id;
        enum err err = epoch_table_of_log(search->snapshot, log->number, index, &id);

        if (err == ERR_OK &&
            span_is_equal(span_of(id.bytes, HASH_SIZE), span_of(search->wanted.bytes, HASH_SIZE))) {
            search->is_found = true;
            return ERR_CANCELLED;
        }
        if (err != ERR_OK && err != ERR_NOT_FOUND)
            return err;
    }
    return ERR_OK;
}

/* PROTOCOL RETIRE-10: "An epoch whose opening was cut is read under and no longer written under: a
 * deeper one is opened." */
static enum err heal_epoch(struct ledger_txn *txn, const struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct heal_search search = {.snapshot = &snapshot};
    struct epoch_row current;
    enum err err = epoch_table_current(&snapshot, space->number, &search.wanted);

    if (err == ERR_OK)
        err = epoch_table_get(&snapshot, &search.wanted, &current);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    search.opened = current.log;
    err = ledger_logs(&snapshot, space->number, heal_on_epoch_log, &search);
    if (err != ERR_OK && err != ERR_CANCELLED)
        return err;
    return search.is_found ? ERR_OK : space_rotate(txn, &space->id);
}

static enum err heal_space(struct ledger_txn *txn, const struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct heal_logs logs = {.txn = txn, .space = space};
    enum err err = ERR_OK;

    if (txn->must_rotate)
        err = heal_epoch(txn, space);
    if (err == ERR_OK && txn->must_keep)
        err = ledger_logs(&snapshot, space->number, heal_on_log, &logs);
    for (size_t at = 0; err == ERR_OK && at < logs.devices.size; at += 32) {
        struct public_key device;

        memcpy(device.bytes, logs.devices.data + at, 32);
        err = heal_keep(txn, space, &device);
    }
    buf_release(&logs.devices);
    return err;
}

enum err heal_do_duty(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum standing standing;
    enum err err = ERR_OK;

    if (!txn->must_keep && !txn->must_rotate)
        return ERR_OK;
    err = standing_of(&snapshot, ledger_device(txn->ledger), &standing);
    if (err != ERR_OK || standing != STANDING_GOOD)
        return err;
    for (uint32_t number = 1; err == ERR_OK && number <= txn->counters.spaces; number++) {
        struct space_row space;

        err = ledger_space_numbered(&snapshot, number, &space);
        if (err == ERR_OK && space.is_mine)
            err = heal_space(txn, &space);
    }
    if (err == ERR_OK && txn->must_keep)
        err = heal_void(txn);
    txn->must_keep = txn->must_rotate = false;
    return err;
}

/* The names of what is to be done, on the agenda under keeps; a device's is its key. */
enum { HEAL_NAME_KEEP = 'k', HEAL_NAME_ROTATE = 'r' };

static enum err heal_put_off(struct ledger_txn *txn, bool *must, uint8_t name)
{
    bool was = *must;

    *must = false;
    return was ? agenda_put(txn, AGENDA_NOW, KIND_KEEP, span_of(&name, 1)) : ERR_OK;
}

enum err heal_do_duty_later(struct ledger_txn *txn)
{
    enum err err = heal_put_off(txn, &txn->must_keep, HEAL_NAME_KEEP);

    return err == ERR_OK ? heal_put_off(txn, &txn->must_rotate, HEAL_NAME_ROTATE) : err;
}

enum err heal_tend(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct public_key device;
    enum standing standing;
    bool has_say = false;
    enum err err;

    if (name.size == 1) {
        txn->must_keep |= name.data[0] == HEAL_NAME_KEEP;
        txn->must_rotate |= name.data[0] == HEAL_NAME_ROTATE;
    }
    if (name.size != sizeof device.bytes)
        return ERR_OK;
    memcpy(device.bytes, name.data, sizeof device.bytes);
    err = standing_of(&snapshot, &device, &standing);
    if (err == ERR_OK && standing == STANDING_STOLEN)
        err = heal_has_say(&snapshot, &device, &has_say);
    return err == ERR_OK && has_say ? heal_keep_all(txn, &device) : err;
}
