/* Reading order: looking, merging what is not sorted, opening, merging, the whole. */

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "proto/endorsement.h"
#include "storage/follow_state.h"
#include "storage/round_state.h"
#include "storage/row.h"

enum { ROUND_RENEW = 4096 /* entries between two snapshots of one reader */ };

/* space 0: not sorted, merged in the order of arrival, before all others. */
struct round_ref {
    uint64_t object; /* of its id: creation time in 65 s, four random bytes */
    uint32_t space;
    uint32_t at; /* arrival number, from the round's first */
};

struct round {
    struct ledger *ledger;
    uint64_t first; /* arrival number */
    size_t count;
    struct round_ref *refs;
    uint8_t *proved;        /* of each entry from the first: 1 when its statement was verified */
    struct ledger_txn *txn; /* open while merging */
    size_t objects;         /* merged in it */
    uint64_t agains;        /* ledger_again.count: what others make anew lacks what this merged */
};

/* Looking. */

/* Kinds whose views come to the same in whatever order their objects change, and of which there are
 * many; never of spaces that are restated. */
static bool round_is_sorted_kind(uint8_t kind)
{
    return kind == KIND_CONTACT;
}

static enum err round_pending(struct ledger *ledger, uint64_t *out_first, size_t *out_count)
{
    struct ledger_counters counters;
    struct snapshot snapshot;
    enum err err = ledger_snapshot(ledger, &snapshot);

    if (err != ERR_OK)
        return err;
    err = ledger_load_counters(&snapshot, &counters);
    ledger_snapshot_end(&snapshot);
    if (err != ERR_OK)
        return err;
    *out_first = counters.followed + 1;
    *out_count = counters.arrival - counters.followed < ROUND_ENTRIES_MAX
                     ? (size_t)(counters.arrival - counters.followed)
                     : ROUND_ENTRIES_MAX;
    return ERR_OK;
}

bool round_is_due(struct ledger *ledger)
{
    uint64_t first;
    size_t count;

    return round_pending(ledger, &first, &count) == ERR_OK && count >= ROUND_ENTRIES_MIN;
}

enum err round_begin(struct ledger *ledger, struct round **out)
{
    struct round *round = heap_new_zeroed(1, sizeof *round);
    enum err err = round != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK)
        err = round_pending(ledger, &round->first, &round->count);
    if (err == ERR_OK && round->count == 0)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK) {
        round->ledger = ledger;
        round->agains = ledger->again.count;
        round->refs = heap_new_zeroed(round->count, sizeof *round->refs);
        round->proved = heap_new_zeroed(round->count, 1);
        err = round->refs != NULL && round->proved != NULL ? ERR_OK : ERR_NOMEM;
    }
    if (err != ERR_OK) {
        round_free(round);
        return err;
    }
    *out = round;
    return ERR_OK;
}

size_t round_count(const struct round *round)
{
    return round->count;
}

void round_free(struct round *round)
{
    if (round == NULL)
        return;
    if (round->txn != NULL)
        ledger_abort(round->txn);
    heap_free(round->refs);
    heap_free(round->proved);
    heap_free(round);
}

/* Objects made together lie together; those of one import differ in the random bytes. */
static uint64_t round_object_order(const struct id *object)
{
    return (uint64_t)be32(object->bytes) << 32 | be32(object->bytes + 6);
}

/* The root's signature is what costs most of an endorsement; whoever looks checks it, on either
 * thread, so that the writer need not. */
static bool round_is_proved(struct round_reader *reader, size_t key, const struct entry_row *entry)
{
    const struct edit *edit = &reader->edit.edit;
    struct endorsement endorsement;

    buf_clear(&reader->plain);
    if (entry_open(round_secret(reader, key), &entry->entry, entry->seq, &reader->plain) !=
            ERR_OK ||
        edit_read(&reader->edit, buf_span(&reader->plain)) != ERR_OK)
        return false;
    for (size_t at = 0; at < edit->writes_count; at++)
        if (edit->writes[at].op == WRITE_SET && edit->writes[at].field == ENDORSEMENT_STATEMENT)
            return endorsement_read(edit->writes[at].value.bytes, &endorsement) == ERR_OK;
    return false;
}

