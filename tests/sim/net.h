/*
 * The net between the nodes of a world: connections that are late, slow, cut at any byte, stalled,
 * half open, or read a byte at a time. What a socket would do to a node, net does: accepted,
 * dialled, bytes, drained, closed.
 */
#ifndef KITH_TESTS_SIM_NET_H
#define KITH_TESTS_SIM_NET_H

#include "tests/sim/world.h"

/* What the loop does for the engine. */
void net_dial(struct world_node *node, conn_id id, const struct address *address);
void net_send(struct world_node *node, conn_id id, struct span bytes);
void net_close(struct world_node *node, conn_id id); /* after what was sent has left */
/* This end reads one byte a second of this connection from now on. */
void net_sip(struct world_node *node, conn_id id);
/* What the other end said and this one has not read. */
uint64_t net_unread(struct world_node *node, conn_id id);
/* The node's process is gone: a clean end tells the others, a power cut sometimes does not. */
void net_drop(struct world_node *node, bool is_clean);
/* Frees every connection: the world is over, its nodes are down. */
void net_end(struct world *world);
/* This end of a connection reads a byte in so long, or (UINT64_MAX) nothing more; 0: as usual. */
void net_read_slowly(struct world_node *node, conn_id id, uint64_t byte_ms);
/* Once a second, as node/loop_limits.c: sockets that others do not empty. */
void net_look(struct world_node *node);
/* Connections of a node. */
size_t net_count(const struct world_node *node);

#endif
