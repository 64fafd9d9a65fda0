/* What storage/kv.h promises, asked of both answers. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/contract/kv_answer.h"

static uint8_t kv_bytes[KV_VALUE_SIZE_MAX + 1];

static struct kv_txn *test_begin(struct answer *answer, enum kv_mode mode)
{
    struct kv_txn *txn = NULL;

    assert_int_equal(kv_begin(answer->kv, mode, &txn), ERR_OK);
    return txn;
}

static void test_put(struct kv_txn *txn, unsigned table, const char *key, const char *value)
{
    assert_int_equal(kv_put(txn, table, span_str(key), span_str(value)), ERR_OK);
}

static void test_commit_one(struct answer *answer, const char *key, const char *value)
{
    struct kv_txn *txn = test_begin(answer, KV_WRITE);

    test_put(txn, 0, key, value);
    assert_int_equal(kv_commit(txn), ERR_OK);
}

/* NULL: not there. */
static void test_get(struct kv_txn *txn, unsigned table, const char *key, const char *expected)
{
    struct span value = span_str("untouched");
    enum err err = kv_get(txn, table, span_str(key), &value);

    assert_int_equal(err, expected == NULL ? ERR_NOT_FOUND : ERR_OK);
    if (expected == NULL)
        expected = "untouched";
    assert_int_equal(value.size, strlen(expected));
    assert_memory_equal(value.data, expected, value.size);
}

static void test_get_fresh(struct answer *answer, const char *key, const char *expected)
{
    struct kv_txn *txn = test_begin(answer, KV_READ);

    test_get(txn, 0, key, expected);
    kv_abort(txn);
}

static void an_empty_store_has_nothing(void **state)
{
    struct kv_txn *txn = test_begin(*state, KV_READ);
    struct kv_cursor *cursor;
    uint64_t count = 9;

    for (unsigned table = 0; table < ANSWER_TABLES; table++) {
        test_get(txn, table, "key", NULL);
        assert_int_equal(kv_count(txn, table, &count), ERR_OK);
        assert_int_equal(count, 0);
        assert_int_equal(kv_cursor_open(txn, table, &cursor), ERR_OK);
        assert_int_equal(kv_cursor_seek(cursor, span_str("")), ERR_NOT_FOUND);
        assert_int_equal(kv_cursor_seek(cursor, span_str("key")), ERR_NOT_FOUND);
        assert_int_equal(kv_cursor_last(cursor), ERR_NOT_FOUND);
        kv_cursor_close(cursor);
    }
    assert_int_equal(kv_commit(txn), ERR_OK);
}

static void what_was_put_is_got_replaced_and_erased(void **state)
{
    struct kv_txn *txn = test_begin(*state, KV_WRITE);

    test_put(txn, 0, "name", "Zoë");
    test_put(txn, 1, "name", "");
    test_get(txn, 0, "name", "Zoë");
    test_get(txn, 1, "name", "");
    test_get(txn, 2, "name", NULL);
    test_put(txn, 0, "name", "somebody else");
    test_get(txn, 0, "name", "somebody else");
    assert_int_equal(kv_erase(txn, 0, span_str("nam")), ERR_NOT_FOUND);
    assert_int_equal(kv_erase(txn, 0, span_str("name")), ERR_OK);
    assert_int_equal(kv_erase(txn, 0, span_str("name")), ERR_NOT_FOUND);
    test_get(txn, 0, "name", NULL);
    test_get(txn, 1, "name", "");
    assert_int_equal(kv_commit(txn), ERR_OK);
}

static void a_commit_outlives_the_store_and_an_abort_leaves_nothing(void **state)
{
    struct answer *answer = *state;
    struct kv_txn *txn;

    test_commit_one(answer, "kept", "yes");
    txn = test_begin(answer, KV_WRITE);
    test_put(txn, 0, "dropped", "yes");
    test_put(txn, 0, "kept", "no");
    kv_abort(txn);
    test_get_fresh(answer, "dropped", NULL);
    answer_close(answer);
    answer_open(answer);
    test_get_fresh(answer, "kept", "yes");
    test_get_fresh(answer, "dropped", NULL);
    kv_abort(NULL);
    kv_close(NULL);
    kv_cursor_close(NULL);
}

