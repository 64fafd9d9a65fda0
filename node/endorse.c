/* The steps, each a few edits; what they look at is the view, never the order of arrival. */
#include "node/endorse.h"

#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/describe.h"
#include "node/quote.h"
#include "proto/show.h"
#include "proto/statement.h"
#include "storage/agenda.h"
#include "storage/journal.h"
#include "storage/row.h"
#include "storage/running.h"
#include "storage/standing.h"
#include "storage/view_interaction.h"
#include "storage/view_peer.h"

enum { ENDORSE_DAY_S = 86400, ENDORSE_SWEEP_MAX = 4096 };

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

enum err endorse_note(struct ledger_txn *txn, const struct endorsement *endorsement)
{
    const struct public_key *me = ledger_member(ledger_txn_snapshot(txn).ledger);
    bool is_mine = public_key_is_equal(&endorsement->issuer, me);
    struct interaction act = {.what = is_mine ? INTERACTION_ENDORSED : INTERACTION_ENDORSED_ME};
    char uuid[DESCRIBE_UUID_SIZE];
    struct buf tags = {0};
    enum err err;

    for (size_t at = 0; at < endorsement->about_count; at++) {
        if (at > 0)
            buf_append(&tags, span_str(", "));
        buf_append(&tags, endorsement->about[at]);
    }
    describe_uuid(&endorsement->id, uuid);
    act.text = buf_span(&tags);
    act.ref = span_str(uuid);
    err = buf_err(&tags);
    if (err == ERR_OK)
        err =
            view_interaction_act(txn, is_mine ? &endorsement->subject : &endorsement->issuer, &act);
    buf_release(&tags);
    return err;
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
    struct object source = {0};
    struct span statement;
    struct amend amend;
    enum err err = endorse_load(txn, view, &source, &statement);

