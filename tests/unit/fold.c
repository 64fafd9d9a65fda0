/* Names of many scripts, folded as somebody would type them into a search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/fold.h"
#include "tests/unit/heap_failing.h"

static const struct {
    const char *text;
    const char *folded;
} names[] = {
    {"", ""},
    {"   ", ""},
    {"Ann Lee", "ann lee"},
    {"  Ann \t\r\n Lee  ", "ann lee"},
    {"O'Brien", "o'brien"},
    {"O\u2019Brien", "o'brien"},
    {"Jean\u2010Luc", "jean-luc"},
    {"AZ@[`az{09", "az@[`az{09"},
    {"Zoë", "zoe"},
    {"ZOE\u0308", "zoe"},
    {"  Zoë\u00a0\u2003Ångström ", "zoe angstrom"},
    {"Straße", "strasse"},
    {"STRASSE", "strasse"},
    {"GROẞ", "gross"},
    {"Müller", "muller"},
    {"Łukasz Żółć", "lukasz zolc"},
    {"Søren Kierkegård", "soren kierkegard"},
    {"Æsa Þórðardóttir", "aesa thordardottir"},
    {"Œuvre", "oeuvre"},
    {"Đặng Văn Hùng", "dang van hung"},
    {"Nguyễn", "nguyen"},
    {"İstanbul Işık", "istanbul isik"},
    {"ILIK ılık", "ilik ilik"},
    {"Ħaż-Żebbuġ", "haz-zebbug"},
    {"Ŋgũgĩ", "ngugi"},
    {"Ŧáhtá", "tahta"},
    {"Əliyev", "eliyev"},
    {"Ọlọ́run", "olorun"},
    {"Ɓala Ɗan Ƙasa", "bala dan kasa"},
    {"Ɔkɛ", "oke"},
    {"Ștefan Țiriac", "stefan tiriac"},
    {"Dvořák", "dvorak"},
    {"Őrsi Űr", "orsi ur"},
    {"José Muñoz", "jose munoz"},
    {"François", "francois"},
    {"ﬁnn ﬀ", "finn ff"},
    {"ＡＢＣ１２", "abc12"},
    {"ＡＢＣ　ｄ", "abc d"},
    {"Ⅻ", "xii"},
    {"№ 5", "no 5"},
    {"ΝΊΚΟΣ", "νικοσ"},
    {"Νίκος", "νικοσ"},
    {"Ёлкин Йоханн", "елкин иоханн"},
    {"ЧАЙКОВСКИЙ", "чаиковскии"},
    {"Їжак", "іжак"},
    {"Հայկ", "հայկ"},
    {"ՀԱՅԿ", "հայկ"},
    {"მარიამ", "მარიამ"},
    {"שָׁלוֹם", "שלום"},
    {"مُحَمَّد", "محمد"},
    {"أحمد", "احمد"},
    {"김철수", "김철수"},
    {"\u1100\u1175\u11b7", "김"},
    {"王小明", "王小明"},
    {"ﾀﾅｶ", "タナカ"},
    {"がく", "かく"},
    {"राम", "रम"},
    {"soft\u00adhyphen", "softhyphen"},
    {"zero\u200bwidth", "zerowidth"},
    {"\u202eabc", "abc"},
    {"a\x7f"
     "b\x01"
     "c",
     "a b c"},
    {"a\xc2\x85"
     "b",
     "a b"},
    {"M\xfcller", "muller"},
    {"\xff\xfe", "yth"},
    {"caf\xe9 Zo\xc3\xab", "cafe zoe"},
    {"cut \xe2\x82", "cut a"},
};

static void test_fold(struct span text, const char *expected, struct buf *out)
{
    buf_clear(out);
    assert_int_equal(fold(text, out), ERR_OK);
    buf_byte(out, '\0');
    assert_int_equal(buf_err(out), ERR_OK);
    assert_string_equal((const char *)out->data, expected);
}

static void names_of_many_scripts_are_folded_and_stay_so(void **state)
{
    struct buf out = {0};
    unsigned checked = 0;

    (void)state;
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        test_fold(span_str(names[index].text), names[index].folded, &out);
        test_fold(span_str(names[index].folded), names[index].folded, &out);
        checked++;
    }
    assert_true(checked >= 40);
    buf_release(&out);
}

static size_t letter_write(uint32_t letter, uint8_t *out)
{
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t size = letter < 0x80 ? 1 : letter < 0x800 ? 2 : letter < 0x10000 ? 3 : 4;

    if (size == 1) {
        out[0] = (uint8_t)letter;
        return size;
    }
    for (size_t at = size; at-- > 1; letter >>= 6)
        out[at] = (uint8_t)(0x80 | (letter & 0x3f));
    out[0] = (uint8_t)(first[size] | letter);
    return size;
}

static void every_letter_of_unicode_folds_once_and_for_all(void **state)
{
    struct buf once = {0}, twice = {0};
    unsigned checked = 0;
    uint8_t text[4];

    (void)state;
    for (uint32_t letter = 1; letter < 0x110000; letter++) {
        if (letter >= 0xd800 && letter < 0xe000)
            continue;
        buf_clear(&once);
        buf_clear(&twice);
        assert_int_equal(fold(span_of(text, letter_write(letter, text)), &once), ERR_OK);
        assert_int_equal(fold(buf_span(&once), &twice), ERR_OK);
        if (!span_is_equal(buf_span(&once), buf_span(&twice)))
            fail_msg("U+%04X", letter);
        checked++;
    }
    assert_int_equal(checked, 0x110000 - 1 - 0x800);
    buf_release(&once);
    buf_release(&twice);
}

static void what_was_in_the_buffer_stays(void **state)
{
    struct buf out = {0};

    (void)state;
    buf_append(&out, span_str("kept "));
    assert_int_equal(fold(span_str(" Ann "), &out), ERR_OK);
    assert_int_equal(fold(span_str(" Zoë "), &out), ERR_OK);
    assert_int_equal(fold((struct span){0}, &out), ERR_OK);
    assert_true(span_is_equal(buf_span(&out), span_str("kept annzoe")));
    buf_release(&out);
}

/* n-1, n and n+1 bytes, and a letter of two bytes across the bound. */
static void long_text_is_cut_before_the_letter_that_does_not_fit(void **state)
{
    static uint8_t text[FOLD_SIZE_MAX + 2];
    struct buf out = {0};

    (void)state;
    memset(text, 'A', sizeof text);
    for (size_t size = FOLD_SIZE_MAX - 1; size <= FOLD_SIZE_MAX + 1; size++) {
        buf_clear(&out);
        assert_int_equal(fold(span_of(text, size), &out), ERR_OK);
        assert_int_equal(out.size, size < FOLD_SIZE_MAX ? size : FOLD_SIZE_MAX);
    }
    memcpy(text + FOLD_SIZE_MAX - 1, "\xc3\xab", 2);
    buf_clear(&out);
    assert_int_equal(fold(span_of(text, sizeof text), &out), ERR_OK);
    assert_int_equal(out.size, FOLD_SIZE_MAX - 1);
    memset(text, 0x80, sizeof text); /* No character begins here: Latin-1 control bytes. */
    buf_clear(&out);
    assert_int_equal(fold(span_of(text, sizeof text), &out), ERR_OK);
    assert_int_equal(out.size, 0);
    buf_release(&out);
}

