/* Keys are due time, kind, name; there are no values. */
#include "storage/agenda.h"

#include <string.h>

#include "storage/ledger_state.h"

enum { AGENDA_KEY_FIXED = 8 + 1 };

enum err agenda_put(struct ledger_txn *txn, uint64_t due_ms, uint8_t kind, struct span name)
{
    struct key key;

    KITH_ASSERT(name.size <= AGENDA_NAME_MAX);
    key_of_u64(due_ms, &key);
    key_add_byte(&key, kind);
    key_add_bytes(&key, name);
    return ledger_put(txn, TABLE_AGENDA, &key, span_of(NULL, 0));
}

/* The first row's key. ERR_NOT_FOUND when there is none. */
static enum err agenda_first(struct kv_txn *kv, struct key *out)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(kv, TABLE_AGENDA, &cursor);

    if (err != ERR_OK)
        return err;
    err = kv_cursor_seek(cursor, span_of(NULL, 0));
    if (err == ERR_OK) {
        kv_cursor_at(cursor, &key, &value);
        key_of_bytes(key, out);
        if (key.size < AGENDA_KEY_FIXED || key.size > AGENDA_KEY_FIXED + AGENDA_NAME_MAX)
            err = ERR_CORRUPT;
    }
    kv_cursor_close(cursor);
    return err;
}

enum err agenda_take(struct ledger_txn *txn, uint64_t now_ms, struct agenda_item *out)
{
    struct key key;
    enum err err = agenda_first(txn->kv, &key);

    if (err != ERR_OK)
        return err;
    if (be64(key.bytes) > now_ms)
        return ERR_NOT_FOUND;
    out->kind = key.bytes[8];
    out->name_size = key.size - AGENDA_KEY_FIXED;
    memcpy(out->name, key.bytes + AGENDA_KEY_FIXED, out->name_size);
    return ledger_erase(txn, TABLE_AGENDA, &key);
}

enum err agenda_next(const struct snapshot *snapshot, uint64_t *out_due_ms)
{
    struct key key;
    enum err err = agenda_first(snapshot->kv, &key);

    *out_due_ms = err == ERR_OK ? be64(key.bytes) : UINT64_MAX;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
