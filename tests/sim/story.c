/*
 * Read story_run first. Whoever asks for an op that fails asks again later, as a person would; what
 * an op answered is believed, and the judge is told.
 */
#include "tests/sim/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "tests/sim/burst.h"
#include "tests/sim/net.h"
#include "tests/sim/passing.h"

enum {
    STORY_PERSONS_MAX = 4,
    STORY_NODES_MAX = 6, /* with clones */
    STORY_LINKS_MAX = 8,
    STORY_BURST_MAX = 300,
    STORY_FAULTS_MS = 400 * 1000,   /* how long the bad times last */
    STORY_HEAL_MS = 40 * 60 * 1000, /* how long mending may take */
    STORY_DAY_MS = 24 * 60 * 60 * 1000,
    STORY_LOOK_MS = 5000,
    STORY_SWAP_LOOKS = 60,
    STORY_AGAIN_MS = 10000
};

/* A link somebody wants, from the wish to the acceptance. */
struct story_link {
    struct story *story;
    struct world_node *inviter, *acceptor;
    char uri[INVITATION_TEXT_SIZE_MAX];
    bool is_accepted; /* the acceptor's command has answered */
    bool is_made;     /* both sides were in step */
};

/* One edit on its way. */
struct story_edit {
    struct story *story;
    struct world_node *node;
    size_t canary;
};

struct story {
    struct world world;
    struct judge judge;
    struct world_node *nodes[STORY_NODES_MAX];
    bool is_aside[STORY_NODES_MAX]; /* it waits for another copy of it to be met */
    bool is_full[STORY_NODES_MAX];  /* how the disk was last told to fail */
    uint64_t failures[STORY_NODES_MAX];
    struct world_home *homes[STORY_NODES_MAX]; /* an old copy */
    size_t homes_since[STORY_NODES_MAX];       /* canaries when it was made */
    bool has_copies, has_devices, has_bursts, has_forgets;
    size_t nodes_count;
    struct story_link links[STORY_LINKS_MAX];
    size_t links_count;
    bool is_over; /* mending has begun */
    char complaint[400];
    uint64_t edits;
};

/* Links. */

static void story_invite(struct world *world, struct world_node *nobody, void *data);
static void story_accept(struct world *world, struct world_node *nobody, void *data);

static uint64_t story_soon(struct story *story)
{
    return 1000 + world_draw(&story->world, 20000);
}

static void story_on_accepted(struct world_node *node, void *self, enum err err,
                              const struct op_call *call)
{
    struct story_link *link = self;

    (void)node;
    (void)call;
    link->is_accepted |= err == ERR_OK;
}

static void story_accept(struct world *world, struct world_node *nobody, void *data)
{
    struct story_link *link = data;

    (void)nobody;
    if (link->is_accepted)
        return;
    /* Asked again until it is done: a failing disk or a power cut may have its answer. */
    world_after(world, STORY_AGAIN_MS, NULL, story_accept, link);
    world_op(link->acceptor, "peer.accept", json_pack("{s:s}", "uri", link->uri), story_on_accepted,
             link);
}

static void story_on_invited(struct world_node *node, void *self, enum err err,
                             const struct op_call *call)
{
    struct story_link *link = self;

    if (err != ERR_OK || link->uri[0] != '\0')
        return;
    (void)snprintf(link->uri, sizeof link->uri, "%s",
                   json_string_value(json_object_get(call->result, "uri")));
    world_after(node->world, story_soon(link->story), NULL, story_accept, link);
}

static void story_invite(struct world *world, struct world_node *nobody, void *data)
{
    struct story_link *link = data;

    (void)nobody;
    if (link->uri[0] != '\0')
        return;
    world_after(world, STORY_AGAIN_MS, NULL, story_invite, link);
    world_op(link->inviter, "peer.invite", json_pack("{s:s}", "name", link->acceptor->name),
             story_on_invited, link);
}

