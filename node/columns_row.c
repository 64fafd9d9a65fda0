/*
 * Each row is read twice: first for what belongs to other cells (labels, parts of a name, of an
 * address), then for the values in their order.
 */
#include "node/columns.h"

#include <stdio.h>
#include <string.h>

#include "node/columns_table.h"
#include "node/property.h"
#include "node/vcard_text.h"

enum { COLUMNS_N = 5, COLUMNS_ADR_PARTS = 9, COLUMNS_FIELDS = 3 };

struct columns_address {
    struct span parts[COLUMNS_ADR_PARTS];
    struct span formatted, label;
};

struct columns_scratch {
    const struct columns *columns;
    const struct csv_row *row;
    struct person *person;
    struct span n[COLUMNS_N];
    struct span org, department;
    struct columns_address addresses[COLUMNS_SLOTS];
    struct span labels[COLUMNS_FIELDS][COLUMNS_SLOTS]; /* of e-mails, phones, web addresses */
    struct buf text;
};

static const struct columns_meaning *columns_of(const struct columns_scratch *scratch, size_t at)
{
    static const struct columns_meaning unknown = {.what = COLUMNS_UNKNOWN};

    return at < scratch->columns->count ? &scratch->columns->meanings[at] : &unknown;
}

/* Google marks its own labels with a star. */
static struct span columns_unstar(struct span text)
{
    text = person_trim(text);
    if (text.size > 2 && text.data[0] == '*' && text.data[1] == ' ')
        return person_trim(span_of(text.data + 2, text.size - 2));
    return text;
}

/* What belongs to other cells. */
static void columns_gather(struct columns_scratch *scratch)
{
    for (size_t at = 0; at < scratch->row->count; at++) {
        const struct columns_meaning *meaning = columns_of(scratch, at);
        struct span cell = csv_plain(person_trim(scratch->row->cells[at]));
        struct columns_address *address = &scratch->addresses[meaning->slot];

        if (cell.size == 0)
            continue;
        switch ((enum columns_what)meaning->what) {
        case COLUMNS_NAME_PART:
            scratch->n[meaning->part] = cell;
            break;
        case COLUMNS_ORG:
            scratch->org = scratch->org.size > 0 ? scratch->org : cell;
            break;
        case COLUMNS_DEPARTMENT:
            scratch->department = cell;
            break;
        case COLUMNS_VALUE_LABEL:
            scratch->labels[meaning->part - CONTACT_EMAILS][meaning->slot] = columns_unstar(cell);
            break;
        case COLUMNS_ADR:
            address->parts[meaning->part] = cell;
            if (meaning->label != NULL)
                address->label = span_str(meaning->label);
            break;
        case COLUMNS_ADR_FORMATTED:
            address->formatted = cell;
            break;
        case COLUMNS_ADR_LABEL:
            address->label = columns_unstar(cell);
            break;
        default:
            break;
        }
    }
}

/* What a parameter can say in quotes: neither a quote nor what ends the line. */
static void columns_quote(struct span text, struct buf *out)
{
    buf_byte(out, '"');
    for (size_t at = 0; at < text.size; at++) {
        uint8_t letter = text.data[at];

        buf_byte(out, letter == '"' ? '\'' : letter < ' ' || letter == 0x7f ? ' ' : letter);
    }
    buf_byte(out, '"');
}

/* Known words in lower case, as vCards have them; others as they stand. */
static void columns_put_label(struct columns_scratch *scratch, struct span label, struct span value)
{
    buf_clear(&scratch->text);
    property_words(label, &scratch->text);
    person_label(scratch->person, scratch->text.size > 0 ? buf_span(&scratch->text) : label, value);
}

static struct span columns_plain_value(struct span value)
{
    static const char *const prefixes[] = {"mailto:", "tel:"};

    for (size_t at = 0; at < 2; at++) {
        size_t size = strlen(prefixes[at]);

        if (value.size > size && memcmp(value.data, prefixes[at], size) == 0)
            return span_of(value.data + size, value.size - size);
    }
    return value;
}

/* Cuts the next piece off a cell that holds several: at " ::: " (Google) or any of these letters.
 */
