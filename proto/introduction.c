/* The codec of what is said in an introduction, one writer and one reader a type. */
#include "proto/introduction.h"

#include <string.h>

#include "proto/limits.h"

static const char introduction_label[] = "kith intro";
static const char introduction_key_label[] = "kith intro key";

enum { INTRODUCTION_KEY_FORM = 1, INTRODUCTION_KEY_SIZE_MAX = 256 };

/* Kinds. */

#define INTRODUCTION_COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))
#define INTRODUCTION_BYTES(number, name, size)                                                     \
    {                                                                                              \
        number, name, VALUE_BYTES, false, MATCH_EXACT, size                                        \
    }
#define INTRODUCTION_NUMBER(number, name, max)                                                     \
    {                                                                                              \
        number, name, VALUE_NUMBER, false, MATCH_EXACT, max                                        \
    }
#define INTRODUCTION_TEXT(number, name, size)                                                      \
    {                                                                                              \
        number, name, VALUE_TEXT, false, MATCH_EXACT, size                                         \
    }

static const struct field introduction_fields[] = {
    INTRODUCTION_BYTES(KIND_STATEMENT_FIELD, "statement", INTRODUCTION_SIZE_MAX),
};
static const struct field introduction_record_fields[] = {
    INTRODUCTION_BYTES(RECORD_INTRODUCER, "introducer", 32),
    INTRODUCTION_BYTES(RECORD_ID, "id", ID_SIZE),
    INTRODUCTION_BYTES(RECORD_A, "a", 32),
    INTRODUCTION_BYTES(RECORD_B, "b", 32),
    INTRODUCTION_TEXT(RECORD_WHY, "why", INTRODUCTION_WHY_SIZE_MAX),
    INTRODUCTION_TEXT(RECORD_TO_A, "to_a", INTRODUCTION_WHY_SIZE_MAX),
    INTRODUCTION_TEXT(RECORD_TO_B, "to_b", INTRODUCTION_WHY_SIZE_MAX),
    INTRODUCTION_NUMBER(RECORD_FIRST, "first", 2),
    INTRODUCTION_NUMBER(RECORD_IS_BLIND, "is_blind", 1),
    INTRODUCTION_NUMBER(RECORD_ISSUED, "issued", 0),
    INTRODUCTION_NUMBER(RECORD_EXPIRES, "expires", 0),
    INTRODUCTION_BYTES(RECORD_SALT_A, "salt_a", ID_SIZE),
    INTRODUCTION_BYTES(RECORD_SALT_B, "salt_b", ID_SIZE),
    INTRODUCTION_BYTES(RECORD_WANT_A, "want_a", ID_SIZE),
    INTRODUCTION_BYTES(RECORD_WANT_B, "want_b", ID_SIZE),
    INTRODUCTION_NUMBER(RECORD_ENDED, "ended", INTRODUCTION_ENDED_GONE),
    INTRODUCTION_TEXT(RECORD_MESSAGE, "message", INTRODUCTION_MESSAGE_SIZE_MAX),
    INTRODUCTION_BYTES(RECORD_PAIR, "pair", ID_SIZE),
    INTRODUCTION_NUMBER(RECORD_CONFIRMED, "confirmed", 1),
    INTRODUCTION_NUMBER(RECORD_DROPPED, "dropped", 1),
    INTRODUCTION_NUMBER(RECORD_QUIET, "quiet", 1),
    INTRODUCTION_TEXT(RECORD_HEARD, "heard", INTRODUCTION_MESSAGE_SIZE_MAX),
    INTRODUCTION_NUMBER(RECORD_MET, "met", 1),
};
static const struct field introduction_key_fields[] = {
    INTRODUCTION_BYTES(INTRODUCTION_KEY_SECRET, "secret", KEY_SIZE),
    INTRODUCTION_NUMBER(INTRODUCTION_KEY_CREATED, "created", 0),
    INTRODUCTION_BYTES(INTRODUCTION_KEY_STATEMENT, "statement", INTRODUCTION_KEY_SIZE_MAX),
};
static const struct field introduction_mute_fields[] = {
    INTRODUCTION_BYTES(INTRODUCTION_MUTE_MEMBER, "member", 32),
    INTRODUCTION_NUMBER(INTRODUCTION_MUTE_UNTIL, "until", 0),
};

