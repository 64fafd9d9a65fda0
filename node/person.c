/* Values lie one after the other in one buffer, so that a file of a hundred thousand people costs
 * no more memory than its longest card. */
#include "node/person.h"

#include <string.h>

#include "proto/kind.h"
#include "proto/limits.h"
#include "proto/scan.h"
#include "storage/fold.h"

void person_begin(struct person *person, size_t line)
{
    buf_clear(&person->text);
    buf_clear(&person->values);
    person->line = line;
    person->is_cut = person->is_unended = false;
}

struct span person_trim(struct span text)
{
    while (text.size > 0 && (text.data[0] <= ' ' || text.data[0] == 0x7f))
        text = span_of(text.data + 1, text.size - 1);
    while (text.size > 0 && (text.data[text.size - 1] <= ' ' || text.data[text.size - 1] == 0x7f))
        text.size--;
    return text;
}

size_t person_count(const struct person *person)
{
    return person->values.size / sizeof(struct person_value);
}

static const struct person_value *person_values(const struct person *person)
{
    return (const struct person_value *)(const void *)person->values.data;
}

/* A note keeps its lines, an extra the ends of its properties, a label its mark. */
static bool person_keeps(uint8_t field, uint8_t letter)
{
    switch (field) {
    case CONTACT_NOTE:
        return letter == '\n' || letter == '\t';
    case CONTACT_EXTRAS:
        return letter == '\n' || letter == '\t';
    case CONTACT_LABELS:
        return letter == PERSON_LABEL_MARK;
    default:
        return false;
    }
}

/* Control bytes in the middle become spaces, a line end of two bytes one, and in a note a line end
 * of an old Mac; in an extra that would make a property of what was none. */
/* PROTOCOL IMPORT-4: "A person has at most PERSON_VALUES_MAX values of PERSON_SIZE_MAX bytes
 * together, so that one edit holds them" */
static void person_put(struct person *person, uint8_t field, struct span text)
{
    struct person_value value = {
        .field = field, .at = (uint32_t)person->text.size, .size = (uint32_t)text.size};
    uint8_t *at;

    if (text.size > PERSON_SIZE_MAX - person->text.size ||
        person_count(person) == PERSON_VALUES_MAX) {
        person->is_cut = true;
        return;
    }
    at = buf_grow(&person->text, text.size);
    if (at == NULL)
        return;
    value.size = 0;
    for (size_t from = 0; from < text.size; from++) {
        uint8_t letter = text.data[from];

        if (letter == '\r' && from + 1 < text.size && text.data[from + 1] == '\n')
            continue;
        if ((letter < ' ' || letter == 0x7f) && !person_keeps(field, letter))
            letter = letter == '\r' && field == CONTACT_NOTE ? '\n' : ' ';
        at[value.size++] = letter;
    }
    person->text.size = value.at + value.size;
    buf_append(&person->values, span_of(&value, sizeof value));
}

bool person_set(struct person *person, uint8_t field, struct span text)
{
    const struct field *about = kind_field(&contact_kind, field);
    size_t max = about->size_max;

    text = person_trim(text);
    if (!fold_is_seen(text) || person_at(person, field, 0).size > 0)
        return false;
    if (text.size > max) {
        person->is_cut = true;
        text = scan_cut(text, max);
    }
    person_put(person, field, text);
    return true;
}

bool person_add(struct person *person, uint8_t field, struct span text)
{
    const struct field *about = kind_field(&contact_kind, field);

    text = person_trim(text);
    if (!fold_is_seen(text))
        return false;
    if (text.size > about->size_max) {
        person->is_cut = true;
        return false;
    }
    person_put(person, field, text);
    return true;
}

void person_label(struct person *person, struct span label, struct span value)
{
    struct buf text = {0};

    label = person_trim(label);
    value = person_trim(value);
    if (label.size == 0 || value.size == 0 ||
        memchr(label.data, PERSON_LABEL_MARK, label.size) != NULL ||
        person_label_of(person, value).size > 0)
        return;
    buf_append(&text, scan_cut(label, TEXT_SIZE_MAX));
    buf_byte(&text, PERSON_LABEL_MARK);
    buf_append(&text, value);
    (void)person_add(person, CONTACT_LABELS, buf_span(&text)); /* Too long: is_cut tells. */
    person->text.is_failed |= text.is_failed;
    buf_release(&text);
}

struct span person_value_at(const struct person *person, size_t index, uint8_t *out_field)
{
    const struct person_value *value = &person_values(person)[index];

    *out_field = value->field;
    return span_of(person->text.data + value->at, value->size);
}

struct span person_at(const struct person *person, uint8_t field, size_t index)
{
    const struct person_value *values = person_values(person);

    for (size_t at = 0; at < person_count(person); at++)
        if (values[at].field == field && index-- == 0)
            return span_of(person->text.data + values[at].at, values[at].size);
    return span_of(NULL, 0);
}

struct span person_label_of(const struct person *person, struct span value)
{
    const struct person_value *values = person_values(person);

    for (size_t at = 0; at < person_count(person); at++) {
        struct span text = span_of(person->text.data + values[at].at, values[at].size);
        const uint8_t *mark;
        size_t size;

        if (values[at].field != CONTACT_LABELS)
            continue;
        mark = memchr(text.data, PERSON_LABEL_MARK, text.size);
        size = mark != NULL ? (size_t)(mark - text.data) : text.size;
        if (size < text.size && span_is_equal(span_of(mark + 1, text.size - size - 1), value))
            return span_of(text.data, size);
    }
    return span_of(NULL, 0);
}

bool person_settle_name(struct person *person)
{
    static const uint8_t others[] = {CONTACT_ORG, CONTACT_EMAILS, CONTACT_PHONES};

    if (person_text(person, CONTACT_NAME).size > 0)
        return true;
    for (size_t at = 0; at < sizeof others; at++) {
        struct buf copy = {0};
        struct span other = person_text(person, others[at]);
        bool is_set;

        if (other.size == 0)
            continue;
        buf_append(&copy, other); /* It lies in the memory that is about to grow. */
        is_set = person_set(person, CONTACT_NAME, buf_span(&copy));
        buf_release(&copy);
        return is_set;
    }
    return false;
}

enum err person_err(const struct person *person)
{
    return person->text.is_failed || person->values.is_failed ? ERR_NOMEM : ERR_OK;
}

void person_release(struct person *person)
{
    buf_release(&person->text);
    buf_release(&person->values);
}
