/*
 * Two branches of one log. A mark that differs is a claim: whoever has to move asks for tags at
 * block ends, newest first, and finds the last one both sides have. From there an author asks for
 * the other branch, whose heads its own key signed: that is the proof. A reader of a retired log
 * cuts what it holds beyond that place and goes on along the branch that is kept.
 */
#include "proto/session_state.h"

#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"

static bool session_fork_standing(struct session *session, const struct log_id *log,
                                  struct replica_standing *out)
{
    enum err err = session->replica->standing(session->replica->self, log, out);

    if (err != ERR_OK && err != ERR_NOT_FOUND)
        session_fail(session, err);
    return err == ERR_OK;
}

/* Tags. */

static void session_fork_trace(struct session *session, const struct log_id *log, uint64_t size)
{
    struct trace_tag tags[TRACE_TAGS_MAX];
    size_t count = 0;
    bool is_last = true;
    enum err err =
        session->replica->trace(session->replica->self, log, size, tags, &count, &is_last);

    session_pace_count(session, SESSION_WORK_CHAIN + 2 * count * SESSION_WORK_ROW);
    if (err != ERR_OK)
        session_fail(session, err);
    else
        message_put_trace(log, tags, count, is_last, &session->out);
}

/* The chain at size, or where what I hold of the log starts behind it. */
static bool session_fork_chain_from(struct session *session, const struct session_log *log,
                                    uint64_t size, struct chain *out)
{
    enum err err = session->replica->chain_at(session->replica->self, &log->id,
                                              size < log->start ? log->start : size, out);

    session_pace_count(session, SESSION_WORK_CHAIN);
    if (err != ERR_OK)
        session_fail(session, err);
    return err == ERR_OK;
}

/* An author of a log that is not retired, or is frozen, wants to see what there is of it. */
static bool session_fork_is_author(const struct replica_standing *standing)
{
    return standing->is_mine && (!standing->is_retired || !standing->has_keep);
}

/* A frozen log of another member: more of it comes from other devices of mine alone. */
static bool session_fork_is_shared(const struct session *session,
                                   const struct replica_standing *standing)
{
    return session_is_own(session) && !standing->is_mine && !standing->has_keep;
}

/* PROTOCOL FORK-2: "Whose own device writes a log that the other side holds more of, or otherwise,
 * asks for a trace; so does an author of a log that is not retired, or frozen, and whoever holds a
 * retired log beyond or beside its kept mark. Who sees a difference and need not move sends the
 * trace unasked, once; so does who has given of a log that now goes another way: a longer log's
 * mark does not show it." */
static void session_fork_differs(struct session *session, struct session_log *log,
                                 const struct mark *mark, const struct replica_standing *standing)
{
    log->is_forked = true;
    log->sent = log->tip;
    session_facts_tell_of(session,
                          log); /* Who must move may not have heard which branch is kept. */
    if (standing->is_off || session_fork_is_author(standing)) {
        log->is_asked = true;
        message_put_place(MESSAGE_TRACE_ASK, &log->id, log->tip.size, &session->out);
    } else if (!log->is_traced) {
        log->is_traced = true;
        session_fork_trace(session, &log->id, mark->size);
    }
}

/* My log went over to another branch than the one the other side was given. It cannot tell from a
 * longer log's mark: so it is shown where the two part, and nothing is given until it says marks.
 */
void session_fork_moved(struct session *session, struct session_log *log, const struct chain *tip)
{
    uint64_t size = log->sent.size < tip->size ? log->sent.size : tip->size;

    log->sent = *tip;
    if (session->phase != PHASE_LIVE && session->phase != PHASE_MARKS)
        return;
    log->is_forked = log->is_traced = true;
    if (size > 0)
        session_fork_trace(session, &log->id, size);
}

/* PROTOCOL BEGIN-5: "Whoever holds less of a log than where it starts here is given it as returned
 * where its member writes the log, and nothing of it otherwise." */
void session_fork_below(struct session *session, struct session_log *log, uint64_t size)
{
    log->is_below = true;
    log->sent = log->tip;
    log->acked = size;
    log->must_start = true;
    if (log->offered < size)
        log->offered = size;
    if (log->is_mine || session_is_own(session) ||
        (log->fetch.size < log->start && /* Else it was begun in this session: it goes on. */
         !session_fork_chain_from(session, log, size, &log->fetch)))
        return;
    log->is_fetching = log->fetch.size < log->tip.size;
}

