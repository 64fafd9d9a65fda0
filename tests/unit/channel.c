/* Frames: buckets, order, damage, rekeying at the bounds, the close flag. PROTOCOL CHANNEL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/channel.h"
#include "crypto/secret.h"

static void channel_pair(struct channel *left, struct channel *right)
{
    uint8_t keys[2][32] = {{1}, {2}};

    channel_init(left, keys[0], keys[1]);
    channel_init(right, keys[1], keys[0]);
}

static void channel_carries_every_size_at_a_bucket_boundary(void **state)
{
    static const size_t sizes[] = {0,     1,     252,   253,   254,   508,   509,
                                   510,   1020,  1021,  1022,  4092,  4093,  4094,
                                   16380, 16381, 16382, 16383, 40000, 100000};
    struct channel left, right;

    (void)state;
    channel_pair(&left, &right);
    for (size_t at = 0; at < sizeof sizes / sizeof sizes[0]; at++) {
        uint8_t *content = malloc(sizes[at] + 1);
        struct buf wire = {0}, out = {0};

        memset(content, (int)at, sizes[at] + 1);
        assert_int_equal(channel_seal(&left, span_of(content, sizes[at]), false, &wire), ERR_OK);
        assert_int_equal(channel_open(&right, &wire, &out), ERR_OK);
        assert_int_equal(wire.size, 0);
        assert_int_equal(out.size, sizes[at]);
        if (sizes[at] > 0)
            assert_memory_equal(out.data, content, sizes[at]);
        buf_release(&wire);
        buf_release(&out);
        free(content);
    }
}

static void channel_frames_have_only_five_sizes(void **state)
{
    static const size_t plain[] = {256, 512, 1024, 4096, 16384};
    struct channel left, right;

    (void)state;
    channel_pair(&left, &right);
    for (size_t size = 1; size <= CHANNEL_CONTENT_MAX; size += 97) {
        uint8_t content[CHANNEL_CONTENT_MAX] = {0};
        struct buf wire = {0};
        bool fits = false;

        assert_int_equal(channel_seal(&left, span_of(content, size), false, &wire), ERR_OK);
        for (size_t at = 0; at < 5; at++)
            fits |= wire.size == plain[at] + 18;
        assert_true(fits);
        buf_release(&wire);
    }
}

static void channel_opens_what_comes_a_byte_at_a_time(void **state)
{
    struct channel left, right;
    struct buf wire = {0}, in = {0}, out = {0};

    (void)state;
    channel_pair(&left, &right);
    assert_int_equal(channel_seal(&left, span_str("one"), false, &wire), ERR_OK);
    assert_int_equal(channel_seal(&left, span_str("two"), false, &wire), ERR_OK);
    for (size_t at = 0; at < wire.size; at++) {
        buf_byte(&in, wire.data[at]);
        assert_int_equal(channel_open(&right, &in, &out), ERR_OK);
    }
    assert_int_equal(out.size, 6);
    assert_memory_equal(out.data, "onetwo", 6);
    buf_release(&wire);
    buf_release(&in);
    buf_release(&out);
}

static void channel_refuses_every_flipped_byte(void **state)
{
    struct channel left, right, fresh;
    struct buf wire = {0};

    (void)state;
    channel_pair(&left, &right);
    assert_int_equal(channel_seal(&left, span_str("said"), false, &wire), ERR_OK);
    for (size_t at = 0; at < wire.size; at++) {
        struct buf damaged = {0}, out = {0};

        fresh = right;
        buf_append(&damaged, buf_span(&wire));
        damaged.data[at] ^= 1;
        (void)!channel_open(&fresh, &damaged, &out);
        assert_int_equal(out.size, 0);
        buf_release(&damaged);
        buf_release(&out);
    }
    buf_release(&wire);
}

static void channel_refuses_replay_and_another_order(void **state)
{
    struct channel left, right;
    struct buf one = {0}, two = {0}, in = {0}, out = {0};

    (void)state;
    channel_pair(&left, &right);
    assert_int_equal(channel_seal(&left, span_str("one"), false, &one), ERR_OK);
    assert_int_equal(channel_seal(&left, span_str("two"), false, &two), ERR_OK);
    buf_append(&in, buf_span(&two));
    assert_int_equal(channel_open(&right, &in, &out), ERR_FORGED);
    channel_pair(&left, &right);
    buf_clear(&in);
    buf_append(&in, buf_span(&one));
    buf_append(&in, buf_span(&one));
    assert_int_equal(channel_open(&right, &in, &out), ERR_FORGED);
    assert_int_equal(out.size, 3);
    buf_release(&one);
    buf_release(&two);
    buf_release(&in);
    buf_release(&out);
}

static void channel_rekeys_at_the_bound_on_both_sides(void **state)
{
    struct channel left, right;
    uint8_t before[32];
    struct buf wire = {0}, out = {0};

    (void)state;
    channel_pair(&left, &right);
    left.rekey_frames = right.rekey_frames = 3;
    memcpy(before, left.send.key, 32);
    for (int at = 0; at < 2; at++)
        assert_int_equal(channel_seal(&left, span_str("x"), false, &wire), ERR_OK);
    assert_memory_equal(left.send.key, before, 32);
    assert_int_equal(channel_seal(&left, span_str("x"), false, &wire), ERR_OK);
    assert_memory_not_equal(left.send.key, before, 32);
    for (int at = 0; at < 20; at++)
        assert_int_equal(channel_seal(&left, span_str("x"), false, &wire), ERR_OK);
    assert_int_equal(channel_open(&right, &wire, &out), ERR_OK);
    assert_int_equal(out.size, 23);
    assert_memory_equal(left.send.key, right.receive.key, 32);
    channel_rekey(&left);
    assert_int_equal(channel_seal(&left, span_str("y"), false, &wire), ERR_OK);
    assert_int_equal(channel_open(&right, &wire, &out), ERR_OK);
    assert_memory_equal(left.send.key, right.receive.key, 32);
    buf_release(&wire);
    buf_release(&out);
}

/* Sends contents of one size until the key turns: how many it took. */
static size_t channel_until_rekey(struct channel *from, struct channel *to, size_t size)
{
    static uint8_t content[CHANNEL_CONTENT_MAX];
    struct buf wire = {0}, out = {0};
    uint8_t before[KEY_SIZE];
    size_t count = 0;

    memcpy(before, from->send.key, KEY_SIZE);
    while (count <= CHANNEL_REKEY_FRAMES && memcmp(before, from->send.key, KEY_SIZE) == 0) {
        assert_int_equal(channel_seal(from, span_of(content, size), false, &wire), ERR_OK);
        assert_int_equal(channel_open(to, &wire, &out), ERR_OK);
        assert_int_equal(out.size, size);
        buf_clear(&out);
        count++;
    }
    assert_memory_equal(from->send.key, to->receive.key, KEY_SIZE);
    buf_release(&wire);
    buf_release(&out);
    return count;
}

