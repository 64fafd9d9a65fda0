/* What the files of the session share; only they include it. */
#ifndef KITH_PROTO_SESSION_STATE_H
#define KITH_PROTO_SESSION_STATE_H

#include "proto/frame.h"
#include "proto/limits.h"
#include "proto/offers.h"
#include "proto/places.h"
#include "proto/session.h"

#define SESSION_TOTAL_MAX (UINT64_C(1) << 50) /* of one announcement: sums cannot wrap */

enum session_phase {
    PHASE_NEW,
    PHASE_CLAIMING,       /* inviter: the node looks at who came */
    PHASE_AWAIT_LINK,     /* the other side's link message is due */
    PHASE_COMPLETING,     /* inviter: the node stores what the acceptor told */
    PHASE_AWAIT_IDENTITY, /* acceptor: the inviter's root and chain are due */
    PHASE_MAKING,         /* acceptor: the node stores the link */
    PHASE_HELLO,          /* my hello is out, the other's is due */
    PHASE_MARKS,          /* digests differ: the other's marks are due */
    PHASE_LIVE,           /* what is lacking flows, then whatever is committed */
    PHASE_OVER
};

enum {
    SESSION_WINDOW = 1 << 20,        /* bytes emitted before the driver has said DRAINED */
    SESSION_CREDIT_STEP = 128 << 10, /* credit is returned in portions of at least this */
    SESSION_PING_MS = 60000,
    SESSION_PINGS_MAX = 2,
    SESSION_LOGS_MAX = 65536,     /* between own devices */
    SESSION_PENDING_MAX = 4096,   /* batches in the writer's hands */
    SESSION_TOLD_MAX = 256,       /* devices told about in one session */
    SESSION_FACTS_MAX = 4096,     /* statements about them that a peer may tell in one */
    SESSION_WAITING_MAX = 1 << 20 /* bytes kept while the node looks into a link: no batch is due */
};

/* One log as this session sees it. */
struct session_log {
    struct log_id id;
    bool is_mine;
    bool is_foreign;    /* the other side speaks of it, and for all I know does not share it */
    struct chain tip;   /* what I hold, committed */
    uint64_t start;     /* of it: nothing up to here */
    uint32_t cuts;      /* of it, when the tip was looked at */
    struct chain sent;  /* how far the other side has it, or was sent it */
    uint64_t offered;   /* the furthest it was ever sent it, or showed to have it */
    uint64_t acked;     /* how far it said it has stored it */
    uint64_t delivered; /* what of acked was told to the node */
    uint64_t announced; /* how far it said, or showed, that it holds it */
    uint32_t alias;     /* for what I send */
    bool has_alias, must_start;
    bool is_listed;     /* in the marks now being read */
    struct chain taken; /* how far its batches were verified, committed or not */
    bool has_taken;
    uint64_t gave;      /* how far its batches led; what I have from elsewhere is no gift of it */
    uint64_t wanted;    /* payloads up to here were asked for */
    bool is_forked;     /* the two sides hold different branches: neither gives until one moves */
    bool is_behind;     /* then: I hold less of it, and for all I know the same */
    bool is_shown;      /* a trace told that mine is another branch, and it has not moved since */
    bool is_traced;     /* tags were sent unasked */
    bool is_asked;      /* tags were asked for, and the answer is to come */
    bool has_keys;      /* it tells keys of other spaces: of a self or pair space */
    bool is_proof;      /* it comes before the theft is told of: session_proof.c */
    bool is_below;      /* it holds less than where mine starts: given as returned, if at all */
    struct chain fetch; /* where the branch that was asked for has been given to */
    bool is_fetching;
};

/* A batch in the writer's hands. */
struct session_pending {
    uint64_t ticket;
    uint32_t log;   /* index in logs */
    uint32_t alias; /* the other side's */
    struct chain end;
    size_t bytes, entries;
    bool is_returned, is_fill;
    uint32_t number; /* of the returned batch */
};

/* Payloads that one side has asked the other for: one list at a time each way. */
struct session_want {
    uint32_t log; /* index in logs */
    uint64_t seqs[WANTS_PER_MESSAGE_MAX];
    size_t count, next;
};

/* What the other side calls a log. */
struct session_alias {
    struct log_id id;
    uint32_t log;    /* index in logs, unless it is ignored */
    uint64_t size;   /* where the other side stands in giving it */
    bool is_ignored; /* its space or device is not known (yet) */
    bool is_closed;  /* its device is retired: nothing more of it counts */
    bool is_lost;    /* something of it was dropped: nothing attaches before a start is named */
};

