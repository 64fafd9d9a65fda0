/* An engine and many guests, for the programs that include it. */
#ifndef KITH_TESTS_ENGINE_CROWD_H
#define KITH_TESTS_ENGINE_CROWD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/engine.h"
#include "node/link_join.h"
#include "node/react.h"
#include "proto/device.h"
#include "proto/invite.h"
#include "storage/space.h"
#include "storage/view_peer.h"
#include "tests/sim/crowd.h"
#include "tests/sim/member.h"

struct crowd {
    struct member member;
    struct crowd_host host;
    struct engine *engine;
    struct guest *guests;
    size_t count;
    uint64_t now_ms;
    size_t sends, closes, delivered, pending;
};

static inline struct guest *crowd_of(struct crowd *crowd, conn_id conn)
{
    return &crowd->guests[conn / 2 - 1];
}

static inline void crowd_step(struct crowd *crowd, struct engine_event event)
{
    const struct engine_effect *effects;
    size_t count;

    event.now_ms = crowd->now_ms;
    event.wall_ms = UINT64_C(1700000000000) + crowd->now_ms;
    assert_int_equal(engine_step(crowd->engine, &event, &effects, &count), ERR_OK);
    for (size_t at = 0; at < count; at++) {
        if (effects[at].type == ENGINE_SEND) {
            crowd->sends++;
            guest_bytes(crowd_of(crowd, effects[at].conn), effects[at].bytes);
        }
        crowd->closes += effects[at].type == ENGINE_CLOSE;
        crowd->delivered += effects[at].type == ENGINE_DELIVERED;
        if (effects[at].type == ENGINE_INGEST)
            verified_batch_free(effects[at].ingest.batch);
    }
}

/* Hands the engine what the guests have to say, until nobody has anything more. */
static inline void crowd_carry(struct crowd *crowd)
{
    bool is_moving = true;

    for (int round = 0; round < 20 && is_moving; round++) {
        is_moving = false;
        for (size_t at = 0; at < crowd->count; at++) {
            struct guest *guest = &crowd->guests[at];
            struct buf said = guest->out;

            if (said.size == 0)
                continue;
            guest->out = (struct buf){0};
            is_moving = true;
            crowd_step(crowd, (struct engine_event){.type = ENGINE_BYTES,
                                                    .conn = 2 * (at + 1),
                                                    .bytes = buf_span(&said)});
            crowd_step(crowd, (struct engine_event){.type = ENGINE_DRAINED, .conn = 2 * (at + 1)});
            buf_release(&said);
        }
    }
    assert_false(is_moving);
}

static inline void crowd_enter(struct crowd *crowd, size_t at)
{
    struct engine_event event = {.type = ENGINE_ACCEPTED,
                                 .conn = 2 * (at + 1),
                                 .address = {.host = {[10] = 0xff, 0xff}, .port = 40000}};

    be32_put(event.address.host + 12, (uint32_t)(0x0b000000 + at));
    crowd->now_ms += 3; /* Arithmetic has its budget: some 450 handshakes a second. */
    crowd_step(crowd, event);
    guest_dial(&crowd->guests[at], &crowd->host);
}

static inline struct crowd *crowd_new(size_t count)
{
    struct crowd *crowd = test_calloc(1, sizeof *crowd);
    struct engine_options options = {.is_loopback_only = true};

    member_new(&crowd->member, 1, false);
    crowd->guests = calloc(count, sizeof *crowd->guests);
    crowd->count = count;
    crowd->now_ms = 1000000;
    assert_int_equal(
        crowd_link(crowd->member.ledger, crowd->guests, count, UINT64_C(1700000000000)), ERR_OK);
    assert_int_equal(crowd_host(crowd->member.ledger, &crowd->host), ERR_OK);
    options.ledger = crowd->member.ledger;
    assert_int_equal(engine_new(&options, &crowd->engine), ERR_OK);
    crowd_step(crowd, (struct engine_event){.type = ENGINE_PEERS_CHANGED});
    return crowd;
}

static inline void crowd_free(struct crowd *crowd)
{
    engine_free(crowd->engine);
    for (size_t at = 0; at < crowd->count; at++)
        guest_hang_up(&crowd->guests[at]);
    free(crowd->guests);
    member_free(&crowd->member);
    test_free(crowd);
}

/* Commits an edit of the card, which all read, and tells the engine. */
static inline void crowd_commit_card(struct crowd *crowd, const char *name)
{
    struct ledger_news news = {.spaces = {member_card_space(&crowd->member)}, .spaces_count = 1};

    assert_int_equal(member_name_card(&crowd->member, name), ERR_OK);
    crowd_step(crowd, (struct engine_event){.type = ENGINE_NEWS, .news = &news});
}

#endif