static bool columns_piece(struct span *rest, const char *letters, struct span *out)
{
    size_t at = 0, skip = 1;

    if (rest->data == NULL)
        return false;
    for (; at < rest->size; at++) {
        if (at + 3 <= rest->size && memcmp(rest->data + at, ":::", 3) == 0) {
            skip = 3;
            break;
        }
        if (rest->data[at] != 0 && strchr(letters, rest->data[at]) != NULL)
            break;
    }
    *out = person_trim(span_of(rest->data, at));
    *rest = at + skip <= rest->size && at < rest->size
                ? span_of(rest->data + at + skip, rest->size - at - skip)
                : span_of(NULL, 0);
    return true;
}

static void columns_put_values(struct columns_scratch *scratch,
                               const struct columns_meaning *meaning, struct span cell)
{
    struct span label = meaning->label != NULL
                            ? span_str(meaning->label)
                            : scratch->labels[meaning->part - CONTACT_EMAILS][meaning->slot];
    struct span value;

    while (columns_piece(&cell, "\n", &value)) {
        value = columns_plain_value(value);
        if (person_add(scratch->person, meaning->part, value))
            columns_put_label(scratch, label, value);
    }
}

static void columns_put_tags(struct columns_scratch *scratch, struct span cell)
{
    bool is_google = false;
    struct span tag;

    for (size_t at = 0; at + 3 <= cell.size; at++)
        is_google |= memcmp(cell.data + at, ":::", 3) == 0;
    while (columns_piece(&cell, is_google ? "\n" : ",;\n", &tag))
        if (!span_is_equal(tag, span_str("* myContacts"))) /* Where Google puts everybody. */
            (void)person_add(scratch->person, CONTACT_TAGS, columns_unstar(tag));
}

/* NAME;parameter:value, the value escaped. */
static void columns_put_property(struct columns_scratch *scratch, struct span name,
                                 struct span value)
{
    static const char empty_date[] = "0/0/00"; /* What Outlook writes for no birthday. */

    if (span_is_equal(value, span_str(empty_date)))
        return;
    buf_clear(&scratch->text);
    buf_append(&scratch->text, name);
    buf_byte(&scratch->text, ':');
    vcard_text_escape(value, &scratch->text);
    (void)person_add(scratch->person, CONTACT_EXTRAS, buf_span(&scratch->text));
}

/* What Outlook writes where nothing was entered. */
static bool columns_is_default(const struct columns *columns, struct span cell)
{
    static const char *const defaults[] = {"Normal", "False", "Unspecified"};

    for (size_t at = 0; columns->format == COLUMNS_OUTLOOK && at < 3; at++)
        if (span_is_equal(cell, span_str(defaults[at])))
            return true;
    return false;
}

static void columns_put_unknown(struct columns_scratch *scratch, size_t at, struct span cell)
{
    const struct columns *columns = scratch->columns;
    char number[32];
    struct span name = span_of(NULL, 0);
    struct buf head = {0};

    if (columns_is_default(columns, cell))
        return;
    if (at < columns->count) {
        size_t from = at > 0 ? columns->name_ends[at - 1] : 0;

        name = span_of(columns->names.data + from, columns->name_ends[at] - from);
    }
    if (name.size == 0) {
        (void)snprintf(number, sizeof number, "Column %zu", at + 1);
        name = span_str(number);
    }
    buf_append(&head, span_str("X-COLUMN;NAME="));
    columns_quote(name, &head);
    columns_put_property(scratch, buf_span(&head), cell);
    scratch->text.is_failed |= head.is_failed;
    buf_release(&head);
}

/* "12 Mar 2021" and a spreadsheet's "5-May-25" as 2021-03-12; anything else as it stands. */
static void columns_put_date(struct span date, struct buf *out)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    unsigned day = 0, year = 0, month = 0;
    char text[40];
    size_t at = 0, digits = 0;

    for (; at < date.size && date.data[at] >= '0' && date.data[at] <= '9' && at < 2; at++)
        day = day * 10 + (unsigned)(date.data[at] - '0');
    if (day >= 1 && day <= 31 && at + 5 < date.size &&
        (date.data[at] == ' ' || date.data[at] == '-'))
        for (unsigned name = 0; name < 12; name++)
            if ((date.data[at + 1] | 0x20) == months[3 * name] &&
                (date.data[at + 2] | 0x20) == months[3 * name + 1] &&
                (date.data[at + 3] | 0x20) == months[3 * name + 2])
                month = name + 1;
    for (at += 5; month > 0 && at < date.size && digits < 5; at++, digits++)
        year = date.data[at] >= '0' && date.data[at] <= '9'
                   ? year * 10 + (unsigned)(date.data[at] - '0')
                   : 10000;
    if (month == 0 || (digits != 2 && digits != 4) || year > 9999) {
        buf_append(out, date);
        return;
    }
    (void)snprintf(text, sizeof text, "%04u-%02u-%02u", digits == 2 ? 2000 + year : year, month,
                   day);
    buf_append(out, span_str(text));
}

