/* Every log from its beginning: the chain recomputed from the entries must meet each signed head.
 */
#include "storage/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "storage/check_state.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/standing.h"
#include "storage/view_ask.h"
#include "storage/view_claim.h"
#include "storage/view_contact.h"
#include "storage/view_peer.h"
#include "storage/view_restate.h"
#include "storage/view_search.h"
#include "storage/writer_table.h"

void check_note(struct check_report *report, const char *format, ...)
{
    va_list arguments;

    report->damaged++;
    if (report->first[0] != '\0')
        return;
    va_start(arguments, format);
    (void)vsnprintf(report->first, sizeof report->first, format,
                    arguments); /* Cut when too long. */
    va_end(arguments);
}

bool check_is_fatal(enum err err)
{
    return err == ERR_NOMEM || err == ERR_IO;
}

static void check_head(struct check_report *report, const struct log_id *id,
                       const struct chain *chain, const uint8_t signature[static SIGNATURE_SIZE])
{
    struct head head = {.size = chain->size, .hash = chain->hash};

    memcpy(head.signature, signature, SIGNATURE_SIZE);
    report->heads++;
    if (head_verify(id, &head) != ERR_OK)
        check_note(report, "a head does not fit its log at entry %llu",
                   (unsigned long long)chain->size);
}

/* What came or was left without its payload stands in the list of those. */
static enum err check_lacking(const struct snapshot *snapshot, uint32_t log, uint64_t seq,
                              struct check_report *report)
{
    struct span value;
    struct key key;
    enum err err;

    key_of_u32(log, &key);
    key_add_u64(&key, seq);
    err = ledger_get(snapshot, TABLE_ABSENT, &key, &value);
    if (err == ERR_NOT_FOUND)
        check_note(report, "entry %llu of a log lacks its payload, and nothing says so",
                   (unsigned long long)seq);
    return check_is_fatal(err) ? err : ERR_OK;
}

static enum err check_log(const struct snapshot *snapshot, const struct log_row *log,
                          struct check_report *report)
{
    struct space_row space;
    struct log_id id = {.device = log->device};
    struct chain chain;
    uint64_t payload_bytes = 0;
    enum err err = ledger_space_numbered(snapshot, log->space, &space);

    if (err != ERR_OK) {
        check_note(report, "a log without its space");
        return check_is_fatal(err) ? err : ERR_OK;
    }
    id.space = space.id;
    err = ledger_chain_at(snapshot, log, &id, log->start, &chain);
    if (err != ERR_OK) {
        check_note(report, "a log does not begin where it says");
        return check_is_fatal(err) ? err : ERR_OK;
    }
    while (chain.size < log->tip.size) {
        struct entry_row entry;
        struct head head;

        err = ledger_entry_at(snapshot, log->number, chain.size + 1, &entry);
        if (err != ERR_OK) {
            check_note(report, "entry %llu of a log is missing",
                       (unsigned long long)chain.size + 1);
            return check_is_fatal(err) ? err : ERR_OK;
        }
        report->entries++;
        if (entry.entry.payload.size > 0)
            entry_hash_payload(&entry.entry);
        else
            err = check_lacking(snapshot, log->number, entry.seq, report);
        if (err != ERR_OK)
            return err;
        payload_bytes += entry.entry.header.payload_size;
        if (!chain_extend(&chain, &entry.entry.header))
            continue;
        err = log_table_head(snapshot, log->number, chain.size, &head);
        if (err != ERR_OK)
            check_note(report, "a block's head is missing");
        else if (memcmp(head.hash.bytes, chain.hash.bytes, HASH_SIZE) != 0)
            check_note(report, "a block's head has another hash than its log");
        else
            check_head(report, &id, &chain, head.signature);
    }
    if (memcmp(chain.hash.bytes, log->tip.hash.bytes, HASH_SIZE) != 0)
        check_note(report, "the entries of a log do not lead to its tip");
    else if (chain.size > 0)
        check_head(report, &id, &chain, log->head_signature);
    if (payload_bytes != log->payload_bytes)
        check_note(report, "the entries of a log have not the size it says");
    return ERR_OK;
}

static enum err check_logs(const struct snapshot *snapshot, const struct ledger_counters *counters,
                           struct check_report *report)
{
    for (uint32_t number = 1; number <= counters->logs; number++) {
        struct log_row log;
        enum err err = ledger_log_numbered(snapshot, number, &log);

        if (err == ERR_OK) {
            report->logs++;
            err = check_log(snapshot, &log, report);
        } else {
            check_note(report, "a log's row is damaged");
        }
        if (check_is_fatal(err))
            return err;
    }
    return ERR_OK;
}

