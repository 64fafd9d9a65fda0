/*
 * LMDB behind kv.h. Reading order: growth, transactions, table verbs, cursors, usage, opening.
 *
 * The gate knows who is inside, for the sake of growth; LMDB has locks of its own for the rest. A
 * reader that ends is reset, keeps its slot and its cursors, and waits in the pool: renewing it is
 * cheaper than a new one.
 */
#include "storage/kv_lmdb.h"

#include <errno.h>
#include <lmdb.h>
#include <stddef.h>
#include <string.h>

#include "crypto/heap.h"
#include "storage/kv_file.h"
#include "storage/kv_gate.h"

enum {
    GROW_AT_PERCENT = 60,   /* rule L7 */
    GROW_WAIT_PERCENT = 80, /* from here on growth is worth waiting for */
    FREE_TABLE = 0 /* LMDB's own list of free pages; only a read transaction may look at it */
};

struct kv_lmdb_cursor {
    struct kv_cursor base;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    unsigned table;
};

struct kv_lmdb_txn {
    struct kv_txn base;
    struct kv_gate_pass pass;
    MDB_txn *txn;
    struct kv_lmdb_cursor *idle[KV_TABLES_MAX]; /* of a reader: one cursor a table, to be renewed */
};

struct kv_lmdb {
    struct kv base;
    MDB_env *env;
    MDB_dbi tables[KV_TABLES_MAX];
    bool is_read_only;
    struct kv_gate gate;
    struct kv_lmdb_txn writer; /* there is one at a time */
    bool is_full;              /* the map ran out: the next write transaction doubles it */
    bool is_poisoned;          /* rule L18 */
};

static struct kv_lmdb *kv_lmdb_of(struct kv *kv)
{
    return (struct kv_lmdb *)kv;
}

static enum err kv_lmdb_err(int code)
{
    switch (code) {
    case MDB_SUCCESS:
        return ERR_OK;
    case MDB_NOTFOUND:
        return ERR_NOT_FOUND;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_FULL;
    case ENOMEM:
        return ERR_NOMEM;
    case MDB_READERS_FULL:
    case MDB_MAP_RESIZED:
        return ERR_BUSY;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_CURSOR_FULL:
        return ERR_CORRUPT;
    case MDB_VERSION_MISMATCH:
        return ERR_VERSION;
    case MDB_TXN_FULL:
        return ERR_LIMIT;
    case MDB_BAD_VALSIZE:
    case MDB_KEYEXIST:
        return ERR_INVALID;
    default:
        return ERR_IO;
    }
}

static MDB_val kv_lmdb_val(struct span bytes)
{
    MDB_val val = {.mv_size = bytes.size};

    /* LMDB does not write through it; its type merely does not say so. */
    memcpy(&val.mv_data, &bytes.data, sizeof val.mv_data);
    return val;
}

/* Growth. */

struct kv_lmdb_space {
    uint64_t used_bytes;
    uint64_t map_bytes;
    uint64_t page_size;
};

static struct kv_lmdb_space kv_lmdb_space(const struct kv_lmdb *kv)
{
    MDB_envinfo info;
    MDB_stat stat;

    (void)mdb_env_info(kv->env, &info); /* Both fail only without an environment. */
    (void)mdb_env_stat(kv->env, &stat);
    return (struct kv_lmdb_space){.used_bytes = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize,
                                  .map_bytes = info.me_mapsize,
                                  .page_size = stat.ms_psize};
}

/* Growth that cannot happen now is put off: the map is doubled long before it is full. */
static void kv_lmdb_grow(struct kv_lmdb *kv)
{
    struct kv_lmdb_space space = kv_lmdb_space(kv);
    uint64_t percent = space.used_bytes / (space.map_bytes / 100 + 1); /* rounded down */
    bool must_wait = kv->is_full || percent >= GROW_WAIT_PERCENT;

    if (!kv->is_full && percent <= GROW_AT_PERCENT)
        return;
    if (space.map_bytes > SIZE_MAX / 2 || !kv_gate_close(&kv->gate, &kv->writer.pass, must_wait))
        return;
    if (mdb_env_set_mapsize(kv->env, (size_t)space.map_bytes * 2) == MDB_SUCCESS)
        kv->is_full = false;
    kv_gate_reopen(&kv->gate);
}

