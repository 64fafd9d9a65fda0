/* Introducers who keep no rule: B72 to B76, B78, B81 to B84, B86. */
#include <string.h>

#include "crypto/words.h"
#include "proto/limits.h"
#include "tests/sim/asking.h"
#include "tests/sim/siege_meet.h"

enum {
    SIEGE_OFFERS = 10000,
    SIEGE_OFFERS_A_COMMIT = 200,
    SIEGE_OFFERS_BYTES = 64 << 20 /* they lie in two stores, which are memory here */
};

static json_t *siege_meet_did(const struct member *member)
{
    char did[DID_SIZE];

    identity_did(&member->secrets.member, did);
    return json_string(did);
}

/* Has this member said anything of this type in the introduction? */
static bool siege_meet_has_said(struct siege_meet *meet, struct member *by,
                                enum introduction_type type)
{
    struct snapshot snapshot = member_snapshot(by);
    struct introduction_case intro;
    enum err err =
        introduction_open(&snapshot, NULL, &meet->three.iris.secrets.member, &meet->id, &intro);
    bool has = err == ERR_OK && introduction_said(&intro, type, &by->secrets.member, 0) != NULL;

    introduction_close(&intro);
    ledger_snapshot_end(&snapshot);
    return has;
}

/* Iris tells this member that the other said so. */
static void siege_meet_release(struct siege_meet *meet, struct member *to, struct span other,
                               const struct hash *other_offer)
{
    struct introduction_message release = {.type = INTRODUCTION_RELEASE, .id = meet->id};
    struct buf own = {0};
    struct hash hash;

    siege_meet_said(meet, to, &own, &release.release.offer);
    statement_hash(buf_span(&own), &hash);
    release.release.yes = hash;
    release.release.other = other;
    if (other_offer != NULL)
        release.release.other_offer = *other_offer;
    meeting_say(&meet->three.iris, to, &release);
    meeting_carry(&meet->three.iris, to);
    buf_release(&own);
}

static void siege_meet_connect(struct siege_meet *meet)
{
    siege_meet_introduce(meet);
    meeting_accept(&meet->three.ana);
    meeting_accept(&meet->three.bruno);
    three_round(&meet->three);
    siege_meet_expect(meet, &meet->three.ana, "connected", "Ana");
    siege_meet_expect(meet, &meet->three.bruno, "connected", "Bruno");
}

/* Somebody else's yes in place of the true one; then the true one with one bit of its key turned.
 */
static void siege_meet_swap(struct siege *siege, bool is_to_ana, bool is_to_bruno)
{
    struct siege_meet meet;
    struct buf forged = {0}, other = {0};
    struct hash offer;

    siege_meet_begin(siege, &meet);
    siege_meet_introduce(&meet);
    meeting_accept(&meet.three.ana);
    meeting_accept(&meet.three.bruno);
    siege_meet_yes(&meet, &meet.mallory, &forged);
    if (is_to_ana) {
        siege_meet_said(&meet, &meet.three.bruno, &other, &offer);
        other.data[other.size / 2] ^= 1;
        siege_meet_release(&meet, &meet.three.ana, buf_span(&other), &offer);
        siege_meet_expect(&meet, &meet.three.ana, "yes", "an altered yes is none");
        siege_meet_release(&meet, &meet.three.ana, buf_span(&forged), NULL);
        siege_meet_expect(&meet, &meet.three.ana, "conflict", "Ana is warned");
    }
    if (is_to_bruno) {
        siege_meet_said(&meet, &meet.three.ana, &other, &offer);
        other.data[other.size / 2] ^= 1;
        siege_meet_release(&meet, &meet.three.bruno, buf_span(&other), &offer);
        siege_meet_expect(&meet, &meet.three.bruno, "yes", "an altered yes is none");
        siege_meet_release(&meet, &meet.three.bruno, buf_span(&forged), NULL);
        siege_meet_expect(&meet, &meet.three.bruno, "conflict", "Bruno is warned");
    }
    siege_meet_expect_apart(&meet);
    buf_release(&forged);
    buf_release(&other);
    siege_meet_end(&meet);
}

static void siege_swaps_a(struct siege *siege)
{
    siege_meet_swap(siege, false, true);
}

