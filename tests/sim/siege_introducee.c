/* Introduced people, and third ones, who keep no rule: B77, B79, B80, B85, B87 to B89. */
#include <string.h>

#include "proto/limits.h"
#include "tests/sim/asking.h"
#include "tests/sim/siege_meet.h"

/* Any bytes as a statement of an introduction, in what this member writes for Ana. */
static void siege_meet_put(struct siege_meet *meet, struct member *by, struct span bytes)
{
    asking_say(by, &meet->three.ana, KIND_INTRODUCTION, bytes, 0);
}

/* What Iris said to Ana, as Ana has it. */
static void siege_meet_offer_bytes(struct siege_meet *meet, struct buf *out)
{
    struct snapshot snapshot = member_snapshot(&meet->three.ana);
    struct introduction_case intro;
    const struct introduction_fact *offer;

    world_must(
        introduction_open(&snapshot, NULL, &meet->three.iris.secrets.member, &meet->id, &intro));
    offer = introduction_said(&intro, INTRODUCTION_OFFER, &meet->three.iris.secrets.member, 0);
    KITH_ASSERT(offer != NULL);
    buf_append(out, offer->bytes);
    introduction_close(&intro);
    ledger_snapshot_end(&snapshot);
}

/* Bruno says yes, and says hello, to what nobody planned. */
static void siege_unasked(struct siege *siege)
{
    struct introduction_message said = {.type = INTRODUCTION_HELLO, .sealed = span_str("hello")};
    struct introduction_message yes;
    struct public_key member;
    struct buf forged = {0};
    struct siege_meet meet;
    uint64_t rows = 0;
    struct snapshot snapshot;

    siege_meet_begin(siege, &meet);
    memset(meet.id.bytes, 0x55, ID_SIZE);
    siege_meet_yes(&meet, &meet.three.bruno, &forged);
    world_must(introduction_read(buf_span(&forged), &member, &yes));
    meeting_say(&meet.three.bruno, &meet.three.iris, &yes);
    said.id = meet.id;
    meeting_say(&meet.three.bruno, &meet.three.iris, &said);
    three_round(&meet.three);
    snapshot = member_snapshot(&meet.three.iris);
    world_must(kv_count(snapshot.kv, TABLE_INTRODUCTION, &rows));
    ledger_snapshot_end(&snapshot);
    siege_expect(siege, rows == 0, "Iris keeps nothing of it");
    siege_expect(siege, siege_dropped(&meet.three.iris, "Bruno") >= 2, "and counts it");
    siege_meet_expect(&meet, &meet.three.ana, "", "Ana hears nothing");
    buf_release(&forged);
    siege_meet_end(&meet);
}

/* Yes and no; then yes in three wordings. */
static void siege_answers_twice(struct siege *siege)
{
    struct introduction_message no = {.type = INTRODUCTION_NO};
    struct siege_meet meet;
    struct buf yes = {0};

    siege_meet_begin(siege, &meet);
    siege_meet_introduce(&meet);
    meeting_accept(&meet.three.bruno);
    no.id = meet.id;
    siege_meet_said(&meet, &meet.three.bruno, &yes, &no.no);
    meeting_say(&meet.three.bruno, &meet.three.iris, &no);
    three_round(&meet.three);
    siege_meet_expect(&meet, &meet.three.iris, "closed", "a no outranks a yes");
    meeting_accept(&meet.three.ana);
    three_round(&meet.three);
    siege_meet_expect(&meet, &meet.three.ana, "yes", "Ana hears nothing of it");
    siege_meet_expect_apart(&meet);
    siege_meet_end(&meet);

    siege_meet_begin(siege, &meet);
    siege_meet_introduce(&meet);
    meeting_accept(&meet.three.bruno);
    for (int at = 0; at < 10; at++) {
        struct introduction_message again;
        struct public_key member;

        buf_clear(&yes);
        siege_meet_yes(&meet, &meet.three.bruno, &yes);
        world_must(introduction_read(buf_span(&yes), &member, &again));
        again.yes.ephemeral[0] ^= (uint8_t)at;
        meeting_say(&meet.three.bruno, &meet.three.iris, &again);
    }
    three_round(&meet.three);
    meeting_accept(&meet.three.ana);
    three_round(&meet.three);
    siege_meet_expect(&meet, &meet.three.iris, "released", "one of them counts");
    siege_meet_expect(&meet, &meet.three.ana, "connected", "Ana");
    siege_meet_expect(&meet, &meet.three.bruno, "connected", "Bruno");
    buf_release(&yes);
    siege_meet_end(&meet);
}

