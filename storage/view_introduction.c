/*
 * Rows: introducer, id -> state and times, with a keyed hash: nothing could make them again. Facts:
 * introducer, id, speaker, type, hash -> arrival of the entry. Wants: asked, asking, id -> arrival.
 */
#include "storage/view_introduction.h"

#include <string.h>

#include "crypto/secret.h"
#include "proto/limits.h"
#include "storage/dropped.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/space.h"
#include "storage/view_introduction_keep.h"
#include "storage/view_peer.h"

enum {
    VIEW_INTRODUCTION_NAME = 32 + ID_SIZE,
    VIEW_INTRODUCTION_ROW_OLD = 1 + 1 + 32 + 4 * 8, /* without running time */
    VIEW_INTRODUCTION_ROW = VIEW_INTRODUCTION_ROW_OLD + 3 * 8,
    VIEW_INTRODUCTION_FACT = VIEW_INTRODUCTION_NAME + 32 + 1 + 16
};

void view_introduction_name(const struct public_key *introducer, const struct id *id,
                            struct key *out)
{
    key_of_bytes(span_of(introducer->bytes, 32), out);
    key_add_bytes(out, span_of(id->bytes, ID_SIZE));
}

/* Rows. */

static enum err view_introduction_read(struct span key, struct span value,
                                       struct introduction_row *out)
{
    uint8_t flags;

    if (key.size != VIEW_INTRODUCTION_NAME ||
        (value.size != VIEW_INTRODUCTION_ROW && value.size != VIEW_INTRODUCTION_ROW_OLD))
        return ERR_CORRUPT;
    *out = (struct introduction_row){.state = (enum introduction_state)value.data[0]};
    memcpy(out->introducer.bytes, key.data, 32);
    memcpy(out->id.bytes, key.data + 32, ID_SIZE);
    flags = value.data[1];
    out->is_suppressed = (flags & 1) != 0;
    out->was_gone = (flags & 2) != 0;
    out->is_mismatched = (flags & 4) != 0;
    out->is_asked_again = (flags & 8) != 0;
    out->has_other = (flags & 16) != 0;
    out->has_thanked[0] = (flags & 32) != 0;
    out->has_thanked[1] = (flags & 64) != 0;
    out->is_met = (flags & 128) != 0;
    memcpy(out->other.bytes, value.data + 2, 32);
    out->seen_ms = be64(value.data + 34);
    out->shown_ms = be64(value.data + 42);
    out->ended_ms = be64(value.data + 50);
    out->expires_ms = be64(value.data + 58);
    if (value.size == VIEW_INTRODUCTION_ROW_OLD)
        return ERR_OK;
    out->ended_running_ms = be64(value.data + 66);
    out->agreed = (struct moment){be64(value.data + 74), be64(value.data + 82)};
    return ERR_OK;
}

enum err view_introduction(const struct snapshot *snapshot, const struct public_key *introducer,
                           const struct id *id, struct introduction_row *out)
{
    struct span value;
    struct key key;
    enum err err;

    view_introduction_name(introducer, id, &key);
    err = ledger_get_sealed(snapshot, TABLE_INTRODUCTION, &key, &value);
    return err == ERR_OK ? view_introduction_read(key_span(&key), value, out) : err;
}

enum err view_introduction_put(struct ledger_txn *txn, const struct introduction_row *row)
{
    uint8_t value[VIEW_INTRODUCTION_ROW] = {0};
    struct key key;

    value[0] = (uint8_t)row->state;
    value[1] = (uint8_t)((row->is_suppressed ? 1 : 0) | (row->was_gone ? 2 : 0) |
                         (row->is_mismatched ? 4 : 0) | (row->is_asked_again ? 8 : 0) |
                         (row->has_other ? 16 : 0) | (row->has_thanked[0] ? 32 : 0) |
                         (row->has_thanked[1] ? 64 : 0) | (row->is_met ? 128 : 0));
    memcpy(value + 2, row->other.bytes, 32);
    be64_put(value + 34, row->seen_ms);
    be64_put(value + 42, row->shown_ms);
    be64_put(value + 50, row->ended_ms);
    be64_put(value + 58, row->expires_ms);
    be64_put(value + 66, row->ended_running_ms);
    be64_put(value + 74, row->agreed.running_ms);
    be64_put(value + 82, row->agreed.wall_ms);
    view_introduction_name(&row->introducer, &row->id, &key);
    return ledger_put_sealed(txn, TABLE_INTRODUCTION, &key, span_of(value, sizeof value));
}

bool view_introduction_awaits(const struct introduction_row *row)
{
    return row->state == INTRODUCTION_GREETED && row->has_other;
}

