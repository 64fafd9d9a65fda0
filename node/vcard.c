/*
 * Lines are unfolded one after the other, without a copy where nothing was folded; each gives a
 * property; properties gather in a card until END. vcard_card.c knows what they mean.
 */
#include "node/vcard.h"

#include <string.h>
#include <strings.h>

#include "crypto/heap.h"
#include "node/charset.h"
#include "node/vcard_card.h"
#include "node/vcard_text.h"
#include "proto/limits.h"

struct vcard_state {
    const struct person_reader *reader;
    struct span rest;   /* of the file */
    uint8_t line_end;   /* \n, or \r in a file that has no other: an old Mac's */
    size_t line;        /* number of the line read last */
    size_t begun_line;  /* where the logical line began */
    struct buf logical; /* the line, unfolded, when it was folded */
    bool is_head_known; /* the next three are of the logical line */
    bool has_value, is_quoted, is_base64;
    struct vcard_card card; /* the card under way */
    bool is_inside;         /* of a card */
    bool expects_nested;    /* AGENT: announced a card */
    size_t depth;           /* of cards in this card */
    struct buf agent;       /* their lines */
    const char *why;        /* the card cannot be read */
};

/* Lines. */

static bool vcard_next_physical(struct vcard_state *state, struct span *out)
{
    const uint8_t *end;
    size_t size;

    if (state->rest.size == 0)
        return false;
    end = memchr(state->rest.data, state->line_end, state->rest.size);
    size = end != NULL ? (size_t)(end - state->rest.data) : state->rest.size;
    *out = span_of(state->rest.data, size);
    size += end != NULL;
    state->rest = span_of(state->rest.data + size, state->rest.size - size);
    state->line++;
    while (out->size > 0 && out->data[out->size - 1] == '\r')
        out->size--;
    return true;
}

/* The line that would be read next, as far as it matters. */
static struct span vcard_peek(const struct vcard_state *state)
{
    struct vcard_state ahead = {.rest = state->rest, .line_end = state->line_end};
    struct span line;

    return vcard_next_physical(&ahead, &line) ? line : span_of(NULL, 0);
}

static bool vcard_has_word(struct span head, const char *word)
{
    size_t size = strlen(word);

    for (size_t at = 0; at + size <= head.size; at++)
        if (strncasecmp((const char *)head.data + at, word, size) == 0)
            return true;
    return false;
}

/* What stands before the value says how it may go on; looked at once a line, however long. */
static void vcard_know_head(struct vcard_state *state, struct span line)
{
    const uint8_t *colon = line.size > 0 ? memchr(line.data, ':', line.size) : NULL;
    struct span head = span_of(line.data, colon != NULL ? (size_t)(colon - line.data) : 0);

    if (state->is_head_known)
        return;
    state->is_head_known = true;
    state->has_value = colon != NULL;
    state->is_quoted = vcard_has_word(head, "QUOTED-PRINTABLE");
    state->is_base64 = vcard_has_word(head, "BASE64") || vcard_has_word(head, "ENCODING=B");
}

static bool vcard_looks_base64(struct span line)
{
    for (size_t at = 0; at < line.size; at++) {
        uint8_t letter = line.data[at];
        bool is_letter = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                         (letter >= '0' && letter <= '9') || letter == '+' || letter == '/' ||
                         letter == '=';

        if (!is_letter)
            return false;
    }
    return line.size > 0;
}

enum vcard_fold {
    VCARD_WHOLE,  /* the line ends here */
    VCARD_FOLDED, /* goes on after a space or tab */
    VCARD_SOFT,   /* goes on after "=", which goes */
    VCARD_BARE    /* goes on as it stands */
};

enum { VCARD_BASE64_LINE = 40 }; /* shorter lines do not go on in bare base64 */

static enum vcard_fold vcard_fold_after(struct vcard_state *state, struct span line)
{
    uint8_t next = state->rest.size > 0 ? state->rest.data[0] : 0;
    uint8_t last = line.size > 0 ? line.data[line.size - 1] : 0;
    struct span ahead;

