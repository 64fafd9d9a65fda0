/* Terms of an ask against what is known of one person: words, plurals, accents, tags, places, notes
 * only where they may be read; and that small words and places alone fit nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/match.h"
#include "tests/unit/heap_failing.h"

struct match_case {
    const char *tags[4];
    const char *text; /* of the ask */
    enum match_place place;
    const char *has; /* what is known of the person */
    bool fits;
};

static void match_build(const struct match_case *row, struct match_ask *ask)
{
    *ask = (struct match_ask){0};
    for (size_t at = 0; at < 4 && row->tags[at] != NULL; at++)
        assert_int_equal(match_add_tag(ask, span_str(row->tags[at])), ERR_OK);
    assert_int_equal(match_add_text(ask, span_str(row->text)), ERR_OK);
}

static void match_check(const struct match_case *rows, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        struct match_found found = {0};
        struct match_ask ask;

        match_build(&rows[at], &ask);
        assert_int_equal(match_look(&ask, rows[at].place, span_str(rows[at].has), &found), ERR_OK);
        if ((match_score(&ask, &found) > 0) != rows[at].fits)
            fail_msg("row %zu: \"%s\" %s", at, rows[at].has,
                     rows[at].fits ? "does not fit" : "fits");
    }
}

static void match_finds_words_in_every_form_they_are_said_to_have(void **state)
{
    static const struct match_case rows[] = {
        {{"skill:design"}, "", MATCH_IN_TITLE, "Designer", true},
        {{"skill:design"}, "", MATCH_IN_TITLE, "Head of Designs", true},
        {{"skill:designer"}, "", MATCH_IN_TAGS, "designers", true},
        {{"skill:designers"}, "", MATCH_IN_TAGS, "designer", true},
        {{"skill:Caf\xc3\xa9"}, "", MATCH_IN_TAGS, "cafe", true},
        {{"skill:cafe"}, "", MATCH_IN_TAGS, "CAF\xc3\x89S", true},
        {{"skill:bakery"}, "", MATCH_IN_TAGS, "bakeries", true},
        {{"skill:bakeries"}, "", MATCH_IN_TAGS, "bakery", true},
        {{"skill:coach"}, "", MATCH_IN_TAGS, "coaches", true},
        {{"skill:boxes"}, "", MATCH_IN_TAGS, "box", true},
        {{"skill:glass"}, "", MATCH_IN_TAGS, "glas", false},
        {{"skill:port"}, "", MATCH_IN_TAGS, "Portugal", false},
        {{"skill:port"}, "", MATCH_IN_TAGS, "ports", true},
        {{"skill:paint"}, "", MATCH_IN_TITLE, "painter", true},
        {{"skill:paint"}, "", MATCH_IN_TITLE, "painting", true},
        {{"skill:paint"}, "", MATCH_IN_TITLE, "paintbrush", false},
        {{"skill:designer"}, "", MATCH_IN_TITLE, "design", false},
        {{"skill:web design"}, "", MATCH_IN_TITLE, "Web designer", true},
        {{"skill:web design"}, "", MATCH_IN_TITLE, "Designer", false},
        {{"carpentry"}, "", MATCH_IN_ENDORSEMENTS, "Carpentry", true},
        {{"trade:carpentry"}, "", MATCH_IN_TAGS, "carpentry", true},
        {{"skill:c"}, "", MATCH_IN_TAGS, "c", true},
        {{"skill:c"}, "", MATCH_IN_TAGS, "carpenter", false},
        {{"skill:\xd0\xbf\xd0\xb5\xd0\xba\xd0\xb0\xd1\x80\xd1\x8c"},
         "",
         MATCH_IN_TITLE,
         "\xd0\x9f\xd0\x95\xd0\x9a\xd0\x90\xd0\xa0\xd0\xac",
         true},
    };

    (void)state;
    match_check(rows, sizeof rows / sizeof rows[0]);
}

