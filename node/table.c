/* Header and rows walk the same list of columns. */
#include "node/table.h"

#include <stdio.h>
#include <string.h>

#include "node/columns.h"

struct table_column {
    const char *name;
    uint8_t field;
};

/* The columns before and after the numbered ones. */
static const struct table_column table_before[] = {
    {"Name", CONTACT_NAME},       {"Kind", CONTACT_IS_ORG},    {"Organization", CONTACT_ORG},
    {"Job Title", CONTACT_TITLE}, {"Place", CONTACT_PLACE},    {"Tags", CONTACT_TAGS},
    {"Note", CONTACT_NOTE},       {"How we met", CONTACT_MET}, {"UID", CONTACT_UID}};
static const struct table_column table_after[] = {{"Extra", CONTACT_EXTRAS},
                                                  {"Photo", CONTACT_PHOTO}};

static const struct {
    const char *name;
    uint8_t field;
    size_t count; /* offset in the shape */
} table_numbered[] = {{"E-mail", CONTACT_EMAILS, offsetof(struct table_shape, emails)},
                      {"Phone", CONTACT_PHONES, offsetof(struct table_shape, phones)},
                      {"Website", CONTACT_URLS, offsetof(struct table_shape, urls)}};

static uint8_t table_count(const struct table_shape *shape, size_t kind)
{
    return ((const uint8_t *)shape)[table_numbered[kind].count];
}

void table_shape_fit(struct table_shape *shape, const struct person *person)
{
    for (size_t kind = 0; kind < 3; kind++) {
        uint8_t *count = (uint8_t *)shape + table_numbered[kind].count;

        while (*count < COLUMNS_SLOTS - 1 &&
               person_at(person, table_numbered[kind].field, *count).size > 0)
            (*count)++;
    }
}

void table_write_header(const struct table_shape *shape, struct buf *out)
{
    char name[40];

    for (size_t at = 0; at < sizeof table_before / sizeof table_before[0]; at++) {
        csv_put(span_str(table_before[at].name), out);
        buf_byte(out, ',');
    }
    for (size_t kind = 0; kind < 3; kind++)
        for (unsigned at = 1; at <= table_count(shape, kind); at++) {
            (void)snprintf(name, sizeof name, "%s %u - Label,%s %u - Value,",
                           table_numbered[kind].name, at, table_numbered[kind].name, at);
            buf_append(out, span_str(name));
        }
    csv_put(span_str(table_after[0].name), out);
    buf_byte(out, ',');
    csv_put(span_str(table_after[1].name), out);
    buf_append(out, span_str("\r\n"));
}

/* All values of a field from one on, with this between. */
static void table_join(const struct person *person, uint8_t field, size_t from, const char *between,
                       struct buf *out)
{
    struct span value;

    buf_clear(out);
    for (size_t at = from; (value = person_at(person, field, at)).size > 0; at++) {
        if (at > from)
            buf_append(out, span_str(between));
        buf_append(out, value);
    }
}

/* Tags with commas in them are told apart as Google does. */
static void table_join_tags(const struct person *person, struct buf *out)
{
    bool has_comma = false;

    table_join(person, CONTACT_TAGS, 0, ", ", out);
    for (size_t at = 0; person_at(person, CONTACT_TAGS, at).size > 0; at++) {
        struct span tag = person_at(person, CONTACT_TAGS, at);

        has_comma |= memchr(tag.data, ',', tag.size) != NULL;
        has_comma |= memchr(tag.data, ';', tag.size) != NULL;
    }
    if (!has_comma)
        return;
    table_join(person, CONTACT_TAGS, 0, " ::: ", out);
    buf_append(out, span_str(" :::"));
}

static void table_put_column(const struct person *person, uint8_t field, struct buf *text,
                             struct buf *out)
{
    switch (field) {
    case CONTACT_IS_ORG:
        csv_put(span_str(person_text(person, field).size > 0 ? "org" : ""), out);
        return;
    case CONTACT_TAGS:
        table_join_tags(person, text);
        break;
    case CONTACT_EXTRAS:
        table_join(person, field, 0, "\n\n", text);
        break;
    default:
        csv_put(person_text(person, field), out);
        return;
    }
    csv_put(buf_span(text), out);
}

static void table_put_numbered(const struct table_shape *shape, const struct person *person,
                               size_t kind, struct buf *text, struct buf *out)
{
    uint8_t count = table_count(shape, kind);

    for (size_t at = 0; at < count; at++) {
        struct span value = person_at(person, table_numbered[kind].field, at);

        csv_put(person_label_of(person, value), out);
        buf_byte(out, ',');
        if (at + 1 == COLUMNS_SLOTS - 1)
            table_join(person, table_numbered[kind].field, at, " ::: ", text);
        csv_put(at + 1 == COLUMNS_SLOTS - 1 ? buf_span(text) : value, out);
        buf_byte(out, ',');
    }
}

void table_write(const struct table_shape *shape, const struct person *person, struct buf *out)
{
    struct buf text = {0};

    for (size_t at = 0; at < sizeof table_before / sizeof table_before[0]; at++) {
        table_put_column(person, table_before[at].field, &text, out);
        buf_byte(out, ',');
    }
    for (size_t kind = 0; kind < 3; kind++)
        table_put_numbered(shape, person, kind, &text, out);
    table_put_column(person, table_after[0].field, &text, out);
    buf_byte(out, ',');
    table_put_column(person, table_after[1].field, &text, out);
    buf_append(out, span_str("\r\n"));
    out->is_failed |= text.is_failed;
    buf_release(&text);
}
