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

enum { SIM_DEVICES_SWEEP = 8 };

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

/* 2. A third device, admitted by the second, which has no root; the first is off meanwhile and has
 * never heard of it when they meet. Links made at the new devices are everywhere. */
static void sim_devices_third(struct scene *scene)
{
    struct sim_devices_cast cast;
    struct world_node *pad, *dan, *eve;

    sim_devices_meet(scene, &cast);
    scene_settle(scene);
    world_crash(cast.desk);
    pad = world_join(cast.lap);
    world_start(pad);
    scene_settle(scene);
    dan = scene_member(scene, "dan");
    scene_link(scene, cast.lap, dan);
    scene_pair(scene, cast.lap, dan);
    eve = scene_member(scene, "eve");
    scene_link(scene, eve, pad);
    scene_pair(scene, eve, pad);
    scene_contact(scene, pad);
    scene_card(scene, pad);
    scene_settle(scene);
    world_crash(cast.lap);
    world_crash(cast.ben);
    world_start(cast.desk);
    scene_settle(scene);
    world_start(cast.lap);
    world_start(cast.ben);
    scene_contact(scene, cast.desk);
    scene_pair(scene, cast.desk, eve);
    scene_settle(scene);
    scene_expect(scene, judge_is_linked(cast.desk, dan) && judge_is_linked(cast.desk, eve),
                 "links of the others at the first device");
    scene_expect(scene, scene_devices(eve, cast.desk) == 3, "three devices known to a new peer");
}

/* 3. Two devices on either side: whoever is up serves. */
static void sim_devices_four(struct scene *scene)
{
    struct sim_devices_cast cast;
    struct world_node *attic;

    sim_devices_meet(scene, &cast);
    attic = world_join(cast.ben);
    world_start(attic);
    scene_settle(scene);
    world_crash(cast.desk);
    world_crash(cast.ben);
    scene_card(scene, cast.lap);
    scene_pair(scene, cast.lap, attic);
    scene_pair(scene, attic, cast.lap);
    scene_card(scene, attic);
    scene_settle(scene);
    world_crash(cast.lap);
    world_start(cast.ben);
    scene_settle(scene);
    world_crash(attic);
    world_start(cast.desk);
    scene_settle(scene);
    world_start(cast.lap);
    world_start(attic);
    scene_settle(scene);
}

/* 4. The desk goes back to an old copy; only the lap has what it wrote since. */
static void sim_devices_restored(struct scene *scene)
{
    struct sim_devices_cast cast;
    struct world_home *home;
    size_t since;

    sim_devices_meet(scene, &cast);
    scene_settle(scene);
    home = world_snapshot(cast.desk);
    since = scene->judge.canaries_count;
    world_crash(cast.ben);
    scene_contact(scene, cast.desk);
    scene_card(scene, cast.desk);
    scene_wait(scene, 60);
    scene_restore(scene, cast.desk, home, since);
    scene_settle(scene);
    scene_contact(scene, cast.desk);
    world_start(cast.ben);
    scene_settle(scene);
    world_home_free(home);
}

/* 5. cara is removed at the desk, while the lap, offline, goes on writing for her. */
static void sim_devices_removal(struct scene *scene)
{
    struct sim_devices_cast cast;
    struct world_node *cara;

    sim_devices_meet(scene, &cast);
    cara = scene_member(scene, "cara");
    scene_link(scene, cara, cast.desk);
    scene_settle(scene);
    scene_part(scene, cast.lap, cara, (struct world_node *)NULL);
    scene_ask(scene, cast.desk, "peer.remove", json_pack("{s:s}", "who", "cara"));
    scene_card(scene, cast.lap);
    scene_wait(scene, 60);
    judge_parted(&scene->judge, cast.desk->person, cara->person);
    scene_join(scene);
    scene_wait(scene, 120);
    scene_card(scene, cast.desk);
    scene_card(scene, cast.lap);
    scene_contact(scene, cast.lap);
    scene_wait(scene, 120);
    judge_search(&scene->judge, cara);
    scene_expect(scene, !judge_is_linked(cast.lap, cara), "the removal at the other device");
    scene_settle(scene);
}

/* 6. Power cuts before and after each commit of a device that is new. */
static void sim_devices_sweep(struct scene *scene, uint64_t commits, enum world_doom doom)
{
    struct sim_devices_cast cast;

    sim_devices_meet(scene, &cast);
    cast.lap->doom = doom;
    cast.lap->doom_commits = commits;
    scene_wait(scene, 60);
    world_start(cast.lap);
    scene_settle(scene);
    scene_contact(scene, cast.lap);
    scene_settle(scene);
}

static const struct sim_devices_scene {
    const char *name;
    void (*run)(struct scene *scene);
} sim_devices_scenes[] = {
    {"1 second device", sim_devices_second},
    {"2 third device", sim_devices_third},
    {"3 two devices on either side", sim_devices_four},
    {"4 old copy of one of two", sim_devices_restored},
    {"5 removal at one of two", sim_devices_removal},
};

static bool sim_devices_sweeps(const char *wanted, bool is_talkative)
{
    struct scene scene;
    bool is_well = true;
    char name[64];

    for (uint64_t commits = 1; commits <= SIM_DEVICES_SWEEP; commits++)
        for (int doom = WORLD_BEFORE_COMMIT; doom <= WORLD_AFTER_COMMIT; doom++) {
            (void)snprintf(name, sizeof name, "6 power cut %s commit %llu",
                           doom == WORLD_BEFORE_COMMIT ? "before" : "after",
                           (unsigned long long)commits);
            if (strncmp(name, wanted, strlen(wanted)) != 0)
                continue;
            scene_begin(&scene, commits, is_talkative);
            sim_devices_sweep(&scene, commits, (enum world_doom)doom);
            is_well &= scene_end(&scene, name);
        }
    return is_well;
}

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
    is_well &= sim_devices_sweeps(name, is_talkative);
    return is_well ? 0 : 1;
}
