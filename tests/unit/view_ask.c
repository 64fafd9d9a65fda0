/* Asks between members without a network: what is shown, when, by whom; and neighbours who play
 * foul. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "storage/check.h"
#include "storage/follow.h"
#include "tests/sim/town.h"

static void view_ask_by_two_ways_is_one(void **state)
{
    struct town town;
    struct snapshot snapshot;
    struct ask_route route;
    struct ask_grant grant;
    json_t *shown;
    struct id id;

    (void)state;
    town_new(&town);
    town_ask(&town, "Boat shed", &id);
    assert_int_equal(asking_pass(&town.emil, &id, "Carla"), OP_DONE);
    town_carry(&town);
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_DONE);
    town_carry(&town);
    shown = asking_show(&town.carla, &id);
    assert_string_equal(json_string_value(json_object_get(shown, "from")), "Emil");
    assert_string_equal(json_string_value(json_array_get(json_object_get(shown, "also_from"), 0)),
                        "Bruno");
    assert_int_equal(json_array_size(json_object_get(shown, "also_from")), 1);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(shown, "author"), "name")), "The author");
    json_decref(shown);
    assert_int_equal(asking_told(&town.carla, "ask"), 2);

    /* The way back: Emil gave it, and Emil knows to whom and whence. */
    snapshot = member_snapshot(&town.carla);
    assert_int_equal(view_ask_route(&snapshot, &id, &route), ERR_OK);
    assert_true(public_key_is_equal(&route.from, &town.emil.secrets.member));
    assert_int_equal(route.depth, 2);
    ledger_snapshot_end(&snapshot);
    snapshot = member_snapshot(&town.emil);
    assert_int_equal(view_ask_grant(&snapshot, &route.grant, &grant), ERR_OK);
    assert_true(!grant.is_mine && id_is_equal(&grant.ask, &id));
    assert_true(public_key_is_equal(&grant.to, &town.carla.secrets.member));
    assert_true(public_key_is_equal(&grant.from, &town.ana.secrets.member));
    ledger_snapshot_end(&snapshot);
    snapshot = member_snapshot(&town.ana);
    assert_int_equal(view_ask_grant(&snapshot, &grant.via, &grant), ERR_OK);
    assert_true(grant.is_mine && public_key_is_equal(&grant.to, &town.emil.secrets.member));
    ledger_snapshot_end(&snapshot);
    town_free(&town);
}

static void view_ask_comes_back_to_its_author_unnoticed(void **state)
{
    struct town town;
    struct id id;

    (void)state;
    town_new(&town);
    meeting_link(&town.dora, &town.ana);
    town_ask(&town, "Boat shed", &id);
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_DONE);
    town_carry(&town);
    assert_int_equal(asking_pass(&town.carla, &id, "Dora"), OP_DONE);
    town_carry(&town);
    assert_int_equal(asking_pass(&town.dora, &id, "Ana"), OP_FAILED);
    /* Nor back, nor to the author by a program that does not mind. */
    assert_int_equal(asking_pass(&town.carla, &id, "Bruno"), OP_FAILED);
    assert_int_equal(asking_pass(&town.bruno, &id, "Ana"), OP_FAILED);
    town_expect(&town.ana, &id, "open");
    assert_int_equal(asking_told(&town.ana, "ask") + asking_told(&town.ana, "refused"), 0);
    town_free(&town);
}