/* Yes, and takes it back. */
static void siege_takes_back(struct siege *siege)
{
    struct introduction_message retract = {.type = INTRODUCTION_RETRACT};
    struct siege_meet meet;

    siege_meet_begin(siege, &meet);
    siege_meet_introduce(&meet);
    meeting_accept(&meet.three.bruno);
    retract.id = meet.id;
    meeting_say(&meet.three.bruno, &meet.three.iris, &retract);
    three_round(&meet.three);
    meeting_accept(&meet.three.ana);
    three_round(&meet.three);
    siege_meet_expect_apart(&meet);
    siege_meet_expect(&meet, &meet.three.ana, "yes", "Ana waits");
    siege_expect(siege,
                 !meeting_holds(&meet.three.bruno,
                                span_of(ledger_static_key(meet.three.ana.ledger)->public_key, 32)),
                 "no key of Ana's left her");
    siege_meet_end(&meet);
}

/* What Ana writes for Iris alone is not handed to Bruno, and what she writes for Bruno is nothing
 * Iris can read. */
static void siege_private_notes(struct siege *siege)
{
    struct siege_meet meet;
    char id[ID_TEXT_SIZE];
    json_t *want;

    siege_meet_begin(siege, &meet);
    want = meeting_op(&meet.three.ana, "intro.want",
                      json_pack("{s:s, s:s, s:s, s:s}", "from", "Iris", "who", "boat people",
                                "blurb", "ana-for-bruno", "note", "ana-for-iris"),
                      NULL);
    json_decref(want);
    three_round(&meet.three);
    siege_expect(siege, meeting_holds(&meet.three.iris, span_str("ana-for-iris")),
                 "Iris reads her note");
    siege_meet_introduce(&meet);
    meeting_first_id(&meet.three.ana, id);
    json_decref(meeting_op(&meet.three.ana, "intro.accept",
                           json_pack("{s:s, s:s}", "id", id, "message", "ana-to-the-other"), NULL));
    meeting_accept(&meet.three.bruno);
    three_round(&meet.three);
    siege_meet_expect(&meet, &meet.three.bruno, "connected", "Bruno");
    siege_expect(siege, !meeting_holds(&meet.three.bruno, span_str("ana-for-iris")),
                 "Bruno has not got the note to Iris");
    siege_expect(siege, meeting_holds(&meet.three.bruno, span_str("ana-to-the-other")),
                 "Bruno reads what is for him");
    siege_expect(siege, !meeting_holds(&meet.three.iris, span_str("ana-to-the-other")),
                 "Iris does not");
    siege_meet_end(&meet);
}

/* Iris removes Bruno between the yeses; what he says then reaches nobody. */
static void siege_removed_between(struct siege *siege)
{
    struct siege_meet meet;

    siege_meet_begin(siege, &meet);
    siege_meet_introduce(&meet);
    meeting_accept(&meet.three.ana);
    three_round(&meet.three);
    json_decref(
        meeting_op(&meet.three.iris, "peer.remove", json_pack("{s:s}", "who", "Bruno"), NULL));
    meeting_accept(&meet.three.bruno);
    three_round(&meet.three);
    siege_meet_expect(&meet, &meet.three.iris, "closed", "Iris has ended it");
    siege_meet_expect(&meet, &meet.three.ana, "withdrawn", "Ana hears that it was taken back");
    siege_meet_expect_apart(&meet);
    siege_meet_end(&meet);
}

