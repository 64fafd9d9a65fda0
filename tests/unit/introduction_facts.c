/* More is said of one type by one member than is kept: what counts does not depend on what came
 * first (FORKS.md rule 20). Each of many devices says it in a log of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/digest.h"
#include "node/introducee.h"
#include "proto/limits.h"
#include "tests/sim/three.h"

enum { FACTS_DEVICES = INTRODUCTION_FACTS_MAX + 1, FACTS_ORDERS = 120 };

/* Somebody who hears of many devices of another member, again and again in another order. */
struct facts {
    struct three three;
    struct member devices[FACTS_DEVICES];
    struct member *reader;
    struct kv_mem *before;
};

static void facts_twins(struct member devices[static FACTS_DEVICES], struct member *of,
                        uint8_t seed)
{
    for (uint8_t at = 0; at < FACTS_DEVICES; at++)
        member_twin(&devices[at], of, (uint8_t)(seed + at));
}

static void facts_ready(struct facts *facts, struct member *reader, struct member *of)
{
    (void)meeting_carry_one_way(reader, of); /* The certificates. */
    facts->reader = reader;
    assert_int_equal(kv_mem_clone(reader->mem, &facts->before), ERR_OK);
}

static void facts_end(struct facts *facts)
{
    kv_mem_free(facts->before);
    for (size_t at = 0; at < FACTS_DEVICES; at++)
        member_free(&facts->devices[at]);
    three_free(&facts->three);
}

/* The order with this number of all there are. */
static void facts_order(size_t number, size_t out[static FACTS_DEVICES])
{
    for (size_t at = 0; at < FACTS_DEVICES; at++)
        out[at] = at;
    for (size_t at = FACTS_DEVICES; at > 1; at--) {
        size_t with = number % at, kept = out[at - 1];

        number /= at;
        out[at - 1] = out[with];
        out[with] = kept;
    }
}

static void facts_hear(struct facts *facts, size_t number)
{
    size_t order[FACTS_DEVICES];

    facts_order(number, order);
    member_close(facts->reader);
    kv_mem_restore(facts->reader->mem, facts->before);
    member_open(facts->reader);
    for (size_t at = 0; at < FACTS_DEVICES; at++)
        assert_true(member_pull(facts->reader, &facts->devices[order[at]], NULL) > 0);
}

static void facts_open(struct facts *facts, struct snapshot *snapshot,
                       struct introduction_case *out)
{
    char text[ID_TEXT_SIZE];
    struct id id;

    meeting_first_id(facts->reader, text);
    assert_int_equal(hex_read(span_str(text), id.bytes, ID_SIZE), ERR_OK);
    *snapshot = member_snapshot(facts->reader);
    assert_int_equal(introduction_open(snapshot, NULL, &facts->three.iris.secrets.member, &id, out),
                     ERR_OK);
}

/* All that is kept, in short. */
static void facts_digest(struct facts *facts, size_t most, struct hash *out)
{
    struct introduction_case intro;
    struct snapshot snapshot;
    struct buf all = {0};
    struct span part;
    size_t types[INTRODUCTION_THANKS + 1] = {0};

    facts_open(facts, &snapshot, &intro);
    for (size_t at = 0; at < intro.facts_count; at++) {
        buf_append(&all, span_of(intro.facts[at].hash.bytes, HASH_SIZE));
        types[intro.facts[at].message.type]++;
    }
    for (size_t type = 0; type <= INTRODUCTION_THANKS; type++)
        assert_true(types[type] <= most);
    part = buf_span(&all);
    digest("facts", &part, 1, out);
    buf_release(&all);
    introduction_close(&intro);
    ledger_snapshot_end(&snapshot);
}

/* Every device of Ana's says yes: the introducer keeps the same, and releases for the same. */
static void introduction_facts_of_a_peer_are_the_same_in_every_order(void **state)
{
    struct hash first, now;
    struct facts facts;

    (void)state;
    three_new(&facts.three);
    three_begin(&facts.three, "both", false);
    three_round(&facts.three);
    facts_twins(facts.devices, &facts.three.ana, 10);
    for (size_t at = 0; at < FACTS_DEVICES; at++)
        meeting_accept(&facts.devices[at]);
    facts_ready(&facts, &facts.three.iris, &facts.three.ana);
    for (size_t number = 0; number < FACTS_ORDERS; number++) {
        facts_hear(&facts, number);
        facts_digest(&facts, INTRODUCTION_FACTS_MAX, number == 0 ? &first : &now);
        assert_memory_equal(number == 0 ? first.bytes : now.bytes, first.bytes, HASH_SIZE);
    }
    facts_end(&facts);
}

/* The release that counts, of those that as many devices of the introducer said: each had heard of
 * another yes. */
