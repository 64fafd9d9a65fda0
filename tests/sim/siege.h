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
#include "tests/sim/meeting.h"

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
    size_t bytes_max; /* of memory; 0: the usual */
    bool is_apart;    /* brings members of its own: nobody calls ana */
};

/* Ended by a case without a name. */
extern const struct siege_case siege_door_cases[], siege_sync_cases[], siege_record_cases[],
    siege_epoch_cases[], siege_device_cases[], siege_introducer_cases[], siege_introducee_cases[],
    siege_vouch_cases[], siege_spoken_cases[], siege_ask_cases[], siege_slow_cases[],
    siege_peek_cases[];

/* Siege_list.c: every number of the catalogue has a case, or a reason why none can be. Prints what
 * is missing, or (is_telling) where each number is. */
bool siege_list_is_whole(const struct siege_case *const *tables, size_t count, bool is_telling);

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
/* The same in any log, under any number, which is not named. */
void siege_put_entry(struct siege *siege, const struct log_id *log, uint32_t number,
                     struct chain *start, const struct entry *entry, const struct signing_key *key,
                     struct buf *out);
/* Names the log as number 0 and gives all that this node's store has of it behind the tip. */
void siege_give(struct siege *siege, struct world_node *from, const struct log_id *log,
                const struct chain *tip);
/* What ana shows of mal, her log, her asks contain this text. */
bool siege_is_shown(struct siege *siege, const char *text);
bool siege_is_told(struct siege *siege, const char *text);
bool siege_is_asked(struct siege *siege, const char *text);
/* An edit of the only object of its kind: one field with a text. Released by the caller. */
void siege_text_edit(uint8_t kind, uint8_t field, uint64_t time_ms, uint64_t counter,
                     const char *text, struct edit_space *out);
/* A link by invitation; both run. */
void siege_befriend(struct siege *siege, struct world_node *one, struct world_node *other);
/* Another member, linked with ana; runs. */
struct world_node *siege_friend(struct siege *siege, const char *name);
/* Ends the hostile and lets the node run as it should; and the other way round, as whom. */
void siege_calm(struct siege *siege);
void siege_turn(struct siege *siege, struct world_node *into);

/* For cases of members without a world (meeting.h). */

/* How much of `who` a member has dropped. */
long siege_dropped(struct member *member, const char *who);
/* Does what this op answers contain the text? */
bool siege_says(struct member *member, const char *method, json_t *params, const char *text);

#endif
