/* What a forget may name: nothing it says depends on what came first, and what a peer's forgets
 * take is bounded by their bytes. PROTOCOL FORGET-1, FORGET-2, FORGET-3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/contact.h"
#include "proto/forget.h"
#include "proto/limits.h"
#include "storage/absent.h"
#include "storage/check.h"
#include "storage/forget.h"
#include "storage/ledger_state.h"
#include "tests/sim/burglar.h"
#include "tests/sim/member.h"

enum { PLACES_DEVICES = 4, PLACES_ORDERS = 6, PLACES_FORGETS = 8, PLACES_GROWTH_MAX = 6 };

static const struct id places_forget_id = {{0xf0}};

/* Ana's devices: three that write, and one that hears of them in some order. */
struct places_world {
    struct member devices[PLACES_DEVICES];
    struct id self, contact;
};

static void places_write(struct member *member, const struct id *space, const struct id *forget,
                         const struct forget_place *places, size_t count)
{
    static const struct id other = {{0xee}};
    struct ledger_txn *txn = member_begin(member);
    struct edit_space edit = {0};
    struct buf list = {0};

    forget_put_places(places, count, &list);
    assert_int_equal(buf_err(&list), ERR_OK);
    edit_begin(&edit, KIND_FORGET, forget, member->now_ms);
    edit_set(&edit, FORGET_KIND, 1,
             (struct value){.type = VALUE_NUMBER, .number = KIND_INTERACTION});
    edit_set(&edit, FORGET_OBJECT, 1,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(other.bytes, ID_SIZE)});
    edit_set(&edit, FORGET_PLACES, 1,
             (struct value){.type = VALUE_BYTES, .bytes = buf_span(&list)});
    assert_int_equal(ledger_append(txn, space, &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    buf_release(&list);
    edit_release(&edit);
}

/* The newest entry that a device wrote of itself. */
static struct forget_place places_newest(struct member *member)
{
    struct log_id id = {.space = *ledger_self_space(member->ledger),
                        .device = *ledger_device(member->ledger)};
    struct snapshot snapshot = member_snapshot(member);
    struct forget_place place = {.device = id.device};
    struct entry_row row;
    struct log_row log;

    assert_int_equal(ledger_log(&snapshot, &id, &log), ERR_OK);
    assert_int_equal(ledger_entry_at(&snapshot, log.number, log.tip.size, &row), ERR_OK);
    entry_hash_payload(&row.entry);
    place.seq = log.tip.size;
    place.payload = row.entry.header.payload_hash;
    ledger_snapshot_end(&snapshot);
    return place;
}

static void places_new(struct places_world *world)
{
    member_new(&world->devices[0], 1, false);
    world->self = *ledger_self_space(world->devices[0].ledger);
    for (uint8_t at = 1; at < PLACES_DEVICES; at++)
        member_twin(&world->devices[at], &world->devices[0], (uint8_t)(9 + at));
    assert_int_equal(member_add_contact(&world->devices[0], "Somebody Gone", NULL, &world->contact),
                     ERR_OK);
}

static void places_free(struct places_world *world)
{
    for (size_t at = 0; at < PLACES_DEVICES; at++)
        member_free(&world->devices[at]);
}

static enum err places_count(void *self, uint64_t seq)
{
    (void)seq;
    (*(size_t *)self)++;
    return ERR_OK;
}

struct places_sum {
    struct snapshot snapshot;
    size_t wanted;
    uint64_t missing;
};

static enum err places_on_log(void *self, const struct log_row *log)
{
    struct places_sum *sum = self;
    struct absent_total total;

    assert_int_equal(absent_each_wanted(&sum->snapshot, log, 0, places_count, &sum->wanted),
                     ERR_OK);
    assert_int_equal(absent_total(&sum->snapshot, log->number, &total), ERR_OK);
    sum->missing += total.entries;
    return ERR_OK;
}

/* The last device hears the others in this order: the contact is gone, one payload with it, and
 * none is asked for. */
static void places_hear(struct places_world *world, const unsigned order[3])
{
    struct member *ear = &world->devices[PLACES_DEVICES - 1];
    struct places_sum sum = {.wanted = 0};
    struct check_report report;
    struct space_row space;
    char room[256];

    for (size_t at = 0; at < 3; at++)
        (void)member_pull(ear, &world->devices[order[at]], NULL);
    assert_string_equal(
        member_read_text(ear, &world->self, KIND_CONTACT, &world->contact, CONTACT_NAME, room), "");
    assert_false(burglar_finds(ear, ear, 0, "Somebody Gone"));
    sum.snapshot = member_snapshot(ear);
    assert_int_equal(ledger_space(&sum.snapshot, &world->self, &space), ERR_OK);
    assert_int_equal(ledger_logs(&sum.snapshot, space.number, places_on_log, &sum), ERR_OK);
    assert_int_equal(sum.wanted, 0);
    assert_int_equal(sum.missing, 1);
    assert_int_equal(check_store(&sum.snapshot, &report), ERR_OK);
    ledger_snapshot_end(&sum.snapshot);
    assert_string_equal(report.first, "");
}

static const unsigned places_orders[PLACES_ORDERS][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

/* FORGET-2: it says nothing, whichever came first and of whatever object it is. */
static void what_is_named_is_gone_in_every_order(void **state)
{
    (void)state;
    for (size_t at = 0; at < PLACES_ORDERS; at++) {
        struct places_world world;
        struct forget_place place;
        struct id kept;

        places_new(&world);
        place = places_newest(&world.devices[0]);
        places_write(&world.devices[1], &world.self, &places_forget_id, &place, 1);
        assert_int_equal(member_add_contact(&world.devices[2], "Kept", NULL, &kept), ERR_OK);
        places_hear(&world, places_orders[at]);
        places_free(&world);
    }
}

/* FORGET-3: a forget that names a forget. */
static void a_forget_is_not_forgotten_in_any_order(void **state)
{
    static const struct id second = {{0xf1}};

    (void)state;
    for (size_t at = 0; at < PLACES_ORDERS; at++) {
        struct places_world world;
        struct forget_place place;

        places_new(&world);
        place = places_newest(&world.devices[0]);
        places_write(&world.devices[1], &world.self, &places_forget_id, &place, 1);
        place = places_newest(&world.devices[1]);
        places_write(&world.devices[2], &world.self, &second, &place, 1);
        places_hear(&world, places_orders[at]);
        places_free(&world);
    }
}

/* FORGET-1: places that were written over still name what they named. */
static void what_was_named_once_is_named_for_good(void **state)
{
    (void)state;
    for (size_t at = 0; at < PLACES_ORDERS; at++) {
        struct places_world world;
        struct forget_place place, nowhere = {.device = {{7}}, .seq = 7, .payload = {{7}}};

        places_new(&world);
        place = places_newest(&world.devices[0]);
        for (size_t order = 0; order < 2; order++)
            places_write(&world.devices[1 + order], &world.self, &places_forget_id,
                         order == at % 2 ? &place : &nowhere, 1);
        places_hear(&world, places_orders[at]);
        places_free(&world);
    }
}

/* The same place of the other branch is another entry. */
static void another_entry_at_the_place_stays(void **state)
{
    struct places_world world;
    struct forget_place place;
    char room[256];

    (void)state;
    places_new(&world);
    place = places_newest(&world.devices[0]);
    place.payload.bytes[HASH_SIZE - 1] ^= 1;
    places_write(&world.devices[1], &world.self, &places_forget_id, &place, 1);
    (void)member_pull(&world.devices[0], &world.devices[1], NULL);
    assert_string_equal(member_read_text(&world.devices[0], &world.self, KIND_CONTACT,
                                         &world.contact, CONTACT_NAME, room),
                        "Somebody Gone");
    places_free(&world);
}

/* FORGET-1: it was repeated from more devices than one forget may name. */
static void what_many_devices_wrote_is_forgotten_everywhere(void **state)
{
    struct member ana, twin;
    struct ledger_txn *txn;
    struct edit_space edit = {0};
    struct id contact;

    (void)state;
    member_new(&ana, 1, false);
    member_twin(&twin, &ana, 9);
    assert_int_equal(member_add_contact(&ana, "Somebody Gone", NULL, &contact), ERR_OK);
    txn = member_begin(&ana);
    for (uint32_t at = 1; at <= LOGS_PER_PEER_MAX + 40; at++) {
        struct original original = {.seq = at};

        be32_put(original.device.bytes, at);
        be32_put(original.entry_hash.bytes, at);
        edit_begin(&edit, KIND_CONTACT, &contact, ana.now_ms);
        edit_set(&edit, CONTACT_NAME, at, member_text("Somebody Gone"));
        edit_carry(&edit, &original);
        assert_int_equal(ledger_append(txn, ledger_self_space(ana.ledger), &edit, 0), ERR_OK);
    }
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    (void)member_pull(&twin, &ana, NULL);
    assert_true(burglar_finds(&twin, &twin, 0, "Somebody Gone"));
    txn = member_begin(&ana);
    assert_int_equal(forget_object(txn, ledger_self_space(ana.ledger), KIND_CONTACT, &contact),
                     ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    (void)member_pull(&twin, &ana, NULL);
    assert_false(burglar_finds(&ana, &ana, 0, "Somebody Gone"));
    assert_false(burglar_finds(&twin, &twin, 0, "Somebody Gone"));
    edit_release(&edit);
    member_free(&ana);
    member_free(&twin);
}

static uint64_t places_disk(struct member *member)
{
    struct kv_usage usage;

    assert_int_equal(kv_usage(member->kv, &usage), ERR_OK);
    return usage.live_bytes;
}

/* P7: a peer's forgets of what never was cost a small multiple of their bytes, and make no logs. */
static void what_a_peer_forgets_is_bounded_by_its_bytes(void **state)
{
    static struct forget_place places[FORGET_PLACES_MAX];
    struct member ana, ben;
    struct snapshot snapshot;
    struct peer link;
    uint64_t disk, sent;
    size_t logs;

    (void)state;
    member_new(&ana, 1, true);
    member_new(&ben, 2, false);
    member_link(&ana, &ben);
    member_grant(&ben, &ana);
    snapshot = member_snapshot(&ben);
    assert_int_equal(view_peer(&snapshot, &ana.secrets.member, &link), ERR_OK);
    ledger_snapshot_end(&snapshot);
    (void)member_pull(&ana, &ben, NULL);
    disk = places_disk(&ana);
    sent = ben.sent_bytes;
    logs = member_logs(&ana);
    for (uint8_t at = 0; at < PLACES_FORGETS; at++) {
        struct id forget = {{at, 1}};

        for (size_t one = 0; one < FORGET_PLACES_MAX; one++) {
            places[one] = (struct forget_place){.device = {{(uint8_t)(one / 32), 5}}, .seq = one};
            entropy_fill(&ben.entropy, places[one].payload.bytes, HASH_SIZE);
        }
        places_write(&ben, &link.pair_out, &forget, places, FORGET_PLACES_MAX);
    }
    assert_int_equal(member_pull(&ana, &ben, NULL), PLACES_FORGETS);
    sent = ben.sent_bytes - sent;
    disk = places_disk(&ana) - disk;
    print_message("%llu bytes sent, %llu on disk\n", (unsigned long long)sent,
                  (unsigned long long)disk);
    assert_true(sent > PLACES_FORGETS * (uint64_t)FORGET_PLACES_MAX * HASH_SIZE);
    assert_true(disk < PLACES_GROWTH_MAX * sent);
    assert_int_equal(member_logs(&ana), logs);
    member_free(&ana);
    member_free(&ben);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_named_is_gone_in_every_order),
        cmocka_unit_test(a_forget_is_not_forgotten_in_any_order),
        cmocka_unit_test(what_was_named_once_is_named_for_good),
        cmocka_unit_test(another_entry_at_the_place_stays),
        cmocka_unit_test(what_many_devices_wrote_is_forgotten_everywhere),
        cmocka_unit_test(what_a_peer_forgets_is_bounded_by_its_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
