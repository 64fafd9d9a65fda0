/*
 * Rows: id -> what became of it, with a keyed hash: nothing could make them again. Facts: 1, id,
 * kind, neighbour, object -> arrival; and what waits: 2, neighbour, kind, object -> id,
 * since when.
 */
#include "storage/view_reply.h"

#include <string.h>

#include "proto/limits.h"
#include "proto/link.h"
#include "storage/dropped.h"
#include "storage/ledger_state.h"

enum { VIEW_REPLY_ROW = 1 + 1 + ID_SIZE + 32 + 32 + 3 * 8 };
enum view_reply_part { VIEW_REPLY_FACT = 1, VIEW_REPLY_WAITS = 2 };
enum { VIEW_REPLY_WAITS_VALUE = HASH_SIZE + 8 };
enum { VIEW_REPLY_FACT_SIZE = 1 + HASH_SIZE + 1 + 32 + ID_SIZE };

/* Rows. */

static void view_reply_key(const struct hash *id, struct key *out)
{
    key_of_bytes(span_of(id->bytes, HASH_SIZE), out);
}

static enum err view_reply_read(struct span key, struct span value, struct reply_row *out)
{
    if (key.size != HASH_SIZE || value.size != VIEW_REPLY_ROW || value.data[0] > REPLY_REFUSED)
        return ERR_CORRUPT;
    *out = (struct reply_row){.state = (enum reply_state)value.data[0],
                              .is_mine = (value.data[1] & 1) != 0,
                              .is_thanked = (value.data[1] & 2) != 0,
                              .seen = {be64(value.data + 82), be64(value.data + 90)},
                              .keep_ms = be64(value.data + 98)};
    memcpy(out->id.bytes, key.data, HASH_SIZE);
    memcpy(out->ask.bytes, value.data + 2, ID_SIZE);
    memcpy(out->from.bytes, value.data + 18, 32);
    memcpy(out->to.bytes, value.data + 50, 32);
    return ERR_OK;
}

enum err view_reply(const struct snapshot *snapshot, const struct hash *id, struct reply_row *out)
{
    struct span value;
    struct key key;
    enum err err;

    view_reply_key(id, &key);
    err = ledger_get_sealed(snapshot, TABLE_REPLY, &key, &value);
    return err == ERR_OK ? view_reply_read(key_span(&key), value, out) : err;
}

static enum err view_reply_erase(struct ledger_txn *txn, enum table table, const struct key *key)
{
    enum err err = ledger_erase(txn, table, key);

    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_reply_put(struct ledger_txn *txn, const struct reply_row *row)
{
    uint8_t value[VIEW_REPLY_ROW] = {(uint8_t)row->state};
    struct key key;
    enum err err;

    value[1] = (uint8_t)((row->is_mine ? 1 : 0) | (row->is_thanked ? 2 : 0));
    memcpy(value + 2, row->ask.bytes, ID_SIZE);
    memcpy(value + 18, row->from.bytes, 32);
    memcpy(value + 50, row->to.bytes, 32);
    be64_put(value + 82, row->seen.running_ms);
    be64_put(value + 90, row->seen.wall_ms);
    be64_put(value + 98, row->keep_ms);
    view_reply_key(&row->id, &key);
    err = ledger_put_sealed(txn, TABLE_REPLY, &key, span_of(value, sizeof value));
    if (err == ERR_OK)
        err = row->state == REPLY_KEPT ? ledger_put(txn, TABLE_REPLY_KEPT, &key, span_of(NULL, 0))
                                       : view_reply_erase(txn, TABLE_REPLY_KEPT, &key);
    return err;
}

/* Facts. */

static void view_reply_facts_key(const struct hash *id, struct key *out)
{
    key_of_byte(VIEW_REPLY_FACT, out);
    key_add_bytes(out, span_of(id->bytes, HASH_SIZE));
}

static void view_reply_fact_key(const struct hash *id, const struct reply_brought *brought,
                                struct key *out)
{
    view_reply_facts_key(id, out);
    key_add_byte(out, brought->kind);
    key_add_bytes(out, span_of(brought->by.bytes, 32));
    key_add_bytes(out, span_of(brought->object.bytes, ID_SIZE));
}

static void view_reply_waits_key(const struct public_key *by, const struct reply_brought *brought,
                                 struct key *out)
{
    key_of_byte(VIEW_REPLY_WAITS, out);
    key_add_bytes(out, span_of(by->bytes, 32));
    if (brought == NULL)
        return;
    key_add_byte(out, brought->kind);
    key_add_bytes(out, span_of(brought->object.bytes, ID_SIZE));
}

static enum err view_reply_is_waiting(const struct snapshot *snapshot, struct reply_brought *out)
{
    struct span value;
    struct key key;
    enum err err;

