/* What lives in a card space: the card, certificates, addresses, the knock; and in a pair space the
 * grants. */
#ifndef KITH_PROTO_CARD_H
#define KITH_PROTO_CARD_H

#include "proto/kind.h"

enum card_field {
    CARD_NAME = 1,
    CARD_ORG = 2,
    CARD_TITLE = 3,
    CARD_PLACE = 4,
    CARD_EMAILS = 20,
    CARD_PHONES = 21,
    CARD_URLS = 22
};

enum certificate_field { CERTIFICATE_STATEMENT = 1 }; /* bytes: see proto/device.h */

enum reach_field {
    REACH_ADDRESSES = 1
}; /* bytes: up to ADDRESSES_MAX addresses, see proto/invite.h */

enum door_field { DOOR_KNOCK = 1 }; /* bytes: 32 */

enum grant_field {
    GRANT_SPACE = 1,      /* bytes: the space's id */
    GRANT_SPACE_KIND = 2, /* number: SPACE_CARD or SPACE_NETWORK */
    GRANT_EPOCH = 3,      /* bytes: the epoch's id */
    GRANT_KEY = 4         /* bytes: 32 */
};

extern const struct kind card_kind, certificate_kind, reach_kind, door_kind, grant_kind;

#endif
