/* What is shown of things: the keys of INTERFACE, what is mine before what they say, and nothing
 * where there is nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/describe.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "storage/row.h"
#include "tests/sim/meeting.h"

static const struct op_world describe_nowhere;

static struct op_call describe_call(struct member *member)
{
    return (struct op_call){.world = &describe_nowhere, .snapshot = member_snapshot(member)};
}

static const char *describe_said(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* One edit of a contact, or of the own card with a zero id. */
static struct amend describe_open(struct member *member, uint8_t kind, const struct id *id,
                                  struct ledger_txn **txn)
{
    struct id card = member_card_space(member);
    struct amend amend;

    *txn = member_begin(member);
    amend_begin(&amend, *txn, kind == KIND_CARD ? &card : ledger_self_space(member->ledger), kind,
                id);
    return amend;
}

static void describe_close(struct amend *amend, struct ledger_txn *txn)
{
    assert_int_equal(amend_end(amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static json_t *describe_one(struct member *member, const struct id *id)
{
    struct op_call call = describe_call(member);
    struct object contact = {0};
    uint32_t number;
    json_t *out;

    assert_int_equal(row_get(&call.snapshot, ledger_self_space(member->ledger), KIND_CONTACT, id,
                             &contact, &number),
                     ERR_OK);
    out = describe_contact(&call, &contact);
    object_release(&contact);
    ledger_snapshot_end(&call.snapshot);
    return out;
}

static void times_are_rfc_3339_from_the_first_to_the_last(void **state)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } times[] = {{0, "1970-01-01T00:00:00Z"},
                 {999, "1970-01-01T00:00:00Z"},
                 {1000, "1970-01-01T00:00:01Z"},
                 {UINT64_C(1709164800000), "2024-02-29T00:00:00Z"},
                 {UINT64_C(4102444799999), "2099-12-31T23:59:59Z"},
                 {UINT64_C(253402300799000), "9999-12-31T23:59:59Z"},
                 {UINT64_MAX, "9999-12-31T23:59:59Z"}};
    char text[DESCRIBE_TIME_SIZE];
    json_t *object = json_object();

    (void)state;
    for (size_t at = 0; at < sizeof times / sizeof times[0]; at++) {
        describe_time(times[at].ms, text);
        assert_string_equal(text, times[at].text);
    }
    describe_set_time(object, "none", 0);
    describe_set_text(object, "nothing", span_of(NULL, 0));
    assert_int_equal(json_object_size(object), 0);
    describe_set_time(object, "at", 1000);
    assert_string_equal(describe_said(object, "at"), "1970-01-01T00:00:01Z");
    json_decref(object);
}

static void ids_are_written_in_hex_and_as_uuids(void **state)
{
    struct id id = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc,
                     0xdd, 0xee, 0xff}};
    char text[DESCRIBE_UUID_SIZE];
    json_t *object = json_object();

    (void)state;
    describe_uuid(&id, text);
    assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff");
    describe_set_id(object, "id", &id);
    assert_string_equal(describe_said(object, "id"), "00112233445566778899aabbccddeeff");
    json_decref(object);
}

static void a_contact_has_only_the_keys_it_has_values_for(void **state)
{
    static const char *const always[] = {"id", "kind", "name", "peer", "updated"};
    struct member ana;
    struct id id;
    json_t *shown;

    (void)state;
    member_new(&ana, 1, false);
    assert_int_equal(member_add_contact(&ana, "Joon Kim", NULL, &id), ERR_OK);
    shown = describe_one(&ana, &id);
    assert_int_equal(json_object_size(shown), sizeof always / sizeof always[0]);
    for (size_t at = 0; at < sizeof always / sizeof always[0]; at++)
        assert_non_null(json_object_get(shown, always[at]));
    assert_string_equal(describe_said(shown, "kind"), "person");
    assert_true(json_is_false(json_object_get(shown, "peer")));
    json_decref(shown);
    member_free(&ana);
}

