/* Carrying forgets out: what they name is dropped, and what showed it is made again. */
#include <string.h>

#include "proto/forget.h"
#include "proto/limits.h"
#include "storage/absent.h"
#include "storage/agenda.h"
#include "storage/follow_state.h"
#include "storage/forget.h"
#include "storage/return_table.h"
#include "storage/running.h"
#include "storage/undo.h"

struct forget_shown {
    uint8_t kind;
    struct id object;
};

struct forget_places {
    struct ledger_txn *txn;
    struct forget_entry entry; /* at hand */
    const struct space_row *space;
    struct buf own;   /* struct undo_place: those of my self space */
    struct buf shown; /* struct forget_shown: what may show what is gone now */
    bool is_repeated; /* an entry that is gone now may be repeated elsewhere */
};

/* The entry that is named, in its log or cut from it. */
static enum err forget_find(const struct forget_places *places, const struct forget_place *place,
                            uint32_t log, struct entry_row *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(places->txn);
    struct return_cut cut = {.log = log, .seq = place->seq, .payload = place->payload};
    uint64_t arrival;
    enum err err = ledger_entry_at(&snapshot, log, place->seq, out);

    if (err == ERR_OK && out->entry.payload.size > 0)
        entry_hash_payload(&out->entry);
    if (err == ERR_OK &&
        memcmp(out->entry.header.payload_hash.bytes, place->payload.bytes, HASH_SIZE) == 0)
        return ERR_OK;
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = return_table_cut(&snapshot, &cut, &arrival);
    return err == ERR_OK ? ledger_entry(&snapshot, arrival, out) : err;
}

/* PROTOCOL FORGET-3: "An entry of a forget is named by none: what one says of it is passed over."
 * What cannot be read yet is dropped when it can be. */
static enum err forget_drop(struct forget_places *places, const struct entry_row *row,
                            enum absent_naming *naming)
{
    struct snapshot snapshot = ledger_txn_snapshot(places->txn);
    const struct edit *edit = &places->entry.edit.edit;
    struct forget_shown shown;
    enum err err = forget_read(&snapshot, row, &places->entry);

