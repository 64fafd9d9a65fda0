/*
 * An address book file becomes contacts: each person is compared with who is there. All of it is
 * one transaction, so that a file that cannot be read to its end changes nothing. A rehearsal does
 * the same and is taken back.
 */
#include "node/op_import.h"

#include <string.h>

#include "node/amend.h"
#include "node/book.h"
#include "node/import_base.h"
#include "node/import_index.h"
#include "node/import_match.h"
#include "node/op_undo.h"
#include "node/person_contact.h"
#include "proto/scan.h"
#include "storage/fold.h"
#include "storage/follow.h"

enum {
    OP_IMPORT_PROGRESS = 256,
    OP_IMPORT_SMALL_SIZE = 64 << 10,   /* a few cards go in as edits by hand do */
    OP_IMPORT_WAIT_MS = 10 * 60 * 1000 /* for the views of all of them */
};

struct op_import_state {
    struct op_call *call;
    enum book_format format;
    json_t *rejected, *alike, *notes;
    struct import_index index;
    struct import_base base; /* of the contact under way */
    struct buf folded;       /* name of the person under way */
    size_t people, at;       /* read so far; written so far */
    size_t lines;            /* of the file */
    size_t from, max;        /* people of earlier steps; where this one ends */
    uint64_t act;            /* what undo knows the steps by */
    json_int_t added, updated, unchanged, look_alike, rejected_count, kept;
};

/* Reading. */

static void op_import_tell(json_t *list, size_t line, const char *why)
{
    if (json_array_size(list) < IMPORT_TOLD_MAX)
        (void)json_array_append_new(list,
                                    json_pack("{s:I, s:s}", "line", (json_int_t)line, "why", why));
}

static void op_import_on_reject(void *self, size_t line, const char *why)
{
    struct op_import_state *state = self;

    state->rejected_count++;
    op_import_tell(state->rejected, line, why);
}

/* How many people there may be: as many to a line as up to this one. */
static uint64_t op_import_guess(const struct op_import_state *state, size_t line)
{
    uint64_t lines = state->lines > line ? state->lines : line;

    return line > 0 ? state->people * lines / line : state->people;
}

static size_t op_import_lines(struct span file)
{
    size_t lines = 0;
    const uint8_t *at;

    while ((at = file.size > 0 ? memchr(file.data, '\n', file.size) : NULL) != NULL) {
        file.size -= (size_t)(at + 1 - file.data);
        file.data = at + 1;
        lines++;
    }
    return lines;
}

/* Why a file that was read to its end brings nobody. */
static enum err op_import_nobody(struct op_import_state *state)
{
    json_t *first = json_array_get(state->rejected, 0);

    return op_fail(state->call, OP_FAILED, "export it again, as vCard (.vcf) or CSV",
                   "nobody in that file could be read%s%s", first != NULL ? ": " : "",
                   first != NULL ? json_string_value(json_object_get(first, "why")) : "");
}

/* Writing. */

/* How we met, and who somebody is elsewhere, are not overwritten by a file. */
static bool op_import_is_mine(const struct amend *amend, uint8_t field)
{
    return (field == CONTACT_MET || field == CONTACT_UID) &&
           object_text(&amend->object, field).size > 0;
}

/* What the member's own card says need not be said again: it would outlive the card. */
static bool op_import_is_told(const struct amend *amend, const struct object *card, uint8_t field,
                              struct span value)
{
    uint8_t told = person_card_field(field);

    if (told == 0 || card->elements_count + card->registers_count == 0)
        return false;
    if (!kind_field(&contact_kind, field)->is_set)
        return object_text(&amend->object, field).size == 0 &&
               span_is_equal(object_text(card, told), value);
    return object_element_like(card, told, value) != NULL;
}

/* The parts of a name (N of a card) go with the name: who was called otherwise by hand keeps that.
 */
static bool op_import_is_old_name(const struct amend *amend, const struct import_base *base,
                                  const struct person *person, uint8_t field, struct span value)
{
    return field == CONTACT_EXTRAS && value.size > 1 && value.data[0] == 'N' &&
           (value.data[1] == ':' || value.data[1] == ';') &&
           !import_base_may_set(base, &amend->object, CONTACT_NAME,
                                person_text(person, CONTACT_NAME));
}

