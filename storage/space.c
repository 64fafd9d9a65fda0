/* Spaces of mine and who reads them. Readers are counted when an epoch opens; nobody else decides.
 */
#include "storage/space.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "proto/card.h"
#include "proto/device.h"
#include "proto/limits.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/restate.h"
#include "storage/row.h"
#include "storage/view_peer.h"

/* The devices that get an epoch's key wrapped, and the member keys its readers are counted by. */
struct space_audience {
    uint8_t recipients[EPOCH_WRAPS_MAX][KEY_SIZE];
    size_t recipients_count;
    struct public_key *readers; /* sorted before use */
    size_t readers_count, readers_capacity;
};

static enum err space_add_reader(struct space_audience *audience, const struct public_key *reader)
{
    if (audience->readers_count == audience->readers_capacity) {
        size_t capacity = audience->readers_capacity == 0 ? 16 : audience->readers_capacity * 2;
        struct public_key *grown = heap_resize(audience->readers, capacity * sizeof *grown);

        if (grown == NULL)
            return ERR_NOMEM;
        audience->readers = grown;
        audience->readers_capacity = capacity;
    }
    audience->readers[audience->readers_count++] = *reader;
    return ERR_OK;
}

static enum err space_on_device(void *self, const struct device_row *device)
{
    struct space_audience *audience = self;

    if (audience->recipients_count == EPOCH_WRAPS_MAX)
        return ERR_LIMIT;
    memcpy(audience->recipients[audience->recipients_count++], device->receiving_key, KEY_SIZE);
    return ERR_OK;
}

/* Own devices and the recovery key read everything of mine. This device's own key is known before
 * its certificate is. */
static enum err space_add_own(const struct snapshot *snapshot, struct space_audience *audience)
{
    const struct exchange_key *own = ledger_receiving_key(snapshot->ledger);
    enum err err =
        view_device_each(snapshot, ledger_member(snapshot->ledger), space_on_device, audience);
    bool has_this = false;

    for (size_t at = 0; at < audience->recipients_count; at++)
        has_this |= memcmp(audience->recipients[at], own->public_key, KEY_SIZE) == 0;
    if (err == ERR_OK && audience->recipients_count + 2 > EPOCH_WRAPS_MAX)
        err = ERR_LIMIT;
    if (err != ERR_OK)
        return err;
    if (!has_this)
        memcpy(audience->recipients[audience->recipients_count++], own->public_key, KEY_SIZE);
    memcpy(audience->recipients[audience->recipients_count++],
           ledger_secrets(snapshot->ledger)->recovery_public, KEY_SIZE);
    return space_add_reader(audience, ledger_member(snapshot->ledger));
}

static enum err space_on_linked(void *self, const struct peer *peer)
{
    return peer->state == LINK_LINKED ? space_add_reader(self, &peer->member) : ERR_OK;
}

static enum err space_find_audience(const struct snapshot *snapshot, const struct space_row *space,
                                    struct space_audience *audience)
{
    enum err err = ERR_OK;

    if (space->kind == SPACE_CARD || space->kind == SPACE_NETWORK) {
        err = space_add_reader(audience, ledger_member(snapshot->ledger));
        return err == ERR_OK ? view_peer_each(snapshot, space_on_linked, audience) : err;
    }
    err = space_add_own(snapshot, audience);
    if (err != ERR_OK || space->kind != SPACE_PAIR)
        return err;
    err = view_device_each(snapshot, &space->reader, space_on_device, audience);
    return err == ERR_OK ? space_add_reader(audience, &space->reader) : err;
}

static int space_order(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct public_key));
}

/* Salt, then the readers in order: what the epoch's commitment to its readers opens to. */
static enum err space_commit_readers(const struct snapshot *snapshot,
                                     struct space_audience *audience, struct buf *out,
                                     struct hash *out_commitment)
{
    struct id salt;

    id_draw_random(ledger_entropy(snapshot->ledger), &salt);
    qsort(audience->readers, audience->readers_count, sizeof *audience->readers, space_order);
    epoch_readers(&salt, audience->readers, audience->readers_count, out_commitment);
    buf_append(out, span_of(salt.bytes, ID_SIZE));
    buf_append(out,
               span_of(audience->readers, audience->readers_count * sizeof *audience->readers));
    return buf_err(out);
}

