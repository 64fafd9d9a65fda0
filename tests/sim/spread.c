/* Four times a day members look at what has come and do what they will do about it; then they meet
 * whom they have something for. */
#include "tests/sim/spread.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/ask.h"
#include "storage/view_ask.h"

enum {
    SPREAD_BAD_ROUNDS = 32, /* eight days of six hours each */
    SPREAD_BAD_STEP_MS = SPREAD_DAY_MS / 4,
    SPREAD_HEAL_ROUNDS = 60, /* an hour each: before the first ask is over */
    SPREAD_HEAL_STEP_MS = SPREAD_DAY_MS / 24,
    SPREAD_QUIET_ROUNDS = 2,
    SPREAD_SLEEP_PART = 20, /* one in so many falls asleep in a round, */
    SPREAD_SLEEP_DAYS = 4   /* and is away up to so long */
};

void spread_fail(struct spread *spread, const char *format, ...)
{
    va_list arguments;

    if (spread->failure[0] != '\0')
        return;
    va_start(arguments, format);
    (void)vsnprintf(spread->failure, sizeof spread->failure, format, arguments);
    va_end(arguments);
}

void spread_text(const struct spread *spread, const struct spread_ask *ask, size_t member,
                 char out[static SPREAD_TEXT_SIZE])
{
    size_t number = (size_t)(ask - spread->asks) * spread->graph->count + member;

    (void)snprintf(out, SPREAD_TEXT_SIZE, "I know somebody, canary:%09zu", number);
}

/* What a member has before them. */
struct spread_desk {
    struct spread *spread;
    size_t member;
    json_t *asks, *leads; /* as the ops list them */
    size_t deeds;
};

static void spread_desk_open(struct spread *spread, size_t member, struct spread_desk *out)
{
    struct world_node *node = spread->people[member].node;

    *out = (struct spread_desk){.spread = spread, .member = member};
    out->asks = world_read(node, "ask.list", json_pack("{s:b}", "all", true));
    out->leads = world_read(node, "lead.list", json_object());
    KITH_ASSERT(out->asks != NULL && out->leads != NULL);
}

static void spread_desk_close(struct spread_desk *desk)
{
    json_decref(desk->asks);
    json_decref(desk->leads);
}

static const char *spread_word(json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    return text != NULL ? text : "";
}

static json_t *spread_ask_row(struct spread_desk *desk, const struct spread_ask *ask)
{
    json_t *row;
    size_t at;

    json_array_foreach(json_object_get(desk->asks, "asks"), at, row)
    {
        if (strcmp(spread_word(row, "id"), ask->id) == 0)
            return row;
    }
    return NULL;
}

static enum spread_deed spread_do(struct spread_desk *desk, const char *method, json_t *params)
{
    desk->deeds++;
    return spread_op(desk->spread, desk->member, method, params);
}

/* The author. */

static void spread_find_id(struct spread_desk *desk, struct spread_ask *ask)
{
    json_t *list = world_read(desk->spread->people[desk->member].node, "ask.list",
                              json_pack("{s:b}", "mine", true)),
           *row;
    size_t at;

    json_array_foreach(json_object_get(list, "asks"), at, row)
    {
        if (strcmp(spread_word(row, "title"), ask->title) == 0)
            (void)snprintf(ask->id, sizeof ask->id, "%s", spread_word(row, "id"));
    }
    json_decref(list);
}

static void spread_post(struct spread_desk *desk, struct spread_ask *ask)
{
    char hops[2] = {(char)('0' + ASK_HOPS_MAX), '\0'};

    spread_find_id(desk, ask);
    if (ask->id[0] == '\0')
        (void)spread_do(desk, "ask.post",
                        json_pack("{s:s, s:s, s:s}", "text", "Who knows a boat shed to let?",
                                  "title", ask->title, "hops", hops));
    spread_find_id(desk, ask);
}

static void spread_thank(struct spread_desk *desk, const struct spread_ask *ask)
{
    json_t *row;
    size_t at;

    json_array_foreach(json_object_get(desk->leads, "leads"), at, row)
    {
        if (strcmp(spread_word(json_object_get(row, "ask"), "id"), ask->id) == 0 &&
            json_object_get(row, "thanked") == NULL)
            (void)spread_do(
                desk, "thanks",
                json_pack("{s:s, s:s}", "id", spread_word(row, "id"), "text", "That helped."));
    }
}

static void spread_tend(struct spread_desk *desk, struct spread_ask *ask, uint64_t day_ms)
{
    if (ask->id[0] == '\0' && day_ms >= ask->post_ms)
        spread_post(desk, ask);
    if (ask->id[0] == '\0')
        return;
    spread_thank(desk, ask);
    if (ask->close_ms > 0 && day_ms >= ask->close_ms &&
        strcmp(spread_word(spread_ask_row(desk, ask), "state"), "open") == 0)
        (void)spread_do(desk, "ask.close", json_pack("{s:s}", "id", ask->id));
}

/* Whoever has heard it. */