struct view_introduction_rows {
    view_introduction_fn each;
    void *self;
};

static enum err view_introduction_on_walked(void *self, struct span key, struct span value)
{
    struct view_introduction_rows *rows = self;
    struct introduction_row row;
    enum err err = view_introduction_read(key, value, &row);

    return err == ERR_OK ? rows->each(rows->self, &row) : err;
}

enum err view_introduction_each(const struct snapshot *snapshot,
                                const struct public_key *introducer, view_introduction_fn each,
                                void *self)
{
    struct view_introduction_rows rows = {.each = each, .self = self};
    struct span prefix = introducer != NULL ? span_of(introducer->bytes, 32) : span_of(NULL, 0);

    return ledger_each_sealed(snapshot, TABLE_INTRODUCTION, prefix, view_introduction_on_walked,
                              &rows);
}

/* Facts. */

struct view_introduction_walk {
    const struct snapshot *snapshot;
    view_introduction_fact_fn each;
    void *self;
    struct edit_space edit;
    struct buf plain;
};

static enum err view_introduction_on_fact(void *self, struct span key, struct span value)
{
    struct view_introduction_walk *walk = self;
    struct introduction_fact fact;
    enum err err = value.size == 8
                       ? view_introduction_keep_open(walk->snapshot, be64(value.data), &walk->edit,
                                                     &walk->plain, &fact.bytes)
                       : ERR_CORRUPT;

    (void)key;
    if (err == ERR_NOT_FOUND)
        return ERR_OK; /* Its time is over. */
    if (err == ERR_OK)
        err = introduction_peek(fact.bytes, &fact.member, &fact.message);
    if (err != ERR_OK)
        return err;
    statement_hash(fact.bytes, &fact.hash);
    return walk->each(walk->self, &fact);
}

static enum err view_introduction_walk(const struct snapshot *snapshot, enum table table,
                                       const struct key *prefix, view_introduction_fact_fn each,
                                       void *self)
{
    struct view_introduction_walk walk = {.snapshot = snapshot, .each = each, .self = self};
    enum err err = ledger_each(snapshot, table, key_span(prefix), view_introduction_on_fact, &walk);

    edit_release(&walk.edit);
    buf_release(&walk.plain);
    return err;
}

enum err view_introduction_facts(const struct snapshot *snapshot,
                                 const struct public_key *introducer, const struct id *id,
                                 view_introduction_fact_fn each, void *self)
{
    struct key prefix;

    view_introduction_name(introducer, id, &prefix);
    return view_introduction_walk(snapshot, TABLE_FACT, &prefix, each, self);
}

enum err view_introduction_wants(const struct snapshot *snapshot, const struct public_key *to,
                                 view_introduction_fact_fn each, void *self)
{
    struct key prefix;

    key_of_bytes(span_of(to->bytes, 32), &prefix);
    return view_introduction_walk(snapshot, TABLE_WANT, &prefix, each, self);
}

/* PROTOCOL INTRO-9: "So is what goes beyond INTRODUCTION_FACTS_MAX of one type by one other member,
 * INTRODUCTION_HELLOS_MAX hellos or relays, and INTRODUCTION_WANTS_MAX wants." */
static size_t view_introduction_max(const struct ledger_txn *txn, const struct public_key *member,
                                    enum introduction_type type)
{
    if (public_key_is_equal(member, ledger_member(txn->ledger)))
        return SIZE_MAX;
    if (type == INTRODUCTION_HELLO || type == INTRODUCTION_RELAY)
        return INTRODUCTION_HELLOS_MAX;
    return type == INTRODUCTION_WANT ? INTRODUCTION_WANTS_MAX : INTRODUCTION_FACTS_MAX;
}

static enum err view_introduction_want(struct ledger_txn *txn, const struct space_row *space,
                                       const struct introduction_message *message,
                                       struct span bytes, uint64_t arrival)
{
    const struct public_key *member = &space->writer;
    struct key prefix;
    struct key name;
    enum err err;

    key_of_bytes(span_of(message->to.bytes, 32), &prefix);
    key_add_bytes(&prefix, span_of(member->bytes, 32));
    err = view_introduction_keep(txn, TABLE_WANT, &prefix,
                                 view_introduction_max(txn, member, message->type), bytes, arrival);
    key_of_bytes(span_of(message->to.bytes, 32), &name);
    key_add_bytes(&name, span_of(member->bytes, 32));
    key_add_bytes(&name, span_of(message->id.bytes, ID_SIZE));
    if (err == ERR_OK)
        err = agenda_put(txn, AGENDA_NOW, KIND_INTRODUCTION, key_span(&name));
    return err == ERR_CANCELLED ? dropped_add(txn, space, DROPPED_INTRODUCTION) : err;
}

