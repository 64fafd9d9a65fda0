/* Asks handed on against the rules, rightly sealed and signed as entries: what ana shows, tells and
 * keeps of them. */
#include <string.h>

#include "crypto/secret.h"
#include "node/ask.h"
#include "storage/replica.h"
#include "storage/view_peer.h"
#include "tests/sim/siege.h"

enum { SIEGE_ASKS = 400 };

/* Mal's own ask, whatever the rules say of it. */
struct siege_ask {
    struct siege *siege;
    struct ask_pass own;
    struct buf body, author;
    uint8_t seed[SEED_SIZE];
};

static void siege_ask_begin(struct siege *siege, const char *title, struct siege_ask *out)
{
    struct ledger *ledger = siege->mal->ledger;
    struct signing_key *key = secret_new(sizeof *key);
    uint8_t salt[ASK_SALT_SIZE] = {1};
    struct buf identity = {0};
    struct snapshot snapshot;
    struct ask ask = {.sort = ASK_SORT_ASK,
                      .naming = ASK_NAMED_ALWAYS,
                      .hop_limit = 1,
                      .title = span_str(title),
                      .text = span_str("Please.")};

    KITH_ASSERT(key != NULL);
    *out = (struct siege_ask){.siege = siege};
    entropy_fill(ledger_entropy(ledger), out->seed, SEED_SIZE);
    identity_signing_key(out->seed, key);
    ask.key = key->public_key;
    secret_free(key);
    ask.issued_ms = world_wall_ms(siege->mal) / 1000 * 1000;
    ask.expires_ms = ask.issued_ms + MS_PER_DAY;
    ask_author(salt, ledger_member(ledger), &ask.author);
    world_must(ask_write(&ask, &out->body));
    out->own = (struct ask_pass){
        .body = buf_span(&out->body), .ask = ask, .secret = span_of(out->seed, SEED_SIZE)};
    ask_hash(&ask.key, out->own.body, &out->own.hash);
    ask_id(&out->own.hash, &out->own.id);
    world_must(ledger_snapshot(ledger, &snapshot));
    world_must(view_identity(&snapshot, &identity));
    world_must(ask_author_write(salt, &out->own.hash, span_str("mal"), ledger_signing_key(ledger),
                                buf_span(&identity), &out->author));
    out->own.author = buf_span(&out->author);
    ledger_snapshot_end(&snapshot);
    buf_release(&identity);
}

static void siege_ask_end(struct siege_ask *ask)
{
    buf_release(&ask->body);
    buf_release(&ask->author);
}

/* Puts what is said into mal's pair log, by its own store. */
static void siege_ask_say(struct siege *siege, struct ledger_txn *txn, uint8_t kind,
                          struct span bytes, uint64_t expires_ms)
{
    world_must(ask_say(txn, ledger_member(siege->ana->ledger), kind, bytes, expires_ms));
}

/* Gives ana everything that mal's pair log has gained since the tip. */
static void siege_ask_give(struct siege *siege, const struct chain *tip)
{
    struct log_id log = hostile_pair_log(&siege->hostile);

    siege_give(siege, siege->mal, &log, tip);
}

static size_t siege_ask_shown(struct siege *siege)
{
    struct snapshot snapshot;
    struct ask_budget mine;
    const struct public_key *me = ledger_member(siege->ana->ledger);

    world_must(ledger_snapshot(siege->ana->ledger, &snapshot));
    world_must(view_ask_budget(&snapshot, me, world_wall_ms(siege->ana), &mine));
    ledger_snapshot_end(&snapshot);
    return mine.shown;
}

static struct ask_budget siege_ask_budget(struct siege *siege)
{
    struct snapshot snapshot;
    struct ask_budget budget;

    world_must(ledger_snapshot(siege->ana->ledger, &snapshot));
    world_must(view_ask_budget(&snapshot, ledger_member(siege->mal->ledger),
                               world_wall_ms(siege->ana), &budget));
    ledger_snapshot_end(&snapshot);
    return budget;
}

