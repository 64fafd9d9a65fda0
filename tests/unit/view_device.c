/* Which certificates a reader takes, as they come one by one: how long a chain may grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "storage/retire_table.h"
#include "tests/sim/member.h"

enum { CHAIN_ADMITS = 0, CHAIN_FOLLOWS = 1 };

/* Bruno reads; the devices are Ana's, all of them made up here. Device 0 is her root. */
struct chain_world {
    struct member ana, bruno;
};

static void chain_key(const struct chain_world *world, uint8_t device, struct signing_key *out)
{
    uint8_t seed[SEED_SIZE];

    memset(seed, 0xa0 + device, sizeof seed); /* None of the members'. */
    identity_signing_key(device == 0 ? world->ana.secrets.root_seed : seed, out);
}

/* Bruno hears that `by` certifies `device`: is that how he knows it then? */
static bool chain_takes(struct chain_world *world, uint8_t by, uint8_t device, int form)
{
    struct signing_key certifier, certified;
    struct certificate certificate = {.member = world->ana.secrets.member,
                                      .time_ms = world->ana.now_ms,
                                      .is_successor = form == CHAIN_FOLLOWS,
                                      .name = span_str("made up")};
    struct ledger_txn *txn = member_begin(&world->bruno);
    struct device_row row = {0};
    struct buf statement = {0};
    struct snapshot snapshot;
    enum err err;

    chain_key(world, by, &certifier);
    chain_key(world, device, &certified);
    certificate.device = certified.public_key;
    memset(certificate.static_key, 0x60 + device, KEY_SIZE);
    memset(certificate.receiving_key, 0x80 + device, KEY_SIZE);
    assert_int_equal(certificate_issue(&certificate, &certifier, &statement), ERR_OK);
    assert_int_equal(retire_table_take(txn, NULL, buf_span(&statement)), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    snapshot = member_snapshot(&world->bruno);
    err = view_device(&snapshot, &certified.public_key, &row);
    ledger_snapshot_end(&snapshot);
    buf_release(&statement);
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    return err == ERR_OK && public_key_is_equal(&row.certifier, &certifier.public_key);
}

/* The certificates from the root down to this device, as Bruno tells them to others. */
static size_t chain_length(struct chain_world *world, uint8_t device)
{
    struct snapshot snapshot = member_snapshot(&world->bruno);
    struct span statements[VIEW_CHAIN_MAX];
    struct hash next_root = {{7}}, read;
    struct device_chain chain;
    struct signing_key key;
    struct buf identity = {0};
    size_t count = 0;

    chain_key(world, device, &key);
    assert_int_equal(view_device_chain(&snapshot, &key.public_key, statements, &count), ERR_OK);
    device_put_identity(&world->ana.secrets.member, &next_root, statements, count, &identity);
    assert_int_equal(device_read_identity(buf_span(&identity), &chain, &read), ERR_OK);
    assert_true(public_key_is_equal(&device_of(&chain)->device, &key.public_key));
    ledger_snapshot_end(&snapshot);
    buf_release(&identity);
    return count;
}

static void chain_world_new(struct chain_world *world)
{
    member_new(&world->ana, 1, false);
    member_new(&world->bruno, 2, false);
    member_link(&world->ana, &world->bruno);
    assert_true(chain_takes(world, 0, 1, CHAIN_ADMITS));
    assert_true(chain_takes(world, 1, 2, CHAIN_ADMITS));
    assert_true(chain_takes(world, 2, 3, CHAIN_ADMITS));
}

static void chain_world_free(struct chain_world *world)
{
    member_free(&world->ana);
    member_free(&world->bruno);
}

/* PROTOCOL CERT-2: "a successor stands at the depth of the device before it." */
static void a_device_three_below_the_root_has_two_successors_in_turn(void **state)
{
    struct chain_world world;

    (void)state;
    chain_world_new(&world);
    assert_false(chain_takes(&world, 3, 4, CHAIN_ADMITS)); /* A fourth below. */
    assert_true(chain_takes(&world, 3, 4, CHAIN_FOLLOWS));
    assert_false(chain_takes(&world, 4, 5, CHAIN_ADMITS)); /* Below a successor is no more room. */
    assert_true(chain_takes(&world, 4, 5, CHAIN_FOLLOWS));
    assert_int_equal(chain_length(&world, 5), CHAIN_CERTIFICATES_MAX);
    assert_false(chain_takes(&world, 5, 6, CHAIN_FOLLOWS)); /* In all it is enough. */
    assert_true(chain_takes(&world, 0, 5, CHAIN_ADMITS));   /* By the root at last: */
    assert_int_equal(chain_length(&world, 5), 1);
    assert_true(chain_takes(&world, 5, 6, CHAIN_FOLLOWS));  /* room again. */
    assert_false(chain_takes(&world, 4, 5, CHAIN_FOLLOWS)); /* The root's counts. */
    chain_world_free(&world);
}

/* PROTOCOL CERT-2: "No certificate of form 2 is by the root." */
static void the_root_has_no_successor_by_a_certificate(void **state)
{
    struct chain_world world;

    (void)state;
    chain_world_new(&world);
    assert_false(chain_takes(&world, 0, 4, CHAIN_FOLLOWS));
    assert_true(chain_takes(&world, 0, 4, CHAIN_ADMITS));
    chain_world_free(&world);
}

/* PROTOCOL RETIRE-12: "A certificate that would lead a chain through its own device is passed
 * over." Successors take no depth, so that the depth alone would not stop it. */
static void a_chain_never_closes_upon_itself(void **state)
{
    struct chain_world world;

    (void)state;
    chain_world_new(&world);
    assert_true(chain_takes(&world, 2, 4, CHAIN_FOLLOWS));
    assert_false(chain_takes(&world, 4, 2, CHAIN_FOLLOWS));
    assert_false(chain_takes(&world, 4, 4, CHAIN_FOLLOWS));
    assert_int_equal(chain_length(&world, 4), 3);
    assert_int_equal(chain_length(&world, 2), 2);
    chain_world_free(&world);
}

/* What a member does to the devices above is no damage of the reader's store. */
static void a_chain_that_grew_from_above_is_no_chain_any_more(void **state)
{
    struct chain_world world;
    struct span statements[VIEW_CHAIN_MAX];
    struct snapshot snapshot;
    struct signing_key key;
    size_t count = 0;

    (void)state;
    chain_world_new(&world);
    assert_true(chain_takes(&world, 3, 4, CHAIN_FOLLOWS));
    assert_true(chain_takes(&world, 4, 5, CHAIN_FOLLOWS));
    assert_true(chain_takes(&world, 1, 6, CHAIN_ADMITS));
    assert_true(chain_takes(&world, 6, 2, CHAIN_ADMITS)); /* Five lead to device 4 now, six on. */
    chain_key(&world, 5, &key);
    snapshot = member_snapshot(&world.bruno);
    assert_int_equal(view_device_chain(&snapshot, &key.public_key, statements, &count),
                     ERR_NOT_FOUND);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(chain_length(&world, 2), 3);
    assert_true(chain_takes(&world, 0, 4, CHAIN_ADMITS)); /* The root can mend it. */
    assert_int_equal(chain_length(&world, 5), 2);
    chain_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_three_below_the_root_has_two_successors_in_turn),
        cmocka_unit_test(the_root_has_no_successor_by_a_certificate),
        cmocka_unit_test(a_chain_never_closes_upon_itself),
        cmocka_unit_test(a_chain_that_grew_from_above_is_no_chain_any_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
