/* Whatever the order of bytes, commits, edits and broken connections: no honest side breaks a rule,
 * and both agree in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/session_pair.h"

enum { AGREE_RUNS = 300, AGREE_STEPS = 120 };

struct agree {
    struct session_pair *pair;
    uint64_t random; /* SplitMix64 */
    bool is_card_known;
    size_t restarts, refusals;
};

static size_t agree_draw(struct agree *agree, size_t below)
{
    uint64_t word = agree->random += UINT64_C(0x9e3779b97f4a7c15);

    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (size_t)((word ^ (word >> 31)) % below);
}

/* Another session of the same two stored something meanwhile, or its commit came in between. */
static void agree_commit(struct agree *agree, int side)
{
    struct session_side *at = &agree->pair->sides[side];

    if (at->commits_count == 0)
        return;
    at->commit_err = agree_draw(agree, 6) == 0 ? ERR_DETACHED : ERR_OK;
    agree->refusals += at->commit_err != ERR_OK;
    session_pair_commit(agree->pair, side);
    at->commit_err = ERR_OK;
}

/* ben hears of ana's card space. */
static void agree_know(struct agree *agree)
{
    if (agree->is_card_known)
        return;
    agree->is_card_known = true;
    replica_mem_add_space(&agree->pair->sides[BEN].replica, &agree->pair->spaces[ANA_CARD],
                          &agree->pair->sides[ANA].root->public_key);
    session_pair_news(agree->pair, BEN, BEN_PAIR);
}

static void agree_write(struct agree *agree, int side)
{
    const enum session_pair_space spaces[2][2] = {{ANA_PAIR, ANA_CARD}, {BEN_PAIR, BEN_CARD}};
    size_t count = agree_draw(agree, 8) == 0 ? 1 + agree_draw(agree, 600) : 1;

    session_pair_write(agree->pair, side, spaces[side][agree_draw(agree, 2)], count,
                       1 + agree_draw(agree, 40), (uint8_t)agree_draw(agree, 256));
}

static void agree_step(struct agree *agree)
{
    int side = (int)agree_draw(agree, 2);

    switch (agree_draw(agree, 40)) {
    case 0:
        agree->restarts++;
        session_pair_connect(agree->pair, SESSION_PEER, SESSION_PEER);
        break;
    case 1:
        agree_know(agree);
        break;
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
        agree_write(agree, side);
        break;
    default:
        if (agree_draw(agree, 2) == 0)
            agree_commit(agree, side);
        else
            (void)session_pair_carry(agree->pair, side, 1 + agree_draw(agree, 3000));
        break;
    }
}

static void agree_check(struct agree *agree, uint64_t seed)
{
    struct session_pair *pair = agree->pair;

    for (int side = 0; side < 2; side++) {
        if (pair->sides[side].is_ended || !pair->sides[side].is_in_step)
            fail_msg("seed %llu: %s is %s\n%s", (unsigned long long)seed, pair->sides[side].name,
                     pair->sides[side].is_ended ? pair->sides[side].rule : "out of step",
                     session_pair_text(pair));
        for (int space = 0; space < SESSION_PAIR_SPACES; space++) {
            struct log_id log = session_pair_log(pair, space % 2, (enum session_pair_space)space);

            assert_int_equal(replica_mem_size(&pair->sides[ANA].replica, &log),
                             replica_mem_size(&pair->sides[BEN].replica, &log));
        }
    }
}

