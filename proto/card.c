/* The fields of what stands in card and pair spaces. */
#include "proto/card.h"

#include "proto/limits.h"

#define CARD_COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

static const struct field card_fields[] = {
    {CARD_NAME, "name", VALUE_TEXT, false, MATCH_EXACT, NAME_SIZE_MAX},
    {CARD_ORG, "org", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {CARD_TITLE, "title", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {CARD_PLACE, "place", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {CARD_EMAILS, "email", VALUE_TEXT, true, MATCH_EMAIL, TEXT_SIZE_MAX},
    {CARD_PHONES, "tel", VALUE_TEXT, true, MATCH_PHONE, TEXT_SIZE_MAX},
    {CARD_URLS, "url", VALUE_TEXT, true, MATCH_EXACT, TEXT_SIZE_MAX},
};
static const struct field certificate_fields[] = {
    {CERTIFICATE_STATEMENT, "statement", VALUE_BYTES, false, MATCH_EXACT, CERTIFICATE_SIZE_MAX},
};
static const struct field reach_fields[] = {
    {REACH_ADDRESSES, "addresses", VALUE_BYTES, false, MATCH_EXACT,
     ADDRESSES_MAX *(ADDRESS_SIZE_MAX + 1)},
};
static const struct field door_fields[] = {
    {DOOR_KNOCK, "knock", VALUE_BYTES, false, MATCH_EXACT, KEY_SIZE},
};
static const struct field grant_fields[] = {
    {GRANT_SPACE, "space", VALUE_BYTES, false, MATCH_EXACT, ID_SIZE},
    {GRANT_SPACE_KIND, "kind", VALUE_NUMBER, false, MATCH_EXACT, SPACE_NETWORK},
    {GRANT_EPOCH, "epoch", VALUE_BYTES, false, MATCH_EXACT, HASH_SIZE},
    {GRANT_KEY, "key", VALUE_BYTES, false, MATCH_EXACT, KEY_SIZE},
};

const struct kind card_kind = {.number = KIND_CARD,
                               .name = "card",
                               .spaces = 1u << SPACE_CARD,
                               .fields = card_fields,
                               .fields_count = CARD_COUNT(card_fields)};
const struct kind certificate_kind = {.number = KIND_CERTIFICATE,
                                      .name = "certificate",
                                      .spaces = 1u << SPACE_CARD,
                                      .fields = certificate_fields,
                                      .fields_count = CARD_COUNT(certificate_fields)};
const struct kind reach_kind = {.number = KIND_REACH,
                                .name = "reach",
                                .spaces = 1u << SPACE_CARD,
                                .fields = reach_fields,
                                .fields_count = CARD_COUNT(reach_fields)};
const struct kind door_kind = {.number = KIND_DOOR,
                               .name = "door",
                               .spaces = 1u << SPACE_CARD,
                               .is_secret = true,
                               .fields = door_fields,
                               .fields_count = CARD_COUNT(door_fields)};
const struct kind grant_kind = {.number = KIND_GRANT,
                                .name = "grant",
                                .spaces = 1u << SPACE_PAIR,
                                .is_secret = true,
                                .fields = grant_fields,
                                .fields_count = CARD_COUNT(grant_fields)};
