/* Endorsements: Ana writes of Bruno's work, Chie quotes what he shows, Dora is her peer. What each
 * tells is what is said of Bruno, as letters in the order of writing, and whom Chie quotes. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/kills.h"

enum { ANA, BRUNO, CHIE, DORA };

static void kills_vouch_row(struct kills *kills, const json_t *row,
                            char out[VOUCHING_DEALS_MAX][40])
{
    const char *words = json_string_value(json_object_get(row, "words"));
    const char *state = json_string_value(json_object_get(row, "state"));
    const char *to = json_string_value(json_object_get(row, "shown_to"));
    size_t deal = words != NULL ? kills_deal(kills, words) : SIZE_MAX;

    if (deal < VOUCHING_DEALS_MAX)
        (void)snprintf(out[deal], 40, "%c %s%s%s", (char)('a' + deal), state,
                       strcmp(to, "nobody") == 0 ? "" : " ", strcmp(to, "nobody") == 0 ? "" : to);
}

static void kills_vouch_tell(struct kills *kills, struct world_node *node,
                             char out[static KILLS_TOLD_SIZE])
{
    char rows[VOUCHING_DEALS_MAX][40] = {{0}}, did[DID_SIZE];
    json_t *params = json_object(), *list, *row;
    size_t at, size = 0;

    identity_did(&kills->vouching.persons[BRUNO]->secrets->member, did);
    if (node->person == ANA)
        (void)json_object_set_new(params, "given", json_true());
    else
        (void)json_object_set_new(params, "of", json_string(did));
    list = world_read(node, "endorsement.list", params);
    json_array_foreach(json_object_get(list, "endorsements"), at, row)
    {
        kills_vouch_row(kills, row, rows);
    }
    json_decref(list);
    list = world_read(node, "network.list", json_object());
    out[0] = '\0';
    if (json_array_size(json_object_get(list, "quoting")) > 0)
        size += (size_t)snprintf(out, KILLS_TOLD_SIZE, "quotes");
    json_decref(list);
    for (at = 0; at < VOUCHING_DEALS_MAX; at++)
        if (rows[at][0] != '\0')
            size += (size_t)snprintf(out + size, KILLS_TOLD_SIZE - size, "%s%s",
                                     size > 0 ? ", " : "", rows[at]);
    if (node->person <= BRUNO &&
        !judge_is_linked(node, kills->vouching.persons[node->person == ANA ? BRUNO : ANA]))
        (void)snprintf(out + size, KILLS_TOLD_SIZE - size, "; apart");
}

/* What they do. */

static const struct kills_deed ana_writes = {
    .method = "endorse",
    .who = ANA,
    .params = "{'who':'bruno','about':['boats'],'relation':'client','ceiling':'network'}"};
static const struct kills_deed ana_writes_for_a_month = {
    .method = "endorse",
    .who = ANA,
    .params = "{'who':'bruno','about':['boats'],'relation':'client','ceiling':'network',"
              "'expires':'1m'}"};
static const struct kills_deed ana_writes_to_him_alone = {
    .method = "endorse",
    .who = ANA,
    .params = "{'who':'bruno','about':['boats'],'relation':'client','ceiling':'subject'}"};
static const struct kills_deed ana_renews = {
    .method = "endorse",
    .who = ANA,
    .params = "{'who':'bruno','about':['boats'],'relation':'client','ceiling':'network'}",
    .list = "endorsement.list",
    .flag = "given"};
static const struct kills_deed chie_quotes = {
    .method = "network.quote", .who = CHIE, .params = "{'who':'bruno'}"};
static const struct kills_deed chie_quotes_no_more = {
    .method = "network.unquote", .who = CHIE, .params = "{'who':'bruno'}"};

static const struct kills_deed ana_removes_bruno = {
    .method = "peer.remove", .who = ANA, .params = "{'who':'bruno'}"};
static const struct kills_deed bruno_removes_ana = {
    .method = "peer.remove", .who = BRUNO, .params = "{'who':'ana'}"};
static const struct kills_deed bruno_blocks_ana = {
    .method = "peer.block", .who = BRUNO, .params = "{'who':'ana'}"};

#define KILLS_VOUCH_DEED(noun, person, verb, its, which, number)                                   \
    static const struct kills_deed noun = {.method = "endorsement." verb,                          \
                                           .who = (person),                                        \
                                           .params = (its),                                        \
                                           .list = "endorsement.list",                             \
                                           .flag = (which),                                        \
                                           .row = (number)}

KILLS_VOUCH_DEED(bruno_accepts, BRUNO, "accept", "{}", "received", 0);
KILLS_VOUCH_DEED(bruno_sets_aside, BRUNO, "set-aside", "{}", "received", 0);
KILLS_VOUCH_DEED(bruno_shows_peers, BRUNO, "publish", "{'to':'peers'}", "received", 0);
KILLS_VOUCH_DEED(bruno_shows_all, BRUNO, "publish", "{'to':'network'}", "received", 0);
KILLS_VOUCH_DEED(bruno_shows_the_second, BRUNO, "accept", "{'to':'network'}", "received", 1);
KILLS_VOUCH_DEED(bruno_hides, BRUNO, "hide", "{}", "received", 0);
KILLS_VOUCH_DEED(ana_revokes, ANA, "revoke", "{}", "given", 0);

/* Stories. */

