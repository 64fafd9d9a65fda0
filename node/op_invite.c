/* Invitations: giving one, taking it back, accepting one. What follows between the two nodes is
 * node/link.c. */
#include "node/op_invite.h"

#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/describe.h"
#include "node/name.h"
#include "node/until.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "proto/limits.h"
#include "proto/link.h"
#include "storage/fold.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_peer.h"

enum { OP_INVITE_ACCEPT_WAIT_MS = 10000, OP_INVITE_DAY_S = 86400 };

static const struct id *op_invite_self(const struct op_call *call)
{
    return ledger_self_space(call->snapshot.ledger);
}

/* Invite. */

/* Addresses on their way into an invitation; what does not fit is told. */
struct op_invite_addresses {
    struct invitation *to;
    json_t *left_out;
};

static void op_invite_add_address(struct op_invite_addresses *addresses,
                                  const struct address *address)
{
    struct invitation *invitation = addresses->to;
    char text[ADDRESS_TEXT_SIZE];

    for (size_t at = 0; at < invitation->addresses_count; at++)
        if (address_is_equal(&invitation->addresses[at], address))
            return;
    if (invitation->addresses_count < ADDRESSES_MAX) {
        invitation->addresses[invitation->addresses_count++] = *address;
        return;
    }
    address_write(address, text);
    (void)json_array_append_new(addresses->left_out, json_string(text)); /* Lost ones are absent. */
}

static bool op_invite_is_any(const struct address *address)
{
    static const uint8_t any[16] = {0};

    return memcmp(address->host, any, 16) == 0 ||
           (address_is_ipv4(address) && memcmp(address->host + 12, any, 4) == 0);
}

/* Any address of this machine, where it listens on all of them, or will once a node runs. */
static void op_invite_add_interfaces(const struct op_world *world,
                                     struct op_invite_addresses *addresses)
{
    uint16_t port = world->listening_count > 0 ? world->listening[0].port : PORT_DEFAULT;

    for (size_t at = 0; at < world->interfaces_count; at++) {
        struct address address = world->interfaces[at];

        address.port = port;
        if (!address_is_loopback(&address) || addresses->to->addresses_count == 0)
            op_invite_add_address(addresses, &address);
    }
}

/* In the order --address, --announce, what is listened on, own interfaces. */
static enum err op_invite_find_addresses(struct op_call *call,
                                         struct op_invite_addresses *addresses)
{
    const struct op_world *world = call->world;
    bool listens_anywhere = world->listening_count == 0 && !world->is_node;
    json_t *item;
    size_t index;

    json_array_foreach(op_list(call, "address"), index, item)
    {
        struct address address;

        if (json_string_value(item) == NULL ||
            address_read(span_str(json_string_value(item)), &address) != ERR_OK)
            return op_fail(call, OP_USAGE, "--address 203.0.113.5:5484",
                           "\"%.60s\" is not an address",
                           json_string_value(item) != NULL ? json_string_value(item) : "");
        op_invite_add_address(addresses, &address);
    }
    for (size_t at = 0; at < world->announced_count; at++)
        op_invite_add_address(addresses, &world->announced[at]);
    for (size_t at = 0; at < world->listening_count; at++) {
        if (op_invite_is_any(&world->listening[at]))
            listens_anywhere = true;
        else
            op_invite_add_address(addresses, &world->listening[at]);
    }
    if (listens_anywhere)
        op_invite_add_interfaces(world, addresses);
    if (addresses->to->addresses_count == 0)
        return op_fail(call, OP_FAILED, "kith peer invite --address HOST:PORT",
                       "no address is known at which this machine can be reached");
    return ERR_OK;
}

/* My name, cut to what fits, on a character's boundary. */
static void op_invite_hint(struct op_call *call, char out[static INVITATION_HINT_SIZE_MAX + 1])
{
    static const struct id only = {{0}};
    struct object card = {0};
    struct space_row space;
    uint32_t number;
    struct span name = {0};

    if (ledger_own_space(&call->snapshot, SPACE_CARD, &space) == ERR_OK &&
        row_get(&call->snapshot, &space.id, KIND_CARD, &only, &card, &number) == ERR_OK)
        name = object_text(&card, CARD_NAME);
    describe_cut(out, INVITATION_HINT_SIZE_MAX + 1, name);
    object_release(&card);
}

