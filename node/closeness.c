/* Peers and what was said about people, as one list. Two rows can be about one person: what was
 * said of a contact before it was linked, or of two that are one now. The farther counts. */
#include "node/closeness.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/amend.h"
#include "proto/contact.h"
#include "storage/row.h"
#include "storage/view_peer.h"
#include "storage/view_same.h"

struct closeness_walk {
    const struct snapshot *snapshot;
    struct buf rows; /* struct closeness_row */
};

static enum err closeness_add(struct closeness_walk *walk, const struct closeness_row *row)
{
    buf_append(&walk->rows, span_of(row, sizeof *row));
    return buf_err(&walk->rows);
}

static enum closeness closeness_usual(const struct peer *peer)
{
    switch (peer->level) {
    case LINK_COMPARED:
        return CLOSENESS_GOOD;
    case LINK_INTRODUCED:
        return CLOSENESS_MET;
    case LINK_INVITED:
        break;
    }
    return CLOSENESS_KNOWN;
}

static enum err closeness_on_peer(void *self, const struct peer *peer)
{
    struct closeness_row row = {.has_member = true,
                                .member = peer->member,
                                .has_contact = peer->has_contact,
                                .contact = peer->contact,
                                .is_peer = peer->state == LINK_LINKED,
                                .is_blocked = peer->state == LINK_BLOCKED,
                                .level = closeness_usual(peer),
                                .since_ms = peer->since_ms,
                                .has_via = peer->has_via,
                                .via = peer->via};

    if (peer->state == LINK_REMOVED)
        return ERR_OK;
    if (row.is_blocked)
        row.level = CLOSENESS_MUTED;
    memcpy(row.name, peer->alias[0] != '\0' ? peer->alias : peer->name, sizeof row.name);
    return closeness_add(self, &row);
}

/* The contact as it is shown, and the member it is linked to by now. */
static enum err closeness_resolve(const struct snapshot *snapshot, struct closeness_row *row)
{
    struct space_row space;
    struct object contact = {0};
    struct span member;
    uint32_t number, head;
    enum err err = ledger_space(snapshot, ledger_self_space(snapshot->ledger), &space);

    if (err == ERR_OK)
        err = row_find(snapshot, space.number, KIND_CONTACT, &row->contact, &number);
    if (err == ERR_OK)
        err = view_same_read(snapshot, number, &contact, &head);
    if (err != ERR_OK)
        return err;
    row->contact = contact.id;
    member = object_value(&contact, CONTACT_MEMBER).bytes;
    row->has_member = member.size == sizeof row->member.bytes;
    if (row->has_member)
        memcpy(row->member.bytes, member.data, member.size);
    if (!object_is_visible(&contact))
        err = ERR_NOT_FOUND;
    object_release(&contact);
    return err;
}

static enum err closeness_read(const struct snapshot *snapshot, const struct object *said,
                               struct closeness_row *out)
{
    struct span of = object_text(said, CLOSENESS_OF);
    uint64_t level = object_number(said, CLOSENESS_LEVEL);

    *out = (struct closeness_row){.is_set = true, .level = (enum closeness)level};
    if (level < CLOSENESS_CLOSE || level > CLOSENESS_MUTED)
        return ERR_NOT_FOUND;
    if (of.size == (size_t)2 * ID_SIZE) {
        out->has_contact = hex_read(of, out->contact.bytes, ID_SIZE) == ERR_OK;
        return out->has_contact ? closeness_resolve(snapshot, out) : ERR_NOT_FOUND;
    }
    out->has_member = identity_read_did(of, &out->member) == ERR_OK;
    return out->has_member ? ERR_OK : ERR_NOT_FOUND;
}

static enum err closeness_on_said(void *self, uint32_t number, const struct object *said)
{
    struct closeness_walk *walk = self;
    struct closeness_row row;
    enum err err = closeness_read(walk->snapshot, said, &row);

    (void)number;
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    return closeness_add(walk, &row);
}

static struct span closeness_key(const struct closeness_row *row)
{
    return row->has_member ? span_of(row->member.bytes, sizeof row->member.bytes)
                           : span_of(row->contact.bytes, sizeof row->contact.bytes);
}

static int closeness_order(const void *left, const void *right)
{
    const struct closeness_row *one = left, *other = right;

    if (one->has_member != other->has_member)
        return one->has_member ? -1 : 1;
    return span_order(closeness_key(one), closeness_key(other));
}

/* What is known of one person twice. */
static void closeness_unite(struct closeness_row *row, const struct closeness_row *more)
{
    bool is_farther = more->is_set == row->is_set ? more->level > row->level : more->is_set;

    row->level = is_farther ? more->level : row->level;
    row->is_set |= more->is_set;
    if (row->is_blocked || more->is_blocked)
        row->level = CLOSENESS_MUTED;
    row->is_blocked |= more->is_blocked;
    if (!row->has_contact && more->has_contact) {
        row->has_contact = true;
        row->contact = more->contact;
    }
    if (more->since_ms > 0) {
        row->since_ms = more->since_ms;
        memcpy(row->name, more->name, sizeof row->name);
        row->is_peer = more->is_peer;
        row->has_via = more->has_via;
        row->via = more->via;
    }
}

