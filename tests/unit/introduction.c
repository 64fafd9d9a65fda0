/* Introductions between members without a network: what is told, when, to whom; and introducers who
 * play foul. The machines themselves are explored in introduction_search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/invite.h"
#include "proto/limits.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "tests/sim/three.h"

static const uint8_t ana_address[7] = {4, 203, 0, 113, 77, 0x15, 0x6c};

static void introduction_reachable(struct member *member, struct span address)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(view_peer_reached(txn, ledger_device(member->ledger), address, 1), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void introduction_makes_a_link_when_both_agree(void **state)
{
    static const char *const firsts[] = {"A", "B", "both"};
    char room[256];

    (void)state;
    for (size_t at = 0; at < 3; at++) {
        static const struct id only = {{0}};
        struct three three;
        struct id card;

        three_new(&three);
        three_begin(&three, firsts[at], at == 2);
        three_round(&three);
        meeting_accept(at == 1 ? &three.bruno : &three.ana);
        three_round(&three);
        three_expect(&three.iris, "open");
        meeting_accept(at == 1 ? &three.ana : &three.bruno);
        three_round(&three);
        three_expect(&three.iris, "released");
        three_expect(&three.ana, "connected");
        three_expect(&three.bruno, "connected");
        three_expect_linked(&three);
        meeting_carry(&three.ana, &three.bruno);
        card = member_card_space(&three.bruno);
        assert_string_equal(member_read_text(&three.ana, &card, KIND_CARD, &only, 1, room),
                            "Bruno");
        three_free(&three);
    }
}

/* P6: nothing of Ana is with Bruno before both said yes, and her address is never with Iris. */
static void introduction_moves_no_key_or_address_before_two_yeses(void **state)
{
    struct span address = span_of(ana_address, sizeof ana_address), device, root, statics;
    struct three three;

    (void)state;
    three_new(&three);
    introduction_reachable(&three.ana, address);
    device = span_of(ledger_device(three.ana.ledger)->bytes, 32);
    root = span_of(three.ana.secrets.member.bytes, 32);
    statics = span_of(ledger_static_key(three.ana.ledger)->public_key, 32);
    three_begin(&three, "both", true);
    three_round(&three);
    assert_false(meeting_holds(&three.bruno, span_str("Ana")));
    meeting_accept(&three.ana);
    three_round(&three);
    assert_true(meeting_holds(&three.ana, address));
    assert_false(meeting_holds(&three.bruno, address));
    assert_false(meeting_holds(&three.bruno, device));
    assert_false(meeting_holds(&three.bruno, root));
    assert_false(meeting_holds(&three.bruno, statics));
    assert_false(meeting_holds(&three.bruno, span_str("Ana")));
    assert_false(meeting_holds(&three.iris, address));
    meeting_accept(&three.bruno);
    three_round(&three);
    three_expect(&three.bruno, "connected");
    assert_true(meeting_holds(&three.bruno, address));
    assert_true(meeting_holds(&three.bruno, statics));
    assert_false(meeting_holds(&three.iris, address));
    three_free(&three);
}

/* What Ana holds and sees, whether Bruno declines or never answers: to the byte. */
static void introduction_a_no_is_silence_to_the_byte(void **state)
{
    struct hash tips[2];
    char lists[2][2000];
    uint64_t held[2];

    (void)state;
    for (int is_silent = 0; is_silent < 2; is_silent++) {
        struct three three;
        struct snapshot snapshot;
        struct log_id id;
        struct log_row log;
        struct peer peer;
        json_t *list;
        char *text;

        three_new(&three);
        three_begin(&three, "both", false);
        three_round(&three);
        meeting_accept(&three.ana);
        three_round(&three);
        if (is_silent == 0) {
            char bruno[ID_TEXT_SIZE];

            meeting_first_id(&three.bruno, bruno);
            json_decref(
                meeting_op(&three.bruno, "intro.decline", json_pack("{s:s}", "id", bruno), NULL));
        }
        three_round(&three);
        three_expect(&three.iris, is_silent ? "open" : "closed");
        assert_true(meeting_peer(&three.ana, &three.iris, &peer));
        id = (struct log_id){.space = peer.pair_in, .device = *ledger_device(three.iris.ledger)};
        three.ana.now_ms = UINT64_C(1700000000000) + 10 * MS_PER_DAY;
        list = meeting_op(&three.ana, "intro.list", json_object(), NULL);
        text = json_dumps(list, JSON_SORT_KEYS | JSON_COMPACT);
        (void)snprintf(lists[is_silent], sizeof lists[0], "%s", text);
        free(text);
        json_decref(list);
        snapshot = member_snapshot(&three.ana);
        assert_int_equal(ledger_log(&snapshot, &id, &log), ERR_OK);
        tips[is_silent] = log.tip.hash;
        assert_int_equal(ledger_newest_arrival(&snapshot, &held[is_silent]), ERR_OK);
        ledger_snapshot_end(&snapshot);
        three_free(&three);
    }
    assert_memory_equal(tips[0].bytes, tips[1].bytes, HASH_SIZE);
    assert_string_equal(lists[0], lists[1]);
    assert_int_equal(held[0], held[1]);
}

