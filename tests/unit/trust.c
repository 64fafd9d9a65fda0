/* Vouch flow on random networks with invented people in them: against a plain second reading of the
 * rules, and the properties that make it worth having. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/trust.h"

enum { TOWN_PEOPLE_MAX = 400, TOWN_VOUCHES_MAX = 6000, TOWN_FRIENDS_MAX = 12, TODAY = 20000 };

/* A small generator, so that a run repeats. */
static uint32_t town_draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*seed >> 33) % below);
}

struct trust_town {
    uint32_t people, honest; /* the invented ones come last */
    struct trust_vouch vouches[TOWN_VOUCHES_MAX];
    uint32_t count;
    struct trust_friend friends[TOWN_FRIENDS_MAX];
    uint32_t friends_count;
};

static void town_vouch(struct trust_town *town, uint64_t *seed, uint32_t from, uint32_t to)
{
    static const enum relation relations[] = {RELATION_WORKED_WITH, RELATION_TAUGHT,
                                              RELATION_KNOW_PERSONALLY};
    struct trust_vouch *vouch = &town->vouches[town->count];

    if (from == to || town->count == TOWN_VOUCHES_MAX)
        return;
    *vouch = (struct trust_vouch){.from = from,
                                  .to = to,
                                  .day = TODAY - town_draw(seed, 1500),
                                  .relation = (uint8_t)relations[town_draw(seed, 3)],
                                  .tags = {1 + town_draw(seed, 4)},
                                  .tags_count = 1};
    town->count++;
}

/* Honest people endorse honest ones, a few are fooled, the invented endorse whom they like. */
static void town_make(struct trust_town *town, uint64_t seed, uint32_t invented)
{
    uint64_t draw = seed * 977 + 13;

    memset(town, 0, sizeof *town);
    town->honest = 20 + town_draw(&draw, 100);
    town->people = town->honest + invented;
    for (uint32_t at = town->honest * (2 + town_draw(&draw, 8)); at > 0; at--)
        town_vouch(town, &draw, town_draw(&draw, town->honest), town_draw(&draw, town->honest));
    for (uint32_t at = invented > 0 ? town_draw(&draw, 20) : 0; at > 0; at--)
        town_vouch(town, &draw, town_draw(&draw, town->honest),
                   town->honest + town_draw(&draw, invented));
    for (uint32_t at = 5 * invented; at > 0; at--)
        town_vouch(town, &draw, town->honest + town_draw(&draw, invented),
                   town_draw(&draw, town->people));
    town->friends_count = 1 + town_draw(&draw, TOWN_FRIENDS_MAX);
    for (uint32_t at = 0; at < town->friends_count; at++)
        town->friends[at] = (struct trust_friend){.person = at * (town->honest / TOWN_FRIENDS_MAX),
                                                  .closeness = TRUST_ONE / 4 * town_draw(&draw, 5)};
}

/* A second reading: a full matrix, everything in the plainest way. */
struct reading {
    uint32_t weight[TOWN_PEOPLE_MAX][TOWN_PEOPLE_MAX];
    uint32_t hop[TOWN_PEOPLE_MAX]; /* 9: muted */
    uint64_t amount[TOWN_PEOPLE_MAX];
    uint64_t into_invented; /* on edges from honest people */
};

static uint64_t reading_divisor(const struct reading *reading, uint32_t people, uint32_t from)
{
    uint64_t sum = 0;

    for (uint32_t to = 0; to < people; to++)
        if (reading->hop[to] != 9)
            sum += reading->weight[from][to];
    return 2 * (sum > 4 * TRUST_ONE ? sum : 4 * TRUST_ONE);
}

static bool reading_is_swap(const struct trust_town *town, const struct trust_vouch *vouch)
{
    for (uint32_t at = 0; at < town->count; at++) {
        const struct trust_vouch *other = &town->vouches[at];

        if (other->from == vouch->to && other->to == vouch->from &&
            abs((int)other->day - (int)vouch->day) <= 30 && other->tags[0] == vouch->tags[0])
            return true;
    }
    return false;
}