/* Carla's program passes it back to Bruno: no way back of his may lead through his own hands. */
static void view_ask_passed_back_is_no_way(void **state)
{
    struct buf bytes = {0}, back = {0};
    struct public_key grant;
    struct ask_pass pass;
    struct town town;
    json_t *shown;
    struct id id;

    (void)state;
    town_new(&town);
    town_ask(&town, "Boat shed", &id);
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_DONE);
    town_carry(&town);
    asking_bytes(&town.carla, &id, &bytes);
    assert_int_equal(ask_pass_read(buf_span(&bytes), &pass), ERR_OK);
    assert_int_equal(
        ask_pass_issue(&pass, &town.bruno.secrets.member, span_of(NULL, 0), &back, &grant), ERR_OK);
    asking_say(&town.carla, &town.bruno, KIND_PASS, buf_span(&back), pass.ask.expires_ms);
    town_carry(&town);
    shown = asking_show(&town.bruno, &id);
    assert_non_null(shown);
    assert_null(json_object_get(shown, "also_from"));
    json_decref(shown);
    assert_int_equal(town_routes(&town.bruno, &town.carla.secrets.member), 0);
    buf_release(&bytes);
    buf_release(&back);
    town_free(&town);
}

static void view_ask_foul_passes_are_refused_and_told(void **state)
{
    struct buf bytes = {0}, next = {0};
    struct public_key grant;
    struct ask_pass pass;
    struct town town;
    struct id id;
    uint64_t ends_ms;

    (void)state;
    town_new(&town);
    town_ask(&town, "Boat shed", &id);
    asking_bytes(&town.bruno, &id, &bytes);
    assert_int_equal(ask_pass_read(buf_span(&bytes), &pass), ERR_OK);
    ends_ms = pass.ask.expires_ms;

    asking_say(&town.bruno, &town.carla, KIND_PASS, buf_span(&bytes), ends_ms);
    town_carry(&town);
    town_expect_refused(&town.carla, "it was given to somebody else", 1);

    asking_say(&town.bruno, &town.carla, KIND_PASS, span_str("no pass"), ends_ms);
    town_carry(&town);
    town_expect_refused(&town.carla, "it cannot be read", 2);

    assert_int_equal(
        ask_pass_issue(&pass, &town.carla.secrets.member, span_of(NULL, 0), &next, &grant), ERR_OK);
    asking_say(&town.bruno, &town.carla, KIND_PASS, buf_span(&next), ends_ms + 1000 * 1000);
    town_carry(&town);
    town_expect_refused(&town.carla, "it does not end when it must", 3);
    town_expect(&town.carla, &id, "");
    assert_int_equal(asking_told(&town.carla, "ask"), 0);
    assert_int_equal(town_routes(&town.carla, &town.bruno.secrets.member), 0);

    /* Three of the four that Bruno may hand on at once are spent: one more is shown, the next not.
     */
    for (size_t at = 0; at < 2; at++) {
        town_ask(&town, at == 0 ? "Sails" : "Oars", &id);
        assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_DONE);
        town_carry(&town);
        town_expect(&town.carla, &id, at == 0 ? "shown" : "later");
    }
    buf_release(&bytes);
    buf_release(&next);
    town_free(&town);
}

/* Closes. */

static void view_ask_closes_walk_to_everybody_who_has_it(void **state)
{
    char text[ID_TEXT_SIZE];
    struct town town;
    struct id id;

    (void)state;
    town_new(&town);
    town_ask(&town, "Boat shed", &id);
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_DONE);
    town_carry(&town);
    assert_int_equal(asking_pass(&town.carla, &id, "Dora"), OP_DONE);
    town_carry(&town);
    town_expect(&town.dora, &id, "shown");
    hex_write(span_of(id.bytes, ID_SIZE), text);
    json_decref(meeting_op(&town.ana, "ask.close", json_pack("{s:s}", "id", text), NULL));
    town_carry(&town);
    town_expect(&town.ana, &id, "closed");
    town_expect(&town.bruno, &id, "closed");
    town_expect(&town.carla, &id, "closed");
    town_expect(&town.dora, &id, "closed");
    assert_true(asking_last_says(&town.dora, "ask", "closed: found"));
    assert_int_equal(asking_pass(&town.emil, &id, "Carla"), OP_FAILED);
    town_free(&town);
}

