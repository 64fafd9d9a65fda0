/* The record: what may stand in it, who may sign it, and that nothing in it can be changed. Shows:
 * the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "proto/show.h"
#include "proto/statement.h"

static const uint64_t day_s = 86400;

static void endorsement_key(uint8_t seed, struct signing_key *out)
{
    uint8_t bytes[SEED_SIZE];

    memset(bytes, seed, sizeof bytes);
    identity_signing_key(bytes, out);
}

/* A record that breaks no bound, by key 1 about key 2. */
static void endorsement_example(struct endorsement *out, struct signing_key *out_issuer)
{
    struct signing_key subject;

    endorsement_key(1, out_issuer);
    endorsement_key(2, &subject);
    *out = (struct endorsement){.issuer = out_issuer->public_key,
                                .subject = subject.public_key,
                                .relation = RELATION_TAUGHT,
                                .about = {span_str("carpentry"), span_str("patience")},
                                .about_count = 2,
                                .words = span_str("Built our stairs, on time and true."),
                                .since = 2021,
                                .until = 2024,
                                .issued_s = 1790000000,
                                .expires_s = 1790000000 + 730 * 86400,
                                .ceiling = AUDIENCE_NETWORK,
                                .has_supersedes = true,
                                .name = span_str("Ana")};
    out->id.bytes[6] = out->supersedes.bytes[6] = 0x70;
    out->id.bytes[8] = out->supersedes.bytes[8] = 0x80;
    out->supersedes.bytes[0] = 9;
    memset(out->jcs_proof, 3, SIGNATURE_SIZE);
    memset(out->rdfc_proof, 4, SIGNATURE_SIZE);
}

static void endorsement_is_read_as_it_was_written(void **state)
{
    struct endorsement written, read;
    struct signing_key issuer;
    struct buf first = {0}, second = {0};

    (void)state;
    endorsement_example(&written, &issuer);
    assert_int_equal(endorsement_issue(&written, &issuer, &first), ERR_OK);
    assert_int_equal(endorsement_read(buf_span(&first), &read), ERR_OK);
    assert_true(public_key_is_equal(&read.issuer, &written.issuer));
    assert_true(span_is_equal(read.words, written.words));
    assert_int_equal(read.about_count, 2);
    assert_true(span_is_equal(read.about[1], written.about[1]));
    assert_int_equal(read.since, 2021);
    assert_true(read.has_supersedes);
    assert_int_equal(endorsement_issue(&read, &issuer, &second), ERR_OK);
    assert_true(span_is_equal(buf_span(&first), buf_span(&second)));
    buf_release(&first);
    buf_release(&second);
}

/* Every changed byte, every cut, and a signature by another key or by a device, is refused. */
static void endorsement_nothing_can_be_changed(void **state)
{
    struct endorsement endorsement, read;
    struct signing_key issuer, other;
    struct buf bytes = {0};

    (void)state;
    endorsement_example(&endorsement, &issuer);
    endorsement_key(5, &other);
    assert_int_equal(endorsement_issue(&endorsement, &other, &bytes), ERR_INVALID);
    assert_int_equal(endorsement_issue(&endorsement, &issuer, &bytes), ERR_OK);
    for (size_t at = 0; at < bytes.size; at++) {
        bytes.data[at] ^= 1;
        assert_int_not_equal(endorsement_read(buf_span(&bytes), &read), ERR_OK);
        bytes.data[at] ^= 1;
    }
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_not_equal(endorsement_read(span_of(bytes.data, size), &read), ERR_OK);
    buf_release(&bytes);
}

static void endorsement_expect(const struct endorsement *endorsement, enum endorsement_fault fault)
{
    struct signing_key issuer;
    struct buf bytes = {0};

    endorsement_key(1, &issuer);
    assert_int_equal(endorsement_check(endorsement), fault);
    assert_int_equal(endorsement_issue(endorsement, &issuer, &bytes),
                     fault == ENDORSEMENT_FINE ? ERR_OK : ERR_INVALID);
    buf_release(&bytes);
}

