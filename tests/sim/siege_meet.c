/* See siege_meet.h. */
#include "tests/sim/siege_meet.h"

#include <string.h>

void siege_meet_begin(struct siege *siege, struct siege_meet *meet)
{
    *meet = (struct siege_meet){.siege = siege};
    three_new(&meet->three);
    meeting_new(&meet->mallory, 9, "Mallory");
}

void siege_meet_end(struct siege_meet *meet)
{
    member_free(&meet->mallory);
    three_free(&meet->three);
}

void siege_meet_note(struct siege_meet *meet, struct member *member)
{
    char id[ID_TEXT_SIZE];

    meeting_first_id(member, id);
    world_must(hex_read(span_of(id, 2 * ID_SIZE), meet->id.bytes, ID_SIZE));
}

void siege_meet_introduce(struct siege_meet *meet)
{
    three_begin(&meet->three, "both", false);
    three_round(&meet->three);
    siege_meet_note(meet, &meet->three.ana);
}

void siege_meet_expect(struct siege_meet *meet, struct member *member, const char *state,
                       const char *what)
{
    char room[32];

    if (strcmp(meeting_state(member, NULL, room), state) != 0)
        judge_fail(&meet->siege->judge, "expected %s: %s, not \"%s\"", what, state, room);
}

void siege_meet_expect_apart(struct siege_meet *meet)
{
    struct peer peer;

    siege_expect(meet->siege, !meeting_peer(&meet->three.ana, &meet->three.bruno, &peer),
                 "Ana has no link with Bruno");
    siege_expect(meet->siege, !meeting_peer(&meet->three.bruno, &meet->three.ana, &peer),
                 "Bruno has no link with Ana");
    siege_expect(meet->siege, !meeting_peer(&meet->three.ana, &meet->mallory, &peer),
                 "Ana has no link with Mallory");
    siege_expect(meet->siege, !meeting_peer(&meet->three.bruno, &meet->mallory, &peer),
                 "Bruno has no link with Mallory");
}

void siege_meet_accept_all(struct member *member)
{
    json_t *list = meeting_op(member, "intro.list", json_object(), NULL), *row;
    size_t at;

    json_array_foreach(json_object_get(list, "introductions"), at, row)
    {
        const char *id = json_string_value(json_object_get(row, "id"));

        if (strcmp(json_string_value(json_object_get(row, "state")), "offered") == 0)
            json_decref(meeting_op(member, "intro.accept", json_pack("{s:s}", "id", id), NULL));
    }
    json_decref(list);
}

void siege_meet_yes(struct siege_meet *meet, struct member *by, struct buf *out)
{
    static const uint8_t seed[SEED_SIZE] = {7};
    struct introduction_message yes = {
        .type = INTRODUCTION_YES, .id = meet->id, .to = meet->three.iris.secrets.member};
    struct buf key = {0}, identity = {0};
    struct exchange_key own;
    struct snapshot snapshot;

    identity_exchange_key(seed, &own);
    world_must(introduction_key_issue(ledger_root_key(by->ledger), own.public_key, 1, &key));
    snapshot = member_snapshot(by);
    world_must(view_identity(&snapshot, &identity));
    ledger_snapshot_end(&snapshot);
    yes.yes.key = buf_span(&key);
    memcpy(yes.yes.ephemeral, own.public_key, 32);
    world_must(introduction_say(&yes, ledger_signing_key(by->ledger), buf_span(&identity), out));
    buf_release(&key);
    buf_release(&identity);
}

void siege_meet_said(struct siege_meet *meet, struct member *by, struct buf *out,
                     struct hash *out_offer)
{
    struct snapshot snapshot = member_snapshot(by);
    struct introduction_case intro;
    const struct introduction_fact *yes;

    world_must(
        introduction_open(&snapshot, NULL, &meet->three.iris.secrets.member, &meet->id, &intro));
    yes = introduction_said(&intro, INTRODUCTION_YES, &by->secrets.member, 0);
    KITH_ASSERT(yes != NULL);
    buf_clear(out);
    buf_append(out, yes->bytes);
    *out_offer = yes->message.yes.offer;
    introduction_close(&intro);
    ledger_snapshot_end(&snapshot);
}
