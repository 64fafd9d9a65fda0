/* The key of a block is token, 0, number; a token has no zero byte, so blocks of one token lie
 * together and a token comes before all that it begins. */
#include "storage/posting.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "storage/ledger_state.h"

enum { POSTING_NUMBER_SIZE = 4, POSTING_KEY_TAIL = 5 };

/* Collecting. */

enum err posting_note(struct posting_batch *batch, struct span token, uint32_t number,
                      bool is_there)
{
    struct posting_change *change;

    KITH_ASSERT(token.size > 0 && token.size <= POSTING_TOKEN_MAX);
    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity > 0 ? 2 * batch->capacity : 64;
        void *grown = heap_resize(batch->changes, capacity * sizeof *batch->changes);

        if (grown == NULL)
            return ERR_NOMEM;
        batch->changes = grown;
        batch->capacity = capacity;
    }
    change = &batch->changes[batch->count];
    memset(change, 0, sizeof *change);
    memcpy(change->token, token.data, token.size);
    change->token_size = (uint8_t)token.size;
    change->number = number;
    change->order = (uint32_t)batch->count++;
    change->is_there = is_there;
    return ERR_OK;
}

void posting_release(struct posting_batch *batch)
{
    heap_free(batch->changes);
    *batch = (struct posting_batch){0};
}

/* Tokens are padded with zero bytes, so the order of the arrays is the order of the keys. */
static int posting_order(const void *left, const void *right)
{
    const struct posting_change *one = left, *other = right;
    int order = memcmp(one->token, other->token, POSTING_TOKEN_MAX);

    if (order != 0)
        return order;
    if (one->number != other->number)
        return one->number < other->number ? -1 : 1;
    return one->order < other->order ? -1 : 1;
}

/* Of several changes of one number under one token the last is left. */
static size_t posting_settle(struct posting_change *changes, size_t count)
{
    size_t kept = 0;

    for (size_t at = 0; at < count; at++) {
        bool is_last = at + 1 == count || changes[at].number != changes[at + 1].number ||
                       memcmp(changes[at].token, changes[at + 1].token, POSTING_TOKEN_MAX) != 0;

        if (is_last)
            changes[kept++] = changes[at];
    }
    return kept;
}

/* Blocks. */

static struct key posting_key(struct span token, uint32_t number)
{
    struct key key;

    key_of_bytes(token, &key);
    key_add_byte(&key, 0);
    key_add_u32(&key, number);
    return key;
}

/* Does this key belong to the token, and from which number on? */
static bool posting_is_of(struct span key, struct span token, uint32_t *out_from)
{
    if (key.size != token.size + POSTING_KEY_TAIL ||
        memcmp(key.data, token.data, token.size) != 0 || key.data[token.size] != 0)
        return false;
    *out_from = be32(key.data + token.size + 1);
    return true;
}

static bool posting_is_block(struct span value)
{
    return value.size > 0 && value.size % POSTING_NUMBER_SIZE == 0 &&
           value.size <= POSTING_BLOCK_MAX * POSTING_NUMBER_SIZE;
}

/* The block responsible for a number. */
struct posting_block {
    bool is_there;
    uint32_t from;
    uint64_t until; /* where the next block begins; UINT64_MAX when there is none */
    size_t count;
    uint8_t numbers[POSTING_BLOCK_MAX * POSTING_NUMBER_SIZE];
};

/* The cursor stands at the first key above the number's, or at the end. */
static enum err posting_step_back(struct kv_cursor *cursor, enum err sought)
{
    return sought == ERR_OK ? kv_cursor_previous(cursor) : kv_cursor_last(cursor);
}

static enum err posting_load(struct kv_txn *kv, struct span token, uint32_t number,
                             struct posting_block *out)
{
    struct key after = posting_key(token, number);
    struct kv_cursor *cursor;
    struct span key, value;
    uint32_t from;
    enum err err, sought;

