/* Merging puts and erases rows; reading walks them. A record is immutable, since its object's id is
 * its hash: it is verified when the first row of it in a space is made, and never again. */
#include "storage/endorsement_table.h"

#include <string.h>

#include "proto/show.h"
#include "proto/statement.h"
#include "storage/ledger_state.h"
#include "storage/uptime.h"

enum {
    SORT_SUBJECT = 1,
    SORT_ISSUER = 2,
    SORT_REVOKED = 3,
    SORT_UUID = 4,
    SORT_DROPPED = 5,
    SORT_PLACE = 6,
    SUBJECT_KEY_SIZE = 1 + 32 + 8 + ID_SIZE + 4,
    UUID_KEY_SIZE = 1 + ID_SIZE + ID_SIZE + 4,
    PLACE_SIZE = 32 + 8,
    ROW_FIXED_SIZE = 7 + 4 + 32 + 32 + ID_SIZE + ID_SIZE + 4 * 8
};

static const char *const endorsement_decisions[] = {
    [DECISION_NONE] = "",       [DECISION_PUBLIC] = "public", [DECISION_NETWORK] = "network",
    [DECISION_PEERS] = "peers", [DECISION_NOBODY] = "nobody", [DECISION_SET_ASIDE] = "set-aside",
};

const char *endorsement_decision_name(enum endorsement_decision decision)
{
    return endorsement_decisions[decision];
}

/* PROTOCOL ENDORSE-7: "Of several decisions that stand the strongest counts: set-aside, nobody,
 * peers, network, public." */
enum endorsement_decision endorsement_decided(const struct object *kept)
{
    enum endorsement_decision strongest = DECISION_NONE;
    const struct object_element *at;

    for (size_t index = 0; (at = object_element_at(kept, KEPT_DECISIONS, index)) != NULL; index++)
        for (enum endorsement_decision one = DECISION_SET_ASIDE; one > strongest; one--)
            if (span_is_equal(at->value.bytes, span_str(endorsement_decisions[one])))
                strongest = one;
    return strongest;
}

/* Keys. */

static void endorsement_key(uint8_t sort, const struct public_key *who, struct key *out)
{
    key_of_byte(sort, out);
    key_add_bytes(out, span_of(who->bytes, 32));
}

static void endorsement_row_key(uint8_t sort, const struct public_key *who,
                                const struct endorsement_row *row, struct key *out)
{
    endorsement_key(sort, who, out);
    key_add_u64(out, ~row->issued_s);
    key_add_bytes(out, span_of(row->object.bytes, ID_SIZE));
    key_add_u32(out, row->space);
}

static void endorsement_uuid_key(const struct endorsement_row *row, struct key *out)
{
    key_of_byte(SORT_UUID, out);
    key_add_bytes(out, span_of(row->id.bytes, ID_SIZE));
    key_add_bytes(out, span_of(row->object.bytes, ID_SIZE));
    key_add_u32(out, row->space);
}

static void endorsement_place_key(uint32_t space, const struct id *object, struct key *out)
{
    key_of_byte(SORT_PLACE, out);
    key_add_bytes(out, span_of(object->bytes, ID_SIZE));
    key_add_u32(out, space);
}

static void endorsement_revoked_key(const struct public_key *issuer, const struct id *object,
                                    struct key *out)
{
    endorsement_key(SORT_REVOKED, issuer, out);
    key_add_bytes(out, span_of(object->bytes, ID_SIZE));
}

/* Bytes of a row. */

static void endorsement_put_row(const struct endorsement_row *row, struct buf *out)
{
    buf_byte(out, (uint8_t)row->source);
    buf_byte(out, (uint8_t)row->decision);
    buf_byte(out, (uint8_t)row->audience);
    buf_byte(out, (uint8_t)row->relation);
    buf_byte(out, (uint8_t)row->ceiling);
    buf_byte(out, row->has_supersedes ? 1 : 0);
    buf_byte(out, (uint8_t)row->about_count);
    buf_u32(out, row->number);
    buf_append(out, span_of(row->issuer.bytes, 32));
    buf_append(out, span_of(row->writer.bytes, 32));
    buf_append(out, span_of(row->id.bytes, ID_SIZE));
    buf_append(out, span_of(row->supersedes.bytes, ID_SIZE));
    buf_u64(out, row->expires_s);
    buf_u64(out, row->made_s);
    buf_u64(out, row->until_s);
    buf_u64(out, row->renewed_at_ms);
    for (size_t at = 0; at < row->about_count; at++) {
        buf_byte(out, (uint8_t)row->about[at].size);
        buf_append(out, row->about[at]);
    }
}

