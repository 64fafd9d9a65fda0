/* See vouching_judge.h. What is told is gathered as rows that name deals of the world. */
#include "tests/sim/vouching_judge.h"

#include <stdio.h>
#include <string.h>

#include "node/quote.h"
#include "proto/show.h"
#include "proto/statement.h"
#include "storage/row.h"
#include "storage/view_endorsement.h"

/* One endorsement as one device tells of it. */
struct vouching_row {
    struct vouching_deal *deal;
    struct id object, id, supersedes;
    enum endorsement_state state;
    enum audience shown_to;
    enum endorsement_decision decision;
    bool has_supersedes, is_quoted;
};

struct vouching_rows {
    struct vouching *vouching;
    struct world_node *node;
    const struct snapshot *snapshot;
    struct vouching_row list[VOUCHING_DEALS_MAX];
    size_t count;
};

/* Whether the bytes in the store bear out what is told. */
static void vouching_judge_proof(struct vouching_rows *rows, const struct endorsement_view *view,
                                 const struct endorsement *record, const struct object *object)
{
    struct judge *judge = &rows->vouching->judge;
    const struct vouching_deal *deal = vouching_deal_of(rows->vouching, record->words);
    struct span shown = object_value(object, ENDORSEMENT_SHOW).bytes;
    struct span statement = object_value(object, ENDORSEMENT_STATEMENT).bytes;
    struct show show;
    struct hash hash;

    if (deal == NULL) {
        judge_fail(judge, "%s is told words that nobody wrote", rows->node->name);
        return;
    }
    if (!public_key_is_equal(&record->issuer,
                             &rows->vouching->persons[deal->issuer]->secrets->member) ||
        !public_key_is_equal(&record->subject,
                             &rows->vouching->persons[deal->subject]->secrets->member) ||
        record->ceiling != deal->ceiling)
        judge_fail(judge, "%s is told of canary %zu what nobody wrote", rows->node->name,
                   deal->canary);
    if (shown.size == 0 || view->shown_to == AUDIENCE_SUBJECT)
        return;
    statement_hash(statement, &hash);
    if (show_read(shown, &show) != ERR_OK || !show_fits(&show, record, &hash))
        judge_fail(judge, "%s is shown canary %zu without a show that fits", rows->node->name,
                   deal->canary);
}

static enum err vouching_judge_gather(void *self, const struct endorsement_view *view)
{
    struct vouching_rows *rows = self;
    struct object object = {0};
    struct endorsement record;
    enum err err = view_endorsement_record(rows->snapshot, view, &object, &record);

    if (err == ERR_OK && rows->count < VOUCHING_DEALS_MAX) {
        vouching_judge_proof(rows, view, &record, &object);
        rows->list[rows->count] =
            (struct vouching_row){.deal = vouching_deal_of(rows->vouching, record.words),
                                  .object = view->object,
                                  .id = view->id,
                                  .supersedes = view->supersedes,
                                  .state = view->state,
                                  .shown_to = view->shown_to,
                                  .decision = view->decision,
                                  .has_supersedes = view->has_supersedes,
                                  .is_quoted = view->is_quoted};
        rows->count += rows->list[rows->count].deal != NULL;
    } else if (err != ERR_OK) {
        judge_fail(&rows->vouching->judge, "%s is told what its store does not bear out",
                   rows->node->name);
    }
    object_release(&object);
    return ERR_OK;
}

/* The first machine of theirs that is up; NULL: none. */
static struct world_node *vouching_judge_first(struct vouching *vouching, size_t person)
{
    struct world *world = &vouching->world;

    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->person == person && world->nodes[at]->is_up)
            return world->nodes[at];
    return NULL;
}

static void vouching_judge_rows(struct vouching *vouching, struct world_node *node, size_t subject,
                                struct vouching_rows *out)
{
    struct snapshot snapshot;

    *out = (struct vouching_rows){.vouching = vouching, .node = node, .snapshot = &snapshot};
    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(view_endorsement_of(&snapshot, world_wall_ms(node),
                                   &vouching->persons[subject]->secrets->member,
                                   vouching_judge_gather, out));
    ledger_snapshot_end(&snapshot);
}

