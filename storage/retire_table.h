/*
 * Facts about devices that write no more. Each is kept, whoever of the member signed it and
 * whatever came first; which of them count is asked when it matters, and follows from what is held
 * then (standing.h).
 */
#ifndef KITH_STORAGE_RETIRE_TABLE_H
#define KITH_STORAGE_RETIRE_TABLE_H

#include "proto/retire.h"
#include "storage/standing.h"

struct retire_state {
    bool is_retired;
    enum retire_reason reason; /* the gravest of those that count */
};

MUST_USE enum err retire_table_state(const struct snapshot *snapshot,
                                     const struct public_key *device, struct retire_state *out);
/* The same where the line that leads to it is known. */
MUST_USE enum err retire_table_state_on(const struct snapshot *snapshot,
                                        const struct standing_line *line, struct retire_state *out);
/* What was stated of a device for this reason: one statement of each signer. */
typedef enum err (*retire_word_fn)(void *self, const struct public_key *signer,
                                   struct span statement);
MUST_USE enum err retire_table_each(const struct snapshot *snapshot,
                                    const struct public_key *device, enum retire_reason reason,
                                    retire_word_fn each, void *self);
/* The keep that counts for a log. ERR_NOT_FOUND. */
MUST_USE enum err retire_table_keep(const struct snapshot *snapshot, uint32_t space,
                                    const struct public_key *device, struct keep *out);
/* Takes a certificate, retire or keep statement about a device of this member (NULL: of the one who
 * signed it), by whichever way it came; what does not hold, or concerns an unknown space, is passed
 * over. Logs are cut as it says.
 */
MUST_USE enum err retire_table_take(struct ledger_txn *txn, const struct public_key *member,
                                    struct span statement);
/* Certificates from the root down, retire statements, then keeps of the spaces that wants accepts.
 */
typedef enum err (*retire_fact_fn)(void *self, struct span statement);
typedef bool (*retire_wants_fn)(void *self, const struct space_row *space);
MUST_USE enum err retire_table_facts(const struct snapshot *snapshot,
                                     const struct public_key *device, retire_wants_fn wants,
                                     retire_fact_fn each, void *self);
/* Is any device retired? Most stores never know one. */
MUST_USE enum err retire_table_has_any(const struct snapshot *snapshot, bool *out);

/* What was stated of this device is forgotten: by a member whose it is not. */
MUST_USE enum err retire_table_forget(struct ledger_txn *txn, const struct public_key *device);
/* Brings the logs of a member's devices into accord with the keeps that count now. */
MUST_USE enum err retire_table_apply(struct ledger_txn *txn, const struct public_key *member);
/* A device has become known: what the spaces of its member say of it is taken once more. Its key as
 * bytes. */
MUST_USE enum err retire_table_hear(struct ledger_txn *txn, struct span device);

#endif
