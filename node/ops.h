/*
 * What a member can do: one table of ops, the one door. A command, the socket and later the web
 * page all call the same op with the same params and get the same JSON. A writing op runs inside
 * the writer thread's transaction, several in a row before one commit; the reply goes out after the
 * commit.
 *
 * A writing op checks everything before its first ledger_append. If it still fails after having
 * written, the whole transaction is taken back and the ops of the group run again one by one.
 */
#ifndef KITH_NODE_OPS_H
#define KITH_NODE_OPS_H

#include <jansson.h>

#include "proto/invite.h"
#include "storage/ledger.h"

/* Exit codes of the command line, also "code" in JSON errors. */
enum op_code {
    OP_DONE = 0,
    OP_FAILED = 1,
    OP_USAGE = 2,
    OP_NOT_FOUND = 3,
    OP_NEEDS_NODE = 4,
    OP_UNTRUSTED = 5,
    OP_AMBIGUOUS = 6,
    OP_LOCKED = 7,
    OP_CANCELLED = 8
};

struct op_failure {
    enum op_code code;
    char message[1600]; /* UTF-8, but for a name that was cut or a path that is none */
    char hint[400];     /* what to type next; may be empty */
};

/* One peer as the running node sees it. */
struct op_presence {
    struct public_key member;
    bool is_online, is_in_step;
    bool is_full, is_held; /* no more of theirs is taken here; no more of mine is taken there */
    bool is_reaching; /* being called, or about to be: nobody knows yet whether it can be reached */
    uint64_t sent, received;             /* entries, since the node started */
    uint64_t bytes_sent, bytes_received; /* of batches */
    uint64_t due, done; /* entries that were announced, both ways, and those that have crossed */
};

enum op_port {
    OP_PORT_NONE, /* this home's node has never listened */
    OP_PORT_FREE,
    OP_PORT_OURS, /* its node listens on it */
    OP_PORT_TAKEN /* by another program */
};

/* What only the system knows of a home. */
struct op_health {
    uint64_t disk_bytes, disk_free_bytes;
    char open_to_others[200]; /* the first file or folder in it that others may read; or empty */
    enum op_port port;
    char listening[ADDRESS_TEXT_SIZE]; /* what port is about */
    char libraries[200];               /* with their versions */
};

/* What surrounds an op. In a command without a node, is_node is false and presence is empty. */
struct op_world {
    const char *home;
    bool is_node;
    long pid; /* of the node */
    bool is_passphrase_protected;
    const struct address *listening; /* what the node listens on, or listened on last */
    size_t listening_count;
    const struct address *announced; /* --announce */
    size_t announced_count;
    const struct address *interfaces; /* of this machine, without ports; loopback last */
    size_t interfaces_count;
    const struct op_presence *presence;
    size_t presence_count;
    size_t import_step; /* people that one transaction of an import writes; 0: IMPORT_STEP */
    struct vouch_cache *vouches; /* kept between questions (vouch.h); NULL: made for each */
    /* Looks at the home; NULL where there is none to look at. */
    enum err (*look)(const char *home, struct op_health *out);
};

/* What the node has to do once the op has been committed. */
struct op_effects {
    bool must_stop;
    bool must_dial_all;
    struct public_key dial[8];
    size_t dial_count;
    bool peers_changed; /* links, invitations, knocks or cards changed: sessions may end or start */
    bool is_waiting;    /* not settled yet: ask poll again when something changes, up to wait_ms */
    uint64_t wait_ms;
    bool goes_on;      /* not finished: once this much is committed, run is called again, in a
                          transaction of its own, with first = what it answered */
    bool is_rehearsal; /* with ERR_CANCELLED: the transaction is taken back, the result counts */
};

struct op_call {
    json_t *params;            /* object; borrowed */
    struct span file;          /* import: the file's bytes; borrowed */
    json_t *first;             /* poll, and run that goes on: what run answered; borrowed */
    bool is_early;             /* poll: asked so soon that nothing can have happened yet */
    json_t *result;            /* owned by the call */
    struct op_failure failure; /* when run returned an error */
    const struct op_world *world;
    struct snapshot snapshot; /* always */
    struct ledger_txn *txn;   /* writing ops */
    uint64_t now_ms;          /* wall clock */
    struct op_effects effects;
    void (*progress)(void *self, uint64_t done, uint64_t total); /* may be NULL */
    void *progress_self;
};

enum op_mode {
    OP_READ, /* a snapshot is enough; works beside a writer, takes no lock */
    OP_WRITE
};

struct op {
    const char *method; /* "contact.add" */
    enum op_mode mode;
    bool needs_node; /* exit 4 without one */
    enum err (*run)(struct op_call *call);
    /* NULL, or reads on a snapshot how things stand now, after run set effects.is_waiting: the
     * running node calls it until is_waiting stays false or the time is up, and answers with its
     * result. A command without a node does not. */
    enum err (*poll)(struct op_call *call);
};

/* NULL when there is no such op. */
const struct op *ops_find(const char *method);
const struct op *ops_table(size_t *out_count);

/* One step of an op, run or poll: in a write transaction, or (txn NULL) on a snapshot of the
 * ledger. Sets the call's time, txn and snapshot. */
MUST_USE enum err op_step(enum err (*step)(struct op_call *call), struct op_call *call,
                          struct ledger *ledger, struct ledger_txn *txn, uint64_t wall_ms);
/* What an op's job came to: a rehearsal that was taken back counts as done, and a failure is told
 * even when the op left it to the store. */
enum err op_settle(struct op_call *call, enum err err);

/* Fails a call: fills failure and returns an error for run to return. */
__attribute__((format(printf, 4, 5))) enum err op_fail(struct op_call *call, enum op_code code,
                                                       const char *hint, const char *format, ...);
/* A failure for an error of a lower room, with the sentence and, for a full disk and the like, what
 * to do. */
enum err op_fail_err(struct op_call *call, enum err err, const char *what);
/* {"error":{"code":..,"message":..,"hint":..}}: new reference. */
json_t *op_failure_json(const struct op_failure *failure);

/* Params. Missing ones give NULL, empty or false. */
const char *op_text(const struct op_call *call, const char *name);
json_t *op_list(const struct op_call *call, const char *name); /* borrowed array, or NULL */
/* KEY=VALUE, or KEY: false. The value goes up to the text's end. NULL: an empty key. */
bool op_key_value(const char *text, struct span *out_key, struct span *out_value);
bool op_flag(const struct op_call *call, const char *name);

/* Refuses a text among the params that is there and holds nothing anybody could see; every op that
 * writes has been through it. */
MUST_USE enum err op_check_seen(struct op_call *call);

#endif