/* Another process made the map larger: takes over its size, if this transaction, not yet begun, is
 * alone. */
static int kv_lmdb_adopt(struct kv_lmdb *kv, const struct kv_gate_pass *pass)
{
    int code;

    if (!kv_gate_close(&kv->gate, pass, false))
        return MDB_MAP_RESIZED;
    code = mdb_env_set_mapsize(kv->env, 0);
    kv_gate_reopen(&kv->gate);
    return code;
}

/* Transactions. */

static int kv_lmdb_reader_start(struct kv_lmdb *kv, struct kv_lmdb_txn *txn)
{
    return txn->txn != NULL ? mdb_txn_renew(txn->txn)
                            : mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn->txn);
}

static void kv_lmdb_reader_free(struct kv_lmdb_txn *txn)
{
    for (unsigned table = 0; table < KV_TABLES_MAX; table++)
        if (txn->idle[table] != NULL) {
            mdb_cursor_close(txn->idle[table]->cursor);
            heap_free(txn->idle[table]);
        }
    if (txn->txn != NULL)
        mdb_txn_abort(txn->txn);
    heap_free(txn);
}

static struct kv_lmdb_txn *kv_lmdb_of_pass(struct kv_gate_pass *pass)
{
    return (struct kv_lmdb_txn *)(void *)((uint8_t *)pass - offsetof(struct kv_lmdb_txn, pass));
}

static enum err kv_lmdb_begin_read(struct kv_lmdb *kv, struct kv_lmdb_txn **out)
{
    struct kv_gate_pass *pass = kv_gate_enter_again(&kv->gate);
    struct kv_lmdb_txn *txn;
    int code;

    if (pass != NULL) {
        txn = kv_lmdb_of_pass(pass);
    } else {
        txn = heap_new_zeroed(1, sizeof *txn);
        if (txn == NULL)
            return ERR_NOMEM;
        kv_gate_enter(&kv->gate, &txn->pass);
    }
    code = kv_lmdb_reader_start(kv, txn);
    if (code == MDB_MAP_RESIZED) {
        code = kv_lmdb_adopt(kv, &txn->pass);
        if (code == MDB_SUCCESS)
            code = kv_lmdb_reader_start(kv, txn);
    }
    *out = txn;
    if (code != MDB_SUCCESS) {
        kv_gate_leave(&kv->gate, &txn->pass);
        kv_lmdb_reader_free(txn);
    }
    return kv_lmdb_err(code);
}

static void kv_lmdb_end_read(struct kv_lmdb *kv, struct kv_lmdb_txn *txn)
{
    mdb_txn_reset(txn->txn);
    if (!kv_gate_rest(&kv->gate, &txn->pass, KV_LMDB_POOL_MAX))
        kv_lmdb_reader_free(txn);
}

static enum err kv_lmdb_begin_write(struct kv_lmdb *kv, struct kv_lmdb_txn **out)
{
    struct kv_lmdb_txn *txn = &kv->writer;
    enum err err;
    int code;

    if (kv->is_read_only)
        return ERR_STATE;
    err = kv_gate_enter_writer(&kv->gate, &txn->pass);
    if (err != ERR_OK)
        return err;
    if (kv->is_poisoned) {
        kv_gate_leave(&kv->gate, &txn->pass);
        return ERR_IO;
    }
    kv_lmdb_grow(kv);
    code = mdb_txn_begin(kv->env, NULL, 0, &txn->txn);
    *out = txn;
    if (code != MDB_SUCCESS)
        kv_gate_leave(&kv->gate, &txn->pass);
    return kv_lmdb_err(code);
}

