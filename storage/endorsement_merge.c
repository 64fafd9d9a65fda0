/* From objects to rows. A record is immutable, since its object's id is its hash: it is verified
 * when the first row of it in a space is made, and never again. */
#include <string.h>

#include "proto/show.h"
#include "proto/statement.h"
#include "storage/agenda.h"
#include "storage/dropped.h"
#include "storage/endorsement_state.h"
#include "storage/ledger_state.h"
#include "storage/running.h"

/* One more or less of what is counted: quotes by who quotes, kept ones not decided by issuer. */
static enum err endorsement_count(struct ledger_txn *txn, const struct endorsement_row *row,
                                  bool is_more)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool is_undecided =
        row->source == ENDORSEMENT_KEPT && row->decision == DECISION_NONE && !row->is_revoked;
    uint64_t count, bytes;
    uint8_t value[16];
    struct key key;
    enum err err;

    if (row->source != ENDORSEMENT_QUOTED && !is_undecided)
        return ERR_OK;
    endorsement_key(is_undecided ? SORT_UNDECIDED : SORT_QUOTES,
                    is_undecided ? &row->issuer : &row->writer, &key);
    err = endorsement_read_count(&snapshot, &key, &count, &bytes);
    if (err != ERR_OK)
        return err;
    be64_put(value, is_more ? count + 1 : count - 1);
    be64_put(value + 8, is_more ? bytes + row->size : bytes - row->size);
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
    if (err == ERR_OK)
        err = endorsement_count(txn, row, true);
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
    return err == ERR_OK ? endorsement_count(txn, row, false) : err;
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

/* ERR_FORGED or ERR_MALFORMED: the record may not stand here. A statement that another thread has
 * verified, as it stands in the very entry that won, is not verified again. PROTOCOL ENDORSE-4:
 * "Where an endorsement stands as an object, the object's id is by STATEMENT-3, so nobody can put
 * other words in its place." */
static enum err endorsement_admit(const struct ledger_txn *txn, const struct snapshot *snapshot,
                                  const struct space_row *space, const struct object *after,
                                  struct endorsement_row *out)
{
    struct span statement = object_value(after, ENDORSEMENT_STATEMENT).bytes;
    bool is_proved =
        txn->proved != 0 && object_register(after, ENDORSEMENT_STATEMENT)->arrival == txn->proved;
    struct endorsement endorsement;
    struct id named;
    enum err err = is_proved ? endorsement_peek(statement, &endorsement)
                             : endorsement_read(statement, &endorsement);

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

/* A subject's own log tells which of its shows is the newest, however its clock went; of what
 * others quote only the time of making does. PROTOCOL SHOW-3: "It counts where it names the
 * endorsement beside it, its signer is the subject, and it shows to no more than the ceiling; in a
 * network space to the network at least." */
/* PROTOCOL QUOTE-4: "Readers check a quote as they check a card: the issuer's signature, the show
 * by the subject," */
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
    if (row->source == ENDORSEMENT_QUOTED)
        row->by = show.by;
    if (show.made_s > row->made_s ||
        (row->source == ENDORSEMENT_SHOWN && show.made_s != row->made_s))
        err = running_ms(&snapshot, &row->renewed_at_ms);
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

/* Something about this endorsement is new: whoever has to answer looks before the commit. */
static enum err endorsement_note(struct ledger_txn *txn, const struct endorsement_row *row)
{
    const struct endorsement_place place = {
        .subject = row->subject, .issued_s = row->issued_s, .object = row->object};
    uint8_t name[ENDORSEMENT_PLACE_SIZE];

    endorsement_put_place(&place, name);
    return agenda_put(txn, AGENDA_NOW, KIND_ENDORSEMENT, span_of(name, sizeof name));
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

