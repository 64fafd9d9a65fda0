/* Read introducing_run first. Whoever asks for an op that fails asks again later. */
#include "tests/sim/introducing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/introducing_judge.h"
#include "tests/sim/net.h"

enum {
    INTRODUCING_BAD_MS = 400 * 1000,
    INTRODUCING_HEAL_MS = 60 * 60 * 1000,
    INTRODUCING_LOOK_MS = 5000,
    INTRODUCING_AGAIN_MS = 5000,
    INTRODUCING_QUIET_LOOKS = 2,
    INTRODUCING_CALL_LOOKS = 12,
    INTRODUCING_COPY_PART = 4, /* and one step in so many is about one */
    INTRODUCING_CLONES_MAX = 3,
    INTRODUCING_DAY_MS = 24 * 3600 * 1000
};

static const char *const introducing_names[INTRODUCING_PERSONS] = {"iris", "anabel", "brunold"};

/* Who. */

/* The k-th machine of a person; NULL: there are fewer. */
static struct world_node *introducing_machine(struct introducing *introducing, size_t person,
                                              size_t at)
{
    for (size_t number = 0; number < introducing->world.nodes_count; number++) {
        struct world_node *node = introducing->world.nodes[number];

        if (node->person == person && at-- == 0)
            return node;
    }
    return NULL;
}

static struct world_node *introducing_draw(struct introducing *introducing)
{
    struct world *world = &introducing->world;

    return world->nodes[world_draw(world, world->nodes_count)];
}

/* What machines know. */

static void introducing_read(struct world_node *node, struct introducing_seen *out)
{
    json_t *list = world_read(node, "intro.list", json_object()), *row;
    size_t at;

    out->count = 0;
    json_array_foreach(json_object_get(list, "introductions"), at, row)
    {
        const char *state = json_string_value(json_object_get(row, "state"));
        const char *id = json_string_value(json_object_get(row, "id"));

        if (out->count == INTRODUCING_CASES_MAX)
            break;
        (void)snprintf(out->rows[out->count].state, sizeof out->rows[0].state, "%s", state);
        (void)snprintf(out->rows[out->count].id, sizeof out->rows[0].id, "%s", id);
        out->rows[out->count++].is_asked_again = json_is_true(json_object_get(row, "asked_again"));
    }
    json_decref(list);
}

/* A store that has not changed is not asked again, unless its clock was set. */
static const struct introducing_seen *introducing_look(struct introducing *introducing,
                                                       struct world_node *node)
{
    struct introducing_seen *seen = &introducing->seen[node->number];
    uint64_t commits = kv_mem_commits_count(node->mem);

    if (seen->commits == commits && seen->life == node->life)
        return seen;
    introducing_read(node, seen);
    seen->commits = commits;
    seen->life = node->life;
    return seen;
}

/* Deeds. */

static void introducing_on_told(struct world_node *node, void *self, enum err err,
                                const struct op_call *call)
{
    struct introducing_deed *deed = self;

    (void)node;
    if (err != ERR_OK)
        return;
    deed->is_told = true;
    deed->number = deed->introducing->copies.deeds++; /* A copy made by now may lack it. */
    if (deed->type == INTRODUCTION_OFFER)
        (void)snprintf(deed->id, sizeof deed->id, "%s",
                       json_string_value(json_object_get(call->result, "id")));
}

static void introducing_do(struct introducing *introducing, struct world_node *node,
                           enum introduction_type type, const char *id, const char *method,
                           json_t *params)
{
    struct introducing_deed *deed = &introducing->deeds[introducing->deeds_count];

    if (introducing->deeds_count == INTRODUCING_DEEDS_MAX) {
        json_decref(params);
        return;
    }
    introducing->deeds_count++;
    *deed = (struct introducing_deed){
        .introducing = introducing, .type = type, .person = node->person, .node = node};
    (void)snprintf(deed->id, sizeof deed->id, "%s", id);
    world_op(node, method, params, introducing_on_told, deed);
}

static bool introducing_was_asked(const struct introducing *introducing, size_t person,
                                  const char *id)
{
    for (size_t at = 0; at < introducing->deeds_count; at++)
        if (introducing->deeds[at].type == INTRODUCTION_YES &&
            introducing->deeds[at].person == person && strcmp(introducing->deeds[at].id, id) == 0)
            return true;
    return false;
}

bool introducing_was_agreed(const struct introducing *introducing, const char *id)
{
    return introducing_was_asked(introducing, ANA, id) &&
           introducing_was_asked(introducing, BRUNO, id);
}

/* What people do. */

static void introducing_answer(struct introducing *introducing, struct world_node *node)
{
    const struct introducing_seen *seen = introducing_look(introducing, node);
    struct world *world = &introducing->world;

    for (size_t at = 0; at < seen->count; at++) {
        bool declines = introducing->kind == INTRODUCING_DECLINE && node->person == BRUNO;
        const char *id = seen->rows[at].id;

        if (introducing->kind == INTRODUCING_MINDS)
            declines = world_once_in(world, 3);
        if (strcmp(seen->rows[at].state, "offered") != 0)
            continue;
        if (declines)
            introducing_do(introducing, node, INTRODUCTION_NO, id, "intro.decline",
                           json_pack("{s:s}", "id", id));
        else
            introducing_do(introducing, node, INTRODUCTION_YES, id, "intro.accept",
                           json_pack("{s:s}", "id", id));
    }
}

