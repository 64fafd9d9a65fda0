/* The ledger: what a commit keeps, what it refuses, and what a full disk leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/card.h"
#include "proto/contact.h"
#include "proto/limits.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/space.h"
#include "tests/sim/member.h"

static uint64_t ledger_arrivals(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    uint64_t arrival;

    assert_int_equal(ledger_newest_arrival(&snapshot, &arrival), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return arrival;
}

static void ledger_is_sound(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    struct check_report report;

    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_string_equal(report.first, "");
    assert_int_equal(report.damaged, 0);
    assert_true(report.entries > 0);
}

static void ledger_begins_with_spaces_certificate_and_knock(void **state)
{
    (void)state;
    for (int is_lmdb = 0; is_lmdb < 2; is_lmdb++) {
        uint8_t knocks[8 * KEY_SIZE], zeros[KEY_SIZE] = {0};
        struct snapshot snapshot;
        struct device_row device;
        struct space_row card;
        struct member ana;
        size_t count;

        member_new(&ana, 1, is_lmdb != 0);
        snapshot = member_snapshot(&ana);
        assert_int_equal(ledger_own_space(&snapshot, SPACE_CARD, &card), ERR_OK);
        assert_true(card.is_mine);
        assert_int_equal(ledger_own_space(&snapshot, SPACE_NETWORK, &card), ERR_NOT_FOUND);
        assert_int_equal(view_device(&snapshot, ledger_device(ana.ledger), &device), ERR_OK);
        assert_string_equal(device.name, "desk");
        assert_true(public_key_is_equal(&device.member, &ana.secrets.member));
        assert_int_equal(view_knocks(&snapshot, knocks, &count), ERR_OK);
        assert_int_equal(count, 1);
        assert_memory_not_equal(knocks, zeros, KEY_SIZE);
        ledger_snapshot_end(&snapshot);
        ledger_is_sound(&ana);
        member_free(&ana);
    }
}

static void ledger_opens_only_what_was_made_for_its_keys(void **state)
{
    struct device_secrets foreign;
    struct ledger *ledger;
    struct kv_txn *txn;
    struct member ana;
    uint8_t newer[4];
    struct key key;

    (void)state;
    member_prepare(&ana, 1, false);
    assert_int_equal(ledger_open(ana.kv, &ana.secrets, &ana.entropy, &ledger), ERR_NOT_FOUND);
    foreign = ana.secrets;
    foreign.has_root = false;
    assert_int_equal(ledger_create(ana.kv, &foreign, &ana.entropy, span_str("desk"), ana.now_ms),
                     ERR_STATE);
    assert_int_equal(
        ledger_create(ana.kv, &ana.secrets, &ana.entropy, span_str("desk"), ana.now_ms), ERR_OK);
    assert_int_equal(
        ledger_create(ana.kv, &ana.secrets, &ana.entropy, span_str("desk"), ana.now_ms),
        ERR_EXISTS);
    foreign = ana.secrets;
    foreign.local_key[0] ^= 1;
    assert_int_equal(ledger_open(ana.kv, &foreign, &ana.entropy, &ledger), ERR_CORRUPT);
    be32_put(newer, STORE_FORMAT + 1);
    key_of_byte(META_FORMAT, &key);
    assert_int_equal(kv_begin(ana.kv, KV_WRITE, &txn), ERR_OK);
    assert_int_equal(kv_put(txn, TABLE_META, key_span(&key), span_of(newer, 4)), ERR_OK);
    assert_int_equal(kv_commit(txn), ERR_OK);
    assert_int_equal(ledger_open(ana.kv, &ana.secrets, &ana.entropy, &ledger), ERR_VERSION);
    member_free(&ana);
}

static void ledger_append_is_read_at_once_and_after_a_restart(void **state)
{
    (void)state;
    for (int is_lmdb = 0; is_lmdb < 2; is_lmdb++) {
        struct id contact;
        struct member ana;
        char room[256];

        member_new(&ana, 1, is_lmdb != 0);
        assert_int_equal(member_add_contact(&ana, "Bruno", "b@example.org", &contact), ERR_OK);
        for (int round = 0; round < 2; round++) {
            assert_string_equal(member_read_text(&ana, ledger_self_space(ana.ledger), KIND_CONTACT,
                                                 &contact, CONTACT_NAME, room),
                                "Bruno");
            member_close(&ana);
            member_open(&ana);
        }
        ledger_is_sound(&ana);
        member_free(&ana);
    }
}

/* A program that makes its views otherwise drops the old ones and makes them again. */
static void ledger_views_of_another_make_are_made_again(void **state)
{
    struct id contact;
    struct member ana;
    struct ledger_txn *txn;
    struct ledger_news news;
    char room[256];
    bool is_more = true;

    (void)state;
    member_new(&ana, 1, true);
    assert_int_equal(member_add_contact(&ana, "Bruno", "b@example.org", &contact), ERR_OK);
    assert_false(ledger_has_old_views(ana.ledger));
    txn = member_begin(&ana);
    txn->counters.views = LEDGER_VIEWS - 1;
    txn->written++;
    assert_int_equal(ledger_commit(txn, &news), ERR_OK);
    assert_true(ledger_has_old_views(ana.ledger));
    for (int stages = 0; is_more && stages < 100; stages++)
        assert_int_equal(follow_stage(ana.ledger, 1000, &is_more), ERR_OK);
    assert_false(is_more);
    assert_false(ledger_has_old_views(ana.ledger));
    assert_string_equal(member_read_text(&ana, ledger_self_space(ana.ledger), KIND_CONTACT,
                                         &contact, CONTACT_NAME, room),
                        "Bruno");
    ledger_is_sound(&ana);
    member_free(&ana);
}