static enum err view_introduction_all_due(struct ledger_txn *txn, bool has_ended);
static enum err view_introduction_scan_side(struct ledger_txn *txn, struct span root,
                                            const struct id *id);

/* Who of an introducer's is kept. */

struct view_introduction_last {
    const struct snapshot *snapshot;
    struct introduction_row row; /* of those that were not answered the one with the greatest id */
    bool has_row;
};

static enum err view_introduction_is_answered(const struct snapshot *snapshot,
                                              const struct introduction_row *row, bool *out)
{
    struct key prefix;
    size_t count = 0;
    enum err err;

    view_introduction_name(&row->introducer, &row->id, &prefix);
    key_add_bytes(&prefix, span_of(ledger_member(snapshot->ledger)->bytes, 32));
    err = ledger_count_rows(snapshot, TABLE_FACT, key_span(&prefix), 1, &count);
    *out = count > 0;
    return err;
}

static enum err view_introduction_on_other(void *self, const struct introduction_row *row)
{
    struct view_introduction_last *last = self;
    bool is_answered = false;
    enum err err = ERR_OK;

    if (last->has_row && memcmp(row->id.bytes, last->row.id.bytes, ID_SIZE) < 0)
        return ERR_OK;
    err = view_introduction_is_answered(last->snapshot, row, &is_answered);
    if (err == ERR_OK && !is_answered) {
        last->row = *row;
        last->has_row = true;
    }
    return err;
}

/* PROTOCOL INTRO-9: "Of the introductions of one introducer INTRODUCTION_ROWS_MAX are kept: those
 * that the reader has answered, then the ones with the least ids;" So own devices keep the same,
 * whatever came first. */
static enum err view_introduction_make_place(struct ledger_txn *txn,
                                             const struct introduction_row *fresh, bool is_answer)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_introduction_last last = {.snapshot = &snapshot};
    enum err err =
        view_introduction_each(&snapshot, &fresh->introducer, view_introduction_on_other, &last);

    if (err != ERR_OK)
        return err;
    if (!is_answer && (!last.has_row || memcmp(fresh->id.bytes, last.row.id.bytes, ID_SIZE) > 0))
        return ERR_CANCELLED;
    err = last.has_row ? view_introduction_forget(txn, &last.row.introducer, &last.row.id) : ERR_OK;
    if (err == ERR_OK && last.row.state == INTRODUCTION_OFFERED)
        err = view_introduction_all_due(txn, false); /* Another one may be shown in its place. */
    return err;
}

static enum err view_introduction_make(struct ledger_txn *txn, const struct public_key *introducer,
                                       const struct id *id, bool is_answer)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct introduction_row row;
    struct key prefix;
    size_t count;
    enum err err = view_introduction(&snapshot, introducer, id, &row);

    if (err != ERR_NOT_FOUND)
        return err;
    if (public_key_is_equal(introducer, ledger_member(txn->ledger)))
        return ERR_CANCELLED;
    row = (struct introduction_row){
        .introducer = *introducer, .id = *id, .seen_ms = ledger_txn_now_ms(txn)};
    key_of_bytes(span_of(introducer->bytes, 32), &prefix);
    err = ledger_count_rows(&snapshot, TABLE_INTRODUCTION, key_span(&prefix), INTRODUCTION_ROWS_MAX,
                            &count);
    if (err != ERR_OK || count < INTRODUCTION_ROWS_MAX)
        return err == ERR_OK ? view_introduction_put(txn, &row) : err;
    err = view_introduction_make_place(txn, &row, is_answer);
    if (err == ERR_OK)
        err = view_introduction_put(txn, &row);
    /* What was said of it before was passed over. */
    return err == ERR_OK && is_answer
               ? view_introduction_scan_side(txn, span_of(introducer->bytes, 32), id)
               : err;
}

static enum err view_introduction_due(struct ledger_txn *txn, const struct public_key *introducer,
                                      const struct id *id)
{
    struct key name;

    view_introduction_name(introducer, id, &name);
    return agenda_put(txn, AGENDA_NOW, KIND_INTRODUCTION, key_span(&name));
}

/* What is about no plan of mine may be about one that another device of mine made. */
static enum err view_introduction_drop(struct ledger_txn *txn, const struct space_row *space,
                                       const struct public_key *introducer)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool has_siblings = false;
    enum err err = ERR_OK;

    if (public_key_is_equal(introducer, ledger_member(txn->ledger)))
        err = space_has_siblings(&snapshot, &has_siblings);
    return err == ERR_OK && !has_siblings ? dropped_add(txn, space, DROPPED_INTRODUCTION) : err;
}

