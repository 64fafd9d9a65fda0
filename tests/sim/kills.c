/* See kills.h; read kills_tell first. */
#include "tests/sim/kills_cut.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "storage/running.h"
#include "tests/sim/meeting.h"
#include "tests/sim/vouching_judge.h"

enum {
    KILLS_LOOK_MS = 500,
    KILLS_LOOKS_MAX = 1200,
    KILLS_CALL_LOOKS = 30,
    KILLS_TICK_LOOKS = 4,
    KILLS_QUIET_LOOKS = 6
};

/* Time. */

static uint64_t kills_commits(const struct kills *kills)
{
    uint64_t commits = 0;

    for (size_t at = 0; at < kills->vouching.world.nodes_count; at++)
        commits += kv_mem_commits_count(kills->vouching.world.nodes[at]->mem);
    return commits;
}

static bool kills_is_off(const struct kills *kills, size_t node)
{
    return (kills->off >> node & 1) != 0;
}

static bool kills_is_one_down(const struct kills *kills)
{
    const struct world *world = &kills->vouching.world;
    bool is_one_down = false;

    for (size_t at = 0; at < world->nodes_count; at++)
        is_one_down |= !world->nodes[at]->is_up && !kills_is_off(kills, at);
    return is_one_down;
}

static void kills_look(struct kills *kills, uint64_t look, uint64_t *down)
{
    struct world *world = &kills->vouching.world;

    for (size_t at = 0; at < world->nodes_count; at++) {
        struct world_node *node = world->nodes[at];

        if (kills_is_off(kills, at))
            continue;
        if (!node->is_up && (*down)++ >= kills_cut_looks(kills->sweep)) {
            *down = 0;
            world_start(node);
        } else if (node->is_up && look % KILLS_CALL_LOOKS == KILLS_CALL_LOOKS - 1) {
            world_op(node, "sync", json_object(), NULL, NULL);
        }
    }
    if (look % KILLS_TICK_LOOKS == 0)
        vouching_tick(&kills->vouching);
    world_run_until(world, world->now_ms + KILLS_LOOK_MS);
}

static uint64_t kills_running(struct world_node *node)
{
    struct snapshot snapshot;
    uint64_t now_ms;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(running_ms(&snapshot, &now_ms));
    ledger_snapshot_end(&snapshot);
    return now_ms;
}

static enum err kills_write_time(void *what, struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint64_t goal = *(const uint64_t *)what, now_ms = 0;
    enum err err = running_ms(&snapshot, &now_ms);

    if (err == ERR_OK)
        err = running_advance(txn, 1);
    if (err == ERR_OK && now_ms < goal)
        err = running_advance(txn, 1 + goal - now_ms);
    return err;
}

static void kills_on_time(struct world_node *node, void *self, enum err err,
                          const struct op_call *call)
{
    (void)node;
    (void)self;
    (void)err;
    (void)call;
}

/* The calendar is nobody's to cut; what has been lived is written, and written again where it was
 * not. */
static void kills_live(struct kills *kills, unsigned days)
{
    struct world *world = &kills->vouching.world;
    uint64_t span_ms = (uint64_t)days * VOUCHING_DAY_MS, look = 1, down = 0;
    bool is_done = false;

    for (size_t at = 0; at < world->nodes_count; at++) {
        KITH_ASSERT(world->nodes[at]->is_up);
        kills->goals[at] = kills_running(world->nodes[at]) + span_ms;
        world->nodes[at]->wall_offset_ms += (int64_t)span_ms;
    }
    for (; !is_done && look < KILLS_LOOKS_MAX; look++) {
        is_done = true;
        for (size_t at = 0; at < world->nodes_count; at++) {
            struct world_node *node = world->nodes[at];

            if (node->is_up && kills_running(node) >= kills->goals[at])
                continue;
            is_done = false;
            if (node->is_up)
                world_write(node, kills_write_time, &kills->goals[at], kills_on_time, NULL);
        }
        kills_look(kills, look, &down);
    }
}

/* What they do. */

struct kills_asked {
    struct kills *kills;
    size_t deed;
    const char *method, *keep;
};

