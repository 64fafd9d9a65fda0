/* Acts of kith on a timeline: each stands there once, wherever and however often it is noted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "storage/row.h"
#include "storage/view_interaction.h"
#include "tests/sim/member.h"

static void view_interaction_name_contact(struct member *member, const struct member *peer,
                                          const struct id *contact)
{
    struct ledger_txn *txn = member_begin(member);
    struct edit_space edit = {0};
    struct id link;

    id_about("kith link", &peer->secrets.member, &link);
    edit_begin(&edit, KIND_LINK, &link, member->now_ms);
    edit_set(&edit, LINK_CONTACT, 1,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(contact->bytes, ID_SIZE)});
    assert_int_equal(ledger_append(txn, ledger_self_space(member->ledger), &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
}

static void view_interaction_note(struct member *member, const struct member *peer,
                                  enum interaction_what what, const char *ref, struct span text)
{
    struct interaction act = {.what = what, .ref = span_str(ref), .text = text};
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(view_interaction_act(txn, &peer->secrets.member, &act), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

struct view_interaction_found {
    size_t count, text_size; /* of the longest */
    uint64_t on_ms;
};

static enum err view_interaction_on_note(void *self, uint32_t number, const struct object *note)
{
    struct view_interaction_found *found = self;

    assert_true(number > 0);
    found->count++;
    if (object_text(note, INTERACTION_TEXT).size > found->text_size)
        found->text_size = object_text(note, INTERACTION_TEXT).size;
    found->on_ms = object_number(note, INTERACTION_ON);
    return ERR_OK;
}

static struct view_interaction_found view_interaction_find(struct member *member,
                                                           const struct id *contact)
{
    struct snapshot snapshot = member_snapshot(member);
    struct view_interaction_found found = {0};

    assert_int_equal(view_interaction_each(&snapshot, contact, view_interaction_on_note, &found),
                     ERR_OK);
    ledger_snapshot_end(&snapshot);
    return found;
}

static void view_interaction_an_act_is_noted_once(void **state)
{
    char words[NOTE_SIZE_MAX + 2];
    struct member ana, bruno;
    struct id contact;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    view_interaction_note(&ana, &bruno, INTERACTION_ENDORSED, "one", span_str("boats"));
    assert_int_equal(member_add_contact(&ana, "Bruno", NULL, &contact), ERR_OK);
    assert_int_equal(view_interaction_find(&ana, &contact).count, 0);
    view_interaction_name_contact(&ana, &bruno, &contact);
    for (int times = 0; times < 3; times++)
        view_interaction_note(&ana, &bruno, INTERACTION_ENDORSED, "one", span_str("boats"));
    assert_int_equal(view_interaction_find(&ana, &contact).count, 1);
    view_interaction_note(&ana, &bruno, INTERACTION_ENDORSED, "two", span_str("boats"));
    view_interaction_note(&ana, &bruno, INTERACTION_ENDORSED_ME, "one", span_str("boats"));
    assert_int_equal(view_interaction_find(&ana, &contact).count, 3);
    memset(words, 'w', sizeof words);
    memcpy(words + NOTE_SIZE_MAX - 1, "\xc3\xa9", 2); /* It would be cut in the middle. */
    ana.now_ms += 1000;
    view_interaction_note(&ana, &bruno, INTERACTION_THANKED, "one", span_of(words, sizeof words));
    assert_int_equal(view_interaction_find(&ana, &contact).count, 4);
    assert_int_equal(view_interaction_find(&ana, &contact).text_size, NOTE_SIZE_MAX - 1);
    member_free(&ana);
    member_free(&bruno);
}

/* Both devices note it before they have met: it is one object, and one of the two times wins. */
static void view_interaction_an_act_on_two_devices_is_one(void **state)
{
    struct view_interaction_found left, right;
    struct member ana, twin, bruno;
    struct id contact;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    assert_int_equal(member_add_contact(&ana, "Bruno", NULL, &contact), ERR_OK);
    view_interaction_name_contact(&ana, &bruno, &contact);
    member_twin(&twin, &ana, 3);
    twin.now_ms += 5000;
    view_interaction_note(&ana, &bruno, INTERACTION_THANKED_ME, "one", span_str(""));
    view_interaction_note(&twin, &bruno, INTERACTION_THANKED_ME, "one", span_str(""));
    assert_true(member_pull(&twin, &ana, NULL) > 0);
    assert_true(member_pull(&ana, &twin, NULL) > 0);
    left = view_interaction_find(&ana, &contact);
    right = view_interaction_find(&twin, &contact);
    assert_int_equal(left.count, 1);
    assert_int_equal(right.count, 1);
    assert_int_equal(left.on_ms, right.on_ms);
    member_free(&ana);
    member_free(&twin);
    member_free(&bruno);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view_interaction_an_act_is_noted_once),
        cmocka_unit_test(view_interaction_an_act_on_two_devices_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
