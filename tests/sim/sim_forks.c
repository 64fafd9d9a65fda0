/*
 * The eight scenarios by which wrong implementations of forks are caught.
 *
 *   sim_forks               all of them
 *   sim_forks "3 " --trace  those whose name begins so, told step by step
 */
#include <stdio.h>
#include <string.h>

#include "tests/sim/judge_search.h"
#include "tests/sim/scene.h"

enum {
    SIM_FORKS_SWEEP = 14,
    SIM_FORKS_EDITS = 100,
    SIM_FORKS_KEY_STEPS = 4, /* before and after each of the two writings */
    SIM_FORKS_SIGNED_MAX = 1024
};

/* ana with two peers, everything at rest. */
struct sim_forks_cast {
    struct world_node *ana, *ben, *cara;
};

static void sim_forks_meet(struct scene *scene, struct sim_forks_cast *cast)
{
    cast->ana = scene_member(scene, "ana");
    cast->ben = scene_member(scene, "ben");
    cast->cara = scene_member(scene, "cara");
    scene_link(scene, cast->ana, cast->ben);
    scene_link(scene, cast->cara, cast->ana);
    scene_card(scene, cast->ana);
    scene_contact(scene, cast->ana);
    scene_settle(scene);
}

static bool sim_forks_is_same_device(const struct world_node *left, const struct world_node *right)
{
    return memcmp(left->secrets->signing_seed, right->secrets->signing_seed, 32) == 0;
}

/* 1. The fork is proven on the card; the pair space must come back, thaw, and agree. */
static void sim_forks_blind_space(struct scene *scene)
{
    struct sim_forks_cast cast;
    struct world_home *home;
    size_t since;

    sim_forks_meet(scene, &cast);
    home = world_snapshot(cast.ana);
    since = scene->judge.canaries_count;
    scene_card(scene, cast.ana);
    scene_pair(scene, cast.ana, cast.ben);
    scene_settle(scene);
    scene_restore(scene, cast.ana, home, since);
    scene_settle(scene);
    scene_pair(scene, cast.ana, cast.ben);
    scene_card(scene, cast.ana);
    scene_settle(scene);
    world_home_free(home);
}

/* 1, again with the space made only after the copy: its link dies with the branch, and a new
 * invitation mends it. */
static void sim_forks_blind_new_space(struct scene *scene)
{
    struct sim_forks_cast cast;
    struct world_node *dan;
    struct world_home *home;
    size_t since;

    sim_forks_meet(scene, &cast);
    dan = scene_member(scene, "dan");
    home = world_snapshot(cast.ana);
    since = scene->judge.canaries_count;
    scene_link(scene, cast.ana, dan);
    scene_card(scene, cast.ana);
    scene_pair(scene, cast.ana, dan);
    scene_settle(scene);
    scene_restore(scene, cast.ana, home, since);
    scene_settle(scene);
    scene_link(scene, cast.ana, dan);
    scene_pair(scene, cast.ana, dan);
    scene_settle(scene);
    world_home_free(home);
}

/* 2. One clone writes the card, the other's fork shows only in the pair with ben; cara converges.
 */
static void sim_forks_hidden_pair(struct scene *scene)
{
    struct sim_forks_cast cast;
    struct world_node *clone;

    sim_forks_meet(scene, &cast);
    world_crash(cast.ana);
    clone = world_clone(cast.ana, false);
    scene_card(scene, cast.ana);
    scene_part(scene, clone, cast.ben, (struct world_node *)NULL);
    world_start(clone);
    scene_pair(scene, clone, cast.ben);
    scene_wait(scene, 60);
    world_start(cast.ana);
    scene_wait(scene, 60);
    scene_join(scene);
    scene_settle(scene);
}

/* 3. Each clone heals with another reader, offline from the other; later edits make no new
 * successor. */