    key_add_byte(&after, 0); /* The least key above the one that ends in the number. */
    *out = (struct posting_block){.until = UINT64_MAX};
    err = kv_cursor_open(kv, TABLE_TOKEN, &cursor);
    if (err != ERR_OK)
        return err;
    sought = kv_cursor_seek(cursor, key_span(&after));
    if (sought == ERR_OK) {
        kv_cursor_at(cursor, &key, &value);
        if (posting_is_of(key, token, &from))
            out->until = from;
    }
    err = sought == ERR_OK || sought == ERR_NOT_FOUND ? posting_step_back(cursor, sought) : sought;
    if (err == ERR_OK) {
        kv_cursor_at(cursor, &key, &value);
        if (posting_is_of(key, token, &from)) {
            out->is_there = true;
            out->from = from;
            out->count = value.size / POSTING_NUMBER_SIZE;
            if (posting_is_block(value))
                memcpy(out->numbers, value.data, value.size);
            else
                err = ERR_CORRUPT;
        }
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Merging the changes of one block. */

/* Both ascending; a number that comes is added once, one that goes is left out. */
static void posting_merge(const struct posting_block *block, const struct posting_change *changes,
                          size_t count, struct buf *out)
{
    size_t at = 0, change = 0;

    while (at < block->count || change < count) {
        uint64_t held =
            at < block->count ? be32(block->numbers + at * POSTING_NUMBER_SIZE) : UINT64_MAX;
        uint64_t changed = change < count ? changes[change].number : UINT64_MAX;

        if (held < changed) {
            buf_u32(out, (uint32_t)held);
            at++;
            continue;
        }
        if (changes[change].is_there)
            buf_u32(out, (uint32_t)changed);
        at += held == changed;
        change++;
    }
}

/* Blocks that grow at their end stay full behind it; others are cut evenly and keep some room. */
static size_t posting_share(const struct posting_block *block, const struct buf *merged)
{
    size_t total = merged->size / POSTING_NUMBER_SIZE;
    size_t parts = (total + POSTING_BLOCK_MAX - 1) / POSTING_BLOCK_MAX;
    bool is_tail = block->until == UINT64_MAX;

    return is_tail ? POSTING_BLOCK_MAX : (total + parts - 1) / parts;
}

static enum err posting_store(struct ledger_txn *txn, struct span token,
                              const struct posting_block *block, const struct buf *merged)
{
    uint32_t from = block->is_there ? block->from : 0;
    struct key key = posting_key(token, from);
    size_t share;
    enum err err = ERR_OK;

    if (merged->size == 0)
        return block->is_there ? ledger_erase(txn, TABLE_TOKEN, &key) : ERR_OK;
    share = posting_share(block, merged) * POSTING_NUMBER_SIZE;
    for (size_t at = 0; at < merged->size && err == ERR_OK; at += share) {
        size_t size = merged->size - at < share ? merged->size - at : share;

        if (at > 0)
            key = posting_key(token, be32(merged->data + at));
        err = ledger_put(txn, TABLE_TOKEN, &key, span_of(merged->data + at, size));
    }
    return err;
}

/* The changes at the front that fall to one block; returns how many through out_used. */
static enum err posting_apply_some(struct ledger_txn *txn, struct posting_block *block,
                                   struct buf *merged, const struct posting_change *changes,
                                   size_t count, size_t *out_used)
{
    struct span token = span_of(changes[0].token, changes[0].token_size);
    size_t used = 0;
    enum err err = posting_load(txn->kv, token, changes[0].number, block);

    if (err != ERR_OK)
        return err;
    while (used < count && changes[used].number < block->until &&
           memcmp(changes[used].token, changes[0].token, POSTING_TOKEN_MAX) == 0)
        used++;
    buf_clear(merged);
    posting_merge(block, changes, used, merged);
    err = buf_err(merged);
    if (err == ERR_OK)
        err = posting_store(txn, token, block, merged);
    *out_used = used;
    return err;
}

enum err posting_flush(struct ledger_txn *txn, struct posting_batch *batch)
{
    struct posting_block *block;
    struct buf merged = {0};
    size_t count, used;
    enum err err = ERR_OK;

    if (batch->count == 0)
        return ERR_OK;
    block = heap_new(sizeof *block);
    if (block == NULL)
        return ERR_NOMEM;
    qsort(batch->changes, batch->count, sizeof *batch->changes, posting_order);
    count = posting_settle(batch->changes, batch->count);
    for (size_t at = 0; at < count && err == ERR_OK; at += used)
        err = posting_apply_some(txn, block, &merged, batch->changes + at, count - at, &used);
    batch->count = 0;
    buf_release(&merged);
    heap_free(block);
    return err;
}

/* Reading. */

enum err posting_each(const struct snapshot *snapshot, struct span prefix, posting_fn each,
                      void *self)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_TOKEN, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, prefix); err == ERR_OK; err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        if (key.size < prefix.size ||
            (prefix.size > 0 && memcmp(key.data, prefix.data, prefix.size) != 0))
            break;
        err = key.size > POSTING_KEY_TAIL && posting_is_block(value)
                  ? each(self, span_of(key.data, key.size - POSTING_KEY_TAIL), value.data,
                         value.size / POSTING_NUMBER_SIZE)
                  : ERR_CORRUPT;
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err posting_find(const struct snapshot *snapshot, struct span token, uint32_t number)
{
    struct posting_block block;
    size_t low = 0, high;
    enum err err = posting_load(snapshot->kv, token, number, &block);

    high = block.count;
    while (err == ERR_OK && low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t held = be32(block.numbers + middle * POSTING_NUMBER_SIZE);

        if (held == number)
            return ERR_OK;
        if (held < number)
            low = middle + 1;
        else
            high = middle;
    }
    return err == ERR_OK ? ERR_NOT_FOUND : err;
}

/* Looking over. */

struct posting_walk {
    uint8_t token[POSTING_TOKEN_MAX];
    size_t token_size;
    uint64_t last; /* number of this token; UINT64_MAX: none yet */
    uint64_t count;
};

static enum err posting_on_block(void *self, struct span token, const uint8_t *numbers,
                                 size_t count)
{
    struct posting_walk *walk = self;

    if (token.size > POSTING_TOKEN_MAX)
        return ERR_CORRUPT;
    if (!span_is_equal(token, span_of(walk->token, walk->token_size))) {
        memcpy(walk->token, token.data, token.size);
        walk->token_size = token.size;
        walk->last = UINT64_MAX;
    }
    for (size_t at = 0; at < count; at++) {
        uint32_t number = be32(numbers + at * POSTING_NUMBER_SIZE);

        if (walk->last != UINT64_MAX && number <= walk->last)
            return ERR_CORRUPT;
        walk->last = number;
    }
    walk->count += count;
    return ERR_OK;
}

enum err posting_check(const struct snapshot *snapshot, uint64_t *out_count)
{
    struct posting_walk walk = {.last = UINT64_MAX};
    enum err err = posting_each(snapshot, span_of(NULL, 0), posting_on_block, &walk);

    if (err == ERR_OK)
        *out_count = walk.count;
    return err;
}
