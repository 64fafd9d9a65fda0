/* Every op of the table with params that make no sense: it answers, a failure says why and what to
 * type, and whatever fails has written nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/group.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "tests/sim/meeting.h"

/* What ops are asked with, by any name. */
static const char *const op_names[] = {
    "who",       "name",   "other",  "alias",  "uri",      "text",    "words",   "query",
    "id",        "a",      "b",      "why",    "relation", "title",   "org",     "place",
    "kind",      "note",   "met",    "since",  "until",    "on",      "every",   "in",
    "tag",       "circle", "from",   "blurb",  "expires",  "ceiling", "renews",  "to",
    "for",       "format", "limit",  "within", "first",    "message", "address", "after",
    "challenge", "domain", "prefix", "word",   "late",     "to-a",    "to-b"};
static const char *const op_lists[] = {"email", "tel",   "url",     "tag",   "set",  "add",
                                       "unset", "about", "address", "words", "query"};

struct op_trial {
    struct writer_job base;
    struct member *member;
    const struct op *op;
    struct op_call call;
};

static enum err op_try_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct op_trial *trial = (struct op_trial *)(void *)base;

    return op_step(trial->op->run, &trial->call, trial->member->ledger, txn, trial->member->now_ms);
}

static uint64_t op_entries(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    uint64_t newest = 0;

    assert_int_equal(ledger_newest_arrival(&snapshot, &newest), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return newest;
}

static json_t *op_params(const char *value, bool has_lists)
{
    json_t *params = json_object();

    for (size_t at = 0; value != NULL && at < sizeof op_names / sizeof op_names[0]; at++)
        (void)json_object_set_new(params, op_names[at], json_string(value));
    for (size_t at = 0; has_lists && value != NULL && at < sizeof op_lists / sizeof op_lists[0];
         at++)
        (void)json_object_set_new(params, op_lists[at], json_pack("[s]", value));
    return params;
}

/* One op once: its code; what failed said why and wrote nothing. */
static enum op_code op_try(struct member *member, const struct op *op, const char *value,
                           bool has_lists)
{
    static const struct op_world nowhere = {.home = "/nonexistent"};
    struct op_trial trial = {.base.run = op_try_run, .member = member, .op = op};
    uint64_t before = op_entries(member);
    enum op_code code;
    enum err err;

    member->now_ms += 1000;
    trial.base.is_reading = op->mode == OP_READ;
    trial.call.params = op_params(value, has_lists);
    trial.call.world = &nowhere;
    trial.call.file = span_str(value != NULL ? value : "");
    group_run(member->ledger, &trial.base, member->now_ms);
    err = op_settle(&trial.call, trial.base.err);
    code = err == ERR_OK ? OP_DONE : trial.call.failure.code;
    if (err == ERR_OK && trial.call.result == NULL)
        fail_msg("%s answers nothing to %.20s", op->method, value != NULL ? value : "no params");
    if (err != ERR_OK) {
        if (code == OP_DONE || trial.call.failure.message[0] == '\0' ||
            trial.call.failure.hint[0] == '\0')
            fail_msg("%s fails without words at %.20s", op->method, value != NULL ? value : "none");
        if (op_entries(member) != before)
            fail_msg("%s fails and writes at %.20s", op->method, value != NULL ? value : "none");
    }
    json_decref(trial.call.params);
    json_decref(trial.call.result);
    return code;
}

static bool op_is_for_trial(const struct op *op)
{
    return !op->needs_node && strcmp(op->method, "doctor.rebuild") != 0;
}

static void every_op_bears_every_value(void **state)
{
    static char endless[5000];
    static const char *const values[] = {NULL,
                                         "",
                                         "Nobody",
                                         "Ben",
                                         "-1",
                                         "0",
                                         "99999999999999999999",
                                         "all",
                                         "2027-01-01",
                                         "3m",
                                         "\x1b[2J",
                                         "%s%n",
                                         "name=x",
                                         "email=x@example.org",
                                         "peers",
                                         "kith:1abc",
                                         "{}",
                                         "a\xcc\x81\xcc\x81",
                                         "00000000",
                                         "2020-02-30",
                                         endless};
    struct member ana, ben;
    const struct op *table;
    size_t count, failed = 0, done = 0;
    struct check_report report = {0};
    struct snapshot snapshot;
    struct id id;

    (void)state;
    memset(endless, 'e', sizeof endless - 1);
    meeting_new(&ana, 1, "Ana");
    meeting_new(&ben, 2, "Ben");
    meeting_link(&ana, &ben);
    assert_int_equal(member_add_contact(&ana, "Joon", "joon@example.org", &id), ERR_OK);
    table = ops_table(&count);
    for (size_t at = 0; at < count; at++) {
        if (!op_is_for_trial(&table[at]))
            continue;
        for (size_t value = 0; value < sizeof values / sizeof values[0]; value++)
            for (int has_lists = 0; has_lists < 2; has_lists++) {
                if (op_try(&ana, &table[at], values[value], has_lists != 0) == OP_DONE)
                    done++;
                else
                    failed++;
            }
    }
    assert_true(failed > 1000 && done > 100);
    snapshot = member_snapshot(&ana);
    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    assert_int_equal(report.damaged, 0);
    ledger_snapshot_end(&snapshot);
    member_free(&ana);
    member_free(&ben);
}

/* The same as somebody who has linked with nobody and has nothing yet. */
static void an_empty_book_answers_every_op(void **state)
{
    struct member ana;
    const struct op *table;
    size_t count;

    (void)state;
    member_new(&ana, 1, false);
    table = ops_table(&count);
    for (size_t at = 0; at < count; at++)
        if (op_is_for_trial(&table[at])) {
            (void)op_try(&ana, &table[at], NULL, false);
            (void)op_try(&ana, &table[at], "Nobody", true);
        }
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_bears_every_value),
        cmocka_unit_test(an_empty_book_answers_every_op),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
