/*
 * Epochs of my spaces: opening them over all that is there, and choosing the one to write under.
 * Two own devices may open epochs that do not know of each other; the tips of a space are its
 * epochs that none other has as a parent.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "proto/limits.h"
#include "proto/link.h"
#include "storage/agenda.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/restate.h"
#include "storage/row.h"
#include "storage/space_state.h"
#include "storage/standing.h"
#include "storage/view_peer.h"

enum { SPACE_HOUR_MS = 60 * 60 * 1000, SPACE_DAY_MS = 24 * SPACE_HOUR_MS };

/* Opening. */

static struct value space_value(const void *bytes, size_t size)
{
    return (struct value){.type = VALUE_BYTES, .bytes = span_of(bytes, size)};
}

struct space_opening {
    struct epoch_plan plan;
    size_t parents_max;
    struct hash parents[EPOCH_PARENTS_MAX];
    struct buf readers; /* salt, then the readers' keys */
    struct buf out;     /* of a pair space's reader, the devices that were shut out */
    uint8_t *keys;      /* secret: of the parents, then the new one */
};

/* PROTOCOL SELF-1: "Whoever opens an epoch puts its key object into self at once, with all of its
 * fields" */
static enum err space_record_key(struct ledger_txn *txn, const struct space_opening *opening,
                                 const struct hash *id)
{
    const struct epoch_plan *plan = &opening->plan;
    struct edit_space edit = {0};
    struct id object;
    enum err err;

    memcpy(object.bytes, id->bytes, ID_SIZE);
    edit_begin(&edit, KIND_KEY, &object, txn->now_ms);
    edit_set(&edit, KEY_EPOCH, 1, space_value(id->bytes, HASH_SIZE));
    edit_set(&edit, KEY_SPACE, 1, space_value(plan->space.bytes, ID_SIZE));
    edit_set(&edit, KEY_BYTES, 1,
             space_value(opening->keys + EPOCH_PARENTS_MAX * KEY_SIZE, KEY_SIZE));
    edit_set(&edit, KEY_DEPTH, 1, (struct value){.type = VALUE_NUMBER, .number = plan->depth});
    edit_set(&edit, KEY_READERS, 1, space_value(opening->readers.data, opening->readers.size));
    if (plan->parents_count > 0)
        edit_set(&edit, KEY_PARENT, 1,
                 space_value(plan->parents, plan->parents_count * sizeof *plan->parents));
    edit_set(&edit, KEY_OPENED, 1, (struct value){.type = VALUE_NUMBER, .number = txn->now_ms});
    if (opening->out.size > 0)
        edit_set(&edit, KEY_OUT, 1, space_value(opening->out.data, opening->out.size));
    err = ledger_append(txn, &txn->ledger->self_space, &edit, 0);
    edit_release(&edit);
    return err;
}

static int space_order_ids(const void *left, const void *right)
{
    return memcmp(left, right, HASH_SIZE);
}

static bool space_is_parent(const struct space_epoch *epoch, bool is_untaught)
{
    return is_untaught ? epoch->is_untaught : epoch->is_tip && epoch->is_open;
}

/* PROTOCOL RETIRE-10: "It has that epoch as a parent behind the tips of EPOCH-7" */
static void space_add_parents(struct space_look *look, bool is_untaught,
                              struct space_opening *opening)
{
    struct epoch_plan *plan = &opening->plan;

    while (plan->parents_count < opening->parents_max) {
        struct space_epoch *next = NULL;

        for (size_t at = 0; at < look->count; at++)
            if (space_is_parent(&look->epochs[at], is_untaught) &&
                space_is_better(&look->epochs[at], next))
                next = &look->epochs[at];
        if (next == NULL)
            return;
        look->untaught -= next->is_untaught;
        next->is_tip = next->is_untaught = false;
        opening->parents[plan->parents_count++] = next->id;
        plan->depth = next->depth >= plan->depth ? next->depth + 1 : plan->depth;
    }
}

/* PROTOCOL EPOCH-7: "An epoch is opened over all tips of its space whose keys are held, the deepest
 * where there are more than EPOCH_PARENTS_MAX." */
static enum err space_plan_parents(struct space_look *look, struct space_opening *opening)
{
    struct epoch_plan *plan = &opening->plan;
    enum err err = ERR_OK;