/* An introducer who hands out another person than was offered (B72 to B74): an alarm, no hello. */
static void introduction_of_somebody_else_is_a_conflict(void **state)
{
    struct introduction_message release = {.type = INTRODUCTION_RELEASE};
    struct introduction_case intro;
    struct snapshot snapshot;
    struct three three;
    struct member mallory;
    struct introduction_row row;
    char id[ID_TEXT_SIZE];
    const struct introduction_fact *yes;
    struct buf forged = {0}, key = {0}, identity = {0};
    struct introduction_message said = {.type = INTRODUCTION_YES};
    uint8_t seed[32] = {7};
    struct exchange_key own;
    struct hash hash;

    (void)state;
    three_new(&three);
    meeting_new(&mallory, 9, "Mallory");
    three_begin(&three, "A", false);
    three_round(&three);
    meeting_accept(&three.ana);
    meeting_first_id(&three.ana, id);
    assert_int_equal(hex_read(span_of(id, 32), row.id.bytes, ID_SIZE), ERR_OK);
    /* Mallory says yes, to Iris, in this introduction: a true bundle of another person. */
    identity_exchange_key(seed, &own);
    assert_int_equal(
        introduction_key_issue(ledger_root_key(mallory.ledger), own.public_key, 1, &key), ERR_OK);
    snapshot = member_snapshot(&mallory);
    assert_int_equal(view_identity(&snapshot, &identity), ERR_OK);
    ledger_snapshot_end(&snapshot);
    said.id = row.id;
    said.to = three.iris.secrets.member;
    said.yes.key = buf_span(&key);
    memcpy(said.yes.ephemeral, own.public_key, 32);
    assert_int_equal(
        introduction_say(&said, ledger_signing_key(mallory.ledger), buf_span(&identity), &forged),
        ERR_OK);
    snapshot = member_snapshot(&three.ana);
    assert_int_equal(
        introduction_open(&snapshot, NULL, &three.iris.secrets.member, &row.id, &intro), ERR_OK);
    yes = introduction_said(&intro, INTRODUCTION_YES, &three.ana.secrets.member, 0);
    assert_non_null(yes);
    hash = yes->hash;
    release.id = row.id;
    release.release.other = buf_span(&forged);
    release.release.yes = hash;
    release.release.offer = yes->message.yes.offer;
    introduction_close(&intro);
    ledger_snapshot_end(&snapshot);
    meeting_say(&three.iris, &three.ana, &release);
    meeting_carry(&three.iris, &three.ana);
    three_expect(&three.ana, "conflict");
    assert_false(meeting_holds(&three.iris, span_str("kith hello")));
    buf_release(&forged);
    buf_release(&key);
    buf_release(&identity);
    member_free(&mallory);
    three_free(&three);
}

/* A flood is held, and bounded; a place that frees shows the next. */
static void introduction_floods_are_held_and_bounded(void **state)
{
    struct introduction_row row;
    struct snapshot snapshot;
    struct three three;
    char id[ID_TEXT_SIZE];
    uint64_t rows = 0;

    (void)state;
    three_new(&three);
    for (int number = 0; number < 200; number++)
        three_offer(&three, (uint8_t)number, three.iris.now_ms);
    meeting_carry(&three.iris, &three.ana);
    meeting_tick(&three.ana);
    assert_int_equal(three_shown(&three.ana), INTRODUCTION_SHOWN_WEEK_MAX);
    snapshot = member_snapshot(&three.ana);
    assert_int_equal(kv_count(snapshot.kv, TABLE_INTRODUCTION, &rows), ERR_OK);
    memset(row.id.bytes, 199, ID_SIZE);
    assert_int_equal(view_introduction(&snapshot, &three.iris.secrets.member, &row.id, &row),
                     ERR_NOT_FOUND);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(rows, INTRODUCTION_ROWS_MAX);
    three.ana.now_ms += 8 * MS_PER_DAY;
    meeting_tick(&three.ana);
    assert_int_equal(three_shown(&three.ana), INTRODUCTION_SHOWN_OPEN_MAX);
    meeting_first_id(&three.ana, id);
    json_decref(meeting_op(&three.ana, "intro.decline",
                           json_pack("{s:s, s:b}", "id", id, "quietly", 1), NULL));
    assert_int_equal(three_shown(&three.ana), INTRODUCTION_SHOWN_OPEN_MAX + 1);
    three_free(&three);
}

