/*
 * LMDB behind the seam. Reading transactions are kept and renewed, since opening one costs a lock
 * of all readers; the map grows only while none of them, and no cursor of theirs, is alive.
 */
#include "storage/kv_lmdb.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "crypto/heap.h"
#include "storage/kv_file.h"

enum {
    KV_LMDB_MAP_BYTES = 1 << 30,
    KV_LMDB_READERS_MAX = 512,
    KV_LMDB_POOL_MAX = 8,
    KV_LMDB_GROW_WAIT_S = 2,
    KV_LMDB_GROW_PERCENT = 60
};

struct kv_lmdb_txn {
    struct kv_txn base;
    MDB_txn *txn;
    struct kv_lmdb_txn *next; /* in the pool of readers at rest */
};

struct kv_lmdb {
    struct kv base;
    MDB_env *env;
    MDB_dbi tables[KV_TABLES_MAX];
    pthread_mutex_t mutex;
    pthread_cond_t rested;
    unsigned readers; /* transactions open */
    bool has_writer;
    bool is_growing; /* new readers wait */
    bool must_grow;  /* a map was full */
    bool is_poisoned;
    bool is_read_only;
    struct kv_lmdb_txn *pool;
    unsigned pool_count;
};

struct kv_lmdb_cursor {
    struct kv_cursor base;
    MDB_cursor *cursor;
    MDB_val key, value;
};

static struct kv_lmdb *kv_lmdb_of(struct kv *kv)
{
    return (struct kv_lmdb *)(void *)kv;
}

static struct kv_lmdb_txn *kv_lmdb_txn_of(struct kv_txn *txn)
{
    return (struct kv_lmdb_txn *)(void *)txn;
}

static enum err kv_lmdb_err(struct kv_lmdb *kv, int status)
{
    switch (status) {
    case MDB_SUCCESS:
        return ERR_OK;
    case MDB_NOTFOUND:
        return ERR_NOT_FOUND;
    case MDB_MAP_FULL:
        kv->must_grow = true;
        return ERR_FULL;
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    case ENOMEM:
        return ERR_NOMEM;
    case MDB_READERS_FULL:
        return ERR_BUSY;
    case MDB_KEYEXIST:
    case MDB_BAD_VALSIZE:
        return ERR_INVALID;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
        return ERR_CORRUPT;
    case MDB_VERSION_MISMATCH:
        return ERR_VERSION;
    case ENOENT:
        return ERR_NOT_FOUND;
    default:
        return ERR_IO;
    }
}

static MDB_val kv_lmdb_val(struct span bytes)
{
    union {
        const uint8_t *read;
        void *written;
    } address = {.read = bytes.data};

    return (MDB_val){.mv_size = bytes.size,
                     .mv_data = address.written}; /* LMDB only reads what it is given. */
}

/* ---- growing */

static bool kv_lmdb_is_crowded(struct kv_lmdb *kv)
{
    MDB_envinfo info;
    MDB_stat stat;

    if (kv->must_grow)
        return true;
    if (mdb_env_info(kv->env, &info) != MDB_SUCCESS || mdb_env_stat(kv->env, &stat) != MDB_SUCCESS)
        return false;
    return (info.me_last_pgno + 1) * stat.ms_psize > info.me_mapsize / 100 * KV_LMDB_GROW_PERCENT;
}

static void kv_lmdb_drop_pool(struct kv_lmdb *kv)
{
    while (kv->pool != NULL) {
        struct kv_lmdb_txn *txn = kv->pool;

        kv->pool = txn->next;
        mdb_txn_abort(txn->txn);
        heap_free(txn);
    }
    kv->pool_count = 0;
}

/* With the mutex held. When readers do not end in time the map grows at a later writer's beginning.
 */
static void kv_lmdb_grow(struct kv_lmdb *kv)
{
    struct timespec until;
    MDB_envinfo info;

    kv->is_growing = true;
    (void)clock_gettime(CLOCK_REALTIME,
                        &until); /* What the condition's timed wait is measured by. */
    until.tv_sec += KV_LMDB_GROW_WAIT_S;
    while (kv->readers > 0 && pthread_cond_timedwait(&kv->rested, &kv->mutex, &until) == 0)
        continue;
    if (kv->readers == 0 && mdb_env_info(kv->env, &info) == MDB_SUCCESS) {
        kv_lmdb_drop_pool(kv);
        if (mdb_env_set_mapsize(kv->env, info.me_mapsize * 2) == MDB_SUCCESS)
            kv->must_grow = false;
    }
    kv->is_growing = false;
    (void)pthread_cond_broadcast(&kv->rested);
}

