/*
 * What a machine writes after it went back to an old copy, of what was deleted on the branch it
 * lost: the delete never saw it, and it shows at all own devices and at the peer, whichever branch
 * is kept in which space.
 *
 *   sim_deletes               all of them
 *   sim_deletes "2 " --trace  those whose name begins so, told step by step
 */
#include "node/amend.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "storage/row.h"
#include "tests/sim/scene.h"

/* ana has a desk and a lap, and one peer. */
struct sim_deletes_cast {
    struct world_node *desk, *lap, *ben;
};

/* A contact that the own devices have, and an object of the card that the peer has, too. */
struct sim_deletes_thing {
    enum space_kind space;
    uint8_t kind, field, later;
    struct id id;
};

static const struct sim_deletes_thing sim_deletes_things[] = {
    {SPACE_SELF, KIND_CONTACT, CONTACT_NAME, CONTACT_ORG, {{1, 1}}},
    {SPACE_CARD, KIND_CARD, CARD_NAME, CARD_ORG, {{2, 2}}},
};

enum { SIM_DELETES_THINGS = sizeof sim_deletes_things / sizeof sim_deletes_things[0] };

static struct id sim_deletes_space(const struct snapshot *snapshot, enum space_kind kind)
{
    struct space_row space;

    for (uint32_t number = 1; ledger_space_numbered(snapshot, number, &space) == ERR_OK; number++)
        if (space.is_mine && space.kind == kind)
            return space.id;
    KITH_ASSERT(false);
    return (struct id){{0}};
}

struct sim_deletes_deed {
    const char *first, *later; /* what its fields say; NULL: as before */
    bool is_delete;
};

static enum err sim_deletes_do(void *what, struct ledger_txn *txn)
{
    const struct sim_deletes_deed *deed = what;
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < SIM_DELETES_THINGS; at++) {
        const struct sim_deletes_thing *thing = &sim_deletes_things[at];
        struct id space = sim_deletes_space(&snapshot, thing->space);
        struct amend amend;

        amend_begin(&amend, txn, &space, thing->kind, &thing->id);
        if (deed->first != NULL)
            amend_text(&amend, thing->field, span_str(deed->first));
        if (deed->later != NULL)
            amend_text(&amend, thing->later, span_str(deed->later));
        if (deed->is_delete)
            amend_delete(&amend);
        err = amend_end(&amend, NULL);
    }
    return err;
}

static void sim_deletes_on_done(struct world_node *node, void *self, enum err err,
                                const struct op_call *call)
{
    (void)node;
    (void)call;
    world_must(err);
    *(bool *)self = true;
}

static void sim_deletes_act(struct scene *scene, struct world_node *node,
                            struct sim_deletes_deed deed)
{
    bool is_done = false;

    world_write(node, sim_deletes_do, &deed, sim_deletes_on_done, &is_done);
    scene_wait(scene, 5);
    scene_expect(scene, is_done, "it is written");
}

/* Does it show at this node, with these words in the later field? NULL: does it not? */
struct sim_deletes_look {
    const struct sim_deletes_thing *thing;
    struct id space;
    const char *later;
    bool is_so;
};

static void sim_deletes_on_owner(struct world_node *node, void *self)
{
    struct sim_deletes_look *look = self;
    struct snapshot snapshot;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    look->space = sim_deletes_space(&snapshot, look->thing->space);
    ledger_snapshot_end(&snapshot);
}

static void sim_deletes_on_node(struct world_node *node, void *self)
{
    struct sim_deletes_look *look = self;
    struct object object = {0};
    struct snapshot snapshot;
    bool is_visible = false;
    uint32_t number;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    if (row_get(&snapshot, &look->space, look->thing->kind, &look->thing->id, &object, &number) ==
        ERR_OK)
        is_visible = object_is_visible(&object);
    look->is_so = look->later == NULL
                      ? !is_visible
                      : is_visible && span_is_equal(object_text(&object, look->thing->later),
                                                    span_str(look->later));
    object_release(&object);
    ledger_snapshot_end(&snapshot);
}

