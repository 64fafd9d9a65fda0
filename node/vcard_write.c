/* The fields come first, so that a reader who takes the first of several takes what the contact
 * says; then everything kept that was not written in a field's place. */
#include "node/vcard_write.h"

#include <stdio.h>
#include <string.h>

#include "node/property.h"
#include "node/vcard_text.h"

enum { VCARD_FOLD_SIZE = 75, VCARD_WRITTEN_MAX = PERSON_VALUES_MAX };

struct vcard_writer {
    const struct person *person;
    enum vcard_version version;
    struct buf *out;
    struct buf line;
    struct buf text;
    size_t groups;                      /* given so far */
    bool is_written[VCARD_WRITTEN_MAX]; /* extras that stood in a field's place, by their index */
};

/* Folded on character boundaries. */
static void vcard_write_line(struct vcard_writer *writer)
{
    struct span rest = buf_span(&writer->line);
    size_t room = VCARD_FOLD_SIZE;

    while (rest.size > room) {
        size_t size = room;

        while (size > 1 && (rest.data[size] & 0xc0) == 0x80)
            size--;
        buf_append(writer->out, span_of(rest.data, size));
        buf_append(writer->out, span_str("\r\n "));
        rest = span_of(rest.data + size, rest.size - size);
        room = VCARD_FOLD_SIZE - 1; /* The space counts. */
    }
    buf_append(writer->out, rest);
    buf_append(writer->out, span_str("\r\n"));
    writer->out->is_failed |= writer->line.is_failed;
    buf_clear(&writer->line);
}

static void vcard_write_text(struct vcard_writer *writer, const char *name, struct span text)
{
    if (text.size == 0)
        return;
    buf_append(&writer->line, span_str(name));
    buf_byte(&writer->line, ':');
    vcard_text_escape(text, &writer->line);
    vcard_write_line(writer);
}

/* A kept line, its binary value as version 4 has it: KEY;ENCODING=b;TYPE=X509:AA== becomes
 * KEY;TYPE=X509:data:;base64,AA== (RFC 6350 6.2.4, RFC 2397). */
static void vcard_write_kept(struct vcard_writer *writer, struct span line)
{
    static const char mark[] = ";ENCODING=b";
    struct property property;
    size_t name;

    if (writer->version == VCARD_3 || !property_read(line, &property) ||
        property.parameters.size < sizeof mark - 2 ||
        memcmp(property.parameters.data - 1, mark, sizeof mark - 1) != 0) {
        buf_append(&writer->line, line);
        return;
    }
    name = (size_t)(property.parameters.data - line.data) - 1;
    buf_append(&writer->line, span_of(line.data, name));
    buf_append(&writer->line, span_of(property.parameters.data + sizeof mark - 2,
                                      property.parameters.size - (sizeof mark - 2)));
    buf_append(&writer->line, span_str(":data:;base64,"));
    buf_append(&writer->line, property.value);
}

/* Kept properties. */

/* The next kept property of this name, alone on its line; false at the end. */
static bool vcard_write_next(const struct vcard_writer *writer, const char *name, size_t *index,
                             struct property *out)
{
    struct span line;

    for (; (line = person_at(writer->person, CONTACT_EXTRAS, *index)).size > 0; (*index)++)
        if (memchr(line.data, '\n', line.size) == NULL && property_read(line, out) &&
            vcard_text_is(out->name, name))
            return true;
    return false;
}

static struct span vcard_write_plain(struct vcard_writer *writer, struct span value)
{
    buf_clear(&writer->text);
    vcard_text_unescape(value, &writer->text);
    return person_trim(buf_span(&writer->text));
}

/* Writes the kept property of this name that says the same as the field; false when there is none.
 */
static bool vcard_write_same(struct vcard_writer *writer, const char *name,
                             void (*say)(struct span value, struct buf *out), struct span said)
{
    struct property property;

    for (size_t index = 0; vcard_write_next(writer, name, &index, &property); index++) {
        buf_clear(&writer->text);
        say(property.value, &writer->text);
        if (writer->is_written[index] || !span_is_equal(buf_span(&writer->text), said))
            continue;
        vcard_write_kept(writer, person_at(writer->person, CONTACT_EXTRAS, index));
        vcard_write_line(writer);
        writer->is_written[index] = true;
        return true;
    }
    return false;
}

/* Fields. */

