/* Whom to call: every device of every linked peer, and the inviters of what was accepted and led to
 * no link yet. */
#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "node/engine_state.h"
#include "proto/link.h"
#include "storage/row.h"
#include "storage/view_host.h"
#include "storage/view_introduction.h"

/* Reading the store again. */

static size_t engine_call_bucket(const struct public_key *device)
{
    return be32(device->bytes) % ENGINE_TARGET_BUCKETS;
}

static struct engine_target *engine_call_find(const struct engine *engine,
                                              const struct public_key *device, bool is_old_name)
{
    struct engine_target *target = engine->target_buckets[engine_call_bucket(device)];

    while (target != NULL &&
           (target->is_old_name != is_old_name || !public_key_is_equal(&target->device, device)))
        target = target->next_in_bucket;
    return target;
}

struct engine_target *engine_call_target(const struct engine *engine,
                                         const struct public_key *device)
{
    return engine_call_find(engine, device, false);
}

static struct engine_target *engine_call_add(struct engine *engine)
{
    struct engine_target *target = heap_new_zeroed(1, sizeof *target);

    if (target == NULL)
        return NULL;
    target->next = engine->targets;
    engine->targets = target;
    return target;
}

/* A target for a device, found by it from now on. */
struct engine_target *engine_call_add_device(struct engine *engine, const struct public_key *device,
                                             bool is_old_name)
{
    struct engine_target *target = engine_call_find(engine, device, is_old_name);
    struct engine_target **bucket = &engine->target_buckets[engine_call_bucket(device)];

    if (target != NULL)
        return target;
    target = engine_call_add(engine);
    if (target == NULL)
        return NULL;
    target->device = *device;
    target->is_old_name = is_old_name;
    target->next_in_bucket = *bucket;
    *bucket = target;
    return target;
}

static struct engine_target *engine_call_find_acceptance(struct engine *engine,
                                                         const struct id *acceptance)
{
    for (struct engine_target *target = engine->targets; target != NULL; target = target->next)
        if (target->is_acceptance && id_is_equal(&target->acceptance, acceptance))
            return target;
    return NULL;
}

struct engine_call_peer {
    struct engine *engine;
    const struct peer *peer;
    struct engine_old old;
};

static enum err engine_call_on_device(void *self, const struct device_row *device)
{
    struct engine_call_peer *from = self;
    struct engine_target *target;
    bool is_told = false;
    enum err err;

    if (device->is_claim)
        return ERR_OK; /* It may call us. */
    if (engine_heal_is_retired(from->engine, &device->device))
        return engine_old_on_device(from->engine, device, &from->old);
    target = engine_call_add_device(from->engine, &device->device, false);
    if (target == NULL)
        return ERR_NOMEM;
    target->member = device->member;
    memcpy(target->static_key, device->static_key, KEY_SIZE);
    (void)snprintf(target->name, sizeof target->name, "%s", from->old.peer);
    target->is_stale = false;
    target->is_held = false;
    target->was_reached |= from->peer->is_confirmed;
    target->was_awaited = target->is_awaited;
    target->is_awaited = false;
    target->is_introduced = from->peer->has_via;
    err = view_peer_addresses(&from->engine->snapshot, &device->device, target->addresses,
                              &target->addresses_count, &is_told);
    if (err == ERR_OK)
        engine_old_note_homeless(&from->old, target, is_told);
    return err;
}

static enum err engine_call_on_peer(void *self, const struct peer *peer)
{
    struct engine_call_peer from = {
        .engine = self,
        .peer = peer,
        .old = {.peer = peer->alias[0] != '\0' ? peer->alias : peer->name},
    };
    enum err err;

    if (peer->state != LINK_LINKED || !peer->has_secret || !peer->has_knock)
        return ERR_OK;
    err = view_device_each(&from.engine->snapshot, &peer->member, engine_call_on_device, &from);
    return err == ERR_OK ? engine_old_settle(from.engine, &from.old) : err;
}

/* An acceptance is called for while it is pending, and until the inviter has shown that the link
 * stands there too. */
