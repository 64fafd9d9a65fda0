/* WHO: every way to say somebody, who comes before whom, and what is answered when nobody or
 * several are meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/name.h"
#include "tests/sim/meeting.h"

struct name_asked {
    enum err err;
    struct op_failure failure;
    struct name_match match;
};

static struct name_asked name_ask(struct member *member, const char *who, bool is_peer)
{
    static const struct op_world nowhere;
    struct op_call call = {.world = &nowhere, .snapshot = member_snapshot(member)};
    struct name_asked asked = {0};

    asked.err =
        is_peer ? name_find_peer(&call, who, &asked.match) : name_find(&call, who, &asked.match);
    asked.failure = call.failure;
    ledger_snapshot_end(&call.snapshot);
    return asked;
}

static void name_means(struct member *member, const char *who, const struct id *contact)
{
    struct name_asked asked = name_ask(member, who, false);

    assert_int_equal(asked.err, ERR_OK);
    assert_true(asked.match.has_contact);
    assert_memory_equal(asked.match.contact.bytes, contact->bytes, ID_SIZE);
}

static void name_fails(struct member *member, const char *who, enum op_code code)
{
    struct name_asked asked = name_ask(member, who, false);

    assert_int_not_equal(asked.err, ERR_OK);
    assert_int_equal(asked.failure.code, code);
    assert_true(asked.failure.message[0] != '\0');
    assert_true(asked.failure.hint[0] != '\0');
}

static struct id name_new(struct member *member, const char *name, const char *email)
{
    struct id id;

    assert_int_equal(member_add_contact(member, name, email, &id), ERR_OK);
    return id;
}

static void a_person_is_found_by_name_first_name_and_email(void **state)
{
    struct member ana;
    struct id joon, zoe;

    (void)state;
    member_new(&ana, 1, false);
    joon = name_new(&ana, "Joon Kim", "joon@example.org");
    zoe = name_new(&ana, "Zo\xc3\xab \xc3\x85str\xc3\xb6m", NULL);
    name_means(&ana, "Joon Kim", &joon);
    name_means(&ana, "joon kim", &joon);
    name_means(&ana, "JOON", &joon);
    name_means(&ana, "Joon@Example.org", &joon);
    name_means(&ana, "zoe astrom", &zoe);
    name_means(&ana, "zoe", &zoe);
    /* A first name is a whole word. */
    name_fails(&ana, "joo", OP_NOT_FOUND);
    name_fails(&ana, "im", OP_NOT_FOUND);
    name_fails(&ana, "oon@example.org", OP_NOT_FOUND);
    name_fails(&ana, "joon@example.or", OP_NOT_FOUND);
    member_free(&ana);
}

static void a_whole_name_comes_before_first_names(void **state)
{
    struct member ana;
    struct id just_joon;

    (void)state;
    member_new(&ana, 1, false);
    (void)name_new(&ana, "Joon Kim", NULL);
    (void)name_new(&ana, "Joon Park", NULL);
    name_fails(&ana, "joon", OP_AMBIGUOUS);
    just_joon = name_new(&ana, "Joon", NULL);
    name_means(&ana, "joon", &just_joon);
    member_free(&ana);
}

/* People say surnames, too; but not half words, and never before a first name that fits. */
static void any_words_of_a_name_do_when_nobody_begins_with_them(void **state)
{
    struct member ana;
    struct id joon, kim, anne;

    (void)state;
    member_new(&ana, 1, false);
    joon = name_new(&ana, "Joon-Ho van den Kim", "joon@example.org");
    name_means(&ana, "kim", &joon);
    name_means(&ana, "van den kim", &joon);
    name_means(&ana, "kim joon", &joon);
    name_means(&ana, "Ho", &joon);
    name_fails(&ana, "ki", OP_NOT_FOUND);
    name_fails(&ana, "kim park", OP_NOT_FOUND);
    name_fails(&ana, "example", OP_NOT_FOUND); /* It stands in no name. */
    anne = name_new(&ana, "Anne Kim", NULL);
    name_fails(&ana, "kim", OP_AMBIGUOUS);
    name_means(&ana, "anne", &anne);
    kim = name_new(&ana, "Kim Park", NULL);
    name_means(&ana, "kim", &kim);
    member_free(&ana);
}

