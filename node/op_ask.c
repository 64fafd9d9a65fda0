/* Lists leave out what is over, unless it is asked for; an id finds it nonetheless. */
#include "node/op_ask.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/amend.h"
#include "node/ask_matches.h"
#include "node/carry.h"
#include "node/describe_ask.h"
#include "node/describe_lead.h"
#include "node/react.h"
#include "node/which.h"

/* Looking. */

struct op_ask_rows {
    struct op_call *call;
    json_t *asks;
    bool wants_mine, wants_others, wants_later, wants_all;
    bool wants_matches;
    uint64_t later; /* in the digest */
    struct matches matches;
};

static bool op_ask_is_wanted(const struct op_ask_rows *rows, const struct ask_row *row,
                             const char *state)
{
    bool is_gone = strcmp(state, "closed") == 0 || strcmp(state, "expired") == 0;

    if (rows->wants_mine)
        return row->state == ASK_STATE_MINE;
    if (rows->wants_others)
        return row->state != ASK_STATE_MINE && !is_gone;
    if (rows->wants_later)
        return strcmp(state, "later") == 0;
    return rows->wants_all ||
           (!is_gone && strcmp(state, "later") != 0 && strcmp(state, "not now") != 0);
}

static enum err op_ask_on_row(void *self, const struct ask_row *row)
{
    struct op_ask_rows *rows = self;
    const char *state;
    json_t *ask;
    enum err err = describe_ask_state(rows->call, row, &state);

    if (err != ERR_OK || state == NULL)
        return err;
    rows->later += strcmp(state, "later") == 0;
    if (!op_ask_is_wanted(rows, row, state))
        return ERR_OK;
    err = describe_ask_read(rows->call, row, &ask);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err; /* What it said is gone. */
    if (rows->wants_matches)
        err = ask_matches_add(&rows->matches, row, ask);
    return json_array_append_new(rows->asks, ask) == 0 ? err : ERR_NOMEM;
}

static int op_ask_order(const void *left, const void *right)
{
    json_t *const *one = left, *const *other = right;

    return strcmp(json_string_value(json_object_get(*other, "issued")),
                  json_string_value(json_object_get(*one, "issued")));
}

/* The newest first. */
static json_t *op_ask_sorted(json_t *asks)
{
    size_t count = json_array_size(asks);
    json_t **rows = heap_new((count + 1) * sizeof *rows);
    json_t *sorted = json_array();

    for (size_t at = 0; rows != NULL && at < count; at++)
        rows[at] = json_array_get(asks, at);
    if (rows != NULL)
        qsort(rows, count, sizeof *rows, op_ask_order);
    for (size_t at = 0; at < count; at++)
        (void)json_array_append(sorted, rows != NULL ? rows[at] : json_array_get(asks, at));
    heap_free(rows);
    json_decref(asks);
    return sorted;
}

static enum err op_ask_list_with(struct op_call *call, bool wants_matches)
{
    struct op_ask_rows rows = {.call = call,
                               .asks = json_array(),
                               .wants_matches = wants_matches,
                               .wants_mine = op_flag(call, "mine"),
                               .wants_others = op_flag(call, "others"),
                               .wants_later = op_flag(call, "later"),
                               .wants_all = op_flag(call, "all")};
    enum err err;

    matches_begin(&rows.matches, call);
    err = view_ask_each(&call->snapshot, op_ask_on_row, &rows);
    matches_end(&rows.matches);
    call->result =
        json_pack("{s:o, s:I}", "asks", op_ask_sorted(rows.asks), "later", (json_int_t)rows.later);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the asks could not be read");
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

enum err op_ask_list(struct op_call *call)
{
    return op_ask_list_with(call, true);
}

enum err op_ask_list_plain(struct op_call *call)
{
    return op_ask_list_with(call, false);
}

/* Finding one by its id, or by words of its title. */

struct op_ask_search {
    const struct op_call *call;
    struct which which;
    struct ask_row row;
};

static enum err op_ask_on_found(void *self, const struct ask_row *row)
{
    struct op_ask_search *search = self;
    char title[CARRY_TITLE_SIZE];
    struct which_names names = {.names = {title}};
    enum err err = ERR_OK;

    if (row->state == ASK_STATE_UNHEARD || row->state == ASK_STATE_SILENT)
        return ERR_OK;
    carry_title(&search->call->snapshot, &row->id, title);
    err = view_ask_is_over(&search->call->snapshot, row, search->call->now_ms, &names.is_over);
    names.is_over |= row->closed != 0;
    if (err == ERR_OK && which_offer(&search->which, &row->id, &names))
        search->row = *row;
    return err;
}

enum err op_ask_find(struct op_call *call, const char *typed, struct ask_row *out)
{
    static const struct which_noun noun = {"ask", "asks", "kith ask list"};
    struct op_ask_search search = {.call = call};
    enum err err = which_begin(typed, &search.which);

    if (err == ERR_OK)
        err = view_ask_each(&call->snapshot, op_ask_on_found, &search);
    if (err != ERR_OK) {
        which_release(&search.which);
        return op_fail_err(call, err, "the asks could not be read");
    }
    *out = search.row;
    return which_settle(&search.which, call, &noun);
}

static enum err op_ask_describe(struct op_call *call, const struct ask_row *row)
{
    call->result = describe_ask(call, row);
    return call->result != NULL ? ERR_OK
                                : op_fail(call, OP_NOT_FOUND, "kith ask list",
                                          "it is over, and what it said is gone");
}

enum err op_ask_show(struct op_call *call)
{
    struct matches matches;
    struct ask_row row;
    enum err err = op_ask_find(call, op_text(call, "id"), &row);

