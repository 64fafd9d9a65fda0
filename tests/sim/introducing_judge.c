/* See introducing_judge.h. Sides are Ana, 0, and Bruno, 1. */
#include "tests/sim/introducing_judge.h"

#include <stdio.h>
#include <string.h>

#include "node/introduction.h"
#include "tests/sim/judge_search.h"
#include "tests/sim/spoken.h"

enum { INTRODUCING_BONDS_MAX = 32 };

/* One introduction, as all machines together know it. */
struct introducing_case {
    struct id id;
    char text[ID_TEXT_SIZE];
    bool has_plan, is_ended; /* Iris's own */
    bool was_offered[2], was_released[2], was_withdrawn[2], was_relayed[2];
    bool said_yes[2], said_no[2], said_retract[2], said_hello[2];
    bool is_confirmed[2], has_met[2];
    bool holds_secret[2]; /* of a yes of theirs that a release names */
    struct introducing_bond {
        struct hash yes, other; /* what a release to this side names */
        bool is_held;
    } bonds[2][INTRODUCING_BONDS_MAX];
    size_t bonds_count[2];
};

struct introducing_cases {
    struct introducing *introducing;
    struct introducing_case list[INTRODUCING_CASES_MAX];
    size_t count;
};

static const struct public_key *introducing_root(const struct introducing *introducing,
                                                 size_t person)
{
    return &introducing->nodes[person]->secrets->member;
}

/* Which of the two; anything above 1 is neither. */
static size_t introducing_side(const struct introducing *introducing, const struct public_key *root)
{
    if (public_key_is_equal(root, introducing_root(introducing, ANA)))
        return 0;
    return public_key_is_equal(root, introducing_root(introducing, BRUNO)) ? 1 : 2;
}

/* Gathering. */

static struct introducing_case *introducing_case_of(struct introducing_cases *cases,
                                                    const struct id *id)
{
    for (size_t at = 0; at < cases->count; at++)
        if (id_is_equal(&cases->list[at].id, id))
            return &cases->list[at];
    KITH_ASSERT(cases->count < INTRODUCING_CASES_MAX);
    cases->list[cases->count] = (struct introducing_case){.id = *id};
    hex_write(span_of(id->bytes, ID_SIZE), cases->list[cases->count].text);
    return &cases->list[cases->count++];
}

static void introducing_add_fact(const struct introducing *introducing,
                                 struct introducing_case *known,
                                 const struct introduction_fact *fact)
{
    size_t by = introducing_side(introducing, &fact->member);
    size_t to = introducing_side(introducing, &fact->message.to);

    switch (fact->message.type) {
    case INTRODUCTION_OFFER:
        known->was_offered[to] = true;
        break;
    case INTRODUCTION_RELEASE:
        known->was_released[to] = true;
        break;
    case INTRODUCTION_WITHDRAW:
        known->was_withdrawn[to] = true;
        break;
    case INTRODUCTION_RELAY:
        known->was_relayed[to] = true;
        break;
    case INTRODUCTION_YES:
        known->said_yes[by] = true;
        break;
    case INTRODUCTION_NO:
    case INTRODUCTION_KNOWN:
        known->said_no[by] = true;
        break;
    case INTRODUCTION_RETRACT:
        known->said_retract[by] = true;
        break;
    case INTRODUCTION_HELLO:
        known->said_hello[by] = true;
        break;
    case INTRODUCTION_WANT:
    case INTRODUCTION_THANKS:
        break;
    }
}

/* The secret of each yes of this node's member that a release names. */
static bool introducing_has_secret(const struct introduction_case *intro)
{
    const struct public_key *me = ledger_member(intro->snapshot.ledger);
    const struct introduction_fact *release, *yes;
    uint8_t secret[KEY_SIZE];
    bool is_held = false;

    for (size_t at = 0; (release = introduction_said(intro, INTRODUCTION_RELEASE,
                                                     &intro->row.introducer, at)) != NULL;
         at++)
        for (size_t said = 0; (yes = introduction_said(intro, INTRODUCTION_YES, me, said)) != NULL;
             said++)
            is_held |=
                memcmp(yes->hash.bytes, release->message.release.yes.bytes, HASH_SIZE) == 0 &&
                introduction_secret_of(&intro->snapshot, yes->message.yes.key, secret) == ERR_OK;
    return is_held;
}