static enum err kv_lmdb_begin(struct kv *base, enum kv_mode mode, struct kv_txn **out)
{
    struct kv_lmdb *kv = kv_lmdb_of(base);
    struct kv_lmdb_txn *txn;
    enum err err = mode == KV_READ ? kv_lmdb_begin_read(kv, &txn) : kv_lmdb_begin_write(kv, &txn);

    if (err == ERR_OK)
        *out = &txn->base;
    return err;
}

static void kv_lmdb_abort(struct kv_txn *base)
{
    struct kv_lmdb_txn *txn = (struct kv_lmdb_txn *)base;
    struct kv_lmdb *kv = kv_lmdb_of(base->kv);

    if (base->mode == KV_READ) {
        kv_lmdb_end_read(kv, txn);
        return;
    }
    mdb_txn_abort(txn->txn);
    kv_gate_leave(&kv->gate, &txn->pass);
}

/* Only the holder of the write transaction comes here, so the two marks need no lock. LMDB calls a
 * short write EIO, and the last write that fits in part on a full disk is a short one. Nothing is
 * lost then: the pages of a transaction that did not commit belong to nobody. */
static enum err kv_lmdb_write_err(struct kv_lmdb *kv, int code)
{
    enum err err = kv_lmdb_err(code);
    int file;

    if (code == EIO && mdb_env_get_fd(kv->env, &file) == MDB_SUCCESS && kv_file_is_disk_full(file))
        err = ERR_FULL;
    kv->is_full = kv->is_full || code == MDB_MAP_FULL;
    kv->is_poisoned = kv->is_poisoned || err == ERR_IO;
    return err;
}

static enum err kv_lmdb_commit(struct kv_txn *base)
{
    struct kv_lmdb_txn *txn = (struct kv_lmdb_txn *)base;
    struct kv_lmdb *kv = kv_lmdb_of(base->kv);
    enum err err;

    if (base->mode == KV_READ) {
        kv_lmdb_end_read(kv, txn);
        return ERR_OK;
    }
    err = kv_lmdb_write_err(kv, mdb_txn_commit(txn->txn));
    kv_gate_leave(&kv->gate, &txn->pass);
    return err;
}

/* Table verbs. */

static enum err kv_lmdb_get(struct kv_txn *base, unsigned table, struct span key,
                            struct span *out_value)
{
    struct kv_lmdb_txn *txn = (struct kv_lmdb_txn *)base;
    MDB_val at = kv_lmdb_val(key), value;
    int code = mdb_get(txn->txn, kv_lmdb_of(base->kv)->tables[table], &at, &value);

    if (code == MDB_SUCCESS)
        *out_value = span_of(value.mv_data, value.mv_size);
    return kv_lmdb_err(code);
}

static enum err kv_lmdb_write(struct kv_txn *base, unsigned table, MDB_val key, MDB_val value,
                              unsigned flags)
{
    struct kv_lmdb_txn *txn = (struct kv_lmdb_txn *)base;
    struct kv_lmdb *kv = kv_lmdb_of(base->kv);

    return kv_lmdb_write_err(kv, mdb_put(txn->txn, kv->tables[table], &key, &value, flags));
}

static enum err kv_lmdb_put(struct kv_txn *txn, unsigned table, struct span key, struct span value)
{
    return kv_lmdb_write(txn, table, kv_lmdb_val(key), kv_lmdb_val(value), 0);
}

static enum err kv_lmdb_append(struct kv_txn *txn, unsigned table, struct span key,
                               struct span value)
{
    return kv_lmdb_write(txn, table, kv_lmdb_val(key), kv_lmdb_val(value), MDB_APPEND);
}

