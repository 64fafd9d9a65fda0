/*
 * A disk is a ring of roots, newest last; the store opened on it knows its transactions so that a
 * crash can end them. The mutex guards the disk; a transaction's own tree belongs to its thread.
 */
#include "tests/sim/kv_mem.h"

#include <pthread.h>

#include "crypto/heap.h"
#include "tests/sim/kv_mem_tree.h"

struct kv_mem_cursor {
    struct kv_cursor base;
    unsigned table;
    struct kv_mem_pair at;
    struct kv_mem_cursor *next; /* in its transaction */
    struct kv_mem_cursor **place;
};

struct kv_mem_txn {
    struct kv_txn base;
    struct kv_mem_node *root;
    struct kv_mem_cursor *cursors;
    struct kv_mem_txn *next; /* in its store */
    struct kv_mem_txn **place;
};

struct kv_mem_store {
    struct kv base;
    struct kv_mem *mem;
    struct kv_mem_txn *txns;
    bool is_writing;
    bool is_poisoned;
};

struct kv_mem {
    struct kv_mem_options options;
    pthread_mutex_t mutex;
    struct kv_mem_store *store;
    struct kv_mem_node **roots; /* history_max + 1, oldest first */
    unsigned roots_count;
    uint64_t commits_count;
    uint64_t operations_count;
    uint64_t failures_count;
    struct kv_mem_failure failure;
    kv_mem_watch_fn watch;
    void *watch_self;
};

static struct kv_mem_store *kv_mem_store_of(struct kv *kv)
{
    return (struct kv_mem_store *)kv;
}

/* Counts one operation, and says whether it fails by order. Under the mutex. */
static enum err kv_mem_count_locked(struct kv_mem *mem)
{
    enum err err = mem->failure.err;

    mem->operations_count++;
    if (mem->failure.at == 0)
        return ERR_OK;
    if (mem->failure.at > 1) {
        mem->failure.at--;
        return ERR_OK;
    }
    if (!mem->failure.is_sticky)
        mem->failure.at = 0;
    mem->failures_count++;
    return err;
}

static enum err kv_mem_count(struct kv_txn *txn)
{
    struct kv_mem *mem = kv_mem_store_of(txn->kv)->mem;
    enum err err;

    (void)pthread_mutex_lock(&mem->mutex);
    err = kv_mem_count_locked(mem);
    (void)pthread_mutex_unlock(&mem->mutex);
    return err;
}

/* Transactions. */

static enum err kv_mem_begin_locked(struct kv_mem_store *store, enum kv_mode mode,
                                    struct kv_txn **out)
{
    struct kv_mem *mem = store->mem;
    struct kv_mem_txn *txn;
    enum err err = kv_mem_count_locked(mem);

    if (err != ERR_OK)
        return err;
    if (mode == KV_WRITE && store->is_poisoned)
        return ERR_IO;
    if (mode == KV_WRITE && store->is_writing)
        return ERR_BUSY;
    txn = heap_new_zeroed(1, sizeof *txn);
    if (txn == NULL)
        return ERR_NOMEM;
    txn->root = kv_mem_tree_share(mem->roots[mem->roots_count - 1]);
    txn->next = store->txns;
    txn->place = &store->txns;
    if (txn->next != NULL)
        txn->next->place = &txn->next;
    store->txns = txn;
    store->is_writing = store->is_writing || mode == KV_WRITE;
    *out = &txn->base;
    return ERR_OK;
}

static enum err kv_mem_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **out)
{
    struct kv_mem_store *store = kv_mem_store_of(kv);
    enum err err;

    (void)pthread_mutex_lock(&store->mem->mutex);
    err = kv_mem_begin_locked(store, mode, out);
    (void)pthread_mutex_unlock(&store->mem->mutex);
    return err;
}

/* Under the mutex. */
static void kv_mem_txn_end(struct kv_mem_txn *txn)
{
    if (txn->base.mode == KV_WRITE)
        kv_mem_store_of(txn->base.kv)->is_writing = false;
    *txn->place = txn->next;
    if (txn->next != NULL)
        txn->next->place = txn->place;
    kv_mem_tree_release(txn->root);
    heap_free(txn);
}

static void kv_mem_abort(struct kv_txn *base)
{
    struct kv_mem *mem = kv_mem_store_of(base->kv)->mem;

    (void)pthread_mutex_lock(&mem->mutex);
    kv_mem_txn_end((struct kv_mem_txn *)base);
    (void)pthread_mutex_unlock(&mem->mutex);
}

