/*
 * Many peers of one node, each played with a few hundred bytes of its own and no store: it proves
 * its keys, says hello, takes batches without looking into them and acknowledges them. Bytes are
 * carried by whoever uses it: from memory to an engine, or from sockets to a real node.
 */
#ifndef KITH_TESTS_SIM_CROWD_H
#define KITH_TESTS_SIM_CROWD_H

#include "crypto/channel.h"
#include "crypto/handshake.h"
#include "proto/frame.h"
#include "storage/ledger.h"

enum { CROWD_LOGS_MAX = 8 };

/* What guests have to know about the node. */
struct crowd_host {
    uint8_t static_key[KEY_SIZE];
    uint8_t knock[KEY_SIZE];
};

struct guest {
    struct signing_key root, device;
    struct exchange_key statics, receiving;
    uint8_t secret[KEY_SIZE];
    const uint8_t *selector; /* under an invitation, with what is said in message 3; else NULL */
    struct span identity;
    struct handshake *handshake; /* until it is done */
    struct channel *channel;
    struct buf in, out; /* out: what is to be carried to the node */
    struct frame_reader messages;
    struct log_id logs[CROWD_LOGS_MAX]; /* what the node gives, under its numbers */
    uint64_t sizes[CROWD_LOGS_MAX];
    size_t logs_count;
    size_t batches, entries; /* taken */
    size_t owed;             /* bytes of batches whose credit has not been returned */
    bool is_deaf;            /* acknowledges nothing */
    bool is_over;            /* the node closed the channel, or said what no kith says */
};

/* Links the node with so many new guests, in transactions of its own. */
MUST_USE enum err crowd_link(struct ledger *ledger, struct guest *guests, size_t count,
                             uint64_t now_ms);
/* Further devices of the first of them, which is linked. */
MUST_USE enum err crowd_devices(struct ledger *ledger, struct guest *guests, size_t count,
                                uint64_t now_ms);
MUST_USE enum err crowd_host(struct ledger *ledger, struct crowd_host *out);

/* Begins a connection: message 1 is in out. */
void guest_dial(struct guest *guest, const struct crowd_host *host);
/* Bytes from the node; what is to be said to them is in out. */
void guest_bytes(struct guest *guest, struct span bytes);
/* Any message, framed and sealed into out. */
void guest_say(struct guest *guest, struct span framed);
/* Forgets the connection, not the keys. */
void guest_hang_up(struct guest *guest);

#endif
