/*
 * What can be said about a store's file before LMDB maps it: whether its file system can hold a map
 * that several processes share, and whether the file is as long as its own two meta pages say. LMDB
 * itself would find the second out by SIGBUS. Reads the file plainly.
 */
#ifndef KITH_STORAGE_KV_FILE_H
#define KITH_STORAGE_KV_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/span.h"

struct kv_file {
    bool is_fresh;       /* no file, or one that no commit ever reached */
    uint64_t size;       /* bytes of the file, by its length */
    uint64_t used_bytes; /* pages the newest meta page speaks of, free ones included, in bytes */
};

/* A file shorter than used_bytes is not an error here: LMDB does not write pages at the end of the
 * file that a transaction took and gave back, so only its list of free pages can tell that from a
 * truncated file. ERR_NOT_FOUND: no such directory. ERR_CORRUPT: not an LMDB file, or a meta page
 * that says nonsense. ERR_VERSION: an LMDB file of another format. ERR_IO. A file of up to two
 * pages of zeros, which a power cut during the very first opening leaves behind, counts as fresh.
 */
MUST_USE enum err kv_file_look(const char *directory, struct kv_file *out);
/* Before LMDB opens the store: looks, refuses a remote file system unless it is allowed, empties a
 * fresh file of zeros, and makes a file that is too short as long as used_bytes, with holes, so
 * that its list of free pages can be read; out->size stays what it was. ERR_STATE: remote.
 * ERR_NOT_FOUND: no such directory, or a fresh store to be read only. ERR_CORRUPT too for a short
 * file to be read only. Else as kv_file_look. */
MUST_USE enum err kv_file_prepare(const char *directory, bool is_read_only, bool allow_remote,
                                  struct kv_file *out);
/* Sets the length of the store's file. ERR_IO, ERR_FULL. */
MUST_USE enum err kv_file_resize(const char *directory, uint64_t size);
/* Makes the names of new files in the directory durable. ERR_IO. */
MUST_USE enum err kv_file_sync_directory(const char *directory);

/* One value of LMDB's table of free pages: how many page numbers, then the numbers. Adds those from
 * `first` on to the count; false when it is no such list. */
MUST_USE bool kv_file_count_free(struct span list, uint64_t first, uint64_t *inout_count);
/* Bytes that this open file takes on the disk. */
MUST_USE bool kv_file_count_bytes(int file, uint64_t *out);
/* Whether the file system of this open file has less than 1 MiB left for its owner. */
bool kv_file_is_disk_full(int file);

#endif
