/* The fields of a contact. */
#include "proto/contact.h"

#include "proto/limits.h"

static const struct field contact_fields[] = {
    {CONTACT_NAME, "name", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {CONTACT_ORG, "org", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {CONTACT_TITLE, "title", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {CONTACT_PLACE, "place", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {CONTACT_NOTE, "note", VALUE_TEXT, false, MATCH_EXACT, NOTE_SIZE_MAX},
    {CONTACT_MET, "met", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {CONTACT_IS_ORG, "kind", VALUE_NUMBER, false, MATCH_EXACT, 1},
    {CONTACT_MEMBER, "member", VALUE_BYTES, false, MATCH_EXACT, 32},
    {CONTACT_UID, "uid", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {CONTACT_PHOTO, "photo", VALUE_BYTES, false, MATCH_EXACT, VALUE_SIZE_MAX},
    {CONTACT_CREATED, "created", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {CONTACT_IMPORTED, "imported", VALUE_BYTES, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {CONTACT_EMAILS, "email", VALUE_TEXT, true, MATCH_EMAIL, TEXT_SIZE_MAX},
    {CONTACT_PHONES, "tel", VALUE_TEXT, true, MATCH_PHONE, TEXT_SIZE_MAX},
    {CONTACT_URLS, "url", VALUE_TEXT, true, MATCH_EXACT, TEXT_SIZE_MAX},
    {CONTACT_TAGS, "tag", VALUE_TEXT, true, MATCH_EMAIL, TEXT_SIZE_MAX},
    {CONTACT_LABELS, "label", VALUE_TEXT, true, MATCH_EXACT, 2 * TEXT_SIZE_MAX},
    {CONTACT_EXTRAS, "extra", VALUE_TEXT, true, MATCH_EXACT, NOTE_SIZE_MAX},
};

const struct kind contact_kind = {.number = KIND_CONTACT,
                                  .name = "contact",
                                  .spaces = 1u << SPACE_SELF,
                                  .fields = contact_fields,
                                  .fields_count = sizeof contact_fields / sizeof contact_fields[0]};
