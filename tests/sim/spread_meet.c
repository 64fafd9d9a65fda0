/* Members are down nearly always: a machine that runs costs a step a second. */
#include "tests/sim/spread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/view_peer.h"
#include "tests/sim/judge.h"

enum {
    SPREAD_UP_MAX = 48,         /* who meets at once: bounds locked memory */
    SPREAD_MEET_MS = 30 * 1000, /* how long */
    SPREAD_LOOK_MS = 1000,
    SPREAD_LINK_MS = 240 * 1000, /* how long links may take */
    SPREAD_ISLANDS_MS = 12 * 1000
};

struct world_node *spread_node(struct spread *spread, size_t member)
{
    struct spread_person *person = &spread->people[member];
    char name[16];

    if (person->node != NULL)
        return person->node;
    (void)snprintf(name, sizeof name, "m%04zu", member);
    person->node = world_init(&spread->world, name);
    person->node->wall_offset_ms = (int64_t)world_draw(&spread->world, 3600 * 1000) - 1800 * 1000;
    person->is_linked = world_memory(spread->graph->people[member].count * sizeof(bool));
    person->pending = world_memory(spread->graph->people[member].count * sizeof(uint16_t));
    spread->figures.made++;
    return person->node;
}

size_t spread_named(const struct spread *spread, const char *name)
{
    char *end = NULL;
    unsigned long number = name != NULL && name[0] == 'm' ? strtoul(name + 1, &end, 10) : 0;

    return end != NULL && end > name + 1 && *end == '\0' && number < spread->graph->count
               ? number
               : SPREAD_NOBODY;
}

static bool *spread_link_of(struct spread *spread, size_t one, size_t other)
{
    const struct graph_person *person = &spread->graph->people[one];

    for (size_t at = 0; at < person->count; at++)
        if (person->links[at] == other)
            return &spread->people[one].is_linked[at];
    KITH_ASSERT(false);
    return NULL;
}

/* Those who are up. */
struct spread_party {
    uint16_t members[SPREAD_UP_MAX];
    size_t count;
};

static bool spread_party_has(const struct spread_party *party, size_t member)
{
    for (size_t at = 0; at < party->count; at++)
        if (party->members[at] == member)
            return true;
    return false;
}

/* Both, or neither when there is no room. */
static bool spread_party_add(struct spread_party *party, size_t one, size_t other)
{
    bool has_one = spread_party_has(party, one), has_other = spread_party_has(party, other);

    if (party->count + !has_one + !has_other > SPREAD_UP_MAX)
        return false;
    if (!has_one)
        party->members[party->count++] = (uint16_t)one;
    if (!has_other)
        party->members[party->count++] = (uint16_t)other;
    return true;
}

static void spread_party_start(struct spread *spread, const struct spread_party *party)
{
    for (size_t at = 0; at < party->count; at++) {
        struct spread_person *person = &spread->people[party->members[at]];

        world_start(person->node);
        person->is_dirty = true;
    }
}

static void spread_party_stop(struct spread *spread, const struct spread_party *party)
{
    for (size_t at = 0; at < party->count; at++)
        world_stop(spread->people[party->members[at]].node);
    world_run_until(&spread->world, spread->world.now_ms + WORLD_STOP_MS + SPREAD_LOOK_MS);
    for (size_t at = 0; at < party->count; at++)
        world_crash(spread->people[party->members[at]].node);
}

/* Links. */

struct spread_pair {
    uint16_t one, other;
    bool is_under_way;
    char uri[INVITATION_TEXT_SIZE_MAX];
};

struct spread_pairs {
    struct spread_pair *pairs;
    size_t count, capacity;
};

static void spread_want_link(struct spread *spread, struct spread_pairs *wanted, size_t one,
                             size_t other)
{
    bool *here, *there;

    (void)spread_node(spread, one);
    (void)spread_node(spread, other);
    here = spread_link_of(spread, one, other);
    there = spread_link_of(spread, other, one);
    if (*here)
        return;
    *here = *there = true;
    if (wanted->count == wanted->capacity) {
        wanted->capacity = wanted->capacity > 0 ? 2 * wanted->capacity : 256;
        wanted->pairs = realloc(wanted->pairs, wanted->capacity * sizeof *wanted->pairs);
        KITH_ASSERT(wanted->pairs != NULL);
    }
    wanted->pairs[wanted->count++] =
        (struct spread_pair){.one = (uint16_t)one, .other = (uint16_t)other};
}