/* Under the mutex; takes one hold of the root. */
static void kv_mem_push(struct kv_mem *mem, struct kv_mem_node *root)
{
    if (mem->roots_count == mem->options.history_max + 1) {
        kv_mem_tree_release(mem->roots[0]);
        for (unsigned index = 1; index < mem->roots_count; index++)
            mem->roots[index - 1] = mem->roots[index];
        mem->roots_count--;
    }
    mem->roots[mem->roots_count++] = root;
    mem->commits_count++;
}

static void kv_mem_tell(const struct kv_mem *mem, bool is_writing, bool is_durable)
{
    if (is_writing && mem->watch != NULL)
        mem->watch(mem->watch_self, is_durable);
}

static enum err kv_mem_commit(struct kv_txn *base)
{
    struct kv_mem_txn *txn = (struct kv_mem_txn *)base;
    struct kv_mem_store *store = kv_mem_store_of(base->kv);
    struct kv_mem *mem = store->mem;
    bool is_writing = base->mode == KV_WRITE;
    enum err err;

    kv_mem_tell(mem, is_writing, false);
    (void)pthread_mutex_lock(&mem->mutex);
    err = kv_mem_count_locked(mem);
    if (base->mode == KV_WRITE && err == ERR_OK)
        kv_mem_push(mem, kv_mem_tree_share(txn->root));
    if (base->mode == KV_WRITE && err == ERR_IO)
        store->is_poisoned = true;
    kv_mem_txn_end(txn);
    (void)pthread_mutex_unlock(&mem->mutex);
    kv_mem_tell(mem, is_writing && err == ERR_OK, true);
    return err;
}

/* Table verbs. */

static enum err kv_mem_get(struct kv_txn *base, unsigned table, struct span key,
                           struct span *out_value)
{
    struct kv_mem_txn *txn = (struct kv_mem_txn *)base;
    struct kv_mem_pair pair;
    enum err err = kv_mem_count(base);

    if (err != ERR_OK)
        return err;
    if (!kv_mem_tree_find(txn->root, (struct kv_mem_key){table, key}, KV_MEM_EQUAL, &pair))
        return ERR_NOT_FOUND;
    *out_value = pair.value;
    return ERR_OK;
}

static enum err kv_mem_put(struct kv_txn *base, unsigned table, struct span key, struct span value)
{
    struct kv_mem_txn *txn = (struct kv_mem_txn *)base;
    enum err err = kv_mem_count(base);

    if (err != ERR_OK)
        return err;
    return kv_mem_tree_put(&txn->root, (struct kv_mem_key){table, key}, value);
}

static enum err kv_mem_append(struct kv_txn *base, unsigned table, struct span key,
                              struct span value)
{
    struct kv_mem_txn *txn = (struct kv_mem_txn *)base;
    struct kv_mem_key end = {.table = table + 1};
    struct kv_mem_pair last;
    enum err err = kv_mem_count(base);

    if (err != ERR_OK)
        return err;
    if (kv_mem_tree_find(txn->root, end, KV_MEM_LESS, &last) && last.table == table &&
        span_order(last.key, key) >= 0)
        return ERR_INVALID;
    return kv_mem_tree_put(&txn->root, (struct kv_mem_key){table, key}, value);
}

static enum err kv_mem_erase(struct kv_txn *base, unsigned table, struct span key)
{
    struct kv_mem_txn *txn = (struct kv_mem_txn *)base;
    enum err err = kv_mem_count(base);

    if (err != ERR_OK)
        return err;
    return kv_mem_tree_erase(&txn->root, (struct kv_mem_key){table, key});
}

static enum err kv_mem_keys(struct kv_txn *base, unsigned table, uint64_t *out)
{
    enum err err = kv_mem_count(base);

    if (err == ERR_OK)
        *out = kv_mem_tree_count(((struct kv_mem_txn *)base)->root, table);
    return err;
}

/* Cursors. */

static enum err kv_mem_cursor_open(struct kv_txn *base, unsigned table, struct kv_cursor **out)
{
    struct kv_mem_txn *txn = (struct kv_mem_txn *)base;
    struct kv_mem_cursor *cursor;
    enum err err = kv_mem_count(base);

    if (err != ERR_OK)
        return err;
    cursor = heap_new_zeroed(1, sizeof *cursor);
    if (cursor == NULL)
        return ERR_NOMEM;
    cursor->table = table;
    cursor->next = txn->cursors;
    cursor->place = &txn->cursors;
    if (cursor->next != NULL)
        cursor->next->place = &cursor->next;
    txn->cursors = cursor;
    *out = &cursor->base;
    return ERR_OK;
}

