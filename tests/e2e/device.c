/*
 * A further device of a member, for the end to end tests: what a command will do some day at two
 * machines, done at one. Both nodes are down meanwhile.
 * usage: kith_device HOME NEW_HOME [NAME]
 *        kith_device --give-up HOME OTHER_HOME
 */
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/clock.h"
#include "node/home.h"
#include "node/react.h"
#include "storage/heal.h"
#include "storage/join.h"

/* What the new machine keeps while it waits for the welcome. */
struct device_wait {
    struct device_secrets secrets;
    struct join_welcome welcome;
};

static enum err device_admit_in(struct ledger *ledger, const struct join_ask *ask,
                                struct join_welcome *out)
{
    struct ledger_txn *txn;
    enum err err = ledger_begin(ledger, clock_wall_ms(), &txn);

    if (err != ERR_OK)
        return err;
    err = join_admit(txn, ask, out);
    if (err == ERR_OK)
        err = react_all(txn);
    if (err == ERR_OK)
        return ledger_commit(txn, NULL);
    ledger_abort(txn);
    return err;
}

/* At the machine that is there. */
static enum err device_admit(const char *path, const struct join_ask *ask, struct join_welcome *out)
{
    struct config config = {.home = path};
    struct device_secrets *secrets = secret_new(sizeof *secrets);
    struct entropy entropy = entropy_os();
    struct ledger *ledger = NULL;
    struct kv *kv = NULL;
    struct home home;
    enum err err = secrets != NULL ? home_init(&config, &home) : ERR_NOMEM;

    if (err == ERR_OK)
        err = home_read_key(&home, span_of(NULL, 0), secrets);
    if (err == ERR_OK)
        err = home_open_store(&home, false, &kv);
    if (err == ERR_OK)
        err = ledger_open(kv, secrets, &entropy, &ledger);
    if (err == ERR_OK)
        err = device_admit_in(ledger, ask, out);
    if (ledger != NULL)
        ledger_close(ledger);
    kv_close(kv);
    secret_free(secrets);
    return err;
}

/* At the new one. */
static enum err device_join(const char *path, struct device_wait *wait)
{
    struct config config = {.home = path};
    struct entropy entropy = entropy_os();
    struct kv *kv = NULL;
    struct home home;
    enum err err = home_init(&config, &home);

    if (err == ERR_OK)
        err = home_create(&home);
    if (err == ERR_OK)
        err = home_open_store(&home, false, &kv);
    if (err == ERR_OK)
        err = join_create(kv, &wait->secrets, &entropy, &wait->welcome, clock_wall_ms());
    kv_close(kv);
    return err == ERR_OK ? home_write_key(&home, &wait->secrets, span_of(NULL, 0), false) : err;
}

/* Giving up. */

static enum err device_give_up_in(struct ledger *ledger, const struct public_key *device)
{
    struct ledger_txn *txn;
    enum err err = ledger_begin(ledger, clock_wall_ms(), &txn);

    if (err != ERR_OK)
        return err;
    err = heal_shut_out(txn, device, RETIRE_OWNER);
    if (err == ERR_OK)
        err = react_all(txn);
    if (err == ERR_OK)
        return ledger_commit(txn, NULL);
    ledger_abort(txn);
    return err;
}

/* The store in the first home says that the device of the second is not used any more. */
static enum err device_give_up(const char *path, const char *other)
{
    struct config config = {.home = path}, there = {.home = other};
    struct device_secrets *secrets = secret_new(sizeof *secrets);
    struct signing_key *signing = secret_new(sizeof *signing);
    struct entropy entropy = entropy_os();
    struct public_key device;
    struct ledger *ledger = NULL;
    struct kv *kv = NULL;
    struct home home;
    enum err err = secrets != NULL && signing != NULL ? home_init(&there, &home) : ERR_NOMEM;

    if (err == ERR_OK)
        err = home_read_key(&home, span_of(NULL, 0), secrets);
    if (err == ERR_OK) {
        identity_signing_key(secrets->signing_seed, signing);
        device = signing->public_key;
        err = home_init(&config, &home);
    }
    if (err == ERR_OK)
        err = home_read_key(&home, span_of(NULL, 0), secrets);
    if (err == ERR_OK)
        err = home_open_store(&home, false, &kv);
    if (err == ERR_OK)
        err = ledger_open(kv, secrets, &entropy, &ledger);
    if (err == ERR_OK)
        err = device_give_up_in(ledger, &device);
    if (ledger != NULL)
        ledger_close(ledger);
    kv_close(kv);
    secret_free(signing);
    secret_free(secrets);
    return err;
}

static int device_tell(enum err err)
{
    if (err != ERR_OK)
        (void)fprintf(stderr, "kith_device: %s\n", err_sentence(err));
    return err == ERR_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *name = argc > 3 ? argv[3] : "further device";
    struct entropy entropy = entropy_os();
    struct device_wait *wait;
    struct join_ask ask;
    enum err err = argc > 2 ? secret_start() : ERR_INVALID;

    if (err != ERR_OK)
        return 2;
    if (argc > 3 && strcmp(argv[1], "--give-up") == 0)
        return device_tell(device_give_up(argv[2], argv[3]));
    wait = secret_new(sizeof *wait);
    if (wait == NULL)
        return 1;
    join_draw(&entropy, clock_wall_ms(), &wait->secrets);
    err = join_ask_of(&wait->secrets, span_str(name), &ask);
    if (err == ERR_OK)
        err = device_admit(argv[1], &ask, &wait->welcome);
    if (err == ERR_OK)
        err = device_join(argv[2], wait);
    secret_free(wait);
    return device_tell(err);
}
