/*
 * Finding: a word's postings become a bitmap over object numbers, words are intersected. What
 * stands on a peer's card counts for the contacts linked to that peer. When few contacts are left
 * after one word, the others are looked for in their rows instead. Many matches are met by walking
 * the names, few by the column of name keys.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "storage/ledger_state.h"
#include "storage/name_order.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_same.h"
#include "storage/view_search_state.h"

enum {
    VIEW_SEARCH_RARE = 64,      /* so few candidates are checked on their rows */
    VIEW_SEARCH_SPARSE = 256,   /* below one match in so many numbers the names are not walked */
    VIEW_SEARCH_TIES_MAX = 4096 /* equal name keys at the end of a page that are read whole */
};

struct view_search_bits {
    uint64_t *words;
    size_t count; /* words */
};

struct view_search_hit {
    uint64_t name;
    uint32_t number;
};

struct view_search_query {
    const struct snapshot *snapshot;
    struct view_search_tokens words; /* prefixes, longest first */
    struct view_search_bits found, other;
    uint64_t budget;
    bool is_cut;
};

/* Bitmaps. */

static bool view_search_has(const struct view_search_bits *bits, uint32_t number)
{
    return number / 64 < bits->count && (bits->words[number / 64] >> number % 64 & 1) != 0;
}

static void view_search_set(struct view_search_bits *bits, uint32_t number, bool is_set)
{
    uint64_t bit = UINT64_C(1) << number % 64;

    if (number / 64 >= bits->count)
        return;
    if (is_set)
        bits->words[number / 64] |= bit;
    else
        bits->words[number / 64] &= ~bit;
}

static uint64_t view_search_count(const struct view_search_bits *bits)
{
    uint64_t count = 0;

    for (size_t at = 0; at < bits->count; at++)
        count += (uint64_t)__builtin_popcountll(bits->words[at]);
    return count;
}

/* Calls each for every number that is set, ascending. */
typedef enum err (*view_search_number_fn)(void *self, uint32_t number);

static enum err view_search_each(const struct view_search_bits *bits, view_search_number_fn each,
                                 void *self)
{
    enum err err = ERR_OK;

    for (size_t at = 0; at < bits->count && err == ERR_OK; at++)
        for (uint64_t word = bits->words[at]; word != 0 && err == ERR_OK; word &= word - 1)
            err = each(self, (uint32_t)(at * 64 + (unsigned)__builtin_ctzll(word)));
    return err;
}

/* Cards. */

