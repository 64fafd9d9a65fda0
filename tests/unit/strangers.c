/* Bounds on what nobody has proved yet: each at n - 1, n and n + 1, in a time of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/bucket.h"
#include "node/strangers.h"
#include "storage/view_host.h"
#include "tests/sim/member.h"

static struct address from_ipv4(uint32_t host)
{
    struct address address = {.host = {[10] = 0xff, 0xff}, .port = 40000};

    be32_put(address.host + 12, host);
    return address;
}

static struct address from_ipv6(uint64_t prefix, uint64_t rest)
{
    struct address address = {.port = 40000};

    be64_put(address.host, prefix);
    be64_put(address.host + 8, rest);
    return address;
}

/* One key, so that the same places share a set in every run. */
static void stranger_fill(void *self, uint8_t *out, size_t size)
{
    (void)self;
    memset(out, 0x5a, size);
}

static struct strangers *stranger_table(void)
{
    struct entropy entropy = {.fill = stranger_fill};
    struct strangers *strangers;

    assert_int_equal(strangers_new(&entropy, &strangers), ERR_OK);
    return strangers;
}

/* Enters, and says which connection gave way (0: none); UINT64_MAX when it was refused. */
static uint64_t stranger_enters(struct strangers *strangers, uint64_t conn, struct address from,
                                uint64_t now_ms)
{
    uint64_t dropped;

    return strangers_enter(strangers, conn, &from, now_ms, &dropped) ? dropped : UINT64_MAX;
}

static void a_bucket_gives_its_capacity_and_then_its_pace(void **state)
{
    uint64_t full_at = 0;

    (void)state;
    for (int at = 0; at < 10; at++)
        assert_true(bucket_take(&full_at, 200, 1, 10, 5000));
    assert_false(bucket_take(&full_at, 200, 1, 10, 5000));
    assert_false(bucket_take(&full_at, 200, 1, 10, 5199));
    assert_true(bucket_take(&full_at, 200, 1, 10, 5200));
    assert_false(bucket_take(&full_at, 200, 2, 10, 5400));
    assert_true(bucket_take(&full_at, 200, 2, 10, 5600));
    assert_true(bucket_take(&full_at, 200, 10, 10, 100000));
    assert_false(bucket_take(&full_at, 200, 11, 10, 1000000));
}

static void one_place_has_eight_slots_and_the_own_machine_half(void **state)
{
    struct strangers *strangers = stranger_table();
    uint64_t now_ms = 1000000;

    (void)state;
    for (uint64_t conn = 1; conn <= STRANGERS_PER_PLACE_MAX; conn++)
        assert_int_equal(stranger_enters(strangers, conn, from_ipv4(0xc0000201), now_ms), 0);
    now_ms += 60000;
    assert_int_equal(stranger_enters(strangers, 9, from_ipv4(0xc0000201), now_ms), UINT64_MAX);
    strangers_leave(strangers, 3);
    strangers_leave(strangers, 3);
    assert_int_equal(strangers_count(strangers), STRANGERS_PER_PLACE_MAX - 1);
    assert_int_equal(stranger_enters(strangers, 9, from_ipv4(0xc0000201), now_ms), 0);
    assert_int_equal(stranger_enters(strangers, 10, from_ipv4(0xc0000202), now_ms), 0);

    /* Of IPv6, a /64 is one place. */
    for (uint64_t conn = 1; conn <= STRANGERS_PER_PLACE_MAX; conn++)
        assert_int_equal(stranger_enters(strangers, 100 + conn, from_ipv6(7, conn), now_ms), 0);
    assert_int_equal(stranger_enters(strangers, 200, from_ipv6(7, 77), now_ms), UINT64_MAX);
    assert_int_equal(stranger_enters(strangers, 200, from_ipv6(8, 77), now_ms), 0);

    for (uint64_t conn = 1; conn <= STRANGERS_OWN_MACHINE_MAX; conn++)
        assert_int_equal(stranger_enters(strangers, 300 + conn, from_ipv4(0x7f000001), now_ms), 0);
    assert_int_equal(stranger_enters(strangers, 500, from_ipv4(0x7f000001), now_ms), UINT64_MAX);
    for (uint64_t conn = 1; conn <= STRANGERS_PER_PLACE_MAX; conn++)
        assert_int_equal(stranger_enters(strangers, 600 + conn, from_ipv4(0x7f000002), now_ms), 0);
    assert_int_equal(stranger_enters(strangers, 700, from_ipv4(0x7f000002), now_ms), UINT64_MAX);
    strangers_free(strangers);
}

