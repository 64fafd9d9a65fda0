/* What is said in somebody's favour is sorted by who says it: the owner, people they know, people
 * whom those endorse, and everybody else, who counts for nothing here. */
#include "node/op_trust.h"

#include <stdlib.h>
#include <string.h>

#include "node/describe.h"
#include "node/describe_trust.h"
#include "node/vouch_words.h"
#include "storage/fold.h"

/* Who is asked about. */

/* Anybody: a peer, a contact, or a did:key never met. */
static enum err op_trust_find(struct describe_trust *trust)
{
    struct op_call *call = trust->call;
    const char *who = op_text(call, "who");
    enum err err;

    if (who != NULL && identity_read_did(span_str(who), &trust->who.member) == ERR_OK)
        trust->who.has_member = true;
    else if ((err = name_find(call, who, &trust->who)) != ERR_OK)
        return err;
    if (trust->who.has_member &&
        public_key_is_equal(&trust->who.member, ledger_member(call->snapshot.ledger)))
        return op_fail(call, OP_USAGE, "kith endorsement list --received",
                       "that is you: others are asked whether they trust you");
    trust->about = op_text(call, "about");
    if (trust->about != NULL && trust->about[0] == '\0')
        return op_fail(call, OP_USAGE, "kith trust joon --about carpentry",
                       "--about wants a skill");
    err = trust->about != NULL ? fold(span_str(trust->about), &trust->about_folded) : ERR_OK;
    return err;
}

static enum err op_trust_name_who(struct describe_trust *trust)
{
    enum err err = ERR_OK;

    if (trust->who.shown[0] != '\0')
        buf_append(&trust->name, span_str(trust->who.shown));
    else
        err = vouch_put_name(&trust->view, &trust->who.member, &trust->name);
    buf_byte(&trust->name, 0);
    return err == ERR_OK ? buf_err(&trust->name) : err;
}

/* What is said. */

static enum err op_trust_is_about(struct describe_trust *trust, const struct endorsement_view *view,
                                  bool *out)
{
    enum err err = ERR_OK;

    *out = trust->about == NULL;
    for (size_t at = 0; err == ERR_OK && !*out && at < view->about_count; at++) {
        buf_clear(&trust->scratch);
        err = fold(view->about[at], &trust->scratch);
        *out = span_is_equal(buf_span(&trust->scratch), buf_span(&trust->about_folded));
    }
    return err;
}

static json_t *op_trust_tags(const struct endorsement_view *view)
{
    json_t *tags = json_array();

    for (size_t at = 0; at < view->about_count; at++)
        (void)json_array_append_new(
            tags, json_stringn((const char *)view->about[at].data, view->about[at].size));
    return tags;
}

/* PROTOCOL TRUST-7: "Of each issuer i the endorsement counts of which most is left, a(i)." The
 * newest come first, so it is the first. */
static bool op_trust_has_word(const struct describe_trust *trust, const struct public_key *issuer)
{
    for (size_t at = 0; at < describe_trust_count(trust); at++)
        if (public_key_is_equal(&describe_trust_said(trust)[at].issuer, issuer))
            return true;
    return false;
}

static enum err op_trust_on_view(void *self, const struct endorsement_view *view)
{
    struct describe_trust *trust = self;
    const struct public_key *me = ledger_member(trust->call->snapshot.ledger);
    uint64_t today = trust->call->now_ms / VOUCH_MS_PER_DAY;
    uint64_t day = view->issued_s / (VOUCH_MS_PER_DAY / 1000);
    struct describe_trust_said said = {.issuer = view->issuer,
                                       .id = view->id,
                                       .relation = view->relation,
                                       .issued_s = view->issued_s,
                                       .fade =
                                           trust_fade(today > day ? (uint32_t)(today - day) : 0),
                                       .is_mine = public_key_is_equal(&view->issuer, me)};
    bool is_about;
    enum err err = op_trust_is_about(trust, view, &is_about);

    /* What I wrote counts as said from the day I did. */
    if (err != ERR_OK || !is_about || view->is_superseded ||
        (view->state != ENDORSEMENT_ACCEPTED &&
         !(said.is_mine && view->state == ENDORSEMENT_SENT)) ||
        op_trust_has_word(trust, &view->issuer))
        return err;
    if (!said.is_mine && vouch_person(&trust->view, &view->issuer, &said.person))
        said.hop = trust->is_muted ? 0 : trust_hop(trust->view.flow, said.person);
    said.about = op_trust_tags(view);
    buf_append(&trust->said, span_of(&said, sizeof said));
    err = buf_err(&trust->said);
    if (err != ERR_OK)
        json_decref(said.about);
    return err;
}

