/*
 * Who is inside a store: every open transaction holds a pass. Closing the gate means being alone
 * inside, which the growth of a map needs and LMDB does not check. Knows nothing of LMDB. Any
 * thread.
 *
 * Nobody waits for themselves: a thread that holds a pass may always take another, and closing
 * fails at once, instead of waiting, where the closing thread holds a second pass.
 */
#ifndef KITH_STORAGE_KV_GATE_H
#define KITH_STORAGE_KV_GATE_H

#include <pthread.h>
#include <stdbool.h>

#include "crypto/err.h"

/* In its owner's memory, from enter to leave, or to rest and take. */
struct kv_gate_pass {
    pthread_t thread;
    bool is_writer;
    struct kv_gate_pass *next; /* inside or resting */
    struct kv_gate_pass *previous;
};

struct kv_gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* somebody left, or the gate opened */
    struct kv_gate_pass *inside;
    struct kv_gate_pass *resting; /* passes of readers who left and may come back */
    unsigned resting_count;
    bool has_writer;
    bool is_closed; /* or about to be */
};

void kv_gate_init(struct kv_gate *gate);
/* Nobody is inside or rests. */
void kv_gate_release(struct kv_gate *gate);

/* As a reader. Waits while another thread has the gate closed. */
void kv_gate_enter(struct kv_gate *gate, struct kv_gate_pass *pass);
/* The same with a pass that rests; NULL, and nobody entered, when none does. */
struct kv_gate_pass *kv_gate_enter_again(struct kv_gate *gate);
/* ERR_BUSY: a writer is inside; the pass, which may be that writer's, is untouched. */
MUST_USE enum err kv_gate_enter_writer(struct kv_gate *gate, struct kv_gate_pass *pass);
void kv_gate_leave(struct kv_gate *gate, struct kv_gate_pass *pass);
/* Leaves, and keeps the pass unless resting_max already rest: false, and it is the caller's again.
 */
MUST_USE bool kv_gate_rest(struct kv_gate *gate, struct kv_gate_pass *pass, unsigned resting_max);
/* A pass that rested is the caller's again; NULL when there is none. */
struct kv_gate_pass *kv_gate_take(struct kv_gate *gate);

/* True: the holder of this pass is alone until kv_gate_reopen. must_wait: waits for the others to
 * leave. */
MUST_USE bool kv_gate_close(struct kv_gate *gate, const struct kv_gate_pass *pass, bool must_wait);
void kv_gate_reopen(struct kv_gate *gate);

#endif
