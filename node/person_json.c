/* jansson parses one contact at a time; where each begins and ends is found by its braces. */
#include "node/person_json.h"

#include <string.h>

#include "node/vcard_text.h"

static const struct {
    const char *key;
    uint8_t field;
    bool is_list;
} person_keys[] = {{"name", CONTACT_NAME, false},    {"org", CONTACT_ORG, false},
                   {"title", CONTACT_TITLE, false},  {"emails", CONTACT_EMAILS, true},
                   {"phones", CONTACT_PHONES, true}, {"urls", CONTACT_URLS, true},
                   {"place", CONTACT_PLACE, false},  {"tags", CONTACT_TAGS, true},
                   {"note", CONTACT_NOTE, false},    {"met", CONTACT_MET, false},
                   {"uid", CONTACT_UID, false},      {"photo", CONTACT_PHOTO, false},
                   {"extra", CONTACT_EXTRAS, true}};
enum { PERSON_KEYS = sizeof person_keys / sizeof person_keys[0] };

static json_t *person_text_json(struct span text)
{
    return json_stringn((const char *)text.data, text.size);
}

static void person_put_labels(const struct person *person, json_t *out)
{
    json_t *labels = json_object();

    for (size_t at = 0; at < person_count(person); at++) {
        uint8_t field;
        struct span value = person_value_at(person, at, &field), label;

        if (field != CONTACT_EMAILS && field != CONTACT_PHONES && field != CONTACT_URLS)
            continue;
        label = person_label_of(person, value);
        if (label.size > 0)
            (void)json_object_setn_new(labels, (const char *)value.data, value.size,
                                       person_text_json(label));
    }
    if (json_object_size(labels) > 0)
        (void)json_object_set(out, "labels", labels);
    json_decref(labels);
}

json_t *person_to_json(const struct person *person)
{
    json_t *out = json_object();

    (void)json_object_set_new(
        out, "kind", json_string(person_text(person, CONTACT_IS_ORG).size > 0 ? "org" : "person"));
    for (size_t key = 0; key < PERSON_KEYS; key++) {
        struct span value = person_text(person, person_keys[key].field);
        json_t *list;

        if (value.size == 0)
            continue;
        if (!person_keys[key].is_list) {
            (void)json_object_set_new(out, person_keys[key].key, person_text_json(value));
            continue;
        }
        list = json_array();
        for (size_t at = 0; (value = person_at(person, person_keys[key].field, at)).size > 0; at++)
            (void)json_array_append_new(list, person_text_json(value));
        (void)json_object_set_new(out, person_keys[key].key, list);
    }
    person_put_labels(person, out);
    return out;
}

/* Reading. */

static struct span person_json_span(json_t *text)
{
    return json_is_string(text) ? span_of(json_string_value(text), json_string_length(text))
                                : span_of(NULL, 0);
}

static void person_from_json(json_t *from, struct person *person)
{
    json_t *labels = json_object_get(from, "labels"), *value;
    const char *about;

    for (size_t key = 0; key < PERSON_KEYS; key++) {
        size_t at;

        value = json_object_get(from, person_keys[key].key);
        if (!person_keys[key].is_list) {
            (void)person_set(person, person_keys[key].field, person_json_span(value));
            continue;
        }
        for (at = 0; at < json_array_size(value); at++)
            (void)person_add(person, person_keys[key].field,
                             person_json_span(json_array_get(value, at)));
    }
    if (vcard_text_is(person_json_span(json_object_get(from, "kind")), "org"))
        (void)person_set(person, CONTACT_IS_ORG, span_str("1"));
    json_object_foreach(labels, about, value)
        person_label(person, person_json_span(value), span_str(about));
}

struct person_scan {
    struct span rest;
    size_t line;
};

static uint8_t person_next(struct person_scan *scan)
{
    uint8_t letter = scan->rest.data[0];

    scan->line += letter == '\n';
    scan->rest = span_of(scan->rest.data + 1, scan->rest.size - 1);
    return letter;
}

/* Passes over a text that has begun. */
static void person_skip_text(struct person_scan *scan)
{
    while (scan->rest.size > 0) {
        uint8_t letter = person_next(scan);

        if (letter == '\\' && scan->rest.size > 0)
            (void)person_next(scan);
        else if (letter == '"')
            return;
    }
}

/* Cuts the next object of the list off; false at the end of the list. Too deep ones come with
 * out_depth beyond the bound. */
static bool person_next_object(struct person_scan *scan, struct span *out, size_t *out_line,
                               size_t *out_depth)
{
    const uint8_t *begun = NULL;
    size_t depth = 0;

    *out_depth = 0;
    while (scan->rest.size > 0) {
        const uint8_t *at = scan->rest.data;
        size_t line = scan->line;
        uint8_t letter = person_next(scan);

        if (letter == '"') {
            person_skip_text(scan);
        } else if (letter == '{' || letter == '[') {
            if (depth == 0) {
                begun = at;
                *out_line = line;
            }
            depth++;
            *out_depth = depth > *out_depth ? depth : *out_depth;
        } else if (letter == '}' || letter == ']') {
            if (depth == 0)
                return false;
            if (--depth == 0) {
                *out = span_of(begun, (size_t)(scan->rest.data - begun));
                return true;
            }
        }
    }
    return false;
}

/* The list: of the key "contacts", or the whole file. */
static bool person_find_list(struct person_scan *scan)
{
    static const char key[] = "contacts\"";
    bool is_whole = true;

    while (scan->rest.size > 0) {
        const uint8_t *text;
        uint8_t letter = person_next(scan);

        if (letter == '[' && is_whole)
            return true;
        if (letter != '"') {
            is_whole &= letter <= ' ';
            continue;
        }
        is_whole = false;
        text = scan->rest.data;
        person_skip_text(scan);
        if ((size_t)(scan->rest.data - text) != sizeof key - 1 ||
            memcmp(text, key, sizeof key - 1) != 0)
            continue;
        while (scan->rest.size > 0 && scan->rest.data[0] != '[' &&
               (scan->rest.data[0] <= ' ' || scan->rest.data[0] == ':'))
            (void)person_next(scan);
        if (scan->rest.size > 0 && scan->rest.data[0] == '[') {
            (void)person_next(scan);
            return true;
        }
    }
    return false;
}

static enum err person_read_object(struct span text, struct person *person,
                                   const struct person_reader *reader)
{
    json_error_t error;
    json_t *object = json_loadb((const char *)text.data, text.size, 0, &error);
    enum err err;

    if (!json_is_object(object)) {
        json_decref(object);
        reader->reject(reader->self, person->line, "that is no contact in JSON");
        return ERR_OK;
    }
    person_from_json(object, person);
    json_decref(object);
    if (!person_settle_name(person)) {
        reader->reject(reader->self, person->line,
                       "the contact has no name, organisation, e-mail or phone");
        return ERR_OK;
    }
    err = person_err(person);
    return err == ERR_OK ? reader->person(reader->self, person) : err;
}

enum err person_read_json(struct span file, const struct person_reader *reader)
{
    struct person_scan scan = {.rest = file, .line = 1};
    struct person person = {0};
    struct span text;
    size_t line, depth;
    enum err err = person_find_list(&scan) ? ERR_OK : ERR_MALFORMED;

    while (err == ERR_OK && person_next_object(&scan, &text, &line, &depth)) {
        person_begin(&person, line);
        if (text.size > PERSON_JSON_MAX || depth > PERSON_JSON_DEPTH)
            reader->reject(reader->self, line, "the contact is larger than 1 MiB, or too deep");
        else
            err = person_read_object(text, &person, reader);
    }
    person_release(&person);
    return err;
}
