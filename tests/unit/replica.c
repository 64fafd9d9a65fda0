/* What a session is told of the store: which logs are shared with whom, and their batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/card.h"
#include "proto/limits.h"
#include "storage/forget.h"
#include "storage/replica.h"
#include "storage/room.h"
#include "storage/row.h"
#include "tests/sim/member.h"

struct replica_seen {
    size_t mine, theirs;
    bool has_self;
    const struct id *self_space;
    enum err answer;
};

static enum err replica_see(void *self, const struct replica_log *log)
{
    struct replica_seen *seen = self;

    seen->mine += log->is_mine;
    seen->theirs += !log->is_mine;
    seen->has_self |= id_is_equal(&log->log.space, seen->self_space);
    assert_true(log->tip.size > 0);
    return seen->answer;
}

static struct replica_seen replica_ask(struct member *member, const struct public_key *peer,
                                       enum err answer)
{
    struct replica_seen seen = {.self_space = ledger_self_space(member->ledger), .answer = answer};
    struct snapshot snapshot = member_snapshot(member);
    struct replica replica;

    replica_of(&snapshot, &replica);
    assert_int_equal(replica.logs(replica.self, peer, replica_see, &seen), answer);
    ledger_snapshot_end(&snapshot);
    return seen;
}

static void replica_shares_pair_and_card_with_a_linked_peer_only(void **state)
{
    struct public_key stranger = {{3}};
    struct member ana, bruno;
    struct replica_seen seen;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    seen = replica_ask(&ana, &bruno.secrets.member, ERR_OK);
    assert_int_equal(seen.mine, 2);
    assert_int_equal(seen.theirs, 0);
    assert_false(seen.has_self);
    assert_true(member_pull(&ana, &bruno, NULL) > 0);
    seen = replica_ask(&ana, &bruno.secrets.member, ERR_OK);
    assert_int_equal(seen.mine, 2);
    assert_int_equal(seen.theirs, 2);
    assert_false(seen.has_self);
    seen = replica_ask(&ana, &bruno.secrets.member, ERR_CANCELLED);
    assert_int_equal(seen.mine + seen.theirs, 1);
    seen = replica_ask(&ana, &stranger, ERR_OK);
    assert_int_equal(seen.mine + seen.theirs, 0);
    /* Between devices of one member: everything. */
    seen = replica_ask(&ana, &ana.secrets.member, ERR_OK);
    assert_true(seen.has_self);
    assert_int_equal(seen.mine + seen.theirs, 5);
    member_set_link(&ana, &bruno, LINK_REMOVED);
    seen = replica_ask(&ana, &bruno.secrets.member, ERR_OK);
    assert_int_equal(seen.mine + seen.theirs, 0);
    member_free(&ana);
    member_free(&bruno);
}