static void kills_on_done(struct world_node *node, void *self, enum err err,
                          const struct op_call *call)
{
    struct kills_asked *asked = self;
    struct kills *kills = asked->kills;

    kills->is_doing[asked->deed] = false;
    kills->is_told[asked->deed] |= err == ERR_OK;
    if (err == ERR_OK && asked->keep != NULL)
        (void)snprintf(kills->kept[node->number], sizeof kills->kept[0], "%s",
                       json_string_value(json_object_get(call->result, asked->keep)));
    if (err != ERR_OK && call != NULL)
        judge_fail(&kills->vouching.judge, "%s at %s: %s", asked->method, node->name,
                   call->failure.message);
    free(asked);
}

/* A new deal for words that somebody writes of the second of them. */
static void kills_words(struct kills *kills, const struct kills_deed *deed, char out[static 80])
{
    struct vouching *vouching = &kills->vouching;
    struct vouching_deal *deal = &vouching->deals[vouching->deals_count];
    char text[JUDGE_CANARY_SIZE];
    bool is_private = strstr(deed->params, "'ceiling':'subject'") != NULL;

    KITH_ASSERT(vouching->deals_count < VOUCHING_DEALS_MAX);
    vouching->deals_count++;
    *deal = (struct vouching_deal){.canary = judge_canary_for(&vouching->judge,
                                                              vouching->persons[deed->who],
                                                              vouching->persons[1], text),
                                   .issuer = deed->who,
                                   .subject = 1,
                                   .ceiling = is_private ? AUDIENCE_SUBJECT : AUDIENCE_NETWORK,
                                   .widest = is_private ? AUDIENCE_SUBJECT : AUDIENCE_NETWORK};
    if (!is_private)
        vouching->judge.canaries[deal->canary].readers = UINT64_MAX;
    (void)snprintf(out, 80, "%s is good work", text);
}

size_t kills_deal(struct kills *kills, const char *words)
{
    const struct vouching_deal *deal = vouching_deal_of(&kills->vouching, span_str(words));

    if (deal == NULL)
        judge_fail(&kills->vouching.judge, "somebody tells words that nobody wrote: %s", words);
    return deal != NULL ? (size_t)(deal - kills->vouching.deals) : SIZE_MAX;
}

static json_t *kills_row(struct kills *kills, const struct kills_deed *deed)
{
    static const char *const keys[] = {"introductions", "endorsements", "asks", "leads"};
    struct vouching *vouching = &kills->vouching;
    json_t *params = json_object(), *list, *rows = NULL, *row, *found = NULL;
    size_t at;

    if (deed->flag != NULL)
        (void)json_object_set_new(params, deed->flag, json_true());
    list = world_read(vouching->world.nodes[deed->who], deed->list, params);
    for (at = 0; at < sizeof keys / sizeof keys[0] && rows == NULL; at++)
        rows = json_object_get(list, keys[at]);
    json_array_foreach(rows, at, row)
    {
        const char *words = json_string_value(json_object_get(row, "words"));
        size_t number = words != NULL ? kills_deal(kills, words) : at;

        if (number == deed->row && found == NULL)
            found = json_incref(row);
    }
    json_decref(list);
    return found;
}

static json_t *kills_params(const struct kills_deed *deed, const char *words)
{
    char text[400];
    json_t *params;
    size_t size = (size_t)snprintf(text, sizeof text, "%s", deed->params ? deed->params : "{}");

    KITH_ASSERT(size < sizeof text);
    for (size_t at = 0; at < size; at++)
        if (text[at] == '\'')
            text[at] = '"';
    params = json_loads(text, 0, NULL);
    KITH_ASSERT(params != NULL);
    if (words[0] != '\0')
        (void)json_object_set_new(params, "words", json_string(words)); /* Tests have memory. */
    return params;
}

/* False while what it is about is not there yet. */
static bool kills_ask(struct kills *kills, size_t at, const struct kills_deed *deed,
                      const char *words)
{
    struct vouching *vouching = &kills->vouching;
    struct world_node *node = vouching->world.nodes[deed->who];
    json_t *row = deed->list != NULL ? kills_row(kills, deed) : NULL;
    const char *its = json_string_value(json_object_get(row, "words"));
    struct vouching_deal *deal = its != NULL ? vouching_deal_of(vouching, span_str(its)) : NULL;
    struct kills_asked *asked;
    json_t *params;

    if (deed->list != NULL && row == NULL)
        return false;
    if (deal != NULL && strcmp(deed->method, "endorsement.revoke") == 0)
        deal->is_revocation_asked = true;
    asked = world_memory(sizeof *asked);
    *asked = (struct kills_asked){
        .kills = kills, .deed = at, .method = deed->method, .keep = deed->keep};
    kills->is_doing[at] = true;
    if (deed->write != NULL) {
        world_write(node, deed->write, kills, kills_on_done, asked);
        return true;
    }
    params = kills_params(deed, words);
    if (deed->give != NULL)
        (void)json_object_set_new(params, deed->give, json_string(kills->kept[deed->from]));
    if (row != NULL)
        (void)json_object_set(params, words[0] != '\0' ? "renews" : "id",
                              json_object_get(row, "id"));
    json_decref(row);
    world_op(node, deed->method, params, kills_on_done, asked);
    return true;
}

