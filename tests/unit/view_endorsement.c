/* Endorsements between ledgers: what counts, what is dropped and counted, who decides, and that two
 * devices come to one decision whatever came first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/amend.h"
#include "node/credential.h"
#include "node/endorse.h"
#include "node/quote.h"
#include "node/react.h"
#include "proto/show.h"
#include "proto/statement.h"
#include "storage/dropped.h"
#include "storage/row.h"
#include "storage/running.h"
#include "storage/view_endorsement.h"
#include "tests/sim/member.h"

/* Lets the node run for so long. */
static enum err view_endorsement_run(struct ledger_txn *txn, uint64_t more_ms)
{
    enum err err = running_advance(txn, 1000);

    return err == ERR_OK ? running_advance(txn, 1000 + more_ms) : err;
}

static const uint64_t day_ms = UINT64_C(86400000);

struct town {
    struct member ana, bruno, chie; /* Bruno is linked with both */
};

static void town_begin(struct town *town)
{
    member_new(&town->ana, 1, false);
    member_new(&town->bruno, 2, false);
    member_new(&town->chie, 3, false);
    member_link(&town->ana, &town->bruno);
    member_link(&town->bruno, &town->chie);
    member_grant(&town->ana, &town->bruno);
    member_grant(&town->bruno, &town->ana);
    member_grant(&town->bruno, &town->chie);
    member_grant(&town->chie, &town->bruno);
}

static void town_end(struct town *town)
{
    member_free(&town->ana);
    member_free(&town->bruno);
    member_free(&town->chie);
}