static struct value space_bytes(const void *bytes, size_t size)
{
    return (struct value){.type = VALUE_BYTES, .bytes = span_of(bytes, size)};
}

/* Records the key in self, so that every own device has it. */
static enum err space_record_key(struct ledger_txn *txn, const struct space_row *space,
                                 const struct hash *id, const uint8_t key[static KEY_SIZE],
                                 uint32_t depth, struct span readers, const struct hash *parent)
{
    struct edit_space edit = {0};
    struct id object;
    enum err err;

    memcpy(object.bytes, id->bytes, ID_SIZE);
    edit_begin(&edit, KIND_KEY, &object, txn->now_ms);
    edit_set(&edit, KEY_EPOCH, 1, space_bytes(id->bytes, HASH_SIZE));
    edit_set(&edit, KEY_SPACE, 1, space_bytes(space->id.bytes, ID_SIZE));
    edit_set(&edit, KEY_BYTES, 1, space_bytes(key, KEY_SIZE));
    edit_set(&edit, KEY_DEPTH, 1, (struct value){.type = VALUE_NUMBER, .number = depth});
    edit_set(&edit, KEY_READERS, 1, space_bytes(readers.data, readers.size));
    if (parent != NULL)
        edit_set(&edit, KEY_PARENT, 1, space_bytes(parent->bytes, HASH_SIZE));
    err = ledger_append(txn, &txn->ledger->self_space, &edit, 0);
    edit_release(&edit);
    return err;
}

enum err space_open_epoch(struct ledger_txn *txn, const struct space_row *space, bool is_fresh,
                          struct hash *out_id)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_audience *audience = heap_new_zeroed(1, sizeof *audience);
    struct epoch_plan plan = {
        .space = space->id, .opener = *ledger_device(txn->ledger), .depth = 1};
    uint8_t *keys = secret_new(2 * KEY_SIZE);
    struct buf readers = {0};
    struct epoch_row parent;
    struct hash current;
    enum err err = audience != NULL && keys != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK)
        err = space_find_audience(&snapshot, space, audience);
    if (err == ERR_OK)
        err = space_commit_readers(&snapshot, audience, &readers, &plan.readers);
    if (err != ERR_OK)
        goto out;
    plan.recipients = audience->recipients[0];
    plan.recipients_count = audience->recipients_count;
    err = epoch_table_current(&snapshot, space->number, &current);
    if (err == ERR_OK) {
        err = epoch_table_get(&snapshot, &current, &parent);
        if (err == ERR_OK)
            err = epoch_table_key(&snapshot, &current, keys);
        plan.parents = &current;
        plan.parents_count = 1;
        plan.parent_keys = is_fresh ? NULL : keys;
        plan.depth = parent.epoch.depth + 1;
    } else if (err == ERR_NOT_FOUND) {
        err = ERR_OK;
    }
    if (err == ERR_OK)
        err = ledger_append_epoch(txn, &space->id, &plan, out_id, keys + KEY_SIZE);
    if (err == ERR_OK)
        err = space_record_key(txn, space, out_id, keys + KEY_SIZE, plan.depth, buf_span(&readers),
                               plan.parents);

out:
    buf_release(&readers);
    secret_free(keys);
    if (audience != NULL)
        heap_free(audience->readers);
    heap_free(audience);
    return err;
}

enum err space_create(struct ledger_txn *txn, enum space_kind kind, const struct public_key *peer,
                      struct id *out_id)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space = {.kind = kind, .is_mine = true, .writer = *ledger_member(txn->ledger)};
    struct edit_space edit = {0};
    struct hash epoch;
    enum err err;

    if (kind == SPACE_SELF)
        space.id = txn->ledger->self_space;
    else
        id_draw_random(&txn->ledger->entropy, &space.id);
    if (peer != NULL)
        space.reader = *peer;
    err = ledger_add_space(txn, &space);
    if (err == ERR_OK)
        err = ledger_space(&snapshot, &space.id, &space);
    if (err == ERR_OK)
        err = space_open_epoch(txn, &space, false, &epoch);
    if (err != ERR_OK)
        return err;
    edit_begin(&edit, KIND_SPACE, &space.id, txn->now_ms);
    edit_set(&edit, SPACE_FIELD_KIND, 1, (struct value){.type = VALUE_NUMBER, .number = kind});
    if (peer != NULL)
        edit_set(&edit, SPACE_FIELD_PEER, 1, space_bytes(peer->bytes, 32));
    err = ledger_append(txn, &txn->ledger->self_space, &edit, 0);
    edit_release(&edit);
    *out_id = space.id;
    return err;
}

