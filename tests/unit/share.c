/* The body of a shared contact: each bound below, at and beyond it, and what two readers can tell
 * from an id. PROTOCOL SHARE-1 to SHARE-3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/share.h"
#include "proto/wire.h"

static char share_letters[SHARE_SIZE_MAX + 2];

static struct share share_sample(void)
{
    memset(share_letters, 'a', sizeof share_letters);
    return (struct share){.texts = {span_str("Dana Ito"), span_str("Ito Design"),
                                    span_str("Designer"), span_str("Norman OK")},
                          .sets = {{.values = {span_str("dana@example.org")}, .count = 1},
                                   {.values = {span_str("+49 30 5550100")}, .count = 1},
                                   {.values = {span_str("https://ito.example")}, .count = 1},
                                   {.values = {span_str("design"), span_str("print")}, .count = 2}},
                          .why = span_str("She looks for work."),
                          .shared_s = 1772000000};
}

static struct span share_of_size(size_t size)
{
    return span_of(share_letters, size);
}

static void assert_fault(const struct share *share, enum share_fault wanted)
{
    struct buf out = {0};
    enum share_fault fault;
    enum err err = share_write(share, &out, &fault);

    assert_int_equal(err, wanted == SHARE_FINE ? ERR_OK : ERR_INVALID);
    assert_int_equal(fault, wanted);
    assert_int_equal(share_check(share), wanted == SHARE_LARGE ? SHARE_FINE : wanted);
    assert_true(wanted == SHARE_FINE || share_fault_text(fault)[0] != '\0');
    buf_release(&out);
}

static void share_reads_what_was_written(void **state)
{
    struct share share = share_sample(), again;
    struct buf out = {0};
    enum share_fault fault;

    (void)state;
    share.is_org = true;
    assert_int_equal(share_write(&share, &out, &fault), ERR_OK);
    assert_int_equal(share_read(buf_span(&out), &again, &fault), ERR_OK);
    assert_int_equal(fault, SHARE_FINE);
    assert_true(share_is_equal(&share, &again));
    assert_true(span_is_equal(share.why, again.why));
    assert_true(again.is_org && again.shared_s == share.shared_s);
    buf_release(&out);
}

static void share_keeps_every_bound_of_a_text(void **state)
{
    static const struct {
        size_t text, most;
        enum share_fault fault;
    } rows[] = {{0, NAME_SIZE_MAX, SHARE_NAME_LONG},
                {1, SHARE_TEXT_SIZE_MAX, SHARE_TEXT_LONG},
                {2, SHARE_TEXT_SIZE_MAX, SHARE_TEXT_LONG},
                {3, SHARE_TEXT_SIZE_MAX, SHARE_TEXT_LONG}};

    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        struct share share = share_sample();

        share.texts[rows[at].text] = share_of_size(rows[at].most - 1);
        assert_fault(&share, SHARE_FINE);
        share.texts[rows[at].text] = share_of_size(rows[at].most);
        assert_fault(&share, SHARE_FINE);
        share.texts[rows[at].text] = share_of_size(rows[at].most + 1);
        assert_fault(&share, rows[at].fault);
        share.texts[rows[at].text] = span_of("a\x01", 2);
        assert_fault(&share, SHARE_TEXT_BAD);
        share.texts[rows[at].text] = span_of("a\x7f", 2);
        assert_fault(&share, SHARE_TEXT_BAD);
        share.texts[rows[at].text] = span_of("a\0b", 3);
        assert_fault(&share, SHARE_TEXT_BAD);
        share.texts[rows[at].text] = span_of(NULL, 0);
        assert_fault(&share, rows[at].text == 0 ? SHARE_NAMELESS : SHARE_FINE);
    }
}

static void share_keeps_every_bound_of_a_set(void **state)
{
    (void)state;
    for (size_t set = 0; set < SHARE_SETS; set++) {
        struct share share = share_sample();

        for (size_t at = 0; at < SHARE_VALUES_MAX; at++)
            share.sets[set].values[at] = span_str("value");
        share.sets[set].count = SHARE_VALUES_MAX;
        assert_fault(&share, SHARE_FINE);
        share.sets[set].count = SHARE_VALUES_MAX + 1;
        assert_fault(&share, SHARE_VALUES_MANY);
        share.sets[set].count = 1;
        share.sets[set].values[0] = share_of_size(SHARE_TEXT_SIZE_MAX);
        assert_fault(&share, SHARE_FINE);
        share.sets[set].values[0] = share_of_size(SHARE_TEXT_SIZE_MAX + 1);
        assert_fault(&share, SHARE_VALUE_BAD);
        share.sets[set].values[0] = span_of(NULL, 0);
        assert_fault(&share, SHARE_VALUE_BAD);
        share.sets[set].values[0] = span_str("line\nend");
        assert_fault(&share, SHARE_TEXT_BAD);
    }
}

static void share_keeps_the_bounds_of_the_line_and_of_all(void **state)
{
    struct share share = share_sample();

    (void)state;
    share.why = share_of_size(SHARE_WHY_SIZE_MAX);
    assert_fault(&share, SHARE_FINE);
    share.why = share_of_size(SHARE_WHY_SIZE_MAX + 1);
    assert_fault(&share, SHARE_WHY_LONG);
    share.why = span_str("tab\t");
    assert_fault(&share, SHARE_TEXT_BAD);
    share.why = span_of(NULL, 0);
    for (size_t at = 0; at < 8; at++)
        share.sets[2].values[at] = share_of_size(SHARE_TEXT_SIZE_MAX);
    share.sets[2].count = 7;
    assert_fault(&share, SHARE_FINE);
    share.sets[2].count = 8;
    assert_fault(&share, SHARE_FINE);
    share.texts[1] = share_of_size(SHARE_TEXT_SIZE_MAX);
    assert_fault(&share, SHARE_LARGE);
}

/* What a stranger may write that share_write would not. */
static void share_refuses_other_shapes(void **state)
{
    struct share share = share_sample(), out;
    struct buf good = {0}, bad = {0};
    enum share_fault fault;

    (void)state;
    assert_int_equal(share_write(&share, &good, &fault), ERR_OK);
    for (size_t size = 0; size < good.size; size++) {
        assert_int_equal(share_read(span_of(good.data, size), &out, &fault), ERR_MALFORMED);
        assert_int_equal(fault, SHARE_UNREADABLE);
    }
    buf_append(&bad, buf_span(&good));
    bad.data[1] = 2; /* Another form. */
    assert_int_equal(share_read(buf_span(&bad), &out, &fault), ERR_MALFORMED);
    buf_clear(&bad);
    wire_put_array(&bad, 12);
    wire_put_uint(&bad, 1);
    for (size_t at = 0; at < SHARE_TEXTS; at++)
        wire_put_str(&bad, span_str("a"));
    wire_put_bool(&bad, false);
    wire_put_array(&bad, SHARE_VALUES_MAX + 1);
    for (size_t at = 0; at <= SHARE_VALUES_MAX; at++)
        wire_put_str(&bad, span_str("a"));
    for (size_t at = 0; at < 3; at++)
        wire_put_array(&bad, 0);
    wire_put_str(&bad, span_str(""));
    wire_put_uint(&bad, 1);
    assert_int_equal(share_read(buf_span(&bad), &out, &fault), ERR_MALFORMED);
    assert_int_equal(fault, SHARE_VALUES_MANY);
    assert_int_equal(share_read(share_of_size(SHARE_SIZE_MAX + 1), &out, &fault), ERR_MALFORMED);
    assert_int_equal(fault, SHARE_LARGE);
    buf_release(&good);
    buf_release(&bad);
}

