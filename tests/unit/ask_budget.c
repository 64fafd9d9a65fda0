/* What one neighbour may leave here, and what is shown in a day: the rest is for later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/town.h"

static void ask_budget_refusals_are_bounded_and_hide_nothing(void **state)
{
    struct town town;
    struct id id;

    (void)state;
    town_new(&town);
    town_ask(&town, "Boat shed", &id);
    for (uint8_t at = 0; at < 40; at++)
        asking_say(&town.bruno, &town.carla, KIND_PASS, span_of(&at, 1),
                   town.bruno.now_ms + MS_PER_DAY);
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_DONE);
    town_carry(&town);
    assert_int_equal(asking_told(&town.carla, "refused"), ASK_REFUSED_DAY_MAX);
    town_expect(&town.carla, &id, "later");
    assert_int_equal(asking_pass(&town.emil, &id, "Carla"),
                     OP_DONE); /* A neighbour in good standing. */
    town_carry(&town);
    town_expect(&town.carla, &id, "shown");
    town_free(&town);
}

static void ask_budget_beyond_the_bucket_is_for_later(void **state)
{
    static const char *const titles[] = {"1", "2", "3", "4", "5", "6"};
    struct town town;
    struct id id;

    (void)state;
    town_new(&town);
    for (size_t at = 0; at < 6; at++) {
        town_ask(&town, titles[at], &id);
        town_expect(&town.bruno, &id, at < ASK_BUCKET ? "shown" : "later");
    }
    assert_true(asking_last_says(&town.bruno, "ask", "(for later)"));
    asking_wait(&town.bruno, UINT64_C(17) * 3600 * 1000, false); /* A tenth of a week. */
    town_ask(&town, "7", &id);
    town_expect(&town.bruno, &id, "shown");
    town_ask(&town, "8", &id);
    town_expect(&town.bruno, &id, "later");
    town_free(&town);
}

static void ask_budget_six_are_shown_in_a_day(void **state)
{
    static const char *const titles[] = {"1", "2", "3", "4", "5", "6", "7", "8"};
    struct town town;
    size_t shown = 0;
    struct id id;

    (void)state;
    town_new(&town);
    town.carla.now_ms += MS_PER_DAY - town.carla.now_ms % MS_PER_DAY; /* A day begins. */
    for (size_t at = 0; at < 8; at++) {
        struct member *const to[] = {&town.carla, NULL};
        struct asking_post post = {.author = at < 4 ? &town.bruno : &town.emil,
                                   .title = titles[at],
                                   .hop_limit = 1,
                                   .naming = ASK_NAMED_ALWAYS,
                                   .days = 14};
        char room[32];

        asking_post(&post, to, &id);
        town_carry(&town);
        shown += strcmp(asking_state(&town.carla, &id, room), "shown") == 0;
    }
    assert_int_equal(shown, ASK_SHOWN_DAY_MAX);
    asking_wait(&town.carla, MS_PER_DAY, false);
    town_expect(&town.carla, &id, "later"); /* What is in the digest stays there. */
    town_free(&town);
}

static void ask_budget_unwanted_passes_go_to_the_digest(void **state)
{
    static const char *const titles[] = {"1", "2", "3", "4", "5", "6", "7"};
    struct town town;
    char text[ID_TEXT_SIZE];
    struct id id;

    (void)state;
    town_new(&town);
    for (size_t at = 0; at < 7; at++) {
        asking_wait(&town.bruno, MS_PER_DAY, false);
        town_ask(&town, titles[at], &id);
        town_expect(&town.bruno, &id, at < 5 ? "shown" : "later");
        hex_write(span_of(id.bytes, ID_SIZE), text);
        if (at < 6)
            json_decref(
                meeting_op(&town.bruno, "ask.dismiss", json_pack("{s:s}", "id", text), NULL));
    }
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_DONE); /* Welcome after all. */
    town_ask(&town, "8", &id);
    town_expect(&town.bruno, &id, "shown");
    town_free(&town);
}

/* One neighbour leaves so many and no more, whatever the program; others are not touched by it. */
static void ask_budget_routes_of_a_neighbour_are_bounded(void **state)
{
    struct member *to[] = {NULL, NULL};
    struct town town;
    struct id id;

    (void)state;
    town_new(&town);
    to[0] = &town.bruno;
    for (unsigned at = 0; at < ASK_NEIGHBOUR_MAX + 3; at++) {
        char title[16];
        struct asking_post post = {.author = &town.ana,
                                   .title = title,
                                   .hop_limit = 1,
                                   .naming = ASK_NAMED_ON_REQUEST,
                                   .days = 14};

        (void)snprintf(title, sizeof title, "Number %u", at);
        asking_post(&post, to, &id);
    }
    meeting_carry(&town.ana, &town.bruno);
    assert_int_equal(town_routes(&town.bruno, &town.ana.secrets.member), ASK_NEIGHBOUR_MAX);
    assert_int_equal(asking_told(&town.bruno, "refused"), 3);
    assert_true(asking_last_says(&town.bruno, "refused", "too many of theirs"));
    town_expect(&town.bruno, &id, "");
    town_free(&town);
}

static enum err ask_budget_on_route(void *self, const struct ask_route *route)
{
    size_t *count = self;

    (void)route;
    (*count)++;
    return ERR_OK;
}

/* Neighbours who collude share what was given to Carla, and each says it in their own name. */
static void ask_budget_ways_of_one_ask_are_bounded(void **state)
{
    struct member carla, many[ASK_ROUTES_MAX + 2];
    struct asking_post post = {.author = &many[0],
                               .title = "The same",
                               .hop_limit = 1,
                               .naming = ASK_NAMED_ON_REQUEST,
                               .days = 14};
    struct member *const to[] = {&carla, NULL};
    struct snapshot snapshot;
    struct buf bytes = {0};
    struct ask_pass pass;
    size_t count = 0;
    struct id id;

    (void)state;
    meeting_new(&carla, 1, "Carla");
    for (uint8_t at = 0; at < ASK_ROUTES_MAX + 2; at++) {
        meeting_new(&many[at], (uint8_t)(20 + at), "Many");
        meeting_link(&many[at], &carla);
        if (at == 0) {
            asking_post(&post, to, &id);
            meeting_carry(&carla, &many[0]);
            asking_bytes(&carla, &id, &bytes);
            assert_int_equal(ask_pass_read(buf_span(&bytes), &pass), ERR_OK);
        } else {
            asking_say(&many[at], &carla, KIND_PASS, buf_span(&bytes), pass.ask.expires_ms);
        }
        meeting_carry(&carla, &many[at]);
    }
    town_expect(&carla, &id, "shown");
    snapshot = member_snapshot(&carla);
    assert_int_equal(view_ask_routes(&snapshot, &id, ask_budget_on_route, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(count, ASK_ROUTES_MAX);
    buf_release(&bytes);
    for (uint8_t at = 0; at < ASK_ROUTES_MAX + 2; at++)
        member_free(&many[at]);
    member_free(&carla);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ask_budget_refusals_are_bounded_and_hide_nothing),
        cmocka_unit_test(ask_budget_beyond_the_bucket_is_for_later),
        cmocka_unit_test(ask_budget_six_are_shown_in_a_day),
        cmocka_unit_test(ask_budget_unwanted_passes_go_to_the_digest),
        cmocka_unit_test(ask_budget_routes_of_a_neighbour_are_bounded),
        cmocka_unit_test(ask_budget_ways_of_one_ask_are_bounded),
    };

    return cmocka_run_group_tests_name("ask_budget", tests, NULL, NULL);
}