/* Steps. */

static bool kills_has_come(struct kills *kills, const struct kills_step *step,
                           char out_why[static 2 * KILLS_TOLD_SIZE])
{
    struct world *world = &kills->vouching.world;
    char told[KILLS_TOLD_SIZE];

    for (size_t at = 0; at < world->nodes_count; at++) {
        struct world_node *node = world->nodes[at];

        if (kills_is_off(kills, at))
            continue;
        if (!node->is_up)
            return false;
        if (step->until[at] == NULL)
            continue;
        kills->story->tell(kills, node, told);
        if (strcmp(told, step->until[at]) != 0) {
            (void)snprintf(out_why, 2 * KILLS_TOLD_SIZE, "%s tells \"%s\", not \"%s\"", node->name,
                           told, step->until[at]);
            return false;
        }
    }
    return true;
}

/* Asks, unless it is done; what was told to be done is. */
static void kills_do(struct kills *kills, const struct kills_step *step, size_t at,
                     const char *before, const char *words)
{
    const struct kills_deed *deed = step->deeds[at];
    struct world_node *node = kills->vouching.world.nodes[deed->who];
    char told[KILLS_TOLD_SIZE];

    if (!node->is_up || kills->is_doing[at])
        return;
    kills->story->tell(kills, node, told);
    kills->is_done[at] = strcmp(told, before) != 0 || (deed->is_silent && kills->is_told[at]);
    if (kills->is_done[at])
        return;
    if (kills->is_told[at])
        judge_fail(&kills->vouching.judge, "%s at %s was acknowledged, and is gone", deed->method,
                   node->name);
    else
        (void)kills_ask(kills, at, deed, words);
}

static void kills_show(struct kills *kills, size_t number)
{
    struct world *world = &kills->vouching.world;
    char told[KILLS_TOLD_SIZE];

    for (size_t at = 0; at < world->nodes_count && world->is_talkative; at++) {
        struct world_node *node = world->nodes[at];

        if (!node->is_up)
            continue;
        kills->story->tell(kills, node, told);
        world_note(world, node, "after step %zu tells \"%s\"", number + 1, told);
    }
}

static void kills_go_back(struct kills *kills, struct world_node *node)
{
    struct judge *judge = &kills->vouching.judge;

    judge_goes_back(judge, node);
    world_restore(node, kills->homes[node->number]);
    judge_went_back(judge, node, kills->homes_canaries[node->number]);
    world_start(node);
}

static void kills_meet_fate(struct kills *kills, const struct kills_fate *fate)
{
    struct world *world = &kills->vouching.world;

    for (size_t at = 0, count = world->nodes_count; at < count; at++) {
        struct world_node *node = world->nodes[at];

        if ((fate->copied >> at & 1) != 0) {
            KITH_ASSERT(kills->homes[at] == NULL);
            kills->homes[at] = world_snapshot(node);
            kills->homes_canaries[at] = kills->vouching.judge.canaries_count;
        }
        if ((fate->back >> at & 1) != 0)
            kills_go_back(kills, node);
        if ((fate->cloned >> at & 1) != 0)
            world_start(world_clone(node, false));
        if ((fate->off >> at & 1) != 0)
            world_crash(node);
    }
    kills->off |= fate->off;
    world->islands = fate->parted;
    world->islands_until_ms = fate->parted != 0 ? UINT64_MAX : 0;
}

