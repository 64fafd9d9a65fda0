/*
 * Memory for secrets: locked, guarded, wiped when given back. Secrets of up to 2,048 bytes (session
 * keys, links) share locked slabs, so a thousand sessions do not need a thousand guarded pages, and
 * looking at a link costs no system call. secret_new and secret_free may be called from any thread;
 * a secret's bytes belong to one thread at a time.
 */
#ifndef KITH_CRYPTO_SECRET_H
#define KITH_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/err.h"

/* Prepares libsodium; to be called once before anything else in this room. ERR_IO if it cannot. */
MUST_USE enum err secret_start(void);
/* Zeroed locked memory, aligned for any type up to 2,048 bytes and for bytes above, or NULL when
 * none can be had or locked: systems bound what a user may lock, often at 8 MiB. */
void *secret_new(size_t size);
/* Wipes and gives back; NULL does nothing. */
void secret_free(void *secret);
/* Wipes bytes on the stack or in a larger thing; never optimised away. */
void secret_wipe(void *memory, size_t size);
/* Constant-time comparison of tags and keys. */
bool secret_is_equal(const void *left, const void *right, size_t size);
/* The version of libsodium that runs. */
const char *secret_library(void);

#endif
