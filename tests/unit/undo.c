/* Undo takes back what was done last on this device, also where it was restored from an old copy
 * and healed since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "storage/check.h"
#include "storage/join.h"
#include "storage/ledger_state.h"
#include "storage/returns.h"
#include "storage/undo.h"
#include "tests/sim/joined.h"
#include "tests/sim/meeting.h"
#include "tests/sim/returned.h"

/* Ana, who knows Kim of Mill and Lee of Rope, a copy of her disk, and what she wrote behind it. */
struct taken {
    struct member ana;
    struct kv_mem *copy;
    struct returned *lost[RETURNED_MAX];
    size_t lost_count;
};

static void taken_do(struct taken *taken, const char *method, json_t *params)
{
    json_decref(meeting_op(&taken->ana, method, params, NULL));
}

static void taken_add(struct taken *taken, const char *who, const char *org)
{
    taken_do(taken, "contact.add", json_pack("{s:s, s:s}", "name", who, "org", org));
}

static void taken_edit(struct taken *taken, const char *who, const char *org)
{
    char change[40];

    (void)snprintf(change, sizeof change, "org=%s", org);
    taken_do(taken, "contact.edit", json_pack("{s:s, s:[s]}", "who", who, "set", change));
}

static void taken_forget(struct taken *taken, const char *who)
{
    taken_do(taken, "contact.remove", json_pack("{s:s, s:b}", "who", who, "forget", true));
}

static void taken_new(struct taken *taken)
{
    meeting_new(&taken->ana, 1, "Ana");
    taken_add(taken, "Kim", "Mill");
    taken_add(taken, "Lee", "Rope");
    KITH_ASSERT(kv_mem_clone(taken->ana.mem, &taken->copy) == ERR_OK);
}

/* The disk goes back to the copy; somebody holds what was written since. */
static void taken_go_back(struct taken *taken)
{
    taken->lost_count =
        returned_own_log(&taken->ana, ledger_self_space(taken->ana.ledger), taken->lost);
    member_close(&taken->ana);
    kv_mem_restore(taken->ana.mem, taken->copy);
    member_open(&taken->ana);
}

/* The lost branch comes back, and is the one that is kept (FORK-5). */
static void taken_heal(struct taken *taken)
{
    struct snapshot snapshot;
    struct check_report report;

    for (size_t at = 0; at < taken->lost_count; at++) {
        struct ledger_txn *txn = member_begin(&taken->ana);

        assert_int_equal(returns_take(txn, taken->lost[at], &taken->ana.secrets.member), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        returned_free(taken->lost[at]);
    }
    assert_int_equal(joined_succeed(&taken->ana), ERR_OK);
    snapshot = member_snapshot(&taken->ana);
    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_string_equal(report.first, "");
}

static void taken_rebuild(struct taken *taken)
{
    struct ledger_txn *txn = member_begin(&taken->ana);

    assert_int_equal(check_forget_views(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void taken_free(struct taken *taken)
{
    kv_mem_free(taken->copy);
    member_free(&taken->ana);
}

static void taken_shows(struct taken *taken, const char *who, const char *org)
{
    json_t *shown = meeting_op(&taken->ana, "contact.show", json_pack("{s:s}", "who", who), NULL);

    assert_string_equal(json_string_value(json_object_get(shown, "org")), org);
    json_decref(shown);
}

static bool taken_has(struct taken *taken, const char *who)
{
    enum op_code code;

    json_decref(meeting_op(&taken->ana, "contact.show", json_pack("{s:s}", "who", who), &code));
    return code == OP_DONE;
}

/* what: what undo says it took back; NULL: it refuses. */
static void taken_undo(struct taken *taken, const char *what)
{
    enum op_code code;
    json_t *result = meeting_op(&taken->ana, "undo", json_object(), &code);
    const char *undone = json_string_value(json_object_get(result, "undone"));

    if (what == NULL)
        assert_int_equal(code, OP_FAILED);
    else
        assert_string_equal(undone != NULL ? undone : "", what);
    assert_int_equal(json_integer_value(json_object_get(result, "contacts")), what != NULL);
    json_decref(result);
}

/* What doctor says of it. */
static void taken_doctor(struct taken *taken, const char *text)
{
    json_t *result = meeting_op(&taken->ana, "doctor", json_object(), NULL), *row;
    size_t at, count = 0;

    json_array_foreach(json_object_get(result, "checks"), at, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "check")), "undo") != 0)
            continue;
        assert_string_equal(json_string_value(json_object_get(row, "text")), text);
        count++;
    }
    assert_int_equal(count, 1);
    json_decref(result);
}

