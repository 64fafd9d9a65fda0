/* Endorsements that are not what they say: B65, B66, floods and bounds. Iris is Ana's peer and
 * keeps no rule; Bruno keeps all of them. */
#include <stdio.h>
#include <string.h>

#include "node/credential.h"
#include "node/react.h"
#include "proto/endorsement.h"
#include "proto/limits.h"
#include "proto/show.h"
#include "proto/statement.h"
#include "storage/endorsement_table.h"
#include "storage/heal.h"
#include "storage/space.h"
#include "tests/sim/asking.h"
#include "tests/sim/siege.h"
#include "tests/sim/three.h"

enum {
    SIEGE_VOUCHES = 10000,
    SIEGE_VOUCHES_A_COMMIT = 200,
    SIEGE_VOUCHES_BYTES = 128 << 20 /* they lie in two stores, which are memory here */
};

static void siege_vouch_begin(struct three *three)
{
    three_new(three);
    meeting_link(&three->ana, &three->bruno);
}

/* A record as its issuer would sign it. */
static void siege_vouch(struct member *issuer, const struct public_key *subject, unsigned number,
                        const char *words, struct buf *out)
{
    struct endorsement said = {.issuer = issuer->secrets.member,
                               .subject = *subject,
                               .relation = RELATION_CLIENT,
                               .about = {span_str("stairs")},
                               .about_count = 1,
                               .words = span_str(words),
                               .issued_s = issuer->now_ms / 1000 + number,
                               .expires_s = issuer->now_ms / 1000 + number + 700 * 86400,
                               .ceiling = AUDIENCE_NETWORK,
                               .name = span_str("Somebody")};

    endorsement_draw_id(&issuer->entropy, issuer->now_ms, &said.id);
    if (number == 0) /* Accepting looks at the proofs, receiving does not. */
        world_must(credential_prove(&said, ledger_root_key(issuer->ledger)));
    buf_clear(out);
    world_must(endorsement_issue(&said, ledger_root_key(issuer->ledger), out));
}

static void siege_vouch_carry(struct three *three)
{
    meeting_carry(&three->iris, &three->ana);
    meeting_carry(&three->bruno, &three->ana);
}

static size_t siege_vouches_shown(struct member *member)
{
    json_t *list = meeting_op(member, "endorsement.list", json_pack("{s:b}", "received", 1), NULL);
    size_t count = json_array_size(json_object_get(list, "endorsements"));

    json_decref(list);
    return count;
}

/* Bruno's own record, brought by Iris; the same with other words; one about somebody else. */
static void siege_vouch_for_another(struct siege *siege)
{
    struct three three;
    struct buf record = {0};

    siege_vouch_begin(&three);
    siege_vouch(&three.bruno, &three.ana.secrets.member, 0, "She built our stairs, and well.",
                &record);
    asking_say(&three.iris, &three.ana, KIND_ENDORSEMENT, buf_span(&record), 0);
    record.data[record.size / 2] ^= 1;
    asking_say(&three.iris, &three.ana, KIND_ENDORSEMENT, buf_span(&record), 0);
    siege_vouch(&three.iris, &three.bruno.secrets.member, 0, "He built our stairs, and well.",
                &record);
    asking_say(&three.iris, &three.ana, KIND_ENDORSEMENT, buf_span(&record), 0);
    asking_say(&three.iris, &three.ana, KIND_ENDORSEMENT, span_str("nothing of the kind"), 0);
    siege_vouch_carry(&three);
    siege_expect(siege, siege_vouches_shown(&three.ana) == 0, "nothing is shown");
    siege_expect(siege, siege_dropped(&three.ana, "Iris") == 4, "four are counted against Iris");
    siege_expect(siege, siege_dropped(&three.ana, "Bruno") == 0, "and none against Bruno");
    siege_expect(siege, asking_told(&three.ana, "refused") == 1, "and told once");
    buf_release(&record);
    three_free(&three);
}

static void siege_vouch_id(struct member *member, char out[static 40])
{
    json_t *list = meeting_op(member, "endorsement.list", json_pack("{s:b}", "received", 1), NULL);
    json_t *row = json_array_get(json_object_get(list, "endorsements"), 0);
    const char *id = json_string_value(json_object_get(row, "id"));

    (void)snprintf(out, 40, "%s", id != NULL ? id : "");
    json_decref(list);
}

