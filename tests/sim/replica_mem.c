/* Linear searches and doubling arrays: worlds of tests are small. */
#include "tests/sim/replica_mem.h"

#include <string.h>

#include "crypto/heap.h"
#include "proto/limits.h"

void replica_mem_init(struct replica_mem *replica, const struct public_key *member)
{
    memset(replica, 0, sizeof *replica);
    replica->member = *member;
}

static void replica_mem_free_log(struct replica_mem_log *log)
{
    for (size_t at = 0; at < log->count; at++)
        heap_free((void *)(uintptr_t)log->entries[at].payload.data);
    heap_free(log->chains);
    heap_free(log->entries);
    heap_free(log->heads);
    heap_free(log);
}

void replica_mem_release(struct replica_mem *replica)
{
    for (size_t at = 0; at < replica->logs_count; at++)
        replica_mem_free_log(replica->logs[at]);
    replica->logs_count = 0;
}

void replica_mem_add_space(struct replica_mem *replica, const struct id *space,
                           const struct public_key *writer)
{
    KITH_ASSERT(replica->spaces_count < REPLICA_MEM_SPACES_MAX);
    replica->spaces[replica->spaces_count] = *space;
    replica->writers[replica->spaces_count++] = *writer;
}

void replica_mem_add_device(struct replica_mem *replica, const struct public_key *device,
                            const struct public_key *member)
{
    KITH_ASSERT(replica->devices_count < REPLICA_MEM_DEVICES_MAX);
    replica->devices[replica->devices_count] = *device;
    replica->members[replica->devices_count++] = *member;
}

/* Finding. */

static const struct public_key *replica_mem_writer(const struct replica_mem *replica,
                                                   const struct id *space)
{
    for (size_t at = 0; at < replica->spaces_count; at++)
        if (id_is_equal(&replica->spaces[at], space))
            return &replica->writers[at];
    return NULL;
}

static const struct public_key *replica_mem_owner(const struct replica_mem *replica,
                                                  const struct public_key *device)
{
    for (size_t at = 0; at < replica->devices_count; at++)
        if (public_key_is_equal(&replica->devices[at], device))
            return &replica->members[at];
    return NULL;
}

static struct replica_mem_log *replica_mem_log(const struct replica_mem *replica,
                                               const struct log_id *id)
{
    for (size_t at = 0; at < replica->logs_count; at++)
        if (log_id_is_equal(&replica->logs[at]->id, id))
            return replica->logs[at];
    return NULL;
}

uint64_t replica_mem_size(struct replica_mem *replica, const struct log_id *id)
{
    const struct replica_mem_log *log = replica_mem_log(replica, id);

    return log != NULL ? log->count : 0;
}

void replica_mem_cut(struct replica_mem *replica, const struct log_id *id, size_t count)
{
    struct replica_mem_log *log = replica_mem_log(replica, id);

    KITH_ASSERT(log != NULL && count <= log->count);
    for (; log->count > count; log->count--)
        heap_free((void *)(uintptr_t)log->entries[log->count - 1].payload.data);
    log->cuts++;
}

/* Writing. */

static bool replica_mem_grow(struct replica_mem_log *log)
{
    size_t capacity = log->capacity == 0 ? 16 : log->capacity * 2;
    struct chain *chains;
    struct entry *entries;
    struct head *heads;

    if (log->count < log->capacity)
        return true;
    chains = heap_resize(log->chains, (capacity + 1) * sizeof *chains);
    if (chains != NULL)
        log->chains = chains;
    entries = heap_resize(log->entries, capacity * sizeof *entries);
    if (entries != NULL)
        log->entries = entries;
    heads = heap_resize(log->heads, capacity * sizeof *heads);
    if (heads != NULL)
        log->heads = heads;
    if (chains == NULL || entries == NULL || heads == NULL)
        return false;
    log->capacity = capacity;
    return true;
}

static struct replica_mem_log *replica_mem_touch(struct replica_mem *replica,
                                                 const struct log_id *id)
{
    struct replica_mem_log *log = replica_mem_log(replica, id);

    if (log != NULL)
        return log;
    KITH_ASSERT(replica->logs_count < REPLICA_MEM_LOGS_MAX);
    log = heap_new_zeroed(1, sizeof *log);
    if (log == NULL)
        return NULL;
    log->id = *id;
    if (!replica_mem_grow(log)) {
        replica_mem_free_log(log);
        return NULL;
    }
    chain_begin(id, &log->chains[0]);
    replica->logs[replica->logs_count++] = log;
    return log;
}

