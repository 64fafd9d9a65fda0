/* Asks and passes as bytes: fixed ones, bounds, and chains that somebody has tampered with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "proto/ask_pass.h"

enum { ASKING_PEOPLE = 5 }; /* the author and four who have it one from another */

struct asking {
    struct signing_key root, device; /* the author's */
    struct buf identity;
    struct public_key people[ASKING_PEOPLE]; /* the author first */
    uint8_t seed[SEED_SIZE], salt[ASK_SALT_SIZE];
    struct signing_key key;
    struct ask ask;
    struct buf body, author;
    struct ask_pass held[ASKING_PEOPLE];
    struct buf bytes[ASKING_PEOPLE];
};

static void asking_key(uint8_t seed, struct signing_key *out)
{
    uint8_t bytes[SEED_SIZE];

    memset(bytes, seed, sizeof bytes);
    identity_signing_key(bytes, out);
}

static void asking_certify(struct asking *asking)
{
    struct certificate certificate = {.member = asking->root.public_key,
                                      .device = asking->device.public_key,
                                      .time_ms = UINT64_C(1700000000000),
                                      .name = span_str("desk")};
    struct buf issued = {0};
    struct hash next = {{9}};
    struct span list;

    assert_int_equal(certificate_issue(&certificate, &asking->root, &issued), ERR_OK);
    list = buf_span(&issued);
    device_put_identity(&asking->root.public_key, &next, &list, 1, &asking->identity);
    buf_release(&issued);
}

/* Writes the body, names the ask, signs the author part. */
static void asking_write(struct asking *asking)
{
    struct ask_pass *own = &asking->held[0];

    buf_clear(&asking->body);
    buf_clear(&asking->author);
    assert_int_equal(ask_write(&asking->ask, &asking->body), ERR_OK);
    *own = (struct ask_pass){.body = buf_span(&asking->body),
                             .ask = asking->ask,
                             .secret = span_of(asking->seed, SEED_SIZE)};
    ask_hash(&asking->ask.key, own->body, &own->hash);
    ask_id(&own->hash, &own->id);
    assert_int_equal(ask_author_write(asking->salt, &own->hash, span_str("Ana"), &asking->device,
                                      buf_span(&asking->identity), &asking->author),
                     ERR_OK);
    own->author = buf_span(&asking->author);
}

static void asking_begin(struct asking *asking, uint8_t hop_limit, enum ask_naming naming)
{
    struct exchange_key reply;
    uint8_t seed[SEED_SIZE];

    *asking = (struct asking){0};
    asking_key(1, &asking->root);
    asking_key(2, &asking->device);
    asking_certify(asking);
    asking->people[0] = asking->root.public_key;
    for (uint8_t at = 1; at < ASKING_PEOPLE; at++)
        memset(asking->people[at].bytes, 0x10 + at, 32);
    memset(asking->seed, 3, SEED_SIZE);
    memset(asking->salt, 4, ASK_SALT_SIZE);
    memset(seed, 5, SEED_SIZE);
    identity_signing_key(asking->seed, &asking->key);
    identity_exchange_key(seed, &reply);
    asking->ask = (struct ask){.sort = ASK_SORT_ASK,
                               .naming = naming,
                               .hop_limit = hop_limit,
                               .issued_ms = UINT64_C(1700000000000),
                               .expires_ms = UINT64_C(1701209600000),
                               .key = asking->key.public_key,
                               .title = span_str("Looking for work"),
                               .text = span_str("I design packaging."),
                               .tags = {span_str("design"), span_str("place:Norman")},
                               .tags_count = 2,
                               .keep = span_str("\x17")};
    memcpy(asking->ask.reply_key, reply.public_key, 32);
    ask_author(asking->salt, &asking->people[0], &asking->ask.author);
    asking_write(asking);
}

/* Hands it on along the row of people; the last has it at this depth. */
static void asking_pass(struct asking *asking, size_t depth)
{
    struct public_key grant;

    for (size_t at = 0; at < depth; at++) {
        buf_clear(&asking->bytes[at + 1]);
        assert_int_equal(ask_pass_issue(&asking->held[at], &asking->people[at + 1],
                                        span_str("For you."), &asking->bytes[at + 1], &grant),
                         ERR_OK);
        assert_int_equal(ask_pass_read(buf_span(&asking->bytes[at + 1]), &asking->held[at + 1]),
                         ERR_OK);
        assert_true(public_key_is_equal(&grant, ask_pass_grant(&asking->held[at + 1])));
    }
}

