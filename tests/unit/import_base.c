/* What files told of a contact: who may write over whom, at most so many rows, and rows of another
 * shape are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/import_base.h"
#include "proto/contact.h"
#include "storage/row.h"
#include "tests/sim/member.h"

struct base_case {
    struct member me;
    struct id id;
};

static void base_begin(struct base_case *at)
{
    member_new(&at->me, 1, false);
    assert_int_equal(member_add_contact(&at->me, "Jo", "jo@example.org", &at->id), ERR_OK);
}

static struct object base_contact(struct base_case *at)
{
    struct snapshot snapshot = member_snapshot(&at->me);
    struct object contact;
    uint32_t number;

    assert_int_equal(row_get(&snapshot, ledger_self_space(at->me.ledger), KIND_CONTACT, &at->id,
                             &contact, &number),
                     ERR_OK);
    ledger_snapshot_end(&snapshot);
    return contact;
}

/* Notes so many e-mails as told by a file. */
static void base_tell(struct base_case *at, unsigned first, unsigned count)
{
    struct ledger_txn *txn = member_begin(&at->me);
    struct import_base base = {0};
    struct amend amend;
    char email[40];

    amend_begin(&amend, txn, ledger_self_space(at->me.ledger), KIND_CONTACT, &at->id);
    import_base_begin(&base, &amend.object);
    for (unsigned number = first; number < first + count; number++) {
        (void)snprintf(email, sizeof email, "m%u@example.org", number);
        import_base_note(&base, CONTACT_EMAILS, span_str(email));
    }
    import_base_end(&base, &amend);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    import_base_release(&base);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void base_lets_a_file_write_what_is_not_the_owners(void **state)
{
    struct base_case at;
    struct import_base base = {0};
    struct object contact;

    (void)state;
    base_begin(&at);
    contact = base_contact(&at);
    import_base_begin(&base, &contact);
    assert_true(base.is_new);
    assert_true(import_base_may_set(&base, &contact, CONTACT_NAME, span_str("Joe")));
    base.is_new = false;
    assert_false(import_base_may_set(&base, &contact, CONTACT_NAME, span_str("Joe")));
    assert_true(import_base_may_set(&base, &contact, CONTACT_NAME, span_str("Jo")));
    assert_true(import_base_may_set(&base, &contact, CONTACT_ORG, span_str("ACME")));
    import_base_note(&base, CONTACT_ORG, span_str("ACME"));
    assert_false(import_base_may_set(&base, &contact, CONTACT_ORG, span_str("ACME")));
    assert_true(import_base_may_set(&base, &contact, CONTACT_ORG, span_str("Other")));
    import_base_note(&base, CONTACT_NAME, span_str("Jo"));
    assert_true(import_base_may_set(&base, &contact, CONTACT_NAME, span_str("Joe")));
    assert_true(import_base_may_add(&base, &contact, CONTACT_EMAILS, span_str("new@example.org")));
    import_base_note(&base, CONTACT_EMAILS, span_str("JO@example.org"));
    assert_true(import_base_may_add(&base, &contact, CONTACT_EMAILS, span_str("jo@example.org")));
    import_base_note(&base, CONTACT_EMAILS, span_str("gone@example.org"));
    assert_false(
        import_base_may_add(&base, &contact, CONTACT_EMAILS, span_str("Gone@example.org")));
    import_base_release(&base);
    object_release(&contact);
    member_free(&at.me);
}

static void base_keeps_so_many_rows_and_the_newest(void **state)
{
    struct base_case at;
    struct import_base base = {0};
    struct object contact;

    (void)state;
    base_begin(&at);
    base_tell(&at, 0, IMPORT_BASE_MAX - 1);
    base_tell(&at, 0, IMPORT_BASE_MAX);
    contact = base_contact(&at);
    assert_int_equal(object_value(&contact, CONTACT_IMPORTED).bytes.size,
                     IMPORT_BASE_MAX * IMPORT_BASE_ROW);
    object_release(&contact);
    base_tell(&at, IMPORT_BASE_MAX, 1);
    contact = base_contact(&at);
    assert_int_equal(object_value(&contact, CONTACT_IMPORTED).bytes.size,
                     IMPORT_BASE_MAX * IMPORT_BASE_ROW);
    import_base_begin(&base, &contact);
    assert_false(import_base_has(&base, CONTACT_EMAILS, span_str("m0@example.org")));
    assert_true(import_base_has(&base, CONTACT_EMAILS, span_str("m1@example.org")));
    assert_true(import_base_has(&base, CONTACT_EMAILS, span_str("m128@example.org")));
    assert_false(import_base_has(&base, CONTACT_PHONES, span_str("m128@example.org")));
    import_base_release(&base);
    object_release(&contact);
    member_free(&at.me);
}

static void base_of_another_shape_is_none(void **state)
{
    struct base_case at;
    struct import_base base = {0};
    struct object contact;
    struct ledger_txn *txn;
    struct amend amend;

    (void)state;
    base_begin(&at);
    txn = member_begin(&at.me);
    amend_begin(&amend, txn, ledger_self_space(at.me.ledger), KIND_CONTACT, &at.id);
    amend_bytes(&amend, CONTACT_IMPORTED, span_str("seven b"));
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    contact = base_contact(&at);
    import_base_begin(&base, &contact);
    assert_int_equal(base.rows.size, 0);
    assert_false(import_base_has(&base, CONTACT_NAME, span_str("Jo")));
    import_base_release(&base);
    object_release(&contact);
    member_free(&at.me);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_lets_a_file_write_what_is_not_the_owners),
        cmocka_unit_test(base_keeps_so_many_rows_and_the_newest),
        cmocka_unit_test(base_of_another_shape_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
