/*
 * What two sessions say to one another: each message is one msgpack array that begins with its
 * number. Borrowed spans point into the message's bytes.
 */
#ifndef KITH_PROTO_MESSAGE_H
#define KITH_PROTO_MESSAGE_H

#include "proto/invite.h"
#include "proto/limits.h"
#include "proto/log.h"
#include "proto/returned.h"

enum message_type {
    MESSAGE_HELLO =
        1, /* version, digest of what I write, digest of what I hold of yours, addresses */
    MESSAGE_MARKS = 2,  /* [[space, device, size, tag], ...], is_last */
    MESSAGE_TOTALS = 3, /* entries, bytes to come */
    MESSAGE_LOG = 4,    /* alias, space, device: names a log for the batches of this session */
    MESSAGE_BATCH = 5,  /* alias, nil or [start size, start hash] or a beginning, [entry, ...],
                           signature */
    MESSAGE_ACK = 6,    /* [[alias, size], ...]: stored there, durably */
    MESSAGE_CREDIT = 7, /* bytes */
    MESSAGE_BYE = 8,    /* reason */
    MESSAGE_PING = 9,
    MESSAGE_PONG = 10,
    MESSAGE_IDENTITY = 11, /* identity bytes, see proto/device.h */
    MESSAGE_LINK = 12,    /* link secret or empty, knock, pair space, card space, name, addresses */
    MESSAGE_REFUSED = 13, /* reason: why an invitation makes no link */
    MESSAGE_TRACE_ASK = 14, /* space, device, size: which tags at block ends up to there? */
    MESSAGE_TRACE = 15,     /* space, device, [[size, tag], ...] newest first, is_last */
    MESSAGE_FETCH = 16,     /* space, device, size: the branch from there, as returned */
    MESSAGE_RETURNED = 17,  /* number and what proto/returned.h says */
    MESSAGE_STORED = 18,    /* number of a returned: stored here, durably */
    MESSAGE_FACTS = 19,     /* [statement, ...]: certificates, retire and keep statements */
    MESSAGE_WANT = 20,      /* space, device, [seq, ...] ascending: payloads that are missing */
    MESSAGE_PAYLOAD = 21    /* seq, payload or empty: the next one that was asked for */
};
enum { MESSAGE_LAST = MESSAGE_PAYLOAD };

enum bye_reason {
    BYE_DONE = 1,
    BYE_REPLACED = 2,
    BYE_BROKEN_RULE = 3,
    BYE_VERSION = 4,
    BYE_FORK = 5,
    BYE_REMOVED = 6
};
enum refusal {
    REFUSAL_SPENT = 1,
    REFUSAL_EXPIRED = 2,
    REFUSAL_REVOKED = 3,
    REFUSAL_SELF = 4,
    REFUSAL_BLOCKED = 5
};

enum { DIGEST_SIZE = 16 };

struct hello {
    uint32_t version;
    uint8_t mine[DIGEST_SIZE];
    uint8_t yours[DIGEST_SIZE];
    struct span addresses; /* address_put_list */
};

struct link_message {
    uint8_t secret[KEY_SIZE]; /* from the inviter only */
    bool has_secret;
    uint8_t knock[KEY_SIZE];
    struct id pair_space; /* the space the sender writes for the receiver */
    struct id card_space; /* the sender's card space */
    struct span name;     /* <= NAME_SIZE_MAX */
    struct span addresses;
};

struct ack {
    uint32_t alias;
    uint64_t size;
};

/* The beginning of a log's mark, at a block's end. */
struct trace_tag {
    uint64_t size;
    uint8_t tag[TAG_SIZE];
};