    if (err == ERR_OK && edit->kind == KIND_FORGET) {
        *naming = ABSENT_STAYS;
    } else if (err == ERR_OK) {
        shown = (struct forget_shown){edit->kind, edit->object};
        buf_append(&places->shown, span_of(&shown, sizeof shown));
        err = buf_err(&places->shown);
        if (err == ERR_OK)
            err = absent_drop(places->txn, row->arrival);
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL FORGET-2: "An entry that a forget of its space names says nothing any more, nor does
 * what repeats it, whichever came first, and its payload may be dropped at once." */
static enum err forget_on_place(void *self, const struct forget_place *place)
{
    struct forget_places *places = self;
    struct snapshot snapshot = ledger_txn_snapshot(places->txn);
    struct log_id id = {.space = places->space->id, .device = place->device};
    uint32_t space = places->space->number;
    enum absent_naming naming = ABSENT_NAMED;
    struct undo_place own = {.seq = place->seq};
    struct entry_row row;
    struct log_row log;
    bool is_repeated = false;
    enum err err;

    if (absent_naming_of(&snapshot, space, &place->payload) != ABSENT_UNNAMED)
        return ERR_OK;
    err = ledger_log(&snapshot, &id, &log);
    if (err == ERR_OK) {
        own.log = log.number;
        err = forget_find(places, place, log.number, &row);
        own.arrival = err == ERR_OK ? row.arrival : 0;
        if (places->space->kind == SPACE_SELF)
            buf_append(&places->own, span_of(&own, sizeof own));
    }
    if (err == ERR_OK)
        err = forget_drop(places, &row, &naming);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = return_table_is_restated(&snapshot, space, &place->payload, &is_repeated);
    places->is_repeated |= is_repeated && naming == ABSENT_NAMED;
    return err == ERR_OK ? absent_forgive(places->txn, space, &place->payload, naming) : err;
}

/* Views without what is gone. */
static enum err forget_hide(struct forget_places *places)
{
    const struct forget_shown *shown = (const void *)places->shown.data;
    size_t count = places->shown.size / sizeof *shown;
    enum err err = buf_err(&places->own);

    if (err == ERR_OK && places->own.size > 0)
        err = undo_forget(places->txn, (const struct undo_place *)(const void *)places->own.data,
                          places->own.size / sizeof(struct undo_place));
    for (size_t at = 0; err == ERR_OK && at < count; at++)
        if (at == 0 || shown[at].kind != shown[at - 1].kind ||
            !id_is_equal(&shown[at].object, &shown[at - 1].object))
            err = follow_prune(places->txn, places->space, shown[at].kind, &shown[at].object);
    if (err == ERR_OK && places->is_repeated)
        err = follow_demand_again(places->txn, places->space->number);
    return err;
}

bool forget_names_original(const struct snapshot *snapshot, uint32_t space, const struct edit *edit)
{
    return edit->has_original && !edit->original.has_place && edit->kind != KIND_FORGET &&
           absent_naming_of(snapshot, space, &edit->original.entry_hash) == ABSENT_NAMED;
}

/* PROTOCOL FORGET-4: "A device that holds what repeats an entry that is named, in a space it
 * writes, forgets that too: at once where it wrote it, a day later where another did." */
static enum err forget_plan(struct ledger_txn *txn, const struct space_row *space,
                            const struct entry_row *entry)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint64_t due_ms = AGENDA_NOW;
    struct log_row log;
    uint8_t name[8];
    enum err err = space->is_mine ? ledger_log_numbered(&snapshot, entry->log, &log) : ERR_OK;

    if (err != ERR_OK || !space->is_mine)
        return err;
    if (!public_key_is_equal(&log.device, ledger_device(txn->ledger)))
        due_ms = txn->now_ms + RUNNING_DAY_MS;
    be64_put(name, entry->arrival);
    return agenda_put(txn, due_ms, KIND_FORGET, span_of(name, sizeof name));
}

enum err forget_is_named(struct ledger_txn *txn, const struct space_row *space,
                         const struct entry_row *entry, const struct hash *payload,
                         const struct edit *edit, bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum absent_naming naming = absent_naming_of(&snapshot, space->number, payload);

    *out = false;
    if (edit->kind == KIND_FORGET)
        return naming == ABSENT_NAMED ? absent_forgive(txn, space->number, payload, ABSENT_STAYS)
                                      : ERR_OK;
    *out = naming == ABSENT_NAMED;
    if (*out)
        return absent_drop(txn, entry->arrival);
    *out = forget_names_original(&snapshot, space->number, edit);
    return *out ? forget_plan(txn, space, entry) : ERR_OK;
}

enum err forget_written(struct ledger_txn *txn, const struct space_row *space,
                        const struct edit *edit)
{
    const struct space_row about = *space; /* Follow may turn to another space. */
    struct forget_places places = {.txn = txn, .space = &about};
    struct buf list = {0};
    enum err err = ERR_OK;

    for (size_t at = 0; at < edit->writes_count; at++)
        if (edit->writes[at].op == WRITE_SET && edit->writes[at].field == FORGET_PLACES) {
            buf_clear(&list); /* What an entry says last counts in merging, too. */
            buf_append(&list, edit->writes[at].value.bytes);
        }
    err = buf_err(&list);
    if (err == ERR_OK && list.size > 0)
        err = forget_each_place(buf_span(&list), forget_on_place, &places);
    if (err == ERR_OK)
        err = forget_hide(&places);
    forget_entry_release(&places.entry);
    buf_release(&list);
    buf_release(&places.own);
    buf_release(&places.shown);
    return err == ERR_MALFORMED ? ERR_OK : err;
}