/* Ana's introduction key is renewed between her yes and the release. */
static void siege_renews_between(struct siege *siege)
{
    struct siege_meet meet;

    siege_meet_begin(siege, &meet);
    json_decref(meeting_op(&meet.three.iris, "introduce",
                           json_pack("{s:s, s:s, s:s, s:s, s:s}", "a", "Ana", "b", "Bruno", "why",
                                     "Boats.", "first", "both", "expires", "60d"),
                           NULL));
    three_round(&meet.three);
    siege_meet_note(&meet, &meet.three.ana);
    meeting_accept(&meet.three.ana);
    three_round(&meet.three);
    meeting_live(&meet.three.ana, (INTRODUCTION_KEY_DAYS + 2) * MS_PER_DAY);
    meeting_live(&meet.three.bruno, (INTRODUCTION_KEY_DAYS + 2) * MS_PER_DAY);
    meeting_live(&meet.three.iris, (INTRODUCTION_KEY_DAYS + 2) * MS_PER_DAY);
    three_offer(&meet.three, 0x44, meet.three.iris.now_ms);
    meeting_carry(&meet.three.iris, &meet.three.ana);
    siege_meet_accept_all(&meet.three.ana); /* A newer key is made for this one. */
    siege_meet_accept_all(&meet.three.bruno);
    three_round(&meet.three);
    siege_meet_expect(&meet, &meet.three.bruno, "connected", "Bruno, under the older key");
    siege_meet_end(&meet);
}

/* Bruno, whom Ana knows as a peer, hands her what Iris said to her, as if it were his to say; and
 * what he said himself in the name of Iris. */
static void siege_forged_introducer(struct siege *siege)
{
    struct siege_meet meet;
    struct buf offer = {0};

    siege_meet_begin(siege, &meet);
    meeting_link(&meet.three.ana, &meet.mallory);
    siege_meet_introduce(&meet);
    siege_meet_offer_bytes(&meet, &offer);
    siege_meet_put(&meet, &meet.mallory, buf_span(&offer));
    offer.data[offer.size / 2] ^= 1;
    siege_meet_put(&meet, &meet.mallory, buf_span(&offer));
    siege_meet_put(&meet, &meet.mallory, span_str("nothing of the kind"));
    siege_meet_put(&meet, &meet.three.iris, buf_span(&offer));
    meeting_carry(&meet.mallory, &meet.three.ana);
    meeting_carry(&meet.three.iris, &meet.three.ana);
    siege_expect(siege, three_shown(&meet.three.ana) == 1, "one introduction, by Iris");
    siege_expect(siege, siege_dropped(&meet.three.ana, "Mallory") == 3,
                 "three are counted against Mallory");
    siege_expect(siege, siege_dropped(&meet.three.ana, "Iris") == 1, "and one against Iris");
    siege_meet_expect(&meet, &meet.three.ana, "offered", "Iris's stands");
    buf_release(&offer);
    siege_meet_end(&meet);
}

const struct siege_case siege_introducee_cases[] = {
    {.name = "B77 a yes that nobody asked for", .run = siege_unasked, .is_apart = true},
    {.name = "B79 yes and no, and yes ten times", .run = siege_answers_twice, .is_apart = true},
    {.name = "B80 yes, and takes it back", .run = siege_takes_back, .is_apart = true},
    {.name = "B85 notes for one alone", .run = siege_private_notes, .is_apart = true},
    {.name = "B87 removed between the yeses", .run = siege_removed_between, .is_apart = true},
    {.name = "B88 a key renewed between yes and release",
     .run = siege_renews_between,
     .is_apart = true},
    {.name = "B89 said by another hand", .run = siege_forged_introducer, .is_apart = true},
    {.name = NULL},
};
