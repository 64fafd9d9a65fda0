/* What must see all that is there, where much of it is still to be merged: no transaction merges
 * more than FOLLOW_AT_ONCE_MAX of it, and nothing overtakes whoever waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/clock.h"
#include "node/writer.h"
#include "proto/contact.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/space.h"
#include "tests/sim/member.h"

enum { BEHIND_STEP = 5000, BEHIND_JOBS = 3 };

/* Two that write a line, and between them one that opens an epoch for whoever reads today. */
struct behind_job {
    struct writer_job base;
    struct behind *all;
    bool is_rotating;
    size_t runs;
    size_t place; /* which of them it was to succeed, from 1 */
};

struct behind {
    struct member member;
    struct id contact;
    uint64_t counter;
    struct behind_job jobs[BEHIND_JOBS];
    size_t succeeded;
    uint64_t merged_most; /* in one run of a job */
};

static enum err behind_write(struct behind *all, struct ledger_txn *txn)
{
    struct edit_space edit = {0};
    enum err err;

    edit_begin(&edit, KIND_CONTACT, &all->contact, all->member.now_ms);
    edit_set(&edit, CONTACT_NOTE, ++all->counter, member_text("a note"));
    err = ledger_append(txn, ledger_self_space(txn->ledger), &edit, 0);
    edit_release(&edit);
    return err;
}

/* One more than is merged at once. */
static void behind_new(struct behind *all)
{
    memset(all, 0, sizeof *all);
    member_new(&all->member, 1, true);
    assert_int_equal(member_add_contact(&all->member, "Filler", NULL, &all->contact), ERR_OK);
    for (size_t left = FOLLOW_AT_ONCE_MAX + 1; left > 0;) {
        struct ledger_txn *txn = member_begin(&all->member);
        size_t some = left < BEHIND_STEP ? left : BEHIND_STEP;

        for (size_t at = 0; at < some; at++)
            assert_int_equal(behind_write(all, txn), ERR_OK);
        assert_int_equal(ledger_commit_stage(txn), ERR_OK);
        left -= some;
    }
}

static enum err behind_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct behind_job *job = (struct behind_job *)(void *)base;
    uint64_t before = txn->counters.followed;
    enum err err =
        job->is_rotating ? space_rotate_own(txn, SPACE_CARD) : behind_write(job->all, txn);

    job->runs++;
    if (txn->counters.followed - before > job->all->merged_most)
        job->all->merged_most = txn->counters.followed - before;
    if (err == ERR_OK)
        job->place = ++job->all->succeeded;
    return err;
}

static void behind_fill(struct behind *all)
{
    for (size_t at = 0; at < BEHIND_JOBS; at++)
        all->jobs[at] = (struct behind_job){
            .base.run = behind_run, .all = all, .is_rotating = at == BEHIND_JOBS / 2};
}

static void all_is_merged_where_it_is_little(void **state)
{
    struct behind all;
    struct ledger_txn *txn;
    uint64_t before;
    bool is_more;

    (void)state;
    behind_new(&all);
    txn = member_begin(&all.member);
    before = txn->counters.followed;
    assert_int_equal(behind_write(&all, txn), ERR_OK);
    assert_int_equal(follow_all(txn), ERR_BEHIND);
    assert_int_equal(txn->counters.followed, before);
    ledger_abort(txn);
    assert_int_equal(follow_stage(all.member.ledger, 1, &is_more), ERR_OK);
    txn = member_begin(&all.member);
    assert_int_equal(behind_write(&all, txn), ERR_OK); /* Its own do not count. */
    assert_int_equal(follow_all(txn), ERR_OK);
    assert_int_equal(txn->counters.followed, txn->counters.arrival);
    ledger_abort(txn);
    member_free(&all.member);
}

static void nothing_overtakes_whoever_waits(void **state)
{
    struct group_queue queue = {0};
    struct writer_job *first, *behind;
    struct behind all;

    (void)state;
    behind_new(&all);
    behind_fill(&all);
    for (size_t at = 0; at < BEHIND_JOBS; at++)
        group_add(&queue, &all.jobs[at].base);
    first = group_take(&queue);
    group_run(all.member.ledger, first, all.member.now_ms);
    behind = group_part_behind(&first);
    assert_ptr_equal(first, &all.jobs[0].base);
    assert_null(first->next);
    assert_int_equal(first->err, ERR_OK);
    assert_ptr_equal(behind, &all.jobs[1].base);
    assert_ptr_equal(behind->next, &all.jobs[2].base);
    group_add(&queue, first);
    group_put_back(&queue, behind);
    assert_ptr_equal(group_take_one(&queue), &all.jobs[1].base);
    assert_ptr_equal(group_take_one(&queue), &all.jobs[2].base);
    assert_ptr_equal(group_take_one(&queue), &all.jobs[0].base);
    /* Who has waited once is told what there is. */
    behind = &all.jobs[1].base;
    behind->next = NULL;
    group_run(all.member.ledger, behind, all.member.now_ms);
    assert_null(group_part_behind(&behind));
    assert_int_equal(behind->err, ERR_BEHIND);
    member_free(&all.member);
}

static void behind_wake(void *self)
{
    (void)self;
}

static void the_writer_merges_first_in_stages(void **state)
{
    static const struct writer_pace never = {.quiet_ms = 3600 * 1000, .longest_ms = 3600 * 1000};
    struct writer *writer;
    struct behind all;
    size_t done = 0;

    (void)state;
    behind_new(&all);
    behind_fill(&all);
    assert_int_equal(writer_start(all.member.ledger, &never, behind_wake, NULL, &writer), ERR_OK);
    for (size_t at = 0; at < BEHIND_JOBS; at++)
        writer_push(writer, &all.jobs[at].base);
    for (int at = 0; at < 6000 && done < BEHIND_JOBS; at++) {
        for (struct writer_job *job = writer_done(writer); job != NULL; job = job->next)
            done++;
        clock_sleep_ms(10);
    }
    writer_stop(writer);
    writer_free(writer);
    assert_int_equal(done, BEHIND_JOBS);
    for (size_t at = 0; at < BEHIND_JOBS; at++) {
        assert_int_equal(all.jobs[at].base.err, ERR_OK);
        assert_in_range(all.jobs[at].runs, 1, 3);
    }
    assert_true(all.jobs[1].runs >= 2);
    assert_true(all.jobs[1].place < all.jobs[2].place);
    assert_in_range(all.merged_most, 0, FOLLOW_AT_ONCE_MAX);
    assert_false(follow_is_behind(all.member.ledger));
    member_free(&all.member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_merged_where_it_is_little),
        cmocka_unit_test(nothing_overtakes_whoever_waits),
        cmocka_unit_test(the_writer_merges_first_in_stages),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
