/* The fields of interactions and reminders, and what interactions there are. */
#include "proto/interaction.h"

#include <string.h>

#include "crypto/digest.h"
#include "proto/limits.h"

static const struct field interaction_fields[] = {
    {INTERACTION_CONTACT, "contact", VALUE_BYTES, false, MATCH_EXACT, ID_SIZE},
    {INTERACTION_WHAT, "what", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {INTERACTION_TEXT, "text", VALUE_TEXT, false, MATCH_EXACT, NOTE_SIZE_MAX},
    {INTERACTION_ON, "on", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {INTERACTION_REF, "ref", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
};

static const struct field reminder_fields[] = {
    {REMINDER_CONTACT, "contact", VALUE_BYTES, false, MATCH_EXACT, ID_SIZE},
    {REMINDER_TAG, "tag", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {REMINDER_CIRCLE, "circle", VALUE_TEXT, false, MATCH_EXACT, NAME_SIZE_MAX},
    {REMINDER_EVERY, "every", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {REMINDER_ON, "on", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {REMINDER_TEXT, "text", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {REMINDER_LATE, "late", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {REMINDER_SNOOZED, "snoozed", VALUE_NUMBER, false, MATCH_EXACT, 0},
    {REMINDER_DONE, "done", VALUE_NUMBER, false, MATCH_EXACT, 0},
};

const struct kind interaction_kind = {.number = KIND_INTERACTION,
                                      .name = "interaction",
                                      .spaces = 1u << SPACE_SELF,
                                      .fields = interaction_fields,
                                      .fields_count =
                                          sizeof interaction_fields / sizeof interaction_fields[0]};
const struct kind reminder_kind = {.number = KIND_REMINDER,
                                   .name = "reminder",
                                   .spaces = 1u << SPACE_SELF,
                                   .fields = reminder_fields,
                                   .fields_count =
                                       sizeof reminder_fields / sizeof reminder_fields[0]};

static const struct interaction_about interactions[] = {
    {INTERACTION_MET, "met", "you met", INTERACTION_NEITHER, true},
    {INTERACTION_CALL, "call", "you talked", INTERACTION_NEITHER, true},
    {INTERACTION_MAIL, "mail", "you wrote", INTERACTION_NEITHER, true},
    {INTERACTION_GIFT, "gift", "a gift", INTERACTION_NEITHER, true},
    {INTERACTION_NOTE, "note", "a note", INTERACTION_NEITHER, true},
    {INTERACTION_LINKED, "linked", "you linked on kith", INTERACTION_NEITHER, false},
    {INTERACTION_ENDORSED, "endorsed", "you endorsed their work", INTERACTION_GAVE, false},
    {INTERACTION_ENDORSED_ME, "endorsed-me", "they endorsed your work", INTERACTION_GOT, false},
    {INTERACTION_INTRODUCED, "introduced", "you introduced them", INTERACTION_GAVE, false},
    {INTERACTION_INTRODUCED_ME, "introduced-me", "they introduced you", INTERACTION_GOT, false},
    {INTERACTION_PASSED, "passed", "you passed their ask on", INTERACTION_GAVE, false},
    {INTERACTION_PASSED_MINE, "passed-mine", "they passed your ask on", INTERACTION_GOT, false},
    {INTERACTION_ANSWERED, "answered", "you answered their ask", INTERACTION_GAVE, false},
    {INTERACTION_ANSWERED_ME, "answered-me", "they answered your ask", INTERACTION_GOT, false},
    {INTERACTION_CHEERED, "cheered", "you cheered them on", INTERACTION_GAVE, false},
    {INTERACTION_CHEERED_ME, "cheered-me", "they cheered you on", INTERACTION_GOT, false},
    {INTERACTION_ASKED, "asked", "you asked them", INTERACTION_ASKS, false},
    {INTERACTION_ASKED_ME, "asked-me", "they asked you", INTERACTION_NEITHER, false},
    {INTERACTION_OFFERED, "offered", "you offered something", INTERACTION_GAVE, false},
    {INTERACTION_OFFERED_ME, "offered-me", "they offered something", INTERACTION_GOT, false},
    {INTERACTION_THANKED, "thanked", "you thanked them", INTERACTION_NEITHER, false},
    {INTERACTION_THANKED_ME, "thanked-me", "they thanked you", INTERACTION_NEITHER, false},
    {INTERACTION_WANTED, "wanted", "you asked for an introduction or an endorsement",
     INTERACTION_ASKS, false},
    {INTERACTION_WANTED_ME, "wanted-me", "they asked for an introduction or an endorsement",
     INTERACTION_NEITHER, false},
    {INTERACTION_SHARED, "shared", "you shared a contact", INTERACTION_GAVE, false},
    {INTERACTION_SHARED_ME, "shared-me", "they shared a contact", INTERACTION_GOT, false},
    {INTERACTION_CARRIED_ME, "carried-me", "what you passed to them brought something back",
     INTERACTION_GOT, false},
};

/* PROTOCOL SELF-5: "Others are a newer kith's." */
const struct interaction_about *interaction_about(uint64_t what)
{
    for (size_t at = 0; at < sizeof interactions / sizeof interactions[0]; at++)
        if ((uint64_t)interactions[at].what == what)
            return &interactions[at];
    return NULL;
}

const struct interaction_about *interaction_named(struct span name)
{
    for (size_t at = 0; at < sizeof interactions / sizeof interactions[0]; at++)
        if (span_is_equal(span_str(interactions[at].name), name))
            return &interactions[at];
    return NULL;
}

void interaction_act_id(const struct public_key *member, enum interaction_what what,
                        struct span ref, struct id *out)
{
    const uint8_t number = (uint8_t)what;
    struct span parts[] = {span_of(member->bytes, 32), span_of(&number, 1), ref};
    struct hash hash;

    digest("kith act", parts, sizeof parts / sizeof parts[0], &hash);
    memcpy(out->bytes, hash.bytes, ID_SIZE);
}
