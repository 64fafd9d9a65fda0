/*
 * Each property is decoded once (quoted-printable, character set), goes to the field that is its
 * own, and is kept as a line where the field alone would not bring it back. Properties of a group
 * wait for the card's end, when it is known what the group is about.
 */
#include "node/vcard_card.h"

#include <string.h>
#include <strings.h>

#include "node/charset.h"
#include "node/vcard_text.h"
#include "proto/limits.h"

enum { VCARD_LOCALITY = 3 }; /* component of ADR */

/* How a value is written, by its parameters. */
struct vcard_encoding {
    bool is_quoted, is_base64;
    struct span charset;
};

static struct vcard_encoding vcard_card_encoding(struct span parameters)
{
    struct vcard_encoding encoding = {0};
    struct span key, value;

    while (parameters.size > 0 && property_parameter(&parameters, &key, &value)) {
        bool is_encoding = key.size == 0 || vcard_text_is(key, "ENCODING");

        encoding.is_quoted |= is_encoding && vcard_text_is(value, "QUOTED-PRINTABLE");
        encoding.is_base64 |=
            is_encoding && (vcard_text_is(value, "BASE64") || vcard_text_is(value, "B"));
        if (vcard_text_is(key, "CHARSET"))
            encoding.charset = value;
    }
    return encoding;
}

/* The value in UTF-8, escapes still in. A line end that quoted-printable hid is one written \n, so
 * that no value can ever become a second property. */
static void vcard_card_decode(struct vcard_card *card, struct span value,
                              const struct vcard_encoding *encoding)
{
    buf_clear(&card->raw);
    buf_clear(&card->plain);
    if (encoding->is_quoted) {
        vcard_text_quoted(value, &card->plain);
        buf_clear(&card->line);
        charset_utf8(buf_span(&card->plain), encoding->charset, &card->line);
        for (size_t at = 0; at < card->line.size; at++) {
            uint8_t letter = card->line.data[at];

            if (letter == '\n')
                buf_append(&card->raw, span_str("\\n"));
            else if (letter != '\r' && letter != 0)
                buf_byte(&card->raw, letter);
        }
        buf_clear(&card->plain);
    } else {
        charset_utf8(value, encoding->charset, &card->raw);
    }
    vcard_text_unescape(buf_span(&card->raw), &card->plain);
}

/* Lines to be kept. */

/* Bare words of 2.1 become types; what only said how the value was written goes. */
static void vcard_card_put_parameters(struct buf *out, struct span parameters)
{
    struct span part;

    if (vcard_card_encoding(parameters).is_base64)
        buf_append(out, span_str(";ENCODING=b"));
    while (parameters.size > 0 && vcard_text_part(&parameters, ';', &part)) {
        struct span rest = person_trim(part), key, value;

        part = rest;
        if (part.size == 0 || !property_parameter(&rest, &key, &value))
            continue;
        if (vcard_text_is(key, "CHARSET") || vcard_text_is(key, "ENCODING") ||
            (key.size == 0 && (vcard_text_is(value, "QUOTED-PRINTABLE") ||
                               vcard_text_is(value, "8BIT") || vcard_text_is(value, "7BIT") ||
                               vcard_text_is(value, "BASE64") || vcard_text_is(value, "B"))))
            continue;
        buf_append(out, span_str(key.size == 0 ? ";TYPE=" : ";"));
        charset_utf8(part, span_of(NULL, 0), out);
    }
}

/* Parameters that say more than how the value was written. */
static bool vcard_card_has_parameters(struct span parameters)
{
    struct buf kept = {0};
    bool has;

    if (parameters.size > 0)
        vcard_card_put_parameters(&kept, parameters);
    has = kept.size > 0;
    buf_release(&kept);
    return has;
}

/* Base64 was folded in many ways: only its letters count. */
static void vcard_card_put_base64(struct buf *out, struct span value)
{
    for (size_t at = 0; at < value.size; at++)
        if (value.data[at] > ' ' && value.data[at] < 0x7f)
            buf_byte(out, value.data[at]);
}

static struct vcard_group *vcard_card_group(struct vcard_card *card, struct span name)
{
    struct vcard_group *group;