static void asking_end(struct asking *asking)
{
    buf_release(&asking->identity);
    buf_release(&asking->body);
    buf_release(&asking->author);
    for (size_t at = 0; at < ASKING_PEOPLE; at++)
        buf_release(&asking->bytes[at]);
}

static enum ask_fault asking_check_as(const struct asking *asking, const struct ask_pass *pass,
                                      size_t from, size_t reader)
{
    enum ask_fault fault;

    assert_int_equal(ask_pass_check(pass, &asking->people[from], &asking->people[reader], &fault),
                     ERR_OK);
    return fault;
}

/* The pass that the reader at this depth has from the one before. */
static enum ask_fault asking_check(const struct asking *asking, size_t depth)
{
    return asking_check_as(asking, &asking->held[depth], depth - 1, depth);
}

static void asking_expect_hex(struct span bytes, const char *hex)
{
    char text[1024];

    assert_true(2 * bytes.size < sizeof text);
    hex_write(bytes, text);
    assert_string_equal(text, hex);
}

static void ask_chains_of_every_depth_hold(void **state)
{
    static const enum ask_naming namings[] = {ASK_NAMED_ALWAYS, ASK_NAMED_FIRST,
                                              ASK_NAMED_ON_REQUEST};

    (void)state;
    for (size_t naming = 0; naming < 3; naming++)
        for (uint8_t limit = 1; limit <= ASK_HOPS_MAX; limit++) {
            struct asking asking;
            struct public_key grant;
            struct buf more = {0};

            asking_begin(&asking, limit, namings[naming]);
            asking_pass(&asking, limit);
            for (size_t depth = 1; depth <= limit; depth++) {
                assert_int_equal(asking_check(&asking, depth), ASK_FINE);
                assert_true(span_is_equal(asking.held[depth].line, span_str("For you.")));
                assert_int_equal(asking.held[depth].author.size > 0,
                                 ask_is_named(&asking.ask, depth));
            }
            assert_int_equal(ask_pass_issue(&asking.held[limit], &asking.people[limit + 1],
                                            span_of(NULL, 0), &more, &grant),
                             ERR_STATE);
            assert_int_equal(more.size, 0);
            asking_end(&asking);
        }
}

/* Made by a second implementation, written from PROTOCOL.md, of everything but the author part. */
static const char asking_body_hex[] =
    "9e0101b04c6f6f6b696e6720666f7220776f726bb3492064657369676e207061636b6167696e672e92a6"
    "64657369676eac706c6163653a4e6f726d616e0201cf0000018bcfe56800cf0000018c17fe7000c420ed"
    "4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1c42050a61409b1ddd0325e"
    "9b16b700e719e9772c07000b1bd7786e907c653d20495da0c40117c420a4f4c3ce57e304efd0506cb6c2"
    "4e5cc6540b014ad3809a659bc0ebfa066e5cf7";
static const char asking_close_hex[] =
    "9501c420ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1c420bd0a9ba1"
    "ef68d654b49962625f70b2e07589751baf2de2b28b9ef31ffa30bd7d01c4401b7e2ba5a4204b273bb643"
    "9f3049b8919a340be2a62528b3de719c2eee9e992b04e1e4ad5ae5d541cdf909700d84999adccbe7a8e2"
    "c79f5efce91f125cbec009";

static void ask_fixed_bytes_stay(void **state)
{
    const struct ask_link *links;
    struct asking asking;
    struct buf close = {0};

    (void)state;
    asking_begin(&asking, 2, ASK_NAMED_ALWAYS);
    asking_pass(&asking, 2);
    links = asking.held[2].links;
    asking_expect_hex(asking.held[0].body, asking_body_hex);
    asking_expect_hex(span_of(asking.held[0].id.bytes, ID_SIZE),
                      "b8b96f088b44ee40cbe8ccc62f0ff322");
    asking_expect_hex(span_of(links[0].grant.bytes, 32),
                      "09796d0a3da914d9e1b10ec3962b57c42fe264c7eb60aec84469ea59d99ddf61");
    asking_expect_hex(span_of(links[0].tag, ASK_TAG_SIZE), "ff7905f0d00e0bb3f66051d01285127f");
    asking_expect_hex(span_of(links[1].grant.bytes, 32),
                      "f93579c1180941486f02ea8e3cd323e92444b012ffe1f13595504b85b4cdd686");
    asking_expect_hex(span_of(links[1].tag, ASK_TAG_SIZE), "75d81427e695db4c3906cccf224aa80f");
    asking_expect_hex(span_of(links[1].signature, SIGNATURE_SIZE),
                      "5230fdbba05c3a3980c5f0f56636b967be3657e0ceb61335613093add2ca058f"
                      "026d466eb506578a895daa794fc31a9e917e61e6f5e47d7d9125f19ecc5c7a00");
    assert_int_equal(ask_close_write(asking.held[0].body, &asking.key, ASK_FOUND, &close), ERR_OK);
    asking_expect_hex(buf_span(&close), asking_close_hex);
    assert_int_equal(ask_keep(&asking.ask.key, &asking.people[1]), 0xf7);
    buf_release(&close);
    asking_end(&asking);
}

