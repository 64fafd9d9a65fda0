/* A batch comes or is cut, its entries are repeated one by one, and when none is left it goes. */
#include "storage/returns.h"

#include <string.h>

#include "crypto/secret.h"
#include "storage/heal.h"
#include "storage/keep.h"
#include "storage/retire_table.h"
#include "storage/return_epoch.h"
#include "storage/return_table.h"
#include "storage/space.h"
#include "storage/standing.h"
#include "storage/view_peer.h"

static bool returns_is_hash(const struct hash *left, const struct hash *right)
{
    return span_is_equal(span_of(left->bytes, HASH_SIZE), span_of(right->bytes, HASH_SIZE));
}

/* Taking. */

/* Where this entry lies already: in its log, at its place, or among those that were cut. */
static enum err returns_find(const struct snapshot *snapshot, const struct log_row *log,
                             uint64_t seq, const struct hash *payload, uint64_t *out)
{
    struct entry_row entry;
    enum err err = ERR_NOT_FOUND;

    if (log->number > 0 && seq <= log->tip.size)
        err = ledger_entry_at(snapshot, log->number, seq, &entry);
    if (err == ERR_OK && entry.entry.payload.size > 0)
        entry_hash_payload(&entry.entry);
    if (err == ERR_OK && returns_is_hash(&entry.entry.header.payload_hash, payload)) {
        *out = entry.arrival;
        return ERR_OK;
    }
    return err == ERR_OK || err == ERR_NOT_FOUND
               ? return_table_cut(snapshot, &(struct return_cut){log->number, seq, *payload}, out)
               : err;
}

static enum err returns_add_entry(struct ledger_txn *txn, const struct log_id *id,
                                  const struct log_row *log, uint64_t seq,
                                  const struct entry *entry, const struct hash *epoch,
                                  uint64_t *out_arrival)
{
    uint64_t arrival = txn->counters.arrival + 1;
    enum err err = log_table_put_entry(txn, arrival, log->number, seq, entry, epoch);

    if (err == ERR_OK)
        err = return_table_put_cut(
            txn, &(struct return_cut){log->number, seq, entry->header.payload_hash}, arrival);
    if (err == ERR_OK && entry->header.epoch_index == 0 && entry->payload.size > 0)
        err = epoch_table_learn_cut(txn, id, entry->payload);
    txn->counters.arrival = arrival;
    txn->counters.last_log = 0;
    *out_arrival = arrival;
    return err;
}

static enum err returns_store(struct ledger_txn *txn, const struct space_row *space,
                              const struct returned *returned)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct verified_batch *batch = returned->batch;
    const struct chain *start = verified_batch_start(batch), *end = verified_batch_end(batch);
    const struct log_id *id = verified_batch_log(batch);
    struct return_row row = {.start_size = start->size, .start_hash = start->hash};
    struct log_row log;
    uint32_t number;
    enum err err = log_table_number(txn, space->number, &id->device, &number);

    if (err == ERR_OK)
        err = log_table_now(txn, space, &id->device, &log);
    for (size_t at = 0; err == ERR_OK && at < verified_batch_count(batch); at++) {
        const struct entry *entry = verified_batch_entry(batch, at);
        uint64_t seq = start->size + at + 1;
        struct hash epoch;

        err = returns_find(&snapshot, &log, seq, &entry->header.payload_hash, &row.arrivals[at]);
        if (err == ERR_NOT_FOUND) {
            err = return_epoch_of(&snapshot, &log, returned, entry->header.epoch_index, &epoch);
            if (err == ERR_OK)
                err = returns_add_entry(txn, id, &log, seq, entry, &epoch, &row.arrivals[at]);
        }
        row.count = at + 1;
    }
    memcpy(row.signature, verified_batch_head(batch)->signature, SIGNATURE_SIZE);
    if (err == ERR_OK)
        err = return_table_put(txn, space->number, &id->device, &end->hash, &row);
    ledger_note_news(txn, &space->id);
    return err;
}