static void siege_swaps_b(struct siege *siege)
{
    siege_meet_swap(siege, true, false);
}

static void siege_swaps_both(struct siege *siege)
{
    siege_meet_swap(siege, true, true);
}

/* Iris plays Bruno from the start, with a second identity of her own: Ana links with Mallory by the
 * name of Bruno. That is what an introducer can do; it is never called compared, and the words to
 * compare are not Bruno's. */
static void siege_invents_somebody(struct siege *siege)
{
    struct siege_meet meet;
    struct peer peer;
    char words[2][WORDS_SAFETY_SIZE];

    siege_meet_begin(siege, &meet);
    meeting_link(&meet.three.iris, &meet.mallory);
    json_decref(meeting_op(&meet.mallory, "me.edit", json_pack("{s:s}", "name", "Bruno"), NULL));
    meeting_carry(&meet.three.iris, &meet.mallory);
    json_decref(
        meeting_op(&meet.three.iris, "introduce",
                   json_pack("{s:s, s:o, s:s, s:s}", "a", "Ana", "b", siege_meet_did(&meet.mallory),
                             "why", "Boats.", "first", "both"),
                   NULL));
    for (int round = 0; round < 3; round++) {
        meeting_carry(&meet.three.iris, &meet.three.ana);
        meeting_carry(&meet.three.iris, &meet.mallory);
        if (round == 0) {
            meeting_accept(&meet.three.ana);
            meeting_accept(&meet.mallory);
        }
    }
    siege_expect(siege, meeting_peer(&meet.three.ana, &meet.mallory, &peer), "a link");
    siege_expect(siege, peer.level == LINK_INTRODUCED && peer.has_via, "introduced, by Iris");
    words_safety(&meet.three.ana.secrets.member, &meet.mallory.secrets.member, words[0]);
    words_safety(&meet.three.ana.secrets.member, &meet.three.bruno.secrets.member, words[1]);
    siege_expect(siege, strcmp(words[0], words[1]) != 0, "other words than Bruno's");
    siege_meet_end(&meet);
}

/* They are linked. Whatever Iris hands Ana then of the same introduction changes no key. */
static void siege_swaps_afterwards(struct siege *siege)
{
    struct introduction_message said = {.type = INTRODUCTION_WITHDRAW};
    struct buf forged = {0};
    struct siege_meet meet;
    struct peer before, after;

    siege_meet_begin(siege, &meet);
    siege_meet_connect(&meet);
    siege_expect(siege, meeting_peer(&meet.three.ana, &meet.three.bruno, &before), "a link");
    siege_meet_yes(&meet, &meet.mallory, &forged);
    siege_meet_release(&meet, &meet.three.ana, buf_span(&forged), NULL);
    said.id = meet.id;
    meeting_say(&meet.three.iris, &meet.three.ana, &said);
    said = (struct introduction_message){
        .type = INTRODUCTION_RELAY, .id = meet.id, .sealed = span_str("another hello")};
    meeting_say(&meet.three.iris, &meet.three.ana, &said);
    three_round(&meet.three);
    siege_expect(siege, meeting_peer(&meet.three.ana, &meet.three.bruno, &after), "the link stays");
    siege_expect(siege, memcmp(before.secret, after.secret, KEY_SIZE) == 0, "with its secret");
    siege_expect(siege, after.level == LINK_INTRODUCED, "and its level");
    siege_expect(siege, !meeting_peer(&meet.three.ana, &meet.mallory, &after), "nobody else came");
    buf_release(&forged);
    siege_meet_end(&meet);
}

