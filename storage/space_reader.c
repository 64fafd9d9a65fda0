/* Peers who may read my card or network space and lack the key of its current epoch: another device
 * linked with them while this one, knowing nothing of it, opened that epoch, or the other way
 * round. */
#include <string.h>

#include "crypto/secret.h"
#include "proto/limits.h"
#include "storage/agenda.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/running.h"
#include "storage/space_state.h"

struct space_reader_look {
    const struct snapshot *snapshot;
    enum space_kind kind;
    struct hash epoch;
    struct buf lacking; /* struct public_key */
};

static enum err space_reader_on_peer(void *self, const struct peer *peer)
{
    struct space_reader_look *look = self;
    struct object grant = {0};
    struct id object;
    uint32_t number;
    enum err err;

    if (!space_may_read(look->kind, peer) || !peer->has_pair_out)
        return ERR_OK;
    memcpy(object.bytes, look->epoch.bytes, ID_SIZE);
    err = row_get(look->snapshot, &peer->pair_out, KIND_GRANT, &object, &grant, &number);
    object_release(&grant);
    if (err != ERR_NOT_FOUND)
        return err;
    buf_append(&look->lacking, span_of(&peer->member, sizeof peer->member));
    return buf_err(&look->lacking);
}

/* PROTOCOL EPOCH-10: "at once by the device that opened it, by another SPACE_LACK_MS of running
 * time after it heard of the epoch." */
static enum err space_reader_is_due(struct ledger_txn *txn, const struct space_row *space,
                                    bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct epoch_row epoch;
    struct log_row log;
    uint64_t now_ms = 0;
    enum err err = epoch_table_get(&snapshot, &space->current, &epoch);

    if (err == ERR_OK)
        err = ledger_log_numbered(&snapshot, epoch.log, &log);
    if (err == ERR_OK)
        err = running_ms(&snapshot, &now_ms);
    *out = err == ERR_OK && (public_key_is_equal(&log.device, ledger_device(txn->ledger)) ||
                             now_ms >= epoch.heard_ms + SPACE_LACK_MS);
    return err;
}

enum err space_reader_tend(struct ledger_txn *txn, const struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_reader_look look = {
        .snapshot = &snapshot, .kind = space->kind, .epoch = space->current};
    bool is_due = false;
    enum err err;

    if (space->kind != SPACE_CARD && space->kind != SPACE_NETWORK)
        return ERR_OK;
    err = view_peer_each_link(&snapshot, space_reader_on_peer, &look);
    if (err == ERR_OK && look.lacking.size > 0)
        err = space_reader_is_due(txn, space, &is_due);
    if (err == ERR_OK && look.lacking.size > 0 && !is_due)
        err = agenda_put(txn, txn->now_ms + SPACE_LACK_MS, KIND_SPACE,
                         span_of(space->id.bytes, ID_SIZE));
    for (size_t at = 0; err == ERR_OK && is_due && at < look.lacking.size;
         at += sizeof(struct public_key)) {
        struct public_key member;

        memcpy(&member, look.lacking.data + at, sizeof member);
        err = space_admit(txn, &space->id, &member);
    }
    buf_release(&look.lacking);
    return err;
}

enum err space_reader_is_lacking(const struct space_look *look, const struct hash *epoch, bool *out)
{
    struct space_reader_look lack = {
        .snapshot = look->snapshot, .kind = look->kind, .epoch = *epoch};
    enum err err = view_peer_each_link(look->snapshot, space_reader_on_peer, &lack);

    *out = err == ERR_OK && lack.lacking.size > 0;
    buf_release(&lack.lacking);
    return err;
}

static enum err space_reader_judge(struct space_look *look, struct space_epoch *epoch)
{
    bool is_lacking = false;
    struct epoch_row row;
    uint64_t now_ms = 0;
    enum err err = space_reader_is_lacking(look, &epoch->id, &is_lacking);

    if (err != ERR_OK || !is_lacking)
        return err;
    err = epoch_table_get(look->snapshot, &epoch->id, &row);
    if (err == ERR_OK)
        err = running_ms(look->snapshot, &now_ms);
    epoch->is_lacking = err == ERR_OK && now_ms >= row.heard_ms + SPACE_LACK_MS;
    look->is_awaited |= !epoch->is_lacking;
    return err;
}

/* PROTOCOL EPOCH-10: "Where such a peer was not granted another tip of the space by then, the tips
 * are united, whomever they were opened for: the grants may be lost with the device that opened
 * it." */
enum err space_reader_find_lacking(struct space_look *look)
{
    bool is_granting = look->kind == SPACE_CARD || look->kind == SPACE_NETWORK;
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && is_granting && at < look->count; at++) {
        struct space_epoch *epoch = &look->epochs[at];

        if (epoch->is_tip && epoch->is_exact && epoch->has_key && epoch != look->best)
            err = space_reader_judge(look, epoch);
    }
    return err;
}
