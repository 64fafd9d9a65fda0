/*
 * Members with several devices each, which do whatever people do with kith, any of it on any
 * device, in worlds that are drawn; machines are cut off, switched off and put back to old copies.
 * In the end all devices of a member agree on everything, and peers on what they told one another.
 *
 *   sim_acts [--from N --count N] [--seed N] [--trace]
 *   sim_acts --thefts       a device is given up or stolen, too
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "storage/heal.h"
#include "tests/sim/scene.h"
#include "tests/sim/seeds.h"

enum {
    ACTS_MEMBERS = 3,
    ACTS_DEVICES_MAX = 6,
    ACTS_COUNT = 30,
    ACTS_STEPS = 60,
    ACTS_CONTACTS = 3,
    ACTS_PARAMS = 300
};

/* In params stands $c for a contact, $p for a peer, $t for some words, $i for the id of a thing
 * that the op list tells; ' for ". */
struct acts_act {
    const char *method, *params, *list, *list_params;
};

static const struct acts_act acts_all[] = {
    {.method = "me.edit", .params = "{'org':'$t'}"},
    {.method = "me.edit", .params = "{'add':['url=$t']}"},
    {.method = "contact.add", .params = "{'name':'$c','note':'$t'}"},
    {.method = "contact.edit", .params = "{'who':'$c','set':['note=$t']}"},
    {.method = "contact.edit", .params = "{'who':'$c','set':['org=$t']}"},
    {.method = "contact.edit", .params = "{'who':'$c','add':['tag=$t']}"},
    {.method = "contact.remove", .params = "{'who':'$c'}"},
    {.method = "contact.remove", .params = "{'who':'$c','forget':true}"},
    {.method = "contact.merge", .params = "{'who':'$c','other':'$c'}"},
    {.method = "contact.merge", .params = "{'who':'$c','other':'$c'}"},
    {.method = "contact.split", .params = "{'who':'$c'}"},
    {.method = "contact.log", .params = "{'who':'$c','text':'$t'}"},
    {.method = "contact.log", .params = "{'who':'$p','text':'$t'}"},
    {.method = "contact.closeness", .params = "{'who':'$p','level':'good'}"},
    {.method = "contact.closeness", .params = "{'who':'$c','level':'muted'}"},
    {.method = "circle.create", .params = "{'name':'$t'}"},
    {.method = "circle.add", .params = "{'name':'sailors','who':['$c']}"},
    {.method = "circle.remove", .params = "{'name':'sailors','who':['$c']}"},
    {.method = "remind", .params = "{'who':'$c','every':'3m'}"},
    {.method = "reminder.remove", .params = "{'id':'$i'}", .list = "reminder.list"},
    {.method = "reminder.done", .params = "{'id':'$i'}", .list = "reminder.list"},
    {.method = "endorse",
     .params =
         "{'who':'$p','about':['boats'],'words':'They sailed with us: $t','relation':'client',"
         "'ceiling':'network'}"},
    {.method = "endorsement.accept",
     .params = "{'id':'$i','to':'peers'}",
     .list = "endorsement.list",
     .list_params = "{'received':true}"},
    {.method = "endorsement.publish",
     .params = "{'id':'$i','to':'network'}",
     .list = "endorsement.list",
     .list_params = "{'received':true}"},
    {.method = "endorsement.hide",
     .params = "{'id':'$i'}",
     .list = "endorsement.list",
     .list_params = "{'received':true}"},
    {.method = "endorsement.revoke",
     .params = "{'id':'$i'}",
     .list = "endorsement.list",
     .list_params = "{'given':true}"},
    {.method = "endorsement.want", .params = "{'who':'$p','about':['boats'],'words':'$t'}"},
    {.method = "network.quote", .params = "{'who':'$p'}"},
    {.method = "network.unquote", .params = "{'who':'$p'}"},
    {.method = "contact.share", .params = "{'who':'$c','with':['$p'],'agreed':true}"},
    {.method = "share.withdraw", .params = "{'who':'$c'}"},
    {.method = "share.keep", .params = "{'id':'$i'}", .list = "share.list"},
    {.method = "ask.post", .params = "{'title':'A shed','text':'$t','hops':'2'}"},
    {.method = "ask.close", .params = "{'id':'$i','reason':'found'}", .list = "ask.list"},
    {.method = "ask.pass", .params = "{'id':'$i','to':['$p']}", .list = "ask.list"},
    {.method = "ask.reply", .params = "{'id':'$i','text':'$t'}", .list = "ask.list"},
    {.method = "introduce", .params = "{'a':'$p','b':'$p','why':'$t'}"},
    {.method = "peer.rename", .params = "{'who':'$p','alias':'$p'}"},
    {.method = "undo", .params = "{}"},
};
enum { ACTS_ALL = sizeof acts_all / sizeof acts_all[0] };

struct acts_census {
    uint64_t done[ACTS_ALL], restores, out;
    bool has_thefts;
};

struct acts_one {
    struct acts_census *census;
    size_t act;
};

