/*
 * One conversation with one device after the handshake, sans-IO: events in, effects out. It reads
 * through the replica given for that step, calls nothing else, keeps no clock. Nothing is
 * acknowledged before COMMITTED. Event memory stays the caller's; effect memory is the session's
 * until the next step, except where an effect says that it hands over.
 *
 * Phases: LINKING (an invitation's session: claim, exchange of link messages), then SYNCING for
 * good.
 */
#ifndef KITH_PROTO_SESSION_H
#define KITH_PROTO_SESSION_H

#include "proto/device.h"
#include "proto/message.h"
#include "proto/replica.h"

enum session_role {
    SESSION_PEER,    /* under a link's secret */
    SESSION_INVITER, /* responder under an invitation's secret */
    SESSION_ACCEPTOR /* initiator under an invitation's secret */
};

struct session_options {
    enum session_role role;
    uint8_t remote_static[KEY_SIZE];
    uint8_t handshake_hash[HASH_SIZE]; /* keys the digests */
    struct public_key member;          /* mine */
    struct public_key
        peer; /* the other member's root: known for SESSION_PEER and SESSION_INVITER */
    struct span
        remote_identity;  /* INVITER and unknown devices: from message 3; else empty. Copied. */
    struct span identity; /* mine: sent first when must_identify. Copied. */
    bool must_identify;
    struct span addresses; /* my current ones (address_put_list). Copied. */
    /* The other side's device, once known; retired: it is told so, and nothing is taken from it. */
    struct public_key remote_device;
    bool is_remote_retired;
    bool is_remote_out; /* by its owner: what comes with keys is not for it */
    /* The other side knows a device of mine that has a successor: it is told about both. */
    bool is_called_by_old_name;
    struct public_key called_device, own_device;
};

enum session_event_type {
    SESSION_STARTED,
    SESSION_BYTES,         /* content the channel opened */
    SESSION_COMMITTED,     /* the answer to INGEST */
    SESSION_LINK_ANSWERED, /* the answer to LINK */
    SESSION_NEWS,          /* something was committed in a space */
    SESSION_DRAINED,       /* what was sent has left: more may follow */
    SESSION_WOKEN,         /* the time of session_wake_at_ms has come */
    SESSION_RETIRED,       /* the other side's device was */
    SESSION_DOUBTED,       /* it is void, or was, and not for sure: nothing is given meanwhile */
    SESSION_SYNC_ASKED,    /* the owner wants to know again whether all is in step */
    SESSION_STOP           /* end cleanly with this bye */
};

/* How much may be given now: memory may be short. */
enum session_thrift {
    SESSION_PLENTY,
    SESSION_ONE_BATCH, /* once all that was sent has left */
    SESSION_NO_BATCH   /* until an event says otherwise */
};

struct session_event {
    enum session_event_type type;
    uint64_t now_ms; /* running time */
    enum session_thrift thrift;
    unsigned sharers; /* sessions with this peer, where it has worked; 0: this one */
    union {
        struct span bytes;
        struct {
            uint64_t ticket;
            enum err err;
        } committed;
        struct {
            bool is_forged; /* the other side told spaces that are not its own */
            bool is_refused;
            enum refusal refusal;
            bool has_message; /* false for the inviter's second answer: nothing more to say */
            struct link_message message;
        } link;
        struct id news;
        bool is_out; /* retired: by its owner */
        bool is_doubted;
        enum bye_reason stop;
    };
};

enum session_effect_type {
    SESSION_SEND,     /* bytes for the channel */
    SESSION_INGEST,   /* commit this batch, then COMMITTED with its ticket; hands the batch over */
    SESSION_RETURNED, /* the same for a batch of a branch that was cut, or that proves a fork */
    SESSION_FILL,     /* the payload of an entry that lacks it; then COMMITTED with its ticket */
    SESSION_FACTS,    /* statements about devices: store those that hold */
    SESSION_REBASE,   /* cut this log down to size: what the other side has of it goes on there */
    SESSION_LINK,     /* ask the node: claim (INVITER, first), make the link (ACCEPTOR), complete it
                         (INVITER, second) */
    SESSION_CONFIRMED, /* the first bytes arrived: the other side proved its keys */
    SESSION_ADDRESSES, /* the peer's current addresses */
    SESSION_DELIVERED, /* the peer has stored this log up to size */
    SESSION_IN_STEP,   /* changed: see is_in_step */
    SESSION_FULL,      /* no more is taken: here of theirs, or there of ours (is_theirs) */
    SESSION_REFUSED,   /* ACCEPTOR: the inviter said why there is no link */
    SESSION_END        /* over: close; reason below */
};

