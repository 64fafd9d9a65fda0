/* The index of threads: letters of each, counted, found by the beginning of the first one's id or
 * by the ask it is about, and the same after a rebuild. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/amend.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/view_thread.h"
#include "tests/sim/meeting.h"

static struct hash view_thread_hash(uint8_t begins, uint8_t number)
{
    struct hash hash = {{begins, 0xab}};

    hash.bytes[31] = number;
    return hash;
}

/* NULL first: it begins a thread. ask: the byte its hash begins with. */
static void view_thread_add_about(struct member *member, uint8_t ask, const struct hash *letter,
                                  const struct hash *first, bool is_mine)
{
    struct hash about = {{ask}};
    struct ledger_txn *txn = member_begin(member);
    struct amend amend;
    struct id object;

    reply_object_id(letter, &object);
    amend_begin(&amend, txn, ledger_self_space(member->ledger), KIND_LEAD, &object);
    amend_bytes(&amend, LEAD_THREAD,
                span_of(first != NULL ? first->bytes : letter->bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_LETTER, span_of(letter->bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_ASK, span_of(about.bytes, HASH_SIZE));
    if (is_mine)
        amend_number(&amend, LEAD_IS_MINE, 1);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void view_thread_add(struct member *member, const struct hash *letter,
                            const struct hash *first, bool is_mine)
{
    view_thread_add_about(member, 1, letter, first, is_mine);
}

static void view_thread_remove(struct member *member, const struct hash *letter)
{
    struct ledger_txn *txn = member_begin(member);
    struct amend amend;
    struct id object;

    reply_object_id(letter, &object);
    amend_begin(&amend, txn, ledger_self_space(member->ledger), KIND_LEAD, &object);
    amend_delete(&amend);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static enum err view_thread_on_one(void *self, const struct thread *thread)
{
    char *text = self;
    size_t size = strlen(text);

    (void)snprintf(text + size, 200 - size, "%02x:%u/%u ", thread->first.bytes[0], thread->letters,
                   thread->mine);
    return ERR_OK;
}

static void view_thread_expect(struct member *member, const char *hex, const char *expected)
{
    struct snapshot snapshot = member_snapshot(member);
    char text[200] = "";

    assert_int_equal(view_thread_each(&snapshot, span_str(hex), view_thread_on_one, text), ERR_OK);
    assert_string_equal(text, expected);
    ledger_snapshot_end(&snapshot);
}

static void view_thread_expect_of(struct member *member, uint8_t ask, const char *expected)
{
    struct snapshot snapshot = member_snapshot(member);
    struct id id = {{ask}};
    char text[200] = "";

    assert_int_equal(view_thread_of_ask(&snapshot, &id, view_thread_on_one, text), ERR_OK);
    assert_string_equal(text, expected);
    ledger_snapshot_end(&snapshot);
}

static enum err view_thread_on_letter(void *self, uint32_t number, const struct object *lead)
{
    char *text = self;

    (void)number;
    text[strlen(text)] = (char)('0' + object_value(lead, LEAD_LETTER).bytes.data[31]);
    return ERR_OK;
}

static void view_thread_expect_letters(struct member *member, const struct hash *first,
                                       const char *expected)
{
    struct snapshot snapshot = member_snapshot(member);
    char text[20] = "";
    struct object object = {0};

    assert_int_equal(view_thread_letters(&snapshot, first, view_thread_on_letter, text), ERR_OK);
    assert_string_equal(text, expected);
    assert_int_equal(view_thread_first(&snapshot, first, &object), ERR_OK);
    assert_memory_equal(object_value(&object, LEAD_LETTER).bytes.data, first->bytes, HASH_SIZE);
    object_release(&object);
    ledger_snapshot_end(&snapshot);
}

static void view_thread_rebuild(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);
    bool is_more = true;

    assert_int_equal(check_forget_views(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    while (is_more)
        assert_int_equal(follow_stage(member->ledger, 1000, &is_more), ERR_OK);
}

static void view_thread_keeps_letters_together(void **state)
{
    struct hash one = view_thread_hash(0x12, 1), other = view_thread_hash(0x17, 2), third;
    struct snapshot snapshot;
    struct object object = {0};
    enum op_code code;
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    view_thread_add(&ana, &one, NULL, true);
    view_thread_add(&ana, &other, NULL, false);
    third = view_thread_hash(0x01, 3);
    view_thread_add(&ana, &third, &one, false);
    third = view_thread_hash(0x02, 4);
    view_thread_add(&ana, &third, &one, true);
    /* The first letter of this one has not come. */
    third = view_thread_hash(0x44, 9);
    view_thread_add(&ana, &(struct hash){{5}}, &third, false);
    for (int round = 0; round < 2; round++) {
        view_thread_expect(&ana, "", "12:3/2 17:1/0 44:1/0 ");
        view_thread_expect(&ana, "1", "12:3/2 17:1/0 ");
        view_thread_expect(&ana, "12", "12:3/2 ");
        view_thread_expect(&ana, "17a", "17:1/0 ");
        view_thread_expect(&ana, "17b", "");
        view_thread_expect(&ana, "no hex", "");
        view_thread_expect_letters(&ana, &one, "134");
        view_thread_expect_letters(&ana, &other, "2");
        view_thread_rebuild(&ana);
    }
    assert_null(meeting_op(&ana, "lead.show", json_pack("{s:s}", "id", "44ab00"), &code));
    assert_int_equal(code, OP_NOT_FOUND);
    snapshot = member_snapshot(&ana);
    assert_int_equal(view_thread_first(&snapshot, &third, &object), ERR_NOT_FOUND);
    object_release(&object);
    ledger_snapshot_end(&snapshot);
    member_free(&ana);
}

/* A thread is about what its first letter names, whatever the others name. */
static void view_thread_finds_those_of_an_ask(void **state)
{
    struct hash one = view_thread_hash(0x12, 1), other = view_thread_hash(0x17, 2);
    struct hash third = view_thread_hash(0x23, 3), answer = view_thread_hash(0x01, 4);
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    view_thread_add_about(&ana, 1, &one, NULL, false);
    view_thread_add_about(&ana, 2, &other, NULL, false);
    view_thread_add_about(&ana, 2, &third, NULL, true);
    view_thread_add_about(&ana, 2, &answer, &one, true);
    for (int round = 0; round < 2; round++) {
        view_thread_expect_of(&ana, 1, "12:2/1 ");
        view_thread_expect_of(&ana, 2, "17:1/0 23:1/1 ");
        view_thread_expect_of(&ana, 3, "");
        view_thread_rebuild(&ana);
    }
    view_thread_remove(&ana, &third);
    view_thread_expect_of(&ana, 2, "17:1/0 ");
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view_thread_keeps_letters_together),
        cmocka_unit_test(view_thread_finds_those_of_an_ask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
