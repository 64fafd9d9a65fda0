/*
 * One member with three devices, which write a few contacts by the hundred, delete, forget, merge
 * and take back, in worlds that are drawn: a history does not reach back to the beginning, and a
 * delete names not all. Machines are cut off, switched off and put back to old copies; in the end
 * all devices show the same.
 *
 *   sim_worn [--from N --count N] [--seed N] [--trace]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/amend.h"
#include "proto/contact.h"
#include "proto/limits.h"
#include "storage/ledger_state.h"
#include "tests/sim/scene.h"
#include "tests/sim/seeds.h"

enum { WORN_CONTACTS = 2, WORN_FEW = 3, WORN_DEVICES = 3, WORN_COUNT = 40, WORN_STEPS = 40 };

struct worn {
    struct id contact;
    uint64_t edits, seed;
};

static enum err worn_write(void *what, struct ledger_txn *txn)
{
    const struct worn *worn = what;
    enum err err = ERR_OK;

    for (uint64_t at = 0; err == ERR_OK && at < worn->edits; at++) {
        struct amend amend;
        char text[40];

        (void)snprintf(text, sizeof text, "%llx %llu", (unsigned long long)worn->seed,
                       (unsigned long long)at);
        amend_begin(&amend, txn, ledger_self_space(txn->ledger), KIND_CONTACT, &worn->contact);
        if (at == 0)
            amend_text(&amend, CONTACT_NAME, span_str(text));
        amend_text(&amend, CONTACT_NOTE, span_str(text));
        if (at % 64 == 1)
            amend_add(&amend, CONTACT_TAGS, span_str(text));
        if (at % 64 == 2)
            amend_remove_all(&amend, CONTACT_TAGS);
        err = amend_end(&amend, NULL);
    }
    return err;
}

static void worn_on_written(struct world_node *node, void *self, enum err err,
                            const struct op_call *call)
{
    (void)node;
    (void)err;
    (void)call;
    free(self);
}

static void worn_edit(struct world_node *node, const struct id *contact, uint64_t edits)
{
    struct worn *worn;

    if (!node->is_up)
        return;
    worn = world_memory(sizeof *worn);
    *worn = (struct worn){
        .contact = *contact, .edits = edits, .seed = world_draw(node->world, UINT32_MAX)};
    world_write(node, worn_write, worn, worn_on_written, worn);
}

static void worn_act(struct world_node *node)
{
    struct id contact = {{0xd0}};
    char who[33], other[33];

    contact.bytes[1] = (uint8_t)world_draw(node->world, WORN_CONTACTS);
    (void)snprintf(who, sizeof who, "d0%02x%028x", contact.bytes[1], 0);
    (void)snprintf(other, sizeof other, "d0%02x%028x", 1 - contact.bytes[1], 0);
    switch (world_draw(node->world, 12)) {
    case 0:
    case 1:
    case 2:
        world_op(node, "contact.remove", json_pack("{s:s}", "who", who), NULL, NULL);
        break;
    case 3:
        world_op(node, "undo", json_object(), NULL, NULL);
        break;
    case 4:
        if (world_once_in(node->world, 4))
            world_op(node, "contact.remove", json_pack("{s:s, s:b}", "who", who, "forget", 1), NULL,
                     NULL);
        else
            world_op(node, "contact.merge", json_pack("{s:s, s:s}", "who", who, "other", other),
                     NULL, NULL);
        break;
    case 5:
    case 6:
        worn_edit(node, &contact, 1 + world_draw(node->world, 2 * OBJECT_EDITS_MAX));
        break;
    default:
        worn_edit(node, &contact, 1 + world_draw(node->world, WORN_FEW));
        break;
    }
}

/* The world. */

struct worn_world {
    struct scene scene;
    struct world_node *devices[WORN_DEVICES];
    struct world_home *homes[WORN_DEVICES]; /* old copies */
    uint64_t restores;
};

static void worn_mend(struct worn_world *worn)
{
    scene_join(&worn->scene);
    for (size_t at = 0; at < WORN_DEVICES; at++)
        world_start(worn->devices[at]);
    scene_settle(&worn->scene);
}

static void worn_go_back(struct worn_world *worn, size_t at)
{
    if (worn->homes[at] == NULL) {
        worn->homes[at] = world_snapshot(worn->devices[at]);
        return;
    }
    scene_restore(&worn->scene, worn->devices[at], worn->homes[at], 0);
    worn->restores++;
    if (world_once_in(&worn->scene.world, 2)) {
        world_home_free(worn->homes[at]);
        worn->homes[at] = NULL;
    }
}

static void worn_step(struct worn_world *worn)
{
    struct world *world = &worn->scene.world;
    size_t at = world_draw(world, WORN_DEVICES);

    switch (world_draw(world, 12)) {
    case 0:
        world_crash(worn->devices[at]);
        break;
    case 1:
    case 2:
        world_start(worn->devices[at]);
        break;
    case 3:
        world->islands = world_draw(world, UINT64_C(1) << world->nodes_count);
        world->islands_until_ms = UINT64_MAX;
        break;
    case 4:
        scene_join(&worn->scene);
        break;
    case 5:
    case 6:
        worn_go_back(worn, at);
        break;
    case 7:
        if (world_once_in(world, 3))
            worn_mend(worn);
        break;
    default:
        worn_act(worn->devices[at]);
    }
    scene_wait(&worn->scene, world_draw(world, 20));
}

static void worn_live(void *self, struct seeds_one *one)
{
    struct worn_world *worn = world_memory(sizeof *worn);
    uint64_t *restores = self;

    scene_begin(&worn->scene, one->seed, one->is_talkative);
    worn->devices[0] = scene_member(&worn->scene, "ana");
    for (size_t at = 1; at < WORN_DEVICES; at++) {
        worn->devices[at] = world_join(worn->devices[at - 1]);
        world_start(worn->devices[at]);
        scene_settle(&worn->scene);
    }
    for (size_t step = 0; step < WORN_STEPS && worn->scene.judge.failure[0] == '\0'; step++)
        worn_step(worn);
    worn_mend(worn);
    if (worn->scene.judge.failure[0] == '\0')
        judge_all(&worn->scene.judge);
    *restores += worn->restores;
    for (size_t at = 0; at < WORN_DEVICES; at++)
        world_home_free(worn->homes[at]);
    memcpy(one->failure, worn->scene.judge.failure, sizeof one->failure);
    world_end(&worn->scene.world);
    judge_end(&worn->scene.judge);
    free(worn);
}

static bool worn_end(void *self, uint64_t count)
{
    const uint64_t *restores = self;

    (void)printf("%llu old copies put back in %llu worlds\n", (unsigned long long)*restores,
                 (unsigned long long)count);
    return count < WORN_COUNT || *restores > 0;
}

int main(int argc, char **argv)
{
    uint64_t restores = 0;
    const struct seeds seeds = {.what = "worlds of worn contacts",
                                .count = WORN_COUNT,
                                .every = 20,
                                .live = worn_live,
                                .end = worn_end,
                                .self = &restores};

    return seeds_main(&seeds, argc, argv);
}