static void one_place_knocks_ten_times_at_once_and_five_times_a_second(void **state)
{
    struct strangers *strangers = stranger_table();
    uint64_t conn = 0;
    int admitted = 0;

    (void)state;
    for (uint64_t now_ms = 1000000; now_ms < 1010000; now_ms += 10) {
        if (stranger_enters(strangers, ++conn, from_ipv4(0xc0000201), now_ms) != 0)
            continue;
        admitted++;
        strangers_leave(strangers, conn);
    }
    assert_in_range(admitted, 10 + 49, 10 + 50);
    /* Elsewhere nobody notices. */
    assert_int_equal(stranger_enters(strangers, ++conn, from_ipv4(0xc0000202), 1010000), 0);
    strangers_free(strangers);
}

static void what_overflows_drops_the_oldest_of_the_busiest_place(void **state)
{
    struct strangers *strangers = stranger_table();
    uint64_t unknown_max = STRANGERS_MAX - STRANGERS_RESERVED, conn = 0;

    (void)state;
    /* Three from one place, later than all the others. */
    for (uint32_t host = 0; host < unknown_max - 3; host++)
        assert_int_equal(stranger_enters(strangers, ++conn, from_ipv4(0xc6336400 + host), 1000), 0);
    for (int at = 0; at < 3; at++)
        assert_int_equal(
            stranger_enters(strangers, ++conn, from_ipv4(0xc0000201), 2000 + (uint64_t)at), 0);
    assert_int_equal(strangers_count(strangers), unknown_max);
    assert_int_equal(stranger_enters(strangers, 1000, from_ipv4(0xcb007101), 3000), conn - 2);
    assert_int_equal(stranger_enters(strangers, 1001, from_ipv4(0xcb007102), 3000), conn - 1);
    /* Now every place has one: the oldest gives way. */
    assert_int_equal(stranger_enters(strangers, 1002, from_ipv4(0xcb007103), 3000), 1);
    assert_int_equal(strangers_count(strangers), unknown_max);
    strangers_free(strangers);
}

static void known_places_have_slots_of_their_own_for_thirty_days(void **state)
{
    struct strangers *strangers = stranger_table();
    uint64_t unknown_max = STRANGERS_MAX - STRANGERS_RESERVED, conn = 0;
    uint64_t day_ms = UINT64_C(24) * 3600 * 1000, now_ms = 1000;

    (void)state;
    for (uint32_t host = 0; host < STRANGERS_RESERVED + 1; host++)
        strangers_know(strangers, &(struct address){.host = {1, [7] = (uint8_t)host}}, 0, now_ms);
    strangers_know(strangers, &(struct address){.host = {2}}, 30 * day_ms, now_ms);
    for (uint32_t host = 0; host < unknown_max + 100; host++)
        (void)stranger_enters(strangers, ++conn, from_ipv4(0xc6330000 + host), ++now_ms);
    assert_int_equal(strangers_count(strangers), unknown_max);
    for (uint32_t host = 0; host < STRANGERS_RESERVED; host++)
        assert_int_equal(stranger_enters(strangers, ++conn,
                                         (struct address){.host = {1, [7] = (uint8_t)host}},
                                         now_ms),
                         0);
    assert_int_equal(strangers_count(strangers), STRANGERS_MAX);
    /* One more known place: a stranger gives way; one more stranger: again a stranger. */
    assert_int_equal(stranger_enters(strangers, ++conn,
                                     (struct address){.host = {1, [7] = STRANGERS_RESERVED}},
                                     now_ms),
                     101);
    assert_int_equal(stranger_enters(strangers, ++conn, (struct address){.host = {2}}, now_ms),
                     102);
    strangers_free(strangers);
}

static bool stranger_is_answered(struct strangers *strangers, struct address from, uint64_t number,
                                 uint64_t now_ms)
{
    uint8_t ephemeral[32] = {0};

    be64_put(ephemeral + 8, number);
    return strangers_may_answer(strangers, &from, ephemeral, now_ms);
}