struct acts {
    struct scene scene;
    struct world_node *devices[ACTS_DEVICES_MAX];
    struct world_home *homes[ACTS_DEVICES_MAX]; /* old copies */
    struct acts_one ones[ACTS_ALL];
    struct acts_census *census;
    bool has_said[ACTS_DEVICES_MAX]; /* that another is out, and not everybody has heard */
    size_t out;
};

/* One thing that somebody does. */

static void acts_on_done(struct world_node *node, void *self, enum err err,
                         const struct op_call *call)
{
    const struct acts_one *one = self;

    (void)node;
    (void)call;
    one->census->done[one->act] += err == ERR_OK;
}

static json_t *acts_read_params(const char *text)
{
    char quoted[ACTS_PARAMS];
    json_t *params;

    (void)snprintf(quoted, sizeof quoted, "%s", text);
    for (size_t at = 0; quoted[at] != '\0'; at++)
        if (quoted[at] == '\'')
            quoted[at] = '"';
    params = json_loads(quoted, 0, NULL);
    KITH_ASSERT(params != NULL);
    return params;
}

/* The id of one of the things in the first list of an answer; false: there is none. */
static bool acts_pick(struct world_node *node, const struct acts_act *act, char out[static 100])
{
    json_t *answer =
        node->is_up
            ? world_read(node, act->list,
                         acts_read_params(act->list_params != NULL ? act->list_params : "{}"))
            : NULL;
    const char *id = NULL, *key;
    json_t *value, *list = NULL;

    json_object_foreach(answer, key, value)
    {
        if (list == NULL && json_array_size(value) > 0)
            list = value;
    }
    if (list != NULL)
        id = json_string_value(json_object_get(
            json_array_get(list, world_draw(node->world, json_array_size(list))), "id"));
    (void)snprintf(out, 100, "%s", id != NULL ? id : "");
    json_decref(answer);
    return id != NULL;
}

/* What one mark of the params stands for. */
static void acts_put(struct world_node *node, char mark, const char *id, char out[static 100])
{
    static const char *const names[] = {"ana", "ben", "cara"};
    size_t other = (node->person + 1 + world_draw(node->world, 2)) % 3;

    if (mark == 'c')
        (void)snprintf(out, 100, "person %d", (int)world_draw(node->world, ACTS_CONTACTS));
    else if (mark == 'p')
        (void)snprintf(out, 100, "%s", names[other]);
    else if (mark == 't')
        (void)snprintf(out, 100, "words %d", (int)world_draw(node->world, 1000));
    else
        (void)snprintf(out, 100, "%s", id);
}

static void acts_do(struct acts *acts, struct world_node *node)
{
    size_t number = world_draw(node->world, ACTS_ALL), size = 0;
    const struct acts_act *act = &acts_all[number];
    char params[ACTS_PARAMS], id[100] = "", part[100];

    if (act->list != NULL && !acts_pick(node, act, id))
        return;
    for (const char *at = act->params; *at != '\0' && size + 100 < sizeof params; at++) {
        if (*at != '$') {
            params[size++] = *at;
            continue;
        }
        acts_put(node, *++at, id, part);
        size += (size_t)snprintf(params + size, sizeof params - size, "%s", part);
    }
    params[size] = '\0';
    world_op(node, act->method, acts_read_params(params), acts_on_done, &acts->ones[number]);
}

/* Shutting out. */

struct acts_out {
    struct public_key device;
    enum retire_reason reason;
    bool is_done;
};

static enum err acts_write_out(void *what, struct ledger_txn *txn)
{
    struct acts_out *out = what;

    return heal_shut_out(txn, &out->device, out->reason);
}

static void acts_on_out(struct world_node *node, void *self, enum err err,
                        const struct op_call *call)
{
    struct acts_out *out = self;

    (void)node;
    (void)call;
    out->is_done = err == ERR_OK;
}

/* A member's first device says so of a further one. */
static void acts_shut_out(struct acts *acts)
{
    struct world *world = &acts->scene.world;
    size_t at = ACTS_MEMBERS + world_draw(world, ACTS_DEVICES_MAX - ACTS_MEMBERS);
    size_t by = acts->devices[at]->person;
    struct acts_out out = {.reason = world_once_in(world, 3) ? RETIRE_OWNER : RETIRE_STOLEN};
    struct signing_key *signing;

    if (acts->out > 0 || !acts->devices[by]->is_up)
        return;
    world_crash(acts->devices[at]);
    signing = secret_new(sizeof *signing);
    KITH_ASSERT(signing != NULL);
    identity_signing_key(acts->devices[at]->secrets->signing_seed, signing);
    out.device = signing->public_key;
    secret_free(signing);
    world_write(acts->devices[by], acts_write_out, &out, acts_on_out, &out);
    scene_wait(&acts->scene, 10);
    if (!out.is_done) /* It does not know that one, since it went back. */
        return;
    world_note(world, acts->devices[at], "is shut out, reason %d", (int)out.reason);
    acts->devices[at]->is_gone = true;
    acts->has_said[by] = true;
    acts->out++;
    acts->census->out++;
}

/* The world. */