static void closeness_settle(struct closeness_list *list)
{
    size_t count = 0;

    if (list->count > 1)
        qsort(list->rows, list->count, sizeof *list->rows, closeness_order);
    for (size_t at = 0; at < list->count; at++)
        if (count > 0 && closeness_order(&list->rows[count - 1], &list->rows[at]) == 0)
            closeness_unite(&list->rows[count - 1], &list->rows[at]);
        else
            list->rows[count++] = list->rows[at];
    list->count = count;
    while (list->members_count < count && list->rows[list->members_count].has_member)
        list->members_count++;
}

enum err closeness_load(const struct snapshot *snapshot, struct closeness_list *out)
{
    struct closeness_walk walk = {.snapshot = snapshot};
    enum err err = view_peer_each(snapshot, closeness_on_peer, &walk);

    *out = (struct closeness_list){0};
    if (err == ERR_OK)
        err = row_each(snapshot, ledger_self_space(snapshot->ledger), KIND_CLOSENESS,
                       closeness_on_said, &walk);
    if (err != ERR_OK) {
        buf_release(&walk.rows);
        return err;
    }
    out->rows = (struct closeness_row *)(void *)walk.rows.data;
    out->count = walk.rows.size / sizeof *out->rows;
    closeness_settle(out);
    return ERR_OK;
}

void closeness_release(struct closeness_list *list)
{
    heap_free(list->rows);
    *list = (struct closeness_list){0};
}

const struct closeness_row *closeness_of(const struct closeness_list *list,
                                         const struct public_key *member)
{
    struct closeness_row wanted = {.has_member = true, .member = *member};

    if (list->members_count == 0)
        return NULL;
    return bsearch(&wanted, list->rows, list->members_count, sizeof wanted, closeness_order);
}

enum closeness closeness_to(const struct closeness_list *list, const struct name_match *who)
{
    struct closeness_row wanted = {.has_contact = true, .contact = who->contact};
    const struct closeness_row *row = who->has_member ? closeness_of(list, &who->member) : NULL;

    if (row == NULL && who->has_contact && list->count > list->members_count)
        row = bsearch(&wanted, list->rows + list->members_count, list->count - list->members_count,
                      sizeof wanted, closeness_order);
    return row != NULL ? row->level : CLOSENESS_MET;
}

/* Saying. */

struct closeness_others {
    const struct snapshot *snapshot;
    const struct name_match *who;
    const struct id *own; /* the object that says it */
    struct buf ids;       /* struct id: others about the same person */
};

static enum err closeness_on_other(void *self, uint32_t number, const struct object *said)
{
    struct closeness_others *others = self;
    struct closeness_row row;
    bool is_same;
    enum err err = closeness_read(others->snapshot, said, &row);

    (void)number;
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    is_same = (others->who->has_member && row.has_member &&
               public_key_is_equal(&others->who->member, &row.member)) ||
              (others->who->has_contact && row.has_contact &&
               id_is_equal(&others->who->contact, &row.contact));
    if (is_same && !id_is_equal(&said->id, others->own))
        buf_append(&others->ids, span_of(said->id.bytes, ID_SIZE));
    return buf_err(&others->ids);
}

static enum err closeness_drop(struct ledger_txn *txn, const struct id *object)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct amend amend;

    amend_begin(&amend, txn, ledger_self_space(snapshot.ledger), KIND_CLOSENESS, object);
    if (!amend.is_new && object_is_visible(&amend.object))
        amend_delete(&amend);
    return amend_end(&amend, NULL);
}

static enum err closeness_write(struct ledger_txn *txn, const struct name_match *who,
                                const struct id *object, enum closeness level)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct amend amend;
    char of[DID_SIZE];

    if (who->has_member)
        identity_did(&who->member, of);
    else
        hex_write(span_of(who->contact.bytes, ID_SIZE), of);
    amend_begin(&amend, txn, ledger_self_space(snapshot.ledger), KIND_CLOSENESS, object);
    amend_text(&amend, CLOSENESS_OF, span_str(of));
    amend_number(&amend, CLOSENESS_LEVEL, level);
    return amend_end(&amend, NULL);
}

enum err closeness_say(struct ledger_txn *txn, const struct name_match *who, enum closeness level)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct closeness_others others = {.snapshot = &snapshot, .who = who};
    struct id own = who->contact;
    enum err err;

    if (who->has_member)
        id_about("kith closeness", &who->member, &own);
    others.own = &own;
    err = row_each(&snapshot, ledger_self_space(snapshot.ledger), KIND_CLOSENESS,
                   closeness_on_other, &others);
    for (size_t at = 0; err == ERR_OK && at < others.ids.size; at += ID_SIZE) {
        struct id other;

        memcpy(other.bytes, others.ids.data + at, ID_SIZE);
        err = closeness_drop(txn, &other);
    }
    buf_release(&others.ids);
    if (err != ERR_OK)
        return err;
    return level == CLOSENESS_UNSET ? closeness_drop(txn, &own)
                                    : closeness_write(txn, who, &own, level);
}
