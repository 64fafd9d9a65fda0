/*
 * Members with several devices.
 *
 *   sim_devices               all of it
 *   sim_devices "1 " --trace  those whose name begins so, told step by step
 */
#include <stdio.h>
#include <string.h>

#include "storage/absent.h"
#include "storage/standing.h"
#include "storage/view_peer.h"
#include "tests/sim/judge_search.h"
#include "tests/sim/scene.h"

enum { SIM_DEVICES_SWEEP = 7 };

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

/* 7. The lap is stolen. The thief writes and certifies an accomplice, whom ben meets; then the desk
 * says so. What they wrote is gone everywhere, what the lap wrote before stays, and nothing written
 * from then on reaches them, whoever they call. */
static void sim_devices_stolen(struct scene *scene)
{
    struct sim_devices_cast cast;
    struct world_node *accomplice, *pad;

    sim_devices_meet(scene, &cast);
    scene_settle(scene);
    scene_card(scene, cast.lap);
    scene_contact(scene, cast.lap);
    pad = world_join(cast.lap); /* Before the theft, and told to all: it stays. */
    world_start(pad);
    scene_settle(scene);
    scene_part(scene, cast.desk, pad, (struct world_node *)NULL);
    scene_org(scene, cast.lap, "thief");
    accomplice = world_join(cast.lap);
    world_start(accomplice);
    scene_wait(scene, 30);
    scene_org(scene, accomplice, "accomplice");
    scene_wait(scene, 30);
    scene_expect(scene, scene_devices(cast.ben, cast.desk) == 4, "the accomplice at the peer");
    scene_shut_out(scene, cast.desk, cast.lap, RETIRE_STOLEN);
    scene_org(scene, cast.desk, "owner");
    scene_join(scene);
    scene_wait(scene, 120);
    scene_org(scene, cast.desk, "owner again");
    scene_wait(scene, 60);
    scene_expect(scene, !scene_has_org(cast.lap, "owner again"), "nothing for the thief");
    scene_expect(scene, !scene_has_org(accomplice, "owner again"), "nothing for the accomplice");
    world_crash(cast.lap);
    world_crash(accomplice);
    scene_settle(scene);
    scene_expect(scene, scene_has_org(pad, "owner again"), "the card at the device that stays");
    scene_card(scene, pad);
    scene_settle(scene);
    world_start(cast.lap);
    world_start(accomplice);
    scene_wait(scene, 300);
    scene_expect(scene, !scene_has_org(cast.lap, "owner again"), "nothing for the thief later");
    world_crash(cast.lap);
    world_crash(accomplice);
    scene_settle(scene);
}

/* 8. The lap is given up: what it wrote and had not told comes back, and nothing more. */
static void sim_devices_given_up(struct scene *scene)
{
    struct sim_devices_cast cast;

    sim_devices_meet(scene, &cast);
    scene_settle(scene);
    scene_card(scene, cast.lap);
    scene_settle(scene);
    scene_shut_out(scene, cast.desk, cast.lap, RETIRE_OWNER);
    scene_wait(scene, 60);
    scene_org(scene, cast.desk, "without the lap");
    scene_wait(scene, 60);
    scene_expect(scene, !scene_has_org(cast.lap, "without the lap"), "nothing for the lap");
    world_crash(cast.lap);
    scene_settle(scene);
}

/* All payloads of a space that a node holds are dropped, those that are not sealed aside; the lists
 * made of them stay. */
struct sim_devices_drop {
    struct id space;
    uint64_t dropped;
};

static enum err sim_devices_drop_all(void *what, struct ledger_txn *txn)
{
    struct sim_devices_drop *drop = what;
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint64_t newest = 0;
    enum err err = ledger_newest_arrival(&snapshot, &newest);

    for (uint64_t arrival = 1; err == ERR_OK && arrival <= newest; arrival++) {
        struct entry_row entry;
        struct space_row space;
        struct log_row log;

        err = ledger_entry(&snapshot, arrival, &entry);
        if (err == ERR_OK)
            err = ledger_log_numbered(&snapshot, entry.log, &log);
        if (err == ERR_OK)
            err = ledger_space_numbered(&snapshot, log.space, &space);
        if (err != ERR_OK || !id_is_equal(&space.id, &drop->space) ||
            entry.entry.header.epoch_index == 0 || entry.entry.payload.size == 0)
            continue;
        err = absent_drop(txn, arrival);
        drop->dropped++;
    }
    return err;
}

static enum err sim_devices_on_log(void *self, const struct log_row *log)
{
    uint64_t *missing = self;

    *missing += log->number;
    return ERR_OK;
}

