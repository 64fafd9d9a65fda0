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
    uint64_t held = 0;
    struct replica_room room;
    struct replica ask = replica_mem_replica(replica);

    replica->has_bound = true;
    replica->bound = UINT32_MAX;
    assert_int_equal(ask.room(ask.self, &(struct public_key){{0}}, &room), ERR_OK);
    held = UINT32_MAX - room.entries;
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

/* Another of ben's devices wrote it: what ana may write here does not count it, the disk does. */
static void what_is_handed_back_is_bounded_by_the_disk_alone(void **state)
{
    struct session_event asked = {.type = SESSION_SYNC_ASKED};
    struct session_pair *pair = session_pair_live();
    struct log_id log = {.space = pair->spaces[BEN_PAIR]};
    struct replica_mem *ana = &pair->sides[ANA].replica, *ben = &pair->sides[BEN].replica;
    struct signing_key third;
    uint8_t seed[SEED_SIZE] = {77};

    (void)state;
    identity_signing_key(seed, &third);
    log.device = third.public_key;
    replica_mem_add_device(ana, &third.public_key, &pair->sides[BEN].root->public_key);
    replica_mem_add_device(ben, &third.public_key, &pair->sides[BEN].root->public_key);
    full_bound(pair, 0);
    session_pair_write(pair, ANA, ANA_PAIR, 10, 100, 1);
    session_pair_run(pair);
    assert_non_null(strstr(session_pair_text(pair), "ana: gives no more"));
    assert_int_equal(replica_mem_append(ana, &log.space, &third, 300, 100, 7), ERR_OK);
    session_pair_news(pair, ANA, BEN_PAIR);
    session_pair_run(pair);
    assert_int_equal(replica_mem_size(ben, &log), 300);
    assert_int_equal(full_held(pair), 0);

    ben->is_disk_low = true;
    assert_int_equal(replica_mem_append(ana, &log.space, &third, 10, 100, 8), ERR_OK);
    session_pair_news(pair, ANA, BEN_PAIR);
    session_pair_run(pair);
    assert_int_equal(replica_mem_size(ben, &log), 300);
    ben->is_disk_low = false;
    full_bound(pair, PEER_ENTRIES_MAX);
    session_pair_event(pair, BEN, &asked);
    session_pair_run(pair);
    assert_int_equal(replica_mem_size(ben, &log), 310);
    assert_int_equal(full_held(pair), 10);
    assert_true(pair->sides[ANA].is_in_step && pair->sides[BEN].is_in_step);
    session_pair_free(pair);
}

/* The disk fills, or the owner wants less, while the session lasts: what was free at its beginning
 * is no promise. */
static void room_that_is_lost_meanwhile_is_noticed(void **state)
{
    struct session_event asked = {.type = SESSION_SYNC_ASKED};
    struct session_pair *pair = session_pair_live();

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 10, 100, 1);
    session_pair_run(pair);
    pair->sides[BEN].replica.is_disk_low = true;
    for (uint8_t round = 2; round < 10; round++) {
        session_pair_write(pair, ANA, ANA_PAIR, 256, 100, round);
        session_pair_run(pair);
    }
    assert_in_range(full_held(pair), 10, 10 + PEER_PORTION_ENTRIES + BLOCK_ENTRIES_MAX);
    assert_non_null(strstr(session_pair_text(pair), "ana: gives no more"));
    session_pair_free(pair);

    pair = session_pair_live();
    session_pair_write(pair, ANA, ANA_PAIR, 10, 100, 1);
    session_pair_run(pair);
    full_bound(pair, 0);
    session_pair_event(pair, BEN, &asked); /* The owner has said so. */
    session_pair_write(pair, ANA, ANA_PAIR, 10, 100, 2);
    session_pair_run(pair);
    assert_int_equal(full_held(pair), 10);
    session_pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_finds_no_room_is_dropped_and_said),
        cmocka_unit_test(when_room_comes_it_goes_on),
        cmocka_unit_test(it_is_said_at_the_next_meeting_too),
        cmocka_unit_test(what_is_under_way_counts),
        cmocka_unit_test(what_is_handed_back_is_bounded_by_the_disk_alone),
        cmocka_unit_test(room_that_is_lost_meanwhile_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