static void spread_pass(struct spread_desk *desk, const struct spread_ask *ask,
                        struct spread_role *role)
{
    json_t *to = json_array();
    char did[DID_SIZE];

    for (size_t at = 0; at < role->to_count; at++) {
        identity_did(&desk->spread->people[role->to[at]].node->secrets->member, did);
        (void)json_array_append_new(to, json_string(did));
    }
    if (spread_do(desk, "ask.pass", json_pack("{s:s, s:o}", "id", ask->id, "to", to)) ==
        SPREAD_REFUSED)
        role->passes = false; /* It came from all of them. */
}

static bool spread_has_replied(const struct spread_desk *desk, const struct spread_ask *ask)
{
    json_t *row;
    size_t at;

    json_array_foreach(json_object_get(desk->leads, "leads"), at, row)
    {
        if (strcmp(spread_word(row, "role"), "answered") == 0 &&
            strcmp(spread_word(json_object_get(row, "ask"), "id"), ask->id) == 0)
            return true;
    }
    return false;
}

/* A program at the limit that makes one link more, and says it to a peer. */
struct spread_foul {
    struct spread *spread;
    const struct spread_ask *ask;
    struct spread_role *role;
};

static enum err spread_foul_say(const struct spread_foul *foul, struct ledger_txn *txn)
{
    const struct public_key *to = &foul->spread->people[foul->role->foul_to].node->secrets->member;
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct buf plain = {0}, longer = {0};
    struct public_key grant;
    struct ask_route route;
    struct ask_pass held;
    struct id id;
    enum err err = hex_read(span_str(foul->ask->id), id.bytes, ID_SIZE);

    if (err == ERR_OK)
        err = view_ask_route(&snapshot, &id, &route);
    if (err == ERR_OK)
        err = view_ask_pass(&snapshot, &route, &plain, &held);
    if (err == ERR_OK) {
        held.links[1] = held.links[2]; /* Room for another, as if it had come two links far. */
        held.depth = 2;
        err = ask_pass_issue(&held, to, span_of(NULL, 0), &longer, &grant);
    }
    if (err == ERR_OK)
        err = ask_say(txn, to, KIND_PASS, buf_span(&longer), held.ask.expires_ms);
    view_ask_wipe(&plain);
    buf_release(&longer);
    return err;
}

static void spread_on_foul(struct world_node *node, void *self)
{
    struct spread_foul *foul = self;
    struct ledger_txn *txn;

    world_must(ledger_begin(node->ledger, world_wall_ms(node), &txn));
    world_must(spread_foul_say(foul, txn));
    world_must(ledger_commit(txn, NULL));
    foul->role->has_fouled = true;
}

static void spread_hear(struct spread_desk *desk, const struct spread_ask *ask,
                        struct spread_role *role)
{
    struct spread_foul foul = {.spread = desk->spread, .ask = ask, .role = role};
    json_t *row = spread_ask_row(desk, ask);
    json_int_t hops = json_integer_value(json_object_get(row, "hops"));
    char text[SPREAD_TEXT_SIZE];

    if (row == NULL || strcmp(spread_word(row, "state"), "closed") == 0)
        return;
    if (role->passes && hops < ASK_HOPS_MAX && json_object_get(row, "passed_to") == NULL &&
        role->to_count > 0)
        spread_pass(desk, ask, role);
    spread_text(desk->spread, ask, desk->member, text);
    if (role->replies && !spread_has_replied(desk, ask) &&
        spread_do(desk, "ask.reply",
                  json_pack("{s:s, s:s, s:b}", "id", ask->id, "text", text, "unnamed",
                            desk->member % 2 == 0)) == SPREAD_REFUSED)
        spread_fail(desk->spread, "m%04zu cannot answer %s", desk->member, ask->title);
    if (role->foul_to == SPREAD_NOBODY || role->has_fouled || hops != ASK_HOPS_MAX)
        return;
    world_look(desk->spread->people[desk->member].node, spread_on_foul, &foul);
    desk->spread->people[desk->member].is_dirty = true;
    desk->deeds++;
}

/* Days. */

static bool spread_must_post(const struct spread *spread, size_t member, uint64_t day_ms)
{
    for (size_t at = 0; at < spread->options.asks; at++) {
        const struct spread_ask *ask = &spread->asks[at];

        if (ask->author == member && ((ask->id[0] == '\0' && day_ms >= ask->post_ms) ||
                                      (ask->close_ms > 0 && day_ms >= ask->close_ms)))
            return true;
    }
    return false;
}

/* What one member does now. */
static size_t spread_act(struct spread *spread, size_t member, uint64_t day_ms)
{
    struct spread_desk desk;

    spread_desk_open(spread, member, &desk);
    for (size_t at = 0; at < spread->options.asks; at++) {
        struct spread_ask *ask = &spread->asks[at];
        struct spread_role *role = spread_role(ask, member);

        if (ask->author == member)
            spread_tend(&desk, ask, day_ms);
        else if (role != NULL && ask->id[0] != '\0')
            spread_hear(&desk, ask, role);
    }
    spread_desk_close(&desk);
    return desk.deeds;
}

