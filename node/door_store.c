/* Keys and store of a home, opened for one process; every way that can fail has its sentence. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "node/clock.h"
#include "node/door_state.h"
#include "node/prompt.h"
#include "node/succession.h"
#include "storage/follow.h"

enum {
    DOOR_STAGE_ENTRIES = 100000,
    DOOR_BRING_UP_MS = 30000, /* as long as a command waits for another */
    DOOR_BRING_UP_TRY_MS = 50
};

/* Keys and store. */

/* Every call of a command has a child of its own, and who starts them holds no secret: so a
 * passphrase that opened the keys waits in the kernel for the next child. */
void door_keep_typed(const struct config *config, const struct door_store *store)
{
    if (config->typed_to > 0 && store->passphrase_size > 0)
        (void)!write(config->typed_to, store->passphrase, store->passphrase_size);
}

static bool door_take_typed(const struct config *config, char *out, size_t size, size_t *out_size)
{
    ssize_t count = config->typed_from > 0 ? read(config->typed_from, out, size - 1) : 0;

    if (count <= 0)
        return false;
    out[count] = '\0';
    *out_size = (size_t)count;
    return true;
}

static bool door_passphrase(const struct config *config, const struct home *home, char *out,
                            size_t size, size_t *out_size, struct op_failure *failure)
{
    const char *why;
    enum err err;

    *out_size = 0;
    if (!home_is_protected(home))
        return true;
    if (config->passphrase_file != NULL) {
        err = home_read_passphrase(config->passphrase_file, out, size, out_size);
        if (err == ERR_OK)
            return true;
        why = home_why_unreadable(config->passphrase_file);
        door_fail(failure, OP_FAILED, "--passphrase-file FILE",
                  "the passphrase file %.300s could not be read: %s", config->passphrase_file,
                  why != NULL ? why : err_sentence(err));
        return false;
    }
    if (config_may_prompt(config)) {
        if (door_take_typed(config, out, size, out_size) || prompt_passphrase(out, size, out_size))
            return true;
        door_fail(failure, OP_CANCELLED, "type it again", "cancelled");
        return false;
    }
    door_fail(failure, OP_LOCKED, "--passphrase-file FILE, or type it on a terminal",
              "a passphrase protects the keys");
    return false;
}

void door_fail_key(struct op_failure *failure, enum err err, const struct home *home)
{
    switch (err) {
    case ERR_NOT_FOUND:
        door_fail(failure, OP_NOT_FOUND, "kith init --name NAME", "there is no identity in %.300s",
                  home->places.home);
        break;
    case ERR_LOCKED:
        door_fail(failure, OP_LOCKED, "try again", "that passphrase is wrong");
        break;
    case ERR_STATE:
        door_fail(failure, OP_FAILED, "chmod 600 on it, and think about who may have read it",
                  "other users may read the key file %.300s/key", home->places.home);
        break;
    case ERR_INVALID:
        door_fail(failure, OP_FAILED, "run kith as the user whose home it is",
                  "the key file %.300s/key belongs to another user", home->places.home);
        break;
    case ERR_NOMEM:
        door_fail(failure, OP_FAILED, "end other programs, or use a machine with more memory",
                  "opening the key file takes more memory than there is");
        break;
    case ERR_VERSION:
        door_fail(failure, OP_FAILED, "install that version",
                  "the key file was written by a newer kith");
        break;
    case ERR_CORRUPT:
    case ERR_LIMIT:
        door_fail(failure, OP_FAILED,
                  "restore it from a backup, or begin again with the recovery words",
                  "the key file %.300s/key is damaged", home->places.home);
        break;
    default:
        door_fail(failure, OP_FAILED, "kith doctor", "the key file could not be read: %s",
                  err_sentence(err));
    }
}

static void door_fail_store(struct op_failure *failure, enum err err, const struct home *home)
{
    switch (err) {
    case ERR_VERSION:
        door_fail(failure, OP_FAILED, "install that version; nothing was changed",
                  "the store was written by a newer kith");
        break;
    case ERR_CORRUPT:
        door_fail(failure, OP_FAILED, "restore it from a backup; nothing was changed",
                  "the store in %.300s/store is damaged", home->places.home);
        break;
    case ERR_NOT_FOUND:
        door_fail(failure, OP_FAILED, "restore it from a backup",
                  "the store in %.300s/store is missing", home->places.home);
        break;
    case ERR_FULL:
        door_fail(failure, OP_FAILED, "free some room on the disk", "the disk is full");
        break;
    case ERR_BUSY:
        door_fail(failure, OP_FAILED, "type it again in a while",
                  "another command is bringing the store up to date");
        break;
    case ERR_STATE:
        door_fail(failure, OP_FAILED, "--home a folder on a local disk",
                  "%.300s lies on a network file system", home->places.home);
        break;
    default:
        door_fail(failure, OP_FAILED, "kith doctor", "the store could not be opened: %s",
                  err_sentence(err));
    }
}