static void introducing_introduce(struct introducing *introducing)
{
    size_t at = world_draw(&introducing->world, 4);
    struct world_node *iris = introducing_machine(introducing, IRIS, at);

    if (iris == NULL)
        return;
    if (introducing_look(introducing, iris)->count > 0) {
        introducing->is_introduced = true;
        return;
    }
    introducing_do(introducing, iris, INTRODUCTION_OFFER, "", "introduce",
                   json_pack("{s:s, s:s, s:s, s:s, s:b}", "a", introducing_names[ANA], "b",
                             introducing_names[BRUNO], "why", "Boats.", "first", introducing->first,
                             "blind", introducing->is_blind));
}

static void introducing_power(struct introducing *introducing)
{
    struct world *world = &introducing->world;
    struct world_node *node = introducing_draw(introducing);

    if (!node->is_up)
        world_start(node);
    else if (world_once_in(world, 3))
        world_crash(node);
    else if (world_once_in(world, 3))
        world_stop(node);
    else
        world_doom(node);
}

static void introducing_on_done(struct world_node *node, void *self, enum err err,
                                const struct op_call *call)
{
    (void)node;
    (void)call;
    if (err == ERR_OK)
        *(bool *)self = true;
}

/* Each machine of whoever wants it is asked for as long as it holds the link: one that went back
 * may hold it again. */
static void introducing_part(struct introducing *introducing)
{
    struct world *world = &introducing->world;
    size_t by = introducing->is_by_iris ? IRIS : introducing->parting;
    struct world_node *other =
        introducing->nodes[introducing->is_by_iris ? introducing->parting : IRIS];
    bool is_parted = true;

    for (size_t at = 0; at < world->nodes_count; at++) {
        struct world_node *node = world->nodes[at];

        /* Done, too, where the power was gone before anybody was told. */
        if (node->person != by || (node->is_up && !judge_is_linked(node, other)))
            continue;
        is_parted = false;
        world_op(node, introducing->is_blocking ? "peer.block" : "peer.remove",
                 json_pack("{s:s}", "who", other->name), NULL, NULL);
    }
    introducing->is_parted = is_parted;
}

static void introducing_step(struct world *world, struct world_node *nobody, void *data)
{
    struct introducing *introducing = data;
    bool is_linked = introducing->is_introduced || introducing->is_ready;

    (void)nobody;
    if (!is_linked) {
        is_linked = linking_urge(&introducing->links[0]);
        is_linked = linking_urge(&introducing->links[1]) && is_linked;
        introducing->is_ready = is_linked;
    }
    if (is_linked)
        introducing_introduce(introducing);
    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->person != IRIS)
            introducing_answer(introducing, world->nodes[at]);
    if (introducing->kind == INTRODUCING_PART && introducing->is_introduced &&
        (introducing->is_parted || world_once_in(world, 6)))
        introducing_part(introducing);
    introducing_judge_watch(introducing);
    if (!introducing->is_over && introducing->is_ready &&
        world_once_in(world, INTRODUCING_COPY_PART))
        copies_act(&introducing->copies, introducing_draw(introducing));
    if (!introducing->is_over && world_once_in(world, 3))
        introducing_power(introducing);
    world_after(world, INTRODUCING_AGAIN_MS + world_draw(world, 2500), NULL, introducing_step,
                introducing);
}

/* Beginning. */

static void introducing_name(struct introducing *introducing, struct world_node *node)
{
    char text[JUDGE_CANARY_SIZE];
    size_t canary = judge_canary(&introducing->judge, node, JUDGE_CARD, text);

    world_op(node, "me.edit", json_pack("{s:[s]}", "url", text), NULL, NULL);
    introducing->judge.canaries[canary].is_acknowledged =
        true; /* No node runs: it is done at once. */
}

static void introducing_begin(struct introducing *introducing)
{
    static const char *const firsts[] = {"A", "B", "both"};
    struct world *world = &introducing->world;

    introducing->kind = (enum introducing_kind)world_draw(world, INTRODUCING_KINDS);
    introducing->first = firsts[world_draw(world, 3)];
    introducing->is_blind = world_once_in(world, 2);
    introducing->is_by_iris = world_once_in(world, 2);
    introducing->is_blocking = world_once_in(world, 2);
    for (size_t at = 0; at < INTRODUCING_PERSONS; at++)
        introducing->nodes[at] = world_init(world, introducing_names[at]);
    introducing->parting = ANA + world_draw(world, 2);
    for (size_t at = 0; at < INTRODUCING_PERSONS; at++) {
        introducing->nodes[at]->wall_offset_ms =
            (int64_t)world_draw(world, 6 * (uint64_t)INTRODUCING_DAY_MS) -
            INT64_C(3) * INTRODUCING_DAY_MS;
        introducing_name(introducing, introducing->nodes[at]);
        world_start(introducing->nodes[at]);
    }
    for (size_t at = ANA; at <= BRUNO; at++) {
        introducing->links[at - ANA].inviter = introducing->nodes[IRIS];
        introducing->links[at - ANA].acceptor = introducing->nodes[at];
        judge_met(&introducing->judge, IRIS, at);
        judge_met(&introducing->judge, at, IRIS);
    }
}