static void sim_deletes_expect(struct scene *scene, struct sim_deletes_cast *cast,
                               const char *later)
{
    struct world_node *const nodes[] = {cast->desk, cast->lap, cast->ben};

    for (size_t at = 0; at < SIM_DELETES_THINGS; at++) {
        struct sim_deletes_look look = {.thing = &sim_deletes_things[at], .later = later};

        world_look(cast->desk, sim_deletes_on_owner, &look);
        for (size_t node = 0; node < (look.thing->space == SPACE_SELF ? 2u : 3u); node++) {
            world_look(nodes[node], sim_deletes_on_node, &look);
            if (!look.is_so)
                judge_fail(&scene->judge, "%s at %s: expected %s", at == 0 ? "contact" : "card",
                           nodes[node]->name, later != NULL ? later : "nothing");
        }
    }
}

/* Who the machine meets first when it is back, and so in which space the fork is proven. */
enum sim_deletes_first { FIRST_ALL, FIRST_BEN, FIRST_LAP };

static void sim_deletes_meet_first(struct scene *scene, struct sim_deletes_cast *cast,
                                   enum sim_deletes_first first)
{
    if (first == FIRST_BEN)
        scene_part(scene, cast->lap, (struct world_node *)NULL);
    else if (first == FIRST_LAP)
        scene_part(scene, cast->ben, (struct world_node *)NULL);
    else
        scene_join(scene);
    scene_wait(scene, 300);
    scene_join(scene);
    scene_settle(scene);
}

static void sim_deletes_tell(struct scene *scene, enum sim_deletes_first first, bool is_laps)
{
    struct sim_deletes_cast cast = {.desk = scene_member(scene, "ana"),
                                    .ben = scene_member(scene, "ben")};
    struct world_home *home;
    size_t since;

    scene_link(scene, cast.desk, cast.ben);
    cast.lap = world_join(cast.desk);
    world_start(cast.lap);
    scene_settle(scene);
    sim_deletes_act(scene, cast.desk, (struct sim_deletes_deed){.first = "one"});
    scene_settle(scene);
    home = world_snapshot(cast.desk);
    since = scene->judge.canaries_count;
    for (int at = 0; at < 4; at++)
        scene_org(scene, cast.desk, at % 2 == 0 ? "here" : "there");
    sim_deletes_act(scene, cast.desk, (struct sim_deletes_deed){.first = "two"});
    scene_contact(scene, cast.desk);
    scene->judge.canaries[scene->judge.canaries_count - 1].is_acknowledged = true;
    scene_settle(scene);
    sim_deletes_act(scene, is_laps ? cast.lap : cast.desk,
                    (struct sim_deletes_deed){.is_delete = true});
    scene_settle(scene);
    sim_deletes_expect(scene, &cast, NULL);
    scene_part(scene, cast.desk, (struct world_node *)NULL);
    scene_restore(scene, cast.desk, home, since);
    sim_deletes_act(scene, cast.desk, (struct sim_deletes_deed){.later = "mine"});
    scene_wait(scene, 60);
    sim_deletes_meet_first(scene, &cast, first);
    sim_deletes_expect(scene, &cast, "mine");
    /* Whoever sees all of it can delete it for good. */
    sim_deletes_act(scene, cast.lap, (struct sim_deletes_deed){.is_delete = true});
    scene_settle(scene);
    sim_deletes_expect(scene, &cast, NULL);
    world_home_free(home);
}

/* Undone. */

static void sim_deletes_on_device(struct world_node *node, void *self)
{
    *(struct public_key *)self = *ledger_device(node->ledger);
}

/* The contact alone, at the own devices; the card says nothing of it. */
static void sim_deletes_expect_contact(struct scene *scene, struct sim_deletes_cast *cast,
                                       const char *later)
{
    struct sim_deletes_look look = {.thing = &sim_deletes_things[0], .later = later};

    world_look(cast->desk, sim_deletes_on_owner, &look);
    for (int at = 0; at < 2; at++) {
        struct world_node *node = at == 0 ? cast->desk : cast->lap;

        world_look(node, sim_deletes_on_node, &look);
        if (!look.is_so)
            judge_fail(&scene->judge, "contact at %s: expected %s", node->name,
                       later != NULL ? later : "nothing");
    }
}

/* A contact is deleted; then the desk goes back to an old copy, is healed, and has said nothing of
 * the contact meanwhile. Whoever deleted it takes that back. */
