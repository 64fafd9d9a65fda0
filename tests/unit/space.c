/* Spaces of mine: their epochs, and who gets which key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/card.h"
#include "proto/limits.h"
#include "proto/link.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/running.h"
#include "storage/space.h"
#include "tests/sim/member.h"

static struct space_row space_get(struct member *member, const struct id *id)
{
    struct snapshot snapshot = member_snapshot(member);
    struct space_row row;

    assert_int_equal(ledger_space(&snapshot, id, &row), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return row;
}

static void space_rotate_now(struct member *member, const struct id *id)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(space_rotate(txn, id), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static enum err space_tally(void *self, uint32_t number, const struct object *object)
{
    (void)number;
    (void)object;
    (*(size_t *)self)++;
    return ERR_OK;
}

static size_t space_objects(struct member *member, const struct id *id, uint8_t kind)
{
    struct snapshot snapshot = member_snapshot(member);
    size_t count = 0;

    assert_int_equal(row_each(&snapshot, id, kind, space_tally, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

/* A key object holds the epoch, its key and its readers: the commitment opens to them. */
static void space_records_each_key_with_salt_and_readers(void **state)
{
    struct member ana, bruno;
    struct space_row card;
    struct snapshot snapshot;
    struct object key = {0};
    struct epoch_row epoch;
    struct public_key readers[4];
    struct span bytes;
    struct hash commitment;
    struct id id, object, salt;
    uint8_t held[KEY_SIZE];
    uint32_t number;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    id = member_card_space(&ana);
    space_rotate_now(&ana, &id);
    card = space_get(&ana, &id);
    snapshot = member_snapshot(&ana);
    memcpy(object.bytes, card.current.bytes, ID_SIZE);
    assert_int_equal(
        row_get(&snapshot, ledger_self_space(ana.ledger), KIND_KEY, &object, &key, &number),
        ERR_OK);
    assert_int_equal(epoch_table_get(&snapshot, &card.current, &epoch), ERR_OK);
    assert_int_equal(epoch.epoch.depth, 2);
    assert_int_equal(object_number(&key, KEY_DEPTH), 2);
    assert_int_equal(epoch_table_key(&snapshot, &card.current, held), ERR_OK);
    assert_memory_equal(object_value(&key, KEY_BYTES).bytes.data, held, KEY_SIZE);
    bytes = object_value(&key, KEY_READERS).bytes;
    assert_int_equal(bytes.size, ID_SIZE + 4 * 32); /* Ana, Bruno, and a device of each */
    memcpy(salt.bytes, bytes.data, ID_SIZE);
    memcpy(readers, bytes.data + ID_SIZE, sizeof readers);
    for (size_t at = 1; at < 4; at++)
        assert_true(memcmp(&readers[at - 1], &readers[at], 32) < 0);
    epoch_readers(&salt, readers, 4, &commitment);
    assert_memory_equal(commitment.bytes, epoch.epoch.readers.bytes, HASH_SIZE);
    object_release(&key);
    ledger_snapshot_end(&snapshot);
    member_free(&ana);
    member_free(&bruno);
}

/* Rotating a card grants the new key to the linked, and to nobody else. */
static void space_rotation_grants_to_the_linked_only(void **state)
{
    struct member ana, bruno, chie;
    struct snapshot snapshot;
    struct peer to_bruno, to_chie;
    struct space_row before, after;
    struct id card;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_new(&chie, 3, false);
    member_link(&ana, &bruno);
    member_link(&ana, &chie);
    card = member_card_space(&ana);
    snapshot = member_snapshot(&ana);
    assert_int_equal(view_peer(&snapshot, &bruno.secrets.member, &to_bruno), ERR_OK);
    assert_int_equal(view_peer(&snapshot, &chie.secrets.member, &to_chie), ERR_OK);
    ledger_snapshot_end(&snapshot);
    member_grant(&ana, &bruno);
    member_grant(&ana, &chie);
    member_grant(&ana, &chie); /* once more changes nothing */
    assert_int_equal(space_objects(&ana, &to_bruno.pair_out, KIND_GRANT), 1);
    assert_int_equal(space_objects(&ana, &to_chie.pair_out, KIND_GRANT), 1);
    member_set_link(&ana, &chie, LINK_REMOVED);
    before = space_get(&ana, &card);
    space_rotate_now(&ana, &card);
    after = space_get(&ana, &card);
    assert_memory_not_equal(before.current.bytes, after.current.bytes, HASH_SIZE);
    assert_int_equal(space_objects(&ana, &to_bruno.pair_out, KIND_GRANT), 2);
    assert_int_equal(space_objects(&ana, &to_chie.pair_out, KIND_GRANT), 1);
    /* Rotating a pair space grants nothing: it carries its own wraps. */
    space_rotate_now(&ana, &to_bruno.pair_out);
    assert_int_equal(space_objects(&ana, &to_bruno.pair_out, KIND_GRANT), 2);
    assert_int_equal(space_get(&ana, &to_bruno.pair_out).number > 0, 1);
    member_free(&ana);
    member_free(&bruno);
    member_free(&chie);
}

