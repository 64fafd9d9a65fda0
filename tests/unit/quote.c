/* The network space: what is quoted, of whom, how much, and until when. PROTOCOL QUOTE-1 to
 * QUOTE-4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/amend.h"
#include "node/credential.h"
#include "node/quote.h"
#include "node/react.h"
#include "proto/limits.h"
#include "proto/show.h"
#include "proto/statement.h"
#include "storage/endorsement_table.h"
#include "tests/sim/vouched.h"

/* Dora is linked with Chie, who is linked with Bruno. */
struct quoted {
    struct vouched vouched;
    struct member dora;
};

static void quote_new(struct quoted *quoted)
{
    vouched_new(&quoted->vouched);
    meeting_new(&quoted->dora, 4, "Dora");
    meeting_link(&quoted->vouched.chie, &quoted->dora);
}

static void quote_free(struct quoted *quoted)
{
    vouched_free(&quoted->vouched);
    member_free(&quoted->dora);
}

static void quote_round(struct quoted *quoted)
{
    vouched_round(&quoted->vouched);
    meeting_carry(&quoted->vouched.chie, &quoted->dora);
    meeting_carry(&quoted->vouched.chie, &quoted->dora);
}

static void quote_turn_on(struct member *member, const char *method, const char *who)
{
    json_decref(meeting_op(member, method, json_pack("{s:s}", "who", who), NULL));
}

static void quote_count(struct member *member, uint64_t *out_count, uint64_t *out_bytes)
{
    struct snapshot snapshot = member_snapshot(member);

    assert_int_equal(
        endorsement_table_quotes(&snapshot, &member->secrets.member, out_count, out_bytes), ERR_OK);
    ledger_snapshot_end(&snapshot);
}

static void quote_is_for_the_peers_that_were_chosen(void **state)
{
    struct quoted quoted;
    struct member emil;

    (void)state;
    quote_new(&quoted);
    meeting_new(&emil, 5, "Emil");
    meeting_link(&quoted.vouched.ana, &emil);
    meeting_link(&quoted.vouched.chie, &emil);
    vouched_endorse(&quoted.vouched, "network");
    json_decref(meeting_op(&quoted.vouched.ana, "endorse",
                           json_pack("{s:s, s:[s], s:s, s:s, s:s}", "who", "Emil", "about", "boats",
                                     "relation", "client", "words", "Mended our boat in a day.",
                                     "ceiling", "network"),
                           NULL));
    meeting_carry(&quoted.vouched.ana, &emil);
    quote_round(&quoted);
    vouched_decide(&quoted.vouched.bruno, "endorsement.accept", "network");
    vouched_decide(&emil, "endorsement.accept", "network");
    meeting_carry(&quoted.vouched.chie, &emil);
    quote_round(&quoted);
    assert_int_equal(vouched_seen(&quoted.vouched.chie, &emil), 1);
    assert_int_equal(vouched_seen(&quoted.dora, &quoted.vouched.bruno), 0);
    quote_turn_on(&quoted.vouched.chie, "network.quote", "Bruno");
    quote_round(&quoted);
    assert_int_equal(vouched_seen(&quoted.dora, &quoted.vouched.bruno), 1);
    assert_int_equal(vouched_seen(&quoted.dora, &emil), 0);
    assert_false(meeting_holds(&quoted.dora, span_str("Mended our boat")));
    quote_turn_on(&quoted.vouched.chie, "network.unquote", "Bruno");
    quote_turn_on(&quoted.vouched.chie, "network.quote", "Emil");
    quote_round(&quoted);
    assert_int_equal(vouched_seen(&quoted.dora, &quoted.vouched.bruno), 0);
    assert_int_equal(vouched_seen(&quoted.dora, &emil), 1);
    member_free(&emil);
    quote_free(&quoted);
}

/* The subject renews; whoever quotes it hands the new show on; the reader counts anew. */
static void quote_lives_by_the_shows_that_are_renewed(void **state)
{
    struct quoted quoted;

    (void)state;
    quote_new(&quoted);
    vouched_endorse(&quoted.vouched, "network");
    quote_round(&quoted);
    vouched_decide(&quoted.vouched.bruno, "endorsement.accept", "network");
    quote_turn_on(&quoted.vouched.chie, "network.quote", "Bruno");
    quote_round(&quoted);
    meeting_live(&quoted.dora, 60 * MS_PER_DAY);
    meeting_live(&quoted.vouched.bruno, 60 * MS_PER_DAY);
    meeting_live(&quoted.vouched.chie, 60 * MS_PER_DAY);
    meeting_tick(&quoted.vouched.bruno);
    quote_round(&quoted);
    meeting_live(&quoted.dora, 60 * MS_PER_DAY);
    assert_int_equal(vouched_seen(&quoted.dora, &quoted.vouched.bruno), 1);
    meeting_live(&quoted.dora, 31 * MS_PER_DAY);
    assert_int_equal(vouched_seen(&quoted.dora, &quoted.vouched.bruno), 0);
    quote_free(&quoted);
}

/* One device stops quoting while another, which has not heard, quotes something new: once both
 * have heard, nothing is quoted. */
