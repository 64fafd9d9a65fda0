/*
 * Conversations, word for word. A transcript that changes is a change of the protocol: read it,
 * judge it, then paste it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/session_pair.h"

static struct session_pair *transcript_peers(void)
{
    struct session_pair *pair = session_pair_new();

    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    return pair;
}

/* ana comes back with another replica: of the same keys, and another past. */
static void transcript_replace_ana(struct session_pair *pair, struct session_pair *copy)
{
    struct replica_mem kept = pair->sides[ANA].replica;

    pair->sides[ANA].replica = copy->sides[ANA].replica;
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    pair->sides[ANA].replica = kept;
}

/* PROTOCOL SYNC-3, F1: at most 80 bytes each way. */
static void nothing_changed_costs_one_hello(void **state)
{
    struct session_pair *pair = session_pair_new();

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 300, 20, 1);
    session_pair_write(pair, BEN, BEN_CARD, 2, 20, 2);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    (void)session_pair_text(pair);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana> hello\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana: delivered ana-pair:300\n"
                                        "ana: in step\n"
                                        "ben: confirmed\n"
                                        "ben: delivered ben-card:2\n"
                                        "ben: in step\n"));
    assert_true(pair->sides[ANA].bytes_sent <= 80 && pair->sides[BEN].bytes_sent <= 80);
    session_pair_free(pair);
}

static void one_is_behind(void **state)
{
    struct session_pair *pair = session_pair_new();

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 3, 20, 1);
    session_pair_write(pair, ANA, ANA_CARD, 1, 20, 1);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana> hello\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana> marks ana-pair:3 ana-card:1\n"
                                        "ben: confirmed\n"
                                        "ben> marks\n"
                                        "ana> totals 4\n"
                                        "ana> log 0 is ana-pair\n"
                                        "ana> batch 0 from 0 +3\n"
                                        "ana> log 1 is ana-card\n"
                                        "ana> batch 1 from 0 +1\n"
                                        "ben: commit ana-pair:3\n"
                                        "ben> ack 0:3\n"
                                        "ana: delivered ana-pair:3\n"
                                        "ben: commit ana-card:1\n"
                                        "ben: in step\n"
                                        "ben> ack 1:1\n"
                                        "ana: delivered ana-card:1\n"
                                        "ana: in step\n"));
    session_pair_free(pair);
}

static void both_are_behind(void **state)
{
    struct session_pair *pair = session_pair_new();

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 3, 20, 1);
    session_pair_write(pair, BEN, BEN_PAIR, 300, 20, 1);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana> hello\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana> marks ana-pair:3\n"
                                        "ben: confirmed\n"
                                        "ben> marks ben-pair:300\n"
                                        "ben> totals 300\n"
                                        "ben> log 0 is ben-pair\n"
                                        "ben> batch 0 from 0 +256\n"
                                        "ben> batch 0 +44\n"
                                        "ana> totals 3\n"
                                        "ana> log 0 is ana-pair\n"
                                        "ana> batch 0 from 0 +3\n"
                                        "ana: commit ben-pair:256\n"
                                        "ana> ack 0:256\n"
                                        "ben: delivered ben-pair:256\n"
                                        "ben: commit ana-pair:3\n"
                                        "ben> ack 0:3\n"
                                        "ana: delivered ana-pair:3\n"
                                        "ana: commit ben-pair:300\n"
                                        "ana: in step\n"
                                        "ana> ack 0:300\n"
                                        "ben: delivered ben-pair:300\n"
                                        "ben: in step\n"));
    session_pair_free(pair);
}