static const struct vouching_row *vouching_judge_find(const struct vouching_rows *rows,
                                                      const struct id *object)
{
    for (size_t at = 0; at < rows->count; at++)
        if (id_is_equal(&rows->list[at].object, object))
            return &rows->list[at];
    return NULL;
}

/* What should be seen. */

static bool vouching_judge_is_quoting(struct vouching *vouching, size_t person, size_t subject)
{
    struct world_node *node = vouching_judge_first(vouching, person);
    struct snapshot snapshot;
    bool is_on = false;

    if (node == NULL)
        return false;
    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(quote_is_on(&snapshot, &vouching->persons[subject]->secrets->member, &is_on));
    ledger_snapshot_end(&snapshot);
    return is_on;
}

/* The least audience that reaches the viewer: peers, network by somebody's quote, or nobody. */
static enum audience vouching_judge_reach(struct vouching *vouching, size_t viewer, size_t subject)
{
    if (vouching_are_linked(vouching, viewer, subject))
        return AUDIENCE_PEERS;
    for (size_t at = 0; at < VOUCHING_PERSONS; at++)
        if (vouching->persons[at] != NULL && vouching_are_linked(vouching, at, subject) &&
            vouching_are_linked(vouching, at, viewer) &&
            vouching_judge_is_quoting(vouching, at, subject))
            return AUDIENCE_NETWORK;
    return AUDIENCE_PUBLIC + 1;
}

/* PROTOCOL ENDORSE-9: "Of what one issuer says of one subject the newest three count, of all that a
 * subject shows the newest 200. Among these one that a newer of them renews does not count." */
static void vouching_judge_expect(const struct vouching_rows *own, enum audience reach,
                                  struct vouching_rows *out)
{
    *out = (struct vouching_rows){.vouching = own->vouching};
    for (size_t at = 0; at < own->count; at++) {
        const struct vouching_row *row = &own->list[at];
        size_t before = 0;
        bool is_renewed = false;

        if (row->state != ENDORSEMENT_ACCEPTED || row->shown_to < reach)
            continue;
        for (size_t newer = 0; newer < out->count; newer++)
            if (out->list[newer].deal->issuer == row->deal->issuer) {
                before++;
                is_renewed |= out->list[newer].has_supersedes &&
                              id_is_equal(&out->list[newer].supersedes, &row->id);
            }
        if (before < ENDORSEMENTS_PER_ISSUER_MAX && !is_renewed)
            out->list[out->count++] = *row;
    }
}

static void vouching_judge_viewer(struct vouching *vouching, struct world_node *node,
                                  size_t subject, const struct vouching_rows *own)
{
    struct vouching_rows seen, expected;
    size_t matched = 0;

    vouching_judge_rows(vouching, node, subject, &seen);
    vouching_judge_expect(own, vouching_judge_reach(vouching, node->person, subject), &expected);
    for (size_t at = 0; at < seen.count; at++) {
        const struct vouching_row *row = &seen.list[at];
        bool is_due = vouching_judge_find(&expected, &row->object) != NULL;

        if (row->state != ENDORSEMENT_ACCEPTED)
            continue;
        if (row->deal->widest < row->shown_to)
            judge_fail(&vouching->judge, "%s is shown canary %zu, which nobody ever showed",
                       node->name, row->deal->canary);
        matched += is_due;
        /* Of my own words I see whether they are shown, whatever the caps say. */
        if (!is_due && !vouching->has_ended && row->deal->issuer != node->person)
            judge_fail(&vouching->judge, "%s is shown canary %zu and should not", node->name,
                       row->deal->canary);
    }
    if (matched != expected.count && !vouching->has_ended)
        judge_fail(&vouching->judge, "%s is shown %zu of %zu that %s shows", node->name, matched,
                   expected.count, vouching->persons[subject]->name);
}

/* What one machine tells. */

struct vouching_telling {
    struct vouching *vouching;
    const struct vouching_deal *deal;
    bool is_told, is_revoked;
};

