/* Bounds of a session, its budgets, and what happens without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "tests/sim/session_pair.h"
#include "tests/unit/heap_failing.h"

/* A log of ana that exists nowhere. */
static struct log_id session_made_up_log(uint32_t number)
{
    struct log_id id = {{{0}}, {{0}}};

    memset(id.device.bytes, 0x55, sizeof id.device.bytes);
    be32_put(id.space.bytes, number);
    return id;
}

/* F5, credit, window. */

/* F5: one signature for each block and each log. */
static void a_first_sync_verifies_one_signature_a_block(void **state)
{
    struct session_pair *pair = session_pair_new();
    struct log_id log = session_pair_log(pair, ANA, ANA_PAIR);

    (void)state;
    for (int at = 0; at < 1000; at++)
        session_pair_write(pair, ANA, ANA_PAIR, 1, 300, (uint8_t)at);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    assert_int_equal(replica_mem_size(&pair->sides[BEN].replica, &log), 1000);
    assert_true(pair->sides[BEN].ingests <= 1000 / BLOCK_ENTRIES_MAX + 1);
    assert_true(pair->sides[ANA].bytes_sent <= 1000 * (300 + 60));
    assert_true(pair->sides[ANA].is_in_step && pair->sides[BEN].is_in_step);
    session_pair_free(pair);
}

/* PROTOCOL SYNC-9 */
static void without_commits_giving_stops_within_credit(void **state)
{
    struct session_pair *pair = session_pair_new();
    struct log_id log = session_pair_log(pair, ANA, ANA_PAIR);
    struct session_progress progress;

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 4000, 1000, 1);
    pair->sides[BEN].holds_commits = true;
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    session_progress(pair->sides[ANA].session, &progress);
    assert_true(progress.bytes_sent <= CREDIT_START);
    assert_true(progress.bytes_sent > CREDIT_START - BATCH_SIZE_MAX);
    assert_false(pair->sides[BEN].is_in_step);
    pair->sides[BEN].holds_commits = false;
    session_pair_run(pair);
    assert_int_equal(replica_mem_size(&pair->sides[BEN].replica, &log), 4000);
    assert_true(pair->sides[ANA].is_in_step && pair->sides[BEN].is_in_step);
    session_progress(pair->sides[BEN].session, &progress);
    assert_int_equal(progress.entries_received, 4000);
    assert_int_equal(progress.entries_expected, 4000);
    session_pair_free(pair);
}

/* Two of the largest entries make the largest batch. */
static void the_largest_batch_passes(void **state)
{
    struct session_pair *pair = session_pair_live();
    struct log_id log = session_pair_log(pair, ANA, ANA_PAIR);

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 1, BLOCK_PAYLOAD_SIZE - 1, 1);
    session_pair_run(pair);
    for (int at = 0; at < 8; at++)
        session_pair_write(pair, ANA, ANA_PAIR, 2, ENTRY_PAYLOAD_SIZE_MAX, 2);
    session_pair_run(pair);
    assert_int_equal(replica_mem_size(&pair->sides[BEN].replica, &log), 17);
    assert_true(pair->sides[BEN].is_in_step);
    session_pair_free(pair);
}

static void what_has_not_left_stops_giving(void **state)
{
    struct session_pair *pair = session_pair_live();
    struct session_event drained = {.type = SESSION_DRAINED};
    struct buf credit = {0};
    size_t before;

    (void)state;
    message_put_credit(CREDIT_MAX - CREDIT_START, &credit);
    session_pair_inject(pair, ANA, &credit);
    pair->sides[BEN].is_deaf = true;
    before = pair->sides[ANA].bytes_sent;
    session_pair_write(pair, ANA, ANA_PAIR, 6000, 1000, 1);
    assert_true(pair->sides[ANA].bytes_sent - before > 1 << 20);
    assert_true(pair->sides[ANA].bytes_sent - before < (1 << 20) + BATCH_SIZE_MAX);
    before = pair->sides[ANA].bytes_sent;
    session_pair_event(pair, ANA, &drained);
    assert_true(pair->sides[ANA].bytes_sent > before);
    pair->sides[BEN].is_deaf = false;
    session_pair_free(pair);
}