/* Mine was cut, and marks are said: nobody answers those, so it is asked whether both are on one
 * branch now. What else was asked for was so before. */
void session_fork_confirm(struct session *session, struct session_log *log, const struct chain *tip)
{
    if (!log->is_forked || (session->phase != PHASE_LIVE && session->phase != PHASE_MARKS))
        return;
    log->is_forked = log->is_asked = tip->size > 0; /* Of nothing there are no two branches. */
    if (log->is_forked)
        message_put_place(MESSAGE_TRACE_ASK, &log->id, tip->size, &session->out);
}

/* A keep may come after the marks, in this very session: who must move now asks now. Of a mark
 * below where mine starts it could not be seen before that the two differ. */
void session_fork_again(struct session *session)
{
    for (size_t at = 0; at < session->logs_count && session->phase == PHASE_LIVE; at++) {
        struct session_log *log = &session->logs[at];
        struct replica_standing standing;

        if ((!log->is_forked && !log->is_below) || log->is_asked ||
            !session_fork_standing(session, &log->id, &standing) || !standing.is_off)
            continue;
        log->is_forked = log->is_asked = true;
        message_put_place(MESSAGE_TRACE_ASK, &log->id, log->tip.size, &session->out);
    }
}

static void session_fork_rebase(struct session *session, struct session_log *log, uint64_t size)
{
    struct session_effect *effect;

    if (size >= log->tip.size) {
        log->is_forked = false;
        session->needs_marks = true; /* All I hold is on their branch: they may go on from there. */
        return;
    }
    effect = session_effect(session, SESSION_REBASE);
    if (effect == NULL)
        return;
    effect->delivered.log = log->id;
    effect->delivered.size = size;
}

/* My chain goes past the kept mark, and not through it. */
static bool session_fork_is_beside(const struct session_log *log,
                                   const struct replica_standing *standing)
{
    return standing->is_off && standing->keep_size >= log->start &&
           standing->keep_size <= log->tip.size;
}

/* PROTOCOL FORK-3: "Whoever holds one past and beside its kept mark and meets somebody who holds
 * only its beginning, or nothing, cuts it where that ends: the branch that is kept may be lost." */
static bool session_fork_leaves(struct session *session, struct session_log *log, uint64_t size,
                                const struct replica_standing *standing)
{
    if (size >= log->tip.size || size < log->start || !session_fork_is_beside(log, standing))
        return false;
    log->is_forked = true;
    log->sent = log->tip;
    session_fork_rebase(session, log, size);
    return true;
}

/* The other side holds nothing of it. */
bool session_fork_has_left(struct session *session, struct session_log *log)
{
    struct replica_standing standing = {0};

    return log->tip.size > 0 && session_fork_standing(session, &log->id, &standing) &&
           session_fork_leaves(session, log, 0, &standing);
}

/* PROTOCOL FORK-1: "A tag that differs at its size, or another side that holds more of a log than
 * the device that writes it, is a claim and no violation: nothing is retired for it, and the device
 * goes on writing." */
/* PROTOCOL SYNC-5: "A log has two branches where a tag differs at its size, or where another side
 * holds more of a log than the device that writes it. What then happens stands in FORK; neither
 * side gives of that log until one of them has moved." */
bool session_fork_judge(struct session *session, struct session_log *log, const struct mark *mark,
                        const struct chain *mine)
{
    struct replica_standing standing = {0};
    bool differs = false;
    struct chain chain;
    struct mark own;

    log->is_forked = log->is_asked = log->is_behind = false;
    if (!session_fork_standing(session, &mark->log, &standing))
        return session->phase == PHASE_OVER;
    if (standing.is_retired && !session_fork_is_shared(session, &standing) &&
        log->announced > mine->size)
        log->announced =
            standing.has_keep && standing.keep_size > mine->size ? standing.keep_size : mine->size;
    if (log->announced > mark->size)
        log->announced = mark->size;
    if (standing.has_keep && mark->size > standing.keep_size)
        /* PROTOCOL FACT-1: "So they are where the other side holds more of a log than its keep
         * lets count here: it may know of a greater one alone." */
        session_facts_tell_of(session, log);
    if (mark->size < log->start) {
        differs = standing.is_off; /* Which branch it is cannot be seen from here. */
    } else if (mark->size <= mine->size) {
        enum err err =
            session->replica->chain_at(session->replica->self, &mark->log, mark->size, &chain);

        if (err != ERR_OK) {
            session_fail(session, err);
            return true;
        }
        chain_mark(&chain, &mark->log, &own);
        differs = memcmp(own.tag, mark->tag, TAG_SIZE) != 0;
        if (!differs && session_fork_leaves(session, log, mark->size, &standing))
            return true;
    } else {
        differs = session_fork_is_author(&standing) && (standing.is_this || standing.is_retired);
        log->is_behind = differs && !standing.is_this;
        differs |= log->is_shown;
    }
    if (differs)
        session_fork_differs(session, log, mark, &standing);
    return differs;
}

