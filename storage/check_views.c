/* Lists that are made of entries and of other rows: each row leads to what it was made of, and
 * where that is cheap the other way, too. */
#include <stdio.h>
#include <string.h>

#include "proto/card.h"
#include "proto/interaction.h"
#include "proto/link.h"
#include "proto/statement.h"
#include "storage/absent.h"
#include "storage/agenda.h"
#include "storage/check_state.h"
#include "storage/name_order.h"
#include "storage/origin_table.h"
#include "storage/row.h"
#include "storage/standing.h"
#include "storage/view_introduction_keep.h"
#include "storage/view_peer.h"

/* What a row leads to is not there: its damage. */
static enum err check_found(enum err err)
{
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

static enum err check_arrival(const struct snapshot *snapshot, struct span value,
                              struct entry_row *out)
{
    return value.size == 8 ? check_found(ledger_entry(snapshot, be64(value.data), out))
                           : ERR_CORRUPT;
}

/* Spaces by writer. */

static enum err check_writer(const struct snapshot *snapshot, const struct key *key)
{
    struct space_row space;
    enum err err = ERR_CORRUPT;

    if (key->size == 32 + 4)
        err = check_found(ledger_space_numbered(snapshot, be32(key->bytes + 32), &space));
    return err == ERR_OK && memcmp(space.writer.bytes, key->bytes, 32) != 0 ? ERR_CORRUPT : err;
}

/* Origins. */

struct check_place {
    const struct snapshot *snapshot;
    struct id space;
};

static enum err check_log_number(void *self, const struct public_key *device, uint32_t *out)
{
    const struct check_place *place = self;
    struct log_id id = {.space = place->space, .device = *device};
    struct log_row log;
    enum err err = ledger_log(place->snapshot, &id, &log);

    *out = log.number;
    return check_found(err);
}

static enum err check_origin_entry(const struct snapshot *snapshot, uint64_t arrival,
                                   struct edit_space *edit, struct buf *plain, struct origin *out)
{
    struct check_place place = {.snapshot = snapshot};
    struct object_context context = {.log_number = check_log_number, .self = &place};
    struct space_row space;
    struct entry_row row;
    struct log_row log;
    enum err err = ledger_entry(snapshot, arrival, &row);

    if (err == ERR_OK)
        err = ledger_log_numbered(snapshot, row.log, &log);
    if (err == ERR_OK)
        err = ledger_space_numbered(snapshot, log.space, &space);
    place.space = space.id;
    if (err != ERR_OK || row.entry.payload.size == 0)
        return err == ERR_OK ? ERR_KEY_MISSING : err;
    err = ledger_open_entry(snapshot, &row, plain);
    if (err == ERR_OK)
        err = edit_read(edit, buf_span(plain));
    if (err != ERR_OK)
        return err;
    entry_hash_payload(&row.entry);
    *out = (struct origin){.arrival = arrival,
                           .log = row.log,
                           .seq = row.seq,
                           .device = log.device,
                           .entry_hash = row.entry.header.payload_hash};
    return object_identify(&edit->edit, &context, out);
}

static bool check_is_origin(const struct origin *left, const struct origin *right)
{
    return left->log == right->log && left->seq == right->seq && left->time_ms == right->time_ms &&
           public_key_is_equal(&left->device, &right->device) &&
           memcmp(left->entry_hash.bytes, right->entry_hash.bytes, HASH_SIZE) == 0;
}

/* Of an entry whose payload is gone, or cannot be opened, nothing can be said. */
static enum err check_origin(const struct snapshot *snapshot, const struct key *key)
{
    struct origin held, made = {0};
    struct edit_space edit = {0};
    struct buf plain = {.is_secret = true};
    enum err err = ERR_CORRUPT;