struct message {
    enum message_type type;
    union {
        struct hello hello;
        struct {
            struct wire list;
            size_t count;
            bool is_last;
        } marks; /* read one by one with message_next_mark */
        struct {
            uint64_t entries, bytes;
        } totals;
        struct {
            uint32_t alias;
            struct log_id log;
        } log;
        struct {
            uint32_t alias;
            bool has_start, is_first;   /* is_first: the log begins with it, see proto/log.h */
            struct log_beginning start; /* of one that is not first: size and hash */
            struct wire rest;           /* for batch_verify */
        } batch;
        struct {
            struct wire list;
            size_t count;
        } acks; /* read one by one with message_next_ack */
        uint64_t credit;
        enum bye_reason bye;
        struct span identity;
        struct link_message link;
        enum refusal refusal;
        struct {
            struct log_id log;
            uint64_t size;
        } trace_ask; /* and fetch */
        struct {
            struct log_id log;
            struct wire list;
            bool is_last;
        } trace;              /* read one by one with message_next_tag */
        struct wire returned; /* for returned_read */
        uint32_t stored;
        struct wire facts; /* read one by one with message_next_fact */
        struct {
            struct log_id log;
            uint64_t seqs[WANTS_PER_MESSAGE_MAX];
            size_t count;
        } want;
        struct {
            uint64_t seq;
            struct span bytes; /* empty: not there */
        } payload;
    };
};

/* ERR_MALFORMED, ERR_NOMEM. The batch's entries are read by batch_verify, lists by the functions
 * below; whatever they find wrong shows in wire_err(doc). */
MUST_USE enum err message_read(struct wire_doc *doc, struct span bytes, struct message *out);
MUST_USE enum err message_next_mark(struct message *message,
                                    struct mark *out); /* ERR_NOT_FOUND at the end */
MUST_USE enum err message_next_ack(struct message *message, struct ack *out);

MUST_USE enum err message_next_tag(struct message *message, struct trace_tag *out);
/* The statement is not verified: any bytes up to FACT_SIZE_MAX. */
MUST_USE enum err message_next_fact(struct message *message, struct span *out);

/* Each appends one framed message ([u32 size][message]) to out. */
void message_put_hello(const struct hello *hello, struct buf *out);
void message_put_marks(const struct mark *marks, size_t count, bool is_last, struct buf *out);
void message_put_totals(uint64_t entries, uint64_t bytes, struct buf *out);
void message_put_log(uint32_t alias, const struct log_id *log, struct buf *out);
/* start NULL: it continues what was last sent under this alias. */
void message_put_batch(uint32_t alias, const struct chain *start, struct batch_writer *entries,
                       const uint8_t signature[static SIGNATURE_SIZE], struct buf *out);
/* The log begins with it for whoever holds nothing of it. */
void message_put_first_batch(uint32_t alias, const struct log_beginning *beginning,
                             struct batch_writer *entries,
                             const uint8_t signature[static SIGNATURE_SIZE], struct buf *out);
void message_put_acks(const struct ack *acks, size_t count, struct buf *out);
void message_put_credit(uint64_t bytes, struct buf *out);
void message_put_bye(enum bye_reason reason, struct buf *out);
void message_put_ping(struct buf *out);
void message_put_pong(struct buf *out);
void message_put_identity(struct span identity, struct buf *out);
void message_put_link(const struct link_message *link, struct buf *out);
void message_put_refused(enum refusal refusal, struct buf *out);
/* type is MESSAGE_TRACE_ASK or MESSAGE_FETCH. */
void message_put_place(enum message_type type, const struct log_id *log, uint64_t size,
                       struct buf *out);
void message_put_trace(const struct log_id *log, const struct trace_tag *tags, size_t count,
                       bool is_last, struct buf *out);
void message_put_returned(const struct returned_row *row, uint32_t number, struct buf *out);
void message_put_stored(uint32_t number, struct buf *out);
void message_put_want(const struct log_id *log, const uint64_t *seqs, size_t count,
                      struct buf *out);
void message_put_payload(uint64_t seq, struct span bytes, struct buf *out);
void message_put_facts(const struct span *statements, size_t count, struct buf *out);

#endif
