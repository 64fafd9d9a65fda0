/* The nearest way to the author is passed on; whoever may not have it is left out and named. */
#include "node/op_ask_pass.h"

#include <string.h>

#include "node/amend.h"
#include "node/ask.h"
#include "node/introduction.h"
#include "node/op_ask.h"
#include "node/op_ask_to.h"
#include "storage/follow.h"
#include "storage/view_interaction.h"

struct op_ask_pass {
    struct op_call *call;
    struct ask_row row;
    struct op_ask_to to;
    struct ask_route route; /* the way back */
    struct ask_pass held;
    struct buf plain, given, heard_from; /* given, heard_from: roots */
    const char *note;
};

static enum err op_ask_pass_on_grant(void *self, const struct ask_grant *grant)
{
    struct buf *given = self;

    if (!op_ask_to_has(given, &grant->to))
        buf_append(given, span_of(grant->to.bytes, 32));
    return buf_err(given);
}

static enum err op_ask_pass_on_route(void *self, const struct ask_route *route)
{
    struct buf *from = self;

    buf_append(from, span_of(route->from.bytes, 32));
    return buf_err(from);
}

/* Is it at a point at which it can be passed on? */
static enum err op_ask_pass_check(struct op_ask_pass *plan)
{
    struct op_call *call = plan->call;
    bool is_over = false;
    enum err err = view_ask_is_over(&call->snapshot, &plan->row, call->now_ms, &is_over);

    if (err == ERR_OK && plan->row.state == ASK_STATE_MINE)
        return op_fail(call, OP_FAILED, "kith ask post",
                       "it is your own: those you chose have it already");
    if (err == ERR_OK && plan->row.closed != 0)
        return op_fail(call, OP_FAILED, "kith ask list", "it is closed");
    if (err == ERR_OK && is_over)
        return op_fail(call, OP_FAILED, "kith ask list", "its time is over");
    if (err == ERR_OK)
        err = view_ask_route(&call->snapshot, &plan->row.id, &plan->route);
    if (err == ERR_OK)
        err = view_ask_pass(&call->snapshot, &plan->route, &plan->plain, &plan->held);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the ask could not be read");
    if (plan->held.depth >= plan->held.ask.hop_limit)
        return op_fail(call, OP_FAILED, "kith ask show ID",
                       "it goes no further: its author allowed %d hop%s", plan->held.ask.hop_limit,
                       plan->held.ask.hop_limit == 1 ? "" : "s");
    if (plan->note != NULL && strlen(plan->note) > ASK_LINE_SIZE_MAX)
        return op_fail(call, OP_USAGE, "say it in fewer words", "--note takes up to %d bytes",
                       ASK_LINE_SIZE_MAX);
    return ERR_OK;
}

static bool op_ask_pass_is_author(const struct op_ask_pass *plan, const struct public_key *member)
{
    struct ask_signer signer;

    return plan->held.author.size > 0 && ask_author_peek(plan->held.author, &signer) == ERR_OK &&
           public_key_is_equal(&signer.member, member);
}

/* PROTOCOL ASK-8: "It is passed on by its owner's hand alone, to at most ASK_PASSES_MAX people,
 * never to the author or to whom it came from." */
static void op_ask_pass_sort_out(struct op_ask_pass *plan)
{
    for (size_t at = op_ask_to_count(&plan->to); at-- > 0;) {
        struct public_key member = op_ask_to_at(&plan->to, at);

        if (op_ask_to_has(&plan->heard_from, &member))
            op_ask_to_leave_out(&plan->to, at, "it came from them");
        else if (op_ask_pass_is_author(plan, &member))
            op_ask_to_leave_out(&plan->to, at, "it is their own");
        else if (op_ask_to_has(&plan->given, &member))
            op_ask_to_leave_out(&plan->to, at, "they have it from you already");
    }
    op_ask_to_keep_away(&plan->to, &plan->held.ask);
}

