/*
 * Logs that begin for a newcomer at a restatement, and what then happens when machines go back,
 * die or meet.
 *
 *   sim_begin               all of them
 *   sim_begin "3 " --trace  those whose name begins so, told step by step
 */
#include <stdio.h>

#include "storage/view_peer.h"
#include "tests/sim/scene.h"

enum { SIM_BEGIN_EDITS = 300, SIM_BEGIN_FEW = 60 };

/* What one node holds of the card logs of another's member. */
struct sim_begin_look {
    const struct world_node *writer;
    uint64_t start, size; /* of the log that starts the latest */
    size_t logs;
};

static void sim_begin_on_node(struct world_node *node, void *self)
{
    struct sim_begin_look *look = self;
    struct snapshot snapshot;
    struct space_row card;
    struct peer peer;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(view_peer(&snapshot, &look->writer->secrets->member, &peer));
    world_must(ledger_space(&snapshot, &peer.card_in, &card));
    for (uint32_t number = 1;; number++) {
        struct log_row log;
        enum err err = ledger_log_numbered(&snapshot, number, &log);

        if (err == ERR_NOT_FOUND)
            break;
        world_must(err);
        if (log.space != card.number || log.tip.size == 0)
            continue;
        look->logs++;
        if (log.start >= look->start) {
            look->start = log.start;
            look->size = log.tip.size;
        }
    }
    ledger_snapshot_end(&snapshot);
}

static struct sim_begin_look sim_begin_at(struct world_node *reader,
                                          const struct world_node *writer)
{
    struct sim_begin_look look = {.writer = writer};

    world_look(reader, sim_begin_on_node, &look);
    return look;
}

static void sim_begin_edit(struct scene *scene, struct world_node *node, int count)
{
    char text[16];

    for (int at = 0; at < count; at++) {
        (void)snprintf(text, sizeof text, "org %d", at);
        scene_org(scene, node, text);
    }
}

/* ana has changed her card often when dan links with her: so she restates it. */
struct sim_begin_cast {
    struct world_node *ana, *ben, *dan;
};

static void sim_begin_admit(struct scene *scene, struct sim_begin_cast *cast)
{
    cast->dan = scene_member(scene, "dan");
    scene_link(scene, cast->ana, cast->dan);
    scene_card(scene, cast->ana);
    scene_settle(scene);
    scene_expect(scene, sim_begin_at(cast->dan, cast->ana).start >= BLOCK_ENTRIES_MAX,
                 "dan's copy begins at the restatement");
}

static void sim_begin_meet(struct scene *scene, struct sim_begin_cast *cast)
{
    cast->ana = scene_member(scene, "ana");
    cast->ben = scene_member(scene, "ben");
    scene_link(scene, cast->ana, cast->ben);
    scene_card(scene, cast->ana);
    sim_begin_edit(scene, cast->ana, SIM_BEGIN_EDITS);
    scene_settle(scene);
    sim_begin_admit(scene, cast);
}

/* 1. dan holds what is live and little else; ben, who was there before, holds it all. */
static void sim_begin_newcomer(struct scene *scene)
{
    struct sim_begin_cast cast;
    struct sim_begin_look look;

    sim_begin_meet(scene, &cast);
    look = sim_begin_at(cast.dan, cast.ana);
    scene_expect(scene, look.size - look.start < BLOCK_ENTRIES_MAX, "little is held");
    scene_expect(scene, sim_begin_at(cast.ben, cast.ana).start == 0, "ben's copy is whole");
    sim_begin_edit(scene, cast.ana, 2 * SIM_BEGIN_FEW);
    world_crash(cast.dan);
    scene_card(scene, cast.ana);
    world_start(cast.dan);
    scene_settle(scene);
}

/* 2. ana's machine goes back to before all that dan holds, and nobody else has it. */
static void sim_begin_went_back(struct scene *scene)
{
    struct sim_begin_cast cast = {0};
    struct world_home *home;
    size_t since;

    cast.ana = scene_member(scene, "ana");
    scene_card(scene, cast.ana);
    sim_begin_edit(scene, cast.ana, SIM_BEGIN_FEW);
    home = world_snapshot(cast.ana);
    since = scene->judge.canaries_count;
    sim_begin_edit(scene, cast.ana, SIM_BEGIN_EDITS);
    scene_card(scene, cast.ana);
    sim_begin_admit(scene, &cast);
    scene_org(scene, cast.ana, "lost");
    scene_settle(scene);
    scene_restore(scene, cast.ana, home, since);
    scene_card(scene, cast.ana);
    scene_link(scene, cast.ana, cast.dan);
    scene_settle(scene);
    scene_expect(scene, scene_has_org(cast.ana, "lost"), "what only dan held came back");
    scene_expect(scene, scene_devices(cast.dan, cast.ana) == 2, "one successor");
    scene_card(scene, cast.ana);
    scene_settle(scene);
    world_home_free(home);
}