static void endorse_commit(struct ledger_txn *txn)
{
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* Takes what the other wrote, then answers it, as a node does. */
static void endorse_pull(struct member *to, struct member *from)
{
    struct ledger_txn *txn;

    (void)member_pull(to, from, NULL);
    txn = member_begin(to);
    endorse_commit(txn);
}

/* A record by one about another, as its issuer would sign it. */
static void endorse_write(struct member *issuer, const struct member *subject, unsigned number,
                          struct endorsement *out, struct buf *statement)
{
    struct signing_key root;

    identity_signing_key(issuer->secrets.root_seed, &root);
    *out = (struct endorsement){.issuer = root.public_key,
                                .subject = subject->secrets.member,
                                .relation = RELATION_CLIENT,
                                .about = {span_str("stairs")},
                                .about_count = 1,
                                .words = span_str("Built our stairs, on time and true."),
                                .issued_s = issuer->now_ms / 1000 + number,
                                .expires_s = issuer->now_ms / 1000 + number + 700 * 86400,
                                .ceiling = AUDIENCE_NETWORK,
                                .name = span_str("Ana")};
    endorsement_draw_id(&issuer->entropy, issuer->now_ms, &out->id);
    assert_int_equal(credential_prove(out, &root), ERR_OK);
    assert_int_equal(endorsement_issue(out, &root, statement), ERR_OK);
}

static struct id endorse_pair(struct member *from, const struct member *to)
{
    struct snapshot snapshot = member_snapshot(from);
    struct peer peer;

    assert_int_equal(view_peer(&snapshot, &to->secrets.member, &peer), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return peer.pair_out;
}

/* Puts bytes where an endorsement would stand, under the id they call for or another. */
static void endorse_put(struct member *member, const struct id *space, struct span statement,
                        struct span show, const struct id *other_id)
{
    struct ledger_txn *txn = member_begin(member);
    struct amend amend;
    struct id object;

    statement_id(statement, &object);
    amend_begin(&amend, txn, space, KIND_ENDORSEMENT, other_id != NULL ? other_id : &object);
    amend_bytes(&amend, ENDORSEMENT_STATEMENT, statement);
    if (show.size > 0)
        amend_bytes(&amend, ENDORSEMENT_SHOW, show);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    endorse_commit(txn);
}

/* Ana offers one to Bruno; it arrives. */
static struct endorsement_place endorse_offered(struct town *town, unsigned number)
{
    struct id pair = endorse_pair(&town->ana, &town->bruno);
    struct endorsement endorsement;
    struct endorsement_place place;
    struct buf statement = {0};

    endorse_write(&town->ana, &town->bruno, number, &endorsement, &statement);
    endorse_put(&town->ana, &pair, buf_span(&statement), span_of(NULL, 0), NULL);
    endorse_pull(&town->bruno, &town->ana);
    place = (struct endorsement_place){.subject = endorsement.subject,
                                       .issued_s = endorsement.issued_s};
    statement_id(buf_span(&statement), &place.object);
    buf_release(&statement);
    return place;
}

static enum err endorse_get(struct member *member, const struct endorsement_place *place,
                            struct endorsement_view *out)
{
    struct snapshot snapshot = member_snapshot(member);
    enum err err = view_endorsement_get(&snapshot, member->now_ms, place, out);

    ledger_snapshot_end(&snapshot);
    return err;
}

static void endorse_decided(struct member *member, const struct endorsement_place *place,
                            enum endorsement_decision decision)
{
    struct ledger_txn *txn = member_begin(member);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct endorsement_view view;

    assert_int_equal(view_endorsement_get(&snapshot, member->now_ms, place, &view), ERR_OK);
    assert_int_equal(endorse_decide(txn, &view, decision), ERR_OK);
    endorse_commit(txn);
}

static enum err endorse_on_any(void *self, const struct endorsement_view *view)
{
    (void)view;
    ++*(size_t *)self;
    return ERR_OK;
}

static size_t endorse_seen(struct member *member, const struct member *subject)
{
    struct snapshot snapshot = member_snapshot(member);
    size_t count = 0;

    assert_int_equal(view_endorsement_of(&snapshot, member->now_ms, &subject->secrets.member,
                                         endorse_on_any, &count),
                     ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

static uint64_t endorse_dropped(struct member *member, const struct member *writer)
{
    struct snapshot snapshot = member_snapshot(member);
    struct dropped dropped;

    assert_int_equal(dropped_of(&snapshot, &writer->secrets.member, &dropped), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return dropped.count;
}

static void endorse_expect(struct member *member, const struct endorsement_place *place,
                           enum endorsement_state state, enum audience shown_to)
{
    struct endorsement_view view;

    assert_int_equal(endorse_get(member, place, &view), ERR_OK);
    assert_int_equal(view.state, state);
    assert_int_equal(view.shown_to, shown_to);
}

/* P7: each of these leaves nothing but a count against its sender. */
static void endorsement_offers_that_do_not_belong_are_dropped_and_counted(void **state)
{
    struct endorsement endorsement;
    struct buf good = {0}, bad = {0};
    struct town town;
    struct id pair, other = {{7}};

    (void)state;
    town_begin(&town);
    pair = endorse_pair(&town.ana, &town.bruno);
    endorse_write(&town.ana, &town.bruno, 0, &endorsement, &good);
    buf_append(&bad, buf_span(&good));
    bad.data[bad.size / 2] ^= 1; /* Altered. */
    endorse_put(&town.ana, &pair, buf_span(&bad), span_of(NULL, 0), NULL);
    endorse_put(&town.ana, &pair, buf_span(&good), span_of(NULL, 0), &other); /* Another's id. */
    endorse_put(&town.ana, &pair, span_str("no statement"), span_of(NULL, 0), NULL);
    buf_clear(&bad);
    endorse_write(&town.chie, &town.bruno, 0, &endorsement, &bad); /* Somebody else's words. */
    endorse_put(&town.ana, &pair, buf_span(&bad), span_of(NULL, 0), NULL);
    buf_clear(&bad);
    endorse_write(&town.ana, &town.chie, 0, &endorsement, &bad); /* About somebody else. */
    endorse_put(&town.ana, &pair, buf_span(&bad), span_of(NULL, 0), NULL);
    endorse_pull(&town.bruno, &town.ana);
    assert_int_equal(endorse_dropped(&town.bruno, &town.ana), 5);
    assert_int_equal(endorse_dropped(&town.bruno, &town.chie), 0);
    assert_int_equal(endorse_seen(&town.bruno, &town.bruno), 0);
    assert_int_equal(endorse_seen(&town.bruno, &town.chie), 0);
    endorse_put(&town.ana, &pair, buf_span(&good), span_of(NULL, 0), NULL);
    endorse_pull(&town.bruno, &town.ana);
    assert_int_equal(endorse_seen(&town.bruno, &town.bruno), 1);
    assert_int_equal(endorse_dropped(&town.bruno, &town.ana), 5);
    buf_release(&good);
    buf_release(&bad);
    town_end(&town);
}

static void endorse_show_by(struct member *member, struct span statement, enum audience audience,
                            uint64_t made_s, struct buf *out)
{
    struct snapshot snapshot = member_snapshot(member);
    struct show show = {
        .audience = audience, .made_s = made_s, .until_s = made_s + SHOW_DAYS_MAX * 86400};
    struct buf identity = {0};

    statement_hash(statement, &show.endorsement);
    assert_int_equal(view_identity(&snapshot, &identity), ERR_OK);
    assert_int_equal(
        show_issue(&show, buf_span(&identity), ledger_signing_key(member->ledger), out), ERR_OK);
    buf_release(&identity);
    ledger_snapshot_end(&snapshot);
}

/* Only the subject shows, with a show of its own, to no more than the ceiling. */
static void endorsement_shows_that_do_not_fit_show_nothing(void **state)
{
    struct endorsement endorsement;
    struct buf own = {0}, others = {0}, show = {0};
    struct town town;
    struct id card;
    uint64_t now_s;

    (void)state;
    town_begin(&town);
    card = member_card_space(&town.bruno);
    now_s = town.bruno.now_ms / 1000;
    endorse_write(&town.ana, &town.bruno, 0, &endorsement, &own);
    endorse_write(&town.ana, &town.chie, 0, &endorsement, &others);
    endorse_put(&town.bruno, &card, buf_span(&own), span_of(NULL, 0), NULL); /* Without a show. */
    endorse_pull(&town.chie, &town.bruno);
    assert_int_equal(endorse_dropped(&town.chie, &town.bruno), 1);
    endorse_show_by(&town.chie, buf_span(&own), AUDIENCE_PEERS, now_s, &show); /* By another. */
    endorse_put(&town.bruno, &card, buf_span(&own), buf_span(&show), NULL);
    buf_clear(&show);
    endorse_show_by(&town.bruno, buf_span(&others), AUDIENCE_PEERS, now_s, &show); /* Of another. */
    endorse_put(&town.bruno, &card, buf_span(&own), buf_span(&show), NULL);
    buf_clear(&show);
    endorse_show_by(&town.bruno, buf_span(&own), AUDIENCE_PUBLIC, now_s, &show); /* Too wide. */
    endorse_put(&town.bruno, &card, buf_span(&own), buf_span(&show), NULL);
    buf_clear(&show);
    endorse_show_by(&town.bruno, buf_span(&others), AUDIENCE_PEERS, now_s, &show);
    endorse_put(&town.bruno, &card, buf_span(&others), buf_span(&show), NULL); /* Not about me. */
    endorse_pull(&town.chie, &town.bruno);
    assert_int_equal(endorse_dropped(&town.chie, &town.bruno), 5);
    assert_int_equal(endorse_seen(&town.chie, &town.bruno), 0);
    buf_clear(&show);
    endorse_show_by(&town.bruno, buf_span(&own), AUDIENCE_NETWORK, now_s, &show);
    endorse_put(&town.bruno, &card, buf_span(&own), buf_span(&show), NULL);
    endorse_pull(&town.chie, &town.bruno);
    assert_int_equal(endorse_seen(&town.chie, &town.bruno), 1);
    buf_release(&own);
    buf_release(&others);
    buf_release(&show);
    town_end(&town);
}

static void endorsement_received_is_kept_in_the_same_transaction(void **state)
{
    struct endorsement_place place;
    struct endorsement_view view;
    struct town town;

    (void)state;
    town_begin(&town);
    place = endorse_offered(&town, 0);
    assert_int_equal(endorse_get(&town.bruno, &place, &view), ERR_OK);
    assert_true(view.is_kept);
    endorse_expect(&town.bruno, &place, ENDORSEMENT_PENDING, AUDIENCE_SUBJECT);
    endorse_expect(&town.ana, &place, ENDORSEMENT_SENT, AUDIENCE_SUBJECT);
    town_end(&town);
}

/* FORKS rule 20: two devices decide at once, each order, and a later act that has seen both. */
static void endorsement_decisions_at_once_end_in_the_stronger(void **state)
{
    static const struct {
        enum endorsement_decision one, other, both;
    } rows[] = {
        {DECISION_PEERS, DECISION_SET_ASIDE, DECISION_SET_ASIDE},
        {DECISION_SET_ASIDE, DECISION_NETWORK, DECISION_SET_ASIDE},
        {DECISION_NOBODY, DECISION_PEERS, DECISION_NOBODY},
        {DECISION_NETWORK, DECISION_PEERS, DECISION_PEERS},
        {DECISION_NOBODY, DECISION_SET_ASIDE, DECISION_SET_ASIDE},
        {DECISION_PEERS, DECISION_PEERS, DECISION_PEERS},
    };

    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        struct endorsement_place place;
        struct endorsement_view left, right;
        struct member laptop;
        struct town town;

        town_begin(&town);
        place = endorse_offered(&town, 0);
        member_twin(&laptop, &town.bruno, 9);
        endorse_decided(&town.bruno, &place, rows[at].one);
        endorse_decided(&laptop, &place, rows[at].other);
        endorse_pull(&laptop, &town.bruno);
        endorse_pull(&town.bruno, &laptop);
        endorse_pull(&laptop, &town.bruno);
        assert_int_equal(endorse_get(&town.bruno, &place, &left), ERR_OK);
        assert_int_equal(endorse_get(&laptop, &place, &right), ERR_OK);
        assert_int_equal(left.decision, rows[at].both);
        assert_int_equal(right.decision, rows[at].both);
        assert_int_equal(left.shown_to, right.shown_to);
        endorse_decided(&laptop, &place, DECISION_PEERS);
        endorse_pull(&town.bruno, &laptop);
        endorse_expect(&town.bruno, &place, ENDORSEMENT_ACCEPTED, AUDIENCE_PEERS);
        endorse_pull(&town.chie, &town.bruno);
        endorse_expect(&town.chie, &place, ENDORSEMENT_ACCEPTED, AUDIENCE_PEERS);
        member_free(&laptop);
        town_end(&town);
    }
}

/* Two decisions stand, since they were made at once; then each device says one of them again, at
 * once: each is a human act that has seen both, and the stronger of the two counts (ENDORSE-7). */
static void endorsement_decisions_said_again_at_once_are_not_lost(void **state)
{
    struct endorsement_place place;
    struct endorsement_view left, right;
    struct member laptop;
    struct town town;

    (void)state;
    town_begin(&town);
    place = endorse_offered(&town, 0);
    member_twin(&laptop, &town.bruno, 9);
    endorse_decided(&town.bruno, &place, DECISION_NOBODY);
    endorse_decided(&laptop, &place, DECISION_PEERS);
    for (int round = 0; round < 2; round++) {
        endorse_decided(&town.bruno, &place, round == 0 ? DECISION_NOBODY : DECISION_PEERS);
        endorse_decided(&laptop, &place, round == 0 ? DECISION_PEERS : DECISION_NOBODY);
        endorse_pull(&laptop, &town.bruno);
        endorse_pull(&town.bruno, &laptop);
        endorse_pull(&laptop, &town.bruno);
        assert_int_equal(endorse_get(&town.bruno, &place, &left), ERR_OK);
        assert_int_equal(endorse_get(&laptop, &place, &right), ERR_OK);
        assert_int_equal(left.decision, DECISION_NOBODY);
        assert_int_equal(right.decision, DECISION_NOBODY);
    }
    member_free(&laptop);
    town_end(&town);
}

/* Revoked comes before every decision, also one made at the same time, or later. */
static void endorsement_revoked_stays_revoked(void **state)
{
    struct endorsement_place place;
    struct endorsement_view view;
    struct ledger_txn *txn;
    struct town town;

    (void)state;
    town_begin(&town);
    place = endorse_offered(&town, 0);
    assert_int_equal(endorse_get(&town.ana, &place, &view), ERR_OK);
    txn = member_begin(&town.ana);
    assert_int_equal(endorse_revoke(txn, &view), ERR_OK);
    endorse_commit(txn);
    endorse_decided(&town.bruno, &place, DECISION_PEERS);
    endorse_pull(&town.chie, &town.bruno);
    assert_int_equal(endorse_seen(&town.chie, &town.bruno), 1);
    endorse_pull(&town.bruno, &town.ana);
    endorse_expect(&town.bruno, &place, ENDORSEMENT_REVOKED, AUDIENCE_SUBJECT);
    endorse_decided(&town.bruno, &place, DECISION_NETWORK);
    endorse_expect(&town.bruno, &place, ENDORSEMENT_REVOKED, AUDIENCE_SUBJECT);
    assert_int_equal(endorse_get(&town.bruno, &place, &view), ERR_OK);
    assert_true(view.is_known_revoked);
    endorse_pull(&town.chie, &town.bruno);
    assert_int_equal(endorse_seen(&town.chie, &town.bruno), 0);
    town_end(&town);
}

/* PROTOCOL SHOW-4: the wall clock may say what it likes. */
static void endorsement_shows_end_after_ninety_days_of_running_time(void **state)
{
    struct endorsement_place place;
    struct ledger_txn *txn;
    struct town town;

    (void)state;
    town_begin(&town);
    place = endorse_offered(&town, 0);
    endorse_decided(&town.bruno, &place, DECISION_PEERS);
    endorse_pull(&town.chie, &town.bruno);
    town.chie.now_ms += 400 * day_ms;
    assert_int_equal(endorse_seen(&town.chie, &town.bruno), 1);
    txn = member_begin(&town.chie);
    assert_int_equal(view_endorsement_run(txn, 90 * day_ms - 120000), ERR_OK);
    endorse_commit(txn);
    assert_int_equal(endorse_seen(&town.chie, &town.bruno), 1);
    txn = member_begin(&town.chie);
    assert_int_equal(view_endorsement_run(txn, 180000), ERR_OK);
    endorse_commit(txn);
    assert_int_equal(endorse_seen(&town.chie, &town.bruno), 0);
    /* Bruno's device renews it on its next day, and all is well again. */
    town.bruno.now_ms += 31 * day_ms;
    txn = member_begin(&town.bruno);
    endorse_commit(txn);
    endorse_pull(&town.chie, &town.bruno);
    assert_int_equal(endorse_seen(&town.chie, &town.bruno), 1);
    town_end(&town);
}

/* What is written far too often: the newest three stand before their subject, and no more. */
static void endorsement_floods_end_at_the_cap(void **state)
{
    enum { FLOOD = 300 };
    struct id pair;
    struct endorsement endorsement;
    struct endorsement_counts counts;
    struct snapshot snapshot;
    uint64_t kept;
    struct town town;

    (void)state;
    town_begin(&town);
    pair = endorse_pair(&town.ana, &town.bruno);
    for (unsigned at = 0; at < FLOOD; at++) {
        struct buf statement = {0};

        endorse_write(&town.ana, &town.bruno, at, &endorsement, &statement);
        endorse_put(&town.ana, &pair, buf_span(&statement), span_of(NULL, 0), NULL);
        buf_release(&statement);
    }
    endorse_pull(&town.bruno, &town.ana);
    endorse_pull(&town.bruno, &town.ana);
    assert_int_equal(endorse_seen(&town.bruno, &town.bruno), ENDORSEMENTS_PER_ISSUER_MAX);
    snapshot = member_snapshot(&town.bruno);
    assert_int_equal(view_endorsement_count(&snapshot, town.bruno.now_ms, &counts), ERR_OK);
    assert_int_equal(counts.pending, ENDORSEMENTS_PER_ISSUER_MAX);
    assert_int_equal(endorsement_table_undecided(&snapshot, &town.ana.secrets.member, &kept),
                     ERR_OK);
    assert_int_equal(kept, ENDORSEMENTS_PER_ISSUER_MAX);
    ledger_snapshot_end(&snapshot);
    town_end(&town);
}

/* A show that is quoted again and again, old as it is, does not live longer by it. */
static void endorsement_quotes_are_checked_and_not_revived_by_old_shows(void **state)
{
    struct endorsement_place place;
    struct endorsement_view view;
    struct ledger_txn *txn;
    struct member dora;
    struct town town;

    (void)state;
    town_begin(&town);
    member_new(&dora, 4, false);
    member_link(&town.chie, &dora);
    member_grant(&town.chie, &dora);
    place = endorse_offered(&town, 0);
    endorse_decided(&town.bruno, &place, DECISION_NETWORK);
    endorse_pull(&town.chie, &town.bruno);
    txn = member_begin(&town.chie);
    assert_int_equal(quote_turn(txn, &town.bruno.secrets.member, true), ERR_OK);
    endorse_commit(txn);
    endorse_pull(&dora, &town.chie);
    endorse_pull(&dora, &town.chie);
    assert_int_equal(endorse_get(&dora, &place, &view), ERR_OK);
    assert_true(view.is_quoted);
    assert_true(public_key_is_equal(&view.quoted_by, &town.chie.secrets.member));
    txn = member_begin(&dora);
    assert_int_equal(view_endorsement_run(txn, 90 * day_ms), ERR_OK);
    endorse_commit(txn);
    assert_int_equal(endorse_get(&dora, &place, &view), ERR_NOT_FOUND);
    txn = member_begin(&town.chie);
    assert_int_equal(quote_turn(txn, &town.bruno.secrets.member, false), ERR_OK);
    endorse_commit(txn);
    endorse_pull(&dora, &town.chie);
    member_free(&dora);
    town_end(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endorsement_offers_that_do_not_belong_are_dropped_and_counted),
        cmocka_unit_test(endorsement_shows_that_do_not_fit_show_nothing),
        cmocka_unit_test(endorsement_received_is_kept_in_the_same_transaction),
        cmocka_unit_test(endorsement_decisions_at_once_end_in_the_stronger),
        cmocka_unit_test(endorsement_decisions_said_again_at_once_are_not_lost),
        cmocka_unit_test(endorsement_revoked_stays_revoked),
        cmocka_unit_test(endorsement_shows_end_after_ninety_days_of_running_time),
        cmocka_unit_test(endorsement_floods_end_at_the_cap),
        cmocka_unit_test(endorsement_quotes_are_checked_and_not_revived_by_old_shows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
