/*
 * An object's document is the set of tokens of its texts. When an edit changes a text, the sets
 * before and after are compared, and only what differs is noted; the notes of a transaction are
 * written together, in the order of tokens.
 */
#include "storage/view_search.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "proto/card.h"
#include "storage/ledger_state.h"
#include "storage/name_order.h"
#include "storage/posting.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_same.h"
#include "storage/view_search_state.h"

struct view_search {
    struct posting_batch postings;
    struct name_order_batch names;
    struct view_search_tokens before, after;
};

/* Which texts are looked through. */
static const struct {
    uint8_t kind, field;
    bool is_set, has_digits;
} view_search_fields[] = {
    {KIND_CONTACT, CONTACT_NAME, false, false},  {KIND_CONTACT, CONTACT_ORG, false, false},
    {KIND_CONTACT, CONTACT_TITLE, false, false}, {KIND_CONTACT, CONTACT_PLACE, false, false},
    {KIND_CONTACT, CONTACT_MET, false, false},   {KIND_CONTACT, CONTACT_TAGS, true, false},
    {KIND_CONTACT, CONTACT_EMAILS, true, false}, {KIND_CONTACT, CONTACT_PHONES, true, true},
    {KIND_CONTACT, CONTACT_URLS, true, false},   {KIND_CONTACT, CONTACT_NOTE, false, false},
    {KIND_CONTACT, CONTACT_EXTRAS, true, false}, {KIND_CARD, CARD_NAME, false, false},
    {KIND_CARD, CARD_ORG, false, false},         {KIND_CARD, CARD_TITLE, false, false},
    {KIND_CARD, CARD_PLACE, false, false},       {KIND_CARD, CARD_EMAILS, true, false},
    {KIND_CARD, CARD_PHONES, true, true},        {KIND_CARD, CARD_URLS, true, false},
};

enum { VIEW_SEARCH_FIELDS = sizeof view_search_fields / sizeof view_search_fields[0] };

/* Tokens. */

static enum err view_search_on_word(void *self, struct span word)
{
    struct view_search_tokens *tokens = self;
    struct view_search_token *token;

    if (word.size == 0 || tokens->count == VIEW_SEARCH_TOKENS_MAX)
        return ERR_OK;
    if (tokens->count == tokens->capacity) {
        size_t capacity = tokens->capacity > 0 ? 2 * tokens->capacity : 32;
        void *grown = heap_resize(tokens->tokens, capacity * sizeof *tokens->tokens);

        if (grown == NULL)
            return ERR_NOMEM;
        tokens->tokens = grown;
        tokens->capacity = capacity;
    }
    token = &tokens->tokens[tokens->count++];
    *token = (struct view_search_token){.size = (uint8_t)word.size};
    memcpy(token->bytes, word.data, word.size);
    return ERR_OK;
}

/* A telephone number is found by its digits too, however it is spelt. */
static enum err view_search_digits(struct view_search_tokens *tokens, struct span text)
{
    uint8_t digits[POSTING_TOKEN_MAX];
    size_t count = 0;

    for (size_t at = 0; at < text.size && count < sizeof digits; at++)
        if (text.data[at] >= '0' && text.data[at] <= '9')
            digits[count++] = text.data[at];
    return count > 0 ? view_search_on_word(tokens, span_of(digits, count)) : ERR_OK;
}

enum err view_search_text(struct view_search_tokens *tokens, struct span text, bool has_digits)
{
    enum err err;

    if (text.size == 0)
        return ERR_OK;
    buf_clear(&tokens->folded);
    err = fold(text, &tokens->folded);
    if (err == ERR_OK)
        err = fold_words(buf_span(&tokens->folded), view_search_on_word, tokens);
    if (err == ERR_OK && has_digits)
        err = view_search_digits(tokens, text);
    return err;
}

static int view_search_order(const void *left, const void *right)
{
    const struct view_search_token *one = left, *other = right;

    return memcmp(one->bytes, other->bytes, POSTING_TOKEN_MAX);
}

static void view_search_unique(struct view_search_tokens *tokens)
{
    size_t kept = 0;

    if (tokens->count > 1)
        qsort(tokens->tokens, tokens->count, sizeof *tokens->tokens, view_search_order);
    for (size_t at = 0; at < tokens->count; at++)
        if (kept == 0 || view_search_order(&tokens->tokens[kept - 1], &tokens->tokens[at]) != 0)
            tokens->tokens[kept++] = tokens->tokens[at];
    tokens->count = kept;
}

