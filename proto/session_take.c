/* What we take: batches are verified here, committed by the writer, and only then acknowledged. */
#include "proto/session_state.h"

#include <string.h>

#include "crypto/heap.h"

/* Names for logs. */

static bool session_add_alias(struct session *session, struct session_alias alias)
{
    if ((session->aliases_count & (session->aliases_count - 1)) == 0) {
        size_t capacity = session->aliases_count == 0 ? 1 : session->aliases_count * 2;
        struct session_alias *grown = heap_resize(session->aliases, capacity * sizeof *grown);

        if (grown == NULL)
            return false;
        session->aliases = grown;
    }
    session->aliases[session->aliases_count++] = alias;
    return true;
}

/* Finds the log an alias is for, or leaves it ignored while nothing of it is wanted. */
static void session_settle_alias(struct session *session, struct session_alias *alias)
{
    struct replica_standing standing;
    struct replica_log now;
    struct session_log *log;
    enum err err =
        session->replica->accepts(session->replica->self, &session->options.peer, &alias->id);

    session_pace_count(session, 4 * SESSION_WORK_ROW);
    alias->is_ignored = err == ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return;
    alias->is_closed = err == ERR_STATE;
    if (err == ERR_STATE)
        err = ERR_OK;
    if (err == ERR_OK)
        err = session_find_log(session, &alias->id, false, &alias->log);
    if (err == ERR_OK)
        err = session->replica->standing(session->replica->self, &alias->id, &standing);
    if (err == ERR_OK) {
        log = &session->logs[alias->log];
        log->is_mine |= standing.is_mine;
        log->is_foreign = false;
        if (!log->has_taken)
            err = session->replica->tip(session->replica->self, &log->id, &now);
        if (!log->has_taken && err == ERR_OK)
            log->taken = now.tip;
        log->has_taken = err == ERR_OK;
    }
    session_check(session, err);
}

/* PROTOCOL SYNC-7: "Each side names the logs it gives from 0 upwards, each number and each log
 * once." */
void session_take_log(struct session *session, const struct message *message)
{
    struct session_alias alias = {.id = message->log.log, .is_lost = true};
    uint64_t word = places_word(session->options.handshake_hash, &alias.id);
    bool is_named = message->log.alias != session->aliases_count;
    size_t step = 0;
    uint32_t at;

    while (!is_named && places_next(&session->aliases_places, word, &step, &at))
        is_named = log_id_is_equal(&session->aliases[at].id, &alias.id);
    if (is_named) {
        session_violation(session, "SYNC-7: Each side names the logs it gives from 0 upwards, each "
                                   "number and each log once.");
        return;
    }
    if (session->aliases_count >= session_logs_max(session)) {
        session_check(session, ERR_LIMIT);
        return;
    }
    session_settle_alias(session, &alias);
    if (session->phase != PHASE_OVER &&
        (!places_add(&session->aliases_places, word, (uint32_t)session->aliases_count) ||
         !session_add_alias(session, alias)))
        session_fail(session, ERR_NOMEM);
}

/* PROTOCOL SYNC-10: "What was ignored is asked for, by marks, when a commit has made its log
 * known." */
void session_take_again(struct session *session)
{
    for (size_t at = 0; at < session->aliases_count && session->phase != PHASE_OVER; at++) {
        struct session_alias *alias = &session->aliases[at];
        bool was_closed;

        was_closed = alias->is_closed;
        if (!alias->is_ignored && !was_closed)
            continue;
        session_settle_alias(session, alias);
        session->needs_marks |= !alias->is_ignored && !(was_closed && alias->is_closed);
    }
}

/* Batches. */

void session_return_credit(struct session *session, uint64_t bytes)
{
    session->credit_owed += bytes;
    if (session->credit_owed < SESSION_CREDIT_STEP)
        return;
    message_put_credit(session->credit_owed, &session->out);
    session->credit_given += session->credit_owed;
    session->credit_owed = 0;
}

/* PROTOCOL SYNC-9: "Between devices of one member the receiver gives more when more is announced."
 * A peer's batches in memory stay within CREDIT_START. */
