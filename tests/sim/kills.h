/*
 * A story among a few members, told step by step, with a power cut at every place where anything
 * becomes durable: before each commit of each node, and between it and whatever follows from it. A
 * step is something that somebody asks for, and what each tells once it has come about; whoever
 * heard no answer looks first, and asks again when it is not done. What was acknowledged is there
 * from then on, after every cut.
 *
 * Each cut is made in a child that is forked where it comes: what came before is not lived again.
 */
#ifndef KITH_TESTS_SIM_KILLS_H
#define KITH_TESTS_SIM_KILLS_H

#include "tests/sim/vouching.h"

enum { KILLS_NODES_MAX = 4, KILLS_DEEDS_MAX = 2, KILLS_TOLD_SIZE = 400 };

/* An op that one of them asks for. */
struct kills_deed {
    const char *method;
    size_t who;
    const char *params; /* as JSON, with ' for "; what it is about, and words, are added */
    const char *list;   /* the op whose first list names what it is about; NULL: nothing does */
    const char *flag;   /* of that op; NULL */
    size_t row;         /* of that list; of endorsements, the deal it is about */
    bool is_silent;     /* who asks is told nothing new by it; done when the others say so */
};

struct kills_step {
    unsigned days;  /* that pass first */
    bool is_secret; /* until here the first two introduced have nothing of each other */
    const struct kills_deed *deeds[KILLS_DEEDS_MAX]; /* asked for at once; NULL: none */
    const char *until[KILLS_NODES_MAX];              /* what each tells then; NULL: anything */
};

struct kills;

struct kills_story {
    const char *name;
    const char *names[KILLS_NODES_MAX];
    size_t nodes_count;
    size_t links[KILLS_NODES_MAX][2];
    size_t links_count;
    /* What a node tells its owner, in few words. */
    void (*tell)(struct kills *kills, struct world_node *node, char out[static KILLS_TOLD_SIZE]);
    const struct kills_step *steps;
    size_t steps_count;
    size_t meeting[2]; /* two who are introduced to each other; the same: nobody is */
    size_t parting[2]; /* whose link ends; the same: nobody's */
    bool is_met;       /* they are linked at the end, else they know nothing of each other */
    bool is_vouched;   /* judged as worlds of endorsements are */
};

/* One telling of a story. */
struct kills {
    struct vouching vouching; /* its world and its judge; deals where a story has them */
    const struct kills_story *story;
    const char *program;
    struct kills_sweep *sweep;
    /* Of each deed: asked for and not answered, acknowledged, there. */
    bool is_doing[KILLS_DEEDS_MAX], is_told[KILLS_DEEDS_MAX], is_done[KILLS_DEEDS_MAX];
    uint64_t goals[KILLS_NODES_MAX]; /* of running time */
};

/* A place where the power may go: the how manieth of a node since the story, or its first cut. */
struct kills_place {
    size_t node;
    uint64_t at; /* 0: nowhere */
};

/* Which cuts are made. */
struct kills_sweep {
    uint64_t every, first;  /* one in so many, from this one on */
    uint64_t again;         /* each is followed by another, so many places later in that node */
    bool is_twice;          /* each is followed by another, at every later place of every node */
    struct kills_place one; /* only this cut, in this process, */
    struct kills_place two; /* and then this */
    bool is_talkative;
    uint64_t total, tried, failures;
    uint64_t *tried_twice; /* of all processes */
    /* Of this process. */
    bool is_counting; /* the story has begun */
    unsigned cuts;
    uint64_t passed[KILLS_NODES_MAX]; /* places, since the story began or the power went */
};

/* The number of the deal whose words these are. */
size_t kills_deal(struct kills *kills, const char *words);

/* All there are. */
extern const struct kills_story kills_meet_stories[], kills_vouch_stories[], kills_ask_stories[];
extern const size_t kills_meet_stories_count, kills_vouch_stories_count, kills_ask_stories_count;

/* The whole story, once and with every cut the sweep asks for. */
void kills_tell(const struct kills_story *story, struct kills_sweep *sweep, const char *program);

#endif
