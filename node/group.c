/*
 * Before a commit, what arrived is answered (node/react.h). A job that fails cleanly leaves its
 * neighbours alone; one that fails after having written makes the group run again one by one, so
 * that its half-written work is not committed and theirs is not lost.
 */
#include "node/group.h"

#include <string.h>

#include "node/react.h"

enum { GROUP_WEIGHT_MAX = 4 << 20, GROUP_JOBS_MAX = 8000 };

void group_add(struct group_queue *queue, struct writer_job *job)
{
    job->next = NULL;
    if (queue->last != NULL)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
}

struct writer_job *group_take_one(struct group_queue *queue)
{
    struct writer_job *job = queue->first;

    if (job == NULL)
        return NULL;
    queue->first = job->next;
    if (queue->first == NULL)
        queue->last = NULL;
    job->next = NULL;
    return job;
}

struct writer_job *group_take(struct group_queue *queue)
{
    struct group_queue group = {0};
    size_t weight = 0, count = 0;

    while (queue->first != NULL) {
        struct writer_job *job = queue->first;

        if (group.first != NULL &&
            (job->is_reading || weight + job->weight > GROUP_WEIGHT_MAX || count >= GROUP_JOBS_MAX))
            break;
        weight += job->weight;
        count++;
        group_add(&group, group_take_one(queue));
        if (job->is_reading)
            break;
    }
    return group.first;
}

static void group_run_alone(struct ledger *ledger, struct writer_job *job, uint64_t wall_ms)
{
    struct ledger_txn *txn;

    job->news = (struct ledger_news){0};
    if (job->is_reading) {
        job->err = job->run(job, NULL);
        return;
    }
    job->err = ledger_begin(ledger, wall_ms, &txn);
    if (job->err != ERR_OK)
        return;
    job->err = job->run(job, txn);
    if (job->err == ERR_OK)
        job->err = react_all(txn);
    if (job->err != ERR_OK || !ledger_txn_has_written(txn))
        ledger_abort(txn);
    else
        job->err = ledger_commit(txn, &job->news);
}

/* One transaction for all. False when a job spoilt it: nothing was committed then. */
static bool group_run_together(struct ledger *ledger, struct writer_job *first, uint64_t wall_ms)
{
    struct ledger_news news = {0};
    struct ledger_txn *txn;
    enum err err = ledger_begin(ledger, wall_ms, &txn);

    if (err != ERR_OK) {
        for (struct writer_job *job = first; job != NULL; job = job->next)
            job->err = err;
        return true;
    }
    for (struct writer_job *job = first; job != NULL; job = job->next) {
        uint64_t before = ledger_txn_written(txn);

        job->err = job->run(job, txn);
        if (job->err == ERR_BEHIND || (job->err != ERR_OK && ledger_txn_written(txn) != before)) {
            ledger_abort(txn);
            return false;
        }
    }
    if (react_all(txn) != ERR_OK) {
        ledger_abort(txn);
        return false;
    }
    if (!ledger_txn_has_written(txn)) {
        ledger_abort(txn);
        return true;
    }
    err = ledger_commit(txn, &news);
    for (struct writer_job *job = first; job != NULL; job = job->next) {
        if (job->err == ERR_OK)
            job->err = err;
        job->news = news;
    }
    return true;
}

void group_run(struct ledger *ledger, struct writer_job *first, uint64_t wall_ms)
{
    bool is_behind = false;

    if (first->next != NULL && group_run_together(ledger, first, wall_ms))
        return;
    for (struct writer_job *job = first, *next; job != NULL; job = next) {
        next = job->next;
        if (is_behind)
            job->err = ERR_BEHIND; /* Nothing overtakes it. */
        else
            group_run_alone(ledger, job, wall_ms);
        is_behind = is_behind || job->err == ERR_BEHIND;
        job->next = next;
    }
}

struct writer_job *group_part_behind(struct writer_job **in_out_first)
{
    struct writer_job **at = in_out_first, *parted;

    while (*at != NULL && ((*at)->err != ERR_BEHIND || (*at)->was_behind)) {
        (*at)->was_behind = false; /* One that goes on may have to wait again. */
        at = &(*at)->next;
    }
    parted = *at;
    *at = NULL;
    if (parted != NULL)
        parted->was_behind = true;
    return parted;
}

void group_put_back(struct group_queue *queue, struct writer_job *first)
{
    struct writer_job *last = first;

    while (last->next != NULL)
        last = last->next;
    last->next = queue->first;
    queue->first = first;
    if (queue->last == NULL)
        queue->last = last;
}

bool group_tells_news(const struct writer_job *job)
{
    return !job->is_reading && job->err == ERR_OK && job->news.spaces_count > 0 &&
           (job->next == NULL || memcmp(&job->next->news, &job->news, sizeof job->news) != 0);
}