static bool engine_call_is_open(struct engine *engine, const struct object *acceptance)
{
    uint64_t state = object_number(acceptance, ACCEPTANCE_STATE);
    struct span member = object_value(acceptance, ACCEPTANCE_MEMBER).bytes;
    struct peer *peer;
    struct public_key root;
    bool is_open = false;

    if (state == ACCEPTANCE_PENDING)
        return true;
    if (state != ACCEPTANCE_LINKED || member.size != 32)
        return false;
    memcpy(root.bytes, member.data, 32);
    peer = secret_new(sizeof *peer);
    if (peer != NULL && view_peer(&engine->snapshot, &root, peer) == ERR_OK)
        is_open = peer->state == LINK_LINKED && !peer->is_confirmed;
    secret_free(peer);
    if (object_value(acceptance, ACCEPTANCE_VIA).bytes.size > 0)
        return is_open; /* Introduced: the link mostly stands on both sides. */
    for (struct engine_target *target = engine->targets; is_open && target != NULL;
         target = target->next)
        if (!target->is_acceptance && public_key_is_equal(&target->member, &root))
            target->is_held = true;
    return is_open;
}

static enum err engine_call_on_acceptance(void *self, uint32_t number,
                                          const struct object *acceptance)
{
    struct engine *engine = self;
    struct engine_target *target;
    struct invitation invitation;

    (void)number;
    if (!engine_call_is_open(engine, acceptance) ||
        invitation_read(object_text(acceptance, ACCEPTANCE_URI), &invitation) != ERR_OK)
        return ERR_OK;
    target = engine_call_find_acceptance(engine, &acceptance->id);
    if (target == NULL) {
        target = engine_call_add(engine);
        /* Introduced: this way only where the other side was never told of me. */
        if (target != NULL && object_value(acceptance, ACCEPTANCE_VIA).bytes.size > 0)
            target->dial_at_ms = engine->now_ms + ENGINE_INTRODUCED_MS;
    }
    if (target == NULL)
        return ERR_NOMEM;
    target->is_acceptance = true;
    target->is_introduced = object_value(acceptance, ACCEPTANCE_VIA).bytes.size > 0;
    target->acceptance = acceptance->id;
    target->is_stale = false;
    memcpy(target->static_key, invitation.static_key, KEY_SIZE);
    memcpy(target->addresses, invitation.addresses,
           invitation.addresses_count * sizeof invitation.addresses[0]);
    target->addresses_count = invitation.addresses_count;
    (void)snprintf(target->name, sizeof target->name, "%s", invitation.hint);
    secret_wipe(&invitation, sizeof invitation);
    return ERR_OK;
}

static enum err engine_call_on_invitation(void *self, uint32_t number,
                                          const struct object *invitation)
{
    struct engine *engine = self;
    struct span secret = object_value(invitation, INVITATION_SECRET).bytes;
    struct engine_invitation *at;

    (void)number;
    if (secret.size != INVITATION_SECRET_SIZE)
        return ERR_OK;
    if ((engine->invitations_count & (engine->invitations_count - 1)) == 0) {
        size_t capacity = engine->invitations_count == 0 ? 1 : engine->invitations_count * 2;
        struct engine_invitation *grown = secret_new(capacity * sizeof *grown);

        if (grown == NULL)
            return ERR_NOMEM;
        if (engine->invitations_count > 0)
            memcpy(grown, engine->invitations, engine->invitations_count * sizeof *grown);
        secret_free(engine->invitations);
        engine->invitations = grown;
    }
    at = &engine->invitations[engine->invitations_count++];
    at->id = invitation->id;
    handshake_invitation(secret.data, secret.size, &at->keys);
    return ERR_OK;
}

/* Somebody I greeted in an introduction and whose hello has not come: a session with them is told
 * of (INTRO-20), one that stands at once. */
static enum err engine_call_on_introduction(void *self, const struct introduction_row *row)
{
    struct engine *engine = self;

    for (struct engine_target *target = engine->targets;
         view_introduction_awaits(row) && target != NULL; target = target->next)
        target->is_awaited |=
            !target->is_acceptance && public_key_is_equal(&target->member, &row->other);
    return ERR_OK;
}

