/* Rounds and stages come to the same, whole, broken off, or with others writing in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/amend.h"
#include "node/clock.h"
#include "node/writer.h"
#include "node/writer_round.h"
#include "proto/contact.h"
#include "proto/statement.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/round.h"
#include "storage/row.h"
#include "storage/view_endorsement.h"
#include "storage/view_search.h"
#include "tests/sim/member.h"

enum { EDITS = 5000, CONTACTS = 700 }; /* more than two chunks, and than one transaction holds */

static void round_name(size_t at, char out[static 64])
{
    static const char *const words[] = {"ana", "bruno", "chen", "dora", "emre", "fatou", "goran"};

    (void)snprintf(out, 64, "%s %s %zu", words[at % 7], words[at / 7 % 7], at % 97);
}

static void round_add(struct ledger_txn *txn, size_t at)
{
    struct edit_space edit = {0};
    struct id object = {{1, 2, 3}}, dot = {{9}};
    char name[64];

    round_name(at, name);
    be32_put(object.bytes + 4, (uint32_t)(at * 7919 % CONTACTS));
    be32_put(dot.bytes + 4, (uint32_t)at);
    edit_begin(&edit, KIND_CONTACT, &object, UINT64_C(1700000000000) + at % 13);
    edit_set(&edit, CONTACT_NAME, 1 + at % 5, member_text(name));
    if (at % 3 == 0)
        edit_set(&edit, CONTACT_NOTE, 1 + at / 100, member_text(name + 2));
    if (at % 4 == 0)
        edit_add(&edit, CONTACT_TAGS, &dot, member_text(name));
    assert_int_equal(ledger_append(txn, ledger_self_space(txn->ledger), &edit, 0), ERR_OK);
    edit_release(&edit);
}