static size_t spread_act_all(struct spread *spread, uint64_t day_ms)
{
    size_t deeds = 0;

    for (size_t at = 0; at < spread->graph->count; at++) {
        const struct spread_person *person = &spread->people[at];

        if (person->node != NULL && person->asleep_until_ms <= spread->world.now_ms &&
            (person->is_dirty || spread_must_post(spread, at, day_ms)))
            deeds += spread_act(spread, at, day_ms);
    }
    return deeds;
}

static void spread_sleep(struct spread *spread)
{
    struct world *world = &spread->world;

    for (size_t at = 0; at < spread->graph->count; at++)
        if (spread->people[at].node != NULL && world_once_in(world, SPREAD_SLEEP_PART))
            spread->people[at].asleep_until_ms =
                world->now_ms + world_draw(world, (uint64_t)SPREAD_SLEEP_DAYS * SPREAD_DAY_MS);
}

static void spread_live_badly(struct spread *spread)
{
    struct world *world = &spread->world;
    uint64_t began = world->now_ms;

    spread->is_bad = world->has_faults = world->has_repeats = !spread->options.is_calm;
    for (size_t round = 0; round < SPREAD_BAD_ROUNDS && spread->failure[0] == '\0'; round++) {
        if (world->now_ms < began + round * SPREAD_BAD_STEP_MS)
            world_run_until(world, began + round * SPREAD_BAD_STEP_MS);
        if (spread->is_bad)
            spread_sleep(spread);
        (void)spread_act_all(spread, world->now_ms - began);
        (void)spread_meet(spread);
    }
    spread->is_bad = world->has_faults = world->has_repeats = false;
}

/* Everybody is there again, until nobody has anything to do. */
static void spread_heal(struct spread *spread)
{
    struct world *world = &spread->world;
    size_t quiet = 0;

    for (size_t at = 0; at < spread->graph->count; at++) {
        spread->people[at].asleep_until_ms = 0;
        spread->people[at].is_dirty = true;
    }
    for (size_t round = 0; round < SPREAD_HEAL_ROUNDS && quiet < SPREAD_QUIET_ROUNDS; round++) {
        bool is_quiet;

        world_run_until(world, world->now_ms + SPREAD_HEAL_STEP_MS);
        is_quiet = spread_act_all(spread, UINT64_MAX) == 0;
        is_quiet = spread_meet(spread) == 0 && is_quiet;
        quiet = is_quiet ? quiet + 1 : 0;
    }
    if (quiet < SPREAD_QUIET_ROUNDS)
        spread_fail(spread, "there is always something left to do or to bring");
}

static void spread_count_links(struct spread *spread)
{
    struct spread_figures *figures = &spread->figures;

    for (size_t at = 0; at < spread->graph->count; at++) {
        struct spread_person *person = &spread->people[at];

        if (person->node == NULL)
            continue;
        person->sent = person->node->sent_bytes;
        person->received = person->node->received_bytes;
        person->taken = person->node->taken_bytes;
        person->accepted = person->node->accepted;
        figures->link_bytes += person->sent;
        figures->link_taken += person->taken;
    }
}

static void spread_count(struct spread *spread)
{
    struct spread_figures *figures = &spread->figures;

    for (size_t at = 0; at < spread->graph->count; at++) {
        const struct spread_person *person = &spread->people[at];
        uint64_t both;

        if (person->node == NULL)
            continue;
        both = person->node->sent_bytes - person->sent + person->node->received_bytes -
               person->received;
        figures->bytes += both;
        figures->most = both > figures->most ? both : figures->most;
        figures->taken += person->node->taken_bytes - person->taken;
        figures->sessions += person->node->accepted - person->accepted;
    }
}

void spread_run(struct spread *spread, const struct graph *graph,
                const struct spread_options *options)
{
    uint64_t began;

    *spread = (struct spread){.graph = graph, .options = *options};
    world_begin(&spread->world, options->seed);
    spread->world.is_talkative = options->is_talkative;
    spread->people = world_memory(graph->count * sizeof *spread->people);
    spread_plan(spread);
    spread_link(spread);
    spread_count_links(spread);
    began = spread->world.now_ms;
    spread_live_badly(spread);
    if (spread->failure[0] == '\0')
        spread_heal(spread);
    spread_count(spread);
    spread->figures.days = (spread->world.now_ms - began) / SPREAD_DAY_MS;
    if (spread->failure[0] == '\0')
        spread_judge(spread);
}

void spread_end(struct spread *spread)
{
    for (size_t at = 0; at < spread->graph->count; at++) {
        free(spread->people[at].is_linked);
        free(spread->people[at].pending);
    }
    for (size_t at = 0; at < spread->options.asks; at++) {
        free(spread->asks[at].roles);
        free(spread->asks[at].role_of);
    }
    world_end(&spread->world);
    free(spread->people);
    free(spread->asks);
}