static void sim_deletes_undo(struct scene *scene, enum sim_deletes_first first, bool is_laps)
{
    struct sim_deletes_cast cast = {.desk = scene_member(scene, "ana"),
                                    .ben = scene_member(scene, "ben")};
    struct public_key before, after;
    struct world_home *home = NULL;
    size_t since;

    scene_link(scene, cast.desk, cast.ben);
    cast.lap = world_join(cast.desk);
    world_start(cast.lap);
    scene_settle(scene);
    sim_deletes_act(scene, cast.desk, (struct sim_deletes_deed){.first = "one", .later = "there"});
    scene_settle(scene);
    if (is_laps) /* The desk's old copy does not know of it; of its own it does. */
        home = world_snapshot(cast.desk);
    scene_ask(scene, is_laps ? cast.lap : cast.desk, "contact.remove",
              json_pack("{s:s}", "who", "one"));
    scene_settle(scene);
    if (!is_laps)
        home = world_snapshot(cast.desk);
    since = scene->judge.canaries_count;
    scene_contact(scene, cast.desk);
    scene->judge.canaries[scene->judge.canaries_count - 1].is_acknowledged = true;
    scene_settle(scene);
    world_look(cast.desk, sim_deletes_on_device, &before);
    scene_part(scene, cast.desk, (struct world_node *)NULL);
    scene_restore(scene, cast.desk, home, since);
    scene_org(scene, cast.desk, "elsewhere");
    scene_wait(scene, 60);
    sim_deletes_meet_first(scene, &cast, first);
    world_look(cast.desk, sim_deletes_on_device, &after);
    scene_expect(scene, !public_key_is_equal(&before, &after), "a successor goes on");
    sim_deletes_expect_contact(scene, &cast, NULL);
    scene_ask(scene, is_laps ? cast.lap : cast.desk, "undo", json_object());
    scene_settle(scene);
    sim_deletes_expect_contact(scene, &cast, "there");
    world_home_free(home);
}

static void sim_deletes_undo_laps_all(struct scene *scene)
{
    sim_deletes_undo(scene, FIRST_ALL, true);
}

static void sim_deletes_undo_laps_ben(struct scene *scene)
{
    sim_deletes_undo(scene, FIRST_BEN, true);
}

static void sim_deletes_undo_own_all(struct scene *scene)
{
    sim_deletes_undo(scene, FIRST_ALL, false);
}

static void sim_deletes_own_all(struct scene *scene)
{
    sim_deletes_tell(scene, FIRST_ALL, false);
}

static void sim_deletes_own_ben(struct scene *scene)
{
    sim_deletes_tell(scene, FIRST_BEN, false);
}

static void sim_deletes_own_lap(struct scene *scene)
{
    sim_deletes_tell(scene, FIRST_LAP, false);
}

static void sim_deletes_laps_all(struct scene *scene)
{
    sim_deletes_tell(scene, FIRST_ALL, true);
}

static void sim_deletes_laps_ben(struct scene *scene)
{
    sim_deletes_tell(scene, FIRST_BEN, true);
}

static void sim_deletes_laps_lap(struct scene *scene)
{
    sim_deletes_tell(scene, FIRST_LAP, true);
}

static const struct scene_named sim_deletes_scenes[] = {
    {"1 deleted on the lost branch", sim_deletes_own_all},
    {"2 deleted there, proven by the peer", sim_deletes_own_ben},
    {"3 deleted there, proven by the sibling", sim_deletes_own_lap},
    {"4 deleted by the sibling", sim_deletes_laps_all},
    {"5 deleted by the sibling, proven by the peer", sim_deletes_laps_ben},
    {"6 deleted by the sibling, proven by it", sim_deletes_laps_lap},
    {"7 undone by the sibling", sim_deletes_undo_laps_all},
    {"8 undone by the sibling, proven by the peer", sim_deletes_undo_laps_ben},
    {"9 undone by the successor", sim_deletes_undo_own_all},
};

int main(int argc, char **argv)
{
    struct scene_wanted wanted;

    scene_want(argc, argv, &wanted);
    return scene_run(&wanted, sim_deletes_scenes,
                     sizeof sim_deletes_scenes / sizeof sim_deletes_scenes[0])
               ? 0
               : 1;
}
