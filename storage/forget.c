/* Making forgets, by looking through the logs. */
#include "storage/forget.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "proto/forget.h"
#include "proto/limits.h"
#include "storage/absent.h"
#include "storage/delete.h"
#include "storage/follow_state.h"
#include "storage/return_table.h"
#include "storage/row.h"

/* Reading what was written. */

void forget_entry_release(struct forget_entry *entry)
{
    edit_release(&entry->edit);
    if (entry->plain.data != NULL)
        secret_wipe(entry->plain.data, entry->plain.capacity);
    buf_release(&entry->plain);
}

/* What cannot be read here is of no object that is known here. */
enum err forget_read(const struct snapshot *snapshot, const struct entry_row *row,
                     struct forget_entry *out)
{
    enum err err = ERR_NOT_FOUND;

    buf_clear(&out->plain);
    if (row->entry.header.epoch_index > 0 && row->entry.payload.size > 0)
        err = ledger_open_entry(snapshot, row, &out->plain);
    if (err == ERR_OK)
        err = edit_read(&out->edit, buf_span(&out->plain));
    return err == ERR_KEY_MISSING || err == ERR_FORGED || err == ERR_MALFORMED ? ERR_NOT_FOUND
                                                                               : err;
}

/* Making one. */

/* One of those to be forgotten, and where its entries were found. */
struct forget_one {
    const struct forget_target *target;
    struct object object;
    struct buf places; /* struct forget_place */
};

struct forget_work {
    struct ledger_txn *txn;
    struct space_row space;
    struct forget_one *list;
    size_t count;
    struct edit_space edit;    /* being written */
    struct forget_entry entry; /* at hand */
    struct log_row log;        /* of it */
};

static void forget_release(struct forget_work *work)
{
    for (size_t at = 0; at < work->count; at++) {
        object_release(&work->list[at].object);
        buf_release(&work->list[at].places);
    }
    heap_free(work->list);
    edit_release(&work->edit);
    forget_entry_release(&work->entry);
}

static void forget_note(struct forget_work *work, struct entry_row *row)
{
    const struct edit *edit = &work->entry.edit.edit;
    struct forget_place place = {.device = work->log.device, .seq = row->seq};
    struct forget_place original = {.device = edit->original.device,
                                    .seq = edit->original.seq,
                                    .payload = edit->original.entry_hash};

    for (size_t at = 0; at < work->count; at++)
        if (work->list[at].target->kind == edit->kind &&
            id_is_equal(&work->list[at].target->object, &edit->object)) {
            entry_hash_payload(&row->entry);
            place.payload = row->entry.header.payload_hash;
            buf_append(&work->list[at].places, span_of(&place, sizeof place));
            if (edit->has_original && !edit->original.has_place)
                buf_append(&work->list[at].places, span_of(&original, sizeof original));
        }
}

static int forget_order(const void *left, const void *right)
{
    const struct forget_place *one = left, *other = right;
    int order = memcmp(one->device.bytes, other->device.bytes, sizeof one->device.bytes);

    if (order == 0)
        order = memcmp(one->payload.bytes, other->payload.bytes, HASH_SIZE);
    return order;
}

/* Those of one device beside each other, and each once: what is repeated may be held as well. */
static size_t forget_sort(struct forget_one *one)
{
    struct forget_place *places = (void *)one->places.data;
    size_t count = one->places.size / sizeof *places, kept = 0;

    if (count > 1)
        qsort(places, count, sizeof *places, forget_order);
    for (size_t at = 0; at < count; at++)
        if (kept == 0 || forget_order(&places[kept - 1], &places[at]) != 0)
            places[kept++] = places[at];
    return kept;
}