static void endorsement_words_are_bounded(void **state)
{
    char words[3000];
    struct endorsement endorsement;
    struct signing_key issuer;

    (void)state;
    endorsement_example(&endorsement, &issuer);
    memset(words, 'w', sizeof words);
    endorsement.words = span_of(words, 19);
    endorsement_expect(&endorsement, ENDORSEMENT_WORDS_SHORT);
    endorsement.words = span_of(words, 20);
    endorsement_expect(&endorsement, ENDORSEMENT_FINE);
    endorsement.words = span_of(words, 1000);
    endorsement_expect(&endorsement, ENDORSEMENT_FINE);
    endorsement.words = span_of(words, 1001);
    endorsement_expect(&endorsement, ENDORSEMENT_WORDS_LONG);
    /* Characters of three bytes: 800 are 2,400 bytes. */
    for (size_t at = 0; at + 3 <= sizeof words; at += 3)
        memcpy(words + at, "\xe2\x82\xac", 3);
    endorsement.words = span_of(words, 2400);
    endorsement_expect(&endorsement, ENDORSEMENT_FINE);
    endorsement.words = span_of(words, 2403);
    endorsement_expect(&endorsement, ENDORSEMENT_WORDS_LONG);
    endorsement.words = span_of(words, 3 * 19);
    endorsement_expect(&endorsement, ENDORSEMENT_WORDS_SHORT);
    endorsement.words = span_of(words, 2399);
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_TEXT);
    endorsement.words = span_of("a zero \0 inside of these words", 30);
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_TEXT);
    endorsement.words = span_of(NULL, 0);
    endorsement_expect(&endorsement, ENDORSEMENT_WORDS_SHORT);
}

static void endorsement_tags_and_names_are_bounded(void **state)
{
    char text[NAME_SIZE_MAX + 1];
    struct endorsement endorsement;
    struct signing_key issuer;

    (void)state;
    memset(text, 't', sizeof text);
    endorsement_example(&endorsement, &issuer);
    endorsement.about_count = 0;
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_ABOUT);
    endorsement.about_count = 3;
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_ABOUT);
    endorsement.about[2] = span_of(text, ENDORSEMENT_ABOUT_SIZE_MAX);
    endorsement_expect(&endorsement, ENDORSEMENT_FINE);
    endorsement.about[2] = span_of(text, ENDORSEMENT_ABOUT_SIZE_MAX + 1);
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_ABOUT);
    endorsement.about_count = 2;
    endorsement.name = span_of(text, NAME_SIZE_MAX);
    endorsement_expect(&endorsement, ENDORSEMENT_FINE);
    endorsement.name = span_of(text, NAME_SIZE_MAX + 1);
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_TEXT);
    endorsement.name = span_of(NULL, 0);
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_TEXT);
}

static void endorsement_times_and_kinds_are_bounded(void **state)
{
    struct endorsement fine, endorsement;
    struct signing_key issuer;

    (void)state;
    endorsement_example(&fine, &issuer);
    endorsement = fine;
    endorsement.expires_s = fine.issued_s + ENDORSEMENT_DAYS_MAX * day_s;
    endorsement_expect(&endorsement, ENDORSEMENT_FINE);
    endorsement.expires_s++;
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_LIFE);
    endorsement.expires_s = fine.issued_s;
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_LIFE);
    endorsement = fine;
    endorsement.issued_s = 1;
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_LIFE);
    endorsement = fine;
    endorsement.since = 2025;
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_YEARS);
    endorsement.since = 2024;
    endorsement_expect(&endorsement, ENDORSEMENT_FINE);
    endorsement.since = 1899;
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_YEARS);
    endorsement.since = endorsement.until = 0;
    endorsement_expect(&endorsement, ENDORSEMENT_FINE);
    endorsement = fine;
    endorsement.relation = (enum relation)9;
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_RELATION);
    endorsement = fine;
    endorsement.ceiling = (enum audience)4;
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_CEILING);
    endorsement = fine;
    endorsement.subject = fine.issuer;
    endorsement_expect(&endorsement, ENDORSEMENT_OF_ONESELF);
    endorsement = fine;
    endorsement.id.bytes[6] = 0x40;
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_ID);
    endorsement = fine;
    endorsement.supersedes.bytes[8] = 0;
    endorsement_expect(&endorsement, ENDORSEMENT_BAD_ID);
}