    plan->parents = opening->parents;
    plan->parent_keys = opening->keys;
    plan->depth = 1;
    space_add_parents(look, false, opening);
    space_add_parents(look, true, opening);
    qsort(opening->parents, plan->parents_count, HASH_SIZE, space_order_ids);
    for (size_t at = 0; err == ERR_OK && at < plan->parents_count; at++)
        err = epoch_table_key(look->snapshot, &opening->parents[at], opening->keys + at * KEY_SIZE);
    return plan->depth > EPOCH_DEPTH_MAX ? ERR_LIMIT : err;
}

static void space_plan_readers(const struct space_look *look, struct space_opening *opening)
{
    const struct space_audience *audience = look->audience;
    struct id salt;

    id_draw_random(ledger_entropy(look->snapshot->ledger), &salt);
    epoch_readers(&salt, (const struct public_key *)(const void *)audience->readers.data,
                  audience->readers.size / sizeof(struct public_key), &opening->plan.readers);
    buf_append(&opening->readers, span_of(salt.bytes, ID_SIZE));
    buf_append(&opening->readers, buf_span(&audience->readers));
    buf_append(&opening->out, buf_span(&audience->out));
    opening->plan.recipients = audience->recipients[0];
    opening->plan.recipients_count = audience->recipients_count;
}

/* What was opened here is for today's audience, and deeper than all: it is the one to write under.
 */
static enum err space_set_current(struct ledger_txn *txn, uint32_t space, const struct hash *id)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row row;
    enum err err = ledger_space_numbered(&snapshot, space, &row);

    row.current = *id;
    row.is_unsettled = false;
    return err == ERR_OK ? ledger_put_space(txn, &row) : err;
}

static enum err space_open(struct ledger_txn *txn, const struct space_row *space, bool is_fresh,
                           struct space_opening *opening, struct hash *out_id)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_look look = {0};
    struct space_row row = *space;
    enum err err;

    opening->plan = (struct epoch_plan){.space = space->id, .opener = *ledger_device(txn->ledger)};
    opening->keys = secret_new((EPOCH_PARENTS_MAX + 1) * KEY_SIZE);
    err = opening->keys != NULL ? space_look_at(&snapshot, space, &look) : ERR_NOMEM;
    row.is_unsettled = false; /* What is opened here settles it. */
    if (err == ERR_OK)
        err = ledger_put_space(txn, &row);

    if (err == ERR_OK)
        err = space_plan_parents(&look, opening);
    if (err == ERR_OK) {
        space_plan_readers(&look, opening);
        err = buf_err(&opening->readers);
    }
    if (err == ERR_OK)
        err = buf_err(&opening->out);
    if (is_fresh)
        opening->plan.parent_keys = NULL;
    if (err == ERR_OK)
        err = ledger_append_epoch(txn, &space->id, &opening->plan, out_id,
                                  opening->keys + EPOCH_PARENTS_MAX * KEY_SIZE);
    if (err == ERR_OK)
        err = space_set_current(txn, space->number, out_id);
    if (err == ERR_OK)
        err = space_record_key(txn, opening, out_id);
    if (err == ERR_OK && look.untaught > 0) /* It has no room for them all: another follows. */
        err = agenda_put(txn, AGENDA_NOW, KIND_SPACE, span_of(space->id.bytes, ID_SIZE));
    space_look_release(&look);
    buf_release(&opening->readers);
    buf_release(&opening->out);
    secret_free(opening->keys);
    return err;
}

enum err space_open_epoch(struct ledger_txn *txn, const struct space_row *space, bool is_fresh,
                          struct hash *out_id)
{
    struct space_opening opening = {.parents_max = EPOCH_PARENTS_MAX};

    return space_open(txn, space, is_fresh, &opening, out_id);
}

/* Choosing. */

/* PROTOCOL RETIRE-10: "One is opened, too, where another log writes under an epoch whose opening
 * was cut, and none whose opening stands tells its key" */
/* Tips of several devices need no uniting where each serves exactly today's audience. One whose
 * readers are not told yet waits for that: it comes in another space, so two devices that open at
 * once would else unite, and unite what they united, for as long as they go on at one pace. */
static bool space_must_unite(const struct space_look *look)
{
    bool is_granting = look->kind == SPACE_CARD || look->kind == SPACE_NETWORK;
    size_t tips = 0, exact = 0;

    for (size_t at = 0; at < look->count; at++) {
        if (!look->epochs[at].is_tip || !look->epochs[at].is_open ||
            (!look->epochs[at].is_told && !is_granting))
            continue;
        tips++;
        exact += look->epochs[at].is_exact && !look->epochs[at].is_lacking;
    }
    return (tips > 1 && exact < tips) || look->untaught > 0;
}