/* A property nobody knows may be a picture in letters: only short ones are words. */
static bool view_search_is_text(size_t row, struct span text)
{
    return view_search_fields[row].field != CONTACT_EXTRAS || text.size <= VIEW_SEARCH_EXTRA_MAX;
}

/* The next element of a field; NULL begins, and is the end. A peer's card may have thousands: they
 * are gone over once, not counted up to for each. */
static const struct object_element *view_search_next(const struct object *object, uint8_t field,
                                                     const struct object_element *last)
{
    size_t at = last != NULL ? (size_t)(last - object->elements) + 1 : 0;

    while (at < object->elements_count && object->elements[at].field != field)
        at++;
    return at < object->elements_count ? &object->elements[at] : NULL;
}

enum err view_search_document(const struct object *object, struct view_search_tokens *out)
{
    enum err err = ERR_OK;

    if (object == NULL || !object_is_visible(object))
        return ERR_OK;
    for (size_t row = 0; row < VIEW_SEARCH_FIELDS && err == ERR_OK; row++) {
        uint8_t field = view_search_fields[row].field;
        const struct object_element *at = NULL;

        if (view_search_fields[row].kind != object->kind)
            continue;
        if (!view_search_fields[row].is_set)
            err = view_search_text(out, object_text(object, field), false);
        while (view_search_fields[row].is_set && err == ERR_OK &&
               (at = view_search_next(object, field, at)) != NULL)
            if (view_search_is_text(row, at->value.bytes))
                err = view_search_text(out, at->value.bytes, view_search_fields[row].has_digits);
    }
    view_search_unique(out);
    return err;
}

void view_search_tokens_release(struct view_search_tokens *tokens)
{
    heap_free(tokens->tokens);
    buf_release(&tokens->folded);
    *tokens = (struct view_search_tokens){0};
}

/* Following. */

void view_search_free(struct view_search *search)
{
    if (search == NULL)
        return;
    posting_release(&search->postings);
    name_order_release(&search->names);
    view_search_tokens_release(&search->before);
    view_search_tokens_release(&search->after);
    heap_free(search);
}

static bool view_search_set_is_equal(const struct object *one, const struct object *other,
                                     uint8_t field)
{
    const struct object_element *left = NULL, *right = NULL;

    for (;;) {
        left = view_search_next(one, field, left);
        right = view_search_next(other, field, right);
        if (left == NULL || right == NULL)
            return left == right;
        if (!span_is_equal(left->value.bytes, right->value.bytes))
            return false;
    }
}

/* Most edits change one field, and many none that is looked through. */
static bool view_search_is_same(const struct object *before, const struct object *after)
{
    if (before == NULL || object_is_visible(before) != object_is_visible(after))
        return false;
    for (size_t row = 0; row < VIEW_SEARCH_FIELDS; row++) {
        uint8_t field = view_search_fields[row].field;

        if (view_search_fields[row].kind != after->kind)
            continue;
        if (view_search_fields[row].is_set
                ? !view_search_set_is_equal(before, after, field)
                : !span_is_equal(object_text(before, field), object_text(after, field)))
            return false;
    }
    return true;
}

/* Both sets ascend: what only one has is noted. */
static enum err view_search_difference(struct view_search *search, uint32_t number)
{
    const struct view_search_tokens *before = &search->before, *after = &search->after;
    size_t left = 0, right = 0;
    enum err err = ERR_OK;

    while (err == ERR_OK && (left < before->count || right < after->count)) {
        int order = left == before->count ? 1
                    : right == after->count
                        ? -1
                        : view_search_order(&before->tokens[left], &after->tokens[right]);
        const struct view_search_token *token =
            order <= 0 ? &before->tokens[left] : &after->tokens[right];

        if (order != 0)
            err = posting_note(&search->postings, span_of(token->bytes, token->size), number,
                               order > 0);
        left += order <= 0;
        right += order >= 0;
    }
    return err;
}

static enum err view_search_room(struct ledger_txn *txn)
{
    if (txn->search == NULL)
        txn->search = heap_new_zeroed(1, sizeof *txn->search);
    return txn->search != NULL ? ERR_OK : ERR_NOMEM;
}

