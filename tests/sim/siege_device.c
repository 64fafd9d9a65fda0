/* Devices that have no say, and addresses: B14, B15, B62, B63, B64, B88, B90. mal has a second
 * device, his lap, and somebody stole it. */
#include <string.h>

#include "crypto/secret.h"
#include "node/dialer.h"
#include "proto/card.h"
#include "storage/heal.h"
#include "storage/join.h"
#include "storage/replica.h"
#include "storage/retire_table.h"
#include "storage/view_peer.h"
#include "tests/sim/siege.h"

enum { SIEGE_MEET_MS = 60000 };

static void siege_ignore(void *self, const struct engine_event *event)
{
    (void)self;
    (void)event;
}

static void siege_device_of(const struct world_node *node, struct signing_key *out)
{
    identity_signing_key(node->secrets->signing_seed, out);
}

static enum err siege_on_mals_device(void *self, const struct device_row *device)
{
    (void)device;
    (*(size_t *)self)++;
    return ERR_OK;
}

static size_t siege_devices_of_mal(struct siege *siege)
{
    struct snapshot snapshot;
    size_t count = 0;

    world_must(ledger_snapshot(siege->ana->ledger, &snapshot));
    world_must(
        view_device_each(&snapshot, &siege->mal->secrets->member, siege_on_mals_device, &count));
    ledger_snapshot_end(&snapshot);
    return count;
}

/* A second device, which ana knows; both run. */
static struct world_node *siege_lap(struct siege *siege)
{
    struct world_node *lap;

    siege->is_stored = true;
    siege_calm(siege);
    lap = world_join(siege->mal);
    KITH_ASSERT(lap != NULL);
    world_start(lap);
    for (int look = 0; look < 4; look++) {
        world_op(lap, "sync", json_object(), NULL, NULL);
        world_run_until(&siege->world, siege->world.now_ms + SIEGE_MEET_MS / 4);
    }
    siege_expect(siege, siege_devices_of_mal(siege) == 2, "two devices of mal at ana");
    siege_expect(siege, judge_is_linked(lap, siege->ana), "the link on the lap");
    return lap;
}

struct siege_out {
    struct public_key device;
    enum retire_reason reason;
    bool is_done;
};

static enum err siege_write_out(void *what, struct ledger_txn *txn)
{
    struct siege_out *out = what;

    return heal_shut_out(txn, &out->device, out->reason);
}

static void siege_on_out(struct world_node *node, void *self, enum err err,
                         const struct op_call *call)
{
    (void)node;
    (void)call;
    ((struct siege_out *)self)->is_done = err == ERR_OK;
}

static enum retire_reason siege_reason_at_ana(struct siege *siege, const struct public_key *device)
{
    struct retire_state state;
    struct snapshot snapshot;

    world_must(ledger_snapshot(siege->ana->ledger, &snapshot));
    world_must(retire_table_state(&snapshot, device, &state));
    ledger_snapshot_end(&snapshot);
    return state.is_retired ? state.reason : (enum retire_reason)0;
}

/* mal, who has the root, says so to all; the lap has not heard it, and lies still. */
static void siege_shut_out(struct siege *siege, struct world_node *lap, enum retire_reason reason)
{
    struct signing_key *key = secret_new(sizeof *key);
    struct siege_out out = {.reason = reason};

    KITH_ASSERT(key != NULL);
    siege_device_of(lap, key);
    out.device = key->public_key;
    secret_free(key);
    world_stop(lap);
    world_run_until(&siege->world, siege->world.now_ms + 5000);
    world_write(siege->mal, siege_write_out, &out, siege_on_out, &out);
    world_run_until(&siege->world, siege->world.now_ms + SIEGE_MEET_MS);
    siege_expect(siege, out.is_done, "the lap is shut out");
    siege_expect(siege, siege_reason_at_ana(siege, &out.device) == reason, "ana knows it");
    world_stop(siege->mal);
    world_run_until(&siege->world, siege->world.now_ms + 5000);
}