/* Keys of 0, 1, 510, 511 and 512 bytes; values of 0, 1 and up to one more than the bound. */
static void sizes_are_bounded(void **state)
{
    static const struct {
        size_t key, value;
        enum err expected;
    } cases[] = {
        {0, 1, ERR_INVALID},
        {1, 0, ERR_OK},
        {1, 1, ERR_OK},
        {KV_KEY_SIZE_MAX - 1, 1, ERR_OK},
        {KV_KEY_SIZE_MAX, 1, ERR_OK},
        {KV_KEY_SIZE_MAX + 1, 1, ERR_INVALID},
        {1, KV_VALUE_SIZE_MAX - 1, ERR_OK},
        {1, KV_VALUE_SIZE_MAX, ERR_OK},
        {1, KV_VALUE_SIZE_MAX + 1, ERR_INVALID},
    };
    unsigned checked = 0;

    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        struct span key = span_of(kv_bytes, cases[index].key);
        struct span value = span_of(kv_bytes, cases[index].value), got;
        struct kv_txn *txn = test_begin(*state, KV_WRITE);
        enum err expected = cases[index].expected;

        assert_int_equal(kv_put(txn, 0, key, value), expected);
        if (expected == ERR_OK) {
            assert_int_equal(kv_get(txn, 0, key, &got), ERR_OK);
            assert_true(span_is_equal(got, value));
        }
        assert_int_equal(kv_commit(txn), expected);
        checked++;
    }
    assert_int_equal(checked, sizeof cases / sizeof cases[0]);
}

static void impossible_keys_are_refused_by_every_verb(void **state)
{
    struct span empty = {0}, large = span_of(kv_bytes, KV_KEY_SIZE_MAX + 1), value;
    struct kv_txn *txn = test_begin(*state, KV_READ);
    struct kv_cursor *cursor;

    assert_int_equal(kv_get(txn, 0, empty, &value), ERR_INVALID);
    assert_int_equal(kv_get(txn, 0, large, &value), ERR_INVALID);
    assert_int_equal(kv_cursor_open(txn, 0, &cursor), ERR_OK);
    assert_int_equal(kv_cursor_seek(cursor, large), ERR_INVALID);
    kv_cursor_close(cursor);
    kv_abort(txn);
    for (unsigned verb = 0; verb < 4; verb++) {
        struct span key = verb & 1 ? large : empty;

        txn = test_begin(*state, KV_WRITE);
        assert_int_equal(verb & 2 ? kv_erase(txn, 0, key) : kv_append(txn, 0, key, empty),
                         ERR_INVALID);
        kv_abort(txn);
    }
}

/* After a failed write only abort is left; commit aborts and repeats the error. */
static void a_failed_write_ends_the_transaction(void **state)
{
    struct answer *answer = *state;
    struct kv_txn *txn;
    struct kv_cursor *cursor;
    struct span value;
    uint64_t count;

    txn = test_begin(answer, KV_WRITE);
    test_put(txn, 0, "before", "x");
    assert_int_equal(kv_cursor_open(txn, 0, &cursor), ERR_OK);
    assert_int_equal(kv_put(txn, 0, (struct span){0}, span_str("x")), ERR_INVALID);
    assert_int_equal(kv_put(txn, 0, span_str("after"), span_str("x")), ERR_INVALID);
    assert_int_equal(kv_append(txn, 0, span_str("after"), span_str("x")), ERR_INVALID);
    assert_int_equal(kv_erase(txn, 0, span_str("before")), ERR_INVALID);
    assert_int_equal(kv_get(txn, 0, span_str("before"), &value), ERR_INVALID);
    assert_int_equal(kv_count(txn, 0, &count), ERR_INVALID);
    assert_int_equal(kv_cursor_seek(cursor, span_str("before")), ERR_INVALID);
    assert_int_equal(kv_cursor_last(cursor), ERR_INVALID);
    kv_cursor_close(cursor);
    assert_int_equal(kv_cursor_open(txn, 0, &cursor), ERR_INVALID);
    assert_int_equal(kv_commit(txn), ERR_INVALID);
    test_get_fresh(answer, "before", NULL);
    test_commit_one(answer, "before", "y");
    test_get_fresh(answer, "before", "y");
}

