/* Keys before the commit that uses them, the commit before the old key is forgotten. */
#include "node/succession.h"

#include <string.h>

#include "crypto/secret.h"
#include "node/react.h"
#include "storage/heal.h"

/* The successor's secrets, as current ones. */
static void succession_promote(struct device_secrets *secrets)
{
    memcpy(secrets->signing_seed, secrets->successor_signing_seed, 32);
    memcpy(secrets->static_seed, secrets->successor_static_seed, 32);
    memcpy(secrets->receiving_seed, secrets->successor_receiving_seed, 32);
    memset(secrets->successor_signing_seed, 0, 32);
    memset(secrets->successor_static_seed, 0, 32);
    memset(secrets->successor_receiving_seed, 0, 32);
    secrets->has_successor = false;
}

static enum err succession_check(struct succession *succession)
{
    struct snapshot snapshot;
    bool is_due = false;
    enum err err = ledger_snapshot(succession->ledger, &snapshot);

    if (err != ERR_OK)
        return err;
    err = heal_is_due(&snapshot, &is_due);
    ledger_snapshot_end(&snapshot);
    return err == ERR_OK && !is_due ? ERR_NOT_FOUND : err;
}

static enum err succession_commit(struct succession *succession, struct ledger *ledger,
                                  const struct device_secrets *before)
{
    struct ledger_txn *txn;
    enum err err = ledger_begin(ledger, succession->wall_ms, &txn);

    if (err != ERR_OK)
        return err;
    err = heal_take_over(txn, before);
    if (err == ERR_OK)
        err = react_all(txn);
    if (err == ERR_OK)
        return ledger_commit(txn, &succession->news);
    ledger_abort(txn);
    return err;
}

/* PROTOCOL RETIRE-7: "they are durable before anything uses them." */
static enum err succession_take(struct succession *succession, struct device_secrets *secrets,
                                const struct device_secrets *before)
{
    struct ledger *ledger = NULL;
    enum err err;

    heal_draw(secrets, ledger_entropy(succession->ledger), succession->handshake_hash);
    err = succession->store_keys(succession->self, secrets);
    if (err != ERR_OK)
        return err;
    succession_promote(secrets);
    err = ledger_succeed(succession->ledger, secrets, &ledger);
    if (err == ERR_OK)
        err = succession_commit(succession, ledger, before);
    if (err != ERR_OK) {
        if (ledger != NULL)
            ledger_close(ledger);
        return err;
    }
    succession->successor = ledger;
    /* The store has gone over: a key file that could not be written now is written at the next
     * start. */
    (void)succession->store_keys(succession->self, secrets);
    return ledger_reload_keys(ledger);
}

enum err succession_run(struct succession *succession)
{
    const struct device_secrets *before = ledger_secrets(succession->ledger);
    struct device_secrets *secrets;
    enum err err = succession_check(succession);

    succession->successor = NULL;
    if (err != ERR_OK)
        return err;
    secrets = secret_new(sizeof *secrets);
    if (secrets == NULL)
        return ERR_NOMEM;
    *secrets = *before;
    err = succession_take(succession, secrets, before);
    secret_free(secrets);
    return err;
}

enum err succession_finish(const struct ledger *ledger, const struct device_secrets *stored,
                           enum err (*store_keys)(void *self, const struct device_secrets *secrets),
                           void *self)
{
    const struct device_secrets *secrets = ledger_secrets(ledger);

    if (secret_is_equal(secrets->signing_seed, stored->signing_seed, 32))
        return ERR_OK;
    return store_keys(self, secrets);
}