static enum err replica_mem_push(struct replica_mem_log *log, const struct entry *entry,
                                 bool *out_is_end)
{
    uint8_t *payload = heap_new(entry->payload.size);
    size_t at = log->count;

    if (payload == NULL || !replica_mem_grow(log)) {
        heap_free(payload);
        return ERR_NOMEM;
    }
    memcpy(payload, entry->payload.data, entry->payload.size);
    log->entries[at] = *entry;
    log->entries[at].payload.data = payload;
    log->heads[at] = (struct head){0};
    log->chains[at + 1] = log->chains[at];
    *out_is_end = chain_extend(&log->chains[at + 1], &entry->header);
    log->count++;
    return ERR_OK;
}

enum err replica_mem_append(struct replica_mem *replica, const struct id *space,
                            const struct signing_key *device, size_t count, size_t payload_size,
                            uint8_t fill)
{
    struct log_id id = {.space = *space, .device = device->public_key};
    struct replica_mem_log *log = replica_mem_touch(replica, &id);
    uint8_t *payload = heap_new(payload_size);
    struct entry entry = {.payload = span_of(payload, payload_size)};
    enum err err = log != NULL && payload != NULL ? ERR_OK : ERR_NOMEM;

    if (payload != NULL)
        memset(payload, fill, payload_size);
    for (size_t at = 0; at < count && err == ERR_OK; at++) {
        bool is_end = false;

        entry_hash_payload(&entry);
        err = replica_mem_push(log, &entry, &is_end);
        if (err == ERR_OK && (is_end || at + 1 == count))
            err = head_sign(device, &id, &log->chains[log->count], &log->heads[log->count - 1]);
    }
    heap_free(payload);
    return err;
}

enum err replica_mem_ingest(struct replica_mem *replica, const struct verified_batch *batch)
{
    const struct chain *start = verified_batch_start(batch), *end = verified_batch_end(batch);
    const struct log_id *id = verified_batch_log(batch);
    const struct public_key *writer = replica_mem_writer(replica, &id->space);
    const struct public_key *owner = replica_mem_owner(replica, &id->device);
    struct replica_mem_log *log;
    enum err err = ERR_OK;

    if (writer == NULL)
        return ERR_NOT_FOUND;
    if (owner == NULL || !public_key_is_equal(owner, writer))
        return ERR_FORGED;
    log = replica_mem_touch(replica, id);
    if (log == NULL)
        return ERR_NOMEM;
    if (end->size <= log->count)
        return memcmp(log->chains[end->size].hash.bytes, end->hash.bytes, HASH_SIZE) == 0
                   ? ERR_OK
                   : ERR_DETACHED;
    if (start->size != log->count ||
        memcmp(log->chains[log->count].hash.bytes, start->hash.bytes, HASH_SIZE) != 0)
        return ERR_DETACHED;
    for (size_t at = 0; at < verified_batch_count(batch) && err == ERR_OK; at++) {
        bool is_end;

        err = replica_mem_push(log, verified_batch_entry(batch, at), &is_end);
    }
    if (err == ERR_OK)
        log->heads[log->count - 1] = *verified_batch_head(batch);
    return err;
}

/* Answers. */

static enum err replica_mem_walk(struct replica_mem *replica, const struct id *space,
                                 replica_log_fn each, void *each_self)
{
    const struct public_key *writer = replica_mem_writer(replica, space);
    enum err err = replica->failure;

    for (size_t at = 0; writer != NULL && at < replica->logs_count && err == ERR_OK; at++) {
        struct replica_mem_log *log = replica->logs[at];
        struct replica_log row = {.log = log->id,
                                  .is_mine = public_key_is_equal(writer, &replica->member),
                                  .tip = log->chains[log->count],
                                  .has_keys = id_is_equal(space, &replica->spaces[0]) ||
                                              id_is_equal(space, &replica->spaces[1]),
                                  .cuts = log->cuts};

        replica->looks++;
        if (id_is_equal(&log->id.space, space) && log->count > 0)
            err = each(each_self, &row);
    }
    return err;
}

static enum err replica_mem_logs(void *self, const struct public_key *peer, replica_log_fn each,
                                 void *each_self)
{
    struct replica_mem *replica = self;
    enum err err = replica->failure;

    (void)peer; /* Everything is shared. */
    for (size_t at = 0; at < replica->spaces_count && err == ERR_OK; at++)
        err = replica_mem_walk(replica, &replica->spaces[at], each, each_self);
    return err;
}

static enum err replica_mem_space_logs(void *self, const struct public_key *peer,
                                       const struct id *space, replica_log_fn each, void *each_self)
{
    (void)peer;
    return replica_mem_walk(self, space, each, each_self);
}

static enum err replica_mem_chain_at(void *self, const struct log_id *id, uint64_t size,
                                     struct chain *out)
{
    struct replica_mem *replica = self;
    const struct replica_mem_log *log = replica_mem_log(replica, id);