/* PROTOCOL SYNC-13, F2: payload and at most 150 bytes once the log has its number. */
static void an_edit_goes_at_once(void **state)
{
    struct session_pair *pair = transcript_peers();
    size_t before;

    (void)state;
    session_pair_run(pair);
    session_pair_write(pair, ANA, ANA_PAIR, 1, 250, 1);
    session_pair_run(pair);
    before = pair->sides[ANA].bytes_sent;
    session_pair_write(pair, ANA, ANA_PAIR, 1, 250, 2);
    assert_true(pair->sides[ANA].bytes_sent - before <= 250 + 150);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana> hello\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana: in step\n"
                                        "ben: confirmed\n"
                                        "ben: in step\n"
                                        "ana: out of step\n"
                                        "ana> log 0 is ana-pair\n"
                                        "ana> batch 0 from 0 +1\n"
                                        "ben: out of step\n"
                                        "ben: commit ana-pair:1\n"
                                        "ben: in step\n"
                                        "ben> ack 0:1\n"
                                        "ana: delivered ana-pair:1\n"
                                        "ana: in step\n"
                                        "ana: out of step\n"
                                        "ana> batch 0 +1\n"
                                        "ben: out of step\n"
                                        "ben: commit ana-pair:2\n"
                                        "ben: in step\n"
                                        "ben> ack 0:2\n"
                                        "ana: delivered ana-pair:2\n"
                                        "ana: in step\n"));
    session_pair_free(pair);
}

/* What is committed between my hello and theirs must not count as known to them. */
static void news_before_the_other_hello_are_not_lost(void **state)
{
    struct session_pair *pair = transcript_peers();

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 1, 20, 1);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana> hello\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana> log 0 is ana-pair\n"
                                        "ana> batch 0 from 0 +1\n"
                                        "ben: confirmed\n"
                                        "ben: commit ana-pair:1\n"
                                        "ben: in step\n"
                                        "ben> ack 0:1\n"
                                        "ana: delivered ana-pair:1\n"
                                        "ana: in step\n"));
    session_pair_free(pair);
}

/* The connection breaks with batches on the way and one stored but not acknowledged. */
static void a_restart_in_the_middle_repeats_nothing_stored(void **state)
{
    struct session_pair *pair = session_pair_new();

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 600, 20, 1);
    pair->sides[BEN].holds_commits = true;
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    session_pair_commit(pair, BEN);
    pair->sides[BEN].holds_commits = false;
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana> hello\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana> marks ana-pair:600\n"
                                        "ben: confirmed\n"
                                        "ben> marks\n"
                                        "ana> totals 600\n"
                                        "ana> log 0 is ana-pair\n"
                                        "ana> batch 0 from 0 +256\n"
                                        "ana> batch 0 +256\n"
                                        "ana> batch 0 +88\n"
                                        "ben: commit ana-pair:256\n"
                                        "ben> ack 0:256\n"
                                        "ana> hello\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana> marks ana-pair:600\n"
                                        "ben: confirmed\n"
                                        "ben> marks ana-pair:256\n"
                                        "ana: delivered ana-pair:256\n"
                                        "ana> totals 344\n"
                                        "ana> log 0 is ana-pair\n"
                                        "ana> batch 0 from 256 +256\n"
                                        "ana> batch 0 +88\n"
                                        "ben: commit ana-pair:512\n"
                                        "ben> ack 0:512\n"
                                        "ana: delivered ana-pair:512\n"
                                        "ben: commit ana-pair:600\n"
                                        "ben: in step\n"
                                        "ben> ack 0:600\n"
                                        "ana: delivered ana-pair:600\n"
                                        "ana: in step\n"));
    session_pair_free(pair);
}