static enum err round_look_some(struct round *round, struct round_reader *reader, size_t from,
                                size_t until)
{
    struct snapshot snapshot;
    struct entry_row entry;
    size_t key;
    enum err err = ledger_snapshot(round->ledger, &snapshot);

    if (err != ERR_OK)
        return err;
    for (size_t at = from; at < until && err == ERR_OK; at++) {
        uint8_t first[SEAL_PEEK_MAX], kind;
        struct round_ref *ref = &round->refs[at];
        struct id object;
        size_t size;

        ref->at = (uint32_t)at;
        err = round_load(&snapshot, reader, round->first + at, &entry, &key);
        if (err == ERR_NOT_FOUND)
            err = ERR_OK;
        else if (err == ERR_OK) {
            size = entry_peek(round_secret(reader, key), &entry.entry, first);
            if (edit_peek(span_of(first, size), &kind, &object) != ERR_OK)
                continue;
            round->proved[at] =
                kind == KIND_ENDORSEMENT && round_is_proved(reader, key, &entry) ? 1 : 0;
            if (!round_is_sorted_kind(kind))
                continue;
            ref->object = round_object_order(&object);
            ref->space = reader->keys[key].space.number;
        }
    }
    ledger_snapshot_end(&snapshot);
    return err;
}

enum err round_look(struct round *round, struct round_reader *reader, size_t from, size_t until)
{
    enum err err = ERR_OK;

    for (size_t at = from; at < until && err == ERR_OK; at += ROUND_RENEW)
        err =
            round_look_some(round, reader, at, until - at < ROUND_RENEW ? until : at + ROUND_RENEW);
    return err;
}

static int round_order(const void *left, const void *right)
{
    const struct round_ref *one = left, *other = right;

    if (one->space != other->space)
        return one->space < other->space ? -1 : 1;
    if (one->object != other->object)
        return one->object < other->object ? -1 : 1;
    return one->at < other->at ? -1 : one->at > other->at;
}

size_t round_sort(struct round *round)
{
    size_t begin = 0;

    qsort(round->refs, round->count, sizeof *round->refs, round_order);
    while (begin < round->count && round->refs[begin].space == 0)
        begin++;
    return begin;
}

/* Merging what is not sorted. */

/* One by itself, and to it the watermark stands where it would stand without a round. All up to the
 * entry merged is what counts for a space that is made anew for it. */
static enum err round_merge_alone(struct round *round, uint64_t arrival, bool is_proved,
                                  uint64_t merged)
{
    struct ledger_txn *txn = round->txn;
    uint64_t followed = txn->counters.followed;
    enum err err;

    txn->counters.followed = arrival - 1;
    txn->proved = is_proved ? arrival : 0;
    err = follow_entry(txn, arrival);
    txn->proved = 0;
    txn->counters.followed = merged;
    if (err == ERR_OK)
        err = follow_make_again(txn);
    txn->counters.followed = followed;
    round->agains = round->ledger->again.count;
    return err;
}

/* The transaction that is open, or a new one. */
static enum err round_write(struct round *round)
{
    enum err err;

    if (round->txn != NULL)
        return ERR_OK;
    round->objects = 0;
    err = ledger_begin(round->ledger, 0, &round->txn);
    if (err != ERR_OK)
        round->txn = NULL;
    else if (round->txn->counters.followed + 1 != round->first ||
             round->ledger->again.count != round->agains)
        err = ERR_STATE;
    return err;
}

enum err round_rest(struct round *round)
{
    struct ledger_txn *txn = round->txn;

    round->txn = NULL;
    if (txn == NULL)
        return ERR_OK;
    if (ledger_txn_has_written(txn))
        return ledger_commit_stage(txn);
    ledger_abort(txn);
    return ERR_OK;
}

/* Others may write when a transaction has become large. */
static enum err round_pause(struct round *round)
{
    round->objects++;
    return round->objects >= ROUND_OBJECTS_MAX || ledger_txn_pages(round->txn) >= ROUND_PAGES_MAX
               ? round_rest(round)
               : ERR_OK;
}

enum err round_merge_unsorted(struct round *round, size_t from, size_t until)
{
    enum err err = ERR_OK;

