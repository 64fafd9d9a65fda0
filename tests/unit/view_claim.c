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
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/standing.h"
#include "storage/writer_table.h"
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

static void claim_tell(struct claim_world *world, const struct member *of,
                       const struct buf *statement)
{
    struct ledger_txn *txn = member_begin(&world->ana);

    assert_int_equal(retire_table_take(txn, &of->secrets.member, buf_span(statement)), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void claim_certify(struct claim_world *world, const struct member *of,
                          const struct signing_key *by, const struct public_key *device,
                          const uint8_t *static_key)
{
    struct certificate certificate = {.member = of->secrets.member,
                                      .device = *device,
                                      .certifier = by->public_key,
                                      .time_ms = world->chie.now_ms,
                                      .name = span_str("mine")};
    struct buf statement = {0};

    memcpy(certificate.static_key, static_key, KEY_SIZE);
    memset(certificate.receiving_key, 0x44, KEY_SIZE);
    assert_int_equal(certificate_issue(&certificate, by, &statement), ERR_OK);
    claim_tell(world, of, &statement);
    buf_release(&statement);
}

/* Chie says that this device is hers and is called at this handshake key. */
static void claim_lie(struct claim_world *world, const struct public_key *device,
                      const uint8_t *static_key)
{
    struct signing_key root;

    identity_signing_key(world->chie.secrets.root_seed, &root);
    claim_certify(world, &world->chie, &root, device, static_key);
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
    claim_tell(world, &world->chie, &statement);
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

static enum err claim_on_named(void *self, const struct device_row *row)
{
    const struct claim_world *world = self;

    assert_true(public_key_is_equal(&row->device, ledger_device(world->bruno.ledger)));
    assert_true(public_key_is_equal(&row->member, &world->bruno.secrets.member));
    return ERR_OK;
}

static size_t claim_rows(const struct snapshot *snapshot, enum table table, struct span prefix)
{
    size_t count;

    assert_int_equal(ledger_count_rows(snapshot, table, prefix, 1000, &count), ERR_OK);
    return count;
}

/* The store is sound, who calls with these keys is known, and of what she said nothing is left. */
static void claim_is_forgotten(struct claim_world *world, const uint8_t *other_static)
{
    const struct public_key *device = ledger_device(world->bruno.ledger);
    const uint8_t *own_static = ledger_static_key(world->bruno.ledger)->public_key;
    struct snapshot snapshot = member_snapshot(&world->ana);
    static const uint8_t standing = 4;
    struct check_report report;
    struct device_row row;
    enum err err;

    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    assert_string_equal(report.first, "");
    assert_int_equal(view_device_by_static(&snapshot, own_static, &row), ERR_OK);
    assert_int_equal(claim_on_named(world, &row), ERR_OK);
    assert_int_equal(view_device_each_static(&snapshot, own_static, claim_on_named, world), ERR_OK);
    err = view_device_each_static(&snapshot, other_static, claim_on_named, world);
    assert_int_equal(err, other_static == own_static ? ERR_OK : ERR_NOT_FOUND);
    assert_int_equal(view_device_of(&snapshot, device, &world->chie.secrets.member, &row),
                     ERR_NOT_FOUND);
    assert_int_equal(claim_rows(&snapshot, TABLE_CLAIM, span_of(NULL, 0)), 0);
    assert_int_equal(claim_rows(&snapshot, TABLE_STATIC_CLAIM, span_of(NULL, 0)), 0);
    assert_int_equal(claim_rows(&snapshot, TABLE_CERTIFICATE, span_of(&standing, 1)), 0);
    assert_int_equal(claim_rows(&snapshot, TABLE_RETIRE, span_of(device->bytes, 32)), 0);
    ledger_snapshot_end(&snapshot);
}

/* She was there first, or second, with his handshake key or another; then his device says whose it
 * is. */
static void another_member_claims_them(void **state)
{
    static const uint8_t other_static[KEY_SIZE] = {0x23};
    struct claim_world world;

    (void)state;
    for (int form = 0; form < 8; form++) {
        const uint8_t *static_key = other_static;

        claim_world_new(&world, (form & 4) != 0);
        if ((form & 1) != 0)
            static_key = ledger_static_key(world.bruno.ledger)->public_key;
        claim_lie(&world, ledger_device(world.bruno.ledger), static_key);
        if ((form & 2) != 0)
            claim_stolen(&world, ledger_device(world.bruno.ledger));
        if ((form & 4) == 0)
            member_link(&world.ana, &world.bruno);
        claim_bruno_is_heard(&world, "Bruno");
        claim_is_forgotten(&world, static_key);
        claim_lie(&world, ledger_device(world.bruno.ledger), static_key);
        claim_stolen(&world, ledger_device(world.bruno.ledger));
        claim_bruno_is_heard(&world, "Bruno Silva");
        claim_is_forgotten(&world, static_key);
        claim_world_free(&world);
    }
}

/* As an older program left it: her handshake key, and how the device stood as hers. */
static void claim_leave_rows(struct claim_world *world, const uint8_t *other_static)
{
    const struct public_key *device = ledger_device(world->bruno.ledger);
    struct ledger_txn *txn = member_begin(&world->ana);
    static const uint8_t stolen = STANDING_STOLEN;
    struct key key;

    key_of_bytes(span_of(ledger_static_key(world->bruno.ledger)->public_key, KEY_SIZE), &key);
    assert_int_equal(ledger_erase(txn, TABLE_STATIC_KEY, &key), ERR_OK);
    key_of_bytes(span_of(other_static, KEY_SIZE), &key);
    assert_int_equal(ledger_put(txn, TABLE_STATIC_KEY, &key, span_of(device->bytes, 32)), ERR_OK);
    key_of_byte(4, &key);
    key_add_bytes(&key, span_of(world->chie.secrets.member.bytes, 32));
    key_add_bytes(&key, span_of(device->bytes, 32));
    assert_int_equal(ledger_put(txn, TABLE_CERTIFICATE, &key, span_of(&stolen, 1)), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void making_views_again_forgets_claims(void **state)
{
    static const uint8_t other_static[KEY_SIZE] = {0x23};
    struct claim_world world;
    struct check_report report;
    struct snapshot snapshot;
    struct ledger_txn *txn;
    bool is_more;

    (void)state;
    claim_world_new(&world, true);
    claim_bruno_is_heard(&world, "Bruno");
    claim_leave_rows(&world, other_static);
    snapshot = member_snapshot(&world.ana);
    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(report.damaged, 3);
    txn = member_begin(&world.ana);
    assert_int_equal(check_forget_views(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(follow_stage(world.ana.ledger, SIZE_MAX, &is_more), ERR_OK);
    claim_is_forgotten(&world, other_static);
    claim_world_free(&world);
}

/* What she said of Bruno's device had Diego's handshake key: it is his when she is found out. Two
 * devices of hers may have one, too, and one of them another later. */
static void a_handshake_key_is_handed_on(void **state)
{
    static const struct public_key desk = {{0x51}}, tab = {{0x52}};
    static const uint8_t shared[KEY_SIZE] = {0x53}, other[KEY_SIZE] = {0x54};
    struct claim_world world;
    struct check_report report;
    struct snapshot snapshot;
    struct device_row row;
    struct member diego;

    (void)state;
    claim_world_new(&world, false);
    member_new(&diego, 4, false);
    claim_lie(&world, ledger_device(world.bruno.ledger),
              ledger_static_key(diego.ledger)->public_key);
    claim_lie(&world, &desk, shared);
    claim_lie(&world, &tab, shared);
    world.chie.now_ms++;
    claim_lie(&world, &tab, other);
    member_link(&world.ana, &diego);
    member_link(&world.ana, &world.bruno);
    claim_bruno_is_heard(&world, "Bruno");
    snapshot = member_snapshot(&world.ana);
    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    assert_string_equal(report.first, "");
    assert_int_equal(
        view_device_by_static(&snapshot, ledger_static_key(diego.ledger)->public_key, &row),
        ERR_OK);
    assert_true(public_key_is_equal(&row.device, ledger_device(diego.ledger)));
    assert_int_equal(view_device_by_static(&snapshot, shared, &row), ERR_OK);
    assert_true(public_key_is_equal(&row.device, &desk));
    assert_int_equal(claim_rows(&snapshot, TABLE_STATIC_CLAIM, span_of(NULL, 0)), 0);
    ledger_snapshot_end(&snapshot);
    member_free(&diego);
    claim_world_free(&world);
}

/* By whom is this device certified, as this member's? */
static void claim_is_by(struct claim_world *world, const struct public_key *device,
                        const struct member *of, const struct public_key *by,
                        const uint8_t *static_key, bool is_claim)
{
    struct snapshot snapshot = member_snapshot(&world->ana);
    struct device_row row;

    assert_int_equal(view_device_of(&snapshot, device, &of->secrets.member, &row), ERR_OK);
    assert_true(public_key_is_equal(&row.member, &of->secrets.member));
    assert_true(public_key_is_equal(&row.certifier, by));
    assert_memory_equal(row.static_key, static_key, KEY_SIZE);
    assert_int_equal(row.is_claim, is_claim);
    ledger_snapshot_end(&snapshot);
}

static void claim_is_good(struct claim_world *world, const struct public_key *device)
{
    struct snapshot snapshot = member_snapshot(&world->ana);
    enum standing standing;

    assert_int_equal(standing_of(&snapshot, device, &standing), ERR_OK);
    assert_int_equal(standing, STANDING_GOOD);
    ledger_snapshot_end(&snapshot);
}

/* PROTOCOL CERT-5 chooses among one member's certificates, CERT-6 between two members: hers is by
 * a root, and his first by his desk only. Whoever was first keeps the row. */
static void the_nearest_counts_among_one_members(void **state)
{
    static const uint8_t desk_says[KEY_SIZE] = {1}, root_says[KEY_SIZE] = {2}, lies[KEY_SIZE] = {3};
    static const uint8_t tab_seed[SEED_SIZE] = {0x61}, mill_seed[SEED_SIZE] = {0x62};
    struct signing_key desk, root, her_root, tab, mill;
    struct claim_world world;

    (void)state;
    identity_signing_key(tab_seed, &tab);
    identity_signing_key(mill_seed, &mill);
    for (int is_first = 0; is_first < 2; is_first++) {
        claim_world_new(&world, true);
        identity_signing_key(world.bruno.secrets.signing_seed, &desk);
        identity_signing_key(world.bruno.secrets.root_seed, &root);
        identity_signing_key(world.chie.secrets.root_seed, &her_root);
        if (is_first != 0)
            claim_lie(&world, &tab.public_key, lies);
        claim_certify(&world, &world.bruno, &desk, &tab.public_key, desk_says);
        if (is_first == 0)
            claim_lie(&world, &tab.public_key, lies);
        claim_is_by(&world, &tab.public_key, &world.bruno, &desk.public_key, desk_says, is_first);
        claim_certify(&world, &world.bruno, &root, &tab.public_key, root_says);
        claim_certify(&world, &world.bruno, &desk, &tab.public_key, desk_says);
        claim_is_by(&world, &tab.public_key, &world.bruno, &root.public_key, root_says, is_first);
        claim_is_by(&world, &tab.public_key, &world.chie, &her_root.public_key, lies, !is_first);
        /* What his tablet certifies is his, whatever she says of the tablet. */
        claim_certify(&world, &world.bruno, &tab, &mill.public_key, mill.public_key.bytes);
        claim_stolen(&world, &tab.public_key);
        claim_is_by(&world, &mill.public_key, &world.bruno, &tab.public_key, mill.public_key.bytes,
                    false);
        claim_is_good(&world, &mill.public_key);
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

struct claim_count {
    const struct public_key *writer;
    size_t count;
};

static enum err claim_on_space(void *self, const struct space_row *space)
{
    struct claim_count *count = self;

    assert_true(public_key_is_equal(&space->writer, count->writer));
    count->count++;
    return ERR_OK;
}

static size_t claim_spaces(struct claim_world *world, const struct public_key *writer)
{
    struct claim_count count = {.writer = writer};
    struct snapshot snapshot = member_snapshot(&world->ana);

    assert_int_equal(writer_table_each(&snapshot, writer, claim_on_space, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count.count;
}

/* However many peers there are: whose a device is is looked up in what its member writes. A store
 * that has no such list makes one. */
static void only_what_its_member_writes_is_looked_at(void **state)
{
    struct claim_world world;
    struct ledger_txn *txn;

    (void)state;
    claim_world_new(&world, true);
    txn = member_begin(&world.ana);
    for (uint8_t at = 0; at < 200; at++) {
        struct space_row space = {.id = {{0x77, at}}, .kind = SPACE_CARD, .writer = {{0x78, at}}};

        assert_int_equal(ledger_add_space(txn, &space), ERR_OK);
    }
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    for (int round = 0; round < 2; round++) {
        assert_in_range(claim_spaces(&world, &world.bruno.secrets.member), 1, 3);
        assert_int_equal(claim_spaces(&world, &(struct public_key){{0x78, 7}}), 1);
        txn = member_begin(&world.ana);
        txn->counters.views--; /* As another version of the program left it. */
        assert_int_equal(ledger_clear(txn, TABLE_WRITER, span_of(NULL, 0)), ERR_OK);
        txn->written++;
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        assert_int_equal(claim_spaces(&world, &world.bruno.secrets.member), 0);
        assert_int_equal(ledger_commit(member_begin(&world.ana), NULL), ERR_OK);
    }
    claim_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_device_is_nobody_elses),
        cmocka_unit_test(a_handshake_key_may_be_claimed_by_two),
        cmocka_unit_test(whoever_signs_is_whose_it_is),
        cmocka_unit_test(another_member_claims_them),
        cmocka_unit_test(making_views_again_forgets_claims),
        cmocka_unit_test(a_handshake_key_is_handed_on),
        cmocka_unit_test(the_nearest_counts_among_one_members),
        cmocka_unit_test(devices_without_end_are_not_known),
        cmocka_unit_test(only_what_its_member_writes_is_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
