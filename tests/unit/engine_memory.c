/* LIMIT-10: what conversations hold of a machine's memory, and that they give it back. */
#include "tests/unit/engine_crowd.h"
#include "tests/unit/heap_counting.h"

enum { MEMORY_GUESTS = 20, MEMORY_LARGE = 250 << 10, MEMORY_IDLE = 12 << 10 };

/* All that are in the crowd come in, and hear what there is. */
static void memory_enter(struct crowd *crowd)
{
    for (size_t at = 0; at < crowd->count; at++) {
        crowd_enter(crowd, at);
        crowd_carry(crowd);
    }
    assert_int_equal(engine_sessions_count(crowd->engine), crowd->count);
}

/* What the engine and its store hold: guests give back what they do not need. */
static size_t memory_now(struct crowd *crowd)
{
    crowd_step(crowd, (struct engine_event){.type = ENGINE_WOKEN});
    for (size_t at = 0; at < crowd->count; at++) {
        frame_rest(&crowd->guests[at].messages);
        buf_rest(&crowd->guests[at].in);
        buf_rest(&crowd->guests[at].out);
    }
    return heap_counting_bytes;
}

/* So large an entry in a space that all read. */
static void memory_write(struct crowd *crowd, uint64_t counter)
{
    static const struct id object = {{9}};
    struct ledger_news news = {.spaces = {member_card_space(&crowd->member)}, .spaces_count = 1};
    uint8_t *bytes = calloc(1, MEMORY_LARGE);
    struct edit_space edit = {0};
    struct ledger_txn *txn = member_begin(&crowd->member);

    edit_begin(&edit, 250, &object, counter);
    edit_set(&edit, 1, counter,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(bytes, MEMORY_LARGE)});
    assert_int_equal(ledger_append(txn, &news.spaces[0], &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    crowd_step(crowd, (struct engine_event){.type = ENGINE_NEWS, .news = &news});
    edit_release(&edit);
    free(bytes);
}

/* What a session once needed for a large batch is not kept when all has been said. */
static void idle_sessions_keep_no_buffers(void **state)
{
    struct crowd *crowd = crowd_new(MEMORY_GUESTS);
    size_t before;

    (void)state;
    memory_enter(crowd);
    before = memory_now(crowd);
    memory_write(crowd, 1);
    assert_true(engine_held(crowd->engine) > (size_t)MEMORY_GUESTS * MEMORY_LARGE);
    crowd_carry(crowd);
    assert_in_range(memory_now(crowd), 0, before + 2 * MEMORY_LARGE + MEMORY_GUESTS * 4096);
    assert_in_range(engine_held(crowd->engine), 1, (size_t)MEMORY_GUESTS * MEMORY_IDLE);
    crowd_free(crowd);
}

/* The beginning of a message of a mebibyte, the rest of which never comes. */
static void memory_say_half(struct crowd *crowd, size_t at)
{
    uint8_t *bytes = calloc(1, 1 << 20);
    struct buf said;

    be32_put(bytes, MESSAGE_SIZE_MAX);
    guest_say(&crowd->guests[at], span_of(bytes, 1 << 20));
    free(bytes);
    said = crowd->guests[at].out;
    crowd->guests[at].out = (struct buf){0};
    for (size_t from = 0; from < said.size; from += 64 << 10) {
        size_t some = said.size - from < 64 << 10 ? said.size - from : 64 << 10;

        crowd_step(crowd, (struct engine_event){.type = ENGINE_BYTES,
                                                .conn = 2 * (at + 1),
                                                .bytes = span_of(said.data + from, some)});
    }
    buf_release(&said);
}

/* One member with a device for each session it may have holds what a member may hold; of another
 * member nobody goes. */
static void one_member_with_many_devices_holds_what_one_may(void **state)
{
    enum { DEVICES = ENGINE_SESSIONS_PER_MEMBER_MAX - 1 };
    struct crowd *crowd = crowd_new(DEVICES + 1);
    size_t before, sessions;

    (void)state;
    assert_int_equal(
        crowd_devices(crowd->member.ledger, crowd->guests, DEVICES, UINT64_C(1700000001000)),
        ERR_OK);
    crowd_step(crowd, (struct engine_event){.type = ENGINE_PEERS_CHANGED});
    memory_enter(crowd);
    before = memory_now(crowd);
    for (size_t at = 0; at < DEVICES; at++)
        memory_say_half(crowd, at);
    sessions = engine_sessions_count(crowd->engine);
    assert_in_range(sessions, 16, DEVICES);
    assert_in_range(engine_held(crowd->engine), 1, ENGINE_HELD_PER_MEMBER_MAX + (1 << 20));
    assert_in_range(heap_counting_bytes - before, 0, 3 * (size_t)ENGINE_HELD_PER_MEMBER_MAX);
    crowd_commit_card(crowd, "Ana");
    crowd_carry(crowd);
    assert_int_equal(crowd->guests[DEVICES].entries > 0, true);
    assert_false(crowd->guests[DEVICES].is_over);
    crowd_free(crowd);
}

/* Many who read nothing: each gets less, then nobody gets more; whoever reads again is given all.
 */
static void a_crowd_that_reads_nothing_is_given_no_more(void **state)
{
    enum { GUESTS = 300, LARGE = 8 };
    struct crowd *crowd = crowd_new(GUESTS);
    size_t entries = 0, before;

    (void)state;
    memory_enter(crowd);
    before = memory_now(crowd);
    for (uint64_t at = 0; at < LARGE; at++)
        memory_write(crowd, at + 1);
    assert_in_range(engine_held(crowd->engine), ENGINE_HELD_TIGHT, ENGINE_HELD_MAX);
    assert_int_equal(engine_sessions_count(crowd->engine), GUESTS);
    crowd_carry(crowd);
    for (size_t at = 0; at < GUESTS; at++)
        entries += crowd->guests[at].entries;
    assert_true(entries >= (size_t)GUESTS * LARGE);
    assert_in_range(memory_now(crowd), 0, before + LARGE * 2 * MEMORY_LARGE + GUESTS * 4096);
    assert_in_range(engine_held(crowd->engine), 1, (size_t)GUESTS * MEMORY_IDLE);
    crowd_free(crowd);
}

/* Whoever has proved nothing yet holds less than 4 KiB, whatever it sends. */
static void strangers_hold_little(void **state)
{
    enum { STRANGERS = 192, JUNK = 64 << 10 };
    struct crowd *crowd = crowd_new(1);
    uint8_t *junk = calloc(1, JUNK);
    size_t before = memory_now(crowd);

    (void)state;
    for (uint32_t at = 0; at < STRANGERS; at++) {
        struct engine_event event = {.type = ENGINE_ACCEPTED,
                                     .conn = 2 * (at + 1),
                                     .address = {.host = {[10] = 0xff, 0xff}, .port = 40000}};

        be32_put(event.address.host + 12, 0x0b000000 + at);
        crowd_step(crowd, event);
        event.type = ENGINE_BYTES;
        event.bytes = span_of(junk, at % 2 == 0 ? 255 : JUNK);
        crowd_step(crowd, event);
    }
    assert_in_range(memory_now(crowd) - before, 1, STRANGERS * 4096);
    free(junk);
    crowd_free(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_sessions_keep_no_buffers),
        cmocka_unit_test(one_member_with_many_devices_holds_what_one_may),
        cmocka_unit_test(a_crowd_that_reads_nothing_is_given_no_more),
        cmocka_unit_test(strangers_hold_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
