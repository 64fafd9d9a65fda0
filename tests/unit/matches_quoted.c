/* People whom only quotes tell of: matched for an ask, with who says so and whom to ask; and not
 * when they are kept away, muted, or in the address book after all. Ana endorses Bruno, Chie quotes
 * what Bruno shows, Dora is Chie's peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/amend.h"
#include "node/matches.h"
#include "proto/contact.h"
#include "tests/sim/meeting.h"

struct quoted_town {
    struct member ana, bruno, chie, dora;
    char bruno_did[DID_SIZE];
};

static json_t *quoted_op(struct member *member, const char *method, json_t *params)
{
    enum op_code code;
    json_t *result = meeting_op(member, method, params, &code);

    assert_int_equal(code, OP_DONE);
    return result;
}

static void quoted_carry(struct quoted_town *town)
{
    for (int round = 0; round < 2; round++) {
        meeting_carry(&town->ana, &town->bruno);
        meeting_carry(&town->bruno, &town->chie);
        meeting_carry(&town->chie, &town->dora);
    }
}

static void quoted_begin(struct quoted_town *town)
{
    json_t *endorsement;
    char id[80];

    meeting_new(&town->ana, 1, "Ana");
    meeting_new(&town->bruno, 2, "Bruno");
    meeting_new(&town->chie, 3, "Chie");
    meeting_new(&town->dora, 4, "Dora");
    meeting_link(&town->ana, &town->bruno);
    meeting_link(&town->bruno, &town->chie);
    meeting_link(&town->chie, &town->dora);
    identity_did(&town->bruno.secrets.member, town->bruno_did);
    endorsement = quoted_op(&town->ana, "endorse",
                            json_pack("{s:s, s:[s, s], s:s, s:s, s:s}", "who", town->bruno_did,
                                      "about", "masonry", "stairs", "relation", "client", "words",
                                      "Built our stairs, on time and true.", "ceiling", "network"));
    (void)snprintf(id, sizeof id, "%s", json_string_value(json_object_get(endorsement, "id")));
    json_decref(endorsement);
    quoted_carry(town);
    json_decref(quoted_op(&town->bruno, "endorsement.accept",
                          json_pack("{s:s, s:s}", "id", id, "to", "network")));
    quoted_carry(town);
    json_decref(quoted_op(&town->chie, "network.quote", json_pack("{s:s}", "who", "Bruno")));
    quoted_carry(town);
}

static void quoted_end(struct quoted_town *town)
{
    member_free(&town->ana);
    member_free(&town->bruno);
    member_free(&town->chie);
    member_free(&town->dora);
}

static bool quoted_is_never(const void *self, const struct public_key *member)
{
    return public_key_is_equal(self, member);
}

static json_t *quoted_matches(struct member *member, const char *tag, const char *text,
                              const struct public_key *never)
{
    static const struct op_world world = {.home = ""};
    struct snapshot snapshot = member_snapshot(member);
    struct op_call call = {.snapshot = snapshot, .now_ms = member->now_ms, .world = &world};
    const struct span tags[] = {span_str(tag)};
    struct matches_question question = {.id = "3f9a1c",
                                        .title = span_str(text),
                                        .tags = tags,
                                        .tags_count = tag[0] != '\0',
                                        .can_pass = true,
                                        .is_left_out = never != NULL ? quoted_is_never : NULL,
                                        .self = never};
    struct matches matches;
    json_t *list;

    matches_begin(&matches, &call);
    assert_int_equal(matches_of(&matches, &question, &list), ERR_OK);
    matches_end(&matches);
    ledger_snapshot_end(&snapshot);
    return list;
}

static void quoted_expect(struct quoted_town *town, const char *tag, const char *text,
                          const struct public_key *never, size_t count)
{
    json_t *list = quoted_matches(&town->dora, tag, text, never);

    if (json_array_size(list) != count)
        fail_msg("\"%s\" \"%s\" fits %zu, not %zu", tag, text, json_array_size(list), count);
    json_decref(list);
}

static const char *quoted_text(json_t *row, const char *key)
{
    return json_string_value(json_object_get(row, key));
}

static void matches_tell_of_people_known_by_quotes(void **state)
{
    struct quoted_town town;
    json_t *list, *row, *who, *next;

    (void)state;
    quoted_begin(&town);
    list = quoted_matches(&town.dora, "skill:stairs", "", NULL);
    assert_int_equal(json_array_size(list), 1);
    row = json_array_get(list, 0);
    who = json_object_get(row, "contact");
    next = json_object_get(row, "next");
    assert_string_equal(quoted_text(who, "member"), town.bruno_did);
    assert_null(json_object_get(who, "id"));
    assert_non_null(strstr(quoted_text(who, "name"), "did:key:z6M"));
    assert_true(json_is_false(json_object_get(row, "peer")));
    assert_string_equal(quoted_text(row, "why"), "endorsed for stairs by Ana, as Chie quotes; "
                                                 "nobody of your address book");
    assert_int_equal(json_array_size(next), 2);
    assert_non_null(strstr(json_string_value(json_array_get(next, 0)), "kith path did:key:"));
    assert_non_null(strstr(json_string_value(json_array_get(next, 1)), "--from \"Chie\" --blurb"));
    json_decref(list);
    quoted_expect(&town, "skill:stair", "", NULL, 1);
    quoted_expect(&town, "skill:masonry", "", NULL, 1);
    quoted_expect(&town, "", "A mason for my old stairs", NULL, 1);
    quoted_expect(&town, "skill:roofs", "", NULL, 0);
    quoted_expect(&town, "skill:roofs", "not for stairs", NULL, 0);
    quoted_expect(&town, "skill:roofs", "or stairs, and masonry", NULL, 1);
    quoted_expect(&town, "when:stairs", "", NULL, 0);
    quoted_expect(&town, "skill:stairs", "", &town.bruno.secrets.member, 0);
    quoted_end(&town);
}

static void matches_of_quotes_stop_when_they_do(void **state)
{
    struct quoted_town town;

    (void)state;
    quoted_begin(&town);
    quoted_expect(&town, "skill:stairs", "", NULL, 1);
    json_decref(quoted_op(&town.chie, "network.unquote", json_pack("{s:s}", "who", "Bruno")));
    quoted_carry(&town);
    quoted_expect(&town, "skill:stairs", "", NULL, 0);
    quoted_end(&town);
}

static void quoted_expect_paths(struct quoted_town *town, const char *place, size_t count)
{
    json_t *result = quoted_op(&town->dora, "path",
                               json_pack("{s:[s], s:s}", "words", "stairs", "place", place));
    json_t *row = json_array_get(json_object_get(result, "paths"), 0);

    assert_int_equal(json_array_size(json_object_get(result, "paths")), count);
    assert_true(count == 0 || json_is_true(json_object_get(row, "place_known")));
    json_decref(result);
}

/* They are in the address book, with their member, and (is_peer) their link says so. */
static void quoted_know(struct member *member, const struct member *other, const char *name,
                        bool is_peer)
{
    const struct id *self = ledger_self_space(member->ledger);
    struct ledger_txn *txn = member_begin(member);
    struct amend amend;
    struct id id, link;

    id_draw(&member->entropy, member->now_ms, &id);
    amend_begin(&amend, txn, self, KIND_CONTACT, &id);
    amend_text(&amend, CONTACT_NAME, span_str(name));
    amend_text(&amend, CONTACT_PLACE, span_str("Norman"));
    amend_bytes(&amend, CONTACT_MEMBER, span_of(other->secrets.member.bytes, 32));
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    if (is_peer) {
        id_about("kith link", &other->secrets.member, &link);
        amend_begin(&amend, txn, self, KIND_LINK, &link);
        amend_bytes(&amend, LINK_CONTACT, span_of(id.bytes, ID_SIZE));
        assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    }
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void matches_of_quotes_know_the_address_book(void **state)
{
    struct quoted_town town;
    json_t *list, *row;

    (void)state;
    quoted_begin(&town);
    quoted_know(&town.dora, &town.bruno, "Bruno the mason", false);
    list = quoted_matches(&town.dora, "skill:stairs", "", NULL);
    assert_int_equal(json_array_size(list), 1);
    row = json_array_get(list, 0);
    assert_string_equal(quoted_text(json_object_get(row, "contact"), "name"), "Bruno the mason");
    assert_non_null(json_object_get(json_object_get(row, "contact"), "id"));
    assert_non_null(strstr(quoted_text(row, "why"), "endorsed for stairs by Ana"));
    json_decref(list);
    quoted_expect(&town, "skill:stairs", "", &town.bruno.secrets.member, 0);
    quoted_expect_paths(&town, "Norman", 1);
    quoted_expect_paths(&town, "Tulsa", 0);
    json_decref(quoted_op(&town.dora, "contact.closeness",
                          json_pack("{s:s, s:s}", "who", "Bruno the mason", "level", "muted")));
    quoted_expect(&town, "skill:stairs", "", NULL, 0);
    quoted_end(&town);
}

/* TRUST-2: what somebody muted says of a peer is not cited either. */
static void nobody_muted_is_cited(void **state)
{
    struct quoted_town town;
    json_t *list;

    (void)state;
    quoted_begin(&town);
    quoted_know(&town.chie, &town.bruno, "Bruno", true);
    quoted_know(&town.chie, &town.ana, "Ana", false);
    list = quoted_matches(&town.chie, "skill:stairs", "", NULL);
    assert_int_equal(json_array_size(list), 1);
    assert_non_null(strstr(quoted_text(json_array_get(list, 0), "why"), "endorsed for stairs by"));
    json_decref(list);
    json_decref(quoted_op(&town.chie, "contact.closeness",
                          json_pack("{s:s, s:s}", "who", "Ana", "level", "muted")));
    list = quoted_matches(&town.chie, "skill:stairs", "", NULL);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    quoted_end(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_tell_of_people_known_by_quotes),
        cmocka_unit_test(matches_of_quotes_stop_when_they_do),
        cmocka_unit_test(nobody_muted_is_cited),
        cmocka_unit_test(matches_of_quotes_know_the_address_book),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