static void introduction_facts_the_same_release_counts_in_every_order(void **state)
{
    struct member laps[FACTS_DEVICES];
    struct hash first, now;
    struct facts facts;
    struct three *three = &facts.three;

    (void)state;
    three_new(three);
    three_begin(three, "both", false);
    three_round(three);
    facts_twins(laps, &three->ana, 10);
    meeting_accept(&three->bruno);
    (void)meeting_carry_one_way(&three->iris, &three->ana);
    (void)meeting_carry_one_way(&three->iris, &three->bruno);
    facts_twins(facts.devices, &three->iris, 20);
    for (size_t at = 0; at < FACTS_DEVICES; at++) {
        meeting_accept(&laps[at]);
        (void)meeting_carry_one_way(&three->ana, &laps[at]);
        (void)meeting_carry_one_way(&facts.devices[at], &laps[at]);
        three_expect(&facts.devices[at], "released");
    }
    facts_ready(&facts, &three->ana, &three->iris);
    for (size_t number = 0; number < FACTS_ORDERS; number++) {
        struct introducee_release release;
        struct introduction_case intro;
        struct snapshot snapshot;

        facts_hear(&facts, number);
        facts_open(&facts, &snapshot, &intro);
        assert_int_equal(introducee_release(&intro, &release), ERR_OK);
        now = release.order;
        if (number == 0)
            first = now;
        assert_memory_equal(now.bytes, first.bytes, HASH_SIZE);
        introduction_close(&intro);
        ledger_snapshot_end(&snapshot);
    }
    for (size_t at = 0; at < FACTS_DEVICES; at++)
        member_free(&laps[at]);
    facts_end(&facts);
}

/* PROTOCOL INTRO-9: "The offer that was answered counts though it be passed over." */
static void introduction_facts_the_answered_offer_counts(void **state)
{
    struct introduction_message offer = {.type = INTRODUCTION_OFFER, .id = {{7}}};
    struct member laps[FACTS_DEVICES];
    struct facts facts;
    struct three *three = &facts.three;

    (void)state;
    three_new(three);
    facts_twins(laps, &three->ana, 10);
    (void)meeting_carry_one_way(&three->iris, &three->ana);
    facts_twins(facts.devices, &three->iris, 20);
    offer.offer = (struct introduction_offer){.issued_ms = three->iris.now_ms,
                                              .expires_ms = three->iris.now_ms + 21 * MS_PER_DAY,
                                              .name = span_str("Somebody"),
                                              .why = span_str("Because.")};
    for (size_t at = 0; at < FACTS_DEVICES; at++) {
        meeting_say(&facts.devices[at], &three->ana, &offer);
        (void)meeting_carry_one_way(&laps[at], &three->iris);
        (void)meeting_carry_one_way(&laps[at], &facts.devices[at]);
        meeting_accept(&laps[at]);
    }
    facts_ready(&facts, &three->ana, &three->iris);
    for (size_t at = 0; at < FACTS_DEVICES; at++) {
        const struct introduction_fact *yes, *counts;
        struct introduction_case intro;
        struct snapshot snapshot;

        facts_hear(&facts, at);
        (void)meeting_carry_one_way(&three->ana, &laps[at]);
        facts_open(&facts, &snapshot, &intro);
        yes = introduction_said(&intro, INTRODUCTION_YES, &three->ana.secrets.member, 0);
        counts = introducee_offer(&intro);
        assert_true(yes != NULL && counts != NULL);
        assert_memory_equal(counts->hash.bytes, yes->message.yes.offer.bytes, HASH_SIZE);
        introduction_close(&intro);
        ledger_snapshot_end(&snapshot);
    }
    for (size_t at = 0; at < FACTS_DEVICES; at++)
        member_free(&laps[at]);
    facts_end(&facts);
}

/* Two devices of each of three: two yeses of Ana's, and two devices of Iris's that release for one
 * each. Ana hears of the one first, Bruno of the other: both say hello for the one that counts. */
static void introduction_facts_releases_that_cross_end_in_one_link(void **state)
{
    for (int is_swapped = 0; is_swapped < 2; is_swapped++) {
        struct member lap, desk;
        struct three three;

        (void)state;
        three_new(&three);
        three_begin(&three, "both", false);
        three_round(&three);
        member_twin(&lap, &three.ana, 10);
        (void)meeting_carry_one_way(&three.iris, &three.ana);
        member_twin(&desk, &three.iris, 20);
        (void)meeting_carry_one_way(&three.ana, &three.iris);
        (void)meeting_carry_one_way(&three.bruno, &three.iris);
        meeting_accept(&three.bruno);
        meeting_accept(&three.ana);
        meeting_accept(&lap);
        (void)meeting_carry_one_way(&three.iris, &three.bruno);
        (void)meeting_carry_one_way(&desk, &three.bruno);
        (void)meeting_carry_one_way(&three.iris, &three.ana);
        (void)meeting_carry_one_way(&desk, &lap);
        meeting_carry(&three.ana, &lap);
        (void)meeting_carry_one_way(&three.ana, is_swapped ? &desk : &three.iris);
        (void)meeting_carry_one_way(&three.bruno, is_swapped ? &three.iris : &desk);
        three_expect(&three.ana, "greeted");
        three_expect(&three.bruno, "greeted");
        for (int round = 0; round < 4; round++) {
            meeting_carry(&three.iris, &desk);
            three_round(&three);
        }
        three_expect_linked(&three);
        three_expect(&three.ana, "connected");
        three_expect(&three.bruno, "connected");
        member_free(&lap);
        member_free(&desk);
        three_free(&three);
    }
}

