/* The codec of answers, outside and inside. */
#include "proto/answer.h"

#include "proto/limits.h"

static const char answer_label[] = "kith answer";

enum { ANSWER_FORM = 2, ANSWER_ELEMENTS = 6, ANSWER_LETTER_ELEMENTS = 7 };

static const struct field answer_fields[] = {
    {KIND_STATEMENT_FIELD, "said", VALUE_BYTES, false, MATCH_EXACT, REPLY_SIZE_MAX},
};
const struct kind answer_kind = {.number = KIND_ANSWER,
                                 .name = "answer",
                                 .spaces = 1u << SPACE_PAIR,
                                 .is_statement = true,
                                 .fields = answer_fields,
                                 .fields_count = sizeof answer_fields / sizeof answer_fields[0]};

static bool answer_is_hash(const struct hash *left, const struct hash *right)
{
    return span_is_equal(span_of(left->bytes, HASH_SIZE), span_of(right->bytes, HASH_SIZE));
}

/* Outside. */

static void answer_take(struct wire *wire, struct answer *out)
{
    out->type = (enum answer_type)wire_uint(wire, ANSWER_LETTER);
    wire_bytes(wire, out->asker.bytes, 32);
    wire_bytes(wire, out->body.bytes, HASH_SIZE);
    wire_bytes(wire, out->reply.bytes, HASH_SIZE);
    out->at_ms = wire_uint(wire, TIME_MAX_MS);
    switch (out->type) {
    case ANSWER_THANKS:
        out->line = wire_str(wire, THANKS_LINE_SIZE_MAX);
        break;
    case ANSWER_LETTER:
        out->letter = wire_bin(wire, LETTER_SIZE_MIN, LETTER_SIZE_MAX);
        if (!letter_is_size(out->letter.size))
            wire_fail(wire);
        break;
    default: /* 0: a number no answer has. */
        wire_fail(wire);
        break;
    }
    wire_end(wire);
}

/* PROTOCOL ANSWER-1: "what is said is [body, signature] with the body [type, A0 32, hash of the
 * ask's body (ASK-2), id of the letter that began the thread, said at in ms, line or letter]" */
static enum err answer_read_body(struct span body, struct answer *out)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = wire_open(&doc, body, &wire);

    *out = (struct answer){.type = ANSWER_THANKS};
    if (err == ERR_OK) {
        answer_take(&wire, out);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    if (err == ERR_OK)
        ask_hash_of(&out->asker, &out->body, &out->ask);
    return err;
}

/* PROTOCOL ANSWER-2: "The ask's key (A0) signs the body under `kith answer`; who is handed anything
 * else hands it to nobody." */
enum err answer_say(const struct answer *answer, const struct signing_key *asker, struct buf *out)
{
    uint8_t signature[SIGNATURE_SIZE];
    struct answer again;
    struct buf body = {0};
    enum err err;

    wire_put_array(&body, ANSWER_ELEMENTS);
    wire_put_uint(&body, answer->type);
    wire_put_bin(&body, span_of(asker->public_key.bytes, 32));
    wire_put_bin(&body, span_of(answer->body.bytes, HASH_SIZE));
    wire_put_bin(&body, span_of(answer->reply.bytes, HASH_SIZE));
    wire_put_uint(&body, answer->at_ms);
    if (answer->type == ANSWER_THANKS)
        wire_put_str(&body, answer->line);
    else
        wire_put_bin(&body, answer->letter);
    err = buf_err(&body);
    if (err == ERR_OK)
        err = answer_read_body(buf_span(&body), &again);
    if (err == ERR_MALFORMED)
        err = ERR_LIMIT; /* Nobody would read it. */
    if (err == ERR_OK)
        err = identity_sign(asker, answer_label, buf_span(&body), signature);
    if (err == ERR_OK) {
        wire_put_array(out, 2);
        wire_put_bin(out, buf_span(&body));
        wire_put_bin(out, span_of(signature, SIGNATURE_SIZE));
        err = buf_err(out);
    }
    buf_release(&body);
    return err;
}