static void a_first_message_is_answered_once_in_ten_minutes(void **state)
{
    struct strangers *strangers = stranger_table();

    (void)state;
    assert_true(stranger_is_answered(strangers, from_ipv4(1), 1, 1000));
    assert_false(stranger_is_answered(strangers, from_ipv4(1), 1, 1000));
    assert_false(stranger_is_answered(strangers, from_ipv4(2), 1, 1000 + STRANGERS_SEEN_MS));
    assert_true(stranger_is_answered(strangers, from_ipv4(1), 2, 1000 + STRANGERS_SEEN_MS));
    assert_true(stranger_is_answered(strangers, from_ipv4(1), 1, 1002 + STRANGERS_SEEN_MS));
    strangers_free(strangers);
}

/* Never more than 2,000 scalar multiplications in a second, and some of them for known places. */
static void arithmetic_has_a_budget_and_known_places_a_part_of_it(void **state)
{
    struct strangers *strangers = stranger_table();
    uint64_t number = 0, answered[20] = {0}, second = 0, known = 0;
    struct address home = from_ipv4(0xcb007101);

    (void)state;
    strangers_know(strangers, &home, 0, 1000);
    for (uint64_t now_ms = 10000; now_ms < 12000; now_ms++)
        for (int at = 0; at < 20; at++)
            answered[(now_ms - 10000) / 100] +=
                stranger_is_answered(strangers, from_ipv4(77), ++number, now_ms);
    for (size_t at = 0; at < 10; at++)
        second += answered[at];
    assert_in_range(second * STRANGERS_HANDSHAKE_COST, 1800, 2000);
    for (size_t first = 0; first <= 10; first++) {
        second = 0;
        for (size_t at = first; at < first + 10; at++)
            second += answered[at];
        assert_in_range(second * STRANGERS_HANDSHAKE_COST, 1700, 2000);
    }
    while (stranger_is_answered(strangers, home, ++number, 12000))
        known++;
    /* The bucket may be between two handshakes for others. */
    assert_in_range(known, STRANGERS_COSTS_KNOWN / STRANGERS_HANDSHAKE_COST,
                    STRANGERS_COSTS_KNOWN / STRANGERS_HANDSHAKE_COST + 1);
    strangers_free(strangers);
}

static enum err stranger_on_host(void *self, const uint8_t place[static VIEW_HOST_SIZE],
                                 uint64_t seen_at_ms)
{
    uint64_t *sums = self;

    sums[0]++;
    sums[1] += seen_at_ms;
    assert_true(be64(place + 8) != 0); /* The one seen longest ago is forgotten. */
    return ERR_OK;
}

static void known_places_are_remembered_up_to_a_bound(void **state)
{
    uint8_t place[VIEW_HOST_SIZE] = {1};
    uint64_t sums[2] = {0}, hour_ms = 3600 * 1000;
    struct snapshot snapshot;
    struct member member;
    struct ledger_txn *txn;

    (void)state;
    member_new(&member, 1, false);
    txn = member_begin(&member);
    for (uint64_t at = 0; at <= VIEW_HOSTS_MAX; at++) {
        be64_put(place + 8, at);
        assert_int_equal(view_host_seen(txn, place, hour_ms + at), ERR_OK);
    }
    assert_int_equal(view_host_seen(txn, place, hour_ms + VIEW_HOSTS_MAX + hour_ms - 1), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    snapshot = member_snapshot(&member);
    assert_int_equal(view_host_each(&snapshot, stranger_on_host, sums), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(sums[0], VIEW_HOSTS_MAX);
    assert_int_equal(sums[1], VIEW_HOSTS_MAX * hour_ms + VIEW_HOSTS_MAX * (VIEW_HOSTS_MAX + 1) / 2);
    member_free(&member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_gives_its_capacity_and_then_its_pace),
        cmocka_unit_test(one_place_has_eight_slots_and_the_own_machine_half),
        cmocka_unit_test(one_place_knocks_ten_times_at_once_and_five_times_a_second),
        cmocka_unit_test(what_overflows_drops_the_oldest_of_the_busiest_place),
        cmocka_unit_test(known_places_have_slots_of_their_own_for_thirty_days),
        cmocka_unit_test(a_first_message_is_answered_once_in_ten_minutes),
        cmocka_unit_test(arithmetic_has_a_budget_and_known_places_a_part_of_it),
        cmocka_unit_test(known_places_are_remembered_up_to_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