/* What the releases to one of the two name, and whether this machine holds the secret of it. */
static void introducing_add_bonds(struct introducing_case *known, size_t side,
                                  const struct introduction_case *intro)
{
    const struct public_key *me = ledger_member(intro->snapshot.ledger);
    const struct introduction_fact *release, *yes;
    uint8_t secret[KEY_SIZE];

    for (size_t at = 0; (release = introduction_said(intro, INTRODUCTION_RELEASE,
                                                     &intro->row.introducer, at)) != NULL;
         at++) {
        struct introducing_bond bond = {.yes = release->message.release.yes};

        statement_hash(release->message.release.other, &bond.other);
        for (size_t said = 0; (yes = introduction_said(intro, INTRODUCTION_YES, me, said)) != NULL;
             said++)
            bond.is_held |=
                memcmp(yes->hash.bytes, bond.yes.bytes, HASH_SIZE) == 0 &&
                introduction_secret_of(&intro->snapshot, yes->message.yes.key, secret) == ERR_OK;
        if (known->bonds_count[side] < INTRODUCING_BONDS_MAX)
            known->bonds[side][known->bonds_count[side]++] = bond;
    }
}

static void introducing_add(struct introducing_cases *cases, const struct world_node *node,
                            const struct introduction_case *intro)
{
    struct introducing_case *known = introducing_case_of(cases, &intro->row.id);
    const struct object *record = &intro->record;

    for (size_t at = 0; at < intro->facts_count; at++)
        introducing_add_fact(cases->introducing, known, &intro->facts[at]);
    if (node->person == IRIS) {
        known->has_plan |= object_value(record, RECORD_A).bytes.size > 0;
        known->is_ended |= object_number(record, RECORD_ENDED) != 0;
        return;
    }
    known->is_confirmed[node->person - ANA] |= object_number(record, RECORD_CONFIRMED) != 0;
    known->has_met[node->person - ANA] |= object_number(record, RECORD_MET) != 0;
    known->said_retract[node->person - ANA] |= object_number(record, RECORD_ENDED) != 0;
    known->holds_secret[node->person - ANA] |= introducing_has_secret(intro);
    introducing_add_bonds(known, node->person - ANA, intro);
}

struct introducing_node {
    struct introducing_cases *cases;
    struct world_node *node;
    const struct snapshot *snapshot;
};

static enum err introducing_on_row(void *self, const struct introduction_row *row)
{
    struct introducing_node *at = self;
    struct introduction_case intro;

    world_must(introduction_open(at->snapshot, NULL, &row->introducer, &row->id, &intro));
    introducing_add(at->cases, at->node, &intro);
    introduction_close(&intro);
    return ERR_OK;
}

static void introducing_on_node(struct world_node *node, void *self)
{
    struct snapshot snapshot;
    struct introducing_node at = {.cases = self, .node = node, .snapshot = &snapshot};

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(view_introduction_each(&snapshot, NULL, introducing_on_row, &at));
    ledger_snapshot_end(&snapshot);
}

/* What a machine alone knows that nobody can let in (copies_rest) reaches nobody: is_heard leaves
 * it out. */
static void introducing_gather(struct introducing *introducing, bool is_heard,
                               struct introducing_cases *out)
{
    struct world *world = &introducing->world;

    *out = (struct introducing_cases){.introducing = introducing};
    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->is_up || !is_heard)
            world_look(world->nodes[at], introducing_on_node, out);
}

/* What was done. */

static bool introducing_shows(struct introducing_cases *cases, const struct introducing_deed *deed)
{
    for (size_t at = 0; at < cases->count; at++) {
        const struct introducing_case *known = &cases->list[at];

        if (strcmp(known->text, deed->id) != 0)
            continue;
        if (deed->type == INTRODUCTION_OFFER)
            return known->has_plan;
        if (deed->type == INTRODUCTION_YES)
            return known->said_yes[deed->person - ANA];
        return known->said_no[deed->person - ANA] || known->said_retract[deed->person - ANA];
    }
    return false;
}