/* The same offers, releases and hellos once more, and the same id in other words. */
static void siege_replays(struct siege *siege)
{
    struct siege_meet meet;
    struct peer before, after;
    struct buf yes = {0};
    struct hash offer;

    siege_meet_begin(siege, &meet);
    siege_meet_connect(&meet);
    siege_expect(siege, meeting_peer(&meet.three.ana, &meet.three.bruno, &before), "a link");
    siege_meet_said(&meet, &meet.three.bruno, &yes, &offer);
    for (int at = 0; at < 10; at++) {
        struct introduction_message again = {
            .type = INTRODUCTION_OFFER,
            .id = meet.id,
            .offer = {.issued_ms = meet.three.iris.now_ms + (uint64_t)at,
                      .expires_ms = meet.three.iris.now_ms + 21 * MS_PER_DAY,
                      .name = span_str("Bruno"),
                      .why = span_str("Once more.")}};

        introduction_tag(&meet.id, NULL, &meet.mallory.secrets.member, &again.offer.tag);
        meeting_say(&meet.three.iris, &meet.three.ana, &again);
        siege_meet_release(&meet, &meet.three.ana, buf_span(&yes), &offer);
    }
    siege_meet_expect(&meet, &meet.three.ana, "connected", "as before");
    siege_expect(siege, meeting_peer(&meet.three.ana, &meet.three.bruno, &after), "the link stays");
    siege_expect(siege, memcmp(before.secret, after.secret, KEY_SIZE) == 0, "with its secret");
    buf_release(&yes);
    siege_meet_end(&meet);
}

/* A relay and a release before anybody has answered: they never say anything. */
static void siege_out_of_order(struct siege *siege)
{
    static const enum introduction_type types[] = {INTRODUCTION_RELAY, INTRODUCTION_RELEASE};
    struct buf forged = {0};
    struct siege_meet meet;

    siege_meet_begin(siege, &meet);
    three_begin(&meet.three, "both", false);
    siege_meet_note(&meet, &meet.three.iris);
    siege_meet_yes(&meet, &meet.mallory, &forged);
    for (size_t at = 0; at < 2; at++) {
        struct introduction_message early = {.type = types[at], .id = meet.id};

        if (early.type == INTRODUCTION_RELAY)
            early.sealed = span_str("not yet");
        else
            early.release.other = buf_span(&forged);
        meeting_say(&meet.three.iris, &meet.three.ana, &early);
    }
    three_round(&meet.three);
    siege_meet_expect(&meet, &meet.three.ana, "offered", "what came early says nothing");
    meeting_accept(&meet.three.ana);
    meeting_accept(&meet.three.bruno);
    three_round(&meet.three);
    /* Iris's own program holds that she has said both: what should have been said is not. */
    siege_meet_expect(&meet, &meet.three.ana, "yes", "Ana waits");
    siege_expect(siege, !siege_meet_has_said(&meet, &meet.three.ana, INTRODUCTION_HELLO),
                 "Ana says no hello");
    siege_meet_expect_apart(&meet);
    buf_release(&forged);
    siege_meet_end(&meet);
}

/* Ana to Ana; Ana to Iris herself. */
static void siege_meet_of_no_other(struct siege *siege, bool is_iris)
{
    struct siege_meet meet;
    struct member *other;
    struct buf yes = {0};
    struct introduction_message offer = {
        .type = INTRODUCTION_OFFER,
        .offer = {.name = span_str("A stranger"), .why = span_str("Because.")}};

    siege_meet_begin(siege, &meet);
    other = is_iris ? &meet.three.iris : &meet.three.ana;
    memset(meet.id.bytes, 0x21, ID_SIZE);
    offer.id = meet.id;
    offer.offer.issued_ms = meet.three.iris.now_ms;
    offer.offer.expires_ms = meet.three.iris.now_ms + 21 * MS_PER_DAY;
    introduction_tag(&meet.id, NULL, &other->secrets.member, &offer.offer.tag);
    meeting_say(&meet.three.iris, &meet.three.ana, &offer);
    meeting_carry(&meet.three.iris, &meet.three.ana);
    if (three_shown(&meet.three.ana) > 0) {
        meeting_accept(&meet.three.ana);
        meeting_carry(&meet.three.iris, &meet.three.ana);
        siege_meet_yes(&meet, other, &yes);
        siege_meet_release(&meet, &meet.three.ana, buf_span(&yes), NULL);
        meeting_carry(&meet.three.iris, &meet.three.ana);
    }
    siege_meet_expect_apart(&meet);
    siege_expect(siege, !siege_meet_has_said(&meet, &meet.three.ana, INTRODUCTION_HELLO),
                 "Ana says no hello");
    buf_release(&yes);
    siege_meet_end(&meet);
}

static void siege_to_herself(struct siege *siege)
{
    siege_meet_of_no_other(siege, false);
}

static void siege_to_the_introducer(struct siege *siege)
{
    siege_meet_of_no_other(siege, true);
}

