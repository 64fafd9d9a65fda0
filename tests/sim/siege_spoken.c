/* Shares, replies and answers against every rule, all at once, from one trusted peer; and what an
 * honest one says beside them, which must come through. */
#include <stdio.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/reply.h"
#include "proto/share.h"
#include "storage/view_ask.h"
#include "storage/view_share.h"
#include "tests/sim/asking.h"
#include "tests/sim/four.h"
#include "tests/sim/siege.h"
#include "tests/sim/three.h"

enum { SIEGE_SHARES = 1500, SIEGE_LETTERS = 400 };

/* A share under any id, with this body. */
static void siege_share(struct member *by, const struct id *space, uint32_t number,
                        struct span body)
{
    struct ledger_txn *txn = member_begin(by);
    struct edit_space edit = {0};
    struct id id = {{0x5a}};

    be32_put(id.bytes + 4, number);
    edit_begin(&edit, KIND_SHARE, &id, by->now_ms);
    edit_set(&edit, SHARE_BODY, 1, (struct value){.type = VALUE_BYTES, .bytes = body});
    world_must(ledger_append(txn, space, &edit, 0));
    world_must(ledger_commit(txn, NULL));
    edit_release(&edit);
}

static void siege_share_named(struct member *by, const struct id *space, uint32_t number,
                              const char *name, const char *why)
{
    struct share share = {.texts = {span_str(name)}, .why = span_str(why), .shared_s = 1700000000};
    enum share_fault fault;
    struct buf body = {0};

    world_must(share_write(&share, &body, &fault));
    siege_share(by, space, number, buf_span(&body));
    buf_release(&body);
}

static struct share_counts siege_share_counts(struct member *of, const struct member *by)
{
    struct snapshot snapshot = member_snapshot(of);
    struct share_counts counts;

    world_must(view_share_counts(&snapshot, &by->secrets.member, &counts));
    ledger_snapshot_end(&snapshot);
    return counts;
}

static size_t siege_shares_shown(struct member *member)
{
    json_t *list = meeting_op(member, "share.list", json_object(), NULL);
    size_t count = json_array_size(json_object_get(list, "shares"));

    json_decref(list);
    return count;
}

/* Bodies that are none; then half as many again as one peer may have here. */
static void siege_wrong_shares(struct siege *siege)
{
    static uint8_t large[SHARE_SIZE_MAX + 1];
    static const char control[] = "\x9d\x01\xa5"
                                  "a\x1b[2J"
                                  "\xa0\xa0\xa0\xc2\x90\x90\x90\x90\xa0\x01";
    struct share_counts counts;
    struct three three;
    struct peer iris, bruno;

    three_new(&three);
    meeting_link(&three.ana, &three.bruno);
    KITH_ASSERT(meeting_peer(&three.iris, &three.ana, &iris));
    KITH_ASSERT(meeting_peer(&three.bruno, &three.ana, &bruno));
    siege_share(&three.iris, &iris.pair_out, 1, span_str("nothing of the kind"));
    siege_share(&three.iris, &iris.pair_out, 2, span_of(large, sizeof large));
    siege_share(&three.iris, &iris.pair_out, 3, span_of(control, sizeof control - 1));
    siege_share(&three.iris, &iris.pair_out, 4, span_str("\x91\x01"));
    meeting_carry(&three.iris, &three.ana);
    siege_expect(siege, siege_shares_shown(&three.ana) == 0, "nothing is shown");
    counts = siege_share_counts(&three.ana, &three.iris);
    siege_expect(siege, counts.refused + (uint64_t)siege_dropped(&three.ana, "Iris") == 4,
                 "each is counted against Iris");
    siege_expect(siege, asking_told(&three.ana, "refused") >= 1, "and told");
    for (uint32_t at = 0; at < SIEGE_SHARES; at++)
        siege_share_named(&three.iris, &iris.pair_out, 100 + at,
                          "\xe2\x80\xae"
                          "Somebody\xe2\x80\x8b",
                          "\xd9\x8b\xd9\x8b\xd9\x8b\xd9\x8b");
    meeting_carry(&three.iris, &three.ana);
    siege_share_named(&three.bruno, &bruno.pair_out, 1, "Joon Kim", "He builds stairs.");
    meeting_carry(&three.bruno, &three.ana);
    counts = siege_share_counts(&three.ana, &three.iris);
    siege_expect(siege, counts.standing == SHARES_PER_PEER_MAX, "as many stand as one may have");
    siege_expect(siege, counts.refused >= SIEGE_SHARES - SHARES_PER_PEER_MAX,
                 "the rest is counted");
    siege_expect(siege, siege_shares_shown(&three.ana) == SHARES_WAITING_MAX + 1,
                 "fifty are shown, and Bruno's");
    siege_expect(siege, siege_says(&three.ana, "share.list", json_object(), "Joon Kim"),
                 "Bruno's is among them");
    siege_expect(siege, asking_told(&three.ana, "refused") <= 3, "and told in a line or two");
    three_free(&three);
}