void introducing_judge_went_back(void *self, struct world_node *node, uint64_t since)
{
    struct introducing *introducing = self;
    struct introducing_cases cases;

    introducing->watches[node->number] = (struct introducing_watch){.arrival = 0};
    introducing_gather(introducing, false, &cases);
    for (size_t at = 0; at < introducing->deeds_count; at++) {
        struct introducing_deed *deed = &introducing->deeds[at];
        bool is_mine = deed->node == node && deed->number >= since;

        if (!deed->is_told || (!is_mine && !deed->is_lent))
            continue;
        deed->is_lent = true;
        deed->is_told = introducing_shows(&cases, deed);
    }
}

static void introducing_judge_deeds(struct introducing *introducing,
                                    struct introducing_cases *cases)
{
    for (size_t at = 0; at < introducing->deeds_count; at++) {
        const struct introducing_deed *deed = &introducing->deeds[at];

        if (deed->is_told && !introducing_shows(cases, deed))
            judge_fail(&introducing->judge, "%s of %s about %.8s is lost",
                       deed->type == INTRODUCTION_OFFER ? "the plan"
                       : deed->type == INTRODUCTION_YES ? "the yes"
                                                        : "the no",
                       deed->node->name, deed->id);
    }
}

/* What follows from the facts. */

static enum introduction_state introducing_expect_plan(const struct introducing_case *known)
{
    bool is_refused = known->said_no[0] || known->said_no[1] || known->said_retract[0] ||
                      known->said_retract[1] || known->is_ended || known->was_withdrawn[0] ||
                      known->was_withdrawn[1];

    if (known->was_released[0] || known->was_released[1])
        return INTRODUCTION_RELEASED;
    if (is_refused)
        return INTRODUCTION_CLOSED;
    return known->said_yes[0] && known->said_yes[1] ? INTRODUCTION_RELEASED : INTRODUCTION_OPEN;
}

/* FORKS.md: "a link whose secret lived only on a dead branch needs a new invitation". There must be
 * two yeses that releases to both name, and of which both secrets are there. */
static bool introducing_has_bond(const struct introducing_case *known)
{
    for (size_t one = 0; one < known->bonds_count[0]; one++)
        for (size_t other = 0; other < known->bonds_count[1]; other++) {
            const struct introducing_bond *a = &known->bonds[0][one], *b = &known->bonds[1][other];

            if (a->is_held && b->is_held && memcmp(a->yes.bytes, b->other.bytes, HASH_SIZE) == 0 &&
                memcmp(a->other.bytes, b->yes.bytes, HASH_SIZE) == 0)
                return true;
        }
    return false;
}

static enum introduction_state introducing_expect_side(const struct introducing_case *known,
                                                       size_t side)
{
    bool has_bond = known->was_released[side] && known->holds_secret[side];

    if (known->said_hello[side] || (known->said_yes[side] && has_bond)) {
        if (!known->said_hello[side] && known->said_retract[side])
            return INTRODUCTION_RETRACTED;
        if (!known->said_hello[side] && known->said_no[side] && !known->is_confirmed[side])
            return INTRODUCTION_OFFERED;
        return (known->was_relayed[side] && introducing_has_bond(known)) || known->has_met[side]
                   ? INTRODUCTION_CONNECTED
                   : INTRODUCTION_GREETED;
    }
    if (known->said_no[side])
        return INTRODUCTION_DECLINED;
    if (known->said_retract[side])
        return INTRODUCTION_RETRACTED;
    if (known->was_withdrawn[side])
        return INTRODUCTION_WITHDRAWN;
    if (!known->was_offered[side])
        return INTRODUCTION_NONE;
    return known->said_yes[side] ? INTRODUCTION_AGREED : INTRODUCTION_OFFERED;
}

/* Of one of the two with the other. */
static bool introducing_has_session(struct introducing *introducing, struct world_node *node)
{
    const struct world_node *other = introducing->nodes[node->person == ANA ? BRUNO : ANA];

    return judge_is_linked(node, other) && world_is_in_step(node, &other->secrets->member);
}