/* Spaces, and the index that finds them by id. */
static enum err check_spaces(const struct snapshot *snapshot,
                             const struct ledger_counters *counters, struct check_report *report)
{
    for (uint32_t number = 1; number <= counters->spaces; number++) {
        struct space_row space, found;
        enum err err = ledger_space_numbered(snapshot, number, &space);

        if (err == ERR_OK)
            err = ledger_space(snapshot, &space.id, &found);
        if (check_is_fatal(err))
            return err;
        if (err != ERR_OK || found.number != number)
            check_note(report, "a space's row is damaged");
    }
    return ERR_OK;
}

static enum err check_epoch(const struct snapshot *snapshot, const struct key *key)
{
    struct epoch_row row;
    struct hash id;

    if (key->size != HASH_SIZE)
        return ERR_CORRUPT;
    memcpy(id.bytes, key->bytes, HASH_SIZE);
    return epoch_table_get(snapshot, &id, &row);
}

static enum err check_delivered(const struct snapshot *snapshot, const struct key *key)
{
    struct span value;

    return ledger_get_sealed(snapshot, TABLE_DELIVERED, key, &value);
}

/* The epochs listed for a space are known, and of that space. */
static enum err check_space_epoch(const struct snapshot *snapshot, const struct key *key)
{
    struct epoch_row row;
    struct hash id;
    enum err err;

    if (key->size != 4 + HASH_SIZE)
        return ERR_CORRUPT;
    memcpy(id.bytes, key->bytes + 4, HASH_SIZE);
    err = epoch_table_get(snapshot, &id, &row);
    return err == ERR_OK && (!row.is_known || row.space != be32(key->bytes)) ? ERR_CORRUPT : err;
}

static enum err check_restate(const struct snapshot *snapshot, const struct key *key)
{
    struct view_restate *restate = heap_new(sizeof *restate);
    struct epoch_row epoch;
    struct log_row log;
    enum err err = restate == NULL ? ERR_NOMEM : key->size != 4 ? ERR_CORRUPT : ERR_OK;

    if (err == ERR_OK)
        err = view_restate_load(snapshot, be32(key->bytes), restate);
    if (err == ERR_OK)
        err = epoch_table_get(snapshot, &restate->epoch, &epoch);
    if (err == ERR_OK)
        err = ledger_log_numbered(snapshot, restate->log, &log);
    if (err == ERR_OK && (epoch.epoch.depth != restate->depth || log.space != be32(key->bytes) ||
                          log.tip.size < restate->end))
        err = ERR_CORRUPT;
    heap_free(restate);
    return err;
}

static enum err check_network_in(const struct snapshot *snapshot, const struct key *key)
{
    struct public_key writer;
    struct space_row space;
    enum err err;

    if (key->size != 32)
        return ERR_CORRUPT;
    memcpy(writer.bytes, key->bytes, 32);
    err = view_peer_network(snapshot, &writer, &space);
    return err == ERR_OK &&
                   (space.kind != SPACE_NETWORK || !public_key_is_equal(&space.writer, &writer))
               ? ERR_CORRUPT
               : err;
}

/* The row an object's name leads to bears that name. */
static enum err check_object_id(const struct snapshot *snapshot, const struct key *key)
{
    struct object object = {0};
    struct span value;
    uint32_t space;
    enum err err = ledger_get(snapshot, TABLE_OBJECT_ID, key, &value);

    if (err == ERR_OK && (key->size != 5 + ID_SIZE || value.size != 4))
        err = ERR_CORRUPT;
    if (err == ERR_OK)
        err = row_load(snapshot, be32(value.data), &object, &space);
    if (err == ERR_OK && (be32(key->bytes) != space || key->bytes[4] != object.kind ||
                          memcmp(key->bytes + 5, object.id.bytes, ID_SIZE) != 0))
        err = ERR_CORRUPT;
    object_release(&object);
    return err;
}