static void vouching_judge_tells(struct world_node *node, void *self)
{
    struct vouching_telling *telling = self;
    struct vouching_rows rows;

    vouching_judge_rows(telling->vouching, node, telling->deal->subject, &rows);
    for (size_t at = 0; at < rows.count; at++)
        if (rows.list[at].deal == telling->deal) {
            telling->is_told = true;
            telling->is_revoked |= rows.list[at].state == ENDORSEMENT_REVOKED;
        }
}

/* What was taken back. */

/* DESIGN 8: "Removing a peer ends the session, opens new epochs of card and network, destroys that
 * link's psk". What went with its issuer's disk comes back from nobody who has parted from them. */
static bool vouching_judge_is_taken_back(struct vouching *vouching,
                                         const struct vouching_deal *deal)
{
    struct vouching_telling telling = {.vouching = vouching, .deal = deal};
    struct world_node *issuer = vouching_judge_first(vouching, deal->issuer);

    if (!deal->was_revoked || !deal->is_revocation_lent || issuer == NULL)
        return deal->was_revoked;
    for (size_t at = 0; at < vouching->world.nodes_count; at++) {
        struct world_node *node = vouching->world.nodes[at];

        if (node->is_up && (node->person == deal->issuer ||
                            (judge_is_linked(node, issuer) && judge_is_linked(issuer, node))))
            vouching_judge_tells(node, &telling);
    }
    return telling.is_revoked;
}

static void vouching_judge_taken_back(struct vouching *vouching, struct world_node *node,
                                      const struct vouching_rows *rows)
{
    for (size_t at = 0; at < rows->count; at++) {
        const struct vouching_row *row = &rows->list[at];
        struct world_node *issuer = vouching->persons[row->deal->issuer];
        bool is_near = node->person == row->deal->issuer ||
                       (judge_is_linked(node, issuer) && judge_is_linked(issuer, node));

        if (is_near && row->state != ENDORSEMENT_REVOKED &&
            vouching_judge_is_taken_back(vouching, row->deal))
            judge_fail(&vouching->judge, "%s tells of canary %zu, which was taken back", node->name,
                       row->deal->canary);
        if (!row->deal->is_revocation_asked && row->state == ENDORSEMENT_REVOKED)
            judge_fail(&vouching->judge, "%s thinks that canary %zu was taken back", node->name,
                       row->deal->canary);
    }
}

/* The subject's own. */

struct vouching_kept {
    const struct vouching_rows *rows;
    size_t count;
};

static enum err vouching_judge_kept(void *self, uint32_t number, const struct object *object)
{
    struct vouching_kept *kept = self;
    const struct vouching_row *row = vouching_judge_find(kept->rows, &object->id);

    (void)number;
    kept->count += object_is_visible(object);
    if (row != NULL && row->decision != endorsement_decided(object))
        judge_fail(&kept->rows->vouching->judge, "%s forgets what was decided of canary %zu",
                   kept->rows->node->name, row->deal->canary);
    return ERR_OK;
}

static bool vouching_judge_is_on_card(struct world_node *node, const struct id *object)
{
    struct object shown = {0};
    struct snapshot snapshot;
    struct space_row card;
    uint32_t number;
    bool is_on;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(ledger_own_space(&snapshot, SPACE_CARD, &card));
    is_on = row_get(&snapshot, &card.id, KIND_ENDORSEMENT, object, &shown, &number) == ERR_OK &&
            object_is_visible(&shown);
    ledger_snapshot_end(&snapshot);
    object_release(&shown);
    return is_on;
}