static enum err kv_lmdb_erase(struct kv_txn *base, unsigned table, struct span key)
{
    struct kv_lmdb_txn *txn = (struct kv_lmdb_txn *)base;
    struct kv_lmdb *kv = kv_lmdb_of(base->kv);
    MDB_val at = kv_lmdb_val(key);

    return kv_lmdb_write_err(kv, mdb_del(txn->txn, kv->tables[table], &at, NULL));
}

static enum err kv_lmdb_count(struct kv_txn *base, unsigned table, uint64_t *out)
{
    struct kv_lmdb_txn *txn = (struct kv_lmdb_txn *)base;
    MDB_stat stat;
    int code = mdb_stat(txn->txn, kv_lmdb_of(base->kv)->tables[table], &stat);

    if (code == MDB_SUCCESS)
        *out = stat.ms_entries;
    return kv_lmdb_err(code);
}

/* Cursors. */

static enum err kv_lmdb_cursor_open(struct kv_txn *base, unsigned table, struct kv_cursor **out)
{
    struct kv_lmdb_txn *txn = (struct kv_lmdb_txn *)base;
    struct kv_lmdb_cursor *cursor = txn->idle[table];
    int code;

    if (cursor != NULL) {
        txn->idle[table] = NULL;
        code = mdb_cursor_renew(txn->txn, cursor->cursor);
        KITH_ASSERT(code == MDB_SUCCESS);
        *out = &cursor->base;
        return ERR_OK;
    }
    cursor = heap_new_zeroed(1, sizeof *cursor);
    if (cursor == NULL)
        return ERR_NOMEM;
    code = mdb_cursor_open(txn->txn, kv_lmdb_of(base->kv)->tables[table], &cursor->cursor);
    if (code != MDB_SUCCESS) {
        heap_free(cursor);
        return kv_lmdb_err(code);
    }
    cursor->table = table;
    *out = &cursor->base;
    return ERR_OK;
}

static enum err kv_lmdb_cursor_move(struct kv_cursor *base, MDB_cursor_op op)
{
    struct kv_lmdb_cursor *cursor = (struct kv_lmdb_cursor *)base;

    return kv_lmdb_err(mdb_cursor_get(cursor->cursor, &cursor->key, &cursor->value, op));
}

static enum err kv_lmdb_cursor_seek(struct kv_cursor *base, struct span key)
{
    struct kv_lmdb_cursor *cursor = (struct kv_lmdb_cursor *)base;

    if (key.size == 0)
        return kv_lmdb_cursor_move(base, MDB_FIRST);
    cursor->key = kv_lmdb_val(key);
    return kv_lmdb_cursor_move(base, MDB_SET_RANGE);
}

static enum err kv_lmdb_cursor_last(struct kv_cursor *cursor)
{
    return kv_lmdb_cursor_move(cursor, MDB_LAST);
}

static enum err kv_lmdb_cursor_next(struct kv_cursor *cursor)
{
    return kv_lmdb_cursor_move(cursor, MDB_NEXT);
}

static enum err kv_lmdb_cursor_previous(struct kv_cursor *cursor)
{
    return kv_lmdb_cursor_move(cursor, MDB_PREV);
}

static void kv_lmdb_cursor_at(const struct kv_cursor *base, struct span *out_key,
                              struct span *out_value)
{
    const struct kv_lmdb_cursor *cursor = (const struct kv_lmdb_cursor *)base;

    *out_key = span_of(cursor->key.mv_data, cursor->key.mv_size);
    *out_value = span_of(cursor->value.mv_data, cursor->value.mv_size);
}

static void kv_lmdb_cursor_close(struct kv_cursor *base)
{
    struct kv_lmdb_cursor *cursor = (struct kv_lmdb_cursor *)base;
    struct kv_lmdb_txn *txn = (struct kv_lmdb_txn *)base->txn;

    if (base->txn->mode == KV_READ && txn->idle[cursor->table] == NULL) {
        txn->idle[cursor->table] = cursor;
        return;
    }
    mdb_cursor_close(cursor->cursor);
    heap_free(cursor);
}