static void kills_step(struct kills *kills, size_t number)
{
    const struct kills_step *step = &kills->story->steps[number];
    struct judge *judge = &kills->vouching.judge;
    char before[KILLS_DEEDS_MAX][KILLS_TOLD_SIZE] = {{0}}, words[KILLS_DEEDS_MAX][80] = {{0}};
    char why[2 * KILLS_TOLD_SIZE] = "nobody is there";
    uint64_t down = 0;
    bool is_over = false;

    memset(kills->is_told, 0, sizeof kills->is_told);
    kills_meet_fate(kills, &step->fate);
    for (size_t at = 0; at < KILLS_DEEDS_MAX; at++) {
        const struct kills_deed *deed = step->deeds[at];

        kills->is_done[at] = deed == NULL;
        if (deed == NULL)
            continue;
        kills->story->tell(kills, kills->vouching.world.nodes[deed->who], before[at]);
        if (deed->params != NULL && strstr(deed->params, "'ceiling'") != NULL)
            kills_words(kills, deed, words[at]);
        kills_do(kills, step, at, before[at], words[at]);
    }
    for (uint64_t look = 1; look < KILLS_LOOKS_MAX && !is_over && judge->failure[0] == '\0';
         look++) {
        kills_look(kills, look, &down);
        for (size_t at = 0; at < KILLS_DEEDS_MAX; at++)
            if (step->deeds[at] != NULL)
                kills_do(kills, step, at, before[at], words[at]);
        is_over = kills->is_done[0] && kills->is_done[1] && kills_has_come(kills, step, why);
    }
    if (!is_over)
        judge_fail(judge, "step %zu never comes about: %s", number + 1, why);
    kills_show(kills, number);
}

/* What must be so. */

static bool kills_holds(struct world_node *node, struct span needle)
{
    struct snapshot snapshot;
    bool holds;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    holds = meeting_holds_at(&snapshot, needle);
    ledger_snapshot_end(&snapshot);
    return holds;
}

static void kills_check_stranger(struct kills *kills, struct world_node *node,
                                 const struct world_node *other)
{
    struct signing_key *signing = secret_new(sizeof *signing);
    struct public_key device;

    KITH_ASSERT(signing != NULL);
    identity_signing_key(other->secrets->signing_seed, signing);
    device = signing->public_key;
    secret_free(signing);
    if (kills_holds(node, span_of(other->secrets->member.bytes, 32)) ||
        kills_holds(node, span_of(device.bytes, 32)))
        judge_fail(&kills->vouching.judge, "%s holds a key of %s, without two yeses", node->name,
                   other->name);
    if (kills_holds(node, span_of(other->address.host, sizeof other->address.host)))
        judge_fail(&kills->vouching.judge, "%s holds an address of %s, without two yeses",
                   node->name, other->name);
}

static void kills_check_secret(struct kills *kills)
{
    struct world_node **nodes = kills->vouching.world.nodes;
    const size_t *meeting = kills->story->meeting;

    if (meeting[0] == meeting[1])
        return;
    kills_check_stranger(kills, nodes[meeting[0]], nodes[meeting[1]]);
    kills_check_stranger(kills, nodes[meeting[1]], nodes[meeting[0]]);
}

/* All links, those that there were and the one there is to be, but the one that ended. */
static bool kills_are_in_step(struct kills *kills, bool has_met)
{
    const struct kills_story *story = kills->story;
    struct world_node **nodes = kills->vouching.world.nodes;
    const size_t *parting = story->parting, *meeting = story->meeting;

    for (size_t at = 0; at < story->links_count; at++) {
        const size_t *link = story->links[at];

        if (has_met && parting[0] != parting[1] && link[0] == parting[0] && link[1] == parting[1])
            continue;
        if (!judge_is_settled(nodes[link[0]], nodes[link[1]]))
            return false;
    }
    return !has_met || !story->is_met || judge_is_settled(nodes[meeting[0]], nodes[meeting[1]]);
}

/* Where a member has several machines, being in step is not enough: the judge must be content. */
static bool kills_are_content(struct kills *kills, char out_why[static JUDGE_FAILURE_SIZE])
{
    return kills->vouching.world.nodes_count == kills->story->nodes_count ||
           judge_is_content(&kills->vouching.judge, out_why);
}

/* In step, and nobody has anything to write any more. */
static void kills_rest(struct kills *kills, bool has_met)
{
    uint64_t commits = 0, down = 0, quiet = 0;
    char why[JUDGE_FAILURE_SIZE] = "somebody is not in step";

    for (uint64_t look = 0; look < KILLS_LOOKS_MAX && quiet < KILLS_QUIET_LOOKS; look++) {
        bool is_still = commits == kills_commits(kills);

        commits = kills_commits(kills);
        quiet = is_still && kills_are_in_step(kills, has_met) ? quiet + 1 : 0;
        kills_look(kills, look, &down);
        if (quiet == KILLS_QUIET_LOOKS &&
            (kills_is_one_down(kills) || !kills_are_content(kills, why)))
            quiet = 0;
    }
    if (quiet < KILLS_QUIET_LOOKS)
        judge_fail(&kills->vouching.judge, "they never come to rest: %s", why);
}

