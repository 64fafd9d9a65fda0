/* Lists that two devices of one member change at once. DESIGN.md 5: "E-mails, phones, tags… are
 * sets: element id = hash(field, normalised value), a random 16-byte dot per add, a remove lists
 * the dots it saw." What neither had seen, neither takes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/meeting.h"

struct lists {
    struct member desk, lap;
};

static void lists_begin(struct lists *lists)
{
    meeting_new(&lists->desk, 1, "Ana");
    json_decref(meeting_op(&lists->desk, "me.edit", json_pack("{s:[s]}", "url", "a"), NULL));
    member_twin(&lists->lap, &lists->desk, 9);
}

static void lists_end(struct lists *lists)
{
    member_free(&lists->lap);
    member_free(&lists->desk);
}

static void lists_meet(struct lists *lists)
{
    for (int round = 0; round < 2; round++) {
        (void)meeting_carry_one_way(&lists->lap, &lists->desk);
        (void)meeting_carry_one_way(&lists->desk, &lists->lap);
    }
}

static void lists_edit(struct member *member, json_t *params)
{
    json_decref(meeting_op(member, "me.edit", params, NULL));
}

/* The card's addresses, one letter each, whatever their order. */
static void lists_expect_one(struct member *member, const char *wanted)
{
    json_t *card = meeting_op(member, "me.show", json_object(), NULL), *url;
    json_t *urls = json_object_get(card, "urls");
    size_t at;

    assert_int_equal(json_array_size(urls), strlen(wanted));
    json_array_foreach(urls, at, url) assert_non_null(strstr(wanted, json_string_value(url)));
    json_decref(card);
}

static void lists_expect(struct lists *lists, const char *wanted)
{
    lists_expect_one(&lists->desk, wanted);
    lists_expect_one(&lists->lap, wanted);
}

static void what_both_add_at_once_stays(void **state)
{
    struct lists lists;

    (void)state;
    lists_begin(&lists);
    lists_edit(&lists.desk, json_pack("{s:[s]}", "add", "url=b"));
    lists_edit(&lists.lap, json_pack("{s:[s]}", "add", "url=c"));
    lists_meet(&lists);
    lists_expect(&lists, "abc");
    lists_end(&lists);
}

/* A list that replaces another takes away what its device held, and no more. */
static void lists_that_replace_at_once_are_united(void **state)
{
    struct lists lists;

    (void)state;
    lists_begin(&lists);
    lists_edit(&lists.desk, json_pack("{s:[s, s]}", "url", "a", "b"));
    lists_edit(&lists.lap, json_pack("{s:[s, s]}", "url", "a", "c"));
    lists_meet(&lists);
    lists_expect(&lists, "abc");
    lists_edit(&lists.desk, json_pack("{s:[s]}", "url", "d"));
    lists_edit(&lists.lap, json_pack("{s:[s]}", "add", "url=e"));
    lists_meet(&lists);
    lists_expect(&lists, "de");
    lists_edit(&lists.desk, json_pack("{s:[s]}", "unset", "url"));
    lists_edit(&lists.lap, json_pack("{s:[s]}", "add", "url=f"));
    lists_meet(&lists);
    lists_expect(&lists, "f");
    lists_end(&lists);
}

/* Ana looks, and only then does her other device's address arrive. A list says all there shall be,
 * and takes it away; whoever means to add one, or to take one away, says that. */
static void what_came_since_one_looked_stays_when_one_is_added(void **state)
{
    struct lists lists;

    (void)state;
    lists_begin(&lists);
    lists_edit(&lists.lap, json_pack("{s:[s]}", "add", "url=b"));
    lists_expect_one(&lists.desk, "a");
    lists_meet(&lists);
    lists_edit(&lists.desk, json_pack("{s:[s]}", "add", "url=c"));
    lists_meet(&lists);
    lists_expect(&lists, "abc");
    lists_edit(&lists.desk, json_pack("{s:[s], s:[s]}", "unset", "url=a", "add", "url=d"));
    lists_meet(&lists);
    lists_expect(&lists, "bcd");
    lists_edit(&lists.desk, json_pack("{s:[s]}", "url", "a"));
    lists_meet(&lists);
    lists_expect(&lists, "a");
    lists_end(&lists);
}

/* What is there twice over goes with the remove that saw both, and stays where one was not seen. */
static void an_address_both_added_goes_when_both_were_seen(void **state)
{
    struct lists lists;

    (void)state;
    lists_begin(&lists);
    lists_edit(&lists.desk, json_pack("{s:[s]}", "add", "url=b"));
    lists_edit(&lists.lap, json_pack("{s:[s]}", "add", "url=b"));
    lists_edit(&lists.lap, json_pack("{s:[s]}", "unset", "url=b"));
    lists_meet(&lists);
    lists_expect(&lists, "ab");
    lists_edit(&lists.lap, json_pack("{s:[s]}", "unset", "url=b"));
    lists_meet(&lists);
    lists_expect(&lists, "a");
    lists_end(&lists);
}

/* The same of a contact: what an e-mail list is set to takes the place of what was held. */
static void lists_of_a_contact_are_united_too(void **state)
{
    struct lists lists;
    json_t *contact;

    (void)state;
    lists_begin(&lists);
    json_decref(meeting_op(&lists.desk, "contact.add",
                           json_pack("{s:s, s:[s]}", "name", "Joon", "email", "old@example.org"),
                           NULL));
    lists_meet(&lists);
    json_decref(meeting_op(
        &lists.desk, "contact.edit",
        json_pack("{s:s, s:[s]}", "who", "Joon", "set", "email=desk@example.org"), NULL));
    json_decref(meeting_op(&lists.lap, "contact.edit",
                           json_pack("{s:s, s:[s]}", "who", "Joon", "add", "email=lap@example.org"),
                           NULL));
    lists_meet(&lists);
    for (size_t at = 0; at < 2; at++) {
        contact = meeting_op(at == 0 ? &lists.desk : &lists.lap, "contact.show",
                             json_pack("{s:s}", "who", "Joon"), NULL);
        assert_int_equal(json_array_size(json_object_get(contact, "emails")), 2);
        json_decref(contact);
    }
    lists_end(&lists);
}

/* What cannot be meant is refused, and nothing is changed. */
static void a_change_that_means_nothing_is_refused(void **state)
{
    static const struct {
        const char *flag, *text;
    } rows[] = {{"add", "url"},    {"add", "title=Baker"}, {"add", "hat=blue"},
                {"unset", "name"}, {"unset", "name=Ana"},  {"unset", "hat"},
                {"unset", "=a"}};
    struct lists lists;
    enum op_code code;

    (void)state;
    lists_begin(&lists);
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        json_decref(meeting_op(
            &lists.desk, "me.edit",
            json_pack("{s:[s], s:s}", rows[at].flag, rows[at].text, "org", "Ito"), &code));
        assert_int_equal(code, OP_USAGE);
    }
    lists_expect_one(&lists.desk, "a");
    lists_end(&lists);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_both_add_at_once_stays),
        cmocka_unit_test(lists_that_replace_at_once_are_united),
        cmocka_unit_test(what_came_since_one_looked_stays_when_one_is_added),
        cmocka_unit_test(an_address_both_added_goes_when_both_were_seen),
        cmocka_unit_test(lists_of_a_contact_are_united_too),
        cmocka_unit_test(a_change_that_means_nothing_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
