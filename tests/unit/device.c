/* Certificates and the chain from the root to a device: each link, each bound, each forgery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "proto/device.h"
#include "proto/limits.h"

enum { DEVICE_KEYS = 8 };

static struct signing_key device_key(uint8_t seed)
{
    uint8_t bytes[SEED_SIZE];
    struct signing_key key;

    assert_int_equal(secret_start(), ERR_OK);
    memset(bytes, seed, sizeof bytes);
    identity_signing_key(bytes, &key);
    return key;
}

static enum err device_certify_as(const struct signing_key *member,
                                  const struct signing_key *device, const struct signing_key *by,
                                  bool is_successor, struct span name, struct buf *out)
{
    struct certificate certificate = {.member = member->public_key,
                                      .device = device->public_key,
                                      .time_ms = 5,
                                      .is_successor = is_successor,
                                      .name = name};

    memset(certificate.static_key, 0x31, 32);
    memset(certificate.receiving_key, 0x32, 32);
    return certificate_issue(&certificate, by, out);
}

/* The statement by which `by` admits `device` for `member`. */
static enum err device_certify(const struct signing_key *member, const struct signing_key *device,
                               const struct signing_key *by, struct span name, struct buf *out)
{
    return device_certify_as(member, device, by, false, name, out);
}

static void a_certificate_is_read_as_it_was_issued(void **state)
{
    struct signing_key root = device_key(1), desk = device_key(2);
    struct certificate read;
    struct buf statement = {0};

    (void)state;
    assert_int_equal(device_certify(&root, &desk, &root, span_str("desk"), &statement), ERR_OK);
    assert_int_equal(certificate_read(buf_span(&statement), &read), ERR_OK);
    assert_true(public_key_is_equal(&read.member, &root.public_key));
    assert_true(public_key_is_equal(&read.device, &desk.public_key));
    assert_true(public_key_is_equal(&read.certifier, &root.public_key));
    assert_true(span_is_equal(read.name, span_str("desk")));
    assert_int_equal(read.time_ms, 5);
    assert_int_equal(read.static_key[0], 0x31);
    assert_false(read.is_successor);
    buf_release(&statement);
}

/* PROTOCOL CERT-1: "form 2 is a device's word that this one is its successor (RETIRE-12)." */
static void a_successor_is_certified_by_a_form_of_its_own(void **state)
{
    struct signing_key root = device_key(1), desk = device_key(2), next = device_key(3);
    struct certificate read;
    struct buf statement = {0};

    (void)state;
    assert_int_equal(device_certify_as(&root, &next, &desk, true, span_str("d"), &statement),
                     ERR_OK);
    assert_int_equal(certificate_read(buf_span(&statement), &read), ERR_OK);
    assert_true(read.is_successor);
    assert_int_equal(statement.data[4], 2); /* The form: 92 c4 size 98 02 */
    statement.data[4] = 1;
    assert_int_equal(certificate_read(buf_span(&statement), &read), ERR_FORGED);
    assert_int_equal(certificate_peek(buf_span(&statement), &read), ERR_OK);
    assert_false(read.is_successor);
    statement.data[4] = 3;
    assert_int_equal(certificate_peek(buf_span(&statement), &read), ERR_MALFORMED);
    buf_release(&statement);
}

static void no_bit_of_a_certificate_can_be_changed_nor_its_end_cut(void **state)
{
    struct signing_key root = device_key(1), desk = device_key(2);
    struct certificate read;
    struct buf statement = {0};

    (void)state;
    assert_int_equal(device_certify(&root, &desk, &root, span_str("desk"), &statement), ERR_OK);
    for (size_t bit = 0; bit < statement.size * 8; bit++) {
        enum err err;

        statement.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        err = certificate_read(buf_span(&statement), &read);
        assert_true(err == ERR_FORGED || err == ERR_MALFORMED);
        statement.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t size = 0; size < statement.size; size++)
        assert_int_equal(certificate_read(span_of(statement.data, size), &read), ERR_MALFORMED);
    buf_byte(&statement, 0);
    assert_int_equal(certificate_read(buf_span(&statement), &read), ERR_MALFORMED);
    buf_release(&statement);
}

static void a_name_has_32_bytes_at_most(void **state)
{
    struct signing_key root = device_key(1), desk = device_key(2);
    char name[DEVICE_NAME_SIZE_MAX + 1];
    struct certificate read;

    (void)state;
    memset(name, 'n', sizeof name);
    for (size_t size = DEVICE_NAME_SIZE_MAX; size <= sizeof name; size++) {
        struct buf statement = {0};

        assert_int_equal(device_certify(&root, &desk, &root, span_of(name, size), &statement),
                         size <= DEVICE_NAME_SIZE_MAX ? ERR_OK : ERR_LIMIT);
        if (size <= DEVICE_NAME_SIZE_MAX) {
            assert_true(statement.size <= CERTIFICATE_SIZE_MAX);
            assert_int_equal(certificate_read(buf_span(&statement), &read), ERR_OK);
        }
        buf_release(&statement);
    }
}

/* An identity whose certificates are by these keys in turn: keys[n + 1] by keys[by[n]], and by
 * form 2 where bit n of `successors` is set. */
static enum err device_line_of(const uint8_t *by, size_t count, unsigned successors,
                               const struct signing_key *member, const struct signing_key *stated,
                               struct device_chain *out)
{
    struct signing_key keys[DEVICE_KEYS];
    struct buf statements[DEVICE_KEYS] = {{0}}, identity = {0};
    struct span list[DEVICE_KEYS];
    struct span name = span_str("a name of thirty-two bytes, full");
    struct hash next_root = {{7}}, read;
    enum err err;