static void append_takes_only_greater_keys(void **state)
{
    struct answer *answer = *state;
    static const char *const refused[] = {"a", "b", "", "ab"};
    struct kv_txn *txn = test_begin(answer, KV_WRITE);

    test_put(txn, 1, "zzz", "another table does not count");
    assert_int_equal(kv_append(txn, 0, span_str("a"), span_str("1")), ERR_OK);
    assert_int_equal(kv_append(txn, 0, span_str("b"), span_str("2")), ERR_OK);
    assert_int_equal(kv_commit(txn), ERR_OK);
    for (size_t index = 0; index < sizeof refused / sizeof refused[0]; index++) {
        txn = test_begin(answer, KV_WRITE);
        assert_int_equal(kv_append(txn, 0, span_str(refused[index]), span_str("3")), ERR_INVALID);
        kv_abort(txn);
    }
    txn = test_begin(answer, KV_WRITE);
    assert_int_equal(kv_append(txn, 0, span_str("b\x01"), span_str("3")), ERR_OK);
    assert_int_equal(kv_commit(txn), ERR_OK);
    test_get_fresh(answer, "b", "2");
}

/* Unsigned bytes, a prefix first, and never into the next table. */
static void cursors_walk_in_order_both_ways(void **state)
{
    static const char *const sorted[] = {"\x01", "a",    "a\x01", "ab",      "b",
                                         "\x7f", "\x80", "\xff",  "\xff\xff"};
    enum { COUNT = sizeof sorted / sizeof sorted[0] };
    struct kv_txn *txn = test_begin(*state, KV_WRITE);
    struct kv_cursor *cursor;
    struct span key, value;
    uint64_t count;

    test_put(txn, 0, "\xff", "table before");
    test_put(txn, 2, "\x01", "table after");
    for (size_t index = 0; index < COUNT; index++) /* 4 and 9 have no common divisor. */
        test_put(txn, 1, sorted[index * 4 % COUNT], sorted[index * 4 % COUNT]);
    assert_int_equal(kv_count(txn, 1, &count), ERR_OK);
    assert_int_equal(count, COUNT);
    assert_int_equal(kv_cursor_open(txn, 1, &cursor), ERR_OK);
    assert_int_equal(kv_cursor_seek(cursor, (struct span){0}), ERR_OK);
    for (size_t index = 0; index < COUNT; index++) {
        kv_cursor_at(cursor, &key, &value);
        assert_true(span_is_equal(key, span_str(sorted[index])));
        assert_true(span_is_equal(value, key));
        assert_int_equal(kv_cursor_next(cursor), index + 1 < COUNT ? ERR_OK : ERR_NOT_FOUND);
    }
    assert_int_equal(kv_cursor_last(cursor), ERR_OK);
    for (size_t index = COUNT; index-- > 0;) {
        kv_cursor_at(cursor, &key, &value);
        assert_true(span_is_equal(key, span_str(sorted[index])));
        assert_int_equal(kv_cursor_previous(cursor), index > 0 ? ERR_OK : ERR_NOT_FOUND);
    }
    kv_cursor_close(cursor);
    kv_abort(txn);
}

static void seek_finds_the_first_key_not_less(void **state)
{
    static const struct {
        const char *wanted, *found; /* NULL: the end */
    } cases[] = {{"", "b"},  {"a", "b"},   {"b", "b"},   {"b\x01", "d"}, {"c", "d"},
                 {"d", "d"}, {"da", "dd"}, {"dd", "dd"}, {"de", NULL},   {"\xff", NULL}};
    struct kv_txn *txn = test_begin(*state, KV_WRITE);
    struct kv_cursor *cursor;
    struct span key, value;

    test_put(txn, 0, "dd", "");
    test_put(txn, 0, "b", "");
    test_put(txn, 0, "d", "");
    assert_int_equal(kv_commit(txn), ERR_OK);
    txn = test_begin(*state, KV_READ);
    assert_int_equal(kv_cursor_open(txn, 0, &cursor), ERR_OK);
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        const char *found = cases[index].found;
        enum err err = kv_cursor_seek(cursor, span_str(cases[index].wanted));

        assert_int_equal(err, found == NULL ? ERR_NOT_FOUND : ERR_OK);
        if (found == NULL)
            continue;
        kv_cursor_at(cursor, &key, &value);
        assert_true(span_is_equal(key, span_str(found)));
    }
    kv_cursor_close(cursor);
    kv_abort(txn);
}