static void siege_stolen_calls(struct siege *siege)
{
    struct world_node *lap = siege_lap(siege);

    siege_shut_out(siege, lap, RETIRE_STOLEN);
    siege_turn(siege, lap);
    for (int at = 0; at < 3; at++) {
        (void)hostile_greet(&siege->hostile);
        siege_expect_no_session(siege);
    }
}

/* What this node's own store writes into mal's card space, as if at this time. */
static struct chain siege_write_card(struct siege *siege, struct world_node *node, uint64_t time_ms,
                                     const char *text, struct log_id *out_log)
{
    struct edit_space edit;
    struct ledger_txn *txn;
    struct snapshot snapshot;
    struct replica replica;
    struct replica_log before;
    struct space_row card;

    (void)siege;
    world_must(ledger_begin(node->ledger, time_ms, &txn));
    snapshot = ledger_txn_snapshot(txn);
    world_must(ledger_own_space(&snapshot, SPACE_CARD, &card));
    *out_log = (struct log_id){.space = card.id, .device = *ledger_device(node->ledger)};
    replica_of(&snapshot, &replica);
    world_must(replica.tip(replica.self, out_log, &before));
    siege_text_edit(KIND_CARD, CARD_ORG, time_ms, 5000, text, &edit);
    world_must(ledger_append(txn, &card.id, &edit, 0));
    world_must(ledger_commit(txn, NULL));
    edit_release(&edit);
    return before.tip;
}

/* One that its owner gave up may call, and is told; what it writes is not taken. */
static void siege_given_up_writes(struct siege *siege)
{
    struct world_node *lap = siege_lap(siege);
    struct log_id log;
    struct chain tip;

    siege_shut_out(siege, lap, RETIRE_OWNER);
    siege_turn(siege, lap);
    tip = siege_write_card(siege, lap, world_wall_ms(lap), "mal, still on the lap", &log);
    if (!siege_open(siege))
        return;
    siege_expect(siege, siege->hostile.said[MESSAGE_FACTS] > 0, "it is told");
    siege_give(siege, lap, &log, &tip);
    siege_expect(siege, siege->hostile.said[MESSAGE_ACK] == 0, "nothing was stored");
    siege_expect(siege, !siege_is_shown(siege, "still on the lap"), "and nothing is shown");
}

/* It asks peers for what its member writes, with the keys, as an author may that was copied. */
static void siege_given_up_fetches(struct siege *siege)
{
    struct world_node *lap = siege_lap(siege);
    struct public_key desk = *ledger_device(siege->mal->ledger);
    struct log_id log;
    struct buf framed = {0};

    siege_shut_out(siege, lap, RETIRE_OWNER);
    siege_turn(siege, lap);
    log = hostile_card_log(&siege->hostile);
    log.device = desk;
    if (!siege_open(siege))
        return;
    message_put_place(MESSAGE_FETCH, &log, 0, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 2000);
    siege_expect(siege, siege->hostile.said[MESSAGE_FACTS] > 0, "it is told");
    siege_expect(siege, siege->hostile.said[MESSAGE_RETURNED] == 0, "and gets no keys");
}

/* ana's store has learnt it, and nobody has told the conversation yet. */
static void siege_ana_learns(struct siege *siege, const struct world_node *lap)
{
    struct signing_key *root = secret_new(sizeof *root), *device = secret_new(sizeof *device);
    struct retirement retirement = {.reason = RETIRE_OWNER, .time_ms = world_wall_ms(siege->ana)};
    struct retire_signer signer = {.root = root};
    struct buf statement = {0};
    struct ledger_txn *txn;

    KITH_ASSERT(root != NULL && device != NULL);
    identity_signing_key(siege->mal->secrets->root_seed, root);
    siege_device_of(lap, device);
    retirement.device = device->public_key;
    world_must(retire_issue(&retirement, &signer, &statement));
    world_must(ledger_begin(siege->ana->ledger, world_wall_ms(siege->ana), &txn));
    world_must(retire_table_take(txn, NULL, buf_span(&statement)));
    world_must(ledger_commit(txn, NULL));
    siege_expect(siege, siege_reason_at_ana(siege, &retirement.device) == RETIRE_OWNER,
                 "ana knows it");
    buf_release(&statement);
    secret_free(device);
    secret_free(root);
}

