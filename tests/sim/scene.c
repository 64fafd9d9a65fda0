/* See scene.h. */
#include "tests/sim/scene.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "proto/card.h"
#include "storage/heal.h"
#include "storage/view_peer.h"

enum { SCENE_LOOK_S = 5, SCENE_LOOKS_MAX = 360, SCENE_CALL_LOOKS = 6, SCENE_ASK_S = 1 };

void scene_begin(struct scene *scene, uint64_t seed, bool is_talkative)
{
    *scene = (struct scene){.is_done = false};
    world_begin(&scene->world, seed);
    scene->world.is_talkative = is_talkative;
    judge_begin(&scene->judge, &scene->world);
}

bool scene_end(struct scene *scene, const char *name)
{
    bool is_well;

    judge_all(&scene->judge);
    is_well = scene->judge.failure[0] == '\0';
    (void)printf(is_well ? "ok %s\n" : "not ok %s: %s\n", name, scene->judge.failure);
    world_end(&scene->world);
    judge_end(&scene->judge);
    return is_well;
}

void scene_expect(struct scene *scene, bool is_so, const char *what)
{
    if (!is_so)
        judge_fail(&scene->judge, "expected: %s", what);
}

void scene_wait(struct scene *scene, uint64_t seconds)
{
    world_run_until(&scene->world, scene->world.now_ms + seconds * 1000);
}

struct world_node *scene_member(struct scene *scene, const char *name)
{
    struct world_node *node = world_init(&scene->world, name);

    world_start(node);
    return node;
}

static void scene_on_invited(struct world_node *node, void *self, enum err err,
                             const struct op_call *call)
{
    (void)node;
    world_must(err);
    world_op(self, "peer.accept", json_pack("{s:O}", "uri", json_object_get(call->result, "uri")),
             NULL, NULL);
}

void scene_link(struct scene *scene, struct world_node *inviter, struct world_node *acceptor)
{
    judge_met(&scene->judge, inviter->person, acceptor->person);
    judge_met(&scene->judge, acceptor->person, inviter->person);
    world_op(inviter, "peer.invite", json_object(), scene_on_invited, acceptor);
    for (int at = 0; at < 30 && !judge_is_settled(inviter, acceptor); at++)
        scene_wait(scene, 1);
    scene_expect(scene, judge_is_settled(inviter, acceptor), "a link");
}

void scene_settle(struct scene *scene)
{
    char complaint[JUDGE_FAILURE_SIZE] = "";

    if (scene->judge.failure[0] != '\0')
        return;
    for (int look = 0; look < SCENE_LOOKS_MAX; look++) {
        for (size_t at = 0; at < scene->world.nodes_count && look % SCENE_CALL_LOOKS == 0; at++)
            if (scene->world.nodes[at]->is_up)
                world_op(scene->world.nodes[at], "sync", json_object(), NULL, NULL);
        scene_wait(scene, SCENE_LOOK_S);
        if (judge_is_content(&scene->judge, complaint))
            return;
    }
    judge_fail(&scene->judge, "never at rest: %s", complaint);
}

void scene_settle_in_days(struct scene *scene)
{
    if (scene->judge.failure[0] != '\0')
        return;
    scene_settle(scene);
    if (scene->judge.failure[0] == '\0')
        return;
    world_note(&scene->world, NULL, "%s", scene->judge.failure);
    scene->judge.failure[0] = '\0';
    world_live(&scene->world, RETURN_WAIT_DAYS * MS_PER_DAY + MS_PER_DAY / 24);
    scene_settle(scene);
}

void scene_part(struct scene *scene, struct world_node *first, ...)
{
    va_list others;

    scene->world.islands = 0;
    va_start(others, first);
    for (struct world_node *node = first; node != NULL; node = va_arg(others, struct world_node *))
        scene->world.islands |= UINT64_C(1) << node->number;
    va_end(others);
    scene->world.islands_until_ms = UINT64_MAX;
}

void scene_join(struct scene *scene)
{
    scene->world.islands_until_ms = 0;
}

/* Edits. */

static void scene_on_done(struct world_node *node, void *self, enum err err,
                          const struct op_call *call)
{
    struct scene *scene = self;

    (void)node;
    (void)call;
    scene->is_done = err == ERR_OK;
}

void scene_ask(struct scene *scene, struct world_node *node, const char *method, json_t *params)
{
    scene->is_done = false;
    world_op(node, method, params, scene_on_done, scene);
    if (node->is_up)
        scene_wait(scene, SCENE_ASK_S);
    if (!scene->is_done)
        judge_fail(&scene->judge, "%s at %s failed", method, node->name);
}

void scene_contact(struct scene *scene, struct world_node *node)
{
    char text[JUDGE_CANARY_SIZE];
    size_t canary = judge_canary(&scene->judge, node, JUDGE_SELF, text);

    scene_ask(scene, node, "contact.add", json_pack("{s:s}", "name", text));
    scene->judge.canaries[canary].is_acknowledged = true;
}

void scene_card(struct scene *scene, struct world_node *node)
{
    json_t *card = world_read(node, "me.show", json_object()), *urls;
    char text[JUDGE_CANARY_SIZE];
    size_t canary = judge_canary(&scene->judge, node, JUDGE_CARD, text);

    KITH_ASSERT(card != NULL);
    urls = json_deep_copy(json_object_get(card, "urls"));
    if (urls == NULL)
        urls = json_array();
    (void)json_array_append_new(urls, json_string(text)); /* Tests have memory. */
    json_decref(card);
    scene_ask(scene, node, "me.edit", json_pack("{s:o}", "url", urls));
    scene->judge.canaries[canary].is_acknowledged = true;
}

