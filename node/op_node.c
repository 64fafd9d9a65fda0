/* How things stand. */
#include "node/op_node.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/date.h"
#include "node/describe.h"
#include "node/describe_path.h"
#include "node/name.h"
#include "node/op_ask.h"
#include "node/op_due.h"
#include "node/op_introduction.h"
#include "node/op_lead.h"
#include "node/op_shared.h"
#include "node/until.h"
#include "proto/card.h"
#include "proto/introduction.h"
#include "proto/link.h"
#include "storage/follow.h"
#include "storage/journal.h"
#include "storage/retire_table.h"
#include "storage/row.h"
#include "storage/standing.h"
#include "storage/view_contact.h"
#include "storage/view_endorsement.h"
#include "storage/view_peer.h"

enum {
    OP_NODE_LOG_ROWS = 1000,
    OP_NODE_LATELY_ROWS = 3,
    OP_NODE_LATELY_DAYS = 7,
    OP_NODE_WAIT_DEFAULT_S = 30
};

/* Status. */

struct op_node_count {
    struct op_call *call;
    json_int_t peers, online;
    uint64_t undelivered;
};

static enum err op_node_on_peer(void *self, const struct peer *peer)
{
    struct op_node_count *count = self;
    const struct op_presence *presence = describe_presence(count->call, &peer->member);
    uint64_t undelivered = 0;

    if (peer->state != LINK_LINKED)
        return ERR_OK;
    count->peers++;
    count->online += presence != NULL && presence->is_online;
    if (view_undelivered(&count->call->snapshot, &peer->member, &undelivered) == ERR_OK)
        count->undelivered += undelivered;
    return ERR_OK;
}

static void op_node_add_listen(struct op_call *call)
{
    json_t *list = json_array();
    char text[ADDRESS_TEXT_SIZE];

    for (size_t at = 0; call->world->is_node && at < call->world->listening_count; at++) {
        address_write(&call->world->listening[at], text);
        (void)json_array_append_new(list, json_string(text)); /* A lost row shows as absent. */
    }
    (void)json_object_set_new(call->result, "listen", list);
}

static void op_node_add_device(struct op_call *call)
{
    char text[2 * 32 + 1];

    hex_write(span_of(ledger_device(call->snapshot.ledger)->bytes, 32), text);
    (void)json_object_set_new(call->result, "device", json_string(text));
}

/* Devices of mine that were copied, this one aside. */
struct op_node_retired {
    const struct snapshot *snapshot;
    int forked;
};

static enum err op_node_on_device(void *self, const struct device_row *device)
{
    struct op_node_retired *retired = self;
    struct retire_state state;
    enum err err = retire_table_state(retired->snapshot, &device->device, &state);

    retired->forked += err == ERR_OK && state.is_retired && state.reason == RETIRE_FORKED;
    return err;
}

/* Shut out: by whom, and what can still be done here. */
static void op_node_add_out(struct op_call *call, enum standing standing)
{
    const char *word = standing == STANDING_OWNER    ? "given up"
                       : standing == STANDING_STOLEN ? "stolen"
                                                     : "void";
    char note[300];

    (void)snprintf(note, sizeof note,
                   "%s; go on with another device, kith export saves what is here",
                   standing_sentence(standing));
    (void)json_object_set_new(call->result, "shut_out", json_string(word));
    (void)json_object_set_new(call->result, "note", json_string(note)); /* A lost key is told by
                                                                           whatever is refused. */
}

/* In one sentence; nothing is asked of the owner where a device goes on. */
static void op_node_add_standing(struct op_call *call)
{
    struct op_node_retired retired = {.snapshot = &call->snapshot};
    enum standing standing = STANDING_GOOD;
    const char *note = NULL;

    if (standing_of(&call->snapshot, ledger_device(call->snapshot.ledger), &standing) != ERR_OK ||
        view_device_each(&call->snapshot, ledger_member(call->snapshot.ledger), op_node_on_device,
                         &retired) != ERR_OK)
        return; /* Doctor tells of damage. */
    if (standing_is_out(standing))
        op_node_add_out(call, standing);
    else if (standing == STANDING_FORKED)
        note = "a copy of this device wrote elsewhere: it goes on under a new key at the next "
               "meeting";
    else if (retired.forked > 0)
        note = "a device of yours was copied or restored from an old copy: what all its copies "
               "wrote is kept";
    if (note != NULL)
        (void)json_object_set_new(call->result, "note", json_string(note));
}

