/* What must be so when nobody has anything left to do: each has what was passed to them and nothing
 * else, nobody beyond the limit has anything, every answer came to who asked and to nobody else's
 * eyes, thanks came to who answered, and every store is whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/check.h"
#include "tests/sim/judge_search.h"
#include "tests/sim/spread.h"

enum { SPREAD_UNHEARD = 255 };

/* One ask as all members have it. */
struct spread_trial {
    struct spread *spread;
    const struct spread_ask *ask;
    uint8_t *hops; /* by member; SPREAD_UNHEARD: has not got it */
    bool *is_given, *is_closed;
};

/* Each for itself. */

static void spread_on_canary(void *self, struct world_node *node, size_t number, const char *where)
{
    struct spread *spread = self;
    size_t ask = number / spread->graph->count, member = number % spread->graph->count;

    if (ask >= spread->options.asks || (node != spread->people[member].node &&
                                        node != spread->people[spread->asks[ask].author].node))
        spread_fail(spread, "%s can read m%04zu's answer to %s: %s", node->name, member,
                    ask < spread->options.asks ? spread->asks[ask].title : "nobody", where);
}

static void spread_on_store(struct world_node *node, void *self)
{
    struct spread *spread = self;
    struct check_report report;
    struct snapshot snapshot;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(check_store(&snapshot, &report));
    ledger_snapshot_end(&snapshot);
    if (report.damaged > 0)
        spread_fail(spread, "%s: doctor finds %llu things, first: %s", node->name,
                    (unsigned long long)report.damaged, report.first);
    if (node->violations > 0)
        spread_fail(spread, "%s was told that an honest peer broke a rule: %s", node->name,
                    node->rule);
    judge_search_each(node, spread_on_canary, spread);
}

/* What was refused: from who broke the limit, and from nobody else. */
static bool spread_is_fouled(const struct spread *spread, size_t member)
{
    for (size_t number = 0; number < spread->options.asks; number++)
        for (size_t at = 0; at < spread->asks[number].roles_count; at++)
            if (spread->asks[number].roles[at].has_fouled &&
                spread->asks[number].roles[at].foul_to == member)
                return true;
    return false;
}

static void spread_judge_refused(struct spread *spread, size_t member)
{
    json_t *log = world_read(spread->people[member].node, "log", json_object()), *row;
    size_t at, count = 0;

    json_array_foreach(json_object_get(log, "events"), at, row)
    {
        const char *kind = json_string_value(json_object_get(row, "kind"));
        const char *text = json_string_value(json_object_get(row, "text"));

        if (kind == NULL || text == NULL || strcmp(kind, "refused") != 0)
            continue;
        count++;
        if (strstr(text, "is not signed") == NULL)
            spread_fail(spread, "m%04zu refused an honest peer: %s", member, text);
    }
    json_decref(log);
    spread->figures.refused += count;
    if ((count > 0) != spread_is_fouled(spread, member))
        spread_fail(spread, "m%04zu refused %zu things", member, count);
}

/* Reach. */

static void spread_note_given(struct spread_trial *trial, json_t *people)
{
    json_t *person;
    size_t at;

    json_array_foreach(people, at, person)
    {
        size_t member =
            spread_named(trial->spread, json_string_value(json_object_get(person, "name")));

        if (member == SPREAD_NOBODY)
            spread_fail(trial->spread, "%s was passed to nobody known", trial->ask->title);
        else
            trial->is_given[member] = true;
    }
}

static void spread_note_member(struct spread_trial *trial, size_t member)
{
    json_t *row = world_read(trial->spread->people[member].node, "ask.show",
                             json_pack("{s:s}", "id", trial->ask->id));

    trial->hops[member] = SPREAD_UNHEARD;
    if (row == NULL)
        return;
    trial->hops[member] = (uint8_t)json_integer_value(json_object_get(row, "hops"));
    trial->is_closed[member] =
        strcmp(json_string_value(json_object_get(row, "state")), "closed") == 0;
    spread_note_given(trial, json_object_get(row, "to"));
    spread_note_given(trial, json_object_get(row, "passed_to"));
    trial->spread->figures.passes += json_object_get(row, "passed_to") != NULL;
    json_decref(row);
}

