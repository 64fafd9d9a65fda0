/* A long file goes in in steps; all of them are one act for whoever takes it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/ops.h"
#include "storage/view_contact.h"
#include "tests/sim/member.h"

enum { STEP = 7, PEOPLE = 25 };

/* Runs an op to its end as a door does; at most so many steps of it. */
static json_t *steps_run(struct member *member, const char *method, json_t *params,
                         const struct buf *file, size_t steps_max, size_t *out_steps)
{
    struct op_world world = {.home = "", .import_step = STEP};
    struct op_call call = {.params = params, .world = &world};
    size_t steps = 0;

    if (file != NULL)
        call.file = buf_span(file);
    do {
        struct ledger_txn *txn = member_begin(member);

        json_decref(call.first);
        call.first = call.result;
        call.result = NULL;
        call.effects = (struct op_effects){0};
        if (op_step(ops_find(method)->run, &call, member->ledger, txn, member->now_ms) != ERR_OK) {
            ledger_abort(txn);
            break;
        }
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        steps++;
    } while (call.effects.goes_on && steps < steps_max);
    if (out_steps != NULL)
        *out_steps = steps;
    json_decref(call.first);
    json_decref(params);
    return call.result;
}

static json_int_t steps_number(json_t *result, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(result, key));

    assert_non_null(result);
    json_decref(result);
    return number;
}

static void steps_book(struct buf *out, size_t people)
{
    for (size_t at = 0; at < people; at++) {
        char card[200];

        (void)snprintf(card, sizeof card,
                       "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%zu\r\nFN:Person %zu\r\nEND:VCARD\r\n",
                       at, at);
        buf_append(out, span_str(card));
    }
}

static uint64_t steps_contacts(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    uint64_t count;

    assert_int_equal(view_contact_count(&snapshot, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

static void an_import_in_steps_is_undone_as_one(void **state)
{
    struct member ana;
    struct buf book = {0};
    size_t steps;

    (void)state;
    member_new(&ana, 1, false);
    steps_book(&book, PEOPLE);
    json_decref(
        steps_run(&ana, "contact.add", json_pack("{s:s}", "name", "Before"), NULL, 1, NULL));
    assert_int_equal(
        steps_number(steps_run(&ana, "import", json_object(), &book, 100, &steps), "new"), PEOPLE);
    assert_int_equal(steps, 4);
    assert_int_equal(steps_contacts(&ana), PEOPLE + 1);
    assert_int_equal(
        steps_number(steps_run(&ana, "undo", json_object(), NULL, 100, &steps), "contacts"),
        PEOPLE);
    assert_int_equal(steps, 4);
    assert_int_equal(steps_contacts(&ana), 1);
    /* The next one takes back what was before. */
    assert_int_equal(
        steps_number(steps_run(&ana, "undo", json_object(), NULL, 100, &steps), "contacts"), 1);
    assert_int_equal(steps_contacts(&ana), 0);
    assert_null(steps_run(&ana, "undo", json_object(), NULL, 100, NULL));
    buf_release(&book);
    member_free(&ana);
}

/* An import that was interrupted and one that changed nothing at first; an edit in between; an undo
 * that was interrupted. */
static void an_act_in_steps_may_be_interrupted(void **state)
{
    struct member ana;
    struct buf book = {0}, all = {0};
    json_t *result;
    size_t steps;

    (void)state;
    member_new(&ana, 1, false);
    steps_book(&book, STEP);
    steps_book(&all, PEOPLE);
    json_decref(steps_run(&ana, "import", json_object(), &book, 100, NULL));
    /* Its first step finds nothing new; it ends after its third. */
    json_decref(steps_run(&ana, "import", json_object(), &all, 3, &steps));
    assert_int_equal(steps, 3);
    assert_int_equal(steps_contacts(&ana), 3 * STEP);
    json_decref(steps_run(&ana, "contact.add", json_pack("{s:s}", "name", "Later"), NULL, 1, NULL));
    json_decref(steps_run(&ana, "undo", json_object(), NULL, 100, NULL));
    assert_int_equal(steps_contacts(&ana), 3 * STEP);
    result = steps_run(&ana, "undo", json_object(), NULL, 1, &steps);
    assert_non_null(json_object_get(result, "act"));
    json_decref(result);
    assert_int_equal(steps_contacts(&ana), 2 * STEP);
    assert_int_equal(
        steps_number(steps_run(&ana, "undo", json_object(), NULL, 100, &steps), "contacts"), STEP);
    assert_int_equal(steps, 1);
    assert_int_equal(steps_contacts(&ana), STEP);
    json_decref(steps_run(&ana, "undo", json_object(), NULL, 100, NULL));
    assert_int_equal(steps_contacts(&ana), 0);
    buf_release(&book);
    buf_release(&all);
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_import_in_steps_is_undone_as_one),
        cmocka_unit_test(an_act_in_steps_may_be_interrupted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
