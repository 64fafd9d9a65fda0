/* The secret of a link stays in no memory that a session has given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "tests/sim/session_pair.h"

/* A heap that looks for the canary in whatever is freed or moved. */

enum { SECRET_FRONT = 16 };

static uint8_t secret_canary[KEY_SIZE];
static bool secret_is_watched;
static size_t secret_found;

static uint8_t *secret_front(void *memory, size_t *out_size)
{
    uint8_t *piece = (uint8_t *)memory - SECRET_FRONT;

    memcpy(out_size, piece, sizeof *out_size);
    return piece;
}

void heap_free(void *memory)
{
    uint8_t *piece;
    size_t size;

    if (memory == NULL)
        return;
    piece = secret_front(memory, &size);
    for (size_t at = SECRET_FRONT; secret_is_watched && at + KEY_SIZE <= size + SECRET_FRONT; at++)
        secret_found += memcmp(piece + at, secret_canary, KEY_SIZE) == 0;
    free(piece);
}

void *heap_new(size_t size)
{
    uint8_t *piece = malloc(size + SECRET_FRONT);

    memcpy(piece, &size, sizeof size);
    return piece + SECRET_FRONT;
}

void *heap_new_zeroed(size_t count, size_t size)
{
    return memset(heap_new(count * size), 0, count * size);
}

void *heap_resize(void *memory, size_t size)
{
    uint8_t *moved = heap_new(size);
    size_t old = 0;

    if (memory != NULL)
        (void)secret_front(memory, &old);
    if (memory != NULL)
        memcpy(moved, memory, old < size ? old : size);
    heap_free(memory);
    return moved;
}

/* What one side is told, and what it then says, in memory of the test's own. */
static size_t secret_step(struct session *session, struct session_pair *pair, int side,
                          struct session_event *event, uint8_t out[static 65536])
{
    struct replica replica = replica_mem_replica(&pair->sides[side].replica);
    const struct session_effect *effects;
    size_t count, size = 0;

    event->now_ms = 1;
    assert_int_equal(session_step(session, event, &replica, &effects, &count), ERR_OK);
    for (size_t at = 0; at < count; at++) {
        if (effects[at].type != SESSION_SEND)
            continue;
        assert_in_range(effects[at].bytes.size, 1, 65536);
        memcpy(out, effects[at].bytes.data, effects[at].bytes.size);
        size = effects[at].bytes.size;
    }
    session_sent(session);
    session_rest(session);
    return size;
}

static void a_links_secret_is_left_in_no_freed_memory(void **state)
{
    struct session_pair *pair = session_pair_new();
    struct session_options options = session_pair_options(pair, ANA, SESSION_INVITER);
    struct session_event event = {.type = SESSION_STARTED};
    uint8_t *said = malloc(65536), *heard = malloc(65536);
    struct session *inviter, *acceptor;
    size_t size;

    (void)state;
    memset(secret_canary, 0xc5, KEY_SIZE);
    assert_int_equal(session_new(&options, &inviter), ERR_OK);
    options = session_pair_options(pair, BEN, SESSION_ACCEPTOR);
    assert_int_equal(session_new(&options, &acceptor), ERR_OK);
    secret_is_watched = true;
    (void)secret_step(acceptor, pair, BEN, &event, heard);
    size = secret_step(inviter, pair, ANA, &event, said);
    event = (struct session_event){.type = SESSION_BYTES, .bytes = span_of(said, size)};
    (void)secret_step(acceptor, pair, BEN, &event, heard);
    event = (struct session_event){.type = SESSION_LINK_ANSWERED};
    event.link.has_message = true;
    event.link.message.has_secret = true;
    memcpy(event.link.message.secret, secret_canary, KEY_SIZE);
    event.link.message.name = span_str("Ana");
    size = secret_step(inviter, pair, ANA, &event, said);
    assert_in_range(size, KEY_SIZE, 65536);
    event = (struct session_event){.type = SESSION_BYTES};
    for (size_t at = 0; at < size; at += 24) { /* In pieces: what it is put together in grows. */
        event.bytes = span_of(said + at, size - at < 24 ? size - at : 24);
        (void)secret_step(acceptor, pair, BEN, &event, heard);
    }
    session_free(inviter);
    session_free(acceptor);
    assert_int_equal(secret_found, 0);
    secret_is_watched = false;
    free(said);
    free(heard);
    session_pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_links_secret_is_left_in_no_freed_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
