/* kith's use of Noise: the knock, padding, late psk, and that every damaged byte ends in nothing.
 * PROTOCOL HANDSHAKE, KNOCK. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/handshake.h"
#include "crypto/secret.h"

struct meeting {
    struct handshake *dialler, *called;
    struct exchange_key dialler_static, called_static;
    uint8_t knock[32], psk[32];
    struct buf first, second, third, content;
    struct handshake_result dialled, answered;
    struct entropy entropy;
};

static void meeting_begin(struct meeting *meeting)
{
    uint8_t seed[32];

    memset(meeting, 0, sizeof *meeting);
    meeting->entropy = entropy_os();
    meeting->dialler = secret_new(sizeof *meeting->dialler);
    meeting->called = secret_new(sizeof *meeting->called);
    entropy_fill(&meeting->entropy, seed, sizeof seed);
    identity_exchange_key(seed, &meeting->dialler_static);
    entropy_fill(&meeting->entropy, seed, sizeof seed);
    identity_exchange_key(seed, &meeting->called_static);
    entropy_fill(&meeting->entropy, meeting->knock, 32);
    entropy_fill(&meeting->entropy, meeting->psk, 32);
}

static void meeting_end(struct meeting *meeting)
{
    secret_free(meeting->dialler);
    secret_free(meeting->called);
    buf_release(&meeting->first);
    buf_release(&meeting->second);
    buf_release(&meeting->third);
    buf_release(&meeting->content);
}

static enum err meeting_dial(struct meeting *meeting)
{
    struct handshake_dial dial = {.own_static = &meeting->dialler_static,
                                  .remote_static = meeting->called_static.public_key,
                                  .knock = meeting->knock,
                                  .psk = meeting->psk};

    return handshake_dial(meeting->dialler, &dial, &meeting->entropy, &meeting->first);
}

static enum err meeting_answer(struct meeting *meeting)
{
    return handshake_answer(meeting->called, &meeting->called_static, buf_span(&meeting->first),
                            &meeting->entropy, &meeting->second);
}

static enum err meeting_finish(struct meeting *meeting, struct span content)
{
    return handshake_finish(meeting->dialler, buf_span(&meeting->second), content,
                            &meeting->entropy, &meeting->third, &meeting->dialled);
}

static enum err meeting_open(struct meeting *meeting, const uint8_t psk[32])
{
    uint8_t revealed[32];
    enum err err = handshake_reveal(meeting->called, buf_span(&meeting->third), revealed);

    if (err != ERR_OK)
        return err;
    assert_memory_equal(revealed, meeting->dialler_static.public_key, 32);
    return handshake_try_psk(meeting->called, buf_span(&meeting->third), psk, &meeting->content,
                             &meeting->answered);
}

static void meeting_run(struct meeting *meeting, struct span content)
{
    meeting_begin(meeting);
    assert_int_equal(meeting_dial(meeting), ERR_OK);
    assert_int_equal(handshake_check_knock(buf_span(&meeting->first), meeting->knock), ERR_OK);
    assert_int_equal(meeting_answer(meeting), ERR_OK);
    assert_int_equal(meeting_finish(meeting, content), ERR_OK);
}

static void handshake_gives_both_sides_the_same_keys_and_hash(void **state)
{
    static const size_t sizes[] = {0, 1, 188, 189, HANDSHAKE_CONTENT_MAX};

    (void)state;
    for (size_t at = 0; at < sizeof sizes / sizeof sizes[0]; at++) {
        uint8_t content[HANDSHAKE_CONTENT_MAX];
        struct meeting meeting;

        memset(content, (int)at + 1, sizeof content);
        meeting_run(&meeting, span_of(content, sizes[at]));
        assert_int_equal(meeting.first.size, HANDSHAKE_FIRST_SIZE);
        assert_int_equal(meeting.second.size, HANDSHAKE_SECOND_SIZE);
        assert_int_equal(meeting.third.size,
                         sizes[at] + 2 <= 190 ? HANDSHAKE_THIRD_SMALL : HANDSHAKE_THIRD_LARGE);
        assert_int_equal(handshake_third_size(buf_span(&meeting.third)), meeting.third.size);
        assert_int_equal(meeting_open(&meeting, meeting.psk), ERR_OK);
        assert_int_equal(meeting.content.size, sizes[at]);
        if (sizes[at] > 0)
            assert_memory_equal(meeting.content.data, content, sizes[at]);
        assert_memory_equal(meeting.dialled.send_key, meeting.answered.receive_key, 32);
        assert_memory_equal(meeting.dialled.receive_key, meeting.answered.send_key, 32);
        assert_memory_equal(meeting.dialled.hash.bytes, meeting.answered.hash.bytes, 32);
        assert_memory_equal(meeting.answered.remote_static, meeting.dialler_static.public_key, 32);
        meeting_end(&meeting);
    }
}

static void handshake_refuses_content_beyond_its_bound(void **state)
{
    uint8_t content[HANDSHAKE_CONTENT_MAX + 1] = {0};
    struct meeting meeting;

    (void)state;
    meeting_begin(&meeting);
    assert_int_equal(meeting_dial(&meeting), ERR_OK);
    assert_int_equal(meeting_answer(&meeting), ERR_OK);
    assert_int_equal(meeting_finish(&meeting, span_of(content, sizeof content)), ERR_LIMIT);
    meeting_end(&meeting);
}

static void handshake_finds_the_psk_that_fits_among_several(void **state)
{
    uint8_t wrong[32] = {1};
    struct meeting meeting;
    uint8_t revealed[32];

    (void)state;
    meeting_run(&meeting, span_of("me", 2));
    assert_int_equal(handshake_reveal(meeting.called, buf_span(&meeting.third), revealed), ERR_OK);
    for (size_t at = 0; at < 20; at++) {
        wrong[1] = (uint8_t)at;
        assert_int_equal(handshake_try_psk(meeting.called, buf_span(&meeting.third), wrong,
                                           &meeting.content, &meeting.answered),
                         ERR_FORGED);
        assert_int_equal(meeting.content.size, 0);
    }
    assert_int_equal(handshake_try_psk(meeting.called, buf_span(&meeting.third), meeting.psk,
                                       &meeting.content, &meeting.answered),
                     ERR_OK);
    assert_memory_equal(meeting.content.data, "me", 2);
    meeting_end(&meeting);
}

static void knock_is_needed_and_covers_version_selector_and_ephemeral(void **state)
{
    struct meeting meeting;
    uint8_t other[32] = {9};

    (void)state;
    meeting_begin(&meeting);
    assert_int_equal(meeting_dial(&meeting), ERR_OK);
    assert_int_equal(handshake_check_knock(buf_span(&meeting.first), other), ERR_FORGED);
    assert_int_equal(handshake_check_knock(span_of(meeting.first.data, 255), meeting.knock),
                     ERR_FORGED);
    for (size_t at = 0; at < 16 + 1 + 8 + 32; at++) {
        meeting.first.data[at] ^= 1;
        assert_int_equal(handshake_check_knock(buf_span(&meeting.first), meeting.knock),
                         ERR_FORGED);
        meeting.first.data[at] ^= 1;
    }
    assert_int_equal(handshake_check_knock(buf_span(&meeting.first), meeting.knock), ERR_OK);
    meeting_end(&meeting);
}

/* A knock made with another version byte is known for what it is. */
static void knock_of_another_version_is_told_apart(void **state)
{
    struct meeting meeting;
    struct span covered;

    (void)state;
    meeting_begin(&meeting);
    assert_int_equal(meeting_dial(&meeting), ERR_OK);
    meeting.first.data[16] = HANDSHAKE_VERSION + 1;
    covered = span_of(meeting.first.data + 16, 1 + 8 + 32);
    digest_keyed(meeting.knock, "kith knock", &covered, 1, meeting.first.data, 16);
    assert_int_equal(handshake_check_knock(buf_span(&meeting.first), meeting.knock), ERR_VERSION);
    meeting_end(&meeting);
}

