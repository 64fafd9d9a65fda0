/*
 * Own devices between two branches: of a sibling's logs, and of a peer's. What one device holds of
 * either comes together at the other, whether those who wrote it live or not.
 *
 *   sim_unite               all of it
 *   sim_unite "1 " --trace  those whose name begins so, told step by step
 */
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "storage/standing.h"
#include "storage/view_peer.h"
#include "tests/sim/scene.h"

enum { SIM_UNITE_TURNS_MAX = 40 /* in an hour */ };

/* ana's desk and lap, and two peers of hers; everything at rest. */
struct sim_unite_cast {
    struct world_node *desk, *lap, *ben, *cara;
};

static void sim_unite_meet(struct scene *scene, struct sim_unite_cast *cast)
{
    cast->desk = scene_member(scene, "ana");
    cast->ben = scene_member(scene, "ben");
    cast->cara = scene_member(scene, "cara");
    scene_link(scene, cast->desk, cast->ben);
    scene_link(scene, cast->cara, cast->desk);
    scene_card(scene, cast->desk);
    cast->lap = world_join(cast->desk);
    world_start(cast->lap);
    scene_settle(scene);
    scene_card(scene, cast->lap);
    scene_pair(scene, cast->lap, cast->ben);
    scene_settle(scene);
}

static struct public_key sim_unite_device(const struct world_node *node)
{
    struct signing_key *signing = secret_new(sizeof *signing);
    struct public_key device;

    KITH_ASSERT(signing != NULL);
    identity_signing_key(node->secrets->signing_seed, signing);
    device = signing->public_key;
    secret_free(signing);
    return device;
}

static bool sim_unite_is_forked(struct world_node *node, const struct public_key *device)
{
    struct snapshot snapshot;
    enum standing standing;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(standing_of(&snapshot, device, &standing));
    ledger_snapshot_end(&snapshot);
    return standing == STANDING_FORKED;
}

/* The lap is copied; each of the two machines writes for one peer, and both are off for good. */
static struct world_node *sim_unite_fork(struct scene *scene, const struct sim_unite_cast *cast,
                                         bool is_desk_there)
{
    struct world_node *twin;

    world_crash(cast->lap);
    if (!is_desk_there)
        world_crash(cast->desk);
    twin = world_clone(cast->lap, false);
    scene_part(scene, twin, cast->cara, (struct world_node *)NULL);
    world_start(cast->lap);
    world_start(twin);
    scene_wait(scene, 20);
    scene_card(scene, cast->lap);
    scene_pair(scene, cast->lap, cast->ben);
    scene_card(scene, twin);
    scene_pair(scene, twin, cast->cara);
    scene_pair(scene, twin, cast->ben); /* Nobody will ever have this one. */
    scene->judge.canaries[scene->judge.canaries_count - 1].is_acknowledged = false;
    scene_wait(scene, 60);
    world_crash(cast->lap);
    world_crash(twin);
    scene_join(scene);
    world_start(cast->desk);
    return twin;
}

/* 1. The desk finds both branches of the dead lap with its peers, and retires it. */
static void sim_unite_dead_sibling(struct scene *scene)
{
    struct sim_unite_cast cast;
    struct public_key lap;

    sim_unite_meet(scene, &cast);
    lap = sim_unite_device(cast.lap);
    (void)sim_unite_fork(scene, &cast, false);
    scene_settle(scene);
    scene_expect(scene, sim_unite_is_forked(cast.desk, &lap), "the lap retired at the desk");
    scene_expect(scene, sim_unite_is_forked(cast.ben, &lap), "the lap retired at ben");
    scene_expect(scene, sim_unite_is_forked(cast.cara, &lap), "the lap retired at cara");
    scene_expect(scene, scene_devices(cast.ben, cast.desk) == 2, "no successor of the lap");
    scene_pair(scene, cast.desk, cast.cara);
    scene_settle(scene);
}

/* 2. The desk had one branch from the lap itself. */
static void sim_unite_known_sibling(struct scene *scene)
{
    struct sim_unite_cast cast;
    struct public_key lap;

    sim_unite_meet(scene, &cast);
    lap = sim_unite_device(cast.lap);
    (void)sim_unite_fork(scene, &cast, true);
    scene_settle(scene);
    scene_expect(scene, sim_unite_is_forked(cast.desk, &lap), "the lap retired at the desk");
    scene_expect(scene, sim_unite_is_forked(cast.cara, &lap), "the lap retired at cara");
    scene_expect(scene, scene_devices(cast.ben, cast.desk) == 2, "no successor of the lap");
}

