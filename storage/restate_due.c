/*
 * When a restatement is due: somebody is to be admitted who would read what was withdrawn. Looked
 * at is every edit whose epoch the space's current key opens; card and network spaces are small.
 */
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "proto/limits.h"
#include "storage/ledger_state.h"
#include "storage/restate.h"
#include "storage/row.h"

struct restate_look {
    struct ledger_txn *txn;
    const struct space_row *space;
    struct buf open;    /* struct hash: epochs the current key opens */
    uint32_t *slots;    /* places in open, from 1; found by the first bytes of the hash */
    size_t slots_count; /* a power of two, or 0 */
    struct edit_space edit;
    struct buf plain;
    uint32_t index; /* of the log at hand, whose answer is_open is */
    bool is_open;
    bool is_due;
};

/* Where an epoch has its slot, or the empty one where it would have. */
static size_t restate_slot(const struct restate_look *look, const struct hash *epoch)
{
    size_t slot = be32(epoch->bytes) & (look->slots_count - 1);

    while (look->slots[slot] != 0 && memcmp(look->open.data + (look->slots[slot] - 1) * HASH_SIZE,
                                            epoch->bytes, HASH_SIZE) != 0)
        slot = (slot + 1) & (look->slots_count - 1);
    return slot;
}

static bool restate_has_open(const struct restate_look *look, const struct hash *epoch)
{
    return look->slots_count > 0 && look->slots[restate_slot(look, epoch)] != 0;
}

/* At least half of the slots stay empty. */
static enum err restate_make_slots(struct restate_look *look)
{
    size_t count = look->open.size / HASH_SIZE;
    size_t slots_count = look->slots_count > 0 ? 2 * look->slots_count : 64;
    uint32_t *slots;

    if (2 * (count + 1) <= look->slots_count)
        return ERR_OK;
    slots = heap_new_zeroed(slots_count, sizeof *slots);
    if (slots == NULL)
        return ERR_NOMEM;
    heap_free(look->slots);
    look->slots = slots;
    look->slots_count = slots_count;
    for (size_t at = 0; at < count; at++) {
        struct hash epoch;

        memcpy(epoch.bytes, look->open.data + at * HASH_SIZE, HASH_SIZE);
        look->slots[restate_slot(look, &epoch)] = (uint32_t)(at + 1);
    }
    return ERR_OK;
}

static enum err restate_add_open(struct restate_look *look, const struct hash *epoch)
{
    enum err err = ERR_OK;

    if (restate_has_open(look, epoch))
        return ERR_OK;
    err = restate_make_slots(look);
    if (err == ERR_OK) {
        look->slots[restate_slot(look, epoch)] = (uint32_t)(look->open.size / HASH_SIZE + 1);
        buf_append(&look->open, span_of(epoch->bytes, HASH_SIZE));
        err = buf_err(&look->open);
    }
    return err;
}

/* The current epoch and all whose keys follow from its key. */
static enum err restate_open_epochs(struct restate_look *look)
{
    struct snapshot snapshot = ledger_txn_snapshot(look->txn);
    struct hash at;
    enum err err = epoch_table_current(&snapshot, look->space->number, &at);

