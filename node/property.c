/* RFC 6350 sections 3.3 (lines), 5 (parameters), 6.2.2 (N), 6.3.1 (ADR), 6.6.4 (ORG). */
#include "node/property.h"

#include <string.h>

#include "node/person.h"
#include "node/vcard_text.h"

enum { PROPERTY_COMPONENTS_MAX = 7 };

/* The words that say where something belongs, in the order a label tells them. */
static const char *const property_places[] = {"home", "work",   "school", "other", "main",
                                              "cell", "mobile", "fax",    "pager"};
enum { PROPERTY_PLACES = sizeof property_places / sizeof property_places[0] };

/* Where the value begins: at the first colon outside quotes. A quote that never ends is none. */
static size_t property_colon(struct span line)
{
    bool is_quoted = false;
    size_t first = line.size;

    for (size_t at = 0; at < line.size; at++) {
        if (line.data[at] == '"')
            is_quoted = !is_quoted;
        else if (line.data[at] == ':' && first == line.size)
            first = at;
        if (line.data[at] == ':' && !is_quoted)
            return at;
    }
    return first;
}

bool property_read(struct span line, struct property *out)
{
    size_t colon = property_colon(line);
    struct span head = span_of(line.data, colon);
    const uint8_t *semicolon, *dot;

    *out = (struct property){0};
    if (colon == line.size || colon == 0)
        return false;
    out->value = span_of(line.data + colon + 1, line.size - colon - 1);
    semicolon = memchr(head.data, ';', head.size);
    if (semicolon != NULL) {
        out->parameters = span_of(semicolon + 1, head.size - (size_t)(semicolon - head.data) - 1);
        head.size = (size_t)(semicolon - head.data);
    }
    dot = head.size > 0 ? memchr(head.data, '.', head.size) : NULL;
    if (dot != NULL) {
        out->group = span_of(head.data, (size_t)(dot - head.data));
        head = span_of(dot + 1, head.size - out->group.size - 1);
    }
    out->name = person_trim(head);
    return out->name.size > 0;
}

static struct span property_unquote(struct span text)
{
    if (text.size > 1 && text.data[0] == '"' && text.data[text.size - 1] == '"')
        return span_of(text.data + 1, text.size - 2);
    return text;
}

bool property_parameter(struct span *rest, struct span *out_key, struct span *out_value)
{
    const uint8_t *equals;
    struct span part;
    size_t size;

    if (!vcard_text_part(rest, ';', &part))
        return false;
    part = person_trim(part);
    equals = part.size > 0 ? memchr(part.data, '=', part.size) : NULL;
    size = equals != NULL ? (size_t)(equals - part.data) : 0;
    *out_key = person_trim(span_of(part.data, size));
    *out_value = equals != NULL ? span_of(equals + 1, part.size - size - 1) : part;
    *out_value = property_unquote(person_trim(*out_value));
    return true;
}

/* Calls for the next type of any parameter; list is what is left of one parameter's types. */
static bool property_type(struct span *rest, struct span *list, struct span *out)
{
    struct span key, value;

    for (;;) {
        if (vcard_text_part(list, ',', out)) {
            *out = person_trim(property_unquote(person_trim(*out)));
            if (out->size > 0)
                return true;
            continue;
        }
        if (!property_parameter(rest, &key, &value))
            return false;
        if (key.size == 0 || vcard_text_is(key, "TYPE"))
            *list = value;
    }
}

bool property_has_type(struct span parameters, const char *word)
{
    struct span list = {0}, type;

    while (property_type(&parameters, &list, &type))
        if (vcard_text_is(type, word))
            return true;
    return false;
}

void property_label(struct span parameters, struct buf *out)
{
    bool is_first = true;

    for (size_t at = 0; at < PROPERTY_PLACES && parameters.size > 0; at++) {
        if (!property_has_type(parameters, property_places[at]))
            continue;
        if (!is_first)
            buf_byte(out, ' ');
        buf_append(out, span_str(property_places[at]));
        is_first = false;
    }
}

