/*
 * One list, by day. A repeated reminder counts from the last interaction of any kind; a reminder of
 * one's own takes the place of those by tag and circle. A tie has gone quiet when there were
 * interactions, no reminder is set, and half a year has passed. Acts of kith that end or wait stand
 * between them (op_due_act.c).
 */
#include "node/op_due.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "node/birthday.h"
#include "node/date.h"
#include "node/describe.h"
#include "node/ical.h"
#include "node/introduction.h"
#include "node/op_circle.h"
#include "node/op_due_act.h"
#include "node/op_interaction.h"
#include "proto/contact.h"
#include "proto/interaction.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_same.h"

enum { OP_DUE_WITHIN_DAYS = 14, OP_DUE_QUIET_DAYS = 180, OP_DUE_ITEMS_MAX = 5000 };

struct op_due_item {
    const char *kind;
    struct id ref;     /* of what it is about: see kind */
    struct id contact; /* whom it is about */
    uint64_t due_ms, late_ms, last_ms;
    char who[201], text[OP_DUE_TEXT_SIZE];
};

struct op_due {
    struct op_call *call;
    uint64_t until_ms;
    struct op_due_item *items;
    size_t count;
    bool is_cut;
    struct id *covered; /* contacts that some reminder is about; zeroes: nobody */
    size_t covered_count, covered_capacity;
    const struct object *reminder; /* the one being spread over a tag or a circle */
};

static int op_due_order(const void *left, const void *right)
{
    const struct op_due_item *one = left, *other = right;

    if (one->due_ms != other->due_ms)
        return one->due_ms < other->due_ms ? -1 : 1;
    return strcmp(one->who, other->who);
}

/* Of too many those stay that are due first: a heap, whatever is due last on top (Williams 1964).
 */
static void op_due_sink(struct op_due *due, size_t at)
{
    struct op_due_item item = due->items[at];

    for (size_t below; (below = 2 * at + 1) < due->count; at = below) {
        if (below + 1 < due->count && op_due_order(&due->items[below], &due->items[below + 1]) < 0)
            below++;
        if (op_due_order(&item, &due->items[below]) >= 0)
            break;
        due->items[at] = due->items[below];
    }
    due->items[at] = item;
}

static void op_due_add(struct op_due *due, const struct op_due_item *item)
{
    if (due->count < OP_DUE_ITEMS_MAX) {
        due->items[due->count++] = *item;
        for (size_t at = due->count / 2; due->count == OP_DUE_ITEMS_MAX && at-- > 0;)
            op_due_sink(due, at);
        return;
    }
    due->is_cut = true;
    if (op_due_order(item, &due->items[0]) >= 0)
        return;
    due->items[0] = *item;
    op_due_sink(due, 0);
}

/* Who is covered by a reminder. */

static const struct id op_due_nobody = {{0}};

/* Where an id stands in the table, or would: its last bytes are random. */
static struct id *op_due_place(struct id *table, size_t capacity, const struct id *contact)
{
    size_t at = (size_t)be64(contact->bytes + ID_SIZE - 8) & (capacity - 1);

    while (!id_is_equal(&table[at], contact) && !id_is_equal(&table[at], &op_due_nobody))
        at = (at + 1) & (capacity - 1);
    return &table[at];
}

static bool op_due_is_covered(const struct op_due *due, const struct id *contact)
{
    return due->covered_capacity > 0 &&
           id_is_equal(op_due_place(due->covered, due->covered_capacity, contact), contact);
}

/* A tag that an import gave can be that of a hundred thousand: a table, half full at most. */
static enum err op_due_cover(struct op_due *due, const struct id *contact)
{
    if (2 * due->covered_count >= due->covered_capacity) {
        size_t capacity = due->covered_capacity > 0 ? 2 * due->covered_capacity : 64;
        struct id *grown = heap_new_zeroed(capacity, sizeof *grown);

        if (grown == NULL)
            return ERR_NOMEM;
        for (size_t at = 0; at < due->covered_capacity; at++)
            *op_due_place(grown, capacity, &due->covered[at]) = due->covered[at];
        heap_free(due->covered);
        due->covered = grown;
        due->covered_capacity = capacity;
    }
    *op_due_place(due->covered, due->covered_capacity, contact) = *contact;
    due->covered_count++;
    return ERR_OK;
}

