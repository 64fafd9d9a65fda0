/* What is not kept: forgets, expiry, and payloads a restatement covers. PROTOCOL TIME-1, ABSENT-1,
 * FORGET-1, FORGET-2, EXPIRY-1, EXPIRY-2, RESTATE-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "proto/forget.h"
#include "proto/limits.h"
#include "storage/absent.h"
#include "storage/check.h"
#include "storage/expiry.h"
#include "storage/follow.h"
#include "storage/forget.h"
#include "storage/ledger_state.h"
#include "storage/restate.h"
#include "storage/row.h"
#include "storage/running.h"
#include "storage/space.h"
#include "tests/sim/burglar.h"
#include "tests/sim/member.h"

static void keep_react(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* Both clocks, or the wall alone, move on. */
static void keep_days(struct member *member, uint64_t days, bool is_running)
{
    struct ledger_txn *txn;
    uint64_t machine = member->ledger->machine_ms == 0 ? 1000 : member->ledger->machine_ms;

    txn = member_begin(member);
    assert_int_equal(running_advance(txn, machine), ERR_OK);
    if (is_running)
        assert_int_equal(running_advance(txn, machine + days * RUNNING_DAY_MS), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    member->now_ms += days * RUNNING_DAY_MS;
    keep_react(member);
}

static void keep_is_sound(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    struct check_report report;

    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_string_equal(report.first, "");
}

static void keep_rebuild(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);
    bool is_more = true;

    assert_int_equal(check_forget_views(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    while (is_more)
        assert_int_equal(follow_stage(member->ledger, 50, &is_more), ERR_OK);
}

static enum err keep_count(void *self, uint64_t seq)
{
    (void)seq;
    (*(size_t *)self)++;
    return ERR_OK;
}

struct keep_seqs {
    uint64_t after;
    size_t count;
};

struct keep_sum {
    struct snapshot *snapshot;
    size_t wanted;
    uint64_t missing;
};

static enum err keep_on_log(void *self, const struct log_row *log)
{
    struct keep_sum *sum = self;
    uint64_t bytes;

    assert_int_equal(absent_each_wanted(sum->snapshot, log, 0, keep_count, &sum->wanted), ERR_OK);
    assert_int_equal(absent_bytes(sum->snapshot, log->number, 0, &bytes), ERR_OK);
    sum->missing += bytes;
    return ERR_OK;
}

/* Payload bytes that are missing in a space; none of them may be wanted. */
static uint64_t keep_missing(struct member *member, const struct id *space)
{
    struct snapshot snapshot = member_snapshot(member);
    struct keep_sum sum = {.snapshot = &snapshot};
    struct space_row row;

    assert_int_equal(ledger_space(&snapshot, space, &row), ERR_OK);
    assert_int_equal(ledger_logs(&snapshot, row.number, keep_on_log, &sum), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(sum.wanted, 0);
    return sum.missing;
}

static void keep_forget(struct member *member, const struct id *object)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(forget_object(txn, ledger_self_space(member->ledger), KIND_CONTACT, object),
                     ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* FORGET-1, FORGET-2: a forgotten contact leaves no payload behind, here and on another device of
 * mine, whether that one had its entries before the forget, after it, or headers alone. */
static void a_forgotten_contact_is_gone_on_every_device(void **state)
{
    struct member desk, laptop;
    struct id gone, kept, self;
    char room[256];

    (void)state;
    member_new(&desk, 1, false);
    self = *ledger_self_space(desk.ledger);
    assert_int_equal(member_add_contact(&desk, "Somebody Gone", "gone@example.org", &gone), ERR_OK);
    member_twin(&laptop, &desk, 9);
    assert_int_equal(member_add_contact(&desk, "Kept", NULL, &kept), ERR_OK);
    assert_int_equal(member_write(&desk, &self, KIND_CONTACT, &gone, CONTACT_NOTE, "secret note"),
                     ERR_OK);
    assert_true(burglar_finds(&desk, &desk, 0, "secret note"));
    keep_forget(&desk, &gone);
    assert_false(burglar_finds(&desk, &desk, 0, "secret note"));
    assert_false(burglar_finds(&desk, &desk, 0, "Somebody Gone"));
    assert_true(burglar_finds(&desk, &desk, 0, "Kept"));
    assert_true(keep_missing(&desk, &self) > 0);
    assert_string_equal(member_read_text(&desk, &self, KIND_CONTACT, &gone, CONTACT_NAME, room),
                        "");
    assert_true(burglar_finds(&laptop, &laptop, 0, "Somebody Gone"));
    (void)member_pull(&laptop, &desk, NULL);
    keep_react(&laptop);
    assert_false(burglar_finds(&laptop, &laptop, 0, "Somebody Gone"));
    assert_string_equal(member_read_text(&laptop, &self, KIND_CONTACT, &gone, CONTACT_NAME, room),
                        "");
    assert_string_equal(member_read_text(&laptop, &self, KIND_CONTACT, &kept, CONTACT_NAME, room),
                        "Kept");
    assert_true(keep_missing(&laptop, &self) > 0);
    keep_is_sound(&desk);
    keep_is_sound(&laptop);
    keep_rebuild(&desk);
    assert_string_equal(member_read_text(&desk, &self, KIND_CONTACT, &gone, CONTACT_NAME, room),
                        "");
    keep_is_sound(&desk);
    member_free(&desk);
    member_free(&laptop);
}

/* FORGET-2: what another device wrote without knowing of the forget shows, on both, in either order
 * of arrival. */
static void a_write_that_a_forget_did_not_name_shows_on_both(void **state)
{
    for (int order = 0; order < 2; order++) {
        struct member desk, laptop;
        struct id contact, self;
        char left[256], right[256];

        (void)state;
        member_new(&desk, 1, false);
        self = *ledger_self_space(desk.ledger);
        assert_int_equal(member_add_contact(&desk, "Somebody", NULL, &contact), ERR_OK);
        member_twin(&laptop, &desk, 9);
        (void)member_pull(&laptop, &desk, NULL);
        assert_int_equal(
            member_write(&laptop, &self, KIND_CONTACT, &contact, CONTACT_NAME, "Not named"),
            ERR_OK);
        assert_int_equal(member_write(&desk, &self, KIND_CONTACT, &contact, CONTACT_NAME, "One"),
                         ERR_OK);
        assert_int_equal(member_write(&desk, &self, KIND_CONTACT, &contact, CONTACT_NAME, "Two"),
                         ERR_OK);
        if (order == 0)
            keep_forget(&desk, &contact);
        (void)member_pull(&desk, &laptop, NULL);
        if (order == 1) /* the forget names that write, too */
            keep_forget(&desk, &contact);
        (void)member_pull(&laptop, &desk, NULL);
        keep_react(&laptop);
        keep_react(&desk);
        (void)member_read_text(&desk, &self, KIND_CONTACT, &contact, CONTACT_NAME, left);
        (void)member_read_text(&laptop, &self, KIND_CONTACT, &contact, CONTACT_NAME, right);
        assert_string_equal(left, order == 0 ? "Not named" : "");
        assert_string_equal(right, left);
        keep_is_sound(&laptop);
        member_free(&desk);
        member_free(&laptop);
    }
}

/* Several at once: each has a forget of its own that names its own entries, whichever log holds
 * them. */
static void several_are_forgotten_with_one_look(void **state)
{
    struct member desk, laptop;
    struct forget_target gone[2] = {{.kind = KIND_CONTACT}, {.kind = KIND_CONTACT}};
    struct ledger_txn *txn;
    struct id self, kept;
    char room[256];

    (void)state;
    member_new(&desk, 1, false);
    self = *ledger_self_space(desk.ledger);
    assert_int_equal(member_add_contact(&desk, "Gone One", NULL, &gone[0].object), ERR_OK);
    assert_int_equal(member_add_contact(&desk, "Kept", NULL, &kept), ERR_OK);
    member_twin(&laptop, &desk, 9);
    (void)member_pull(&laptop, &desk, NULL);
    assert_int_equal(member_add_contact(&laptop, "Gone Two", NULL, &gone[1].object), ERR_OK);
    assert_int_equal(
        member_write(&laptop, &self, KIND_CONTACT, &gone[0].object, CONTACT_NOTE, "of both logs"),
        ERR_OK);
    (void)member_pull(&desk, &laptop, NULL);
    txn = member_begin(&desk);
    assert_int_equal(forget_objects(txn, &self, gone, 2), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    (void)member_pull(&laptop, &desk, NULL);
    keep_react(&laptop);
    for (int at = 0; at < 2; at++) {
        struct member *one = at == 0 ? &desk : &laptop;

        assert_false(burglar_finds(one, one, 0, "Gone One"));
        assert_false(burglar_finds(one, one, 0, "Gone Two"));
        assert_false(burglar_finds(one, one, 0, "of both logs"));
        assert_string_equal(member_read_text(one, &self, KIND_CONTACT, &kept, CONTACT_NAME, room),
                            "Kept");
        assert_true(keep_missing(one, &self) > 0);
        keep_is_sound(one);
    }
    member_free(&desk);
    member_free(&laptop);
}

static void a_forget_is_refused_where_it_has_no_place(void **state)
{
    static const struct id only = {{0}};
    struct member ana;
    struct ledger_txn *txn;
    struct id card, nobody = {{3}};

    (void)state;
    member_new(&ana, 1, false);
    card = member_card_space(&ana);
    assert_int_equal(member_name_card(&ana, "Ana"), ERR_OK);
    txn = member_begin(&ana);
    assert_int_equal(forget_object(txn, &card, KIND_CARD, &only), ERR_STATE);
    assert_int_equal(forget_object(txn, ledger_self_space(ana.ledger), KIND_CONTACT, &nobody),
                     ERR_NOT_FOUND);
    ledger_abort(txn);
    member_free(&ana);
}

/* An entry with an expiry, in a space of Ana's. */
static void keep_write_until(struct member *member, const struct id *space, uint64_t expires_at_s)
{
    static const struct id object = {{5}};
    struct ledger_txn *txn = member_begin(member);
    struct edit_space edit = {0};

    edit_begin(&edit, KIND_CARD, &object, member->now_ms);
    edit_set(&edit, CARD_TITLE, 1, member_text("over some day"));
    assert_int_equal(ledger_append(txn, space, &edit, expires_at_s), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
}

static bool keep_shows(struct member *member, const struct id *space)
{
    static const struct id object = {{5}};
    char room[256];

    return member_read_text(member, space, KIND_CARD, &object, CARD_TITLE, room)[0] != '\0';
}

/* EXPIRY-1, EXPIRY-2, TIME-1: hidden when both clocks say so, dropped 30 days of running time
 * later; a wall clock that jumps alone does neither. */
static void what_expires_is_hidden_then_dropped_when_both_clocks_agree(void **state)
{
    for (int jumps = 0; jumps < 2; jumps++) {
        struct member ana;
        struct id card;
        uint64_t until;

        (void)state;
        member_new(&ana, 1, false);
        card = member_card_space(&ana);
        keep_days(&ana, 0, true);
        until = ana.now_ms / 1000 + (uint64_t)10 * 24 * 60 * 60;
        keep_write_until(&ana, &card, until);
        keep_react(&ana);
        assert_true(keep_shows(&ana, &card));
        if (jumps != 0) {
            keep_days(&ana, 4000, false); /* a wrong clock */
            assert_true(keep_shows(&ana, &card));
            assert_true(burglar_finds(&ana, &ana, 0, "over some day"));
            ana.now_ms -= (uint64_t)4000 * RUNNING_DAY_MS;
            member_free(&ana);
            continue;
        }
        keep_days(&ana, 8, true);
        assert_true(keep_shows(&ana, &card));
        keep_days(&ana, 3, true);
        assert_false(keep_shows(&ana, &card));
        assert_true(burglar_finds(&ana, &ana, 0, "over some day"));
        keep_rebuild(&ana);
        assert_false(keep_shows(&ana, &card));
        keep_days(&ana, EXPIRY_KEEP_DAYS - 1, true);
        assert_true(burglar_finds(&ana, &ana, 0, "over some day"));
        keep_days(&ana, 2, false);
        assert_true(burglar_finds(&ana, &ana, 0, "over some day"));
        keep_days(&ana, 2, true);
        assert_false(burglar_finds(&ana, &ana, 0, "over some day"));
        assert_true(keep_missing(&ana, &card) > 0);
        keep_is_sound(&ana);
        member_free(&ana);
    }
}

/* TIME-1, each side of its bounds. */
static void time_has_passed_when_both_clocks_say_so_within_a_day(void **state)
{
    const uint64_t day = RUNNING_DAY_MS, span = 10 * day;
    const struct moment since = {.running_ms = 5 * day, .wall_ms = 100 * day};
    const struct {
        uint64_t running, wall;
        bool has_passed;
    } cases[] = {{10 * day, 10 * day, true},  {10 * day - 1, 10 * day - 1, false},
                 {9 * day, 10 * day, true},   {9 * day - 1, 10 * day, false},
                 {10 * day, 9 * day, true},   {10 * day, 9 * day - 1, false},
                 {9 * day, 4000 * day, true}, {0, 4000 * day, false},
                 {4000 * day, 0, false},      {10 * day, 10 * day + 1, true}};

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct moment now = {since.running_ms + cases[at].running, since.wall_ms + cases[at].wall};

        assert_int_equal(running_has_passed(&since, &now, span), cases[at].has_passed);
    }
}

/* Says that Bruno has stored all of the card. */
static void keep_acknowledge(struct member *member, const struct member *peer,
                             const struct id *card)
{
    struct log_id id = {.space = *card, .device = *ledger_device(member->ledger)};
    struct ledger_txn *txn = member_begin(member);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct log_row log;

    assert_int_equal(ledger_log(&snapshot, &id, &log), ERR_OK);
    assert_int_equal(view_delivered(txn, &peer->secrets.member, &id, log.tip.size), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void keep_admit(struct member *member, const struct member *peer)
{
    struct id card = member_card_space(member);
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(space_admit(txn, &card, &peer->secrets.member), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* RESTATE-8: Bruno drops what is covered at once; Ana when he has acknowledged the restatement, or
 * after 400 days by both clocks. A new reader gets headers alone, and agrees. */
static void what_is_covered_is_dropped_when_it_may_be(void **state)
{
    static const struct id only = {{0}};

    (void)state;
    for (int late = 0; late < 2; late++) {
        struct member ana, bruno, chie;
        struct ledger_txn *txn;
        struct id card;
        char room[256];

        member_new(&ana, 1, false);
        member_new(&bruno, 2, false);
        member_new(&chie, 3, false);
        card = member_card_space(&ana);
        member_link(&ana, &bruno);
        keep_admit(&ana, &bruno);
        assert_int_equal(member_name_card(&ana, "Withdrawn"), ERR_OK);
        assert_int_equal(member_name_card(&ana, "Ana"), ERR_OK);
        (void)member_pull(&bruno, &ana, NULL);
        keep_days(&ana, 0, true);
        txn = member_begin(&ana);
        assert_int_equal(restate_space(txn, &card), ERR_OK);
        assert_int_equal(react_all(txn), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        assert_true(burglar_finds(&ana, &ana, 0, "Withdrawn"));
        assert_int_equal(keep_missing(&ana, &card), 0);
        (void)member_pull(&bruno, &ana, NULL);
        keep_react(&bruno);
        assert_false(burglar_finds(&bruno, &bruno, 0, "Withdrawn"));
        assert_true(keep_missing(&bruno, &card) > 0);
        keep_days(&ana, 2, true);
        assert_true(burglar_finds(&ana, &ana, 0, "Withdrawn"));
        if (late != 0) {
            keep_days(&ana, RESTATE_KEEP_DAYS, false);
            assert_true(burglar_finds(&ana, &ana, 0, "Withdrawn"));
            ana.now_ms -= (uint64_t)RESTATE_KEEP_DAYS * RUNNING_DAY_MS;
            keep_days(&ana, RESTATE_KEEP_DAYS, true);
            keep_days(&ana, 1, true);
        } else {
            keep_acknowledge(&ana, &bruno, &card);
            keep_days(&ana, 2, true);
        }
        assert_false(burglar_finds(&ana, &ana, 0, "Withdrawn"));
        assert_true(keep_missing(&ana, &card) > 0);
        member_link(&ana, &chie);
        keep_admit(&ana, &chie);
        (void)member_pull(&chie, &ana, NULL);
        assert_string_equal(member_read_text(&chie, &card, KIND_CARD, &only, CARD_NAME, room),
                            "Ana");
        assert_int_equal(keep_missing(&chie, &card) > 0, 1);
        keep_is_sound(&ana);
        keep_is_sound(&bruno);
        keep_is_sound(&chie);
        member_free(&ana);
        member_free(&bruno);
        member_free(&chie);
    }
}

/* A payload that is missing without a reason is wanted; only the right one fills its place. */
static void a_payload_that_may_not_be_missing_is_wanted_and_filled(void **state)
{
    struct member ana;
    struct snapshot snapshot;
    struct ledger_txn *txn;
    struct log_id id;
    struct log_row log;
    struct entry_row row;
    struct buf payload = {0};
    struct id contact, self;
    size_t wanted = 0;
    char room[256];

    (void)state;
    member_new(&ana, 1, false);
    self = *ledger_self_space(ana.ledger);
    assert_int_equal(member_add_contact(&ana, "Lost and found", NULL, &contact), ERR_OK);
    id = (struct log_id){.space = self, .device = *ledger_device(ana.ledger)};
    txn = member_begin(&ana);
    snapshot = ledger_txn_snapshot(txn);
    assert_int_equal(ledger_log(&snapshot, &id, &log), ERR_OK);
    assert_int_equal(ledger_entry_at(&snapshot, log.number, log.tip.size, &row), ERR_OK);
    buf_append(&payload, row.entry.payload);
    assert_int_equal(absent_drop(txn, row.arrival), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    keep_rebuild(&ana);
    assert_string_equal(member_read_text(&ana, &self, KIND_CONTACT, &contact, CONTACT_NAME, room),
                        "");
    snapshot = member_snapshot(&ana);
    assert_int_equal(absent_each_wanted(&snapshot, &log, 0, keep_count, &wanted), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(wanted, 1);
    txn = member_begin(&ana);
    payload.data[3] ^= 1;
    assert_int_equal(absent_fill(txn, &id, log.tip.size, buf_span(&payload)), ERR_FORGED);
    payload.data[3] ^= 1;
    assert_int_equal(absent_fill(txn, &id, log.tip.size - 1, buf_span(&payload)), ERR_NOT_FOUND);
    assert_int_equal(absent_fill(txn, &id, log.tip.size, buf_span(&payload)), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_string_equal(member_read_text(&ana, &self, KIND_CONTACT, &contact, CONTACT_NAME, room),
                        "Lost and found");
    keep_is_sound(&ana);
    buf_release(&payload);
    member_free(&ana);
}

static enum err keep_on_wanted(void *self, uint64_t seq)
{
    struct keep_seqs *seqs = self;

    assert_true(seq > seqs->after);
    seqs->after = seq;
    return ++seqs->count % 5 == 0 ? ERR_CANCELLED : ERR_OK;
}

/* A session asks for lists: each begins behind the last. Who gave many entries without payloads
 * would have all of them looked at for each list. */
static void what_is_missing_is_gone_over_once(void **state)
{
    struct keep_seqs seqs = {0};
    struct member ana;
    struct snapshot snapshot;
    struct ledger_txn *txn;
    struct log_row log;
    struct log_id id;

    (void)state;
    member_new(&ana, 1, false);
    id = (struct log_id){.space = *ledger_self_space(ana.ledger),
                         .device = *ledger_device(ana.ledger)};
    for (int at = 0; at < 20; at++) {
        struct id contact;

        assert_int_equal(member_add_contact(&ana, "Lost", NULL, &contact), ERR_OK);
    }
    txn = member_begin(&ana);
    snapshot = ledger_txn_snapshot(txn);
    assert_int_equal(ledger_log(&snapshot, &id, &log), ERR_OK);
    for (uint64_t seq = log.tip.size - 19; seq <= log.tip.size; seq++) {
        struct entry_row row;

        assert_int_equal(ledger_entry_at(&snapshot, log.number, seq, &row), ERR_OK);
        assert_int_equal(absent_drop(txn, row.arrival), ERR_OK);
    }
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    snapshot = member_snapshot(&ana);
    for (int list = 0; list < 4; list++)
        assert_int_equal(absent_each_wanted(&snapshot, &log, seqs.after, keep_on_wanted, &seqs),
                         ERR_CANCELLED);
    assert_int_equal(seqs.count, 20);
    assert_int_equal(seqs.after, log.tip.size);
    assert_int_equal(absent_each_wanted(&snapshot, &log, seqs.after, keep_on_wanted, &seqs),
                     ERR_OK);
    ledger_snapshot_end(&snapshot);
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forgotten_contact_is_gone_on_every_device),
        cmocka_unit_test(a_write_that_a_forget_did_not_name_shows_on_both),
        cmocka_unit_test(several_are_forgotten_with_one_look),
        cmocka_unit_test(a_forget_is_refused_where_it_has_no_place),
        cmocka_unit_test(what_expires_is_hidden_then_dropped_when_both_clocks_agree),
        cmocka_unit_test(time_has_passed_when_both_clocks_say_so_within_a_day),
        cmocka_unit_test(what_is_covered_is_dropped_when_it_may_be),
        cmocka_unit_test(a_payload_that_may_not_be_missing_is_wanted_and_filled),
        cmocka_unit_test(what_is_missing_is_gone_over_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