/* 3. The two laps come back, one after the other: each goes on under a key of its own. */
static void sim_unite_late_sibling(struct scene *scene)
{
    struct sim_unite_cast cast;
    struct world_node *twin;

    sim_unite_meet(scene, &cast);
    twin = sim_unite_fork(scene, &cast, false);
    scene_settle(scene);
    world_start(cast.lap);
    scene_settle(scene);
    world_start(twin);
    scene_settle(scene);
    scene_expect(scene, scene_devices(cast.ben, cast.desk) == 4, "a successor each");
    scene_card(scene, cast.lap);
    scene_card(scene, twin);
    scene_pair(scene, twin, cast.ben);
    scene_settle(scene);
    scene_expect(scene, scene_devices(cast.cara, cast.desk) == 4, "no other successor");
}

/* ben is copied; each of his two machines writes for one device of ana's, and both are off. */
static struct world_node *sim_unite_fork_peer(struct scene *scene,
                                              const struct sim_unite_cast *cast, bool is_longer)
{
    struct world_node *twin;

    world_crash(cast->cara);
    world_crash(cast->ben);
    twin = world_clone(cast->ben, false);
    scene_part(scene, twin, cast->lap, (struct world_node *)NULL);
    world_start(cast->ben);
    world_start(twin);
    scene_wait(scene, 20);
    scene_card(scene, cast->ben);
    scene_pair(scene, cast->ben, cast->desk);
    scene_card(scene, twin);
    scene_pair(scene, twin, cast->lap);
    if (is_longer)
        scene_pair(scene, twin, cast->lap);
    scene_wait(scene, 60);
    world_crash(cast->ben);
    world_crash(twin);
    scene_join(scene);
    return twin;
}

/* 4. The two devices agree on one branch, and show both; ben, back again, gets it all. */
static void sim_unite_peer(struct scene *scene, bool is_longer)
{
    struct sim_unite_cast cast;
    struct world_node *twin;

    sim_unite_meet(scene, &cast);
    twin = sim_unite_fork_peer(scene, &cast, is_longer);
    scene_settle(scene);
    world_start(cast.ben);
    scene_settle(scene);
    world_start(twin);
    world_start(cast.cara);
    scene_settle(scene);
}

static void sim_unite_peer_longer(struct scene *scene)
{
    sim_unite_peer(scene, true);
}

static void sim_unite_peer_equal(struct scene *scene)
{
    sim_unite_peer(scene, false);
}

/* What this person writes on the card from now on is for the other, too, or is not; what is there
 * already stays whose it was. */
static void sim_unite_may_read(struct scene *scene, const struct world_node *writer,
                               const struct world_node *reader, bool may)
{
    uint64_t bit = UINT64_C(1) << reader->person, *readers = &scene->judge.readers[writer->person];

    *readers = may ? *readers | bit : *readers & ~bit;
}

/* 6. cara is removed on one branch; on the other two rotations let her in, for two others are
 * removed there. Once the two know of one another, neither writes anything that she can read, and
 * what was written without her stays so. */
