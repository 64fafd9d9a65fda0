/*
 * The one door to both answers. What holds for every store is checked here, so that the two cannot
 * differ in it: sizes of keys and values, reading transactions that try to write, transactions that
 * failed, and cursors whose place is lost.
 */
#include "storage/kv.h"

static bool kv_is_key(struct span key)
{
    return key.size > 0 && key.size <= KV_KEY_SIZE_MAX;
}

/* What every write asks first. */
static enum err kv_write_check(const struct kv_txn *txn, unsigned table, struct span key,
                               struct span value)
{
    KITH_ASSERT(table < txn->kv->tables_count);
    KITH_ASSERT(txn->mode == KV_WRITE);
    if (txn->failed != ERR_OK)
        return txn->failed;
    return kv_is_key(key) && value.size <= KV_VALUE_SIZE_MAX ? ERR_OK : ERR_INVALID;
}

static enum err kv_write_done(struct kv_txn *txn, enum err err)
{
    txn->writes_count++;
    if (err != ERR_OK && err != ERR_NOT_FOUND && txn->failed == ERR_OK)
        txn->failed = err;
    return err;
}

void kv_close(struct kv *kv)
{
    if (kv != NULL)
        kv->ops->close(kv);
}

enum err kv_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **out)
{
    struct kv_txn *txn;
    enum err err = kv->ops->begin(kv, mode, &txn);

    if (err != ERR_OK)
        return err;
    *txn = (struct kv_txn){.kv = kv, .mode = mode};
    *out = txn;
    return ERR_OK;
}

enum err kv_commit(struct kv_txn *txn)
{
    enum err failed = txn->failed;

    KITH_ASSERT(txn->cursors_count == 0);
    if (failed == ERR_OK)
        return txn->kv->ops->commit(txn);
    txn->kv->ops->abort(txn);
    return failed;
}

void kv_abort(struct kv_txn *txn)
{
    if (txn == NULL)
        return;
    KITH_ASSERT(txn->cursors_count == 0);
    txn->kv->ops->abort(txn);
}

enum err kv_get(struct kv_txn *txn, unsigned table, struct span key, struct span *out_value)
{
    KITH_ASSERT(table < txn->kv->tables_count);
    if (txn->failed != ERR_OK)
        return txn->failed;
    if (!kv_is_key(key))
        return ERR_INVALID;
    return txn->kv->ops->get(txn, table, key, out_value);
}

enum err kv_put(struct kv_txn *txn, unsigned table, struct span key, struct span value)
{
    enum err err = kv_write_check(txn, table, key, value);

    if (err == ERR_OK)
        err = txn->kv->ops->put(txn, table, key, value);
    return kv_write_done(txn, err);
}

enum err kv_append(struct kv_txn *txn, unsigned table, struct span key, struct span value)
{
    enum err err = kv_write_check(txn, table, key, value);

    if (err == ERR_OK)
        err = txn->kv->ops->append(txn, table, key, value);
    return kv_write_done(txn, err);
}

enum err kv_erase(struct kv_txn *txn, unsigned table, struct span key)
{
    enum err err = kv_write_check(txn, table, key, (struct span){0});

    if (err == ERR_OK)
        err = txn->kv->ops->erase(txn, table, key);
    return kv_write_done(txn, err);
}

enum err kv_count(struct kv_txn *txn, unsigned table, uint64_t *out)
{
    KITH_ASSERT(table < txn->kv->tables_count);
    if (txn->failed != ERR_OK)
        return txn->failed;
    return txn->kv->ops->count(txn, table, out);
}

enum err kv_cursor_open(struct kv_txn *txn, unsigned table, struct kv_cursor **out)
{
    struct kv_cursor *cursor;
    enum err err;

    KITH_ASSERT(table < txn->kv->tables_count);
    if (txn->failed != ERR_OK)
        return txn->failed;
    err = txn->kv->ops->cursor_open(txn, table, &cursor);
    if (err != ERR_OK)
        return err;
    *cursor = (struct kv_cursor){.txn = txn};
    txn->cursors_count++;
    *out = cursor;
    return ERR_OK;
}

static enum err kv_cursor_moved(struct kv_cursor *cursor, enum err err)
{
    cursor->is_placed = err == ERR_OK;
    cursor->writes_count = cursor->txn->writes_count;
    return err;
}

static bool kv_cursor_is_placed(const struct kv_cursor *cursor)
{
    return cursor->is_placed && cursor->writes_count == cursor->txn->writes_count;
}

enum err kv_cursor_seek(struct kv_cursor *cursor, struct span key)
{
    if (cursor->txn->failed != ERR_OK)
        return kv_cursor_moved(cursor, cursor->txn->failed);
    if (key.size > KV_KEY_SIZE_MAX)
        return kv_cursor_moved(cursor, ERR_INVALID);
    return kv_cursor_moved(cursor, cursor->txn->kv->ops->cursor_seek(cursor, key));
}

enum err kv_cursor_last(struct kv_cursor *cursor)
{
    if (cursor->txn->failed != ERR_OK)
        return kv_cursor_moved(cursor, cursor->txn->failed);
    return kv_cursor_moved(cursor, cursor->txn->kv->ops->cursor_last(cursor));
}

enum err kv_cursor_next(struct kv_cursor *cursor)
{
    KITH_ASSERT(kv_cursor_is_placed(cursor));
    return kv_cursor_moved(cursor, cursor->txn->kv->ops->cursor_next(cursor));
}

enum err kv_cursor_previous(struct kv_cursor *cursor)
{
    KITH_ASSERT(kv_cursor_is_placed(cursor));
    return kv_cursor_moved(cursor, cursor->txn->kv->ops->cursor_previous(cursor));
}

void kv_cursor_at(const struct kv_cursor *cursor, struct span *out_key, struct span *out_value)
{
    KITH_ASSERT(kv_cursor_is_placed(cursor));
    cursor->txn->kv->ops->cursor_at(cursor, out_key, out_value);
}

void kv_cursor_close(struct kv_cursor *cursor)
{
    if (cursor == NULL)
        return;
    cursor->txn->cursors_count--;
    cursor->txn->kv->ops->cursor_close(cursor);
}

enum err kv_usage(struct kv *kv, struct kv_usage *out)
{
    return kv->ops->usage(kv, out);
}