/* Who reads a tip that is deeper than the one to write under is not known any more: the branch that
 * opened it died. What it seals is read by whoever got its key, and by nobody else for as long as
 * nothing is opened over it. */
static bool space_is_behind(const struct space_look *look)
{
    bool is_granting = look->kind == SPACE_CARD || look->kind == SPACE_NETWORK;
    bool is_behind = false;

    for (size_t at = 0; look->best != NULL && is_granting && at < look->count; at++)
        is_behind |= look->epochs[at].is_tip && look->epochs[at].is_open &&
                     look->epochs[at].depth > look->best->depth;
    return is_behind;
}

static size_t space_keys_count(const struct space_look *look)
{
    size_t count = 0;

    for (size_t at = 0; at < look->count; at++)
        count += look->epochs[at].has_key && !look->epochs[at].is_unseen;
    return count;
}

/* PROTOCOL EPOCH-7: "While RESTATE-6 lets no restatement be made these tips are not united; where
 * no epoch may be written under either, one is opened over the best of them alone, tells its key,
 * and is granted to whom that one was granted." */
static enum err space_go_on(struct ledger_txn *txn, const struct space_row *space)
{
    struct space_opening opening = {.parents_max = 1};
    struct hash epoch;
    enum err err = space_open(txn, space, false, &opening, &epoch);

    if (err == ERR_OK && opening.plan.parents_count > 0)
        err = space_grant_all(txn, &space->id, &opening.parents[0]);
    /* Who may read and lacks it is admitted. */
    return err == ERR_OK
               ? agenda_put(txn, AGENDA_NOW, KIND_SPACE, span_of(space->id.bytes, ID_SIZE))
               : err;
}

/* Uniting branches of a card or network space of which one was restated would give the readers of
 * that one what it withheld: what is live is restated instead. */
static enum err space_unite_anew(struct ledger_txn *txn, const struct space_row *space,
                                 bool may_wait)
{
    bool is_free = false;
    enum err err = restate_may_be_made(txn, space, &is_free);

    if (err == ERR_OK && is_free)
        return restate_space(txn, &space->id);
    if (err == ERR_OK)
        err = agenda_put(txn, txn->now_ms + SPACE_HOUR_MS, KIND_SPACE,
                         span_of(space->id.bytes, ID_SIZE));
    return err == ERR_OK && !may_wait ? space_go_on(txn, space) : err;
}

/* may_wait: there is one to write under meanwhile. */
static enum err space_renew(struct ledger_txn *txn, const struct space_row *space, bool is_anew,
                            bool may_wait)
{
    struct hash epoch;
    enum err err;

    if (is_anew)
        return space_unite_anew(txn, space, may_wait);
    err = space_open_epoch(txn, space, false, &epoch);
    if (err != ERR_OK || (space->kind != SPACE_CARD && space->kind != SPACE_NETWORK))
        return err;
    return space_grant_all(txn, &space->id, NULL);
}

static bool space_is_branched(const struct space_look *look)
{
    size_t tips = 0;

    for (size_t at = 0; at < look->count; at++)
        tips += look->epochs[at].is_tip && look->epochs[at].is_open;
    return tips > 1;
}

enum err space_rotate(struct ledger_txn *txn, const struct id *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_look look = {0};
    struct space_row row;
    bool is_anew = false;
    enum err err = follow_txn_is_behind(txn) ? follow_all(txn) : ERR_OK; /* Who reads today? */

    if (err == ERR_OK)
        err = ledger_space(&snapshot, space, &row);

    if (err == ERR_OK)
        err = space_look_at(&snapshot, &row, &look);
    if (err == ERR_OK)
        is_anew = look.has_fresh && space_is_branched(&look);
    space_look_release(&look);
    return err == ERR_OK ? space_renew(txn, &row, is_anew, false) : err;
}

/* Lists that are being made say who read once, somebody who was removed since perhaps: what was
 * chosen when they were whole is kept until they are again. */
static enum err space_may_choose(struct ledger_txn *txn, struct space_row *space, bool *out)
{
    static const struct hash none;
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool has_chosen = memcmp(space->current.bytes, none.bytes, HASH_SIZE) != 0;
    enum err err = ERR_OK;

    if (follow_txn_is_behind(txn)) {
        err = has_chosen ? ledger_follow(txn) : follow_all(txn);
        if (err == ERR_OK)
            err = ledger_space_numbered(&snapshot, space->number, space);
    }
    *out = err == ERR_OK && (!has_chosen || !follow_txn_is_behind(txn));
    return err;
}