/* Hundreds of asks at once, each of them as it should be. */
static void siege_ask_flood(struct siege *siege)
{
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct chain tip = hostile_tip(&siege->hostile, &log);
    struct ask_budget budget;
    struct ledger_txn *txn;

    siege->is_stored = true;
    if (!siege_open(siege))
        return;
    world_must(ledger_begin(siege->mal->ledger, world_wall_ms(siege->mal), &txn));
    for (unsigned at = 0; at < SIEGE_ASKS; at++) {
        struct siege_ask ask;
        struct public_key grant;
        struct buf bytes = {0};

        siege_ask_begin(siege, "Ask", &ask);
        world_must(ask_pass_issue(&ask.own, ledger_member(siege->ana->ledger), span_of(NULL, 0),
                                  &bytes, &grant));
        siege_ask_say(siege, txn, KIND_PASS, buf_span(&bytes), ask.own.ask.expires_ms);
        buf_release(&bytes);
        siege_ask_end(&ask);
    }
    world_must(ledger_commit(txn, NULL));
    siege_ask_give(siege, &tip);
    budget = siege_ask_budget(siege);
    siege_expect(siege, siege_ask_shown(siege) == ASK_BUCKET, "four are shown");
    siege_expect(siege, budget.kept == ASK_NEIGHBOUR_MAX, "as many are kept as may be");
    siege_expect(siege, budget.refused == ASK_REFUSED_DAY_MAX, "eight refusals are told");
}

/* A pass beyond its limit, one for ben, one signed by nobody, bytes that are none, a forged close.
 */
static void siege_ask_forged(struct siege *siege)
{
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct chain tip = hostile_tip(&siege->hostile, &log);
    const struct public_key *ana = ledger_member(siege->ana->ledger);
    struct buf pass = {0}, longer = {0}, other = {0}, forged = {0};
    struct public_key grant;
    struct ask_pass held;
    struct siege_ask ask;
    struct ledger_txn *txn;
    uint64_t ends_ms;

    siege->is_stored = true;
    if (!siege_open(siege))
        return;
    siege_ask_begin(siege, "Ask", &ask);
    ends_ms = ask.own.ask.expires_ms;
    world_must(ask_pass_issue(&ask.own, ana, span_of(NULL, 0), &pass, &grant));
    world_must(ask_pass_read(buf_span(&pass), &held));
    held.ask.hop_limit = ASK_HOPS_MAX;
    world_must(ask_pass_issue(&held, ana, span_of(NULL, 0), &longer, &grant));
    world_must(ask_pass_issue(&ask.own, ledger_member(siege->ben->ledger), span_of(NULL, 0), &other,
                              &grant));
    buf_append(&forged, buf_span(&pass));
    forged.data[forged.size - SEED_SIZE - ASK_SALT_SIZE - 8] ^= 1;
    world_must(ledger_begin(siege->mal->ledger, world_wall_ms(siege->mal), &txn));
    siege_ask_say(siege, txn, KIND_PASS, buf_span(&longer), ends_ms);
    siege_ask_say(siege, txn, KIND_PASS, buf_span(&other), ends_ms);
    siege_ask_say(siege, txn, KIND_PASS, buf_span(&forged), ends_ms);
    siege_ask_say(siege, txn, KIND_PASS, buf_span(&pass), ends_ms + MS_PER_DAY);
    siege_ask_say(siege, txn, KIND_PASS, span_str("nothing of the kind"), ends_ms);
    siege_ask_say(siege, txn, KIND_CLOSE, span_str("nor this"), ends_ms);
    world_must(ledger_commit(txn, NULL));
    siege_ask_give(siege, &tip);
    siege_expect(siege, siege_ask_shown(siege) == 0, "nothing is shown");
    siege_expect(siege, siege_ask_budget(siege).kept == 0, "no way is kept");
    siege_expect(siege, siege_ask_budget(siege).refused == 6, "each is refused and told");
    buf_release(&pass);
    buf_release(&longer);
    buf_release(&other);
    buf_release(&forged);
    siege_ask_end(&ask);
}

const struct siege_case siege_ask_cases[] = {
    {.name = "A1 asks without end", .run = siege_ask_flood},
    {.name = "A2 asks handed on against every rule", .run = siege_ask_forged},
    {.name = NULL},
};