    for (uint8_t at = 0; at < DEVICE_KEYS; at++)
        keys[at] = device_key((uint8_t)(at + 1));
    for (size_t at = 0; at < count; at++) {
        assert_int_equal(device_certify_as(member, &keys[at + 1], &keys[by[at]],
                                           (successors >> at & 1) != 0, name, &statements[at]),
                         ERR_OK);
        list[at] = buf_span(&statements[at]);
    }
    device_put_identity(&stated->public_key, &next_root, list, count, &identity);
    assert_true(count > CHAIN_CERTIFICATES_MAX || identity.size <= IDENTITY_SIZE_MAX);
    err = device_read_identity(buf_span(&identity), out, &read);
    if (err == ERR_OK) {
        assert_int_equal(out->count, count);
        assert_true(public_key_is_equal(&device_of(out)->device, &keys[count].public_key));
        assert_memory_equal(read.bytes, next_root.bytes, HASH_SIZE);
    }
    for (size_t at = 0; at < count; at++)
        buf_release(&statements[at]);
    buf_release(&identity);
    return err;
}

static enum err device_chain_of(const uint8_t *by, size_t count, const struct signing_key *member,
                                const struct signing_key *stated, struct device_chain *out)
{
    return device_line_of(by, count, 0, member, stated, out);
}

static const uint8_t device_in_turn[] = {0, 1, 2, 3, 4, 5};

/* PROTOCOL CERT-2: "At most CHAIN_LENGTH_MAX certificates of form 1, and CHAIN_CERTIFICATES_MAX in
 * all, lead from the root to a device: a successor stands at the depth of the device before it." */
static void a_chain_has_one_to_three_links(void **state)
{
    struct signing_key root = device_key(1);
    struct device_chain chain;

    (void)state;
    for (size_t count = 0; count <= 6; count++)
        assert_int_equal(device_chain_of(device_in_turn, count, &root, &root, &chain),
                         count >= 1 && count <= CHAIN_LENGTH_MAX ? ERR_OK : ERR_MALFORMED);
}

/* Every way to mix six certificates or less, counted by hand. PROTOCOL CERT-2: "No certificate of
 * form 2 is by the root." */
static void a_successor_stands_at_the_depth_of_the_one_before(void **state)
{
    struct signing_key root = device_key(1);
    struct device_chain chain;

    (void)state;
    assert_int_equal(device_line_of(device_in_turn, 4, 0x08, &root, &root, &chain), ERR_OK);
    assert_int_equal(device_line_of(device_in_turn, 5, 0x18, &root, &root, &chain), ERR_OK);
    assert_int_equal(device_line_of(device_in_turn, 6, 0x38, &root, &root, &chain), ERR_MALFORMED);
    assert_int_equal(device_line_of(device_in_turn, 4, 0x00, &root, &root, &chain), ERR_MALFORMED);
    for (size_t count = 1; count <= 6; count++)
        for (unsigned successors = 0; successors < 1U << count; successors++) {
            size_t admitted = 0;
            bool is_good;

            for (size_t at = 0; at < count; at++)
                admitted += (successors >> at & 1) == 0;
            is_good = count <= 5 && admitted <= 3 && (successors & 1) == 0;
            assert_int_equal(
                device_line_of(device_in_turn, count, successors, &root, &root, &chain) == ERR_OK,
                is_good);
        }
}

/* PROTOCOL CERT-3: "The first certificate is by the root, each other by the device of the one
 * before it. All name the same member." */
static void a_link_by_somebody_else_breaks_the_chain(void **state)
{
    static const uint8_t first_by_other[] = {5}, second_by_root[] = {0, 0},
                         third_by_first[] = {0, 1, 1};
    static const uint8_t honest[] = {0, 1};
    struct signing_key root = device_key(1), other = device_key(6);
    struct device_chain chain;

    (void)state;
    assert_int_equal(device_chain_of(first_by_other, 1, &root, &root, &chain), ERR_FORGED);
    assert_int_equal(device_chain_of(second_by_root, 2, &root, &root, &chain), ERR_FORGED);
    assert_int_equal(device_chain_of(third_by_first, 3, &root, &root, &chain), ERR_FORGED);
    assert_int_equal(device_chain_of(honest, 2, &other, &root, &chain), ERR_FORGED);
    assert_int_equal(device_chain_of(honest, 2, &root, &other, &chain), ERR_FORGED);
    assert_int_equal(device_chain_of(honest, 2, &root, &root, &chain), ERR_OK);
}

static void an_identity_is_bounded_before_it_is_read(void **state)
{
    static uint8_t bytes[IDENTITY_SIZE_MAX + 1];
    struct device_chain chain;
    struct hash next_root;

    (void)state;
    assert_int_equal(device_read_identity(span_of(bytes, sizeof bytes), &chain, &next_root),
                     ERR_MALFORMED);
    assert_int_equal(device_read_identity(span_of(NULL, 0), &chain, &next_root), ERR_MALFORMED);
    assert_int_equal(chain.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_is_read_as_it_was_issued),
        cmocka_unit_test(a_successor_is_certified_by_a_form_of_its_own),
        cmocka_unit_test(no_bit_of_a_certificate_can_be_changed_nor_its_end_cut),
        cmocka_unit_test(a_name_has_32_bytes_at_most),
        cmocka_unit_test(a_chain_has_one_to_three_links),
        cmocka_unit_test(a_successor_stands_at_the_depth_of_the_one_before),
        cmocka_unit_test(a_link_by_somebody_else_breaks_the_chain),
        cmocka_unit_test(an_identity_is_bounded_before_it_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