void session_take_announced(struct session *session, uint64_t bytes)
{
    uint64_t wanted = bytes < CREDIT_MAX ? bytes : CREDIT_MAX;

    if (!session_is_own(session) || wanted <= session->credit_all)
        return;
    message_put_credit(wanted - session->credit_all, &session->out);
    session->credit_given += wanted - session->credit_all;
    session->credit_all = wanted;
}

bool session_add_pending(struct session *session, const struct session_pending *pending)
{
    if ((session->pending_count & (session->pending_count - 1)) == 0) {
        size_t capacity = session->pending_count == 0 ? 1 : session->pending_count * 2;
        struct session_pending *grown = heap_resize(session->pending, capacity * sizeof *grown);

        if (grown == NULL)
            return false;
        session->pending = grown;
    }
    session->pending[session->pending_count++] = *pending;
    session->pending_bytes += pending->bytes;
    return true;
}

/* Does what the batch says it begins with lie on the chain I hold? What is not committed yet
 * cannot be asked for, and is not doubted. */
static bool session_is_on_chain(struct session *session, const struct session_log *log,
                                const struct message *message)
{
    const struct hash *hash = &message->batch.start.hash;
    struct chain chain = log->taken;
    enum err err;

    if (!message->batch.has_start)
        return true;
    if (message->batch.start.size != log->taken.size) {
        session_pace_count(session, SESSION_WORK_CHAIN);
        err = session->replica->chain_at(session->replica->self, &log->id,
                                         message->batch.start.size, &chain);
        if (err == ERR_NOT_FOUND)
            return true;
        session_check(session, err);
    }
    return memcmp(hash->bytes, chain.hash.bytes, HASH_SIZE) == 0;
}

enum session_place { PLACE_NEXT, PLACE_OLD, PLACE_LOST };

/* PROTOCOL BEGIN-3: "It is taken by whoever holds nothing of the log, and of no log of its own
 * member." */
static bool session_takes_first(const struct session_log *log, const struct message *message)
{
    return message->batch.is_first && log->taken.size == 0 && !log->is_mine;
}

/* PROTOCOL SYNC-8: "A batch that begins where its log stands is taken; one that is wholly older is
 * passed over; any other is dropped, and marks are said again." */
static enum session_place session_place(struct session *session, struct session_alias *alias,
                                        const struct message *message, size_t count)
{
    const struct session_log *log = &session->logs[alias->log];

    if (!message->batch.has_start && alias->is_lost)
        return PLACE_LOST;
    /* What continues a lost batch is lost with it; where a start is named, marks are due anew. */
    if (message->batch.has_start) {
        alias->size = message->batch.start.size;
        alias->is_lost = false;
    }
    if (session_takes_first(log, message))
        return PLACE_NEXT;
    if (alias->size > log->taken.size || !session_is_on_chain(session, log, message))
        return PLACE_LOST;
    if (alias->size == log->taken.size)
        return PLACE_NEXT;
    return alias->size + count <= log->taken.size ? PLACE_OLD : PLACE_LOST;
}

/* Another of my member's devices wrote it: it is not of what the peer's member writes. */
static bool session_is_handed_back(const struct session *session, const struct session_log *log)
{
    return log->is_mine && !session_is_own(session);
}

static void session_ingest(struct session *session, struct session_log *log,
                           const struct session_pending *pending, struct verified_batch *batch)
{
    struct session_effect *effect;

    if (!session_add_pending(session, pending)) {
        verified_batch_free(batch);
        session_fail(session, ERR_NOMEM);
        return;
    }
    effect = session_effect(session, SESSION_INGEST);
    if (effect == NULL) {
        verified_batch_free(batch);
        return;
    }
    effect->ingest.ticket = pending->ticket;
    effect->ingest.batch = batch;
    if (!session_is_handed_back(session, log)) {
        session->room.entries -= verified_batch_count(batch);
        session->room.bytes -= pending->bytes;
    }
    log->taken = *verified_batch_end(batch);
    log->gave = log->taken.size;
    session->progress.entries_received += verified_batch_count(batch);
}

/* PROTOCOL SYNC-18: "The hashes and the signature of a batch fit." */
static void session_take_next(struct session *session, struct session_alias *alias,
                              struct message *message)
{
    struct session_pending pending = {.ticket = session->next_ticket++,
                                      .log = alias->log,
                                      .alias = message->batch.alias,
                                      .bytes = session->in.taken_last};
    struct session_log *log = &session->logs[alias->log];
    const struct log_beginning *beginning = &message->batch.start;
    struct verified_batch *batch;
    enum err err;

