/*
 * How far asks go, and what they cost: members of Advogato's graph (links are those where both
 * certified one another), who pass on by chance what they hear. Stores, entries, seals, signatures,
 * budgets and ops are the product's; entries are carried by hand, one member's log at a time, and
 * only members and links that an ask touches are made.
 *
 *   sim_asks [--members N] [--asks N] [--every N] [--seed N]
 *
 * One in `every` receivers passes an ask to at most ten people. Beyond the hop limit nobody may
 * have it: neither by an op nor from a program that makes one link more. One in `every` of those
 * who have it answers, wherever they are: who asked reads it, and nobody who carries it can.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/asking.h"
#include "tests/sim/graph.h"

enum {
    SIM_ASKS_PAUSE_MS = 24 * 3600 * 1000,
    SIM_ASKS_FOUL = 3 /* of those at the limit, how many of an ask try a link more */
};

/* One of the members. */
struct sim_person {
    struct member *member; /* NULL: no ask has come near */
    uint16_t *links;       /* numbers of members */
    bool *is_linked;       /* made real */
    size_t links_count;
    size_t depth; /* of the ask that is on its way; 0: has not got it */
    size_t from;  /* who they have it from */
};

struct sim_asks {
    struct sim_person *people;
    size_t people_count, asks, every;
    uint64_t chance, clock_ms;
    struct id id; /* of the ask on its way */
    size_t reached[ASK_HOPS_MAX + 1], shown, passed, refused, made;
    size_t answered[ASK_HOPS_MAX + 1], carried;
    uint64_t bytes, answer_bytes;
};

static void sim_must(bool is_so, const char *what)
{
    if (is_so)
        return;
    (void)printf("not ok sim_asks: %s\n", what);
    exit(1);
}

static void *sim_memory(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);

    sim_must(memory != NULL, "no memory");
    return memory;
}

static uint64_t sim_draw(struct sim_asks *sim, uint64_t bound)
{
    struct span part = span_of(&sim->chance, sizeof sim->chance);
    struct hash hash;

    digest("sim asks", &part, 1, &hash);
    sim->chance = be64(hash.bytes);
    return be64(hash.bytes + 8) % bound;
}

/* The graph. */

static bool sim_load(struct sim_asks *sim, size_t count)
{
    struct graph graph;

    if (!graph_load(KITH_TEST_DATA_DEFAULT, count, &graph))
        return false;
    sim->people_count = graph.count;
    sim->people = sim_memory(sim->people_count, sizeof *sim->people);
    for (size_t at = 0; at < sim->people_count; at++) {
        struct sim_person *person = &sim->people[at];

        person->links_count = graph.members[at].count;
        person->links = graph.members[at].to;
        graph.members[at].to = NULL; /* Taken over. */
        person->is_linked = sim_memory(person->links_count, sizeof *person->is_linked);
    }
    (void)printf("%zu members, %zu links (Advogato, certified both ways)\n", sim->people_count,
                 graph.links);
    graph_free(&graph);
    return true;
}

/* Members and links, as they are needed. */

static struct member *sim_member(struct sim_asks *sim, size_t number)
{
    struct sim_person *person = &sim->people[number];

    if (person->member == NULL) {
        person->member = sim_memory(1, sizeof *person->member);
        member_new(person->member, (uint32_t)number + 1, false);
        sim->made++;
    }
    if (person->member->now_ms < sim->clock_ms)
        person->member->now_ms = sim->clock_ms;
    return person->member;
}

static size_t sim_link_index(const struct sim_asks *sim, size_t one, size_t other)
{
    size_t at = 0;

    while (sim->people[one].links[at] != other)
        at++;
    return at;
}

static void sim_link(struct sim_asks *sim, size_t one, size_t other)
{
    bool *here = &sim->people[one].is_linked[sim_link_index(sim, one, other)];
    bool *there = &sim->people[other].is_linked[sim_link_index(sim, other, one)];
    struct member *left = sim_member(sim, one), *right = sim_member(sim, other);

    if (*here)
        return;
    *here = *there = true;
    member_link(left, right);
    meeting_carry(left, right);
}

/* An ask on its way. */

static void sim_carry(struct sim_asks *sim, size_t from, size_t to)
{
    struct member *giver = sim_member(sim, from);
    uint64_t before = giver->sent_bytes;

    (void)meeting_carry_one_way(sim_member(sim, to), giver);
    sim->bytes += giver->sent_bytes - before;
}

/* Whoever has it holds a way of at most so many links. */
static void sim_look(struct sim_asks *sim, size_t from, size_t number)
{
    struct snapshot snapshot = member_snapshot(sim->people[number].member);
    struct ask_route route = {.depth = 0};
    struct ask_row row = {.state = ASK_STATE_UNHEARD};
    enum err err = view_ask(&snapshot, &sim->id, &row);

    if (err == ERR_OK && row.state != ASK_STATE_MINE && row.state != ASK_STATE_UNHEARD)
        err = view_ask_route(&snapshot, &sim->id, &route);
    ledger_snapshot_end(&snapshot);
    sim_must(err == ERR_OK || err == ERR_NOT_FOUND, "an ask cannot be read");
    sim_must(route.depth <= ASK_HOPS_MAX, "an ask went too far");
    if (route.depth == 0 || sim->people[number].depth != 0)
        return;
    sim->people[number].depth = route.depth;
    sim->people[number].from = from;
    sim->reached[route.depth]++;
    sim->shown += row.state == ASK_STATE_SHOWN;
}