/* Either of the two invites. */
static void story_want_link(struct story *story, size_t one, size_t other)
{
    struct story_link *link = &story->links[story->links_count++];
    bool is_other = world_once_in(&story->world, 2);

    *link = (struct story_link){.story = story,
                                .inviter = story->nodes[is_other ? other : one],
                                .acceptor = story->nodes[is_other ? one : other]};
    world_after(&story->world, story_soon(story), NULL, story_invite, link);
}

/* Who has met may read: the judge hears of it as soon as either side has the link. */
static bool story_see_links(struct story *story)
{
    bool is_all = true;

    for (size_t at = 0; at < story->links_count; at++) {
        struct story_link *link = &story->links[at];

        if (!link->is_made && link->uri[0] != '\0') {
            link->is_made = judge_is_settled(link->inviter, link->acceptor);
            judge_met(&story->judge, link->inviter->person, link->acceptor->person);
            judge_met(&story->judge, link->acceptor->person, link->inviter->person);
        }
        is_all = is_all && link->is_made;
    }
    return is_all;
}

/* Edits. */

static void story_on_edited(struct world_node *node, void *self, enum err err,
                            const struct op_call *call)
{
    struct story_edit *edit = self;
    struct judge *judge = &edit->story->judge;

    (void)node;
    (void)call;
    judge->canaries[edit->canary].is_under_way = false;
    if (err == ERR_OK) {
        judge->canaries[edit->canary].is_acknowledged = true;
        edit->story->edits++;
    }
    free(edit);
}

static void story_ask(struct story *story, struct world_node *node, const char *method,
                      json_t *params, size_t canary)
{
    struct story_edit *edit = world_memory(sizeof *edit);

    *edit = (struct story_edit){.story = story, .node = node, .canary = canary};
    story->judge.canaries[canary].is_under_way = true;
    if (!node->is_up)
        world_count(&story->world, node, WORLD_OFFLINE_EDIT);
    world_op(node, method, params, story_on_edited, edit);
}

static void story_add_contact(struct story *story, struct world_node *node)
{
    char text[JUDGE_CANARY_SIZE];
    size_t canary = judge_canary(&story->judge, node, JUDGE_SELF, text);

    story_ask(story, node, "contact.add", json_pack("{s:s, s:s}", "name", text, "note", text),
              canary);
}

/* One more address on the card: what a person says who adds one. Two devices may do so at once. */
static void story_edit_card(struct story *story, struct world_node *node)
{
    char text[JUDGE_CANARY_SIZE], change[JUDGE_CANARY_SIZE + 4];
    size_t canary = judge_canary(&story->judge, node, JUDGE_CARD, text);

    (void)snprintf(change, sizeof change, "url=%s", text);
    story_ask(story, node, "me.edit", json_pack("{s:[s], s:s}", "add", change, "org", text),
              canary);
}

static void story_on_shot(struct world_node *node, void *self, enum err err,
                          const struct op_call *call)
{
    (void)node;
    (void)err;
    (void)call;
    free(self);
}

static void story_burst(struct story *story, struct world_node *node)
{
    struct burst *burst;

    if (!node->is_up)
        return;
    burst = world_memory(sizeof *burst);
    burst->edits = 1 + world_draw(&story->world, STORY_BURST_MAX);
    burst->is_restated = world_once_in(&story->world, 2);
    world_write(node, burst_write, burst, story_on_shot, burst);
}

/* Misfortune. */

static void story_power(struct story *story, struct world_node *node)
{
    struct world *world = &story->world;

    if (!node->is_up) {
        world_start(node);
        return;
    }
    switch (world_draw(world, 4)) {
    case 0:
        world_count(world, node, WORLD_CRASH);
        world_crash(node);
        break;
    case 1:
        world_count(world, node, WORLD_STOP);
        world_stop(node);
        break;
    default:
        node->doom = world_once_in(world, 2) ? WORLD_BEFORE_COMMIT : WORLD_AFTER_COMMIT;
        node->doom_commits = 1 + world_draw(world, 3);
        break;
    }
}

