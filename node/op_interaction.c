/* Private, for the owner alone: nothing here is ever sent to anybody, or ranked. */
#include "node/op_interaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/date.h"
#include "node/describe.h"
#include "node/name.h"
#include "proto/limits.h"
#include "proto/scan.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_interaction.h"
#include "storage/view_same.h"

enum { OP_INTERACTION_WHATS = 64 };

static enum err op_interaction_who(struct op_call *call, struct name_match *out)
{
    enum err err = name_find(call, op_text(call, "who"), out);

    if (err == ERR_OK && !out->has_contact)
        return op_fail(call, OP_NOT_FOUND, "kith contact add NAME",
                       "%s is a peer without a contact of yours", out->shown);
    return err;
}

/* Logging. */

static enum err op_interaction_kind(struct op_call *call, enum interaction_what *out)
{
    const char *kind = op_text(call, "kind");
    const struct interaction_about *about =
        interaction_named(span_str(kind != NULL ? kind : "note"));

    if (about == NULL || !about->by_hand)
        return op_fail(call, OP_USAGE, "--kind met, call, mail, gift or note",
                       "there is no kind \"%.40s\"", kind);
    *out = about->what;
    return ERR_OK;
}

static enum err op_interaction_day(struct op_call *call, uint64_t *out)
{
    const char *on = op_text(call, "on");

    *out = call->now_ms;
    if (on == NULL)
        return ERR_OK;
    if (date_read_ms(on, call->now_ms, out) != ERR_OK)
        return op_fail(call, OP_USAGE, "--on 2026-03-01, --on today or --on yesterday",
                       "\"%.40s\" is no day", on);
    if (*out > call->now_ms + DATE_DAY_MS)
        return op_fail(call, OP_USAGE, "kith remind WHO --on DATE", "\"%.40s\" has not come yet",
                       on);
    return ERR_OK;
}

static json_t *op_interaction_row(const struct object *note)
{
    const struct interaction_about *about =
        interaction_about(object_number(note, INTERACTION_WHAT));
    uint64_t on = object_number(note, INTERACTION_ON);
    char day[DATE_TEXT_SIZE];
    json_t *row = json_object();

    describe_set_id(row, "id", &note->id);
    (void)json_object_set_new(row, "kind",
                              json_string(about != NULL ? about->name : "something newer"));
    if (about != NULL && !about->by_hand)
        (void)json_object_set_new(row, "what", json_string(about->sentence));
    describe_set_text(row, "text", object_text(note, INTERACTION_TEXT));
    describe_set_text(row, "ref", object_text(note, INTERACTION_REF));
    describe_set_time(row, "at", on);
    date_write(on, day);
    (void)json_object_set_new(row, "on", json_string(day));
    return row;
}

enum err op_interaction_log(struct op_call *call)
{
    const char *text = op_text(call, "text");
    struct interaction note = {.text = span_str(text != NULL ? text : "")};
    struct object written = {0};
    struct name_match who;
    uint32_t number;
    struct id id;
    enum err err = op_interaction_kind(call, &note.what);

    if (err == ERR_OK)
        err = op_interaction_day(call, &note.on_ms);
    if (err == ERR_OK)
        err = op_interaction_who(call, &who);
    if (err == ERR_OK &&
        (note.text.size == 0 || note.text.size > NOTE_SIZE_MAX || !scan_is_utf8(note.text)))
        return op_fail(call, OP_USAGE, "kith contact log joon \"coffee, talked about boats\"",
                       "say in a line what it was");
    if (err != ERR_OK)
        return err;
    note.contact = who.contact;
    err = view_interaction_add(call->txn, &note, &id);
    if (err == ERR_OK)
        err = ledger_follow(call->txn);
    if (err == ERR_OK)
        err = row_get(&call->snapshot, ledger_self_space(call->snapshot.ledger), KIND_INTERACTION,
                      &id, &written, &number);
    if (err == ERR_OK) {
        call->result = op_interaction_row(&written);
        describe_set_text(call->result, "who", span_str(who.shown));
    }
    object_release(&written);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the note could not be written");
}

