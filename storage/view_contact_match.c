/*
 * Exact values of contacts: e-mails, phones, ids, members, tags, organisations, addresses. Each is
 * a token, what it is and the first bytes of its hash, whose postings are the contacts that have
 * it. Tags and organisations, of which there are lists, are told in words as far as these fit; a
 * longer one is its beginning and bytes of its hash, none of them zero. Six bytes of a hash are no
 * proof: whoever is found is looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "storage/fold.h"
#include "storage/ledger_state.h"
#include "storage/posting.h"
#include "storage/row.h"
#include "storage/view_contact.h"

enum {
    VIEW_CONTACT_HASH_SIZE = 6,
    VIEW_CONTACT_TOKEN_SIZE = 1 + VIEW_CONTACT_HASH_SIZE, /* of what is told by its hash alone */
    VIEW_CONTACT_WORDS_MAX = POSTING_TOKEN_MAX - 1 - VIEW_CONTACT_HASH_SIZE
};

struct view_contacts {
    struct posting_batch matches;
    struct buf before, after; /* tokens, each of POSTING_TOKEN_MAX bytes, zeroes behind it */
    struct buf normal;        /* the value at hand */
};

static const struct {
    uint8_t field;
    enum match_what what;
    bool is_set;
} view_contact_fields[] = {
    {CONTACT_EMAILS, MATCH_BY_EMAIL, true}, {CONTACT_PHONES, MATCH_BY_PHONE, true},
    {CONTACT_URLS, MATCH_BY_URL, true},     {CONTACT_TAGS, MATCH_BY_TAG, true},
    {CONTACT_UID, MATCH_BY_UID, false},     {CONTACT_MEMBER, MATCH_BY_MEMBER, false},
    {CONTACT_ORG, MATCH_BY_ORG, false},
};

enum { VIEW_CONTACT_FIELDS = sizeof view_contact_fields / sizeof view_contact_fields[0] };

/* Values and tokens. */

/* The value as it is compared: e-mails in lower case, phones as digits, words folded, the rest as
 * it is. */
static enum err view_contact_normalise(enum match_what what, struct span value, struct buf *out)
{
    buf_clear(out);
    switch (what) {
    case MATCH_BY_EMAIL:
        kind_normalise(MATCH_EMAIL, value, out);
        return buf_err(out);
    case MATCH_BY_PHONE:
        kind_normalise(MATCH_PHONE, value, out);
        return buf_err(out);
    case MATCH_BY_TAG:
    case MATCH_BY_ORG:
        return fold(value, out);
    case MATCH_BY_UID:
    case MATCH_BY_MEMBER:
    case MATCH_BY_URL:
        buf_append(out, value);
        return buf_err(out);
    }
    return ERR_INVALID;
}

static bool view_contact_is_listed(enum match_what what)
{
    return what == MATCH_BY_TAG || what == MATCH_BY_ORG;
}

static struct span view_contact_token_span(const uint8_t *token)
{
    size_t size = VIEW_CONTACT_TOKEN_SIZE;

    if (view_contact_is_listed((enum match_what)token[0]))
        size = strnlen((const char *)token, POSTING_TOKEN_MAX);
    return span_of(token, size);
}

/* Appends a token with zeroes behind it. */
static void view_contact_token(enum match_what what, const struct buf *normal, struct buf *out)
{
    uint8_t token[POSTING_TOKEN_MAX] = {(uint8_t)what};
    struct span whole = buf_span(normal);
    struct hash hash;

    if (view_contact_is_listed(what) && whole.size < POSTING_TOKEN_MAX &&
        (whole.size == 0 || memchr(whole.data, 0, whole.size) == NULL)) {
        if (whole.size > 0)
            memcpy(token + 1, whole.data, whole.size);
        buf_append(out, span_of(token, sizeof token));
        return;
    }
    digest("kith match", &whole, 1, &hash);
    if (!view_contact_is_listed(what)) {
        memcpy(token + 1, hash.bytes, VIEW_CONTACT_HASH_SIZE);
    } else {
        /* A text with a zero byte in it is told by its hash. */
        size_t size = strnlen((const char *)whole.data, VIEW_CONTACT_WORDS_MAX);

        memcpy(token + 1, whole.data, size);
        for (size_t at = 0; at < VIEW_CONTACT_HASH_SIZE; at++)
            token[1 + size + at] = hash.bytes[at] | 0x80;
    }
    buf_append(out, span_of(token, sizeof token));
}

/* A walk over the values of a field. */
struct view_contact_reading {
    const struct object *contact; /* NULL: has none */
    size_t row;
    const struct object_element *last;
    bool is_over;
};

static struct view_contact_reading view_contact_reading(const struct object *contact, size_t row)
{
    return (struct view_contact_reading){.contact = contact, .row = row};
}

