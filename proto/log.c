/*
 * Chains and heads. batch_verify is the only way foreign entries come in: it recomputes every hash
 * from the bytes received and checks one signature.
 */
#include "proto/log.h"

#include <string.h>

#include "crypto/heap.h"
#include "crypto/seal.h"
#include "proto/limits.h"

enum { LOG_HEADER_SIZE = 4 + 8 + 4 };

bool log_id_is_equal(const struct log_id *left, const struct log_id *right)
{
    return id_is_equal(&left->space, &right->space) &&
           public_key_is_equal(&left->device, &right->device);
}

/* Chain. */

/* PROTOCOL LOG-1: "A log is what one device wrote in one space. chain(0) = HASH(kith log, space
 * | device)." */
void chain_begin(const struct log_id *log, struct chain *out)
{
    const struct span parts[2] = {span_of(log->space.bytes, ID_SIZE),
                                  span_of(log->device.bytes, 32)};

    *out = (struct chain){0};
    digest("kith log", parts, 2, &out->hash);
}

/* PROTOCOL LOG-2: "chain(n) = HASH(kith chain, chain(n-1) | epoch index u32 | expiry u64 |
 * payload size u32 | payload hash), where the payload hash is HASH(kith payload, payload)." */
static void chain_header(const struct entry_header *header, uint8_t out[static LOG_HEADER_SIZE])
{
    be32_put(out, header->epoch_index);
    be64_put(out + 4, header->expires_at_s);
    be32_put(out + 12, header->payload_size);
}

/* PROTOCOL LOG-3: "A block ends at the entry that brings it to 256 entries or to 256 KiB of
 * payload." */
bool chain_extend(struct chain *chain, const struct entry_header *header)
{
    uint8_t fixed[LOG_HEADER_SIZE];
    const struct span parts[3] = {span_of(chain->hash.bytes, HASH_SIZE),
                                  span_of(fixed, sizeof fixed),
                                  span_of(header->payload_hash.bytes, HASH_SIZE)};
    struct hash next;

    chain_header(header, fixed);
    digest("kith chain", parts, 3, &next);
    chain->hash = next;
    chain->size++;
    chain->block_entries++;
    chain->block_bytes += header->payload_size;
    if (chain->block_entries < BLOCK_ENTRIES_MAX && chain->block_bytes < BLOCK_PAYLOAD_SIZE)
        return false;
    chain->block_entries = 0;
    chain->block_bytes = 0;
    return true;
}

/* PROTOCOL MARK-1: "A mark is (space, device, size, the first 16 bytes of chain(size))." */
void chain_mark(const struct chain *chain, const struct log_id *log, struct mark *out)
{
    out->log = *log;
    out->size = chain->size;
    memcpy(out->tag, chain->hash.bytes, TAG_SIZE);
}

/* Entries. */

void entry_hash_payload(struct entry *entry)
{
    entry->header.payload_size = (uint32_t)entry->payload.size;
    digest("kith payload", &entry->payload, 1, &entry->header.payload_hash);
}

void entry_key(const uint8_t epoch_key[static KEY_SIZE], const struct log_id *log,
               uint8_t out[static KEY_SIZE])
{
    uint8_t context[ID_SIZE + 32];

    memcpy(context, log->space.bytes, ID_SIZE);
    memcpy(context + ID_SIZE, log->device.bytes, 32);
    digest_derive(epoch_key, "kith entry", span_of(context, sizeof context), out);
}

/* PROTOCOL ENTRY-3: "Sealed payloads are SEAL(key, epoch index u32 | expiry u64 | seq u64,
 * plaintext) with key = KDF(epoch key, kith entry, space | device) and seq the entry's number in
 * its log, from 1. The nonce is synthetic (SEAL), so cloned devices never seal two texts under
 * one nonce." */
static void entry_context(const struct entry_header *header, uint64_t seq, uint8_t out[static 20])
{
    be32_put(out, header->epoch_index);
    be64_put(out + 4, header->expires_at_s);
    be64_put(out + 12, seq);
}

void entry_seal(const uint8_t key[static KEY_SIZE], const struct entry_header *header, uint64_t seq,
                struct span plain, struct buf *out)
{
    uint8_t context[20];

    entry_context(header, seq, context);
    seal(key, span_of(context, sizeof context), plain, out);
}

enum err entry_open(const uint8_t key[static KEY_SIZE], const struct entry *entry, uint64_t seq,
                    struct buf *out)
{
    uint8_t context[20];

