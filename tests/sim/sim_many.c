/*
 * Many nodes in one process: members of Advogato's graph (a drawn one without the data), each with
 * the product's engine, store and ops, link with those they know, edit their cards, go away and
 * come back. In the end everybody who knows somebody has what they said last, and every node says
 * so of itself.
 *
 *   sim_many [--members N] [--edits N] [--seed N]
 *
 * Printed: memory of the process a node, live bytes a store, bytes of batches a member.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/limits.h"
#include "tests/sim/graph.h"
#include "tests/sim/judge.h"

enum {
    MANY_LINK_MS = 8 * 60 * 1000,  /* all links are wished for within this time */
    MANY_EDIT_MS = 8 * 60 * 1000,  /* the time of edits and absences */
    MANY_AWAY_MS = 5 * 60 * 1000,  /* how long somebody is away at most */
    MANY_CALM_MS = 90 * 60 * 1000, /* to come to terms: the longest back-off after that time */
    MANY_LOOK_MS = 10000,
    MANY_AGAIN_MS = 15000,
    MANY_TITLE_SIZE = 32
};

struct many_link {
    struct many *many;
    struct world_node *inviter, *acceptor;
    char uri[INVITATION_TEXT_SIZE_MAX];
    bool is_accepted;
};

struct many_person {
    struct many *many;
    struct world_node *node;
    char title[MANY_TITLE_SIZE], wished[MANY_TITLE_SIZE]; /* acknowledged; on its way */
    unsigned edits;
};

struct many {
    struct world world;
    struct graph graph;
    struct many_person *people;
    struct many_link *links;
    size_t links_count;
    unsigned edits_each;
    uint64_t seed;
};

static uint64_t many_soon(struct many *many, uint64_t within_ms)
{
    return world_draw(&many->world, within_ms);
}

/* Links: whoever has the lesser number invites; asked again until it is done. */

static void many_accept(struct world *world, struct world_node *nobody, void *data);

static void many_on_accepted(struct world_node *node, void *self, enum err err,
                             const struct op_call *call)
{
    (void)node;
    (void)call;
    ((struct many_link *)self)->is_accepted |= err == ERR_OK;
}

static void many_accept(struct world *world, struct world_node *nobody, void *data)
{
    struct many_link *link = data;

    (void)nobody;
    if (link->is_accepted)
        return;
    world_after(world, MANY_AGAIN_MS, NULL, many_accept, link);
    world_op(link->acceptor, "peer.accept", json_pack("{s:s}", "uri", link->uri), many_on_accepted,
             link);
}

static void many_on_invited(struct world_node *node, void *self, enum err err,
                            const struct op_call *call)
{
    struct many_link *link = self;

    if (err != ERR_OK || link->uri[0] != '\0')
        return;
    (void)snprintf(link->uri, sizeof link->uri, "%s",
                   json_string_value(json_object_get(call->result, "uri")));
    world_after(node->world, many_soon(link->many, MANY_AGAIN_MS), NULL, many_accept, link);
}

static void many_invite(struct world *world, struct world_node *nobody, void *data)
{
    struct many_link *link = data;

    (void)nobody;
    if (link->uri[0] != '\0')
        return;
    world_after(world, MANY_AGAIN_MS, NULL, many_invite, link);
    world_op(link->inviter, "peer.invite", json_pack("{s:s}", "name", link->acceptor->name),
             many_on_invited, link);
}

static void many_wish_links(struct many *many)
{
    many->links = world_memory((many->graph.links + 1) * sizeof *many->links);
    for (size_t at = 0; at < many->graph.count; at++)
        for (size_t to = 0; to < many->graph.people[at].count; to++) {
            size_t other = many->graph.people[at].links[to];
            struct many_link *link = &many->links[many->links_count];

            if (other <= at)
                continue;
            *link = (struct many_link){.many = many,
                                       .inviter = many->people[at].node,
                                       .acceptor = many->people[other].node};
            many->links_count++;
            world_after(&many->world, many_soon(many, MANY_LINK_MS), NULL, many_invite, link);
        }
}

