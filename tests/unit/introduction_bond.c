/* What two introduced people derive: the same on both sides, nothing for anybody else, and a hello
 * that fits one introduction, one sender and one pair of bundles only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "proto/introduction_bond.h"

struct person {
    struct signing_key root, device;
    struct exchange_key key, ephemeral;
    struct buf identity;
    struct introduction_bundle bundle;
};

static const struct public_key introducer = {{77}};
static const struct id meeting = {{5}};

static void bond_person(uint8_t seed, struct person *out)
{
    struct certificate certificate = {.time_ms = 1, .name = span_str("desk")};
    struct buf issued = {0};
    struct hash next = {{9}};
    uint8_t bytes[SEED_SIZE];
    struct span list;

    *out = (struct person){.bundle = {.offer = {{seed}}, .yes = {{(uint8_t)(seed + 1)}}}};
    memset(bytes, seed, sizeof bytes);
    identity_signing_key(bytes, &out->root);
    introduction_bond_keys(bytes, &introducer, &meeting, &out->key, &out->ephemeral);
    memset(bytes, seed + 100, sizeof bytes);
    identity_signing_key(bytes, &out->device);
    certificate.member = out->root.public_key;
    certificate.device = out->device.public_key;
    assert_int_equal(certificate_issue(&certificate, &out->root, &issued), ERR_OK);
    list = buf_span(&issued);
    device_put_identity(&out->root.public_key, &next, &list, 1, &out->identity);
    out->bundle.root = out->root.public_key;
    memcpy(out->bundle.key, out->key.public_key, 32);
    memcpy(out->bundle.ephemeral, out->ephemeral.public_key, 32);
    buf_release(&issued);
}

static enum err bond_agree(const struct id *id, const struct person *mine,
                           const struct introduction_bundle *theirs, struct introduction_bond *out)
{
    return introduction_bond_agree(&introducer, id, &mine->bundle, theirs, &mine->key,
                                   &mine->ephemeral, out);
}

static void bond_say(const struct introduction_bond *bond, const struct person *person,
                     struct buf *out)
{
    struct introduction_hello hello = {.identity = buf_span(&person->identity),
                                       .pair_space = {{1}},
                                       .card_space = {{2}},
                                       .name = span_str("Ana"),
                                       .message = span_str("Glad to meet you.")};

    assert_int_equal(
        introduction_bond_seal(bond, &hello, &person->root.public_key, &person->device, out),
        ERR_OK);
}

static void bond_is_the_same_on_both_sides(void **state)
{
    uint8_t left[KEY_SIZE], right[KEY_SIZE], calls[2][INVITATION_SECRET_SIZE];
    struct introduction_bond a, b;
    struct introduction_hello heard;
    struct person ana, bruno;
    struct buf sealed = {0}, plain = {0};

    (void)state;
    bond_person(1, &ana);
    bond_person(2, &bruno);
    assert_int_equal(bond_agree(&meeting, &ana, &bruno.bundle, &a), ERR_OK);
    assert_int_equal(bond_agree(&meeting, &bruno, &ana.bundle, &b), ERR_OK);
    introduction_bond_secret(&a, left);
    introduction_bond_secret(&b, right);
    assert_memory_equal(left, right, KEY_SIZE);
    introduction_bond_call(&a, calls[0]);
    introduction_bond_call(&b, calls[1]);
    assert_memory_equal(calls[0], calls[1], INVITATION_SECRET_SIZE);
    bond_say(&a, &ana, &sealed);
    assert_int_equal(
        introduction_bond_open(&b, &ana.root.public_key, buf_span(&sealed), &plain, &heard),
        ERR_OK);
    assert_true(span_is_equal(heard.name, span_str("Ana")));
    assert_true(span_is_equal(heard.message, span_str("Glad to meet you.")));
    assert_true(public_key_is_equal(&heard.chain.member, &ana.root.public_key));
    assert_false(heard.is_linked);
    buf_release(&sealed);
    buf_release(&plain);
    buf_release(&ana.identity);
    buf_release(&bruno.identity);
}

static void bond_expect_shut(const struct introduction_bond *bond, const struct person *sender,
                             struct span sealed)
{
    struct introduction_hello heard;
    struct buf plain = {0};

    assert_int_equal(introduction_bond_open(bond, &sender->root.public_key, sealed, &plain, &heard),
                     ERR_FORGED);
    buf_release(&plain);
}

/* Another introduction, another sender, another bundle, any changed byte, my own hello sent back.
 */
