/* Epochs on the wire: what an id commits to, which keys follow from which. PROTOCOL EPOCH-1 to -5.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "proto/epoch.h"

static void epoch_fill(void *self, uint8_t *out, size_t size)
{
    uint8_t *next = self;

    for (size_t at = 0; at < size; at++)
        out[at] = (uint8_t)(*next + at);
    (*next)++;
}

static const struct log_id log_of = {.space = {{1}}, .device = {{2}}};

struct epoch_made {
    struct buf payload;
    struct hash id;
    uint8_t key[KEY_SIZE];
};

static uint8_t drawn = 1;

static enum err epoch_make(const struct epoch_plan *plan, struct epoch_made *out)
{
    const struct entropy entropy = {.fill = epoch_fill, .self = &drawn};

    memset(out, 0, sizeof *out);
    return epoch_create(plan, &entropy, out->key, &out->id, &out->payload);
}

/* EPOCH-3, EPOCH-5: each parent's key follows, in the order of the ids; none where none is told. */
static void an_epoch_gives_the_keys_of_its_parents(void **state)
{
    uint8_t keys[EPOCH_PARENTS_MAX + 1][KEY_SIZE], got[KEY_SIZE];
    struct hash parents[EPOCH_PARENTS_MAX + 1];
    struct epoch_made made;
    struct epoch read;

    (void)state;
    memset(parents, 0, sizeof parents);
    memset(keys, 0, sizeof keys);
    for (uint8_t at = 0; at <= EPOCH_PARENTS_MAX; at++)
        parents[at].bytes[0] = keys[at][5] = (uint8_t)(at + 1);
    for (size_t count = 0; count <= EPOCH_PARENTS_MAX + 1; count++) {
        struct epoch_plan plan = {.space = log_of.space,
                                  .opener = log_of.device,
                                  .parents = parents,
                                  .parents_count = count,
                                  .parent_keys = keys[0],
                                  .depth = count > 0 ? 9 : 1};

        if (count > EPOCH_PARENTS_MAX) {
            assert_int_equal(epoch_make(&plan, &made), ERR_LIMIT);
            buf_release(&made.payload);
            continue;
        }
        assert_int_equal(epoch_make(&plan, &made), ERR_OK);
        assert_int_equal(epoch_read(&log_of, buf_span(&made.payload), &read), ERR_OK);
        assert_memory_equal(read.id.bytes, made.id.bytes, HASH_SIZE);
        assert_int_equal(read.parents_count, count);
        assert_int_equal(read.depth, plan.depth);
        assert_int_equal(epoch_check(&read, made.key), ERR_OK);
        for (size_t at = 0; at < count; at++) {
            assert_int_equal(epoch_previous(&read, at, made.key, got), ERR_OK);
            assert_memory_equal(got, keys[at], KEY_SIZE);
            assert_int_equal(epoch_previous(&read, at, keys[at], got), ERR_FORGED);
        }
        assert_int_equal(epoch_previous(&read, count, made.key, got), ERR_NOT_FOUND);
        buf_release(&made.payload);
        plan.parent_keys = NULL;
        assert_int_equal(epoch_make(&plan, &made), ERR_OK);
        assert_int_equal(epoch_read(&log_of, buf_span(&made.payload), &read), ERR_OK);
        assert_int_equal(read.parents_count, count);
        assert_int_equal(epoch_previous(&read, 0, made.key, got), ERR_NOT_FOUND);
        buf_release(&made.payload);
    }
}

