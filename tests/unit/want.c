/* Wishes to be endorsed: told once, whatever their writer does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/amend.h"
#include "node/react.h"
#include "node/want.h"
#include "proto/endorsement.h"
#include "proto/limits.h"
#include "storage/journal.h"
#include "tests/sim/member.h"

struct want_pair {
    struct member ana, bruno;
};

static void want_begin(struct want_pair *pair)
{
    struct ledger_txn *txn;
    struct amend amend;
    struct id contact, link;

    member_new(&pair->ana, 1, false);
    member_new(&pair->bruno, 2, false);
    member_link(&pair->ana, &pair->bruno);
    /* Bruno has Ana in his address book, as linking sees to. */
    assert_int_equal(member_add_contact(&pair->bruno, "Ana", NULL, &contact), ERR_OK);
    txn = member_begin(&pair->bruno);
    id_about("kith link", &pair->ana.secrets.member, &link);
    amend_begin(&amend, txn, ledger_self_space(pair->bruno.ledger), KIND_LINK, &link);
    amend_bytes(&amend, LINK_CONTACT, span_of(contact.bytes, ID_SIZE));
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void want_end(struct want_pair *pair)
{
    member_free(&pair->ana);
    member_free(&pair->bruno);
}

/* Ana's node, whatever it is made of, writes this; Bruno's takes it. */
static void want_write(struct want_pair *pair, const char *words, uint64_t asked_ms)
{
    static const struct id object = {{0}};
    struct snapshot snapshot = member_snapshot(&pair->ana);
    struct ledger_txn *txn;
    struct amend amend;
    struct peer peer;

    assert_int_equal(view_peer(&snapshot, &pair->bruno.secrets.member, &peer), ERR_OK);
    ledger_snapshot_end(&snapshot);
    txn = member_begin(&pair->ana);
    amend_begin(&amend, txn, &peer.pair_out, KIND_ENDORSEMENT_WANT, &object);
    amend_text(&amend, ENDORSEMENT_WANT_WORDS, span_str(words));
    amend_number(&amend, ENDORSEMENT_WANT_ASKED, asked_ms);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    (void)member_pull(&pair->bruno, &pair->ana, NULL);
    txn = member_begin(&pair->bruno);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static enum err want_on_row(void *self, const struct journal_row *row)
{
    size_t *count = self;

    *count += span_is_equal(row->kind, span_str("wanted"));
    return ERR_OK;
}

static size_t want_told(struct want_pair *pair)
{
    struct snapshot snapshot = member_snapshot(&pair->bruno);
    size_t count = 0;

    assert_int_equal(journal_each(&snapshot, 0, want_on_row, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

static enum err want_seen(struct want_pair *pair, uint64_t *out_asked_ms)
{
    struct snapshot snapshot = member_snapshot(&pair->bruno);
    struct peer peer;
    struct want want;
    enum err err = view_peer(&snapshot, &pair->ana.secrets.member, &peer);

    if (err == ERR_OK)
        err = want_get(&snapshot, &peer, false, pair->bruno.now_ms, &want);
    *out_asked_ms = want.asked_ms;
    object_release(&want.object);
    ledger_snapshot_end(&snapshot);
    return err;
}

static void a_wish_written_again_and_again_is_told_once(void **state)
{
    struct want_pair pair;
    uint64_t asked_ms;

    (void)state;
    want_begin(&pair);
    assert_int_equal(want_seen(&pair, &asked_ms), ERR_NOT_FOUND);
    for (uint64_t at = 0; at < 50; at++)
        want_write(&pair, at % 2 == 0 ? "the stairs" : "the doors", pair.ana.now_ms + at);
    assert_int_equal(want_told(&pair), 1);
    assert_int_equal(want_seen(&pair, &asked_ms), ERR_OK);
    /* In another span of Bruno's clock it may be told again. */
    pair.ana.now_ms += (ENDORSEMENT_WANT_DAYS + 1) * MS_PER_DAY;
    pair.bruno.now_ms += (ENDORSEMENT_WANT_DAYS + 1) * MS_PER_DAY;
    assert_int_equal(want_seen(&pair, &asked_ms), ERR_NOT_FOUND);
    want_write(&pair, "the roof", pair.ana.now_ms);
    assert_int_equal(want_told(&pair), 2);
    want_end(&pair);
}

static void a_clock_far_ahead_counts_as_now(void **state)
{
    struct want_pair pair;
    uint64_t asked_ms;

    (void)state;
    want_begin(&pair);
    want_write(&pair, "the stairs", UINT64_C(1) << 50);
    assert_int_equal(want_seen(&pair, &asked_ms), ERR_OK);
    assert_int_equal(asked_ms, pair.bruno.now_ms);
    want_write(&pair, "", pair.ana.now_ms);
    assert_int_equal(want_seen(&pair, &asked_ms), ERR_NOT_FOUND);
    want_write(&pair, "the stairs", 0);
    assert_int_equal(want_seen(&pair, &asked_ms), ERR_NOT_FOUND);
    assert_int_equal(want_told(&pair), 1);
    want_end(&pair);
}

static void who_is_no_peer_any_more_is_not_heard(void **state)
{
    struct want_pair pair;

    (void)state;
    want_begin(&pair);
    member_set_link(&pair.bruno, &pair.ana, LINK_BLOCKED);
    want_write(&pair, "the stairs", pair.ana.now_ms);
    assert_int_equal(want_told(&pair), 0);
    want_end(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wish_written_again_and_again_is_told_once),
        cmocka_unit_test(a_clock_far_ahead_counts_as_now),
        cmocka_unit_test(who_is_no_peer_any_more_is_not_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
