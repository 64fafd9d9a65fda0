/* Who holds what: the logs of this session, digests over them, and marks when the digests differ.
 */
#include "proto/session_state.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"

size_t session_logs_max(const struct session *session)
{
    return session_is_own(session) ? SESSION_LOGS_MAX : 2 * (size_t)LOGS_PER_PEER_MAX;
}

bool session_find_known(struct session *session, const struct log_id *id, bool is_mine,
                        uint32_t *out)
{
    uint64_t word = places_word(session->options.handshake_hash, id);
    size_t step = 0;

    while (places_next(&session->logs_places, word, &step, out))
        if (log_id_is_equal(&session->logs[*out].id, id)) {
            session->logs[*out].is_mine |= is_mine;
            return true;
        }
    return false;
}

bool session_find_shared(struct session *session, const struct log_id *id, uint32_t *out)
{
    return session_find_known(session, id, false, out) && !session->logs[*out].is_foreign;
}

enum err session_find_log(struct session *session, const struct log_id *id, bool is_mine,
                          uint32_t *out)
{
    struct session_log *log;

    if (session_find_known(session, id, is_mine, out))
        return ERR_OK;
    if (session->logs_count == session_logs_max(session))
        return ERR_LIMIT;
    if ((session->logs_count & (session->logs_count - 1)) == 0) {
        size_t capacity = session->logs_count == 0 ? 1 : session->logs_count * 2;
        struct session_log *grown = heap_resize(session->logs, capacity * sizeof *grown);

        if (grown == NULL)
            return ERR_NOMEM;
        session->logs = grown;
    }
    if (!places_add(&session->logs_places, places_word(session->options.handshake_hash, id),
                    (uint32_t)session->logs_count))
        return ERR_NOMEM;
    log = &session->logs[session->logs_count];
    memset(log, 0, sizeof *log);
    log->id = *id;
    log->is_mine = is_mine;
    chain_begin(id, &log->sent);
    log->tip = log->sent;
    *out = (uint32_t)session->logs_count++;
    session_facts_forget(session, &id->device);
    return ERR_OK;
}

/* What is shared now. */

/* Does what the other side was sent lie on the way my log goes now? */
static bool session_was_sent_this(struct session *session, const struct session_log *log,
                                  const struct replica_log *now)
{
    struct chain chain;
    enum err err = ERR_NOT_FOUND;

    if (log->sent.size <= now->tip.size)
        err = session->replica->chain_at(session->replica->self, &log->id, log->sent.size, &chain);
    if (err != ERR_NOT_FOUND)
        session_check(session, err);
    return err == ERR_OK && memcmp(chain.hash.bytes, log->sent.hash.bytes, HASH_SIZE) == 0;
}

/* A log that was cut may be longer than it was by now, on another branch: where it stands is said
 * again. */
static void session_see_cut(struct session *session, struct session_log *log,
                            const struct replica_log *now)
{
    bool is_cut = now->cuts != log->cuts;

    log->cuts = now->cuts;
    log->is_shown = log->is_shown && !is_cut;
    if (!is_cut || log->tip.size == 0)
        return;
    log->has_taken = false;
    log->gave = 0;
    log->is_fetching = false;
    log->fetch = (struct chain){0};
    log->must_start = true;
    if (session->phase == PHASE_LIVE || session->phase == PHASE_MARKS)
        session->needs_marks = true;
    if (!session_was_sent_this(session, log, now))
        session_fork_moved(session, log, &now->tip);
    session_fork_confirm(session, log, &now->tip);
}

/* PROTOCOL FORK-3: "A frozen log that has come so far is no fork any more, and marks are said." */
static void session_see_thawed(struct session *session, struct session_log *log,
                               const struct chain *tip)
{
    if (!log->is_forked || !log->is_behind || tip->size < log->announced)
        return;
    log->is_forked = log->is_behind = false;
    log->sent = *tip;
    log->acked = tip->size;
    session->needs_marks = true;
}

