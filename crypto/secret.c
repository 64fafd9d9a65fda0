/*
 * Guarded memory costs four pages a piece, and systems lock only a few MiB for a user. So secrets
 * of up to a cell's size live in slabs: one guarded, locked piece each, cut into cells, with a bit
 * per cell that says who is taken. Larger secrets get a guarded piece of their own.
 *
 * The list of slabs is the one mutable global of this room: a locked page belongs to the process,
 * like malloc's arena, and whoever gives a secret back knows only its address.
 */
#include "crypto/secret.h"

#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "crypto/heap.h"

enum { SECRET_CELL_SIZE = 512, SECRET_CELLS_COUNT = 64 };

struct secret_slab {
    struct secret_slab *next;
    uint8_t *cells; /* SECRET_CELLS_COUNT of them, locked */
    uint64_t taken; /* bit i: cell i is somebody's */
};

static struct {
    pthread_mutex_t mutex;
    struct secret_slab *slabs;
} secret_arena = {.mutex = PTHREAD_MUTEX_INITIALIZER, .slabs = NULL};

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

static struct secret_slab *secret_slab_new(void)
{
    struct secret_slab *slab = heap_new(sizeof *slab);

    if (slab == NULL)
        return NULL;
    *slab = (struct secret_slab){
        .cells = secret_new_guarded((size_t)SECRET_CELL_SIZE * SECRET_CELLS_COUNT)};
    if (slab->cells == NULL) {
        heap_free(slab);
        return NULL;
    }
    return slab;
}

/* Under the mutex. Cells at rest are zeroed, so a taken one is too. */
static void *secret_cell_take(void)
{
    struct secret_slab *slab = secret_arena.slabs;
    unsigned cell;

    while (slab != NULL && slab->taken == UINT64_MAX)
        slab = slab->next;
    if (slab == NULL) {
        slab = secret_slab_new();
        if (slab == NULL)
            return NULL;
        slab->next = secret_arena.slabs;
        secret_arena.slabs = slab;
    }
    cell = (unsigned)__builtin_ctzll(~slab->taken);
    slab->taken |= UINT64_C(1) << cell;
    return slab->cells + (size_t)cell * SECRET_CELL_SIZE;
}

/* Under the mutex. False when the address lies in no slab. Empty slabs go back to the system,
 * except the last one, so that a single secret that comes and goes costs no system call. */
static bool secret_cell_give_back(void *secret)
{
    struct secret_slab **link = &secret_arena.slabs;
    uintptr_t offset = 0;

    for (; *link != NULL; link = &(*link)->next) {
        offset = (uintptr_t)secret - (uintptr_t)(*link)->cells;
        if (offset < (uintptr_t)SECRET_CELL_SIZE * SECRET_CELLS_COUNT)
            break;
    }
    if (*link == NULL)
        return false;
    struct secret_slab *slab = *link;
    uint64_t bit = UINT64_C(1) << (offset / SECRET_CELL_SIZE);

    KITH_ASSERT(offset % SECRET_CELL_SIZE == 0 && (slab->taken & bit) != 0);
    sodium_memzero(secret, SECRET_CELL_SIZE);
    slab->taken &= ~bit;
    if (slab->taken == 0 && (slab != secret_arena.slabs || slab->next != NULL)) {
        *link = slab->next;
        sodium_free(slab->cells);
        heap_free(slab);
    }
    return true;
}

void *secret_new(size_t size)
{
    void *secret;

    if (size > SECRET_CELL_SIZE)
        return secret_new_guarded(size);
    (void)pthread_mutex_lock(&secret_arena.mutex); /* A plain mutex never refuses. */
    secret = secret_cell_take();
    (void)pthread_mutex_unlock(&secret_arena.mutex);
    return secret;
}

void secret_free(void *secret)
{
    bool is_cell;

    if (secret == NULL)
        return;
    (void)pthread_mutex_lock(&secret_arena.mutex);
    is_cell = secret_cell_give_back(secret);
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