/* Grants. */

enum err space_grant(struct ledger_txn *txn, const struct id *space, const struct public_key *peer)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *link = secret_new(sizeof *link);
    uint8_t *key = secret_new(KEY_SIZE);
    struct edit_space edit = {0};
    struct space_row row;
    struct hash current;
    struct id object;
    enum err err = link != NULL && key != NULL ? ledger_space(&snapshot, space, &row) : ERR_NOMEM;

    if (err == ERR_OK)
        err = view_peer(&snapshot, peer, link);
    if (err == ERR_OK && !link->has_pair_out)
        err = ERR_STATE;
    if (err == ERR_OK)
        err = epoch_table_current(&snapshot, row.number, &current);
    if (err == ERR_OK)
        err = epoch_table_key(&snapshot, &current, key);
    if (err == ERR_OK) {
        struct object known = {0};
        uint32_t number;

        memcpy(object.bytes, current.bytes, ID_SIZE);
        err = row_get(&snapshot, &link->pair_out, KIND_GRANT, &object, &known, &number);
        object_release(&known);
    }
    if (err == ERR_NOT_FOUND) {
        edit_begin(&edit, KIND_GRANT, &object, txn->now_ms);
        edit_set(&edit, GRANT_SPACE, 1, space_bytes(space->bytes, ID_SIZE));
        edit_set(&edit, GRANT_SPACE_KIND, 1,
                 (struct value){.type = VALUE_NUMBER, .number = row.kind});
        edit_set(&edit, GRANT_EPOCH, 1, space_bytes(current.bytes, HASH_SIZE));
        edit_set(&edit, GRANT_KEY, 1, space_bytes(key, KEY_SIZE));
        err = ledger_append(txn, &link->pair_out, &edit, 0);
    }
    edit_release(&edit);
    secret_free(key);
    secret_free(link);
    return err;
}

enum err space_grant_all(struct ledger_txn *txn, const struct id *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_audience *linked = heap_new_zeroed(1, sizeof *linked);
    enum err err = linked != NULL ? view_peer_each(&snapshot, space_on_linked, linked) : ERR_NOMEM;

    for (size_t at = 0; err == ERR_OK && at < linked->readers_count; at++)
        err = space_grant(txn, space, &linked->readers[at]);
    if (linked != NULL)
        heap_free(linked->readers);
    heap_free(linked);
    return err;
}

enum err space_rotate(struct ledger_txn *txn, const struct id *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row row;
    struct hash epoch;
    enum err err = ledger_space(&snapshot, space, &row);

    if (err == ERR_OK)
        err = space_open_epoch(txn, &row, false, &epoch);
    if (err != ERR_OK || (row.kind != SPACE_CARD && row.kind != SPACE_NETWORK))
        return err;
    return space_grant_all(txn, space);
}

enum err space_rotate_own(struct ledger_txn *txn, enum space_kind kind)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space;
    enum err err = ledger_own_space(&snapshot, kind, &space);

    return err == ERR_NOT_FOUND ? ERR_OK : err == ERR_OK ? space_rotate(txn, &space.id) : err;
}

/* Does the peer have the key of the space's current epoch? */
static enum err space_is_reader(struct ledger_txn *txn, const struct space_row *space,
                                const struct public_key *peer, bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *link = secret_new(sizeof *link);
    struct object grant = {0};
    struct hash current;
    struct id object;
    uint32_t number;
    enum err err = link != NULL ? view_peer(&snapshot, peer, link) : ERR_NOMEM;

    if (err == ERR_OK && !link->has_pair_out)
        err = ERR_STATE;
    if (err == ERR_OK)
        err = epoch_table_current(&snapshot, space->number, &current);
    if (err == ERR_OK) {
        memcpy(object.bytes, current.bytes, ID_SIZE);
        err = row_get(&snapshot, &link->pair_out, KIND_GRANT, &object, &grant, &number);
        *out = err == ERR_OK;
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    object_release(&grant);
    secret_free(link);
    return err;
}

enum err space_admit(struct ledger_txn *txn, const struct id *space, const struct public_key *peer)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row row;
    bool is_reader = true, is_due = false;
    enum err err = follow_all(txn);

    if (err == ERR_OK)
        err = ledger_space(&snapshot, space, &row);
    if (err == ERR_OK)
        err = space_is_reader(txn, &row, peer, &is_reader);
    if (err == ERR_OK && !is_reader)
        err = restate_is_due(txn, &row, &is_due);
    if (err != ERR_OK)
        return err;
    return is_due ? restate_space(txn, space) : space_grant(txn, space, peer);
}