static void reading_weigh(const struct trust_town *town, struct reading *reading)
{
    for (uint32_t at = 0; at < town->count; at++) {
        const struct trust_vouch *vouch = &town->vouches[at];
        uint32_t *weight = &reading->weight[vouch->from][vouch->to];
        uint64_t factor = vouch->relation == RELATION_WORKED_WITH ? 65536
                          : vouch->relation == RELATION_TAUGHT    ? 49152
                                                                  : 32768;
        uint64_t one = factor * trust_fade(TODAY - vouch->day) / TRUST_ONE;

        if (reading_is_swap(town, vouch))
            one /= 2;
        if (one >= *weight)
            *weight = (uint32_t)one;
    }
}

static bool reading_has_edge(const struct trust_town *town, uint32_t from, uint32_t to)
{
    for (uint32_t at = 0; at < town->count; at++)
        if (town->vouches[at].from == from && town->vouches[at].to == to)
            return true;
    return false;
}

static void reading_layer(const struct trust_town *town, struct reading *reading, uint32_t hop)
{
    for (uint32_t to = 0; to < town->people; to++)
        for (uint32_t from = 0; from < town->people && reading->hop[to] == 0; from++)
            if (reading->hop[from] == hop && reading_has_edge(town, from, to))
                reading->hop[to] = hop + 1;
    for (uint32_t to = 0; to < town->people; to++) {
        for (uint32_t from = 0; from < town->people && reading->hop[to] == hop + 1; from++) {
            uint64_t flow;

            if (reading->hop[from] != hop)
                continue;
            flow = reading->amount[from] * reading->weight[from][to] /
                   reading_divisor(reading, town->people, from);
            reading->amount[to] += flow;
            if (from < town->honest && to >= town->honest)
                reading->into_invented += flow;
        }
        if (reading->hop[to] == hop + 1 && reading->amount[to] > TRUST_ONE)
            reading->amount[to] = TRUST_ONE;
    }
}

static struct reading *reading_of(const struct trust_town *town)
{
    struct reading *reading = calloc(1, sizeof *reading);

    assert_non_null(reading);
    reading_weigh(town, reading);
    for (uint32_t at = 0; at < town->friends_count; at++) {
        uint32_t person = town->friends[at].person;

        if (reading->hop[person] == 0) {
            reading->hop[person] = town->friends[at].closeness > 0 ? 1 : 9;
            reading->amount[person] = town->friends[at].closeness;
        }
    }
    for (uint32_t hop = 1; hop < TRUST_HOPS; hop++)
        reading_layer(town, reading, hop);
    return reading;
}

/* What the product makes of a town; the town keeps its order. */
struct trust_answer {
    struct trust_graph graph;
    struct trust_flow *flow;
};

static void answer_of(const struct trust_town *town, struct trust_answer *out)
{
    struct trust_vouch *copy = calloc(town->count + 1, sizeof *copy);

    assert_non_null(copy);
    memcpy(copy, town->vouches, town->count * sizeof *copy);
    assert_int_equal(trust_graph_make(town->people, copy, town->count, TODAY, &out->graph), ERR_OK);
    free(copy);
    assert_int_equal(trust_flow_new(&out->graph, town->friends, town->friends_count, &out->flow),
                     ERR_OK);
}

static void answer_end(struct trust_answer *answer)
{
    trust_flow_free(answer->flow);
    trust_graph_release(&answer->graph);
}

static void flow_is_what_the_rules_say(void **state)
{
    static struct trust_town town;

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct trust_answer answer;
        struct reading *reading;

        town_make(&town, seed, (uint32_t)(seed % 5) * 20);
        reading = reading_of(&town);
        answer_of(&town, &answer);
        for (uint32_t person = 0; person < town.people; person++) {
            assert_int_equal(trust_hop(answer.flow, person), reading->hop[person] % 9);
            assert_int_equal(trust_amount(answer.flow, person), reading->amount[person]);
        }
        answer_end(&answer);
        free(reading);
    }
}

