/*
 * All conversations of one node, sans-IO: handshakes, channels, sessions, whom to call and when.
 * Events in, effects out; it reads the store through snapshots and writes nothing itself. node/loop
 * drives it with libuv, tests/sim with a simulated world. Running time (now_ms) comes with every
 * event and never goes back; wall time only for expiry.
 */
#ifndef KITH_NODE_ENGINE_H
#define KITH_NODE_ENGINE_H

#include "node/link.h"
#include "proto/session.h"

enum {
    ENGINE_SESSIONS_MAX = 1024,
    ENGINE_SESSIONS_PER_MEMBER_MAX = 64,    /* a member may certify any number of devices */
    ENGINE_SESSIONS_PER_DEVICE_MAX = 2,     /* what may wait before that: node/strangers.h */
    ENGINE_SESSIONS_PER_INVITATION_MAX = 4, /* before the link is made: one who tries again */
    ENGINE_LINK_MS = 120 * 1000,            /* for that: two commits here, and one there */
    /* Bytes of memory by the sessions of one other member, and by all. One session at full speed
     * needs less than 4 MiB. */
    ENGINE_HELD_PER_MEMBER_MAX = 32 << 20,
    ENGINE_HELD_PER_MEMBER_TIGHT = 8 << 20, /* when all hold so much: */
    ENGINE_HELD_TIGHT = 64 << 20,           /* each is given one batch at a time */
    ENGINE_HELD_FULL = 128 << 20,           /* nobody is given any */
    ENGINE_HELD_MAX = 192 << 20             /* whoever holds most is let go */
};

/* Never 0, never used twice. Accepted connections get even numbers from the driver, dialled ones
 * odd numbers from the engine. */
typedef uint64_t conn_id;

enum engine_event_type {
    ENGINE_ACCEPTED, /* somebody connected to us */
    ENGINE_DIALLED,  /* a DIAL went through */
    ENGINE_DIAL_FAILED,
    ENGINE_BYTES,
    ENGINE_CLOSED,        /* the other side, or the network, ended it */
    ENGINE_DRAINED,       /* everything sent on this connection has left */
    ENGINE_STALLED,       /* too much sent on it has not left for too long */
    ENGINE_COMMITTED,     /* the answer to INGEST */
    ENGINE_LINK_ANSWERED, /* the answer to LINK */
    ENGINE_NEWS,          /* a commit touched these spaces */
    ENGINE_PEERS_CHANGED, /* links, invitations, knocks or addresses changed: look again */
    ENGINE_SUCCEEDED,     /* this node writes as another device from here on */
    ENGINE_DIAL_NOW,      /* call this peer, or all, without waiting for back-off */
    ENGINE_WOKEN,         /* the time of engine_wake_at_ms has come */
    ENGINE_STOP           /* say bye to everybody */
};

struct engine_event {
    enum engine_event_type type;
    uint64_t now_ms;  /* running time */
    uint64_t wall_ms; /* wall clock: expiry of invitations, last seen */
    conn_id conn;
    union {
        struct address address; /* ACCEPTED, DIALLED */
        struct span bytes;      /* BYTES */
        struct {
            uint64_t ticket;
            enum err err;
        } committed;
        struct {
            uint64_t ticket;
            enum err err; /* the store failed: the session ends */
            const struct link_answer *answer;
        } link;
        const struct ledger_news *news;
        struct ledger *successor; /* outlives the engine, or its next SUCCEEDED */
        struct {
            bool is_all;
            struct public_key member;
        } dial;
    };
};

