/* What follows from a restatement later: covered payloads are dropped, and a new one is made when
 * too much is dead. */
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "proto/limits.h"
#include "storage/absent.h"
#include "storage/agenda.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/restate.h"
#include "storage/return_table.h"
#include "storage/row.h"
#include "storage/space_state.h"
#include "storage/unread.h"
#include "storage/view_restate.h"

enum {
    RESTATE_DROPS_MAX = 2048, /* of one transaction */
    RESTATE_HOUR_MS = 60 * 60 * 1000
};

struct restate_duty {
    struct ledger_txn *txn;
    const struct space_row *space;
    const struct view_restate *restate;
    size_t drops;
    uint64_t total, live; /* payload bytes held here; those of entries that say something */
    bool is_short;        /* a log does not reach the mark yet */
    bool is_missed;       /* by a reader: it has not acknowledged all of the restatement */
    bool is_older;      /* something beyond the marks is under an epoch that the new readers lack */
    bool is_waiting;    /* something may not be repeated yet */
    struct hash judged; /* the epoch that was asked for that last */
    struct buf numbers; /* the space's objects */
    struct edit_space edit; /* at hand */
    struct buf plain;
};

/* Dropping. */

static enum err restate_on_reader(void *self, const struct peer *peer)
{
    struct restate_duty *duty = self;
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    uint64_t size;
    enum err err;

    if (!space_may_read(duty->space->kind, peer))
        return ERR_OK;
    err = view_delivered_to(&snapshot, &peer->member, duty->restate->log, &size);
    duty->is_missed |= err == ERR_OK && size < duty->restate->end;
    return err;
}

/* PROTOCOL RESTATE-8: "Payloads it covers may be dropped, in a log that goes through its mark, by
 * others at once; by the writer when every reader has acknowledged it, or after
 * RESTATE_KEEP_DAYS." */
static enum err restate_may_drop(struct restate_duty *duty, bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    struct moment now;
    enum err err = running_moment(duty->txn, &now);

    *out = true;
    if (err != ERR_OK || !duty->space->is_mine)
        return err;
    err = view_peer_each_link(&snapshot, restate_on_reader, duty);
    *out = !duty->is_missed || running_has_passed(&duty->restate->since, &now,
                                                  (uint64_t)RESTATE_KEEP_DAYS * RUNNING_DAY_MS);
    return err;
}

static enum err restate_drop_log(struct restate_duty *duty, const struct view_restate_cover *cover)
{
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    struct log_row log = {.number = 0};
    enum err err = ledger_log_numbered(&snapshot, cover->log, &log);

    if (err == ERR_OK)
        err = log_table_now(duty->txn, duty->space, &log.device, &log);
    if (err == ERR_OK && log.tip.size < cover->size) { /* It may go another way. */
        duty->is_short = true;
        return ERR_OK;
    }
    for (uint64_t seq = log.start + 1;
         err == ERR_OK && seq <= cover->size && duty->drops < RESTATE_DROPS_MAX; seq++) {
        struct entry_row row;

        err = ledger_entry_at(&snapshot, cover->log, seq, &row);
        if (err == ERR_OK && row.entry.header.epoch_index > 0 && row.entry.payload.size > 0) {
            duty->drops++;
            err = absent_drop(duty->txn, row.arrival);
        }
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return err;
}

static enum err restate_drop(struct restate_duty *duty, uint64_t *out_again_ms)
{
    bool may_drop;
    enum err err = restate_may_drop(duty, &may_drop);

    for (size_t at = 0; err == ERR_OK && may_drop && at < duty->restate->covers_count; at++)
        err = restate_drop_log(duty, &duty->restate->covers[at]);
    if (err == ERR_OK && (!may_drop || duty->is_short))
        *out_again_ms = duty->txn->now_ms + RUNNING_DAY_MS;
    if (duty->drops >= RESTATE_DROPS_MAX)
        *out_again_ms = duty->txn->now_ms + 1;
    return err;
}

/* Is it due again? */

static enum err restate_weigh_object(struct restate_duty *duty, const struct object *object)
{
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    uint64_t last = 0;
    enum err err = ERR_OK;

    /* An entry that says two things is counted twice now and then: too much is live then. */
    for (size_t at = 0; err == ERR_OK && at < object->registers_count; at++) {
        struct entry_row row;

        if (object->registers[at].arrival == last)
            continue;
        last = object->registers[at].arrival;
        err = ledger_entry(&snapshot, last, &row);
        duty->live += err == ERR_OK ? row.entry.payload.size : 0;
    }
    for (size_t at = 0; err == ERR_OK && at < object->elements_count; at++) {
        struct entry_row row;

        if (object->elements[at].dots[0].arrival == last)
            continue;
        last = object->elements[at].dots[0].arrival;
        err = ledger_entry(&snapshot, last, &row);
        duty->live += err == ERR_OK ? row.entry.payload.size : 0;
    }
    return err;
}

static enum err restate_weigh_objects(struct restate_duty *duty)
{
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    enum err err = row_numbers(&snapshot, duty->space->number, &duty->numbers);