/* A new store. */

static enum err space_put_certificate(struct ledger_txn *txn, const struct id *card,
                                      struct span device_name)
{
    struct ledger *ledger = txn->ledger;
    struct certificate certificate = {.member = ledger->secrets->member,
                                      .device = ledger->signing->public_key,
                                      .time_ms = txn->now_ms,
                                      .name = device_name};
    struct edit_space edit = {0};
    struct buf statement = {0};
    struct id object;
    enum err err;

    memcpy(certificate.static_key, ledger->statics->public_key, KEY_SIZE);
    memcpy(certificate.receiving_key, ledger->receiving->public_key, KEY_SIZE);
    err = certificate_issue(&certificate, ledger->root, &statement);
    if (err == ERR_OK) {
        id_about("kith device", &certificate.device, &object);
        edit_begin(&edit, KIND_CERTIFICATE, &object, txn->now_ms);
        edit_set(&edit, CERTIFICATE_STATEMENT, 1, space_bytes(statement.data, statement.size));
        err = ledger_append(txn, card, &edit, 0);
    }
    edit_release(&edit);
    buf_release(&statement);
    return err;
}

enum err space_renew_knock(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    static const struct id only = {{0}};
    uint8_t knock[KEY_SIZE];
    struct edit_space edit = {0};
    struct object door = {0};
    struct space_row card;
    struct id object;
    uint32_t number;
    enum err err = ledger_own_space(&snapshot, SPACE_CARD, &card);

    if (err != ERR_OK)
        return err;
    entropy_fill(&txn->ledger->entropy, knock, sizeof knock);
    id_draw(&txn->ledger->entropy, txn->now_ms, &object);
    edit_begin(&edit, KIND_KNOCK, &object, txn->now_ms);
    edit_set(&edit, KNOCK_KEY, 1, space_bytes(knock, KEY_SIZE));
    edit_set(&edit, KNOCK_CREATED, 1, (struct value){.type = VALUE_NUMBER, .number = txn->now_ms});
    err = ledger_append(txn, &txn->ledger->self_space, &edit, 0);
    if (err == ERR_OK)
        err = row_get(&snapshot, &card.id, KIND_DOOR, &only, &door, &number);
    if (err == ERR_OK || err == ERR_NOT_FOUND) {
        edit_begin(&edit, KIND_DOOR, &only, txn->now_ms);
        edit_set(&edit, DOOR_KNOCK, object_next_counter(&door, DOOR_KNOCK),
                 space_bytes(knock, KEY_SIZE));
        err = ledger_append(txn, &card.id, &edit, 0);
    }
    object_release(&door);
    edit_release(&edit);
    secret_wipe(knock, sizeof knock);
    return err;
}

enum err ledger_create(struct kv *kv, const struct device_secrets *secrets,
                       const struct entropy *entropy, struct span device_name, uint64_t now_ms)
{
    struct ledger *ledger;
    struct ledger_txn *txn;
    struct id self, card;
    enum err err;

    if (!secrets->has_root)
        return ERR_STATE;
    err = ledger_create_empty(kv, secrets, entropy, now_ms, &ledger, &txn);
    if (err != ERR_OK)
        return err;
    err = space_create(txn, SPACE_SELF, NULL, &self);
    if (err == ERR_OK)
        err = space_create(txn, SPACE_CARD, NULL, &card);
    if (err == ERR_OK)
        err = space_put_certificate(txn, &card, device_name);
    if (err == ERR_OK)
        err = space_renew_knock(txn);
    if (err == ERR_OK)
        err = ledger_commit(txn, NULL);
    else
        ledger_abort(txn);
    ledger_close(ledger);
    return err;
}