/* The same in a session that began before: from the commit on that says so. */
static void siege_given_up_fetches_on(struct siege *siege)
{
    struct world_node *lap = siege_lap(siege);
    struct public_key desk = *ledger_device(siege->mal->ledger);
    struct log_id log;
    struct buf framed = {0};

    siege_turn(siege, lap);
    log = hostile_card_log(&siege->hostile);
    log.device = desk;
    if (!siege_open(siege))
        return;
    siege_ana_learns(siege, lap);
    message_put_place(MESSAGE_FETCH, &log, 0, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 2000);
    siege_expect(siege, siege->hostile.said[MESSAGE_RETURNED] == 0, "and gets no keys");
}

/* B15: a static key that no certificate of mal's names, by mal's own secret. */
static bool siege_greet_as(struct siege *siege, const struct exchange_key *own,
                           struct span identity)
{
    bool is_well;

    siege->hostile.own_static = own;
    siege->hostile.identity = identity;
    is_well = hostile_greet(&siege->hostile) && siege->hostile.said[MESSAGE_HELLO] > 0;
    siege->hostile.own_static = NULL;
    siege->hostile.identity = span_of(NULL, 0);
    return is_well;
}

static void siege_identity_of(struct world_node *node, struct buf *out)
{
    struct snapshot snapshot;

    buf_clear(out);
    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(view_identity(&snapshot, out));
    ledger_snapshot_end(&snapshot);
}

/* An identity of mal's, rightly or wrongly certified, for keys that nobody has seen. */
static void siege_make_identity(struct siege *siege, const struct signing_key *certifier,
                                const struct public_key *certifier_name,
                                const struct exchange_key *own, struct buf *out)
{
    static const uint8_t seed[SEED_SIZE] = {9};
    struct signing_key *key = secret_new(sizeof *key);
    struct certificate certificate = {.member = siege->mal->secrets->member,
                                      .certifier = *certifier_name,
                                      .time_ms = world_wall_ms(siege->mal),
                                      .name = span_str("pad")};
    struct buf statement = {0};
    struct span one;

    KITH_ASSERT(key != NULL);
    identity_signing_key(seed, key);
    certificate.device = key->public_key;
    memcpy(certificate.static_key, own->public_key, KEY_SIZE);
    memcpy(certificate.receiving_key, own->public_key, KEY_SIZE);
    world_must(certificate_issue(&certificate, certifier, &statement));
    one = buf_span(&statement);
    buf_clear(out);
    device_put_identity(&certificate.member, &siege->mal->secrets->next_root_hash, &one, 1, out);
    buf_release(&statement);
    secret_free(key);
}

static void siege_not_certified(struct siege *siege)
{
    static const uint8_t seed[SEED_SIZE] = {6};
    const struct signing_key *root = ledger_root_key(siege->mal->ledger);
    const struct signing_key *bens = ledger_root_key(siege->ben->ledger);
    struct exchange_key own;
    struct buf identity = {0};

    identity_exchange_key(seed, &own);
    siege_identity_of(siege->mal, &identity);
    (void)siege_greet_as(siege, &own, buf_span(&identity)); /* mal's true chain, another key */
    siege_expect_no_session(siege);
    siege_identity_of(siege->ben, &identity); /* ben's, by mal's secret */
    (void)siege_greet_as(siege, &own, buf_span(&identity));
    siege_expect_no_session(siege);
    siege_make_identity(siege, bens, &bens->public_key, &own, &identity); /* by ben for mal */
    (void)siege_greet_as(siege, &own, buf_span(&identity));
    siege_expect_no_session(siege);
    siege_make_identity(siege, bens, &root->public_key, &own, &identity); /* by ben as mal */
    (void)siege_greet_as(siege, &own, buf_span(&identity));
    siege_expect_no_session(siege);
    siege_make_identity(siege, root, &root->public_key, &own, &identity);
    siege_expect(siege, siege_greet_as(siege, &own, buf_span(&identity)),
                 "the same with the root's signature is a device");
    buf_release(&identity);
}