enum err space_settle(struct ledger_txn *txn, struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_look look = {0};
    bool must_rotate = false, is_anew = false, may_wait = false, may_choose = false;
    enum err err;

    if (!space->is_mine || !space->is_unsettled)
        return ERR_OK;
    err = space_may_choose(txn, space, &may_choose);
    if (err != ERR_OK || !may_choose)
        return err;
    space->is_unsettled = false;
    err = space_look_at(&snapshot, space, &look);
    if (err == ERR_OK && look.count > 0 && space_keys_count(&look) == 0)
        err = ERR_KEY_MISSING;
    if (err == ERR_OK) {
        bool is_behind = space_is_behind(&look);

        may_wait = look.best != NULL;
        must_rotate = look.best == NULL || is_behind || space_must_unite(&look);
        is_anew = look.has_fresh && (is_behind || space_is_branched(&look));
        if (look.best != NULL)
            space->current = look.best->id;
        err = ledger_put_space(txn, space);
    }
    space_look_release(&look);
    if (err == ERR_OK && must_rotate)
        err = space_renew(txn, space, is_anew, may_wait);
    return err == ERR_OK ? ledger_space_numbered(&snapshot, space->number, space) : err;
}

enum err space_unsettle(struct ledger_txn *txn, const struct space_row *space)
{
    struct space_row row = *space;
    enum err err;

    if (!row.is_mine)
        return ERR_OK;
    err = agenda_put(txn, AGENDA_NOW, KIND_SPACE, span_of(row.id.bytes, ID_SIZE));
    if (err != ERR_OK || row.is_unsettled)
        return err;
    row.is_unsettled = true;
    return ledger_put_space(txn, &row);
}

/* Tending. */

/* Has somebody who may read today no wrap in the epoch written under? Card and network keys travel
 * as grants instead. */
static bool space_lacks_devices(const struct space_look *look)
{
    return look->best != NULL && !look->best->is_exact;
}

/* PROTOCOL EPOCH-8: "At once where a reader was removed, a device stolen or, in self, a device of
 * the own member added; in a pair space, where the epoch that is written under is not for exactly
 * today's readers, a day after it was opened" */
static enum err space_tend_devices(struct ledger_txn *txn, const struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_look look = {0};
    uint64_t wait_ms = 0;
    bool is_due;
    enum err err;

    if (space->kind == SPACE_CARD || space->kind == SPACE_NETWORK)
        return ERR_OK;
    err = space_look_at(&snapshot, space, &look);
    is_due = err == ERR_OK && space_lacks_devices(&look);
    if (is_due && space->kind == SPACE_SELF)
        err = space_pace(&look, &wait_ms);
    else if (is_due && look.best->opened_ms <= txn->now_ms &&
             txn->now_ms - look.best->opened_ms < SPACE_DAY_MS)
        wait_ms = look.best->opened_ms + SPACE_DAY_MS - txn->now_ms;
    space_look_release(&look);
    if (err != ERR_OK || !is_due)
        return err;
    return wait_ms == 0 ? space_rotate(txn, &space->id)
                        : agenda_put(txn, txn->now_ms + wait_ms, KIND_SPACE,
                                     span_of(space->id.bytes, ID_SIZE));
}

/* An epoch whose readers nobody told is waited for, and then united like any other. */
static enum err space_tend_untold(struct ledger_txn *txn, struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_look look = {0};
    enum err err = space_look_at(&snapshot, space, &look);
    bool is_waiting = look.is_awaited;

    for (size_t at = 0; err == ERR_OK && at < look.count; at++)
        is_waiting |= look.epochs[at].is_tip && look.epochs[at].has_key && !look.epochs[at].is_open;
    space->is_unsettled |= err == ERR_OK && (space_is_behind(&look) || space_must_unite(&look));
    space_look_release(&look);
    return err == ERR_OK && is_waiting ? agenda_put(txn, txn->now_ms + SPACE_HOUR_MS, KIND_SPACE,
                                                    span_of(space->id.bytes, ID_SIZE))
                                       : err;
}

/* PROTOCOL EPOCH-11: "So does one of a pair space where there is none to write under, for as long
 * as nothing is written" */
