/*
 * What we give. Digests first; marks only when they differ; then batches from where the other side
 * stands, within its credit and our window; then every commit as it comes.
 */
#include "proto/session_state.h"

#include <stdlib.h>
#include <string.h>

/* ---- digests and marks */

/* What was taken from the other side need not be given back to it. */
static void session_set_tip(struct session_log *log, const struct chain *tip)
{
    log->tip = *tip;
    if (!log->has_taken || log->taken.size < tip->size || log->sent.size >= tip->size)
        return;
    log->sent = *tip;
    log->acked = tip->size;
}

struct session_marks {
    struct session *session;
    struct buf mine, yours; /* struct mark each */
};

static enum err session_collect_mark(void *self, const struct replica_log *log)
{
    struct session_marks *marks = self;
    bool is_own =
        public_key_is_equal(&marks->session->options.peer, &marks->session->options.member);
    struct buf *to = log->is_mine || is_own ? &marks->mine : &marks->yours;
    struct mark mark;
    uint32_t index;

    memset(&mark, 0, sizeof mark);
    chain_mark(&log->tip, &log->log, &mark);
    buf_append(to, span_of(&mark, sizeof mark));
    if (to->is_failed || !session_find_log(marks->session, &log->log, log->is_mine, &index))
        return ERR_NOMEM;
    session_set_tip(&marks->session->logs[index], &log->tip);
    return ERR_OK;
}

static int session_mark_order(const void *left, const void *right)
{
    const struct mark *first = left, *second = right;
    int order = memcmp(first->log.space.bytes, second->log.space.bytes, ID_SIZE);

    return order != 0 ? order : memcmp(first->log.device.bytes, second->log.device.bytes, 32);
}

/* PROTOCOL SYNC-2: "A digest is a keyed hash over the marks in ascending order of space and
 * device." */
static void session_digest(const struct session *session, struct buf *marks,
                           uint8_t out[static DIGEST_SIZE])
{
    size_t count = marks->size / sizeof(struct mark);
    struct mark *list = (struct mark *)(void *)marks->data;
    struct buf bytes = {0};
    struct span part;

    if (count > 0)
        qsort(list, count, sizeof *list, session_mark_order);
    for (size_t at = 0; at < count; at++) {
        buf_append(&bytes, span_of(list[at].log.space.bytes, ID_SIZE));
        buf_append(&bytes, span_of(list[at].log.device.bytes, 32));
        buf_u64(&bytes, list[at].size);
        buf_append(&bytes, span_of(list[at].tag, TAG_SIZE));
    }
    marks->is_failed |= bytes.is_failed;
    part = buf_span(&bytes);
    digest_keyed(session->options.handshake_hash, "kith digest", &part, 1, out, DIGEST_SIZE);
    buf_release(&bytes);
}

/* Reads anew what is shared. The marks stay in out until released. */
static bool session_look(struct session *session, struct session_marks *out)
{
    enum err err;

    *out = (struct session_marks){.session = session};
    err = session->replica->logs(session->replica->self, &session->options.peer,
                                 session_collect_mark, out);
    if (err == ERR_OK)
        return true;
    session_fail(session, err);
    return false;
}

static void session_marks_release(struct session_marks *marks)
{
    buf_release(&marks->mine);
    buf_release(&marks->yours);
}

void session_sync_start(struct session *session)
{
    struct hello hello = {.version = PROTOCOL_VERSION, .addresses = session->options.addresses};
    struct session_marks marks;
    bool is_own = public_key_is_equal(&session->options.peer, &session->options.member);

    session->phase = PHASE_HELLO;
    if (session_look(session, &marks)) {
        session_digest(session, &marks.mine, session->mine);
        session_digest(session, is_own ? &marks.mine : &marks.yours, session->yours);
        if (marks.mine.is_failed || marks.yours.is_failed)
            session_fail(session, ERR_NOMEM);
    }
    session_marks_release(&marks);
    if (session->phase == PHASE_OVER)
        return;
    memcpy(hello.mine, session->mine, DIGEST_SIZE);
    memcpy(hello.yours, session->yours, DIGEST_SIZE);
    message_put_hello(&hello, &session->out);
}

/* Marks of both sides' logs, pairs before cards as the replica gives them. */
void session_send_marks(struct session *session)
{
    struct session_marks marks;
    struct mark *list;
    size_t count, at = 0;

    if (!session_look(session, &marks)) {
        session_marks_release(&marks);
        return;
    }
    buf_append(&marks.mine, buf_span(&marks.yours));
    list = (struct mark *)(void *)marks.mine.data;
    count = marks.mine.size / sizeof *list;
    if (marks.mine.is_failed) {
        session_fail(session, ERR_NOMEM);
        count = 0;
    }
    do {
        size_t some = count - at < MARKS_PER_MESSAGE_MAX ? count - at : MARKS_PER_MESSAGE_MAX;

        message_put_marks(list + at, some, at + some == count, &session->out);
        at += some;
    } while (at < count);
    session_marks_release(&marks);
}

