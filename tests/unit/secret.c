/* Locked memory: zeroed, apart, wiped, bounded, and shared between threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "crypto/secret.h"
#include "tests/unit/heap_failing.h"

enum { SECRETS_COUNT = 1000 };

static bool secret_is_zero(const uint8_t *secret, size_t size)
{
    for (size_t at = 0; at < size; at++)
        if (secret[at] != 0)
            return false;
    return true;
}

static void secret_new_is_zeroed_and_aligned_on_both_sides_of_a_cell(void **state)
{
    static const size_t sizes[] = {0, 1, 32, 511, 512, 513, 2048, 2049, 4096, 100000};
    size_t count = sizeof sizes / sizeof sizes[0];

    (void)state;
    for (size_t round = 0; round < 2; round++)
        for (size_t at = 0; at < count; at++) {
            uint8_t *secret = secret_new(sizes[at]);

            assert_non_null(secret);
            assert_true(secret_is_zero(secret, sizes[at]));
            assert_true(sizes[at] > 2048 || (uintptr_t)secret % _Alignof(max_align_t) == 0);
            if (sizes[at] > 0)
                memset(secret, 0xa5, sizes[at]);
            secret_free(secret);
        }
    secret_free(NULL);
}

/* More than a slab of either sort holds, given back in another order. */
static void secret_keeps_a_thousand_apart(void **state)
{
    static uint8_t *secrets[SECRETS_COUNT];

    (void)state;
    for (size_t at = 0; at < SECRETS_COUNT; at++) {
        size_t size = at % 5 == 0 ? 2048 : 512;

        secrets[at] = secret_new(size);
        assert_non_null(secrets[at]);
        assert_true(secret_is_zero(secrets[at], size));
        memset(secrets[at], (int)(at % 251) + 1, size);
    }
    for (size_t step = 0; step < SECRETS_COUNT; step++) {
        size_t at = step * 7 % SECRETS_COUNT; /* 7 and 1000 share no factor */
        size_t size = at % 5 == 0 ? 2048 : 512;

        for (size_t byte = 0; byte < size; byte++)
            assert_int_equal(secrets[at][byte], at % 251 + 1);
        secret_free(secrets[at]);
    }
}

static void secret_free_wipes_the_cell(void **state)
{
    uint8_t *neighbour = secret_new(32), *secret = secret_new(32);

    (void)state;
    assert_non_null(neighbour);
    assert_non_null(secret);
    memset(secret, 0xa5, 32);
    memset(neighbour, 0x77, 32);
    secret_free(secret);
    /* The slab stays while the neighbour is there, so looking is defined. */
    assert_true(secret_is_zero(secret, 512));
    assert_int_equal(neighbour[31], 0x77);
    secret_free(neighbour);
}

static void secret_new_says_when_there_is_no_memory(void **state)
{
    static uint8_t *secrets[SECRETS_COUNT];
    size_t count = 0;

    (void)state;
    assert_null(secret_new(SIZE_MAX));
    assert_null(secret_new(SIZE_MAX / 2));
    heap_failing_after(0);
    while (count < SECRETS_COUNT && (secrets[count] = secret_new(32)) != NULL)
        count++;
    heap_failing_after(SIZE_MAX);
    assert_true(count < SECRETS_COUNT);
    secrets[count] = secret_new(32);
    assert_non_null(secrets[count]);
    for (size_t at = 0; at <= count; at++)
        secret_free(secrets[at]);
}

static void *secret_churn(void *argument)
{
    uint8_t mark = *(uint8_t *)argument;

    for (size_t round = 0; round < 200; round++) {
        uint8_t *secrets[40];

        for (size_t at = 0; at < 40; at++) {
            secrets[at] = secret_new(64);
            if (secrets[at] == NULL || !secret_is_zero(secrets[at], 64))
                return NULL;
            memset(secrets[at], mark, 64);
        }
        for (size_t at = 0; at < 40; at++) {
            if (secrets[at][0] != mark || secrets[at][63] != mark)
                return NULL;
            secret_free(secrets[at]);
        }
    }
    return argument;
}

static void secret_new_and_free_serve_several_threads(void **state)
{
    pthread_t threads[4];
    uint8_t marks[4] = {1, 2, 3, 4};

    (void)state;
    for (size_t at = 0; at < 4; at++)
        assert_int_equal(pthread_create(&threads[at], NULL, secret_churn, &marks[at]), 0);
    for (size_t at = 0; at < 4; at++) {
        void *result;

        assert_int_equal(pthread_join(threads[at], &result), 0);
        assert_ptr_equal(result, &marks[at]);
    }
}

static void secret_wipes_and_compares(void **state)
{
    uint8_t left[32] = {1, 2, 3}, right[32] = {1, 2, 3};

    (void)state;
    assert_true(secret_is_equal(left, right, 32));
    assert_true(secret_is_equal(left, right, 0));
    right[31] = 1;
    assert_false(secret_is_equal(left, right, 32));
    assert_true(secret_is_equal(left, right, 31));
    secret_wipe(left, sizeof left);
    assert_true(secret_is_zero(left, sizeof left));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_new_is_zeroed_and_aligned_on_both_sides_of_a_cell),
        cmocka_unit_test(secret_keeps_a_thousand_apart),
        cmocka_unit_test(secret_free_wipes_the_cell),
        cmocka_unit_test(secret_new_says_when_there_is_no_memory),
        cmocka_unit_test(secret_new_and_free_serve_several_threads),
        cmocka_unit_test(secret_wipes_and_compares),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
