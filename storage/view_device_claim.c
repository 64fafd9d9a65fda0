/* Devices that more than one member has certified: view_claim.h. */
#include <string.h>

#include "proto/limits.h"
#include "storage/agenda.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/space.h"
#include "storage/standing.h"
#include "storage/view_claim.h"

/* A claim, as long as the device has signed nothing for whose it is held to be. */
static enum err view_device_claimed(const struct snapshot *snapshot, const struct device_row *known,
                                    const struct public_key *member, struct device_row *out,
                                    struct span *out_statement)
{
    struct span row;
    bool is_proven = false;
    enum err err = view_claim_is_proven(snapshot, known, &is_proven);

    if (err == ERR_OK)
        err = is_proven ? ERR_NOT_FOUND : view_claim_get(snapshot, &known->device, member, &row);
    if (err == ERR_OK)
        err = view_device_read_row(&known->device, row, out, out_statement);
    out->is_claim = true;
    return err;
}

enum err view_device_stated_of(const struct snapshot *snapshot, const struct public_key *device,
                               const struct public_key *member, struct device_row *out,
                               struct span *out_statement)
{
    struct device_row known;
    enum err err = view_device_stated(snapshot, device, out, out_statement);

    if (err != ERR_OK || public_key_is_equal(&out->member, member))
        return err;
    known = *out;
    return view_device_claimed(snapshot, &known, member, out, out_statement);
}

enum err view_device_of(const struct snapshot *snapshot, const struct public_key *device,
                        const struct public_key *member, struct device_row *out)
{
    struct span statement;

    return view_device_stated_of(snapshot, device, member, out, &statement);
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

/* Of whoever else said that it is theirs, and was held to be right so far, nothing is left. */
static enum err view_device_give_up(struct ledger_txn *txn, const struct device_row *known)
{
    enum err err = view_static_drop(txn, known);

    if (err == ERR_OK)
        err = retire_table_forget(txn, &known->device); /* Whoever said so had no say. */
    if (err == ERR_OK)
        err = standing_forget(txn, &known->member, &known->device);
    return err == ERR_OK ? space_devices_changed(txn, &known->member) : err;
}

/* row: what it is as a device of its member's, who only claimed it until now. */
static enum err view_device_take_over(struct ledger_txn *txn, const struct device_row *now,
                                      struct span row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct device_row known;
    struct key key;
    enum err err = view_device(&snapshot, &now->device, &known);

    key_of_bytes(span_of(now->device.bytes, 32), &key);
    if (err == ERR_OK)
        err = view_claim_drop_all(txn, &now->device);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_DEVICE, &key, row);
    if (err == ERR_OK)
        err = view_device_give_up(txn, &known);
    if (err == ERR_OK)
        err = view_static_put(txn, now);
    if (err == ERR_OK) /* Whose it is may have said something. */
        err = agenda_put(txn, AGENDA_NOW, KIND_RETIRE, key_span(&key));
    txn->news.has_links = true;
    return err;
}

enum err view_device_prove(struct ledger_txn *txn, const struct public_key *device,
                           const struct public_key *member)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct device_row row;
    struct buf copy = {0};
    struct span claim;
    enum err err = view_device_of(&snapshot, device, member, &row);

    if (err != ERR_OK || !row.is_claim)
        return err == ERR_OK ? view_claim_drop_all(txn, device) : err;
    err = view_claim_get(&snapshot, device, member, &claim);
    if (err == ERR_OK) {
        buf_append(&copy, claim);
        err = buf_err(&copy);
    }
    if (err == ERR_OK)
        err = view_device_take_over(txn, &row, buf_span(&copy));
    buf_release(&copy);
    return err;
}

static enum err view_device_on_counted(void *self, const struct device_row *device)
{
    (void)device;
    return ++*(size_t *)self >= DEVICES_MAX ? ERR_LIMIT : ERR_OK;
}

/* PROTOCOL FACT-2: "Of one member 256 devices are known; others are passed over." */
enum err view_device_has_room(const struct snapshot *snapshot, const struct public_key *member)
{
    size_t count = 0;

    return public_key_is_equal(member, ledger_member(snapshot->ledger))
               ? ERR_OK
               : view_device_each(snapshot, member, view_device_on_counted, &count);
}

/* PROTOCOL CERT-6: "Of two members who certify one signing key the first is held to be right, until
 * an entry that it signed in a space of one of them says whose it is: for good." */
enum err view_device_put_claim(struct ledger_txn *txn, const struct device_row *known,
                               const struct certificate *certificate, struct span row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct device_row before;
    bool is_proven = false, is_known, is_other = false;
    enum err err = view_claim_is_proven(&snapshot, known, &is_proven);

    if (err != ERR_OK || is_proven)
        return err;
    err = view_device_of(&snapshot, &certificate->device, &certificate->member, &before);
    is_known = err == ERR_OK;
    if (is_known)
        is_other = memcmp(before.receiving_key, certificate->receiving_key, KEY_SIZE) != 0;
    else if (err == ERR_NOT_FOUND)
        err = view_device_has_room(&snapshot, &certificate->member);
    if (err != ERR_OK)
        return err == ERR_LIMIT ? ERR_OK : err;
    if (is_known && memcmp(before.static_key, certificate->static_key, KEY_SIZE) != 0)
        err = view_claim_drop_static(txn, &before);
    if (err == ERR_OK)
        err = view_claim_put(txn, &certificate->device, &certificate->member, row);
    if (err == ERR_OK)
        err = view_claim_put_static(txn, certificate->static_key, &certificate->member,
                                    &certificate->device);
    return err == ERR_OK && (!is_known || is_other)
               ? space_devices_changed(txn, &certificate->member)
               : err;
}