static void invented_people_get_at_most_twice_what_flows_to_them(void **state)
{
    static struct trust_town town;

    (void)state;
    for (uint64_t seed = 1; seed <= 120; seed++) {
        struct trust_answer answer;
        struct reading *reading;
        uint64_t sum = 0;

        town_make(&town, seed, 1 + (uint32_t)(seed * 7 % 250));
        reading = reading_of(&town);
        answer_of(&town, &answer);
        for (uint32_t person = town.honest; person < town.people; person++)
            sum += trust_amount(answer.flow, person);
        assert_true(sum <= 2 * reading->into_invented);
        answer_end(&answer);
        free(reading);
    }
}

static void branches_add_up_to_what_came(void **state)
{
    static struct trust_town town;

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct trust_answer answer;

        town_make(&town, seed, 40);
        answer_of(&town, &answer);
        for (uint32_t person = 0; person < town.people; person++) {
            const struct trust_share *shares;
            uint32_t count, amount = trust_amount(answer.flow, person);
            uint64_t sum = 0;

            assert_int_equal(trust_branches(answer.flow, person, &shares, &count), ERR_OK);
            for (uint32_t at = 0; at < count; at++) {
                uint32_t way[TRUST_HOPS], steps;

                sum += shares[at].amount;
                assert_int_equal(trust_route(answer.flow, shares[at].branch, person, way, &steps),
                                 ERR_OK);
                assert_int_equal(steps, trust_hop(answer.flow, person));
                assert_int_equal(way[0], town.friends[shares[at].branch].person);
                assert_int_equal(way[steps - 1], person);
                assert_int_equal(trust_branches(answer.flow, person, &shares, &count), ERR_OK);
            }
            assert_true(sum <= amount);
            /* What is lost by rounding: less than 1 a branch and edge on the way. */
            assert_true(sum + (uint64_t)TOWN_FRIENDS_MAX * TOWN_PEOPLE_MAX >= amount);
        }
        answer_end(&answer);
    }
}

/* However many people somebody invents behind one fooled friend: the claim they make together stays
 * under the cap, and so does what they have. */
static void the_number_of_invented_people_changes_nothing(void **state)
{
    static struct trust_town town;
    static struct trust_word words[300];
    const uint32_t counts[] = {1, 5, 20, 300};
    uint32_t claims[4];

    (void)state;
    for (size_t at = 0; at < 4; at++) {
        struct trust_answer answer;
        uint64_t sum = 0;
        uint64_t seed = 5;

        memset(&town, 0, sizeof town);
        town.honest = 5;
        town.people = 5 + counts[at] + 1; /* the last is who gains */
        town.friends_count = 1;
        town.friends[0] = (struct trust_friend){.person = 0, .closeness = TRUST_ONE};
        for (uint32_t person = 1; person < 5; person++)
            town_vouch(&town, &seed, 0, person);
        for (uint32_t one = 5; one + 1 < town.people; one++) {
            town_vouch(&town, &seed, one == 5 ? 0 : 5, one);
            for (uint32_t more = 0; more < 10; more++)
                town_vouch(&town, &seed, one, 5 + town_draw(&seed, counts[at]));
        }
        for (uint32_t vouch = 0; vouch < town.count; vouch++)
            town.vouches[vouch] = (struct trust_vouch){.from = town.vouches[vouch].from,
                                                       .to = town.vouches[vouch].to,
                                                       .day = TODAY,
                                                       .relation = RELATION_WORKED_WITH};
        answer_of(&town, &answer);
        for (uint32_t one = 0; one < counts[at]; one++) {
            words[one] = (struct trust_word){.issuer = 5 + one, .fade = TRUST_ONE};
            sum += trust_amount(answer.flow, 5 + one);
        }
        assert_int_equal(trust_claim(answer.flow, words, counts[at], &claims[at]), ERR_OK);
        /* One edge of five leads there: F is a fifth of a half. */
        assert_true(sum <= 2 * TRUST_ONE / 10);
        assert_true(claims[at] <= 2 * TRUST_ONE / 10);
        assert_true(claims[at] > 0);
        answer_end(&answer);
    }
    assert_true(claims[3] <= 2 * claims[0]);
}