static void replica_accepts_a_peers_devices_in_the_peers_spaces(void **state)
{
    struct member ana, bruno, chie;
    struct snapshot snapshot;
    struct replica replica;
    struct peer link;
    struct log_id log;
    size_t asked = 0;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_new(&chie, 3, false);
    member_link(&ana, &bruno);
    member_link(&ana, &chie);
    snapshot = member_snapshot(&ana);
    assert_int_equal(view_peer(&snapshot, &bruno.secrets.member, &link), ERR_OK);
    replica_of(&snapshot, &replica);
    {
        const struct {
            struct id space;
            const struct public_key *peer, *device;
            enum err expected;
        } cases[] = {
            {link.card_in, &bruno.secrets.member, ledger_device(bruno.ledger), ERR_OK},
            {link.pair_in, &bruno.secrets.member, ledger_device(bruno.ledger), ERR_OK},
            /* Another peer does not carry Bruno's logs, nor speaks in his spaces. */
            {link.card_in, &chie.secrets.member, ledger_device(bruno.ledger), ERR_NOT_FOUND},
            {link.card_in, &bruno.secrets.member, ledger_device(chie.ledger), ERR_NOT_FOUND},
            {link.pair_in, &bruno.secrets.member, ledger_device(ana.ledger), ERR_NOT_FOUND},
            /* Nobody else writes what I write, and nobody gives me what this device wrote. */
            {link.pair_out, &bruno.secrets.member, ledger_device(ana.ledger), ERR_STATE},
            {link.pair_out, &bruno.secrets.member, ledger_device(bruno.ledger), ERR_NOT_FOUND},
            {link.pair_out, &ana.secrets.member, ledger_device(ana.ledger), ERR_STATE},
            {{{1}}, &bruno.secrets.member, ledger_device(bruno.ledger), ERR_NOT_FOUND},
        };

        for (; asked < sizeof cases / sizeof cases[0]; asked++) {
            log = (struct log_id){.space = cases[asked].space, .device = *cases[asked].device};
            assert_int_equal(replica.accepts(replica.self, cases[asked].peer, &log),
                             cases[asked].expected);
        }
    }
    assert_int_equal(asked, 9);
    ledger_snapshot_end(&snapshot);
    member_free(&ana);
    member_free(&bruno);
    member_free(&chie);
}

/* From any place in a log the batch leads to that block's end or the tip, and verifies. */
static void replica_reads_verified_batches_from_every_place(void **state)
{
    (void)state;
    for (int is_lmdb = 0; is_lmdb < 2; is_lmdb++) {
        struct edit_space edit = {0};
        struct snapshot snapshot;
        struct ledger_txn *txn;
        struct log_id log;
        struct log_row row;
        struct member ana;
        struct chain start;
        size_t read = 0;

        member_new(&ana, 1, is_lmdb != 0);
        log =
            (struct log_id){.space = member_card_space(&ana), .device = *ledger_device(ana.ledger)};
        for (size_t commit = 0; commit < 3; commit++) {
            txn = member_begin(&ana);
            for (size_t at = 0; at < 100 + commit; at++) {
                struct id object = {{1}}, place = {{2}};

                be32_put(object.bytes + 4, (uint32_t)(commit * 1000 + at));
                edit_begin(&edit, KIND_CARD, &object, ana.now_ms);
                edit_set(&edit, CARD_NAME, 1, member_text("one of many"));
                assert_int_equal(ledger_append(txn, &log.space, &edit, 0), ERR_OK);
                if (at % 7 != 0)
                    continue;
                edit_begin(&edit, KIND_CONTACT, &place, ana.now_ms); /* breaks the run */
                edit_set(&edit, 1, at + 1, member_text("x"));
                assert_int_equal(ledger_append(txn, ledger_self_space(ana.ledger), &edit, 0),
                                 ERR_OK);
            }
            assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        }
        snapshot = member_snapshot(&ana);
        assert_int_equal(ledger_log(&snapshot, &log, &row), ERR_OK);
        assert_true(row.tip.size > BLOCK_ENTRIES_MAX);
        for (uint64_t size = 0; size < row.tip.size; size++, read++) {
            uint64_t block = (size / BLOCK_ENTRIES_MAX + 1) * BLOCK_ENTRIES_MAX;
            struct verified_batch *batch;

            assert_int_equal(ledger_chain_at(&snapshot, &row, &log, size, &start), ERR_OK);
            assert_int_equal(member_fetch(&ana, &log, &start, &batch), ERR_OK);
            assert_int_equal(verified_batch_end(batch)->size,
                             block < row.tip.size ? block : row.tip.size);
            verified_batch_free(batch);
        }
        {
            struct verified_batch *none;

            assert_int_equal(member_fetch(&ana, &log, &row.tip, &none), ERR_NOT_FOUND);
        }
        assert_int_equal(read, row.tip.size);
        ledger_snapshot_end(&snapshot);
        edit_release(&edit);
        member_free(&ana);
    }
}