static void labels_sets_and_hostile_texts_are_shown_as_they_are(void **state)
{
    struct ledger_txn *txn;
    struct amend amend;
    struct member ana;
    struct id id = {{1}};
    json_t *shown;

    (void)state;
    member_new(&ana, 1, false);
    amend = describe_open(&ana, KIND_CONTACT, &id, &txn);
    amend_text(&amend, CONTACT_NAME, span_str("\x1b[31mRed\xe2\x80\xae"));
    amend_number(&amend, CONTACT_IS_ORG, 1);
    amend_add(&amend, CONTACT_EMAILS, span_str("a@example.org"));
    amend_add(&amend, CONTACT_EMAILS, span_str("b@example.org"));
    amend_add(&amend, CONTACT_LABELS,
              span_str("work\x1f"
                       "a@example.org"));
    amend_add(&amend, CONTACT_LABELS, span_str("without a separator"));
    describe_close(&amend, txn);
    shown = describe_one(&ana, &id);
    /* JSON is for programs: a terminal's page makes names safe (show.h). */
    assert_string_equal(describe_said(shown, "name"), "\x1b[31mRed\xe2\x80\xae");
    assert_string_equal(describe_said(shown, "kind"), "org");
    assert_int_equal(json_array_size(json_object_get(shown, "emails")), 2);
    assert_int_equal(json_object_size(json_object_get(shown, "labels")), 1);
    assert_string_equal(describe_said(json_object_get(shown, "labels"), "a@example.org"), "work");
    json_decref(shown);
    member_free(&ana);
}

static void mine_comes_before_the_card_and_sets_are_united(void **state)
{
    static const struct id only = {{0}};
    struct member ana, ben;
    struct ledger_txn *txn;
    struct amend amend;
    struct id id = {{1}};
    json_t *shown, *card;

    (void)state;
    meeting_new(&ana, 1, "Ana");
    meeting_new(&ben, 2, "Ben");
    meeting_link(&ana, &ben);
    amend = describe_open(&ben, KIND_CARD, &only, &txn);
    amend_text(&amend, CARD_ORG, span_str("Boats and Sons"));
    amend_add(&amend, CARD_EMAILS, span_str("BEN@example.org"));
    amend_add(&amend, CARD_EMAILS, span_str("work@example.org"));
    describe_close(&amend, txn);
    meeting_carry(&ana, &ben);
    amend = describe_open(&ana, KIND_CONTACT, &id, &txn);
    amend_text(&amend, CONTACT_NAME, span_str("Benny"));
    amend_bytes(&amend, CONTACT_MEMBER, span_of(ben.secrets.member.bytes, 32));
    amend_add(&amend, CONTACT_EMAILS, span_str("ben@example.org"));
    describe_close(&amend, txn);
    shown = describe_one(&ana, &id);
    assert_string_equal(describe_said(shown, "name"), "Benny");
    assert_string_equal(describe_said(shown, "org"), "Boats and Sons");
    assert_int_equal(json_array_size(json_object_get(shown, "emails")), 2);
    card = json_object_get(shown, "card");
    assert_string_equal(describe_said(card, "name"), "Ben");
    assert_int_equal(json_array_size(json_object_get(card, "emails")), 2);
    assert_null(json_object_get(json_object_get(shown, "mine"), "org"));
    assert_true(json_is_true(json_object_get(shown, "peer")));
    json_decref(shown);
    member_set_link(&ana, &ben, LINK_REMOVED);
    shown = describe_one(&ana, &id);
    assert_true(json_is_false(json_object_get(shown, "peer")));
    json_decref(shown);
    member_free(&ana);
    member_free(&ben);
}