enum err check_table(const struct snapshot *snapshot, enum table table, check_fn look,
                     const char *what, struct check_report *report)
{
    struct kv_cursor *cursor;
    struct span at, value;
    struct key key;
    enum err err = kv_cursor_open(snapshot->kv, table, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, span_of(NULL, 0)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        enum err found;

        kv_cursor_at(cursor, &at, &value);
        key_of_bytes(at, &key);
        found = look(snapshot, &key);
        if (check_is_fatal(found)) {
            err = found;
            break;
        }
        if (found != ERR_OK)
            check_note(report, "%s", what);
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Objects by number; out_contacts counts those that a list of contacts must show. */
static enum err check_objects(const struct snapshot *snapshot,
                              const struct ledger_counters *counters, struct check_report *report,
                              uint64_t *out_contacts)
{
    *out_contacts = 0;
    for (uint32_t number = 1; number <= counters->objects; number++) {
        struct object object = {0};
        uint32_t space;
        enum err err = row_load(snapshot, number, &object, &space);

        if (err == ERR_OK) {
            report->objects++;
            *out_contacts += object.kind == KIND_CONTACT && object_is_visible(&object);
        } else if (!check_is_fatal(err)) {
            check_note(report,
                       "the row of an object is damaged: kith doctor --rebuild makes it again");
        }
        object_release(&object);
        if (check_is_fatal(err))
            return err;
    }
    return ERR_OK;
}

/* Tables that say the same must have the same number of rows. */
static enum err check_counts(const struct snapshot *snapshot,
                             const struct ledger_counters *counters, uint64_t contacts,
                             struct check_report *report)
{
    const struct {
        enum table table;
        uint64_t expected;
    } rows[] = {{TABLE_ENTRY, counters->arrival},     {TABLE_LOG, counters->logs},
                {TABLE_LOG_ID, counters->logs},       {TABLE_SPACE, counters->spaces},
                {TABLE_SPACE_ID, counters->spaces},   {TABLE_OBJECT, counters->objects},
                {TABLE_OBJECT_ID, counters->objects}, {TABLE_NAME, contacts}};

    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        uint64_t count, same = 0;
        enum err err = kv_count(snapshot->kv, rows[at].table, &count);

        if (err == ERR_OK && rows[at].table == TABLE_NAME)
            err = kv_count(snapshot->kv, TABLE_SAME, &same);
        if (err != ERR_OK)
            return err;
        count +=
            same / 2; /* Contacts shown as another one have two rows there, and no name here. */
        if (count != rows[at].expected)
            check_note(report, "table %s has %llu rows and should have %llu",
                       table_names[rows[at].table], (unsigned long long)count,
                       (unsigned long long)rows[at].expected);
    }
    return ERR_OK;
}

/* What became of asks stands in no entry. */
static enum err check_ask(const struct snapshot *snapshot, const struct key *key)
{
    struct ask_row row;
    struct id id;

    if (key->size != ID_SIZE)
        return ERR_CORRUPT;
    memcpy(id.bytes, key->bytes, ID_SIZE);
    return view_ask(snapshot, &id, &row);
}

static enum err check_ask_route(const struct snapshot *snapshot, const struct key *key)
{
    struct ask_route route;

    return view_ask_route_named(snapshot, key_span(key), &route);
}

static enum err check_ask_budget(const struct snapshot *snapshot, const struct key *key)
{
    struct public_key neighbour;
    struct ask_budget budget;

    if (key->size != 32)
        return ERR_CORRUPT;
    memcpy(neighbour.bytes, key->bytes, 32);
    return view_ask_budget(snapshot, &neighbour, 0, &budget);
}

static enum err check_asks(const struct snapshot *snapshot, struct check_report *out)
{
    enum err err =
        check_table(snapshot, TABLE_ASK, check_ask, "what became of an ask is damaged", out);

    if (err == ERR_OK)
        err = check_table(snapshot, TABLE_ASK_ROUTE, check_ask_route,
                          "the way an ask came is damaged", out);
    return err == ERR_OK ? check_table(snapshot, TABLE_ASK_BUDGET, check_ask_budget,
                                       "what a neighbour's asks have used up is damaged", out)
                         : err;
}

static enum err check_search(const struct snapshot *snapshot, struct check_report *out)
{
    enum err err = view_search_check(snapshot);

    if (err == ERR_CORRUPT)
        check_note(out, "the index of words is damaged: kith doctor --rebuild makes it again");
    return err == ERR_CORRUPT ? ERR_OK : err;
}

static enum err check_matches(const struct snapshot *snapshot, struct check_report *out)
{
    enum err err = view_contact_check(snapshot);

    if (err == ERR_CORRUPT)
        check_note(out, "the index of addresses is damaged: kith doctor --rebuild makes it again");
    return err == ERR_CORRUPT ? ERR_OK : err;
}

enum err check_store(const struct snapshot *snapshot, struct check_report *out)
{
    struct ledger_counters counters;
    uint64_t contacts = 0;
    enum err err = ledger_load_counters(snapshot, &counters);

    *out = (struct check_report){0};
    if (err == ERR_CORRUPT) {
        check_note(out, "the store's own counters are damaged");
        return ERR_OK;
    }
    if (err == ERR_OK)
        err = check_spaces(snapshot, &counters, out);
    if (err == ERR_OK)
        err = check_logs(snapshot, &counters, out);
    if (err == ERR_OK)
        err =
            check_table(snapshot, TABLE_EPOCH, check_epoch, "the row of an epoch is damaged", out);
    if (err == ERR_OK)
        err = check_table(snapshot, TABLE_DELIVERED, check_delivered,
                          "what a peer has stored is damaged", out);
    if (err == ERR_OK)
        err = check_table(snapshot, TABLE_SPACE_EPOCH, check_space_epoch,
                          "the list of a space's epochs is damaged", out);
    if (err == ERR_OK)
        err = check_table(snapshot, TABLE_RESTATE, check_restate,
                          "a restatement leads astray: kith doctor --rebuild makes it again", out);
    if (err == ERR_OK)
        err = check_table(snapshot, TABLE_NETWORK_IN, check_network_in,
                          "a peer's network space leads astray", out);
    if (err == ERR_OK)
        err = check_objects(snapshot, &counters, out, &contacts);
    if (err == ERR_OK)
        err =
            check_table(snapshot, TABLE_OBJECT_ID, check_object_id,
                        "an object's name leads astray: kith doctor --rebuild makes it again", out);
    if (err == ERR_OK)
        err = check_counts(snapshot, &counters, contacts, out);
    if (err == ERR_OK)
        err = check_views(snapshot, &counters, out);
    if (err == ERR_OK)
        err = check_asks(snapshot, out);
    if (err == ERR_OK)
        err = check_search(snapshot, out);
    if (err == ERR_OK)
        err = check_matches(snapshot, out);
    if (err == ERR_OK)
        err = check_returns(snapshot, out);
    if (err == ERR_OK)
        err = check_forgets(snapshot, &counters, out);
    if (err == ERR_OK && out->entries != counters.arrival)
        check_note(out, "%llu entries are there, %llu should be", (unsigned long long)out->entries,
                   (unsigned long long)counters.arrival);
    return err;
}

static enum err check_note_rebuild(struct ledger_txn *txn)
{
    uint8_t row[8];
    struct key key;

    be64_put(row, txn->counters.arrival);
    key_of_byte(META_REBUILT, &key);
    return ledger_put_sealed(txn, TABLE_META, &key, span_of(row, sizeof row));
}

enum err check_is_rebuilding(struct ledger_txn *txn, bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span row;
    struct key key;
    enum err err;

    key_of_byte(META_REBUILT, &key);
    err = ledger_get_sealed(&snapshot, TABLE_META, &key, &row);
    *out = err == ERR_OK && row.size == 8 && txn->counters.followed < be64(row.data);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err check_forget_views(struct ledger_txn *txn)
{
    static const enum table views[] = {
        TABLE_OBJECT,      TABLE_OBJECT_ID, TABLE_NAME,       TABLE_MATCH,       TABLE_PEER,
        TABLE_WAITING,     TABLE_TOKEN,     TABLE_NAME_ORDER, TABLE_CARD_OF,     TABLE_RESTATE,
        TABLE_SAME,        TABLE_FACT,      TABLE_WANT,       TABLE_INTERACTION, TABLE_RESTATED,
        TABLE_ENDORSEMENT, TABLE_ASK_GRANT, TABLE_SHARE,      TABLE_BROUGHT,     TABLE_THREAD,
        TABLE_ASK_THREAD,  TABLE_ORIGIN,    TABLE_FORGOTTEN};
    enum err err = ERR_OK;

    for (size_t at = 0; at < sizeof views / sizeof views[0] && err == ERR_OK; at++)
        err = ledger_clear(txn, views[at], span_of(NULL, 0));
    if (err == ERR_OK)
        err = writer_table_make(txn);
    if (err == ERR_OK)
        err = view_static_mend(txn);
    if (err == ERR_OK)
        err = standing_look_again(txn);
    if (err == ERR_OK)
        err = check_note_rebuild(txn);
    txn->counters.followed = 0;
    txn->counters.objects = 0;
    txn->counters.has_ready = false;
    txn->counters.views = LEDGER_VIEWS;
    txn->written++;
    return err;
}
