/* Every answer is a statement or a note of the owner's; what follows from it is judged at once, so
 * that the answer shows it. */
#include "node/op_introduction.h"

#include <stdio.h>
#include <string.h>

#include "node/describe_introduction.h"
#include "node/introducee.h"
#include "node/name.h"
#include "node/react.h"
#include "node/which.h"
#include "proto/limits.h"

/* Looking. */

struct op_introduction_rows {
    struct op_call *call;
    json_t *introductions, *wants;
};

static enum err op_introduction_on_row(void *self, const struct introduction_row *row)
{
    struct op_introduction_rows *rows = self;
    json_t *introduction;

    if (describe_introduction_state(row, rows->call->now_ms) == NULL)
        return ERR_OK;
    introduction = describe_introduction(rows->call, row);
    return json_array_append_new(rows->introductions, introduction) == 0 ? ERR_OK : ERR_NOMEM;
}

static enum err op_introduction_on_want(void *self, const struct introduction_fact *fact)
{
    struct op_introduction_rows *rows = self;

    if (fact->message.want.expires_ms <= rows->call->now_ms)
        return ERR_OK;
    return json_array_append_new(rows->wants, describe_introduction_want(rows->call, fact)) == 0
               ? ERR_OK
               : ERR_NOMEM;
}

enum err op_introduction_list(struct op_call *call)
{
    struct op_introduction_rows rows = {
        .call = call, .introductions = json_array(), .wants = json_array()};
    enum err err = view_introduction_each(&call->snapshot, NULL, op_introduction_on_row, &rows);

    if (err == ERR_OK)
        err = view_introduction_wants(&call->snapshot, ledger_member(call->snapshot.ledger),
                                      op_introduction_on_want, &rows);
    call->result =
        json_pack("{s:o, s:o}", "introductions", rows.introductions, "wants", rows.wants);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the introductions could not be read");
}

/* Finding one by its id, or by the name of somebody it brings together. */

struct op_introduction_search {
    const struct op_call *call;
    struct which which;
    struct introduction_row row;
};

static const char *op_introduction_name(const json_t *shown, const char *side)
{
    return json_string_value(json_object_get(json_object_get(shown, side), "name"));
}

static enum err op_introduction_on_found(void *self, const struct introduction_row *row)
{
    struct op_introduction_search *search = self;
    json_t *shown = describe_introduction(search->call, row);
    struct which_names names = {.names = {op_introduction_name(shown, "other")},
                                .is_over = row->ended_ms != 0};

    if (names.names[0] == NULL) {
        names.names[0] = op_introduction_name(shown, "a");
        names.names[1] = op_introduction_name(shown, "b");
    }
    if (shown != NULL && which_offer(&search->which, &row->id, &names))
        search->row = *row;
    json_decref(shown);
    return ERR_OK;
}

static enum err op_introduction_find(struct op_call *call, struct introduction_row *out)
{
    static const struct which_noun noun = {"introduction", "introductions", "kith intro list"};
    struct op_introduction_search search = {.call = call};
    enum err err = which_begin(op_text(call, "id"), &search.which);

    if (err == ERR_OK)
        err = view_introduction_each(&call->snapshot, NULL, op_introduction_on_found, &search);
    if (err != ERR_OK) {
        which_release(&search.which);
        return op_fail_err(call, err, "the introductions could not be read");
    }
    *out = search.row;
    return which_settle(&search.which, call, &noun);
}

enum err op_introduction_show(struct op_call *call)
{
    struct introduction_row row;
    enum err err = op_introduction_find(call, &row);

    if (err != ERR_OK)
        return err;
    call->result = describe_introduction(call, &row);
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

/* Answering. */

static enum err op_introduction_open(struct op_call *call, bool as_introducer,
                                     struct introduction_case *out)
{
    struct introduction_row row;
    bool is_mine;
    enum err err = react_all(call->txn);

    *out = (struct introduction_case){.txn = NULL};
    if (err == ERR_OK)
        err = op_introduction_find(call, &row);
    if (err != ERR_OK)
        return err;
    is_mine = public_key_is_equal(&row.introducer, ledger_member(call->snapshot.ledger));
    if (is_mine && !as_introducer)
        return op_fail(call, OP_FAILED, "kith intro withdraw ID",
                       "you are the one who introduces here: you can only withdraw it");
    return introduction_open(&call->snapshot, call->txn, &row.introducer, &row.id, out);
}

/* How it stands, as a reason why something cannot be done. */
static const char *op_introduction_reason(const char *state)
{
    static const struct {
        const char *state, *reason;
    } reasons[] = {{"offered", "you have not answered it yet"},
                   {"yes", "you agreed, and the other has not yet"},
                   {"no", "you have declined it"},
                   {"lapsed", "its time is over"},
                   {"withdrawn", "who began it has taken it back"},
                   {"retracted", "you have taken your yes back"},
                   {"greeted", "both have agreed"},
                   {"released", "both have agreed"},
                   {"connected", "you are linked"},
                   {"conflict", "the other has another key than you know"}};

    for (size_t at = 0; state != NULL && at < sizeof reasons / sizeof reasons[0]; at++)
        if (strcmp(reasons[at].state, state) == 0)
            return reasons[at].reason;
    return "it is over";
}

static enum err op_introduction_wrong(struct op_call *call, const struct introduction_case *intro)
{
    char id[ID_TEXT_SIZE], hint[80];

