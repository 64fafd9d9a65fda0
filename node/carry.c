/* Bytes are copied out of the store first: what it lends does not outlive an append. */
#include "node/carry.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/introduction.h"
#include "node/lead.h"
#include "node/relay.h"
#include "proto/limits.h"
#include "storage/journal.h"
#include "storage/row.h"
#include "storage/view_peer.h"

/* Reading. */

static enum err carry_on_brought(void *self, const struct reply_brought *brought)
{
    struct carry *carry = self;
    size_t at = carry->brought_count;

    if (at == CARRY_BROUGHT_MAX)
        return ERR_OK;
    /* Replies come first; of one kind the earlier. */
    for (; at > 0 && carry->brought[at - 1].kind == brought->kind &&
           carry->brought[at - 1].arrival > brought->arrival;
         at--)
        carry->brought[at] = carry->brought[at - 1];
    carry->brought[at] = *brought;
    carry->brought_count++;
    return ERR_OK;
}

static enum err carry_open(struct carry *carry, const struct hash *id)
{
    uint32_t number;
    struct id object;
    enum err err = view_reply(&carry->snapshot, id, &carry->row);

    if (err == ERR_NOT_FOUND) {
        carry->row = (struct reply_row){.id = *id, .state = REPLY_NEW};
        err = running_moment(carry->txn, &carry->row.seen);
    }
    if (err == ERR_OK)
        err = view_reply_brought(&carry->snapshot, id, carry_on_brought, carry);
    if (err != ERR_OK)
        return err;
    reply_object_id(id, &object);
    err = row_get(&carry->snapshot, ledger_self_space(carry->snapshot.ledger), KIND_LEAD, &object,
                  &carry->own, &number);
    if (err == ERR_OK &&
        (!object_is_visible(&carry->own) || object_number(&carry->own, LEAD_IS_MINE) == 0 ||
         object_number(&carry->own, LEAD_IS_ASKED) != 0)) {
        object_release(&carry->own);
        carry->own = (struct object){0};
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

bool carry_is_own(const struct carry *carry)
{
    return carry->own.kind == KIND_LEAD;
}

enum err carry_said(const struct carry *carry, const struct public_key *member,
                    enum carry_side side, uint8_t kind, const struct id *id, struct buf *out)
{
    struct peer *peer = secret_new(sizeof *peer);
    struct object object = {0};
    uint32_t number;
    enum err err = peer != NULL ? view_peer(&carry->snapshot, member, peer) : ERR_NOMEM;

    if (err == ERR_OK && !(side == CARRY_MINE ? peer->has_pair_out : peer->has_pair_in))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = row_get(&carry->snapshot, side == CARRY_MINE ? &peer->pair_out : &peer->pair_in, kind,
                      id, &object, &number);
    if (err == ERR_OK && !object_is_visible(&object))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK && out != NULL) {
        buf_append(out, object_value(&object, KIND_STATEMENT_FIELD).bytes);
        err = buf_err(out);
    }
    object_release(&object);
    secret_free(peer);
    return err;
}

/* Telling the owner. */

static void carry_copy_title(const struct ask_pass *pass, char out[static CARRY_TITLE_SIZE])
{
    (void)snprintf(out, CARRY_TITLE_SIZE, "%.*s", (int)pass->ask.title.size,
                   pass->ask.title.size > 0 ? (const char *)pass->ask.title.data : "");
}

void carry_title(const struct snapshot *snapshot, const struct id *ask,
                 char out[static CARRY_TITLE_SIZE])
{
    struct ask_route route;
    struct buf plain = {0};
    struct ask_pass pass;
    enum err err = view_ask_own(snapshot, ask, &plain, &pass);

    out[0] = '\0';
    if (err == ERR_NOT_FOUND) {
        err = view_ask_route(snapshot, ask, &route);
        if (err == ERR_OK)
            err = view_ask_pass(snapshot, &route, &plain, &pass);
    }
    if (err == ERR_OK)
        carry_copy_title(&pass, out);
    view_ask_wipe(&plain);
}

enum err carry_journal(struct carry *carry, const char *kind, const struct public_key *who,
                       const char *text)
{
    char ref[ID_TEXT_SIZE], name[INTRODUCTION_NAME_SIZE] = "";
    struct journal_row row = {
        .at_ms = carry->now_ms, .kind = span_str(kind), .text = span_str(text)};

    if (who != NULL)
        introduction_name(&carry->snapshot, who, name);
    hex_write(span_of(carry->row.id.bytes, ID_SIZE), ref);
    row.who = span_str(name);
    row.ref = span_str(ref);
    return journal_add(carry->txn, &row);
}

/* Pace. */

enum err carry_has_pace(const struct carry *carry, const struct public_key *by, bool *out)
{
    struct ask_budget budget;
    enum err err = view_ask_budget(&carry->snapshot, by, carry->now_ms, &budget);