enum err op_node_status(struct op_call *call)
{
    static const struct id only = {{0}};
    struct op_node_count count = {.call = call};
    struct endorsement_counts endorsements = {0};
    uint64_t contacts = 0, held = 0, merged = 0;
    struct object card = {0};
    struct space_row space;
    uint32_t number;
    enum err err = view_peer_each(&call->snapshot, op_node_on_peer, &count);

    if (err == ERR_OK)
        err = view_contact_count(&call->snapshot, &contacts);
    if (err == ERR_OK)
        err = follow_progress(&call->snapshot, &held, &merged);
    if (err == ERR_OK)
        err = view_endorsement_count(&call->snapshot, call->now_ms, &endorsements);
    if (err == ERR_OK)
        err = ledger_own_space(&call->snapshot, SPACE_CARD, &space);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the store could not be read");
    call->result = json_pack(
        "{s:i, s:s, s:s, s:I, s:{s:I, s:I}, s:{s:I, s:I, s:I, s:I}, s:{s:i, s:i}, "
        "s:{s:i, s:i}, s:I, s:I}",
        "v", 1, "node", call->world->is_node ? "running" : "stopped", "key_protection",
        call->world->is_passphrase_protected ? "passphrase" : "file permissions only", "contacts",
        (json_int_t)contacts, "peers", "total", count.peers, "online", count.online, "endorsements",
        "given", (json_int_t)endorsements.given, "received", (json_int_t)endorsements.received,
        "shown", (json_int_t)endorsements.shown, "pending", (json_int_t)endorsements.pending,
        "introductions", "waiting_for_me", 0, "open", 0, "asks", "mine", 0, "open", 0, "entries",
        (json_int_t)held, "undelivered", (json_int_t)count.undelivered);
    if (call->result == NULL)
        return ERR_NOMEM;
    if (merged < held)
        (void)json_object_set_new(call->result, "views_behind",
                                  json_integer((json_int_t)(held - merged)));
    err = op_introduction_status(call);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the introductions could not be read");
    err = op_ask_status(call);
    if (err == ERR_OK)
        err = op_lead_status(call);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the asks could not be read");
    err = op_shared_status(call);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the shared contacts could not be read");
    describe_set_did(call->result, "member", ledger_member(call->snapshot.ledger));
    if (row_get(&call->snapshot, &space.id, KIND_CARD, &only, &card, &number) == ERR_OK)
        describe_set_name(call->result, object_text(&card, CARD_NAME));
    object_release(&card);
    op_node_add_device(call);
    op_node_add_standing(call);
    if (call->world->is_node)
        (void)json_object_set_new(call->result, "pid", json_integer(call->world->pid));
    op_node_add_listen(call);
    return ERR_OK;
}

/* What there is to be done with peers. */
struct op_node_next {
    json_t *out;
    struct buf words, introduce;
    int pending, linked;
    bool has_introduced;
};

static void op_node_put_peer(const struct peer *peer, struct buf *out)
{
    json_t *who = json_object();

    describe_set_did(who, "member", &peer->member);
    describe_set_name(who, span_str(peer->alias[0] != '\0' ? peer->alias : peer->name));
    buf_byte(out, ' ');
    describe_path_put_who(who, out);
    json_decref(who);
}

static enum err op_node_on_next(void *self, const struct peer *peer)
{
    struct op_node_next *next = self;

    if (peer->state != LINK_LINKED)
        return ERR_OK;
    if (peer->level != LINK_COMPARED && next->words.size == 0) {
        buf_append(&next->words, span_str("kith peer words"));
        op_node_put_peer(peer, &next->words);
    }
    if (next->linked++ < 2) {
        buf_append(&next->introduce, span_str(next->linked == 1 ? "kith introduce" : ""));
        op_node_put_peer(peer, &next->introduce);
    }
    return ERR_OK;
}

static enum err op_node_on_acceptance(void *self, uint32_t number, const struct object *acceptance)
{
    struct op_node_next *next = self;