/* PROTOCOL RETURN-4: "An epoch's id is computed from what is told of it, and a key that does not
 * fit its commitment ends the session. What is told opens entries; no writer chooses it for that."
 */
static enum err returns_take_keys(struct ledger_txn *txn, const struct returned *returned)
{
    enum err err = ERR_OK;

    for (size_t at = 0; at < returned->epochs_count && err == ERR_OK; at++) {
        const struct returned_epoch *told = &returned->epochs[at];

        if (!told->has_key)
            continue;
        err = ledger_add_key(txn, &told->epoch.id, told->key);
        if (err == ERR_FORGED)
            err = ERR_OK;
    }
    return err;
}

/* Is this batch a part of what the log follows? */
static enum err returns_is_known(const struct snapshot *snapshot, const struct log_row *log,
                                 const struct verified_batch *batch, bool *out)
{
    const struct chain *end = verified_batch_end(batch);
    struct chain known;
    enum err err;

    *out = false;
    if (log->number == 0 || end->size > log->tip.size)
        return ERR_OK;
    err = ledger_chain_at(snapshot, log, verified_batch_log(batch), end->size, &known);
    *out = err == ERR_OK && returns_is_hash(&known.hash, &end->hash);
    return err;
}

/* PROTOCOL FORK-6: "A device that holds two branches of a sibling's log retires the sibling as
 * forked, without a successor: it may be dead." */
static enum err returns_judge_sibling(struct ledger_txn *txn, const struct space_row *space,
                                      const struct log_row *log, const struct returned *returned)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct chain *start = verified_batch_start(returned->batch);
    const struct log_id *id = verified_batch_log(returned->batch);
    struct retire_state state;
    struct chain known;
    enum err err = retire_table_state(&snapshot, &id->device, &state);

    if (err != ERR_OK || state.is_retired || start->size >= log->tip.size)
        return err;
    if (public_key_is_equal(&id->device, ledger_device(txn->ledger)))
        return ERR_OK;
    err = ledger_chain_at(&snapshot, log, id, start->size, &known);
    if (err != ERR_OK || !returns_is_hash(&known.hash, &start->hash))
        return err;
    return returned->is_last ? heal_sibling(txn, space, &id->device) : ERR_OK;
}

/* Repeating. */

/* An entry read for repeating: whoever wrote it first stands in the edit. */
struct returns_edit {
    struct edit_space edit;
    struct buf plain;
};

static void returns_forget(struct returns_edit *edit)
{
    edit_release(&edit->edit);
    if (edit->plain.data != NULL)
        secret_wipe(edit->plain.data, edit->plain.capacity);
    buf_release(&edit->plain);
}

/* PROTOCOL RETURN-7: "A restatement carries the original: the first writer's device, the entry's
 * number and payload hash, and its time, counters and dots verbatim (ORIGIN-1), and expires as it
 * did. The restatement of a restatement carries the first original." */
static enum err returns_read(const struct snapshot *snapshot, const struct entry_row *entry,
                             const struct public_key *device, const struct hash *payload,
                             struct returns_edit *out)
{
    struct original original = {.device = *device, .seq = entry->seq, .entry_hash = *payload};
    enum err err;

    *out = (struct returns_edit){0};
    err = ledger_open_entry(snapshot, entry, &out->plain);
    if (err == ERR_OK)
        err = edit_read(&out->edit, buf_span(&out->plain));
    if (err == ERR_OK && !out->edit.edit.has_original)
        edit_carry(&out->edit, &original);
    out->edit.edit.original.has_place = false;
    return err;
}

struct returns_round {
    struct ledger_txn *txn;
    struct space_row space;
    struct return_place place;
    bool may_repeat;
    size_t budget;
};

static enum err returns_repeat(struct returns_round *round, struct edit_space *edit,
                               uint64_t expires_at_s)
{
    struct ledger_txn *txn = round->txn;
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct log_id id = {.space = round->space.id, .device = *ledger_device(txn->ledger)};
    struct log_row log;
    enum err err = ledger_append(txn, &round->space.id, edit, expires_at_s);

    if (err == ERR_OK)
        err = ledger_log(&snapshot, &id, &log);
    if (err == ERR_OK)
        err = return_table_put_restated(txn, round->space.number, &edit->edit.original.entry_hash,
                                        log.number, txn->counters.arrival);
    round->budget--;
    return err;
}

