/*
 * Who says whether a world is as it should be: honest nodes agree on what they share, nothing that
 * was acknowledged is lost, nobody outside an audience holds its words, no nonce served twice,
 * every store is whole. It looks only; the first thing found is kept.
 *
 * What people write in a world are canaries: "canary:" and a number. Each has an author and an
 * audience, so that a search of all bytes a node holds tells what it should not hold.
 */
#ifndef KITH_TESTS_SIM_JUDGE_H
#define KITH_TESTS_SIM_JUDGE_H

#include "tests/sim/world.h"

enum judge_audience { JUDGE_SELF, JUDGE_CARD, JUDGE_PAIR };

enum { JUDGE_CANARY_SIZE = 32, JUDGE_PERSONS_MAX = 64, JUDGE_FAILURE_SIZE = 400 };

struct judge_canary {
    size_t person, author; /* author: number of the node */
    enum judge_audience audience;
    uint64_t readers;                   /* bit of person: may hold it */
    bool is_acknowledged, is_under_way; /* the latter: asked for, and not answered yet */
    bool is_last_here;                  /* the machine that goes back is the last to show it */
    const struct world_node *reader;    /* JUDGE_PAIR */
};

struct judge {
    struct world *world;
    struct judge_canary *canaries;
    size_t canaries_count, canaries_capacity;
    uint64_t readers[JUDGE_PERSONS_MAX]; /* of what each person writes on the card from now on */
    char failure[JUDGE_FAILURE_SIZE];    /* empty: all is well so far */
};

void judge_begin(struct judge *judge, struct world *world);
void judge_end(struct judge *judge);
/* A new canary of this node's member; readers are its own member and, for a card, all who are or
 * become peers until judge_parted. Writes its text. */
size_t judge_canary(struct judge *judge, const struct world_node *author,
                    enum judge_audience audience, char out_text[static JUDGE_CANARY_SIZE]);
/* The same for what one peer alone may read: an object in the pair space, of kind grant, whose id
 * is the beginning of the text. */
size_t judge_canary_for(struct judge *judge, const struct world_node *author,
                        const struct world_node *reader, char out_text[static JUDGE_CANARY_SIZE]);
/* A copy of the machine that is made now holds its canaries below this number: one that is under
 * way may be acknowledged and not be in it. */
size_t judge_copied(const struct judge *judge, const struct world_node *node);
/* What person writes on the card is for other, too, and all that is there. */
void judge_met(struct judge *judge, size_t person, size_t other);
/* From now on it is not. */
void judge_parted(struct judge *judge, size_t person, size_t other);
__attribute__((format(printf, 2, 3))) void judge_fail(struct judge *judge, const char *format, ...);
/* The link as this node has it. */
bool judge_is_linked(struct world_node *node, const struct world_node *peer);
/* Both hold the link and are in step. */
bool judge_is_settled(struct world_node *left, struct world_node *right);

/* Copies of one machine, as far as anybody has found out yet. */
bool judge_is_one_device(const struct world_node *left, const struct world_node *right);

/* This machine is about to go back to an old copy: what it shows of others' cards, and nobody else
 * any more, dies with its disk. */
void judge_goes_back(struct judge *judge, struct world_node *node);
/* Is the contact of this name there? */
bool judge_has_contact(struct world_node *node, const char *text);
/* Does this machine, which is up, show the canary? */
bool judge_shows_canary(struct judge *judge, struct world_node *node, size_t number);
/* This machine has gone back to an old copy: what it wrote since, from the canary `since` on, and
 * no other machine shows, has died with its disk. */
void judge_went_back(struct judge *judge, struct world_node *node, size_t since);
/* A device that has met nobody yet, and knows no name that any machine of its member answers to:
 * the one that admitted it had a new name, and went back to before it took it. FORKS.md: "a link
 * whose secret lived only on a dead branch needs a new invitation"; so does a device. */
bool judge_is_stranded(struct judge *judge, struct world_node *device);

/* After healing: all of it. Nodes that are down are passed over. */
void judge_all(struct judge *judge);
/* Would it find nothing now? What it would find is written out. */
bool judge_is_content(const struct judge *judge, char out_complaint[static JUDGE_FAILURE_SIZE]);

#endif