    if (name.size == 0)
        return NULL;
    for (size_t at = 0; at < card->groups_count; at++)
        if (card->groups[at].name.size == name.size &&
            strncasecmp((const char *)card->groups[at].name.data, (const char *)name.data,
                        name.size) == 0)
            return &card->groups[at];
    if (card->groups_count == VCARD_GROUPS_MAX)
        return NULL;
    group = &card->groups[card->groups_count++];
    buf_clear(&group->name);
    buf_clear(&group->lines);
    buf_clear(&group->subject);
    buf_clear(&group->label);
    group->lines_count = 0;
    buf_append(&group->name, name);
    return group;
}

/* Keeps a property beside the fields; value is decoded. */
static void vcard_card_keep(struct vcard_card *card, const struct property *property,
                            struct span value)
{
    static const char ours[] = "data:;base64,"; /* What vcard_write makes of ENCODING=b. */
    struct vcard_group *group = vcard_card_group(card, property->group);
    bool is_base64 = vcard_card_encoding(property->parameters).is_base64;

    buf_clear(&card->line);
    charset_utf8(property->name, span_of(NULL, 0), &card->line);
    if (value.size >= sizeof ours - 1 && memcmp(value.data, ours, sizeof ours - 1) == 0) {
        value = span_of(value.data + sizeof ours - 1, value.size - (sizeof ours - 1));
        buf_append(&card->line, span_str(";ENCODING=b"));
        is_base64 = true;
    }
    vcard_card_put_parameters(&card->line, property->parameters);
    buf_byte(&card->line, ':');
    if (is_base64)
        vcard_card_put_base64(&card->line, value);
    else
        buf_append(&card->line, value);
    if (group == NULL) {
        (void)person_add(&card->person, CONTACT_EXTRAS, buf_span(&card->line));
        return;
    }
    buf_append(&group->lines, buf_span(&card->line));
    buf_byte(&group->lines, '\n');
    group->lines_count++;
}

/* Photos. */

/* What a picture is, by its first letters in base64; the type its property claims, else. */
static const char *vcard_card_picture(struct span base64, struct span parameters, struct span media)
{
    static const struct {
        const char *begin, *type;
    } pictures[] = {{"/9j/", "JPEG"}, {"iVBORw0KGgo", "PNG"}, {"R0lGOD", "GIF"}, {"UklGR", "WEBP"}};

    for (size_t at = 0; at < sizeof pictures / sizeof pictures[0]; at++)
        if (base64.size > strlen(pictures[at].begin) &&
            memcmp(base64.data, pictures[at].begin, strlen(pictures[at].begin)) == 0)
            return pictures[at].type;
    for (size_t at = 0; at < sizeof pictures / sizeof pictures[0]; at++)
        if (property_has_type(parameters, pictures[at].type) ||
            vcard_text_is(media, pictures[at].type))
            return pictures[at].type;
    return NULL;
}

/* The base64 of a data: URI of version 4 (RFC 2397); false when it is none. */
static bool vcard_card_data(struct span uri, struct span *out_media, struct span *out_base64)
{
    static const char mark[] = ";base64", image[] = "data:image/";
    const uint8_t *comma;
    size_t head;

    if (uri.size < 5 || strncasecmp((const char *)uri.data, "data:", 5) != 0)
        return false;
    comma = memchr(uri.data, ',', uri.size);
    if (comma == NULL)
        return false;
    head = (size_t)(comma - uri.data);
    if (head < sizeof mark - 1 ||
        strncasecmp((const char *)comma - (sizeof mark - 1), mark, sizeof mark - 1) != 0)
        return false;
    *out_base64 = span_of(comma + 1, uri.size - head - 1);
    if (head > sizeof image - 1 + sizeof mark - 1 &&
        strncasecmp((const char *)uri.data, image, sizeof image - 1) == 0)
        *out_media =
            span_of(uri.data + sizeof image - 1, head - (sizeof image - 1) - (sizeof mark - 1));
    return true;
}

