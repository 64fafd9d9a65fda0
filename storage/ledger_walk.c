/* Walks over the rows of a table whose keys begin alike. */
#include <string.h>

#include "storage/ledger_state.h"

enum err ledger_each(const struct snapshot *snapshot, enum table table, struct span prefix,
                     ledger_row_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, table, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, prefix); err == ERR_OK; err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        if (key.size < prefix.size ||
            (prefix.size > 0 && memcmp(key.data, prefix.data, prefix.size) != 0))
            break;
        err = each(self, key, value);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

struct ledger_walk {
    const struct snapshot *snapshot;
    enum table table;
    ledger_row_fn each;
    void *self;
};

static enum err ledger_on_sealed(void *self, struct span at, struct span value)
{
    struct ledger_walk *walk = self;
    struct key key;
    enum err err;

    key_of_bytes(at, &key);
    err = ledger_get_sealed(walk->snapshot, walk->table, &key, &value);
    return err == ERR_OK ? walk->each(walk->self, key_span(&key), value) : err;
}

enum err ledger_each_sealed(const struct snapshot *snapshot, enum table table, struct span prefix,
                            ledger_row_fn each, void *self)
{
    struct ledger_walk walk = {.snapshot = snapshot, .table = table, .each = each, .self = self};

    return ledger_each(snapshot, table, prefix, ledger_on_sealed, &walk);
}

struct ledger_counting {
    size_t count, max;
};

static enum err ledger_on_counted(void *self, struct span key, struct span value)
{
    struct ledger_counting *counting = self;

    (void)key;
    (void)value;
    if (counting->count == counting->max)
        return ERR_NOT_FOUND; /* Enough. */
    counting->count++;
    return ERR_OK;
}

enum err ledger_count_rows(const struct snapshot *snapshot, enum table table, struct span prefix,
                           size_t max, size_t *out)
{
    struct ledger_counting counting = {.max = max};
    enum err err = ledger_each(snapshot, table, prefix, ledger_on_counted, &counting);

    *out = counting.count;
    return err;
}

/* The key of the first row that begins so, put into its own bytes: erasing takes the row away. */
static enum err ledger_on_first(void *self, struct span key, struct span value)
{
    (void)value;
    key_of_bytes(key, self);
    return ERR_NOT_FOUND; /* One is enough. */
}

enum err ledger_clear(struct ledger_txn *txn, enum table table, struct span prefix)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = ERR_OK;
    struct key key;

    do {
        key.size = 0;
        err = ledger_each(&snapshot, table, prefix, ledger_on_first, &key);
        if (err == ERR_OK && key.size > 0)
            err = ledger_erase(txn, table, &key);
    } while (err == ERR_OK && key.size > 0);
    return err;
}
