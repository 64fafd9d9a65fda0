/*
 * One whole life of two members (link, sync, edit, power cut, remove), and every allocation of it
 * failed once. Whatever failed is asked for again, as a person would; nothing may crash, nothing
 * may be half done, and afterwards everything heals.
 *
 *   sim_heap                      every allocation
 *   sim_heap --answers            another life: an ask passed on, answered and thanked for, by
 * three sim_heap --every 16           every sixteenth sim_heap --fail 4711 --trace  one of them,
 * told step by step
 *
 * Each allocation is failed in a child that is forked where it happens: what came before is not
 * lived again.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/heap.h"
#include "proto/limits.h"
#include "tests/sim/judge.h"

enum { SIM_HEAP_FAILURES_MAX = 10, SIM_HEAP_PATIENCE_MS = 20 * 60 * 1000, SIM_HEAP_LOOK_MS = 500 };

/* The heap in place of crypto/heap.c. */
static struct {
    uint64_t count;  /* allocations so far */
    uint64_t fail;   /* the one to fail; 0: none */
    bool is_forking; /* each fails in a child of its own */
    bool is_counting;
    uint64_t every, failures;
    const char *program;
} sim_heap;

static void sim_heap_report(int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    sim_heap.failures++;
    (void)printf("not ok without allocation %" PRIu64 "\n  replay: %s --fail %" PRIu64 " --trace\n",
                 sim_heap.count, sim_heap.program, sim_heap.count);
    (void)fflush(stdout);
}

static bool sim_heap_fails(void)
{
    pid_t child;
    int status;

    if (!sim_heap.is_counting)
        return false;
    sim_heap.count++;
    if (!sim_heap.is_forking)
        return sim_heap.count == sim_heap.fail;
    if (sim_heap.failures >= SIM_HEAP_FAILURES_MAX || sim_heap.count % sim_heap.every != 0)
        return false;
    (void)fflush(stdout);
    child = fork();
    KITH_ASSERT(child >= 0);
    if (child == 0) {
        sim_heap.is_forking = false;
        sim_heap.fail = sim_heap.count;
        return true;
    }
    KITH_ASSERT(waitpid(child, &status, 0) == child);
    sim_heap_report(status);
    return false;
}

void *heap_new(size_t size)
{
    return sim_heap_fails() ? NULL : malloc(size > 0 ? size : 1);
}

void *heap_new_zeroed(size_t count, size_t size)
{
    return sim_heap_fails() ? NULL : calloc(count > 0 ? count : 1, size > 0 ? size : 1);
}

void *heap_resize(void *memory, size_t size)
{
    return sim_heap_fails() ? NULL : realloc(memory, size > 0 ? size : 1);
}

void heap_free(void *memory)
{
    free(memory);
}

size_t heap_size(void *memory)
{
    return malloc_usable_size(memory);
}

/* The life. */

struct sim_heap_life {
    struct world world;
    struct judge judge;
    struct world_node *ana, *ben;
    struct world_node *cyn; /* NULL in the life of two */
    char uri[INVITATION_TEXT_SIZE_MAX];
    json_t *urls;   /* of ana's card and of ben's: each list replaces the last */
    bool is_done;   /* the op asked for last */
    bool has_ask;   /* whoever was asked for status, or list, last */
    size_t shares;  /* in the list that was asked for last */
    char share[64]; /* the id of the first */
    json_t *result; /* of the op that was done last */
};

static void sim_heap_on_done(struct world_node *node, void *self, enum err err,
                             const struct op_call *call)
{
    struct sim_heap_life *life = self;
    const char *uri =
        err == ERR_OK ? json_string_value(json_object_get(call->result, "uri")) : NULL;

    (void)node;
    life->is_done = err == ERR_OK;
    if (err == ERR_OK) {
        json_decref(life->result);
        life->result = json_incref(call->result);
    }
    if (err == ERR_OK) {
        json_t *asks = json_object_get(call->result, "asks");

        life->has_ask =
            json_integer_value(json_object_get(asks, "mine")) > 0 || json_array_size(asks) > 0;
    }
    if (err == ERR_OK && json_is_array(json_object_get(call->result, "shares"))) {
        json_t *shares = json_object_get(call->result, "shares");
        const char *id = json_string_value(json_object_get(json_array_get(shares, 0), "id"));

        life->shares = json_array_size(shares);
        (void)snprintf(life->share, sizeof life->share, "%s", id != NULL ? id : "");
    }
    if (uri != NULL)
        (void)snprintf(life->uri, sizeof life->uri, "%s", uri);
}