static void spread_want_links(struct spread *spread, struct spread_pairs *wanted)
{
    for (size_t number = 0; number < spread->options.asks; number++) {
        const struct spread_ask *ask = &spread->asks[number];

        for (size_t at = 0; at < ask->roles_count; at++) {
            const struct spread_role *role = &ask->roles[at];

            if (role->depth == 1)
                spread_want_link(spread, wanted, ask->author, role->member);
            for (size_t to = 0; to < role->to_count; to++)
                spread_want_link(spread, wanted, role->member, role->to[to]);
            if (role->foul_to != SPREAD_NOBODY)
                spread_want_link(spread, wanted, role->member, role->foul_to);
        }
    }
}

static void spread_on_uri(struct world_node *node, void *self, enum err err,
                          const struct op_call *call)
{
    struct spread_pair *pair = self;

    (void)node;
    world_must(err);
    (void)snprintf(pair->uri, sizeof pair->uri, "%s",
                   json_string_value(json_object_get(call->result, "uri")));
}

static bool spread_are_settled(struct spread *spread, const struct spread_pairs *wanted)
{
    for (size_t at = 0; at < wanted->count; at++)
        if (wanted->pairs[at].is_under_way &&
            !judge_is_settled(spread->people[wanted->pairs[at].one].node,
                              spread->people[wanted->pairs[at].other].node))
            return false;
    return true;
}

static void spread_link_party(struct spread *spread, struct spread_pairs *wanted,
                              const struct spread_party *party)
{
    struct world *world = &spread->world;
    uint64_t until = world->now_ms + SPREAD_LINK_MS;

    spread_party_start(spread, party);
    for (size_t at = 0; at < wanted->count; at++)
        if (wanted->pairs[at].is_under_way)
            world_op(spread->people[wanted->pairs[at].one].node, "peer.invite",
                     json_pack("{s:s}", "name", spread->people[wanted->pairs[at].other].node->name),
                     spread_on_uri, &wanted->pairs[at]);
    world_run_until(world, world->now_ms + SPREAD_LOOK_MS);
    for (size_t at = 0; at < wanted->count; at++)
        if (wanted->pairs[at].is_under_way)
            world_op(spread->people[wanted->pairs[at].other].node, "peer.accept",
                     json_pack("{s:s}", "uri", wanted->pairs[at].uri), NULL, NULL);
    while (!spread_are_settled(spread, wanted) && world->now_ms < until)
        world_run_until(world, world->now_ms + SPREAD_LOOK_MS);
    if (!spread_are_settled(spread, wanted))
        spread_fail(spread, "links are not made in %d s", SPREAD_LINK_MS / 1000);
    spread_party_stop(spread, party);
}

void spread_link(struct spread *spread)
{
    struct spread_pairs wanted = {.count = 0};

    spread_want_links(spread, &wanted);
    spread->figures.links = wanted.count;
    while (wanted.count > 0 && spread->failure[0] == '\0') {
        struct spread_party party = {.count = 0};
        size_t left = 0;

        for (size_t at = 0; at < wanted.count; at++)
            wanted.pairs[at].is_under_way =
                spread_party_add(&party, wanted.pairs[at].one, wanted.pairs[at].other);
        spread_link_party(spread, &wanted, &party);
        for (size_t at = 0; at < wanted.count; at++)
            if (!wanted.pairs[at].is_under_way)
                wanted.pairs[left++] = wanted.pairs[at];
        wanted.count = left;
    }
    free(wanted.pairs);
}

/* Meeting. */

struct spread_pending {
    struct spread *spread;
    size_t member;
};

static void spread_on_look(struct world_node *node, void *self)
{
    struct spread_pending *look = self;
    struct spread_person *person = &look->spread->people[look->member];
    const struct graph_person *known = &look->spread->graph->people[look->member];
    struct snapshot snapshot;

    person->pending_count = 0;
    world_must(ledger_snapshot(node->ledger, &snapshot));
    for (size_t at = 0; at < known->count; at++) {
        uint64_t undelivered = 0;

        if (!person->is_linked[at])
            continue;
        world_must(view_undelivered(&snapshot,
                                    &look->spread->people[known->links[at]].node->secrets->member,
                                    &undelivered));
        if (undelivered > 0)
            person->pending[person->pending_count++] = known->links[at];
    }
    ledger_snapshot_end(&snapshot);
}

