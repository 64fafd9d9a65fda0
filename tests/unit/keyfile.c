/* The key file: what is written is read, and each kind of failure has its own word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>

#include "crypto/keyfile.h"
#include "crypto/seal.h"
#include "crypto/secret.h"
#include "tests/unit/heap_failing.h"

enum { FILE_SIZE = 96 + 512 + 16 };

static const struct keyfile_cost keyfile_least = {.ops = 1, .memory_kib = 8};

static void keyfile_fixed_fill(void *self, uint8_t *out, size_t size)
{
    memset(out, *(const uint8_t *)self, size);
}

static void keyfile_secrets(struct device_secrets *out)
{
    struct signing_key root;

    memset(out, 0, sizeof *out);
    out->has_root = true;
    memset(out->root_seed, 1, 32);
    memset(out->signing_seed, 2, 32);
    memset(out->static_seed, 3, 32);
    memset(out->receiving_seed, 4, 32);
    memset(out->local_key, 5, 32);
    memset(out->incarnation, 6, 16);
    memset(out->recovery_public, 7, 32);
    memset(out->next_root_hash.bytes, 8, 32);
    identity_signing_key(out->root_seed, &root);
    out->member = root.public_key;
    out->created_at_ms = 0x0102030405060708;
}

static void keyfile_of(const char *passphrase, struct buf *out)
{
    uint8_t fill = 0x33;
    struct entropy entropy = {.fill = keyfile_fixed_fill, .self = &fill};
    struct device_secrets secrets;

    keyfile_secrets(&secrets);
    assert_int_equal(keyfile_write(&secrets, span_str(passphrase), keyfile_least, &entropy, out),
                     ERR_OK);
    assert_int_equal(out->size, FILE_SIZE);
}

/* Both were zeroed first, so padding compares too. */
static void keyfile_reads(struct span file, const char *passphrase)
{
    struct device_secrets expected, read;

    keyfile_secrets(&expected);
    memset(&read, 0, sizeof read);
    assert_int_equal(keyfile_read(file, span_str(passphrase), &read), ERR_OK);
    assert_memory_equal(&read, &expected, sizeof read);
}

static void keyfile_fails(struct span file, const char *passphrase, enum err err)
{
    struct device_secrets read, before;

    memset(&read, 0x5a, sizeof read);
    memset(&before, 0x5a, sizeof before);
    assert_int_equal(keyfile_read(file, span_str(passphrase), &read), err);
    assert_memory_equal(&read, &before, sizeof read);
}

/* Makes the header's checksum fit again, as a hostile or newer writer would. */
static void keyfile_mend(struct buf *file)
{
    struct span parts[2] = {span_of(file->data, 36), span_of(file->data + 60, 36)};
    struct hash hash;

    digest("kith file header", parts, 2, &hash);
    memcpy(file->data + 36, hash.bytes, 24);
}

static void keyfile_read_reads_what_keyfile_write_writes(void **state)
{
    struct buf file = {0};

    (void)state;
    keyfile_of("", &file);
    assert_false(keyfile_is_protected(buf_span(&file)));
    keyfile_reads(buf_span(&file), "");
    keyfile_reads(buf_span(&file), "not looked at");
    buf_clear(&file);
    keyfile_of("correct horse", &file);
    assert_true(keyfile_is_protected(buf_span(&file)));
    keyfile_reads(buf_span(&file), "correct horse");
    buf_release(&file);
}

static void keyfile_write_appends(void **state)
{
    struct buf file = {0};
    uint8_t fill = 0x33;
    struct entropy entropy = {.fill = keyfile_fixed_fill, .self = &fill};
    struct device_secrets secrets;

    (void)state;
    keyfile_secrets(&secrets);
    buf_append(&file, span_str("before"));
    assert_int_equal(keyfile_write(&secrets, span_str(""), keyfile_least, &entropy, &file), ERR_OK);
    buf_drop(&file, 6);
    keyfile_reads(buf_span(&file), "");
    buf_release(&file);
}