/* Of a contact and all it is merged with. */

typedef enum err (*op_interaction_fn)(void *self, const struct id *contact);

static enum err op_interaction_group(struct op_call *call, uint32_t head, op_interaction_fn each,
                                     void *self)
{
    uint32_t members[VIEW_SAME_MAX], space;
    size_t count = 0;
    enum err err = view_same_members(&call->snapshot, head, members, &count);

    for (size_t at = 0; at < count && err == ERR_OK; at++) {
        struct object contact;

        err = row_load(&call->snapshot, members[at], &contact, &space);
        if (err == ERR_OK)
            err = each(self, &contact.id);
        object_release(&contact);
    }
    return err;
}

struct op_interaction_newest {
    struct op_call *call;
    uint64_t *out;
};

static enum err op_interaction_newer(void *self, const struct id *contact)
{
    struct op_interaction_newest *newest = self;
    uint64_t last;
    enum err err = view_interaction_last(&newest->call->snapshot, contact,
                                         newest->call->now_ms + DATE_DAY_MS, &last);

    if (err == ERR_OK && last > *newest->out)
        *newest->out = last;
    return err;
}

enum err op_interaction_last(struct op_call *call, uint32_t number, uint64_t *out_ms)
{
    struct op_interaction_newest newest = {.call = call, .out = out_ms};

    *out_ms = 0;
    return op_interaction_group(call, number, op_interaction_newer, &newest);
}

/* Timeline. */

struct op_interaction_list {
    struct op_call *call;
    json_t *rows;
};

static enum err op_interaction_on_note(void *self, uint32_t number, const struct object *note)
{
    struct op_interaction_list *list = self;

    (void)number;
    return json_array_append_new(list->rows, op_interaction_row(note)) == 0 ? ERR_OK : ERR_NOMEM;
}

static enum err op_interaction_on_member(void *self, const struct id *contact)
{
    struct op_interaction_list *list = self;

    return view_interaction_each(&list->call->snapshot, contact, op_interaction_on_note, list);
}

struct op_interaction_dated {
    const char *at;
    json_t *row;
    size_t place;
};

/* Newest first; those of one moment stay as they are. */
static int op_interaction_order(const void *left, const void *right)
{
    const struct op_interaction_dated *one = left, *other = right;
    int order = strcmp(other->at, one->at);

    return order != 0 ? order : (one->place > other->place) - (one->place < other->place);
}

/* Newest first over several contacts; RFC 3339 texts order as their times do. */
static enum err op_interaction_sort(json_t **rows)
{
    size_t count = json_array_size(*rows);
    struct op_interaction_dated *dated = heap_new_zeroed(count + 1, sizeof *dated);
    json_t *sorted = json_array();

    if (dated == NULL || sorted == NULL) {
        heap_free(dated);
        json_decref(sorted);
        return ERR_NOMEM;
    }
    for (size_t at = 0; at < count; at++) {
        json_t *row = json_array_get(*rows, at);
        const char *text = json_string_value(json_object_get(row, "at"));

        dated[at] = (struct op_interaction_dated){text != NULL ? text : "", row, at};
    }
    qsort(dated, count, sizeof *dated, op_interaction_order);
    for (size_t at = 0; at < count; at++)
        (void)json_array_append(sorted, dated[at].row); /* A lost row shows as absent. */
    heap_free(dated);
    json_decref(*rows);
    *rows = sorted;
    return ERR_OK;
}

enum err op_interaction_timeline(struct op_call *call)
{
    struct op_interaction_list list = {.call = call};
    struct name_match who;
    enum err err = op_interaction_who(call, &who);

