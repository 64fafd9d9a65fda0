/* Grants follow from the secret before them and from whom they are for: nothing is drawn. */
#include "proto/ask_pass.h"

#include <string.h>

#include "crypto/secret.h"

static const char ask_link_label[] = "kith ask link";

enum { ASK_PASS_FORM = 1, ASK_LINK_MESSAGE = HASH_SIZE + 1 + 32 + ASK_TAG_SIZE };

const char *ask_fault_sentence(enum ask_fault fault)
{
    switch (fault) {
    case ASK_BROKEN:
        return "it cannot be read";
    case ASK_TOO_FAR:
        return "it went further than its author allowed";
    case ASK_CHAIN_FORGED:
        return "the way it came is not signed";
    case ASK_WRONG_READER:
        return "it was given to somebody else";
    case ASK_WRONG_SECRET:
        return "it lacks what an answer needs";
    case ASK_NOT_SIGNED:
        return "its author does not sign it";
    case ASK_TOLD_TOO_MUCH:
        return "it names its author, who did not want that here";
    case ASK_WRONG_AUTHOR:
        return "it is not by whom it names";
    case ASK_TOO_LONG:
        return "it does not end when it must";
    case ASK_TOO_MANY:
        return "too many of theirs are here already";
    case ASK_CLOSE_FORGED:
        return "it closes an ask that is not theirs to close";
    case ASK_SHUT_OUT:
        return "it was signed with a device of its author that was stolen";
    case ASK_FINE:
        break;
    }
    return "nothing is wrong with it";
}

/* Links. */

/* PROTOCOL ASK-4: "The signature is over the ask's hash | depth 1 | grant 32 | tag 16, under `kith
 * ask link`, by the grant before it, that of link 1 by A0." */
static void ask_link_message(const struct hash *hash, size_t depth, const struct ask_link *link,
                             uint8_t out[static ASK_LINK_MESSAGE])
{
    memcpy(out, hash->bytes, HASH_SIZE);
    out[HASH_SIZE] = (uint8_t)depth;
    memcpy(out + HASH_SIZE + 1, link->grant.bytes, 32);
    memcpy(out + HASH_SIZE + 33, link->tag, ASK_TAG_SIZE);
}

/* PROTOCOL ASK-4: "The tag is MAC-16(salt, `kith ask tag`, root of the recipient)" */
static void ask_link_tag(const uint8_t salt[static ASK_SALT_SIZE], const struct public_key *to,
                         uint8_t out[static ASK_TAG_SIZE])
{
    struct span root = span_of(to->bytes, 32);

    digest_keyed(salt, "kith ask tag", &root, 1, out, ASK_TAG_SIZE);
}

/* Makes the next link; out_seed and out_salt are secrets. */
static enum err ask_link_make(const struct ask_pass *held, const struct public_key *to,
                              struct ask_link *out, uint8_t out_seed[static SEED_SIZE],
                              uint8_t out_salt[static ASK_SALT_SIZE])
{
    struct signing_key *keys = secret_new(2 * sizeof *keys); /* the holder's, the next */
    struct span root = span_of(to->bytes, 32);
    uint8_t message[ASK_LINK_MESSAGE];
    enum err err;

    if (keys == NULL)
        return ERR_NOMEM;
    digest_derive(held->secret.data, "kith ask grant", root, out_seed);
    digest_derive(held->secret.data, "kith ask salt", root, out_salt);
    identity_signing_key(held->secret.data, &keys[0]);
    identity_signing_key(out_seed, &keys[1]);
    out->grant = keys[1].public_key;
    ask_link_tag(out_salt, to, out->tag);
    ask_link_message(&held->hash, held->depth + 1, out, message);
    err = identity_sign(&keys[0], ask_link_label, span_of(message, sizeof message), out->signature);
    secret_free(keys);
    return err;
}

/* Writing. */

static void ask_put_link(const struct ask_link *link, struct buf *out)
{
    wire_put_array(out, 3);
    wire_put_bin(out, span_of(link->grant.bytes, 32));
    wire_put_bin(out, span_of(link->tag, ASK_TAG_SIZE));
    wire_put_bin(out, span_of(link->signature, SIGNATURE_SIZE));
}

/* PROTOCOL ASK-5: "A pass is [1, body, author part or empty, links, secret 32, salt 32, line]" */
enum err ask_pass_issue(const struct ask_pass *held, const struct public_key *to, struct span line,
                        struct buf *out, struct public_key *out_grant)
{
    bool is_named = ask_is_named(&held->ask, held->depth + 1);
    uint8_t *secrets;
    struct ask_link next;
    enum err err;

    if (held->depth >= held->ask.hop_limit || held->depth >= ASK_HOPS_MAX)
        return ERR_STATE;
    if (line.size > ASK_LINE_SIZE_MAX)
        return ERR_LIMIT;
    secrets = secret_new(SEED_SIZE + ASK_SALT_SIZE);
    err =
        secrets != NULL ? ask_link_make(held, to, &next, secrets, secrets + SEED_SIZE) : ERR_NOMEM;
    if (err == ERR_OK) {
        wire_put_array(out, 7);
        wire_put_uint(out, ASK_PASS_FORM);
        wire_put_bin(out, held->body);
        wire_put_bin(out, is_named ? held->author : span_of(NULL, 0));
        wire_put_array(out, held->depth + 1);
        for (size_t at = 0; at < held->depth; at++)
            ask_put_link(&held->links[at], out);
        ask_put_link(&next, out);
        wire_put_bin(out, span_of(secrets, SEED_SIZE));
        wire_put_bin(out, span_of(secrets + SEED_SIZE, ASK_SALT_SIZE));
        wire_put_str(out, line);
        *out_grant = next.grant;
        err = buf_err(out);
    }
    secret_free(secrets);
    return err;
}

