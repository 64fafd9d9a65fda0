/*
 * Guarded memory costs four pages and six system calls a piece, and systems lock only a few MiB for
 * a user. So secrets of up to a cell's size live in slabs: one guarded, locked piece each, cut into
 * cells, with a bit per cell that says who is taken. There are cells of two sizes: session keys,
 * held by the thousand, and links and handshakes, which come and go with every look at a peer.
 * Larger secrets get a guarded piece of their own.
 *
 * The lists of slabs are the one mutable global of this room: a locked page belongs to the process,
 * like malloc's arena, and whoever gives a secret back knows only its address.
 */
#include "crypto/secret.h"

#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "crypto/heap.h"

enum { SECRET_SLAB_SIZE = 32 * 1024, SECRET_SORTS = 2 };

static const size_t secret_cell_sizes[SECRET_SORTS] = {512, 2048};

struct secret_slab {
    struct secret_slab *next;
    uint8_t *cells; /* SECRET_SLAB_SIZE bytes, locked */
    uint64_t taken; /* bit i: cell i is somebody's; those beyond the last cell always are */
};

static struct {
    pthread_mutex_t mutex;
    struct secret_slab *slabs[SECRET_SORTS];
} secret_arena = {.mutex = PTHREAD_MUTEX_INITIALIZER, .slabs = {NULL, NULL}};

enum err secret_start(void)
{
    return sodium_init() < 0 ? ERR_IO : ERR_OK;
}

/* Zeroed. sodium_malloc locks, but does not say when that failed; locking again says it. */
static void *secret_new_guarded(size_t size)
{
    void *memory = sodium_malloc(size);

    if (memory == NULL)
        return NULL;
    if (sodium_mlock(memory, size) != 0) {
        sodium_free(memory);
        return NULL;
    }
    memset(memory, 0, size);
    return memory;
}

/* What no cell of this sort has a place for: all bits beyond the last cell. */
static uint64_t secret_empty(size_t sort)
{
    size_t count = SECRET_SLAB_SIZE / secret_cell_sizes[sort];

    return count == 64 ? 0 : UINT64_MAX << count;
}

static struct secret_slab *secret_slab_new(size_t sort)
{
    struct secret_slab *slab = heap_new(sizeof *slab);

    if (slab == NULL)
        return NULL;
    *slab = (struct secret_slab){.cells = secret_new_guarded(SECRET_SLAB_SIZE),
                                 .taken = secret_empty(sort)};
    if (slab->cells == NULL) {
        heap_free(slab);
        return NULL;
    }
    return slab;
}

/* Under the mutex. Cells at rest are zeroed, so a taken one is too. */
static void *secret_cell_take(size_t sort)
{
    struct secret_slab *slab = secret_arena.slabs[sort];
    unsigned cell;

    while (slab != NULL && slab->taken == UINT64_MAX)
        slab = slab->next;
    if (slab == NULL) {
        slab = secret_slab_new(sort);
        if (slab == NULL)
            return NULL;
        slab->next = secret_arena.slabs[sort];
        secret_arena.slabs[sort] = slab;
    }
    cell = (unsigned)__builtin_ctzll(~slab->taken);
    slab->taken |= UINT64_C(1) << cell;
    return slab->cells + cell * secret_cell_sizes[sort];
}

/* Under the mutex. False when the address lies in no slab of this sort. Empty slabs go back to the
 * system, except the last one, so that a single secret that comes and goes costs no system call. */
static bool secret_cell_give_back(size_t sort, void *secret)
{
    struct secret_slab **link = &secret_arena.slabs[sort];
    size_t cell_size = secret_cell_sizes[sort];
    uintptr_t offset = 0;

    for (; *link != NULL; link = &(*link)->next) {
        offset = (uintptr_t)secret - (uintptr_t)(*link)->cells;
        if (offset < SECRET_SLAB_SIZE)
            break;
    }
    if (*link == NULL)
        return false;
    struct secret_slab *slab = *link;
    uint64_t bit = UINT64_C(1) << (offset / cell_size);

    KITH_ASSERT(offset % cell_size == 0 && (slab->taken & bit) != 0);
    sodium_memzero(secret, cell_size);
    slab->taken &= ~bit;
    if (slab->taken == secret_empty(sort) &&
        (slab != secret_arena.slabs[sort] || slab->next != NULL)) {
        *link = slab->next;
        sodium_free(slab->cells);
        heap_free(slab);
    }
    return true;
}

void *secret_new(size_t size)
{
    size_t sort = 0;
    void *secret;

    while (sort < SECRET_SORTS && size > secret_cell_sizes[sort])
        sort++;
    if (sort == SECRET_SORTS)
        return secret_new_guarded(size);
    (void)pthread_mutex_lock(&secret_arena.mutex); /* A plain mutex never refuses. */
    secret = secret_cell_take(sort);
    (void)pthread_mutex_unlock(&secret_arena.mutex);
    return secret;
}

void secret_free(void *secret)
{
    bool is_cell = false;

    if (secret == NULL)
        return;
    (void)pthread_mutex_lock(&secret_arena.mutex);
    for (size_t sort = 0; sort < SECRET_SORTS && !is_cell; sort++)
        is_cell = secret_cell_give_back(sort, secret);
    (void)pthread_mutex_unlock(&secret_arena.mutex);
    if (!is_cell)
        sodium_free(secret);
}

void secret_wipe(void *memory, size_t size)
{
    sodium_memzero(memory, size);
}

bool secret_is_equal(const void *left, const void *right, size_t size)
{
    return sodium_memcmp(left, right, size) == 0;
}

const char *secret_library(void)
{
    return sodium_version_string();
}
