/* The log never names who was shared: what is taken back must not stay there. */
#include "node/share.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "storage/agenda.h"
#include "storage/forget.h"
#include "storage/journal.h"
#include "storage/row.h"
#include "storage/view_interaction.h"
#include "storage/view_peer.h"

enum { SHARE_NEWS_MS = SHARE_NEWS_HOURS * 3600 * 1000 };

/* Telling and taking back. */

/* PROTOCOL SHARE-4: "Before a share is written again, and when it is taken back, what was written
 * of it is forgotten (FORGET-1)." */
enum err share_withdraw(struct ledger_txn *txn, const struct id *pair_space,
                        const struct id *object)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct object share = {0};
    uint32_t number;
    bool is_there;
    enum err err = row_get(&snapshot, pair_space, KIND_SHARE, object, &share, &number);

    is_there = err == ERR_OK && object_is_visible(&share);
    object_release(&share);
    if (!is_there)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    return forget_object(txn, pair_space, KIND_SHARE, object);
}

enum err share_tell(struct ledger_txn *txn, const struct id *pair_space, const struct id *object,
                    struct span body)
{
    struct amend amend;
    enum err err = share_withdraw(txn, pair_space, object);

    if (err != ERR_OK)
        return err;
    amend_begin(&amend, txn, pair_space, KIND_SHARE, object);
    amend_bytes(&amend, SHARE_BODY, body);
    return amend_end(&amend, NULL);
}

/* Arriving. */

/* One share as its reader's node sees it. */
struct share_case {
    struct ledger_txn *txn;
    struct snapshot snapshot;
    struct space_row space;
    struct id object;
    struct share_counts counts;
    bool stands;
    struct object said; /* the peer's */
};

static enum err share_log(struct ledger_txn *txn, const struct public_key *member, const char *kind,
                          const char *text, const struct id *object)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct journal_row row = {
        .at_ms = ledger_txn_now_ms(txn), .kind = span_str(kind), .text = span_str(text)};
    struct peer *peer = secret_new(sizeof *peer);
    char ref[ID_TEXT_SIZE];
    enum err err;

    if (peer == NULL)
        return ERR_NOMEM;
    err = view_peer(&snapshot, member, peer);
    if (err == ERR_OK)
        row.who = span_str(peer->alias[0] != '\0' ? peer->alias : peer->name);
    if (object != NULL) {
        hex_write(span_of(object->bytes, ID_SIZE), ref);
        row.ref = span_str(ref);
    }
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = journal_add(txn, &row);
    secret_free(peer);
    return err;
}

/* Shown for the first time, and noted as a thing they did for me. */
static enum err share_show_first(struct share_case *at, struct amend *amend)
{
    struct interaction act = {.what = INTERACTION_SHARED_ME};
    char ref[ID_TEXT_SIZE];
    enum err err;

    amend_bytes(amend, SHARE_RECORD_MEMBER, span_of(at->space.writer.bytes, 32));
    amend_bytes(amend, SHARE_RECORD_OBJECT, span_of(at->object.bytes, ID_SIZE));
    amend_number(amend, SHARE_RECORD_SEEN, ledger_txn_now_ms(at->txn));
    amend_number(amend, SHARE_RECORD_DECISION, SHARE_WAITING);
    err = amend_end(amend, NULL);
    hex_write(span_of(at->object.bytes, ID_SIZE), ref);
    act.ref = span_str(ref);
    if (err == ERR_OK)
        err = view_interaction_act(at->txn, &at->space.writer, &act);
    if (err == ERR_OK)
        err = share_log(at->txn, &at->space.writer, "shared",
                        "shared a contact with you: keep it or let it pass (kith share list)",
                        &at->object);
    return err;
}

static bool share_differs(const struct share_case *at, const struct object *record)
{
    struct share kept, said;
    enum share_fault fault;

    return share_read(object_value(record, SHARE_RECORD_BODY).bytes, &kept, &fault) == ERR_OK &&
           share_read(object_value(&at->said, SHARE_BODY).bytes, &said, &fault) == ERR_OK &&
           !share_is_equal(&kept, &said);
}