    if (key->size == 8)
        err = origin_table_get(snapshot, be64(key->bytes), &held);
    if (err == ERR_OK)
        err = check_origin_entry(snapshot, be64(key->bytes), &edit, &plain, &made);
    if (err == ERR_OK && !check_is_origin(&held, &made))
        err = ERR_CORRUPT;
    edit_release(&edit);
    buf_release(&plain);
    return err == ERR_KEY_MISSING ? ERR_OK : check_found(err);
}

/* Links, cards, devices. */

static enum err check_object_of(const struct snapshot *snapshot, struct span value, uint8_t kind,
                                struct object *out, struct space_row *out_space)
{
    uint32_t number;
    enum err err = ERR_CORRUPT;

    if (value.size == 4)
        err = check_found(row_load(snapshot, be32(value.data), out, &number));
    if (err == ERR_OK)
        err = check_found(ledger_space_numbered(snapshot, number, out_space));
    return err == ERR_OK && out->kind != kind ? ERR_CORRUPT : err;
}

static enum err check_peer(const struct snapshot *snapshot, const struct key *key)
{
    struct object link = {0};
    struct space_row space;
    struct span value;
    enum err err = ledger_get(snapshot, TABLE_PEER, key, &value);

    if (err == ERR_OK)
        err = check_object_of(snapshot, value, KIND_LINK, &link, &space);
    if (err == ERR_OK && !span_is_equal(object_value(&link, LINK_MEMBER).bytes, key_span(key)))
        err = ERR_CORRUPT;
    object_release(&link);
    return check_found(err);
}

struct check_links {
    const struct snapshot *snapshot;
    struct check_report *report;
};

/* Every link is found by its member. */
static enum err check_on_link(void *self, uint32_t number, const struct object *link)
{
    struct check_links *links = self;
    struct span member = object_value(link, LINK_MEMBER).bytes, value;
    struct key key;
    enum err err;

    if (member.size != 32)
        return ERR_OK;
    key_of_bytes(member, &key);
    err = ledger_get(links->snapshot, TABLE_PEER, &key, &value);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && (value.size != 4 || be32(value.data) != number)))
        check_note(links->report,
                   "a link is not found by its member: kith doctor --rebuild makes the list again");
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err check_card_of(const struct snapshot *snapshot, const struct key *key)
{
    struct object card = {0};
    struct space_row space;
    struct span value;
    enum err err = ledger_get(snapshot, TABLE_CARD_OF, key, &value);

    if (err == ERR_OK)
        err = check_object_of(snapshot, key_span(key), KIND_CARD, &card, &space);
    if (err == ERR_OK && !span_is_equal(value, span_of(space.writer.bytes, 32)))
        err = ERR_CORRUPT;
    object_release(&card);
    return check_found(err);
}

static enum err check_static_key(const struct snapshot *snapshot, const struct key *key)
{
    struct device_row row;
    enum err err = ERR_CORRUPT;

    if (key->size == KEY_SIZE)
        err = check_found(view_device_by_static(snapshot, key->bytes, &row));
    return err == ERR_OK && memcmp(row.static_key, key->bytes, KEY_SIZE) != 0 ? ERR_CORRUPT : err;
}

static bool check_is_certified(const struct device_row *row, const struct certificate *by)
{
    return public_key_is_equal(&row->device, &by->device) &&
           public_key_is_equal(&row->member, &by->member) &&
           public_key_is_equal(&row->certifier, &by->certifier) &&
           memcmp(row->static_key, by->static_key, KEY_SIZE) == 0 &&
           memcmp(row->receiving_key, by->receiving_key, KEY_SIZE) == 0;
}

/* A device is what its certificate says, and is found by its handshake key. */
static enum err check_device(const struct snapshot *snapshot, const struct key *key)
{
    struct certificate certificate;
    struct device_row row, called;
    struct public_key device;
    struct span statement;
    enum err err = ERR_CORRUPT;

    if (key->size == sizeof device.bytes) {
        memcpy(device.bytes, key->bytes, sizeof device.bytes);
        err = check_found(view_device_stated(snapshot, &device, &row, &statement));
    }
    if (err == ERR_OK && statement.size > 0)
        err = certificate_read(statement, &certificate);
    if (err == ERR_OK && statement.size > 0 && !check_is_certified(&row, &certificate))
        err = ERR_CORRUPT;
    return err == ERR_OK ? check_found(view_device_by_static(snapshot, row.static_key, &called))
                         : err;
}