static void sim_unite_removal(struct scene *scene)
{
    struct world_node *ana, *twin, *ben, *cara, *dan, *eve;

    ana = scene_member(scene, "ana");
    ben = scene_member(scene, "ben");
    cara = scene_member(scene, "cara");
    dan = scene_member(scene, "dan");
    eve = scene_member(scene, "eve");
    scene_link(scene, ana, ben);
    scene_link(scene, ana, cara);
    scene_link(scene, ana, dan);
    scene_link(scene, ana, eve);
    scene_settle(scene);
    world_crash(ana);
    twin = world_clone(ana, false);
    scene_part(scene, twin, cara, dan, eve, (struct world_node *)NULL);
    world_start(ana);
    world_start(twin);
    scene_wait(scene, 20);
    scene_ask(scene, twin, "peer.remove", json_pack("{s:s}", "who", "dan"));
    sim_unite_may_read(scene, ana, dan, false);
    scene_card(scene, twin);
    scene_ask(scene, twin, "peer.remove", json_pack("{s:s}", "who", "eve"));
    sim_unite_may_read(scene, ana, eve, false);
    scene_card(scene, twin);
    scene_ask(scene, ana, "peer.remove", json_pack("{s:s}", "who", "cara"));
    judge_parted(&scene->judge, ana->person, cara->person);
    sim_unite_may_read(scene, ana, dan, true); /* On this branch the two are peers. */
    sim_unite_may_read(scene, ana, eve, true);
    scene_card(scene, ana);
    scene_card(scene, ana);
    scene_wait(scene, 60);
    sim_unite_may_read(scene, ana, dan, false);
    sim_unite_may_read(scene, ana, eve, false);
    scene_join(scene);
    scene_settle(scene);
    scene_expect(scene, !judge_is_linked(ana, cara) && !judge_is_linked(twin, cara), "no cara");
    scene_expect(scene, !judge_is_linked(ana, dan) && !judge_is_linked(twin, eve), "no dan, eve");
    scene_expect(scene, judge_is_linked(twin, ben) && judge_is_linked(ana, ben), "ben stays");
    scene_card(scene, ana);
    scene_card(scene, twin);
    scene_settle(scene);
}

static size_t sim_unite_count(struct world_node *node, const char *method, const char *list)
{
    json_t *answer = world_read(node, method, json_object());
    size_t count = json_array_size(json_object_get(answer, list));

    json_decref(answer);
    return count;
}

/* 7. Both devices, without a word between them, introduce the same two, and the desk endorses one
 * of them: it is all there at both, and at the two it is for. */
static void sim_unite_acts(struct scene *scene)
{
    struct sim_unite_cast cast;

    sim_unite_meet(scene, &cast);
    world_crash(cast.desk);
    world_crash(cast.lap);
    scene_ask(scene, cast.desk, "introduce",
              json_pack("{s:s, s:s, s:s, s:s}", "a", "ben", "b", "cara", "why", "Boats.", "first",
                        "both"));
    scene_ask(scene, cast.lap, "introduce",
              json_pack("{s:s, s:s, s:s, s:s}", "a", "cara", "b", "ben", "why", "Wine.", "first",
                        "both"));
    scene_ask(scene, cast.desk, "endorse",
              json_pack("{s:s, s:[s], s:s, s:s}", "who", "ben", "about", "boats", "relation",
                        "client", "words", "Built our boat, on time and true."));
    scene_part(scene, cast.lap, cast.cara, (struct world_node *)NULL);
    world_start(cast.desk);
    world_start(cast.lap);
    scene_wait(scene, 60);
    scene_expect(scene, sim_unite_count(cast.ben, "intro.list", "introductions") == 1,
                 "the desk's");
    scene_expect(scene, sim_unite_count(cast.cara, "intro.list", "introductions") == 1,
                 "the lap's");
    scene_join(scene);
    scene_settle(scene);
    scene_expect(scene, sim_unite_count(cast.desk, "intro.list", "introductions") == 2,
                 "both introductions at the desk");
    scene_expect(scene, sim_unite_count(cast.lap, "intro.list", "introductions") == 2,
                 "both introductions at the lap");
    scene_expect(scene, sim_unite_count(cast.ben, "intro.list", "introductions") == 2,
                 "both offers at ben");
    scene_expect(scene, sim_unite_count(cast.cara, "intro.list", "introductions") == 2,
                 "both offers at cara");
    scene_expect(scene, sim_unite_count(cast.lap, "endorsement.list", "endorsements") == 1,
                 "the endorsement at the lap");
    scene_expect(scene, sim_unite_count(cast.ben, "endorsement.list", "endorsements") == 1,
                 "the endorsement at ben");
}

/* The one endorsement by ben that this node holds: the value of a key. */
static void sim_unite_received(struct world_node *node, const char *key, char out[static 64])
{
    json_t *answer = world_read(node, "endorsement.list", json_object());
    json_t *row = json_array_get(json_object_get(answer, "endorsements"), 0);
    const char *value = json_string_value(json_object_get(row, key));

    (void)snprintf(out, 64, "%s", value != NULL ? value : "");
    json_decref(answer);
}

