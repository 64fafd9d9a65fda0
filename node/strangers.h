/*
 * Who waits at the door: connections that others made to this node and that have not yet proved who
 * they are. Bounds how many there are, how fast one place may knock, how much arithmetic all of
 * them together may cause, and knows a first message that was seen before. Pure: it decides, the
 * engine closes. A fixed piece of memory, whatever comes.
 *
 * A place is an IPv4 address or an IPv6 /64. This machine itself (127.0.0.1, ::1) may knock as fast
 * as it likes and have half of all slots: its owner's commands and other nodes live there.
 */
#ifndef KITH_NODE_STRANGERS_H
#define KITH_NODE_STRANGERS_H

#include "crypto/entropy.h"
#include "proto/invite.h"

enum {
    STRANGERS_MAX = 256,     /* connections before their handshake is done */
    STRANGERS_RESERVED = 64, /* of them for places where somebody proved who they are lately */
    STRANGERS_PER_PLACE_MAX = 8,
    STRANGERS_OWN_MACHINE_MAX = STRANGERS_MAX / 2,
    STRANGERS_STEP_MS = 200, /* a place may knock five times a second, */
    STRANGERS_BURST = 10,    /* ten times at once */
    STRANGERS_KNOWN_DAYS = 30,
    STRANGERS_SEEN_MS = 10 * 60 * 1000,
    STRANGERS_HANDSHAKE_COST = 4,  /* scalar multiplications that answering one takes */
    STRANGERS_COSTS_STEP_US = 556, /* 1,798 a second, and 200 at once: */
    STRANGERS_COSTS_BURST = 200,   /* never more than 2,000 in any second */
    STRANGERS_COSTS_KNOWN = 60,    /* of the burst for known places alone */
    STRANGERS_SEARCH_STEP_MS =
        30000,                  /* a place may be looked for among all links twice a minute, */
    STRANGERS_SEARCH_BURST = 8, /* eight times at once; */
    STRANGERS_SEARCHES_STEP_MS = 1000, /* all places together once a second, */
    STRANGERS_SEARCHES_BURST = 64      /* 64 times at once: a thousand links take 10 ms */
};

/* The greatest text of a place: its bytes, IPv4 as ::ffff:a.b.c.d, of IPv6 the first 8. */
enum { STRANGERS_PLACE_SIZE = 16 };
void strangers_place(const struct address *address, uint8_t out[static STRANGERS_PLACE_SIZE]);

struct strangers;
MUST_USE enum err strangers_new(const struct entropy *entropy, struct strangers **out);
void strangers_free(struct strangers *strangers);

/* A connection has come. False: it is to be closed, and has no slot. True: it has one until
 * strangers_leave; *out_dropped is the connection that has to give way for it (it has left
 * already), 0 for none. conn is never 0. */
bool strangers_enter(struct strangers *strangers, uint64_t conn, const struct address *from,
                     uint64_t now_ms, uint64_t *out_dropped);
/* It proved who it is, or closed. Does nothing when it has no slot. */
void strangers_leave(struct strangers *strangers, uint64_t conn);
size_t strangers_count(const struct strangers *strangers);

/* Somebody proved who they are, age_ms ago, from this place. */
void strangers_know(struct strangers *strangers, const struct address *from, uint64_t age_ms,
                    uint64_t now_ms);

/* May a first message whose knock was good be answered? False: its ephemeral key (32 bytes) was
 * answered before, or arithmetic is spent. */
bool strangers_may_answer(struct strangers *strangers, const struct address *from,
                          const uint8_t ephemeral[static 32], uint64_t now_ms);

/* May the secrets of all links be tried for a caller from here whose key nobody knows? */
bool strangers_may_search(struct strangers *strangers, const struct address *from, uint64_t now_ms);

#endif
