/*
 * What may be typed next, out of the store: people, circles, tags, and the ids of what a command is
 * about. A shell asks at every press of a key, so there are few of them, and quickly.
 */
#ifndef KITH_NODE_OP_COMPLETE_H
#define KITH_NODE_OP_COMPLETE_H

#include "node/ops.h"

/* Params: "prefix", and "of": "people" (when left out), "peer", "peer.blocked", "tag", "org", or
 * one of the lists of op_complete.c ("ask.mine", "lead", "circle", ...). Result: "names", and
 * "candidates": each a "value" to type and, where there is one, a line "about" it. */
enum err op_complete(struct op_call *call);

#endif
