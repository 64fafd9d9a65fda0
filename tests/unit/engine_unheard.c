/* A device of one's own that answers and then refuses is told of: nobody else would notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/handshake.h"
#include "crypto/secret.h"
#include "node/engine.h"
#include "storage/view_peer.h"
#include "tests/sim/member.h"

enum { UNHEARD_MINUTE_MS = 60 * 1000 };

/* Ana's desk, whose engine it is, and her lap, played by hand. */
struct unheard {
    struct member desk, lap;
    struct engine *engine;
    uint64_t now_ms;
    bool is_there;
    size_t answered, told;
};

static void unheard_meet(struct unheard *world)
{
    struct address address = {.host = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1},
                              .port = 5484};
    struct snapshot snapshot = member_snapshot(&world->lap);
    struct device_chain chain;
    struct buf identity = {0}, list = {0};
    struct ledger_txn *txn;
    struct hash next_root;

    assert_int_equal(view_identity(&snapshot, &identity), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(device_read_identity(buf_span(&identity), &chain, &next_root), ERR_OK);
    address_put_list(&address, 1, &list);
    txn = member_begin(&world->desk);
    assert_int_equal(view_device_meet(txn, &chain), ERR_OK);
    assert_int_equal(view_peer_reached(txn, ledger_device(world->lap.ledger), buf_span(&list), 1),
                     ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    buf_release(&identity);
    buf_release(&list);
}

/* What the lap does with a call: it answers, and closes once it has heard who calls. */
static void unheard_step(struct unheard *world, struct engine_event event)
{
    const struct engine_effect *effects;
    struct handshake *handshake = secret_new(sizeof *handshake);
    struct buf first = {0}, second = {0};
    conn_id dialled = 0, said = 0;
    size_t count;

    event.now_ms = world->now_ms;
    event.wall_ms = UINT64_C(1700000000000) + world->now_ms;
    assert_int_equal(engine_step(world->engine, &event, &effects, &count), ERR_OK);
    for (size_t at = 0; at < count; at++) {
        if (effects[at].type == ENGINE_DIAL)
            dialled = effects[at].conn;
        if (effects[at].type == ENGINE_SEND && effects[at].bytes.size == HANDSHAKE_FIRST_SIZE) {
            said = effects[at].conn;
            buf_append(&first, effects[at].bytes);
        }
        if (effects[at].type == ENGINE_JOURNAL && strcmp(effects[at].journal.kind, "refused") == 0)
            world->told++;
    }
    if (said != 0) {
        assert_int_equal(handshake_answer(handshake, ledger_static_key(world->lap.ledger),
                                          buf_span(&first), &world->lap.entropy, &second),
                         ERR_OK);
        world->answered++;
        unheard_step(world, (struct engine_event){
                                .type = ENGINE_BYTES, .conn = said, .bytes = buf_span(&second)});
        unheard_step(world, (struct engine_event){.type = ENGINE_CLOSED, .conn = said});
    }
    secret_free(handshake);
    buf_release(&first);
    buf_release(&second);
    if (dialled != 0)
        unheard_step(world, (struct engine_event){.type = world->is_there ? ENGINE_DIALLED
                                                                          : ENGINE_DIAL_FAILED,
                                                  .conn = dialled});
}

static void unheard_minutes(struct unheard *world, unsigned minutes)
{
    for (unsigned second = 0; second < minutes * 60; second++) {
        world->now_ms += UNHEARD_MINUTE_MS / 60;
        unheard_step(world, (struct engine_event){.type = ENGINE_WOKEN});
    }
}

static void an_own_device_that_refuses_this_one_is_told_of_once(void **state)
{
    struct engine_options options = {.is_loopback_only = false};
    struct unheard world = {.now_ms = 1000000};

    (void)state;
    member_new(&world.desk, 1, false);
    member_twin(&world.lap, &world.desk, 9);
    unheard_meet(&world);
    options.ledger = world.desk.ledger;
    assert_int_equal(engine_new(&options, &world.engine), ERR_OK);
    unheard_step(&world, (struct engine_event){.type = ENGINE_PEERS_CHANGED});
    /* One that is away is no news. */
    unheard_minutes(&world, 30);
    assert_int_equal(world.answered + world.told, 0);
    world.is_there = true;
    unheard_step(&world, (struct engine_event){.type = ENGINE_DIAL_NOW, .dial.is_all = true});
    unheard_minutes(&world, 9);
    assert_in_range(world.answered, 1, 1000);
    assert_int_equal(world.told, 0);
    unheard_minutes(&world, 60);
    assert_in_range(world.answered, 3, 1000);
    assert_int_equal(world.told, 1);
    engine_free(world.engine);
    member_free(&world.desk);
    member_free(&world.lap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_own_device_that_refuses_this_one_is_told_of_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