static void share_ids_follow_from_reader_and_contact(void **state)
{
    const struct id pair = {{1}}, other_pair = {{2}}, contact = {{3}}, other = {{4}};
    const struct public_key one = {{5}}, two = {{6}};
    struct id id, again;

    (void)state;
    share_id(&pair, &contact, &id);
    share_id(&pair, &contact, &again);
    assert_true(id_is_equal(&id, &again));
    share_id(&other_pair, &contact, &again);
    assert_false(id_is_equal(&id, &again));
    share_id(&pair, &other, &again);
    assert_false(id_is_equal(&id, &again));
    share_record_id(&one, &contact, &id);
    share_record_id(&two, &contact, &again);
    assert_false(id_is_equal(&id, &again));
}

static void share_differs_in_what_is_told_and_not_in_when(void **state)
{
    struct share share = share_sample(), other = share_sample();

    (void)state;
    other.shared_s++;
    other.why = span_str("Again.");
    assert_true(share_is_equal(&share, &other));
    other.sets[3].count = 1;
    assert_false(share_is_equal(&share, &other));
    other = share_sample();
    other.sets[0].values[0] = span_str("other@example.org");
    assert_false(share_is_equal(&share, &other));
    other = share_sample();
    other.texts[2] = span_of(NULL, 0);
    assert_false(share_is_equal(&share, &other));
    other = share_sample();
    other.is_org = true;
    assert_false(share_is_equal(&share, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share_reads_what_was_written),
        cmocka_unit_test(share_keeps_every_bound_of_a_text),
        cmocka_unit_test(share_keeps_every_bound_of_a_set),
        cmocka_unit_test(share_keeps_the_bounds_of_the_line_and_of_all),
        cmocka_unit_test(share_refuses_other_shapes),
        cmocka_unit_test(share_ids_follow_from_reader_and_contact),
        cmocka_unit_test(share_differs_in_what_is_told_and_not_in_when),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