/* It stands, and was shown before. */
static enum err share_stand(struct share_case *at, struct amend *amend)
{
    uint64_t now_ms = ledger_txn_now_ms(at->txn);
    uint64_t news_ms = object_number(&amend->object, SHARE_RECORD_NEWS);
    bool is_news;
    enum err err;

    amend_clear(amend, SHARE_RECORD_WITHDRAWN);
    is_news = object_number(&amend->object, SHARE_RECORD_DECISION) == SHARE_KEPT &&
              now_ms >= news_ms + SHARE_NEWS_MS && share_differs(at, &amend->object);
    if (is_news)
        amend_number(amend, SHARE_RECORD_NEWS, now_ms);
    err = amend_end(amend, NULL);
    return err == ERR_OK && is_news
               ? share_log(at->txn, &at->space.writer, "shared",
                           "says more, or something else, of a contact that you kept "
                           "(kith share list)",
                           &at->object)
               : err;
}

/* PROTOCOL SHARE-6: "One that nobody kept is deleted when the share is taken back; of one that was
 * kept the record says so." */
static enum err share_gone(struct share_case *at, struct amend *amend)
{
    bool is_kept = object_number(&amend->object, SHARE_RECORD_DECISION) == SHARE_KEPT;
    bool is_news = !is_kept || object_number(&amend->object, SHARE_RECORD_WITHDRAWN) == 0;
    enum err err;

    if (!is_kept)
        amend_delete(amend);
    else if (is_news)
        amend_number(amend, SHARE_RECORD_WITHDRAWN, ledger_txn_now_ms(at->txn));
    err = amend_end(amend, NULL);
    if (err != ERR_OK || !is_news)
        return err;
    return share_log(at->txn, &at->space.writer, "taken back",
                     is_kept ? "took back a contact that you kept: yours stays until you remove it"
                             : "took back a contact that you had not kept",
                     &at->object);
}

static enum err share_settle(struct share_case *at)
{
    struct amend amend;
    struct id record;

    share_record_id(&at->space.writer, &at->object, &record);
    amend_begin(&amend, at->txn, ledger_self_space(at->snapshot.ledger), KIND_SHARE_RECORD,
                &record);
    if (amend.err == ERR_OK && (amend.is_new || !object_is_visible(&amend.object))) {
        if (at->stands && at->counts.waiting < SHARES_WAITING_MAX)
            return share_show_first(at, &amend);
        amend_abort(&amend);
        return ERR_OK;
    }
    return at->stands ? share_stand(at, &amend) : share_gone(at, &amend);
}

/* What was refused is told in one line a day, with the newest reason. */
static enum err share_tell_refused(struct share_case *at)
{
    const struct public_key *member = &at->space.writer;
    uint64_t now_ms = ledger_txn_now_ms(at->txn), next_ms = at->counts.told_ms + SHARE_NEWS_MS;
    const char *why = at->counts.fault == SHARE_FINE
                          ? "there are too many of them"
                          : share_fault_text((enum share_fault)at->counts.fault);
    char text[200];
    enum err err;

    if (at->counts.refused <= at->counts.told)
        return ERR_OK;
    if (at->counts.told_ms != 0 && now_ms < next_ms)
        return agenda_put(at->txn, next_ms, KIND_SHARE, span_of(member->bytes, 32));
    (void)snprintf(text, sizeof text, "shared %" PRIu64 " contact%s that %s refused: %s",
                   at->counts.refused - at->counts.told,
                   at->counts.refused - at->counts.told == 1 ? "" : "s",
                   at->counts.refused - at->counts.told == 1 ? "was" : "were", why);
    err = share_log(at->txn, member, "refused", text, NULL);
    return err == ERR_OK ? view_share_note_told(at->txn, member, now_ms) : err;
}

static enum err share_look_one(struct ledger_txn *txn, uint32_t space, const struct id *object)
{
    struct share_case at = {.txn = txn, .snapshot = ledger_txn_snapshot(txn), .object = *object};
    uint32_t number;
    enum err err = ledger_space_numbered(&at.snapshot, space, &at.space);