    if (err == ERR_OK) {
        amend_begin(&amend, txn, endorse_self(txn), KIND_KEPT, &view->object);
        amend_bytes(&amend, KEPT_STATEMENT, statement);
        amend_remove_all(&amend, KEPT_DECISIONS);
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

static enum err endorse_on_shown(void *self, const struct endorsement_row *row)
{
    if (row->source == ENDORSEMENT_SHOWN)
        *(uint64_t *)self = row->renewed_at_ms;
    return ERR_OK;
}

/* Whether a show of another device of mine is so new here that its times say nothing. */
static enum err endorse_has_just_come(struct ledger_txn *txn, const struct endorsement_view *view,
                                      bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint64_t came_ms = 0, now_ms;
    enum err err = running_ms(&snapshot, &now_ms);

    if (err == ERR_OK)
        err = endorsement_table_one(&snapshot, &view->subject, view->issued_s, &view->object,
                                    endorse_on_shown, &came_ms);
    *out = err == ERR_OK && now_ms < came_ms + RUNNING_DAY_MS;
    return err;
}

/* PROTOCOL SHOW-6: "The devices of the member that are left make it anew at once." */
/* PROTOCOL SHOW-5: "A device renews a show after SHOW_RENEW_DAYS days, and one from the future at
 * once; one that another device of the member made, no sooner than a day of its own running time
 * after it came: so two whose clocks are apart do not renew against each other." */
static enum err endorse_is_fresh(struct ledger_txn *txn, const struct endorsement_view *view,
                                 const struct show *show, bool *out)
{
    uint64_t now_s = ledger_txn_now_ms(txn) / 1000;
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum standing standing;
    enum err err = standing_of_signer(&snapshot, &show->by, &standing);

    *out = err == ERR_OK && standing < STANDING_STOLEN && show->audience == view->shown_to;
    if (!*out)
        return err;
    if (show->made_s <= now_s + ENDORSE_DAY_S &&
        now_s < show->made_s + (uint64_t)SHOW_RENEW_DAYS * ENDORSE_DAY_S)
        return ERR_OK;
    *out = false;
    return public_key_is_equal(&show->device, ledger_device(snapshot.ledger))
               ? ERR_OK
               : endorse_has_just_come(txn, view, out);
}

/* Plans of one day are one plan. */
enum err endorse_plan_sweep(struct ledger_txn *txn)
{
    uint64_t day_ms = (uint64_t)ENDORSE_DAY_S * 1000;

    return endorsement_table_sweep(txn, (ledger_txn_now_ms(txn) / day_ms + 1) * day_ms);
}

/* When a show will have to be renewed. */
static enum err endorse_plan(struct ledger_txn *txn, const struct endorsement_view *view)
{
    const struct endorsement_place place = {
        .subject = view->subject, .issued_s = view->issued_s, .object = view->object};
    uint8_t name[ENDORSEMENT_PLACE_SIZE];
    uint64_t due_ms =
        ledger_txn_now_ms(txn) + (uint64_t)SHOW_RENEW_DAYS * ENDORSE_DAY_S * 1000 + 1000;
    enum err err;

    endorsement_put_place(&place, name);
    err = agenda_put(txn, due_ms, KIND_ENDORSEMENT, span_of(name, sizeof name));
    return err == ERR_OK ? endorse_plan_sweep(txn) : err;
}

/* PROTOCOL ENDORSE-6: "Nobody but the subject makes an endorsement visible to others. The issuer
 * learns that it is shown by seeing it shown, and in no other way." */
static enum err endorse_show(struct ledger_txn *txn, const struct id *card,
                             const struct endorsement_view *view)
{
    struct object source = {0};
    struct span statement;
    struct show before;
    struct buf show = {0};
    struct amend amend;
    bool is_fresh = false;
    enum err err = endorse_load(txn, view, &source, &statement);

    if (err != ERR_OK) {
        object_release(&source);
        return err;
    }
    amend_begin(&amend, txn, card, KIND_ENDORSEMENT, &view->object);
    if (object_is_visible(&amend.object) &&
        show_read(object_value(&amend.object, ENDORSEMENT_SHOW).bytes, &before) == ERR_OK)
        err = endorse_is_fresh(txn, view, &before, &is_fresh);
    if (err == ERR_OK && !is_fresh) {
        err = endorse_make_show(txn, statement, view->shown_to, &show);
        amend_bytes(&amend, ENDORSEMENT_STATEMENT, statement);
        amend_bytes(&amend, ENDORSEMENT_SHOW, buf_span(&show));
        if (err == ERR_OK)
            err = endorse_plan(txn, view);
    }
    if (err == ERR_OK) /* Whoever made it may never come back to renew it. */
        err = endorse_plan_sweep(txn);
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

    if (err != ERR_OK || view->state == ENDORSEMENT_PENDING)
        return err;
    /* PROTOCOL ENDORSE-7: "What is shown as it expires stays on the card; what was hidden or set
     * aside leaves it then, too." */
    if (view->state == ENDORSEMENT_EXPIRED && view->decision < DECISION_NOBODY)
        return ERR_OK;
    return view->shown_to > AUDIENCE_SUBJECT ? endorse_show(txn, &card.id, view)
                                             : endorse_hide(txn, &card.id, view);
}

/* What arrives. */

static enum err endorse_tell(struct ledger_txn *txn, const struct endorsement_view *view,
                             const char *kind, const char *text)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct journal_row row = {
        .at_ms = ledger_txn_now_ms(txn), .kind = span_str(kind), .text = span_str(text)};
    struct peer *peer = secret_new(sizeof *peer);
    char uuid[DESCRIBE_UUID_SIZE];
    enum err err;

    if (peer == NULL)
        return ERR_NOMEM;
    err = view_peer(&snapshot, &view->issuer, peer);
    if (err == ERR_OK)
        row.who = span_str(peer->alias[0] != '\0' ? peer->alias : peer->name);
    describe_uuid(&view->id, uuid);
    row.ref = span_str(uuid);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = journal_add(txn, &row);
    secret_free(peer);
    return err;
}

static enum err endorse_receive(struct ledger_txn *txn, const struct endorsement_view *view)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct endorsement endorsement;
    struct object object = {0};
    enum err err = view_endorsement_record(&snapshot, view, &object, &endorsement);