/* Edits and absences. */

static void many_edit(struct world *world, struct world_node *nobody, void *data);

static void many_on_edited(struct world_node *node, void *self, enum err err,
                           const struct op_call *call)
{
    struct many_person *person = self;

    (void)call;
    if (err == ERR_OK) {
        memcpy(person->title, person->wished, sizeof person->title);
        if (person->edits == 0)
            return;
    }
    world_after(node->world, many_soon(person->many, MANY_EDIT_MS / (person->many->edits_each + 1)),
                NULL, many_edit, person);
}

static void many_edit(struct world *world, struct world_node *nobody, void *data)
{
    struct many_person *person = data;

    (void)world;
    (void)nobody;
    if (person->edits > 0)
        person->edits--;
    (void)snprintf(person->wished, sizeof person->wished, "%.14s says %u", person->node->name,
                   person->edits);
    world_op(person->node, "me.edit", json_pack("{s:s}", "title", person->wished), many_on_edited,
             person);
}

static void many_return(struct world *world, struct world_node *nobody, void *data)
{
    struct many_person *person = data;

    (void)nobody;
    if (!person->node->is_stopping)
        world_start(person->node);
    else
        world_after(world, 1000, NULL, many_return, person);
}

static void many_leave(struct world *world, struct world_node *nobody, void *data)
{
    struct many_person *person = data;

    (void)nobody;
    if (world_once_in(world, 4))
        world_crash(person->node);
    else
        world_stop(person->node);
    world_after(world, 10000 + many_soon(person->many, MANY_AWAY_MS), NULL, many_return, person);
}

/* Agreement. */

static bool many_has_card(struct many *many, const struct many_link *link, bool is_back)
{
    struct world_node *reader = is_back ? link->inviter : link->acceptor;
    struct world_node *writer = is_back ? link->acceptor : link->inviter;
    char who[DID_SIZE];
    json_t *peer;
    const char *title;
    bool is_same;

    identity_did(&writer->secrets->member, who);
    peer = world_read(reader, "peer.show", json_pack("{s:s}", "who", who));
    title = json_string_value(json_object_get(json_object_get(peer, "card"), "title"));
    is_same = title != NULL && strcmp(title, many->people[writer->number].title) == 0;
    json_decref(peer);
    return is_same;
}

static size_t many_unsettled(struct many *many)
{
    size_t count = 0;

    for (size_t at = 0; at < many->links_count; at++)
        count += !judge_is_settled(many->links[at].inviter, many->links[at].acceptor);
    return count;
}

static size_t many_wrong_cards(struct many *many)
{
    size_t count = 0;

    for (size_t at = 0; at < many->links_count; at++)
        count += (size_t)!many_has_card(many, &many->links[at], false) +
                 (size_t)!many_has_card(many, &many->links[at], true);
    return count;
}

/* What was measured. */