/* Bounds at n and n + 1. */

static void credit_ends_at_its_maximum(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        struct session_pair *pair = session_pair_live();
        struct buf bytes = {0};

        message_put_credit((uint64_t)(CREDIT_MAX - CREDIT_START + extra), &bytes);
        session_pair_inject(pair, ANA, &bytes);
        assert_int_equal(pair->sides[ANA].is_ended, extra);
        session_pair_free(pair);
    }
}

static void logs_of_a_peer_are_bounded(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        struct session_pair *pair = session_pair_live();
        struct buf bytes = {0};

        for (int at = 0; at < 2 * LOGS_PER_PEER_MAX + extra; at++) {
            struct log_id id = session_made_up_log((uint32_t)at);

            message_put_log((uint32_t)at, &id, &bytes);
        }
        session_pair_inject(pair, BEN, &bytes);
        assert_int_equal(pair->sides[BEN].is_ended, extra);
        session_pair_free(pair);
    }
}

static void marks_of_a_peer_are_bounded(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        struct session_pair *pair = session_pair_live();
        struct buf bytes = {0};

        for (int at = 0; at < 2 * LOGS_PER_PEER_MAX + extra; at++) {
            struct mark mark = {.log = session_made_up_log((uint32_t)at), .size = 1};

            message_put_marks(&mark, 1, false, &bytes);
        }
        session_pair_inject(pair, BEN, &bytes);
        assert_int_equal(pair->sides[BEN].is_ended, extra);
        session_pair_free(pair);
    }
}

/* PROTOCOL LINK-6: bytes that come while the node looks into a link are kept, but not for ever. */
static void what_waits_for_an_answer_is_bounded(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        struct session_pair *pair = session_pair_new();
        struct buf bytes = {0};

        pair->sides[ANA].holds_answer = true;
        session_pair_connect(pair, SESSION_INVITER, SESSION_ACCEPTOR);
        while (bytes.size < (1 << 20) - 6)
            message_put_ping(&bytes);
        while (bytes.size < (1 << 20) + extra)
            buf_byte(&bytes, 0);
        session_pair_inject(pair, ANA, &bytes);
        assert_int_equal(pair->sides[ANA].is_ended, extra);
        session_pair_free(pair);
    }
}

static void another_version_is_no_violation(void **state)
{
    struct session_pair *pair = session_pair_new();
    struct hello hello = {.version = PROTOCOL_VERSION + 1};
    struct buf bytes = {0};

    (void)state;
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    message_put_hello(&hello, &bytes);
    session_pair_inject(pair, BEN, &bytes);
    assert_true(pair->sides[BEN].is_ended);
    assert_int_equal(pair->sides[BEN].reason, SESSION_END_VERSION);
    session_pair_free(pair);
}

/* Whoever is invited with one's own invitation hears it, on either side. */
static void ones_own_invitation_is_refused(void **state)
{
    struct session_pair *pair = session_pair_new();
    struct session_options options;
    struct session_event start = {.type = SESSION_STARTED};
    struct buf identity = {0};

    (void)state;
    for (int role = SESSION_INVITER; role <= SESSION_ACCEPTOR; role++) {
        session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
        session_free(pair->sides[ANA].session);
        options = session_pair_options(pair, ANA, (enum session_role)role);
        options.member = pair->sides[BEN].root->public_key;
        assert_int_equal(session_new(&options, &pair->sides[ANA].session), ERR_OK);
        session_pair_event(pair, ANA, &start);
        if (role == SESSION_ACCEPTOR) {
            message_put_identity(buf_span(&pair->sides[BEN].identity), &identity);
            session_pair_inject(pair, ANA, &identity);
        }
        assert_true(pair->sides[ANA].is_ended);
        assert_int_equal(pair->sides[ANA].reason, SESSION_END_REFUSED);
        assert_non_null(strstr(session_pair_text(pair), "refused self"));
    }
    session_pair_free(pair);
}

/* Own devices. */

/* Both sides are devices of ana now. */
static struct public_key session_one_member(struct session_pair *pair)
{
    struct public_key member = pair->sides[ANA].root->public_key;

