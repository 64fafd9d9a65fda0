/* Devices that more than one member has certified: view_claim.h. */
#include <string.h>

#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/view_claim.h"

/* A claim, as long as the device has signed nothing for whose it is held to be. */
static enum err view_device_claimed(const struct snapshot *snapshot, const struct device_row *known,
                                    const struct public_key *member, struct device_row *out)
{
    struct span row;
    bool is_proven = false;
    enum err err = view_claim_is_proven(snapshot, known, &is_proven);

    if (err == ERR_OK)
        err = is_proven ? ERR_NOT_FOUND : view_claim_get(snapshot, &known->device, member, &row);
    if (err == ERR_OK)
        err = view_device_read_row(&known->device, row, out);
    out->is_claim = true;
    return err;
}

enum err view_device_of(const struct snapshot *snapshot, const struct public_key *device,
                        const struct public_key *member, struct device_row *out)
{
    struct device_row known;
    enum err err = view_device(snapshot, device, &known);

    *out = known;
    return err == ERR_OK && !public_key_is_equal(&known.member, member)
               ? view_device_claimed(snapshot, &known, member, out)
               : err;
}

struct view_device_walk {
    const struct snapshot *snapshot;
    const struct public_key *member;
    const uint8_t *static_key;
    view_device_fn each;
    void *self;
    size_t count;
};

static enum err view_device_on_claim(void *self, const struct public_key *device,
                                     const struct public_key *member, struct span row)
{
    const struct view_device_walk *walk = self;
    struct device_row claimed;
    enum err err;

    (void)row;
    if (!public_key_is_equal(member, walk->member))
        return ERR_OK;
    err = view_device_of(walk->snapshot, device, member, &claimed);
    if (err != ERR_OK || !claimed.is_claim)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    return walk->each(walk->self, &claimed);
}

enum err view_device_each(const struct snapshot *snapshot, const struct public_key *member,
                          view_device_fn each, void *self)
{
    struct view_device_walk walk = {
        .snapshot = snapshot, .member = member, .each = each, .self = self};
    enum err err = view_device_each_row(snapshot, member, each, self);

    return err == ERR_OK && member != NULL ? view_claim_each(snapshot, view_device_on_claim, &walk)
                                           : err;
}

static enum err view_device_on_static(void *self, const struct public_key *member,
                                      const struct public_key *device)
{
    struct view_device_walk *walk = self;
    struct device_row row;
    enum err err = view_device_of(walk->snapshot, device, member, &row);

    if (err != ERR_OK || memcmp(row.static_key, walk->static_key, KEY_SIZE) != 0)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    walk->count++;
    return walk->each(walk->self, &row);
}

enum err view_device_each_static(const struct snapshot *snapshot,
                                 const uint8_t static_key[static 32], view_device_fn each,
                                 void *self)
{
    struct view_device_walk walk = {
        .snapshot = snapshot, .static_key = static_key, .each = each, .self = self};
    struct device_row row;
    enum err err = view_device_by_static(snapshot, static_key, &row);

    if (err == ERR_OK)
        err = view_device_on_static(&walk, &row.member, &row.device);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = view_claim_each_static(snapshot, static_key, view_device_on_static, &walk);
    return err == ERR_OK && walk.count == 0 ? ERR_NOT_FOUND : err;
}

enum err view_device_prove(struct ledger_txn *txn, const struct public_key *device,
                           const struct public_key *member)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct device_row row;
    struct buf copy = {0};
    struct span claim;
    struct key key;
    enum err err = view_device_of(&snapshot, device, member, &row);

    if (err != ERR_OK || !row.is_claim)
        return err;
    err = view_claim_get(&snapshot, device, member, &claim);
    if (err == ERR_OK) {
        buf_append(&copy, claim);
        err = buf_err(&copy);
    }
    key_of_bytes(span_of(device->bytes, 32), &key);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_DEVICE, &key, buf_span(&copy));
    if (err == ERR_OK)
        err = view_claim_drop(txn, device, member);
    if (err == ERR_OK)
        err = retire_table_forget(txn, device); /* Whoever said so had no say. */
    txn->news.has_links = true;
    buf_release(&copy);
    return err;
}