struct session {
    struct session_options options;
    struct buf identity, remote_identity, addresses;
    enum session_phase phase;
    struct frame_reader in;
    struct wire_doc doc;
    struct buf out;
    struct session_effect *effects;
    size_t effects_count, effects_capacity;
    bool is_failed;                /* no memory for effects */
    const struct replica *replica; /* during a step */
    uint64_t now_ms, heard_at_ms, pinged_at_ms;
    uint64_t work_spent, work_at_ms; /* units looked up lately, as of then: session_pace.c */
    bool is_resting;                 /* its next message waits */
    unsigned sharers;                /* sessions with this peer: they share the bound */
    unsigned pings;
    bool is_confirmed, is_in_step, is_identified, is_listing;
    struct device_chain chain;       /* of the other side, in the linking phase */
    struct public_key remote_device; /* then */
    struct hash next_root;

    uint8_t mine[DIGEST_SIZE], yours[DIGEST_SIZE];
    struct session_log *logs;
    size_t logs_count;
    struct places logs_places, aliases_places; /* of logs, and of aliases' logs */
    uint32_t *given;                           /* by my alias: index in logs */
    struct session_alias *aliases;
    size_t aliases_count;
    uint32_t next_alias;
    struct session_pending *pending;
    size_t pending_count, pending_bytes;
    uint64_t next_ticket;
    uint64_t credit;            /* bytes I may still send */
    uint64_t credit_given;      /* bytes the other side may still send */
    uint64_t credit_owed;       /* to be returned */
    uint64_t credit_all;        /* the sum of credit given, owed, and taken by batches under way */
    uint64_t window;            /* bytes emitted since DRAINED */
    enum session_thrift thrift; /* in this step */
    struct public_key *told;    /* devices whose facts were told */
    size_t told_count;
    bool is_doubted;               /* the other side's device is void, and not for sure */
    bool is_led;                   /* one that leads to my device was stolen */
    bool is_proving;               /* the other side may lack what shows that mine came in time */
    bool has_withheld;             /* so something was not told of it */
    uint64_t proved, proved_at_ms; /* entries of that which it acknowledged, the last when */
    size_t outs_told;              /* devices of mine that were shut out: so many were told of */
    struct offers offers;          /* ends of returned batches that were offered, or stored here */
    struct replica_place place;    /* in the walk over returns */
    bool has_returns;              /* there may be more to offer */
    uint32_t returned_sent, returned_stored;
    struct buf facts;          /* received in this step */
    size_t facts_count;        /* in this session */
    struct session_want *want; /* what I asked for, then what I was asked for; NULL: never */
    struct buf fills;          /* payloads received in this step */
    bool must_want;            /* something may be missing that was not asked for */
    bool is_full; /* no more of theirs is taken: said after marks, until room has come */
    bool is_held; /* they take no more of ours until they say marks */
    struct replica_room room; /* what may be taken before the replica is asked again */
    bool needs_marks; /* something did not attach: say again where I stand, once nothing is under
                         way */
    struct session_progress progress;
};

/* session.c */
struct session_effect *session_effect(struct session *session, enum session_effect_type type);
void session_end(struct session *session, enum session_end_reason reason, const char *rule);
/* The other side broke a rule: says bye and ends. */
void session_violation(struct session *session, const char *rule);
/* Our store, or memory, failed us. */
void session_fail(struct session *session, enum err err);
/* Nothing when ERR_OK; a violation when ERR_LIMIT; else a failure of ours. */
void session_check(struct session *session, enum err err);
bool session_is_own(const struct session *session);

/* May more be given now, as far as it depends on what has left? */
bool session_has_window(const struct session *session);

/* session_pace.c */
/* What a lookup costs, in units. */
enum {
    SESSION_WORK_ROW = 1,    /* a row of a table, or a hash in a list */
    SESSION_WORK_CHAIN = 32, /* the chain at a size: up to a block is hashed for it */
    SESSION_WORK_ABSENT = 32 /* entries to a unit: whether their payloads are missing */
};
/* A step begins: what time has given back. */
void session_pace_begin(struct session *session, unsigned sharers);
void session_pace_count(struct session *session, size_t units);
uint64_t session_rested_at_ms(const struct session *session);

/* session_link.c */
void session_link_start(struct session *session);
void session_link_message(struct session *session, struct message *message);
void session_link_answered(struct session *session, const struct session_event *event);
/* Checks root and chain against the key the handshake proved. */
MUST_USE enum err session_read_identity(struct session *session, struct span identity);

/* session_sync.c */
void session_sync_start(struct session *session);
void session_sync_message(struct session *session, struct message *message);
void session_sync_news(struct session *session, const struct id *space);
/* Sends whatever may be sent now, and says whether all is in step. */
void session_sync_pump(struct session *session);

/* session_take.c */
/* So many bytes were announced: more credit, where it may be given. */
void session_take_announced(struct session *session, uint64_t bytes);
void session_take_log(struct session *session, const struct message *message);
void session_take_batch(struct session *session, struct message *message);
void session_take_committed(struct session *session, uint64_t ticket, enum err err);
/* Something was committed: is what was ignored known now? */
void session_take_again(struct session *session);
/* Is there room for so much more? Says that we are full when there is none. */
bool session_take_fits(struct session *session, uint64_t entries, uint64_t bytes);
/* After marks were said: while we are full, that is said behind them. */
void session_take_say_full(struct session *session);
/* Has room come? */
void session_take_look_room(struct session *session);
/* Says marks once they are due and nothing is under way. */
void session_take_settle(struct session *session);