/* How a device stood last is how it stands, unless it is to be looked at still. */
static enum err check_certificate(const struct snapshot *snapshot, const struct key *key)
{
    struct public_key member, device;
    enum standing noted, now;
    bool is_due = false;
    enum err err;

    if (!standing_is_row(key, &member, &device))
        return ERR_OK;
    err = agenda_has_kind(snapshot, KIND_CERTIFICATE, &is_due);
    if (err == ERR_OK)
        err = standing_noted(snapshot, &member, &device, &noted);
    if (err == ERR_OK)
        err = standing_of(snapshot, &device, &now);
    return err == ERR_OK && !is_due && noted != now ? ERR_CORRUPT : err;
}

/* Epochs of logs, and entries that wait, lack their payload, or are over some day. */

static enum err check_log_epoch(const struct snapshot *snapshot, const struct key *key)
{
    struct entry_row entry;
    struct epoch epoch;
    struct hash id;
    struct log_row log;
    struct space_row space;
    struct log_id name;
    struct span row;
    enum err err = ledger_get(snapshot, TABLE_LOG_EPOCH, key, &row);

    if (err == ERR_OK && (key->size != 8 || (row.size != HASH_SIZE && row.size != HASH_SIZE + 8)))
        err = ERR_CORRUPT;
    if (err == ERR_OK)
        err = ledger_log_numbered(snapshot, be32(key->bytes), &log);
    if (err == ERR_OK)
        err = ledger_space_numbered(snapshot, log.space, &space);
    if (err != ERR_OK || row.size == HASH_SIZE)
        return check_found(err); /* An older program's, or from before a log's beginning. */
    memcpy(id.bytes, row.data, HASH_SIZE);
    name = (struct log_id){.space = space.id, .device = log.device};
    if (be64(row.data + HASH_SIZE) <= log.start)
        return ERR_OK;
    err = ledger_entry_at(snapshot, log.number, be64(row.data + HASH_SIZE), &entry);
    if (err == ERR_OK)
        err = epoch_read(&name, entry.entry.payload, &epoch);
    return err == ERR_OK && memcmp(epoch.id.bytes, id.bytes, HASH_SIZE) != 0 ? ERR_CORRUPT
                                                                             : check_found(err);
}

static enum err check_waiting(const struct snapshot *snapshot, const struct key *key)
{
    struct entry_row entry;

    return key->size == HASH_SIZE + 8
               ? check_arrival(snapshot, span_of(key->bytes + HASH_SIZE, 8), &entry)
               : ERR_CORRUPT;
}

static enum err check_absent(const struct snapshot *snapshot, const struct key *key)
{
    struct entry_row entry;
    struct span value;
    uint32_t size = 0;
    enum err err = ledger_get(snapshot, TABLE_ABSENT, key, &value);

    if (err == ERR_OK)
        err = key->size == 4 + 8 ? absent_read_size(value, &size) : ERR_CORRUPT;
    if (err == ERR_OK)
        err = ledger_entry_at(snapshot, be32(key->bytes), be64(key->bytes + 4), &entry);
    if (err == ERR_OK && (entry.entry.payload.size > 0 || entry.entry.header.payload_size != size))
        err = ERR_CORRUPT;
    return check_found(err);
}

static enum err check_expiry(const struct snapshot *snapshot, const struct key *key)
{
    struct entry_row entry;
    enum err err = ERR_CORRUPT;

    if (key->size == 16)
        err = check_arrival(snapshot, span_of(key->bytes + 8, 8), &entry);
    return err == ERR_OK && entry.entry.header.expires_at_s != be64(key->bytes) ? ERR_CORRUPT : err;
}

/* Contacts. */

/* Each of the two rows of a contact that is shown as another one has the other row. */
static enum err check_same(const struct snapshot *snapshot, const struct key *key)
{
    struct span value;
    struct key other;
    enum err err = ledger_get(snapshot, TABLE_SAME, key, &value);

