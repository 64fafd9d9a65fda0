/*
 * What the engine wants stored, as a thing that can wait: a copy of all it needs, what to do in a
 * transaction, and the events its end brings. Pure: the loop hands errands to the writer thread,
 * the simulated world carries them out itself.
 */
#ifndef KITH_NODE_ERRAND_H
#define KITH_NODE_ERRAND_H

#include "node/engine.h"

enum { ERRAND_EVENTS_MAX = 2 };

struct errand;

/* Copies an effect of type INGEST or RETURNED (whose batch it takes, also on failure), LINK, FACTS,
 * REBASE, MEET, REACHED, CONFIRMED, JOINED, REFUSED or JOURNAL. ERR_NOMEM, ERR_MALFORMED:
 * errand_failed tells what to tell the engine then. */
MUST_USE enum err errand_new(const struct engine_effect *effect, struct errand **out);
/* The engine waits for an answer to INGEST, RETURNED and LINK, so it gets one even without an
 * errand. False: this effect was a courtesy, nobody waits. */
bool errand_failed(const struct engine_effect *effect, struct engine_event *out);
/* Acknowledged sizes are collected in one errand, a row a log of a peer; *errand is made when it is
 * NULL. Without memory nothing happens: the peer's marks tell again at the next meeting. */
void errand_collect(struct errand **errand, const struct engine_effect *delivered);
/* Bytes, for the bound on one transaction. */
size_t errand_weight(const struct errand *errand);
/* May be called again when the transaction was taken back. */
MUST_USE enum err errand_run(struct errand *errand, struct ledger_txn *txn);
/* What the engine must hear, in order, once the commit ended with err. The events borrow from the
 * errand. */
size_t errand_events(const struct errand *errand, enum err err,
                     struct engine_event out[static ERRAND_EVENTS_MAX]);
/* True when this device may have to go, now that it is committed: succession_run tells. */
bool errand_brings_proof(const struct errand *errand, uint8_t out_handshake_hash[static HASH_SIZE]);
void errand_free(struct errand *errand);

#endif
