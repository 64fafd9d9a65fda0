/* See vouching.h. Whoever might come to read something is noted before it is asked for. */
#include "tests/sim/vouching.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "proto/statement.h"
#include "storage/row.h"
#include "storage/view_peer.h"
#include "tests/sim/net.h"
#include "tests/sim/vouching_judge.h"

enum { VOUCHING_COPY_PART = 6 /* one act in so many is about one */, VOUCHING_CLONES_MAX = 2 };

static const char *const vouching_names[VOUCHING_PERSONS] = {"ana", "bruno", "chie", "dora", "eva"};
static const char *const vouching_audiences[] = {"subject", "peers", "network", "public"};

/* Who there is. */

bool vouching_are_linked(const struct vouching *vouching, size_t person, size_t other)
{
    return vouching->is_peer[person][other] && vouching->is_peer[other][person];
}

/* Any machine of theirs. */
static struct world_node *vouching_machine(struct vouching *vouching, size_t person)
{
    struct world *world = &vouching->world;
    size_t first = world_draw(world, world->nodes_count);

    for (size_t at = 0; at < world->nodes_count; at++) {
        struct world_node *node = world->nodes[(first + at) % world->nodes_count];

        if (node->person == person)
            return node;
    }
    return vouching->persons[person];
}

static struct world_node *vouching_device(struct vouching *vouching, size_t person)
{
    struct world_node *twin = vouching->twin;

    if (vouching->has_copies)
        return vouching_machine(vouching, person);
    return twin != NULL && twin->person == person && world_once_in(&vouching->world, 2)
               ? twin
               : vouching->persons[person];
}

/* Who is in the world so far; Eva comes last. */
static size_t vouching_persons(const struct vouching *vouching)
{
    return vouching->persons[VOUCHING_PERSONS - 1] != NULL ? VOUCHING_PERSONS
                                                           : VOUCHING_PERSONS - 1;
}

struct vouching_deal *vouching_deal_of(struct vouching *vouching, struct span words)
{
    char text[VOUCHING_WORDS_SIZE];
    size_t canary = 0;

    (void)snprintf(text, sizeof text, "%.*s", (int)words.size, (const char *)words.data);
    if (strncmp(text, "canary:", 7) != 0)
        return NULL;
    canary = strtoull(text + 7, NULL, 10);
    for (size_t at = 0; at < vouching->deals_count; at++)
        if (vouching->deals[at].canary == canary)
            return &vouching->deals[at];
    return NULL;
}

/* Who may read. */

static void vouching_let_read(struct vouching *vouching, const struct vouching_deal *deal,
                              size_t person)
{
    vouching->judge.canaries[deal->canary].readers |= UINT64_C(1) << person;
}

static void vouching_let_peers(struct vouching *vouching, const struct vouching_deal *deal,
                               size_t person)
{
    for (size_t at = 0; at < VOUCHING_PERSONS; at++)
        if (vouching->is_peer[person][at])
            vouching_let_read(vouching, deal, at);
}

/* The peers of the subject, and, where it is quoted, theirs. */
static void vouching_let_see(struct vouching *vouching, struct vouching_deal *deal,
                             enum audience audience)
{
    if (audience > deal->widest)
        deal->widest = audience;
    if (audience >= AUDIENCE_PEERS)
        vouching_let_peers(vouching, deal, deal->subject);
    for (size_t at = 0; at < VOUCHING_PERSONS && audience >= AUDIENCE_NETWORK; at++)
        if (vouching->is_peer[deal->subject][at] && vouching->was_quoted[at][deal->subject])
            vouching_let_peers(vouching, deal, at);
}

/* DESIGN P1: "What one device wrote since its last meeting with any other machine dies with its
 * disk": so does that a link was ended. */
