/*
 * Two threads take pieces of the round to look at, and the writer merges behind them what is not
 * sorted; then it sorts, the helper opens chunks into two places in turn, and the writer merges
 * them in the same turn. Without memory or threads for a helper the writer does its part, too.
 */
#include "node/writer_round.h"

#include <pthread.h>

#include "crypto/heap.h"
#include "storage/round.h"

enum { WRITER_ROUND_PIECE = 256 };

struct writer_round_slot {
    struct round_chunk *chunk;
    size_t until; /* where the next begins */
    bool is_full;
};

struct writer_round {
    struct round *round;
    struct round_reader *reader, *helper_reader;
    struct writer_round_slot slots[2];
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool has_thread, is_stopping, is_sorted;
    size_t taken;   /* entries given out to be looked at */
    size_t helping; /* where the piece begins that the helper looks at; SIZE_MAX: none */
    size_t alone;   /* entries of which those that are not sorted are merged */
    size_t looking; /* threads that look at a piece, or open a chunk ahead */
    size_t next;    /* where the next chunk to be opened begins */
    size_t opening; /* the slot it goes to */
    size_t merging; /* the slot merged next */
    size_t merged;  /* entries merged */
    enum err err;   /* of the helper */
};

/* Looking. Called with the mutex held; true when there was a piece, which is looked at without it.
 */
static bool writer_round_look(struct writer_round *self, struct round_reader *reader)
{
    size_t from = self->taken, count = round_count(self->round);
    size_t until = count - from < WRITER_ROUND_PIECE ? count : from + WRITER_ROUND_PIECE;
    enum err err;

    if (from == count || self->err != ERR_OK)
        return false;
    self->taken = until;
    self->looking++;
    if (reader == self->helper_reader)
        self->helping = from;
    (void)pthread_mutex_unlock(&self->mutex); /* A valid mutex of our own cannot fail. */
    err = round_look(self->round, reader, from, until);
    (void)pthread_mutex_lock(&self->mutex);
    self->looking--;
    if (reader == self->helper_reader)
        self->helping = SIZE_MAX;
    if (err != ERR_OK)
        self->err = err;
    (void)pthread_cond_broadcast(&self->changed);
    return true;
}

/* Opening. Called with the mutex held, which is let go meanwhile. */
static void writer_round_open(struct writer_round *self, struct round_reader *reader)
{
    struct writer_round_slot *slot = &self->slots[self->opening];
    size_t until = 0;
    enum err err;

    (void)pthread_mutex_unlock(&self->mutex);
    err = round_open(self->round, reader, self->next, slot->chunk, &until);
    (void)pthread_mutex_lock(&self->mutex);
    if (err != ERR_OK)
        self->err = err;
    slot->until = self->next = until;
    slot->is_full = err == ERR_OK;
    self->opening ^= 1;
    (void)pthread_cond_broadcast(&self->changed);
}

static bool writer_round_may_open(const struct writer_round *self)
{
    return self->is_sorted && self->err == ERR_OK && self->next < round_count(self->round) &&
           !self->slots[self->opening].is_full;
}

static void *writer_round_help(void *arg)
{
    struct writer_round *self = arg;

    (void)pthread_mutex_lock(&self->mutex);
    while (!self->is_stopping) {
        if (writer_round_look(self, self->helper_reader))
            continue;
        if (writer_round_may_open(self)) {
            self->looking++;
            writer_round_open(self, self->helper_reader);
            self->looking--;
            (void)pthread_cond_broadcast(&self->changed);
            continue;
        }
        (void)pthread_cond_wait(&self->changed, &self->mutex);
    }
    (void)pthread_mutex_unlock(&self->mutex);
    return NULL;
}

/* The writer's side. */

/* Called with the mutex held: behind what is looked at, a piece of what is not sorted. */
static enum err writer_round_step_alone(struct writer_round *self, size_t looked)
{
    size_t from = self->alone;
    size_t until = looked - from < WRITER_ROUND_PIECE ? looked : from + WRITER_ROUND_PIECE;
    enum err err;

    (void)pthread_mutex_unlock(&self->mutex);
    err = round_merge_unsorted(self->round, from, until);
    (void)pthread_mutex_lock(&self->mutex);
    self->alone = until;
    return err;
}

/* Called with the mutex held: a piece merged or looked at, or, when all are, the sorting. */
static enum err writer_round_step_look(struct writer_round *self)
{
    size_t looked = self->helping < self->taken ? self->helping : self->taken;