/* One value of the file; true when it was left out because the owner changed that by hand. */
static bool op_import_value(struct amend *amend, const struct import_base *base,
                            const struct person *person, uint8_t field, struct span value)
{
    const struct field *about = kind_field(&contact_kind, field);

    if (op_import_is_old_name(amend, base, person, field, value))
        return false; /* The name itself is counted. */
    if (about->is_set && !import_base_may_add(base, &amend->object, field, value))
        return true;
    if (!about->is_set && about->type != VALUE_NUMBER && !op_import_is_mine(amend, field) &&
        !import_base_may_set(base, &amend->object, field, value))
        return true;
    if (about->is_set)
        amend_add(amend, field, value);
    else if (about->type == VALUE_NUMBER)
        amend_number(amend, field, 1);
    else if (about->type == VALUE_BYTES)
        amend_bytes(amend, field, value);
    else if (!op_import_is_mine(amend, field))
        amend_text(amend, field, value);
    return false;
}

static void op_import_amend(struct op_import_state *state, struct amend *amend,
                            const struct object *card, const struct person *person, const char *tag)
{
    struct import_base *base = &state->base;

    import_base_begin(base, &amend->object);
    for (size_t at = 0; at < person_count(person); at++) {
        uint8_t field;
        struct span value = person_value_at(person, at, &field);

        if (!op_import_is_told(amend, card, field, value))
            state->kept += op_import_value(amend, base, person, field, value);
    }
    /* Only now: a card may say the same twice, and both times it is as new. */
    for (size_t at = 0; at < person_count(person); at++) {
        uint8_t field;
        struct span value = person_value_at(person, at, &field);

        if (field != CONTACT_LABELS && field != CONTACT_EXTRAS)
            import_base_note(base, field, value);
    }
    if (tag != NULL)
        amend_add(amend, CONTACT_TAGS, span_str(tag));
}

static void op_import_tell_alike(struct op_import_state *state, const struct person *person,
                                 const struct import_match *match, size_t like_line)
{
    struct span name = person_text(person, CONTACT_NAME);
    char like[ID_TEXT_SIZE];
    json_t *row;

    state->look_alike++;
    if (json_array_size(state->alike) == IMPORT_TOLD_MAX)
        return;
    row = json_pack("{s:I, s:s%}", "line", (json_int_t)person->line, "name", name.data, name.size);
    hex_write(span_of(match->like.bytes, ID_SIZE), like);
    if (match->has_like)
        (void)json_object_set_new(row, "like", json_string(like));
    else
        (void)json_object_set_new(row, "like_line", json_integer((json_int_t)like_line));
    (void)json_array_append_new(state->alike, row);
}

/* Whoever may be met again must stand in the views before they are asked. */
static enum err op_import_catch_up(struct op_import_state *state)
{
    import_index_clear(&state->index);
    return follow_all(state->call->txn);
}

static enum err op_import_find(struct op_import_state *state, const struct person *person,
                               struct import_match *match, size_t *out_like_line)
{
    struct op_call *call = state->call;
    enum import_index_answer answer;
    enum err err;

    buf_clear(&state->folded);
    err = fold(person_text(person, CONTACT_NAME), &state->folded);
    if (err != ERR_OK)
        return err;
    *out_like_line = 0;
    answer = import_index_look(&state->index, person, buf_span(&state->folded), out_like_line);
    if (answer == IMPORT_INDEX_MET)
        err = op_import_catch_up(state);
    if (err == ERR_OK)
        err = import_match(&call->snapshot, person, match);
    if (err == ERR_OK && match->is_found && import_index_has(&state->index, &match->contact)) {
        err = op_import_catch_up(state);
        if (err == ERR_OK)
            err = import_match(&call->snapshot, person, match);
    }
    if (answer == IMPORT_INDEX_MET)
        *out_like_line = 0; /* The views have said. */
    return err;
}

static enum err op_import_put(struct op_import_state *state, const struct person *person,
                              const struct import_match *match, size_t *out_changes)
{
    struct op_call *call = state->call;
    struct object card = {0};
    struct amend amend;
    enum err err;

    (match->is_found ? amend_begin : amend_begin_new)(
        &amend, call->txn, ledger_self_space(call->snapshot.ledger), KIND_CONTACT, &match->contact);
    if (amend.is_new)
        amend_number(&amend, CONTACT_CREATED, call->now_ms);
    err = person_card_of(&call->snapshot, &amend.object, &card);
    op_import_amend(state, &amend, &card, person, op_text(call, "tag"));
    *out_changes = amend.changes; /* What files have told is noted beside it. */
    import_base_end(&state->base, &amend);
    if (err == ERR_OK)
        err = amend_end_behind(&amend, NULL);
    else
        amend_abort(&amend);
    object_release(&card);
    if (err == ERR_OK)
        err = import_index_add(&state->index, person, buf_span(&state->folded), &match->contact);
    return err;
}

