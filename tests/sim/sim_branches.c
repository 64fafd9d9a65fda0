/*
 * Own devices that hold different branches of another member's log, or different lengths of one
 * that is frozen: retired, and nobody has said yet how much of it counts.
 *
 *   sim_branches               all of them
 *   sim_branches "2 " --trace  those whose name begins so, told step by step
 */
#include "crypto/secret.h"
#include "storage/retire_table.h"
#include "storage/return_table.h"
#include "storage/view_peer.h"
#include "tests/sim/scene.h"

/* ana has a desk and a lap, ben is her peer; his clone has met nobody yet, and is off. */
struct sim_branches_cast {
    struct world_node *desk, *lap, *ben, *clone;
};

static void sim_branches_meet(struct scene *scene, struct sim_branches_cast *cast)
{
    cast->desk = scene_member(scene, "ana");
    cast->ben = scene_member(scene, "ben");
    scene_link(scene, cast->desk, cast->ben);
    cast->lap = world_join(cast->desk);
    world_start(cast->lap);
    scene_card(scene, cast->ben);
    scene_pair(scene, cast->ben, cast->desk);
    scene_settle(scene);
    world_crash(cast->ben);
    cast->clone = world_clone(cast->ben, false);
}

/* One branch comes to the desk, the other to the lap; then both machines of ben's are off. */
static void sim_branches_write(struct scene *scene, struct sim_branches_cast *cast, int desks,
                               int laps)
{
    scene_part(scene, cast->lap, cast->clone, (struct world_node *)NULL);
    world_start(cast->ben);
    world_start(cast->clone);
    for (int at = 0; at < desks; at++) {
        scene_pair(scene, cast->ben, cast->desk);
        scene_card(scene, cast->ben);
    }
    for (int at = 0; at < laps; at++) {
        scene_pair(scene, cast->clone, cast->lap);
        scene_card(scene, cast->clone);
    }
    scene_wait(scene, 60);
    world_crash(cast->ben);
    world_crash(cast->clone);
}

/* Entries of the log of ben's pair space that his device writes; more_returns counts beside it. */
struct sim_branches_look {
    const struct world_node *ben;
    uint64_t size;
    size_t returns;
};

static void sim_branches_on_node(struct world_node *node, void *self)
{
    struct sim_branches_look *look = self;
    struct peer *peer = secret_new(sizeof *peer);
    struct return_place place = {0};
    struct snapshot snapshot;
    struct return_row row;
    struct space_row pair;
    struct log_id id;
    struct log_row log;

    KITH_ASSERT(peer != NULL);
    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(view_peer(&snapshot, &look->ben->secrets->member, peer));
    id.space = peer->pair_in;
    secret_free(peer);
    world_must(ledger_space(&snapshot, &id.space, &pair));
    for (uint32_t number = 1; ledger_log_numbered(&snapshot, number, &log) == ERR_OK; number++)
        if (log.space == pair.number && log.tip.size > look->size)
            look->size = log.tip.size;
    while (return_table_next(&snapshot, &place, &row) == ERR_OK)
        look->returns += place.space == pair.number;
    ledger_snapshot_end(&snapshot);
}

static struct sim_branches_look sim_branches_at(struct world_node *node,
                                                const struct world_node *ben)
{
    struct sim_branches_look look = {.ben = ben};

    world_look(node, sim_branches_on_node, &look);
    return look;
}

/* Both devices are on the longer branch, and hold the other beside it. */
static void sim_branches_agree(struct scene *scene, struct sim_branches_cast *cast,
                               uint64_t expected)
{
    struct sim_branches_look desk, lap;

    scene_join(scene);
    scene_settle(scene);
    desk = sim_branches_at(cast->desk, cast->ben);
    lap = sim_branches_at(cast->lap, cast->ben);
    scene_expect(scene, desk.size == expected, "the longer branch at the desk");
    scene_expect(scene, lap.size == expected, "the longer branch at the lap");
    scene_expect(scene, desk.returns > 0 && lap.returns > 0, "the other branch beside it");
}

/* ben's machines are back: what they wrote comes to be theirs again. */
static void sim_branches_mend(struct scene *scene, struct sim_branches_cast *cast)
{
    struct sim_branches_look look;

    world_start(cast->ben);
    world_start(cast->clone);
    scene_settle(scene);
    look = sim_branches_at(cast->lap, cast->ben);
    scene_expect(scene, look.returns == 0, "nothing is left beside the logs");
}

