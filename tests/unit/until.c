/* Times as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/until.h"

static void until_reads_a_number_and_a_unit(void **state)
{
    static const struct {
        const char *text;
        uint64_t seconds; /* 0: refused, but for "0" */
    } cases[] = {
        {"0", 0},       {"1", 1},       {"30s", 30},     {"5min", 300},
        {"12h", 43200}, {"7d", 604800}, {"2w", 1209600}, {"100000", 100000},
        {"100001", 0},  {"", 0},        {"d", 0},        {"-1d", 0},
        {"1 d", 0},     {"7D", 0},      {"1.5h", 0},     {"99999999999999999999d", 0},
    };

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        uint64_t seconds = 0;
        enum err err = until_read(cases[at].text, &seconds);

        if (err != (cases[at].seconds > 0 || at == 0 ? ERR_OK : ERR_INVALID) ||
            seconds != cases[at].seconds)
            fail_msg("%s: %s, %llu s", cases[at].text, err_sentence(err),
                     (unsigned long long)seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(until_reads_a_number_and_a_unit)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
