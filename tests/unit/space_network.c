/* The network space: off at first, read by those who were let in. PROTOCOL NETWORK-1 to NETWORK-3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/card.h"
#include "proto/limits.h"
#include "proto/restate.h"
#include "storage/check.h"
#include "storage/ledger_state.h"
#include "storage/replica.h"
#include "storage/space.h"
#include "tests/sim/burglar.h"
#include "tests/sim/member.h"

static void network_use(struct member *member, bool is_on)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(space_use_network(txn, is_on), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static enum err network_share(struct member *member, const struct member *peer, bool is_reader)
{
    struct ledger_txn *txn = member_begin(member);
    enum err err = space_share_network(txn, &peer->secrets.member, is_reader);

    if (err == ERR_OK)
        err = react_all(txn);
    if (err == ERR_OK)
        return ledger_commit(txn, NULL);
    ledger_abort(txn);
    return err;
}

static bool network_is_on(struct member *member, struct id *out)
{
    struct snapshot snapshot = member_snapshot(member);
    struct space_row row;
    enum err err = space_network(&snapshot, &row);

    ledger_snapshot_end(&snapshot);
    *out = row.id;
    return err == ERR_OK;
}

/* Something of any kind that may stand there; an edit says something new each time. */
static void network_write(struct member *member, const struct id *space, const char *text)
{
    static const struct id only = {{7}};
    struct ledger_txn *txn = member_begin(member);
    struct edit_space edit = {0};

    edit_begin(&edit, KIND_RESTATEMENT, &only, member->now_ms);
    edit_set(&edit, RESTATE_EPOCH, member->now_ms % 1000000,
             (struct value){.type = VALUE_BYTES, .bytes = span_str(text)});
    assert_int_equal(ledger_append(txn, space, &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
}

static bool network_knows(struct member *member, const struct id *space)
{
    struct snapshot snapshot = member_snapshot(member);
    struct space_row row;
    enum err err = ledger_space(&snapshot, space, &row);

    ledger_snapshot_end(&snapshot);
    assert_true(err == ERR_NOT_FOUND || row.kind == SPACE_NETWORK);
    return err == ERR_OK;
}

static void it_is_read_by_those_who_were_let_in_while_it_is_on(void **state)
{
    struct member ana, bruno, chie;
    struct check_report report;
    struct snapshot snapshot;
    struct id space;
    uint64_t before;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_new(&chie, 3, false);
    member_link(&ana, &bruno);
    member_link(&ana, &chie);
    assert_false(network_is_on(&ana, &space));
    assert_int_equal(network_share(&ana, &bruno, true), ERR_STATE);
    network_use(&ana, false);
    assert_false(network_is_on(&ana, &space));
    network_use(&ana, true);
    assert_true(network_is_on(&ana, &space));
    network_write(&ana, &space, "first words");
    (void)member_pull(&bruno, &ana, NULL);
    assert_false(network_knows(&bruno, &space));
    assert_int_equal(network_share(&ana, &bruno, true), ERR_OK);
    (void)member_pull(&bruno, &ana, NULL); /* the grant first, then what it is for */
    assert_true(network_knows(&bruno, &space));
    assert_true(burglar_finds(&bruno, &bruno, 0, "first words"));
    (void)member_pull(&chie, &ana, NULL);
    assert_false(network_knows(&chie, &space));
    assert_false(burglar_finds(&chie, &ana, 0, "first words"));
    /* Off: nothing of it is given. On again: it goes on. */
    network_use(&ana, false);
    network_write(&ana, &space, "while off");
    (void)member_pull(&bruno, &ana, NULL);
    assert_false(burglar_finds(&bruno, &bruno, 0, "while off"));
    network_use(&ana, true);
    (void)member_pull(&bruno, &ana, NULL);
    assert_true(burglar_finds(&bruno, &bruno, 0, "while off"));
    /* Let out: what is written from then on he cannot open, and is not given. */
    assert_int_equal(network_share(&ana, &chie, true), ERR_OK);
    assert_int_equal(network_share(&ana, &bruno, false), ERR_OK);
    before = burglar_newest(&ana);
    network_write(&ana, &space, "without Bruno");
    assert_false(burglar_finds(&bruno, &ana, before, "without Bruno"));
    assert_int_equal(member_pull(&bruno, &ana, &space), 0);
    (void)member_pull(&chie, &ana, NULL);
    (void)member_pull(&chie, &ana, NULL);
    assert_true(burglar_finds(&chie, &chie, 0, "without Bruno"));
    snapshot = member_snapshot(&chie);
    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    assert_string_equal(report.first, "");
    ledger_snapshot_end(&snapshot);
    member_free(&ana);
    member_free(&bruno);
    member_free(&chie);
}

/* NETWORK-2, P7: a peer that grants one network space after another makes one known. */
static void only_the_first_network_of_a_writer_becomes_known(void **state)
{
    struct member ana, bruno;
    struct snapshot snapshot;
    struct peer link;
    struct id ids[3];

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    snapshot = member_snapshot(&bruno);
    assert_int_equal(view_peer(&snapshot, &ana.secrets.member, &link), ERR_OK);
    ledger_snapshot_end(&snapshot);
    for (uint8_t at = 0; at < 3; at++) {
        struct ledger_txn *txn = member_begin(&bruno);
        uint8_t key[KEY_SIZE] = {at};
        struct edit_space edit = {0};
        struct hash epoch = {{at}};
        struct id object = {{at}};

        memset(ids[at].bytes, at + 1, ID_SIZE);
        edit_begin(&edit, KIND_GRANT, &object, bruno.now_ms);
        edit_set(&edit, GRANT_SPACE, 1,
                 (struct value){.type = VALUE_BYTES, .bytes = span_of(ids[at].bytes, ID_SIZE)});
        edit_set(&edit, GRANT_SPACE_KIND, 1,
                 (struct value){.type = VALUE_NUMBER, .number = SPACE_NETWORK});
        edit_set(&edit, GRANT_EPOCH, 1,
                 (struct value){.type = VALUE_BYTES, .bytes = span_of(epoch.bytes, HASH_SIZE)});
        edit_set(&edit, GRANT_KEY, 1,
                 (struct value){.type = VALUE_BYTES, .bytes = span_of(key, KEY_SIZE)});
        assert_int_equal(ledger_append(txn, &link.pair_out, &edit, 0), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        edit_release(&edit);
    }
    (void)member_pull(&ana, &bruno, NULL);
    assert_true(network_knows(&ana, &ids[0]));
    assert_false(network_knows(&ana, &ids[1]));
    assert_false(network_knows(&ana, &ids[2]));
    member_free(&ana);
    member_free(&bruno);
}

/* OWN-11: what another own device granted to a peer may arrive before self tells what it is for: it
 * is the member's own network space all the same, on every device. */
static void a_network_another_device_made_is_ones_own_whatever_comes_first(void **state)
{
    struct member desk, lap, bruno;
    struct snapshot snapshot;
    struct space_row row;
    struct id space;
    struct peer link;

    (void)state;
    member_new(&desk, 1, false);
    member_new(&bruno, 2, false);
    member_link(&desk, &bruno);
    member_twin(&lap, &desk, 9);
    network_use(&lap, true);
    assert_int_equal(network_share(&lap, &bruno, true), ERR_OK);
    assert_true(network_is_on(&lap, &space));
    snapshot = member_snapshot(&desk);
    assert_int_equal(view_peer(&snapshot, &bruno.secrets.member, &link), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_true(member_pull(&desk, &lap, &link.pair_out) > 0);
    (void)member_pull(&desk, &lap, NULL);
    assert_true(network_is_on(&desk, &row.id));
    assert_true(id_is_equal(&row.id, &space));
    snapshot = member_snapshot(&desk);
    assert_int_equal(ledger_own_space(&snapshot, SPACE_NETWORK, &row), ERR_OK);
    assert_true(row.is_mine && id_is_equal(&row.id, &space));
    assert_int_equal(view_peer_network(&snapshot, &desk.secrets.member, &row), ERR_NOT_FOUND);
    ledger_snapshot_end(&snapshot);
    network_write(&desk, &space, "by the desk");
    member_free(&desk);
    member_free(&lap);
    member_free(&bruno);
}

static void network_react(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static bool network_is_read_by(struct member *member, const struct member *peer)
{
    struct snapshot snapshot = member_snapshot(member);
    struct peer link;

    assert_int_equal(view_peer(&snapshot, &peer->secrets.member, &link), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return link.reads_network;
}

/* A device may use it before self tells of it. */
static void a_network_that_self_does_not_tell_of_is_turned_on_by_hand(void **state)
{
    struct member desk, lap, bruno;
    struct snapshot snapshot;
    struct peer link;
    struct id space;

    (void)state;
    member_new(&desk, 1, false);
    member_new(&bruno, 2, false);
    member_link(&desk, &bruno);
    member_twin(&lap, &desk, 9);
    network_use(&lap, true);
    assert_int_equal(network_share(&lap, &bruno, true), ERR_OK);
    snapshot = member_snapshot(&desk);
    assert_int_equal(view_peer(&snapshot, &bruno.secrets.member, &link), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_true(member_pull(&desk, &lap, &link.pair_out) > 0);
    network_use(&desk, true);
    assert_true(network_is_on(&desk, &space));
    assert_int_equal(network_share(&desk, &bruno, true), ERR_OK);
    member_free(&desk);
    member_free(&lap);
    member_free(&bruno);
}

struct network_seen {
    const struct id *space;
    size_t logs;
};

static enum err network_on_log(void *self, const struct replica_log *log)
{
    struct network_seen *seen = self;

    seen->logs += id_is_equal(&log->log.space, seen->space);
    return ERR_OK;
}

/* Logs of this space in a session with this peer. */
static size_t network_offered(struct member *member, const struct member *peer,
                              const struct id *space)
{
    struct snapshot snapshot = member_snapshot(member);
    struct network_seen seen = {.space = space};
    struct replica replica;

    replica_of(&snapshot, &replica);
    assert_int_equal(replica.logs(replica.self, &peer->secrets.member, network_on_log, &seen),
                     ERR_OK);
    ledger_snapshot_end(&snapshot);
    return seen.logs;
}

/* NETWORK-3: whoever was told no key of it does not know the space, and would have to pass over
 * what it is given for as long as the key is on its way. */
static void it_is_shared_from_the_first_key_on(void **state)
{
    struct member desk, lap, bruno;
    struct ledger_txn *txn;
    struct peer link;
    struct snapshot snapshot;
    struct id space;

    (void)state;
    member_new(&desk, 1, false);
    member_new(&bruno, 2, false);
    member_link(&desk, &bruno);
    member_twin(&lap, &desk, 9);
    network_use(&lap, true);
    assert_true(network_is_on(&lap, &space));
    network_write(&lap, &space, "first words");
    assert_int_equal(network_share(&lap, &bruno, true), ERR_OK);
    assert_int_equal(network_offered(&lap, &bruno, &space), 1);
    (void)member_pull(&desk, &lap, ledger_self_space(lap.ledger));
    assert_true(member_pull(&desk, &lap, &space) > 0);
    assert_true(network_is_read_by(&desk, &bruno));
    assert_int_equal(network_offered(&desk, &bruno, &space), 0);
    snapshot = member_snapshot(&desk);
    assert_int_equal(view_peer(&snapshot, &bruno.secrets.member, &link), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_true(member_pull(&desk, &lap, &link.pair_out) > 0);
    assert_int_equal(network_offered(&desk, &bruno, &space), 1);
    /* An epoch later, whose key is not told yet, he has what the first one opens. */
    txn = member_begin(&desk);
    assert_int_equal(space_rotate(txn, &space), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_true(network_offered(&desk, &bruno, &space) > 0);
    member_free(&desk);
    member_free(&lap);
    member_free(&bruno);
}

/* NETWORK-4: of what was granted self may never tell. A sibling waits until it should have. */
static void what_was_granted_is_noted_where_self_says_nothing(void **state)
{
    struct member desk, lap, bruno;
    struct snapshot snapshot;
    struct peer link;
    struct id space;

    (void)state;
    member_new(&desk, 1, false);
    member_new(&bruno, 2, false);
    member_link(&desk, &bruno);
    member_twin(&lap, &desk, 9);
    network_use(&lap, true);
    assert_int_equal(network_share(&lap, &bruno, true), ERR_OK);
    snapshot = member_snapshot(&desk);
    assert_int_equal(view_peer(&snapshot, &bruno.secrets.member, &link), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_true(member_pull(&desk, &lap, &link.pair_out) > 0);
    network_react(&desk);
    assert_false(network_is_on(&desk, &space));
    desk.now_ms += SPACE_LACK_MS;
    network_react(&desk);
    assert_true(network_is_on(&desk, &space));
    assert_true(network_is_read_by(&desk, &bruno));
    /* What self then says counts, and is not overruled: off stays off, and out stays out. */
    (void)member_pull(&lap, &desk, NULL);
    assert_int_equal(network_share(&lap, &bruno, false), ERR_OK);
    network_use(&lap, false);
    (void)member_pull(&desk, &lap, NULL);
    desk.now_ms += SPACE_LACK_MS;
    network_react(&desk);
    assert_false(network_is_on(&desk, &space));
    assert_false(network_is_read_by(&desk, &bruno));
    member_free(&desk);
    member_free(&lap);
    member_free(&bruno);
}

static enum err network_own(struct member *member, uint32_t *out_number)
{
    struct snapshot snapshot = member_snapshot(member);
    struct space_row row = {.number = 0};
    enum err err = ledger_own_space(&snapshot, SPACE_NETWORK, &row);

    ledger_snapshot_end(&snapshot);
    *out_number = err == ERR_OK ? row.number : 0;
    return err;
}

/* As a program of before left it: the number is looked for, and noted when the views are made anew.
 */
static void network_forget_number(struct member *member, bool has_old_views)
{
    struct ledger_txn *txn = member_begin(member);
    struct key key;
    enum err err;

    key_of_byte(META_NETWORK, &key);
    err = ledger_erase(txn, TABLE_META, &key);
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    if (has_old_views)
        txn->counters.views = 1;
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void the_own_network_is_known_by_its_number(void **state)
{
    (void)state;
    for (int is_on = 0; is_on < 2; is_on++) {
        struct member ana, bruno;
        struct ledger_txn *txn;
        uint32_t number, again;

        member_new(&ana, 1, false);
        member_new(&bruno, 2, false);
        assert_int_equal(network_own(&ana, &number), ERR_NOT_FOUND);
        member_link(&ana, &bruno);
        if (is_on)
            network_use(&ana, true);
        assert_int_equal(network_own(&ana, &number), is_on ? ERR_OK : ERR_NOT_FOUND);
        for (int has_old_views = 0; has_old_views < 2; has_old_views++) {
            network_forget_number(&ana, has_old_views);
            assert_int_equal(network_own(&ana, &again), is_on ? ERR_OK : ERR_NOT_FOUND);
            assert_int_equal(again, number);
        }
        txn = member_begin(&ana); /* Makes the views, and notes it. */
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        assert_int_equal(network_own(&ana, &again), is_on ? ERR_OK : ERR_NOT_FOUND);
        assert_int_equal(again, number);
        network_use(&ana, true);
        assert_int_equal(network_own(&ana, &again), ERR_OK);
        member_free(&ana);
        member_free(&bruno);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_own_network_is_known_by_its_number),
        cmocka_unit_test(it_is_read_by_those_who_were_let_in_while_it_is_on),
        cmocka_unit_test(it_is_shared_from_the_first_key_on),
        cmocka_unit_test(only_the_first_network_of_a_writer_becomes_known),
        cmocka_unit_test(a_network_another_device_made_is_ones_own_whatever_comes_first),
        cmocka_unit_test(a_network_that_self_does_not_tell_of_is_turned_on_by_hand),
        cmocka_unit_test(what_was_granted_is_noted_where_self_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