static enum err space_tend_choice(struct ledger_txn *txn, struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_look look = {0};
    uint64_t wait_ms = 0;
    enum err err = ERR_OK;

    if (space->kind == SPACE_PAIR && space->is_unsettled && !follow_txn_is_behind(txn)) {
        err = space_look_at(&snapshot, space, &look);
        if (err == ERR_OK && look.best == NULL)
            err = space_pace(&look, &wait_ms);
        space_look_release(&look);
    }
    if (err != ERR_OK || wait_ms == 0)
        return err == ERR_OK ? space_settle(txn, space) : err;
    err = ledger_put_space(txn, space);
    return err == ERR_OK ? agenda_put(txn, txn->now_ms + wait_ms, KIND_SPACE,
                                      span_of(space->id.bytes, ID_SIZE))
                         : err;
}

enum err space_tend(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space;
    struct id id;
    enum err err;

    if (name.size != ID_SIZE)
        return ERR_OK;
    memcpy(id.bytes, name.data, ID_SIZE);
    err = ledger_space(&snapshot, &id, &space);
    if (err != ERR_OK || !space.is_mine)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    err = space_tend_untold(txn, &space);
    if (err == ERR_OK)
        err = space_tend_choice(txn, &space);
    if (err == ERR_OK)
        err = space_tend_devices(txn, &space);
    if (err == ERR_OK)
        err = space_reader_tend(txn, &space);
    return err == ERR_KEY_MISSING ? ERR_OK : err; /* Looked at again when a key comes. */
}

/* What changes who reads. */

static enum err space_unsettle_own(struct ledger_txn *txn, enum space_kind kind)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space;
    enum err err = ledger_own_space(&snapshot, kind, &space);

    return err == ERR_NOT_FOUND ? ERR_OK : err == ERR_OK ? space_unsettle(txn, &space) : err;
}

enum err space_link_changed(struct ledger_txn *txn, const struct object *before,
                            const struct object *after)
{
    bool was_linked = before != NULL && object_number(before, LINK_STATE) == LINK_LINKED;
    bool is_linked = object_number(after, LINK_STATE) == LINK_LINKED;
    bool has_lost = before != NULL && object_number(before, LINK_NETWORK) == 1 &&
                    object_number(after, LINK_NETWORK) != 1;
    bool has_won = object_number(after, LINK_NETWORK) == 1 &&
                   (before == NULL || object_number(before, LINK_NETWORK) != 1);
    enum err err = was_linked != is_linked ? space_unsettle_own(txn, SPACE_CARD) : ERR_OK;

    if (err == ERR_OK && (was_linked != is_linked || has_lost || has_won))
        err = space_unsettle_own(txn, SPACE_NETWORK);
    return err;
}

/* PROTOCOL STOLEN-6: "Where a device was given up or stolen each space it read gets a new epoch at
 * once, and a new knock is drawn" */
enum err space_shut_out(struct ledger_txn *txn, const struct public_key *member)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool is_own = public_key_is_equal(member, ledger_member(txn->ledger));
    enum err err = ERR_OK;

    for (uint32_t number = 1; err == ERR_OK && number <= txn->counters.spaces; number++) {
        struct space_row space;

        err = ledger_space_numbered(&snapshot, number, &space);
        if (err == ERR_OK && space.is_mine &&
            (is_own || space.kind == SPACE_CARD || space.kind == SPACE_NETWORK ||
             (space.kind == SPACE_PAIR && public_key_is_equal(&space.reader, member))))
            err = space_unsettle(txn, &space);
    }
    txn->news.has_links = true;
    return err == ERR_OK ? agenda_put(txn, AGENDA_NOW, KIND_KNOCK, span_of(NULL, 0)) : err;
}

enum err space_devices_changed(struct ledger_txn *txn, const struct public_key *member)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *peer;
    struct space_row pair;
    enum err err;

    if (public_key_is_equal(member, ledger_member(txn->ledger))) {
        err = agenda_put(txn, AGENDA_NOW, KIND_KEY, span_of(NULL, 0));
        if (err == ERR_OK)
            err = agenda_put(txn, AGENDA_NOW, KIND_CERTIFICATE, span_of(NULL, 0));
        if (err == ERR_OK)
            err = agenda_put(txn, AGENDA_NOW, KIND_REACH, span_of(NULL, 0));
        return err == ERR_OK ? space_unsettle_own(txn, SPACE_SELF) : err;
    }
    peer = secret_new(sizeof *peer);
    err = peer != NULL ? view_peer(&snapshot, member, peer) : ERR_NOMEM;
    if (err == ERR_OK)
        err = peer->has_pair_out ? ledger_space(&snapshot, &peer->pair_out, &pair) : ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = space_unsettle(txn, &pair);
    secret_free(peer);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