/* A writing walk: seek again from the last key after each change. */
static void a_table_can_be_emptied_by_a_cursor(void **state)
{
    struct kv_txn *txn = test_begin(*state, KV_WRITE);
    struct kv_cursor *cursor;
    struct span key, value;
    uint8_t name[2], copy[2];
    unsigned erased = 0;
    uint64_t count;

    for (unsigned number = 0; number < 3000; number++) {
        be16_put(name, (uint16_t)(number * 7919 % 3000));
        assert_int_equal(kv_put(txn, 0, span_of(name, 2), span_of(kv_bytes, 40)), ERR_OK);
    }
    assert_int_equal(kv_commit(txn), ERR_OK);
    txn = test_begin(*state, KV_WRITE);
    assert_int_equal(kv_cursor_open(txn, 0, &cursor), ERR_OK);
    while (kv_cursor_seek(cursor, (struct span){0}) == ERR_OK) {
        kv_cursor_at(cursor, &key, &value);
        assert_int_equal(be16(key.data), erased);
        memcpy(copy, key.data, 2);
        assert_int_equal(kv_erase(txn, 0, span_of(copy, 2)), ERR_OK);
        erased++;
    }
    assert_int_equal(erased, 3000);
    assert_int_equal(kv_count(txn, 0, &count), ERR_OK);
    assert_int_equal(count, 0);
    kv_cursor_close(cursor);
    assert_int_equal(kv_commit(txn), ERR_OK);
}

/* A reader keeps the store of its beginning, its values and its cursors, whatever is committed
 * beside it. */
static void readers_see_the_store_of_their_beginning(void **state)
{
    struct answer *answer = *state;
    struct kv_txn *old, *middle, *writer;
    struct kv_cursor *cursor;
    struct span key, value, held;

    test_commit_one(answer, "a", "1");
    old = test_begin(answer, KV_READ);
    assert_int_equal(kv_get(old, 0, span_str("a"), &held), ERR_OK);
    test_commit_one(answer, "a", "2");
    middle = test_begin(answer, KV_READ);
    writer = test_begin(answer, KV_WRITE);
    test_put(writer, 0, "a", "3");
    test_put(writer, 0, "b", "3");
    test_get(old, 0, "a", "1");
    test_get(middle, 0, "a", "2");
    test_get(writer, 0, "a", "3");
    assert_int_equal(kv_commit(writer), ERR_OK);
    for (unsigned round = 0; round < 50; round++)
        test_commit_one(answer, "a", "later");
    assert_memory_equal(held.data, "1", 1);
    test_get(old, 0, "a", "1");
    test_get(old, 0, "b", NULL);
    test_get(middle, 0, "a", "2");
    assert_int_equal(kv_cursor_open(old, 0, &cursor), ERR_OK);
    assert_int_equal(kv_cursor_last(cursor), ERR_OK);
    kv_cursor_at(cursor, &key, &value);
    assert_memory_equal(value.data, "1", 1);
    assert_int_equal(kv_cursor_next(cursor), ERR_NOT_FOUND);
    kv_cursor_close(cursor);
    kv_abort(old);
    assert_int_equal(kv_commit(middle), ERR_OK);
    test_get_fresh(answer, "a", "later");
}

/* What is kept for the next reader must not show it the last one's store. */
static void a_renewed_reader_and_its_cursor_see_the_newest(void **state)
{
    struct answer *answer = *state;
    char text[16];

    for (unsigned round = 0; round < 200; round++) {
        struct kv_cursor *cursor, *second;
        struct kv_txn *txn;
        struct span key, value;

        snprintf(text, sizeof text, "%u", round);
        test_commit_one(answer, "round", text);
        txn = test_begin(answer, KV_READ);
        assert_int_equal(kv_cursor_open(txn, 0, &cursor), ERR_OK);
        assert_int_equal(kv_cursor_open(txn, 0, &second), ERR_OK);
        assert_int_equal(kv_cursor_last(cursor), ERR_OK);
        assert_int_equal(kv_cursor_seek(second, (struct span){0}), ERR_OK);
        kv_cursor_at(cursor, &key, &value);
        assert_true(span_is_equal(value, span_str(text)));
        kv_cursor_at(second, &key, &value);
        assert_true(span_is_equal(value, span_str(text)));
        kv_cursor_close(cursor);
        kv_cursor_close(second);
        kv_abort(txn);
    }
}