/* 3. dan's second device takes ana's card from dan, who holds the end of it alone; then both go on
 * with ana. */
static void sim_begin_sibling(struct scene *scene)
{
    struct sim_begin_cast cast;
    struct world_node *pad;

    sim_begin_meet(scene, &cast);
    world_crash(cast.ana);
    pad = world_join(cast.dan);
    world_start(pad);
    scene_settle(scene);
    scene_expect(scene, sim_begin_at(pad, cast.ana).start >= BLOCK_ENTRIES_MAX,
                 "the second device's copy begins where the first one's does");
    world_start(cast.ana);
    scene_card(scene, cast.ana);
    scene_settle(scene);
    world_crash(cast.dan);
    scene_card(scene, cast.ana);
    scene_settle(scene);
    world_start(cast.dan);
    scene_settle(scene);
}

/* 4. ana's laptop, alone, admits dan and dies: dan holds what ana's desk never had. */
static void sim_begin_dead_writer(struct scene *scene)
{
    struct sim_begin_cast cast = {0};
    struct world_node *lap;

    cast.ana = scene_member(scene, "ana");
    scene_card(scene, cast.ana);
    lap = world_join(cast.ana);
    world_start(lap);
    scene_settle(scene);
    scene_part(scene, cast.ana, (struct world_node *)NULL);
    sim_begin_edit(scene, lap, SIM_BEGIN_EDITS);
    cast.dan = scene_member(scene, "dan");
    scene_link(scene, lap, cast.dan);
    scene_card(scene, lap);
    scene_org(scene, lap, "last");
    scene_wait(scene, 60);
    scene_expect(scene, sim_begin_at(cast.dan, cast.ana).start >= BLOCK_ENTRIES_MAX,
                 "dan's copy begins at the restatement");
    world_crash(lap);
    scene_join(scene);
    scene_link(scene, cast.ana, cast.dan);
    scene_wait(scene, 120);
    scene_expect(scene, scene_has_org(cast.ana, "last"), "what only dan held came back");
    world_start(lap); /* It was not dead after all. */
    scene_settle(scene);
    scene_expect(scene, scene_has_org(lap, "last"), "and stays");
}

/* 5. Two clones of ana: one restates for dan, the other writes on. */
static void sim_begin_clones(struct scene *scene)
{
    struct sim_begin_cast cast = {0};
    struct world_node *clone;

    cast.ana = scene_member(scene, "ana");
    cast.ben = scene_member(scene, "ben");
    scene_link(scene, cast.ana, cast.ben);
    scene_card(scene, cast.ana);
    sim_begin_edit(scene, cast.ana, SIM_BEGIN_FEW);
    scene_settle(scene);
    world_crash(cast.ana);
    clone = world_clone(cast.ana, false);
    scene_part(scene, clone, cast.ben, (struct world_node *)NULL);
    world_start(cast.ana);
    world_start(clone);
    sim_begin_edit(scene, cast.ana, SIM_BEGIN_EDITS);
    sim_begin_edit(scene, clone, SIM_BEGIN_FEW);
    scene_card(scene, clone);
    cast.dan = scene_member(scene, "dan");
    scene_link(scene, cast.ana, cast.dan);
    scene_card(scene, cast.ana);
    scene_wait(scene, 60);
    scene_expect(scene, sim_begin_at(cast.dan, cast.ana).start >= BLOCK_ENTRIES_MAX,
                 "dan's copy begins at the restatement");
    scene_join(scene);
    scene_settle(scene);
    scene_card(scene, cast.ana);
    scene_card(scene, clone);
    scene_settle(scene);
}

static const struct scene_named sim_begin_scenarios[] = {
    {"1 newcomer", sim_begin_newcomer},       {"2 a machine that went back", sim_begin_went_back},
    {"3 a second device", sim_begin_sibling}, {"4 a writer that died", sim_begin_dead_writer},
    {"5 clones", sim_begin_clones},
};

int main(int argc, char **argv)
{
    struct scene_wanted wanted;

    scene_want(argc, argv, &wanted);
    return scene_run(&wanted, sim_begin_scenarios,
                     sizeof sim_begin_scenarios / sizeof sim_begin_scenarios[0])
               ? 0
               : 1;
}
