/* An invitation crosses the door as JSON: nothing of its text is left in memory that was given
 * back. Every piece that is given back is looked through first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/heap.h"
#include "crypto/slate.h"
#include "node/rpc.h"

/* Long enough that it takes several pieces to grow to; its secret begins behind 58 letters. */
static const char secret_text[] =
    "kith:14vbbwsx4y2u4pf6cf26fhxhcxzao5uv3u32yi76vhdx4cbnaz42zo72xxtz3fjl6zx4hvxputxz5uaahtuzacbd7"
    "aaaadhnvbbaw4yjajruw2ymkabdqg";

enum { SECRET_FRONT = 16, SECRET_PART = 16, SECRET_AT = 58 };

static size_t secret_pieces, secret_left;

void *heap_new(size_t size)
{
    uint8_t *piece = malloc(size + SECRET_FRONT);

    assert_non_null(piece);
    memcpy(piece, &size, sizeof size);
    secret_pieces++;
    return piece + SECRET_FRONT;
}

void *heap_new_zeroed(size_t count, size_t size)
{
    return memset(heap_new(count * size), 0, count * size);
}

/* Any part of the text will do. */
static bool secret_is_in(const uint8_t *bytes, size_t size)
{
    for (size_t at = SECRET_AT; at + SECRET_PART < sizeof secret_text; at += SECRET_PART)
        if (size >= SECRET_PART && memmem(bytes, size, secret_text + at, SECRET_PART) != NULL)
            return true;
    return false;
}

size_t heap_size(void *memory)
{
    size_t size;

    memcpy(&size, (uint8_t *)memory - SECRET_FRONT, sizeof size);
    return size;
}

void heap_free(void *memory)
{
    if (memory == NULL)
        return;
    secret_left += secret_is_in(memory, heap_size(memory));
    free((uint8_t *)memory - SECRET_FRONT);
}

void *heap_resize(void *memory, size_t size)
{
    uint8_t *piece = heap_new(size);
    size_t old = memory != NULL ? heap_size(memory) : 0;

    if (old > 0)
        memcpy(piece, memory, old < size ? old : size);
    heap_free(memory);
    return piece;
}

static void json_is_wiped_when_it_is_given_back(void **state)
{
    size_t before = secret_pieces;
    json_t *text = json_string(secret_text), *grown;
    char *dumped;

    (void)state;
    assert_true(secret_pieces > before); /* The library asks our heap. */
    grown = json_sprintf("%s%s%s", secret_text, secret_text, secret_text);
    json_decref(text);
    text = json_pack("{s:[o]}", secret_text, grown);
    dumped = json_dumps(text, JSON_COMPACT);
    assert_true(secret_is_in((const uint8_t *)dumped, strlen(dumped)));
    json_decref(text);
    text = json_loads(dumped, 0, NULL);
    assert_non_null(text);
    slate_free(dumped);
    json_decref(text);
    assert_int_equal(secret_left, 0);
}

static void lines_of_the_door_are_wiped_on_both_sides(void **state)
{
    json_t *id = json_integer(7), *result = json_pack("{s:s}", "uri", secret_text);
    struct op_failure failure = {.code = OP_FAILED};
    struct buf line = {0};
    struct rpc_request request;
    struct rpc_reply reply;

    (void)state;
    memcpy(failure.message, secret_text, sizeof secret_text);
    rpc_write_result(id, result, &line);
    assert_int_equal(rpc_read_reply(buf_span(&line), &reply), ERR_OK);
    rpc_reply_release(&reply);
    buf_release(&line);
    rpc_write_request(1, "peer.accept", result, &line);
    assert_int_equal(rpc_read_request(buf_span(&line), &request), ERR_OK);
    rpc_request_release(&request);
    buf_release(&line);
    rpc_write_failure(id, RPC_FAILED, &failure, &line);
    buf_release(&line);
    rpc_write_notification("log", result, &line);
    buf_release(&line);
    assert_int_equal(rpc_read_request(span_str("[\"kith:14vbbwsx4y2u4pf6cf26fhxhcxz"), &request),
                     ERR_MALFORMED);
    json_decref(result);
    json_decref(id);
    assert_int_equal(secret_left, 0);
}

/* What is not JSON and not the door's is seen by this test. */
static void what_is_not_wiped_is_found(void **state)
{
    struct buf plain = {0};

    (void)state;
    buf_append(&plain, span_str(secret_text));
    buf_release(&plain);
    assert_int_equal(secret_left, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_wiped_when_it_is_given_back),
        cmocka_unit_test(lines_of_the_door_are_wiped_on_both_sides),
        cmocka_unit_test(what_is_not_wiped_is_found),
    };

    rpc_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
