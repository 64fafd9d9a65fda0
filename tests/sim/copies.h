/*
 * Machines that go back: copies of whole homes are kept, and later a machine of the same member is
 * put back to one, or another machine begins from one, or from what a machine holds now. All drawn.
 */
#ifndef KITH_TESTS_SIM_COPIES_H
#define KITH_TESTS_SIM_COPIES_H

#include "tests/sim/judge.h"

enum { COPIES_KEPT_MAX = 12 };

struct copies_kept {
    struct world_node *node; /* whose it is */
    struct world_home *home;
    size_t canaries;
    uint64_t deeds; /* when it was made */
};

struct copies {
    struct judge *judge;
    struct copies_kept kept[COPIES_KEPT_MAX];
    size_t count;
    size_t clones_left;
    uint64_t deeds;                           /* the world's own count of what was done */
    uint64_t went_back_of[JUDGE_PERSONS_MAX]; /* how often a machine of each person went back */
    uint64_t began_of[JUDGE_PERSONS_MAX];     /* ... or began as a copy, old by then or later */
    /* This machine has gone back: what it did since that deed is on its disk no more. NULL: the
     * judge's canaries are all. It is up. */
    void (*went_back)(void *self, struct world_node *node, uint64_t since);
    void *self;
};

/* One thing with this machine and the copies of its member. */
void copies_act(struct copies *copies, struct world_node *node);
void copies_end(struct copies *copies);

/* Mending, look after look. Copies of one machine that show nobody that they are two may each keep
 * to other people, and those never hear of one another: each machine is off for a while in its
 * turn. True when by now all have been up for long enough to be judged; is_new_day: time to call.
 *
 * Two limits are taken note of here, of a copy that nobody knows of. The knock that was told last
 * it never heard, or that is lost with its peer's disk, and the older ones ended when the copy's
 * other machine, which is the same device to the peer, had acknowledged a newer one (DESIGN 7:
 * "older ones until every remaining peer has acknowledged a newer"): nobody can let it in. And
 * nobody knows of a copy that has ended all its links. Such a copy is off when all are judged; it
 * needs a new invitation. */
bool copies_rest(struct copies *copies, unsigned look, bool *out_is_new_day);

#endif