    if (session_takes_first(log, message))
        log->taken = (struct chain){.size = beginning->size, .hash = beginning->hash};
    else
        beginning = NULL;
    err = batch_verify(&message->batch.rest, &log->id, &log->taken, &pending.end, &batch);
    if (err == ERR_OK && beginning != NULL)
        verified_batch_begin(batch, beginning);
    if (err == ERR_NOMEM) {
        session_fail(session, err);
    } else if (err != ERR_OK) {
        session_violation(session, "SYNC-18: The hashes and the signature of a batch fit.");
    } else {
        alias->size = pending.end.size;
        alias->is_lost = false;
        pending.entries = verified_batch_count(batch);
        session_ingest(session, log, &pending, batch);
    }
}

/* Room. */

void session_take_say_full(struct session *session)
{
    if (session->is_full)
        message_put_credit(0, &session->out);
}

/* What the replica has room for, less what is under way. */
static bool session_ask_room(struct session *session)
{
    uint64_t entries = 0, bytes = 0;
    enum err err =
        session->replica->room(session->replica->self, &session->options.peer, &session->room);

    if (err != ERR_OK) {
        session_fail(session, err);
        return false;
    }
    for (size_t at = 0; at < session->pending_count; at++) {
        const struct session_pending *pending = &session->pending[at];

        if (pending->is_returned || session_is_handed_back(session, &session->logs[pending->log]))
            continue;
        entries += pending->entries;
        bytes += pending->bytes;
    }
    session->room.entries -= entries < session->room.entries ? entries : session->room.entries;
    session->room.bytes -= bytes < session->room.bytes ? bytes : session->room.bytes;
    return true;
}

/* Room is asked for in portions: a disk fills, an owner wants less, while a session lasts. */
static void session_keep_portion(struct session *session, uint64_t entries, uint64_t bytes)
{
    if (session->room.entries > PEER_PORTION_ENTRIES + entries)
        session->room.entries = PEER_PORTION_ENTRIES + entries;
    if (session->room.bytes > PEER_PORTION_BYTES + bytes)
        session->room.bytes = PEER_PORTION_BYTES + bytes;
}

/* PROTOCOL SYNC-20: "Whoever is full says so when it finds no room, and behind its marks as long as
 * it has none." */
bool session_take_fits(struct session *session, uint64_t entries, uint64_t bytes)
{
    bool is_enough = session->room.entries >= entries && session->room.bytes >= bytes;
    struct session_effect *effect;

    if (session->is_full || (!is_enough && !session_ask_room(session)))
        return false;
    if (session->room.entries >= entries && session->room.bytes >= bytes) {
        session_keep_portion(session, entries, bytes);
        return true;
    }
    session->is_full = true;
    session_take_say_full(session);
    effect = session_effect(session, SESSION_FULL);
    if (effect != NULL)
        effect->is_theirs = false;
    return false;
}

void session_take_look_room(struct session *session)
{
    if (!session->is_full || session->phase != PHASE_LIVE || !session_ask_room(session) ||
        session->room.entries < session->room.entries_max / PEER_ROOM_MIN_PART ||
        session->room.bytes < session->room.bytes_max / PEER_ROOM_MIN_PART ||
        session->room.entries == 0 || session->room.bytes == 0)
        return;
    session->is_full = false;
    session->needs_marks = true;
}

/* PROTOCOL SYNC-20: "What a peer hands back of the hearer's own member is bounded by the disk
 * alone."
 */
static bool session_bears(struct session *session, const struct session_alias *alias, size_t count)
{
    const struct replica *replica = session->replica;
    struct replica_room room;
    enum err err = ERR_OK;

    if (session_is_handed_back(session, &session->logs[alias->log])) {
        err = replica->room(replica->self, &session->options.member, &room);
        if (err == ERR_OK && room.entries > 0)
            return true;
    }
    if (err == ERR_OK)
        return session_take_fits(session, count, session->in.taken_last);
    session_fail(session, err);
    return false;
}

