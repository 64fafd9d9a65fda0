/* Restatement: what was withdrawn is read by nobody who comes later, and all agree on what is live.
 * PROTOCOL RESTATE-1 to RESTATE-7, promise P3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/card.h"
#include "proto/limits.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/restate.h"
#include "storage/row.h"
#include "storage/space.h"
#include "storage/view_restate.h"
#include "tests/sim/member.h"

static const struct id only = {{0}};

static void restate_set(struct member *member, uint8_t field, const char *text)
{
    struct id card = member_card_space(member);

    assert_int_equal(member_write(member, &card, KIND_CARD, &only, field, text), ERR_OK);
}

/* A phone of the card, added or (remove) taken off again. */
static void restate_phone(struct member *member, const char *phone, bool is_removed)
{
    struct id card = member_card_space(member), dot, id_of;
    struct ledger_txn *txn = member_begin(member);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct edit_space edit = {0};
    struct object object = {0};
    uint32_t number;
    enum err err = row_get(&snapshot, &card, KIND_CARD, &only, &object, &number);

    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    id_draw_random(&member->entropy, &dot);
    edit_begin(&edit, KIND_CARD, &only, member->now_ms);
    if (is_removed) {
        const struct object_element *element = object_element_next(&object, CARD_PHONES, NULL);

        assert_non_null(element);
        object_element_id(&object, element, &id_of);
        edit_remove(&edit, CARD_PHONES, &id_of, &element->dots[0].dot, 1);
    } else {
        edit_add(&edit, CARD_PHONES, &dot, member_text(phone));
    }
    assert_int_equal(ledger_append(txn, &card, &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
    object_release(&object);
}

static void restate_admit(struct member *member, const struct member *to)
{
    struct id card = member_card_space(member);
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(space_admit(txn, &card, &to->secrets.member), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void restate_now(struct member *member)
{
    struct id card = member_card_space(member);
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(restate_space(txn, &card), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static bool restate_is_there(struct member *member, const struct id *space,
                             struct view_restate *out)
{
    struct snapshot snapshot = member_snapshot(member);
    struct space_row row;

    assert_int_equal(ledger_space(&snapshot, space, &row), ERR_OK);
    assert_int_equal(view_restate_load(&snapshot, row.number, out), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return out->is_there;
}

/* Tries everything this member holds of a space with every key it holds: is the text in anything?
 */
static bool restate_can_read(struct member *member, const struct id *space, const char *text)
{
    struct snapshot snapshot = member_snapshot(member);
    struct space_row row;
    uint64_t newest;
    bool has = false;

    assert_int_equal(ledger_space(&snapshot, space, &row), ERR_OK);
    assert_int_equal(ledger_newest_arrival(&snapshot, &newest), ERR_OK);
    for (uint64_t arrival = 1; arrival <= newest; arrival++) {
        struct buf plain = {0};
        struct entry_row entry;
        struct log_row log;

        assert_int_equal(ledger_entry(&snapshot, arrival, &entry), ERR_OK);
        assert_int_equal(ledger_log_numbered(&snapshot, entry.log, &log), ERR_OK);
        if (log.space == row.number && ledger_open_entry(&snapshot, &entry, &plain) == ERR_OK)
            has |= memmem(plain.data, plain.size, text, strlen(text)) != NULL;
        buf_release(&plain);
    }
    ledger_snapshot_end(&snapshot);
    return has;
}

/* The meaning of a card space's objects, restatements and those that say nothing aside, as bytes.
 */
static void restate_meaning(struct member *member, const struct id *space, struct buf *out)
{
    struct snapshot snapshot = member_snapshot(member);
    struct buf numbers = {0};
    struct space_row row;

    buf_clear(out);
    assert_int_equal(ledger_space(&snapshot, space, &row), ERR_OK);
    assert_int_equal(row_numbers(&snapshot, row.number, &numbers), ERR_OK);
    for (size_t at = 0; at < numbers.size; at += sizeof(uint32_t)) {
        struct object object = {0};
        uint32_t number, ignored;

        memcpy(&number, numbers.data + at, sizeof number);
        assert_int_equal(row_get_numbered(&snapshot, number, &object, &ignored), ERR_OK);
        if (object.kind != KIND_RESTATEMENT && object_is_visible(&object) &&
            object.registers_count + object.elements_count > 0)
            member_put_meaning(&object, out);
        object_release(&object);
    }
    buf_release(&numbers);
    ledger_snapshot_end(&snapshot);
}

static void restate_agree(struct member *left, struct member *right, const struct id *space)
{
    struct buf one = {0}, two = {0};

    restate_meaning(left, space, &one);
    restate_meaning(right, space, &two);
    assert_int_equal(one.size, two.size);
    assert_memory_equal(one.data, two.data, one.size);
    buf_release(&one);
    buf_release(&two);
}

static void restate_is_sound(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    struct check_report report;

    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_string_equal(report.first, "");
}

/* P3: Ana withdraws a title and a phone, then links Chie. Chie gets every entry of the card and
 * every key she is given, and can read neither; what holds she can read. Bruno, linked before, sees
 * the same card as she does. */
static void a_peer_linked_after_a_withdrawal_cannot_read_it(void **state)
{
    struct member ana, bruno, chie;
    struct view_restate restate;
    struct id card;
    char room[256];

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_new(&chie, 3, false);
    card = member_card_space(&ana);
    member_link(&ana, &bruno);
    restate_admit(&ana, &bruno);
    assert_false(restate_is_there(&ana, &card, &restate)); /* nothing was withdrawn yet */
    restate_set(&ana, CARD_NAME, "Ana Q");
    restate_set(&ana, CARD_TITLE, "Withdrawn title");
    restate_phone(&ana, "+49 30 1234567", false);
    (void)member_pull(&bruno, &ana, NULL);
    assert_string_equal(member_read_text(&bruno, &card, KIND_CARD, &only, CARD_TITLE, room),
                        "Withdrawn title");
    restate_set(&ana, CARD_TITLE, "Carpenter");
    restate_phone(&ana, NULL, true);
    member_link(&ana, &chie);
    restate_admit(&ana, &chie);
    assert_true(restate_is_there(&ana, &card, &restate));
    (void)member_pull(&chie, &ana, NULL);
    (void)member_pull(&bruno, &ana, NULL);
    assert_string_equal(member_read_text(&chie, &card, KIND_CARD, &only, CARD_TITLE, room),
                        "Carpenter");
    assert_string_equal(member_read_text(&chie, &card, KIND_CARD, &only, CARD_NAME, room), "Ana Q");
    assert_false(restate_can_read(&chie, &card, "Withdrawn title"));
    assert_false(restate_can_read(&chie, &card, "1234567"));
    assert_true(restate_can_read(&chie, &card, "Carpenter"));
    assert_true(restate_can_read(&bruno, &card, "Withdrawn title"));
    restate_agree(&ana, &bruno, &card);
    restate_agree(&ana, &chie, &card);
    restate_is_sound(&ana);
    restate_is_sound(&bruno);
    restate_is_sound(&chie);
    member_free(&ana);
    member_free(&bruno);
    member_free(&chie);
}

/* PROTOCOL RESTATE-6: "could read an edit some value of which holds no more" However many epochs
 * lie between: a key opens those of all its parents. */
static void what_was_withdrawn_many_epochs_ago_is_seen(void **state)
{
    (void)state;
    for (int is_withdrawn = 0; is_withdrawn < 2; is_withdrawn++) {
        struct member ana, bruno;
        struct view_restate restate;
        struct id card;

        member_new(&ana, 1, false);
        member_new(&bruno, 2, false);
        card = member_card_space(&ana);
        restate_set(&ana, CARD_TITLE, "Withdrawn title");
        for (int epochs = 0; epochs < 150; epochs++) {
            struct ledger_txn *txn = member_begin(&ana);

            assert_int_equal(space_rotate(txn, &card), ERR_OK);
            assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        }
        if (is_withdrawn)
            restate_set(&ana, CARD_TITLE, "Carpenter");
        member_link(&ana, &bruno);
        restate_admit(&ana, &bruno);
        assert_int_equal(restate_is_there(&ana, &card, &restate), is_withdrawn);
        member_free(&ana);
        member_free(&bruno);
    }
}

static uint64_t restate_seed;

static uint64_t restate_draw(uint64_t below)
{
    restate_seed ^= restate_seed << 13;
    restate_seed ^= restate_seed >> 7;
    restate_seed ^= restate_seed << 17;
    return restate_seed % below;
}

/* One random edit of one of three objects: a field set or cleared, an add, a remove, a delete. */
static void restate_random_edit(struct member *member)
{
    static const char *const texts[] = {"one", "two", "three"};
    struct id card = member_card_space(member), dot, id_of, id = {{0}};
    struct ledger_txn *txn = member_begin(member);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct value text = member_text(texts[restate_draw(3)]);
    struct edit_space edit = {0};
    struct object object = {0};
    struct log_row log;
    struct log_id log_id = {.space = card, .device = *ledger_device(member->ledger)};
    uint32_t number;
    uint64_t what = restate_draw(10);
    enum err err;

    id.bytes[0] = (uint8_t)restate_draw(3);
    err = row_get(&snapshot, &card, KIND_CARD, &id, &object, &number);
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    assert_int_equal(ledger_log(&snapshot, &log_id, &log), ERR_OK);
    id_draw_random(&member->entropy, &dot);
    edit_begin(&edit, KIND_CARD, &id, member->now_ms);
    if (what == 0) {
        struct seen seen = {.device = log.device, .size = log.tip.size};

        edit_delete(&edit, &seen, 1);
    } else if (what <= 2 && object_element_next(&object, CARD_PHONES, NULL) != NULL) {
        const struct object_element *element = object_element_next(&object, CARD_PHONES, NULL);

        object_element_id(&object, element, &id_of);
        edit_remove(&edit, CARD_PHONES, &id_of, &element->dots[0].dot, 1);
    } else if (what <= 5) {
        edit_add(&edit, CARD_PHONES, &dot, text);
    } else {
        uint8_t field = (uint8_t)(CARD_NAME + restate_draw(3));

        edit_set(&edit, field, object_next_counter(&object, field),
                 what == 6 ? (struct value){.type = VALUE_NONE} : text);
    }
    assert_int_equal(ledger_append(txn, &card, &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
    object_release(&object);
}

static void restate_rebuild(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);
    bool is_more = true;

    assert_int_equal(check_forget_views(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    while (is_more)
        assert_int_equal(follow_stage(member->ledger, 7, &is_more), ERR_OK);
}

/* P8, RESTATE-4, RESTATE-5: a restatement changes nothing that holds, whenever it comes and in
 * whatever order a reader gets entries and keys. */
static void restatements_leave_what_holds_as_it_was(void **state)
{
    struct buf before = {0}, after = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct member ana, bruno, chie;
        struct id card;

        restate_seed = seed * UINT64_C(0x9e3779b97f4a7c15);
        member_new(&ana, 1, false);
        member_new(&bruno, 2, false);
        member_new(&chie, 3, false);
        card = member_card_space(&ana);
        member_link(&ana, &bruno);
        restate_admit(&ana, &bruno);
        for (size_t step = 0; step < 40; step++) {
            restate_random_edit(&ana);
            if (restate_draw(8) == 0) {
                restate_meaning(&ana, &card, &before);
                restate_now(&ana);
                restate_meaning(&ana, &card, &after);
                assert_int_equal(before.size, after.size);
                assert_memory_equal(before.data, after.data, after.size);
            }
            if (restate_draw(6) == 0)
                (void)member_pull(&bruno, &ana, restate_draw(2) == 0 ? &card : NULL);
        }
        (void)member_pull(&bruno, &ana, &card);
        (void)member_pull(&bruno, &ana, NULL);
        restate_agree(&ana, &bruno, &card);
        restate_rebuild(&bruno);
        restate_agree(&ana, &bruno, &card);
        restate_rebuild(&ana);
        restate_agree(&ana, &bruno, &card);
        member_link(&ana, &chie);
        restate_admit(&ana, &chie);
        (void)member_pull(&chie, &ana, seed % 2 == 0 ? &card : NULL);
        (void)member_pull(&chie, &ana, NULL);
        restate_agree(&ana, &chie, &card);
        restate_is_sound(&ana);
        restate_is_sound(&chie);
        member_free(&ana);
        member_free(&bruno);
        member_free(&chie);
    }
    buf_release(&before);
    buf_release(&after);
}

static struct value restate_value(struct span bytes)
{
    return (struct value){.type = VALUE_BYTES, .bytes = bytes};
}

/* A restatement of the card that repeats nothing over these marks. Being the deepest it counts. */
static void restate_emptily(struct member *member, const struct restate_cover *marks, size_t count)
{
    struct id card = member_card_space(member), object = {{0}};
    struct ledger_txn *txn = member_begin(member);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct edit_space edit = {0};
    struct buf covers = {0};
    struct space_row row;
    struct hash epoch;

    restate_put_covers(marks, count, &covers);
    assert_int_equal(ledger_space(&snapshot, &card, &row), ERR_OK);
    assert_int_equal(space_open_epoch(txn, &row, true, &epoch), ERR_OK);
    memcpy(object.bytes, epoch.bytes, ID_SIZE);
    edit_begin(&edit, KIND_RESTATEMENT, &object, member->now_ms);
    edit_set(&edit, RESTATE_COVERS, 1, restate_value(buf_span(&covers)));
    edit_set(&edit, RESTATE_EPOCH, 1, restate_value(span_of(epoch.bytes, HASH_SIZE)));
    assert_int_equal(ledger_append(txn, &card, &edit, 0), ERR_OK);
    edit_begin(&edit, KIND_RESTATEMENT, &object, member->now_ms);
    edit_set(&edit, RESTATE_COMPLETE, 1, (struct value){.type = VALUE_NUMBER, .number = 1});
    assert_int_equal(ledger_append(txn, &card, &edit, 0), ERR_OK);
    assert_int_equal(space_grant_all(txn, &card, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
    buf_release(&covers);
}

/* RESTATE-10, P7: each restatement would have a space that holds much merged again whole. */
static void many_restatements_of_a_large_space_wait(void **state)
{
    struct member ana, bruno;
    struct view_restate restate;
    struct ledger_txn *txn;
    struct id card;
    uint64_t at_ms;
    uint32_t depth;
    char name[32];

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    member_grant(&ana, &bruno);
    card = member_card_space(&ana);
    for (int at = 0; at < RESTATE_FREE_MAX + 40; at++) {
        (void)snprintf(name, sizeof name, "Ana %d", at);
        restate_set(&ana, CARD_NAME, name);
    }
    restate_emptily(&ana, NULL, 0);
    at_ms = bruno.now_ms;
    (void)member_pull(&bruno, &ana, NULL);
    assert_true(restate_is_there(&bruno, &card, &restate));
    depth = restate.depth;
    for (int at = 0; at < 5; at++) {
        restate_emptily(&ana, NULL, 0);
        bruno.now_ms = at_ms; /* All within a moment. */
        (void)member_pull(&bruno, &ana, NULL);
        assert_true(restate_is_there(&bruno, &card, &restate));
        assert_int_equal(restate.depth, depth);
    }
    bruno.now_ms += 2 * RESTATE_FREE_MAX * RESTATE_ENTRY_MS;
    txn = member_begin(&bruno);
    assert_int_equal(restate_tend(txn, span_of(card.bytes, ID_SIZE)), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_true(restate_is_there(&bruno, &card, &restate));
    assert_int_equal(restate.depth, depth + 5);
    restate_agree(&ana, &bruno, &card);
    restate_is_sound(&bruno);
    member_free(&ana);
    member_free(&bruno);
}

/* MERGE-5, P7: marks of devices that never were. */
static void marks_make_no_more_logs_than_a_space_may_have(void **state)
{
    static struct restate_cover marks[LOGS_PER_PEER_MAX];
    struct member ana, bruno;
    struct view_restate restate;
    struct id card;
    size_t before;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    member_grant(&ana, &bruno);
    card = member_card_space(&ana);
    (void)member_pull(&bruno, &ana, NULL);
    before = member_logs(&bruno);
    for (size_t round = 0; round <= SPACE_LOGS_MAX / LOGS_PER_PEER_MAX; round++) {
        for (size_t at = 0; at < LOGS_PER_PEER_MAX; at++) {
            entropy_fill(&ana.entropy, marks[at].device.bytes, 32);
            marks[at].size = 1;
        }
        restate_emptily(&ana, marks, LOGS_PER_PEER_MAX);
        (void)member_pull(&bruno, &ana, NULL);
        assert_true(restate_is_there(&bruno, &card, &restate));
    }
    assert_in_range(member_logs(&bruno), before + LOGS_PER_PEER_MAX, SPACE_LOGS_MAX + before);
    restate_is_sound(&bruno);
    member_free(&ana);
    member_free(&bruno);
}

/* Covers all that was ever written in this log and all that will be. */
static struct restate_cover restate_all_away(struct member *member)
{
    struct restate_cover mark = {.device = *ledger_device(member->ledger), .size = LOG_SIZE_MAX};

    restate_emptily(member, &mark, 1);
    return mark;
}

/* P7: a peer's restatement says that it covers what nobody could ever hold. Who reads it does what
 * it would do anyway, and in the time that its own store takes. */
static void marks_beyond_all_logs_cost_nothing(void **state)
{
    struct view_restate restate;
    struct restate_cover cover;
    struct member ana, bruno;
    struct ledger_txn *txn;
    struct id card;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    member_grant(&ana, &bruno);
    card = member_card_space(&ana);
    restate_set(&ana, CARD_NAME, "Ana");
    cover = restate_all_away(&ana);
    (void)member_pull(&bruno, &ana, NULL);
    assert_true(restate_is_there(&bruno, &card, &restate));
    assert_int_equal(restate.covers[0].size, cover.size);
    txn = member_begin(&bruno);
    assert_int_equal(restate_tend(txn, span_of(card.bytes, ID_SIZE)), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    restate_is_sound(&bruno);
    member_free(&ana);
    member_free(&bruno);
}

/* Cards of peers that search knows. */
static uint64_t restate_cards(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    uint64_t count = 0;

    assert_int_equal(kv_count(snapshot.kv, TABLE_CARD_OF, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

/* RESTATE-9, P8: what was dead when it came, so that nothing was made of it, lives once the
 * restatement is cut from its log: it is an object that every view hears of, search too. */
static void what_a_cut_restatement_hid_is_told_as_new(void **state)
{
    static const struct id second = {{1}};
    struct view_restate restate;
    struct member ana, bruno;
    struct ledger_txn *txn;
    struct log_id log;
    struct id card;
    char room[256];

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    member_grant(&ana, &bruno);
    card = member_card_space(&ana);
    log = (struct log_id){.space = card, .device = *ledger_device(ana.ledger)};
    restate_set(&ana, CARD_NAME, "Ana");
    (void)restate_all_away(&ana);
    assert_int_equal(member_write(&ana, &card, KIND_CARD, &second, CARD_NAME, "Zenobia"), ERR_OK);
    (void)member_pull(&bruno, &ana, NULL);
    assert_true(restate_is_there(&bruno, &card, &restate));
    assert_string_equal(member_read_text(&bruno, &card, KIND_CARD, &second, CARD_NAME, room), "");
    assert_int_equal(restate_cards(&bruno), 1);
    txn = member_begin(&bruno);
    assert_int_equal(keep_rebase(txn, &log, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_false(restate_is_there(&bruno, &card, &restate));
    assert_string_equal(member_read_text(&bruno, &card, KIND_CARD, &second, CARD_NAME, room),
                        "Zenobia");
    assert_int_equal(restate_cards(&bruno), 2);
    restate_is_sound(&bruno);
    member_free(&ana);
    member_free(&bruno);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_linked_after_a_withdrawal_cannot_read_it),
        cmocka_unit_test(what_was_withdrawn_many_epochs_ago_is_seen),
        cmocka_unit_test(restatements_leave_what_holds_as_it_was),
        cmocka_unit_test(many_restatements_of_a_large_space_wait),
        cmocka_unit_test(marks_beyond_all_logs_cost_nothing),
        cmocka_unit_test(marks_make_no_more_logs_than_a_space_may_have),
        cmocka_unit_test(what_a_cut_restatement_hid_is_told_as_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
