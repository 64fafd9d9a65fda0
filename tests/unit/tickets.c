/* Answers of the writer thread find what they are for, however many wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/tickets.h"
#include "tests/unit/heap_failing.h"

/* As many as small batches fit the writer's queue: moving the rest with each answer took minutes.
 */
static void a_quarter_of_a_million_are_answered_in_order(void **state)
{
    enum { COUNT = 1 << 18 };
    struct tickets tickets = {0};
    struct ticket ticket;

    (void)state;
    for (uint64_t at = 1; at <= COUNT; at++)
        assert_int_equal(tickets_draw(&tickets, 2 * at, at + 7), at);
    for (uint64_t at = 1; at <= COUNT; at++) {
        assert_true(tickets_take(&tickets, at, &ticket));
        assert_int_equal(ticket.conn, 2 * at);
        assert_int_equal(ticket.session_ticket, at + 7);
        assert_false(tickets_take(&tickets, at, &ticket));
    }
    assert_null(tickets.list);
    tickets_release(&tickets);
}

/* One that waits long holds up nobody; the array does not grow while few wait. */
static void they_may_come_in_any_order(void **state)
{
    struct tickets tickets = {0};
    struct ticket ticket;
    uint64_t late = tickets_draw(&tickets, 9, 1);

    (void)state;
    assert_false(tickets_take(&tickets, 0, &ticket));
    assert_false(tickets_take(&tickets, late + 1, &ticket));
    for (int at = 0; at < 30; at++) {
        uint64_t left = tickets_draw(&tickets, 1, 1), right = tickets_draw(&tickets, 2, 2);

        assert_true(tickets_take(&tickets, right, &ticket));
        assert_int_equal(ticket.conn, 2);
        assert_true(tickets_take(&tickets, left, &ticket));
        assert_int_equal(ticket.conn, 1);
    }
    assert_true(tickets_take(&tickets, late, &ticket));
    assert_int_equal(ticket.conn, 9);
    for (int at = 0; at < 10000; at++) {
        uint64_t first = tickets_draw(&tickets, 3, 3), second = tickets_draw(&tickets, 4, 4);

        assert_true(tickets_take(&tickets, first, &ticket));
        late = tickets_draw(&tickets, 5, 5);
        assert_true(tickets_take(&tickets, second, &ticket));
        assert_true(tickets_take(&tickets, late, &ticket));
    }
    assert_in_range(tickets.capacity, 0, 128);
    tickets_release(&tickets);
}

static void without_memory_no_number_is_drawn(void **state)
{
    struct tickets tickets = {0};
    struct ticket ticket;

    (void)state;
    heap_failing_after(0);
    assert_int_equal(tickets_draw(&tickets, 1, 1), 0);
    heap_failing_after(SIZE_MAX);
    assert_int_equal(tickets_draw(&tickets, 1, 1), 1);
    assert_true(tickets_take(&tickets, 1, &ticket));
    tickets_release(&tickets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quarter_of_a_million_are_answered_in_order),
        cmocka_unit_test(they_may_come_in_any_order),
        cmocka_unit_test(without_memory_no_number_is_drawn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