    (void)number;
    next->pending += object_number(acceptance, ACCEPTANCE_STATE) == ACCEPTANCE_PENDING;
    return ERR_OK;
}

/* Whoever has brought people together knows how; those two may be together by now. */
static enum err op_node_on_record(void *self, uint32_t number, const struct object *record)
{
    struct op_node_next *next = self;

    (void)number;
    next->has_introduced |= object_value(record, RECORD_A).bytes.size == 32;
    return ERR_OK;
}

static enum err op_node_on_reminder(void *self, uint32_t number, const struct object *reminder)
{
    (void)number;
    (void)reminder;
    *(bool *)self = true;
    return ERR_CANCELLED;
}

/* For people: what they could do next, where nothing waits. */
static enum err op_node_add_next(struct op_call *call)
{
    struct op_node_next next = {.out = json_object()};
    bool has_reminders = false;
    const struct id *self = ledger_self_space(call->snapshot.ledger);
    enum err err = view_peer_each(&call->snapshot, op_node_on_next, &next);

    if (err == ERR_OK)
        err = row_each(&call->snapshot, self, KIND_ACCEPTANCE, op_node_on_acceptance, &next);
    if (err == ERR_OK)
        err = row_each(&call->snapshot, self, KIND_REMINDER, op_node_on_reminder, &has_reminders);
    if (err == ERR_OK || err == ERR_CANCELLED)
        err = row_each(&call->snapshot, self, KIND_INTRODUCTION_RECORD, op_node_on_record, &next);
    (void)json_object_set_new(next.out, "pending", json_integer(next.pending));
    (void)json_object_set_new(next.out, "reminders", json_boolean(has_reminders));
    describe_set_text(next.out, "words", buf_span(&next.words));
    if (next.linked > 1 && !next.has_introduced)
        describe_set_text(next.out, "introduce", buf_span(&next.introduce));
    (void)json_object_set_new(call->result, "next", next.out); /* A lost key is a step less. */
    buf_release(&next.words);
    buf_release(&next.introduce);
    return err == ERR_CANCELLED ? ERR_OK : err;
}

/* Log. */

struct op_node_log {
    json_t *events;
    json_int_t last;
    size_t most;
    uint64_t since_ms;
};

static enum err op_node_on_row(void *self, const struct journal_row *row)
{
    struct op_node_log *log = self;
    json_t *event;

    log->last = (json_int_t)row->number;
    if (row->at_ms < log->since_ms ||
        (log->since_ms > 0 && span_is_equal(row->kind, span_str("wanted"))))
        return ERR_OK; /* Nobody is reminded of a favour: the log has it. */
    event = json_object();
    describe_set_time(event, "at", row->at_ms);
    describe_set_text(event, "kind", row->kind);
    describe_set_text(event, "who", row->who);
    describe_set_text(event, "text", row->text);
    describe_set_text(event, "ref", row->ref);
    if (json_array_append_new(log->events, event) != 0)
        return ERR_NOMEM;
    if (json_array_size(log->events) > log->most)
        (void)json_array_remove(log->events, 0); /* The newest are what is wanted. */
    return ERR_OK;
}

enum err op_node_log(struct op_call *call)
{
    json_int_t after = json_integer_value(json_object_get(call->params, "after"));
    struct op_node_log log = {.events = json_array(), .last = after, .most = OP_NODE_LOG_ROWS};
    enum err err =
        journal_each(&call->snapshot, after > 0 ? (uint64_t)after : 0, op_node_on_row, &log);

    call->result = json_pack("{s:o, s:I}", "events", log.events, "last", log.last);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the log could not be read");
}

/* For people: the newest of what happened. */
static enum err op_node_add_lately(struct op_call *call)
{
    uint64_t span_ms = OP_NODE_LATELY_DAYS * DATE_DAY_MS;
    struct op_node_log log = {.events = json_array(),
                              .most = OP_NODE_LATELY_ROWS,
                              .since_ms = call->now_ms > span_ms ? call->now_ms - span_ms : 0};
    enum err err = journal_each(&call->snapshot, 0, op_node_on_row, &log);

    (void)json_object_set_new(call->result, "lately", log.events); /* A lost key is not shown. */
    return err;
}

enum err op_node_waiting(struct op_call *call)
{
    enum err err = op_node_status(call);

