/*
 * Two members, ana and ben, with one device each, and a session between them over replicas in
 * memory. Whatever they say and whatever comes of it is written down, one line each.
 */
#ifndef KITH_TESTS_SIM_SESSION_PAIR_H
#define KITH_TESTS_SIM_SESSION_PAIR_H

#include "proto/session.h"
#include "tests/sim/replica_mem.h"

enum { SESSION_SIDE_COMMITS_MAX = 4096 };
enum session_pair_space { ANA_PAIR, BEN_PAIR, ANA_CARD, BEN_CARD, SESSION_PAIR_SPACES };

struct session_commit {
    uint64_t ticket;
    struct verified_batch *batch;
    struct returned *returned; /* instead of batch */
    struct log_id log;         /* instead of both: a payload that was missing */
    uint64_t seq;
};

struct session_side {
    const char *name;
    struct signing_key *root, *device;
    uint8_t static_key[32];
    struct buf identity;
    struct replica_mem replica;
    struct session *session;
    struct buf inbox; /* on the way to this side */
    struct buf heard; /* all that arrived in this session */
    struct session_commit commits[SESSION_SIDE_COMMITS_MAX];
    size_t commits_count;
    bool holds_commits, holds_answer, is_deaf;       /* deaf: nothing that comes is read */
    bool is_asked, has_answer, is_ended, is_in_step; /* has_answer: a link message is due */
    enum err commit_err;                             /* what commits end with, unless ERR_OK */
    bool is_refusing;
    bool finds_forged; /* the node says so of what a link message told */
    enum refusal refusal;
    enum session_end_reason reason;
    const char *rule;
    size_t ingests, bytes_sent, sends; /* ingests: one signature was verified for each */
};

struct session_pair {
    struct session_side sides[2];
    struct id spaces[SESSION_PAIR_SPACES];
    struct buf text;
    uint64_t now_ms;
};

enum { ANA = 0, BEN = 1 };

/* Keys, replicas that know everything, no session yet. Aborts when there is no memory: tests. */
struct session_pair *session_pair_new(void);
/* The same with a session that has nothing to say; nothing written down yet. */
struct session_pair *session_pair_live(void);
void session_pair_free(struct session_pair *pair);
struct session_options session_pair_options(struct session_pair *pair, int side,
                                            enum session_role role);
/* Makes new sessions and starts them; what was on the way is gone. */
void session_pair_connect(struct session_pair *pair, enum session_role ana, enum session_role ben);
void session_pair_event(struct session_pair *pair, int side, struct session_event *event);
/* One commit by the side's own device, and the news of it to its session. */
void session_pair_write(struct session_pair *pair, int side, enum session_pair_space space,
                        size_t count, size_t size, uint8_t fill);
void session_pair_news(struct session_pair *pair, int side, enum session_pair_space space);
/* Commits the oldest batch that is held. */
void session_pair_commit(struct session_pair *pair, int side);
void session_pair_answer(struct session_pair *pair, int side);
/* Hands over at most max bytes of what is on the way to a side. False when there is nothing. */
bool session_pair_carry(struct session_pair *pair, int side, size_t max);
/* Carries bytes, in pieces of at most 60,000, and commits and answers until nothing moves. */
void session_pair_run(struct session_pair *pair);
/* Hands one framed message, or any bytes, to a side as if the other had sent them. */
void session_pair_inject(struct session_pair *pair, int side, struct buf *bytes);
/* What was written down since last asked; valid until the next line is. */
const char *session_pair_text(struct session_pair *pair);
/* Is it this? Prints what was said when not. */
bool session_pair_said(struct session_pair *pair, const char *expected);
struct log_id session_pair_log(const struct session_pair *pair, int side,
                               enum session_pair_space space);

#endif