static void spread_look(struct spread *spread)
{
    for (size_t at = 0; at < spread->graph->count; at++) {
        struct spread_person *person = &spread->people[at];
        struct spread_pending look = {.spread = spread, .member = at};

        if (person->node == NULL || !person->is_dirty)
            continue;
        person->is_dirty = false;
        world_look(person->node, spread_on_look, &look);
    }
}

/* What may go wrong while these are up. */
static void spread_curse(struct spread *spread, const struct spread_party *party)
{
    struct world *world = &spread->world;
    struct world_node *node = spread->people[party->members[world_draw(world, party->count)]].node;

    if (!world_once_in(world, 4))
        return;
    switch (world_draw(world, 4)) {
    case 0:
        world_count(world, node, WORLD_CRASH);
        world_crash(node);
        break;
    case 1:
        world_start(node); /* If it is down. */
        break;
    case 2:
        node->doom = world_once_in(world, 2) ? WORLD_BEFORE_COMMIT : WORLD_AFTER_COMMIT;
        node->doom_commits = 1 + world_draw(world, 3);
        break;
    default:
        world_count(world, node, WORLD_PARTITION);
        world->islands = world_draw(world, UINT64_MAX);
        world->islands_until_ms = world->now_ms + world_draw(world, SPREAD_ISLANDS_MS);
        break;
    }
}

static void spread_meet_party(struct spread *spread, const struct spread_party *party)
{
    struct world *world = &spread->world;
    uint64_t until = world->now_ms + SPREAD_MEET_MS;

    spread_party_start(spread, party);
    while (world->now_ms < until) {
        world_run_until(world, world->now_ms + SPREAD_LOOK_MS);
        if (spread->is_bad)
            spread_curse(spread, party);
    }
    world->islands_until_ms = 0;
    spread_party_stop(spread, party);
}

static bool spread_is_awake(const struct spread *spread, size_t member)
{
    return spread->people[member].asleep_until_ms <= spread->world.now_ms;
}

size_t spread_meet(struct spread *spread)
{
    size_t pairs = 0;
    struct spread_party party = {.count = 0};

    spread_look(spread);
    for (size_t one = 0; one < spread->graph->count; one++)
        for (size_t at = 0; at < spread->people[one].pending_count; at++) {
            size_t other = spread->people[one].pending[at];

            if (!spread_is_awake(spread, one) || !spread_is_awake(spread, other))
                continue;
            pairs++;
            if (spread_party_add(&party, one, other))
                continue;
            spread_meet_party(spread, &party);
            party.count = 0;
            (void)spread_party_add(&party, one, other);
        }
    if (party.count > 0)
        spread_meet_party(spread, &party);
    return pairs;
}

/* Deeds. */

static void spread_on_deed(struct world_node *node, void *self, enum err err,
                           const struct op_call *call)
{
    enum spread_deed *deed = self;

    (void)node;
    if (call != NULL)
        *deed = err == ERR_OK ? SPREAD_DONE : SPREAD_REFUSED;
}

enum spread_deed spread_op(struct spread *spread, size_t member, const char *method, json_t *params)
{
    enum spread_deed deed = SPREAD_UNKNOWN;
    struct world_node *node = spread_node(spread, member);
    struct spread_party alone = {.members = {(uint16_t)member}, .count = 1};
    struct world *world = &spread->world;

    spread->people[member].is_dirty = true;
    if (world_once_in(world, 2)) {
        world_count(world, node, WORLD_OFFLINE_EDIT);
        world_op(node, method, params, spread_on_deed, &deed);
        return deed;
    }
    spread_party_start(spread, &alone);
    if (spread->is_bad && world_once_in(world, 4)) {
        node->doom = world_once_in(world, 2) ? WORLD_BEFORE_COMMIT : WORLD_AFTER_COMMIT;
        node->doom_commits = 1;
    }
    world_op(node, method, params, spread_on_deed, &deed);
    world_run_until(world, world->now_ms + SPREAD_LOOK_MS);
    spread_party_stop(spread, &alone);
    return deed;
}