    for (size_t at = 0; err == ERR_OK && at < duty->numbers.size; at += sizeof(uint32_t)) {
        struct object object = {0};
        uint32_t number, ignored;

        memcpy(&number, duty->numbers.data + at, sizeof number);
        err = row_load(&snapshot, number, &object, &ignored);
        if (err == ERR_OK && object_is_visible(&object))
            err = restate_weigh_object(duty, &object);
        object_release(&object);
    }
    return err;
}

/* Two devices may restate without knowing of each other: what the lesser one repeats is repeated by
 * the other, or lies beyond its marks itself. Else each would answer the other for ever. */
static enum err restate_judge_edit(struct restate_duty *duty, const struct entry_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    const struct edit *edit = &duty->edit.edit;
    enum err err;

    buf_clear(&duty->plain);
    err = ledger_open_entry(&snapshot, row, &duty->plain);
    if (err == ERR_OK)
        err = edit_read(&duty->edit, buf_span(&duty->plain));
    duty->is_older |= err == ERR_OK && edit->kind != KIND_RESTATEMENT &&
                      !(edit->has_original && edit->original.has_place);
    /* What cannot be read here cannot be repeated, either. */
    return err == ERR_KEY_MISSING || err == ERR_NOT_FOUND || err == ERR_FORGED ||
                   err == ERR_MALFORMED
               ? ERR_OK
               : err;
}

/* Beyond the marks, but under an epoch no deeper than the restatement's: whoever was admitted since
 * cannot read it. */
static enum err restate_judge_epoch(struct restate_duty *duty, const struct entry_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    struct epoch_row epoch;
    struct hash id;
    enum err err;

    if (!duty->restate->is_there || duty->is_older)
        return ERR_OK;
    err = epoch_table_of_log(&snapshot, row->log, row->entry.header.epoch_index, &id);
    if (err == ERR_OK)
        err = epoch_table_get(&snapshot, &id, &epoch);
    if (err == ERR_OK && epoch.epoch.depth <= duty->restate->depth &&
        memcmp(id.bytes, duty->restate->epoch.bytes, HASH_SIZE) != 0)
        err = restate_judge_edit(duty, row);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err restate_weigh_log(void *self, const struct log_row *log)
{
    struct restate_duty *duty = self;
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    uint64_t covered = view_restate_covered(duty->restate, log->number), unread = UINT64_MAX;
    struct log_row now;
    enum err err = log_table_now(duty->txn, duty->space, &log->device, &now);

    if (err == ERR_OK) /* Another one would reach no further. */
        err = unread_first(&snapshot, &now, covered, &unread);
    err = err == ERR_NOT_FOUND ? ERR_OK : err;
    /* What is covered already waits to be dropped. */
    for (uint64_t seq = covered + 1; err == ERR_OK && seq <= now.tip.size && seq < unread; seq++) {
        struct entry_row row;

        err = ledger_entry_at(&snapshot, now.number, seq, &row);
        if (err == ERR_OK && row.entry.header.epoch_index > 0 && row.entry.payload.size > 0) {
            duty->total += row.entry.payload.size;
            err = restate_judge_epoch(duty, &row);
        }
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return err;
}

/* PROTOCOL RESTATE-6: "It is due, too, when the dead bytes beyond the marks exceed the live ones
 * and RESTATE_DEAD_MIN, and when an entry beyond the marks is under another epoch no deeper than
 * the restatement's and is no part of a restatement itself;" */
static enum err restate_weigh(struct restate_duty *duty, bool *out_is_due)
{
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    uint64_t dead;
    enum err err = restate_weigh_objects(duty);

    if (err == ERR_OK)
        err = ledger_logs(&snapshot, duty->space->number, restate_weigh_log, duty);
    dead = duty->total > duty->live ? duty->total - duty->live : 0;
    *out_is_due = duty->is_older || (dead > duty->live && dead > RESTATE_DEAD_MIN);
    return err;
}

/* May it be made? */

static enum err restate_judge_open(struct restate_duty *duty, const struct hash *epoch)
{
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    bool is_open = true;
    enum err err = ERR_OK;

    if (memcmp(epoch->bytes, duty->judged.bytes, HASH_SIZE) != 0)
        err = space_is_open(&snapshot, duty->space, epoch, &is_open);
    duty->judged = *epoch;
    duty->is_waiting |= err == ERR_OK && !is_open;
    return err;
}

static enum err restate_judge_cut(void *self, uint64_t arrival)
{
    struct restate_duty *duty = self;
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    struct entry_row row;
    enum err err = ledger_entry(&snapshot, arrival, &row);

    if (err == ERR_OK && row.entry.header.epoch_index > 0 && row.entry.payload.size > 0)
        err = restate_judge_open(duty, &row.epoch);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Returns are merged, too, and what is merged is repeated. */
static enum err restate_judge_log(void *self, const struct log_row *log)
{
    struct restate_duty *duty = self;
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    struct log_row now;
    bool is_awaited = false;
    enum err err = log_table_now(duty->txn, duty->space, &log->device, &now);

    if (err == ERR_OK)
        err = absent_is_awaited(&snapshot, &now, &is_awaited);
    duty->is_waiting |= is_awaited;
    for (uint64_t seq = view_restate_covered(duty->restate, log->number) + 1;
         err == ERR_OK && !duty->is_waiting && seq <= now.tip.size; seq++) {
        struct entry_row row;
        struct hash id;

        err = ledger_entry_at(&snapshot, now.number, seq, &row);
        if (err == ERR_OK && row.entry.header.epoch_index > 0 && row.entry.payload.size > 0) {
            err = epoch_table_of_log(&snapshot, row.log, row.entry.header.epoch_index, &id);
            if (err == ERR_OK)
                err = restate_judge_open(duty, &id);
        }
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return err == ERR_OK ? return_table_cuts(&snapshot, log->number, restate_judge_cut, duty) : err;
}

/* PROTOCOL RESTATE-6: "all wait while RETURN-10 lets some entry not be repeated, or the payload of
 * one is missing, and may not be (ABSENT-1), for less than RETURN_WAIT_DAYS" */
static enum err restate_is_free(struct restate_duty *duty, uint64_t *out_again_ms, bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(duty->txn);
    enum err err = ledger_logs(&snapshot, duty->space->number, restate_judge_log, duty);

    *out = err == ERR_OK && !duty->is_waiting;
    if (duty->is_waiting)
        *out_again_ms = duty->txn->now_ms + RESTATE_HOUR_MS;
    return err;
}

enum err restate_may_be_made(struct ledger_txn *txn, const struct space_row *space, bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_restate *restate = heap_new(sizeof *restate);
    struct restate_duty duty = {.txn = txn, .space = space, .restate = restate};
    uint64_t again_ms;
    enum err err =
        restate != NULL ? view_restate_load(&snapshot, space->number, restate) : ERR_NOMEM;

    if (err == ERR_OK)
        err = restate_is_free(&duty, &again_ms, out);
    heap_free(restate);
    return err;
}

static enum err restate_tend_space(struct restate_duty *duty, uint64_t *out_again_ms)
{
    bool is_due = false;
    enum err err = duty->restate->is_there ? restate_drop(duty, out_again_ms) : ERR_OK;

    if (err == ERR_OK && duty->space->is_mine)
        err = restate_weigh(duty, &is_due);
    if (err == ERR_OK && is_due)
        err = restate_is_free(duty, out_again_ms, &is_due);
    return err == ERR_OK && is_due ? restate_space(duty->txn, &duty->space->id) : err;
}

/* One that had to wait, in a space of somebody else's: does it count? */
static enum err restate_look(struct ledger_txn *txn, const struct space_row *space)
{
    bool is_new = false;
    size_t looked;
    enum err err = space->is_mine ? ERR_OK : view_restate_look(txn, space, NULL, &is_new, &looked);

    return err == ERR_OK && is_new ? follow_space_again(txn, space->number) : err;
}

enum err restate_tend(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_restate *restate = heap_new(sizeof *restate);
    struct restate_duty duty = {.txn = txn, .restate = restate};
    struct space_row space;
    struct id id = {{0}};
    uint64_t again_ms = 0;
    bool is_again = name.size == FOLLOW_AGAIN_NAME_SIZE;
    enum err err = restate == NULL ? ERR_NOMEM : ERR_NOT_FOUND;

    if (restate != NULL && (name.size == ID_SIZE || is_again)) {
        memcpy(id.bytes, name.data, ID_SIZE);
        err = ledger_space(&snapshot, &id, &space);
    }
    if (err == ERR_OK && is_again) { /* It waited, and no other duty is due. */
        err = follow_space_again(txn, space.number);
        heap_free(restate);
        return err;
    }
    if (err == ERR_OK && space.kind != SPACE_CARD && space.kind != SPACE_NETWORK)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = restate_look(txn, &space);
    if (err == ERR_OK)
        err = view_restate_load(&snapshot, space.number, restate);
    duty.space = &space;
    if (err == ERR_OK)
        err = restate_tend_space(&duty, &again_ms);
    if (err == ERR_OK && again_ms > 0)
        err = agenda_put(txn, again_ms, KIND_RESTATEMENT, name);
    buf_release(&duty.numbers);
    edit_release(&duty.edit);
    if (duty.plain.data != NULL)
        secret_wipe(duty.plain.data, duty.plain.capacity);
    buf_release(&duty.plain);
    heap_free(restate);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