static void match_knows_what_is_enough(void **state)
{
    static const struct match_case rows[] = {
        {{NULL}, "Looking for a plumber", MATCH_IN_TITLE, "Plumber", true},
        {{NULL}, "Looking for a plumber", MATCH_IN_TAGS, "plumbers", true},
        {{NULL}, "Looking for a plumber", MATCH_IN_ENDORSEMENTS, "plumber", true},
        {{NULL}, "Looking for a plumber", MATCH_IN_ORG, "Plumber & Sons", false},
        {{NULL}, "A plumber for old boilers", MATCH_IN_ORG, "Plumber and boiler works", true},
        {{NULL}, "Looking for work, please help", MATCH_IN_TITLE, "Looking for work", false},
        {{NULL}, "I need somebody who can help", MATCH_IN_TAGS, "somebody who can help", false},
        {{"place:Oklahoma City"}, "", MATCH_IN_PLACE, "Oklahoma City", false},
        {{"place:Norman OK"}, "a roof", MATCH_IN_TAGS, "roof", true},
        {{"when:spring"}, "", MATCH_IN_TAGS, "spring", false},
        {{"skill:design"}, "for my roses", MATCH_IN_ORG, "Roses", false},
        {{"skill:design"},
         "a garden near the river",
         MATCH_IN_TITLE,
         "Gardener by the river",
         true},
        {{"skill:design"}, "a garden near the river", MATCH_IN_ORG, "Gardens", false},
        {{"skill:design"}, "", MATCH_IN_NOTE, "knows design", true},
        {{"skill:design"}, "", MATCH_IN_ORG, "Design Works", true},
        {{"skill:"}, "", MATCH_IN_ORG, "Design Works", false},
        {{":"}, "", MATCH_IN_ORG, "Design Works", false},
        {{""}, "", MATCH_IN_ORG, "", false},
    };

    (void)state;
    match_check(rows, sizeof rows / sizeof rows[0]);
}

static void match_counts_a_place_with_a_skill_or_a_word(void **state)
{
    const struct match_case here = {{"skill:design", "place:Norman OK"}, "", 0, "", true};
    const struct match_case word = {
        {"place:Norman OK"}, "somebody to teach me the cello", 0, "", true};
    struct match_found found = {0}, near = {0}, none = {0};
    struct match_ask ask;

    (void)state;
    match_build(&here, &ask);
    assert_int_equal(match_look(&ask, MATCH_IN_TITLE, span_str("Designer"), &found), ERR_OK);
    near = found;
    assert_int_equal(match_look(&ask, MATCH_IN_PLACE, span_str("Norman, OK"), &near), ERR_OK);
    assert_true(match_score(&ask, &near) > match_score(&ask, &found));
    assert_true(match_score(&ask, &found) > 0);
    match_build(&word, &ask);
    assert_int_equal(match_look(&ask, MATCH_IN_NOTE, span_str("plays the cello"), &none), ERR_OK);
    assert_int_equal(match_score(&ask, &none), 0);
    assert_int_equal(match_look(&ask, MATCH_IN_PLACE, span_str("Norman"), &none), ERR_OK);
    assert_true(match_score(&ask, &none) > 0);
}

static void match_counts_a_time_with_a_skill_alone(void **state)
{
    const struct match_case row = {{"skill:design", "when:spring weekends"}, "", 0, "", true};
    struct match_found found = {0}, half = {0}, whole = {0}, none = {0};
    struct match_ask ask;

    (void)state;
    match_build(&row, &ask);
    assert_int_equal(match_look(&ask, MATCH_IN_TITLE, span_str("Designer"), &found), ERR_OK);
    half = whole = found;
    assert_int_equal(match_look(&ask, MATCH_IN_TAGS, span_str("weekend"), &half), ERR_OK);
    assert_int_equal(match_look(&ask, MATCH_IN_NOTE, span_str("in spring"), &whole), ERR_OK);
    assert_int_equal(match_look(&ask, MATCH_IN_TAGS, span_str("weekend"), &whole), ERR_OK);
    assert_true(match_score(&ask, &found) > 0);
    assert_true(match_score(&ask, &half) > match_score(&ask, &found));
    assert_true(match_score(&ask, &whole) > match_score(&ask, &half));
    assert_int_equal(match_look(&ask, MATCH_IN_TAGS, span_str("spring weekends"), &none), ERR_OK);
    assert_int_equal(match_score(&ask, &none), 0);
}

static void match_takes_so_many_terms_and_no_more(void **state)
{
    struct match_ask ask = {0};
    struct buf text = {0};
    char word[12];

    (void)state;
    for (unsigned at = 0; at < 200; at++) {
        (void)snprintf(word, sizeof word, "w%uord ", at);
        buf_append(&text, span_str(word));
    }
    assert_int_equal(match_add_tag(&ask, span_str("skill:design")), ERR_OK);
    assert_int_equal(match_add_text(&ask, buf_span(&text)), ERR_OK);
    assert_int_equal(ask.count, MATCH_TERMS_MAX);
    assert_int_equal(ask.groups, MATCH_TERMS_MAX);
    assert_int_equal(match_add_text(&ask, buf_span(&text)), ERR_OK);
    assert_int_equal(match_add_tag(&ask, span_str("skill:more")), ERR_OK);
    assert_int_equal(ask.count, MATCH_TERMS_MAX);
    buf_clear(&text);
    for (unsigned at = 0; at < 3000; at++)
        buf_append(&text, span_str("\xcc\x81x"));
    assert_int_equal(match_add_text(&ask, buf_span(&text)), ERR_OK);
    buf_release(&text);
}

