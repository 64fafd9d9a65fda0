/* Everything here is a statement, put into a log for others and taken as a fact at once. */
#include "storage/heal.h"

#include <string.h>

#include "crypto/secret.h"
#include "storage/heal_state.h"
#include "storage/join.h"
#include "storage/journal.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/return_table.h"
#include "storage/space.h"
#include "storage/standing.h"
#include "storage/view_peer.h"

enum err heal_is_due(const struct snapshot *snapshot, bool *out)
{
    const struct public_key *device = ledger_device(snapshot->ledger);
    struct return_place place = {0};
    struct retire_state state;
    struct return_row row;
    enum err err = retire_table_state(snapshot, device, &state);

    /* PROTOCOL RETIRE-8: "A device that learns that it was retired as forked takes one successor of
     * its own; one that was retired by its owner, or stolen, takes none, ever." */
    *out = state.is_retired && state.reason == RETIRE_FORKED;
    if (err != ERR_OK || state.is_retired)
        return err;
    while ((err = return_table_next(snapshot, &place, &row)) == ERR_OK)
        if (public_key_is_equal(&place.device, device)) {
            *out = true;
            break;
        }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL RETIRE-7: "A successor's keys are each KDF(32 fresh random bytes, `kith successor`,
 * handshake hash of the session that brought the proof); they are durable before anything uses
 * them." */
void heal_draw(struct device_secrets *secrets, const struct entropy *entropy,
               const uint8_t handshake_hash[static HASH_SIZE])
{
    uint8_t *seeds[3] = {secrets->successor_signing_seed, secrets->successor_static_seed,
                         secrets->successor_receiving_seed};
    struct span context = span_of(handshake_hash, HASH_SIZE);
    uint8_t random[KEY_SIZE];

    for (size_t at = 0; at < 3; at++) {
        entropy_fill(entropy, random, sizeof random);
        digest_derive(random, "kith successor", context, seeds[at]);
    }
    secret_wipe(random, sizeof random);
    secrets->has_successor = true;
}

/* Statements. */

static enum err heal_state(struct ledger_txn *txn, const struct id *space, uint8_t kind,
                           struct span statement)
{
    struct edit_space edit = {0};
    struct id object;
    enum err err = retire_table_take(txn, ledger_member(txn->ledger), statement);

    if (err != ERR_OK)
        return err;
    statement_id(statement, &object);
    edit_begin(&edit, kind, &object, txn->now_ms);
    edit_set(&edit, KIND_STATEMENT_FIELD, 1,
             (struct value){.type = VALUE_BYTES, .bytes = statement});
    err = ledger_append(txn, space, &edit, 0);
    edit_release(&edit);
    return err;
}

/* The root where this device holds it, else the device itself. */
static enum err heal_signer(const struct snapshot *snapshot, struct buf *identity,
                            struct retire_signer *out)
{
    enum err err = ERR_OK;

    *out = (struct retire_signer){.root = ledger_root_key(snapshot->ledger),
                                  .device = ledger_signing_key(snapshot->ledger)};
    if (out->root == NULL)
        err = view_identity(snapshot, identity);
    out->identity = buf_span(identity);
    return err;
}

enum err heal_retire(struct ledger_txn *txn, const struct public_key *device,
                     const struct public_key *successor, enum retire_reason reason)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct retirement retirement = {.device = *device, .reason = reason, .time_ms = txn->now_ms};
    struct buf statement = {0}, identity = {0};
    struct retire_signer signer;
    struct space_row card;
    enum err err = ledger_own_space(&snapshot, SPACE_CARD, &card);

    if (successor != NULL)
        retirement.successor = *successor;
    if (err == ERR_OK)
        err = heal_signer(&snapshot, &identity, &signer);
    if (err == ERR_OK)
        err = retire_issue(&retirement, &signer, &statement);
    if (err == ERR_OK)
        err = heal_state(txn, &card.id, KIND_RETIRE, buf_span(&statement));
    buf_release(&identity);
    buf_release(&statement);
    return err;
}

/* PROTOCOL FORK-5: "The kept mark is, in the space whose reader brought the proof, the end of the
 * branch it gave; in every other space of the member the tip the healer itself holds, which is 0
 * where it holds nothing." */
enum err heal_keep(struct ledger_txn *txn, const struct space_row *space,
                   const struct public_key *device)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct keep keep = {.space = space->id, .device = *device};
    struct buf statement = {0}, identity = {0};
    enum standing standing = STANDING_GOOD;
    struct retire_signer signer;
    struct log_row log;
    struct keep known;
    struct chain end;
    enum err err = retire_table_keep(&snapshot, space->number, device, &known);

    if (err == ERR_OK)
        return keep_apply(txn, space, device);
    if (err != ERR_NOT_FOUND)
        return err;
    err = standing_of(&snapshot, device, &standing);
    if (err == ERR_OK)
        err = standing_is_out(standing)
                  ? ERR_NOT_FOUND
                  : keep_longest_return(txn, space, device, &end, keep.signature);
    if (err == ERR_NOT_FOUND) {
        err = log_table_now(txn, space, device, &log);
        end = log.tip;
        memcpy(keep.signature, log.head_signature, SIGNATURE_SIZE);
    }
    if (err != ERR_OK)
        return err;
    keep.size = end.size;
    keep.hash = end.hash;
    err = heal_signer(&snapshot, &identity, &signer);
    if (err == ERR_OK)
        err = retire_issue_keep(&keep, &signer, &statement);
    if (err == ERR_OK)
        err = heal_state(txn, &space->id, KIND_KEEP, buf_span(&statement));
    buf_release(&identity);
    buf_release(&statement);
    return err == ERR_KEY_MISSING ? ERR_OK : err;
}