static enum err endorsement_read_about(struct span rest, size_t count, struct endorsement_row *out)
{
    if (count > ENDORSEMENT_ABOUT_MAX)
        return ERR_CORRUPT;
    for (; out->about_count < count; out->about_count++) {
        size_t size = rest.size > 0 ? rest.data[0] : 0;

        if (rest.size < 1 + size)
            return ERR_CORRUPT;
        out->about[out->about_count] = span_of(rest.data + 1, size);
        rest = span_of(rest.data + 1 + size, rest.size - 1 - size);
    }
    return rest.size == 0 ? ERR_OK : ERR_CORRUPT;
}

static enum err endorsement_read_row(struct span key, struct span value,
                                     struct endorsement_row *out)
{
    const uint8_t *at = value.data;

    if (key.size != SUBJECT_KEY_SIZE || value.size < ROW_FIXED_SIZE)
        return ERR_CORRUPT;
    *out = (struct endorsement_row){.source = (enum endorsement_source)at[0],
                                    .decision = (enum endorsement_decision)at[1],
                                    .audience = (enum audience)at[2],
                                    .relation = (enum relation)at[3],
                                    .ceiling = (enum audience)at[4],
                                    .has_supersedes = at[5] != 0,
                                    .number = be32(at + 7),
                                    .issued_s = ~be64(key.data + 33),
                                    .space = be32(key.data + SUBJECT_KEY_SIZE - 4)};
    memcpy(out->subject.bytes, key.data + 1, 32);
    memcpy(out->object.bytes, key.data + 41, ID_SIZE);
    memcpy(out->issuer.bytes, at + 11, 32);
    memcpy(out->writer.bytes, at + 43, 32);
    memcpy(out->id.bytes, at + 75, ID_SIZE);
    memcpy(out->supersedes.bytes, at + 91, ID_SIZE);
    out->expires_s = be64(at + 107);
    out->made_s = be64(at + 115);
    out->until_s = be64(at + 123);
    out->renewed_at_ms = be64(at + 131);
    return endorsement_read_about(span_of(at + ROW_FIXED_SIZE, value.size - ROW_FIXED_SIZE), at[6],
                                  out);
}

/* Merging. */

static enum err endorsement_count_dropped(struct ledger_txn *txn, const struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t value[8];
    uint64_t count;
    struct key key;
    enum err err = endorsement_table_dropped(&snapshot, &space->writer, &count);

    if (err != ERR_OK)
        return err;
    endorsement_key(SORT_DROPPED, &space->writer, &key);
    be64_put(value, count + 1);
    return ledger_put(txn, TABLE_ENDORSEMENT, &key, span_of(value, sizeof value));
}

static enum err endorsement_put(struct ledger_txn *txn, const struct endorsement_row *row)
{
    struct buf value = {0}, place = {0};
    struct key key;
    enum err err;

    endorsement_put_row(row, &value);
    buf_append(&place, span_of(row->subject.bytes, 32));
    buf_u64(&place, ~row->issued_s);
    err = buf_err(&value);
    if (err == ERR_OK)
        err = buf_err(&place);
    endorsement_row_key(SORT_SUBJECT, &row->subject, row, &key);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_ENDORSEMENT, &key, buf_span(&value));
    endorsement_row_key(SORT_ISSUER, &row->issuer, row, &key);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_ENDORSEMENT, &key, span_of(row->subject.bytes, 32));
    endorsement_uuid_key(row, &key);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_ENDORSEMENT, &key, buf_span(&place));
    endorsement_place_key(row->space, &row->object, &key);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_ENDORSEMENT, &key, buf_span(&place));
    buf_release(&value);
    buf_release(&place);
    return err;
}

static enum err endorsement_erase(struct ledger_txn *txn, const struct endorsement_row *row)
{
    struct key keys[4];
    enum err err = ERR_OK;

    endorsement_row_key(SORT_SUBJECT, &row->subject, row, &keys[0]);
    endorsement_row_key(SORT_ISSUER, &row->issuer, row, &keys[1]);
    endorsement_uuid_key(row, &keys[2]);
    endorsement_place_key(row->space, &row->object, &keys[3]);
    for (size_t at = 0; at < 4 && err == ERR_OK; at++)
        err = ledger_erase(txn, TABLE_ENDORSEMENT, &keys[at]);
    return err;
}