/* PROTOCOL FORK-4: "Of two devices of one member that hold different branches of another member's
 * log the one with the shorter, at equal sizes the greater hash, moves to the other's." */
static bool session_fork_yields(struct session *session, const struct session_log *log,
                                const struct trace_tag *newest)
{
    struct chain chain;
    struct mark mine;

    if (log->announced != log->tip.size)
        return log->announced > log->tip.size;
    if (newest == NULL || newest->size > log->tip.size ||
        session->replica->chain_at(session->replica->self, &log->id, newest->size, &chain) !=
            ERR_OK)
        return false;
    chain_mark(&chain, &log->id, &mine);
    return memcmp(newest->tag, mine.tag, TAG_SIZE) < 0;
}

/* PROTOCOL FORK-3: "From the newest tag both have on, or from the beginning, an author asks for the
 * other branch, or for what there is of a frozen log." Whoever holds a retired log otherwise cuts
 * it. */
static void session_fork_common(struct session *session, struct session_log *log, uint64_t size,
                                const struct trace_tag *newest)
{
    struct replica_standing standing = {0};

    if (!session_fork_standing(session, &log->id, &standing))
        return;
    if (session_fork_is_author(&standing))
        message_put_place(MESSAGE_FETCH, &log->id, size, &session->out);
    else if (standing.is_off)
        session_fork_rebase(session, log, size);
    else if (!standing.is_mine && session_is_own(session) &&
             session_fork_yields(session, log, newest))
        session_fork_rebase(session, log, size);
    else if (!standing.is_mine && session_is_own(session) && !log->is_traced) {
        log->is_traced = true;
        session_fork_trace(session, &log->id, log->announced);
    } else if (size == log->tip.size) {
        /* All I hold is on their branch, and as it should be: the tag shows that they hold it. */
        log->is_forked = false;
        if (log->announced < size)
            log->announced = size;
        if (log->acked < size)
            session_stand(session, log, &log->tip);
    }
}

static bool session_fork_has_tag(struct session *session, const struct session_log *log,
                                 const struct trace_tag *tag)
{
    struct chain chain;
    struct mark mine;

    session_pace_count(session, SESSION_WORK_ROW);
    if (tag->size > log->tip.size)
        return false;
    session_pace_count(session, tag->size < log->tip.size ? SESSION_WORK_CHAIN : 0);
    if (session->replica->chain_at(session->replica->self, &log->id, tag->size, &chain) != ERR_OK)
        return false;
    chain_mark(&chain, &log->id, &mine);
    return memcmp(mine.tag, tag->tag, TAG_SIZE) == 0;
}

static void session_fork_on_trace(struct session *session, struct message *message)
{
    struct trace_tag tag = {0}, newest = {0};
    bool is_found = false, has_newest = false;
    struct session_log *log;
    uint32_t index;
    enum err err;

    if (!session_find_shared(session, &message->trace.log, &index))
        return;
    log = &session->logs[index];
    while ((err = message_next_tag(message, &tag)) == ERR_OK && !is_found) {
        if (!has_newest)
            newest = tag;
        has_newest = true;
        is_found = session_fork_has_tag(session, log, &tag);
        if (tag.size == log->tip.size)
            log->is_shown = !is_found;
        if (is_found)
            break;
    }
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        session_violation(session, "SYNC-17: A message has the shape its number says.");
        return;
    }
    log->is_forked = true;
    if (!is_found && !message->trace.is_last && tag.size > 1) {
        message_put_place(MESSAGE_TRACE_ASK, &log->id, tag.size - 1, &session->out);
        return;
    }
    log->is_asked = false; /* It was answered, and may be asked again when a keep comes. */
    session_fork_common(session, log, is_found ? tag.size : 0, has_newest ? &newest : NULL);
}

/* What the other side asks for. Only logs that are shared have a tip here. */