void vouching_went_back(struct vouching *vouching, struct world_node *node)
{
    for (size_t other = 0; other < VOUCHING_PERSONS; other++) {
        const struct world_node *peer = vouching->persons[other];

        if (peer == NULL || other == node->person || vouching->is_peer[node->person][other] ||
            !judge_is_linked(node, peer))
            continue;
        vouching->is_peer[node->person][other] = true;
        for (size_t at = 0; at < vouching->deals_count; at++)
            if (vouching->deals[at].subject == node->person)
                vouching_let_see(vouching, &vouching->deals[at], vouching->deals[at].widest);
    }
}

/* What they do. */

static void vouching_on_written_deal(struct world_node *node, void *self, enum err err,
                                     const struct op_call *call)
{
    struct vouching_deal *deal = self;

    (void)call;
    if (err != ERR_OK)
        return;
    deal->is_told = true;
    deal->writer = node;
    deal->written = deal->vouching->copies.deeds++; /* A copy made by now may lack it. */
}

static void vouching_endorse(struct vouching *vouching, struct world_node *node, size_t subject)
{
    static const char *const lives[] = {"1m", "2m", "4m", "24m"};
    struct world *world = &vouching->world;
    enum audience ceiling = (enum audience)world_draw(world, 4);
    char words[VOUCHING_WORDS_SIZE], text[JUDGE_CANARY_SIZE];
    struct vouching_deal *deal;
    json_t *params, *rows, *older;

    if (vouching->deals_count == VOUCHING_DEALS_MAX)
        return;
    deal = &vouching->deals[vouching->deals_count++];
    *deal = (struct vouching_deal){
        .canary = judge_canary_for(&vouching->judge, node, vouching->persons[subject], text),
        .issuer = node->person,
        .subject = subject,
        .vouching = vouching,
        .ceiling = ceiling};
    (void)snprintf(words, sizeof words, "%s is good work", text);
    params = json_pack("{s:s, s:[s], s:s, s:s, s:s, s:s}", "who", vouching_names[subject], "about",
                       "boats", "relation", "client", "words", words, "ceiling",
                       vouching_audiences[ceiling], "expires", lives[world_draw(world, 4)]);
    rows = world_read(node, "endorsement.list", json_pack("{s:b}", "given", true));
    older = json_array_get(json_object_get(rows, "endorsements"), world_draw(world, 4));
    if (older != NULL && world_once_in(world, 2))
        (void)json_object_set(params, "renews", json_object_get(older, "id")); /* Memory is. */
    json_decref(rows);
    world_op(node, "endorse", params, vouching_on_written_deal, deal);
}

/* One of those about this member, or by them; a new reference, or NULL. */
static json_t *vouching_choose(struct vouching *vouching, struct world_node *node,
                               const char *which)
{
    json_t *list = world_read(node, "endorsement.list", json_pack("{s:b}", which, true));
    json_t *rows = json_object_get(list, "endorsements");
    json_t *row =
        json_incref(json_array_get(rows, world_draw(&vouching->world, json_array_size(rows))));

    json_decref(list);
    return row;
}

static struct vouching_deal *vouching_deal_of_row(struct vouching *vouching, const json_t *row)
{
    const char *words = json_string_value(json_object_get(row, "words"));
    struct vouching_deal *deal = words != NULL ? vouching_deal_of(vouching, span_str(words)) : NULL;

    if (deal == NULL)
        judge_fail(&vouching->judge, "somebody holds words that nobody wrote");
    return deal;
}

