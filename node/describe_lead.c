/* A thread is read by its letters, a list by the first letters of threads. */
#include "node/describe_lead.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/carry.h"
#include "node/date.h"
#include "node/introduction.h"
#include "proto/answer.h"
#include "proto/contact.h"
#include "storage/row.h"

/* A list in the order of times that its rows show to the second only: when a letter came here and,
 * of those that came at once, when it was written. */
enum { DESCRIBE_LEAD_OPEN_DAYS = 14 };

struct describe_lead_row {
    json_t *row; /* ours */
    uint64_t came_ms, written_ms;
    size_t place; /* as it was found: what is the same in all else stays so */
};

struct describe_lead_rows {
    struct buf rows; /* of struct describe_lead_row */
};

static size_t describe_lead_count(const struct describe_lead_rows *rows)
{
    return rows->rows.size / sizeof(struct describe_lead_row);
}

static struct describe_lead_row *describe_lead_at(const struct describe_lead_rows *rows, size_t at)
{
    return (struct describe_lead_row *)(void *)rows->rows.data + at;
}

static enum err describe_lead_push(struct describe_lead_rows *rows, struct describe_lead_row row)
{
    row.place = describe_lead_count(rows);
    if (row.row != NULL)
        buf_append(&rows->rows, span_of(&row, sizeof row));
    if (row.row != NULL && buf_err(&rows->rows) == ERR_OK)
        return ERR_OK;
    json_decref(row.row);
    return ERR_NOMEM;
}

static int describe_lead_compare(uint64_t left, uint64_t right)
{
    return (left > right) - (left < right);
}

static int describe_lead_order(const void *left, const void *right)
{
    const struct describe_lead_row *one = left, *other = right;
    int order = describe_lead_compare(one->came_ms, other->came_ms);

    if (order == 0)
        order = describe_lead_compare(one->written_ms, other->written_ms);
    return order != 0 ? order : describe_lead_compare(one->place, other->place);
}

/* Takes the rows: a list of them in order, and when the newest came (may be NULL). NULL where err
 * says that they are not all there. */
static json_t *describe_lead_list_of(struct describe_lead_rows *rows, enum err err,
                                     uint64_t *out_newest_ms)
{
    size_t count = describe_lead_count(rows);
    json_t *list = json_array();

    if (count > 0)
        qsort(rows->rows.data, count, sizeof(struct describe_lead_row), describe_lead_order);
    if (out_newest_ms != NULL)
        *out_newest_ms = count > 0 ? describe_lead_at(rows, count - 1)->came_ms : 0;
    for (size_t at = 0; at < count; at++)
        if (json_array_append_new(list, describe_lead_at(rows, at)->row) != 0)
            err = ERR_NOMEM;
    buf_release(&rows->rows);
    if (err == ERR_OK)
        return list;
    json_decref(list);
    return NULL;
}

/* Letters. */

/* What a letter says, whoever wrote it. */
struct describe_lead_words {
    struct span text;
    uint64_t at_ms;
    bool is_yes;
};

static struct describe_lead_words describe_lead_words(const struct object *lead)
{
    struct span content = object_value(lead, LEAD_CONTENT).bytes;
    struct answer_letter answer;
    struct reply reply;

    if (reply_peek(content, &reply) == ERR_OK)
        return (struct describe_lead_words){reply.text, reply.at_ms, false};
    if (answer_peek(content, &answer) == ERR_OK)
        return (struct describe_lead_words){answer.text, answer.at_ms, answer.wants_introduction};
    return (struct describe_lead_words){.at_ms = 0};
}

static enum err describe_lead_on_letter(void *self, uint32_t number, const struct object *lead)
{
    struct describe_lead_words words = describe_lead_words(lead);
    uint64_t came_ms = object_number(lead, LEAD_AT);
    json_t *row;

    (void)number;
    row = json_pack("{s:b}", "mine", object_number(lead, LEAD_IS_MINE) != 0);
    describe_set_text(row, "text", words.text);
    if (words.is_yes)
        (void)json_object_set_new(row, "wants_introduction", json_true());
    describe_set_time(row, "at", came_ms);
    return describe_lead_push(self, (struct describe_lead_row){
                                        .row = row, .came_ms = came_ms, .written_ms = words.at_ms});
}

/* The letters of a thread, and when the newest came. NULL when they cannot be read. */
static json_t *describe_lead_letters(const struct snapshot *snapshot, const struct hash *first,
                                     uint64_t *out_newest_ms)
{
    struct describe_lead_rows rows = {0};
    enum err err = view_thread_letters(snapshot, first, describe_lead_on_letter, &rows);

    return describe_lead_list_of(&rows, err, out_newest_ms);
}

/* What waits. */

/* The newest letter is one of theirs, came after any thanks, and wants a word. After some days it
 * has had it in another way, or wants none. */
