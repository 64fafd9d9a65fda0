/* From entries to objects: the same object whatever the order of batches, and whatever has no
 * meaning is passed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/card.h"
#include "proto/contact.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/space.h"
#include "tests/sim/member.h"

static const struct id follow_only = {{0}};

static const char *follow_card_name(struct member *reader, const struct id *card, char room[256])
{
    return member_read_text(reader, card, KIND_CARD, &follow_only, CARD_NAME, room);
}

static void follow_meaning(struct member *reader, const struct id *space, uint8_t kind,
                           const struct id *object, struct buf *out)
{
    struct snapshot snapshot = member_snapshot(reader);
    struct object row = {0};
    uint32_t number;

    assert_int_equal(row_get(&snapshot, space, kind, object, &row, &number), ERR_OK);
    member_put_meaning(&row, out);
    object_release(&row);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(buf_err(out), ERR_OK);
}

struct follow_ghost {
    struct signing_key key;
    struct log_id log;
    struct chain chain;
    uint8_t entry_key[KEY_SIZE];
    struct hash epoch;
};

/* The owner certifies it; the certificate travels in the card space. */
static void follow_ghost_begin(struct follow_ghost *ghost, struct member *owner, uint8_t seed)
{
    struct certificate certificate = {.member = owner->secrets.member, .name = span_str("ghost")};
    struct id card = member_card_space(owner), object;
    struct snapshot snapshot = member_snapshot(owner);
    uint8_t seeds[SEED_SIZE], epoch_key[KEY_SIZE];
    struct edit_space edit = {0};
    struct buf statement = {0};
    struct ledger_txn *txn;
    struct space_row space;

    *ghost = (struct follow_ghost){0};
    memset(seeds, seed, sizeof seeds);
    identity_signing_key(seeds, &ghost->key);
    ghost->log = (struct log_id){.space = card, .device = ghost->key.public_key};
    chain_begin(&ghost->log, &ghost->chain);
    assert_int_equal(ledger_space(&snapshot, &card, &space), ERR_OK);
    ghost->epoch = space.current;
    assert_int_equal(epoch_table_key(&snapshot, &ghost->epoch, epoch_key), ERR_OK);
    ledger_snapshot_end(&snapshot);
    entry_key(epoch_key, &ghost->log, ghost->entry_key);
    certificate.device = ghost->key.public_key;
    certificate.certifier = owner->secrets.member;
    certificate.time_ms = owner->now_ms;
    memset(certificate.static_key, seed + 1, 32);
    memset(certificate.receiving_key, seed + 2, 32);
    assert_int_equal(certificate_issue(&certificate, ledger_root_key(owner->ledger), &statement),
                     ERR_OK);
    id_about("kith device", &certificate.device, &object);
    edit_begin(&edit, KIND_CERTIFICATE, &object, owner->now_ms);
    edit_set(&edit, CERTIFICATE_STATEMENT, 1,
             (struct value){.type = VALUE_BYTES, .bytes = buf_span(&statement)});
    txn = member_begin(owner);
    assert_int_equal(ledger_append(txn, &card, &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
    buf_release(&statement);
}

/* One batch with one sealed plaintext, after the entry that says which epoch it uses. */
static struct verified_batch *follow_ghost_say(struct follow_ghost *ghost, struct span plain)
{
    struct chain start = ghost->chain, end;
    struct batch_writer writer = {0};
    struct buf use = {0}, sealed = {0}, bytes = {0};
    struct verified_batch *batch;
    struct entry entry = {0};
    struct wire_doc doc = {0};
    struct wire wire;
    struct head head;

    if (start.size == 0) {
        epoch_put_use(&ghost->epoch, &use);
        entry.payload = buf_span(&use);
        entry_hash_payload(&entry);
        batch_add(&writer, &entry);
        (void)chain_extend(&ghost->chain, &entry.header);
    }
    entry = (struct entry){.header = {.epoch_index = 1}};
    entry_seal(ghost->entry_key, &entry.header, ghost->chain.size + 1, plain, &sealed);
    entry.payload = buf_span(&sealed);
    entry_hash_payload(&entry);
    batch_add(&writer, &entry);
    (void)chain_extend(&ghost->chain, &entry.header);
    assert_int_equal(head_sign(&ghost->key, &ghost->log, &ghost->chain, &head), ERR_OK);
    wire_put_array(&bytes, 2);
    batch_put(&writer, head.signature, &bytes);
    assert_int_equal(wire_open(&doc, buf_span(&bytes), &wire), ERR_OK);
    assert_int_equal(batch_verify(&wire, &ghost->log, &start, &end, &batch), ERR_OK);
    batch_release(&writer);
    buf_release(&use);
    buf_release(&sealed);
    buf_release(&bytes);
    wire_release(&doc);
    return batch;
}

static struct verified_batch *follow_ghost_edit(struct follow_ghost *ghost, struct edit_space *edit)
{
    struct verified_batch *batch;
    struct buf plain = {0};

    assert_int_equal(edit_write(edit, &plain), ERR_OK);
    batch = follow_ghost_say(ghost, buf_span(&plain));
    buf_release(&plain);
    return batch;
}

static void follow_ingest(struct member *member, const struct verified_batch *batch)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(ledger_ingest(txn, batch), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* An edit of the card at a given time: a name, an e-mail under a dot, and one dot removed. */
static void follow_card_edit(struct edit_space *edit, uint64_t time_ms, const char *name,
                             uint8_t dot_byte, uint8_t removed_byte)
{
    struct id dot = {{dot_byte}}, removed = {{removed_byte}}, element;

    object_element(KIND_CARD, CARD_EMAILS, span_str("a@example.org"), &element);
    edit_begin(edit, KIND_CARD, &follow_only, time_ms);
    edit_set(edit, CARD_NAME, 1, member_text(name));
    edit_add(edit, CARD_EMAILS, &dot, member_text("a@example.org"));
    edit_remove(edit, CARD_EMAILS, &element, &removed, 1);
}

/* Two devices write the same fields knowing nothing of one another. Whoever merges them in
 * whatever order has the same object; ties go by time within bounds, then by device. */
static void follow_agrees_in_every_order_and_breaks_ties(void **state)
{
    static const struct {
        uint64_t desk_ms, ghost_ms;
        const char *wins; /* NULL: the greater device */
    } cases[] = {
        {UINT64_C(1700000000000), UINT64_C(1700000000001), "ghost"},
        {UINT64_C(1700000000001), UINT64_C(1700000000000), "desk"},
        {UINT64_C(1700000000000), UINT64_C(1700000000000), NULL},
        {UINT64_C(4102444800000), UINT64_C(9102444800000), NULL}, /* later than 2100 is 2100 */
        {0, UINT64_C(1577836800000), NULL},                       /* earlier than 2020 is 2020 */
        {UINT64_C(9102444800000), UINT64_C(1700000000000), "desk"},
    };

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct member ana, bruno, chie;
        struct edit_space edit = {0};
        struct follow_ghost ghost;
        struct verified_batch *batch;
        struct buf here = {0}, there = {0};
        struct ledger_txn *txn;
        const char *wins = cases[at].wins;
        struct id card;
        char room[256];

        member_new(&ana, 1, false);
        member_new(&bruno, 2, false);
        member_new(&chie, 3, false);
        member_link(&ana, &bruno);
        member_link(&ana, &chie);
        card = member_card_space(&ana);
        follow_ghost_begin(&ghost, &ana, 77);
        member_grant(&ana, &bruno);
        member_grant(&ana, &chie);
        assert_true(member_pull(&bruno, &ana, NULL) > 0);
        assert_true(member_pull(&chie, &ana, NULL) > 0);
        follow_card_edit(&edit, cases[at].desk_ms, "desk", 1, 2);
        txn = member_begin(&ana);
        assert_int_equal(ledger_append(txn, &card, &edit, 0), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        follow_card_edit(&edit, cases[at].ghost_ms, "ghost", 2, 3);
        batch = follow_ghost_edit(&ghost, &edit);
        assert_true(member_pull(&bruno, &ana, NULL) > 0);
        follow_ingest(&bruno, batch);
        follow_ingest(&chie, batch);
        assert_true(member_pull(&chie, &ana, NULL) > 0);
        follow_meaning(&bruno, &card, KIND_CARD, &follow_only, &here);
        follow_meaning(&chie, &card, KIND_CARD, &follow_only, &there);
        assert_true(span_is_equal(buf_span(&here), buf_span(&there)));
        if (wins == NULL)
            wins = span_order(span_of(ghost.key.public_key.bytes, 32),
                              span_of(ledger_device(ana.ledger)->bytes, 32)) > 0
                       ? "ghost"
                       : "desk";
        assert_string_equal(follow_card_name(&bruno, &card, room), wins);
        edit_release(&edit);
        buf_release(&here);
        buf_release(&there);
        verified_batch_free(batch);
        member_free(&ana);
        member_free(&bruno);
        member_free(&chie);
    }
}

/* What its author signed but nobody can read, or what has no place where it stands, is passed
 * over; what comes after it is merged. */
static void follow_passes_over_what_has_no_meaning(void **state)
{
    static const char *const garbage[] = {"", "x", "\x90", "\x93\x01\x02\x03"};
    struct member ana, bruno;
    struct edit_space edit = {0};
    struct verified_batch *batch;
    struct follow_ghost ghost;
    struct snapshot snapshot;
    struct object object;
    struct id card, contact = {{4}};
    uint32_t number;
    size_t passed = 0;
    char room[256];

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    card = member_card_space(&ana);
    follow_ghost_begin(&ghost, &ana, 77);
    member_grant(&ana, &bruno);
    assert_true(member_pull(&bruno, &ana, NULL) > 0);
    for (size_t at = 0; at < sizeof garbage / sizeof garbage[0]; at++, passed++) {
        batch = follow_ghost_say(&ghost, span_str(garbage[at]));
        follow_ingest(&bruno, batch);
        verified_batch_free(batch);
    }
    memset(ghost.entry_key, 1, KEY_SIZE); /* sealed under another key than it says */
    batch = follow_ghost_say(&ghost, span_str("x"));
    follow_ingest(&bruno, batch);
    verified_batch_free(batch);
    assert_int_equal(passed, 4);
    edit_begin(&edit, KIND_CONTACT, &contact, ana.now_ms); /* no place in a card space */
    edit_set(&edit, CONTACT_NAME, 1, member_text("smuggled"));
    {
        struct ledger_txn *txn = member_begin(&ana);

        assert_int_equal(ledger_append(txn, &card, &edit, 0), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    }
    assert_int_equal(member_name_card(&ana, "after"), ERR_OK);
    assert_true(member_pull(&bruno, &ana, NULL) > 0);
    assert_string_equal(follow_card_name(&bruno, &card, room), "after");
    assert_false(follow_is_behind(bruno.ledger));
    snapshot = member_snapshot(&bruno);
    assert_int_equal(row_get(&snapshot, &card, KIND_CONTACT, &contact, &object, &number),
                     ERR_NOT_FOUND);
    ledger_snapshot_end(&snapshot);
    edit_release(&edit);
    member_free(&ana);
    member_free(&bruno);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follow_agrees_in_every_order_and_breaks_ties),
        cmocka_unit_test(follow_passes_over_what_has_no_meaning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
