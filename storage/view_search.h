/*
 * Search over the address book: the words of every contact, and of the cards of the peers they are
 * linked to, under folded tokens. Words are prefixes; all of them must be there, in whatever field.
 * What is found comes in the order of folded names.
 */
#ifndef KITH_STORAGE_VIEW_SEARCH_H
#define KITH_STORAGE_VIEW_SEARCH_H

#include "storage/ledger.h"

enum {
    VIEW_SEARCH_WORDS_MAX = 16,    /* of one question */
    VIEW_SEARCH_TOKENS_MAX = 4096, /* of one object; a longer note is found by its beginning */
    VIEW_SEARCH_EXTRA_MAX = 400,   /* bytes of an unknown property that are looked through */
    VIEW_SEARCH_BUDGET = 8000000   /* postings read for one word */
};

struct view_search; /* what a transaction has collected */

/* Called by follow: the object before (or NULL) and after the edit. Contacts, and cards of peers.
 */
MUST_USE enum err view_search_changed(struct ledger_txn *txn, const struct space_row *space,
                                      uint32_t number, const struct object *before,
                                      const struct object *after);
/* Whether a contact has a place of its own in the order of names: the heads of groups have. */
MUST_USE enum err view_search_list(struct ledger_txn *txn, uint32_t number,
                                   const struct object *contact, bool is_listed);
/* Writes what the transaction has collected; before anybody reads it and before its commit. */
MUST_USE enum err view_search_flush(struct ledger_txn *txn);
void view_search_free(struct view_search *search);

struct view_search_found {
    uint32_t *numbers; /* of contacts' objects, in the order of folded names; heap_free */
    size_t count;      /* <= limit */
    uint64_t total;    /* how many fit in all */
    bool is_cut;       /* a word stands in too much to look through: there may be more */
};
/* ERR_INVALID: no word in the text, or more than VIEW_SEARCH_WORDS_MAX. */
MUST_USE enum err view_search_find(const struct snapshot *snapshot, struct span text, size_t limit,
                                   struct view_search_found *out);
/* One thing that is looked for among many: tokens that begin with prefix and that fits allows. */
struct view_search_hint {
    struct span prefix;
    bool (*fits)(const void *self, struct span token);
    const void *self;
    unsigned weight;    /* 1 to VIEW_SEARCH_WEIGHT_MAX */
    uint64_t most;      /* said of more contacts than that it says nothing; 0: of any number */
    bool is_too_common; /* out: that was so, or its postings were beyond the budget */
};
enum { VIEW_SEARCH_WEIGHT_MAX = 100, VIEW_SEARCH_HINTS_MAX = 64 };
/* The contacts of which the hints say most, the greatest sum of weights first, of equal ones those
 * that came first. numbers is heap_free's; total counts all of which any says something. */
MUST_USE enum err view_search_rank(const struct snapshot *snapshot, struct view_search_hint *hints,
                                   size_t hints_count, size_t limit, struct view_search_found *out);
/* Does the index say what the objects say? Both ways; ERR_CORRUPT. */
MUST_USE enum err view_search_check(const struct snapshot *snapshot);

#endif
