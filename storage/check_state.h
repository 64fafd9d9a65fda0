/* What the files of the check share; only they include it. */
#ifndef KITH_STORAGE_CHECK_STATE_H
#define KITH_STORAGE_CHECK_STATE_H

#include "storage/check.h"
#include "storage/ledger_state.h"

void check_note(struct check_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* ERR_NOMEM and ERR_IO end the look; the rest is what it is about. */
bool check_is_fatal(enum err err);
/* What a walk over a table does with each key; its answer is the walk's end unless it is ERR_OK or
 * says damage. */
typedef enum err (*check_fn)(const struct snapshot *snapshot, const struct key *key);
MUST_USE enum err check_table(const struct snapshot *snapshot, enum table table, check_fn look,
                              const char *what, struct check_report *report);

/* check_views.c: lists lead to what they were made of. */
MUST_USE enum err check_views(const struct snapshot *snapshot,
                              const struct ledger_counters *counters, struct check_report *report);
/* check_returns.c: what logs do not follow, and why. Counts the entries it finds. */
MUST_USE enum err check_returns(const struct snapshot *snapshot, struct check_report *report);
/* check_forgets.c */
MUST_USE enum err check_forgets(const struct snapshot *snapshot,
                                const struct ledger_counters *counters,
                                struct check_report *report);

#endif