/* Mending. */

static enum err introducing_write_nothing(void *what, struct ledger_txn *txn)
{
    (void)what;
    (void)txn;
    return ERR_OK;
}

/* Looks at what is due by the clock, as a node does from time to time, and calls everybody. */
static void introducing_call(struct introducing *introducing, struct world_node *node)
{
    world_write(node, introducing_write_nothing, NULL, introducing_on_done,
                &introducing->has_looked);
    world_op(node, "sync", json_object(), NULL, NULL);
}

/* No faults any more. Clocks are set, and by then the days have passed that the fastest was ahead.
 */
static void introducing_mend(struct introducing *introducing)
{
    struct world *world = &introducing->world;
    int64_t ahead = 0;

    introducing->is_over = true;
    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->wall_offset_ms > ahead)
            ahead = world->nodes[at]->wall_offset_ms;
    for (size_t at = 0; at < world->nodes_count; at++) {
        world->nodes[at]->wall_offset_ms = ahead;
        world->nodes[at]->doom = WORLD_SAFE;
        introducing->seen[at].commits = 0; /* An offer may be due by the clock alone. */
    }
    world->has_faults = false;
    world->islands_until_ms = 0;
}

/* Being in step is not enough: the judge must be content. Copies of one
 * machine that have written nothing since take turns at being called, and never come to rest. */
static bool introducing_is_content(struct introducing *introducing)
{
    struct judge kept = introducing->judge;
    bool is_content;

    introducing_judge(introducing);
    if (introducing->judge.failure[0] == '\0')
        judge_all(&introducing->judge);
    (void)snprintf(introducing->complaint, sizeof introducing->complaint, "%s",
                   introducing->judge.failure);
    is_content = introducing->judge.failure[0] == '\0';
    memcpy(introducing->judge.failure, kept.failure, sizeof kept.failure);
    return is_content;
}

/* Starts who is off and calls; true when all is as it must be. */
static bool introducing_look_on(struct introducing *introducing, unsigned look)
{
    struct world *world = &introducing->world;
    bool is_new_day = look % INTRODUCING_CALL_LOOKS == 0;
    bool is_rested = copies_rest(&introducing->copies, look, &is_new_day);
    for (size_t at = 0; at < world->nodes_count; at++)
        if (is_new_day && world->nodes[at]->is_up)
            introducing_call(introducing, world->nodes[at]);
    world_run_until(world, world->now_ms + INTRODUCING_LOOK_MS);
    return is_rested && introducing_is_content(introducing);
}

static void introducing_heal(struct introducing *introducing)
{
    static const char *const kinds[] = {"both agree", "Bruno declines", "one and Iris part",
                                        "each machine as it likes"};
    struct world *world = &introducing->world;
    uint64_t until = world->now_ms + INTRODUCING_HEAL_MS;
    uint64_t day = world->now_ms + INTRODUCING_HEAL_MS / 2;
    unsigned quiet = 0;

    introducing_mend(introducing);
    for (unsigned look = 0; world->now_ms < until && quiet < INTRODUCING_QUIET_LOOKS; look++) {
        quiet = introducing_look_on(introducing, look) ? quiet + 1 : 0;
        /* A peer's new device is let read a day later (EPOCH-8). */
        if (quiet == 0 && world->now_ms >= day) {
            world_live(world, INTRODUCING_DAY_MS + INTRODUCING_DAY_MS / 24);
            day = until;
        }
    }
    if (quiet == 0)
        judge_fail(&introducing->judge, "%s, %s first: %s", kinds[introducing->kind],
                   introducing->first, introducing->complaint);
}

void introducing_run(struct introducing *introducing, uint64_t seed, bool is_talkative)
{
    struct world *world = &introducing->world;

    world_begin(world, seed);
    world->is_talkative = is_talkative;
    judge_begin(&introducing->judge, world);
    introducing->copies = (struct copies){.judge = &introducing->judge,
                                          .clones_left = INTRODUCING_CLONES_MAX,
                                          .went_back = introducing_judge_went_back,
                                          .self = introducing};
    introducing_begin(introducing);
    world->has_faults = true;
    world_after(world, 0, NULL, introducing_step, introducing);
    world_run_until(world, world->now_ms + INTRODUCING_BAD_MS);
    introducing_heal(introducing);
    introducing_judge(introducing);
    judge_all(&introducing->judge);
}

void introducing_end(struct introducing *introducing)
{
    world_end(&introducing->world);
    copies_end(&introducing->copies);
    judge_end(&introducing->judge);
}