/* Both branches have an edit at the same place of one log: the lost one is Kim's, and the log
 * follows it again. */
static void an_act_whose_place_is_another_s_is_taken_back(void **state)
{
    struct taken taken;

    (void)state;
    taken_new(&taken);
    taken_edit(&taken, "Kim", "lost");
    taken_go_back(&taken);
    taken_edit(&taken, "Lee", "later");
    taken_heal(&taken);
    taken_shows(&taken, "Kim", "lost");
    taken_shows(&taken, "Lee", "later");
    taken_undo(&taken, "edit Lee");
    taken_shows(&taken, "Kim", "lost");
    taken_shows(&taken, "Lee", "Rope");
    taken_undo(&taken, "add Lee"); /* Before the copy; the lost edit was never done on this disk. */
    assert_false(taken_has(&taken, "Lee"));
    taken_shows(&taken, "Kim", "lost");
    taken_free(&taken);
}

/* The kept branch is the shorter one: where the act was, the log has nothing. Lists that are made
 * again meanwhile change nothing. */
static void an_act_beyond_the_kept_mark_is_taken_back(void **state)
{
    struct taken taken;

    (void)state;
    taken_new(&taken);
    taken_edit(&taken, "Kim", "lost");
    taken_go_back(&taken);
    taken_edit(&taken, "Lee", "first");
    taken_edit(&taken, "Lee", "second");
    taken_do(&taken, "contact.remove", json_pack("{s:s}", "who", "Kim"));
    taken_heal(&taken);
    taken_shows(&taken, "Kim", "lost"); /* The delete did not see that. */
    taken_add(&taken, "Mia", "Loom");
    taken_doctor(&taken, "kith undo takes back: add Mia");
    taken_undo(&taken, "add Mia");
    assert_false(taken_has(&taken, "Mia"));
    taken_rebuild(&taken);
    taken_doctor(&taken, "kith undo takes back: remove Kim");
    taken_do(&taken, "undo", json_object());
    taken_shows(&taken, "Kim", "lost");
    taken_undo(&taken, "edit Lee");
    taken_shows(&taken, "Lee", "first");
    taken_undo(&taken, "edit Lee");
    taken_shows(&taken, "Lee", "Rope");
    taken_free(&taken);
}

/* Who is forgotten is named by no act, and no other act is forgotten for where it lay. */
static void an_act_is_forgotten_with_whom_it_names(void **state)
{
    struct taken taken;

    (void)state;
    taken_new(&taken);
    taken_edit(&taken, "Kim", "lost");
    taken_go_back(&taken);
    taken_edit(&taken, "Lee", "later");
    taken_heal(&taken);
    taken_forget(&taken, "Kim");
    taken_doctor(&taken, "kith undo takes back: edit Lee");
    taken_forget(&taken, "Lee");
    taken_doctor(&taken, "there is nothing to take back");
    taken_free(&taken);
}

/* A device that joined later has the act only as it was repeated, and forgets what that repeats,
 * too: the act is named by nothing any more, and its entry is kept nowhere. PROTOCOL FORGET-1 */