enum engine_effect_type {
    ENGINE_SEND,     /* bytes on a connection */
    ENGINE_CLOSE,    /* after what was sent has left */
    ENGINE_DIAL,     /* conn is the number the connection will have */
    ENGINE_INGEST,   /* commit this batch on the writer thread; hands the batch over */
    ENGINE_LINK,     /* run a link step on the writer thread */
    ENGINE_RETURNED, /* as INGEST, for a batch of a branch that was cut; hands it over. It may prove
                        that this device must go: see succession.h */
    ENGINE_FILL,     /* store the payload of an entry that lacks it; the answer is COMMITTED */
    ENGINE_FACTS,    /* store statements about devices; they may say so, too */
    ENGINE_REBASE,   /* cut a log down to size */
    ENGINE_MEET,     /* store the chain of a device that came by itself */
    ENGINE_REACHED,  /* store: this device was seen, and says it is at these addresses */
    ENGINE_DELIVERED, /* store: the peer holds this log up to size (may be collected) */
    ENGINE_CONFIRMED, /* store: a session under the link's secret was confirmed */
    ENGINE_MET,       /* store: a session with this member stands, whom an introduction waits for */
    ENGINE_JOINED,  /* store: this device, which was new, holds what its first meeting announced */
    ENGINE_REFUSED, /* store: an acceptance was refused */
    ENGINE_JOURNAL, /* tell the owner */
    ENGINE_PRESENCE /* somebody came, went, or fell in or out of step */
};

enum engine_link_step { ENGINE_LINK_CLAIM, ENGINE_LINK_MAKE, ENGINE_LINK_COMPLETE };

struct engine_effect {
    enum engine_effect_type type;
    conn_id conn;
    union {
        struct span bytes;
        struct address address;
        struct {
            uint64_t ticket;
            struct verified_batch *batch;
            bool is_shared; /* another device of my member gave it */
        } ingest;
        struct {
            uint64_t ticket;
            struct returned *returned;
            struct public_key member; /* who gave it */
            uint8_t handshake_hash[HASH_SIZE];
        } returned;
        struct {
            uint64_t ticket;
            struct log_id log;
            uint64_t seq;
            struct span payload; /* valid until the next step */
        } fill;
        struct {
            struct span list;         /* each: size u16, statement; valid until the next step */
            struct public_key member; /* who told them: they may be about its devices, or mine */
            uint8_t handshake_hash[HASH_SIZE];
        } facts;
        struct {
            struct log_id log;
            uint64_t size;
        } rebase;
        struct span identity; /* MEET; valid until the next step */
        struct {
            uint64_t ticket;
            enum engine_link_step step;
            struct link_request request; /* spans valid until the next step: copy */
        } link;
        struct {
            struct public_key device;
            struct span addresses;
            uint64_t seen_at_ms; /* wall clock */
            bool has_place;      /* it called us, from here: */
            uint8_t place[16];   /* an IPv4 address or an IPv6 /64 */
        } reached;
        struct {
            struct public_key peer;
            struct log_id log;
            uint64_t size;
        } delivered;
        struct public_key member; /* MET */
        struct {
            struct public_key member;
            bool has_secret;
            struct hash secret; /* see link_confirmed */
        } confirmed;
        struct {
            struct id acceptance;
            enum refusal refusal;
        } refused;
        struct {
            const char *kind; /* constant */
            char who[201];
            char text[300];
        } journal;
    };
};

struct engine;

struct engine_options {
    struct ledger *ledger;
    const struct address *addresses; /* what to tell peers: where this node can be reached */
    size_t addresses_count;
    bool is_loopback_only; /* listens on loopback only: may then dial loopback */
};

MUST_USE enum err engine_new(const struct engine_options *options, struct engine **out);
/* out_effects stays valid until the next step. ERR_NOMEM leaves a usable engine; the connection
 * concerned is closed. */
MUST_USE enum err engine_step(struct engine *engine, const struct engine_event *event,
                              const struct engine_effect **out_effects, size_t *out_count);
uint64_t engine_wake_at_ms(const struct engine *engine);
/* Fills up to size rows and returns how many peers there are. */
size_t engine_presence(const struct engine *engine, struct op_presence *out, size_t size);
/* Bytes of memory that all conversations hold, and what was sent in them and has not left; about.
 */
size_t engine_held(const struct engine *engine);
/* Should no more be read from this connection for now? The engine wakes when that is over. */
bool engine_is_resting(struct engine *engine, conn_id conn);
size_t engine_sessions_count(const struct engine *engine);
void engine_free(struct engine *engine);

#endif
