/* Forgets: all that one names is known, and none of it is there any more. */
#include "proto/forget.h"

#include "storage/absent.h"
#include "storage/check_state.h"
#include "storage/forget.h"

struct check_forgets {
    const struct snapshot *snapshot;
    struct check_report *report;
    struct forget_entry entry; /* at hand */
    struct log_row log;        /* of it */
    bool has_forgets;          /* its space */
};

static enum err check_place(void *self, const struct forget_place *place)
{
    const struct check_forgets *check = self;

    if (absent_naming_of(check->snapshot, check->log.space, &place->payload) == ABSENT_UNNAMED)
        check_note(check->report, "what was forgotten is not known: kith doctor --rebuild makes it "
                                  "known again");
    return ERR_OK;
}

static enum err check_forget(struct check_forgets *check)
{
    const struct edit *edit = &check->entry.edit.edit;
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < edit->writes_count; at++)
        if (edit->writes[at].op == WRITE_SET && edit->writes[at].field == FORGET_PLACES)
            err = forget_each_place(edit->writes[at].value.bytes, check_place, check);
    return err == ERR_MALFORMED ? ERR_OK : err;
}

static enum err check_log_of(struct check_forgets *check, uint32_t log)
{
    enum err err;

    if (check->log.number == log)
        return ERR_OK;
    err = ledger_log_numbered(check->snapshot, log, &check->log);
    return err == ERR_OK
               ? absent_has_forgiven(check->snapshot, check->log.space, &check->has_forgets)
               : err;
}

static enum err check_forgotten(struct check_forgets *check, uint64_t arrival)
{
    struct entry_row row;
    enum err err = ledger_entry(check->snapshot, arrival, &row);

    if (err == ERR_OK)
        err = check_log_of(check, row.log);
    if (err != ERR_OK || !check->has_forgets)
        return err;
    err = forget_read(check->snapshot, &row, &check->entry);
    if (err != ERR_OK)
        return err;
    if (check->entry.edit.edit.kind == KIND_FORGET)
        return check_forget(check);
    entry_hash_payload(&row.entry);
    if (absent_naming_of(check->snapshot, check->log.space, &row.entry.header.payload_hash) ==
        ABSENT_NAMED)
        check_note(check->report, "entry %llu of a log was forgotten, and is still there",
                   (unsigned long long)row.seq);
    return ERR_OK;
}

enum err check_forgets(const struct snapshot *snapshot, const struct ledger_counters *counters,
                       struct check_report *report)
{
    struct check_forgets check = {.snapshot = snapshot, .report = report};
    enum err err = ERR_OK;

    for (uint64_t arrival = 1; !check_is_fatal(err) && arrival <= counters->followed; arrival++)
        err = check_forgotten(&check, arrival); /* Other damage is told by those who look for it. */
    forget_entry_release(&check.entry);
    return check_is_fatal(err) ? err : ERR_OK;
}