/* The next value; empty at the end. */
static struct span view_contact_value(struct view_contact_reading *walk)
{
    uint8_t field = view_contact_fields[walk->row].field;

    if (walk->contact == NULL || walk->is_over)
        return span_of(NULL, 0);
    if (!view_contact_fields[walk->row].is_set) {
        walk->is_over = true;
        return object_value(walk->contact, field).bytes;
    }
    walk->last = object_element_next(walk->contact, field, walk->last);
    walk->is_over = walk->last == NULL;
    return walk->is_over ? span_of(NULL, 0) : walk->last->value.bytes;
}

static enum err view_contact_tokens(const struct object *contact, size_t row, struct buf *normal,
                                    struct buf *out)
{
    struct view_contact_reading walk = view_contact_reading(contact, row);
    struct span value;
    enum err err = ERR_OK;

    while (err == ERR_OK && (value = view_contact_value(&walk)).size > 0) {
        err = view_contact_normalise(view_contact_fields[row].what, value, normal);
        if (err == ERR_OK)
            view_contact_token(view_contact_fields[row].what, normal, out);
    }
    return err;
}

static int view_contact_token_order(const void *left, const void *right)
{
    return memcmp(left, right, POSTING_TOKEN_MAX);
}

/* Ascending, each once. */
static void view_contact_settle(struct buf *tokens)
{
    size_t kept = 0;

    if (tokens->size > POSTING_TOKEN_MAX)
        qsort(tokens->data, tokens->size / POSTING_TOKEN_MAX, POSTING_TOKEN_MAX,
              view_contact_token_order);
    for (size_t at = 0; at < tokens->size; at += POSTING_TOKEN_MAX) {
        if (kept > 0 && view_contact_token_order(tokens->data + kept - POSTING_TOKEN_MAX,
                                                 tokens->data + at) == 0)
            continue;
        memmove(tokens->data + kept, tokens->data + at, POSTING_TOKEN_MAX);
        kept += POSTING_TOKEN_MAX;
    }
    tokens->size = kept;
}

/* Following. */

void view_contact_free(struct view_contacts *contacts)
{
    if (contacts == NULL)
        return;
    posting_release(&contacts->matches);
    buf_release(&contacts->before);
    buf_release(&contacts->after);
    buf_release(&contacts->normal);
    heap_free(contacts);
}

enum err view_contact_flush(struct ledger_txn *txn)
{
    return txn->contacts != NULL ? posting_flush(txn, TABLE_MATCH, &txn->contacts->matches)
                                 : ERR_OK;
}

/* Most edits change one field. */
static bool view_contact_is_same(const struct object *before, const struct object *after,
                                 size_t row)
{
    struct view_contact_reading old = view_contact_reading(before, row),
                                new = view_contact_reading(after, row);
    struct span left, right;

    do {
        left = view_contact_value(&old);
        right = view_contact_value(&new);
    } while (left.size > 0 && span_is_equal(left, right));
    return left.size == 0 && right.size == 0;
}

/* Both ascend: what only one has is noted. */
static enum err view_contact_difference(struct view_contacts *contacts, uint32_t number)
{
    const struct buf *before = &contacts->before, *after = &contacts->after;
    size_t left = 0, right = 0;
    enum err err = buf_err(before) == ERR_OK ? buf_err(after) : ERR_NOMEM;

    while (err == ERR_OK && (left < before->size || right < after->size)) {
        int order = left == before->size ? 1
                    : right == after->size
                        ? -1
                        : view_contact_token_order(before->data + left, after->data + right);
        const uint8_t *token = order <= 0 ? before->data + left : after->data + right;

        if (order != 0)
            err =
                posting_note(&contacts->matches, view_contact_token_span(token), number, order > 0);
        left += order <= 0 ? POSTING_TOKEN_MAX : 0;
        right += order >= 0 ? POSTING_TOKEN_MAX : 0;
    }
    return err;
}

enum err view_contact_note(struct ledger_txn *txn, uint32_t number, const struct object *before,
                           const struct object *after)
{
    struct view_contacts *contacts;
    enum err err = ERR_OK;

    if (txn->contacts == NULL)
        txn->contacts = heap_new_zeroed(1, sizeof *txn->contacts);
    contacts = txn->contacts;
    if (contacts == NULL)
        return ERR_NOMEM;
    buf_clear(&contacts->before);
    buf_clear(&contacts->after);
    for (size_t row = 0; row < VIEW_CONTACT_FIELDS && err == ERR_OK; row++) {
        if (view_contact_is_same(before, after, row))
            continue;
        err = view_contact_tokens(before, row, &contacts->normal, &contacts->before);
        if (err == ERR_OK)
            err = view_contact_tokens(after, row, &contacts->normal, &contacts->after);
    }
    if (err != ERR_OK)
        return err;
    view_contact_settle(&contacts->before);
    view_contact_settle(&contacts->after);
    err = view_contact_difference(contacts, number);
    if (err == ERR_OK && contacts->matches.count >= POSTING_CHANGES_MAX)
        err = view_contact_flush(txn);
    return err;
}

