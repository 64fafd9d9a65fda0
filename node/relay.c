/* The order of the questions is the rule: pace comes before judgement, so that who brings rubbish
 * is slowed by it, too; and one told neighbour who is still a peer is enough. */
#include "node/relay.h"

/* PROTOCOL REPLY-6: "where that is no peer any more, another one it has the ask from; where there
 * is none, when there is one" */
static void relay_choose(const struct relay_facts *facts, struct relay_verdict *out)
{
    for (size_t at = 0; at < facts->ways_count; at++)
        if (facts->ways[at].is_peer && facts->ways[at].was_told) {
            out->step = RELAY_DONE;
            return;
        }
    out->step = RELAY_KEEP;
    for (size_t at = facts->ways_count; at > 0; at--)
        if (facts->ways[at - 1].is_peer) {
            out->step = RELAY_HAND;
            out->way = at - 1;
        }
}

void relay_judge(const struct relay_facts *facts, struct relay_verdict *out)
{
    *out = (struct relay_verdict){.step = RELAY_DONE};
    if (!facts->is_mine && !facts->was_taken && !facts->has_pace)
        out->step = RELAY_WAIT;
    else if (!facts->is_mine && !facts->fits)
        out->step = RELAY_REFUSE;
    else if (facts->is_for_me)
        out->step = RELAY_OPEN;
    else if (facts->is_over)
        out->step = RELAY_DROP;
    else
        relay_choose(facts, out);
}

bool relay_add_way(struct relay_facts *facts, const struct relay_way *way)
{
    for (size_t at = 0; at < facts->ways_count; at++)
        if (public_key_is_equal(&facts->ways[at].to, &way->to))
            return true;
    if (facts->ways_count == RELAY_WAYS_MAX)
        return false;
    facts->ways[facts->ways_count++] = *way;
    return true;
}