static void a_second_writer_is_told_that_it_is_busy(void **state)
{
    struct answer *answer = *state;
    struct kv_txn *first = test_begin(answer, KV_WRITE), *second = NULL;

    assert_int_equal(kv_begin(answer->kv, KV_WRITE, &second), ERR_BUSY);
    assert_null(second);
    test_put(first, 0, "a", "1");
    assert_int_equal(kv_commit(first), ERR_OK);
    test_commit_one(answer, "a", "2");
    first = test_begin(answer, KV_WRITE);
    kv_abort(first);
    first = test_begin(answer, KV_WRITE);
    kv_abort(first);
}

static void usage_grows_with_what_is_stored(void **state)
{
    struct answer *answer = *state;
    struct kv_usage before, after;
    struct kv_txn *txn;
    uint8_t key[4];

    assert_int_equal(kv_usage(answer->kv, &before), ERR_OK);
    txn = test_begin(answer, KV_WRITE);
    for (uint32_t number = 0; number < 1000; number++) {
        be32_put(key, number);
        assert_int_equal(kv_append(txn, 0, span_of(key, 4), span_of(kv_bytes, 1000)), ERR_OK);
    }
    assert_int_equal(kv_commit(txn), ERR_OK);
    assert_int_equal(kv_usage(answer->kv, &after), ERR_OK);
    assert_in_range(after.live_bytes - before.live_bytes, 1000000, 2000000);
    assert_true(after.file_bytes >= 1000000 && after.map_bytes >= after.live_bytes);
    txn = test_begin(answer, KV_WRITE);
    for (uint32_t number = 0; number < 1000; number++) {
        be32_put(key, number);
        assert_int_equal(kv_erase(txn, 0, span_of(key, 4)), ERR_OK);
    }
    assert_int_equal(kv_commit(txn), ERR_OK);
    assert_int_equal(kv_usage(answer->kv, &after), ERR_OK);
    assert_true(after.live_bytes < before.live_bytes + 100000);
}

struct kv_race {
    struct kv *kv;
    atomic_bool is_over;
    atomic_uint failures;
    atomic_uint reads;
};

/* Two counters written together must be seen together. */
static void *test_race_reader(void *argument)
{
    struct kv_race *race = argument;

    while (!atomic_load(&race->is_over)) {
        struct kv_txn *txn;
        struct span left, right;
        enum err first, second;

        if (kv_begin(race->kv, KV_READ, &txn) != ERR_OK) {
            (void)atomic_fetch_add(&race->failures, 1);
            continue;
        }
        first = kv_get(txn, 0, span_str("counter"), &left);
        second = kv_get(txn, 2, span_str("counter"), &right);
        if (first != second || (first == ERR_OK && !span_is_equal(left, right)))
            (void)atomic_fetch_add(&race->failures, 1);
        kv_abort(txn);
        (void)atomic_fetch_add(&race->reads, 1);
    }
    return NULL;
}

static void readers_on_other_threads_run_beside_a_writer(void **state)
{
    struct answer *answer = *state;
    struct kv_race race = {.kv = answer->kv};
    pthread_t readers[2];
    uint8_t number[4];

    for (unsigned index = 0; index < 2; index++)
        assert_int_equal(pthread_create(&readers[index], NULL, test_race_reader, &race), 0);
    for (uint32_t round = 0; round < 300; round++) {
        struct kv_txn *txn = test_begin(answer, KV_WRITE);

        be32_put(number, round);
        assert_int_equal(kv_put(txn, 0, span_str("counter"), span_of(number, 4)), ERR_OK);
        assert_int_equal(kv_put(txn, 2, span_str("counter"), span_of(number, 4)), ERR_OK);
        assert_int_equal(kv_commit(txn), ERR_OK);
    }
    while (atomic_load(&race.reads) < 100)
        usleep(1000);
    atomic_store(&race.is_over, true);
    for (unsigned index = 0; index < 2; index++)
        assert_int_equal(pthread_join(readers[index], NULL), 0);
    assert_int_equal(atomic_load(&race.failures), 0);
}

