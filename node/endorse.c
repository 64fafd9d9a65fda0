/* The steps, each a few edits; what they look at is the view, never the order of arrival. */
#include "node/endorse.h"

#include <string.h>

#include "node/amend.h"
#include "proto/show.h"
#include "proto/statement.h"
#include "storage/row.h"
#include "storage/view_peer.h"

enum { ENDORSE_DAY_S = 86400 };

static const struct id *endorse_self(struct ledger_txn *txn)
{
    return ledger_self_space(ledger_txn_snapshot(txn).ledger);
}

enum err endorse_offer(struct ledger_txn *txn, const struct id *pair_space, struct span statement)
{
    struct amend amend;
    struct id object;

    statement_id(statement, &object);
    amend_begin(&amend, txn, pair_space, KIND_ENDORSEMENT, &object);
    amend_bytes(&amend, ENDORSEMENT_STATEMENT, statement);
    return amend_end(&amend, NULL);
}

/* The record as it stands in the object a view was read from. */
static enum err endorse_load(struct ledger_txn *txn, const struct endorsement_view *view,
                             struct object *out, struct span *out_statement)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint32_t space;
    enum err err = row_get_numbered(&snapshot, view->number, out, &space);

    if (err == ERR_OK)
        *out_statement = object_value(out, ENDORSEMENT_STATEMENT).bytes;
    return err;
}

/* PROTOCOL ENDORSE-7: "A decision is a human act: it removes the decisions it has seen and adds its
 * own." */
enum err endorse_decide(struct ledger_txn *txn, const struct endorsement_view *view,
                        enum endorsement_decision decision)
{
    const char *wanted = endorsement_decision_name(decision);
    const struct object_element *at;
    struct object source = {0};
    struct span statement;
    struct amend amend;
    enum err err = endorse_load(txn, view, &source, &statement);

    if (err == ERR_OK) {
        amend_begin(&amend, txn, endorse_self(txn), KIND_KEPT, &view->object);
        amend_bytes(&amend, KEPT_STATEMENT, statement);
        for (size_t index = 0;
             (at = object_element_at(&amend.object, KEPT_DECISIONS, index)) != NULL; index++)
            if (!span_is_equal(at->value.bytes, span_str(wanted)))
                (void)amend_remove(&amend, KEPT_DECISIONS, at->value.bytes); /* It is there. */
        amend_add(&amend, KEPT_DECISIONS, span_str(wanted));
        err = amend_end(&amend, NULL);
    }
    object_release(&source);
    return err;
}

enum err endorse_revoke(struct ledger_txn *txn, const struct endorsement_view *view)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct object source = {0};
    struct space_row card;
    struct span statement;
    struct amend amend;
    struct hash hash;
    enum err err = endorse_load(txn, view, &source, &statement);

    if (err == ERR_OK)
        err = ledger_own_space(&snapshot, SPACE_CARD, &card);
    if (err == ERR_OK) {
        statement_hash(statement, &hash);
        amend_begin(&amend, txn, &card.id, KIND_REVOKED, &view->object);
        amend_bytes(&amend, REVOKED_HASH, span_of(hash.bytes, HASH_SIZE));
        err = amend_end(&amend, NULL);
    }
    object_release(&source);
    return err;
}

/* Shows. */

static enum err endorse_make_show(struct ledger_txn *txn, struct span statement,
                                  enum audience audience, struct buf *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct show show = {.audience = audience, .made_s = ledger_txn_now_ms(txn) / 1000};
    struct buf identity = {0};
    enum err err = view_identity(&snapshot, &identity);

    show.until_s = show.made_s + (uint64_t)SHOW_DAYS_MAX * ENDORSE_DAY_S;
    statement_hash(statement, &show.endorsement);
    if (err == ERR_OK)
        err = show_issue(&show, buf_span(&identity), ledger_signing_key(snapshot.ledger), out);
    buf_release(&identity);
    return err;
}

/* PROTOCOL SHOW-5: "Its device renews it after SHOW_RENEW_DAYS days." A show from the future is of
 * a clock that was wrong, and is renewed as well. */
static bool endorse_is_fresh(const struct show *show, uint64_t now_s)
{
    return show->made_s <= now_s + ENDORSE_DAY_S &&
           now_s < show->made_s + (uint64_t)SHOW_RENEW_DAYS * ENDORSE_DAY_S;
}

static enum err endorse_show(struct ledger_txn *txn, const struct id *card,
                             const struct endorsement_view *view)
{
    struct object source = {0};
    struct span statement;
    struct show before;
    struct buf show = {0};
    struct amend amend;
    enum err err = endorse_load(txn, view, &source, &statement);

    if (err != ERR_OK) {
        object_release(&source);
        return err;
    }
    amend_begin(&amend, txn, card, KIND_ENDORSEMENT, &view->object);
    if (!object_is_visible(&amend.object) ||
        show_read(object_value(&amend.object, ENDORSEMENT_SHOW).bytes, &before) != ERR_OK ||
        before.audience != view->shown_to ||
        !endorse_is_fresh(&before, ledger_txn_now_ms(txn) / 1000)) {
        err = endorse_make_show(txn, statement, view->shown_to, &show);
        amend_bytes(&amend, ENDORSEMENT_STATEMENT, statement);
        amend_bytes(&amend, ENDORSEMENT_SHOW, buf_span(&show));
    }
    if (err == ERR_OK)
        err = amend_end(&amend, NULL);
    else
        amend_abort(&amend);
    buf_release(&show);
    object_release(&source);
    return err;
}

static enum err endorse_hide(struct ledger_txn *txn, const struct id *card,
                             const struct endorsement_view *view)
{
    struct amend amend;

    amend_begin(&amend, txn, card, KIND_ENDORSEMENT, &view->object);
    if (!amend.is_new && object_is_visible(&amend.object))
        amend_delete(&amend);
    return amend_end(&amend, NULL);
}

enum err endorse_settle(struct ledger_txn *txn, const struct endorsement_view *view)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row card;
    enum err err = ledger_own_space(&snapshot, SPACE_CARD, &card);

    if (err != ERR_OK)
        return err;
    return view->shown_to > AUDIENCE_SUBJECT ? endorse_show(txn, &card.id, view)
                                             : endorse_hide(txn, &card.id, view);
}
