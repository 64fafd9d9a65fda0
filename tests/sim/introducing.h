/*
 * Introductions in a random world: Iris is linked with Ana and with Bruno and brings them together,
 * while connections are cut, delayed and refused, machines lose power, and each clock is up to
 * three days off. In some worlds Bruno declines, in some one of the two and Iris part in the
 * middle: one removes or blocks the other. Machines of all three go back to old copies and are
 * cloned once the two links are made, and in some worlds each machine answers as it likes.
 */
#ifndef KITH_TESTS_SIM_INTRODUCING_H
#define KITH_TESTS_SIM_INTRODUCING_H

#include "proto/introduction.h"
#include "tests/sim/copies.h"
#include "tests/sim/linking.h"

enum introducing_kind {
    INTRODUCING_AGREE,
    INTRODUCING_DECLINE, /* Bruno does, on each of his machines */
    INTRODUCING_PART,
    INTRODUCING_MINDS, /* each machine answers as it likes */
    INTRODUCING_KINDS
};

enum introducing_person { IRIS, ANA, BRUNO, INTRODUCING_PERSONS };

enum { INTRODUCING_MACHINES_MAX = 8, INTRODUCING_DEEDS_MAX = 256, INTRODUCING_CASES_MAX = 16 };

struct introducing;

/* What a store was found to hold, in the order in which it came. */
struct introducing_watch {
    uint64_t arrival;
    size_t count;
    struct {
        struct id id;
        bool has_no, has_release, has_own_no, has_hello;
    } said[INTRODUCING_CASES_MAX];
};

/* What a machine knew of its first introductions when its store had so many commits. */
struct introducing_seen {
    uint64_t commits, life;
    size_t count;
    struct {
        char state[16], id[40];
        bool is_asked_again;
    } rows[INTRODUCING_CASES_MAX];
};

/* Something that an op has done: told, and so not to be lost. */
struct introducing_deed {
    struct introducing *introducing;
    enum introduction_type type; /* OFFER: the introduction was made; YES; NO */
    size_t person;
    uint64_t number;
    struct world_node *node;
    char id[40];
    bool is_told;
    bool is_lent; /* its own machine has it no more: another one does */
};

struct introducing {
    struct world world;
    struct judge judge;
    struct copies copies;
    struct world_node *nodes[INTRODUCING_PERSONS]; /* the first machine of each */
    struct linking links[2];                       /* with Iris */
    enum introducing_kind kind;
    const char *first;
    size_t parting; /* PART: who ends a link with Iris, or with whom she does */
    bool is_by_iris, is_blocking;
    bool is_blind, is_over, is_ready, is_introduced, is_parted, has_looked;
    struct introducing_seen seen[INTRODUCING_MACHINES_MAX]; /* by number of the node */
    struct introducing_watch watches[INTRODUCING_MACHINES_MAX];
    struct introducing_deed deeds[INTRODUCING_DEEDS_MAX];
    size_t deeds_count;
    char complaint[400];
};

/* Lives it: bad times, mending, and the judge. */
void introducing_run(struct introducing *introducing, uint64_t seed, bool is_talkative);
void introducing_end(struct introducing *introducing);
/* Has a machine of each of the two been asked to say yes to this one? Ids as text. */
bool introducing_was_agreed(const struct introducing *introducing, const char *id);

#endif