    replica->looks++;
    if (replica->failure != ERR_OK)
        return replica->failure;
    if (size > (log != NULL ? log->count : 0))
        return ERR_NOT_FOUND;
    if (log == NULL)
        chain_begin(id, out);
    else
        *out = log->chains[size];
    return ERR_OK;
}

static enum err replica_mem_beginning(void *self, const struct public_key *peer,
                                      const struct log_id *id, struct log_beginning *out)
{
    const struct replica_mem *replica = self;

    (void)peer;
    (void)id;
    *out = (struct log_beginning){0};
    return replica->failure;
}

static enum err replica_mem_tip(void *self, const struct log_id *id, struct replica_log *out)
{
    const struct replica_mem_log *log = replica_mem_log(self, id);

    *out = (struct replica_log){.log = *id, .cuts = log != NULL ? log->cuts : 0};
    return replica_mem_chain_at(self, id, replica_mem_size(self, id), &out->tip);
}

static enum err replica_mem_accepts(void *self, const struct public_key *peer,
                                    const struct log_id *id)
{
    struct replica_mem *replica = self;
    const struct public_key *writer = replica_mem_writer(replica, &id->space);
    const struct public_key *owner = replica_mem_owner(replica, &id->device);

    (void)peer;
    if (replica->failure != ERR_OK)
        return replica->failure;
    if (writer == NULL || owner == NULL || !public_key_is_equal(owner, writer))
        return ERR_NOT_FOUND;
    if (public_key_is_equal(&replica->device, &id->device) ||
        (public_key_is_equal(&replica->retired, &id->device) &&
         (!replica->has_keep || replica_mem_size(replica, id) >= replica->keep_size)))
        return ERR_STATE;
    return ERR_OK; /* A reader may hand back what other own devices wrote. */
}

/* To the next block's end, or to the newest head before it. */
static enum err replica_mem_read(void *self, const struct log_id *id, const struct chain *start,
                                 struct batch_writer *writer, struct chain *out_end,
                                 uint8_t out_signature[SIGNATURE_SIZE])
{
    struct replica_mem *replica = self;
    const struct replica_mem_log *log = replica_mem_log(replica, id);
    size_t end = 0;

    if (replica->failure != ERR_OK)
        return replica->failure;
    if (log == NULL || start->size >= log->count)
        return ERR_NOT_FOUND;
    for (size_t at = start->size; at < log->count; at++) {
        if (log->heads[at].size > 0)
            end = at + 1;
        if (log->chains[at + 1].block_entries == 0)
            break;
    }
    KITH_ASSERT(end > start->size);
    for (size_t at = start->size; at < end; at++)
        batch_add(writer, &log->entries[at]);
    memcpy(out_signature, log->heads[end - 1].signature, SIGNATURE_SIZE);
    *out_end = log->chains[end];
    replica->reads++;
    return ERR_OK;
}

static enum err replica_mem_count(void *self, const struct log_id *id, uint64_t size,
                                  uint64_t *out_entries, uint64_t *out_bytes)
{
    struct replica_mem *replica = self;
    const struct replica_mem_log *log = replica_mem_log(replica, id);

    *out_entries = *out_bytes = 0;
    for (size_t at = size; log != NULL && at < log->count; at++) {
        *out_entries += 1;
        *out_bytes += log->entries[at].header.payload_size;
    }
    return replica->failure;
}

static enum err replica_mem_room(void *self, const struct public_key *peer,
                                 struct replica_room *out)
{
    struct replica_mem *replica = self;
    uint64_t held = 0;

    for (size_t at = 0; at < replica->logs_count; at++)
        held += replica->logs[at]->count;
    *out = (struct replica_room){.entries_max = PEER_ENTRIES_MAX, .bytes_max = PEER_BYTES_MAX};
    out->bytes = replica->is_disk_low ? 0 : PEER_BYTES_MAX;
    out->entries = PEER_ENTRIES_MAX;
    if (replica->is_disk_low)
        out->entries = 0;
    else if (replica->has_bound && !public_key_is_equal(peer, &replica->member))
        out->entries = held < replica->bound ? replica->bound - held : 0;
    return replica->failure;
}

static enum err replica_mem_standing(void *self, const struct log_id *id,
                                     struct replica_standing *out)
{
    struct replica_mem *replica = self;
    const struct public_key *writer = replica_mem_writer(replica, &id->space);
    bool is_retired = public_key_is_equal(&replica->retired, &id->device);

