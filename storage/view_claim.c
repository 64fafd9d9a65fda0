/* Two tables beside those of devices; both are empty where nobody lies. */
#include "storage/view_claim.h"

#include <string.h>

#include "storage/ledger_state.h"
#include "storage/writer_table.h"

enum { VIEW_CLAIM_KEY_SIZE = 32 + 32 };

static void view_claim_key(const uint8_t first[static 32], const struct public_key *member,
                           struct key *out)
{
    key_of_bytes(span_of(first, 32), out);
    key_add_bytes(out, span_of(member->bytes, 32));
}

struct view_claim_proof {
    const struct snapshot *snapshot;
    const struct public_key *device;
    bool is_proven;
};

static enum err view_claim_on_space(void *self, const struct space_row *space)
{
    struct view_claim_proof *proof = self;
    struct log_id id = {.space = space->id, .device = *proof->device};
    struct log_row log;
    enum err err = ledger_log(proof->snapshot, &id, &log);

    proof->is_proven = err == ERR_OK && log.tip.size > 0;
    if (proof->is_proven)
        return ERR_CANCELLED;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_claim_is_proven(const struct snapshot *snapshot, const struct device_row *row,
                              bool *out)
{
    struct view_claim_proof proof = {.snapshot = snapshot, .device = &row->device};
    enum err err = ERR_OK;

    *out = public_key_is_equal(&row->member, ledger_member(snapshot->ledger));
    if (*out)
        return ERR_OK;
    err = writer_table_each(snapshot, &row->member, view_claim_on_space, &proof);
    *out = proof.is_proven;
    return err == ERR_CANCELLED ? ERR_OK : err;
}

enum err view_claim_put(struct ledger_txn *txn, const struct public_key *device,
                        const struct public_key *member, struct span row)
{
    struct key key;

    view_claim_key(device->bytes, member, &key);
    return ledger_put(txn, TABLE_CLAIM, &key, row);
}

enum err view_claim_get(const struct snapshot *snapshot, const struct public_key *device,
                        const struct public_key *member, struct span *out)
{
    struct key key;

    view_claim_key(device->bytes, member, &key);
    return ledger_get(snapshot, TABLE_CLAIM, &key, out);
}

struct view_claim_walk {
    view_claim_fn each;
    view_claim_static_fn each_static;
    void *self;
};

static enum err view_claim_on_row(void *self, struct span key, struct span value)
{
    const struct view_claim_walk *walk = self;
    struct public_key device, member;

    if (key.size != VIEW_CLAIM_KEY_SIZE)
        return ERR_CORRUPT;
    memcpy(device.bytes, key.data, 32);
    memcpy(member.bytes, key.data + 32, 32);
    return walk->each(walk->self, &device, &member, value);
}

enum err view_claim_each(const struct snapshot *snapshot, view_claim_fn each, void *self)
{
    struct view_claim_walk walk = {.each = each, .self = self};

    return ledger_each(snapshot, TABLE_CLAIM, span_of(NULL, 0), view_claim_on_row, &walk);
}

enum err view_claim_put_static(struct ledger_txn *txn, const uint8_t key[static 32],
                               const struct public_key *member, const struct public_key *device)
{
    struct key row;

    view_claim_key(key, member, &row);
    return ledger_put(txn, TABLE_STATIC_CLAIM, &row, span_of(device->bytes, 32));
}

enum err view_claim_drop_static(struct ledger_txn *txn, const struct device_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span owner;
    struct key key;
    enum err err;

    view_claim_key(row->static_key, &row->member, &key);
    err = ledger_get(&snapshot, TABLE_STATIC_CLAIM, &key, &owner);
    if (err == ERR_OK && span_is_equal(owner, span_of(row->device.bytes, 32)))
        err = ledger_erase(txn, TABLE_STATIC_CLAIM, &key);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err view_claim_on_static(void *self, struct span key, struct span value)
{
    const struct view_claim_walk *walk = self;
    struct public_key device, member;

    if (key.size != VIEW_CLAIM_KEY_SIZE || value.size != 32)
        return ERR_CORRUPT;
    memcpy(member.bytes, key.data + 32, 32);
    memcpy(device.bytes, value.data, 32);
    return walk->each_static(walk->self, &member, &device);
}

enum err view_claim_each_static(const struct snapshot *snapshot, const uint8_t key[static 32],
                                view_claim_static_fn each, void *self)
{
    struct view_claim_walk walk = {.each_static = each, .self = self};

    return ledger_each(snapshot, TABLE_STATIC_CLAIM, span_of(key, 32), view_claim_on_static, &walk);
}

static enum err view_claim_on_key(void *self, struct span key, struct span value)
{
    struct buf *keys = self;

    (void)value;
    if (key.size != VIEW_CLAIM_KEY_SIZE)
        return ERR_CORRUPT;
    buf_append(keys, key);
    return buf_err(keys);
}

static enum err view_claim_drop_one(struct ledger_txn *txn, const struct key *key)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct public_key device;
    struct device_row row;
    struct span value, statement;
    enum err err = ledger_get(&snapshot, TABLE_CLAIM, key, &value);

    memcpy(device.bytes, key->bytes, sizeof device.bytes);
    if (err == ERR_OK)
        err = view_device_read_row(&device, value, &row, &statement);
    if (err == ERR_OK)
        err = view_claim_drop_static(txn, &row);
    return err == ERR_OK ? ledger_erase(txn, TABLE_CLAIM, key) : err;
}

enum err view_claim_drop_all(struct ledger_txn *txn, const struct public_key *device)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct buf keys = {0};
    enum err err =
        ledger_each(&snapshot, TABLE_CLAIM, span_of(device->bytes, 32), view_claim_on_key, &keys);

    for (size_t at = 0; err == ERR_OK && at < keys.size; at += VIEW_CLAIM_KEY_SIZE) {
        struct key key;

        key_of_bytes(span_of(keys.data + at, VIEW_CLAIM_KEY_SIZE), &key);
        err = view_claim_drop_one(txn, &key);
    }
    buf_release(&keys);
    return err;
}