/* The state is what the decisions that stand say, or without any the card, and nothing else. */
static void vouching_judge_own(struct vouching *vouching, struct vouching_rows *own)
{
    struct vouching_kept kept = {.rows = own};
    struct snapshot snapshot;

    world_must(ledger_snapshot(own->node->ledger, &snapshot));
    world_must(row_each(&snapshot, ledger_self_space(own->node->ledger), KIND_KEPT,
                        vouching_judge_kept, &kept));
    ledger_snapshot_end(&snapshot);
    for (size_t at = 0; at < own->count; at++) {
        const struct vouching_row *row = &own->list[at];
        bool is_live = row->state == ENDORSEMENT_ACCEPTED;
        bool is_shown = row->decision > DECISION_NONE && row->decision < DECISION_NOBODY;

        if (row->decision == DECISION_NONE)
            is_shown = vouching_judge_is_on_card(own->node, &row->object);
        if (is_live != (is_shown || row->decision == DECISION_NOBODY) &&
            row->state != ENDORSEMENT_REVOKED && row->state != ENDORSEMENT_EXPIRED)
            judge_fail(&vouching->judge, "%s is at %d of canary %zu after deciding %d",
                       own->node->name, (int)row->state, row->deal->canary, (int)row->decision);
        if ((row->shown_to > AUDIENCE_SUBJECT) != (is_live && is_shown))
            judge_fail(&vouching->judge, "%s shows canary %zu after deciding %d", own->node->name,
                       row->deal->canary, (int)row->decision);
    }
}

static void vouching_judge_twins(struct vouching *vouching, struct world_node *twin, size_t subject)
{
    struct world_node *first = vouching_judge_first(vouching, twin->person);
    struct vouching_rows one, other;

    /* FORKS.md 1: "A bare mark never retires anything, and I go on writing until there is proof."
     * Copies that have shown nobody that they are two are one device, and hear nothing of each
     * other. */
    if (twin == first || judge_is_one_device(twin, first))
        return;
    vouching_judge_rows(vouching, first, subject, &one);
    vouching_judge_rows(vouching, twin, subject, &other);
    if (one.count != other.count)
        judge_fail(&vouching->judge, "two devices of %s tell of %zu and %zu about %s", twin->name,
                   one.count, other.count, vouching->persons[subject]->name);
    for (size_t at = 0; at < one.count; at++) {
        const struct vouching_row *row = vouching_judge_find(&other, &one.list[at].object);

        if (row == NULL || row->state != one.list[at].state ||
            row->shown_to != one.list[at].shown_to || row->decision != one.list[at].decision)
            judge_fail(&vouching->judge, "two devices of %s tell differently of canary %zu",
                       twin->name, one.list[at].deal->canary);
    }
}

/* What was told, with copies. */

/* Issuer and subject are who can tell of it whatever it has come to. */
static struct vouching_telling vouching_judge_telling(struct vouching *vouching,
                                                      const struct vouching_deal *deal)
{
    struct vouching_telling telling = {.vouching = vouching, .deal = deal};
    struct world *world = &vouching->world;

    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->person == deal->issuer || world->nodes[at]->person == deal->subject)
            world_look(world->nodes[at], vouching_judge_tells, &telling);
    return telling;
}

void vouching_judge_went_back(void *self, struct world_node *node, uint64_t since)
{
    struct vouching *vouching = self;

    vouching_went_back(vouching, node);
    for (size_t at = 0; at < vouching->deals_count; at++) {
        struct vouching_deal *deal = &vouching->deals[at];
        struct vouching_telling telling;

        deal->is_lent |= deal->writer == node && deal->written >= since;
        deal->is_revocation_lent |= deal->revoker == node && deal->revoked >= since;
        if (!deal->is_lent && !deal->is_revocation_lent)
            continue;
        telling = vouching_judge_telling(vouching, deal);
        deal->is_told = deal->is_told && (!deal->is_lent || telling.is_told);
        deal->was_revoked = deal->was_revoked && (!deal->is_revocation_lent || telling.is_revoked);
    }
}

static void vouching_judge_told(struct vouching *vouching)
{
    for (size_t at = 0; at < vouching->deals_count && !vouching->has_ended; at++)
        if (vouching->deals[at].is_told &&
            !vouching_judge_telling(vouching, &vouching->deals[at]).is_told)
            judge_fail(&vouching->judge, "canary %zu, which was written, is lost",
                       vouching->deals[at].canary);
}

/* All of it. */

