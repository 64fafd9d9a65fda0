/*
 * Memory for secrets: locked, guarded, wiped when given back. Small secrets (session keys) share
 * one locked slab, so a thousand sessions do not need a thousand guarded pages. Not thread-safe
 * between the slab's users except through secret_new and secret_free, which lock.
 */
#ifndef KITH_CRYPTO_SECRET_H
#define KITH_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/err.h"

/* Prepares libsodium; to be called once before anything else in this room. ERR_IO if it cannot. */
MUST_USE enum err secret_start(void);
/* Zeroed locked memory, or NULL when none can be had or locked. */
void *secret_new(size_t size);
/* Wipes and gives back; NULL does nothing. */
void secret_free(void *secret);
/* Wipes bytes on the stack or in a larger thing; never optimised away. */
void secret_wipe(void *memory, size_t size);
/* Constant-time comparison of tags and keys. */
bool secret_is_equal(const void *left, const void *right, size_t size);

#endif