static void sim_forks_two_healings(struct scene *scene)
{
    struct sim_forks_cast cast;
    struct world_node *clone;
    size_t devices;

    sim_forks_meet(scene, &cast);
    world_crash(cast.ana);
    clone = world_clone(cast.ana, false);
    scene_part(scene, clone, cast.cara, (struct world_node *)NULL);
    world_start(cast.ana);
    world_start(clone);
    scene_card(scene, cast.ana);
    scene_pair(scene, cast.ana, cast.ben);
    scene_card(scene, clone);
    scene_pair(scene, clone, cast.cara);
    scene_wait(scene, 60);
    scene_join(scene);
    scene_settle(scene);
    devices = scene_devices(cast.ben, cast.ana);
    for (int at = 0; at < SIM_FORKS_EDITS; at++) {
        scene_org(scene, cast.ana, at % 2 == 0 ? "even" : "odd");
        scene_org(scene, clone, at % 3 == 0 ? "three" : "not three");
    }
    scene_settle(scene);
    scene_expect(scene, scene_devices(cast.ben, cast.ana) == devices, "no new successor");
    scene_expect(scene, devices <= 3, "at most two successors of one fault");
}

/* 4. Three branches by two copies put back; what a reader returned is written again and lost again
 * with a third. */
static void sim_forks_returned_then_rolled_back(struct scene *scene)
{
    struct sim_forks_cast cast;
    struct world_home *home;
    size_t since;

    sim_forks_meet(scene, &cast);
    home = world_snapshot(cast.ana);
    since = scene->judge.canaries_count;
    scene_card(scene, cast.ana);
    scene_pair(scene, cast.ana, cast.cara);
    scene_settle(scene);
    scene_part(scene, cast.ana, cast.ben, (struct world_node *)NULL);
    scene_restore(scene, cast.ana, home, since);
    scene_card(scene, cast.ana);
    scene_wait(scene, 60);
    scene_join(scene);
    scene_settle(scene);
    scene_restore(scene, cast.ana, home, since);
    scene_settle(scene);
    scene_card(scene, cast.ben);
    scene_settle(scene);
    world_home_free(home);
}

/* 5. Both clones repeat one entry; then a successor is cloned. */
static void sim_forks_twin_restatement(struct scene *scene)
{
    struct sim_forks_cast cast;
    struct world_node *clone, *third;
    struct world_home *home;
    size_t since;

    sim_forks_meet(scene, &cast);
    home = world_snapshot(cast.ana);
    since = scene->judge.canaries_count;
    scene_card(scene, cast.ana);
    scene_pair(scene, cast.ana, cast.ben);
    scene_settle(scene);
    scene_restore(scene, cast.ana, home, since);
    world_crash(cast.ana);
    clone = world_clone(cast.ana, false);
    world_start(cast.ana);
    world_start(clone);
    scene_settle(scene);
    world_crash(clone);
    third = world_clone(clone, false);
    world_start(clone);
    world_start(third);
    scene_card(scene, clone);
    scene_card(scene, third);
    scene_settle(scene);
    world_home_free(home);
}

/* 6. x = 1 on the lost branch; whoever has seen it writes x = 2; only then x = 1 is returned. */
static void sim_forks_old_against_new(struct scene *scene)
{
    struct sim_forks_cast cast;
    struct world_home *home;
    size_t since;

    sim_forks_meet(scene, &cast);
    home = world_snapshot(cast.ana);
    since = scene->judge.canaries_count;
    scene_org(scene, cast.ana, "one");
    scene_settle(scene);
    scene_part(scene, cast.cara, (struct world_node *)NULL);
    scene_restore(scene, cast.ana, home, since);
    scene_wait(scene, 120);
    scene_expect(scene, scene_has_org(cast.ana, "one"), "one came back from ben");
    scene_org(scene, cast.ana, "two");
    scene_wait(scene, 30);
    scene_join(scene);
    scene_settle(scene);
    scene_expect(scene, scene_has_org(cast.ana, "two"), "two stays");
    world_home_free(home);
}

/* 7. Two branches, and one of the machines dies for good. */
static void sim_forks_dead_branch(struct scene *scene)
{
    struct sim_forks_cast cast;
    struct world_node *clone;

    sim_forks_meet(scene, &cast);
    world_crash(cast.ana);
    clone = world_clone(cast.ana, false);
    scene_part(scene, clone, cast.cara, (struct world_node *)NULL);
    world_start(cast.ana);
    world_start(clone);
    scene_card(scene, cast.ana);
    scene_card(scene, clone);
    scene_wait(scene, 60);
    world_crash(cast.ana);
    scene_join(scene);
    scene_settle(scene);
}

