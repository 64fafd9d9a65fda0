/* Introductions: Iris brings Ana and Bruno together. What each tells is the state of the only one
 * they know of, and, who brings together, what each side answered. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/kills.h"

enum { IRIS, ANA, BRUNO };

static void kills_meet_side(const json_t *row, const char *key, char out[static KILLS_TOLD_SIZE])
{
    const json_t *side = json_object_get(row, key);
    const char *answer = json_string_value(json_object_get(side, "answer"));
    size_t size = strlen(out);

    if (answer != NULL)
        (void)snprintf(out + size, KILLS_TOLD_SIZE - size, ", %s %s%s", key, answer,
                       json_object_get(side, "thanks") != NULL ? ", thanks" : "");
}

static void kills_meet_tell(struct kills *kills, struct world_node *node,
                            char out[static KILLS_TOLD_SIZE])
{
    json_t *list = world_read(node, "intro.list", json_object());
    const json_t *row = json_array_get(json_object_get(list, "introductions"), 0);
    const char *state = json_string_value(json_object_get(row, "state"));

    (void)kills;
    (void)snprintf(out, KILLS_TOLD_SIZE, "%s", state != NULL ? state : "");
    kills_meet_side(row, "a", out);
    kills_meet_side(row, "b", out);
    if (row == NULL && json_array_size(json_object_get(list, "wants")) > 0)
        (void)snprintf(out, KILLS_TOLD_SIZE, "wanted");
    json_decref(list);
}

/* What they do. */

static const struct kills_deed iris_asks_ana = {
    .method = "introduce",
    .who = IRIS,
    .params = "{'a':'ana','b':'bruno','why':'Boats.','first':'A'}"};
static const struct kills_deed iris_asks_bruno = {
    .method = "introduce",
    .who = IRIS,
    .params = "{'a':'ana','b':'bruno','why':'Boats.','first':'B'}"};
static const struct kills_deed iris_asks_both = {
    .method = "introduce",
    .who = IRIS,
    .params = "{'a':'ana','b':'bruno','why':'Boats.','first':'both'}"};
static const struct kills_deed iris_asks_blind = {
    .method = "introduce",
    .who = IRIS,
    .params = "{'a':'ana','b':'bruno','why':'Boats.','first':'A','blind':true}"};
static const struct kills_deed ana_says_yes = {
    .method = "intro.accept", .who = ANA, .params = "{'message':'Hello.'}", .list = "intro.list"};
static const struct kills_deed bruno_says_yes = {
    .method = "intro.accept", .who = BRUNO, .list = "intro.list"};
static const struct kills_deed ana_says_no = {
    .method = "intro.decline", .who = ANA, .list = "intro.list"};
static const struct kills_deed bruno_says_no = {
    .method = "intro.decline", .who = BRUNO, .list = "intro.list"};
static const struct kills_deed bruno_says_nothing = {
    .method = "intro.decline", .who = BRUNO, .params = "{'quietly':true}", .list = "intro.list"};
static const struct kills_deed iris_withdraws = {
    .method = "intro.withdraw", .who = IRIS, .list = "intro.list"};
static const struct kills_deed iris_removes_bruno = {
    .method = "peer.remove", .who = IRIS, .params = "{'who':'bruno'}"};
static const struct kills_deed bruno_removes_iris = {
    .method = "peer.remove", .who = BRUNO, .params = "{'who':'iris'}"};
static const struct kills_deed bruno_blocks_iris = {
    .method = "peer.block", .who = BRUNO, .params = "{'who':'iris'}"};
static const struct kills_deed ana_thanks = {.method = "intro.thanks",
                                             .who = ANA,
                                             .params = "{'text':'Thank you.'}",
                                             .list = "intro.list",
                                             .is_silent = true};

static const struct kills_deed bruno_wants_ana = {
    .method = "intro.want",
    .who = BRUNO,
    .params = "{'who':'ana','from':'iris','blurb':'I restore boats, too.'}",
    .is_silent = true};

/* Stories. */

/* Asked first, she says yes, and so the other is asked. */
#define KILLS_MEET_ANA_AGREES(secret)                                                              \
    {.is_secret = (secret),                                                                        \
     .deeds = {&iris_asks_ana},                                                                    \
     .until = {"open, a asked, b not asked yet", "offered", ""}},                                  \
    {                                                                                              \
        .is_secret = (secret), .deeds = {&ana_says_yes}, .until = {                                \
            "open, a yes, b asked",                                                                \
            "yes",                                                                                 \
            "offered"                                                                              \
        }                                                                                          \
    }

static const struct kills_step kills_meet_in_turn[] = {
    KILLS_MEET_ANA_AGREES(true),
    {.is_secret = true,
     .deeds = {&bruno_says_yes},
     .until = {"released, a yes, b yes", "connected", "connected"}},
    {.deeds = {&ana_thanks}, .until = {"released, a yes, thanks, b yes", "connected", "connected"}},
};

/* Who asked for it says yes by themself. */
static const struct kills_step kills_meet_wanted[] = {
    {.is_secret = true, .deeds = {&bruno_wants_ana}, .until = {"wanted", "", ""}},
    {.is_secret = true,
     .deeds = {&iris_asks_ana},
     .until = {"open, a asked, b not asked yet", "offered", NULL}},
    {.is_secret = true,
     .deeds = {&ana_says_yes},
     .until = {"released, a yes, b yes", "connected", "connected"}},
};

static const struct kills_step kills_meet_at_once[] = {
    {.is_secret = true,
     .deeds = {&iris_asks_both},
     .until = {"open, a asked, b asked", "offered", "offered"}},
    {.is_secret = true,
     .deeds = {&ana_says_yes, &bruno_says_yes},
     .until = {"released, a yes, b yes", "connected", "connected"}},
};