static void endorsement_names_go_both_ways(void **state)
{
    enum relation relation;
    enum audience audience;

    (void)state;
    for (enum relation at = RELATION_WORKED_WITH; at <= RELATION_KNOW_PERSONALLY; at++) {
        assert_int_equal(relation_named(relation_name(at), &relation), ERR_OK);
        assert_int_equal(relation, at);
    }
    assert_null(relation_name((enum relation)0));
    assert_int_equal(relation_named("boss", &relation), ERR_INVALID);
    for (int is_ceiling = 0; is_ceiling < 2; is_ceiling++)
        for (enum audience at = AUDIENCE_SUBJECT; at <= AUDIENCE_PUBLIC; at++) {
            assert_int_equal(
                audience_named(audience_name(at, is_ceiling != 0), is_ceiling != 0, &audience),
                ERR_OK);
            assert_int_equal(audience, at);
        }
    assert_int_equal(audience_named("subject", false, &audience), ERR_INVALID);
    assert_int_equal(audience_named("nobody", true, &audience), ERR_INVALID);
}

/* Shows. */

struct endorsement_shower {
    struct signing_key root, device;
    struct buf identity;
};

static void endorsement_shower(uint8_t seed, struct endorsement_shower *out)
{
    struct certificate certificate;
    struct hash next = {{9}};
    struct buf issued = {0};
    struct span list;

    *out = (struct endorsement_shower){0};
    endorsement_key(seed, &out->root);
    endorsement_key((uint8_t)(seed + 100), &out->device);
    certificate = (struct certificate){
        .member = out->root.public_key, .device = out->device.public_key, .name = span_str("desk")};
    assert_int_equal(certificate_issue(&certificate, &out->root, &issued), ERR_OK);
    list = buf_span(&issued);
    device_put_identity(&out->root.public_key, &next, &list, 1, &out->identity);
    buf_release(&issued);
}

static void show_fits_only_what_its_signer_may_show(void **state)
{
    struct endorsement_shower bob, eve;
    struct endorsement endorsement;
    struct signing_key issuer;
    struct show show = {.audience = AUDIENCE_NETWORK, .made_s = 1790000000}, read;
    struct hash hash = {{7}}, other = {{8}};
    struct buf bytes = {0};

    (void)state;
    endorsement_example(&endorsement, &issuer);
    endorsement_shower(2, &bob);
    endorsement_shower(30, &eve);
    show.endorsement = hash;
    show.until_s = show.made_s + SHOW_DAYS_MAX * day_s;
    assert_int_equal(show_issue(&show, buf_span(&bob.identity), &bob.device, &bytes), ERR_OK);
    assert_true(bytes.size <= SHOW_SIZE_MAX);
    assert_int_equal(show_read(buf_span(&bytes), &read), ERR_OK);
    assert_true(show_fits(&read, &endorsement, &hash));
    assert_false(show_fits(&read, &endorsement, &other));
    endorsement.ceiling = AUDIENCE_PEERS;
    assert_false(show_fits(&read, &endorsement, &hash));
    endorsement.ceiling = AUDIENCE_PUBLIC;
    for (size_t at = 0; at < bytes.size; at++) {
        bytes.data[at] ^= 1;
        assert_int_not_equal(show_read(buf_span(&bytes), &read), ERR_OK);
        bytes.data[at] ^= 1;
    }
    buf_clear(&bytes);
    assert_int_equal(show_issue(&show, buf_span(&eve.identity), &eve.device, &bytes), ERR_OK);
    assert_int_equal(show_read(buf_span(&bytes), &read), ERR_OK);
    assert_false(show_fits(&read, &endorsement, &hash));
    buf_release(&bytes);
    buf_release(&bob.identity);
    buf_release(&eve.identity);
}

