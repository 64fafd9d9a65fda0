/* A link that stands on both sides is never touched by somebody's introduction: no key is
 * replaced, only a voucher is added. */
#include "node/link_join.h"

#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/quote.h"
#include "proto/invite.h"
#include "proto/limits.h"
#include "storage/row.h"
#include "storage/space.h"
#include "storage/view_peer.h"

static void link_join_open(struct ledger_txn *txn, const struct public_key *member,
                           struct amend *amend)
{
    struct id id;

    id_about("kith link", member, &id);
    amend_begin(amend, txn, ledger_self_space(ledger_txn_snapshot(txn).ledger), KIND_LINK, &id);
}

static void link_join_add_voucher(struct amend *amend, const struct public_key *introducer,
                                  char did[static DID_SIZE])
{
    identity_did(introducer, did);
    amend_add(amend, LINK_VOUCHERS, span_str(did));
}

enum err link_join_vouch(struct ledger_txn *txn, const struct public_key *member,
                         const struct public_key *introducer)
{
    char did[DID_SIZE];
    struct amend amend;

    link_join_open(txn, member, &amend);
    link_join_add_voucher(&amend, introducer, did);
    return amend_end(&amend, NULL);
}

/* The pair space I write: there from before, and closed to nobody new until now, or new under the
 * id that was told. */
static enum err link_join_space(struct ledger_txn *txn, const struct link_join *join,
                                const struct peer *before)
{
    const struct public_key *member = &join->hello->chain.member;

    if (!before->has_pair_out)
        return space_create_as(txn, SPACE_PAIR, member, join->pair_out);
    return before->state == LINK_LINKED ? ERR_OK : space_rotate(txn, &before->pair_out);
}

/* Which one of two comes first must not depend on which introduction came to its end first: the
 * least hash does. A link that was confirmed, and that the other holds no more, is spoken for by
 * the new secret. */
static enum link_verdict link_join_judge(const struct link_join *join, const struct peer *before)
{
    struct link_judge_facts facts = {.is_linked = before->state == LINK_LINKED,
                                     .has_secret = before->has_secret,
                                     .said_linked = join->was_linked,
                                     .heard_linked = join->hello->is_linked,
                                     .is_confirmed = before->is_confirmed,
                                     .has_old = before->has_secret_old};

    link_secret_compare(before, join->secret, &facts);
    return link_judge(&facts);
}

static void link_join_fill(struct amend *amend, const struct link_join *join,
                           const struct peer *before, uint64_t now_ms)
{
    const struct introduction_hello *hello = join->hello;
    enum link_verdict verdict = link_join_judge(join, before);

    amend_bytes(amend, LINK_MEMBER, span_of(hello->chain.member.bytes, 32));
    amend_number(amend, LINK_STATE, LINK_LINKED);
    if (before->state != LINK_LINKED) {
        amend_number(amend, LINK_SINCE, now_ms);
        amend_number(amend, LINK_LEVEL, LINK_INTRODUCED);
        amend_bytes(amend, LINK_VIA, span_of(join->introducer->bytes, 32));
        amend_bytes(amend, LINK_INTRODUCTION, span_of(join->introduction->bytes, ID_SIZE));
    }
    link_amend_verdict(amend, before, join->secret, verdict);
    amend_number(amend, LINK_CONFIRMED, 0);
    if (object_value(&amend->object, LINK_PIN).type == VALUE_NONE)
        amend_bytes(amend, LINK_PIN, span_of(hello->next_root.bytes, HASH_SIZE));
    amend_bytes(amend, LINK_CHAIN, hello->identity);
    if (!before->has_pair_out)
        amend_bytes(amend, LINK_PAIR_OUT, span_of(join->pair_out->bytes, ID_SIZE));
    amend_bytes(amend, LINK_INVITATION, span_of(join->source->bytes, ID_SIZE));
}

/* The invitation the other holds for me, accepted: called with only while the link is not
 * confirmed, in case my hello never reached them. */
static enum err link_join_accept(struct ledger_txn *txn, const struct link_join *join)
{
    const struct introduction_hello *hello = join->hello;
    struct invitation invitation = {.expires_at_s = TIME_MAX_MS / 1000};
    char uri[INVITATION_TEXT_SIZE_MAX];
    struct amend amend;
    enum err err;

    memcpy(invitation.static_key, device_of(&hello->chain)->static_key, KEY_SIZE);
    memcpy(invitation.secret, join->call, INVITATION_SECRET_SIZE);
    err = address_read_list(hello->addresses, invitation.addresses, &invitation.addresses_count);
    if (err == ERR_OK)
        err = invitation_write(&invitation, uri);
    if (err == ERR_OK) {
        amend_begin(&amend, txn, ledger_self_space(ledger_txn_snapshot(txn).ledger),
                    KIND_ACCEPTANCE, join->source);
        amend_text(&amend, ACCEPTANCE_URI, span_str(uri));
        amend_number(&amend, ACCEPTANCE_STATE, ACCEPTANCE_LINKED);
        amend_number(&amend, ACCEPTANCE_CREATED, ledger_txn_now_ms(txn));
        amend_bytes(&amend, ACCEPTANCE_MEMBER, span_of(hello->chain.member.bytes, 32));
        amend_bytes(&amend, ACCEPTANCE_VIA, span_of(join->introducer->bytes, 32));
        err = amend_end(&amend, NULL);
    }
    secret_wipe(&invitation, sizeof invitation);
    secret_wipe(uri, sizeof uri);
    return err;
}