/* What the lap wrote, brought by mal's first device, which is believed. */
static void siege_bring(struct siege *siege, bool is_stolen)
{
    struct world_node *lap = siege_lap(siege);
    struct log_id log;
    struct chain tip;

    if (is_stolen)
        siege_shut_out(siege, lap, RETIRE_STOLEN);
    siege_turn(siege, lap);
    tip =
        siege_write_card(siege, lap, world_wall_ms(lap) - 30 * MS_PER_DAY, "mal of long ago", &log);
    hostile_end(&siege->hostile);
    world_start_as(lap, siege_ignore, NULL);
    siege_turn(siege, siege->mal);
    if (!siege_open(siege))
        return;
    siege_give(siege, lap, &log, &tip);
    siege_expect(siege, (siege->hostile.said[MESSAGE_ACK] == 0) == is_stolen,
                 is_stolen ? "nothing was stored" : "it is stored");
    siege_expect(siege, siege_is_shown(siege, "mal of long ago") == !is_stolen,
                 is_stolen ? "nothing is shown" : "it is shown");
    world_crash(lap);
}

/* Beyond the mark that the owner set, dated before it. */
static void siege_backdated(struct siege *siege)
{
    siege_bring(siege, true);
}

/* That the way it comes is not what refuses it. */
static void siege_dated_as_it_likes(struct siege *siege)
{
    siege_bring(siege, false);
}

/* mal says that ben's device and ana's are stolen: by his root, in his space and as facts. */
static void siege_retires_others(struct siege *siege)
{
    struct log_id log = hostile_card_log(&siege->hostile);
    struct chain tip = hostile_tip(&siege->hostile, &log);
    const struct public_key *devices[] = {ledger_device(siege->ben->ledger), &siege->device};
    struct retire_signer signer = {.root = ledger_root_key(siege->mal->ledger)};
    struct ledger_txn *txn;
    struct buf statement = {0}, framed = {0};
    struct span fact;

    siege->is_stored = true;
    if (!siege_open(siege))
        return;
    world_must(ledger_begin(siege->mal->ledger, world_wall_ms(siege->mal), &txn));
    for (size_t at = 0; at < 2; at++) {
        struct retirement said = {.member = siege->mal->secrets->member,
                                  .device = *devices[at],
                                  .reason = RETIRE_STOLEN,
                                  .time_ms = world_wall_ms(siege->mal)};
        struct edit_space edit = {0};
        struct id id;

        buf_clear(&statement);
        world_must(retire_issue(&said, &signer, &statement));
        fact = buf_span(&statement);
        message_put_facts(&fact, 1, &framed);
        statement_id(fact, &id);
        edit_begin(&edit, KIND_RETIRE, &id, said.time_ms);
        edit_set(&edit, KIND_STATEMENT_FIELD, 1,
                 (struct value){.type = VALUE_BYTES, .bytes = fact});
        world_must(ledger_append(txn, &log.space, &edit, 0));
        edit_release(&edit);
    }
    world_must(ledger_commit(txn, NULL));
    hostile_say(&siege->hostile, &framed);
    siege_give(siege, siege->mal, &log, &tip);
    siege_expect(siege, siege->hostile.said[MESSAGE_ACK] > 0, "his words are stored");
    for (size_t at = 0; at < 2; at++)
        siege_expect(siege, siege_reason_at_ana(siege, devices[at]) == 0, "and say nothing");
    buf_release(&statement);
}

/* The thief certifies a device of his own, when the theft is known. */
static void siege_added_by_the_thief(struct siege *siege)
{
    struct world_node *lap = siege_lap(siege), *pad;
    struct exchange_key *own = secret_new(sizeof *own);
    struct buf identity = {0};

    KITH_ASSERT(own != NULL);
    siege_shut_out(siege, lap, RETIRE_STOLEN);
    pad = world_join(lap);
    KITH_ASSERT(pad != NULL);
    world_start_as(pad, siege_ignore, NULL);
    siege_identity_of(pad, &identity);
    *own = *ledger_static_key(pad->ledger);
    siege_turn(siege, lap);
    (void)siege_greet_as(siege, own, buf_span(&identity));
    siege_expect_no_session(siege);
    world_crash(pad);
    siege_expect(siege, siege_devices_of_mal(siege) == 2, "ana has heard of no third device");
    secret_free(own);
    buf_release(&identity);
}

