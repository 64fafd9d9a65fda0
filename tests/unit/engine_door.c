/*
 * The engine at its door: who may wait, what is answered, what breaks rules and what comes of it. A
 * guest who holds a link's secrets is played by hand, so that it can do what no kith does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/channel.h"
#include "crypto/handshake.h"
#include "crypto/secret.h"
#include "node/amend.h"
#include "node/engine.h"
#include "node/strangers.h"
#include "node/succession.h"
#include "proto/frame.h"
#include "storage/retire_table.h"
#include "tests/sim/member.h"

enum { HOUR_MS = 3600 * 1000, REFUSED_MS = 500 };

struct door {
    struct member ana, ben, twin;      /* twin: a device of ben's that ana has not heard of */
    struct member *caller;             /* ben or the twin */
    struct engine *engine;             /* ana's */
    struct peer *ana_to_ben;           /* what ben holds of the link */
    const struct exchange_key *called; /* of ana's keys; NULL: the newest */
    uint64_t now_ms;
    conn_id next;
    /* What the last step did. */
    struct buf sent;
    size_t closes, confirmations;
    conn_id closed;
    char kind[32];
    char text[300];
};

/* One connection of ben's to ana. */
struct guest {
    conn_id conn;
    struct handshake *handshake;
    struct channel *channel;
    struct buf first, third;
};

static void door_step(struct door *door, struct engine_event event)
{
    const struct engine_effect *effects;
    size_t count;

    event.now_ms = door->now_ms;
    event.wall_ms = UINT64_C(1700000000000) + door->now_ms;
    assert_int_equal(engine_step(door->engine, &event, &effects, &count), ERR_OK);
    buf_clear(&door->sent);
    door->closes = door->confirmations = 0;
    door->closed = 0;
    for (size_t at = 0; at < count; at++) {
        if (effects[at].type == ENGINE_SEND)
            buf_append(&door->sent, effects[at].bytes);
        if (effects[at].type == ENGINE_INGEST)
            verified_batch_free(effects[at].ingest.batch);
        door->confirmations += effects[at].type == ENGINE_CONFIRMED;
        if (effects[at].type == ENGINE_JOURNAL) {
            memcpy(door->text, effects[at].journal.text, sizeof door->text);
            memcpy(door->kind, effects[at].journal.kind, strlen(effects[at].journal.kind) + 1);
        }
        if (effects[at].type == ENGINE_CLOSE) {
            door->closes++;
            door->closed = effects[at].conn;
        }
    }
}

static struct door *door_new(void)
{
    struct door *door = test_calloc(1, sizeof *door);
    struct engine_options options = {.is_loopback_only = true};
    struct snapshot snapshot;

