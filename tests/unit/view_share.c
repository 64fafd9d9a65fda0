/* Shared contacts between ledgers: what a hostile peer sends is refused, counted and told once;
 * caps hold at their edges; what is taken back leaves nothing behind. PROTOCOL SHARE-4 to SHARE-6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/amend.h"
#include "node/ops.h"
#include "node/react.h"
#include "node/share.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/journal.h"
#include "storage/row.h"
#include "tests/sim/member.h"

struct couple {
    struct member ana, bruno;
};

static void couple_begin(struct couple *couple)
{
    member_new(&couple->ana, 1, false);
    member_new(&couple->bruno, 2, false);
    member_link(&couple->ana, &couple->bruno);
}

static void couple_end(struct couple *couple)
{
    member_free(&couple->ana);
    member_free(&couple->bruno);
}

static struct id share_pair(struct member *from, const struct member *to)
{
    struct snapshot snapshot = member_snapshot(from);
    struct peer peer;

    assert_int_equal(view_peer(&snapshot, &to->secrets.member, &peer), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return peer.pair_out;
}

static void share_commit(struct ledger_txn *txn)
{
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void share_pull(struct couple *couple)
{
    struct ledger_txn *txn;

    (void)member_pull(&couple->bruno, &couple->ana, NULL);
    txn = member_begin(&couple->bruno);
    share_commit(txn);
}

static struct id share_object(unsigned number)
{
    struct id object = {{0}};

    be32_put(object.bytes, number);
    object.bytes[15] = 1;
    return object;
}

/* Any bytes as the body of a share; follows only when asked to, so that a thousand stay cheap. */
static void share_put(struct ledger_txn *txn, const struct id *space, unsigned number,
                      struct span body)
{
    struct id object = share_object(number);
    struct amend amend;

    amend_begin(&amend, txn, space, KIND_SHARE, &object);
    amend_bytes(&amend, SHARE_BODY, body);
    assert_int_equal(amend_end_behind(&amend, NULL), ERR_OK);
}

static void share_body(const char *name, const char *org, struct buf *out)
{
    struct share share = {.texts = {span_str(name), span_str(org)}, .shared_s = 1772000000};
    enum share_fault fault;

    buf_clear(out);
    assert_int_equal(share_write(&share, out, &fault), ERR_OK);
}

/* Ana shares numbers from first on, count of them, each under a name of its own. */
static void share_many(struct couple *couple, unsigned first, unsigned count)
{
    struct id pair = share_pair(&couple->ana, &couple->bruno);
    struct ledger_txn *txn = member_begin(&couple->ana);
    struct buf body = {0};
    char name[24];

    for (unsigned at = first; at < first + count; at++) {
        (void)snprintf(name, sizeof name, "Person %u", at);
        share_body(name, "", &body);
        share_put(txn, &pair, at, buf_span(&body));
    }
    assert_int_equal(follow_all(txn), ERR_OK);
    share_commit(txn);
    buf_release(&body);
}

static void share_one(struct couple *couple, unsigned number, struct span body)
{
    struct id pair = share_pair(&couple->ana, &couple->bruno);
    struct ledger_txn *txn = member_begin(&couple->ana);

    share_put(txn, &pair, number, body);
    share_commit(txn);
    share_pull(couple);
}

static struct share_counts share_counted(struct couple *couple)
{
    struct snapshot snapshot = member_snapshot(&couple->bruno);
    struct share_counts counts;

    assert_int_equal(view_share_counts(&snapshot, &couple->ana.secrets.member, &counts), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return counts;
}

struct share_seen {
    size_t waiting, kept, changed, withdrawn;
    struct share_view last;
};

static enum err share_on_view(void *self, const struct share_view *view)
{
    struct share_seen *seen = self;

    seen->waiting += view->decision == SHARE_WAITING;
    seen->kept += view->decision == SHARE_KEPT;
    seen->changed += view->is_changed;
    seen->withdrawn += view->withdrawn_ms != 0;
    if (view->decision == SHARE_WAITING)
        seen->last = *view;
    return ERR_OK;
}

static struct share_seen share_look_at(struct member *reader)
{
    struct snapshot snapshot = member_snapshot(reader);
    struct share_seen seen = {0};

    assert_int_equal(view_share_received(&snapshot, share_on_view, &seen), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return seen;
}

struct share_log {
    const char *kind;
    size_t count;
    char text[200];
};

static enum err share_on_log(void *self, const struct journal_row *row)
{
    struct share_log *log = self;

    if (!span_is_equal(row->kind, span_str(log->kind)))
        return ERR_OK;
    log->count++;
    (void)snprintf(log->text, sizeof log->text, "%.*s", (int)row->text.size,
                   (const char *)row->text.data);
    return ERR_OK;
}

static struct share_log share_logged(struct couple *couple, const char *kind)
{
    struct snapshot snapshot = member_snapshot(&couple->bruno);
    struct share_log log = {.kind = kind};

