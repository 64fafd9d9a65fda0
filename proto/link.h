/* What lives in the self space about links: the links, invitations, acceptances, spaces, keys held,
 * knocks. */
#ifndef KITH_PROTO_LINK_H
#define KITH_PROTO_LINK_H

#include "proto/kind.h"

enum link_field {
    LINK_MEMBER = 1,        /* bytes: the peer's root */
    LINK_STATE = 2,         /* number: enum link_state */
    LINK_LEVEL = 3,         /* number: enum link_level */
    LINK_SINCE = 4,         /* number: ms */
    LINK_SECRET = 5,        /* bytes: 32, the psk */
    LINK_SECRET_OLD = 6,    /* bytes: 32, the other psk accepted until both confirmed */
    LINK_PIN = 7,           /* bytes: hash of the peer's root 1, pinned when the link was made */
    LINK_PAIR_OUT = 8,      /* bytes: id of the pair space I write for the peer */
    LINK_PAIR_IN = 9,       /* bytes: id of the pair space the peer writes for me */
    LINK_CARD_IN = 10,      /* bytes: id of the peer's card space */
    LINK_KNOCK = 11,        /* bytes: the knock key to use towards the peer, as first told */
    LINK_ALIAS = 12,        /* text: my name for the peer */
    LINK_CONTACT = 13,      /* bytes: object id of the contact */
    LINK_NAME = 14,         /* text: the name the peer gave when linking */
    LINK_INVITATION = 15,   /* bytes: object id of the invitation or acceptance it came from */
    LINK_CONFIRMED = 16,    /* number: 1 once a session under the link's secret was confirmed */
    LINK_CHAIN = 17,        /* bytes: root and chain of the device the link was made with */
    LINK_ADDRESSES = 18,    /* bytes: where that device was reached or said it can be */
    LINK_NETWORK = 19,      /* number: 1: the peer may read my network space */
    LINK_VIA = 30,          /* bytes: root of the member who introduced us */
    LINK_INTRODUCTION = 31, /* bytes: id of that introduction */
    LINK_VOUCHERS = 32,     /* set of text: did:key of everybody who introduced us with this key */
    LINK_ENTRIES_MAX =
        33,             /* number: how much of what the peer writes is taken; 0: PEER_ENTRIES_MAX */
    LINK_BYTES_MAX = 34 /* number: and bytes of it; 0: PEER_BYTES_MAX */
};

enum link_state { LINK_LINKED = 1, LINK_REMOVED = 2, LINK_BLOCKED = 3 };
enum link_level { LINK_INVITED = 1, LINK_INTRODUCED = 2, LINK_COMPARED = 3 };

enum invitation_field {
    INVITATION_SECRET = 1,       /* bytes: 16 */
    INVITATION_EXPIRES = 2,      /* number: seconds since 1970 */
    INVITATION_STATE = 3,        /* number: enum invitation_state */
    INVITATION_CLAIMED_BY = 4,   /* bytes: root of the first who proved the secret */
    INVITATION_CONTACT = 5,      /* bytes: object id of the contact it is for */
    INVITATION_NAME = 6,         /* text: as typed */
    INVITATION_LINK_SECRET = 7,  /* bytes: 32, drawn once when claimed */
    INVITATION_CREATED = 8,      /* number: ms */
    INVITATION_VIA = 9,          /* bytes: root of who introduced us; only of those nobody gave */
    INVITATION_INTRODUCTION = 10 /* bytes: id of that introduction */
};

enum invitation_state {
    INVITATION_OPEN = 1,
    INVITATION_CLAIMED = 2,
    INVITATION_SPENT = 3,
    INVITATION_REVOKED = 4
};

enum acceptance_field {
    ACCEPTANCE_URI = 1,     /* text: the invitation as accepted */
    ACCEPTANCE_STATE = 2,   /* number: enum acceptance_state */
    ACCEPTANCE_CREATED = 3, /* number: ms */
    ACCEPTANCE_MEMBER = 4,  /* bytes: root of the member it led to */
    ACCEPTANCE_VIA = 5      /* bytes: root of who introduced us; only of those nobody typed */
};

enum acceptance_state {
    ACCEPTANCE_PENDING = 1,
    ACCEPTANCE_LINKED = 2,
    ACCEPTANCE_REFUSED_SPENT = 3,
    ACCEPTANCE_REFUSED_EXPIRED = 4,
    ACCEPTANCE_DROPPED = 5
};

enum space_field {
    SPACE_FIELD_KIND = 1, /* number: enum space_kind */
    SPACE_FIELD_PEER = 2, /* bytes: the reader's root, pair spaces only */
    SPACE_FIELD_STATE = 3 /* number, network spaces only: 1 on, 2 off */
};

enum key_field {
    KEY_EPOCH = 1,   /* bytes: the epoch's id */
    KEY_SPACE = 2,   /* bytes: the space's id */
    KEY_BYTES = 3,   /* bytes: 32 */
    KEY_DEPTH = 4,   /* number */
    KEY_READERS = 5, /* bytes: salt, then the readers' keys in ascending order; own epochs only */
    KEY_PARENT = 6,  /* bytes: the parents' ids; absent without any */
    KEY_OPENED = 7,  /* number: ms */
    KEY_OUT = 8 /* bytes: of a pair space's reader, the devices that were shut out, ascending */
};

enum knock_field {
    KNOCK_KEY = 1,     /* bytes: 32 */
    KNOCK_CREATED = 2, /* number: ms */
    KNOCK_TOLD = 3,    /* number: entry of a log of the card space that tells it */
    KNOCK_DEVICE = 4,  /* bytes: whose log */
    KNOCK_RUNNING = 5  /* number: 1 + that device's running time then, in ms */
};

extern const struct kind link_kind, invitation_kind, acceptance_kind, space_kind_kind, key_kind,
    knock_kind;

#endif
