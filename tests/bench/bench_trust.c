/*
 * What an attack gains under three measures: endorsements counted within three hops, personalised
 * PageRank, and vouch flow by branches, the last by the product. In networks of people who endorse
 * one another somebody invents people; each fooled person endorses one of them, each of them
 * endorses twenty others, and all of them endorse one. The score of that one, divided by the score
 * of an honest person whom five people endorse, drawn among all within two hops of the viewer; the
 * mean of the one by the mean of the other, over several viewers. Everything is written today,
 * without common tags: swaps are not halved, and nothing fades, which is the better for who
 * attacks.
 *
 * Networks: one drawn here (clusters of 25 and random ties), Advogato, and the positive half of
 * Bitcoin OTC, from the folder of test data; one that is not there is passed over, and told.
 * usage: bench_trust [VIEWERS]
 */
#include <zlib.h>

#include "node/trust.h"
#include "tests/bench/bench.h"

enum {
    DRAWN_PEOPLE = 3000,
    DRAWN_CLUSTER = 25,
    DRAWN_NEAR = 7, /* ties within the cluster */
    FAKES_MAX = 1000,
    FAKE_TIES = 20,
    FRIENDS_MAX = 4096,
    LEVELS = 3,
    TODAY = 20000,
    ROUNDS = 40 /* of PageRank: what is left to move is below a thousandth */
};

struct tie {
    uint32_t from, to;
    uint32_t level; /* how the one feels about the other: 0 the nearest */
};

struct network {
    const char *name;
    uint32_t people;
    struct tie *ties;
    uint32_t count;
    uint32_t *at; /* where the ties of each begin, once sorted */
};

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*seed >> 33) % below);
}

static int tie_order(const void *left, const void *right)
{
    const struct tie *one = left, *other = right;

    if (one->from != other->from)
        return one->from < other->from ? -1 : 1;
    return one->to < other->to ? -1 : one->to > other->to;
}

/* Sorted, without those to oneself and the second of two alike. */
static void network_settle(struct network *network)
{
    uint32_t count = 0;

    qsort(network->ties, network->count, sizeof *network->ties, tie_order);
    for (uint32_t at = 0; at < network->count; at++) {
        const struct tie *tie = &network->ties[at];

        if (tie->from == tie->to || (count > 0 && tie_order(&network->ties[count - 1], tie) == 0))
            continue;
        network->ties[count++] = *tie;
    }
    network->count = count;
    network->at = calloc(network->people + 2, sizeof *network->at);
    for (uint32_t at = 0; at < count; at++)
        network->at[network->ties[at].from + 1]++;
    for (uint32_t person = 0; person < network->people; person++)
        network->at[person + 1] += network->at[person];
}

static void network_add(struct network *network, uint32_t from, uint32_t to, uint32_t level)
{
    if (network->count % 1024 == 0)
        network->ties = realloc(network->ties, (network->count + 1024) * sizeof *network->ties);
    network->ties[network->count++] = (struct tie){.from = from, .to = to, .level = level};
    if (from >= network->people)
        network->people = from + 1;
    if (to >= network->people)
        network->people = to + 1;
}

static void network_draw(struct network *network)
{
    uint64_t seed = 42;

    for (uint32_t person = 0; person < DRAWN_PEOPLE; person++) {
        uint32_t first = person / DRAWN_CLUSTER * DRAWN_CLUSTER;

        for (uint32_t at = 0; at < DRAWN_NEAR + 1; at++)
            network_add(network, person, first + draw(&seed, DRAWN_CLUSTER), draw(&seed, LEVELS));
        for (uint32_t at = 1 + draw(&seed, 4); at > 0; at--)
            network_add(network, person, draw(&seed, DRAWN_PEOPLE), draw(&seed, LEVELS));
    }
}

static gzFile network_open(const char *name)
{
    const char *folder = getenv("KITH_TEST_DATA");
    char path[1024];

    snprintf(path, sizeof path, "%s/graphs/%s", folder != NULL ? folder : KITH_TEST_DATA_DEFAULT,
             name);
    return gzopen(path, "rb");
}

