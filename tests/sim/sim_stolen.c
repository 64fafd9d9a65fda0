/*
 * A device of a member was stolen, and another of its devices is behind: it went back to an old
 * copy, or was away for long, and hears of the theft before it holds what the stolen one wrote.
 *
 *   sim_stolen               all of them
 *   sim_stolen "2 " --trace  those whose name begins so, told step by step
 */
#include <stdio.h>

#include "storage/standing.h"
#include "tests/sim/scene.h"

enum { SIM_STOLEN_EDITS = 200 /* more than come in one batch */ };

/* ana's desk, her lap, certified by the desk, and ben. */
struct sim_stolen_cast {
    struct world_node *desk, *lap, *ben;
};

static void sim_stolen_meet(struct scene *scene, struct sim_stolen_cast *cast)
{
    cast->desk = scene_member(scene, "ana");
    cast->ben = scene_member(scene, "ben");
    scene_link(scene, cast->desk, cast->ben);
    scene_pair(scene, cast->desk, cast->ben);
    cast->lap = world_join(cast->desk);
    world_start(cast->lap);
    scene_settle(scene);
}

static enum standing sim_stolen_stands(struct world_node *node, const struct public_key *device)
{
    enum standing standing;
    struct snapshot snapshot;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(standing_of(&snapshot, device, &standing));
    ledger_snapshot_end(&snapshot);
    return standing;
}

/* Are the contacts that were made from this canary on there? */
static void sim_stolen_expect_contacts(struct scene *scene, struct world_node *node, size_t since)
{
    for (size_t number = since; number < scene->judge.canaries_count; number++) {
        char text[JUDGE_CANARY_SIZE];

        (void)snprintf(text, sizeof text, "canary:%09zu", number);
        if (scene->judge.canaries[number].audience == JUDGE_SELF)
            scene_expect(scene, judge_has_contact(node, text), "what was written before the theft");
    }
}

/* The lap admits the pad and is stolen; the desk says so, and goes back to a copy from before both.
 */
static void sim_stolen_go_back(struct scene *scene, bool is_alone)
{
    struct sim_stolen_cast cast;
    struct world_home *home;
    struct world_node *pad;
    struct public_key key; /* of the pad */
    size_t since;

    sim_stolen_meet(scene, &cast);
    home = world_snapshot(cast.desk);
    since = scene->judge.canaries_count;
    for (size_t times = 0; times < (is_alone ? 10 : SIM_STOLEN_EDITS); times++)
        scene_card(scene, cast.lap);
    pad = world_join(cast.lap);
    world_start(pad);
    key = *ledger_device(pad->ledger);
    scene_settle(scene);
    scene_card(scene, cast.lap);
    scene_contact(scene, pad);
    scene_settle(scene);
    scene_shut_out(scene, cast.desk, cast.lap, RETIRE_STOLEN);
    world_crash(cast.lap);
    scene_settle(scene);
    if (is_alone)
        world_crash(cast.ben);
    scene_restore(scene, cast.desk, home, since);
    scene_wait(scene, 600);
    if (is_alone)
        world_start(cast.ben);
    scene_settle(scene);
    scene_expect(scene, sim_stolen_stands(cast.desk, &key) == STANDING_GOOD, "a good pad");
    scene_expect(scene, sim_stolen_stands(cast.ben, &key) == STANDING_GOOD, "a good pad for ben");
    scene_contact(scene, pad);
    scene_card(scene, pad);
    scene_contact(scene, cast.desk);
    scene_settle(scene);
    world_home_free(home);
}

/* 1. It hears of the theft, and of the pad, before the log in which the lap admitted the pad: the
 * pad is a good device all the same. */
static void sim_stolen_desk_goes_back(struct scene *scene)
{
    sim_stolen_go_back(scene, false);
}

/* 3. The pad alone has that log; then ben is back. */
static void sim_stolen_alone(struct scene *scene)
{
    sim_stolen_go_back(scene, true);
}

/* 2. The desk is off while the pad writes, is stolen, and the lap says so: it hears of that from
 * ben, who knows nothing of what the pad wrote for its own. Nothing of that is lost. */