static void vouching_decide(struct vouching *vouching, struct world_node *node)
{
    static const char *const verbs[] = {"endorsement.publish", "endorsement.accept",
                                        "endorsement.hide", "endorsement.set-aside"};
    json_t *row = vouching_choose(vouching, node, "received"), *params;
    struct vouching_deal *deal = row != NULL ? vouching_deal_of_row(vouching, row) : NULL;
    const char *verb = verbs[world_draw(&vouching->world, 6) % 4];
    enum audience to = (enum audience)(1 + world_draw(&vouching->world, 3));

    if (deal == NULL) {
        json_decref(row);
        return;
    }
    params = json_pack("{s:O}", "id", json_object_get(row, "id"));
    if (verb == verbs[0] || verb == verbs[1]) {
        if (to > deal->ceiling && !world_once_in(&vouching->world, 5))
            to = deal->ceiling;
        if (to >= AUDIENCE_PEERS)
            (void)json_object_set_new(params, "to", json_string(vouching_audiences[to]));
        if (to <= deal->ceiling)
            vouching_let_see(vouching, deal, to);
    }
    world_op(node, verb, params, NULL, NULL);
    json_decref(row);
}

static void vouching_on_revoked(struct world_node *node, void *self, enum err err,
                                const struct op_call *call)
{
    struct vouching_deal *deal = self;

    (void)call;
    if (err != ERR_OK || deal->was_revoked)
        return;
    deal->was_revoked = true;
    deal->revoker = node;
    deal->revoked = deal->vouching->copies.deeds++;
}

static void vouching_revoke(struct vouching *vouching, struct world_node *node)
{
    json_t *row = vouching_choose(vouching, node, "given");
    struct vouching_deal *deal = row != NULL ? vouching_deal_of_row(vouching, row) : NULL;

    if (deal != NULL) {
        deal->is_revocation_asked = true;
        world_op(node, "endorsement.revoke", json_pack("{s:O}", "id", json_object_get(row, "id")),
                 vouching_on_revoked, deal);
    }
    json_decref(row);
}

static void vouching_quote(struct vouching *vouching, struct world_node *node, size_t subject)
{
    if (world_once_in(&vouching->world, 4)) {
        world_op(node, "network.unquote", json_pack("{s:s}", "who", vouching_names[subject]), NULL,
                 NULL);
        return;
    }
    vouching->was_quoted[node->person][subject] = true;
    for (size_t at = 0; at < vouching->deals_count; at++)
        if (vouching->deals[at].subject == subject &&
            vouching->deals[at].widest >= AUDIENCE_NETWORK)
            vouching_let_peers(vouching, &vouching->deals[at], node->person);
    world_op(node, "network.quote", json_pack("{s:s}", "who", vouching_names[subject]), NULL, NULL);
}

struct vouching_parting {
    struct vouching *vouching;
    size_t person, other;
};

static void vouching_on_parted(struct world_node *node, void *self, enum err err,
                               const struct op_call *call)
{
    struct vouching_parting *parting = self;
    const struct world_node *twin = parting->vouching->twin;

    (void)node;
    (void)call;
    /* Another device of the same member may not know of it yet, and writes on. */
    if (err == ERR_OK && (twin == NULL || twin->person != parting->person))
        parting->vouching->is_peer[parting->person][parting->other] = false;
    free(parting);
}

static void vouching_part(struct vouching *vouching, struct world_node *node, size_t other)
{
    struct vouching_parting *parting = world_memory(sizeof *parting);

    *parting =
        (struct vouching_parting){.vouching = vouching, .person = node->person, .other = other};
    vouching->has_ended = true;
    world_op(node, world_once_in(&vouching->world, 2) ? "peer.block" : "peer.remove",
             json_pack("{s:s}", "who", vouching_names[other]), vouching_on_parted, parting);
}

/* What no kith says: words with somebody else's signature, or of others on one's own card. */
struct vouching_forgery {
    struct world_node *node;
    struct vouching_deal *deal;
    struct id space;
    struct buf statement;
};

static enum err vouching_write_forgery(void *what, struct ledger_txn *txn)
{
    struct vouching_forgery *forgery = what;
    struct amend amend;
    struct id object;

    statement_id(buf_span(&forgery->statement), &object);
    amend_begin(&amend, txn, &forgery->space, KIND_ENDORSEMENT, &object);
    amend_bytes(&amend, ENDORSEMENT_STATEMENT, buf_span(&forgery->statement));
    return amend_end(&amend, NULL);
}

