/* What is due: in the order of times, taken once, kept over a rebuild and a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "storage/agenda.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "tests/sim/member.h"

static void agenda_expect(struct ledger_txn *txn, uint64_t now_ms, const char *name)
{
    struct agenda_item item;
    enum err err = agenda_take(txn, now_ms, &item);

    if (name == NULL) {
        assert_int_equal(err, ERR_NOT_FOUND);
        return;
    }
    assert_int_equal(err, ERR_OK);
    assert_int_equal(item.kind, 70);
    assert_true(span_is_equal(span_of(item.name, item.name_size), span_str(name)));
}

/* With nothing left to look at. */
static void agenda_member(struct member *member)
{
    struct ledger_txn *txn;

    member_new(member, 1, false);
    txn = member_begin(member);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void agenda_gives_what_is_due_in_order_and_once(void **state)
{
    struct member ana;
    struct ledger_txn *txn;

    (void)state;
    agenda_member(&ana);
    txn = member_begin(&ana);
    assert_int_equal(agenda_put(txn, 500, 70, span_str("later")), ERR_OK);
    assert_int_equal(agenda_put(txn, AGENDA_NOW, 70, span_str("now")), ERR_OK);
    assert_int_equal(agenda_put(txn, AGENDA_NOW, 70, span_str("now")), ERR_OK);
    assert_int_equal(agenda_put(txn, 900, 70, span_str("last")), ERR_OK);
    agenda_expect(txn, 499, "now");
    agenda_expect(txn, 499, NULL);
    agenda_expect(txn, 500, "later");
    agenda_expect(txn, 500, NULL);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    txn = member_begin(&ana);
    agenda_expect(txn, UINT64_MAX, "last");
    agenda_expect(txn, UINT64_MAX, NULL);
    ledger_abort(txn);
    member_free(&ana);
}

static void agenda_says_when_the_next_is_due(void **state)
{
    struct snapshot snapshot;
    struct ledger_txn *txn;
    struct member ana;
    uint64_t due;

    (void)state;
    agenda_member(&ana);
    snapshot = member_snapshot(&ana);
    assert_int_equal(agenda_next(&snapshot, &due), ERR_OK);
    assert_true(due == UINT64_MAX);
    ledger_snapshot_end(&snapshot);
    txn = member_begin(&ana);
    assert_int_equal(agenda_put(txn, 700, 70, span_str("x")), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    snapshot = member_snapshot(&ana);
    assert_int_equal(agenda_next(&snapshot, &due), ERR_OK);
    assert_int_equal(due, 700);
    ledger_snapshot_end(&snapshot);
    assert_false(react_is_due(ana.ledger, 699));
    assert_true(react_is_due(ana.ledger, 700));
    member_free(&ana);
}

/* Nobody looks at a name of an unknown kind: it is dropped, not looked at for ever. */
static void agenda_of_a_kind_nobody_knows_is_dropped(void **state)
{
    struct ledger_txn *txn;
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    txn = member_begin(&ana);
    assert_int_equal(agenda_put(txn, AGENDA_NOW, 255, span_str("x")), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    agenda_expect(txn, UINT64_MAX, NULL);
    ledger_abort(txn);
    member_free(&ana);
}

/* While entries are not merged nothing is judged; the rows wait. */
static void agenda_waits_while_the_views_are_behind(void **state)
{
    struct ledger_txn *txn;
    struct agenda_item item;
    struct member ana;
    struct id contact;
    bool is_more = true;

    (void)state;
    member_new(&ana, 1, false);
    for (int at = 0; at < FOLLOW_INLINE_MAX + 10; at++)
        assert_int_equal(member_add_contact(&ana, "Somebody", NULL, &contact), ERR_OK);
    txn = member_begin(&ana);
    assert_int_equal(check_forget_views(txn), ERR_OK);
    assert_int_equal(agenda_put(txn, AGENDA_NOW, 255, span_str("x")), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_false(react_is_due(ana.ledger, UINT64_MAX));
    while (is_more)
        assert_int_equal(follow_stage(ana.ledger, 100, &is_more), ERR_OK);
    assert_true(react_is_due(ana.ledger, 1));
    txn = member_begin(&ana);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(agenda_take(txn, UINT64_MAX, &item), ERR_NOT_FOUND);
    ledger_abort(txn);
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agenda_gives_what_is_due_in_order_and_once),
        cmocka_unit_test(agenda_says_when_the_next_is_due),
        cmocka_unit_test(agenda_of_a_kind_nobody_knows_is_dropped),
        cmocka_unit_test(agenda_waits_while_the_views_are_behind),
    };

    return cmocka_run_group_tests_name("agenda", tests, NULL, NULL);
}
