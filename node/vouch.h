/*
 * The endorsements that the store lets this member see, as the graph trust flows through. It is
 * made when somebody asks, and kept by a running node until an endorsement changes, one of them
 * ends, or the day is over. Verified, live and shown ones only.
 */
#ifndef KITH_NODE_VOUCH_H
#define KITH_NODE_VOUCH_H

#include "node/closeness.h"
#include "node/trust.h"
#include "node/vouch_tags.h"
#include "storage/view_endorsement.h"

enum { VOUCH_MS_PER_DAY = 24 * 60 * 60 * 1000 };

struct vouch_graph; /* people as numbers, and who vouches for whom */

/* What a running node keeps between questions; zeroed, it keeps nothing. Of the writer's thread. */
struct vouch_cache {
    struct vouch_graph *graph;
};
void vouch_cache_release(struct vouch_cache *cache);

/* One question: the graph, the owner's friends, and the trust that flows from them. */
struct vouch_view {
    const struct op_call *call;
    struct vouch_graph *graph;
    bool is_kept; /* by the cache */
    struct closeness_list near;
    struct trust_friend *friends;
    const struct closeness_row **friend_rows; /* of each friend */
    uint32_t friends_count;
    struct trust_flow *flow;
};

/* call is borrowed until vouch_close. */
MUST_USE enum err vouch_open(const struct op_call *call, struct vouch_view *out);
void vouch_close(struct vouch_view *view);
/* False: nothing by or about this member is in the graph. */
bool vouch_person(const struct vouch_view *view, const struct public_key *member, uint32_t *out);
const struct public_key *vouch_member(const struct vouch_view *view, uint32_t person);
/* Whose branch it is. */
const struct closeness_row *vouch_friend(const struct vouch_view *view, uint32_t branch);
/* The linked peers of a person as far as quotes tell: who quotes what is said of them. */
const uint32_t *vouch_quoters(const struct vouch_view *view, uint32_t person, uint32_t *out_count);
/* And whom they quote. */
const uint32_t *vouch_quoted(const struct vouch_view *view, uint32_t person, uint32_t *out_count);
/* Who is endorsed for something these folded words are in (vouch_tags.h), by somebody who is not
 * muted, and is not muted either. */
typedef enum err (*vouch_find_fn)(void *self, uint32_t person);
MUST_USE enum err vouch_find(const struct vouch_view *view, struct span folded, vouch_find_fn each,
                             void *self);
MUST_USE enum err vouch_where(const struct vouch_view *view, vouch_tags_fit_fn fits,
                              void *fits_self, vouch_find_fn each, void *self);
/* The name a person signs with, kept as long as the graph once somebody has looked it up: false
 * when it is not there yet. name: at most 255 bytes. Kept ones may go when others come. */
bool vouch_name(const struct vouch_view *view, uint32_t person, struct span *out);
MUST_USE enum err vouch_keep_name(struct vouch_view *view, uint32_t person, struct span name);
/* Who vouches for whom, by number. */
const struct trust_graph *vouch_trust(const struct vouch_view *view);
/* There was more than VOUCHES_MAX or VOUCH_PEOPLE_MAX: what lies beyond is left out. */
bool vouch_is_cut(const struct vouch_view *view);
/* How much the owner's own closeness is. */
uint32_t vouch_amount(enum closeness level);

#endif