static void columns_put_connected(struct columns_scratch *scratch, struct span cell)
{
    buf_clear(&scratch->text);
    buf_append(&scratch->text, span_str("connected on LinkedIn, "));
    columns_put_date(cell, &scratch->text);
    (void)person_set(scratch->person, CONTACT_MET, buf_span(&scratch->text));
}

/* Our own export: properties with a blank line between, formulas told by a quote (export.c). */
static void columns_put_extras(struct columns_scratch *scratch, struct span cell)
{
    while (cell.size > 0) {
        size_t at = 0;

        while (at + 1 < cell.size && (cell.data[at] != '\n' || cell.data[at + 1] != '\n'))
            at++;
        if (at + 1 >= cell.size)
            at = cell.size;
        (void)person_add(scratch->person, CONTACT_EXTRAS, span_of(cell.data, at));
        cell = at < cell.size ? span_of(cell.data + at + 2, cell.size - at - 2) : span_of(NULL, 0);
    }
}

static void columns_put_photo(struct columns_scratch *scratch, struct span cell)
{
    static const char ours[] = "PHOTO;ENCODING=b";

    if (cell.size > sizeof ours && memcmp(cell.data, ours, sizeof ours - 1) == 0)
        (void)person_set(scratch->person, CONTACT_PHOTO, cell);
    else
        columns_put_property(scratch, span_str("PHOTO;VALUE=uri"), cell);
}

static void columns_put_cell(struct columns_scratch *scratch, size_t at)
{
    const struct columns_meaning *meaning = columns_of(scratch, at);
    struct span cell = csv_plain(person_trim(scratch->row->cells[at]));

    if (cell.size == 0)
        return;
    switch ((enum columns_what)meaning->what) {
    case COLUMNS_FIELD:
        if (!person_set(scratch->person, meaning->part, cell))
            columns_put_unknown(scratch, at, cell);
        break;
    case COLUMNS_EMAIL:
    case COLUMNS_PHONE:
    case COLUMNS_URL:
        columns_put_values(scratch, meaning, cell);
        break;
    case COLUMNS_TAGS:
        columns_put_tags(scratch, cell);
        break;
    case COLUMNS_CONNECTED:
        columns_put_connected(scratch, cell);
        break;
    case COLUMNS_PROPERTY:
        columns_put_property(scratch, span_str(meaning->label), cell);
        break;
    case COLUMNS_KIND:
        if (vcard_text_is(cell, "org"))
            (void)person_set(scratch->person, CONTACT_IS_ORG, span_of("1", 1));
        break;
    case COLUMNS_EXTRA:
        columns_put_extras(scratch, cell);
        break;
    case COLUMNS_PHOTO:
        columns_put_photo(scratch, cell);
        break;
    case COLUMNS_UNKNOWN:
        columns_put_unknown(scratch, at, cell);
        break;
    case COLUMNS_NAME_PART:
    case COLUMNS_ORG:
    case COLUMNS_DEPARTMENT:
    case COLUMNS_VALUE_LABEL:
    case COLUMNS_ADR:
    case COLUMNS_ADR_FORMATTED:
    case COLUMNS_ADR_LABEL:
    case COLUMNS_SKIP:
        break;
    }
}