    *out = err == ERR_OK && budget.relayed < REPLIES_DAY_MAX;
    return err;
}

static enum err carry_on_device(void *self, const struct device_row *device)
{
    size_t *count = self;

    (void)device;
    (*count)++;
    return ERR_OK;
}

enum err carry_is_early(const struct carry *carry, const struct reply_brought *brought, bool *out)
{
    size_t devices = 0;
    enum err err = view_device_each(&carry->snapshot, ledger_member(carry->snapshot.ledger),
                                    carry_on_device, &devices);

    *out = devices > 1 && carry->now_ms < brought->since_ms + REPLY_EARLY_DAYS * MS_PER_DAY;
    return err;
}

/* What was refused is no fact any more, and shows no way. */
enum err carry_taken(struct carry *carry, struct reply_brought *brought, bool keep)
{
    enum err err = view_reply_taken(carry->txn, &carry->row.id, brought, keep);

    brought->is_waiting = false;
    if (!keep)
        brought->kind = 0;
    return err;
}

/* Looked at: it costs who brought it one of today's, and a refusal is told while they are few. */
enum err carry_spend(struct carry *carry, struct reply_brought *brought, const char *refusal)
{
    struct ask_budget budget;
    char text[200];
    bool is_told = false;
    enum err err = view_ask_budget(&carry->snapshot, &brought->by, carry->now_ms, &budget);

    if (err == ERR_OK) {
        budget.relayed++;
        is_told = refusal != NULL && budget.refused < ASK_REFUSED_DAY_MAX;
        budget.refused += refusal != NULL;
        err = view_ask_budget_put(carry->txn, &budget);
    }
    if (err == ERR_OK && is_told) {
        (void)snprintf(text, sizeof text, "handed over %s that was refused: %s",
                       brought->kind == KIND_REPLY ? "a reply" : "an answer", refusal);
        err = carry_journal(carry, "refused", &brought->by, text);
    }
    return err == ERR_OK ? carry_taken(carry, brought, refusal == NULL) : err;
}

enum err carry_wait(struct carry *carry)
{
    uint64_t tomorrow_ms = (carry->now_ms / MS_PER_DAY + 1) * MS_PER_DAY;

    return agenda_put(carry->txn, tomorrow_ms, KIND_REPLY, span_of(carry->row.id.bytes, HASH_SIZE));
}

/* A wrong clock alone stops nothing: both must say that the ask's time is over. */
enum err carry_ask_ends(struct carry *carry, uint64_t *out_expires_ms, bool *out_is_over)
{
    struct ask_row ask;
    struct moment now;
    enum err err = view_ask(&carry->snapshot, &carry->row.ask, &ask);

