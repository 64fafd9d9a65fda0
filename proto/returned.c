/* The list of epochs comes before the batch, which ends the message as in every other batch. */
#include "proto/returned.h"

#include <string.h>

#include "crypto/secret.h"

void returned_release(struct returned_row *row)
{
    batch_release(&row->entries);
    secret_wipe(row->epochs, sizeof row->epochs);
    row->epochs_count = 0;
}

static void returned_put_epoch(const struct returned_epoch *told, struct buf *out)
{
    const struct epoch *epoch = &told->epoch;

    wire_put_array(out, 7);
    wire_put_uint(out, told->index);
    wire_put_bin(out, span_of(told->opener.bytes, 32));
    wire_put_bin(out, span_of(epoch->parents, epoch->parents_count * sizeof epoch->parents[0]));
    wire_put_uint(out, epoch->depth);
    wire_put_bin(out, span_of(epoch->readers.bytes, HASH_SIZE));
    wire_put_bin(out, span_of(epoch->commitment.bytes, HASH_SIZE));
    wire_put_bin(out, span_of(told->key, told->has_key ? KEY_SIZE : 0));
}

/* PROTOCOL RETURN-3: "Returned is [17, number, space, device, kind of the space, is last, start
 * size, start hash, [[index, opener, parents, depth, readers, commitment, key or empty],
 * ...], list of entries, signature]." */
void returned_put(const struct returned_row *row, uint32_t number, struct buf *out)
{
    struct batch_writer entries = row->entries;

    wire_put_uint(out, number);
    wire_put_bin(out, span_of(row->log.space.bytes, ID_SIZE));
    wire_put_bin(out, span_of(row->log.device.bytes, 32));
    wire_put_uint(out, row->kind);
    wire_put_bool(out, row->is_last);
    wire_put_uint(out, row->start.size);
    wire_put_bin(out, span_of(row->start.hash.bytes, HASH_SIZE));
    wire_put_array(out, row->epochs_count);
    for (size_t at = 0; at < row->epochs_count; at++)
        returned_put_epoch(&row->epochs[at], out);
    batch_put(&entries, row->signature, out);
}

/* PROTOCOL RETURN-4: "An epoch's id is computed from what is told of it, and a key that does not
 * fit its commitment ends the session." */
static enum err returned_read_epoch(struct wire *list, const struct id *space,
                                    struct returned_epoch *out)
{
    struct wire row = wire_array(list, 7, 7);
    struct span parents, key;

    *out = (struct returned_epoch){0};
    out->index = (uint32_t)wire_uint(&row, UINT32_MAX);
    wire_bytes(&row, out->opener.bytes, 32);
    parents = wire_bin(&row, 0, sizeof out->epoch.parents);
    out->epoch.depth = (uint32_t)wire_uint(&row, UINT32_MAX);
    wire_bytes(&row, out->epoch.readers.bytes, HASH_SIZE);
    wire_bytes(&row, out->epoch.commitment.bytes, HASH_SIZE);
    key = wire_bin(&row, 0, KEY_SIZE);
    if (parents.size % HASH_SIZE != 0 || (key.size != 0 && key.size != KEY_SIZE))
        wire_fail(&row);
    if (wire_err(row.doc) != ERR_OK)
        return ERR_MALFORMED;
    out->epoch.parents_count = parents.size / HASH_SIZE;
    if (parents.size > 0)
        memcpy(out->epoch.parents, parents.data, parents.size);
    epoch_name(space, &out->opener, &out->epoch);
    out->has_key = key.size > 0;
    if (!out->has_key)
        return ERR_OK;
    memcpy(out->key, key.data, KEY_SIZE);
    return epoch_check(&out->epoch, out->key);
}

static enum err returned_read_epochs(struct wire *wire, const struct id *space,
                                     struct returned *out)
{
    struct wire list = wire_array(wire, 0, RETURN_EPOCHS_MAX);
    enum err err = wire_err(wire->doc);

    while (err == ERR_OK && list.left > 0) {
        err = returned_read_epoch(&list, space, &out->epochs[out->epochs_count]);
        if (err == ERR_OK)
            out->epochs_count++;
    }
    return err;
}

enum err returned_read(struct wire *wire, struct returned **out)
{
    struct returned *returned = secret_new(sizeof *returned);
    struct chain start = {0}, end;
    struct log_id log;
    enum err err;

    if (returned == NULL)
        return ERR_NOMEM;
    returned->number = (uint32_t)wire_uint(wire, UINT32_MAX);
    wire_bytes(wire, log.space.bytes, ID_SIZE);
    wire_bytes(wire, log.device.bytes, 32);
    returned->kind = (enum space_kind)wire_uint(wire, SPACE_NETWORK);
    returned->is_last = wire_bool(wire);
    start.size = wire_uint(wire, LOG_SIZE_MAX);
    wire_bytes(wire, start.hash.bytes, HASH_SIZE);
    err = wire_err(wire->doc);
    if (err == ERR_OK)
        err = returned_read_epochs(wire, &log.space, returned);
    if (err == ERR_OK)
        err = batch_verify(wire, &log, &start, &end, &returned->batch);
    if (err == ERR_OK)
        *out = returned;
    else
        returned_free(returned);
    return err;
}

void returned_free(struct returned *returned)
{
    if (returned == NULL)
        return;
    verified_batch_free(returned->batch);
    secret_free(returned);
}