static void session_fork_on_trace_ask(struct session *session, const struct log_id *id,
                                      uint64_t size)
{
    uint32_t index;

    if (!session_find_shared(session, id, &index) || session->logs[index].tip.size == 0)
        return;
    if (size > session->logs[index].tip.size)
        size = session->logs[index].tip.size; /* It may be shared no more, and go on. */
    session_fork_trace(session, id, size);
}

/* PROTOCOL RETURN-11: "A device that its owner gave up is given no returned batch, asked for or
 * not: the keys in it are of epochs that it may not read." */
static void session_fork_on_fetch(struct session *session, const struct log_id *id, uint64_t size)
{
    struct session_log *log;
    uint32_t index;

    if (session->options.is_remote_out || !session_find_shared(session, id, &index))
        return;
    log = &session->logs[index];
    if ((log->is_mine && !session_is_own(session)) || size > log->tip.size ||
        !session_fork_chain_from(session, log, size, &log->fetch))
        return;
    log->is_fetching = log->fetch.size < log->tip.size;
}

static void session_fork_on_stored(struct session *session, uint32_t number)
{
    if (number >= session->returned_sent || session->returned_stored >= session->returned_sent)
        session_violation(session, "RETURN-5: Stored is what was returned, and no more.");
    else
        session->returned_stored++;
}

/* What the other side gives. */

/* What it holds of a log behind the end of mine, as far as it said: there is no more to wait for.
 */
static void session_fork_note_end(struct session *session, const struct verified_batch *batch)
{
    struct session_log *log;
    uint32_t index;

    if (!session_find_known(session, verified_batch_log(batch), false, &index))
        return;
    log = &session->logs[index];
    if (verified_batch_start(batch)->size > log->tip.size &&
        verified_batch_end(batch)->size >= log->announced)
        log->announced = log->tip.size;
}

static void session_fork_on_returned(struct session *session, struct message *message)
{
    struct session_pending pending = {.is_returned = true, .bytes = session->in.taken_last};
    struct session_effect *effect;
    struct returned *returned;
    enum err err;

    if (!session_take_credit(session, RETURN_SIZE_MAX))
        return;
    err = returned_read(&message->returned, &returned);
    if (err == ERR_NOMEM) {
        session_fail(session, err);
        return;
    }
    if (err != ERR_OK) {
        session_violation(session, "SYNC-18: The hashes and the signature of a batch fit.");
        return;
    }
    pending.ticket = session->next_ticket++;
    pending.number = returned->number;
    pending.end = *verified_batch_end(returned->batch);
    effect =
        session_add_pending(session, &pending) ? session_effect(session, SESSION_RETURNED) : NULL;
    if (effect == NULL) {
        returned_free(returned);
        session_fail(session, ERR_NOMEM);
        return;
    }
    session_fork_note_end(session, returned->batch);
    effect->returned.ticket = pending.ticket;
    effect->returned.returned = returned;
}

/* PROTOCOL RETURN-5: "Stored is what was returned, and no more." */
void session_fork_committed(struct session *session, const struct session_pending *done,
                            enum err err)
{
    if (err == ERR_OK) {
        message_put_stored(done->number, &session->out);
        /* Who gives it has it. Without memory it is offered back: no harm. What is not stored here
         * is not offered anyway. */
        (void)offers_add(&session->offers, session->options.handshake_hash, &done->end.hash);
        return;
    }
    if (err != ERR_NOT_FOUND && err != ERR_FORGED && err != ERR_DETACHED)
        session_fail(session, err);
}

void session_fork_message(struct session *session, struct message *message)
{
    switch (message->type) {
    case MESSAGE_TRACE_ASK:
        session_fork_on_trace_ask(session, &message->trace_ask.log, message->trace_ask.size);
        return;
    case MESSAGE_TRACE:
        session_fork_on_trace(session, message);
        return;
    case MESSAGE_FETCH:
        session_fork_on_fetch(session, &message->trace_ask.log, message->trace_ask.size);
        return;
    case MESSAGE_RETURNED:
        session_fork_on_returned(session, message);
        return;
    case MESSAGE_STORED:
        session_fork_on_stored(session, message->stored);
        return;
    case MESSAGE_FACTS:
        session_facts_take(session, message);
        return;
    case MESSAGE_HELLO:
    case MESSAGE_MARKS:
    case MESSAGE_TOTALS:
    case MESSAGE_LOG:
    case MESSAGE_BATCH:
    case MESSAGE_ACK:
    case MESSAGE_CREDIT:
    case MESSAGE_BYE:
    case MESSAGE_PING:
    case MESSAGE_PONG:
    case MESSAGE_IDENTITY:
    case MESSAGE_LINK:
    case MESSAGE_REFUSED:
    case MESSAGE_WANT:
    case MESSAGE_PAYLOAD:
        break; /* Handled elsewhere. */
    }
}