static void quote_is_given_up_by_all_devices(void **state)
{
    struct quoted quoted;
    struct member lap;

    (void)state;
    quote_new(&quoted);
    vouched_endorse(&quoted.vouched, "network");
    quote_round(&quoted);
    quote_turn_on(&quoted.vouched.chie, "network.quote", "Bruno");
    quote_round(&quoted);
    member_twin(&lap, &quoted.vouched.chie, 9);
    quote_turn_on(&quoted.vouched.chie, "network.unquote", "Bruno");
    vouched_decide(&quoted.vouched.bruno, "endorsement.accept", "network");
    (void)meeting_carry_one_way(&lap, &quoted.vouched.bruno);
    for (int round = 0; round < 3; round++) {
        (void)meeting_carry_one_way(&quoted.vouched.chie, &lap);
        (void)meeting_carry_one_way(&lap, &quoted.vouched.chie);
    }
    quote_round(&quoted);
    (void)meeting_carry_one_way(&quoted.dora, &lap);
    assert_int_equal(vouched_seen(&quoted.dora, &quoted.vouched.bruno), 0);
    /* And the other way: on at one is on at both. */
    quote_turn_on(&lap, "network.quote", "Bruno");
    (void)meeting_carry_one_way(&quoted.vouched.chie, &lap);
    vouched_decide(&quoted.vouched.bruno, "endorsement.hide", NULL);
    (void)meeting_carry_one_way(&quoted.vouched.chie, &quoted.vouched.bruno);
    vouched_decide(&quoted.vouched.bruno, "endorsement.publish", "network");
    quote_round(&quoted);
    assert_int_equal(vouched_seen(&quoted.dora, &quoted.vouched.bruno), 1);
    member_free(&lap);
    quote_free(&quoted);
}

/* One of so many people of whom nobody has heard endorses Bruno, and he shows it. */
static void quote_show_one(struct ledger_txn *txn, struct member *bruno, const struct id *card,
                           struct span identity, uint32_t number)
{
    uint8_t seed[SEED_SIZE] = {9};
    struct endorsement record = {.subject = bruno->secrets.member,
                                 .relation = RELATION_CLIENT,
                                 .about = {span_str("boats")},
                                 .about_count = 1,
                                 .words = span_str("Built our boat, on time and true."),
                                 .issued_s = bruno->now_ms / 1000 + number,
                                 .expires_s = bruno->now_ms / 1000 + 700 * 86400,
                                 .ceiling = AUDIENCE_NETWORK,
                                 .name = span_str("Somebody")};
    struct show show = {.audience = AUDIENCE_NETWORK, .made_s = bruno->now_ms / 1000};
    struct buf statement = {0}, shown = {0};
    struct signing_key root;
    struct amend amend;
    struct id object;

    be32_put(seed + 1, number);
    identity_signing_key(seed, &root);
    record.issuer = root.public_key;
    endorsement_draw_id(&bruno->entropy, bruno->now_ms, &record.id);
    assert_int_equal(endorsement_issue(&record, &root, &statement), ERR_OK);
    statement_hash(buf_span(&statement), &show.endorsement);
    statement_id(buf_span(&statement), &object);
    show.until_s = show.made_s + SHOW_DAYS_MAX * 86400;
    assert_int_equal(show_issue(&show, identity, ledger_signing_key(bruno->ledger), &shown),
                     ERR_OK);
    amend_begin(&amend, txn, card, KIND_ENDORSEMENT, &object);
    amend_bytes(&amend, ENDORSEMENT_STATEMENT, buf_span(&statement));
    amend_bytes(&amend, ENDORSEMENT_SHOW, buf_span(&shown));
    assert_int_equal(amend_end_behind(&amend, NULL), ERR_OK);
    buf_release(&statement);
    buf_release(&shown);
}

static void quote_show_many(struct member *bruno, uint32_t from, uint32_t count)
{
    struct id card = member_card_space(bruno);
    struct ledger_txn *txn = member_begin(bruno);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct buf identity = {0};

    assert_int_equal(view_identity(&snapshot, &identity), ERR_OK);
    for (uint32_t at = 0; at < count; at++)
        quote_show_one(txn, bruno, &card, buf_span(&identity), from + at);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    meeting_tick(bruno);
    buf_release(&identity);
}

/* PROTOCOL QUOTE-3: "A network space has at most QUOTES_MAX endorsements, of QUOTES_SIZE_MAX bytes
 * with their shows; its writer adds none beyond that." */
static void quote_ends_at_its_cap(void **state)
{
    struct quoted quoted;
    uint64_t count, bytes;

    (void)state;
    quote_new(&quoted);
    for (uint32_t at = 0; at < QUOTES_MAX + 250; at += 250)
        quote_show_many(&quoted.vouched.bruno, at, 250);
    quote_round(&quoted);
    quote_turn_on(&quoted.vouched.chie, "network.quote", "Bruno");
    for (int round = 0; round < 8; round++)
        meeting_tick(&quoted.vouched.chie);
    quote_count(&quoted.vouched.chie, &count, &bytes);
    assert_true(count <= QUOTES_MAX && bytes <= QUOTES_SIZE_MAX);
    assert_true(count == QUOTES_MAX ||
                bytes + ENDORSEMENT_SIZE_MAX + SHOW_SIZE_MAX > QUOTES_SIZE_MAX);
    quote_round(&quoted);
    assert_int_equal(vouched_seen(&quoted.dora, &quoted.vouched.bruno), ENDORSEMENTS_SHOWN_MAX);
    quote_free(&quoted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quote_is_for_the_peers_that_were_chosen),
        cmocka_unit_test(quote_lives_by_the_shows_that_are_renewed),
        cmocka_unit_test(quote_is_given_up_by_all_devices),
        cmocka_unit_test(quote_ends_at_its_cap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
