/*
 * A member who wrote much while nobody listened, for the end to end tests: fills the pair space of
 * every peer of a home whose node is down with so many entries of some 200 bytes.
 * usage: kith_filler HOME COUNT
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/clock.h"
#include "node/home.h"
#include "node/react.h"
#include "proto/share.h"
#include "storage/view_peer.h"

enum { FILLER_STEP = 2000, FILLER_PEERS_MAX = 16 };

struct filler {
    struct id spaces[FILLER_PEERS_MAX];
    size_t count;
};

static enum err filler_on_peer(void *self, const struct peer *peer)
{
    struct filler *filler = self;

    if (peer->state == LINK_LINKED && peer->has_pair_out && filler->count < FILLER_PEERS_MAX)
        filler->spaces[filler->count++] = peer->pair_out;
    return ERR_OK;
}

static enum err filler_add(struct ledger_txn *txn, const struct id *space, uint64_t number)
{
    char name[32], why[161];
    struct share share = {.shared_s = clock_wall_ms() / 1000};
    struct id object = {{0}};
    struct buf body = {0};
    struct amend amend;
    enum share_fault fault;
    enum err err;

    (void)snprintf(name, sizeof name, "Somebody %" PRIu64, number);
    (void)snprintf(why, sizeof why, "%0160" PRIu64, number);
    share.texts[0] = span_str(name);
    share.why = span_str(why);
    be64_put(object.bytes + 8, number + 1);
    err = share_write(&share, &body, &fault);
    if (err == ERR_OK) {
        amend_begin_new(&amend, txn, space, KIND_SHARE, &object);
        amend_bytes(&amend, SHARE_BODY, buf_span(&body));
        err = amend_end_behind(&amend, NULL);
    }
    buf_release(&body);
    return err;
}

static enum err filler_step(struct ledger *ledger, const struct filler *filler, uint64_t from,
                            uint64_t until)
{
    struct ledger_txn *txn;
    enum err err = ledger_begin(ledger, clock_wall_ms(), &txn);

    if (err != ERR_OK)
        return err;
    for (size_t at = 0; at < filler->count; at++)
        for (uint64_t number = from; err == ERR_OK && number < until; number++)
            err = filler_add(txn, &filler->spaces[at], number);
    if (err == ERR_OK)
        err = react_all(txn);
    if (err == ERR_OK)
        return ledger_commit(txn, NULL);
    ledger_abort(txn);
    return err;
}

static enum err filler_fill(struct ledger *ledger, uint64_t count)
{
    struct filler filler = {.count = 0};
    struct snapshot snapshot;
    enum err err = ledger_snapshot(ledger, &snapshot);

    if (err != ERR_OK)
        return err;
    err = view_peer_each(&snapshot, filler_on_peer, &filler);
    ledger_snapshot_end(&snapshot);
    for (uint64_t at = 0; err == ERR_OK && at < count; at += FILLER_STEP)
        err = filler_step(ledger, &filler, at, at + FILLER_STEP < count ? at + FILLER_STEP : count);
    return err;
}

int main(int argc, char **argv)
{
    struct config config = {.home = argc == 3 ? argv[1] : NULL};
    struct entropy entropy = entropy_os();
    struct device_secrets *secrets;
    struct ledger *ledger = NULL;
    struct kv *kv = NULL;
    struct home home;
    enum err err = argc == 3 ? secret_start() : ERR_INVALID;

    if (err != ERR_OK)
        return 2;
    secrets = secret_new(sizeof *secrets);
    err = secrets != NULL ? home_init(&config, &home) : ERR_NOMEM;
    if (err == ERR_OK)
        err = home_read_key(&home, span_of(NULL, 0), secrets);
    if (err == ERR_OK)
        err = home_open_store(&home, false, &kv);
    if (err == ERR_OK)
        err = ledger_open(kv, secrets, &entropy, &ledger);
    if (err == ERR_OK)
        err = filler_fill(ledger, strtoull(argv[2], NULL, 10));
    if (ledger != NULL)
        ledger_close(ledger);
    kv_close(kv);
    secret_free(secrets);
    if (err != ERR_OK)
        (void)fprintf(stderr, "kith_filler: %s\n", err_sentence(err));
    return err == ERR_OK ? 0 : 1;
}
