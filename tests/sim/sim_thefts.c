/*
 * One member with several devices, and two peers, in worlds that are drawn: devices are added by
 * devices, cut off, switched off, put back to old copies; and some are given up or reported as
 * stolen. All that are left agree in the end: on what everybody wrote, on who is a good device, and
 * what was written and held where it was reported is not lost.
 *
 *   sim_thefts [--from N --count N] [--seed N] [--trace]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "storage/heal.h"
#include "storage/join.h"
#include "storage/standing.h"
#include "storage/view_peer.h"
#include "tests/sim/scene.h"
#include "tests/sim/seeds.h"

enum { THEFTS_DEVICES_MAX = 6, THEFTS_COUNT = 50, THEFTS_STEPS = 30, THEFTS_EDITS_MAX = 256 };

struct thefts_device {
    struct world_node *node;
    size_t host;             /* which admitted it; itself for the first */
    bool has_said;           /* that another is out, and not everybody has heard */
    bool is_out;             /* given up, or stolen */
    struct world_home *home; /* an old copy */
    size_t since;            /* canaries when it was made */
};

struct thefts_edit {
    struct scene *scene;
    size_t canary;
};

struct thefts {
    struct scene scene;
    struct thefts_device devices[THEFTS_DEVICES_MAX];
    size_t count, out;
    struct world_node *ben, *cara;
    struct thefts_edit edits[THEFTS_EDITS_MAX];
    size_t edits_count;
};

static uint64_t thefts_draw(struct thefts *thefts, uint64_t bound)
{
    return world_draw(&thefts->scene.world, bound);
}

static struct thefts_device *thefts_pick(struct thefts *thefts)
{
    return &thefts->devices[thefts_draw(thefts, thefts->count)];
}

/* Edits. */

static void thefts_on_edit(struct world_node *node, void *self, enum err err,
                           const struct op_call *call)
{
    const struct thefts_edit *edit = self;

    (void)node;
    (void)call;
    edit->scene->judge.canaries[edit->canary].is_acknowledged = err == ERR_OK;
}

/* A device that has not joined yet takes none. */
static void thefts_edit(struct thefts *thefts, struct world_node *node)
{
    struct scene *scene = &thefts->scene;
    struct thefts_edit *edit = &thefts->edits[thefts->edits_count];
    bool is_card = thefts_draw(thefts, 2) == 0;
    char text[JUDGE_CANARY_SIZE], url[JUDGE_CANARY_SIZE + 8];

    if (!node->is_up || thefts->edits_count == THEFTS_EDITS_MAX)
        return;
    thefts->edits_count++;
    edit->scene = scene;
    edit->canary = judge_canary(&scene->judge, node, is_card ? JUDGE_CARD : JUDGE_SELF, text);
    (void)snprintf(url, sizeof url, "url=%s", text);
    if (is_card)
        world_op(node, "me.edit", json_pack("{s:[s]}", "add", url), thefts_on_edit, edit);
    else
        world_op(node, "contact.add", json_pack("{s:s}", "name", text), thefts_on_edit, edit);
    scene_wait(scene, 1);
}

/* Devices. */

static enum standing thefts_stands(struct world_node *at, const struct world_node *device)
{
    struct signing_key *signing = secret_new(sizeof *signing);
    enum standing standing = STANDING_GOOD;
    struct snapshot snapshot;
    struct device_row row;
    enum err err;

    KITH_ASSERT(signing != NULL);
    identity_signing_key(device->secrets->signing_seed, signing);
    world_must(ledger_snapshot(at->ledger, &snapshot));
    err = view_device(&snapshot, &signing->public_key, &row);
    if (err == ERR_OK)
        world_must(standing_of(&snapshot, &signing->public_key, &standing));
    ledger_snapshot_end(&snapshot);
    secret_free(signing);
    return err == ERR_OK ? standing : STANDING_VOID;
}

static void thefts_join(struct thefts *thefts)
{
    size_t host = thefts_draw(thefts, thefts->count);
    struct world_node *node;

    if (thefts->count == THEFTS_DEVICES_MAX || !thefts->devices[host].node->is_up)
        return;
    node = world_join(thefts->devices[host].node);
    if (node == NULL)
        return;
    thefts->devices[thefts->count] = (struct thefts_device){.node = node, .host = host};
    thefts->count++;
    world_start(node);
    scene_wait(&thefts->scene, 1 + thefts_draw(thefts, 60));
}

static void thefts_look(struct world_node *node, void *self)
{
    struct snapshot snapshot;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(join_is_pending(&snapshot, self));
    ledger_snapshot_end(&snapshot);
}

/* It knows nobody but the device that admitted it, and nobody else knows where it is. */
static bool thefts_is_joining(struct world_node *node)
{
    bool is_joining = false;

    world_look(node, thefts_look, &is_joining);
    return is_joining;
}