/* U+FDFA is the longest of all: 3 bytes become 33. */
static void the_longest_ligature_fits_the_promise(void **state)
{
    static uint8_t text[FOLD_SIZE_MAX];
    struct buf out = {0};

    (void)state;
    for (size_t at = 0; at + 3 <= sizeof text; at += 3)
        memcpy(text + at, "\xef\xb7\xba", 3);
    assert_int_equal(fold(span_of(text, sizeof text - 1), &out), ERR_OK);
    assert_in_range(out.size, FOLD_SIZE_MAX * 10, FOLD_SIZE_MAX * 11);
    buf_release(&out);
}

static void no_memory_is_said(void **state)
{
    static const char *const texts[] = {"plain text", "Zoë \xff"};

    (void)state;
    for (size_t index = 0; index < 2; index++) {
        enum err err = ERR_NOMEM;
        unsigned failed = 0;

        for (size_t after = 0; err != ERR_OK; after++) {
            struct buf out = {0};

            heap_failing_after(after);
            err = fold(span_str(texts[index]), &out);
            heap_failing_after(SIZE_MAX);
            assert_true(err == ERR_OK || err == ERR_NOMEM);
            failed += err == ERR_NOMEM;
            buf_release(&out);
        }
        assert_true(failed > 0);
    }
}

