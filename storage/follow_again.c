/* A space's objects from nothing. A restatement decides what is alive, so that what was merged
 * before it came may be dead now; card and network spaces are small enough to be merged again
 * whole. */
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "storage/follow_state.h"
#include "storage/return_table.h"
#include "storage/row.h"

enum { FOLLOW_AGAIN_MAX = 16 };

struct follow_was {
    uint32_t number;
    struct buf row;
};

struct follow_work {
    struct ledger_txn *txn;
    uint32_t space;
    struct buf logs;    /* struct log_row */
    struct buf numbers; /* uint32_t */
    struct buf cut;     /* uint64_t: arrivals */
    struct follow_was *was;
    size_t was_count;
    size_t merged; /* entries */
};

static enum err follow_again_log(void *self, const struct log_row *log)
{
    struct buf *logs = self;

    buf_append(logs, span_of(log, sizeof *log));
    return buf_err(logs);
}

/* What an object was, kept aside; its row says nothing any more. */
static enum err follow_again_empty(struct follow_work *again, uint32_t number,
                                   struct follow_was *was)
{
    struct snapshot snapshot = ledger_txn_snapshot(again->txn);
    struct object before = {0}, empty = {0};
    uint32_t space;
    enum err err = row_load(&snapshot, number, &before, &space);

    if (err == ERR_OK) {
        was->number = number;
        row_write(&before, &was->row);
        empty.kind = before.kind;
        empty.id = before.id;
        err = buf_err(&was->row);
    }
    object_release(&before);
    return err == ERR_OK ? row_put(again->txn, number, space, &empty) : err;
}

static enum err follow_again_empty_all(struct follow_work *again)
{
    struct snapshot snapshot = ledger_txn_snapshot(again->txn);
    const uint32_t *numbers;
    enum err err = row_numbers(&snapshot, again->space, &again->numbers);
    size_t count = again->numbers.size / sizeof *numbers;

    if (err == ERR_OK)
        again->was = heap_new_zeroed(count + 1, sizeof *again->was);
    if (err == ERR_OK && again->was == NULL)
        err = ERR_NOMEM;
    numbers = (const uint32_t *)(const void *)again->numbers.data;
    for (size_t at = 0; err == ERR_OK && at < count; at++) {
        again->was_count++;
        err = follow_again_empty(again, numbers[at], &again->was[at]);
    }
    return err;
}

static enum err follow_again_note_cut(void *self, uint64_t arrival)
{
    struct follow_work *again = self;

    if (arrival <= again->txn->counters.followed)
        buf_append(&again->cut, span_of(&arrival, sizeof arrival));
    return buf_err(&again->cut);
}

/* Is it repeated in a log? The repetition then speaks for it, or has died. */
static enum err follow_again_is_restated(const struct snapshot *snapshot, uint32_t space,
                                         uint64_t arrival, bool *out)
{
    struct entry_row entry;
    enum err err = ledger_entry(snapshot, arrival, &entry);

    if (err == ERR_OK && entry.entry.payload.size > 0)
        entry_hash_payload(&entry.entry);
    return err == ERR_OK
               ? return_table_is_restated(snapshot, space, &entry.entry.header.payload_hash, out)
               : err;
}

/* What was cut from the log counts on until it is restated. */
static enum err follow_again_merge_cut(struct follow_work *again, const struct log_row *log)
{
    struct snapshot snapshot = ledger_txn_snapshot(again->txn);
    enum err err;

    buf_clear(&again->cut);
    err = return_table_cuts(&snapshot, log->number, follow_again_note_cut, again);
    for (size_t at = 0; err == ERR_OK && at < again->cut.size; at += sizeof(uint64_t)) {
        uint64_t arrival;
        bool is_restated = false;

        memcpy(&arrival, again->cut.data + at, sizeof arrival);
        err = follow_again_is_restated(&snapshot, log->space, arrival, &is_restated);
        again->merged++;
        if (err == ERR_OK && !is_restated)
            err = follow_entry(again->txn, arrival);
    }
    return err;
}

/* Entries that are still to be merged for the first time come by themselves. */
static enum err follow_again_merge_log(struct follow_work *again, const struct log_row *log)
{
    struct snapshot snapshot = ledger_txn_snapshot(again->txn);
    enum err err = ERR_OK;