/* Reminders. */

/* The contact as it is shown; false when it is gone. */
static bool op_due_shown(struct op_due *due, uint32_t number, uint32_t *out_head, struct id *out_id,
                         char who[static 201])
{
    struct object contact;
    bool is_there = view_same_read(&due->call->snapshot, number, &contact, out_head) == ERR_OK &&
                    object_is_visible(&contact);

    if (is_there) {
        *out_id = contact.id;
        describe_cut(who, 201, view_contact_shown(&contact));
    }
    object_release(&contact);
    return is_there;
}

/* When a repeated reminder about this contact is due, counted from the last time in touch. */
static enum err op_due_count(struct op_due *due, const struct object *reminder, uint32_t head,
                             struct op_due_item *item)
{
    uint64_t every = object_number(reminder, REMINDER_EVERY),
             late = object_number(reminder, REMINDER_LATE),
             done = object_number(reminder, REMINDER_DONE),
             snoozed = object_number(reminder, REMINDER_SNOOZED);
    uint64_t from = be64(reminder->id.bytes) >> 16; /* An id begins with its time of creation. */
    enum err err = op_interaction_last(due->call, head, &item->last_ms);

    if (item->last_ms > 0)
        from = item->last_ms;
    if (done > from)
        from = done;
    item->due_ms = from + every * DATE_DAY_MS;
    item->late_ms =
        late > every ? from + late * DATE_DAY_MS : item->due_ms + every / 2 * DATE_DAY_MS;
    if (snoozed > item->due_ms)
        item->due_ms = snoozed;
    return err;
}

static enum err op_due_repeated(struct op_due *due, const struct object *reminder, uint32_t number)
{
    struct op_due_item item = {.kind = "reminder", .ref = reminder->id};
    uint32_t head;
    enum err err;

    if (!op_due_shown(due, number, &head, &item.contact, item.who) ||
        op_due_is_covered(due, &item.contact))
        return ERR_OK;
    err = op_due_cover(due, &item.contact);
    if (err == ERR_OK)
        err = op_due_count(due, reminder, head, &item);
    describe_cut(item.text, sizeof item.text, object_text(reminder, REMINDER_TEXT));
    if (err == ERR_OK && item.due_ms <= due->until_ms)
        op_due_add(due, &item);
    return err;
}

static enum err op_due_once(struct op_due *due, const struct object *reminder, uint32_t number,
                            bool has_contact)
{
    struct op_due_item item = {.kind = "reminder", .ref = reminder->id};
    uint64_t on = object_number(reminder, REMINDER_ON),
             snoozed = object_number(reminder, REMINDER_SNOOZED);
    uint32_t head;

    if (object_number(reminder, REMINDER_DONE) > 0)
        return ERR_OK;
    if (has_contact && !op_due_shown(due, number, &head, &item.contact, item.who))
        return ERR_OK;
    if (!has_contact)
        describe_cut(item.who, sizeof item.who,
                     object_text(reminder, REMINDER_TAG).size > 0
                         ? object_text(reminder, REMINDER_TAG)
                         : object_text(reminder, REMINDER_CIRCLE));
    item.due_ms = snoozed > on ? snoozed : on;
    item.late_ms = item.due_ms + 7 * DATE_DAY_MS;
    describe_cut(item.text, sizeof item.text, object_text(reminder, REMINDER_TEXT));
    if (item.due_ms <= due->until_ms)
        op_due_add(due, &item);
    return ERR_OK;
}

static enum err op_due_number(struct op_due *due, const struct object *reminder, uint32_t *out)
{
    struct span contact = object_value(reminder, REMINDER_CONTACT).bytes;
    struct space_row self;
    struct id id;
    enum err err;

    if (contact.size != ID_SIZE)
        return ERR_NOT_FOUND;
    memcpy(id.bytes, contact.data, ID_SIZE);
    err = ledger_space(&due->call->snapshot, ledger_self_space(due->call->snapshot.ledger), &self);
    return err == ERR_OK ? row_find(&due->call->snapshot, self.number, KIND_CONTACT, &id, out)
                         : err;
}

