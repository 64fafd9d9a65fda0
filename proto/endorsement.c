/* The record and its bounds. Issuer and reader go through one check, so that nobody can send what
 * others drop. */
#include "proto/endorsement.h"

#include <string.h>

#include "proto/scan.h"
#include "proto/statement.h"

enum { ENDORSEMENT_FORM = 1, ENDORSEMENT_ELEMENTS = 15, ENDORSEMENT_DAY_S = 86400 };

static const char endorsement_label[] = "kith endorse";

/* Names. */

static const char *const endorsement_relations[] = {
    [RELATION_WORKED_WITH] = "worked-with",
    [RELATION_MANAGED] = "managed",
    [RELATION_WAS_MANAGED_BY] = "was-managed-by",
    [RELATION_CLIENT] = "client",
    [RELATION_TAUGHT] = "taught",
    [RELATION_STUDIED] = "studied",
    [RELATION_VOLUNTEERED] = "volunteered",
    [RELATION_KNOW_PERSONALLY] = "know-personally",
};

const char *relation_name(enum relation relation)
{
    return relation >= RELATION_WORKED_WITH && relation <= RELATION_KNOW_PERSONALLY
               ? endorsement_relations[relation]
               : NULL;
}

enum err relation_named(const char *name, enum relation *out)
{
    for (enum relation at = RELATION_WORKED_WITH; at <= RELATION_KNOW_PERSONALLY; at++)
        if (strcmp(endorsement_relations[at], name) == 0) {
            *out = at;
            return ERR_OK;
        }
    return ERR_INVALID;
}

const char *audience_name(enum audience audience, bool is_ceiling)
{
    switch (audience) {
    case AUDIENCE_SUBJECT:
        return is_ceiling ? "subject" : "nobody";
    case AUDIENCE_PEERS:
        return "peers";
    case AUDIENCE_NETWORK:
        return "network";
    case AUDIENCE_PUBLIC:
        return "public";
    }
    return NULL;
}

enum err audience_named(const char *name, bool is_ceiling, enum audience *out)
{
    for (enum audience at = AUDIENCE_SUBJECT; at <= AUDIENCE_PUBLIC; at++)
        if (strcmp(audience_name(at, is_ceiling), name) == 0) {
            *out = at;
            return ERR_OK;
        }
    return ERR_INVALID;
}

/* Bounds. */

static bool endorsement_is_text(struct span text, size_t size_max)
{
    return text.size > 0 && text.size <= size_max && scan_is_utf8(text) &&
           memchr(text.data, 0, text.size) == NULL;
}

/* Characters of valid UTF-8: the bytes that do not continue one. */
static size_t endorsement_characters(struct span text)
{
    size_t count = 0;

    for (size_t at = 0; at < text.size; at++)
        count += (text.data[at] & 0xc0) != 0x80;
    return count;
}

static enum endorsement_fault endorsement_check_words(struct span words)
{
    size_t count;

    if (words.size > ENDORSEMENT_WORDS_SIZE_MAX)
        return ENDORSEMENT_WORDS_LONG;
    if (words.size > 0 && !endorsement_is_text(words, ENDORSEMENT_WORDS_SIZE_MAX))
        return ENDORSEMENT_BAD_TEXT;
    count = endorsement_characters(words);
    if (count < ENDORSEMENT_WORDS_MIN)
        return ENDORSEMENT_WORDS_SHORT;
    return count > ENDORSEMENT_WORDS_MAX ? ENDORSEMENT_WORDS_LONG : ENDORSEMENT_FINE;
}

static bool endorsement_is_year(uint16_t year)
{
    return year == 0 || (year >= ENDORSEMENT_YEAR_MIN && year <= ENDORSEMENT_YEAR_MAX);
}

static bool endorsement_is_uuid(const struct id *id)
{
    return (id->bytes[6] & 0xf0) == 0x70 && (id->bytes[8] & 0xc0) == 0x80;
}

static enum endorsement_fault endorsement_check_about(const struct endorsement *endorsement)
{
    if (endorsement->about_count < 1 || endorsement->about_count > ENDORSEMENT_ABOUT_MAX)
        return ENDORSEMENT_BAD_ABOUT;
    for (size_t at = 0; at < endorsement->about_count; at++)
        if (!endorsement_is_text(endorsement->about[at], ENDORSEMENT_ABOUT_SIZE_MAX))
            return ENDORSEMENT_BAD_ABOUT;
    return ENDORSEMENT_FINE;
}

/* PROTOCOL ENDORSE-2: "Readers drop a record that breaks a bound." */
enum endorsement_fault endorsement_check(const struct endorsement *endorsement)
{
    uint64_t life_s = endorsement->expires_s - endorsement->issued_s;
    enum endorsement_fault fault;

