/* Endorsements that are not what they say: B65, B66, floods and bounds. Iris is Ana's peer and
 * keeps no rule; Bruno keeps all of them. */
#include <stdio.h>
#include <string.h>

#include "proto/endorsement.h"
#include "proto/limits.h"
#include "storage/endorsement_table.h"
#include "tests/sim/asking.h"
#include "tests/sim/flood.h"
#include "tests/sim/siege.h"
#include "tests/sim/three.h"

enum {
    SIEGE_VOUCHES = 10000,
    SIEGE_VOUCHES_BYTES = 128 << 20 /* they lie in two stores, which are memory here */
};

static void siege_vouch_begin(struct three *three)
{
    three_new(three);
    meeting_link(&three->ana, &three->bruno);
}

static void siege_vouch(struct member *issuer, const struct public_key *subject, unsigned number,
                        const char *words, struct buf *out)
{
    const struct flood_record record = {
        .words = words, .issued_s = issuer->now_ms / 1000 + number, .is_proved = number == 0};

    buf_clear(out);
    flood_record(issuer, subject, &record, out);
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
    struct flood flood = {.count = SIEGE_VOUCHES};
    struct snapshot snapshot;
    struct three three;
    uint64_t undecided = 0;

    siege_vouch_begin(&three);
    flood.issued_s = three.iris.now_ms / 1000;
    flood_offer(&three.iris, &three.ana, &flood);
    meeting_carry(&three.iris, &three.ana);
    siege_expect(siege, siege_vouches_shown(&three.ana) == ENDORSEMENTS_PER_ISSUER_MAX,
                 "three are shown");
    snapshot = member_snapshot(&three.ana);
    world_must(endorsement_table_undecided(&snapshot, &three.iris.secrets.member, &undecided));
    ledger_snapshot_end(&snapshot);
    siege_expect(siege, undecided == ENDORSEMENTS_PER_ISSUER_MAX, "three are kept");
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
    {.name = NULL},
};