    entry_context(&entry->header, seq, context);
    return seal_open(key, span_of(context, sizeof context), entry->payload, out);
}

/* Heads. */

enum { HEAD_MESSAGE_SIZE = ID_SIZE + 32 + 8 + HASH_SIZE };

/* PROTOCOL HEAD-1: "A head is the device's signature under kith head over space | device | size
 * u64 | chain(size). One is signed at every commit and at every block's end; those at block ends
 * are kept, of the others the newest." */
static void head_message(const struct log_id *log, uint64_t size, const struct hash *hash,
                         uint8_t out[static HEAD_MESSAGE_SIZE])
{
    memcpy(out, log->space.bytes, ID_SIZE);
    memcpy(out + ID_SIZE, log->device.bytes, 32);
    be64_put(out + ID_SIZE + 32, size);
    memcpy(out + ID_SIZE + 40, hash->bytes, HASH_SIZE);
}

enum err head_sign(const struct signing_key *device, const struct log_id *log,
                   const struct chain *chain, struct head *out)
{
    uint8_t message[HEAD_MESSAGE_SIZE];

    head_message(log, chain->size, &chain->hash, message);
    out->size = chain->size;
    out->hash = chain->hash;
    return identity_sign(device, "kith head", span_of(message, sizeof message), out->signature);
}

enum err head_verify(const struct log_id *log, const struct head *head)
{
    uint8_t message[HEAD_MESSAGE_SIZE];

    head_message(log, head->size, &head->hash, message);
    return identity_verify(&log->device, "kith head", span_of(message, sizeof message),
                           head->signature);
}

/* Batches. */

void batch_add(struct batch_writer *writer, const struct entry *entry)
{
    bool is_absent = entry->payload.size == 0;

    wire_put_array(&writer->entries, is_absent ? 4 : 3);
    wire_put_uint(&writer->entries, entry->header.epoch_index);
    wire_put_uint(&writer->entries, entry->header.expires_at_s);
    if (is_absent) {
        wire_put_uint(&writer->entries, entry->header.payload_size);
        wire_put_bin(&writer->entries, span_of(entry->header.payload_hash.bytes, HASH_SIZE));
    } else {
        wire_put_bin(&writer->entries, entry->payload);
    }
    writer->count++;
}

void batch_put(struct batch_writer *writer, const uint8_t signature[static SIGNATURE_SIZE],
               struct buf *out)
{
    wire_put_array(out, writer->count);
    buf_append(out, buf_span(&writer->entries));
    if (writer->entries.is_failed)
        out->is_failed = true;
    wire_put_bin(out, span_of(signature, SIGNATURE_SIZE));
}

void batch_release(struct batch_writer *writer)
{
    buf_release(&writer->entries);
    writer->count = 0;
}

struct verified_batch {
    struct log_id log;
    struct chain start, end;
    struct head head;
    size_t count, size;
    struct log_beginning beginning;
    struct entry
        *entries; /* count of them, then the payloads' bytes, in this same block of memory */
};

/* One entry as it stands on the wire; payload borrowed. */
/* PROTOCOL ENTRY-1: "In a batch an entry is [epoch index, expiry in seconds or 0, payload]; one
 * whose payload is gone is [epoch index, expiry, size, hash]." */
static void batch_read_entry(struct wire *list, struct entry *out)
{
    struct wire item = wire_array(list, 3, 4);
    bool is_absent = item.left == 4;

    *out = (struct entry){0};
    out->header.epoch_index = (uint32_t)wire_uint(&item, UINT32_MAX);
    out->header.expires_at_s = wire_uint(&item, UINT64_MAX);
    if (is_absent) {
        out->header.payload_size = (uint32_t)wire_uint(&item, ENTRY_PAYLOAD_SIZE_MAX);
        wire_bytes(&item, out->header.payload_hash.bytes, HASH_SIZE);
        if (out->header.payload_size == 0 || out->header.epoch_index == 0)
            wire_fail(&item);
    } else {
        out->payload = wire_bin(&item, 1, ENTRY_PAYLOAD_SIZE_MAX);
        entry_hash_payload(out);
    }
    wire_end(&item);
}

/* Reads the list twice: once for the sizes, once for the bytes, so that one allocation holds all.
 */
static enum err batch_copy(struct wire list, struct verified_batch *batch)
{
    struct wire again = list;
    size_t bytes = 0, entries;
    struct entry entry;
    uint8_t *payloads;

