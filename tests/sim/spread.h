/*
 * Asks that spread over a graph of members, each a node with its engine, its disk and its clock: an
 * author asks everybody they know, a few of whoever hears it pass it on by hand, some answer, the
 * author thanks, some close. Members meet now and then, only those who have something for one
 * another; links are made as they are needed. While it is bad, connections are cut, batches come
 * twice, machines lose power, and people stay away for days. Then all is mended and spread_judge
 * looks.
 *
 * Read in the order spread_plan.c (who will do what), spread_meet.c (nodes and links), spread.c
 * (days and deeds), spread_judge.c (what must be so).
 */
#ifndef KITH_TESTS_SIM_SPREAD_H
#define KITH_TESTS_SIM_SPREAD_H

#include "tests/sim/graph.h"
#include "tests/sim/world.h"

enum { SPREAD_NOBODY = UINT16_MAX, SPREAD_DAY_MS = 24 * 3600 * 1000 };

struct spread_options {
    uint64_t seed;
    size_t asks, every;         /* one in so many passes on what they hear */
    bool is_talkative, is_calm; /* calm: nothing goes wrong */
};

/* What one member does about one ask. */
struct spread_role {
    uint16_t member;
    uint8_t depth; /* at the least */
    bool passes, replies;
    uint16_t to[ASK_PASSES_MAX]; /* whom they pass it to */
    size_t to_count;
    uint16_t foul_to; /* whom they try to make one link more for, against the limit */
    bool has_fouled;
};

struct spread_ask {
    uint16_t author;
    uint64_t post_ms, close_ms; /* close_ms 0: never */
    char title[32], id[ID_TEXT_SIZE];
    struct spread_role *roles;
    size_t roles_count;
    uint16_t *role_of; /* by member; SPREAD_NOBODY: none */
};

struct spread_person {
    struct world_node *node; /* NULL: no ask comes near */
    bool *is_linked;         /* by graph link: made */
    bool is_dirty;           /* was up since it was last looked at */
    uint64_t asleep_until_ms;
    uint16_t *pending; /* linked people they have something for */
    size_t pending_count;
    uint64_t sent, received, taken, accepted; /* when all links were made */
};

/* What came of it. */
struct spread_figures {
    size_t reached[ASK_HOPS_MAX + 1], answered[ASK_HOPS_MAX + 1];
    size_t shown, passes, thanked, closed, fouled, refused, carriers, made, links;
    uint64_t link_bytes, link_taken;       /* on the wire, and of batches, while links were made */
    uint64_t bytes, most, taken, sessions; /* after that; most: of one member */
    uint64_t days;
};

struct spread {
    struct world world;
    const struct graph *graph;
    struct spread_options options;
    struct spread_person *people;
    struct spread_ask *asks;
    struct spread_figures figures;
    char failure[400]; /* empty: all is well */
    bool is_bad;       /* things go wrong now */
};

/* Lives it from beginning to end. */
void spread_run(struct spread *spread, const struct graph *graph,
                const struct spread_options *options);
void spread_end(struct spread *spread);
__attribute__((format(printf, 2, 3))) void spread_fail(struct spread *spread, const char *format,
                                                       ...);

/* Spread_plan.c */
void spread_plan(struct spread *spread);
/* NULL: none. */
struct spread_role *spread_role(const struct spread_ask *ask, size_t member);

/* Spread_meet.c */
/* The node, made now if need be. */
struct world_node *spread_node(struct spread *spread, size_t member);
/* The member of this name; SPREAD_NOBODY. */
size_t spread_named(const struct spread *spread, const char *name);
/* Makes every link that the plan needs. */
void spread_link(struct spread *spread);
/* Whoever has something for somebody meets them once. Returns how many pairs there were. */
size_t spread_meet(struct spread *spread);
/* One op at one member, who is down before and after; takes params. */
enum spread_deed { SPREAD_UNKNOWN /* the power went */, SPREAD_DONE, SPREAD_REFUSED };
enum spread_deed spread_op(struct spread *spread, size_t member, const char *method,
                           json_t *params);

/* Spread_judge.c */
void spread_judge(struct spread *spread);
/* What a member's reply to an ask says: a canary of its own. */
enum { SPREAD_TEXT_SIZE = 64 };
void spread_text(const struct spread *spread, const struct spread_ask *ask, size_t member,
                 char out[static SPREAD_TEXT_SIZE]);

#endif
