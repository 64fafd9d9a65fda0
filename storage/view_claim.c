/* Two tables beside those of devices; both are empty where nobody lies. */
#include "storage/view_claim.h"

#include <string.h>

#include "storage/ledger_state.h"

enum { VIEW_CLAIM_KEY_SIZE = 32 + 32 };

static void view_claim_key(const uint8_t first[static 32], const struct public_key *member,
                           struct key *out)
{
    key_of_bytes(span_of(first, 32), out);
    key_add_bytes(out, span_of(member->bytes, 32));
}

enum err view_claim_is_proven(const struct snapshot *snapshot, const struct device_row *row,
                              bool *out)
{
    struct ledger_counters counters;
    enum err err = ledger_load_counters(snapshot, &counters);

    *out = public_key_is_equal(&row->member, ledger_member(snapshot->ledger));
    for (uint32_t number = 1; err == ERR_OK && !*out && number <= counters.spaces; number++) {
        struct log_id id = {.device = row->device};
        struct space_row space;
        struct log_row log;

        err = ledger_space_numbered(snapshot, number, &space);
        if (err != ERR_OK || !public_key_is_equal(&space.writer, &row->member))
            continue;
        id.space = space.id;
        err = ledger_log(snapshot, &id, &log);
        *out = err == ERR_OK && log.tip.size > 0;
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return err;
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

enum err view_claim_drop(struct ledger_txn *txn, const struct public_key *device,
                         const struct public_key *member)
{
    struct key key;
    enum err err;

    view_claim_key(device->bytes, member, &key);
    err = ledger_erase(txn, TABLE_CLAIM, &key);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
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