/* 7. The first scenario with a power cut before or after each commit of the healing. */
static void sim_forks_sweep(struct scene *scene, uint64_t commits, enum world_doom doom)
{
    struct sim_forks_cast cast;
    struct world_home *home;
    size_t since;

    sim_forks_meet(scene, &cast);
    home = world_snapshot(cast.ana);
    since = scene->judge.canaries_count;
    scene_card(scene, cast.ana);
    scene_pair(scene, cast.ana, cast.ben);
    scene_settle(scene);
    scene_restore(scene, cast.ana, home, since);
    cast.ana->doom = doom;
    cast.ana->doom_commits = commits;
    scene_wait(scene, 120);
    world_start(cast.ana);
    scene_settle(scene);
    world_home_free(home);
}

/* Entries of this device that any machine holds, each once, whether its log follows them or not. */
struct sim_forks_signed {
    struct hash payloads[SIM_FORKS_SIGNED_MAX];
    size_t count;
};

static void sim_forks_on_signed(struct sim_forks_signed *all, const struct entry_row *row)
{
    struct entry entry = row->entry;

    if (entry.payload.size > 0)
        entry_hash_payload(&entry);
    for (size_t at = 0; at < all->count; at++)
        if (memcmp(all->payloads[at].bytes, entry.header.payload_hash.bytes, HASH_SIZE) == 0)
            return;
    KITH_ASSERT(all->count < SIM_FORKS_SIGNED_MAX);
    all->payloads[all->count++] = entry.header.payload_hash;
}

static void sim_forks_signed_at(struct world_node *node, const struct public_key *device,
                                struct sim_forks_signed *all)
{
    struct snapshot snapshot;
    uint64_t newest;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(ledger_newest_arrival(&snapshot, &newest));
    for (uint64_t arrival = 1; arrival <= newest; arrival++) {
        struct entry_row row;
        struct log_row log;

        if (ledger_entry(&snapshot, arrival, &row) != ERR_OK)
            continue;
        world_must(ledger_log_numbered(&snapshot, row.log, &log));
        if (public_key_is_equal(&log.device, device))
            sim_forks_on_signed(all, &row);
    }
    ledger_snapshot_end(&snapshot);
}

static void sim_forks_expect_successor(struct scene *scene, const struct world_node *node,
                                       const struct public_key *old, const uint8_t seed[static 32])
{
    scene_expect(scene, !public_key_is_equal(ledger_device(node->ledger), old),
                 "the successor's ledger");
    scene_expect(
        scene, !node->secrets->has_successor && memcmp(node->secrets->signing_seed, seed, 32) != 0,
        "the old key is gone");
}

/* 7. The power goes at each step of the two writings of the key file, and again when the next start
 * makes up for the second: nobody signs with the key that was given up, and one successor comes of
 * it. */
static void sim_forks_keys(struct scene *scene, uint64_t step)
{
    struct sim_forks_signed *before = world_memory(sizeof *before);
    struct sim_forks_cast cast;
    struct world_home *home;
    uint8_t seed[32];
    struct public_key old;
    size_t since, count;

    sim_forks_meet(scene, &cast);
    old = *ledger_device(cast.ana->ledger);
    memcpy(seed, cast.ana->secrets->signing_seed, sizeof seed);
    home = world_snapshot(cast.ana);
    since = scene->judge.canaries_count;
    scene_card(scene, cast.ana);
    scene_pair(scene, cast.ana, cast.ben);
    scene_settle(scene);
    scene_restore(scene, cast.ana, home, since);
    cast.ana->doom_keys = step <= SIM_FORKS_KEY_STEPS ? step : SIM_FORKS_KEY_STEPS - 1;
    scene_wait(scene, 120);
    scene_expect(scene, !cast.ana->is_up, "the power went");
    for (uint64_t again = SIM_FORKS_KEY_STEPS + 1; again <= step; again++) {
        cast.ana->doom_keys = again - SIM_FORKS_KEY_STEPS;
        world_start(cast.ana);
        scene_expect(scene, !cast.ana->is_up, "the power went again");
    }
    world_start(cast.ana);
    if (step >= SIM_FORKS_KEY_STEPS - 1)
        sim_forks_expect_successor(scene, cast.ana, &old, seed);
    sim_forks_signed_at(cast.ana, &old, before);
    sim_forks_signed_at(cast.ben, &old, before);
    sim_forks_signed_at(cast.cara, &old, before);
    count = before->count;
    scene_settle(scene);
    scene_card(scene, cast.ana);
    scene_settle(scene);
    sim_forks_signed_at(cast.ana, &old, before);
    sim_forks_signed_at(cast.ben, &old, before);
    scene_expect(scene, before->count == count, "nothing more under the old key");
    scene_expect(scene, scene_devices(cast.ben, cast.ana) == 2, "one successor");
    world_home_free(home);
    free(before);
}

