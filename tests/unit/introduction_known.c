/* Introductions of people who are known already: linked, removed on one side, blocked, or called
 * like somebody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/introducee.h"
#include "node/react.h"
#include "tests/sim/meeting.h"

struct known {
    struct member iris, ana, bruno;
};

static void known_begin(struct known *known)
{
    meeting_new(&known->iris, 1, "Iris");
    meeting_new(&known->ana, 2, "Ana");
    meeting_new(&known->bruno, 3, "Bruno");
    meeting_link(&known->iris, &known->ana);
    meeting_link(&known->iris, &known->bruno);
}

static void known_end(struct known *known)
{
    member_free(&known->iris);
    member_free(&known->ana);
    member_free(&known->bruno);
}

static void known_introduce(struct member *by, const char *a, const char *b, bool is_blind)
{
    json_decref(meeting_op(by, "introduce",
                           json_pack("{s:s, s:s, s:s, s:s, s:b}", "a", a, "b", b, "why", "Boats.",
                                     "first", "both", "blind", is_blind),
                           NULL));
}

static void known_round(struct known *known)
{
    for (int round = 0; round < 3; round++) {
        meeting_carry(&known->iris, &known->ana);
        meeting_carry(&known->iris, &known->bruno);
    }
}

static void known_answer(struct member *member, const char *method)
{
    char id[ID_TEXT_SIZE];

    meeting_first_id(member, id);
    json_decref(meeting_op(member, method, json_pack("{s:s}", "id", id), NULL));
}

static void known_expect(struct member *member, const char *state)
{
    char room[32];

    assert_string_equal(meeting_state(member, NULL, room), state);
}

/* Bruno has removed Ana, who does not know: introduced anew, both can call one another. */
static void introduction_known_heals_a_link_one_side_removed(void **state)
{
    struct known known;
    struct peer a, b;

    (void)state;
    known_begin(&known);
    meeting_link(&known.ana, &known.bruno);
    json_decref(meeting_op(&known.bruno, "peer.remove", json_pack("{s:s}", "who", "Ana"), NULL));
    known_introduce(&known.iris, "Ana", "Bruno", false);
    known_round(&known);
    known_answer(&known.ana, "intro.accept");
    known_answer(&known.bruno, "intro.accept");
    known_round(&known);
    assert_true(meeting_peer(&known.ana, &known.bruno, &a));
    assert_true(meeting_peer(&known.bruno, &known.ana, &b));
    assert_true(memcmp(a.secret, b.secret, KEY_SIZE) == 0 ||
                (a.has_secret_old && memcmp(a.secret_old, b.secret, KEY_SIZE) == 0));
    assert_true(id_is_equal(&a.pair_out, &b.pair_in) && id_is_equal(&b.pair_out, &a.pair_in));
    meeting_carry(&known.ana, &known.bruno);
    known_end(&known);
}

/* Another Bruno is a peer of Ana's already: an alarm first, and hers to say that they are two. */
static void introduction_known_namesakes_are_a_conflict_until_confirmed(void **state)
{
    struct member namesake;
    struct known known;
    struct peer peer;

    (void)state;
    known_begin(&known);
    meeting_new(&namesake, 7, "Bruno");
    meeting_link(&known.ana, &namesake);
    known_introduce(&known.iris, "Ana", "Bruno", false);
    known_round(&known);
    known_answer(&known.ana, "intro.accept");
    known_answer(&known.bruno, "intro.accept");
    known_round(&known);
    known_expect(&known.ana, "conflict");
    known_expect(&known.bruno, "greeted");
    assert_false(meeting_peer(&known.ana, &known.bruno, &peer));
    known_answer(&known.ana, "intro.accept");
    known_round(&known);
    known_expect(&known.ana, "connected");
    known_expect(&known.bruno, "connected");
    assert_true(meeting_peer(&known.ana, &namesake, &peer));
    member_free(&namesake);
    known_end(&known);
}

