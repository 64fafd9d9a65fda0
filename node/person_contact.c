/* Mine where set, else the card's; sets united: as describe.c shows a contact. */
#include "node/person_contact.h"

#include <string.h>

#include "crypto/secret.h"
#include "proto/card.h"
#include "storage/row.h"
#include "storage/view_peer.h"

static const struct {
    uint8_t contact, card;
} person_card_fields[] = {{CONTACT_NAME, CARD_NAME},     {CONTACT_ORG, CARD_ORG},
                          {CONTACT_TITLE, CARD_TITLE},   {CONTACT_PLACE, CARD_PLACE},
                          {CONTACT_EMAILS, CARD_EMAILS}, {CONTACT_PHONES, CARD_PHONES},
                          {CONTACT_URLS, CARD_URLS}};
enum { PERSON_CARD_FIELDS = sizeof person_card_fields / sizeof person_card_fields[0] };

uint8_t person_card_field(uint8_t contact_field)
{
    for (size_t at = 0; at < PERSON_CARD_FIELDS; at++)
        if (person_card_fields[at].contact == contact_field)
            return person_card_fields[at].card;
    return 0;
}

enum err person_card_of(const struct snapshot *snapshot, const struct object *contact,
                        struct object *out)
{
    static const struct id card_id = {{0}};
    struct span member = object_value(contact, CONTACT_MEMBER).bytes;
    struct public_key root;
    struct peer *peer;
    uint32_t number;
    enum err err;

    *out = (struct object){0};
    if (member.size != sizeof root.bytes)
        return ERR_OK;
    peer = secret_new(sizeof *peer);
    if (peer == NULL)
        return ERR_NOMEM;
    memcpy(root.bytes, member.data, sizeof root.bytes);
    err = view_peer(snapshot, &root, peer);
    if (err == ERR_OK && peer->has_card_in)
        err = row_get(snapshot, &peer->card_in, KIND_CARD, &card_id, out, &number);
    secret_free(peer);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static void person_put_contact(const struct object *contact, struct person *out)
{
    for (size_t at = 0; at < contact->registers_count; at++) {
        uint8_t field = contact->registers[at].field;
        const struct value *value = &contact->registers[at].value;
        const struct field *about = kind_field(&contact_kind, field);

        if (about == NULL || field == CONTACT_MEMBER || field == CONTACT_CREATED ||
            field == CONTACT_IMPORTED)
            continue;
        if (about->type == VALUE_NUMBER && value->number != 0)
            (void)person_set(out, field, span_str("1"));
        else if (about->type != VALUE_NUMBER)
            (void)person_set(out, field, value->bytes);
    }
    for (size_t at = 0; at < contact->elements_count; at++)
        if (kind_field(&contact_kind, contact->elements[at].field) != NULL)
            (void)person_add(out, contact->elements[at].field, contact->elements[at].value.bytes);
}

static void person_put_card(const struct object *contact, const struct object *card,
                            struct person *out)
{
    for (size_t row = 0; row < PERSON_CARD_FIELDS; row++) {
        uint8_t field = person_card_fields[row].contact;
        const struct object_element *at;

        (void)person_set(out, field, object_text(card, person_card_fields[row].card));
        for (at = object_element_next(card, person_card_fields[row].card, NULL); at != NULL;
             at = object_element_next(card, person_card_fields[row].card, at))
            if (object_element_like(contact, field, at->value.bytes) == NULL)
                (void)person_add(out, field, at->value.bytes);
    }
}

enum err person_of_contact(const struct snapshot *snapshot, const struct object *contact,
                           struct person *out)
{
    struct object card;
    enum err err = person_card_of(snapshot, contact, &card);

    person_begin(out, 1);
    if (err == ERR_OK) {
        person_put_contact(contact, out);
        person_put_card(contact, &card, out);
        if (!person_settle_name(out))
            (void)person_set(out, CONTACT_NAME, span_str("?")); /* A note or a tag alone. */
        err = person_err(out);
    }
    object_release(&card);
    return err;
}
