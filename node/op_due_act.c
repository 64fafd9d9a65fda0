/* Renewals are gathered first: whoever has renewed an endorsement need not be told of its end. */
#include "node/op_due_act.h"

#include <stdio.h>
#include <string.h>

#include "node/describe_introduction.h"
#include "node/introduction.h"
#include "node/op_introduction.h"
#include "node/op_want.h"
#include "storage/view_ask.h"
#include "storage/view_endorsement.h"
#include "storage/view_share.h"

struct op_due_acts {
    struct op_call *call;
    uint64_t until_ms;
    op_due_act_fn each;
    void *self;
    struct buf renewed; /* ids, one after the other */
};

/* Endorsements. */

static bool op_due_act_stands(const struct op_due_acts *acts, const struct endorsement_view *view)
{
    const struct public_key *me = ledger_member(acts->call->snapshot.ledger);
    bool is_mine = public_key_is_equal(&view->issuer, me);

    return view->state == ENDORSEMENT_ACCEPTED || (is_mine && view->state == ENDORSEMENT_SENT);
}

static bool op_due_act_is_renewed(const struct op_due_acts *acts, const struct id *id)
{
    for (size_t at = 0; at < acts->renewed.size; at += ID_SIZE)
        if (memcmp(acts->renewed.data + at, id->bytes, ID_SIZE) == 0)
            return true;
    return false;
}

static enum err op_due_act_on_renewal(void *self, const struct endorsement_view *view)
{
    struct op_due_acts *acts = self;

    if (view->has_supersedes &&
        (op_due_act_stands(acts, view) || view->state == ENDORSEMENT_PENDING))
        buf_append(&acts->renewed, span_of(view->supersedes.bytes, ID_SIZE));
    return buf_err(&acts->renewed);
}

static enum err op_due_act_on_endorsement(void *self, const struct endorsement_view *view)
{
    struct op_due_acts *acts = self;
    const struct public_key *me = ledger_member(acts->call->snapshot.ledger);
    bool is_mine = public_key_is_equal(&view->issuer, me);
    struct op_due_act act = {.kind = "endorsement",
                             .member = is_mine ? view->subject : view->issuer,
                             .id = view->id,
                             .due_ms = view->expires_s * 1000};
    struct endorsement endorsement;
    struct object object = {0};
    enum err err;

    if (!op_due_act_stands(acts, view) || view->is_superseded || act.due_ms > acts->until_ms ||
        op_due_act_is_renewed(acts, &view->id))
        return ERR_OK;
    err = view_endorsement_record(&acts->call->snapshot, view, &object, &endorsement);
    if (err == ERR_OK) {
        const char *intro = is_mine ? "you said: " : "they said: ";
        size_t size = strlen(intro);

        memcpy(act.text, intro, size);
        describe_cut(act.text + size, sizeof act.text - size, endorsement.words);
        err = acts->each(acts->self, &act);
    }
    object_release(&object);
    return err;
}

static enum err op_due_act_endorsements(struct op_due_acts *acts, view_endorsement_fn each)
{
    const struct snapshot *snapshot = &acts->call->snapshot;
    uint64_t now_ms = acts->call->now_ms;
    enum err err = view_endorsement_given(snapshot, now_ms, each, acts);

    return err == ERR_OK
               ? view_endorsement_of(snapshot, now_ms, ledger_member(snapshot->ledger), each, acts)
               : err;
}

/* Introductions. */

static enum err op_due_act_on_introduction(void *self, const struct introduction_row *row)
{
    struct op_due_acts *acts = self;
    struct op_due_act act = {.kind = "introduction",
                             .member = row->introducer,
                             .id = row->id,
                             .due_ms = row->expires_ms};
    const char *why, *other;
    char text[2 * OP_DUE_TEXT_SIZE];
    json_t *shown;

    if (!op_introduction_waits(row, acts->call->now_ms))
        return ERR_OK;
    shown = describe_introduction(acts->call, row);
    if (shown == NULL)
        return ERR_NOMEM;
    why = json_string_value(json_object_get(shown, "why"));
    other = json_string_value(json_object_get(json_object_get(shown, "other"), "name"));
    (void)snprintf(text, sizeof text, "suggests you meet %s%s%s",
                   other != NULL ? other : "somebody", why != NULL ? ": " : "",
                   why != NULL ? why : "");
    describe_cut(act.text, sizeof act.text, span_str(text));
    json_decref(shown);
    return acts->each(acts->self, &act);
}

