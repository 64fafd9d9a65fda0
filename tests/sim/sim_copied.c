/*
 * Further devices of a member that are copied, or go back, before the others know them well.
 *
 *   sim_copied               all of them
 *   sim_copied "3 " --trace  those whose name begins so, told step by step
 */
#include "tests/sim/scene.h"

/* 1. A new device that was copied before it had met anybody; the copy joins and writes first. */
static void sim_copied_new(struct scene *scene)
{
    struct world_node *desk = scene_member(scene, "ana");
    struct world_node *lap, *copy;

    scene_contact(scene, desk);
    lap = world_join(desk);
    copy = world_clone(lap, false);
    world_start(copy);
    scene_settle(scene);
    scene_card(scene, copy);
    scene_contact(scene, copy);
    scene_settle(scene);
    world_start(lap);
    scene_settle(scene);
    scene_contact(scene, lap);
    scene_settle(scene);
}

/* 2. A new device goes back to before it had met anybody, again and again: each time it hears of
 * its copy before it has joined, and goes on. */
static void sim_copied_goes_back(struct scene *scene)
{
    struct world_node *desk = scene_member(scene, "ana");
    struct world_node *lap = world_join(desk);
    struct world_home *home = world_snapshot(lap);

    scene_contact(scene, desk);
    world_start(lap);
    for (size_t times = 0; times < 4; times++) {
        size_t since = scene->judge.canaries_count;

        scene_settle(scene);
        scene_contact(scene, lap);
        scene_settle(scene);
        scene_restore(scene, lap, home, since);
        scene_settle(scene);
        scene_card(scene, lap);
        scene_settle(scene);
    }
    world_home_free(home);
}

/* 3. A copy of the lap is off while the lap blocks the only peer, and the knock changes. To the
 * desk it is the lap, which has heard of the new one. */
static void sim_copied_without_the_knock(struct scene *scene)
{
    struct world_node *desk = scene_member(scene, "ana");
    struct world_node *ben = scene_member(scene, "ben");
    struct world_node *lap, *copy;

    scene_link(scene, desk, ben);
    lap = world_join(desk);
    world_start(lap);
    scene_card(scene, desk);
    scene_settle(scene);
    copy = world_clone(lap, false);
    scene_ask(scene, lap, "peer.block", json_pack("{s:s}", "who", "ben"));
    scene_wait(scene, 60);
    judge_parted(&scene->judge, desk->person, ben->person);
    scene_contact(scene, lap);
    scene_wait(scene, 60);
    world_start(copy);
    scene_settle(scene);
    scene_contact(scene, copy);
    scene_settle(scene);
}

static const struct scene_named sim_copied_scenes[] = {
    {"1 a new device is copied", sim_copied_new},
    {"2 a new device goes back", sim_copied_goes_back},
    {"3 a copy without the knock", sim_copied_without_the_knock},
};

int main(int argc, char **argv)
{
    struct scene_wanted wanted;

    scene_want(argc, argv, &wanted);
    return scene_run(&wanted, sim_copied_scenes,
                     sizeof sim_copied_scenes / sizeof sim_copied_scenes[0])
               ? 0
               : 1;
}