    if (state->rest.size == 0)
        return VCARD_WHOLE;
    if (last == '=' || last == '\\' || line.size >= VCARD_BASE64_LINE)
        vcard_know_head(state, line);
    if (last == '=' && state->is_quoted)
        return VCARD_SOFT;
    if (next == ' ' || next == '\t')
        return VCARD_FOLDED;
    if (!state->is_head_known)
        return VCARD_WHOLE;
    ahead = vcard_peek(state);
    if (state->is_base64 && vcard_looks_base64(ahead))
        return VCARD_BARE;
    return last == '\\' && state->has_value && ahead.size > 0 &&
                   memchr(ahead.data, ':', ahead.size) == NULL
               ? VCARD_BARE
               : VCARD_WHOLE;
}

/* After a soft line break spaces are text, unless an exporter indented more quoted-printable. */
static struct span vcard_after_soft(struct span line)
{
    if (line.size > 1 && (line.data[0] == ' ' || line.data[0] == '\t') && line.data[1] == '=')
        return span_of(line.data + 1, line.size - 1);
    return line;
}

static void vcard_unfold(struct vcard_state *state, enum vcard_fold fold)
{
    struct span line;

    if (fold == VCARD_SOFT)
        state->logical.size--;
    if (!vcard_next_physical(state, &line))
        return;
    if (fold == VCARD_FOLDED)
        line = span_of(line.data + 1, line.size > 0 ? line.size - 1 : 0);
    else if (fold == VCARD_SOFT)
        line = vcard_after_soft(line);
    if (line.size > VCARD_LINE_MAX - state->logical.size)
        state->why = "a line is longer than 1 MiB";
    else
        buf_append(&state->logical, line);
}

/* PROTOCOL IMPORT-2: "A line of a vCard has at most VCARD_LINE_MAX bytes unfolded, a card at most
 * VCARD_PROPERTIES_MAX properties; a card beyond that is left out." */
/* One logical line; out lives until the next. A line beyond the bound is passed over to its end,
 * and its card is given up. */
static bool vcard_next_line(struct vcard_state *state, struct span *out)
{
    enum vcard_fold fold;

    if (!vcard_next_physical(state, out))
        return false;
    state->begun_line = state->line;
    state->is_head_known = state->has_value = state->is_quoted = state->is_base64 = false;
    if (out->size > VCARD_LINE_MAX) {
        state->why = "a line is longer than 1 MiB";
        *out = span_of(out->data, 0);
    }
    fold = vcard_fold_after(state, *out);
    if (fold == VCARD_WHOLE)
        return true;
    buf_clear(&state->logical);
    buf_append(&state->logical, *out);
    while (fold != VCARD_WHOLE && !state->logical.is_failed) {
        vcard_unfold(state, fold);
        fold = vcard_fold_after(state, buf_span(&state->logical));
    }
    *out = buf_span(&state->logical);
    return true;
}

/* Cards. */

static enum err vcard_finish(struct vcard_state *state)
{
    struct vcard_card *card = &state->card;

    if (!state->is_inside)
        return ERR_OK;
    state->is_inside = false;
    if (state->why == NULL && !vcard_card_end(card))
        state->why = "the card has no name, organisation, e-mail or phone";
    if (vcard_card_err(card) != ERR_OK)
        return ERR_NOMEM;
    if (state->why == NULL)
        return state->reader->person(state->reader->self, &card->person);
    state->reader->reject(state->reader->self, card->person.line, state->why);
    return ERR_OK;
}

static void vcard_begin(struct vcard_state *state)
{
    vcard_card_begin(&state->card, state->begun_line);
    state->is_inside = true;
    state->expects_nested = false;
    state->depth = 0;
    state->why = NULL;
}

static void vcard_take(struct vcard_state *state, const struct property *property)
{
    if (!vcard_card_take(&state->card, property))
        state->why = "the card has more than 500 properties";
}

