/* Invitations and addresses: read back as written, each bound, and everything damaged refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/invite.h"

static struct invitation invite_sample(size_t addresses, size_t hint_size)
{
    struct invitation invitation = {.expires_at_s = 3600 * 500000, .addresses_count = addresses};

    memset(invitation.static_key, 0x11, 32);
    memset(invitation.secret, 0x22, INVITATION_SECRET_SIZE);
    memset(invitation.hint, 'h', hint_size);
    for (size_t at = 0; at < addresses && at < ADDRESSES_MAX; at++) {
        char text[60];

        (void)snprintf(text, sizeof text, at % 2 ? "[2001:db8::%zu]:5484" : "203.0.113.%zu:80",
                       at + 1);
        assert_int_equal(address_read(span_str(text), &invitation.addresses[at]), ERR_OK);
    }
    return invitation;
}

static void what_is_written_is_read_in_any_case_and_spacing(void **state)
{
    char text[INVITATION_TEXT_SIZE_MAX], spaced[3 * INVITATION_TEXT_SIZE_MAX];

    (void)state;
    for (size_t addresses = 0; addresses <= ADDRESSES_MAX; addresses++) {
        struct invitation written = invite_sample(addresses, addresses * 10), read;
        size_t size = 0;

        assert_int_equal(invitation_write(&written, text), ERR_OK);
        assert_int_equal(invitation_read(span_str(text), &read), ERR_OK);
        assert_memory_equal(read.static_key, written.static_key, 32);
        assert_memory_equal(read.secret, written.secret, INVITATION_SECRET_SIZE);
        assert_int_equal(read.expires_at_s, written.expires_at_s);
        assert_int_equal(read.addresses_count, addresses);
        assert_string_equal(read.hint, written.hint);
        for (size_t at = 0; at < addresses; at++)
            assert_true(address_is_equal(&read.addresses[at], &written.addresses[at]));
        for (size_t at = 0; text[at] != '\0'; at++) {
            spaced[size++] =
                (char)(text[at] >= 'a' && text[at] <= 'z' && at % 2 ? text[at] - 32 : text[at]);
            if (at >= 6 && at % 20 == 0)
                spaced[size++] = at % 40 ? '\n' : ' ';
        }
        assert_int_equal(invitation_read(span_of(spaced, size), &read), ERR_OK);
        assert_memory_equal(read.secret, written.secret, INVITATION_SECRET_SIZE);
    }
}

static void an_expiry_is_rounded_up_to_the_hour(void **state)
{
    static const uint64_t times[][2] = {
        {3600, 3600}, {3601, 7200}, {7199, 7200}, {7200, 7200}, {0, 0}};
    char text[INVITATION_TEXT_SIZE_MAX];

    (void)state;
    for (size_t at = 0; at < sizeof times / sizeof times[0]; at++) {
        struct invitation invitation = invite_sample(1, 3), read;

        invitation.expires_at_s = times[at][0];
        assert_int_equal(invitation_write(&invitation, text), ERR_OK);
        assert_int_equal(invitation_read(span_str(text), &read), ERR_OK);
        assert_int_equal(read.expires_at_s, times[at][1]);
    }
}

static void more_than_fits_is_a_limit(void **state)
{
    char text[INVITATION_TEXT_SIZE_MAX];
    struct invitation invitation = invite_sample(ADDRESSES_MAX, INVITATION_HINT_SIZE_MAX);

    (void)state;
    assert_int_equal(invitation_write(&invitation, text), ERR_OK);
    for (size_t at = 0; at < ADDRESSES_MAX; at++)
        assert_int_equal(address_read(span_str("[2001:db8:1111:2222:3333:4444:5555:6666]:65535"),
                                      &invitation.addresses[at]),
                         ERR_OK);
    /* Four of the largest addresses and the longest hint still fit. */
    assert_int_equal(invitation_write(&invitation, text), ERR_OK);
    assert_true(strlen(text) < INVITATION_TEXT_SIZE_MAX);
}

/* The checksum finds whatever was changed; another version and other texts are told apart. */
static void any_letter_that_is_changed_is_found(void **state)
{
    struct invitation invitation = invite_sample(2, 5), read;
    char text[INVITATION_TEXT_SIZE_MAX];

    (void)state;
    assert_int_equal(invitation_write(&invitation, text), ERR_OK);
    for (size_t at = 6; text[at] != '\0'; at++)
        for (const char *other = "az27"; *other != '\0'; other++) {
            char before = text[at];
            enum err err;

            if (*other == before)
                continue;
            text[at] = *other;
            err = invitation_read(span_str(text), &read);
            /* The last letter's spare bits must be zero: that is another way to be damaged. */
            assert_true(err == ERR_CORRUPT || err == ERR_INVALID);
            text[at] = before;
        }
    for (size_t size = strlen(text); size-- > 7;)
        assert_int_not_equal(invitation_read(span_of(text, size), &read), ERR_OK);
    text[5] = '2';
    assert_int_equal(invitation_read(span_str(text), &read), ERR_VERSION);
}

static void what_is_no_invitation_is_invalid(void **state)
{
    static const char *const texts[] = {
        "",        "kith", "kith:", "hello kith:1abc", "mailto:ana@example.org", "kith:1 ab!c",
        "\xff\xfe"};
    struct invitation read;

    (void)state;
    for (size_t at = 0; at < sizeof texts / sizeof texts[0]; at++)
        assert_int_not_equal(invitation_read(span_str(texts[at]), &read), ERR_OK);
    assert_int_equal(invitation_read(span_str("hello"), &read), ERR_INVALID);
}