    if (err == ERR_OK)
        err = restate_add_open(look, &at);
    for (size_t done = 0; err == ERR_OK && done < look->open.size; done += HASH_SIZE) {
        struct epoch_row row;

        memcpy(at.bytes, look->open.data + done, HASH_SIZE);
        err = epoch_table_get(&snapshot, &at, &row);
        for (size_t parent = 0; err == ERR_OK && parent < row.epoch.parents_count; parent++)
            if (row.epoch.previous.size > 0)
                err = restate_add_open(look, &row.epoch.parents[parent]);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return err;
}

static bool restate_is_value(const struct value *left, const struct value *right)
{
    return left->type == right->type && left->number == right->number &&
           span_is_equal(left->bytes, right->bytes);
}

static bool restate_has_dot(const struct object *object, const struct write *write)
{
    for (size_t at = 0; at < object->elements_count; at++)
        for (size_t dot = 0; dot < object->elements[at].dots_count; dot++)
            if (id_is_equal(&object->elements[at].dots[dot].dot, &write->dot))
                return true;
    return false;
}

/* Does the write say something that does not hold any more? */
static bool restate_is_withdrawn(const struct object *object, const struct write *write)
{
    const struct object_register *now;

    if (write->op == WRITE_ADD)
        return !object_is_visible(object) || !restate_has_dot(object, write);
    if (write->op != WRITE_SET || write->value.type == VALUE_NONE)
        return false;
    now = object_register(object, write->field);
    return !object_is_visible(object) || now == NULL || now->counter != write->counter ||
           !restate_is_value(&now->value, &write->value);
}

/* A door's older knocks are no words of anybody's: a removal replaces them, and would make each
 * later admission a restatement. */
static enum err restate_look_at(struct restate_look *look, const struct edit *edit)
{
    struct snapshot snapshot = ledger_txn_snapshot(look->txn);
    struct object object = {0};
    uint32_t number;
    enum err err;

    if (edit->kind == KIND_RESTATEMENT || edit->kind == KIND_DOOR)
        return ERR_OK;
    err = row_get(&snapshot, &look->space->id, edit->kind, &edit->object, &object, &number);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        for (size_t at = 0; at < edit->writes_count; at++)
            look->is_due |= restate_is_withdrawn(&object, &edit->writes[at]);
    object_release(&object);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err restate_look_entry(struct restate_look *look, const struct entry_row *entry)
{
    struct snapshot snapshot = ledger_txn_snapshot(look->txn);
    uint32_t index = entry->entry.header.epoch_index;
    struct hash epoch;
    enum err err = ERR_OK;

    if (index == 0 || entry->entry.payload.size == 0)
        return ERR_OK;
    if (index != look->index) {
        err = epoch_table_of_log(&snapshot, entry->log, index, &epoch);
        look->is_open = err == ERR_OK && restate_has_open(look, &epoch);
        look->index = index;
    }
    if ((err != ERR_OK && err != ERR_NOT_FOUND) || !look->is_open)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    buf_clear(&look->plain);
    err = ledger_open_entry(&snapshot, entry, &look->plain);
    if (err == ERR_OK)
        err = edit_read(&look->edit, buf_span(&look->plain));
    if (err == ERR_OK)
        err = restate_look_at(look, &look->edit.edit);
    /* What cannot be read here says nothing to anybody. */
    return err == ERR_MALFORMED || err == ERR_FORGED || err == ERR_KEY_MISSING ? ERR_OK : err;
}

static enum err restate_look_log(void *self, const struct log_row *log)
{
    struct restate_look *look = self;
    struct snapshot snapshot = ledger_txn_snapshot(look->txn);
    struct log_row now;
    enum err err = log_table_now(look->txn, look->space, &log->device, &now);

    look->index = 0;
    for (uint64_t seq = 1; err == ERR_OK && !look->is_due && seq <= now.tip.size; seq++) {
        struct entry_row entry;

        err = ledger_entry_at(&snapshot, now.number, seq, &entry);
        if (err == ERR_OK)
            err = restate_look_entry(look, &entry);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return err;
}

enum err restate_is_due(struct ledger_txn *txn, const struct space_row *space, bool *out)
{
    struct restate_look look = {.txn = txn, .space = space};
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = restate_open_epochs(&look);

    if (err == ERR_OK)
        err = ledger_logs(&snapshot, space->number, restate_look_log, &look);
    *out = look.is_due;
    edit_release(&look.edit);
    if (look.plain.data != NULL)
        secret_wipe(look.plain.data, look.plain.capacity);
    buf_release(&look.plain);
    buf_release(&look.open);
    heap_free(look.slots);
    return err;
}