/* PROTOCOL SYNC-8: a log moved under the session (another session stored it). */
static void what_does_not_attach_comes_again(void **state)
{
    struct session_pair *pair = transcript_peers();

    (void)state;
    session_pair_run(pair);
    session_pair_write(pair, ANA, ANA_PAIR, 2, 20, 1);
    session_pair_run(pair);
    (void)session_pair_text(pair);
    pair->sides[BEN].commit_err = ERR_DETACHED;
    pair->sides[BEN].holds_commits = true;
    session_pair_write(pair, ANA, ANA_PAIR, 1, 20, 2);
    session_pair_write(pair, ANA, ANA_PAIR, 1, 20, 3);
    session_pair_run(pair);
    session_pair_commit(pair, BEN);
    session_pair_write(pair, ANA, ANA_PAIR, 1, 20, 4);
    session_pair_run(pair);
    session_pair_commit(pair, BEN);
    pair->sides[BEN].commit_err = ERR_OK;
    pair->sides[BEN].holds_commits = false;
    session_pair_write(pair, ANA, ANA_PAIR, 1, 20, 5);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana: out of step\n"
                                        "ana> batch 0 +1\n"
                                        "ana> batch 0 +1\n"
                                        "ben: out of step\n"
                                        "ben: commit ana-pair:3 fails\n"
                                        "ana> batch 0 +1\n"
                                        "ben: commit ana-pair:4 fails\n"
                                        "ben> marks ana-pair:2\n"
                                        "ana> batch 0 +1\n"
                                        "ana> totals 4\n"
                                        "ana> batch 0 from 2 +4\n"
                                        "ben: commit ana-pair:6\n"
                                        "ben: in step\n"
                                        "ben> ack 0:6\n"
                                        "ana: delivered ana-pair:6\n"
                                        "ana: in step\n"));
    session_pair_free(pair);
}

/* PROTOCOL SYNC-8: marks about one log make ana give another again, which ben had taken meanwhile.
 */
static void what_was_on_the_way_is_passed_over(void **state)
{
    struct session_pair *pair = transcript_peers();

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 1, 20, 1);
    session_pair_write(pair, ANA, ANA_CARD, 1, 20, 1);
    session_pair_run(pair);
    (void)session_pair_text(pair);
    pair->sides[BEN].holds_commits = true;
    pair->sides[BEN].commit_err = ERR_DETACHED;
    session_pair_write(pair, ANA, ANA_PAIR, 1, 20, 2);
    session_pair_run(pair);
    pair->sides[BEN].is_deaf = true;
    session_pair_write(pair, ANA, ANA_CARD, 1, 20, 2);
    session_pair_commit(pair, BEN);
    session_pair_run(pair);
    pair->sides[BEN].is_deaf = pair->sides[BEN].holds_commits = false;
    pair->sides[BEN].commit_err = ERR_OK;
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana: out of step\n"
                                        "ana> batch 0 +1\n"
                                        "ben: out of step\n"
                                        "ana> batch 1 +1\n"
                                        "ben: commit ana-pair:2 fails\n"
                                        "ben> marks ana-pair:1 ana-card:1\n"
                                        "ana> totals 2\n"
                                        "ana> batch 0 from 1 +1\n"
                                        "ana> batch 1 from 1 +1\n"
                                        "ben: commit ana-card:2\n"
                                        "ben> ack 1:2\n"
                                        "ana: delivered ana-card:2\n"
                                        "ben: commit ana-pair:2\n"
                                        "ben: in step\n"
                                        "ben> ack 0:2\n"
                                        "ana: delivered ana-pair:2\n"
                                        "ana: in step\n"));
    session_pair_free(pair);
}

/* One entry of ana's, stored on both sides by another session. */
static void transcript_elsewhere(struct session_pair *pair, uint8_t fill)
{
    for (int side = ANA; side <= BEN; side++)
        assert_int_equal(replica_mem_append(&pair->sides[side].replica, &pair->spaces[ANA_PAIR],
                                            pair->sides[ANA].device, 1, 20, fill),
                         ERR_OK);
}

/* PROTOCOL SYNC-8: two connections crossed, and the other one was quicker. Whoever hears first
 * gives it here, ben even to its author. */
static void what_another_session_carried_is_acknowledged(void **state)
{
    struct session_pair *pair = session_pair_live();

    (void)state;
    transcript_elsewhere(pair, 1);
    session_pair_news(pair, ANA, ANA_PAIR);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana: out of step\n"
                                        "ana> log 0 is ana-pair\n"
                                        "ana> batch 0 from 0 +1\n"
                                        "ben> ack 0:1\n"
                                        "ana: delivered ana-pair:1\n"
                                        "ana: in step\n"));
    transcript_elsewhere(pair, 2);
    session_pair_news(pair, BEN, ANA_PAIR);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ben: out of step\n"
                                        "ben> log 0 is ana-pair\n"
                                        "ben> batch 0 from 0 +2\n"
                                        "ana> ack 0:2\n"
                                        "ben: in step\n"));
    session_pair_free(pair);
}