void property_words(struct span label, struct buf *out)
{
    struct buf types = {0};
    struct span rest = label, word;

    buf_append(&types, span_str("TYPE="));
    while (vcard_text_part(&rest, ' ', &word)) {
        bool is_known = word.size == 0;

        for (size_t at = 0; at < PROPERTY_PLACES; at++)
            is_known |= vcard_text_is(word, property_places[at]);
        if (!is_known)
            label.size = 0;
        buf_append(&types, word);
        buf_byte(&types, ',');
    }
    if (label.size > 0)
        property_label(buf_span(&types), out);
    out->is_failed |= types.is_failed;
    buf_release(&types);
}

bool property_is_told_by(struct span parameters)
{
    struct span rest = parameters, list = {0}, key, value, type;

    while (property_parameter(&rest, &key, &value))
        if (value.size > 0 && key.size > 0 && !vcard_text_is(key, "TYPE") &&
            !vcard_text_is(key, "CHARSET") && !vcard_text_is(key, "ENCODING") &&
            !vcard_text_is(key, "VALUE"))
            return false;
    rest = parameters;
    while (property_type(&rest, &list, &type)) {
        bool is_told = vcard_text_is(type, "INTERNET") || vcard_text_is(type, "VOICE") ||
                       vcard_text_is(type, "QUOTED-PRINTABLE");

        for (size_t at = 0; at < PROPERTY_PLACES; at++)
            is_told |= vcard_text_is(type, property_places[at]);
        if (!is_told)
            return false;
    }
    return true;
}

/* Structured values. */

static void property_say(struct buf *out, struct span part, const char *between)
{
    struct buf plain = {0};
    struct span text;

    vcard_text_unescape(part, &plain);
    text = person_trim(buf_span(&plain));
    if (text.size > 0) {
        if (out->size > 0)
            buf_append(out, span_str(between));
        buf_append(out, text);
    }
    out->is_failed |= plain.is_failed;
    buf_release(&plain);
}

static void property_cut(struct span value, struct span parts[static PROPERTY_COMPONENTS_MAX])
{
    for (size_t at = 0; at < PROPERTY_COMPONENTS_MAX; at++)
        if (!vcard_text_component(&value, ';', &parts[at]))
            parts[at] = span_of(NULL, 0);
}

/* Several additional names or titles stand with commas: "Philip,Paul". */
static void property_say_list(struct buf *out, struct span list)
{
    struct span part;

    while (vcard_text_component(&list, ',', &part))
        property_say(out, part, " ");
}

void property_name_of(struct span n, struct buf *out)
{
    static const size_t order[] = {3, 1, 2, 0, 4};
    struct span parts[PROPERTY_COMPONENTS_MAX];
    struct buf name = {0};

    property_cut(n, parts);
    for (size_t at = 0; at < sizeof order / sizeof order[0]; at++)
        property_say_list(&name, parts[order[at]]);
    buf_append(out, buf_span(&name));
    out->is_failed |= name.is_failed;
    buf_release(&name);
}

void property_join(const struct span *components, size_t count, struct buf *out)
{
    for (size_t at = 0; at < count; at++) {
        if (at > 0)
            buf_byte(out, ';');
        vcard_text_escape(person_trim(components[at]), out);
    }
}

void property_guess_n(struct span name, struct buf *out)
{
    struct span parts[5] = {{0}};
    size_t cut = name.size;

    while (cut > 0 && name.data[cut - 1] != ' ')
        cut--;
    parts[0] = span_of(name.data + cut, name.size - cut);
    parts[1] = span_of(name.data, cut);
    property_join(parts, 5, out);
}

void property_org_of(struct span org, struct buf *out)
{
    struct buf joined = {0};
    struct span part;

    while (vcard_text_component(&org, ';', &part))
        property_say(&joined, part, ", ");
    buf_append(out, buf_span(&joined));
    out->is_failed |= joined.is_failed;
    buf_release(&joined);
}

void property_place_of(struct span adr, struct buf *out)
{
    struct span parts[PROPERTY_COMPONENTS_MAX];
    struct buf joined = {0};

    property_cut(adr, parts);
    property_say(&joined, parts[3], ", ");
    property_say(&joined, parts[4], ", ");
    property_say(&joined, parts[6], ", ");
    buf_append(out, buf_span(&joined));
    out->is_failed |= joined.is_failed;
    buf_release(&joined);
}