static void engine_call_tell_awaited(struct engine *engine)
{
    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next)
        if (conn->state == CONN_SESSION && conn->is_confirmed && conn->role == SESSION_PEER &&
            conn->known != NULL && conn->known->is_awaited && !conn->known->was_awaited)
            engine_talk_tell_met(engine, conn);
}

static void engine_call_unhash(struct engine *engine, struct engine_target *target)
{
    struct engine_target **at = &engine->target_buckets[engine_call_bucket(&target->device)];

    while (*at != target)
        at = &(*at)->next_in_bucket;
    *at = target->next_in_bucket;
}

static void engine_call_forget_stale(struct engine *engine)
{
    struct engine_target **at = &engine->targets;

    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next) {
        if (conn->target != NULL && conn->target->is_stale)
            conn->target = NULL;
        conn->known =
            conn->state == CONN_SESSION ? engine_call_target(engine, &conn->device) : NULL;
        if (conn->known != NULL && conn->known->is_stale)
            conn->known = NULL;
    }
    while (*at != NULL) {
        struct engine_target *target = *at;

        if (!target->is_stale) {
            at = &target->next;
            continue;
        }
        if (!target->is_acceptance)
            engine_call_unhash(engine, target);
        *at = target->next;
        heap_free(target);
    }
}

/* Places known from before: they keep a way in. */
static enum err engine_call_on_host(void *self, const uint8_t place[static VIEW_HOST_SIZE],
                                    uint64_t seen_at_ms)
{
    struct engine *engine = self;
    struct address from = {.port = 0};

    memcpy(from.host, place, VIEW_HOST_SIZE);
    strangers_know(engine->strangers, &from,
                   seen_at_ms < engine->wall_ms ? engine->wall_ms - seen_at_ms : 0, engine->now_ms);
    return ERR_OK;
}

enum err engine_call_reload(struct engine *engine)
{
    const struct id *self;
    enum err err;

    if (!engine_look(engine))
        return ERR_NOMEM;
    self = ledger_self_space(engine->ledger);
    if (!engine->has_hosts &&
        view_host_each(&engine->snapshot, engine_call_on_host, engine) == ERR_OK)
        engine->has_hosts = true;
    for (struct engine_target *target = engine->targets; target != NULL; target = target->next)
        target->is_stale = true;
    engine->invitations_count = 0;
    err = view_peer_each(&engine->snapshot, engine_call_on_peer, engine);
    if (err == ERR_OK)
        err = row_each(&engine->snapshot, self, KIND_ACCEPTANCE, engine_call_on_acceptance, engine);
    if (err == ERR_OK)
        err = row_each(&engine->snapshot, self, KIND_INVITATION, engine_call_on_invitation, engine);
    if (err == ERR_OK)
        err = view_knocks_held(&engine->snapshot, engine->knocks, &engine->knocks_count,
                               &engine->knocks_held);
    /* What peers acknowledge meanwhile ends the older ones. */
    engine->knocks_look_ms =
        engine->knocks_count > 1 ? engine->now_ms + ENGINE_KNOCKS_LOOK_MS : UINT64_MAX;
    if (err == ERR_OK)
        err = engine_sibling_reload(engine);
    if (err == ERR_OK)
        err = view_introduction_each(&engine->snapshot, NULL, engine_call_on_introduction, engine);
    if (err == ERR_OK)
        engine_call_forget_stale(engine);
    if (err == ERR_OK)
        engine_call_tell_awaited(engine);
    return err;
}

enum err engine_call_acceptance(struct engine *engine, const struct id *id, struct invitation *out)
{
    struct object acceptance = {0};
    uint32_t number;
    enum err err = row_get(&engine->snapshot, ledger_self_space(engine->ledger), KIND_ACCEPTANCE,
                           id, &acceptance, &number);

    if (err == ERR_OK)
        err = invitation_read(object_text(&acceptance, ACCEPTANCE_URI), out);
    object_release(&acceptance);
    return err;
}

/* Calling. */

static void engine_call_find_connected(struct engine *engine)
{
    for (struct engine_target *target = engine->targets; target != NULL; target = target->next)
        target->is_connected = false;
    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next) {
        if (conn->state == CONN_CLOSED)
            continue;
        if (conn->target != NULL)
            conn->target->is_connected = true;
        if (conn->known != NULL)
            conn->known->is_connected = true;
    }
}

