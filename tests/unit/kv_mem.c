/* The simulator's disk: what it can lose, copy and refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/kv_mem.h"

static struct kv_mem *disk_new(unsigned history_max)
{
    struct kv_mem_options options = {.tables_count = 2, .history_max = history_max};
    struct kv_mem *mem = NULL;

    assert_int_equal(kv_mem_new(&options, &mem), ERR_OK);
    return mem;
}

static struct kv *disk_open(struct kv_mem *mem)
{
    struct kv *kv = NULL;

    assert_int_equal(kv_mem_open(mem, &kv), ERR_OK);
    return kv;
}

/* Commits number under one key; the first error, wherever it came. */
static enum err disk_set(struct kv *kv, uint8_t number)
{
    struct kv_txn *txn;
    enum err err = kv_begin(kv, KV_WRITE, &txn);

    if (err != ERR_OK)
        return err;
    err = kv_put(txn, 0, span_str("number"), span_of(&number, 1));
    if (err == ERR_OK)
        return kv_commit(txn);
    kv_abort(txn);
    return err;
}

/* 0: nothing there. */
static uint8_t disk_number(struct kv *kv)
{
    struct kv_txn *txn;
    struct span value;
    uint8_t number = 0;

    assert_int_equal(kv_begin(kv, KV_READ, &txn), ERR_OK);
    if (kv_get(txn, 0, span_str("number"), &value) == ERR_OK)
        number = value.data[0];
    kv_abort(txn);
    return number;
}

static void a_disk_is_opened_once_and_outlives_the_store(void **state)
{
    struct kv_mem *mem = disk_new(0);
    struct kv *kv = disk_open(mem), *second = NULL;

    (void)state;
    assert_int_equal(kv_mem_open(mem, &second), ERR_BUSY);
    assert_int_equal(disk_set(kv, 7), ERR_OK);
    kv_close(kv);
    kv = disk_open(mem);
    assert_int_equal(disk_number(kv), 7);
    kv_close(kv);
    kv_mem_free(mem);
    kv_mem_free(NULL);
}

/* 5 commits, room for 3 in the history: (wanted, lost, what is left). */
static void a_crash_loses_the_last_commits_as_far_as_history_goes(void **state)
{
    static const struct {
        unsigned wanted, lost;
        uint8_t left;
    } cases[] = {{0, 0, 5}, {1, 1, 4}, {2, 2, 3}, {3, 3, 2}, {4, 3, 2}, {99, 3, 2}};

    (void)state;
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        struct kv_mem *mem = disk_new(3);
        struct kv *kv = disk_open(mem);

        for (uint8_t number = 1; number <= 5; number++)
            assert_int_equal(disk_set(kv, number), ERR_OK);
        assert_int_equal(kv_mem_commits_count(mem), 5);
        assert_int_equal(kv_mem_crash(mem, cases[index].wanted), cases[index].lost);
        assert_int_equal(kv_mem_commits_count(mem), 5 - cases[index].lost);
        kv = disk_open(mem);
        assert_int_equal(disk_number(kv), cases[index].left);
        assert_int_equal(disk_set(kv, 9), ERR_OK);
        assert_int_equal(disk_number(kv), 9);
        kv_close(kv);
        kv_mem_free(mem);
    }
}

static void a_crash_ends_whatever_is_open(void **state)
{
    struct kv_mem *mem = disk_new(0);
    struct kv *kv = disk_open(mem);
    struct kv_txn *reader, *writer;
    struct kv_cursor *cursors[2];

    (void)state;
    assert_int_equal(disk_set(kv, 1), ERR_OK);
    assert_int_equal(kv_begin(kv, KV_READ, &reader), ERR_OK);
    assert_int_equal(kv_begin(kv, KV_WRITE, &writer), ERR_OK);
    assert_int_equal(kv_cursor_open(reader, 0, &cursors[0]), ERR_OK);
    assert_int_equal(kv_cursor_open(writer, 1, &cursors[1]), ERR_OK);
    assert_int_equal(kv_put(writer, 0, span_str("number"), span_str("x")), ERR_OK);
    assert_int_equal(kv_mem_crash(mem, 0), 0);
    assert_int_equal(kv_mem_crash(mem, 0), 0);
    kv = disk_open(mem);
    assert_int_equal(disk_number(kv), 1);
    assert_int_equal(disk_set(kv, 2), ERR_OK);
    kv_close(kv);
    kv_mem_free(mem);
}

static void a_clone_goes_its_own_way_and_restore_takes_it_back(void **state)
{
    struct kv_mem *mem = disk_new(4), *backup = NULL;
    struct kv *kv = disk_open(mem), *copy;

    (void)state;
    assert_int_equal(disk_set(kv, 1), ERR_OK);
    assert_int_equal(disk_set(kv, 2), ERR_OK);
    assert_int_equal(kv_mem_clone(mem, &backup), ERR_OK);
    assert_int_equal(disk_set(kv, 3), ERR_OK);
    copy = disk_open(backup);
    assert_int_equal(disk_number(copy), 2);
    assert_int_equal(disk_set(copy, 20), ERR_OK);
    assert_int_equal(disk_number(kv), 3);
    kv_close(copy);
    assert_int_equal(kv_mem_crash(backup, 2), 2);
    kv_mem_restore(mem, backup);
    kv = disk_open(mem);
    assert_int_equal(disk_number(kv), 1);
    assert_int_equal(kv_mem_commits_count(mem), 1);
    kv_mem_restore(mem, mem);
    kv_mem_free(backup);
    kv = disk_open(mem);
    assert_int_equal(disk_number(kv), 1);
    kv_close(kv);
    kv_mem_free(mem);
}