/* Looking up. */

struct view_contact_search {
    const struct snapshot *snapshot;
    enum match_what what;
    struct span token;
    struct buf normal, other;
    view_contact_fn each;
    view_contact_pair_fn pair;
    void *self;
};

/* Does the contact have what the search is for? */
static enum err view_contact_has(struct view_contact_search *search, const struct object *contact,
                                 bool *out)
{
    struct span value;
    enum err err = ERR_OK;

    *out = false;
    for (size_t row = 0; row < VIEW_CONTACT_FIELDS; row++) {
        struct view_contact_reading walk = view_contact_reading(contact, row);

        if (view_contact_fields[row].what != search->what)
            continue;
        while (err == ERR_OK && !*out && (value = view_contact_value(&walk)).size > 0) {
            err = view_contact_normalise(search->what, value, &search->other);
            *out =
                err == ERR_OK && span_is_equal(buf_span(&search->other), buf_span(&search->normal));
        }
    }
    return err;
}

static enum err view_contact_on_match(void *self, struct span token, const uint32_t *numbers,
                                      size_t count)
{
    struct view_contact_search *search = self;
    enum err err = ERR_OK;

    if (!span_is_equal(token, search->token))
        return ERR_NOT_FOUND; /* A longer one that begins so: none that comes later can be it. */
    for (size_t at = 0; at < count && err == ERR_OK; at++) {
        struct object contact = {0};
        uint32_t space;
        bool has;

        err = row_load(search->snapshot, numbers[at], &contact, &space);
        if (err == ERR_NOT_FOUND)
            err = ERR_CORRUPT;
        if (err == ERR_OK)
            err = view_contact_has(search, &contact, &has);
        if (err == ERR_OK && has)
            err = search->each(search->self, numbers[at], &contact);
        object_release(&contact);
    }
    return err;
}

enum err view_contact_match(const struct snapshot *snapshot, enum match_what what,
                            struct span value, view_contact_fn each, void *self)
{
    struct view_contact_search search = {
        .snapshot = snapshot, .what = what, .each = each, .self = self};
    struct buf token = {0};
    enum err err = view_contact_normalise(what, value, &search.normal);

    view_contact_token(what, &search.normal, &token);
    if (err == ERR_OK)
        err = buf_err(&token);
    if (err == ERR_OK) {
        search.token = view_contact_token_span(token.data);
        err = posting_each(snapshot, TABLE_MATCH, search.token, view_contact_on_match, &search);
    }
    buf_release(&token);
    buf_release(&search.normal);
    buf_release(&search.other);
    return err;
}

/* Pairs. */