static bool network_read_advogato(struct network *network)
{
    gzFile file = network_open("advogato.out.txt.gz");
    char line[128];

    if (file == NULL)
        return false;
    while (gzgets(file, line, sizeof line) != NULL) {
        unsigned from, to;
        double level;

        if (sscanf(line, "%u %u %lf", &from, &to, &level) == 3)
            network_add(network, from, to, level > 0.9 ? 0 : level > 0.7 ? 1 : 2);
    }
    gzclose(file);
    return true;
}

static bool network_read_otc(struct network *network)
{
    gzFile file = network_open("soc-sign-bitcoinotc.csv.gz");
    char line[128];

    if (file == NULL)
        return false;
    while (gzgets(file, line, sizeof line) != NULL) {
        unsigned from, to;
        int rating;

        if (sscanf(line, "%u,%u,%d", &from, &to, &rating) == 3 && rating > 0)
            network_add(network, from, to, rating > 5 ? 0 : rating > 2 ? 1 : 2);
    }
    gzclose(file);
    return true;
}

/* One scene: a network with invented people behind it, one of whom gains; and somebody honest. */
struct attack_scene {
    struct network all; /* people, honest target, invented people; the first of them gains */
    uint32_t viewer, honest, gains;
    uint32_t fakes;
};

static uint32_t degree(const struct network *network, uint32_t person)
{
    return network->at[person + 1] - network->at[person];
}

/* Everybody within two hops of the viewer, each once; most of them are two hops away. */
static uint32_t *find_near(const struct network *network, uint32_t viewer, uint32_t *out_count)
{
    uint32_t *near = calloc(network->people, sizeof *near);
    uint8_t *is_near = calloc(network->people, 1);
    uint32_t count = 0, direct;

    is_near[viewer] = 1;
    for (uint32_t at = network->at[viewer]; at < network->at[viewer + 1]; at++) {
        is_near[network->ties[at].to] = 1;
        near[count++] = network->ties[at].to;
    }
    direct = count;
    for (uint32_t one = 0; one < direct; one++)
        for (uint32_t at = network->at[near[one]]; at < network->at[near[one] + 1]; at++)
            if (!is_near[network->ties[at].to]) {
                is_near[network->ties[at].to] = 1;
                near[count++] = network->ties[at].to;
            }
    free(is_near);
    *out_count = count;
    return near;
}

static void scene_make(struct attack_scene *scene, const struct network *network, uint32_t viewer,
                       uint32_t fakes, const uint32_t *fooled, uint32_t fooled_count,
                       uint64_t *seed)
{
    uint32_t first = network->people + 1, near_count;
    uint32_t *near = find_near(network, viewer, &near_count);

    memset(scene, 0, sizeof *scene);
    scene->viewer = viewer;
    scene->honest = network->people;
    scene->gains = first;
    scene->fakes = fakes;
    for (uint32_t at = 0; at < network->count; at++)
        network_add(&scene->all, network->ties[at].from, network->ties[at].to,
                    network->ties[at].level);
    for (uint32_t at = 0; at < 5 && at < near_count; at++) {
        uint32_t with = at + draw(seed, near_count - at), keep = near[at];

        near[at] = near[with];
        near[with] = keep;
        network_add(&scene->all, near[at], scene->honest, 0);
    }
    free(near);
    for (uint32_t at = 0; at < fooled_count; at++)
        network_add(&scene->all, fooled[at], first + 1 + at % (fakes - 1), 0);
    for (uint32_t fake = 1; fake < fakes; fake++) {
        network_add(&scene->all, first + fake, scene->gains, 0);
        for (uint32_t at = 0; at < FAKE_TIES; at++)
            network_add(&scene->all, first + fake,
                        first + (fakes <= FAKE_TIES ? at % fakes : draw(seed, fakes)), 0);
    }
    scene->all.people = first + fakes;
    network_settle(&scene->all);
}

static void scene_end(struct attack_scene *scene)
{
    free(scene->all.ties);
    free(scene->all.at);
}