/* The first kept N; who renames a contact loses it (op_contact.c), so that it is never stale. */
static void vcard_write_n(struct vcard_writer *writer, struct span name)
{
    struct property n;
    size_t index = 0;

    if (vcard_write_next(writer, "N", &index, &n)) {
        vcard_write_kept(writer, person_at(writer->person, CONTACT_EXTRAS, index));
        writer->is_written[index] = true;
    } else {
        buf_append(&writer->line, span_str("N:"));
        property_guess_n(name, &writer->line);
    }
    vcard_write_line(writer);
}

static void vcard_write_tags(struct vcard_writer *writer)
{
    struct span tag;

    for (size_t at = 0; (tag = person_at(writer->person, CONTACT_TAGS, at)).size > 0; at++) {
        buf_append(&writer->line, span_str(at == 0 ? "CATEGORIES:" : ","));
        vcard_text_escape(tag, &writer->line);
    }
    if (writer->line.size > 0)
        vcard_write_line(writer);
}

/* TYPE=WORK,FAX for a label of words that are types; nothing for any other. */
static void vcard_write_types(struct vcard_writer *writer, struct span label)
{
    buf_append(&writer->line, span_str(";TYPE="));
    for (size_t at = 0; at < label.size; at++) {
        uint8_t letter = label.data[at];
        bool is_small = letter >= 'a' && letter <= 'z';

        if (letter == ' ')
            letter = ',';
        buf_byte(&writer->line,
                 writer->version == VCARD_3 && is_small ? (uint8_t)(letter - 32) : letter);
    }
}

static void vcard_write_value(struct vcard_writer *writer, uint8_t field, struct span value)
{
    if (field != CONTACT_URLS) {
        vcard_text_escape(value, &writer->line);
        return;
    }
    for (size_t at = 0; at < value.size; at++) { /* A URI has no other escapes. */
        if (value.data[at] == '\\')
            buf_byte(&writer->line, '\\');
        buf_byte(&writer->line, value.data[at]);
    }
}

/* The kept line of this e-mail, phone or web address, for its types; its index, or SIZE_MAX. */
static size_t vcard_write_spelling(struct vcard_writer *writer, const char *name, struct span value)
{
    struct property property;

    for (size_t index = 0; vcard_write_next(writer, name, &index, &property); index++)
        if (!writer->is_written[index] &&
            span_is_equal(vcard_write_plain(writer, property.value), value))
            return index;
    return SIZE_MAX;
}

static void vcard_write_reach(struct vcard_writer *writer, const char *name, uint8_t field,
                              struct span value)
{
    struct span label = person_label_of(writer->person, value), told;
    size_t kept = vcard_write_spelling(writer, name, value);
    struct property property = {0};
    char group[32] = "";

    buf_clear(&writer->text);
    if (kept != SIZE_MAX) {
        (void)property_read(person_at(writer->person, CONTACT_EXTRAS, kept), &property);
        property_label(property.parameters, &writer->text);
        writer->is_written[kept] = true;
    } else {
        property_words(label, &writer->text);
    }
    told = buf_span(&writer->text);
    if (!span_is_equal(told, label)) {
        (void)snprintf(group, sizeof group, "item%zu.", ++writer->groups);
        told = span_of(NULL, 0);
    }
    buf_append(&writer->line, span_str(group));
    if (kept != SIZE_MAX) {
        buf_append(&writer->line, person_at(writer->person, CONTACT_EXTRAS, kept));
    } else {
        buf_append(&writer->line, span_str(name));
        if (told.size > 0)
            vcard_write_types(writer, told);
        buf_byte(&writer->line, ':');
        vcard_write_value(writer, field, value);
    }
    vcard_write_line(writer);
    if (group[0] == '\0')
        return;
    buf_append(&writer->line, span_str(group));
    vcard_write_text(writer, "X-ABLabel", label);
}

static void vcard_write_reaches(struct vcard_writer *writer)
{
    static const struct {
        const char *name;
        uint8_t field;
    } reaches[] = {{"EMAIL", CONTACT_EMAILS}, {"TEL", CONTACT_PHONES}, {"URL", CONTACT_URLS}};
    struct property property;
    struct span value;

    for (size_t way = 0; way < 3; way++) {
        for (size_t at = 0; (value = person_at(writer->person, reaches[way].field, at)).size > 0;
             at++)
            vcard_write_reach(writer, reaches[way].name, reaches[way].field, value);
        /* Types of what the contact has no more. */
        for (size_t index = 0; vcard_write_next(writer, reaches[way].name, &index, &property);
             index++)
            writer->is_written[index] = true;
    }
}

