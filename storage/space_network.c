/* My network space: off until its owner turns it on, and read by those peers who were let in. */
#include <string.h>

#include "crypto/secret.h"
#include "proto/card.h"
#include "proto/limits.h"
#include "proto/link.h"
#include "storage/agenda.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/space_state.h"

enum { SPACE_NETWORK_ON = 1, SPACE_NETWORK_OFF = 2 };

/* Where self says nothing of the space: another device made it, or this one before it went back. */
static enum err space_tell_network(struct ledger_txn *txn, const struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct id *self = ledger_self_space(txn->ledger);
    struct object object = {0};
    uint32_t ignored;
    enum err err = row_get(&snapshot, self, KIND_SPACE, &space->id, &object, &ignored);

    object_release(&object);
    if (err != ERR_NOT_FOUND)
        return err;
    err = space_tell(txn, space);
    return err == ERR_OK ? follow_all(txn) : err;
}

/* Sets one number of one object in self, under the next counter. */
static enum err space_set_number(struct ledger_txn *txn, uint8_t kind, const struct id *id,
                                 uint8_t field, uint64_t number)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct id *self = ledger_self_space(txn->ledger);
    struct edit_space edit = {0};
    struct object object = {0};
    uint32_t ignored;
    enum err err = row_get(&snapshot, self, kind, id, &object, &ignored);

    if (err == ERR_OK && object_number(&object, field) != number) {
        edit_begin(&edit, kind, id, txn->now_ms);
        edit_set(&edit, field, object_next_counter(&object, field),
                 (struct value){.type = VALUE_NUMBER, .number = number});
        err = ledger_append(txn, self, &edit, 0);
        if (err == ERR_OK)
            err = follow_all(txn);
    }
    edit_release(&edit);
    object_release(&object);
    return err;
}

enum err space_use_network(struct ledger_txn *txn, bool is_on)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space;
    enum err err = ledger_own_space(&snapshot, SPACE_NETWORK, &space);

    if (err == ERR_NOT_FOUND && !is_on)
        return ERR_OK;
    if (err == ERR_NOT_FOUND)
        err = space_create(txn, SPACE_NETWORK, NULL, &space.id);
    else if (err == ERR_OK)
        err = space_tell_network(txn, &space);
    if (err == ERR_OK)
        err = follow_all(txn);
    return err == ERR_OK ? space_set_number(txn, KIND_SPACE, &space.id, SPACE_FIELD_STATE,
                                            is_on ? SPACE_NETWORK_ON : SPACE_NETWORK_OFF)
                         : err;
}

/* PROTOCOL NETWORK-1: "A member has at most one network space, none before its owner turns it on.
 * It has the epochs and grants of a card space." */
enum err space_network(const struct snapshot *snapshot, struct space_row *out)
{
    struct object object = {0};
    uint32_t ignored;
    enum err err = ledger_own_space(snapshot, SPACE_NETWORK, out);

    if (err == ERR_OK)
        err = row_get(snapshot, ledger_self_space(snapshot->ledger), KIND_SPACE, &out->id, &object,
                      &ignored);
    if (err == ERR_OK && object_number(&object, SPACE_FIELD_STATE) != SPACE_NETWORK_ON)
        err = ERR_NOT_FOUND;
    object_release(&object);
    return err;
}

/* A key that was told to one peer. */
struct space_network_look {
    struct id network;
    bool is_told;
};

static enum err space_on_told(void *self, uint32_t number, const struct object *grant)
{
    struct space_network_look *look = self;

    (void)number;
    look->is_told |= span_is_equal(object_value(grant, GRANT_SPACE).bytes,
                                   span_of(look->network.bytes, ID_SIZE));
    return look->is_told ? ERR_CANCELLED : ERR_OK;
}

/* PROTOCOL NETWORK-3: "It is shared with those who were let in and told a key of it, while it is
 * on." */
enum err space_network_of(const struct snapshot *snapshot, const struct peer *link,
                          struct space_row *out)
{
    struct space_network_look look = {.is_told = false};
    struct object grant = {0};
    struct id object;
    uint32_t ignored;
    enum err err =
        link->reads_network && link->has_pair_out ? space_network(snapshot, out) : ERR_NOT_FOUND;