    for (size_t at = from; err == ERR_OK && at < until; at++) {
        if (round->refs[at].space != 0)
            continue;
        err = round_write(round);
        if (err == ERR_OK)
            err = round_merge_alone(round, round->first + at, round->proved[at] != 0,
                                    round->first + at);
        if (err == ERR_OK)
            err = round_pause(round);
    }
    return err;
}

/* Opening. */

struct round_item {
    uint64_t arrival;
    bool is_for_follow;
    struct space_row space;
    struct origin origin;
    struct buf plain;
    struct edit_space edit;
};

struct round_chunk {
    size_t count;
    struct round_item items[ROUND_CHUNK_ENTRIES];
    struct wire_doc doc; /* one for all: edits borrow from their plaintexts alone */
    struct buf scratch;
};

enum err round_chunk_new(struct round_chunk **out)
{
    *out = heap_new_zeroed(1, sizeof **out);
    return *out != NULL ? ERR_OK : ERR_NOMEM;
}

void round_chunk_free(struct round_chunk *chunk)
{
    if (chunk == NULL)
        return;
    for (size_t at = 0; at < ROUND_CHUNK_ENTRIES; at++) {
        struct round_item *item = &chunk->items[at];

        if (item->plain.data != NULL)
            secret_wipe(item->plain.data, item->plain.capacity);
        buf_release(&item->plain);
        edit_release(&item->edit);
    }
    if (chunk->scratch.data != NULL)
        secret_wipe(chunk->scratch.data, chunk->scratch.capacity);
    buf_release(&chunk->scratch);
    wire_release(&chunk->doc);
    heap_free(chunk);
}

static enum err round_open_item(const struct snapshot *snapshot, struct round_reader *reader,
                                struct round_chunk *chunk, struct round_item *item)
{
    struct entry_row entry;
    size_t key = 0;
    enum err err;

    buf_clear(&item->plain);
    item->edit.doc = chunk->doc;
    err = round_load(snapshot, reader, item->arrival, &entry, &key);
    if (err == ERR_OK)
        err = entry_open(round_secret(reader, key), &entry.entry, entry.seq, &item->plain);
    if (err == ERR_OK)
        err = edit_read(&item->edit, buf_span(&item->plain));
    chunk->doc = item->edit.doc;
    item->edit.doc = (struct wire_doc){0};
    item->is_for_follow =
        err == ERR_OK ? !round_is_sorted_kind(item->edit.edit.kind) || item->edit.edit.has_original
                      : err == ERR_NOT_FOUND || err == ERR_FORGED || err == ERR_MALFORMED;
    if (err != ERR_OK || item->is_for_follow)
        return item->is_for_follow ? ERR_OK : err;
    item->space = reader->keys[key].space;
    entry_hash_payload(&entry.entry);
    item->origin = (struct origin){.arrival = item->arrival,
                                   .log = entry.log,
                                   .seq = entry.seq,
                                   .device = reader->keys[key].device,
                                   .entry_hash = entry.entry.header.payload_hash};
    return ERR_OK;
}

enum err round_open(struct round *round, struct round_reader *reader, size_t from,
                    struct round_chunk *chunk, size_t *out_until)
{
    struct snapshot snapshot;
    size_t bytes = 0;
    enum err err = ledger_snapshot(round->ledger, &snapshot);

    if (err != ERR_OK)
        return err;
    chunk->count = 0;
    while (err == ERR_OK && from < round->count && chunk->count < ROUND_CHUNK_ENTRIES &&
           bytes < ROUND_CHUNK_BYTES) {
        struct round_item *item = &chunk->items[chunk->count++];

        item->arrival = round->first + round->refs[from].at;
        err = round_open_item(&snapshot, reader, chunk, item);
        bytes += item->plain.size;
        from++;
    }
    ledger_snapshot_end(&snapshot);
    *out_until = from;
    return err;
}

/* Merging. */

static bool round_is_same_object(const struct round_item *one, const struct round_item *other)
{
    return !one->is_for_follow && !other->is_for_follow &&
           one->space.number == other->space.number &&
           one->edit.edit.kind == other->edit.edit.kind &&
           id_is_equal(&one->edit.edit.object, &other->edit.edit.object);
}