static void both_agree_whatever_the_order(void **state)
{
    size_t restarts = 0, refusals = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= AGREE_RUNS; seed++) {
        struct agree agree = {.pair = session_pair_new(), .random = seed << 32};
        struct replica_mem *replica = &agree.pair->sides[BEN].replica;

        /* ana's card space is the last that ben does not know yet. */
        replica->spaces[ANA_CARD] = replica->spaces[BEN_CARD];
        replica->writers[ANA_CARD] = replica->writers[BEN_CARD];
        replica->spaces_count--;
        replica->is_led = seed % 3 == 0;
        agree.pair->sides[ANA].replica.is_led = seed % 2 == 0;
        session_pair_connect(agree.pair, SESSION_PEER, SESSION_PEER);
        for (int step = 0; step < AGREE_STEPS; step++)
            agree_step(&agree);
        agree_know(&agree);
        session_pair_run(agree.pair);
        agree_check(&agree, seed);
        restarts += agree.restarts;
        refusals += agree.refusals;
        session_pair_free(agree.pair);
    }
    assert_true(restarts > AGREE_RUNS && refusals > AGREE_RUNS);
}

/* What a retired device of ana's wrote: three entries, and two more of either branch. */
static struct log_id agree_branch(struct session_pair *pair, int side, uint8_t fill)
{
    static const uint8_t seed[SEED_SIZE] = {0x2a};
    struct replica_mem *replica = &pair->sides[side].replica;
    struct signing_key old;
    struct log_id log = {.space = pair->spaces[ANA_PAIR]};

    identity_signing_key(seed, &old);
    log.device = old.public_key;
    replica_mem_add_device(replica, &old.public_key, &pair->sides[ANA].root->public_key);
    assert_int_equal(replica_mem_append(replica, &log.space, &old, 3, 20, 1), ERR_OK);
    assert_int_equal(replica_mem_append(replica, &log.space, &old, 2, 20, fill), ERR_OK);
    replica->retired = old.public_key;
    replica->has_keep = true;
    replica->keep_size = 5;
    return log;
}

/* PROTOCOL FORK-3, SYNC-14: ana cuts what is beside the kept mark and takes what ben has: then the
 * two are in step, in this very session. After how many bytes her commit comes makes no difference.
 */
static void whoever_moved_to_the_other_branch_is_in_step(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 1200; bytes += 40) {
        struct session_pair *pair = session_pair_new();
        struct log_id log = agree_branch(pair, BEN, 7);
        struct replica_mem *ana = &pair->sides[ANA].replica;

        (void)agree_branch(pair, ANA, 9);
        ana->is_off = true;
        session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
        (void)session_pair_carry(pair, BEN, bytes);
        (void)session_pair_carry(pair, ANA, bytes);
        (void)session_pair_carry(pair, BEN, bytes);
        replica_mem_cut(ana, &log, 3);
        ana->is_off = false;
        session_pair_news(pair, ANA, ANA_PAIR);
        session_pair_run(pair);
        assert_int_equal(replica_mem_size(ana, &log), 5);
        for (int side = 0; side < 2; side++)
            if (!pair->sides[side].is_in_step)
                fail_msg("%zu bytes: %s is not in step\n%s", bytes, pair->sides[side].name,
                         session_pair_text(pair));
        session_pair_free(pair);
    }
}

/* FACT-1: what was told of a device said nothing of a space that is shared only since: there may be
 * a keep in it, without which nothing is taken. */
static void facts_are_told_again_for_a_log_that_is_new(void **state)
{
    static const uint8_t seed[SEED_SIZE] = {0x2a};
    struct session_pair *pair = session_pair_new();
    struct replica_mem *ana = &pair->sides[ANA].replica;
    struct signing_key old;

    (void)state;
    (void)agree_branch(pair, ANA, 9);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    assert_non_null(strstr(session_pair_text(pair), "ben: facts"));
    identity_signing_key(seed, &old);
    assert_int_equal(replica_mem_append(ana, &pair->spaces[ANA_CARD], &old, 3, 20, 1), ERR_OK);
    session_pair_news(pair, ANA, ANA_CARD);
    session_pair_run(pair);
    assert_non_null(strstr(session_pair_text(pair), "ben: facts"));
    session_pair_free(pair);
}

/* ABSENT-2: at the places of another branch the other side has other entries. The log of which both
 * hold the same is asked for. */