    if (is_known && !has_record) {
        err = endorsement_erase(txn, &row);
        return err == ERR_OK ? endorsement_note(txn, &row) : err;
    }
    if (err == ERR_NOT_FOUND)
        err = has_record ? endorsement_admit(txn, &snapshot, space, after, &row) : ERR_CANCELLED;
    if (err == ERR_OK && row.source >= ENDORSEMENT_SHOWN)
        err = endorsement_admit_show(txn, after, &row);
    if (err == ERR_OK) {
        row.number = number;
        if (is_known)
            err = endorsement_count(txn, &row, false); /* It is put again below. */
        row.size = (uint32_t)(object_value(after, ENDORSEMENT_STATEMENT).bytes.size +
                              object_value(after, ENDORSEMENT_SHOW).bytes.size);
        if (row.source == ENDORSEMENT_KEPT) {
            row.decision = endorsement_decided(after);
            row.is_revoked = object_number(after, KEPT_IS_REVOKED) != 0;
        }
        if (err == ERR_OK)
            err = endorsement_own_about(&row, &keep);
        if (err == ERR_OK)
            err = endorsement_put(txn, &row);
        if (err == ERR_OK)
            err = endorsement_note(txn, &row);
    } else if (err == ERR_FORGED || err == ERR_MALFORMED) {
        err = is_known ? endorsement_erase(txn, &row) : ERR_OK;
        if (err == ERR_OK)
            err = dropped_add(txn, space, DROPPED_ENDORSEMENT);
    }
    buf_release(&keep);
    return err == ERR_CANCELLED ? ERR_OK : err;
}

/* Where an endorsement stands, by its object alone: the first place is enough. */
static enum err endorsement_on_held(void *self, struct span key, struct span value)
{
    struct endorsement_row *out = self;

    if (key.size != 1 + ID_SIZE + 4 || value.size != PLACE_SIZE)
        return ERR_CORRUPT;
    memcpy(out->object.bytes, key.data + 1, ID_SIZE);
    memcpy(out->subject.bytes, value.data, 32);
    out->issued_s = ~be64(value.data + 32);
    return ERR_CANCELLED;
}

/* PROTOCOL ENDORSE-8: "Once listed it is revoked for good, before every decision and whatever
 * arrives later." */
static enum err endorsement_revoke(struct ledger_txn *txn, const struct space_row *space,
                                   const struct object *after)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span hash = object_value(after, REVOKED_HASH).bytes;
    struct endorsement_row held = {0};
    struct id object;
    struct key key;
    enum err err;

    if (hash.size != HASH_SIZE)
        return ERR_OK;
    memcpy(object.bytes, hash.data, ID_SIZE);
    endorsement_revoked_key(&space->writer, &object, &key);
    err = ledger_put(txn, TABLE_ENDORSEMENT, &key, span_of(NULL, 0));
    key_of_byte(SORT_PLACE, &key);
    key_add_bytes(&key, span_of(object.bytes, ID_SIZE));
    if (err == ERR_OK)
        err = ledger_each(&snapshot, TABLE_ENDORSEMENT, key_span(&key), endorsement_on_held, &held);
    if (err != ERR_CANCELLED)
        return err;
    return endorsement_note(txn, &held);
}

enum err endorsement_table_changed(struct ledger_txn *txn, const struct space_row *space,
                                   uint32_t number, const struct object *after)
{
    txn->ledger->endorsement_changes++;
    return after->kind == KIND_REVOKED ? endorsement_revoke(txn, space, after)
                                       : endorsement_merge(txn, space, number, after);
}

enum err endorsement_want_changed(struct ledger_txn *txn, const struct space_row *space)
{
    if (space->is_mine)
        return ERR_OK;
    return agenda_put(txn, AGENDA_NOW, KIND_ENDORSEMENT_WANT,
                      span_of(space->writer.bytes, sizeof space->writer.bytes));
}

enum err endorsement_table_sweep(struct ledger_txn *txn, uint64_t due_ms)
{
    static const uint8_t name[] = {ENDORSEMENT_SWEEP};

    return agenda_put(txn, due_ms, KIND_ENDORSEMENT, span_of(name, sizeof name));
}

/* Quotes are judged when they are read: here it is enough that whoever remembers them reads again.
 */
enum err endorsement_table_judge(struct ledger_txn *txn, const struct public_key *member)
{
    txn->ledger->endorsement_changes++;
    return public_key_is_equal(member, ledger_member(txn->ledger))
               ? endorsement_table_sweep(txn, AGENDA_NOW)
               : ERR_OK;
}
