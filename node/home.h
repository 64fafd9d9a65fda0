/*
 * A member's home folder: key file, store, lock. Everything in it is the owner's alone (0700,
 * 0600).
 */
#ifndef KITH_NODE_HOME_H
#define KITH_NODE_HOME_H

#include "node/config.h"
#include "node/ops.h"
#include "proto/invite.h"
#include "storage/ledger.h"

enum home_holder { HOME_NOBODY, HOME_NODE, HOME_COMMAND };

struct home {
    struct config_places places;
    int lock; /* descriptor, -1 when not held */
};

MUST_USE enum err home_init(const struct config *config, struct home *out);
/* Is there an identity here? */
bool home_has_identity(const struct home *home);
/* Makes the folders, 0700. ERR_IO, ERR_INVALID when something else stands there. */
MUST_USE enum err home_create(const struct home *home);
/* Makes the folder of a socket whose path would be too long in the home. ERR_STATE: somebody
 * else's, or others may write in it. */
MUST_USE enum err home_create_runtime(const struct home *home);

/* One try for the exclusive lock. ERR_BUSY with who holds it and its pid; ERR_IO. */
MUST_USE enum err home_lock(struct home *home, enum home_holder as, enum home_holder *out_who,
                            long *out_pid);
void home_unlock(struct home *home);

/* Writes the key file: temporary file, sync, read back and opened as proof, rename, folder synced.
 * ERR_EXISTS when one is there and may_replace is false. */
MUST_USE enum err home_write_key(const struct home *home, const struct device_secrets *secrets,
                                 struct span passphrase, bool may_replace);
/* ERR_NOT_FOUND: no identity; ERR_LOCKED; ERR_CORRUPT; ERR_VERSION; ERR_STATE: others may read the
 * file; ERR_INVALID: it is somebody else's; ERR_NOMEM: its passphrase asks for more than half of
 * the memory; ERR_IO. */
MUST_USE enum err home_read_key(const struct home *home, struct span passphrase,
                                struct device_secrets *out);
bool home_is_protected(const struct home *home);
/* Reads a passphrase file: its first line. ERR_IO, ERR_LIMIT. The bytes are secret: wipe them. */
MUST_USE enum err home_read_passphrase(const char *path, char *out, size_t size, size_t *out_size);

/* Removes a store that was begun and has no key file: what an interrupted init left. Only under the
 * lock and without an identity. */
MUST_USE enum err home_forget_store(const struct home *home);
/* Opens the store in the home. */
MUST_USE enum err home_open_store(const struct home *home, bool is_read_only, struct kv **out);

/* What the last node listened on, kept as text in the home: ports drawn for :0 are tried first next
 * time, invitations made without a node use them. */
MUST_USE enum err home_read_listening(const struct home *home, struct address *out,
                                      size_t *out_count);
MUST_USE enum err home_write_listening(const struct home *home, const struct address *addresses,
                                       size_t count);

/* What the system says of a home: for op_world.look. ERR_IO, ERR_NOT_FOUND. */
MUST_USE enum err home_look(const char *home, struct op_health *out);

/* Reads a whole file of at most max bytes. "-" is standard input. ERR_NOT_FOUND, ERR_IO, ERR_LIMIT,
 * ERR_NOMEM. */
MUST_USE enum err home_read_file(const char *path, size_t max, struct buf *out);
/* Why a home cannot be written in: a sentence for people; NULL when nothing is to be seen. */
const char *home_why_unwritable(const struct home *home);
/* Why home_read_file could not read it: a sentence for people; NULL when nothing is to be seen. */
const char *home_why_unreadable(const char *path);
/* Writes a file whole or not at all: temporary, sync, rename, folder synced. */
MUST_USE enum err home_write_file(const char *path, struct span bytes, unsigned mode);
/* Writes a file that must not be there yet: ERR_EXISTS. A failure leaves none. */
MUST_USE enum err home_write_new_file(const char *path, struct span bytes, unsigned mode);

#endif