    if (self->err == ERR_OK && self->alone < looked)
        return writer_round_step_alone(self, looked);
    if (writer_round_look(self, self->reader))
        return ERR_OK;
    while (self->looking > 0)
        (void)pthread_cond_wait(&self->changed, &self->mutex);
    if (self->err != ERR_OK || self->alone < self->taken)
        return ERR_OK;
    self->next = self->merged = round_sort(self->round);
    self->is_sorted = true;
    (void)pthread_cond_broadcast(&self->changed);
    return ERR_OK;
}

/* Called with the mutex held: one chunk. */
static enum err writer_round_step_merge(struct writer_round *self)
{
    struct writer_round_slot *slot = &self->slots[self->merging];
    enum err err;

    while (!slot->is_full && self->err == ERR_OK)
        if (!self->has_thread)
            writer_round_open(self, self->reader);
        else
            (void)pthread_cond_wait(&self->changed, &self->mutex);
    if (self->err != ERR_OK)
        return self->err;
    (void)pthread_mutex_unlock(&self->mutex);
    err = round_merge(self->round, slot->chunk);
    (void)pthread_mutex_lock(&self->mutex);
    slot->is_full = false;
    self->merged = slot->until;
    self->merging ^= 1;
    (void)pthread_cond_broadcast(&self->changed);
    return err;
}

enum err writer_round_step(struct writer_round *self, bool *out_is_over)
{
    enum err err = ERR_OK;

    *out_is_over = false;
    (void)pthread_mutex_lock(&self->mutex);
    if (!self->is_sorted)
        err = writer_round_step_look(self);
    else if (self->merged < round_count(self->round))
        err = writer_round_step_merge(self);
    else
        *out_is_over = true;
    if (err == ERR_OK)
        err = self->err;
    (void)pthread_mutex_unlock(&self->mutex);
    return err == ERR_OK && *out_is_over ? round_end(self->round) : err;
}

enum err writer_round_rest(struct writer_round *self)
{
    (void)pthread_mutex_lock(&self->mutex);
    while (self->is_sorted && self->looking > 0)
        (void)pthread_cond_wait(&self->changed, &self->mutex);
    self->slots[0].is_full = self->slots[1].is_full = false;
    self->next = self->merged;
    self->opening = self->merging = 0;
    /* The helper may sleep because both places were full: there is room again. */
    (void)pthread_cond_broadcast(&self->changed);
    (void)pthread_mutex_unlock(&self->mutex);
    return round_rest(self->round);
}

/* Life. */

enum err writer_round_start(struct ledger *ledger, struct writer_round **out)
{
    struct writer_round *self = heap_new_zeroed(1, sizeof *self);
    enum err err;

    if (self == NULL)
        return ERR_NOMEM;
    self->helping = SIZE_MAX;
    (void)pthread_mutex_init(&self->mutex,
                             NULL); /* With default attributes they cannot fail here. */
    (void)pthread_cond_init(&self->changed, NULL);
    err = round_begin(ledger, &self->round);
    if (err == ERR_OK)
        err = round_reader_new(&self->reader);
    if (err == ERR_OK)
        err = round_chunk_new(&self->slots[0].chunk);
    if (err == ERR_OK)
        err = round_chunk_new(&self->slots[1].chunk);
    if (err != ERR_OK) {
        writer_round_free(self);
        return err;
    }
    if (round_reader_new(&self->helper_reader) == ERR_OK)
        self->has_thread = pthread_create(&self->thread, NULL, writer_round_help, self) == 0;
    *out = self;
    return ERR_OK;
}

void writer_round_free(struct writer_round *self)
{
    if (self == NULL)
        return;
    if (self->has_thread) {
        (void)pthread_mutex_lock(&self->mutex);
        self->is_stopping = true;
        (void)pthread_cond_broadcast(&self->changed);
        (void)pthread_mutex_unlock(&self->mutex);
        (void)pthread_join(self->thread, NULL);
    }
    round_reader_free(self->reader);
    round_reader_free(self->helper_reader);
    round_chunk_free(self->slots[0].chunk);
    round_chunk_free(self->slots[1].chunk);
    round_free(self->round);
    (void)pthread_cond_destroy(&self->changed);
    (void)pthread_mutex_destroy(&self->mutex);
    heap_free(self);
}