/* What stands on the wire, one part at a time: reads epochs that the writer never makes. */
static enum err epoch_read_parts(size_t parents, const uint8_t order[static 2], uint64_t depth,
                                 size_t previous)
{
    struct hash ids[EPOCH_PARENTS_MAX + 1] = {{{order[0]}}, {{order[1]}}, {{7}}, {{8}}, {{9}}};
    uint8_t keys[(EPOCH_PARENTS_MAX + 1) * EPOCH_PREVIOUS_SIZE] = {0};
    struct hash hash = {{3}};
    struct buf out = {0};
    struct epoch read;
    enum err err;

    wire_put_array(&out, 7);
    wire_put_uint(&out, 1);
    wire_put_bin(&out, span_of(ids, parents));
    wire_put_uint(&out, depth);
    wire_put_bin(&out, span_of(hash.bytes, HASH_SIZE));
    wire_put_bin(&out, span_of(hash.bytes, HASH_SIZE));
    wire_put_bin(&out, span_of(keys, previous));
    wire_put_array(&out, 0);
    assert_int_equal(buf_err(&out), ERR_OK);
    err = epoch_read(&log_of, buf_span(&out), &read);
    buf_release(&out);
    return err;
}

/* EPOCH-1, EPOCH-2: other shapes are refused. */
static void an_epoch_of_another_shape_is_refused(void **state)
{
    const uint8_t up[2] = {1, 2}, same[2] = {1, 1}, down[2] = {2, 1};
    const size_t one = EPOCH_PREVIOUS_SIZE;

    (void)state;
    assert_int_equal(epoch_read_parts(0, up, 1, 0), ERR_OK);
    assert_int_equal(epoch_read_parts(0, up, 2, 0), ERR_MALFORMED);
    assert_int_equal(epoch_read_parts(0, up, 1, one), ERR_MALFORMED);
    assert_int_equal(epoch_read_parts(32, up, 2, one), ERR_OK);
    assert_int_equal(epoch_read_parts(32, up, 2, 0), ERR_OK);
    assert_int_equal(epoch_read_parts(32, up, 2, one - 1), ERR_MALFORMED);
    assert_int_equal(epoch_read_parts(32, up, 1, one), ERR_MALFORMED);
    assert_int_equal(epoch_read_parts(31, up, 2, one), ERR_MALFORMED);
    assert_int_equal(epoch_read_parts(64, up, 2, 2 * one), ERR_OK);
    assert_int_equal(epoch_read_parts(64, up, 2, one), ERR_MALFORMED);
    assert_int_equal(epoch_read_parts(64, same, 2, 2 * one), ERR_MALFORMED);
    assert_int_equal(epoch_read_parts(64, down, 2, 2 * one), ERR_MALFORMED);
    assert_int_equal(epoch_read_parts(EPOCH_PARENTS_MAX * 32, up, 2, EPOCH_PARENTS_MAX * one),
                     ERR_OK);
    assert_int_equal(
        epoch_read_parts((EPOCH_PARENTS_MAX + 1) * 32, up, 2, (EPOCH_PARENTS_MAX + 1) * one),
        ERR_MALFORMED);
    assert_int_equal(epoch_read_parts(32, up, EPOCH_DEPTH_MAX, one), ERR_OK);
    assert_int_equal(epoch_read_parts(32, up, EPOCH_DEPTH_MAX + 1, one), ERR_MALFORMED);
}

/* EPOCH-2: the id changes with the space, the opener, the parents, the depth, the readers, the key.
 */
static void an_id_commits_to_all_that_an_epoch_is(void **state)
{
    struct epoch base = {.parents = {{{1}}, {{2}}}, .parents_count = 2, .depth = 4}, other;
    struct log_id from = log_of;

    (void)state;
    epoch_name(&log_of.space, &log_of.device, &base);
    for (int at = 0; at < 7; at++) {
        other = base;
        from = log_of;
        switch (at) {
        case 0:
            from.space.bytes[3]++;
            break;
        case 1:
            from.device.bytes[3]++;
            break;
        case 2:
            other.parents[1].bytes[3]++;
            break;
        case 3:
            other.parents_count = 1;
            break;
        case 4:
            other.depth++;
            break;
        case 5:
            other.readers.bytes[3]++;
            break;
        default:
            other.commitment.bytes[3]++;
            break;
        }
        epoch_name(&from.space, &from.device, &other);
        assert_memory_not_equal(base.id.bytes, other.id.bytes, HASH_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_gives_the_keys_of_its_parents),
        cmocka_unit_test(an_epoch_of_another_shape_is_refused),
        cmocka_unit_test(an_id_commits_to_all_that_an_epoch_is),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