    if (err == ERR_OK && key->size == 5 && key->bytes[0] == 0 && value.size == 4) {
        key_of_byte(1, &other);
        key_add_bytes(&other, value);
        key_add_bytes(&other, span_of(key->bytes + 1, 4));
        return check_found(ledger_get(snapshot, TABLE_SAME, &other, &value));
    }
    if (err != ERR_OK || key->size != 9 || key->bytes[0] != 1)
        return err == ERR_OK ? ERR_CORRUPT : err;
    key_of_byte(0, &other);
    key_add_bytes(&other, span_of(key->bytes + 5, 4));
    err = check_found(ledger_get(snapshot, TABLE_SAME, &other, &value));
    return err == ERR_OK && !span_is_equal(value, span_of(key->bytes + 1, 4)) ? ERR_CORRUPT : err;
}

static enum err check_interaction(const struct snapshot *snapshot, const struct key *key)
{
    struct object note = {0};
    struct space_row space;
    enum err err = ERR_CORRUPT;

    if (key->size == ID_SIZE + 8 + 4)
        err = check_object_of(snapshot, span_of(key->bytes + ID_SIZE + 8, 4), KIND_INTERACTION,
                              &note, &space);
    if (err == ERR_OK && (!span_is_equal(object_value(&note, INTERACTION_CONTACT).bytes,
                                         span_of(key->bytes, ID_SIZE)) ||
                          object_number(&note, INTERACTION_ON) != be64(key->bytes + ID_SIZE)))
        err = ERR_CORRUPT;
    object_release(&note);
    return err;
}

/* The column of name keys says the same as the index of names. */
static enum err check_name_order(const struct snapshot *snapshot, const struct key *key)
{
    struct name_order_reader reader = {.snapshot = snapshot};
    uint64_t name = 0;
    enum err err = ERR_CORRUPT;

    if (key->size >= 5)
        err = name_order_at(&reader, be32(key->bytes + key->size - 4), &name);
    return err == ERR_OK && name != name_order_key(span_of(key->bytes, key->size - 5)) ? ERR_CORRUPT
                                                                                       : err;
}

/* What others said of introductions: the row's name is the hash of what its entry says. */
static enum err check_said(const struct snapshot *snapshot, enum table table, const struct key *key)
{
    struct edit_space edit = {0};
    struct buf plain = {.is_secret = true};
    struct span value, bytes;
    struct entry_row entry;
    struct hash hash;
    enum err err = ledger_get(snapshot, table, key, &value);

    if (err == ERR_OK)
        err = key->size > 16 ? check_arrival(snapshot, value, &entry) : ERR_CORRUPT;
    if (err == ERR_OK)
        err = view_introduction_keep_open(snapshot, be64(value.data), &edit, &plain, &bytes);
    if (err == ERR_OK) {
        statement_hash(bytes, &hash);
        err = memcmp(hash.bytes, key->bytes + key->size - 16, 16) == 0 ? ERR_OK : ERR_CORRUPT;
    }
    edit_release(&edit);
    buf_release(&plain);
    return err == ERR_NOT_FOUND ? ERR_OK : err; /* Its time is over. */
}

static enum err check_fact(const struct snapshot *snapshot, const struct key *key)
{
    return check_said(snapshot, TABLE_FACT, key);
}

static enum err check_want(const struct snapshot *snapshot, const struct key *key)
{
    return check_said(snapshot, TABLE_WANT, key);
}

/* Where an entry is repeated. */
static enum err check_restated(const struct snapshot *snapshot, const struct key *key)
{
    struct entry_row entry;
    struct span value;
    enum err err = ledger_get(snapshot, TABLE_RESTATED, key, &value);

    if (err == ERR_OK)
        err = key->size == 4 + HASH_SIZE + 4 ? check_arrival(snapshot, value, &entry) : ERR_CORRUPT;
    return err == ERR_OK && entry.log != be32(key->bytes + 4 + HASH_SIZE) ? ERR_CORRUPT
                                                                          : check_found(err);
}

