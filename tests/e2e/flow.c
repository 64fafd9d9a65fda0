/*
 * How trust flows through a small network, for the second node, which reckons the same by itself.
 * Numbers of 32 bits, the greatest byte first. In: people, vouches, friends, words, today; of each
 * vouch from, to, day, relation and what it is about; of each friend person and closeness; of each
 * word of the claim issuer and what is left of it. Out: of each person the hop, the amount, how
 * many branches, and of each the friend and the amount; then how well the claim is carried.
 */
#include <stdio.h>

#include "crypto/heap.h"
#include "node/trust.h"

enum { FLOW_COUNT_MAX = 1 << 16 };

static uint32_t flow_get(void)
{
    uint8_t bytes[4] = {0};

    return fread(bytes, 1, sizeof bytes, stdin) == sizeof bytes ? be32(bytes) : 0;
}

static void flow_put(uint32_t number)
{
    uint8_t bytes[4];

    be32_put(bytes, number);
    (void)fwrite(bytes, 1, sizeof bytes, stdout);
}

static enum err flow_tell(struct trust_flow *flow, uint32_t people)
{
    enum err err = ERR_OK;

    for (uint32_t person = 0; err == ERR_OK && person < people; person++) {
        const struct trust_share *shares;
        uint32_t count;

        flow_put(trust_hop(flow, person));
        flow_put(trust_amount(flow, person));
        err = trust_branches(flow, person, &shares, &count);
        flow_put(err == ERR_OK ? count : 0);
        for (uint32_t at = 0; err == ERR_OK && at < count; at++) {
            flow_put(shares[at].branch);
            flow_put(shares[at].amount);
        }
    }
    return err;
}

static enum err flow_run(const uint32_t count[5])
{
    struct trust_vouch *vouches = heap_new_zeroed(count[1] + 1, sizeof *vouches);
    struct trust_friend *friends = heap_new_zeroed(count[2] + 1, sizeof *friends);
    struct trust_word *words = heap_new_zeroed(count[3] + 1, sizeof *words);
    struct trust_graph graph = {0};
    struct trust_flow *flow = NULL;
    uint32_t carried = 0;
    enum err err = vouches != NULL && friends != NULL && words != NULL ? ERR_OK : ERR_NOMEM;

    for (uint32_t at = 0; err == ERR_OK && at < count[1]; at++) {
        vouches[at].from = flow_get();
        vouches[at].to = flow_get();
        vouches[at].day = flow_get();
        vouches[at].relation = (uint8_t)flow_get();
        vouches[at].tags[0] = flow_get();
        vouches[at].tags_count = 1;
    }
    for (uint32_t at = 0; err == ERR_OK && at < count[2]; at++) {
        friends[at].person = flow_get();
        friends[at].closeness = flow_get();
    }
    for (uint32_t at = 0; err == ERR_OK && at < count[3]; at++) {
        words[at].issuer = flow_get();
        words[at].fade = flow_get();
    }
    if (err == ERR_OK)
        err = trust_graph_make(count[0], vouches, count[1], count[4], &graph);
    if (err == ERR_OK)
        err = trust_flow_new(&graph, friends, count[2], &flow);
    if (err == ERR_OK)
        err = flow_tell(flow, count[0]);
    if (err == ERR_OK)
        err = trust_claim(flow, words, count[3], &carried);
    flow_put(carried);
    trust_flow_free(flow);
    trust_graph_release(&graph);
    heap_free(vouches);
    heap_free(friends);
    heap_free(words);
    return err;
}

int main(void)
{
    uint32_t count[5];

    for (size_t at = 0; at < 5; at++)
        count[at] = flow_get();
    for (size_t at = 0; at < 4; at++)
        if (count[at] > FLOW_COUNT_MAX)
            return 2;
    return flow_run(count) == ERR_OK ? 0 : 1;
}
