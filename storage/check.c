/* Every log from its beginning: the chain recomputed from the entries must meet each signed head.
 */
#include "storage/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "storage/ledger_state.h"
#include "storage/row.h"

__attribute__((format(printf, 2, 3))) static void check_note(struct check_report *report,
                                                             const char *format, ...)
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

/* ERR_NOMEM and ERR_IO end the look; the rest is what it is about. */
static bool check_is_fatal(enum err err)
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

static enum err check_log(const struct snapshot *snapshot, const struct log_row *log,
                          struct check_report *report)
{
    struct space_row space;
    struct log_id id = {.device = log->device};
    struct chain chain;
    enum err err = ledger_space_numbered(snapshot, log->space, &space);

    if (err != ERR_OK) {
        check_note(report, "a log without its space");
        return check_is_fatal(err) ? err : ERR_OK;
    }
    id.space = space.id;
    chain_begin(&id, &chain);
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
        if (!chain_extend(&chain, &entry.entry.header))
            continue;
        err = log_table_head(snapshot, log->number, chain.size, &head);
        if (err == ERR_OK)
            check_head(report, &id, &chain, head.signature);
        else
            check_note(report, "a block's head is missing");
    }
    if (memcmp(chain.hash.bytes, log->tip.hash.bytes, HASH_SIZE) != 0)
        check_note(report, "the entries of a log do not lead to its tip");
    else if (chain.size > 0)
        check_head(report, &id, &chain, log->head_signature);
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

static enum err check_objects(const struct snapshot *snapshot,
                              const struct ledger_counters *counters, struct check_report *report)
{
    for (uint32_t number = 1; number <= counters->objects; number++) {
        struct object object = {0};
        uint32_t space;
        enum err err = row_load(snapshot, number, &object, &space);

        if (err == ERR_OK)
            report->objects++;
        else if (err != ERR_NOT_FOUND)
            check_note(report,
                       "the row of an object is damaged: kith doctor --rebuild makes it again");
        object_release(&object);
        if (check_is_fatal(err))
            return err;
    }
    return ERR_OK;
}

enum err check_store(const struct snapshot *snapshot, struct check_report *out)
{
    struct ledger_counters counters;
    enum err err = ledger_load_counters(snapshot, &counters);

    *out = (struct check_report){0};
    if (err == ERR_CORRUPT) {
        check_note(out, "the store's own counters are damaged");
        return ERR_OK;
    }
    if (err == ERR_OK)
        err = check_logs(snapshot, &counters, out);
    if (err == ERR_OK)
        err = check_objects(snapshot, &counters, out);
    if (err == ERR_OK && out->entries != counters.arrival)
        check_note(out, "%llu entries are there, %llu should be", (unsigned long long)out->entries,
                   (unsigned long long)counters.arrival);
    return err;
}

static enum err check_clear(struct ledger_txn *txn, enum table table)
{
    for (;;) {
        struct kv_cursor *cursor;
        struct span at, value;
        struct key key;
        enum err err = kv_cursor_open(txn->kv, table, &cursor);

        if (err != ERR_OK)
            return err;
        err = kv_cursor_seek(cursor, span_of(NULL, 0));
        if (err == ERR_OK) {
            kv_cursor_at(cursor, &at, &value);
            key_of_bytes(at, &key);
        }
        kv_cursor_close(cursor);
        if (err == ERR_OK)
            err = ledger_erase(txn, table, &key);
        if (err != ERR_OK)
            return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
}

enum err check_forget_views(struct ledger_txn *txn)
{
    static const enum table views[] = {TABLE_OBJECT, TABLE_OBJECT_ID, TABLE_NAME,
                                       TABLE_MATCH,  TABLE_PEER,      TABLE_WAITING};
    enum err err = ERR_OK;

    for (size_t at = 0; at < sizeof views / sizeof views[0] && err == ERR_OK; at++)
        err = check_clear(txn, views[at]);
    txn->counters.followed = 0;
    txn->counters.objects = 0;
    txn->counters.has_ready = false;
    txn->written++;
    return err;
}
