/*
 * What one device does so that the others of its member can go on: keys it alone was told stand in
 * self, its addresses in the card space; and what others made becomes known here.
 */
#include <string.h>

#include "crypto/secret.h"
#include "proto/card.h"
#include "proto/device.h"
#include "proto/limits.h"
#include "proto/link.h"
#include "storage/agenda.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/row.h"
#include "storage/space.h"
#include "storage/standing.h"
#include "storage/view_certificate.h"

enum { SPACE_KEYS_ROUND = 256 }; /* keys told in one answer */

struct space_siblings {
    const struct snapshot *snapshot;
    bool has_one;
};

static enum err space_on_sibling(void *self, const struct device_row *device)
{
    struct space_siblings *siblings = self;
    struct retire_state state;
    enum err err = ERR_OK;

    if (public_key_is_equal(&device->device, ledger_device(siblings->snapshot->ledger)))
        return ERR_OK;
    err = retire_table_state(siblings->snapshot, &device->device, &state);
    siblings->has_one |= err == ERR_OK && !state.is_retired;
    return err;
}

enum err space_has_siblings(const struct snapshot *snapshot, bool *out)
{
    struct space_siblings siblings = {.snapshot = snapshot};
    enum err err =
        view_device_each(snapshot, ledger_member(snapshot->ledger), space_on_sibling, &siblings);

    *out = siblings.has_one;
    return err;
}

/* What others made. */

/* *out_is_new: it was not known here. */
static enum err space_note(struct ledger_txn *txn, const struct space_row *space, bool *out_is_new)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row known;
    enum err err = ledger_space(&snapshot, &space->id, &known);

    if (err != ERR_NOT_FOUND)
        return err;
    *out_is_new = true;
    return ledger_add_space(txn, space);
}

static enum err space_note_known(struct ledger_txn *txn, const struct public_key *member)
{
    return agenda_put(txn, AGENDA_NOW, KIND_LINK, span_of(member->bytes, 32));
}

static enum err space_learn_row(struct ledger_txn *txn, struct space_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool is_new = false;
    enum err err = space_note(txn, row, &is_new);

    if (err != ERR_OK || !is_new)
        return err;
    err = ledger_space(&snapshot, &row->id, row);
    if (err == ERR_OK)
        err = space_unsettle(txn, row);
    return err == ERR_OK ? space_note_known(txn, ledger_member(txn->ledger)) : err;
}

enum err space_learn_network(struct ledger_txn *txn, const struct id *id)
{
    struct space_row row = {
        .id = *id, .kind = SPACE_NETWORK, .is_mine = true, .writer = *ledger_member(txn->ledger)};

    return space_learn_row(txn, &row);
}

/* PROTOCOL OWN-8: "A space object of self makes a space of the member known, a link object the
 * spaces of the peer and, by its chain, the device it was made with." */
enum err space_learn(struct ledger_txn *txn, const struct object *space)
{
    const struct public_key *own = ledger_member(txn->ledger);
    uint64_t kind = object_number(space, SPACE_FIELD_KIND);
    struct span peer = object_value(space, SPACE_FIELD_PEER).bytes;
    struct space_row row = {
        .id = space->id, .kind = (enum space_kind)kind, .is_mine = true, .writer = *own};

    if (kind < SPACE_SELF || kind > SPACE_NETWORK || (kind == SPACE_PAIR && peer.size != 32))
        return ERR_OK;
    if (kind == SPACE_PAIR)
        memcpy(row.reader.bytes, peer.data, 32);
    return space_learn_row(txn, &row);
}

static bool space_read_id(const struct object *link, uint8_t field, struct id *out)
{
    struct span bytes = object_value(link, field).bytes;

    if (bytes.size == ID_SIZE)
        memcpy(out->bytes, bytes.data, ID_SIZE);
    return bytes.size == ID_SIZE;
}

static enum err space_learn_device(struct ledger_txn *txn, const struct object *link,
                                   const struct public_key *member, bool *out_is_new)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span identity = object_value(link, LINK_CHAIN).bytes;
    struct device_chain chain;
    struct device_row known;
    struct hash next_root;
    enum err err;

    if (identity.size == 0)
        return ERR_OK;
    err = device_read_identity(identity, &chain, &next_root);
    if (err == ERR_OK && !public_key_is_equal(&chain.member, member))
        err = ERR_FORGED;
    if (err == ERR_OK)
        err = view_device(&snapshot, &device_of(&chain)->device, &known);
    if (err == ERR_NOT_FOUND) {
        *out_is_new = true;
        return view_device_learn(txn, &chain);
    }
    return err == ERR_MALFORMED || err == ERR_FORGED ? ERR_OK : err;
}