static void sim_stolen_desk_was_away(struct scene *scene)
{
    struct sim_stolen_cast cast;
    struct world_node *pad;
    struct public_key key; /* of the pad */
    size_t since;

    sim_stolen_meet(scene, &cast);
    pad = world_join(cast.lap);
    world_start(pad);
    key = *ledger_device(pad->ledger);
    scene_settle(scene);
    scene_contact(scene, pad);
    scene_settle(scene);
    world_crash(cast.desk);
    since = scene->judge.canaries_count;
    for (size_t times = 0; times < 3; times++) {
        scene_contact(scene, pad);
        scene_card(scene, pad);
        scene_pair(scene, pad, cast.ben);
    }
    scene_settle(scene);
    scene_shut_out(scene, cast.lap, pad, RETIRE_STOLEN);
    world_crash(pad);
    scene_settle(scene);
    world_crash(cast.lap);
    world_start(cast.desk);
    scene_wait(scene, 300);
    scene_expect(scene, sim_stolen_stands(cast.desk, &key) == STANDING_STOLEN, "the desk to hear");
    world_start(cast.lap);
    scene_settle(scene);
    sim_stolen_expect_contacts(scene, cast.lap, since);
    sim_stolen_expect_contacts(scene, cast.desk, since);
    scene_contact(scene, cast.desk);
    scene_settle(scene);
}

/* 4. The lap admitted the pad, and was stolen later; the desk is off. The pad admits the tab, which
 * hears of the theft before it holds anything. */
static void sim_stolen_new_device(struct scene *scene)
{
    struct sim_stolen_cast cast;
    struct world_node *pad, *tab;

    sim_stolen_meet(scene, &cast);
    pad = world_join(cast.lap);
    world_start(pad);
    scene_settle(scene);
    scene_contact(scene, pad);
    scene_settle(scene);
    scene_shut_out(scene, cast.desk, cast.lap, RETIRE_STOLEN);
    world_crash(cast.lap);
    scene_settle(scene);
    world_crash(cast.desk);
    tab = world_join(pad);
    world_start(tab);
    scene_settle(scene);
    scene_contact(scene, tab);
    world_start(cast.desk);
    scene_settle(scene);
}

/* 5. ben was off all the while, and meets the pad alone; then the desk is back. */
static void sim_stolen_ben_was_away(struct scene *scene)
{
    struct sim_stolen_cast cast;
    struct world_node *pad;

    sim_stolen_meet(scene, &cast);
    world_crash(cast.ben);
    for (size_t times = 0; times < SIM_STOLEN_EDITS; times++)
        scene_card(scene, cast.lap);
    pad = world_join(cast.lap);
    world_start(pad);
    scene_settle(scene);
    scene_card(scene, pad);
    scene_settle(scene);
    scene_shut_out(scene, cast.desk, cast.lap, RETIRE_STOLEN);
    world_crash(cast.lap);
    scene_settle(scene);
    world_crash(cast.desk);
    world_start(cast.ben);
    scene_wait(scene, 600);
    world_start(cast.desk);
    scene_settle(scene);
}

/* The desk admits the tab, which lies still until the lap was stolen and nobody answers what it was
 * told: each knock the lap knows has ended. */
static void sim_stolen_admit(struct scene *scene, struct sim_stolen_cast *cast,
                             struct world_node **out_tab, struct world_home **out_home)
{
    struct world_node *pad;

    sim_stolen_meet(scene, cast);
    pad = world_join(cast->desk);
    world_start(pad);
    scene_settle(scene);
    if (out_home != NULL)
        *out_home = world_snapshot(cast->desk);
    *out_tab = world_join(cast->desk);
    scene_settle(scene);
    scene_shut_out(scene, cast->desk, cast->lap, RETIRE_STOLEN);
    world_crash(cast->lap);
    scene_settle(scene);
    world_crash(cast->desk);
    world_start(cast->desk);
    scene_settle(scene);
}

/* 10. The tab was admitted before the theft, and meets the desk behind it. */
static void sim_stolen_not_met(struct scene *scene)
{
    struct sim_stolen_cast cast;
    struct world_node *tab;

    sim_stolen_admit(scene, &cast, &tab, NULL);
    world_start(tab);
    scene_settle(scene);
    scene_contact(scene, tab);
    scene_card(scene, tab);
    scene_settle(scene);
}

/* 11. The desk goes back to before it admitted the tab: the pad tells it, and it goes on under
 * another name, of which the tab knows nothing. */
static void sim_stolen_host_goes_back(struct scene *scene)
{
    struct sim_stolen_cast cast;
    struct world_home *home;
    struct world_node *tab;
    size_t since = scene->judge.canaries_count;

    sim_stolen_admit(scene, &cast, &tab, &home);
    scene_restore(scene, cast.desk, home, since);
    scene_contact(scene, cast.desk);
    scene_settle(scene);
    world_start(tab);
    scene_settle(scene);
    scene_contact(scene, tab);
    scene_settle(scene);
    world_home_free(home);
}