/* Says yes to the introduction that waits for an answer. */
static void siege_intro_accept(struct siege *siege, struct world_node *node)
{
    json_t *list = world_read(node, "intro.list", json_object()), *row, *offered = NULL;
    size_t at;

    json_array_foreach(json_object_get(list, "introductions"), at, row)
    {
        const char *state = json_string_value(json_object_get(row, "state"));

        if (state != NULL && strcmp(state, "offered") == 0)
            offered = row;
    }
    siege_expect(siege, offered != NULL, "an introduction to answer");
    if (offered != NULL)
        world_op(node, "intro.accept", json_pack("{s:O}", "id", json_object_get(offered, "id")),
                 NULL, NULL);
    json_decref(list);
    world_run_until(&siege->world, siege->world.now_ms + 20000);
}

static void siege_introduce(struct siege *siege, struct world_node *by, const char *a,
                            const char *b)
{
    world_op(by, "introduce",
             json_pack("{s:s, s:s, s:s, s:s}", "a", a, "b", b, "why", "Boats.", "first", "both"),
             NULL, NULL);
    world_run_until(&siege->world, siege->world.now_ms + 20000);
}

/* mal's lap says yes and is stolen before ben does: what it said while it was good stands, the rest
 * is said by the device that is left, and the two are linked. */
static void siege_stolen_between(struct siege *siege)
{
    struct world_node *lap = siege_lap(siege), *dan = siege_friend(siege, "dan");

    /* The lap has no root: the desk makes the key that it says yes with. */
    judge_met(&siege->judge, siege->mal->person, dan->person); /* An offer tells of him. */
    siege_introduce(siege, siege->ana, "dan", "mal");
    siege_intro_accept(siege, siege->mal);
    siege_introduce(siege, siege->ana, "ben", "mal");
    siege_intro_accept(siege, lap);
    siege_shut_out(siege, lap, RETIRE_STOLEN);
    world_start(siege->mal);
    world_run_until(&siege->world, siege->world.now_ms + SIEGE_MEET_MS);
    judge_met(&siege->judge, siege->ben->person, siege->mal->person);
    judge_met(&siege->judge, siege->mal->person, siege->ben->person);
    siege_intro_accept(siege, siege->ben);
    world_run_until(&siege->world, siege->world.now_ms + SIEGE_MEET_MS);
    siege_expect(siege, judge_is_linked(siege->ben, siege->mal), "ben has the link");
    siege_expect(siege, judge_is_linked(siege->mal, siege->ben), "mal has it at the desk");
    siege_expect(siege, !judge_is_linked(lap, siege->ben), "the thief has not");
    siege_turn(siege, siege->mal);
}

/* mal asks with his lap, by way of ben, who hands it on to ana. */
static void siege_asks_with_the_lap(struct siege *siege, bool is_stolen)
{
    struct world_node *lap = siege_lap(siege), *ben = siege->ben;
    json_t *asks, *row;

    siege_befriend(siege, ben, siege->mal);
    world_run_until(&siege->world, siege->world.now_ms + SIEGE_MEET_MS);
    world_op(lap, "ask.post",
             json_pack("{s:s, s:s, s:s, s:s, s:[s]}", "title", "Boat shed", "text",
                       "A boat shed for the winter.", "hops", "2", "name", "always", "to", "ben"),
             NULL, NULL);
    world_run_until(&siege->world, siege->world.now_ms + SIEGE_MEET_MS);
    if (is_stolen)
        siege_shut_out(siege, lap, RETIRE_STOLEN);
    asks = world_read(ben, "ask.list", json_pack("{s:b}", "all", true));
    row = json_array_get(json_object_get(asks, "asks"), 0);
    siege_expect(siege, row != NULL, "ben has the ask");
    if (row != NULL)
        world_op(ben, "ask.pass",
                 json_pack("{s:O, s:[s]}", "id", json_object_get(row, "id"), "to", "ana"), NULL,
                 NULL);
    json_decref(asks);
    world_run_until(&siege->world, siege->world.now_ms + 20000);
    siege_expect(siege, siege_is_asked(siege, "Boat shed") == !is_stolen,
                 is_stolen ? "ana is not shown it" : "ana is shown it");
    siege_expect(siege, siege_is_told(siege, "a device of its author that was stolen") == is_stolen,
                 "and is told why");
    siege_turn(siege, siege->mal);
}