enum err space_learn_link(struct ledger_txn *txn, const struct object *link)
{
    struct space_row pair = {.kind = SPACE_PAIR, .reader = *ledger_member(txn->ledger)};
    struct space_row card = {.kind = SPACE_CARD};
    bool is_new = false;
    enum err err;

    memcpy(pair.writer.bytes, object_value(link, LINK_MEMBER).bytes.data, 32);
    card.writer = pair.writer;
    err = space_learn_device(txn, link, &pair.writer, &is_new);
    if (err == ERR_OK && space_read_id(link, LINK_PAIR_IN, &pair.id))
        err = space_note(txn, &pair, &is_new);
    if (err == ERR_OK && space_read_id(link, LINK_CARD_IN, &card.id))
        err = space_note(txn, &card, &is_new);
    return err == ERR_OK && is_new ? space_note_known(txn, &pair.writer) : err;
}

enum err space_tend_known(struct ledger_txn *txn, struct span name)
{
    struct public_key member;

    if (name.size != 32)
        return ERR_OK;
    memcpy(member.bytes, name.data, 32);
    txn->news.has_links = true;
    return view_device_news(txn, &member);
}

/* What the others need. */

struct space_keys {
    struct ledger_txn *txn;
    const struct space_row *space;
    struct hash missing[SPACE_KEYS_ROUND];
    size_t count;
};

/* Does self hold this key, or is there none to tell? */
static enum err space_find_key(struct space_keys *keys, const struct hash *epoch, bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(keys->txn);
    struct object known = {0};
    struct epoch_row row;
    struct id object;
    uint32_t number;
    enum err err = epoch_table_get(&snapshot, epoch, &row);

    *out = err != ERR_OK || !row.has_key || !row.is_known || row.space != keys->space->number;
    if (err != ERR_OK || *out)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    memcpy(object.bytes, epoch->bytes, ID_SIZE);
    err = row_get(&snapshot, ledger_self_space(keys->txn->ledger), KIND_KEY, &object, &known,
                  &number);
    *out = err == ERR_OK;
    object_release(&known);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err space_on_key(void *self, const struct hash *epoch)
{
    struct space_keys *keys = self;
    bool is_there;
    enum err err = space_find_key(keys, epoch, &is_there);

    if (err != ERR_OK || is_there)
        return err;
    if (keys->count == SPACE_KEYS_ROUND)
        return ERR_CANCELLED;
    keys->missing[keys->count++] = *epoch;
    return ERR_OK;
}

static enum err space_tell_key(struct ledger_txn *txn, const struct id *space,
                               const struct hash *epoch, uint64_t counter)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t *key = secret_new(KEY_SIZE);
    struct edit_space edit = {0};
    struct id object;
    enum err err = key != NULL ? epoch_table_key(&snapshot, epoch, key) : ERR_NOMEM;

    memcpy(object.bytes, epoch->bytes, ID_SIZE);
    edit_begin(&edit, KIND_KEY, &object, txn->now_ms);
    edit_set(&edit, KEY_EPOCH, counter,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(epoch->bytes, HASH_SIZE)});
    edit_set(&edit, KEY_SPACE, counter,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(space->bytes, ID_SIZE)});
    edit_set(&edit, KEY_BYTES, counter,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(key, KEY_SIZE)});
    if (err == ERR_OK)
        err = ledger_append(txn, &txn->ledger->self_space, &edit, 0);
    edit_release(&edit);
    secret_free(key);
    return err;
}

/* Does a log tell the key under an epoch deeper than this one? Whoever reads that can come so far.
 */