static void introducing_judge_machine(struct introducing *introducing, struct world_node *node,
                                      const struct introducing_case *known)
{
    enum introduction_state wanted = node->person == IRIS
                                         ? introducing_expect_plan(known)
                                         : introducing_expect_side(known, node->person - ANA);
    struct introduction_row row = {.state = INTRODUCTION_NONE};
    struct snapshot snapshot;
    enum err err;

    if (!node->is_up || (node->person == IRIS && !known->has_plan))
        return;
    world_must(ledger_snapshot(node->ledger, &snapshot));
    err = view_introduction(&snapshot, introducing_root(introducing, IRIS), &known->id, &row);
    ledger_snapshot_end(&snapshot);
    if (err != ERR_NOT_FOUND)
        world_must(err);
    if (row.state == INTRODUCTION_HELD) /* No place to be shown in yet. */
        row.state = INTRODUCTION_OFFERED;
    /* PROTOCOL INTRO-20: whoever has a session with the other waits for no hello. */
    if (wanted == INTRODUCTION_GREETED && introducing_has_session(introducing, node))
        wanted = INTRODUCTION_CONNECTED;
    if (row.state != wanted)
        judge_fail(&introducing->judge, "%s is at %d of %.8s, where all that was said comes to %d",
                   node->name, (int)row.state, known->text, (int)wanted);
}

static bool introducing_may_link(const struct introducing_case *known)
{
    for (size_t side = 0; side < 2; side++)
        if (!known->said_yes[side] || known->said_retract[side] ||
            (known->said_no[side] && !known->is_confirmed[side] && !known->said_hello[side]))
            return false;
    return known->has_plan && introducing_has_bond(known) &&
           introducing_expect_plan(known) == INTRODUCTION_RELEASED;
}

/* Is the one side not linked, and the other is, by the limit on lost secrets? The yes itself may be
 * lost, and another answer given since. */
static bool introducing_has_lost_secret(struct introducing *introducing,
                                        const struct introducing_cases *cases, size_t side)
{
    for (size_t at = 0; at < cases->count; at++)
        if (cases->list[at].was_released[1 - side] && !introducing_has_bond(&cases->list[at]) &&
            introducing->copies.went_back_of[ANA + side] > 0)
            return true;
    return false;
}

/* Each machine of one of the two, with those of the other. None is up: nobody can tell. */
static bool introducing_links(struct introducing *introducing, size_t side, size_t *out_up)
{
    struct world *world = &introducing->world;
    struct world_node *other = introducing->nodes[ANA + 1 - side];
    size_t linked = 0, all = 0;

    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->person == ANA + side && world->nodes[at]->is_up) {
            linked += judge_is_linked(world->nodes[at], other);
            all++;
        }
    if (linked > 0 && linked < all)
        judge_fail(&introducing->judge, "%zu of %zu machines of %s are linked with %s", linked, all,
                   introducing->nodes[ANA + side]->name, other->name);
    *out_up = all;
    return linked > 0;
}

static void introducing_judge_links(struct introducing *introducing,
                                    const struct introducing_cases *cases)
{
    size_t up[2];
    bool is_linked[2] = {introducing_links(introducing, 0, &up[0]),
                         introducing_links(introducing, 1, &up[1])};

    if (up[0] == 0 || up[1] == 0)
        return;
    for (size_t side = 0; side < 2; side++)
        if (!is_linked[side] && is_linked[1 - side] &&
            !introducing_has_lost_secret(introducing, cases, side))
            judge_fail(&introducing->judge, "%s is not linked with %s, who is",
                       introducing->nodes[ANA + side]->name,
                       introducing->nodes[ANA + 1 - side]->name);
    for (size_t at = 0; at < cases->count; at++)
        if (introducing_may_link(&cases->list[at]) && (!is_linked[0] || !is_linked[1]) &&
            introducing->kind != INTRODUCING_PART)
            judge_fail(&introducing->judge, "both agreed to %.8s, and are not linked",
                       cases->list[at].text);
}

/* Who may know of whom. */