/* Bytes of this process in memory. */
static double many_memory(void)
{
    unsigned long whole = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%lu %lu", &whole, &resident) != 2)
        resident = 0;
    if (file != NULL)
        (void)fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void many_print(struct many *many, double seconds, double before)
{
    uint64_t live = 0, sent = 0, entries = 0;
    double count = (double)many->graph.count;

    for (size_t at = 0; at < many->graph.count; at++) {
        struct world_node *node = many->people[at].node;
        size_t peers = engine_presence(node->engine, NULL, 0);
        struct op_presence *presence = world_memory((peers + 1) * sizeof *presence);
        struct kv_usage usage = {0};

        (void)engine_presence(node->engine, presence, peers);
        for (size_t peer = 0; peer < peers; peer++) {
            sent += presence[peer].bytes_sent;
            entries += presence[peer].sent;
        }
        free(presence);
        world_must(kv_usage(node->kv, &usage));
        live += usage.live_bytes;
    }
    (void)printf("%zu members, %zu links, %.1f h of virtual time, %llu events in %.0f s\n",
                 many->graph.count, many->links_count,
                 (double)(many->world.now_ms - WORLD_BEGIN_MS) / 3600000,
                 (unsigned long long)many->world.steps, seconds);
    (void)printf("memory: %.0f KiB a node with its disk, of which its store has %.0f KiB of rows\n",
                 (many_memory() - before) / 1024 / count, (double)live / 1024 / count);
    (void)printf("since the last start: %.1f entries and %.1f KiB of batches given a member\n",
                 (double)entries / count, (double)sent / 1024 / count);
}

/* The course of it. */

static void many_begin(struct many *many)
{
    world_begin(&many->world, many->seed);
    many->people = world_memory(many->graph.count * sizeof *many->people);
    for (size_t at = 0; at < many->graph.count; at++) {
        struct many_person *person = &many->people[at];
        char name[16];

        (void)snprintf(name, sizeof name, "m%u", (unsigned)at);
        *person = (struct many_person){
            .many = many, .node = world_init(&many->world, name), .edits = many->edits_each};
        world_start(person->node);
    }
}

static void many_live(struct many *many)
{
    many_wish_links(many);
    world_run_until(&many->world, many->world.now_ms + MANY_LINK_MS);
    for (size_t at = 0; at < many->graph.count; at++) {
        world_after(&many->world, many_soon(many, MANY_EDIT_MS), NULL, many_edit,
                    &many->people[at]);
        if (world_once_in(&many->world, 3))
            world_after(&many->world, many_soon(many, MANY_EDIT_MS), NULL, many_leave,
                        &many->people[at]);
    }
    world_run_until(&many->world, many->world.now_ms + 2 * MANY_EDIT_MS);
}

static bool many_agree(struct many *many)
{
    uint64_t end_ms = many->world.now_ms + MANY_CALM_MS;
    size_t unsettled = many->links_count, wrong;

    while (unsettled > 0 && many->world.now_ms < end_ms) {
        world_run_until(&many->world, many->world.now_ms + MANY_LOOK_MS);
        unsettled = many_unsettled(many);
    }
    wrong = many_wrong_cards(many);
    if (unsettled + wrong > 0)
        (void)printf("not ok sim_many: %zu of %zu links are not in step, %zu cards are old\n",
                     unsettled, many->links_count, wrong);
    return unsettled + wrong == 0;
}

static void many_end(struct many *many)
{
    world_end(&many->world);
    graph_end(&many->graph);
    free(many->people);
    free(many->links);
}

int main(int argc, char **argv)
{
    struct many many = {.edits_each = 2, .seed = 1};
    const char *data = getenv("KITH_TEST_DATA");
    size_t members = 100;
    double before;
    clock_t begun = clock();
    bool is_agreed;

    for (int at = 1; at + 1 < argc; at += 2) {
        unsigned long value = strtoul(argv[at + 1], NULL, 10);

        if (strcmp(argv[at], "--members") == 0)
            members = value;
        else if (strcmp(argv[at], "--edits") == 0)
            many.edits_each = (unsigned)value;
        else if (strcmp(argv[at], "--seed") == 0)
            many.seed = value;
    }
    KITH_ASSERT(members > 1 && members < GRAPH_PEOPLE_MAX);
    if (!graph_read(&many.graph, data != NULL ? data : KITH_TEST_DATA_DEFAULT, members))
        graph_draw(&many.graph, members, many.seed);
    before = many_memory();
    many_begin(&many);
    many_live(&many);
    is_agreed = many_agree(&many);
    many_print(&many, (double)(clock() - begun) / CLOCKS_PER_SEC, before);
    many_end(&many);
    if (is_agreed)
        (void)puts("ok sim_many");
    return is_agreed ? 0 : 1;
}