/* Carla hears from Emil that it is over before Bruno hands it to her: she never sees it open. */
static void view_ask_close_may_come_first(void **state)
{
    struct buf close = {0};
    struct town town;
    struct id id;

    (void)state;
    town_new(&town);
    town_ask(&town, "Boat shed", &id);
    town_close_bytes(&town.ana, &id, &close);
    asking_say(&town.emil, &town.carla, KIND_CLOSE, buf_span(&close),
               town.emil.now_ms + MS_PER_DAY);
    meeting_carry(&town.emil, &town.carla);
    town_expect(&town.carla, &id, "");
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_DONE);
    town_carry(&town);
    town_expect(&town.carla, &id, "closed");
    assert_int_equal(asking_pass(&town.carla, &id, "Dora"), OP_FAILED);
    assert_int_equal(asking_told(&town.carla, "ask"), 0);
    buf_release(&close);
    town_free(&town);
}

static void view_ask_closes_of_others_are_refused(void **state)
{
    struct buf close = {0};
    struct town town;
    struct id id;

    (void)state;
    town_new(&town);
    town_ask(&town, "Boat shed", &id);
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_DONE);
    town_carry(&town);
    town_close_bytes(&town.ana, &id, &close);
    close.data[close.size - 1] ^= 1;
    asking_say(&town.bruno, &town.carla, KIND_CLOSE, buf_span(&close),
               town.bruno.now_ms + MS_PER_DAY);
    asking_say(&town.bruno, &town.ana, KIND_CLOSE, buf_span(&close),
               town.bruno.now_ms + MS_PER_DAY);
    town_carry(&town);
    town_expect(&town.carla, &id, "shown");
    town_expect_refused(&town.carla, "not theirs to close", 1);
    town_expect(&town.ana, &id, "open");
    buf_release(&close);
    town_free(&town);
}

/* Time. */

static void view_ask_is_over_by_both_clocks_and_forgotten_later(void **state)
{
    struct town town;
    struct snapshot snapshot;
    struct ask_row row;
    struct id id;

    (void)state;
    town_new(&town);
    town_ask(&town, "Boat shed", &id);
    asking_wait(&town.bruno, 15 * MS_PER_DAY, true); /* A clock that was set ahead. */
    town_expect(&town.bruno, &id, "shown");
    town.bruno.now_ms -= 15 * MS_PER_DAY;
    asking_wait(&town.bruno, 15 * MS_PER_DAY, false);
    town_expect(&town.bruno, &id, "expired");
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_FAILED);
    town_expect(&town.emil, &id, "shown"); /* By its own clocks. */
    asking_wait(&town.bruno, 80 * MS_PER_DAY, false);
    snapshot = member_snapshot(&town.bruno);
    assert_int_equal(view_ask(&snapshot, &id, &row), ERR_OK);
    ledger_snapshot_end(&snapshot);
    asking_wait(&town.bruno, 12 * MS_PER_DAY, false);
    snapshot = member_snapshot(&town.bruno);
    assert_int_equal(view_ask(&snapshot, &id, &row), ERR_NOT_FOUND);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(town_routes(&town.bruno, &town.ana.secrets.member), 0);
    town_free(&town);
}

/* Said again after its end and after it was forgotten: never shown as open. */
static void view_ask_replays_show_nothing(void **state)
{
    struct buf bytes = {0}, again = {0};
    struct public_key grant;
    struct ask_pass pass;
    struct town town;
    struct id id;

    (void)state;
    town_new(&town);
    town_ask(&town, "Boat shed", &id);
    asking_bytes(&town.bruno, &id, &bytes);
    assert_int_equal(ask_pass_read(buf_span(&bytes), &pass), ERR_OK);
    for (int round = 0; round < 2; round++) {
        asking_wait(&town.carla, 60 * MS_PER_DAY, false);
        buf_clear(&again);
        assert_int_equal(ask_pass_issue(&pass, &town.carla.secrets.member,
                                        span_str(round == 0 ? "Again." : "And again."), &again,
                                        &grant),
                         ERR_OK);
        asking_say(&town.bruno, &town.carla, KIND_PASS, buf_span(&again), pass.ask.expires_ms);
        town_carry(&town);
        assert_int_equal(asking_told(&town.carla, "refused"), 0);
        assert_int_equal(asking_told(&town.carla, "ask"), 0);
        assert_int_not_equal(asking_pass(&town.carla, &id, "Dora"), OP_DONE);
    }
    {
        json_t *list = meeting_op(&town.carla, "ask.list", json_object(), NULL);

        assert_int_equal(json_array_size(json_object_get(list, "asks")), 0);
        json_decref(list);
    }
    buf_release(&bytes);
    buf_release(&again);
    town_free(&town);
}