/* Dropped for want of room: there, but not asked for again before there is some. */
static void session_turn_away(struct session *session, struct session_alias *alias, size_t count)
{
    struct session_log *log = &session->logs[alias->log];

    alias->size += count;
    if (log->announced < alias->size)
        log->announced = alias->size;
    alias->is_lost = true;
    session_return_credit(session, session->in.taken_last);
}

/* PROTOCOL SYNC-9: "A batch stays within the credit that was given, and within BATCH_SIZE_MAX." */
bool session_take_credit(struct session *session, size_t max)
{
    size_t bytes = session->in.taken_last;

    if (bytes > session->credit_given || bytes > max ||
        session->pending_count >= SESSION_PENDING_MAX) {
        session_violation(session, "SYNC-9: A batch stays within the credit that was given, and "
                                   "within BATCH_SIZE_MAX.");
        return false;
    }
    session->credit_given -= bytes;
    session->progress.bytes_received += bytes;
    return true;
}

static bool session_takes_batch(struct session *session, const struct message *message)
{
    if (message->batch.alias < session->aliases_count)
        return session_take_credit(session, BATCH_SIZE_MAX);
    session_violation(session, "SYNC-7: A batch carries a number that was given to a log.");
    return false;
}

/* What is lost was shown to be there: not in step before it has come. */
static void session_pass_over(struct session *session, struct session_alias *alias, bool is_lost,
                              size_t count)
{
    struct session_log *log = &session->logs[alias->log];

    alias->size += count;
    if (is_lost && log->announced < alias->size)
        log->announced = alias->size;
    session->needs_marks |= is_lost && !alias->is_lost;
    alias->is_lost = is_lost;
    session_return_credit(session, session->in.taken_last);
}

/* Is what a batch of older entries says what I hold? Where that is not committed yet its own commit
 * will tell. */
static bool session_is_held(struct session *session, const struct session_alias *alias,
                            struct message *message, bool *out_is_stored)
{
    const struct replica *replica = session->replica;
    struct verified_batch *batch;
    struct chain chain, end;
    enum err err = replica->chain_at(replica->self, &alias->id, alias->size, &chain);

    session_pace_count(session, 2 * SESSION_WORK_CHAIN);
    *out_is_stored = false;
    if (err == ERR_OK) {
        enum err read = batch_verify(&message->batch.rest, &alias->id, &chain, &end, &batch);

        /* It continues something else: honest where a branch was cut meanwhile. */
        if (read != ERR_OK && read != ERR_NOMEM)
            return false;
        err = read;
    }
    if (err == ERR_OK) {
        verified_batch_free(batch);
        err = replica->chain_at(replica->self, &alias->id, end.size, &chain);
    }
    if (err == ERR_NOT_FOUND)
        return true;
    if (err != ERR_OK) {
        session_fail(session, err);
        return false;
    }
    *out_is_stored = memcmp(chain.hash.bytes, end.hash.bytes, HASH_SIZE) == 0;
    return *out_is_stored;
}

/* PROTOCOL SYNC-8: "What is passed over and stored is acknowledged: it may have come in another
 * session." Another branch of it is no such thing. */
static void session_take_old(struct session *session, struct message *message, size_t count)
{
    struct session_alias *alias = &session->aliases[message->batch.alias];
    struct ack ack = {.alias = message->batch.alias, .size = alias->size + count};
    bool is_stored, is_held = session_is_held(session, alias, message, &is_stored);

    if (session->phase == PHASE_OVER)
        return;
    session_pass_over(session, alias, !is_held, count);
    if (is_stored)
        message_put_acks(&ack, 1, &session->out);
}