#define INTRODUCTION_SELF_KIND(kind_number, kind_name, kind_fields)                                \
    {                                                                                              \
        .number = kind_number, .name = kind_name, .spaces = 1u << SPACE_SELF, .is_secret = true,   \
        .fields = kind_fields, .fields_count = INTRODUCTION_COUNT(kind_fields)                     \
    }

const struct kind introduction_kind = {.number = KIND_INTRODUCTION,
                                       .name = "introduction",
                                       .spaces = 1u << SPACE_PAIR,
                                       .is_statement = true,
                                       .fields = introduction_fields,
                                       .fields_count = INTRODUCTION_COUNT(introduction_fields)};
const struct kind introduction_record_kind = INTRODUCTION_SELF_KIND(
    KIND_INTRODUCTION_RECORD, "introduction_record", introduction_record_fields);
const struct kind introduction_key_kind =
    INTRODUCTION_SELF_KIND(KIND_INTRODUCTION_KEY, "introduction_key", introduction_key_fields);
const struct kind introduction_mute_kind =
    INTRODUCTION_SELF_KIND(KIND_INTRODUCTION_MUTE, "introduction_mute", introduction_mute_fields);

/* Writing. */

static size_t introduction_elements(enum introduction_type type)
{
    switch (type) {
    case INTRODUCTION_WANT:
        return 9;
    case INTRODUCTION_OFFER:
        return 11;
    case INTRODUCTION_YES:
        return 6;
    case INTRODUCTION_RELEASE:
        return 8;
    case INTRODUCTION_NO:
    case INTRODUCTION_HELLO:
    case INTRODUCTION_RELAY:
        return 4;
    case INTRODUCTION_THANKS:
        return 5;
    case INTRODUCTION_RETRACT:
    case INTRODUCTION_KNOWN:
    case INTRODUCTION_WITHDRAW:
        break;
    }
    return 3;
}

static void introduction_put_hash(const struct hash *hash, struct buf *out)
{
    wire_put_bin(out, span_of(hash->bytes, HASH_SIZE));
}

static void introduction_put_id(bool has_it, const struct id *id, struct buf *out)
{
    wire_put_bin(out, span_of(id->bytes, has_it ? ID_SIZE : 0));
}

static void introduction_put_want(const struct introduction_want *want, struct buf *out)
{
    wire_put_uint(out, want->expires_ms);
    wire_put_bin(out, span_of(want->target.bytes, want->has_target ? 32 : 0));
    wire_put_str(out, want->words);
    wire_put_str(out, want->blurb);
    wire_put_str(out, want->note);
    wire_put_bool(out, want->is_auto);
}

static void introduction_put_offer(const struct introduction_offer *offer, struct buf *out)
{
    wire_put_uint(out, offer->issued_ms);
    wire_put_uint(out, offer->expires_ms);
    wire_put_bool(out, offer->is_blind);
    introduction_put_hash(&offer->tag, out);
    wire_put_str(out, offer->name);
    wire_put_str(out, offer->line);
    wire_put_str(out, offer->why);
    introduction_put_id(offer->has_want, &offer->want, out);
}

static void introduction_put_release(const struct introduction_release *release, struct buf *out)
{
    wire_put_bin(out, release->other);
    introduction_put_hash(&release->yes, out);
    introduction_put_hash(&release->offer, out);
    introduction_put_hash(&release->other_offer, out);
    introduction_put_id(release->has_salt, &release->salt, out);
}

