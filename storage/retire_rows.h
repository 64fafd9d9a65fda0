/*
 * The keys of what was stated about devices: of retire_table*.c alone.
 */
#ifndef KITH_STORAGE_RETIRE_ROWS_H
#define KITH_STORAGE_RETIRE_ROWS_H

#include "storage/key.h"
#include "storage/retire_table.h"

/* What every signer said: each begins the key of one signer's row. */
void retire_table_key(const struct public_key *device, enum retire_reason reason, struct key *out);
void retire_table_keep_key(uint32_t space, const struct public_key *device, struct key *out);
/* The root's row comes first. */
void retire_table_add_signer(const struct public_key *signer, const struct public_key *member,
                             struct key *key);

#endif