/* The name by its parts; N is kept when the name alone would not bring it back. */
static void columns_put_name(struct columns_scratch *scratch)
{
    struct buf n = {0};
    bool has_parts = false;

    for (size_t at = 0; at < COLUMNS_N; at++)
        has_parts |= scratch->n[at].size > 0;
    if (!has_parts)
        return;
    property_join(scratch->n, COLUMNS_N, &n);
    buf_clear(&scratch->text);
    property_name_of(buf_span(&n), &scratch->text);
    (void)person_set(scratch->person, CONTACT_NAME, buf_span(&scratch->text));
    buf_clear(&scratch->text);
    property_guess_n(person_text(scratch->person, CONTACT_NAME), &scratch->text);
    if (!span_is_equal(buf_span(&scratch->text), buf_span(&n))) {
        buf_clear(&scratch->text);
        buf_append(&scratch->text, span_str("N:"));
        buf_append(&scratch->text, buf_span(&n));
        (void)person_add(scratch->person, CONTACT_EXTRAS, buf_span(&scratch->text));
    }
    scratch->text.is_failed |= n.is_failed;
    buf_release(&n);
}

static void columns_put_org(struct columns_scratch *scratch)
{
    struct span units[2] = {scratch->org, scratch->department};
    struct buf org = {0};

    if (scratch->department.size == 0) {
        (void)person_set(scratch->person, CONTACT_ORG, scratch->org);
        return;
    }
    property_join(units, 2, &org);
    buf_clear(&scratch->text);
    property_org_of(buf_span(&org), &scratch->text);
    (void)person_set(scratch->person, CONTACT_ORG, buf_span(&scratch->text));
    buf_clear(&scratch->text);
    buf_append(&scratch->text, span_str("ORG:"));
    buf_append(&scratch->text, buf_span(&org));
    (void)person_add(scratch->person, CONTACT_EXTRAS, buf_span(&scratch->text));
    scratch->text.is_failed |= org.is_failed;
    buf_release(&org);
}

/* ADR;TYPE="work" */
static void columns_put_adr_head(struct span label, struct buf *out)
{
    struct buf small = {0};

    buf_clear(out);
    buf_append(out, span_str("ADR"));
    if (label.size == 0 || label.size > COLUMNS_NAME_MAX)
        return;
    for (size_t at = 0; at < label.size; at++) {
        uint8_t letter = label.data[at];

        if (letter >= 'A' && letter <= 'Z')
            letter |= 0x20;
        buf_byte(&small, letter == '"' || letter == ',' ? ' ' : letter);
    }
    buf_append(out, span_str(";TYPE="));
    columns_quote(buf_span(&small), out);
    out->is_failed |= small.is_failed;
    buf_release(&small);
}

/* An address as ADR, with where it is as the place. Google's formatted one stands for the street
 * where the parts are missing. */
static void columns_put_address(struct columns_scratch *scratch, struct columns_address *address)
{
    struct buf adr = {0}, street = {0};
    bool has_parts = false;

    for (size_t at = 0; at < COLUMNS_ADR_PARTS; at++)
        has_parts |= address->parts[at].size > 0;
    if (!has_parts && address->formatted.size == 0)
        return;
    buf_append(&street, has_parts ? address->parts[2] : address->formatted);
    for (size_t at = 7; at < COLUMNS_ADR_PARTS; at++)
        if (address->parts[at].size > 0) {
            buf_append(&street, span_str(street.size > 0 ? ", " : ""));
            buf_append(&street, address->parts[at]);
        }
    address->parts[2] = buf_span(&street);
    property_join(address->parts, 7, &adr);
    buf_clear(&scratch->text);
    property_place_of(buf_span(&adr), &scratch->text);
    (void)person_set(scratch->person, CONTACT_PLACE, buf_span(&scratch->text));
    columns_put_adr_head(address->label, &scratch->text);
    buf_byte(&scratch->text, ':');
    buf_append(&scratch->text, buf_span(&adr));
    (void)person_add(scratch->person, CONTACT_EXTRAS, buf_span(&scratch->text));
    scratch->text.is_failed |= adr.is_failed || street.is_failed;
    buf_release(&adr);
    buf_release(&street);
}

bool columns_person(const struct columns *columns, const struct csv_row *row, struct person *person)
{
    struct columns_scratch scratch = {.columns = columns, .row = row, .person = person};

    person_begin(person, row->line);
    columns_gather(&scratch);
    for (size_t at = 0; at < row->count; at++)
        columns_put_cell(&scratch, at);
    columns_put_name(&scratch);
    columns_put_org(&scratch);
    for (size_t slot = 0; slot < COLUMNS_SLOTS; slot++)
        columns_put_address(&scratch, &scratch.addresses[slot]);
    person->text.is_failed |= scratch.text.is_failed;
    buf_release(&scratch.text);
    return person_settle_name(person);
}
