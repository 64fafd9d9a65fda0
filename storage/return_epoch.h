/*
 * Epochs of branches. An entry says by a number which of the unsealed entries before it names its
 * epoch; on another branch the same number is another epoch. Only the files of the ledger use it.
 */
#ifndef KITH_STORAGE_RETURN_EPOCH_H
#define KITH_STORAGE_RETURN_EPOCH_H

#include "proto/returned.h"
#include "storage/ledger_state.h"

/* The epoch of a number in a batch that came back: as told with it, else as its branch counts, from
 * where it left what the log follows. Zeros: that is not known. */
MUST_USE enum err return_epoch_of(const struct snapshot *snapshot, const struct log_row *log,
                                  const struct returned *returned, uint32_t index,
                                  struct hash *out);
/* Adds an epoch to what is told with a batch, once; where nobody's device opened it, nothing. */
MUST_USE enum err return_epoch_tell(const struct snapshot *snapshot, const struct space_row *space,
                                    uint32_t index, const struct hash *epoch,
                                    struct returned_row *out);

#endif