static void addresses_are_read_and_written_alike(void **state)
{
    static const char *const same[] = {"203.0.113.5:5484", "[2001:db8::5]:5484", "127.0.0.1:1",
                                       "[::1]:65535", "0.0.0.0:0"};
    static const char *const wrong[] = {"",
                                        ":",
                                        "1.2.3.4:65536",
                                        "1.2.3.4:",
                                        "1.2.3.4:12a",
                                        "1.2.3.4:123456",
                                        "256.1.1.1:1",
                                        "example.org:80",
                                        "[2001:db8::5",
                                        "[2001:db8::5]80",
                                        "[]:80",
                                        "1.2.3.4 :80",
                                        "[::1]:-1",
                                        "00000000000000000000000000000000000000000000000000:1"};
    char text[ADDRESS_TEXT_SIZE];
    struct address address;

    (void)state;
    for (size_t at = 0; at < sizeof same / sizeof same[0]; at++) {
        assert_int_equal(address_read(span_str(same[at]), &address), ERR_OK);
        address_write(&address, text);
        assert_string_equal(text, same[at]);
    }
    for (size_t at = 0; at < sizeof wrong / sizeof wrong[0]; at++)
        assert_int_equal(address_read(span_str(wrong[at]), &address), ERR_INVALID);
    assert_int_equal(address_read(span_str("203.0.113.5"), &address), ERR_OK);
    assert_int_equal(address.port, PORT_DEFAULT);
    assert_int_equal(address_read(span_str("2001:db8::5"), &address), ERR_OK);
    assert_int_equal(address.port, PORT_DEFAULT);
}

static void only_addresses_elsewhere_are_dialled(void **state)
{
    static const struct {
        const char *text;
        bool is_elsewhere;
    } samples[] = {
        {"203.0.113.5:1", true},      {"203.0.113.5:0", false},  {"127.0.0.1:1", false},
        {"127.255.0.9:1", false},     {"0.0.0.0:1", false},      {"169.254.1.1:1", false},
        {"169.253.1.1:1", true},      {"224.0.0.1:1", false},    {"223.255.255.255:1", true},
        {"255.255.255.255:1", false}, {"[::]:1", false},         {"[::1]:1", false},
        {"[fe80::1]:1", false},       {"[febf::1]:1", false},    {"[fec0::1]:1", true},
        {"[ff02::1]:1", false},       {"[2001:db8::1]:1", true}, {"10.0.0.1:1", true}};
    struct address address;

    (void)state;
    for (size_t at = 0; at < sizeof samples / sizeof samples[0]; at++) {
        assert_int_equal(address_read(span_str(samples[at].text), &address), ERR_OK);
        assert_int_equal(address_is_elsewhere(&address), samples[at].is_elsewhere);
    }
}

static void a_list_of_addresses_has_four_at_most(void **state)
{
    struct address addresses[ADDRESSES_MAX + 1], read[ADDRESSES_MAX];
    size_t count;

    (void)state;
    for (size_t at = 0; at <= ADDRESSES_MAX; at++)
        assert_int_equal(
            address_read(span_str(at % 2 ? "[2001:db8::5]:9" : "1.2.3.4:9"), &addresses[at]),
            ERR_OK);
    for (size_t wanted = 0; wanted <= ADDRESSES_MAX + 1; wanted++) {
        struct buf list = {0};

        address_put_list(addresses, wanted, &list);
        assert_int_equal(address_read_list(buf_span(&list), read, &count),
                         wanted <= ADDRESSES_MAX ? ERR_OK : ERR_MALFORMED);
        if (wanted <= ADDRESSES_MAX)
            assert_int_equal(count, wanted);
        for (size_t size = 1; wanted == 2 && size < list.size; size++)
            assert_int_equal(address_read_list(span_of(list.data, size), read, &count),
                             size == 7 ? ERR_OK : ERR_MALFORMED);
        buf_release(&list);
    }
    assert_int_equal(address_read_list(span_str("\x05zzzzzz"), read, &count), ERR_MALFORMED);
}

static void addresses_on_this_machine_or_its_cable_are_not_called(void **state)
{
    static const struct {
        const char *text;
        bool is_elsewhere;
    } rows[] = {
        {"203.0.113.5:5484", true}, {"10.1.2.3:5484", true},     {"[2001:db8::5]:5484", true},
        {"[fd00::5]:5484", true},   {"127.0.0.1:5484", false},   {"127.8.8.8:5484", false},
        {"[::1]:5484", false},      {"169.254.1.1:5484", false}, {"[fe80::1]:5484", false},
        {"[febf::1]:5484", false},  {"[fec0::1]:5484", true},    {"0.0.0.0:5484", false},
        {"[::]:5484", false},       {"224.0.0.1:5484", false},   {"255.255.255.255:5484", false},
        {"[ff02::1]:5484", false}};

    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        struct address address;

        assert_int_equal(address_read(span_str(rows[at].text), &address), ERR_OK);
        assert_int_equal(address_is_elsewhere(&address), rows[at].is_elsewhere);
        address.port = 0;
        assert_false(address_is_elsewhere(&address));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_in_any_case_and_spacing),
        cmocka_unit_test(an_expiry_is_rounded_up_to_the_hour),
        cmocka_unit_test(more_than_fits_is_a_limit),
        cmocka_unit_test(any_letter_that_is_changed_is_found),
        cmocka_unit_test(what_is_no_invitation_is_invalid),
        cmocka_unit_test(addresses_are_read_and_written_alike),
        cmocka_unit_test(only_addresses_elsewhere_are_dialled),
        cmocka_unit_test(a_list_of_addresses_has_four_at_most),
        cmocka_unit_test(addresses_on_this_machine_or_its_cable_are_not_called),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
