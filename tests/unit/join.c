/* What own devices share from the beginning. PROTOCOL OWN-1, OWN-2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "storage/heal.h"
#include "storage/join.h"
#include "storage/ledger_state.h"
#include "storage/space.h"
#include "tests/sim/joined.h"

/* The desk admits the lap, and the lap the pad; Bruno is another member. */
struct join_world {
    struct member desk, lap, pad, bruno;
};

static void join_commit(struct ledger_txn *txn)
{
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void join_meet(struct member *device, struct member *host)
{
    struct ledger_txn *txn;

    (void)member_pull(device, host, NULL);
    (void)member_pull(device, host, NULL);
    txn = member_begin(device);
    assert_int_equal(join_finish(txn), ERR_OK);
    join_commit(txn);
}

static void join_world_new(struct join_world *world)
{
    member_new(&world->desk, 1, false);
    member_new(&world->bruno, 2, false);
    joined_new(&world->lap, &world->desk, 3);
    join_meet(&world->lap, &world->desk);
    joined_new(&world->pad, &world->lap, 4);
}

static void join_world_free(struct join_world *world)
{
    member_free(&world->desk);
    member_free(&world->lap);
    member_free(&world->pad);
    member_free(&world->bruno);
}

static void join_read(struct member *member, uint8_t out[static KEY_SIZE])
{
    struct snapshot snapshot = member_snapshot(member);

    assert_int_equal(join_secret(&snapshot, out), ERR_OK);
    ledger_snapshot_end(&snapshot);
}

static void own_devices_share_a_secret(void **state)
{
    struct join_world world;
    uint8_t first[KEY_SIZE], second[KEY_SIZE];

    (void)state;
    join_world_new(&world);
    join_read(&world.desk, first);
    join_read(&world.lap, second);
    assert_memory_equal(first, second, KEY_SIZE);
    join_read(&world.pad, second);
    assert_memory_equal(first, second, KEY_SIZE);
    join_read(&world.bruno, second);
    assert_memory_not_equal(first, second, KEY_SIZE);
    join_world_free(&world);
}

/* A device that goes on before it has joined opens an epoch of self that has no parent. */
static void join_open_alone(struct member *device)
{
    struct ledger_txn *txn = member_begin(device);

    txn->is_joining = false;
    assert_int_equal(space_rotate(txn, ledger_self_space(device->ledger)), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static enum err join_on_epoch(void *self, const struct hash *id)
{
    (void)id;
    (*(size_t *)self)++;
    return ERR_OK;
}

static size_t join_epochs(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    struct space_row self;
    size_t count = 0;

    assert_int_equal(ledger_space(&snapshot, ledger_self_space(member->ledger), &self), ERR_OK);
    assert_int_equal(epoch_table_each(&snapshot, self.number, join_on_epoch, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

static void whatever_is_opened_beside_the_first_epoch_the_secret_stays(void **state)
{
    struct join_world world;
    uint8_t first[KEY_SIZE], now[KEY_SIZE];
    size_t before;

    (void)state;
    join_world_new(&world);
    join_read(&world.desk, first);
    join_open_alone(&world.pad);
    join_read(&world.pad, now);
    assert_memory_equal(first, now, KEY_SIZE);
    before = join_epochs(&world.lap);
    (void)member_pull(&world.lap, &world.pad, NULL);
    (void)member_pull(&world.desk, &world.lap, NULL);
    (void)member_pull(&world.desk, &world.lap, NULL);
    assert_true(join_epochs(&world.lap) > before);
    join_read(&world.lap, now);
    assert_memory_equal(first, now, KEY_SIZE);
    join_read(&world.desk, now);
    assert_memory_equal(first, now, KEY_SIZE);
    join_world_free(&world);
}

/* A store of before own devices kept the secret. */
static void join_forget_secret(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);
    struct key key;

    key_of_byte(META_WELCOME, &key);
    assert_int_equal(ledger_erase(txn, TABLE_META, &key), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

struct join_least {
    struct snapshot snapshot;
    struct hash id;
};

static enum err join_on_least(void *self, const struct hash *id)
{
    struct join_least *least = self;
    struct epoch_row row;

    assert_int_equal(epoch_table_get(&least->snapshot, id, &row), ERR_OK);
    least->id = *id;
    return row.epoch.depth == 1 ? ERR_CANCELLED : ERR_OK;
}

/* Of those without a parent; they come in ascending order. */
static struct hash join_least_epoch(struct member *member)
{
    struct join_least least = {.snapshot = member_snapshot(member)};
    struct space_row self;

    assert_int_equal(ledger_space(&least.snapshot, ledger_self_space(member->ledger), &self),
                     ERR_OK);
    assert_int_equal(epoch_table_each(&least.snapshot, self.number, join_on_least, &least),
                     ERR_CANCELLED);
    ledger_snapshot_end(&least.snapshot);
    return least.id;
}

/* The one with the least id is another device's, of the same depth. */
static void a_store_that_is_older_than_the_secret_finds_the_first_epoch(void **state)
{
    struct hash own, least;
    struct member desk;
    uint8_t first[KEY_SIZE], now[KEY_SIZE];

    (void)state;
    member_new(&desk, 1, false);
    join_read(&desk, first);
    join_forget_secret(&desk);
    join_read(&desk, now);
    assert_memory_equal(first, now, KEY_SIZE);
    own = join_least_epoch(&desk);
    for (uint8_t seed = 3; seed < 9; seed++) {
        struct member device;

        joined_new(&device, &desk, seed);
        join_open_alone(&device);
        (void)member_pull(&desk, &device, NULL);
        member_free(&device);
        least = join_least_epoch(&desk);
    }
    assert_memory_not_equal(&own, &least, sizeof own);
    join_read(&desk, now);
    assert_memory_equal(first, now, KEY_SIZE);
    member_free(&desk);
}

/* With the secret whoever was shut out has the knock. */
static void own_devices_share_a_knock_until_one_is_out(void **state)
{
    struct join_world world;
    struct snapshot snapshot;
    struct ledger_txn *txn;
    uint8_t first[KEY_SIZE], second[KEY_SIZE];

    (void)state;
    join_world_new(&world);
    snapshot = member_snapshot(&world.desk);
    assert_int_equal(join_knock_between(&snapshot, first), ERR_OK);
    ledger_snapshot_end(&snapshot);
    snapshot = member_snapshot(&world.pad);
    assert_int_equal(join_knock_between(&snapshot, second), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_memory_equal(first, second, KEY_SIZE);
    txn = member_begin(&world.desk);
    assert_int_equal(heal_shut_out(txn, ledger_device(world.lap.ledger), RETIRE_OWNER), ERR_OK);
    join_commit(txn);
    snapshot = member_snapshot(&world.desk);
    assert_int_equal(join_knock_between(&snapshot, first), ERR_NOT_FOUND);
    ledger_snapshot_end(&snapshot);
    join_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_devices_share_a_secret),
        cmocka_unit_test(whatever_is_opened_beside_the_first_epoch_the_secret_stays),
        cmocka_unit_test(a_store_that_is_older_than_the_secret_finds_the_first_epoch),
        cmocka_unit_test(own_devices_share_a_knock_until_one_is_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
