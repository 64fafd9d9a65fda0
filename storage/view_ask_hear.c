/* What arrives: passes and closes become routes or refusals, budgets are spent, rows made. Nothing
 * is judged twice: a rebuild finds the routes there. */
#include "storage/view_ask.h"

#include <string.h>

#include "crypto/secret.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/standing.h"
#include "storage/view_peer.h"

/* A pass or close being heard. */
struct ask_hearing {
    struct ledger_txn *txn;
    struct snapshot snapshot;
    struct ask_route route;
    struct ask_budget budget; /* of the neighbour */
    struct ask_row row;
    bool is_new; /* the row */
};

/* The agenda: the ask is looked at now, and when it can be forgotten. */

static enum err ask_hear_due(struct ledger_txn *txn, uint64_t due_ms, const struct id *id)
{
    return agenda_put(txn, due_ms, KIND_ASK, span_of(id->bytes, ID_SIZE));
}

static enum err ask_hear_put_row(struct ledger_txn *txn, const struct ask_row *row)
{
    enum err err = view_ask_put(txn, row);

    if (err == ERR_OK)
        err = ask_hear_due(txn, row->expires_ms + ASK_TOMBSTONE_DAYS * MS_PER_DAY, &row->id);
    return err == ERR_OK ? ask_hear_due(txn, AGENDA_NOW, &row->id) : err;
}

/* The row as it is, or a fresh one that says nothing yet. */
static enum err ask_hear_row(struct ledger_txn *txn, const struct id *id, struct ask_row *out,
                             bool *out_is_new)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = view_ask(&snapshot, id, out);

    *out_is_new = err == ERR_NOT_FOUND;
    if (err != ERR_NOT_FOUND)
        return err;
    *out = (struct ask_row){.id = *id,
                            .state = ASK_STATE_UNHEARD,
                            .expires_ms = ledger_txn_now_ms(txn) + ASK_DAYS_MAX * MS_PER_DAY};
    return running_moment(txn, &out->heard);
}

static enum err ask_hear_begin(struct ask_hearing *hearing)
{
    enum err err = ask_hear_row(hearing->txn, &hearing->route.ask, &hearing->row, &hearing->is_new);

    return err == ERR_OK ? view_ask_budget(&hearing->snapshot, &hearing->route.from,
                                           ledger_txn_now_ms(hearing->txn), &hearing->budget)
                         : err;
}

static enum err ask_hear_put_route(struct ask_hearing *hearing)
{
    struct key name;
    enum err err = view_ask_route_put(hearing->txn, &hearing->route);

    view_ask_route_name(&hearing->route, &name);
    return err == ERR_OK ? agenda_put(hearing->txn, AGENDA_NOW, KIND_PASS, key_span(&name)) : err;
}

/* PROTOCOL ASK-10: "Of one neighbour ASK_REFUSED_DAY_MAX refusals are told and remembered in a
 * day."
 */
static enum err ask_hear_refuse(struct ask_hearing *hearing, enum ask_fault fault)
{
    struct ask_budget *budget = &hearing->budget;
    enum err err;

    (void)view_ask_budget_take(budget, ledger_txn_now_ms(hearing->txn));
    if (budget->refused >= ASK_REFUSED_DAY_MAX)
        return view_ask_budget_put(hearing->txn, budget);
    budget->refused++;
    hearing->route.fault = fault;
    err = view_ask_budget_put(hearing->txn, budget);
    if (err == ERR_OK && hearing->is_new)
        err = ask_hear_put_row(hearing->txn, &hearing->row);
    return err == ERR_OK ? ask_hear_put_route(hearing) : err;
}

/* Passes. */

