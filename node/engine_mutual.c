/* The knock keys that this device has with each other device of its member, and with no third: who
 * was shut out has none of them, and who was not always has one, whatever else was drawn anew. */
#include <string.h>

#include "crypto/secret.h"
#include "node/engine_state.h"
#include "storage/join.h"
#include "storage/standing.h"

enum {
    ENGINE_MUTUAL_DEVICES_MAX = 32,
    ENGINE_MUTUALS_MAX = 256 /* each of those under eight names of this machine */
};

/* One multiplication is behind each: they are kept. */
struct engine_mutual {
    uint8_t own[KEY_SIZE], other[KEY_SIZE]; /* public keys */
    uint8_t knock[KEY_SIZE];
};

struct engine_mutual_other {
    uint8_t static_key[KEY_SIZE];
    uint64_t certified_at_ms;
};

struct engine_mutual_reading {
    const struct engine *engine;
    struct engine_mutual_other others[ENGINE_MUTUAL_DEVICES_MAX];
    size_t count;
    struct engine_mutual *to; /* secret */
    size_t to_count, to_max;
};

/* The newest stay: a device that has met nobody yet, which needs it most, is among them. */
static void engine_mutual_note(struct engine_mutual_reading *reading,
                               const struct device_row *device)
{
    size_t at = 0;

    if (reading->count < ENGINE_MUTUAL_DEVICES_MAX) {
        at = reading->count++;
    } else {
        for (size_t other = 1; other < reading->count; other++)
            if (reading->others[other].certified_at_ms < reading->others[at].certified_at_ms)
                at = other;
        if (device->certified_at_ms <= reading->others[at].certified_at_ms)
            return;
    }
    memcpy(reading->others[at].static_key, device->static_key, KEY_SIZE);
    reading->others[at].certified_at_ms = device->certified_at_ms;
}

/* What this machine was called before is another device, too: a copy of it may go on so. */
static enum err engine_mutual_on_device(void *self, const struct device_row *device)
{
    struct engine_mutual_reading *reading = self;
    const struct engine *engine = reading->engine;
    enum standing standing = STANDING_GOOD;
    enum err err;

    if (public_key_is_equal(&device->device, ledger_device(engine->ledger)))
        return ERR_OK;
    err = standing_of(&engine->snapshot, &device->device, &standing);
    if (err == ERR_OK && !standing_is_out(standing))
        engine_mutual_note(reading, device);
    return err;
}

static enum err engine_mutual_add(struct engine_mutual_reading *reading,
                                  const struct exchange_key *own,
                                  const uint8_t other[static KEY_SIZE])
{
    const struct engine *engine = reading->engine;
    struct engine_mutual *to = &reading->to[reading->to_count];
    enum err err;

    memcpy(to->own, own->public_key, KEY_SIZE);
    memcpy(to->other, other, KEY_SIZE);
    for (size_t at = 0; at < engine->mutuals_count; at++)
        if (memcmp(&engine->mutuals[at], to, 2 * KEY_SIZE) == 0) {
            reading->to[reading->to_count++] = engine->mutuals[at];
            return ERR_OK;
        }
    err = join_knock_mutual(&engine->snapshot, own, other, to->knock);
    if (err == ERR_OK)
        reading->to_count++;
    return err == ERR_FORGED || err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL HANDSHAKE-10: "A caller who knows only a device that has a successor is answered under
 * that device's static key" */
static enum err engine_mutual_fill(struct engine_mutual_reading *reading)
{
    const struct ledger *ledger = reading->engine->ledger;
    const struct exchange_key *own = ledger_static_key(ledger);
    enum err err = ERR_OK;

    for (size_t name = 0; own != NULL; name++) {
        for (size_t at = 0; at < reading->count && err == ERR_OK; at++)
            if (reading->to_count < reading->to_max)
                err = engine_mutual_add(reading, own, reading->others[at].static_key);
        own = ledger_old_static_key(ledger, name);
    }
    return err;
}

static size_t engine_mutual_names(const struct ledger *ledger)
{
    size_t count = 0;

    while (ledger_old_static_key(ledger, count) != NULL)
        count++;
    return count + 1;
}

/* PROTOCOL OWN-12: "It is answered where the other is a device of the member that is not shut out:
 * the 32 whose certificates are the newest." */
enum err engine_mutual_reload(struct engine *engine)
{
    struct engine_mutual_reading reading = {.engine = engine};
    enum err err = view_device_each(&engine->snapshot, ledger_member(engine->ledger),
                                    engine_mutual_on_device, &reading);

    reading.to_max = reading.count * engine_mutual_names(engine->ledger);
    if (reading.to_max > ENGINE_MUTUALS_MAX)
        reading.to_max = ENGINE_MUTUALS_MAX;
    if (err == ERR_OK && reading.to_max > 0) {
        reading.to = secret_new(reading.to_max * sizeof *reading.to);
        err = reading.to != NULL ? engine_mutual_fill(&reading) : ERR_NOMEM;
    }
    if (err != ERR_OK) {
        secret_free(reading.to);
        return err;
    }
    secret_free(engine->mutuals);
    engine->mutuals = reading.to;
    engine->mutuals_count = reading.to_count;
    return ERR_OK;
}

const uint8_t *engine_mutual_knock(const struct engine *engine, size_t index)
{
    return index < engine->mutuals_count ? engine->mutuals[index].knock : NULL;
}