/* Reading. */

static void ask_take_link(struct wire *links, struct ask_link *out)
{
    struct wire link = wire_array(links, 3, 3);

    wire_bytes(&link, out->grant.bytes, 32);
    wire_bytes(&link, out->tag, ASK_TAG_SIZE);
    wire_bytes(&link, out->signature, SIGNATURE_SIZE);
}

static void ask_take_pass(struct wire *wire, struct ask_pass *out)
{
    struct wire links;

    if (wire_uint(wire, UINT8_MAX) != ASK_PASS_FORM)
        wire_fail(wire);
    out->body = wire_bin(wire, 1, ASK_SIZE_MAX);
    out->author = wire_bin(wire, 0, ASK_AUTHOR_SIZE_MAX);
    links = wire_array(wire, 1, ASK_HOPS_MAX);
    while (out->depth < ASK_HOPS_MAX && wire_next_type(&links) == WIRE_ARRAY)
        ask_take_link(&links, &out->links[out->depth++]);
    wire_end(&links);
    out->secret = wire_bin(wire, SEED_SIZE, SEED_SIZE);
    out->salt = wire_bin(wire, ASK_SALT_SIZE, ASK_SALT_SIZE);
    out->line = wire_str(wire, ASK_LINE_SIZE_MAX);
    wire_end(wire);
}

enum err ask_pass_read(struct span bytes, struct ask_pass *out)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err;

    *out = (struct ask_pass){.depth = 0};
    if (bytes.size > ASK_PASS_SIZE_MAX)
        return ERR_MALFORMED;
    err = wire_open(&doc, bytes, &wire);
    if (err == ERR_OK) {
        ask_take_pass(&wire, out);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    if (err == ERR_OK)
        err = ask_read(out->body, &out->ask);
    if (err == ERR_OK) {
        ask_hash(&out->ask.key, out->body, &out->hash);
        ask_id(&out->hash, &out->id);
    }
    return err;
}

const struct public_key *ask_pass_grant(const struct ask_pass *pass)
{
    KITH_ASSERT(pass->depth > 0);
    return &pass->links[pass->depth - 1].grant;
}

/* Checking. */

static enum err ask_check_links(const struct ask_pass *pass)
{
    const struct public_key *by = &pass->ask.key;
    uint8_t message[ASK_LINK_MESSAGE];
    enum err err = ERR_OK;

    for (size_t at = 0; at < pass->depth && err == ERR_OK; at++) {
        const struct ask_link *link = &pass->links[at];

        ask_link_message(&pass->hash, at + 1, link, message);
        err =
            identity_verify(by, ask_link_label, span_of(message, sizeof message), link->signature);
        by = &link->grant;
    }
    return err;
}

/* PROTOCOL ASK-7: "the last tag fits the reader's root under the salt, the secret gives the last
 * grant" */
static enum err ask_check_reader(const struct ask_pass *pass, const struct public_key *reader,
                                 enum ask_fault *out)
{
    struct signing_key *key = secret_new(sizeof *key);
    uint8_t tag[ASK_TAG_SIZE];

    if (key == NULL)
        return ERR_NOMEM;
    ask_link_tag(pass->salt.data, reader, tag);
    identity_signing_key(pass->secret.data, key);
    if (!secret_is_equal(tag, pass->links[pass->depth - 1].tag, ASK_TAG_SIZE))
        *out = ASK_WRONG_READER;
    else if (!public_key_is_equal(&key->public_key, ask_pass_grant(pass)))
        *out = ASK_WRONG_SECRET;
    secret_free(key);
    return ERR_OK;
}

/* PROTOCOL ASK-7: "the author part is there where the author may be named at this depth, and
 * nowhere else" */
static enum err ask_check_author(const struct ask_pass *pass, const struct public_key *from,
                                 enum ask_fault *out)
{
    struct ask_signer author;
    enum err err;

    if (!ask_is_named(&pass->ask, pass->depth)) {
        if (pass->author.size > 0)
            *out = ASK_TOLD_TOO_MUCH;
        return ERR_OK;
    }
    if (pass->author.size == 0) {
        *out = ASK_NOT_SIGNED;
        return ERR_OK;
    }
    err = ask_author_read(pass->author, &pass->ask, &pass->hash, &author);
    if (err == ERR_MALFORMED || err == ERR_FORGED ||
        (err == ERR_OK && pass->depth == 1 && !public_key_is_equal(&author.member, from))) {
        *out = ASK_WRONG_AUTHOR;
        return ERR_OK;
    }
    return err;
}

enum err ask_pass_check(const struct ask_pass *pass, const struct public_key *from,
                        const struct public_key *reader, enum ask_fault *out)
{
    enum err err;

    *out = ASK_FINE;
    if (pass->depth == 0 || pass->depth > pass->ask.hop_limit) {
        *out = pass->depth == 0 ? ASK_BROKEN : ASK_TOO_FAR;
        return ERR_OK;
    }
    err = ask_check_reader(pass, reader, out);
    if (err != ERR_OK || *out != ASK_FINE)
        return err;
    err = ask_check_links(pass);
    if (err == ERR_FORGED) {
        *out = ASK_CHAIN_FORGED;
        return ERR_OK;
    }
    return err == ERR_OK ? ask_check_author(pass, from, out) : err;
}