static void kills_judge(struct kills *kills)
{
    const struct kills_story *story = kills->story;
    struct vouching *vouching = &kills->vouching;
    struct world_node **nodes = vouching->world.nodes;
    size_t one = story->meeting[0], other = story->meeting[1];
    char why[2 * KILLS_TOLD_SIZE] = "nobody is there";

    if (!kills_has_come(kills, &story->steps[story->steps_count - 1], why))
        judge_fail(&vouching->judge, "at rest %s", why);
    if (one != other && story->is_met) {
        judge_met(&vouching->judge, one, other);
        judge_met(&vouching->judge, other, one);
        if (!judge_is_settled(nodes[one], nodes[other]))
            judge_fail(&vouching->judge, "%s and %s are not linked and in step", nodes[one]->name,
                       nodes[other]->name);
    } else if (one != other) {
        kills_check_secret(kills);
    }
    if (story->parting[0] != story->parting[1]) { /* They read one another's cards until then. */
        judge_met(&vouching->judge, story->parting[0], story->parting[1]);
        judge_met(&vouching->judge, story->parting[1], story->parting[0]);
    }
    if (story->is_vouched) {
        vouching_judge(vouching);
        vouching_judge_revoked(vouching);
    }
    judge_all(&vouching->judge);
}

/* The telling. */

static void kills_begin(struct kills *kills)
{
    const struct kills_story *story = kills->story;
    struct vouching *vouching = &kills->vouching;
    struct world *world = &vouching->world;

    world_begin(world, 1);
    world->is_talkative = kills->sweep->is_talkative;
    judge_begin(&vouching->judge, world);
    for (size_t at = 0; at < story->nodes_count; at++) {
        struct world_node *node = world_init(world, story->names[at]);
        char text[JUDGE_CANARY_SIZE];
        size_t canary = judge_canary(&vouching->judge, node, JUDGE_CARD, text);

        vouching->persons[at] = node;
        world_op(node, "me.edit", json_pack("{s:[s]}", "url", text), NULL, NULL);
        vouching->judge.canaries[canary].is_acknowledged = true; /* Without a node, at once. */
        world_start(node);
    }
    for (size_t at = 0; at < story->links_count; at++)
        vouching_link(vouching, story->links[at][0], story->links[at][1]);
    kills_rest(kills, false);
    kills->device = story->has_device ? world_join(world->nodes[0]) : NULL;
    world->has_power_cut = kills_cut_here;
    world->has_power_cut_self = kills;
    kills->sweep->is_counting = true;
    if (story->has_device)
        world_start(world->nodes[world->nodes_count - 1]);
}

void kills_tell(const struct kills_story *story, struct kills_sweep *sweep, const char *program)
{
    struct kills *kills = world_memory(sizeof *kills);
    struct judge *judge = &kills->vouching.judge;

    *kills = (struct kills){.story = story, .sweep = sweep, .program = program};
    memset(sweep->passed, 0, sizeof sweep->passed);
    sweep->total = sweep->tried = *sweep->tried_twice = sweep->cuts = 0;
    sweep->is_counting = false;
    kills_begin(kills);
    for (size_t at = 0; at < story->steps_count && judge->failure[0] == '\0'; at++) {
        if (story->steps[at].is_secret)
            kills_check_secret(kills);
        if (story->steps[at].days > 0) {
            kills_live(kills, story->steps[at].days);
            kills_live(kills, 1); /* Where the clocks disagreed, what is due is looked at again. */
        }
        kills_step(kills, at);
    }
    if (judge->failure[0] == '\0')
        kills_rest(kills, true);
    sweep->is_counting = false;
    if (judge->failure[0] == '\0')
        kills_judge(kills);
    if (judge->failure[0] != '\0') {
        sweep->failures++;
        (void)printf("not ok %s: %s\n", story->name, judge->failure);
        kills_cut_print(kills);
    }
    (void)fflush(stdout);
    if (sweep->cuts > 0)
        _exit(sweep->failures > 0);
    vouching_end(&kills->vouching);
    for (size_t at = 0; at < KILLS_NODES_MAX; at++)
        world_home_free(kills->homes[at]);
    free(kills);
}
