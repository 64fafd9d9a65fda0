/* Links: Ana and Bruno have nothing of each other until one accepts what the other made. What each
 * tells is how they stand to the other. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/kills.h"

enum { ANA, BRUNO, CHIE };

static void kills_link_tell(struct kills *kills, struct world_node *node,
                            char out[static KILLS_TOLD_SIZE])
{
    struct world_node **nodes = kills->vouching.world.nodes;
    json_t *list = world_read(node, "peer.list", json_object()), *row;
    const char *told =
        judge_is_linked(node, nodes[node->number == ANA ? BRUNO : ANA]) ? "linked" : "";
    size_t at;

    json_array_foreach(json_object_get(list, "peers"), at, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "state")), "pending") == 0)
            told = "pending";
    }
    (void)snprintf(out, KILLS_TOLD_SIZE, "%s", told);
    json_decref(list);
}

/* What they do. */

#define KILLS_LINK_INVITES(noun, person, whom)                                                     \
    static const struct kills_deed noun = {.method = "peer.invite",                                \
                                           .who = (person),                                        \
                                           .params = "{'name':'" whom "'}",                        \
                                           .keep = "uri",                                          \
                                           .is_silent = true}
#define KILLS_LINK_ACCEPTS(noun, person, whose)                                                    \
    static const struct kills_deed noun = {                                                        \
        .method = "peer.accept", .who = (person), .give = "uri", .from = (whose)}
#define KILLS_LINK_ENDS(noun, person, verb, whom)                                                  \
    static const struct kills_deed noun = {                                                        \
        .method = "peer." verb, .who = (person), .params = "{'who':'" whom "'}"}

KILLS_LINK_INVITES(ana_invites, ANA, "bruno");
KILLS_LINK_INVITES(bruno_invites, BRUNO, "ana");
KILLS_LINK_ACCEPTS(ana_accepts, ANA, BRUNO);
KILLS_LINK_ACCEPTS(bruno_accepts_hers, BRUNO, ANA);
static const struct kills_deed bruno_accepts_again = {
    .method = "peer.accept", .who = BRUNO, .give = "uri", .from = ANA, .is_silent = true};
KILLS_LINK_ENDS(ana_removes_bruno, ANA, "remove", "bruno");
KILLS_LINK_ENDS(bruno_removes_ana, BRUNO, "remove", "ana");
KILLS_LINK_ENDS(ana_blocks_bruno, ANA, "block", "bruno");

/* Stories. */

static const struct kills_step kills_link_made[] = {
    {.is_secret = true, .deeds = {&ana_invites}, .until = {"", ""}},
    {.deeds = {&bruno_accepts_hers}, .until = {"linked", "linked"}},
};

/* Each invites the other, and each accepts: of two secrets one counts. */
static const struct kills_step kills_link_crossed[] = {
    {.is_secret = true, .deeds = {&ana_invites, &bruno_invites}, .until = {"", ""}},
    {.deeds = {&ana_accepts, &bruno_accepts_hers}, .until = {"linked", "linked"}},
};

static const struct kills_step kills_link_again[] = {
    {.is_secret = true, .deeds = {&ana_invites}, .until = {"", ""}},
    {.deeds = {&bruno_accepts_hers}, .until = {"linked", "linked"}},
    {.deeds = {&ana_removes_bruno}, .until = {"", NULL}},
    {.deeds = {&bruno_removes_ana}, .until = {"", ""}},
    {.deeds = {&bruno_invites}, .until = {"", ""}},
    {.deeds = {&ana_accepts}, .until = {"linked", "linked"}},
};

/* Only one of them ended it; who accepts has the other for a peer still. */
static const struct kills_step kills_link_one_sided[] = {
    {.is_secret = true, .deeds = {&ana_invites}, .until = {"", ""}},
    {.deeds = {&bruno_accepts_hers}, .until = {"linked", "linked"}},
    {.deeds = {&ana_removes_bruno}, .until = {"", NULL}},
    {.deeds = {&ana_invites}, .until = {"", NULL}},
    {.deeds = {&bruno_accepts_again}, .until = {"linked", "linked"}},
};

/* The third has the same card under the keys that follow. */
static const struct kills_step kills_link_blocked[] = {
    {.is_secret = true, .deeds = {&ana_invites}, .until = {"", "", NULL}},
    {.deeds = {&bruno_accepts_hers}, .until = {"linked", "linked", NULL}},
    {.deeds = {&ana_blocks_bruno}, .until = {"", NULL, NULL}},
};

#define KILLS_LINK(title, plot, ...)                                                               \
    {                                                                                              \
        .name = (title), .names = {"ana", "bruno", "chie"}, .nodes_count = 3,                      \
        .links = {{ANA, CHIE}}, .links_count = 1, .tell = kills_link_tell, .steps = (plot),        \
        .steps_count = sizeof(plot) / sizeof((plot)[0]), __VA_ARGS__                               \
    }

const struct kills_story kills_link_stories[] = {
    KILLS_LINK("link", kills_link_made, .meeting = {ANA, BRUNO}, .is_met = true),
    KILLS_LINK("two invitations", kills_link_crossed, .meeting = {ANA, BRUNO}, .is_met = true),
    KILLS_LINK("linked again", kills_link_again, .meeting = {ANA, BRUNO}, .is_met = true),
    KILLS_LINK("linked again by one", kills_link_one_sided, .meeting = {ANA, BRUNO},
               .is_met = true),
    KILLS_LINK("linked and blocked", kills_link_blocked, .parting = {ANA, BRUNO}),
};
const size_t kills_link_stories_count = sizeof kills_link_stories / sizeof kills_link_stories[0];