    if (err == ERR_OK)
        err = op_node_add_next(call);
    if (err == ERR_OK)
        err = op_node_add_lately(call);
    return err == ERR_OK ? op_due_today(call) : op_fail_err(call, err, "status could not be read");
}

/* Sync. */

static enum err op_node_wait_ms(struct op_call *call, uint64_t *out)
{
    json_t *wait = json_object_get(call->params, "wait");
    uint64_t seconds = OP_NODE_WAIT_DEFAULT_S;

    *out = 0;
    if (wait == NULL)
        return ERR_OK;
    if (json_is_integer(wait))
        seconds = (uint64_t)json_integer_value(wait);
    else if (json_is_string(wait) && until_read(json_string_value(wait), &seconds) != ERR_OK)
        return op_fail(call, OP_USAGE, "kith sync --wait 30", "--wait wants seconds");
    *out = seconds * 1000;
    return ERR_OK;
}

/* What was announced, what of it has crossed, and what is stored and not yet in the lists. */
static bool op_node_sync_progress(struct op_call *call, uint64_t due, uint64_t done)
{
    uint64_t held = 0, merged = 0;

    if (follow_progress(&call->snapshot, &held, &merged) != ERR_OK)
        held = merged = 0;
    if (call->progress != NULL && due > 0)
        call->progress(call->progress_self, done, due);
    return merged >= held;
}

/* Every peer the call is about: reachable ones must be in step, a named one must be reachable too,
 * and what came must be in the lists.
 */
static enum err op_node_sync_result(struct op_call *call, bool *out_in_step)
{
    json_t *peers = json_array();
    const char *wanted = op_text(call, "who");
    struct name_match who = {0};
    uint64_t due = 0, done = 0;
    bool in_step = true, is_one_in_step = wanted == NULL;
    enum err err = wanted != NULL ? name_find_peer(call, wanted, &who) : ERR_OK;

    if (err != ERR_OK) {
        json_decref(peers);
        return err;
    }
    for (size_t at = 0; at < call->world->presence_count; at++) {
        const struct op_presence *presence = &call->world->presence[at];
        struct peer *peer;
        json_t *row;

        if (wanted != NULL && !public_key_is_equal(&presence->member, &who.member))
            continue;
        due += presence->due;
        done += presence->done;
        in_step =
            in_step && (presence->is_in_step || (!presence->is_online && !presence->is_reaching));
        is_one_in_step |= presence->is_in_step;
        peer = secret_new(sizeof *peer);
        if (peer != NULL && view_peer(&call->snapshot, &presence->member, peer) == ERR_OK) {
            row = json_pack("{s:s, s:b, s:b, s:I, s:I, s:I, s:I}", "name", peer->name, "in_step",
                            presence->is_in_step, "online", presence->is_online, "sent",
                            (json_int_t)presence->sent, "received", (json_int_t)presence->received,
                            "bytes_sent", (json_int_t)presence->bytes_sent, "bytes_received",
                            (json_int_t)presence->bytes_received);
            (void)json_array_append_new(peers, row); /* A lost row shows as absent. */
        }
        secret_free(peer);
    }
    in_step = op_node_sync_progress(call, due, done) && in_step && is_one_in_step;
    call->result = json_pack("{s:b, s:o}", "in_step", in_step, "peers", peers);
    *out_in_step = in_step;
    return ERR_OK;
}

enum err op_node_sync(struct op_call *call)
{
    bool in_step = false;
    enum err err = op_node_wait_ms(call, &call->effects.wait_ms);

    if (err == ERR_OK)
        err = op_node_sync_result(call, &in_step);
    if (err != ERR_OK)
        return err;
    call->effects.must_dial_all = true;
    call->effects.is_waiting = call->effects.wait_ms > 0;
    return ERR_OK;
}

enum err op_node_sync_poll(struct op_call *call)
{
    bool in_step = false;
    enum err err = op_node_sync_result(call, &in_step);

    call->effects.is_waiting = err == ERR_OK && (!in_step || call->is_early);
    return err;
}

/* Stop. */

enum err op_node_stop(struct op_call *call)
{
    call->effects.must_stop = true;
    call->result = json_pack("{s:b}", "stopped", 1);
    return ERR_OK;
}