static bool describe_lead_is_open(const struct op_call *call, const struct thread *thread,
                                  uint64_t thanked_ms, json_t **out_newest)
{
    uint64_t newest_ms;
    json_t *letters = describe_lead_letters(&call->snapshot, &thread->first, &newest_ms),
           *newest = json_array_get(letters, json_array_size(letters) - 1);
    bool is_open = json_array_size(letters) > 1 && !json_is_true(json_object_get(newest, "mine")) &&
                   json_object_get(newest, "wants_introduction") == NULL &&
                   newest_ms > thanked_ms &&
                   call->now_ms < newest_ms + DESCRIBE_LEAD_OPEN_DAYS * DATE_DAY_MS;

    if (is_open && out_newest != NULL)
        *out_newest = json_incref(newest);
    json_decref(letters);
    return is_open;
}

enum describe_lead_waits describe_lead_waits(const struct op_call *call,
                                             const struct thread *thread, const struct object *lead,
                                             json_t **out_newest)
{
    bool is_asked = object_number(lead, LEAD_IS_ASKED) != 0;
    struct reply reply;

    if (out_newest != NULL)
        *out_newest = NULL;
    if (reply_peek(object_value(lead, LEAD_CONTENT).bytes, &reply) != ERR_OK || reply.has_first)
        return DESCRIBE_LEAD_WAITS_NOT;
    if (!is_asked && reply.about.offers_introduction && object_number(lead, LEAD_MEET) != 0 &&
        object_number(lead, LEAD_INTRODUCED) == 0)
        return DESCRIBE_LEAD_WAITS_INTRODUCTION;
    if (is_asked && reply.kind != REPLY_CHEER && thread->mine == 0 &&
        object_number(lead, LEAD_THANKED) == 0)
        return DESCRIBE_LEAD_WAITS_WORD;
    return thread->letters > 1 && describe_lead_is_open(
                                      call, thread, object_number(lead, LEAD_THANKED), out_newest)
               ? DESCRIBE_LEAD_WAITS_WORD
               : DESCRIBE_LEAD_WAITS_NOT;
}

static json_t *describe_lead_person(const struct op_call *call, struct span name,
                                    const struct object *lead)
{
    struct span proof = object_value(lead, LEAD_PROOF).bytes, body;
    json_t *person = json_object();
    char shown[INTRODUCTION_NAME_SIZE];
    struct public_key member;
    bool is_peer = false;

    describe_set_name(person, name);
    if (proof.size > 0 && statement_peek(proof, &member, &body) == ERR_OK) {
        struct peer peer;

        describe_set_did(person, "member", &member);
        if (view_peer(&call->snapshot, &member, &peer) == ERR_OK) {
            introduction_name(&call->snapshot, &member, shown);
            describe_set_name(person, span_str(shown));
            is_peer = peer.state == LINK_LINKED;
        }
        secret_wipe(&peer, sizeof peer);
    }
    (void)json_object_set_new(person, "peer", json_boolean(is_peer));
    return person;
}

static json_t *describe_lead_about(const struct reply_about *about)
{
    static const struct {
        uint8_t field;
        const char *key;
        bool is_list;
    } keys[] = {{CONTACT_ORG, "org", false},      {CONTACT_TITLE, "title", false},
                {CONTACT_PLACE, "place", false},  {CONTACT_EMAILS, "emails", true},
                {CONTACT_PHONES, "phones", true}, {CONTACT_URLS, "urls", true}};
    json_t *person = json_object();

    describe_set_name(person, about->name);
    for (size_t at = 0; at < about->facts_count; at++)
        for (size_t key = 0; key < sizeof keys / sizeof keys[0]; key++) {
            struct span value = about->facts[at].value;

            if (keys[key].field != about->facts[at].field)
                continue;
            if (!keys[key].is_list) {
                describe_set_text(person, keys[key].key, value);
                continue;
            }
            if (json_object_get(person, keys[key].key) == NULL)
                (void)json_object_set_new(person, keys[key].key, json_array());
            (void)json_array_append_new(json_object_get(person, keys[key].key),
                                        json_stringn((const char *)value.data, value.size));
        }
    return person;
}

static void describe_lead_ask(const struct op_call *call, const struct object *lead, json_t *into)
{
    struct span bytes = object_value(lead, LEAD_ASK).bytes;
    char title[CARRY_TITLE_SIZE];
    json_t *ask = json_object();
    struct id id;

    if (bytes.size == HASH_SIZE) {
        memcpy(id.bytes, bytes.data, ID_SIZE);
        describe_set_id(ask, "id", &id);
        carry_title(&call->snapshot, &id, title);
        describe_set_text(ask, "title", span_str(title));
    }
    (void)json_object_set_new(into, "ask", ask);
}

/* Of a reply of mine: did it leave here? */
static void describe_lead_state(const struct op_call *call, const struct object *lead, json_t *into)
{
    struct span letter = object_value(lead, LEAD_LETTER).bytes;
    struct reply_row row;
    struct hash id;

    if (letter.size != HASH_SIZE || object_number(lead, LEAD_IS_MINE) == 0)
        return;
    memcpy(id.bytes, letter.data, HASH_SIZE);
    if (view_reply(&call->snapshot, &id, &row) != ERR_OK)
        return;
    describe_set_text(into, "state", span_str(row.state == REPLY_HANDED ? "sent" : "waiting"));
    if (row.state == REPLY_HANDED) {
        char name[INTRODUCTION_NAME_SIZE];

        introduction_name(&call->snapshot, &row.to, name);
        describe_set_text(into, "through", span_str(name));
    }
}

