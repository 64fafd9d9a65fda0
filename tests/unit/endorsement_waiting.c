/* However many endorsements somebody offers, three of them wait for an answer, and whoever reads
 * comes upon no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/limits.h"
#include "storage/view_endorsement.h"
#include "tests/sim/flood.h"

enum { WAITING_FEW = 40, WAITING_MANY = 1200 };

/* Bruno is linked with Ana, who endorses him, and with Iris, who keeps no rule. */
struct waiting {
    struct member bruno, ana, iris;
};

static void waiting_begin(struct waiting *waiting)
{
    meeting_new(&waiting->bruno, 1, "Bruno");
    meeting_new(&waiting->ana, 2, "Ana");
    meeting_new(&waiting->iris, 3, "Iris");
    meeting_link(&waiting->bruno, &waiting->ana);
    meeting_link(&waiting->bruno, &waiting->iris);
}

static void waiting_end(struct waiting *waiting)
{
    member_free(&waiting->bruno);
    member_free(&waiting->ana);
    member_free(&waiting->iris);
}

static void waiting_carry(struct waiting *waiting)
{
    meeting_carry(&waiting->bruno, &waiting->iris);
    meeting_carry(&waiting->bruno, &waiting->ana);
}

static void waiting_flood(struct waiting *waiting, size_t count, bool is_revoked)
{
    struct flood flood = {
        .count = count, .issued_s = waiting->iris.now_ms / 1000 - 100000, .is_revoked = is_revoked};

    flood_offer(&waiting->iris, &waiting->bruno, &flood);
    waiting_carry(waiting);
    while (react_is_due(waiting->bruno.ledger, waiting->bruno.now_ms))
        meeting_tick(&waiting->bruno); /* It is answered in several commits. */
}

static size_t waiting_listed(struct member *member, const char *which, const char *state)
{
    json_t *list = meeting_op(member, "endorsement.list", json_pack("{s:b}", which, 1), NULL);
    json_t *row;
    size_t count = 0, at;

    json_array_foreach(json_object_get(list, "endorsements"), at, row)
    {
        count += strcmp(json_string_value(json_object_get(row, "state")), state) == 0;
    }
    json_decref(list);
    return count;
}

/* What was taken back before it was ever kept is nothing to tell of. */
static void a_flood_that_was_taken_back_is_not_told(void **state)
{
    struct waiting waiting;

    (void)state;
    waiting_begin(&waiting);
    waiting_flood(&waiting, WAITING_FEW, true);
    assert_true(waiting_listed(&waiting.bruno, "received", "revoked") <=
                ENDORSEMENTS_PER_ISSUER_MAX);
    assert_int_equal(waiting_listed(&waiting.bruno, "received", "pending"), 0);
    waiting_flood(&waiting, WAITING_FEW, false);
    assert_int_equal(waiting_listed(&waiting.bruno, "received", "pending"),
                     ENDORSEMENTS_PER_ISSUER_MAX);
    waiting_end(&waiting);
}

/* Sixty-seven others wrote three each since: the caps hold all the same. */
static void a_flood_is_held_back_however_much_is_newer(void **state)
{
    enum { OTHERS = 67 };
    struct member *others = calloc(OTHERS, sizeof *others);
    struct waiting waiting;

    (void)state;
    assert_non_null(others);
    waiting_begin(&waiting);
    for (size_t at = 0; at < OTHERS; at++) {
        struct flood flood = {.count = ENDORSEMENTS_PER_ISSUER_MAX};

        meeting_new(&others[at], 10 + (uint8_t)at, "Other");
        meeting_link(&waiting.bruno, &others[at]);
        flood.issued_s = others[at].now_ms / 1000;
        flood_offer(&others[at], &waiting.bruno, &flood);
        meeting_carry(&waiting.bruno, &others[at]);
    }
    waiting_flood(&waiting, WAITING_FEW, false);
    assert_int_equal(waiting_listed(&waiting.bruno, "received", "pending"),
                     (OTHERS + 1) * ENDORSEMENTS_PER_ISSUER_MAX);
    for (size_t at = 0; at < OTHERS; at++)
        member_free(&others[at]);
    waiting_end(&waiting);
    free(others);
}

/* What a member does, and how often the store is asked for it. */

struct waiting_cost {
    const char *what;
    uint64_t operations;
};

enum { WAITING_COSTS = 8 };