static enum err forget_look_entry(struct forget_work *work, struct entry_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    enum err err = forget_read(&snapshot, row, &work->entry);

    if (err == ERR_OK)
        forget_note(work, row);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err forget_on_cut(void *self, uint64_t arrival)
{
    struct forget_work *work = self;
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    struct entry_row row;
    enum err err = ledger_entry(&snapshot, arrival, &row);

    return err == ERR_OK ? forget_look_entry(work, &row) : err;
}

static enum err forget_look_log(struct forget_work *work)
{
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    enum err err = log_table_now(work->txn, &work->space, &work->log.device, &work->log);

    for (uint64_t seq = 1; err == ERR_OK && seq <= work->log.tip.size; seq++) {
        struct entry_row row;

        err = ledger_entry_at(&snapshot, work->log.number, seq, &row);
        if (err == ERR_OK)
            err = forget_look_entry(work, &row);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    if (err == ERR_OK)
        err = return_table_cuts(&snapshot, work->log.number, forget_on_cut, work);
    for (size_t at = 0; err == ERR_OK && at < work->count; at++)
        err = buf_err(&work->list[at].places);
    return err;
}

/* A delete that has seen all there is hides what others still show. */
static enum err forget_delete(struct forget_work *work, const struct forget_one *one)
{
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    bool is_short; /* What is not read here is not forgotten here, and shows. */
    enum err err;

    edit_begin(&work->edit, one->target->kind, &one->target->object, work->txn->now_ms);
    err = delete_put_read(&snapshot, &one->object, &work->edit, &is_short);
    return err == ERR_OK ? ledger_append(work->txn, &work->space.id, &work->edit, 0) : err;
}

/* PROTOCOL FORGET-1: "with the kind and the id of what it forgets and places: [[device, [[entry,
 * payload hash], ...]], ...], each entry of that object that its writer held, in its log or cut
 * from it, and each that one of those repeats (RETURN-7), which others may still hold;" */
static enum err forget_write(struct forget_work *work, const struct forget_target *target,
                             const struct forget_place *places, size_t count)
{
    struct buf list = {0};
    struct id id;
    enum err err;

    forget_put_places(places, count, &list);
    err = buf_err(&list);
    id_draw(&work->txn->ledger->entropy, work->txn->now_ms, &id);
    edit_begin(&work->edit, KIND_FORGET, &id, work->txn->now_ms);
    edit_set(&work->edit, FORGET_KIND, 1,
             (struct value){.type = VALUE_NUMBER, .number = target->kind});
    edit_set(&work->edit, FORGET_OBJECT, 1,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(target->object.bytes, ID_SIZE)});
    edit_set(&work->edit, FORGET_PLACES, 1,
             (struct value){.type = VALUE_BYTES, .bytes = buf_span(&list)});
    if (err == ERR_OK)
        err = ledger_append(work->txn, &work->space.id, &work->edit, 0);
    buf_release(&list);
    return err;
}

/* PROTOCOL FORGET-1: "at most FORGET_PLACES_MAX of LOGS_PER_PEER_MAX devices, else in more than one
 * forget." How many of these one names. */
static size_t forget_fitting(const struct forget_place *places, size_t count)
{
    size_t devices = 0;

    for (size_t at = 0; at < count; at++) {
        devices += at == 0 || !public_key_is_equal(&places[at - 1].device, &places[at].device);
        if (at == FORGET_PLACES_MAX || devices > LOGS_PER_PEER_MAX)
            return at;
    }
    return count;
}

static enum err forget_write_all(struct forget_work *work, struct forget_one *one)
{
    const struct forget_place *places = (const void *)one->places.data;
    size_t count = forget_sort(one), fitting;
    enum err err = ERR_OK;

    for (; err == ERR_OK && count > 0; places += fitting, count -= fitting) {
        fitting = forget_fitting(places, count);
        err = forget_write(work, one->target, places, fitting);
    }
    return err;
}

static enum err forget_on_log(void *self, const struct log_row *log)
{
    buf_append(self, span_of(log, sizeof *log));
    return buf_err(self);
}

/* Every log of the space: what was repeated stands in another than it was written in. */
static enum err forget_look(struct forget_work *work)
{
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    struct buf logs = {0};
    enum err err = ledger_logs(&snapshot, work->space.number, forget_on_log, &logs);

    for (size_t at = 0; err == ERR_OK && at < logs.size; at += sizeof work->log) {
        memcpy(&work->log, logs.data + at, sizeof work->log);
        err = forget_look_log(work);
    }
    buf_release(&logs);
    return err;
}

static enum err forget_collect(struct forget_work *work)
{
    enum err err = forget_look(work);

    for (size_t at = 0; err == ERR_OK && at < work->count; at++) {
        err = forget_delete(work, &work->list[at]);
        if (err == ERR_OK)
            err = forget_write_all(work, &work->list[at]);
    }
    return err == ERR_OK ? follow_all(work->txn) : err;
}

static enum err forget_load(struct forget_work *work, const struct forget_target *targets,
                            size_t count)
{
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    uint32_t number;
    enum err err = ERR_OK;

    work->list = heap_new_zeroed(count, sizeof *work->list);
    if (work->list == NULL)
        return ERR_NOMEM;
    for (; err == ERR_OK && work->count < count; work->count++) {
        struct forget_one *one = &work->list[work->count];

        one->target = &targets[work->count];
        err = row_get(&snapshot, &work->space.id, one->target->kind, &one->target->object,
                      &one->object, &number);
        if (err == ERR_OK)
            err = object_own(&one->object); /* Others are written before it is. */
    }
    return err;
}

/* PROTOCOL FORGET-1: "Its writer deletes the object first." */
enum err forget_objects(struct ledger_txn *txn, const struct id *space,
                        const struct forget_target *targets, size_t count)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct forget_work work = {.txn = txn};
    enum err err = follow_all(txn);

    if (err == ERR_OK)
        err = ledger_space(&snapshot, space, &work.space);
    if (err == ERR_OK &&
        (!work.space.is_mine || (work.space.kind != SPACE_SELF && work.space.kind != SPACE_PAIR)))
        err = ERR_STATE;
    if (err == ERR_OK)
        err = forget_load(&work, targets, count);
    if (err == ERR_OK)
        err = forget_collect(&work);
    forget_release(&work);
    return err;
}

enum err forget_object(struct ledger_txn *txn, const struct id *space, uint8_t kind,
                       const struct id *object)
{
    const struct forget_target target = {.kind = kind, .object = *object};

    return forget_objects(txn, space, &target, 1);
}

/* What repeats an entry that is named (FORGET-4). */

static enum err forget_again(struct forget_work *work, struct entry_row *row)
{
    const struct edit *edit = &work->entry.edit.edit;
    struct forget_target target = {.kind = edit->kind, .object = edit->object};
    struct forget_place place = {.device = work->log.device, .seq = row->seq};
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);

    entry_hash_payload(&row->entry);
    place.payload = row->entry.header.payload_hash;
    if (absent_naming_of(&snapshot, work->space.number, &place.payload) != ABSENT_UNNAMED ||
        !forget_names_original(&snapshot, work->space.number, edit))
        return ERR_OK;
    return forget_write(work, &target, &place, 1);
}

enum err forget_tend(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct forget_work work = {.txn = txn};
    struct entry_row row;
    enum err err = name.size == 8 ? ledger_entry(&snapshot, be64(name.data), &row) : ERR_NOT_FOUND;

    if (err == ERR_OK)
        err = ledger_log_numbered(&snapshot, row.log, &work.log);
    if (err == ERR_OK)
        err = ledger_space_numbered(&snapshot, work.log.space, &work.space);
    if (err == ERR_OK)
        err = forget_read(&snapshot, &row, &work.entry);
    if (err == ERR_OK && work.space.is_mine)
        err = forget_again(&work, &row);
    forget_release(&work);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
