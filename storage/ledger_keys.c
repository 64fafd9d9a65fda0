/*
 * Which device writes in this store, and what is kept of those that did before. The key file holds
 * a successor's keys before the store names it, so whichever of the two was written last, the pair
 * says what is true: the store decides.
 */
#include <string.h>

#include "crypto/secret.h"
#include "storage/ledger_state.h"

enum { LEDGER_OLD_ROW_SIZE = 2 * KEY_SIZE };

const struct exchange_key *ledger_old_static_key(const struct ledger *ledger, size_t index)
{
    return index < ledger->old_count ? &ledger->old[ledger->old_count - 1 - index].statics : NULL;
}

static void ledger_old_key(size_t index, struct key *out)
{
    key_of_byte(META_OLD_KEYS, out);
    key_add_byte(out, (uint8_t)index);
}

/* Takes the successor's keys as its own. */
static void ledger_promote(struct ledger *ledger)
{
    struct device_secrets *secrets = ledger->secrets;

    memcpy(secrets->signing_seed, secrets->successor_signing_seed, 32);
    memcpy(secrets->static_seed, secrets->successor_static_seed, 32);
    memcpy(secrets->receiving_seed, secrets->successor_receiving_seed, 32);
    secrets->has_successor = false;
    secret_wipe(secrets->successor_signing_seed, 32);
    secret_wipe(secrets->successor_static_seed, 32);
    secret_wipe(secrets->successor_receiving_seed, 32);
    identity_signing_key(secrets->signing_seed, ledger->signing);
    identity_exchange_key(secrets->static_seed, ledger->statics);
    identity_exchange_key(secrets->receiving_seed, ledger->receiving);
}

enum err ledger_settle_device(struct ledger *ledger)
{
    struct signing_key *successor;
    struct snapshot snapshot;
    struct span row;
    struct key key;
    enum err err;

    if (!ledger->secrets->has_successor)
        return ERR_OK;
    successor = secret_new(sizeof *successor);
    if (successor == NULL)
        return ERR_NOMEM;
    identity_signing_key(ledger->secrets->successor_signing_seed, successor);
    err = ledger_snapshot(ledger, &snapshot);
    if (err == ERR_OK) {
        key_of_byte(META_DEVICE, &key);
        err = ledger_get_sealed(&snapshot, TABLE_META, &key, &row);
        if (err == ERR_OK && span_is_equal(row, span_of(successor->public_key.bytes, 32)))
            ledger_promote(ledger);
        ledger_snapshot_end(&snapshot);
    }
    secret_free(successor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err ledger_put_secret(struct ledger_txn *txn, const struct key *key, struct span plain)
{
    struct buf row = {0};
    enum err err;

    ledger_seal_local(txn->ledger, key_span(key), plain, &row);
    err = buf_err(&row);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_META, key, buf_span(&row));
    buf_release(&row);
    return err;
}

enum err ledger_get_secret(const struct snapshot *snapshot, const struct key *key, struct buf *out)
{
    struct span row;
    enum err err = ledger_get(snapshot, TABLE_META, key, &row);

    return err == ERR_OK ? ledger_open_local(snapshot->ledger, key_span(key), row, out) : err;
}

static enum err ledger_load_old_key(const struct snapshot *snapshot, size_t index,
                                    struct ledger_old_keys *out)
{
    struct buf opened = {0};
    struct key key;
    enum err err;

    ledger_old_key(index, &key);
    err = ledger_get_secret(snapshot, &key, &opened);
    if (err == ERR_OK && opened.size != LEDGER_OLD_ROW_SIZE)
        err = ERR_CORRUPT;
    if (err == ERR_OK) {
        identity_exchange_key(opened.data, &out->statics);
        identity_exchange_key(opened.data + KEY_SIZE, &out->receiving);
    }
    if (opened.data != NULL)
        secret_wipe(opened.data, opened.capacity);
    buf_release(&opened);
    return err;
}

enum err ledger_reload_keys(struct ledger *ledger)
{
    struct ledger_old_keys *old = NULL, one;
    struct snapshot snapshot;
    size_t count = 0;
    enum err err = ledger_snapshot(ledger, &snapshot);

    if (err != ERR_OK)
        return err;
    while (err == ERR_OK && count < LEDGER_OLD_KEYS_MAX) {
        err = ledger_load_old_key(&snapshot, count, &one);
        if (err == ERR_OK && old == NULL)
            old = secret_new(LEDGER_OLD_KEYS_MAX * sizeof *old);
        if (err == ERR_OK && old == NULL)
            err = ERR_NOMEM;
        if (err == ERR_OK)
            old[count++] = one;
    }
    secret_wipe(&one, sizeof one);
    ledger_snapshot_end(&snapshot);
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        secret_free(old);
        return err;
    }
    secret_free(ledger->old);
    ledger->old = old;
    ledger->old_count = count;
    return ERR_OK;
}

static enum err ledger_put_old_key(struct ledger_txn *txn, size_t index,
                                   const uint8_t static_seed[static KEY_SIZE],
                                   const uint8_t receiving_seed[static KEY_SIZE])
{
    struct buf plain = {0};
    struct key key;
    enum err err;

    ledger_old_key(index, &key);
    buf_append(&plain, span_of(static_seed, KEY_SIZE));
    buf_append(&plain, span_of(receiving_seed, KEY_SIZE));
    err = buf_err(&plain);
    if (err == ERR_OK)
        err = ledger_put_secret(txn, &key, buf_span(&plain));
    if (plain.data != NULL)
        secret_wipe(plain.data, plain.capacity);
    buf_release(&plain);
    return err;
}

/* PROTOCOL RETIRE-9: "Receiving keys of a device are kept by its successor: what was wrapped for
 * the one before can still be opened." Of more than LEDGER_OLD_KEYS_MAX the oldest give way. */
enum err ledger_take_over(struct ledger_txn *txn, const struct device_secrets *before)
{
    struct ledger *ledger = txn->ledger;
    size_t first = ledger->old_count < LEDGER_OLD_KEYS_MAX ? 0 : 1;
    size_t index = 0;
    struct key key;
    enum err err = ERR_OK;

    for (size_t at = first; at < ledger->old_count && err == ERR_OK; at++)
        err = ledger_put_old_key(txn, index++, ledger->old[at].statics.secret,
                                 ledger->old[at].receiving.secret);
    if (err == ERR_OK)
        err = ledger_put_old_key(txn, index, before->static_seed, before->receiving_seed);
    key_of_byte(META_DEVICE, &key);
    if (err == ERR_OK)
        err = ledger_put_sealed(txn, TABLE_META, &key, span_of(ledger_device(ledger)->bytes, 32));
    return err;
}
