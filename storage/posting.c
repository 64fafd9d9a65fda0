/* Reading order: collecting, rows read and written, changes applied, looking up, looking over. The
 * order of keys is that of postings: a token comes before all that it begins. */
#include "storage/posting.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "storage/ledger_state.h"

enum { POSTING_KEY_TAIL = 5 };
#define POSTING_STEP_MAX (UINT64_C(1) << 32)

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
    change->head = be64(change->token);
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
    int order;

    if (one->head != other->head)
        return one->head < other->head ? -1 : 1;
    order = memcmp(one->token + 8, other->token + 8, POSTING_TOKEN_MAX - 8);
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

static struct key posting_key(struct span token, uint32_t number)
{
    struct key key;

    key_of_bytes(token, &key);
    key_add_byte(&key, 0);
    key_add_u32(&key, number);
    return key;
}

/* Rows: reading. */

/* One token after another. Zero it and set the bytes. */
struct posting_reader {
    const uint8_t *at, *end;
    uint8_t token[POSTING_TOKEN_MAX]; /* zeroes behind it */
    size_t token_size;
    size_t count;
    uint32_t numbers[POSTING_ROW_ROOM]; /* each takes a byte at least */
};

static void posting_read(struct posting_reader *reader, struct span row)
{
    memset(reader->token, 0, sizeof reader->token);
    reader->token_size = 0;
    reader->at = row.data;
    reader->end = row.data + row.size;
}

static enum err posting_token(struct posting_reader *reader)
{
    size_t shared, more;

    if (reader->end - reader->at < 2)
        return ERR_CORRUPT;
    shared = reader->at[0];
    more = reader->at[1];
    reader->at += 2;
    if (shared > reader->token_size || more == 0 || shared + more > POSTING_TOKEN_MAX ||
        more > (size_t)(reader->end - reader->at))
        return ERR_CORRUPT;
    memcpy(reader->token + shared, reader->at, more);
    memset(reader->token + shared + more, 0, POSTING_TOKEN_MAX - shared - more);
    reader->token_size = shared + more;
    reader->at += more;
    return ERR_OK;
}

/* 0, which ends the numbers, for one that is cut. */
static uint64_t posting_step(struct posting_reader *reader)
{
    struct span rest = span_of(reader->at, (size_t)(reader->end - reader->at));
    uint64_t step = 0;

    if (span_take_number(&rest, &step))
        reader->at = rest.data;
    return step;
}

/* The next token of the row and its numbers. ERR_NOT_FOUND at the end, ERR_CORRUPT. */
static enum err posting_group(struct posting_reader *reader)
{
    uint64_t number = UINT64_MAX;
    enum err err;

    if (reader->at == reader->end)
        return ERR_NOT_FOUND;
    reader->count = 0;
    err = posting_token(reader);
    while (err == ERR_OK && reader->at < reader->end) {
        uint64_t step = *reader->at <= 0x7f ? *reader->at++ : posting_step(reader);

        if (step == 0)
            return reader->count > 0 ? ERR_OK : ERR_CORRUPT;
        number += step;
        if (step > POSTING_STEP_MAX || number > UINT32_MAX || reader->count == POSTING_ROW_ROOM)
            return ERR_CORRUPT;
        reader->numbers[reader->count++] = (uint32_t)number;
    }
    return ERR_CORRUPT;
}

/* Rows: writing. */

struct posting_writer {
    struct ledger_txn *txn;
    enum table table;
    struct key key; /* of the row under way */
    struct buf row;
    size_t share; /* bytes after which another row begins */
    uint8_t token[POSTING_TOKEN_MAX];
    size_t token_size; /* 0: the row is empty */
    uint64_t last;     /* number of that token */
    bool has_written;
    enum err err;
};

static void posting_end_row(struct posting_writer *writer)
{
    if (writer->token_size == 0)
        return;
    buf_byte(&writer->row, 0);
    writer->token_size = 0;
    writer->has_written = true;
    if (writer->err == ERR_OK)
        writer->err = buf_err(&writer->row);
    if (writer->err == ERR_OK)
        writer->err = ledger_put(writer->txn, writer->table, &writer->key, buf_span(&writer->row));
    buf_clear(&writer->row);
}