    view_reply_waits_key(&out->by, out, &key);
    err = ledger_get(snapshot, TABLE_BROUGHT, &key, &value);
    out->is_waiting = err == ERR_OK;
    if (err == ERR_OK && value.size != VIEW_REPLY_WAITS_VALUE)
        return ERR_CORRUPT;
    if (err == ERR_OK)
        out->since_ms = be64(value.data + HASH_SIZE);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err view_reply_read_fact(struct span key, struct span value, struct reply_brought *out)
{
    if (key.size != VIEW_REPLY_FACT_SIZE || value.size != 8)
        return ERR_CORRUPT;
    *out = (struct reply_brought){.kind = key.data[1 + HASH_SIZE], .arrival = be64(value.data)};
    memcpy(out->by.bytes, key.data + 2 + HASH_SIZE, 32);
    memcpy(out->object.bytes, key.data + 2 + HASH_SIZE + 32, ID_SIZE);
    return ERR_OK;
}

struct view_reply_walk {
    const struct snapshot *snapshot;
    view_reply_fn each;
    void *self;
};

static enum err view_reply_on_fact(void *self, struct span key, struct span value)
{
    struct view_reply_walk *walk = self;
    struct reply_brought brought;
    enum err err = view_reply_read_fact(key, value, &brought);

    if (err == ERR_OK)
        err = view_reply_is_waiting(walk->snapshot, &brought);
    return err == ERR_OK ? walk->each(walk->self, &brought) : err;
}

enum err view_reply_brought(const struct snapshot *snapshot, const struct hash *id,
                            view_reply_fn each, void *self)
{
    struct view_reply_walk walk = {.snapshot = snapshot, .each = each, .self = self};
    struct key prefix;

    view_reply_facts_key(id, &prefix);
    return ledger_each(snapshot, TABLE_BROUGHT, key_span(&prefix), view_reply_on_fact, &walk);
}

enum err view_reply_taken(struct ledger_txn *txn, const struct hash *id,
                          const struct reply_brought *brought, bool keep)
{
    struct key key;
    enum err err;

    view_reply_waits_key(&brought->by, brought, &key);
    err = view_reply_erase(txn, TABLE_BROUGHT, &key);
    view_reply_fact_key(id, brought, &key);
    return err == ERR_OK && !keep ? view_reply_erase(txn, TABLE_BROUGHT, &key) : err;
}

struct view_reply_list {
    struct reply_brought rows[REPLY_SOURCES_MAX + REPLY_SAID_MAX];
    size_t count;
};

static enum err view_reply_on_listed(void *self, const struct reply_brought *brought)
{
    struct view_reply_list *list = self;

    if (list->count < sizeof list->rows / sizeof list->rows[0])
        list->rows[list->count++] = *brought;
    return ERR_OK;
}

enum err view_reply_forget(struct ledger_txn *txn, const struct hash *id)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_reply_list list = {.count = 0};
    struct key key;
    enum err err = view_reply_brought(&snapshot, id, view_reply_on_listed, &list);