static void one_branch_never_carries_more_than_the_cap(void **state)
{
    static struct trust_town town;

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct trust_word words[TOWN_PEOPLE_MAX];
        struct trust_answer answer;
        uint32_t claim;

        town_make(&town, seed, 100);
        for (uint32_t known = 1; known <= town.friends_count; known++) {
            struct trust_town some = town;
            double doubt = 1;

            some.friends_count = known;
            answer_of(&some, &answer);
            for (uint32_t person = 0; person < some.people; person++)
                words[person] = (struct trust_word){.issuer = person, .fade = TRUST_ONE};
            assert_int_equal(trust_claim(answer.flow, words, some.people, &claim), ERR_OK);
            for (uint32_t at = 0; at < known; at++)
                doubt *= some.friends[at].closeness > 0 ? 0.4 : 1;
            assert_true(claim <= (1 - doubt) * TRUST_ONE + 1);
            if (known == 1)
                assert_true(claim <= TRUST_KAPPA);
            answer_end(&answer);
        }
    }
}

/* Another order of arrival, and people numbered otherwise, as on another device. */
static void the_order_of_things_changes_nothing(void **state)
{
    static struct trust_town town, other;

    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct trust_word words[2][TOWN_PEOPLE_MAX];
        struct trust_answer one, two;
        uint32_t number[TOWN_PEOPLE_MAX], claims[2];
        uint64_t draw = seed + 99;

        town_make(&town, seed, 60);
        other = town;
        for (uint32_t at = 0; at < town.people; at++)
            number[at] = at;
        for (uint32_t at = town.people - 1; at > 0; at--) {
            uint32_t with = town_draw(&draw, at + 1), keep = number[at];

            number[at] = number[with];
            number[with] = keep;
        }
        for (uint32_t at = 0; at < town.count; at++) {
            uint32_t with = town_draw(&draw, at + 1);

            other.vouches[at] = other.vouches[with];
            other.vouches[with] = town.vouches[at];
        }
        for (uint32_t at = 0; at < town.count; at++) {
            other.vouches[at].from = number[other.vouches[at].from];
            other.vouches[at].to = number[other.vouches[at].to];
        }
        for (uint32_t at = 0; at < town.friends_count; at++)
            other.friends[at].person = number[town.friends[at].person];
        answer_of(&town, &one);
        answer_of(&other, &two);
        for (uint32_t at = 0; at < town.people; at++) {
            assert_int_equal(trust_amount(one.flow, at), trust_amount(two.flow, number[at]));
            words[0][at] = (struct trust_word){.issuer = at, .fade = TRUST_ONE / 2};
            words[1][town.people - 1 - at] =
                (struct trust_word){.issuer = number[at], .fade = TRUST_ONE / 2};
        }
        assert_int_equal(trust_claim(one.flow, words[0], town.people, &claims[0]), ERR_OK);
        assert_int_equal(trust_claim(two.flow, words[1], town.people, &claims[1]), ERR_OK);
        assert_int_equal(claims[0], claims[1]);
        answer_end(&one);
        answer_end(&two);
    }
}

/* Muting is as if the person, and all they wrote and all about them, had never been. */
static void the_muted_leave_no_trace(void **state)
{
    static struct trust_town town, without;

    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct trust_answer one, two;
        uint32_t muted, kept = 0;

        town_make(&town, seed, 30);
        town.friends[0].closeness = TRUST_MUTED;
        muted = town.friends[0].person;
        without = town;
        for (uint32_t at = 0; at < town.count; at++)
            if (town.vouches[at].from != muted && town.vouches[at].to != muted)
                without.vouches[kept++] = town.vouches[at];
        without.count = kept;
        answer_of(&town, &one);
        answer_of(&without, &two);
        for (uint32_t at = 0; at < town.people; at++)
            assert_int_equal(trust_amount(one.flow, at), trust_amount(two.flow, at));
        assert_int_equal(trust_amount(one.flow, muted), 0);
        answer_end(&one);
        answer_end(&two);
    }
}

