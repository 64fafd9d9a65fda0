/* Who might fit an ask, out of a store: fields, cards, merged contacts and notes, the order, whom
 * not to name, words that are said of too many; and that looking writes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/heap.h"
#include "node/amend.h"
#include "node/matches.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "storage/follow.h"
#include "storage/view_interaction.h"
#include "storage/view_search.h"
#include "tests/sim/member.h"

struct matches_person {
    const char *name, *title, *org, *place, *tag, *note;
};

static struct id matches_add(struct member *me, const struct matches_person *person)
{
    struct ledger_txn *txn = member_begin(me);
    struct amend amend;
    struct id id;

    id_draw(&me->entropy, me->now_ms++, &id);
    amend_begin(&amend, txn, ledger_self_space(me->ledger), KIND_CONTACT, &id);
    amend_text(&amend, CONTACT_NAME, span_str(person->name));
    amend_text(&amend, CONTACT_TITLE, span_str(person->title != NULL ? person->title : ""));
    amend_text(&amend, CONTACT_ORG, span_str(person->org != NULL ? person->org : ""));
    amend_text(&amend, CONTACT_PLACE, span_str(person->place != NULL ? person->place : ""));
    amend_text(&amend, CONTACT_NOTE, span_str(person->note != NULL ? person->note : ""));
    if (person->tag != NULL)
        amend_add(&amend, CONTACT_TAGS, span_str(person->tag));
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    return id;
}

static void matches_talk(struct member *me, const struct id *contact, uint64_t days_ago)
{
    struct ledger_txn *txn = member_begin(me);
    struct interaction note = {.contact = *contact,
                               .what = INTERACTION_CALL,
                               .on_ms = me->now_ms - days_ago * MS_PER_DAY,
                               .text = span_str("a talk")};

    assert_int_equal(view_interaction_add(txn, &note, NULL), ERR_OK);
    assert_int_equal(ledger_follow(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static bool matches_is_never(const void *self, const struct public_key *member)
{
    return public_key_is_equal(self, member);
}

/* The names of those who fit, joined by commas; the whole answer through out. */
static const char *matches_names(struct member *me, const char *tag, const char *text,
                                 const struct public_key *never, json_t **out)
{
    static char names[600];
    struct snapshot snapshot = member_snapshot(me);
    static const struct op_world world = {.home = ""};
    struct op_call call = {.snapshot = snapshot, .now_ms = me->now_ms, .world = &world};
    const struct span tags[] = {span_str(tag)};
    struct matches_question question = {.id = "3f9a1c",
                                        .title = span_str(text),
                                        .tags = tags,
                                        .tags_count = tag[0] != '\0',
                                        .can_pass = true,
                                        .is_left_out = never != NULL ? matches_is_never : NULL,
                                        .self = never};
    struct matches matches;
    json_t *list, *row;
    size_t at;

    matches_begin(&matches, &call);
    assert_int_equal(matches_of(&matches, &question, &list), ERR_OK);
    matches_end(&matches);
    ledger_snapshot_end(&snapshot);
    names[0] = '\0';
    json_array_foreach(list, at, row)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", at > 0 ? "," : "",
                 json_string_value(json_object_get(json_object_get(row, "contact"), "name")));
    if (out != NULL)
        *out = list;
    else
        json_decref(list);
    return names;
}

static const char *matches_why(json_t *list, size_t at)
{
    return json_string_value(json_object_get(json_array_get(list, at), "why"));
}