/* Blind, so the offer cannot tell: whoever is blocked is found out at the release, and sees
 * silence.
 */
static void introduction_known_blocked_people_are_found_out_when_blind(void **state)
{
    struct known known;
    struct peer peer;

    (void)state;
    known_begin(&known);
    meeting_link(&known.ana, &known.bruno);
    json_decref(meeting_op(&known.ana, "peer.block", json_pack("{s:s}", "who", "Bruno"), NULL));
    known_introduce(&known.iris, "Ana", "Bruno", true);
    known_round(&known);
    known_answer(&known.ana, "intro.accept");
    known_answer(&known.bruno, "intro.accept");
    known_round(&known);
    known_expect(&known.iris, "released");
    known_expect(&known.ana, "");
    known_expect(&known.bruno, "greeted");
    assert_false(meeting_peer(&known.ana, &known.bruno, &peer));
    known_end(&known);
}

/* Named, the offer is never shown, and the other never notices. */
static void introduction_known_blocked_people_are_never_offered(void **state)
{
    struct known known;

    (void)state;
    known_begin(&known);
    meeting_link(&known.ana, &known.bruno);
    json_decref(meeting_op(&known.ana, "peer.block", json_pack("{s:s}", "who", "Bruno"), NULL));
    known_introduce(&known.iris, "Ana", "Bruno", false);
    known_round(&known);
    known_expect(&known.ana, "");
    known_expect(&known.bruno, "offered");
    known_answer(&known.bruno, "intro.accept");
    known_round(&known);
    known_expect(&known.bruno, "yes");
    known_expect(&known.iris, "open");
    known_end(&known);
}

/* Each of three introduces the two others, who are linked: no key moves, everybody is vouched for.
 */
static void introduction_known_rings_only_add_vouchers(void **state)
{
    struct member *ring[3];
    struct known known;
    struct peer before[3], after;

    (void)state;
    known_begin(&known);
    meeting_link(&known.ana, &known.bruno);
    ring[0] = &known.iris;
    ring[1] = &known.ana;
    ring[2] = &known.bruno;
    for (int at = 0; at < 3; at++)
        assert_true(meeting_peer(ring[at], ring[(at + 1) % 3], &before[at]));
    known_introduce(&known.iris, "Ana", "Bruno", false);
    known_introduce(&known.ana, "Bruno", "Iris", false);
    known_introduce(&known.bruno, "Iris", "Ana", false);
    for (int round = 0; round < 6; round++) {
        known_round(&known);
        meeting_carry(&known.ana, &known.bruno);
        for (int at = 0; at < 3; at++) {
            json_t *list = meeting_op(ring[at], "intro.list", json_object(), NULL), *row;
            size_t index;

            json_array_foreach(json_object_get(list, "introductions"), index, row)
            {
                const char *its = json_string_value(json_object_get(row, "state"));

                if (strcmp(its, "offered") == 0)
                    json_decref(meeting_op(ring[at], "intro.accept",
                                           json_pack("{s:O}", "id", json_object_get(row, "id")),
                                           NULL));
            }
            json_decref(list);
        }
    }
    for (int at = 0; at < 3; at++) {
        assert_true(meeting_peer(ring[at], ring[(at + 1) % 3], &after));
        assert_memory_equal(before[at].secret, after.secret, KEY_SIZE);
        assert_int_equal(after.level, LINK_INVITED);
    }
    known_end(&known);
}

