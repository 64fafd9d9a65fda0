/* Which devices are called under which handshake key: one has the row of the key, what the devices
 * of other members say of it is kept beside (view_claim.h). Each device that is known is found by
 * its key, so a row that is given back goes to whoever is left with that key. */
#include <string.h>

#include "storage/ledger_state.h"
#include "storage/view_claim.h"

static enum err view_static_give(struct ledger_txn *txn, const struct device_row *row)
{
    struct key key;
    enum err err;

    key_of_bytes(span_of(row->static_key, 32), &key);
    err = ledger_put(txn, TABLE_STATIC_KEY, &key, span_of(row->device.bytes, 32));
    return err == ERR_OK ? view_claim_drop_static(txn, row) : err;
}

/* Whose device is called under this handshake key? Of two members who say so each is told apart by
 * what only they can prove: view_claim.h. */
enum err view_static_put(struct ledger_txn *txn, const struct device_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct device_row known;
    enum err err = view_device_by_static(&snapshot, row->static_key, &known);

    if (err == ERR_OK && !public_key_is_equal(&known.member, &row->member))
        return view_claim_put_static(txn, row->static_key, &row->member, &row->device);
    return err == ERR_OK || err == ERR_NOT_FOUND ? view_static_give(txn, row) : err;
}

struct view_static_heir {
    const uint8_t *static_key;
    struct device_row found;
    bool is_found;
};

static enum err view_static_on_heir(void *self, const struct device_row *row)
{
    struct view_static_heir *heir = self;

    heir->is_found = memcmp(row->static_key, heir->static_key, KEY_SIZE) == 0;
    heir->found = *row;
    return heir->is_found ? ERR_CANCELLED : ERR_OK;
}

enum err view_static_drop(struct ledger_txn *txn, const struct device_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_static_heir heir = {.static_key = row->static_key};
    struct span owner;
    struct key key;
    enum err err;

    key_of_bytes(span_of(row->static_key, 32), &key);
    err = ledger_get(&snapshot, TABLE_STATIC_KEY, &key, &owner);
    if (err == ERR_OK && span_is_equal(owner, span_of(row->device.bytes, 32))) {
        err = ledger_erase(txn, TABLE_STATIC_KEY, &key);
        if (err == ERR_OK)
            err = view_device_each_row(&snapshot, NULL, view_static_on_heir, &heir);
    }
    if (heir.is_found)
        err = view_static_give(txn, &heir.found);
    return err == ERR_OK || err == ERR_NOT_FOUND ? view_claim_drop_static(txn, row) : err;
}

/* Mending. Damage that it does not know is left for check.h to find: views are made again also
 * where one row cannot be read. */

struct view_static_walk {
    const struct snapshot *snapshot;
    struct buf found;
};

/* A key that leads to a device with another one. */
static enum err view_static_on_key(void *self, struct span key, struct span value)
{
    struct view_static_walk *walk = self;
    struct public_key device;
    struct device_row row;
    enum err err;

    if (key.size != KEY_SIZE || value.size != sizeof device.bytes)
        return ERR_OK;
    memcpy(device.bytes, value.data, sizeof device.bytes);
    err = view_device(walk->snapshot, &device, &row);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && memcmp(row.static_key, key.data, KEY_SIZE) != 0))
        buf_append(&walk->found, key);
    return buf_err(&walk->found);
}

/* A device that is not found by its key. */
static enum err view_static_on_device(void *self, const struct device_row *row)
{
    struct view_static_walk *walk = self;
    struct device_row called;

    if (view_device_by_static(walk->snapshot, row->static_key, &called) == ERR_NOT_FOUND)
        buf_append(&walk->found, span_of(row, sizeof *row));
    return buf_err(&walk->found);
}

enum err view_static_mend(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_static_walk keys = {.snapshot = &snapshot}, devices = keys;
    struct device_row row;
    struct key key;
    enum err err =
        ledger_each(&snapshot, TABLE_STATIC_KEY, span_of(NULL, 0), view_static_on_key, &keys);

    for (size_t at = 0; err == ERR_OK && at < keys.found.size; at += KEY_SIZE) {
        key_of_bytes(span_of(keys.found.data + at, KEY_SIZE), &key);
        err = ledger_erase(txn, TABLE_STATIC_KEY, &key);
    }
    if (err == ERR_OK)
        err = view_device_each_row(&snapshot, NULL, view_static_on_device, &devices);
    err = err == ERR_CORRUPT ? ERR_OK : err;
    for (size_t at = 0; err == ERR_OK && at < devices.found.size; at += sizeof row) {
        memcpy(&row, devices.found.data + at, sizeof row);
        err = view_static_put(txn, &row);
    }
    buf_release(&keys.found);
    buf_release(&devices.found);
    return err;
}
