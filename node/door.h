/*
 * The way from a command to an op: through the socket when a node runs, in this process under the
 * store's lock when none does. Same op, same answer.
 */
#ifndef KITH_NODE_DOOR_H
#define KITH_NODE_DOOR_H

#include "node/config.h"
#include "node/home.h"
#include "node/ops.h"

struct door_call {
    const char *method;
    json_t *params;   /* borrowed */
    struct span file; /* import: the file's bytes */
    void (*progress)(void *self, uint64_t done, uint64_t total);
    /* log --follow: every row so far and every new one, until interrupted or false: nobody reads
     * any more */
    bool (*event)(void *self, json_t *row);
    void *self;
    bool is_apart; /* reads the store itself even while a node runs, so that what is damaged does
                      not end the node */
    unsigned patience_ms; /* how long the node may take to answer; 0: as long as it needs */
    json_t *result;       /* owned by the caller afterwards */
    struct op_failure failure;
};

/* False when the call failed: failure says how. */
bool door_call(const struct config *config, struct door_call *call);
/* Would a call have its owner type a passphrase? No node runs, and no file tells it. */
bool door_would_ask(const struct config *config);

/* Opens the keys and the store of a home for this process: for the node and for commands without
 * one. On failure everything is closed again and failure says why. secrets live in memory from
 * secret_new. */
struct door_store {
    struct device_secrets *secrets;
    char *passphrase; /* secret; empty where none protects the keys */
    size_t passphrase_size;
    struct kv *kv;
    struct ledger *ledger;
};
bool door_open_store(const struct config *config, const struct home *home, bool is_read_only,
                     struct door_store *out, struct op_failure *failure);
void door_close_store(struct door_store *store);
/* A home that could not be locked, and nobody holds it. */
void door_fail_home(struct op_failure *failure, const struct home *home, enum err err);
void door_fail(struct op_failure *failure, enum op_code code, const char *hint, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

#endif
