/* What is said in somebody's favour is sorted by who says it: the owner, people they know, people
 * whom those endorse, and everybody else, who counts for nothing here. */
#include "node/op_trust.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/date.h"
#include "node/describe.h"
#include "node/vouch.h"
#include "node/vouch_words.h"
#include "storage/fold.h"

enum { OP_TRUST_TOLD_MAX = 20, OP_TRUST_ROUTES_MAX = 3 };

/* One endorsement of the person asked about. */
struct op_trust_said {
    struct public_key issuer;
    struct id id;
    enum relation relation;
    uint64_t issued_s;
    uint32_t person; /* the issuer, where hop is not 0 */
    uint32_t fade;
    unsigned hop;
    bool is_mine;
    json_t *about; /* its tags; owned */
};

/* One branch of one endorsement. */
struct op_trust_route {
    const struct op_trust_said *said;
    uint32_t branch;
    uint64_t amount;
};

struct op_trust {
    struct op_call *call;
    struct vouch_view view;
    struct name_match who;
    struct buf name;   /* of who, as sentences have it, with an end */
    const char *about; /* NULL: whatever it is about */
    struct buf about_folded, scratch;
    struct buf said;   /* struct op_trust_said */
    struct buf routes; /* struct op_trust_route */
    bool is_muted;
    json_t *sentences;
};

static const struct op_trust_said *op_trust_said(const struct op_trust *trust)
{
    return (const struct op_trust_said *)(const void *)trust->said.data;
}

static size_t op_trust_count(const struct op_trust *trust)
{
    return trust->said.size / sizeof(struct op_trust_said);
}

static const struct op_trust_route *op_trust_routes(const struct op_trust *trust)
{
    return (const struct op_trust_route *)(const void *)trust->routes.data;
}

static size_t op_trust_routes_count(const struct op_trust *trust)
{
    return trust->routes.size / sizeof(struct op_trust_route);
}

/* Who is asked about. */

/* Anybody: a peer, a contact, or a did:key never met. */
static enum err op_trust_find(struct op_trust *trust)
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
    if (trust->who.shown[0] != '\0')
        buf_append(&trust->name, span_str(trust->who.shown));
    else if ((err = vouch_put_name(call, &trust->who.member, &trust->name)) != ERR_OK)
        return err;
    buf_byte(&trust->name, 0);
    trust->about = op_text(call, "about");
    if (trust->about != NULL && trust->about[0] == '\0')
        return op_fail(call, OP_USAGE, "kith trust joon --about carpentry",
                       "--about wants a skill");
    err = trust->about != NULL ? fold(span_str(trust->about), &trust->about_folded) : ERR_OK;
    return err == ERR_OK ? buf_err(&trust->name) : err;
}

/* What is said. */

