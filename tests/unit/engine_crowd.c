/* A thousand peers at once: all are let in, all get what is committed at once, each commit goes to
 * those it concerns, and the bound on sessions holds. */
#include "tests/unit/engine_crowd.h"

enum { CROWD = 1000 };

/* A removal tells each of the others a new key: a transaction over a thousand logs and more. */
static void crowd_remove(struct crowd *crowd, size_t at)
{
    struct ledger_news news;
    struct ledger_txn *txn = member_begin(&crowd->member);

    assert_int_equal(link_join_cut(txn, &crowd->guests[at].root.public_key, LINK_REMOVED), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, &news), ERR_OK);
    crowd_step(crowd, (struct engine_event){.type = ENGINE_PEERS_CHANGED});
    crowd_step(crowd, (struct engine_event){.type = ENGINE_NEWS, .news = &news});
    crowd_carry(crowd);
}

static void a_commit_goes_to_a_thousand_peers_in_one_step(void **state)
{
    struct crowd *crowd = crowd_new(CROWD);
    struct op_presence *presence = test_calloc(CROWD, sizeof *presence);
    size_t entries[2];

    (void)state;
    for (size_t at = 0; at < CROWD; at++) {
        crowd_enter(crowd, at);
        crowd_carry(crowd);
    }
    assert_int_equal(engine_sessions_count(crowd->engine), CROWD);
    assert_int_equal(engine_presence(crowd->engine, presence, CROWD), CROWD);
    for (size_t at = 0; at < CROWD; at++)
        assert_true(presence[at].is_online && presence[at].is_in_step);
    for (size_t at = 0; at < CROWD; at++) /* What was announced has crossed. */
        assert_true(presence[at].due > 0 && presence[at].done == presence[at].due);
    entries[0] = crowd->guests[0].entries;
    entries[1] = crowd->guests[CROWD - 1].entries;

    crowd->sends = crowd->delivered = 0;
    crowd_commit_card(crowd, "Ana");
    assert_int_equal(crowd->sends, CROWD);
    assert_int_equal(crowd->guests[0].entries, entries[0] + 1);
    assert_int_equal(crowd->guests[CROWD - 1].entries, entries[1] + 1);
    assert_int_equal(engine_presence(crowd->engine, presence, CROWD), CROWD);
    for (size_t at = 0; at < CROWD; at++)
        assert_false(presence[at].is_in_step); /* Nothing is acknowledged yet. */
    crowd_carry(crowd);
    assert_int_equal(crowd->delivered, CROWD);
    assert_int_equal(engine_presence(crowd->engine, presence, CROWD), CROWD);
    for (size_t at = 0; at < CROWD; at++)
        assert_true(presence[at].is_in_step);
    entries[0] = crowd->guests[0].entries;
    crowd_remove(crowd, 500);
    assert_true(crowd->guests[0].entries > entries[0]);
    assert_int_equal(engine_sessions_count(crowd->engine), CROWD - 1);
    test_free(presence);
    crowd_free(crowd);
}

/* One that never acknowledges holds nobody up. */
static void one_deaf_peer_is_no_other_peers_business(void **state)
{
    struct crowd *crowd = crowd_new(20);
    struct op_presence presence[20];
    size_t in_step = 0;

    (void)state;
    for (size_t at = 0; at < 20; at++) {
        crowd_enter(crowd, at);
        crowd_carry(crowd);
    }
    crowd->guests[7].is_deaf = true;
    for (int at = 0; at < 10; at++) {
        crowd_commit_card(crowd, at % 2 == 0 ? "Ana" : "Ana Lima");
        crowd_carry(crowd);
    }
    assert_int_equal(engine_presence(crowd->engine, presence, 20), 20);
    for (size_t at = 0; at < 20; at++)
        in_step += presence[at].is_in_step;
    assert_int_equal(in_step, 19);
    crowd_free(crowd);
}