enum { MODEL_KEYS = 200 };

/* One random step, done to the store and to an array that is the model: value 0 is absence. */
static void test_model_step(struct kv_txn *txn, uint64_t draw, uint16_t *model)
{
    unsigned key = (unsigned)(draw >> 8) % MODEL_KEYS;
    uint16_t value = (uint16_t)(draw >> 32);
    uint8_t name[2], bytes[2];

    be16_put(name, (uint16_t)key);
    if (draw % 3 == 0 || value == 0) {
        assert_int_equal(kv_erase(txn, 1, span_of(name, 2)),
                         model[key] != 0 ? ERR_OK : ERR_NOT_FOUND);
        model[key] = 0;
        return;
    }
    be16_put(bytes, value);
    assert_int_equal(kv_put(txn, 1, span_of(name, 2), span_of(bytes, 2)), ERR_OK);
    model[key] = value;
}

static void test_model_compare(struct answer *answer, const uint16_t *model)
{
    struct kv_txn *txn = test_begin(answer, KV_READ);
    uint64_t present = 0, count;
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err;

    assert_int_equal(kv_cursor_open(txn, 1, &cursor), ERR_OK);
    err = kv_cursor_seek(cursor, (struct span){0});
    for (unsigned index = 0; index < MODEL_KEYS; index++) {
        if (model[index] == 0)
            continue;
        assert_int_equal(err, ERR_OK);
        kv_cursor_at(cursor, &key, &value);
        assert_int_equal(be16(key.data), index);
        assert_int_equal(be16(value.data), model[index]);
        err = kv_cursor_next(cursor);
        present++;
    }
    assert_int_equal(err, ERR_NOT_FOUND);
    assert_int_equal(kv_count(txn, 1, &count), ERR_OK);
    assert_int_equal(count, present);
    kv_cursor_close(cursor);
    kv_abort(txn);
}

static void random_work_agrees_with_a_model(void **state)
{
    struct answer *answer = *state;
    uint16_t model[MODEL_KEYS] = {0}, draft[MODEL_KEYS];
    uint64_t draw = 88172645463325252u;

    for (unsigned round = 0; round < 150; round++) {
        struct kv_txn *txn = test_begin(answer, KV_WRITE);

        memcpy(draft, model, sizeof model);
        for (unsigned step = 0; step < 60; step++) {
            draw ^= draw << 13; /* xorshift64, Marsaglia 2003 */
            draw ^= draw >> 7;
            draw ^= draw << 17;
            test_model_step(txn, draw, draft);
        }
        if (round % 5 == 0) {
            kv_abort(txn);
        } else {
            assert_int_equal(kv_commit(txn), ERR_OK);
            memcpy(model, draft, sizeof model);
        }
        if (round % 10 == 9) {
            answer_close(answer);
            answer_open(answer);
        }
        test_model_compare(answer, model);
    }
}

#define BOTH(test)                                                                                 \
    {#test " (mem)", test, answer_setup_mem, answer_teardown, NULL},                               \
    {                                                                                              \
#test " (lmdb)", test, answer_setup_lmdb, answer_teardown, NULL                            \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(an_empty_store_has_nothing),
        BOTH(what_was_put_is_got_replaced_and_erased),
        BOTH(a_commit_outlives_the_store_and_an_abort_leaves_nothing),
        BOTH(sizes_are_bounded),
        BOTH(impossible_keys_are_refused_by_every_verb),
        BOTH(a_failed_write_ends_the_transaction),
        BOTH(append_takes_only_greater_keys),
        BOTH(cursors_walk_in_order_both_ways),
        BOTH(seek_finds_the_first_key_not_less),
        BOTH(a_table_can_be_emptied_by_a_cursor),
        BOTH(readers_see_the_store_of_their_beginning),
        BOTH(a_renewed_reader_and_its_cursor_see_the_newest),
        BOTH(a_second_writer_is_told_that_it_is_busy),
        BOTH(usage_grows_with_what_is_stored),
        BOTH(readers_on_other_threads_run_beside_a_writer),
        BOTH(random_work_agrees_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
