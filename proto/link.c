/* The fields of links and of what belongs to them in the self space. All of it is secret. */
#include "proto/link.h"

#include "proto/limits.h"

#define LINK_COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))
#define LINK_BYTES(number, name, size)                                                             \
    {                                                                                              \
        number, name, VALUE_BYTES, false, MATCH_EXACT, size                                        \
    }
#define LINK_NUMBER(number, name, max)                                                             \
    {                                                                                              \
        number, name, VALUE_NUMBER, false, MATCH_EXACT, max                                        \
    }
#define LINK_TEXT(number, name, size)                                                              \
    {                                                                                              \
        number, name, VALUE_TEXT, false, MATCH_EXACT, size                                         \
    }

static const struct field link_fields[] = {
    LINK_BYTES(LINK_MEMBER, "member", 32),
    LINK_NUMBER(LINK_STATE, "state", LINK_BLOCKED),
    LINK_NUMBER(LINK_LEVEL, "level", LINK_COMPARED),
    LINK_NUMBER(LINK_SINCE, "since", 0),
    LINK_BYTES(LINK_SECRET, "secret", KEY_SIZE),
    LINK_BYTES(LINK_SECRET_OLD, "secret_old", KEY_SIZE),
    LINK_BYTES(LINK_PIN, "pin", HASH_SIZE),
    LINK_BYTES(LINK_PAIR_OUT, "pair_out", ID_SIZE),
    LINK_BYTES(LINK_PAIR_IN, "pair_in", ID_SIZE),
    LINK_BYTES(LINK_CARD_IN, "card_in", ID_SIZE),
    LINK_BYTES(LINK_KNOCK, "knock", KEY_SIZE),
    LINK_TEXT(LINK_ALIAS, "alias", NAME_SIZE_MAX),
    LINK_BYTES(LINK_CONTACT, "contact", ID_SIZE),
    LINK_TEXT(LINK_NAME, "name", NAME_SIZE_MAX),
    LINK_BYTES(LINK_INVITATION, "invitation", ID_SIZE),
    LINK_NUMBER(LINK_CONFIRMED, "confirmed", 1),
    LINK_BYTES(LINK_CHAIN, "chain", IDENTITY_SIZE_MAX),
    LINK_NUMBER(LINK_NETWORK, "network", 1),
    LINK_BYTES(LINK_ADDRESSES, "addresses", ADDRESSES_MAX *(ADDRESS_SIZE_MAX + 1)),
    LINK_BYTES(LINK_VIA, "via", 32),
    LINK_BYTES(LINK_INTRODUCTION, "introduction", ID_SIZE),
    {LINK_VOUCHERS, "vouchers", VALUE_TEXT, true, MATCH_EXACT, DID_SIZE},
    LINK_NUMBER(LINK_ENTRIES_MAX, "entries_max", 0),
    LINK_NUMBER(LINK_BYTES_MAX, "bytes_max", 0),
};
static const struct field invitation_fields[] = {
    LINK_BYTES(INVITATION_SECRET, "secret", INVITATION_SECRET_SIZE),
    LINK_NUMBER(INVITATION_EXPIRES, "expires", 0),
    LINK_NUMBER(INVITATION_STATE, "state", INVITATION_REVOKED),
    LINK_BYTES(INVITATION_CLAIMED_BY, "claimed_by", 32),
    LINK_BYTES(INVITATION_CONTACT, "contact", ID_SIZE),
    LINK_TEXT(INVITATION_NAME, "name", NAME_SIZE_MAX),
    LINK_BYTES(INVITATION_LINK_SECRET, "link_secret", KEY_SIZE),
    LINK_NUMBER(INVITATION_CREATED, "created", 0),
    LINK_BYTES(INVITATION_VIA, "via", 32),
    LINK_BYTES(INVITATION_INTRODUCTION, "introduction", ID_SIZE),
};
static const struct field acceptance_fields[] = {
    LINK_TEXT(ACCEPTANCE_URI, "uri", 2 * INVITATION_SIZE_MAX),
    LINK_NUMBER(ACCEPTANCE_STATE, "state", ACCEPTANCE_DROPPED),
    LINK_NUMBER(ACCEPTANCE_CREATED, "created", 0),
    LINK_BYTES(ACCEPTANCE_MEMBER, "member", 32),
    LINK_BYTES(ACCEPTANCE_VIA, "via", 32),
};
static const struct field space_fields[] = {
    LINK_NUMBER(SPACE_FIELD_KIND, "kind", SPACE_NETWORK),
    LINK_BYTES(SPACE_FIELD_PEER, "peer", 32),
    LINK_NUMBER(SPACE_FIELD_STATE, "state", 2),
};
static const struct field key_fields[] = {
    LINK_BYTES(KEY_EPOCH, "epoch", HASH_SIZE),
    LINK_BYTES(KEY_SPACE, "space", ID_SIZE),
    LINK_BYTES(KEY_BYTES, "key", KEY_SIZE),
    LINK_NUMBER(KEY_DEPTH, "depth", 0),
    LINK_BYTES(KEY_READERS, "readers", VALUE_SIZE_MAX),
    LINK_BYTES(KEY_PARENT, "parent", EPOCH_PARENTS_MAX *HASH_SIZE),
    LINK_NUMBER(KEY_OPENED, "opened", 0),
    LINK_BYTES(KEY_OUT, "out", VALUE_SIZE_MAX),
};
static const struct field knock_fields[] = {
    LINK_BYTES(KNOCK_KEY, "key", KEY_SIZE),   LINK_NUMBER(KNOCK_CREATED, "created", 0),
    LINK_NUMBER(KNOCK_TOLD, "told", 0),       LINK_BYTES(KNOCK_DEVICE, "device", 32),
    LINK_NUMBER(KNOCK_RUNNING, "running", 0),
};

#define LINK_KIND(kind_number, kind_name, kind_fields)                                             \
    {                                                                                              \
        .number = kind_number, .name = kind_name, .spaces = 1u << SPACE_SELF, .is_secret = true,   \
        .fields = kind_fields, .fields_count = LINK_COUNT(kind_fields)                             \
    }

const struct kind link_kind = LINK_KIND(KIND_LINK, "link", link_fields);
const struct kind invitation_kind = LINK_KIND(KIND_INVITATION, "invitation", invitation_fields);
const struct kind acceptance_kind = LINK_KIND(KIND_ACCEPTANCE, "acceptance", acceptance_fields);
const struct kind space_kind_kind = LINK_KIND(KIND_SPACE, "space", space_fields);
const struct kind key_kind = LINK_KIND(KIND_KEY, "key", key_fields);
const struct kind knock_kind = LINK_KIND(KIND_KNOCK, "knock", knock_fields);