/* Says to Ana as many offers as these numbers, on a device of Iris's. */
static void facts_flood(struct facts *facts, size_t device, uint8_t first, uint8_t last)
{
    struct introduction_message offer = {.type = INTRODUCTION_OFFER};

    offer.offer =
        (struct introduction_offer){.issued_ms = facts->three.iris.now_ms,
                                    .expires_ms = facts->three.iris.now_ms + 21 * MS_PER_DAY,
                                    .name = span_str("Somebody"),
                                    .why = span_str("Because.")};
    for (unsigned number = first; number <= last; number++) {
        memset(offer.id.bytes, (int)number, ID_SIZE);
        meeting_say(&facts->devices[device], &facts->three.ana, &offer);
    }
}

static enum err facts_on_row(void *self, const struct introduction_row *row)
{
    buf_append(self, span_of(row->id.bytes, ID_SIZE));
    return buf_err(self);
}

/* More introductions than are kept of one introducer, by five of her devices. One of the greatest
 * id was answered on another device of Ana's, which comes before or after. */
static void introduction_facts_the_same_introductions_are_kept_in_every_order(void **state)
{
    enum { FLOOD_PART = INTRODUCTION_ROWS_MAX / (FACTS_DEVICES - 1) + 1, ANSWERED = 250 };
    struct facts facts;
    struct member lap;
    struct peer iris;
    struct buf first = {0}, now = {0};

    (void)state;
    three_new(&facts.three);
    facts_twins(facts.devices, &facts.three.iris, 20);
    member_twin(&lap, &facts.three.ana, 10);
    (void)meeting_carry_one_way(&lap, &facts.three.iris);
    facts_flood(&facts, 0, ANSWERED, ANSWERED);
    assert_true(member_pull(&lap, &facts.devices[0], NULL) > 0);
    meeting_tick(&lap);
    meeting_accept(&lap);
    three_expect(&lap, "yes");
    for (uint8_t at = 1; at < FACTS_DEVICES; at++)
        facts_flood(&facts, at, (uint8_t)((at - 1) * FLOOD_PART + 1), (uint8_t)(at * FLOOD_PART));
    facts_ready(&facts, &facts.three.ana, &facts.three.iris);
    assert_true(meeting_peer(&facts.three.ana, &facts.three.iris, &iris));
    for (size_t number = 0; number < FACTS_ORDERS; number += 7) {
        struct buf *kept = number == 0 ? &first : &now;
        struct introduction_row row;
        struct snapshot snapshot;
        struct id answered;

        facts_hear(&facts, number);
        assert_true(member_pull(&facts.three.ana, &lap, &iris.pair_out) > 0);
        meeting_tick(&facts.three.ana);
        memset(answered.bytes, ANSWERED, ID_SIZE);
        snapshot = member_snapshot(&facts.three.ana);
        buf_clear(kept);
        assert_int_equal(view_introduction_each(&snapshot, NULL, facts_on_row, kept), ERR_OK);
        assert_int_equal(
            view_introduction(&snapshot, &facts.three.iris.secrets.member, &answered, &row),
            ERR_OK);
        assert_int_equal(row.state, INTRODUCTION_AGREED);
        ledger_snapshot_end(&snapshot);
        assert_int_equal(kept->size, INTRODUCTION_ROWS_MAX * ID_SIZE);
        assert_true(span_is_equal(buf_span(kept), buf_span(&first)));
    }
    buf_release(&first);
    buf_release(&now);
    member_free(&lap);
    facts_end(&facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(introduction_facts_of_a_peer_are_the_same_in_every_order),
        cmocka_unit_test(introduction_facts_the_same_release_counts_in_every_order),
        cmocka_unit_test(introduction_facts_the_answered_offer_counts),
        cmocka_unit_test(introduction_facts_releases_that_cross_end_in_one_link),
        cmocka_unit_test(introduction_facts_the_same_introductions_are_kept_in_every_order),
    };

    return cmocka_run_group_tests_name("introduction_facts", tests, NULL, NULL);
}