/* A pair space's epochs open to the peer's devices without anything else. */
static void space_pair_is_read_by_its_peer_after_every_rotation(void **state)
{
    static const char *const names[] = {"one", "two", "three"};
    struct member ana, bruno;
    struct snapshot snapshot;
    struct peer link;
    char room[256];
    size_t read = 0;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    snapshot = member_snapshot(&ana);
    assert_int_equal(view_peer(&snapshot, &bruno.secrets.member, &link), ERR_OK);
    ledger_snapshot_end(&snapshot);
    for (size_t at = 0; at < 3; at++, read++) {
        struct id card = member_card_space(&ana);

        assert_int_equal(member_name_card(&ana, names[at]), ERR_OK);
        space_rotate_now(&ana, &link.pair_out);
        space_rotate_now(&ana, &card);
        assert_true(member_pull(&bruno, &ana, NULL) > 0);
        assert_string_equal(
            member_read_text(&bruno, &card, KIND_CARD, &(struct id){{0}}, CARD_NAME, room),
            names[at]);
    }
    assert_int_equal(read, 3);
    member_free(&ana);
    member_free(&bruno);
}

static void space_grant_says_what_is_missing(void **state)
{
    struct public_key stranger = {{1}};
    struct id unknown = {{1}}, card;
    struct member ana, bruno;
    struct ledger_txn *txn;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    card = member_card_space(&ana);
    txn = member_begin(&ana);
    assert_int_equal(space_grant(txn, &unknown, &bruno.secrets.member), ERR_NOT_FOUND);
    assert_int_equal(space_grant(txn, &card, &stranger), ERR_NOT_FOUND);
    assert_int_equal(space_rotate(txn, &unknown), ERR_NOT_FOUND);
    assert_false(ledger_txn_has_written(txn));
    ledger_abort(txn);
    member_free(&ana);
    member_free(&bruno);
}

