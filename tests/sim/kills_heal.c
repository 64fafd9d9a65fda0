/* Copies and devices: Ana's machine goes back, or is there twice, or she has two and gives one up.
 * What each tells is what Ana's card says, and how many devices of hers there are that count. */
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "storage/heal.h"
#include "storage/join.h"
#include "storage/standing.h"
#include "storage/view_peer.h"
#include "tests/sim/kills.h"

enum { ANA, BRUNO, CHIE, OTHER }; /* other: Ana's second machine */

struct kills_heal_devices {
    const struct snapshot *snapshot;
    unsigned good, all;
};

static enum err kills_heal_on_device(void *self, const struct device_row *device)
{
    struct kills_heal_devices *devices = self;
    enum standing standing;
    enum err err = standing_of(devices->snapshot, &device->device, &standing);

    devices->all++;
    devices->good += err == ERR_OK && standing == STANDING_GOOD;
    return err;
}

static void kills_heal_tell(struct kills *kills, struct world_node *node,
                            char out[static KILLS_TOLD_SIZE])
{
    const struct world_node *ana = kills->vouching.world.nodes[ANA];
    bool is_hers = node->person == ana->person;
    json_t *card = is_hers ? world_read(node, "me.show", json_object())
                           : world_read(node, "peer.show", json_pack("{s:s}", "who", "ana"));
    const json_t *says = is_hers ? card : json_object_get(card, "card");
    const char *org = json_string_value(json_object_get(says, "org"));
    struct kills_heal_devices devices = {0};
    struct snapshot snapshot;
    bool is_new = false;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(join_is_pending(&snapshot, &is_new));
    devices.snapshot = &snapshot;
    world_must(view_device_each(&snapshot, &ana->secrets->member, kills_heal_on_device, &devices));
    ledger_snapshot_end(&snapshot);
    (void)snprintf(out, KILLS_TOLD_SIZE, "%s, %u of %u%s", org != NULL ? org : "nothing",
                   devices.good, devices.all, is_new ? ", new" : "");
    json_decref(card);
}

/* What they do. */

#define KILLS_HEAL_WRITES(noun, machine, text)                                                     \
    static const struct kills_deed noun = {                                                        \
        .method = "me.edit", .who = (machine), .params = "{'org':'" text "'}"}

KILLS_HEAL_WRITES(ana_writes_boats, ANA, "boats");
KILLS_HEAL_WRITES(ana_writes_trees, ANA, "trees");
KILLS_HEAL_WRITES(ana_writes_ships, ANA, "ships");
KILLS_HEAL_WRITES(other_writes_trees, OTHER, "trees");

static enum err kills_heal_shut_out(struct kills *kills, struct ledger_txn *txn,
                                    enum retire_reason reason)
{
    struct signing_key *signing = secret_new(sizeof *signing);
    enum err err;

    KITH_ASSERT(signing != NULL);
    identity_signing_key(kills->device->secrets->signing_seed, signing);
    err = heal_shut_out(txn, &signing->public_key, reason);
    secret_free(signing);
    return err;
}

static enum err kills_heal_give_up(void *kills, struct ledger_txn *txn)
{
    return kills_heal_shut_out(kills, txn, RETIRE_OWNER);
}

static enum err kills_heal_is_stolen(void *kills, struct ledger_txn *txn)
{
    return kills_heal_shut_out(kills, txn, RETIRE_STOLEN);
}

static const struct kills_deed ana_gives_it_up = {
    .method = "giving up a device", .write = kills_heal_give_up, .who = ANA};
static const struct kills_deed ana_misses_it = {
    .method = "telling of a theft", .write = kills_heal_is_stolen, .who = ANA};

/* Stories. */

static const struct kills_step kills_heal_restored[] = {
    {.fate = {.copied = 1 << ANA},
     .deeds = {&ana_writes_boats},
     .until = {"boats, 1 of 1", "boats, 1 of 1", "boats, 1 of 1"}},
    {.fate = {.back = 1 << ANA}, .until = {"boats, 1 of 2", "boats, 1 of 2", "boats, 1 of 2"}},
    {.deeds = {&ana_writes_trees}, .until = {"trees, 1 of 2", "trees, 1 of 2", "trees, 1 of 2"}},
};

