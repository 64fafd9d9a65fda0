/* Base64: RFC 4648's own examples, and everything that is not canonical refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base64.h"

static void the_examples_of_the_rfc_are_written_and_read(void **state)
{
    static const char *const samples[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};

    (void)state;
    for (size_t at = 0; at < sizeof samples / sizeof samples[0]; at++) {
        struct buf text = {0}, bytes = {0};

        base64_write(span_str(samples[at][0]), &text);
        assert_true(span_is_equal(buf_span(&text), span_str(samples[at][1])));
        assert_int_equal(base64_read(span_str(samples[at][1]), &bytes), ERR_OK);
        assert_true(span_is_equal(buf_span(&bytes), span_str(samples[at][0])));
        buf_release(&text);
        buf_release(&bytes);
    }
}

static void every_length_and_byte_comes_back(void **state)
{
    uint8_t given[300];

    (void)state;
    for (size_t at = 0; at < sizeof given; at++)
        given[at] = (uint8_t)(at * 7);
    for (size_t size = 0; size <= sizeof given; size++) {
        struct buf text = {0}, bytes = {0};

        base64_write(span_of(given, size), &text);
        assert_int_equal(text.size, (size + 2) / 3 * 4);
        assert_int_equal(base64_read(buf_span(&text), &bytes), ERR_OK);
        assert_true(span_is_equal(buf_span(&bytes), span_of(given, size)));
        buf_release(&text);
        buf_release(&bytes);
    }
}

/* Before the end: any of the 64 digits, and nothing else, padding neither. */
static void every_byte_at_every_place_is_a_digit_or_refused(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    (void)state;
    for (size_t place = 0; place < 8; place++)
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t text[12] = "Zm9vYmFyZm8=";
            bool is_digit = byte != 0 && byte < 0x80 && strchr(digits, (int)byte) != NULL;
            struct buf bytes = {0}, again = {0};

            text[place] = (uint8_t)byte;
            assert_int_equal(base64_read(span_of(text, 12), &bytes),
                             is_digit ? ERR_OK : ERR_INVALID);
            assert_int_equal(bytes.size, is_digit ? 8 : 0);
            base64_write(buf_span(&bytes), &again);
            assert_int_equal(span_is_equal(buf_span(&again), span_of(text, 12)), is_digit);
            buf_release(&bytes);
            buf_release(&again);
        }
}

static void what_is_not_canonical_is_refused_and_adds_nothing(void **state)
{
    static const char *const wrong[] = {
        "Z",     "Zg",     "Zg=",  "Zh==", "Zm9=", "Zm9v=",    "Zg===",
        "Z g==", "Zg==\n", "Zm-v", "Zm_v", "====", "Zg==Zg==", "\xff\xff\xff\xff"};
    struct buf bytes = {0};

    (void)state;
    buf_append(&bytes, span_str("before"));
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t text[4] = {(uint8_t)byte, (uint8_t)byte, (uint8_t)byte, (uint8_t)byte};
        bool is_digit = byte < 0x80 && byte != 0 &&
                        strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                               (int)byte) != NULL;
        struct buf one = {0};

        assert_int_equal(base64_read(span_of(text, 4), &one), is_digit ? ERR_OK : ERR_INVALID);
        buf_release(&one);
    }
    for (size_t at = 0; at < sizeof wrong / sizeof wrong[0]; at++) {
        if (base64_read(span_str(wrong[at]), &bytes) != ERR_INVALID)
            fail_msg("%s was taken", wrong[at]);
        assert_true(span_is_equal(buf_span(&bytes), span_str("before")));
    }
    buf_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_are_written_and_read),
        cmocka_unit_test(every_length_and_byte_comes_back),
        cmocka_unit_test(every_byte_at_every_place_is_a_digit_or_refused),
        cmocka_unit_test(what_is_not_canonical_is_refused_and_adds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