/* Giving. */

static bool session_fork_may_send(const struct session *session, const struct session_log *log)
{
    return session->phase == PHASE_LIVE && session->credit >= RETURN_SIZE_MAX &&
           session_has_window(session) && session_proof_may_give(session, log);
}

static void session_fork_send(struct session *session, const struct returned_row *row)
{
    size_t before = session->out.size, size;

    session_facts_tell(session, &row->log.device);
    before = session->out.size;
    message_put_returned(row, session->returned_sent++, &session->out);
    size = session->out.size - before;
    session->progress.entries_sent += row->entries.count;
    session->progress.bytes_sent += size;
    session->credit -= size < session->credit ? size : session->credit;
}

/* PROTOCOL RETURN-11: "A device that its owner gave up is given no returned batch, asked for or
 * not" The store may know it a moment before the session is told. */
static bool session_fork_is_out(struct session *session, const struct id *space)
{
    struct log_id id = {.space = *space, .device = *session_remote_device(session)};
    struct replica_standing standing = {0};
    enum err err = session->replica->standing(session->replica->self, &id, &standing);

    if (err != ERR_OK && err != ERR_NOT_FOUND)
        session_fail(session, err);
    session->options.is_remote_out |= standing.is_out;
    return session->options.is_remote_out;
}

static void session_fork_give(struct session *session, struct session_log *log,
                              struct returned_row *row)
{
    enum err err =
        session_fork_is_out(session, &log->id.space)
            ? ERR_NOT_FOUND
            : session->replica->fetch(session->replica->self, &log->id, &log->fetch, row);

    if (err == ERR_OK) {
        log->fetch = row->end;
        log->is_fetching = log->fetch.size < log->tip.size;
        row->is_last = !log->is_fetching;
        session_fork_send(session, row);
    } else if (err == ERR_NOT_FOUND) {
        log->is_fetching = false; /* It was cut meanwhile, or is not for that device. */
    } else {
        session_fail(session, err);
    }
    returned_release(row);
}

/* PROTOCOL RETURN-2: "What was cut is offered to every device of its author, and between devices of
 * one member whoever wrote it, in every session, until its restatement has come." */
static void session_fork_return(struct session *session, struct returned_row *row)
{
    const struct replica *replica = session->replica;
    enum err err =
        replica->next_return(replica->self, &session->options.peer, &session->place, row);

    if (err == ERR_OK && session_fork_is_out(session, &row->log.space))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK &&
        offers_add(&session->offers, session->options.handshake_hash, &row->end.hash)) {
        row->is_last = true;
        session_fork_send(session, row);
    }
    if (err == ERR_NOT_FOUND) {
        session->has_returns = false;
        session->place = (struct replica_place){0};
    } else if (err != ERR_OK) {
        session_fail(session, err);
    }
    returned_release(row);
}

void session_fork_pump(struct session *session)
{
    struct returned_row *row = NULL;
    bool is_wanted = session->has_returns && session_proof_may_give(session, NULL);

    for (size_t at = 0; at < session->logs_count && !is_wanted; at++)
        is_wanted = session->logs[at].is_fetching;
    if (!is_wanted || session->phase != PHASE_LIVE)
        return;
    row = secret_new(sizeof *row);
    if (row == NULL) {
        session_fail(session, ERR_NOMEM);
        return;
    }
    for (size_t at = 0; at < session->logs_count; at++)
        while (session->logs[at].is_fetching && session_fork_may_send(session, &session->logs[at]))
            session_fork_give(session, &session->logs[at], row);
    while (session->has_returns && session_fork_may_send(session, NULL))
        session_fork_return(session, row);
    secret_free(row);
}

bool session_fork_is_settled(const struct session *session)
{
    for (size_t at = 0; at < session->logs_count; at++)
        if (session->logs[at].is_forked)
            return false;
    return !session->has_returns && session->returned_stored == session->returned_sent;
}

void session_fork_release(struct session *session)
{
    heap_free(session->told);
    offers_release(&session->offers);
    buf_release(&session->facts);
}