/* ---- transactions */

static enum err kv_lmdb_begin_read(struct kv_lmdb *kv, struct kv_lmdb_txn **out)
{
    struct kv_lmdb_txn *txn;
    int status;

    (void)pthread_mutex_lock(&kv->mutex);
    while (kv->is_growing)
        (void)pthread_cond_wait(&kv->rested, &kv->mutex);
    txn = kv->pool;
    if (txn != NULL) {
        kv->pool = txn->next;
        kv->pool_count--;
    }
    kv->readers++;
    (void)pthread_mutex_unlock(&kv->mutex);
    if (txn != NULL) {
        status = mdb_txn_renew(txn->txn);
    } else {
        txn = heap_new_zeroed(1, sizeof *txn);
        status = txn == NULL ? ENOMEM : mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn->txn);
    }
    if (status == MDB_SUCCESS) {
        *out = txn;
        return ERR_OK;
    }
    heap_free(txn);
    (void)pthread_mutex_lock(&kv->mutex);
    kv->readers--;
    (void)pthread_cond_broadcast(&kv->rested);
    (void)pthread_mutex_unlock(&kv->mutex);
    return kv_lmdb_err(kv, status);
}

static void kv_lmdb_end_write(struct kv_lmdb *kv)
{
    (void)pthread_mutex_lock(&kv->mutex);
    kv->has_writer = false;
    (void)pthread_mutex_unlock(&kv->mutex);
}

static enum err kv_lmdb_begin_write(struct kv_lmdb *kv, struct kv_lmdb_txn **out)
{
    struct kv_lmdb_txn *txn;
    enum err err = ERR_OK;
    int status;

    if (kv->is_read_only)
        return ERR_STATE;
    (void)pthread_mutex_lock(&kv->mutex);
    if (kv->is_poisoned)
        err = ERR_IO;
    else if (kv->has_writer)
        err = ERR_BUSY;
    if (err == ERR_OK) {
        kv->has_writer = true;
        if (kv_lmdb_is_crowded(kv))
            kv_lmdb_grow(kv);
    }
    (void)pthread_mutex_unlock(&kv->mutex);
    if (err != ERR_OK)
        return err;
    txn = heap_new_zeroed(1, sizeof *txn);
    status = txn == NULL ? ENOMEM : mdb_txn_begin(kv->env, NULL, 0, &txn->txn);
    if (status == MDB_SUCCESS) {
        *out = txn;
        return ERR_OK;
    }
    heap_free(txn);
    kv_lmdb_end_write(kv);
    return kv_lmdb_err(kv, status);
}

static enum err kv_lmdb_begin(struct kv *base, enum kv_mode mode, struct kv_txn **out)
{
    struct kv_lmdb_txn *txn;
    enum err err = mode == KV_READ ? kv_lmdb_begin_read(kv_lmdb_of(base), &txn)
                                   : kv_lmdb_begin_write(kv_lmdb_of(base), &txn);

    if (err == ERR_OK)
        *out = &txn->base;
    return err;
}

static void kv_lmdb_rest(struct kv_lmdb *kv, struct kv_lmdb_txn *txn)
{
    bool is_kept;

    mdb_txn_reset(txn->txn);
    (void)pthread_mutex_lock(&kv->mutex);
    is_kept = kv->pool_count < KV_LMDB_POOL_MAX && !kv->is_growing;
    if (is_kept) {
        txn->next = kv->pool;
        kv->pool = txn;
        kv->pool_count++;
    }
    (void)pthread_mutex_unlock(&kv->mutex);
    if (!is_kept) {
        mdb_txn_abort(txn->txn);
        heap_free(txn);
    }
    (void)pthread_mutex_lock(&kv->mutex);
    kv->readers--;
    (void)pthread_cond_broadcast(&kv->rested);
    (void)pthread_mutex_unlock(&kv->mutex);
}