static enum err op_trust_add_routes(struct describe_trust *trust,
                                    const struct describe_trust_said *said)
{
    const struct trust_share *shares;
    uint32_t count;
    enum err err = trust_branches(trust->view.flow, said->person, &shares, &count);

    for (uint32_t at = 0; err == ERR_OK && at < count; at++) {
        struct describe_trust_route route = {.said = said,
                                             .branch = shares[at].branch,
                                             .amount = (uint64_t)said->fade * shares[at].amount};

        buf_append(&trust->routes, span_of(&route, sizeof route));
        err = buf_err(&trust->routes);
    }
    return err;
}

/* Strongest first; of equal ones the newer, then by root, so that every device says the same. */
static int op_trust_order(const void *left, const void *right)
{
    const struct describe_trust_route *one = left, *other = right;

    if (one->amount != other->amount)
        return one->amount > other->amount ? -1 : 1;
    if (one->said->issued_s != other->said->issued_s)
        return one->said->issued_s > other->said->issued_s ? -1 : 1;
    if (one->branch != other->branch)
        return one->branch < other->branch ? -1 : 1;
    return span_order(span_of(one->said->issuer.bytes, 32), span_of(other->said->issuer.bytes, 32));
}

static enum err op_trust_collect(struct describe_trust *trust)
{
    struct op_call *call = trust->call;
    enum err err = ERR_OK;

    if (trust->who.has_member)
        err = view_endorsement_of(&call->snapshot, call->now_ms, &trust->who.member,
                                  op_trust_on_view, trust);
    for (size_t at = 0; err == ERR_OK && at < describe_trust_count(trust); at++)
        if (describe_trust_said(trust)[at].hop > 0)
            err = op_trust_add_routes(trust, &describe_trust_said(trust)[at]);
    if (err == ERR_OK && describe_trust_routes_count(trust) > 1)
        qsort(trust->routes.data, describe_trust_routes_count(trust),
              sizeof(struct describe_trust_route), op_trust_order);
    return err;
}

static enum err op_trust_answer(struct describe_trust *trust)
{
    json_t *who = json_object(), *branches = json_array(), *result = json_object();
    enum closeness level = closeness_to(&trust->view.near, &trust->who);
    bool is_near =
        trust->who.has_contact ||
        (trust->who.has_member && closeness_of(&trust->view.near, &trust->who.member) != NULL);
    enum err err = describe_trust_branches(trust, branches);

    if (trust->who.has_member)
        describe_set_did(who, "member", &trust->who.member);
    describe_set_name(who, span_str(describe_trust_name(trust)));
    (void)json_object_set_new(result, "who", who);
    if (trust->about != NULL)
        describe_set_text(result, "about", span_str(trust->about));
    if (is_near)
        describe_set_text(result, "closeness", span_str(closeness_name(level)));
    (void)json_object_set(result, "sentence", json_array_get(trust->sentences, 0));
    (void)json_object_set(result, "sentences", trust->sentences);
    (void)json_object_set_new(result, "branches", branches);
    if (vouch_is_cut(&trust->view))
        (void)json_object_set_new(result, "is_cut", json_true());
    trust->call->result = result;
    return err;
}

static void op_trust_release(struct describe_trust *trust)
{
    for (size_t at = 0; at < describe_trust_count(trust); at++)
        json_decref(describe_trust_said(trust)[at].about);
    buf_release(&trust->said);
    buf_release(&trust->routes);
    buf_release(&trust->name);
    buf_release(&trust->about_folded);
    buf_release(&trust->scratch);
    json_decref(trust->sentences);
    vouch_close(&trust->view);
}

enum err op_trust(struct op_call *call)
{
    struct describe_trust trust = {.call = call, .sentences = json_array()};
    enum err err = op_trust_find(&trust);

    if (err == ERR_OK)
        err = vouch_open(call, &trust.view);
    if (err == ERR_OK)
        err = op_trust_name_who(&trust);
    if (err == ERR_OK) {
        trust.is_muted = closeness_to(&trust.view.near, &trust.who) == CLOSENESS_MUTED;
        err = op_trust_collect(&trust);
    }
    if (err == ERR_OK)
        err = describe_trust_say(&trust);
    if (err == ERR_OK)
        err = op_trust_answer(&trust);
    op_trust_release(&trust);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "trust could not be worked out");
}
