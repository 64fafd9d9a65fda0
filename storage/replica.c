/* Which logs are shared with whom, and their entries as batches. */
#include "storage/replica.h"

#include <string.h>

#include "crypto/secret.h"
#include "proto/limits.h"
#include "storage/ledger_state.h"
#include "storage/view_peer.h"

struct replica_walk {
    const struct snapshot *snapshot;
    struct space_row space;
    replica_log_fn each;
    void *self;
};

static enum err replica_on_log(void *self, const struct log_row *log)
{
    struct replica_walk *walk = self;
    struct replica_log row = {.log = {.space = walk->space.id, .device = log->device},
                              .is_mine = walk->space.is_mine,
                              .tip = log->tip};

    return log->tip.size > 0 ? walk->each(walk->self, &row) : ERR_OK;
}

static enum err replica_walk_space(struct replica_walk *walk, const struct id *space)
{
    enum err err = ledger_space(walk->snapshot, space, &walk->space);

    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    return err == ERR_OK ? ledger_logs(walk->snapshot, walk->space.number, replica_on_log, walk)
                         : err;
}

/* The spaces one writes for the other: pairs first, then cards, then networks. Own devices share
 * every space. */
static enum err replica_own_logs(struct replica_walk *walk)
{
    struct ledger_counters counters;
    enum err err = ledger_load_counters(walk->snapshot, &counters);

    for (uint32_t number = 1; err == ERR_OK && number <= counters.spaces; number++) {
        err = ledger_space_numbered(walk->snapshot, number, &walk->space);
        if (err == ERR_OK)
            err = ledger_logs(walk->snapshot, number, replica_on_log, walk);
    }
    return err;
}

static enum err replica_peer_logs(struct replica_walk *walk, const struct peer *peer)
{
    struct space_row card, network;
    enum err err = ERR_OK;

    if (peer->has_pair_out)
        err = replica_walk_space(walk, &peer->pair_out);
    if (err == ERR_OK && peer->has_pair_in)
        err = replica_walk_space(walk, &peer->pair_in);
    if (err == ERR_OK)
        err = ledger_own_space(walk->snapshot, SPACE_CARD, &card);
    if (err == ERR_OK)
        err = replica_walk_space(walk, &card.id);
    if (err == ERR_OK && peer->has_card_in)
        err = replica_walk_space(walk, &peer->card_in);
    if (err == ERR_OK && peer->has_network_in)
        err = replica_walk_space(walk, &peer->network_in);
    if (err == ERR_OK)
        err = ledger_own_space(walk->snapshot, SPACE_NETWORK, &network);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    return err == ERR_OK ? replica_walk_space(walk, &network.id) : err;
}

/* A peer's link when it is one; ERR_NOT_FOUND when nothing is shared with this member. */
static enum err replica_load_peer(const struct snapshot *snapshot, const struct public_key *member,
                                  struct peer **out)
{
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? view_peer(snapshot, member, peer) : ERR_NOMEM;

    if (err == ERR_OK && peer->state != LINK_LINKED)
        err = ERR_NOT_FOUND;
    if (err != ERR_OK) {
        secret_free(peer);
        return err;
    }
    *out = peer;
    return ERR_OK;
}

static bool replica_is_own(const struct snapshot *snapshot, const struct public_key *peer)
{
    return public_key_is_equal(peer, ledger_member(snapshot->ledger));
}

static enum err replica_logs(void *self, const struct public_key *peer, replica_log_fn each,
                             void *each_self)
{
    struct replica_walk walk = {.snapshot = self, .each = each, .self = each_self};
    struct peer *link;
    enum err err;

    if (replica_is_own(self, peer))
        return replica_own_logs(&walk);
    err = replica_load_peer(self, peer, &link);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    err = replica_peer_logs(&walk, link);
    secret_free(link);
    return err;
}

/* Is this space one that the two members share? */
static enum err replica_check_space(const struct snapshot *snapshot, const struct public_key *peer,
                                    const struct id *space, struct space_row *out)
{
    struct peer *link;
    bool is_shared;
    enum err err = ledger_space(snapshot, space, out);

    if (err != ERR_OK || replica_is_own(snapshot, peer))
        return err;
    err = replica_load_peer(snapshot, peer, &link);
    if (err != ERR_OK)
        return err;
    is_shared = (link->has_pair_out && id_is_equal(&link->pair_out, space)) ||
                (link->has_pair_in && id_is_equal(&link->pair_in, space)) ||
                (link->has_card_in && id_is_equal(&link->card_in, space)) ||
                (link->has_network_in && id_is_equal(&link->network_in, space)) ||
                (out->is_mine && (out->kind == SPACE_CARD || out->kind == SPACE_NETWORK));
    secret_free(link);
    return is_shared ? ERR_OK : ERR_NOT_FOUND;
}