static enum err answer_take_apart(struct span bytes, struct span *out_body,
                                  struct span *out_signature, struct answer *out)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = wire_open(&doc, bytes, &wire);

    if (err == ERR_OK) {
        *out_body = wire_bin(&wire, 1, REPLY_SIZE_MAX);
        *out_signature = wire_bin(&wire, SIGNATURE_SIZE, SIGNATURE_SIZE);
        wire_end(&wire);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    return err == ERR_OK ? answer_read_body(*out_body, out) : err;
}

enum err answer_read(struct span bytes, struct answer *out)
{
    struct span body, signature;
    enum err err = answer_take_apart(bytes, &body, &signature, out);

    return err == ERR_OK ? identity_verify(&out->asker, answer_label, body, signature.data) : err;
}

enum err answer_look(struct span bytes, struct answer *out)
{
    struct span body, signature;

    return answer_take_apart(bytes, &body, &signature, out);
}

/* Inside. */

enum err answer_peek(struct span content, struct answer_letter *out)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = wire_open(&doc, content, &wire);

    *out = (struct answer_letter){.at_ms = 0};
    if (err == ERR_OK) {
        if (wire_uint(&wire, ANSWER_FORM) != ANSWER_FORM)
            wire_fail(&wire);
        wire_bytes(&wire, out->ask.bytes, HASH_SIZE);
        wire_bytes(&wire, out->reply.bytes, HASH_SIZE);
        out->wants_introduction = wire_bool(&wire);
        out->at_ms = wire_uint(&wire, TIME_MAX_MS);
        out->text = wire_str(&wire, REPLY_TEXT_SIZE_MAX);
        out->name = wire_str(&wire, NAME_SIZE_MAX);
        wire_end(&wire);
        if (out->text.size == 0 && !out->wants_introduction)
            wire_fail(&wire);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    return err;
}

enum err answer_write(const struct answer_letter *letter, struct buf *out)
{
    struct answer_letter again;
    struct buf content = {0};
    enum err err;

    wire_put_array(&content, ANSWER_LETTER_ELEMENTS);
    wire_put_uint(&content, ANSWER_FORM);
    wire_put_bin(&content, span_of(letter->ask.bytes, HASH_SIZE));
    wire_put_bin(&content, span_of(letter->reply.bytes, HASH_SIZE));
    wire_put_bool(&content, letter->wants_introduction);
    wire_put_uint(&content, letter->at_ms);
    wire_put_str(&content, letter->text);
    wire_put_str(&content, letter->name);
    err = buf_err(&content);
    if (err == ERR_OK)
        err = answer_peek(buf_span(&content), &again);
    if (err == ERR_MALFORMED)
        err = ERR_LIMIT;
    if (err == ERR_OK) {
        buf_append(out, buf_span(&content));
        err = buf_err(out);
    }
    buf_release(&content);
    return err;
}

/* PROTOCOL ANSWER-3: "It counts when its content names the ask and the thread of the answer, and
 * the ask's key signed it." */
enum err answer_open(const struct exchange_key *key, const struct answer *answer, struct buf *plain,
                     struct answer_letter *out, struct letter *out_letter, bool *out_has_member,
                     struct public_key *out_member)
{
    enum err err = letter_open(key, answer->letter, plain, out_letter);

    if (err == ERR_OK)
        err = answer_peek(out_letter->content, out);
    if (err == ERR_OK &&
        (!answer_is_hash(&out->ask, &answer->ask) || !answer_is_hash(&out->reply, &answer->reply)))
        err = ERR_FORGED;
    if (err == ERR_OK)
        err = letter_verify(out_letter, &answer->asker, out_has_member, out_member);
    if (err == ERR_OK && *out_has_member != (out->name.size > 0))
        err = ERR_FORGED;
    return err;
}