/* Iris takes back what Bruno said, and what nobody said. */
static void siege_vouch_taken_back(struct siege *siege)
{
    struct three three;
    struct ledger_txn *txn;
    struct edit_space edit = {0};
    struct id card, object;
    struct hash hash;
    struct buf record = {0};
    char id[40];

    siege_vouch_begin(&three);
    siege_vouch(&three.bruno, &three.ana.secrets.member, 0, "She built our stairs, and well.",
                &record);
    asking_say(&three.bruno, &three.ana, KIND_ENDORSEMENT, buf_span(&record), 0);
    siege_vouch_carry(&three);
    siege_vouch_id(&three.ana, id);
    json_decref(meeting_op(&three.ana, "endorsement.accept",
                           json_pack("{s:s, s:s}", "id", id, "to", "peers"), NULL));
    siege_vouch_carry(&three);
    siege_expect(siege, siege_says(&three.iris, "peer.show", json_pack("{s:s}", "who", "Ana"), id),
                 "Iris is shown it");
    statement_hash(buf_span(&record), &hash);
    memcpy(object.bytes, hash.bytes, ID_SIZE);
    card = member_card_space(&three.iris);
    txn = member_begin(&three.iris);
    edit_begin(&edit, KIND_REVOKED, &object, three.iris.now_ms);
    edit_set(&edit, REVOKED_HASH, 1,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(hash.bytes, HASH_SIZE)});
    world_must(ledger_append(txn, &card, &edit, 0));
    world_must(ledger_commit(txn, NULL));
    edit_release(&edit);
    siege_vouch_carry(&three);
    siege_expect(siege, !siege_says(&three.ana, "endorsement.list", json_object(), "revoked"),
                 "it stands");
    siege_expect(siege, siege_says(&three.iris, "peer.show", json_pack("{s:s}", "who", "Ana"), id),
                 "and is shown");
    buf_release(&record);
    three_free(&three);
}

/* Ten thousand at once, each rightly signed: three wait for Ana, whatever lies in Iris's space. */
static void siege_vouch_flood(struct siege *siege)
{
    struct snapshot snapshot;
    struct three three;
    struct buf record = {0};
    uint64_t undecided = 0;
    unsigned number = 1;

    siege_vouch_begin(&three);
    while (number <= SIEGE_VOUCHES) {
        struct ledger_txn *txn = member_begin(&three.iris);
        struct edit_space edit = {0};
        struct peer peer;
        struct id id;

        KITH_ASSERT(meeting_peer(&three.iris, &three.ana, &peer));
        for (unsigned at = 0; at < SIEGE_VOUCHES_A_COMMIT; at++, number++) {
            siege_vouch(&three.iris, &three.ana.secrets.member, number,
                        "The same, and the same, and the same again.", &record);
            statement_id(buf_span(&record), &id);
            edit_begin(&edit, KIND_ENDORSEMENT, &id, three.iris.now_ms);
            edit_set(&edit, ENDORSEMENT_STATEMENT, 1,
                     (struct value){.type = VALUE_BYTES, .bytes = buf_span(&record)});
            world_must(ledger_append(txn, &peer.pair_out, &edit, 0));
        }
        world_must(ledger_commit(txn, NULL));
        edit_release(&edit);
        meeting_carry(&three.iris, &three.ana);
    }
    siege_expect(siege, siege_vouches_shown(&three.ana) == ENDORSEMENTS_PER_ISSUER_MAX,
                 "three are shown");
    snapshot = member_snapshot(&three.ana);
    world_must(endorsement_table_undecided(&snapshot, &three.iris.secrets.member, &undecided));
    ledger_snapshot_end(&snapshot);
    siege_expect(siege, undecided == ENDORSEMENTS_PER_ISSUER_MAX, "three are kept");
    buf_release(&record);
    three_free(&three);
}

/* Longer than a record may be, as an entry can be; and the largest size an entry has room for. */
static void siege_vouch_too_long(struct siege *siege)
{
    static uint8_t bytes[100 << 10];
    struct three three;
    struct buf record = {0};

    siege_vouch_begin(&three);
    siege_vouch(&three.iris, &three.ana.secrets.member, 1, "Good work, and a long letter of it.",
                &record);
    buf_append(&record, span_of(bytes, ENDORSEMENT_SIZE_MAX));
    asking_say(&three.iris, &three.ana, KIND_ENDORSEMENT, buf_span(&record), 0);
    asking_say(&three.iris, &three.ana, KIND_ENDORSEMENT, span_of(bytes, sizeof bytes), 0);
    siege_vouch_carry(&three);
    siege_expect(siege, siege_vouches_shown(&three.ana) == 0, "nothing is shown");
    siege_expect(siege, siege_dropped(&three.ana, "Iris") == 2, "both are counted against Iris");
    siege_expect(siege, asking_told(&three.ana, "refused") == 1, "and told");
    buf_release(&record);
    three_free(&three);
}