static void of_another_branch_no_payload_is_asked(void **state)
{
    struct session_pair *pair = session_pair_new();
    const char *text;

    (void)state;
    (void)agree_branch(pair, BEN, 7);
    (void)agree_branch(pair, ANA, 9);
    pair->sides[ANA].replica.is_off = true;
    pair->sides[BEN].replica.wants = 1;
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    text = session_pair_text(pair);
    assert_null(strstr(text, "ben: fill"));
    assert_null(strstr(text, "want ana-pair"));
    assert_false(pair->sides[ANA].is_ended || pair->sides[BEN].is_ended);
    session_pair_free(pair);
}

/* PROTOCOL FORK-3: ben has come over to ana's branch, which she gave in another session, and his
 * tag at her tip is all that she hears of it: he holds what she does. */
static void whoever_shows_the_same_tag_holds_the_log(void **state)
{
    struct session_pair *pair = session_pair_new();
    struct session_side *ana = &pair->sides[ANA];
    struct log_id log = agree_branch(pair, ANA, 9);
    struct replica replica = replica_mem_replica(&ana->replica);
    struct trace_tag tag = {.size = 5};
    struct buf bytes = {0};
    struct chain chain;
    struct mark mark;

    (void)state;
    (void)agree_branch(pair, BEN, 7);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    assert_false(ana->is_in_step);
    assert_int_equal(replica.chain_at(replica.self, &log, tag.size, &chain), ERR_OK);
    chain_mark(&chain, &log, &mark);
    memcpy(tag.tag, mark.tag, TAG_SIZE);
    message_put_trace(&log, &tag, 1, true, &bytes);
    session_pair_inject(pair, ANA, &bytes);
    if (!ana->is_in_step)
        fail_msg("ana is not in step\n%s", session_pair_text(pair));
    session_pair_free(pair);
}

/* PROTOCOL FORK-3: the branch that is kept is lost. Of what lies beside it ana holds five entries,
 * and ben as many as are left of its beginning: she cuts hers to as many. One who holds as much, or
 * whose log does not reach the mark, stays as she is. */
static void whoever_is_beside_a_lost_branch_comes_to_what_is_left(void **state)
{
    (void)state;
    for (uint64_t keep = 4; keep <= 6; keep++)
        for (uint64_t left = 0; left <= 5; left++) {
            bool is_moved = keep <= 5 && left < 5;
            struct session_pair *pair = session_pair_new();
            struct log_id log = agree_branch(pair, ANA, 9);
            struct replica_mem *ana = &pair->sides[ANA].replica;
            struct replica_mem *ben = &pair->sides[BEN].replica;
            const char *text;
            char wanted[64];

            (void)agree_branch(pair, BEN, 9);
            replica_mem_cut(ben, &log, left);
            ana->keep_size = ben->keep_size = keep;
            ana->is_off = true;
            session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
            session_pair_run(pair);
            (void)snprintf(wanted, sizeof wanted, "to %llu\n", (unsigned long long)left);
            text = session_pair_text(pair);
            assert_true((strstr(text, "rebase") != NULL) == is_moved);
            assert_true(!is_moved || strstr(text, wanted) != NULL);
            session_pair_free(pair);
        }
}

/* PROTOCOL FACT-1: two devices of ana. The other hears of one that was shut out before it has
 * anything to commit, at the beginning and when that happens while they talk. */
