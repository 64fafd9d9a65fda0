/* The three steps of a link, on two real ledgers: each repeated, each refusal, each bound of what
 * the other side may tell. What passes between the two is carried by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/amend.h"
#include "node/link.h"
#include "node/link_join.h"
#include "proto/contact.h"
#include "proto/limits.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "tests/sim/meeting.h"

typedef enum err (*link_step_fn)(struct ledger_txn *txn, const struct link_request *request,
                                 struct link_answer *out);

/* An inviter, an acceptor, somebody else with the same text; and what each knows of the other. */
struct link_pair {
    struct member ana, ben, eve;
    struct id invitation, acceptance;
    struct buf identities[3];
    uint64_t expires_s;
};

static void link_learn(struct link_pair *pair, size_t index, struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);

    assert_int_equal(view_identity(&snapshot, &pair->identities[index]), ERR_OK);
    ledger_snapshot_end(&snapshot);
}

static void link_write(struct member *member, uint8_t kind, const struct id *id, uint8_t field,
                       uint64_t number)
{
    struct ledger_txn *txn = member_begin(member);
    struct amend amend;

    amend_begin(&amend, txn, ledger_self_space(member->ledger), kind, id);
    amend_number(&amend, field, number);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void link_write_secret(struct member *member, const struct id *invitation)
{
    static const uint8_t secret[INVITATION_SECRET_SIZE] = {7};
    struct ledger_txn *txn = member_begin(member);
    struct amend amend;

    amend_begin(&amend, txn, ledger_self_space(member->ledger), KIND_INVITATION, invitation);
    amend_bytes(&amend, INVITATION_SECRET, span_of(secret, sizeof secret));
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void link_pair_new(struct link_pair *pair)
{
    *pair = (struct link_pair){.invitation = {{1}}, .acceptance = {{2}}};
    meeting_new(&pair->ana, 1, "Ana");
    meeting_new(&pair->ben, 2, "Ben");
    meeting_new(&pair->eve, 3, "Eve");
    link_learn(pair, 0, &pair->ana);
    link_learn(pair, 1, &pair->ben);
    link_learn(pair, 2, &pair->eve);
    pair->expires_s = pair->ana.now_ms / 1000 + 3600;
    link_write_secret(&pair->ana, &pair->invitation);
    link_write(&pair->ana, KIND_INVITATION, &pair->invitation, INVITATION_EXPIRES, pair->expires_s);
    link_write(&pair->ana, KIND_INVITATION, &pair->invitation, INVITATION_STATE, INVITATION_OPEN);
    link_write(&pair->ben, KIND_ACCEPTANCE, &pair->acceptance, ACCEPTANCE_STATE,
               ACCEPTANCE_PENDING);
}

static void link_pair_free(struct link_pair *pair)
{
    member_free(&pair->ana);
    member_free(&pair->ben);
    member_free(&pair->eve);
    for (size_t at = 0; at < 3; at++)
        buf_release(&pair->identities[at]);
}

static struct link_request link_ask(struct link_pair *pair, const struct id *source, size_t of)
{
    struct link_request request = {.invitation = *source};

    request.identity = buf_span(&pair->identities[of]);
    assert_int_equal(device_read_identity(request.identity, &request.chain, &request.next_root),
                     ERR_OK);
    return request;
}

/* One step in a commit of its own. */
static struct link_answer *link_do(struct member *member, link_step_fn step,
                                   const struct link_request *request, struct link_answer *out)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(step(txn, request, out), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    return out;
}

static void link_refuses(struct member *member, link_step_fn step,
                         const struct link_request *request, enum refusal refusal)
{
    struct link_answer answer;

    link_do(member, step, request, &answer);
    assert_true(answer.is_refused);
    assert_int_equal(answer.refusal, refusal);
    assert_false(answer.has_message);
}

static struct peer link_peer(struct member *member, const struct member *other)
{
    struct peer peer = {0};

    (void)meeting_peer(member, other, &peer);
    return peer;
}

static uint64_t link_invitation_state(struct link_pair *pair)
{
    struct snapshot snapshot = member_snapshot(&pair->ana);
    struct object invitation = {0};
    uint32_t number;
    uint64_t found;

    assert_int_equal(row_get(&snapshot, ledger_self_space(pair->ana.ledger), KIND_INVITATION,
                             &pair->invitation, &invitation, &number),
                     ERR_OK);
    found = object_number(&invitation, INVITATION_STATE);
    object_release(&invitation);
    ledger_snapshot_end(&snapshot);
    return found;
}

/* All three steps; the answers' spans live as long as the answers. */
static void link_whole(struct link_pair *pair)
{
    struct link_answer claimed, made, completed;
    struct link_request request = link_ask(pair, &pair->invitation, 1);

    link_do(&pair->ana, link_claim, &request, &claimed);
    request = link_ask(pair, &pair->acceptance, 0);
    request.message = claimed.message;
    link_do(&pair->ben, link_make, &request, &made);
    assert_false(made.is_refused);
    request = link_ask(pair, &pair->invitation, 1);
    request.message = made.message;
    link_do(&pair->ana, link_complete, &request, &completed);
    assert_false(completed.is_refused);
}

static void three_steps_make_a_link_on_both_sides(void **state)
{
    struct link_pair pair;
    struct peer at_ana, at_ben;

    (void)state;
    link_pair_new(&pair);
    link_whole(&pair);
    at_ana = link_peer(&pair.ana, &pair.ben);
    at_ben = link_peer(&pair.ben, &pair.ana);
    assert_int_equal(at_ana.state, LINK_LINKED);
    assert_int_equal(at_ben.state, LINK_LINKED);
    assert_int_equal(at_ana.level, LINK_INVITED);
    assert_memory_equal(at_ana.secret, at_ben.secret, KEY_SIZE);
    assert_memory_equal(at_ana.pair_out.bytes, at_ben.pair_in.bytes, ID_SIZE);
    assert_memory_equal(at_ana.pair_in.bytes, at_ben.pair_out.bytes, ID_SIZE);
    assert_string_equal(at_ana.name, "Ben");
    assert_string_equal(at_ben.name, "Ana");
    assert_false(at_ana.is_confirmed || at_ben.is_confirmed);
    assert_int_equal(link_invitation_state(&pair), INVITATION_CLAIMED);
    /* Each can read the other's card now. */
    meeting_carry(&pair.ana, &pair.ben);
    json_decref(meeting_op(&pair.ben, "peer.show", json_pack("{s:s}", "who", "Ana"), NULL));
    link_pair_free(&pair);
}

/* PROTOCOL INVITE-3: "tells the same bytes as often as that root asks" */
static void every_step_repeats_the_same(void **state)
{
    struct link_answer claimed, again, made, remade, completed;
    struct link_request request;
    struct link_pair pair;
    struct peer before, after;

    (void)state;
    link_pair_new(&pair);
    request = link_ask(&pair, &pair.invitation, 1);
    link_do(&pair.ana, link_claim, &request, &claimed);
    link_do(&pair.ana, link_claim, &request, &again);
    assert_true(claimed.message.has_secret);
    assert_memory_equal(claimed.message.secret, again.message.secret, KEY_SIZE);
    assert_memory_equal(claimed.message.knock, again.message.knock, KEY_SIZE);
    assert_memory_equal(claimed.message.pair_space.bytes, again.message.pair_space.bytes, ID_SIZE);
    request = link_ask(&pair, &pair.acceptance, 0);
    request.message = claimed.message;
    link_do(&pair.ben, link_make, &request, &made);
    link_do(&pair.ben, link_make, &request, &remade);
    assert_false(made.message.has_secret);
    assert_memory_equal(made.message.pair_space.bytes, remade.message.pair_space.bytes, ID_SIZE);
    request = link_ask(&pair, &pair.invitation, 1);
    request.message = made.message;
    link_do(&pair.ana, link_complete, &request, &completed);
    before = link_peer(&pair.ana, &pair.ben);
    link_do(&pair.ana, link_complete, &request, &completed);
    after = link_peer(&pair.ana, &pair.ben);
    assert_memory_equal(before.contact.bytes, after.contact.bytes, ID_SIZE);
    assert_memory_equal(before.secret, after.secret, KEY_SIZE);
    link_pair_free(&pair);
}

static void a_claimed_or_spent_invitation_is_nobody_elses(void **state)
{
    struct link_request request, other;
    struct link_answer answer;
    struct link_pair pair;
    struct ledger_txn *txn;

    (void)state;
    link_pair_new(&pair);
    request = link_ask(&pair, &pair.invitation, 1);
    other = link_ask(&pair, &pair.invitation, 2);
    link_do(&pair.ana, link_claim, &request, &answer);
    link_refuses(&pair.ana, link_claim, &other, REFUSAL_SPENT);
    assert_int_equal(link_peer(&pair.ana, &pair.eve).state, 0);
    /* Confirmed: spent, for whoever claimed it, too, and the drawn secret is forgotten. */
    link_whole(&pair);
    txn = member_begin(&pair.ana);
    assert_int_equal(link_confirmed(txn, &pair.ben.secrets.member, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(link_invitation_state(&pair), INVITATION_SPENT);
    assert_true(link_peer(&pair.ana, &pair.ben).is_confirmed);
    link_refuses(&pair.ana, link_claim, &request, REFUSAL_SPENT);
    link_refuses(&pair.ana, link_claim, &other, REFUSAL_SPENT);
    link_pair_free(&pair);
}

/* PROTOCOL INVITE-5: whoever claimed, and was removed before the first session, does not come back
 * by claiming again. */
static void whoever_was_removed_claims_no_more(void **state)
{
    struct link_request request;
    struct link_answer answer;
    struct link_pair pair;
    struct ledger_txn *txn;

    (void)state;
    link_pair_new(&pair);
    request = link_ask(&pair, &pair.invitation, 1);
    link_do(&pair.ana, link_claim, &request, &answer);
    txn = member_begin(&pair.ana);
    assert_int_equal(link_join_cut(txn, &pair.ben.secrets.member, LINK_REMOVED), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(link_invitation_state(&pair), INVITATION_REVOKED);
    link_refuses(&pair.ana, link_claim, &request, REFUSAL_REVOKED);
    assert_int_equal(link_peer(&pair.ana, &pair.ben).state, LINK_REMOVED);
    link_pair_free(&pair);
}

/* At the second it ends it is over; claimed in time, it is answered however late. */
static void an_invitation_ends_in_its_second(void **state)
{
    struct link_request request;
    struct link_answer answer;
    struct link_pair pair;

    (void)state;
    for (int late = 0; late < 2; late++) {
        link_pair_new(&pair);
        request = link_ask(&pair, &pair.invitation, 1);
        /* member_begin goes on by a second. */
        pair.ana.now_ms = pair.expires_s * 1000 - 1000 - (late == 0);
        if (late)
            link_refuses(&pair.ana, link_claim, &request, REFUSAL_EXPIRED);
        else
            assert_false(link_do(&pair.ana, link_claim, &request, &answer)->is_refused);
        pair.ana.now_ms += UINT64_C(40) * MS_PER_DAY;
        assert_int_equal(link_do(&pair.ana, link_claim, &request, &answer)->is_refused, late);
        assert_int_equal(link_peer(&pair.ana, &pair.ben).state, late ? 0 : LINK_LINKED);
        link_pair_free(&pair);
    }
}

static void taken_back_own_and_blocked_are_refused_and_leave_nothing(void **state)
{
    struct link_request request;
    struct link_pair pair;

    (void)state;
    link_pair_new(&pair);
    request = link_ask(&pair, &pair.invitation, 0);
    link_refuses(&pair.ana, link_claim, &request, REFUSAL_SELF);
    link_write(&pair.ana, KIND_INVITATION, &pair.invitation, INVITATION_STATE, INVITATION_REVOKED);
    request = link_ask(&pair, &pair.invitation, 1);
    link_refuses(&pair.ana, link_claim, &request, REFUSAL_REVOKED);
    assert_int_equal(link_peer(&pair.ana, &pair.ben).state, 0);
    /* The acceptor meets itself, or whom it blocked. */
    request = link_ask(&pair, &pair.acceptance, 1);
    link_refuses(&pair.ben, link_make, &request, REFUSAL_SELF);
    link_write(&pair.ana, KIND_INVITATION, &pair.invitation, INVITATION_STATE, INVITATION_OPEN);
    link_whole(&pair);
    member_set_link(&pair.ben, &pair.ana, LINK_BLOCKED);
    request = link_ask(&pair, &pair.acceptance, 0);
    link_refuses(&pair.ben, link_make, &request, REFUSAL_BLOCKED);
    /* Whoever is blocked is told no more than anybody whose invitation is spent. */
    member_set_link(&pair.ana, &pair.ben, LINK_BLOCKED);
    request = link_ask(&pair, &pair.invitation, 1);
    link_refuses(&pair.ana, link_claim, &request, REFUSAL_SPENT);
    /* What the acceptor tells comes too late when the link was taken back meanwhile. */
    link_refuses(&pair.ana, link_complete, &request, REFUSAL_REVOKED);
    link_pair_free(&pair);
}

static void an_unknown_invitation_is_an_error_and_writes_nothing(void **state)
{
    const struct id unknown = {{0x77}};
    struct link_request request;
    struct link_answer answer;
    struct ledger_txn *txn;
    struct link_pair pair;

    (void)state;
    link_pair_new(&pair);
    request = link_ask(&pair, &unknown, 1);
    txn = member_begin(&pair.ana);
    assert_int_equal(link_claim(txn, &request, &answer), ERR_NOT_FOUND);
    ledger_abort(txn);
    txn = member_begin(&pair.ana);
    assert_int_equal(link_complete(txn, &request, &answer), ERR_NOT_FOUND);
    ledger_abort(txn);
    assert_int_equal(link_peer(&pair.ana, &pair.ben).state, 0);
    /* Confirming what is not linked writes no link. */
    txn = member_begin(&pair.ana);
    assert_int_equal(link_confirmed(txn, &pair.ben.secrets.member, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(link_peer(&pair.ana, &pair.ben).state, 0);
    link_pair_free(&pair);
}

static void each_refusal_settles_the_acceptance_and_is_told_once(void **state)
{
    static const uint64_t settled[] = {
        [REFUSAL_SPENT] = ACCEPTANCE_REFUSED_SPENT,
        [REFUSAL_EXPIRED] = ACCEPTANCE_REFUSED_EXPIRED,
        [REFUSAL_REVOKED] = ACCEPTANCE_REFUSED_EXPIRED,
        [REFUSAL_SELF] = ACCEPTANCE_DROPPED,
        [REFUSAL_BLOCKED] = ACCEPTANCE_DROPPED,
    };

    (void)state;
    for (int refusal = REFUSAL_SPENT; refusal <= REFUSAL_BLOCKED; refusal++) {
        struct object acceptance = {0};
        struct link_pair pair;
        struct snapshot snapshot;
        struct ledger_txn *txn;
        json_t *log;
        uint32_t number;

        link_pair_new(&pair);
        txn = member_begin(&pair.ben);
        assert_int_equal(link_refused(txn, &pair.acceptance, (enum refusal)refusal), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        snapshot = member_snapshot(&pair.ben);
        assert_int_equal(row_get(&snapshot, ledger_self_space(pair.ben.ledger), KIND_ACCEPTANCE,
                                 &pair.acceptance, &acceptance, &number),
                         ERR_OK);
        assert_int_equal(object_number(&acceptance, ACCEPTANCE_STATE), settled[refusal]);
        object_release(&acceptance);
        ledger_snapshot_end(&snapshot);
        log = meeting_op(&pair.ben, "log", json_object(), NULL);
        assert_int_equal(json_array_size(json_object_get(log, "events")), 1);
        json_decref(log);
        link_pair_free(&pair);
    }
}

/* PROTOCOL INVITE-4: "Of two link secrets for one pair the one with the lesser
 * HASH(kith secret, secret) is used; the other is still accepted." */
static void of_two_secrets_both_sides_choose_the_same(void **state)
{
    uint8_t first[KEY_SIZE] = {1}, second[KEY_SIZE] = {2};
    struct link_request request;
    struct link_answer answer;
    struct link_pair pair;
    struct peer peer;

    (void)state;
    assert_int_not_equal(link_secret_counts(first, second), link_secret_counts(second, first));
    assert_true(link_secret_counts(first, first));
    link_pair_new(&pair);
    link_whole(&pair);
    peer = link_peer(&pair.ben, &pair.ana);
    request = link_ask(&pair, &pair.acceptance, 0);
    request.message = (struct link_message){.pair_space = peer.pair_in,
                                            .card_space = peer.card_in,
                                            .name = span_str("Ana"),
                                            .has_secret = true};
    memcpy(request.message.secret, first, KEY_SIZE);
    link_do(&pair.ben, link_make, &request, &answer);
    peer = link_peer(&pair.ben, &pair.ana);
    assert_true(peer.has_secret && peer.has_secret_old);
    assert_true(link_secret_counts(peer.secret, peer.secret_old));
    assert_true(memcmp(peer.secret, first, KEY_SIZE) == 0 ||
                memcmp(peer.secret_old, first, KEY_SIZE) == 0);
    link_pair_free(&pair);
}

static size_t link_contacts(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    uint64_t count = 0;

    assert_int_equal(view_contact_count(&snapshot, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

/* Ana's invitation is for a contact that she has by this name. */
static void link_invite(struct link_pair *pair, const char *name)
{
    struct ledger_txn *txn;
    struct amend amend;
    struct id wanted;

    assert_int_equal(member_add_contact(&pair->ana, name, NULL, &wanted), ERR_OK);
    txn = member_begin(&pair->ana);
    amend_begin(&amend, txn, ledger_self_space(pair->ana.ledger), KIND_INVITATION,
                &pair->invitation);
    amend_bytes(&amend, INVITATION_CONTACT, span_of(wanted.bytes, ID_SIZE));
    amend_text(&amend, INVITATION_NAME, span_str(name));
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* The contact that was wanted is taken and keeps its name; linking again makes no second one. */
static void the_wanted_contact_is_linked_and_keeps_its_name(void **state)
{
    struct link_pair pair;
    json_t *shown;

    (void)state;
    link_pair_new(&pair);
    link_invite(&pair, "Benny from the choir");
    link_whole(&pair);
    assert_int_equal(link_contacts(&pair.ana), 1);
    shown = meeting_op(&pair.ana, "contact.show", json_pack("{s:s}", "who", "benny"), NULL);
    assert_true(json_is_true(json_object_get(shown, "peer")));
    assert_string_equal(json_string_value(json_object_get(shown, "name")), "Benny from the choir");
    json_decref(shown);
    link_whole(&pair);
    assert_int_equal(link_contacts(&pair.ana), 1);
    assert_int_equal(link_contacts(&pair.ben), 1);
    link_pair_free(&pair);
}

/* The power may go, or the other side, before the acceptor's own message comes: the inviter finds
 * the peer all the same, and may end the link. */
static void a_peer_who_only_claimed_goes_by_the_name_they_were_invited_by(void **state)
{
    struct link_request request;
    struct link_answer claimed;
    struct link_pair pair;
    enum op_code code;
    json_t *shown;

    (void)state;
    link_pair_new(&pair);
    link_invite(&pair, "Benny");
    request = link_ask(&pair, &pair.invitation, 1);
    link_do(&pair.ana, link_claim, &request, &claimed);
    shown = meeting_op(&pair.ana, "peer.show", json_pack("{s:s}", "who", "benny"), NULL);
    assert_string_equal(json_string_value(json_object_get(shown, "name")), "Benny");
    assert_string_equal(json_string_value(json_object_get(shown, "state")), "pending");
    json_decref(shown);
    json_decref(meeting_op(&pair.ana, "peer.remove", json_pack("{s:s}", "who", "benny"), &code));
    assert_int_equal(code, OP_DONE);
    assert_int_equal(link_peer(&pair.ana, &pair.ben).state, LINK_REMOVED);
    link_pair_free(&pair);
}

/* PROTOCOL LINK-7: "each is new to its reader or known as that space of its sender." */
static void a_link_message_takes_nobodys_space(void **state)
{
    struct link_request at_ana, at_ben;
    struct link_answer answer;
    struct link_pair pair;
    struct id eves, told[4][2] = {{{{0x51}}, {{0x51}}}};

    (void)state;
    link_pair_new(&pair);
    meeting_link(&pair.ana, &pair.eve);
    meeting_link(&pair.ben, &pair.eve);
    eves = member_card_space(&pair.eve);
    told[1][0] = told[2][0] = (struct id){{0x51}};
    told[1][1] = eves;
    told[2][1] = member_card_space(&pair.ana);
    told[3][0] = eves; /* As a pair space, beside a new card space. */
    told[3][1] = (struct id){{0x52}};
    at_ana = link_ask(&pair, &pair.invitation, 1);
    at_ben = link_ask(&pair, &pair.acceptance, 0);
    link_do(&pair.ana, link_claim, &at_ana, &answer);
    for (size_t at = 0; at < 4; at++) {
        struct ledger_txn *txn = member_begin(&pair.ana);

        at_ana.message = (struct link_message){
            .pair_space = told[at][0], .card_space = told[at][1], .name = span_str("Ben")};
        at_ben.message = at_ana.message;
        at_ben.message.has_secret = true;
        assert_int_equal(link_complete(txn, &at_ana, &answer), ERR_FORGED);
        ledger_abort(txn);
        if (at == 2)
            continue; /* Ana's card space is hers to tell. */
        txn = member_begin(&pair.ben);
        assert_int_equal(link_make(txn, &at_ben, &answer), ERR_FORGED);
        ledger_abort(txn);
    }
    assert_int_equal(link_peer(&pair.ben, &pair.ana).state, 0);
    assert_false(link_peer(&pair.ana, &pair.ben).has_card_in);
    /* Nothing was spoilt: the honest message still makes the link. */
    link_whole(&pair);
    assert_true(link_peer(&pair.ana, &pair.ben).has_card_in);
    link_pair_free(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_steps_make_a_link_on_both_sides),
        cmocka_unit_test(every_step_repeats_the_same),
        cmocka_unit_test(a_claimed_or_spent_invitation_is_nobody_elses),
        cmocka_unit_test(whoever_was_removed_claims_no_more),
        cmocka_unit_test(an_invitation_ends_in_its_second),
        cmocka_unit_test(taken_back_own_and_blocked_are_refused_and_leave_nothing),
        cmocka_unit_test(an_unknown_invitation_is_an_error_and_writes_nothing),
        cmocka_unit_test(each_refusal_settles_the_acceptance_and_is_told_once),
        cmocka_unit_test(of_two_secrets_both_sides_choose_the_same),
        cmocka_unit_test(the_wanted_contact_is_linked_and_keeps_its_name),
        cmocka_unit_test(a_peer_who_only_claimed_goes_by_the_name_they_were_invited_by),
        cmocka_unit_test(a_link_message_takes_nobodys_space),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