    for (uint64_t seq = log->start + 1; err == ERR_OK && seq <= log->tip.size; seq++) {
        struct entry_row entry;

        err = ledger_entry_at(&snapshot, log->number, seq, &entry);
        again->merged++;
        if (err == ERR_OK && entry.arrival <= again->txn->counters.followed)
            err = follow_entry(again->txn, entry.arrival);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return err == ERR_OK ? follow_again_merge_cut(again, log) : err;
}

static enum err follow_again_merge(struct follow_work *again, const struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(again->txn);
    enum err err = ledger_logs(&snapshot, space->number, follow_again_log, &again->logs);

    for (size_t at = 0; err == ERR_OK && at < again->logs.size / sizeof(struct log_row); at++) {
        struct log_row log;

        memcpy(&log, again->logs.data + at * sizeof log, sizeof log);
        err = log_table_now(again->txn, space, &log.device, &log);
        if (err == ERR_OK)
            err = follow_again_merge_log(again, &log);
    }
    return err;
}

/* Each view hears of each object once: what it was before, what it is now. */
static enum err follow_again_tell(struct follow_work *again, const struct space_row *space)
{
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < again->was_count; at++) {
        struct snapshot snapshot = ledger_txn_snapshot(again->txn);
        struct object before = {0}, after = {0};
        uint32_t ignored;

        err = row_read(buf_span(&again->was[at].row), &before);
        if (err == ERR_OK)
            err = row_get_numbered(&snapshot, again->was[at].number, &after, &ignored);
        if (err == ERR_OK)
            err = follow_tell(again->txn, space, again->was[at].number, &before, &after);
        object_release(&before);
        object_release(&after);
    }
    return err;
}

/* Objects that only what joined its log again has made. */
static enum err follow_again_tell_new(struct follow_work *again, const struct space_row *space,
                                      uint32_t objects)
{
    struct snapshot snapshot = ledger_txn_snapshot(again->txn);
    enum err err = ERR_OK;

    for (uint32_t number = objects + 1; err == ERR_OK && number <= again->txn->counters.objects;
         number++) {
        struct object after = {0};
        uint32_t its_space;

        err = row_get_numbered(&snapshot, number, &after, &its_space);
        if (err == ERR_NOT_FOUND)
            err = ERR_OK; /* Numbered, and what was to make it says nothing. */
        else if (err == ERR_OK && its_space == space->number)
            err = follow_tell(again->txn, space, number, NULL, &after);
        object_release(&after);
    }
    return err;
}

/* The space's objects from nothing, as whoever starts at the restatement sees them. */
static enum err follow_again(struct ledger_txn *txn, uint32_t number)
{
    struct follow_work again = {.txn = txn, .space = number};
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space;
    uint32_t objects;
    enum err err = ledger_space_numbered(&snapshot, number, &space);

    objects = txn->counters.objects;
    txn->cache->log.number = 0;
    txn->cache->is_silent = true;
    if (err == ERR_OK)
        err = follow_again_empty_all(&again);
    if (err == ERR_OK)
        err = follow_again_merge(&again, &space);
    txn->cache->is_silent = false;
    follow_wait_spent(txn, space.number, again.merged);
    ledger_txn_snapshot(txn).ledger->again.count++;
    if (err == ERR_OK)
        err = follow_again_tell(&again, &space);
    if (err == ERR_OK)
        err = follow_again_tell_new(&again, &space, objects);
    for (size_t at = 0; at < again.was_count; at++) {
        if (again.was[at].row.data != NULL)
            secret_wipe(again.was[at].row.data, again.was[at].row.capacity);
        buf_release(&again.was[at].row);
    }
    heap_free(again.was);
    buf_release(&again.logs);
    buf_release(&again.numbers);
    buf_release(&again.cut);
    return err;
}

/* What is made again may show that another restatement counts: then once more. Each time one counts
 * that did not, so it ends; the bound is for stores that are damaged. */
enum err follow_make_again(struct ledger_txn *txn)
{
    enum err err = ERR_OK;

    for (int round = 0; err == ERR_OK && round < FOLLOW_AGAIN_MAX; round++) {
        struct buf spaces = {0};

        if (txn->cache == NULL || txn->cache->again.size == 0)
            return ERR_OK;
        spaces = txn->cache->again;
        txn->cache->again = (struct buf){0};
        for (size_t at = 0; err == ERR_OK && at < spaces.size; at += sizeof(uint32_t)) {
            uint32_t space;

            memcpy(&space, spaces.data + at, sizeof space);
            err = follow_again(txn, space);
        }
        buf_release(&spaces);
    }
    return err;
}

enum err follow_demand_again(struct ledger_txn *txn, uint32_t space)
{
    struct follow_cache *cache;
    enum err err = follow_cache_get(txn, &cache);

    for (size_t at = 0; err == ERR_OK && at < cache->again.size; at += sizeof space)
        if (memcmp(cache->again.data + at, &space, sizeof space) == 0)
            return ERR_OK;
    if (err != ERR_OK)
        return err;
    buf_append(&cache->again, span_of(&space, sizeof space));
    return buf_err(&cache->again);
}