    if (err != ERR_OK)
        return err;
    list.rows = json_array();
    err = op_interaction_group(call, who.number, op_interaction_on_member, &list);
    if (err == ERR_OK)
        err = op_interaction_sort(&list.rows);
    call->result = json_pack("{s:s, s:o}", "name", who.shown, "interactions", list.rows);
    if (call->result != NULL)
        describe_set_id(call->result, "id", &who.contact);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the timeline could not be read");
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

/* Balance. */

struct op_interaction_balance {
    struct op_call *call;
    uint64_t since_ms;
    bool has_who;
    struct id contacts[VIEW_SAME_MAX];
    size_t contacts_count;
    json_int_t counts[OP_INTERACTION_WHATS];
    uint64_t first_ms, last_touch_ms;
    struct buf calls; /* refs of asks and offers that are counted, each with an end */
    json_int_t asked_again, offered_again; /* the same ones to further people */
};

static enum err op_interaction_note_contact(void *self, const struct id *contact)
{
    struct op_interaction_balance *balance = self;

    if (balance->contacts_count < VIEW_SAME_MAX)
        balance->contacts[balance->contacts_count++] = *contact;
    return ERR_OK;
}

/* An ask to ten people is asked once, as one says it. */
static bool op_interaction_is_counted(struct op_interaction_balance *balance, uint64_t what,
                                      struct span ref)
{
    if ((what != INTERACTION_ASKED && what != INTERACTION_OFFERED) || ref.size == 0)
        return false;
    if (balance->calls.size > 0 &&
        memmem(balance->calls.data, balance->calls.size, ref.data, ref.size) != NULL)
        return true;
    buf_append(&balance->calls, ref);
    buf_byte(&balance->calls, 0);
    return false;
}

static enum err op_interaction_count(void *self, uint32_t number, const struct object *note)
{
    struct op_interaction_balance *balance = self;
    uint64_t on = object_number(note, INTERACTION_ON), what = object_number(note, INTERACTION_WHAT);
    struct span contact = object_value(note, INTERACTION_CONTACT).bytes;
    bool fits = !balance->has_who;

    (void)number;
    for (size_t at = 0; at < balance->contacts_count; at++)
        fits |= span_is_equal(contact, span_of(balance->contacts[at].bytes, ID_SIZE));
    if (!fits || on < balance->since_ms || what >= OP_INTERACTION_WHATS)
        return ERR_OK;
    balance->counts[what]++;
    if (op_interaction_is_counted(balance, what, object_text(note, INTERACTION_REF))) {
        balance->asked_again += what == INTERACTION_ASKED;
        balance->offered_again += what == INTERACTION_OFFERED;
    }
    if (balance->first_ms == 0 || on < balance->first_ms)
        balance->first_ms = on;
    if (interaction_about(what) != NULL && interaction_about(what)->by_hand &&
        on > balance->last_touch_ms)
        balance->last_touch_ms = on;
    return ERR_OK;
}

static json_int_t op_interaction_side(const struct op_interaction_balance *balance,
                                      enum interaction_side side, json_t *kinds)
{
    json_int_t sum = 0;