    for (size_t at = 0; at < batch->count; at++) {
        struct wire item = wire_array(&list, 3, 4);

        (void)wire_uint(&item, UINT32_MAX); /* Looked at in the second round. */
        (void)wire_uint(&item, UINT64_MAX);
        if (item.left == 1)
            bytes += wire_bin(&item, 1, ENTRY_PAYLOAD_SIZE_MAX).size;
    }
    if (wire_err(list.doc) != ERR_OK || bytes > BATCH_SIZE_MAX)
        return ERR_MALFORMED;
    entries = batch->count * sizeof *batch->entries;
    batch->entries = heap_new(entries + bytes);
    if (batch->entries == NULL)
        return ERR_NOMEM;
    batch->size = sizeof *batch + entries + bytes;
    payloads = (uint8_t *)batch->entries + entries;
    for (size_t at = 0; at < batch->count; at++) {
        batch_read_entry(&again, &entry);
        if (wire_err(again.doc) != ERR_OK)
            return ERR_MALFORMED;
        if (entry.payload.size > 0) {
            memcpy(payloads, entry.payload.data, entry.payload.size);
            entry.payload.data = payloads;
            payloads += entry.payload.size;
        }
        batch->entries[at] = entry;
    }
    return ERR_OK;
}

/* PROTOCOL BATCH-3: "A block's end stands only behind the last entry of a batch." */
/* PROTOCOL BATCH-1: "A batch has 1 to BLOCK_ENTRIES_MAX entries. They are consecutive; the
 * signature is the head's that closes them." */
static enum err batch_check(struct verified_batch *batch)
{
    batch->end = batch->start;
    for (size_t at = 0; at < batch->count; at++)
        if (chain_extend(&batch->end, &batch->entries[at].header) && at + 1 < batch->count)
            return ERR_MALFORMED;
    if (batch->end.size > LOG_SIZE_MAX)
        return ERR_LIMIT;
    batch->head.size = batch->end.size;
    batch->head.hash = batch->end.hash;
    return head_verify(&batch->log, &batch->head);
}

/* PROTOCOL BATCH-2: "The receiver computes every payload hash and the chain, and checks one
 * signature." */
/* PROTOCOL SCAN-3: "Hashes and signatures are checked over the bytes received, never over a
 * re-encoding." */
enum err batch_verify(struct wire *wire, const struct log_id *log, const struct chain *tip,
                      struct chain *out_tip, struct verified_batch **out)
{
    struct wire list = wire_array(wire, 1, BLOCK_ENTRIES_MAX);
    struct verified_batch *batch = heap_new_zeroed(1, sizeof *batch);
    enum err err;

    if (batch == NULL)
        return ERR_NOMEM;
    batch->log = *log;
    batch->start = *tip;
    batch->count = list.left;
    wire_bytes(wire, batch->head.signature, SIGNATURE_SIZE);
    wire_end(wire);
    err = wire_err(wire->doc);
    if (err == ERR_OK)
        err = batch_copy(list, batch);
    if (err == ERR_OK)
        err = batch_check(batch);
    if (err != ERR_OK) {
        verified_batch_free(batch);
        return err;
    }
    *out_tip = batch->end;
    *out = batch;
    return ERR_OK;
}

void verified_batch_free(struct verified_batch *batch)
{
    if (batch == NULL)
        return;
    heap_free(batch->entries);
    heap_free(batch);
}

const struct log_id *verified_batch_log(const struct verified_batch *batch)
{
    return &batch->log;
}

const struct chain *verified_batch_start(const struct verified_batch *batch)
{
    return &batch->start;
}

const struct chain *verified_batch_end(const struct verified_batch *batch)
{
    return &batch->end;
}

const struct head *verified_batch_head(const struct verified_batch *batch)
{
    return &batch->head;
}

size_t verified_batch_count(const struct verified_batch *batch)
{
    return batch->count;
}

const struct entry *verified_batch_entry(const struct verified_batch *batch, size_t index)
{
    KITH_ASSERT(index < batch->count);
    return &batch->entries[index];
}

void verified_batch_begin(struct verified_batch *batch, const struct log_beginning *beginning)
{
    KITH_ASSERT(beginning->size == batch->start.size);
    batch->beginning = *beginning;
}

const struct log_beginning *verified_batch_beginning(const struct verified_batch *batch)
{
    return &batch->beginning;
}

size_t verified_batch_size(const struct verified_batch *batch)
{
    return batch->size;
}