static uint64_t waiting_asked(struct member *member, const char *method, json_t *params)
{
    uint64_t before = kv_mem_operations_count(member->mem);

    json_decref(meeting_op(member, method, params, NULL));
    return kv_mem_operations_count(member->mem) - before;
}

static uint64_t waiting_accepted(struct waiting *waiting)
{
    json_t *list, *row, *id = NULL;
    uint64_t cost;
    size_t at;

    json_decref(
        meeting_op(&waiting->ana, "endorse",
                   json_pack("{s:s, s:[s], s:s, s:s}", "who", "Bruno", "about", "stairs",
                             "relation", "client", "words", "Built our stairs, on time and true."),
                   NULL));
    waiting_carry(waiting);
    list = meeting_op(&waiting->bruno, "endorsement.list", json_pack("{s:b}", "pending", 1), NULL);
    json_array_foreach(json_object_get(list, "endorsements"), at, row)
    {
        const char *name =
            json_string_value(json_object_get(json_object_get(row, "issuer"), "name"));

        if (strcmp(name, "Ana") == 0)
            id = json_object_get(row, "id");
    }
    assert_non_null(id);
    cost = waiting_asked(&waiting->bruno, "endorsement.accept",
                         json_pack("{s:O, s:s}", "id", id, "to", "peers"));
    json_decref(list);
    return cost;
}

/* A day goes by, and what is due is looked at. */
static uint64_t waiting_day(struct member *member)
{
    uint64_t before = kv_mem_operations_count(member->mem);

    meeting_live(member, MS_PER_DAY);
    return kv_mem_operations_count(member->mem) - before;
}

/* What a session asks before it can say that nothing is new, and what it then learns. */
static uint64_t waiting_met(struct member *member, struct member *other)
{
    uint64_t before = kv_mem_operations_count(member->mem);

    assert_int_equal(member_pull(other, member, NULL), 0);
    return kv_mem_operations_count(member->mem) - before;
}

static void waiting_measure(struct waiting *waiting, struct waiting_cost out[WAITING_COSTS])
{
    struct member *bruno = &waiting->bruno;

    /* Accepting makes room for nothing: Ana's is the newest there is. */
    out[0] = (struct waiting_cost){"accepting one", waiting_accepted(waiting)};
    out[1] = (struct waiting_cost){"a day", waiting_day(bruno)};
    out[2] = (struct waiting_cost){
        "an edit", waiting_asked(bruno, "me.edit", json_pack("{s:s}", "org", "Ito"))};
    waiting_carry(waiting);
    out[3] = (struct waiting_cost){
        "the list", waiting_asked(bruno, "endorsement.list", json_pack("{s:b}", "received", 1))};
    out[4] =
        (struct waiting_cost){"what is pending", waiting_asked(bruno, "endorsement.list",
                                                               json_pack("{s:b}", "pending", 1))};
    out[5] = (struct waiting_cost){"status", waiting_asked(bruno, "status", json_object())};
    out[6] = (struct waiting_cost){"what is due", waiting_asked(bruno, "due", json_object())};
    out[7] = (struct waiting_cost){"a meeting", waiting_met(bruno, &waiting->iris)};
}

/* A longer run has more. */
static size_t waiting_many(void)
{
    const char *wish = getenv("KITH_FLOOD");

    return wish != NULL ? (size_t)strtoull(wish, NULL, 10) : WAITING_MANY;
}

static void what_is_asked_of_the_store_does_not_grow_with_what_waits(void **state)
{
    struct waiting_cost few[WAITING_COSTS], many[WAITING_COSTS];
    struct waiting one, other;

    (void)state;
    waiting_begin(&one);
    waiting_flood(&one, WAITING_FEW, false);
    waiting_measure(&one, few);
    waiting_end(&one);
    waiting_begin(&other);
    waiting_flood(&other, waiting_many(), false);
    waiting_measure(&other, many);
    waiting_end(&other);
    for (size_t at = 0; at < WAITING_COSTS; at++) {
        print_message("%s: %zu of %d, %zu of %d\n", few[at].what, (size_t)few[at].operations,
                      WAITING_FEW, (size_t)many[at].operations, (int)waiting_many());
        /* A table that grew by other rows may have been read a few times more. */
        assert_true(many[at].operations < few[at].operations + few[at].operations / 10 + 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_that_was_taken_back_is_not_told),
        cmocka_unit_test(a_flood_is_held_back_however_much_is_newer),
        cmocka_unit_test(what_is_asked_of_the_store_does_not_grow_with_what_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
