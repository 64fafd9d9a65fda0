/* What logs hold of what was said of devices, as far as those logs count here. */
#include "crypto/secret.h"
#include "proto/card.h"
#include "proto/statement.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/standing.h"

/* Has this log written here? */
static bool standing_has_touched(const struct object *object, uint32_t log)
{
    for (size_t at = 0; at < object->touched_count; at++)
        if (object->touched[at].log == log)
            return true;
    for (size_t at = 0; at < object->apart_count; at++)
        if (object->apart[at].log == log)
            return true;
    return false;
}

enum err standing_is_told(const struct snapshot *snapshot, const struct public_key *member,
                          const struct standing_word *word, bool *out)
{
    struct object object = {0};
    struct log_id by = {.device = *word->signer};
    struct space_row card;
    struct log_row log;
    struct id id;
    uint32_t number;
    enum err err = word->space != NULL ? ERR_OK : view_peer_card(snapshot, member, &card);

    *out = false;
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    by.space = word->space != NULL ? word->space->id : card.id;
    statement_id(word->statement, &id);
    err = ledger_log(snapshot, &by, &log);
    if (err == ERR_OK)
        err = row_get(snapshot, &by.space, word->kind, &id, &object, &number);
    if (err == ERR_OK)
        *out = standing_has_touched(&object, log.number) &&
               span_is_equal(object_value(&object, KIND_STATEMENT_FIELD).bytes, word->statement);
    object_release(&object);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Certificates. */

struct standing_told {
    const struct snapshot *snapshot;
    standing_told_fn each;
    void *self;
};

/* The first place that wrote it says whose log it is in, whoever repeated it. */
static enum err standing_tell_edit(const struct standing_told *told, const struct edit *edit,
                                   const struct public_key *device)
{
    const struct public_key *writer = edit->has_original ? &edit->original.device : device;
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < edit->writes_count; at++) {
        const struct write *write = &edit->writes[at];

        if (write->op == WRITE_SET && write->field == CERTIFICATE_STATEMENT &&
            write->value.type == VALUE_BYTES)
            err = told->each(told->self, writer, write->value.bytes);
    }
    return err;
}

static enum err standing_tell_entry(const struct standing_told *told, uint64_t arrival)
{
    struct edit_space edit = {0};
    struct buf plain = {0};
    struct entry_row row;
    struct log_row log;
    enum err err = ledger_entry(told->snapshot, arrival, &row);

    if (err == ERR_OK)
        err = ledger_log_numbered(told->snapshot, row.log, &log);
    if (err == ERR_OK)
        err = ledger_open_entry(told->snapshot, &row, &plain);
    if (err == ERR_OK)
        err = edit_read(&edit, buf_span(&plain));
    if (err == ERR_OK)
        err = standing_tell_edit(told, &edit.edit, &log.device);
    edit_release(&edit);
    buf_release(&plain);
    return err == ERR_NOT_FOUND ? ERR_OK : err; /* Its payload is gone; somebody repeats it. */
}

enum err standing_each_told(const struct snapshot *snapshot, const struct standing_device *of,
                            const struct object *shown, standing_told_fn each, void *self)
{
    const struct standing_told told = {.snapshot = snapshot, .each = each, .self = self};
    struct object read = {0};
    struct space_row card;
    struct id object;
    uint32_t number;
    enum err err = view_peer_card(snapshot, of->member, &card);

    id_about("kith device", of->device, &object);
    if (err == ERR_OK && shown == NULL)
        err = row_get(snapshot, &card.id, KIND_CERTIFICATE, &object, &read, &number);
    shown = shown != NULL ? shown : &read;
    for (size_t at = shown->edits_count; err == ERR_OK && at > 0; at--)
        err = standing_tell_entry(&told, shown->edits[at - 1]);
    object_release(&read);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

struct standing_search {
    const struct public_key *certifier;
    struct span statement;
    bool is_found;
};

static enum err standing_on_told(void *self, const struct public_key *writer, struct span statement)
{
    struct standing_search *search = self;

    search->is_found = public_key_is_equal(writer, search->certifier) &&
                       span_is_equal(statement, search->statement);
    return search->is_found ? ERR_CANCELLED : ERR_OK;
}

/* PROTOCOL STOLEN-2: "A certificate by a stolen device counts where that device's log in the card
 * space holds it, as far as the log counts; otherwise the device it is for is void, and so is
 * whoever that one certified." */
enum err standing_was_told(const struct snapshot *snapshot,
                           const struct standing_certified *certified, const struct object *shown,
                           bool *out)
{
    const struct standing_device of = {.member = certified->member, .device = certified->device};
    struct standing_search search = {.certifier = certified->certifier,
                                     .statement = certified->statement};
    enum err err = standing_each_told(snapshot, &of, shown, standing_on_told, &search);

    *out = search.is_found;
    return err == ERR_CANCELLED ? ERR_OK : err;
}

enum err standing_is_whole(const struct snapshot *snapshot, const struct public_key *member,
                           const struct public_key *device, bool *out)
{
    uint8_t *key = secret_new(KEY_SIZE);
    struct log_id id = {.device = *device};
    struct log_row log = {0};
    struct space_row card;
    enum err err = key != NULL ? view_peer_card(snapshot, member, &card) : ERR_NOMEM;

    *out = false;
    if (err == ERR_OK)
        id.space = card.id;
    if (err == ERR_OK)
        err = keep_is_met(snapshot, &card, device, out);
    if (err == ERR_OK && *out)
        err = ledger_log(snapshot, &id, &log);
    for (uint32_t index = 1; err == ERR_OK && *out && index <= log.epochs_count; index++) {
        struct hash epoch;

        err = epoch_table_of_log(snapshot, log.number, index, &epoch);
        if (err == ERR_OK)
            err = epoch_table_key(snapshot, &epoch, key);
        *out = err != ERR_KEY_MISSING;
    }
    secret_free(key);
    return err == ERR_NOT_FOUND || err == ERR_KEY_MISSING ? ERR_OK : err;
}