    if (err != ERR_OK)
        return err;
    look.network = out->id;
    memcpy(object.bytes, out->current.bytes, ID_SIZE);
    err = row_get(snapshot, &link->pair_out, KIND_GRANT, &object, &grant, &ignored);
    object_release(&grant);
    if (err != ERR_NOT_FOUND)
        return err;
    err = row_each(snapshot, &link->pair_out, KIND_GRANT, space_on_told, &look);
    return err == ERR_CANCELLED ? ERR_OK : err == ERR_OK ? ERR_NOT_FOUND : err;
}

enum err space_share_network(struct ledger_txn *txn, const struct public_key *peer, bool is_reader)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *link = secret_new(sizeof *link);
    struct space_row space;
    struct id id;
    enum err err = link != NULL ? view_peer(&snapshot, peer, link) : ERR_NOMEM;

    if (err == ERR_OK && link->state != LINK_LINKED)
        err = ERR_STATE;
    secret_free(link);
    if (err != ERR_OK)
        return err;
    err = space_network(&snapshot, &space);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_STATE : err;
    id_about("kith link", peer, &id);
    err = space_set_number(txn, KIND_LINK, &id, LINK_NETWORK, is_reader);
    if (err == ERR_OK && is_reader)
        err = space_admit(txn, &space.id, peer);
    return err;
}

/* What came back. */

/* What self says of the space, and of whether this linked peer reads it. */
struct space_network_told {
    bool is_space_untold, is_reader_untold;
};

static enum err space_find_untold(const struct snapshot *snapshot, const struct id *link,
                                  struct space_network_told *out)
{
    const struct id *self = ledger_self_space(snapshot->ledger);
    struct object space = {0}, peer = {0};
    struct space_row network;
    uint64_t state;
    uint32_t ignored;
    enum err err = ledger_own_space(snapshot, SPACE_NETWORK, &network);

    *out = (struct space_network_told){0};
    if (err == ERR_OK)
        err = row_get(snapshot, self, KIND_LINK, link, &peer, &ignored);
    if (err == ERR_OK)
        err = row_get(snapshot, self, KIND_SPACE, &network.id, &space, &ignored);
    state = object_number(&space, SPACE_FIELD_STATE);
    if (object_number(&peer, LINK_STATE) == LINK_LINKED && state != SPACE_NETWORK_OFF) {
        out->is_space_untold = state != SPACE_NETWORK_ON;
        out->is_reader_untold = object_value(&peer, LINK_NETWORK).type == VALUE_NONE;
    }
    object_release(&space);
    object_release(&peer);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL NETWORK-4: "Where the member has other devices it waits SPACE_LACK_MS: self may be on
 * its way." */
enum err space_granted(struct ledger_txn *txn, const struct public_key *reader)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool has_siblings;
    enum err err = space_has_siblings(&snapshot, &has_siblings);

    return err == ERR_OK ? agenda_put(txn, has_siblings ? txn->now_ms + SPACE_LACK_MS : AGENDA_NOW,
                                      KIND_GRANT, span_of(reader->bytes, sizeof reader->bytes))
                         : err;
}

/* PROTOCOL NETWORK-4: "A device that holds a grant of its member's network space to a linked peer,
 * and finds nothing in self of the space, or of whether that peer reads it, notes there that it is
 * on and that the peer does." */
enum err space_tend_granted(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct public_key reader;
    struct space_network_told told;
    struct id link;
    enum err err;

    if (name.size != sizeof reader.bytes)
        return ERR_OK;
    memcpy(reader.bytes, name.data, sizeof reader.bytes);
    id_about("kith link", &reader, &link);
    err = space_find_untold(&snapshot, &link, &told);
    if (err == ERR_OK && told.is_space_untold)
        err = space_use_network(txn, true);
    if (err == ERR_OK && told.is_reader_untold)
        err = space_share_network(txn, &reader, true);
    /* Without an epoch to write under yet space_reader_tend tells the key. */
    return err == ERR_KEY_MISSING || err == ERR_NOT_FOUND ? ERR_OK : err;
}