    if (err != ERR_OK || at.space.is_mine)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    err = view_share_stands(&at.snapshot, space, object, &at.stands);
    if (err == ERR_OK)
        err = view_share_counts(&at.snapshot, &at.space.writer, &at.counts);
    if (err == ERR_OK && at.stands)
        err = row_get(&at.snapshot, &at.space.id, KIND_SHARE, object, &at.said, &number);
    if (err == ERR_OK)
        err = share_settle(&at);
    if (err == ERR_OK)
        err = share_tell_refused(&at);
    object_release(&at.said);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* All of one peer's. */

static enum err share_on_standing(void *self, const struct id *object)
{
    struct buf *objects = self;

    buf_append(objects, span_of(object->bytes, ID_SIZE));
    return buf_err(objects);
}

struct share_waiting {
    const struct public_key *member;
    struct buf records; /* ids of those not kept */
};

static enum err share_on_record(void *self, uint32_t number, const struct object *record)
{
    struct share_waiting *waiting = self;
    struct span member = object_value(record, SHARE_RECORD_MEMBER).bytes;

    (void)number;
    if (span_is_equal(member, span_of(waiting->member->bytes, sizeof waiting->member->bytes)) &&
        object_number(record, SHARE_RECORD_DECISION) != SHARE_KEPT)
        buf_append(&waiting->records, span_of(record->id.bytes, ID_SIZE));
    return buf_err(&waiting->records);
}

/* Of whoever is a peer no more only what was kept is remembered. */
static enum err share_forget_waiting(struct ledger_txn *txn, const struct public_key *member)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct id *self = ledger_self_space(snapshot.ledger);
    struct share_waiting waiting = {.member = member};
    enum err err = row_each(&snapshot, self, KIND_SHARE_RECORD, share_on_record, &waiting);

    for (size_t at = 0; err == ERR_OK && at < waiting.records.size; at += ID_SIZE) {
        struct amend amend;
        struct id record;

        memcpy(record.bytes, waiting.records.data + at, ID_SIZE);
        amend_begin(&amend, txn, self, KIND_SHARE_RECORD, &record);
        amend_delete(&amend);
        err = amend_end(&amend, NULL);
    }
    buf_release(&waiting.records);
    return err;
}

static enum err share_look_all(struct ledger_txn *txn, const struct public_key *member)
{
    struct share_case at = {.txn = txn, .snapshot = ledger_txn_snapshot(txn)};
    struct peer *peer = secret_new(sizeof *peer);
    struct buf objects = {0};
    enum err err = peer != NULL ? view_peer(&at.snapshot, member, peer) : ERR_NOMEM;

    if (err == ERR_OK && peer->state != LINK_LINKED)
        err = share_forget_waiting(txn, member);
    else if (err == ERR_OK && peer->has_pair_in) {
        err = ledger_space(&at.snapshot, &peer->pair_in, &at.space);
        if (err == ERR_OK)
            err = view_share_each_standing(&at.snapshot, at.space.number, share_on_standing,
                                           &objects);
        for (size_t from = 0; err == ERR_OK && from < objects.size; from += ID_SIZE) {
            memcpy(at.object.bytes, objects.data + from, ID_SIZE);
            err = share_look_one(txn, at.space.number, &at.object);
        }
        if (err == ERR_OK)
            err = view_share_counts(&at.snapshot, member, &at.counts);
        if (err == ERR_OK)
            err = share_tell_refused(&at);
    }
    secret_free(peer);
    buf_release(&objects);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err share_look(struct ledger_txn *txn, struct span name)
{
    struct public_key member;
    struct id object;
    uint32_t space;

    if (view_share_read_name(name, &space, &object))
        return share_look_one(txn, space, &object);
    if (name.size != sizeof member.bytes)
        return ERR_OK;
    memcpy(member.bytes, name.data, sizeof member.bytes);
    return share_look_all(txn, &member);
}
