/*
 * Stories of a few members (kills.h), each told once for every place where anything becomes
 * durable, with a power cut there: before each commit of each node, and between it and whatever
 * follows from it.
 *
 *   sim_kills --meet | --vouch | --ask | --link | --heal
 *                                        the stories of introductions, of endorsements, of asks, of
 *                                        making links, of copies and devices
 *   sim_kills --story blind              one of them
 *   sim_kills --every 8 --seed 3         one cut in eight, the third of each
 *   sim_kills --again 1                  each followed by another, at the next place after the
 *                                        start of the node
 *   sim_kills --twice                    each followed by another, at each later place of each node
 *   sim_kills --story blind --cut 1 17 --then 2 4 --trace
 *                                        one of them, told step by step: node 1 at its 17th place,
 *                                        node 2 at its fourth from there
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/sim/kills.h"

static const char *const sim_kills_kinds[] = {"meet", "vouch", "ask", "link", "heal"};

struct sim_kills_wish {
    const char *kind, *story;
    uint64_t every, seed;
};

static void sim_kills_run(const struct kills_story *story, const struct sim_kills_wish *wish,
                          struct kills_sweep *sweep, const char *program)
{
    uint64_t failures = sweep->failures;

    if (wish->story != NULL && strcmp(wish->story, story->name) != 0)
        return;
    sweep->every = wish->every;
    sweep->first = wish->seed % wish->every;
    kills_tell(story, sweep, program);
    if (sweep->failures == failures)
        (void)printf("ok %s: %" PRIu64 " of %" PRIu64 " cuts in %zu nodes%s", story->name,
                     sweep->tried, sweep->total, story->nodes_count,
                     sweep->again > 0 ? ", each followed by another" : "");
    if (sweep->failures == failures && sweep->is_twice)
        (void)printf(", and %" PRIu64 " followed by another", *sweep->tried_twice);
    (void)printf(sweep->failures == failures ? "\n" : "");
    (void)fflush(stdout);
}

static void sim_kills_all(const char *kind, const struct kills_story *stories, size_t count,
                          const struct sim_kills_wish *wish, struct kills_sweep *sweep,
                          const char *program)
{
    if (wish->kind != NULL && strcmp(wish->kind, kind) != 0)
        return;
    for (size_t at = 0; at < count; at++)
        sim_kills_run(&stories[at], wish, sweep, program);
}

static uint64_t sim_kills_number(int argc, char **argv, int at)
{
    return at < argc ? strtoull(argv[at], NULL, 0) : 0;
}

/* How many words an argument and its values are; 0: there is no such argument. */
static int sim_kills_read(int argc, char **argv, int at, struct sim_kills_wish *wish,
                          struct kills_sweep *sweep)
{
    const char *word = argv[at];
    uint64_t value = sim_kills_number(argc, argv, at + 1);

    if (strcmp(word, "--trace") == 0)
        return sweep->is_talkative = true;
    if (strcmp(word, "--twice") == 0)
        return sweep->is_twice = true;
    for (size_t kind = 0; kind < sizeof sim_kills_kinds / sizeof sim_kills_kinds[0]; kind++)
        if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, sim_kills_kinds[kind]) == 0)
            return (wish->kind = sim_kills_kinds[kind]) != NULL;
    if (strcmp(word, "--story") == 0 && at + 1 < argc)
        wish->story = argv[at + 1];
    else if (strcmp(word, "--every") == 0 && value > 0)
        wish->every = value;
    else if (strcmp(word, "--seed") == 0)
        wish->seed = value;
    else if (strcmp(word, "--again") == 0)
        sweep->again = value;
    else
        return 0;
    return 2;
}

static int sim_kills_read_place(int argc, char **argv, int at, struct kills_sweep *sweep)
{
    struct kills_place place = {.node = (size_t)sim_kills_number(argc, argv, at + 1),
                                .at = sim_kills_number(argc, argv, at + 2)};

    if (strcmp(argv[at], "--cut") == 0)
        sweep->one = place;
    else if (strcmp(argv[at], "--then") == 0)
        sweep->two = place;
    else
        return 0;
    return 3;
}

int main(int argc, char **argv)
{
    struct sim_kills_wish wish = {.every = 1};
    struct kills_sweep sweep = {.every = 1};

    for (int at = 1, words; at < argc; at += words) {
        words = sim_kills_read(argc, argv, at, &wish, &sweep);
        if (words == 0)
            words = sim_kills_read_place(argc, argv, at, &sweep);
        if (words == 0) {
            (void)fprintf(stderr, "%s: what is %s?\n", argv[0], argv[at]);
            return 2;
        }
    }
    sweep.tried_twice = mmap(NULL, sizeof *sweep.tried_twice, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sweep.tried_twice == MAP_FAILED)
        return 1;
    if (wish.every > 1)
        (void)printf("one cut in %" PRIu64 ": --seed %" PRIu64 "\n", wish.every, wish.seed);
    sim_kills_all("meet", kills_meet_stories, kills_meet_stories_count, &wish, &sweep, argv[0]);
    sim_kills_all("vouch", kills_vouch_stories, kills_vouch_stories_count, &wish, &sweep, argv[0]);
    sim_kills_all("ask", kills_ask_stories, kills_ask_stories_count, &wish, &sweep, argv[0]);
    sim_kills_all("link", kills_link_stories, kills_link_stories_count, &wish, &sweep, argv[0]);
    sim_kills_all("heal", kills_heal_stories, kills_heal_stories_count, &wish, &sweep, argv[0]);
    return sweep.failures == 0 ? 0 : 1;
}