/* Own devices give the same grant; two people never do. */
static void ask_grants_follow_from_who_gives_to_whom(void **state)
{
    struct asking asking;
    struct public_key one, two, other;
    struct buf bytes = {0};

    (void)state;
    asking_begin(&asking, 3, ASK_NAMED_ALWAYS);
    assert_int_equal(
        ask_pass_issue(&asking.held[0], &asking.people[1], span_str("Once."), &bytes, &one),
        ERR_OK);
    assert_int_equal(
        ask_pass_issue(&asking.held[0], &asking.people[1], span_str("Again."), &bytes, &two),
        ERR_OK);
    assert_int_equal(
        ask_pass_issue(&asking.held[0], &asking.people[2], span_of(NULL, 0), &bytes, &other),
        ERR_OK);
    assert_true(public_key_is_equal(&one, &two));
    assert_false(public_key_is_equal(&one, &other));
    buf_release(&bytes);
    asking_end(&asking);
}

static void ask_lengthened_chains_are_refused(void **state)
{
    struct asking asking, longer;
    struct ask_pass pass;

    (void)state;
    asking_begin(&asking, 2, ASK_NAMED_ALWAYS);
    asking_begin(&longer, 3, ASK_NAMED_ALWAYS);
    asking_pass(&asking, 2);
    asking_pass(&longer, 3);
    /* Whoever has it at the last hop makes one link more, as the rules would for a wider limit. */
    pass = asking.held[2];
    pass.ask.hop_limit = 3;
    longer.held[2] = pass;
    {
        struct public_key grant;

        buf_clear(&longer.bytes[3]);
        assert_int_equal(
            ask_pass_issue(&pass, &asking.people[3], span_of(NULL, 0), &longer.bytes[3], &grant),
            ERR_OK);
    }
    assert_int_equal(ask_pass_read(buf_span(&longer.bytes[3]), &pass), ERR_OK);
    assert_int_equal(pass.depth, 3);
    assert_int_equal(asking_check_as(&asking, &pass, 2, 3), ASK_TOO_FAR);
    asking_end(&asking);
    asking_end(&longer);
}

static void ask_links_cannot_be_removed_reordered_or_spliced(void **state)
{
    struct asking asking, other;
    struct ask_pass pass;
    struct ask_link link;

    (void)state;
    asking_begin(&asking, 3, ASK_NAMED_ALWAYS);
    asking_begin(&other, 3, ASK_NAMED_ALWAYS);
    other.ask.title = span_str("Another");
    asking_write(&other);
    asking_pass(&asking, 3);
    asking_pass(&other, 3);

    pass = asking.held[3]; /* Without the middle: nearer to the author than it is. */
    pass.links[1] = pass.links[2];
    pass.depth = 2;
    assert_int_equal(asking_check_as(&asking, &pass, 2, 3), ASK_CHAIN_FORGED);
    pass = asking.held[3];
    link = pass.links[0];
    pass.links[0] = pass.links[1];
    pass.links[1] = link;
    assert_int_equal(asking_check_as(&asking, &pass, 2, 3), ASK_CHAIN_FORGED);
    pass = asking.held[3]; /* The same people's chain of another ask. */
    memcpy(pass.links, other.held[3].links, sizeof pass.links);
    pass.secret = other.held[3].secret;
    pass.salt = other.held[3].salt;
    assert_int_equal(asking_check_as(&asking, &pass, 2, 3), ASK_CHAIN_FORGED);
    pass = asking.held[3];
    pass.links[1].signature[0] ^= 1;
    assert_int_equal(asking_check_as(&asking, &pass, 2, 3), ASK_CHAIN_FORGED);
    pass = asking.held[1]; /* Another body under the same chain. */
    pass.body = other.held[1].body;
    pass.ask = other.held[1].ask;
    pass.hash = other.held[1].hash;
    pass.author = other.held[1].author;
    assert_int_equal(asking_check_as(&asking, &pass, 0, 1), ASK_CHAIN_FORGED);
    asking_end(&asking);
    asking_end(&other);
}