static void who_was_shut_out_is_told_before_anything_is_given(void **state)
{
    (void)state;
    for (int is_live = 0; is_live < 2; is_live++) {
        struct session_pair *pair = session_pair_new();
        struct replica_mem *ana = &pair->sides[ANA].replica;
        struct replica_mem *other = &pair->sides[BEN].replica;
        struct signing_key *root = pair->sides[BEN].root;
        const char *text, *facts, *commit;

        other->member = ana->member;
        pair->sides[BEN].root = pair->sides[ANA].root;
        ana->retired = (struct public_key){{7}};
        ana->is_out = !is_live;
        if (!is_live)
            session_pair_write(pair, ANA, ANA_CARD, 3, 20, 1);
        session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
        session_pair_run(pair);
        if (is_live) {
            assert_null(strstr(session_pair_text(pair), "ben: facts"));
            ana->is_out = true;
            session_pair_write(pair, ANA, ANA_CARD, 3, 20, 1);
            session_pair_run(pair);
        }
        text = session_pair_text(pair);
        facts = strstr(text, "ben: facts");
        commit = strstr(text, "ben: commit");
        assert_true(facts != NULL && commit != NULL && facts < commit);
        assert_null(strstr(facts + 1, "ben: facts"));
        pair->sides[BEN].root = root;
        session_pair_free(pair);
    }
}

/* PROTOCOL FACT-1: ana's log ends at the least keep; ben holds more, and has not heard of it. */
static void whoever_holds_more_than_counts_is_told_why(void **state)
{
    (void)state;
    for (uint64_t keep = 3; keep <= 5; keep++) {
        struct session_pair *pair = session_pair_new();
        struct log_id log = agree_branch(pair, ANA, 9);
        struct replica_mem *ana = &pair->sides[ANA].replica;
        struct replica_mem *ben = &pair->sides[BEN].replica;

        (void)agree_branch(pair, BEN, 9);
        replica_mem_cut(ana, &log, 3);
        ana->keep_size = keep;
        ben->retired = (struct public_key){{0}};
        session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
        session_pair_run(pair);
        assert_true((strstr(session_pair_text(pair), "ben: facts") != NULL) == (keep < 5));
        session_pair_free(pair);
    }
}

/* The device that ana speaks with was certified by one that is retired. ben knows that one, and has
 * not heard; he has as many entries of its log as that. */
static struct session_pair *agree_led(size_t known)
{
    struct session_pair *pair = session_pair_new();
    struct log_id log = agree_branch(pair, ANA, 9);
    struct replica_mem *ben = &pair->sides[BEN].replica;

    (void)agree_branch(pair, BEN, 9);
    replica_mem_cut(ben, &log, known);
    ben->retired = (struct public_key){{0}};
    pair->sides[ANA].replica.is_led = true;
    session_pair_write(pair, ANA, ANA_CARD, 4, 20, 1);
    return pair;
}

/* PROTOCOL STOLEN-15: ben, who hears of the theft, would refuse ana's device: its certifier's log
 * comes first, and nothing else before the theft is told. Where he has that he is told at once. */
static void what_shows_who_was_in_time_comes_before_the_theft(void **state)
{
    (void)state;
    for (size_t known = 0; known <= 5; known++) {
        struct session_pair *pair = agree_led(known);
        const char *text, *facts, *proof, *other;

        session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
        session_pair_run(pair);
        text = session_pair_text(pair);
        facts = strstr(text, "ben: facts");
        proof = strstr(text, "ben: commit ana-pair:5");
        other = strstr(text, "ben: commit ana-card:4");
        assert_non_null(other);
        assert_true((proof != NULL) == (known < 5));
        if (known < 5)
            assert_true(facts != NULL && proof < facts && facts < other);
        else
            assert_null(facts); /* Nothing of that log is given. */
        assert_true(pair->sides[ANA].is_in_step && pair->sides[BEN].is_in_step);
        session_pair_free(pair);
    }
}

/* PROTOCOL STOLEN-15: what the other side does not store is not waited for. */
static void a_theft_is_told_after_a_minute(void **state)
{
    struct session_pair *pair = agree_led(0);
    struct session_event woken = {.type = SESSION_WOKEN};
    uint64_t begun_at_ms = pair->now_ms;
    const char *text;

    (void)state;
    pair->sides[BEN].holds_commits = true;
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    assert_null(strstr(session_pair_text(pair), "ben: facts"));
    assert_true(session_wake_at_ms(pair->sides[ANA].session) <= begun_at_ms + 60000);
    pair->now_ms = begun_at_ms + 59999;
    session_pair_event(pair, ANA, &woken);
    session_pair_run(pair);
    assert_null(strstr(session_pair_text(pair), "facts"));
    pair->now_ms++;
    session_pair_event(pair, ANA, &woken);
    session_pair_run(pair);
    text = session_pair_text(pair);
    assert_non_null(strstr(text, "facts"));
    assert_non_null(strstr(text, "ana-card"));
    session_pair_free(pair);
}