/* Rows that nothing could make again end in a keyed hash. */

static enum err check_introduction(const struct snapshot *snapshot, const struct key *key)
{
    struct span value;

    return ledger_get_sealed(snapshot, TABLE_INTRODUCTION, key, &value);
}

static enum err check_reply(const struct snapshot *snapshot, const struct key *key)
{
    struct span value;

    return ledger_get_sealed(snapshot, TABLE_REPLY, key, &value);
}

/* All of them. */

static enum err check_lists(const struct snapshot *snapshot, struct check_report *report)
{
    static const struct {
        enum table table;
        check_fn look;
        const char *what;
    } lists[] = {
        {TABLE_WRITER, check_writer, "the list of who writes which space leads astray"},
        {TABLE_ORIGIN, check_origin, "who wrote what holds a place is told wrongly"},
        {TABLE_PEER, check_peer, "the list of links leads astray"},
        {TABLE_CARD_OF, check_card_of, "the list of cards leads astray"},
        {TABLE_WAITING, check_waiting, "an entry that waits for its key is missing"},
        {TABLE_SAME, check_same, "the list of contacts that are the same leads astray"},
        {TABLE_INTERACTION, check_interaction, "the list of when you met leads astray"},
        {TABLE_NAME, check_name_order, "the column of names is not what the index says"},
        {TABLE_FACT, check_fact, "what was said of an introduction leads astray"},
        {TABLE_WANT, check_want, "who wants to meet whom leads astray"},
        {TABLE_RESTATED, check_restated, "where an entry is repeated leads astray"},
    };

    for (size_t at = 0; at < sizeof lists / sizeof lists[0]; at++) {
        char what[160];
        enum err err;

        (void)snprintf(what, sizeof what, "%s: kith doctor --rebuild makes it again",
                       lists[at].what);
        err = check_table(snapshot, lists[at].table, lists[at].look, what, report);
        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

static enum err check_decided(const struct snapshot *snapshot, struct check_report *report)
{
    static const struct {
        enum table table;
        check_fn look;
        const char *what;
    } tables[] = {
        {TABLE_STATIC_KEY, check_static_key, "the list of handshake keys leads astray"},
        {TABLE_DEVICE, check_device, "a device is not what its certificate says"},
        {TABLE_CERTIFICATE, check_certificate,
         "how a device stands is not what was said of it: kith doctor --rebuild looks again"},
        {TABLE_LOG_EPOCH, check_log_epoch, "the epoch of a log is not what its entry says"},
        {TABLE_ABSENT, check_absent, "the list of missing payloads leads astray"},
        {TABLE_EXPIRY, check_expiry, "the list of what ends some day leads astray"},
        {TABLE_INTRODUCTION, check_introduction, "what became of an introduction is damaged"},
        {TABLE_REPLY, check_reply, "what became of a letter is damaged"},
    };
    enum err err = ERR_OK;

    for (size_t at = 0; at < sizeof tables / sizeof tables[0] && err == ERR_OK; at++)
        err = check_table(snapshot, tables[at].table, tables[at].look, tables[at].what, report);
    return err;
}

enum err check_views(const struct snapshot *snapshot, const struct ledger_counters *counters,
                     struct check_report *report)
{
    struct check_links links = {.snapshot = snapshot, .report = report};
    uint64_t count = 0;
    enum err err = check_lists(snapshot, report);

    if (err == ERR_OK)
        err = check_decided(snapshot, report);
    if (err == ERR_OK)
        err = kv_count(snapshot->kv, TABLE_WRITER, &count);
    if (err == ERR_OK && count != counters->spaces)
        check_note(report,
                   "the list of who writes which space has %llu rows and should have %llu: kith "
                   "doctor --rebuild makes it again",
                   (unsigned long long)count, (unsigned long long)counters->spaces);
    if (err == ERR_OK)
        err = row_each(snapshot, ledger_self_space(snapshot->ledger), KIND_LINK, check_on_link,
                       &links);
    return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? ERR_OK : err;
}
