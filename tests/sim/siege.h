/*
 * ana with a good peer, ben, and a bad one, mal, who has her link and keeps no rule: the Byzantine
 * catalogue, one case a number. Whatever mal does: nothing is stored that was not verified, no
 * device is retired, ana's store and memory stay within their budgets, and ben is served as if
 * nothing happened.
 */
#ifndef KITH_TESTS_SIM_SIEGE_H
#define KITH_TESTS_SIM_SIEGE_H

#include "tests/sim/hostile.h"
#include "tests/sim/judge.h"

struct siege {
    struct world world;
    struct judge judge;
    struct world_node *ana, *ben, *mal;
    struct hostile hostile;
    struct public_key device; /* ana's, at the beginning */
    uint64_t rows_bytes;      /* of ana's store, at the beginning */
    bool is_stored;           /* what mal wrote was rightly stored: ana's store may have grown */
};

struct siege_case {
    const char *name; /* begins with the number in the catalogue */
    void (*run)(struct siege *siege);
    const char *rule; /* of the violation ana is told of; NULL: of none */
};

/* Ended by a case without a name. */
extern const struct siege_case siege_door_cases[], siege_sync_cases[], siege_record_cases[],
    siege_ask_cases[], siege_slow_cases[];

/* Runs one; what went wrong stands in out, empty if nothing did. */
void siege_run(const struct siege_case *one, bool is_talkative, char out_failure[static 400]);

/* For cases. */

/* Fails the case, saying what should have been. */
void siege_expect(struct siege *siege, bool is_so, const char *what);
/* Not one byte came back, and the connection is gone. */
void siege_expect_silence(struct siege *siege);
/* The greeting led to no session. */
void siege_expect_no_session(struct siege *siege);
/* Opens a live session, or fails the case. */
bool siege_open(struct siege *siege);

/* An entry of any content in mal's pair log, signed by this key (NULL: mal's device). Appends the
 * framed batch after naming the log as number 0; start is moved to its end. */
void siege_put_batch(struct siege *siege, struct chain *start, const struct entry *entry,
                     const struct signing_key *key, struct buf *out);

#endif
