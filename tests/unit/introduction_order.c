/* What people and devices say in every order, and links that end at every state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "tests/sim/three.h"

static enum op_code order_op(struct member *member, const char *method)
{
    enum op_code code;
    char id[ID_TEXT_SIZE];

    meeting_first_id(member, id);
    json_decref(meeting_op(member, method, json_pack("{s:s}", "id", id), &code));
    return code;
}

static void order_begin(struct three *three, const char *first)
{
    three_new(three);
    three_begin(three, first, false);
    three_round(three);
}

static bool order_is_linked(struct member *one, const struct member *other)
{
    struct peer peer;

    return meeting_peer(one, other, &peer);
}

/* Each has asked for the other: one tap, and nobody has to answer any more. */
static void introduction_agrees_by_itself_on_both_sides(void **state)
{
    struct three three;

    (void)state;
    three_new(&three);
    json_decref(meeting_op(
        &three.ana, "intro.want",
        json_pack("{s:s, s:s, s:s}", "who", "Bruno", "from", "Iris", "blurb", "I restore boats."),
        NULL));
    json_decref(meeting_op(
        &three.bruno, "intro.want",
        json_pack("{s:s, s:s, s:s}", "who", "Ana", "from", "Iris", "blurb", "So do I."), NULL));
    three_round(&three);
    three_begin(&three, "both", false);
    three_round(&three);
    three_expect(&three.iris, "released");
    three_expect_linked(&three);
    three_free(&three);
}

static void introduction_ends_when_both_decline_or_nobody_answers(void **state)
{
    struct three three;

    (void)state;
    order_begin(&three, "both");
    assert_int_equal(order_op(&three.ana, "intro.decline"), OP_DONE);
    assert_int_equal(order_op(&three.bruno, "intro.decline"), OP_DONE);
    three_round(&three);
    three_expect(&three.iris, "closed");
    three_expect(&three.ana, "no");
    three_expect(&three.bruno, "no");
    three_free(&three);
    order_begin(&three, "both");
    meeting_live(&three.iris, 22 * MS_PER_DAY);
    meeting_live(&three.ana, 22 * MS_PER_DAY);
    meeting_live(&three.bruno, 22 * MS_PER_DAY);
    three_round(&three);
    three_expect(&three.iris, "closed");
    assert_int_not_equal(order_op(&three.ana, "intro.accept"), OP_DONE);
    assert_false(order_is_linked(&three.ana, &three.bruno));
    three_free(&three);
}

/* It ends after one yes; what comes then changes nothing. */
static void introduction_ends_between_two_answers(void **state)
{
    struct three three;

    (void)state;
    order_begin(&three, "both");
    meeting_accept(&three.ana);
    three_round(&three);
    meeting_live(&three.iris, 22 * MS_PER_DAY);
    meeting_accept(&three.bruno);
    three_round(&three);
    three_expect(&three.iris, "closed");
    three_expect(&three.bruno, "yes");
    assert_false(order_is_linked(&three.bruno, &three.ana));
    three_free(&three);
}

/* One device: a second yes is the first, a no after it takes it back, a yes after a no is refused.
 */
static void introduction_is_answered_once(void **state)
{
    struct three three;

    (void)state;
    order_begin(&three, "both");
    meeting_accept(&three.ana);
    (void)order_op(&three.ana, "intro.accept");
    three_expect(&three.ana, "yes");
    three_round(&three);
    assert_int_equal(order_op(&three.ana, "intro.decline"), OP_DONE);
    three_expect(&three.ana, "retracted");
    assert_int_not_equal(order_op(&three.ana, "intro.accept"), OP_DONE);
    three_round(&three);
    three_expect(&three.iris, "closed");
    three_free(&three);
    order_begin(&three, "both");
    assert_int_equal(order_op(&three.ana, "intro.decline"), OP_DONE);
    assert_int_not_equal(order_op(&three.ana, "intro.accept"), OP_DONE);
    three_expect(&three.ana, "no");
    three_free(&three);
}

/* INTRO-15, INTRO-16: two devices at once say the same, or the opposite; whichever is heard first.
 */
static void introduction_two_devices_answer_at_once(void **state)
{
    (void)state;
    for (int at = 0; at < 6; at++) {
        bool says_no = at % 3 > 0;
        struct three three;
        struct member lap;

        order_begin(&three, "both");
        member_twin(&lap, &three.ana, 9);
        assert_int_equal(order_op(&lap, says_no ? "intro.decline" : "intro.accept"), OP_DONE);
        meeting_accept(&three.ana);
        for (int order = 0; order < 2; order++)
            (void)meeting_carry_one_way(&three.iris, (order + at / 3) % 2 ? &lap : &three.ana);
        meeting_accept(&three.bruno);
        for (int round = 0; round < 4; round++) {
            meeting_carry(&three.iris, &three.ana);
            meeting_carry(&three.iris, &lap);
            meeting_carry(&three.ana, &lap);
            meeting_carry(&three.iris, &three.bruno);
        }
        three_expect(&three.iris, says_no ? "closed" : "released");
        three_expect(&three.ana, says_no ? "no" : "connected");
        three_expect(&lap, says_no ? "no" : "connected");
        assert_int_equal(order_is_linked(&three.bruno, &three.ana), !says_no);
        member_free(&lap);
        three_free(&three);
    }
}

