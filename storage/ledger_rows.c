/*
 * Rows of the tables: written, with an estimate of the pages that costs, and read, with a keyed
 * hash behind what the disk must not change unseen.
 */
#include "crypto/seal.h"
#include "crypto/secret.h"
#include "storage/ledger_state.h"

enum { LEDGER_PAGE_SIZE = 4096 };

static void ledger_mac(const struct ledger *ledger, enum table table, const struct key *key,
                       struct span value, uint8_t out[static LEDGER_MAC_SIZE])
{
    uint8_t fixed[2] = {(uint8_t)table, (uint8_t)key->size};
    const struct span parts[3] = {span_of(fixed, sizeof fixed), key_span(key), value};

    digest_keyed(ledger->secrets->local_key, "kith row", parts, 3, out, LEDGER_MAC_SIZE);
}

enum err ledger_note(struct ledger_txn *txn, enum err err)
{
    txn->written++;
    if (txn->failed == ERR_OK)
        txn->failed = err;
    return err;
}

static void ledger_count_page(struct ledger_txn *txn, enum table table, struct span value)
{
    bool is_ordered = table == TABLE_OBJECT || table == TABLE_OBJECT_ID;

    txn->eighths += value.size / (LEDGER_PAGE_SIZE / 8) + (is_ordered ? 1 : 8);
}

enum err ledger_put_last(struct ledger_txn *txn, enum table table, const struct key *key,
                         struct span value)
{
    ledger_count_page(txn, table, value);
    return ledger_note(txn, kv_append(txn->kv, table, key_span(key), value));
}

enum err ledger_put(struct ledger_txn *txn, enum table table, const struct key *key,
                    struct span value)
{
    ledger_count_page(txn, table, value);
    return ledger_note(txn, kv_put(txn->kv, table, key_span(key), value));
}

enum err ledger_erase(struct ledger_txn *txn, enum table table, const struct key *key)
{
    enum err err = kv_erase(txn->kv, table, key_span(key));

    return err == ERR_NOT_FOUND ? err : ledger_note(txn, err);
}

enum err ledger_get(const struct snapshot *snapshot, enum table table, const struct key *key,
                    struct span *out)
{
    return kv_get(snapshot->kv, table, key_span(key), out);
}

enum err ledger_put_sealed(struct ledger_txn *txn, enum table table, const struct key *key,
                           struct span value)
{
    uint8_t mac[LEDGER_MAC_SIZE];
    struct buf row = {0};
    enum err err;

    ledger_mac(txn->ledger, table, key, value, mac);
    buf_append(&row, value);
    buf_append(&row, span_of(mac, sizeof mac));
    err = buf_err(&row);
    if (err == ERR_OK)
        err = ledger_put(txn, table, key, buf_span(&row));
    buf_release(&row);
    return err;
}

enum err ledger_get_sealed(const struct snapshot *snapshot, enum table table, const struct key *key,
                           struct span *out)
{
    uint8_t mac[LEDGER_MAC_SIZE];
    struct span row;
    enum err err = ledger_get(snapshot, table, key, &row);

    if (err != ERR_OK)
        return err;
    if (row.size < LEDGER_MAC_SIZE)
        return ERR_CORRUPT;
    *out = span_of(row.data, row.size - LEDGER_MAC_SIZE);
    ledger_mac(snapshot->ledger, table, key, *out, mac);
    return secret_is_equal(mac, row.data + out->size, LEDGER_MAC_SIZE) ? ERR_OK : ERR_CORRUPT;
}

void ledger_seal_local(const struct ledger *ledger, struct span context, struct span plain,
                       struct buf *out)
{
    seal(ledger->secrets->local_key, context, plain, out);
}

enum err ledger_open_local(const struct ledger *ledger, struct span context, struct span sealed,
                           struct buf *out)
{
    enum err err = seal_open(ledger->secrets->local_key, context, sealed, out);

    return err == ERR_FORGED ? ERR_CORRUPT : err;
}