    if (!endorsement_is_uuid(&endorsement->id) ||
        (endorsement->has_supersedes && !endorsement_is_uuid(&endorsement->supersedes)))
        return ENDORSEMENT_BAD_ID;
    if (public_key_is_equal(&endorsement->issuer, &endorsement->subject))
        return ENDORSEMENT_OF_ONESELF;
    if (relation_name(endorsement->relation) == NULL)
        return ENDORSEMENT_BAD_RELATION;
    fault = endorsement_check_about(endorsement);
    if (fault == ENDORSEMENT_FINE)
        fault = endorsement_check_words(endorsement->words);
    if (fault != ENDORSEMENT_FINE)
        return fault;
    if (!endorsement_is_year(endorsement->since) || !endorsement_is_year(endorsement->until) ||
        (endorsement->since != 0 && endorsement->until != 0 &&
         endorsement->since > endorsement->until))
        return ENDORSEMENT_BAD_YEARS;
    if (endorsement->issued_s < TIME_MIN_MS / 1000 || endorsement->issued_s > TIME_MAX_MS / 1000 ||
        endorsement->expires_s <= endorsement->issued_s ||
        life_s > (uint64_t)ENDORSEMENT_DAYS_MAX * ENDORSEMENT_DAY_S)
        return ENDORSEMENT_BAD_LIFE;
    if (audience_name(endorsement->ceiling, true) == NULL)
        return ENDORSEMENT_BAD_CEILING;
    return endorsement_is_text(endorsement->name, NAME_SIZE_MAX) ? ENDORSEMENT_FINE
                                                                 : ENDORSEMENT_BAD_TEXT;
}

void endorsement_draw_id(const struct entropy *entropy, uint64_t now_ms, struct id *out)
{
    id_draw(entropy, now_ms, out);
    out->bytes[6] = (uint8_t)((out->bytes[6] & 0x0f) | 0x70);
    out->bytes[8] = (uint8_t)((out->bytes[8] & 0x3f) | 0x80);
}

/* Writing. */

static void endorsement_put_year(struct buf *out, uint16_t year)
{
    if (year == 0)
        wire_put_nil(out);
    else
        wire_put_uint(out, year);
}

static void endorsement_put_body(const struct endorsement *endorsement, struct buf *out)
{
    wire_put_array(out, ENDORSEMENT_ELEMENTS);
    wire_put_uint(out, ENDORSEMENT_FORM);
    wire_put_bin(out, span_of(endorsement->id.bytes, ID_SIZE));
    wire_put_bin(out, span_of(endorsement->subject.bytes, 32));
    wire_put_uint(out, endorsement->relation);
    wire_put_array(out, endorsement->about_count);
    for (size_t at = 0; at < endorsement->about_count; at++)
        wire_put_str(out, endorsement->about[at]);
    wire_put_str(out, endorsement->words);
    endorsement_put_year(out, endorsement->since);
    endorsement_put_year(out, endorsement->until);
    wire_put_uint(out, endorsement->issued_s);
    wire_put_uint(out, endorsement->expires_s);
    wire_put_uint(out, endorsement->ceiling);
    if (endorsement->has_supersedes)
        wire_put_bin(out, span_of(endorsement->supersedes.bytes, ID_SIZE));
    else
        wire_put_nil(out);
    wire_put_str(out, endorsement->name);
    wire_put_bin(out, span_of(endorsement->jcs_proof, SIGNATURE_SIZE));
    wire_put_bin(out, span_of(endorsement->rdfc_proof, SIGNATURE_SIZE));
}

enum err endorsement_issue(const struct endorsement *endorsement, const struct signing_key *root,
                           struct buf *out)
{
    size_t begun_at = out->size;
    struct buf body = {0};
    enum err err = ERR_OK;

    if (endorsement_check(endorsement) != ENDORSEMENT_FINE ||
        !public_key_is_equal(&endorsement->issuer, &root->public_key))
        return ERR_INVALID;
    endorsement_put_body(endorsement, &body);
    err = buf_err(&body);
    if (err == ERR_OK)
        err = statement_by_root(endorsement_label, root, buf_span(&body), out);
    if (err == ERR_OK && out->size - begun_at > ENDORSEMENT_SIZE_MAX) {
        out->size = begun_at;
        err = ERR_INVALID;
    }
    buf_release(&body);
    return err;
}

/* Reading. */

static uint16_t endorsement_read_year(struct wire *wire)
{
    return wire_is_nil(wire) ? 0 : (uint16_t)wire_uint(wire, ENDORSEMENT_YEAR_MAX);
}