/* One form for every version: PHOTO;ENCODING=b;TYPE=JPEG:... The first photo is the contact's. */
static void vcard_card_photo(struct vcard_card *card, const struct property *property,
                             const struct vcard_encoding *encoding)
{
    struct span base64 = buf_span(&card->raw), media = {0};
    const char *type;

    if (!vcard_card_data(buf_span(&card->plain), &media, &base64) && !encoding->is_base64) {
        vcard_card_keep(card, property, buf_span(&card->raw));
        return;
    }
    if (person_text(&card->person, CONTACT_PHOTO).size > 0) {
        vcard_card_keep(card, property, buf_span(&card->raw));
        return;
    }
    buf_clear(&card->line);
    vcard_card_put_base64(&card->line, base64);
    if (card->line.size == 0)
        return; /* An empty photo is none. */
    if (card->line.size > VCARD_PHOTO_MAX) {
        card->person.is_cut = true;
        return;
    }
    type = vcard_card_picture(buf_span(&card->line), property->parameters, media);
    buf_clear(&card->plain);
    buf_append(&card->plain, span_str("PHOTO;ENCODING=b"));
    if (type != NULL) {
        buf_append(&card->plain, span_str(";TYPE="));
        buf_append(&card->plain, span_str(type));
    }
    buf_byte(&card->plain, ':');
    buf_append(&card->plain, buf_span(&card->line));
    (void)person_set(&card->person, CONTACT_PHOTO, buf_span(&card->plain));
}

/* Fields. */

/* An e-mail, phone or web address, with where it belongs. */
static void vcard_card_reach(struct vcard_card *card, const struct property *property,
                             uint8_t field, const char *prefix)
{
    struct span text = person_trim(buf_span(&card->plain));
    struct vcard_group *group = vcard_card_group(card, property->group);

    if (text.size > strlen(prefix) &&
        strncasecmp((const char *)text.data, prefix, strlen(prefix)) == 0)
        text = span_of(text.data + strlen(prefix), text.size - strlen(prefix));
    if (!person_add(&card->person, field, text))
        return;
    if (group != NULL && group->subject.size == 0)
        buf_append(&group->subject, text);
    buf_clear(&card->line);
    property_label(property->parameters, &card->line);
    person_label(&card->person, buf_span(&card->line), text);
    if (!property_is_told_by(property->parameters)) {
        struct property alone = *property;

        alone.group = span_of(NULL, 0);
        buf_clear(&card->raw);
        vcard_text_escape(text, &card->raw);
        vcard_card_keep(card, &alone, buf_span(&card->raw));
    }
}

static void vcard_card_n(struct vcard_card *card, const struct property *property)
{
    if (card->name.size > 0 || property->group.size > 0) {
        vcard_card_keep(card, property, buf_span(&card->raw)); /* An ALTID, or somebody's label. */
        return;
    }
    property_name_of(buf_span(&card->raw), &card->name);
    buf_append(&card->n, span_of("N", 1));
    vcard_card_put_parameters(&card->n, property->parameters);
    buf_byte(&card->n, ':');
    buf_append(&card->n, buf_span(&card->raw));
}

/* Sets a field to the line, or finds that it says so already. */
static bool vcard_card_settled(struct vcard_card *card, uint8_t field)
{
    struct span text = buf_span(&card->line);

    return person_set(&card->person, field, text) ||
           span_is_equal(text, person_text(&card->person, field));
}

/* Units and parameters are more than the name of an organisation. */
static void vcard_card_org(struct vcard_card *card, const struct property *property)
{
    struct span rest = buf_span(&card->raw), part;
    size_t units = 0;
    bool is_mine;

    while (vcard_text_component(&rest, ';', &part))
        units += person_trim(part).size > 0;
    buf_clear(&card->line);
    property_org_of(buf_span(&card->raw), &card->line);
    if (card->line.size == 0)
        return;
    is_mine = vcard_card_settled(card, CONTACT_ORG);
    if (!is_mine || units > 1 || property->group.size > 0 ||
        vcard_card_has_parameters(property->parameters))
        vcard_card_keep(card, property, buf_span(&card->raw));
}

static void vcard_card_adr(struct vcard_card *card, const struct property *property)
{
    struct span rest = buf_span(&card->raw), part;
    bool is_place_alone = true, is_first;
    size_t at = 0;

    buf_clear(&card->line);
    property_place_of(buf_span(&card->raw), &card->line);
    is_first = vcard_card_settled(card, CONTACT_PLACE);
    while (vcard_text_component(&rest, ';', &part)) {
        is_place_alone &= person_trim(part).size == 0 || at == VCARD_LOCALITY;
        at++;
    }
    if (!is_first || !is_place_alone || vcard_card_has_parameters(property->parameters) ||
        property->group.size > 0)
        vcard_card_keep(card, property, buf_span(&card->raw));
}

static void vcard_card_tags(struct vcard_card *card)
{
    struct span rest = buf_span(&card->raw), part;

    while (vcard_text_component(&rest, ',', &part)) {
        buf_clear(&card->plain);
        vcard_text_unescape(part, &card->plain);
        (void)person_add(&card->person, CONTACT_TAGS, buf_span(&card->plain));
    }
}