static void kv_lmdb_abort(struct kv_txn *base)
{
    struct kv_lmdb *kv = kv_lmdb_of(base->kv);
    struct kv_lmdb_txn *txn = kv_lmdb_txn_of(base);

    if (base->mode == KV_READ) {
        kv_lmdb_rest(kv, txn);
        return;
    }
    mdb_txn_abort(txn->txn);
    heap_free(txn);
    kv_lmdb_end_write(kv);
}

/* Rule L18: after a failed sync nobody knows what is on the disk; the next opening decides. */
static enum err kv_lmdb_commit(struct kv_txn *base)
{
    struct kv_lmdb *kv = kv_lmdb_of(base->kv);
    struct kv_lmdb_txn *txn = kv_lmdb_txn_of(base);
    int status;
    enum err err;

    if (base->mode == KV_READ) {
        kv_lmdb_rest(kv, txn);
        return ERR_OK;
    }
    status = mdb_txn_commit(txn->txn);
    err = kv_lmdb_err(kv, status);
    heap_free(txn);
    (void)pthread_mutex_lock(&kv->mutex);
    kv->is_poisoned |= err == ERR_IO;
    kv->has_writer = false;
    (void)pthread_mutex_unlock(&kv->mutex);
    return err;
}

/* ---- keys and values */

static enum err kv_lmdb_get(struct kv_txn *base, unsigned table, struct span key,
                            struct span *out_value)
{
    struct kv_lmdb *kv = kv_lmdb_of(base->kv);
    MDB_val name = kv_lmdb_val(key), value;
    int status = mdb_get(kv_lmdb_txn_of(base)->txn, kv->tables[table], &name, &value);

    if (status == MDB_SUCCESS)
        *out_value = span_of(value.mv_data, value.mv_size);
    return kv_lmdb_err(kv, status);
}

static enum err kv_lmdb_store(struct kv_txn *base, unsigned table, struct span key,
                              struct span value, unsigned flags)
{
    struct kv_lmdb *kv = kv_lmdb_of(base->kv);
    MDB_val name = kv_lmdb_val(key), content = kv_lmdb_val(value);

    return kv_lmdb_err(
        kv, mdb_put(kv_lmdb_txn_of(base)->txn, kv->tables[table], &name, &content, flags));
}

static enum err kv_lmdb_put(struct kv_txn *base, unsigned table, struct span key, struct span value)
{
    return kv_lmdb_store(base, table, key, value, 0);
}

static enum err kv_lmdb_append(struct kv_txn *base, unsigned table, struct span key,
                               struct span value)
{
    return kv_lmdb_store(base, table, key, value, MDB_APPEND);
}

static enum err kv_lmdb_erase(struct kv_txn *base, unsigned table, struct span key)
{
    struct kv_lmdb *kv = kv_lmdb_of(base->kv);
    MDB_val name = kv_lmdb_val(key);

    return kv_lmdb_err(kv, mdb_del(kv_lmdb_txn_of(base)->txn, kv->tables[table], &name, NULL));
}

static enum err kv_lmdb_count(struct kv_txn *base, unsigned table, uint64_t *out)
{
    struct kv_lmdb *kv = kv_lmdb_of(base->kv);
    MDB_stat stat;
    int status = mdb_stat(kv_lmdb_txn_of(base)->txn, kv->tables[table], &stat);

    if (status == MDB_SUCCESS)
        *out = stat.ms_entries;
    return kv_lmdb_err(kv, status);
}

/* ---- cursors */

static struct kv_lmdb_cursor *kv_lmdb_cursor_of(struct kv_cursor *cursor)
{
    return (struct kv_lmdb_cursor *)(void *)cursor;
}

static enum err kv_lmdb_cursor_open(struct kv_txn *base, unsigned table, struct kv_cursor **out)
{
    struct kv_lmdb *kv = kv_lmdb_of(base->kv);
    struct kv_lmdb_cursor *cursor = heap_new_zeroed(1, sizeof *cursor);
    int status;

    if (cursor == NULL)
        return ERR_NOMEM;
    status = mdb_cursor_open(kv_lmdb_txn_of(base)->txn, kv->tables[table], &cursor->cursor);
    if (status != MDB_SUCCESS) {
        heap_free(cursor);
        return kv_lmdb_err(kv, status);
    }
    *out = &cursor->base;
    return ERR_OK;
}