/* A node that did not start, or whose process is gone, is started. */
static void sim_heap_look(struct sim_heap_life *life)
{
    for (size_t at = 0; at < life->world.nodes_count; at++)
        world_start(life->world.nodes[at]);
    world_run_until(&life->world, life->world.now_ms + SIM_HEAP_LOOK_MS);
}

/* Asks until it is done. */
static void sim_heap_ask(struct sim_heap_life *life, struct world_node *node, const char *method,
                         json_t *params)
{
    life->is_done = false;
    for (unsigned at = 0; at < 20 && !life->is_done; at++) {
        world_op(node, method, json_incref(params), sim_heap_on_done, life);
        if (!life->is_done)
            sim_heap_look(life);
    }
    if (!life->is_done)
        judge_fail(&life->judge, "%s at %s is never done", method, node->name);
    json_decref(params);
}

/* What the judge needs is never missing. */
static bool sim_heap_is_settled(struct sim_heap_life *life)
{
    bool is_counting = sim_heap.is_counting, is_settled;

    sim_heap.is_counting = false;
    is_settled = judge_is_settled(life->ana, life->ben) &&
                 (life->cyn == NULL || judge_is_settled(life->ben, life->cyn));
    sim_heap.is_counting = is_counting;
    return is_settled;
}

static void sim_heap_wait(struct sim_heap_life *life)
{
    uint64_t until = life->world.now_ms + SIM_HEAP_PATIENCE_MS;

    while (!sim_heap_is_settled(life) && life->world.now_ms < until) {
        sim_heap_look(life);
        for (size_t at = 0; at < life->world.nodes_count; at++)
            if (life->world.now_ms % 60000 < SIM_HEAP_LOOK_MS && life->world.nodes[at]->is_up)
                world_op(life->world.nodes[at], "sync", json_object(), NULL, NULL);
    }
    if (!sim_heap_is_settled(life))
        judge_fail(&life->judge, "those who are linked are not in step");
}

static void sim_heap_edit_card(struct sim_heap_life *life, struct world_node *node)
{
    char text[JUDGE_CANARY_SIZE];
    size_t canary = judge_canary(&life->judge, node, JUDGE_CARD, text);

    (void)json_array_append_new(life->urls, json_string(text)); /* jansson's memory is not ours. */
    sim_heap_ask(life, node, "me.edit", json_pack("{s:O}", "url", life->urls));
    life->judge.canaries[canary].is_acknowledged = true;
}

static void sim_heap_edit(struct sim_heap_life *life, struct world_node *node)
{
    char text[JUDGE_CANARY_SIZE];
    size_t canary = judge_canary(&life->judge, node, JUDGE_SELF, text);

    sim_heap_ask(life, node, "contact.add", json_pack("{s:s, s:[s]}", "name", text, "tag", text));
    life->judge.canaries[canary].is_acknowledged = true;
    sim_heap_edit_card(life, node);
}

/* One in seven days: whoever heard no answer looks before asking again. Ben has it in the end. */
static void sim_heap_post(struct sim_heap_life *life)
{
    life->has_ask = false;
    for (unsigned at = 0; at < 20 && !life->has_ask; at++) {
        world_op(life->ana, "ask.post",
                 json_pack("{s:s, s:s}", "text", "Please.", "title", "A boat shed"), NULL, NULL);
        sim_heap_look(life);
        sim_heap_ask(life, life->ana, "status", json_object());
    }
    sim_heap_wait(life);
    sim_heap_ask(life, life->ben, "ask.list", json_object());
    if (!life->has_ask)
        judge_fail(&life->judge, "ben has not heard of the ask");
}

/* Ana shares somebody, Ben keeps it, Ana takes it back: whoever heard no answer looks first. */
static void sim_heap_share(struct sim_heap_life *life)
{
    sim_heap_ask(life, life->ana, "contact.add",
                 json_pack("{s:s, s:s}", "name", "Dana", "org", "Ito"));
    for (life->shares = 0; life->shares == 0 && life->judge.failure[0] == '\0';) {
        world_op(life->ana, "contact.share",
                 json_pack("{s:s, s:[s], s:b}", "who", "Dana", "with", "ben", "agreed", 1), NULL,
                 NULL);
        sim_heap_look(life);
        sim_heap_ask(life, life->ana, "share.list", json_pack("{s:b}", "given", 1));
    }
    sim_heap_wait(life);
    sim_heap_ask(life, life->ben, "share.list", json_pack("{s:b}", "received", 1));
    if (life->shares != 1)
        judge_fail(&life->judge, "ben has not got what ana shared");
    else
        sim_heap_ask(life, life->ben, "share.keep", json_pack("{s:s}", "id", life->share));
    while (life->shares > 0 && life->judge.failure[0] == '\0') {
        world_op(life->ana, "share.withdraw", json_pack("{s:s}", "who", "Dana"), NULL, NULL);
        sim_heap_look(life);
        sim_heap_ask(life, life->ana, "share.list", json_pack("{s:b}", "given", 1));
    }
    sim_heap_wait(life);
    sim_heap_ask(life, life->ben, "contact.show", json_pack("{s:s}", "who", "Dana"));
}

