/*
 * The deterministic world: the engine's second driver beside node/loop. Nodes with their disks,
 * clocks and randomness, the net between them, and one queue of events in virtual time, all from
 * one 64-bit seed: the same seed gives the same world, byte for byte (trace). It does the loop's
 * and the writer's work through the same pure functions: engine, errand, group, ops.
 *
 * One thread. Whatever a test does not expect to fail stops the program.
 */
#ifndef KITH_TESTS_SIM_WORLD_H
#define KITH_TESTS_SIM_WORLD_H

#include "crypto/keyfile.h"
#include "node/engine.h"
#include "node/errand.h"
#include "node/group.h"
#include "node/ops.h"
#include "tests/sim/kv_mem.h"

/* Every fault there is, and how often it came true: a fault that never fires is tested by nobody.
 */
#define WORLD_FAULT_LIST(X)                                                                        \
    X(CUT, "connection cut at a byte")                                                             \
    X(HALF_OPEN, "connection lost, one side not told")                                             \
    X(REFUSED, "dial refused")                                                                     \
    X(HANG, "dial never answered")                                                                 \
    X(SLOW, "seconds of delay")                                                                    \
    X(STALL, "connection stands still")                                                            \
    X(DRIP, "one byte a read")                                                                     \
    X(COALESCE, "all that is there in one read")                                                   \
    X(CROSSED, "two connections between the same nodes at once")                                   \
    X(PARTITION, "two islands")                                                                    \
    X(CRASH, "power cut")                                                                          \
    X(CRASH_BEFORE, "power cut before a commit")                                                   \
    X(CRASH_AFTER, "power cut between commit and answer")                                          \
    X(STOP, "clean end")                                                                           \
    X(FULL_DISK, "no room on the disk")                                                            \
    X(FAILED_IO, "the disk refuses")                                                               \
    X(SLOW_DISK, "a commit takes seconds")                                                         \
    X(WRONG_CLOCK, "clock years off")                                                              \
    X(CLOCK_JUMP, "clock set while running")                                                       \
    X(OFFLINE_EDIT, "edit with no node running")                                                   \
    X(RESTORE, "old copy of the whole home put back")                                              \
    X(CLONE, "second machine from a copy")                                                         \
    X(TWICE, "batch brought twice")

enum world_fault {
#define X(word, text) WORLD_##word,
    WORLD_FAULT_LIST(X)
#undef X
        WORLD_FAULTS,
    WORLD_STORY_FAULTS = WORLD_RESTORE /* those before it come true in every run of stories */
};
extern const char *const world_fault_text[WORLD_FAULTS];

struct world;
struct world_node;
struct net_conn;

typedef void (*world_fn)(struct world *world, struct world_node *node, void *data);
/* err is what the command would have failed with; call is NULL when the process ended without an
 * answer: it may have been done or not. Called once. */
typedef void (*world_done_fn)(struct world_node *node, void *self, enum err err,
                              const struct op_call *call);

/* When a commit of this node is the last thing its process does. */
enum world_doom { WORLD_SAFE, WORLD_BEFORE_COMMIT, WORLD_AFTER_COMMIT };

struct world_node {
    struct world *world;
    size_t number, person;
    char name[16];
    struct kv_mem *mem;             /* the disk: outlives the process */
    struct device_secrets *secrets; /* the key file, on the same machine */
    struct entropy entropy;
    uint8_t entropy_key[32];
    uint64_t drawn;
    int64_t wall_offset_ms;
    uint64_t running_offset_ms;
    struct address address;
    bool is_up;
    uint64_t asleep_until_ms; /* a machine that sleeps does nothing, and its clocks go on */
    bool is_twin;             /* its next start draws what another machine draws */
    bool is_gone;             /* it starts no more */
    uint64_t life;            /* grows whenever a process begins or ends: older events are void */
    struct kv *kv;
    struct ledger *ledger;
    struct ledger *successor; /* the writer's already; the engine has not heard of it yet */
    struct engine *engine;    /* NULL where somebody else plays the node */
    void (*on_event)(void *self, const struct engine_event *event);
    void *on_event_self;
    struct group_queue jobs, done;
    bool is_writing, is_telling, is_stepping, is_stopping, is_succeeding;
    struct engine_event waiting[64]; /* answers to what failed at once */
    size_t waiting_count;
    struct errand *deliveries;
    uint64_t deliveries_at_ms, timer_at_ms, stop_at_ms;
    conn_id next_accepted;
    struct net_conn *conns;
    enum world_doom doom;
    uint64_t doom_commits;  /* commits until then */
    uint64_t doom_keys;     /* steps of writing the key file until the power goes; 0: it stays */
    struct world_home *cut; /* what was durable when it went */
    uint64_t commit_ms_max;
    uint64_t sent_bytes, received_bytes; /* on the wire, handshakes and padding too */
    uint64_t taken_bytes;                /* of batches that were committed, as they are framed */
    uint64_t accepted;                   /* connections */
    size_t violations;                   /* that its owner was told of */
    char rule[64];                       /* the last of them, as far as it fits */
};

struct world_event {
    uint64_t at_ms, order, life;
    world_fn run;
    struct world_node *node;
    void *data;
};

