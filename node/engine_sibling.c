/* Other devices of this member: called like peers, under the secret that only own devices hold, and
 * everything is shared with them. */
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/engine_state.h"
#include "storage/follow.h"
#include "storage/join.h"
#include "storage/standing.h"

enum { ENGINE_JOIN_MS = 1000 }; /* a new device looks so often whether it may write */

bool engine_sibling_is(const struct engine *engine, const struct public_key *member)
{
    return public_key_is_equal(member, ledger_member(engine->ledger));
}

/* PROTOCOL OWN-4: "A device that was retired by its owner or as stolen, or is void, gets no answer
 * from other devices of its member." */
static bool engine_sibling_is_out(struct engine *engine, const struct public_key *device)
{
    enum standing standing = STANDING_GOOD;

    return !engine_look(engine) || standing_of(&engine->snapshot, device, &standing) != ERR_OK ||
           standing_is_out(standing);
}

/* Whom to call. */

struct engine_sibling_reading {
    struct engine *engine;
    struct engine_old old;
};

static enum err engine_sibling_on_device(void *self, const struct device_row *device)
{
    struct engine_sibling_reading *reading = self;
    struct engine *engine = reading->engine;
    struct engine_target *target;
    bool is_told = false;
    enum err err;

    if (public_key_is_equal(&device->device, ledger_device(engine->ledger)))
        return ERR_OK;
    if (engine_heal_is_retired(engine, &device->device))
        return engine_old_on_device(engine, device, &reading->old);
    target = engine_call_add_device(engine, &device->device, false);
    if (target == NULL)
        return ERR_NOMEM;
    target->member = device->member;
    memcpy(target->static_key, device->static_key, KEY_SIZE);
    (void)snprintf(target->name, sizeof target->name, "%s", device->name);
    target->is_stale = false;
    target->was_reached = true; /* Nobody else tells its addresses. */
    err = view_peer_addresses(&engine->snapshot, &device->device, target->addresses,
                              &target->addresses_count, &is_told);
    if (err == ERR_OK)
        engine_old_note_homeless(&reading->old, target, is_told);
    return err;
}

/* PROTOCOL OWN-2: "Answered is, too, the knock that the card space tells, whoever drew it, and,
 * while none of them is shut out, KDF(psk, `kith own knock`, nothing), which own devices try
 * behind those: one whose machine went back may hold no other that still counts." */
static enum err engine_sibling_knock(struct engine *engine)
{
    uint8_t *at = engine->knocks + engine->knocks_count * KEY_SIZE;
    uint8_t *between = secret_new(KEY_SIZE);
    enum err err = between != NULL ? join_knock_between(&engine->snapshot, between) : ERR_NOMEM;

    if (err == ERR_OK) {
        memmove(at + KEY_SIZE, at, (engine->knocks_held - engine->knocks_count) * KEY_SIZE);
        memcpy(at, between, KEY_SIZE);
        engine->knocks_count++;
        engine->knocks_held++;
    }
    secret_free(between);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err engine_sibling_reload(struct engine *engine)
{
    struct engine_sibling_reading reading = {.engine = engine};
    enum err err = join_is_pending(&engine->snapshot, &engine->is_joining);

    if (err == ERR_OK && engine->knocks_count == 0) {
        err = join_knock(&engine->snapshot, engine->knocks);
        engine->knocks_count = engine->knocks_held = err == ERR_OK ? 1 : 0;
        if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    if (err == ERR_OK)
        err = engine_sibling_knock(engine);
    if (err == ERR_OK)
        err = engine_mutual_reload(engine);
    if (err == ERR_OK)
        err = view_knocks_told(&engine->snapshot, engine->knocks, ENGINE_KNOCKS_MAX,
                               &engine->knocks_held);
    if (engine->is_joining)
        engine_wake_by(engine, engine->now_ms + ENGINE_JOIN_MS);
    if (err == ERR_OK)
        err = view_device_each(&engine->snapshot, ledger_member(engine->ledger),
                               engine_sibling_on_device, &reading);
    return err == ERR_OK ? engine_old_settle(engine, &reading.old) : err;
}

/* PROTOCOL OWN-2: "Own devices knock with any of the knock keys they hold, and those that the card
 * space told once, whoever drew them, the newest first, after each failure with the next: the one
 * who is called may not have heard of the newest." */
/* PROTOCOL OWN-12: "Own devices try it second." */
enum err engine_sibling_dial_keys(struct engine *engine, const struct engine_target *target,
                                  uint8_t room[static 2 * KEY_SIZE], struct handshake_dial *dial)
{
    size_t at = target->failures % (engine->knocks_held + 1);
    enum err err = ERR_OK;

    if (at == 1 || engine->knocks_held == 0)
        err = join_knock_mutual(&engine->snapshot, ledger_static_key(engine->ledger),
                                target->static_key, room);
    else
        memcpy(room, engine->knocks + (at > 1 ? at - 1 : 0) * KEY_SIZE, KEY_SIZE);
    dial->knock = room;
    dial->psk = room + KEY_SIZE;
    return err == ERR_OK ? join_secret(&engine->snapshot, room + KEY_SIZE) : err;
}

/* Who calls. */

enum err engine_sibling_search(struct engine *engine, struct engine_conn *conn, struct span third,
                               struct buf *content, struct handshake_result *result)
{
    uint8_t *secret = secret_new(KEY_SIZE);
    enum err err = secret != NULL ? join_secret(&engine->snapshot, secret) : ERR_NOMEM;

    if (err == ERR_OK)
        err = handshake_try_psk(conn->handshake, third, secret, content, result);
    secret_free(secret);
    return err == ERR_NOT_FOUND || err == ERR_MALFORMED ? ERR_FORGED : err;
}

enum err engine_sibling_try(struct engine *engine, struct engine_conn *conn, struct span third,
                            const struct device_row *device, struct buf *content,
                            struct handshake_result *result)
{
    enum err err;

    if (engine_sibling_is_out(engine, &device->device) ||
        engine_call_is_banned(engine, &device->device, &device->member))
        return ERR_FORGED;
    err = engine_sibling_search(engine, conn, third, content, result);
    if (err == ERR_OK) {
        conn->member = device->member;
        conn->device = device->device;
    }
    return err;
}

/* A new device. */

void engine_sibling_tend(struct engine *engine)
{
    bool is_met = false;

    if (!engine->is_joining || engine->is_stopping)
        return;
    engine_wake_by(engine, engine->now_ms + ENGINE_JOIN_MS);
    for (struct engine_conn *conn = engine->conns; conn != NULL && !is_met; conn = conn->next)
        is_met = conn->state == CONN_SESSION && conn->is_confirmed &&
                 engine_sibling_is(engine, &conn->member) && session_is_in_step(conn->session);
    if (is_met && !follow_is_behind(engine->ledger))
        (void)engine_effect(engine, ENGINE_JOINED, 0); /* A failure is remembered. */
}