/* 8. What is decided differently at two devices at once is decided in one way at both. */
static void sim_unite_decisions(struct scene *scene)
{
    struct sim_unite_cast cast;
    char id[64], desk[64], lap[64];

    sim_unite_meet(scene, &cast);
    scene_ask(scene, cast.ben, "endorse",
              json_pack("{s:s, s:[s], s:s, s:s}", "who", "ana", "about", "boats", "relation",
                        "client", "words", "Built our boat, on time and true."));
    scene_settle(scene);
    sim_unite_received(cast.lap, "id", id);
    world_crash(cast.desk);
    world_crash(cast.lap);
    scene_ask(scene, cast.desk, "endorsement.accept", json_pack("{s:s}", "id", id));
    scene_ask(scene, cast.lap, "endorsement.set-aside", json_pack("{s:s}", "id", id));
    world_start(cast.desk);
    world_start(cast.lap);
    scene_settle(scene);
    sim_unite_received(cast.desk, "state", desk);
    sim_unite_received(cast.lap, "state", lap);
    scene_expect(scene, strcmp(desk, lap) == 0, "one state at both");
    scene_expect(scene, strcmp(desk, "set aside") == 0, "set aside outranks shown");
}

/* 9. Two machines with one key that have written nothing since show nobody that they are two. They
 * take turns at the peer, seldom, and unite once they do write. */
static void sim_unite_silent_copies(struct scene *scene)
{
    struct world_node *ana = scene_member(scene, "ana"), *ben = scene_member(scene, "ben"), *copy;
    uint64_t accepted;

    scene_link(scene, ana, ben);
    scene_card(scene, ana);
    scene_settle(scene);
    copy = world_clone(ana, false);
    world_start(copy);
    scene_wait(scene, 3600);
    accepted = ana->accepted + ben->accepted + copy->accepted;
    scene_wait(scene, 3600);
    accepted = ana->accepted + ben->accepted + copy->accepted - accepted;
    scene_expect(scene, accepted > 0 && accepted < SIM_UNITE_TURNS_MAX, "a turn now and then");
    scene_card(scene, ana);
    scene_card(scene, copy);
    scene_settle(scene);
    scene_expect(scene, scene_devices(ben, ana) > 1, "two devices");
}

/* 10. A decision that only a lost branch held is told by what it showed: the owner sees what others
 * see, and can end it. */
static void sim_unite_lost_decision(struct scene *scene)
{
    struct sim_unite_cast cast;
    struct world_home *home;
    char id[64], text[64];
    size_t since;

    cast.desk = scene_member(scene, "ana");
    cast.ben = scene_member(scene, "ben");
    cast.cara = scene_member(scene, "cara");
    scene_link(scene, cast.desk, cast.ben);
    scene_link(scene, cast.cara, cast.desk);
    scene_ask(scene, cast.ben, "endorse",
              json_pack("{s:s, s:[s], s:s, s:s, s:s}", "who", "ana", "about", "boats", "relation",
                        "client", "words", "Built our boat, on time and true.", "ceiling",
                        "peers"));
    scene_settle(scene);
    home = world_snapshot(cast.desk);
    since = scene->judge.canaries_count;
    sim_unite_received(cast.desk, "id", id);
    scene_ask(scene, cast.desk, "endorsement.publish",
              json_pack("{s:s, s:s}", "id", id, "to", "peers"));
    scene_settle(scene);
    scene_restore(scene, cast.desk, home, since);
    world_home_free(home);
    scene_settle(scene);
    sim_unite_received(cast.desk, "shown_to", text);
    scene_expect(scene, strcmp(text, "peers") == 0, "the owner sees that it is shown");
    scene_ask(scene, cast.desk, "endorsement.hide", json_pack("{s:s}", "id", id));
    scene_settle(scene);
    sim_unite_received(cast.desk, "shown_to", text);
    scene_expect(scene, strcmp(text, "nobody") == 0, "hidden by hand");
}

/* How many of ben's are told here. */
static size_t sim_unite_seen(struct world_node *node, const struct world_node *ben)
{
    char did[DID_SIZE];
    json_t *list;
    size_t count;

    identity_did(&ben->secrets->member, did);
    list = world_read(node, "endorsement.list", json_pack("{s:s}", "of", did));
    count = json_array_size(json_object_get(list, "endorsements"));
    json_decref(list);
    return count;
}

