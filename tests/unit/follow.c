/* From entries to objects: whatever the order in which entries, epochs and keys come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/card.h"
#include "proto/contact.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/space.h"
#include "tests/sim/member.h"

static const struct id follow_only = {{0}};

static const char *follow_card_name(struct member *reader, const struct id *card, char room[256])
{
    return member_read_text(reader, card, KIND_CARD, &follow_only, CARD_NAME, room);
}

static uint64_t follow_waiting(struct member *member)
{
    struct kv_txn *txn;
    uint64_t count;

    assert_int_equal(kv_begin(member->kv, KV_READ, &txn), ERR_OK);
    assert_int_equal(kv_count(txn, TABLE_WAITING, &count), ERR_OK);
    kv_abort(txn);
    return count;
}

static struct id follow_pair_out(struct member *member, const struct member *peer)
{
    struct snapshot snapshot = member_snapshot(member);
    struct peer link;

    assert_int_equal(view_peer(&snapshot, &peer->secrets.member, &link), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return link.pair_out;
}

/* The card before the grant waits; the grant before the card is kept. */
static void follow_reads_a_card_only_with_its_grant_in_both_orders(void **state)
{
    size_t ways = 0;

    (void)state;
    for (int is_lmdb = 0; is_lmdb < 2; is_lmdb++)
        for (int grant_first = 0; grant_first < 2; grant_first++, ways++) {
            struct member ana, bruno;
            struct id card, pair;
            char room[256];

            member_new(&ana, 1, is_lmdb != 0);
            member_new(&bruno, 2, is_lmdb != 0);
            member_link(&ana, &bruno);
            card = member_card_space(&ana);
            pair = follow_pair_out(&ana, &bruno);
            assert_int_equal(member_name_card(&ana, "Ana Lima"), ERR_OK);
            member_grant(&ana, &bruno);
            assert_true(member_pull(&bruno, &ana, grant_first ? &pair : &card) > 0);
            assert_string_equal(follow_card_name(&bruno, &card, room), "");
            member_close(&bruno);
            member_open(&bruno);
            assert_true((follow_waiting(&bruno) > 0) == (grant_first == 0));
            assert_true(member_pull(&bruno, &ana, grant_first ? &card : &pair) > 0);
            assert_string_equal(follow_card_name(&bruno, &card, room), "Ana Lima");
            assert_int_equal(follow_waiting(&bruno), 0);
            assert_false(follow_is_behind(bruno.ledger));
            member_free(&ana);
            member_free(&bruno);
        }
    assert_int_equal(ways, 4);
}

/* A reader that is granted the newest epoch reads the older ones through it, in both orders. */
static void follow_reads_older_epochs_through_newer_ones(void **state)
{
    static const char *const names[] = {"Ana 1", "Ana 2", "Ana 3"};

    (void)state;
    for (int grant_first = 0; grant_first < 2; grant_first++) {
        struct member ana, bruno;
        struct id card, pair;
        char room[256];

        member_new(&ana, 1, false);
        member_new(&bruno, 2, false);
        member_link(&ana, &bruno);
        card = member_card_space(&ana);
        pair = follow_pair_out(&ana, &bruno);
        /* Bruno is no reader while the rotations happen: only the last epoch is granted. */
        member_set_link(&ana, &bruno, LINK_REMOVED);
        for (size_t at = 0; at < 3; at++) {
            struct ledger_txn *txn;
            struct id place = {{(uint8_t)(at + 1)}};

            assert_int_equal(member_write(&ana, &card, KIND_CARD, &place, CARD_PLACE, names[at]),
                             ERR_OK);
            txn = member_begin(&ana);
            assert_int_equal(space_rotate(txn, &card), ERR_OK);
            assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        }
        member_set_link(&ana, &bruno, LINK_LINKED);
        assert_int_equal(member_name_card(&ana, "Ana now"), ERR_OK);
        member_grant(&ana, &bruno);
        assert_true(member_pull(&bruno, &ana, grant_first ? &pair : &card) > 0);
        assert_true(member_pull(&bruno, &ana, grant_first ? &card : &pair) > 0);
        assert_string_equal(follow_card_name(&bruno, &card, room), "Ana now");
        for (size_t at = 0; at < 3; at++) {
            struct id place = {{(uint8_t)(at + 1)}};

            assert_string_equal(
                member_read_text(&bruno, &card, KIND_CARD, &place, CARD_PLACE, room), names[at]);
        }
        assert_int_equal(follow_waiting(&bruno), 0);
        member_free(&ana);
        member_free(&bruno);
    }
}