static void a_prefix_of_an_id_has_six_digits_at_least(void **state)
{
    char text[ID_TEXT_SIZE], prefix[ID_TEXT_SIZE];
    struct member ana;
    struct id joon;

    (void)state;
    member_new(&ana, 1, false);
    joon = name_new(&ana, "Joon Kim", NULL);
    hex_write(span_of(joon.bytes, ID_SIZE), text);
    name_means(&ana, text, &joon);
    for (int digits = 1; digits < ID_TEXT_SIZE - 1; digits++) {
        (void)snprintf(prefix, sizeof prefix, "%.*s", digits, text);
        if (digits < 6)
            name_fails(&ana, prefix, OP_NOT_FOUND);
        else
            name_means(&ana, prefix, &joon);
    }
    text[0] = text[0] == 'f' ? '0' : 'f';
    name_fails(&ana, text, OP_NOT_FOUND);
    name_fails(&ana, "zzzzzzzz", OP_NOT_FOUND);
    member_free(&ana);
}

/* The list tells everybody apart, though an import's ids begin alike, and never overflows. */
static void several_are_listed_with_ids_that_tell_them_apart(void **state)
{
    struct name_asked asked;
    struct member ana;
    char *at;

    (void)state;
    member_new(&ana, 1, false);
    for (int count = 1; count <= 20; count++) {
        char email[40];

        (void)snprintf(email, sizeof email, "kim%d@example.org", count);
        (void)name_new(&ana, "Kim", email);
        asked = name_ask(&ana, "kim", false);
        if (count == 1) {
            assert_int_equal(asked.err, ERR_OK);
            continue;
        }
        assert_int_equal(asked.err, ERR_AMBIGUOUS);
        assert_int_equal(asked.failure.code, OP_AMBIGUOUS);
        assert_true(strncmp(asked.failure.message, "kim could be: Kim (", 19) == 0);
        assert_int_equal(strstr(asked.failure.message, " and more") != NULL, count > 16);
        assert_true(strlen(asked.failure.message) < sizeof asked.failure.message - 1);
    }
    /* What stands in brackets finds exactly one of them. */
    asked = name_ask(&ana, "kim", false);
    for (at = strchr(asked.failure.message, '('); at != NULL; at = strchr(at + 1, '(')) {
        char id[ID_TEXT_SIZE];

        (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(at + 1, ")"), at + 1);
        assert_int_equal(name_ask(&ana, id, false).err, ERR_OK);
    }
    member_free(&ana);
}

static void nobody_and_too_much_are_refused(void **state)
{
    char who[500];
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    name_fails(&ana, NULL, OP_USAGE);
    name_fails(&ana, "", OP_USAGE);
    memset(who, 'a', sizeof who);
    who[400] = '\0';
    name_fails(&ana, who, OP_NOT_FOUND);
    who[400] = 'a';
    who[401] = '\0';
    name_fails(&ana, who, OP_USAGE);
    /* What is typed is no pattern, and its bytes need not be text. */
    (void)name_new(&ana, "Joon Kim", NULL);
    name_fails(&ana, "%s%n", OP_NOT_FOUND);
    name_fails(&ana, "*", OP_NOT_FOUND);
    name_fails(&ana, " ", OP_USAGE);
    name_fails(&ana, "\xe2\x80\x8b", OP_USAGE); /* nothing to see */
    name_fails(&ana, "\xff\xfe\xc3", OP_NOT_FOUND);
    member_free(&ana);
}