static enum err kv_mem_cursor_move(struct kv_cursor *base, struct kv_mem_key key,
                                   enum kv_mem_side side)
{
    struct kv_mem_cursor *cursor = (struct kv_mem_cursor *)base;
    struct kv_mem_pair pair;
    enum err err = kv_mem_count(base->txn);

    if (err != ERR_OK)
        return err;
    if (!kv_mem_tree_find(((struct kv_mem_txn *)base->txn)->root, key, side, &pair) ||
        pair.table != cursor->table)
        return ERR_NOT_FOUND;
    cursor->at = pair;
    return ERR_OK;
}

static struct kv_mem_key kv_mem_cursor_key(const struct kv_cursor *base)
{
    const struct kv_mem_cursor *cursor = (const struct kv_mem_cursor *)base;

    return (struct kv_mem_key){.table = cursor->table, .bytes = cursor->at.key};
}

static enum err kv_mem_cursor_seek(struct kv_cursor *base, struct span key)
{
    struct kv_mem_key to = {.table = ((struct kv_mem_cursor *)base)->table, .bytes = key};

    return kv_mem_cursor_move(base, to, KV_MEM_NOT_LESS);
}

static enum err kv_mem_cursor_last(struct kv_cursor *base)
{
    struct kv_mem_key end = {.table = ((struct kv_mem_cursor *)base)->table + 1};

    return kv_mem_cursor_move(base, end, KV_MEM_LESS);
}

static enum err kv_mem_cursor_next(struct kv_cursor *base)
{
    return kv_mem_cursor_move(base, kv_mem_cursor_key(base), KV_MEM_GREATER);
}

static enum err kv_mem_cursor_previous(struct kv_cursor *base)
{
    return kv_mem_cursor_move(base, kv_mem_cursor_key(base), KV_MEM_LESS);
}

static void kv_mem_cursor_at(const struct kv_cursor *base, struct span *out_key,
                             struct span *out_value)
{
    const struct kv_mem_cursor *cursor = (const struct kv_mem_cursor *)base;

    *out_key = cursor->at.key;
    *out_value = cursor->at.value;
}

static void kv_mem_cursor_close(struct kv_cursor *base)
{
    struct kv_mem_cursor *cursor = (struct kv_mem_cursor *)base;

    *cursor->place = cursor->next;
    if (cursor->next != NULL)
        cursor->next->place = cursor->place;
    heap_free(cursor);
}

static enum err kv_mem_usage(struct kv *kv, struct kv_usage *out)
{
    struct kv_mem *mem = kv_mem_store_of(kv)->mem;
    struct kv_mem_node *root;
    uint64_t bytes;
    enum err err;

    (void)pthread_mutex_lock(&mem->mutex);
    err = kv_mem_count_locked(mem);
    root = kv_mem_tree_share(mem->roots[mem->roots_count - 1]);
    (void)pthread_mutex_unlock(&mem->mutex);
    bytes = kv_mem_tree_bytes(root);
    kv_mem_tree_release(root);
    if (err == ERR_OK)
        *out = (struct kv_usage){.live_bytes = bytes, .file_bytes = bytes, .map_bytes = bytes};
    return err;
}

/* Under the mutex, or with nobody else about. */
static void kv_mem_store_free(struct kv_mem_store *store)
{
    while (store->txns != NULL) {
        struct kv_mem_txn *txn = store->txns;

        while (txn->cursors != NULL)
            kv_mem_cursor_close(&txn->cursors->base);
        kv_mem_txn_end(txn);
    }
    store->mem->store = NULL;
    heap_free(store);
}

static void kv_mem_close(struct kv *kv)
{
    struct kv_mem_store *store = kv_mem_store_of(kv);
    struct kv_mem *mem = store->mem;

    KITH_ASSERT(store->txns == NULL);
    (void)pthread_mutex_lock(&mem->mutex);
    kv_mem_store_free(store);
    (void)pthread_mutex_unlock(&mem->mutex);
}

static const struct kv_ops kv_mem_ops = {
    .close = kv_mem_close,
    .begin = kv_mem_begin,
    .commit = kv_mem_commit,
    .abort = kv_mem_abort,
    .get = kv_mem_get,
    .put = kv_mem_put,
    .append = kv_mem_append,
    .erase = kv_mem_erase,
    .cursor_open = kv_mem_cursor_open,
    .cursor_seek = kv_mem_cursor_seek,
    .cursor_last = kv_mem_cursor_last,
    .cursor_next = kv_mem_cursor_next,
    .cursor_previous = kv_mem_cursor_previous,
    .cursor_at = kv_mem_cursor_at,
    .cursor_close = kv_mem_cursor_close,
    .count = kv_mem_keys,
    .usage = kv_mem_usage,
};

