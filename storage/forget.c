/* Forgets: made by looking through the logs, carried out place by place. */
#include "storage/forget.h"

#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "proto/forget.h"
#include "proto/limits.h"
#include "storage/absent.h"
#include "storage/follow_state.h"
#include "storage/row.h"
#include "storage/undo.h"

/* Making one. */

/* One of those to be forgotten, and where its entries were found. */
struct forget_one {
    const struct forget_target *target;
    struct object object;
    struct buf seqs, places; /* of the log at hand; of those before */
    size_t logs;
};

struct forget_work {
    struct ledger_txn *txn;
    struct space_row space;
    struct forget_one *list;
    size_t count;
    struct edit_space edit;
    struct buf plain;
    uint32_t looked[DELETE_MARKS_MAX];
    size_t looked_count;
};

static void forget_release(struct forget_work *work)
{
    for (size_t at = 0; at < work->count; at++) {
        object_release(&work->list[at].object);
        buf_release(&work->list[at].seqs);
        buf_release(&work->list[at].places);
    }
    heap_free(work->list);
    edit_release(&work->edit);
    if (work->plain.data != NULL)
        secret_wipe(work->plain.data, work->plain.capacity);
    buf_release(&work->plain);
}

static void forget_note(struct forget_work *work, const struct entry_row *row)
{
    const struct edit *edit = &work->edit.edit;

    for (size_t at = 0; at < work->count; at++)
        if (work->list[at].target->kind == edit->kind &&
            id_is_equal(&work->list[at].target->object, &edit->object))
            buf_append(&work->list[at].seqs, span_of(&row->seq, sizeof row->seq));
}

static enum err forget_look_entry(struct forget_work *work, const struct entry_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    enum err err;

    if (row->entry.header.epoch_index == 0 || row->entry.payload.size == 0)
        return ERR_OK;
    buf_clear(&work->plain);
    err = ledger_open_entry(&snapshot, row, &work->plain);
    if (err == ERR_OK)
        err = edit_read(&work->edit, buf_span(&work->plain));
    if (err == ERR_OK)
        forget_note(work, row);
    /* What cannot be read here is of no object that is known here. */
    return err == ERR_NOMEM || err == ERR_IO || err == ERR_CORRUPT ? err : ERR_OK;
}

/* What was found in this log is put with what was found before. */
static enum err forget_end_log(struct forget_one *one, const struct public_key *device)
{
    enum err err = buf_err(&one->seqs);

    if (err != ERR_OK || one->seqs.size == 0)
        return err;
    one->logs++;
    forget_put_places(device, (const uint64_t *)(const void *)one->seqs.data,
                      one->seqs.size / sizeof(uint64_t), &one->places);
    buf_clear(&one->seqs);
    return buf_err(&one->places);
}

static enum err forget_look_log(struct forget_work *work, uint32_t number)
{
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    struct log_row log;
    enum err err = ledger_log_numbered(&snapshot, number, &log);

    if (err == ERR_OK)
        err = log_table_now(work->txn, &work->space, &log.device, &log);
    for (uint64_t seq = 1; err == ERR_OK && seq <= log.tip.size; seq++) {
        struct entry_row row;

        err = ledger_entry_at(&snapshot, number, seq, &row);
        if (err == ERR_OK)
            err = forget_look_entry(work, &row);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    for (size_t at = 0; err == ERR_OK && at < work->count; at++)
        err = forget_end_log(&work->list[at], &log.device);
    return err;
}

/* A delete that has seen all there is hides what others still show. */
static enum err forget_delete(struct forget_work *work, const struct forget_one *one)
{
    const struct object *object = &one->object;
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    struct seen seen[DELETE_MARKS_MAX];
    size_t count = 0;

    for (size_t at = 0; at < object->touched_count && count < DELETE_MARKS_MAX; at++) {
        struct log_row log;
        enum err err = ledger_log_numbered(&snapshot, object->touched[at].log, &log);

        if (err != ERR_OK)
            return err;
        seen[count++] = (struct seen){.device = log.device, .size = object->touched[at].seq};
    }
    edit_begin(&work->edit, one->target->kind, &one->target->object, work->txn->now_ms);
    edit_delete(&work->edit, seen, count);
    return ledger_append(work->txn, &work->space.id, &work->edit, 0);
}

/* PROTOCOL FORGET-1: "with the kind and the id of what it forgets and places: [[device, [seq,
 * ...]], ...], each entry of that object that its writer held." */
static enum err forget_write(struct forget_work *work, const struct forget_one *one)
{
    struct buf list = {0};
    struct id id;
    enum err err;

