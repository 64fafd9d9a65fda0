/*
 * FORKS.md 8: iris introduces ana and bruno while somebody's machine has been copied. On one branch
 * ana says yes, on the other no, and both come to iris, in every order, and to copies of iris. No
 * release is ever said by a machine that holds the no; a release that was said ends released
 * for all, and ana is asked again. Somebody who reads what the others write sends bogus marks the
 * whole time: nobody is retired for that.
 *
 *   sim_refusal               all of it
 *   sim_refusal "2 " --trace  those whose name begins so, told step by step
 */
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/introduction.h"
#include "storage/ledger_state.h"
#include "tests/sim/hostile.h"
#include "tests/sim/scene.h"

enum {
    TWIST_NODES_MAX = 8,
    TWIST_STEP_MS = 20, /* a release is seen before anything can be cut */
    TWIST_MEET_S = 25,
    TWIST_ORDERS = 6,
    TWIST_MARKS = 3
};

/* What a machine of iris's has been seen to hold and say. */
struct twist_watch {
    uint64_t arrival; /* looked at so far */
    bool has_no;
};

struct twist {
    struct scene scene;
    struct world_node *iris, *iris_twin, *ana, *ana_twin, *bruno, *mal;
    struct twist_watch watches[TWIST_NODES_MAX];
    bool was_released, was_greeted; /* greeted: ana's hello has come to iris */
};

/* Watching. */

static void twist_on_entry(struct twist *twist, struct world_node *iris,
                           const struct snapshot *snapshot, const struct entry_row *row)
{
    struct twist_watch *watch = &twist->watches[iris->number];
    struct introduction_message message;
    struct edit_space edit = {0};
    struct public_key member;
    struct buf plain = {0};
    struct span statement = {0};
    struct log_row log;
    bool is_own;

    world_must(ledger_log_numbered(snapshot, row->log, &log));
    is_own = public_key_is_equal(&log.device, ledger_device(iris->ledger)) && !row->is_cut;
    if (ledger_open_entry(snapshot, row, &plain) == ERR_OK &&
        edit_read(&edit, buf_span(&plain)) == ERR_OK && edit.edit.kind == KIND_INTRODUCTION)
        statement = edit.edit.writes[0].value.bytes;
    if (statement.size > 0 && introduction_read(statement, &member, &message) == ERR_OK) {
        watch->has_no |= message.type == INTRODUCTION_NO;
        twist->was_greeted |= message.type == INTRODUCTION_HELLO &&
                              public_key_is_equal(&member, &twist->ana->secrets->member);
        if (message.type == INTRODUCTION_OFFER || message.type == INTRODUCTION_NO)
            scene_expect(&twist->scene, row->entry.header.expires_at_s > 0,
                         "what is repeated expires as it did");
        if (message.type == INTRODUCTION_RELEASE && is_own && !edit.edit.has_original) {
            scene_expect(&twist->scene, twist->was_released || !watch->has_no,
                         "no first release where a no is held");
            twist->was_released = true;
        }
    }
    edit_release(&edit);
    buf_release(&plain);
}

static void twist_look(struct twist *twist, struct world_node *iris)
{
    struct twist_watch *watch = &twist->watches[iris->number];
    struct snapshot snapshot;
    struct entry_row row;
    uint64_t newest;

    if (!iris->is_up || iris->ledger == NULL)
        return;
    world_must(ledger_snapshot(iris->ledger, &snapshot));
    world_must(ledger_newest_arrival(&snapshot, &newest));
    for (; watch->arrival < newest; watch->arrival++)
        if (ledger_entry(&snapshot, watch->arrival + 1, &row) == ERR_OK)
            twist_on_entry(twist, iris, &snapshot, &row);
    ledger_snapshot_end(&snapshot);
}

static void twist_wait(struct twist *twist, uint64_t seconds)
{
    struct world *world = &twist->scene.world;
    uint64_t until = world->now_ms + seconds * 1000;

    while (world->now_ms < until) {
        world_run_until(world, world->now_ms + TWIST_STEP_MS);
        twist_look(twist, twist->iris);
        if (twist->iris_twin != NULL)
            twist_look(twist, twist->iris_twin);
    }
}

/* Saying. */

/* The one introduction, as a node has it: its state, its id as text. */
static const char *twist_state(struct world_node *node, char id[static 40], char state[static 32])
{
    json_t *list = world_read(node, "intro.list", json_object());
    json_t *row = json_array_get(json_object_get(list, "introductions"), 0);
    const char *its = json_string_value(json_object_get(row, "id"));

    (void)snprintf(id, 40, "%s", its != NULL ? its : "");
    its = json_string_value(json_object_get(row, "state"));
    (void)snprintf(state, 32, "%s", its != NULL ? its : "");
    json_decref(list);
    return state;
}

static bool twist_is(struct world_node *node, const char *wanted)
{
    char id[40], state[32];

    return strcmp(twist_state(node, id, state), wanted) == 0;
}