    hex_write(span_of(intro->row.id.bytes, ID_SIZE), id);
    (void)snprintf(hint, sizeof hint, "kith intro show %.12s", id);
    return op_fail(call, OP_FAILED, hint, "that cannot be done now: %s",
                   op_introduction_reason(describe_introduction_state(&intro->row, call->now_ms)));
}

/* Who began it takes it back; of those who are asked, who said yes. */
static enum err op_introduction_not_mine(struct op_call *call,
                                         const struct introduction_case *intro)
{
    char id[ID_TEXT_SIZE], hint[80];

    hex_write(span_of(intro->row.id.bytes, ID_SIZE), id);
    (void)snprintf(hint, sizeof hint, "kith intro decline %.12s", id);
    return op_fail(call, OP_FAILED, hint,
                   "you did not begin this introduction: you can decline it");
}

/* Judges, and answers with what it has come to. */
static enum err op_introduction_finish(struct op_call *call, struct introduction_case *intro,
                                       enum err err)
{
    struct introduction_row row;

    if (err == ERR_OK)
        err = react_all(call->txn);
    if (err == ERR_OK)
        err = view_introduction(&call->snapshot, &intro->row.introducer, &intro->row.id, &row);
    introduction_close(intro);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the introduction could not be changed");
    call->result = describe_introduction(call, &row);
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

static enum err op_introduction_note(struct introduction_case *intro, uint8_t field,
                                     uint64_t number)
{
    struct amend amend;

    introduction_amend(intro, &amend);
    amend_number(&amend, field, number);
    return amend_end(&amend, NULL);
}

static enum err op_introduction_tell(struct introduction_case *intro, enum introduction_type type)
{
    struct introduction_message message = {.type = type};
    const struct introduction_fact *offer = introducee_offer(intro);

    if (type == INTRODUCTION_NO && offer != NULL)
        message.no = offer->hash;
    return introduction_tell(intro, &intro->row.introducer, &message);
}

static bool op_introduction_is_waiting(const struct op_call *call,
                                       const struct introduction_case *intro)
{
    return intro->row.state == INTRODUCTION_OFFERED &&
           (intro->row.is_asked_again || call->now_ms < intro->row.expires_ms);
}

enum err op_introduction_accept(struct op_call *call)
{
    const char *line = op_text(call, "message");
    struct introduction_case intro;
    struct amend amend;
    enum err err = op_introduction_open(call, false, &intro);

    if (err == ERR_OK && line != NULL && strlen(line) > INTRODUCTION_MESSAGE_SIZE_MAX)
        err = op_fail(call, OP_USAGE, "say it in fewer words", "--message takes up to %d bytes",
                      INTRODUCTION_MESSAGE_SIZE_MAX);
    if (err == ERR_OK && line != NULL) {
        introduction_amend(&intro, &amend);
        amend_text(&amend, RECORD_MESSAGE, span_str(line));
        err = amend_end(&amend, NULL);
    }
    if (err == ERR_OK && (intro.row.state == INTRODUCTION_CONFLICT || intro.row.is_asked_again))
        err = op_introduction_note(&intro, RECORD_CONFIRMED, 1);
    else if (err == ERR_OK && op_introduction_is_waiting(call, &intro))
        err = introducee_agree(&intro);
    else if (err == ERR_OK && intro.row.state != INTRODUCTION_AGREED)
        err = op_introduction_wrong(call, &intro);
    if (err == ERR_STATE && call->failure.code == OP_DONE)
        err = op_fail(call, OP_FAILED, "say yes on the device that holds your root key",
                      "this device has no introduction key yet");
    return op_introduction_finish(call, &intro, err);
}

enum err op_introduction_decline(struct op_call *call)
{
    struct introduction_case intro;
    enum err err = op_introduction_open(call, false, &intro);

    if (err != ERR_OK)
        return op_introduction_finish(call, &intro, err);
    if (intro.row.state == INTRODUCTION_GREETED)
        err = op_introduction_note(&intro, RECORD_DROPPED, 1);
    else if (intro.row.state == INTRODUCTION_AGREED || intro.row.state == INTRODUCTION_CONFLICT ||
             intro.row.is_asked_again)
        err = op_introduction_tell(&intro, INTRODUCTION_RETRACT);
    else if (!op_introduction_is_waiting(call, &intro))
        err = op_introduction_wrong(call, &intro);
    else if (op_flag(call, "quietly"))
        err = op_introduction_note(&intro, RECORD_QUIET, 1);
    else
        err = op_introduction_tell(&intro, INTRODUCTION_NO);
    return op_introduction_finish(call, &intro, err);
}

enum err op_introduction_withdraw(struct op_call *call)
{
    struct introduction_case intro;
    bool is_mine;
    enum err err = op_introduction_open(call, true, &intro);