/* The row of this object in this space; what out borrows is gone with the next put. ERR_NOT_FOUND.
 */
static enum err endorsement_known(const struct snapshot *snapshot, const struct space_row *space,
                                  const struct id *object, struct endorsement_row *out)
{
    struct endorsement_row at = {.space = space->number, .object = *object};
    struct public_key subject;
    struct span place, value;
    struct key key;
    enum err err;

    endorsement_place_key(space->number, object, &key);
    err = ledger_get(snapshot, TABLE_ENDORSEMENT, &key, &place);
    if (err == ERR_OK && place.size != PLACE_SIZE)
        err = ERR_CORRUPT;
    if (err != ERR_OK)
        return err;
    memcpy(subject.bytes, place.data, 32);
    at.issued_s = ~be64(place.data + 32);
    endorsement_row_key(SORT_SUBJECT, &subject, &at, &key);
    err = ledger_get(snapshot, TABLE_ENDORSEMENT, &key, &value);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    return endorsement_read_row(key_span(&key), value, out);
}

/* PROTOCOL ENDORSE-5: "A pair space offers endorsements of its writer about its reader; a card
 * space shows those about its writer; a network space quotes those about others than its writer."
 */
static bool endorsement_has_place(const struct snapshot *snapshot, const struct space_row *space,
                                  const struct endorsement *endorsement)
{
    bool is_of_writer = public_key_is_equal(&endorsement->subject, &space->writer);

    switch (space->kind) {
    case SPACE_PAIR:
        return public_key_is_equal(&endorsement->issuer, &space->writer) &&
               public_key_is_equal(&endorsement->subject, &space->reader);
    case SPACE_CARD:
        return is_of_writer;
    case SPACE_NETWORK:
        return !is_of_writer && endorsement->ceiling >= AUDIENCE_NETWORK;
    case SPACE_SELF:
        return public_key_is_equal(&endorsement->subject, ledger_member(snapshot->ledger));
    }
    return false;
}

static enum endorsement_source endorsement_source_of(enum space_kind kind)
{
    switch (kind) {
    case SPACE_PAIR:
        return ENDORSEMENT_OFFERED;
    case SPACE_CARD:
        return ENDORSEMENT_SHOWN;
    case SPACE_NETWORK:
        return ENDORSEMENT_QUOTED;
    case SPACE_SELF:
        break;
    }
    return ENDORSEMENT_KEPT;
}

/* ERR_FORGED or ERR_MALFORMED: the record may not stand here. */
static enum err endorsement_admit(const struct snapshot *snapshot, const struct space_row *space,
                                  const struct object *after, struct endorsement_row *out)
{
    struct span statement = object_value(after, ENDORSEMENT_STATEMENT).bytes;
    struct endorsement endorsement;
    struct id named;
    enum err err = endorsement_read(statement, &endorsement);

    if (err != ERR_OK)
        return err;
    statement_id(statement, &named);
    if (!id_is_equal(&named, &after->id) || !endorsement_has_place(snapshot, space, &endorsement))
        return ERR_FORGED;
    *out = (struct endorsement_row){.object = after->id,
                                    .id = endorsement.id,
                                    .issuer = endorsement.issuer,
                                    .subject = endorsement.subject,
                                    .writer = space->writer,
                                    .space = space->number,
                                    .source = endorsement_source_of(space->kind),
                                    .relation = endorsement.relation,
                                    .ceiling = endorsement.ceiling,
                                    .issued_s = endorsement.issued_s,
                                    .expires_s = endorsement.expires_s,
                                    .has_supersedes = endorsement.has_supersedes,
                                    .supersedes = endorsement.supersedes,
                                    .about_count = endorsement.about_count};
    memcpy(out->about, endorsement.about, sizeof out->about);
    return ERR_OK;
}

/* PROTOCOL SHOW-3: "It counts where it names the endorsement beside it, its signer is the subject,
 * and it shows to no more than the ceiling; in a network space to the network at least." */
static enum err endorsement_admit_show(struct ledger_txn *txn, const struct object *after,
                                       struct endorsement_row *row)
{
    struct span statement = object_value(after, ENDORSEMENT_STATEMENT).bytes;
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum audience least = row->source == ENDORSEMENT_QUOTED ? AUDIENCE_NETWORK : AUDIENCE_PEERS;
    struct endorsement about = {.subject = row->subject, .ceiling = row->ceiling};
    struct show show;
    struct hash hash;
    enum err err = show_read(object_value(after, ENDORSEMENT_SHOW).bytes, &show);