/* PROTOCOL SYNC-10: ben hears of ana's card space only through a commit. */
static void an_unknown_log_is_asked_for_once_it_is_known(void **state)
{
    struct session_pair *pair = session_pair_new();
    struct replica_mem *replica = &pair->sides[BEN].replica;

    (void)state;
    session_pair_write(pair, ANA, ANA_CARD, 300, 20, 1);
    replica->spaces_count = 0;
    replica_mem_add_space(replica, &pair->spaces[ANA_PAIR], &pair->sides[ANA].root->public_key);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    session_pair_write(pair, ANA, ANA_CARD, 1, 20, 2);
    pair->sides[BEN].holds_commits = true;
    session_pair_write(pair, ANA, ANA_PAIR, 1, 20, 1);
    session_pair_run(pair);
    replica_mem_add_space(replica, &pair->spaces[ANA_CARD], &pair->sides[ANA].root->public_key);
    pair->sides[BEN].holds_commits = false;
    session_pair_write(pair, ANA, ANA_CARD, 1, 20, 3);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana> hello\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana> marks ana-card:300\n"
                                        "ben: confirmed\n"
                                        "ben> marks\n"
                                        "ana> totals 300\n"
                                        "ana> log 0 is ana-card\n"
                                        "ana> batch 0 from 0 +256\n"
                                        "ana> batch 0 +44\n"
                                        "ana> batch 0 +1\n"
                                        "ana> log 1 is ana-pair\n"
                                        "ana> batch 1 from 0 +1\n"
                                        "ana> batch 0 +1\n"
                                        "ben: commit ana-pair:1\n"
                                        "ben> ack 1:1\n"
                                        "ben> marks ana-pair:1\n"
                                        "ana: delivered ana-pair:1\n"
                                        "ana> totals 302\n"
                                        "ana> batch 0 from 0 +256\n"
                                        "ana> batch 0 +46\n"
                                        "ben: commit ana-card:256\n"
                                        "ben> ack 0:256\n"
                                        "ana: delivered ana-card:256\n"
                                        "ben: commit ana-card:302\n"
                                        "ben: in step\n"
                                        "ben> ack 0:302\n"
                                        "ana: delivered ana-card:302\n"
                                        "ana: in step\n"));
    session_pair_free(pair);
}

/* PROTOCOL FORK-1, FORK-2, FORK-3 */
static void two_branches_are_traced_and_fetched(void **state)
{
    struct session_pair *pair = session_pair_new();
    struct session_pair *copy = session_pair_new();

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 2, 20, 1);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    (void)session_pair_text(pair);
    session_pair_write(copy, ANA, ANA_PAIR, 3, 20, 9);
    transcript_replace_ana(pair, copy);
    assert_true(session_pair_said(pair, "ana> hello\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana> marks ana-pair:3\n"
                                        "ben: confirmed\n"
                                        "ben> marks ana-pair:2\n"
                                        "ana> trace? ana-pair to 3\n"
                                        "ben> trace ana-pair 2\n"
                                        "ana> fetch ana-pair from 0\n"
                                        "ben> returned\n"
                                        "ana: keep ana-pair:2\n"
                                        "ana> stored 0\n"));
    session_pair_free(pair);
    session_pair_free(copy);
}