static void describe_lead_through(const struct op_call *call, const struct object *lead,
                                  json_t *into)
{
    struct span bytes = object_value(lead, LEAD_THROUGH).bytes;
    char name[INTRODUCTION_NAME_SIZE];
    struct public_key member;

    if (bytes.size != 32)
        return;
    memcpy(member.bytes, bytes.data, 32);
    introduction_name(&call->snapshot, &member, name);
    describe_set_text(into, "through", span_str(name));
}

static void describe_lead_introduction(const struct object *lead, const struct reply *reply,
                                       json_t *into)
{
    if (!reply->about.offers_introduction)
        return;
    describe_set_text(into, "introduction",
                      span_str(object_number(lead, LEAD_INTRODUCED) != 0 ? "begun"
                               : object_number(lead, LEAD_MEET) != 0     ? "wanted"
                                                                         : "offered"));
}

static json_t *describe_lead_head(const struct op_call *call, const struct object *lead)
{
    bool is_asked = object_number(lead, LEAD_IS_ASKED) != 0;
    json_t *result;
    struct reply reply;

    if (reply_peek(object_value(lead, LEAD_CONTENT).bytes, &reply) != ERR_OK)
        return NULL;
    result = json_object();
    describe_set_id(result, "id", &lead->id);
    describe_set_text(result, "role", span_str(is_asked ? "asked" : "answered"));
    describe_set_text(result, "kind", span_str(reply_kind_name(reply.kind)));
    describe_lead_ask(call, lead, result);
    describe_set_text(result, "text", reply.text);
    if (reply.name.size > 0)
        (void)json_object_set_new(result, "from", describe_lead_person(call, reply.name, lead));
    describe_lead_through(call, lead, result);
    if (reply.about.name.size > 0)
        (void)json_object_set_new(result, "about", describe_lead_about(&reply.about));
    describe_lead_introduction(lead, &reply, result);
    describe_lead_state(call, lead, result);
    describe_set_time(result, "at", object_number(lead, LEAD_AT));
    describe_set_time(result, "thanked", object_number(lead, LEAD_THANKED));
    describe_set_text(result, "thanks", object_text(lead, LEAD_THANKS));
    return result;
}

json_t *describe_lead(const struct op_call *call, const struct object *lead)
{
    struct span thread = object_value(lead, LEAD_THREAD).bytes;
    json_t *result = describe_lead_head(call, lead), *letters = NULL;
    uint64_t newest_ms;
    struct hash first;

    if (thread.size == HASH_SIZE) {
        memcpy(first.bytes, thread.data, HASH_SIZE);
        letters = describe_lead_letters(&call->snapshot, &first, &newest_ms);
    }
    if (letters == NULL || result == NULL) {
        json_decref(letters);
        json_decref(result);
        return NULL;
    }
    (void)json_object_set_new(result, "letters",
                              json_integer((json_int_t)json_array_size(letters)));
    (void)json_object_set_new(result, "thread", letters);
    return result;
}

/* Lists. */

struct describe_lead_list {
    const struct op_call *call;
    struct describe_lead_rows rows;
};

static enum err describe_lead_add(struct describe_lead_list *list, const struct thread *thread,
                                  const struct object *lead)
{
    struct span ask = object_value(lead, LEAD_ASK).bytes;
    json_t *row, *newest;

    if (ask.size != HASH_SIZE)
        return ERR_OK;
    row = describe_lead_head(list->call, lead);
    if (row == NULL)
        return ERR_NOMEM;
    (void)json_object_set_new(row, "letters", json_integer(thread->letters));
    if (describe_lead_waits(list->call, thread, lead, &newest) != DESCRIBE_LEAD_WAITS_NOT)
        (void)json_object_set_new(row, "waiting_for_me", json_true());
    if (newest != NULL)
        (void)json_object_set_new(row, "newest", newest);
    /* The newest first: times count backwards. */
    return describe_lead_push(
        &list->rows, (struct describe_lead_row){
                         .row = row, .came_ms = UINT64_MAX - object_number(lead, LEAD_AT)});
}

static enum err describe_lead_on_thread(void *self, const struct thread *thread)
{
    struct describe_lead_list *list = self;
    struct object lead = {0};
    enum err err = view_thread_first(&list->call->snapshot, &thread->first, &lead);

    if (err == ERR_OK)
        err = describe_lead_add(list, thread, &lead);
    object_release(&lead);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

json_t *describe_leads(const struct op_call *call, const struct id *ask)
{
    struct describe_lead_list list = {.call = call};
    enum err err =
        ask != NULL
            ? view_thread_of_ask(&call->snapshot, ask, describe_lead_on_thread, &list)
            : view_thread_each(&call->snapshot, span_of(NULL, 0), describe_lead_on_thread, &list);

    return describe_lead_list_of(&list.rows, err, NULL);
}
