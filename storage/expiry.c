/* A row an entry, by the time it is over; gone with its payload. */
#include "storage/expiry.h"

#include "proto/limits.h"
#include "storage/absent.h"
#include "storage/agenda.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/running.h"

enum { EXPIRY_ROW_SIZE = 17, EXPIRY_ITEMS_MAX = 512 };
enum expiry_state { EXPIRY_LIVE = 0, EXPIRY_HIDDEN = 1 };

/* Since when it stands in its state. */
struct expiry_row {
    uint64_t expires_at_s, arrival;
    enum expiry_state state;
    struct moment since;
};

static void expiry_key(uint64_t expires_at_s, uint64_t arrival, struct key *out)
{
    key_of_u64(expires_at_s, out);
    key_add_u64(out, arrival);
}

static enum err expiry_put(struct ledger_txn *txn, const struct expiry_row *row)
{
    uint8_t value[EXPIRY_ROW_SIZE] = {(uint8_t)row->state};
    struct key key;

    be64_put(value + 1, row->since.running_ms);
    be64_put(value + 9, row->since.wall_ms);
    expiry_key(row->expires_at_s, row->arrival, &key);
    return ledger_put(txn, TABLE_EXPIRY, &key, span_of(value, sizeof value));
}

static enum err expiry_read(struct span key, struct span value, struct expiry_row *out)
{
    if (key.size != 16 || value.size != EXPIRY_ROW_SIZE || value.data[0] > EXPIRY_HIDDEN)
        return ERR_CORRUPT;
    *out = (struct expiry_row){.expires_at_s = be64(key.data),
                               .arrival = be64(key.data + 8),
                               .state = (enum expiry_state)value.data[0],
                               .since = {be64(value.data + 1), be64(value.data + 9)}};
    return ERR_OK;
}

/* The time in milliseconds; far beyond every agenda when it does not fit. */
static uint64_t expiry_ms(uint64_t expires_at_s)
{
    return expires_at_s > UINT64_MAX / 1000 ? UINT64_MAX : expires_at_s * 1000;
}

enum err expiry_note(struct ledger_txn *txn, const struct entry_row *row)
{
    struct expiry_row expiry = {.expires_at_s = row->entry.header.expires_at_s,
                                .arrival = row->arrival};
    enum err err;

    if (expiry.expires_at_s == 0 || row->entry.payload.size == 0)
        return ERR_OK;
    err = running_moment(txn, &expiry.since);
    if (err == ERR_OK)
        err = expiry_put(txn, &expiry);
    return err == ERR_OK
               ? agenda_put(txn, expiry_ms(expiry.expires_at_s), KIND_EXPIRY, span_of(NULL, 0))
               : err;
}

bool expiry_is_over(const struct snapshot *snapshot, const struct entry_row *row)
{
    struct expiry_row expiry;
    struct span value;
    struct key key;

    if (row->entry.header.expires_at_s == 0)
        return false;
    expiry_key(row->entry.header.expires_at_s, row->arrival, &key);
    if (ledger_get(snapshot, TABLE_EXPIRY, &key, &value) != ERR_OK)
        return row->entry.payload.size == 0;
    return expiry_read(key_span(&key), value, &expiry) == ERR_OK && expiry.state == EXPIRY_HIDDEN;
}

/* PROTOCOL EXPIRY-1: "An entry with an expiry is over when the wall clock says so and as much
 * running time has passed since it arrived as lay between, or at most a day less." */
static bool expiry_has_come(const struct expiry_row *row, const struct moment *now)
{
    uint64_t at_ms = expiry_ms(row->expires_at_s);
    uint64_t span = at_ms > row->since.wall_ms ? at_ms - row->since.wall_ms : 0;

    return now->wall_ms >= at_ms && running_has_passed(&row->since, now, span);
}

/* What is to be done with a row; nothing (false) waits a day. */
/* PROTOCOL EXPIRY-2: "Its payload is dropped EXPIRY_KEEP_DAYS of running time later." */
static enum err expiry_tend_row(struct ledger_txn *txn, struct expiry_row *row,
                                const struct moment *now, bool *out_is_done)
{
    const uint64_t keep_ms = (uint64_t)EXPIRY_KEEP_DAYS * RUNNING_DAY_MS;
    struct key key;
    enum err err;

    *out_is_done = false;
    if (row->state == EXPIRY_LIVE) {
        if (!expiry_has_come(row, now))
            return ERR_OK;
        row->state = EXPIRY_HIDDEN;
        row->since = *now;
        err = expiry_put(txn, row);
        return err == ERR_OK ? follow_hide(txn, row->arrival) : err;
    }
    if (now->running_ms - row->since.running_ms < keep_ms ||
        !running_has_passed(&row->since, now, keep_ms))
        return ERR_OK;
    *out_is_done = true;
    err = absent_drop(txn, row->arrival);
    expiry_key(row->expires_at_s, row->arrival, &key);
    return err == ERR_OK ? ledger_erase(txn, TABLE_EXPIRY, &key) : err;
}

/* The next row behind a key. ERR_NOT_FOUND: none, or none that is due by the wall clock. */
static enum err expiry_next(struct ledger_txn *txn, struct key *at, struct expiry_row *out)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(txn->kv, TABLE_EXPIRY, &cursor);

    if (err != ERR_OK)
        return err;
    err = kv_cursor_seek(cursor, key_span(at));
    if (err == ERR_OK) {
        kv_cursor_at(cursor, &key, &value);
        err = expiry_read(key, value, out);
    }
    kv_cursor_close(cursor);
    if (err == ERR_OK && expiry_ms(out->expires_at_s) > txn->now_ms)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        expiry_key(out->expires_at_s, out->arrival + 1, at);
    return err;
}

enum err expiry_tend(struct ledger_txn *txn, struct span name)
{
    struct key at = {.size = 0};
    struct expiry_row row;
    struct moment now;
    uint64_t again_ms = txn->now_ms + RUNNING_DAY_MS;
    bool is_waiting = false;
    enum err err = running_moment(txn, &now);

    (void)name;
    for (size_t count = 0; err == ERR_OK; count++) {
        bool is_done;

        err = expiry_next(txn, &at, &row);
        if (err == ERR_OK)
            err = expiry_tend_row(txn, &row, &now, &is_done);
        if (err != ERR_OK)
            break;
        is_waiting |= !is_done;
        if (count >= EXPIRY_ITEMS_MAX) {
            again_ms = txn->now_ms + 1;
            break;
        }
    }
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    return is_waiting ? agenda_put(txn, again_ms, KIND_EXPIRY, span_of(NULL, 0)) : ERR_OK;
}