static void a_peer_is_found_by_card_alias_and_did(void **state)
{
    struct member ana, bruno;
    char did[DID_SIZE], prefix[DID_SIZE];
    struct name_asked asked;

    (void)state;
    meeting_new(&ana, 1, "Ana");
    meeting_new(&bruno, 2, "Bruno Silva");
    meeting_link(&ana, &bruno);
    identity_did(&bruno.secrets.member, did);
    (void)snprintf(prefix, sizeof prefix, "%.14s", did);
    json_decref(meeting_op(&ana, "peer.rename",
                           json_pack("{s:s, s:s}", "who", did, "alias", "The Carpenter"), NULL));
    for (int is_peer = 0; is_peer < 2; is_peer++) {
        const char *ways[] = {"bruno silva", "the carpenter", "bruno", "silva", "carpenter",
                              did,           prefix};

        for (size_t at = 0; at < sizeof ways / sizeof ways[0]; at++) {
            asked = name_ask(&ana, ways[at], is_peer != 0);
            assert_int_equal(asked.err, ERR_OK);
            assert_true(asked.match.has_member);
            assert_memory_equal(asked.match.member.bytes, bruno.secrets.member.bytes, 32);
            assert_string_equal(asked.match.shown, "The Carpenter");
        }
    }
    /* A beginning that every did has says nobody. */
    (void)snprintf(prefix, sizeof prefix, "%.13s", did);
    name_fails(&ana, prefix, OP_NOT_FOUND);
    /* Whom I removed is nobody's name any more. */
    member_set_link(&ana, &bruno, LINK_REMOVED);
    name_fails(&ana, "the carpenter", OP_NOT_FOUND);
    member_free(&ana);
    member_free(&bruno);
}

static void a_contact_is_no_peer_and_two_sides_of_one_person_are_one(void **state)
{
    struct name_asked asked;
    struct member ana, bruno;

    (void)state;
    meeting_new(&ana, 1, "Ana");
    meeting_new(&bruno, 2, "Bruno");
    (void)name_new(&ana, "Chie", NULL);
    asked = name_ask(&ana, "chie", true);
    assert_int_equal(asked.err, ERR_NOT_FOUND);
    assert_string_equal(asked.failure.hint, "kith peer list");
    meeting_link(&ana, &bruno);
    (void)name_new(&ana, "Bruno", NULL); /* Another Bruno, without a node. */
    name_fails(&ana, "bruno", OP_AMBIGUOUS);
    assert_int_equal(name_ask(&ana, "bruno", true).err, ERR_OK);
    member_free(&ana);
    member_free(&bruno);
}

static void merged_contacts_answer_to_each_of_their_names(void **state)
{
    struct member ana;
    struct id first, second;

    (void)state;
    member_new(&ana, 1, false);
    first = name_new(&ana, "William Tell", NULL);
    second = name_new(&ana, "Bill Tell", "bill@example.org");
    json_decref(meeting_op(
        &ana, "contact.merge",
        json_pack("{s:s, s:s}", "who", "william tell", "other", "bill@example.org"), NULL));
    (void)second;
    name_means(&ana, "william", &first);
    name_means(&ana, "bill tell", &first);
    name_means(&ana, "bill@example.org", &first);
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_is_found_by_name_first_name_and_email),
        cmocka_unit_test(a_whole_name_comes_before_first_names),
        cmocka_unit_test(any_words_of_a_name_do_when_nobody_begins_with_them),
        cmocka_unit_test(a_prefix_of_an_id_has_six_digits_at_least),
        cmocka_unit_test(several_are_listed_with_ids_that_tell_them_apart),
        cmocka_unit_test(nobody_and_too_much_are_refused),
        cmocka_unit_test(a_peer_is_found_by_card_alias_and_did),
        cmocka_unit_test(a_contact_is_no_peer_and_two_sides_of_one_person_are_one),
        cmocka_unit_test(merged_contacts_answer_to_each_of_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