/* PROTOCOL SYNC-6: "Nobody is given what its own device writes." */
static bool session_is_writer(const struct session *session, const struct session_log *log)
{
    return public_key_is_equal(session_remote_device(session), &log->id.device);
}

/* What was taken from the other side need not be given back to it. */
void session_set_tip(struct session *session, struct session_log *log,
                     const struct replica_log *now)
{
    const struct chain *tip = &now->tip;

    session_see_cut(session, log, now);
    session_see_thawed(session, log, tip);
    log->tip = *tip;
    log->start = now->start;
    if (session_is_writer(session, log)) {
        log->sent = *tip;
        log->acked = tip->size;
        session_deliver(session, log, tip->size);
        return;
    }
    if (log->gave < tip->size || log->sent.size >= tip->size)
        return;
    log->sent = *tip;
    log->acked = tip->size;
    log->must_start = true; /* It does not continue what was last given. */
    session_deliver(session, log, tip->size);
}

static enum err session_note_log(void *self, const struct replica_log *log)
{
    struct session *session = self;
    uint32_t index;
    enum err err = session_find_log(session, &log->log, log->is_mine, &index);

    if (err != ERR_OK)
        return err;
    session_pace_count(session, SESSION_WORK_ROW);
    session->logs[index].is_foreign = false;
    session->logs[index].has_keys = log->has_keys;
    session_set_tip(session, &session->logs[index], log);
    return ERR_OK;
}

static int session_log_order(const void *left, const void *right)
{
    const struct session_log *const *first = left, *const *second = right;
    int order = memcmp((*first)->id.space.bytes, (*second)->id.space.bytes, ID_SIZE);

    return order != 0 ? order : memcmp((*first)->id.device.bytes, (*second)->id.device.bytes, 32);
}

static void session_digest_log(const struct session_log *log, struct buf *out)
{
    struct mark mark;

    if (log->tip.size == 0)
        return;
    chain_mark(&log->tip, &log->id, &mark);
    buf_append(out, span_of(log->id.space.bytes, ID_SIZE));
    buf_append(out, span_of(log->id.device.bytes, 32));
    buf_u64(out, mark.size);
    buf_append(out, span_of(mark.tag, TAG_SIZE));
}

/* PROTOCOL SYNC-2: "A digest is a hash, keyed by the handshake, over space, device, size and tag of
 * the logs in ascending order of space and device; empty logs are left out." */
static enum err session_digest(struct session *session)
{
    const struct session_log **sorted = heap_new(session->logs_count * sizeof *sorted);
    bool is_own = session_is_own(session);
    struct buf mine = {0}, yours = {0};
    struct span part;
    enum err err = sorted != NULL ? ERR_OK : ERR_NOMEM;

    for (size_t at = 0; err == ERR_OK && at < session->logs_count; at++)
        sorted[at] = &session->logs[at];
    if (err == ERR_OK)
        qsort(sorted, session->logs_count, sizeof *sorted, session_log_order);
    for (size_t at = 0; err == ERR_OK && at < session->logs_count; at++)
        session_digest_log(sorted[at], is_own || sorted[at]->is_mine ? &mine : &yours);
    if (err == ERR_OK)
        err = buf_err(&mine) != ERR_OK ? ERR_NOMEM : buf_err(&yours);
    part = buf_span(&mine);
    digest_keyed(session->options.handshake_hash, "kith digest", &part, 1, session->mine,
                 DIGEST_SIZE);
    part = is_own ? part : buf_span(&yours);
    digest_keyed(session->options.handshake_hash, "kith digest", &part, 1, session->yours,
                 DIGEST_SIZE);
    buf_release(&mine);
    buf_release(&yours);
    heap_free(sorted);
    return err;
}

void session_look(struct session *session, bool is_digesting)
{
    enum err err = session->replica->logs(session->replica->self, &session->options.peer,
                                          session_note_log, session);

    if (err == ERR_OK && is_digesting)
        err = session_digest(session);
    if (err != ERR_OK)
        session_fail(session, err);
}