static void story_disk(struct story *story, struct world_node *node)
{
    struct world *world = &story->world;
    bool is_full = world_once_in(world, 2);

    story->is_full[node->number] = is_full;
    if (world_once_in(world, 4)) {
        node->commit_ms_max = node->commit_ms_max > 1000 ? 10 : 8000;
        return;
    }
    world_note(world, node, "the disk will fail");
    kv_mem_fail(node->mem, (struct kv_mem_failure){.at = 1 + world_draw(world, 300),
                                                   .err = is_full ? ERR_FULL : ERR_IO,
                                                   .is_sticky = world_once_in(world, 3)});
}

static void story_net(struct story *story)
{
    struct world *world = &story->world;

    world->islands = world_draw(world, UINT64_MAX);
    world->islands_until_ms = world->now_ms + 1000 + world_draw(world, 60000);
    world_count(world, NULL, WORLD_PARTITION);
}

static void story_clock(struct story *story, struct world_node *node)
{
    int64_t jump = (int64_t)world_draw(&story->world, UINT64_C(1) << world_draw(&story->world, 39));

    node->wall_offset_ms += world_once_in(&story->world, 2) ? jump : -jump;
    world_count(&story->world, node, WORLD_CLOCK_JUMP);
}

static void story_see_stranded(struct story *story)
{
    for (size_t at = 0; story->has_devices && at < story->nodes_count; at++) {
        struct world_node *node = story->nodes[at];

        if (node->is_gone || !judge_is_stranded(&story->judge, node))
            continue;
        world_note(&story->world, node, "was admitted on a branch that nobody knows");
        world_crash(node);
        node->is_gone = true;
    }
}

/* A copy is made, and later the machine goes back to it, or another machine begins from it. */
static void story_copy(struct story *story, struct world_node *node)
{
    struct world *world = &story->world;
    size_t number = node->number;

    if (story->homes[number] == NULL) {
        world_note(world, node, "a copy is made");
        story->homes[number] = world_snapshot(node);
        story->homes_since[number] = judge_copied(&story->judge, node);
        return;
    }
    if (story->nodes_count < STORY_NODES_MAX && world_once_in(world, 3)) {
        struct world_node *clone = world_clone(node, world_once_in(world, 2));

        story->nodes[story->nodes_count++] = clone;
        world_start(clone);
        return;
    }
    judge_goes_back(&story->judge, node);
    world_restore(node, story->homes[number]);
    if (world_once_in(world, 2)) {
        world_home_free(story->homes[number]);
        story->homes[number] = NULL;
    }
    world_start(node);
    if (node->is_up)
        judge_went_back(&story->judge, node, story->homes_since[number]);
    story_see_stranded(story);
}

static void story_join(struct story *story, struct world_node *node)
{
    struct world_node *device =
        story->nodes_count < STORY_NODES_MAX ? world_join(node) : (struct world_node *)NULL;

    if (device == NULL)
        return;
    story->nodes[story->nodes_count++] = device;
    world_note(&story->world, device, "is a further device");
    if (!world_once_in(&story->world, 4))
        world_start(device);
}

/* Disks that were ordered to fail and did. */
static void story_see_disks(struct story *story)
{
    for (size_t at = 0; at < story->nodes_count; at++) {
        uint64_t failures = kv_mem_failures_count(story->nodes[at]->mem);

        if (failures > story->failures[at])
            world_count(&story->world, story->nodes[at],
                        story->is_full[at] ? WORLD_FULL_DISK : WORLD_FAILED_IO);
        story->failures[at] = failures;
    }
}