/* Ana and Bruno are linked. Iris introduces somebody else to Ana by Bruno's name. */
static void siege_other_key_for_a_peer(struct siege *siege)
{
    struct introduction_message offer = {
        .type = INTRODUCTION_OFFER,
        .offer = {.name = span_str("Bruno"), .why = span_str("He has a new machine.")}};
    struct siege_meet meet;
    struct peer before, after;
    struct buf yes = {0};

    siege_meet_begin(siege, &meet);
    meeting_link(&meet.three.ana, &meet.three.bruno);
    siege_expect(siege, meeting_peer(&meet.three.ana, &meet.three.bruno, &before), "a link");
    memset(meet.id.bytes, 0x33, ID_SIZE);
    offer.id = meet.id;
    offer.offer.issued_ms = meet.three.iris.now_ms;
    offer.offer.expires_ms = meet.three.iris.now_ms + 21 * MS_PER_DAY;
    introduction_tag(&meet.id, NULL, &meet.mallory.secrets.member, &offer.offer.tag);
    meeting_say(&meet.three.iris, &meet.three.ana, &offer);
    meeting_carry(&meet.three.iris, &meet.three.ana);
    meeting_accept(&meet.three.ana);
    siege_meet_yes(&meet, &meet.mallory, &yes);
    siege_meet_release(&meet, &meet.three.ana, buf_span(&yes), NULL);
    siege_meet_expect(&meet, &meet.three.ana, "conflict", "Ana is warned");
    siege_expect(siege, meeting_peer(&meet.three.ana, &meet.three.bruno, &after), "the link stays");
    siege_expect(siege, memcmp(before.secret, after.secret, KEY_SIZE) == 0, "with its secret");
    siege_expect(siege, !meeting_peer(&meet.three.ana, &meet.mallory, &after), "nobody else came");
    siege_expect(siege, !siege_meet_has_said(&meet, &meet.three.ana, INTRODUCTION_HELLO),
                 "Ana says no hello");
    buf_release(&yes);
    siege_meet_end(&meet);
}

/* Ten thousand offers at once, each of them as it should be. */
static void siege_meet_offer_many(struct siege_meet *meet, uint32_t from, uint32_t count)
{
    struct member *iris = &meet->three.iris;
    struct ledger_txn *txn = member_begin(iris);

    for (uint32_t at = from; at < from + count; at++) {
        struct introduction_message offer = {.type = INTRODUCTION_OFFER,
                                             .offer = {.issued_ms = iris->now_ms,
                                                       .expires_ms = iris->now_ms + 21 * MS_PER_DAY,
                                                       .name = span_str("Somebody"),
                                                       .why = span_str("Because.")}};
        struct introduction_case intro = {
            .txn = txn, .snapshot = ledger_txn_snapshot(txn), .now_ms = iris->now_ms};

        be32_put(offer.id.bytes, at + 1);
        be32_put(offer.offer.tag.bytes, at + 1);
        intro.row.id = offer.id;
        world_must(introduction_tell(&intro, &meet->three.ana.secrets.member, &offer));
    }
    world_must(ledger_commit(txn, NULL));
}

static void siege_many_offers(struct siege *siege)
{
    struct siege_meet meet;
    struct snapshot snapshot;
    uint64_t rows = 0, facts = 0;

    siege_meet_begin(siege, &meet);
    for (uint32_t at = 0; at < SIEGE_OFFERS; at += SIEGE_OFFERS_A_COMMIT) {
        siege_meet_offer_many(&meet, at, SIEGE_OFFERS_A_COMMIT);
        meeting_carry(&meet.three.iris, &meet.three.ana);
    }
    meeting_tick(&meet.three.ana);
    siege_expect(siege, three_shown(&meet.three.ana) == INTRODUCTION_SHOWN_WEEK_MAX,
                 "two are shown");
    snapshot = member_snapshot(&meet.three.ana);
    world_must(kv_count(snapshot.kv, TABLE_INTRODUCTION, &rows));
    world_must(kv_count(snapshot.kv, TABLE_FACT, &facts));
    ledger_snapshot_end(&snapshot);
    siege_expect(siege, rows == INTRODUCTION_ROWS_MAX, "as many rows as one introducer may have");
    siege_expect(siege, facts == INTRODUCTION_ROWS_MAX, "and no fact more");
    siege_expect(siege,
                 siege_dropped(&meet.three.ana, "Iris") == SIEGE_OFFERS - INTRODUCTION_ROWS_MAX,
                 "all others are counted against Iris");
    siege_expect(siege, asking_told(&meet.three.ana, "refused") == 1, "and told once");
    siege_meet_end(&meet);
}