/* What one pair says is nobody else's: no other session is even looked at. */
static void news_of_one_pair_moves_one_session(void **state)
{
    struct crowd *crowd = crowd_new(20);
    struct snapshot snapshot;
    struct ledger_news news = {.spaces_count = 1};
    struct ledger_txn *txn;
    struct id card;
    struct peer *peer = secret_new(sizeof *peer);
    size_t entries;

    (void)state;
    for (size_t at = 0; at < 20; at++) {
        crowd_enter(crowd, at);
        crowd_carry(crowd);
    }
    snapshot = member_snapshot(&crowd->member);
    assert_int_equal(view_peer(&snapshot, &crowd->guests[5].root.public_key, peer), ERR_OK);
    ledger_snapshot_end(&snapshot);
    news.spaces[0] = peer->pair_out;
    secret_free(peer);
    card = member_card_space(&crowd->member);
    txn = member_begin(&crowd->member);
    assert_int_equal(space_grant(txn, &card, &crowd->guests[5].root.public_key), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    entries = crowd->guests[5].entries;
    crowd->sends = 0;
    crowd_step(crowd, (struct engine_event){.type = ENGINE_NEWS, .news = &news});
    assert_int_equal(crowd->sends, 1);
    assert_int_equal(crowd->guests[5].entries, entries + 1);
    crowd_free(crowd);
}

/* LIMIT-8. Whoever certifies a device for each session a node may have keeps nobody out. */
static void one_member_with_many_devices_keeps_nobody_out(void **state)
{
    enum { DEVICES = ENGINE_SESSIONS_PER_MEMBER_MAX + 7 };
    struct crowd *crowd = crowd_new(DEVICES + 1);

    (void)state;
    assert_int_equal(
        crowd_devices(crowd->member.ledger, crowd->guests, DEVICES, UINT64_C(1700000001000)),
        ERR_OK);
    crowd_step(crowd, (struct engine_event){.type = ENGINE_PEERS_CHANGED});
    for (size_t at = 0; at < DEVICES; at++) {
        crowd_enter(crowd, at);
        crowd_carry(crowd);
    }
    assert_int_equal(engine_sessions_count(crowd->engine), ENGINE_SESSIONS_PER_MEMBER_MAX);
    crowd_enter(crowd, DEVICES);
    crowd_carry(crowd);
    assert_int_equal(engine_sessions_count(crowd->engine), ENGINE_SESSIONS_PER_MEMBER_MAX + 1);
    crowd_free(crowd);
}

/* An open invitation, in the hands of a guest whose device its root certified. */
static void crowd_invite(struct crowd *crowd, struct guest *guest,
                         struct handshake_invitation *keys, struct buf *identity)
{
    static const uint8_t secret[INVITATION_SECRET_SIZE] = {7};
    const struct id id = {{5}};
    struct ledger_txn *txn = member_begin(&crowd->member);
    struct certificate certificate = {.member = guest->root.public_key,
                                      .device = guest->device.public_key,
                                      .certifier = guest->root.public_key,
                                      .time_ms = 1,
                                      .name = span_str("guest")};
    struct buf statement = {0};
    struct hash none = {{0}};
    struct amend amend;
    struct span one;

    amend_begin(&amend, txn, ledger_self_space(crowd->member.ledger), KIND_INVITATION, &id);
    amend_bytes(&amend, INVITATION_SECRET, span_of(secret, sizeof secret));
    amend_number(&amend, INVITATION_EXPIRES, crowd->member.now_ms / 1000 + 3600);
    amend_number(&amend, INVITATION_STATE, INVITATION_OPEN);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    crowd_step(crowd, (struct engine_event){.type = ENGINE_PEERS_CHANGED});
    handshake_invitation(secret, sizeof secret, keys);
    memcpy(certificate.static_key, guest->statics.public_key, KEY_SIZE);
    memcpy(certificate.receiving_key, guest->receiving.public_key, KEY_SIZE);
    assert_int_equal(certificate_issue(&certificate, &guest->root, &statement), ERR_OK);
    one = buf_span(&statement);
    device_put_identity(&certificate.member, &none, &one, 1, identity);
    buf_release(&statement);
}

/* LIMIT-9. The same keys, call after call, under an invitation that is open: nothing is made of it,
 * and whoever is linked still has a place. */
static void one_invitation_keeps_nobody_out(void **state)
{
    enum { CALLS = 40 };
    struct crowd *crowd = crowd_new(CALLS + 1);
    const struct crowd_host host = crowd->host;
    struct handshake_invitation keys;
    struct buf identity = {0};
    size_t most;

    (void)state;
    crowd_invite(crowd, &crowd->guests[0], &keys, &identity);
    memcpy(crowd->host.knock, keys.knock, KEY_SIZE);
    for (size_t at = 0; at < CALLS; at++) {
        if (at > 0)
            crowd->guests[at] = crowd->guests[0];
        crowd->guests[at].handshake = NULL;
        crowd->guests[at].channel = NULL;
        crowd->guests[at].messages = (struct frame_reader){0};
        crowd->guests[at].in = crowd->guests[at].out = (struct buf){0};
        crowd->guests[at].selector = keys.selector;
        crowd->guests[at].identity = buf_span(&identity);
        memcpy(crowd->guests[at].secret, keys.psk, KEY_SIZE);
        crowd_enter(crowd, at);
        crowd_carry(crowd);
    }
    most = engine_sessions_count(crowd->engine);
    assert_in_range(most, 1, 4);
    crowd->now_ms += 130000; /* The writer never answered. */
    crowd_step(crowd, (struct engine_event){.type = ENGINE_WOKEN});
    assert_int_equal(engine_sessions_count(crowd->engine), 0);
    crowd->host = host;
    crowd_enter(crowd, CALLS);
    crowd_carry(crowd);
    assert_int_equal(engine_sessions_count(crowd->engine), 1);
    buf_release(&identity);
    crowd_free(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_goes_to_a_thousand_peers_in_one_step),
        cmocka_unit_test(one_deaf_peer_is_no_other_peers_business),
        cmocka_unit_test(news_of_one_pair_moves_one_session),
        cmocka_unit_test(one_member_with_many_devices_keeps_nobody_out),
        cmocka_unit_test(one_invitation_keeps_nobody_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