static void what_fades_halves_in_two_years(void **state)
{
    double exact = TRUST_ONE, daily = 0.99905093396262568; /* half to the power of 1 / 730 */

    (void)state;
    assert_int_equal(trust_fade(0), TRUST_ONE);
    assert_int_equal(trust_fade(730), TRUST_ONE / 2);
    assert_int_equal(trust_fade(1460), TRUST_ONE / 4);
    assert_int_equal(trust_fade(UINT32_MAX), 0);
    for (uint32_t day = 0; day < 3000; day++) {
        assert_true(trust_fade(day + 1) <= trust_fade(day));
        assert_true(trust_fade(day) >= exact - 5 && trust_fade(day) <= exact + 5);
        exact *= daily;
    }
}

static void a_swap_counts_half(void **state)
{
    struct trust_vouch pair[2] = {{.from = 0,
                                   .to = 1,
                                   .day = TODAY,
                                   .relation = RELATION_CLIENT,
                                   .tags = {7},
                                   .tags_count = 1},
                                  {.from = 1,
                                   .to = 0,
                                   .day = TODAY,
                                   .relation = RELATION_CLIENT,
                                   .tags = {7},
                                   .tags_count = 1}};
    const struct {
        uint32_t day, tag, weight;
    } cases[] = {{TODAY - 30, 7, TRUST_ONE / 2}, {TODAY - 31, 7, TRUST_ONE}, {TODAY, 8, TRUST_ONE}};

    (void)state;
    for (size_t at = 0; at < 3; at++) {
        struct trust_vouch copy[2] = {pair[0], pair[1]};
        struct trust_graph graph;

        copy[1].day = cases[at].day;
        copy[1].tags[0] = cases[at].tag;
        assert_int_equal(trust_graph_make(2, copy, 2, TODAY, &graph), ERR_OK);
        assert_int_equal(graph.out_weight[0], cases[at].weight);
        trust_graph_release(&graph);
    }
}

static void nobody_is_nothing(void **state)
{
    struct trust_vouch wrong = {.from = 0, .to = 5};
    struct trust_friend nobody = {.person = 3, .closeness = TRUST_ONE};
    struct trust_graph graph;
    struct trust_flow *flow;
    uint32_t claim;

    (void)state;
    assert_int_equal(trust_graph_make(1, &wrong, 1, TODAY, &graph), ERR_INVALID);
    assert_int_equal(trust_graph_make(0, NULL, 0, TODAY, &graph), ERR_OK);
    assert_int_equal(trust_flow_new(&graph, &nobody, 1, &flow), ERR_INVALID);
    assert_int_equal(trust_flow_new(&graph, NULL, 0, &flow), ERR_OK);
    assert_int_equal(trust_claim(flow, NULL, 0, &claim), ERR_OK);
    assert_int_equal(claim, 0);
    trust_flow_free(flow);
    trust_graph_release(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flow_is_what_the_rules_say),
        cmocka_unit_test(invented_people_get_at_most_twice_what_flows_to_them),
        cmocka_unit_test(branches_add_up_to_what_came),
        cmocka_unit_test(the_number_of_invented_people_changes_nothing),
        cmocka_unit_test(one_branch_never_carries_more_than_the_cap),
        cmocka_unit_test(the_order_of_things_changes_nothing),
        cmocka_unit_test(the_muted_leave_no_trace),
        cmocka_unit_test(what_fades_halves_in_two_years),
        cmocka_unit_test(a_swap_counts_half),
        cmocka_unit_test(nobody_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
