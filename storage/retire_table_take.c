/* What comes in about devices that write no more: what of it is kept, and what it changes. */
#include <string.h>

#include "proto/limits.h"
#include "storage/agenda.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/retire_rows.h"
#include "storage/view_certificate.h"

/* The two rows of a keep's signer. */
enum { RETIRE_TABLE_ANY = 0, RETIRE_TABLE_TOLD = 1 };

/* Who says so, of which device: the common part of both statements. */
struct retire_word {
    const struct public_key *member; /* whose devices it may be about */
    const struct public_key *said_by, *signer, *device;
};

/* PROTOCOL RETIRE-4: "It counts for devices of its signer's member. Once heard it stays, even if
 * the log that brought it is cut" ERR_FORGED: another member's word. ERR_NOT_FOUND: of a device
 * that is not known yet (retire_table_hear). */
static enum err retire_table_may(const struct snapshot *snapshot, const struct retire_word *word)
{
    struct device_row row;
    enum err err = view_device(snapshot, word->device, &row);

    return err == ERR_OK && (!public_key_is_equal(&row.member, word->member) ||
                             !public_key_is_equal(word->said_by, word->member))
               ? ERR_FORGED
               : err;
}

/* Which row gives way. */
struct retire_table_room {
    const struct snapshot *snapshot;
    const struct public_key *member;
    struct standing_word word; /* but for who signed what */
    size_t prefix_size;
    struct key last, last_idle;
    bool has_idle;
};

static enum err retire_table_on_room(void *self, struct span key, struct span value)
{
    struct retire_table_room *room = self;
    struct public_key signer;
    struct standing_word word = room->word;
    size_t at = room->prefix_size + 1;
    bool is_credible = true;
    enum err err = ERR_OK;

    if (key.size >= at + sizeof signer.bytes) {
        memcpy(signer.bytes, key.data + at, sizeof signer.bytes);
        word.signer = &signer;
        word.statement = value;
        err = standing_is_credible(room->snapshot, room->member, &word, &is_credible);
    }
    key_of_bytes(key, &room->last);
    if (err == ERR_OK && !is_credible)
        key_of_bytes(key, &room->last_idle);
    room->has_idle |= err == ERR_OK && !is_credible;
    return err;
}

/* PROTOCOL STOLEN-13: "Of more than FACT_SIGNERS_MAX who say one thing of a device, or of one log
 * of it, those are passed over first who are not to be believed, then those with the greatest
 * keys."
 */
static enum err retire_table_make_room(struct ledger_txn *txn, enum table table,
                                       const struct key *prefix, struct retire_table_room *room)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    size_t count;
    enum err err =
        ledger_count_rows(&snapshot, table, key_span(prefix), FACT_SIGNERS_MAX + 1, &count);

    if (err != ERR_OK || count <= FACT_SIGNERS_MAX)
        return err;
    room->snapshot = &snapshot;
    room->prefix_size = prefix->size;
    err = ledger_each_sealed(&snapshot, table, key_span(prefix), retire_table_on_room, room);
    return err == ERR_OK ? ledger_erase(txn, table, room->has_idle ? &room->last_idle : &room->last)
                         : err;
}

/* Does this one's log hold the word? The root's needs none. */
static enum err retire_table_is_held(const struct snapshot *snapshot,
                                     const struct public_key *member,
                                     const struct standing_word *word, bool *out)
{
    *out = public_key_is_equal(word->signer, member);
    return *out ? ERR_OK : standing_is_told(snapshot, member, word, out);
}

static enum err retire_table_judge(struct ledger_txn *txn, const struct public_key *member)
{
    return agenda_put(txn, AGENDA_NOW, KIND_CERTIFICATE, span_of(member->bytes, 32));
}

/* Of two statements of one signer the one that its log holds is kept, then the lesser. */
static enum err retire_table_put(struct ledger_txn *txn, const struct retire_word *word,
                                 enum retire_reason reason, struct span statement,
                                 bool *out_is_other)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct standing_word now = {
        .signer = word->signer, .statement = statement, .kind = KIND_RETIRE};
    struct standing_word before = now;
    struct retire_table_room room = {.member = word->member, .word = {.kind = KIND_RETIRE}};
    bool is_held = false, was_held = false;
    struct key prefix, key;
    struct span row;
    enum err err;

    retire_table_key(word->device, reason, &prefix);
    key = prefix;
    retire_table_add_signer(word->signer, word->member, &key);
    err = ledger_get_sealed(&snapshot, TABLE_RETIRE, &key, &row);
    *out_is_other = err == ERR_NOT_FOUND;
    if (err == ERR_OK && !span_is_equal(row, statement)) {
        before.statement = row;
        err = retire_table_is_held(&snapshot, word->member, &now, &is_held);
        if (err == ERR_OK)
            err = retire_table_is_held(&snapshot, word->member, &before, &was_held);
        *out_is_other = is_held != was_held ? is_held : span_order(row, statement) > 0;
    }
    if ((err != ERR_OK && err != ERR_NOT_FOUND) || !*out_is_other)
        return err;
    err = ledger_put_sealed(txn, TABLE_RETIRE, &key, statement);
    return err == ERR_OK ? retire_table_make_room(txn, TABLE_RETIRE, &prefix, &room) : err;
}

