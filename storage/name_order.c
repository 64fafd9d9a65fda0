/* A row holds the keys of numbers 240 n to 240 n + 239; a missing row is a row of zeroes. */
#include "storage/name_order.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "storage/ledger_state.h"

enum { NAME_ORDER_KEY_SIZE = 8, NAME_ORDER_ROW_SIZE = NAME_ORDER_ROW * NAME_ORDER_KEY_SIZE };

uint64_t name_order_key(struct span folded)
{
    uint8_t bytes[NAME_ORDER_KEY_SIZE] = {0};
    uint64_t key;

    if (folded.size > 0)
        memcpy(bytes, folded.data, folded.size < sizeof bytes ? folded.size : sizeof bytes);
    key = be64(bytes);
    return key > 0 ? key : 1;
}

enum err name_order_note(struct name_order_batch *batch, uint32_t number, uint64_t name)
{
    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity > 0 ? 2 * batch->capacity : 16;
        void *grown = heap_resize(batch->changes, capacity * sizeof *batch->changes);

        if (grown == NULL)
            return ERR_NOMEM;
        batch->changes = grown;
        batch->capacity = capacity;
    }
    batch->changes[batch->count] =
        (struct name_order_change){.name = name, .number = number, .order = (uint32_t)batch->count};
    batch->count++;
    return ERR_OK;
}

void name_order_release(struct name_order_batch *batch)
{
    heap_free(batch->changes);
    *batch = (struct name_order_batch){0};
}

static int name_order_compare(const void *left, const void *right)
{
    const struct name_order_change *one = left, *other = right;

    if (one->number != other->number)
        return one->number < other->number ? -1 : 1;
    return one->order < other->order ? -1 : 1;
}

/* The changes at the front that fall into one row; returns how many through out_used. */
static enum err name_order_apply_some(struct ledger_txn *txn,
                                      const struct name_order_change *changes, size_t count,
                                      size_t *out_used)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t row[NAME_ORDER_ROW_SIZE] = {0};
    uint32_t number = changes[0].number / NAME_ORDER_ROW;
    struct span value;
    struct key key;
    enum err err;

    key_of_u32(number, &key);
    err = ledger_get(&snapshot, TABLE_NAME_ORDER, &key, &value);
    if (err == ERR_OK && value.size != sizeof row)
        err = ERR_CORRUPT;
    if (err == ERR_OK)
        memcpy(row, value.data, sizeof row);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    for (*out_used = 0; *out_used < count && changes[*out_used].number / NAME_ORDER_ROW == number;
         (*out_used)++)
        be64_put(row + changes[*out_used].number % NAME_ORDER_ROW * NAME_ORDER_KEY_SIZE,
                 changes[*out_used].name);
    return ledger_put(txn, TABLE_NAME_ORDER, &key, span_of(row, sizeof row));
}

enum err name_order_flush(struct ledger_txn *txn, struct name_order_batch *batch)
{
    size_t used;
    enum err err = ERR_OK;

    if (batch->count > 1)
        qsort(batch->changes, batch->count, sizeof *batch->changes, name_order_compare);
    for (size_t at = 0; at < batch->count && err == ERR_OK; at += used)
        err = name_order_apply_some(txn, batch->changes + at, batch->count - at, &used);
    batch->count = 0;
    return err;
}

enum err name_order_at(struct name_order_reader *reader, uint32_t number, uint64_t *out)
{
    uint32_t row = number / NAME_ORDER_ROW;

    if (!reader->is_loaded || reader->row != row) {
        struct key key;
        enum err err;

        key_of_u32(row, &key);
        err = ledger_get(reader->snapshot, TABLE_NAME_ORDER, &key, &reader->keys);
        if (err == ERR_NOT_FOUND)
            reader->keys = span_of(NULL, 0);
        else if (err == ERR_OK && reader->keys.size != NAME_ORDER_ROW_SIZE)
            err = ERR_CORRUPT;
        if (err != ERR_OK && err != ERR_NOT_FOUND)
            return err;
        reader->is_loaded = true;
        reader->row = row;
    }
    *out = reader->keys.size > 0
               ? be64(reader->keys.data + number % NAME_ORDER_ROW * NAME_ORDER_KEY_SIZE)
               : 0;
    return ERR_OK;
}