static enum err space_is_told_deeper(struct ledger_txn *txn, const struct object *known,
                                     uint32_t depth, bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct object_register *key = object_register(known, KEY_BYTES);
    struct epoch_row epoch = {.epoch = {.depth = 0}};
    struct entry_row row;
    struct hash id;
    enum err err = key != NULL ? ledger_entry(&snapshot, key->arrival, &row) : ERR_NOT_FOUND;

    *out = false;
    if (err == ERR_OK && row.is_cut)
        return ERR_OK;
    if (err == ERR_OK)
        err = epoch_table_of_log(&snapshot, row.log, row.entry.header.epoch_index, &id);
    if (err == ERR_OK)
        err = epoch_table_get(&snapshot, &id, &epoch);
    *out = err == ERR_OK && epoch.epoch.depth > depth;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err space_tell_older(struct ledger_txn *txn, const struct space_row *space,
                          const struct hash *epoch, uint32_t depth)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct object known = {0};
    struct epoch_row row;
    struct id object;
    uint64_t counter = 1;
    uint32_t ignored;
    bool is_told = false;
    enum err err = epoch_table_get(&snapshot, epoch, &row);

    if (err != ERR_OK || !row.has_key)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    memcpy(object.bytes, epoch->bytes, ID_SIZE);
    err = row_get(&snapshot, ledger_self_space(txn->ledger), KIND_KEY, &object, &known, &ignored);
    if (err == ERR_OK) {
        counter += object_register(&known, KEY_BYTES) != NULL
                       ? object_register(&known, KEY_BYTES)->counter
                       : 0;
        err = space_is_told_deeper(txn, &known, depth, &is_told);
    }
    object_release(&known);
    if ((err == ERR_OK || err == ERR_NOT_FOUND) && !is_told)
        err = space_tell_key(txn, &space->id, epoch, counter);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err space_tell_keys(struct ledger_txn *txn, const struct space_row *space,
                                const struct hash *epoch, bool *out_is_full)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_keys *keys = secret_new(sizeof *keys);
    enum err err = keys != NULL ? ERR_OK : ERR_NOMEM;

    if (err != ERR_OK)
        return err;
    keys->txn = txn;
    keys->space = space;
    err = epoch != NULL ? space_on_key(keys, epoch)
                        : epoch_table_each(&snapshot, space->number, space_on_key, keys);
    *out_is_full = err == ERR_CANCELLED;
    if (err == ERR_CANCELLED)
        err = ERR_OK;
    for (size_t at = 0; at < keys->count && err == ERR_OK; at++)
        err = space_tell_key(txn, &space->id, &keys->missing[at], 1);
    secret_free(keys);
    return err;
}

static enum err space_tell_all_keys(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool is_full = false;
    enum err err = ERR_OK;

    for (uint32_t number = 1; err == ERR_OK && !is_full && number <= txn->counters.spaces;
         number++) {
        struct space_row space;

        err = ledger_space_numbered(&snapshot, number, &space);
        if (err == ERR_OK && !space.is_mine && space.kind == SPACE_PAIR)
            err = space_tell_keys(txn, &space, NULL, &is_full);
    }
    return err == ERR_OK && is_full ? agenda_put(txn, AGENDA_NOW, KIND_KEY, span_of(NULL, 0)) : err;
}

/* PROTOCOL OWN-9: "A key of a peer's pair space that one device was told stands in self, where the
 * member has several devices: the peer wraps for a new one a day later, and never what is older."
 */
