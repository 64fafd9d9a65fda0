/* Search says what the contacts say: every word of every field, by its beginning, at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "crypto/heap.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "storage/check.h"
#include "storage/posting.h"
#include "storage/row.h"
#include "storage/view_search.h"
#include "storage/view_search_state.h"
#include "tests/sim/member.h"

static const struct id search_card = {{0}};

/* The names found, joined by commas; total through out_total. */
static const char *search_names(struct member *member, const char *text, size_t limit,
                                uint64_t *out_total)
{
    static char names[2000];
    struct snapshot snapshot = member_snapshot(member);
    struct view_search_found found;

    assert_int_equal(view_search_find(&snapshot, span_str(text), limit, &found), ERR_OK);
    names[0] = '\0';
    for (size_t at = 0; at < found.count; at++) {
        struct object contact = {0};
        uint32_t space;
        struct span name;

        assert_int_equal(row_load(&snapshot, found.numbers[at], &contact, &space), ERR_OK);
        name = object_text(&contact, CONTACT_NAME);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%.*s", at > 0 ? "," : "",
                 (int)name.size, (const char *)name.data);
        object_release(&contact);
    }
    if (out_total != NULL)
        *out_total = found.total;
    heap_free(found.numbers);
    ledger_snapshot_end(&snapshot);
    return names;
}

static void search_is_sound(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);

    assert_int_equal(view_search_check(&snapshot), ERR_OK);
    ledger_snapshot_end(&snapshot);
}

static void search_set(struct member *member, const struct id *contact, uint8_t field,
                       const char *text)
{
    assert_int_equal(
        member_write(member, ledger_self_space(member->ledger), KIND_CONTACT, contact, field, text),
        ERR_OK);
}