/* 6. The desk goes back and meets the pad alone, which brings that log before it tells of the
 * theft. What opens it the desk itself wrote, and lost. */
static void sim_stolen_desk_and_pad(struct scene *scene)
{
    struct sim_stolen_cast cast;
    struct world_home *home;
    struct world_node *pad, *carl;
    struct public_key key; /* of the pad */
    size_t since;

    sim_stolen_meet(scene, &cast);
    carl = scene_member(scene, "carl");
    scene_link(scene, cast.desk, carl);
    scene_settle(scene);
    home = world_snapshot(cast.desk);
    since = scene->judge.canaries_count;
    scene_ask(scene, cast.desk, "peer.remove", json_pack("{s:s}", "who", "carl"));
    judge_parted(&scene->judge, cast.desk->person, carl->person);
    scene_settle(scene);
    for (size_t times = 0; times < SIM_STOLEN_EDITS; times++)
        scene_card(scene, cast.lap);
    pad = world_join(cast.lap);
    world_start(pad);
    key = *ledger_device(pad->ledger);
    scene_settle(scene);
    scene_contact(scene, pad);
    scene_settle(scene);
    scene_shut_out(scene, cast.desk, cast.lap, RETIRE_STOLEN);
    world_crash(cast.lap);
    scene_settle(scene);
    world_crash(cast.ben);
    scene_restore(scene, cast.desk, home, since);
    scene_settle(scene);
    scene_expect(scene, sim_stolen_stands(cast.desk, &key) == STANDING_GOOD, "a good pad");
    scene_contact(scene, pad);
    scene_contact(scene, cast.desk);
    scene_settle(scene);
    world_start(cast.ben);
    scene_settle(scene);
    world_home_free(home);
}

/* 7. ben was off all the while, and meets the pad alone for long. */
static void sim_stolen_ben_and_pad(struct scene *scene)
{
    struct sim_stolen_cast cast;
    struct world_node *pad;
    struct public_key key; /* of the pad */

    sim_stolen_meet(scene, &cast);
    world_crash(cast.ben);
    for (size_t times = 0; times < SIM_STOLEN_EDITS; times++)
        scene_card(scene, cast.lap);
    pad = world_join(cast.lap);
    world_start(pad);
    key = *ledger_device(pad->ledger);
    scene_settle(scene);
    scene_card(scene, pad);
    scene_pair(scene, pad, cast.ben);
    scene_settle(scene);
    scene_shut_out(scene, cast.desk, cast.lap, RETIRE_STOLEN);
    world_crash(cast.lap);
    scene_settle(scene);
    world_crash(cast.desk);
    world_start(cast.ben);
    scene_settle(scene);
    scene_expect(scene, sim_stolen_stands(cast.ben, &key) == STANDING_GOOD, "a good pad for ben");
    scene_pair(scene, pad, cast.ben);
    scene_settle(scene);
    world_start(cast.desk);
    scene_settle(scene);
}

/* 8. The thief admits a device with the lap's key, and calls everybody with it, the pad that the
 * lap had admitted before, too: it is given nothing, and nothing of it is taken. */
static void sim_stolen_thief(struct scene *scene)
{
    struct sim_stolen_cast cast;
    struct world_node *pad, *thief;
    struct judge *judge = &scene->judge;
    size_t since;

    sim_stolen_meet(scene, &cast);
    pad = world_join(cast.lap);
    world_start(pad);
    scene_settle(scene);
    thief = world_join(cast.lap);
    scene_part(scene, cast.lap, thief, NULL);
    world_start(thief);
    scene_shut_out(scene, cast.desk, cast.lap, RETIRE_STOLEN);
    since = judge->canaries_count;
    scene_contact(scene, cast.desk);
    scene_card(scene, pad);
    scene_contact(scene, thief);
    scene_card(scene, thief);
    scene_wait(scene, 600);
    world_crash(cast.lap);
    scene_join(scene);
    scene_wait(scene, 3 * 3600);
    for (size_t number = since; number < judge->canaries_count; number++) {
        bool is_thiefs = judge->canaries[number].author == thief->number;

        judge->canaries[number].is_acknowledged &= !is_thiefs;
        scene_expect(scene, judge_shows_canary(judge, thief, number) == is_thiefs,
                     "a thief who learns nothing");
        scene_expect(scene, judge_shows_canary(judge, pad, number) != is_thiefs,
                     "a pad like before");
        if (judge->canaries[number].audience == JUDGE_CARD)
            scene_expect(scene, judge_shows_canary(judge, cast.ben, number) != is_thiefs,
                         "ben to believe no thief");
    }
    world_crash(thief);
    scene_settle(scene);
}

