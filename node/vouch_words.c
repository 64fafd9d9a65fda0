/* Names and phrases. */
#include "node/vouch_words.h"

#include <stdio.h>
#include <string.h>

#include "node/describe.h"
#include "proto/scan.h"
#include "storage/endorsement_table.h"
#include "storage/fold.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_same.h"

enum { VOUCH_NAME_MAX = 80, VOUCH_DID_SHOWN = 20 };

/* Cut at a character; a name with nothing to see in it is none. */
static void vouch_put_cut(struct span name, struct buf *out)
{
    size_t size = name.size;

    if (!fold_is_seen(name))
        return;
    if (size > VOUCH_NAME_MAX)
        for (size = VOUCH_NAME_MAX; size > 0 && !scan_is_utf8(span_of(name.data, size));)
            size--;
    buf_append(out, span_of(name.data, size));
}

struct vouch_naming {
    const struct op_call *call;
    struct buf *out;
};

static enum err vouch_name_contact(void *self, uint32_t number, const struct object *contact)
{
    struct vouch_naming *naming = self;
    struct object shown;
    uint32_t head;
    enum err err = view_same_read(&naming->call->snapshot, number, &shown, &head);

    (void)contact;
    if (err != ERR_OK)
        return err;
    vouch_put_cut(view_contact_shown(&shown), naming->out);
    object_release(&shown);
    return naming->out->size > 0 ? ERR_CANCELLED : ERR_OK;
}

static enum err vouch_name_row(void *self, const struct endorsement_row *row)
{
    struct vouch_naming *naming = self;
    struct endorsement record;
    struct object object = {0};
    uint32_t space;
    enum err err = row_load(&naming->call->snapshot, row->number, &object, &space);

    if (err == ERR_OK)
        err = endorsement_read(object_value(&object, ENDORSEMENT_STATEMENT).bytes, &record);
    if (err == ERR_OK)
        vouch_put_cut(record.name, naming->out);
    object_release(&object);
    return err == ERR_OK ? ERR_CANCELLED : err;
}

static enum err vouch_name_place(void *self, const struct endorsement_place *place)
{
    struct vouch_naming *naming = self;

    return endorsement_table_one(&naming->call->snapshot, &place->subject, place->issued_s,
                                 &place->object, vouch_name_row, naming);
}

/* What somebody signs with: looked up once. */
static enum err vouch_find_signed(struct vouch_view *view, const struct public_key *member,
                                  struct buf *out)
{
    struct vouch_naming naming = {.call = view->call, .out = out};
    struct span kept;
    uint32_t person;
    bool is_person = vouch_person(view, member, &person);
    enum err err;

    if (is_person && vouch_name(view, person, &kept)) {
        buf_append(out, kept);
        return buf_err(out);
    }
    err = endorsement_table_by(&view->call->snapshot, member, vouch_name_place, &naming);
    if (err == ERR_OK || err == ERR_CANCELLED)
        return is_person ? vouch_keep_name(view, person, buf_span(out)) : buf_err(out);
    return err == ERR_FORGED || err == ERR_MALFORMED ? ERR_CORRUPT : err;
}

/* Whoever knows a name; out stays empty when nobody does. */
static enum err vouch_find_name(struct vouch_view *view, const struct public_key *member,
                                struct buf *out)
{
    const struct closeness_row *row = closeness_of(&view->near, member);
    struct vouch_naming naming = {.call = view->call, .out = out};
    enum err err = ERR_OK;

    if (row != NULL)
        vouch_put_cut(span_str(row->name), out);
    if (out->size == 0)
        err = view_contact_match(&view->call->snapshot, MATCH_BY_MEMBER,
                                 span_of(member->bytes, sizeof member->bytes), vouch_name_contact,
                                 &naming);
    if (err == ERR_CANCELLED)
        err = ERR_OK;
    return err == ERR_OK && out->size == 0 ? vouch_find_signed(view, member, out) : err;
}

enum err vouch_put_name(struct vouch_view *view, const struct public_key *member, struct buf *out)
{
    struct buf name = {0};
    char did[DID_SIZE];
    enum err err = vouch_find_name(view, member, &name);

    if (err == ERR_OK && name.size > 0) {
        buf_append(out, buf_span(&name));
    } else if (err == ERR_OK) {
        identity_did(member, did);
        buf_append(out, span_of(did, VOUCH_DID_SHOWN));
        buf_append(out, span_str("…"));
    }
    buf_release(&name);
    return err == ERR_OK ? buf_err(out) : err;
}

json_t *vouch_describe(struct vouch_view *view, const struct public_key *member)
{
    json_t *out = json_object();
    struct buf name = {0};

    describe_set_did(out, "member", member);
    if (vouch_find_name(view, member, &name) == ERR_OK)
        describe_set_name(out, buf_span(&name));
    buf_release(&name);
    return out;
}

const char *vouch_relation(enum relation relation, bool is_plural)
{
    switch (relation) {
    case RELATION_WORKED_WITH:
        return is_plural ? "have worked with" : "has worked with";
    case RELATION_MANAGED:
        return is_plural ? "have managed" : "has managed";
    case RELATION_WAS_MANAGED_BY:
        return is_plural ? "were managed by" : "was managed by";
    case RELATION_CLIENT:
        return is_plural ? "were clients of" : "was a client of";
    case RELATION_TAUGHT:
        return is_plural ? "have taught" : "has taught";
    case RELATION_STUDIED:
        return is_plural ? "have studied with" : "has studied with";
    case RELATION_VOLUNTEERED:
        return is_plural ? "have volunteered with" : "has volunteered with";
    case RELATION_KNOW_PERSONALLY:
        break;
    }
    return is_plural ? "know" : "knows";
}

const char *vouch_relation_end(enum relation relation)
{
    return relation == RELATION_KNOW_PERSONALLY ? " personally" : "";
}

void vouch_put_number(size_t number, struct buf *out)
{
    static const char *const words[] = {"no",    "one",   "two",  "three", "four",   "five",  "six",
                                        "seven", "eight", "nine", "ten",   "eleven", "twelve"};
    char digits[24];

    if (number < sizeof words / sizeof words[0]) {
        buf_append(out, span_str(words[number]));
        return;
    }
    (void)snprintf(digits, sizeof digits, "%zu", number);
    buf_append(out, span_str(digits));
}

void vouch_put_comma(size_t at, size_t count, struct buf *out)
{
    if (at > 0)
        buf_append(out, span_str(at + 1 == count ? " and " : ", "));
}
