/* Which epoch is written under, when one is opened, and what a removed reader can still open.
 * PROTOCOL EPOCH-6 to EPOCH-9, promise P5, invariant I4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/card.h"
#include "proto/link.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/space.h"
#include "tests/sim/burglar.h"
#include "tests/sim/meeting.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static struct space_row epoch_space(struct member *member, const struct id *id)
{
    struct snapshot snapshot = member_snapshot(member);
    struct space_row row;

    assert_int_equal(ledger_space(&snapshot, id, &row), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return row;
}

static struct epoch_row epoch_current(struct member *member, const struct id *space)
{
    struct space_row row = epoch_space(member, space);
    struct snapshot snapshot = member_snapshot(member);
    struct epoch_row epoch;

    assert_int_equal(epoch_table_get(&snapshot, &row.current, &epoch), ERR_OK);
    ledger_snapshot_end(&snapshot);
    epoch.epoch.previous = span_of(NULL, 0); /* the row's bytes are gone */
    return epoch;
}

static void epoch_is_current(struct member *member, const struct id *space, const struct hash *id)
{
    assert_memory_equal(epoch_space(member, space).current.bytes, id->bytes, HASH_SIZE);
}

static struct id epoch_pair(struct member *member, const struct member *peer)
{
    struct snapshot snapshot = member_snapshot(member);
    struct peer link;