enum err space_tend_keys(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space;
    struct epoch_row row;
    struct hash epoch;
    bool has_siblings, is_full;
    enum err err = space_has_siblings(&snapshot, &has_siblings);

    if (err != ERR_OK || !has_siblings)
        return err;
    if (name.size != HASH_SIZE)
        return space_tell_all_keys(txn);
    memcpy(epoch.bytes, name.data, HASH_SIZE);
    err = epoch_table_get(&snapshot, &epoch, &row);
    if (err == ERR_OK)
        err = ledger_space_numbered(&snapshot, row.space, &space);
    if (err == ERR_OK)
        err = space_tell_keys(txn, &space, &epoch, &is_full);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

struct space_uncertain {
    const struct snapshot *snapshot;
    struct device_row devices[16]; /* of one round */
    size_t count;
};

static enum err space_on_uncertain(void *self, const struct device_row *device)
{
    struct space_uncertain *uncertain = self;
    enum standing standing = STANDING_GOOD, certifier = STANDING_GOOD;
    enum err err = standing_of(uncertain->snapshot, &device->device, &standing);

    if (err == ERR_OK && !public_key_is_equal(&device->certifier, &device->member))
        err = standing_of(uncertain->snapshot, &device->certifier, &certifier);
    if (err == ERR_OK && standing == STANDING_GOOD && certifier == STANDING_FORKED &&
        uncertain->count < 16)
        uncertain->devices[uncertain->count++] = *device;
    return err;
}

static enum err space_on_untold(void *self, const struct device_row *device)
{
    struct space_uncertain *untold = self;
    enum standing standing = STANDING_GOOD;
    struct object shown = {0};
    struct space_row card;
    struct id object;
    uint32_t number;
    enum err err = standing_of(untold->snapshot, &device->device, &standing);

    if (err == ERR_OK)
        err = ledger_own_space(untold->snapshot, SPACE_CARD, &card);
    id_about("kith device", &device->device, &object);
    if (err == ERR_OK)
        err = row_get(untold->snapshot, &card.id, KIND_CERTIFICATE, &object, &shown, &number);
    object_release(&shown);
    if (err != ERR_NOT_FOUND)
        return err;
    if (standing == STANDING_GOOD && untold->count < 16 &&
        !public_key_is_equal(&device->device, ledger_device(untold->snapshot->ledger)))
        untold->devices[untold->count++] = *device;
    return ERR_OK;
}

/* PROTOCOL RETIRE-13: "A device that knows of another of its member, and finds nothing about it in
 * the card space, puts the certificate there: its log may be lost, and the others would disagree on
 * who reads." */
static enum err space_show_untold(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_uncertain untold = {.snapshot = &snapshot};
    enum err err =
        view_device_each(&snapshot, ledger_member(txn->ledger), space_on_untold, &untold);

    for (size_t at = 0; err == ERR_OK && at < untold.count; at++) {
        struct buf statement = {0};
        struct device_row row;
        struct span had;

        err = view_device_stated(&snapshot, &untold.devices[at].device, &row, &had);
        if (err == ERR_OK) {
            buf_append(&statement, had); /* What it lies in may move. */
            err = buf_err(&statement);
        }
        if (err == ERR_OK && statement.size > 0)
            err = space_put_certificate(txn, &untold.devices[at].device, buf_span(&statement));
        buf_release(&statement);
    }
    return err;
}

static enum err space_certify_anew(struct ledger_txn *txn, const struct device_row *device)
{
    struct certificate certificate = {.member = device->member,
                                      .device = device->device,
                                      .certifier = device->member,
                                      .time_ms = txn->now_ms,
                                      .name = span_str(device->name)};
    struct buf statement = {0};
    enum err err;

    memcpy(certificate.static_key, device->static_key, KEY_SIZE);
    memcpy(certificate.receiving_key, device->receiving_key, KEY_SIZE);
    err = certificate_issue(&certificate, ledger_root_key(txn->ledger), &statement);
    if (err == ERR_OK)
        err = space_put_certificate(txn, &device->device, buf_span(&statement));
    buf_release(&statement);
    return err;
}

/* PROTOCOL RETIRE-12: "by a device that holds the root as soon as that learns of it" */
enum err space_tend_certificates(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_uncertain uncertain = {.snapshot = &snapshot};
    struct public_key member;
    enum standing here;
    enum err err = standing_of(&snapshot, ledger_device(txn->ledger), &here);

    if (name.size == sizeof member.bytes) {
        memcpy(member.bytes, name.data, name.size);
        return view_certificate_judge(txn, &member);
    }
    if (err != ERR_OK || here != STANDING_GOOD)
        return err;
    err = space_show_untold(txn);
    if (err != ERR_OK || ledger_root_key(txn->ledger) == NULL)
        return err;
    err = view_device_each(&snapshot, ledger_member(txn->ledger), space_on_uncertain, &uncertain);
    for (size_t at = 0; err == ERR_OK && at < uncertain.count; at++)
        err = space_certify_anew(txn, &uncertain.devices[at]);
    return err;
}

/* PROTOCOL OWN-10: "Where a device can be reached stands in the card space, when it has changed and
 * the member has another device. A single one tells it in each session's first message, and by no
 * other way could the entry come." */
enum err space_tend_reach(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct object reach = {0};
    struct buf addresses = {0};
    struct edit_space edit = {0};
    struct space_row card;
    struct id object;
    uint32_t number;
    bool has_siblings;
    enum err err = space_has_siblings(&snapshot, &has_siblings);

    (void)name;
    if (err != ERR_OK || !has_siblings)
        return err;
    err = view_peer_own_addresses(&snapshot, &addresses);
    if (err == ERR_OK && addresses.size > 0)
        err = ledger_own_space(&snapshot, SPACE_CARD, &card);
    id_about("kith device", ledger_device(txn->ledger), &object);
    if (err == ERR_OK && addresses.size > 0)
        err = row_get(&snapshot, &card.id, KIND_REACH, &object, &reach, &number);
    if (err == ERR_NOT_FOUND)
        err = ERR_OK;
    if (err == ERR_OK && addresses.size > 0 &&
        !span_is_equal(object_value(&reach, REACH_ADDRESSES).bytes, buf_span(&addresses))) {
        edit_begin(&edit, KIND_REACH, &object, txn->now_ms);
        edit_set(&edit, REACH_ADDRESSES, object_next_counter(&reach, REACH_ADDRESSES),
                 (struct value){.type = VALUE_BYTES, .bytes = buf_span(&addresses)});
        err = ledger_append(txn, &card.id, &edit, 0);
    }
    object_release(&reach);
    edit_release(&edit);
    buf_release(&addresses);
    return err;
}
