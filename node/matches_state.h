/* What the files of matches share; only they include it. */
#ifndef KITH_NODE_MATCHES_STATE_H
#define KITH_NODE_MATCHES_STATE_H

#include "node/match.h"
#include "node/matches.h"
#include "storage/view_endorsement.h"
#include "storage/view_search.h"

/* Somebody of the address book is endorsed for something. */
struct matches_endorsed {
    uint32_t number;   /* of the contact */
    uint32_t at, size; /* the tag, in abouts */
    struct public_key issuer;
};

/* One person who fits. */
struct matches_row {
    uint32_t number; /* of the contact; 0: known by endorsements alone */
    unsigned score;
    uint64_t last_ms;
    struct buf folded; /* the name */
    struct id id;
    struct match_found found;
    bool is_peer;
    struct public_key member; /* of whom no contact is known; and the newest that fits: */
    struct matches_endorsed endorsed;
    bool is_quoted;
    struct public_key quoted_by;
};

struct matches_search {
    struct matches *matches;
    const struct matches_question *question;
    struct match_ask ask;
    struct matches_row rows[MATCHES_LOOKED_MAX];
    size_t count;
};

/* Matches.c */
void matches_say(struct buf *out, const char *words, struct span text);
/* A line of words and names that need no quotes; NULL ends them. */
void matches_add_next(json_t *list, const char *const *words);
/* A contact is read, and kept when they fit. */
MUST_USE enum err matches_judge(struct matches_search *search, uint32_t number);

/* Matches_endorsed.c */
/* What peers are endorsed for, once for all asks of an answer. */
MUST_USE enum err matches_load(struct matches *matches);
MUST_USE enum err matches_look_endorsed(const struct matches *matches, const struct match_ask *ask,
                                        uint32_t number, struct match_found *found);
/* After matches_find_quoted. */
MUST_USE enum err matches_say_endorsed(struct buf *out, struct matches *matches,
                                       const struct match_ask *ask, uint32_t number);
/* An endorsed contact need not have the word anywhere else, nor be among those ranked. */
MUST_USE enum err matches_judge_endorsed(struct matches_search *search,
                                         const struct view_search_found *ranked);

/* Matches_quoted.c: people whom only endorsements tell of. */
/* The graph of endorsements, and who is near: opened once. */
MUST_USE enum err matches_open_vouches(struct matches *matches);
/* Is it shown, and by nobody muted? After matches_open_vouches. */
bool matches_may_cite(const struct matches *matches, const struct endorsement_view *view);
/* Finds who may fit; those who are in the address book after all are endorsed contacts from here
 * on, the others go to out (struct public_key). */
MUST_USE enum err matches_find_quoted(struct matches_search *search, struct buf *out);
MUST_USE enum err matches_judge_quoted(struct matches_search *search, const struct buf *members);
MUST_USE enum err matches_describe_quoted(struct matches_search *search,
                                          const struct matches_row *row, json_t *list);

#endif
