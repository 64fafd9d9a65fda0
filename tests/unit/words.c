/* Recovery words as people type them, and safety words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "crypto/words.h"

#define WORDS_22                                                                                   \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "     \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "

static void words_read_recovery_forgives_case_and_white_space(void **state)
{
    static const char *const cases[] = {
        WORDS_22 "abandon art",
        "  " WORDS_22 " abandon\tart\n",
        "\r\n" WORDS_22 "\v\f abandon\r\nART ",
        WORDS_22 "ABANDON Art",
    };
    static const uint8_t zeros[SEED_SIZE];

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        uint8_t seed[SEED_SIZE];

        memset(seed, 0x5a, sizeof seed);
        assert_int_equal(words_read_recovery(span_str(cases[at]), seed), ERR_OK);
        assert_memory_equal(seed, zeros, SEED_SIZE);
    }
}

static void words_read_recovery_tells_a_wrong_list_from_a_wrong_word(void **state)
{
    static const struct {
        const char *text;
        enum err err;
    } cases[] = {
        {"", ERR_INVALID},
        {"   ", ERR_INVALID},
        {WORDS_22 "art", ERR_INVALID},                 /* 23 words */
        {WORDS_22 "abandon abandon art", ERR_INVALID}, /* 25 words */
        {WORDS_22 "abandon art x", ERR_INVALID},       /* something behind */
        {WORDS_22 "abandon arts", ERR_INVALID},        /* no word of the list */
        {WORDS_22 "aban art", ERR_INVALID},            /* four letters are not enough */
        {WORDS_22 "abandonabandon art", ERR_INVALID},  /* longer than any word */
        {WORDS_22 "abandon,art", ERR_INVALID},
        {WORDS_22 "abandon \xc3\xa1rt", ERR_INVALID},
        {WORDS_22 "abandon abandon", ERR_FORGED},
        {WORDS_22 "ability art", ERR_FORGED},
        {WORDS_22 "abandon zoo", ERR_FORGED},
    };
    static const char zero[] = WORDS_22 "abandon ar\0t";

    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        uint8_t seed[SEED_SIZE];

        memset(seed, 0x5a, sizeof seed);
        assert_int_equal(words_read_recovery(span_str(cases[at].text), seed), cases[at].err);
        assert_int_equal(seed[0], 0x5a);
    }
    assert_int_equal(words_read_recovery(span_of(zero, sizeof zero - 1), (uint8_t[SEED_SIZE]){0}),
                     ERR_INVALID);
    (void)state;
}

static void words_read_recovery_reads_what_words_recovery_writes(void **state)
{
    uint8_t seed[SEED_SIZE] = {0}, read[SEED_SIZE];
    char text[WORDS_RECOVERY_SIZE];

    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        struct hash hash;
        struct span part = span_of(seed, SEED_SIZE);

        words_recovery(seed, text);
        assert_true(strlen(text) < WORDS_RECOVERY_SIZE);
        assert_int_equal(words_read_recovery(span_str(text), read), ERR_OK);
        assert_memory_equal(read, seed, SEED_SIZE);
        digest("kith test", &part, 1, &hash);
        memcpy(seed, hash.bytes, SEED_SIZE);
    }
}

/* Computed with Python hashlib from the rule in PROTOCOL "Recovery and safety words". */
static void words_safety_are_the_same_on_both_sides(void **state)
{
    struct public_key ana = {{0}}, ben, cem;
    char left[WORDS_SAFETY_SIZE], right[WORDS_SAFETY_SIZE];

    (void)state;
    memset(ben.bytes, 1, sizeof ben.bytes);
    memset(cem.bytes, 2, sizeof cem.bytes);
    words_safety(&ana, &ben, left);
    assert_string_equal(left, "fortune copy explain innocent company boost world away");
    words_safety(&ben, &ana, right);
    assert_string_equal(left, right);
    words_safety(&ana, &cem, right);
    assert_string_not_equal(left, right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_read_recovery_forgives_case_and_white_space),
        cmocka_unit_test(words_read_recovery_tells_a_wrong_list_from_a_wrong_word),
        cmocka_unit_test(words_read_recovery_reads_what_words_recovery_writes),
        cmocka_unit_test(words_safety_are_the_same_on_both_sides),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