static void introduction_put(const struct introduction_message *message, struct buf *out)
{
    wire_put_array(out, introduction_elements(message->type));
    wire_put_uint(out, message->type);
    wire_put_bin(out, span_of(message->id.bytes, ID_SIZE));
    wire_put_bin(out, span_of(message->to.bytes, 32));
    switch (message->type) {
    case INTRODUCTION_WANT:
        introduction_put_want(&message->want, out);
        break;
    case INTRODUCTION_OFFER:
        introduction_put_offer(&message->offer, out);
        break;
    case INTRODUCTION_YES:
        introduction_put_hash(&message->yes.offer, out);
        wire_put_bin(out, message->yes.key);
        wire_put_bin(out, span_of(message->yes.ephemeral, 32));
        break;
    case INTRODUCTION_NO:
        introduction_put_hash(&message->no, out);
        break;
    case INTRODUCTION_RELEASE:
        introduction_put_release(&message->release, out);
        break;
    case INTRODUCTION_HELLO:
    case INTRODUCTION_RELAY:
        wire_put_bin(out, message->sealed);
        break;
    case INTRODUCTION_THANKS:
        wire_put_str(out, message->thanks.line);
        wire_put_uint(out, message->thanks.outcome);
        break;
    case INTRODUCTION_RETRACT:
    case INTRODUCTION_KNOWN:
    case INTRODUCTION_WITHDRAW:
        break;
    }
}

/* Reading. */

static void introduction_take_hash(struct wire *wire, struct hash *out)
{
    wire_bytes(wire, out->bytes, HASH_SIZE);
}

static bool introduction_take_id(struct wire *wire, struct id *out)
{
    struct span bytes = wire_bin(wire, 0, ID_SIZE);

    if (bytes.size == ID_SIZE)
        memcpy(out->bytes, bytes.data, ID_SIZE);
    else if (bytes.size != 0)
        wire_fail(wire);
    return bytes.size == ID_SIZE;
}

static void introduction_take_want(struct wire *wire, struct introduction_want *out)
{
    struct span target;

    out->expires_ms = wire_uint(wire, TIME_MAX_MS);
    target = wire_bin(wire, 0, 32);
    out->has_target = target.size == 32;
    if (out->has_target)
        memcpy(out->target.bytes, target.data, 32);
    else if (target.size != 0)
        wire_fail(wire);
    out->words = wire_str(wire, INTRODUCTION_WORDS_SIZE_MAX);
    out->blurb = wire_str(wire, INTRODUCTION_WHY_SIZE_MAX);
    out->note = wire_str(wire, INTRODUCTION_WHY_SIZE_MAX);
    out->is_auto = wire_bool(wire);
    if (out->has_target == (out->words.size > 0))
        wire_fail(wire);
}

/* PROTOCOL INTRO-5: "An offer lives 3 to 60 days from its issue." */
static void introduction_take_offer(struct wire *wire, struct introduction_offer *out)
{
    uint64_t life_ms;

    out->issued_ms = wire_uint(wire, TIME_MAX_MS);
    out->expires_ms = wire_uint(wire, TIME_MAX_MS);
    out->is_blind = wire_bool(wire);
    introduction_take_hash(wire, &out->tag);
    out->name = wire_str(wire, NAME_SIZE_MAX);
    out->line = wire_str(wire, INTRODUCTION_LINE_SIZE_MAX);
    out->why = wire_str(wire, INTRODUCTION_WHY_SIZE_MAX);
    out->has_want = introduction_take_id(wire, &out->want);
    life_ms = out->expires_ms > out->issued_ms ? out->expires_ms - out->issued_ms : 0;
    if (life_ms < INTRODUCTION_DAYS_MIN * MS_PER_DAY || (out->is_blind && out->name.size > 0))
        wire_fail(wire);
}

static void introduction_take_release(struct wire *wire, struct introduction_release *out)
{
    out->other = wire_bin(wire, 1, INTRODUCTION_YES_SIZE_MAX);
    introduction_take_hash(wire, &out->yes);
    introduction_take_hash(wire, &out->offer);
    introduction_take_hash(wire, &out->other_offer);
    out->has_salt = introduction_take_id(wire, &out->salt);
}

