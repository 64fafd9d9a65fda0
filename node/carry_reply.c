/* A reply on its way to whoever asked: taken from who brought it, opened or handed on. */
#include "node/carry.h"

#include <string.h>

#include "node/ask.h"
#include "node/lead.h"
#include "node/relay.h"
#include "proto/limits.h"

/* Replies. */

static enum err carry_accept(struct carry *carry, struct reply_brought *brought,
                             const struct ask_grant *grant, struct span letter)
{
    enum err err;

    if (carry_is_known(carry)) /* The same once more, by another way. */
        return carry_spend(carry, brought, NULL);
    carry->row.ask = grant->ask;
    carry->row.from = brought->by;
    carry->row.state = REPLY_KEPT;
    if (!grant->is_mine)
        return carry_spend(carry, brought, NULL);
    err = lead_take_reply(carry, letter);
    carry->row.state = err == ERR_OK ? REPLY_OPENED : REPLY_REFUSED;
    if (err == ERR_OK)
        return carry_spend(carry, brought, NULL);
    if (err == ERR_STATE)
        return carry_wait(carry);
    return carry_fault(err) != NULL ? carry_spend(carry, brought, carry_fault(err)) : err;
}

/* PROTOCOL REPLY-5: "A reply under a grant that was not given to the writer of the space is
 * refused" */
enum err carry_take_reply(struct carry *carry, struct reply_brought *brought)
{
    struct relay_facts facts = {.is_mine = false};
    struct relay_verdict verdict;
    struct reply_carried carried;
    struct ask_grant grant;
    struct buf bytes = {0};
    enum err err =
        carry_said(carry, &brought->by, CARRY_THEIRS, KIND_REPLY, &brought->object, &bytes);

    if (err == ERR_OK)
        err = reply_read_carried(buf_span(&bytes), &carried);
    if (err == ERR_NOT_FOUND || err == ERR_MALFORMED) {
        buf_release(&bytes);
        return carry_taken(carry, brought, false);
    }
    if (err == ERR_OK) {
        err = view_ask_grant(&carry->snapshot, &carried.grant, &grant);
        facts.fits = err == ERR_OK && public_key_is_equal(&grant.to, &brought->by);
        facts.is_for_me = facts.fits && grant.is_mine;
        if (err == ERR_NOT_FOUND)
            err = carry_is_early(carry, brought, &facts.is_early);
    }
    if (err == ERR_OK)
        err = carry_has_pace(carry, &brought->by, &facts.has_pace);
    relay_judge(&facts, &verdict);
    if (err == ERR_OK && verdict.step == RELAY_WAIT)
        err = carry_wait(carry);
    else if (err == ERR_OK && verdict.step == RELAY_REFUSE)
        err = carry_spend(carry, brought, "you passed them no such ask");
    else if (err == ERR_OK)
        err = carry_accept(carry, brought, &grant, carried.letter);
    buf_release(&bytes);
    return err;
}

/* Handing on. */

static bool carry_came_from(const struct carry *carry, const struct public_key *member)
{
    for (size_t at = 0; at < carry->brought_count; at++)
        if (carry->brought[at].kind == KIND_REPLY && !carry->brought[at].is_waiting &&
            public_key_is_equal(&carry->brought[at].by, member))
            return true;
    return false;
}

struct carry_ways {
    struct carry *carry;
    struct relay_facts *facts;
    struct span letter;
};

