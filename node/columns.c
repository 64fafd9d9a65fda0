/* The row that names the columns, read once into meanings; columns_row.c reads the others by them.
 */
#include "node/columns.h"

#include <stdio.h>
#include <string.h>

#include "node/columns_table.h"
#include "storage/fold.h"

/* The header. */

/* The folded name with # for its first number; false when it is too long to be one. */
static bool columns_normal(struct span name, char out[static COLUMNS_NAME_MAX + 2], uint8_t *slot)
{
    struct buf folded = {0};
    size_t size = 0;
    bool is_fine = fold(person_trim(name), &folded) == ERR_OK && folded.size <= COLUMNS_NAME_MAX;
    unsigned number = 0;

    for (size_t at = 0; is_fine && at < folded.size; at++) {
        uint8_t letter = folded.data[at];
        bool is_digit = letter >= '0' && letter <= '9';

        if (!is_digit) {
            out[size++] = (char)letter;
            continue;
        }
        number = number * 10 + (unsigned)(letter - '0');
        if (at + 1 == folded.size || folded.data[at + 1] < '0' || folded.data[at + 1] > '9')
            out[size++] = '#';
        is_fine = number < COLUMNS_SLOTS;
    }
    out[size] = '\0';
    *slot = (uint8_t)number;
    buf_release(&folded);
    return is_fine;
}

static struct columns_meaning columns_meaning(struct span name, enum columns_format format)
{
    struct columns_meaning meaning = {.what = COLUMNS_UNKNOWN};
    char normal[COLUMNS_NAME_MAX + 2], plain[COLUMNS_NAME_MAX + 2];
    const struct columns_name *found = NULL;
    uint8_t slot;
    size_t size;

    if (!columns_normal(name, normal, &slot))
        return meaning;
    /* Outlook numbers lines of a street, not streets: those names stand with their number. */
    size = strlen(normal);
    if (size > 1 && normal[size - 1] == '#' && slot < 10) {
        (void)snprintf(plain, sizeof plain, "%.*s%u", (int)size - 1, normal, slot);
        found = columns_table_find(plain, format);
    }
    if (found == NULL)
        found = columns_table_find(normal, format);
    if (found == NULL)
        return meaning;
    meaning = (struct columns_meaning){.what = found->what,
                                       .part = found->part,
                                       .slot = found->slot != 0 ? found->slot : slot,
                                       .label = found->label};
    return meaning;
}

static bool columns_has(const struct csv_row *row, const char *wanted)
{
    for (size_t at = 0; at < row->count; at++) {
        char normal[COLUMNS_NAME_MAX + 2];
        uint8_t slot;

        if (columns_normal(row->cells[at], normal, &slot) && strcmp(normal, wanted) == 0)
            return true;
    }
    return false;
}

static enum columns_format columns_format_of(const struct csv_row *row)
{
    bool has_first = columns_has(row, "first name") || columns_has(row, "given name");

    if (columns_has(row, "connected on") && has_first)
        return COLUMNS_LINKEDIN;
    if (columns_has(row, "e-mail # - value") || columns_has(row, "phone # - value") ||
        columns_has(row, "group membership") || columns_has(row, "organization # - name"))
        return COLUMNS_GOOGLE;
    if (columns_has(row, "e-mail address") && has_first &&
        (columns_has(row, "job title") || columns_has(row, "business phone") ||
         columns_has(row, "e-mail type") || columns_has(row, "company")))
        return COLUMNS_OUTLOOK;
    return COLUMNS_PLAIN;
}

static bool columns_says_who(const struct columns_meaning *meaning)
{
    return meaning->what == COLUMNS_NAME_PART || meaning->what == COLUMNS_ORG ||
           meaning->what == COLUMNS_EMAIL || meaning->what == COLUMNS_PHONE ||
           (meaning->what == COLUMNS_FIELD && meaning->part == CONTACT_NAME);
}

enum err columns_read(struct columns *out, const struct csv_row *row)
{
    buf_clear(&out->names);
    out->format = columns_format_of(row);
    out->known = 0;
    out->has_somebody = false;
    out->count = row->count;
    for (size_t at = 0; at < row->count; at++) {
        struct columns_meaning *meaning = &out->meanings[at];
        struct span name = person_trim(row->cells[at]);

        *meaning = columns_meaning(name, out->format);
        out->known += meaning->what != COLUMNS_UNKNOWN;
        out->has_somebody |= columns_says_who(meaning);
        buf_append(&out->names, name.size <= COLUMNS_NAME_MAX ? name : span_of(NULL, 0));
        out->name_ends[at] = out->names.size;
    }
    return buf_err(&out->names);
}

bool columns_is_header(const struct columns *columns)
{
    return columns->has_somebody && (columns->known >= 2 || columns->count == 1);
}

/* A cell by its looks. */
static struct columns_meaning columns_look(struct span cell)
{
    size_t digits = 0, others = 0;

    if (cell.size > 2 && memchr(cell.data + 1, '@', cell.size - 1) != NULL &&
        memchr(cell.data, ' ', cell.size) == NULL)
        return (struct columns_meaning){.what = COLUMNS_EMAIL, .part = CONTACT_EMAILS};
    if (cell.size > 4 && (memcmp(cell.data, "http", 4) == 0 || memcmp(cell.data, "www.", 4) == 0))
        return (struct columns_meaning){.what = COLUMNS_URL, .part = CONTACT_URLS};
    for (size_t at = 0; at < cell.size; at++) {
        digits += cell.data[at] >= '0' && cell.data[at] <= '9';
        others += strchr("0123456789+-/(). ", cell.data[at]) == NULL || cell.data[at] == 0;
    }
    if (digits >= 5 && others == 0)
        return (struct columns_meaning){.what = COLUMNS_PHONE, .part = CONTACT_PHONES};
    if (others > 1)
        return (struct columns_meaning){.what = COLUMNS_FIELD, .part = CONTACT_NAME};
    return (struct columns_meaning){.what = COLUMNS_UNKNOWN};
}

bool columns_guess(struct columns *out, const struct csv_row *row)
{
    bool has_name = false, has_reach = false;

    buf_clear(&out->names);
    out->format = COLUMNS_PLAIN;
    out->known = 0;
    out->count = row->count;
    for (size_t at = 0; at < row->count; at++) {
        struct columns_meaning *meaning = &out->meanings[at];

        *meaning = columns_look(person_trim(row->cells[at]));
        if (meaning->what == COLUMNS_FIELD && has_name)
            meaning->what = COLUMNS_UNKNOWN; /* Only the first words are the name. */
        has_name |= meaning->what == COLUMNS_FIELD;
        has_reach |= meaning->what == COLUMNS_EMAIL || meaning->what == COLUMNS_PHONE;
        out->known += meaning->what != COLUMNS_UNKNOWN;
        out->name_ends[at] = 0;
    }
    out->has_somebody = has_reach;
    return has_reach && buf_err(&out->names) == ERR_OK;
}

void columns_release(struct columns *columns)
{
    buf_release(&columns->names);
}
