/* An introduction becomes a link: stored by each side alone, beside or in place of what was there;
 * and parting. The machines that decide when are in introduction_search and
 * introduction_twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/amend.h"
#include "node/link_join.h"
#include "proto/limits.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "tests/sim/meeting.h"

static const uint8_t join_address[7] = {4, 203, 0, 113, 77, 0x15, 0x6c};

/* Ana hears Ben's hello; Iris introduced them. */
struct join_scene {
    struct member ana, ben, iris;
    struct buf identity;
    struct introduction_hello hello;
    struct id introduction, pair_out, source;
    uint8_t secret[KEY_SIZE], call[INVITATION_SECRET_SIZE];
    struct link_join join;
};

static void join_scene_new(struct join_scene *scene)
{
    struct snapshot snapshot;

    *scene =
        (struct join_scene){.introduction = {{0x11}}, .pair_out = {{0x21}}, .source = {{0x31}}};
    meeting_new(&scene->ana, 1, "Ana");
    meeting_new(&scene->ben, 2, "Ben");
    meeting_new(&scene->iris, 3, "Iris");
    snapshot = member_snapshot(&scene->ben);
    assert_int_equal(view_identity(&snapshot, &scene->identity), ERR_OK);
    ledger_snapshot_end(&snapshot);
    scene->hello = (struct introduction_hello){.identity = buf_span(&scene->identity),
                                               .pair_space = {{0x41}},
                                               .card_space = member_card_space(&scene->ben),
                                               .addresses = span_of(join_address, 7),
                                               .name = span_str("Ben")};
    assert_int_equal(
        device_read_identity(scene->hello.identity, &scene->hello.chain, &scene->hello.next_root),
        ERR_OK);
    memset(scene->secret, 0x51, sizeof scene->secret);
    memset(scene->call, 0x61, sizeof scene->call);
    scene->join = (struct link_join){.introducer = &scene->iris.secrets.member,
                                     .introduction = &scene->introduction,
                                     .hello = &scene->hello,
                                     .pair_out = &scene->pair_out,
                                     .secret = scene->secret,
                                     .call = scene->call,
                                     .source = &scene->source};
}

static void join_scene_free(struct join_scene *scene)
{
    member_free(&scene->ana);
    member_free(&scene->ben);
    member_free(&scene->iris);
    buf_release(&scene->identity);
}