/* The place alone is a locality. */
static void vcard_write_place(struct vcard_writer *writer, struct span place)
{
    if (place.size == 0 || vcard_write_same(writer, "ADR", property_place_of, place))
        return;
    buf_append(&writer->line, span_str("ADR:;;;"));
    vcard_text_escape(place, &writer->line);
    buf_append(&writer->line, span_str(";;;"));
    vcard_write_line(writer);
}

static void vcard_write_org(struct vcard_writer *writer, struct span org)
{
    if (org.size == 0 || vcard_write_same(writer, "ORG", property_org_of, org))
        return;
    vcard_write_text(writer, "ORG", org);
}

static void vcard_write_photo(struct vcard_writer *writer, struct span photo)
{
    static const char mark[] = ";TYPE=";
    struct property property;

    if (photo.size == 0 || !property_read(photo, &property) ||
        !vcard_text_is(property.name, "PHOTO"))
        return;
    if (writer->version == VCARD_3) {
        buf_append(&writer->line, photo);
    } else {
        struct span type = property.parameters;
        const size_t head = strlen("ENCODING=b") + sizeof mark - 1;

        buf_append(&writer->line, span_str("PHOTO:data:"));
        if (type.size > head) {
            buf_append(&writer->line, span_str("image/"));
            for (size_t at = head; at < type.size; at++)
                buf_byte(&writer->line, type.data[at] | 0x20);
        }
        buf_append(&writer->line, span_str(";base64,"));
        buf_append(&writer->line, property.value);
    }
    vcard_write_line(writer);
}

/* Is it a property, and none that would begin or end a card? Own formats bring kept lines as they
 * stand, and somebody else may have written the file. */
static bool vcard_write_may(struct span line)
{
    static const char *const bounds[] = {"BEGIN", "END", "VERSION"};
    struct property property;

    if (!property_read(line, &property) || line.data[0] <= ' ')
        return false;
    for (size_t at = 0; at < sizeof bounds / sizeof bounds[0]; at++)
        if (vcard_text_is(property.name, bounds[at]))
            return false;
    return true;
}

/* A group of several lines gets a number of its own. */
static void vcard_write_extra(struct vcard_writer *writer, struct span extra)
{
    bool is_group = memchr(extra.data, '\n', extra.size) != NULL;

    writer->groups += is_group;
    while (extra.size > 0) {
        const uint8_t *end = memchr(extra.data, '\n', extra.size);
        struct span line = extra;

        if (end != NULL)
            line.size = (size_t)(end - extra.data);
        extra = end != NULL ? span_of(end + 1, extra.size - line.size - 1) : span_of(NULL, 0);
        if (!vcard_write_may(line))
            continue;
        if (is_group && line.size > 5 && memcmp(line.data, "item.", 5) == 0) {
            char group[32];

            (void)snprintf(group, sizeof group, "item%zu.", writer->groups);
            buf_append(&writer->line, span_str(group));
            line = span_of(line.data + 5, line.size - 5);
        }
        vcard_write_kept(writer, line);
        vcard_write_line(writer);
    }
}

void vcard_write(const struct person *person, enum vcard_version version, struct buf *out)
{
    struct vcard_writer writer = {.person = person, .version = version, .out = out};
    struct span name = person_text(person, CONTACT_NAME), extra;

    buf_append(out, span_str("BEGIN:VCARD\r\nVERSION:"));
    buf_append(out, span_str(version == VCARD_3 ? "3.0\r\n" : "4.0\r\n"));
    vcard_write_text(&writer, "UID", person_text(person, CONTACT_UID));
    if (person_text(person, CONTACT_IS_ORG).size > 0)
        vcard_write_text(&writer, "KIND", span_str("org"));
    vcard_write_text(&writer, "FN", name);
    vcard_write_n(&writer, name);
    vcard_write_org(&writer, person_text(person, CONTACT_ORG));
    vcard_write_text(&writer, "TITLE", person_text(person, CONTACT_TITLE));
    vcard_write_reaches(&writer);
    vcard_write_place(&writer, person_text(person, CONTACT_PLACE));
    vcard_write_tags(&writer);
    vcard_write_text(&writer, "NOTE", person_text(person, CONTACT_NOTE));
    vcard_write_text(&writer, "X-KITH-MET", person_text(person, CONTACT_MET));
    vcard_write_photo(&writer, person_text(person, CONTACT_PHOTO));
    for (size_t at = 0; (extra = person_at(person, CONTACT_EXTRAS, at)).size > 0; at++)
        if (!writer.is_written[at])
            vcard_write_extra(&writer, extra);
    buf_append(out, span_str("END:VCARD\r\n"));
    buf_release(&writer.line);
    buf_release(&writer.text);
}