static void siege_asks_with_a_stolen_lap(struct siege *siege)
{
    siege_asks_with_the_lap(siege, true);
}

static void siege_asks_with_a_good_lap(struct siege *siege)
{
    siege_asks_with_the_lap(siege, false);
}

static void siege_count_calls(void *self, const struct engine_event *event)
{
    *(size_t *)self += event->type == ENGINE_ACCEPTED;
}

/* Eve is introduced to ana and tells somebody else's address as hers: he is called a few times a
 * day, with 256 bytes that no program takes for a question, and never more often. */
static void siege_reflected_dials(struct siege *siege)
{
    struct world_node *other = world_init(&siege->world, "other");
    struct world_node *eve = world_init(&siege->world, "eve");
    uint64_t days = 3;
    size_t calls = 0;

    siege->is_stored = true;
    siege_calm(siege);
    eve->address = other->address;
    world_start_as(other, siege_count_calls, &calls);
    world_start(eve);
    siege_befriend(siege, siege->mal, eve);
    siege_introduce(siege, siege->mal, "ana", "eve");
    judge_met(&siege->judge, siege->ana->person, eve->person);
    judge_met(&siege->judge, eve->person, siege->ana->person);
    siege_intro_accept(siege, siege->ana);
    /* Her own calls must not reach ana: she would prove who she is. */
    siege->world.islands = UINT64_C(1) << eve->number | UINT64_C(1) << siege->mal->number;
    siege->world.islands_until_ms = UINT64_MAX;
    siege_intro_accept(siege, eve);
    world_crash(eve);
    siege->world.islands_until_ms = 0;
    world_op(siege->ana, "sync", json_object(), NULL, NULL);
    world_run_until(&siege->world, siege->world.now_ms + 3 * SIEGE_MEET_MS);
    siege_expect(siege, judge_is_linked(siege->ana, eve), "ana has the link");
    world_stop(siege->mal); /* He calls eve, too, who proved to him who she is. */
    world_run_until(&siege->world, siege->world.now_ms + 20000);
    calls = 0;
    world_run_until(&siege->world, siege->world.now_ms + days * MS_PER_DAY);
    siege_expect(siege, calls > 0, "and calls where eve said");
    /* As a peer, and by the way of INTRO-19. */
    siege_expect(siege, calls <= 2 * (DIALER_INTRODUCED_TRIES + 3 * days), "three a day");
    world_crash(other);
    siege_turn(siege, siege->mal);
}

const struct siege_case siege_device_cases[] = {
    {.name = "B14 a stolen device calls", .run = siege_stolen_calls},
    {.name = "B14 B70 a device that was given up writes", .run = siege_given_up_writes},
    {.name = "B14 B70 a device that was given up asks for keys", .run = siege_given_up_fetches},
    {.name = "B14 B70 a device that is given up goes on asking for keys",
     .run = siege_given_up_fetches_on},
    {.name = "B15 keys that no certificate names", .run = siege_not_certified},
    {.name = "B62 dated before it was shut out", .run = siege_backdated},
    {.name = "B62 dated as it likes and not shut out", .run = siege_dated_as_it_likes},
    {.name = "B63 says that others' devices are stolen", .run = siege_retires_others},
    {.name = "B64 a device added by a stolen one", .run = siege_added_by_the_thief},
    {.name = "B88 stolen between yes and release", .run = siege_stolen_between},
    {.name = "A3 an ask signed with a stolen device", .run = siege_asks_with_a_stolen_lap},
    {.name = "A3 the same with a good one", .run = siege_asks_with_a_good_lap},
    {.name = "B90 somebody else's address", .run = siege_reflected_dials},
    {.name = NULL},
};
