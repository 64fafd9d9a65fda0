/* Shares lie in the pair spaces and are read there; rows of the table only say which count. */
#include "storage/view_share.h"

#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "storage/agenda.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/view_peer.h"

enum {
    VIEW_SHARE_COUNTS = 1,
    VIEW_SHARE_STANDING = 2,
    VIEW_SHARE_CONTACT = 3,
    VIEW_SHARE_COUNTS_SIZE = 5 * 8 + 1,
    VIEW_SHARE_STANDING_SIZE = 1 + 4 + ID_SIZE,
    VIEW_SHARE_CONTACT_SIZE = 1 + 2 * ID_SIZE
};

/* Keys and counts. */

static void view_share_counts_key(const struct public_key *peer, struct key *out)
{
    key_of_byte(VIEW_SHARE_COUNTS, out);
    key_add_bytes(out, span_of(peer->bytes, 32));
}

static void view_share_standing_key(uint32_t space, const struct id *object, struct key *out)
{
    key_of_byte(VIEW_SHARE_STANDING, out);
    key_add_u32(out, space);
    if (object != NULL)
        key_add_bytes(out, span_of(object->bytes, ID_SIZE));
}

enum err view_share_counts(const struct snapshot *snapshot, const struct public_key *peer,
                           struct share_counts *out)
{
    struct span value;
    struct key key;
    enum err err;

    *out = (struct share_counts){0};
    view_share_counts_key(peer, &key);
    err = ledger_get(snapshot, TABLE_SHARE, &key, &value);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (value.size != VIEW_SHARE_COUNTS_SIZE)
        return ERR_CORRUPT;
    *out = (struct share_counts){.standing = be64(value.data),
                                 .waiting = be64(value.data + 8),
                                 .refused = be64(value.data + 16),
                                 .told = be64(value.data + 24),
                                 .told_ms = be64(value.data + 32),
                                 .fault = value.data[40]};
    return ERR_OK;
}

static enum err view_share_put_counts(struct ledger_txn *txn, const struct public_key *peer,
                                      const struct share_counts *counts)
{
    uint8_t value[VIEW_SHARE_COUNTS_SIZE];
    struct key key;

    view_share_counts_key(peer, &key);
    be64_put(value, counts->standing);
    be64_put(value + 8, counts->waiting);
    be64_put(value + 16, counts->refused);
    be64_put(value + 24, counts->told);
    be64_put(value + 32, counts->told_ms);
    value[40] = counts->fault;
    return ledger_put(txn, TABLE_SHARE, &key, span_of(value, sizeof value));
}

enum err view_share_note_told(struct ledger_txn *txn, const struct public_key *peer,
                              uint64_t now_ms)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct share_counts counts;
    enum err err = view_share_counts(&snapshot, peer, &counts);

    counts.told = counts.refused;
    counts.told_ms = now_ms;
    return err == ERR_OK ? view_share_put_counts(txn, peer, &counts) : err;
}

