/* Contacts by name, by value, by id: what lists and WHO matching stand on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/row.h"
#include "storage/view_contact.h"
#include "tests/sim/member.h"

struct view_contact_found {
    size_t count;
    char names[512]; /* each followed by a comma */
    enum err answer;
};

static enum err view_contact_find(void *self, uint32_t number, const struct object *contact)
{
    struct view_contact_found *found = self;
    struct span name = object_text(contact, CONTACT_NAME);
    size_t at = strlen(found->names);

    assert_true(number > 0);
    assert_true(at + name.size + 2 <= sizeof found->names);
    if (name.size > 0)
        memcpy(found->names + at, name.data, name.size);
    memcpy(found->names + at + name.size, ",", 2);
    found->count++;
    return found->answer;
}

static void view_contact_expect_named(struct member *member, const char *prefix,
                                      const char *expected)
{
    struct snapshot snapshot = member_snapshot(member);
    struct view_contact_found found = {0};

    assert_int_equal(view_contact_named(&snapshot, span_str(prefix), view_contact_find, &found),
                     ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_string_equal(found.names, expected);
}

static void view_contact_expect_match(struct member *member, enum match_what what,
                                      const char *value, const char *expected)
{
    struct snapshot snapshot = member_snapshot(member);
    struct view_contact_found found = {0};

    assert_int_equal(
        view_contact_match(&snapshot, what, span_str(value), view_contact_find, &found), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_string_equal(found.names, expected);
}

static void view_contact_commit(struct member *member, struct edit_space *edit)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(ledger_append(txn, ledger_self_space(member->ledger), edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void view_contact_lists_in_the_order_of_folded_names(void **state)
{
    static const char *const names[] = {"Zoe",         "\xc3\x81lvaro", "alba",
                                        "Bruno Silva", "bruno SOUZA",   "Bru"};

    (void)state;
    for (int is_lmdb = 0; is_lmdb < 2; is_lmdb++) {
        struct view_contact_found all = {0}, stopped = {.answer = ERR_CANCELLED};
        struct snapshot snapshot;
        struct member ana;
        struct id id;
        uint64_t count;

        member_new(&ana, 1, is_lmdb != 0);
        for (size_t at = 0; at < sizeof names / sizeof names[0]; at++)
            assert_int_equal(member_add_contact(&ana, names[at], NULL, &id), ERR_OK);
        snapshot = member_snapshot(&ana);
        assert_int_equal(view_contact_each(&snapshot, view_contact_find, &all), ERR_OK);
        assert_string_equal(all.names, "alba,\xc3\x81lvaro,Bru,Bruno Silva,bruno SOUZA,Zoe,");
        assert_int_equal(view_contact_each(&snapshot, view_contact_find, &stopped), ERR_CANCELLED);
        assert_int_equal(stopped.count, 1);
        assert_int_equal(view_contact_count(&snapshot, &count), ERR_OK);
        assert_int_equal(count, 6);
        ledger_snapshot_end(&snapshot);
        view_contact_expect_named(&ana, "BRU", "Bru,Bruno Silva,bruno SOUZA,");
        view_contact_expect_named(&ana, "alv", "\xc3\x81lvaro,");
        view_contact_expect_named(&ana, "bruno s", "Bruno Silva,bruno SOUZA,");
        view_contact_expect_named(&ana, "bruno silva e", "");
        view_contact_expect_named(&ana, "zz", "");
        member_free(&ana);
    }
}

/* A name is cut at 60 bytes in the index, not in the contact. */
static void view_contact_tells_long_names_apart(void **state)
{
    char first[80], second[80], expected[170];
    struct member ana;
    struct id id;

    (void)state;
    memset(first, 'n', sizeof first);
    memset(second, 'n', sizeof second);
    memcpy(first + 70, "a", 2);
    memcpy(second + 70, "b", 2);
    member_new(&ana, 1, false);
    assert_int_equal(member_add_contact(&ana, first, NULL, &id), ERR_OK);
    assert_int_equal(member_add_contact(&ana, second, NULL, &id), ERR_OK);
    memcpy(expected, first, 71);
    expected[71] = ',';
    memcpy(expected + 72, second, 71);
    memcpy(expected + 143, ",", 2);
    view_contact_expect_named(&ana, "nnn", expected);
    member_free(&ana);
}

static void view_contact_follows_renames_and_removals(void **state)
{
    struct edit_space edit = {0};
    struct seen seen = {.size = 1000000};
    struct member ana;
    struct id id;

    (void)state;
    member_new(&ana, 1, false);
    assert_int_equal(member_add_contact(&ana, "Before", "old@example.org", &id), ERR_OK);
    edit_begin(&edit, KIND_CONTACT, &id, ana.now_ms);
    edit_set(&edit, CONTACT_NAME, 2, member_text("After"));
    edit_set(&edit, CONTACT_ORG, 1, member_text("Acme"));
    view_contact_commit(&ana, &edit);
    view_contact_expect_named(&ana, "before", "");
    view_contact_expect_named(&ana, "after", "After,");
    view_contact_expect_match(&ana, MATCH_BY_ORG, "ACME", "After,");
    /* Without a name the organisation stands in lists. */
    edit_begin(&edit, KIND_CONTACT, &id, ana.now_ms);
    edit_set(&edit, CONTACT_NAME, 3, (struct value){.type = VALUE_NONE});
    view_contact_commit(&ana, &edit);
    view_contact_expect_named(&ana, "after", "");
    view_contact_expect_named(&ana, "acme", ",");
    /* An older write changes nothing. */
    edit_begin(&edit, KIND_CONTACT, &id, ana.now_ms);
    edit_set(&edit, CONTACT_NAME, 1, member_text("Late"));
    view_contact_commit(&ana, &edit);
    view_contact_expect_named(&ana, "late", "");
    edit_begin(&edit, KIND_CONTACT, &id, ana.now_ms);
    seen.device = *ledger_device(ana.ledger);
    edit_delete(&edit, &seen, 1);
    view_contact_commit(&ana, &edit);
    view_contact_expect_named(&ana, "acme", "");
    view_contact_expect_match(&ana, MATCH_BY_ORG, "acme", "");
    view_contact_expect_match(&ana, MATCH_BY_EMAIL, "old@example.org", "");
    edit_release(&edit);
    member_free(&ana);
}

static void view_contact_matches_exact_values_of_every_sort(void **state)
{
    static const uint8_t root[32] = {7, 7, 7};
    struct edit_space edit = {0};
    struct view_contact_found found = {0};
    struct snapshot snapshot;
    struct member ana;
    struct id id = {{1, 2, 3}}, dots[4] = {{{1}}, {{2}}, {{3}}, {{4}}}, element;
    char long_value[200];

    (void)state;
    member_new(&ana, 1, false);
    memset(long_value, 'u', sizeof long_value);
    long_value[180] = '\0';
    edit_begin(&edit, KIND_CONTACT, &id, ana.now_ms);
    edit_set(&edit, CONTACT_NAME, 1, member_text("Ana"));
    edit_set(&edit, CONTACT_UID, 1, member_text(long_value));
    edit_set(&edit, CONTACT_MEMBER, 1,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(root, 32)});
    edit_add(&edit, CONTACT_EMAILS, &dots[0], member_text("Ana@Example.ORG"));
    edit_add(&edit, CONTACT_PHONES, &dots[1], member_text("+351 (21) 555-01-00"));
    edit_add(&edit, CONTACT_URLS, &dots[2], member_text("https://example.org/ana"));
    edit_add(&edit, CONTACT_TAGS, &dots[3], member_text("Choir"));
    view_contact_commit(&ana, &edit);
    view_contact_expect_match(&ana, MATCH_BY_EMAIL, "aNA@example.org", "Ana,");
    view_contact_expect_match(&ana, MATCH_BY_EMAIL, "ana@example.or", "");
    view_contact_expect_match(&ana, MATCH_BY_PHONE, "+351215550100", "Ana,");
    view_contact_expect_match(&ana, MATCH_BY_URL, "https://example.org/ana", "Ana,");
    view_contact_expect_match(&ana, MATCH_BY_TAG, "choir", "Ana,");
    view_contact_expect_match(&ana, MATCH_BY_UID, long_value, "Ana,");
    long_value[179] = 'v'; /* told apart though both are longer than a key holds */
    view_contact_expect_match(&ana, MATCH_BY_UID, long_value, "");
    view_contact_expect_match(&ana, MATCH_BY_UID, "ana@example.org", "");
    snapshot = member_snapshot(&ana);
    assert_int_equal(view_contact_match(&snapshot, MATCH_BY_MEMBER, span_of(root, 32),
                                        view_contact_find, &found),
                     ERR_OK);
    assert_int_equal(found.count, 1);
    ledger_snapshot_end(&snapshot);
    /* A tag added twice and removed once, then wholly. */
    object_element(KIND_CONTACT, CONTACT_TAGS, span_str("Choir"), &element);
    edit_begin(&edit, KIND_CONTACT, &id, ana.now_ms);
    edit_add(&edit, CONTACT_TAGS, &dots[0], member_text("Choir"));
    edit_remove(&edit, CONTACT_TAGS, &element, &dots[3], 1);
    view_contact_commit(&ana, &edit);
    view_contact_expect_match(&ana, MATCH_BY_TAG, "choir", "Ana,");
    edit_begin(&edit, KIND_CONTACT, &id, ana.now_ms);
    edit_remove(&edit, CONTACT_TAGS, &element, &dots[0], 1);
    view_contact_commit(&ana, &edit);
    view_contact_expect_match(&ana, MATCH_BY_TAG, "choir", "");
    edit_release(&edit);
    member_free(&ana);
}

static enum err view_contact_on_value(void *self, uint32_t number, struct span value)
{
    struct view_contact_found *found = self;
    size_t at = strlen(found->names);

    assert_true(number > 0);
    assert_true(at + value.size + 2 <= sizeof found->names);
    memcpy(found->names + at, value.data, value.size);
    memcpy(found->names + at + value.size, ",", 2);
    return found->answer;
}

/* For completion: thousands may have one tag, and it is still one. */
static void view_contact_tells_each_value_once(void **state)
{
    static const char *const tags[] = {"Choir", "choir", "Ch\xc3\xb6re", "boats", "clients"};
    static const struct {
        const char *prefix, *expected;
    } cases[] = {{"", "boats,choir,chore,clients,"},
                 {"c", "choir,chore,clients,"},
                 {"chor", "chore,"},
                 {"choirs", ""}};
    struct view_contact_found stopped = {.answer = ERR_CANCELLED};
    struct snapshot snapshot;
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    for (size_t at = 0; at < sizeof tags / sizeof tags[0]; at++) {
        struct id id = {{(uint8_t)(at + 1)}}, dot = {{9, (uint8_t)at}};
        struct edit_space edit = {0};

        edit_begin(&edit, KIND_CONTACT, &id, ana.now_ms);
        edit_set(&edit, CONTACT_ORG, 1, member_text("Elsewhere"));
        edit_add(&edit, CONTACT_TAGS, &dot, member_text(tags[at]));
        view_contact_commit(&ana, &edit);
        edit_release(&edit);
    }
    snapshot = member_snapshot(&ana);
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct view_contact_found found = {0};

        assert_int_equal(view_contact_values(&snapshot, MATCH_BY_TAG, span_str(cases[at].prefix),
                                             view_contact_on_value, &found),
                         ERR_OK);
        assert_string_equal(found.names, cases[at].expected);
    }
    assert_int_equal(
        view_contact_values(&snapshot, MATCH_BY_TAG, span_str(""), view_contact_on_value, &stopped),
        ERR_CANCELLED);
    assert_string_equal(stopped.names, "boats,");
    ledger_snapshot_end(&snapshot);
    member_free(&ana);
}

/* An empty value is no value: everybody without an e-mail is not one person. */
static void view_contact_does_not_index_empty_values(void **state)
{
    struct member ana;
    struct id id;

    (void)state;
    member_new(&ana, 1, false);
    assert_int_equal(member_add_contact(&ana, "Ana", NULL, &id), ERR_OK);
    view_contact_expect_match(&ana, MATCH_BY_EMAIL, "", "");
    view_contact_expect_match(&ana, MATCH_BY_ORG, "", "");
    view_contact_expect_named(&ana, "", "Ana,");
    member_free(&ana);
}

static void view_contact_finds_by_the_first_digits_of_an_id(void **state)
{
    static const struct {
        const char *hex;
        size_t expected;
    } cases[] = {{"", 0},
                 {"a", 2},
                 {"A", 2},
                 {"ab", 1},
                 {"ac", 1},
                 {"ad", 0},
                 {"b", 0},
                 {"g", 0},
                 {"ab1", 0},
                 {"ab00000000000000", 1},
                 {"ab000000000000000000000000000000", 1},
                 {"ab0000000000000000000000000000001", 0}};
    struct edit_space edit = {0};
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    for (uint8_t first = 0xab; first <= 0xac; first++) {
        struct id id = {{first}};

        edit_begin(&edit, KIND_CONTACT, &id, ana.now_ms);
        edit_set(&edit, CONTACT_NAME, 1, member_text("Ana"));
        view_contact_commit(&ana, &edit);
    }
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct snapshot snapshot = member_snapshot(&ana);
        struct view_contact_found found = {0};

        assert_int_equal(
            view_contact_by_id(&snapshot, span_str(cases[at].hex), view_contact_find, &found),
            ERR_OK);
        assert_int_equal(found.count, cases[at].expected);
        ledger_snapshot_end(&snapshot);
    }
    edit_release(&edit);
    member_free(&ana);
}

/* Of two tags that fold alike one goes: the contact still has the tag. */
static void view_contact_keeps_what_another_value_says(void **state)
{
    struct edit_space edit = {0};
    struct member ana;
    struct snapshot snapshot;
    struct id id = {{1, 2, 3}}, dots[2] = {{{1}}, {{2}}}, element;

    (void)state;
    member_new(&ana, 1, false);
    edit_begin(&edit, KIND_CONTACT, &id, ana.now_ms);
    edit_set(&edit, CONTACT_NAME, 1, member_text("Ana"));
    edit_add(&edit, CONTACT_TAGS, &dots[0], member_text("caf\xc3\xa9"));
    edit_add(&edit, CONTACT_TAGS, &dots[1], member_text("cafe"));
    view_contact_commit(&ana, &edit);
    object_element(KIND_CONTACT, CONTACT_TAGS, span_str("cafe"), &element);
    edit_begin(&edit, KIND_CONTACT, &id, ana.now_ms);
    edit_remove(&edit, CONTACT_TAGS, &element, &dots[1], 1);
    view_contact_commit(&ana, &edit);
    view_contact_expect_match(&ana, MATCH_BY_TAG, "CAFE", "Ana,");
    snapshot = member_snapshot(&ana);
    assert_int_equal(view_contact_check(&snapshot), ERR_OK);
    ledger_snapshot_end(&snapshot);
    edit_release(&edit);
    member_free(&ana);
}

static enum err view_contact_take_value(void *self, uint32_t number, struct span value)
{
    struct view_contact_found *found = self;
    size_t at = strlen(found->names);

    assert_true(number > 0 && at + value.size + 2 <= sizeof found->names);
    memcpy(found->names + at, value.data, value.size);
    memcpy(found->names + at + value.size, ",", 2);
    found->count++;
    return found->answer;
}

static unsigned view_contact_letters(const char *text)
{
    unsigned sum = 0;

    for (; *text != '\0'; text++)
        sum += (unsigned char)*text * (unsigned char)*text;
    return sum;
}

/* Tags and organisations are listed whole and once, those too long for a token too. */
static void view_contact_lists_values_that_begin_so(void **state)
{
    static const char *const orgs[] = {"University of the Sea, Lisbon",
                                       "university of the sea, Porto",
                                       "University",
                                       "Universal Shipping Ltd",
                                       "Zoo",
                                       "ZOO",
                                       "University of the Sea, Lisbon"};
    static const struct {
        const char *prefix, *expected;
    } cases[] = {
        {"universit", "university,university of the sea, lisbon,university of the sea, porto,"},
        {"university of the sea, l", "university of the sea, lisbon,"},
        {"universal shipping ltd", "universal shipping ltd,"},
        {"z", "zoo,"},
        {"zoos", ""},
        {"", "universal shipping ltd,university,university of the sea, lisbon,university of the "
             "sea, porto,zoo,"},
    };
    struct edit_space edit = {0};
    struct view_contact_found stopped = {.answer = ERR_CANCELLED};
    struct snapshot snapshot;
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    for (size_t at = 0; at < sizeof orgs / sizeof orgs[0]; at++) {
        struct id id = {{1, (uint8_t)at}};

        edit_begin(&edit, KIND_CONTACT, &id, ana.now_ms);
        edit_set(&edit, CONTACT_ORG, 1, member_text(orgs[at]));
        view_contact_commit(&ana, &edit);
    }
    snapshot = member_snapshot(&ana);
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct view_contact_found found = {0};

        assert_int_equal(view_contact_values(&snapshot, MATCH_BY_ORG, span_str(cases[at].prefix),
                                             view_contact_take_value, &found),
                         ERR_OK);
        /* Cut ones come in the order of their hashes. */
        assert_int_equal(strlen(found.names), strlen(cases[at].expected));
        assert_int_equal(view_contact_letters(found.names),
                         view_contact_letters(cases[at].expected));
    }
    assert_int_equal(view_contact_values(&snapshot, MATCH_BY_ORG, span_of(NULL, 0),
                                         view_contact_take_value, &stopped),
                     ERR_CANCELLED);
    assert_int_equal(stopped.count, 1);
    assert_int_equal(view_contact_check(&snapshot), ERR_OK);
    ledger_snapshot_end(&snapshot);
    view_contact_expect_match(&ana, MATCH_BY_ORG, "UNIVERSITY", ",");
    view_contact_expect_match(&ana, MATCH_BY_ORG, "University of the sea, lisbon", ",,");
    edit_release(&edit);
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view_contact_lists_in_the_order_of_folded_names),
        cmocka_unit_test(view_contact_tells_long_names_apart),
        cmocka_unit_test(view_contact_follows_renames_and_removals),
        cmocka_unit_test(view_contact_matches_exact_values_of_every_sort),
        cmocka_unit_test(view_contact_keeps_what_another_value_says),
        cmocka_unit_test(view_contact_lists_values_that_begin_so),
        cmocka_unit_test(view_contact_tells_each_value_once),
        cmocka_unit_test(view_contact_does_not_index_empty_values),
        cmocka_unit_test(view_contact_finds_by_the_first_digits_of_an_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
