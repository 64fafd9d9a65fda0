/* HANDSHAKE-12: where a device is called of which nobody told a place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/engine.h"
#include "node/react.h"
#include "proto/link.h"
#include "storage/heal.h"
#include "storage/retire_table.h"
#include "tests/sim/member.h"

enum { PLACES_SOON_MS = 5000 }; /* old names are called later */

/* Ana, and Ben's device that was retired as forked beside the one that goes on. */
struct places_world {
    struct member ana, old, ben;
    struct address link, reached; /* where the link was made; where the old one was met last */
    struct engine *engine;
    size_t links, reaches; /* calls there */
};

static void places_commit(struct ledger_txn *txn)
{
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static bool places_wants_none(void *self, const struct space_row *space)
{
    (void)self;
    (void)space;
    return false;
}

static enum err places_on_fact(void *self, struct span statement)
{
    return retire_table_take(self, NULL, statement);
}

static void places_retire(struct places_world *world)
{
    struct id card = member_card_space(&world->ben);
    struct ledger_txn *txn = member_begin(&world->ben);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row row;

    assert_int_equal(ledger_space(&snapshot, &card, &row), ERR_OK);
    assert_int_equal(heal_sibling(txn, &row, ledger_device(world->old.ledger)), ERR_OK);
    places_commit(txn);
    snapshot = member_snapshot(&world->ben);
    txn = member_begin(&world->ana);
    assert_int_equal(retire_table_facts(&snapshot, ledger_device(world->old.ledger),
                                        places_wants_none, places_on_fact, txn),
                     ERR_OK);
    places_commit(txn);
    ledger_snapshot_end(&snapshot);
}

static struct address places_address(uint8_t number)
{
    return (struct address){.host = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = number},
                            .port = 5484};
}

/* What Ana holds of where they are. */
static void places_tell(struct places_world *world)
{
    struct ledger_txn *txn = member_begin(&world->ana);
    struct edit_space edit = {0};
    struct buf list = {0};
    struct id object;

    address_put_list(&world->link, 1, &list);
    id_about("kith link", &world->ben.secrets.member, &object);
    edit_begin(&edit, KIND_LINK, &object, world->ana.now_ms);
    edit_set(&edit, LINK_ADDRESSES, 1,
             (struct value){.type = VALUE_BYTES, .bytes = buf_span(&list)});
    edit_set(&edit, LINK_KNOCK, 1,
             (struct value){.type = VALUE_BYTES,
                            .bytes = span_of(world->ben.secrets.member.bytes, KEY_SIZE)});
    assert_int_equal(ledger_append(txn, ledger_self_space(world->ana.ledger), &edit, 0), ERR_OK);
    buf_clear(&list);
    address_put_list(&world->reached, 1, &list);
    assert_int_equal(view_peer_reached(txn, ledger_device(world->old.ledger), buf_span(&list), 1),
                     ERR_OK);
    places_commit(txn);
    edit_release(&edit);
    buf_release(&list);
}

static void places_world_new(struct places_world *world)
{
    struct engine_options options = {.is_loopback_only = false};

    memset(world, 0, sizeof *world);
    world->link = places_address(1);
    world->reached = places_address(2);
    member_new(&world->ana, 1, false);
    member_new(&world->old, 2, false);
    member_link(&world->ana, &world->old);
    member_grant(&world->old, &world->ana);
    member_twin(&world->ben, &world->old, 9);
    for (int round = 0; round < 2; round++)
        (void)member_pull(&world->ana, &world->old, NULL);
    places_retire(world);
    places_tell(world);
    options.ledger = world->ana.ledger;
    assert_int_equal(engine_new(&options, &world->engine), ERR_OK);
}

static void places_world_free(struct places_world *world)
{
    engine_free(world->engine);
    member_free(&world->ana);
    member_free(&world->old);
    member_free(&world->ben);
}

/* Nobody answers anywhere. */
static void places_step(struct places_world *world, struct engine_event event)
{
    const struct engine_effect *effects;
    conn_id dials[16];
    size_t count, dials_count = 0;

    event.wall_ms = UINT64_C(1700000000000) + event.now_ms;
    assert_int_equal(engine_step(world->engine, &event, &effects, &count), ERR_OK);
    for (size_t at = 0; at < count; at++) {
        if (effects[at].type != ENGINE_DIAL)
            continue;
        world->links += address_is_equal(&effects[at].address, &world->link);
        world->reaches += address_is_equal(&effects[at].address, &world->reached);
        assert_in_range(dials_count, 0, 15);
        dials[dials_count++] = effects[at].conn;
    }
    for (size_t at = 0; at < dials_count; at++)
        places_step(world, (struct engine_event){.type = ENGINE_DIAL_FAILED,
                                                 .conn = dials[at],
                                                 .now_ms = event.now_ms});
}

/* The link's place is that of the machine it was made with, perhaps another: the one that goes on
 * is called where the one before it was met, too. */
static void whose_place_nobody_told_is_called_where_the_old_one_was(void **state)
{
    struct places_world world;

    (void)state;
    places_world_new(&world);
    places_step(&world, (struct engine_event){.type = ENGINE_PEERS_CHANGED, .now_ms = 1000000});
    for (uint64_t at = 500; at < PLACES_SOON_MS; at += 500)
        places_step(&world, (struct engine_event){.type = ENGINE_WOKEN, .now_ms = 1000000 + at});
    assert_true(world.links > 0);
    assert_true(world.reaches > 0);
    places_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_place_nobody_told_is_called_where_the_old_one_was),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
