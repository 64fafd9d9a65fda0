/* See copies.h. */
#include "tests/sim/copies.h"

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
                                            .canaries = copies->judge->canaries_count,
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

bool copies_rest(struct world *world, unsigned look, bool *out_is_new_day)
{
    size_t resting = look / COPIES_DAY_LOOKS % world->nodes_count;
    unsigned hour = look % COPIES_DAY_LOOKS;

    for (size_t at = 0; at < world->nodes_count; at++)
        if (hour < COPIES_NIGHT_LOOKS && at == resting)
            world_crash(world->nodes[at]);
        else if (!world->nodes[at]->is_up)
            world_start(world->nodes[at]);
    *out_is_new_day = hour == 0 || hour == COPIES_NIGHT_LOOKS + 1;
    return hour >= COPIES_JUDGED_LOOKS - 1;
}