/* First those about one contact: they take the place of the others. */
static enum err op_due_on_own(void *self, uint32_t number, const struct object *reminder)
{
    struct op_due *due = self;
    uint32_t contact = 0;
    enum err err = op_due_number(due, reminder, &contact);

    (void)number;
    if (object_number(reminder, REMINDER_EVERY) == 0) {
        bool has_contact = object_value(reminder, REMINDER_CONTACT).bytes.size > 0;

        return has_contact && err != ERR_OK ? ERR_OK
                                            : op_due_once(due, reminder, contact, has_contact);
    }
    if (err == ERR_NOT_FOUND)
        return ERR_OK; /* By tag or circle, or about a contact that is gone. */
    return err == ERR_OK ? op_due_repeated(due, reminder, contact) : err;
}

static enum err op_due_on_tagged(void *self, uint32_t number, const struct object *contact)
{
    struct op_due *due = self;

    (void)contact;
    return op_due_repeated(due, due->reminder, number);
}

static enum err op_due_on_member(void *self, const struct name_match *who)
{
    struct op_due *due = self;

    return who->has_contact ? op_due_repeated(due, due->reminder, who->number) : ERR_OK;
}

static enum err op_due_on_shared(void *self, uint32_t number, const struct object *reminder)
{
    struct op_due *due = self;
    struct span tag = object_text(reminder, REMINDER_TAG),
                circle = object_text(reminder, REMINDER_CIRCLE);
    char name[256];
    enum err err = ERR_OK;

    (void)number;
    if (object_number(reminder, REMINDER_EVERY) == 0)
        return ERR_OK;
    due->reminder = reminder;
    if (tag.size > 0)
        err = view_contact_match(&due->call->snapshot, MATCH_BY_TAG, tag, op_due_on_tagged, due);
    if (err == ERR_OK && circle.size > 0 && circle.size < sizeof name) {
        describe_cut(name, sizeof name, circle);
        err = op_circle_each(due->call, name, op_due_on_member, due);
        if (err == ERR_NOT_FOUND) {
            due->call->failure = (struct op_failure){0}; /* The circle is gone, and that is all. */
            err = ERR_OK;
        }
    }
    return err;
}

/* Contacts: birthdays and quiet ties. */

static void op_due_add_birthday(struct op_due *due, const struct object *contact, struct span value)
{
    uint64_t now = due->call->now_ms, today = now / DATE_DAY_MS * DATE_DAY_MS, on;
    struct date birth, day;
    struct op_due_item item = {.kind = "birthday", .ref = contact->id, .contact = contact->id};

    if (date_read(value, &birth) != ERR_OK)
        return;
    date_of(now, &day);
    on = date_ms(&(struct date){.month = birth.month, .day = birth.day}, day.year);
    if (on < today)
        on = date_ms(&(struct date){.month = birth.month, .day = birth.day},
                     (uint16_t)(day.year + 1));
    if (on > due->until_ms)
        return;
    item.due_ms = on;
    item.late_ms = on + DATE_DAY_MS;
    describe_cut(item.who, sizeof item.who, view_contact_shown(contact));
    date_of(on, &day);
    if (birth.year > 1900 && birth.year < day.year)
        (void)snprintf(item.text, sizeof item.text, "turns %u", (unsigned)day.year - birth.year);
    op_due_add(due, &item);
}

static enum err op_due_add_quiet(struct op_due *due, uint32_t head, const struct object *contact)
{
    struct op_due_item item = {.kind = "quiet", .ref = contact->id, .contact = contact->id};
    char day[DATE_TEXT_SIZE];
    uint64_t last;
    enum err err;

    if (op_due_is_covered(due, &contact->id))
        return ERR_OK;
    err = op_interaction_last(due->call, head, &last);
    if (err != ERR_OK || last == 0 || last + OP_DUE_QUIET_DAYS * DATE_DAY_MS > due->until_ms)
        return err;
    item.due_ms = last + OP_DUE_QUIET_DAYS * DATE_DAY_MS;
    item.late_ms = last + 2 * OP_DUE_QUIET_DAYS * DATE_DAY_MS;
    item.last_ms = last;
    describe_cut(item.who, sizeof item.who, view_contact_shown(contact));
    date_write(last, day);
    (void)snprintf(item.text, sizeof item.text, "last in touch on %s", day);
    op_due_add(due, &item);
    return ERR_OK;
}

