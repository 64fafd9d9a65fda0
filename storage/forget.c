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

/* Making one. */

struct forget_work {
    struct ledger_txn *txn;
    struct space_row space;
    uint8_t kind;
    struct id object;
    struct edit_space edit;
    struct buf plain, seqs, places;
    size_t logs;
};

static void forget_release(struct forget_work *work)
{
    edit_release(&work->edit);
    if (work->plain.data != NULL)
        secret_wipe(work->plain.data, work->plain.capacity);
    buf_release(&work->plain);
    buf_release(&work->seqs);
    buf_release(&work->places);
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
    if (err == ERR_OK && work->edit.edit.kind == work->kind &&
        id_is_equal(&work->edit.edit.object, &work->object))
        buf_append(&work->seqs, span_of(&row->seq, sizeof row->seq));
    /* What cannot be read here is of no object that is known here. */
    return err == ERR_NOMEM || err == ERR_IO || err == ERR_CORRUPT ? err : buf_err(&work->seqs);
}

static enum err forget_look_log(struct forget_work *work, uint32_t number)
{
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    struct log_row log;
    enum err err = ledger_log_numbered(&snapshot, number, &log);

    if (err == ERR_OK)
        err = log_table_now(work->txn, &work->space, &log.device, &log);
    buf_clear(&work->seqs);
    for (uint64_t seq = 1; err == ERR_OK && seq <= log.tip.size; seq++) {
        struct entry_row row;

        err = ledger_entry_at(&snapshot, number, seq, &row);
        if (err == ERR_OK)
            err = forget_look_entry(work, &row);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    if (err != ERR_OK || work->seqs.size == 0)
        return err;
    work->logs++;
    forget_put_places(&log.device, (const uint64_t *)(const void *)work->seqs.data,
                      work->seqs.size / sizeof(uint64_t), &work->places);
    return buf_err(&work->places);
}

/* A delete that has seen all there is hides what others still show. */
static enum err forget_delete(struct forget_work *work, const struct object *object)
{
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
    edit_begin(&work->edit, work->kind, &work->object, work->txn->now_ms);
    edit_delete(&work->edit, seen, count);
    return ledger_append(work->txn, &work->space.id, &work->edit, 0);
}

/* PROTOCOL FORGET-1: "with the kind and the id of what it forgets and places: [[device, [seq,
 * ...]], ...], each entry of that object that its writer held." */
static enum err forget_write(struct forget_work *work)
{
    struct buf list = {0};
    struct id id;
    enum err err;

    wire_put_array(&list, work->logs);
    buf_append(&list, buf_span(&work->places));
    err = buf_err(&list);
    id_draw(&work->txn->ledger->entropy, work->txn->now_ms, &id);
    edit_begin(&work->edit, KIND_FORGET, &id, work->txn->now_ms);
    edit_set(&work->edit, FORGET_KIND, 1,
             (struct value){.type = VALUE_NUMBER, .number = work->kind});
    edit_set(&work->edit, FORGET_OBJECT, 1,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(work->object.bytes, ID_SIZE)});
    edit_set(&work->edit, FORGET_PLACES, 1,
             (struct value){.type = VALUE_BYTES, .bytes = buf_span(&list)});
    if (err == ERR_OK)
        err = list.size > VALUE_SIZE_MAX
                  ? ERR_LIMIT
                  : ledger_append(work->txn, &work->space.id, &work->edit, 0);
    buf_release(&list);
    return err;
}

static enum err forget_collect(struct forget_work *work, const struct object *object)
{
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < object->touched_count; at++)
        err = forget_look_log(work, object->touched[at].log);
    if (err == ERR_OK)
        err = forget_delete(work, object);
    if (err == ERR_OK && work->logs > 0)
        err = forget_write(work);
    return err == ERR_OK ? follow_all(work->txn) : err;
}

/* PROTOCOL FORGET-1: "Its writer deletes the object first." */
enum err forget_object(struct ledger_txn *txn, const struct id *space, uint8_t kind,
                       const struct id *object)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct forget_work work = {.txn = txn, .kind = kind, .object = *object};
    struct object known = {0};
    uint32_t number;
    enum err err = follow_all(txn);

    if (err == ERR_OK)
        err = ledger_space(&snapshot, space, &work.space);
    if (err == ERR_OK &&
        (!work.space.is_mine || (work.space.kind != SPACE_SELF && work.space.kind != SPACE_PAIR)))
        err = ERR_STATE;
    if (err == ERR_OK)
        err = row_get(&snapshot, space, kind, object, &known, &number);
    if (err == ERR_OK)
        err = forget_collect(&work, &known);
    object_release(&known);
    forget_release(&work);
    return err;
}

/* Carrying one out. */

struct forget_places {
    struct ledger_txn *txn;
    const struct space_row *space;
};

/* PROTOCOL FORGET-2: "An entry that a forget of its space names says nothing any more, whichever
 * came first, and its payload may be dropped at once." */
static enum err forget_on_place(void *self, const struct public_key *device, uint64_t seq)
{
    struct forget_places *places = self;
    struct snapshot snapshot = ledger_txn_snapshot(places->txn);
    struct entry_row row;
    uint32_t log;
    enum err err = log_table_number(places->txn, places->space->number, device, &log);

    if (err == ERR_OK)
        err = absent_forgive(places->txn, log, seq);
    if (err == ERR_OK)
        err = ledger_entry_at(&snapshot, log, seq, &row);
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
    if (err == ERR_MALFORMED)
        return ERR_OK;
    return err == ERR_OK ? follow_prune(txn, space, (uint8_t)kind, &id) : err;
}