static void space_draw_knock(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(space_renew_knock(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void space_new_knock_comes_first_and_is_told(void **state)
{
    uint8_t before[8 * KEY_SIZE], after[8 * KEY_SIZE];
    struct member ana, bruno;
    struct snapshot snapshot;
    struct peer link;
    size_t count;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    member_grant(&ana, &bruno);
    snapshot = member_snapshot(&ana);
    assert_int_equal(view_knocks(&snapshot, before, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(count, 1);
    for (size_t made = 2; made <= 10; made++) {
        space_draw_knock(&ana);
        snapshot = member_snapshot(&ana);
        assert_int_equal(view_knocks(&snapshot, after, &count), ERR_OK);
        ledger_snapshot_end(&snapshot);
        assert_int_equal(count, made < 8 ? made : 8);
        assert_memory_equal(after + KEY_SIZE, before, (count - 1) * KEY_SIZE);
        memcpy(before, after, sizeof before);
    }
    assert_true(member_pull(&bruno, &ana, NULL) > 0);
    snapshot = member_snapshot(&bruno);
    assert_int_equal(view_peer(&snapshot, &ana.secrets.member, &link), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_true(link.has_knock);
    assert_memory_equal(link.knock, after, KEY_SIZE);
    member_free(&ana);
    member_free(&bruno);
}

/* Is this key among the knocks held, or with those that the card space told once? */
static bool space_holds_knock(struct member *member, const uint8_t key[static KEY_SIZE], bool told)
{
    uint8_t knocks[12 * KEY_SIZE];
    struct snapshot snapshot = member_snapshot(member);
    size_t answered, held;
    bool is_held = false;

    assert_int_equal(view_knocks_held(&snapshot, knocks, &answered, &held), ERR_OK);
    if (told)
        assert_int_equal(view_knocks_told(&snapshot, knocks, 12, &held), ERR_OK);
    ledger_snapshot_end(&snapshot);
    for (size_t at = 0; at < held; at++)
        is_held |= memcmp(knocks + at * KEY_SIZE, key, KEY_SIZE) == 0;
    return is_held;
}

/* OWN-2: the desk's knock is all that the desk answers; the lap, which drew its own, hears of it
 * from a peer, by the card. */
static void space_told_knocks_are_held_whoever_drew_a_later_one(void **state)
{
    uint8_t knocks[8 * KEY_SIZE];
    struct member desk, lap;
    struct snapshot snapshot;
    struct id card;
    size_t count;

    (void)state;
    member_new(&desk, 1, false);
    member_twin(&lap, &desk, 2);
    card = member_card_space(&desk);
    space_draw_knock(&desk);
    space_draw_knock(&lap);
    space_draw_knock(&lap);
    snapshot = member_snapshot(&desk);
    assert_int_equal(view_knocks(&snapshot, knocks, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_false(space_holds_knock(&lap, knocks, true));
    (void)member_pull(&lap, &desk, &card);
    assert_false(space_holds_knock(&lap, knocks, false));
    assert_true(space_holds_knock(&lap, knocks, true));
    member_free(&desk);
    member_free(&lap);
}

static size_t space_knocks_count(struct member *member)
{
    uint8_t knocks[8 * KEY_SIZE];
    struct snapshot snapshot = member_snapshot(member);
    size_t count;

    assert_int_equal(view_knocks(&snapshot, knocks, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

static void space_renew_soon(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(space_renew_knock_soon(txn), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* KNOCK-6: who never comes back keeps an old knock answered for KNOCK_DAYS_MAX of running time. */
static void space_old_knocks_end_though_somebody_stays_away(void **state)
{
    struct member ana, bruno;
    struct ledger_txn *txn;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    member_grant(&ana, &bruno);
    txn = member_begin(&ana);
    assert_int_equal(space_renew_knock(txn), ERR_OK);
    assert_int_equal(running_advance(txn, 1), ERR_OK);
    assert_int_equal(running_advance(txn, 399 * MS_PER_DAY), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    ana.now_ms += 4000 * MS_PER_DAY;
    assert_int_equal(space_knocks_count(&ana), 2);
    txn = member_begin(&ana);
    assert_int_equal(running_advance(txn, 401 * MS_PER_DAY), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(space_knocks_count(&ana), 1);
    member_free(&ana);
    member_free(&bruno);
}

static void space_acknowledge(struct member *member, const struct member *peer,
                              const struct log_id *log, uint64_t size)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(view_delivered(txn, &peer->secrets.member, log, size), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* KNOCK-6: the first removal draws a knock at once, those of the next day share one more; older
 * ones are answered until the peers who stay have acknowledged a newer, and a key that opens it. */
static void space_knocks_of_one_day_are_shared_and_old_ones_end(void **state)
{
    enum { DAY_MS = 24 * 60 * 60 * 1000 };
    struct member ana, bruno, chie;
    struct log_id id, pair;
    struct log_row log;
    struct snapshot snapshot;
    struct ledger_txn *txn;
    struct peer link;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_new(&chie, 3, false);
    member_link(&ana, &bruno);
    member_link(&ana, &chie);
    member_grant(&ana, &bruno);
    space_renew_soon(&ana);
    assert_int_equal(space_knocks_count(&ana), 2);
    space_renew_soon(&ana);
    space_renew_soon(&ana);
    assert_int_equal(space_knocks_count(&ana), 2);
    ana.now_ms += DAY_MS - 60000;
    txn = member_begin(&ana);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(space_knocks_count(&ana), 2);
    ana.now_ms += 60000;
    txn = member_begin(&ana);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(space_knocks_count(&ana), 3);
    id = (struct log_id){.space = member_card_space(&ana), .device = *ledger_device(ana.ledger)};
    snapshot = member_snapshot(&ana);
    assert_int_equal(ledger_log(&snapshot, &id, &log), ERR_OK);
    ledger_snapshot_end(&snapshot);
    space_acknowledge(&ana, &bruno, &id, log.tip.size);
    assert_int_equal(space_knocks_count(&ana), 3); /* Chie does not know yet, */
    member_set_link(&ana, &chie, LINK_REMOVED);
    assert_int_equal(space_knocks_count(&ana), 3); /* and need not; Bruno cannot open it yet. */
    snapshot = member_snapshot(&ana);
    assert_int_equal(view_peer(&snapshot, &bruno.secrets.member, &link), ERR_OK);
    pair = (struct log_id){.space = link.pair_out, .device = id.device};
    assert_int_equal(ledger_log(&snapshot, &pair, &log), ERR_OK);
    ledger_snapshot_end(&snapshot);
    space_acknowledge(&ana, &bruno, &pair, log.tip.size);
    assert_int_equal(space_knocks_count(&ana), 1);
    member_free(&ana);
    member_free(&bruno);
    member_free(&chie);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(space_records_each_key_with_salt_and_readers),
        cmocka_unit_test(space_rotation_grants_to_the_linked_only),
        cmocka_unit_test(space_pair_is_read_by_its_peer_after_every_rotation),
        cmocka_unit_test(space_grant_says_what_is_missing),
        cmocka_unit_test(space_new_knock_comes_first_and_is_told),
        cmocka_unit_test(space_told_knocks_are_held_whoever_drew_a_later_one),
        cmocka_unit_test(space_knocks_of_one_day_are_shared_and_old_ones_end),
        cmocka_unit_test(space_old_knocks_end_though_somebody_stays_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
