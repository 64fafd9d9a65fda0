/* SYNC-20: what one peer writes has a bound here; it is told, nothing is sent meanwhile, and it
 * goes on when room comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "tests/sim/session_pair.h"

static uint64_t full_held(struct session_pair *pair)
{
    struct log_id log = session_pair_log(pair, ANA, ANA_PAIR);

    return replica_mem_size(&pair->sides[BEN].replica, &log);
}

static void full_bound(struct session_pair *pair, uint64_t more)
{
    struct replica_mem *replica = &pair->sides[BEN].replica;
    uint64_t held = 0, entries, bytes;
    struct replica ask = replica_mem_replica(replica);

    replica->has_bound = true;
    replica->bound = UINT32_MAX;
    assert_int_equal(ask.room(ask.self, &(struct public_key){{0}}, &entries, &bytes), ERR_OK);
    held = UINT32_MAX - entries;
    replica->bound = held + more;
}

static void what_finds_no_room_is_dropped_and_said(void **state)
{
    struct session_pair *pair = session_pair_live();

    (void)state;
    full_bound(pair, 300);
    session_pair_write(pair, ANA, ANA_PAIR, 256, 100, 1);
    session_pair_run(pair);
    assert_int_equal(full_held(pair), 256);
    assert_true(pair->sides[ANA].is_in_step);
    (void)session_pair_text(pair);

    session_pair_write(pair, ANA, ANA_PAIR, 100, 100, 2);
    session_pair_run(pair);
    assert_int_equal(full_held(pair), 256);
    assert_non_null(strstr(session_pair_text(pair), "ana: gives no more"));
    assert_false(pair->sides[ANA].is_in_step);
    assert_false(pair->sides[BEN].is_in_step);
    assert_false(pair->sides[ANA].is_ended);

    /* Nothing is sent meanwhile, and the other way nothing is held up. */
    pair->sides[ANA].replica.reads = 0;
    session_pair_write(pair, ANA, ANA_PAIR, 10, 100, 3);
    session_pair_write(pair, BEN, BEN_PAIR, 10, 100, 3);
    session_pair_run(pair);
    assert_int_equal(pair->sides[ANA].replica.reads, 0);
    session_pair_free(pair);
}

static void when_room_comes_it_goes_on(void **state)
{
    struct session_event asked = {.type = SESSION_SYNC_ASKED};
    struct session_pair *pair = session_pair_live();

    (void)state;
    full_bound(pair, 100);
    session_pair_write(pair, ANA, ANA_PAIR, 300, 100, 1);
    session_pair_run(pair);
    assert_int_equal(full_held(pair), 0);
    /* Too little to be worth asking for. */
    full_bound(pair, PEER_ENTRIES_MAX / PEER_ROOM_MIN_PART - 1);
    session_pair_event(pair, BEN, &asked);
    session_pair_run(pair);
    assert_int_equal(full_held(pair), 0);
    full_bound(pair, PEER_ENTRIES_MAX / PEER_ROOM_MIN_PART);
    asked.type = SESSION_SYNC_ASKED;
    session_pair_event(pair, BEN, &asked);
    session_pair_run(pair);
    assert_int_equal(full_held(pair), 300);
    assert_true(pair->sides[ANA].is_in_step);
    assert_true(pair->sides[BEN].is_in_step);
    session_pair_free(pair);
}

/* Full from before: said behind the marks of the next meeting, before anything could come. */
static void it_is_said_at_the_next_meeting_too(void **state)
{
    struct session_pair *pair = session_pair_live();

    (void)state;
    full_bound(pair, 0);
    session_pair_write(pair, ANA, ANA_PAIR, 300, 100, 1);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    pair->sides[ANA].replica.reads = 0;
    session_pair_run(pair);
    assert_int_equal(full_held(pair), 0);
    assert_in_range(pair->sides[ANA].replica.reads, 0, 2); /* What crossed the word on its way. */
    assert_false(pair->sides[ANA].is_ended);
    full_bound(pair, PEER_ENTRIES_MAX);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    assert_int_equal(full_held(pair), 300);
    assert_true(pair->sides[ANA].is_in_step);
    session_pair_free(pair);
}

/* Batches in the writer's hands count: the bound is not passed while they are under way. */
static void what_is_under_way_counts(void **state)
{
    struct session_pair *pair = session_pair_live();

    (void)state;
    full_bound(pair, 600);
    pair->sides[BEN].holds_commits = true;
    session_pair_write(pair, ANA, ANA_PAIR, 1000, 100, 1);
    session_pair_run(pair);
    assert_int_equal(pair->sides[BEN].commits_count, 2);
    pair->sides[BEN].holds_commits = false;
    while (pair->sides[BEN].commits_count > 0)
        session_pair_commit(pair, BEN);
    session_pair_run(pair);
    assert_int_equal(full_held(pair), 512);
    assert_false(pair->sides[ANA].is_ended);
    session_pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_finds_no_room_is_dropped_and_said),
        cmocka_unit_test(when_room_comes_it_goes_on),
        cmocka_unit_test(it_is_said_at_the_next_meeting_too),
        cmocka_unit_test(what_is_under_way_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