static void sim_heap_link(struct sim_heap_life *life, struct world_node *one,
                          struct world_node *other)
{
    judge_met(&life->judge, one->person, other->person);
    judge_met(&life->judge, other->person, one->person);
    sim_heap_ask(life, one, "peer.invite", json_pack("{s:s}", "name", other->name));
    sim_heap_ask(life, other, "peer.accept", json_pack("{s:s}", "uri", life->uri));
}

/* What is written after the removal is for nobody else; the list goes on. */
static void sim_heap_part(struct sim_heap_life *life)
{
    sim_heap_ask(life, life->ana, "peer.remove", json_pack("{s:s}", "who", "ben"));
    judge_parted(&life->judge, life->ana->person, life->ben->person);
    sim_heap_edit_card(life, life->ana);
    world_run_until(&life->world, life->world.now_ms + 30000);
}

static void sim_heap_live(struct sim_heap_life *life)
{
    sim_heap.is_counting = true;
    world_start(life->ana);
    world_start(life->ben);
    sim_heap_link(life, life->ana, life->ben);
    sim_heap_wait(life);
    sim_heap_edit(life, life->ana);
    sim_heap_wait(life);
    sim_heap_post(life);
    sim_heap_share(life);
    world_crash(life->ben);
    sim_heap_edit(life, life->ana);
    world_op(life->ben, "me.edit", json_pack("{s:s}", "org", "alone"), sim_heap_on_done, life);
    sim_heap_look(life);
    sim_heap_wait(life);
    sim_heap.is_counting = false;
    sim_heap_wait(life);
    judge_all(&life->judge);
    sim_heap.is_counting = true;
    sim_heap_part(life);
    sim_heap.is_counting = false;
    judge_all(&life->judge);
}

/* The life of three: Ana asks Ben, who passes it to Cyn. */

/* What the first row under key has under name; NULL. Whoever is asked has it all there. */
static json_t *sim_heap_first(struct sim_heap_life *life, struct world_node *node,
                              const char *method, const char *key, const char *name)
{
    sim_heap_ask(life, node, method, json_object());
    return json_object_get(json_array_get(json_object_get(life->result, key), 0), name);
}

static json_t *sim_heap_id(struct sim_heap_life *life, struct world_node *node, const char *method,
                           const char *key)
{
    return json_pack("{s:O}", "id", sim_heap_first(life, node, method, key, "id"));
}

static void sim_heap_pass(struct sim_heap_life *life)
{
    json_t *params = sim_heap_id(life, life->ben, "ask.list", "asks");

    (void)json_object_set_new(params, "to", json_pack("[s]", "cyn"));
    while (sim_heap_first(life, life->ben, "ask.list", "asks", "passed_to") == NULL &&
           life->judge.failure[0] == '\0') {
        world_op(life->ben, "ask.pass", json_incref(params), NULL, NULL);
        sim_heap_look(life);
    }
    json_decref(params);
    sim_heap_wait(life);
}

static void sim_heap_reply(struct sim_heap_life *life)
{
    json_t *params = sim_heap_id(life, life->cyn, "ask.list", "asks");

    (void)json_object_set_new(params, "text", json_string("By the mill."));
    while (sim_heap_first(life, life->cyn, "lead.list", "leads", "id") == NULL &&
           life->judge.failure[0] == '\0') {
        world_op(life->cyn, "ask.reply", json_incref(params), NULL, NULL);
        sim_heap_look(life);
    }
    json_decref(params);
    sim_heap_wait(life);
}

