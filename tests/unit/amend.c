/* Amending: only what differs is written, each way of changing an object, and what a failure
 * leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/amend.h"
#include "proto/contact.h"
#include "proto/limits.h"
#include "storage/row.h"
#include "tests/sim/member.h"

static const struct id amend_joon = {{1}};

static const struct id *amend_self(struct member *member)
{
    return ledger_self_space(member->ledger);
}

static struct object amend_read(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    struct object contact = {0};
    uint32_t number;

    assert_int_equal(
        row_get(&snapshot, amend_self(member), KIND_CONTACT, &amend_joon, &contact, &number),
        ERR_OK);
    ledger_snapshot_end(&snapshot);
    return contact;
}

static uint64_t amend_entries(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    uint64_t newest = 0;

    assert_int_equal(ledger_newest_arrival(&snapshot, &newest), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return newest;
}

/* Begins a transaction and an amendment of the one contact of these tests. */
static struct ledger_txn *amend_open(struct member *member, struct amend *amend)
{
    struct ledger_txn *txn = member_begin(member);

    amend_begin(amend, txn, amend_self(member), KIND_CONTACT, &amend_joon);
    return txn;
}

static void amend_close(struct amend *amend, struct ledger_txn *txn, size_t changes)
{
    size_t changed = SIZE_MAX;

    assert_int_equal(amend_end(amend, &changed), ERR_OK);
    assert_int_equal(changed, changes);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void amend_fill(struct member *member)
{
    struct amend amend;
    struct ledger_txn *txn = amend_open(member, &amend);

    assert_true(amend.is_new);
    amend_text(&amend, CONTACT_NAME, span_str("Joon Kim"));
    amend_number(&amend, CONTACT_CREATED, 7);
    amend_bytes(&amend, CONTACT_MEMBER, span_of(amend_joon.bytes, ID_SIZE));
    amend_add(&amend, CONTACT_EMAILS, span_str("joon@example.org"));
    amend_close(&amend, txn, 4);
}

static void amending_writes_what_is_new_and_says_so(void **state)
{
    struct object contact;
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    amend_fill(&ana);
    contact = amend_read(&ana);
    assert_true(span_is_equal(object_text(&contact, CONTACT_NAME), span_str("Joon Kim")));
    assert_int_equal(object_number(&contact, CONTACT_CREATED), 7);
    assert_int_equal(object_value(&contact, CONTACT_MEMBER).bytes.size, ID_SIZE);
    assert_non_null(object_element_next(&contact, CONTACT_EMAILS, NULL));
    object_release(&contact);
    member_free(&ana);
}

static void what_is_there_already_is_not_written(void **state)
{
    struct ledger_txn *txn;
    struct amend amend;
    struct member ana;
    uint64_t entries;

    (void)state;
    member_new(&ana, 1, false);
    amend_fill(&ana);
    entries = amend_entries(&ana);
    txn = amend_open(&ana, &amend);
    assert_false(amend.is_new);
    amend_text(&amend, CONTACT_NAME, span_str("Joon Kim"));
    amend_number(&amend, CONTACT_CREATED, 7);
    amend_bytes(&amend, CONTACT_MEMBER, span_of(amend_joon.bytes, ID_SIZE));
    amend_add(&amend, CONTACT_EMAILS, span_str("JOON@example.org"));
    amend_add(&amend, CONTACT_TAGS, span_of(NULL, 0));
    amend_clear(&amend, CONTACT_ORG);
    amend_text(&amend, CONTACT_TITLE, span_of(NULL, 0));
    amend_remove_all(&amend, CONTACT_PHONES);
    assert_false(amend_remove(&amend, CONTACT_EMAILS, span_str("other@example.org")));
    amend_restore(&amend);
    amend_close(&amend, txn, 0);
    assert_int_equal(amend_entries(&ana), entries);
    member_free(&ana);
}

static void an_empty_text_clears_and_an_equal_one_of_another_type_is_no_match(void **state)
{
    struct object contact;
    struct ledger_txn *txn;
    struct amend amend;
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    amend_fill(&ana);
    txn = amend_open(&ana, &amend);
    amend_text(&amend, CONTACT_NAME, span_of(NULL, 0));
    amend_number(&amend, CONTACT_CREATED, 8);
    amend_close(&amend, txn, 2);
    contact = amend_read(&ana);
    assert_int_equal(object_value(&contact, CONTACT_NAME).type, VALUE_NONE);
    assert_int_equal(object_register(&contact, CONTACT_NAME)->counter, 2);
    assert_int_equal(object_number(&contact, CONTACT_CREATED), 8);
    object_release(&contact);
    member_free(&ana);
}

static void elements_are_added_once_and_removed_however_they_are_spelt(void **state)
{
    struct object contact;
    struct ledger_txn *txn;
    struct amend amend;
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    amend_fill(&ana);
    txn = amend_open(&ana, &amend);
    amend_add(&amend, CONTACT_TAGS, span_str("choir"));
    amend_add(&amend, CONTACT_TAGS, span_str("Choir"));
    amend_add(&amend, CONTACT_TAGS, span_str("boat"));
    amend_close(&amend, txn, 2);
    txn = amend_open(&ana, &amend);
    assert_true(amend_remove(&amend, CONTACT_EMAILS, span_str("Joon@Example.ORG")));
    amend_remove_all(&amend, CONTACT_TAGS);
    amend_close(&amend, txn, 3);
    contact = amend_read(&ana);
    assert_null(object_element_next(&contact, CONTACT_EMAILS, NULL));
    assert_null(object_element_next(&contact, CONTACT_TAGS, NULL));
    assert_int_equal(contact.gone_count, 3);
    object_release(&contact);
    /* It may come back: under a dot that no remove has listed. */
    txn = amend_open(&ana, &amend);
    amend_add(&amend, CONTACT_TAGS, span_str("choir"));
    amend_close(&amend, txn, 1);
    contact = amend_read(&ana);
    assert_non_null(object_element_next(&contact, CONTACT_TAGS, NULL));
    object_release(&contact);
    member_free(&ana);
}

static void a_deleted_object_is_shown_again_by_any_write_or_restored(void **state)
{
    struct object contact;
    struct ledger_txn *txn;
    struct amend amend;
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    amend_fill(&ana);
    for (int round = 0; round < 2; round++) {
        txn = amend_open(&ana, &amend);
        amend_delete(&amend);
        amend_close(&amend, txn, 1);
        contact = amend_read(&ana);
        assert_false(object_is_visible(&contact));
        object_release(&contact);
        txn = amend_open(&ana, &amend);
        if (round == 0)
            amend_text(&amend, CONTACT_NAME, span_str("Joon Kim")); /* As it was. */
        else
            amend_restore(&amend);
        amend_close(&amend, txn, 1);
        contact = amend_read(&ana);
        assert_true(object_is_visible(&contact));
        assert_true(span_is_equal(object_text(&contact, CONTACT_NAME), span_str("Joon Kim")));
        assert_non_null(object_element_next(&contact, CONTACT_EMAILS, NULL));
        object_release(&contact);
    }
    /* What was never written cannot be restored. */
    txn = member_begin(&ana);
    amend_begin(&amend, txn, amend_self(&ana), KIND_CONTACT, &(struct id){{2}});
    amend_restore(&amend);
    amend_close(&amend, txn, 0);
    member_free(&ana);
}

static void same_is_said_once_and_taken_back_under_a_greater_counter(void **state)
{
    const struct id other = {{9}};
    struct object contact;
    struct ledger_txn *txn;
    struct amend amend;
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    amend_fill(&ana);
    for (int round = 0; round < 4; round++) {
        txn = amend_open(&ana, &amend);
        amend_same(&amend, &other, round < 2);
        amend_close(&amend, txn, round % 2 == 0 ? 1 : 0);
    }
    contact = amend_read(&ana);
    assert_int_equal(contact.ties_count, 1);
    assert_int_equal(contact.ties[0].counter, 2);
    assert_false(contact.ties[0].is_same);
    object_release(&contact);
    member_free(&ana);
}

/* Bounds are the kind's (kind.h) and the edit's: at the bound, and one beyond. */
static void a_bound_that_is_broken_writes_nothing(void **state)
{
    static char text[ENTRY_PAYLOAD_SIZE_MAX];
    struct ledger_txn *txn;
    struct amend amend;
    struct member ana;
    uint64_t entries;

    (void)state;
    memset(text, 'x', sizeof text);
    member_new(&ana, 1, false);
    amend_fill(&ana);
    txn = amend_open(&ana, &amend);
    amend_text(&amend, CONTACT_NOTE, span_of(text, NOTE_SIZE_MAX));
    amend_close(&amend, txn, 1);
    entries = amend_entries(&ana);
    txn = amend_open(&ana, &amend);
    amend_bytes(&amend, CONTACT_PHOTO, span_of(text, sizeof text));
    assert_int_equal(amend_end(&amend, NULL), ERR_LIMIT);
    ledger_abort(txn);
    assert_int_equal(amend_entries(&ana), entries);
    member_free(&ana);
}

static void a_space_that_is_not_here_is_told_at_the_end(void **state)
{
    struct ledger_txn *txn;
    struct amend amend;
    struct member ana;
    size_t changes;

    (void)state;
    member_new(&ana, 1, false);
    txn = member_begin(&ana);
    amend_begin(&amend, txn, &(struct id){{0xee}}, KIND_CONTACT, &amend_joon);
    amend_text(&amend, CONTACT_NAME, span_str("Nobody"));
    assert_int_equal(amend_end(&amend, &changes), ERR_NOT_FOUND);
    assert_int_equal(changes, 1);
    ledger_abort(txn);
    /* Given up: nothing of it is written. */
    txn = amend_open(&ana, &amend);
    amend_text(&amend, CONTACT_NAME, span_str("Nobody"));
    amend_abort(&amend);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    txn = amend_open(&ana, &amend);
    assert_true(amend.is_new);
    amend_abort(&amend);
    ledger_abort(txn);
    member_free(&ana);
}

static void left_behind_is_read_after_following(void **state)
{
    struct object contact;
    struct ledger_txn *txn;
    struct amend amend;
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    txn = amend_open(&ana, &amend);
    amend_text(&amend, CONTACT_NAME, span_str("Joon Kim"));
    assert_int_equal(amend_end_behind(&amend, NULL), ERR_OK);
    amend_begin(&amend, txn, amend_self(&ana), KIND_CONTACT, &amend_joon);
    assert_true(amend.is_new);
    amend_abort(&amend);
    assert_int_equal(ledger_follow(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    contact = amend_read(&ana);
    assert_true(span_is_equal(object_text(&contact, CONTACT_NAME), span_str("Joon Kim")));
    object_release(&contact);
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amending_writes_what_is_new_and_says_so),
        cmocka_unit_test(what_is_there_already_is_not_written),
        cmocka_unit_test(an_empty_text_clears_and_an_equal_one_of_another_type_is_no_match),
        cmocka_unit_test(elements_are_added_once_and_removed_however_they_are_spelt),
        cmocka_unit_test(a_deleted_object_is_shown_again_by_any_write_or_restored),
        cmocka_unit_test(same_is_said_once_and_taken_back_under_a_greater_counter),
        cmocka_unit_test(a_bound_that_is_broken_writes_nothing),
        cmocka_unit_test(a_space_that_is_not_here_is_told_at_the_end),
        cmocka_unit_test(left_behind_is_read_after_following),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
