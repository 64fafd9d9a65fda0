/* Labelled BLAKE2b against another implementation (Python hashlib), SHA-2 and the bounds of HKDF.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/digest.h"
#include "crypto/secret.h"

static void digest_is_equal_to(const uint8_t *bytes, size_t size, const char *hex)
{
    char text[2 * 64 + 1];

    hex_write(span_of(bytes, size), text);
    assert_string_equal(text, hex);
}

static void digest_key(uint8_t out[static KEY_SIZE])
{
    for (size_t at = 0; at < KEY_SIZE; at++)
        out[at] = (uint8_t)at;
}

static void digest_is_blake2b_with_the_label_as_personalisation(void **state)
{
    struct span parts[2] = {span_str("one"), span_str("two")};
    struct span whole = span_str("onetwo");
    struct hash hash;

    (void)state;
    digest("kith test", parts, 2, &hash);
    digest_is_equal_to(hash.bytes, HASH_SIZE,
                       "905aeed624aebefbc476ba89254ed6d41886bb687ae03863b5520e152a1020b2");
    digest("kith test", &whole, 1, &hash);
    digest_is_equal_to(hash.bytes, HASH_SIZE,
                       "905aeed624aebefbc476ba89254ed6d41886bb687ae03863b5520e152a1020b2");
    digest("0123456789abcdef", NULL, 0, &hash);
    digest_is_equal_to(hash.bytes, HASH_SIZE,
                       "745c7fe5b8e12c96be18655ca261179a1774125f0018174f2a220f203da8fe47");
}

static void digest_keyed_gives_8_to_64_bytes(void **state)
{
    struct span parts[2] = {span_str("one"), span_str("two")};
    uint8_t key[KEY_SIZE], out[64];

    (void)state;
    digest_key(key);
    digest_keyed(key, "kith test", parts, 2, out, 8);
    digest_is_equal_to(out, 8, "dd17ce88e915edb8");
    digest_keyed(key, "kith test", parts, 2, out, 64);
    digest_is_equal_to(out, 64,
                       "f172935e6abeda392f9b71b0557c50590b999375541d4a14913aa769977fb357"
                       "84e647d912ae7da71f4041ef5acca30cdc438372858c629f1784ab0afb69ca73");
}

static void digest_derive_depends_on_label_and_context(void **state)
{
    uint8_t key[KEY_SIZE], out[KEY_SIZE], other[KEY_SIZE];

    (void)state;
    digest_key(key);
    digest_derive(key, "kith test", span_str("context"), out);
    digest_is_equal_to(out, KEY_SIZE,
                       "b65be463051e17bcf2f170ba6d5f65ab5f39d61daccc8ca110a979cd6c2f9e30");
    digest_derive(key, "kith test2", span_str("context"), other);
    assert_memory_not_equal(out, other, KEY_SIZE);
    digest_derive(key, "kith test", span_of(NULL, 0), other);
    assert_memory_not_equal(out, other, KEY_SIZE);
}

/* FIPS 180-4's "abc", in two parts. */
static void digest_sha_hash_joins_its_two_parts(void **state)
{
    uint8_t out[64];

    (void)state;
    assert_int_equal(digest_sha_size(DIGEST_SHA256), 32);
    assert_int_equal(digest_sha_size(DIGEST_SHA512), 64);
    digest_sha_hash(DIGEST_SHA256, span_str("a"), span_str("bc"), out);
    digest_is_equal_to(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha_hash(DIGEST_SHA512, span_str("abc"), span_of(NULL, 0), out);
    digest_is_equal_to(out, 64,
                       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

/* RFC 4231 case 2, which is stated for both. */
static void digest_hmac_takes_short_keys(void **state)
{
    uint8_t out[64];

    (void)state;
    digest_hmac(DIGEST_SHA256, span_str("Jefe"), span_str("what do ya want for nothing?"), out);
    digest_is_equal_to(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    digest_hmac(DIGEST_SHA512, span_str("Jefe"), span_str("what do ya want for nothing?"), out);
    digest_is_equal_to(out, 64,
                       "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                       "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

static void digest_hkdf_stops_at_255_hashes(void **state)
{
    static const enum digest_sha shas[] = {DIGEST_SHA256, DIGEST_SHA512};
    static uint8_t out[255 * 64 + 2], shorter[255 * 64];

    (void)state;
    for (size_t at = 0; at < 2; at++) {
        size_t bound = 255 * digest_sha_size(shas[at]);
        struct span none = span_of(NULL, 0), key = span_str("key");

        out[bound] = 0x5a;
        assert_int_equal(digest_hkdf(shas[at], key, none, none, shorter, bound - 1), ERR_OK);
        assert_int_equal(digest_hkdf(shas[at], key, none, none, out, bound), ERR_OK);
        assert_int_equal(out[bound], 0x5a);
        assert_memory_equal(out, shorter, bound - 1);
        memset(out, 0x5a, sizeof out);
        assert_int_equal(digest_hkdf(shas[at], key, none, none, out, bound + 1), ERR_LIMIT);
        assert_int_equal(out[0], 0x5a);
        assert_int_equal(digest_hkdf(shas[at], key, none, none, out, 0), ERR_OK);
        assert_int_equal(out[0], 0x5a);
    }
}

/* The first and the last of the vectors of the paper's authors, key 00 to 0f, message 00, 01, … */
static void digest_short_is_siphash(void **state)
{
    uint8_t bytes[64], out[8];

    (void)state;
    for (size_t at = 0; at < sizeof bytes; at++)
        bytes[at] = (uint8_t)at;
    be64_put(out, digest_short(bytes, span_of(NULL, 0)));
    digest_is_equal_to(out, sizeof out, "310e0edd47db6f72");
    be64_put(out, digest_short(bytes, span_of(bytes, 63)));
    digest_is_equal_to(out, sizeof out, "724506eb4c328a95");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_is_blake2b_with_the_label_as_personalisation),
        cmocka_unit_test(digest_keyed_gives_8_to_64_bytes),
        cmocka_unit_test(digest_derive_depends_on_label_and_context),
        cmocka_unit_test(digest_sha_hash_joins_its_two_parts),
        cmocka_unit_test(digest_hmac_takes_short_keys),
        cmocka_unit_test(digest_hkdf_stops_at_255_hashes),
        cmocka_unit_test(digest_short_is_siphash),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
