/* Telling, closing, forgetting; and how something is said to a peer. */
#include "node/ask.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/introduction.h"
#include "storage/journal.h"
#include "storage/row.h"
#include "storage/view_interaction.h"

enum { ASK_TELL_SIZE = 600 };

/* Saying. */

static enum err ask_append(struct ledger_txn *txn, const struct id *space, uint8_t kind,
                           struct span bytes, uint64_t expires_ms)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct value value = {.type = VALUE_BYTES, .bytes = bytes};
    struct edit_space edit = {0};
    struct object said = {0};
    uint32_t number;
    struct id id;
    enum err err;

    statement_id(bytes, &id);
    err = row_get(&snapshot, space, kind, &id, &said, &number);
    object_release(&said);
    if (err != ERR_NOT_FOUND)
        return err;
    edit_begin(&edit, kind, &id, ledger_txn_now_ms(txn));
    edit_set(&edit, KIND_STATEMENT_FIELD, 1, value);
    err = ledger_append(txn, space, &edit, expires_ms / 1000);
    edit_release(&edit);
    return err;
}

enum err ask_say(struct ledger_txn *txn, const struct public_key *to, uint8_t kind,
                 struct span bytes, uint64_t expires_ms)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? view_peer(&snapshot, to, peer) : ERR_NOMEM;

    if (err == ERR_OK && (peer->state != LINK_LINKED || !peer->has_pair_out))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = ask_append(txn, &peer->pair_out, kind, bytes, expires_ms);
    secret_free(peer);
    return err;
}

static enum err ask_note_grant(struct ledger_txn *txn, const struct ask_gift *gift,
                               const struct public_key *grant)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct amend amend;
    struct id id;

    id_about("kith passed", grant, &id);
    amend_begin(&amend, txn, ledger_self_space(snapshot.ledger), KIND_PASSED, &id);
    amend_bytes(&amend, PASSED_ASK, span_of(gift->held->id.bytes, ID_SIZE));
    amend_bytes(&amend, PASSED_TO, span_of(gift->to->bytes, 32));
    amend_bytes(&amend, PASSED_GRANT, span_of(grant->bytes, 32));
    if (gift->from != NULL) {
        amend_bytes(&amend, PASSED_VIA, span_of(ask_pass_grant(gift->held)->bytes, 32));
        amend_bytes(&amend, PASSED_FROM, span_of(gift->from->bytes, 32));
    }
    amend_text(&amend, PASSED_LINE, gift->line);
    amend_number(&amend, PASSED_AT, ledger_txn_now_ms(txn));
    return amend_end_behind(&amend, NULL);
}

enum err ask_give(struct ledger_txn *txn, const struct ask_gift *gift)
{
    struct public_key grant;
    struct buf bytes = {0};
    enum err err = ask_pass_issue(gift->held, gift->to, gift->line, &bytes, &grant);

    if (err == ERR_OK)
        err = ask_say(txn, gift->to, KIND_PASS, buf_span(&bytes), gift->held->ask.expires_ms);
    if (err == ERR_OK)
        err = ask_note_grant(txn, gift, &grant);
    view_ask_wipe(&bytes);
    return err;
}

/* Telling. */

static enum err ask_tell(struct ledger_txn *txn, const struct ask_route *route, const char *kind,
                         const char *text)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    char name[INTRODUCTION_NAME_SIZE], ref[ID_TEXT_SIZE];
    struct journal_row row = {
        .at_ms = ledger_txn_now_ms(txn), .kind = span_str(kind), .text = span_str(text)};

    introduction_name(&snapshot, &route->from, name);
    hex_write(span_of(route->ask.bytes, ID_SIZE), ref);
    row.who = span_str(name);
    row.ref = span_str(ref);
    return journal_add(txn, &row);
}

static enum err ask_tell_refused(struct ledger_txn *txn, const struct ask_route *route)
{
    char text[ASK_TELL_SIZE];

    (void)snprintf(text, sizeof text, "handed on something that was refused: %s",
                   ask_fault_sentence(route->fault));
    return ask_tell(txn, route, "refused", text);
}

/* Asked or offered by the neighbour themself: on the timeline. */
static enum err ask_note_heard(struct ledger_txn *txn, const struct ask_route *route,
                               const struct ask_pass *pass)
{
    char ref[ID_TEXT_SIZE];
    struct interaction act = {.what = pass->ask.sort == ASK_SORT_OFFER ? INTERACTION_OFFERED_ME
                                                                       : INTERACTION_ASKED_ME,
                              .text = pass->ask.title};

    if (route->depth != 1)
        return ERR_OK;
    hex_write(span_of(route->ask.bytes, ID_SIZE), ref);
    act.ref = span_str(ref);
    return view_interaction_act(txn, &route->from, &act);
}

static const char *ask_tell_verb(const struct ask_route *route, const struct ask_pass *pass)
{
    if (route->depth == 1)
        return pass->ask.sort == ASK_SORT_OFFER ? "offers" : "asks";
    return pass->ask.sort == ASK_SORT_OFFER ? "passed an offer on to you"
                                            : "passed an ask on to you";
}