/* The yes is taken back while the release is on its way: Ana ignores it, Bruno waits quietly. */
static void introduction_release_after_a_yes_was_taken_back_is_ignored(void **state)
{
    struct three three;

    (void)state;
    order_begin(&three, "both");
    meeting_accept(&three.ana);
    meeting_accept(&three.bruno);
    meeting_carry_one_way(&three.iris, &three.ana);
    meeting_carry_one_way(&three.iris, &three.bruno);
    three_expect(&three.iris, "released");
    assert_int_equal(order_op(&three.ana, "intro.decline"), OP_DONE);
    three_round(&three);
    three_expect(&three.ana, "retracted");
    three_expect(&three.bruno, "greeted");
    assert_false(order_is_linked(&three.ana, &three.bruno));
    assert_false(order_is_linked(&three.bruno, &three.ana));
    three_free(&three);
}

/* What is taken back is heard before it was offered, as it may be where Iris has two devices. */
static void introduction_taken_back_before_it_was_offered_stays_so(void **state)
{
    struct introduction_message withdraw = {.type = INTRODUCTION_WITHDRAW};
    struct three three;

    (void)state;
    three_new(&three);
    memset(withdraw.id.bytes, 5, ID_SIZE);
    meeting_say(&three.iris, &three.ana, &withdraw);
    meeting_carry(&three.iris, &three.ana);
    three_expect(&three.ana, ""); /* Nobody could say of what it tells. */
    three_offer(&three, 5, three.iris.now_ms);
    meeting_carry(&three.iris, &three.ana);
    three_expect(&three.ana, "withdrawn");
    assert_int_not_equal(order_op(&three.ana, "intro.accept"), OP_DONE);
    three_free(&three);
}

/* Iris hands Ana her own yes, as if she were the other. */
static void introduction_to_oneself_is_nothing(void **state)
{
    struct introduction_message release = {.type = INTRODUCTION_RELEASE};
    struct introduction_case intro;
    const struct introduction_fact *yes;
    struct snapshot snapshot;
    struct three three;
    struct buf own = {0};
    char id[ID_TEXT_SIZE];

    (void)state;
    order_begin(&three, "A");
    meeting_accept(&three.ana);
    meeting_first_id(&three.ana, id);
    assert_int_equal(hex_read(span_of(id, (size_t)2 * ID_SIZE), release.id.bytes, ID_SIZE), ERR_OK);
    snapshot = member_snapshot(&three.ana);
    assert_int_equal(
        introduction_open(&snapshot, NULL, &three.iris.secrets.member, &release.id, &intro),
        ERR_OK);
    yes = introduction_said(&intro, INTRODUCTION_YES, &three.ana.secrets.member, 0);
    assert_non_null(yes);
    buf_append(&own, yes->bytes);
    release.release.other = buf_span(&own);
    release.release.yes = yes->hash;
    release.release.offer = release.release.other_offer = yes->message.yes.offer;
    introduction_close(&intro);
    ledger_snapshot_end(&snapshot);
    meeting_say(&three.iris, &three.ana, &release);
    meeting_carry(&three.iris, &three.ana);
    three_expect(&three.ana, "yes");
    assert_false(order_is_linked(&three.ana, &three.ana));
    buf_release(&own);
    three_free(&three);
}

/* Two introductions of one pair. */

static void order_accept_all(struct member *member)
{
    json_t *list = meeting_op(member, "intro.list", json_object(), NULL), *row;
    size_t at;

    json_array_foreach(json_object_get(list, "introductions"), at, row)
    {
        json_decref(meeting_op(member, "intro.accept",
                               json_pack("{s:O}", "id", json_object_get(row, "id")), NULL));
    }
    json_decref(list);
}

static size_t order_vouchers(struct member *member, const char *who)
{
    json_t *peer = meeting_op(member, "peer.show", json_pack("{s:s}", "who", who), NULL);
    size_t count = json_array_size(json_object_get(peer, "vouchers"));

    json_decref(peer);
    return count;
}

static bool order_is_secret_of(const uint8_t secret[static KEY_SIZE], const struct peer *peer)
{
    return memcmp(secret, peer->secret, KEY_SIZE) == 0 ||
           (peer->has_secret_old && memcmp(secret, peer->secret_old, KEY_SIZE) == 0);
}

/* Everybody has said yes to both, and nobody has heard of it. What is left are the meetings of four
 * pairs: in this order, again and again. */