static enum err op_ask_pass_choose(struct op_ask_pass *plan)
{
    struct op_call *call = plan->call;
    size_t before;
    enum err err = op_ask_to_named(&plan->to, op_list(call, "to"));

    if (err == ERR_OK)
        err = view_ask_grants(&call->snapshot, &plan->row.id, op_ask_pass_on_grant, &plan->given);
    if (err == ERR_OK)
        err = view_ask_routes(&call->snapshot, &plan->row.id, op_ask_pass_on_route,
                              &plan->heard_from);
    if (err != ERR_OK)
        return err;
    if (op_ask_to_count(&plan->to) == 0)
        return op_fail(call, OP_USAGE, "kith ask pass ID --to WHO", "say whom you pass it on to");
    op_ask_pass_sort_out(plan);
    before = plan->given.size / 32;
    if (before + op_ask_to_count(&plan->to) > ASK_PASSES_MAX)
        return op_fail(call, OP_FAILED, "choose those who may truly help",
                       "an ask is passed on to %d people at most; %zu have it from you",
                       ASK_PASSES_MAX, before);
    if (op_ask_to_count(&plan->to) > 0)
        return ERR_OK;
    return op_fail(call, OP_FAILED, "kith ask show ID", "nobody is left to pass it to: %s",
                   json_string_value(json_object_get(json_array_get(plan->to.left_out, 0), "why")));
}

/* On the timeline of the one it came from: I passed their ask on. */
static enum err op_ask_pass_note(struct op_ask_pass *plan)
{
    char ref[ID_TEXT_SIZE];
    struct interaction act = {.what = INTERACTION_PASSED, .text = plan->held.ask.title};

    hex_write(span_of(plan->row.id.bytes, ID_SIZE), ref);
    act.ref = span_str(ref);
    return view_interaction_act(plan->call->txn, &plan->route.from, &act);
}

static enum err op_ask_pass_undismiss(struct op_ask_pass *plan)
{
    struct op_call *call = plan->call;
    struct amend amend;

    amend_begin(&amend, call->txn, ledger_self_space(call->snapshot.ledger), KIND_HEARD,
                &plan->row.id);
    amend_clear(&amend, HEARD_DISMISSED);
    return amend_end(&amend, NULL);
}

static enum err op_ask_pass_write(struct op_ask_pass *plan)
{
    struct op_call *call = plan->call;
    struct public_key to;
    struct ask_gift gift = {.held = &plan->held,
                            .from = &plan->route.from,
                            .to = &to,
                            .line = span_str(plan->note != NULL ? plan->note : "")};
    enum err err = ERR_OK;

    for (size_t at = 0; at < op_ask_to_count(&plan->to) && err == ERR_OK; at++) {
        to = op_ask_to_at(&plan->to, at);
        err = ask_give(call->txn, &gift);
    }
    if (err == ERR_OK)
        err = op_ask_pass_undismiss(plan);
    if (err == ERR_OK)
        err = follow_all(call->txn);
    if (err == ERR_OK)
        err = op_ask_pass_note(plan);
    if (err == ERR_OK)
        err = op_ask_welcome(call, &plan->row.id, true);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the ask could not be passed on");
    err = op_ask_answer(call, &plan->row.id);
    if (err == ERR_OK && json_array_size(plan->to.left_out) > 0)
        (void)json_object_set(call->result, "left_out", plan->to.left_out);
    return err;
}

enum err op_ask_pass(struct op_call *call)
{
    struct op_ask_pass plan = {.call = call, .note = op_text(call, "note")};
    enum err err = op_ask_find(call, op_text(call, "id"), &plan.row);

    op_ask_to_begin(call, &plan.to);
    if (err == ERR_OK)
        err = op_ask_pass_check(&plan);
    if (err == ERR_OK)
        err = op_ask_pass_choose(&plan);
    if (err == ERR_OK)
        err = op_ask_pass_write(&plan);
    op_ask_to_release(&plan.to);
    view_ask_wipe(&plan.plain);
    buf_release(&plan.given);
    buf_release(&plan.heard_from);
    return err;
}
