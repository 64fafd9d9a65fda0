/*
 * Forgetting beside old copies: a forget names entries by their place in a log, and two branches of
 * a log have other entries at the same places.
 *
 *   sim_forget               all of it
 *   sim_forget "1 " --trace  those whose name begins so, told step by step
 */
#include <stdio.h>

#include "tests/sim/judge_search.h"
#include "tests/sim/meeting.h"
#include "tests/sim/scene.h"

static const char sim_forget_name[] = "Somebody Gone";

struct sim_forget_cast {
    struct world_node *desk, *lap;
    struct world_home *copy;
    size_t since;
};

/* A member's two devices, in step; a copy of the desk's disk as it is then. */
static void sim_forget_meet(struct scene *scene, struct sim_forget_cast *cast)
{
    cast->desk = scene_member(scene, "ana");
    cast->lap = world_join(cast->desk);
    world_start(cast->lap);
    scene_contact(scene, cast->desk);
    scene_settle(scene);
    cast->copy = world_snapshot(cast->desk);
    cast->since = scene->judge.canaries_count;
}

static void sim_forget_add(struct scene *scene, struct world_node *node, const char *name)
{
    scene_ask(scene, node, "contact.add", json_pack("{s:s}", "name", name));
}

static void sim_forget_forget(struct scene *scene, struct world_node *node, const char *name)
{
    scene_ask(scene, node, "contact.remove", json_pack("{s:s, s:b}", "who", name, "forget", true));
}

/* 1. What was written on the old copy, at the places of what had been forgotten, stays. */
static void sim_forget_back(struct scene *scene)
{
    struct sim_forget_cast cast;

    sim_forget_meet(scene, &cast);
    sim_forget_add(scene, cast.desk, sim_forget_name);
    sim_forget_forget(scene, cast.desk, sim_forget_name);
    scene_wait(scene, 60);
    world_crash(cast.lap);
    scene_restore(scene, cast.desk, cast.copy, cast.since);
    for (int at = 0; at < 6; at++)
        scene_contact(scene, cast.desk);
    world_start(cast.lap);
    scene_settle(scene);
    world_home_free(cast.copy);
}

/* Nobody who is up shows them, or holds their name anywhere. */
static void sim_forget_is_gone(struct scene *scene)
{
    for (size_t at = 0; at < scene->world.nodes_count; at++) {
        struct world_node *node = scene->world.nodes[at];
        struct snapshot snapshot;
        bool is_there;

        world_must(ledger_snapshot(node->ledger, &snapshot));
        is_there = meeting_holds_at(&snapshot, span_str(sim_forget_name));
        ledger_snapshot_end(&snapshot);
        if (is_there)
            judge_fail(&scene->judge, "%s still holds who was forgotten", node->name);
    }
}

/* 2. Forgotten at one of two clones while the other writes. */
static void sim_forget_clones(struct scene *scene)
{
    struct sim_forget_cast cast;
    struct world_node *clone;

    sim_forget_meet(scene, &cast);
    sim_forget_add(scene, cast.desk, sim_forget_name);
    scene_settle(scene);
    clone = world_clone(cast.desk, false);
    scene_part(scene, cast.desk, (struct world_node *)NULL);
    scene_contact(scene, cast.desk);
    sim_forget_forget(scene, cast.desk, sim_forget_name);
    scene_contact(scene, cast.desk);
    world_start(clone);
    for (int at = 0; at < 5; at++)
        scene_contact(scene, clone);
    scene_wait(scene, 60);
    scene_join(scene);
    scene_settle(scene);
    sim_forget_is_gone(scene);
    world_home_free(cast.copy);
}

/* 3. What was written on a branch that was lost is repeated elsewhere, and forgotten then. */
static void sim_forget_repeated(struct scene *scene)
{
    struct sim_forget_cast cast;

    sim_forget_meet(scene, &cast);
    sim_forget_add(scene, cast.desk, sim_forget_name);
    scene_settle(scene);
    scene_restore(scene, cast.desk, cast.copy, cast.since);
    for (int at = 0; at < 4; at++)
        scene_contact(scene, cast.desk);
    scene_settle(scene);
    sim_forget_forget(scene, cast.desk, sim_forget_name);
    scene_settle(scene);
    sim_forget_is_gone(scene);
    world_home_free(cast.copy);
}

/* 4. Forgotten by somebody who does not know yet that it was repeated. */
static void sim_forget_unknown(struct scene *scene)
{
    struct sim_forget_cast cast;
    struct world_node *clone;

    sim_forget_meet(scene, &cast);
    clone = world_clone(cast.desk, false);
    sim_forget_add(scene, cast.desk, sim_forget_name);
    scene_settle(scene);
    scene_part(scene, cast.desk, (struct world_node *)NULL);
    sim_forget_forget(scene, cast.desk, sim_forget_name);
    scene_contact(scene, cast.desk);
    world_start(clone);
    for (int at = 0; at < 4; at++)
        scene_contact(scene, clone);
    scene_wait(scene, 120);
    scene_join(scene);
    scene_settle(scene);
    sim_forget_is_gone(scene);
    world_home_free(cast.copy);
}

static const struct scene_named sim_forget_scenes[] = {
    {"1 written at the places of what was forgotten", sim_forget_back},
    {"2 at one of two clones", sim_forget_clones},
    {"3 repeated, then forgotten", sim_forget_repeated},
    {"4 repeated unknown to who forgets", sim_forget_unknown},
};

int main(int argc, char **argv)
{
    struct scene_wanted wanted;

    scene_want(argc, argv, &wanted);
    return scene_run(&wanted, sim_forget_scenes,
                     sizeof sim_forget_scenes / sizeof sim_forget_scenes[0])
               ? 0
               : 1;
}
