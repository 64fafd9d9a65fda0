/*
 * The product's answer to kv.h: one LMDB environment, one named database a table. The only file
 * that includes lmdb.h.
 *
 * Flags: MDB_NOTLS only, so that readers belong to objects and not to threads. Never WRITEMAP (a
 * full disk would be a SIGBUS), never a weaker sync. The map starts at 1 GiB of address space and
 * doubles when more than 60 % is used, at a moment when no transaction is open. A store whose sync
 * failed once takes no more writes until it is opened again.
 */
#ifndef KITH_STORAGE_KV_LMDB_H
#define KITH_STORAGE_KV_LMDB_H

#include "storage/kv.h"

struct kv_lmdb_options {
    const char *path;               /* an existing folder */
    const char *const *table_names; /* borrowed until the store is closed */
    unsigned tables_count;
    size_t map_bytes; /* 0: 1 GiB */
    bool is_read_only;
    bool allow_remote; /* network file systems: at the owner's risk */
};

/* ERR_NOT_FOUND: no such folder (or nothing to read only); ERR_CORRUPT; ERR_VERSION; ERR_STATE: a
 * network file system; ERR_FULL, ERR_IO, ERR_NOMEM. */
MUST_USE enum err kv_lmdb_open(const struct kv_lmdb_options *options, struct kv **out);

#endif