/* Ben shows to the network what cara wrote of him; ana is linked with both and dan. */
static struct world_node *sim_unite_shown(struct scene *scene, struct sim_unite_cast *cast)
{
    struct world_node *dan = scene_member(scene, "dan");
    char id[64];

    cast->desk = scene_member(scene, "ana");
    cast->ben = scene_member(scene, "ben");
    cast->cara = scene_member(scene, "cara");
    scene_link(scene, cast->desk, cast->ben);
    scene_link(scene, cast->desk, cast->cara);
    scene_link(scene, cast->desk, dan);
    scene_link(scene, cast->cara, cast->ben);
    scene_ask(scene, cast->cara, "endorse",
              json_pack("{s:s, s:[s], s:s, s:s, s:s}", "who", "ben", "about", "boats", "relation",
                        "client", "words", "Built our boat, on time and true.", "ceiling",
                        "network"));
    scene_settle(scene);
    sim_unite_received(cast->ben, "id", id);
    scene_ask(scene, cast->ben, "endorsement.publish",
              json_pack("{s:s, s:s}", "id", id, "to", "network"));
    scene_settle(scene);
    return dan;
}

/* Ana quotes ben, and her machine goes back to before that. What only self told is lost: that she
 * does; so it is shown no more. */
static void sim_unite_quoted(struct scene *scene, bool has_network)
{
    struct sim_unite_cast cast;
    struct world_node *dan = sim_unite_shown(scene, &cast);
    struct world_home *home;
    size_t since;

    if (has_network)
        scene_ask(scene, cast.desk, "network.quote", json_pack("{s:s}", "who", "cara"));
    scene_settle(scene);
    home = world_snapshot(cast.desk);
    since = scene->judge.canaries_count;
    scene_ask(scene, cast.desk, "network.quote", json_pack("{s:s}", "who", "ben"));
    scene_settle(scene);
    scene_expect(scene, sim_unite_seen(dan, cast.ben) == 1, "dan sees what ana quotes");
    scene_restore(scene, cast.desk, home, since);
    world_home_free(home);
    scene_settle(scene);
    scene_wait(scene, 60);
    scene_expect(scene, judge_is_settled(cast.desk, dan), "in step with who reads it");
    scene_expect(scene, sim_unite_seen(dan, cast.ben) == 0, "quoted no more");
    world_live(&scene->world, UINT64_C(3) * 24 * 60 * 60 * 1000); /* RETURN-10 */
    scene_settle(scene);
    scene_expect(scene, sim_unite_seen(dan, cast.ben) == 0, "nor when all has come back");
    scene_ask(scene, cast.desk, "network.quote", json_pack("{s:s}", "who", "ben"));
    scene_settle(scene);
    scene_expect(scene, sim_unite_seen(dan, cast.ben) == 1, "quoted again");
}

static void sim_unite_lost_network(struct scene *scene)
{
    sim_unite_quoted(scene, false);
}

static void sim_unite_lost_quote(struct scene *scene)
{
    sim_unite_quoted(scene, true);
}

static const struct scene_named sim_unite_scenes[] = {
    {"1 two branches of a dead sibling", sim_unite_dead_sibling},
    {"2 one branch from the sibling itself", sim_unite_known_sibling},
    {"3 siblings that come back", sim_unite_late_sibling},
    {"4 two branches of a peer", sim_unite_peer_longer},
    {"5 two branches of a peer, of one length", sim_unite_peer_equal},
    {"6 removals on two branches", sim_unite_removal},
    {"7 both devices act at once", sim_unite_acts},
    {"8 both devices decide at once", sim_unite_decisions},
    {"9 two copies that say nothing", sim_unite_silent_copies},
    {"10 a decision of the lost branch", sim_unite_lost_decision},
    {"11 a network space of the lost branch", sim_unite_lost_network},
    {"12 a quote of the lost branch", sim_unite_lost_quote},
};

int main(int argc, char **argv)
{
    struct scene_wanted wanted;

    scene_want(argc, argv, &wanted);
    return scene_run(&wanted, sim_unite_scenes,
                     sizeof sim_unite_scenes / sizeof sim_unite_scenes[0])
               ? 0
               : 1;
}