/* After a removal nothing new is readable, whatever is carried. */
/* An entry against one key, as whoever keeps the bytes could try it. */
static bool follow_key_opens(const struct snapshot *snapshot, const struct entry_row *row,
                             const uint8_t epoch_key[static KEY_SIZE])
{
    uint8_t key[KEY_SIZE];
    struct log_row log;
    struct space_row space;
    struct log_id id;
    struct buf plain = {0};
    bool is_open;

    assert_int_equal(ledger_log_numbered(snapshot, row->log, &log), ERR_OK);
    assert_int_equal(ledger_space_numbered(snapshot, log.space, &space), ERR_OK);
    id = (struct log_id){.space = space.id, .device = log.device};
    entry_key(epoch_key, &id, key);
    is_open = entry_open(key, &row->entry, row->seq, &plain) == ERR_OK;
    buf_release(&plain);
    return is_open;
}

/* Tries every epoch key this member holds, and its own seeds, on one entry: how many open it. */
static size_t follow_keys_that_open(struct member *member, uint64_t arrival, size_t *out_tried)
{
    const uint8_t *const seeds[] = {member->secrets.root_seed, member->secrets.signing_seed,
                                    member->secrets.static_seed, member->secrets.receiving_seed,
                                    member->secrets.local_key};
    struct snapshot snapshot = member_snapshot(member);
    struct kv_cursor *cursor;
    struct entry_row row;
    size_t opened = 0;
    enum err err;

    *out_tried = 0;
    assert_int_equal(ledger_entry(&snapshot, arrival, &row), ERR_OK);
    for (size_t at = 0; at < sizeof seeds / sizeof seeds[0]; at++)
        opened += follow_key_opens(&snapshot, &row, seeds[at]);
    assert_int_equal(kv_cursor_open(snapshot.kv, TABLE_EPOCH, &cursor), ERR_OK);
    for (err = kv_cursor_seek(cursor, span_of(NULL, 0)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        uint8_t key[KEY_SIZE];
        struct span name, value;
        struct hash id;

        kv_cursor_at(cursor, &name, &value);
        assert_int_equal(name.size, HASH_SIZE);
        memcpy(id.bytes, name.data, HASH_SIZE);
        if (epoch_table_key(&snapshot, &id, key) != ERR_OK)
            continue;
        opened += follow_key_opens(&snapshot, &row, key);
        (*out_tried)++;
    }
    kv_cursor_close(cursor);
    ledger_snapshot_end(&snapshot);
    return opened;
}

static uint64_t follow_newest(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    uint64_t arrival;

    assert_int_equal(ledger_newest_arrival(&snapshot, &arrival), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return arrival;
}

static void follow_reads_nothing_of_an_epoch_opened_after_a_removal(void **state)
{
    struct member ana, bruno;
    struct ledger_txn *txn;
    struct id card;
    char room[256];
    size_t tried;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    card = member_card_space(&ana);
    member_grant(&ana, &bruno);
    assert_int_equal(member_name_card(&ana, "before"), ERR_OK);
    assert_true(member_pull(&bruno, &ana, NULL) > 0);
    assert_string_equal(follow_card_name(&bruno, &card, room), "before");
    assert_int_equal(follow_keys_that_open(&bruno, follow_newest(&bruno), &tried), 1);
    member_set_link(&ana, &bruno, LINK_REMOVED);
    txn = member_begin(&ana);
    assert_int_equal(space_rotate(txn, &card), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(member_name_card(&ana, "after"), ERR_OK);
    member_set_link(&ana, &bruno, LINK_LINKED); /* so that replica gives everything */
    assert_true(member_pull(&bruno, &ana, NULL) > 0);
    assert_string_equal(follow_card_name(&bruno, &card, room), "before");
    assert_true(follow_waiting(&bruno) > 0);
    /* Not only is nothing shown: Bruno holds the bytes, and no key he has opens them. */
    assert_int_equal(follow_keys_that_open(&bruno, follow_newest(&bruno), &tried), 0);
    assert_true(tried >= 3);
    member_free(&ana);
    member_free(&bruno);
}

/* Chie, a peer of both, tells Bruno a wrong key for the epoch of Ana's card. */
static void follow_lets_no_stranger_spoil_a_key(void **state)
{
    size_t orders = 0;

    (void)state;
    for (int liar_first = 0; liar_first < 2; liar_first++, orders++) {
        struct member ana, bruno, chie;
        struct edit_space edit = {0};
        struct id card, ana_pair, chie_pair, chie_card, object;
        struct snapshot snapshot;
        struct space_row space;
        struct ledger_txn *txn;
        uint8_t wrong[KEY_SIZE] = {6};
        struct hash epoch;
        char room[256];

        member_new(&ana, 1, false);
        member_new(&bruno, 2, false);
        member_new(&chie, 3, false);
        member_link(&ana, &bruno);
        member_link(&bruno, &chie);
        card = member_card_space(&ana);
        chie_card = member_card_space(&chie);
        ana_pair = follow_pair_out(&ana, &bruno);
        chie_pair = follow_pair_out(&chie, &bruno);
        assert_int_equal(member_name_card(&ana, "Ana Lima"), ERR_OK);
        member_grant(&ana, &bruno);
        snapshot = member_snapshot(&ana);
        assert_int_equal(ledger_space(&snapshot, &card, &space), ERR_OK);
        epoch = space.current;
        ledger_snapshot_end(&snapshot);
        memcpy(object.bytes, epoch.bytes, ID_SIZE);
        edit_begin(&edit, KIND_GRANT, &object, chie.now_ms);
        edit_set(&edit, GRANT_SPACE, 1,
                 (struct value){.type = VALUE_BYTES, .bytes = span_of(chie_card.bytes, ID_SIZE)});
        edit_set(&edit, GRANT_EPOCH, 1,
                 (struct value){.type = VALUE_BYTES, .bytes = span_of(epoch.bytes, HASH_SIZE)});
        edit_set(&edit, GRANT_KEY, 1,
                 (struct value){.type = VALUE_BYTES, .bytes = span_of(wrong, KEY_SIZE)});
        txn = member_begin(&chie);
        assert_int_equal(ledger_append(txn, &chie_pair, &edit, 0), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        edit_release(&edit);
        if (!liar_first)
            assert_true(member_pull(&bruno, &ana, &ana_pair) > 0);
        assert_true(member_pull(&bruno, &chie, &chie_pair) > 0);
        if (liar_first)
            assert_true(member_pull(&bruno, &ana, &ana_pair) > 0);
        assert_true(member_pull(&bruno, &ana, &card) > 0);
        assert_string_equal(follow_card_name(&bruno, &card, room), "Ana Lima");
        member_free(&ana);
        member_free(&bruno);
        member_free(&chie);
    }
    assert_int_equal(orders, 2);
}

static void follow_add_cards(struct member *member, const struct id *card, size_t count)
{
    struct edit_space edit = {0};
    struct ledger_txn *txn = member_begin(member);

    for (size_t at = 0; at < count; at++) {
        struct id object = {{1}};

        be32_put(object.bytes + 4, (uint32_t)at);
        edit_begin(&edit, KIND_CARD, &object, member->now_ms);
        edit_set(&edit, CARD_NAME, 1, member_text("many"));
        assert_int_equal(ledger_append(txn, card, &edit, 0), ERR_OK);
    }
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
}

static enum err follow_count(void *self, uint32_t number, const struct object *object)
{
    (void)number;
    (void)object;
    (*(size_t *)self)++;
    return ERR_OK;
}

static size_t follow_cards(struct member *reader, const struct id *card)
{
    struct snapshot snapshot = member_snapshot(reader);
    size_t count = 0;

    assert_int_equal(row_each(&snapshot, card, KIND_CARD, follow_count, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

/* A late key must not make one commit merge everything that waited. */
static void follow_merges_what_waited_in_stages(void **state)
{
    (void)state;
    for (int is_lmdb = 0; is_lmdb < 2; is_lmdb++) {
        struct member ana, bruno;
        struct id card, pair;
        bool is_more = true;
        size_t stages = 0, before;

        member_new(&ana, 1, is_lmdb != 0);
        member_new(&bruno, 2, is_lmdb != 0);
        member_link(&ana, &bruno);
        card = member_card_space(&ana);
        pair = follow_pair_out(&ana, &bruno);
        follow_add_cards(&ana, &card, 700);
        member_grant(&ana, &bruno);
        assert_true(member_pull(&bruno, &ana, &card) >= 700);
        assert_true(follow_waiting(&bruno) >= 700);
        assert_true(member_pull(&bruno, &ana, &pair) > 0);
        assert_true(follow_cards(&bruno, &card) <= FOLLOW_INLINE_MAX);
        assert_true(follow_is_behind(bruno.ledger));
        before = follow_cards(&bruno, &card);
        while (is_more) {
            if (stages == 1) {
                member_close(&bruno);
                member_open(&bruno);
            }
            assert_int_equal(follow_stage(bruno.ledger, 100, &is_more), ERR_OK);
            assert_true(follow_cards(&bruno, &card) <= before + 100);
            before = follow_cards(&bruno, &card);
            stages++;
        }
        assert_true(stages >= 5);
        assert_int_equal(follow_cards(&bruno, &card), 700);
        assert_int_equal(follow_waiting(&bruno), 0);
        assert_false(follow_is_behind(bruno.ledger));
        member_free(&ana);
        member_free(&bruno);
    }
}

/* At most FOLLOW_INLINE_MAX entries are merged in their own commit; more stay behind. */
static void follow_is_inline_up_to_its_bound(void **state)
{
    static const struct {
        size_t edits;
        bool is_behind;
    } cases[] = {
        {FOLLOW_INLINE_MAX - 1, false}, {FOLLOW_INLINE_MAX, false}, {FOLLOW_INLINE_MAX + 1, true}};

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct snapshot snapshot;
        uint64_t held, merged;
        struct member ana;
        struct id card;
        bool is_more;

        member_new(&ana, 1, false);
        card = member_card_space(&ana);
        follow_add_cards(&ana, &card, cases[at].edits);
        assert_int_equal(follow_is_behind(ana.ledger), cases[at].is_behind);
        snapshot = member_snapshot(&ana);
        assert_int_equal(follow_progress(&snapshot, &held, &merged), ERR_OK);
        ledger_snapshot_end(&snapshot);
        assert_int_equal(held - merged, cases[at].is_behind ? cases[at].edits : 0);
        assert_int_equal(follow_stage(ana.ledger, SIZE_MAX, &is_more), ERR_OK);
        assert_false(is_more);
        assert_int_equal(follow_cards(&ana, &card), cases[at].edits);
        member_free(&ana);
    }
}

/* A second device of a member, as far as others see it: a key with a certificate, and a log. */
/* Merging meets a full disk at every operation: nothing is half merged, and it goes on later. */
static void follow_survives_a_full_disk_at_every_operation(void **state)
{
    struct member ana, bruno;
    struct id card, pair;
    bool is_more;
    uint64_t at;
    size_t before;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    card = member_card_space(&ana);
    pair = follow_pair_out(&ana, &bruno);
    follow_add_cards(&ana, &card, 300);
    member_grant(&ana, &bruno);
    assert_true(member_pull(&bruno, &ana, &card) >= 300);
    assert_true(member_pull(&bruno, &ana, &pair) > 0);
    before = follow_cards(&bruno, &card);
    assert_true(before < 300);
    for (at = 1;; at++) {
        uint64_t fails = kv_mem_failures_count(bruno.mem);
        enum err err;

        kv_mem_fail(bruno.mem, (struct kv_mem_failure){.at = at, .err = ERR_FULL});
        err = follow_stage(bruno.ledger, 3, &is_more);
        kv_mem_fail(bruno.mem, (struct kv_mem_failure){0});
        if (kv_mem_failures_count(bruno.mem) == fails)
            break;
        assert_int_equal(err, ERR_FULL);
        assert_int_equal(follow_cards(&bruno, &card), before);
    }
    assert_true(at > 20);
    assert_int_equal(follow_cards(&bruno, &card), before + 3);
    assert_int_equal(follow_stage(bruno.ledger, SIZE_MAX, &is_more), ERR_OK);
    assert_int_equal(follow_cards(&bruno, &card), 300);
    member_free(&ana);
    member_free(&bruno);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follow_reads_a_card_only_with_its_grant_in_both_orders),
        cmocka_unit_test(follow_reads_older_epochs_through_newer_ones),
        cmocka_unit_test(follow_reads_nothing_of_an_epoch_opened_after_a_removal),
        cmocka_unit_test(follow_lets_no_stranger_spoil_a_key),
        cmocka_unit_test(follow_merges_what_waited_in_stages),
        cmocka_unit_test(follow_is_inline_up_to_its_bound),
        cmocka_unit_test(follow_survives_a_full_disk_at_every_operation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