    *out = (struct replica_standing){0};
    if (replica->failure != ERR_OK)
        return replica->failure;
    if (writer == NULL)
        return ERR_NOT_FOUND;
    *out = (struct replica_standing){.is_mine = public_key_is_equal(writer, &replica->member),
                                     .is_this = public_key_is_equal(&replica->device, &id->device),
                                     .is_retired = is_retired,
                                     .has_keep = is_retired && replica->has_keep,
                                     .keep_size = replica->keep_size,
                                     .is_off = is_retired && replica->is_off};
    return ERR_OK;
}

static enum err replica_mem_trace(void *self, const struct log_id *id, uint64_t size,
                                  struct trace_tag out[static TRACE_TAGS_MAX], size_t *out_count,
                                  bool *out_is_last)
{
    struct replica_mem *replica = self;
    const struct replica_mem_log *log = replica_mem_log(replica, id);

    *out_count = 0;
    if (log != NULL && size > log->count)
        size = log->count;
    while (log != NULL && size > 0 && *out_count < TRACE_TAGS_MAX) {
        struct mark mark;

        chain_mark(&log->chains[size], id, &mark);
        replica->looks++;
        out[*out_count].size = size;
        memcpy(out[(*out_count)++].tag, mark.tag, TAG_SIZE);
        do
            size--;
        while (size > 0 && log->chains[size].block_entries != 0);
    }
    *out_is_last = log == NULL || size == 0;
    return replica->failure;
}

static enum err replica_mem_fetch(void *self, const struct log_id *id, const struct chain *start,
                                  struct returned_row *out)
{
    out->log = *id;
    out->kind = SPACE_PAIR;
    out->start = *start;
    return replica_mem_read(self, id, start, &out->entries, &out->end, out->signature);
}

static enum err replica_mem_next_return(void *self, const struct public_key *peer,
                                        struct replica_place *place, struct returned_row *out)
{
    const struct replica_mem *replica = self;

    (void)peer;
    (void)place;
    (void)out;
    return replica->failure != ERR_OK ? replica->failure : ERR_NOT_FOUND;
}

static enum err replica_mem_wanted(void *self, const struct log_id *log, uint64_t after,
                                   uint64_t out[static WANTS_PER_MESSAGE_MAX], size_t *out_count)
{
    const struct replica_mem *replica = self;

    (void)log;
    *out_count = 0;
    for (uint64_t seq = after + 1;
         replica->wants > 0 && seq <= replica->wants && *out_count < WANTS_PER_MESSAGE_MAX; seq++)
        out[(*out_count)++] = seq;
    return replica->failure;
}

static enum err replica_mem_payload(void *self, const struct log_id *log, uint64_t seq,
                                    struct buf *out)
{
    const struct replica_mem *replica = self;

    (void)log;
    if (replica->failure != ERR_OK || seq % 2 == 0)
        return replica->failure != ERR_OK ? replica->failure : ERR_NOT_FOUND;
    buf_append(out, span_str("a payload"));
    return buf_err(out);
}

static enum err replica_mem_facts(void *self, const struct public_key *peer,
                                  const struct public_key *device, replica_fact_fn each,
                                  void *each_self)
{
    const struct replica_mem *replica = self;

    (void)peer;
    if (replica->failure != ERR_OK)
        return replica->failure;
    return public_key_is_equal(device, &replica->retired) ? each(each_self, span_str("a fact"))
                                                          : ERR_NOT_FOUND;
}

static enum err replica_mem_shut_out(void *self, replica_device_fn each, void *each_self)
{
    const struct replica_mem *replica = self;

    if (replica->failure != ERR_OK)
        return replica->failure;
    return replica->is_out ? each(each_self, &replica->retired) : ERR_OK;
}

static enum err replica_mem_is_led_by(void *self, const struct public_key *device, bool *out)
{
    const struct replica_mem *replica = self;

    *out = replica->is_led && (device == NULL || public_key_is_equal(device, &replica->retired));
    return replica->failure;
}

struct replica replica_mem_replica(struct replica_mem *replica)
{
    return (struct replica){.logs = replica_mem_logs,
                            .space_logs = replica_mem_space_logs,
                            .tip = replica_mem_tip,
                            .beginning = replica_mem_beginning,
                            .chain_at = replica_mem_chain_at,
                            .accepts = replica_mem_accepts,
                            .read = replica_mem_read,
                            .count = replica_mem_count,
                            .room = replica_mem_room,
                            .standing = replica_mem_standing,
                            .trace = replica_mem_trace,
                            .fetch = replica_mem_fetch,
                            .next_return = replica_mem_next_return,
                            .facts = replica_mem_facts,
                            .shut_out = replica_mem_shut_out,
                            .is_led_by = replica_mem_is_led_by,
                            .wanted = replica_mem_wanted,
                            .payload = replica_mem_payload,
                            .self = replica};
}