/* 7. Two machines that draw the same randomness: their keys differ, nothing is lost. */
static void sim_forks_twins(struct scene *scene)
{
    struct sim_forks_cast cast;
    struct world_node *twin;

    sim_forks_meet(scene, &cast);
    twin = world_clone(cast.ana, true);
    scene_part(scene, twin, cast.cara, (struct world_node *)NULL);
    world_start(twin);
    scene_card(scene, cast.ana);
    scene_card(scene, twin);
    scene_wait(scene, 60);
    scene_join(scene);
    scene_settle(scene);
    scene_expect(scene, !sim_forks_is_same_device(cast.ana, twin), "different keys");
}

/* 8. cara is removed on one branch, two rotations of the other include her: once united, nothing
 * that the device that knows of the removal writes can be read by her. */
static void sim_forks_removal(struct scene *scene)
{
    struct sim_forks_cast cast;
    struct world_node *clone, *dan, *eve;

    sim_forks_meet(scene, &cast);
    dan = scene_member(scene, "dan");
    eve = scene_member(scene, "eve");
    scene_link(scene, cast.ana, dan);
    scene_link(scene, cast.ana, eve);
    scene_settle(scene);
    world_crash(cast.ana);
    clone = world_clone(cast.ana, false);
    scene_part(scene, clone, cast.cara, (struct world_node *)NULL);
    world_start(cast.ana);
    world_start(clone);
    scene_ask(scene, cast.ana, "peer.remove", json_pack("{s:s}", "who", "cara"));
    scene_ask(scene, clone, "peer.remove", json_pack("{s:s}", "who", "dan"));
    scene_card(scene, clone);
    scene_ask(scene, clone, "peer.remove", json_pack("{s:s}", "who", "eve"));
    scene_card(scene, clone);
    scene_wait(scene, 60);
    judge_parted(&scene->judge, cast.ana->person, cast.cara->person);
    world_crash(dan); /* Who is whose peer after two removals is not what is asked here. */
    world_crash(eve);
    scene_join(scene);
    scene_wait(scene, 300);
    scene_card(scene, cast.ana);
    scene_wait(scene, 300);
    scene_card(scene, cast.ana);
    scene_wait(scene, 300);
    judge_search(&scene->judge, cast.cara);
    world_crash(cast.cara); /* The clone has not met ana, and has her for a peer. */
    scene_settle(scene);
}

/* A knock that was told on the lost branch only, and a peer whom the restored machine cannot call:
 * the peer comes in by the knock the link was made with. */
static void sim_forks_lost_knock(struct scene *scene)
{
    struct sim_forks_cast cast;
    struct world_home *home;
    size_t since;

    sim_forks_meet(scene, &cast);
    home = world_snapshot(cast.ana);
    since = scene->judge.canaries_count;
    judge_parted(&scene->judge, cast.ana->person, cast.cara->person);
    scene_ask(scene, cast.ana, "peer.remove", json_pack("{s:s}", "who", "cara"));
    world_crash(cast.cara);
    scene_card(scene, cast.ana);
    scene_settle(scene);
    world_crash(cast.ben);
    scene_wait(scene, 60);
    cast.ben->address.host[15]++; /* It has moved, and nobody knows where. */
    scene_restore(scene, cast.ana, home, since);
    world_home_free(home);
    scene_wait(scene, 60);
    world_start(cast.ben);
    scene_settle(scene);
    scene_expect(scene, judge_is_settled(cast.ana, cast.ben), "in touch again");
    scene_ask(scene, cast.ana, "peer.remove", json_pack("{s:s}", "who", "cara"));
    scene_settle(scene);
}

