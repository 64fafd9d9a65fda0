/* What a member does with endorsements there are. */
#include "node/op_endorsement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/credential.h"
#include "node/describe.h"
#include "node/describe_endorsement.h"
#include "node/endorse.h"
#include "node/name.h"
#include "node/vouch.h"
#include "storage/fold.h"
#include "storage/journal.h"

bool op_endorsement_is_me(const struct op_call *call, const struct public_key *member)
{
    return public_key_is_equal(member, ledger_member(call->snapshot.ledger));
}

static enum err op_endorsement_describe(void *self, const struct endorsement_view *view)
{
    struct op_call *call = self;

    json_decref(call->result);
    call->result = describe_endorsement(call, view);
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

enum err op_endorsement_answer(struct op_call *call, const struct endorsement_place *place)
{
    enum err err =
        view_endorsement_at(&call->snapshot, call->now_ms, place, op_endorsement_describe, call);

    return err == ERR_OK && call->result == NULL ? ERR_NOT_FOUND : err;
}

static enum err op_endorsement_answer_view(struct op_call *call,
                                           const struct endorsement_view *view)
{
    const struct endorsement_place place = {
        .subject = view->subject, .issued_s = view->issued_s, .object = view->object};

    return op_endorsement_answer(call, &place);
}

/* Looking. */

enum err op_endorsement_show(struct op_call *call)
{
    struct endorsement_view view;
    enum err err = op_endorsement_find(call, op_text(call, "id"), &view);

    if (err == ERR_OK)
        err = op_endorsement_answer_view(call, &view);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the endorsement could not be read");
}

struct op_endorsement_list {
    struct op_call *call;
    json_t *rows;
    bool only_pending;
    struct vouch_view *trust; /* NULL, or by whose trust the rows are ordered */
    struct buf ranks;         /* struct op_endorsement_rank, one a row */
};

struct op_endorsement_rank {
    uint32_t amount; /* how far its writer is trusted */
    size_t at;
};

static enum err op_endorsement_on_row(void *self, const struct endorsement_view *view)
{
    struct op_endorsement_list *list = self;
    json_t *row;

    if (list->only_pending && view->state != ENDORSEMENT_PENDING)
        return ERR_OK;
    if (list->trust != NULL) {
        struct op_endorsement_rank rank = {.at = json_array_size(list->rows)};
        uint32_t person;

        if (op_endorsement_is_me(list->call, &view->issuer))
            rank.amount = TRUST_ONE;
        else if (vouch_person(list->trust, &view->issuer, &person))
            rank.amount = trust_amount(list->trust->flow, person);
        buf_append(&list->ranks, span_of(&rank, sizeof rank));
    }
    row = describe_endorsement(list->call, view);
    return row != NULL && json_array_append_new(list->rows, row) == 0 ? buf_err(&list->ranks)
                                                                      : ERR_NOMEM;
}

static int op_endorsement_order(const void *left, const void *right)
{
    const struct op_endorsement_rank *one = left, *other = right;

    if (one->amount != other->amount)
        return one->amount > other->amount ? -1 : 1;
    return one->at < other->at ? -1 : 1;
}

/* Those of people one trusts first; as they were, newest first, where trust is equal. */
static enum err op_endorsement_rank(struct op_endorsement_list *list)
{
    struct op_endorsement_rank *ranks = (struct op_endorsement_rank *)(void *)list->ranks.data;
    size_t count = list->ranks.size / sizeof *ranks;
    json_t *ordered = json_array();

    if (count > 1)
        qsort(ranks, count, sizeof *ranks, op_endorsement_order);
    for (size_t at = 0; at < count; at++)
        (void)json_array_append(ordered, json_array_get(list->rows, ranks[at].at));
    if (json_array_size(ordered) != count) {
        json_decref(ordered);
        return ERR_NOMEM;
    }
    json_decref(list->rows);
    list->rows = ordered;
    return ERR_OK;
}

static enum err op_endorsement_list_of(struct op_endorsement_list *list,
                                       const struct public_key *subject)
{
    struct op_call *call = list->call;
    struct vouch_view trust;
    enum err err = vouch_open(call, &trust);

    list->trust = &trust;
    if (err == ERR_OK)
        err = view_endorsement_of(&call->snapshot, call->now_ms, subject, op_endorsement_on_row,
                                  list);
    if (err == ERR_OK)
        err = op_endorsement_rank(list);
    vouch_close(&trust);
    buf_release(&list->ranks);
    list->trust = NULL;
    return err;
}

/* "me", or the name on my own card. */
static bool op_endorsement_is_own_name(struct op_call *call, const char *who)
{
    json_t *own =
        describe_endorsement_member(call, ledger_member(call->snapshot.ledger), span_of(NULL, 0));
    const char *name = json_string_value(json_object_get(own, "name"));
    struct buf typed = {0}, folded = {0};
    bool is_own = fold(span_str(who), &typed) == ERR_OK &&
                  fold(span_str(name != NULL ? name : ""), &folded) == ERR_OK &&
                  (span_is_equal(buf_span(&typed), span_str("me")) ||
                   (folded.size > 0 && span_is_equal(buf_span(&typed), buf_span(&folded))));

    buf_release(&typed);
    buf_release(&folded);
    json_decref(own);
    return is_own;
}

/* Anybody: a peer, a contact who is a member, or a did:key never met; oneself, too. */
static enum err op_endorsement_whose(struct op_call *call, const char *who, struct public_key *out)
{
    struct name_match match;
    enum err err;

