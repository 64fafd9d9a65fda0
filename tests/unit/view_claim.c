/* Somebody certifies a device that is somebody else's: its signing key, its handshake key, or both.
 * A certificate asks nothing of the device it names, so it proves nothing about it; what the device
 * has signed does. Ana reads; Bruno and Chie are her peers, and Chie lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "proto/retire.h"
#include "storage/retire_table.h"
#include "storage/standing.h"
#include "tests/sim/member.h"

static const struct id claim_card = {{0}};

struct claim_world {
    struct member ana, bruno, chie;
};

static void claim_world_new(struct claim_world *world, bool knows_bruno)
{
    member_new(&world->ana, 1, false);
    member_new(&world->bruno, 2, false);
    member_new(&world->chie, 3, false);
    member_link(&world->ana, &world->chie);
    if (knows_bruno)
        member_link(&world->ana, &world->bruno);
}

static void claim_world_free(struct claim_world *world)
{
    member_free(&world->ana);
    member_free(&world->bruno);
    member_free(&world->chie);
}

static void claim_tell(struct claim_world *world, const struct buf *statement)
{
    struct ledger_txn *txn = member_begin(&world->ana);

    assert_int_equal(retire_table_take(txn, &world->chie.secrets.member, buf_span(statement)),
                     ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* Chie says that this device is hers and is called at this handshake key. */
static void claim_lie(struct claim_world *world, const struct public_key *device,
                      const uint8_t *static_key)
{
    struct certificate certificate = {.member = world->chie.secrets.member,
                                      .device = *device,
                                      .time_ms = world->chie.now_ms,
                                      .name = span_str("mine")};
    struct signing_key root;
    struct buf statement = {0};

    identity_signing_key(world->chie.secrets.root_seed, &root);
    certificate.certifier = root.public_key;
    memcpy(certificate.static_key, static_key, KEY_SIZE);
    memset(certificate.receiving_key, 0x44, KEY_SIZE);
    assert_int_equal(certificate_issue(&certificate, &root, &statement), ERR_OK);
    claim_tell(world, &statement);
    buf_release(&statement);
}

/* And that it was stolen. */
static void claim_stolen(struct claim_world *world, const struct public_key *device)
{
    struct signing_key root;
    struct retire_signer signer = {.root = &root};
    struct retirement said = {.device = *device, .reason = RETIRE_STOLEN, .time_ms = 1};
    struct buf statement = {0};

    identity_signing_key(world->chie.secrets.root_seed, &root);
    assert_int_equal(retire_issue(&said, &signer, &statement), ERR_OK);
    claim_tell(world, &statement);
    buf_release(&statement);
}

/* Bruno's card comes to Ana, is shown, and his device is his and in good standing. */
static void claim_bruno_is_heard(struct claim_world *world, const char *name)
{
    const struct public_key *device = ledger_device(world->bruno.ledger);
    struct id card = member_card_space(&world->bruno);
    enum standing standing;
    struct snapshot snapshot;
    struct device_row row;
    char room[256];

    assert_int_equal(member_name_card(&world->bruno, name), ERR_OK);
    member_grant(&world->bruno, &world->ana);
    assert_true(member_pull(&world->ana, &world->bruno, NULL) > 0);
    assert_string_equal(
        member_read_text(&world->ana, &card, KIND_CARD, &claim_card, 1 /* name */, room), name);
    snapshot = member_snapshot(&world->ana);
    assert_int_equal(view_device(&snapshot, device, &row), ERR_OK);
    assert_true(public_key_is_equal(&row.member, &world->bruno.secrets.member));
    assert_int_equal(standing_of(&snapshot, device, &standing), ERR_OK);
    assert_int_equal(standing, STANDING_GOOD);
    ledger_snapshot_end(&snapshot);
}

/* Whose may a caller be who has Bruno's handshake key? */
static enum err claim_on_caller(void *self, const struct device_row *row)
{
    const struct claim_world *world = self;

