/* One table of at most some hundred rows: walked whole where one must go. */
#include "storage/view_host.h"

#include <string.h>

#include "storage/ledger_state.h"

enum { VIEW_HOST_FRESH_MS = 3600 * 1000 /* seen again so soon, nothing is written */ };

enum err view_host_each(const struct snapshot *snapshot, view_host_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_HOST, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, span_of(NULL, 0)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        err = key.size == VIEW_HOST_SIZE && value.size == 8 ? each(self, key.data, be64(value.data))
                                                            : ERR_CORRUPT;
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

struct view_host_oldest {
    uint8_t place[VIEW_HOST_SIZE];
    uint64_t seen_at_ms;
    size_t count;
};

static enum err view_host_on_old(void *self, const uint8_t place[static VIEW_HOST_SIZE],
                                 uint64_t seen_at_ms)
{
    struct view_host_oldest *oldest = self;

    if (oldest->count == 0 || seen_at_ms < oldest->seen_at_ms) {
        memcpy(oldest->place, place, VIEW_HOST_SIZE);
        oldest->seen_at_ms = seen_at_ms;
    }
    oldest->count++;
    return ERR_OK;
}

static enum err view_host_make_room(struct ledger_txn *txn, const struct snapshot *snapshot)
{
    struct view_host_oldest oldest = {.count = 0};
    struct key key;
    enum err err = view_host_each(snapshot, view_host_on_old, &oldest);

    if (err != ERR_OK || oldest.count < VIEW_HOSTS_MAX)
        return err;
    key_of_bytes(span_of(oldest.place, VIEW_HOST_SIZE), &key);
    return ledger_erase(txn, TABLE_HOST, &key);
}

enum err view_host_seen(struct ledger_txn *txn, const uint8_t place[static VIEW_HOST_SIZE],
                        uint64_t seen_at_ms)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t row[8];
    struct span known;
    struct key key;
    enum err err;

    key_of_bytes(span_of(place, VIEW_HOST_SIZE), &key);
    err = ledger_get(&snapshot, TABLE_HOST, &key, &known);
    if (err == ERR_OK && known.size == sizeof row && be64(known.data) <= seen_at_ms &&
        seen_at_ms - be64(known.data) < VIEW_HOST_FRESH_MS)
        return ERR_OK;
    if (err == ERR_NOT_FOUND)
        err = view_host_make_room(txn, &snapshot);
    be64_put(row, seen_at_ms);
    return err == ERR_OK ? ledger_put(txn, TABLE_HOST, &key, span_of(row, sizeof row)) : err;
}
