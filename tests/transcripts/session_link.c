/* Conversations that make a link, word for word; see session.c beside this. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/session_pair.h"

static void an_invitation_is_claimed_and_linked(void **state)
{
    struct session_pair *pair = session_pair_new();

    (void)state;
    session_pair_write(pair, ANA, ANA_CARD, 1, 20, 1);
    session_pair_connect(pair, SESSION_INVITER, SESSION_ACCEPTOR);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana: link? claim\n"
                                        "ana> identity\n"
                                        "ana> link with secret\n"
                                        "ben: confirmed\n"
                                        "ben: link? message\n"
                                        "ben> link\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana: link? message\n"
                                        "ana> hello\n"
                                        "ana> marks ana-card:1\n"
                                        "ben> marks\n"
                                        "ana> totals 1\n"
                                        "ana> log 0 is ana-card\n"
                                        "ana> batch 0 from 0 +1\n"
                                        "ben: commit ana-card:1\n"
                                        "ben: in step\n"
                                        "ben> ack 0:1\n"
                                        "ana: delivered ana-card:1\n"
                                        "ana: in step\n"));
    session_pair_free(pair);
}

/* PROTOCOL LINK-5: ben is syncing already while ana's node still stores. */
static void an_early_hello_waits(void **state)
{
    struct session_pair *pair = session_pair_new();

    (void)state;
    session_pair_connect(pair, SESSION_INVITER, SESSION_ACCEPTOR);
    session_pair_answer(pair, ANA);
    pair->sides[ANA].holds_answer = true;
    session_pair_run(pair);
    assert_true(session_is_linking(pair->sides[ANA].session));
    assert_false(session_is_linking(pair->sides[BEN].session));
    pair->sides[ANA].holds_answer = false;
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana: link? claim\n"
                                        "ana> identity\n"
                                        "ana> link with secret\n"
                                        "ben: confirmed\n"
                                        "ben: link? message\n"
                                        "ben> link\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana: link? message\n"
                                        "ana: in step\n"
                                        "ana> hello\n"
                                        "ben: in step\n"));
    session_pair_free(pair);
}

static void a_link_that_broke_off_is_repeated(void **state)
{
    struct session_pair *pair = session_pair_new();

    (void)state;
    pair->sides[BEN].holds_answer = true;
    session_pair_connect(pair, SESSION_INVITER, SESSION_ACCEPTOR);
    session_pair_run(pair);
    pair->sides[BEN].holds_answer = false;
    session_pair_connect(pair, SESSION_INVITER, SESSION_ACCEPTOR);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana: link? claim\n"
                                        "ana> identity\n"
                                        "ana> link with secret\n"
                                        "ben: confirmed\n"
                                        "ben: link? message\n"
                                        "ana: link? claim\n"
                                        "ana> identity\n"
                                        "ana> link with secret\n"
                                        "ben: confirmed\n"
                                        "ben: link? message\n"
                                        "ben> link\n"
                                        "ben> hello\n"
                                        "ana: confirmed\n"
                                        "ana: link? message\n"
                                        "ana: in step\n"
                                        "ana> hello\n"
                                        "ben: in step\n"));
    session_pair_free(pair);
}

static void a_spent_invitation_is_refused(void **state)
{
    struct session_pair *pair = session_pair_new();

    (void)state;
    pair->sides[ANA].is_refusing = true;
    pair->sides[ANA].refusal = REFUSAL_SPENT;
    session_pair_connect(pair, SESSION_INVITER, SESSION_ACCEPTOR);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana: link? claim\n"
                                        "ana> identity\n"
                                        "ana> refused spent\n"
                                        "ana> bye 1\n"
                                        "ana: end, refused\n"
                                        "ben: confirmed\n"
                                        "ben: refused spent\n"
                                        "ben: end, refused\n"));
    session_pair_free(pair);
}

static void an_acceptor_may_refuse_too(void **state)
{
    struct session_pair *pair = session_pair_new();

    (void)state;
    pair->sides[BEN].is_refusing = true;
    pair->sides[BEN].refusal = REFUSAL_BLOCKED;
    session_pair_connect(pair, SESSION_INVITER, SESSION_ACCEPTOR);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana: link? claim\n"
                                        "ana> identity\n"
                                        "ana> link with secret\n"
                                        "ben: confirmed\n"
                                        "ben: link? message\n"
                                        "ben: refused blocked\n"
                                        "ben> bye 1\n"
                                        "ben: end, refused\n"
                                        "ana: confirmed\n"
                                        "ana: end, done\n"));
    session_pair_free(pair);
}

/* PROTOCOL LINK-7: nothing is answered but that a rule was broken. */
static void somebody_elses_space_ends_the_session(void **state)
{
    struct session_pair *pair = session_pair_new();

    (void)state;
    pair->sides[BEN].finds_forged = true;
    session_pair_connect(pair, SESSION_INVITER, SESSION_ACCEPTOR);
    session_pair_run(pair);
    assert_true(session_pair_said(pair, "ana: link? claim\n"
                                        "ana> identity\n"
                                        "ana> link with secret\n"
                                        "ben: confirmed\n"
                                        "ben: link? message\n"
                                        "ben> bye 3\n"
                                        "ben: end, violation LINK-7\n"
                                        "ana: confirmed\n"
                                        "ana: end, done\n"));
    session_pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invitation_is_claimed_and_linked),
        cmocka_unit_test(an_early_hello_waits),
        cmocka_unit_test(a_link_that_broke_off_is_repeated),
        cmocka_unit_test(a_spent_invitation_is_refused),
        cmocka_unit_test(an_acceptor_may_refuse_too),
        cmocka_unit_test(somebody_elses_space_ends_the_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