    *out_expires_ms = carry->now_ms;
    *out_is_over = true;
    if (err == ERR_OK)
        err = running_moment(carry->txn, &now);
    if (err == ERR_OK) {
        uint64_t from_ms = ask.heard.wall_ms, span_ms = ASK_DAYS_MAX * MS_PER_DAY;

        if (ask.expires_ms > from_ms) /* Else the clock was wrong when it was heard, or is now. */
            span_ms = ask.expires_ms - from_ms;
        *out_expires_ms = ask.expires_ms;
        *out_is_over = running_has_passed(&ask.heard, &now, span_ms);
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

bool carry_is_known(const struct carry *carry)
{
    return carry->row.state != REPLY_NEW && carry->row.state != REPLY_REFUSED;
}

const char *carry_fault(enum err err)
{
    if (err == ERR_MALFORMED)
        return "it is no letter to me";
    if (err == ERR_INVALID)
        return "it was signed with a device of its writer that was stolen";
    return err == ERR_FORGED ? "it was altered, or is to another ask" : NULL;
}

enum err carry_is_linked(const struct carry *carry, const struct public_key *member, bool *out)
{
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? introduction_peer(&carry->snapshot, member, peer) : ERR_NOMEM;

    *out = err == ERR_OK && peer->state == LINK_LINKED && peer->has_pair_out;
    secret_free(peer);
    return err;
}

/* Looking. */

static bool carry_row_is_equal(const struct reply_row *left, const struct reply_row *right)
{
    return left->state == right->state && left->is_mine == right->is_mine &&
           left->is_thanked == right->is_thanked && id_is_equal(&left->ask, &right->ask) &&
           public_key_is_equal(&left->from, &right->from) &&
           public_key_is_equal(&left->to, &right->to) && left->keep_ms == right->keep_ms;
}

/* Answers may come for a while after the ask is over. */
static enum err carry_keep(struct carry *carry, const struct reply_row *before)
{
    struct reply_row *row = &carry->row;
    uint64_t expires_ms;
    struct moment now;
    bool is_over;
    enum err err = carry_ask_ends(carry, &expires_ms, &is_over);

    if (row->state == REPLY_NEW || row->state == REPLY_REFUSED)
        return err; /* Nothing was learnt that a look would not find again. */
    if (err == ERR_OK)
        err = running_moment(carry->txn, &now);
    if (err != ERR_OK)
        return err;
    if (row->keep_ms == 0) {
        row->keep_ms = expires_ms > row->seen.wall_ms ? expires_ms - row->seen.wall_ms : 0;
        row->keep_ms += (uint64_t)(2 * ANSWER_KEEP_DAYS) * MS_PER_DAY;
    }
    if (!carry_is_own(carry) && running_has_passed(&row->seen, &now, row->keep_ms))
        return view_reply_forget(carry->txn, &row->id);
    if (!carry_row_is_equal(row, before))
        err = view_reply_put(carry->txn, row);
    return err == ERR_OK && !carry_is_own(carry)
               ? agenda_put(carry->txn, row->seen.wall_ms + row->keep_ms + MS_PER_DAY, KIND_REPLY,
                            span_of(row->id.bytes, HASH_SIZE))
               : err;
}

static enum err carry_take(struct carry *carry, uint8_t kind)
{
    enum err err = ERR_OK;

    for (size_t at = 0; at < carry->brought_count && err == ERR_OK; at++) {
        struct reply_brought *brought = &carry->brought[at];

        if (brought->kind != kind || !brought->is_waiting)
            continue;
        err = kind == KIND_REPLY ? carry_take_reply(carry, brought)
                                 : carry_take_answer(carry, brought);
    }
    return err;
}

static void carry_note_own(struct carry *carry)
{
    struct span ask = object_value(&carry->own, LEAD_ASK).bytes;

    if (!carry_is_own(carry) || ask.size != HASH_SIZE)
        return;
    carry->row.is_mine = true;
    memcpy(carry->row.ask.bytes, ask.data, ID_SIZE);
    if (carry->row.state == REPLY_NEW)
        carry->row.state = REPLY_KEPT;
}

enum err carry_look(struct ledger_txn *txn, struct span name)
{
    struct carry carry = {
        .txn = txn, .snapshot = ledger_txn_snapshot(txn), .now_ms = ledger_txn_now_ms(txn)};
    struct reply_row before;
    struct hash id;
    enum err err;

    if (name.size != HASH_SIZE)
        return ERR_OK;
    memcpy(id.bytes, name.data, HASH_SIZE);
    err = carry_open(&carry, &id);
    before = carry.row;
    carry_note_own(&carry);
    if (err == ERR_OK)
        err = carry_take(&carry, KIND_REPLY);
    if (err == ERR_OK && (carry.row.state == REPLY_KEPT || carry.row.state == REPLY_HANDED))
        err = carry_send(&carry);
    if (err == ERR_OK)
        err = carry_take(&carry, KIND_ANSWER);
    if (err == ERR_OK)
        err = carry_keep(&carry, &before);
    object_release(&carry.own);
    return err;
}
