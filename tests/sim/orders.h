/*
 * A story about a member's devices, told to fresh stores of a peer and of an own device in many
 * orders: by logs and by facts, across restarts and rebuilding. P8: all come to the same.
 */
#ifndef KITH_TESTS_SIM_ORDERS_H
#define KITH_TESTS_SIM_ORDERS_H

#include "proto/retire.h"
#include "storage/standing.h"
#include "tests/sim/member.h"

enum { ORDERS_DEVICES = 6, ORDERS_LOGS_MAX = 128 };

/* One log as one store has it. */
struct orders_piece {
    size_t source;
    struct log_id log;
};

/* Ana's devices: the desk holds the root, and so does the twin. Bruno reads. */
struct orders {
    struct member devices[ORDERS_DEVICES]; /* 0 the desk, 1 its twin; others by the story */
    bool is_there[ORDERS_DEVICES];
    struct member bruno; /* as he was before the story */
    struct member own;   /* the twin as it was then: it went back, and hears of it all */
    bool has_twin_acted;
    const struct member *listener; /* one of both, while it is told */
    const struct public_key *reader;
    struct orders_piece pieces[ORDERS_LOGS_MAX];
    size_t pieces_count;
    size_t source; /* while pieces are gathered */
    char why[200]; /* the first order that came to something else; empty while all agree */
};

enum { DESK, TWIN, LAP, PAD, TAB, TOP };

void orders_new(struct orders *orders);
void orders_free(struct orders *orders);
void orders_commit(struct ledger_txn *txn);

/* The story. Each names devices. */
void orders_join(struct orders *orders, size_t device, size_t host);
void orders_carry(struct orders *orders, size_t to, size_t from);
void orders_write(struct orders *orders, size_t device, uint8_t field, const char *text);
void orders_shut(struct orders *orders, size_t by, size_t device, enum retire_reason reason);
/* Says of a sibling that it has two branches. */
void orders_fork(struct orders *orders, size_t by, size_t device);
/* That device hears it from this sibling, goes on under a new key, and tells of it. */
void orders_succeed(struct orders *orders, size_t device, size_t sibling);
/* Certifies a device anew, with keys of its own. */
void orders_forge(struct orders *orders, size_t by, size_t device);
/* What one knows of a device, as a session tells it (FACT-1). */
void orders_tell(struct member *to, struct member *from, const struct public_key *device);

/* Tells it in all orders of the card's logs, as far as a test run has time, and in shuffled ones,
 * KITH_ORDERS of them. out: how each device stands at last. False: see why. */
bool orders_agree(struct orders *orders, enum standing out[static ORDERS_DEVICES]);
/* In one order, to this reader: notes what there is to tell, and tells it all. */
void orders_gather(struct orders *orders, const struct member *reader);
void orders_finish(struct orders *orders, struct member *reader);
/* What has become of it: parts are where devices, logs and objects end. */
void orders_outcome(struct orders *orders, struct member *reader, struct buf *out,
                    size_t parts[static 3]);
/* Is the store sound? Else why says so. */
void orders_check(struct orders *orders, struct member *reader);

#endif