/* A log that was cut to nothing is listed no more. */
static enum err session_look_for_cut(struct session *session, const struct id *space)
{
    const struct replica *replica = session->replica;
    enum err err = ERR_OK;

    for (size_t at = 0; at < session->logs_count && err == ERR_OK; at++) {
        struct session_log *log = &session->logs[at];
        struct replica_log now;

        if (log->tip.size == 0 || !id_is_equal(&log->id.space, space))
            continue;
        err = replica->tip(replica->self, &log->id, &now);
        if (err == ERR_OK && now.tip.size == 0)
            session_set_tip(session, log, &now);
    }
    return err;
}

void session_look_at(struct session *session, const struct id *space)
{
    enum err err = session->replica->space_logs(session->replica->self, &session->options.peer,
                                                space, session_note_log, session);

    if (err == ERR_OK)
        err = session_look_for_cut(session, space);
    if (err != ERR_OK)
        session_fail(session, err);
}

void session_deliver(struct session *session, struct session_log *log, uint64_t size)
{
    struct session_effect *effect =
        log->is_mine && size > log->delivered ? session_effect(session, SESSION_DELIVERED) : NULL;

    if (effect == NULL)
        return;
    log->delivered = size;
    effect->delivered.log = log->id;
    effect->delivered.size = size;
}

/* My marks. */

/* PROTOCOL SYNC-4: "Marks list every shared log that is not empty, in messages of at most
 * MARKS_PER_MESSAGE_MAX, the last of which says so." */
void session_send_marks(struct session *session)
{
    size_t count = 0, at = 0;
    struct mark *list;

    session_look(session, false);
    if (session->phase == PHASE_OVER)
        return;
    list = heap_new(session->logs_count * sizeof *list);
    if (list == NULL) {
        session_fail(session, ERR_NOMEM);
        return;
    }
    for (size_t log = 0; log < session->logs_count; log++)
        if (session->logs[log].tip.size > 0)
            chain_mark(&session->logs[log].tip, &session->logs[log].id, &list[count++]);
    do {
        size_t some = count - at < MARKS_PER_MESSAGE_MAX ? count - at : MARKS_PER_MESSAGE_MAX;

        message_put_marks(list + at, some, at + some == count, &session->out);
        at += some;
    } while (at < count);
    heap_free(list);
}

/* Their marks. */

bool session_beginning(struct session *session, const struct session_log *log,
                       struct log_beginning *out)
{
    enum err err = ERR_OK;

    *out = (struct log_beginning){0};
    if (log->sent.size == 0)
        err = session->replica->beginning(session->replica->self, &session->options.peer, &log->id,
                                          out);
    if (err != ERR_OK)
        session_fail(session, err);
    return err == ERR_OK;
}

void session_stand(struct session *session, struct session_log *log, const struct chain *chain)
{
    if (session_is_writer(session, log))
        chain = &log->tip;
    log->is_below = false;
    if (chain->size < log->start && !(chain->size == 0 && session_is_own(session))) {
        session_fork_below(session, log, chain->size);
        return;
    }
    log->sent = *chain;
    log->acked = chain->size;
    log->must_start = true;
    if (log->offered < chain->size)
        log->offered = chain->size;
    session_deliver(session, log, chain->size);
}

/* Where I stand in a log that the other side speaks of. Who asks must not learn whose peer I am. */
/* PROTOCOL SYNC-21: "A log that the two do not share is nowhere for whoever asks, whether it is
 * held or not: its marks are not judged, and it is neither traced, fetched nor paid out." */
static enum err session_tip_of(struct session *session, struct session_log *log, struct chain *out)
{
    const struct replica *replica = session->replica;
    struct replica_log now;
    enum err err = ERR_OK;

    if (log->tip.size == 0)
        err = replica->accepts(replica->self, &session->options.peer, &log->id);
    log->is_foreign = err == ERR_NOT_FOUND;
    if (log->is_foreign) {
        chain_begin(&log->id, out);
        return ERR_OK;
    }
    if (err == ERR_OK || err == ERR_STATE)
        err = replica->tip(replica->self, &log->id, &now);
    if (err == ERR_OK) {
        *out = now.tip;
        log->start = now.start;
    }
    return err;
}