/* What others tell must not make this node knock at its own machine or at things on its cable: such
 * addresses are only for nodes that listen nowhere else. */
/* PROTOCOL LIMIT-5: "Addresses of this machine, link-local, multicast and unspecified ones that
 * others told are not called, unless a node listens on loopback only: then loopback is." */
static bool engine_call_may_dial(const struct engine *engine, const struct address *address)
{
    return address_is_elsewhere(address) ||
           (address_is_loopback(address) && engine->is_loopback_only);
}

static void engine_call_wait(struct engine *engine, struct engine_target *target)
{
    uint8_t chance[4];

    entropy_fill(ledger_entropy(engine->ledger), chance, sizeof chance);
    target->dial_at_ms =
        engine->now_ms + (target->is_introduced && !target->was_reached
                              ? dialer_introduced_wait_ms(target->failures, be32(chance))
                              : dialer_wait_ms(target->failures, be32(chance)));
    engine_wake_by(engine, target->dial_at_ms);
}

void engine_call_unheard(struct engine *engine, struct engine_target *target)
{
    if (!target->is_unheard) {
        target->unheard = 0;
        target->unheard_since_ms = engine->now_ms;
    }
    target->is_unheard = true;
    target->unheard++;
}

/* A peer may have its reasons, and need not say so; the owner's own machines are the owner's. */
static void engine_call_tell_unheard(struct engine *engine, struct engine_target *target)
{
    if (!target->is_unheard || target->told_unheard || target->is_old_name ||
        target->is_acceptance || !engine_sibling_is(engine, &target->member) ||
        target->unheard < ENGINE_UNHEARD_MIN ||
        engine->now_ms < target->unheard_since_ms + ENGINE_UNHEARD_MS)
        return;
    target->told_unheard = true;
    engine_journal(engine, "refused", target->name,
                   "is a device of yours that answers, but not to this one: what either writes "
                   "does not reach the other; kith status and kith log there may say why");
}

void engine_call_failed(struct engine *engine, struct engine_target *target)
{
    engine_call_tell_unheard(engine, target);
    target->next_address++;
    if (target->next_address < target->addresses_count) {
        target->dial_at_ms = engine->now_ms;
        engine_wake_by(engine, engine->now_ms);
        return;
    }
    target->next_address = 0;
    target->wants_dial = false;
    engine_call_wait(engine, target);
    if (target->failures < 32)
        target->failures++;
}

static void engine_call_one(struct engine *engine, struct engine_target *target)
{
    struct engine_effect *effect;
    struct engine_conn *conn;
    const struct address *address;

    if (target->next_address >= target->addresses_count)
        target->next_address = 0;
    address = &target->addresses[target->next_address];
    if (!engine_call_may_dial(engine, address)) {
        engine_call_failed(engine, target);
        return;
    }
    if (!dialer_take(&engine->dialer, target->was_reached || target->is_acceptance,
                     engine->now_ms)) {
        target->dial_at_ms = engine->now_ms + DIALER_WAIT_MIN_MS;
        engine_wake_by(engine, target->dial_at_ms);
        return;
    }
    conn = engine_add_conn(engine, engine->next_dialled, CONN_DIALLING);
    effect = engine_effect(engine, ENGINE_DIAL, engine->next_dialled);
    engine->next_dialled += 2;
    if (conn == NULL || effect == NULL) {
        engine->is_failed = true;
        return;
    }
    effect->address = *address;
    conn->address = *address;
    conn->is_outbound = true;
    conn->target = target;
    conn->role = target->is_acceptance ? SESSION_ACCEPTOR : SESSION_PEER;
    conn->invitation = target->acceptance;
    conn->member = target->member;
    conn->device = target->device;
    engine_wake_by(engine, engine->now_ms + ENGINE_CONFIRM_MS);
}

void engine_call_due(struct engine *engine)
{
    if (engine->is_stopping)
        return;
    engine_call_find_connected(engine);
    for (struct engine_target *target = engine->targets; target != NULL; target = target->next) {
        if (target->addresses_count == 0 || target->is_held ||
            engine->now_ms < target->banned_until_ms || target->is_connected)
            continue;
        if (engine->now_ms < target->dial_at_ms)
            engine_wake_by(engine, target->dial_at_ms);
        else if (engine_old_may_call(engine, target))
            engine_call_one(engine, target);
    }
}