static void a_card_never_written_is_empty_and_a_peer_is_whole(void **state)
{
    struct member ana, ben;
    struct id card;
    struct op_call call;
    struct peer peer = {0};
    json_t *shown;

    (void)state;
    member_new(&ana, 1, false);
    card = member_card_space(&ana);
    call = describe_call(&ana);
    shown = describe_card(&call, &card, NULL);
    assert_int_equal(json_object_size(shown), 0);
    json_decref(shown);
    shown = describe_card(&call, &card, &ana.secrets.member);
    assert_int_equal(json_object_size(shown), 1);
    assert_true(strncmp(describe_said(shown, "member"), "did:key:z6Mk", 12) == 0);
    json_decref(shown);
    ledger_snapshot_end(&call.snapshot);
    meeting_new(&ben, 2, "Ben");
    meeting_link(&ana, &ben);
    assert_true(meeting_peer(&ana, &ben, &peer));
    call = describe_call(&ana);
    shown = describe_peer(&call, &peer, true);
    assert_string_equal(describe_said(shown, "state"), "offline");
    assert_string_equal(describe_said(shown, "level"), "invited");
    assert_string_equal(describe_said(json_object_get(shown, "card"), "name"), "Ben");
    assert_true(json_is_integer(json_object_get(shown, "undelivered")));
    assert_null(json_object_get(shown, "alias"));
    assert_null(describe_presence(&call, &ben.secrets.member));
    json_decref(shown);
    ledger_snapshot_end(&call.snapshot);
    member_free(&ana);
    member_free(&ben);
}

/* Names that cannot be seen: of no width, a blank, a mark without a letter. */
static void nobody_is_shown_as_nothing(void **state)
{
    static const char *const unseen[] = {"\xe2\x80\x8b", "\xc2\xa0 ", "\xe3\x85\xa4", "\xcc\x81"};
    struct member ana, ben;
    struct op_call call;
    struct peer peer;
    json_t *shown;
    struct id id;

    (void)state;
    meeting_new(&ana, 1, "Ana");
    meeting_new(&ben, 2, "Ben");
    meeting_link(&ana, &ben);
    for (size_t at = 0; at < sizeof unseen / sizeof unseen[0]; at++) {
        assert_int_equal(member_name_card(&ben, unseen[at]), ERR_OK);
        meeting_carry(&ana, &ben);
        assert_true(meeting_peer(&ana, &ben, &peer));
        call = describe_call(&ana);
        shown = describe_peer(&call, &peer, true);
        assert_string_equal(describe_said(shown, "name"), "told when linking");
        assert_null(json_object_get(json_object_get(shown, "card"), "name"));
        json_decref(shown);
        ledger_snapshot_end(&call.snapshot);
        /* Of an import, or an older program. */
        assert_int_equal(member_add_contact(&ana, unseen[at], NULL, &id), ERR_OK);
        shown = describe_one(&ana, &id);
        assert_null(json_object_get(shown, "name"));
        json_decref(shown);
    }
    id_about("kith link", &ben.secrets.member, &id);
    assert_int_equal(
        member_write(&ana, ledger_self_space(ana.ledger), KIND_LINK, &id, LINK_NAME, unseen[0]),
        ERR_OK);
    assert_true(meeting_peer(&ana, &ben, &peer));
    assert_true(strncmp(peer.name, "did:key:z6Mk", 12) == 0 && strlen(peer.name) == 20);
    secret_wipe(&peer, sizeof peer);
    member_free(&ana);
    member_free(&ben);
}

static void a_contact_that_is_not_there_is_nothing(void **state)
{
    struct member ana;
    struct op_call call;

    (void)state;
    member_new(&ana, 1, false);
    call = describe_call(&ana);
    assert_null(describe_contact_numbered(&call, 4711));
    ledger_snapshot_end(&call.snapshot);
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_rfc_3339_from_the_first_to_the_last),
        cmocka_unit_test(ids_are_written_in_hex_and_as_uuids),
        cmocka_unit_test(a_contact_has_only_the_keys_it_has_values_for),
        cmocka_unit_test(labels_sets_and_hostile_texts_are_shown_as_they_are),
        cmocka_unit_test(mine_comes_before_the_card_and_sets_are_united),
        cmocka_unit_test(a_card_never_written_is_empty_and_a_peer_is_whole),
        cmocka_unit_test(nobody_is_shown_as_nothing),
        cmocka_unit_test(a_contact_that_is_not_there_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