static void sim_heap_thank(struct sim_heap_life *life)
{
    json_t *params = sim_heap_id(life, life->ana, "lead.list", "leads");

    while (sim_heap_first(life, life->ana, "lead.list", "leads", "thanked") == NULL &&
           life->judge.failure[0] == '\0') {
        world_op(life->ana, "thanks", json_incref(params), NULL, NULL);
        sim_heap_look(life);
    }
    (void)json_object_set_new(params, "text", json_string("Is it dry?"));
    sim_heap_ask(life, life->ana, "lead.answer", json_incref(params));
    json_decref(params);
    sim_heap_wait(life);
    sim_heap_wait(life); /* Ben hands it on behind his commit. */
}

/* One answer, thanked for, and at least one letter back: who heard no answer may have asked twice.
 */
static void sim_heap_check_thread(struct sim_heap_life *life, struct world_node *node)
{
    json_t *letters = json_incref(sim_heap_first(life, node, "lead.list", "leads", "letters"));

    if (json_array_size(json_object_get(life->result, "leads")) != 1)
        judge_fail(&life->judge, "%s has not exactly one answer", node->name);
    else if (sim_heap_first(life, node, "lead.list", "leads", "thanked") == NULL)
        judge_fail(&life->judge, "%s knows of no thanks", node->name);
    else if (json_integer_value(letters) < 2)
        judge_fail(&life->judge, "%s has no letter behind the first", node->name);
    json_decref(letters);
}

static void sim_heap_answer(struct sim_heap_life *life)
{
    world_start(life->ana);
    world_start(life->ben);
    world_start(life->cyn);
    sim_heap_link(life, life->ana, life->ben);
    sim_heap_link(life, life->ben, life->cyn);
    sim_heap_wait(life);
    sim_heap_ask(
        life, life->ana, "ask.post",
        json_pack("{s:s, s:s, s:s}", "text", "Please.", "title", "A boat shed", "hops", "3"));
    sim_heap_wait(life);
    sim_heap.is_counting = true;
    sim_heap_pass(life);
    sim_heap_reply(life);
    sim_heap_wait(life);
    sim_heap_thank(life);
    sim_heap.is_counting = false;
    sim_heap_wait(life);
    sim_heap_check_thread(life, life->ana);
    sim_heap_check_thread(life, life->cyn);
    judge_all(&life->judge);
}

static int sim_heap_run(bool is_talkative, bool has_answers)
{
    struct sim_heap_life *life = world_memory(sizeof *life);
    int code;

    world_begin(&life->world, 1);
    life->world.is_talkative = is_talkative;
    judge_begin(&life->judge, &life->world);
    life->urls = json_array();
    life->ana = world_init(&life->world, "ana");
    life->ben = world_init(&life->world, "ben");
    if (has_answers) {
        life->cyn = world_init(&life->world, "cyn");
        sim_heap_answer(life);
    } else {
        sim_heap_live(life);
    }
    code = life->judge.failure[0] == '\0' ? 0 : 1;
    if (code != 0)
        (void)printf("%s\n", life->judge.failure);
    if (is_talkative)
        (void)printf("%" PRIu64 " allocations\n", sim_heap.count);
    world_end(&life->world);
    json_decref(life->urls);
    json_decref(life->result);
    judge_end(&life->judge);
    free(life);
    return code;
}

int main(int argc, char **argv)
{
    bool is_talkative = false, has_answers = false, is_well = true;
    int code;

    sim_heap.every = 1;
    for (int at = 1; at < argc; at++) {
        uint64_t value = at + 1 < argc ? strtoull(argv[at + 1], NULL, 10) : 0;

        is_talkative |= strcmp(argv[at], "--trace") == 0;
        has_answers |= strcmp(argv[at], "--answers") == 0;
        if (strcmp(argv[at], "--fail") == 0)
            sim_heap.fail = value;
        else if (strcmp(argv[at], "--every") == 0)
            sim_heap.every = value;
        else
            continue;
        is_well &= value > 0;
        at++;
    }
    if (!is_well) {
        (void)fprintf(stderr, "%s [--answers] [--every N | --fail N [--trace]]\n", argv[0]);
        return 2;
    }
    sim_heap.program = has_answers ? "sim_heap --answers" : argv[0];
    sim_heap.is_forking = sim_heap.fail == 0;
    code = sim_heap_run(is_talkative, has_answers);
    if (!sim_heap.is_forking) { /* A child, or one of them told. */
        (void)fflush(stdout);
        _exit(code);
    }
    if (code == 0 && sim_heap.failures == 0)
        (void)printf("ok %" PRIu64 " allocations fail, each once, of %" PRIu64 "\n",
                     sim_heap.count / sim_heap.every, sim_heap.count);
    return code != 0 || sim_heap.failures > 0;
}