/* PROTOCOL STOLEN-15: ana hears of it while they talk: what she writes then waits, too. */
static void a_theft_that_is_heard_of_meanwhile_waits_too(void **state)
{
    struct session_pair *pair = agree_led(0);
    struct replica_mem *ana = &pair->sides[ANA].replica;
    struct public_key retired = ana->retired;

    (void)state;
    ana->retired = (struct public_key){{0}};
    ana->is_led = false;
    pair->sides[BEN].holds_commits = true;
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    (void)session_pair_text(pair);
    ana->retired = retired;
    ana->is_led = true;
    session_pair_write(pair, ANA, ANA_CARD, 1, 20, 1);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "")); /* ben has not stored that log yet. */
    pair->sides[BEN].holds_commits = false;
    session_pair_run(pair);
    assert_true(pair->sides[ANA].is_in_step && pair->sides[BEN].is_in_step);
    session_pair_free(pair);
}

/* PROTOCOL STOLEN-16: while ana doubts ben's device it is given nothing and told nothing; it may
 * bring what others wrote. */
static void whoever_is_doubted_is_given_nothing(void **state)
{
    struct session_pair *pair = session_pair_new();
    struct session_event doubted = {.type = SESSION_DOUBTED, .is_doubted = true};
    struct session_side *ana = &pair->sides[ANA];
    struct log_id log = session_pair_log(pair, BEN, BEN_PAIR);
    const char *text;

    (void)state;
    session_pair_write(pair, ANA, ANA_CARD, 3, 20, 1);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    (void)session_pair_text(pair);
    (void)agree_branch(pair, ANA, 9);
    session_pair_event(pair, ANA, &doubted);
    session_pair_news(pair, ANA, ANA_PAIR);
    session_pair_write(pair, ANA, ANA_CARD, 1, 20, 1);
    session_pair_write(pair, BEN, BEN_PAIR, 2, 20, 1);
    session_pair_run(pair);
    text = session_pair_text(pair);
    assert_null(strstr(text, "facts"));
    assert_null(strstr(text, "ben: commit"));
    assert_non_null(strstr(text, "ana: commit ben-pair:2"));
    assert_int_equal(replica_mem_size(&ana->replica, &log), 2);
    assert_false(ana->is_in_step);
    doubted.is_doubted = false;
    session_pair_event(pair, ANA, &doubted);
    session_pair_run(pair);
    text = session_pair_text(pair);
    assert_non_null(strstr(text, "ben: facts"));
    assert_non_null(strstr(text, "ben: commit ana-card:4"));
    session_pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_agree_whatever_the_order),
        cmocka_unit_test(whoever_moved_to_the_other_branch_is_in_step),
        cmocka_unit_test(of_another_branch_no_payload_is_asked),
        cmocka_unit_test(facts_are_told_again_for_a_log_that_is_new),
        cmocka_unit_test(whoever_holds_more_than_counts_is_told_why),
        cmocka_unit_test(what_shows_who_was_in_time_comes_before_the_theft),
        cmocka_unit_test(a_theft_is_told_after_a_minute),
        cmocka_unit_test(a_theft_that_is_heard_of_meanwhile_waits_too),
        cmocka_unit_test(whoever_is_doubted_is_given_nothing),
        cmocka_unit_test(who_was_shut_out_is_told_before_anything_is_given),
        cmocka_unit_test(whoever_shows_the_same_tag_holds_the_log),
        cmocka_unit_test(whoever_is_beside_a_lost_branch_comes_to_what_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