    assert_int_equal(journal_each(&snapshot, 0, share_on_log, &log), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return log;
}

/* Bruno decides as the op does. */
static void share_decide_first(struct couple *couple, enum share_decision decision)
{
    struct share_seen seen = share_look_at(&couple->bruno);
    struct ledger_txn *txn = member_begin(&couple->bruno);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct object said = {0};
    struct amend amend;
    struct peer peer;
    uint32_t number;

    assert_int_equal(view_peer(&snapshot, &couple->ana.secrets.member, &peer), ERR_OK);
    assert_int_equal(
        row_get(&snapshot, &peer.pair_in, KIND_SHARE, &seen.last.object, &said, &number), ERR_OK);
    amend_begin(&amend, txn, ledger_self_space(couple->bruno.ledger), KIND_SHARE_RECORD,
                &seen.last.record);
    amend_number(&amend, SHARE_RECORD_DECISION, decision);
    if (decision == SHARE_KEPT)
        amend_bytes(&amend, SHARE_RECORD_BODY, object_value(&said, SHARE_BODY).bytes);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    object_release(&said);
    share_commit(txn);
}

static void share_refuses_what_breaks_a_bound_and_says_so_once_a_day(void **state)
{
    static char large[SHARE_SIZE_MAX + 1];
    struct couple couple;
    struct share_log log;
    struct buf body = {0};

    (void)state;
    couple_begin(&couple);
    share_one(&couple, 1, span_str("no array"));
    assert_int_equal(share_look_at(&couple.bruno).waiting, 0);
    log = share_logged(&couple, "refused");
    assert_int_equal(log.count, 1);
    assert_non_null(strstr(log.text, "cannot be read"));
    share_one(&couple, 2, span_of(large, sizeof large));
    share_one(&couple, 1, span_of(NULL, 0));
    share_body("Dana", "", &body);
    body.data[2] = 0xa0; /* No name, and then too much. */
    share_one(&couple, 3, buf_span(&body));
    assert_int_equal(share_counted(&couple).refused, 4);
    assert_int_equal(share_counted(&couple).standing, 0);
    assert_int_equal(share_logged(&couple, "refused").count, 1);
    couple.bruno.now_ms += (uint64_t)SHARE_NEWS_HOURS * 3600 * 1000;
    share_one(&couple, 4, span_of(large, sizeof large));
    log = share_logged(&couple, "refused");
    assert_int_equal(log.count, 2);
    assert_non_null(strstr(log.text, "4 contacts that were refused: it is too large"));
    share_body("Dana", "", &body);
    share_one(&couple, 4, buf_span(&body));
    assert_int_equal(share_look_at(&couple.bruno).waiting, 1);
    share_one(&couple, 4, span_str("spoilt"));
    assert_int_equal(share_look_at(&couple.bruno).waiting, 0);
    assert_int_equal(share_counted(&couple).standing, 0);
    buf_release(&body);
    couple_end(&couple);
}

static void share_has_no_place_in_another_space(void **state)
{
    struct couple couple;
    struct id card;
    struct ledger_txn *txn;
    struct buf body = {0};

    (void)state;
    couple_begin(&couple);
    member_grant(&couple.ana, &couple.bruno);
    card = member_card_space(&couple.ana);
    share_body("Dana", "", &body);
    txn = member_begin(&couple.ana);
    share_put(txn, &card, 1, buf_span(&body));
    share_commit(txn);
    share_pull(&couple);
    assert_int_equal(share_look_at(&couple.bruno).waiting, 0);
    assert_int_equal(share_counted(&couple).standing, 0);
    buf_release(&body);
    couple_end(&couple);
}

static void share_shows_so_many_undecided_ones_and_the_next_when_one_is_decided(void **state)
{
    struct couple couple;

    (void)state;
    couple_begin(&couple);
    share_many(&couple, 1, SHARES_WAITING_MAX - 1);
    share_pull(&couple);
    assert_int_equal(share_look_at(&couple.bruno).waiting, SHARES_WAITING_MAX - 1);
    share_many(&couple, 100, 1);
    share_pull(&couple);
    assert_int_equal(share_look_at(&couple.bruno).waiting, SHARES_WAITING_MAX);
    share_many(&couple, 200, 2);
    share_pull(&couple);
    assert_int_equal(share_look_at(&couple.bruno).waiting, SHARES_WAITING_MAX);
    assert_int_equal(share_counted(&couple).standing, SHARES_WAITING_MAX + 2);
    assert_int_equal(share_logged(&couple, "shared").count, SHARES_WAITING_MAX);
    share_decide_first(&couple, SHARE_SET_ASIDE);
    assert_int_equal(share_look_at(&couple.bruno).waiting, SHARES_WAITING_MAX);
    share_decide_first(&couple, SHARE_KEPT);
    assert_int_equal(share_look_at(&couple.bruno).waiting, SHARES_WAITING_MAX);
    share_decide_first(&couple, SHARE_SET_ASIDE);
    assert_int_equal(share_look_at(&couple.bruno).waiting, SHARES_WAITING_MAX - 1);
    assert_int_equal(share_counted(&couple).refused, 0);
    couple_end(&couple);
}

static void share_takes_no_more_than_the_cap_of_one_peer(void **state)
{
    struct couple couple;
    struct share_log log;

    (void)state;
    couple_begin(&couple);
    share_many(&couple, 1, SHARES_PER_PEER_MAX);
    share_pull(&couple);
    assert_int_equal(share_counted(&couple).standing, SHARES_PER_PEER_MAX);
    assert_int_equal(share_counted(&couple).refused, 0);
    share_many(&couple, 5000, 1);
    share_pull(&couple);
    assert_int_equal(share_counted(&couple).standing, SHARES_PER_PEER_MAX);
    assert_int_equal(share_counted(&couple).refused, 1);
    log = share_logged(&couple, "refused");
    assert_non_null(strstr(log.text, "too many"));
    assert_int_equal(share_look_at(&couple.bruno).waiting, SHARES_WAITING_MAX);
    couple_end(&couple);
}

/* An op of Ana's, committed where it went well; its exit code. */
static enum op_code share_op(struct couple *couple, const char *method, json_t *params)
{
    struct op_world world = {.home = ""};
    struct op_call call = {.params = params, .world = &world};
    struct ledger_txn *txn = member_begin(&couple->ana);
    enum err err =
        op_step(ops_find(method)->run, &call, couple->ana.ledger, txn, couple->ana.now_ms);