struct world {
    uint64_t seed, chance; /* chance: state of the stream that decides what happens */
    uint64_t now_ms;       /* virtual; begins at 1,000,000 */
    struct world_event *events;
    size_t events_count, events_capacity;
    uint64_t order, steps;
    struct world_node **nodes;
    size_t nodes_count, nodes_capacity;
    struct net_conn *net;               /* every connection */
    bool has_faults;                    /* the net misbehaves */
    bool has_repeats;                   /* what a peer brings is brought twice, at times */
    uint64_t islands, islands_until_ms; /* bit of node number % 64: which island, while it lasts */
    uint64_t trace;                     /* hash of all that happened */
    bool is_talkative;                  /* prints it, too */
    uint64_t census[WORLD_FAULTS];
    /* Asked before and after everything that becomes durable while a process runs, a commit or a
     * key file: does the power go here? What is durable then is all that stays, and nothing that
     * follows leaves the node. NULL: it stays. */
    bool (*has_power_cut)(void *self, struct world_node *node);
    void *has_power_cut_self;
};

enum {
    WORLD_BEGIN_MS = 1000000,
    WORLD_TICK_MS = 1000,         /* the loop's longest sleep */
    WORLD_DELIVERY_WAIT_MS = 100, /* as the loop collects deliveries */
    WORLD_STOP_MS = 3000,         /* as long as the loop waits for its writer */
    WORLD_STAGE_ENTRIES = 20000   /* as the writer brings views up */
};

/* What a test does not expect to fail. */
void world_must(enum err err);
/* Zeroed memory of the test's own, never NULL: not from the heap whose failures are tested. */
void *world_memory(size_t size);

/* Life of the world. */
void world_begin(struct world *world, uint64_t seed);
void world_end(struct world *world);
/* A number below bound; the same from the same seed. */
uint64_t world_draw(struct world *world, uint64_t bound);
/* True once in so many times. */
bool world_once_in(struct world *world, uint64_t times);
/* Runs fn after a while; not at all when node (may be NULL) has died or begun anew by then. */
void world_after(struct world *world, uint64_t wait_ms, struct world_node *node, world_fn run,
                 void *data);
void world_run_until(struct world *world, uint64_t at_ms);
__attribute__((format(printf, 3, 4))) void
world_note(struct world *world, const struct world_node *node, const char *format, ...);
void world_trace_bytes(struct world *world, struct span bytes);
void world_count(struct world *world, const struct world_node *node, enum world_fault fault);

/* Nodes. */

/* A new member with one device, as `kith init` makes one; not running yet. */
struct world_node *world_init(struct world *world, const char *name);
/* A further device of this node's member, certified by this node, which is up or down; not running
 * yet. NULL: this node cannot do it now. */
struct world_node *world_join(struct world_node *host);
/* A second machine with the same home as this one; a twin shares its random state, too. */
struct world_node *world_clone(struct world_node *node, bool is_twin);
void world_start(struct world_node *node);
/* The process is somebody else's program with this home: it hears what the net does (accepted,
 * dialled, bytes, drained, closed) and may call net_*. */
void world_start_as(struct world_node *node,
                    void (*on_event)(void *self, const struct engine_event *event), void *self);
/* Asks it to end and lets it, as SIGTERM does. */
void world_stop(struct world_node *node);
/* Power cut. */
void world_crash(struct world_node *node);
/* Power cut at one of its next commits, drawn: before it, or between it and what it answers. */
void world_doom(struct world_node *node);
/* The whole home, key file and store, as it is now. Not while a store is half written. */
struct world_home *world_snapshot(struct world_node *node);
/* Puts it back; the node is crashed first. */
void world_restore(struct world_node *node, const struct world_home *home);
void world_home_free(struct world_home *home);
/* The power goes at this step of writing the key file: what is durable now is all that stays. Two
 * steps a file, before and after it takes the old one's place (tests/fault/key_file.c: there is no
 * other outcome). The process goes on until it can be ended: world_is_cut. */
void world_key_step(struct world_node *node);
/* The same at each side of a commit; self is the node. */
void world_commit_step(void *self, bool is_durable);
/* Ends a process whose power went meanwhile. */
bool world_is_cut(struct world_node *node);
uint64_t world_wall_ms(const struct world_node *node);
uint64_t world_running_ms(const struct world_node *node);

/* Ops, by the same door as commands. params are taken. With a node, the answer comes after the
 * commit; without, before it returns. done may be NULL. */
void world_op(struct world_node *node, const char *method, json_t *params, world_done_fn done,
              void *self);
/* Any other writing, as an op would do it: in one transaction of the writer's. The node is up. */
void world_write(struct world_node *node, enum err (*write)(void *what, struct ledger_txn *txn),
                 void *what, world_done_fn done, void *self);
/* So much time passes on both clocks of the nodes that are up; on those that are not, by the
 * calendar only. */
void world_live(struct world *world, uint64_t span_ms);
/* A reading op, answered at once; new reference, NULL when it failed. */
json_t *world_read(struct world_node *node, const char *method, json_t *params);
/* Lets somebody read this node's ledger; it is opened meanwhile when the node is down. */
void world_look(struct world_node *node, void (*look)(struct world_node *node, void *self),
                void *self);
/* Is this node in step with that member, as it would tell its owner? */
bool world_is_in_step(struct world_node *node, const struct public_key *member);

/* One event for the node's engine; its effects are carried out. */
void world_engine(struct world_node *node, struct engine_event *event);

/* What world_node.c asks of world_job.c. */
/* The key file is written; self is the node. */
enum err world_job_store_keys(void *self, const struct device_secrets *secrets);
void world_job_errand(struct world_node *node, const struct engine_effect *effect);
void world_job_deliveries(struct world_node *node);
/* Brings the views up as the writer does when it starts. */
void world_job_follow(struct world_node *node);
bool world_job_is_idle(const struct world_node *node);
/* Forgets what was under way: the process is gone. */
void world_job_drop(struct world_node *node);

#endif