static void keyfile_keeps_no_root_seed_that_is_not_there(void **state)
{
    uint8_t fill = 1;
    struct entropy entropy = {.fill = keyfile_fixed_fill, .self = &fill};
    struct device_secrets secrets, read = {0};
    static const uint8_t zeros[32];
    struct buf file = {0};

    (void)state;
    keyfile_secrets(&secrets);
    secrets.has_root = false;
    assert_int_equal(keyfile_write(&secrets, span_str(""), keyfile_least, &entropy, &file), ERR_OK);
    memset(&read, 0x5a, sizeof read);
    assert_int_equal(keyfile_read(buf_span(&file), span_str(""), &read), ERR_OK);
    assert_false(read.has_root);
    assert_memory_equal(read.root_seed, zeros, 32);
    assert_memory_equal(read.signing_seed, secrets.signing_seed, 32);
    buf_release(&file);
}

/* Reads the bytes by the table in PROTOCOL "Key file" with libsodium alone. */
static void keyfile_layout_is_the_protocols(void **state)
{
    static const uint8_t header[20] = {'k', 'i', 't', 'h', 'k', 'e', 'y', 0, 0, 1,
                                       1,   0,   0,   0,   0,   1,   0,   0, 0, 8};
    struct buf file = {0};
    uint8_t key[32], plain[512];
    struct hash commitment;
    struct signing_key root;

    (void)state;
    keyfile_of("pass", &file);
    assert_memory_equal(file.data, header, sizeof header);
    assert_int_equal(be32(file.data + 92), 528);
    assert_int_equal(
        crypto_pwhash(key, 32, "pass", 4, file.data + 20, 1, 8192, crypto_pwhash_ALG_ARGON2ID13),
        0);
    seal_commitment(key, &commitment);
    assert_memory_equal(file.data + 60, commitment.bytes, HASH_SIZE);
    assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, file.data + 96,
                                                                528, file.data, 96, file.data + 36,
                                                                key),
                     0);
    assert_int_equal(plain[0], 1);
    for (size_t at = 1; at < 161; at++)
        assert_int_equal(plain[at], 1 + (at - 1) / 32);
    assert_int_equal(plain[161], 6);
    assert_int_equal(plain[177], 7);
    assert_int_equal(plain[209], 8);
    identity_signing_key(plain + 1, &root);
    assert_memory_equal(plain + 241, root.public_key.bytes, 32);
    assert_true(be64(plain + 273) == 0x0102030405060708);
    for (size_t at = 281; at < 512; at++)
        assert_int_equal(plain[at], 0);
    buf_release(&file);
}

static void keyfile_read_tells_a_wrong_passphrase_from_damage(void **state)
{
    struct buf file = {0};

    (void)state;
    keyfile_of("pass", &file);
    keyfile_fails(buf_span(&file), "", ERR_LOCKED);
    keyfile_fails(buf_span(&file), "Pass", ERR_LOCKED);
    keyfile_fails(buf_span(&file), "pass ", ERR_LOCKED);
    file.data[600] ^= 1;
    keyfile_fails(buf_span(&file), "pass", ERR_CORRUPT);
    assert_true(keyfile_is_protected(buf_span(&file)));
    buf_release(&file);
}

/* Every bit of both kinds of file, with the right passphrase: no damage is taken for a wrong one.
 * The only other word is that of a version number that grew. */
static void keyfile_read_finds_each_changed_bit(void **state)
{
    static const char *const passphrases[] = {"", "pass"};
    size_t count = 0, newer = 0;

    (void)state;
    for (size_t kind = 0; kind < 2; kind++) {
        struct buf file = {0};

        keyfile_of(passphrases[kind], &file);
        for (size_t bit = 0; bit < FILE_SIZE * 8; bit++) {
            bool is_version = bit / 8 == 8 || (bit / 8 == 9 && bit % 8 != 0);

            file.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
            keyfile_fails(buf_span(&file), passphrases[kind],
                          is_version ? ERR_VERSION : ERR_CORRUPT);
            file.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
            count++;
            newer += is_version ? 1 : 0;
        }
        keyfile_reads(buf_span(&file), passphrases[kind]);
        buf_release(&file);
    }
    assert_int_equal(count, 2 * 8 * FILE_SIZE);
    assert_int_equal(newer, 30);
}

static void keyfile_read_finds_each_cut(void **state)
{
    struct buf file = {0};
    size_t count = 0;

    (void)state;
    keyfile_of("pass", &file);
    for (size_t size = 0; size < FILE_SIZE; size++, count++) {
        keyfile_fails(span_of(file.data, size), "pass", ERR_CORRUPT);
        assert_false(keyfile_is_protected(span_of(file.data, size)));
    }
    assert_int_equal(count, FILE_SIZE);
    buf_byte(&file, 0);
    keyfile_fails(buf_span(&file), "pass", ERR_CORRUPT);
    keyfile_fails(span_of(NULL, 0), "pass", ERR_CORRUPT);
    buf_release(&file);
}

