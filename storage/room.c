/* See room.h. */
#include "storage/room.h"

#include "proto/limits.h"
#include "storage/absent.h"
#include "storage/ledger_state.h"
#include "storage/space.h"

struct room_sum {
    const struct snapshot *snapshot;
    uint64_t entries, bytes;
};

/* PROTOCOL SYNC-20: "An entry whose payload is gone counts as PEER_GONE_BYTES and as no entry." */
static enum err room_add_log(void *self, const struct log_row *log)
{
    struct room_sum *sum = self;
    struct absent_total absent;
    enum err err = absent_total(sum->snapshot, log->number, &absent);

    sum->entries += log->tip.size - log->start - absent.entries;
    sum->bytes += log->payload_bytes - absent.bytes + absent.entries * PEER_GONE_BYTES;
    return err;
}

static enum err room_sum_space(const struct id *id, struct room_sum *sum)
{
    struct space_row space;
    enum err err = ledger_space(sum->snapshot, id, &space);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    return ledger_logs(sum->snapshot, space.number, room_add_log, sum);
}

/* All that a peer writes here: its pair, its card, its network. */
static enum err room_sum_peer(const struct peer *link, struct room_sum *sum)
{
    struct space_row network;
    enum err err = ERR_OK;

    if (link->has_pair_in)
        err = room_sum_space(&link->pair_in, sum);
    if (err == ERR_OK && link->has_card_in)
        err = room_sum_space(&link->card_in, sum);
    if (err == ERR_OK)
        err = view_peer_network(sum->snapshot, &link->member, &network);
    if (err == ERR_OK)
        err = ledger_logs(sum->snapshot, network.number, room_add_log, sum);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err room_used(const struct snapshot *snapshot, const struct peer *peer,
                   struct replica_room *out)
{
    struct room_sum sum = {.snapshot = snapshot};
    enum err err = room_sum_peer(peer, &sum);

    *out = (struct replica_room){
        .entries = sum.entries,
        .bytes = sum.bytes,
        .entries_max = peer->entries_max > 0 ? peer->entries_max : PEER_ENTRIES_MAX,
        .bytes_max = peer->bytes_max > 0 ? peer->bytes_max : PEER_BYTES_MAX};
    return err;
}