static uint64_t sim_devices_missing(struct world_node *node, const struct id *id)
{
    struct snapshot snapshot;
    struct space_row space;
    uint64_t missing = 0, bytes = 0;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(ledger_space(&snapshot, id, &space));
    world_must(ledger_logs(&snapshot, space.number, sim_devices_on_log, &bytes));
    for (uint32_t log = 1; log <= bytes; log++) {
        struct log_row row;
        uint64_t some = 0;

        if (ledger_log_numbered(&snapshot, log, &row) != ERR_OK || row.space != space.number)
            continue;
        world_must(absent_bytes(&snapshot, log, 0, &some));
        missing += some;
    }
    ledger_snapshot_end(&snapshot);
    return missing;
}

static void sim_devices_on_done(struct world_node *node, void *self, enum err err,
                                const struct op_call *call)
{
    (void)node;
    (void)self;
    (void)call;
    world_must(err);
}

/* 9. Payloads are lost at a peer and at an own device; each gets them back at the next meeting. */
static void sim_devices_lost(struct scene *scene)
{
    struct sim_devices_drop drop = {.dropped = 0};
    struct sim_devices_cast cast;
    struct snapshot snapshot;
    struct space_row card;

    sim_devices_meet(scene, &cast);
    scene_settle(scene);
    world_must(ledger_snapshot(cast.desk->ledger, &snapshot));
    world_must(ledger_own_space(&snapshot, SPACE_CARD, &card));
    ledger_snapshot_end(&snapshot);
    drop.space = card.id;
    world_write(cast.ben, sim_devices_drop_all, &drop, sim_devices_on_done, NULL);
    scene_wait(scene, 1);
    world_write(cast.lap, sim_devices_drop_all, &drop, sim_devices_on_done, NULL);
    scene_wait(scene, 1);
    scene_expect(scene, drop.dropped > 4, "payloads to lose");
    scene_expect(scene, sim_devices_missing(cast.ben, &card.id) > 0, "payloads lost");
    world_crash(cast.ben);
    world_crash(cast.lap);
    world_start(cast.ben);
    world_start(cast.lap);
    scene_settle(scene);
    scene_expect(scene, sim_devices_missing(cast.ben, &card.id) == 0, "all back at the peer");
    scene_expect(scene, sim_devices_missing(cast.lap, &card.id) == 0, "all back at the device");
}

static enum err sim_devices_on_uncertain(void *self, const struct device_row *device)
{
    *(size_t *)self += !public_key_is_equal(&device->certifier, &device->member);
    return ERR_OK;
}

/* Devices of a member that this node knows and the root did not certify. */
static size_t sim_devices_uncertain(struct world_node *node, const struct world_node *member)
{
    struct snapshot snapshot;
    size_t count = 0;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(
        view_device_each(&snapshot, &member->secrets->member, sim_devices_on_uncertain, &count));
    ledger_snapshot_end(&snapshot);
    return count;
}

/* 10. The lap, which has no root, goes back to an old copy while the desk is off: its successor is
 * certified by itself, and by the root once the desk is back. */
static void sim_devices_without_root(struct scene *scene)
{
    struct sim_devices_cast cast;
    struct world_home *home;
    size_t since;

    sim_devices_meet(scene, &cast);
    scene_settle(scene);
    home = world_snapshot(cast.lap);
    since = scene->judge.canaries_count;
    scene_card(scene, cast.lap);
    scene_contact(scene, cast.lap);
    scene_settle(scene);
    world_crash(cast.desk);
    scene_restore(scene, cast.lap, home, since);
    scene_settle(scene);
    scene_expect(scene, scene_devices(cast.ben, cast.lap) == 3, "a successor without a root");
    scene_expect(scene, sim_devices_uncertain(cast.ben, cast.lap) == 1, "by its own chain");
    scene_card(scene, cast.lap);
    scene_settle(scene);
    world_start(cast.desk);
    scene_settle(scene);
    scene_expect(scene, sim_devices_uncertain(cast.ben, cast.lap) == 0, "by the root at last");
    scene_contact(scene, cast.lap);
    scene_pair(scene, cast.lap, cast.ben);
    scene_settle(scene);
    world_home_free(home);
}

/* Goes back to a copy after it has written, and heals: one more successor. */
static void sim_devices_go_back(struct scene *scene, struct world_node *node)
{
    struct world_home *home = world_snapshot(node);
    size_t since = scene->judge.canaries_count;

    scene_card(scene, node);
    scene_contact(scene, node);
    scene_settle(scene);
    scene_restore(scene, node, home, since);
    scene_settle(scene);
    world_home_free(home);
}

/* 11. The pen stands as far below the root as a device can: admitted by the pad, that by the lap.
 * The desk is off; the pen goes back twice, and each successor is heard. */