/* Bruno hands what Ana gave him to Carla as it is, or with a tag of his own making. */
static void ask_tokens_cannot_be_handed_on(void **state)
{
    struct asking asking;
    struct ask_pass pass;
    struct span root;

    (void)state;
    asking_begin(&asking, 3, ASK_NAMED_ALWAYS);
    asking_pass(&asking, 2);
    assert_int_equal(asking_check_as(&asking, &asking.held[1], 1, 3), ASK_WRONG_READER);
    pass = asking.held[1];
    root = span_of(asking.people[3].bytes, 32);
    digest_keyed(pass.salt.data, "kith ask tag", &root, 1, pass.links[0].tag, ASK_TAG_SIZE);
    assert_int_equal(asking_check_as(&asking, &pass, 1, 3), ASK_CHAIN_FORGED);
    pass = asking.held[2];
    pass.secret = asking.held[1].secret;
    assert_int_equal(asking_check_as(&asking, &pass, 1, 2), ASK_WRONG_SECRET);
    asking_end(&asking);
}

static void ask_author_is_named_where_they_may_be_and_nowhere_else(void **state)
{
    struct asking asking, mallory;
    struct ask_signer signer;
    struct ask_pass pass;

    (void)state;
    asking_begin(&asking, 3, ASK_NAMED_FIRST);
    asking_pass(&asking, 3);
    assert_true(asking.held[1].author.size > 0 && asking.held[2].author.size == 0);
    assert_int_equal(
        ask_author_read(asking.held[1].author, &asking.held[1].ask, &asking.held[1].hash, &signer),
        ERR_OK);
    assert_true(public_key_is_equal(&signer.member, &asking.people[0]));
    assert_true(span_is_equal(signer.name, span_str("Ana")));
    pass = asking.held[2];
    pass.author = asking.held[1].author;
    assert_int_equal(asking_check_as(&asking, &pass, 1, 2), ASK_TOLD_TOO_MUCH);
    pass = asking.held[1];
    pass.author = span_of(NULL, 0);
    assert_int_equal(asking_check_as(&asking, &pass, 0, 1), ASK_NOT_SIGNED);
    assert_int_equal(asking_check_as(&asking, &asking.held[1], 2, 1), ASK_WRONG_AUTHOR);

    asking_begin(&mallory, 3, ASK_NAMED_FIRST); /* Signs Ana's ask as her own. */
    asking_key(8, &mallory.root);
    asking_key(9, &mallory.device);
    buf_clear(&mallory.identity);
    asking_certify(&mallory);
    buf_clear(&mallory.author);
    assert_int_equal(ask_author_write(asking.salt, &asking.held[0].hash, span_str("Mallory"),
                                      &mallory.device, buf_span(&mallory.identity),
                                      &mallory.author),
                     ERR_OK);
    pass = asking.held[1];
    pass.author = buf_span(&mallory.author);
    assert_int_equal(asking_check_as(&asking, &pass, 0, 1), ASK_WRONG_AUTHOR);
    assert_int_equal(ask_author_peek(pass.author, &signer), ERR_OK);
    asking_end(&asking);
    asking_end(&mallory);
}

static void asking_expect_refused(struct asking *asking, const char *fault)
{
    struct buf bytes = {0};

    assert_string_equal(ask_text_fault(&asking->ask), fault);
    assert_int_equal(ask_write(&asking->ask, &bytes), ERR_LIMIT);
    buf_release(&bytes);
}