enum err heal_keep_all(struct ledger_txn *txn, const struct public_key *device)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = ERR_OK;

    for (uint32_t number = 1; err == ERR_OK && number <= txn->counters.spaces; number++) {
        struct space_row space;

        err = ledger_space_numbered(&snapshot, number, &space);
        if (err == ERR_OK && space.is_mine)
            err = heal_keep(txn, &space, device);
    }
    return err;
}

static enum err heal_journal(struct ledger_txn *txn, const char *kind, const char *text)
{
    struct journal_row row = {.at_ms = txn->now_ms, .kind = span_str(kind), .text = span_str(text)};

    return journal_add(txn, &row);
}

/* Taking over. */

static enum err heal_old_device(const struct device_secrets *before, struct public_key *out)
{
    struct signing_key *signing = secret_new(sizeof *signing);

    if (signing == NULL)
        return ERR_NOMEM;
    identity_signing_key(before->signing_seed, signing);
    *out = signing->public_key;
    secret_free(signing);
    return ERR_OK;
}

/* PROTOCOL FORK-7: "On proof, in one commit: the entries fetched are stored, the successor is
 * certified, the device is retired as forked, and every space of the member gets its keep. The old
 * signing key is erased then." */
enum err heal_take_over(struct ledger_txn *txn, const struct device_secrets *before)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct device_row row = {0};
    struct public_key old;
    enum err err = heal_old_device(before, &old);

    /* PROTOCOL OWN-7: "One that has proof of a copy of itself goes on as its successor (FORK-7)
     * without waiting: it would never hold all." */
    if (err == ERR_OK)
        err = join_finish(txn);
    if (err == ERR_OK)
        err = ledger_take_over(txn, before);
    if (err == ERR_OK)
        err = view_device(&snapshot, &old, &row);
    if (err == ERR_OK)
        err = space_certify_successor(txn, span_str(row.name), before->signing_seed);
    if (err == ERR_OK)
        err = ledger_follow(txn);
    if (err == ERR_OK)
        err = heal_retire(txn, &old, ledger_device(txn->ledger), RETIRE_FORKED);
    if (err == ERR_OK)
        err = heal_keep_all(txn, &old);
    if (err != ERR_OK)
        return err;
    txn->must_keep = true;
    return heal_journal(txn, "fork",
                        "a copy of this device wrote elsewhere, or it was restored from an old "
                        "copy: it goes on under a new key, and what both wrote is kept");
}

enum err heal_sibling(struct ledger_txn *txn, const struct space_row *space,
                      const struct public_key *device)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct retire_state state;
    enum err err = retire_table_state(&snapshot, ledger_device(txn->ledger), &state);

    if (err != ERR_OK || state.is_retired)
        return err;
    err = heal_retire(txn, device, NULL, RETIRE_FORKED);
    if (err == ERR_OK)
        err = heal_keep(txn, space, device);
    if (err == ERR_OK)
        err = heal_keep_all(txn, device);
    if (err != ERR_OK)
        return err;
    return heal_journal(txn, "fork",
                        "one of your devices was restored from an old copy, or copied: what it "
                        "wrote is kept, and it goes on under a new key when it is back");
}

/* Shutting out. */

enum err heal_shut_out(struct ledger_txn *txn, const struct public_key *device,
                       enum retire_reason reason)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum standing here, there;
    struct device_row row;
    enum err err = view_device(&snapshot, device, &row);

    if (err == ERR_OK && !public_key_is_equal(&row.member, ledger_member(txn->ledger)))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = standing_of(&snapshot, ledger_device(txn->ledger), &here);
    if (err == ERR_OK && (here != STANDING_GOOD || reason == RETIRE_FORKED ||
                          public_key_is_equal(device, ledger_device(txn->ledger))))
        err = ERR_STATE;
    if (err == ERR_OK)
        err = heal_retire(txn, device, NULL, reason);
    if (err == ERR_OK)
        err = standing_of(&snapshot, device, &there);
    if (err == ERR_OK && !standing_is_out(there))
        err = ERR_STATE; /* This device has no say over that one. */
    if (err == ERR_OK)
        err = heal_keep_all(txn, device);
    if (err == ERR_OK)
        err = ledger_follow(txn);
    if (err == ERR_OK)
        err = heal_void(txn);
    return err;
}

/* A successor may be shut out later: whom it was told of stands in the row. */
enum err heal_note_out(struct ledger_txn *txn, enum standing standing)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span device = span_of(ledger_device(txn->ledger)->bytes, 32), told;
    struct key key;
    enum err err;

    key_of_byte(META_OUT, &key);
    err = ledger_get_sealed(&snapshot, TABLE_META, &key, &told);
    if (err == ERR_OK && span_is_equal(told, device))
        return ERR_OK;
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = heal_journal(txn, "shut out", standing_sentence(standing));
    return err == ERR_OK ? ledger_put_sealed(txn, TABLE_META, &key, device) : err;
}