static void thefts_copy(struct thefts *thefts, struct thefts_device *device)
{
    if (device->node->is_gone || thefts_is_joining(device->node))
        return;
    world_home_free(device->home);
    device->home = world_snapshot(device->node);
    device->since = judge_copied(&thefts->scene.judge, device->node);
}

static void thefts_go_back(struct thefts *thefts, struct thefts_device *device)
{
    if (device->home == NULL || device->node->is_gone || device->has_said)
        return;
    scene_restore(&thefts->scene, device->node, device->home, device->since);
    scene_wait(&thefts->scene, 1);
}

/* Shutting out. */

static bool thefts_is_below(const struct thefts *thefts, size_t device, size_t other)
{
    while (thefts->devices[device].host != device) {
        device = thefts->devices[device].host;
        if (device == other)
            return true;
    }
    return false;
}

/* What it wrote and this node does not show is lost with it. */
static void thefts_lose(struct thefts *thefts, struct world_node *node, struct world_node *sayer)
{
    struct judge *judge = &thefts->scene.judge;

    world_crash(node);
    node->is_gone = true;
    for (size_t number = 0; number < judge->canaries_count; number++)
        if (judge->canaries[number].author == node->number)
            judge->canaries[number].is_acknowledged &= judge_shows_canary(judge, sayer, number);
}

struct thefts_out {
    struct public_key device;
    enum retire_reason reason;
    enum err err;
};

static enum err thefts_write_out(void *what, struct ledger_txn *txn)
{
    struct thefts_out *out = what;

    return heal_shut_out(txn, &out->device, out->reason);
}

static void thefts_on_out(struct world_node *node, void *self, enum err err,
                          const struct op_call *call)
{
    struct thefts_out *out = self;

    (void)node;
    (void)call;
    out->err = err;
}

static void thefts_shut_out(struct thefts *thefts)
{
    struct thefts_out out = {.reason = thefts_draw(thefts, 4) == 0 ? RETIRE_OWNER : RETIRE_STOLEN,
                             .err = ERR_STATE};
    size_t at = thefts_draw(thefts, thefts->count), by = thefts_draw(thefts, thefts->count);
    struct thefts_device *device = &thefts->devices[at], *sayer = &thefts->devices[by];
    struct signing_key *signing;

    if (at == 0 || at == by || device->node->is_gone || !sayer->node->is_up || thefts->out == 2)
        return;
    world_crash(device->node);
    signing = secret_new(sizeof *signing);
    KITH_ASSERT(signing != NULL);
    identity_signing_key(device->node->secrets->signing_seed, signing);
    out.device = signing->public_key;
    secret_free(signing);
    world_write(sayer->node, thefts_write_out, &out, thefts_on_out, &out);
    scene_wait(&thefts->scene, 10);
    if (out.err != ERR_OK) /* It has no say over that one, or does not know it. */
        return;
    world_note(&thefts->scene.world, device->node, "is shut out by %s, reason %d",
               sayer->node->name, (int)out.reason);
    thefts->out++;
    device->is_out = true;
    sayer->has_said = true;
    thefts_lose(thefts, device->node, sayer->node);
    for (size_t other = 0; other < thefts->count; other++)
        if (!thefts->devices[other].node->is_gone && thefts_is_below(thefts, other, at) &&
            (thefts_is_joining(thefts->devices[other].node) ||
             (out.reason == RETIRE_STOLEN &&
              standing_is_out(thefts_stands(sayer->node, thefts->devices[other].node)))))
            thefts_lose(thefts, thefts->devices[other].node, sayer->node);
}

/* The world. */

static void thefts_part(struct thefts *thefts)
{
    struct world *world = &thefts->scene.world;

    world->islands = world_draw(world, UINT64_C(1) << world->nodes_count);
    world->islands_until_ms = UINT64_MAX;
}

struct thefts_known {
    const struct world_node *device;
    bool is_known;
};

static void thefts_look_known(struct world_node *node, void *self)
{
    struct thefts_known *known = self;

    known->is_known |= thefts_stands(node, known->device) != STANDING_VOID;
}

/* Whoever admitted it went back to before that, and nobody else had heard: to those it is a
 * stranger, who are not let in where somebody was shut out (OWN-2). It needs a new admission. */
static void thefts_drop_stranded(struct thefts *thefts)
{
    for (size_t at = 0; at < thefts->count; at++) {
        struct thefts_known known = {.device = thefts->devices[at].node};

        if (thefts->out == 0 || known.device->is_gone ||
            !thefts_is_joining(thefts->devices[at].node))
            continue;
        for (size_t by = 0; by < thefts->count; by++)
            if (by != at && !thefts->devices[by].node->is_gone)
                world_look(thefts->devices[by].node, thefts_look_known, &known);
        if (!known.is_known) {
            world_crash(thefts->devices[at].node);
            thefts->devices[at].node->is_gone = true;
        }
    }
}