static enum err op_due_on_contact(void *self, uint32_t number, const struct object *contact)
{
    struct op_due *due = self;
    const struct object_element *at;
    struct object shown;
    uint32_t head;
    enum err err = view_same_read(&due->call->snapshot, number, &shown, &head);

    (void)contact;
    for (at = object_element_next(&shown, CONTACT_EXTRAS, NULL); err == ERR_OK && at != NULL;
         at = object_element_next(&shown, CONTACT_EXTRAS, at)) {
        struct span value = birthday_said(at->value.bytes);

        if (value.size > 0) {
            op_due_add_birthday(due, &shown, value);
            break;
        }
    }
    if (err == ERR_OK)
        err = op_due_add_quiet(due, head, &shown);
    object_release(&shown);
    return err;
}

/* Acts of kith. */

/* As the contact is shown, or as the peer is called when there is none. */
static void op_due_name(struct op_due *due, const struct public_key *member,
                        struct op_due_item *item)
{
    const struct snapshot *snapshot = &due->call->snapshot;
    struct peer *peer = secret_new(sizeof *peer);
    struct space_row self;
    uint32_t number, head;

    if (peer == NULL || view_peer(snapshot, member, peer) != ERR_OK || !peer->has_contact ||
        ledger_space(snapshot, ledger_self_space(snapshot->ledger), &self) != ERR_OK ||
        row_find(snapshot, self.number, KIND_CONTACT, &peer->contact, &number) != ERR_OK ||
        !op_due_shown(due, number, &head, &item->contact, item->who))
        introduction_name(snapshot, member, item->who);
    secret_free(peer);
}

static enum err op_due_on_act(void *self, const struct op_due_act *act)
{
    struct op_due *due = self;
    struct op_due_item item = {.kind = act->kind,
                               .ref = act->id,
                               .due_ms = act->due_ms,
                               .late_ms = act->is_patient ? UINT64_MAX : act->due_ms + DATE_DAY_MS};

    memcpy(item.text, act->text, sizeof item.text);
    if (!public_key_is_equal(&act->member, ledger_member(due->call->snapshot.ledger)))
        op_due_name(due, &act->member, &item);
    op_due_add(due, &item);
    return ERR_OK;
}

static bool op_due_is(const struct op_due_item *item, const char *kind)
{
    return strcmp(item->kind, kind) == 0;
}

/* Answers. */

static json_t *op_due_row(const struct op_due *due, const struct op_due_item *item)
{
    uint64_t today = due->call->now_ms / DATE_DAY_MS * DATE_DAY_MS;
    static const struct id none = {{0}};
    char day[DATE_TEXT_SIZE], uuid[DESCRIBE_UUID_SIZE];
    json_t *row = json_object();

    (void)json_object_set_new(row, "kind", json_string(item->kind));
    describe_set_text(row, "who", span_str(item->who));
    if (!id_is_equal(&item->contact, &none))
        describe_set_id(row, "contact", &item->contact);
    describe_uuid(&item->ref, uuid);
    if (op_due_is(item, "endorsement"))
        describe_set_text(row, "id", span_str(uuid));
    else if (!id_is_equal(&item->ref, &none))
        describe_set_id(row, "id", &item->ref);
    date_write(item->due_ms, day);
    (void)json_object_set_new(row, "due", json_string(day));
    (void)json_object_set_new(row, "state",
                              json_string(item->late_ms < today                ? "late"
                                          : item->due_ms < today + DATE_DAY_MS ? "due"
                                                                               : "soon"));
    if (item->last_ms > 0) {
        date_write(item->last_ms, day);
        (void)json_object_set_new(row, "last", json_string(day));
    }
    describe_set_text(row, "text", span_str(item->text));
    return row;
}

/* What it is, before whom it is about. NULL: it is not for a calendar, which others may see; who
 * introduces whom, and who looks for what, is nobody else's business. */