enum err view_search_cards(const struct snapshot *snapshot, view_search_card_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_CARD_OF, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, span_of(NULL, 0)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        struct public_key writer;

        kv_cursor_at(cursor, &key, &value);
        if (key.size != 4 || value.size != sizeof(struct public_key)) {
            err = ERR_CORRUPT;
            break;
        }
        memcpy(writer.bytes, value.data, sizeof(struct public_key));
        err = each(self, be32(key.data), &writer);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

struct view_search_mapping {
    struct view_search_query *query;
    struct view_search_bits *bits;
};

static enum err view_search_on_contact(void *self, uint32_t number, const struct object *contact)
{
    (void)contact;
    view_search_set(self, number, true);
    return ERR_OK;
}

/* A card that fits is replaced by the contacts of its writer. */
static enum err view_search_map_card(void *self, uint32_t card, const struct public_key *writer)
{
    struct view_search_mapping *mapping = self;

    if (!view_search_has(mapping->bits, card))
        return ERR_OK;
    view_search_set(mapping->bits, card, false);
    return view_contact_match(mapping->query->snapshot, MATCH_BY_MEMBER,
                              span_of(writer->bytes, sizeof(struct public_key)),
                              view_search_on_contact, mapping->bits);
}

/* A contact that is shown as another one counts for that one. */
static enum err view_search_map_same(void *self, uint32_t number, uint32_t head)
{
    if (!view_search_has(self, number))
        return ERR_OK;
    view_search_set(self, number, false);
    view_search_set(self, head, true);
    return ERR_OK;
}

/* One word. */

static enum err view_search_on_posting(void *self, struct span token, const uint32_t *numbers,
                                       size_t count)
{
    struct view_search_mapping *mapping = self;

    (void)token;
    if (mapping->query->budget < count) {
        mapping->query->is_cut = true;
        return ERR_CANCELLED;
    }
    mapping->query->budget -= count;
    for (size_t at = 0; at < count; at++)
        view_search_set(mapping->bits, numbers[at], true);
    return ERR_OK;
}

static enum err view_search_word(struct view_search_query *query, size_t index,
                                 struct view_search_bits *bits)
{
    const struct view_search_token *word = &query->words.tokens[index];
    struct view_search_mapping mapping = {.query = query, .bits = bits};
    enum err err;

    memset(bits->words, 0, bits->count * sizeof *bits->words);
    query->budget = VIEW_SEARCH_BUDGET;
    err = posting_each(query->snapshot, TABLE_TOKEN, span_of(word->bytes, word->size),
                       view_search_on_posting, &mapping);
    if (err == ERR_OK || err == ERR_CANCELLED)
        err = view_search_cards(query->snapshot, view_search_map_card, &mapping);
    return err == ERR_OK ? view_same_each(query->snapshot, view_search_map_same, bits) : err;
}

/* Few candidates: their rows say whether the other words are there. */

static bool view_search_holds(const struct view_search_tokens *tokens,
                              const struct view_search_token *word)
{
    for (size_t at = 0; at < tokens->count; at++)
        if (tokens->tokens[at].size >= word->size &&
            memcmp(tokens->tokens[at].bytes, word->bytes, word->size) == 0)
            return true;
    return false;
}

struct view_search_row {
    struct view_search_query *query;
    struct view_search_tokens tokens; /* of a contact's group and of the cards it is linked to */
    struct public_key member;         /* whose card counts */
};

static enum err view_search_read_card(void *self, uint32_t card, const struct public_key *writer)
{
    struct view_search_row *row = self;
    struct object object = {0};
    uint32_t space;
    enum err err = ERR_OK;

    if (!public_key_is_equal(writer, &row->member))
        return ERR_OK;
    err = row_load(row->query->snapshot, card, &object, &space);
    if (err == ERR_OK)
        err = view_search_document(&object, &row->tokens);
    object_release(&object);
    return err;
}

static enum err view_search_read_contact(struct view_search_row *row, uint32_t number)
{
    struct object contact = {0};
    struct span member;
    uint32_t space;
    enum err err = row_load(row->query->snapshot, number, &contact, &space);

    if (err == ERR_OK)
        err = view_search_document(&contact, &row->tokens);
    member = err == ERR_OK ? object_value(&contact, CONTACT_MEMBER).bytes : span_of(NULL, 0);
    if (member.size == sizeof row->member.bytes) {
        memcpy(row->member.bytes, member.data, member.size);
        err = view_search_cards(row->query->snapshot, view_search_read_card, row);
    }
    object_release(&contact);
    return err;
}

static enum err view_search_check_row(void *self, uint32_t number)
{
    struct view_search_row *row = self;
    const struct view_search_tokens *words = &row->query->words;
    uint32_t members[VIEW_SAME_MAX];
    size_t count = 0;
    enum err err = view_same_members(row->query->snapshot, number, members, &count);

    row->tokens.count = 0;
    for (size_t at = 0; at < count && err == ERR_OK; at++)
        err = view_search_read_contact(row, members[at]);
    for (size_t at = 0; at < words->count && err == ERR_OK; at++)
        if (!view_search_holds(&row->tokens, &words->tokens[at])) {
            view_search_set(&row->query->found, number, false);
            break;
        }
    return err;
}

static enum err view_search_check_rows(struct view_search_query *query)
{
    struct view_search_row row = {.query = query};
    enum err err = view_search_each(&query->found, view_search_check_row, &row);

    view_search_tokens_release(&row.tokens);
    return err;
}

/* All words. */

static enum err view_search_all(struct view_search_query *query)
{
    enum err err = view_search_word(query, 0, &query->found);

    for (size_t at = 1; at < query->words.count && err == ERR_OK; at++) {
        if (view_search_count(&query->found) <= VIEW_SEARCH_RARE)
            return view_search_check_rows(query);
        err = view_search_word(query, at, &query->other);
        for (size_t word = 0; word < query->found.count; word++)
            query->found.words[word] &= query->other.words[word];
    }
    return err;
}

/* In the order of names. */

struct view_search_page {
    struct view_search_query *query;
    struct view_search_found *out;
    size_t limit;
};

static enum err view_search_on_name(void *self, uint32_t number)
{
    struct view_search_page *page = self;

    if (view_search_has(&page->query->found, number))
        page->out->numbers[page->out->count++] = number;
    return page->out->count == page->limit ? ERR_CANCELLED : ERR_OK;
}

struct view_search_gather {
    struct name_order_reader reader;
    struct view_search_hit *hits;
    size_t count;
};

static enum err view_search_on_hit(void *self, uint32_t number)
{
    struct view_search_gather *gather = self;
    uint64_t name;
    enum err err = name_order_at(&gather->reader, number, &name);

    if (err == ERR_OK && name > 0)
        gather->hits[gather->count++] = (struct view_search_hit){.name = name, .number = number};
    return err;
}

static int view_search_hit_order(const void *left, const void *right)
{
    const struct view_search_hit *one = left, *other = right;

    if (one->name != other->name)
        return one->name < other->name ? -1 : 1;
    return one->number < other->number ? -1 : one->number > other->number;
}

/* Hits with one name key: put in the order of their whole names. */

struct view_search_named {
    struct buf folded;
    uint32_t number;
};

static int view_search_named_order(const void *left, const void *right)
{
    const struct view_search_named *one = left, *other = right;
    int order = span_order(buf_span(&one->folded), buf_span(&other->folded));

    if (order != 0)
        return order;
    return one->number < other->number ? -1 : one->number > other->number;
}

static enum err view_search_read_name(const struct snapshot *snapshot, uint32_t number,
                                      struct view_search_named *out)
{
    struct object contact = {0};
    uint32_t space;
    enum err err = row_load(snapshot, number, &contact, &space);

    out->number = number;
    if (err == ERR_OK)
        err = fold(view_contact_shown(&contact), &out->folded);
    object_release(&contact);
    return err;
}

static enum err view_search_untie(const struct snapshot *snapshot, struct view_search_hit *hits,
                                  size_t count)
{
    struct view_search_named *named;
    enum err err = ERR_OK;

    if (count < 2 || count > VIEW_SEARCH_TIES_MAX)
        return ERR_OK;
    named = heap_new_zeroed(count, sizeof *named);
    if (named == NULL)
        return ERR_NOMEM;
    for (size_t at = 0; at < count && err == ERR_OK; at++)
        err = view_search_read_name(snapshot, hits[at].number, &named[at]);
    if (err == ERR_OK)
        qsort(named, count, sizeof *named, view_search_named_order);
    for (size_t at = 0; at < count; at++) {
        if (err == ERR_OK)
            hits[at].number = named[at].number;
        buf_release(&named[at].folded);
    }
    heap_free(named);
    return err;
}

static enum err view_search_by_column(struct view_search_page *page, uint64_t total)
{
    struct view_search_gather gather = {.reader = {.snapshot = page->query->snapshot},
                                        .hits = heap_new((size_t)total * sizeof *gather.hits)};
    enum err err = gather.hits != NULL
                       ? view_search_each(&page->query->found, view_search_on_hit, &gather)
                       : ERR_NOMEM;

    if (err == ERR_OK)
        qsort(gather.hits, gather.count, sizeof *gather.hits, view_search_hit_order);
    for (size_t at = 0; at < gather.count && at < page->limit && err == ERR_OK;) {
        size_t end = at + 1;

        while (end < gather.count && gather.hits[end].name == gather.hits[at].name)
            end++;
        err = view_search_untie(page->query->snapshot, gather.hits + at, end - at);
        at = end;
    }
    for (size_t at = 0; at < gather.count && at < page->limit && err == ERR_OK; at++)
        page->out->numbers[page->out->count++] = gather.hits[at].number;
    heap_free(gather.hits);
    return err;
}

static enum err view_search_pick(struct view_search_query *query, size_t limit,
                                 struct view_search_found *out)
{
    struct view_search_page page = {.query = query, .out = out, .limit = limit};
    enum err err;

    out->total = view_search_count(&query->found);
    if (limit > out->total)
        page.limit = (size_t)out->total;
    if (page.limit == 0)
        return ERR_OK;
    out->numbers = heap_new(page.limit * sizeof *out->numbers);
    if (out->numbers == NULL)
        return ERR_NOMEM;
    if (out->total < query->found.count * 64 / VIEW_SEARCH_SPARSE || page.limit == out->total)
        return view_search_by_column(&page, out->total);
    err = view_contact_numbers(query->snapshot, view_search_on_name, &page);
    return err == ERR_CANCELLED ? ERR_OK : err;
}

static int view_search_longest_first(const void *left, const void *right)
{
    const struct view_search_token *one = left, *other = right;

    return (int)other->size - (int)one->size;
}

static enum err view_search_bitmaps(struct view_search_query *query)
{
    struct ledger_counters counters;
    size_t count;
    enum err err = ledger_load_counters(query->snapshot, &counters);

    if (err != ERR_OK)
        return err;
    count = counters.objects / 64 + 1;
    query->found.words = heap_new_zeroed(count, sizeof *query->found.words);
    query->other.words = heap_new_zeroed(count, sizeof *query->other.words);
    query->found.count = query->other.count = count;
    return query->found.words != NULL && query->other.words != NULL ? ERR_OK : ERR_NOMEM;
}

enum err view_search_find(const struct snapshot *snapshot, struct span text, size_t limit,
                          struct view_search_found *out)
{
    struct view_search_query query = {.snapshot = snapshot};
    enum err err = view_search_text(&query.words, text, false);

    *out = (struct view_search_found){0};
    if (err == ERR_OK && (query.words.count == 0 || query.words.count > VIEW_SEARCH_WORDS_MAX))
        err = ERR_INVALID;
    if (err == ERR_OK) {
        qsort(query.words.tokens, query.words.count, sizeof *query.words.tokens,
              view_search_longest_first);
        err = view_search_bitmaps(&query);
    }
    if (err == ERR_OK)
        err = view_search_all(&query);
    if (err == ERR_OK)
        err = view_search_pick(&query, limit, out);
    out->is_cut = query.is_cut;
    if (err != ERR_OK) {
        heap_free(out->numbers);
        *out = (struct view_search_found){0};
    }
    heap_free(query.found.words);
    heap_free(query.other.words);
    view_search_tokens_release(&query.words);
    return err;
}