static enum err replica_space_logs(void *self, const struct public_key *peer,
                                   const struct id *space, replica_log_fn each, void *each_self)
{
    struct replica_walk walk = {.snapshot = self, .each = each, .self = each_self};
    enum err err = replica_check_space(self, peer, space, &walk.space);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    return ledger_logs(self, walk.space.number, replica_on_log, &walk);
}

static enum err replica_tip(void *self, const struct log_id *log, struct chain *out)
{
    struct log_row row;
    enum err err = ledger_log(self, log, &row);

    if (err == ERR_NOT_FOUND) {
        chain_begin(log, out);
        return ERR_OK;
    }
    if (err == ERR_OK)
        *out = row.tip;
    return err;
}

static enum err replica_chain_at(void *self, const struct log_id *log, uint64_t size,
                                 struct chain *out)
{
    struct log_row row;
    enum err err = ledger_log(self, log, &row);

    if (err == ERR_NOT_FOUND && size == 0) {
        chain_begin(log, out);
        return ERR_OK;
    }
    return err == ERR_OK ? ledger_chain_at(self, &row, log, size, out) : err;
}

/* A peer gives logs of its own devices in the spaces it writes; own devices give anything of mine.
 */
static enum err replica_accepts(void *self, const struct public_key *peer, const struct log_id *log)
{
    struct device_row device;
    struct space_row space;
    enum err err = replica_check_space(self, peer, &log->space, &space);

    if (err == ERR_OK && space.is_mine && !replica_is_own(self, peer))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = view_device(self, &log->device, &device);
    if (err == ERR_OK && !public_key_is_equal(&device.member, &space.writer))
        err = ERR_NOT_FOUND;
    return err;
}

static enum err replica_read(void *self, const struct log_id *log, const struct chain *start,
                             struct batch_writer *writer, struct chain *out_end,
                             uint8_t out_signature[SIGNATURE_SIZE])
{
    struct log_row row;
    struct head head;
    uint64_t arrival = 0;
    bool is_end = false;
    enum err err = ledger_log(self, log, &row);

    if (err != ERR_OK)
        return err;
    if (start->size >= row.tip.size)
        return ERR_NOT_FOUND;
    *out_end = *start;
    while (err == ERR_OK && !is_end && out_end->size < row.tip.size) {
        struct entry_row entry;

        err = arrival > 0 ? ledger_entry(self, arrival + 1, &entry) : ERR_NOT_FOUND;
        if (err == ERR_NOT_FOUND ||
            (err == ERR_OK && (entry.log != row.number || entry.seq != out_end->size + 1)))
            err = ledger_entry_at(self, row.number, out_end->size + 1, &entry);
        if (err != ERR_OK)
            return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
        arrival = entry.arrival;
        batch_add(writer, &entry.entry);
        if (entry.entry.payload.size > 0)
            entry_hash_payload(&entry.entry);
        is_end = chain_extend(out_end, &entry.entry.header);
    }
    if (out_end->size == row.tip.size) {
        memcpy(out_signature, row.head_signature, SIGNATURE_SIZE);
        return buf_err(&writer->entries);
    }
    err = log_table_head(self, row.number, out_end->size, &head);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    memcpy(out_signature, head.signature, SIGNATURE_SIZE);
    return buf_err(&writer->entries);
}

static enum err replica_count(void *self, const struct log_id *log, uint64_t size,
                              uint64_t *out_entries, uint64_t *out_bytes)
{
    struct log_row row;
    uint64_t before = 0;
    enum err err = ledger_log(self, log, &row);

    *out_entries = *out_bytes = 0;
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (size >= row.tip.size)
        return ERR_OK;
    err = ledger_bytes_at(self, &row, size, &before);
    if (err != ERR_OK)
        return err;
    *out_entries = row.tip.size - size;
    *out_bytes = row.payload_bytes - before;
    return ERR_OK;
}

void replica_of(struct snapshot *snapshot, struct replica *out)
{
    *out = (struct replica){.logs = replica_logs,
                            .space_logs = replica_space_logs,
                            .tip = replica_tip,
                            .chain_at = replica_chain_at,
                            .accepts = replica_accepts,
                            .read = replica_read,
                            .count = replica_count,
                            .self = snapshot};
}