void scene_org(struct scene *scene, struct world_node *node, const char *text)
{
    scene_ask(scene, node, "me.edit", json_pack("{s:s}", "org", text));
}

bool scene_has_org(struct world_node *node, const char *text)
{
    json_t *card = world_read(node, "me.show", json_object());
    const char *org = json_string_value(json_object_get(card, "org"));
    bool is_so = org != NULL && strcmp(org, text) == 0;

    json_decref(card);
    return is_so;
}

struct scene_object {
    struct world_node *node;
    const struct world_node *reader;
    char text[JUDGE_CANARY_SIZE];
};

static enum err scene_write_pair(void *what, struct ledger_txn *txn)
{
    struct scene_object *object = what;
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct value value = {.type = VALUE_BYTES, .bytes = span_of(object->text, ID_SIZE)};
    struct peer *link = secret_new(sizeof *link);
    struct edit_space edit = {0};
    struct id id;
    enum err err = view_peer(&snapshot, &object->reader->secrets->member, link);

    memcpy(id.bytes, object->text, ID_SIZE);
    edit_begin(&edit, KIND_GRANT, &id, ledger_txn_now_ms(txn));
    edit_set(&edit, GRANT_SPACE, 1, value);
    if (err == ERR_OK)
        err = ledger_append(txn, &link->pair_out, &edit, 0);
    edit_release(&edit);
    secret_free(link);
    return err;
}

void scene_pair(struct scene *scene, struct world_node *node, struct world_node *reader)
{
    struct scene_object object = {.node = node, .reader = reader};
    size_t canary = judge_canary_for(&scene->judge, node, reader, object.text);

    scene->is_done = false;
    world_write(node, scene_write_pair, &object, scene_on_done, scene);
    scene_wait(scene, SCENE_ASK_S);
    scene_expect(scene, scene->is_done, "an object in the pair space");
    scene->judge.canaries[canary].is_acknowledged = true;
}

struct scene_device {
    struct public_key device;
    enum retire_reason reason;
};

static enum err scene_write_out(void *what, struct ledger_txn *txn)
{
    struct scene_device *out = what;

    return heal_shut_out(txn, &out->device, out->reason);
}

void scene_shut_out(struct scene *scene, struct world_node *node, const struct world_node *device,
                    enum retire_reason reason)
{
    struct scene_device out = {.reason = reason};
    struct signing_key *signing = secret_new(sizeof *signing);

    KITH_ASSERT(signing != NULL);
    identity_signing_key(device->secrets->signing_seed, signing);
    out.device = signing->public_key;
    secret_free(signing);
    scene->is_done = false;
    world_write(node, scene_write_out, &out, scene_on_done, scene);
    scene_wait(scene, SCENE_ASK_S);
    scene_expect(scene, scene->is_done, "a device shut out");
}

/* Copies. */

void scene_restore(struct scene *scene, struct world_node *node, const struct world_home *home,
                   size_t since)
{
    judge_goes_back(&scene->judge, node);
    world_restore(node, home);
    world_start(node);
    judge_went_back(&scene->judge, node, since);
}

static enum err scene_on_device(void *self, const struct device_row *device)
{
    (void)device;
    (*(size_t *)self)++;
    return ERR_OK;
}

size_t scene_devices(struct world_node *node, const struct world_node *member)
{
    struct snapshot snapshot;
    size_t count = 0;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(view_device_each(&snapshot, &member->secrets->member, scene_on_device, &count));
    ledger_snapshot_end(&snapshot);
    return count;
}

/* Main. */

void scene_want(int argc, char **argv, struct scene_wanted *out)
{
    *out =
        (struct scene_wanted){.name = argc > 1 && argv[1][0] != '-' ? argv[1] : "",
                              .is_talkative = argc > 1 && strcmp(argv[argc - 1], "--trace") == 0};
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* Only how soon it is seen depends on it. */
}

bool scene_is_wanted(const struct scene_wanted *wanted, const char *name)
{
    return strncmp(name, wanted->name, strlen(wanted->name)) == 0;
}

bool scene_run(const struct scene_wanted *wanted, const struct scene_named *scenes, size_t count)
{
    bool is_well = true;

    for (size_t at = 0; at < count; at++) {
        struct scene scene;

        if (!scene_is_wanted(wanted, scenes[at].name))
            continue;
        scene_begin(&scene, 1 + at, wanted->is_talkative);
        scenes[at].run(&scene);
        is_well &= scene_end(&scene, scenes[at].name);
    }
    return is_well;
}

bool scene_run_sweep(const struct scene_wanted *wanted, const struct scene_sweep *sweep)
{
    struct scene scene;
    bool is_well = true;
    char name[64];

    for (uint64_t commits = 1; commits <= sweep->commits; commits++)
        for (int doom = WORLD_BEFORE_COMMIT; doom <= WORLD_AFTER_COMMIT; doom++) {
            (void)snprintf(name, sizeof name, "%s power cut %s commit %llu", sweep->number,
                           doom == WORLD_BEFORE_COMMIT ? "before" : "after",
                           (unsigned long long)commits);
            if (!scene_is_wanted(wanted, name))
                continue;
            scene_begin(&scene, commits, wanted->is_talkative);
            sweep->run(&scene, commits, (enum world_doom)doom);
            is_well &= scene_end(&scene, name);
        }
    return is_well;
}