static void introduction_take(struct wire *wire, struct introduction_message *out)
{
    out->type = (enum introduction_type)wire_uint(wire, INTRODUCTION_THANKS);
    wire_bytes(wire, out->id.bytes, ID_SIZE);
    wire_bytes(wire, out->to.bytes, 32);
    switch (out->type) {
    case INTRODUCTION_WANT:
        introduction_take_want(wire, &out->want);
        break;
    case INTRODUCTION_OFFER:
        introduction_take_offer(wire, &out->offer);
        break;
    case INTRODUCTION_YES:
        introduction_take_hash(wire, &out->yes.offer);
        out->yes.key = wire_bin(wire, 1, INTRODUCTION_KEY_SIZE_MAX);
        wire_bytes(wire, out->yes.ephemeral, 32);
        break;
    case INTRODUCTION_NO:
        introduction_take_hash(wire, &out->no);
        break;
    case INTRODUCTION_RELEASE:
        introduction_take_release(wire, &out->release);
        break;
    case INTRODUCTION_HELLO:
    case INTRODUCTION_RELAY:
        out->sealed = wire_bin(wire, 1, INTRODUCTION_HELLO_SIZE_MAX);
        break;
    case INTRODUCTION_THANKS:
        out->thanks.line = wire_str(wire, INTRODUCTION_MESSAGE_SIZE_MAX);
        out->thanks.outcome = (uint8_t)wire_uint(wire, UINT8_MAX);
        break;
    case INTRODUCTION_RETRACT:
    case INTRODUCTION_KNOWN:
    case INTRODUCTION_WITHDRAW:
        break;
    default: /* 0: a number no message has. */
        wire_fail(wire);
        break;
    }
    wire_end(wire);
}

static enum err introduction_read_body(struct span body, struct introduction_message *out)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = wire_open(&doc, body, &wire);

    *out = (struct introduction_message){.type = INTRODUCTION_WANT};
    if (err == ERR_OK) {
        introduction_take(&wire, out);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    return err;
}

/* PROTOCOL INTRO-1: "Objects of kind 70 in pair spaces are statements (STATEMENT-3) under the label
 * kith intro, at most INTRODUCTION_SIZE_MAX bytes. A body is [type, id 16, reader's root, ...]; the
 * id is drawn by the introducer, that of a want by whoever asks." */
enum err introduction_say(const struct introduction_message *message,
                          const struct signing_key *device, struct span identity, struct buf *out)
{
    struct introduction_message again;
    struct buf body = {0};
    enum err err;

    introduction_put(message, &body);
    err = buf_err(&body);
    if (err == ERR_OK && introduction_read_body(buf_span(&body), &again) != ERR_OK)
        err = ERR_LIMIT; /* Nobody would read it. */
    if (err == ERR_OK)
        err = statement_by_device(introduction_label, device, identity, buf_span(&body), out);
    buf_release(&body);
    return err;
}

/* PROTOCOL INTRO-2: "They are signed by a device." */
enum err introduction_read(struct span bytes, struct public_key *out_member,
                           struct introduction_message *out)
{
    struct statement statement;
    enum err err = statement_read(introduction_label, bytes, &statement);

    if (err == ERR_OK && statement.chain.count == 0)
        err = ERR_FORGED;
    if (err != ERR_OK)
        return err;
    *out_member = statement.member;
    return introduction_read_body(statement.body, out);
}

enum err introduction_peek(struct span bytes, struct public_key *out_member,
                           struct introduction_message *out)
{
    struct span body;
    enum err err = statement_peek(bytes, out_member, &body);

    return err == ERR_OK ? introduction_read_body(body, out) : err;
}

/* PROTOCOL INTRO-10: "of several releases the one with the least HASH(kith intro order, bundle of
 * the lower | bundle of the higher). The lower is the one with the lesser root; a bundle is the
 * hash of a yes." */