static json_t *sim_pass_to(struct sim_asks *sim, size_t number, size_t *out, size_t *out_count)
{
    const struct sim_person *person = &sim->people[number];
    size_t first = sim_draw(sim, person->links_count), count = 0;
    json_t *to = json_array();

    for (size_t at = 0; at < person->links_count && count < ASK_PASSES_MAX; at++) {
        size_t other = person->links[(first + at) % person->links_count];
        char did[DID_SIZE];

        if (sim->people[other].depth == 1 && person->depth == 1)
            continue; /* They are the author's own peers. */
        sim_link(sim, number, other);
        identity_did(&sim->people[other].member->secrets.member, did);
        (void)json_array_append_new(to, json_string(did));
        out[count++] = other;
    }
    *out_count = count;
    return to;
}

static void sim_pass(struct sim_asks *sim, size_t number)
{
    size_t to[ASK_PASSES_MAX], count;
    char id[ID_TEXT_SIZE];
    json_t *names = sim_pass_to(sim, number, to, &count);
    enum op_code code;

    hex_write(span_of(sim->id.bytes, ID_SIZE), id);
    json_decref(meeting_op(sim->people[number].member, "ask.pass",
                           json_pack("{s:s, s:o}", "id", id, "to", names), &code));
    if (sim->people[number].depth == ASK_HOPS_MAX)
        sim_must(code != OP_DONE, "the op passes on beyond the limit");
    if (code != OP_DONE)
        return;
    sim->passed++;
    for (size_t at = 0; at < count; at++) {
        sim_carry(sim, number, to[at]);
        sim_look(sim, number, to[at]);
    }
}

/* A program at the limit that makes one link more, and says it to a peer. */
static void sim_pass_foul(struct sim_asks *sim, size_t number)
{
    size_t to[ASK_PASSES_MAX], count;
    struct member *member = sim->people[number].member;
    struct buf bytes = {0}, longer = {0};
    struct public_key grant;
    struct ask_pass held;
    struct member *other;

    json_decref(sim_pass_to(sim, number, to, &count));
    if (count == 0)
        return;
    other = sim->people[to[0]].member;
    asking_bytes(member, &sim->id, &bytes);
    sim_must(ask_pass_read(buf_span(&bytes), &held) == ERR_OK, "a pass cannot be read");
    held.links[1] = held.links[2]; /* Room for another, as if it had come two links far. */
    held.depth = 2;
    sim_must(ask_pass_issue(&held, &other->secrets.member, span_of(NULL, 0), &longer, &grant) ==
                 ERR_OK,
             "a foul link cannot be made");
    asking_say(member, other, KIND_PASS, buf_span(&longer), held.ask.expires_ms);
    sim_carry(sim, number, to[0]);
    sim->refused += asking_last_says(other, "refused", "is not signed");
    buf_release(&bytes);
    buf_release(&longer);
}

static void sim_post(struct sim_asks *sim, size_t author, const char *title)
{
    struct sim_person *person = &sim->people[author];
    struct member **to = sim_memory(person->links_count + 1, sizeof *to);
    struct asking_post post = {.author = sim_member(sim, author),
                               .title = title,
                               .hop_limit = ASK_HOPS_MAX,
                               .naming = ASK_NAMED_ALWAYS,
                               .days = 14};

    for (size_t at = 0; at < person->links_count; at++) {
        sim_link(sim, author, person->links[at]);
        to[at] = sim->people[person->links[at]].member;
    }
    asking_post(&post, to, &sim->id);
    free(to);
    for (size_t at = 0; at < person->links_count; at++) {
        sim_carry(sim, author, person->links[at]);
        sim_look(sim, author, person->links[at]);
    }
}

/* Answers. */

static size_t sim_leads(struct member *author)
{
    json_t *list = meeting_op(author, "lead.list", json_object(), NULL);
    size_t count = json_array_size(json_object_get(list, "leads"));

    json_decref(list);
    return count;
}

/* From one to the next, as the ask came. Nobody between holds a word of it in any entry or row. */
static void sim_answer(struct sim_asks *sim, size_t author, size_t number)
{
    char id[ID_TEXT_SIZE], text[ID_TEXT_SIZE + 64];
    uint64_t before = sim->bytes;
    size_t leads = sim_leads(sim_member(sim, author)), at = number;

    hex_write(span_of(sim->id.bytes, ID_SIZE), id);
    /* Of this ask alone: a carrier may have asked before, and holds what it was answered then. */
    (void)snprintf(text, sizeof text, "Number %zu knows somebody at noon, %s", number, id);
    json_decref(meeting_op(
        sim_member(sim, number), "ask.reply",
        json_pack("{s:s, s:s, s:b}", "id", id, "text", text, "unnamed", number % 2 == 0), NULL));
    sim->answered[sim->people[number].depth]++;
    while (at != author) {
        size_t next = sim->people[at].from;

        sim_carry(sim, at, next);
        at = next;
        if (at == author)
            break;
        sim->carried++;
        sim_must(!meeting_holds(sim->people[at].member, span_str(text)),
                 "who carries an answer can read it");
    }
    sim->answer_bytes += sim->bytes - before;
    sim->bytes = before;
    sim_must(sim_leads(sim->people[author].member) == leads + 1, "an answer did not arrive");
    sim_must(meeting_holds(sim->people[author].member, span_str(text)),
             "who asked cannot read the answer");
}