/* A successor that its only peer knew, until that one's machine went back, too. */
static void sim_forks_unknown_successor(struct scene *scene)
{
    struct world_node *ana = scene_member(scene, "ana"), *ben = scene_member(scene, "ben");
    struct world_home *anas, *bens;
    size_t since;

    scene_link(scene, ana, ben);
    scene_card(scene, ana);
    scene_settle(scene);
    anas = world_snapshot(ana);
    bens = world_snapshot(ben);
    since = scene->judge.canaries_count;
    scene_card(scene, ana);
    scene_settle(scene);
    scene_restore(scene, ana, anas, since);
    scene_card(scene, ana);
    scene_settle(scene);
    scene_expect(scene, scene_devices(ben, ana) == 2, "a successor");
    world_crash(ana);
    ana->address.host[15]++; /* It has moved: ben cannot call. */
    scene_restore(scene, ben, bens, since);
    world_start(ana);
    scene_settle(scene);
    scene_expect(scene, judge_is_settled(ana, ben), "in touch again");
    world_home_free(anas);
    world_home_free(bens);
}

/* A clone whose peer was a successor when it was made: that one is lost, and nobody knows where the
 * clone is. It comes in under the name the peer had before. */
static void sim_forks_lost_successor(struct scene *scene)
{
    struct world_node *ana = scene_member(scene, "ana"), *ben = scene_member(scene, "ben");
    struct world_node *clone;
    struct world_home *home;
    size_t since;

    scene_link(scene, ana, ben);
    scene_card(scene, ben);
    scene_settle(scene);
    home = world_snapshot(ben);
    since = scene->judge.canaries_count;
    scene_card(scene, ben);
    scene_settle(scene);
    scene_restore(scene, ben, home, since);
    scene_card(scene, ben);
    scene_settle(scene);
    scene_expect(scene, scene_devices(ana, ben) == 2, "a successor");
    world_crash(ana);
    clone = world_clone(ana, false);
    world_start(ana);
    scene_restore(scene, ben, home, since);
    scene_settle(scene);
    scene_expect(scene, scene_devices(ana, ben) == 3, "another");
    scene_card(scene, ana);
    world_start(clone);
    scene_card(scene, clone);
    scene_contact(scene, clone);
    scene_settle(scene);
    scene_expect(scene, judge_is_settled(clone, ben), "in touch");
    scene_expect(scene, !sim_forks_is_same_device(ana, clone), "two devices");
    world_home_free(home);
}

static const struct scene_named sim_forks_scenarios[] = {
    {"1 blind space", sim_forks_blind_space},
    {"1 blind space made after the copy", sim_forks_blind_new_space},
    {"2 hidden pair fork", sim_forks_hidden_pair},
    {"3 two healings at once", sim_forks_two_healings},
    {"4 returned, then rolled back", sim_forks_returned_then_rolled_back},
    {"5 twin restatement", sim_forks_twin_restatement},
    {"6 old against new", sim_forks_old_against_new},
    {"7 dead branch", sim_forks_dead_branch},
    {"7 twins with one random state", sim_forks_twins},
    {"8 removal on one branch", sim_forks_removal},
    {"9 a knock of the lost branch", sim_forks_lost_knock},
    {"10 a successor whose peer went back", sim_forks_unknown_successor},
    {"11 a successor that is lost", sim_forks_lost_successor},
};

static bool sim_forks_key_file(const struct scene_wanted *wanted)
{
    struct scene scene;
    char name[64];
    bool is_well = true;

    for (uint64_t step = 1; step <= SIM_FORKS_KEY_STEPS + 2; step++) {
        (void)snprintf(name, sizeof name, "7 power cut at the key file, step %llu",
                       (unsigned long long)step);
        if (!scene_is_wanted(wanted, name))
            continue;
        scene_begin(&scene, step, wanted->is_talkative);
        sim_forks_keys(&scene, step);
        is_well &= scene_end(&scene, name);
    }
    return is_well;
}

int main(int argc, char **argv)
{
    const struct scene_sweep sweep = {"7", SIM_FORKS_SWEEP, sim_forks_sweep};
    struct scene_wanted wanted;
    bool is_well;

    scene_want(argc, argv, &wanted);
    is_well = scene_run(&wanted, sim_forks_scenarios,
                        sizeof sim_forks_scenarios / sizeof sim_forks_scenarios[0]);
    is_well &= scene_run_sweep(&wanted, &sweep);
    is_well &= sim_forks_key_file(&wanted);
    return is_well ? 0 : 1;
}