static void twist_expect(struct twist *twist, struct world_node *node, const char *wanted)
{
    char id[40], state[32];

    if (strcmp(twist_state(node, id, state), wanted) != 0)
        judge_fail(&twist->scene.judge, "expected: %s at %s, not %s", wanted, node->name, state);
}

static void twist_answer(struct twist *twist, struct world_node *node, const char *method)
{
    char id[40], state[32];

    (void)twist_state(node, id, state);
    scene_ask(&twist->scene, node, method, json_pack("{s:s}", "id", id));
}

/* mal says to a victim that its logs go on, or went another way. */
static void twist_lie(struct twist *twist, struct world_node *victim)
{
    struct hostile hostile;
    struct snapshot snapshot;
    struct space_row card;
    struct mark mark = {.size = 1};

    hostile_begin(&hostile, twist->mal, victim);
    world_must(ledger_snapshot(victim->ledger, &snapshot));
    world_must(ledger_own_space(&snapshot, SPACE_CARD, &card));
    ledger_snapshot_end(&snapshot);
    mark.log = (struct log_id){.space = card.id, .device = *ledger_device(victim->ledger)};
    memset(mark.tag, 0x5a, sizeof mark.tag);
    for (int at = 0; at < TWIST_MARKS; at++) {
        struct buf framed = {0};

        if (!hostile_open(&hostile))
            break;
        mark.size = at % 2 == 0 ? 1 : UINT64_C(1) << 20;
        message_put_marks(&mark, 1, true, &framed);
        hostile_say(&hostile, &framed);
        hostile_wait(&hostile, 500);
        hostile_hang_up(&hostile);
    }
    hostile_end(&hostile);
}

/* Beginning: both are asked, nobody has answered, and all machines are off. */
static void twist_begin(struct twist *twist, uint64_t seed, bool is_talkative, bool has_iris_twin)
{
    struct scene *scene = &twist->scene;

    *twist = (struct twist){.was_released = false};
    scene_begin(scene, seed, is_talkative);
    twist->iris = scene_member(scene, "iris");
    twist->ana = scene_member(scene, "ana");
    twist->bruno = scene_member(scene, "bruno");
    twist->mal = scene_member(scene, "mal");
    scene_link(scene, twist->iris, twist->ana);
    scene_link(scene, twist->iris, twist->bruno);
    scene_link(scene, twist->iris, twist->mal);
    scene_link(scene, twist->ana, twist->mal);
    scene_settle(scene);
    world_crash(twist->mal);
    scene_ask(scene, twist->iris, "introduce",
              json_pack("{s:s, s:s, s:s, s:s}", "a", "ana", "b", "bruno", "why", "Boats.", "first",
                        "both"));
    for (int at = 0;
         at < 60 && !(twist_is(twist->ana, "offered") && twist_is(twist->bruno, "offered")); at++)
        scene_wait(scene, 1);
    twist_lie(twist, twist->iris);
    twist_lie(twist, twist->ana);
    scene_settle(scene);
    world_crash(twist->iris);
    world_crash(twist->ana);
    world_crash(twist->bruno);
    twist->ana_twin = world_clone(twist->ana, false);
    if (has_iris_twin)
        twist->iris_twin = world_clone(twist->iris, false);
    twist_answer(twist, twist->ana, "intro.accept");
    twist_answer(twist, twist->ana_twin, "intro.decline");
    twist_answer(twist, twist->bruno, "intro.accept");
}

/* Where ana said no only: nobody is told, nobody linked. */
static void twist_expect_closed(struct twist *twist)
{
    twist_expect(twist, twist->ana, "no");
    twist_expect(twist, twist->ana_twin, "no");
    twist_expect(twist, twist->bruno, "yes");
    scene_expect(&twist->scene, !judge_is_linked(twist->bruno, twist->ana), "no link without ana");
    scene_expect(&twist->scene, !judge_is_linked(twist->ana, twist->bruno), "no link of ana's");
}

/* ana is asked again, and says yes. */
static void twist_expect_asked(struct twist *twist)
{
    struct scene *scene = &twist->scene;

    twist_expect(twist, twist->ana, "offered");
    twist_expect(twist, twist->ana_twin, "offered");
    twist_expect(twist, twist->bruno, "greeted");
    scene_expect(scene, !judge_is_linked(twist->ana, twist->bruno), "no hello of ana's");
    if (scene->judge.failure[0] == '\0')
        twist_answer(twist, twist->ana_twin, "intro.accept");
    twist_wait(twist, 5);
}

static void twist_expect_linked(struct twist *twist)
{
    struct scene *scene = &twist->scene;

    judge_met(&scene->judge, twist->ana->person, twist->bruno->person);
    judge_met(&scene->judge, twist->bruno->person, twist->ana->person);
    scene_settle(scene);
    scene_expect(scene, judge_is_linked(twist->bruno, twist->ana), "linked at bruno's");
    scene_expect(scene, judge_is_linked(twist->ana, twist->bruno), "linked at ana's");
    scene_expect(scene, judge_is_linked(twist->ana_twin, twist->bruno), "at each of ana's");
}