    return public_key_is_equal(&row->member, &world->bruno.secrets.member) &&
                   public_key_is_equal(&row->device, ledger_device(world->bruno.ledger))
               ? ERR_CANCELLED
               : ERR_OK;
}

static bool claim_bruno_may_call(struct claim_world *world)
{
    struct snapshot snapshot = member_snapshot(&world->ana);
    enum err err = view_device_each_static(
        &snapshot, ledger_static_key(world->bruno.ledger)->public_key, claim_on_caller, world);

    ledger_snapshot_end(&snapshot);
    return err == ERR_CANCELLED;
}

static void a_known_device_is_nobody_elses(void **state)
{
    struct claim_world world;

    (void)state;
    claim_world_new(&world, true);
    claim_bruno_is_heard(&world, "Bruno");
    claim_lie(&world, ledger_device(world.bruno.ledger),
              ledger_static_key(world.bruno.ledger)->public_key);
    claim_stolen(&world, ledger_device(world.bruno.ledger));
    assert_true(claim_bruno_may_call(&world));
    claim_bruno_is_heard(&world, "Bruno Silva");
    claim_world_free(&world);
}

/* A device of Chie's own, under Bruno's handshake key: he is not locked out. */
static void a_handshake_key_may_be_claimed_by_two(void **state)
{
    static const struct public_key made_up = {{0x17}};
    struct claim_world world;

    (void)state;
    claim_world_new(&world, true);
    claim_lie(&world, &made_up, ledger_static_key(world.bruno.ledger)->public_key);
    assert_true(claim_bruno_may_call(&world));
    claim_world_free(&world);

    claim_world_new(&world, false); /* Before Ana has heard of him. */
    claim_lie(&world, &made_up, ledger_static_key(world.bruno.ledger)->public_key);
    member_link(&world.ana, &world.bruno);
    assert_true(claim_bruno_may_call(&world));
    claim_world_free(&world);
}

/* She was there first, and says that it is stolen, too. */
static void whoever_signs_is_whose_it_is(void **state)
{
    static const uint8_t other_static[KEY_SIZE] = {0x23};
    struct claim_world world;

    (void)state;
    for (int is_stolen = 0; is_stolen < 2; is_stolen++) {
        claim_world_new(&world, false);
        claim_lie(&world, ledger_device(world.bruno.ledger), other_static);
        if (is_stolen != 0)
            claim_stolen(&world, ledger_device(world.bruno.ledger));
        member_link(&world.ana, &world.bruno);
        assert_true(claim_bruno_may_call(&world));
        claim_bruno_is_heard(&world, "Bruno");
        claim_lie(&world, ledger_device(world.bruno.ledger), other_static);
        claim_stolen(&world, ledger_device(world.bruno.ledger));
        claim_bruno_is_heard(&world, "Bruno Silva");
        assert_true(claim_bruno_may_call(&world));
        claim_world_free(&world);
    }
}

static enum err claim_on_device(void *self, const struct device_row *row)
{
    (void)row;
    (*(size_t *)self)++;
    return ERR_OK;
}

/* FACT-2. Each is somebody to call, and is looked at whenever devices are. */
static void devices_without_end_are_not_known(void **state)
{
    struct claim_world world;
    struct snapshot snapshot;
    size_t count = 0;

    (void)state;
    claim_world_new(&world, true);
    for (uint16_t at = 0; at < DEVICES_MAX + 44; at++) {
        struct public_key device = {{0x31, (uint8_t)(at >> 8), (uint8_t)at}};

        claim_lie(&world, &device, device.bytes);
    }
    snapshot = member_snapshot(&world.ana);
    assert_int_equal(
        view_device_each(&snapshot, &world.chie.secrets.member, claim_on_device, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(count, DEVICES_MAX);
    claim_bruno_is_heard(&world, "Bruno");
    claim_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_device_is_nobody_elses),
        cmocka_unit_test(a_handshake_key_may_be_claimed_by_two),
        cmocka_unit_test(whoever_signs_is_whose_it_is),
        cmocka_unit_test(devices_without_end_are_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