static enum err op_import_on_person(void *self, const struct person *person)
{
    struct op_import_state *state = self;
    struct op_call *call = state->call;
    struct import_match match;
    size_t changes = 0, like_line;
    enum err err;

    state->people++;
    if (person->is_cut)
        op_import_tell(state->notes, person->line,
                       "something was too large and was left out; the person is kept");
    if (person->is_unended)
        op_import_tell(state->notes, person->line,
                       "END:VCARD is missing: the card was taken as far as it goes");
    if (state->people <= state->from || state->people > state->max)
        return ERR_OK; /* Written by an earlier step, or by a later one. */
    state->at = state->people;
    err = op_import_find(state, person, &match, &like_line);
    if (err != ERR_OK)
        return err;
    if (!match.is_found)
        id_draw(ledger_entropy(call->snapshot.ledger), call->now_ms, &match.contact);
    err = op_import_put(state, person, &match, &changes);
    state->added += !match.is_found;
    state->updated += match.is_found && changes > 0;
    state->unchanged += match.is_found && changes == 0;
    if (!match.is_found && (match.has_like || like_line > 0))
        op_import_tell_alike(state, person, &match, like_line);
    if (state->at % OP_IMPORT_PROGRESS == 0 && call->progress != NULL)
        call->progress(call->progress_self, state->at, op_import_guess(state, person->line));
    return err;
}

static enum err op_import_write(struct op_import_state *state)
{
    struct person_reader reader = {
        .person = op_import_on_person, .reject = op_import_on_reject, .self = state};
    struct op_call *call = state->call;
    uint64_t mark = op_undo_begin(call);
    const char *why;
    enum err err;

    import_index_begin(&state->index, ledger_entropy(call->snapshot.ledger));
    err = op_import_catch_up(state); /* With an import before this one. */
    state->lines = op_import_lines(call->file);
    if (err == ERR_OK)
        err = book_read(call->file, state->format, &reader, &why);
    if (err == ERR_MALFORMED)
        return op_fail(call, OP_FAILED, "kith import FILE --from vcard|linkedin|google|outlook|csv",
                       "that file is not an address book: %s", why);
    if (err == ERR_OK && state->people == 0)
        return op_import_nobody(state);
    return err == ERR_OK ? op_undo_end_step(call, mark, "import", &state->act) : err;
}

/* What earlier steps came to. */
static void op_import_take_up(struct op_import_state *state, json_t *first)
{
    state->from = (size_t)json_integer_value(json_object_get(first, "at"));
    state->act = (uint64_t)json_integer_value(json_object_get(first, "act"));
    state->added = json_integer_value(json_object_get(first, "new"));
    state->updated = json_integer_value(json_object_get(first, "updated"));
    state->unchanged = json_integer_value(json_object_get(first, "unchanged"));
    state->look_alike = json_integer_value(json_object_get(first, "look_alike"));
    state->kept = json_integer_value(json_object_get(first, "kept"));
    (void)json_array_extend(state->alike, json_object_get(first, "alike"));
}

static json_t *op_import_result(struct op_import_state *state)
{
    json_t *result = json_pack("{s:I, s:I, s:I, s:I, s:O}", "new", state->added, "updated",
                               state->updated, "unchanged", state->unchanged, "look_alike",
                               state->look_alike, "rejected", state->rejected);

    if (state->kept > 0)
        (void)json_object_set_new(result, "kept", json_integer(state->kept));
    if (json_array_size(state->alike) > 0)
        (void)json_object_set(result, "alike", state->alike);
    if (json_array_size(state->notes) > 0)
        (void)json_object_set(result, "notes", state->notes);
    if ((size_t)state->rejected_count > json_array_size(state->rejected))
        (void)json_object_set_new(result, "rejected_total", json_integer(state->rejected_count));
    if (state->at < state->people) {
        (void)json_object_set_new(result, "at", json_integer((json_int_t)state->at));
        (void)json_object_set_new(result, "act", json_integer((json_int_t)state->act));
    }
    return result;
}

