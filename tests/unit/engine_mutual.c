/* The knock that two devices of one member have with each other. PROTOCOL OWN-12. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/handshake.h"
#include "crypto/secret.h"
#include "node/engine.h"
#include "node/react.h"
#include "storage/heal.h"
#include "storage/join.h"
#include "tests/sim/joined.h"

enum { MUTUAL_BEHIND = 32, MUTUAL_HOUR_MS = 3600 * 1000 };

/* Ana's desk, whose engine it is, and two that it has admitted and never met. */
struct mutual {
    struct member desk, lap, tab;
    struct engine *engine;
    uint64_t now_ms;
    conn_id next;
    size_t sent;
};

static void mutual_step(struct mutual *world, struct engine_event event)
{
    const struct engine_effect *effects;
    size_t count;

    event.now_ms = world->now_ms++;
    event.wall_ms = UINT64_C(1700000000000) + world->now_ms;
    assert_int_equal(engine_step(world->engine, &event, &effects, &count), ERR_OK);
    for (size_t at = 0; at < count; at++)
        if (effects[at].type == ENGINE_SEND)
            world->sent += effects[at].bytes.size;
}

static void mutual_reload(struct mutual *world)
{
    mutual_step(world, (struct engine_event){.type = ENGINE_PEERS_CHANGED});
}

static void mutual_new(struct mutual *world)
{
    struct engine_options options = {0};

    memset(world, 0, sizeof *world);
    world->now_ms = 1000000;
    member_new(&world->desk, 1, false);
    joined_new(&world->lap, &world->desk, 3);
    joined_new(&world->tab, &world->desk, 4);
    options.ledger = world->desk.ledger;
    assert_int_equal(engine_new(&options, &world->engine), ERR_OK);
    mutual_reload(world);
}

static void mutual_free(struct mutual *world)
{
    engine_free(world->engine);
    member_free(&world->desk);
    member_free(&world->lap);
    member_free(&world->tab);
}

/* Does the desk say anything to this knock? */
static bool mutual_hears(struct mutual *world, struct member *caller,
                         const uint8_t knock[static KEY_SIZE])
{
    static const uint8_t psk[KEY_SIZE];
    struct handshake_dial dial = {.own_static = ledger_static_key(caller->ledger),
                                  .remote_static =
                                      ledger_static_key(world->desk.ledger)->public_key,
                                  .knock = knock,
                                  .psk = psk};
    struct handshake *handshake = secret_new(sizeof *handshake);
    struct engine_event event = {.type = ENGINE_ACCEPTED,
                                 .address = {.host = {[10] = 0xff, [11] = 0xff}, .port = 40000}};
    struct buf first = {0};

    world->next += 2;
    event.conn = world->next;
    event.address.host[15] = (uint8_t)world->next;
    mutual_step(world, event);
    assert_int_equal(handshake_dial(handshake, &dial, &caller->entropy, &first), ERR_OK);
    world->sent = 0;
    mutual_step(world, (struct engine_event){
                           .type = ENGINE_BYTES, .conn = world->next, .bytes = buf_span(&first)});
    secret_free(handshake);
    buf_release(&first);
    return world->sent > 0;
}

/* The knock by this device's key for one with that other. */
static void mutual_knock(struct member *of, const struct member *with, uint8_t out[static KEY_SIZE])
{
    struct snapshot snapshot = member_snapshot(of);

    assert_int_equal(join_knock_mutual(&snapshot, ledger_static_key(of->ledger),
                                       ledger_static_key(with->ledger)->public_key, out),
                     ERR_OK);
    ledger_snapshot_end(&snapshot);
}

static bool mutual_calls(struct mutual *world, struct member *caller)
{
    uint8_t knock[KEY_SIZE];

    mutual_knock(caller, &world->desk, knock);
    return mutual_hears(world, caller, knock);
}

static void both_make_the_same_and_no_third(void **state)
{
    struct mutual world;
    uint8_t here[KEY_SIZE], there[KEY_SIZE];

    (void)state;
    mutual_new(&world);
    mutual_knock(&world.desk, &world.tab, here);
    mutual_knock(&world.tab, &world.desk, there);
    assert_memory_equal(here, there, KEY_SIZE);
    mutual_knock(&world.lap, &world.tab, there);
    assert_memory_not_equal(here, there, KEY_SIZE);
    mutual_knock(&world.lap, &world.desk, there);
    assert_memory_not_equal(here, there, KEY_SIZE);
    mutual_free(&world);
}

/* The lap has all that the tab was told, and its own knock: nothing answers it any more. */
static void whoever_is_shut_out_is_not_heard_and_the_others_are(void **state)
{
    struct mutual world;
    struct ledger_txn *txn;
    struct snapshot snapshot;
    uint8_t between[KEY_SIZE];

    (void)state;
    mutual_new(&world);
    snapshot = member_snapshot(&world.lap);
    assert_int_equal(join_knock_between(&snapshot, between), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_true(mutual_calls(&world, &world.tab));
    assert_true(mutual_calls(&world, &world.lap));
    assert_true(mutual_hears(&world, &world.lap, between));
    txn = member_begin(&world.desk);
    assert_int_equal(heal_shut_out(txn, ledger_device(world.lap.ledger), RETIRE_STOLEN), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    mutual_reload(&world);
    assert_true(mutual_calls(&world, &world.tab));
    assert_false(mutual_calls(&world, &world.lap));
    assert_false(mutual_hears(&world, &world.lap, between));
    mutual_knock(&world.lap, &world.tab, between);
    assert_false(mutual_hears(&world, &world.lap, between));
    mutual_free(&world);
}

/* A stranger's first message is compared with each of them. */
static void of_many_the_newest_are_heard(void **state)
{
    struct mutual world;

    (void)state;
    mutual_new(&world);
    for (uint8_t number = 0; number < MUTUAL_BEHIND; number++) {
        struct member device;

        world.desk.now_ms += MUTUAL_HOUR_MS;
        joined_new(&device, &world.desk, (uint8_t)(10 + number));
        mutual_reload(&world);
        assert_true(mutual_calls(&world, &device));
        assert_true(number > MUTUAL_BEHIND - 3 || mutual_calls(&world, &world.lap));
        member_free(&device);
    }
    assert_false(mutual_calls(&world, &world.lap));
    mutual_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_make_the_same_and_no_third),
        cmocka_unit_test(whoever_is_shut_out_is_not_heard_and_the_others_are),
        cmocka_unit_test(of_many_the_newest_are_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
