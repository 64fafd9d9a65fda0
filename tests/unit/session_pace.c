/* SYNC-22: what a peer makes a session look up is bounded, however much it asks; nothing of what it
 * says is lost for that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "tests/sim/session_pair.h"

enum { PACE_ENTRIES = 10 * BLOCK_ENTRIES_MAX };

static struct session_pair *pace_pair(void)
{
    struct session_pair *pair = session_pair_live();

    for (int block = 0; block < PACE_ENTRIES / BLOCK_ENTRIES_MAX; block++)
        session_pair_write(pair, BEN, BEN_PAIR, BLOCK_ENTRIES_MAX, 1, (uint8_t)block);
    session_pair_run(pair);
    (void)session_pair_text(pair);
    pair->sides[BEN].replica.looks = 0;
    return pair;
}

/* As long as ben rests: comes back when he asks for it, at most until then. Returns how often. */
static size_t pace_wait(struct session_pair *pair, uint64_t until_ms)
{
    struct session_side *ben = &pair->sides[BEN];
    size_t wakes = 0;

    while (session_is_resting(ben->session)) {
        uint64_t at_ms = session_wake_at_ms(ben->session);
        struct session_event woken = {.type = SESSION_WOKEN};

        assert_true(at_ms > pair->now_ms);
        if (at_ms > until_ms)
            break;
        pair->now_ms = at_ms;
        session_pair_event(pair, BEN, &woken);
        wakes++;
    }
    return wakes;
}

static size_t pace_answers(struct session_pair *pair)
{
    const char *text = session_pair_text(pair);
    size_t count = 0;

    while ((text = strstr(text, "ben> trace ")) != NULL) {
        count++;
        text++;
    }
    return count;
}

static void marks_without_end_are_read_at_a_pace(void **state)
{
    struct session_pair *pair = pace_pair();
    struct session_side *ben = &pair->sides[BEN];
    struct log_id log = session_pair_log(pair, BEN, BEN_PAIR);
    uint64_t begun_ms = pair->now_ms;
    struct buf bytes = {0};
    size_t wakes;

    (void)state;
    for (int at = 0; at < 30000; at++)
        message_put_marks(NULL, 0, true, &bytes);
    message_put_place(MESSAGE_TRACE_ASK, &log, 1, &bytes);
    session_pair_inject(pair, BEN, &bytes);
    assert_true(session_is_resting(ben->session));
    assert_in_range(ben->replica.looks, 1, SESSION_WORK_MAX + 2048);
    wakes = pace_wait(pair, begun_ms + 2000);
    assert_in_range(ben->replica.looks, 1000, SESSION_WORK_MAX + 2000 * SESSION_WORK_PER_MS + 2048);
    assert_in_range(wakes, 1, 50); /* Not for each message. */
    (void)pace_wait(pair, UINT64_MAX);
    assert_false(ben->is_ended);
    assert_int_equal(pace_answers(pair), 1);
    session_pair_free(pair);
}

static void marks_of_one_log_are_judged_once_in_a_list(void **state)
{
    struct session_pair *pair = pace_pair();
    struct session_side *ben = &pair->sides[BEN];
    struct mark marks[MARKS_PER_MESSAGE_MAX] = {0};
    struct buf bytes = {0};

    (void)state;
    for (size_t at = 0; at < MARKS_PER_MESSAGE_MAX; at++) {
        marks[at].log = session_pair_log(pair, BEN, BEN_PAIR);
        marks[at].size = 1 + at;
    }
    message_put_marks(marks, MARKS_PER_MESSAGE_MAX, true, &bytes);
    session_pair_inject(pair, BEN, &bytes);
    assert_in_range(ben->replica.looks, 1, 100);
    assert_false(ben->is_ended);
    session_pair_free(pair);
}

/* One that goes down a long log asks on and on: each ask has its answer, in time. */
static void every_ask_for_a_trace_is_answered_in_time(void **state)
{
    struct session_pair *pair = pace_pair();
    struct session_side *ben = &pair->sides[BEN];
    struct log_id log = session_pair_log(pair, BEN, BEN_PAIR);
    uint64_t begun_ms = pair->now_ms;
    struct buf bytes = {0};

    (void)state;
    for (uint64_t at = 0; at < 2000; at++)
        message_put_place(MESSAGE_TRACE_ASK, &log, PACE_ENTRIES - at, &bytes);
    session_pair_inject(pair, BEN, &bytes);
    assert_true(session_is_resting(ben->session));
    assert_in_range(ben->replica.looks, 1, SESSION_WORK_MAX / 2);
    (void)pace_wait(pair, UINT64_MAX);
    assert_int_equal(pace_answers(pair), 2000);
    assert_in_range(pair->now_ms - begun_ms, 1000, 10000);
    assert_false(ben->is_ended);
    session_pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_without_end_are_read_at_a_pace),
        cmocka_unit_test(marks_of_one_log_are_judged_once_in_a_list),
        cmocka_unit_test(every_ask_for_a_trace_is_answered_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