/* What cannot be read, or is too large to be repeated, stays among the returns. */
static bool returns_must_wait(enum err err)
{
    return err == ERR_KEY_MISSING || err == ERR_FORGED || err == ERR_MALFORMED ||
           err == ERR_NOT_FOUND || err == ERR_LIMIT;
}

/* PROTOCOL RETURN-12: "What opens an epoch of self and was cut tells nobody its parents' keys who
 * joins later: each of them is noted in self again (SELF-1)" */
static enum err returns_tell_older(struct returns_round *round, const struct entry_row *opener)
{
    struct log_id id = {.space = round->space.id, .device = round->place.device};
    struct hash parents[EPOCH_PARENTS_MAX];
    struct epoch epoch;
    size_t count;
    enum err err = ERR_OK;

    if (round->space.kind != SPACE_SELF || !round->may_repeat ||
        epoch_read(&id, opener->entry.payload, &epoch) != ERR_OK || epoch.is_use)
        return ERR_OK;
    count = epoch.parents_count;
    memcpy(parents, epoch.parents, count * sizeof parents[0]);
    for (size_t at = 0; err == ERR_OK && at < count; at++)
        err = space_tell_older(round->txn, &round->space, &parents[at], epoch.depth);
    return err;
}

/* Does a log hold this entry, itself or repeated? It is repeated now where that is our duty. */
static enum err returns_settle_entry(struct returns_round *round, uint64_t arrival, bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(round->txn);
    const struct hash *original;
    struct returns_edit edit;
    bool is_open = true;
    struct entry_row entry;
    struct hash payload;
    enum err err = ledger_entry(&snapshot, arrival, &entry);

    *out = err == ERR_OK &&
           (!entry.is_cut || entry.entry.header.epoch_index == 0 || entry.entry.payload.size == 0);
    if (err == ERR_OK && entry.is_cut && entry.entry.header.epoch_index == 0)
        return returns_tell_older(round, &entry);
    if (err != ERR_OK || *out)
        return err;
    entry_hash_payload(&entry.entry);
    payload = entry.entry.header.payload_hash;
    err = return_table_is_restated(&snapshot, round->space.number, &payload, out);
    if (err != ERR_OK || *out)
        return err;
    err = returns_read(&snapshot, &entry, &round->place.device, &payload, &edit);
    *out = err == ERR_OK && edit.edit.edit.kind == KIND_RESTATEMENT;
    if (err == ERR_OK)
        err = space_is_open(&snapshot, &round->space, &entry.epoch, &is_open);
    original = &edit.edit.edit.original.entry_hash;
    if (err == ERR_OK && !returns_is_hash(original, &payload))
        err = return_table_is_restated(&snapshot, round->space.number, original, out);
    if (err == ERR_OK && !*out && is_open && round->may_repeat && round->budget > 0) {
        err = returns_repeat(round, &edit.edit, entry.entry.header.expires_at_s);
        *out = err == ERR_OK;
    }
    returns_forget(&edit);
    return returns_must_wait(err) ? ERR_OK : err;
}

/* PROTOCOL RETURN-6: "Nobody drops an entry from returns before a log it has committed holds the
 * entry or its restatement." */
static enum err returns_settle_row(struct returns_round *round, const struct return_row *row)
{
    bool is_done = true;
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < row->count; at++) {
        bool is_held = false;

        err = returns_settle_entry(round, row->arrivals[at], &is_held);
        is_done &= is_held;
        if (!is_done && !round->may_repeat)
            break;
    }
    if (err != ERR_OK || !is_done)
        return err;
    ledger_note_news(round->txn, &round->space.id);
    return return_table_drop(round->txn, round->place.space, &round->place.device,
                             &round->place.end);
}