static void acts_mend(struct acts *acts)
{
    scene_join(&acts->scene);
    for (size_t at = 0; at < ACTS_DEVICES_MAX; at++)
        world_start(acts->devices[at]);
    if (acts->census->has_thefts)
        scene_settle_in_days(&acts->scene);
    else
        scene_settle(&acts->scene);
    memset(acts->has_said, 0, sizeof acts->has_said);
}

static void acts_go_back(struct acts *acts, size_t at)
{
    if (acts->devices[at]->is_gone || acts->has_said[at])
        return;
    if (acts->homes[at] == NULL) {
        acts->homes[at] = world_snapshot(acts->devices[at]);
        return;
    }
    scene_restore(&acts->scene, acts->devices[at], acts->homes[at], 0);
    acts->census->restores++;
    if (world_once_in(&acts->scene.world, 2)) {
        world_home_free(acts->homes[at]);
        acts->homes[at] = NULL;
    }
}

static void acts_step(struct acts *acts)
{
    struct world *world = &acts->scene.world;
    size_t at = world_draw(world, ACTS_DEVICES_MAX);
    uint64_t what = world_draw(world, 16);

    switch (what == 7 && !acts->census->has_thefts ? 15 : what) {
    case 0:
        world_crash(acts->devices[at]);
        break;
    case 1:
        world_start(acts->devices[at]);
        break;
    case 2:
        world->islands = world_draw(world, UINT64_C(1) << world->nodes_count);
        world->islands_until_ms = UINT64_MAX;
        break;
    case 3:
        scene_join(&acts->scene);
        break;
    case 4:
    case 6:
        acts_go_back(acts, at);
        break;
    case 5:
        if (world_once_in(world, 3))
            acts_mend(acts);
        break;
    case 7:
        if (world_once_in(world, 3))
            acts_shut_out(acts);
        break;
    default:
        for (uint64_t deeds = 1 + world_draw(world, 4); deeds > 0; deeds--)
            acts_do(acts, acts->devices[at]);
    }
    scene_wait(&acts->scene, world_draw(world, 20));
}

static void acts_begin(struct acts *acts)
{
    struct scene *scene = &acts->scene;

    acts->devices[0] = scene_member(scene, "ana");
    acts->devices[1] = scene_member(scene, "ben");
    acts->devices[2] = scene_member(scene, "cara");
    scene_link(scene, acts->devices[0], acts->devices[1]);
    scene_link(scene, acts->devices[0], acts->devices[2]);
    scene_link(scene, acts->devices[1], acts->devices[2]);
    for (size_t at = 0; at < 3 * ACTS_CONTACTS; at++) {
        char name[20];

        (void)snprintf(name, sizeof name, "person %d", (int)(at / 3));
        scene_ask(scene, acts->devices[at % 3], "contact.add", json_pack("{s:s}", "name", name));
    }
    for (size_t at = 0; at < 3; at++)
        scene_ask(scene, acts->devices[at], "circle.create", json_pack("{s:s}", "name", "sailors"));
    for (size_t at = ACTS_MEMBERS; at < ACTS_DEVICES_MAX; at++) {
        acts->devices[at] = world_join(acts->devices[at == 4 ? 1 : 0]);
        world_start(acts->devices[at]);
        scene_settle(scene);
    }
}

static void acts_live(void *self, struct seeds_one *one)
{
    struct acts *acts = world_memory(sizeof *acts);

    acts->census = self;
    for (size_t at = 0; at < ACTS_ALL; at++)
        acts->ones[at] = (struct acts_one){.census = self, .act = at};
    scene_begin(&acts->scene, one->seed, one->is_talkative);
    acts_begin(acts);
    for (size_t step = 0; step < ACTS_STEPS && acts->scene.judge.failure[0] == '\0'; step++)
        acts_step(acts);
    acts_mend(acts);
    if (acts->scene.judge.failure[0] == '\0')
        judge_all(&acts->scene.judge);
    for (size_t at = 0; at < ACTS_DEVICES_MAX; at++)
        world_home_free(acts->homes[at]);
    memcpy(one->failure, acts->scene.judge.failure, sizeof one->failure);
    world_end(&acts->scene.world);
    judge_end(&acts->scene.judge);
    free(acts);
}

static bool acts_end(void *self, uint64_t count)
{
    const struct acts_census *census = self;
    bool is_whole = true;

    for (size_t at = 0; at < ACTS_ALL; at++) {
        is_whole &= count < ACTS_COUNT || census->done[at] > 0;
        (void)printf("%6llu %s %s\n", (unsigned long long)census->done[at], acts_all[at].method,
                     acts_all[at].params);
    }
    (void)printf("%llu old copies put back, %llu devices shut out in %llu worlds\n",
                 (unsigned long long)census->restores, (unsigned long long)census->out,
                 (unsigned long long)count);
    return is_whole;
}

int main(int argc, char **argv)
{
    static struct acts_census census;
    const struct seeds seeds = {.what = "worlds of acts",
                                .count = ACTS_COUNT,
                                .every = 10,
                                .flags = {{"--thefts", &census.has_thefts}},
                                .live = acts_live,
                                .end = acts_end,
                                .self = &census};

    return seeds_main(&seeds, argc, argv);
}