    for (int at = 0; at < 2; at++) {
        struct replica_mem *replica = &pair->sides[at].replica;

        replica->member = replica->members[BEN] = member;
        replica->writers[ANA_PAIR] = replica->writers[ANA_CARD] = member;
    }
    return member;
}

static void session_connect_own(struct session_pair *pair, const struct public_key *member)
{
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    for (int at = 0; at < 2; at++) {
        struct session_options options = session_pair_options(pair, at, SESSION_PEER);

        session_free(pair->sides[at].session);
        buf_clear(&pair->sides[at].inbox);
        options.member = options.peer = *member;
        assert_int_equal(session_new(&options, &pair->sides[at].session), ERR_OK);
    }
}

/* Two devices of one member: everything is shared, whoever wrote it, and bulk has more credit. */
static void own_devices_share_everything(void **state)
{
    struct session_pair *pair = session_pair_new();
    struct public_key member = session_one_member(pair);
    struct session_event start = {.type = SESSION_STARTED};
    struct log_id log = session_pair_log(pair, BEN, ANA_PAIR);
    struct session_progress progress;

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 3000, 1000, 1);
    session_pair_write(pair, BEN, ANA_PAIR, 5, 20, 1);
    for (int round = 0; round < 2; round++) {
        session_connect_own(pair, &member);
        pair->sides[ANA].bytes_sent = 0;
        session_pair_event(pair, ANA, &start);
        session_pair_event(pair, BEN, &start);
        pair->sides[BEN].holds_commits = round == 0;
        session_pair_run(pair);
        session_progress(pair->sides[ANA].session, &progress);
        assert_true(round == 1 || progress.bytes_sent > 2 * CREDIT_START);
        pair->sides[BEN].holds_commits = false;
        session_pair_run(pair);
        assert_true(pair->sides[ANA].is_in_step && pair->sides[BEN].is_in_step);
    }
    assert_true(pair->sides[ANA].bytes_sent <= 80);
    assert_int_equal(replica_mem_size(&pair->sides[ANA].replica, &log), 5);
    session_pair_free(pair);
}

/* Ana and Ben are one member with a third device, whose log may come to either; in step. */
static struct session_pair *session_pair_of_three(struct signing_key *out_third,
                                                  struct log_id *out_log)
{
    struct session_pair *pair = session_pair_new();
    struct public_key member = session_one_member(pair);
    struct session_event start = {.type = SESSION_STARTED};
    uint8_t seed[SEED_SIZE] = {77};

    identity_signing_key(seed, out_third);
    *out_log = (struct log_id){.space = pair->spaces[ANA_PAIR], .device = out_third->public_key};
    for (int at = 0; at < 2; at++)
        replica_mem_add_device(&pair->sides[at].replica, &out_third->public_key, &member);
    session_connect_own(pair, &member);
    session_pair_event(pair, ANA, &start);
    session_pair_event(pair, BEN, &start);
    session_pair_run(pair);
    return pair;
}

/* Entries of a third device come to a side from elsewhere. */
static void session_hear(struct session_pair *pair, int side, const struct signing_key *device,
                         size_t count)
{
    assert_int_equal(replica_mem_append(&pair->sides[side].replica, &pair->spaces[ANA_PAIR], device,
                                        count, 100, 7),
                     ERR_OK);
    session_pair_news(pair, side, ANA_PAIR);
}

/* A log that was given in part, and then taken from the other side, goes on from where it stands
 * now: the next batch says so. */
static void a_log_may_be_given_by_turns(void **state)
{
    struct signing_key third;
    struct log_id log;
    struct session_pair *pair = session_pair_of_three(&third, &log);

    (void)state;
    for (int turn = 0; turn < 6; turn++) {
        session_hear(pair, turn % 2 == 0 ? ANA : BEN, &third, 10);
        session_pair_run(pair);
        assert_false(pair->sides[ANA].is_ended || pair->sides[BEN].is_ended);
        assert_int_equal(replica_mem_size(&pair->sides[ANA].replica, &log), 10 * (turn + 1));
        assert_int_equal(replica_mem_size(&pair->sides[BEN].replica, &log), 10 * (turn + 1));
        assert_true(pair->sides[ANA].is_in_step && pair->sides[BEN].is_in_step);
    }
    session_pair_free(pair);
}

