/* Which logs are shared with whom, and their entries as batches. */
#include "storage/replica.h"

#include <string.h>

#include "crypto/secret.h"
#include "proto/limits.h"
#include "storage/absent.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/return_epoch.h"
#include "storage/returns.h"
#include "storage/room.h"
#include "storage/space.h"
#include "storage/standing.h"
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
                              .tip = log->tip,
                              .start = log->start,
                              .has_keys =
                                  walk->space.kind == SPACE_SELF || walk->space.kind == SPACE_PAIR,
                              .cuts = log->cuts};

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

static enum err replica_network_logs(struct replica_walk *walk, const struct peer *peer)
{
    struct space_row network;
    enum err err = space_network_of(walk->snapshot, peer, &network);

    if (err == ERR_OK)
        err = replica_walk_space(walk, &network.id);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = view_peer_network(walk->snapshot, &peer->member, &network);
    if (err == ERR_OK)
        err = replica_walk_space(walk, &network.id);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err replica_peer_logs(struct replica_walk *walk, const struct peer *peer)
{
    struct space_row card;
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
    return err == ERR_OK ? replica_network_logs(walk, peer) : err;
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

/* PROTOCOL OWN-5: "Everything is shared between devices of one member, without quotas: each space
 * of the member, and each that a peer writes for it, or wrote while there was a link." */
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

static bool replica_shares_network(const struct snapshot *snapshot, const struct peer *link,
                                   const struct space_row *space)
{
    struct space_row network;
    enum err err = space->is_mine ? space_network_of(snapshot, link, &network)
                                  : view_peer_network(snapshot, &link->member, &network);

    return err == ERR_OK && network.number == space->number;
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
                (out->is_mine && out->kind == SPACE_CARD);
    if (out->kind == SPACE_NETWORK)
        is_shared = replica_shares_network(snapshot, link, out);
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

static enum err replica_tip(void *self, const struct log_id *log, struct replica_log *out)
{
    struct log_row row = {.number = 0};
    enum err err = ledger_log(self, log, &row);

    if (err == ERR_NOT_FOUND) {
        chain_begin(log, &row.tip);
        err = ERR_OK;
    }
    *out = (struct replica_log){.log = *log, .tip = row.tip, .start = row.start, .cuts = row.cuts};
    return err;
}

static enum err replica_beginning(void *self, const struct public_key *peer,
                                  const struct log_id *log, struct log_beginning *out)
{
    return log_table_begin_for(self, log, replica_is_own(self, peer), out);
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

/* Devices. */

/* What another member than the one who writes here, or mine, said of a device says nothing. */
static enum err replica_is_out(const struct snapshot *snapshot, const struct space_row *space,
                               const struct public_key *device, enum standing standing, bool *out)
{
    struct device_row row;
    enum err err = view_device(snapshot, device, &row);

    *out =
        err == ERR_OK && standing_is_out(standing) &&
        (public_key_is_equal(&row.member, &space->writer) || replica_is_own(snapshot, &row.member));
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL RETIRE-6: "A retired log without a keep is frozen: it takes no entries and loses none,
 * but for what other devices of the reader's own member hold (FORK-4)." */
static enum err replica_standing(void *self, const struct log_id *log, struct replica_standing *out)
{
    enum standing standing = STANDING_GOOD;
    struct space_row space;
    struct log_row row = {0};
    struct keep keep;
    bool is_met = false;
    enum err err = ledger_space(self, &log->space, &space);

    if (err == ERR_OK)
        err = standing_of(self, &log->device, &standing);
    if (err != ERR_OK)
        return err;
    *out = (struct replica_standing){
        .is_mine = space.is_mine,
        .is_this = public_key_is_equal(&log->device,
                                       ledger_device(((const struct snapshot *)self)->ledger)),
        .is_retired = standing != STANDING_GOOD};
    if (!out->is_retired)
        return ERR_OK;
    err = replica_is_out(self, &space, &log->device, standing, &out->is_out);
    if (err != ERR_OK)
        return err;
    err = retire_table_keep(self, space.number, &log->device, &keep);
    if (err == ERR_NOT_FOUND && standing >= STANDING_STOLEN) {
        out->has_keep = true; /* Nothing more of it is wanted, whatever it is. */
        err = ledger_log(self, log, &row);
        out->keep_size = row.tip.size;
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    if (err == ERR_OK)
        err = keep_is_met(self, &space, &log->device, &is_met);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    out->has_keep = true;
    out->keep_size = keep.size;
    out->is_off = !is_met;
    return ERR_OK;
}

/* A reader hands an author what other devices of the author wrote; the author's devices are known
 * by their certificates. */
static enum err replica_accepts(void *self, const struct public_key *peer, const struct log_id *log)
{
    struct replica_standing standing;
    struct device_row device;
    struct space_row space;
    struct replica_log here;
    enum err err = replica_check_space(self, peer, &log->space, &space);

    if (err == ERR_OK)
        err = view_device_of(self, &log->device, &space.writer, &device);
    if (err == ERR_OK && device.is_claim)
        return ERR_OK; /* What it signs proves it: no other has a say about it. */
    if (err == ERR_OK)
        err = replica_standing(self, log, &standing);
    if (err != ERR_OK || (!standing.is_retired && !standing.is_this))
        return err;
    if (standing.is_this)
        return ERR_STATE; /* What I do not hold of my own log is proof, not news. */
    if (!standing.has_keep && !standing.is_mine && replica_is_own(self, peer))
        return ERR_OK;
    err = replica_tip(self, log, &here);
    if (err == ERR_OK && (!standing.has_keep || here.tip.size >= standing.keep_size))
        err = ERR_STATE;
    return err;
}

struct replica_telling {
    const struct snapshot *snapshot;
    const struct public_key *peer;
    replica_fact_fn each;
    void *self;
};

static bool replica_wants(void *self, const struct space_row *space)
{
    const struct replica_telling *telling = self;
    struct space_row row;

    return replica_check_space(telling->snapshot, telling->peer, &space->id, &row) == ERR_OK;
}

static enum err replica_on_fact(void *self, struct span statement)
{
    const struct replica_telling *telling = self;

    return telling->each(telling->self, statement);
}

/* PROTOCOL RETIRE-11: "A keep is told and shown in its own space only: a peer learns nothing of
 * spaces it cannot read." */
static enum err replica_facts(void *self, const struct public_key *peer,
                              const struct public_key *device, replica_fact_fn each,
                              void *each_self)
{
    struct replica_telling telling = {
        .snapshot = self, .peer = peer, .each = each, .self = each_self};

    return retire_table_facts(self, device, replica_wants, replica_on_fact, &telling);
}

struct replica_out {
    const struct snapshot *snapshot;
    replica_device_fn each;
    void *self;
};

static enum err replica_on_own_device(void *self, const struct device_row *device)
{
    const struct replica_out *out = self;
    enum standing standing = STANDING_GOOD;
    enum err err = standing_of(out->snapshot, &device->device, &standing);

    return err == ERR_OK && standing_is_out(standing) ? out->each(out->self, &device->device) : err;
}

static enum err replica_shut_out(void *self, replica_device_fn each, void *each_self)
{
    struct replica_out out = {.snapshot = self, .each = each, .self = each_self};

    return view_device_each(self, ledger_member(out.snapshot->ledger), replica_on_own_device, &out);
}

static enum err replica_is_led_by(void *self, const struct public_key *device, bool *out)
{
    return standing_is_led_by(self, device, out);
}

static enum err replica_next_return(void *self, const struct public_key *peer,
                                    struct replica_place *place, struct returned_row *out)
{
    return returns_next(self, peer, place, out);
}

static enum err replica_trace(void *self, const struct log_id *log, uint64_t size,
                              struct trace_tag out[static TRACE_TAGS_MAX], size_t *out_count,
                              bool *out_is_last)
{
    struct chain chain;
    struct log_row row;
    enum err err = ledger_log(self, log, &row);

    *out_count = 0;
    *out_is_last = true;
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (size > row.tip.size)
        size = row.tip.size;
    while (err == ERR_OK && size > 0 && size >= row.start && *out_count < TRACE_TAGS_MAX) {
        struct mark mark;

        err = ledger_chain_at(self, &row, log, size, &chain);
        if (err != ERR_OK)
            return err;
        chain_mark(&chain, log, &mark);
        out[*out_count].size = size;
        memcpy(out[*out_count].tag, mark.tag, TAG_SIZE);
        (*out_count)++;
        err = log_table_block_end(self, row.number, size - 1, &size);
    }
    *out_is_last = size == 0 || size < row.start;
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
            (err == ERR_OK &&
             (entry.log != row.number || entry.seq != out_end->size + 1 || entry.is_cut)))
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

/* The epochs a batch's entries are sealed under: its log is at hand. */
static enum err replica_tell_epochs(const struct snapshot *snapshot, const struct log_row *log,
                                    uint64_t from, uint64_t to, struct returned_row *out)
{
    struct space_row space;
    enum err err = ledger_space_numbered(snapshot, log->space, &space);

    for (uint64_t seq = from + 1; err == ERR_OK && seq <= to; seq++) {
        struct entry_row entry;
        struct hash epoch;

        err = ledger_entry_at(snapshot, log->number, seq, &entry);
        if (err != ERR_OK || entry.entry.header.epoch_index == 0)
            continue;
        err = epoch_table_of_log(snapshot, log->number, entry.entry.header.epoch_index, &epoch);
        if (err == ERR_OK)
            err = return_epoch_tell(snapshot, &space, entry.entry.header.epoch_index, &epoch, out);
        else if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    out->kind = space.kind;
    return err;
}

static enum err replica_fetch(void *self, const struct log_id *log, const struct chain *start,
                              struct returned_row *out)
{
    struct log_row row;
    enum err err = replica_read(self, log, start, &out->entries, &out->end, out->signature);

    out->log = *log;
    out->start = *start;
    if (err == ERR_OK)
        err = ledger_log(self, log, &row);
    return err == ERR_OK ? replica_tell_epochs(self, &row, start->size, out->end.size, out) : err;
}

static enum err replica_count(void *self, const struct log_id *log, uint64_t size,
                              uint64_t *out_entries, uint64_t *out_bytes)
{
    struct log_row row;
    uint64_t before = 0, absent = 0;
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
    err = absent_bytes(self, row.number, size, &absent);
    *out_bytes = row.payload_bytes - before - absent;
    return err;
}

struct replica_wants {
    uint64_t *seqs;
    size_t count;
};

static enum err replica_room(void *self, const struct public_key *peer, struct replica_room *out)
{
    const struct snapshot *snapshot = self;
    uint64_t disk = ledger_is_disk_low(snapshot->ledger) ? 0 : LOG_SIZE_MAX;
    struct replica_room used;
    struct peer *link;
    enum err err;

    *out = (struct replica_room){.entries = disk, .bytes = disk};
    if (disk == 0 || replica_is_own(snapshot, peer))
        return ERR_OK;
    *out = (struct replica_room){0};
    err = replica_load_peer(snapshot, peer, &link);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    err = room_used(snapshot, link, &used);
    secret_free(link);
    *out = used;
    out->entries = used.entries < used.entries_max ? used.entries_max - used.entries : 0;
    out->bytes = used.bytes < used.bytes_max ? used.bytes_max - used.bytes : 0;
    return err;
}

static enum err replica_on_wanted(void *self, uint64_t seq)
{
    struct replica_wants *wants = self;

    if (wants->count == WANTS_PER_MESSAGE_MAX)
        return ERR_CANCELLED;
    wants->seqs[wants->count++] = seq;
    return ERR_OK;
}

static enum err replica_wanted(void *self, const struct log_id *log, uint64_t after,
                               uint64_t out[static WANTS_PER_MESSAGE_MAX], size_t *out_count)
{
    struct replica_wants wants = {.seqs = out};
    struct log_row row;
    enum err err = ledger_log(self, log, &row);

    if (err == ERR_OK)
        err = absent_each_wanted(self, &row, after, replica_on_wanted, &wants);
    *out_count = wants.count;
    return err == ERR_CANCELLED || err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL ABSENT-3: "What a forget names is told to nobody." */
static enum err replica_payload(void *self, const struct log_id *log, uint64_t seq, struct buf *out)
{
    struct entry_row entry;
    struct log_row row;
    enum err err = ledger_log(self, log, &row);

    if (err == ERR_OK)
        err = ledger_entry_at(self, row.number, seq, &entry);
    if (err == ERR_OK && entry.entry.payload.size > 0)
        entry_hash_payload(&entry.entry);
    if (err == ERR_OK &&
        (entry.entry.payload.size == 0 ||
         absent_naming_of(self, row.space, &entry.entry.header.payload_hash) == ABSENT_NAMED))
        err = ERR_NOT_FOUND;
    if (err != ERR_OK)
        return err;
    buf_append(out, entry.entry.payload);
    return buf_err(out);
}

void replica_of(struct snapshot *snapshot, struct replica *out)
{
    *out = (struct replica){.logs = replica_logs,
                            .space_logs = replica_space_logs,
                            .tip = replica_tip,
                            .beginning = replica_beginning,
                            .chain_at = replica_chain_at,
                            .accepts = replica_accepts,
                            .read = replica_read,
                            .count = replica_count,
                            .room = replica_room,
                            .standing = replica_standing,
                            .trace = replica_trace,
                            .fetch = replica_fetch,
                            .next_return = replica_next_return,
                            .facts = replica_facts,
                            .shut_out = replica_shut_out,
                            .is_led_by = replica_is_led_by,
                            .wanted = replica_wanted,
                            .payload = replica_payload,
                            .self = snapshot};
}
