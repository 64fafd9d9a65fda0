/* What the files of the engine share; only they include it. */
#ifndef KITH_NODE_ENGINE_STATE_H
#define KITH_NODE_ENGINE_STATE_H

#include "crypto/channel.h"
#include "crypto/handshake.h"
#include "node/dialer.h"
#include "node/engine.h"
#include "node/strangers.h"
#include "node/tickets.h"
#include "storage/replica.h"
#include "storage/standing.h"
#include "storage/view_peer.h"

enum {
    ENGINE_FIRST_MS = 5000,    /* to message 1 */
    ENGINE_REFUSE_MS = 500,    /* whoever is refused cannot tell by the time why */
    ENGINE_CONFIRM_MS = 10000, /* to the first frame */
    ENGINE_REKEY_MS = 15 * 60 * 1000,
    ENGINE_REPLACE_MS = 10000, /* two sessions confirmed within: the lower device's dial stays */
    ENGINE_UNHEARD_MS = 10 * 60 * 1000, /* so long an own device may have other reasons */
    ENGINE_UNHEARD_MIN = 3,             /* calls */
    ENGINE_TURN_MS = 10 * 60 * 1000, /* copies of one machine that take turns: each has so long */
    ENGINE_VIOLATIONS_MAX = 3,       /* in a day: then back-off of an hour, doubling */
    ENGINE_PENALTY_MS = 3600 * 1000,
    ENGINE_PENALTY_DOUBLINGS = 10,    /* six weeks are enough */
    ENGINE_INTRODUCED_MS = 15 * 1000, /* the ordinary call comes first */
    ENGINE_DAY_MS = 24 * 3600 * 1000,
    ENGINE_DOUBT_MS = 60 * 1000,             /* for what shows whether a device is void */
    ENGINE_HANDSHAKE_MS = 12 * 3600 * 1000,  /* then a session is made anew */
    ENGINE_HANDSHAKE_GRACE_MS = 1800 * 1000, /* who dialled ends it; so much later the other does */
    ENGINE_IN_MAX = 256 << 10, /* ciphertext not yet opened: whole frames are opened as they come */
    ENGINE_CONN_BUCKETS = 1024,
    ENGINE_TARGET_BUCKETS = 1024,
    ENGINE_VERSION_MS = 3600 * 1000, /* somebody of another version is told of once in it */
    ENGINE_KNOCKS_LOOK_MS = 3600 * 1000,
    ENGINE_KNOCKS_MAX = 8 + 1 + 4, /* the newest, that between own devices, and told ones */
    ENGINE_TARGET_ADDRESSES = ADDRESSES_MAX * 3,
    ENGINE_HOMELESS_MAX = 4, /* successors of one member whose address is not known yet */
    ENGINE_OLD_NAMES_MAX = 8 /* of one member, the newest: whatever it tells of itself */
};

enum conn_state {
    CONN_AWAIT_FIRST,  /* accepted: message 1 is due */
    CONN_AWAIT_THIRD,  /* answered: message 3 is due */
    CONN_DIALLING,     /* the connection is not there yet */
    CONN_AWAIT_SECOND, /* message 1 is out */
    CONN_SESSION,
    CONN_CLOSED /* gone, or to be closed: freed at the end of the step */
};

struct engine_conn {
    conn_id id;
    enum conn_state state;
    struct address address;
    bool is_outbound, is_confirmed, must_close, is_clean;
    bool is_touched; /* in this step, or the last one */
    bool is_closed_by_net;
    bool is_sent; /* what stands in out was told as an effect */
    uint64_t begun_at_ms, confirmed_at_ms, rekeyed_at_ms;
    uint64_t close_at_ms;        /* of one that is refused: not before */
    size_t unsent, held;         /* bytes sent since DRAINED; memory, with them */
    struct handshake *handshake; /* secret */
    struct channel *channel;     /* secret */
    struct session *session;
    enum session_role role;
    struct public_key member, device; /* of the other side, once known */
    struct id invitation;             /* inviter: the invitation; acceptor: the acceptance */
    uint8_t psk[KEY_SIZE];        /* inviter: until message 3; of a link: until it is confirmed */
    struct engine_target *target; /* outbound: whom it was for */
    struct engine_target *known;  /* a session with this device */
    bool is_out;                  /* its device was shut out when the session began */
    uint64_t doubted_at_ms;       /* it turned out to be void, and not for sure; 0: never */
    bool is_called_by_old_name;
    bool is_of_another_version;
    bool was_replaced;        /* the other side said so */
    bool is_spare;            /* the other of two stays: this one ends when its step is done */
    uint8_t called[KEY_SIZE]; /* then: the static key */
    uint8_t handshake_hash[HASH_SIZE];
    struct buf identity; /* of a device that came by itself */
    struct buf in, out;
    struct engine_conn *next, *previous; /* all of them */
    struct engine_conn *next_in_bucket;
    struct engine_conn *next_touched;
};

