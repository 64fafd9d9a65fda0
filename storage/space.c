/* Spaces of mine: how they begin, and who is told the keys of card and network. */
#include "storage/space.h"

#include <string.h>

#include "crypto/secret.h"
#include "proto/card.h"
#include "proto/device.h"
#include "proto/limits.h"
#include "storage/agenda.h"
#include "storage/follow.h"
#include "storage/join.h"
#include "storage/ledger_state.h"
#include "storage/restate.h"
#include "storage/row.h"
#include "storage/space_state.h"
#include "storage/view_peer.h"

static struct value space_bytes(const void *bytes, size_t size)
{
    return (struct value){.type = VALUE_BYTES, .bytes = span_of(bytes, size)};
}

enum err space_tell(struct ledger_txn *txn, const struct space_row *space)
{
    struct edit_space edit = {0};
    enum err err;

    edit_begin(&edit, KIND_SPACE, &space->id, txn->now_ms);
    edit_set(&edit, SPACE_FIELD_KIND, 1,
             (struct value){.type = VALUE_NUMBER, .number = space->kind});
    if (space->kind == SPACE_PAIR)
        edit_set(&edit, SPACE_FIELD_PEER, 1, space_bytes(space->reader.bytes, 32));
    err = ledger_append(txn, &txn->ledger->self_space, &edit, 0);
    edit_release(&edit);
    return err;
}

enum err space_create_as(struct ledger_txn *txn, enum space_kind kind,
                         const struct public_key *peer, const struct id *id)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space = {
        .id = *id, .kind = kind, .is_mine = true, .writer = *ledger_member(txn->ledger)};
    struct hash epoch;
    enum err err;

    if (peer != NULL)
        space.reader = *peer;
    err = ledger_add_space(txn, &space);
    if (err == ERR_OK)
        err = ledger_space(&snapshot, &space.id, &space);
    if (err == ERR_OK)
        err = space_open_epoch(txn, &space, false, &epoch);
    /* PROTOCOL SELF-2: "that of another space comes with its first epoch." */
    return err == ERR_OK ? space_tell(txn, &space) : err;
}

/* PROTOCOL OWN-11: "The id of a pair or network space is the first 16 bytes of KDF(secret, `kith
 * space`, kind u8 | root of the reader, nothing in a network space), where secret is the psk
 * between own devices: two of them that make it without knowing of each other make one space." */
enum err space_id(struct ledger_txn *txn, enum space_kind kind, const struct public_key *peer,
                  struct id *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t *secret = secret_new(KEY_SIZE);
    uint8_t context[1 + 32] = {(uint8_t)kind}, derived[KEY_SIZE];
    enum err err = secret != NULL ? join_secret(&snapshot, secret) : ERR_NOMEM;

    if (peer != NULL)
        memcpy(context + 1, peer->bytes, 32);
    if (err == ERR_OK) {
        digest_derive(secret, "kith space", span_of(context, peer != NULL ? sizeof context : 1),
                      derived);
        memcpy(out->bytes, derived, ID_SIZE);
    }
    secret_free(secret);
    return err;
}

enum err space_create(struct ledger_txn *txn, enum space_kind kind, const struct public_key *peer,
                      struct id *out_id)
{
    enum err err = ERR_OK;

    if (kind == SPACE_SELF)
        *out_id = txn->ledger->self_space;
    else if (kind == SPACE_CARD)
        id_draw_random(&txn->ledger->entropy, out_id);
    else
        err = space_id(txn, kind, peer, out_id);
    return err == ERR_OK ? space_create_as(txn, kind, peer, out_id) : err;
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
    bool is_granted = false;
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
        is_granted = err == ERR_OK;
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    if (err == ERR_OK && !is_granted) {
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

/* Was the peer granted this epoch of the space? */
static enum err space_is_reader(struct ledger_txn *txn, const struct hash *epoch,
                                const struct public_key *peer, bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *link = secret_new(sizeof *link);
    struct object grant = {0};
    struct id object;
    uint32_t number;
    enum err err = link != NULL ? view_peer(&snapshot, peer, link) : ERR_NOMEM;

    if (err == ERR_OK && !link->has_pair_out)
        err = ERR_STATE;
    if (err == ERR_OK) {
        memcpy(object.bytes, epoch->bytes, ID_SIZE);
        err = row_get(&snapshot, &link->pair_out, KIND_GRANT, &object, &grant, &number);
        *out = err == ERR_OK;
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    object_release(&grant);
    secret_free(link);
    return err;
}

struct space_readers {
    enum space_kind kind;
    struct buf members; /* struct public_key */
};

static enum err space_on_reader(void *self, const struct peer *peer)
{
    struct space_readers *readers = self;

    if (space_may_read(readers->kind, peer))
        buf_append(&readers->members, span_of(&peer->member, sizeof peer->member));
    return buf_err(&readers->members);
}

enum err space_grant_all(struct ledger_txn *txn, const struct id *space, const struct hash *held)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_readers readers = {0};
    struct space_row row;
    enum err err = ledger_space(&snapshot, space, &row);

    readers.kind = row.kind;
    if (err == ERR_OK)
        err = view_peer_each_link(&snapshot, space_on_reader, &readers);
    for (size_t at = 0; err == ERR_OK && at < readers.members.size;
         at += sizeof(struct public_key)) {
        struct public_key member;
        bool is_reader = true;

        memcpy(&member, readers.members.data + at, sizeof member);
        if (held != NULL)
            err = space_is_reader(txn, held, &member, &is_reader);
        if (err == ERR_OK && is_reader)
            err = space_grant(txn, space, &member);
    }
    buf_release(&readers.members);
    return err;
}

enum err space_rotate_own(struct ledger_txn *txn, enum space_kind kind)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space;
    enum err err = ledger_own_space(&snapshot, kind, &space);

    return err == ERR_NOT_FOUND ? ERR_OK : err == ERR_OK ? space_rotate(txn, &space.id) : err;
}

/* PROTOCOL RESTATE-7: "Whoever is admitted gets the key of the epoch that is current then, and no
 * other." */
enum err space_admit(struct ledger_txn *txn, const struct id *space, const struct public_key *peer)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row row;
    struct hash current;
    bool is_reader = true, is_due = false, is_free = true;
    enum err err = follow_all(txn);