/* Apple writes its own labels as _$!<Home>!$_. */
static struct span vcard_card_plain_label(struct span text)
{
    static const char open[] = "_$!<", close[] = ">!$_";

    if (text.size > 8 && memcmp(text.data, open, 4) == 0 &&
        memcmp(text.data + text.size - 4, close, 4) == 0)
        return span_of(text.data + 4, text.size - 8);
    return text;
}

static void vcard_card_group_label(struct vcard_card *card, const struct property *property)
{
    struct vcard_group *group = vcard_card_group(card, property->group);

    if (group == NULL || group->label.size > 0)
        vcard_card_keep(card, property, buf_span(&card->raw));
    else
        buf_append(&group->label, buf_span(&card->raw));
}

static void vcard_card_kind(struct vcard_card *card, const struct property *property)
{
    struct span text = person_trim(buf_span(&card->plain));

    if (vcard_text_is(text, "org") || vcard_text_is(text, "organization"))
        (void)person_set(&card->person, CONTACT_IS_ORG, span_str("1"));
    else if (!vcard_text_is(text, "individual"))
        vcard_card_keep(card, property, buf_span(&card->raw));
}

/* One value, or the first of several; the others are kept as they stand. */
static void vcard_card_register(struct vcard_card *card, const struct property *property,
                                uint8_t field)
{
    struct span text = person_trim(buf_span(&card->plain));
    bool is_mine = person_set(&card->person, field, text) ||
                   span_is_equal(text, person_text(&card->person, field));

    if (text.size > 0 && (!is_mine || property->group.size > 0))
        vcard_card_keep(card, property, buf_span(&card->raw));
}

/* The field a property of one plain value goes to; 0: none. */
static uint8_t vcard_card_field(struct span name)
{
    static const struct {
        const char *name;
        uint8_t field;
    } registers[] = {{"FN", CONTACT_NAME},
                     {"TITLE", CONTACT_TITLE},
                     {"NOTE", CONTACT_NOTE},
                     {"UID", CONTACT_UID},
                     {"X-KITH-MET", CONTACT_MET}};

    for (size_t at = 0; at < sizeof registers / sizeof registers[0]; at++)
        if (vcard_text_is(name, registers[at].name))
            return registers[at].field;
    return 0;
}

static void vcard_card_dispatch(struct vcard_card *card, const struct property *property,
                                const struct vcard_encoding *encoding)
{
    static const char *const passed_over[] = {"VERSION", "PRODID", "REV", "BEGIN", "END"};
    struct span name = property->name;

    if (vcard_card_field(name) != 0) {
        vcard_card_register(card, property, vcard_card_field(name));
        return;
    }
    for (size_t at = 0; at < sizeof passed_over / sizeof passed_over[0]; at++)
        if (vcard_text_is(name, passed_over[at]))
            return;
    if (vcard_text_is(name, "N"))
        vcard_card_n(card, property);
    else if (vcard_text_is(name, "ORG"))
        vcard_card_org(card, property);
    else if (vcard_text_is(name, "ADR"))
        vcard_card_adr(card, property);
    else if (vcard_text_is(name, "EMAIL"))
        vcard_card_reach(card, property, CONTACT_EMAILS, "mailto:");
    else if (vcard_text_is(name, "TEL"))
        vcard_card_reach(card, property, CONTACT_PHONES, "tel:");
    else if (vcard_text_is(name, "URL"))
        vcard_card_reach(card, property, CONTACT_URLS, "url:");
    else if (vcard_text_is(name, "CATEGORIES"))
        vcard_card_tags(card);
    else if (vcard_text_is(name, "PHOTO"))
        vcard_card_photo(card, property, encoding);
    else if (vcard_text_is(name, "X-ABLABEL"))
        vcard_card_group_label(card, property);
    else if (vcard_text_is(name, "KIND"))
        vcard_card_kind(card, property);
    else
        vcard_card_keep(card, property, buf_span(&card->raw));
}

void vcard_card_begin(struct vcard_card *card, size_t line)
{
    person_begin(&card->person, line);
    card->groups_count = 0;
    buf_clear(&card->name);
    buf_clear(&card->n);
    card->properties = 0;
}

bool vcard_card_take(struct vcard_card *card, const struct property *property)
{
    struct vcard_encoding encoding = vcard_card_encoding(property->parameters);

    if (++card->properties > VCARD_PROPERTIES_MAX)
        return false;
    vcard_card_decode(card, property->value, &encoding);
    vcard_card_dispatch(card, property, &encoding);
    return true;
}

