/* History tells each edit with the state before and after it, and what was set aside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/contact.h"
#include "proto/limits.h"
#include "storage/history.h"
#include "storage/row.h"
#include "storage/undo.h"
#include "storage/view_same.h"
#include "tests/sim/member.h"

struct history_seen {
    size_t count;
    char before[8][40], after[8][40];
};

static void history_copy(const struct object *object, char out[40])
{
    struct span text = object_text(object, CONTACT_ORG);

    memset(out, 0, 40);
    if (text.size > 0)
        memcpy(out, text.data, text.size < 39 ? text.size : 39);
}

static enum err history_on_step(void *self, const struct history_step *step)
{
    struct history_seen *seen = self;

    if (seen->count < 8) {
        history_copy(step->before, seen->before[seen->count]);
        history_copy(step->after, seen->after[seen->count]);
    }
    seen->count++;
    return ERR_OK;
}

static uint32_t history_number(struct member *member, const struct id *contact)
{
    struct snapshot snapshot = member_snapshot(member);
    struct object object;
    uint32_t number;

    assert_int_equal(row_get(&snapshot, ledger_self_space(member->ledger), KIND_CONTACT, contact,
                             &object, &number),
                     ERR_OK);
    object_release(&object);
    ledger_snapshot_end(&snapshot);
    return number;
}

static void history_write(struct member *member, const struct id *contact, uint64_t counter,
                          const char *text)
{
    struct ledger_txn *txn = member_begin(member);
    struct edit_space edit = {0};

    edit_begin(&edit, KIND_CONTACT, contact, member->now_ms);
    edit_set(&edit, CONTACT_ORG, counter, member_text(text));
    assert_int_equal(ledger_append(txn, ledger_self_space(member->ledger), &edit, 0), ERR_OK);
    edit_release(&edit);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static struct history_seen history_look(struct member *member, const struct id *contact)
{
    uint32_t number = history_number(member, contact);
    struct snapshot snapshot = member_snapshot(member);
    struct history_seen seen = {0};

    assert_int_equal(history_each(&snapshot, number, history_on_step, &seen), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return seen;
}

/* An edit that did not know of a later one changes nothing, and is told all the same. */
static void history_tells_what_was_set_aside(void **state)
{
    struct member me;
    struct history_seen seen;
    struct id contact;

    (void)state;
    member_new(&me, 1, false);
    assert_int_equal(member_add_contact(&me, "Ana", NULL, &contact), ERR_OK);
    history_write(&me, &contact, 5, "newer");
    history_write(&me, &contact, 3, "older");
    seen = history_look(&me, &contact);
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.after[1], "newer");
    assert_string_equal(seen.before[2], "newer");
    assert_string_equal(seen.after[2], "newer");
    member_free(&me);
}

/* The newest edits are kept, at the bound and beyond it. */
static void history_reaches_back_so_far(void **state)
{
    struct member me;
    struct id contact;

    (void)state;
    member_new(&me, 1, false);
    assert_int_equal(member_add_contact(&me, "Ana", NULL, &contact), ERR_OK);
    for (uint64_t at = 1; at <= OBJECT_EDITS_MAX + 1; at++) {
        history_write(&me, &contact, at, at % 2 == 0 ? "even" : "odd");
        if (at == OBJECT_EDITS_MAX - 1)
            assert_int_equal(history_look(&me, &contact).count, OBJECT_EDITS_MAX);
    }
    assert_int_equal(history_look(&me, &contact).count, OBJECT_EDITS_MAX);
    assert_string_equal(history_look(&me, &contact).after[0], "even");
    member_free(&me);
}