enum err view_share_stands(const struct snapshot *snapshot, uint32_t space, const struct id *object,
                           bool *out)
{
    struct span value;
    struct key key;
    enum err err;

    view_share_standing_key(space, object, &key);
    err = ledger_get(snapshot, TABLE_SHARE, &key, &value);
    *out = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

bool view_share_read_name(struct span name, uint32_t *out_space, struct id *out_object)
{
    if (name.size != VIEW_SHARE_NAME_SIZE)
        return false;
    *out_space = be32(name.data);
    memcpy(out_object->bytes, name.data + 4, ID_SIZE);
    return true;
}

/* Following. */

static enum err view_share_look_again(struct ledger_txn *txn, uint32_t space,
                                      const struct id *object)
{
    uint8_t name[VIEW_SHARE_NAME_SIZE];

    be32_put(name, space);
    memcpy(name + 4, object->bytes, ID_SIZE);
    return agenda_put(txn, AGENDA_NOW, KIND_SHARE, span_of(name, sizeof name));
}

/* PROTOCOL SHARE-5: "A body that breaks a bound, and what goes beyond SHARES_PER_PEER_MAX of one
 * peer, is passed over and counted" */
static enum err view_share_admit(struct ledger_txn *txn, const struct space_row *space,
                                 const struct object *after, bool was_standing)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum share_fault fault = SHARE_FINE;
    struct share_counts counts;
    struct share share;
    struct key key;
    bool stands = false;
    enum err err = view_share_counts(&snapshot, &space->writer, &counts);

    if (err == ERR_OK && object_is_visible(after)) {
        err = share_read(object_value(after, SHARE_BODY).bytes, &share, &fault);
        stands = err == ERR_OK && (was_standing || counts.standing < SHARES_PER_PEER_MAX);
        err = err == ERR_MALFORMED ? ERR_OK : err;
        counts.refused += !stands;
        if (!stands)
            counts.fault = (uint8_t)fault;
    }
    if (err != ERR_OK)
        return err;
    counts.standing = counts.standing + stands - was_standing;
    view_share_standing_key(space->number, &after->id, &key);
    if (stands && !was_standing)
        err = ledger_put(txn, TABLE_SHARE, &key, span_of(NULL, 0));
    else if (!stands && was_standing)
        err = ledger_erase(txn, TABLE_SHARE, &key);
    return err == ERR_OK ? view_share_put_counts(txn, &space->writer, &counts) : err;
}

static enum err view_share_said(struct ledger_txn *txn, const struct space_row *space,
                                const struct object *after)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool was_standing;
    enum err err;

    if (space->is_mine)
        return ERR_OK;
    err = view_share_stands(&snapshot, space->number, &after->id, &was_standing);
    if (err == ERR_OK)
        err = view_share_admit(txn, space, after, was_standing);
    return err == ERR_OK ? view_share_look_again(txn, space->number, &after->id) : err;
}

static bool view_share_member(const struct object *record, struct public_key *out)
{
    struct span member = object_value(record, SHARE_RECORD_MEMBER).bytes;

    if (member.size != sizeof out->bytes)
        return false;
    memcpy(out->bytes, member.data, sizeof out->bytes);
    return true;
}

static bool view_share_waits(const struct object *record)
{
    return record != NULL && object_is_visible(record) &&
           object_number(record, SHARE_RECORD_DECISION) == SHARE_WAITING;
}

static bool view_share_contact_key(const struct object *record, struct key *out)
{
    struct span contact =
        record != NULL ? object_value(record, SHARE_RECORD_CONTACT).bytes : span_of(NULL, 0);

    if (contact.size != ID_SIZE || !object_is_visible(record))
        return false;
    key_of_byte(VIEW_SHARE_CONTACT, out);
    key_add_bytes(out, contact);
    key_add_bytes(out, span_of(record->id.bytes, ID_SIZE));
    return true;
}

/* One decided makes room for one that has not been shown. */
static enum err view_share_count_waiting(struct ledger_txn *txn, const struct public_key *member,
                                         bool did_wait, bool waits)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct share_counts counts;
    bool was_full;
    enum err err = view_share_counts(&snapshot, member, &counts);

    was_full = counts.waiting >= SHARES_WAITING_MAX;
    counts.waiting = counts.waiting + waits - (did_wait && counts.waiting > 0);
    if (err == ERR_OK)
        err = view_share_put_counts(txn, member, &counts);
    if (err != ERR_OK || !was_full || waits)
        return err;
    return agenda_put(txn, AGENDA_NOW, KIND_SHARE, span_of(member->bytes, 32));
}

