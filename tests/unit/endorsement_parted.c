/* Links that end, and people who are blocked, while an endorsement is on its way: nothing is half
 * done, and what was not shown before is not shown after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "tests/sim/vouched.h"

static void parted(struct member *by, const char *how, const char *who)
{
    json_decref(meeting_op(by, how, json_pack("{s:s}", "who", who), NULL));
}

static const char *const parted_ways[] = {"peer.remove", "peer.block"};

/* Offered, not arrived; then its subject, or its issuer, ends the link. */
static void an_offer_that_comes_after_the_end_is_nothing(void **state)
{
    (void)state;
    for (size_t at = 0; at < 4; at++) {
        struct vouched vouched;
        char room[32];

        vouched_new(&vouched);
        vouched_endorse(&vouched, "network");
        if (at < 2)
            parted(&vouched.bruno, parted_ways[at], "Ana");
        else
            parted(&vouched.ana, parted_ways[at - 2], "Bruno");
        vouched_round(&vouched);
        assert_string_equal(vouched_state(&vouched.bruno, room), "");
        assert_false(vouched_holds_words(&vouched.bruno));
        assert_false(vouched_holds_words(&vouched.chie));
        assert_int_equal(vouched_op(&vouched.ana, "endorsement.revoke", "given", NULL), OP_DONE);
        vouched_free(&vouched);
    }
}

/* Arrived and not decided; the link ends, either way. It is the subject's to decide all the same:
 * the words were given. What somebody who was blocked said is shown by nobody but its subject. */
static void what_had_arrived_is_still_its_subjects_to_decide(void **state)
{
    (void)state;
    for (size_t at = 0; at < 4; at++) {
        struct vouched vouched;
        char room[32];

        vouched_new(&vouched);
        vouched_endorse(&vouched, "network");
        vouched_round(&vouched);
        if (at < 2)
            parted(&vouched.bruno, parted_ways[at], "Ana");
        else
            parted(&vouched.ana, parted_ways[at - 2], "Bruno");
        vouched_round(&vouched);
        assert_string_equal(vouched_state(&vouched.bruno, room), "pending");
        assert_false(vouched_holds_words(&vouched.chie));
        vouched_decide(&vouched.bruno, "endorsement.accept", "peers");
        vouched_round(&vouched);
        assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 1);
        vouched_decide(&vouched.bruno, "endorsement.set-aside", NULL);
        vouched_round(&vouched);
        assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 0);
        vouched_free(&vouched);
    }
}

/* Decided, not yet told to a reader who is then removed or blocked: she never holds a word. */
static void a_reader_who_was_removed_reads_nothing_decided_since(void **state)
{
    (void)state;
    for (size_t at = 0; at < 2; at++) {
        struct vouched vouched;

        vouched_new(&vouched);
        vouched_endorse(&vouched, "network");
        meeting_carry(&vouched.ana, &vouched.bruno);
        parted(&vouched.bruno, parted_ways[at], "Chie");
        vouched_decide(&vouched.bruno, "endorsement.accept", "network");
        vouched_round(&vouched);
        assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 0);
        assert_false(vouched_holds_words(&vouched.chie));
        vouched_free(&vouched);
    }
}

/* The reader ends it while the show is under way: it does not come any more. */
static void a_show_under_way_ends_with_the_link(void **state)
{
    (void)state;
    for (size_t at = 0; at < 2; at++) {
        struct vouched vouched;

        vouched_new(&vouched);
        vouched_endorse(&vouched, "network");
        meeting_carry(&vouched.ana, &vouched.bruno);
        vouched_decide(&vouched.bruno, "endorsement.accept", "network");
        parted(&vouched.chie, parted_ways[at], "Bruno");
        vouched_round(&vouched);
        assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 0);
        assert_false(vouched_holds_words(&vouched.chie));
        assert_int_equal(vouched_shown_to(&vouched.bruno), 1);
        vouched_free(&vouched);
    }
}

/* The link ends while the revocation is under way. Its issuer has it as revoked; whoever is a peer
 * of the issuer sees it no more; the subject, who never heard, shows it until it expires: the
 * honest limit of DESIGN 10. */
static void a_revocation_under_way_reaches_the_issuers_peers_only(void **state)
{
    struct vouched vouched;
    char room[32];

    (void)state;
    vouched_new(&vouched);
    meeting_link(&vouched.ana, &vouched.chie);
    vouched_endorse(&vouched, "network");
    vouched_round(&vouched);
    vouched_decide(&vouched.bruno, "endorsement.accept", "network");
    vouched_round(&vouched);
    assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 1);
    assert_int_equal(vouched_op(&vouched.ana, "endorsement.revoke", "given", NULL), OP_DONE);
    parted(&vouched.bruno, "peer.block", "Ana");
    vouched_round(&vouched);
    meeting_carry(&vouched.ana, &vouched.chie);
    assert_string_equal(vouched_state(&vouched.bruno, room), "accepted");
    assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 0);
    vouched_free(&vouched);
}

/* Linked again: what was taken back meanwhile is heard of, and shown by nobody. */
static void a_revocation_is_heard_when_they_are_linked_again(void **state)
{
    struct vouched vouched;
    char room[32];

    (void)state;
    vouched_new(&vouched);
    vouched_endorse(&vouched, "network");
    vouched_round(&vouched);
    vouched_decide(&vouched.bruno, "endorsement.accept", "network");
    vouched_round(&vouched);
    parted(&vouched.ana, "peer.remove", "Bruno");
    assert_int_equal(vouched_op(&vouched.ana, "endorsement.revoke", "given", NULL), OP_DONE);
    vouched_round(&vouched);
    assert_string_equal(vouched_state(&vouched.bruno, room), "accepted");
    member_set_link(&vouched.ana, &vouched.bruno, LINK_LINKED);
    member_set_link(&vouched.bruno, &vouched.ana, LINK_LINKED);
    member_grant(&vouched.ana, &vouched.bruno);
    vouched_round(&vouched);
    assert_string_equal(vouched_state(&vouched.bruno, room), "revoked");
    assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 0);
    vouched_free(&vouched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_that_comes_after_the_end_is_nothing),
        cmocka_unit_test(what_had_arrived_is_still_its_subjects_to_decide),
        cmocka_unit_test(a_reader_who_was_removed_reads_nothing_decided_since),
        cmocka_unit_test(a_show_under_way_ends_with_the_link),
        cmocka_unit_test(a_revocation_under_way_reaches_the_issuers_peers_only),
        cmocka_unit_test(a_revocation_is_heard_when_they_are_linked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
