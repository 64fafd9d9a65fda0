/* A reminder is about one contact, or about everybody with a tag or in a circle. */
#include "node/op_remind.h"

#include <string.h>
#include <strings.h>

#include "node/amend.h"
#include "node/date.h"
#include "node/describe.h"
#include "node/name.h"
#include "node/op_circle.h"
#include "proto/interaction.h"
#include "proto/limits.h"
#include "proto/scan.h"
#include "storage/row.h"

enum { OP_REMIND_PREFIX_MIN = 4 };

static const struct id *op_remind_self(const struct op_call *call)
{
    return ledger_self_space(call->snapshot.ledger);
}

/* Answers. */

static void op_remind_contact(struct op_call *call, const struct object *reminder, json_t *row)
{
    struct span contact = object_value(reminder, REMINDER_CONTACT).bytes;
    struct object object = {0};
    struct id id;
    uint32_t number;
    json_t *who;

    if (contact.size != ID_SIZE)
        return;
    memcpy(id.bytes, contact.data, ID_SIZE);
    if (row_get(&call->snapshot, op_remind_self(call), KIND_CONTACT, &id, &object, &number) ==
        ERR_OK) {
        who = describe_contact_numbered(call, number);
        (void)json_object_set(row, "who", json_object_get(who, "name"));
        json_decref(who);
    }
    describe_set_id(row, "contact", &id);
    object_release(&object);
}

static json_t *op_remind_row(struct op_call *call, const struct object *reminder)
{
    uint64_t on = object_number(reminder, REMINDER_ON),
             snoozed = object_number(reminder, REMINDER_SNOOZED);
    char day[DATE_TEXT_SIZE];
    json_t *row = json_object();

    describe_set_id(row, "id", &reminder->id);
    op_remind_contact(call, reminder, row);
    describe_set_text(row, "tag", object_text(reminder, REMINDER_TAG));
    describe_set_text(row, "circle", object_text(reminder, REMINDER_CIRCLE));
    describe_set_text(row, "text", object_text(reminder, REMINDER_TEXT));
    if (object_number(reminder, REMINDER_EVERY) > 0)
        (void)json_object_set_new(
            row, "every_days", json_integer((json_int_t)object_number(reminder, REMINDER_EVERY)));
    if (on > 0) {
        date_write(on, day);
        (void)json_object_set_new(row, "on", json_string(day));
    }
    if (snoozed > call->now_ms) {
        date_write(snoozed, day);
        (void)json_object_set_new(row, "snoozed_until", json_string(day));
    }
    return row;
}

static enum err op_remind_answer(struct op_call *call, const struct id *id)
{
    struct object reminder;
    uint32_t number;
    enum err err =
        row_get(&call->snapshot, op_remind_self(call), KIND_REMINDER, id, &reminder, &number);

    if (err == ERR_OK)
        call->result = op_remind_row(call, &reminder);
    object_release(&reminder);
    return err == ERR_OK && call->result == NULL ? ERR_NOMEM : err;
}

/* Making. */

struct op_remind_wish {
    uint64_t every, on_ms, late;
    const char *tag, *circle, *text;
    struct name_match who;
    bool has_who;
};

static enum err op_remind_when(struct op_call *call, struct op_remind_wish *wish)
{
    const char *every = op_text(call, "every"), *on = op_text(call, "on"),
               *in = op_text(call, "in"), *late = op_text(call, "late");
    uint64_t days;

    if ((every != NULL) + (on != NULL) + (in != NULL) != 1)
        return op_fail(call, OP_USAGE, "kith remind joon --every 3m",
                       "say when: one of --every, --on and --in");
    if (every != NULL && date_read_span(every, &wish->every) != ERR_OK)
        return op_fail(call, OP_USAGE, "--every 3m, --every 2w", "\"%.40s\" is no span", every);
    if (on != NULL && date_read_ms(on, call->now_ms, &wish->on_ms) != ERR_OK)
        return op_fail(call, OP_USAGE, "--on 2026-03-01", "\"%.40s\" is no day", on);
    if (in != NULL && date_read_span(in, &days) != ERR_OK)
        return op_fail(call, OP_USAGE, "--in 2w", "\"%.40s\" is no span", in);
    if (in != NULL)
        wish->on_ms =
            call->now_ms / DATE_DAY_MS * DATE_DAY_MS + DATE_DAY_MS / 2 + days * DATE_DAY_MS;
    if (late != NULL && date_read_span(late, &wish->late) != ERR_OK)
        return op_fail(call, OP_USAGE, "--late 5m", "\"%.40s\" is no span", late);
    return ERR_OK;
}

