/* See view_introduction_keep.h. */
#include "storage/view_introduction_keep.h"

#include <string.h>

#include "proto/introduction.h"
#include "storage/ledger.h"

/* The statements of least rank are kept. */
struct view_introduction_rank {
    uint8_t bytes[8 + HASH_SIZE];
};

enum err view_introduction_keep_open(const struct snapshot *snapshot, uint64_t arrival,
                                     struct edit_space *edit, struct buf *plain, struct span *out)
{
    struct entry_row entry;
    enum err err = ledger_entry(snapshot, arrival, &entry);

    buf_clear(plain);
    if (err == ERR_OK)
        err = ledger_open_entry(snapshot, &entry, plain);
    if (err == ERR_OK)
        err = edit_read(edit, buf_span(plain));
    if (err == ERR_KEY_MISSING)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK && (edit->edit.kind != KIND_INTRODUCTION || edit->edit.writes_count != 1))
        err = ERR_CORRUPT;
    if (err == ERR_OK)
        *out = edit->edit.writes[0].value.bytes;
    return err;
}

/* PROTOCOL INTRO-9: "Of those the ones with the least hash are kept; of releases, the ones that
 * INTRO-10 puts first; of wants, those that end last." */
static void view_introduction_rank_of(struct span bytes, struct view_introduction_rank *out)
{
    struct introduction_message message;
    struct public_key member;
    struct hash order;

    memset(out->bytes, 0xff, sizeof out->bytes);
    if (introduction_peek(bytes, &member, &message) != ERR_OK)
        return;
    statement_hash(bytes, &order);
    if (message.type == INTRODUCTION_RELEASE &&
        introduction_release_order(&message, &order) != ERR_OK)
        return;
    be64_put(out->bytes,
             message.type == INTRODUCTION_WANT ? UINT64_MAX - message.want.expires_ms : 0);
    memcpy(out->bytes + 8, order.bytes, HASH_SIZE);
}

static bool view_introduction_rank_is_less(const struct view_introduction_rank *left,
                                           const struct view_introduction_rank *right)
{
    return memcmp(left->bytes, right->bytes, sizeof left->bytes) < 0;
}

/* The last of those that are kept. */
struct view_introduction_last {
    const struct snapshot *snapshot;
    struct edit_space edit;
    struct buf plain;
    struct key key;
    struct view_introduction_rank rank;
};

static enum err view_introduction_on_kept(void *self, struct span key, struct span value)
{
    struct view_introduction_last *last = self;
    struct view_introduction_rank rank;
    struct span bytes;
    enum err err = value.size == 8 ? view_introduction_keep_open(last->snapshot, be64(value.data),
                                                                 &last->edit, &last->plain, &bytes)
                                   : ERR_CORRUPT;

    memset(rank.bytes, 0xff, sizeof rank.bytes); /* What is gone makes room first. */
    if (err == ERR_OK)
        view_introduction_rank_of(bytes, &rank);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    if (last->key.size == 0 || view_introduction_rank_is_less(&last->rank, &rank)) {
        key_of_bytes(key, &last->key);
        last->rank = rank;
    }
    return ERR_OK;
}

/* Makes room for a statement, if it comes before the last of those that are kept. ERR_CANCELLED:
 * it does not. */
static enum err view_introduction_make_room(struct ledger_txn *txn, enum table table,
                                            const struct key *prefix, struct span bytes)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_introduction_last last = {.snapshot = &snapshot};
    struct view_introduction_rank rank;
    enum err err =
        ledger_each(&snapshot, table, key_span(prefix), view_introduction_on_kept, &last);

    view_introduction_rank_of(bytes, &rank);
    if (err == ERR_OK)
        err = view_introduction_rank_is_less(&rank, &last.rank)
                  ? ledger_erase(txn, table, &last.key)
                  : ERR_CANCELLED;
    edit_release(&last.edit);
    buf_release(&last.plain);
    return err;
}

enum err view_introduction_keep(struct ledger_txn *txn, enum table table, struct key *prefix,
                                size_t max, struct span bytes, uint64_t arrival)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct key group = *prefix;
    struct introduction_message message;
    struct public_key member;
    struct span known;
    struct hash hash;
    uint8_t value[8];
    size_t count = 0;
    enum err err = introduction_read(bytes, &member, &message);

    statement_hash(bytes, &hash);
    key_add_bytes(prefix, span_of(hash.bytes, 16));
    if (err == ERR_OK && max < SIZE_MAX)
        err = ledger_count_rows(&snapshot, table, key_span(&group), max, &count);
    if (err == ERR_OK && count >= max) {
        err = ledger_get(&snapshot, table, prefix, &known);
        if (err == ERR_NOT_FOUND)
            err = view_introduction_make_room(txn, table, &group, bytes);
    }
    be64_put(value, arrival);
    if (err == ERR_OK)
        err = ledger_put(txn, table, prefix, span_of(value, sizeof value));
    return err == ERR_MALFORMED || err == ERR_FORGED ? ERR_CANCELLED : err;
}