/* Somebody to call: a device of a linked peer, or the inviter of an acceptance. */
struct engine_target {
    bool is_acceptance;
    bool is_old_name; /* the device was retired as forked */
    struct id acceptance;
    struct public_key member, device; /* of a peer */
    uint8_t static_key[KEY_SIZE];
    char name[201];
    struct address addresses[ENGINE_TARGET_ADDRESSES];
    size_t addresses_count, next_address;
    unsigned failures;
    unsigned replaced; /* how often in a row a session gave way to one that is not mine */
    uint64_t dial_at_ms;
    conn_id dialling; /* 0: not being called */
    bool was_reached, is_stale;
    bool is_unheard;  /* the last call was not answered once it had said who calls */
    unsigned unheard; /* how many in a row, since then */
    uint64_t unheard_since_ms;
    bool told_unheard;            /* the owner knows */
    bool is_awaited, was_awaited; /* an introduction waits for them; did, as it was read before */
    bool is_introduced;           /* its addresses come from somebody whom others brought */
    bool is_held; /* the invitation comes first: the inviter may not know yet that the link was made
                   */
    bool wants_dial;                 /* asked for by the owner: back-off does not count */
    uint64_t version_quiet_until_ms; /* its other version has been told of */
    uint64_t held_quiet_until_ms;    /* that it held too much has been told */
    unsigned violations;
    uint64_t violations_since_ms, banned_until_ms;
    bool is_connected;         /* of engine_call_due alone */
    bool told_full, told_held; /* the owner knows that no more is taken here, or there */
    uint64_t crossed;          /* of what was announced in sessions that have ended */
    size_t row;                /* of engine_presence alone */
    uint64_t sent, received, bytes_sent, bytes_received; /* of sessions that have ended */
    struct engine_target *next;
    struct engine_target *next_in_bucket; /* by device; not of acceptances */
};

/* An invitation of mine, open or remembered. */
struct engine_invitation {
    struct id id;
    struct handshake_invitation keys;
};

struct engine {
    struct ledger *ledger;
    struct buf addresses; /* told to peers */
    bool is_loopback_only;
    struct engine_conn *conns, *touched;
    struct engine_conn *buckets[ENGINE_CONN_BUCKETS];
    size_t sessions_count;
    size_t held;  /* bytes of memory by all connections */
    bool is_full; /* it came to so much that nobody was given anything */
    struct strangers *strangers;
    bool has_hosts;     /* the strangers table has been told which places are known */
    struct buf content; /* what the connection in hand said, opened */
    struct engine_target *targets;
    struct engine_target *target_buckets[ENGINE_TARGET_BUCKETS];
    struct engine_invitation *invitations; /* secret */
    size_t invitations_count;
    uint8_t *knocks;     /* secret */
    size_t knocks_count; /* that are answered; behind them those that were, for siblings */
    size_t knocks_held;
    struct engine_mutual *mutuals; /* secret */
    size_t mutuals_count;
    struct dialer dialer;
    struct tickets tickets; /* which connection an answer is for */
    conn_id next_dialled;
    struct engine_effect *effects;
    size_t effects_count, effects_capacity;
    bool is_failed, is_stopping, has_noted;
    uint64_t knocks_look_ms; /* running: when it is seen which of them have ended */
    bool is_joining;         /* this device is new: storage/join.h */
    bool must_reload;        /* links and invitations could not be read: tried again in a while */
    uint64_t now_ms, wall_ms, wake_at_ms;
    uint64_t version_quiet_until_ms; /* of knocks, which tell not whose they are */
    bool has_snapshot;
    struct snapshot snapshot;
    struct replica replica;
};

/* engine.c */
struct engine_effect *engine_effect(struct engine *engine, enum engine_effect_type type,
                                    conn_id conn);
/* The step's snapshot; false when there is none to be had. */
MUST_USE bool engine_look(struct engine *engine);
void engine_journal(struct engine *engine, const char *kind, const char *who, const char *text);
/* Somebody speaks another version: told once in a while, however often they call. */
void engine_journal_version(struct engine *engine, uint64_t *quiet_until_ms, const char *who,
                            const char *text);