    assert_int_equal(view_peer(&snapshot, &peer->secrets.member, &link), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return link.pair_out;
}

static void epoch_react(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void epoch_rotate(struct member *member, const struct id *space)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(space_rotate(txn, space), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* Both get what the other has and this one has not; each answers for itself. */
static void epoch_unite(struct member *left, struct member *right)
{
    for (int round = 0; round < 4; round++) {
        uint64_t carried = member_pull(left, right, NULL) + member_pull(right, left, NULL);

        if (carried == 0)
            return;
        epoch_react(left);
        epoch_react(right);
    }
    fail_msg("two devices do not come to rest");
}

static void epoch_is_named(struct member *reader, const struct id *card, const char *name)
{
    static const struct id only = {{0}};
    char room[256];

    assert_string_equal(member_read_text(reader, card, KIND_CARD, &only, CARD_NAME, room), name);
}

static void epoch_admit(struct member *member, const struct member *to)
{
    struct id card = member_card_space(member);
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(space_admit(txn, &card, &to->secrets.member), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* EPOCH-6: the epoch itself comes in its space, who its readers are in self, which may be later.
 * Meanwhile nobody opens another: two devices at one pace would go on for ever. */
static void epochs_that_cross_are_not_united_before_their_readers_are_told(void **state)
{
    struct member desk, laptop, bruno;
    uint64_t carried = 0;
    struct id pair;

    (void)state;
    member_new(&desk, 1, false);
    member_new(&bruno, 2, false);
    member_link(&desk, &bruno);
    member_twin(&laptop, &desk, 9);
    pair = epoch_pair(&desk, &bruno);
    epoch_unite(&desk, &laptop);
    epoch_rotate(&desk, &pair);
    epoch_rotate(&laptop, &pair);
    for (int round = 0; round < 5; round++) {
        carried = member_pull(&desk, &laptop, &pair) + member_pull(&laptop, &desk, &pair);
        epoch_react(&desk);
        epoch_react(&laptop);
    }
    assert_int_equal(carried, 0);
    epoch_unite(&desk, &laptop);
    assert_memory_equal(epoch_space(&desk, &pair).current.bytes,
                        epoch_space(&laptop, &pair).current.bytes, HASH_SIZE);
    member_free(&desk);
    member_free(&laptop);
    member_free(&bruno);
}

/* EPOCH-6: two devices rotate without knowing of each other, for the same readers. Both take the
 * one with the least id then; nothing more is opened. */
static void of_two_epochs_for_the_same_readers_the_least_is_taken(void **state)
{
    struct member desk, laptop, bruno;
    struct id card;
    struct hash left, right, least;
    uint64_t before;

    (void)state;
    member_new(&desk, 1, false);
    member_new(&bruno, 2, false);
    member_link(&desk, &bruno);
    member_twin(&laptop, &desk, 9);
    card = member_card_space(&desk);
    epoch_unite(&desk, &laptop);
    epoch_rotate(&desk, &card);
    epoch_rotate(&laptop, &card);
    left = epoch_space(&desk, &card).current;
    right = epoch_space(&laptop, &card).current;
    least = memcmp(left.bytes, right.bytes, HASH_SIZE) < 0 ? left : right;
    assert_memory_not_equal(left.bytes, right.bytes, HASH_SIZE);
    epoch_unite(&desk, &laptop);
    epoch_is_current(&desk, &card, &least);
    epoch_is_current(&laptop, &card, &least);
    before = burglar_newest(&desk);
    assert_int_equal(member_name_card(&desk, "Ana"), ERR_OK);
    assert_int_equal(member_name_card(&laptop, "Ana Q"), ERR_OK);
    epoch_unite(&desk, &laptop);
    epoch_is_current(&desk, &card, &least);
    assert_true(burglar_newest(&desk) <= before + 4); /* two edits, two entries that use it */
    member_free(&desk);
    member_free(&laptop);
    member_free(&bruno);
}

/* EPOCH-6, EPOCH-7, FORKS 19: one device removes Chie; another, not knowing, rotates twice with
 * her. Once either knows of both, nothing it writes can be opened by Chie, and the epochs are
 * united. */
static void a_removal_counts_over_deeper_epochs_of_another_device(void **state)
{
    for (int first = 0; first < 2; first++) {
        struct member desk, laptop, bruno, chie;
        struct epoch_row epoch;
        struct id card;
        uint64_t at_desk, at_laptop;
        char room[256];
        static const struct id only = {{0}};

        (void)state;
        member_new(&desk, 1, false);
        member_new(&bruno, 2, false);
        member_new(&chie, 3, false);
        member_link(&desk, &bruno);
        member_link(&desk, &chie);
        epoch_admit(&desk, &bruno);
        epoch_admit(&desk, &chie);
        member_twin(&laptop, &desk, 9);
        card = member_card_space(&desk);
        epoch_unite(&desk, &laptop);
        (void)member_pull(&chie, &desk, NULL);
        (void)member_pull(&bruno, &desk, NULL);
        member_set_link(&desk, &chie, LINK_REMOVED);
        epoch_react(&desk);
        epoch_rotate(&laptop, &card);
        epoch_rotate(&laptop, &card);
        assert_int_equal(member_name_card(&laptop, "Not known yet"), ERR_OK);
        (void)member_pull(&chie, &laptop, NULL);
        assert_string_equal(member_read_text(&chie, &card, KIND_CARD, &only, CARD_NAME, room),
                            "Not known yet");
        if (first == 0) {
            (void)member_pull(&laptop, &desk, NULL);
            at_laptop = burglar_newest(&laptop);
            assert_int_equal(member_name_card(&laptop, "After"), ERR_OK);
            assert_false(burglar_finds(&chie, &laptop, at_laptop, "After"));
        }
        epoch_unite(&desk, &laptop);
        epoch = epoch_current(&desk, &card);
        assert_int_equal(epoch.epoch.parents_count >= (size_t)(first == 0 ? 1 : 2), 1);
        at_desk = burglar_newest(&desk);
        at_laptop = burglar_newest(&laptop);
        assert_int_equal(member_name_card(&desk, "Desk later"), ERR_OK);
        assert_int_equal(member_name_card(&laptop, "Laptop later"), ERR_OK);
        epoch_unite(&desk, &laptop);
        assert_int_equal(burglar_opens(&chie, &desk, at_desk), 0);
        assert_int_equal(burglar_opens(&chie, &laptop, at_laptop), 0);
        (void)member_pull(&bruno, &desk, NULL);
        (void)member_read_text(&bruno, &card, KIND_CARD, &only, CARD_NAME, room);
        assert_true(strcmp(room, "Desk later") == 0 || strcmp(room, "Laptop later") == 0);
        member_free(&desk);
        member_free(&laptop);
        member_free(&bruno);
        member_free(&chie);
    }
}

/* EPOCH-6, RETURN-10: the laptop opened an epoch without Chie and died before it told the desk who
 * reads it. What is sealed under it stays in its log, and is the newest there. She reads it when
 * nobody can say any more that she was removed, and never where the laptop did say so. */
static void an_epoch_whose_readers_died_untold_is_built_upon_a_day_later(void **state)
{
    for (int is_told = 0; is_told < 2; is_told++) {
        struct member desk, laptop, bruno, chie;
        struct hash alone, lost;
        struct id card, pair;
        uint64_t before;

        (void)state;
        member_new(&desk, 1, false);
        member_new(&bruno, 2, false);
        member_new(&chie, 3, false);
        member_link(&desk, &bruno);
        member_link(&desk, &chie);
        epoch_admit(&desk, &bruno);
        epoch_admit(&desk, &chie);
        member_twin(&laptop, &desk, 9);
        card = member_card_space(&desk);
        pair = epoch_pair(&desk, &bruno);
        epoch_unite(&desk, &laptop);
        (void)member_pull(&chie, &desk, NULL);
        alone = epoch_space(&desk, &card).current;
        before = burglar_newest(&desk);
        member_set_link(&laptop, &chie, LINK_REMOVED);
        epoch_react(&laptop);
        assert_int_equal(member_name_card(&laptop, "Of the laptop"), ERR_OK);
        lost = epoch_space(&laptop, &card).current;
        assert_memory_not_equal(lost.bytes, alone.bytes, HASH_SIZE);
        (void)member_pull(&desk, &laptop, &card);
        (void)member_pull(&desk, &laptop, &pair); /* The grant, which tells the key. */
        desk.now_ms += UINT64_C(40) * DAY_MS;
        meeting_live(&desk, DAY_MS - 60000);
        meeting_tick(&desk);
        epoch_is_current(&desk, &card, &alone);
        if (is_told)
            epoch_unite(&desk, &laptop);
        meeting_live(&desk, DAY_MS / 24);
        meeting_tick(&desk);
        (void)member_pull(&chie, &desk, NULL);
        epoch_is_named(&chie, &card, is_told ? "" : "Of the laptop");
        if (is_told) {
            assert_false(burglar_finds(&chie, &desk, before, "Of the laptop"));
        } else {
            assert_int_equal(epoch_current(&desk, &card).epoch.parents_count, 1);
            assert_memory_equal(epoch_current(&desk, &card).epoch.parents[0].bytes, lost.bytes,
                                HASH_SIZE);
            (void)member_pull(&bruno, &desk, NULL);
            epoch_is_named(&bruno, &card, "Of the laptop");
        }
        member_free(&desk);
        member_free(&laptop);
        member_free(&bruno);
        member_free(&chie);
    }
}

/* P5, I4: with her whole store and all keys in it Chie opens nothing that is written once Ana has
 * removed her: no card, no knock, nothing meant for Bruno, nothing of Ana's own. */
static void a_removed_reader_opens_nothing_written_since(void **state)
{
    struct member ana, bruno, chie;
    struct ledger_txn *txn;
    struct id pair;
    uint64_t before;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_new(&chie, 3, false);
    member_link(&ana, &bruno);
    member_link(&ana, &chie);
    epoch_admit(&ana, &bruno);
    epoch_admit(&ana, &chie);
    pair = epoch_pair(&ana, &bruno);
    assert_int_equal(member_name_card(&ana, "Before"), ERR_OK);
    (void)member_pull(&chie, &ana, NULL);
    assert_true(burglar_finds(&chie, &ana, 0, "Before"));
    assert_true(burglar_opens(&chie, &ana, 0) > 3);
    before = burglar_newest(&ana);
    member_set_link(&ana, &chie, LINK_REMOVED);
    assert_int_equal(member_name_card(&ana, "After"), ERR_OK);
    txn = member_begin(&ana);
    assert_int_equal(space_renew_knock(txn), ERR_OK);
    assert_int_equal(space_rotate(txn, &pair), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(member_name_card(&ana, "Later"), ERR_OK);
    assert_true(burglar_newest(&ana) > before + 6);
    assert_int_equal(burglar_opens(&chie, &ana, before), 0);
    assert_true(burglar_finds(&bruno, &ana, before, "Later") ||
                member_pull(&bruno, &ana, NULL) > 0);
    assert_true(burglar_finds(&bruno, &ana, before, "Later"));
    assert_true(burglar_finds(&ana, &ana, before, "After"));
    member_free(&ana);
    member_free(&bruno);
    member_free(&chie);
}

static bool epoch_is_granted(struct member *member, const struct id *pair, const struct hash *epoch)
{
    struct snapshot snapshot = member_snapshot(member);
    struct object grant = {0};
    struct id object;
    uint32_t number;
    enum err err;

    memcpy(object.bytes, epoch->bytes, ID_SIZE);
    err = row_get(&snapshot, pair, KIND_GRANT, &object, &grant, &number);
    object_release(&grant);
    ledger_snapshot_end(&snapshot);
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    return err == ERR_OK;
}

/* EPOCH-9: each who came holds the key of that day, and nobody who went has today's, whoever came
 * and went before and since. */
static void nobody_who_came_and_went_has_the_key_of_today(void **state)
{
    enum { EPOCH_GUESTS = 6 };
    struct member ana, guests[EPOCH_GUESTS];
    struct id card, pairs[EPOCH_GUESTS];

    (void)state;
    member_new(&ana, 1, false);
    card = member_card_space(&ana);
    for (size_t at = 0; at < EPOCH_GUESTS; at++) {
        struct hash before, after;

        member_new(&guests[at], (uint32_t)(2 + at), false);
        member_link(&ana, &guests[at]);
        epoch_admit(&ana, &guests[at]);
        pairs[at] = epoch_pair(&ana, &guests[at]);
        before = epoch_space(&ana, &card).current;
        assert_true(epoch_is_granted(&ana, &pairs[at], &before));
        member_set_link(&ana, &guests[at], LINK_REMOVED);
        epoch_react(&ana);
        after = epoch_space(&ana, &card).current;
        assert_memory_not_equal(before.bytes, after.bytes, HASH_SIZE);
        for (size_t gone = 0; gone <= at; gone++)
            assert_false(epoch_is_granted(&ana, &pairs[gone], &after));
    }
    for (size_t at = 0; at < EPOCH_GUESTS; at++)
        member_free(&guests[at]);
    member_free(&ana);
}

/* An epoch over another, whose key it tells, of a depth it cannot have: no honest device opens it.
 */
static struct hash epoch_open_shallow(struct member *member, const struct id *space,
                                      const struct hash *over, uint32_t depth)
{
    struct ledger_txn *txn = member_begin(member);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t parent_key[KEY_SIZE], key[KEY_SIZE];
    struct epoch_plan plan = {.space = *space,
                              .opener = *ledger_device(member->ledger),
                              .parents = over,
                              .parents_count = 1,
                              .parent_keys = parent_key,
                              .depth = depth};
    struct hash id;

    assert_int_equal(epoch_table_key(&snapshot, over, parent_key), ERR_OK);
    assert_int_equal(ledger_append_epoch(txn, space, &plan, &id, key), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    return id;
}

static void epoch_grant(struct member *member, const struct id *pair, const struct hash *epoch)
{
    struct ledger_txn *txn = member_begin(member);
    struct edit_space edit = {0};
    struct id object;

    memcpy(object.bytes, epoch->bytes, ID_SIZE);
    edit_begin(&edit, KIND_GRANT, &object, 1);
    edit_set(&edit, GRANT_EPOCH, 1,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(epoch->bytes, HASH_SIZE)});
    assert_int_equal(ledger_append(txn, pair, &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
}

/* EPOCH-6: "Among its readers is whoever was granted its key or one from which it follows", also
 * where epochs say that they lie less deep than the ones whose keys they tell. */
static void a_key_that_follows_from_a_lower_depth_has_leaked(void **state)
{
    struct member ana, chie;
    struct hash current, middle, shallow, renewed;
    struct id card, pair;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&chie, 2, false);
    card = member_card_space(&ana);
    for (int turn = 0; turn < 3; turn++)
        epoch_rotate(&ana, &card);
    current = epoch_space(&ana, &card).current;
    member_link(&ana, &chie);
    pair = epoch_pair(&ana, &chie);
    assert_false(epoch_is_granted(&ana, &pair, &current));
    middle = epoch_open_shallow(&ana, &card, &current, 3);
    shallow = epoch_open_shallow(&ana, &card, &middle, 2);
    epoch_grant(&ana, &pair, &shallow);
    epoch_is_current(&ana, &card, &current);
    member_set_link(&ana, &chie, LINK_REMOVED);
    epoch_react(&ana);
    assert_memory_not_equal(epoch_space(&ana, &card).current.bytes, current.bytes, HASH_SIZE);
    renewed = epoch_space(&ana, &card).current;
    assert_false(epoch_is_granted(&ana, &pair, &renewed));
    member_free(&ana);
    member_free(&chie);
}

/* EPOCH-8: a device that Bruno adds is wrapped for at once when a day has passed since the pair's
 * last epoch, else when it has; several in between are one rotation. */
static void a_peers_new_devices_are_collected_to_one_rotation_a_day(void **state)
{
    struct member ana, bruno, first, second, third;
    struct id pair;
    uint64_t begun;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    begun = ana.now_ms;
    member_link(&ana, &bruno);
    epoch_admit(&bruno, &ana);
    pair = epoch_pair(&ana, &bruno);
    (void)member_pull(&ana, &bruno, NULL);
    epoch_react(&ana);
    assert_int_equal(epoch_current(&ana, &pair).epoch.depth, 1);
    member_twin(&first, &bruno, 11);
    member_twin(&second, &bruno, 12);
    (void)member_pull(&ana, &bruno, NULL);
    epoch_react(&ana);
    assert_int_equal(epoch_current(&ana, &pair).epoch.depth, 1);
    ana.now_ms = begun + DAY_MS - 5000;
    epoch_react(&ana);
    assert_int_equal(epoch_current(&ana, &pair).epoch.depth, 1);
    ana.now_ms = begun + DAY_MS + 60000;
    epoch_react(&ana);
    assert_int_equal(epoch_current(&ana, &pair).epoch.depth, 2);
    epoch_react(&ana);
    assert_int_equal(epoch_current(&ana, &pair).epoch.depth, 2);
    assert_int_equal(burglar_opens(&first, &ana, 0) > 0, 1);
    ana.now_ms += DAY_MS + 1;
    member_twin(&third, &bruno, 13);
    (void)member_pull(&ana, &bruno, NULL);
    epoch_react(&ana);
    assert_int_equal(epoch_current(&ana, &pair).epoch.depth, 3);
    member_free(&ana);
    member_free(&bruno);
    member_free(&first);
    member_free(&second);
    member_free(&third);
}

/* EPOCH-4, EPOCH-8: an own device that is added gets a new epoch of self at once, wrapped for it;
 * all older keys follow. */
static void an_own_new_device_reads_self_at_once(void **state)
{
    struct member ana, laptop, bare;
    struct id contact;

    (void)state;
    member_new(&ana, 1, false);
    assert_int_equal(member_add_contact(&ana, "Long ago", NULL, &contact), ERR_OK);
    assert_int_equal(epoch_current(&ana, ledger_self_space(ana.ledger)).epoch.depth, 1);
    member_twin(&laptop, &ana, 9);
    assert_int_equal(epoch_current(&ana, ledger_self_space(ana.ledger)).epoch.depth, 2);
    member_new(&bare, 9, false); /* the same device keys, and an empty store */
    assert_true(burglar_finds(&bare, &ana, 0, "Long ago"));
    member_free(&ana);
    member_free(&laptop);
    member_free(&bare);
}

/* EPOCH-8: behind a million entries of one log the key is renewed, not before. */
static void an_epoch_is_renewed_behind_its_bound(void **state)
{
    struct member ana;
    struct id card;

    (void)state;
    member_new(&ana, 1, false);
    card = member_card_space(&ana);
    for (int at = -1; at <= 1; at++) {
        struct log_id id = {.space = card, .device = *ledger_device(ana.ledger)};
        uint32_t depth = epoch_current(&ana, &card).epoch.depth;
        struct ledger_txn *txn = member_begin(&ana);
        struct snapshot snapshot = ledger_txn_snapshot(txn);
        struct edit_space edit = {0};
        static const struct id only = {{0}};
        struct log_row log;
        struct hash newest;
        uint64_t since;

        assert_int_equal(ledger_log(&snapshot, &id, &log), ERR_OK);
        assert_int_equal(epoch_table_newest(&snapshot, &log, &newest, &since), ERR_OK);
        log.tip.size += EPOCH_ENTRIES_MAX - since + (uint64_t)at; /* as if so many were written */
        assert_int_equal(log_table_put(txn, &log), ERR_OK);
        edit_begin(&edit, KIND_CARD, &only, ana.now_ms);
        edit_set(&edit, CARD_NAME, 1, member_text("Ana"));
        assert_int_equal(ledger_append(txn, &card, &edit, 0), ERR_OK);
        snapshot = ledger_txn_snapshot(txn);
        {
            struct space_row row;
            struct epoch_row epoch;

            assert_int_equal(ledger_space(&snapshot, &card, &row), ERR_OK);
            assert_int_equal(epoch_table_get(&snapshot, &row.current, &epoch), ERR_OK);
            assert_int_equal(epoch.epoch.depth, at < 0 ? depth : depth + 1);
        }
        edit_release(&edit);
        ledger_abort(txn);
    }
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_epochs_for_the_same_readers_the_least_is_taken),
        cmocka_unit_test(epochs_that_cross_are_not_united_before_their_readers_are_told),
        cmocka_unit_test(a_removal_counts_over_deeper_epochs_of_another_device),
        cmocka_unit_test(an_epoch_whose_readers_died_untold_is_built_upon_a_day_later),
        cmocka_unit_test(a_removed_reader_opens_nothing_written_since),
        cmocka_unit_test(nobody_who_came_and_went_has_the_key_of_today),
        cmocka_unit_test(a_key_that_follows_from_a_lower_depth_has_leaked),
        cmocka_unit_test(a_peers_new_devices_are_collected_to_one_rotation_a_day),
        cmocka_unit_test(an_own_new_device_reads_self_at_once),
        cmocka_unit_test(an_epoch_is_renewed_behind_its_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
