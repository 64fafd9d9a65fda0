/* Two lists, one mutex, one condition. */
#include "storage/kv_gate.h"

#include <stddef.h>

void kv_gate_init(struct kv_gate *gate)
{
    *gate = (struct kv_gate){0};
    /* Neither can fail with these attributes on this system. */
    (void)pthread_mutex_init(&gate->mutex, NULL);
    (void)pthread_cond_init(&gate->changed, NULL);
}

void kv_gate_release(struct kv_gate *gate)
{
    KITH_ASSERT(gate->inside == NULL && gate->resting == NULL);
    (void)pthread_cond_destroy(&gate->changed);
    (void)pthread_mutex_destroy(&gate->mutex);
}

/* Whether this thread holds a pass besides that one. */
static bool kv_gate_holds(const struct kv_gate *gate, pthread_t thread,
                          const struct kv_gate_pass *besides)
{
    for (const struct kv_gate_pass *pass = gate->inside; pass != NULL; pass = pass->next)
        if (pass != besides && pthread_equal(pass->thread, thread))
            return true;
    return false;
}

/* With the mutex held, like all that begins with kv_gate_locked. */
static void kv_gate_locked_wait(struct kv_gate *gate)
{
    while (gate->is_closed && !kv_gate_holds(gate, pthread_self(), NULL))
        (void)pthread_cond_wait(&gate->changed, &gate->mutex);
}

static void kv_gate_locked_enter(struct kv_gate *gate, struct kv_gate_pass *pass, bool is_writer)
{
    *pass = (struct kv_gate_pass){
        .thread = pthread_self(), .is_writer = is_writer, .next = gate->inside};
    if (pass->next != NULL)
        pass->next->previous = pass;
    gate->inside = pass;
    gate->has_writer = gate->has_writer || is_writer;
}

static void kv_gate_locked_leave(struct kv_gate *gate, struct kv_gate_pass *pass)
{
    if (pass->next != NULL)
        pass->next->previous = pass->previous;
    if (pass->previous != NULL)
        pass->previous->next = pass->next;
    else
        gate->inside = pass->next;
    if (pass->is_writer)
        gate->has_writer = false;
    if (gate->is_closed)
        (void)pthread_cond_broadcast(&gate->changed);
}

static struct kv_gate_pass *kv_gate_locked_take(struct kv_gate *gate)
{
    struct kv_gate_pass *pass = gate->resting;

    if (pass != NULL) {
        gate->resting = pass->next;
        gate->resting_count--;
    }
    return pass;
}

void kv_gate_enter(struct kv_gate *gate, struct kv_gate_pass *pass)
{
    (void)pthread_mutex_lock(&gate->mutex);
    kv_gate_locked_wait(gate);
    kv_gate_locked_enter(gate, pass, false);
    (void)pthread_mutex_unlock(&gate->mutex);
}

struct kv_gate_pass *kv_gate_enter_again(struct kv_gate *gate)
{
    struct kv_gate_pass *pass;

    (void)pthread_mutex_lock(&gate->mutex);
    kv_gate_locked_wait(gate);
    pass = kv_gate_locked_take(gate);
    if (pass != NULL)
        kv_gate_locked_enter(gate, pass, false);
    (void)pthread_mutex_unlock(&gate->mutex);
    return pass;
}

enum err kv_gate_enter_writer(struct kv_gate *gate, struct kv_gate_pass *pass)
{
    enum err err = ERR_BUSY;

    (void)pthread_mutex_lock(&gate->mutex);
    kv_gate_locked_wait(gate);
    if (!gate->has_writer) {
        kv_gate_locked_enter(gate, pass, true);
        err = ERR_OK;
    }
    (void)pthread_mutex_unlock(&gate->mutex);
    return err;
}

void kv_gate_leave(struct kv_gate *gate, struct kv_gate_pass *pass)
{
    (void)pthread_mutex_lock(&gate->mutex);
    kv_gate_locked_leave(gate, pass);
    (void)pthread_mutex_unlock(&gate->mutex);
}

bool kv_gate_rest(struct kv_gate *gate, struct kv_gate_pass *pass, unsigned resting_max)
{
    bool is_kept;

    (void)pthread_mutex_lock(&gate->mutex);
    kv_gate_locked_leave(gate, pass);
    is_kept = gate->resting_count < resting_max;
    if (is_kept) {
        pass->next = gate->resting;
        gate->resting = pass;
        gate->resting_count++;
    }
    (void)pthread_mutex_unlock(&gate->mutex);
    return is_kept;
}

struct kv_gate_pass *kv_gate_take(struct kv_gate *gate)
{
    struct kv_gate_pass *pass;

    (void)pthread_mutex_lock(&gate->mutex);
    pass = kv_gate_locked_take(gate);
    (void)pthread_mutex_unlock(&gate->mutex);
    return pass;
}

static bool kv_gate_is_alone(const struct kv_gate *gate, const struct kv_gate_pass *pass)
{
    return gate->inside == pass && pass->next == NULL;
}

bool kv_gate_close(struct kv_gate *gate, const struct kv_gate_pass *pass, bool must_wait)
{
    bool is_closed;

    (void)pthread_mutex_lock(&gate->mutex);
    if (gate->is_closed) {
        (void)pthread_mutex_unlock(&gate->mutex);
        return false;
    }
    gate->is_closed = true;
    while (must_wait && !kv_gate_is_alone(gate, pass) && !kv_gate_holds(gate, pass->thread, pass))
        (void)pthread_cond_wait(&gate->changed, &gate->mutex);
    is_closed = kv_gate_is_alone(gate, pass);
    if (!is_closed) {
        gate->is_closed = false;
        (void)pthread_cond_broadcast(&gate->changed);
    }
    (void)pthread_mutex_unlock(&gate->mutex);
    return is_closed;
}

void kv_gate_reopen(struct kv_gate *gate)
{
    (void)pthread_mutex_lock(&gate->mutex);
    gate->is_closed = false;
    (void)pthread_cond_broadcast(&gate->changed);
    (void)pthread_mutex_unlock(&gate->mutex);
}
