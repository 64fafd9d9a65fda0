/* What somebody else may have merged again, and how often. Each complete restatement makes a
 * space's objects from nothing: whoever writes many of them would keep the writer busy with all
 * that the space ever held. So would one whose devices' logs go another way again and again. */
#include <string.h>

#include "proto/limits.h"
#include "storage/agenda.h"
#include "storage/follow_state.h"

enum { FOLLOW_WAIT_MAX_MS = 3600 * 1000 };

static struct ledger_again *follow_wait_of(struct ledger_txn *txn)
{
    return &ledger_txn_snapshot(txn).ledger->again;
}

static uint64_t *follow_wait_until(struct ledger_again *again, uint32_t space)
{
    for (size_t at = 0; at < sizeof again->spaces / sizeof again->spaces[0]; at++)
        if (again->spaces[at].space == space)
            return &again->spaces[at].until_ms;
    return NULL;
}

void follow_wait_spent(struct ledger_txn *txn, uint32_t space, size_t count)
{
    struct ledger_again *again = follow_wait_of(txn);
    uint64_t *until_ms = follow_wait_until(again, space);
    uint64_t wait_ms = (uint64_t)count * RESTATE_ENTRY_MS;

    if (count <= RESTATE_FREE_MAX)
        return;
    if (until_ms == NULL) {
        again->spaces[again->next].space = space;
        until_ms = &again->spaces[again->next].until_ms;
        *until_ms = 0;
        again->next = (again->next + 1) % (sizeof again->spaces / sizeof again->spaces[0]);
    }
    if (wait_ms > FOLLOW_WAIT_MAX_MS)
        wait_ms = FOLLOW_WAIT_MAX_MS;
    if (*until_ms < again->now_ms + wait_ms)
        *until_ms = again->now_ms + wait_ms;
}

/* PROTOCOL RESTATE-10: "Where more than RESTATE_FREE_MAX entries of another member's space were
 * merged again, for a restatement or because a log there went another way, the next restatement
 * there is looked at, and the next such log merged, RESTATE_ENTRY_MS later for each of them." A
 * clock that went back makes nobody wait. */
enum err follow_wait_is_due(struct ledger_txn *txn, const struct space_row *space,
                            enum follow_waits what, bool *out)
{
    struct ledger_again *again = follow_wait_of(txn);
    const uint64_t *until_ms = follow_wait_until(again, space->number);
    uint8_t name[FOLLOW_AGAIN_NAME_SIZE] = {0};
    size_t size = what == FOLLOW_WAITS_SPACE ? sizeof name : ID_SIZE;

    *out = !space->is_mine && until_ms != NULL && again->now_ms < *until_ms &&
           *until_ms - again->now_ms <= FOLLOW_WAIT_MAX_MS;
    memcpy(name, space->id.bytes, ID_SIZE);
    return *out ? agenda_put(txn, *until_ms, KIND_RESTATEMENT, span_of(name, size)) : ERR_OK;
}

enum err follow_space_again(struct ledger_txn *txn, uint32_t space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row row;
    bool waits = false;
    enum err err = ledger_space_numbered(&snapshot, space, &row);

    if (err == ERR_OK)
        err = follow_wait_is_due(txn, &row, FOLLOW_WAITS_SPACE, &waits);
    return err == ERR_OK && !waits ? follow_demand_again(txn, space) : err;
}