static enum err carry_add_way(struct carry_ways *ways, const struct public_key *to,
                              const struct public_key *grant)
{
    struct reply_carried carried = {.grant = *grant, .letter = ways->letter};
    struct relay_way way = {.to = *to, .grant = *grant};
    struct buf bytes = {0};
    struct id id;
    enum err err;

    if (carry_came_from(ways->carry, to))
        return ERR_OK;
    reply_carry(&carried, &bytes);
    err = buf_err(&bytes);
    if (err == ERR_OK) {
        statement_id(buf_span(&bytes), &id);
        err = carry_said(ways->carry, to, CARRY_MINE, KIND_REPLY, &id, NULL);
        way.was_told = err == ERR_OK;
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    if (err == ERR_OK)
        err = carry_is_linked(ways->carry, to, &way.is_peer);
    if (err == ERR_OK)
        (void)relay_add_way(ways->facts, &way); /* More than fit are none too few. */
    buf_release(&bytes);
    return err;
}

static enum err carry_on_route(void *self, const struct ask_route *route)
{
    return carry_add_way(self, &route->from, &route->grant);
}

/* The letter, and (not when it is mine) the grant it was brought by. ERR_NOT_FOUND: it is gone. */
static enum err carry_letter(const struct carry *carry, struct buf *bytes, struct span *out_letter,
                             struct public_key *out_grant)
{
    struct reply_carried carried;
    enum err err = ERR_NOT_FOUND;

    if (carry_is_own(carry)) {
        *out_letter = object_value(&carry->own, LEAD_SEALED).bytes;
        return out_letter->size > 0 ? ERR_OK : ERR_NOT_FOUND;
    }
    for (size_t at = 0; at < carry->brought_count && err == ERR_NOT_FOUND; at++) {
        const struct reply_brought *brought = &carry->brought[at];

        if (brought->kind == KIND_REPLY && public_key_is_equal(&brought->by, &carry->row.from))
            err =
                carry_said(carry, &brought->by, CARRY_THEIRS, KIND_REPLY, &brought->object, bytes);
    }
    if (err == ERR_OK)
        err = reply_read_carried(buf_span(bytes), &carried);
    if (err != ERR_OK)
        return err;
    *out_letter = carried.letter;
    *out_grant = carried.grant;
    return ERR_OK;
}

/* The grant it was passed on by shows the way back; routes of the ask are spare ones. */
static enum err carry_find_ways(struct carry_ways *ways, const struct public_key *grant)
{
    struct ask_grant issued;
    enum err err = ERR_NOT_FOUND;

    if (!carry_is_own(ways->carry))
        err = view_ask_grant(&ways->carry->snapshot, grant, &issued);
    if (err == ERR_OK && !issued.is_mine)
        err = carry_add_way(ways, &issued.from, &issued.via);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    return view_ask_routes(&ways->carry->snapshot, &ways->carry->row.ask, carry_on_route, ways);
}

static enum err carry_hand(struct carry *carry, const struct relay_way *way, struct span letter,
                           uint64_t expires_ms)
{
    struct reply_carried carried = {.grant = way->grant, .letter = letter};
    struct buf bytes = {0};
    enum err err;

    reply_carry(&carried, &bytes);
    err = buf_err(&bytes);
    if (err == ERR_OK)
        err = ask_say(carry->txn, &way->to, KIND_REPLY, buf_span(&bytes), expires_ms);
    if (err == ERR_OK) {
        carry->row.state = REPLY_HANDED;
        carry->row.to = way->to;
    }
    buf_release(&bytes);
    return err;
}

/* PROTOCOL REPLY-6: "A node hands on a reply, the same letter under its own grant, to the neighbour
 * it has the ask from" */
enum err carry_send(struct carry *carry)
{
    struct relay_facts facts = {.is_mine = carry_is_own(carry), .fits = true, .was_taken = true};
    struct carry_ways ways = {.carry = carry, .facts = &facts};
    struct public_key grant = {{0}};
    struct relay_verdict verdict;
    uint64_t expires_ms;
    struct buf bytes = {0};
    enum err err = carry_ask_ends(carry, &expires_ms, &facts.is_over);

    if (err == ERR_OK)
        err = carry_letter(carry, &bytes, &ways.letter, &grant);
    if (err == ERR_OK)
        err = carry_find_ways(&ways, &grant);
    if (err == ERR_OK) {
        relay_judge(&facts, &verdict);
        if (verdict.step == RELAY_HAND)
            err = carry_hand(carry, &facts.ways[verdict.way], ways.letter, expires_ms);
        else if (verdict.step == RELAY_KEEP)
            carry->row.state = REPLY_KEPT;
    }
    buf_release(&bytes);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
