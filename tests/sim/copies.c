/* See copies.h. */
#include "tests/sim/copies.h"

#include <string.h>

#include "crypto/secret.h"
#include "storage/view_peer.h"

enum { COPIES_DAY_LOOKS = 12, COPIES_NIGHT_LOOKS = 5, COPIES_JUDGED_LOOKS = 11 };

static void copies_keep(struct copies *copies, struct world_node *node)
{
    struct world *world = node->world;
    size_t at =
        copies->count < COPIES_KEPT_MAX ? copies->count++ : world_draw(world, COPIES_KEPT_MAX);

    world_note(world, node, "a copy is made");
    world_home_free(copies->kept[at].home);
    copies->kept[at] = (struct copies_kept){.node = node,
                                            .home = world_snapshot(node),
                                            .canaries = judge_copied(copies->judge, node),
                                            .deeds = copies->deeds};
}

static const struct copies_kept *copies_choose(struct copies *copies, const struct world_node *node)
{
    size_t first = world_draw(node->world, copies->count);

    for (size_t at = 0; at < copies->count; at++) {
        const struct copies_kept *kept = &copies->kept[(first + at) % copies->count];

        if (kept->node->person == node->person)
            return kept;
    }
    return NULL;
}

static void copies_clone(struct copies *copies, struct world_node *node,
                         const struct copies_kept *from)
{
    struct world *world = node->world;
    struct world_node *clone = world_clone(node, from == NULL && world_once_in(world, 2));

    copies->clones_left--;
    copies->began_of[node->person]++;
    if (from != NULL)
        world_restore(clone, from->home);
    if (!world_once_in(world, 3))
        world_start(clone);
}

static void copies_restore(struct copies *copies, struct world_node *node,
                           const struct copies_kept *kept)
{
    struct world *world = node->world;

    world_restore(node, kept->home);
    copies->went_back_of[node->person]++;
    world_start(node);
    if (!node->is_up)
        return;
    /* A copy of another machine of the member: all that this one ever did is gone. */
    judge_went_back(copies->judge, node, kept->node == node ? kept->canaries : 0);
    if (copies->went_back != NULL)
        copies->went_back(copies->self, node, kept->node == node ? kept->deeds : 0);
    if (world_once_in(world, 3))
        world_crash(node); /* The others have newer entries, and meet one another first. */
}

void copies_act(struct copies *copies, struct world_node *node)
{
    struct world *world = node->world;
    const struct copies_kept *kept = copies->count > 0 ? copies_choose(copies, node) : NULL;
    uint64_t what = world_draw(world, 8);

    if (kept == NULL || what < 3)
        copies_keep(copies, node);
    else if (what > 5)
        copies_restore(copies, node, kept);
    else if (copies->clones_left > 0)
        copies_clone(copies, node, world_once_in(world, 2) ? kept : NULL);
}

void copies_end(struct copies *copies)
{
    for (size_t at = 0; at < copies->count; at++)
        world_home_free(copies->kept[at].home);
    copies->count = 0;
}

/* Does this machine answer one of the two knocks that a caller would try? */
static bool copies_answers(struct world_node *node, const struct peer *caller)
{
    uint8_t knocks[8 * KEY_SIZE];
    struct snapshot snapshot;
    size_t count = 0;
    bool is_answered = false;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(view_knocks(&snapshot, knocks, &count));
    ledger_snapshot_end(&snapshot);
    for (size_t at = 0; at < count; at++)
        is_answered |= memcmp(knocks + at * KEY_SIZE, caller->knock, KEY_SIZE) == 0 ||
                       memcmp(knocks + at * KEY_SIZE, caller->knock_first, KEY_SIZE) == 0;
    return is_answered;
}

static bool copies_is_shut_out(struct world_node *node, const struct world_node *other)
{
    const struct public_key *member = &other->secrets->member;
    struct world *world = node->world;
    struct peer *peer = secret_new(sizeof *peer);
    struct snapshot snapshot;
    bool is_shut_out = judge_is_linked(node, other) && !world_is_in_step(node, member);

    KITH_ASSERT(peer != NULL);
    world_must(ledger_snapshot(node->ledger, &snapshot));
    if (is_shut_out)
        world_must(view_peer(&snapshot, member, peer));
    ledger_snapshot_end(&snapshot);
    for (size_t at = 0; at < world->nodes_count && is_shut_out; at++)
        if (world->nodes[at]->person == other->person && world->nodes[at]->is_up)
            is_shut_out = !copies_answers(world->nodes[at], peer);
    secret_free(peer);
    return is_shut_out;
}

/* Copies learn of each other by who is linked with them. This one has nobody, and is apart from
 * another machine of its member. */
static bool copies_is_alone(struct world_node *node)
{
    struct world *world = node->world;
    bool is_alone = true, is_one_of_several = false;

    for (size_t at = 0; at < world->nodes_count; at++) {
        struct world_node *other = world->nodes[at];

        if (other->person != node->person)
            is_alone = is_alone && !(judge_is_linked(node, other) && judge_is_linked(other, node));
        else
            is_one_of_several |= other != node;
    }
    return is_alone && is_one_of_several && !world_is_in_step(node, &node->secrets->member);
}

/* Is either of the two a member with a machine that is an old copy? */
static bool copies_were_old(const struct copies *copies, const struct world_node *node,
                            const struct world_node *other)
{
    return copies->went_back_of[other->person] > 0 || copies->went_back_of[node->person] > 0 ||
           copies->began_of[node->person] > 0;
}

static bool copies_end_one(struct copies *copies, struct world_node *node)
{
    struct world *world = copies->judge->world;

    for (size_t at = 0; at < world->nodes_count; at++) {
        struct world_node *other = world->nodes[at];

        if (other->person == node->person || !copies_were_old(copies, node, other) ||
            !copies_is_shut_out(node, other))
            continue;
        world_note(world, node, "can be let in by nobody");
        world_crash(node);
        return true;
    }
    return false;
}

/* Whoever only such a machine would let in has nobody, either. */
static void copies_end_shut_out(struct copies *copies)
{
    struct world *world = copies->judge->world;
    bool is_more = true;

    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->is_up && copies_is_alone(world->nodes[at])) {
            world_note(world, world->nodes[at], "has nobody left who could tell it of its copy");
            world_crash(world->nodes[at]);
        }
    while (is_more) {
        is_more = false;
        for (size_t at = 0; at < world->nodes_count; at++)
            is_more |= world->nodes[at]->is_up && copies_end_one(copies, world->nodes[at]);
    }
}

bool copies_rest(struct copies *copies, unsigned look, bool *out_is_new_day)
{
    struct world *world = copies->judge->world;
    size_t resting = look / COPIES_DAY_LOOKS % world->nodes_count;
    unsigned hour = look % COPIES_DAY_LOOKS;

    for (size_t at = 0; at < world->nodes_count; at++)
        if (hour < COPIES_NIGHT_LOOKS && at == resting)
            world_crash(world->nodes[at]);
        else if (!world->nodes[at]->is_up && hour <= COPIES_NIGHT_LOOKS)
            world_start(world->nodes[at]);
    *out_is_new_day = hour == 0 || hour == COPIES_NIGHT_LOOKS + 1;
    if (hour == COPIES_JUDGED_LOOKS - 1)
        copies_end_shut_out(copies);
    return hour >= COPIES_JUDGED_LOOKS - 1;
}