static void matches_look_into_every_field_and_say_which(void **state)
{
    static const struct matches_person people[] = {
        {"Dana Ito", "Designer", "Ito Design", "Norman OK", NULL, NULL},
        {"Emil Berg", NULL, NULL, NULL, "design", NULL},
        {"Fay Cole", NULL, "Design House", NULL, NULL, NULL},
        {"Gil Dorn", NULL, NULL, NULL, NULL, "knows a lot about design #match"},
        {"Hana Eck", NULL, NULL, NULL, NULL, "knows a lot about design"},
        {"Ines Fox", "Plumber", NULL, "Norman OK", NULL, NULL},
    };
    struct member me;
    struct id dana;
    json_t *list;

    (void)state;
    member_new(&me, 1, false);
    me.now_ms += 300 * MS_PER_DAY;
    for (size_t at = 0; at < sizeof people / sizeof people[0]; at++) {
        struct id id = matches_add(&me, &people[at]);

        if (at == 0)
            dana = id;
    }
    matches_talk(&me, &dana, 243);
    assert_string_equal(matches_names(&me, "skill:design", "", NULL, &list),
                        "Dana Ito,Emil Berg,Fay Cole,Gil Dorn");
    assert_string_equal(matches_why(list, 0), "Designer at Ito Design; last in touch 8 months ago");
    assert_string_equal(matches_why(list, 1), "tagged design; never noted as in touch");
    assert_string_equal(matches_why(list, 2), "at Design House; never noted as in touch");
    assert_string_equal(matches_why(list, 3), "your note fits; never noted as in touch");
    assert_non_null(json_object_get(json_array_get(list, 0), "last"));
    assert_non_null(strstr(
        json_string_value(json_array_get(json_object_get(json_array_get(list, 0), "next"), 1)),
        "kith ask reply 3f9a1c --about "));
    json_decref(list);
    assert_string_equal(matches_names(&me, "place:Norman", "", NULL, NULL), "");
    assert_string_equal(matches_names(&me, "place:Norman", "a plumber please", NULL, &list),
                        "Ines Fox");
    assert_string_equal(matches_why(list, 0), "Plumber; in Norman OK; never noted as in touch");
    json_decref(list);
    assert_string_equal(matches_names(&me, "skill:cello", "", NULL, NULL), "");
    assert_string_equal(matches_names(&me, "", "", NULL, NULL), "");
    member_free(&me);
}

/* The same answer whatever was written first: score, last contact, name. */
static void matches_come_in_one_order(void **state)
{
    static const char *const names[] = {"Zoe", "Yann", "Xenia", "Will", "Vera", "Uma"};
    struct member me;

    (void)state;
    member_new(&me, 1, false);
    me.now_ms += 300 * MS_PER_DAY;
    for (size_t at = 0; at < sizeof names / sizeof names[0]; at++) {
        struct matches_person person = {.name = names[at], .title = "Roofer"};
        struct id id;

        if (at == 5)
            person.place = "Norman";
        id = matches_add(&me, &person);
        if (at == 2)
            matches_talk(&me, &id, 10);
        if (at == 3)
            matches_talk(&me, &id, 3);
    }
    assert_string_equal(matches_names(&me, "skill:roofer", "", NULL, NULL),
                        "Will,Xenia,Uma,Vera,Yann");
    assert_string_equal(matches_names(&me, "skill:roofer", "in norman", NULL, NULL),
                        "Uma,Will,Xenia,Vera,Yann");
    member_free(&me);
}

static void matches_see_cards_and_leave_out_who_asks(void **state)
{
    struct member me, bruno;
    struct id contact;
    struct ledger_txn *txn;
    struct amend amend;
    json_t *list;

    (void)state;
    member_new(&me, 1, false);
    member_new(&bruno, 2, false);
    member_link(&me, &bruno);
    member_grant(&bruno, &me);
    contact = matches_add(&me, &(struct matches_person){.name = "Bruno"});
    txn = member_begin(&me);
    amend_begin(&amend, txn, ledger_self_space(me.ledger), KIND_CONTACT, &contact);
    amend_bytes(&amend, CONTACT_MEMBER, span_of(bruno.secrets.member.bytes, 32));
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    {
        static const struct id only = {{0}};
        struct id card = member_card_space(&bruno);

        assert_int_equal(member_write(&bruno, &card, KIND_CARD, &only, CARD_TITLE, "Boat builder"),
                         ERR_OK);
    }
    (void)member_pull(&me, &bruno, NULL);
    assert_string_equal(matches_names(&me, "skill:boats", "", NULL, &list), "Bruno");
    assert_true(json_is_true(json_object_get(json_array_get(list, 0), "peer")));
    assert_non_null(strstr(
        json_string_value(json_array_get(json_object_get(json_array_get(list, 0), "next"), 1)),
        "kith ask pass 3f9a1c --to "));
    json_decref(list);
    assert_string_equal(matches_names(&me, "skill:boats", "", &bruno.secrets.member, NULL), "");
    member_free(&bruno);
    member_free(&me);
}