static void sim_ask(struct sim_asks *sim, size_t number)
{
    size_t author, foul = 0;
    char title[32];

    do
        author = sim_draw(sim, sim->people_count);
    while (sim->people[author].links_count == 0);
    for (size_t at = 0; at < sim->people_count; at++)
        sim->people[at].depth = 0;
    (void)snprintf(title, sizeof title, "Ask number %zu", number);
    sim_post(sim, author, title);
    for (size_t depth = 1; depth <= ASK_HOPS_MAX; depth++)
        for (size_t at = 0; at < sim->people_count; at++)
            if (sim->people[at].depth == depth && at != author && sim_draw(sim, sim->every) == 0) {
                sim_pass(sim, at);
                if (depth == ASK_HOPS_MAX && foul < SIM_ASKS_FOUL) {
                    sim_pass_foul(sim, at);
                    foul++;
                }
            }
    /* Nobody else has it. */
    for (size_t at = 0; at < sim->people_count; at++)
        if (sim->people[at].member != NULL && sim->people[at].depth == 0)
            sim_look(sim, at, at);
    for (size_t at = 0; at < sim->people_count; at++)
        if (sim->people[at].depth > 0 && at != author && sim_draw(sim, sim->every) == 0)
            sim_answer(sim, author, at);
    sim->clock_ms += SIM_ASKS_PAUSE_MS;
}

static void sim_print(const struct sim_asks *sim)
{
    double asks = (double)sim->asks;
    size_t all = sim->reached[1] + sim->reached[2] + sim->reached[3];
    size_t answers = sim->answered[1] + sim->answered[2] + sim->answered[3];

    (void)printf("one in %zu passes, %zu asks: reached at hop 1 %.1f, hop 2 %.1f, hop 3 %.1f, in "
                 "all %.1f an ask\n",
                 sim->every, sim->asks, (double)sim->reached[1] / asks,
                 (double)sim->reached[2] / asks, (double)sim->reached[3] / asks,
                 (double)all / asks);
    (void)printf("shown at once to %zu of %zu; %zu passes by hand\n", sim->shown, all, sim->passed);
    (void)printf("bytes of batches: %.0f an ask, %.0f for each who has it, %.1f for each of %zu "
                 "members\n",
                 (double)sim->bytes / asks, all > 0 ? (double)sim->bytes / (double)all : 0,
                 (double)sim->bytes / asks / (double)sim->people_count, sim->people_count);
    (void)printf(
        "answers: %zu from hop 1, %zu from hop 2, %zu from hop 3, each read by who asked; by "
        "%zu who carried them, none; %.0f bytes each\n",
        sim->answered[1], sim->answered[2], sim->answered[3], sim->carried,
        answers > 0 ? (double)sim->answer_bytes / (double)answers : 0);
    (void)printf("beyond the limit: 0; links more than allowed that were refused: %zu; members "
                 "that asks came near: %zu\n",
                 sim->refused, sim->made);
}

static void sim_end(struct sim_asks *sim)
{
    for (size_t at = 0; at < sim->people_count; at++) {
        struct sim_person *person = &sim->people[at];

        if (person->member != NULL)
            member_free(person->member);
        free(person->member);
        free(person->links);
        free(person->is_linked);
    }
    free(sim->people);
}

int main(int argc, char **argv)
{
    struct sim_asks sim = {
        .asks = 3, .every = 10, .chance = 1, .clock_ms = UINT64_C(1700000100000)};
    size_t members = 2000;

    for (int at = 1; at + 1 < argc; at += 2) {
        unsigned long value = strtoul(argv[at + 1], NULL, 10);

        if (strcmp(argv[at], "--members") == 0)
            members = value;
        else if (strcmp(argv[at], "--asks") == 0)
            sim.asks = value;
        else if (strcmp(argv[at], "--every") == 0)
            sim.every = value;
        else if (strcmp(argv[at], "--seed") == 0)
            sim.chance = value;
    }
    sim_must(members > 0 && members < GRAPH_NODES && sim.asks > 0 && sim.every > 0,
             "numbers above 0");
    if (!sim_load(&sim, members)) {
        (void)puts("skip sim_asks: no graphs in the test data");
        return 0;
    }
    for (size_t at = 0; at < sim.asks; at++)
        sim_ask(&sim, at);
    sim_print(&sim);
    sim_end(&sim);
    (void)puts("ok sim_asks");
    return 0;
}