/* The end of a card. */

/* Would the fields alone bring this line back? Then a group of nothing else was in vain. */
static bool vcard_card_is_told(struct vcard_card *card, struct span line)
{
    struct property property;
    uint8_t field;

    if (!property_read(line, &property) || property.parameters.size > 0)
        return false;
    field = vcard_text_is(property.name, "ORG") ? CONTACT_ORG : vcard_card_field(property.name);
    if (field == 0)
        return false;
    buf_clear(&card->plain);
    vcard_text_unescape(property.value, &card->plain);
    return span_is_equal(person_trim(buf_span(&card->plain)), person_text(&card->person, field));
}

/* A group of one property is no group; several stay together under one name, whatever theirs was:
 * groups of two files may meet in one contact. */
static void vcard_card_settle_group(struct vcard_card *card, struct vcard_group *group)
{
    struct span rest, line;
    bool is_about = group->subject.size > 0;

    buf_clear(&card->plain);
    vcard_text_unescape(buf_span(&group->label), &card->plain);
    if (is_about) {
        struct span label = vcard_card_plain_label(person_trim(buf_span(&card->plain)));

        buf_clear(&card->line);
        property_words(label, &card->line);
        person_label(&card->person, card->line.size > 0 ? buf_span(&card->line) : label,
                     buf_span(&group->subject));
    }
    if (!is_about && group->label.size > 0) {
        buf_append(&group->lines, span_str("X-ABLabel:"));
        buf_append(&group->lines, buf_span(&group->label));
        buf_byte(&group->lines, '\n');
        group->lines_count++;
    }
    buf_clear(&card->line);
    rest = buf_span(&group->lines);
    while (group->lines_count > 1 && rest.size > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        size_t size = (size_t)(end - rest.data);

        line = span_of(rest.data, size);
        rest = span_of(rest.data + size + 1, rest.size - size - 1);
        buf_append(&card->line, span_str("item."));
        buf_append(&card->line, line);
        buf_byte(&card->line, '\n');
    }
    if (group->lines_count == 1 && !vcard_card_is_told(card, person_trim(buf_span(&group->lines))))
        buf_append(&card->line, buf_span(&group->lines));
    (void)person_add(&card->person, CONTACT_EXTRAS, buf_span(&card->line));
}

/* N is kept when the name alone would not bring it back. */
static void vcard_card_settle_n(struct vcard_card *card)
{
    struct property n;

    if (card->name.size == 0 || !property_read(buf_span(&card->n), &n))
        return;
    buf_clear(&card->line);
    property_guess_n(person_text(&card->person, CONTACT_NAME), &card->line);
    if (n.parameters.size > 0 || !span_is_equal(buf_span(&card->line), n.value))
        (void)person_add(&card->person, CONTACT_EXTRAS, buf_span(&card->n));
}

bool vcard_card_end(struct vcard_card *card)
{
    bool is_somebody;

    for (size_t at = 0; at < card->groups_count; at++)
        vcard_card_settle_group(card, &card->groups[at]);
    (void)person_set(&card->person, CONTACT_NAME, buf_span(&card->name));
    is_somebody = person_settle_name(&card->person);
    if (is_somebody)
        vcard_card_settle_n(card);
    return is_somebody;
}

enum err vcard_card_err(const struct vcard_card *card)
{
    bool is_failed = card->name.is_failed || card->n.is_failed || card->raw.is_failed ||
                     card->plain.is_failed || card->line.is_failed;

    for (size_t at = 0; at < card->groups_count; at++)
        is_failed |= card->groups[at].lines.is_failed || card->groups[at].name.is_failed ||
                     card->groups[at].subject.is_failed || card->groups[at].label.is_failed;
    return is_failed ? ERR_NOMEM : person_err(&card->person);
}

void vcard_card_release(struct vcard_card *card)
{
    for (size_t at = 0; at < VCARD_GROUPS_MAX; at++) {
        buf_release(&card->groups[at].name);
        buf_release(&card->groups[at].lines);
        buf_release(&card->groups[at].subject);
        buf_release(&card->groups[at].label);
    }
    buf_release(&card->name);
    buf_release(&card->n);
    buf_release(&card->raw);
    buf_release(&card->plain);
    buf_release(&card->line);
    person_release(&card->person);
}