/* Usage, and the list of free pages. */

/* Counts the free pages of a snapshot from this page on. */
static int kv_lmdb_free_pages(MDB_txn *txn, uint64_t first, uint64_t *out_count)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int code = mdb_cursor_open(txn, FREE_TABLE, &cursor);
    bool is_sound = true;

    *out_count = 0;
    if (code != MDB_SUCCESS)
        return code;
    while (is_sound && (code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS)
        is_sound = kv_file_count_free(span_of(value.mv_data, value.mv_size), first, out_count);
    mdb_cursor_close(cursor);
    if (!is_sound)
        return MDB_CORRUPTED;
    return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

static enum err kv_lmdb_usage(struct kv *base, struct kv_usage *out)
{
    struct kv_lmdb *kv = kv_lmdb_of(base);
    struct kv_lmdb_space space;
    struct kv_lmdb_txn *txn;
    uint64_t free_pages, file_bytes;
    int code, file;
    enum err err = kv_lmdb_begin_read(kv, &txn);

    if (err != ERR_OK)
        return err;
    space = kv_lmdb_space(kv);
    code = kv_lmdb_free_pages(txn->txn, 0, &free_pages);
    kv_lmdb_end_read(kv, txn);
    if (code != MDB_SUCCESS)
        return kv_lmdb_err(code);
    if (mdb_env_get_fd(kv->env, &file) != MDB_SUCCESS || !kv_file_count_bytes(file, &file_bytes))
        return ERR_IO;
    *out = (struct kv_usage){.live_bytes = space.used_bytes - free_pages * space.page_size,
                             .file_bytes = file_bytes,
                             .map_bytes = space.map_bytes};
    return ERR_OK;
}

/* Opening. */

static void kv_lmdb_close(struct kv *base)
{
    struct kv_lmdb *kv = kv_lmdb_of(base);
    struct kv_gate_pass *pass;

    while ((pass = kv_gate_take(&kv->gate)) != NULL)
        kv_lmdb_reader_free(kv_lmdb_of_pass(pass));
    mdb_env_close(kv->env);
    kv_gate_release(&kv->gate);
    heap_free(kv);
}

static enum err kv_lmdb_open_tables(struct kv_lmdb *kv, const struct kv_lmdb_options *options,
                                    bool is_writing)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(kv->env, NULL, is_writing ? 0 : MDB_RDONLY, &txn);

    if (code != MDB_SUCCESS)
        return kv_lmdb_err(code);
    for (unsigned table = 0; table < options->tables_count && code == MDB_SUCCESS; table++)
        code = mdb_dbi_open(txn, options->table_names[table], is_writing ? MDB_CREATE : 0,
                            &kv->tables[table]);
    if (code != MDB_SUCCESS) {
        mdb_txn_abort(txn);
        /* A name that is a key of the main table, but no table: not a store of ours. */
        return code == MDB_INCOMPATIBLE ? ERR_CORRUPT : kv_lmdb_err(code);
    }
    return kv_lmdb_err(mdb_txn_commit(txn));
}

/* The file is shorter than its pages: right only when every page that is missing is free. The
 * caller has made it longer, so that looking is safe; zeros are no page. */
static enum err kv_lmdb_check_missing(struct kv_lmdb *kv, const struct kv_file *file)
{
    uint64_t page_size = kv_lmdb_space(kv).page_size, missing_from = file->size / page_size, found;
    MDB_txn *txn;
    int code = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn);

    if (code != MDB_SUCCESS)
        return kv_lmdb_err(code);
    code = kv_lmdb_free_pages(txn, missing_from, &found);
    mdb_txn_abort(txn);
    if (code != MDB_SUCCESS)
        return kv_lmdb_err(code);
    return found == file->used_bytes / page_size - missing_from ? ERR_OK : ERR_CORRUPT;
}