static void keyfile_read_judges_a_mended_header(void **state)
{
    static const struct {
        size_t at;
        uint32_t value; /* written as u32 */
        enum err err;
    } cases[] = {
        {8, 0x00020100, ERR_VERSION}, /* version 2 */
        {8, 0x00000100, ERR_CORRUPT}, /* version 0 */
        {8, 0x00010200, ERR_VERSION}, /* kdf 2 */
        {8, 0x00010101, ERR_VERSION}, /* flag */
        {8, 0x00010000, ERR_CORRUPT}, /* no kdf, but costs */
        {12, 0, ERR_CORRUPT},         /* ops: 0 */
        {12, 16, ERR_LOCKED},         /* the most, under which the passphrase is wrong */
        {12, 17, ERR_LIMIT},
        {12, UINT32_MAX, ERR_LIMIT},
        {16, 7, ERR_CORRUPT}, /* memory: less than Argon2 takes */
        {16, 9, ERR_LOCKED},
        {16, 2097153, ERR_LIMIT},
        {16, UINT32_MAX, ERR_LIMIT},
        {92, 527, ERR_CORRUPT}, /* length */
        {92, 529, ERR_CORRUPT},
        {60, 0, ERR_LOCKED}, /* commitment: the header is whole, the key another */
    };

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct buf file = {0};

        keyfile_of("pass", &file);
        be32_put(file.data + cases[at].at, cases[at].value);
        keyfile_mend(&file);
        keyfile_fails(buf_span(&file), "pass", cases[at].err);
        buf_release(&file);
    }
}

static void keyfile_write_refuses_what_could_not_be_read(void **state)
{
    static const struct {
        struct keyfile_cost cost;
        size_t passphrase_size;
        enum err err;
    } cases[] = {
        {{1, 8}, PASSPHRASE_SIZE_MAX - 1, ERR_OK},
        {{1, 8}, PASSPHRASE_SIZE_MAX, ERR_OK},
        {{1, 8}, PASSPHRASE_SIZE_MAX + 1, ERR_LIMIT},
        {{0, 8}, 1, ERR_INVALID},
        {{1, 7}, 1, ERR_INVALID},
        {{16, 8}, 1, ERR_OK},
        {{17, 8}, 1, ERR_LIMIT},
        {{1, 2097153}, 1, ERR_LIMIT},
        {{0, 0}, 0, ERR_OK}, /* no passphrase, no cost */
    };
    static const char passphrase[PASSPHRASE_SIZE_MAX + 1];
    uint8_t fill = 1;
    struct entropy entropy = {.fill = keyfile_fixed_fill, .self = &fill};
    struct device_secrets secrets;

    (void)state;
    keyfile_secrets(&secrets);
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct buf file = {0};
        struct span given = span_of(passphrase, cases[at].passphrase_size);

        assert_int_equal(keyfile_write(&secrets, given, cases[at].cost, &entropy, &file),
                         cases[at].err);
        assert_int_equal(file.size, cases[at].err == ERR_OK ? FILE_SIZE : 0);
        buf_release(&file);
    }
}

/* Two machines that wake with the same random state must not use one key for two contents. */
static void keyfile_salt_follows_content_as_well_as_entropy(void **state)
{
    uint8_t fill = 1;
    struct entropy entropy = {.fill = keyfile_fixed_fill, .self = &fill};
    struct buf first = {0}, second = {0}, third = {0};
    struct device_secrets secrets;

    (void)state;
    keyfile_secrets(&secrets);
    assert_int_equal(keyfile_write(&secrets, span_str(""), keyfile_least, &entropy, &first),
                     ERR_OK);
    secrets.created_at_ms++;
    assert_int_equal(keyfile_write(&secrets, span_str(""), keyfile_least, &entropy, &second),
                     ERR_OK);
    fill = 2;
    assert_int_equal(keyfile_write(&secrets, span_str(""), keyfile_least, &entropy, &third),
                     ERR_OK);
    assert_memory_not_equal(first.data + 20, second.data + 20, 16);
    assert_memory_not_equal(second.data + 20, third.data + 20, 16);
    buf_release(&first);
    buf_release(&second);
    buf_release(&third);
}