/* The same id again, in other words, changes nothing once it was answered (B76, B79). */
static void introduction_cannot_be_said_twice(void **state)
{
    struct three three;
    char id[ID_TEXT_SIZE];

    (void)state;
    three_new(&three);
    three_offer(&three, 5, three.iris.now_ms);
    meeting_carry(&three.iris, &three.ana);
    meeting_first_id(&three.ana, id);
    json_decref(meeting_op(&three.ana, "intro.decline", json_pack("{s:s}", "id", id), NULL));
    three_expect(&three.ana, "no");
    for (int again = 0; again < 10; again++)
        three_offer(&three, 5, three.iris.now_ms + (uint64_t)again);
    meeting_carry(&three.iris, &three.ana);
    three_expect(&three.ana, "no");
    three_free(&three);
}

/* The views made anew: the same states, and not one entry more. */
static void introduction_acts_once_though_views_are_rebuilt(void **state)
{
    struct three three;
    struct snapshot snapshot;
    struct ledger_txn *txn;
    uint64_t before, after;

    (void)state;
    three_new(&three);
    three_begin(&three, "both", false);
    three_round(&three);
    meeting_accept(&three.ana);
    meeting_accept(&three.bruno);
    three_round(&three);
    three_expect_linked(&three);
    for (int who = 0; who < 2; who++) {
        struct member *member = who == 0 ? &three.iris : &three.ana;

        snapshot = member_snapshot(member);
        assert_int_equal(ledger_newest_arrival(&snapshot, &before), ERR_OK);
        ledger_snapshot_end(&snapshot);
        txn = member_begin(member);
        assert_int_equal(check_forget_views(txn), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        meeting_tick(member);
        meeting_tick(member);
        snapshot = member_snapshot(member);
        assert_int_equal(ledger_newest_arrival(&snapshot, &after), ERR_OK);
        ledger_snapshot_end(&snapshot);
        assert_int_equal(before, after);
        three_expect(member, who == 0 ? "released" : "connected");
    }
    three_expect_linked(&three);
    three_free(&three);
}

static void introduction_carry_four(struct three *three, struct member *jo)
{
    three_round(three);
    for (int round = 0; round < 3; round++) {
        meeting_carry(jo, &three->ana);
        meeting_carry(jo, &three->bruno);
    }
}

static void introduction_accept_all(struct member *member)
{
    json_t *list = meeting_op(member, "intro.list", json_object(), NULL), *row;
    size_t at;

    json_array_foreach(json_object_get(list, "introductions"), at, row)
    {
        const char *id = json_string_value(json_object_get(row, "id"));

        if (strcmp(json_string_value(json_object_get(row, "state")), "offered") == 0)
            json_decref(meeting_op(member, "intro.accept", json_pack("{s:s}", "id", id), NULL));
    }
    json_decref(list);
}

static size_t introduction_vouchers(struct member *member, const char *who)
{
    json_t *peer = meeting_op(member, "peer.show", json_pack("{s:s}", "who", who), NULL);
    size_t count = json_array_size(json_object_get(peer, "vouchers"));

    json_decref(peer);
    return count;
}

/* Two introducers, one pair, ending in either order on each side: one link, two who vouch. */
static void introduction_by_two_gives_one_link_and_two_vouchers(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        struct three three;
        struct member jo;
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
        introduction_carry_four(&three, &jo);
        introduction_accept_all(&three.ana);
        introduction_accept_all(&three.bruno);
        if (order == 1) { /* Each ends with another introducer first. */
            meeting_carry(&three.iris, &three.ana);
            meeting_carry(&jo, &three.bruno);
            meeting_carry(&three.iris, &three.bruno);
            meeting_carry(&jo, &three.ana);
            meeting_carry(&jo, &three.bruno);
        }
        introduction_carry_four(&three, &jo);
        assert_true(meeting_peer(&three.ana, &three.bruno, &a));
        assert_true(meeting_peer(&three.bruno, &three.ana, &b));
        assert_true(memcmp(a.secret, b.secret, KEY_SIZE) == 0 ||
                    (b.has_secret_old && memcmp(a.secret, b.secret_old, KEY_SIZE) == 0));
        assert_true(memcmp(b.secret, a.secret, KEY_SIZE) == 0 ||
                    (a.has_secret_old && memcmp(b.secret, a.secret_old, KEY_SIZE) == 0));
        assert_int_equal(introduction_vouchers(&three.ana, "Bruno"), 2);
        assert_int_equal(introduction_vouchers(&three.bruno, "Ana"), 2);
        member_free(&jo);
        three_free(&three);
    }
}