    wire_put_array(&list, one->logs);
    buf_append(&list, buf_span(&one->places));
    err = buf_err(&list);
    id_draw(&work->txn->ledger->entropy, work->txn->now_ms, &id);
    edit_begin(&work->edit, KIND_FORGET, &id, work->txn->now_ms);
    edit_set(&work->edit, FORGET_KIND, 1,
             (struct value){.type = VALUE_NUMBER, .number = one->target->kind});
    edit_set(
        &work->edit, FORGET_OBJECT, 1,
        (struct value){.type = VALUE_BYTES, .bytes = span_of(one->target->object.bytes, ID_SIZE)});
    edit_set(&work->edit, FORGET_PLACES, 1,
             (struct value){.type = VALUE_BYTES, .bytes = buf_span(&list)});
    if (err == ERR_OK)
        err = list.size > VALUE_SIZE_MAX
                  ? ERR_LIMIT
                  : ledger_append(work->txn, &work->space.id, &work->edit, 0);
    buf_release(&list);
    return err;
}

/* Each log once, whichever of them it wrote about. */
static enum err forget_look(struct forget_work *work, const struct object *object)
{
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < object->touched_count; at++) {
        uint32_t log = object->touched[at].log;
        bool was_looked = false;

        for (size_t seen = 0; seen < work->looked_count; seen++)
            was_looked |= work->looked[seen] == log;
        if (was_looked)
            continue;
        if (work->looked_count == DELETE_MARKS_MAX)
            return ERR_LIMIT;
        work->looked[work->looked_count++] = log;
        err = forget_look_log(work, log);
    }
    return err;
}

static enum err forget_collect(struct forget_work *work)
{
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < work->count; at++)
        err = forget_look(work, &work->list[at].object);
    for (size_t at = 0; err == ERR_OK && at < work->count; at++) {
        err = forget_delete(work, &work->list[at]);
        if (err == ERR_OK && work->list[at].logs > 0)
            err = forget_write(work, &work->list[at]);
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

/* Carrying one out. */

struct forget_places {
    struct ledger_txn *txn;
    const struct space_row *space;
    struct buf own; /* struct undo_place: those of my self space */
};

/* PROTOCOL FORGET-2: "An entry that a forget of its space names says nothing any more, whichever
 * came first, and its payload may be dropped at once." */
static enum err forget_on_place(void *self, const struct public_key *device, uint64_t seq)
{
    struct forget_places *places = self;
    struct snapshot snapshot = ledger_txn_snapshot(places->txn);
    struct entry_row row;
    struct undo_place place = {.seq = seq};
    enum err err = log_table_number(places->txn, places->space->number, device, &place.log);

    if (err == ERR_OK && places->space->kind == SPACE_SELF)
        buf_append(&places->own, span_of(&place, sizeof place));
    if (err == ERR_OK)
        err = absent_forgive(places->txn, place.log, seq);
    if (err == ERR_OK)
        err = ledger_entry_at(&snapshot, place.log, seq, &row);
    if (err == ERR_OK && row.entry.header.epoch_index > 0)
        err = absent_drop(places->txn, row.arrival);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err forget_changed(struct ledger_txn *txn, const struct space_row *space,
                        const struct object *after)
{
    struct forget_places places = {.txn = txn, .space = space};
    struct span object = object_value(after, FORGET_OBJECT).bytes;
    uint64_t kind = object_number(after, FORGET_KIND);
    struct id id;
    enum err err;

    if (object.size != ID_SIZE || kind == 0 || kind > UINT8_MAX)
        return ERR_OK;
    memcpy(id.bytes, object.data, ID_SIZE);
    err = forget_each_place(object_value(after, FORGET_PLACES).bytes, forget_on_place, &places);
    if (err == ERR_OK)
        err = buf_err(&places.own);
    if (err == ERR_OK && places.own.size > 0)
        err = undo_forget(txn, (const struct undo_place *)(const void *)places.own.data,
                          places.own.size / sizeof(struct undo_place));
    buf_release(&places.own);
    if (err == ERR_MALFORMED)
        return ERR_OK;
    return err == ERR_OK ? follow_prune(txn, space, (uint8_t)kind, &id) : err;
}