static void endorsement_read_body(struct wire *wire, struct endorsement *out)
{
    struct wire about;

    if (wire_uint(wire, UINT8_MAX) != ENDORSEMENT_FORM)
        wire_fail(wire);
    wire_bytes(wire, out->id.bytes, ID_SIZE);
    wire_bytes(wire, out->subject.bytes, 32);
    out->relation = (enum relation)wire_uint(wire, RELATION_KNOW_PERSONALLY);
    about = wire_array(wire, 1, ENDORSEMENT_ABOUT_MAX);
    while (about.left > 0 && wire_err(about.doc) == ERR_OK)
        out->about[out->about_count++] = wire_str(&about, ENDORSEMENT_ABOUT_SIZE_MAX);
    out->words = wire_str(wire, ENDORSEMENT_WORDS_SIZE_MAX);
    out->since = endorsement_read_year(wire);
    out->until = endorsement_read_year(wire);
    out->issued_s = wire_uint(wire, UINT64_MAX);
    out->expires_s = wire_uint(wire, UINT64_MAX);
    out->ceiling = (enum audience)wire_uint(wire, AUDIENCE_PUBLIC);
    out->has_supersedes = !wire_is_nil(wire);
    if (out->has_supersedes)
        wire_bytes(wire, out->supersedes.bytes, ID_SIZE);
    out->name = wire_str(wire, NAME_SIZE_MAX);
    wire_bytes(wire, out->jcs_proof, SIGNATURE_SIZE);
    wire_bytes(wire, out->rdfc_proof, SIGNATURE_SIZE);
    wire_end(wire);
    if (wire_err(wire->doc) == ERR_OK && endorsement_check(out) != ENDORSEMENT_FINE)
        wire_fail(wire);
}

static enum err endorsement_open(const struct public_key *issuer, struct span body,
                                 struct endorsement *out)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = wire_open(&doc, body, &wire);

    if (err == ERR_OK) {
        *out = (struct endorsement){.issuer = *issuer};
        endorsement_read_body(&wire, out);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    return err;
}

/* PROTOCOL ENDORSE-1: "It is signed by root 0; a device cannot endorse." */
enum err endorsement_read(struct span statement, struct endorsement *out)
{
    struct statement said;
    enum err err = statement.size <= ENDORSEMENT_SIZE_MAX
                       ? statement_read(endorsement_label, statement, &said)
                       : ERR_MALFORMED;

    if (err == ERR_OK && said.chain.count > 0)
        err = ERR_FORGED;
    return err == ERR_OK ? endorsement_open(&said.member, said.body, out) : err;
}

enum err endorsement_peek(struct span statement, struct endorsement *out)
{
    struct public_key issuer;
    struct span body;
    enum err err = statement_peek(statement, &issuer, &body);

    return err == ERR_OK ? endorsement_open(&issuer, body, out) : err;
}

/* Kinds. */

static const struct field endorsement_fields[] = {
    {ENDORSEMENT_STATEMENT, "statement", VALUE_BYTES, false, MATCH_EXACT, ENDORSEMENT_SIZE_MAX},
    {ENDORSEMENT_SHOW, "show", VALUE_BYTES, false, MATCH_EXACT, SHOW_SIZE_MAX},
};
static const struct field kept_fields[] = {
    {KEPT_STATEMENT, "statement", VALUE_BYTES, false, MATCH_EXACT, ENDORSEMENT_SIZE_MAX},
    {KEPT_IS_REVOKED, "is_revoked", VALUE_NUMBER, false, MATCH_EXACT, 1},
    {KEPT_DECISIONS, "decision", VALUE_TEXT, true, MATCH_EXACT, TEXT_SIZE_MAX},
};
static const struct field revoked_fields[] = {
    {REVOKED_HASH, "hash", VALUE_BYTES, false, MATCH_EXACT, HASH_SIZE},
};
static const struct field quoting_fields[] = {
    {QUOTING_MEMBER, "member", VALUE_BYTES, false, MATCH_EXACT, 32},
    {QUOTING_IS_ON, "is_on", VALUE_NUMBER, false, MATCH_EXACT, 1},
};

#define ENDORSEMENT_COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

const struct kind endorsement_kind = {.number = KIND_ENDORSEMENT,
                                      .name = "endorsement",
                                      .spaces =
                                          1u << SPACE_PAIR | 1u << SPACE_CARD | 1u << SPACE_NETWORK,
                                      .fields = endorsement_fields,
                                      .fields_count = ENDORSEMENT_COUNT(endorsement_fields)};
const struct kind kept_kind = {.number = KIND_KEPT,
                               .name = "kept",
                               .spaces = 1u << SPACE_SELF,
                               .fields = kept_fields,
                               .fields_count = ENDORSEMENT_COUNT(kept_fields)};
const struct kind revoked_kind = {.number = KIND_REVOKED,
                                  .name = "revoked",
                                  .spaces = 1u << SPACE_CARD,
                                  .fields = revoked_fields,
                                  .fields_count = ENDORSEMENT_COUNT(revoked_fields)};
const struct kind quoting_kind = {.number = KIND_QUOTING,
                                  .name = "quoting",
                                  .spaces = 1u << SPACE_SELF,
                                  .fields = quoting_fields,
                                  .fields_count = ENDORSEMENT_COUNT(quoting_fields)};