/* Iris quotes what she wrote about Bruno with a show that his lap signed, which stands nowhere. */
static void siege_vouch_quote(struct three *three, struct member *lap, struct buf *record)
{
    struct ledger_txn *txn = member_begin(&three->iris);
    struct snapshot of_lap = member_snapshot(lap), snapshot = ledger_txn_snapshot(txn);
    struct show show = {.audience = AUDIENCE_NETWORK,
                        .made_s = lap->now_ms / 1000,
                        .until_s = lap->now_ms / 1000 + SHOW_DAYS_MAX * 86400};
    struct buf identity = {0}, shown = {0};
    struct edit_space edit = {0};
    struct space_row network;
    struct id object;

    world_must(view_identity(&of_lap, &identity));
    ledger_snapshot_end(&of_lap);
    statement_hash(buf_span(record), &show.endorsement);
    statement_id(buf_span(record), &object);
    world_must(show_issue(&show, buf_span(&identity), ledger_signing_key(lap->ledger), &shown));
    world_must(space_use_network(txn, true));
    world_must(space_share_network(txn, &three->ana.secrets.member, true));
    world_must(react_all(txn));
    world_must(space_network(&snapshot, &network));
    edit_begin(&edit, KIND_ENDORSEMENT, &object, three->iris.now_ms);
    edit_set(&edit, ENDORSEMENT_STATEMENT, 1,
             (struct value){.type = VALUE_BYTES, .bytes = buf_span(record)});
    edit_set(&edit, ENDORSEMENT_SHOW, 1,
             (struct value){.type = VALUE_BYTES, .bytes = buf_span(&shown)});
    world_must(ledger_append(txn, &network.id, &edit, 0)); /* A node would take it back at once. */
    world_must(ledger_commit(txn, NULL));
    edit_release(&edit);
    buf_release(&identity);
    buf_release(&shown);
}

static bool siege_vouch_is_seen(struct three *three)
{
    char did[DID_SIZE];

    identity_did(&three->bruno.secrets.member, did);
    return siege_says(&three->ana, "endorsement.list", json_pack("{s:s}", "of", did), "Iris");
}

/* The thief of Bruno's lap and Iris are friends: Ana, who hears of the theft before or after, is
 * shown nothing. */
static void siege_vouch_by_a_thief(struct siege *siege)
{
    for (int is_known = 0; is_known < 2; is_known++) {
        struct three three;
        struct member lap;
        struct buf record = {0};
        struct ledger_txn *txn;

        siege_vouch_begin(&three);
        member_twin(&lap, &three.bruno, 9);
        siege_vouch(&three.iris, &three.bruno.secrets.member, 0, "He built our stairs, and well.",
                    &record);
        siege_vouch_quote(&three, &lap, &record);
        for (int round = 0; round < 2 && !is_known; round++)
            (void)meeting_carry_one_way(&three.ana, &three.iris);
        siege_expect(siege, siege_vouch_is_seen(&three) == !is_known, "a lap's word is shown");
        txn = member_begin(&three.bruno);
        world_must(heal_shut_out(txn, ledger_device(lap.ledger), RETIRE_STOLEN));
        world_must(react_all(txn));
        world_must(ledger_commit(txn, NULL));
        meeting_carry(&three.bruno, &three.ana);
        for (int round = 0; round < 2 && is_known; round++)
            (void)meeting_carry_one_way(&three.ana, &three.iris);
        siege_expect(siege, !siege_vouch_is_seen(&three), "a stolen one's is not");
        buf_release(&record);
        member_free(&lap);
        three_free(&three);
    }
}

const struct siege_case siege_vouch_cases[] = {
    {.name = "B65 an endorsement in another's name",
     .run = siege_vouch_for_another,
     .is_apart = true},
    {.name = "B66 takes back what another said", .run = siege_vouch_taken_back, .is_apart = true},
    {.name = "E1 ten thousand endorsements",
     .run = siege_vouch_flood,
     .is_apart = true,
     .bytes_max = SIEGE_VOUCHES_BYTES},
    {.name = "E2 endorsements that are too long", .run = siege_vouch_too_long, .is_apart = true},
    {.name = "E3 quotes what a stolen device showed",
     .run = siege_vouch_by_a_thief,
     .is_apart = true},
    {.name = NULL},
};