static void posting_begin_token(struct posting_writer *writer, const uint8_t *token, size_t size)
{
    size_t shared = 0;

    if (writer->token_size > 0)
        buf_byte(&writer->row, 0); /* Behind the numbers of the one before. */
    while (shared < writer->token_size && shared < size - 1 &&
           writer->token[shared] == token[shared])
        shared++;
    buf_byte(&writer->row, (uint8_t)shared);
    buf_byte(&writer->row, (uint8_t)(size - shared));
    buf_append(&writer->row, span_of(token + shared, size - shared));
    memcpy(writer->token, token, POSTING_TOKEN_MAX);
    writer->token_size = size;
    writer->last = UINT64_MAX;
}

/* The token has zeroes behind it. */
static void posting_add(struct posting_writer *writer, const uint8_t *token, size_t size,
                        uint32_t number)
{
    if (writer->row.size >= writer->share) {
        posting_end_row(writer);
        writer->key = posting_key(span_of(token, size), number);
    }
    if (writer->token_size != size || memcmp(writer->token, token, POSTING_TOKEN_MAX) != 0)
        posting_begin_token(writer, token, size);
    buf_number(&writer->row, (uint64_t)number - writer->last);
    writer->last = number;
}

/* Applying changes to one row. */

static void posting_add_change(struct posting_writer *writer, const struct posting_change *change)
{
    if (change->is_there)
        posting_add(writer, change->token, change->token_size, change->number);
}

/* The changes at the front that are of the token at hand; returns how many. */
static size_t posting_merge_token(struct posting_writer *writer,
                                  const struct posting_reader *reader,
                                  const struct posting_change *changes, size_t count)
{
    size_t at = 0, used = 0;

    while (used < count && memcmp(changes[used].token, reader->token, POSTING_TOKEN_MAX) == 0) {
        for (; at < reader->count && reader->numbers[at] < changes[used].number; at++)
            posting_add(writer, reader->token, reader->token_size, reader->numbers[at]);
        at += at < reader->count && reader->numbers[at] == changes[used].number;
        posting_add_change(writer, &changes[used++]);
    }
    for (; at < reader->count; at++)
        posting_add(writer, reader->token, reader->token_size, reader->numbers[at]);
    return used;
}

static enum err posting_merge(struct posting_writer *writer, struct posting_reader *reader,
                              const struct posting_change *changes, size_t count)
{
    size_t at = 0;
    enum err err;

    while ((err = posting_group(reader)) == ERR_OK) {
        while (at < count && memcmp(changes[at].token, reader->token, POSTING_TOKEN_MAX) < 0)
            posting_add_change(writer, &changes[at++]);
        at += posting_merge_token(writer, reader, changes + at, count - at);
    }
    while (err == ERR_NOT_FOUND && at < count)
        posting_add_change(writer, &changes[at++]);
    posting_end_row(writer);
    return err == ERR_NOT_FOUND ? writer->err : err;
}

/* The row responsible for a posting. */
struct posting_row {
    bool is_there, has_next;
    struct key key, next;
    size_t size;
    uint8_t bytes[POSTING_ROW_ROOM];
};

/* The cursor stands at the first key above the posting's, or at the end. */
static enum err posting_step_back(struct kv_cursor *cursor, enum err sought)
{
    return sought == ERR_OK ? kv_cursor_previous(cursor) : kv_cursor_last(cursor);
}