/* The disk. */

enum err kv_mem_new(const struct kv_mem_options *options, struct kv_mem **out)
{
    struct kv_mem *mem;

    KITH_ASSERT(options->tables_count > 0 && options->tables_count <= KV_TABLES_MAX);
    KITH_ASSERT(options->history_max <= KV_MEM_HISTORY_MAX);
    mem = heap_new_zeroed(1, sizeof *mem);
    if (mem == NULL)
        return ERR_NOMEM;
    mem->options = *options;
    mem->roots = heap_new_zeroed(options->history_max + 1, sizeof(struct kv_mem_node *));
    if (mem->roots == NULL) {
        heap_free(mem);
        return ERR_NOMEM;
    }
    mem->roots_count = 1; /* The empty tree. */
    (void)pthread_mutex_init(&mem->mutex, NULL);
    *out = mem;
    return ERR_OK;
}

static void kv_mem_forget(struct kv_mem *mem)
{
    for (unsigned index = 0; index < mem->roots_count; index++)
        kv_mem_tree_release(mem->roots[index]);
    mem->roots_count = 0;
}

void kv_mem_free(struct kv_mem *mem)
{
    if (mem == NULL)
        return;
    KITH_ASSERT(mem->store == NULL);
    kv_mem_forget(mem);
    (void)pthread_mutex_destroy(&mem->mutex);
    heap_free(mem->roots);
    heap_free(mem);
}

enum err kv_mem_open(struct kv_mem *mem, struct kv **out)
{
    struct kv_mem_store *store;

    if (mem->store != NULL)
        return ERR_BUSY;
    store = heap_new_zeroed(1, sizeof *store);
    if (store == NULL)
        return ERR_NOMEM;
    store->base = (struct kv){.ops = &kv_mem_ops, .tables_count = mem->options.tables_count};
    store->mem = mem;
    mem->store = store;
    *out = &store->base;
    return ERR_OK;
}

unsigned kv_mem_crash(struct kv_mem *mem, unsigned lost_count)
{
    unsigned lost = lost_count < mem->roots_count ? lost_count : mem->roots_count - 1;

    if (mem->store != NULL)
        kv_mem_store_free(mem->store);
    for (unsigned index = 0; index < lost; index++)
        kv_mem_tree_release(mem->roots[--mem->roots_count]);
    mem->commits_count -= lost;
    mem->failure = (struct kv_mem_failure){0};
    return lost;
}

/* Gives an empty ring the contents of another; the newest, as many as fit. */
static void kv_mem_copy(struct kv_mem *to, const struct kv_mem *from)
{
    unsigned room = to->options.history_max + 1;
    unsigned first = from->roots_count > room ? from->roots_count - room : 0;

    for (unsigned index = first; index < from->roots_count; index++)
        to->roots[to->roots_count++] = kv_mem_tree_share(from->roots[index]);
    to->commits_count = from->commits_count;
}

enum err kv_mem_clone(const struct kv_mem *mem, struct kv_mem **out)
{
    struct kv_mem *clone;
    enum err err = kv_mem_new(&mem->options, &clone);

    if (err != ERR_OK)
        return err;
    clone->roots_count = 0;
    kv_mem_copy(clone, mem);
    *out = clone;
    return ERR_OK;
}

void kv_mem_restore(struct kv_mem *mem, const struct kv_mem *from)
{
    (void)kv_mem_crash(mem, 0);
    if (mem == from)
        return;
    kv_mem_forget(mem);
    kv_mem_copy(mem, from);
}

void kv_mem_watch(struct kv_mem *mem, kv_mem_watch_fn watch, void *self)
{
    mem->watch = watch;
    mem->watch_self = self;
}

void kv_mem_fail(struct kv_mem *mem, struct kv_mem_failure failure)
{
    (void)pthread_mutex_lock(&mem->mutex);
    mem->failure = failure;
    (void)pthread_mutex_unlock(&mem->mutex);
}

uint64_t kv_mem_failures_count(const struct kv_mem *mem)
{
    return mem->failures_count;
}

uint64_t kv_mem_operations_count(const struct kv_mem *mem)
{
    return mem->operations_count;
}

uint64_t kv_mem_commits_count(const struct kv_mem *mem)
{
    return mem->commits_count;
}