/* Who. */

static void view_ask_of_a_blocked_author_is_dropped_silently(void **state)
{
    struct town town;
    struct id id;

    (void)state;
    town_new(&town);
    meeting_link(&town.ana, &town.carla);
    json_decref(meeting_op(&town.carla, "peer.block", json_pack("{s:s}", "who", "Ana"), NULL));
    town_ask(&town, "Boat shed", &id);
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_DONE);
    town_carry(&town);
    town_expect(&town.carla, &id, "");
    assert_int_equal(asking_told(&town.carla, "ask") + asking_told(&town.carla, "refused"), 0);
    town_free(&town);
}

static void view_ask_author_is_told_to_those_who_may_know(void **state)
{
    struct town town;
    struct id first, request;
    struct asking_post post = {.title = "First", .hop_limit = 3, .days = 14};

    (void)state;
    town_new(&town);
    {
        struct member *const to[] = {&town.bruno, NULL};

        post.author = &town.ana;
        post.naming = ASK_NAMED_FIRST;
        asking_post(&post, to, &first);
        post.title = "On request";
        post.naming = ASK_NAMED_ON_REQUEST;
        asking_post(&post, to, &request);
    }
    town_carry(&town);
    assert_int_equal(asking_pass(&town.bruno, &first, "Carla"), OP_DONE);
    assert_int_equal(asking_pass(&town.bruno, &request, "Carla"), OP_DONE);
    town_carry(&town);
    for (int at = 0; at < 2; at++) {
        json_t *near = asking_show(&town.bruno, at == 0 ? &first : &request);
        json_t *far = asking_show(&town.carla, at == 0 ? &first : &request);

        assert_string_equal(
            json_string_value(json_object_get(json_object_get(near, "author"), "name")), "Ana");
        assert_non_null(far);
        assert_null(json_object_get(far, "author"));
        json_decref(near);
        json_decref(far);
    }
    /* Nothing by which Ana could be known, in what Carla has. */
    assert_false(meeting_holds(&town.carla, span_of(town.ana.secrets.member.bytes, 32)));
    assert_false(meeting_holds(&town.carla, span_str("The author")));
    town_free(&town);
}

static void view_ask_is_kept_from_whom_a_tag_fits(void **state)
{
    struct member *to[] = {NULL, NULL};
    struct town town;
    struct asking_post post = {
        .title = "Secret", .hop_limit = 3, .naming = ASK_NAMED_ALWAYS, .days = 14};
    struct span parts[2];
    struct signing_key key;
    struct hash seed;
    uint8_t keep;
    struct id id;

    (void)state;
    town_new(&town);
    parts[0] = span_of(town.ana.secrets.member.bytes, 32);
    parts[1] = span_str(post.title);
    digest("kith test", parts, 2, &seed);
    identity_signing_key(seed.bytes, &key);
    keep = ask_keep(&key.public_key, &town.carla.secrets.member);
    post.author = &town.ana;
    post.keep = span_of(&keep, 1);
    to[0] = &town.bruno;
    asking_post(&post, to, &id);
    town_carry(&town);
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_FAILED);
    town_carry(&town);
    town_expect(&town.carla, &id, "");
    town_free(&town);
}

/* Devices. */