static void story_do(struct world *world, struct world_node *nobody, void *data)
{
    struct story *story = data;
    struct world_node *node = story->nodes[world_draw(world, story->nodes_count)];
    bool is_linked = story_see_links(story);

    (void)nobody;
    if (story->is_over)
        return;
    story_see_disks(story);
    world_after(world, 500 + world_draw(world, 12000), NULL, story_do, story);
    switch (world_draw(world, 16)) {
    case 0:
    case 1:
    case 2:
        story_power(story, node);
        break;
    case 3:
        story_disk(story, node);
        break;
    case 4:
        story_net(story);
        break;
    case 5:
        if (story->has_devices && world_once_in(world, 2))
            story_join(story, node);
        else if (is_linked && story->has_copies)
            story_copy(story, node);
        else if (is_linked)
            story_clock(story, node);
        break;
    case 6:
        if (story->has_bursts)
            story_burst(story, node);
        else
            story_add_contact(story, node);
        break;
    case 7:
    case 8:
        story_add_contact(story, node);
        break;
    case 9:
    case 10:
    case 11:
        if (story->has_forgets)
            passing_step(node, story->nodes[world_draw(world, 2)]->name);
        else
            story_edit_card(story, node);
        break;
    default:
        story_edit_card(story, node);
        break;
    }
}

/* The whole of it. */

static void story_begin(struct story *story)
{
    static const char *const names[STORY_PERSONS_MAX] = {"ana", "ben", "cara", "dan"};
    struct world *world = &story->world;

    story->nodes_count = world_once_in(world, 4) ? 3 : 2;
    for (size_t at = 0; at < story->nodes_count; at++) {
        story->nodes[at] = world_init(world, names[at]);
        if (world_once_in(world, 3)) {
            story_clock(story, story->nodes[at]);
            world_count(world, story->nodes[at], WORLD_WRONG_CLOCK);
        }
        if (!world_once_in(world, 3))
            world_start(story->nodes[at]);
        if (at > 0)
            story_want_link(story, at, world_draw(world, at));
    }
}

static void story_mend(struct story *story)
{
    struct world *world = &story->world;

    world_note(world, NULL, "everything is mended");
    story->is_over = true;
    story_see_disks(story);
    world->has_faults = false;
    world->islands_until_ms = 0;
    for (size_t at = 0; at < story->nodes_count; at++) {
        struct world_node *node = story->nodes[at];

        /* After a failed sync only a new start is trusted (rule L18). */
        if (story->failures[at] > 0)
            world_crash(node);
        kv_mem_fail(node->mem, (struct kv_mem_failure){0});
        node->commit_ms_max = 10;
        node->doom = WORLD_SAFE;
    }
}

/* Nodes whose disk failed are started anew, as their owners would; calls are made by hand. */
static void story_urge(struct story *story)
{
    for (size_t at = 0; at < story->nodes_count; at++) {
        struct world_node *node = story->nodes[at];

        if (story->is_aside[at])
            continue;
        if (!node->is_up)
            world_start(node);
        else
            world_op(node, "sync", json_object(), NULL, NULL);
    }
}

/* Two copies of one machine, each of which calls and is called by its own half of the world, would
 * never hear of each other: those of one member at a time change places, as machines do. */
static void story_swap(struct story *story, size_t person)
{
    memset(story->is_aside, 0, sizeof story->is_aside);
    for (size_t one = 0; one < story->nodes_count; one++)
        for (size_t other = one + 1; other < story->nodes_count; other++) {
            struct world_node *left = story->nodes[one], *right = story->nodes[other];
            struct address address = left->address;

            if (left->person != person || right->person != person)
                continue;
            world_crash(left);
            world_crash(right);
            left->address = right->address;
            right->address = address;
            world_start(left); /* Who knew the other one meets this one till the next change. */
            story->is_aside[other] = true;
        }
}

/* Is one aside? All must agree: it comes back. */
static bool story_see_aside(struct story *story)
{
    bool is_aside = false;

    for (size_t at = 0; at < story->nodes_count; at++)
        is_aside |= story->is_aside[at];
    memset(story->is_aside, 0, sizeof story->is_aside);
    return is_aside;
}