    for (size_t at = 0; at < list.count && err == ERR_OK; at++)
        err = view_reply_taken(txn, id, &list.rows[at], false);
    view_reply_key(id, &key);
    if (err == ERR_OK)
        err = view_reply_erase(txn, TABLE_REPLY_KEPT, &key);
    return err == ERR_OK ? view_reply_erase(txn, TABLE_REPLY, &key) : err;
}

/* Hearing. */

static enum err view_reply_due(struct ledger_txn *txn, const struct hash *id)
{
    return agenda_put(txn, AGENDA_NOW, KIND_REPLY, span_of(id->bytes, HASH_SIZE));
}

/* Is there room for one more of this kind about the reply? Of one neighbour, and of all. */
static bool view_reply_has_room(const struct view_reply_list *list,
                                const struct reply_brought *brought)
{
    bool is_reply = brought->kind == KIND_REPLY;
    size_t all = 0, by = 0;

    for (size_t at = 0; at < list->count; at++) {
        if (list->rows[at].kind != brought->kind)
            continue;
        all++;
        by += public_key_is_equal(&list->rows[at].by, &brought->by);
    }
    return is_reply ? by < REPLY_COPIES_MAX && all < REPLY_SOURCES_MAX
                    : by < REPLY_ANSWERS_MAX && all < REPLY_SAID_MAX;
}

/* After a rebuild everything is heard once more; a reply that was looked at then costs its
 * neighbour nothing again. */
static enum err view_reply_was_settled(const struct snapshot *snapshot, const struct hash *id,
                                       const struct reply_brought *brought, bool *out)
{
    struct reply_row row;
    enum err err = view_reply(snapshot, id, &row);

    *out = err == ERR_OK && brought->kind == KIND_REPLY && row.state != REPLY_NEW &&
           public_key_is_equal(&row.from, &brought->by);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL REPLY-7: "up to REPLIES_WAITING_MAX more wait, what is beyond is passed over" */
/* PROTOCOL REPLY-8: "Of one letter REPLY_SOURCES_MAX copies are kept, REPLY_COPIES_MAX of one
 * neighbour; of what answers it REPLY_SAID_MAX, REPLY_ANSWERS_MAX of one neighbour." */
static enum err view_reply_hear(struct ledger_txn *txn, const struct hash *id,
                                const struct reply_brought *brought)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_reply_list list = {.count = 0};
    bool is_settled = false;
    size_t waiting = 0;
    uint8_t value[8], waits[VIEW_REPLY_WAITS_VALUE];
    struct key key;
    enum err err = view_reply_brought(&snapshot, id, view_reply_on_listed, &list);

    for (size_t at = 0; at < list.count; at++)
        if (list.rows[at].kind == brought->kind &&
            id_is_equal(&list.rows[at].object, &brought->object) &&
            public_key_is_equal(&list.rows[at].by, &brought->by))
            return ERR_OK;
    if (!view_reply_has_room(&list, brought))
        return ERR_OK;
    view_reply_waits_key(&brought->by, NULL, &key);
    if (err == ERR_OK)
        err = ledger_count_rows(&snapshot, TABLE_BROUGHT, key_span(&key), REPLIES_WAITING_MAX,
                                &waiting);
    if (err == ERR_OK)
        err = view_reply_was_settled(&snapshot, id, brought, &is_settled);
    if (err != ERR_OK || (!is_settled && waiting >= REPLIES_WAITING_MAX))
        return err;
    be64_put(value, brought->arrival);
    view_reply_fact_key(id, brought, &key);
    err = ledger_put(txn, TABLE_BROUGHT, &key, span_of(value, sizeof value));
    if (err == ERR_OK && !is_settled) {
        view_reply_waits_key(&brought->by, brought, &key);
        memcpy(waits, id->bytes, HASH_SIZE);
        be64_put(waits + HASH_SIZE, ledger_txn_now_ms(txn));
        err = ledger_put(txn, TABLE_BROUGHT, &key, span_of(waits, sizeof waits));
    }
    return err == ERR_OK ? view_reply_due(txn, id) : err;
}

static enum err view_reply_said(struct ledger_txn *txn, const struct space_row *space,
                                const struct object *after)
{
    const struct object_register *said = object_register(after, KIND_STATEMENT_FIELD);
    struct reply_brought brought = {.kind = after->kind, .by = space->writer, .object = after->id};
    struct reply_carried carried;
    struct answer answer;
    struct hash id;
    enum err err;

    if (said == NULL || space->is_mine)
        return ERR_OK;
    brought.arrival = said->arrival;
    if (after->kind == KIND_REPLY) {
        err = reply_read_carried(said->value.bytes, &carried);
        if (err == ERR_OK)
            letter_id(carried.letter, &id);
    } else {
        err = answer_look(said->value.bytes, &answer);
        id = answer.reply;
    }
    if (err == ERR_MALFORMED)
        return dropped_add(txn, space, DROPPED_REPLY);
    return err == ERR_OK ? view_reply_hear(txn, &id, &brought) : err;
}

/* What I wrote myself, here or on another device of mine. */
static enum err view_reply_wrote(struct ledger_txn *txn, const struct object *lead)
{
    struct span letter = object_value(lead, LEAD_LETTER).bytes;
    struct hash id;