/* PROTOCOL IMPORT-5: "One transaction writes IMPORT_STEP people at most, and none while the disk
 * has less than IMPORT_DISK_MIN bytes left." */
/* Rule L10: what is left of the disk is for edits by hand. Looked at before every step. */
static enum err op_import_look(struct op_import_state *state)
{
    struct op_call *call = state->call;
    struct op_health health;
    char sofar[64] = "";

    if (call->world->look == NULL || call->file.size <= OP_IMPORT_SMALL_SIZE ||
        call->world->look(call->world->home, &health) != ERR_OK ||
        health.disk_free_bytes >= IMPORT_DISK_MIN)
        return ERR_OK;
    if (state->from > 0)
        (void)snprintf(sofar, sizeof sofar, "the first %zu people are in, then: ", state->from);
    return op_fail(call, OP_FAILED, "free some room on the disk, then import again",
                   "%sthe disk has only %llu MiB left: that is kept for edits by hand", sofar,
                   (unsigned long long)(health.disk_free_bytes >> 20));
}

static enum err op_import_steps(struct op_import_state *state, size_t step)
{
    struct op_call *call = state->call;
    enum err err;

    if (call->first != NULL)
        op_import_take_up(state, call->first);
    state->max = step < SIZE_MAX - state->from ? state->from + step : SIZE_MAX;
    err = op_import_look(state);
    if (err != ERR_OK)
        return err;
    err = op_import_write(state);
    if (err != ERR_OK && state->from > 0)
        (void)op_fail(call, OP_FAILED, "import it again: what is in stays as it is",
                      "the first %zu people are in, then: %s", state->from, err_sentence(err));
    if (err == ERR_OK) {
        call->result = op_import_result(state);
        err = call->result != NULL ? ERR_OK : ERR_NOMEM;
    }
    return err;
}

static enum err op_import_check_tag(struct op_call *call)
{
    const char *tag = op_text(call, "tag");

    if (tag == NULL || (strlen(tag) <= TEXT_SIZE_MAX && scan_is_utf8(span_str(tag))))
        return ERR_OK;
    return op_fail(call, OP_USAGE, "kith import FILE --tag choir",
                   "a tag is text of at most %d bytes", TEXT_SIZE_MAX);
}

static enum err op_import_run(struct op_call *call, size_t step, bool *out_is_more)
{
    struct op_import_state state = {
        .call = call, .rejected = json_array(), .alike = json_array(), .notes = json_array()};
    const char *from = op_text(call, "from");
    enum err err = ERR_OK;

    if (from != NULL && !book_format_named(from, &state.format))
        err = op_fail(call, OP_USAGE, "--from vcard, linkedin, google, outlook or csv",
                      "there is no format \"%.40s\"", from);
    if (err == ERR_OK)
        err = op_import_check_tag(call);
    if (err == ERR_OK)
        err = op_import_steps(&state, step);
    *out_is_more = state.at < state.people;
    json_decref(state.rejected);
    json_decref(state.alike);
    json_decref(state.notes);
    import_index_release(&state.index);
    import_base_release(&state.base);
    buf_release(&state.folded);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the file could not be imported");
}

enum err op_import(struct op_call *call)
{
    bool is_more;
    size_t step = call->world->import_step > 0 ? call->world->import_step : IMPORT_STEP;
    enum err err = op_import_run(call, step, &is_more);

    if (err == ERR_OK) {
        call->effects.goes_on = is_more;
        call->effects.is_waiting = !is_more && follow_txn_is_behind(call->txn);
        call->effects.wait_ms = OP_IMPORT_WAIT_MS;
    }
    return err;
}

enum err op_import_poll(struct op_call *call)
{
    uint64_t held, merged;
    enum err err = follow_progress(&call->snapshot, &held, &merged);

    if (err != ERR_OK)
        return op_fail_err(call, err, "the lists could not be read");
    call->effects.is_waiting = merged < held;
    call->result = json_incref(call->first);
    return ERR_OK;
}

enum err op_import_plan(struct op_call *call)
{
    bool is_more;
    enum err err = op_import_run(call, SIZE_MAX, &is_more);

    if (err != ERR_OK)
        return err;
    call->effects.is_rehearsal = true;
    return ERR_CANCELLED; /* Taken back: the counts are all that was wanted. */
}