/* PROTOCOL INTRO-3: "Who says it is the writer of the space, and it is said to its reader." */
static enum err view_introduction_hear(struct ledger_txn *txn, const struct space_row *space,
                                       struct span bytes, uint64_t arrival)
{
    struct introduction_message message;
    struct public_key member, introducer;
    struct key prefix;
    enum err err = introduction_peek(bytes, &member, &message);

    if (err == ERR_OK && (!public_key_is_equal(&member, &space->writer) ||
                          !public_key_is_equal(&message.to, &space->reader)))
        err = ERR_MALFORMED;
    if (err != ERR_OK)
        return err == ERR_MALFORMED ? dropped_add(txn, space, DROPPED_INTRODUCTION) : err;
    if (message.type == INTRODUCTION_WANT)
        return view_introduction_want(txn, space, &message, bytes, arrival);
    introducer = *introduction_introducer(&message, &member);
    view_introduction_name(&introducer, &message.id, &prefix);
    key_add_bytes(&prefix, span_of(member.bytes, 32));
    key_add_byte(&prefix, (uint8_t)message.type);
    err = view_introduction_make(txn, &introducer, &message.id,
                                 public_key_is_equal(&member, ledger_member(txn->ledger)));
    if (err == ERR_OK)
        err = view_introduction_keep(txn, TABLE_FACT, &prefix,
                                     view_introduction_max(txn, &member, message.type), bytes,
                                     arrival);
    if (err == ERR_OK)
        err = view_introduction_due(txn, &introducer, &message.id);
    return err == ERR_CANCELLED ? view_introduction_drop(txn, space, &introducer) : err;
}

/* Records. A plan may come later than the answers to it, from an own device. */

struct view_introduction_scan {
    struct ledger_txn *txn;
    struct id id;
    struct buf found; /* arrivals, u64 each */
};

static enum err view_introduction_on_said(void *self, uint32_t number, const struct object *object)
{
    struct view_introduction_scan *scan = self;
    const struct object_register *statement = object_register(object, KIND_STATEMENT_FIELD);
    struct introduction_message message;
    struct public_key member;

    (void)number;
    if (statement == NULL ||
        introduction_peek(statement->value.bytes, &member, &message) != ERR_OK ||
        !id_is_equal(&message.id, &scan->id))
        return ERR_OK;
    buf_u64(&scan->found, statement->arrival);
    return buf_err(&scan->found);
}

static enum err view_introduction_hear_found(struct view_introduction_scan *scan,
                                             const struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(scan->txn);
    struct edit_space edit = {0};
    struct buf plain = {0};
    struct span bytes;
    enum err err = ERR_OK;

    for (size_t at = 0; at < scan->found.size && err == ERR_OK; at += 8) {
        uint64_t arrival = be64(scan->found.data + at);

        err = view_introduction_keep_open(&snapshot, arrival, &edit, &plain, &bytes);
        if (err == ERR_OK)
            err = view_introduction_hear(scan->txn, space, bytes, arrival);
        else if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    edit_release(&edit);
    buf_release(&plain);
    return err;
}

static enum err view_introduction_scan_space(struct ledger_txn *txn, const struct id *space,
                                             const struct id *id)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_introduction_scan scan = {.txn = txn, .id = *id};
    struct space_row row;
    enum err err = ledger_space(&snapshot, space, &row);

    if (err == ERR_OK)
        err = row_each(&snapshot, space, KIND_INTRODUCTION, view_introduction_on_said, &scan);
    if (err == ERR_OK)
        err = view_introduction_hear_found(&scan, &row);
    buf_release(&scan.found);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err view_introduction_scan_side(struct ledger_txn *txn, struct span root,
                                            const struct id *id)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *peer = secret_new(sizeof *peer);
    struct public_key member;
    enum err err = peer != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK && root.size == 32) {
        memcpy(member.bytes, root.data, 32);
        err = view_peer(&snapshot, &member, peer);
        if (err == ERR_OK && peer->has_pair_in)
            err = view_introduction_scan_space(txn, &peer->pair_in, id);
        if (err == ERR_OK && peer->has_pair_out)
            err = view_introduction_scan_space(txn, &peer->pair_out, id);
    }
    secret_free(peer);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err view_introduction_planned(struct ledger_txn *txn, const struct object *record,
                                          const struct public_key *introducer, const struct id *id)
{
    struct introduction_row row = {.introducer = *introducer,
                                   .id = *id,
                                   .seen_ms = ledger_txn_now_ms(txn),
                                   .expires_ms = object_number(record, RECORD_EXPIRES)};
    enum err err = view_introduction_put(txn, &row);

    if (err == ERR_OK)
        err = view_introduction_scan_side(txn, object_value(record, RECORD_A).bytes, id);
    if (err == ERR_OK)
        err = view_introduction_scan_side(txn, object_value(record, RECORD_B).bytes, id);
    return err;
}