    if (identity_read_did(span_str(who), out) == ERR_OK)
        return ERR_OK;
    err = name_find(call, who, &match);
    if (err == ERR_NOT_FOUND && op_endorsement_is_own_name(call, who)) {
        call->failure = (struct op_failure){.code = OP_DONE};
        *out = *ledger_member(call->snapshot.ledger);
        return ERR_OK;
    }
    if (err != ERR_OK)
        return err;
    if (!match.has_member)
        return op_fail(call, OP_NOT_FOUND, "kith peer list",
                       "%s does not use kith as far as you know", match.shown);
    *out = match.member;
    return ERR_OK;
}

enum err op_endorsement_list(struct op_call *call)
{
    struct op_endorsement_list list = {.call = call, .only_pending = op_flag(call, "pending")};
    bool wants_given = op_flag(call, "given"), wants_received = op_flag(call, "received");
    struct public_key subject = *ledger_member(call->snapshot.ledger);
    const char *of = op_text(call, "of");
    enum err err = of != NULL ? op_endorsement_whose(call, of, &subject) : ERR_OK;

    if (err != ERR_OK)
        return err;
    if ((of != NULL) + wants_given + wants_received + list.only_pending > 1)
        return op_fail(call, OP_USAGE, "kith endorsement list --received",
                       "choose one of --given, --received, --pending and --of");
    list.rows = json_array();
    if (of != NULL && !op_endorsement_is_me(call, &subject))
        err = op_endorsement_list_of(&list, &subject);
    else if (!wants_given)
        err = view_endorsement_of(&call->snapshot, call->now_ms, &subject, op_endorsement_on_row,
                                  &list);
    if (err == ERR_OK && of == NULL && !wants_received && !list.only_pending)
        err = view_endorsement_given(&call->snapshot, call->now_ms, op_endorsement_on_row, &list);
    call->result = json_pack("{s:o}", "endorsements", list.rows);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the endorsements could not be read");
}

/* Deciding. */

static enum endorsement_decision op_endorsement_decision(enum audience audience)
{
    switch (audience) {
    case AUDIENCE_PEERS:
        return DECISION_PEERS;
    case AUDIENCE_NETWORK:
        return DECISION_NETWORK;
    case AUDIENCE_PUBLIC:
        return DECISION_PUBLIC;
    case AUDIENCE_SUBJECT:
        break;
    }
    return DECISION_NOBODY;
}

/* One about me that still holds. */
static enum err op_endorsement_find_mine(struct op_call *call, struct endorsement_view *out)
{
    enum err err = op_endorsement_find(call, op_text(call, "id"), out);

    if (err != ERR_OK)
        return err;
    if (!op_endorsement_is_me(call, &out->subject))
        return op_fail(call, OP_FAILED, "kith endorsement list --received",
                       "that endorsement is not about you: its subject decides");
    if (out->state == ENDORSEMENT_REVOKED)
        return op_fail(call, OP_FAILED, "kith endorsement list --received",
                       "its writer has taken that endorsement back");
    if (out->state == ENDORSEMENT_EXPIRED)
        return op_fail(call, OP_FAILED, "ask its writer to renew it",
                       "that endorsement has expired");
    return ERR_OK;
}

static enum err op_endorsement_read_to(struct op_call *call, const struct endorsement_view *view,
                                       enum audience *out)
{
    const char *to = op_text(call, "to");