/* Totals are announced before anything is sent: they must be true. */
static void replica_counts_what_is_there(void **state)
{
    struct snapshot snapshot;
    struct replica replica;
    struct log_id log;
    struct log_row row;
    struct member ana;
    uint64_t entries, bytes, expected = 0, checked = 0;
    static char text[400];

    (void)state;
    member_new(&ana, 1, false);
    log = (struct log_id){.space = member_card_space(&ana), .device = *ledger_device(ana.ledger)};
    for (size_t at = 1; at <= 600; at++) {
        memset(text, 'x', sizeof text);
        text[1 + at % 150] = '\0';
        assert_int_equal(member_name_card(&ana, text), ERR_OK);
    }
    snapshot = member_snapshot(&ana);
    replica_of(&snapshot, &replica);
    assert_int_equal(ledger_log(&snapshot, &log, &row), ERR_OK);
    for (uint64_t size = row.tip.size; size > 0; size--, checked++) {
        struct entry_row entry;

        assert_int_equal(replica.count(replica.self, &log, size, &entries, &bytes), ERR_OK);
        assert_int_equal(entries, row.tip.size - size);
        assert_int_equal(bytes, expected);
        assert_int_equal(ledger_entry_at(&snapshot, row.number, size, &entry), ERR_OK);
        expected += entry.entry.header.payload_size;
    }
    assert_true(checked > 600);
    assert_int_equal(replica.count(replica.self, &log, 0, &entries, &bytes), ERR_OK);
    assert_int_equal(bytes, expected);
    assert_int_equal(replica.count(replica.self, &log, row.tip.size + 1, &entries, &bytes), ERR_OK);
    assert_int_equal(entries + bytes, 0);
    log.space = (struct id){{1}};
    assert_int_equal(replica.count(replica.self, &log, 0, &entries, &bytes), ERR_OK);
    assert_int_equal(entries + bytes, 0);
    ledger_snapshot_end(&snapshot);
    member_free(&ana);
}

static void replica_knows_where_unknown_logs_begin(void **state)
{
    struct log_id log = {.space = {{1}}, .device = {{2}}};
    struct snapshot snapshot;
    struct replica replica;
    struct replica_log now;
    struct chain begin, tip;
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    snapshot = member_snapshot(&ana);
    replica_of(&snapshot, &replica);
    chain_begin(&log, &begin);
    assert_int_equal(replica.tip(replica.self, &log, &now), ERR_OK);
    assert_int_equal(now.tip.size, 0);
    assert_memory_equal(now.tip.hash.bytes, begin.hash.bytes, HASH_SIZE);
    assert_int_equal(replica.chain_at(replica.self, &log, 0, &tip), ERR_OK);
    assert_int_equal(replica.chain_at(replica.self, &log, 1, &tip), ERR_NOT_FOUND);
    ledger_snapshot_end(&snapshot);
    member_free(&ana);
}

static struct replica_room room_of(struct member *member, const struct member *peer)
{
    struct snapshot snapshot = member_snapshot(member);
    struct replica_room used;
    struct peer link;