    for (uint64_t what = 0; what < OP_INTERACTION_WHATS; what++) {
        const struct interaction_about *about = interaction_about(what);

        if (about == NULL || about->side != side || balance->counts[what] == 0)
            continue;
        sum += balance->counts[what];
        (void)json_object_set_new(kinds, about->name, json_integer(balance->counts[what]));
    }
    return sum;
}

/* "once", "twice", "3 times", or what there is to say when it never happened. */
static const char *op_interaction_times(json_int_t count, const char *never, char out[static 40])
{
    if (count == 0)
        return never;
    if (count <= 2)
        return count == 1 ? "once" : "twice";
    (void)snprintf(out, 40, "%" JSON_INTEGER_FORMAT " times", count);
    return out;
}

static void op_interaction_sentence(struct op_interaction_balance *balance, const char *name,
                                    json_int_t gave, json_int_t got, json_int_t asked)
{
    uint64_t since = balance->since_ms > 0 ? balance->since_ms : balance->first_ms;
    const char *whom = name != NULL ? name : "others";
    char times[40], day[DATE_TEXT_SIZE];
    struct buf text = {0};

    if (since == 0) {
        buf_append(&text, span_str("Nothing has been noted yet"));
    } else {
        date_write(since, day);
        buf_append(&text, span_str("Since "));
        buf_append(&text, span_str(day));
        buf_append(&text, span_str(gave == 0 ? " you have not helped " : " you helped "));
        buf_append(&text, span_str(whom));
        buf_append(&text, span_str(gave == 0 ? " yet" : " "));
        buf_append(&text, span_str(op_interaction_times(gave, "", times)));
        buf_append(&text, span_str(asked == 0 ? " and asked for nothing" : " and asked "));
        buf_append(&text, span_str(op_interaction_times(asked, "", times)));
        buf_append(&text,
                   span_str(got == 0 ? "; they have not helped you yet" : "; they helped you "));
        buf_append(&text, span_str(op_interaction_times(got, "", times)));
        if (name != NULL && got > 0 && balance->last_touch_ms == 0)
            buf_append(&text, span_str(", and you have not been in touch since"));
    }
    buf_byte(&text, '.');
    if (buf_err(&text) == ERR_OK)
        (void)json_object_set_new(balance->call->result, "sentence",
                                  json_stringn((const char *)text.data, text.size));
    buf_release(&text);
}

/* "--since 2026-01-01" or "--since 3m": how far back. */
static enum err op_interaction_since(struct op_call *call, uint64_t *out)
{
    const char *since = op_text(call, "since");
    uint64_t days;

    *out = 0;
    if (since == NULL)
        return ERR_OK;
    if (date_read_ms(since, call->now_ms, out) == ERR_OK)
        return *out <= call->now_ms + DATE_DAY_MS
                   ? ERR_OK
                   : op_fail(call, OP_USAGE, "--since 2026-01-01 or --since 6m",
                             "\"%.40s\" has not come yet", since);
    if (date_read_span(since, &days) != ERR_OK)
        return op_fail(call, OP_USAGE, "--since 2026-01-01 or --since 6m",
                       "\"%.40s\" is neither a day nor a span", since);
    *out = days * DATE_DAY_MS < call->now_ms ? call->now_ms - days * DATE_DAY_MS : 0;
    return ERR_OK;
}

enum err op_interaction_balance(struct op_call *call)
{
    struct op_interaction_balance balance = {.call = call};
    json_t *gave = json_object(), *got = json_object(), *asked = json_object();
    json_int_t gave_sum, got_sum, asked_sum;
    struct name_match who = {0};
    enum err err = op_interaction_since(call, &balance.since_ms);

    balance.has_who = op_text(call, "who") != NULL;
    if (err == ERR_OK && balance.has_who)
        err = op_interaction_who(call, &who);
    if (err == ERR_OK && balance.has_who)
        err = op_interaction_group(call, who.number, op_interaction_note_contact, &balance);
    if (err == ERR_OK)
        err = row_each(&call->snapshot, ledger_self_space(call->snapshot.ledger), KIND_INTERACTION,
                       op_interaction_count, &balance);
    buf_release(&balance.calls);
    gave_sum = op_interaction_side(&balance, INTERACTION_GAVE, gave);
    got_sum = op_interaction_side(&balance, INTERACTION_GOT, got);
    asked_sum = op_interaction_side(&balance, INTERACTION_ASKS, asked);
    (void)json_object_set_new(gave, "total", json_integer(gave_sum));
    (void)json_object_set_new(got, "total", json_integer(got_sum));
    (void)json_object_set_new(asked, "total", json_integer(asked_sum));
    if (err != ERR_OK) {
        json_decref(gave);
        json_decref(got);
        json_decref(asked);
        return op_fail_err(call, err, "the balance could not be read");
    }
    call->result = json_pack("{s:o, s:o, s:o}", "given", gave, "received", got, "asked", asked);
    if (call->result == NULL)
        return ERR_NOMEM;
    if (balance.since_ms > 0)
        describe_set_time(call->result, "since", balance.since_ms);
    op_interaction_sentence(&balance, balance.has_who ? who.shown : NULL,
                            gave_sum - balance.offered_again, got_sum,
                            asked_sum - balance.asked_again);
    return ERR_OK;
}
