/*
 * A further device of a member, for the end to end tests: what a command will do some day at two
 * machines, done at one. Both nodes are down meanwhile.
 * usage: kith_device HOME NEW_HOME [NAME]
 *        kith_device --give-up HOME OTHER_HOME
 * With a machine that is no kith at the other end, by standard input and output, ask and welcome
 * each behind their size (u16):
 *        kith_device --admit HOME              reads what the new device asks, writes the welcome
 *        kith_device --join NEW_HOME           writes what it asks, reads the welcome
 *        kith_device --shut-out HOME REASON    reads the device's key; REASON as RETIRE-1 numbers
 * it
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
    struct welcome welcome;
    uint8_t bytes[WELCOME_SIZE_MAX];
};

static enum err device_admit_in(struct ledger *ledger, const struct welcome_ask *ask,
                                struct welcome *out)
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
static enum err device_admit(const char *path, const struct welcome_ask *ask, struct welcome *out)
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

/* Shutting out. */

static enum err device_shut_out_in(struct ledger *ledger, const struct public_key *device,
                                   enum retire_reason reason)
{
    struct ledger_txn *txn;
    enum err err = ledger_begin(ledger, clock_wall_ms(), &txn);

    if (err != ERR_OK)
        return err;
    err = heal_shut_out(txn, device, reason);
    if (err == ERR_OK)
        err = react_all(txn);
    if (err == ERR_OK)
        return ledger_commit(txn, NULL);
    ledger_abort(txn);
    return err;
}

/* The store in this home says that the device is not used any more. */
static enum err device_shut_out(const char *path, const struct public_key *device,
                                enum retire_reason reason)
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
        err = device_shut_out_in(ledger, device, reason);
    if (ledger != NULL)
        ledger_close(ledger);
    kv_close(kv);
    secret_free(secrets);
    return err;
}

/* The device of the second home. */
static enum err device_give_up(const char *path, const char *other)
{
    struct config there = {.home = other};
    struct device_secrets *secrets = secret_new(sizeof *secrets);
    struct signing_key *signing = secret_new(sizeof *signing);
    struct public_key device;
    struct home home;
    enum err err = secrets != NULL && signing != NULL ? home_init(&there, &home) : ERR_NOMEM;

    if (err == ERR_OK)
        err = home_read_key(&home, span_of(NULL, 0), secrets);
    if (err == ERR_OK) {
        identity_signing_key(secrets->signing_seed, signing);
        device = signing->public_key;
        err = device_shut_out(path, &device, RETIRE_OWNER);
    }
    secret_free(signing);
    secret_free(secrets);
    return err;
}

/* Through standard input and output. */

static bool device_carry(bool is_out, void *data, size_t size)
{
    return is_out ? fwrite(data, 1, size, stdout) == size : fread(data, 1, size, stdin) == size;
}

/* size u16 | bytes */
static enum err device_carry_out(struct buf *bytes)
{
    uint8_t prefix[2];
    bool is_out;

    be16_put(prefix, (uint16_t)bytes->size);
    is_out = buf_err(bytes) == ERR_OK && device_carry(true, prefix, sizeof prefix) &&
             device_carry(true, bytes->data, bytes->size) && fflush(stdout) == 0;
    buf_release(bytes);
    return is_out ? ERR_OK : ERR_IO;
}

static enum err device_carry_in(uint8_t *data, size_t max, struct span *out)
{
    uint8_t prefix[2];

    if (!device_carry(false, prefix, sizeof prefix) || be16(prefix) > max ||
        !device_carry(false, data, be16(prefix)))
        return ERR_IO;
    *out = span_of(data, be16(prefix));
    return ERR_OK;
}

static enum err device_admit_stranger(const char *path, struct welcome *welcome)
{
    uint8_t data[WELCOME_ASK_SIZE_MAX];
    struct buf out = {.is_secret = true};
    struct welcome_ask ask;
    struct span bytes;
    enum err err = device_carry_in(data, sizeof data, &bytes);

    if (err == ERR_OK)
        err = welcome_ask_read(bytes, &ask);
    if (err == ERR_OK)
        err = device_admit(path, &ask, welcome);
    if (err != ERR_OK)
        return err;
    welcome_write(welcome, &out);
    return device_carry_out(&out);
}

static enum err device_shut_out_stranger(const char *path, const char *reason)
{
    struct public_key device;

    return device_carry(false, &device, sizeof device)
               ? device_shut_out(path, &device, (enum retire_reason)(reason[0] - '0'))
               : ERR_IO;
}

static enum err device_join_stranger(const char *path, struct device_wait *wait)
{
    struct buf out = {0};
    struct welcome_ask ask;
    struct span bytes;
    enum err err = join_ask_of(&wait->secrets, span_str("kith"), &ask);

    if (err != ERR_OK)
        return err;
    welcome_ask_write(&ask, &out);
    err = device_carry_out(&out);
    if (err == ERR_OK)
        err = device_carry_in(wait->bytes, sizeof wait->bytes, &bytes);
    if (err == ERR_OK)
        err = welcome_read(bytes, &wait->welcome);
    return err == ERR_OK ? device_join(path, wait) : err;
}

static enum err device_meet(int argc, char **argv, struct device_wait *wait)
{
    const char *name = argc > 3 ? argv[3] : "further device";
    struct welcome_ask ask;
    enum err err;

    if (strcmp(argv[1], "--admit") == 0)
        return device_admit_stranger(argv[2], &wait->welcome);
    if (strcmp(argv[1], "--join") == 0)
        return device_join_stranger(argv[2], wait);
    err = join_ask_of(&wait->secrets, span_str(name), &ask);
    if (err == ERR_OK)
        err = device_admit(argv[1], &ask, &wait->welcome);
    return err == ERR_OK ? device_join(argv[2], wait) : err;
}

static int device_tell(enum err err)
{
    if (err != ERR_OK)
        (void)fprintf(stderr, "kith_device: %s\n", err_sentence(err));
    return err == ERR_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct entropy entropy = entropy_os();
    struct device_wait *wait;
    enum err err = argc > 2 ? secret_start() : ERR_INVALID;

    if (err != ERR_OK)
        return 2;
    if (argc > 3 && strcmp(argv[1], "--give-up") == 0)
        return device_tell(device_give_up(argv[2], argv[3]));
    if (argc > 3 && strcmp(argv[1], "--shut-out") == 0)
        return device_tell(device_shut_out_stranger(argv[2], argv[3]));
    wait = secret_new(sizeof *wait);
    if (wait == NULL)
        return 1;
    join_draw(&entropy, clock_wall_ms(), &wait->secrets);
    err = device_meet(argc, argv, wait);
    secret_free(wait);
    return device_tell(err);
}
