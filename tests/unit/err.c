/* The error words, and what a broken promise does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"

static void err_sentence_tells_each_word_apart(void **state)
{
    static const enum err words[] = {
#define X(word, sentence) ERR_##word,
        ERR_LIST(X)
#undef X
    };
    size_t count = sizeof words / sizeof words[0];

    (void)state;
    assert_int_equal(ERR_OK, 0);
    assert_true(count > 1);
    for (size_t left = 0; left < count; left++) {
        assert_true(strlen(err_sentence(words[left])) > 0);
        for (size_t right = left + 1; right < count; right++)
            assert_string_not_equal(err_sentence(words[left]), err_sentence(words[right]));
    }
}

static void err_sentence_answers_for_any_number(void **state)
{
    (void)state;
    assert_non_null(err_sentence((enum err)10000));
}

static void err_assert_says_where_and_aborts(void **state)
{
    char text[256] = {0};
    int ends[2], status;
    ssize_t size;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        err_assert_failed("two and two", "sum.c", 1234);
    }
    (void)close(ends[1]);
    size = read(ends[0], text, sizeof text - 1);
    assert_true(size > 0);
    for (ssize_t more = 1; more > 0; size += more)
        more = read(ends[0], text + size, sizeof text - 1 - (size_t)size);
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_string_equal(text, "kith: broken promise: two and two at sum.c:1234\n");
}

static void err_assert_lets_a_kept_promise_pass(void **state)
{
    (void)state;
    KITH_ASSERT(*state == NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_sentence_tells_each_word_apart),
        cmocka_unit_test(err_sentence_answers_for_any_number),
        cmocka_unit_test(err_assert_says_where_and_aborts),
        cmocka_unit_test(err_assert_lets_a_kept_promise_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
