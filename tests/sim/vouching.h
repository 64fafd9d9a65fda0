/*
 * Endorsements in a random world: Ana, Bruno, Chie and Dora are linked in a row, in some worlds Ana
 * and Chie, too; one of them may have a second device. They endorse each other, decide who sees it,
 * take it back, quote each other's, and end links, all at random, while connections are cut,
 * machines lose power and clocks are weeks apart. Eva comes last.
 *
 * The words of each endorsement are a canary, whose readers grow when, and only when, somebody who
 * may asks that more see it.
 */
#ifndef KITH_TESTS_SIM_VOUCHING_H
#define KITH_TESTS_SIM_VOUCHING_H

#include "proto/endorsement.h"
#include "tests/sim/copies.h"

enum {
    VOUCHING_PERSONS = 5,
    VOUCHING_DEALS_MAX = 64,
    VOUCHING_WORDS_SIZE = 80,
    VOUCHING_DAY_MS = 24 * 60 * 60 * 1000
};

struct vouching;

/* One endorsement that somebody was asked to write. */
struct vouching_deal {
    struct vouching *vouching;
    size_t canary, issuer, subject; /* persons */
    enum audience ceiling;
    enum audience widest;                      /* that its subject was ever asked to show it to */
    bool was_revoked;                          /* its issuer was told that it is */
    bool is_revocation_asked;                  /* it may be revoked, or not */
    const struct world_node *writer, *revoker; /* the machines that did, and which deeds it was */
    uint64_t written, revoked;
    bool is_told;                     /* its issuer was told that it is written */
    bool is_lent, is_revocation_lent; /* that machine has it no more: another one does */
};

struct vouching {
    struct world world;
    struct judge judge;
    struct world_node *persons[VOUCHING_PERSONS]; /* the first device of each; Eva NULL at first */
    struct copies copies;
    bool has_copies;
    struct world_node *twin;                          /* a second device of one of them, or NULL */
    bool is_peer[VOUCHING_PERSONS][VOUCHING_PERSONS]; /* the first writes for the second */
    bool was_quoted[VOUCHING_PERSONS]
                   [VOUCHING_PERSONS]; /* the second by the first, once at least */
    struct vouching_deal deals[VOUCHING_DEALS_MAX];
    size_t deals_count;
    bool is_over;    /* no more faults */
    bool has_ended;  /* a link, in this world */
    bool is_hostile; /* somebody says what no kith says */
};

/* Members, links, no faults yet. */
void vouching_begin(struct vouching *vouching, uint64_t seed, bool is_talkative, bool has_copies);
void vouching_end(struct vouching *vouching);
/* One thing that somebody does. */
void vouching_act(struct vouching *vouching);
/* Every node that is up looks at what is due by its clock. */
void vouching_tick(struct vouching *vouching);
/* No faults, clocks right, all nodes up; until nobody has anything to write any more, or, with
 * copies, until those who judge are content. */
void vouching_settle(struct vouching *vouching, void (*judge)(struct vouching *vouching));
/* These two are linked, by an invitation, and in step. */
void vouching_link(struct vouching *vouching, size_t one, size_t other);
/* Eva is linked with Bruno. */
void vouching_welcome(struct vouching *vouching);
/* Links as they are meant to be: both hold it, so far as their owners were asked. */
bool vouching_are_linked(const struct vouching *vouching, size_t person, size_t other);
/* This machine has gone back: whom its owner had parted from may be a peer again. */
void vouching_went_back(struct vouching *vouching, struct world_node *node);
/* The deal whose canary these words hold, or NULL. */
struct vouching_deal *vouching_deal_of(struct vouching *vouching, struct span words);

#endif