static enum err kv_lmdb_cursor_move(struct kv_cursor *base, MDB_cursor_op how)
{
    struct kv_lmdb_cursor *cursor = kv_lmdb_cursor_of(base);

    return kv_lmdb_err(kv_lmdb_of(base->txn->kv),
                       mdb_cursor_get(cursor->cursor, &cursor->key, &cursor->value, how));
}

static enum err kv_lmdb_cursor_seek(struct kv_cursor *base, struct span key)
{
    kv_lmdb_cursor_of(base)->key = kv_lmdb_val(key);
    return kv_lmdb_cursor_move(base, key.size == 0 ? MDB_FIRST : MDB_SET_RANGE);
}

static enum err kv_lmdb_cursor_last(struct kv_cursor *base)
{
    return kv_lmdb_cursor_move(base, MDB_LAST);
}

static enum err kv_lmdb_cursor_next(struct kv_cursor *base)
{
    return kv_lmdb_cursor_move(base, MDB_NEXT);
}

static enum err kv_lmdb_cursor_previous(struct kv_cursor *base)
{
    return kv_lmdb_cursor_move(base, MDB_PREV);
}

static void kv_lmdb_cursor_at(const struct kv_cursor *base, struct span *out_key,
                              struct span *out_value)
{
    const struct kv_lmdb_cursor *cursor = (const struct kv_lmdb_cursor *)(const void *)base;

    *out_key = span_of(cursor->key.mv_data, cursor->key.mv_size);
    *out_value = span_of(cursor->value.mv_data, cursor->value.mv_size);
}

static void kv_lmdb_cursor_close(struct kv_cursor *base)
{
    struct kv_lmdb_cursor *cursor = kv_lmdb_cursor_of(base);

    mdb_cursor_close(cursor->cursor);
    heap_free(cursor);
}

/* ---- usage */

static uint64_t kv_lmdb_free_pages(MDB_txn *txn, uint64_t from)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t count = 0;

    if (mdb_cursor_open(txn, 0, &cursor) != MDB_SUCCESS) /* Database 0 is the list of free pages. */
        return 0;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) {
        const size_t *pages = value.mv_data;

        for (size_t at = 1; at <= pages[0] && at < value.mv_size / sizeof *pages; at++)
            count += pages[at] >= from;
    }
    mdb_cursor_close(cursor);
    return count;
}

static enum err kv_lmdb_usage(struct kv *base, struct kv_usage *out)
{
    struct kv_lmdb *kv = kv_lmdb_of(base);
    struct kv_lmdb_txn *txn;
    MDB_envinfo info;
    MDB_stat stat;
    struct stat file;
    int descriptor;
    enum err err = kv_lmdb_begin_read(kv, &txn);

    if (err != ERR_OK)
        return err;
    (void)mdb_env_info(kv->env, &info); /* Neither fails for an open environment. */
    (void)mdb_env_stat(kv->env, &stat);
    out->live_bytes = (info.me_last_pgno + 1 - kv_lmdb_free_pages(txn->txn, 0)) * stat.ms_psize;
    out->map_bytes = info.me_mapsize;
    out->file_bytes = 0;
    if (mdb_env_get_fd(kv->env, &descriptor) == MDB_SUCCESS && fstat(descriptor, &file) == 0)
        out->file_bytes = (uint64_t)file.st_blocks * 512;
    kv_lmdb_rest(kv, txn);
    return ERR_OK;
}

/* ---- opening */

static void kv_lmdb_close(struct kv *base)
{
    struct kv_lmdb *kv = kv_lmdb_of(base);

    kv_lmdb_drop_pool(kv);
    mdb_env_close(kv->env);
    (void)pthread_cond_destroy(&kv->rested);
    (void)pthread_mutex_destroy(&kv->mutex);
    heap_free(kv);
}

static const struct kv_ops kv_lmdb_ops = {.close = kv_lmdb_close,
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
                                          .usage = kv_lmdb_usage};