void session_take_batch(struct session *session, struct message *message)
{
    enum session_place place = PLACE_LOST;
    struct session_alias *alias;
    struct wire rest;
    size_t count;

    if (!session_takes_batch(session, message))
        return;
    alias = &session->aliases[message->batch.alias];
    if (alias->is_ignored || session->options.is_remote_retired) {
        alias->is_lost = true;
        session_return_credit(session, session->in.taken_last);
        return;
    }
    rest = message->batch.rest;
    count = wire_array(&rest, 1, BLOCK_ENTRIES_MAX).left;
    if (wire_err(&session->doc) != ERR_OK)
        session_violation(session, "SYNC-17: A message has the shape its number says.");
    else
        place = session_place(session, alias, message, count);
    if (session->phase == PHASE_OVER)
        return;
    if (place == PLACE_NEXT && !alias->is_closed && !session_bears(session, alias, count))
        session_turn_away(session, alias, count);
    else if (place == PLACE_NEXT && !alias->is_closed)
        session_take_next(session, alias, message);
    else if (place == PLACE_OLD)
        session_take_old(session, message, count);
    else if (alias->is_closed)
        session_return_credit(session, session->in.taken_last);
    else
        session_pass_over(session, alias, true, count);
}

/* PROTOCOL SYNC-8: "Marks wait until no batch is uncommitted." */
void session_take_settle(struct session *session)
{
    if (!session->needs_marks || session->pending_count > 0 || session->phase != PHASE_LIVE ||
        !session_has_window(session))
        return;
    session->needs_marks = false;
    session_send_marks(session);
    session_take_say_full(session);
    for (size_t at = 0; at < session->aliases_count && session->phase != PHASE_OVER; at++) {
        struct session_alias *alias = &session->aliases[at];
        struct session_log *log = alias->is_ignored ? NULL : &session->logs[alias->log];

        if (log == NULL || alias->is_closed ||
            (log->taken.size == log->tip.size &&
             memcmp(log->taken.hash.bytes, log->tip.hash.bytes, HASH_SIZE) == 0))
            continue;
        log->taken = log->tip;
        alias->is_lost = true;
    }
}

/* Commits. */

/* PROTOCOL SYNC-11: "A batch is acknowledged when it is stored durably, never before." */
static void session_acknowledge(struct session *session, const struct session_pending *done)
{
    struct session_log *log = &session->logs[done->log];
    struct ack ack = {.alias = done->alias, .size = done->end.size};
    struct replica_log now;
    enum err err = session->replica->tip(session->replica->self, &log->id, &now);

    if (err != ERR_OK) {
        session_fail(session, err);
        return;
    }
    message_put_acks(&ack, 1, &session->out);
    session_set_tip(session, log, &now);   /* One commit may have stored more than this batch. */
    if (log->sent.size < done->end.size) { /* They gave it: they have it. */
        log->sent = done->end;
        log->must_start = true;
    }
    if (log->acked < done->end.size)
        log->acked = done->end.size;
    if (log->announced < done->end.size)
        log->announced = done->end.size;
    session_deliver(session, log, done->end.size);
    session->must_want = true;
    session_take_again(session);
}

/* PROTOCOL SYNC-19: "A device writes only when its member certified it." */
void session_take_committed(struct session *session, uint64_t ticket, enum err err)
{
    struct session_pending done;
    size_t at = 0;

    while (at < session->pending_count && session->pending[at].ticket != ticket)
        at++;
    if (at == session->pending_count)
        return;
    done = session->pending[at];
    memmove(&session->pending[at], &session->pending[at + 1],
            (session->pending_count - at - 1) * sizeof *session->pending);
    /* The capacity follows from the count: it may be too large afterwards, never too small. */
    session->pending_count--;
    session->pending_bytes -= done.bytes;
    if (done.is_fill) {
        session_want_committed(session, err);
    } else if (done.is_returned) {
        session_fork_committed(session, &done, err);
    } else if (err == ERR_OK) {
        session_acknowledge(session, &done);
    } else if (err == ERR_DETACHED) {
        session->aliases[done.alias].is_lost = true;
        session->needs_marks = true;
        if (session->logs[done.log].announced < done.end.size)
            session->logs[done.log].announced = done.end.size;
    } else if (err == ERR_STATE) {
        session->aliases[done.alias].is_closed = true;
    } else if (err == ERR_NOT_FOUND) {
        session->aliases[done.alias].is_ignored = true;
        session->aliases[done.alias].is_lost = true;
        session->logs[done.log].has_taken = false;
        session->logs[done.log].gave = 0;
    } else if (err == ERR_FORGED) {
        session_violation(session, "SYNC-19: A device writes only when its member certified it.");
    } else {
        session_fail(session, err);
    }
    if (session->phase != PHASE_OVER)
        session_return_credit(session, done.bytes);
}