static enum err op_remind_whom(struct op_call *call, struct op_remind_wish *wish)
{
    const char *who = op_text(call, "who");
    enum err err = ERR_OK;

    wish->tag = op_text(call, "tag");
    wish->circle = op_text(call, "circle");
    wish->text = op_text(call, "text");
    wish->has_who = who != NULL;
    if ((who != NULL) + (wish->tag != NULL) + (wish->circle != NULL) != 1)
        return op_fail(call, OP_USAGE, "kith remind joon --every 3m, or --tag choir, --circle work",
                       "say whom: one of WHO, --tag and --circle");
    if ((wish->tag != NULL && (wish->tag[0] == '\0' || strlen(wish->tag) > TEXT_SIZE_MAX)) ||
        (wish->text != NULL &&
         (strlen(wish->text) > TEXT_SIZE_MAX || !scan_is_utf8(span_str(wish->text)))))
        return op_fail(call, OP_USAGE, "make it shorter", "that text does not fit");
    if (who != NULL)
        err = name_find(call, who, &wish->who);
    if (err == ERR_OK && who != NULL && !wish->who.has_contact)
        return op_fail(call, OP_NOT_FOUND, "kith contact add NAME",
                       "%s is a peer without a contact of yours", wish->who.shown);
    if (wish->circle != NULL)
        err = op_circle_is(call, wish->circle);
    return err;
}

static void op_remind_write(struct amend *amend, const struct op_remind_wish *wish)
{
    if (wish->has_who)
        amend_bytes(amend, REMINDER_CONTACT, span_of(wish->who.contact.bytes, ID_SIZE));
    if (wish->tag != NULL)
        amend_text(amend, REMINDER_TAG, span_str(wish->tag));
    if (wish->circle != NULL)
        amend_text(amend, REMINDER_CIRCLE, span_str(wish->circle));
    if (wish->text != NULL)
        amend_text(amend, REMINDER_TEXT, span_str(wish->text));
    if (wish->every > 0)
        amend_number(amend, REMINDER_EVERY, wish->every);
    if (wish->on_ms > 0)
        amend_number(amend, REMINDER_ON, wish->on_ms);
    if (wish->late > 0)
        amend_number(amend, REMINDER_LATE, wish->late);
}

/* A repeated reminder about the same takes the place of the one before. */
struct op_remind_search {
    const struct op_remind_wish *wish;
    struct id found;
    bool is_found;
};

static enum err op_remind_on_same(void *self, uint32_t number, const struct object *reminder)
{
    struct op_remind_search *search = self;
    const struct op_remind_wish *wish = search->wish;
    struct span contact = object_value(reminder, REMINDER_CONTACT).bytes;
    bool is_same =
        (wish->has_who && span_is_equal(contact, span_of(wish->who.contact.bytes, ID_SIZE))) ||
        (wish->tag != NULL &&
         span_is_equal(object_text(reminder, REMINDER_TAG), span_str(wish->tag))) ||
        (wish->circle != NULL &&
         span_is_equal(object_text(reminder, REMINDER_CIRCLE), span_str(wish->circle)));

    (void)number;
    if (is_same && object_number(reminder, REMINDER_EVERY) > 0) {
        search->found = reminder->id;
        search->is_found = true;
    }
    return ERR_OK;
}

enum err op_remind(struct op_call *call)
{
    struct op_remind_wish wish = {0};
    struct op_remind_search search = {.wish = &wish};
    struct amend amend;
    struct id id;
    enum err err = op_remind_when(call, &wish);

