/*
 * What can be said about a store's file before LMDB maps it: whether its file system can hold a map
 * that several processes share, and whether the file is as long as its own two meta pages say. LMDB
 * itself would find the second out by SIGBUS. Reads the file plainly; changes nothing but a file of
 * zeros (see below).
 */
#ifndef KITH_STORAGE_KV_FILE_H
#define KITH_STORAGE_KV_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/err.h"

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
/* Whether the directory lies on NFS, SMB, FUSE or another file system on which LMDB's locks or map
 * are not to be trusted. ERR_NOT_FOUND, ERR_IO. */
MUST_USE enum err kv_file_is_remote(const char *directory, bool *out);
/* Makes the names of new files in the directory durable. ERR_IO. */
MUST_USE enum err kv_file_sync_directory(const char *directory);

#endif