static void vouching_on_forged(struct world_node *node, void *self, enum err err,
                               const struct op_call *call)
{
    struct vouching_forgery *forgery = self;

    (void)node;
    (void)err;
    (void)call;
    buf_release(&forgery->statement);
    free(forgery);
}

struct vouching_statement {
    struct buf *out;
    size_t left; /* the one after so many */
};

static enum err vouching_on_kept(void *self, uint32_t number, const struct object *object)
{
    struct vouching_statement *found = self;

    (void)number;
    buf_clear(found->out);
    buf_append(found->out, object_value(object, KEPT_STATEMENT).bytes);
    return found->left-- == 0 ? ERR_CANCELLED : ERR_OK;
}

/* Takes something that was said of this member and lays it, altered, into the card. */
static void vouching_forge(struct vouching *vouching, struct world_node *node)
{
    struct vouching_forgery *forgery = world_memory(sizeof *forgery);
    struct vouching_statement found = {.out = &forgery->statement,
                                       .left = world_draw(&vouching->world, 4)};
    struct endorsement record;
    struct snapshot snapshot;
    struct space_row card;
    enum err err;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(ledger_own_space(&snapshot, SPACE_CARD, &card));
    err = row_each(&snapshot, ledger_self_space(node->ledger), KIND_KEPT, vouching_on_kept, &found);
    ledger_snapshot_end(&snapshot);
    KITH_ASSERT(err == ERR_OK || err == ERR_CANCELLED);
    if (forgery->statement.size == 0 ||
        endorsement_peek(buf_span(&forgery->statement), &record) != ERR_OK) {
        vouching_on_forged(node, forgery, ERR_OK, NULL);
        return;
    }
    forgery->deal = vouching_deal_of(vouching, record.words);
    if (forgery->deal != NULL)
        vouching_let_peers(vouching, forgery->deal, node->person);
    forgery->node = node;
    forgery->space = card.id;
    forgery->statement.data[forgery->statement.size - 1] ^= 1; /* The signature's last byte. */
    world_write(node, vouching_write_forgery, forgery, vouching_on_forged, forgery);
}

static void vouching_power(struct vouching *vouching, struct world_node *node)
{
    if (!node->is_up)
        world_start(node);
    else if (world_once_in(&vouching->world, 3))
        world_crash(node);
    else if (world_once_in(&vouching->world, 3))
        world_stop(node);
    else
        world_doom(node);
}

/* Somebody this person writes for; anybody when there is none. */
static size_t vouching_peer(struct vouching *vouching, size_t person)
{
    size_t first = world_draw(&vouching->world, VOUCHING_PERSONS - 1);

    for (size_t at = 0; at + 1 < VOUCHING_PERSONS; at++) {
        size_t other = (first + at) % (VOUCHING_PERSONS - 1);

        if (vouching->is_peer[person][other])
            return other;
    }
    return first;
}

void vouching_act(struct vouching *vouching)
{
    struct world *world = &vouching->world;
    size_t person = world_draw(world, VOUCHING_PERSONS - 1);
    size_t other = vouching_peer(vouching, person);
    struct world_node *node = vouching_device(vouching, person);
    bool is_peer = vouching->is_peer[person][other];
    uint64_t what = world_draw(world, 26);

    if (vouching->has_copies && world_once_in(world, VOUCHING_COPY_PART)) {
        copies_act(&vouching->copies, node);
        return;
    }

    if (what < 5 && is_peer)
        vouching_endorse(vouching, node, other);
    else if (what >= 5 && what < 13)
        vouching_decide(vouching, node);
    else if (what == 13)
        vouching_revoke(vouching, node);
    else if (what >= 14 && what < 17 && is_peer)
        vouching_quote(vouching, node, other);
    else if (what >= 17 && what < 20)
        vouching_power(vouching, node);
    else if (what == 20)
        node->wall_offset_ms = (int64_t)world_draw(world, 80 * (uint64_t)VOUCHING_DAY_MS) -
                               INT64_C(40) * VOUCHING_DAY_MS;
    else if (what == 21)
        vouching_tick(vouching);
    else if (what == 22 && is_peer && !vouching->has_ended && world->seed % 3 == 0)
        vouching_part(vouching, node, other);
    else if (what == 23 && node->is_up && vouching->is_hostile)
        vouching_forge(vouching, node);
    else if (what > 23)
        vouching_decide(vouching, node);
}

