/* Keys, rows and walks over them. How rows come to be is in endorsement_merge.c. */
#include <string.h>

#include "storage/endorsement_state.h"
#include "storage/ledger_state.h"

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

    for (at = object_element_next(kept, KEPT_DECISIONS, NULL); at != NULL;
         at = object_element_next(kept, KEPT_DECISIONS, at))
        for (enum endorsement_decision one = DECISION_SET_ASIDE; one > strongest; one--)
            if (span_is_equal(at->value.bytes, span_str(endorsement_decisions[one])))
                strongest = one;
    return strongest;
}

void endorsement_put_place(const struct endorsement_place *place,
                           uint8_t out[static ENDORSEMENT_PLACE_SIZE])
{
    memcpy(out, place->subject.bytes, 32);
    be64_put(out + 32, place->issued_s);
    memcpy(out + 40, place->object.bytes, ID_SIZE);
}

bool endorsement_read_place(struct span name, struct endorsement_place *out)
{
    if (name.size != ENDORSEMENT_PLACE_SIZE)
        return false;
    memcpy(out->subject.bytes, name.data, 32);
    out->issued_s = be64(name.data + 32);
    memcpy(out->object.bytes, name.data + 40, ID_SIZE);
    return true;
}

/* Keys. */

void endorsement_key(uint8_t sort, const struct public_key *who, struct key *out)
{
    key_of_byte(sort, out);
    key_add_bytes(out, span_of(who->bytes, 32));
}

void endorsement_row_key(uint8_t sort, const struct public_key *who,
                         const struct endorsement_row *row, struct key *out)
{
    endorsement_key(sort, who, out);
    key_add_u64(out, ~row->issued_s);
    key_add_bytes(out, span_of(row->object.bytes, ID_SIZE));
    key_add_u32(out, row->space);
}

void endorsement_uuid_key(const struct endorsement_row *row, struct key *out)
{
    key_of_byte(SORT_UUID, out);
    key_add_bytes(out, span_of(row->id.bytes, ID_SIZE));
    key_add_bytes(out, span_of(row->object.bytes, ID_SIZE));
    key_add_u32(out, row->space);
}

void endorsement_place_key(uint32_t space, const struct id *object, struct key *out)
{
    key_of_byte(SORT_PLACE, out);
    key_add_bytes(out, span_of(object->bytes, ID_SIZE));
    key_add_u32(out, space);
}

void endorsement_revoked_key(const struct public_key *issuer, const struct id *object,
                             struct key *out)
{
    endorsement_key(SORT_REVOKED, issuer, out);
    key_add_bytes(out, span_of(object->bytes, ID_SIZE));
}

uint8_t endorsement_row_sort(const struct ledger *ledger, const struct endorsement_row *row)
{
    return row->source == ENDORSEMENT_OFFERED &&
                   public_key_is_equal(&row->subject, ledger_member(ledger))
               ? SORT_OFFERED
               : SORT_SUBJECT;
}

/* Bytes of a row. */

void endorsement_put_row(const struct endorsement_row *row, struct buf *out)
{
    buf_byte(out, (uint8_t)row->source);
    buf_byte(out, (uint8_t)(row->decision | (row->is_revoked ? ENDORSEMENT_REVOKED_BIT : 0)));
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
    buf_u32(out, row->size);
    for (size_t at = 0; at < row->about_count; at++) {
        buf_byte(out, (uint8_t)row->about[at].size);
        buf_append(out, row->about[at]);
    }
    for (size_t at = 0; at < row->by.count; at++)
        buf_append(out, span_of(row->by.devices[at].bytes, 32));
}

static enum err endorsement_read_rest(struct span rest, size_t count, struct endorsement_row *out)
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
    if (rest.size % 32 != 0 || rest.size / 32 > CHAIN_CERTIFICATES_MAX)
        return ERR_CORRUPT;
    for (; out->by.count < rest.size / 32; out->by.count++)
        memcpy(out->by.devices[out->by.count].bytes, rest.data + 32 * out->by.count, 32);
    return ERR_OK;
}

enum err endorsement_read_row(struct span key, struct span value, struct endorsement_row *out)
{
    const uint8_t *at = value.data;