static void ledger_abort_leaves_nothing(void **state)
{
    struct edit_space edit = {0};
    struct ledger_txn *txn;
    struct id contact = {{7}};
    struct member ana;
    uint64_t before;
    char room[256];

    (void)state;
    member_new(&ana, 1, false);
    before = ledger_arrivals(&ana);
    txn = member_begin(&ana);
    assert_false(ledger_txn_has_written(txn));
    edit_begin(&edit, KIND_CONTACT, &contact, ana.now_ms);
    edit_set(&edit, CONTACT_NAME, 1, member_text("Nobody"));
    assert_int_equal(ledger_append(txn, ledger_self_space(ana.ledger), &edit, 0), ERR_OK);
    assert_true(ledger_txn_has_written(txn));
    assert_int_equal(ledger_follow(txn), ERR_OK);
    ledger_abort(txn);
    edit_release(&edit);
    assert_int_equal(ledger_arrivals(&ana), before);
    assert_string_equal(member_read_text(&ana, ledger_self_space(ana.ledger), KIND_CONTACT,
                                         &contact, CONTACT_NAME, room),
                        "");
    ledger_is_sound(&ana);
    member_free(&ana);
}

/* Appends count small edits in one transaction. */
static void ledger_add_many(struct member *member, size_t count, struct ledger_news *out_news)
{
    struct edit_space edit = {0};
    struct ledger_txn *txn = member_begin(member);
    struct id contact = {{9}};

    for (size_t at = 0; at < count; at++) {
        be32_put(contact.bytes + 4, (uint32_t)at);
        edit_begin(&edit, KIND_CONTACT, &contact, member->now_ms);
        edit_set(&edit, CONTACT_NAME, 1, member_text("one of many"));
        assert_int_equal(ledger_append(txn, ledger_self_space(member->ledger), &edit, 0), ERR_OK);
    }
    assert_int_equal(ledger_commit(txn, out_news), ERR_OK);
    edit_release(&edit);
}

/* Every block's end inside one transaction has its own signed head, and any size has its chain. */
static void ledger_signs_every_block_of_one_commit(void **state)
{
    (void)state;
    for (int is_lmdb = 0; is_lmdb < 2; is_lmdb++) {
        struct log_id id;
        struct snapshot snapshot;
        struct ledger_news news;
        struct chain chain;
        struct log_row log;
        struct member ana;
        size_t heads = 0;

        member_new(&ana, 1, is_lmdb != 0);
        ledger_add_many(&ana, 1000, &news);
        assert_int_equal(news.spaces_count, 1);
        assert_false(news.is_cut);
        ledger_is_sound(&ana);
        snapshot = member_snapshot(&ana);
        id = (struct log_id){.space = *ledger_self_space(ana.ledger),
                             .device = *ledger_device(ana.ledger)};
        assert_int_equal(ledger_log(&snapshot, &id, &log), ERR_OK);
        for (uint64_t size = BLOCK_ENTRIES_MAX; size <= log.tip.size; size += BLOCK_ENTRIES_MAX) {
            struct head head;

            assert_int_equal(log_table_head(&snapshot, log.number, size, &head), ERR_OK);
            assert_int_equal(head_verify(&id, &head), ERR_OK);
            assert_int_equal(ledger_chain_at(&snapshot, &log, &id, size, &chain), ERR_OK);
            assert_int_equal(chain.block_entries, 0);
            assert_memory_equal(chain.hash.bytes, head.hash.bytes, HASH_SIZE);
            heads++;
        }
        assert_true(heads >= 3);
        assert_int_equal(ledger_chain_at(&snapshot, &log, &id, 0, &chain), ERR_OK);
        assert_int_equal(chain.size, 0);
        assert_int_equal(ledger_chain_at(&snapshot, &log, &id, log.tip.size, &chain), ERR_OK);
        assert_int_equal(chain.block_entries, log.tip.size % BLOCK_ENTRIES_MAX);
        assert_int_equal(ledger_chain_at(&snapshot, &log, &id, log.tip.size + 1, &chain),
                         ERR_NOT_FOUND);
        ledger_snapshot_end(&snapshot);
        member_free(&ana);
    }
}