static enum err kv_lmdb_open_env(struct kv_lmdb *kv, const struct kv_lmdb_options *options,
                                 const struct kv_file *file)
{
    uint64_t map_bytes = options->map_bytes > 0 ? options->map_bytes : KV_LMDB_MAP_BYTES_DEFAULT;
    unsigned flags = MDB_NOTLS | (options->is_read_only ? MDB_RDONLY : 0);
    int code, dead;

    if (map_bytes < 2 * file->used_bytes)
        map_bytes = 2 * file->used_bytes;
    /* These three cannot fail before the environment is open. */
    (void)mdb_env_set_mapsize(kv->env, (size_t)map_bytes);
    (void)mdb_env_set_maxreaders(kv->env, KV_LMDB_READERS_MAX);
    (void)mdb_env_set_maxdbs(kv->env, KV_TABLES_MAX);
    code = mdb_env_open(kv->env, options->path, flags, 0600);
    return kv_lmdb_err(code == MDB_SUCCESS ? mdb_reader_check(kv->env, &dead) : code);
}

static enum err kv_lmdb_prepare(struct kv_lmdb *kv, const struct kv_lmdb_options *options,
                                const struct kv_file *file)
{
    enum err err = kv_lmdb_open_env(kv, options, file);

    if (err == ERR_OK && file->size < file->used_bytes)
        err = kv_lmdb_check_missing(kv, file);
    if (err != ERR_OK)
        return err;
    err = file->is_fresh ? ERR_NOT_FOUND : kv_lmdb_open_tables(kv, options, false);
    if (err == ERR_NOT_FOUND)
        err = options->is_read_only ? ERR_STATE : kv_lmdb_open_tables(kv, options, true);
    if (err == ERR_OK && file->is_fresh)
        err = kv_file_sync_directory(options->path);
    return err;
}

static const struct kv_ops kv_lmdb_ops = {
    .close = kv_lmdb_close,
    .begin = kv_lmdb_begin,
    .commit = kv_lmdb_commit,
    .abort = kv_lmdb_abort,
    .get = kv_lmdb_get,
    .put = kv_lmdb_put,
    .append = kv_lmdb_append,
    .erase = kv_lmdb_erase,
    .cursor_open = kv_lmdb_cursor_open,
    .cursor_seek = kv_lmdb_cursor_seek,
    .cursor_last = kv_lmdb_cursor_last,
    .cursor_next = kv_lmdb_cursor_next,
    .cursor_previous = kv_lmdb_cursor_previous,
    .cursor_at = kv_lmdb_cursor_at,
    .cursor_close = kv_lmdb_cursor_close,
    .count = kv_lmdb_count,
    .usage = kv_lmdb_usage,
};

enum err kv_lmdb_open(const struct kv_lmdb_options *options, struct kv **out)
{
    struct kv_lmdb *kv;
    struct kv_file file;
    enum err err;

    KITH_ASSERT(options->tables_count > 0 && options->tables_count <= KV_TABLES_MAX);
    err = kv_file_prepare(options->path, options->is_read_only, options->allow_remote, &file);
    if (err != ERR_OK)
        return err;
    kv = heap_new_zeroed(1, sizeof *kv);
    if (kv == NULL)
        return ERR_NOMEM;
    kv->base = (struct kv){.ops = &kv_lmdb_ops, .tables_count = options->tables_count};
    kv->is_read_only = options->is_read_only;
    kv_gate_init(&kv->gate);
    if (mdb_env_create(&kv->env) != MDB_SUCCESS) {
        heap_free(kv);
        return ERR_NOMEM;
    }
    err = kv_lmdb_prepare(kv, options, &file);
    if (err == ERR_OK) {
        *out = &kv->base;
        return ERR_OK;
    }
    kv_lmdb_close(&kv->base);
    if (file.size < file.used_bytes && kv_file_resize(options->path, file.size) != ERR_OK)
        err = ERR_IO;
    return err;
}
