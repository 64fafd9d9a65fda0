/* What is done with a reply or an answer follows from what is known of it alone: every combination
 * of facts, and networks of relays that lose people meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/relay.h"

static struct relay_way relay_way(uint8_t who, bool is_peer, bool was_told)
{
    return (struct relay_way){.to = {{who}}, .is_peer = is_peer, .was_told = was_told};
}

static enum relay_step relay_step(const struct relay_facts *facts)
{
    struct relay_verdict verdict;

    relay_judge(facts, &verdict);
    return verdict.step;
}

/* PROTOCOL REPLY-5, REPLY-7: pace first, then whether it fits, then for whom it is. */
static void relay_asks_in_one_order(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 256; bits++) {
        struct relay_facts facts = {.is_mine = bits & 1,
                                    .is_for_me = bits & 2,
                                    .fits = bits & 4,
                                    .was_taken = bits & 8,
                                    .has_pace = bits & 16,
                                    .is_over = bits & 32,
                                    .ways = {relay_way(1, bits & 64, bits & 128)},
                                    .ways_count = 1};
        enum relay_step step = relay_step(&facts), wanted = RELAY_DONE;

        if (!facts.is_mine && !facts.was_taken && !facts.has_pace)
            wanted = RELAY_WAIT;
        else if (!facts.is_mine && !facts.fits)
            wanted = RELAY_REFUSE;
        else if (facts.is_for_me)
            wanted = RELAY_OPEN;
        else if (facts.is_over)
            wanted = RELAY_DROP;
        else if (!facts.ways[0].is_peer)
            wanted = RELAY_KEEP;
        else if (!facts.ways[0].was_told)
            wanted = RELAY_HAND;
        assert_int_equal(step, wanted);
        /* Nobody but me makes me send what does not fit or goes beyond the pace. */
        assert_true(step != RELAY_HAND || facts.is_mine ||
                    (facts.fits && (facts.was_taken || facts.has_pace)));
    }
}

/* PROTOCOL REPLY-6: the best way first, a spare one when it is gone, and once is enough. */
static void relay_takes_a_spare_way_when_one_is_gone(void **state)
{
    struct relay_facts facts = {.fits = true, .was_taken = true};
    struct relay_verdict verdict;

    (void)state;
    for (uint8_t who = 1; who <= 3; who++) {
        struct relay_way way = relay_way(who, true, false);

        assert_true(relay_add_way(&facts, &way));
    }
    relay_judge(&facts, &verdict);
    assert_true(verdict.step == RELAY_HAND && verdict.way == 0);
    facts.ways[0].was_told = true;
    assert_int_equal(relay_step(&facts), RELAY_DONE);
    facts.ways[0].is_peer = false;
    relay_judge(&facts, &verdict);
    assert_true(verdict.step == RELAY_HAND && verdict.way == 1);
    facts.ways[1].was_told = true;
    facts.ways[1].is_peer = facts.ways[2].is_peer = false;
    assert_int_equal(relay_step(&facts), RELAY_KEEP);
    facts.ways[0].is_peer = true; /* Linked again: it was told then. */
    assert_int_equal(relay_step(&facts), RELAY_DONE);
}

static void relay_keeps_one_way_to_each_and_not_too_many(void **state)
{
    struct relay_facts facts = {.ways_count = 0};
    struct relay_way again = relay_way(1, true, true);

    (void)state;
    for (uint8_t who = 1; who <= RELAY_WAYS_MAX; who++) {
        struct relay_way way = relay_way(who, false, false);

        assert_true(relay_add_way(&facts, &way));
    }
    assert_true(relay_add_way(&facts, &again));
    assert_false(facts.ways[0].is_peer); /* The first is the better one. */
    again = relay_way(RELAY_WAYS_MAX + 1, true, false);
    assert_false(relay_add_way(&facts, &again));
    assert_int_equal(facts.ways_count, RELAY_WAYS_MAX);
}

/* A network of relays: node 0 asks, everybody else has the ask from some with a smaller number. */

enum { RELAY_NODES = 8 };

struct relay_net {
    bool has_from[RELAY_NODES][RELAY_NODES]; /* [who][from whom] */
    bool is_linked[RELAY_NODES][RELAY_NODES];
    bool was_told[RELAY_NODES][RELAY_NODES]; /* [by][to] */
    bool holds[RELAY_NODES];
    unsigned hands;
    uint64_t random;
};

static unsigned relay_draw(struct relay_net *net, unsigned below)
{
    net->random = net->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(net->random >> 33) % below;
}

static void relay_look(struct relay_net *net, unsigned who)
{
    struct relay_facts facts = {.fits = true, .was_taken = true, .is_for_me = who == 0};
    struct relay_verdict verdict;

    for (unsigned from = 0; from < RELAY_NODES; from++) {
        struct relay_way way =
            relay_way((uint8_t)from, net->is_linked[who][from], net->was_told[who][from]);

        if (net->has_from[who][from] && !net->was_told[from][who])
            assert_true(relay_add_way(&facts, &way));
    }
    relay_judge(&facts, &verdict);
    if (verdict.step != RELAY_HAND)
        return;
    net->was_told[who][facts.ways[verdict.way].to.bytes[0]] = true;
    net->holds[facts.ways[verdict.way].to.bytes[0]] = true;
    net->hands++;
}

static void relay_settle(struct relay_net *net)
{
    for (unsigned round = 0; round < 4 * RELAY_NODES; round++)
        for (unsigned who = 0; who < RELAY_NODES; who++)
            if (net->holds[who])
                relay_look(net, who);
}

/* Ends, whoever leaves meanwhile; is handed on at most once between any two; and arrives where
 * nobody left. */
static void relay_ends_and_arrives_on_random_networks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct relay_net net = {.random = seed};
        bool is_whole = seed % 2 == 0;

        for (unsigned who = 1; who < RELAY_NODES; who++)
            for (unsigned ways = 0; ways < 3; ways++) {
                unsigned from = ways == 0 ? relay_draw(&net, who) : relay_draw(&net, RELAY_NODES);

                if (from == who)
                    continue;
                net.has_from[who][from] = true;
                net.is_linked[who][from] = net.is_linked[from][who] = true;
            }
        net.holds[RELAY_NODES - 1] = true;
        relay_settle(&net);
        for (unsigned lost = 0; !is_whole && lost < 6; lost++) {
            unsigned one = relay_draw(&net, RELAY_NODES), other = relay_draw(&net, RELAY_NODES);

            net.is_linked[one][other] = net.is_linked[other][one] = false;
            relay_settle(&net);
        }
        assert_true(net.hands <= RELAY_NODES * RELAY_NODES);
        relay_settle(&net); /* Nothing is left to do. */
        assert_true(!is_whole || net.hands > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay_asks_in_one_order),
        cmocka_unit_test(relay_takes_a_spare_way_when_one_is_gone),
        cmocka_unit_test(relay_keeps_one_way_to_each_and_not_too_many),
        cmocka_unit_test(relay_ends_and_arrives_on_random_networks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
