/* The codec of replies, outside and inside. */
#include "proto/reply.h"

#include <string.h>

#include "crypto/secret.h"
#include "proto/contact.h"
#include "proto/limits.h"

enum { REPLY_FORM = 1, REPLY_ELEMENTS = 10 };

/* Kinds. */

#define REPLY_COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

static const struct field reply_fields[] = {
    {KIND_STATEMENT_FIELD, "carried", VALUE_BYTES, false, MATCH_EXACT, REPLY_SIZE_MAX},
};
static const struct field lead_fields[] = {
    {LEAD_ASK, "ask", VALUE_BYTES, false, MATCH_EXACT, HASH_SIZE},
    {LEAD_THREAD, "thread", VALUE_BYTES, false, MATCH_EXACT, HASH_SIZE},
    {LEAD_LETTER, "letter", VALUE_BYTES, false, MATCH_EXACT, HASH_SIZE},
    {LEAD_IS_MINE, "is_mine", VALUE_NUMBER, false, MATCH_EXACT, 1},
    {LEAD_IS_ASKED, "is_asked", VALUE_NUMBER, false, MATCH_EXACT, 1},
    {LEAD_CONTENT, "content", VALUE_BYTES, false, MATCH_EXACT, LETTER_SIZE_MAX},
    {LEAD_PROOF, "proof", VALUE_BYTES, false, MATCH_EXACT, IDENTITY_SIZE_MAX + 256},
    {LEAD_THROUGH, "through", VALUE_BYTES, false, MATCH_EXACT, 32},
    {LEAD_AT, "at", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {LEAD_SECRET, "secret", VALUE_BYTES, false, MATCH_EXACT, KEY_SIZE},
    {LEAD_SEALED, "sealed", VALUE_BYTES, false, MATCH_EXACT, LETTER_SIZE_MAX},
    {LEAD_EXPIRES, "expires", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {LEAD_THANKED, "thanked", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {LEAD_THANKS, "thanks", VALUE_TEXT, false, MATCH_EXACT, THANKS_LINE_SIZE_MAX},
    {LEAD_MEET, "meet", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {LEAD_INTRODUCED, "introduced", VALUE_NUMBER, false, MATCH_EXACT, 0},
};

const struct kind reply_kind = {.number = KIND_REPLY,
                                .name = "reply",
                                .spaces = 1u << SPACE_PAIR,
                                .is_statement = true,
                                .fields = reply_fields,
                                .fields_count = REPLY_COUNT(reply_fields)};
const struct kind lead_kind = {.number = KIND_LEAD,
                               .name = "lead",
                               .spaces = 1u << SPACE_SELF,
                               .is_secret = true,
                               .fields = lead_fields,
                               .fields_count = REPLY_COUNT(lead_fields)};

const char *reply_kind_name(uint64_t kind)
{
    static const char *const names[] = {"lead", "offer-help", "cheer", "message"};

    return kind >= REPLY_LEAD && kind <= REPLY_MESSAGE ? names[kind - REPLY_LEAD] : NULL;
}

/* PROTOCOL REPLY-2: "The Ed25519 key from KDF(them, `kith thread sign`) is the writer's key of
 * every letter of theirs in it, the X25519 key from KDF(them, `kith thread box`) the one that
 * answers are sealed for." */
void reply_keys(const uint8_t secret[static KEY_SIZE], struct signing_key *out_thread,
                struct exchange_key *out_box)
{
    uint8_t seed[SEED_SIZE];

    digest_derive(secret, "kith thread sign", span_of(NULL, 0), seed);
    identity_signing_key(seed, out_thread);
    digest_derive(secret, "kith thread box", span_of(NULL, 0), seed);
    identity_exchange_key(seed, out_box);
    secret_wipe(seed, sizeof seed);
}

/* Inside. */

static void reply_put_about(const struct reply_about *about, struct buf *out)
{
    if (about->name.size == 0) {
        wire_put_nil(out);
        return;
    }
    wire_put_array(out, 3);
    wire_put_str(out, about->name);
    wire_put_array(out, about->facts_count);
    for (size_t at = 0; at < about->facts_count; at++) {
        wire_put_array(out, 2);
        wire_put_uint(out, about->facts[at].field);
        wire_put_str(out, about->facts[at].value);
    }
    wire_put_bool(out, about->offers_introduction);
}

static bool reply_may_tell(uint8_t field)
{
    switch (field) {
    case CONTACT_ORG:
    case CONTACT_TITLE:
    case CONTACT_PLACE:
    case CONTACT_EMAILS:
    case CONTACT_PHONES:
    case CONTACT_URLS:
        return true;
    default:
        return false;
    }
}

static void reply_take_about(struct wire *wire, struct reply_about *out)
{
    struct wire about, facts;

    if (wire_is_nil(wire))
        return;
    about = wire_array(wire, 3, 3);
    out->name = wire_str(&about, NAME_SIZE_MAX);
    facts = wire_array(&about, 0, REPLY_FACTS_MAX);
    while (facts.left > 0 && wire_err(facts.doc) == ERR_OK) {
        struct wire fact = wire_array(&facts, 2, 2);
        struct reply_fact *into = &out->facts[out->facts_count++];

        into->field = (uint8_t)wire_uint(&fact, UINT8_MAX);
        into->value = wire_str(&fact, REPLY_FACT_SIZE_MAX);
        if (into->value.size == 0 || !reply_may_tell(into->field))
            wire_fail(&fact);
    }
    out->offers_introduction = wire_bool(&about);
    if (out->name.size == 0)
        wire_fail(wire);
}

/* PROTOCOL REPLY-3: "A message names the letter that began its thread, and nobody; nothing else
 * names one. Only who gives their name offers to introduce." */
static bool reply_is_sound(const struct reply *reply)
{
    bool is_message = reply->kind == REPLY_MESSAGE;

    return reply_kind_name(reply->kind) != NULL && reply->text.size > 0 &&
           is_message == reply->has_first && !(is_message && reply->about.name.size > 0) &&
           !(reply->about.offers_introduction && reply->name.size == 0);
}

static void reply_take(struct wire *wire, struct reply *out)
{
    struct span first;

    if (wire_uint(wire, REPLY_FORM) != REPLY_FORM)
        wire_fail(wire);
    wire_bytes(wire, out->ask.bytes, HASH_SIZE);
    out->kind = (enum reply_kind)wire_uint(wire, REPLY_MESSAGE);
    out->at_ms = wire_uint(wire, TIME_MAX_MS);
    wire_bytes(wire, out->thread.bytes, 32);
    wire_bytes(wire, out->box, KEY_SIZE);
    first = wire_bin(wire, 0, HASH_SIZE);
    out->has_first = first.size == HASH_SIZE;
    if (out->has_first)
        memcpy(out->first.bytes, first.data, HASH_SIZE);
    else if (first.size != 0)
        wire_fail(wire);
    out->text = wire_str(wire, REPLY_TEXT_SIZE_MAX);
    out->name = wire_str(wire, NAME_SIZE_MAX);
    reply_take_about(wire, &out->about);
    wire_end(wire);
    if (!reply_is_sound(out))
        wire_fail(wire);
}

enum err reply_peek(struct span content, struct reply *out)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = wire_open(&doc, content, &wire);

    *out = (struct reply){.kind = REPLY_LEAD};
    if (err == ERR_OK) {
        reply_take(&wire, out);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    return err;
}

enum err reply_write(const struct reply *reply, struct buf *out)
{
    struct reply again;
    struct buf content = {0};
    enum err err;

    if (reply->about.facts_count > REPLY_FACTS_MAX)
        return ERR_LIMIT;
    wire_put_array(&content, REPLY_ELEMENTS);
    wire_put_uint(&content, REPLY_FORM);
    wire_put_bin(&content, span_of(reply->ask.bytes, HASH_SIZE));
    wire_put_uint(&content, reply->kind);
    wire_put_uint(&content, reply->at_ms);
    wire_put_bin(&content, span_of(reply->thread.bytes, 32));
    wire_put_bin(&content, span_of(reply->box, KEY_SIZE));
    wire_put_bin(&content, span_of(reply->first.bytes, reply->has_first ? HASH_SIZE : 0));
    wire_put_str(&content, reply->text);
    wire_put_str(&content, reply->name);
    reply_put_about(&reply->about, &content);
    err = buf_err(&content);
    if (err == ERR_OK) {
        err = reply_peek(buf_span(&content), &again);
        err = err == ERR_MALFORMED ? ERR_LIMIT : err; /* Nobody would read it. */
    }
    if (err == ERR_OK) {
        buf_append(out, buf_span(&content));
        err = buf_err(out);
    }
    buf_release(&content);
    return err;
}

/* PROTOCOL REPLY-4: "It counts when its content names this ask, its thread key signed the content,
 * and a name goes with a proof." */
enum err reply_open(const struct exchange_key *key, const struct hash *ask, struct span bytes,
                    struct buf *plain, struct reply *out, struct letter *out_letter,
                    bool *out_has_member, struct public_key *out_member)
{
    enum err err = letter_open(key, bytes, plain, out_letter);

    if (err == ERR_OK)
        err = reply_peek(out_letter->content, out);
    if (err == ERR_OK &&
        !span_is_equal(span_of(out->ask.bytes, HASH_SIZE), span_of(ask->bytes, HASH_SIZE)))
        err = ERR_FORGED;
    if (err == ERR_OK)
        err = letter_verify(out_letter, &out->thread, out_has_member, out_member);
    if (err == ERR_OK && *out_has_member != (out->name.size > 0))
        err = ERR_FORGED;
    return err;
}

/* Outside. */

void reply_carry(const struct reply_carried *carried, struct buf *out)
{
    wire_put_array(out, 2);
    wire_put_bin(out, span_of(carried->grant.bytes, 32));
    wire_put_bin(out, carried->letter);
}

/* PROTOCOL REPLY-1: "the body is [grant 32, letter]" */
enum err reply_read_carried(struct span bytes, struct reply_carried *out)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = wire_open(&doc, bytes, &wire);

    if (err == ERR_OK) {
        wire_bytes(&wire, out->grant.bytes, 32);
        out->letter = wire_bin(&wire, LETTER_SIZE_MIN, LETTER_SIZE_MAX);
        wire_end(&wire);
        if (!letter_is_size(out->letter.size))
            wire_fail(&wire);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    return err;
}

void reply_object_id(const struct hash *letter, struct id *out)
{
    memcpy(out->bytes, letter->bytes, ID_SIZE);
}