/* The edits items[0..count-1], all of one object: its row is read and written once. */
static enum err round_merge_object(struct ledger_txn *txn, struct buf *scratch,
                                   struct round_item *items, size_t count)
{
    const struct space_row *space = &items[0].space;
    const struct edit *first = &items[0].edit.edit;
    struct follow_context self = {.txn = txn, .space = space->number};
    struct object_context context = follow_object_context(&self);
    struct object before = {0}, after = {0};
    uint32_t number;
    bool is_new;
    enum err err =
        row_number_for(txn, space->number, first->kind, &first->object, &number, &is_new);

    if (err == ERR_OK && !is_new)
        err = follow_read_row(txn, scratch, number, &before, &after);
    for (size_t at = 0; at < count && err == ERR_OK; at++) {
        err = object_identify(&items[at].edit.edit, &context, &items[at].origin);
        if (err == ERR_OK)
            err = object_apply(&after, &items[at].edit.edit, &items[at].origin, &context);
    }
    if (err == ERR_OK)
        err = row_put(txn, number, space->number, &after);
    if (err == ERR_OK)
        err = follow_tell(txn, space, number, is_new ? NULL : &before, &after);
    if (err == ERR_LIMIT && is_new) { /* follow_apply finds it as it is. */
        object_release(&after);
        after = (struct object){.kind = first->kind, .id = first->object};
        err = row_put(txn, number, space->number, &after);
        err = err == ERR_OK ? ERR_LIMIT : err;
    }
    object_release(&before);
    object_release(&after);
    return err;
}

/* Merges what comes next in the chunk and says how many items that were. Any of the round may have
 * been merged before. */
static enum err round_merge_next(struct round *round, struct round_chunk *chunk, size_t at,
                                 size_t *out_count)
{
    uint64_t last = round->first + round->count - 1;
    struct round_item *items = &chunk->items[at];
    size_t count = 1;
    enum err err;

    *out_count = 1;
    if (items[0].is_for_follow)
        return round_merge_alone(round, items[0].arrival,
                                 round->proved[items[0].arrival - round->first] != 0, last);
    if (!follow_has_place(&items[0].space, &items[0].edit.edit))
        return ERR_OK;
    while (at + count < chunk->count && round_is_same_object(&items[0], &items[count]))
        count++;
    *out_count = count;
    err = round_merge_object(round->txn, &chunk->scratch, items, count);
    for (size_t index = 0; err == ERR_LIMIT && index < count; index++) {
        err = round_merge_alone(round, items[index].arrival, false, last); /* Which is too much? */
        err = err == ERR_OK && index + 1 < count ? ERR_LIMIT : err;
    }
    return err;
}

enum err round_merge(struct round *round, struct round_chunk *chunk)
{
    enum err err = ERR_OK;

    for (size_t at = 0, count; at < chunk->count && err == ERR_OK; at += count) {
        count = 1;
        err = round_write(round);
        if (err == ERR_OK)
            err = round_merge_next(round, chunk, at, &count);
        if (err == ERR_OK)
            err = round_pause(round);
    }
    return err;
}

enum err round_end(struct round *round)
{
    enum err err = round_write(round);

    if (err != ERR_OK)
        return err;
    round->txn->counters.followed += round->count;
    round->txn->written++;
    return round_rest(round);
}

/* The whole. */

static enum err round_merge_all(struct round *round, struct round_reader *reader,
                                struct round_chunk *chunk)
{
    size_t from = round->count;
    enum err err = round_look(round, reader, 0, round->count);

    if (err == ERR_OK)
        err = round_merge_unsorted(round, 0, round->count);
    if (err == ERR_OK)
        from = round_sort(round);
    while (from < round->count && err == ERR_OK) {
        err = round_open(round, reader, from, chunk, &from);
        if (err == ERR_OK)
            err = round_merge(round, chunk);
    }
    return err == ERR_OK ? round_end(round) : err;
}

enum err round_run(struct ledger *ledger)
{
    struct round_reader *reader = NULL;
    struct round_chunk *chunk = NULL;
    struct round *round = NULL;
    enum err err = round_begin(ledger, &round);

    if (err == ERR_OK)
        err = round_reader_new(&reader);
    if (err == ERR_OK)
        err = round_chunk_new(&chunk);
    if (err == ERR_OK)
        err = round_merge_all(round, reader, chunk);
    round_chunk_free(chunk);
    round_reader_free(reader);
    round_free(round);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
