/* Which certificates a reader takes, as they come one by one: how long a chain may grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "proto/card.h"
#include "storage/retire_table.h"
#include "storage/space.h"
#include "storage/view_certificate.h"
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

/* Nothing that a member says makes a chain longer than it was. */
static void a_chain_does_not_grow_from_above(void **state)
{
    struct chain_world world;

    (void)state;
    chain_world_new(&world);
    assert_true(chain_takes(&world, 3, 4, CHAIN_FOLLOWS));
    assert_true(chain_takes(&world, 4, 5, CHAIN_FOLLOWS));
    assert_true(chain_takes(&world, 1, 6, CHAIN_ADMITS));
    assert_false(chain_takes(&world, 6, 2, CHAIN_ADMITS)); /* One more would lead to device 2. */
    assert_int_equal(chain_length(&world, 2), 2);
    assert_int_equal(chain_length(&world, 5), CHAIN_CERTIFICATES_MAX);
    assert_true(chain_takes(&world, 0, 4, CHAIN_ADMITS));
    assert_int_equal(chain_length(&world, 5), 2);
    chain_world_free(&world);
}

/* Writes one into Ana's card, with this counter. */
static void chain_write(struct chain_world *world, uint8_t by, uint8_t device, uint64_t counter)
{
    struct id card = member_card_space(&world->ana), object;
    struct ledger_txn *txn = member_begin(&world->ana);
    struct signing_key certifier, certified;
    struct certificate certificate = {.member = world->ana.secrets.member,
                                      .time_ms = world->ana.now_ms,
                                      .name = span_str("made up")};
    struct edit_space edit = {0};
    struct buf statement = {0};

    chain_key(world, by, &certifier);
    chain_key(world, device, &certified);
    certificate.device = certified.public_key;
    id_about("kith device", &certificate.device, &object);
    assert_int_equal(certificate_issue(&certificate, &certifier, &statement), ERR_OK);
    edit_begin(&edit, KIND_CERTIFICATE, &object, world->ana.now_ms);
    edit_set(&edit, CERTIFICATE_STATEMENT, counter,
             (struct value){.type = VALUE_BYTES, .bytes = buf_span(&statement)});
    assert_int_equal(ledger_append(txn, &card, &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
    buf_release(&statement);
}

/* Two devices write at once, and one edit wins: what the other said counts all the same. */
static void a_certificate_counts_though_its_edit_did_not_win(void **state)
{
    struct chain_world world;
    struct snapshot snapshot;
    struct device_row row;
    struct signing_key key;

    (void)state;
    chain_world_new(&world);
    member_grant(&world.ana, &world.bruno);
    chain_write(&world, 1, 6, 9);
    chain_write(&world, 0, 6, 1);
    (void)member_pull(&world.bruno, &world.ana, NULL);
    (void)member_pull(&world.bruno, &world.ana, NULL);
    chain_key(&world, 6, &key);
    snapshot = member_snapshot(&world.bruno);
    assert_int_equal(view_device(&snapshot, &key.public_key, &row), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_true(public_key_is_equal(&row.certifier, &world.ana.secrets.member));
    chain_world_free(&world);
}

/* All orders. */

enum { ORDER_FACTS_MAX = 6, ORDER_DEVICES = 7 };

struct order_fact {
    uint8_t by, device; /* 0: the root */
    int form;
    uint8_t time_s;
};

/* What is told, and by whom each device is certified then; 0xff: not known. */
struct order_case {
    const char *name;
    size_t facts_count;
    struct order_fact facts[ORDER_FACTS_MAX];
    uint8_t by[ORDER_DEVICES];
};

static const struct order_case order_cases[] = {
    {"the root's counts before any other",
     5,
     {{0, 1, 0, 1}, {1, 2, 0, 1}, {2, 3, 0, 1}, {1, 3, 0, 9}, {0, 3, 0, 1}},
     {0, 0, 1, 0, 0xff, 0xff, 0xff}},
    {"then the one that is nearest to the root",
     6,
     {{0, 1, 0, 1}, {1, 2, 0, 1}, {2, 3, 0, 9}, {0, 4, 0, 1}, {4, 3, 0, 1}, {3, 5, 0, 1}},
     {0, 0, 1, 4, 0, 3, 0xff}},
    {"a successor is as near as the device before it, and one further down",
     6,
     {{0, 1, 0, 1}, {1, 2, 1, 1}, {2, 3, 0, 1}, {1, 3, 0, 0}, {1, 4, 0, 9}, {4, 3, 1, 9}},
     {0, 0, 1, 1, 1, 0xff, 0xff}},
    {"of two as near the later",
     5,
     {{0, 1, 0, 1}, {0, 2, 0, 1}, {1, 3, 0, 5}, {2, 3, 0, 6}, {1, 3, 0, 7}},
     {0, 0, 0, 1, 0xff, 0xff, 0xff}},
    {"what was too far comes near",
     5,
     {{0, 1, 0, 1}, {1, 2, 0, 1}, {2, 3, 0, 1}, {3, 4, 0, 1}, {0, 3, 0, 1}},
     {0, 0, 1, 0, 3, 0xff, 0xff}},
    {"and what is too far stays unknown",
     4,
     {{0, 1, 0, 1}, {1, 2, 0, 1}, {2, 3, 0, 1}, {3, 4, 0, 1}},
     {0, 0, 1, 2, 0xff, 0xff, 0xff}},
    {"two that certify one another",
     6,
     {{0, 1, 0, 1}, {1, 2, 0, 1}, {2, 3, 1, 1}, {3, 2, 1, 9}, {0, 3, 0, 1}, {2, 1, 1, 9}},
     {0, 0, 3, 0, 0xff, 0xff, 0xff}},
    {"two that certify one another below nobody",
     3,
     {{2, 3, 1, 1}, {3, 2, 1, 9}, {0, 1, 0, 1}},
     {0, 0, 0xff, 0xff, 0xff, 0xff, 0xff}},
};

/* Devices of each order are others. */
static void order_key(const struct chain_world *world, uint32_t order, uint8_t device,
                      struct signing_key *out)
{
    uint8_t seed[SEED_SIZE] = {0xee};

    if (device == 0) {
        chain_key(world, 0, out);
        return;
    }
    be32_put(seed + 1, order);
    seed[5] = device;
    identity_signing_key(seed, out);
}

/* As an edit of the card would tell it. */
static void order_tell(struct chain_world *world, struct ledger_txn *txn, uint32_t order,
                       const struct order_fact *fact)
{
    struct object shown = {0};
    struct signing_key certifier, certified;
    struct certificate certificate = {.member = world->ana.secrets.member,
                                      .time_ms = fact->time_s * UINT64_C(1000),
                                      .is_successor = fact->form == CHAIN_FOLLOWS,
                                      .name = span_str("made up")},
                       read;
    struct buf statement = {0};

    order_key(world, order, fact->by, &certifier);
    order_key(world, order, fact->device, &certified);
    certificate.device = certified.public_key;
    memcpy(certificate.static_key, certified.public_key.bytes, KEY_SIZE);
    memcpy(certificate.receiving_key, certified.public_key.bytes, KEY_SIZE);
    assert_int_equal(certificate_issue(&certificate, &certifier, &statement), ERR_OK);
    assert_int_equal(certificate_read(buf_span(&statement), &read), ERR_OK);
    assert_int_equal(view_certificate_take(txn, &certificate.member, &read, &shown), ERR_OK);
    buf_release(&statement);
}

static uint8_t order_certifier(struct chain_world *world, const struct snapshot *snapshot,
                               uint32_t order, uint8_t device)
{
    struct signing_key key;
    struct device_row row;

    order_key(world, order, device, &key);
    if (view_device(snapshot, &key.public_key, &row) != ERR_OK)
        return 0xff;
    for (uint8_t by = 0; by < ORDER_DEVICES; by++) {
        order_key(world, order, by, &key);
        if (public_key_is_equal(&key.public_key, &row.certifier))
            return by;
    }
    return 0xfe;
}

/* The order of this number, among all of so many. */
static void order_of(uint32_t number, size_t count, uint8_t out[static ORDER_FACTS_MAX])
{
    uint8_t left[ORDER_FACTS_MAX] = {0, 1, 2, 3, 4, 5};

    for (size_t at = 0; at < count; at++) {
        size_t pick = number % (count - at);

        number /= (uint32_t)(count - at);
        out[at] = left[pick];
        memmove(left + pick, left + pick + 1, count - at - pick - 1);
    }
}

/* PROTOCOL CERT-5: "Of several certificates of a device the one of least depth counts" */
static void the_nearest_certificate_counts_in_all_orders(void **state)
{
    struct chain_world world;
    uint32_t order = 0;

    (void)state;
    chain_world_new(&world);
    for (size_t which = 0; which < sizeof order_cases / sizeof order_cases[0]; which++) {
        const struct order_case *one = &order_cases[which];
        uint32_t orders = 1;

        for (uint32_t at = 2; at <= one->facts_count; at++)
            orders *= at;
        for (uint32_t number = 0; number < orders; number++, order++) {
            struct ledger_txn *txn = member_begin(&world.bruno);
            struct snapshot snapshot = ledger_txn_snapshot(txn);
            uint8_t facts[ORDER_FACTS_MAX];

            order_of(number, one->facts_count, facts);
            for (size_t at = 0; at < one->facts_count; at++)
                order_tell(&world, txn, order, &one->facts[facts[at]]);
            for (uint8_t device = 1; device < ORDER_DEVICES; device++) {
                uint8_t by = order_certifier(&world, &snapshot, order, device);

                if (by != one->by[device])
                    fail_msg("%s: order %u: device %u is by %u, not %u", one->name, number, device,
                             by, one->by[device]);
            }
            ledger_abort(txn);
        }
    }
    chain_world_free(&world);
}

/* RETIRE-13, P8: Ana's successor called her other machine, and its disk went back before its log
 * came. Whoever heard of it tells all who know Ana, once. */
static void a_device_whose_log_never_came_is_shown(void **state)
{
    struct signing_key root, lost;
    struct certificate certificate = {.time_ms = 1, .name = span_str("lost")};
    struct member ana, bruno;
    struct buf statement = {0};
    struct device_row row;
    struct snapshot snapshot;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    member_grant(&ana, &bruno);
    identity_signing_key(ana.secrets.root_seed, &root);
    identity_signing_key((const uint8_t[SEED_SIZE]){0xa7}, &lost);
    certificate.member = ana.secrets.member;
    certificate.device = lost.public_key;
    memset(certificate.static_key, 0x61, KEY_SIZE);
    memset(certificate.receiving_key, 0x81, KEY_SIZE);
    assert_int_equal(certificate_issue(&certificate, &root, &statement), ERR_OK);
    for (int round = 0; round < 2; round++) {
        struct ledger_txn *txn = member_begin(&ana);

        assert_int_equal(retire_table_take(txn, NULL, buf_span(&statement)), ERR_OK);
        assert_int_equal(space_tend_certificates(txn, span_of(NULL, 0)), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        if (round == 0)
            assert_true(member_pull(&bruno, &ana, NULL) > 0);
        else
            assert_int_equal(member_pull(&bruno, &ana, NULL), 0);
    }
    snapshot = member_snapshot(&bruno);
    assert_int_equal(view_device(&snapshot, &lost.public_key, &row), ERR_OK);
    assert_true(public_key_is_equal(&row.member, &ana.secrets.member));
    ledger_snapshot_end(&snapshot);
    buf_release(&statement);
    member_free(&ana);
    member_free(&bruno);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_three_below_the_root_has_two_successors_in_turn),
        cmocka_unit_test(the_root_has_no_successor_by_a_certificate),
        cmocka_unit_test(a_chain_never_closes_upon_itself),
        cmocka_unit_test(a_chain_does_not_grow_from_above),
        cmocka_unit_test(a_certificate_counts_though_its_edit_did_not_win),
        cmocka_unit_test(the_nearest_certificate_counts_in_all_orders),
        cmocka_unit_test(a_device_whose_log_never_came_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