static const struct kills_step kills_vouch_shown[] = {
    {.deeds = {&ana_writes}, .until = {"a sent", "a pending", "", ""}},
    {.deeds = {&chie_quotes}, .until = {"a sent", "a pending", "quotes", ""}},
    {.deeds = {&bruno_accepts}, .until = {"a sent", "a accepted", "quotes", ""}},
    {.deeds = {&bruno_shows_all},
     .until = {"a accepted network", "a accepted network", "quotes, a accepted network",
               "a accepted network"}},
    {.deeds = {&bruno_hides}, .until = {"a sent", "a accepted", "quotes", ""}},
    {.deeds = {&bruno_shows_peers},
     .until = {"a accepted peers", "a accepted peers", "quotes, a accepted peers", ""}},
    {.deeds = {&ana_revokes}, .until = {"a revoked", "a revoked", "quotes", ""}},
};

static const struct kills_step kills_vouch_renewed[] = {
    {.deeds = {&ana_writes}, .until = {"a sent", "a pending", "", ""}},
    {.deeds = {&bruno_shows_all}, .until = {NULL, NULL, NULL, ""}},
    {.deeds = {&chie_quotes}, .until = {NULL, NULL, NULL, "a accepted network"}},
    {.deeds = {&ana_renews},
     .until = {NULL, "a accepted network, b pending", NULL, "a accepted network"}},
    {.deeds = {&bruno_shows_the_second}, .until = {NULL, NULL, NULL, "b accepted network"}},
    {.days = 31, .until = {NULL, NULL, NULL, "b accepted network"}},
    {.deeds = {&chie_quotes_no_more},
     .until = {"a sent, b accepted network", "a accepted, b accepted network", "b accepted network",
               ""}},
};

static const struct kills_step kills_vouch_expired[] = {
    {.deeds = {&ana_writes_for_a_month}, .until = {"a sent", "a pending", "", ""}},
    {.deeds = {&chie_quotes}, .until = {"a sent", "a pending", "quotes", ""}},
    {.deeds = {&bruno_shows_all}, .until = {NULL, NULL, NULL, "a accepted network"}},
    {.days = 40, .until = {"a expired", "a expired", "quotes", ""}},
};

static const struct kills_step kills_vouch_set_aside[] = {
    {.deeds = {&ana_writes_to_him_alone}, .until = {"a sent", "a pending", "", ""}},
    {.deeds = {&bruno_sets_aside}, .until = {"a sent", "a set aside", "", ""}},
    {.deeds = {&ana_revokes}, .until = {"a revoked", "a revoked", "", ""}},
};

/* What has come is its subject's to decide, whoever ends the link; what is decided since stays
 * here, and goes on to others. */
static const struct kills_step kills_vouch_parted[] = {
    {.deeds = {&ana_writes}, .until = {"a sent", "a pending", "", ""}},
    {.deeds = {&chie_quotes}, .until = {"a sent", "a pending", "quotes", ""}},
    {.deeds = {&ana_removes_bruno}, .until = {"a sent; apart", "a pending", "quotes", ""}},
    {.deeds = {&bruno_shows_all},
     .until = {NULL, "a accepted network", "quotes, a accepted network", "a accepted network"}},
    {.deeds = {&ana_revokes}, .until = {"a revoked; apart", NULL, NULL, NULL}},
    {.deeds = {&bruno_hides}, .until = {"a revoked; apart", "a accepted", "quotes", ""}},
};

/* Whether he hears that it was taken back before he ends the link is a matter of chance. */
static const struct kills_step kills_vouch_parted_while_shown[] = {
    {.deeds = {&ana_writes}, .until = {"a sent", "a pending", "", ""}},
    {.deeds = {&bruno_shows_peers},
     .until = {"a accepted peers", "a accepted peers", "a accepted peers", ""}},
    {.deeds = {&ana_revokes, &bruno_removes_ana}, .until = {"a revoked", NULL, NULL, ""}},
};

static const struct kills_step kills_vouch_blocked[] = {
    {.deeds = {&ana_writes}, .until = {"a sent", "a pending", "", ""}},
    {.deeds = {&bruno_blocks_ana}, .until = {"a sent", "a pending; apart", "", ""}},
    {.deeds = {&bruno_sets_aside}, .until = {"a sent", "a set aside; apart", "", ""}},
};

#define KILLS_VOUCH(title, plot, ...)                                                              \
    {                                                                                              \
        .name = (title), .names = {"ana", "bruno", "chie", "dora"}, .nodes_count = 4,              \
        .links = {{ANA, BRUNO}, {BRUNO, CHIE}, {CHIE, DORA}}, .links_count = 3,                    \
        .tell = kills_vouch_tell, .steps = (plot),                                                 \
        .steps_count = sizeof(plot) / sizeof((plot)[0]), __VA_ARGS__                               \
    }

const struct kills_story kills_vouch_stories[] = {
    KILLS_VOUCH("shown, hidden, taken back", kills_vouch_shown, .is_vouched = true),
    KILLS_VOUCH("renewed", kills_vouch_renewed, .is_vouched = true),
    KILLS_VOUCH("run out", kills_vouch_expired, .is_vouched = true),
    KILLS_VOUCH("set aside", kills_vouch_set_aside, .is_vouched = true),
    KILLS_VOUCH("shown after the link ended", kills_vouch_parted, .parting = {ANA, BRUNO}),
    KILLS_VOUCH("the link ends while it is taken back", kills_vouch_parted_while_shown,
                .parting = {ANA, BRUNO}),
    KILLS_VOUCH("blocked while it waits", kills_vouch_blocked, .parting = {ANA, BRUNO}),
};
const size_t kills_vouch_stories_count = sizeof kills_vouch_stories / sizeof kills_vouch_stories[0];