/* 1. Neither branch is known to be one; the longer stays. */
static void sim_branches_longer(struct scene *scene)
{
    struct sim_branches_cast cast;
    uint64_t before;

    sim_branches_meet(scene, &cast);
    before = sim_branches_at(cast.desk, cast.ben).size;
    sim_branches_write(scene, &cast, 1, 3);
    sim_branches_agree(scene, &cast, before + 3);
    sim_branches_mend(scene, &cast);
}

/* 2. Two of one length. */
static void sim_branches_equal(struct scene *scene)
{
    struct sim_branches_cast cast;
    uint64_t before;

    sim_branches_meet(scene, &cast);
    before = sim_branches_at(cast.desk, cast.ben).size;
    sim_branches_write(scene, &cast, 2, 2);
    sim_branches_agree(scene, &cast, before + 2);
    sim_branches_mend(scene, &cast);
}

/* That ben's device was retired comes to one device of ana's alone, without a keep for anything. */
struct sim_branches_retiring {
    const struct world_node *ben;
};

static enum err sim_branches_retire(void *what, struct ledger_txn *txn)
{
    const struct world_node *ben = ((struct sim_branches_retiring *)what)->ben;
    struct signing_key *root = secret_new(sizeof *root), *device = secret_new(sizeof *device);
    struct retirement retirement = {.reason = RETIRE_FORKED, .time_ms = 1};
    struct buf statement = {0};
    enum err err;

    KITH_ASSERT(root != NULL && device != NULL);
    identity_signing_key(ben->secrets->root_seed, root);
    identity_signing_key(ben->secrets->signing_seed, device);
    retirement.device = device->public_key;
    err = retire_issue(&retirement, &(struct retire_signer){.root = root}, &statement);
    if (err == ERR_OK)
        err = retire_table_take(txn, &ben->secrets->member, buf_span(&statement));
    buf_release(&statement);
    secret_free(root);
    secret_free(device);
    return err;
}

static void sim_branches_on_done(struct world_node *node, void *self, enum err err,
                                 const struct op_call *call)
{
    (void)node;
    (void)self;
    (void)call;
    world_must(err);
}

static void sim_branches_freeze(struct scene *scene, struct sim_branches_cast *cast,
                                struct world_node *node)
{
    struct sim_branches_retiring retiring = {.ben = cast->clone};

    world_write(node, sim_branches_retire, &retiring, sim_branches_on_done, NULL);
    scene_wait(scene, 1);
}

/* 3. The desk holds more of a frozen log than the lap, which knows that it is frozen, too. */
static void sim_branches_frozen(struct scene *scene)
{
    struct sim_branches_cast cast;
    uint64_t before;

    sim_branches_meet(scene, &cast);
    before = sim_branches_at(cast.desk, cast.ben).size;
    sim_branches_write(scene, &cast, 3, 0);
    sim_branches_freeze(scene, &cast, cast.desk);
    sim_branches_freeze(scene, &cast, cast.lap);
    scene_expect(scene, sim_branches_at(cast.lap, cast.ben).size == before, "less at the lap");
    scene_join(scene);
    scene_settle(scene);
    scene_expect(scene, sim_branches_at(cast.lap, cast.ben).size == before + 3, "all at the lap");
    sim_branches_mend(scene, &cast);
}

/* 4. The same with two branches. */
static void sim_branches_both_frozen(struct scene *scene)
{
    struct sim_branches_cast cast;
    uint64_t before;

    sim_branches_meet(scene, &cast);
    before = sim_branches_at(cast.desk, cast.ben).size;
    sim_branches_write(scene, &cast, 1, 2);
    sim_branches_freeze(scene, &cast, cast.lap);
    sim_branches_agree(scene, &cast, before + 2);
    sim_branches_mend(scene, &cast);
}

static const struct scene_named sim_branches_scenes[] = {
    {"1 the longer branch", sim_branches_longer},
    {"2 branches of one length", sim_branches_equal},
    {"3 a frozen log", sim_branches_frozen},
    {"4 two branches of a frozen log", sim_branches_both_frozen},
};

int main(int argc, char **argv)
{
    struct scene_wanted wanted;

    scene_want(argc, argv, &wanted);
    return scene_run(&wanted, sim_branches_scenes,
                     sizeof sim_branches_scenes / sizeof sim_branches_scenes[0])
               ? 0
               : 1;
}