static void keyfile_cost_default_is_libsodiums_moderate(void **state)
{
    (void)state;
    assert_int_equal(keyfile_cost_default().ops, crypto_pwhash_OPSLIMIT_MODERATE);
    assert_int_equal(keyfile_cost_default().memory_kib, crypto_pwhash_MEMLIMIT_MODERATE / 1024);
}

static void keyfile_write_says_when_there_is_no_memory(void **state)
{
    uint8_t fill = 1;
    struct entropy entropy = {.fill = keyfile_fixed_fill, .self = &fill};
    struct device_secrets secrets;
    struct buf file = {0};

    (void)state;
    keyfile_secrets(&secrets);
    heap_failing_after(0);
    assert_int_equal(keyfile_write(&secrets, span_str(""), keyfile_least, &entropy, &file),
                     ERR_NOMEM);
    heap_failing_after(SIZE_MAX);
    assert_int_equal(file.size, 0);
    buf_release(&file);
}

/* PROTOCOL FILE-10: "a plaintext other than FILE-2, means damage." */
static void keyfile_read_refuses_another_members_root(void **state)
{
    uint8_t fill = 0x33;
    struct entropy entropy = {.fill = keyfile_fixed_fill, .self = &fill};
    struct device_secrets secrets, read;
    struct buf file = {0};

    (void)state;
    keyfile_secrets(&secrets);
    secrets.member.bytes[0] ^= 1;
    assert_int_equal(keyfile_write(&secrets, span_of(NULL, 0), keyfile_least, &entropy, &file),
                     ERR_OK);
    assert_int_equal(keyfile_read(buf_span(&file), span_of(NULL, 0), &read), ERR_CORRUPT);
    buf_release(&file);
}

/* The member follows from the recovery seed alone, the device from fresh randomness. */
static void keyfile_draw_makes_a_new_device_of_the_seeds_member(void **state)
{
    static const uint8_t seed[SEED_SIZE] = {4};
    uint8_t one_fill = 1, other_fill = 2, root[SEED_SIZE], recovery[SEED_SIZE];
    const struct entropy one_entropy = {.fill = keyfile_fixed_fill, .self = &one_fill};
    const struct entropy other_entropy = {.fill = keyfile_fixed_fill, .self = &other_fill};
    struct device_secrets one = {0}, other = {0};
    struct exchange_key recovery_key;
    struct signing_key member;

    (void)state;
    assert_int_equal(keyfile_draw(seed, &one_entropy, 5, &one), ERR_OK);
    assert_int_equal(keyfile_draw(seed, &other_entropy, 6, &other), ERR_OK);
    identity_root_seed(seed, 0, root);
    identity_signing_key(root, &member);
    identity_recovery_seed(seed, recovery);
    identity_exchange_key(recovery, &recovery_key);
    assert_true(one.has_root);
    assert_int_equal(one.created_at_ms, 5);
    assert_memory_equal(one.root_seed, root, 32);
    assert_true(public_key_is_equal(&one.member, &member.public_key));
    assert_true(public_key_is_equal(&one.member, &other.member));
    assert_memory_equal(one.recovery_public, recovery_key.public_key, 32);
    assert_memory_equal(one.next_root_hash.bytes, other.next_root_hash.bytes, HASH_SIZE);
    assert_memory_not_equal(one.signing_seed, other.signing_seed, 32);
    assert_memory_not_equal(one.local_key, other.local_key, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyfile_read_reads_what_keyfile_write_writes),
        cmocka_unit_test(keyfile_write_appends),
        cmocka_unit_test(keyfile_read_refuses_another_members_root),
        cmocka_unit_test(keyfile_draw_makes_a_new_device_of_the_seeds_member),
        cmocka_unit_test(keyfile_keeps_no_root_seed_that_is_not_there),
        cmocka_unit_test(keyfile_layout_is_the_protocols),
        cmocka_unit_test(keyfile_read_tells_a_wrong_passphrase_from_damage),
        cmocka_unit_test(keyfile_read_finds_each_changed_bit),
        cmocka_unit_test(keyfile_read_finds_each_cut),
        cmocka_unit_test(keyfile_read_judges_a_mended_header),
        cmocka_unit_test(keyfile_write_refuses_what_could_not_be_read),
        cmocka_unit_test(keyfile_salt_follows_content_as_well_as_entropy),
        cmocka_unit_test(keyfile_cost_default_is_libsodiums_moderate),
        cmocka_unit_test(keyfile_write_says_when_there_is_no_memory),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
