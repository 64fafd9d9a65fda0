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

/* An op that one of them asks for, or what only the library can do yet. */
struct kills_deed {
    const char *method; /* of the op; its name where it is none */
    enum err (*write)(void *kills, struct ledger_txn *txn); /* NULL: an op */
    size_t who;
    const char *params; /* as JSON, with ' for "; what it is about, and words, are added */
    const char *list;   /* the op whose first list names what it is about; NULL: nothing does */
    const char *flag;   /* of that op; NULL */
    size_t row;         /* of that list; of endorsements, the deal it is about */
    const char *keep;   /* of its answer, what who asks keeps; */
    const char *give;   /* what `from` keeps is given to it as this; NULL */
    size_t from;
    bool is_silent; /* who asks is told nothing new by it; done when the others say so */
};

/* What happens to machines before anything is asked for: bits of their numbers. */
struct kills_fate {
    unsigned copied; /* the whole home, put aside */
    unsigned back;   /* to the copy put aside last */
    unsigned cloned; /* a further machine begins from the same home */
    unsigned parted; /* from all others, from here on; 0: nobody is */
    unsigned off;    /* for good */
};

struct kills_step {
    struct kills_fate fate;
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
    bool
        has_device; /* the first has a further device, which comes last and starts with the story */
    bool is_vouched; /* judged as worlds of endorsements are */
};

/* One telling of a story. */
struct kills {
    struct vouching vouching; /* its world and its judge; deals where a story has them */
    const struct kills_story *story;
    const char *program;
    struct kills_sweep *sweep;
    /* Of each deed: asked for and not answered, acknowledged, there. */
    bool is_doing[KILLS_DEEDS_MAX], is_told[KILLS_DEEDS_MAX], is_done[KILLS_DEEDS_MAX];
    uint64_t goals[KILLS_NODES_MAX];                      /* of running time */
    char kept[KILLS_NODES_MAX][INVITATION_TEXT_SIZE_MAX]; /* "": nothing */
    struct world_home *homes[KILLS_NODES_MAX];            /* put aside; NULL: none */
    size_t homes_canaries[KILLS_NODES_MAX];               /* that there were then */
    unsigned off;                                         /* bits of nodes: for good */
    const struct world_node *device;                      /* the further one; NULL: there is none */
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
extern const struct kills_story kills_meet_stories[], kills_vouch_stories[], kills_ask_stories[],
    kills_link_stories[], kills_heal_stories[];
extern const size_t kills_meet_stories_count, kills_vouch_stories_count, kills_ask_stories_count,
    kills_link_stories_count, kills_heal_stories_count;

/* The whole story, once and with every cut the sweep asks for. */
void kills_tell(const struct kills_story *story, struct kills_sweep *sweep, const char *program);

#endif