    if (err == ERR_OK)
        err = endorse_note(txn, &endorsement);
    object_release(&object);
    if (err != ERR_OK)
        return err;
    return endorse_tell(txn, view, "endorsement",
                        "endorsed you: you decide who sees it (kith endorsement list --pending)");
}

/* PROTOCOL ENDORSE-10: "What was received is copied into the self space in the transaction that
 * received it, three undecided ones of one issuer at a time, and so is the fact that it was
 * revoked." */
static enum err endorse_keep(struct ledger_txn *txn, const struct endorsement_view *view)
{
    bool is_revoked = view->state == ENDORSEMENT_REVOKED;
    struct object source = {0};
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint64_t undecided = 0;
    struct span statement;
    struct amend amend;
    enum err err;

    if (view->is_kept && view->is_known_revoked == is_revoked)
        return ERR_OK;
    if (!view->is_kept) {
        err = endorsement_table_undecided(&snapshot, &view->issuer, &undecided);
        if (err != ERR_OK || is_revoked || undecided >= ENDORSEMENTS_PER_ISSUER_MAX)
            return err;
    }
    err = endorse_load(txn, view, &source, &statement);
    if (err == ERR_OK) {
        amend_begin(&amend, txn, endorse_self(txn), KIND_KEPT, &view->object);
        amend_bytes(&amend, KEPT_STATEMENT, statement);
        if (is_revoked)
            amend_number(&amend, KEPT_IS_REVOKED, 1);
        err = amend_end(&amend, NULL);
    }
    object_release(&source);
    if (err == ERR_OK && !view->is_kept && !is_revoked)
        err = endorse_receive(txn, view);
    if (err == ERR_OK && view->is_kept && is_revoked && view->decision != DECISION_SET_ASIDE)
        err = endorse_tell(txn, view, "revoked", "took back an endorsement of you");
    return err;
}

static enum err endorse_mine(struct ledger_txn *txn, const struct endorsement_view *view)
{
    enum err err = endorse_keep(txn, view);

    return err == ERR_OK ? endorse_settle(txn, view) : err;
}

/* places: struct endorsement_place, one after the other. */
static enum err endorse_collect(void *self, const struct endorsement_view *view)
{
    const struct endorsement_place place = {
        .subject = view->subject, .issued_s = view->issued_s, .object = view->object};
    struct buf *places = self;

    if (!view->is_kept)
        return ERR_OK;
    if (places->size == ENDORSE_SWEEP_MAX * sizeof place)
        return ERR_CANCELLED;
    buf_append(places, span_of(&place, sizeof place));
    return buf_err(places);
}

static enum err endorse_place(struct ledger_txn *txn, const struct endorsement_place *place)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct endorsement_view view;
    enum err err = view_endorsement_get(&snapshot, ledger_txn_now_ms(txn), place, &view);

    if (public_key_is_equal(&place->subject, ledger_member(snapshot.ledger)))
        return err == ERR_OK ? endorse_mine(txn, &view) : err == ERR_NOT_FOUND ? ERR_OK : err;
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    return quote_settle(txn, place, err == ERR_OK ? &view : NULL);
}

static enum err endorse_sweep(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct endorsement_place place;
    struct buf places = {0};
    enum err err = view_endorsement_of(&snapshot, ledger_txn_now_ms(txn),
                                       ledger_member(snapshot.ledger), endorse_collect, &places);

    if (err == ERR_CANCELLED)
        err = ERR_OK;
    for (size_t at = 0; err == ERR_OK && at < places.size; at += sizeof place) {
        memcpy(&place, places.data + at, sizeof place);
        err = endorse_place(txn, &place);
    }
    buf_release(&places);
    if (err == ERR_OK)
        err = quote_sweep(txn);
    return err == ERR_OK ? endorse_plan_sweep(txn) : err;
}

enum err endorse_look(struct ledger_txn *txn, struct span name)
{
    struct endorsement_place place;

    if (endorsement_read_place(name, &place))
        return endorse_place(txn, &place);
    return name.size == 1 && name.data[0] == ENDORSEMENT_SWEEP ? endorse_sweep(txn) : ERR_OK;
}