/* ---- hello */

static void session_all_known(struct session *session)
{
    for (size_t at = 0; at < session->logs_count; at++) {
        struct session_log *log = &session->logs[at];
        struct session_effect *effect;

        log->sent = log->tip;
        log->acked = log->announced = log->tip.size;
        log->must_start = true;
        effect = log->is_mine ? session_effect(session, SESSION_DELIVERED) : NULL;
        if (effect != NULL) {
            effect->delivered.log = log->id;
            effect->delivered.size = log->tip.size;
        }
    }
}

static void session_on_hello(struct session *session, const struct hello *hello)
{
    struct session_effect *effect;

    if (session->phase != PHASE_HELLO) {
        session_violation(session, "a hello out of place");
        return;
    }
    if (hello->version != PROTOCOL_VERSION) {
        message_put_bye(BYE_VERSION, &session->out);
        session_end(session, SESSION_END_VERSION, "the other side speaks another version");
        return;
    }
    effect = session_effect(session, SESSION_ADDRESSES);
    if (effect != NULL)
        effect->addresses = hello->addresses;
    if (memcmp(hello->mine, session->yours, DIGEST_SIZE) == 0 &&
        memcmp(hello->yours, session->mine, DIGEST_SIZE) == 0) {
        session_all_known(session);
        session->phase = PHASE_LIVE;
        return;
    }
    session->phase = PHASE_MARKS;
    session_send_marks(session);
}

/* ---- their marks */

/* PROTOCOL SYNC-5: "Where a tag differs at its size, or a log of mine is held longer than I hold
 * it, the log has two branches." */
static void session_on_mark(struct session *session, const struct mark *mark)
{
    struct session_log *log;
    struct chain chain;
    uint32_t index;
    enum err err;

    err = session->replica->tip(session->replica->self, &mark->log, &chain);
    if (err != ERR_OK) {
        session_fail(session, err);
        return;
    }
    if (!session_find_log(session, &mark->log, false, &index)) {
        session_violation(session, "more logs than one may have");
        return;
    }
    log = &session->logs[index];
    log->announced = mark->size;
    if (mark->size > chain.size) {
        if (log->is_mine &&
            !public_key_is_equal(&session->options.peer, &session->options.member)) {
            message_put_bye(BYE_FORK, &session->out);
            session_end(session, SESSION_END_FORK, "they hold more of a log of mine than I do");
        }
        log->sent = chain;
        log->acked = chain.size;
        return;
    }
    err = session->replica->chain_at(session->replica->self, &mark->log, mark->size, &chain);
    if (err != ERR_OK) {
        session_fail(session, err);
    } else if (memcmp(chain.hash.bytes, mark->tag, TAG_SIZE) != 0) {
        message_put_bye(BYE_FORK, &session->out);
        session_end(session, SESSION_END_FORK, "a log has two branches");
    } else {
        log->sent = chain;
        log->acked = mark->size;
        log->must_start = true;
    }
}

/* Says how much will come, so that a progress bar tells the truth. */
static void session_announce(struct session *session)
{
    uint64_t entries = 0, bytes = 0;

    for (size_t at = 0; at < session->logs_count; at++) {
        uint64_t some_entries = 0, some_bytes = 0;
        enum err err;

        if (session->logs[at].sent.size >= session->logs[at].tip.size)
            continue;
        err = session->replica->count(session->replica->self, &session->logs[at].id,
                                      session->logs[at].sent.size, &some_entries, &some_bytes);
        if (err != ERR_OK) {
            session_fail(session, err);
            return;
        }
        entries += some_entries;
        bytes += some_bytes;
    }
    if (entries > 0)
        message_put_totals(entries, bytes, &session->out);
}

static void session_on_marks(struct session *session, struct message *message)
{
    struct session_marks again;
    struct mark mark;
    enum err err = ERR_OK;

    if (session->phase != PHASE_MARKS && session->phase != PHASE_LIVE) {
        session_violation(session, "marks out of place");
        return;
    }
    while (session->phase != PHASE_OVER && (err = message_next_mark(message, &mark)) == ERR_OK)
        session_on_mark(session, &mark);
    if (session->phase == PHASE_OVER)
        return;
    if (err != ERR_NOT_FOUND) {
        session_violation(session, "a mark that cannot be read");
        return;
    }
    if (!message->marks.is_last)
        return;
    if (session_look(session, &again)) {
        session_announce(session);
        if (session->phase == PHASE_MARKS)
            session->phase = PHASE_LIVE;
    }
    session_marks_release(&again);
}

/* ---- acknowledgements and credit */

