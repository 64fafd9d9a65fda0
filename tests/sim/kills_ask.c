/* Asks: Ana asks, Bruno passes it on, Chie answers and is thanked. What each tells is the state of
 * the only ask they know of, and of the only answer. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/kills.h"

enum { ANA, BRUNO, CHIE };

static void kills_ask_tell(struct kills *kills, struct world_node *node,
                           char out[static KILLS_TOLD_SIZE])
{
    json_t *params = json_pack("{s:b}", "all", 1), *list, *row;
    const char *state;
    size_t size;

    (void)kills;
    list = world_read(node, "ask.list", params);
    row = json_array_get(json_object_get(list, "asks"), 0);
    state = json_string_value(json_object_get(row, "state"));
    size = (size_t)snprintf(out, KILLS_TOLD_SIZE, "%s", state != NULL ? state : "");
    json_decref(list);
    list = world_read(node, "lead.list", json_object());
    row = json_array_get(json_object_get(list, "leads"), 0);
    if (row != NULL)
        (void)snprintf(out + size, KILLS_TOLD_SIZE - size, ", %zu answer%s",
                       json_array_size(json_object_get(list, "leads")),
                       json_object_get(row, "thanked") != NULL ? ", thanked" : "");
    json_decref(list);
}

/* What they do. */

static const struct kills_deed ana_asks = {
    .method = "ask.post",
    .who = ANA,
    .params = "{'title':'A boat shed','text':'Dry, please.','hops':'3'}"};
static const struct kills_deed bruno_passes = {
    .method = "ask.pass", .who = BRUNO, .params = "{'to':['chie']}", .list = "ask.list"};
static const struct kills_deed chie_answers = {
    .method = "ask.reply", .who = CHIE, .params = "{'text':'By the mill.'}", .list = "ask.list"};
static const struct kills_deed ana_thanks = {
    .method = "thanks", .who = ANA, .params = "{'text':'Thank you.'}", .list = "lead.list"};
static const struct kills_deed ana_closes = {
    .method = "ask.close", .who = ANA, .params = "{'reason':'found'}", .list = "ask.list"};

static const struct kills_step kills_ask_answered[] = {
    {.deeds = {&ana_asks}, .until = {"open", "shown", ""}},
    {.deeds = {&bruno_passes}, .until = {"open", "passed", "shown"}},
    {.deeds = {&chie_answers}, .until = {"open, 1 answer", "passed", "answered, 1 answer"}},
    {.deeds = {&ana_thanks}, .until = {NULL, NULL, "answered, 1 answer, thanked"}},
    {.deeds = {&ana_closes},
     .until = {"closed, 1 answer, thanked", "closed", "closed, 1 answer, thanked"}},
};

const struct kills_story kills_ask_stories[] = {
    {.name = "an ask",
     .names = {"ana", "bruno", "chie"},
     .nodes_count = 3,
     .links = {{ANA, BRUNO}, {BRUNO, CHIE}},
     .links_count = 2,
     .tell = kills_ask_tell,
     .steps = kills_ask_answered,
     .steps_count = sizeof kills_ask_answered / sizeof kills_ask_answered[0]},
};
const size_t kills_ask_stories_count = sizeof kills_ask_stories / sizeof kills_ask_stories[0];