static void search_delete(struct member *member, const struct id *contact)
{
    struct ledger_txn *txn = member_begin(member);
    struct edit_space edit = {0};
    struct seen seen = {.device = *ledger_device(member->ledger), .size = 1000000};

    edit_begin(&edit, KIND_CONTACT, contact, member->now_ms);
    edit_delete(&edit, &seen, 1);
    assert_int_equal(ledger_append(txn, ledger_self_space(member->ledger), &edit, 0), ERR_OK);
    edit_release(&edit);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* Words are beginnings, in any field, without case and accents; all must be there. */
static void search_finds_beginnings_in_every_field(void **state)
{
    struct member me;
    struct id ana, bob, zoe;

    (void)state;
    member_new(&me, 1, false);
    assert_int_equal(member_add_contact(&me, "Ana Lima", "ana@porto.example", &ana), ERR_OK);
    assert_int_equal(member_add_contact(&me, "Bob Łukasz", NULL, &bob), ERR_OK);
    assert_int_equal(member_add_contact(&me, "Zoë Ångström", NULL, &zoe), ERR_OK);
    search_set(&me, &bob, CONTACT_ORG, "Porto Wine");
    search_set(&me, &zoe, CONTACT_NOTE, "met in porto at the harbour");
    assert_string_equal(search_names(&me, "porto", 50, NULL), "Ana Lima,Bob Łukasz,Zoë Ångström");
    assert_string_equal(search_names(&me, "POR", 50, NULL), "Ana Lima,Bob Łukasz,Zoë Ångström");
    assert_string_equal(search_names(&me, "lukas", 50, NULL), "Bob Łukasz");
    assert_string_equal(search_names(&me, "zoe angs", 50, NULL), "Zoë Ångström");
    assert_string_equal(search_names(&me, "harb porto zo", 50, NULL), "Zoë Ångström");
    assert_string_equal(search_names(&me, "harb ana", 50, NULL), "");
    assert_string_equal(search_names(&me, "orto", 50, NULL), "");
    search_is_sound(&me);
    member_free(&me);
}

/* What an edit takes away is no longer found, what it brings is, in the same commit. */
static void search_follows_edits_and_deletes(void **state)
{
    struct member me;
    struct id ana;

    (void)state;
    member_new(&me, 1, false);
    assert_int_equal(member_add_contact(&me, "Ana Lima", "ana@porto.example", &ana), ERR_OK);
    search_set(&me, &ana, CONTACT_NOTE, "lima bean soup");
    search_set(&me, &ana, CONTACT_NAME, "Ana Souza");
    assert_string_equal(search_names(&me, "lima", 50, NULL), "Ana Souza"); /* Still in the note. */
    search_set(&me, &ana, CONTACT_NOTE, "");
    assert_string_equal(search_names(&me, "lima", 50, NULL), "");
    assert_string_equal(search_names(&me, "souza", 50, NULL), "Ana Souza");
    search_is_sound(&me);
    search_delete(&me, &ana);
    assert_string_equal(search_names(&me, "souza", 50, NULL), "");
    search_is_sound(&me);
    member_free(&me);
}

/* What a peer says of themself finds the contact they are linked to, alone and beside my words. */
static void search_looks_at_the_cards_of_peers(void **state)
{
    struct member me, peer;
    struct id contact, card;

    (void)state;
    member_new(&me, 1, false);
    member_new(&peer, 2, false);
    member_link(&me, &peer);
    member_grant(&peer, &me);
    assert_int_equal(member_add_contact(&me, "My Friend", NULL, &contact), ERR_OK);
    {
        struct ledger_txn *txn = member_begin(&me);
        struct edit_space edit = {0};

        edit_begin(&edit, KIND_CONTACT, &contact, me.now_ms);
        edit_set(&edit, CONTACT_MEMBER, 1,
                 (struct value){.type = VALUE_BYTES,
                                .bytes = span_of(ledger_member(peer.ledger)->bytes, 32)});
        assert_int_equal(ledger_append(txn, ledger_self_space(me.ledger), &edit, 0), ERR_OK);
        edit_release(&edit);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    }
    card = member_card_space(&peer);
    assert_int_equal(member_write(&peer, &card, KIND_CARD, &search_card, CARD_TITLE, "Carpenter"),
                     ERR_OK);
    assert_true(member_pull(&me, &peer, NULL) > 0);
    assert_string_equal(search_names(&me, "carpen", 50, NULL), "My Friend");
    assert_string_equal(search_names(&me, "carpen friend", 50, NULL), "My Friend");
    assert_string_equal(search_names(&me, "carpen nobody", 50, NULL), "");
    search_is_sound(&me);
    member_free(&me);
    member_free(&peer);
}

/* Pages are in the order of whole folded names, whichever way they are found. */
static void search_orders_by_folded_name(void **state)
{
    struct member me;
    struct id ignored;
    uint64_t total;
    char name[60];

    (void)state;
    member_new(&me, 1, false);
    for (unsigned at = 0; at < 700; at++) {
        snprintf(name, sizeof name, "Christopher %03u", at * 3 % 700);
        assert_int_equal(member_add_contact(&me, name, "x@same.example", &ignored), ERR_OK);
    }
    assert_string_equal(search_names(&me, "same", 3, &total),
                        "Christopher 000,Christopher 001,Christopher 002");
    assert_int_equal(total, 700);
    assert_string_equal(search_names(&me, "chris 69", 3, &total),
                        "Christopher 690,Christopher 691,Christopher 692");
    assert_int_equal(total, 10);
    assert_string_equal(search_names(&me, "christopher", 0, &total), "");
    assert_int_equal(total, 700);
    search_is_sound(&me);
    member_free(&me);
}

/* A question without a word, or with too many, is refused. */
static void search_refuses_what_is_no_question(void **state)
{
    struct member me;
    struct snapshot snapshot;
    struct view_search_found found;

    (void)state;
    member_new(&me, 1, false);
    snapshot = member_snapshot(&me);
    assert_int_equal(view_search_find(&snapshot, span_str(" .,- "), 50, &found), ERR_INVALID);
    assert_int_equal(
        view_search_find(&snapshot, span_str("a b c d e f g h i j k l m n o p"), 50, &found),
        ERR_OK);
    assert_int_equal(
        view_search_find(&snapshot, span_str("a b c d e f g h i j k l m n o p q"), 50, &found),
        ERR_INVALID);
    ledger_snapshot_end(&snapshot);
    member_free(&me);
}

/* Rebuilt views say the same as followed ones. */
static void search_is_made_again(void **state)
{
    struct member me;
    struct ledger_txn *txn;
    struct id ana;

    (void)state;
    member_new(&me, 1, true);
    assert_int_equal(member_add_contact(&me, "Ana Lima", "ana@porto.example", &ana), ERR_OK);
    txn = member_begin(&me);
    assert_int_equal(check_forget_views(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_string_equal(search_names(&me, "lima", 50, NULL), "Ana Lima");
    search_is_sound(&me);
    member_free(&me);
}

/* What a peer's card costs grows with its elements, not with their square. */

enum { SEARCH_ELEMENTS = 8000, SEARCH_TRIES = 5 };

static double search_card_ms(struct object_element *elements, size_t count)
{
    struct object_reach touched = {.log = 1, .seq = 1};
    struct object card = {.kind = KIND_CARD,
                          .elements = elements,
                          .elements_count = count,
                          .touched = &touched,
                          .touched_count = 1};
    double best = 1e9;

    for (int at = 0; at < SEARCH_TRIES; at++) {
        struct view_search_tokens tokens = {0};
        struct timespec begun, over;
        double ms;

        assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun), 0);
        assert_int_equal(view_search_document(&card, &tokens), ERR_OK);
        assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &over), 0);
        assert_true(tokens.count >= 2000);
        view_search_tokens_release(&tokens);
        ms = (double)(over.tv_sec - begun.tv_sec) * 1e3 +
             (double)(over.tv_nsec - begun.tv_nsec) / 1e6;
        best = ms < best ? ms : best;
    }
    return best;
}

static void a_card_of_thousands_is_gone_over_once(void **state)
{
    struct object_element *elements = heap_new_zeroed(SEARCH_ELEMENTS, sizeof *elements);
    char(*texts)[16] = heap_new_zeroed(SEARCH_ELEMENTS, sizeof *texts);

    (void)state;
    assert_non_null(elements);
    assert_non_null(texts);
    for (size_t at = 0; at < SEARCH_ELEMENTS; at++) {
        (void)snprintf(texts[at], sizeof texts[at], "a%zu", at);
        elements[at].field = CARD_EMAILS;
        elements[at].value = (struct value){.type = VALUE_TEXT, .bytes = span_str(texts[at])};
    }
    assert_true(search_card_ms(elements, SEARCH_ELEMENTS) <
                8 * search_card_ms(elements, SEARCH_ELEMENTS / 4));
    heap_free(texts);
    heap_free(elements);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search_finds_beginnings_in_every_field),
        cmocka_unit_test(search_follows_edits_and_deletes),
        cmocka_unit_test(search_looks_at_the_cards_of_peers),
        cmocka_unit_test(search_orders_by_folded_name),
        cmocka_unit_test(search_refuses_what_is_no_question),
        cmocka_unit_test(search_is_made_again),
        cmocka_unit_test(a_card_of_thousands_is_gone_over_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