    *out = AUDIENCE_SUBJECT;
    if (to == NULL)
        return ERR_OK;
    if (audience_named(to, false, out) != ERR_OK || *out == AUDIENCE_SUBJECT)
        return op_fail(call, OP_USAGE, "--to peers|network|public",
                       "it can be shown to peers, network or public, not to \"%.60s\"", to);
    if (*out > view->ceiling)
        return op_fail(call, OP_FAILED,
                       view->ceiling == AUDIENCE_SUBJECT ? "kith endorsement accept ID"
                       : view->ceiling == AUDIENCE_PEERS ? "--to peers"
                                                         : "--to network",
                       "its writer lets it be shown to no more than: %s",
                       audience_name(view->ceiling, true));
    return ERR_OK;
}

struct op_endorsement_count {
    const struct endorsement_view *view;
    size_t shown, by_issuer;
};

static enum err op_endorsement_on_shown(void *self, const struct endorsement_view *view)
{
    struct op_endorsement_count *count = self;
    bool is_renewed =
        count->view->has_supersedes && id_is_equal(&count->view->supersedes, &view->id);

    if (view->shown_to == AUDIENCE_SUBJECT || id_is_equal(&view->object, &count->view->object) ||
        is_renewed)
        return ERR_OK;
    count->shown++;
    count->by_issuer += public_key_is_equal(&view->issuer, &count->view->issuer);
    return ERR_OK;
}

static enum err op_endorsement_check_caps(struct op_call *call, const struct endorsement_view *view)
{
    struct op_endorsement_count count = {.view = view};
    enum err err = view_endorsement_of(&call->snapshot, call->now_ms, &view->subject,
                                       op_endorsement_on_shown, &count);

    if (err == ERR_OK && count.by_issuer >= ENDORSEMENTS_PER_ISSUER_MAX)
        return op_fail(call, OP_FAILED, "kith endorsement hide ID",
                       "you show %d endorsements of that person already, as many as there can be",
                       ENDORSEMENTS_PER_ISSUER_MAX);
    if (err == ERR_OK && count.shown >= ENDORSEMENTS_SHOWN_MAX)
        return op_fail(call, OP_FAILED, "kith endorsement hide ID",
                       "you show %d endorsements already, as many as there can be",
                       ENDORSEMENTS_SHOWN_MAX);
    return err;
}

/* Both proofs of the export must fit before it is accepted: later its writer may be out of reach.
 */
static enum err op_endorsement_check_proofs(struct op_call *call,
                                            const struct endorsement_view *view)
{
    struct endorsement record;
    struct object object = {0};
    enum err err = view_endorsement_record(&call->snapshot, view, &object, &record);

    if (err == ERR_OK)
        err = credential_check(&record);
    object_release(&object);
    if (err == ERR_FORGED)
        return op_fail(call, OP_UNTRUSTED, "ask its writer to write it again",
                       "its export does not carry its writer's signature");
    return err;
}

struct op_endorsement_renewed {
    const struct endorsement_view *newer;
    struct endorsement_view older;
    bool is_found;
};

static enum err op_endorsement_on_older(void *self, const struct endorsement_view *view)
{
    struct op_endorsement_renewed *renewed = self;

    if (public_key_is_equal(&view->issuer, &renewed->newer->issuer) &&
        public_key_is_equal(&view->subject, &renewed->newer->subject) &&
        view->decision != DECISION_NONE && view->decision < DECISION_NOBODY) {
        renewed->older = *view;
        renewed->is_found = true;
    }
    return ERR_OK;
}

static enum err op_endorsement_apply(struct op_call *call, const struct endorsement_view *view,
                                     enum endorsement_decision decision)
{
    const struct endorsement_place place = {
        .subject = view->subject, .issued_s = view->issued_s, .object = view->object};
    struct endorsement_view settled;
    enum err err = endorse_decide(call->txn, view, decision);

    if (err == ERR_OK)
        err = view_endorsement_get(&call->snapshot, call->now_ms, &place, &settled);
    return err == ERR_OK ? endorse_settle(call->txn, &settled) : err;
}

/* The one that is renewed makes room for the one that renews it. */
static enum err op_endorsement_hide_renewed(struct op_call *call,
                                            const struct endorsement_view *view)
{
    struct op_endorsement_renewed renewed = {.newer = view};
    char digits[2 * ID_SIZE + 1];
    enum err err;

    if (!view->has_supersedes)
        return ERR_OK;
    hex_write(span_of(view->supersedes.bytes, ID_SIZE), digits);
    err = view_endorsement_named(&call->snapshot, call->now_ms, span_str(digits),
                                 op_endorsement_on_older, &renewed);
    return err == ERR_OK && renewed.is_found
               ? op_endorsement_apply(call, &renewed.older, DECISION_NOBODY)
               : err;
}

/* One line of the log about somebody the answer names; ref is the endorsement. */
static enum err op_endorsement_note(struct op_call *call, const char *kind, const char *person,
                                    const char *text)
{
    json_t *who = json_object_get(call->result, person);
    const char *name = json_string_value(json_object_get(who, "name"));
    const char *ref = json_string_value(json_object_get(call->result, "id"));
    struct journal_row row = {.at_ms = call->now_ms,
                              .kind = span_str(kind),
                              .who = span_str(name != NULL ? name : ""),
                              .text = span_str(text),
                              .ref = span_str(ref != NULL ? ref : "")};

    return journal_add(call->txn, &row);
}

static const char *op_endorsement_sentence(enum endorsement_decision decision)
{
    switch (decision) {
    case DECISION_PUBLIC:
        return "wrote an endorsement of you that anybody may see now";
    case DECISION_NETWORK:
        return "wrote an endorsement of you that your peers see now, and theirs where you are "
               "quoted";
    case DECISION_PEERS:
        return "wrote an endorsement of you that your peers see now";
    case DECISION_SET_ASIDE:
        return "wrote an endorsement of you that you put away; they are not told";
    case DECISION_NOBODY:
    case DECISION_NONE:
        break;
    }
    return "wrote an endorsement of you that you keep to yourself";
}

static enum err op_endorsement_decide(struct op_call *call, const struct endorsement_view *view,
                                      enum endorsement_decision decision)
{
    bool is_shown = decision > DECISION_NONE && decision < DECISION_NOBODY;
    enum err err = ERR_OK;

