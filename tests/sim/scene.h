/*
 * What scenarios are written with: members by name, links by real invitations, edits that are
 * acknowledged, waiting until all agree. Each step ends with everything at rest.
 */
#ifndef KITH_TESTS_SIM_SCENE_H
#define KITH_TESTS_SIM_SCENE_H

#include "proto/retire.h"
#include "tests/sim/judge.h"

struct scene {
    struct world world;
    struct judge judge;
    bool is_done; /* what was asked for last */
};

void scene_begin(struct scene *scene, uint64_t seed, bool is_talkative);
/* Judges, frees; true when all is well. The failure is printed. */
bool scene_end(struct scene *scene, const char *name);
void scene_expect(struct scene *scene, bool is_so, const char *what);

/* A member whose node runs. */
struct world_node *scene_member(struct scene *scene, const char *name);
void scene_link(struct scene *scene, struct world_node *inviter, struct world_node *acceptor);
void scene_wait(struct scene *scene, uint64_t seconds);
/* Until the judge is content, everybody who is up being called again and again; else fails. */
void scene_settle(struct scene *scene);
/* The same, or else a day later: what is sealed for readers whom nobody knows any more waits for
 * RETURN_WAIT_DAYS (RETURN-10). */
void scene_settle_in_days(struct scene *scene);
/* Cuts the net in two: these on one side. NULL ends the list. */
void scene_part(struct scene *scene, struct world_node *first, ...);
void scene_join(struct scene *scene);

/* Acknowledged edits, with or without a node running: one more address on the card, a contact, an
 * object in the pair space (running only). */
void scene_card(struct scene *scene, struct world_node *node);
void scene_contact(struct scene *scene, struct world_node *node);
void scene_pair(struct scene *scene, struct world_node *node, struct world_node *reader);
/* One field of the card. */
void scene_org(struct scene *scene, struct world_node *node, const char *text);
bool scene_has_org(struct world_node *node, const char *text);
/* Gives up another device of this node's member, or says that it is stolen. */
void scene_shut_out(struct scene *scene, struct world_node *node, const struct world_node *device,
                    enum retire_reason reason);
/* Any op. */
void scene_ask(struct scene *scene, struct world_node *node, const char *method, json_t *params);

/* Back to the copy; starts. since: canaries when it was made. */
void scene_restore(struct scene *scene, struct world_node *node, const struct world_home *home,
                   size_t since);
/* Devices of this member that node knows. */
size_t scene_devices(struct world_node *node, const struct world_node *member);

/* What main was asked for: those whose name begins so, and whether they are told step by step. */
struct scene_wanted {
    const char *name;
    bool is_talkative;
};

/* As PROGRAM [NAME] [--trace]. */
void scene_want(int argc, char **argv, struct scene_wanted *out);
bool scene_is_wanted(const struct scene_wanted *wanted, const char *name);

struct scene_named {
    const char *name;
    void (*run)(struct scene *scene);
};

/* Those of these that are wanted; true when all is well. */
bool scene_run(const struct scene_wanted *wanted, const struct scene_named *scenes, size_t count);

/* The power goes before and after each of the first commits: one scene for each. */
struct scene_sweep {
    const char *number;
    uint64_t commits;
    void (*run)(struct scene *scene, uint64_t commits, enum world_doom doom);
};

bool scene_run_sweep(const struct scene_wanted *wanted, const struct scene_sweep *sweep);

#endif