static enum err retire_table_take_retirement(struct ledger_txn *txn,
                                             const struct public_key *member,
                                             const struct retirement *retirement,
                                             struct span statement)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct retire_word word = {.member = member,
                                     .said_by = &retirement->member,
                                     .signer = &retirement->signer,
                                     .device = &retirement->device};
    enum standing standing = STANDING_GOOD;
    bool is_other = false;
    enum err err = retire_table_may(&snapshot, &word);

    if (err == ERR_FORGED || err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err == ERR_OK)
        err = retire_table_put(txn, &word, retirement->reason, statement, &is_other);
    if (err == ERR_OK)
        err = standing_of(&snapshot, &retirement->signer, &standing);
    if (err != ERR_OK || (!is_other && standing < STANDING_STOLEN))
        return err;
    err = standing_note(txn, member, &retirement->device, &is_other);
    return err == ERR_OK ? retire_table_judge(txn, member) : err;
}

/* Does it count before what is in this row? Of the second row: before what its log holds. */
static enum err retire_table_is_before(const struct snapshot *snapshot,
                                       const struct standing_word *word,
                                       const struct public_key *member, const struct keep *keep,
                                       const struct key *key, bool *out)
{
    struct standing_word known = *word;
    bool is_held = true;
    struct keep other;
    enum err err = ledger_get_sealed(snapshot, TABLE_KEEP, key, &known.statement);

    *out = err == ERR_NOT_FOUND;
    if (err == ERR_OK && key->bytes[key->size - 1] == RETIRE_TABLE_TOLD)
        err = retire_table_is_held(snapshot, member, &known, &is_held);
    if (err == ERR_OK)
        err = retire_read_keep(known.statement, &other);
    if (err == ERR_OK)
        *out = !is_held || retire_keep_counts(keep, &other);
    return err == ERR_NOT_FOUND                        ? ERR_OK
           : err == ERR_MALFORMED || err == ERR_FORGED ? ERR_CORRUPT
                                                       : err;
}

static enum err retire_table_put_keep(struct ledger_txn *txn, const struct space_row *space,
                                      const struct keep *keep, struct span statement,
                                      bool *out_is_other)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct public_key *member = &space->writer;
    struct standing_word word = {
        .signer = &keep->signer, .statement = statement, .space = space, .kind = KIND_KEEP};
    struct retire_table_room room = {.member = member, .word = {.space = space, .kind = KIND_KEEP}};
    bool is_held = false;
    struct key prefix, key;
    enum err err = ERR_OK;

    if (!public_key_is_equal(&keep->signer, member))
        err = standing_is_told(&snapshot, member, &word, &is_held);
    retire_table_keep_key(space->number, &keep->device, &prefix);
    *out_is_other = false;
    for (uint8_t row = RETIRE_TABLE_ANY; err == ERR_OK && row <= (is_held ? 1 : 0); row++) {
        bool is_before = false;

        key = prefix;
        retire_table_add_signer(&keep->signer, member, &key);
        key_add_byte(&key, row);
        err = retire_table_is_before(&snapshot, &word, member, keep, &key, &is_before);
        if (err == ERR_OK && is_before)
            err = ledger_put_sealed(txn, TABLE_KEEP, &key, statement);
        if (err == ERR_OK && is_before)
            err = retire_table_make_room(txn, TABLE_KEEP, &prefix, &room);
        *out_is_other |= is_before;
    }
    return err;
}

static enum err retire_table_take_keep(struct ledger_txn *txn, const struct public_key *member,
                                       const struct keep *keep, struct span statement)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct retire_word word = {.member = member,
                                     .said_by = &keep->member,
                                     .signer = &keep->signer,
                                     .device = &keep->device};
    enum standing of = STANDING_GOOD, signer = STANDING_GOOD;
    struct space_row space;
    bool is_other = false;
    enum err err = ledger_space(&snapshot, &keep->space, &space);

    if (err == ERR_NOT_FOUND || (err == ERR_OK && !public_key_is_equal(&space.writer, member)))
        return ERR_OK;
    if (err == ERR_OK)
        err = retire_table_may(&snapshot, &word);
    if (err == ERR_FORGED || err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err == ERR_OK)
        err = retire_table_put_keep(txn, &space, keep, statement, &is_other);
    if (err == ERR_OK)
        err = standing_of(&snapshot, &keep->signer, &signer);
    if (err == ERR_OK)
        err = standing_of(&snapshot, &keep->device, &of);
    if (err != ERR_OK || (!is_other && signer < STANDING_STOLEN))
        return err;
    txn->must_keep |= space.is_mine; /* Others may be missing. */
    if (of >= STANDING_STOLEN)       /* What it said counts as far as its logs do. */
        err = retire_table_judge(txn, member);
    return err == ERR_OK ? keep_apply(txn, &space, &keep->device) : err;
}

static bool retire_table_is_other(enum err err)
{
    return err == ERR_MALFORMED || err == ERR_FORGED;
}

enum err retire_table_take(struct ledger_txn *txn, const struct public_key *member,
                           struct span statement)
{
    struct certificate certificate;
    struct retirement retirement;
    struct keep keep;
    enum err err = retire_read_keep(statement, &keep);

    if (err == ERR_OK)
        return retire_table_take_keep(txn, member != NULL ? member : &keep.member, &keep,
                                      statement);
    if (retire_table_is_other(err))
        err = retire_read(statement, &retirement);
    if (err == ERR_OK)
        return retire_table_take_retirement(txn, member != NULL ? member : &retirement.member,
                                            &retirement, statement);
    if (retire_table_is_other(err))
        err = certificate_read(statement, &certificate);
    if (err == ERR_OK)
        err = view_certificate_take(txn, member != NULL ? member : &certificate.member,
                                    &certificate, NULL);
    return retire_table_is_other(err) ? ERR_OK : err;
}