/* What every fitting token begins with, or the index would not find it. */
static void match_prefix_begins_every_token_that_fits(void **state)
{
    static const char *const words[] = {
        "bakery", "bakeries", "coach",  "coaches", "design",  "designer", "designs", "boxes",
        "box",    "city",     "cities", "glass",   "glasses", "bus",      "buses",   "day",
        "days",   "analysis", "c",      "key",     "keys",    "baker"};

    (void)state;
    for (size_t left = 0; left < sizeof words / sizeof words[0]; left++) {
        struct match_ask ask = {0};

        assert_int_equal(match_add_tag(&ask, span_str(words[left])), ERR_OK);
        assert_int_equal(ask.count, 1);
        assert_true(match_fits(&ask.terms[0], span_str(words[left])));
        for (size_t right = 0; right < sizeof words / sizeof words[0]; right++) {
            struct span prefix = match_prefix(&ask.terms[0]), token = span_str(words[right]);

            if (match_fits(&ask.terms[0], token) &&
                (token.size < prefix.size || memcmp(token.data, prefix.data, prefix.size) != 0))
                fail_msg("%s fits %s and is not found by its prefix", words[right], words[left]);
        }
    }
}

static void match_reads_a_note_only_where_its_owner_said_so(void **state)
{
    (void)state;
    assert_true(match_may_read_note(span_str("builds kitchens #match")));
    assert_true(match_may_read_note(span_str("#match builds kitchens")));
    assert_true(match_may_read_note(span_str("builds (#match).")));
    assert_true(match_may_read_note(span_str("a\n#match\nb")));
    assert_false(match_may_read_note(span_str("builds kitchens")));
    assert_false(match_may_read_note(span_str("#matchmaker")));
    assert_false(match_may_read_note(span_str("match")));
    assert_false(match_may_read_note(span_str("#matc")));
    assert_false(match_may_read_note(span_of(NULL, 0)));
}

static void match_forgets_what_is_said_of_too_many(void **state)
{
    const struct match_case row = {{NULL}, "an engineer for bridges", 0, "", true};
    struct match_found found = {0};
    struct match_ask ask;

    (void)state;
    match_build(&row, &ask);
    ask.ignored = 1;
    assert_int_equal(match_look(&ask, MATCH_IN_TITLE, span_str("Engineer"), &found), ERR_OK);
    assert_int_equal(match_score(&ask, &found), 0);
    assert_int_equal(match_look(&ask, MATCH_IN_TITLE, span_str("Bridge engineer"), &found), ERR_OK);
    assert_true(match_score(&ask, &found) > 0);
}

/* Whichever allocation fails, the work says so and can be done again. */
static void match_bears_every_allocation_that_fails(void **state)
{
    enum err err = ERR_NOMEM;

    (void)state;
    for (size_t left = 0; err != ERR_OK && left < 100; left++) {
        struct match_found found = {0};
        struct match_ask ask = {0};

        heap_failing_after(left);
        err = match_add_tag(&ask, span_str("skill:design"));
        if (err == ERR_OK)
            err = match_add_text(&ask, span_str("A designer near the river"));
        if (err == ERR_OK)
            err = match_look(&ask, MATCH_IN_TITLE, span_str("Designer"), &found);
        heap_failing_after(SIZE_MAX);
        assert_true(err == ERR_OK || err == ERR_NOMEM);
        assert_true(err != ERR_OK || match_score(&ask, &found) > 0);
    }
    assert_int_equal(err, ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match_finds_words_in_every_form_they_are_said_to_have),
        cmocka_unit_test(match_knows_what_is_enough),
        cmocka_unit_test(match_counts_a_place_with_a_skill_or_a_word),
        cmocka_unit_test(match_counts_a_time_with_a_skill_alone),
        cmocka_unit_test(match_takes_so_many_terms_and_no_more),
        cmocka_unit_test(match_prefix_begins_every_token_that_fits),
        cmocka_unit_test(match_reads_a_note_only_where_its_owner_said_so),
        cmocka_unit_test(match_bears_every_allocation_that_fails),
        cmocka_unit_test(match_forgets_what_is_said_of_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
