/* A row for each that waits, by who wrote it: of a hundred thousand of one issuer the newest three
 * are found at once, and the others are never read. */
#include <stdlib.h>
#include <string.h>

#include "storage/endorsement_state.h"
#include "storage/ledger_state.h"

enum { WAITING_KEY_SIZE = 1 + 32 + 8 + ID_SIZE };

static void endorsement_waiting_key(const struct endorsement_row *row, struct key *out)
{
    endorsement_key(SORT_WAITING, &row->issuer, out);
    key_add_u64(out, ~row->issued_s);
    key_add_bytes(out, span_of(row->object.bytes, ID_SIZE));
}

/* Keeping. */

struct endorsement_standing {
    bool is_offered, is_kept;
};

static enum err endorsement_on_standing(void *self, const struct endorsement_row *row)
{
    struct endorsement_standing *standing = self;

    standing->is_offered |= row->source == ENDORSEMENT_OFFERED;
    standing->is_kept |= row->source == ENDORSEMENT_KEPT;
    return ERR_OK;
}

/* PROTOCOL ENDORSE-10: "What was received is copied into the self space in the transaction that
 * received it, three undecided ones of one issuer at a time" */
enum err endorsement_waiting_tend(struct ledger_txn *txn, const struct endorsement_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct endorsement_standing standing = {.is_offered = false};
    bool is_revoked;
    struct key key;
    enum err err;

    if (!public_key_is_equal(&row->subject, ledger_member(snapshot.ledger)))
        return ERR_OK;
    err = endorsement_table_one(&snapshot, &row->subject, row->issued_s, &row->object,
                                endorsement_on_standing, &standing);
    if (err == ERR_OK)
        err = endorsement_table_is_revoked(&snapshot, &row->issuer, &row->object, &is_revoked);
    if (err != ERR_OK)
        return err;
    endorsement_waiting_key(row, &key);
    if (standing.is_offered && !standing.is_kept && !is_revoked)
        return ledger_put(txn, TABLE_ENDORSEMENT, &key, span_of(NULL, 0));
    err = ledger_erase(txn, TABLE_ENDORSEMENT, &key);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Reading. */

/* Behind everything of this issuer. */
static void endorsement_waiting_after(const struct public_key *issuer, struct key *out)
{
    uint8_t last[ID_SIZE];

    memset(last, 0xff, sizeof last);
    endorsement_key(SORT_WAITING, issuer, out);
    key_add_u64(out, UINT64_MAX);
    key_add_bytes(out, span_of(last, sizeof last));
    key_add_byte(out, 0);
}

static enum err endorsement_waiting_read(const struct snapshot *snapshot, struct span key,
                                         struct public_key *out_issuer, struct buf *out_places)
{
    struct endorsement_place place = {.subject = *ledger_member(snapshot->ledger)};

    if (key.size != WAITING_KEY_SIZE)
        return ERR_CORRUPT;
    memcpy(out_issuer->bytes, key.data + 1, 32);
    place.issued_s = ~be64(key.data + 33);
    memcpy(place.object.bytes, key.data + 41, ID_SIZE);
    buf_append(out_places, span_of(&place, sizeof place));
    return buf_err(out_places);
}

/* Newest first, as rows stand: the later time, then the lesser id. */
static int endorsement_waiting_order(const void *left, const void *right)
{
    const struct endorsement_place *one = left, *other = right;

    if (one->issued_s != other->issued_s)
        return one->issued_s > other->issued_s ? -1 : 1;
    return memcmp(one->object.bytes, other->object.bytes, ID_SIZE);
}

/* PROTOCOL ENDORSE-10: "Of what else is offered its subject is told the newest three of each
 * issuer, and nothing of what was taken back before it was copied." */
enum err endorsement_table_waiting(const struct snapshot *snapshot, struct buf *out_places)
{
    struct public_key issuer = {{0}}, before = {{0}};
    struct kv_cursor *cursor;
    struct span at, value;
    struct key key;
    size_t count = 0;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_ENDORSEMENT, &cursor);

    if (err != ERR_OK)
        return err;
    key_of_byte(SORT_WAITING, &key);
    err = kv_cursor_seek(cursor, key_span(&key));
    while (err == ERR_OK) {
        kv_cursor_at(cursor, &at, &value);
        if (at.size == 0 || at.data[0] != SORT_WAITING)
            break;
        err = endorsement_waiting_read(snapshot, at, &issuer, out_places);
        count = public_key_is_equal(&issuer, &before) ? count + 1 : 1;
        before = issuer;
        endorsement_waiting_after(&issuer, &key);
        if (err == ERR_OK)
            err = count < ENDORSEMENTS_PER_ISSUER_MAX ? kv_cursor_next(cursor)
                                                      : kv_cursor_seek(cursor, key_span(&key));
    }
    kv_cursor_close(cursor);
    if (err == ERR_NOT_FOUND)
        err = ERR_OK;
    if (err == ERR_OK && out_places->size > 0)
        qsort(out_places->data, out_places->size / sizeof(struct endorsement_place),
              sizeof(struct endorsement_place), endorsement_waiting_order);
    return err;
}