static void show_holds_for_at_most_ninety_days(void **state)
{
    struct endorsement_shower bob;
    struct show show = {.audience = AUDIENCE_PEERS, .made_s = 1790000000};
    struct buf bytes = {0};

    (void)state;
    endorsement_shower(2, &bob);
    show.until_s = show.made_s + SHOW_DAYS_MAX * day_s + 1;
    assert_int_equal(show_issue(&show, buf_span(&bob.identity), &bob.device, &bytes), ERR_INVALID);
    show.until_s = show.made_s;
    assert_int_equal(show_issue(&show, buf_span(&bob.identity), &bob.device, &bytes), ERR_INVALID);
    show.until_s = show.made_s + 1;
    show.audience = AUDIENCE_SUBJECT;
    assert_int_equal(show_issue(&show, buf_span(&bob.identity), &bob.device, &bytes), ERR_INVALID);
    show.audience = AUDIENCE_PEERS;
    assert_int_equal(show_issue(&show, buf_span(&bob.identity), &bob.device, &bytes), ERR_OK);
    buf_release(&bytes);
    buf_release(&bob.identity);
}

/* Root 0 shows nothing, and a device endorses nobody. */
static void endorsement_and_show_know_who_signs_what(void **state)
{
    struct endorsement_shower bob;
    struct endorsement endorsement;
    struct statement said;
    struct show show = {.audience = AUDIENCE_PEERS, .made_s = 1790000000, .until_s = 1790000001};
    struct buf bytes = {0}, body = {0};

    (void)state;
    endorsement_shower(2, &bob);
    assert_int_equal(show_issue(&show, buf_span(&bob.identity), &bob.device, &bytes), ERR_OK);
    assert_int_equal(statement_read("kith show", buf_span(&bytes), &said), ERR_OK);
    buf_append(&body, said.body);
    buf_clear(&bytes);
    assert_int_equal(statement_by_root("kith show", &bob.root, buf_span(&body), &bytes), ERR_OK);
    assert_int_equal(show_read(buf_span(&bytes), &show), ERR_FORGED);
    buf_clear(&bytes);
    buf_clear(&body);
    endorsement_example(&endorsement, &bob.root);
    assert_int_equal(endorsement_issue(&endorsement, &bob.root, &bytes), ERR_OK);
    assert_int_equal(statement_read("kith endorse", buf_span(&bytes), &said), ERR_OK);
    buf_append(&body, said.body);
    buf_clear(&bytes);
    assert_int_equal(statement_by_device("kith endorse", &bob.device, buf_span(&bob.identity),
                                         buf_span(&body), &bytes),
                     ERR_OK);
    assert_int_equal(endorsement_read(buf_span(&bytes), &endorsement), ERR_FORGED);
    buf_release(&bytes);
    buf_release(&body);
    buf_release(&bob.identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endorsement_is_read_as_it_was_written),
        cmocka_unit_test(endorsement_nothing_can_be_changed),
        cmocka_unit_test(endorsement_words_are_bounded),
        cmocka_unit_test(endorsement_tags_and_names_are_bounded),
        cmocka_unit_test(endorsement_times_and_kinds_are_bounded),
        cmocka_unit_test(endorsement_names_go_both_ways),
        cmocka_unit_test(show_fits_only_what_its_signer_may_show),
        cmocka_unit_test(show_holds_for_at_most_ninety_days),
        cmocka_unit_test(endorsement_and_show_know_who_signs_what),
    };

    if (secret_start() != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