static enum err ask_hear_is_blocked(const struct snapshot *snapshot, const struct ask_pass *pass,
                                    bool *out)
{
    struct ask_signer author;
    struct peer *peer;
    enum err err;

    *out = false;
    if (pass->author.size == 0)
        return ERR_OK;
    peer = secret_new(sizeof *peer);
    err = peer != NULL ? ask_author_peek(pass->author, &author) : ERR_NOMEM;
    if (err == ERR_OK)
        err = view_peer(snapshot, &author.member, peer);
    *out = err == ERR_OK && peer->state == LINK_BLOCKED;
    secret_free(peer);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL ASK-10: "of all together ASK_SHOWN_DAY_MAX in a day of the reader's" */
static enum err ask_hear_show(struct ask_hearing *hearing)
{
    const struct public_key *me = ledger_member(hearing->txn->ledger);
    uint64_t now_ms = ledger_txn_now_ms(hearing->txn);
    struct ask_budget mine;
    enum err err = view_ask_budget(&hearing->snapshot, me, now_ms, &mine);

    if (err != ERR_OK || mine.shown >= ASK_SHOWN_DAY_MAX)
        return err;
    mine.shown++;
    hearing->row.state = ASK_STATE_SHOWN;
    hearing->row.shown_ms = now_ms;
    return view_ask_budget_put(hearing->txn, &mine);
}

/* What a pass that counts makes of the row. */
static enum err ask_hear_judge(struct ask_hearing *hearing, const struct ask_pass *pass)
{
    struct ask_row *row = &hearing->row;
    bool has_room = view_ask_budget_take(&hearing->budget, ledger_txn_now_ms(hearing->txn));
    bool is_over, is_blocked;
    enum err err = ask_hear_is_blocked(&hearing->snapshot, pass, &is_blocked);

    if (row->state == ASK_STATE_UNHEARD) {
        row->state = ASK_STATE_LATER;
        row->expires_ms = pass->ask.expires_ms;
    }
    if (err == ERR_OK && is_blocked)
        row->state = ASK_STATE_SILENT;
    if (err == ERR_OK)
        err = view_ask_is_over(&hearing->snapshot, row, ledger_txn_now_ms(hearing->txn), &is_over);
    if (err != ERR_OK || is_over || !has_room || row->state != ASK_STATE_LATER ||
        row->closed != 0 || hearing->budget.ignored >= ASK_IGNORED_MAX)
        return err;
    return ask_hear_show(hearing);
}

static enum err ask_hear_on_route(void *self, const struct ask_route *route)
{
    size_t *count = self;

    *count += route->fault == ASK_FINE && route->depth > 0;
    return ERR_OK;
}

static enum err ask_hear_keep(struct ask_hearing *hearing, const struct ask_pass *pass)
{
    size_t count = 0;
    enum err err =
        view_ask_routes_all(&hearing->snapshot, &hearing->route.ask, ask_hear_on_route, &count);

    if (err != ERR_OK || count >= ASK_ROUTES_MAX)
        return err;
    err = ask_hear_judge(hearing, pass);
    hearing->budget.kept++;
    if (err == ERR_OK)
        err = view_ask_budget_put(hearing->txn, &hearing->budget);
    if (err == ERR_OK)
        err = ask_hear_put_row(hearing->txn, &hearing->row);
    return err == ERR_OK ? ask_hear_put_route(hearing) : err;
}

/* PROTOCOL ASK-7: "So is one whose links have a grant the reader issued" */
static enum err ask_hear_is_own(const struct ask_hearing *hearing, const struct ask_pass *pass,
                                bool *out)
{
    struct ask_grant grant;
    enum err err = ERR_NOT_FOUND;

    *out = hearing->row.state == ASK_STATE_MINE;
    for (size_t at = 0; at < pass->depth && err == ERR_NOT_FOUND; at++)
        err = view_ask_grant(&hearing->snapshot, &pass->links[at].grant, &grant);
    *out |= err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL ASK-5: "Its entry expires with the ask, in the second in which it does." */
static enum err ask_hear_entry(const struct ask_hearing *hearing, const struct ask_pass *pass,
                               enum ask_fault *out)
{
    struct entry_row entry;
    enum err err = ledger_entry(&hearing->snapshot, hearing->route.arrival, &entry);

    *out = err == ERR_OK && entry.entry.header.expires_at_s != pass->ask.expires_ms / 1000
               ? ASK_TOO_LONG
               : ASK_FINE;
    return err;
}

/* PROTOCOL ASK-7: "not where it is known here that the device that signed it is stolen or void, or,
 * where that is not known itself, the nearest one above it in its chain that is" */
static enum err ask_hear_signer(const struct ask_hearing *hearing, const struct ask_pass *pass,
                                enum ask_fault *out)
{
    enum standing standing = STANDING_GOOD;
    struct ask_signer author;
    bool has_any = false;
    enum err err = retire_table_has_any(&hearing->snapshot, &has_any);

    if (err != ERR_OK || !has_any || pass->author.size == 0)
        return err;
    err = ask_author_read(pass->author, &pass->ask, &pass->hash, &author);
    if (err == ERR_OK)
        err = standing_of_signer(&hearing->snapshot, &author.by, &standing);
    if (err == ERR_OK && standing >= STANDING_STOLEN)
        *out = ASK_SHUT_OUT;
    return err;
}

static enum err ask_hear_check(const struct ask_hearing *hearing, const struct ask_pass *pass,
                               enum ask_fault *out)
{
    enum err err = ask_hear_entry(hearing, pass, out);

    if (err != ERR_OK || *out != ASK_FINE)
        return err;
    if (hearing->budget.kept >= ASK_NEIGHBOUR_MAX) {
        *out = ASK_TOO_MANY;
        return ERR_OK;
    }
    err = ask_pass_check(pass, &hearing->route.from, ledger_member(hearing->txn->ledger), out);
    return err == ERR_OK && *out == ASK_FINE ? ask_hear_signer(hearing, pass, out) : err;
}

static enum err ask_hear_pass(struct ask_hearing *hearing, struct span bytes)
{
    enum ask_fault fault = ASK_BROKEN;
    struct ask_route known;
    struct ask_pass pass;
    struct key name;
    bool is_own;
    enum err err = ask_pass_read(bytes, &pass);

    if (err != ERR_OK && err != ERR_MALFORMED)
        return err;
    if (err == ERR_OK) {
        hearing->route.ask = pass.id;
        hearing->route.depth = (uint8_t)pass.depth;
        hearing->route.grant = *ask_pass_grant(&pass);
    }
    view_ask_route_name(&hearing->route, &name);
    if (view_ask_route_named(&hearing->snapshot, key_span(&name), &known) == ERR_OK)
        return ERR_OK;
    err = ask_hear_begin(hearing);
    if (err == ERR_OK)
        err = ask_hear_is_own(hearing, &pass, &is_own);
    if (err != ERR_OK || is_own)
        return err;
    if (hearing->route.depth > 0)
        err = ask_hear_check(hearing, &pass, &fault);
    if (err != ERR_OK)
        return err;
    return fault == ASK_FINE ? ask_hear_keep(hearing, &pass) : ask_hear_refuse(hearing, fault);
}

/* Closes. */

/* Of an ask nobody has told me a tombstone is kept, as far as there is room. */
static enum err ask_hear_closed(struct ask_hearing *hearing, const struct ask_close *close)
{
    bool is_known = hearing->row.state != ASK_STATE_UNHEARD;
    enum err err = ERR_OK;

    if (hearing->row.state == ASK_STATE_MINE || hearing->row.closed != 0)
        return ERR_OK;
    if (!is_known && hearing->budget.kept >= ASK_NEIGHBOUR_MAX)
        return ask_hear_refuse(hearing, ASK_TOO_MANY);
    hearing->row.closed = (uint8_t)close->reason;
    hearing->row.closed_ms = ledger_txn_now_ms(hearing->txn);
    err = ask_hear_put_row(hearing->txn, &hearing->row);
    hearing->budget.kept++;
    if (err == ERR_OK)
        err = view_ask_budget_put(hearing->txn, &hearing->budget);
    return err == ERR_OK ? ask_hear_put_route(hearing) : err;
}

static enum err ask_hear_close(struct ask_hearing *hearing, struct span bytes)
{
    struct ask_close close = {.reason = ASK_FOUND};
    struct ask_route known;
    struct key name;
    enum err read = ask_close_read(bytes, &close), err;

    if (read != ERR_OK && read != ERR_MALFORMED && read != ERR_FORGED)
        return read;
    if (read != ERR_MALFORMED)
        ask_id(&close.hash, &hearing->route.ask);
    view_ask_route_name(&hearing->route, &name);
    if (view_ask_route_named(&hearing->snapshot, key_span(&name), &known) == ERR_OK)
        return ERR_OK;
    err = ask_hear_begin(hearing);
    if (err != ERR_OK)
        return err;
    if (read != ERR_OK)
        return ask_hear_refuse(hearing, ASK_CLOSE_FORGED);
    return ask_hear_closed(hearing, &close);
}

/* What I hold in self. */

static enum err ask_hear_mine(struct ledger_txn *txn, const struct object *own)
{
    struct span body = object_value(own, ASK_BODY).bytes;
    struct ask_row row;
    struct ask ask;
    bool is_new;
    enum err err = ask_read(body, &ask);

    if (err == ERR_MALFORMED)
        return ERR_OK;
    if (err == ERR_OK)
        err = ask_hear_row(txn, &own->id, &row, &is_new);
    if (err != ERR_OK)
        return err;
    row.state = ASK_STATE_MINE;
    row.expires_ms = ask.expires_ms;
    row.closed = (uint8_t)object_number(own, ASK_CLOSED);
    row.closed_ms = object_number(own, ASK_CLOSED_AT);
    return ask_hear_put_row(txn, &row);
}

static bool ask_hear_copy(const struct object *object, uint8_t field, uint8_t *out, size_t size)
{
    struct span bytes = object_value(object, field).bytes;

    if (bytes.size == size)
        memcpy(out, bytes.data, size);
    return bytes.size == size;
}

static enum err ask_hear_passed(struct ledger_txn *txn, const struct object *passed)
{
    struct ask_grant grant = {.is_mine = true};
    enum err err;

    if (!ask_hear_copy(passed, PASSED_ASK, grant.ask.bytes, ID_SIZE) ||
        !ask_hear_copy(passed, PASSED_TO, grant.to.bytes, 32) ||
        !ask_hear_copy(passed, PASSED_GRANT, grant.grant.bytes, 32))
        return ERR_OK;
    if (ask_hear_copy(passed, PASSED_VIA, grant.via.bytes, 32) &&
        ask_hear_copy(passed, PASSED_FROM, grant.from.bytes, 32))
        grant.is_mine = false;
    err = view_ask_grant_put(txn, &grant);
    return err == ERR_OK ? ask_hear_due(txn, AGENDA_NOW, &grant.ask) : err;
}

enum err view_ask_changed(struct ledger_txn *txn, const struct space_row *space,
                          const struct object *after)
{
    const struct object_register *said = object_register(after, KIND_STATEMENT_FIELD);
    struct ask_hearing hearing = {.txn = txn, .snapshot = ledger_txn_snapshot(txn)};

    if (after->kind == KIND_ASK)
        return ask_hear_mine(txn, after);
    if (after->kind == KIND_PASSED)
        return ask_hear_passed(txn, after);
    if (said == NULL || space->is_mine)
        return ERR_OK;
    hearing.route = (struct ask_route){
        .from = space->writer, .arrival = said->arrival, .at_ms = ledger_txn_now_ms(txn)};
    memcpy(hearing.route.hash, after->id.bytes, sizeof hearing.route.hash);
    return after->kind == KIND_PASS ? ask_hear_pass(&hearing, said->value.bytes)
                                    : ask_hear_close(&hearing, said->value.bytes);
}

/* Forgetting. */

static enum err ask_forget_on_route(void *self, const struct ask_route *route)
{
    struct buf *routes = self;

    buf_append(routes, span_of(route, sizeof *route));
    return buf_err(routes);
}

static enum err ask_forget_route(struct ledger_txn *txn, const struct ask_route *route)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct ask_budget budget;
    struct key name;
    enum err err;

    view_ask_route_name(route, &name);
    err = ledger_erase(txn, TABLE_ASK_ROUTE, &name);
    if (err != ERR_OK || route->fault != ASK_FINE)
        return err;
    err = view_ask_budget(&snapshot, &route->from, ledger_txn_now_ms(txn), &budget);
    if (err != ERR_OK || budget.kept == 0)
        return err;
    budget.kept--;
    return view_ask_budget_put(txn, &budget);
}

enum err view_ask_forget(struct ledger_txn *txn, const struct id *id)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct buf routes = {0};
    struct ask_route route;
    struct key key;
    enum err err = view_ask_routes_all(&snapshot, id, ask_forget_on_route, &routes);

    for (size_t at = 0; at < routes.size && err == ERR_OK; at += sizeof route) {
        memcpy(&route, routes.data + at, sizeof route);
        err = ask_forget_route(txn, &route);
    }
    buf_release(&routes);
    key_of_bytes(span_of(id->bytes, ID_SIZE), &key);
    if (err == ERR_OK)
        err = ledger_erase(txn, TABLE_ASK, &key);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