/* Where this device can be reached is stored. */
void engine_note_own(struct engine *engine);
void engine_wake_by(struct engine *engine, uint64_t at_ms);

/* Of what was announced in a session, both ways, how many entries have crossed. */
uint64_t engine_crossed(const struct session_progress *progress);

/* engine_conn.c: connections */
struct engine_conn *engine_find(struct engine *engine, conn_id id);
MUST_USE struct engine_conn *engine_add_conn(struct engine *engine, conn_id id,
                                             enum conn_state state);
/* Whatever changes a connection says so: what it has to send, or that it is over, is seen at the
 * end of the step only then. */
void engine_touch(struct engine *engine, struct engine_conn *conn);
/* Closes after what was sent has left. */
void engine_close(struct engine *engine, struct engine_conn *conn);
/* Closes; somebody who came here and did not prove who they are, a while later. */
void engine_refuse(struct engine *engine, struct engine_conn *conn);
/* The other side closed one that was refused. */
void engine_let_go(struct engine *engine, conn_id id);
/* Somebody connected. */
void engine_admit(struct engine *engine, const struct engine_event *event);
/* The handshake is done: false when there are too many sessions, of this device or in all. */
MUST_USE bool engine_begin_session(struct engine *engine, struct engine_conn *conn);
/* Sessions with the same member beside this one. */
unsigned engine_others_with(const struct engine *engine, const struct engine_conn *newcomer);
/* Are there as many with others of the member's devices as a member may have? */
bool engine_has_many(const struct engine *engine, const struct engine_conn *newcomer);
/* The effects of what was touched: bytes first, then closes. */
void engine_collect(struct engine *engine);
/* Frees what the last step closed, and forgets what it sent. */
void engine_sweep(struct engine *engine);
void engine_free_conns(struct engine *engine);

/* engine_bear.c: memory */
/* What the connections of this step hold; lets go whoever holds too much. */
void engine_bear(struct engine *engine);
/* The same of one, when it changed in the middle of a step. */
void engine_bear_count(struct engine *engine, struct engine_conn *conn);
enum session_thrift engine_bear_thrift(struct engine *engine);

/* engine_greet.c: handshakes */
void engine_greet_dialled(struct engine *engine, struct engine_conn *conn);
void engine_greet_bytes(struct engine *engine, struct engine_conn *conn);

/* engine_talk.c: sessions */
void engine_talk_start(struct engine *engine, struct engine_conn *conn,
                       const struct handshake_result *result, struct span remote_identity);
void engine_talk_bytes(struct engine *engine, struct engine_conn *conn);
void engine_talk_event(struct engine *engine, struct engine_conn *conn,
                       struct session_event *event);
/* A session with somebody whom an introduction waits for stands: to be stored. */
void engine_talk_tell_met(struct engine *engine, const struct engine_conn *conn);
/* The other side takes too little: it is let go, and called again later. */
void engine_talk_stalled(struct engine *engine, struct engine_conn *conn);
void engine_talk_answered(struct engine *engine, const struct engine_event *event);

/* engine_heal.c: devices that end, and those that follow them */
void engine_heal_returned(struct engine *engine, struct engine_conn *conn,
                          const struct session_effect *from);
void engine_heal_facts(struct engine *engine, struct engine_conn *conn, struct span facts);
void engine_heal_rebase(struct engine *engine, struct engine_conn *conn,
                        const struct session_effect *from);
/* Has this device been retired as forked? Then a successor is due. */
void engine_heal_look(struct engine *engine);
/* Devices that were retired while a session with them lasts: told, and parted from where they are
 * shut out. */
void engine_heal_part(struct engine *engine);
/* The same of one. */
void engine_heal_part_from(struct engine *engine, struct engine_conn *conn);
bool engine_heal_is_retired(struct engine *engine, const struct public_key *device);
/* As a device of this member. From STANDING_STOLEN on: PROTOCOL STOLEN-8: "A stolen or void device
 * gets no answer from anybody who knows." */
enum standing engine_heal_standing(struct engine *engine, const struct public_key *device,
                                   const struct public_key *member);
bool engine_heal_is_known(struct engine *engine, const struct public_key *member);
/* ERR_FORGED: it is nobody's. */
MUST_USE enum err engine_heal_search(struct engine *engine, struct engine_conn *conn,
                                     struct span third, const uint8_t static_key[static KEY_SIZE],
                                     struct buf *content, struct handshake_result *result);
