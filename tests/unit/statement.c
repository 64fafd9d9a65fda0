/* Statements: who said it, that nobody else can have, and that no purpose passes for another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "proto/limits.h"
#include "proto/statement.h"

static const char label[] = "kith test";

struct speaker {
    struct signing_key root, device;
    struct buf identity;
};

static void statement_seed(uint8_t seed, struct signing_key *out)
{
    uint8_t bytes[SEED_SIZE];

    memset(bytes, seed, sizeof bytes);
    identity_signing_key(bytes, out);
}

static void statement_certify(const struct signing_key *root, const struct signing_key *device,
                              struct buf *out)
{
    struct certificate certificate = {.member = root->public_key,
                                      .device = device->public_key,
                                      .time_ms = UINT64_C(1700000000000),
                                      .name = span_str("desk")};
    struct buf issued = {0};
    struct hash next = {{9}};
    struct span list;

    assert_int_equal(certificate_issue(&certificate, root, &issued), ERR_OK);
    list = buf_span(&issued);
    device_put_identity(&root->public_key, &next, &list, 1, out);
    assert_int_equal(buf_err(out), ERR_OK);
    buf_release(&issued);
}

static void statement_speaker(uint8_t seed, struct speaker *out)
{
    *out = (struct speaker){0};
    statement_seed(seed, &out->root);
    statement_seed(seed + 1, &out->device);
    statement_certify(&out->root, &out->device, &out->identity);
}

static void statement_by_root_names_the_member(void **state)
{
    struct statement statement;
    struct public_key member;
    struct speaker ana;
    struct buf bytes = {0};
    struct span body;

    (void)state;
    statement_speaker(1, &ana);
    assert_int_equal(statement_by_root(label, &ana.root, span_str("said"), &bytes), ERR_OK);
    assert_int_equal(statement_read(label, buf_span(&bytes), &statement), ERR_OK);
    assert_true(public_key_is_equal(&statement.member, &ana.root.public_key));
    assert_int_equal(statement.chain.count, 0);
    assert_true(span_is_equal(statement.body, span_str("said")));
    assert_int_equal(statement_peek(buf_span(&bytes), &member, &body), ERR_OK);
    assert_true(public_key_is_equal(&member, &ana.root.public_key));
    assert_true(span_is_equal(body, span_str("said")));
    buf_release(&bytes);
    buf_release(&ana.identity);
}

static void statement_by_device_carries_its_chain(void **state)
{
    struct statement statement;
    struct public_key member;
    struct speaker ana;
    struct buf bytes = {0};
    struct span body;

    (void)state;
    statement_speaker(1, &ana);
    assert_int_equal(
        statement_by_device(label, &ana.device, buf_span(&ana.identity), span_str("said"), &bytes),
        ERR_OK);
    assert_int_equal(statement_read(label, buf_span(&bytes), &statement), ERR_OK);
    assert_true(public_key_is_equal(&statement.member, &ana.root.public_key));
    assert_int_equal(statement.chain.count, 1);
    assert_true(public_key_is_equal(&device_of(&statement.chain)->device, &ana.device.public_key));
    assert_int_equal(statement.next_root.bytes[0], 9);
    assert_true(span_is_equal(statement.identity, buf_span(&ana.identity)));
    assert_int_equal(statement_peek(buf_span(&bytes), &member, &body), ERR_OK);
    assert_true(public_key_is_equal(&member, &ana.root.public_key));
    /* The root has no chain to carry: with one it is another device's. */
    assert_int_equal(
        statement_by_device(label, &ana.root, buf_span(&ana.identity), span_str("x"), &bytes),
        ERR_INVALID);
    buf_release(&bytes);
    buf_release(&ana.identity);
}

/* Another label, and every single changed byte, is refused. */
static void statement_nothing_can_be_changed(void **state)
{
    struct statement statement;
    struct speaker ana;
    struct buf bytes = {0};

    (void)state;
    statement_speaker(1, &ana);
    assert_int_equal(
        statement_by_device(label, &ana.device, buf_span(&ana.identity), span_str("said"), &bytes),
        ERR_OK);
    assert_int_equal(statement_read("kith other", buf_span(&bytes), &statement), ERR_FORGED);
    for (size_t at = 0; at < bytes.size; at++) {
        bytes.data[at] ^= 1;
        assert_int_not_equal(statement_read(label, buf_span(&bytes), &statement), ERR_OK);
        bytes.data[at] ^= 1;
    }
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_not_equal(statement_read(label, span_of(bytes.data, size), &statement), ERR_OK);
    buf_release(&bytes);
    buf_release(&ana.identity);
}

/* Somebody certifies another member's device and passes its words off as said for themselves. */
static void statement_of_a_device_two_members_certify_speaks_for_one(void **state)
{
    struct speaker ana, mallory;
    struct buf stolen = {0}, said = {0}, forged = {0};
    struct statement statement;

    (void)state;
    statement_speaker(1, &ana);
    statement_speaker(5, &mallory);
    statement_certify(&mallory.root, &ana.device, &stolen);
    assert_int_equal(
        statement_by_device(label, &ana.device, buf_span(&ana.identity), span_str("said"), &said),
        ERR_OK);
    assert_int_equal(statement_read(label, buf_span(&said), &statement), ERR_OK);
    wire_put_array(&forged, 3);
    wire_put_bin(&forged, buf_span(&stolen));
    wire_put_bin(&forged, statement.body);
    wire_put_bin(&forged, span_of(said.data + said.size - SIGNATURE_SIZE, SIGNATURE_SIZE));
    assert_int_equal(statement_read(label, buf_span(&forged), &statement), ERR_FORGED);
    buf_release(&stolen);
    buf_release(&said);
    buf_release(&forged);
    buf_release(&ana.identity);
    buf_release(&mallory.identity);
}

static void statement_bodies_are_bounded(void **state)
{
    struct statement statement;
    struct speaker ana;
    struct buf body = {0}, bytes = {0};

    (void)state;
    statement_speaker(1, &ana);
    assert_non_null(buf_grow(&body, STATEMENT_BODY_SIZE_MAX));
    memset(body.data, 'x', body.size);
    assert_int_equal(
        statement_by_device(label, &ana.device, buf_span(&ana.identity), buf_span(&body), &bytes),
        ERR_OK);
    assert_int_equal(statement_read(label, buf_span(&bytes), &statement), ERR_OK);
    buf_clear(&bytes);
    buf_byte(&body, 'x');
    assert_int_equal(statement_by_root(label, &ana.root, buf_span(&body), &bytes), ERR_LIMIT);
    assert_int_equal(bytes.size, 0);
    buf_release(&body);
    buf_release(&bytes);
    buf_release(&ana.identity);
}

static void statement_ids_are_of_the_exact_bytes(void **state)
{
    struct id one, two;

    (void)state;
    statement_id(span_str("a"), &one);
    statement_id(span_str("a"), &two);
    assert_true(id_is_equal(&one, &two));
    statement_id(span_str("b"), &two);
    assert_false(id_is_equal(&one, &two));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statement_by_root_names_the_member),
        cmocka_unit_test(statement_by_device_carries_its_chain),
        cmocka_unit_test(statement_nothing_can_be_changed),
        cmocka_unit_test(statement_of_a_device_two_members_certify_speaks_for_one),
        cmocka_unit_test(statement_bodies_are_bounded),
        cmocka_unit_test(statement_ids_are_of_the_exact_bytes),
    };

    if (secret_start() != ERR_OK)
        return 1;
    return cmocka_run_group_tests_name("statement", tests, NULL, NULL);
}