    if (err != ERR_OK)
        return err;
    statement_hash(statement, &hash);
    if (!show_fits(&show, &about, &hash) || show.audience < least)
        return ERR_FORGED;
    row->audience = show.audience;
    row->until_s = show.until_s;
    if (show.made_s > row->made_s)
        err = uptime_ms(&snapshot, &row->renewed_at_ms);
    row->made_s = show.made_s;
    return err;
}

/* The tags lie in the row that is about to be replaced. */
static enum err endorsement_own_about(struct endorsement_row *row, struct buf *keep)
{
    size_t at = 0;

    for (size_t index = 0; index < row->about_count; index++)
        buf_append(keep, row->about[index]);
    if (buf_err(keep) != ERR_OK)
        return ERR_NOMEM;
    for (size_t index = 0; index < row->about_count; index++) {
        row->about[index].data = keep->data + at;
        at += row->about[index].size;
    }
    return ERR_OK;
}

static enum err endorsement_merge(struct ledger_txn *txn, const struct space_row *space,
                                  uint32_t number, const struct object *after)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct endorsement_row row;
    struct buf keep = {0};
    bool has_record =
        object_is_visible(after) && object_value(after, ENDORSEMENT_STATEMENT).type == VALUE_BYTES;
    enum err err = endorsement_known(&snapshot, space, &after->id, &row);
    bool is_known = err == ERR_OK;

    if (is_known && !has_record)
        return endorsement_erase(txn, &row);
    if (err == ERR_NOT_FOUND)
        err = has_record ? endorsement_admit(&snapshot, space, after, &row) : ERR_CANCELLED;
    if (err == ERR_OK && row.source >= ENDORSEMENT_SHOWN)
        err = endorsement_admit_show(txn, after, &row);
    if (err == ERR_OK) {
        row.number = number;
        if (row.source == ENDORSEMENT_KEPT)
            row.decision = endorsement_decided(after);
        err = endorsement_own_about(&row, &keep);
        if (err == ERR_OK)
            err = endorsement_put(txn, &row);
    } else if (err == ERR_FORGED || err == ERR_MALFORMED) {
        err = is_known ? endorsement_erase(txn, &row) : ERR_OK;
        if (err == ERR_OK)
            err = endorsement_count_dropped(txn, space);
    }
    buf_release(&keep);
    return err == ERR_CANCELLED ? ERR_OK : err;
}

/* PROTOCOL ENDORSE-8: "Once listed it is revoked for good, before every decision and whatever
 * arrives later." */
static enum err endorsement_revoke(struct ledger_txn *txn, const struct space_row *space,
                                   const struct object *after)
{
    struct span hash = object_value(after, REVOKED_HASH).bytes;
    struct id object;
    struct key key;

    if (hash.size != HASH_SIZE)
        return ERR_OK;
    memcpy(object.bytes, hash.data, ID_SIZE);
    endorsement_revoked_key(&space->writer, &object, &key);
    return ledger_put(txn, TABLE_ENDORSEMENT, &key, span_of(NULL, 0));
}

enum err endorsement_table_changed(struct ledger_txn *txn, const struct space_row *space,
                                   uint32_t number, const struct object *after)
{
    return after->kind == KIND_REVOKED ? endorsement_revoke(txn, space, after)
                                       : endorsement_merge(txn, space, number, after);
}

/* Reading. */

typedef enum err (*endorsement_raw_fn)(void *self, struct span key, struct span value);

/* Everything whose key begins so. */
static enum err endorsement_walk(const struct snapshot *snapshot, struct span prefix,
                                 endorsement_raw_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_ENDORSEMENT, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, prefix); err == ERR_OK; err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        if (key.size < prefix.size || memcmp(key.data, prefix.data, prefix.size) != 0)
            break;
        err = each(self, key, value);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

struct endorsement_rows {
    endorsement_row_fn each;
    void *self;
};

static enum err endorsement_on_row(void *self, struct span key, struct span value)
{
    struct endorsement_rows *rows = self;
    struct endorsement_row row;
    enum err err = endorsement_read_row(key, value, &row);

    return err == ERR_OK ? rows->each(rows->self, &row) : err;
}

