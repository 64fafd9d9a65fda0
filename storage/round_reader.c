/* What a thread of a round needs to open entries: keys and logs it has looked up. */
#include "crypto/heap.h"
#include "crypto/secret.h"
#include "storage/round_state.h"

void round_reader_free(struct round_reader *reader)
{
    if (reader == NULL)
        return;
    secret_free(reader->secrets);
    if (reader->plain.data != NULL)
        secret_wipe(reader->plain.data, reader->plain.capacity);
    buf_release(&reader->plain);
    edit_release(&reader->edit);
    heap_free(reader);
}

enum err round_reader_new(struct round_reader **out)
{
    struct round_reader *reader = heap_new_zeroed(1, sizeof *reader);

    if (reader != NULL)
        reader->secrets = secret_new((ROUND_KEYS + 1) * (size_t)KEY_SIZE);
    if (reader == NULL || reader->secrets == NULL) {
        round_reader_free(reader);
        return ERR_NOMEM;
    }
    *out = reader;
    return ERR_OK;
}

static enum err round_load_key(const struct snapshot *snapshot, struct round_reader *reader,
                               uint32_t log, uint32_t index, struct round_key *out,
                               uint8_t *out_key)
{
    uint8_t *epoch_key = reader->secrets + ROUND_KEYS * (size_t)KEY_SIZE;
    struct log_row row;
    struct log_id id;
    struct hash epoch;
    enum err err = ledger_log_numbered(snapshot, log, &row);

    if (err == ERR_OK)
        err = ledger_space_numbered(snapshot, row.space, &out->space);
    if (err == ERR_OK)
        err = epoch_table_of_log(snapshot, log, index, &epoch);
    if (err == ERR_OK)
        err = epoch_table_key(snapshot, &epoch, epoch_key);
    if (err != ERR_OK)
        return err;
    id = (struct log_id){.space = out->space.id, .device = row.device};
    entry_key(epoch_key, &id, out_key);
    out->device = row.device;
    out->index = index;
    out->log = log;
    return ERR_OK;
}

/* A key that is not held is looked for again each time: it may have come. */
static enum err round_find_key(const struct snapshot *snapshot, struct round_reader *reader,
                               const struct entry_row *entry, size_t *out)
{
    uint32_t index = entry->entry.header.epoch_index;
    enum err err;

    for (size_t at = 0; at < ROUND_KEYS; at++)
        if (reader->keys[at].log == entry->log && reader->keys[at].index == index) {
            *out = at;
            return ERR_OK;
        }
    *out = reader->next;
    reader->keys[*out].log = 0;
    err = round_load_key(snapshot, reader, entry->log, index, &reader->keys[*out],
                         reader->secrets + *out * KEY_SIZE);
    if (err == ERR_OK)
        reader->next = (reader->next + 1) % ROUND_KEYS;
    return err;
}

enum err round_load(const struct snapshot *snapshot, struct round_reader *reader, uint64_t arrival,
                    struct entry_row *out_entry, size_t *out_key)
{
    enum err err = ledger_entry(snapshot, arrival, out_entry);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    if (out_entry->entry.header.epoch_index == 0 || out_entry->entry.payload.size == 0 ||
        out_entry->is_cut) /* Another branch counts its epochs alike. */
        return ERR_NOT_FOUND;
    err = round_find_key(snapshot, reader, out_entry, out_key);
    return err == ERR_KEY_MISSING ? ERR_NOT_FOUND : err;
}

const uint8_t *round_secret(const struct round_reader *reader, size_t key)
{
    return reader->secrets + key * KEY_SIZE;
}
