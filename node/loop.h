/*
 * The node's driver: libuv's sockets, timers and signals to engine events, engine effects to libuv,
 * ops from the UNIX socket to the writer thread and back. The only files that include uv.h are
 * loop.c and loop_*.c.
 */
#ifndef KITH_NODE_LOOP_H
#define KITH_NODE_LOOP_H

#include "node/home.h"
#include "node/log.h"

enum { LOOP_LISTEN_MAX = 8 };

struct loop_options {
    struct home *home;
    struct ledger *ledger;
    struct log *log;
    const struct address *listen; /* port 0: any free one, kept for next time */
    size_t listen_count;          /* 0: do not listen */
    const struct address *announce;
    size_t announce_count;
    bool is_passphrase_protected;
    struct span passphrase; /* secret: the key file is written again when a successor takes over */
    /* Called once when everything listens: prints the ready line. */
    void (*on_ready)(void *self, const struct address *listening, size_t count);
    /* Called for what happens, a row of the log each; must not wait. NULL: nobody watches. */
    void (*on_event)(void *self, json_t *row);
    void *self;
};

/* Runs until a signal or the op "stop". ERR_BUSY: the address is in use; out_address then says
 * which. ERR_IO, ERR_NOMEM. */
MUST_USE enum err loop_run(const struct loop_options *options, struct address *out_address);
/* The version of libuv that runs. */
const char *loop_library(void);

#endif
