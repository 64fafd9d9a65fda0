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

enum err link_confirmed(struct ledger_txn *txn, const struct public_key *member)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct object invitation = {0};
    struct amend amend;
    struct id id, from = {{0}};
    struct span source;
    uint32_t number;
    enum err err;

    id_about("kith link", member, &id);
    amend_begin(&amend, txn, ledger_self_space(ledger_txn_snapshot(txn).ledger), KIND_LINK, &id);
    source = object_value(&amend.object, LINK_INVITATION).bytes;
    if (source.size == ID_SIZE)
        memcpy(from.bytes, source.data, ID_SIZE);
    if (!amend.is_new)
        amend_number(&amend, LINK_CONFIRMED, 1);
    err = amend_end(&amend, NULL);
    if (err != ERR_OK)
        return err;
    err = row_get(&snapshot, ledger_self_space(ledger_txn_snapshot(txn).ledger), KIND_INVITATION,
                  &from, &invitation, &number);
    object_release(&invitation);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err; /* I was the acceptor. */
    amend_begin(&amend, txn, ledger_self_space(ledger_txn_snapshot(txn).ledger), KIND_INVITATION,
                &from);
    amend_number(&amend, INVITATION_STATE, INVITATION_SPENT);
    amend_clear(&amend, INVITATION_LINK_SECRET);
    return amend_end(&amend, NULL);
}
