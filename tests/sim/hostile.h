/*
 * A peer that keeps no rule: it has a member's keys and a real link, makes real handshakes and
 * channels through the library, and then says anything. One connection at a time; what the victim
 * said is kept, opened and counted.
 */
#ifndef KITH_TESTS_SIM_HOSTILE_H
#define KITH_TESTS_SIM_HOSTILE_H

#include "crypto/channel.h"
#include "crypto/handshake.h"
#include "proto/message.h"
#include "tests/sim/world.h"

enum { HOSTILE_MESSAGES = 32 };

struct hostile {
    struct world_node *node, *victim;
    conn_id conn, last_conn;
    bool is_connected, is_ready, is_deaf; /* ready: the channel stands; deaf: reads nothing */
    struct handshake *handshake;
    struct channel *channel;
    uint8_t hash[HASH_SIZE]; /* of the handshake */
    uint8_t psk[KEY_SIZE], knock[KEY_SIZE], static_key[KEY_SIZE];
    const struct exchange_key *own_static; /* NULL: the device's */
    struct span identity;                  /* said in message 3; empty: nothing */
    conn_id called_conn;                   /* the victim called */
    struct buf called;                     /* and said this */
    struct buf raw;                        /* all that came back on the connection, sealed */
    bool holds_third;                      /* message 3 is written and not sent */
    struct buf first, third;               /* as they were sent, to be sent again */
    struct buf in, heard;
    uint64_t bytes_back, conns_closed;
    uint64_t said[HOSTILE_MESSAGES]; /* messages of the victim, by number */
    enum bye_reason bye;             /* 0: none */
};

/* node is down; it becomes the hostile. It must hold a link with the victim. */
void hostile_begin(struct hostile *hostile, struct world_node *node, struct world_node *victim);
void hostile_end(struct hostile *hostile);
/* Lets the world go on. */
void hostile_wait(struct hostile *hostile, uint64_t ms);

/* Connects without a word. */
void hostile_connect(struct hostile *hostile);
void hostile_hang_up(struct hostile *hostile);
void hostile_send(struct hostile *hostile, struct span bytes);
/* Message 1 with the link's knock and psk as they stand above (a case may have changed them). */
void hostile_write_first(struct hostile *hostile, struct buf *out);
/* Connects, greets; the channel stands when the victim wants it so. */
bool hostile_greet(struct hostile *hostile);
/* The same, then hello with digests that fit nothing and the true marks of all that is shared: the
 * victim is live then, and wants nothing that it holds. */
bool hostile_open(struct hostile *hostile);

/* Seals and sends framed messages (message_put_*); released. */
void hostile_say(struct hostile *hostile, struct buf *framed);
/* One message of any bytes. */
void hostile_say_raw(struct hostile *hostile, struct span message);
void hostile_hello(struct hostile *hostile, const struct hello *hello);
/* Marks of what both hold, as this node's store says. */
void hostile_marks(struct hostile *hostile);
/* The space this member writes for the victim, and the log of its device there. */
struct log_id hostile_pair_log(struct hostile *hostile);
struct log_id hostile_card_log(struct hostile *hostile);
/* Where that log stands in this node's store. */
struct chain hostile_tip(struct hostile *hostile, const struct log_id *log);

#endif