    if (err == ERR_OK)
        err = op_ask_describe(call, &row);
    if (err == ERR_OK && row.state == ASK_STATE_MINE)
        (void)json_object_set_new(call->result, "leads", describe_leads(call, &row.id));
    if (err != ERR_OK)
        return err;
    matches_begin(&matches, call);
    err = ask_matches_add(&matches, &row, call->result);
    matches_end(&matches);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "your contacts could not be read");
}

enum err op_ask_answer(struct op_call *call, const struct id *id)
{
    struct ask_row row;
    enum err err = react_all(call->txn);

    if (err == ERR_OK)
        err = view_ask(&call->snapshot, id, &row);
    return err == ERR_OK ? op_ask_describe(call, &row)
                         : op_fail_err(call, err, "the ask could not be stored");
}

/* Deciding. */

struct op_ask_neighbours {
    const struct op_call *call;
    struct buf budgets;
    bool is_welcome;
};

static enum err op_ask_on_neighbour(void *self, const struct ask_route *route)
{
    struct op_ask_neighbours *all = self;
    struct ask_budget budget;
    enum err err = view_ask_budget(&all->call->snapshot, &route->from, all->call->now_ms, &budget);

    budget.ignored = all->is_welcome ? 0 : budget.ignored + 1;
    if (err == ERR_OK)
        buf_append(&all->budgets, span_of(&budget, sizeof budget));
    return err == ERR_OK ? buf_err(&all->budgets) : err;
}

enum err op_ask_welcome(struct op_call *call, const struct id *id, bool is_welcome)
{
    struct op_ask_neighbours all = {.call = call, .is_welcome = is_welcome};
    struct ask_budget budget;
    enum err err = view_ask_routes(&call->snapshot, id, op_ask_on_neighbour, &all);

    for (size_t at = 0; at < all.budgets.size && err == ERR_OK; at += sizeof budget) {
        memcpy(&budget, all.budgets.data + at, sizeof budget);
        err = view_ask_budget_put(call->txn, &budget);
    }
    buf_release(&all.budgets);
    return err;
}

enum err op_ask_close(struct op_call *call)
{
    const char *reason = op_text(call, "reason");
    bool is_changed = reason != NULL && strcmp(reason, "changed") == 0;
    struct ask_row row;
    struct amend amend;
    enum err err = op_ask_find(call, op_text(call, "id"), &row);

    if (err == ERR_OK && row.state != ASK_STATE_MINE)
        err = op_fail(call, OP_FAILED, "kith ask dismiss ID",
                      "only who asked can close it; you can say: not now");
    if (err == ERR_OK && reason != NULL && !is_changed && strcmp(reason, "found") != 0)
        err = op_fail(call, OP_USAGE, "--reason found or --reason changed",
                      "%.40s is no reason kith knows", reason);
    if (err == ERR_OK && row.closed != 0)
        err = op_fail(call, OP_FAILED, "kith ask show ID", "it is closed already");
    if (err != ERR_OK)
        return err;
    amend_begin(&amend, call->txn, ledger_self_space(call->snapshot.ledger), KIND_ASK, &row.id);
    amend_number(&amend, ASK_CLOSED, is_changed ? ASK_CHANGED : ASK_FOUND);
    amend_number(&amend, ASK_CLOSED_AT, call->now_ms);
    err = amend_end(&amend, NULL);
    return err == ERR_OK ? op_ask_answer(call, &row.id)
                         : op_fail_err(call, err, "the ask could not be closed");
}

enum err op_ask_dismiss(struct op_call *call)
{
    struct ask_row row;
    struct amend amend;
    bool was_dismissed;
    enum err err = op_ask_find(call, op_text(call, "id"), &row);

    if (err == ERR_OK && row.state == ASK_STATE_MINE)
        err = op_fail(call, OP_FAILED, "kith ask close ID", "it is your own: close it");
    if (err != ERR_OK)
        return err;
    amend_begin(&amend, call->txn, ledger_self_space(call->snapshot.ledger), KIND_HEARD, &row.id);
    was_dismissed = object_number(&amend.object, HEARD_DISMISSED) != 0;
    if (!was_dismissed)
        amend_number(&amend, HEARD_DISMISSED, call->now_ms);
    err = amend_end(&amend, NULL);
    if (err == ERR_OK && !was_dismissed) /* Said again it is no other ask that was not wanted. */
        err = op_ask_welcome(call, &row.id, false);
    return err == ERR_OK ? op_ask_answer(call, &row.id)
                         : op_fail_err(call, err, "this could not be stored");
}

/* Counting. */

struct op_ask_tally {
    struct op_call *call;
    uint64_t mine, open, fresh; /* of the open ones, those nothing was decided about */
};

static enum err op_ask_on_tally(void *self, const struct ask_row *row)
{
    struct op_ask_tally *tally = self;
    const char *state;
    enum err err = describe_ask_state(tally->call, row, &state);
    bool is_fresh;

    if (err != ERR_OK || state == NULL)
        return err;
    is_fresh = strcmp(state, "shown") == 0;
    tally->mine += strcmp(state, "open") == 0;
    tally->fresh += is_fresh;
    tally->open += is_fresh || strcmp(state, "passed") == 0 || strcmp(state, "answered") == 0;
    return ERR_OK;
}

enum err op_ask_status(struct op_call *call)
{
    struct op_ask_tally tally = {.call = call};
    enum err err = view_ask_each(&call->snapshot, op_ask_on_tally, &tally);

    (void)json_object_set_new(call->result, "asks",
                              json_pack("{s:I, s:I, s:I}", "mine", (json_int_t)tally.mine, "open",
                                        (json_int_t)tally.open, "new", (json_int_t)tally.fresh));
    return err;
}