static void ask_texts_are_bounded_in_characters_and_bytes(void **state)
{
    static char room[2 * ASK_TEXT_SIZE_MAX];
    struct asking asking;
    struct ask good;

    (void)state;
    memset(room, 'x', sizeof room);
    asking_begin(&asking, 3, ASK_NAMED_ALWAYS);
    good = asking.ask;
    asking.ask.title = span_of(room, ASK_TITLE_MAX);
    asking.ask.text = span_of(room, ASK_TEXT_MAX);
    asking.ask.caution = span_of(room, ASK_CAUTION_SIZE_MAX);
    asking.ask.keep = span_of(room, ASK_KEEP_MAX);
    asking_write(&asking); /* The largest of one byte a character fits. */
    asking_pass(&asking, 3);
    assert_int_equal(asking_check(&asking, 3), ASK_FINE);
    asking.ask.title = span_of(room, ASK_TITLE_MAX + 1);
    asking_expect_refused(&asking, "the title has at most 140 characters");
    asking.ask = good;
    asking.ask.title.size = 0;
    asking_expect_refused(&asking, "give it a title");
    asking.ask = good;
    asking.ask.text.size = 0;
    asking_expect_refused(&asking, "say what you are looking for");
    asking.ask.text = span_of(room, ASK_TEXT_MAX + 1);
    asking_expect_refused(&asking, "the text has at most 2,000 characters");
    asking.ask = good;
    asking.ask.caution = span_of(room, ASK_CAUTION_SIZE_MAX + 1);
    asking_expect_refused(&asking, "the caution is one line of at most 200 bytes");
    asking.ask = good;
    asking.ask.keep = span_of(room, ASK_KEEP_MAX + 1);
    asking_expect_refused(&asking, "it can be kept from at most 16 people");
    asking.ask = good;
    asking.ask.tags_count = ASK_TAGS_MAX + 1;
    asking_expect_refused(&asking, "at most eight tags");
    asking.ask = good;
    asking.ask.tags[1] = span_of(room, ASK_TAG_TEXT_SIZE_MAX + 1);
    asking_expect_refused(&asking, "a tag has 1 to 64 bytes");
    asking_end(&asking);
}

/* As a program of somebody else might write it: bounds are checked when reading, too. */
static void ask_bodies_out_of_bounds_are_malformed(void **state)
{
    struct asking asking;
    struct ask ask;

    (void)state;
    asking_begin(&asking, 3, ASK_NAMED_ALWAYS);
    asking.ask.hop_limit = 0;
    asking_write(&asking);
    assert_int_equal(ask_read(buf_span(&asking.body), &ask), ERR_MALFORMED);
    asking.ask.hop_limit = ASK_HOPS_MAX + 1;
    asking_write(&asking);
    assert_int_equal(ask_read(buf_span(&asking.body), &ask), ERR_MALFORMED);
    asking.ask.hop_limit = 3;
    asking.ask.expires_ms = asking.ask.issued_ms;
    asking_write(&asking);
    assert_int_equal(ask_read(buf_span(&asking.body), &ask), ERR_MALFORMED);
    asking.ask.expires_ms = asking.ask.issued_ms + ASK_DAYS_MAX * MS_PER_DAY + 1;
    asking_write(&asking);
    assert_int_equal(ask_read(buf_span(&asking.body), &ask), ERR_MALFORMED);
    asking.ask.expires_ms--;
    asking_write(&asking);
    assert_int_equal(ask_read(buf_span(&asking.body), &ask), ERR_OK);
    for (size_t size = 0; size < asking.body.size; size++)
        assert_int_equal(ask_read(span_of(asking.body.data, size), &ask), ERR_MALFORMED);
    buf_byte(&asking.body, 0);
    assert_int_equal(ask_read(buf_span(&asking.body), &ask), ERR_MALFORMED);
    asking_end(&asking);
}

static void ask_passes_cut_anywhere_are_malformed(void **state)
{
    static char line[ASK_LINE_SIZE_MAX + 1];
    struct asking asking;
    struct public_key grant;
    struct ask_pass pass;

    (void)state;
    memset(line, 'x', sizeof line);
    asking_begin(&asking, 3, ASK_NAMED_ALWAYS);
    asking_pass(&asking, 3);
    for (size_t size = 0; size < asking.bytes[3].size; size++)
        assert_int_equal(ask_pass_read(span_of(asking.bytes[3].data, size), &pass), ERR_MALFORMED);
    assert_int_equal(ask_pass_issue(&asking.held[0], &asking.people[1], span_of(line, sizeof line),
                                    &asking.bytes[0], &grant),
                     ERR_LIMIT);
    assert_int_equal(ask_pass_issue(&asking.held[0], &asking.people[1],
                                    span_of(line, sizeof line - 1), &asking.bytes[0], &grant),
                     ERR_OK);
    asking_end(&asking);
}