static void order_two(const int order[static 4])
{
    struct three three;
    struct member jo, *meetings[4][2] = {{&three.iris, &three.ana},
                                         {&three.iris, &three.bruno},
                                         {&jo, &three.ana},
                                         {&jo, &three.bruno}};
    struct peer a, b;

    three_new(&three);
    meeting_new(&jo, 4, "Jo");
    meeting_link(&jo, &three.ana);
    meeting_link(&jo, &three.bruno);
    three_begin(&three, "both", false);
    json_decref(meeting_op(&jo, "introduce",
                           json_pack("{s:s, s:s, s:s, s:s}", "a", "Ana", "b", "Bruno", "why",
                                     "Boats.", "first", "both"),
                           NULL));
    for (int at = 0; at < 4; at++)
        (void)meeting_carry_one_way(meetings[at][1], meetings[at][0]);
    order_accept_all(&three.ana);
    order_accept_all(&three.bruno);
    for (int round = 0; round < 4; round++)
        for (int at = 0; at < 4; at++)
            meeting_carry(meetings[order[at]][0], meetings[order[at]][1]);
    assert_true(meeting_peer(&three.ana, &three.bruno, &a));
    assert_true(meeting_peer(&three.bruno, &three.ana, &b));
    assert_true(order_is_secret_of(a.secret, &b) && order_is_secret_of(b.secret, &a));
    assert_true(id_is_equal(&a.pair_out, &b.pair_in) && id_is_equal(&b.pair_out, &a.pair_in));
    assert_int_equal(order_vouchers(&three.ana, "Bruno"), 2);
    assert_int_equal(order_vouchers(&three.bruno, "Ana"), 2);
    member_free(&jo);
    three_free(&three);
}

static void introduction_two_of_one_pair_end_alike_in_every_order(void **state)
{
    (void)state;
    for (int code = 0; code < 256; code++) {
        const int order[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6};
        unsigned all = 1u << order[0] | 1u << order[1] | 1u << order[2] | 1u << order[3];

        if (all == 15) /* Each of the four once. */
            order_two(order);
    }
}

/* Links that end. */

enum { ORDER_STAGES = 6, ORDER_WAYS = 8 };

/* 0 asked and not heard, 1 offered, 2 one yes, 3 two yeses on their way, 4 released and not heard,
 * 5 one has said hello. */
static void order_reach(struct three *three, int stage)
{
    three_new(three);
    three_begin(three, "both", false);
    if (stage >= 1)
        three_round(three);
    if (stage >= 2)
        meeting_accept(&three->ana);
    if (stage == 2)
        three_round(three);
    if (stage >= 3)
        meeting_accept(&three->bruno);
    if (stage >= 4) {
        (void)meeting_carry_one_way(&three->iris, &three->ana);
        (void)meeting_carry_one_way(&three->iris, &three->bruno);
    }
    if (stage >= 5)
        (void)meeting_carry_one_way(&three->ana, &three->iris);
}

/* Either end of the link between Iris and Ana, or Iris and Bruno, removes or blocks the other. */
static void order_part(struct three *three, int way)
{
    struct member *peer = way & 1 ? &three->ana : &three->bruno;
    struct member *by = way & 2 ? &three->iris : peer;
    const char *who = way & 2 ? (way & 1 ? "Ana" : "Bruno") : "Iris";

    json_decref(meeting_op(by, way & 4 ? "peer.block" : "peer.remove",
                           json_pack("{s:s}", "who", who), NULL));
}

/* Before both have said yes nobody is linked and no key of the other is here; a state that is over
 * stays over, whatever is said then. */
static void introduction_bears_every_end_of_a_link_at_every_state(void **state)
{
    (void)state;
    for (int stage = 0; stage < ORDER_STAGES; stage++)
        for (int way = 0; way < ORDER_WAYS; way++) {
            struct three three;
            char before[32], after[32];

            order_reach(&three, stage);
            order_part(&three, way);
            three_round(&three);
            if (stage < 3) {
                assert_false(order_is_linked(&three.ana, &three.bruno));
                assert_false(order_is_linked(&three.bruno, &three.ana));
                assert_false(meeting_holds(&three.bruno,
                                           span_of(ledger_device(three.ana.ledger)->bytes, 32)));
                assert_false(meeting_holds(&three.ana,
                                           span_of(ledger_device(three.bruno.ledger)->bytes, 32)));
                /* Whoever leaves Iris is silent to her: it ends by itself then. */
                if ((way & 2) == 0)
                    meeting_live(&three.iris, 22 * MS_PER_DAY);
                three_expect(&three.iris, "closed");
            }
            meeting_state(&three.ana, NULL, before);
            three_round(&three);
            meeting_tick(&three.ana);
            assert_string_equal(meeting_state(&three.ana, NULL, after), before);
            three_free(&three);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(introduction_agrees_by_itself_on_both_sides),
        cmocka_unit_test(introduction_ends_when_both_decline_or_nobody_answers),
        cmocka_unit_test(introduction_ends_between_two_answers),
        cmocka_unit_test(introduction_is_answered_once),
        cmocka_unit_test(introduction_two_devices_answer_at_once),
        cmocka_unit_test(introduction_release_after_a_yes_was_taken_back_is_ignored),
        cmocka_unit_test(introduction_taken_back_before_it_was_offered_stays_so),
        cmocka_unit_test(introduction_to_oneself_is_nothing),
        cmocka_unit_test(introduction_two_of_one_pair_end_alike_in_every_order),
        cmocka_unit_test(introduction_bears_every_end_of_a_link_at_every_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