/* Opens, or makes, every table; they stay open for the life of the environment. */
static int kv_lmdb_open_tables(struct kv_lmdb *kv, const struct kv_lmdb_options *options)
{
    MDB_txn *txn;
    int status = mdb_txn_begin(kv->env, NULL, options->is_read_only ? MDB_RDONLY : 0, &txn);

    for (unsigned table = 0; status == MDB_SUCCESS && table < options->tables_count; table++)
        status = mdb_dbi_open(txn, options->table_names[table],
                              options->is_read_only ? 0 : MDB_CREATE, &kv->tables[table]);
    if (status != MDB_SUCCESS) {
        mdb_txn_abort(txn);
        return status;
    }
    return mdb_txn_commit(txn);
}

/* A file shorter than its pages is only sound when all that is missing is free. */
static enum err kv_lmdb_check_length(struct kv_lmdb *kv, const struct kv_file *file)
{
    struct kv_lmdb_txn *txn;
    uint64_t missing, present, page;
    MDB_stat stat;
    enum err err;

    if (file->is_fresh || file->size >= file->used_bytes)
        return ERR_OK;
    (void)mdb_env_stat(kv->env, &stat);
    page = stat.ms_psize;
    present = file->size / page;
    missing = file->used_bytes / page - present;
    err = kv_lmdb_begin_read(kv, &txn);
    if (err != ERR_OK)
        return err;
    err = kv_lmdb_free_pages(txn->txn, present) >= missing ? ERR_OK : ERR_CORRUPT;
    kv_lmdb_rest(kv, txn);
    return err;
}

static enum err kv_lmdb_open_env(struct kv_lmdb *kv, const struct kv_lmdb_options *options,
                                 const struct kv_file *file)
{
    size_t map_bytes = options->map_bytes > 0 ? options->map_bytes : KV_LMDB_MAP_BYTES;
    unsigned flags = MDB_NOTLS | (options->is_read_only ? MDB_RDONLY : 0u);
    int status = mdb_env_create(&kv->env), dead = 0;
    enum err err;

    if (status != MDB_SUCCESS)
        return kv_lmdb_err(kv, status);
    if (map_bytes < 2 * file->used_bytes)
        map_bytes = 2 * (size_t)file->used_bytes;
    (void)mdb_env_set_maxdbs(kv->env,
                             KV_TABLES_MAX); /* These cannot fail before the environment is open. */
    (void)mdb_env_set_maxreaders(kv->env, KV_LMDB_READERS_MAX);
    (void)mdb_env_set_mapsize(kv->env, map_bytes);
    status = mdb_env_open(kv->env, options->path, flags, 0600);
    if (status != MDB_SUCCESS)
        return kv_lmdb_err(kv, status);
    (void)mdb_reader_check(kv->env, &dead); /* Slots of dead processes; none is a fault. */
    err = kv_lmdb_check_length(kv, file);
    return err == ERR_OK ? kv_lmdb_err(kv, kv_lmdb_open_tables(kv, options)) : err;
}

enum err kv_lmdb_open(const struct kv_lmdb_options *options, struct kv **out)
{
    struct kv_lmdb *kv;
    struct kv_file file;
    bool is_remote = false;
    enum err err = kv_file_look(options->path, &file);

    KITH_ASSERT(options->tables_count <= KV_TABLES_MAX);
    if (err == ERR_OK && !options->allow_remote)
        err = kv_file_is_remote(options->path, &is_remote);
    if (err == ERR_OK && is_remote)
        err = ERR_STATE;
    if (err == ERR_OK && options->is_read_only && file.is_fresh)
        err = ERR_NOT_FOUND;
    if (err != ERR_OK)
        return err;
    kv = heap_new_zeroed(1, sizeof *kv);
    if (kv == NULL)
        return ERR_NOMEM;
    kv->base = (struct kv){.ops = &kv_lmdb_ops, .tables_count = options->tables_count};
    kv->is_read_only = options->is_read_only;
    (void)pthread_mutex_init(&kv->mutex,
                             NULL); /* Neither can fail with these attributes on this system. */
    (void)pthread_cond_init(&kv->rested, NULL);
    err = kv_lmdb_open_env(kv, options, &file);
    if (err != ERR_OK) {
        kv_lmdb_close(&kv->base);
        return err;
    }
    if (file.is_fresh)
        err = kv_file_sync_directory(options->path);
    if (err != ERR_OK) {
        kv_lmdb_close(&kv->base);
        return err;
    }
    *out = &kv->base;
    return ERR_OK;
}
