/* The table of KIND-3 in PROTOCOL.md says what the code has, row for row and field for field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/kind.h"

/* A row is told so: "| 10 | contact | self | 1 name t1000, 20 emails\* t1000 (why), ... |". */
static size_t kind_told[256]; /* how many fields each kind has in the table; SIZE_MAX: no row */

static unsigned kind_spaces(const char *text)
{
    static const struct {
        const char *name;
        unsigned spaces;
    } known[] = {
        {"self", 1U << SPACE_SELF},
        {"card", 1U << SPACE_CARD},
        {"pair", 1U << SPACE_PAIR},
        {"network", 1U << SPACE_NETWORK},
        {"all", 1U << SPACE_SELF | 1U << SPACE_CARD | 1U << SPACE_PAIR | 1U << SPACE_NETWORK}};
    unsigned spaces = 0;

    for (size_t at = 0; at < sizeof known / sizeof known[0]; at++)
        if (strstr(text, known[at].name) != NULL)
            spaces |= known[at].spaces;
    return spaces;
}

/* The type and the bound are the last word before what is in brackets: "t1000", "b32", "n". */
static void kind_check_type(const struct kind *kind, const struct field *field, const char *begin,
                            const char *end)
{
    static const char letters[] = {[VALUE_NUMBER] = 'n', [VALUE_TEXT] = 't', [VALUE_BYTES] = 'b'};
    char told[16] = "", known[16];

    while (end > begin && end[-1] == ' ')
        end--;
    while (end > begin && end[-1] != ' ')
        end--;
    (void)snprintf(told, sizeof told, "%s", end);
    told[strcspn(told, " ,;(|\n")] = '\0';
    (void)snprintf(known, sizeof known, field->size_max > 0 ? "%c%u" : "%c", letters[field->type],
                   (unsigned)field->size_max);
    if (strcmp(told, known) != 0)
        fail_msg("%s of %s is %s and not %s", field->name, kind->name, known, told);
}

/* A field begins after the fields' bar or a comma, with its number; what is in brackets explains.
 */
static size_t kind_check_fields(const struct kind *kind, const char *text)
{
    size_t count = 0;
    int depth = 0;

    for (const char *at = text; *at != '\0'; at++) {
        bool begins = depth == 0 && (at == text || strncmp(at - 2, ", ", 2) == 0);
        const struct field *field;
        const char *end;

        depth += (*at == '(') - (*at == ')');
        if (!begins || *at < '0' || *at > '9')
            continue;
        field = kind_field(kind, (uint8_t)strtoul(at, NULL, 10));
        if (field == NULL)
            fail_msg("%s has no field %.20s", kind->name, at);
        end = at + strcspn(at, ",;(|");
        assert_int_equal(memchr(at, '*', (size_t)(end - at)) != NULL, field->is_set);
        kind_check_type(kind, field, at, end);
        count++;
    }
    return count;
}

static void the_table_of_kinds_is_that_of_the_protocol(void **state)
{
    FILE *file = fopen(KITH_PROTOCOL, "r");
    char line[4096];
    size_t rows = 0;

    (void)state;
    assert_non_null(file);
    memset(kind_told, 0xff, sizeof kind_told);
    while (fgets(line, sizeof line, file) != NULL && strstr(line, "| kind | space |") == NULL)
        continue;
    while (fgets(line, sizeof line, file) != NULL && line[0] == '|') {
        unsigned long number;
        char *bars[5];
        char *at = line;

        if (line[1] == '-')
            continue;
        for (int bar = 0; bar < 4; bar++) {
            at = strchr(at, '|');
            assert_non_null(at);
            bars[bar] = ++at;
        }
        number = strtoul(bars[0], NULL, 10);
        assert_in_range(number, 1, 255);
        if (kind_find((uint8_t)number) == NULL)
            fail_msg("there is no kind %lu", number);
        bars[3][-1] = '\0';
        if (kind_spaces(bars[2]) != kind_find((uint8_t)number)->spaces)
            fail_msg("kind %lu is not in the spaces %s", number, bars[2]);
        kind_told[number] = kind_check_fields(kind_find((uint8_t)number), bars[3] + 1);
        rows++;
    }
    (void)fclose(file);
    assert_true(rows > 25);
    for (unsigned number = 0; number < 256; number++) {
        const struct kind *kind = kind_find((uint8_t)number);

        if (kind != NULL && kind_told[number] != kind->fields_count)
            fail_msg("the table does not tell all fields of kind %u", number);
    }
}

static void unknown_kinds_and_fields_are_none(void **state)
{
    (void)state;
    assert_null(kind_find(0));
    assert_null(kind_find(255));
    assert_null(kind_field(kind_find(KIND_CONTACT), 0));
    assert_null(kind_field(kind_find(KIND_CONTACT), 255));
    assert_null(kind_field_named(kind_find(KIND_CONTACT), span_str("nam")));
    assert_non_null(kind_field_named(kind_find(KIND_CONTACT), span_str("name")));
}

/* PROTOCOL KIND-2: "E-mails match in lower case, A to Z only; phones match by their digits and a
 * leading plus." */
static void values_of_sets_match_as_their_field_says(void **state)
{
    static const struct {
        enum field_match match;
        const char *value, *normal;
    } samples[] = {{MATCH_EMAIL, "Ana@EXAMPLE.org", "ana@example.org"},
                   {MATCH_EMAIL, "\xc3\x84@x", "\xc3\x84@x"},
                   {MATCH_EMAIL, "", ""},
                   {MATCH_PHONE, "+49 (30) 12-34", "+49301234"},
                   {MATCH_PHONE, "0049+30", "004930"},
                   {MATCH_PHONE, "ext.", ""},
                   {MATCH_EXACT, "A b", "A b"}};

    (void)state;
    for (size_t at = 0; at < sizeof samples / sizeof samples[0]; at++) {
        struct buf out = {0};

        kind_normalise(samples[at].match, span_str(samples[at].value), &out);
        assert_true(span_is_equal(buf_span(&out), span_str(samples[at].normal)));
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_kinds_is_that_of_the_protocol),
        cmocka_unit_test(unknown_kinds_and_fields_are_none),
        cmocka_unit_test(values_of_sets_match_as_their_field_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