/* The measures; each gives the scores of the honest one and of the one who gains. */

static void count_within_three_hops(const struct attack_scene *scene, double out[2])
{
    const struct network *all = &scene->all;
    uint8_t *hops = calloc(all->people + 1, 1);

    memset(hops, 9, all->people);
    hops[scene->viewer] = 0;
    for (uint8_t hop = 0; hop < 3; hop++)
        for (uint32_t at = 0; at < all->count; at++)
            if (hops[all->ties[at].from] == hop && hops[all->ties[at].to] > hop + 1)
                hops[all->ties[at].to] = (uint8_t)(hop + 1);
    out[0] = out[1] = 0;
    for (uint32_t at = 0; at < all->count; at++) {
        bool is_near = hops[all->ties[at].from] <= 3;

        out[0] += is_near && all->ties[at].to == scene->honest;
        out[1] += is_near && all->ties[at].to == scene->gains;
    }
    free(hops);
}

static void personal_pagerank(const struct attack_scene *scene, double out[2])
{
    const struct network *all = &scene->all;
    double *rank = calloc(all->people, sizeof *rank), *next = calloc(all->people, sizeof *next);

    rank[scene->viewer] = 1;
    for (int round = 0; round < ROUNDS; round++) {
        double lost = 0.15;

        memset(next, 0, all->people * sizeof *next);
        for (uint32_t person = 0; person < all->people; person++) {
            uint32_t ties = degree(all, person);

            if (ties == 0)
                lost += 0.85 * rank[person];
            for (uint32_t at = all->at[person]; at < all->at[person + 1]; at++)
                next[all->ties[at].to] += 0.85 * rank[person] / ties;
        }
        next[scene->viewer] += lost;
        memcpy(rank, next, all->people * sizeof *rank);
    }
    out[0] = rank[scene->honest];
    out[1] = rank[scene->gains];
    free(rank);
    free(next);
}

/* Who endorses somebody, as words for a claim. */
static double claim_of(struct trust_flow *flow, const struct network *all, uint32_t who)
{
    static struct trust_word words[FAKES_MAX + 16];
    uint32_t count = 0, claim = 0;

    for (uint32_t at = 0; at < all->count && count < FAKES_MAX; at++)
        if (all->ties[at].to == who)
            words[count++] = (struct trust_word){.issuer = all->ties[at].from, .fade = TRUST_ONE};
    bench_check(trust_claim(flow, words, count, &claim), "claim");
    return claim;
}

static void vouch_flow(const struct attack_scene *scene, double out[2])
{
    static const uint32_t levels[LEVELS] = {TRUST_GOOD, TRUST_KNOWN, TRUST_MET};
    static struct trust_friend friends[FRIENDS_MAX];
    const struct network *all = &scene->all;
    struct trust_vouch *vouches = calloc(all->count + 1, sizeof *vouches);
    struct trust_graph graph;
    struct trust_flow *flow;
    uint32_t count = 0, known = 0;

    for (uint32_t at = 0; at < all->count; at++) {
        const struct tie *tie = &all->ties[at];

        if (tie->from == scene->viewer && known < FRIENDS_MAX && tie->to < scene->honest)
            friends[known++] =
                (struct trust_friend){.person = tie->to, .closeness = levels[tie->level]};
        if (tie->from != scene->viewer)
            vouches[count++] = (struct trust_vouch){
                .from = tie->from, .to = tie->to, .day = TODAY, .relation = RELATION_WORKED_WITH};
    }
    bench_check(trust_graph_make(all->people, vouches, count, TODAY, &graph), "graph");
    bench_check(trust_flow_new(&graph, friends, known, &flow), "flow");
    out[0] = claim_of(flow, all, scene->honest);
    out[1] = claim_of(flow, all, scene->gains);
    trust_flow_free(flow);
    trust_graph_release(&graph);
    free(vouches);
}

/* The table. */

enum { MEASURES = 3 };

static void (*const measures[MEASURES])(const struct attack_scene *scene, double out[2]) = {
    count_within_three_hops, personal_pagerank, vouch_flow};