static void round_fill(struct member *member, size_t from, size_t until)
{
    struct ledger_txn *txn = member_begin(member);

    for (size_t at = from; at < until; at++)
        round_add(txn, at);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void round_forget_views(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(check_forget_views(txn), ERR_OK);
    assert_int_equal(ledger_commit_stage(txn), ERR_OK);
}

static void round_stages(struct member *member)
{
    for (bool is_more = true; is_more;)
        assert_int_equal(follow_stage(member->ledger, 1000, &is_more), ERR_OK);
}

static enum err round_on_object(void *self, uint32_t number, const struct object *object)
{
    (void)number;
    member_put_meaning(object, self);
    return ERR_OK;
}

/* What all contacts mean, in the order of their ids; and nothing in the store disagrees. */
static void round_meaning(struct member *member, struct buf *out)
{
    struct snapshot snapshot = member_snapshot(member);
    struct check_report report;

    buf_clear(out);
    assert_false(follow_is_behind(member->ledger));
    assert_int_equal(
        row_each(&snapshot, ledger_self_space(member->ledger), KIND_CONTACT, round_on_object, out),
        ERR_OK);
    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    assert_string_equal(report.first, "");
    assert_int_equal(view_search_check(&snapshot), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(buf_err(out), ERR_OK);
}

static void round_assert_equal(const struct buf *left, const struct buf *right)
{
    assert_true(left->size > 10000);
    assert_int_equal(left->size, right->size);
    assert_memory_equal(left->data, right->data, left->size);
}

static void a_round_comes_to_what_stages_come_to(void **state)
{
    struct buf staged = {0}, rounded = {0};
    struct member member;

    (void)state;
    member_new(&member, 1, false);
    round_fill(&member, 0, EDITS);
    round_stages(&member);
    round_meaning(&member, &staged);
    round_forget_views(&member);
    assert_true(round_is_due(member.ledger));
    assert_int_equal(round_run(member.ledger), ERR_OK);
    assert_false(round_is_due(member.ledger));
    round_meaning(&member, &rounded);
    round_assert_equal(&staged, &rounded);
    buf_release(&staged);
    buf_release(&rounded);
    member_free(&member);
}

/* Words of Ana's about Bruno into the pair space; the last byte of forged ones is another. */
static void round_endorse(struct ledger_txn *txn, struct member *ana, const struct member *bruno,
                          const struct id *pair, size_t at, bool is_forged)
{
    struct endorsement endorsement = {.subject = bruno->secrets.member,
                                      .relation = RELATION_CLIENT,
                                      .about = {span_str("stairs")},
                                      .about_count = 1,
                                      .words = span_str("Built our stairs, on time and true."),
                                      .issued_s = ana->now_ms / 1000 + at,
                                      .expires_s = ana->now_ms / 1000 + 86400 * 700,
                                      .ceiling = AUDIENCE_PEERS,
                                      .name = span_str("Ana")};
    struct buf statement = {0};
    struct signing_key root;
    struct amend amend;
    struct id object;

    identity_signing_key(ana->secrets.root_seed, &root);
    endorsement.issuer = root.public_key;
    endorsement_draw_id(&ana->entropy, ana->now_ms, &endorsement.id);
    assert_int_equal(endorsement_issue(&endorsement, &root, &statement), ERR_OK);
    statement.data[statement.size - 1] ^= is_forged ? 1 : 0;
    statement_id(buf_span(&statement), &object);
    amend_begin(&amend, txn, pair, KIND_ENDORSEMENT, &object);
    amend_bytes(&amend, ENDORSEMENT_STATEMENT, buf_span(&statement));
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    buf_release(&statement);
}

/* On two threads, as the writer does it, with others' commits in between. */
static void round_together(struct member *member)
{
    struct writer_round *round;
    bool is_over = false;

    assert_int_equal(writer_round_start(member->ledger, &round), ERR_OK);
    for (int step = 0; !is_over; step++) {
        assert_int_equal(writer_round_step(round, &is_over), ERR_OK);
        if (step % 3 == 1 && !is_over) {
            assert_int_equal(writer_round_rest(round), ERR_OK);
            round_fill(member, (size_t)step, (size_t)step + 1);
        }
    }
    writer_round_free(round);
    round_stages(member);
}

/* P7: signatures are checked ahead of the writer; what does not hold is not shown for that. */
static void a_round_shows_no_words_that_nobody_signed(void **state)
{
    enum { FORGED = 1100, TRUE_ONES = 2 };
    struct endorsement_counts counts;
    struct member ana, bruno;
    struct snapshot snapshot;
    struct ledger_txn *txn;
    struct peer peer;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, true);
    member_link(&ana, &bruno);
    snapshot = member_snapshot(&ana);
    assert_int_equal(view_peer(&snapshot, &bruno.secrets.member, &peer), ERR_OK);
    ledger_snapshot_end(&snapshot);
    txn = member_begin(&ana);
    for (size_t at = 0; at < FORGED + TRUE_ONES; at++)
        round_endorse(txn, &ana, &bruno, &peer.pair_out, at, at < FORGED);
    assert_int_equal(ledger_commit_stage(txn), ERR_OK);
    assert_true(member_pull(&bruno, &ana, NULL) > FORGED);
    round_fill(&bruno, 0, 1500);
    for (int threads = 1; threads <= 2; threads++) {
        round_forget_views(&bruno);
        assert_true(round_is_due(bruno.ledger));
        if (threads == 1)
            assert_int_equal(round_run(bruno.ledger), ERR_OK);
        else
            round_together(&bruno);
        assert_false(follow_is_behind(bruno.ledger));
        snapshot = member_snapshot(&bruno);
        assert_int_equal(view_endorsement_count(&snapshot, bruno.now_ms, &counts), ERR_OK);
        ledger_snapshot_end(&snapshot);
        assert_int_equal(counts.pending, TRUE_ONES);
    }
    member_free(&ana);
    member_free(&bruno);
}

struct round_parts {
    struct round *round;
    struct round_reader *reader;
    struct round_chunk *chunk;
    size_t at;
};

static void round_part_begin(struct member *member, struct round_parts *parts)
{
    *parts = (struct round_parts){0};
    assert_int_equal(round_begin(member->ledger, &parts->round), ERR_OK);
    assert_int_equal(round_reader_new(&parts->reader), ERR_OK);
    assert_int_equal(round_chunk_new(&parts->chunk), ERR_OK);
    assert_int_equal(round_look(parts->round, parts->reader, 0, round_count(parts->round)), ERR_OK);
    assert_int_equal(round_merge_unsorted(parts->round, 0, round_count(parts->round)), ERR_OK);
    parts->at = round_sort(parts->round);
}

static void round_part_step(struct round_parts *parts)
{
    assert_int_equal(round_open(parts->round, parts->reader, parts->at, parts->chunk, &parts->at),
                     ERR_OK);
    assert_int_equal(round_merge(parts->round, parts->chunk), ERR_OK);
}

static void round_part_free(struct round_parts *parts)
{
    round_free(parts->round);
    round_reader_free(parts->reader);
    round_chunk_free(parts->chunk);
}

/* So many edits, and a part of them merged. */
static void round_half(struct member *member, size_t edits, struct round_parts *parts)
{
    member_new(member, 1, false);
    round_fill(member, 0, edits);
    round_part_begin(member, parts);
    round_part_step(parts);
    assert_int_equal(round_rest(parts->round), ERR_OK);
}

static void a_round_broken_off_loses_nothing_and_others_may_write_meanwhile(void **state)
{
    struct buf staged = {0}, rounded = {0};
    struct round_parts parts;
    struct member member;

    (void)state;
    round_half(&member, EDITS, &parts);
    round_fill(&member, EDITS, EDITS + 10);
    round_part_step(&parts); /* Not committed: taken back. */
    round_part_free(&parts);
    member_close(&member);
    member_open(&member);
    assert_true(round_is_due(member.ledger));
    round_part_begin(&member, &parts);
    while (parts.at < round_count(parts.round))
        round_part_step(&parts);
    assert_int_equal(round_end(parts.round), ERR_OK);
    round_part_free(&parts);
    round_meaning(&member, &rounded);
    round_forget_views(&member);
    round_stages(&member);
    round_meaning(&member, &staged);
    round_assert_equal(&staged, &rounded);
    buf_release(&staged);
    buf_release(&rounded);
    member_free(&member);
}

static void a_round_is_void_when_views_are_made_anew(void **state)
{
    struct round_parts parts;
    struct member member;
    size_t until;

    (void)state;
    round_half(&member, 2000, &parts);
    round_forget_views(&member);
    assert_int_equal(round_open(parts.round, parts.reader, 0, parts.chunk, &until), ERR_OK);
    assert_int_equal(round_merge(parts.round, parts.chunk), ERR_STATE);
    round_part_free(&parts);
    member_free(&member);
}

/* What it has merged is not among what the others make the space of. */
static void a_round_is_void_when_a_space_is_made_anew_meanwhile(void **state)
{
    struct buf staged = {0}, rounded = {0};
    struct round_parts parts;
    struct ledger_txn *txn;
    struct snapshot snapshot;
    struct space_row space;
    struct member member;

    (void)state;
    round_half(&member, EDITS, &parts);
    txn = member_begin(&member);
    snapshot = ledger_txn_snapshot(txn);
    assert_int_equal(ledger_space(&snapshot, ledger_self_space(member.ledger), &space), ERR_OK);
    assert_int_equal(follow_space_again(txn, space.number), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(round_open(parts.round, parts.reader, parts.at, parts.chunk, &parts.at),
                     ERR_OK);
    assert_int_equal(round_merge(parts.round, parts.chunk), ERR_STATE);
    round_part_free(&parts);
    assert_int_equal(round_run(member.ledger), ERR_OK);
    round_meaning(&member, &rounded);
    round_forget_views(&member);
    round_stages(&member);
    round_meaning(&member, &staged);
    round_assert_equal(&staged, &rounded);
    buf_release(&staged);
    buf_release(&rounded);
    member_free(&member);
}

/* The writer thread, its helper, and jobs between their steps. */

struct round_job {
    struct writer_job base;
    size_t from;
};

static enum err round_job_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct round_job *job = (struct round_job *)(void *)base;

    for (size_t at = job->from; at < job->from + 100; at++)
        round_add(txn, at);
    return ERR_OK;
}

static void round_job_wake(void *self)
{
    (void)self;
}

static void the_writer_catches_up_while_others_write(void **state)
{
    static const struct writer_pace at_once = {0};
    struct round_job jobs[20] = {{.from = 0}};
    struct buf staged = {0}, rounded = {0};
    struct writer *writer;
    struct member member;

    (void)state;
    member_new(&member, 1, true);
    round_fill(&member, 0, EDITS);
    assert_int_equal(writer_start(member.ledger, &at_once, round_job_wake, NULL, &writer), ERR_OK);
    for (size_t at = 0; at < 20; at++) {
        jobs[at].base.run = round_job_run;
        jobs[at].from = EDITS + at * 100;
        writer_push(writer, &jobs[at].base);
        clock_sleep_ms(at % 4); /* In the middle of a step, or not. */
    }
    for (int at = 0; at < 12000 && writer_is_busy(writer); at++) {
        (void)writer_done(writer);
        clock_sleep_ms(10);
    }
    (void)writer_done(writer);
    assert_false(writer_is_busy(writer));
    writer_stop(writer);
    writer_free(writer);
    round_meaning(&member, &rounded);
    round_forget_views(&member);
    round_stages(&member);
    round_meaning(&member, &staged);
    round_assert_equal(&staged, &rounded);
    buf_release(&staged);
    buf_release(&rounded);
    member_free(&member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_comes_to_what_stages_come_to),
        cmocka_unit_test(a_round_shows_no_words_that_nobody_signed),
        cmocka_unit_test(a_round_broken_off_loses_nothing_and_others_may_write_meanwhile),
        cmocka_unit_test(a_round_is_void_when_views_are_made_anew),
        cmocka_unit_test(a_round_is_void_when_a_space_is_made_anew_meanwhile),
        cmocka_unit_test(the_writer_catches_up_while_others_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