/* A reader looks at its returns when something was repeated: that may have been before this came.
 */
static enum err returns_settle_stored(struct ledger_txn *txn, const struct space_row *space,
                                      const struct verified_batch *batch)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct returns_round round = {.txn = txn,
                                  .space = *space,
                                  .place = {.space = space->number,
                                            .device = verified_batch_log(batch)->device,
                                            .end = verified_batch_end(batch)->hash}};
    struct return_row row;
    enum err err =
        return_table_get(&snapshot, space->number, &round.place.device, &round.place.end, &row);

    if (err == ERR_OK)
        err = returns_settle_row(&round, &row);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL RETURN-8: "A batch of a space that the receiver does not write is passed over without an
 * answer where a peer gives it, and so is one of a device it does not know." */
enum err returns_take(struct ledger_txn *txn, const struct returned *returned,
                      const struct public_key *from)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct log_id *id = verified_batch_log(returned->batch);
    bool is_sibling = public_key_is_equal(from, ledger_member(txn->ledger));
    enum standing standing = STANDING_GOOD;
    struct device_row device;
    struct space_row space;
    struct log_row log;
    bool is_known = false;
    enum err err = ledger_space(&snapshot, &id->space, &space);

    if (err == ERR_OK && !space.is_mine && !is_sibling)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = view_device_of(&snapshot, &id->device, &space.writer, &device);
    if (err == ERR_OK)
        err = standing_of(&snapshot, &id->device, &standing);
    if (err == ERR_OK && standing >= STANDING_STOLEN)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = log_table_now(txn, &space, &id->device, &log);
    if (err == ERR_OK)
        err = returns_is_known(&snapshot, &log, returned->batch, &is_known);
    if (err == ERR_OK)
        err = returns_take_keys(txn, returned);
    if (err != ERR_OK || is_known)
        return err;
    err = returns_store(txn, &space, returned);
    if (err == ERR_OK && space.is_mine)
        err = returns_judge_sibling(txn, &space, &log, returned);
    txn->must_keep |= space.is_mine;
    if (err == ERR_OK)
        err = keep_apply(txn, &space, &id->device);
    if (err == ERR_OK && !space.is_mine)
        err = returns_settle_stored(txn, &space, returned->batch);
    return err;
}

/* A device that holds proof that it has a copy writes no more: its successor will. */
static enum err returns_is_live(const struct snapshot *snapshot, bool *out)
{
    struct retire_state state;
    bool is_due = false;
    enum err err = retire_table_state(snapshot, ledger_device(snapshot->ledger), &state);

    if (err == ERR_OK)
        err = heal_is_due(snapshot, &is_due);
    *out = err == ERR_OK && !state.is_retired && !is_due;
    return err;
}

/* What a copy of this device wrote is proof first, and is repeated by the successor. */
static enum err returns_may_repeat(const struct snapshot *snapshot, const struct space_row *space,
                                   const struct public_key *device, bool is_live, bool *out)
{
    enum standing standing;
    enum err err = standing_of(snapshot, device, &standing);

    *out = err == ERR_OK && is_live && space->is_mine &&
           (standing == STANDING_FORKED || standing == STANDING_OWNER);
    return err;
}

/* PROTOCOL RETURN-9: "Restating is a standing duty: in every commit a device that is not retired
 * repeats in its own log what its returns hold and logs lack, in chunks." */