enum err view_search_list(struct ledger_txn *txn, uint32_t number, const struct object *contact,
                          bool is_listed)
{
    struct buf *folded;
    enum err err = view_search_room(txn);

    if (err != ERR_OK || !is_listed)
        return err == ERR_OK ? name_order_note(&txn->search->names, number, 0) : err;
    folded = &txn->search->after.folded;
    buf_clear(folded);
    err = fold(view_contact_shown(contact), folded);
    return err == ERR_OK
               ? name_order_note(&txn->search->names, number, name_order_key(buf_span(folded)))
               : err;
}

static enum err view_search_name(struct ledger_txn *txn, uint32_t number,
                                 const struct object *contact)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint32_t head;
    enum err err = view_same_head(&snapshot, number, &head);

    return err == ERR_OK ? view_search_list(txn, number, contact,
                                            head == number && object_is_visible(contact))
                         : err;
}

/* The cards of peers lie in spaces of their own; who wrote them is in the row of the space. */
static enum err view_search_note_card(struct ledger_txn *txn, const struct space_row *space,
                                      uint32_t number)
{
    struct key key;

    key_of_u32(number, &key);
    return ledger_put(txn, TABLE_CARD_OF, &key,
                      span_of(space->writer.bytes, sizeof(struct public_key)));
}

enum err view_search_changed(struct ledger_txn *txn, const struct space_row *space, uint32_t number,
                             const struct object *before, const struct object *after)
{
    struct view_search *search;
    enum err err;

    if ((after->kind == KIND_CARD && space->is_mine) || view_search_is_same(before, after))
        return ERR_OK;
    err = view_search_room(txn);
    if (err != ERR_OK)
        return err;
    search = txn->search;
    search->before.count = search->after.count = 0;
    err = view_search_document(before, &search->before);
    if (err == ERR_OK)
        err = view_search_document(after, &search->after);
    if (err == ERR_OK)
        err = view_search_difference(search, number);
    if (err == ERR_OK && after->kind == KIND_CONTACT)
        err = view_search_name(txn, number, after);
    if (err == ERR_OK && after->kind == KIND_CARD && before == NULL)
        err = view_search_note_card(txn, space, number);
    if (err == ERR_OK && search->postings.count >= POSTING_CHANGES_MAX)
        err = view_search_flush(txn);
    return err;
}

enum err view_search_flush(struct ledger_txn *txn)
{
    enum err err;

    if (txn->search == NULL)
        return ERR_OK;
    err = posting_flush(txn, TABLE_TOKEN, &txn->search->postings);
    return err == ERR_OK ? name_order_flush(txn, &txn->search->names) : err;
}

/* Looking over. */

struct view_search_look {
    const struct snapshot *snapshot;
    struct view_search_tokens tokens;
    uint64_t count;
};

static enum err view_search_on_document(void *self, uint32_t number, const struct object *object)
{
    struct view_search_look *look = self;
    enum err err;

    look->tokens.count = 0;
    err = view_search_document(object, &look->tokens);
    for (size_t at = 0; at < look->tokens.count && err == ERR_OK; at++)
        err = posting_find(look->snapshot, TABLE_TOKEN,
                           span_of(look->tokens.tokens[at].bytes, look->tokens.tokens[at].size),
                           number);
    look->count += look->tokens.count;
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

static enum err view_search_on_card(void *self, uint32_t card, const struct public_key *writer)
{
    struct view_search_look *look = self;
    struct object object = {0};
    uint32_t space;
    enum err err = row_load(look->snapshot, card, &object, &space);

    (void)writer;
    if (err == ERR_OK)
        err = view_search_on_document(look, card, &object);
    object_release(&object);
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

/* Every token of every document is there, and there are not more of them than that. */
enum err view_search_check(const struct snapshot *snapshot)
{
    struct view_search_look look = {.snapshot = snapshot};
    uint64_t held = 0;
    enum err err = row_each(snapshot, ledger_self_space(snapshot->ledger), KIND_CONTACT,
                            view_search_on_document, &look);

    if (err == ERR_OK)
        err = view_search_cards(snapshot, view_search_on_card, &look);
    if (err == ERR_OK)
        err = posting_check(snapshot, TABLE_TOKEN, &held);
    if (err == ERR_OK && held != look.count)
        err = ERR_CORRUPT;
    view_search_tokens_release(&look.tokens);
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}
