/*
 * Circles: private labels on contacts and peers ("clients", "choir"). They live in the self space
 * and are never sent to anybody. The object's id comes from the folded name, so that two devices
 * that make one circle make the same.
 */
#ifndef KITH_PROTO_CIRCLE_H
#define KITH_PROTO_CIRCLE_H

#include "proto/kind.h"

enum circle_field {
    CIRCLE_NAME = 1, /* text: as typed first */
    CIRCLE_MEMBERS =
        20 /* set of text: a contact's id in hex, or the did:key of a peer who has none */
};

extern const struct kind circle_kind;

#endif