static const char *op_due_title(const struct op_due_item *item)
{
    if (op_due_is(item, "endorsement"))
        return "Endorsement ends: ";
    if (op_due_is(item, "birthday"))
        return "Birthday: ";
    return op_due_is(item, "reminder") || op_due_is(item, "quiet") ? "Be in touch: " : NULL;
}

static void op_due_ical(const struct op_due *due, struct buf *out)
{
    ical_begin(out);
    for (size_t at = 0; at < due->count; at++) {
        const struct op_due_item *item = &due->items[at];
        const char *title = op_due_title(item);
        char uid[ID_TEXT_SIZE + 32], hex[ID_TEXT_SIZE], summary[700];

        if (title == NULL)
            continue;
        hex_write(span_of(item->ref.bytes, ID_SIZE), hex);
        (void)snprintf(uid, sizeof uid, "%s-%s@kith", item->kind, hex);
        (void)snprintf(summary, sizeof summary, "%s%s%s%s", title, item->who,
                       item->text[0] != '\0' ? ", " : "", item->text);
        ical_add(&(struct ical_event){.uid = span_str(uid),
                                      .summary = span_str(summary),
                                      .day_ms = item->due_ms,
                                      .stamp_ms = due->call->now_ms,
                                      .is_yearly = op_due_is(item, "birthday")},
                 out);
    }
    ical_end(out);
}

static void op_due_add_rows(struct op_due *due)
{
    json_t *rows = json_array();

    if (due->count > 1)
        qsort(due->items, due->count, sizeof *due->items, op_due_order);
    for (size_t at = 0; at < due->count; at++)
        (void)json_array_append_new(rows, op_due_row(due, &due->items[at]));
    (void)json_object_set_new(due->call->result, "due", rows);
}

static enum err op_due_answer(struct op_due *due)
{
    struct buf calendar = {0};
    enum err err = ERR_OK;

    due->call->result = json_object();
    op_due_add_rows(due);
    if (due->is_cut)
        (void)json_object_set_new(due->call->result, "is_cut", json_true());
    if (op_flag(due->call, "ical")) {
        op_due_ical(due, &calendar);
        err = buf_err(&calendar);
        (void)json_object_set_new(due->call->result, "ical",
                                  json_stringn((const char *)calendar.data, calendar.size));
    }
    buf_release(&calendar);
    return err;
}

static enum err op_due_collect(struct op_due *due)
{
    const struct id *self = ledger_self_space(due->call->snapshot.ledger);
    enum err err = op_due_act_each(due->call, due->until_ms, op_due_on_act, due);

    if (err == ERR_OK)
        err = row_each(&due->call->snapshot, self, KIND_REMINDER, op_due_on_own, due);
    if (err == ERR_OK)
        err = row_each(&due->call->snapshot, self, KIND_REMINDER, op_due_on_shared, due);
    return err == ERR_OK ? view_contact_each(&due->call->snapshot, op_due_on_contact, due) : err;
}

/* Everything due within so many days after today; answer says it. */
static enum err op_due_within(struct op_call *call, uint64_t days,
                              enum err (*answer)(struct op_due *due))
{
    struct op_due due = {.call = call,
                         .until_ms = (call->now_ms / DATE_DAY_MS + 1 + days) * DATE_DAY_MS};
    enum err err = ERR_OK;

    due.items = heap_new_zeroed(OP_DUE_ITEMS_MAX, sizeof *due.items);
    if (due.items == NULL)
        return ERR_NOMEM;
    err = op_due_collect(&due);
    if (err == ERR_OK)
        err = answer(&due);
    heap_free(due.items);
    heap_free(due.covered);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "what is due could not be read");
}

enum err op_due(struct op_call *call)
{
    const char *within = op_text(call, "within");
    uint64_t days = OP_DUE_WITHIN_DAYS;

    if (within != NULL && date_read_span(within, &days) != ERR_OK)
        return op_fail(call, OP_USAGE, "kith due --within 2w", "\"%.40s\" is no span", within);
    return op_due_within(call, days, op_due_answer);
}

static enum err op_due_add_today(struct op_due *due)
{
    op_due_add_rows(due);
    return ERR_OK;
}

enum err op_due_today(struct op_call *call)
{
    return op_due_within(call, 0, op_due_add_today);
}