/* session_proof.c */
/* What comes before a theft is told of: from the other hello on, until it is there. */
void session_proof_begin(struct session *session);
/* The marks are read: which logs these are. */
void session_proof_look(struct session *session);
void session_proof_news(struct session *session);
/* Is this device's theft not to be told of yet? */
bool session_proof_withholds(struct session *session, const struct public_key *device);
/* NULL: what was cut from some log. */
bool session_proof_may_give(const struct session *session, const struct session_log *log);
void session_proof_check(struct session *session);
/* When to look again, but not later than then. */
uint64_t session_proof_wake_at_ms(const struct session *session, uint64_t then_ms);
void session_proof_end(struct session *session);

/* session_want.c */
void session_want_message(struct session *session, const struct message *message);
void session_want_pump(struct session *session);
void session_want_collect(struct session *session);
void session_want_committed(struct session *session, enum err err);
bool session_want_is_settled(const struct session *session);
void session_want_release(struct session *session);

/* session_marks.c */
size_t session_logs_max(const struct session *session);
/* Index of a log in the session's list, added when new. ERR_LIMIT, ERR_NOMEM. */
MUST_USE enum err session_find_log(struct session *session, const struct log_id *id, bool is_mine,
                                   uint32_t *out);
/* Reads anew what is shared and how far it goes; with digests when asked. */
void session_look(struct session *session, bool is_digesting);
void session_look_at(struct session *session, const struct id *space);
/* What I hold of a log goes so far now. */
void session_set_tip(struct session *session, struct session_log *log,
                     const struct replica_log *now);
void session_send_marks(struct session *session);
void session_take_marks(struct session *session, struct message *message);
/* Where the log begins for a side that stands at its beginning; size 0: with its first entry. */
bool session_beginning(struct session *session, const struct session_log *log,
                       struct log_beginning *out);
/* From here the other side is given the log. */
void session_stand(struct session *session, struct session_log *log, const struct chain *chain);
/* The index of a log that is in the list already. */
bool session_find_known(struct session *session, const struct log_id *id, bool is_mine,
                        uint32_t *out);
/* The same, of a log that both share: of others nothing is said, not even that they are there. */
bool session_find_shared(struct session *session, const struct log_id *id, uint32_t *out);
/* The other side has stored a log of mine up to size. */
void session_deliver(struct session *session, struct session_log *log, uint64_t size);

/* session_take.c */
/* A batch of either sort within its credit? Ends the session when not. */
bool session_take_credit(struct session *session, size_t max);
void session_return_credit(struct session *session, uint64_t bytes);
MUST_USE bool session_add_pending(struct session *session, const struct session_pending *pending);

/* session_fork.c */
/* Judges what the other side says it holds of a log; true when that was all there is to do. */
bool session_fork_judge(struct session *session, struct session_log *log, const struct mark *mark,
                        const struct chain *mine);
/* The other side holds nothing of the log. True when I leave the branch that I hold. */
bool session_fork_has_left(struct session *session, struct session_log *log);
void session_fork_again(struct session *session);
/* The other side holds less of the log than where mine starts: what I hold is given as returned to
 * devices of its author. */
void session_fork_below(struct session *session, struct session_log *log, uint64_t size);
/* My log goes another way than what the other side was given: tip is its new one. */
void session_fork_moved(struct session *session, struct session_log *log, const struct chain *tip);
/* A log where the two sides differed was cut here: tip is what is left. */
void session_fork_confirm(struct session *session, struct session_log *log,
                          const struct chain *tip);
void session_fork_message(struct session *session, struct message *message);
/* A returned batch is stored, or is not wanted. */
void session_fork_committed(struct session *session, const struct session_pending *done,
                            enum err err);
/* Gives branches that were asked for, and returns. */
void session_fork_pump(struct session *session);
bool session_fork_is_settled(const struct session *session);
void session_fork_release(struct session *session);

static inline const struct public_key *session_remote_device(const struct session *session)
{
    return session->options.role == SESSION_PEER ? &session->options.remote_device
                                                 : &session->remote_device;
}

/* session_facts.c */
void session_facts_take(struct session *session, struct message *message);
/* Tells what is known of a device, once. */
void session_facts_tell(struct session *session, const struct public_key *device);
/* It may be told once more: there is a keep in a space that was not shared before. */
void session_facts_forget(struct session *session, const struct public_key *device);
/* The same about the device that writes a log, where it is not this one. */
void session_facts_tell_of(struct session *session, const struct session_log *log);
/* The other side's device was retired; out: given up by its owner. */
/* To a device of mine, before anything else is given: who was shut out. */
void session_facts_tell_outs(struct session *session);
void session_facts_retire(struct session *session, bool is_out);
/* Makes an effect of the facts that came in this step. */
void session_facts_collect(struct session *session);

#endif
