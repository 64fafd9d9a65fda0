/*
 * Further devices of a member that are copied, or go back, before the others know them well.
 *
 *   sim_copied               all of them
 *   sim_copied "3 " --trace  those whose name begins so, told step by step
 */
#include <stdio.h>
#include <string.h>

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

static void sim_copied_edit(struct scene *scene, struct world_node *node, const char *who,
                            const char *org)
{
    char change[40];

    (void)snprintf(change, sizeof change, "org=%s", org);
    scene_ask(scene, node, "contact.edit", json_pack("{s:s, s:[s]}", "who", who, "set", change));
}

static void sim_copied_shows(struct scene *scene, struct world_node *node, const char *who,
                             const char *org)
{
    json_t *shown = world_read(node, "contact.show", json_pack("{s:s}", "who", who));
    const char *text = json_string_value(json_object_get(shown, "org"));

    scene_expect(scene, strcmp(text != NULL ? text : "", org) == 0, org);
    json_decref(shown);
}

/* The lap edits Kim, goes back to before that, edits Lee, and hears of its other branch. */
static void sim_copied_edits_twice(struct scene *scene, struct world_node *desk,
                                   struct world_node *lap)
{
    struct world_home *home;

    scene_ask(scene, desk, "contact.add", json_pack("{s:s, s:s}", "name", "Kim", "org", "Mill"));
    scene_ask(scene, desk, "contact.add", json_pack("{s:s, s:s}", "name", "Lee", "org", "Rope"));
    world_start(lap);
    scene_settle(scene);
    sim_copied_edit(scene, lap, "Lee", "Wool");
    scene_settle(scene);
    home = world_snapshot(lap);
    sim_copied_edit(scene, lap, "Kim", "lost");
    scene_settle(scene);
    scene_part(scene, lap, NULL);
    scene_restore(scene, lap, home, scene->judge.canaries_count);
    sim_copied_edit(scene, lap, "Lee", "later");
    scene_join(scene);
    scene_settle(scene);
    sim_copied_shows(scene, lap, "Kim", "lost");
    sim_copied_shows(scene, lap, "Lee", "later");
    world_home_free(home);
}

/* 4. Undo takes back what was done last on that disk, though another edit lies at its place. */
static void sim_copied_takes_back(struct scene *scene)
{
    static const char *const orgs[] = {"Wool", "Rope"};
    struct world_node *desk = scene_member(scene, "ana");
    struct world_node *lap = world_join(desk);

    sim_copied_edits_twice(scene, desk, lap);
    for (size_t times = 0; times < 2; times++) {
        scene_ask(scene, lap, "undo", json_object());
        scene_settle(scene);
        sim_copied_shows(scene, lap, "Kim", "lost");
        sim_copied_shows(scene, desk, "Kim", "lost");
        sim_copied_shows(scene, lap, "Lee", orgs[times]);
        sim_copied_shows(scene, desk, "Lee", orgs[times]);
    }
}

static void sim_copied_names(struct scene *scene, struct world_node *node, const char *text)
{
    json_t *told = world_read(node, "doctor", json_object()), *row;
    const char *said = "";
    size_t at;

    json_array_foreach(json_object_get(told, "checks"), at, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "check")), "undo") == 0)
            said = json_string_value(json_object_get(row, "text"));
    }
    scene_expect(scene, strcmp(said, text) == 0, text);
    json_decref(told);
}

/* 5. The desk forgets whom the lap edited last: it has that edit only as the lap's successor
 * repeats it. */
static void sim_copied_forgets(struct scene *scene)
{
    struct world_node *desk = scene_member(scene, "ana");
    struct world_node *lap = world_join(desk);

    sim_copied_edits_twice(scene, desk, lap);
    sim_copied_names(scene, lap, "kith undo takes back: edit Lee");
    scene_ask(scene, desk, "contact.remove", json_pack("{s:s, s:b}", "who", "Lee", "forget", true));
    scene_settle(scene);
    sim_copied_names(scene, lap, "there is nothing to take back");
}

static const struct scene_named sim_copied_scenes[] = {
    {"1 a new device is copied", sim_copied_new},
    {"2 a new device goes back", sim_copied_goes_back},
    {"3 a copy without the knock", sim_copied_without_the_knock},
    {"4 an act is taken back", sim_copied_takes_back},
    {"5 an act is forgotten", sim_copied_forgets},
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
