/*
 * Restating: each edit that still has something live in it is repeated with its original's identity
 * and those of its writes that are live. Cleared fields, removed dots and deletes are repeated too,
 * without the values they hid: a branch that comes back late must not bring back what was
 * withdrawn.
 */
#include "storage/restate.h"

#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "proto/limits.h"
#include "proto/restate.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/space.h"
#include "storage/unread.h"
#include "storage/view_restate.h"

struct restate_work {
    struct ledger_txn *txn;
    struct space_row space;
    struct view_restate *known; /* the one that counts so far */
    struct id object;           /* of the new one */
    struct edit_space edit, original;
    struct buf plain, covers, numbers, arrivals;
    uint64_t entries; /* since the first edit */
};

static void restate_release(struct restate_work *work)
{
    edit_release(&work->edit);
    edit_release(&work->original);
    if (work->plain.data != NULL)
        secret_wipe(work->plain.data, work->plain.capacity);
    buf_release(&work->plain);
    buf_release(&work->covers);
    buf_release(&work->numbers);
    buf_release(&work->arrivals);
    heap_free(work->known);
}

/* PROTOCOL RESTATE-11: "So is each same as of an object that shows. What repeats an entry expires
 * as that one does; removed dots are under an original without a place. Restatement objects are not
 * repeated." */
static enum err restate_append(struct restate_work *work, uint64_t expires_at_s)
{
    work->entries++;
    return ledger_append(work->txn, &work->space.id, &work->edit, expires_at_s);
}

/* What one entry still says. */

/* Whose the entry's edit is, and where it stands. work->original holds the edit. */
static enum err restate_identify(struct restate_work *work, uint64_t arrival, struct original *out,
                                 uint64_t *out_expires_at_s)
{
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    struct entry_row row;
    struct log_row log;
    enum err err = ledger_entry(&snapshot, arrival, &row);

    if (err == ERR_OK)
        err = ledger_log_numbered(&snapshot, row.log, &log);
    buf_clear(&work->plain);
    if (err == ERR_OK)
        err = ledger_open_entry(&snapshot, &row, &work->plain);
    if (err == ERR_OK)
        err = edit_read(&work->original, buf_span(&work->plain));
    if (err != ERR_OK)
        return err;
    *out_expires_at_s = row.entry.header.expires_at_s;
    if (work->original.edit.has_original) {
        *out = work->original.edit.original;
    } else {
        entry_hash_payload(&row.entry);
        *out = (struct original){
            .device = log.device, .seq = row.seq, .entry_hash = row.entry.header.payload_hash};
    }
    if (!out->has_place) {
        out->has_place = true;
        out->place_device = log.device;
        out->place_seq = row.seq;
    }
    return ERR_OK;
}

static enum err restate_entry(struct restate_work *work, const struct object *object,
                              uint64_t arrival)
{
    struct original original;
    uint64_t expires_at_s;
    enum err err = restate_identify(work, arrival, &original, &expires_at_s);

    if (err != ERR_OK)
        return err;
    edit_begin(&work->edit, object->kind, &object->id, work->original.edit.time_ms);
    for (size_t at = 0; at < object->registers_count; at++)
        if (object->registers[at].arrival == arrival)
            edit_set(&work->edit, object->registers[at].field, object->registers[at].counter,
                     object->registers[at].value);
    for (size_t at = 0; at < object->elements_count; at++) {
        const struct object_element *element = &object->elements[at];

        for (size_t dot = 0; dot < element->dots_count; dot++)
            if (element->dots[dot].arrival == arrival)
                edit_add(&work->edit, element->field, &element->dots[dot].dot,
                         element->dots[dot].value);
    }
    for (size_t at = 0; at < object->ties_count; at++)
        if (object->ties[at].arrival == arrival)
            edit_same(&work->edit, &object->ties[at].other, object->ties[at].counter,
                      object->ties[at].is_same);
    edit_carry(&work->edit, &original);
    return restate_append(work, expires_at_s);
}

/* What an object is. */

static void restate_note(struct buf *arrivals, uint64_t arrival)
{
    const uint64_t *known = (const uint64_t *)(const void *)arrivals->data;

    for (size_t at = 0; at < arrivals->size / sizeof arrival; at++)
        if (known[at] == arrival)
            return;
    buf_append(arrivals, span_of(&arrival, sizeof arrival));
}