static void who_has_an_act_repeated_alone_forgets_all_of_it(void **state)
{
    struct taken taken;
    struct member later;
    struct ledger_txn *txn;
    struct snapshot snapshot;

    (void)state;
    taken_new(&taken);
    taken_edit(&taken, "Kim", "lost");
    taken_go_back(&taken);
    taken_edit(&taken, "Lee", "cut from its log");
    taken_heal(&taken);
    taken_doctor(&taken, "kith undo takes back: edit Lee");
    joined_new(&later, &taken.ana, 9);
    joined_tell(&later, &taken.ana);
    for (size_t times = 0; times < 2; times++)
        (void)member_pull(&later, &taken.ana, NULL);
    txn = member_begin(&later);
    assert_int_equal(join_finish(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    json_decref(meeting_op(&later, "contact.remove",
                           json_pack("{s:s, s:b}", "who", "Lee", "forget", true), NULL));
    for (size_t times = 0; times < 2; times++)
        (void)member_pull(&taken.ana, &later, NULL);
    taken_doctor(&taken, "kith undo takes back: add Kim");
    snapshot = member_snapshot(&taken.ana);
    assert_false(meeting_holds_at(&snapshot, span_str("cut from its log")));
    assert_false(meeting_holds_at(&snapshot, span_str("Lee")));
    ledger_snapshot_end(&snapshot);
    member_free(&later);
    taken_free(&taken);
}

/* Writes the newest act as kith did before 2026-12: by its places. */
static void taken_age(struct taken *taken)
{
    struct ledger_txn *txn = member_begin(&taken->ana);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct entry_row first, last;
    struct buf value = {0};
    struct undo_row row;
    struct key key;

    assert_int_equal(undo_last(&snapshot, &row), ERR_OK);
    assert_false(row.is_by_seq);
    assert_int_equal(ledger_entry(&snapshot, row.first, &first), ERR_OK);
    assert_int_equal(ledger_entry(&snapshot, row.last, &last), ERR_OK);
    buf_u32(&value, row.log);
    buf_u64(&value, first.seq);
    buf_u64(&value, last.seq);
    buf_u64(&value, row.at_ms);
    buf_append(&value, span_str(row.what));
    if (row.act != row.number) {
        buf_byte(&value, 0);
        buf_u64(&value, row.act);
    }
    key_of_u64(row.number, &key);
    assert_int_equal(ledger_put(txn, TABLE_UNDO, &key, buf_span(&value)), ERR_OK);
    assert_int_equal(undo_last(&snapshot, &row), ERR_OK);
    assert_true(row.is_by_seq);
    assert_int_equal(row.first, first.seq);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    buf_release(&value);
}

/* Nobody can tell which of two entries an older kith meant: it refuses, and changes nothing. */
static void an_older_row_is_refused_where_two_entries_lay(void **state)
{
    struct taken taken;

    (void)state;
    taken_new(&taken);
    taken_edit(&taken, "Kim", "lost");
    taken_go_back(&taken);
    taken_edit(&taken, "Lee", "later");
    taken_age(&taken);
    taken_heal(&taken);
    taken_undo(&taken, NULL);
    taken_doctor(&taken, "kith undo cannot take back: edit Lee");
    taken_shows(&taken, "Kim", "lost");
    taken_shows(&taken, "Lee", "later");
    taken_edit(&taken, "Lee", "now"); /* What is done from then on is taken back as ever. */
    taken_undo(&taken, "edit Lee");
    taken_shows(&taken, "Lee", "later");
    taken_free(&taken);
}

/* Where one entry lay it is that one: in the log, or cut from it. */
static void an_older_row_is_taken_back_where_one_entry_lay(void **state)
{
    struct taken taken;

    (void)state;
    taken_new(&taken);
    taken_age(&taken); /* "add Lee", before the copy */
    kv_mem_free(taken.copy);
    KITH_ASSERT(kv_mem_clone(taken.ana.mem, &taken.copy) == ERR_OK);
    taken_edit(&taken, "Kim", "lost");
    taken_go_back(&taken);
    taken_edit(&taken, "Kim", "first");
    taken_undo(&taken, "edit Kim");
    taken_edit(&taken, "Lee", "beyond the kept mark");
    taken_age(&taken);
    taken_heal(&taken);
    taken_undo(&taken, "edit Lee");
    taken_shows(&taken, "Lee", "Rope");
    taken_undo(&taken, "add Lee");
    assert_false(taken_has(&taken, "Lee"));
    taken_free(&taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_act_whose_place_is_another_s_is_taken_back),
        cmocka_unit_test(an_act_beyond_the_kept_mark_is_taken_back),
        cmocka_unit_test(an_act_is_forgotten_with_whom_it_names),
        cmocka_unit_test(who_has_an_act_repeated_alone_forgets_all_of_it),
        cmocka_unit_test(an_older_row_is_refused_where_two_entries_lay),
        cmocka_unit_test(an_older_row_is_taken_back_where_one_entry_lay),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
