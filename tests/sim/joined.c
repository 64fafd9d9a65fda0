#include "tests/sim/joined.h"

#include "crypto/secret.h"
#include "node/react.h"
#include "node/succession.h"
#include "storage/join.h"
#include "storage/retire_table.h"

static void joined_must(enum err err)
{
    KITH_ASSERT(err == ERR_OK);
}

void joined_new(struct member *device, struct member *host, uint8_t seed)
{
    struct welcome *welcome = secret_new(sizeof *welcome);
    struct device_secrets drawn;
    struct welcome_ask ask;
    struct ledger_txn *txn;

    KITH_ASSERT(welcome != NULL);
    member_prepare(device, seed, false);
    join_draw(&device->entropy, device->now_ms, &drawn); /* The stream follows from the old ones. */
    device->secrets = drawn;
    joined_must(join_ask_of(&device->secrets, span_str("device"), &ask));
    txn = member_begin(host);
    joined_must(join_admit(txn, &ask, welcome));
    joined_must(react_all(txn));
    joined_must(ledger_commit(txn, NULL));
    joined_must(
        join_create(device->kv, &device->secrets, &device->entropy, welcome, device->now_ms));
    member_close(device);
    member_open(device);
    secret_free(welcome);
}

static enum err joined_store_keys(void *self, const struct device_secrets *secrets)
{
    ((struct member *)self)->secrets = *secrets;
    return ERR_OK;
}

enum err joined_succeed(struct member *device)
{
    struct succession succession = {.ledger = device->ledger,
                                    .handshake_hash = {7},
                                    .wall_ms = device->now_ms,
                                    .store_keys = joined_store_keys,
                                    .self = device};
    enum err err = succession_run(&succession);

    if (succession.successor != NULL) {
        ledger_close(device->ledger);
        device->ledger = succession.successor;
    }
    return err;
}

/* Facts. */

struct joined_telling {
    struct snapshot snapshot;
    struct ledger_txn *txn;
};

static bool joined_wants_none(void *self, const struct space_row *space)
{
    (void)self;
    (void)space;
    return false;
}

static enum err joined_on_fact(void *self, struct span statement)
{
    struct joined_telling *telling = self;

    return retire_table_take(telling->txn, NULL, statement);
}

static enum err joined_on_device(void *self, const struct device_row *device)
{
    struct joined_telling *telling = self;

    return retire_table_facts(&telling->snapshot, &device->device, joined_wants_none,
                              joined_on_fact, telling);
}

void joined_tell(struct member *to, struct member *from)
{
    struct joined_telling telling = {.snapshot = member_snapshot(from), .txn = member_begin(to)};

    joined_must(
        view_device_each(&telling.snapshot, &from->secrets.member, joined_on_device, &telling));
    joined_must(ledger_commit(telling.txn, NULL));
    ledger_snapshot_end(&telling.snapshot);
}
