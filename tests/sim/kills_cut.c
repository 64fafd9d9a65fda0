/* A place is passed in the order in which the world comes to it, so that its number names it. */
#include "tests/sim/kills_cut.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    KILLS_OUTAGES = 3, /* of this many lengths */
    KILLS_OUTAGE_LOOKS = 12,
    KILLS_FAILURES_MAX = 10
};

void kills_cut_print(const struct kills *kills)
{
    const struct kills_sweep *sweep = kills->sweep;

    (void)printf("  replay: %s --story \"%s\" --cut %zu %" PRIu64, kills->program,
                 kills->story->name, sweep->one.node, sweep->one.at);
    if (sweep->two.at > 0)
        (void)printf(" --then %zu %" PRIu64, sweep->two.node, sweep->two.at);
    (void)printf(" --trace\n");
    (void)fflush(stdout);
}

/* The story goes on in a child without power, and then here with it. True in the child. */
static bool kills_cut_fork(struct kills *kills)
{
    struct kills_sweep *sweep = kills->sweep;
    pid_t child;
    int status;

    (void)fflush(stdout);
    child = fork();
    KITH_ASSERT(child >= 0);
    if (child == 0) {
        sweep->failures = 0;
        return true;
    }
    KITH_ASSERT(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) { /* It could not say so itself. */
        (void)printf("not ok %s: status %d\n", kills->story->name, status);
        kills_cut_print(kills);
    }
    sweep->failures += status != 0;
    return false;
}

static bool kills_cut_is_place(const struct kills_place *place, size_t node, uint64_t at)
{
    return place->at == at && place->node == node;
}

static bool kills_cut_is_first(struct kills *kills, const struct kills_place *here)
{
    struct kills_sweep *sweep = kills->sweep;
    struct kills_place wanted = sweep->one;
    bool is_child;

    sweep->total++;
    if (wanted.at != 0)
        return kills_cut_is_place(&wanted, here->node, here->at);
    if (sweep->failures >= KILLS_FAILURES_MAX || sweep->total % sweep->every != sweep->first)
        return false;
    sweep->one = *here;
    if (sweep->again > 0)
        sweep->two = (struct kills_place){.node = here->node, .at = sweep->again};
    is_child = kills_cut_fork(kills);
    sweep->tried++;
    if (!is_child)
        sweep->one = sweep->two = (struct kills_place){0};
    return is_child;
}

static bool kills_cut_is_second(struct kills *kills, const struct kills_place *here)
{
    struct kills_sweep *sweep = kills->sweep;
    bool is_child;

    if (!sweep->is_twice)
        return kills_cut_is_place(&sweep->two, here->node, here->at);
    if (sweep->failures >= KILLS_FAILURES_MAX)
        return false;
    sweep->two = *here;
    is_child = kills_cut_fork(kills);
    if (is_child) {
        sweep->is_twice = false;
        (*sweep->tried_twice)++;
    } else {
        sweep->two = (struct kills_place){0};
    }
    return is_child;
}

bool kills_cut_here(void *self, struct world_node *node)
{
    struct kills *kills = self;
    struct kills_sweep *sweep = kills->sweep;
    struct kills_place here = {.node = node->number};
    bool has_gone;

    if (!sweep->is_counting || sweep->cuts == 2)
        return false;
    here.at = ++sweep->passed[here.node];
    has_gone =
        sweep->cuts == 0 ? kills_cut_is_first(kills, &here) : kills_cut_is_second(kills, &here);
    if (!has_gone)
        return false;
    world_note(node->world, node, "the power goes");
    sweep->cuts++;
    memset(sweep->passed, 0, sizeof sweep->passed);
    return true;
}

uint64_t kills_cut_looks(const struct kills_sweep *sweep)
{
    return (sweep->one.at / 2) % KILLS_OUTAGES * KILLS_OUTAGE_LOOKS;
}