    if (err == ERR_OK)
        share_commit(txn);
    else
        ledger_abort(txn);
    json_decref(call.result);
    json_decref(params);
    assert_true((err == ERR_OK) == (call.failure.code == OP_DONE));
    return call.failure.code;
}

static enum op_code share_give(struct couple *couple, const char *who, const char *why)
{
    char did[DID_SIZE];

    identity_did(&couple->bruno.secrets.member, did);
    return share_op(
        couple, "contact.share",
        json_pack("{s:s, s:[s], s:s, s:b}", "who", who, "with", did, "why", why, "agreed", 1));
}

static void share_gives_no_more_than_the_cap_and_says_anew_what_is_given(void **state)
{
    struct couple couple;

    (void)state;
    couple_begin(&couple);
    assert_int_equal(share_op(&couple, "contact.add", json_pack("{s:s}", "name", "Dana")), OP_DONE);
    assert_int_equal(share_op(&couple, "contact.add", json_pack("{s:s}", "name", "Emil")), OP_DONE);
    assert_int_equal(share_give(&couple, "Dana", "Paints."), OP_DONE);
    share_many(&couple, 1, SHARES_PER_PEER_MAX - 1);
    assert_int_equal(share_give(&couple, "Emil", "Sings."), OP_FAILED);
    assert_int_equal(share_give(&couple, "Dana", "Paints well."), OP_DONE);
    share_pull(&couple);
    assert_int_equal(share_counted(&couple).standing, SHARES_PER_PEER_MAX);
    assert_int_equal(share_counted(&couple).refused, 0);
    couple_end(&couple);
}

static void share_tells_once_a_day_that_a_kept_one_changed(void **state)
{
    struct couple couple;
    struct buf body = {0};
    char org[24];

    (void)state;
    couple_begin(&couple);
    share_body("Dana", "one", &body);
    share_one(&couple, 1, buf_span(&body));
    share_decide_first(&couple, SHARE_KEPT);
    for (unsigned at = 0; at < 20; at++) {
        (void)snprintf(org, sizeof org, "org %u", at);
        share_body("Dana", org, &body);
        share_one(&couple, 1, buf_span(&body));
    }
    assert_int_equal(share_look_at(&couple.bruno).changed, 1);
    assert_int_equal(share_logged(&couple, "shared").count, 2);
    share_body("Dana", "one", &body);
    share_one(&couple, 1, buf_span(&body));
    assert_int_equal(share_look_at(&couple.bruno).changed, 0);
    buf_release(&body);
    couple_end(&couple);
}

/* Is this text in any payload that the reader still holds? */
static size_t share_payloads(struct couple *couple)
{
    struct snapshot snapshot = member_snapshot(&couple->bruno);
    struct entry_row row;
    size_t found = 0;

    for (uint64_t arrival = 1; ledger_entry(&snapshot, arrival, &row) == ERR_OK; arrival++) {
        struct edit_space edit = {0};
        struct buf plain = {0};

        if (row.entry.payload.size > 0 && ledger_open_entry(&snapshot, &row, &plain) == ERR_OK &&
            edit_read(&edit, buf_span(&plain)) == ERR_OK && edit.edit.kind == KIND_SHARE &&
            edit.edit.writes[0].op == WRITE_SET)
            found++;
        edit_release(&edit);
        buf_release(&plain);
    }
    ledger_snapshot_end(&snapshot);
    return found;
}

static void share_taken_back_leaves_no_payload(void **state)
{
    struct couple couple;
    struct buf body = {0};
    struct id pair, object = share_object(1);
    struct ledger_txn *txn;

    (void)state;
    couple_begin(&couple);
    pair = share_pair(&couple.ana, &couple.bruno);
    for (unsigned at = 0; at < 3; at++) {
        share_body("Dana", at == 1 ? "more" : "less", &body);
        txn = member_begin(&couple.ana);
        assert_int_equal(share_tell(txn, &pair, &object, buf_span(&body)), ERR_OK);
        share_commit(txn);
        share_pull(&couple);
        assert_int_equal(share_payloads(&couple), 1);
        assert_int_equal(share_look_at(&couple.bruno).waiting, 1);
    }
    txn = member_begin(&couple.ana);
    assert_int_equal(share_withdraw(txn, &pair, &object), ERR_OK);
    assert_int_equal(share_withdraw(txn, &pair, &object), ERR_OK);
    share_commit(txn);
    share_pull(&couple);
    assert_int_equal(share_payloads(&couple), 0);
    assert_int_equal(share_look_at(&couple.bruno).waiting, 0);
    assert_int_equal(share_counted(&couple).waiting, 0);
    assert_int_equal(share_counted(&couple).standing, 0);
    assert_int_equal(share_logged(&couple, "taken back").count, 1);
    buf_release(&body);
    couple_end(&couple);
}

static void share_views_are_the_same_when_made_again(void **state)
{
    struct couple couple;
    struct share_counts before, after;
    struct ledger_txn *txn;

    (void)state;
    couple_begin(&couple);
    share_many(&couple, 1, 60);
    share_pull(&couple);
    share_decide_first(&couple, SHARE_KEPT);
    share_decide_first(&couple, SHARE_SET_ASIDE);
    before = share_counted(&couple);
    txn = member_begin(&couple.bruno);
    assert_int_equal(check_forget_views(txn), ERR_OK);
    assert_int_equal(follow_all(txn), ERR_OK);
    share_commit(txn);
    after = share_counted(&couple);
    assert_int_equal(after.standing, before.standing);
    assert_int_equal(after.waiting, before.waiting);
    assert_int_equal(share_look_at(&couple.bruno).kept, 1);
    assert_int_equal(share_logged(&couple, "shared").count, 52);
    couple_end(&couple);
}

/* Both devices hear of the second one by themselves, and each makes its record. */
static void share_is_one_on_two_devices_of_the_reader(void **state)
{
    struct couple couple;
    struct member twin;
    struct ledger_txn *txn;

    (void)state;
    couple_begin(&couple);
    share_many(&couple, 1, 1);
    share_pull(&couple);
    share_decide_first(&couple, SHARE_SET_ASIDE);
    member_twin(&twin, &couple.bruno, 7);
    share_many(&couple, 2, 1);
    share_pull(&couple);
    (void)member_pull(&twin, &couple.ana, NULL);
    txn = member_begin(&twin);
    share_commit(txn);
    assert_int_equal(share_look_at(&twin).waiting, 1);
    (void)member_pull(&twin, &couple.bruno, NULL);
    (void)member_pull(&couple.bruno, &twin, NULL);
    assert_int_equal(share_look_at(&twin).waiting, 1);
    assert_int_equal(share_look_at(&couple.bruno).waiting, 1);
    assert_int_equal(share_counted(&couple).waiting, 1);
    share_decide_first(&couple, SHARE_KEPT);
    (void)member_pull(&twin, &couple.bruno, NULL);
    assert_int_equal(share_look_at(&twin).waiting, 0);
    assert_int_equal(share_look_at(&twin).kept, 1);
    member_free(&twin);
    couple_end(&couple);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share_refuses_what_breaks_a_bound_and_says_so_once_a_day),
        cmocka_unit_test(share_has_no_place_in_another_space),
        cmocka_unit_test(share_shows_so_many_undecided_ones_and_the_next_when_one_is_decided),
        cmocka_unit_test(share_takes_no_more_than_the_cap_of_one_peer),
        cmocka_unit_test(share_gives_no_more_than_the_cap_and_says_anew_what_is_given),
        cmocka_unit_test(share_tells_once_a_day_that_a_kept_one_changed),
        cmocka_unit_test(share_taken_back_leaves_no_payload),
        cmocka_unit_test(share_views_are_the_same_when_made_again),
        cmocka_unit_test(share_is_one_on_two_devices_of_the_reader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