/* Beginning and end. */

static void vouching_on_uri(struct world_node *node, void *self, enum err err,
                            const struct op_call *call)
{
    (void)node;
    world_must(err);
    world_op(self, "peer.accept", json_pack("{s:O}", "uri", json_object_get(call->result, "uri")),
             NULL, NULL);
}

void vouching_link(struct vouching *vouching, size_t one, size_t other)
{
    struct world *world = &vouching->world;
    struct world_node *left = vouching->persons[one], *right = vouching->persons[other];

    judge_met(&vouching->judge, one, other);
    judge_met(&vouching->judge, other, one);
    vouching->is_peer[one][other] = vouching->is_peer[other][one] = true;
    world_op(left, "peer.invite", json_object(), vouching_on_uri, right);
    for (int at = 0; at < 30 && !judge_is_settled(left, right); at++)
        world_run_until(world, world->now_ms + 1000);
    if (!judge_is_settled(left, right))
        judge_fail(&vouching->judge, "%s and %s are not linked", left->name, right->name);
}

void vouching_begin(struct vouching *vouching, uint64_t seed, bool is_talkative, bool has_copies)
{
    struct world *world = &vouching->world;

    world_begin(world, seed);
    world->is_talkative = is_talkative;
    judge_begin(&vouching->judge, world);
    vouching->has_copies = has_copies;
    vouching->copies = (struct copies){.judge = &vouching->judge,
                                       .clones_left = VOUCHING_CLONES_MAX,
                                       .went_back = vouching_judge_went_back,
                                       .self = vouching};
    vouching->is_hostile = world_once_in(world, 4);
    for (size_t at = 0; at + 1 < VOUCHING_PERSONS; at++) {
        vouching->persons[at] = world_init(world, vouching_names[at]);
        KITH_ASSERT(vouching->persons[at]->person == at);
        world_start(vouching->persons[at]);
    }
    for (size_t at = 0; at + 2 < VOUCHING_PERSONS; at++)
        vouching_link(vouching, at, at + 1);
    if (world_once_in(world, 2))
        vouching_link(vouching, 0, 2);
    if (world_once_in(world, 2)) {
        vouching->twin = world_join(vouching->persons[world_draw(world, 3)]);
        KITH_ASSERT(vouching->twin != NULL);
        world_start(vouching->twin);
        world_run_until(world, world->now_ms + 10000);
    }
    for (size_t at = 0; at < world->nodes_count; at++)
        world->nodes[at]->wall_offset_ms =
            (int64_t)world_draw(world, 6 * VOUCHING_DAY_MS) - INT64_C(3) * VOUCHING_DAY_MS;
}

void vouching_end(struct vouching *vouching)
{
    world_end(&vouching->world);
    copies_end(&vouching->copies);
    judge_end(&vouching->judge);
}

void vouching_welcome(struct vouching *vouching)
{
    size_t eva = VOUCHING_PERSONS - 1, bruno = 1;

    vouching->persons[eva] = world_init(&vouching->world, vouching_names[eva]);
    KITH_ASSERT(vouching_persons(vouching) == VOUCHING_PERSONS);
    vouching->persons[eva]->person = eva;
    vouching->persons[eva]->wall_offset_ms = vouching->persons[bruno]->wall_offset_ms;
    world_start(vouching->persons[eva]);
    vouching_link(vouching, eva, bruno);
}