/* 9. The pad alone links with dora, who was told of the lap by nobody before: what opens its log
 * comes with what tells of the theft. */
static void sim_stolen_new_peer(struct scene *scene)
{
    struct sim_stolen_cast cast;
    struct world_node *pad, *dora;
    struct public_key key; /* of the pad */

    sim_stolen_meet(scene, &cast);
    scene_card(scene, cast.lap);
    pad = world_join(cast.lap);
    world_start(pad);
    key = *ledger_device(pad->ledger);
    scene_settle(scene);
    scene_card(scene, cast.lap);
    scene_shut_out(scene, cast.desk, cast.lap, RETIRE_STOLEN);
    world_crash(cast.lap);
    scene_settle(scene);
    world_crash(cast.desk);
    dora = scene_member(scene, "dora");
    scene_link(scene, pad, dora);
    scene_card(scene, pad);
    scene_pair(scene, dora, pad);
    scene_expect(scene, sim_stolen_stands(dora, &key) == STANDING_GOOD, "a good pad for dora");
    scene_wait(scene,
               25 * 3600); /* What dora seals meanwhile is for no device in doubt (EPOCH-8). */
    scene_settle(scene);
    world_start(cast.desk);
    scene_settle(scene);
}

/* 12. ben was off while the lap wrote, and the thief, who has an old copy of the lap, calls him
 * first: with another branch, which ends below the mark, and a device of its own admitted on it. It
 * counts until the desk brings the log, and is told nothing from then on. */
static void sim_stolen_forged_branch(struct scene *scene)
{
    struct judge *judge = &scene->judge;
    struct sim_stolen_cast cast;
    struct world_home *home;
    struct world_node *thief;
    struct public_key key; /* of the thief's device */
    size_t since;

    sim_stolen_meet(scene, &cast);
    home = world_snapshot(cast.lap);
    since = judge->canaries_count;
    world_crash(cast.ben);
    for (size_t times = 0; times < 20; times++)
        scene_card(scene, cast.lap);
    scene_settle(scene);
    world_crash(cast.lap);
    scene_part(scene, cast.desk, NULL);
    scene_restore(scene, cast.lap, home, since);
    thief = world_join(cast.lap);
    world_start(thief);
    world_start(cast.ben);
    scene_wait(scene, 600);
    key = *ledger_device(thief->ledger);
    scene_expect(scene, sim_stolen_stands(cast.ben, &key) == STANDING_GOOD, "ben to be fooled");
    scene_shut_out(scene, cast.desk, cast.lap, RETIRE_STOLEN);
    world_crash(cast.lap);
    scene_join(scene);
    scene_wait(scene, 600);
    scene_expect(scene, standing_is_out(sim_stolen_stands(cast.ben, &key)), "ben to know better");
    since = judge->canaries_count;
    scene_card(scene, cast.ben);
    scene_card(scene, cast.desk);
    scene_pair(scene, cast.desk, cast.ben);
    scene_contact(scene, cast.desk);
    scene_wait(scene, 3 * 3600);
    for (size_t number = since; number < judge->canaries_count; number++)
        if (judge->canaries[number].audience != JUDGE_PAIR)
            scene_expect(scene, !judge_shows_canary(judge, thief, number),
                         "a thief who learns nothing");
    world_crash(thief);
    scene_settle(scene);
    world_home_free(home);
}

static const struct scene_named sim_stolen_scenes[] = {
    {"1 the desk goes back", sim_stolen_desk_goes_back},
    {"2 the desk was away", sim_stolen_desk_was_away},
    {"3 the desk goes back alone", sim_stolen_alone},
    {"4 a new device", sim_stolen_new_device},
    {"5 ben was away", sim_stolen_ben_was_away},
    {"6 the desk and the pad alone", sim_stolen_desk_and_pad},
    {"7 ben and the pad alone", sim_stolen_ben_and_pad},
    {"8 the thief's own device", sim_stolen_thief},
    {"9 a new peer of the pad", sim_stolen_new_peer},
    {"10 not met yet", sim_stolen_not_met},
    {"11 not met yet, and the host goes back", sim_stolen_host_goes_back},
    {"12 a forged branch", sim_stolen_forged_branch},
};

int main(int argc, char **argv)
{
    struct scene_wanted wanted;

    scene_want(argc, argv, &wanted);
    return scene_run(&wanted, sim_stolen_scenes,
                     sizeof sim_stolen_scenes / sizeof sim_stolen_scenes[0])
               ? 0
               : 1;
}