void vouching_judge(struct vouching *vouching)
{
    vouching_judge_told(vouching);
    for (size_t subject = 0; subject < VOUCHING_PERSONS; subject++) {
        struct vouching_rows own, seen;

        struct world_node *first = vouching_judge_first(vouching, subject);

        if (first == NULL)
            continue;
        vouching_judge_rows(vouching, first, subject, &own);
        vouching_judge_own(vouching, &own);
        for (size_t at = 0; at < vouching->world.nodes_count; at++) {
            struct world_node *node = vouching->world.nodes[at];

            if (!node->is_up)
                continue;
            vouching_judge_rows(vouching, node, subject, &seen);
            vouching_judge_twins(vouching, node, subject);
            vouching_judge_taken_back(vouching, node, &seen);
            if (node->person != subject)
                vouching_judge_viewer(vouching, node, subject, &own);
        }
    }
}

static void vouching_judge_on_tried(struct world_node *node, void *self, enum err err,
                                    const struct op_call *call)
{
    struct vouching *vouching = self;

    (void)call;
    if (err == ERR_OK)
        judge_fail(&vouching->judge, "%s showed what was taken back", node->name);
}

void vouching_judge_revoked(struct vouching *vouching)
{
    for (size_t at = 0; at < vouching->world.nodes_count; at++) {
        struct world_node *node = vouching->world.nodes[at];
        json_t *list = world_read(node, "endorsement.list", json_pack("{s:b}", "received", true));
        json_t *row;
        size_t index;

        json_array_foreach(json_object_get(list, "endorsements"), index, row)
        {
            if (strcmp(json_string_value(json_object_get(row, "state")), "revoked") == 0)
                world_op(node, "endorsement.publish",
                         json_pack("{s:O, s:s}", "id", json_object_get(row, "id"), "to", "peers"),
                         vouching_judge_on_tried, vouching);
        }
        json_decref(list);
    }
    world_run_until(&vouching->world, vouching->world.now_ms + 1000);
}

void vouching_judge_hidden(struct vouching *vouching, size_t subject)
{
    struct vouching_rows seen;

    for (size_t at = 0; at < vouching->world.nodes_count; at++) {
        struct world_node *node = vouching->world.nodes[at];

        if (!node->is_up || node->person == subject)
            continue;
        vouching_judge_rows(vouching, node, subject, &seen);
        for (size_t row = 0; row < seen.count; row++)
            if (seen.list[row].state == ENDORSEMENT_ACCEPTED)
                judge_fail(&vouching->judge, "%s is shown canary %zu after 90 days of silence",
                           node->name, seen.list[row].deal->canary);
    }
}

size_t vouching_judge_shown(struct vouching *vouching)
{
    struct vouching_rows own;
    size_t count = 0;

    for (size_t subject = 0; subject + 1 < VOUCHING_PERSONS; subject++) {
        struct world_node *first = vouching_judge_first(vouching, subject);

        if (first == NULL)
            continue;
        vouching_judge_rows(vouching, first, subject, &own);
        for (size_t at = 0; at < own.count; at++)
            count += own.list[at].shown_to > AUDIENCE_SUBJECT;
    }
    return count;
}

/* What was shown when it expired stays on the card: whoever reads it sees that it has. */
static bool vouching_judge_stands(const struct vouching_row *row, enum audience least)
{
    bool was_shown = row->decision > DECISION_NONE && row->decision < DECISION_NOBODY;

    return row->state == ENDORSEMENT_EXPIRED
               ? was_shown
               : row->state == ENDORSEMENT_ACCEPTED && row->shown_to >= least;
}

void vouching_judge_welcome(struct vouching *vouching, size_t host, size_t guest)
{
    for (size_t subject = 0; subject + 1 < VOUCHING_PERSONS; subject++) {
        enum audience least = subject == host ? AUDIENCE_PEERS : AUDIENCE_NETWORK;
        struct vouching_rows seen;

        if (subject != host && !vouching_judge_is_quoting(vouching, host, subject))
            continue;
        vouching_judge_rows(vouching, vouching_judge_first(vouching, host), subject, &seen);
        for (size_t at = 0; at < seen.count; at++)
            if (vouching_judge_stands(&seen.list[at], least))
                vouching->judge.canaries[seen.list[at].deal->canary].readers |= UINT64_C(1)
                                                                                << guest;
    }
}