static void thefts_mend(struct thefts *thefts)
{
    struct world *world = &thefts->scene.world;

    thefts_drop_stranded(thefts);
    scene_join(&thefts->scene);
    for (size_t at = 0; at < world->nodes_count; at++)
        world_start(world->nodes[at]);
    scene_settle_in_days(&thefts->scene);
    for (size_t at = 0; at < thefts->count; at++)
        thefts->devices[at].has_said = false;
}

static void thefts_step(struct thefts *thefts)
{
    struct thefts_device *device = thefts_pick(thefts);

    switch (thefts_draw(thefts, 16)) {
    case 0:
    case 1:
        thefts_join(thefts);
        break;
    case 2:
        world_crash(device->node);
        break;
    case 3:
    case 4:
        world_start(device->node);
        break;
    case 5:
        thefts_part(thefts);
        break;
    case 6:
        scene_join(&thefts->scene);
        break;
    case 7:
        thefts_copy(thefts, device);
        break;
    case 8:
        thefts_go_back(thefts, device);
        break;
    case 9:
    case 12:
        thefts_shut_out(thefts);
        break;
    case 10:
        if (thefts_draw(thefts, 2) == 0)
            thefts_mend(thefts);
        break;
    case 11:
        scene_wait(&thefts->scene, thefts_draw(thefts, 600));
        break;
    default:
        for (uint64_t edits = 1 + thefts_draw(thefts, 4); edits > 0; edits--)
            thefts_edit(thefts, device->node);
    }
}

/* Every device that is left is a good one to all, and has what those that are gone wrote. */
static void thefts_judge(struct thefts *thefts)
{
    struct judge *judge = &thefts->scene.judge;
    struct world *world = &thefts->scene.world;

    for (size_t at = 0; at < thefts->count; at++)
        for (size_t by = 0; by < world->nodes_count; by++)
            if (thefts->devices[at].node->is_up && world->nodes[by]->is_up &&
                thefts_stands(world->nodes[by], thefts->devices[at].node) != STANDING_GOOD)
                judge_fail(judge, "%s is no good device to %s", thefts->devices[at].node->name,
                           world->nodes[by]->name);
    for (size_t number = 0; number < judge->canaries_count; number++)
        for (size_t at = 0; at < thefts->count; at++)
            if (judge->canaries[number].is_acknowledged && thefts->devices[at].node->is_up &&
                world->nodes[judge->canaries[number].author]->is_gone &&
                !judge_shows_canary(judge, thefts->devices[at].node, number))
                judge_fail(judge, "%s has lost canary %zu of a device that is gone",
                           thefts->devices[at].node->name, number);
}

static void thefts_live(void *self, struct seeds_one *one)
{
    struct thefts *thefts = world_memory(sizeof *thefts);
    uint64_t *out = self;

    scene_begin(&thefts->scene, one->seed, one->is_talkative);
    thefts->devices[thefts->count++].node = scene_member(&thefts->scene, "ana");
    thefts->ben = scene_member(&thefts->scene, "ben");
    thefts->cara = scene_member(&thefts->scene, "cara");
    scene_link(&thefts->scene, thefts->devices[0].node, thefts->ben);
    scene_link(&thefts->scene, thefts->devices[0].node, thefts->cara);
    while (thefts->count < 3)
        thefts_join(thefts);
    for (size_t step = 0; step < THEFTS_STEPS && thefts->scene.judge.failure[0] == '\0'; step++)
        thefts_step(thefts);
    thefts_mend(thefts);
    if (thefts->scene.judge.failure[0] == '\0')
        thefts_judge(thefts);
    for (size_t at = 0; at < thefts->count; at++)
        world_home_free(thefts->devices[at].home);
    if (thefts->scene.judge.failure[0] == '\0')
        judge_all(&thefts->scene.judge);
    *out += thefts->out;
    memcpy(one->failure, thefts->scene.judge.failure, sizeof one->failure);
    world_end(&thefts->scene.world);
    judge_end(&thefts->scene.judge);
    free(thefts);
}

static bool thefts_end(void *self, uint64_t count)
{
    const uint64_t *out = self;

    (void)printf("%llu devices shut out in %llu worlds\n", (unsigned long long)*out,
                 (unsigned long long)count);
    return count < THEFTS_COUNT || *out > 0;
}

int main(int argc, char **argv)
{
    uint64_t out = 0;
    const struct seeds seeds = {.what = "thefts",
                                .count = THEFTS_COUNT,
                                .every = 25,
                                .live = thefts_live,
                                .end = thefts_end,
                                .self = &out};

    return seeds_main(&seeds, argc, argv);
}