/* NAME that matches a contact links to it, else to a new contact that is made now. */
static enum err op_invite_invited(struct op_call *call, const char *name, struct id *out,
                                  bool *out_is_new)
{
    struct name_match who;
    enum err err;

    *out_is_new = false;
    if (!fold_is_seen(span_str(name)))
        return op_fail(call, OP_USAGE, "kith peer invite joon, or kith peer invite",
                       "whoever is invited by name needs one");
    err = name_find(call, name, &who);
    if (err == ERR_OK && who.has_member) {
        struct peer *peer = secret_new(sizeof *peer);
        bool is_linked = peer != NULL && view_peer(&call->snapshot, &who.member, peer) == ERR_OK &&
                         peer->state == LINK_LINKED;

        secret_free(peer);
        if (is_linked)
            return op_fail(call, OP_FAILED, "kith peer show", "you and %s are linked already",
                           who.shown);
    }
    if (err == ERR_OK && who.has_contact) {
        *out = who.contact;
        return ERR_OK;
    }
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    call->failure = (struct op_failure){0};
    if (strlen(name) > NAME_SIZE_MAX)
        return op_fail(call, OP_USAGE, "a shorter name", "a name may be %d bytes long",
                       NAME_SIZE_MAX);
    id_draw(ledger_entropy(call->snapshot.ledger), call->now_ms, out);
    *out_is_new = true;
    return ERR_OK;
}

static enum err op_invite_store_invitation(struct op_call *call,
                                           const struct invitation *invitation, const char *name,
                                           const struct id *contact, bool is_new, struct id *out_id)
{
    struct amend amend;
    enum err err = ERR_OK;

    if (is_new) {
        amend_begin(&amend, call->txn, op_invite_self(call), KIND_CONTACT, contact);
        amend_text(&amend, CONTACT_NAME, span_str(name));
        amend_number(&amend, CONTACT_CREATED, call->now_ms);
        err = amend_end(&amend, NULL);
    }
    if (err != ERR_OK)
        return err;
    id_draw(ledger_entropy(call->snapshot.ledger), call->now_ms, out_id);
    amend_begin(&amend, call->txn, op_invite_self(call), KIND_INVITATION, out_id);
    amend_bytes(&amend, INVITATION_SECRET, span_of(invitation->secret, INVITATION_SECRET_SIZE));
    amend_number(&amend, INVITATION_EXPIRES, invitation->expires_at_s);
    amend_number(&amend, INVITATION_STATE, INVITATION_OPEN);
    amend_number(&amend, INVITATION_CREATED, call->now_ms);
    if (name != NULL) {
        amend_bytes(&amend, INVITATION_CONTACT, span_of(contact->bytes, ID_SIZE));
        amend_text(&amend, INVITATION_NAME, span_str(name));
    }
    return amend_end(&amend, NULL);
}

static enum err op_invite_read_expires(struct op_call *call, uint64_t *out_seconds)
{
    const char *expires = op_text(call, "expires");

    *out_seconds = (uint64_t)INVITATION_DAYS_DEFAULT * OP_INVITE_DAY_S;
    if (expires == NULL || (until_read(expires, out_seconds) == ERR_OK && *out_seconds > 0 &&
                            *out_seconds <= (uint64_t)INVITATION_DAYS_MAX * OP_INVITE_DAY_S))
        return ERR_OK;
    return op_fail(call, OP_USAGE, "--expires 7d",
                   "--expires wants a time such as 12h or 7d, at most %d days",
                   INVITATION_DAYS_MAX);
}