static void matches_of_merged_contacts_are_one(void **state)
{
    struct member me;
    struct id left, right;
    struct ledger_txn *txn;
    struct amend amend;
    json_t *list;

    (void)state;
    member_new(&me, 1, false);
    left = matches_add(&me, &(struct matches_person){.name = "Dana", .title = "Designer"});
    right = matches_add(&me, &(struct matches_person){.name = "D. Ito", .tag = "design"});
    txn = member_begin(&me);
    amend_begin(&amend, txn, ledger_self_space(me.ledger), KIND_CONTACT, &left);
    amend_same(&amend, &right, true);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    amend_begin(&amend, txn, ledger_self_space(me.ledger), KIND_CONTACT, &right);
    amend_same(&amend, &left, true);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    matches_talk(&me, &right, 0);
    assert_string_equal(matches_names(&me, "skill:design", "", NULL, &list), "Dana");
    assert_string_equal(matches_why(list, 0), "Designer; tagged design; last in touch today");
    json_decref(list);
    member_free(&me);
}

/* A word of the text that is said of more than MATCHES_COMMON_MIN contacts tells nothing; a tag
 * does, and brings no more than MATCHES_SHOWN_MAX. */
static void matches_pass_over_common_words(void **state)
{
    struct member me;
    struct ledger_txn *txn;
    char name[24];
    json_t *list;

    (void)state;
    member_new(&me, 1, false);
    txn = member_begin(&me);
    for (unsigned at = 0; at < 2 * MATCHES_LOOKED_MAX; at++) {
        struct amend amend;
        struct id id;

        id_draw(&me.entropy, me.now_ms++, &id);
        (void)snprintf(name, sizeof name, "Person %03u", at);
        amend_begin(&amend, txn, ledger_self_space(me.ledger), KIND_CONTACT, &id);
        amend_text(&amend, CONTACT_NAME, span_str(name));
        amend_text(&amend, CONTACT_TITLE, span_str(at < MATCHES_COMMON_MIN ? "Teacher" : "Roofer"));
        assert_int_equal(amend_end_behind(&amend, NULL), ERR_OK);
    }
    assert_int_equal(follow_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_string_equal(matches_names(&me, "", "a roofer", NULL, NULL), "");
    assert_string_equal(matches_names(&me, "", "a teacher", NULL, NULL),
                        "Person 000,Person 001,Person 002,Person 003,Person 004");
    assert_string_equal(matches_names(&me, "skill:roofer", "", NULL, &list),
                        "Person 020,Person 021,Person 022,Person 023,Person 024");
    json_decref(list);
    member_free(&me);
}

/* Ranks. */

static bool matches_any(const void *self, struct span token)
{
    (void)self;
    (void)token;
    return true;
}

static void rank_keeps_the_best_of_any_limit(void **state)
{
    struct member me;
    struct snapshot snapshot;

    (void)state;
    member_new(&me, 1, false);
    for (unsigned at = 0; at < 12; at++) {
        struct matches_person person = {.name = "Person"};

        person.title = at % 2 == 0 ? "alpha" : "";
        person.org = at % 3 == 0 ? "beta" : "";
        (void)matches_add(&me, &person);
    }
    snapshot = member_snapshot(&me);
    for (size_t limit = 0; limit < 14; limit++) {
        struct view_search_hint hints[] = {
            {.prefix = span_str("alpha"), .fits = matches_any, .weight = 2},
            {.prefix = span_str("beta"), .fits = matches_any, .weight = 3},
            {.prefix = span_str("gamma"), .fits = matches_any, .weight = 9},
            {.prefix = span_str("person"), .fits = matches_any, .weight = 50, .most = 11},
        };
        struct view_search_found found;

        assert_int_equal(view_search_rank(&snapshot, hints, 4, limit, &found), ERR_OK);
        assert_int_equal(found.count, limit < 8 ? limit : 8);
        assert_true(limit == 0 || (hints[3].is_too_common && found.is_cut && found.total == 8));
        for (size_t at = 1; at < found.count; at++)
            assert_true((at == 2 || at == 4) == (found.numbers[at] < found.numbers[at - 1]));
        heap_free(found.numbers);
    }
    ledger_snapshot_end(&snapshot);
    member_free(&me);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_look_into_every_field_and_say_which),
        cmocka_unit_test(matches_come_in_one_order),
        cmocka_unit_test(matches_see_cards_and_leave_out_who_asks),
        cmocka_unit_test(matches_of_merged_contacts_are_one),
        cmocka_unit_test(matches_pass_over_common_words),
        cmocka_unit_test(rank_keeps_the_best_of_any_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