/* Every operation of one round fails once, by its number, and the round after it succeeds. */
static void each_operation_can_be_made_to_fail(void **state)
{
    struct kv_mem *mem = disk_new(0);
    struct kv *kv = disk_open(mem);
    unsigned failed = 0;
    uint64_t operations;

    (void)state;
    for (uint64_t at = 1;; at++) {
        enum err err;

        assert_int_equal(disk_set(kv, 1), ERR_OK);
        operations = kv_mem_operations_count(mem);
        kv_mem_fail(mem, (struct kv_mem_failure){.at = at, .err = ERR_FULL});
        err = disk_set(kv, 2);
        kv_mem_fail(mem, (struct kv_mem_failure){0});
        if (err == ERR_OK)
            break;
        assert_int_equal(err, ERR_FULL);
        assert_int_equal(disk_number(kv), 1);
        failed++;
    }
    assert_int_equal(failed, 3); /* begin, put, commit */
    assert_int_equal(kv_mem_failures_count(mem), failed);
    assert_int_equal(kv_mem_operations_count(mem), operations + 3);
    kv_close(kv);
    kv_mem_free(mem);
}

static void a_sticky_failure_stays_until_it_is_taken_back_or_a_crash(void **state)
{
    struct kv_mem *mem = disk_new(0);
    struct kv *kv = disk_open(mem);
    struct kv_usage usage;

    (void)state;
    for (unsigned is_crash = 0; is_crash < 2; is_crash++) {
        kv_mem_fail(mem, (struct kv_mem_failure){.at = 2, .err = ERR_NOMEM, .is_sticky = true});
        assert_int_equal(kv_usage(kv, &usage), ERR_OK);
        for (unsigned round = 0; round < 5; round++)
            assert_int_equal(disk_set(kv, 1), ERR_NOMEM);
        if (is_crash) {
            assert_int_equal(kv_mem_crash(mem, 0), 0);
            kv = disk_open(mem);
        } else {
            kv_mem_fail(mem, (struct kv_mem_failure){0});
        }
        assert_int_equal(disk_set(kv, 1), ERR_OK);
    }
    kv_close(kv);
    kv_mem_free(mem);
}

/* Rule L18, as in kv_lmdb: reading goes on, writing waits for the next opening. */
static void a_failed_sync_poisons_the_store(void **state)
{
    struct kv_mem *mem = disk_new(0);
    struct kv *kv = disk_open(mem);

    (void)state;
    assert_int_equal(disk_set(kv, 1), ERR_OK);
    kv_mem_fail(mem, (struct kv_mem_failure){.at = 3, .err = ERR_IO});
    assert_int_equal(disk_set(kv, 2), ERR_IO);
    assert_int_equal(disk_set(kv, 2), ERR_IO);
    assert_int_equal(disk_number(kv), 1);
    kv_close(kv);
    kv = disk_open(mem);
    assert_int_equal(disk_set(kv, 2), ERR_OK);
    kv_close(kv);
    kv_mem_free(mem);
}

struct told {
    struct kv_mem *mem;
    char order[16]; /* - before, + after */
    size_t count;
    struct kv_mem *before; /* as it was before the first */
};

static void on_commit(void *self, bool is_durable)
{
    struct told *told = self;

    if (told->count == 0)
        assert_int_equal(kv_mem_clone(told->mem, &told->before), ERR_OK);
    told->order[told->count++] = is_durable ? '+' : '-';
}

/* What the watcher may clone is what a power cut would leave. */
static void a_watcher_is_told_of_each_commit_before_and_after(void **state)
{
    struct kv_mem *mem = disk_new(4);
    struct told told = {.mem = mem};
    struct kv *kv = disk_open(mem);

    (void)state;
    assert_int_equal(disk_set(kv, 1), ERR_OK);
    kv_mem_watch(mem, on_commit, &told);
    assert_int_equal(disk_set(kv, 2), ERR_OK);
    assert_int_equal(disk_number(kv), 2);
    kv_mem_fail(mem, (struct kv_mem_failure){.at = 3, .err = ERR_NOMEM});
    assert_int_equal(disk_set(kv, 3), ERR_NOMEM);
    kv_mem_watch(mem, NULL, NULL);
    assert_int_equal(disk_set(kv, 4), ERR_OK);
    assert_string_equal(told.order, "-+-");
    kv_close(kv);
    kv_mem_restore(mem, told.before);
    kv = disk_open(mem);
    assert_int_equal(disk_number(kv), 1);
    kv_close(kv);
    kv_mem_free(told.before);
    kv_mem_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_is_opened_once_and_outlives_the_store),
        cmocka_unit_test(a_crash_loses_the_last_commits_as_far_as_history_goes),
        cmocka_unit_test(a_crash_ends_whatever_is_open),
        cmocka_unit_test(a_clone_goes_its_own_way_and_restore_takes_it_back),
        cmocka_unit_test(each_operation_can_be_made_to_fail),
        cmocka_unit_test(a_sticky_failure_stays_until_it_is_taken_back_or_a_crash),
        cmocka_unit_test(a_failed_sync_poisons_the_store),
        cmocka_unit_test(a_watcher_is_told_of_each_commit_before_and_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
