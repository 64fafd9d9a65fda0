/*
 * sodium_malloc gives guarded, locked pages, three at least for each call. Small secrets therefore
 * share slabs: one such call each, cut into cells; a cell's first byte tells nothing, which cells
 * are free stands beside the slab.
 */
#include "crypto/secret.h"

#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "crypto/heap.h"

enum { SECRET_CELL_SIZE = 512, SECRET_CELLS = 64 };

struct secret_slab {
    uint8_t *cells;
    uint64_t taken; /* one bit a cell */
    struct secret_slab *next;
};

/* The process's slabs: memory itself is shared by nature, as malloc's is. */
static pthread_mutex_t secret_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct secret_slab *secret_slabs;

enum err secret_start(void)
{
    return sodium_init() < 0 ? ERR_IO : ERR_OK;
}

static struct secret_slab *secret_slab_new(void)
{
    struct secret_slab *slab = heap_new_zeroed(1, sizeof *slab);

    if (slab == NULL)
        return NULL;
    slab->cells = sodium_malloc((size_t)SECRET_CELL_SIZE * SECRET_CELLS);
    if (slab->cells == NULL) {
        heap_free(slab);
        return NULL;
    }
    slab->next = secret_slabs;
    secret_slabs = slab;
    return slab;
}

static void *secret_take_cell(void)
{
    struct secret_slab *slab = secret_slabs;
    unsigned cell = 0;
    uint8_t *at;

    while (slab != NULL && slab->taken == UINT64_MAX)
        slab = slab->next;
    if (slab == NULL)
        slab = secret_slab_new();
    if (slab == NULL)
        return NULL;
    while ((slab->taken >> cell & 1) != 0)
        cell++;
    slab->taken |= UINT64_C(1) << cell;
    at = slab->cells + (size_t)cell * SECRET_CELL_SIZE;
    memset(at, 0, SECRET_CELL_SIZE);
    return at;
}

void *secret_new(size_t size)
{
    void *secret;

    if (size > SECRET_CELL_SIZE) {
        secret = sodium_malloc(size);
        if (secret != NULL)
            memset(secret, 0, size);
        return secret;
    }
    (void)pthread_mutex_lock(&secret_mutex);
    secret = secret_take_cell();
    (void)pthread_mutex_unlock(&secret_mutex);
    return secret;
}

/* Gives a cell back; false when the address lies in no slab. The last slab stays for the next
 * secret. */
static bool secret_give_cell(uint8_t *secret)
{
    for (struct secret_slab *slab = secret_slabs; slab != NULL; slab = slab->next) {
        size_t offset = (size_t)((uintptr_t)secret - (uintptr_t)slab->cells);

        if (offset >= (size_t)SECRET_CELL_SIZE * SECRET_CELLS)
            continue;
        sodium_memzero(secret, SECRET_CELL_SIZE);
        slab->taken &= ~(UINT64_C(1) << (offset / SECRET_CELL_SIZE));
        return true;
    }
    return false;
}

void secret_free(void *secret)
{
    bool was_cell;

    if (secret == NULL)
        return;
    (void)pthread_mutex_lock(&secret_mutex);
    was_cell = secret_give_cell(secret);
    (void)pthread_mutex_unlock(&secret_mutex);
    if (!was_cell)
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