static void ledger_news_is_cut_when_too_many_spaces_changed(void **state)
{
    static const struct {
        size_t spaces;
        bool is_cut;
    } cases[] = {{62, false}, {63, false}, {64, true}}; /* and self, which records each */

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct ledger_news news;
        struct ledger_txn *txn;
        struct member ana;

        member_new(&ana, 1, false);
        txn = member_begin(&ana);
        for (size_t made = 0; made < cases[at].spaces; made++) {
            struct public_key peer = {{(uint8_t)made, 1}};
            struct id pair;

            assert_int_equal(space_create(txn, SPACE_PAIR, &peer, &pair), ERR_OK);
        }
        assert_int_equal(ledger_commit(txn, &news), ERR_OK);
        assert_int_equal(news.is_cut, cases[at].is_cut);
        assert_int_equal(news.spaces_count, cases[at].is_cut ? 64 : cases[at].spaces + 1);
        member_free(&ana);
    }
}

static void ledger_refuses_what_does_not_belong(void **state)
{
    struct log_id stranger_log;
    struct verified_batch *batch;
    struct id contact, own_card;
    struct chain start;
    struct space_row space = {0};
    struct ledger_txn *txn;
    struct member ana, bruno;
    uint64_t written;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    own_card = member_card_space(&bruno);
    stranger_log = (struct log_id){.space = own_card, .device = *ledger_device(bruno.ledger)};
    chain_begin(&stranger_log, &start);
    assert_int_equal(member_fetch(&bruno, &stranger_log, &start, &batch), ERR_OK);
    /* No such space. */
    txn = member_begin(&ana);
    assert_int_equal(ledger_ingest(txn, batch), ERR_NOT_FOUND);
    /* The space is known, the device is nobody's. */
    space.id = own_card;
    space.kind = SPACE_CARD;
    space.writer = bruno.secrets.member;
    assert_int_equal(ledger_add_space(txn, &space), ERR_OK);
    written = ledger_txn_written(txn);
    assert_int_equal(ledger_ingest(txn, batch), ERR_FORGED);
    assert_int_equal(ledger_add_space(txn, &space), ERR_OK);
    assert_int_equal(ledger_txn_written(txn), written);
    ledger_abort(txn);
    /* A device of one peer in the space of another. */
    member_link(&ana, &bruno);
    txn = member_begin(&ana);
    space.id = (struct id){{99}};
    space.writer = ana.secrets.member;
    assert_int_equal(ledger_add_space(txn, &space), ERR_OK);
    verified_batch_free(batch);
    stranger_log.space = own_card;
    assert_int_equal(member_fetch(&bruno, &stranger_log, &start, &batch), ERR_OK);
    assert_int_equal(ledger_ingest(txn, batch), ERR_OK);
    written = ledger_txn_written(txn);
    /* Wholly known: nothing changes. */
    assert_int_equal(ledger_ingest(txn, batch), ERR_OK);
    assert_int_equal(ledger_txn_written(txn), written);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    verified_batch_free(batch);
    assert_int_equal(member_add_contact(&ana, "still works", NULL, &contact), ERR_OK);
    ledger_is_sound(&ana);
    member_free(&ana);
    member_free(&bruno);
}

/* A batch that begins beyond, before or beside the tip is refused and leaves nothing, not even a
 * number. */