/* Answers message 1 under this device's key, or one of those before it. ERR_FORGED. */
MUST_USE enum err engine_heal_answer(struct engine *engine, struct engine_conn *conn,
                                     struct span first);
/* What a session must know that was called by an old name; towards an acceptor the old identity. */
MUST_USE enum err engine_heal_old_name(struct engine *engine, struct engine_conn *conn,
                                       struct session_options *options, struct buf *identity);
void engine_heal_succeeded(struct engine *engine, struct ledger *ledger);

/* engine_sibling.c: other devices of this member */
bool engine_sibling_is(const struct engine *engine, const struct public_key *member);
MUST_USE enum err engine_sibling_reload(struct engine *engine);
MUST_USE enum err engine_sibling_dial_keys(struct engine *engine,
                                           const struct engine_target *target,
                                           uint8_t room[static 2 * KEY_SIZE],
                                           struct handshake_dial *dial);
/* The one who calls has the static key of a device of mine. ERR_FORGED: it gets no answer. */
MUST_USE enum err engine_sibling_try(struct engine *engine, struct engine_conn *conn,
                                     struct span third, const struct device_row *device,
                                     struct buf *content, struct handshake_result *result);
/* The same for a static key nobody knows. */
MUST_USE enum err engine_sibling_search(struct engine *engine, struct engine_conn *conn,
                                        struct span third, struct buf *content,
                                        struct handshake_result *result);
/* Is this device new, and does it hold by now what its first meeting announced? */
void engine_sibling_tend(struct engine *engine);

/* engine_mutual.c: knock keys of two devices of this member */
MUST_USE enum err engine_mutual_reload(struct engine *engine);
/* Those that are answered; NULL behind the last. */
const uint8_t *engine_mutual_knock(const struct engine *engine, size_t index);

/* engine_old.c: devices retired as forked, while those of one member are read */
struct engine_old {
    const char *peer; /* what it is called; NULL: this member itself */
    struct address addresses[ENGINE_TARGET_ADDRESSES];
    size_t addresses_count;
    struct engine_target *homeless[ENGINE_HOMELESS_MAX];
    size_t homeless_count;
    struct device_row names[ENGINE_OLD_NAMES_MAX];
    size_t names_count;
};

/* A retired device, however; a device that is not, once its addresses are read; then all together.
 */
MUST_USE enum err engine_old_on_device(const struct engine *engine, const struct device_row *device,
                                       struct engine_old *old);
/* Is_told: somebody said where this device is; the link's addresses may be another's. */
void engine_old_note_homeless(struct engine_old *old, struct engine_target *target, bool is_told);
MUST_USE enum err engine_old_settle(struct engine *engine, struct engine_old *old);
/* Any target: false puts off the call. */
bool engine_old_may_call(struct engine *engine, struct engine_target *target);
/* A call of this target led to a session, which is over. */
void engine_old_ended(struct engine_target *target);
/* When a target is due that its owner wants called now. */
uint64_t engine_old_dial_at(const struct engine *engine, const struct engine_target *target);

/* engine_call.c: whom to call */
/* The target of a device, made when there is none; NULL: no memory. */
struct engine_target *engine_call_add_device(struct engine *engine, const struct public_key *device,
                                             bool is_old_name);
MUST_USE enum err engine_call_reload(struct engine *engine);
MUST_USE enum err engine_call_acceptance(struct engine *engine, const struct id *id,
                                         struct invitation *out);
void engine_call_due(struct engine *engine);
/* Will be called as soon as the budget allows. */
bool engine_call_is_due(const struct engine *engine, const struct engine_target *target);
void engine_call_now(struct engine *engine, const struct public_key *member); /* NULL: all */
/* It has answered, and is told who calls: whatever ends the connection now is a refusal. */
void engine_call_unheard(struct engine *engine, struct engine_target *target);
void engine_call_failed(struct engine *engine, struct engine_target *target);
void engine_call_ended(struct engine *engine, struct engine_conn *conn);
struct engine_target *engine_call_target(const struct engine *engine,
                                         const struct public_key *device);
/* A rule was broken by this peer: the third time in a day it is left alone for a while. */
void engine_call_violated(struct engine *engine, const struct public_key *device,
                          const struct public_key *member);
bool engine_call_is_banned(struct engine *engine, const struct public_key *device,
                           const struct public_key *member);

#endif
