/* The body, the author part and CLOSE: one writer and one reader each, and the kinds. */
#include "proto/ask.h"

#include <string.h>

static const char ask_author_label[] = "kith ask author";
static const char ask_close_label[] = "kith ask close";

enum { ASK_FORM = 1 };

/* Kinds. */

#define ASK_COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

static const struct field pass_fields[] = {
    {KIND_STATEMENT_FIELD, "pass", VALUE_BYTES, false, MATCH_EXACT, ASK_PASS_SIZE_MAX},
};
static const struct field ask_fields[] = {
    {ASK_BODY, "body", VALUE_BYTES, false, MATCH_EXACT, ASK_SIZE_MAX},
    {ASK_SECRET, "secret", VALUE_BYTES, false, MATCH_EXACT, SEED_SIZE},
    {ASK_REPLY_SECRET, "reply_secret", VALUE_BYTES, false, MATCH_EXACT, SEED_SIZE},
    {ASK_AUTHOR_PART, "author", VALUE_BYTES, false, MATCH_EXACT, ASK_AUTHOR_SIZE_MAX},
    {ASK_CLOSED, "closed", VALUE_NUMBER, false, MATCH_EXACT, ASK_CHANGED},
    {ASK_CLOSED_AT, "closed_at", VALUE_NUMBER, false, MATCH_EXACT, 0},
};
static const struct field heard_fields[] = {
    {HEARD_DISMISSED, "dismissed", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {HEARD_ANSWERED, "answered", VALUE_NUMBER, false, MATCH_EXACT, 0},
};
static const struct field passed_fields[] = {
    {PASSED_ASK, "ask", VALUE_BYTES, false, MATCH_EXACT, ID_SIZE},
    {PASSED_TO, "to", VALUE_BYTES, false, MATCH_EXACT, 32},
    {PASSED_GRANT, "grant", VALUE_BYTES, false, MATCH_EXACT, 32},
    {PASSED_VIA, "via", VALUE_BYTES, false, MATCH_EXACT, 32},
    {PASSED_FROM, "from", VALUE_BYTES, false, MATCH_EXACT, 32},
    {PASSED_LINE, "line", VALUE_TEXT, false, MATCH_EXACT, ASK_LINE_SIZE_MAX},
    {PASSED_AT, "at", VALUE_NUMBER, false, MATCH_EXACT, 0},
};
static const struct field close_fields[] = {
    {KIND_STATEMENT_FIELD, "close", VALUE_BYTES, false, MATCH_EXACT, ASK_CLOSE_SIZE_MAX},
};

#define ASK_KIND(kind_number, kind_name, kind_space, is_named_by_bytes, kind_fields)               \
    {                                                                                              \
        .number = kind_number, .name = kind_name, .spaces = 1u << (kind_space), .is_secret = true, \
        .is_statement = is_named_by_bytes, .fields = kind_fields,                                  \
        .fields_count = ASK_COUNT(kind_fields)                                                     \
    }

const struct kind pass_kind = ASK_KIND(KIND_PASS, "pass", SPACE_PAIR, true, pass_fields);
const struct kind ask_kind = ASK_KIND(KIND_ASK, "ask", SPACE_SELF, false, ask_fields);
const struct kind heard_kind = ASK_KIND(KIND_HEARD, "heard", SPACE_SELF, false, heard_fields);
const struct kind passed_kind = ASK_KIND(KIND_PASSED, "passed", SPACE_SELF, false, passed_fields);
const struct kind close_kind = ASK_KIND(KIND_CLOSE, "close", SPACE_PAIR, true, close_fields);

/* The body. */

static size_t ask_characters(struct span text)
{
    size_t count = 0;

    for (size_t at = 0; at < text.size; at++)
        count += (text.data[at] & 0xc0) != 0x80;
    return count;
}

static bool ask_fits(struct span text, size_t characters_max, size_t size_max)
{
    return text.size <= size_max && ask_characters(text) <= characters_max;
}

static const char *ask_tag_fault(const struct ask *ask)
{
    if (ask->tags_count > ASK_TAGS_MAX)
        return "at most eight tags";
    for (size_t at = 0; at < ask->tags_count; at++)
        if (ask->tags[at].size == 0 || ask->tags[at].size > ASK_TAG_TEXT_SIZE_MAX)
            return "a tag has 1 to 64 bytes";
    return NULL;
}

const char *ask_text_fault(const struct ask *ask)
{
    if (ask->title.size == 0)
        return "give it a title";
    if (!ask_fits(ask->title, ASK_TITLE_MAX, ASK_TITLE_SIZE_MAX))
        return "the title has at most 140 characters";
    if (ask->text.size == 0)
        return "say what you are looking for";
    if (!ask_fits(ask->text, ASK_TEXT_MAX, ASK_TEXT_SIZE_MAX))
        return "the text has at most 2,000 characters";
    if (ask->caution.size > ASK_CAUTION_SIZE_MAX)
        return "the caution is one line of at most 200 bytes";
    if (ask->keep.size > ASK_KEEP_MAX)
        return "it can be kept from at most 16 people";
    return ask_tag_fault(ask);
}

/* PROTOCOL ASK-1: "A body is [1, sort, title, text, tags, hop limit, naming, issued in ms, expires
 * in ms, A0 32, reply key 32, caution, keep-away tags, commitment 32]" */
enum err ask_write(const struct ask *ask, struct buf *out)
{
    size_t before = out->size;

    if (ask_text_fault(ask) != NULL)
        return ERR_LIMIT;
    wire_put_array(out, 14);
    wire_put_uint(out, ASK_FORM);
    wire_put_uint(out, ask->sort);
    wire_put_str(out, ask->title);
    wire_put_str(out, ask->text);
    wire_put_array(out, ask->tags_count);
    for (size_t at = 0; at < ask->tags_count; at++)
        wire_put_str(out, ask->tags[at]);
    wire_put_uint(out, ask->hop_limit);
    wire_put_uint(out, ask->naming);
    wire_put_uint(out, ask->issued_ms);
    wire_put_uint(out, ask->expires_ms);
    wire_put_bin(out, span_of(ask->key.bytes, 32));
    wire_put_bin(out, span_of(ask->reply_key, 32));
    wire_put_str(out, ask->caution);
    wire_put_bin(out, ask->keep);
    wire_put_bin(out, span_of(ask->author.bytes, HASH_SIZE));
    if (buf_err(out) != ERR_OK)
        return ERR_NOMEM;
    return out->size - before <= ASK_SIZE_MAX ? ERR_OK : ERR_LIMIT;
}

static void ask_take_tags(struct wire *wire, struct ask *out)
{
    struct wire tags = wire_array(wire, 0, ASK_TAGS_MAX);

    while (out->tags_count < ASK_TAGS_MAX && wire_next_type(&tags) == WIRE_STR)
        out->tags[out->tags_count++] = wire_str(&tags, ASK_TAG_TEXT_SIZE_MAX);
    wire_end(&tags);
}

/* PROTOCOL ASK-1: "expires lies behind issued, by at most ASK_DAYS_MAX days" */
static bool ask_is_lasting(const struct ask *ask)
{
    return ask->issued_ms <= TIME_MAX_MS && ask->expires_ms > ask->issued_ms &&
           ask->expires_ms - ask->issued_ms <= ASK_DAYS_MAX * MS_PER_DAY;
}

static void ask_take(struct wire *wire, struct ask *out)
{
    if (wire_uint(wire, UINT8_MAX) != ASK_FORM)
        wire_fail(wire);
    out->sort = (enum ask_sort)wire_uint(wire, ASK_SORT_OFFER);
    out->title = wire_str(wire, ASK_TITLE_SIZE_MAX);
    out->text = wire_str(wire, ASK_TEXT_SIZE_MAX);
    ask_take_tags(wire, out);
    out->hop_limit = (uint8_t)wire_uint(wire, ASK_HOPS_MAX);
    out->naming = (enum ask_naming)wire_uint(wire, ASK_NAMED_ON_REQUEST);
    out->issued_ms = wire_uint(wire, UINT64_MAX);
    out->expires_ms = wire_uint(wire, UINT64_MAX);
    wire_bytes(wire, out->key.bytes, 32);
    wire_bytes(wire, out->reply_key, 32);
    out->caution = wire_str(wire, ASK_CAUTION_SIZE_MAX);
    out->keep = wire_bin(wire, 0, ASK_KEEP_MAX);
    wire_bytes(wire, out->author.bytes, HASH_SIZE);
    if (out->sort == 0 || out->hop_limit == 0 || out->naming == 0 || ask_text_fault(out) != NULL ||
        !ask_is_lasting(out))
        wire_fail(wire);
    wire_end(wire);
}

enum err ask_read(struct span body, struct ask *out)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err;

    *out = (struct ask){0};
    if (body.size > ASK_SIZE_MAX)
        return ERR_MALFORMED;
    err = wire_open(&doc, body, &wire);
    if (err == ERR_OK) {
        ask_take(&wire, out);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    return err;
}

/* Names, tags. */

/* PROTOCOL ASK-2: "Its hash is HASH(`kith ask`, A0 | HASH(`kith ask body`, body)), its id the first
 * 16 bytes of that." */
void ask_hash_of(const struct public_key *key, const struct hash *body, struct hash *out)
{
    const struct span parts[2] = {span_of(key->bytes, 32), span_of(body->bytes, HASH_SIZE)};

    digest("kith ask", parts, 2, out);
}

void ask_hash_body(struct span body, struct hash *out)
{
    digest("kith ask body", &body, 1, out);
}

void ask_hash(const struct public_key *key, struct span body, struct hash *out)
{
    struct hash of_body;

    ask_hash_body(body, &of_body);
    ask_hash_of(key, &of_body, out);
}

void ask_id(const struct hash *hash, struct id *out)
{
    memcpy(out->bytes, hash->bytes, ID_SIZE);
}

void ask_author(const uint8_t salt[static ASK_SALT_SIZE], const struct public_key *root,
                struct hash *out)
{
    const struct span parts[2] = {span_of(salt, ASK_SALT_SIZE), span_of(root->bytes, 32)};

    digest("kith ask commit", parts, 2, out);
}

bool ask_is_named(const struct ask *ask, size_t depth)
{
    return ask->naming == ASK_NAMED_ALWAYS || (ask->naming == ASK_NAMED_FIRST && depth <= 1);
}

/* PROTOCOL ASK-6: "A keep-away tag is the first byte of HASH(`kith ask keep`, A0 | root)." */
uint8_t ask_keep(const struct public_key *key, const struct public_key *root)
{
    const struct span parts[2] = {span_of(key->bytes, 32), span_of(root->bytes, 32)};
    struct hash hash;

    digest("kith ask keep", parts, 2, &hash);
    return hash.bytes[0];
}

bool ask_keeps_from(const struct ask *ask, const struct public_key *root)
{
    uint8_t tag = ask_keep(&ask->key, root);

    return ask->keep.size > 0 && memchr(ask->keep.data, tag, ask->keep.size) != NULL;
}

/* The author part. */

/* PROTOCOL ASK-3: "The author part is salt 32 | statement (STATEMENT-1) by a device, of body [hash
 * of the ask 32, the author's name], under `kith ask author`." */
enum err ask_author_write(const uint8_t salt[static ASK_SALT_SIZE], const struct hash *hash,
                          struct span name, const struct signing_key *device, struct span identity,
                          struct buf *out)
{
    struct buf body = {0};
    enum err err;

    if (name.size > NAME_SIZE_MAX)
        return ERR_LIMIT;
    wire_put_array(&body, 2);
    wire_put_bin(&body, span_of(hash->bytes, HASH_SIZE));
    wire_put_str(&body, name);
    err = buf_err(&body);
    buf_append(out, span_of(salt, ASK_SALT_SIZE));
    if (err == ERR_OK)
        err = statement_by_device(ask_author_label, device, identity, buf_span(&body), out);
    buf_release(&body);
    return err;
}

static bool ask_author_split(struct span part, struct span *out_statement)
{
    if (part.size <= ASK_SALT_SIZE || part.size > ASK_AUTHOR_SIZE_MAX)
        return false;
    *out_statement = span_of(part.data + ASK_SALT_SIZE, part.size - ASK_SALT_SIZE);
    return true;
}

static enum err ask_author_take(struct span body, struct hash *out_hash, struct span *out_name)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = wire_open(&doc, body, &wire);

    if (err == ERR_OK) {
        wire_bytes(&wire, out_hash->bytes, HASH_SIZE);
        *out_name = wire_str(&wire, NAME_SIZE_MAX);
        wire_end(&wire);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    return err;
}

enum err ask_author_read(struct span part, const struct ask *ask, const struct hash *hash,
                         struct ask_signer *out)
{
    struct statement statement;
    struct hash commitment, about;
    struct span bytes;
    enum err err = ask_author_split(part, &bytes)
                       ? statement_read(ask_author_label, bytes, &statement)
                       : ERR_MALFORMED;

    if (err == ERR_OK)
        err = ask_author_take(statement.body, &about, &out->name);
    if (err != ERR_OK)
        return err;
    ask_author(part.data, &statement.member, &commitment);
    if (statement.chain.count == 0 || memcmp(about.bytes, hash->bytes, HASH_SIZE) != 0 ||
        memcmp(commitment.bytes, ask->author.bytes, HASH_SIZE) != 0)
        return ERR_FORGED;
    out->member = statement.member;
    device_keys_of(&statement.chain, &out->by);
    return ERR_OK;
}

enum err ask_author_peek(struct span part, struct ask_signer *out)
{
    struct span bytes, body;
    struct hash about;
    enum err err =
        ask_author_split(part, &bytes) ? statement_peek(bytes, &out->member, &body) : ERR_MALFORMED;

    return err == ERR_OK ? ask_author_take(body, &about, &out->name) : err;
}

/* CLOSE. */

/* PROTOCOL ASK-9: "A close is [1, A0 32, hash of the body 32, reason, signature]; the signature is
 * A0's over the ask's hash | reason, under `kith ask close`." */
static void ask_close_message(const struct hash *hash, enum ask_reason reason,
                              uint8_t out[static HASH_SIZE + 1])
{
    memcpy(out, hash->bytes, HASH_SIZE);
    out[HASH_SIZE] = (uint8_t)reason;
}

enum err ask_close_write(struct span body, const struct signing_key *secret, enum ask_reason reason,
                         struct buf *out)
{
    uint8_t message[HASH_SIZE + 1], signature[SIGNATURE_SIZE];
    struct hash hash, of_body;
    enum err err;

    ask_hash_body(body, &of_body);
    ask_hash_of(&secret->public_key, &of_body, &hash);
    ask_close_message(&hash, reason, message);
    err = identity_sign(secret, ask_close_label, span_of(message, sizeof message), signature);
    if (err != ERR_OK)
        return err;
    wire_put_array(out, 5);
    wire_put_uint(out, ASK_FORM);
    wire_put_bin(out, span_of(secret->public_key.bytes, 32));
    wire_put_bin(out, span_of(of_body.bytes, HASH_SIZE));
    wire_put_uint(out, reason);
    wire_put_bin(out, span_of(signature, sizeof signature));
    return buf_err(out);
}

static enum err ask_close_take(struct span bytes, struct ask_close *out, struct span *out_signature)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err;

    *out = (struct ask_close){.reason = ASK_FOUND};
    if (bytes.size > ASK_CLOSE_SIZE_MAX)
        return ERR_MALFORMED;
    err = wire_open(&doc, bytes, &wire);
    if (err == ERR_OK) {
        if (wire_uint(&wire, UINT8_MAX) != ASK_FORM)
            wire_fail(&wire);
        wire_bytes(&wire, out->key.bytes, 32);
        wire_bytes(&wire, out->body.bytes, HASH_SIZE);
        out->reason = (enum ask_reason)wire_uint(&wire, ASK_CHANGED);
        *out_signature = wire_bin(&wire, SIGNATURE_SIZE, SIGNATURE_SIZE);
        if (out->reason == 0)
            wire_fail(&wire);
        wire_end(&wire);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    if (err == ERR_OK)
        ask_hash_of(&out->key, &out->body, &out->hash);
    return err;
}

enum err ask_close_read(struct span bytes, struct ask_close *out)
{
    uint8_t message[HASH_SIZE + 1];
    struct span signature;
    enum err err = ask_close_take(bytes, out, &signature);

    if (err != ERR_OK)
        return err;
    ask_close_message(&out->hash, out->reason, message);
    return identity_verify(&out->key, ask_close_label, span_of(message, sizeof message),
                           signature.data);
}

enum err ask_close_peek(struct span bytes, struct ask_close *out)
{
    struct span signature;

    return ask_close_take(bytes, out, &signature);
}