static void ledger_refuses_detached_batches(void **state)
{
    struct log_id log;
    struct verified_batch *late, *first;
    struct snapshot snapshot;
    struct chain start, beyond;
    struct log_row row;
    struct ledger_txn *txn;
    struct member ana, bruno;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    assert_int_equal(member_name_card(&bruno, "Bruno"), ERR_OK);
    log =
        (struct log_id){.space = member_card_space(&bruno), .device = *ledger_device(bruno.ledger)};
    snapshot = member_snapshot(&bruno);
    assert_int_equal(ledger_log(&snapshot, &log, &row), ERR_OK);
    assert_int_equal(ledger_chain_at(&snapshot, &row, &log, 2, &beyond), ERR_OK);
    ledger_snapshot_end(&snapshot);
    chain_begin(&log, &start);
    assert_int_equal(member_fetch(&bruno, &log, &beyond, &late), ERR_OK);
    assert_int_equal(member_fetch(&bruno, &log, &start, &first), ERR_OK);
    txn = member_begin(&ana);
    assert_int_equal(ledger_ingest(txn, late), ERR_DETACHED);
    assert_false(ledger_txn_has_written(txn));
    assert_int_equal(ledger_ingest(txn, first), ERR_OK);
    assert_int_equal(ledger_ingest(txn, late), ERR_OK); /* known by now */
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    verified_batch_free(late);
    verified_batch_free(first);
    /* Partly known: starts before the tip, ends after it. */
    assert_int_equal(member_name_card(&bruno, "Bruno B."), ERR_OK);
    assert_int_equal(member_fetch(&bruno, &log, &start, &first), ERR_OK);
    txn = member_begin(&ana);
    assert_int_equal(ledger_ingest(txn, first), ERR_DETACHED);
    ledger_abort(txn);
    verified_batch_free(first);
    ledger_is_sound(&ana);
    member_free(&ana);
    member_free(&bruno);
}

/* One of the things a member does that touch many tables. */
static enum err ledger_do(struct member *member, size_t which, const struct member *peer)
{
    static const struct id only = {{0}};
    struct id card = member_card_space(member), contact, pair;
    struct public_key stranger = {{1, 2, 3}};
    struct ledger_txn *txn;
    enum err err;

    switch (which) {
    case 0:
        return member_add_contact(member, "Full", "full@example.org", &contact);
    case 1:
        return member_write(member, &card, KIND_CARD, &only, CARD_NAME, "Full");
    default:
        err = ledger_begin(member->ledger, ++member->now_ms, &txn);
        if (err != ERR_OK)
            return err;
        err = which == 2   ? space_rotate(txn, &card)
              : which == 3 ? space_create(txn, SPACE_PAIR, &stranger, &pair)
              : which == 4 ? space_grant(txn, &card, &peer->secrets.member)
                           : space_renew_knock(txn);
        if (err == ERR_OK)
            return ledger_commit(txn, NULL);
        ledger_abort(txn);
        return err;
    }
}

/* The disk fills at the first, second, third ... operation: the error says so, nothing remains,
 * and the same works once there is room. */
static void ledger_survives_a_full_disk_at_every_operation(void **state)
{
    static const enum err errors[] = {ERR_FULL, ERR_IO};
    size_t failed = 0;

    (void)state;
    for (size_t kind = 0; kind < 2; kind++)
        for (size_t which = 0; which < 6; which++) {
            struct member ana, bruno;
            uint64_t at;

            member_new(&ana, 1, false);
            member_new(&bruno, 2, false);
            member_link(&ana, &bruno);
            for (at = 1;; at++) {
                uint64_t before = ledger_arrivals(&ana), fails = kv_mem_failures_count(ana.mem);
                /* The fixture's own reads come first: count them out. */
                uint64_t operations = kv_mem_operations_count(ana.mem), own;
                struct kv_mem_failure failure = {.err = errors[kind]};
                enum err err;

                (void)member_card_space(&ana);
                own = kv_mem_operations_count(ana.mem) - operations;
                failure.at = own + at;
                kv_mem_fail(ana.mem, failure);
                err = ledger_do(&ana, which, &bruno);
                kv_mem_fail(ana.mem, (struct kv_mem_failure){0});
                if (kv_mem_failures_count(ana.mem) == fails) {
                    assert_int_equal(err, ERR_OK);
                    break;
                }
                assert_int_equal(err, errors[kind]);
                if (err == ERR_IO) { /* After a failed sync a store takes no more writes. */
                    member_close(&ana);
                    member_open(&ana);
                }
                assert_int_equal(ledger_arrivals(&ana), before);
                failed++;
            }
            assert_true(at > 5);
            ledger_is_sound(&ana);
            assert_int_equal(ledger_do(&ana, which, &bruno), ERR_OK);
            member_close(&ana);
            member_open(&ana);
            ledger_is_sound(&ana);
            member_free(&ana);
            member_free(&bruno);
        }
    assert_true(failed > 200);
}

