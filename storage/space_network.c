/* My network space: off until its owner turns it on, and read by those peers who were let in. */
#include <string.h>

#include "crypto/secret.h"
#include "proto/link.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/space.h"
#include "storage/view_peer.h"

enum { SPACE_NETWORK_ON = 1, SPACE_NETWORK_OFF = 2 };

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