bool engine_call_is_due(const struct engine *engine, const struct engine_target *target)
{
    return target->addresses_count > 0 && !target->is_held && !engine->is_stopping &&
           engine->now_ms >= target->banned_until_ms && engine->now_ms >= target->dial_at_ms;
}

void engine_call_now(struct engine *engine, const struct public_key *member)
{
    for (struct engine_target *target = engine->targets; target != NULL; target = target->next)
        if (member == NULL || public_key_is_equal(&target->member, member) ||
            target->is_acceptance) {
            target->dial_at_ms = engine_old_dial_at(engine, target);
            target->failures = target->replaced = 0;
        }
    engine_call_due(engine);
}

/* Whose session gave way to one that is not its own may be one of two copies of a machine, which
 * would take it from each other for ever. */
static void engine_call_took_turns(const struct engine *engine, struct engine_target *target,
                                   const struct engine_conn *conn)
{
    if (!conn->was_replaced || engine->now_ms > conn->confirmed_at_ms + ENGINE_TURN_MS)
        target->replaced = 0;
    else if (target->replaced < 32)
        target->replaced++;
}

/* A conversation that worked is taken up again soon; one that never got so far was counted as a
 * failure already. */
void engine_call_ended(struct engine *engine, struct engine_conn *conn)
{
    struct engine_target *target =
        conn->state == CONN_CLOSED ? engine_call_target(engine, &conn->device) : NULL;
    struct session_progress progress;

    if (conn->session != NULL && target != NULL) {
        session_progress(conn->session, &progress);
        target->sent += progress.entries_sent;
        target->received += progress.entries_received;
        target->crossed += engine_crossed(&progress);
        target->bytes_sent += progress.bytes_sent;
        target->bytes_received += progress.bytes_received;
    }
    if (conn->is_confirmed && target != NULL) {
        engine_call_took_turns(engine, target, conn);
        if (!conn->is_of_another_version)
            target->failures = target->replaced;
        else if (target->failures < 32)
            target->failures++;
        engine_call_wait(engine, target);
    }
    if (conn->is_confirmed && conn->target != NULL && conn->target != target) {
        engine_old_ended(conn->target);
        engine_call_wait(engine, conn->target);
    }
    if (conn->is_confirmed)
        (void)engine_effect(engine, ENGINE_PRESENCE, conn->id); /* A failure is remembered. */
}

/* Penalties. */

/* PROTOCOL LIMIT-4: "The third time in 24 hours the device is refused for an hour; each further
 * time for twice as long." */
void engine_call_violated(struct engine *engine, const struct public_key *device,
                          const struct public_key *member)
{
    struct engine_target *target = engine_call_target(engine, device);
    char text[80];
    unsigned beyond;

    if (target == NULL || !public_key_is_equal(&target->member, member))
        return;
    if (engine->now_ms > target->violations_since_ms + ENGINE_DAY_MS)
        target->violations = 0;
    if (target->violations == 0)
        target->violations_since_ms = engine->now_ms;
    target->violations++;
    if (target->violations < ENGINE_VIOLATIONS_MAX)
        return;
    beyond = target->violations - ENGINE_VIOLATIONS_MAX;
    beyond = beyond < ENGINE_PENALTY_DOUBLINGS ? beyond : ENGINE_PENALTY_DOUBLINGS;
    target->banned_until_ms = engine->now_ms + ((uint64_t)ENGINE_PENALTY_MS << beyond);
    (void)snprintf(text, sizeof text, "%u broken rules in a day: left alone for %u hours",
                   target->violations, 1U << beyond);
    engine_journal(engine, "penalty", target->name, text);
}

bool engine_call_is_banned(struct engine *engine, const struct public_key *device,
                           const struct public_key *member)
{
    const struct engine_target *target = engine_call_target(engine, device);

    return target != NULL && public_key_is_equal(&target->member, member) &&
           engine->now_ms < target->banned_until_ms;
}