    if (key.size != SUBJECT_KEY_SIZE || value.size < ROW_FIXED_SIZE)
        return ERR_CORRUPT;
    *out = (struct endorsement_row){
        .source = (enum endorsement_source)at[0],
        .decision = (enum endorsement_decision)(at[1] & ~ENDORSEMENT_REVOKED_BIT),
        .is_revoked = (at[1] & ENDORSEMENT_REVOKED_BIT) != 0,
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
    out->size = be32(at + 139);
    return endorsement_read_rest(span_of(at + ROW_FIXED_SIZE, value.size - ROW_FIXED_SIZE), at[6],
                                 out);
}

/* Reading. */

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

    key_of_byte(SORT_SUBJECT, &key);
    if (subject != NULL)
        endorsement_key(SORT_SUBJECT, subject, &key);
    return ledger_each(snapshot, TABLE_ENDORSEMENT, key_span(&key), endorsement_on_row, &rows);
}

struct endorsement_objects {
    endorsement_object_fn each;
    void *self;
};

static enum err endorsement_on_revoked(void *self, struct span key, struct span value)
{
    struct endorsement_objects *objects = self;
    struct id object;

    (void)value;
    if (key.size != 1 + 32 + ID_SIZE)
        return ERR_CORRUPT;
    memcpy(object.bytes, key.data + 33, ID_SIZE);
    return objects->each(objects->self, &object);
}

enum err endorsement_table_revoked(const struct snapshot *snapshot, endorsement_object_fn each,
                                   void *self)
{
    struct endorsement_objects objects = {.each = each, .self = self};
    struct key key;

    key_of_byte(SORT_REVOKED, &key);
    return ledger_each(snapshot, TABLE_ENDORSEMENT, key_span(&key), endorsement_on_revoked,
                       &objects);
}

uint64_t endorsement_table_changes(const struct snapshot *snapshot)
{
    return snapshot->ledger->endorsement_changes;
}

enum err endorsement_table_one(const struct snapshot *snapshot, const struct public_key *subject,
                               uint64_t issued_s, const struct id *object, endorsement_row_fn each,
                               void *self)
{
    struct endorsement_rows rows = {.each = each, .self = self};
    struct key key;
    enum err err;

    endorsement_key(SORT_SUBJECT, subject, &key);
    key_add_u64(&key, ~issued_s);
    key_add_bytes(&key, span_of(object->bytes, ID_SIZE));
    err = ledger_each(snapshot, TABLE_ENDORSEMENT, key_span(&key), endorsement_on_row, &rows);
    if (err != ERR_OK || !public_key_is_equal(subject, ledger_member(snapshot->ledger)))
        return err;
    key.bytes[0] = SORT_OFFERED;
    return ledger_each(snapshot, TABLE_ENDORSEMENT, key_span(&key), endorsement_on_row, &rows);
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
    return ledger_each(snapshot, TABLE_ENDORSEMENT, key_span(&key), endorsement_on_issued, &places);
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
    return ledger_each(snapshot, TABLE_ENDORSEMENT, key_span(&key), endorsement_on_uuid, &places);
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

enum err endorsement_read_count(const struct snapshot *snapshot, const struct key *key,
                                uint64_t *out_count, uint64_t *out_bytes)
{
    struct span value;
    enum err err = ledger_get(snapshot, TABLE_ENDORSEMENT, key, &value);

    *out_count = *out_bytes = 0;
    if (err == ERR_OK && value.size == 16) {
        *out_count = be64(value.data);
        *out_bytes = be64(value.data + 8);
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err endorsement_table_quotes(const struct snapshot *snapshot, const struct public_key *writer,
                                  uint64_t *out_count, uint64_t *out_bytes)
{
    struct key key;

    endorsement_key(SORT_QUOTES, writer, &key);
    return endorsement_read_count(snapshot, &key, out_count, out_bytes);
}

enum err endorsement_table_undecided(const struct snapshot *snapshot,
                                     const struct public_key *issuer, uint64_t *out)
{
    uint64_t bytes;
    struct key key;

    endorsement_key(SORT_UNDECIDED, issuer, &key);
    return endorsement_read_count(snapshot, &key, out, &bytes);
}