/* Acts are a stack; the oldest go when there are too many. */
static void undo_keeps_the_newest_acts(void **state)
{
    struct member me;
    struct undo_row row = {.log = 1, .first = 1, .last = 1};
    struct snapshot snapshot;

    (void)state;
    member_new(&me, 1, false);
    snapshot = member_snapshot(&me);
    assert_int_equal(undo_last(&snapshot, &row), ERR_NOT_FOUND);
    ledger_snapshot_end(&snapshot);
    for (unsigned at = 0; at < UNDO_ROWS_MAX + 5; at++) {
        struct ledger_txn *txn = member_begin(&me);

        row.last = at;
        assert_int_equal(undo_push(txn, &row), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    }
    for (unsigned at = UNDO_ROWS_MAX + 5; at-- > 5;) {
        struct ledger_txn *txn = member_begin(&me);
        struct snapshot inside = ledger_txn_snapshot(txn);

        assert_int_equal(undo_last(&inside, &row), ERR_OK);
        assert_int_equal(row.last, at);
        assert_int_equal(undo_drop(txn, &row), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    }
    snapshot = member_snapshot(&me);
    assert_int_equal(undo_last(&snapshot, &row), ERR_NOT_FOUND);
    ledger_snapshot_end(&snapshot);
    member_free(&me);
}

static void same_tie(struct member *member, const struct id *one, const struct id *other,
                     uint64_t counter, bool is_same)
{
    struct ledger_txn *txn = member_begin(member);
    struct edit_space edit = {0};

    edit_begin(&edit, KIND_CONTACT, one, member->now_ms);
    edit_same(&edit, other, counter, is_same);
    assert_int_equal(ledger_append(txn, ledger_self_space(member->ledger), &edit, 0), ERR_OK);
    edit_release(&edit);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static size_t same_count(struct member *member, const struct id *contact)
{
    uint32_t number = history_number(member, contact), head, members[VIEW_SAME_MAX];
    struct snapshot snapshot = member_snapshot(member);
    size_t count;

    assert_int_equal(view_same_head(&snapshot, number, &head), ERR_OK);
    assert_int_equal(view_same_members(&snapshot, head, members, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

/* Of what the two sides say the greater counter counts; at equal counters parting wins. */
static void same_follows_the_later_word_of_either_side(void **state)
{
    struct member me;
    struct id one, two;

    (void)state;
    member_new(&me, 1, false);
    assert_int_equal(member_add_contact(&me, "One", NULL, &one), ERR_OK);
    assert_int_equal(member_add_contact(&me, "Two", NULL, &two), ERR_OK);
    same_tie(&me, &one, &two, 1, true);
    assert_int_equal(same_count(&me, &two), 2);
    same_tie(&me, &two, &one, 1, false);
    assert_int_equal(same_count(&me, &two), 1);
    same_tie(&me, &one, &two, 2, true);
    assert_int_equal(same_count(&me, &one), 2);
    same_tie(&me, &two, &one, 3, false);
    assert_int_equal(same_count(&me, &one), 1);
    same_tie(&me, &two, &one, 2, true); /* Older than what it said: set aside. */
    assert_int_equal(same_count(&me, &one), 1);
    member_free(&me);
}

/* A group is what ties reach; taking one tie away leaves two groups, a tie to nobody does nothing.
 */
static void same_groups_are_chains(void **state)
{
    struct id contacts[5], nobody = {{9}};
    struct member me;

    (void)state;
    member_new(&me, 1, false);
    for (size_t at = 0; at < 5; at++)
        assert_int_equal(member_add_contact(&me, "Ana", NULL, &contacts[at]), ERR_OK);
    for (size_t at = 0; at + 1 < 5; at++)
        same_tie(&me, &contacts[at], &contacts[at + 1], 1, true);
    same_tie(&me, &contacts[0], &nobody, 1, true);
    assert_int_equal(same_count(&me, &contacts[4]), 5);
    same_tie(&me, &contacts[2], &contacts[3], 2, false);
    assert_int_equal(same_count(&me, &contacts[0]), 3);
    assert_int_equal(same_count(&me, &contacts[4]), 2);
    member_free(&me);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history_tells_what_was_set_aside),
        cmocka_unit_test(history_reaches_back_so_far),
        cmocka_unit_test(undo_keeps_the_newest_acts),
        cmocka_unit_test(same_follows_the_later_word_of_either_side),
        cmocka_unit_test(same_groups_are_chains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
