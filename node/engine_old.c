/* Devices that were retired as forked, as somebody to call: their machine may not know yet, or go
 * on under a name that nobody here has heard of. Never one that is shut out. */
#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/engine_state.h"

/* The new names come first: their sessions make a call by an old one needless. */
enum { ENGINE_OLD_FIRST_MS = 10 * 1000, ENGINE_OLD_WAIT_MS = 60 * 1000 };

/* What this machine itself was called. */
static bool engine_old_is_mine(const struct engine *engine, const struct device_row *device)
{
    const struct exchange_key *key;

    for (size_t at = 0; (key = ledger_old_static_key(engine->ledger, at)) != NULL; at++)
        if (memcmp(key->public_key, device->static_key, KEY_SIZE) == 0)
            return true;
    return false;
}

/* Those of `from` that are not there yet; of ENGINE_TARGET_ADDRESSES in all. */
static void engine_old_add_places(struct address *places, size_t *count, const struct address *from,
                                  size_t from_count)
{
    for (size_t at = 0; at < from_count; at++) {
        bool is_known = *count == ENGINE_TARGET_ADDRESSES;

        for (size_t had = 0; had < *count && !is_known; had++)
            is_known = address_is_equal(&places[had], &from[at]);
        if (!is_known)
            places[(*count)++] = from[at];
    }
}

/* The newest stay. */
static void engine_old_note_name(struct engine_old *old, const struct device_row *device)
{
    size_t at = 0;

    if (old->names_count < ENGINE_OLD_NAMES_MAX) {
        old->names[old->names_count++] = *device;
        return;
    }
    for (size_t other = 1; other < old->names_count; other++)
        if (old->names[other].certified_at_ms < old->names[at].certified_at_ms)
            at = other;
    if (device->certified_at_ms > old->names[at].certified_at_ms)
        old->names[at] = *device;
}

enum err engine_old_on_device(const struct engine *engine, const struct device_row *device,
                              struct engine_old *old)
{
    enum standing standing = STANDING_GOOD;
    enum err err = standing_of(&engine->snapshot, &device->device, &standing);

    if (err == ERR_OK && standing == STANDING_FORKED && !engine_old_is_mine(engine, device))
        engine_old_note_name(old, device);
    return err;
}

void engine_old_note_homeless(struct engine_old *old, struct engine_target *target, bool is_told)
{
    if (!is_told && old->homeless_count < ENGINE_HOMELESS_MAX)
        old->homeless[old->homeless_count++] = target;
}

static enum err engine_old_add(struct engine *engine, const struct device_row *device,
                               struct engine_old *old)
{
    struct engine_target *target = engine_call_add_device(engine, &device->device, true);
    enum err err;

    if (target == NULL)
        return ERR_NOMEM;
    if (target->dial_at_ms == 0)
        target->dial_at_ms = engine->now_ms + ENGINE_OLD_FIRST_MS;
    target->member = device->member;
    memcpy(target->static_key, device->static_key, KEY_SIZE);
    (void)snprintf(target->name, sizeof target->name, "%s",
                   old->peer == NULL ? device->name : old->peer);
    target->is_stale = target->is_held = false;
    err = view_peer_addresses(&engine->snapshot, &device->device, target->addresses,
                              &target->addresses_count, NULL);
    if (err == ERR_OK)
        engine_old_add_places(old->addresses, &old->addresses_count, target->addresses,
                              target->addresses_count);
    return err;
}

/* PROTOCOL HANDSHAKE-12: "A device that nobody told an address of is called where those of its
 * member were that were retired as forked, too: where the link was made may be another's place." */
enum err engine_old_settle(struct engine *engine, struct engine_old *old)
{
    for (size_t at = 0; at < old->names_count; at++) {
        enum err err = engine_old_add(engine, &old->names[at], old);

        if (err != ERR_OK)
            return err;
    }
    for (size_t at = 0; at < old->homeless_count; at++)
        engine_old_add_places(old->homeless[at]->addresses, &old->homeless[at]->addresses_count,
                              old->addresses, old->addresses_count);
    return ERR_OK;
}

/* Is somebody of the target's member met who is to be found at this address? */
static bool engine_old_is_met(const struct engine *engine, const struct engine_target *target,
                              const struct address *address)
{
    for (const struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next) {
        const struct engine_target *known = conn->known;

        if (conn->state != CONN_SESSION || !conn->is_confirmed || known == NULL ||
            !public_key_is_equal(&known->member, &target->member))
            continue;
        for (size_t at = 0; at < known->addresses_count; at++)
            if (address_is_equal(&known->addresses[at], address))
                return true;
    }
    return false;
}

/* PROTOCOL HANDSHAKE-12: "A device that was retired as forked is called, too, where no other device
 * of its member is met: its machine may not know yet, or go on under a name that nobody told." */
bool engine_old_may_call(struct engine *engine, struct engine_target *target)
{
    if (!target->is_old_name)
        return true;
    for (size_t at = target->next_address; at < target->addresses_count; at++) {
        target->next_address = at;
        if (!engine_old_is_met(engine, target, &target->addresses[at]))
            return true;
    }
    target->next_address = 0;
    target->dial_at_ms = engine->now_ms + ENGINE_OLD_WAIT_MS;
    engine_wake_by(engine, target->dial_at_ms);
    return false;
}

/* PROTOCOL HANDSHAKE-12: "Such calls wait longer each time, answered or not." */
void engine_old_ended(struct engine_target *target)
{
    if (target->is_old_name && target->failures < 32)
        target->failures++;
}

uint64_t engine_old_dial_at(const struct engine *engine, const struct engine_target *target)
{
    return target->is_old_name ? engine->now_ms + ENGINE_OLD_FIRST_MS : 0;
}