/* Have the two one value in common? */
static enum err view_contact_share(struct view_contact_search *search, uint32_t left,
                                   uint32_t right, bool *out)
{
    struct object one = {0}, other = {0};
    uint32_t space;
    enum err err = row_load(search->snapshot, left, &one, &space);

    *out = false;
    if (err == ERR_OK)
        err = row_load(search->snapshot, right, &other, &space);
    for (size_t row = 0; row < VIEW_CONTACT_FIELDS && err == ERR_OK; row++) {
        struct view_contact_reading walk = view_contact_reading(&one, row);
        struct span value;

        if (view_contact_fields[row].what != search->what)
            continue;
        while (err == ERR_OK && !*out && (value = view_contact_value(&walk)).size > 0) {
            err = view_contact_normalise(search->what, value, &search->normal);
            if (err == ERR_OK)
                err = view_contact_has(search, &other, out);
        }
    }
    object_release(&one);
    object_release(&other);
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

static enum err view_contact_on_pairs(void *self, struct span token, const uint32_t *numbers,
                                      size_t count)
{
    struct view_contact_search *search = self;
    enum err err = ERR_OK;

    (void)token;
    for (size_t at = 1; at < count && err == ERR_OK; at++) {
        bool has;

        err = view_contact_share(search, numbers[at - 1], numbers[at], &has);
        if (err == ERR_OK && has)
            err = search->pair(search->self, numbers[at - 1], numbers[at]);
    }
    return err;
}

enum err view_contact_pairs(const struct snapshot *snapshot, enum match_what what,
                            view_contact_pair_fn each, void *self)
{
    struct view_contact_search search = {
        .snapshot = snapshot, .what = what, .pair = each, .self = self};
    uint8_t prefix = (uint8_t)what;
    enum err err =
        posting_each(snapshot, TABLE_MATCH, span_of(&prefix, 1), view_contact_on_pairs, &search);

    buf_release(&search.normal);
    buf_release(&search.other);
    return err;
}

/* Values. */

struct view_contact_list {
    const struct snapshot *snapshot;
    enum match_what what;
    struct span prefix;
    uint8_t last[POSTING_TOKEN_MAX]; /* token, zeroes behind it */
    struct buf normal, token;
    view_contact_value_fn each;
    void *self;
};

/* The value that a cut token stands for, from a contact that has it. */
static enum err view_contact_whole(struct view_contact_list *list, uint32_t number,
                                   struct span *out)
{
    struct object contact = {0};
    uint32_t space;
    struct span value;
    enum err err = row_load(list->snapshot, number, &contact, &space);

    *out = span_of(NULL, 0);
    for (size_t row = 0; row < VIEW_CONTACT_FIELDS && err == ERR_OK && out->size == 0; row++) {
        struct view_contact_reading walk = view_contact_reading(&contact, row);

        if (view_contact_fields[row].what != list->what)
            continue;
        while (err == ERR_OK && out->size == 0 && (value = view_contact_value(&walk)).size > 0) {
            buf_clear(&list->token);
            err = view_contact_normalise(list->what, value, &list->normal);
            view_contact_token(list->what, &list->normal, &list->token);
            if (err == ERR_OK)
                err = buf_err(&list->token);
            if (err == ERR_OK && view_contact_token_order(list->token.data, list->last) == 0)
                *out = buf_span(&list->normal);
        }
    }
    object_release(&contact);
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

static enum err view_contact_on_value(void *self, struct span token, const uint32_t *numbers,
                                      size_t count)
{
    struct view_contact_list *list = self;
    struct span value = span_of(token.data + 1, token.size - 1);
    enum err err = ERR_OK;

    if (span_is_equal(token, view_contact_token_span(list->last)))
        return ERR_OK; /* More of those who have the one before. */
    memset(list->last, 0, sizeof list->last);
    memcpy(list->last, token.data, token.size);
    if (token.size > VIEW_CONTACT_WORDS_MAX)
        err = view_contact_whole(list, numbers[0], &value);
    if (err != ERR_OK || value.size < list->prefix.size ||
        (list->prefix.size > 0 && memcmp(value.data, list->prefix.data, list->prefix.size) != 0))
        return err;
    return list->each(list->self, numbers[count - 1], value);
}

enum err view_contact_values(const struct snapshot *snapshot, enum match_what what,
                             struct span prefix, view_contact_value_fn each, void *self)
{
    struct view_contact_list list = {.snapshot = snapshot,
                                     .what = what,
                                     .prefix = prefix,
                                     .last = {(uint8_t)what},
                                     .each = each,
                                     .self = self};
    uint8_t begin[1 + VIEW_CONTACT_WORDS_MAX] = {(uint8_t)what};
    size_t size = prefix.size < VIEW_CONTACT_WORDS_MAX ? prefix.size : VIEW_CONTACT_WORDS_MAX;
    enum err err;

    if (size > 0)
        memcpy(begin + 1, prefix.data, size);
    err =
        posting_each(snapshot, TABLE_MATCH, span_of(begin, 1 + size), view_contact_on_value, &list);
    buf_release(&list.normal);
    buf_release(&list.token);
    return err;
}

/* Looking over. */

struct view_contact_look {
    const struct snapshot *snapshot;
    struct buf tokens, normal;
    uint64_t count;
};

static enum err view_contact_look_at(void *self, uint32_t number, const struct object *contact)
{
    struct view_contact_look *look = self;
    enum err err = ERR_OK;

    buf_clear(&look->tokens);
    for (size_t row = 0; row < VIEW_CONTACT_FIELDS && err == ERR_OK; row++)
        err = view_contact_tokens(contact, row, &look->normal, &look->tokens);
    if (err == ERR_OK)
        err = buf_err(&look->tokens);
    if (err != ERR_OK)
        return err;
    view_contact_settle(&look->tokens);
    for (size_t at = 0; at < look->tokens.size && err == ERR_OK; at += POSTING_TOKEN_MAX)
        err = posting_find(look->snapshot, TABLE_MATCH,
                           view_contact_token_span(look->tokens.data + at), number);
    look->count += look->tokens.size / POSTING_TOKEN_MAX;
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

enum err view_contact_check(const struct snapshot *snapshot)
{
    struct view_contact_look look = {.snapshot = snapshot};
    uint64_t held = 0;
    enum err err = row_each(snapshot, ledger_self_space(snapshot->ledger), KIND_CONTACT,
                            view_contact_look_at, &look);

    if (err == ERR_OK)
        err = posting_check(snapshot, TABLE_MATCH, &held);
    if (err == ERR_OK && held != look.count)
        err = ERR_CORRUPT;
    buf_release(&look.tokens);
    buf_release(&look.normal);
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}