/* CHANNEL-4 with its own numbers, each way: 65,536 frames, or what fits 256 MiB of the largest. */
static void channel_rekeys_after_so_many_frames_and_bytes(void **state)
{
    struct channel left, right;
    size_t largest = (size_t)CHANNEL_REKEY_BYTES / CHANNEL_PLAIN_MAX;

    (void)state;
    channel_pair(&left, &right);
    assert_int_equal(channel_until_rekey(&right, &left, 1), 65536);
    assert_in_range(channel_until_rekey(&left, &right, CHANNEL_CONTENT_MAX), largest - 1, largest);
    assert_in_range(channel_until_rekey(&left, &right, CHANNEL_CONTENT_MAX), largest - 1, largest);
    assert_int_equal(channel_until_rekey(&right, &left, 1), 65536);
}

/* A sender that does not rekey when it is due is ended. */
static void channel_ends_a_sender_that_does_not_rekey(void **state)
{
    struct channel left, right;
    struct buf wire = {0}, out = {0};

    (void)state;
    channel_pair(&left, &right);
    right.rekey_frames = 2;
    for (int at = 0; at < 3; at++)
        assert_int_equal(channel_seal(&left, span_str("x"), false, &wire), ERR_OK);
    assert_int_equal(channel_open(&right, &wire, &out), ERR_MALFORMED);
    buf_release(&wire);
    buf_release(&out);
}

static void channel_tells_an_end_from_a_cut(void **state)
{
    struct channel left, right;
    struct buf wire = {0}, out = {0};

    (void)state;
    channel_pair(&left, &right);
    assert_int_equal(channel_seal(&left, span_str("bye"), true, &wire), ERR_OK);
    assert_int_equal(channel_seal(&left, span_str("more"), false, &wire), ERR_STATE);
    assert_false(channel_is_closed(&right));
    assert_int_equal(channel_open(&right, &wire, &out), ERR_OK);
    assert_true(channel_is_closed(&right));
    assert_int_equal(out.size, 3);
    buf_release(&wire);
    buf_release(&out);
}

static void channel_refuses_impossible_sizes(void **state)
{
    static const uint16_t sizes[] = {0, 1, 15, 16, 255, 271, 273, 16399, 16401, 65535};

    (void)state;
    for (size_t at = 0; at < sizeof sizes / sizeof sizes[0]; at++) {
        struct channel left, right;
        struct buf in = {0}, out = {0};

        channel_pair(&left, &right);
        buf_u16(&in, sizes[at]);
        assert_int_equal(channel_open(&right, &in, &out), ERR_MALFORMED);
        buf_release(&in);
        buf_release(&out);
    }
}

static void channel_stops_at_the_end_of_its_counter(void **state)
{
    struct channel left, right;
    struct buf wire = {0};

    (void)state;
    channel_pair(&left, &right);
    left.send.nonce = (UINT64_C(1) << 48) - 1;
    assert_int_equal(channel_seal(&left, span_str("last"), false, &wire), ERR_OK);
    assert_int_equal(channel_seal(&left, span_str("beyond"), false, &wire), ERR_STATE);
    buf_release(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channel_carries_every_size_at_a_bucket_boundary),
        cmocka_unit_test(channel_frames_have_only_five_sizes),
        cmocka_unit_test(channel_opens_what_comes_a_byte_at_a_time),
        cmocka_unit_test(channel_refuses_every_flipped_byte),
        cmocka_unit_test(channel_refuses_replay_and_another_order),
        cmocka_unit_test(channel_rekeys_at_the_bound_on_both_sides),
        cmocka_unit_test(channel_rekeys_after_so_many_frames_and_bytes),
        cmocka_unit_test(channel_ends_a_sender_that_does_not_rekey),
        cmocka_unit_test(channel_tells_an_end_from_a_cut),
        cmocka_unit_test(channel_refuses_impossible_sizes),
        cmocka_unit_test(channel_stops_at_the_end_of_its_counter),
    };

    if (secret_start() != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
