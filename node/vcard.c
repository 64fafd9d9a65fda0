/*
 * Lines are unfolded one after the other; each gives a property; properties gather in a card until
 * END. Real exporters fold with spaces, tabs and soft line breaks, write \r\r\n, forget END and
 * nest cards: all of that is read.
 */
#include "node/vcard.h"

#include <string.h>
#include <strings.h>

#include "node/vcard_text.h"
#include "proto/limits.h"
#include "proto/scan.h"

/* One property: group.NAME;parameters:value, all borrowed from the unfolded line. */
struct vcard_property {
    struct span group, name, parameters, value, line;
    bool is_quoted; /* quoted-printable */
    struct span charset;
};

struct vcard_state {
    const struct vcard_reader *reader;
    struct span rest;   /* of the file */
    size_t line;        /* number of the line read last */
    struct buf logical; /* the line, unfolded */
    size_t begun_line;  /* of that line */
    json_t *person;     /* the card under way, or NULL */
    json_t *groups;     /* group name to label */
    json_t *grouped;    /* group name to e-mail or phone */
    struct buf name;    /* assembled from N */
    size_t person_line, properties, depth, cards;
    const char *why; /* the card cannot be read */
};

/* Lines. */

static bool vcard_next_physical(struct vcard_state *state, struct span *out)
{
    const uint8_t *end;
    size_t size;

    if (state->rest.size == 0)
        return false;
    end = memchr(state->rest.data, '\n', state->rest.size);
    size = end != NULL ? (size_t)(end - state->rest.data) : state->rest.size;
    *out = span_of(state->rest.data, size);
    size += end != NULL;
    state->rest = span_of(state->rest.data + size, state->rest.size - size);
    state->line++;
    while (out->size > 0 && out->data[out->size - 1] == '\r')
        out->size--;
    return true;
}

static bool vcard_is_soft_break(const struct vcard_state *state)
{
    static const char mark[] = "QUOTED-PRINTABLE";
    const struct buf *line = &state->logical;
    const uint8_t *colon;

    if (line->size == 0 || line->data[line->size - 1] != '=')
        return false;
    colon = memchr(line->data, ':', line->size);
    for (const uint8_t *at = line->data; colon != NULL && at + sizeof mark - 1 <= colon; at++)
        if (strncasecmp((const char *)at, mark, sizeof mark - 1) == 0)
            return true;
    return false;
}

/* Gathers one logical line. A line beyond the bound keeps its beginning, and its card is given up.
 */
static bool vcard_next_line(struct vcard_state *state)
{
    struct span line;

    buf_clear(&state->logical);
    if (!vcard_next_physical(state, &line))
        return false;
    state->begun_line = state->line;
    buf_append(&state->logical, line);
    for (;;) {
        bool is_soft = vcard_is_soft_break(state);
        bool is_folded =
            state->rest.size > 0 && (state->rest.data[0] == ' ' || state->rest.data[0] == '\t');

        if (!is_soft && !is_folded)
            break;
        if (is_soft)
            state->logical.size--;
        if (!vcard_next_physical(state, &line))
            break;
        if (is_folded)
            line = span_of(line.data + 1, line.size > 0 ? line.size - 1 : 0);
        if (state->logical.size + line.size > VCARD_LINE_MAX)
            state->why = "a line is longer than 1 MiB";
        else
            buf_append(&state->logical, line);
    }
    if (state->logical.size > VCARD_LINE_MAX) {
        state->logical.size = 0;
        state->why = "a line is longer than 1 MiB";
    }
    return true;
}

/* Properties. */