static enum err op_invite_tell(struct op_call *call, const struct invitation *invitation,
                               const struct id *id, json_t *left_out)
{
    char uri[INVITATION_TEXT_SIZE_MAX];
    enum err err = invitation_write(invitation, uri);

    if (err != ERR_OK)
        return err;
    call->result = json_pack("{s:s, s:b}", "uri", uri, "node", call->world->is_node);
    secret_wipe(uri, sizeof uri);
    describe_set_time(call->result, "expires", invitation->expires_at_s * 1000);
    describe_set_id(call->result, "id", id);
    if (json_array_size(left_out) > 0)
        (void)json_object_set(call->result, "left_out", left_out); /* A lost key is absent. */
    if (op_flag(call, "qr"))
        (void)json_object_set_new(call->result, "qr", json_true()); /* Only the command draws it. */
    call->effects.peers_changed = true;
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

static enum err op_invite_make(struct op_call *call, struct invitation *invitation,
                               json_t *left_out)
{
    struct op_invite_addresses addresses = {.to = invitation, .left_out = left_out};
    const char *name = op_text(call, "name");
    struct id contact = {{0}}, id;
    uint64_t seconds;
    bool is_new = false;
    enum err err = op_invite_read_expires(call, &seconds);

    if (err == ERR_OK)
        err = op_invite_find_addresses(call, &addresses);
    if (err == ERR_OK && name != NULL)
        err = op_invite_invited(call, name, &contact, &is_new);
    if (err != ERR_OK)
        return err;
    memcpy(invitation->static_key, ledger_static_key(call->snapshot.ledger)->public_key, 32);
    entropy_fill(ledger_entropy(call->snapshot.ledger), invitation->secret, INVITATION_SECRET_SIZE);
    invitation->expires_at_s = call->now_ms / 1000 + seconds;
    op_invite_hint(call, invitation->hint);
    err = op_invite_store_invitation(call, invitation, name, &contact, is_new, &id);
    return err == ERR_OK ? op_invite_tell(call, invitation, &id, left_out) : err;
}

enum err op_invite(struct op_call *call)
{
    struct invitation invitation = {0};
    json_t *left_out = json_array();
    enum err err = op_invite_make(call, &invitation, left_out);

    secret_wipe(&invitation, sizeof invitation);
    json_decref(left_out);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the invitation could not be made");
}

static bool op_invite_is_open(const struct object *invitation, uint64_t now_ms)
{
    return object_number(invitation, INVITATION_STATE) == INVITATION_OPEN &&
           object_number(invitation, INVITATION_EXPIRES) * 1000 > now_ms;
}

/* Takes an invitation back that nobody has used: by its text or its id. */
struct op_invite_search {
    const char *wanted;
    struct invitation read;
    bool is_text, is_found;
    uint64_t now_ms;
    size_t open; /* so many that can still be used */
    struct id id;
    uint64_t state;
};

static enum err op_invite_on_invitation(void *self, uint32_t number,
                                        const struct object *invitation)
{
    struct op_invite_search *search = self;
    struct span secret = object_value(invitation, INVITATION_SECRET).bytes;
    char id[ID_TEXT_SIZE];
    bool fits;

    (void)number;
    hex_write(span_of(invitation->id.bytes, ID_SIZE), id);
    fits = search->is_text
               ? secret.size == INVITATION_SECRET_SIZE &&
                     secret_is_equal(secret.data, search->read.secret, INVITATION_SECRET_SIZE)
               : strlen(search->wanted) >= 6 &&
                     strncmp(id, search->wanted, strlen(search->wanted)) == 0;
    if (!fits)
        return ERR_OK;
    if (search->open == 0) {
        search->is_found = true;
        search->id = invitation->id;
        search->state = object_number(invitation, INVITATION_STATE);
    }
    search->open += op_invite_is_open(invitation, search->now_ms);
    return ERR_OK;
}

enum err op_invite_revoke(struct op_call *call)
{
    struct op_invite_search search = {.wanted = op_text(call, "invitation"),
                                      .now_ms = call->now_ms};
    struct amend amend;
    enum err err;

    if (search.wanted == NULL)
        return op_fail(call, OP_USAGE, "kith peer revoke INVITATION", "say which invitation");
    search.is_text = invitation_read(span_str(search.wanted), &search.read) == ERR_OK;
    err = row_each(&call->snapshot, op_invite_self(call), KIND_INVITATION, op_invite_on_invitation,
                   &search);
    secret_wipe(&search.read, sizeof search.read);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the invitations could not be read");
    if (search.open > 1)
        return op_fail(call, OP_AMBIGUOUS, "kith peer revoke kith:1...",
                       "%zu open invitations begin with %.40s", search.open, search.wanted);
    if (!search.is_found)
        return op_fail(call, OP_NOT_FOUND, "kith peer invite",
                       "there is no such invitation of yours");
    if (search.state != INVITATION_OPEN)
        return op_fail(call, OP_FAILED, "kith peer list",
                       "that invitation was used or taken back already");
    amend_begin(&amend, call->txn, op_invite_self(call), KIND_INVITATION, &search.id);
    amend_number(&amend, INVITATION_STATE, INVITATION_REVOKED);
    err = amend_end(&amend, NULL);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the invitation could not be taken back");
    call->effects.peers_changed = true;
    call->result = json_pack("{s:b}", "revoked", 1);
    return ERR_OK;
}

/* What can be taken back. */

static enum err op_invite_on_open(void *self, uint32_t number, const struct object *invitation)
{
    struct op_call *call = self;
    json_t *row;

    (void)number;
    if (!op_invite_is_open(invitation, call->now_ms))
        return ERR_OK;
    row = json_object();
    describe_set_id(row, "id", &invitation->id);
    describe_set_name(row, object_text(invitation, INVITATION_NAME));
    describe_set_time(row, "expires", object_number(invitation, INVITATION_EXPIRES) * 1000);
    return json_array_append_new(json_object_get(call->result, "invitations"), row) == 0
               ? ERR_OK
               : ERR_NOMEM;
}

enum err op_invite_list_open(struct op_call *call)
{
    call->result = json_pack("{s:[]}", "invitations");
    return row_each(&call->snapshot, op_invite_self(call), KIND_INVITATION, op_invite_on_open,
                    call);
}

/* Accept. */

static enum err op_invite_read_invitation(struct op_call *call, struct invitation *out)
{
    const char *uri = op_text(call, "uri");
    enum err err = uri != NULL ? invitation_read(span_str(uri), out) : ERR_INVALID;

    switch (err) {
    case ERR_OK:
        break;
    case ERR_VERSION:
        return op_fail(call, OP_FAILED,
                       "kith version; ask for an invitation made with the same version",
                       "that invitation was made by another version of kith");
    case ERR_CORRUPT:
        return op_fail(call, OP_UNTRUSTED, "copy it again, whole, from kith: to its end",
                       "that invitation is damaged: something was lost or changed on the way");
    default:
        return op_fail(call, OP_USAGE, "kith peer accept kith:1...", "that is not an invitation");
    }
    if (memcmp(out->static_key, ledger_static_key(call->snapshot.ledger)->public_key, 32) == 0)
        return op_fail(call, OP_UNTRUSTED, "give it to somebody else",
                       "that invitation is your own");
    return ERR_OK;
}

/* The same invitation accepted twice is one acceptance. */
static void op_invite_acceptance_id(const struct invitation *invitation, struct id *out)
{
    struct span secret = span_of(invitation->secret, INVITATION_SECRET_SIZE);
    struct hash hash;

    digest("kith acceptance", &secret, 1, &hash);
    memcpy(out->bytes, hash.bytes, ID_SIZE);
}

struct op_invite_look_alikes {
    json_t *list;
    const struct public_key *member; /* NULL while nobody knows */
    struct buf folded;               /* the name */
};

/* Called just so, or so and something more: Ana, and Ana Lima. */
static bool op_invite_is_alike(const struct op_invite_look_alikes *alike, struct span name)
{
    struct buf folded = {0};
    size_t size = alike->folded.size;
    bool is_alike = fold(name, &folded) == ERR_OK && folded.size >= size &&
                    (folded.size == size || folded.data[size] == ' ');

    buf_release(&folded);
    return is_alike;
}

static enum err op_invite_on_look_alike(void *self, uint32_t number, const struct object *contact)
{
    struct op_invite_look_alikes *alike = self;
    struct span member = object_value(contact, CONTACT_MEMBER).bytes;
    json_t *entry;

    (void)number;
    if (alike->member != NULL && span_is_equal(member, span_of(alike->member->bytes, 32)))
        return ERR_OK;
    if (!op_invite_is_alike(alike, object_text(contact, CONTACT_NAME)))
        return ERR_OK;
    entry = json_object();
    describe_set_id(entry, "id", &contact->id);
    describe_set_name(entry, object_text(contact, CONTACT_NAME));
    return json_array_append_new(alike->list, entry) == 0 ? ERR_OK : ERR_NOMEM;
}

/* Contacts called like the inviter who are somebody else, as far as kith knows. */
static void op_invite_find_look_alikes(struct op_call *call, const char *name,
                                       const struct public_key *member)
{
    struct op_invite_look_alikes alike = {.list = json_array(), .member = member};

    if (name[0] != '\0' && (fold(span_str(name), &alike.folded) != ERR_OK ||
                            view_contact_named(&call->snapshot, span_str(name),
                                               op_invite_on_look_alike, &alike) != ERR_OK))
        (void)json_array_clear(
            alike.list); /* A courtesy: without it the link is made all the same. */
    if (json_array_size(alike.list) > 0)
        (void)json_object_set(call->result, "look_alike", alike.list);
    json_decref(alike.list);
    buf_release(&alike.folded);
}

static enum err op_invite_pending(struct op_call *call, const struct invitation *invitation)
{
    call->result = json_pack("{s:s}", "state", "pending");
    if (call->result == NULL)
        return ERR_NOMEM;
    describe_set_name(call->result, span_str(invitation->hint));
    op_invite_find_look_alikes(call, invitation->hint, NULL);
    return ERR_OK;
}

/* What has become of an acceptance: linked, refused, or still pending. */
static enum err op_invite_answer(struct op_call *call, const struct invitation *invitation)
{
    struct peer *peer = secret_new(sizeof *peer);
    struct object acceptance = {0};
    struct public_key member;
    struct id id;
    uint32_t number;
    enum err err;

    op_invite_acceptance_id(invitation, &id);
    err = peer != NULL ? row_get(&call->snapshot, op_invite_self(call), KIND_ACCEPTANCE, &id,
                                 &acceptance, &number)
                       : ERR_NOMEM;
    if (err != ERR_OK) {
        secret_free(peer);
        return op_fail_err(call, err, "the invitation could not be read");
    }
    switch ((enum acceptance_state)object_number(&acceptance, ACCEPTANCE_STATE)) {
    case ACCEPTANCE_PENDING:
        err = op_invite_pending(call, invitation);
        call->effects.is_waiting = true;
        break;
    case ACCEPTANCE_LINKED:
        memset(&member, 0, sizeof member);
        if (object_value(&acceptance, ACCEPTANCE_MEMBER).bytes.size == 32)
            memcpy(member.bytes, object_value(&acceptance, ACCEPTANCE_MEMBER).bytes.data, 32);
        err = view_peer(&call->snapshot, &member, peer);
        if (err == ERR_OK) {
            call->result = describe_peer(call, peer, true);
            (void)json_object_set_new(call->result, "state", json_string("linked"));
            op_invite_find_look_alikes(call, peer->name, &member);
        }
        break;
    case ACCEPTANCE_REFUSED_SPENT:
        err = op_fail(call, OP_UNTRUSTED, "ask for a new invitation",
                      "that invitation was used before");
        break;
    case ACCEPTANCE_REFUSED_EXPIRED:
        err = op_fail(call, OP_UNTRUSTED, "ask for a new invitation",
                      "that invitation has expired or was taken back");
        break;
    case ACCEPTANCE_DROPPED:
        err = op_fail(call, OP_UNTRUSTED, "kith peer list",
                      "that invitation leads to nobody you can link with");
        break;
    }
    object_release(&acceptance);
    secret_free(peer);
    return err;
}

enum err op_invite_accept(struct op_call *call)
{
    struct invitation invitation;
    struct amend amend;
    struct id id;
    enum err err = op_invite_read_invitation(call, &invitation);

    if (err != ERR_OK)
        return err;
    op_invite_acceptance_id(&invitation, &id);
    amend_begin(&amend, call->txn, op_invite_self(call), KIND_ACCEPTANCE, &id);
    if (amend.is_new || object_number(&amend.object, ACCEPTANCE_STATE) != ACCEPTANCE_LINKED) {
        amend_text(&amend, ACCEPTANCE_URI, span_str(op_text(call, "uri")));
        amend_number(&amend, ACCEPTANCE_STATE, ACCEPTANCE_PENDING);
        amend_number(&amend, ACCEPTANCE_CREATED, call->now_ms);
    }
    err = amend_end(&amend, NULL);
    if (err == ERR_OK)
        err = op_invite_answer(call, &invitation);
    secret_wipe(&invitation, sizeof invitation);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the invitation could not be accepted");
    call->effects.peers_changed = true;
    call->effects.must_dial_all = call->effects.is_waiting;
    call->effects.wait_ms = OP_INVITE_ACCEPT_WAIT_MS;
    return ERR_OK;
}

enum err op_invite_accept_poll(struct op_call *call)
{
    struct invitation invitation;
    enum err err = op_invite_read_invitation(call, &invitation);

    if (err == ERR_OK)
        err = op_invite_answer(call, &invitation);
    secret_wipe(&invitation, sizeof invitation);
    return err;
}