static void join_do(struct join_scene *scene)
{
    struct ledger_txn *txn = member_begin(&scene->ana);

    assert_int_equal(link_join(txn, &scene->join), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static struct peer join_peer(struct join_scene *scene)
{
    struct peer peer = {0};

    (void)meeting_peer(&scene->ana, &scene->ben, &peer);
    return peer;
}

static size_t join_vouchers(struct join_scene *scene)
{
    json_t *shown = meeting_op(&scene->ana, "peer.show", json_pack("{s:s}", "who", "Ben"), NULL);
    size_t count = json_array_size(json_object_get(shown, "vouchers"));

    json_decref(shown);
    return count;
}

static void join_confirm(struct join_scene *scene)
{
    struct ledger_txn *txn = member_begin(&scene->ana);

    assert_int_equal(link_confirmed(txn, &scene->ben.secrets.member, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void strangers_become_linked_and_waiting_for_the_first_session(void **state)
{
    struct object acceptance = {0};
    struct join_scene scene;
    struct snapshot snapshot;
    struct peer peer;
    uint32_t number;

    (void)state;
    join_scene_new(&scene);
    join_do(&scene);
    peer = join_peer(&scene);
    assert_int_equal(peer.state, LINK_LINKED);
    assert_int_equal(peer.level, LINK_INTRODUCED);
    assert_true(peer.has_via && public_key_is_equal(&peer.via, &scene.iris.secrets.member));
    assert_memory_equal(peer.secret, scene.secret, KEY_SIZE);
    assert_memory_equal(peer.pair_out.bytes, scene.pair_out.bytes, ID_SIZE);
    assert_memory_equal(peer.pair_in.bytes, scene.hello.pair_space.bytes, ID_SIZE);
    assert_memory_equal(peer.pin.bytes, scene.hello.next_root.bytes, HASH_SIZE);
    assert_false(peer.is_confirmed || peer.has_secret_old);
    assert_true(peer.has_contact);
    assert_int_equal(join_vouchers(&scene), 1);
    /* Should my hello never reach them, I call as their invitation's acceptor. */
    snapshot = member_snapshot(&scene.ana);
    assert_int_equal(row_get(&snapshot, ledger_self_space(scene.ana.ledger), KIND_ACCEPTANCE,
                             &scene.source, &acceptance, &number),
                     ERR_OK);
    assert_int_equal(object_number(&acceptance, ACCEPTANCE_STATE), ACCEPTANCE_LINKED);
    assert_true(object_text(&acceptance, ACCEPTANCE_URI).size > 7);
    object_release(&acceptance);
    ledger_snapshot_end(&snapshot);
    join_scene_free(&scene);
}

/* The session stood under a secret that the link spoke under when it was confirmed, and speaks
 * under no more when that is written; or the link has ended by then. */
static void a_session_confirms_the_secret_it_stood_under(void **state)
{
    struct join_scene scene;
    struct hash old, now;

    (void)state;
    join_scene_new(&scene);
    join_do(&scene);
    link_secret_hash((const uint8_t[KEY_SIZE]){1}, &old);
    link_secret_hash(scene.secret, &now);
    for (int at = 0; at < 3; at++) {
        struct ledger_txn *txn = member_begin(&scene.ana);

        if (at == 2)
            assert_int_equal(link_join_cut(txn, &scene.ben.secrets.member, LINK_REMOVED), ERR_OK);
        assert_int_equal(link_confirmed(txn, &scene.ben.secrets.member, at == 0 ? &old : &now),
                         ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        assert_int_equal(join_peer(&scene).is_confirmed, at == 1);
    }
    join_scene_free(&scene);
}

static void joining_again_changes_nothing(void **state)
{
    struct join_scene scene;
    struct peer before, after;
    uint64_t contacts = 0;
    struct snapshot snapshot;

    (void)state;
    join_scene_new(&scene);
    join_do(&scene);
    before = join_peer(&scene);
    join_do(&scene);
    after = join_peer(&scene);
    assert_memory_equal(before.secret, after.secret, KEY_SIZE);
    assert_memory_equal(before.contact.bytes, after.contact.bytes, ID_SIZE);
    assert_int_equal(before.since_ms, after.since_ms);
    snapshot = member_snapshot(&scene.ana);
    assert_int_equal(view_contact_count(&snapshot, &contacts), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(contacts, 1);
    join_scene_free(&scene);
}

/* Both sides hold a link: no key is replaced, whoever introduces. */
static void a_link_on_both_sides_only_gains_a_voucher(void **state)
{
    struct join_scene scene;
    struct peer before, after;

    (void)state;
    join_scene_new(&scene);
    meeting_link(&scene.ana, &scene.ben);
    before = join_peer(&scene);
    scene.join.was_linked = true;
    scene.hello.is_linked = true;
    join_do(&scene);
    after = join_peer(&scene);
    assert_memory_equal(before.secret, after.secret, KEY_SIZE);
    assert_memory_equal(before.pair_in.bytes, after.pair_in.bytes, ID_SIZE);
    assert_int_equal(after.level, LINK_INVITED);
    assert_false(after.has_via);
    assert_int_equal(join_vouchers(&scene), 1);
    join_scene_free(&scene);
}

/* Confirmed, and the other holds it no more: the new secret speaks, the old one is still taken. */
static void a_link_the_other_lost_goes_on_under_the_new_secret(void **state)
{
    struct join_scene scene;
    struct peer before, after;

    (void)state;
    join_scene_new(&scene);
    meeting_link(&scene.ana, &scene.ben);
    join_confirm(&scene);
    before = join_peer(&scene);
    assert_true(before.is_confirmed);
    scene.join.was_linked = true;
    join_do(&scene);
    after = join_peer(&scene);
    assert_memory_equal(after.secret, scene.secret, KEY_SIZE);
    assert_true(after.has_secret_old);
    assert_memory_equal(after.secret_old, before.secret, KEY_SIZE);
    assert_false(after.is_confirmed);
    assert_memory_equal(after.pair_out.bytes, before.pair_out.bytes, ID_SIZE);
    join_scene_free(&scene);
}

/* PROTOCOL INVITE-4, of three secrets: whatever came first, the least two are held in order. */
static void two_introductions_at_once_end_alike_in_either_order(void **state)
{
    struct peer results[2];

    (void)state;
    for (int order = 0; order < 2; order++) {
        struct join_scene scene;

        join_scene_new(&scene);
        memset(scene.secret, order == 0 ? 0x51 : 0x52, KEY_SIZE);
        join_do(&scene);
        memset(scene.secret, order == 0 ? 0x52 : 0x51, KEY_SIZE);
        join_do(&scene);
        results[order] = join_peer(&scene);
        join_scene_free(&scene);
    }
    assert_memory_equal(results[0].secret, results[1].secret, KEY_SIZE);
    assert_memory_equal(results[0].secret_old, results[1].secret_old, KEY_SIZE);
    assert_true(link_secret_counts(results[0].secret, results[0].secret_old));
}

/* They called with their invitation before the other hello came, and a session was confirmed. */
static void a_secret_that_is_held_does_not_push_the_other_out(void **state)
{
    struct join_scene scene;
    struct peer before, after;

    (void)state;
    join_scene_new(&scene);
    join_do(&scene);
    memset(scene.secret, 0x52, KEY_SIZE);
    join_do(&scene);
    join_confirm(&scene);
    before = join_peer(&scene);
    memcpy(scene.secret, before.secret, KEY_SIZE);
    join_do(&scene);
    after = join_peer(&scene);
    assert_memory_equal(after.secret, before.secret, KEY_SIZE);
    assert_memory_equal(after.secret_old, before.secret_old, KEY_SIZE);
    join_scene_free(&scene);
}

static void a_removed_link_is_made_anew_and_the_pair_space_closed_to_the_past(void **state)
{
    struct join_scene scene;
    struct ledger_txn *txn;
    struct peer before, after;

    (void)state;
    join_scene_new(&scene);
    meeting_link(&scene.ana, &scene.ben);
    before = join_peer(&scene);
    txn = member_begin(&scene.ana);
    assert_int_equal(link_join_cut(txn, &scene.ben.secrets.member, LINK_REMOVED), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    after = join_peer(&scene);
    assert_int_equal(after.state, LINK_REMOVED);
    assert_false(after.has_secret || after.has_secret_old || after.is_confirmed);
    join_do(&scene);
    after = join_peer(&scene);
    assert_int_equal(after.state, LINK_LINKED);
    assert_int_equal(after.level, LINK_INTRODUCED);
    assert_memory_equal(after.secret, scene.secret, KEY_SIZE);
    assert_false(after.has_secret_old);
    assert_memory_equal(after.pair_out.bytes, before.pair_out.bytes, ID_SIZE);
    join_scene_free(&scene);
}

static void spaces_of_somebody_else_join_nothing(void **state)
{
    struct join_scene scene;
    struct ledger_txn *txn;

    (void)state;
    join_scene_new(&scene);
    scene.hello.card_space = member_card_space(&scene.ana);
    txn = member_begin(&scene.ana);
    assert_int_equal(link_join(txn, &scene.join), ERR_FORGED);
    ledger_abort(txn);
    assert_int_equal(join_peer(&scene).state, 0);
    join_scene_free(&scene);
}

/* Told that the owner deleted them while their hello was on its way. */
static void whom_the_owner_dropped_meanwhile_is_cut_at_the_first_session(void **state)
{
    struct join_scene scene;
    struct amend amend;
    struct ledger_txn *txn;
    struct id record;

    (void)state;
    for (int is_dropped = 0; is_dropped < 2; is_dropped++) {
        join_scene_new(&scene);
        introduction_record_id(&scene.iris.secrets.member, &scene.introduction, &record);
        join_do(&scene);
        txn = member_begin(&scene.ana);
        amend_begin(&amend, txn, ledger_self_space(scene.ana.ledger), KIND_INTRODUCTION_RECORD,
                    &record);
        amend_number(&amend, RECORD_DROPPED, (uint64_t)is_dropped);
        assert_int_equal(amend_end(&amend, NULL), ERR_OK);
        assert_int_equal(link_join_drop(txn, &scene.ben.secrets.member), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        assert_int_equal(join_peer(&scene).state, is_dropped ? LINK_REMOVED : LINK_LINKED);
        assert_int_equal(join_peer(&scene).has_secret, !is_dropped);
        /* Nobody there, nothing done. */
        txn = member_begin(&scene.ana);
        assert_int_equal(link_join_drop(txn, &scene.iris.secrets.member), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        join_scene_free(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_become_linked_and_waiting_for_the_first_session),
        cmocka_unit_test(a_session_confirms_the_secret_it_stood_under),
        cmocka_unit_test(joining_again_changes_nothing),
        cmocka_unit_test(a_link_on_both_sides_only_gains_a_voucher),
        cmocka_unit_test(a_link_the_other_lost_goes_on_under_the_new_secret),
        cmocka_unit_test(two_introductions_at_once_end_alike_in_either_order),
        cmocka_unit_test(a_secret_that_is_held_does_not_push_the_other_out),
        cmocka_unit_test(a_removed_link_is_made_anew_and_the_pair_space_closed_to_the_past),
        cmocka_unit_test(spaces_of_somebody_else_join_nothing),
        cmocka_unit_test(whom_the_owner_dropped_meanwhile_is_cut_at_the_first_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
