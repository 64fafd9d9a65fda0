/*
 * What people are endorsed for, to be searched: every distinct folded tag once, with the people it
 * was said of. For the owner alone; made with the graph (vouch.h).
 */
#ifndef KITH_NODE_VOUCH_TAGS_H
#define KITH_NODE_VOUCH_TAGS_H

#include "crypto/span.h"

enum { VOUCH_TAG_NONE = 0 }; /* tags are numbered from 1 */

/* Zero it before first use. */
struct vouch_tags {
    struct buf text;     /* folded tags, one behind the other */
    struct buf tags;     /* struct vouch_tag */
    struct buf mentions; /* struct vouch_mention, newest last */
    uint32_t *slots;     /* tag + 1, or 0; a power of two, at most half of them taken */
    size_t slots_count;
    bool is_cut; /* VOUCH_TAGS_SIZE_MAX was reached: some are not remembered */
};

/* Notes that a person was endorsed for something, and by whom. hash: of the folded tag. Gives the
 * tag's number, VOUCH_TAG_NONE for one that is not remembered. ERR_NOMEM. */
MUST_USE enum err vouch_tags_add(struct vouch_tags *tags, struct span folded, uint64_t hash,
                                 uint32_t person, uint32_t by, uint32_t *out);
/* Tells the people who are endorsed for something all these folded words are in; somebody may be
 * told several times. A word fits a word of a tag when one begins with the other and four bytes of
 * them agree, or all. Stops at the first error of each and returns it. */
typedef enum err (*vouch_tags_fn)(void *self, uint32_t person, uint32_t by);
MUST_USE enum err vouch_tags_find(const struct vouch_tags *tags, struct span folded,
                                  vouch_tags_fn each, void *self);
/* The same where fits says so of each folded tag, asked once. */
typedef enum err (*vouch_tags_fit_fn)(void *self, struct span folded_tag, bool *out);
MUST_USE enum err vouch_tags_where(const struct vouch_tags *tags, vouch_tags_fit_fn fits,
                                   void *fits_self, vouch_tags_fn each, void *self);
/* Does one folded tag fit? */
MUST_USE enum err vouch_tags_fit(struct span folded_tag, struct span folded_words, bool *out);
void vouch_tags_release(struct vouch_tags *tags);

#endif