    assert_int_equal(view_peer(&snapshot, &peer->secrets.member, &link), ERR_OK);
    assert_int_equal(room_used(&snapshot, &link, &used), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return used;
}

enum { FORGET_PLACE_BYTES = 40 }; /* a number and a hash, as the forget names an entry */

/* SYNC-20: what its writer forgets is room again, but for a row an entry. */
static void what_is_forgotten_is_room_again(void **state)
{
    static const struct id want = {{0}};
    struct member ana, ben;
    struct snapshot snapshot;
    struct replica_room used[3];
    struct ledger_txn *txn;
    struct peer link;
    char text[400];

    (void)state;
    member_new(&ana, 1, false);
    member_new(&ben, 2, false);
    member_link(&ana, &ben);
    member_grant(&ben, &ana);
    snapshot = member_snapshot(&ben);
    assert_int_equal(view_peer(&snapshot, &ana.secrets.member, &link), ERR_OK);
    ledger_snapshot_end(&snapshot);
    (void)member_pull(&ana, &ben, NULL);
    used[0] = room_of(&ana, &ben);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int at = 0; at < 40; at++) {
        text[0] = (char)('a' + at % 26);
        assert_int_equal(member_write(&ben, &link.pair_out, KIND_ENDORSEMENT_WANT, &want, 1, text),
                         ERR_OK);
    }
    assert_int_equal(member_pull(&ana, &ben, NULL), 40);
    used[1] = room_of(&ana, &ben);
    assert_int_equal(used[1].entries - used[0].entries, 40);
    assert_true(used[1].bytes - used[0].bytes > 40 * sizeof text);
    txn = member_begin(&ben);
    assert_int_equal(forget_object(txn, &link.pair_out, KIND_ENDORSEMENT_WANT, &want), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    (void)member_pull(&ana, &ben, NULL);
    used[2] = room_of(&ana, &ben);
    assert_in_range(used[2].entries - used[0].entries, 1, 3);
    assert_in_range(used[2].bytes - used[0].bytes, 40 * PEER_GONE_BYTES,
                    40 * PEER_GONE_BYTES + 40 * FORGET_PLACE_BYTES + 1024);
    member_free(&ana);
    member_free(&ben);
}

/* SYNC-20: a peer's entries and bytes have a bound, own devices have none, and a disk that is
 * nearly full takes from nobody. */
static void room_is_what_a_peer_has_not_used(void **state)
{
    struct member ana, ben;
    struct snapshot snapshot;
    struct replica replica;
    struct replica_room room[2];
    uint64_t pulled;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&ben, 2, false);
    member_link(&ana, &ben);
    member_grant(&ben, &ana);
    snapshot = member_snapshot(&ana);
    replica_of(&snapshot, &replica);
    assert_int_equal(replica.room(replica.self, &ben.secrets.member, &room[0]), ERR_OK);
    assert_int_equal(room[0].entries, PEER_ENTRIES_MAX);
    assert_int_equal(room[0].bytes, PEER_BYTES_MAX);
    ledger_snapshot_end(&snapshot);

    pulled = member_pull(&ana, &ben, NULL);
    assert_true(pulled > 0);
    snapshot = member_snapshot(&ana);
    replica_of(&snapshot, &replica);
    assert_int_equal(replica.room(replica.self, &ben.secrets.member, &room[1]), ERR_OK);
    assert_int_equal(room[0].entries - room[1].entries, pulled);
    assert_true(room[0].bytes - room[1].bytes > pulled * 40);
    assert_int_equal(replica.room(replica.self, &ana.secrets.member, &room[1]), ERR_OK);
    assert_true(room[1].entries > PEER_ENTRIES_MAX && room[1].bytes > PEER_BYTES_MAX);
    assert_int_equal(room[1].entries_max + room[1].bytes_max, 0);
    ledger_set_disk_low(ana.ledger, true);
    for (size_t at = 0; at < 2; at++) {
        assert_int_equal(replica.room(replica.self,
                                      at == 0 ? &ben.secrets.member : &ana.secrets.member,
                                      &room[1]),
                         ERR_OK);
        assert_int_equal(room[1].entries + room[1].bytes, 0);
    }
    ledger_snapshot_end(&snapshot);
    member_free(&ana);
    member_free(&ben);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replica_shares_pair_and_card_with_a_linked_peer_only),
        cmocka_unit_test(replica_accepts_a_peers_devices_in_the_peers_spaces),
        cmocka_unit_test(replica_reads_verified_batches_from_every_place),
        cmocka_unit_test(replica_counts_what_is_there),
        cmocka_unit_test(replica_knows_where_unknown_logs_begin),
        cmocka_unit_test(room_is_what_a_peer_has_not_used),
        cmocka_unit_test(what_is_forgotten_is_room_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
