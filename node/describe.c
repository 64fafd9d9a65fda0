/* Objects to JSON. Keys are a promise: added to freely, never renamed. */
#include "node/describe.h"

#include <string.h>
#include <time.h>

#include "crypto/secret.h"
#include "node/birthday.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "proto/scan.h"
#include "storage/fold.h"
#include "storage/row.h"
#include "storage/view_same.h"

void describe_time(uint64_t ms, char out[static DESCRIBE_TIME_SIZE])
{
    /* RFC 3339 ends with the year 9999; a peer may write any time at all. */
    uint64_t end_s = UINT64_C(253402300799);
    time_t seconds = (time_t)(ms / 1000 < end_s ? ms / 1000 : end_s);
    struct tm parts;

    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(out, DESCRIBE_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        memcpy(out, "unknown", sizeof "unknown");
}

void describe_set_time(json_t *object, const char *key, uint64_t ms)
{
    char text[DESCRIBE_TIME_SIZE];

    if (ms == 0)
        return;
    describe_time(ms, text);
    (void)json_object_set_new(object, key, json_string(text)); /* A lost key shows as absent. */
}

void describe_set_text(json_t *object, const char *key, struct span text)
{
    if (text.size > 0)
        (void)json_object_set_new(object, key, json_stringn((const char *)text.data, text.size));
}

void describe_set_name(json_t *object, struct span name)
{
    if (fold_is_seen(name))
        describe_set_text(object, "name", name);
}

void describe_cut(char *out, size_t size, struct span text)
{
    text = scan_cut(text, size - 1);
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
}

void describe_set_did(json_t *object, const char *key, const struct public_key *member)
{
    char did[DID_SIZE];

    identity_did(member, did);
    (void)json_object_set_new(object, key, json_string(did));
}

void describe_set_id(json_t *object, const char *key, const struct id *id)
{
    char text[ID_TEXT_SIZE];

    hex_write(span_of(id->bytes, ID_SIZE), text);
    (void)json_object_set_new(object, key, json_string(text));
}

void describe_uuid(const struct id *id, char out[static DESCRIBE_UUID_SIZE])
{
    static const uint8_t groups[] = {4, 2, 2, 2, 6};
    const uint8_t *from = id->bytes;

    for (size_t group = 0; group < sizeof groups; group++) {
        if (group > 0)
            *out++ = '-';
        hex_write(span_of(from, groups[group]), out);
        out += (size_t)2 * groups[group];
        from += groups[group];
    }
}

/* Which field of a card or contact has which key. */
struct describe_key {
    const char *name;
    uint8_t contact, card;
    bool is_set;
};

static const struct describe_key describe_keys[] = {
    {"name", CONTACT_NAME, CARD_NAME, false},      {"org", CONTACT_ORG, CARD_ORG, false},
    {"title", CONTACT_TITLE, CARD_TITLE, false},   {"emails", CONTACT_EMAILS, CARD_EMAILS, true},
    {"phones", CONTACT_PHONES, CARD_PHONES, true}, {"urls", CONTACT_URLS, CARD_URLS, true},
    {"place", CONTACT_PLACE, CARD_PLACE, false},
};
enum { DESCRIBE_KEYS_COUNT = sizeof describe_keys / sizeof describe_keys[0] };

static json_t *describe_set(const struct object *object, uint8_t field)
{
    const struct object_element *element;
    json_t *list = NULL;

    for (element = object_element_next(object, field, NULL); element != NULL;
         element = object_element_next(object, field, element)) {
        if (list == NULL)
            list = json_array();
        (void)json_array_append_new(
            list, json_stringn((const char *)element->value.bytes.data, element->value.bytes.size));
    }
    return list;
}

static void describe_fields(json_t *out, const struct object *object, bool is_card)
{
    for (size_t at = 0; at < DESCRIBE_KEYS_COUNT; at++) {
        const struct describe_key *key = &describe_keys[at];
        uint8_t field = is_card ? key->card : key->contact;
        json_t *list;

        if (key->card == CARD_NAME) {
            describe_set_name(out, object_text(object, field));
            continue;
        }
        if (!key->is_set) {
            describe_set_text(out, key->name, object_text(object, field));
            continue;
        }
        list = describe_set(object, field);
        if (list != NULL)
            (void)json_object_set_new(out, key->name, list);
    }
}

json_t *describe_card(const struct op_call *call, const struct id *card_space,
                      const struct public_key *member)
{
    static const struct id card_id = {{0}};
    struct object card = {0};
    json_t *out = json_object();
    uint32_t number;
    enum err err = row_get(&call->snapshot, card_space, KIND_CARD, &card_id, &card, &number);

    if (member != NULL)
        describe_set_did(out, "member", member);
    if (err == ERR_OK)
        describe_fields(out, &card, true);
    object_release(&card);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        return out;
    json_decref(out); /* Half a card would look like a whole one. */
    return NULL;
}

/* Labels are kept as one text: label, unit separator, value. */
static void describe_labels(json_t *out, const struct object *contact)
{
    const struct object_element *element;
    json_t *labels = NULL;

    for (element = object_element_next(contact, CONTACT_LABELS, NULL); element != NULL;
         element = object_element_next(contact, CONTACT_LABELS, element)) {
        struct span text = element->value.bytes;
        const uint8_t *cut = memchr(text.data, 0x1f, text.size);
        json_t *value;
        size_t size;

        if (cut == NULL)
            continue;
        size = (size_t)(cut - text.data);
        value = json_stringn((const char *)cut + 1, text.size - size - 1);
        if (labels == NULL)
            labels = json_object();
        if (value != NULL)
            (void)json_object_set_new(labels, json_string_value(value),
                                      json_stringn((const char *)text.data, size));
        json_decref(value);
    }
    if (labels != NULL)
        (void)json_object_set_new(out, "labels", labels);
}

/* True when the value, case aside, is among the known; it is from now on. */
static bool describe_knows(json_t *known, json_t *value, struct buf *room)
{
    struct span text = span_of(json_string_value(value), json_string_length(value));

    buf_clear(room);
    kind_normalise(MATCH_EMAIL, text, room);
    text = buf_span(room);
    if (text.size == 0 || json_object_getn(known, (const char *)text.data, text.size) != NULL)
        return true;
    (void)json_object_setn_new(known, (const char *)text.data, text.size, json_true());
    return false;
}

/* Adds to list what it does not have yet, case aside. */
static void describe_unite(json_t *list, json_t *more)
{
    json_t *known = json_object(), *value;
    struct buf room = {0};
    size_t at;

    json_array_foreach(list, at, value)(void) describe_knows(known, value, &room);
    json_array_foreach(more, at, value) if (!describe_knows(known, value, &room))(void)
        json_array_append(list, value);
    json_decref(known);
    buf_release(&room);
}

/* Mine where set, else theirs; sets united. */
static void describe_merge(json_t *out, json_t *mine, json_t *card)
{
    for (size_t at = 0; at < DESCRIBE_KEYS_COUNT; at++) {
        const char *name = describe_keys[at].name;
        json_t *own = json_object_get(mine, name), *theirs = json_object_get(card, name);

        if (own != NULL && describe_keys[at].is_set) {
            json_t *both = json_copy(own);

            describe_unite(both, theirs);
            (void)json_object_set_new(out, name, both);
        } else if (own != NULL || theirs != NULL) {
            (void)json_object_set(out, name, own != NULL ? own : theirs);
        }
    }
}

/* Created with the id's first 48 bits; updated with the newest winning entry. */
static void describe_times(const struct op_call *call, json_t *out, const struct object *contact)
{
    uint64_t created = object_number(contact, CONTACT_CREATED), newest = 0;
    struct entry_row row;
    struct edit_space edit = {0};
    struct buf plain = {0};

    for (size_t at = 0; at < contact->registers_count; at++)
        newest = contact->registers[at].arrival > newest ? contact->registers[at].arrival : newest;
    for (size_t at = 0; at < contact->elements_count; at++)
        for (size_t dot = 0; dot < contact->elements[at].dots_count; dot++)
            if (contact->elements[at].dots[dot].arrival > newest)
                newest = contact->elements[at].dots[dot].arrival;
    describe_set_time(out, "created", created);
    if (newest > 0 && ledger_entry(&call->snapshot, newest, &row) == ERR_OK &&
        ledger_open_entry(&call->snapshot, &row, &plain) == ERR_OK &&
        edit_read(&edit, buf_span(&plain)) == ERR_OK)
        describe_set_time(out, "updated", edit.edit.time_ms);
    edit_release(&edit);
    buf_release(&plain);
}

json_t *describe_contact(const struct op_call *call, const struct object *contact)
{
    struct span member = object_value(contact, CONTACT_MEMBER).bytes;
    json_t *out = json_object(), *mine = json_object(), *card = NULL, *tags;
    struct peer *peer = secret_new(sizeof *peer);
    char birthday[BIRTHDAY_SIZE];
    struct date born;
    bool is_peer = false;

    describe_set_id(out, "id", &contact->id);
    (void)json_object_set_new(
        out, "kind", json_string(object_number(contact, CONTACT_IS_ORG) ? "org" : "person"));
    describe_fields(mine, contact, false);
    if (member.size == 32 && peer != NULL) {
        struct public_key root;

        memcpy(root.bytes, member.data, 32);
        describe_set_did(out, "member", &root);
        if (view_peer(&call->snapshot, &root, peer) == ERR_OK) {
            is_peer = peer->state == LINK_LINKED;
            if (peer->has_card_in)
                card = describe_card(call, &peer->card_in, NULL);
        }
    }
    describe_merge(out, mine, card);
    tags = describe_set(contact, CONTACT_TAGS);
    if (tags != NULL)
        (void)json_object_set_new(out, "tags", tags);
    describe_set_text(out, "note", object_text(contact, CONTACT_NOTE));
    describe_set_text(out, "met", object_text(contact, CONTACT_MET));
    if (birthday_find(contact, &born) == ERR_OK) {
        birthday_text(&born, birthday);
        describe_set_text(out, "birthday", span_str(birthday));
    }
    describe_labels(out, contact);
    (void)json_object_set_new(out, "peer", json_boolean(is_peer));
    if (card != NULL) {
        (void)json_object_set(out, "card", card);
        (void)json_object_set(out, "mine", mine);
    }
    describe_times(call, out, contact);
    json_decref(mine);
    json_decref(card);
    secret_free(peer);
    return out;
}

/* The ids of contacts that are shown as this one. */
static void describe_same(const struct op_call *call, json_t *out, uint32_t head)
{
    uint32_t members[VIEW_SAME_MAX];
    json_t *list;
    size_t count = 0;

    if (view_same_members(&call->snapshot, head, members, &count) != ERR_OK || count < 2)
        return;
    list = json_array();
    for (size_t at = 1; at < count; at++) {
        struct object member = {0};
        char text[ID_TEXT_SIZE];
        uint32_t space;

        if (row_load(&call->snapshot, members[at], &member, &space) == ERR_OK) {
            hex_write(span_of(member.id.bytes, ID_SIZE), text);
            (void)json_array_append_new(list, json_string(text)); /* A lost row shows as absent. */
        }
        object_release(&member);
    }
    (void)json_object_set_new(out, "same", list);
}

json_t *describe_contact_numbered(const struct op_call *call, uint32_t number)
{
    struct object contact;
    uint32_t head;
    json_t *out;

    if (view_same_read(&call->snapshot, number, &contact, &head) != ERR_OK)
        return NULL;
    out = describe_contact(call, &contact);
    if (out != NULL)
        describe_same(call, out, head);
    object_release(&contact);
    return out;
}

const struct op_presence *describe_presence(const struct op_call *call,
                                            const struct public_key *member)
{
    const struct op_presence *best = NULL;

    for (size_t at = 0; at < call->world->presence_count; at++) {
        const struct op_presence *one = &call->world->presence[at];

        if (public_key_is_equal(&one->member, member) &&
            (best == NULL || one->is_online + one->is_in_step > best->is_online + best->is_in_step))
            best = one;
    }
    return best;
}

static const char *describe_level(enum link_level level)
{
    switch (level) {
    case LINK_COMPARED:
        return "compared";
    case LINK_INTRODUCED:
        return "introduced";
    case LINK_INVITED:
        break;
    }
    return "invited";
}

struct describe_addresses {
    const struct op_call *call;
    json_t *list;
};

static bool describe_has(const json_t *list, const char *text)
{
    bool has = false;
    json_t *one;
    size_t at;

    json_array_foreach(list, at, one)
    {
        has |= strcmp(json_string_value(one), text) == 0;
    }
    return has;
}

static enum err describe_device_addresses(void *self, const struct device_row *device)
{
    struct describe_addresses *to = self;
    struct address addresses[ADDRESSES_MAX * 3];
    char text[ADDRESS_TEXT_SIZE];
    size_t count = 0;
    enum err err =
        view_peer_addresses(&to->call->snapshot, &device->device, addresses, &count, NULL);

    for (size_t at = 0; err == ERR_OK && at < count; at++) {
        address_write(&addresses[at], text);
        if (!describe_has(to->list, text)) /* Copies of one machine tell the same. */
            (void)json_array_append_new(to->list, json_string(text));
    }
    return err;
}

/* A name for somebody who vouched for a peer: the card's, the alias, or the did. */
static void describe_voucher(const struct op_call *call, const struct public_key *member,
                             json_t **out)
{
    struct peer *peer = secret_new(sizeof *peer);
    char did[DID_SIZE];

    identity_did(member, did);
    if (peer != NULL && view_peer(&call->snapshot, member, peer) == ERR_OK && peer->name[0] != '\0')
        *out = json_string(peer->alias[0] != '\0' ? peer->alias : peer->name);
    else
        *out = json_string(did);
    secret_free(peer);
}

/* Who introduced us, and everybody else who did so with the same key. */
static void describe_via(const struct op_call *call, const struct peer *peer, json_t *out)
{
    const struct object_element *element;
    struct object link = {0};
    json_t *vouchers = NULL, *name;
    struct id id;
    uint32_t number;

    if (peer->has_via) {
        describe_voucher(call, &peer->via, &name);
        (void)json_object_set_new(out, "via", name);
    }
    id_about("kith link", &peer->member, &id);
    if (row_get(&call->snapshot, ledger_self_space(call->snapshot.ledger), KIND_LINK, &id, &link,
                &number) == ERR_OK)
        for (element = object_element_next(&link, LINK_VOUCHERS, NULL); element != NULL;
             element = object_element_next(&link, LINK_VOUCHERS, element)) {
            struct public_key member;

            if (identity_read_did(element->value.bytes, &member) != ERR_OK)
                continue;
            if (vouchers == NULL)
                vouchers = json_array();
            describe_voucher(call, &member, &name);
            (void)json_array_append_new(vouchers, name);
        }
    if (vouchers != NULL)
        (void)json_object_set_new(out, "vouchers", vouchers);
    object_release(&link);
}

json_t *describe_peer(const struct op_call *call, const struct peer *peer, bool with_card)
{
    const struct op_presence *presence = describe_presence(call, &peer->member);
    struct describe_addresses addresses = {.call = call, .list = json_array()};
    json_t *out = json_object();
    uint64_t undelivered = 0, last_seen = 0;
    const char *state = presence != NULL && presence->is_online ? "online" : "offline";
    bool in_step;

    if (!peer->has_pair_in) /* They proved my invitation, and their answer has not come yet. */
        state = "pending";
    if (peer->state == LINK_BLOCKED)
        state = "blocked";
    describe_set_did(out, "member", &peer->member);
    describe_set_name(out, span_str(peer->name));
    describe_set_text(out, "alias", span_str(peer->alias));
    (void)json_object_set_new(out, "level", json_string(describe_level(peer->level)));
    describe_via(call, peer, out);
    (void)json_object_set_new(out, "state", json_string(state));
    if (view_undelivered(&call->snapshot, &peer->member, &undelivered) != ERR_OK)
        undelivered = 0;
    /* What was written since the node looked is on its way to nobody yet. */
    in_step = undelivered == 0 && (presence == NULL || presence->is_in_step);
    (void)json_object_set_new(out, "in_step", json_boolean(in_step));
    (void)json_object_set_new(out, "undelivered", json_integer((json_int_t)undelivered));
    if (presence != NULL && presence->is_full)
        (void)json_object_set_new(out, "full", json_true());
    if (presence != NULL && presence->is_held)
        (void)json_object_set_new(out, "full_there", json_true());
    if (view_peer_last_seen(&call->snapshot, &peer->member, &last_seen) == ERR_OK)
        describe_set_time(out, "last_seen", last_seen);
    describe_set_time(out, "since", peer->since_ms);
    if (view_device_each(&call->snapshot, &peer->member, describe_device_addresses, &addresses) !=
        ERR_OK)
        (void)json_array_clear(addresses.list);
    (void)json_object_set_new(out, "addresses", addresses.list);
    if (peer->has_contact)
        describe_set_id(out, "contact", &peer->contact);
    if (with_card && peer->has_card_in)
        (void)json_object_set_new(out, "card", describe_card(call, &peer->card_in, &peer->member));
    return out;
}