static void sim_devices_far_below(struct scene *scene)
{
    struct sim_devices_cast cast;
    struct world_node *pad, *pen;

    sim_devices_meet(scene, &cast);
    scene_settle(scene);
    world_crash(cast.desk);
    pad = world_join(cast.lap);
    world_start(pad);
    scene_settle(scene);
    pen = world_join(pad);
    world_start(pen);
    scene_settle(scene);
    scene_expect(scene, sim_devices_uncertain(cast.ben, pen) == 2, "pad and pen without the root");
    sim_devices_go_back(scene, pen);
    scene_expect(scene, sim_devices_uncertain(cast.ben, pen) == 3, "a successor so far down");
    scene_pair(scene, pen, cast.ben);
    scene_settle(scene);
    sim_devices_go_back(scene, pen);
    scene_expect(scene, sim_devices_uncertain(cast.ben, pen) == 4, "and one of the successor's");
    scene_card(scene, pen);
    scene_pair(scene, pen, cast.ben);
    scene_settle(scene);
    world_start(cast.desk);
    scene_settle(scene);
    scene_expect(scene, sim_devices_uncertain(cast.ben, pen) == 3, "the last by the root at last");
    sim_devices_go_back(scene, pen);
    scene_contact(scene, pen);
    scene_settle(scene);
    scene_expect(scene, scene_devices(cast.desk, pen) == 7, "there is room again");
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

/* 12. One device links with somebody while the other removes a peer, and neither knows of it. */
static void sim_devices_linked_and_removed(struct scene *scene)
{
    struct sim_devices_cast cast;
    struct world_node *dan;

    sim_devices_meet(scene, &cast);
    scene_settle(scene);
    scene_part(scene, cast.desk, (struct world_node *)NULL);
    dan = scene_member(scene, "dan");
    scene_link(scene, cast.lap, dan);
    scene_ask(scene, cast.desk, "peer.remove", json_pack("{s:s}", "who", "ben"));
    scene_card(scene, cast.lap); /* It cannot know: ben may read it. */
    scene_wait(scene, 60);
    judge_parted(&scene->judge, cast.desk->person, cast.ben->person);
    scene_join(scene);
    scene_wait(scene, 120);
    scene_card(scene, cast.desk);
    scene_settle(scene);
    world_crash(cast.lap);
    scene_card(scene, cast.desk);
    scene_settle(scene);
}

static enum standing sim_devices_knows(struct world_node *node)
{
    enum standing standing;
    struct snapshot snapshot;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(standing_of(&snapshot, ledger_device(node->ledger), &standing));
    ledger_snapshot_end(&snapshot);
    return standing;
}

/* The desk and the lap talk, and nobody else is there: whoever is given up hears it before the desk
 * answers no more, and gets nothing of what comes with it. */
static void sim_devices_part(struct scene *scene, enum retire_reason reason, enum standing expected)
{
    struct world_node *desk = scene_member(scene, "ana");
    struct world_node *lap = world_join(desk);

    world_start(lap);
    scene_settle(scene);
    scene_shut_out(scene, desk, lap, reason);
    scene_expect(scene, sim_devices_knows(lap) == expected, "what the lap hears at once");
    scene_contact(scene, desk);
    scene_wait(scene, 300);
    scene_expect(scene, sim_devices_knows(lap) == expected, "what the lap hears later");
    world_crash(lap);
    scene_settle(scene);
}

/* 13. PROTOCOL FACT-1, STOLEN-8 */
static void sim_devices_hears(struct scene *scene)
{
    sim_devices_part(scene, RETIRE_OWNER, STANDING_OWNER);
}

/* 14. */
static void sim_devices_hears_nothing(struct scene *scene)
{
    sim_devices_part(scene, RETIRE_STOLEN, STANDING_GOOD);
}

static const struct scene_named sim_devices_scenes[] = {
    {"1 second device", sim_devices_second},
    {"2 third device", sim_devices_third},
    {"3 two devices on either side", sim_devices_four},
    {"4 old copy of one of two", sim_devices_restored},
    {"5 removal at one of two", sim_devices_removal},
    {"7 stolen", sim_devices_stolen},
    {"8 given up", sim_devices_given_up},
    {"9 lost payloads", sim_devices_lost},
    {"10 old copy without the root", sim_devices_without_root},
    {"11 old copies far below the root", sim_devices_far_below},
    {"12 a link and a removal at once", sim_devices_linked_and_removed},
    {"13 given up in the middle of a talk", sim_devices_hears},
    {"14 stolen in the middle of a talk", sim_devices_hears_nothing},
};

int main(int argc, char **argv)
{
    const struct scene_sweep sweep = {"6", SIM_DEVICES_SWEEP, sim_devices_sweep};
    struct scene_wanted wanted;
    bool is_well;

    scene_want(argc, argv, &wanted);
    is_well = scene_run(&wanted, sim_devices_scenes,
                        sizeof sim_devices_scenes / sizeof sim_devices_scenes[0]);
    is_well &= scene_run_sweep(&wanted, &sweep);
    return is_well ? 0 : 1;
}