static enum err view_share_decided(struct ledger_txn *txn, uint32_t number,
                                   const struct object *before, const struct object *after)
{
    bool did_wait = view_share_waits(before), waits = view_share_waits(after);
    struct public_key member;
    uint8_t value[4];
    struct key key;
    enum err err = ERR_OK;

    if (view_share_member(after, &member) && did_wait != waits)
        err = view_share_count_waiting(txn, &member, did_wait, waits);
    if (err == ERR_OK && view_share_contact_key(before, &key)) {
        err = ledger_erase(txn, TABLE_SHARE, &key);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    be32_put(value, number);
    if (err == ERR_OK && view_share_contact_key(after, &key))
        err = ledger_put(txn, TABLE_SHARE, &key, span_of(value, sizeof value));
    return err;
}

enum err view_share_changed(struct ledger_txn *txn, const struct space_row *space, uint32_t number,
                            const struct object *before, const struct object *after)
{
    return after->kind == KIND_SHARE ? view_share_said(txn, space, after)
                                     : view_share_decided(txn, number, before, after);
}

enum err view_share_link_changed(struct ledger_txn *txn, const struct object *link)
{
    struct span member = object_value(link, LINK_MEMBER).bytes;

    if (member.size != sizeof(struct public_key) || object_number(link, LINK_STATE) == LINK_LINKED)
        return ERR_OK;
    return agenda_put(txn, AGENDA_NOW, KIND_SHARE, member);
}

/* Reading. */

struct view_share_walk {
    const struct snapshot *snapshot;
    view_share_fn each;
    void *self;
    struct peer *peer;
};

static enum err view_share_begin(struct view_share_walk *walk, const struct snapshot *snapshot,
                                 view_share_fn each, void *self)
{
    *walk = (struct view_share_walk){
        .snapshot = snapshot, .each = each, .self = self, .peer = secret_new(sizeof *walk->peer)};
    return walk->peer != NULL ? ERR_OK : ERR_NOMEM;
}

/* What the peer tells now. False: nothing that counts. */
static enum err view_share_load(const struct view_share_walk *walk, struct share_view *view,
                                struct object *out)
{
    struct space_row space;
    enum share_fault fault;
    bool stands = false;
    uint32_t number;
    enum err err = view_peer(walk->snapshot, &view->peer, walk->peer);

    if (err == ERR_OK && (walk->peer->state != LINK_LINKED || !walk->peer->has_pair_in))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = ledger_space(walk->snapshot, &walk->peer->pair_in, &space);
    if (err == ERR_OK)
        err = view_share_stands(walk->snapshot, space.number, &view->object, &stands);
    if (err == ERR_OK && stands)
        err = row_get(walk->snapshot, &space.id, KIND_SHARE, &view->object, out, &number);
    if (err != ERR_OK || !stands)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    view->body = object_value(out, SHARE_BODY).bytes;
    err = share_read(view->body, &view->share, &fault);
    view->is_standing = err == ERR_OK;
    return err == ERR_MALFORMED ? ERR_OK : err;
}

static enum err view_share_compare(struct share_view *view, const struct object *record)
{
    struct span kept = object_value(record, SHARE_RECORD_BODY).bytes;
    enum share_fault fault;
    struct share before;
    enum err err;

    if (view->decision != SHARE_KEPT)
        return ERR_OK;
    err = share_read(kept, &before, &fault);
    if (err == ERR_OK && !view->is_standing)
        view->share = before;
    else if (err == ERR_OK)
        view->is_changed = !share_is_equal(&before, &view->share);
    return err == ERR_MALFORMED ? ERR_CORRUPT : err;
}

static enum err view_share_on_record(void *self, uint32_t number, const struct object *record)
{
    struct view_share_walk *walk = self;
    struct span object = object_value(record, SHARE_RECORD_OBJECT).bytes;
    struct span contact = object_value(record, SHARE_RECORD_CONTACT).bytes;
    struct share_view view = {.record = record->id,
                              .decision =
                                  (enum share_decision)object_number(record, SHARE_RECORD_DECISION),
                              .seen_ms = object_number(record, SHARE_RECORD_SEEN),
                              .decided_ms = object_number(record, SHARE_RECORD_DECIDED),
                              .withdrawn_ms = object_number(record, SHARE_RECORD_WITHDRAWN),
                              .has_contact = contact.size == ID_SIZE};
    struct object said = {0};
    enum err err;

    (void)number;
    if (object.size != ID_SIZE || !view_share_member(record, &view.peer))
        return ERR_OK;
    memcpy(view.object.bytes, object.data, ID_SIZE);
    if (view.has_contact)
        memcpy(view.contact.bytes, contact.data, ID_SIZE);
    err = view_share_load(walk, &view, &said);
    if (err == ERR_OK)
        err = view_share_compare(&view, record);
    if (err == ERR_OK && (view.is_standing || view.decision == SHARE_KEPT))
        err = walk->each(walk->self, &view);
    object_release(&said);
    return err;
}

enum err view_share_received(const struct snapshot *snapshot, view_share_fn each, void *self)
{
    struct view_share_walk walk;
    enum err err = view_share_begin(&walk, snapshot, each, self);

    if (err == ERR_OK)
        err = row_each(snapshot, ledger_self_space(snapshot->ledger), KIND_SHARE_RECORD,
                       view_share_on_record, &walk);
    secret_free(walk.peer);
    return err;
}

static enum err view_share_on_given(void *self, uint32_t number, const struct object *object)
{
    struct view_share_walk *walk = self;
    struct share_view view = {.object = object->id,
                              .peer = walk->peer->member,
                              .is_given = true,
                              .is_standing = true,
                              .body = object_value(object, SHARE_BODY).bytes};
    enum share_fault fault;
    enum err err = share_read(view.body, &view.share, &fault);

    (void)number;
    if (err != ERR_OK)
        return err == ERR_MALFORMED ? ERR_OK : err;
    return walk->each(walk->self, &view);
}

static enum err view_share_on_reader(void *self, const struct peer *peer)
{
    struct view_share_walk *walk = self;

    if (peer->state != LINK_LINKED || !peer->has_pair_out)
        return ERR_OK;
    walk->peer->member = peer->member;
    return row_each(walk->snapshot, &peer->pair_out, KIND_SHARE, view_share_on_given, walk);
}

enum err view_share_given(const struct snapshot *snapshot, const struct public_key *peer,
                          view_share_fn each, void *self)
{
    struct view_share_walk walk;
    struct peer *reader = secret_new(sizeof *reader);
    enum err err = view_share_begin(&walk, snapshot, each, self);

    if (reader == NULL)
        err = ERR_NOMEM;
    if (err == ERR_OK && peer == NULL)
        err = view_peer_each(snapshot, view_share_on_reader, &walk);
    if (err == ERR_OK && peer != NULL)
        err = view_peer(snapshot, peer, reader);
    if (err == ERR_OK && peer != NULL)
        err = view_share_on_reader(&walk, reader);
    secret_free(reader);
    secret_free(walk.peer);
    return err;
}

/* Walks over the table. */

static enum err view_share_on_contact(void *self, struct span key, struct span value)
{
    struct view_share_walk *walk = self;
    struct object record = {0};
    uint32_t space;
    enum err err;

    if (key.size != VIEW_SHARE_CONTACT_SIZE || value.size != 4)
        return ERR_CORRUPT;
    err = row_load(walk->snapshot, be32(value.data), &record, &space);
    if (err == ERR_OK)
        err = view_share_on_record(walk, be32(value.data), &record);
    object_release(&record);
    return err;
}

enum err view_share_of(const struct snapshot *snapshot, const struct id *contact,
                       view_share_fn each, void *self)
{
    struct view_share_walk walk;
    struct key prefix;
    enum err err = view_share_begin(&walk, snapshot, each, self);

    key_of_byte(VIEW_SHARE_CONTACT, &prefix);
    key_add_bytes(&prefix, span_of(contact->bytes, ID_SIZE));
    if (err == ERR_OK)
        err = ledger_each(snapshot, TABLE_SHARE, key_span(&prefix), view_share_on_contact, &walk);
    secret_free(walk.peer);
    return err;
}

struct view_share_places {
    view_share_place_fn each;
    void *self;
};

static enum err view_share_on_place(void *self, struct span key, struct span value)
{
    struct view_share_places *places = self;
    struct id object;

    (void)value;
    if (key.size != VIEW_SHARE_STANDING_SIZE)
        return ERR_CORRUPT;
    memcpy(object.bytes, key.data + 5, ID_SIZE);
    return places->each(places->self, &object);
}

enum err view_share_each_standing(const struct snapshot *snapshot, uint32_t space,
                                  view_share_place_fn each, void *self)
{
    struct view_share_places places = {.each = each, .self = self};
    struct key prefix;

    view_share_standing_key(space, NULL, &prefix);
    return ledger_each(snapshot, TABLE_SHARE, key_span(&prefix), view_share_on_place, &places);
}