static void introducing_judge_silence(struct introducing *introducing, struct world_node *node,
                                      size_t other)
{
    const struct world_node *them = introducing->nodes[other];
    struct world *world = &introducing->world;

    if (judge_search_holds(node, span_of(introducing_root(introducing, other)->bytes, 32)))
        judge_fail(&introducing->judge, "%s holds the key of %s, and they did not both agree",
                   node->name, them->name);
    if (introducing->is_blind && judge_search_holds(node, span_str(them->name)))
        judge_fail(&introducing->judge, "%s, who was asked blind, holds the name of %s", node->name,
                   them->name);
    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->person == other &&
            judge_search_holds(node, span_of(world->nodes[at]->address.host,
                                             sizeof world->nodes[at]->address.host)))
            judge_fail(&introducing->judge,
                       "%s holds an address of %s, and they did not both agree", node->name,
                       them->name);
}

static void introducing_judge_knowledge(struct introducing *introducing)
{
    struct world *world = &introducing->world;
    bool is_agreed = false;

    for (size_t at = 0; at < introducing->deeds_count; at++)
        is_agreed |= introducing_was_agreed(introducing, introducing->deeds[at].id);
    if (is_agreed) {
        judge_met(&introducing->judge, ANA, BRUNO);
        judge_met(&introducing->judge, BRUNO, ANA);
        return;
    }
    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->is_up && world->nodes[at]->person != IRIS)
            introducing_judge_silence(introducing, world->nodes[at],
                                      world->nodes[at]->person == ANA ? BRUNO : ANA);
}

/* The order in which a store came to know, and what it said then. */

static void introducing_on_said(void *self, struct world_node *node,
                                const struct snapshot *snapshot, const struct spoken *spoken)
{
    struct introducing *introducing = self;
    struct introducing_watch *watch = &introducing->watches[node->number];
    enum introduction_type type = spoken->message.type;
    bool is_own = public_key_is_equal(&spoken->member, &node->secrets->member);
    bool is_no = type == INTRODUCTION_NO || type == INTRODUCTION_KNOWN;
    struct introduction_case intro;
    size_t at = 0;

    while (at < watch->count && !id_is_equal(&watch->said[at].id, &spoken->message.id))
        at++;
    KITH_ASSERT(at < INTRODUCING_CASES_MAX);
    watch->count += at == watch->count;
    watch->said[at].id = spoken->message.id;
    if (type == INTRODUCTION_RELEASE && spoken->is_first && watch->said[at].has_no &&
        !watch->said[at].has_release)
        judge_fail(&introducing->judge, "%s said release and held a no", node->name);
    if (type == INTRODUCTION_HELLO && spoken->is_first && watch->said[at].has_own_no &&
        !watch->said[at].has_hello) {
        world_must(introduction_open(snapshot, NULL, introducing_root(introducing, IRIS),
                                     &spoken->message.id, &intro));
        if (object_number(&intro.record, RECORD_CONFIRMED) == 0)
            judge_fail(&introducing->judge, "%s said hello after a no", node->name);
        introduction_close(&intro);
    }
    watch->said[at].has_no |= is_no || type == INTRODUCTION_RETRACT;
    watch->said[at].has_own_no |= is_no && is_own;
    watch->said[at].has_release |= type == INTRODUCTION_RELEASE;
    watch->said[at].has_hello |= type == INTRODUCTION_HELLO && is_own;
}

void introducing_judge_watch(struct introducing *introducing)
{
    struct world *world = &introducing->world;

    for (size_t at = 0; at < world->nodes_count; at++)
        spoken_each(world->nodes[at], &introducing->watches[at].arrival, introducing_on_said,
                    introducing);
}

void introducing_judge(struct introducing *introducing)
{
    struct world *world = &introducing->world;
    struct introducing_cases cases;

    introducing_judge_watch(introducing);
    introducing_judge_knowledge(introducing);
    introducing_gather(introducing, false, &cases);
    introducing_judge_deeds(introducing, &cases);
    introducing_gather(introducing, true, &cases);
    introducing_judge_links(introducing, &cases);
    for (size_t at = 0; at < cases.count && introducing->kind != INTRODUCING_PART; at++)
        for (size_t node = 0; node < world->nodes_count; node++)
            introducing_judge_machine(introducing, world->nodes[node], &cases.list[at]);
}