enum err endorsement_table_about(const struct snapshot *snapshot, const struct public_key *subject,
                                 endorsement_row_fn each, void *self)
{
    struct endorsement_rows rows = {.each = each, .self = self};
    struct key key;

    endorsement_key(SORT_SUBJECT, subject, &key);
    return endorsement_walk(snapshot, key_span(&key), endorsement_on_row, &rows);
}

enum err endorsement_table_one(const struct snapshot *snapshot, const struct public_key *subject,
                               uint64_t issued_s, const struct id *object, endorsement_row_fn each,
                               void *self)
{
    struct endorsement_rows rows = {.each = each, .self = self};
    struct key key;

    endorsement_key(SORT_SUBJECT, subject, &key);
    key_add_u64(&key, ~issued_s);
    key_add_bytes(&key, span_of(object->bytes, ID_SIZE));
    return endorsement_walk(snapshot, key_span(&key), endorsement_on_row, &rows);
}

struct endorsement_places {
    endorsement_place_fn each;
    void *self;
    struct endorsement_place last;
    bool has_last;
    struct span hex;
};

/* Rows of one endorsement from several spaces stand side by side. */
static enum err endorsement_tell_place(struct endorsement_places *places,
                                       const struct endorsement_place *place)
{
    if (places->has_last && id_is_equal(&places->last.object, &place->object))
        return ERR_OK;
    places->last = *place;
    places->has_last = true;
    return places->each(places->self, place);
}

static enum err endorsement_on_issued(void *self, struct span key, struct span value)
{
    struct endorsement_place place;

    if (key.size != SUBJECT_KEY_SIZE || value.size != 32)
        return ERR_CORRUPT;
    memcpy(place.subject.bytes, value.data, 32);
    place.issued_s = ~be64(key.data + 33);
    memcpy(place.object.bytes, key.data + 41, ID_SIZE);
    return endorsement_tell_place(self, &place);
}

enum err endorsement_table_by(const struct snapshot *snapshot, const struct public_key *issuer,
                              endorsement_place_fn each, void *self)
{
    struct endorsement_places places = {.each = each, .self = self};
    struct key key;

    endorsement_key(SORT_ISSUER, issuer, &key);
    return endorsement_walk(snapshot, key_span(&key), endorsement_on_issued, &places);
}

static enum err endorsement_on_uuid(void *self, struct span key, struct span value)
{
    struct endorsement_places *places = self;
    struct endorsement_place place;
    char text[2 * ID_SIZE + 1];

    if (key.size != UUID_KEY_SIZE || value.size != PLACE_SIZE)
        return ERR_CORRUPT;
    hex_write(span_of(key.data + 1, ID_SIZE), text);
    if (!span_is_equal(span_of(text, places->hex.size), places->hex))
        return ERR_OK;
    memcpy(place.subject.bytes, value.data, 32);
    place.issued_s = ~be64(value.data + 32);
    memcpy(place.object.bytes, key.data + 1 + ID_SIZE, ID_SIZE);
    return endorsement_tell_place(places, &place);
}

enum err endorsement_table_named(const struct snapshot *snapshot, struct span hex,
                                 endorsement_place_fn each, void *self)
{
    struct endorsement_places places = {.each = each, .self = self, .hex = hex};
    uint8_t bytes[ID_SIZE];
    struct key key;

    if (hex.size > (size_t)2 * ID_SIZE ||
        hex_read(span_of(hex.data, hex.size / 2 * 2), bytes, hex.size / 2) != ERR_OK)
        return ERR_OK;
    key_of_byte(SORT_UUID, &key);
    key_add_bytes(&key, span_of(bytes, hex.size / 2));
    return endorsement_walk(snapshot, key_span(&key), endorsement_on_uuid, &places);
}

enum err endorsement_table_is_revoked(const struct snapshot *snapshot,
                                      const struct public_key *issuer, const struct id *object,
                                      bool *out)
{
    struct span value;
    struct key key;
    enum err err;

    endorsement_revoked_key(issuer, object, &key);
    err = ledger_get(snapshot, TABLE_ENDORSEMENT, &key, &value);
    *out = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err endorsement_table_dropped(const struct snapshot *snapshot, const struct public_key *writer,
                                   uint64_t *out)
{
    struct span value;
    struct key key;
    enum err err;

    *out = 0;
    endorsement_key(SORT_DROPPED, writer, &key);
    err = ledger_get(snapshot, TABLE_ENDORSEMENT, &key, &value);
    if (err == ERR_OK && value.size == 8)
        *out = be64(value.data);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
