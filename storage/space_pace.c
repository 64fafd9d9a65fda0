/* How soon an epoch may be opened again that another device has opened one over. */
#include "proto/limits.h"
#include "storage/ledger_state.h"
#include "storage/running.h"
#include "storage/space_state.h"

struct space_paced {
    uint64_t now_ms, newest_ms; /* running time */
    unsigned count;             /* opened here within a day, for exactly today's readers */
};

static enum err space_pace_look(struct space_look *look, struct space_epoch *epoch,
                                struct space_paced *paced)
{
    const struct snapshot *snapshot = look->snapshot;
    struct epoch_row row;
    struct log_row log;
    enum err err = epoch_table_get(snapshot, &epoch->id, &row);

    if (err != ERR_OK || row.log == 0 || paced->now_ms >= row.heard_ms + RUNNING_DAY_MS)
        return err;
    err = ledger_log_numbered(snapshot, row.log, &log);
    if (err != ERR_OK || !public_key_is_equal(&log.device, ledger_device(snapshot->ledger)))
        return err;
    err = space_judge(look, epoch);
    if (err != ERR_OK || !epoch->is_exact)
        return err;
    paced->count++;
    paced->newest_ms = row.heard_ms > paced->newest_ms ? row.heard_ms : paced->newest_ms;
    return ERR_OK;
}

/* PROTOCOL EPOCH-11: "An epoch of the self space that is opened for nothing else than that somebody
 * lacks the one to write under waits where the device opened one for exactly the same readers
 * within a day: SPACE_LACK_MS after the last of them, twice as long for each further one, at most a
 * day." */
enum err space_pace(struct space_look *look, uint64_t *out_wait_ms)
{
    struct space_paced paced = {.count = 0};
    uint64_t span_ms = SPACE_LACK_MS;
    enum err err = running_ms(look->snapshot, &paced.now_ms);

    for (size_t at = 0; err == ERR_OK && at < look->count; at++)
        err = space_pace_look(look, &look->epochs[at], &paced);
    *out_wait_ms = 0;
    if (err != ERR_OK || paced.count == 0)
        return err;
    for (unsigned at = 1; at < paced.count && span_ms < RUNNING_DAY_MS; at++)
        span_ms *= 2;
    span_ms = span_ms < RUNNING_DAY_MS ? span_ms : RUNNING_DAY_MS;
    if (paced.now_ms < paced.newest_ms + span_ms)
        *out_wait_ms = paced.newest_ms + span_ms - paced.now_ms;
    return ERR_OK;
}