struct words {
    struct buf text;
    unsigned left;
};

static enum err words_add(void *context, struct span word)
{
    struct words *words = context;

    if (words->left == 0)
        return ERR_LIMIT;
    words->left--;
    assert_true(word.size > 0 && word.size <= FOLD_WORD_SIZE_MAX);
    buf_append(&words->text, word);
    buf_byte(&words->text, '|');
    return ERR_OK;
}

static void text_falls_into_words(void **state)
{
    static const struct {
        const char *folded, *words;
    } cases[] = {
        {"", ""},
        {" ", ""},
        {"--", ""},
        {"ann", "ann|"},
        {"ann lee", "ann|lee|"},
        {"(ann), lee!", "ann|lee|"},
        {"o'brien-smith", "o|brien|smith|"},
        {"ann@example.org", "ann|example|org|"},
        {"+49 30 1234", "49|30|1234|"},
        {"νικοσ και елкин", "νικοσ|και|елкин|"},
        {"김철수 王小明", "김철수|王小明|"},
        {"م٣", "م٣|"},
        {"a\xff"
         "b",
         "a|b|"},
        {"abcdefghijklmnopqrstuvw", "abcdefghijklmnopqrstuvw|"},
        {"abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx|"},
        {"abcdefghijklmnopqrstuvwxy z", "abcdefghijklmnopqrstuvwx|z|"},
        {"aийклмнопрстуф", "aийклмнопрст|"},
        {"王王王王王王王王王 b", "王王王王王王王王|b|"},
    };
    struct words words = {.left = 1000};

    (void)state;
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        buf_clear(&words.text);
        assert_int_equal(fold_words(span_str(cases[index].folded), words_add, &words), ERR_OK);
        buf_byte(&words.text, '\0');
        assert_string_equal((const char *)words.text.data, cases[index].words);
    }
    buf_release(&words.text);
}

static void an_error_ends_the_walk(void **state)
{
    struct words words = {.left = 2};

    (void)state;
    assert_int_equal(fold_words(span_str("a b c d"), words_add, &words), ERR_LIMIT);
    assert_true(span_is_equal(buf_span(&words.text), span_str("a|b|")));
    words.left = 0;
    assert_int_equal(fold_words(span_str("last"), words_add, &words), ERR_LIMIT);
    buf_release(&words.text);
}

static void what_cannot_be_seen_is_told_from_what_can(void **state)
{
    static const char *const unseen[] = {"",
                                         "  \t",
                                         "\xe2\x80\x8b",
                                         "\xe2\x80\xae\xe2\x80\xac",
                                         "\xc2\xa0",
                                         "\xe3\x80\x80",
                                         "\xe3\x85\xa4",
                                         "\xef\xbe\xa0",
                                         "\xcc\x81\xcc\x82",
                                         "\xef\xb8\x8f",
                                         "\xef\xbb\xbf",
                                         "\xc2\xad",
                                         "\xf3\xa0\x81\x81",
                                         "\xe2\xa0\x80",
                                         "\xe2\x80\xa8",
                                         "\x7f"};
    static const char *const seen[] = {"a",
                                       "\xe2\x80\x8b"
                                       "a",
                                       "?",
                                       "\xe6\x9d\x8e",
                                       "\xf0\x9f\xa6\x8a",
                                       "e\xcc\x81",
                                       "\xe0\xb8\x81",
                                       "\xff"};

    (void)state;
    for (size_t at = 0; at < sizeof unseen / sizeof unseen[0]; at++)
        if (fold_is_seen(span_str(unseen[at])))
            fail_msg("%zu is seen", at);
    for (size_t at = 0; at < sizeof seen / sizeof seen[0]; at++)
        if (!fold_is_seen(span_str(seen[at])))
            fail_msg("%zu is not seen", at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_many_scripts_are_folded_and_stay_so),
        cmocka_unit_test(every_letter_of_unicode_folds_once_and_for_all),
        cmocka_unit_test(what_was_in_the_buffer_stays),
        cmocka_unit_test(long_text_is_cut_before_the_letter_that_does_not_fit),
        cmocka_unit_test(the_longest_ligature_fits_the_promise),
        cmocka_unit_test(no_memory_is_said),
        cmocka_unit_test(text_falls_into_words),
        cmocka_unit_test(an_error_ends_the_walk),
        cmocka_unit_test(what_cannot_be_seen_is_told_from_what_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