static void spread_judge_member(struct spread_trial *trial, size_t member)
{
    struct spread *spread = trial->spread;
    const struct spread_role *role = spread_role(trial->ask, member);
    bool has = trial->hops[member] != SPREAD_UNHEARD, is_over = trial->ask->close_ms > 0;
    const char *title = trial->ask->title;

    if (member == trial->ask->author) {
        if (trial->hops[member] != 0 || trial->is_closed[member] != is_over)
            spread_fail(spread, "m%04zu's own %s is not as they left it", member, title);
        return;
    }
    if (has && (role == NULL || !trial->is_given[member]))
        spread_fail(spread, "m%04zu has %s, and nobody passed it to them", member, title);
    else if (has && (trial->hops[member] > ASK_HOPS_MAX || trial->hops[member] < role->depth))
        spread_fail(spread, "m%04zu has %s over %u links", member, title, trial->hops[member]);
    else if (has && trial->is_closed[member] != is_over)
        spread_fail(spread, "m%04zu %s that %s is closed", member,
                    is_over ? "does not know" : "thinks", title);
    else if (!has && !is_over && trial->is_given[member])
        spread_fail(spread, "m%04zu has not got %s", member, title);
    if (has)
        spread->figures.reached[trial->hops[member]]++;
}

/* Answers. */

/* The row of a lead with this text in it; NULL; *out_count: how many. */
static json_t *spread_find_lead(json_t *list, const char *text, size_t *out_count)
{
    json_t *row, *found = NULL;
    size_t at;

    *out_count = 0;
    json_array_foreach(json_object_get(list, "leads"), at, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "text")), text) != 0)
            continue;
        found = row;
        (*out_count)++;
    }
    return found;
}

static void spread_judge_reply(struct spread_trial *trial, const struct spread_role *role,
                               json_t *asked)
{
    struct spread *spread = trial->spread;
    json_t *own = world_read(spread->people[role->member].node, "lead.list", json_object());
    char text[SPREAD_TEXT_SIZE];
    size_t written, read;
    json_t *mine, *theirs;

    spread_text(spread, trial->ask, role->member, text);
    mine = spread_find_lead(own, text, &written);
    theirs = spread_find_lead(asked, text, &read);
    if (written > 1 || read != written)
        spread_fail(spread, "m%04u wrote %zu answers to %s, and %zu came", role->member, written,
                    trial->ask->title, read);
    else if (written == 1 && (json_object_get(mine, "thanked") == NULL ||
                              json_object_get(theirs, "thanked") == NULL))
        spread_fail(spread, "no thanks came to m%04u for the answer to %s", role->member,
                    trial->ask->title);
    else if (written == 1)
        spread->figures.answered[trial->hops[role->member]]++;
    else if (role->replies && trial->hops[role->member] != SPREAD_UNHEARD &&
             trial->ask->close_ms == 0)
        spread_fail(spread, "m%04u has not answered %s", role->member, trial->ask->title);
    spread->figures.thanked += written;
    spread->figures.carriers += written * (trial->hops[role->member] - 1u);
    json_decref(own);
}

static void spread_judge_ask(struct spread *spread, const struct spread_ask *ask)
{
    size_t count = spread->graph->count;
    struct spread_trial trial = {.spread = spread,
                                 .ask = ask,
                                 .hops = world_memory(count),
                                 .is_given = world_memory(count * sizeof(bool)),
                                 .is_closed = world_memory(count * sizeof(bool))};
    json_t *asked = world_read(spread->people[ask->author].node, "lead.list", json_object());

    if (ask->id[0] == '\0')
        spread_fail(spread, "%s was never posted", ask->title);
    for (size_t at = 0; at < count; at++)
        if (spread->people[at].node != NULL)
            spread_note_member(&trial, at);
    for (size_t at = 0; at < count; at++)
        if (spread->people[at].node != NULL)
            spread_judge_member(&trial, at);
    for (size_t at = 0; at < ask->roles_count; at++) {
        spread_judge_reply(&trial, &ask->roles[at], asked);
        spread->figures.fouled += ask->roles[at].has_fouled;
    }
    spread->figures.closed += ask->close_ms > 0;
    json_decref(asked);
    free(trial.hops);
    free(trial.is_given);
    free(trial.is_closed);
}

void spread_judge(struct spread *spread)
{
    for (size_t at = 0; at < spread->graph->count; at++) {
        if (spread->people[at].node == NULL)
            continue;
        world_look(spread->people[at].node, spread_on_store, spread);
        spread_judge_refused(spread, at);
    }
    for (size_t at = 0; at < spread->options.asks; at++)
        spread_judge_ask(spread, &spread->asks[at]);
}