enum err introduction_release_order(const struct introduction_message *release, struct hash *out)
{
    struct introduction_message yes;
    struct public_key other;
    struct hash theirs;
    struct span mine = span_of(release->release.yes.bytes, HASH_SIZE);
    struct span parts[2] = {mine, span_of(theirs.bytes, HASH_SIZE)};
    enum err err = introduction_peek(release->release.other, &other, &yes);

    if (err != ERR_OK)
        return err;
    statement_hash(release->release.other, &theirs);
    if (span_order(span_of(other.bytes, 32), span_of(release->to.bytes, 32)) < 0) {
        parts[0] = parts[1];
        parts[1] = mine;
    }
    digest("kith intro order", parts, 2, out);
    return ERR_OK;
}

const struct public_key *introduction_introducer(const struct introduction_message *message,
                                                 const struct public_key *member)
{
    switch (message->type) {
    case INTRODUCTION_OFFER:
    case INTRODUCTION_RELEASE:
    case INTRODUCTION_WITHDRAW:
    case INTRODUCTION_RELAY:
        return member;
    case INTRODUCTION_WANT:
    case INTRODUCTION_YES:
    case INTRODUCTION_NO:
    case INTRODUCTION_RETRACT:
    case INTRODUCTION_KNOWN:
    case INTRODUCTION_HELLO:
    case INTRODUCTION_THANKS:
        break;
    }
    return &message->to;
}

/* The introduction key. */

/* PROTOCOL INTRO-4: "The introduction key is X25519. Its statement is signed by root 0 under kith
 * intro key; the body is [1, key 32, made in ms]." */
enum err introduction_key_issue(const struct signing_key *root, const uint8_t public_key[static 32],
                                uint64_t created_ms, struct buf *out)
{
    struct buf body = {0};
    enum err err;

    wire_put_array(&body, 3);
    wire_put_uint(&body, INTRODUCTION_KEY_FORM);
    wire_put_bin(&body, span_of(public_key, 32));
    wire_put_uint(&body, created_ms);
    err = buf_err(&body);
    if (err == ERR_OK)
        err = statement_by_root(introduction_key_label, root, buf_span(&body), out);
    buf_release(&body);
    return err;
}

enum err introduction_key_read(struct span bytes, struct public_key *out_member,
                               uint8_t out_public_key[static 32])
{
    struct statement statement;
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = statement_read(introduction_key_label, bytes, &statement);

    if (err == ERR_OK && statement.chain.count > 0)
        err = ERR_FORGED;
    if (err == ERR_OK)
        err = wire_open(&doc, statement.body, &wire);
    if (err == ERR_OK) {
        if (wire_uint(&wire, UINT8_MAX) != INTRODUCTION_KEY_FORM)
            wire_fail(&wire);
        wire_bytes(&wire, out_public_key, 32);
        (void)wire_uint(&wire, UINT64_MAX); /* When it was made is for its owner. */
        wire_end(&wire);
        err = wire_err(&doc);
        *out_member = statement.member;
    }
    wire_release(&doc);
    return err;
}

/* Tags, names, times. */

void introduction_tag(const struct id *id, const struct id *salt, const struct public_key *other,
                      struct hash *out)
{
    const struct span parts[3] = {span_of(id->bytes, ID_SIZE),
                                  span_of(salt != NULL ? salt->bytes : NULL, salt ? ID_SIZE : 0),
                                  span_of(other->bytes, 32)};

    digest(salt != NULL ? "kith intro blind" : "kith intro tag", parts, 3, out);
}

void introduction_record_id(const struct public_key *introducer, const struct id *id,
                            struct id *out)
{
    const struct span parts[2] = {span_of(introducer->bytes, 32), span_of(id->bytes, ID_SIZE)};
    struct hash hash;

    digest("kith intro about", parts, 2, &hash);
    memcpy(out->bytes, hash.bytes, ID_SIZE);
}

uint64_t introduction_expires_ms(const struct introduction_offer *offer)
{
    uint64_t longest = offer->issued_ms + INTRODUCTION_DAYS_MAX * MS_PER_DAY;

    return offer->expires_ms < longest ? offer->expires_ms : longest;
}
