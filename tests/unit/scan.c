/* The gate in front of msgpack-c. PROTOCOL SCAN-1, SCAN-2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <msgpack.h>

#include "proto/limits.h"
#include "proto/scan.h"
#include "proto/wire.h"

static void scan_says_what_is_wrong(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum scan_verdict verdict;
    } cases[] = {
        {"\xc0", 1, SCAN_FINE},
        {"\xc2", 1, SCAN_FINE},
        {"\x7f", 1, SCAN_FINE},
        {"\xcc\x80", 2, SCAN_FINE},
        {"\xcc\x7f", 2, SCAN_NOT_SHORTEST},
        {"\xcd\x01\x00", 3, SCAN_FINE},
        {"\xcd\x00\xff", 3, SCAN_NOT_SHORTEST},
        {"\xce\x00\x01\x00\x00", 5, SCAN_FINE},
        {"\xce\x00\x00\xff\xff", 5, SCAN_NOT_SHORTEST},
        {"\xcf\x00\x00\x00\x01\x00\x00\x00\x00", 9, SCAN_FINE},
        {"\xcf\x00\x00\x00\x00\xff\xff\xff\xff", 9, SCAN_NOT_SHORTEST},
        {"\xa3"
         "abc",
         4, SCAN_FINE},
        {"\xa3"
         "ab",
         3, SCAN_TRUNCATED},
        {"\xd9\x03"
         "abc",
         5, SCAN_NOT_SHORTEST},
        {"\xa2\xc3\x28", 3, SCAN_NOT_UTF8},
        {"\xa2\xc0\x80", 3, SCAN_NOT_UTF8},
        {"\xa3\xed\xa0\x80", 4, SCAN_NOT_UTF8},
        {"\xa4\xf4\x90\x80\x80", 5, SCAN_NOT_UTF8},
        {"\xa4\xf4\x8f\xbf\xbf", 5, SCAN_FINE},
        {"\xc4\x02\xff\xfe", 4, SCAN_FINE},
        {"\xc5\x00\x01\xff", 4, SCAN_NOT_SHORTEST},
        {"\x90", 1, SCAN_FINE},
        {"\x91", 1, SCAN_TRUNCATED},
        {"\x91\xc0\xc0", 3, SCAN_TRAILING},
        {"", 0, SCAN_TRUNCATED},
        {"\x80", 1, SCAN_FORBIDDEN},
        {"\xde\x00\x00", 3, SCAN_FORBIDDEN},
        {"\xca\x00\x00\x00\x00", 5, SCAN_FORBIDDEN},
        {"\xff", 1, SCAN_FORBIDDEN},
        {"\xd0\x80", 2, SCAN_FORBIDDEN},
        {"\xd4\x00\x00", 3, SCAN_FORBIDDEN},
        {"\xc1", 1, SCAN_FORBIDDEN},
        {"\xdc\x00\x0f", 3, SCAN_NOT_SHORTEST},
        {"\xdd\x10\x00\x00\x00", 5, SCAN_TRUNCATED},
        {"\xdf\x10\x00\x00\x00", 5, SCAN_FORBIDDEN},
        {"\xdb\xff\xff\xff\xff", 5, SCAN_TRUNCATED},
        {"\xc6\xff\xff\xff\xff", 5, SCAN_TRUNCATED},
    };

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++)
        if (scan(span_of(cases[at].bytes, cases[at].size)) != cases[at].verdict)
            fail_msg("case %zu: %d, not %d", at, scan(span_of(cases[at].bytes, cases[at].size)),
                     cases[at].verdict);
}

static void scan_stops_at_its_depth(void **state)
{
    uint8_t nested[SCAN_DEPTH_MAX + 2];

    (void)state;
    memset(nested, 0x91, sizeof nested);
    for (size_t depth = 1; depth <= SCAN_DEPTH_MAX + 1; depth++) {
        nested[depth] = 0xc0;
        assert_int_equal(scan(span_of(nested, depth + 1)),
                         depth <= SCAN_DEPTH_MAX ? SCAN_FINE : SCAN_DEEP);
        nested[depth] = 0x91;
    }
}

/*
 * A limit on memory: of one allocation where the sanitizer serves them, of the address space
 * elsewhere. A sanitizer reserves terabytes of addresses, so the second would end it at once.
 */
enum { LIMIT_MIB = 64 };
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "max_allocation_size_mb=64:allocator_may_return_null=1";
}
extern void __asan_init(void) __attribute__((weak));

static int limit_memory(void **state)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)LIMIT_MIB << 20,
                           .rlim_max = (rlim_t)LIMIT_MIB << 20};

    (void)state;
    return __asan_init != NULL ? 0 : setrlimit(RLIMIT_AS, &limit);
}

static const char *const hostile[] = {"\xdf\x10\x00\x00\x00", "\xdd\x10\x00\x00\x00",
                                      "\xdd\xff\xff\xff\xff", "\xdd\x04\x00\x00\x00",
                                      "\xdf\xff\xff\xff\xff"};

/* What the gate is for: msgpack-c asks for room for every element that five bytes announce. */
static void msgpack_alone_asks_for_more_than_there_is(void **state)
{
    size_t refused = 0;

    (void)state;
    for (size_t at = 0; at < sizeof hostile / sizeof hostile[0]; at++) {
        msgpack_unpacked object;
        size_t offset = 0;

        msgpack_unpacked_init(&object);
        refused +=
            msgpack_unpack_next(&object, hostile[at], 5, &offset) == MSGPACK_UNPACK_NOMEM_ERROR;
        msgpack_unpacked_destroy(&object);
    }
    assert_true(refused >= 3);
}

static void hostile_headers_cost_no_memory(void **state)
{
    uint8_t nested[SCAN_DEPTH_MAX * 5];

    (void)state;
    for (size_t at = 0; at < sizeof hostile / sizeof hostile[0]; at++) {
        struct wire_doc doc = {0};
        struct wire wire;

        assert_int_equal(wire_open(&doc, span_of(hostile[at], 5), &wire), ERR_MALFORMED);
        assert_null(doc.zone);
        wire_release(&doc);
    }
    for (size_t depth = 0; depth < SCAN_DEPTH_MAX; depth++)
        memcpy(nested + depth * 5, hostile[1], 5);
    assert_int_equal(scan(span_of(nested, sizeof nested)), SCAN_TRUNCATED);
}

static void a_text_is_cut_between_letters(void **state)
{
    static const struct {
        const char *text;
        size_t max, size;
    } cases[] = {{"", 0, 0},
                 {"ab", 1, 1},
                 {"ab", 2, 2},
                 {"ab", 3, 2},
                 {"\u00e9\u00e9", 1, 0},
                 {"\u00e9\u00e9", 2, 2},
                 {"\u00e9\u00e9", 3, 2},
                 {"a\u20ac", 3, 1},
                 {"a\U0001f600", 4, 1}};

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++)
        assert_int_equal(scan_cut(span_str(cases[at].text), cases[at].max).size, cases[at].size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_says_what_is_wrong),
        cmocka_unit_test(scan_stops_at_its_depth),
        cmocka_unit_test(msgpack_alone_asks_for_more_than_there_is),
        cmocka_unit_test(hostile_headers_cost_no_memory),
        cmocka_unit_test(a_text_is_cut_between_letters),
    };

    return cmocka_run_group_tests(tests, limit_memory, NULL);
}