static bool vcard_is(struct span text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

/* Where the value begins: at the first colon outside quotes. */
static size_t vcard_colon(struct span line)
{
    bool is_quoted = false;

    for (size_t at = 0; at < line.size; at++) {
        if (line.data[at] == '"')
            is_quoted = !is_quoted;
        else if (line.data[at] == ':' && !is_quoted)
            return at;
    }
    return line.size;
}

/* The value of one parameter, or the bare word of 2.1. */
static void vcard_read_parameters(struct vcard_property *property)
{
    struct span rest = property->parameters, part;

    while (vcard_text_component(&rest, ';', &part)) {
        const uint8_t *equals = part.size > 0 ? memchr(part.data, '=', part.size) : NULL;
        size_t size = equals != NULL ? (size_t)(equals - part.data) : 0;
        struct span key = span_of(part.data, size);
        struct span value = equals != NULL ? span_of(equals + 1, part.size - size - 1) : part;

        if (vcard_is(value, "QUOTED-PRINTABLE") && (size == 0 || vcard_is(key, "ENCODING")))
            property->is_quoted = true;
        if (vcard_is(key, "CHARSET"))
            property->charset = value;
    }
}

static bool vcard_read_property(struct span line, struct vcard_property *out)
{
    size_t colon = vcard_colon(line);
    const uint8_t *semicolon, *dot;
    struct span head = span_of(line.data, colon);

    *out = (struct vcard_property){.line = line};
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
    out->name = head;
    vcard_read_parameters(out);
    return head.size > 0;
}

/* The value decoded to UTF-8, escapes still in. */
static void vcard_decode(const struct vcard_property *property, struct buf *out)
{
    struct buf plain = {0};

    if (property->is_quoted) {
        vcard_text_quoted(property->value, &plain);
        vcard_text_utf8(buf_span(&plain), property->charset, out);
        out->is_failed |= plain.is_failed;
        buf_release(&plain);
    } else {
        vcard_text_utf8(property->value, property->charset, out);
    }
}

/* What goes into a person. */

static struct span vcard_trim(struct span text)
{
    while (text.size > 0 && text.data[0] <= ' ')
        text = span_of(text.data + 1, text.size - 1);
    while (text.size > 0 && text.data[text.size - 1] <= ' ')
        text.size--;
    return text;
}

/* Cut on a character's boundary. */
static struct span vcard_cut(struct span text, size_t max)
{
    if (text.size <= max)
        return text;
    while (max > 0 && (text.data[max] & 0xc0) == 0x80)
        max--;
    return span_of(text.data, max);
}

static void vcard_set(struct vcard_state *state, const char *key, struct span text, size_t max)
{
    text = vcard_cut(vcard_trim(text), max);
    if (text.size > 0 && json_object_get(state->person, key) == NULL)
        (void)json_object_set_new(state->person, key,
                                  json_stringn((const char *)text.data, text.size));
}

static void vcard_append(struct vcard_state *state, const char *key, struct span text, size_t max)
{
    json_t *list = json_object_get(state->person, key);

    text = vcard_trim(text);
    if (text.size == 0 || text.size > max)
        return;
    if (list == NULL) {
        list = json_array();
        (void)json_object_set_new(state->person, key, list);
    }
    if (json_array_size(list) < SET_ELEMENTS_MAX)
        (void)json_array_append_new(list, json_stringn((const char *)text.data, text.size));
}

/* Is this word among the values of one TYPE parameter, or the bare word of 2.1? */
static bool vcard_has_type(struct span part, const char *word)
{
    const uint8_t *equals = part.size > 0 ? memchr(part.data, '=', part.size) : NULL;
    struct span list = part, item;

    if (equals != NULL && strncasecmp((const char *)part.data, "TYPE", 4) == 0)
        list = span_of(equals + 1, part.size - (size_t)(equals - part.data) - 1);
    while (vcard_text_component(&list, ',', &item)) {
        if (item.size > 1 && item.data[0] == '"')
            item = span_of(item.data + 1, item.size - 1);
        if (item.size > 1 && item.data[item.size - 1] == '"')
            item.size--;
        if (vcard_is(item, word))
            return true;
    }
    return false;
}

/* TYPE=HOME,...: the first word that says where, for a label. */
static const char *vcard_type(const struct vcard_property *property)
{
    static const char *const words[] = {"work",  "home",   "cell",  "mobile", "fax",
                                        "pager", "school", "other", "main"};

    for (size_t word = 0; word < sizeof words / sizeof words[0]; word++) {
        struct span rest = property->parameters, part;

        while (vcard_text_component(&rest, ';', &part))
            if (vcard_has_type(part, words[word]))
                return words[word];
    }
    return NULL;
}

static void vcard_label(struct vcard_state *state, const char *label, struct span value)
{
    struct buf text = {0};

    buf_append(&text, span_str(label));
    buf_byte(&text, 0x1f);
    buf_append(&text, value);
    vcard_append(state, "label", buf_span(&text), 2 * TEXT_SIZE_MAX);
    buf_release(&text);
}

/* An e-mail, phone or web address, with what kind it is. */
static void vcard_reach(struct vcard_state *state, const struct vcard_property *property,
                        const char *key, struct span text, const char *prefix)
{
    const char *type = vcard_type(property);
    char group[64];

    text = vcard_trim(text);
    if (text.size > strlen(prefix) &&
        strncasecmp((const char *)text.data, prefix, strlen(prefix)) == 0)
        text = span_of(text.data + strlen(prefix), text.size - strlen(prefix));
    vcard_append(state, key, text, TEXT_SIZE_MAX);
    if (text.size == 0 || text.size > TEXT_SIZE_MAX || strcmp(key, "url") == 0)
        return;
    if (type != NULL)
        vcard_label(state, type, text);
    if (property->group.size > 0 && property->group.size < sizeof group) {
        memcpy(group, property->group.data, property->group.size);
        group[property->group.size] = '\0';
        if (scan_is_utf8(property->group))
            (void)json_object_set_new(state->grouped, group,
                                      json_stringn((const char *)text.data, text.size));
    }
}

static void vcard_join(struct buf *out, struct span part, const char *between)
{
    struct buf plain = {0};

    vcard_text_unescape(part, &plain);
    if (vcard_trim(buf_span(&plain)).size > 0) {
        if (out->size > 0)
            buf_append(out, span_str(between));
        buf_append(out, vcard_trim(buf_span(&plain)));
    }
    buf_release(&plain);
}

/* N: family; given; additional; prefixes; suffixes, said as people say a name. */
static void vcard_name(struct vcard_state *state, struct span text)
{
    static const size_t order[] = {3, 1, 2, 0, 4};
    struct span parts[5] = {{0}};
    size_t count = 0;

    while (count < 5 && vcard_text_component(&text, ';', &parts[count]))
        count++;
    buf_clear(&state->name);
    for (size_t at = 0; at < 5; at++)
        vcard_join(&state->name, parts[order[at]], " ");
}

static void vcard_organisation(struct vcard_state *state, struct span text)
{
    struct buf joined = {0};
    struct span part;

    while (vcard_text_component(&text, ';', &part))
        vcard_join(&joined, part, ", ");
    vcard_set(state, "org", buf_span(&joined), TEXT_SIZE_MAX);
    buf_release(&joined);
}

/* ADR: box; extended; street; locality; region; code; country. The place is where, not which door.
 */
static void vcard_place(struct vcard_state *state, struct span text)
{
    struct buf joined = {0};
    struct span part;

    for (size_t at = 0; vcard_text_component(&text, ';', &part); at++)
        if (at == 3 || at == 4 || at == 6)
            vcard_join(&joined, part, ", ");
    vcard_set(state, "place", buf_span(&joined), TEXT_SIZE_MAX);
    buf_release(&joined);
}

static void vcard_tags(struct vcard_state *state, struct span text)
{
    struct span part;

    while (vcard_text_component(&text, ',', &part)) {
        struct buf plain = {0};

        vcard_text_unescape(part, &plain);
        vcard_append(state, "tag", buf_span(&plain), TEXT_SIZE_MAX);
        buf_release(&plain);
    }
}

/* Kept verbatim, as UTF-8; pictures beyond a note's size are left out, the person is kept. */
static void vcard_extra(struct vcard_state *state, const struct vcard_property *property)
{
    struct buf line = {0};

    vcard_text_utf8(property->line, property->charset, &line);
    vcard_append(state, "extra", buf_span(&line), NOTE_SIZE_MAX);
    buf_release(&line);
}

static void vcard_group_label(struct vcard_state *state, const struct vcard_property *property,
                              struct span text)
{
    static const char open[] = "_$!<", close[] = ">!$_";
    char group[64];

    if (text.size > 8 && memcmp(text.data, open, 4) == 0 &&
        memcmp(text.data + text.size - 4, close, 4) == 0)
        text = span_of(text.data + 4, text.size - 8);
    if (property->group.size == 0 || property->group.size >= sizeof group ||
        !scan_is_utf8(property->group))
        return;
    memcpy(group, property->group.data, property->group.size);
    group[property->group.size] = '\0';
    (void)json_object_set_new(state->groups, group,
                              json_stringn((const char *)text.data, text.size));
}

static void vcard_take(struct vcard_state *state, const struct vcard_property *property)
{
    struct buf raw = {0}, plain = {0};
    struct span text;

    vcard_decode(property, &raw);
    vcard_text_unescape(buf_span(&raw), &plain);
    text = buf_span(&plain);
    if (vcard_is(property->name, "FN"))
        vcard_set(state, "name", text, TEXT_SIZE_MAX);
    else if (vcard_is(property->name, "N"))
        vcard_name(state, buf_span(&raw));
    else if (vcard_is(property->name, "ORG"))
        vcard_organisation(state, buf_span(&raw));
    else if (vcard_is(property->name, "TITLE"))
        vcard_set(state, "title", text, TEXT_SIZE_MAX);
    else if (vcard_is(property->name, "NOTE"))
        vcard_set(state, "note", text, NOTE_SIZE_MAX);
    else if (vcard_is(property->name, "UID"))
        vcard_set(state, "uid", text, TEXT_SIZE_MAX);
    else if (vcard_is(property->name, "EMAIL"))
        vcard_reach(state, property, "email", text, "mailto:");
    else if (vcard_is(property->name, "TEL"))
        vcard_reach(state, property, "tel", text, "tel:");
    else if (vcard_is(property->name, "URL"))
        vcard_reach(state, property, "url", text, "url:");
    else if (vcard_is(property->name, "CATEGORIES"))
        vcard_tags(state, buf_span(&raw));
    else if (vcard_is(property->name, "X-ABLABEL"))
        vcard_group_label(state, property, text);
    else if (vcard_is(property->name, "KIND") &&
             (vcard_is(text, "org") || vcard_is(text, "organization")))
        vcard_set(state, "kind", span_str("org"), 8);
    else if (!vcard_is(property->name, "VERSION") && !vcard_is(property->name, "PRODID") &&
             !vcard_is(property->name, "REV") && !vcard_is(property->name, "KIND"))
        vcard_extra(state, property);
    if (vcard_is(property->name, "ADR"))
        vcard_place(state, buf_span(&raw));
    buf_release(&raw);
    buf_release(&plain);
}

/* Cards. */

static void vcard_drop(struct vcard_state *state)
{
    json_decref(state->person);
    json_decref(state->groups);
    json_decref(state->grouped);
    state->person = state->groups = state->grouped = NULL;
}

static void vcard_reject(struct vcard_state *state, const char *why)
{
    state->reader->reject(state->reader->self, state->person_line, why);
    vcard_drop(state);
}

static void vcard_settle_labels(struct vcard_state *state)
{
    const char *group;
    json_t *label, *value;

    json_object_foreach(state->groups, group, label)
    {
        value = json_object_get(state->grouped, group);
        if (value != NULL)
            vcard_label(state, json_string_value(label), span_str(json_string_value(value)));
    }
}

/* A card without a name takes the organisation's, or the first address. */
static void vcard_settle_name(struct vcard_state *state)
{
    json_t *other = json_object_get(state->person, "org");

    vcard_set(state, "name", buf_span(&state->name), TEXT_SIZE_MAX);
    if (json_object_get(state->person, "name") != NULL)
        return;
    if (other == NULL)
        other = json_array_get(json_object_get(state->person, "email"), 0);
    if (other == NULL)
        other = json_array_get(json_object_get(state->person, "tel"), 0);
    if (other != NULL)
        (void)json_object_set(state->person, "name", other);
}

static enum err vcard_finish(struct vcard_state *state)
{
    enum err err = ERR_OK;

    if (state->person == NULL)
        return ERR_OK;
    vcard_settle_labels(state);
    vcard_settle_name(state);
    if (state->why != NULL) {
        vcard_reject(state, state->why);
    } else if (json_object_get(state->person, "name") == NULL) {
        vcard_reject(state, "the card has no name, organisation, e-mail or phone");
    } else {
        err = state->reader->person(state->reader->self, state->person, state->person_line);
        vcard_drop(state);
    }
    return err;
}

static enum err vcard_begin(struct vcard_state *state)
{
    if (state->cards == VCARD_CARDS_MAX)
        return ERR_LIMIT;
    state->cards++;
    state->person = json_object();
    state->groups = json_object();
    state->grouped = json_object();
    buf_clear(&state->name);
    state->person_line = state->begun_line;
    state->properties = 0;
    state->depth = 0;
    state->why = NULL;
    return state->person != NULL && state->groups != NULL && state->grouped != NULL ? ERR_OK
                                                                                    : ERR_NOMEM;
}

static bool vcard_was_agent(const struct vcard_property *property)
{
    return vcard_is(property->name, "AGENT");
}

/* BEGIN inside a card: an AGENT's card is nested and passed over; anything else means that END was
 * forgotten. */
static enum err vcard_line(struct vcard_state *state, bool *expects_nested)
{
    struct vcard_property property;
    bool is_property = vcard_read_property(buf_span(&state->logical), &property);
    enum err err;

    if (is_property && vcard_is(property.name, "BEGIN") &&
        vcard_is(vcard_trim(property.value), "VCARD")) {
        if (state->person != NULL && *expects_nested) {
            state->depth++;
            return ERR_OK;
        }
        err = vcard_finish(state);
        return err == ERR_OK ? vcard_begin(state) : err;
    }
    if (state->person == NULL)
        return ERR_OK;
    if (is_property && vcard_is(property.name, "END") &&
        vcard_is(vcard_trim(property.value), "VCARD")) {
        if (state->depth == 0)
            return vcard_finish(state);
        state->depth--;
        *expects_nested = state->depth > 0;
        return ERR_OK;
    }
    if (!is_property || state->depth > 0)
        return ERR_OK;
    *expects_nested = vcard_was_agent(&property) && vcard_trim(property.value).size == 0;
    if (++state->properties > VCARD_PROPERTIES_MAX)
        state->why = "the card has more than 2,000 properties";
    else
        vcard_take(state, &property);
    return ERR_OK;
}

/* A file in UTF-16 says so by its first two bytes; a mark of UTF-8 is passed over. */
static struct span vcard_unmark(struct span file, struct buf *converted)
{
    if (file.size >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0)
        return span_of(file.data + 3, file.size - 3);
    if (file.size >= 2 &&
        (memcmp(file.data, "\xff\xfe", 2) == 0 || memcmp(file.data, "\xfe\xff", 2) == 0)) {
        vcard_text_utf8(file, span_str("UTF-16"), converted);
        return buf_span(converted);
    }
    return file;
}

enum err vcard_read(struct span file, const struct vcard_reader *reader)
{
    struct vcard_state state = {.reader = reader};
    struct buf converted = {0};
    bool expects_nested = false;
    enum err err = ERR_OK;

    state.rest = vcard_unmark(file, &converted);
    while (err == ERR_OK && vcard_next_line(&state)) {
        if (state.logical.is_failed || state.name.is_failed)
            err = ERR_NOMEM;
        else if (state.logical.size > 0)
            err = vcard_line(&state, &expects_nested);
    }
    if (err == ERR_OK)
        err = vcard_finish(&state);
    vcard_drop(&state);
    buf_release(&state.logical);
    buf_release(&state.name);
    buf_release(&converted);
    return err;
}