static void bond_opens_for_exactly_one_meeting(void **state)
{
    static const struct id other_meeting = {{6}};
    struct introduction_bond a, b, c;
    struct introduction_bundle altered;
    struct person ana, bruno, mallory;
    struct buf sealed = {0};

    (void)state;
    bond_person(1, &ana);
    bond_person(2, &bruno);
    bond_person(3, &mallory);
    assert_int_equal(bond_agree(&meeting, &ana, &bruno.bundle, &a), ERR_OK);
    assert_int_equal(bond_agree(&meeting, &bruno, &ana.bundle, &b), ERR_OK);
    bond_say(&a, &ana, &sealed);
    assert_int_equal(bond_agree(&other_meeting, &bruno, &ana.bundle, &c), ERR_OK);
    bond_expect_shut(&c, &ana, buf_span(&sealed));
    altered = ana.bundle;
    altered.yes.bytes[0] ^= 1;
    assert_int_equal(bond_agree(&meeting, &bruno, &altered, &c), ERR_OK);
    bond_expect_shut(&c, &ana, buf_span(&sealed));
    assert_int_equal(bond_agree(&meeting, &mallory, &ana.bundle, &c), ERR_OK);
    bond_expect_shut(&c, &ana, buf_span(&sealed));
    bond_expect_shut(&b, &mallory, buf_span(&sealed));
    bond_expect_shut(&a, &bruno, buf_span(&sealed));
    for (size_t at = 0; at < sealed.size; at += 7) {
        sealed.data[at] ^= 1;
        bond_expect_shut(&b, &ana, buf_span(&sealed));
        sealed.data[at] ^= 1;
    }
    buf_release(&sealed);
    buf_release(&ana.identity);
    buf_release(&bruno.identity);
    buf_release(&mallory.identity);
}

/* Whoever holds the bond but not the device cannot say hello as that device. */
static void bond_hellos_are_signed_by_the_device(void **state)
{
    struct introduction_bond a, b;
    struct person ana, bruno;
    struct buf sealed = {0};

    (void)state;
    bond_person(1, &ana);
    bond_person(2, &bruno);
    assert_int_equal(bond_agree(&meeting, &ana, &bruno.bundle, &a), ERR_OK);
    assert_int_equal(bond_agree(&meeting, &bruno, &ana.bundle, &b), ERR_OK);
    ana.device = bruno.device;
    bond_say(&a, &ana, &sealed);
    bond_expect_shut(&b, &ana, buf_span(&sealed));
    buf_release(&sealed);
    buf_release(&ana.identity);
    buf_release(&bruno.identity);
}

static void bond_refuses_keys_of_low_order(void **state)
{
    struct introduction_bond bond;
    struct introduction_bundle low;
    struct person ana, bruno;

    (void)state;
    bond_person(1, &ana);
    bond_person(2, &bruno);
    low = bruno.bundle;
    memset(low.ephemeral, 0, sizeof low.ephemeral);
    assert_int_equal(bond_agree(&meeting, &ana, &low, &bond), ERR_FORGED);
    low = bruno.bundle;
    memset(low.key, 0, sizeof low.key);
    assert_int_equal(bond_agree(&meeting, &ana, &low, &bond), ERR_FORGED);
    buf_release(&ana.identity);
    buf_release(&bruno.identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bond_is_the_same_on_both_sides),
        cmocka_unit_test(bond_opens_for_exactly_one_meeting),
        cmocka_unit_test(bond_hellos_are_signed_by_the_device),
        cmocka_unit_test(bond_refuses_keys_of_low_order),
    };

    if (secret_start() != ERR_OK)
        return 1;
    return cmocka_run_group_tests_name("introduction_bond", tests, NULL, NULL);
}