/* A machine restored from a backup: the peer holds more of its log than it does itself. */
static void a_log_that_went_back_is_fetched_from_where_it_stands(void **state)
{
    struct session_pair *pair = session_pair_new();
    struct session_pair *copy = session_pair_new();

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 3, 20, 1);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    (void)session_pair_text(pair);
    session_pair_write(copy, ANA, ANA_PAIR, 2, 20, 1);
    transcript_replace_ana(pair, copy);
    assert_true(session_pair_said(pair, "ana> hello\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana> marks ana-pair:2\n"
                                        "ben: confirmed\n"
                                        "ben> marks ana-pair:3\n"
                                        "ben> totals 1\n"
                                        "ben> log 0 is ana-pair\n"
                                        "ben> batch 0 from 2 +1\n"
                                        "ana> trace? ana-pair to 2\n"
                                        "ben> trace ana-pair 2\n"
                                        "ana> fetch ana-pair from 2\n"
                                        "ben> returned\n"
                                        "ana: keep ana-pair:3\n"
                                        "ana> stored 0\n"));
    session_pair_free(pair);
    session_pair_free(copy);
}

static void a_failing_store_acknowledges_nothing(void **state)
{
    struct session_pair *pair = transcript_peers();

    (void)state;
    session_pair_run(pair);
    (void)session_pair_text(pair);
    pair->sides[BEN].commit_err = ERR_FULL;
    session_pair_write(pair, ANA, ANA_PAIR, 1, 20, 1);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana: out of step\n"
                                        "ana> log 0 is ana-pair\n"
                                        "ana> batch 0 from 0 +1\n"
                                        "ben: out of step\n"
                                        "ben: commit ana-pair:1 fails\n"
                                        "ben> bye 1\n"
                                        "ben: end, store\n"
                                        "ana: end, done\n"));
    session_pair_free(pair);
}

/* PROTOCOL SYNC-15 */
static void silence_is_asked_twice(void **state)
{
    struct session_pair *pair = transcript_peers();
    struct session_event woken = {.type = SESSION_WOKEN};

    (void)state;
    session_pair_run(pair);
    (void)session_pair_text(pair);
    assert_int_equal(session_wake_at_ms(pair->sides[ANA].session), 60000);
    pair->now_ms = 59999;
    session_pair_event(pair, ANA, &woken);
    pair->now_ms = 60000;
    session_pair_event(pair, ANA, &woken);
    session_pair_run(pair);
    assert_int_equal(session_wake_at_ms(pair->sides[ANA].session), 120000);
    pair->sides[BEN].is_deaf = true;
    for (pair->now_ms = 120000; pair->now_ms <= 240000; pair->now_ms += 60000)
        session_pair_event(pair, ANA, &woken);
    assert_true(session_pair_said(pair, "ana> ping\n"
                                        "ben> pong\n"
                                        "ana> ping\n"
                                        "ana> ping\n"
                                        "ana: end, silent SYNC-15\n"));
    session_pair_free(pair);
}

static void a_stop_says_bye(void **state)
{
    struct session_pair *pair = transcript_peers();
    struct session_event stop = {.type = SESSION_STOP, .stop = BYE_REPLACED};

    (void)state;
    session_pair_run(pair);
    (void)session_pair_text(pair);
    session_pair_event(pair, ANA, &stop);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana> bye 2\n"
                                        "ana: end, done\n"
                                        "ben: end, replaced\n"));
    session_pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changed_costs_one_hello),
        cmocka_unit_test(one_is_behind),
        cmocka_unit_test(both_are_behind),
        cmocka_unit_test(an_edit_goes_at_once),
        cmocka_unit_test(news_before_the_other_hello_are_not_lost),
        cmocka_unit_test(a_restart_in_the_middle_repeats_nothing_stored),
        cmocka_unit_test(what_does_not_attach_comes_again),
        cmocka_unit_test(what_was_on_the_way_is_passed_over),
        cmocka_unit_test(what_another_session_carried_is_acknowledged),
        cmocka_unit_test(an_unknown_log_is_asked_for_once_it_is_known),
        cmocka_unit_test(two_branches_are_traced_and_fetched),
        cmocka_unit_test(a_log_that_went_back_is_fetched_from_where_it_stands),
        cmocka_unit_test(a_failing_store_acknowledges_nothing),
        cmocka_unit_test(silence_is_asked_twice),
        cmocka_unit_test(a_stop_says_bye),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
