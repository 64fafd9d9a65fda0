/*
 * The product's answer to kv.h: one LMDB environment in one folder.
 *
 * On the disk: FOLDER/data.mdb and FOLDER/lock.mdb, mode 0600, LMDB format 1 (0.9.x). Each
 * table is a named sub-database under the name given at open, plain keys and values: no DUPSORT, no
 * INTEGERKEY, so `mdb_dump -s NAME` reads it. Integers in keys are big-endian by our own code. Keys
 * have 1 to 511 bytes; a value above about 1,990 bytes takes whole pages of its own (4,096 bytes
 * each). The bytes are those of one machine's byte order and word size: a store is moved by export,
 * not by copying the file.
 *
 * A commit is copy-on-write: pages, fdatasync, then one 120-byte meta page written with O_DSYNC. It
 * is durable when kv_commit returns, and there is no journal to replay after a crash. Pages have no
 * checksums: LMDB does not notice damage inside them (rule L20 is the caller's).
 *
 * The file is mapped; it is sparse, grows with what is written and never shrinks. The map begins at
 * 1 GiB of address space or twice what is used, and is doubled at a kv_begin(KV_WRITE) that finds
 * more than 60 % in use, or after ERR_FULL by the map. Doubling needs every transaction of this
 * process to be over: where readers are open and there is still room (80 %) it is put off, else the
 * writer waits for them, and new readers wait for the writer, except in a thread that holds a
 * transaction already. So ERR_FULL by the map is cured by aborting and trying again; ERR_FULL by
 * the disk is not. The two look the same on purpose: try again once.
 *
 * A write or sync that fails in any other way poisons the store: it takes no more write
 * transactions, and after a failed meta page no read transactions either, until it is opened again.
 *
 * One process writes; the caller holds a lock file of its own (rule L1). Others may open with
 * is_read_only beside it. No fork while a store is open. At most 512 readers in all processes
 * together, each a slot that stays taken while its transaction lies in the pool; LMDB's own flag is
 * MDB_NOTLS alone.
 */
#ifndef KITH_STORAGE_KV_LMDB_H
#define KITH_STORAGE_KV_LMDB_H

#include <stdbool.h>

#include "storage/kv.h"

enum {
    KV_LMDB_READERS_MAX = 512,
    KV_LMDB_MAP_BYTES_DEFAULT = 1 << 30,
    KV_LMDB_POOL_MAX = 16 /* reset read transactions kept for the next kv_begin */
};

struct kv_lmdb_options {
    const char *path;               /* an existing folder on a local file system */
    const char *const *table_names; /* in the order of table numbers; never renamed */
    unsigned tables_count;          /* 1 to KV_TABLES_MAX */
    size_t map_bytes;               /* 0: the default; raised to twice what is used */
    bool is_read_only;              /* creates nothing, takes no write transaction */
    bool allow_remote;              /* NFS, SMB, FUSE: at the owner's risk */
};

/* Opens the store; creates it, and tables it does not have, unless is_read_only. The options are
 * not kept. ERR_NOT_FOUND: no such folder, or nothing in it while is_read_only. ERR_STATE: a remote
 * file system, or tables missing while is_read_only. ERR_CORRUPT: another kind of file, or a
 * truncated one; left as it was. ERR_VERSION: a file of another LMDB format. ERR_FULL, ERR_NOMEM,
 * ERR_IO (no permission among them). */
MUST_USE enum err kv_lmdb_open(const struct kv_lmdb_options *options, struct kv **out);
/* The name and version of the LMDB that runs: "LMDB 0.9.24: (July 24, 2019)". */
const char *kv_lmdb_library(void);

#endif