static enum err posting_load(struct kv_txn *kv, enum table table, struct span token,
                             uint32_t number, struct posting_row *out)
{
    struct key after = posting_key(token, number);
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err, sought;

    key_add_byte(&after, 0); /* The least key above the posting's. */
    out->is_there = out->has_next = false;
    out->key = posting_key(span_of(NULL, 0), 0);
    out->size = 0;
    err = kv_cursor_open(kv, table, &cursor);
    if (err != ERR_OK)
        return err;
    sought = kv_cursor_seek(cursor, key_span(&after));
    if (sought == ERR_OK) {
        kv_cursor_at(cursor, &key, &value);
        key_of_bytes(key, &out->next);
        out->has_next = true;
    }
    err = sought == ERR_OK || sought == ERR_NOT_FOUND ? posting_step_back(cursor, sought) : sought;
    if (err == ERR_OK) {
        kv_cursor_at(cursor, &key, &value);
        out->is_there = true;
        key_of_bytes(key, &out->key);
        out->size = value.size;
        if (value.size == 0 || value.size > POSTING_ROW_ROOM)
            err = ERR_CORRUPT;
        else
            memcpy(out->bytes, value.data, value.size);
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static bool posting_is_before(const struct posting_change *change, const struct key *next)
{
    struct key key = posting_key(span_of(change->token, change->token_size), change->number);

    return span_order(key_span(&key), key_span(next)) < 0;
}

/* Bytes a change may add, at most. */
static size_t posting_room(const struct posting_change *changes, size_t at)
{
    if (!changes[at].is_there)
        return 0;
    if (at > 0 && memcmp(changes[at - 1].token, changes[at].token, POSTING_TOKEN_MAX) == 0)
        return 3;
    return changes[at].token_size + 8u;
}

struct posting_work {
    struct posting_row row;
    struct posting_reader reader;
    struct posting_writer writer;
};

/* The changes at the front that fall to one row; returns how many through out_used. */
static enum err posting_apply_some(struct posting_work *work, const struct posting_change *changes,
                                   size_t count, size_t *out_used)
{
    struct posting_row *row = &work->row;
    struct posting_writer *writer = &work->writer;
    size_t used = 0, total, parts;
    enum err err =
        posting_load(writer->txn->kv, writer->table,
                     span_of(changes[0].token, changes[0].token_size), changes[0].number, row);

    if (err != ERR_OK)
        return err;
    total = row->size;
    while (used < count && (!row->has_next || posting_is_before(&changes[used], &row->next)))
        total += posting_room(changes, used++);
    parts = total / POSTING_ROW_MAX + 1;
    writer->share = total / parts;
    writer->key = row->key;
    writer->has_written = false;
    posting_read(&work->reader, span_of(row->bytes, row->size));
    err = posting_merge(writer, &work->reader, changes, used);
    if (err == ERR_OK && row->is_there && !writer->has_written)
        err = ledger_erase(writer->txn, writer->table, &row->key);
    *out_used = used;
    return err;
}

enum err posting_flush(struct ledger_txn *txn, enum table table, struct posting_batch *batch)
{
    struct posting_work *work;
    size_t count, used;
    enum err err = ERR_OK;

    if (batch->count == 0)
        return ERR_OK;
    work = heap_new_zeroed(1, sizeof *work);
    if (work == NULL)
        return ERR_NOMEM;
    work->writer.txn = txn;
    work->writer.table = table;
    qsort(batch->changes, batch->count, sizeof *batch->changes, posting_order);
    count = posting_settle(batch->changes, batch->count);
    for (size_t at = 0; at < count && err == ERR_OK; at += used)
        err = posting_apply_some(work, batch->changes + at, count - at, &used);
    batch->count = 0;
    buf_release(&work->writer.row);
    heap_free(work);
    return err;
}

/* Reading. */

/* Calls each for the tokens of one row that begin with the prefix; ERR_NOT_FOUND: none that comes
 * later can. */
static enum err posting_row_each(struct posting_reader *reader, struct span prefix, posting_fn each,
                                 void *self)
{
    enum err err;

    while ((err = posting_group(reader)) == ERR_OK) {
        size_t common = reader->token_size < prefix.size ? reader->token_size : prefix.size;
        int order = common > 0 ? memcmp(reader->token, prefix.data, common) : 0;

        if (order > 0)
            return ERR_NOT_FOUND;
        if (order < 0 || common < prefix.size)
            continue;
        err =
            each(self, span_of(reader->token, reader->token_size), reader->numbers, reader->count);
        if (err != ERR_OK)
            return err;
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Stands at the row in which the first token of the prefix may lie. */
static enum err posting_seek(struct kv_cursor *cursor, struct span prefix)
{
    enum err err = kv_cursor_seek(cursor, prefix);

    if (prefix.size == 0)
        return err;
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = posting_step_back(cursor, err);
    return err == ERR_NOT_FOUND ? kv_cursor_seek(cursor, span_of(NULL, 0)) : err;
}

enum err posting_each(const struct snapshot *snapshot, enum table table, struct span prefix,
                      posting_fn each, void *self)
{
    struct posting_reader *reader = heap_new(sizeof *reader);
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = reader != NULL ? kv_cursor_open(snapshot->kv, table, &cursor) : ERR_NOMEM;

    if (err != ERR_OK) {
        heap_free(reader);
        return err;
    }
    for (err = posting_seek(cursor, prefix); err == ERR_OK; err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        if (value.size == 0 || value.size > POSTING_ROW_ROOM) {
            err = ERR_CORRUPT;
            break;
        }
        posting_read(reader, value);
        err = posting_row_each(reader, prefix, each, self);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    heap_free(reader);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

struct posting_search {
    struct span token;
    uint32_t number;
};

static enum err posting_on_searched(void *self, struct span token, const uint32_t *numbers,
                                    size_t count)
{
    const struct posting_search *search = self;
    size_t low = 0, high = count;

    if (!span_is_equal(token, search->token))
        return ERR_OK;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (numbers[middle] == search->number)
            return ERR_CANCELLED;
        if (numbers[middle] < search->number)
            low = middle + 1;
        else
            high = middle;
    }
    return ERR_OK;
}

enum err posting_find(const struct snapshot *snapshot, enum table table, struct span token,
                      uint32_t number)
{
    struct posting_search search = {.token = token, .number = number};
    struct posting_row *row = heap_new(sizeof *row);
    struct posting_reader *reader = heap_new(sizeof *reader);
    enum err err = row != NULL && reader != NULL
                       ? posting_load(snapshot->kv, table, token, number, row)
                       : ERR_NOMEM;

    if (err == ERR_OK) {
        posting_read(reader, span_of(row->bytes, row->size));
        err = posting_row_each(reader, token, posting_on_searched, &search);
    }
    heap_free(row);
    heap_free(reader);
    if (err == ERR_CANCELLED)
        return ERR_OK;
    return err == ERR_OK ? ERR_NOT_FOUND : err;
}

/* Looking over. */

struct posting_walk {
    struct key last; /* of the posting before */
    uint64_t count;
};

/* Does the posting come behind the one before, and not before its row's key? */
static bool posting_is_next(const struct posting_walk *walk, struct span key,
                            const struct key *posting)
{
    return span_order(key, key_span(posting)) <= 0 &&
           span_order(key_span(&walk->last), key_span(posting)) < 0;
}

/* The rows follow one another, and each begins where its key says or later; the numbers of one
 * token ascend as they are read. */
static enum err posting_check_row(struct posting_walk *walk, struct posting_reader *reader,
                                  struct span key)
{
    enum err err;

    if (key.size < POSTING_KEY_TAIL || span_order(key_span(&walk->last), key) >= 0)
        return ERR_CORRUPT;
    while ((err = posting_group(reader)) == ERR_OK) {
        struct span token = span_of(reader->token, reader->token_size);
        struct key first = posting_key(token, reader->numbers[0]);

        if (!posting_is_next(walk, key, &first))
            return ERR_CORRUPT;
        walk->last = posting_key(token, reader->numbers[reader->count - 1]);
        walk->count += reader->count;
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err posting_check(const struct snapshot *snapshot, enum table table, uint64_t *out_count)
{
    struct posting_reader *reader = heap_new(sizeof *reader);
    struct posting_walk walk = {.last = {.size = 0}};
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = reader != NULL ? kv_cursor_open(snapshot->kv, table, &cursor) : ERR_NOMEM;

    if (err != ERR_OK) {
        heap_free(reader);
        return err;
    }
    for (err = kv_cursor_seek(cursor, span_of(NULL, 0)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        posting_read(reader, value);
        err = value.size > 0 && value.size <= POSTING_ROW_ROOM
                  ? posting_check_row(&walk, reader, key)
                  : ERR_CORRUPT;
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    heap_free(reader);
    *out_count = walk.count;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
