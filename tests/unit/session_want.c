/* Payloads that are missing: asked for once a session, answered in order, and nothing unasked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "tests/sim/session_pair.h"

/* Ben lacks the first payloads of each log; whoever is asked has every other one. */
static struct session_pair *want_live(uint64_t missing)
{
    struct session_pair *pair = session_pair_new();

    session_pair_write(pair, ANA, ANA_PAIR, 600, 100, 1);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    pair->sides[BEN].replica.wants = missing;
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    (void)session_pair_text(pair);
    return pair;
}

static size_t want_count(const char *text, const char *what)
{
    size_t count = 0;

    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        count++;
    return count;
}

static void what_is_missing_is_asked_for(void **state)
{
    struct session_pair *pair = want_live(2);
    const char *text;

    (void)state;
    session_pair_run(pair);
    text = session_pair_text(pair);
    assert_non_null(strstr(text, "want ana-pair:1 and 1 more"));
    assert_non_null(strstr(text, "payload 2 is not here"));
    assert_non_null(strstr(text, "ben: fill ana-pair:1"));
    assert_null(strstr(text, "fill ana-pair:2"));
    assert_true(pair->sides[BEN].is_in_step);
    assert_false(pair->sides[ANA].is_ended || pair->sides[BEN].is_ended);
    session_pair_free(pair);
}

/* In lists, the next when the last was answered; each place once. */
static void much_is_asked_for_in_lists(void **state)
{
    struct session_pair *pair = want_live(600);
    const char *text;

    (void)state;
    session_pair_run(pair);
    text = session_pair_text(pair);
    assert_int_equal(want_count(text, "want ana-pair:"), 3);
    assert_int_equal(want_count(text, "fill ana-pair:"), 300);
    assert_int_equal(want_count(text, " is not here"), 300);
    assert_true(pair->sides[BEN].is_in_step);
    assert_false(pair->sides[ANA].is_ended || pair->sides[BEN].is_ended);
    session_pair_free(pair);
}

static void want_ends(struct session_pair *pair, int side, struct buf *bytes, const char *rule)
{
    session_pair_inject(pair, side, bytes);
    session_pair_run(pair);
    assert_true(pair->sides[side].is_ended);
    assert_int_equal(pair->sides[side].reason, SESSION_END_VIOLATION);
    assert_non_null(strstr(pair->sides[side].rule, rule));
    buf_release(bytes);
    session_pair_free(pair);
}

static void nothing_comes_unasked(void **state)
{
    struct session_pair *pair = session_pair_live();
    struct buf bytes = {0};

    (void)state;
    message_put_payload(1, span_str("x"), &bytes);
    want_ends(pair, BEN, &bytes, "ABSENT-3: A payload answers");
}

static void a_list_waits_for_the_last_one(void **state)
{
    struct session_pair *pair = session_pair_live();
    struct log_id log;
    struct buf bytes = {0};
    uint64_t seqs[2] = {1, 3};

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 4, 100, 1);
    session_pair_run(pair);
    log = session_pair_log(pair, ANA, ANA_PAIR);
    message_put_want(&log, seqs, 2, &bytes);
    message_put_want(&log, seqs, 2, &bytes);
    want_ends(pair, ANA, &bytes, "ABSENT-3: A list is asked for");
}

static void a_payload_of_another_entry_ends_it(void **state)
{
    struct session_pair *pair = want_live(1);

    (void)state;
    pair->sides[BEN].commit_err = ERR_FORGED;
    session_pair_run(pair);
    assert_true(pair->sides[BEN].is_ended);
    assert_non_null(strstr(pair->sides[BEN].rule, "ABSENT-3: A payload is the one"));
    session_pair_free(pair);
}

/* Of a log that is not shared there is nothing, and nothing is said of it. */
static void what_is_not_shared_is_not_there(void **state)
{
    struct session_pair *pair = session_pair_live();
    struct log_id log = {.space = {{7}}};
    struct buf bytes = {0};
    uint64_t seq = 1;

    (void)state;
    pair->sides[BEN].is_deaf = true;
    message_put_want(&log, &seq, 1, &bytes);
    session_pair_inject(pair, ANA, &bytes);
    session_pair_run(pair);
    assert_non_null(strstr(session_pair_text(pair), "payload 1 is not here"));
    assert_false(pair->sides[ANA].is_ended);
    buf_release(&bytes);
    session_pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_asked_for),
        cmocka_unit_test(much_is_asked_for_in_lists),
        cmocka_unit_test(nothing_comes_unasked),
        cmocka_unit_test(a_list_waits_for_the_last_one),
        cmocka_unit_test(a_payload_of_another_entry_ends_it),
        cmocka_unit_test(what_is_not_shared_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