    if (letter.size != HASH_SIZE || object_number(lead, LEAD_IS_MINE) == 0 ||
        object_number(lead, LEAD_IS_ASKED) != 0)
        return ERR_OK;
    memcpy(id.bytes, letter.data, HASH_SIZE);
    return view_reply_due(txn, &id);
}

/* What is looked at again: kept, when an ask came by another way; all that is under way, when
 * somebody came or went; what waits, when a thread began. */
enum view_reply_again { VIEW_REPLY_AGAIN_KEPT, VIEW_REPLY_AGAIN_ALL, VIEW_REPLY_AGAIN_WAITING };

/* The id a row is about; empty when it is none of these. */
static struct span view_reply_again_id(enum view_reply_again again, struct span key,
                                       struct span value)
{
    bool is_one = false;

    switch (again) {
    case VIEW_REPLY_AGAIN_KEPT:
        is_one = key.size == HASH_SIZE;
        break;
    case VIEW_REPLY_AGAIN_ALL:
        is_one = key.size == HASH_SIZE && value.size > 0 &&
                 (value.data[0] == REPLY_KEPT || value.data[0] == REPLY_HANDED);
        break;
    case VIEW_REPLY_AGAIN_WAITING:
        return key.size > 0 && key.data[0] == VIEW_REPLY_WAITS &&
                       value.size == VIEW_REPLY_WAITS_VALUE
                   ? span_of(value.data, HASH_SIZE)
                   : span_of(NULL, 0);
    }
    return is_one ? key : span_of(NULL, 0);
}

struct view_reply_search {
    enum view_reply_again again;
    struct buf ids;
};

static enum err view_reply_on_again(void *self, struct span key, struct span value)
{
    struct view_reply_search *search = self;

    buf_append(&search->ids, view_reply_again_id(search->again, key, value));
    return buf_err(&search->ids);
}

static enum err view_reply_due_again(struct ledger_txn *txn, enum view_reply_again again)
{
    static const enum table tables[] = {TABLE_REPLY_KEPT, TABLE_REPLY, TABLE_BROUGHT};
    const uint8_t waits = VIEW_REPLY_WAITS;
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_reply_search search = {.again = again};
    enum err err = ledger_each(&snapshot, tables[again],
                               span_of(&waits, again == VIEW_REPLY_AGAIN_WAITING ? 1 : 0),
                               view_reply_on_again, &search);

    for (size_t from = 0; from < search.ids.size && err == ERR_OK; from += HASH_SIZE)
        err = agenda_put(txn, AGENDA_NOW, KIND_REPLY, span_of(search.ids.data + from, HASH_SIZE));
    buf_release(&search.ids);
    return err;
}

enum err view_reply_waiting_due(struct ledger_txn *txn)
{
    return view_reply_due_again(txn, VIEW_REPLY_AGAIN_WAITING);
}

enum err view_reply_changed(struct ledger_txn *txn, const struct space_row *space,
                            const struct object *before, const struct object *after)
{
    switch (after->kind) {
    case KIND_REPLY:
    case KIND_ANSWER:
        return view_reply_said(txn, space, after);
    case KIND_LEAD:
        return before == NULL ? view_reply_wrote(txn, after) : ERR_OK;
    case KIND_PASS:
        return space->is_mine ? ERR_OK : view_reply_due_again(txn, VIEW_REPLY_AGAIN_KEPT);
    case KIND_PASSED: /* Perhaps by another device of mine, behind the replies to it. */
        return view_reply_due_again(txn, VIEW_REPLY_AGAIN_WAITING);
    case KIND_LINK:
        if (before != NULL && object_number(before, LINK_STATE) == object_number(after, LINK_STATE))
            return ERR_OK;
        return view_reply_due_again(txn, VIEW_REPLY_AGAIN_ALL);
    default:
        return ERR_OK;
    }
}