static void session_on_acks(struct session *session, struct message *message)
{
    struct ack ack;
    enum err err;

    while ((err = message_next_ack(message, &ack)) == ERR_OK) {
        struct session_log *log = NULL;
        struct session_effect *effect;

        for (size_t at = 0; at < session->logs_count && log == NULL; at++)
            if (session->logs[at].has_alias && session->logs[at].alias == ack.alias)
                log = &session->logs[at];
        if (log == NULL || ack.size > log->sent.size) {
            session_violation(session, "an acknowledgement of what was never sent");
            return;
        }
        if (ack.size > log->acked)
            log->acked = ack.size;
        effect = log->is_mine ? session_effect(session, SESSION_DELIVERED) : NULL;
        if (effect != NULL) {
            effect->delivered.log = log->id;
            effect->delivered.size = ack.size;
        }
    }
    if (err != ERR_NOT_FOUND)
        session_violation(session, "an acknowledgement that cannot be read");
}

static void session_on_credit(struct session *session, uint64_t bytes)
{
    if (session->credit + bytes > CREDIT_MAX)
        session_violation(session, "more credit than was ever taken");
    else
        session->credit += bytes;
}

void session_sync_message(struct session *session, struct message *message)
{
    if (session->phase < PHASE_HELLO ||
        (session->phase == PHASE_HELLO && message->type != MESSAGE_HELLO)) {
        session_violation(session, "a message before the hello");
        return;
    }
    switch (message->type) {
    case MESSAGE_HELLO:
        session_on_hello(session, &message->hello);
        break;
    case MESSAGE_MARKS:
        session_on_marks(session, message);
        break;
    case MESSAGE_TOTALS:
        session->progress.entries_expected += message->totals.entries;
        session->progress.bytes_expected += message->totals.bytes;
        break;
    case MESSAGE_LOG:
        session_take_log(session, message);
        break;
    case MESSAGE_BATCH:
        session_take_batch(session, message);
        break;
    case MESSAGE_ACK:
        session_on_acks(session, message);
        break;
    case MESSAGE_CREDIT:
        session_on_credit(session, message->credit);
        break;
    case MESSAGE_BYE:
    case MESSAGE_PING:
    case MESSAGE_PONG:
    case MESSAGE_IDENTITY:
    case MESSAGE_LINK:
    case MESSAGE_REFUSED:
        break; /* Handled before they come here. */
    }
}

/* ---- giving */

static enum err session_note_tip(void *self, const struct replica_log *log)
{
    struct session *session = self;
    uint32_t index;

    if (!session_find_log(session, &log->log, log->is_mine, &index))
        return ERR_NOMEM;
    session->logs[index].is_mine = log->is_mine;
    session_set_tip(&session->logs[index], &log->tip);
    return ERR_OK;
}

void session_sync_news(struct session *session, const struct id *space)
{
    enum err err;

    if (session->phase < PHASE_HELLO || session->phase == PHASE_OVER)
        return;
    err = session->replica->space_logs(session->replica->self, &session->options.peer, space,
                                       session_note_tip, session);
    if (err != ERR_OK)
        session_fail(session, err);
}

static void session_send_batch(struct session *session, struct session_log *log)
{
    uint8_t signature[SIGNATURE_SIZE];
    struct batch_writer writer = {0};
    size_t before = session->out.size, size;
    struct chain end;
    enum err err = session->replica->read(session->replica->self, &log->id, &log->sent, &writer,
                                          &end, signature);

    if (err != ERR_OK) {
        batch_release(&writer);
        session_fail(session, err);
        return;
    }
    if (!log->has_alias) {
        log->alias = session->next_alias++;
        log->has_alias = true;
        log->must_start = true;
        message_put_log(log->alias, &log->id, &session->out);
    }
    message_put_batch(log->alias, log->must_start ? &log->sent : NULL, &writer, signature,
                      &session->out);
    size = session->out.size - before;
    session->progress.entries_sent += writer.count;
    session->progress.bytes_sent += size;
    session->window += size;
    session->credit -= size < session->credit ? size : session->credit;
    log->must_start = false;
    log->sent = end;
    batch_release(&writer);
}

static bool session_may_send(const struct session *session)
{
    return session->phase == PHASE_LIVE && session->window < SESSION_WINDOW &&
           session->credit >= BATCH_SIZE_MAX;
}

static bool session_all_in_step(const struct session *session)
{
    if (session->phase != PHASE_LIVE || session->pending_count > 0 || session->needs_marks)
        return false;
    for (size_t at = 0; at < session->logs_count; at++) {
        const struct session_log *log = &session->logs[at];

        if (log->tip.size > log->acked || log->announced > log->tip.size)
            return false;
    }
    return true;
}

void session_sync_pump(struct session *session)
{
    bool is_in_step;

    for (size_t at = 0; at < session->logs_count && session_may_send(session); at++)
        while (session->logs[at].sent.size < session->logs[at].tip.size &&
               session_may_send(session))
            session_send_batch(session, &session->logs[at]);
    is_in_step = session_all_in_step(session);
    if (is_in_step != session->is_in_step) {
        struct session_effect *effect = session_effect(session, SESSION_IN_STEP);

        session->is_in_step = is_in_step;
        if (effect != NULL)
            effect->is_in_step = is_in_step;
    }
}
