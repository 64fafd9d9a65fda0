/* One array; its texts and sets stand in the order of the two tables. */
#include "proto/share.h"

#include <string.h>

#include "crypto/digest.h"
#include "proto/contact.h"
#include "proto/wire.h"

enum { SHARE_FORM = 1, SHARE_ELEMENTS = 1 + SHARE_TEXTS + 1 + SHARE_SETS + 2 };

const uint8_t share_text_fields[SHARE_TEXTS] = {CONTACT_NAME, CONTACT_ORG, CONTACT_TITLE,
                                                CONTACT_PLACE};
const uint8_t share_set_fields[SHARE_SETS] = {CONTACT_EMAILS, CONTACT_PHONES, CONTACT_URLS,
                                              CONTACT_TAGS};

static const struct field share_fields[] = {
    {SHARE_BODY, "body", VALUE_BYTES, false, MATCH_EXACT, VALUE_SIZE_MAX},
};

static const struct field share_record_fields[] = {
    {SHARE_RECORD_MEMBER, "member", VALUE_BYTES, false, MATCH_EXACT, 32},
    {SHARE_RECORD_OBJECT, "object", VALUE_BYTES, false, MATCH_EXACT, ID_SIZE},
    {SHARE_RECORD_SEEN, "seen", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {SHARE_RECORD_DECISION, "decision", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {SHARE_RECORD_DECIDED, "decided", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {SHARE_RECORD_CONTACT, "contact", VALUE_BYTES, false, MATCH_EXACT, ID_SIZE},
    {SHARE_RECORD_BODY, "body", VALUE_BYTES, false, MATCH_EXACT, SHARE_SIZE_MAX},
    {SHARE_RECORD_WITHDRAWN, "withdrawn", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {SHARE_RECORD_NEWS, "news", VALUE_NUMBER, false, MATCH_EXACT, 0},
};

/* The body's own bound is share_read's, so that what breaks it is told and not passed over. */
const struct kind share_kind = {.number = KIND_SHARE,
                                .name = "share",
                                .spaces = 1u << SPACE_PAIR,
                                .fields = share_fields,
                                .fields_count = sizeof share_fields / sizeof share_fields[0]};
const struct kind share_record_kind = {.number = KIND_SHARE_RECORD,
                                       .name = "share record",
                                       .spaces = 1u << SPACE_SELF,
                                       .fields = share_record_fields,
                                       .fields_count = sizeof share_record_fields /
                                                       sizeof share_record_fields[0]};

/* Bounds. */

static bool share_is_plain(struct span text)
{
    for (size_t at = 0; at < text.size; at++)
        if (text.data[at] < ' ' || text.data[at] == 0x7f)
            return false;
    return true;
}

static enum share_fault share_check_set(const struct share_set *set)
{
    if (set->count > SHARE_VALUES_MAX)
        return SHARE_VALUES_MANY;
    for (size_t at = 0; at < set->count; at++) {
        if (set->values[at].size == 0 || set->values[at].size > SHARE_TEXT_SIZE_MAX)
            return SHARE_VALUE_BAD;
        if (!share_is_plain(set->values[at]))
            return SHARE_TEXT_BAD;
    }
    return SHARE_FINE;
}

/* PROTOCOL SHARE-2: "The name has 1 to NAME_SIZE_MAX bytes, each other text and value at most
 * SHARE_TEXT_SIZE_MAX, the line for the reader at most SHARE_WHY_SIZE_MAX; a set has at most
 * SHARE_VALUES_MAX values, none of them empty; no text holds a control byte." */
enum share_fault share_check(const struct share *share)
{
    enum share_fault fault = SHARE_FINE;

    if (share->texts[0].size == 0)
        return SHARE_NAMELESS;
    if (share->texts[0].size > NAME_SIZE_MAX)
        return SHARE_NAME_LONG;
    for (size_t at = 0; at < SHARE_TEXTS; at++) {
        if (share->texts[at].size > SHARE_TEXT_SIZE_MAX)
            return SHARE_TEXT_LONG;
        if (!share_is_plain(share->texts[at]))
            return SHARE_TEXT_BAD;
    }
    if (share->why.size > SHARE_WHY_SIZE_MAX)
        return SHARE_WHY_LONG;
    if (!share_is_plain(share->why))
        return SHARE_TEXT_BAD;
    for (size_t at = 0; at < SHARE_SETS && fault == SHARE_FINE; at++)
        fault = share_check_set(&share->sets[at]);
    return fault;
}

const char *share_fault_text(enum share_fault fault)
{
    switch (fault) {
    case SHARE_FINE:
        break;
    case SHARE_UNREADABLE:
        return "it cannot be read";
    case SHARE_NAMELESS:
        return "it has no name";
    case SHARE_NAME_LONG:
        return "its name is too long";
    case SHARE_TEXT_LONG:
        return "one of its texts is too long";
    case SHARE_VALUES_MANY:
        return "it has too many e-mails, phones, web addresses or tags";
    case SHARE_VALUE_BAD:
        return "one of its e-mails, phones, web addresses or tags is empty or too long";
    case SHARE_WHY_LONG:
        return "the line beside it is too long";
    case SHARE_TEXT_BAD:
        return "one of its texts holds a control byte";
    case SHARE_LARGE:
        return "it is too large";
    }
    return "";
}

/* Bytes. */

/* PROTOCOL SHARE-1: "There is no other place for what a contact has: notes, interactions, reminders
 * and circles do not travel." */
enum err share_write(const struct share *share, struct buf *out, enum share_fault *out_fault)
{
    size_t before = out->size;

    *out_fault = share_check(share);
    if (*out_fault != SHARE_FINE)
        return ERR_INVALID;
    wire_put_array(out, SHARE_ELEMENTS);
    wire_put_uint(out, SHARE_FORM);
    for (size_t at = 0; at < SHARE_TEXTS; at++)
        wire_put_str(out, share->texts[at]);
    wire_put_bool(out, share->is_org);
    for (size_t at = 0; at < SHARE_SETS; at++) {
        wire_put_array(out, share->sets[at].count);
        for (size_t value = 0; value < share->sets[at].count; value++)
            wire_put_str(out, share->sets[at].values[value]);
    }
    wire_put_str(out, share->why);
    wire_put_uint(out, share->shared_s);
    if (buf_err(out) == ERR_OK && out->size - before > SHARE_SIZE_MAX) {
        *out_fault = SHARE_LARGE;
        return ERR_INVALID;
    }
    return buf_err(out);
}

static void share_read_set(struct wire *wire, struct share_set *out, enum share_fault *fault)
{
    struct wire list = wire_array(wire, 0, SHARE_SIZE_MAX);

    if (list.left > SHARE_VALUES_MAX) {
        *fault = SHARE_VALUES_MANY;
        wire_fail(wire);
        return;
    }
    out->count = list.left;
    for (size_t at = 0; at < out->count; at++)
        out->values[at] = wire_str(&list, SHARE_SIZE_MAX);
}

enum err share_read(struct span body, struct share *out, enum share_fault *out_fault)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = body.size <= SHARE_SIZE_MAX ? wire_open(&doc, body, &wire) : ERR_MALFORMED;

    *out = (struct share){0};
    *out_fault = body.size <= SHARE_SIZE_MAX ? SHARE_UNREADABLE : SHARE_LARGE;
    if (err == ERR_OK) {
        if (wire_uint(&wire, UINT8_MAX) != SHARE_FORM)
            wire_fail(&wire);
        for (size_t at = 0; at < SHARE_TEXTS; at++)
            out->texts[at] = wire_str(&wire, SHARE_SIZE_MAX);
        out->is_org = wire_bool(&wire);
        for (size_t at = 0; at < SHARE_SETS && wire_err(&doc) == ERR_OK; at++)
            share_read_set(&wire, &out->sets[at], out_fault);
        out->why = wire_str(&wire, SHARE_SIZE_MAX);
        out->shared_s = wire_uint(&wire, TIME_MAX_MS / 1000);
        wire_end(&wire);
        err = wire_err(&doc);
    }
    if (err == ERR_OK) {
        *out_fault = share_check(out);
        err = *out_fault == SHARE_FINE ? ERR_OK : ERR_MALFORMED;
    }
    wire_release(&doc);
    return err;
}

bool share_is_equal(const struct share *left, const struct share *right)
{
    for (size_t at = 0; at < SHARE_TEXTS; at++)
        if (!span_is_equal(left->texts[at], right->texts[at]))
            return false;
    for (size_t at = 0; at < SHARE_SETS; at++) {
        if (left->sets[at].count != right->sets[at].count)
            return false;
        for (size_t value = 0; value < left->sets[at].count; value++)
            if (!span_is_equal(left->sets[at].values[value], right->sets[at].values[value]))
                return false;
    }
    return left->is_org == right->is_org;
}

/* Names. */

/* PROTOCOL SHARE-3: "Its id is the first 16 bytes of HASH(`kith share`, pair space | contact's id),
 * so that all devices of the writer replace one another's, and two readers cannot compare theirs."
 */
void share_id(const struct id *pair_space, const struct id *contact, struct id *out)
{
    struct span parts[] = {span_of(pair_space->bytes, ID_SIZE), span_of(contact->bytes, ID_SIZE)};
    struct hash hash;

    digest("kith share", parts, sizeof parts / sizeof parts[0], &hash);
    memcpy(out->bytes, hash.bytes, ID_SIZE);
}

void share_record_id(const struct public_key *writer, const struct id *share, struct id *out)
{
    struct span parts[] = {span_of(writer->bytes, 32), span_of(share->bytes, ID_SIZE)};
    struct hash hash;

    digest("kith share kept", parts, sizeof parts / sizeof parts[0], &hash);
    memcpy(out->bytes, hash.bytes, ID_SIZE);
}