/* Both hear a third device at once, one of them less: what it gave is old there, and says nothing
 * of how far it has it. */
static void who_gave_what_is_old_is_given_the_rest(void **state)
{
    struct signing_key third;
    struct log_id log;
    struct session_pair *pair = session_pair_of_three(&third, &log);

    (void)state;
    session_hear(pair, ANA, &third, 5);
    assert_int_equal(
        replica_mem_append(&pair->sides[BEN].replica, &pair->spaces[ANA_PAIR], &third, 5, 100, 7),
        ERR_OK);
    session_hear(pair, BEN, &third, 3); /* Told of all eight at once. */
    session_pair_run(pair);
    assert_int_equal(replica_mem_size(&pair->sides[ANA].replica, &log), 8);
    assert_true(pair->sides[ANA].is_in_step && pair->sides[BEN].is_in_step);
    session_pair_free(pair);
}

/* Without memory. */

/* Plays what ben heard to a new session that gets only some allocations. True when it had enough.
 */
static bool session_replay(struct session_pair *pair, struct span heard, size_t allocations)
{
    struct session_options options = session_pair_options(pair, BEN, SESSION_PEER);
    struct session_event events[2] = {{.type = SESSION_STARTED},
                                      {.type = SESSION_BYTES, .bytes = heard}};
    struct replica replica = replica_mem_replica(&pair->sides[BEN].replica);
    struct session *session;
    size_t ingests = 0;
    enum err err;

    heap_failing_after(allocations);
    err = session_new(&options, &session);
    if (err != ERR_OK) {
        assert_int_equal(err, ERR_NOMEM);
        heap_failing_after(SIZE_MAX);
        return false;
    }
    for (size_t at = 0; at < 2 && err == ERR_OK; at++) {
        const struct session_effect *effects;
        size_t count;

        err = session_step(session, &events[at], &replica, &effects, &count);
        for (size_t one = 0; one < count; one++) {
            if (effects[one].type == SESSION_INGEST) {
                verified_batch_free(effects[one].ingest.batch);
                ingests++;
            } else if (effects[one].type == SESSION_END) {
                assert_int_equal(effects[one].end.reason, SESSION_END_STORE);
                err = ERR_NOMEM;
            }
        }
    }
    heap_failing_after(SIZE_MAX);
    session_free(session);
    assert_true(err == ERR_NOMEM || ingests == 4);
    return err == ERR_OK;
}

static void without_memory_nobody_else_is_blamed(void **state)
{
    struct session_pair *pair = session_pair_new();
    struct buf heard = {0};
    size_t allocations = 0;

    (void)state;
    session_pair_write(pair, ANA, ANA_PAIR, 600, 20, 1);
    session_pair_write(pair, ANA, ANA_CARD, 1, 20, 1);
    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    pair->sides[BEN].holds_commits = true;
    session_pair_run(pair);
    buf_append(&heard, buf_span(&pair->sides[BEN].heard));
    while (!session_replay(pair, buf_span(&heard), allocations))
        allocations++;
    assert_true(allocations > 20);
    buf_release(&heard);
    session_pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_sync_verifies_one_signature_a_block),
        cmocka_unit_test(without_commits_giving_stops_within_credit),
        cmocka_unit_test(the_largest_batch_passes),
        cmocka_unit_test(what_has_not_left_stops_giving),
        cmocka_unit_test(credit_ends_at_its_maximum),
        cmocka_unit_test(logs_of_a_peer_are_bounded),
        cmocka_unit_test(marks_of_a_peer_are_bounded),
        cmocka_unit_test(what_waits_for_an_answer_is_bounded),
        cmocka_unit_test(another_version_is_no_violation),
        cmocka_unit_test(ones_own_invitation_is_refused),
        cmocka_unit_test(own_devices_share_everything),
        cmocka_unit_test(a_log_may_be_given_by_turns),
        cmocka_unit_test(who_gave_what_is_old_is_given_the_rest),
        cmocka_unit_test(without_memory_nobody_else_is_blamed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