static enum err door_read_keys(const struct config *config, const struct home *home,
                               struct door_store *out, struct op_failure *failure)
{
    char *passphrase = secret_new(PASSPHRASE_SIZE_MAX + 1);
    size_t size = 0;
    enum err err = passphrase != NULL ? ERR_OK : ERR_NOMEM;

    out->passphrase = passphrase;
    if (err == ERR_OK && !home_has_identity(home))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK &&
        !door_passphrase(config, home, passphrase, PASSPHRASE_SIZE_MAX + 1, &size, failure))
        return ERR_LOCKED;
    out->passphrase_size = size;
    if (err == ERR_OK)
        err = home_read_key(home, span_of(passphrase, size), out->secrets);
    if (err != ERR_OK)
        door_fail_key(failure, err, home);
    return err;
}

static enum err door_open_ledger(const struct home *home, bool is_read_only,
                                 struct door_store *store)
{
    struct entropy entropy = entropy_os();
    enum err err = home_open_store(home, is_read_only, &store->kv);

    if (err == ERR_OK)
        err = ledger_open(store->kv, store->secrets, &entropy, &store->ledger);
    return err;
}

static void door_close_ledger(struct door_store *store)
{
    if (store->ledger != NULL)
        ledger_close(store->ledger);
    kv_close(store->kv);
    store->ledger = NULL;
    store->kv = NULL;
}

/* Before anything is read or written the lists are what this program makes of the entries. */
static enum err door_renew_views(struct ledger *ledger)
{
    bool is_more = ledger_has_old_views(ledger);
    enum err err = ERR_OK;

    while (err == ERR_OK && is_more)
        err = follow_stage(ledger, DOOR_STAGE_ENTRIES, &is_more);
    return err;
}

/* An older program's store lacks tables, or its lists are of another make. Reading alone cannot
 * mend that: it is mended once, under the lock. Whoever holds it meanwhile is mending it too. */
static enum err door_bring_up(const struct home *home, struct door_store *store)
{
    uint64_t until = clock_running_ms() + DOOR_BRING_UP_MS;
    struct home locked = *home;
    enum home_holder who;
    long pid;
    enum err err;

    door_close_ledger(store);
    while ((err = home_lock(&locked, HOME_COMMAND, &who, &pid)) == ERR_BUSY &&
           clock_running_ms() < until)
        clock_sleep_ms(DOOR_BRING_UP_TRY_MS);
    if (err != ERR_OK)
        return err;
    err = door_open_ledger(home, false, store);
    if (err == ERR_OK)
        err = door_renew_views(store->ledger);
    door_close_ledger(store);
    home_unlock(&locked);
    return err == ERR_OK ? door_open_ledger(home, true, store) : err;
}

enum err door_catch_up(const struct home *home, struct door_store *store)
{
    struct home locked = *home;
    enum home_holder who;
    bool is_more = true;
    long pid;
    enum err err;

    if (!follow_is_behind(store->ledger) || home_lock(&locked, HOME_COMMAND, &who, &pid) != ERR_OK)
        return ERR_OK;
    door_close_ledger(store);
    err = door_open_ledger(home, false, store);
    while (err == ERR_OK && is_more)
        err = follow_stage(store->ledger, DOOR_STAGE_ENTRIES, &is_more);
    door_close_ledger(store);
    home_unlock(&locked);
    return err == ERR_OK ? door_open_ledger(home, true, store) : err;
}

struct door_keys {
    const struct home *home;
    struct span passphrase;
};

static enum err door_store_keys(void *self, const struct device_secrets *secrets)
{
    const struct door_keys *keys = self;

    return home_write_key(keys->home, secrets, keys->passphrase, true);
}

/* A successor took over and the process ended before the old key was forgotten. */
static enum err door_finish_keys(const struct home *home, const struct door_store *store)
{
    struct door_keys keys = {.home = home,
                             .passphrase = span_of(store->passphrase, store->passphrase_size)};

    return succession_finish(store->ledger, store->secrets, door_store_keys, &keys);
}

bool door_open_store(const struct config *config, const struct home *home, bool is_read_only,
                     struct door_store *out, struct op_failure *failure)
{
    enum err err;

    *out = (struct door_store){.secrets = secret_new(sizeof *out->secrets)};
    if (out->secrets == NULL) {
        door_fail(failure, OP_FAILED, "raise ulimit -l", "no memory could be locked for the keys");
        return false;
    }
    err = door_read_keys(config, home, out, failure);
    if (err != ERR_OK) {
        door_close_store(out);
        return false;
    }
    err = door_open_ledger(home, is_read_only, out);
    if (is_read_only && (err == ERR_STATE || (err == ERR_OK && ledger_has_old_views(out->ledger))))
        err = door_bring_up(home, out);
    else if (err == ERR_OK && !is_read_only)
        err = door_finish_keys(home, out);
    if (err == ERR_OK && !is_read_only)
        err = door_renew_views(out->ledger);
    if (err == ERR_OK)
        return true;
    door_fail_store(failure, err, home);
    door_close_store(out);
    return false;
}

void door_close_store(struct door_store *store)
{
    door_close_ledger(store);
    secret_free(store->passphrase);
    secret_free(store->secrets);
    *store = (struct door_store){0};
}