static void view_ask_two_devices_are_one_giver(void **state)
{
    char text[ID_TEXT_SIZE];
    struct town town;
    struct member laptop;
    struct id id;

    (void)state;
    town_new(&town);
    town_ask(&town, "Boat shed", &id);
    member_twin(&laptop, &town.bruno, 9);
    laptop.now_ms += 5000;
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_DONE);
    assert_int_equal(asking_pass(&laptop, &id, "Carla"), OP_DONE);
    (void)meeting_carry_one_way(&laptop, &town.bruno);
    (void)meeting_carry_one_way(&town.bruno, &laptop);
    for (int at = 0; at < 2; at++) {
        json_t *shown = asking_show(at == 0 ? &laptop : &town.bruno, &id);

        assert_int_equal(json_array_size(json_object_get(shown, "passed_to")), 1);
        json_decref(shown);
    }
    town_carry(&town);
    assert_int_equal(town_routes(&town.carla, &town.bruno.secrets.member), 1);
    /* What the one passed on and the other heard the end of. */
    hex_write(span_of(id.bytes, ID_SIZE), text);
    json_decref(meeting_op(&town.ana, "ask.close", json_pack("{s:s}", "id", text), NULL));
    town_carry(&town);
    (void)meeting_carry_one_way(&laptop, &town.ana);
    town_expect(&laptop, &id, "closed");
    town_expect(&town.carla, &id, "closed");
    member_free(&laptop);
    town_free(&town);
}

static void view_ask_rebuild_counts_nothing_twice(void **state)
{
    struct town town;
    struct snapshot snapshot;
    struct ask_budget before, after;
    struct ledger_txn *txn;
    size_t told;
    struct id id;

    (void)state;
    town_new(&town);
    town_ask(&town, "Boat shed", &id);
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_DONE);
    asking_say(&town.ana, &town.bruno, KIND_PASS, span_str("x"), town.ana.now_ms + MS_PER_DAY);
    town_carry(&town);
    snapshot = member_snapshot(&town.bruno);
    assert_int_equal(
        view_ask_budget(&snapshot, &town.ana.secrets.member, town.bruno.now_ms, &before), ERR_OK);
    ledger_snapshot_end(&snapshot);
    told = asking_told(&town.bruno, "ask") + asking_told(&town.bruno, "refused");
    txn = member_begin(&town.bruno);
    assert_int_equal(check_forget_views(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    meeting_tick(&town.bruno);
    meeting_tick(&town.bruno);
    snapshot = member_snapshot(&town.bruno);
    assert_int_equal(
        view_ask_budget(&snapshot, &town.ana.secrets.member, town.bruno.now_ms, &after), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(asking_told(&town.bruno, "ask") + asking_told(&town.bruno, "refused"), told);
    town_expect(&town.bruno, &id, "passed");
    assert_int_equal(asking_pass(&town.bruno, &id, "Carla"), OP_FAILED);
    town_free(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view_ask_by_two_ways_is_one),
        cmocka_unit_test(view_ask_comes_back_to_its_author_unnoticed),
        cmocka_unit_test(view_ask_passed_back_is_no_way),
        cmocka_unit_test(view_ask_foul_passes_are_refused_and_told),
        cmocka_unit_test(view_ask_closes_walk_to_everybody_who_has_it),
        cmocka_unit_test(view_ask_close_may_come_first),
        cmocka_unit_test(view_ask_closes_of_others_are_refused),
        cmocka_unit_test(view_ask_is_over_by_both_clocks_and_forgotten_later),
        cmocka_unit_test(view_ask_replays_show_nothing),
        cmocka_unit_test(view_ask_of_a_blocked_author_is_dropped_silently),
        cmocka_unit_test(view_ask_author_is_told_to_those_who_may_know),
        cmocka_unit_test(view_ask_is_kept_from_whom_a_tag_fits),
        cmocka_unit_test(view_ask_two_devices_are_one_giver),
        cmocka_unit_test(view_ask_rebuild_counts_nothing_twice),
    };

    return cmocka_run_group_tests_name("view_ask", tests, NULL, NULL);
}