static enum err view_introduction_recorded(struct ledger_txn *txn, const struct object *record)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span introducer_bytes = object_value(record, RECORD_INTRODUCER).bytes;
    struct span id_bytes = object_value(record, RECORD_ID).bytes;
    struct introduction_row row;
    struct public_key introducer;
    struct id id;
    enum err err;

    if (introducer_bytes.size != 32 || id_bytes.size != ID_SIZE)
        return ERR_OK;
    memcpy(introducer.bytes, introducer_bytes.data, 32);
    memcpy(id.bytes, id_bytes.data, ID_SIZE);
    err = view_introduction(&snapshot, &introducer, &id, &row);
    if (err == ERR_NOT_FOUND && public_key_is_equal(&introducer, ledger_member(txn->ledger)) &&
        object_value(record, RECORD_A).bytes.size == 32)
        err = view_introduction_planned(txn, record, &introducer, &id);
    if (err == ERR_OK)
        err = view_introduction_due(txn, &introducer, &id);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Links and mutes: whatever is under way is looked at again. A key: what has ended, too, for a
 * release may have come that could not be judged without it. */

struct view_introduction_names {
    struct buf list;
    bool has_ended;
};

static enum err view_introduction_on_row(void *self, const struct introduction_row *row)
{
    struct view_introduction_names *names = self;

    if (row->ended_ms == 0 || names->has_ended) {
        buf_append(&names->list, span_of(row->introducer.bytes, 32));
        buf_append(&names->list, span_of(row->id.bytes, ID_SIZE));
    }
    return buf_err(&names->list);
}

static enum err view_introduction_all_due(struct ledger_txn *txn, bool has_ended)
{
    struct view_introduction_names all = {.has_ended = has_ended};
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = view_introduction_each(&snapshot, NULL, view_introduction_on_row, &all);
    struct buf names = all.list;

    for (size_t at = 0; at < names.size && err == ERR_OK; at += VIEW_INTRODUCTION_NAME)
        err = agenda_put(txn, AGENDA_NOW, KIND_INTRODUCTION,
                         span_of(names.data + at, VIEW_INTRODUCTION_NAME));
    buf_release(&names);
    return err;
}

enum err view_introduction_changed(struct ledger_txn *txn, const struct space_row *space,
                                   const struct object *before, const struct object *after)
{
    const struct object_register *statement;

    switch (after->kind) {
    case KIND_INTRODUCTION:
        statement = object_register(after, KIND_STATEMENT_FIELD);
        return statement != NULL
                   ? view_introduction_hear(txn, space, statement->value.bytes, statement->arrival)
                   : ERR_OK;
    case KIND_INTRODUCTION_RECORD:
        return view_introduction_recorded(txn, after);
    case KIND_INTRODUCTION_MUTE:
        return view_introduction_all_due(txn, false);
    case KIND_INTRODUCTION_KEY:
        return before == NULL ? view_introduction_all_due(txn, true) : ERR_OK;
    case KIND_LINK:
        if (before != NULL && object_number(before, LINK_STATE) == object_number(after, LINK_STATE))
            return ERR_OK;
        return view_introduction_all_due(txn, false);
    default:
        return ERR_OK;
    }
}

enum err view_introduction_muted(const struct snapshot *snapshot, const struct public_key *member,
                                 uint64_t now_ms, bool *out)
{
    struct object mute = {0};
    uint32_t number;
    struct id id;
    enum err err;

    id_about("kith mute", member, &id);
    err = row_get(snapshot, ledger_self_space(snapshot->ledger), KIND_INTRODUCTION_MUTE, &id, &mute,
                  &number);
    *out = err == ERR_OK && object_number(&mute, INTRODUCTION_MUTE_UNTIL) > now_ms;
    object_release(&mute);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Forgetting. */

enum err view_introduction_forget(struct ledger_txn *txn, const struct public_key *introducer,
                                  const struct id *id)
{
    struct key name;
    enum err err;

    view_introduction_name(introducer, id, &name);
    err = ledger_clear(txn, TABLE_FACT, key_span(&name));
    return err == ERR_OK ? ledger_clear(txn, TABLE_INTRODUCTION, key_span(&name)) : err;
}
