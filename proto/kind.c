/* The table. A kind's number finds its row by a short walk; there are a dozen. */
#include "proto/kind.h"

#include "proto/answer.h"
#include "proto/ask.h"
#include "proto/card.h"
#include "proto/circle.h"
#include "proto/closeness.h"
#include "proto/contact.h"
#include "proto/endorsement.h"
#include "proto/forget.h"
#include "proto/interaction.h"
#include "proto/introduction.h"
#include "proto/link.h"
#include "proto/reply.h"
#include "proto/restate.h"
#include "proto/retire.h"
#include "proto/share.h"

static const struct kind *const kinds[] = {
    &contact_kind,
    &link_kind,
    &invitation_kind,
    &key_kind,
    &space_kind_kind,
    &knock_kind,
    &acceptance_kind,
    &circle_kind,
    &closeness_kind,
    &card_kind,
    &certificate_kind,
    &reach_kind,
    &door_kind,
    &grant_kind,
    &restate_kind,
    &introduction_kind,
    &introduction_record_kind,
    &introduction_key_kind,
    &introduction_mute_kind,
    &endorsement_kind,
    &kept_kind,
    &revoked_kind,
    &quoting_kind,
    &endorsement_want_kind,
    &interaction_kind,
    &reminder_kind,
    &retire_kind,
    &keep_kind,
    &forget_kind,
    &pass_kind,
    &ask_kind,
    &heard_kind,
    &passed_kind,
    &close_kind,
    &reply_kind,
    &lead_kind,
    &answer_kind,
    &share_kind,
    &share_record_kind,
};

/* PROTOCOL KIND-3: "The kinds, their spaces and their fields." */
const struct kind *kind_find(uint8_t number)
{
    for (size_t at = 0; at < sizeof kinds / sizeof kinds[0]; at++)
        if (kinds[at]->number == number)
            return kinds[at];
    return NULL;
}

const struct field *kind_field(const struct kind *kind, uint8_t number)
{
    for (size_t at = 0; at < kind->fields_count; at++)
        if (kind->fields[at].number == number)
            return &kind->fields[at];
    return NULL;
}

const struct field *kind_field_named(const struct kind *kind, struct span name)
{
    for (size_t at = 0; at < kind->fields_count; at++)
        if (span_is_equal(span_str(kind->fields[at].name), name))
            return &kind->fields[at];
    return NULL;
}

/* PROTOCOL KIND-2: "E-mails match in lower case, A to Z only; phones match by their digits and a
 * leading plus." */
void kind_normalise(enum field_match match, struct span value, struct buf *out)
{
    for (size_t at = 0; at < value.size; at++) {
        uint8_t letter = value.data[at];
        bool is_digit = letter >= '0' && letter <= '9';

        if (match == MATCH_EMAIL && letter >= 'A' && letter <= 'Z')
            letter = (uint8_t)(letter + 32);
        if (match != MATCH_PHONE || is_digit || (letter == '+' && at == 0))
            buf_byte(out, letter);
    }
}