static void known_met(struct member *member, const struct member *other)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(introducee_met(txn, &other->secrets.member), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* Both have said hello, and Iris has handed on neither. */
static void known_greet(struct known *known)
{
    known_begin(known);
    known_introduce(&known->iris, "Ana", "Bruno", false);
    known_round(known);
    known_answer(&known->ana, "intro.accept");
    known_answer(&known->bruno, "intro.accept");
    (void)meeting_carry_one_way(&known->iris, &known->ana);
    (void)meeting_carry_one_way(&known->iris, &known->bruno);
    (void)meeting_carry_one_way(&known->ana, &known->iris);
    (void)meeting_carry_one_way(&known->bruno, &known->iris);
    known_expect(&known->ana, "greeted");
    known_expect(&known->bruno, "greeted");
}

static size_t known_vouchers(struct member *member, const char *who)
{
    json_t *peer = meeting_op(member, "peer.show", json_pack("{s:s}", "who", who), NULL);
    size_t count = json_array_size(json_object_get(peer, "vouchers"));

    json_decref(peer);
    return count;
}

/* Linked by an invitation meanwhile: a session ends the wait, and Iris vouches; a hello that comes
 * yet finds the link as it was left. */
static void introduction_known_greeted_ends_when_the_two_have_met(void **state)
{
    for (int is_removed = 0; is_removed < 2; is_removed++) {
        struct known known;
        struct peer peer;

        (void)state;
        known_greet(&known);
        known_met(&known.bruno, &known.iris); /* It is nobody they wait for. */
        known_expect(&known.bruno, "greeted");
        meeting_link(&known.ana, &known.bruno);
        known_expect(&known.bruno, "greeted");
        known_met(&known.bruno, &known.ana);
        known_expect(&known.bruno, "connected");
        known_expect(&known.ana, "greeted");
        assert_int_equal(known_vouchers(&known.bruno, "Ana"), 1);
        if (is_removed)
            json_decref(
                meeting_op(&known.bruno, "peer.remove", json_pack("{s:s}", "who", "Ana"), NULL));
        known_round(&known);
        known_expect(&known.bruno, "connected");
        known_expect(&known.ana, "connected");
        assert_int_equal(meeting_peer(&known.bruno, &known.ana, &peer), !is_removed);
        if (!is_removed)
            meeting_carry(&known.ana, &known.bruno);
        known_end(&known);
    }
}

/* PROTOCOL INTRO-20: what one device saw end in a link, and end again, no other brings back,
 * whatever it hears of first: the other's hello, or of link and removal. */
static void introduction_known_removed_people_stay_so_on_every_device(void **state)
{
    for (int is_hello_first = 0; is_hello_first < 2; is_hello_first++) {
        struct known known;
        struct member lap;
        struct peer peer;

        (void)state;
        known_greet(&known);
        member_twin(&lap, &known.bruno, 9);
        known_round(&known);
        known_expect(&known.bruno, "connected");
        json_decref(
            meeting_op(&known.bruno, "peer.remove", json_pack("{s:s}", "who", "Ana"), NULL));
        if (is_hello_first)
            (void)meeting_carry_one_way(&lap, &known.iris);
        known_expect(&lap, is_hello_first ? "connected" : "greeted");
        (void)member_pull(&lap, &known.bruno, ledger_self_space(known.bruno.ledger));
        meeting_tick(&lap);
        known_expect(&lap, "connected");
        meeting_carry(&lap, &known.bruno);
        (void)meeting_carry_one_way(&lap, &known.iris);
        meeting_carry(&lap, &known.bruno);
        known_expect(&lap, "connected");
        known_expect(&known.bruno, "connected");
        assert_false(meeting_peer(&lap, &known.ana, &peer));
        assert_false(meeting_peer(&known.bruno, &known.ana, &peer));
        member_free(&lap);
        known_end(&known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(introduction_known_heals_a_link_one_side_removed),
        cmocka_unit_test(introduction_known_namesakes_are_a_conflict_until_confirmed),
        cmocka_unit_test(introduction_known_blocked_people_are_found_out_when_blind),
        cmocka_unit_test(introduction_known_blocked_people_are_never_offered),
        cmocka_unit_test(introduction_known_rings_only_add_vouchers),
        cmocka_unit_test(introduction_known_greeted_ends_when_the_two_have_met),
        cmocka_unit_test(introduction_known_removed_people_stay_so_on_every_device),
    };

    return cmocka_run_group_tests_name("introduction_known", tests, NULL, NULL);
}