/* Each of the three introduces the other two: it comes to rest, with one link between each two. */
static void siege_in_a_ring(struct siege *siege)
{
    struct siege_meet meet;
    struct member *all[3];
    struct peer peer;

    siege_meet_begin(siege, &meet);
    all[0] = &meet.three.iris;
    all[1] = &meet.three.ana;
    all[2] = &meet.three.bruno;
    siege_meet_connect(&meet);
    for (size_t at = 1; at < 3; at++)
        json_decref(
            meeting_op(all[at], "introduce",
                       json_pack("{s:s, s:s, s:s, s:s}", "a", "Iris", "b",
                                 at == 1 ? "Bruno" : "Ana", "why", "Boats.", "first", "both"),
                       NULL));
    for (int round = 0; round < 6; round++)
        for (size_t at = 0; at < 3; at++) {
            siege_meet_accept_all(all[at]);
            meeting_carry(all[at], all[(at + 1) % 3]);
        }
    for (size_t at = 0; at < 3; at++) {
        struct member *next = all[(at + 1) % 3];

        siege_expect(siege, meeting_peer(all[at], next, &peer), "a link");
        meeting_tick(all[at]);
        meeting_tick(next);
        siege_expect(siege, meeting_carry_one_way(all[at], next) == 0, "nothing goes round");
    }
    siege_meet_end(&meet);
}

/* Iris never hands on the yeses. It ends, and Ana's yes is taken back. */
static void siege_never_forwards(struct siege *siege)
{
    struct siege_meet meet;

    siege_meet_begin(siege, &meet);
    siege_meet_introduce(&meet);
    meeting_accept(&meet.three.ana);
    siege_meet_expect(&meet, &meet.three.ana, "yes", "Ana waits");
    meeting_live(&meet.three.ana, (INTRODUCTION_DAYS_DEFAULT + 1) * MS_PER_DAY);
    siege_meet_expect(&meet, &meet.three.ana, "yes", "what is late may still come");
    meeting_live(&meet.three.ana, (INTRODUCTION_RETRACT_DAYS + 1) * MS_PER_DAY);
    meeting_tick(&meet.three.ana);
    siege_expect(siege, siege_meet_has_said(&meet, &meet.three.ana, INTRODUCTION_RETRACT),
                 "the yes is taken back");
    siege_meet_expect(&meet, &meet.three.ana, "retracted", "Ana waits no more");
    siege_meet_expect_apart(&meet);
    siege_meet_end(&meet);
}

const struct siege_case siege_introducer_cases[] = {
    {.name = "B72 another key for A", .run = siege_swaps_a, .is_apart = true},
    {.name = "B73 another key for B", .run = siege_swaps_b, .is_apart = true},
    {.name = "B74 other keys for both", .run = siege_swaps_both, .is_apart = true},
    {.name = "B74 somebody invented", .run = siege_invents_somebody, .is_apart = true},
    {.name = "B75 another key when they are linked",
     .run = siege_swaps_afterwards,
     .is_apart = true},
    {.name = "B76 the same introduction again", .run = siege_replays, .is_apart = true},
    {.name = "B78 out of order", .run = siege_out_of_order, .is_apart = true},
    {.name = "B81 Ana to Ana", .run = siege_to_herself, .is_apart = true},
    {.name = "B81 B84 Ana to who introduces", .run = siege_to_the_introducer, .is_apart = true},
    {.name = "B82 another key for a peer", .run = siege_other_key_for_a_peer, .is_apart = true},
    {.name = "B83 ten thousand offers",
     .run = siege_many_offers,
     .is_apart = true,
     .bytes_max = SIEGE_OFFERS_BYTES},
    {.name = "B84 each introduces the others", .run = siege_in_a_ring, .is_apart = true},
    {.name = "B86 never hands it on", .run = siege_never_forwards, .is_apart = true},
    {.name = NULL},
};