/* A card inside a card, as the text that version 3 would have for it (RFC 2426 3.5.4). */
static void vcard_end_nested(struct vcard_state *state)
{
    struct property agent = {.name = span_of("AGENT", 5)};
    struct buf value = {0};

    vcard_text_escape(buf_span(&state->agent), &value);
    agent.value = buf_span(&value);
    vcard_take(state, &agent);
    state->agent.is_failed |= value.is_failed;
    buf_release(&value);
    buf_clear(&state->agent);
    state->expects_nested = false;
}

/* END was forgotten, or the file broke off. */
static enum err vcard_finish_unended(struct vcard_state *state)
{
    state->card.person.is_unended = true;
    if (state->is_inside && state->depth > 0)
        vcard_end_nested(state);
    return vcard_finish(state);
}

static void vcard_nested_line(struct vcard_state *state, struct span line)
{
    if (state->agent.size + line.size > NOTE_SIZE_MAX / 2)
        return; /* Beyond what is kept of it. */
    charset_utf8(line, span_of(NULL, 0), &state->agent);
    buf_byte(&state->agent, '\n');
}

static bool vcard_is_mark(const struct property *property, const char *word)
{
    return vcard_text_is(property->name, word) &&
           vcard_text_is(person_trim(property->value), "VCARD");
}

/* What begins a card whose BEGIN is missing. */
static bool vcard_is_first(const struct property *property)
{
    return vcard_text_is(property->name, "VERSION") || vcard_text_is(property->name, "FN") ||
           vcard_text_is(property->name, "N");
}

static enum err vcard_on_begin(struct vcard_state *state, struct span line)
{
    enum err err;

    if (state->is_inside && (state->depth > 0 || state->expects_nested)) {
        if (state->depth == 0)
            buf_clear(&state->agent);
        state->depth++;
        vcard_nested_line(state, line);
        return ERR_OK;
    }
    err = vcard_finish_unended(state);
    vcard_begin(state);
    return err;
}

static enum err vcard_on_end(struct vcard_state *state, struct span line)
{
    if (!state->is_inside)
        return ERR_OK;
    if (state->depth == 0)
        return vcard_finish(state);
    vcard_nested_line(state, line);
    if (--state->depth == 0)
        vcard_end_nested(state);
    return ERR_OK;
}

static enum err vcard_line(struct vcard_state *state, struct span line)
{
    struct property property;

    if (!property_read(line, &property))
        return ERR_OK; /* A comment, or nothing that anybody could read. */
    if (vcard_is_mark(&property, "BEGIN"))
        return vcard_on_begin(state, line);
    if (vcard_is_mark(&property, "END"))
        return vcard_on_end(state, line);
    if (state->depth > 0) {
        vcard_nested_line(state, line);
        return ERR_OK;
    }
    if (!state->is_inside && vcard_is_first(&property))
        vcard_begin(state);
    if (!state->is_inside)
        return ERR_OK;
    state->expects_nested =
        vcard_text_is(property.name, "AGENT") && person_trim(property.value).size == 0;
    if (!state->expects_nested && state->why == NULL)
        vcard_take(state, &property);
    return ERR_OK;
}

enum err vcard_read(struct span file, const struct person_reader *reader)
{
    struct vcard_state *state = heap_new_zeroed(1, sizeof *state);
    struct span line;
    enum err err = ERR_OK;

    if (state == NULL)
        return ERR_NOMEM;
    state->reader = reader;
    state->rest = file;
    state->line_end = file.size > 0 && memchr(file.data, '\n', file.size) != NULL ? '\n' : '\r';
    while (err == ERR_OK && vcard_next_line(state, &line)) {
        if (state->logical.is_failed || state->agent.is_failed)
            err = ERR_NOMEM;
        else if (line.size > 0)
            err = vcard_line(state, line);
    }
    if (err == ERR_OK)
        err = vcard_finish_unended(state);
    vcard_card_release(&state->card);
    buf_release(&state->logical);
    buf_release(&state->agent);
    heap_free(state);
    return err;
}