    if (err == ERR_OK)
        err = ledger_space(&snapshot, space, &row);
    if (err == ERR_OK)
        err = epoch_table_current(&snapshot, row.number, &current);
    if (err == ERR_OK)
        err = space_is_reader(txn, &current, peer, &is_reader);
    if (err == ERR_OK && !is_reader)
        err = restate_is_due(txn, &row, &is_due);
    if (err == ERR_OK && is_due)
        err = restate_may_be_made(txn, &row, &is_free);
    if (err != ERR_OK)
        return err;
    if (!is_free) /* space_reader_tend sees who lacks the key. */
        return agenda_put(txn, txn->now_ms + SPACE_LACK_MS, KIND_SPACE,
                          span_of(row.id.bytes, ID_SIZE));
    return is_due ? restate_space(txn, space) : space_grant(txn, space, peer);
}

/* Certificates. */

enum err space_put_certificate(struct ledger_txn *txn, const struct public_key *device,
                               struct span statement)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct edit_space edit = {0};
    struct object known = {0};
    struct space_row card;
    struct id object;
    uint32_t number;
    enum err err = ledger_own_space(&snapshot, SPACE_CARD, &card);

    id_about("kith device", device, &object);
    if (err == ERR_OK)
        err = row_get(&snapshot, &card.id, KIND_CERTIFICATE, &object, &known, &number);
    if (err == ERR_OK || err == ERR_NOT_FOUND) {
        edit_begin(&edit, KIND_CERTIFICATE, &object, txn->now_ms);
        edit_set(&edit, CERTIFICATE_STATEMENT, object_next_counter(&known, CERTIFICATE_STATEMENT),
                 space_bytes(statement.data, statement.size));
        err = ledger_append(txn, &card.id, &edit, 0);
    }
    edit_release(&edit);
    object_release(&known);
    return err;
}

/* This device's certificate by the root or the device before it. */
static enum err space_certify_by(struct ledger_txn *txn, struct span device_name,
                                 const struct signing_key *by)
{
    struct ledger *ledger = txn->ledger;
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct certificate certificate = {.member = ledger->secrets->member,
                                      .device = ledger->signing->public_key,
                                      .certifier = by->public_key,
                                      .time_ms = txn->now_ms,
                                      .is_successor = by != ledger->root,
                                      .name = device_name};
    struct buf statement = {0};
    enum err err = view_device_may_certify(&snapshot, &certificate);

    if (err == ERR_FORGED)
        return ERR_LIMIT; /* My chain leads there; it has no room. */
    memcpy(certificate.static_key, ledger->statics->public_key, KEY_SIZE);
    memcpy(certificate.receiving_key, ledger->receiving->public_key, KEY_SIZE);
    if (err == ERR_OK)
        err = certificate_issue(&certificate, by, &statement);
    if (err == ERR_OK)
        err = space_put_certificate(txn, &certificate.device, buf_span(&statement));
    buf_release(&statement);
    return err;
}

enum err space_certify(struct ledger_txn *txn, struct span device_name)
{
    const struct signing_key *root = txn->ledger->root;

    return root != NULL ? space_certify_by(txn, device_name, root) : ERR_STATE;
}

/* PROTOCOL RETIRE-12: "Without the root a successor is certified by the device before it, by form
 * 2, as long as its chain has room in all, and by a device that holds the root as soon as that
 * learns of it." */
enum err space_certify_successor(struct ledger_txn *txn, struct span device_name,
                                 const uint8_t before_seed[static 32])
{
    struct signing_key *before;
    enum err err;

    if (txn->ledger->root != NULL)
        return space_certify(txn, device_name);
    before = secret_new(sizeof *before);
    if (before == NULL)
        return ERR_NOMEM;
    identity_signing_key(before_seed, before);
    err = space_certify_by(txn, device_name, before);
    secret_free(before);
    return err;
}

/* A new store. */

enum err ledger_create(struct kv *kv, const struct device_secrets *secrets,
                       const struct entropy *entropy, struct span device_name, uint64_t now_ms)
{
    struct ledger *ledger;
    struct ledger_txn *txn;
    struct id self, card;
    enum err err;

    if (!secrets->has_root)
        return ERR_STATE;
    err = ledger_create_empty(kv, secrets, entropy, NULL, now_ms, &ledger, &txn);
    if (err != ERR_OK)
        return err;
    err = space_create(txn, SPACE_SELF, NULL, &self);
    if (err == ERR_OK)
        err = join_begin(txn);
    if (err == ERR_OK)
        err = space_create(txn, SPACE_CARD, NULL, &card);
    if (err == ERR_OK)
        err = space_certify(txn, device_name);
    if (err == ERR_OK)
        err = space_renew_knock(txn);
    if (err == ERR_OK)
        err = ledger_commit(txn, NULL);
    else
        ledger_abort(txn);
    ledger_close(ledger);
    return err;
}