static enum err link_join_new(struct ledger_txn *txn, const struct link_join *join,
                              const struct peer *before)
{
    const struct introduction_hello *hello = join->hello;
    const struct public_key *member = &hello->chain.member;
    struct link_message told = {.pair_space = hello->pair_space,
                                .card_space = hello->card_space,
                                .name = hello->name,
                                .addresses = hello->addresses};
    char did[DID_SIZE];
    struct amend amend;
    struct id contact;
    enum err err = link_add_spaces(txn, member, &told);

    memcpy(told.knock, hello->knock, KEY_SIZE);
    if (err == ERR_OK)
        err = link_join_space(txn, join, before);
    if (err == ERR_OK)
        err = link_contact(txn, member, span_of(NULL, 0), hello->name, &contact);
    if (err == ERR_OK) {
        link_join_open(txn, member, &amend);
        link_join_fill(&amend, join, before, ledger_txn_now_ms(txn));
        link_amend_told(&amend, &told);
        amend_bytes(&amend, LINK_CONTACT, span_of(contact.bytes, ID_SIZE));
        link_join_add_voucher(&amend, join->introducer, did);
        err = amend_end(&amend, NULL);
    }
    secret_wipe(told.knock, sizeof told.knock);
    if (err == ERR_OK)
        err = link_grant_card(txn, member);
    return err == ERR_OK ? link_join_accept(txn, join) : err;
}

/* PROTOCOL INTRO-14: "Who has said hello and holds the other's is linked: level introduced, the
 * introducer as the one it came through. Where both hold a link already nothing is replaced: the
 * introducer is added to those who vouch for the key." */
enum err link_join(struct ledger_txn *txn, const struct link_join *join)
{
    const struct public_key *member = &join->hello->chain.member;
    struct peer *before = secret_new(sizeof *before);
    enum err err = before != NULL ? view_device_learn(txn, &join->hello->chain) : ERR_NOMEM;

    if (err == ERR_OK)
        err = link_before(txn, member, before);
    if (err == ERR_OK)
        err = link_join_judge(join, before) == LINK_VOUCHED
                  ? link_join_vouch(txn, member, join->introducer)
                  : link_join_new(txn, join, before);
    secret_free(before);
    return err;
}

/* Parting. */

/* PROTOCOL EPOCH-9: "A removed reader is answered with a new epoch of the card and network space it
 * read, in the transaction that learns of the removal, and with a new knock. These epochs are
 * granted to every reader that is left." */
enum err link_join_cut(struct ledger_txn *txn, const struct public_key *member,
                       enum link_state state)
{
    struct amend amend;
    enum err err;

    link_join_open(txn, member, &amend);
    amend_number(&amend, LINK_STATE, state);
    amend_clear(&amend, LINK_SECRET);
    amend_clear(&amend, LINK_SECRET_OLD);
    amend_number(&amend, LINK_CONFIRMED, 0);
    err = amend_end(&amend, NULL);
    if (err == ERR_OK)
        err = link_revoke_claims(txn, member);
    if (err == ERR_OK)
        err = space_rotate_own(txn, SPACE_CARD);
    if (err == ERR_OK)
        err = space_rotate_own(txn, SPACE_NETWORK);
    if (err == ERR_OK)
        err = quote_sweep(txn);
    if (err == ERR_OK)
        err = space_renew_knock_soon(txn);
    return err == ERR_OK ? ledger_follow(txn) : err;
}

enum err link_join_drop(struct ledger_txn *txn, const struct public_key *member)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *peer = secret_new(sizeof *peer);
    struct object record = {0};
    bool is_dropped = false;
    struct id id;
    uint32_t number;
    enum err err = peer != NULL ? link_before(txn, member, peer) : ERR_NOMEM;

    if (err == ERR_OK && peer->has_via && peer->has_introduction && peer->state == LINK_LINKED) {
        introduction_record_id(&peer->via, &peer->introduction, &id);
        err = row_get(&snapshot, ledger_self_space(snapshot.ledger), KIND_INTRODUCTION_RECORD, &id,
                      &record, &number);
        is_dropped = err == ERR_OK && object_number(&record, RECORD_DROPPED) != 0;
        object_release(&record);
        if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    secret_free(peer);
    return err == ERR_OK && is_dropped ? link_join_cut(txn, member, LINK_REMOVED) : err;
}