static enum err op_due_act_on_wanted(void *self, const struct introduction_fact *fact)
{
    struct op_due_acts *acts = self;
    const struct introduction_want *want = &fact->message.want;
    struct op_due_act act = {.kind = "introduction wanted",
                             .member = fact->member,
                             .id = fact->message.id,
                             .due_ms = want->expires_ms};
    char name[INTRODUCTION_NAME_SIZE], text[2 * OP_DUE_TEXT_SIZE];

    if (want->expires_ms <= acts->call->now_ms)
        return ERR_OK;
    describe_cut(name, sizeof name, want->words);
    if (want->has_target)
        introduction_name(&acts->call->snapshot, &want->target, name);
    (void)snprintf(text, sizeof text, "would like to meet %s: %.*s", name, (int)want->blurb.size,
                   (const char *)want->blurb.data);
    describe_cut(act.text, sizeof act.text, span_str(text));
    return acts->each(acts->self, &act);
}

static enum err op_due_act_introductions(struct op_due_acts *acts)
{
    const struct snapshot *snapshot = &acts->call->snapshot;
    enum err err = view_introduction_each(snapshot, NULL, op_due_act_on_introduction, acts);

    return err == ERR_OK ? view_introduction_wants(snapshot, ledger_member(snapshot->ledger),
                                                   op_due_act_on_wanted, acts)
                         : err;
}

/* What waits for as long as it likes. */

static enum err op_due_act_on_want(void *self, const struct peer *peer, const struct want *want)
{
    struct op_due_acts *acts = self;
    struct op_due_act act = {.kind = "endorsement wanted",
                             .member = peer->member,
                             .due_ms = want->asked_ms,
                             .is_patient = true};
    struct span words = object_text(&want->object, ENDORSEMENT_WANT_WORDS);
    char text[2 * OP_DUE_TEXT_SIZE];

    (void)snprintf(text, sizeof text, "would like you to endorse: %.*s", (int)words.size,
                   (const char *)words.data);
    describe_cut(act.text, sizeof act.text, span_str(text));
    return acts->each(acts->self, &act);
}

static enum err op_due_act_on_share(void *self, const struct share_view *view)
{
    struct op_due_acts *acts = self;
    struct op_due_act act = {.kind = "share",
                             .member = view->peer,
                             .id = view->object,
                             .due_ms = view->seen_ms,
                             .is_patient = true};
    char text[2 * OP_DUE_TEXT_SIZE];

    if (!view->is_standing || view->decision != SHARE_WAITING)
        return ERR_OK;
    (void)snprintf(text, sizeof text, "shares a contact: %.*s", (int)view->share.texts[0].size,
                   (const char *)view->share.texts[0].data);
    describe_cut(act.text, sizeof act.text, span_str(text));
    return acts->each(acts->self, &act);
}

/* Asks. */

static enum err op_due_act_on_ask(void *self, const struct ask_row *row)
{
    struct op_due_acts *acts = self;
    const struct snapshot *snapshot = &acts->call->snapshot;
    struct op_due_act act = {.kind = "ask",
                             .member = *ledger_member(snapshot->ledger),
                             .id = row->id,
                             .due_ms = row->expires_ms};
    struct buf plain = {0};
    struct ask_pass own;
    char text[2 * OP_DUE_TEXT_SIZE];
    enum err err;

    if (row->state != ASK_STATE_MINE || row->closed != 0 || row->expires_ms > acts->until_ms ||
        row->expires_ms <= acts->call->now_ms)
        return ERR_OK;
    err = view_ask_own(snapshot, &row->id, &plain, &own);
    if (err == ERR_OK) {
        (void)snprintf(text, sizeof text, "your %s ends: %.*s",
                       own.ask.sort == ASK_SORT_OFFER ? "offer" : "ask", (int)own.ask.title.size,
                       (const char *)own.ask.title.data);
        describe_cut(act.text, sizeof act.text, span_str(text));
        err = acts->each(acts->self, &act);
    }
    view_ask_wipe(&plain);
    return err;
}

enum err op_due_act_each(struct op_call *call, uint64_t until_ms, op_due_act_fn each, void *self)
{
    struct op_due_acts acts = {.call = call, .until_ms = until_ms, .each = each, .self = self};
    enum err err = op_due_act_endorsements(&acts, op_due_act_on_renewal);

    if (err == ERR_OK)
        err = op_due_act_endorsements(&acts, op_due_act_on_endorsement);
    if (err == ERR_OK)
        err = op_due_act_introductions(&acts);
    if (err == ERR_OK)
        err = op_want_each(call, op_due_act_on_want, &acts);
    if (err == ERR_OK)
        err = view_share_received(&call->snapshot, op_due_act_on_share, &acts);
    if (err == ERR_OK)
        err = view_ask_each(&call->snapshot, op_due_act_on_ask, &acts);
    buf_release(&acts.renewed);
    return err;
}