    if (err == ERR_OK)
        err = op_remind_whom(call, &wish);
    if (err == ERR_OK && wish.every > 0)
        err = row_each(&call->snapshot, op_remind_self(call), KIND_REMINDER, op_remind_on_same,
                       &search);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the reminder could not be made");
    if (search.is_found)
        id = search.found;
    else
        id_draw(ledger_entropy(call->snapshot.ledger), call->now_ms, &id);
    amend_begin(&amend, call->txn, op_remind_self(call), KIND_REMINDER, &id);
    op_remind_write(&amend, &wish);
    err = amend_end(&amend, NULL);
    if (err == ERR_OK)
        err = op_remind_answer(call, &id);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the reminder could not be made");
}

/* Listing. */

struct op_remind_all {
    struct op_call *call;
    json_t *rows;
};

static enum err op_remind_on_row(void *self, uint32_t number, const struct object *reminder)
{
    struct op_remind_all *all = self;

    (void)number;
    if (object_number(reminder, REMINDER_EVERY) == 0 && object_number(reminder, REMINDER_DONE) > 0)
        return ERR_OK;
    return json_array_append_new(all->rows, op_remind_row(all->call, reminder)) == 0 ? ERR_OK
                                                                                     : ERR_NOMEM;
}

enum err op_remind_list(struct op_call *call)
{
    struct op_remind_all all = {.call = call, .rows = json_array()};
    enum err err =
        row_each(&call->snapshot, op_remind_self(call), KIND_REMINDER, op_remind_on_row, &all);

    call->result = json_pack("{s:o}", "reminders", all.rows);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the reminders could not be read");
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

/* One by its id, or the beginning of it. */

struct op_remind_one {
    const char *prefix;
    struct id found;
    size_t count;
};

static enum err op_remind_on_id(void *self, uint32_t number, const struct object *reminder)
{
    struct op_remind_one *one = self;
    char text[ID_TEXT_SIZE];

    (void)number;
    hex_write(span_of(reminder->id.bytes, ID_SIZE), text);
    if (strncasecmp(text, one->prefix, strlen(one->prefix)) == 0) {
        one->found = reminder->id;
        one->count++;
    }
    return ERR_OK;
}

static enum err op_remind_find(struct op_call *call, struct id *out)
{
    struct op_remind_one one = {.prefix = op_text(call, "id")};
    enum err err;

    if (one.prefix == NULL || strlen(one.prefix) < OP_REMIND_PREFIX_MIN)
        return op_fail(call, OP_USAGE, "kith reminder list",
                       "say which, by the beginning of its id");
    err = row_each(&call->snapshot, op_remind_self(call), KIND_REMINDER, op_remind_on_id, &one);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the reminders could not be read");
    if (one.count != 1)
        return op_fail(call, one.count == 0 ? OP_NOT_FOUND : OP_AMBIGUOUS, "kith reminder list",
                       one.count == 0 ? "there is no reminder %.40s"
                                      : "more than one reminder begins with %.40s",
                       one.prefix);
    *out = one.found;
    return ERR_OK;
}

static enum err op_remind_set(struct op_call *call, uint8_t field, uint64_t ms)
{
    struct amend amend;
    struct id id;
    enum err err = op_remind_find(call, &id);

    if (err != ERR_OK)
        return err;
    amend_begin(&amend, call->txn, op_remind_self(call), KIND_REMINDER, &id);
    if (field == 0)
        amend_delete_by_hand(&amend);
    else
        amend_number(&amend, field, ms);
    err = amend_end(&amend, NULL);
    if (err == ERR_OK && field == 0)
        call->result = json_pack("{s:b}", "removed", 1);
    else if (err == ERR_OK)
        err = op_remind_answer(call, &id);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the reminder could not be changed");
}

enum err op_remind_done(struct op_call *call)
{
    enum err err = op_remind_set(call, REMINDER_DONE, call->now_ms);

    if (err == ERR_OK)
        (void)json_object_set_new(call->result, "done", json_true()); /* Only said to people. */
    return err;
}

enum err op_remind_snooze(struct op_call *call)
{
    const char *span = op_text(call, "for");
    uint64_t days = 14;

    if (span != NULL && date_read_span(span, &days) != ERR_OK)
        return op_fail(call, OP_USAGE, "--for 2w", "\"%.40s\" is no span", span);
    return op_remind_set(call, REMINDER_SNOOZED, call->now_ms + days * DATE_DAY_MS);
}

enum err op_remind_remove(struct op_call *call)
{
    return op_remind_set(call, 0, 0);
}