/* Removed dots without their values; of no entry in particular, so that they show no object that a
 * delete hides. */
/* PROTOCOL RESTATE-5: "its removed dots, in removes of field 0 and element id zero under the
 * original [own device, 0, zeros];" */
static enum err restate_gone(struct restate_work *work, const struct object *object)
{
    const struct original none = {.device = *ledger_device(work->txn->ledger)};
    const struct id any = {{0}};
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < object->gone_count; at += REMOVE_DOTS_MAX) {
        size_t left = object->gone_count - at;

        edit_begin(&work->edit, object->kind, &object->id, work->txn->now_ms);
        edit_remove(&work->edit, 0, &any, object->gone + at,
                    left < REMOVE_DOTS_MAX ? left : REMOVE_DOTS_MAX);
        edit_carry(&work->edit, &none);
        err = restate_append(work, 0);
    }
    return err;
}

static enum err restate_marks(struct restate_work *work, const struct object *object)
{
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    struct seen seen[DELETE_MARKS_MAX];
    size_t count = 0;

    for (size_t at = 0; at < object->hidden_count && count < DELETE_MARKS_MAX; at++) {
        struct log_row log;
        enum err err = ledger_log_numbered(&snapshot, object->hidden[at].log, &log);

        if (err != ERR_OK)
            return err;
        seen[count++] = (struct seen){.device = log.device, .size = object->hidden[at].seq};
    }
    if (count == 0)
        return ERR_OK;
    edit_begin(&work->edit, object->kind, &object->id, work->txn->now_ms);
    edit_delete(&work->edit, seen, count);
    return restate_append(work, 0);
}

/* PROTOCOL RESTATE-5: "of an object that deletes hide, deletes with the same names and marks." */
static enum err restate_hidden(struct restate_work *work, const struct object *object)
{
    enum err err = restate_marks(work, object);

    for (size_t at = 0; err == ERR_OK && at < object->named_count; at += DELETE_WRITES_MAX) {
        size_t left = object->named_count - at;

        edit_begin(&work->edit, object->kind, &object->id, work->txn->now_ms);
        edit_delete_named(&work->edit, object->named + at,
                          left < DELETE_WRITES_MAX ? left : DELETE_WRITES_MAX);
        err = restate_append(work, 0);
    }
    return err;
}

/* PROTOCOL RESTATE-5: "of each object that shows, the write that holds each field, cleared ones
 * too, and each live add, those of one original in one entry;" */
static enum err restate_object(struct restate_work *work, const struct object *object)
{
    const uint64_t *arrivals;
    enum err err;

    if (!object_is_visible(object))
        return restate_hidden(work, object);
    buf_clear(&work->arrivals);
    for (size_t at = 0; at < object->registers_count; at++)
        restate_note(&work->arrivals, object->registers[at].arrival);
    for (size_t at = 0; at < object->elements_count; at++)
        for (size_t dot = 0; dot < object->elements[at].dots_count; dot++)
            restate_note(&work->arrivals, object->elements[at].dots[dot].arrival);
    for (size_t at = 0; at < object->ties_count; at++)
        restate_note(&work->arrivals, object->ties[at].arrival);
    err = buf_err(&work->arrivals);
    arrivals = (const uint64_t *)(const void *)work->arrivals.data;
    for (size_t at = 0; err == ERR_OK && at < work->arrivals.size / sizeof *arrivals; at++)
        err = restate_entry(work, object, arrivals[at]);
    return err == ERR_OK ? restate_gone(work, object) : err;
}

static enum err restate_objects(struct restate_work *work)
{
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    enum err err = row_numbers(&snapshot, work->space.number, &work->numbers);

    for (size_t at = 0; err == ERR_OK && at < work->numbers.size / sizeof(uint32_t); at++) {
        struct object object = {0};
        uint32_t number, ignored;

        memcpy(&number, work->numbers.data + at * sizeof number, sizeof number);
        err = row_get_numbered(&snapshot, number, &object, &ignored);
        if (err == ERR_OK && object.kind != KIND_RESTATEMENT)
            err = restate_object(work, &object);
        object_release(&object);
    }
    return err;
}

/* The restatement. */