static enum err op_trust_is_about(struct op_trust *trust, const struct endorsement_view *view,
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
static bool op_trust_has_word(const struct op_trust *trust, const struct public_key *issuer)
{
    for (size_t at = 0; at < op_trust_count(trust); at++)
        if (public_key_is_equal(&op_trust_said(trust)[at].issuer, issuer))
            return true;
    return false;
}

static enum err op_trust_on_view(void *self, const struct endorsement_view *view)
{
    struct op_trust *trust = self;
    const struct public_key *me = ledger_member(trust->call->snapshot.ledger);
    uint64_t today = trust->call->now_ms / VOUCH_MS_PER_DAY;
    uint64_t day = view->issued_s / (VOUCH_MS_PER_DAY / 1000);
    struct op_trust_said said = {.issuer = view->issuer,
                                 .id = view->id,
                                 .relation = view->relation,
                                 .issued_s = view->issued_s,
                                 .fade = trust_fade(today > day ? (uint32_t)(today - day) : 0),
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
    return buf_err(&trust->said);
}

static enum err op_trust_add_routes(struct op_trust *trust, const struct op_trust_said *said)
{
    const struct trust_share *shares;
    uint32_t count;
    enum err err = trust_branches(trust->view.flow, said->person, &shares, &count);

    for (uint32_t at = 0; err == ERR_OK && at < count; at++) {
        struct op_trust_route route = {.said = said,
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
    const struct op_trust_route *one = left, *other = right;

    if (one->amount != other->amount)
        return one->amount > other->amount ? -1 : 1;
    if (one->said->issued_s != other->said->issued_s)
        return one->said->issued_s > other->said->issued_s ? -1 : 1;
    if (one->branch != other->branch)
        return one->branch < other->branch ? -1 : 1;
    return span_order(span_of(one->said->issuer.bytes, 32), span_of(other->said->issuer.bytes, 32));
}

static enum err op_trust_collect(struct op_trust *trust)
{
    struct op_call *call = trust->call;
    enum err err = ERR_OK;

    if (trust->who.has_member)
        err = view_endorsement_of(&call->snapshot, call->now_ms, &trust->who.member,
                                  op_trust_on_view, trust);
    for (size_t at = 0; err == ERR_OK && at < op_trust_count(trust); at++)
        if (op_trust_said(trust)[at].hop > 0)
            err = op_trust_add_routes(trust, &op_trust_said(trust)[at]);
    if (err == ERR_OK && op_trust_routes_count(trust) > 1)
        qsort(trust->routes.data, op_trust_routes_count(trust), sizeof(struct op_trust_route),
              op_trust_order);
    return err;
}

/* Sentences. */

static const char *op_trust_name(const struct op_trust *trust)
{
    return (const char *)trust->name.data;
}

static void op_trust_put(struct buf *line, const char *text)
{
    buf_append(line, span_str(text));
}

static void op_trust_put_about(const struct op_trust *trust, struct buf *line)
{
    if (trust->about == NULL)
        return;
    op_trust_put(line, " for ");
    op_trust_put(line, trust->about);
}

static enum err op_trust_say(struct op_trust *trust, struct buf *line)
{
    enum err err = buf_err(line);

    if (err == ERR_OK &&
        json_array_append_new(trust->sentences,
                              json_stringn((const char *)line->data, line->size)) != 0)
        err = ERR_NOMEM;
    buf_release(line);
    return err;
}

/* "Ana endorses Ivo, and Ivo has worked with Dana". */
static enum err op_trust_put_route(struct op_trust *trust, const struct op_trust_route *route,
                                   struct buf *line)
{
    struct op_call *call = trust->call;
    uint32_t people[TRUST_HOPS], count = 0;
    enum err err =
        trust_route(trust->view.flow, route->branch, route->said->person, people, &count);

    for (uint32_t at = 0; err == ERR_OK && at < count; at++) {
        err = vouch_put_name(call, vouch_member(&trust->view, people[at]), line);
        if (err == ERR_OK && at + 1 < count) {
            op_trust_put(line, " endorses ");
            err = vouch_put_name(call, vouch_member(&trust->view, people[at + 1]), line);
            op_trust_put(line, at + 2 < count ? ", " : ", and ");
        }
    }
    op_trust_put(line, " ");
    op_trust_put(line, vouch_relation(route->said->relation, false));
    op_trust_put(line, " ");
    op_trust_put(line, op_trust_name(trust));
    op_trust_put(line, vouch_relation_end(route->said->relation));
    return err;
}

static size_t op_trust_direct(const struct op_trust *trust, const struct op_trust_said **out_first,
                              bool *out_is_alike)
{
    size_t count = 0;

    *out_is_alike = trust->about == NULL;
    for (size_t at = 0; at < op_trust_count(trust); at++) {
        const struct op_trust_said *said = &op_trust_said(trust)[at];

        if (said->hop != 1)
            continue;
        if (count++ == 0)
            *out_first = said;
        else if (said->relation != (*out_first)->relation)
            *out_is_alike = false;
    }
    return count;
}

/* "Two people you know have worked with Dana: Ana and Ben." */
static enum err op_trust_say_direct(struct op_trust *trust, size_t count,
                                    const struct op_trust_said *first, bool is_alike)
{
    struct buf line = {0};
    size_t told = 0;
    enum err err = ERR_OK;

    vouch_put_number(count, &line);
    if (line.data != NULL && line.data[0] >= 'a')
        line.data[0] = (uint8_t)(line.data[0] - 32);
    op_trust_put(&line, count > 1 ? " people you know " : " person you know ");
    op_trust_put(&line, is_alike    ? vouch_relation(first->relation, count > 1)
                        : count > 1 ? "endorse"
                                    : "endorses");
    op_trust_put(&line, " ");
    op_trust_put(&line, op_trust_name(trust));
    op_trust_put(&line, is_alike ? vouch_relation_end(first->relation) : "");
    op_trust_put_about(trust, &line);
    op_trust_put(&line, ": ");
    /* The routes of friends are in the order that counts. */
    for (size_t at = 0; err == ERR_OK && at < op_trust_routes_count(trust); at++) {
        const struct op_trust_route *route = &op_trust_routes(trust)[at];

        if (route->said->hop != 1)
            continue;
        vouch_put_comma(told++, count, &line);
        err = vouch_put_name(trust->call, &route->said->issuer, &line);
    }
    op_trust_put(&line, ".");
    if (err != ERR_OK) {
        buf_release(&line);
        return err;
    }
    return op_trust_say(trust, &line);
}

/* "You know nobody who endorses Dana directly. Ana endorses Ivo, and Ivo has worked with Dana." */
static enum err op_trust_say_indirect(struct op_trust *trust)
{
    struct buf line = {0};
    enum err err;

    op_trust_put(&line, "You know nobody who endorses ");
    op_trust_put(&line, op_trust_name(trust));
    op_trust_put(&line, " directly");
    op_trust_put_about(trust, &line);
    op_trust_put(&line, ". ");
    err = op_trust_put_route(trust, &op_trust_routes(trust)[0], &line);
    op_trust_put(&line, ".");
    if (err != ERR_OK) {
        buf_release(&line);
        return err;
    }
    return op_trust_say(trust, &line);
}

static enum err op_trust_say_nothing(struct op_trust *trust)
{
    struct buf line = {0};

    if (trust->is_muted) {
        op_trust_put(&line, "You have muted ");
        op_trust_put(&line, op_trust_name(trust));
        op_trust_put(&line, ": what they say, and what is said of them, counts for nothing here.");
        return op_trust_say(trust, &line);
    }
    if (!trust->who.has_member) {
        op_trust_put(&line, op_trust_name(trust));
        op_trust_put(&line, " does not use kith as far as you know: nobody's endorsement of them "
                            "can reach you.");
        return op_trust_say(trust, &line);
    }
    op_trust_put(&line, "No path from people you know to ");
    op_trust_put(&line, op_trust_name(trust));
    op_trust_put_about(trust, &line);
    op_trust_put(&line, ".");
    return op_trust_say(trust, &line);
}

/* "Four endorsements, all through one person you know (Ana)." */
static enum err op_trust_say_one_branch(struct op_trust *trust)
{
    const struct op_trust_route *routes = op_trust_routes(trust);
    size_t reached = 0;
    struct buf line = {0};
    enum err err;

    for (size_t at = 0; at < op_trust_count(trust); at++)
        reached += op_trust_said(trust)[at].hop > 0;
    for (size_t at = 1; at < op_trust_routes_count(trust); at++)
        if (routes[at].branch != routes[0].branch)
            return ERR_OK;
    if (reached < 2 || op_trust_routes_count(trust) == 0)
        return ERR_OK;
    vouch_put_number(reached, &line);
    if (line.data != NULL && line.data[0] >= 'a')
        line.data[0] = (uint8_t)(line.data[0] - 32);
    op_trust_put(&line, " endorsements, all through one person you know (");
    err = vouch_put_name(trust->call, &vouch_friend(&trust->view, routes[0].branch)->member, &line);
    op_trust_put(&line, ").");
    if (err != ERR_OK) {
        buf_release(&line);
        return err;
    }
    return op_trust_say(trust, &line);
}

/* By people nothing leads to; and what the owner wrote. */
static enum err op_trust_say_rest(struct op_trust *trust)
{
    struct buf line = {0}, own = {0};
    size_t strangers = 0;
    char day[DATE_TEXT_SIZE];
    enum err err = ERR_OK;

    for (size_t at = 0; at < op_trust_count(trust); at++) {
        const struct op_trust_said *said = &op_trust_said(trust)[at];

        strangers += said->hop == 0 && !said->is_mine;
        if (!said->is_mine)
            continue;
        date_write(said->issued_s * 1000, day);
        op_trust_put(&own, "You endorsed ");
        op_trust_put(&own, op_trust_name(trust));
        op_trust_put(&own, " yourself");
        op_trust_put_about(trust, &own);
        op_trust_put(&own, ", on ");
        op_trust_put(&own, day);
        op_trust_put(&own, ".");
        err = op_trust_say(trust, &own);
    }
    if (err != ERR_OK || strangers == 0 || trust->is_muted)
        return err;
    vouch_put_number(strangers, &line);
    if (line.data != NULL && line.data[0] >= 'a')
        line.data[0] = (uint8_t)(line.data[0] - 32);
    op_trust_put(&line,
                 strangers > 1 ? " endorsements are by people" : " endorsement is by someone");
    op_trust_put(&line, " nobody you know leads to; ");
    op_trust_put(&line,
                 strangers > 1 ? "they count for nothing here." : "it counts for nothing here.");
    return op_trust_say(trust, &line);
}

/* "Ana introduced you on 2026-05-03." */
static enum err op_trust_say_introduced(struct op_trust *trust)
{
    const struct closeness_row *row =
        trust->who.has_member ? closeness_of(&trust->view.near, &trust->who.member) : NULL;
    struct buf line = {0};
    char day[DATE_TEXT_SIZE];
    enum err err;

    if (row == NULL || !row->has_via)
        return ERR_OK;
    err = vouch_put_name(trust->call, &row->via, &line);
    op_trust_put(&line, " introduced the two of you, on ");
    date_write(row->since_ms, day);
    op_trust_put(&line, day);
    op_trust_put(&line, ".");
    if (err != ERR_OK) {
        buf_release(&line);
        return err;
    }
    return op_trust_say(trust, &line);
}

static enum err op_trust_say_all(struct op_trust *trust)
{
    const struct op_trust_said *first = NULL;
    bool is_alike;
    size_t direct = op_trust_direct(trust, &first, &is_alike);
    enum err err;

    if (direct > 0)
        err = op_trust_say_direct(trust, direct, first, is_alike);
    else if (op_trust_routes_count(trust) > 0)
        err = op_trust_say_indirect(trust);
    else
        err = op_trust_say_nothing(trust);
    if (err == ERR_OK)
        err = op_trust_say_one_branch(trust);
    if (err == ERR_OK)
        err = op_trust_say_rest(trust);
    return err == ERR_OK ? op_trust_say_introduced(trust) : err;
}

/* The branches behind it. */

static json_t *op_trust_chain(struct op_trust *trust, const struct op_trust_route *route)
{
    json_t *chain = json_array();
    uint32_t people[TRUST_HOPS], count = 0;

    if (trust_route(trust->view.flow, route->branch, route->said->person, people, &count) != ERR_OK)
        count = 0;
    for (uint32_t at = 0; at < count; at++)
        (void)json_array_append_new(
            chain, vouch_describe(trust->call, vouch_member(&trust->view, people[at])));
    return chain;
}

static enum err op_trust_branch(struct op_trust *trust, const struct op_trust_route *route,
                                json_t *list)
{
    json_t *row = json_object(), *chain = op_trust_chain(trust, route);
    struct buf line = {0};
    char day[DATE_TEXT_SIZE], uuid[DESCRIBE_UUID_SIZE];
    enum err err = op_trust_put_route(trust, route, &line);

    date_write(route->said->issued_s * 1000, day);
    describe_uuid(&route->said->id, uuid);
    op_trust_put(&line, " (");
    for (size_t at = 0; at < json_array_size(route->said->about); at++) {
        op_trust_put(&line, at > 0 ? ", " : "");
        op_trust_put(&line, json_string_value(json_array_get(route->said->about, at)));
    }
    op_trust_put(&line, "; written ");
    op_trust_put(&line, day);
    op_trust_put(&line, ").");
    (void)json_object_set(row, "through", json_array_get(chain, 0));
    (void)json_object_set_new(row, "chain", chain);
    (void)json_object_set(row, "about", route->said->about);
    describe_set_text(row, "relation", span_str(relation_name(route->said->relation)));
    describe_set_time(row, "issued", route->said->issued_s * 1000);
    describe_set_text(row, "endorsement", span_str(uuid));
    describe_set_text(row, "sentence", buf_span(&line));
    if (err == ERR_OK)
        err = buf_err(&line);
    buf_release(&line);
    return json_array_append_new(list, row) == 0 ? err : ERR_NOMEM;
}

/* At most a few branches of one endorsement, so that one does not crowd out the others. */
static enum err op_trust_describe_branches(struct op_trust *trust, json_t *list)
{
    const struct op_trust_route *routes = op_trust_routes(trust);
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < op_trust_routes_count(trust) &&
                        json_array_size(list) < OP_TRUST_TOLD_MAX;
         at++) {
        size_t before = 0;

        for (size_t earlier = 0; earlier < at; earlier++)
            before += routes[earlier].said == routes[at].said;
        if (before < OP_TRUST_ROUTES_MAX)
            err = op_trust_branch(trust, &routes[at], list);
    }
    return err;
}

static enum err op_trust_answer(struct op_trust *trust)
{
    json_t *who = json_object(), *branches = json_array(), *result = json_object();
    enum closeness level = closeness_to(&trust->view.near, &trust->who);
    bool is_near =
        trust->who.has_contact ||
        (trust->who.has_member && closeness_of(&trust->view.near, &trust->who.member) != NULL);
    enum err err = op_trust_describe_branches(trust, branches);

    if (trust->who.has_member)
        describe_set_did(who, "member", &trust->who.member);
    describe_set_text(who, "name", span_str(op_trust_name(trust)));
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

static void op_trust_release(struct op_trust *trust)
{
    for (size_t at = 0; at < op_trust_count(trust); at++)
        json_decref(op_trust_said(trust)[at].about);
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
    struct op_trust trust = {.call = call, .sentences = json_array()};
    enum err err = op_trust_find(&trust);

    if (err == ERR_OK)
        err = vouch_open(call, &trust.view);
    if (err == ERR_OK) {
        trust.is_muted = closeness_to(&trust.view.near, &trust.who) == CLOSENESS_MUTED;
        err = op_trust_collect(&trust);
    }
    if (err == ERR_OK)
        err = op_trust_say_all(&trust);
    if (err == ERR_OK)
        err = op_trust_answer(&trust);
    op_trust_release(&trust);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "trust could not be worked out");
}
