/*
 * Members with several devices.
 *
 *   sim_devices               all of it
 *   sim_devices "1 " --trace  those whose name begins so, told step by step
 */
#include <stdio.h>
#include <string.h>

#include "tests/sim/judge_search.h"
#include "tests/sim/scene.h"

/* ana's desk and ben, linked; then her lap, certified by the desk. */
struct sim_devices_cast {
    struct world_node *desk, *lap, *ben;
};

static void sim_devices_meet(struct scene *scene, struct sim_devices_cast *cast)
{
    cast->desk = scene_member(scene, "ana");
    cast->ben = scene_member(scene, "ben");
    scene_link(scene, cast->desk, cast->ben);
    scene_card(scene, cast->desk);
    scene_contact(scene, cast->desk);
    scene_pair(scene, cast->desk, cast->ben);
    scene_pair(scene, cast->ben, cast->desk);
    scene_settle(scene);
    cast->lap = world_join(cast->desk);
    world_start(cast->lap);
}

/* 1. The new device comes to hold everything; what either writes is at the other and at the peer.
 */
static void sim_devices_second(struct scene *scene)
{
    struct sim_devices_cast cast;

    sim_devices_meet(scene, &cast);
    scene_settle(scene);
    scene_contact(scene, cast.lap);
    scene_card(scene, cast.lap);
    scene_pair(scene, cast.lap, cast.ben);
    scene_contact(scene, cast.desk);
    scene_settle(scene);
    scene_expect(scene, scene_devices(cast.ben, cast.desk) == 2, "two devices known to the peer");
    scene_expect(scene, judge_is_linked(cast.lap, cast.ben), "the link on the new device");
}

static const struct sim_devices_scene {
    const char *name;
    void (*run)(struct scene *scene);
} sim_devices_scenes[] = {
    {"1 second device", sim_devices_second},
};

int main(int argc, char **argv)
{
    const char *name = argc > 1 && argv[1][0] != '-' ? argv[1] : "";
    bool is_talkative = argc > 1 && strcmp(argv[argc - 1], "--trace") == 0;
    bool is_well = true;

    for (size_t at = 0; at < sizeof sim_devices_scenes / sizeof sim_devices_scenes[0]; at++) {
        struct scene scene;

        if (strncmp(sim_devices_scenes[at].name, name, strlen(name)) != 0)
            continue;
        scene_begin(&scene, 1 + at, is_talkative);
        sim_devices_scenes[at].run(&scene);
        is_well &= scene_end(&scene, sim_devices_scenes[at].name);
    }
    return is_well ? 0 : 1;
}