/* Adds up what one scene scores. */
static void scene_score(const struct attack_scene *scene, double sums[MEASURES][2])
{
    for (int at = 0; at < MEASURES; at++) {
        double scores[2];

        measures[at](scene, scores);
        sums[at][0] += scores[0];
        sums[at][1] += scores[1];
    }
}

/* Somebody who knows enough people: about nine in a drawn network. */
static uint32_t draw_viewer(const struct network *network, uint64_t *seed)
{
    for (uint32_t tries = 0; tries < 100000; tries++) {
        uint32_t viewer = draw(seed, network->people);

        if (degree(network, viewer) >= 8 && degree(network, viewer) <= 12)
            return viewer;
    }
    fprintf(stderr, "%s: nobody knows eight to twelve people\n", network->name);
    exit(1);
}

/* own: so many of the viewer's own friends are fooled; else so many people anywhere. */
static void row_score(const struct network *network, uint32_t viewers, bool is_own,
                      uint32_t fooled_count, uint32_t fakes, double out[MEASURES])
{
    double sums[MEASURES][2] = {{0}};
    for (uint32_t at = 0; at < viewers; at++) {
        struct attack_scene scene;
        uint64_t seed = 7 + at; /* The same people, however many are invented. */
        uint32_t viewer = draw_viewer(network, &seed), fooled[64];
        uint32_t start = draw(&seed, degree(network, viewer));

        for (uint32_t one = 0; one < fooled_count; one++)
            fooled[one] =
                is_own
                    ? network->ties[network->at[viewer] + (start + one) % degree(network, viewer)]
                          .to
                    : draw(&seed, network->people);
        scene_make(&scene, network, viewer, fakes, fooled, fooled_count, &seed);
        scene_score(&scene, sums);
        scene_end(&scene);
    }
    for (int at = 0; at < MEASURES; at++)
        out[at] = sums[at][0] > 0 ? sums[at][1] / sums[at][0] : 0;
}

static void table(struct network *network, uint32_t viewers)
{
    static const uint32_t own[] = {1, 2, 4, 6};
    double few[MEASURES], many[MEASURES];

    network_settle(network);
    printf("%s: %u people, %u endorsements (%.1f each), %u viewers who know 8 to 12\n",
           network->name, network->people, network->count, (double)network->count / network->people,
           viewers);
    printf("  %-44s %17s %17s %17s\n", "a fake's score by an honest person's, 20/1,000 fakes",
           "within 3 hops", "PageRank", "vouch flow");
    for (size_t at = 0; at < sizeof own / sizeof own[0]; at++) {
        row_score(network, viewers, true, own[at], 20, few);
        row_score(network, viewers, true, own[at], FAKES_MAX, many);
        printf("  %u of the viewer's own friends fooled %16s", own[at], "");
        for (int measure = 0; measure < MEASURES; measure++)
            printf("   %6.2f / %6.2f", few[measure], many[measure]);
        printf("\n");
    }
    row_score(network, viewers, false, 20, FAKES_MAX, many);
    printf("  20 people anywhere fooled, 1,000 fakes %14s", "");
    for (int measure = 0; measure < MEASURES; measure++)
        printf("            %6.2f", many[measure]);
    printf("\n");
    free(network->ties);
    free(network->at);
}

int main(int argc, char **argv)
{
    uint32_t viewers = argc > 1 ? (uint32_t)atoi(argv[1]) : 20;
    struct network drawn = {.name = "drawn"}, advogato = {.name = "Advogato"};
    struct network otc = {.name = "Bitcoin OTC, positive"};

    if (viewers == 0)
        return 1;
    network_draw(&drawn);
    table(&drawn, viewers);
    if (network_read_advogato(&advogato))
        table(&advogato, viewers);
    else
        printf("Advogato: not there, passed over\n");
    if (network_read_otc(&otc))
        table(&otc, viewers);
    else
        printf("Bitcoin OTC: not there, passed over\n");
    return 0;
}