enum err returns_do_duty(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct returns_round round = {.txn = txn, .budget = RETURNS_CHUNK};
    struct return_row row;
    bool is_live, is_empty;
    enum err err = return_table_is_empty(&snapshot, &is_empty);

    if (err != ERR_OK || is_empty)
        return err;
    err = returns_is_live(&snapshot, &is_live);
    while (err == ERR_OK) {
        err = return_table_next(&snapshot, &round.place, &row);
        if (err == ERR_OK)
            err = ledger_space_numbered(&snapshot, round.place.space, &round.space);
        if (err == ERR_OK)
            err = returns_may_repeat(&snapshot, &round.space, &round.place.device, is_live,
                                     &round.may_repeat);
        if (err == ERR_OK && (round.may_repeat ? round.budget > 0 : txn->has_restated))
            err = returns_settle_row(&round, &row);
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

bool returns_are_due(const struct snapshot *snapshot)
{
    struct return_place place = {0};
    struct return_row row;
    bool is_live = false, is_due = false, is_empty = true;

    if (return_table_is_empty(snapshot, &is_empty) != ERR_OK || is_empty ||
        returns_is_live(snapshot, &is_live) != ERR_OK)
        return false;
    while (!is_due && return_table_next(snapshot, &place, &row) == ERR_OK) {
        struct space_row space;

        if (ledger_space_numbered(snapshot, place.space, &space) != ERR_OK ||
            returns_may_repeat(snapshot, &space, &place.device, is_live, &is_due) != ERR_OK)
            return false;
    }
    return is_due;
}

enum err returns_note(struct ledger_txn *txn, const struct entry_row *entry,
                      const struct hash *original)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct log_row log;
    enum err err = ledger_log_numbered(&snapshot, entry->log, &log);

    if (err == ERR_OK)
        err = return_table_put_restated(txn, log.space, original, entry->log, entry->arrival);
    txn->has_restated = true;
    return err;
}

/* Giving back. */

static enum err returns_fill(const struct snapshot *snapshot, const struct space_row *space,
                             const struct return_row *row, struct returned_row *out)
{
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < row->count; at++) {
        struct entry_row entry;
        struct hash epoch;

        err = ledger_entry(snapshot, row->arrivals[at], &entry);
        if (err != ERR_OK)
            return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
        batch_add(&out->entries, &entry.entry);
        if (entry.entry.header.epoch_index == 0)
            continue;
        epoch = entry.epoch;
        if (!entry.is_cut)
            err = epoch_table_of_log(snapshot, entry.log, entry.entry.header.epoch_index, &epoch);
        if (err == ERR_OK)
            err = return_epoch_tell(snapshot, space, entry.entry.header.epoch_index, &epoch, out);
        else if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    return err == ERR_OK ? buf_err(&out->entries.entries) : err;
}

enum err returns_next(const struct snapshot *snapshot, const struct public_key *peer,
                      struct replica_place *at, struct returned_row *out)
{
    struct return_place place = {.is_begun = at->is_begun};
    bool is_sibling = public_key_is_equal(peer, ledger_member(snapshot->ledger));
    enum standing standing = STANDING_GOOD;
    struct space_row space = {0};
    struct return_row row;
    bool is_empty;
    enum err err = return_table_is_empty(snapshot, &is_empty);

    if (err != ERR_OK || is_empty)
        return err != ERR_OK ? err : ERR_NOT_FOUND;
    place.space = be32(at->bytes);
    memcpy(place.device.bytes, at->bytes + 4, 32);
    memcpy(place.end.bytes, at->bytes + 36, HASH_SIZE);
    while (err == ERR_OK) {
        err = return_table_next(snapshot, &place, &row);
        if (err == ERR_OK)
            err = ledger_space_numbered(snapshot, place.space, &space);
        if (err == ERR_OK)
            err = standing_of(snapshot, &place.device, &standing);
        if (err == ERR_OK && standing < STANDING_STOLEN &&
            (is_sibling || public_key_is_equal(&space.writer, peer)))
            break;
    }
    if (err != ERR_OK)
        return err;
    be32_put(at->bytes, place.space);
    memcpy(at->bytes + 4, place.device.bytes, 32);
    memcpy(at->bytes + 36, place.end.bytes, HASH_SIZE);
    at->is_begun = true;
    out->log = (struct log_id){.space = space.id, .device = place.device};
    out->kind = space.kind;
    out->start = (struct chain){.size = row.start_size, .hash = row.start_hash};
    out->end = (struct chain){.size = row.start_size + row.count, .hash = place.end};
    memcpy(out->signature, row.signature, SIGNATURE_SIZE);
    return returns_fill(snapshot, &space, &row, out);
}