enum session_end_reason {
    SESSION_END_DONE,      /* the other side said bye, or STOP */
    SESSION_END_VIOLATION, /* the other side broke a rule: rule says which */
    SESSION_END_FORK,      /* the other side says a log has two branches, and cannot heal it */
    SESSION_END_STORE,     /* our store failed */
    SESSION_END_SILENT,    /* two pings unanswered */
    SESSION_END_REFUSED,
    SESSION_END_VERSION,
    SESSION_END_REPLACED /* the other side has a newer session with this device */
};

struct session_effect {
    enum session_effect_type type;
    union {
        struct span bytes;
        struct {
            uint64_t ticket;
            struct verified_batch *batch;
        } ingest;
        struct {
            bool is_claim; /* true: only the identity is known yet; false: message holds what the
                              other said */
            struct span identity;
            struct device_chain chain;
            struct hash next_root;
            struct link_message message;
        } link;
        struct {
            uint64_t ticket;
            struct returned *returned;
        } returned;
        struct {
            uint64_t ticket;
            struct log_id log;
            uint64_t seq;
            struct span payload;
            size_t offset; /* the session's */
        } fill;
        struct span facts; /* each: size u16, statement */
        struct span addresses;
        struct {
            struct log_id log;
            uint64_t size;
        } delivered; /* and rebase */
        bool is_in_step;
        bool is_theirs;
        enum refusal refusal;
        struct {
            enum session_end_reason reason;
            const char *rule; /* a constant sentence for the log, or NULL */
        } end;
    };
};

struct session_progress {
    uint64_t entries_sent, entries_received;   /* in this session */
    uint64_t bytes_sent, bytes_received;       /* of batches, before framing and padding */
    uint64_t entries_expected, bytes_expected; /* what the other side announced */
    uint64_t entries_promised;                 /* what we announced */
    uint64_t messages_bytes_sent, messages_bytes_received; /* all messages, before padding */
};

struct session;
MUST_USE enum err session_new(const struct session_options *options, struct session **out);
/* Handles one event; out_effects points to *out_count effects, valid until the next step. ERR_NOMEM
 * ends the session: only session_free is then allowed. */
MUST_USE enum err session_step(struct session *session, const struct session_event *event,
                               const struct replica *replica,
                               const struct session_effect **out_effects, size_t *out_count);
/* The bytes of SEND have been taken: they are void. */
void session_sent(struct session *session);
/* The effects have been carried out: gives back memory that nothing needs any more. */
void session_rest(struct session *session);
/* Bytes of memory it holds after session_rest, with the batches it has in the writer's hands;
 * about.
 */
size_t session_held(const struct session *session);
/* When to come back with WOKEN: for pings, or to read on. */
uint64_t session_wake_at_ms(const struct session *session);
/* What the other side says next waits, unread: it made us look up too much. */
bool session_is_resting(const struct session *session);
/* It made us look up something lately: how many sessions share the bound on that matters. */
bool session_has_worked(const struct session *session);
bool session_is_in_step(const struct session *session);
/* No more of theirs is taken here; or no more of mine there. */
bool session_is_full(const struct session *session, bool is_theirs);
bool session_is_linking(const struct session *session);
/* Does the other side give a log that is not known here (yet)? News of any space may make it so. */
bool session_is_ignoring(const struct session *session);
const struct public_key *session_peer(const struct session *session);
void session_progress(const struct session *session, struct session_progress *out);
void session_free(struct session *session);

#endif