static void session_on_mark(struct session *session, const struct mark *mark)
{
    const struct replica *replica = session->replica;
    struct session_log *log;
    struct chain chain;
    uint32_t index;
    enum err err = session_find_log(session, &mark->log, false, &index);

    session_pace_count(session, 4 * SESSION_WORK_ROW);
    if (err == ERR_OK && session->logs[index].is_listed)
        return;
    if (err == ERR_OK)
        err = session_tip_of(session, &session->logs[index], &chain);
    if (err != ERR_OK) {
        session_check(session, err);
        return;
    }
    log = &session->logs[index];
    log->is_listed = true;
    log->announced = mark->size;
    if (log->is_foreign) {
        session_stand(session, log, &chain);
        return;
    }
    session_pace_count(session, mark->size < log->tip.size ? 2 * SESSION_WORK_CHAIN : 0);
    if (session_fork_judge(session, log, mark, &chain))
        return;
    if (mark->size < log->start)
        chain = (struct chain){.size = mark->size}; /* No hash of it is known here. */
    else if (mark->size < chain.size)
        err = replica->chain_at(replica->self, &mark->log, mark->size, &chain);
    if (err == ERR_OK)
        session_stand(session, log, &chain);
    else
        session_fail(session, err);
}

/* PROTOCOL SYNC-6: "What will be given is announced first, when it is not nothing." */
static void session_announce(struct session *session)
{
    uint64_t entries = 0, bytes = 0;

    for (size_t at = 0; at < session->logs_count; at++) {
        const struct session_log *log = &session->logs[at];
        uint64_t some_entries = 0, some_bytes = 0;
        struct log_beginning beginning;
        enum err err;

        if (log->sent.size >= log->tip.size)
            continue;
        session_pace_count(session, 4 * SESSION_WORK_ROW);
        if (!session_beginning(session, log, &beginning))
            return;
        err = session->replica->count(session->replica->self, &log->id,
                                      beginning.size > 0 ? beginning.size : log->sent.size,
                                      &some_entries, &some_bytes);
        if (err != ERR_OK) {
            session_fail(session, err);
            return;
        }
        session_pace_count(session, some_entries / SESSION_WORK_ABSENT);
        entries += some_entries;
        bytes += some_bytes;
    }
    session->progress.entries_promised += entries;
    if (entries > 0)
        message_put_totals(entries, bytes, &session->out);
}

/* The list is whole: what it leaves out stands at its beginning there. */
static void session_marks_are_read(struct session *session)
{
    session->is_listing = false;
    session_pace_count(session, session->logs_count * SESSION_WORK_ROW);
    for (size_t at = 0; at < session->logs_count; at++) {
        struct session_log *log = &session->logs[at];
        struct chain begin;

        if (log->is_listed)
            continue;
        chain_begin(&log->id, &begin);
        log->announced = 0;
        log->is_forked = false;
        if (!session_fork_has_left(session, log))
            session_stand(session, log, &begin);
    }
    session_look(session, false);
    if (session->phase == PHASE_OVER)
        return;
    session->phase = PHASE_LIVE;
    session->must_want = true;
    session_proof_look(session);
    session->is_held = false; /* Still full, they say so behind their marks. */
    session_announce(session);
}

void session_take_marks(struct session *session, struct message *message)
{
    struct mark mark;
    enum err err = ERR_OK;

    if (!session->is_listing)
        for (size_t at = 0; at < session->logs_count; at++)
            session->logs[at].is_listed = false;
    session->is_listing = true;
    while (session->phase != PHASE_OVER && (err = message_next_mark(message, &mark)) == ERR_OK)
        session_on_mark(session, &mark);
    if (session->phase == PHASE_OVER)
        return;
    if (err != ERR_NOT_FOUND)
        session_violation(session, "SYNC-17: A message has the shape its number says.");
    else if (message->marks.is_last)
        session_marks_are_read(session);
}
