/* How the making of a link ends: by a refusal, or by a session under its secret. */
#include <string.h>

#include "node/amend.h"
#include "node/link.h"
#include "storage/row.h"

enum err link_refused(struct ledger_txn *txn, const struct id *acceptance, enum refusal refusal)
{
    enum acceptance_state state = ACCEPTANCE_DROPPED;
    const char *text = "the invitation you accepted leads to nobody";
    struct amend amend;
    bool is_introduced;
    enum err err;

    switch (refusal) {
    case REFUSAL_SPENT:
        state = ACCEPTANCE_REFUSED_SPENT;
        text = "the invitation you accepted was used before: ask for a new one";
        break;
    case REFUSAL_EXPIRED:
        state = ACCEPTANCE_REFUSED_EXPIRED;
        text = "the invitation you accepted had expired: ask for a new one";
        break;
    case REFUSAL_REVOKED:
        state = ACCEPTANCE_REFUSED_EXPIRED;
        text = "the invitation you accepted was taken back: ask for a new one";
        break;
    case REFUSAL_SELF:
        text = "the invitation you accepted is your own";
        break;
    case REFUSAL_BLOCKED:
        text = "you have blocked who sent that invitation";
        break;
    }
    amend_begin(&amend, txn, ledger_self_space(ledger_txn_snapshot(txn).ledger), KIND_ACCEPTANCE,
                acceptance);
    is_introduced = object_value(&amend.object, ACCEPTANCE_VIA).bytes.size > 0;
    amend_number(&amend, ACCEPTANCE_STATE, is_introduced ? ACCEPTANCE_DROPPED : state);
    err = amend_end(&amend, NULL);
    if (is_introduced)
        return err; /* Nobody typed it: there is nothing to tell. */
    return err == ERR_OK ? link_journal(txn, "refused", span_of(NULL, 0), text) : err;
}

/* Between the session and this commit the link may have got another secret, or have ended. */
static bool link_speaks_under(const struct object *link, const struct hash *secret)
{
    struct span held = object_value(link, LINK_SECRET).bytes;
    struct hash hash;

    if (object_number(link, LINK_STATE) != LINK_LINKED)
        return false;
    if (secret == NULL)
        return true;
    if (held.size != KEY_SIZE)
        return false;
    link_secret_hash(held.data, &hash);
    return memcmp(hash.bytes, secret->bytes, HASH_SIZE) == 0;
}

/* The invitation a link came from, where I was the inviter. */
static enum err link_spend(struct ledger_txn *txn, const struct id *invitation)
{
    const struct id *self = ledger_self_space(ledger_txn_snapshot(txn).ledger);
    struct amend amend;

    amend_begin(&amend, txn, self, KIND_INVITATION, invitation);
    if (!amend.is_new) {
        amend_number(&amend, INVITATION_STATE, INVITATION_SPENT);
        amend_clear(&amend, INVITATION_LINK_SECRET);
    }
    return amend_end(&amend, NULL);
}

enum err link_confirmed(struct ledger_txn *txn, const struct public_key *member,
                        const struct hash *secret)
{
    struct id id, from = {{0}};
    bool is_meant;
    struct amend amend;
    struct span source;
    enum err err;

    id_about("kith link", member, &id);
    amend_begin(&amend, txn, ledger_self_space(ledger_txn_snapshot(txn).ledger), KIND_LINK, &id);
    source = object_value(&amend.object, LINK_INVITATION).bytes;
    if (source.size == ID_SIZE)
        memcpy(from.bytes, source.data, ID_SIZE);
    is_meant = !amend.is_new && link_speaks_under(&amend.object, secret);
    if (is_meant)
        amend_number(&amend, LINK_CONFIRMED, 1);
    err = amend_end(&amend, NULL);
    return err == ERR_OK && is_meant ? link_spend(txn, &from) : err;
}

/* Parting. */

struct link_claims {
    const struct public_key *member;
    struct buf ids;
};

static enum err link_on_claim(void *self, uint32_t number, const struct object *invitation)
{
    struct link_claims *claims = self;
    struct span by = object_value(invitation, INVITATION_CLAIMED_BY).bytes;

    (void)number;
    if (object_number(invitation, INVITATION_STATE) == INVITATION_CLAIMED &&
        span_is_equal(by, span_of(claims->member->bytes, 32)))
        buf_append(&claims->ids, span_of(invitation->id.bytes, ID_SIZE));
    return buf_err(&claims->ids);
}

/* PROTOCOL INVITE-5: "Whoever ends a link revokes what the other has claimed and never confirmed,
 * and what an introduction left for them (INTRO-19)." */
enum err link_revoke_claims(struct ledger_txn *txn, const struct public_key *member)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct link_claims claims = {.member = member};
    const struct id *self = ledger_self_space(snapshot.ledger);
    enum err err = row_each(&snapshot, self, KIND_INVITATION, link_on_claim, &claims);

    for (size_t at = 0; at < claims.ids.size && err == ERR_OK; at += ID_SIZE) {
        struct amend amend;
        struct id id;

        memcpy(id.bytes, claims.ids.data + at, ID_SIZE);
        amend_begin(&amend, txn, self, KIND_INVITATION, &id);
        amend_number(&amend, INVITATION_STATE, INVITATION_REVOKED);
        amend_clear(&amend, INVITATION_LINK_SECRET);
        err = amend_end(&amend, NULL);
    }
    buf_release(&claims.ids);
    return err;
}