/* What is written before it finds out. */
static const struct kills_step kills_heal_restored_apart[] = {
    {.fate = {.copied = 1 << ANA},
     .deeds = {&ana_writes_boats},
     .until = {"boats, 1 of 1", "boats, 1 of 1", "boats, 1 of 1"}},
    {.fate = {.back = 1 << ANA, .parted = 1 << ANA},
     .deeds = {&ana_writes_trees},
     .until = {"trees, 1 of 1", "boats, 1 of 1", "boats, 1 of 1"}},
    {.until = {"trees, 1 of 2", "trees, 1 of 2", "trees, 1 of 2"}},
    {.deeds = {&ana_writes_ships}, .until = {"ships, 1 of 2", "ships, 1 of 2", "ships, 1 of 2"}},
};

static const struct kills_step kills_heal_cloned[] = {
    {.fate = {.cloned = 1 << ANA, .parted = 1 << ANA | 1 << BRUNO},
     .deeds = {&ana_writes_boats},
     .until = {"boats, 1 of 1", "boats, 1 of 1", NULL, NULL}},
    {.fate = {.parted = 1 << ANA | 1 << BRUNO},
     .deeds = {&other_writes_trees},
     .until = {"boats, 1 of 1", "boats, 1 of 1", "trees, 1 of 1", "trees, 1 of 1"}},
    {.until = {"trees, 2 of 3", "trees, 2 of 3", "trees, 2 of 3", "trees, 2 of 3"}},
    {.deeds = {&ana_writes_ships},
     .until = {"ships, 2 of 3", "ships, 2 of 3", "ships, 2 of 3", "ships, 2 of 3"}},
};

/* The first sync of a device, and what follows when it goes. */
static const struct kills_step kills_heal_given_up[] = {
    {.until = {"nothing, 2 of 2", "nothing, 2 of 2", "nothing, 2 of 2", "nothing, 2 of 2"}},
    {.deeds = {&other_writes_trees},
     .until = {"trees, 2 of 2", "trees, 2 of 2", "trees, 2 of 2", "trees, 2 of 2"}},
    {.deeds = {&ana_gives_it_up},
     .until = {"trees, 1 of 2", "trees, 1 of 2", "trees, 1 of 2", NULL}},
    {.deeds = {&ana_writes_ships},
     .until = {"ships, 1 of 2", "ships, 1 of 2", "ships, 1 of 2", "trees, 1 of 2"}},
    {.fate = {.off = 1 << OTHER}, .until = {"ships, 1 of 2", "ships, 1 of 2", "ships, 1 of 2"}},
};

static const struct kills_step kills_heal_stolen[] = {
    {.until = {"nothing, 2 of 2", "nothing, 2 of 2", "nothing, 2 of 2", "nothing, 2 of 2"}},
    {.deeds = {&other_writes_trees},
     .until = {"trees, 2 of 2", "trees, 2 of 2", "trees, 2 of 2", "trees, 2 of 2"}},
    {.deeds = {&ana_misses_it}, .until = {"trees, 1 of 2", "trees, 1 of 2", "trees, 1 of 2", NULL}},
    {.deeds = {&ana_writes_ships},
     .until = {"ships, 1 of 2", "ships, 1 of 2", "ships, 1 of 2", NULL}},
    {.fate = {.off = 1 << OTHER}, .until = {"ships, 1 of 2", "ships, 1 of 2", "ships, 1 of 2"}},
};

#define KILLS_HEAL(title, plot, ...)                                                               \
    {                                                                                              \
        .name = (title), .names = {"ana", "bruno", "chie"}, .nodes_count = 3,                      \
        .links = {{ANA, BRUNO}, {CHIE, ANA}}, .links_count = 2, .tell = kills_heal_tell,           \
        .steps = (plot), .steps_count = sizeof(plot) / sizeof((plot)[0]), __VA_ARGS__              \
    }

const struct kills_story kills_heal_stories[] = {
    KILLS_HEAL("restored", kills_heal_restored, .has_device = false),
    KILLS_HEAL("restored, and apart", kills_heal_restored_apart, .has_device = false),
    KILLS_HEAL("cloned", kills_heal_cloned, .has_device = false),
    KILLS_HEAL("a device given up", kills_heal_given_up, .has_device = true),
    KILLS_HEAL("a device stolen", kills_heal_stolen, .has_device = true),
};
const size_t kills_heal_stories_count = sizeof kills_heal_stories / sizeof kills_heal_stories[0];
