/*
 * Who among my contacts might fit an ask, and why: looked for in their tags, titles, organisations
 * and places, in their cards, in notes that hold the word #match, and in the endorsements I hold,
 * those of people included whom only quotes tell of.
 * Read when it is asked for and for the owner alone: nothing is written, and nothing is sent.
 *
 * What is read is bounded for each ask: the postings of MATCH_TERMS_MAX words, MATCHES_LOOKED_MAX
 * contacts. Order: how well it fits, who was in touch last, the name, the id.
 */
#ifndef KITH_NODE_MATCHES_H
#define KITH_NODE_MATCHES_H

#include "node/vouch.h"

enum {
    MATCHES_SHOWN_MAX = 5,     /* of one ask: more is a search, not a hint */
    MATCHES_LOOKED_MAX = 256,  /* contacts whose rows are read for one ask */
    MATCHES_ENDORSED_MAX = 12, /* newest endorsements of one peer that are looked at */
    MATCHES_TAGS_MAX = 4096,   /* tags of all of them */
    MATCHES_QUOTED_MAX = 48,   /* people known by quotes who are looked at for one ask */
    MATCHES_COMMON_MIN = 20,   /* a word of the text said of more contacts than that, */
    MATCHES_COMMON_PART = 50   /* and of more than one in so many, tells nothing */
};

/* What several asks of one answer share. */
struct matches {
    struct op_call *call;
    bool is_loaded;
    uint64_t contacts;
    struct buf endorsed; /* struct matches_endorsed */
    struct buf abouts;   /* their tags */
    bool is_open;
    struct vouch_view vouches; /* once somebody is looked for in it */
};

struct matches_question {
    const char *id; /* of the ask, as it is typed */
    struct span title, text;
    const struct span *tags;
    size_t tags_count;
    bool can_pass; /* its hop limit is not reached */
    /* Whom not to name: who asks, who passed it, who is kept away. self may be NULL with it. */
    bool (*is_left_out)(const void *self, const struct public_key *member);
    const void *self;
    const struct public_key *author; /* when told, else NULL */
};

void matches_begin(struct matches *matches, struct op_call *call);
void matches_end(struct matches *matches);
/* A new array of {"contact", "why", "peer", "last", "next"}, perhaps empty. The contact of whom
 * only quotes tell has no id: a member, and a name or the beginning of their key. */
MUST_USE enum err matches_of(struct matches *matches, const struct matches_question *question,
                             json_t **out);

#endif