/* All are up and at rest; what must be so. Where the two of ana's meet first, neither can have
 * greeted bruno before it knew of the no, unless it had done so long ago. */
static void twist_end(struct twist *twist, bool is_ana_first)
{
    struct scene *scene = &twist->scene;
    struct world_node *nodes[] = {twist->iris,     twist->iris_twin, twist->ana,
                                  twist->ana_twin, twist->mal,       twist->bruno};

    for (size_t at = 2; is_ana_first && at < 5; at++)
        world_start(nodes[at]);
    twist_wait(twist, TWIST_MEET_S);
    for (size_t at = 0; at < sizeof nodes / sizeof nodes[0]; at++)
        if (nodes[at] != NULL)
            world_start(nodes[at]);
    twist_wait(twist, TWIST_MEET_S);
    scene_settle(scene);
    twist_look(twist, twist->iris);
    for (size_t at = 0; at < 2 && nodes[at] != NULL; at++)
        twist_expect(twist, nodes[at], twist->was_released ? "released" : "closed");
    scene_expect(scene,
                 scene_devices(twist->bruno, twist->iris) == (twist->iris_twin != NULL ? 3 : 1),
                 "nobody retired for a bogus mark");
    if (!twist->was_released)
        twist_expect_closed(twist);
    else if (!twist->was_greeted)
        twist_expect_asked(twist);
    if (twist->was_released)
        twist_expect_linked(twist);
}

/* Who comes to iris, in which order: 0 ana who said yes, 1 ana who said no, 2 bruno. */
static const unsigned twist_orders[TWIST_ORDERS][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

static void twist_meet_in_order(struct twist *twist, unsigned order)
{
    struct world_node *nodes[] = {twist->ana, twist->ana_twin, twist->bruno};

    world_start(twist->iris);
    for (size_t at = 0; at < 3; at++) {
        struct world_node *node = nodes[twist_orders[order][at]];

        world_start(node);
        twist_wait(twist, TWIST_MEET_S);
        twist_lie(twist, twist->iris);
        world_crash(node);
    }
}

/* One of ana's comes to a machine of iris's, and bruno does, or not; in the last two orders ana is
 * off by then, and hears of no release. */
static void twist_meet_one(struct twist *twist, struct world_node *iris, struct world_node *ana,
                           bool has_bruno, bool is_gone)
{
    world_start(iris);
    world_start(ana);
    twist_wait(twist, TWIST_MEET_S);
    if (is_gone)
        world_crash(ana);
    if (has_bruno) {
        world_start(twist->bruno);
        twist_wait(twist, TWIST_MEET_S);
    }
    world_crash(iris);
    world_crash(ana);
    world_crash(twist->bruno);
}

/* ana's yes comes to one machine of iris's, her no to the other; bruno's yes to the first, to the
 * second, or to both. */
static void twist_meet_apart(struct twist *twist, unsigned order)
{
    struct world_node *anas[] = {twist->ana, twist->ana_twin};
    unsigned first = order % 2, kind = order / 2;

    twist_meet_one(twist, twist->iris, anas[first], kind != 1, kind == 2);
    twist_meet_one(twist, twist->iris_twin, anas[1 - first], kind != 0, kind == 2);
}

static bool twist_run(unsigned order, bool has_iris_twin, const char *name, bool is_talkative)
{
    struct twist *twist = world_memory(sizeof *twist);
    bool is_well;

    twist_begin(twist, 1 + order, is_talkative, has_iris_twin);
    if (has_iris_twin)
        twist_meet_apart(twist, order);
    else
        twist_meet_in_order(twist, order);
    twist_end(twist, order % 2 == 1);
    if (is_talkative)
        (void)printf("released %d, greeted %d\n", twist->was_released, twist->was_greeted);
    is_well = scene_end(&twist->scene, name);
    free(twist);
    return is_well;
}

int main(int argc, char **argv)
{
    static const char *const who[] = {"yes", "no", "bruno"};
    struct scene_wanted wanted;
    bool is_well = true;

    scene_want(argc, argv, &wanted);
    for (unsigned twin = 0; twin < 2; twin++)
        for (unsigned order = 0; order < TWIST_ORDERS; order++) {
            const unsigned *at = twist_orders[order];
            char name[64];

            (void)snprintf(name, sizeof name, "%u.%u %s", 1 + twin, 1 + order,
                           twin == 1 ? "two machines of the introducer" : "one introducer: ");
            if (twin == 0)
                (void)snprintf(name + strlen(name), sizeof name - strlen(name), "%s, %s, %s",
                               who[at[0]], who[at[1]], who[at[2]]);
            if (scene_is_wanted(&wanted, name))
                is_well &= twist_run(order, twin == 1, name, wanted.is_talkative);
        }
    return is_well ? 0 : 1;
}