/* Carla hands Ana letters of noise under her own grant, under one nobody gave, bytes that are no
 * reply, Bruno's letter once more, answers that nobody asked for, four hundred in all. Bruno's lead
 * is there beside them, and what Carla said is bounded. */
static void siege_wrong_replies(struct siege *siege)
{
    struct public_key grant, none = {{0x11}};
    struct ask_budget budget;
    struct snapshot snapshot;
    struct four four;
    struct buf letter = {0};
    char lead[ID_TEXT_SIZE];
    uint64_t waiting = 0;

    four_diamond(&four);
    grant = four_grant(&four, &four.carla);
    for (uint32_t at = 0; at < SIEGE_LETTERS; at++)
        four_say_noise(&four.carla, &four.ana, at % 2 == 0 ? &grant : &none, at);
    four_say_anything(&four.carla, &four.ana, KIND_REPLY, span_str("nothing of the kind"));
    four_say_anything(&four.carla, &four.ana, KIND_ANSWER, span_str("nor this"));
    four_say_anything(&four.carla, &four.bruno, KIND_ANSWER, span_str("nor that"));
    four_all(&four);
    four_reply_to(&four, &four.bruno, "I know of something.", lead);
    four_all(&four);
    if (four_says(&four.bruno, &four.ana, KIND_REPLY, &letter) == 1)
        four_say_anything(&four.carla, &four.ana, KIND_REPLY, buf_span(&letter));
    four_all(&four);
    siege_expect(siege, four_leads(&four.ana) == 1, "Bruno's lead, once");
    snapshot = member_snapshot(&four.ana);
    world_must(view_ask_budget(&snapshot, &four.carla.secrets.member, four.ana.now_ms, &budget));
    world_must(kv_count(snapshot.kv, TABLE_BROUGHT, &waiting));
    ledger_snapshot_end(&snapshot);
    siege_expect(siege, budget.relayed == REPLIES_DAY_MAX, "as many of Carla's as a day allows");
    siege_expect(siege, waiting <= 2 * REPLIES_WAITING_MAX + 8, "a bounded number waits");
    siege_expect(siege, siege_dropped(&four.ana, "Carla") == 2, "what is none is counted");
    siege_expect(siege, siege_dropped(&four.bruno, "Carla") == 1, "at Bruno's, too");
    siege_expect(siege, asking_told(&four.ana, "refused") <= ASK_REFUSED_DAY_MAX + 1,
                 "and few lines tell of it");
    four_reply_to(&four, &four.dora, "So do I.", lead);
    four_all(&four);
    siege_expect(siege, four_leads(&four.ana) == 2, "Dora's comes, too, by the good way");
    buf_release(&letter);
    four_free(&four);
}

const struct siege_case siege_spoken_cases[] = {
    {.name = "S1 shares against every rule", .run = siege_wrong_shares, .is_apart = true},
    {.name = "R1 replies and answers against every rule",
     .run = siege_wrong_replies,
     .is_apart = true},
    {.name = NULL},
};
