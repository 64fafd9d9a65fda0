/* What the files of the search view share. */
#ifndef KITH_STORAGE_VIEW_SEARCH_STATE_H
#define KITH_STORAGE_VIEW_SEARCH_STATE_H

#include "storage/fold.h"
#include "storage/posting.h"
#include "storage/view_search.h"

struct view_search_token {
    uint8_t bytes[POSTING_TOKEN_MAX]; /* zeroes behind it */
    uint8_t size;
};

/* Zero it before first use. */
struct view_search_tokens {
    struct view_search_token *tokens;
    size_t count, capacity;
    struct buf folded; /* room for the text at hand */
};

/* Adds the tokens of a text, at most VIEW_SEARCH_TOKENS_MAX in all; with has_digits also its digits
 * as one token. ERR_NOMEM. */
MUST_USE enum err view_search_text(struct view_search_tokens *tokens, struct span text,
                                   bool has_digits);
/* Adds the tokens of an object; all are ascending then, each once. A NULL or hidden one adds none.
 */
MUST_USE enum err view_search_document(const struct object *object, struct view_search_tokens *out);
void view_search_tokens_release(struct view_search_tokens *tokens);

/* Every card of a peer that is looked through. Stops at the first error of each, returns it. */
typedef enum err (*view_search_card_fn)(void *self, uint32_t card, const struct public_key *writer);
MUST_USE enum err view_search_cards(const struct snapshot *snapshot, view_search_card_fn each,
                                    void *self);

#endif