/* Every single bit of a pass is under some signature, tag or key, but for the line and the secret
 * salt beside them. */
static void ask_no_bit_of_a_pass_can_be_changed(void **state)
{
    struct asking asking;
    struct ask_pass pass;
    size_t line;

    (void)state;
    asking_begin(&asking, 2, ASK_NAMED_ALWAYS);
    asking_pass(&asking, 2);
    line = asking.bytes[2].size - strlen("For you.");
    for (size_t at = 0; at < line; at++) {
        asking.bytes[2].data[at] ^= 1;
        if (ask_pass_read(buf_span(&asking.bytes[2]), &pass) == ERR_OK)
            assert_int_not_equal(asking_check_as(&asking, &pass, 1, 2), ASK_FINE);
        asking.bytes[2].data[at] ^= 1;
    }
    asking_end(&asking);
}

static void ask_closes_are_the_authors_alone(void **state)
{
    struct asking asking;
    struct signing_key other;
    struct ask_close close;
    struct buf bytes = {0}, forged = {0};
    struct id id;

    (void)state;
    asking_begin(&asking, 2, ASK_NAMED_ALWAYS);
    assert_int_equal(ask_close_write(asking.held[0].body, &asking.key, ASK_CHANGED, &bytes),
                     ERR_OK);
    assert_int_equal(ask_close_read(buf_span(&bytes), &close), ERR_OK);
    ask_id(&close.hash, &id);
    assert_true(id_is_equal(&id, &asking.held[0].id) && close.reason == ASK_CHANGED);
    asking_key(8, &other); /* Under another key it closes another ask. */
    assert_int_equal(ask_close_write(asking.held[0].body, &other, ASK_FOUND, &forged), ERR_OK);
    assert_int_equal(ask_close_read(buf_span(&forged), &close), ERR_OK);
    ask_id(&close.hash, &id);
    assert_false(id_is_equal(&id, &asking.held[0].id));
    for (size_t at = 0; at < bytes.size; at++) {
        enum err err;

        bytes.data[at] ^= 1;
        err = ask_close_read(buf_span(&bytes), &close);
        assert_true(err == ERR_MALFORMED || err == ERR_FORGED);
        bytes.data[at] ^= 1;
    }
    buf_release(&bytes);
    buf_release(&forged);
    asking_end(&asking);
}

/* One in 256 by chance, for each tag: measured, so that nobody takes a tag for a proof. */
static void ask_keep_away_tags_fit_others_by_chance(void **state)
{
    struct asking asking;
    size_t fits = 0;

    (void)state;
    asking_begin(&asking, 2, ASK_NAMED_ALWAYS);
    for (uint32_t at = 0; at < 25600; at++) {
        struct public_key member = {{0}};

        be32_put(member.bytes, at);
        fits += ask_keeps_from(&asking.ask, &member);
    }
    assert_in_range(fits, 60, 150);
    asking_end(&asking);
}

static void ask_faults_have_sentences(void **state)
{
    (void)state;
    for (int fault = ASK_FINE; fault <= ASK_FAULT_LAST; fault++)
        assert_true(strlen(ask_fault_sentence((enum ask_fault)fault)) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ask_chains_of_every_depth_hold),
        cmocka_unit_test(ask_fixed_bytes_stay),
        cmocka_unit_test(ask_grants_follow_from_who_gives_to_whom),
        cmocka_unit_test(ask_lengthened_chains_are_refused),
        cmocka_unit_test(ask_links_cannot_be_removed_reordered_or_spliced),
        cmocka_unit_test(ask_tokens_cannot_be_handed_on),
        cmocka_unit_test(ask_author_is_named_where_they_may_be_and_nowhere_else),
        cmocka_unit_test(ask_texts_are_bounded_in_characters_and_bytes),
        cmocka_unit_test(ask_bodies_out_of_bounds_are_malformed),
        cmocka_unit_test(ask_passes_cut_anywhere_are_malformed),
        cmocka_unit_test(ask_no_bit_of_a_pass_can_be_changed),
        cmocka_unit_test(ask_closes_are_the_authors_alone),
        cmocka_unit_test(ask_keep_away_tags_fit_others_by_chance),
        cmocka_unit_test(ask_faults_have_sentences),
    };

    if (secret_start() != ERR_OK)
        return 1;
    return cmocka_run_group_tests_name("ask", tests, NULL, NULL);
}