    if (err != ERR_OK)
        return op_introduction_finish(call, &intro, err);
    is_mine = public_key_is_equal(&intro.row.introducer, ledger_member(call->snapshot.ledger));
    if (is_mine && intro.row.state == INTRODUCTION_OPEN)
        err = op_introduction_note(&intro, RECORD_ENDED, INTRODUCTION_ENDED_WITHDRAWN);
    else if (!is_mine && intro.row.state == INTRODUCTION_AGREED)
        err = op_introduction_tell(&intro, INTRODUCTION_RETRACT);
    else if (!is_mine && op_introduction_is_waiting(call, &intro))
        err = op_introduction_not_mine(call, &intro);
    else
        err = op_introduction_wrong(call, &intro);
    return op_introduction_finish(call, &intro, err);
}

enum err op_introduction_known(struct op_call *call)
{
    struct introduction_case intro;
    enum err err = op_introduction_open(call, false, &intro);

    if (err == ERR_OK && !op_introduction_is_waiting(call, &intro))
        err = op_introduction_wrong(call, &intro);
    if (err == ERR_OK)
        err = op_introduction_tell(&intro, INTRODUCTION_KNOWN);
    return op_introduction_finish(call, &intro, err);
}

enum err op_introduction_thanks(struct op_call *call)
{
    struct introduction_message message = {.type = INTRODUCTION_THANKS};
    const char *line = op_text(call, "text");
    struct introduction_case intro;
    enum err err = op_introduction_open(call, false, &intro);

    if (err == ERR_OK && intro.row.state != INTRODUCTION_GREETED &&
        intro.row.state != INTRODUCTION_CONNECTED)
        err = op_introduction_wrong(call, &intro);
    if (err == ERR_OK && line != NULL && strlen(line) > INTRODUCTION_MESSAGE_SIZE_MAX)
        err = op_fail(call, OP_USAGE, "say it in fewer words", "thanks take up to %d bytes",
                      INTRODUCTION_MESSAGE_SIZE_MAX);
    message.thanks.line = span_str(line != NULL ? line : "");
    if (err == ERR_OK)
        err = introduction_tell(&intro, &intro.row.introducer, &message);
    if (err == ERR_OK)
        err = introduction_act(&intro, &intro.row.introducer, INTERACTION_THANKED,
                               message.thanks.line);
    if (err == ERR_NOT_FOUND && call->failure.code == OP_DONE)
        err = op_fail(call, OP_FAILED, "kith peer list",
                      "who introduced you is no peer of yours any more");
    return op_introduction_finish(call, &intro, err);
}

enum err op_introduction_mute(struct op_call *call)
{
    uint64_t until_ms = call->now_ms + INTRODUCTION_COOL_DAYS * MS_PER_DAY;
    struct name_match who;
    struct amend amend;
    struct id id;
    enum err err = name_find_peer(call, op_text(call, "who"), &who);

    if (err != ERR_OK)
        return err;
    id_about("kith mute", &who.member, &id);
    amend_begin(&amend, call->txn, ledger_self_space(call->snapshot.ledger), KIND_INTRODUCTION_MUTE,
                &id);
    amend_bytes(&amend, INTRODUCTION_MUTE_MEMBER, span_of(who.member.bytes, 32));
    amend_number(&amend, INTRODUCTION_MUTE_UNTIL, until_ms);
    err = amend_end(&amend, NULL);
    if (err == ERR_OK)
        err = react_all(call->txn);
    call->result = json_pack("{s:s}", "name", who.shown);
    describe_set_time(call->result, "until", until_ms);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "this could not be stored");
}

/* Counting. */

struct op_introduction_tally {
    uint64_t now_ms, waiting, open;
};

bool op_introduction_waits(const struct introduction_row *row, uint64_t now_ms)
{
    return row->state == INTRODUCTION_CONFLICT ||
           (row->state == INTRODUCTION_OFFERED &&
            (now_ms < row->expires_ms || row->is_asked_again));
}

static enum err op_introduction_on_tally(void *self, const struct introduction_row *row)
{
    struct op_introduction_tally *tally = self;
    bool is_past = tally->now_ms >= row->expires_ms;

    tally->waiting += op_introduction_waits(row, tally->now_ms);
    switch (row->state) {
    case INTRODUCTION_OPEN:
        tally->open += !is_past;
        break;
    case INTRODUCTION_AGREED:
    case INTRODUCTION_GREETED:
        tally->open++;
        break;
    default:
        break;
    }
    return ERR_OK;
}

enum err op_introduction_status(struct op_call *call)
{
    struct op_introduction_tally tally = {.now_ms = call->now_ms};
    enum err err = view_introduction_each(&call->snapshot, NULL, op_introduction_on_tally, &tally);

    (void)json_object_set_new(call->result, "introductions",
                              json_pack("{s:I, s:I}", "waiting_for_me", (json_int_t)tally.waiting,
                                        "open", (json_int_t)tally.open));
    return err;
}
