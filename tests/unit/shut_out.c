/* Devices that are given up or stolen: who may say so, and what is left of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/credential.h"
#include "node/link.h"
#include "node/react.h"
#include "proto/retire.h"
#include "proto/show.h"
#include "storage/heal.h"
#include "storage/join.h"
#include "storage/retire_table.h"
#include "storage/standing.h"
#include "storage/view_endorsement.h"
#include "tests/sim/joined.h"

static const struct id out_card = {{0}};

/* Ana's desk holds the root, her lap was admitted by it, her pad by the lap. Bruno is a peer. */
struct out_world {
    struct member desk, lap, pad, bruno;
};

static void out_commit(struct ledger_txn *txn)
{
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void out_join(struct member *device, struct member *host, uint8_t seed)
{
    struct snapshot snapshot;
    bool is_pending;

    joined_new(device, host, seed);
    snapshot = member_snapshot(device);
    assert_int_equal(join_is_pending(&snapshot, &is_pending), ERR_OK);
    assert_true(is_pending);
    ledger_snapshot_end(&snapshot);
}

/* Before it has met anybody it writes nothing; then it does. */
static void out_meet(struct member *device, struct member *host)
{
    const struct id *self = ledger_self_space(device->ledger);
    struct ledger_txn *txn;
    struct id contact;

    assert_int_equal(member_add_contact(device, "Too Early", NULL, &contact), ERR_STATE);
    (void)member_pull(device, host, NULL);
    (void)member_pull(device, host, NULL);
    txn = member_begin(device);
    assert_int_equal(join_finish(txn), ERR_OK);
    out_commit(txn);
    assert_int_equal(member_add_contact(device, "In Time", NULL, &contact), ERR_OK);
    (void)member_pull(host, device, self);
}

static void out_world_new(struct out_world *world)
{
    member_new(&world->desk, 1, false);
    member_new(&world->bruno, 2, false);
    member_link(&world->desk, &world->bruno);
    member_grant(&world->desk, &world->bruno);
    out_join(&world->lap, &world->desk, 3);
    out_meet(&world->lap, &world->desk);
    (void)member_pull(&world->bruno, &world->desk, NULL);
}

static void out_world_free(struct out_world *world)
{
    member_free(&world->desk);
    member_free(&world->lap);
    member_free(&world->bruno);
}

static void out_write(struct out_world *world, struct member *member, uint8_t field,
                      const char *text)
{
    struct id card = member_card_space(&world->desk);

    assert_int_equal(member_write(member, &card, KIND_CARD, &out_card, field, text), ERR_OK);
}

static void out_shows(struct out_world *world, struct member *member, uint8_t field,
                      const char *text)
{
    struct id card = member_card_space(&world->desk);
    char room[256];

    assert_string_equal(member_read_text(member, &card, KIND_CARD, &out_card, field, room), text);
}

static enum err out_shut(struct member *member, const struct member *device,
                         enum retire_reason reason)
{
    struct ledger_txn *txn = member_begin(member);
    enum err err = heal_shut_out(txn, ledger_device(device->ledger), reason);

    if (err == ERR_OK)
        out_commit(txn);
    else
        ledger_abort(txn);
    return err;
}

static enum standing out_standing(struct member *member, const struct member *device)
{
    struct snapshot snapshot = member_snapshot(member);
    enum standing standing;

    assert_int_equal(standing_of(&snapshot, ledger_device(device->ledger), &standing), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return standing;
}

/* How one stands who signed by this chain of two, the second unknown where it is NULL. */
static enum standing out_signer(struct member *member, const struct member *above,
                                const struct member *signer)
{
    struct snapshot snapshot = member_snapshot(member);
    struct device_keys chain = {.devices = {*ledger_device(above->ledger), {{9}}}, .count = 2};
    enum standing standing;

    chain.devices[1] = signer != NULL ? *ledger_device(signer->ledger) : chain.devices[1];
    assert_int_equal(standing_of_signer(&snapshot, &chain, &standing), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return standing;
}

/* With a pad that the lap admitted, of which the desk knows. */
static void out_world_with_pad(struct out_world *world)
{
    out_world_new(world);
    out_join(&world->pad, &world->lap, 4);
    out_meet(&world->pad, &world->lap);
    (void)member_pull(&world->desk, &world->lap, NULL);
}

/* The root may shut out anybody, a device those it certified, nobody those above it. */
static void who_may_shut_out(void **state)
{
    struct out_world world;

    (void)state;
    out_world_with_pad(&world);
    assert_int_equal(out_shut(&world.lap, &world.desk, RETIRE_STOLEN), ERR_STATE);
    assert_int_equal(out_shut(&world.pad, &world.lap, RETIRE_STOLEN), ERR_STATE);
    assert_int_equal(out_shut(&world.lap, &world.lap, RETIRE_STOLEN), ERR_STATE);
    assert_int_equal(out_shut(&world.lap, &world.bruno, RETIRE_STOLEN), ERR_NOT_FOUND);
    assert_int_equal(out_standing(&world.lap, &world.desk), STANDING_GOOD);
    assert_int_equal(out_shut(&world.lap, &world.pad, RETIRE_OWNER), ERR_OK);
    assert_int_equal(out_standing(&world.lap, &world.pad), STANDING_OWNER);
    (void)member_pull(&world.desk, &world.lap, NULL);
    assert_int_equal(out_standing(&world.desk, &world.pad), STANDING_OWNER);
    assert_int_equal(out_shut(&world.desk, &world.lap, RETIRE_STOLEN), ERR_OK);
    assert_int_equal(out_standing(&world.desk, &world.lap), STANDING_STOLEN);
    assert_int_equal(out_shut(&world.lap, &world.pad, RETIRE_STOLEN), ERR_OK); /* It may say so, */
    (void)member_pull(&world.desk, &world.lap, NULL);
    assert_int_equal(out_standing(&world.desk, &world.pad), STANDING_OWNER); /* nobody hears. */
    member_free(&world.pad);
    out_world_free(&world);
}

/* What was seen of it stays, what came later goes, and what is written from then on it cannot
 * read. */
static void a_stolen_device_counts_up_to_its_mark(void **state)
{
    struct out_world world;
    uint64_t carried;

    (void)state;
    out_world_new(&world);
    out_write(&world, &world.lap, 2, "before");
    (void)member_pull(&world.desk, &world.lap, NULL);
    (void)member_pull(&world.bruno, &world.lap, NULL);
    out_write(&world, &world.lap, 3, "after");
    (void)member_pull(&world.bruno, &world.lap, NULL);
    out_shows(&world, &world.bruno, 3, "after");
    assert_int_equal(out_shut(&world.desk, &world.lap, RETIRE_STOLEN), ERR_OK);
    out_write(&world, &world.desk, 4, "for those who stay");
    (void)member_pull(&world.bruno, &world.desk, NULL);
    assert_int_equal(out_standing(&world.bruno, &world.lap), STANDING_STOLEN);
    out_shows(&world, &world.bruno, 2, "before");
    out_shows(&world, &world.bruno, 3, "");
    out_shows(&world, &world.bruno, 4, "for those who stay");
    out_shows(&world, &world.desk, 2, "before");
    (void)member_pull(&world.lap, &world.desk, NULL);
    (void)member_pull(&world.lap, &world.bruno, NULL);
    out_shows(&world, &world.lap, 4, "");
    out_write(&world, &world.lap, 3, "again");
    carried = member_pull(&world.bruno, &world.lap, NULL);
    assert_int_equal(carried, 0);
    assert_int_equal(member_pull(&world.desk, &world.lap, NULL), 0);
    out_world_free(&world);
}

/* Certified by the thief: known to a peer before the peer hears of the theft, and void then. */
static void what_a_stolen_device_certified_later_is_void(void **state)
{
    struct out_world world;

    (void)state;
    out_world_new(&world);
    out_join(&world.pad, &world.lap, 4);
    out_meet(&world.pad, &world.lap);
    (void)member_pull(&world.bruno, &world.lap, NULL);
    assert_int_equal(out_standing(&world.bruno, &world.pad), STANDING_GOOD);
    out_write(&world, &world.pad, 3, "accomplice");
    (void)member_pull(&world.bruno, &world.pad, NULL);
    assert_int_equal(out_shut(&world.desk, &world.lap, RETIRE_STOLEN), ERR_OK);
    (void)member_pull(&world.bruno, &world.desk, NULL);
    assert_int_equal(out_standing(&world.bruno, &world.pad), STANDING_VOID);
    assert_int_equal(out_signer(&world.bruno, &world.lap, &world.pad), STANDING_VOID);
    assert_int_equal(out_signer(&world.bruno, &world.lap, NULL), STANDING_VOID);
    assert_int_equal(out_signer(&world.bruno, &world.desk, NULL), STANDING_GOOD);
    out_write(&world, &world.pad, 3, "again");
    assert_int_equal(member_pull(&world.bruno, &world.pad, NULL), 0);
    member_free(&world.pad);
    out_world_free(&world);
}

/* A device made up here, certified by one of these at this time, as a fact tells it. */
static struct public_key out_certify(struct out_world *world, struct member *to, uint8_t device,
                                     const struct signing_key *by, uint64_t time_ms)
{
    uint8_t seed[SEED_SIZE] = {device, 0x77};
    struct signing_key key;
    struct certificate certificate = {.member = world->desk.secrets.member,
                                      .certifier = by->public_key,
                                      .time_ms = time_ms,
                                      .name = span_str("made up")};
    struct ledger_txn *txn = member_begin(to);
    struct buf statement = {0};

    identity_signing_key(seed, &key);
    certificate.device = key.public_key;
    memcpy(certificate.static_key, key.public_key.bytes, KEY_SIZE);
    memcpy(certificate.receiving_key, key.public_key.bytes, KEY_SIZE);
    assert_int_equal(certificate_issue(&certificate, by, &statement), ERR_OK);
    assert_int_equal(retire_table_take(txn, NULL, buf_span(&statement)), ERR_OK);
    out_commit(txn);
    buf_release(&statement);
    return key.public_key;
}

/* PROTOCOL CERT-5: "one that makes its device void (STOLEN-2) after all others" Whether the theft
 * is heard of before the certificates, between them, or last. */
static void a_certificate_by_a_stolen_device_gives_way(void **state)
{
    (void)state;
    for (unsigned theft = 0; theft < 3; theft++) {
        uint8_t seed[SEED_SIZE] = {3, 0x77};
        struct public_key mill = {{0}};
        struct signing_key root, tab, lap;
        struct snapshot snapshot;
        struct out_world world;
        struct device_row row;

        out_world_new(&world);
        identity_signing_key(world.desk.secrets.root_seed, &root);
        identity_signing_key(world.lap.secrets.signing_seed, &lap);
        identity_signing_key(seed, &tab);
        assert_int_equal(out_shut(&world.desk, &world.lap, RETIRE_STOLEN), ERR_OK);
        (void)out_certify(&world, &world.bruno, 3, &root, 1000);
        for (unsigned step = 0; step < 3; step++) {
            if (step == theft) {
                (void)member_pull(&world.bruno, &world.desk, NULL);
                out_commit(member_begin(&world.bruno));
            }
            if (step < 2) /* As near, and the lap's is later. */
                mill = out_certify(&world, &world.bruno, 4, step == 0 ? &lap : &tab, 9000 - step);
        }
        snapshot = member_snapshot(&world.bruno);
        assert_int_equal(view_device(&snapshot, &mill, &row), ERR_OK);
        ledger_snapshot_end(&snapshot);
        assert_true(public_key_is_equal(&row.certifier, &tab.public_key));
        out_world_free(&world);
    }
}

/* Certified before, and told to a device that stays: it stays, too. */
static void what_a_stolen_device_certified_before_stays(void **state)
{
    struct out_world world;

    (void)state;
    out_world_with_pad(&world);
    (void)member_pull(&world.desk, &world.lap, NULL);
    assert_int_equal(out_shut(&world.desk, &world.lap, RETIRE_STOLEN), ERR_OK);
    (void)member_pull(&world.bruno, &world.lap, NULL);
    (void)member_pull(&world.bruno, &world.desk, NULL);
    assert_int_equal(out_standing(&world.desk, &world.pad), STANDING_GOOD);
    assert_int_equal(out_standing(&world.bruno, &world.pad), STANDING_GOOD);
    assert_int_equal(out_signer(&world.bruno, &world.lap, &world.pad), STANDING_GOOD);
    assert_int_equal(out_signer(&world.bruno, &world.lap, NULL), STANDING_VOID);
    member_free(&world.pad);
    out_world_free(&world);
}

/* Bruno's words about Ana, of this number. */
static void out_endorse(struct out_world *world, unsigned number, struct buf *out)
{
    uint64_t now_s = world->bruno.now_ms / 1000 + number;
    struct endorsement endorsement = {.subject = world->desk.secrets.member,
                                      .relation = RELATION_CLIENT,
                                      .about = {span_str("stairs")},
                                      .about_count = 1,
                                      .words = span_str("Built our stairs, on time and true."),
                                      .issued_s = now_s,
                                      .expires_s = now_s + UINT64_C(700) * 86400,
                                      .ceiling = AUDIENCE_NETWORK,
                                      .name = span_str("Bruno")};
    struct signing_key root;

    identity_signing_key(world->bruno.secrets.root_seed, &root);
    endorsement.issuer = root.public_key;
    endorsement_draw_id(&world->bruno.entropy, world->bruno.now_ms, &endorsement.id);
    assert_int_equal(credential_prove(&endorsement, &root), ERR_OK);
    assert_int_equal(endorsement_issue(&endorsement, &root, out), ERR_OK);
    secret_wipe(&root, sizeof root);
}

/* The lap shows them to everybody who reads Ana's card. */
static void out_show(struct out_world *world, unsigned number)
{
    struct member *lap = &world->lap;
    struct id card = member_card_space(&world->desk), object;
    struct snapshot snapshot = member_snapshot(lap);
    struct show show = {.audience = AUDIENCE_PEERS,
                        .made_s = lap->now_ms / 1000,
                        .until_s = lap->now_ms / 1000 + SHOW_DAYS_MAX * 86400};
    struct buf endorsement = {0}, identity = {0}, statement = {0};
    struct ledger_txn *txn;
    struct amend amend;

    out_endorse(world, number, &endorsement);
    statement_hash(buf_span(&endorsement), &show.endorsement);
    statement_id(buf_span(&endorsement), &object);
    assert_int_equal(view_identity(&snapshot, &identity), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(
        show_issue(&show, buf_span(&identity), ledger_signing_key(lap->ledger), &statement),
        ERR_OK);
    txn = member_begin(lap);
    amend_begin(&amend, txn, &card, KIND_ENDORSEMENT, &object);
    amend_bytes(&amend, ENDORSEMENT_STATEMENT, buf_span(&endorsement));
    amend_bytes(&amend, ENDORSEMENT_SHOW, buf_span(&statement));
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    buf_release(&endorsement);
    buf_release(&identity);
    buf_release(&statement);
}

static enum err out_on_shown(void *self, const struct endorsement_view *view)
{
    *(size_t *)self +=
        view->state == ENDORSEMENT_ACCEPTED && view->shown_to == AUDIENCE_PEERS ? 1 : 0;
    return ERR_OK;
}

/* How many that are about Ana Bruno sees shown. */
static size_t out_shown(struct out_world *world)
{
    struct snapshot snapshot = member_snapshot(&world->bruno);
    size_t count = 0;

    assert_int_equal(view_endorsement_of(&snapshot, world->bruno.now_ms,
                                         &world->desk.secrets.member, out_on_shown, &count),
                     ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

/* PROTOCOL STOLEN-1: "What a stolen device wrote beyond its mark says nothing." So a show below the
 * mark counts wherever it comes, and one beyond it nowhere: neither held before nor come later. */
static void what_a_stolen_device_showed_counts_up_to_its_mark(void **state)
{
    struct out_world world;

    (void)state;
    out_world_new(&world);
    out_show(&world, 0);
    (void)member_pull(&world.desk, &world.lap, NULL); /* Here the mark will stand. */
    (void)member_pull(&world.bruno, &world.lap, NULL);
    assert_int_equal(out_shown(&world), 1);
    out_show(&world, 1);
    (void)member_pull(&world.bruno, &world.lap, NULL);
    assert_int_equal(out_shown(&world), 2);
    assert_int_equal(out_shut(&world.desk, &world.lap, RETIRE_STOLEN), ERR_OK);
    (void)member_pull(&world.bruno, &world.desk, NULL);
    assert_int_equal(out_shown(&world), 1); /* Held before, beyond: gone. */
    out_show(&world, 2);
    assert_int_equal(member_pull(&world.bruno, &world.lap, NULL), 0);
    assert_int_equal(out_shown(&world), 1);
    out_world_free(&world);
}

/* The same, heard in the other order: who learns of the theft first takes what is below the mark
 * from whoever has it, and no more. */
static void a_show_below_the_mark_counts_after_the_theft_is_known(void **state)
{
    struct out_world world;

    (void)state;
    out_world_new(&world);
    out_show(&world, 0);
    (void)member_pull(&world.desk, &world.lap, NULL);
    out_show(&world, 1);
    assert_int_equal(out_shut(&world.desk, &world.lap, RETIRE_STOLEN), ERR_OK);
    (void)member_pull(&world.bruno, &world.desk, NULL);
    (void)member_pull(&world.bruno, &world.desk, NULL);
    assert_int_equal(out_standing(&world.bruno, &world.lap), STANDING_STOLEN);
    assert_int_equal(out_shown(&world), 1);
    (void)member_pull(&world.bruno, &world.lap, NULL);
    assert_int_equal(out_shown(&world), 1);
    out_world_free(&world);
}

static bool out_wants_none(void *self, const struct space_row *space)
{
    (void)self;
    (void)space;
    return false;
}

static enum err out_on_fact(void *self, struct span statement)
{
    struct ledger_txn *txn = self;

    return retire_table_take(txn, NULL, statement);
}

/* What one knows about a device, told to another as in a session. PROTOCOL FACT-1 */
static void out_tell(struct member *to, struct member *from, const struct member *device)
{
    struct snapshot snapshot = member_snapshot(from);
    struct ledger_txn *txn = member_begin(to);

    assert_int_equal(retire_table_facts(&snapshot, ledger_device(device->ledger), out_wants_none,
                                        out_on_fact, txn),
                     ERR_OK);
    out_commit(txn);
    ledger_snapshot_end(&snapshot);
}

/* PROTOCOL STOLEN-4: "What a stolen device says of others, whatever the reason, counts where its
 * log in the space of the statement holds it, as far as that log counts" Beyond its mark it counts
 * for nobody, whether it was heard before the theft or after. */
static void what_a_stolen_device_stated_beyond_its_mark_says_nothing(void **state)
{
    struct out_world world;

    (void)state;
    out_world_new(&world);
    out_join(&world.pad, &world.lap, 4);
    out_meet(&world.pad, &world.lap);
    (void)member_pull(&world.desk, &world.lap, NULL); /* The certificate; here the mark stands. */
    assert_int_equal(out_shut(&world.lap, &world.pad, RETIRE_OWNER), ERR_OK);
    out_tell(&world.bruno, &world.lap, &world.pad); /* Beyond the mark, and heard before. */
    assert_int_equal(out_standing(&world.bruno, &world.pad), STANDING_OWNER);
    assert_int_equal(out_shut(&world.desk, &world.lap, RETIRE_STOLEN), ERR_OK);
    (void)member_pull(&world.bruno, &world.desk, NULL);
    assert_int_equal(out_standing(&world.bruno, &world.lap), STANDING_STOLEN);
    assert_int_equal(out_standing(&world.bruno, &world.pad), STANDING_GOOD);
    out_tell(&world.desk, &world.lap, &world.pad); /* Come later: the same. */
    assert_int_equal(out_standing(&world.desk, &world.pad), STANDING_GOOD);
    member_free(&world.pad);
    out_world_free(&world);
}

/* Bruno's invitation, open, and one that he has accepted: both under this id. */
static void out_invites(struct member *bruno, const struct id *id)
{
    static const uint8_t secret[INVITATION_SECRET_SIZE] = {7};
    struct ledger_txn *txn = member_begin(bruno);
    struct amend amend;

    amend_begin(&amend, txn, ledger_self_space(bruno->ledger), KIND_INVITATION, id);
    amend_bytes(&amend, INVITATION_SECRET, span_of(secret, sizeof secret));
    amend_number(&amend, INVITATION_EXPIRES, bruno->now_ms / 1000 + 3600);
    amend_number(&amend, INVITATION_STATE, INVITATION_OPEN);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    amend_begin(&amend, txn, ledger_self_space(bruno->ledger), KIND_ACCEPTANCE, id);
    amend_number(&amend, ACCEPTANCE_STATE, ACCEPTANCE_PENDING);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    out_commit(txn);
}

static bool out_makes_a_link(struct member *bruno, struct member *device, bool is_claim)
{
    struct link_request request = {.invitation = {{5}}};
    struct snapshot snapshot = member_snapshot(device);
    struct ledger_txn *txn = member_begin(bruno);
    struct link_answer answer;
    struct buf identity = {0};

    assert_int_equal(view_identity(&snapshot, &identity), ERR_OK);
    ledger_snapshot_end(&snapshot);
    request.identity = buf_span(&identity);
    assert_int_equal(device_read_identity(request.identity, &request.chain, &request.next_root),
                     ERR_OK);
    request.message.pair_space = (struct id){{0x51}};
    request.message.card_space = (struct id){{0x52}};
    request.message.name = span_str("Ana");
    assert_int_equal(
        is_claim ? link_claim(txn, &request, &answer) : link_make(txn, &request, &answer), ERR_OK);
    ledger_abort(txn);
    buf_release(&identity);
    return !answer.is_refused;
}

/* Whoever has it may come by an invitation, or give one: with neither is there a link in Ana's
 * name. */
static void a_device_that_is_out_makes_no_link(void **state)
{
    static const enum retire_reason reasons[] = {RETIRE_STOLEN, RETIRE_OWNER};

    (void)state;
    for (size_t at = 0; at < 2; at++) {
        struct out_world world;

        out_world_new(&world);
        out_invites(&world.bruno, &(struct id){{5}});
        (void)member_pull(&world.bruno, &world.desk, NULL);
        assert_true(out_makes_a_link(&world.bruno, &world.lap, true));
        assert_true(out_makes_a_link(&world.bruno, &world.lap, false));
        assert_int_equal(out_shut(&world.desk, &world.lap, reasons[at]), ERR_OK);
        (void)member_pull(&world.bruno, &world.desk, NULL);
        assert_false(out_makes_a_link(&world.bruno, &world.lap, true));
        assert_false(out_makes_a_link(&world.bruno, &world.lap, false));
        assert_true(out_makes_a_link(&world.bruno, &world.desk, true));
        out_world_free(&world);
    }
}

static bool out_is_led(struct member *member, const struct member *by)
{
    struct snapshot snapshot = member_snapshot(member);
    bool is_led = false;

    assert_int_equal(
        standing_is_led_by(&snapshot, by != NULL ? ledger_device(by->ledger) : NULL, &is_led),
        ERR_OK);
    ledger_snapshot_end(&snapshot);
    return is_led;
}

/* PROTOCOL STOLEN-15: the pad, which the lap admitted, has something to show when that was stolen;
 * nobody else has. */
static void whom_a_stolen_device_leads_to(void **state)
{
    struct out_world world;

    (void)state;
    out_world_with_pad(&world);
    assert_false(out_is_led(&world.pad, NULL));
    assert_int_equal(out_shut(&world.desk, &world.lap, RETIRE_STOLEN), ERR_OK);
    joined_tell(&world.pad, &world.desk);
    assert_true(out_is_led(&world.pad, NULL) && out_is_led(&world.pad, &world.lap));
    assert_false(out_is_led(&world.pad, &world.desk) || out_is_led(&world.pad, &world.pad));
    assert_false(out_is_led(&world.desk, NULL) || out_is_led(&world.lap, NULL));
    member_free(&world.pad);
    out_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_shut_out),
        cmocka_unit_test(a_stolen_device_counts_up_to_its_mark),
        cmocka_unit_test(what_a_stolen_device_certified_later_is_void),
        cmocka_unit_test(a_certificate_by_a_stolen_device_gives_way),
        cmocka_unit_test(what_a_stolen_device_certified_before_stays),
        cmocka_unit_test(what_a_stolen_device_showed_counts_up_to_its_mark),
        cmocka_unit_test(a_show_below_the_mark_counts_after_the_theft_is_known),
        cmocka_unit_test(what_a_stolen_device_stated_beyond_its_mark_says_nothing),
        cmocka_unit_test(a_device_that_is_out_makes_no_link),
        cmocka_unit_test(whom_a_stolen_device_leads_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