/* PROTOCOL RESTATE-2: "covers is [[device, size, tag], ...], the mark of each log of the space that
 * holds anything, before the first entry that its writer cannot read yet:" */
static enum err restate_on_log(void *self, const struct log_row *log)
{
    struct restate_work *work = self;
    struct snapshot snapshot = ledger_txn_snapshot(work->txn);
    struct log_id id = {.space = work->space.id, .device = log->device};
    struct restate_cover cover = {.device = log->device};
    uint64_t unread = UINT64_MAX;
    struct log_row now;
    struct chain mark;
    enum err err = log_table_now(work->txn, &work->space, &log->device, &now);

    mark = now.tip;
    if (err == ERR_OK)
        err = unread_first(&snapshot, &now, view_restate_covered(work->known, now.number), &unread);
    if (err == ERR_OK)
        err = ledger_chain_at(&snapshot, &now, &id, unread - 1, &mark);
    if ((err != ERR_OK && err != ERR_NOT_FOUND) || mark.size == 0 || mark.size < now.start)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    cover.size = mark.size;
    memcpy(cover.tag, mark.hash.bytes, TAG_SIZE);
    buf_append(&work->covers, span_of(&cover, sizeof cover));
    return buf_err(&work->covers);
}

static struct value restate_bytes(struct span bytes)
{
    return (struct value){.type = VALUE_BYTES, .bytes = bytes};
}

static enum err restate_begin(struct restate_work *work, const struct hash *epoch)
{
    const struct restate_cover *covers =
        (const struct restate_cover *)(const void *)work->covers.data;
    size_t count = work->covers.size / sizeof *covers;
    struct buf list = {0};
    enum err err;

    if (count > LOGS_PER_PEER_MAX)
        return ERR_LIMIT;
    restate_put_covers(covers, count, &list);
    err = buf_err(&list);
    id_draw_random(&work->txn->ledger->entropy, &work->object);
    edit_begin(&work->edit, KIND_RESTATEMENT, &work->object, work->txn->now_ms);
    edit_set(&work->edit, RESTATE_COVERS, 1, restate_bytes(buf_span(&list)));
    edit_set(&work->edit, RESTATE_EPOCH, 1, restate_bytes(span_of(epoch->bytes, HASH_SIZE)));
    if (err == ERR_OK)
        err = ledger_append(work->txn, &work->space.id, &work->edit, 0);
    buf_release(&list);
    return err;
}

static enum err restate_end(struct restate_work *work)
{
    edit_begin(&work->edit, KIND_RESTATEMENT, &work->object, work->txn->now_ms);
    edit_set(&work->edit, RESTATE_COMPLETE, 1,
             (struct value){.type = VALUE_NUMBER, .number = work->entries + 1});
    return ledger_append(work->txn, &work->space.id, &work->edit, 0);
}

/* PROTOCOL RESTATE-1: "A restatement stands in one log of a card or network space, its entries one
 * after the other: one that opens an epoch whose previous is empty; the first edit of a restatement
 * object, with covers and epoch; repetitions; that object's second edit, with complete: how many
 * entries follow the first edit up to this one." */
enum err restate_space(struct ledger_txn *txn, const struct id *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct restate_work work = {.txn = txn, .known = heap_new(sizeof *work.known)};
    struct hash epoch;
    enum err err = work.known != NULL ? ledger_space(&snapshot, space, &work.space) : ERR_NOMEM;

    if (err == ERR_OK && work.space.kind != SPACE_CARD && work.space.kind != SPACE_NETWORK)
        err = ERR_STATE;
    if (err == ERR_OK)
        err = follow_all(txn);
    if (err == ERR_OK)
        err = view_restate_load(&snapshot, work.space.number, work.known);
    if (err == ERR_OK)
        err = ledger_logs(&snapshot, work.space.number, restate_on_log, &work);
    if (err == ERR_OK)
        err = space_open_epoch(txn, &work.space, true, &epoch);
    if (err == ERR_OK)
        err = restate_begin(&work, &epoch);
    if (err == ERR_OK)
        err = restate_objects(&work);
    if (err == ERR_OK)
        err = restate_end(&work);
    if (err == ERR_OK)
        err = follow_all(txn);
    if (err == ERR_OK)
        err = space_grant_all(txn, space, NULL);
    restate_release(&work);
    return err;
}
