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

/* The key of the first row from here on. ERR_NOT_FOUND when there is none. */
static enum err agenda_first(struct kv_txn *kv, struct span from, struct key *out)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(kv, TABLE_AGENDA, &cursor);

    if (err != ERR_OK)
        return err;
    err = kv_cursor_seek(cursor, from);
    if (err == ERR_OK) {
        kv_cursor_at(cursor, &key, &value);
        key_of_bytes(key, out);
        if (key.size < AGENDA_KEY_FIXED || key.size > AGENDA_KEY_FIXED + AGENDA_NAME_MAX)
            err = ERR_CORRUPT;
    }
    kv_cursor_close(cursor);
    return err;
}

static enum err agenda_take_at(struct ledger_txn *txn, const struct key *key,
                               struct agenda_item *out)
{
    out->kind = key->bytes[8];
    out->name_size = key->size - AGENDA_KEY_FIXED;
    memcpy(out->name, key->bytes + AGENDA_KEY_FIXED, out->name_size);
    return ledger_erase(txn, TABLE_AGENDA, key);
}

enum err agenda_take(struct ledger_txn *txn, uint64_t now_ms, struct agenda_item *out)
{
    struct key key;
    enum err err = agenda_first(txn->kv, span_of(NULL, 0), &key);

    if (err != ERR_OK)
        return err;
    return be64(key.bytes) > now_ms ? ERR_NOT_FOUND : agenda_take_at(txn, &key, out);
}

static enum err agenda_find_kind(struct kv_txn *kv, uint8_t kind, struct key *out)
{
    struct key from;
    enum err err;

    key_of_u64(AGENDA_NOW, &from);
    key_add_byte(&from, kind);
    err = agenda_first(kv, key_span(&from), out);
    if (err == ERR_OK && (be64(out->bytes) != AGENDA_NOW || out->bytes[8] != kind))
        err = ERR_NOT_FOUND;
    return err;
}

enum err agenda_take_kind(struct ledger_txn *txn, uint8_t kind, struct agenda_item *out)
{
    struct key key;
    enum err err = agenda_find_kind(txn->kv, kind, &key);

    return err == ERR_OK ? agenda_take_at(txn, &key, out) : err;
}

enum err agenda_has_kind(const struct snapshot *snapshot, uint8_t kind, bool *out)
{
    struct key key;
    enum err err = agenda_find_kind(snapshot->kv, kind, &key);

    *out = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err agenda_next(const struct snapshot *snapshot, uint64_t *out_due_ms)
{
    struct key key;
    enum err err = agenda_first(snapshot->kv, span_of(NULL, 0), &key);

    *out_due_ms = err == ERR_OK ? be64(key.bytes) : UINT64_MAX;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