static const struct kills_step kills_meet_blind[] = {
    {.is_secret = true,
     .deeds = {&iris_asks_blind},
     .until = {"open, a asked, b not asked yet", "offered", ""}},
    {.is_secret = true,
     .deeds = {&ana_says_yes},
     .until = {"open, a yes, b asked", "yes", "offered"}},
    {.is_secret = true,
     .deeds = {&bruno_says_yes},
     .until = {"released, a yes, b yes", "connected", "connected"}},
};

static const struct kills_step kills_meet_declined[] = {
    KILLS_MEET_ANA_AGREES(false),
    {.deeds = {&bruno_says_no}, .until = {"closed, a yes, b no", "yes", "no"}},
    {.days = 22, .until = {"closed, a yes, b no", "yes", "no"}},
    {.days = 8, .until = {"closed, a retracted, b no", "retracted", "no"}},
};

static const struct kills_step kills_meet_declined_at_once[] = {
    {.deeds = {&iris_asks_bruno}, .until = {"open, a not asked yet, b asked", "", "offered"}},
    {.deeds = {&bruno_says_nothing}, .until = {"open, a not asked yet, b asked", "", "no"}},
    {.days = 22, .until = {"closed, a not asked yet, b asked", "", "no"}},
};

static const struct kills_step kills_meet_crossed[] = {
    {.deeds = {&iris_asks_both}, .until = {"open, a asked, b asked", "offered", "offered"}},
    {.deeds = {&ana_says_no, &bruno_says_yes}, .until = {"closed, a no, b yes", "no", "yes"}},
    {.days = 30, .until = {"closed, a no, b retracted", "no", "retracted"}},
};

static const struct kills_step kills_meet_withdrawn[] = {
    KILLS_MEET_ANA_AGREES(false),
    {.deeds = {&iris_withdraws}, .until = {"closed, a yes, b asked", "withdrawn", "withdrawn"}},
};

static const struct kills_step kills_meet_removed[] = {
    KILLS_MEET_ANA_AGREES(false),
    {.deeds = {&iris_removes_bruno}, .until = {"closed, a yes, b asked", "withdrawn", NULL}},
    {.days = 30, .until = {"closed, a yes, b asked", "withdrawn", "lapsed"}},
};

static const struct kills_step kills_meet_removes[] = {
    {.deeds = {&iris_asks_both}, .until = {"open, a asked, b asked", "offered", "offered"}},
    {.deeds = {&bruno_says_yes}, .until = {"open, a asked, b yes", "offered", "yes"}},
    {.deeds = {&bruno_removes_iris}, .until = {NULL, "offered", "retracted"}},
    {.days = 30, .until = {"closed, a asked, b yes", "lapsed", "retracted"}},
};

static const struct kills_step kills_meet_blocks[] = {
    KILLS_MEET_ANA_AGREES(false),
    {.deeds = {&bruno_blocks_iris}, .until = {"open, a yes, b asked", "yes", ""}},
    {.days = 30, .until = {"closed, a retracted, b asked", "retracted", ""}},
};

static const struct kills_step kills_meet_expired[] = {
    KILLS_MEET_ANA_AGREES(false),
    {.days = 22, .until = {"closed, a yes, b asked", "yes", "lapsed"}},
    {.days = 8, .until = {"closed, a retracted, b asked", "retracted", "lapsed"}},
};

static const struct kills_step kills_meet_retracted[] = {
    KILLS_MEET_ANA_AGREES(false),
    {.deeds = {&ana_says_no}, .until = {"closed, a retracted, b asked", "retracted", "offered"}},
    {.days = 22, .until = {"closed, a retracted, b asked", "retracted", "lapsed"}},
};

#define KILLS_MEET(title, plot, ...)                                                               \
    {                                                                                              \
        .name = (title), .names = {"iris", "ana", "bruno"}, .nodes_count = 3,                      \
        .links = {{IRIS, ANA}, {IRIS, BRUNO}}, .links_count = 2, .tell = kills_meet_tell,          \
        .meeting = {ANA, BRUNO}, .steps = (plot), .steps_count = sizeof(plot) / sizeof((plot)[0]), \
        __VA_ARGS__                                                                                \
    }

const struct kills_story kills_meet_stories[] = {
    KILLS_MEET("one after the other", kills_meet_in_turn, .is_met = true),
    KILLS_MEET("wanted", kills_meet_wanted, .is_met = true),
    KILLS_MEET("both at once", kills_meet_at_once, .is_met = true),
    KILLS_MEET("blind", kills_meet_blind, .is_met = true),
    KILLS_MEET("declined", kills_meet_declined, .is_met = false),
    KILLS_MEET("declined quietly", kills_meet_declined_at_once, .is_met = false),
    KILLS_MEET("no and yes at once", kills_meet_crossed, .is_met = false),
    KILLS_MEET("withdrawn", kills_meet_withdrawn, .is_met = false),
    KILLS_MEET("removed by the introducer", kills_meet_removed, .parting = {IRIS, BRUNO}),
    KILLS_MEET("removes the introducer", kills_meet_removes, .parting = {IRIS, BRUNO}),
    KILLS_MEET("blocks the introducer", kills_meet_blocks, .parting = {IRIS, BRUNO}),
    KILLS_MEET("expired", kills_meet_expired, .is_met = false),
    KILLS_MEET("taken back", kills_meet_retracted, .is_met = false),
};
const size_t kills_meet_stories_count = sizeof kills_meet_stories / sizeof kills_meet_stories[0];