/* Linked before: no key is replaced, whoever introduces. */
static void introduction_of_peers_replaces_nothing(void **state)
{
    struct three three;
    struct peer before, after;

    (void)state;
    three_new(&three);
    meeting_link(&three.ana, &three.bruno);
    assert_true(meeting_peer(&three.ana, &three.bruno, &before));
    three_begin(&three, "both", false);
    three_round(&three);
    meeting_accept(&three.ana);
    meeting_accept(&three.bruno);
    three_round(&three);
    assert_true(meeting_peer(&three.ana, &three.bruno, &after));
    assert_memory_equal(before.secret, after.secret, KEY_SIZE);
    assert_int_equal(after.level, LINK_INVITED);
    assert_int_equal(introduction_vouchers(&three.ana, "Bruno"), 1);
    three_free(&three);
}

/* Whoever is removed in the middle: the other is told it was taken back, and a yes is taken back.
 */
static void introduction_ends_when_a_link_does(void **state)
{
    struct three three;

    (void)state;
    three_new(&three);
    three_begin(&three, "A", false);
    three_round(&three);
    meeting_accept(&three.ana);
    three_round(&three);
    three_expect(&three.bruno, "offered");
    json_decref(meeting_op(&three.iris, "peer.remove", json_pack("{s:s}", "who", "Bruno"), NULL));
    three_expect(&three.iris, "closed");
    meeting_carry(&three.iris, &three.ana);
    three_expect(&three.ana, "withdrawn");
    json_decref(meeting_op(&three.bruno, "peer.remove", json_pack("{s:s}", "who", "Iris"), NULL));
    three_expect(&three.bruno, "withdrawn");
    three_free(&three);
}

/* A statement that somebody else said is nobody's word here (B89). */
static void introduction_by_another_hand_is_passed_over(void **state)
{
    struct introduction_message no = {.type = INTRODUCTION_NO};
    struct three three;
    struct introduction_row row;
    char id[ID_TEXT_SIZE];

    (void)state;
    three_new(&three);
    three_begin(&three, "both", false);
    three_round(&three);
    meeting_first_id(&three.ana, id);
    assert_int_equal(hex_read(span_of(id, 32), row.id.bytes, ID_SIZE), ERR_OK);
    /* Iris tells Ana "no", as if it were hers to say: it is about no plan of Ana's. */
    no.id = row.id;
    meeting_say(&three.iris, &three.ana, &no);
    meeting_carry(&three.iris, &three.ana);
    three_expect(&three.ana, "offered");
    three_free(&three);
}

static void introduction_muted_introducers_are_not_heard(void **state)
{
    struct three three;

    (void)state;
    three_new(&three);
    json_decref(meeting_op(&three.ana, "intro.mute", json_pack("{s:s}", "who", "Iris"), NULL));
    three_begin(&three, "both", false);
    three_round(&three);
    three_expect(&three.ana, "");
    three_expect(&three.bruno, "offered");
    three_free(&three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(introduction_makes_a_link_when_both_agree),
        cmocka_unit_test(introduction_moves_no_key_or_address_before_two_yeses),
        cmocka_unit_test(introduction_a_no_is_silence_to_the_byte),
        cmocka_unit_test(introduction_of_somebody_else_is_a_conflict),
        cmocka_unit_test(introduction_floods_are_held_and_bounded),
        cmocka_unit_test(introduction_cannot_be_said_twice),
        cmocka_unit_test(introduction_acts_once_though_views_are_rebuilt),
        cmocka_unit_test(introduction_by_two_gives_one_link_and_two_vouchers),
        cmocka_unit_test(introduction_of_peers_replaces_nothing),
        cmocka_unit_test(introduction_ends_when_a_link_does),
        cmocka_unit_test(introduction_by_another_hand_is_passed_over),
        cmocka_unit_test(introduction_muted_introducers_are_not_heard),
    };

    return cmocka_run_group_tests_name("introduction", tests, NULL, NULL);
}