    member_new(&door->ana, 1, false);
    member_new(&door->ben, 2, false);
    member_link(&door->ana, &door->ben);
    member_grant(&door->ana, &door->ben);
    member_grant(&door->ben, &door->ana);
    (void)member_pull(&door->ana, &door->ben, NULL);
    (void)member_pull(&door->ben, &door->ana, NULL);
    member_twin(&door->twin, &door->ben, 77);
    door->caller = &door->ben;
    options.ledger = door->ana.ledger;
    assert_int_equal(engine_new(&options, &door->engine), ERR_OK);
    door->now_ms = 1000000;
    door_step(door, (struct engine_event){.type = ENGINE_PEERS_CHANGED});
    door->ana_to_ben = secret_new(sizeof *door->ana_to_ben);
    snapshot = member_snapshot(&door->ben);
    assert_int_equal(view_peer(&snapshot, &door->ana.secrets.member, door->ana_to_ben), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return door;
}

static void door_free(struct door *door)
{
    engine_free(door->engine);
    secret_free(door->ana_to_ben);
    member_free(&door->ana);
    member_free(&door->ben);
    member_free(&door->twin);
    buf_release(&door->sent);
    test_free(door);
}

static void door_wake(struct door *door, uint64_t after_ms)
{
    door->now_ms += after_ms;
    door_step(door, (struct engine_event){.type = ENGINE_WOKEN});
}

static conn_id door_accept(struct door *door, uint32_t host)
{
    struct engine_event event = {.type = ENGINE_ACCEPTED,
                                 .address = {.host = {[10] = 0xff, 0xff}, .port = 40000}};

    be32_put(event.address.host + 12, host);
    door->next += 2;
    event.conn = door->next;
    door_step(door, event);
    return door->next;
}

static void door_bytes(struct door *door, conn_id conn, struct span bytes)
{
    door_step(door, (struct engine_event){.type = ENGINE_BYTES, .conn = conn, .bytes = bytes});
}

/* Dials, and keeps message 1 without sending it. */
static void guest_knocks(struct door *door, struct guest *guest, uint32_t host)
{
    const struct exchange_key *called =
        door->called != NULL ? door->called : ledger_static_key(door->ana.ledger);
    struct handshake_dial dial = {.own_static = ledger_static_key(door->caller->ledger),
                                  .remote_static = called->public_key,
                                  .knock = door->ana_to_ben->knock,
                                  .psk = door->ana_to_ben->secret};

    *guest = (struct guest){.conn = door_accept(door, host)};
    guest->handshake = secret_new(sizeof *guest->handshake);
    guest->channel = secret_new(sizeof *guest->channel);
    assert_int_equal(handshake_dial(guest->handshake, &dial, &door->caller->entropy, &guest->first),
                     ERR_OK);
}

/* Up to the session, which ana cannot know yet to be ben's. */
static void guest_enters(struct door *door, struct guest *guest, uint32_t host)
{
    struct handshake_result *result = secret_new(sizeof *result);
    struct snapshot snapshot;
    struct buf identity = {0};

    if (door->caller == &door->twin) {
        snapshot = member_snapshot(&door->twin);
        assert_int_equal(view_identity(&snapshot, &identity), ERR_OK);
        ledger_snapshot_end(&snapshot);
    }
    guest_knocks(door, guest, host);
    door_bytes(door, guest->conn, buf_span(&guest->first));
    assert_int_equal(door->sent.size, HANDSHAKE_SECOND_SIZE);
    assert_int_equal(handshake_finish(guest->handshake, buf_span(&door->sent), buf_span(&identity),
                                      &door->caller->entropy, &guest->third, result),
                     ERR_OK);
    buf_release(&identity);
    channel_init(guest->channel, result->send_key, result->receive_key);
    secret_free(result);
    door_bytes(door, guest->conn, buf_span(&guest->third));
}

static void guest_says(struct door *door, struct guest *guest, struct buf *message)
{
    struct buf sealed = {0};

    assert_int_equal(channel_seal(guest->channel, buf_span(message), false, &sealed), ERR_OK);
    door_bytes(door, guest->conn, buf_span(&sealed));
    buf_release(&sealed);
    buf_release(message);
}

static void guest_breaks_a_rule(struct door *door, struct guest *guest)
{
    struct buf message = {0};

    buf_u32(&message, 1);
    buf_byte(&message, 0xc1); /* What no message begins with. */
    guest_says(door, guest, &message);
}

static void guest_pings(struct door *door, struct guest *guest)
{
    struct buf message = {0};

    message_put_ping(&message);
    guest_says(door, guest, &message);
}

static void guest_leaves(struct door *door, struct guest *guest)
{
    if (door != NULL)
        door_step(door, (struct engine_event){.type = ENGINE_CLOSED, .conn = guest->conn});
    secret_free(guest->handshake);
    secret_free(guest->channel);
    buf_release(&guest->first);
    buf_release(&guest->third);
}

/* Promise P4: whoever neither holds nor has recorded a knock gets zero bytes. */
static void strangers_are_bounded_and_get_not_one_byte(void **state)
{
    struct door *door = door_new();
    uint8_t noise[HANDSHAKE_FIRST_SIZE];
    size_t open = 0, sent = 0;

    (void)state;
    memset(noise, 0x5a, sizeof noise);
    for (uint32_t host = 1; host <= 1000; host++) {
        conn_id conn = door_accept(door, 0xc6330000 + host);

        open += 1;
        open -= door->closes;
        assert_in_range(open, 1, STRANGERS_MAX - STRANGERS_RESERVED);
        sent += door->sent.size;
        if (host % 10 != 0)
            continue;
        door_bytes(door, conn, span_of(noise, sizeof noise));
        open -= door->closes;
        sent += door->sent.size;
    }
    assert_int_equal(open, STRANGERS_MAX - STRANGERS_RESERVED);
    door_wake(door, REFUSED_MS);
    assert_in_range(door->closes, 1, 100); /* Those who spoke and did not give way before. */
    assert_int_equal(sent + door->sent.size, 0);
    assert_int_equal(engine_sessions_count(door->engine), 0);
    door_free(door);
}

static void message_one_is_due_in_five_seconds_and_a_frame_in_ten(void **state)
{
    struct door *door = door_new();
    struct guest guest;
    size_t closes;
    conn_id silent = door_accept(door, 1), slow = door_accept(door, 2);

    (void)state;
    door_bytes(door, slow, span_str("a"));
    door_wake(door, 4999);
    assert_int_equal(door->closes, 0);
    door_bytes(door, slow, span_str("b"));
    door_wake(door, 1);
    closes = door->closes;
    door_wake(door, REFUSED_MS);
    assert_int_equal(closes + door->closes, 2);
    guest_enters(door, &guest, 3);
    assert_int_equal(engine_sessions_count(door->engine), 1);
    door_wake(door, 9999);
    assert_int_equal(door->closes, 0);
    door_wake(door, 1);
    assert_int_equal(door->closed, guest.conn);
    assert_int_equal(engine_sessions_count(door->engine), 0);
    assert_int_not_equal(silent, slow);
    guest_leaves(door, &guest);
    door_free(door);
}

/* Reliability R2, R3: a recorded first message costs nothing and changes nothing. */
static void a_replayed_first_message_gets_silence(void **state)
{
    struct door *door = door_new();
    struct guest guest;

    (void)state;
    guest_enters(door, &guest, 1);
    guest_pings(door, &guest);
    assert_true(door->sent.size > 0);
    for (int at = 0; at < 5; at++) {
        conn_id conn = door_accept(door, 2);

        door_bytes(door, conn, buf_span(&guest.first));
        assert_int_equal(door->sent.size, 0);
        door_wake(door, REFUSED_MS);
        assert_int_equal(door->closed, conn);
        assert_int_equal(door->sent.size, 0);
    }
    assert_int_equal(engine_sessions_count(door->engine), 1);
    guest_pings(door, &guest);
    assert_true(door->sent.size > 0);
    guest_leaves(door, &guest);
    door_free(door);
}

/* HANDSHAKE-11: noise, a knock for somebody else and a wrong third message are told apart by
 * nothing, not even by when the connection ends. */
static void whoever_is_refused_is_closed_after_a_time_by_chance(void **state)
{
    struct door *door = door_new();
    uint8_t noise[HANDSHAKE_FIRST_SIZE];
    uint64_t least = UINT64_MAX, greatest = 0;

    (void)state;
    memset(noise, 0x5a, sizeof noise);
    for (uint32_t host = 1; host <= 40; host++) {
        conn_id conn = door_accept(door, 0xc6330000 + host);
        uint64_t begun = door->now_ms;

        door_bytes(door, conn, span_of(noise, sizeof noise));
        door_bytes(door, conn, span_of(noise, sizeof noise)); /* Nobody listens any more. */
        while (door->closes == 0)
            door_wake(door, 1);
        assert_int_equal(door->closed, conn);
        assert_in_range(door->now_ms - begun, 0, REFUSED_MS);
        least = door->now_ms - begun < least ? door->now_ms - begun : least;
        greatest = door->now_ms - begun > greatest ? door->now_ms - begun : greatest;
    }
    assert_true(greatest - least > REFUSED_MS / 2);
    door_free(door);
}

static void a_device_has_two_sessions_at_most(void **state)
{
    struct door *door = door_new();
    struct guest guests[4];

    (void)state;
    for (uint32_t at = 0; at < 2; at++)
        guest_enters(door, &guests[at], 1);
    assert_int_equal(engine_sessions_count(door->engine), 2);
    guest_enters(door, &guests[2], 1);
    assert_int_equal(engine_sessions_count(door->engine), 2);
    assert_int_equal(door->closed, guests[0].conn);
    /* One that is in use does not give way to one that may never be. */
    guest_pings(door, &guests[1]);
    guest_enters(door, &guests[3], 1);
    assert_int_equal(door->closed, guests[2].conn);
    assert_int_equal(engine_sessions_count(door->engine), 2);
    for (size_t at = 0; at < 4; at++)
        guest_leaves(door, &guests[at]);
    door_free(door);
}

/* Ana's link: no session has confirmed it; it speaks under a newer secret, when is_newer, and still
 * accepts that which ben holds. */
static void door_set_link(struct door *door, bool is_newer)
{
    static const uint8_t newer[KEY_SIZE] = {1, 2, 3};
    struct ledger_txn *txn = member_begin(&door->ana);
    struct amend amend;
    struct id id;

    id_about("kith link", &door->ben.secrets.member, &id);
    amend_begin(&amend, txn, ledger_self_space(door->ana.ledger), KIND_LINK, &id);
    amend_number(&amend, LINK_CONFIRMED, 0);
    if (is_newer) {
        amend_bytes(&amend, LINK_SECRET, span_of(newer, KEY_SIZE));
        amend_bytes(&amend, LINK_SECRET_OLD, span_of(door->ana_to_ben->secret, KEY_SIZE));
    }
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    door_step(door, (struct engine_event){.type = ENGINE_PEERS_CHANGED});
}

/* PROTOCOL INTRO-19: "Whoever is linked and has no session confirmed under the secret it speaks
 * under itself calls as its acceptor (LINK-2 onwards), too". Also where the newer secret came
 * between message 3 and the first frame, and where an unknown device calls. */
static void a_session_confirms_the_secret_it_is_under_alone(void **state)
{
    enum { NEVER, BEFORE, BETWEEN, WHENS };

    (void)state;
    for (int is_twin = 0; is_twin < 2; is_twin++)
        for (int when = NEVER; when < WHENS; when++) {
            struct door *door = door_new();
            struct guest guest;

            door->caller = is_twin ? &door->twin : &door->ben;
            door_set_link(door, when == BEFORE);
            guest_enters(door, &guest, 1);
            if (when == BETWEEN)
                door_set_link(door, true);
            assert_int_equal(engine_sessions_count(door->engine), 1);
            guest_pings(door, &guest);
            assert_int_equal(door->confirmations, when == NEVER);
            guest_leaves(door, &guest);
            door_free(door);
        }
}

static bool guest_may_come_back(struct door *door)
{
    struct guest guest;
    bool is_in;

    guest_enters(door, &guest, 1);
    is_in = engine_sessions_count(door->engine) == 1;
    guest_leaves(door, &guest);
    return is_in;
}

/* Reliability R26: the third violation in a day starts an hour's back-off, which doubles. */
static void broken_rules_end_sessions_and_the_third_in_a_day_is_paid_for(void **state)
{
    struct door *door = door_new();
    struct guest guest;

    (void)state;
    for (uint64_t count = 1; count <= 5; count++) {
        uint64_t hours = count < 3 ? 0 : UINT64_C(1) << (count - 3);

        door->kind[0] = '\0';
        guest_enters(door, &guest, 1);
        guest_breaks_a_rule(door, &guest);
        assert_int_equal(door->closes, 1);
        assert_string_equal(door->kind, hours == 0 ? "violation" : "penalty");
        guest_leaves(door, &guest);
        if (hours > 0) {
            assert_non_null(strstr(door->text, "left alone"));
            door->now_ms += hours * HOUR_MS - 1;
            assert_false(guest_may_come_back(door));
            door->now_ms++;
        }
        assert_true(guest_may_come_back(door));
    }
    /* A day later it begins anew. */
    door->now_ms += 25 * (uint64_t)HOUR_MS;
    guest_enters(door, &guest, 1);
    guest_breaks_a_rule(door, &guest);
    assert_string_equal(door->kind, "violation");
    guest_leaves(door, &guest);
    assert_true(guest_may_come_back(door));
    door_free(door);
}

/* What a bad cable can do is told, and nobody is made to pay for it. */
static void a_frame_that_does_not_open_is_nobodys_fault(void **state)
{
    struct door *door = door_new();
    struct guest guest;

    (void)state;
    for (int count = 0; count < 5; count++) {
        struct buf sealed = {0};

        guest_enters(door, &guest, 1);
        guest_pings(door, &guest);
        assert_int_equal(channel_seal(guest.channel, span_str("x"), false, &sealed), ERR_OK);
        sealed.data[40] ^= 1;
        door_bytes(door, guest.conn, buf_span(&sealed));
        assert_string_equal(door->kind, "broken");
        assert_int_equal(door->closed, guest.conn);
        buf_release(&sealed);
        guest_leaves(door, &guest);
    }
    assert_true(guest_may_come_back(door));
    door_free(door);
}

static void after_half_a_day_everything_is_proved_anew(void **state)
{
    struct door *door = door_new();
    struct guest guest;

    (void)state;
    guest_enters(door, &guest, 1);
    guest_pings(door, &guest);
    door_wake(door, UINT64_C(25) * HOUR_MS / 2 - 1);
    assert_int_equal(door->closes, 0);
    door_wake(door, 1);
    assert_int_equal(door->closed, guest.conn);
    guest_leaves(door, &guest);
    door_free(door);
}

/* Ana has gone over to a successor, and is called as both. */

static enum err door_keep_keys(void *self, const struct device_secrets *secrets)
{
    ((struct member *)self)->secrets = *secrets;
    return ERR_OK;
}

static void door_succeed(struct door *door)
{
    struct member *ana = &door->ana;
    struct retire_signer signer = {.root = ledger_root_key(ana->ledger)};
    struct retirement retirement = {
        .device = *ledger_device(ana->ledger), .reason = RETIRE_FORKED, .time_ms = ana->now_ms};
    struct succession succession = {.ledger = ana->ledger,
                                    .handshake_hash = {7},
                                    .wall_ms = ana->now_ms,
                                    .store_keys = door_keep_keys,
                                    .self = ana};
    struct ledger_txn *txn = member_begin(ana);
    struct buf statement = {0};

    assert_int_equal(retire_issue(&retirement, &signer, &statement), ERR_OK);
    assert_int_equal(retire_table_take(txn, &ana->secrets.member, buf_span(&statement)), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(succession_run(&succession), ERR_OK);
    door_step(door,
              (struct engine_event){.type = ENGINE_SUCCEEDED, .successor = succession.successor});
    ledger_close(ana->ledger);
    ana->ledger = succession.successor;
    buf_release(&statement);
}

static void guest_greets(struct door *door, struct guest *guest)
{
    struct hello hello = {.version = PROTOCOL_VERSION};
    struct buf message = {0};

    message_put_hello(&hello, &message);
    guest_says(door, guest, &message);
}

/* Opens what ana has just said to this guest: is it about her new device? */
static bool guest_is_told(struct door *door, struct guest *guest)
{
    const struct public_key *device = ledger_device(door->ana.ledger);
    struct buf sent = {0}, content = {0};
    bool is_told;

    buf_append(&sent, buf_span(&door->sent));
    assert_int_equal(channel_open(guest->channel, &sent, &content), ERR_OK);
    is_told = content.size > 0 &&
              memmem(content.data, content.size, device->bytes, sizeof device->bytes) != NULL;
    buf_release(&sent);
    buf_release(&content);
    return is_told;
}

/* HANDSHAKE-8, HANDSHAKE-10. */
static void a_session_under_an_old_name_takes_no_proper_ones_place(void **state)
{
    struct door *door = door_new();
    struct guest proper, old, later;

    (void)state;
    door_succeed(door);
    guest_enters(door, &proper, 1);
    guest_greets(door, &proper);
    door_wake(door, 20 * 1000);
    door->called = ledger_old_static_key(door->ana.ledger, 0);
    guest_enters(door, &old, 2);
    (void)guest_is_told(door, &old);
    guest_greets(door, &old);
    assert_true(guest_is_told(door, &old));
    assert_int_equal(door->closes, 1);
    assert_int_equal(door->closed, old.conn);
    assert_int_equal(engine_sessions_count(door->engine), 1);
    guest_pings(door, &proper);
    assert_int_equal(door->closes, 0);
    guest_leaves(door, &proper);
    guest_leaves(door, &old);
    /* Where it came first it stays, until there is one by the new name. */
    guest_enters(door, &old, 2);
    guest_greets(door, &old);
    assert_int_equal(engine_sessions_count(door->engine), 1);
    door->called = NULL;
    guest_enters(door, &later, 1);
    guest_greets(door, &later);
    assert_int_equal(door->closed, old.conn);
    assert_int_equal(engine_sessions_count(door->engine), 1);
    guest_leaves(door, &old);
    guest_leaves(door, &later);
    door_free(door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_are_bounded_and_get_not_one_byte),
        cmocka_unit_test(message_one_is_due_in_five_seconds_and_a_frame_in_ten),
        cmocka_unit_test(a_replayed_first_message_gets_silence),
        cmocka_unit_test(whoever_is_refused_is_closed_after_a_time_by_chance),
        cmocka_unit_test(a_device_has_two_sessions_at_most),
        cmocka_unit_test(a_session_confirms_the_secret_it_is_under_alone),
        cmocka_unit_test(broken_rules_end_sessions_and_the_third_in_a_day_is_paid_for),
        cmocka_unit_test(a_frame_that_does_not_open_is_nobodys_fault),
        cmocka_unit_test(after_half_a_day_everything_is_proved_anew),
        cmocka_unit_test(a_session_under_an_old_name_takes_no_proper_ones_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