static void ledger_create_survives_a_full_disk_at_every_operation(void **state)
{
    struct member ana;
    uint64_t at;

    (void)state;
    member_prepare(&ana, 1, false);
    for (at = 1;; at++) {
        uint64_t fails = kv_mem_failures_count(ana.mem);
        struct ledger *ledger;
        enum err err;

        kv_mem_fail(ana.mem, (struct kv_mem_failure){.at = at, .err = ERR_FULL});
        err = ledger_create(ana.kv, &ana.secrets, &ana.entropy, span_str("desk"), ana.now_ms);
        kv_mem_fail(ana.mem, (struct kv_mem_failure){0});
        if (kv_mem_failures_count(ana.mem) == fails) {
            assert_int_equal(err, ERR_OK);
            break;
        }
        assert_int_equal(err, ERR_FULL);
        assert_int_equal(ledger_open(ana.kv, &ana.secrets, &ana.entropy, &ledger), ERR_NOT_FOUND);
    }
    assert_true(at > 50);
    assert_int_equal(ledger_open(ana.kv, &ana.secrets, &ana.entropy, &ana.ledger), ERR_OK);
    ledger_is_sound(&ana);
    member_free(&ana);
}

/* The machine goes down with the last commits: the rest is whole. */
static void ledger_is_whole_after_lost_commits(void **state)
{
    size_t lost_in_all = 0;

    (void)state;
    for (unsigned lost = 0; lost < 4; lost++) {
        struct id contact;
        struct member ana;

        member_new(&ana, 1, false);
        for (size_t at = 0; at < 5; at++)
            assert_int_equal(member_add_contact(&ana, "Bruno", NULL, &contact), ERR_OK);
        ledger_close(ana.ledger);
        ana.ledger = NULL;
        lost_in_all += kv_mem_crash(ana.mem, lost);
        member_open(&ana);
        ledger_is_sound(&ana);
        assert_int_equal(member_add_contact(&ana, "Chie", NULL, &contact), ERR_OK);
        ledger_is_sound(&ana);
        member_free(&ana);
    }
    assert_int_equal(lost_in_all, 6);
}

/* Rows of entries were longer in stores of before 2026-12. */
static void ledger_reads_old_rows_of_entries(void **state)
{
    struct buf row = {0};
    struct entry_row entry;

    (void)state;
    buf_byte(&row, 0);
    buf_u32(&row, 7);
    buf_u64(&row, 300);
    buf_u32(&row, 2);
    buf_u64(&row, 1900000000);
    assert_int_equal(log_table_entry_read(5, buf_span(&row), &entry), ERR_CORRUPT);
    buf_append(&row, span_str("sealed"));
    assert_int_equal(log_table_entry_read(5, buf_span(&row), &entry), ERR_OK);
    assert_int_equal(entry.arrival, 5);
    assert_int_equal(entry.log, 7);
    assert_int_equal(entry.seq, 300);
    assert_int_equal(entry.entry.header.epoch_index, 2);
    assert_int_equal(entry.entry.header.expires_at_s, 1900000000);
    assert_true(span_is_equal(entry.entry.payload, span_str("sealed")));
    for (size_t size = 0; size < 25; size++)
        assert_int_equal(log_table_entry_read(5, span_of(row.data, size), &entry), ERR_CORRUPT);
    buf_release(&row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger_reads_old_rows_of_entries),
        cmocka_unit_test(ledger_begins_with_spaces_certificate_and_knock),
        cmocka_unit_test(ledger_opens_only_what_was_made_for_its_keys),
        cmocka_unit_test(ledger_append_is_read_at_once_and_after_a_restart),
        cmocka_unit_test(ledger_views_of_another_make_are_made_again),
        cmocka_unit_test(ledger_abort_leaves_nothing),
        cmocka_unit_test(ledger_signs_every_block_of_one_commit),
        cmocka_unit_test(ledger_news_is_cut_when_too_many_spaces_changed),
        cmocka_unit_test(ledger_refuses_what_does_not_belong),
        cmocka_unit_test(ledger_refuses_detached_batches),
        cmocka_unit_test(ledger_survives_a_full_disk_at_every_operation),
        cmocka_unit_test(ledger_create_survives_a_full_disk_at_every_operation),
        cmocka_unit_test(ledger_is_whole_after_lost_commits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
