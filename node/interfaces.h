/* This machine's own addresses, without ports: the world's first, loopback last, link-local ones
 * left out. */
#ifndef KITH_NODE_INTERFACES_H
#define KITH_NODE_INTERFACES_H

#include "proto/invite.h"

size_t interfaces_find(struct address *out, size_t size);

#endif