/* Every byte of every message, flipped: no session. */
static void handshake_ends_in_nothing_when_any_byte_is_changed(void **state)
{
    size_t checked = 0;

    (void)state;
    for (size_t message = 0; message < 3; message++)
        for (size_t at = message == 0 ? 25 : 0; at < 256; at++) {
            struct meeting meeting;
            enum err err;

            meeting_begin(&meeting);
            assert_int_equal(meeting_dial(&meeting), ERR_OK);
            if (message == 0)
                meeting.first.data[at] ^= 0x40;
            err = meeting_answer(&meeting);
            if (err == ERR_OK && message == 1)
                meeting.second.data[at] ^= 0x40;
            if (err == ERR_OK)
                err = meeting_finish(&meeting, span_of("who I am", 8));
            if (err == ERR_OK && message == 2)
                meeting.third.data[at] ^= 0x40;
            if (err == ERR_OK) {
                uint8_t revealed[32];

                err = handshake_reveal(meeting.called, buf_span(&meeting.third), revealed);
                if (err == ERR_OK)
                    err = handshake_try_psk(meeting.called, buf_span(&meeting.third), meeting.psk,
                                            &meeting.content, &meeting.answered);
            }
            assert_int_not_equal(err, ERR_OK);
            meeting_end(&meeting);
            checked++;
        }
    assert_int_equal(checked, 231 + 256 + 256);
}

static void handshake_refuses_low_order_ephemerals(void **state)
{
    static const uint8_t points[][32] = {
        {0},
        {1},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
         0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
         0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
         0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
         0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    };

    (void)state;
    for (size_t at = 0; at < 7; at++) {
        struct meeting meeting;

        meeting_begin(&meeting);
        assert_int_equal(meeting_dial(&meeting), ERR_OK);
        memcpy(meeting.first.data + 25, points[at], 32);
        assert_int_equal(meeting_answer(&meeting), ERR_FORGED);
        meeting_end(&meeting);
    }
}

static void invitation_keys_differ_from_one_another_and_between_secrets(void **state)
{
    struct handshake_invitation one, other, again;

    (void)state;
    handshake_invitation((const uint8_t *)"0123456789abcdef", 16, &one);
    handshake_invitation((const uint8_t *)"0123456789abcdeg", 16, &other);
    handshake_invitation((const uint8_t *)"0123456789abcdef", 16, &again);
    assert_memory_equal(&one, &again, sizeof one);
    assert_memory_not_equal(one.knock, one.psk, 32);
    assert_memory_not_equal(one.knock, other.knock, 32);
    assert_memory_not_equal(one.selector, other.selector, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_gives_both_sides_the_same_keys_and_hash),
        cmocka_unit_test(handshake_refuses_content_beyond_its_bound),
        cmocka_unit_test(handshake_finds_the_psk_that_fits_among_several),
        cmocka_unit_test(knock_is_needed_and_covers_version_selector_and_ephemeral),
        cmocka_unit_test(knock_of_another_version_is_told_apart),
        cmocka_unit_test(handshake_ends_in_nothing_when_any_byte_is_changed),
        cmocka_unit_test(handshake_refuses_low_order_ephemerals),
        cmocka_unit_test(invitation_keys_differ_from_one_another_and_between_secrets),
    };

    if (secret_start() != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