/* Where one member has several machines, being in step is not enough: the judge must be content. */
static bool story_is_content(struct story *story)
{
    struct judge trial = story->judge;

    judge_all(&trial);
    (void)snprintf(story->complaint, sizeof story->complaint, "%s", trial.failure);
    return trial.failure[0] == '\0';
}

static bool story_is_settled(struct story *story)
{
    if (!story_see_links(story))
        return false;
    if (story->has_copies || story->has_devices)
        return story_is_content(story);
    for (size_t at = 0; at < story->links_count; at++)
        if (!judge_is_settled(story->links[at].inviter, story->links[at].acceptor))
            return false;
    return true;
}

static void story_blame(struct story *story, struct story_link *link)
{
    struct world_node *one = link->inviter, *other = link->acceptor;

    if (!judge_is_settled(one, other))
        judge_fail(&story->judge,
                   "%d minutes after everything was mended: %s%s%s, %s%s%s, invitation %s",
                   STORY_HEAL_MS / 60000, one->name, one->is_up ? "" : " is down",
                   judge_is_linked(one, other)
                       ? world_is_in_step(one, &other->secrets->member) ? " in step" : " behind"
                       : " not linked",
                   other->name, other->is_up ? "" : " is down",
                   judge_is_linked(other, one)
                       ? world_is_in_step(other, &one->secrets->member) ? " in step" : " behind"
                       : " not linked",
                   link->uri[0] == '\0' ? "never given"
                   : link->is_accepted  ? "accepted"
                                        : "not accepted");
}

static void story_heal(struct story *story)
{
    struct world *world = &story->world;
    uint64_t until = world->now_ms + STORY_HEAL_MS;
    uint64_t day = story->has_copies ? world->now_ms + STORY_HEAL_MS / 2 : until;

    for (unsigned look = 0; world->now_ms < until; look++) {
        if (world->now_ms >= day) { /* What a branch sealed for nobody knows whom waits so long. */
            world_live(world, RETURN_WAIT_DAYS * STORY_DAY_MS + STORY_DAY_MS / 24);
            day = until;
        }
        if (look % 12 == 0)
            story_urge(story);
        if (story->has_copies && look % STORY_SWAP_LOOKS == STORY_SWAP_LOOKS - 1)
            story_swap(story, look / STORY_SWAP_LOOKS % (STORY_PERSONS_MAX + 1));
        world_run_until(world, world->now_ms + STORY_LOOK_MS);
        if (!story_is_settled(story))
            continue;
        if (!story_see_aside(story))
            return;
    }
    if (story->complaint[0] != '\0')
        judge_fail(&story->judge, "after %d minutes: %s", STORY_HEAL_MS / 60000, story->complaint);
    for (size_t at = 0; at < story->links_count; at++)
        story_blame(story, &story->links[at]);
}

void story_run(const struct story_options *options, struct story_result *out)
{
    struct story *story = world_memory(sizeof *story);
    struct world *world = &story->world;

    world_begin(world, options->seed);
    world->is_talkative = options->is_talkative;
    judge_begin(&story->judge, world);
    story->has_copies = options->has_copies;
    story->has_devices = options->has_devices;
    story->has_bursts = options->has_bursts;
    story->has_forgets = options->has_forgets;
    story_begin(story);
    world->has_faults = true;
    world_after(world, 0, NULL, story_do, story);
    world_run_until(world, WORLD_BEGIN_MS + STORY_FAULTS_MS);
    story_mend(story);
    story_heal(story);
    world_note(world, NULL, "the judge looks");
    judge_all(&story->judge);
    *out =
        (struct story_result){.trace = world->trace, .steps = world->steps, .edits = story->edits};
    memcpy(out->failure, story->judge.failure, sizeof out->failure);
    memcpy(out->census, world->census, sizeof out->census);
    for (size_t at = 0; at < STORY_NODES_MAX; at++)
        world_home_free(story->homes[at]);
    world_end(world);
    judge_end(&story->judge);
    free(story);
}
