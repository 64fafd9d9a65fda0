/* The gate: nobody waits for themselves, one writer, and whoever closes it is alone. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/kv_gate.h"

static void one_writer_at_a_time_and_any_reader(void **state)
{
    struct kv_gate gate;
    struct kv_gate_pass writer, other, readers[3];

    (void)state;
    kv_gate_init(&gate);
    assert_int_equal(kv_gate_enter_writer(&gate, &writer), ERR_OK);
    assert_int_equal(kv_gate_enter_writer(&gate, &other), ERR_BUSY);
    assert_int_equal(kv_gate_enter_writer(&gate, &writer), ERR_BUSY);
    for (unsigned index = 0; index < 3; index++)
        kv_gate_enter(&gate, &readers[index]);
    kv_gate_leave(&gate, &readers[1]);
    kv_gate_leave(&gate, &writer);
    assert_int_equal(kv_gate_enter_writer(&gate, &other), ERR_OK);
    kv_gate_leave(&gate, &readers[0]);
    kv_gate_leave(&gate, &other);
    kv_gate_leave(&gate, &readers[2]);
    kv_gate_release(&gate);
}

/* Neither with the patience to wait nor without does a thread wait for its own pass. */
static void closing_fails_at_once_beside_a_pass_of_ones_own(void **state)
{
    struct kv_gate gate;
    struct kv_gate_pass writer, reader;

    (void)state;
    kv_gate_init(&gate);
    assert_int_equal(kv_gate_enter_writer(&gate, &writer), ERR_OK);
    kv_gate_enter(&gate, &reader);
    assert_false(kv_gate_close(&gate, &writer, true));
    assert_false(kv_gate_close(&gate, &writer, false));
    kv_gate_leave(&gate, &reader);
    assert_true(kv_gate_close(&gate, &writer, false));
    kv_gate_enter(&gate, &reader); /* The thread that closed it is not shut out. */
    kv_gate_leave(&gate, &reader);
    kv_gate_reopen(&gate);
    kv_gate_leave(&gate, &writer);
    kv_gate_release(&gate);
}

static void passes_rest_up_to_a_bound(void **state)
{
    struct kv_gate gate;
    struct kv_gate_pass passes[3];

    (void)state;
    kv_gate_init(&gate);
    assert_null(kv_gate_enter_again(&gate));
    for (unsigned index = 0; index < 3; index++)
        kv_gate_enter(&gate, &passes[index]);
    assert_true(kv_gate_rest(&gate, &passes[0], 2));
    assert_true(kv_gate_rest(&gate, &passes[1], 2));
    assert_false(kv_gate_rest(&gate, &passes[2], 2));
    assert_ptr_equal(kv_gate_enter_again(&gate), &passes[1]);
    assert_true(kv_gate_rest(&gate, &passes[1], 2));
    assert_ptr_equal(kv_gate_take(&gate), &passes[1]);
    assert_ptr_equal(kv_gate_take(&gate), &passes[0]);
    assert_null(kv_gate_take(&gate));
    kv_gate_release(&gate);
}

struct gate_closer {
    struct kv_gate *gate;
    bool has_closed;
};

static void *gate_close_patiently(void *argument)
{
    struct gate_closer *closer = argument;
    struct kv_gate_pass pass;

    if (kv_gate_enter_writer(closer->gate, &pass) != ERR_OK)
        return NULL;
    closer->has_closed = kv_gate_close(closer->gate, &pass, true);
    if (closer->has_closed)
        kv_gate_reopen(closer->gate);
    kv_gate_leave(closer->gate, &pass);
    return NULL;
}

static bool gate_is_closed(struct kv_gate *gate)
{
    bool is_closed;

    (void)pthread_mutex_lock(&gate->mutex);
    is_closed = gate->is_closed;
    (void)pthread_mutex_unlock(&gate->mutex);
    return is_closed;
}

/* While the writer waits, a second pass of a thread that is inside is granted, and closing fails
 * for others. */
static void a_writer_waits_for_the_readers_of_another_thread(void **state)
{
    struct kv_gate gate;
    struct gate_closer closer = {.gate = &gate};
    struct kv_gate_pass first, second;
    pthread_t thread;

    (void)state;
    kv_gate_init(&gate);
    kv_gate_enter(&gate, &first);
    assert_int_equal(pthread_create(&thread, NULL, gate_close_patiently, &closer), 0);
    while (!gate_is_closed(&gate))
        (void)sched_yield();
    kv_gate_enter(&gate, &second);
    assert_false(kv_gate_close(&gate, &first, true));
    assert_true(kv_gate_rest(&gate, &first, 1));
    kv_gate_leave(&gate, &second);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(closer.has_closed);
    assert_false(gate_is_closed(&gate));
    assert_ptr_equal(kv_gate_take(&gate), &first);
    kv_gate_release(&gate);
}

static void *gate_enter_and_leave(void *argument)
{
    struct kv_gate_pass pass;

    kv_gate_enter(argument, &pass);
    kv_gate_leave(argument, &pass);
    return NULL;
}

static void a_reader_waits_until_the_gate_opens(void **state)
{
    struct kv_gate gate;
    struct kv_gate_pass writer;
    pthread_t thread;

    (void)state;
    kv_gate_init(&gate);
    assert_int_equal(kv_gate_enter_writer(&gate, &writer), ERR_OK);
    assert_true(kv_gate_close(&gate, &writer, true));
    assert_int_equal(pthread_create(&thread, NULL, gate_enter_and_leave, &gate), 0);
    for (unsigned turn = 0; turn < 1000; turn++) {
        (void)sched_yield();
        assert_ptr_equal(gate.inside, &writer);
    }
    kv_gate_reopen(&gate);
    assert_int_equal(pthread_join(thread, NULL), 0);
    kv_gate_leave(&gate, &writer);
    kv_gate_release(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_writer_at_a_time_and_any_reader),
        cmocka_unit_test(closing_fails_at_once_beside_a_pass_of_ones_own),
        cmocka_unit_test(passes_rest_up_to_a_bound),
        cmocka_unit_test(a_writer_waits_for_the_readers_of_another_thread),
        cmocka_unit_test(a_reader_waits_until_the_gate_opens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