    if (decision != DECISION_SET_ASIDE && view->decision == DECISION_NONE)
        err = op_endorsement_check_proofs(call, view);
    if (err == ERR_OK && is_shown)
        err = op_endorsement_check_caps(call, view);
    if (err == ERR_OK)
        err = op_endorsement_apply(call, view, decision);
    if (err == ERR_OK && decision != DECISION_SET_ASIDE)
        err = op_endorsement_hide_renewed(call, view);
    if (err == ERR_OK)
        err = op_endorsement_answer_view(call, view);
    if (err == ERR_OK)
        err = op_endorsement_note(call, "decided", "issuer", op_endorsement_sentence(decision));
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the decision could not be stored");
}

enum err op_endorsement_accept(struct op_call *call)
{
    struct endorsement_view view;
    enum audience to;
    enum err err = op_endorsement_find_mine(call, &view);

    if (err == ERR_OK)
        err = op_endorsement_read_to(call, &view, &to);
    if (err != ERR_OK)
        return err;
    /* Accepting once more takes nothing back. */
    if (op_text(call, "to") == NULL && view.state == ENDORSEMENT_ACCEPTED)
        return op_endorsement_answer_view(call, &view);
    return op_endorsement_decide(call, &view, op_endorsement_decision(to));
}

enum err op_endorsement_publish(struct op_call *call)
{
    struct endorsement_view view;
    enum audience to;
    enum err err;

    if (op_text(call, "to") == NULL)
        return op_fail(call, OP_USAGE, "kith endorsement publish ID --to peers",
                       "say to whom: --to peers, network or public");
    err = op_endorsement_find_mine(call, &view);
    if (err == ERR_OK)
        err = op_endorsement_read_to(call, &view, &to);
    return err == ERR_OK ? op_endorsement_decide(call, &view, op_endorsement_decision(to)) : err;
}

enum err op_endorsement_hide(struct op_call *call)
{
    struct endorsement_view view;
    enum err err = op_endorsement_find_mine(call, &view);

    if (err == ERR_OK && view.state != ENDORSEMENT_ACCEPTED)
        err = op_fail(call, OP_FAILED, "kith endorsement accept ID", "you have not accepted it");
    return err == ERR_OK ? op_endorsement_decide(call, &view, DECISION_NOBODY) : err;
}

enum err op_endorsement_set_aside(struct op_call *call)
{
    struct endorsement_view view;
    enum err err = op_endorsement_find_mine(call, &view);

    return err == ERR_OK ? op_endorsement_decide(call, &view, DECISION_SET_ASIDE) : err;
}

/* Taking back. */

enum err op_endorsement_revoke(struct op_call *call)
{
    struct endorsement_view view;
    enum err err = op_endorsement_find(call, op_text(call, "id"), &view);

    if (err == ERR_OK && !op_endorsement_is_me(call, &view.issuer))
        err = op_fail(call, OP_FAILED, "kith endorsement set-aside ID",
                      "only who wrote an endorsement can take it back");
    if (err == ERR_OK && view.state == ENDORSEMENT_REVOKED)
        err = op_fail(call, OP_FAILED, "kith endorsement list --given", "you took it back already");
    if (err == ERR_OK)
        err = endorse_revoke(call->txn, &view);
    if (err == ERR_OK)
        err = op_endorsement_answer_view(call, &view);
    if (err == ERR_OK)
        err = op_endorsement_note(call, "revoked", "subject",
                                  "is no longer endorsed by you in that matter");
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "it could not be taken back");
}