static enum err ask_tell_heard(struct ledger_txn *txn, const struct ask_route *route,
                               const struct ask_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    char text[ASK_TELL_SIZE];
    struct buf plain = {0};
    struct ask_pass pass;
    enum err err = view_ask_pass(&snapshot, route, &plain, &pass);

    if (err == ERR_OK)
        err = ask_note_heard(txn, route, &pass);
    if (err == ERR_OK) {
        (void)snprintf(text, sizeof text, "%s: %.*s%s", ask_tell_verb(route, &pass),
                       (int)pass.ask.title.size, (const char *)pass.ask.title.data,
                       row->state == ASK_STATE_LATER ? " (for later)" : "");
        err = ask_tell(txn, route, "ask", text);
    }
    view_ask_wipe(&plain);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err ask_look_route(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct ask_route route;
    struct ask_row row;
    bool is_over;
    enum err err = name.size == VIEW_ASK_ROUTE_NAME ? view_ask_route_named(&snapshot, name, &route)
                                                    : ERR_NOT_FOUND;

    if (err == ERR_OK)
        err = view_ask(&snapshot, &route.ask, &row);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (route.fault != ASK_FINE)
        return ask_tell_refused(txn, &route);
    if (route.depth == 0)
        return row.state == ASK_STATE_SHOWN
                   ? ask_tell(txn, &route, "ask",
                              row.closed == ASK_FOUND ? "says that the ask is closed: found"
                                                      : "says that the ask is closed")
                   : ERR_OK;
    err = view_ask_is_over(&snapshot, &row, ledger_txn_now_ms(txn), &is_over);
    if (err != ERR_OK || is_over || row.closed != 0 ||
        (row.state != ASK_STATE_SHOWN && row.state != ASK_STATE_LATER))
        return err;
    return ask_tell_heard(txn, &route, &row);
}

/* Closing. */

static enum err ask_on_close_route(void *self, const struct ask_route *route)
{
    struct ask_route *close = self;

    if (route->fault != ASK_FINE || route->depth != 0)
        return ERR_OK;
    *close = *route;
    return ERR_CANCELLED;
}

/* The close as I hold it: my own, made anew and always the same, or one that was said to me. */
static enum err ask_close_bytes(const struct snapshot *snapshot, const struct ask_row *row,
                                struct buf *plain, struct buf *made, struct span *out)
{
    struct ask_route route = {.depth = 0};
    struct signing_key *key;
    struct ask_pass own;
    enum err err;

    if (row->state != ASK_STATE_MINE) {
        err = view_ask_routes_all(snapshot, &row->id, ask_on_close_route, &route);
        if (err == ERR_OK)
            return ERR_NOT_FOUND;
        return err == ERR_CANCELLED ? view_ask_said(snapshot, &route, plain, out) : err;
    }
    key = secret_new(sizeof *key);
    err = key != NULL ? view_ask_own(snapshot, &row->id, plain, &own) : ERR_NOMEM;
    if (err == ERR_OK) {
        identity_signing_key(own.secret.data, key);
        err = ask_close_write(own.body, key, (enum ask_reason)row->closed, made);
        *out = buf_span(made);
    }
    secret_free(key);
    return err;
}

static enum err ask_on_given(void *self, const struct ask_grant *grant)
{
    struct buf *to = self;

    buf_append(to, span_of(grant->to.bytes, 32));
    return buf_err(to);
}

/* PROTOCOL ASK-9: "Whoever holds it says it to everybody they passed the ask to, once." */
static enum err ask_walk_close(struct ledger_txn *txn, const struct ask_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint64_t until_ms = row->expires_ms + ASK_TOMBSTONE_DAYS * MS_PER_DAY;
    struct buf plain = {0}, made = {0}, to = {0};
    struct public_key member;
    struct span bytes;
    enum err err = view_ask_grants(&snapshot, &row->id, ask_on_given, &to);

    if (err == ERR_OK && to.size > 0)
        err = ask_close_bytes(&snapshot, row, &plain, &made, &bytes);
    for (size_t at = 0; at < to.size && err == ERR_OK; at += 32) {
        memcpy(member.bytes, to.data + at, 32);
        err = ask_say(txn, &member, KIND_CLOSE, bytes, until_ms);
        if (err == ERR_NOT_FOUND) /* They are no peer any more. */
            err = ERR_OK;
    }
    view_ask_wipe(&plain);
    buf_release(&made);
    buf_release(&to);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Forgetting. */

/* PROTOCOL ASK-11: "It is remembered ASK_TOMBSTONE_DAYS longer, by TIME-1" */
static enum err ask_may_forget(const struct snapshot *snapshot, const struct ask_row *row,
                               uint64_t now_ms, bool *out)
{
    uint64_t until_ms = row->expires_ms + ASK_TOMBSTONE_DAYS * MS_PER_DAY;
    uint64_t span = until_ms > row->heard.wall_ms ? until_ms - row->heard.wall_ms : 0;
    struct moment now = {.wall_ms = now_ms};
    enum err err = running_ms(snapshot, &now.running_ms);

    *out = now_ms >= until_ms && running_has_passed(&row->heard, &now, span);
    return err;
}

enum err ask_look(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint64_t now_ms = ledger_txn_now_ms(txn);
    struct ask_row row;
    bool is_past;
    struct id id;
    enum err err;

    if (name.size != ID_SIZE)
        return ERR_OK;
    memcpy(id.bytes, name.data, ID_SIZE);
    err = view_ask(&snapshot, &id, &row);
    if (err == ERR_OK)
        err = ask_may_forget(&snapshot, &row, now_ms, &is_past);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (is_past && row.state != ASK_STATE_MINE)
        return view_ask_forget(txn, &id);
    if (row.closed != 0)
        err = ask_walk_close(txn, &row);
    if (err == ERR_OK && now_ms >= row.expires_ms + ASK_TOMBSTONE_DAYS * MS_PER_DAY &&
        row.state != ASK_STATE_MINE)
        err = agenda_put(txn, now_ms + MS_PER_DAY, KIND_ASK, name); /* The clocks do not agree. */
    return err;
}
