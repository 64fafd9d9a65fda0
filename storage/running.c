/* One row of the meta table. What was not written before a crash is lost: time passes too slowly
 * then, never too fast. */
#include "storage/running.h"

#include "storage/ledger_state.h"

enum { RUNNING_STEP_MS = 60 * 1000 }; /* written no oftener */

enum err running_ms(const struct snapshot *snapshot, uint64_t *out)
{
    struct span row;
    struct key key;
    enum err err;

    key_of_byte(META_RUNNING, &key);
    err = ledger_get_sealed(snapshot, TABLE_META, &key, &row);
    if (err == ERR_OK && row.size != 8)
        err = ERR_CORRUPT;
    *out = err == ERR_OK ? be64(row.data) : 0;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err running_advance(struct ledger_txn *txn, uint64_t machine_ms)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint64_t last = txn->ledger->machine_ms, total;
    uint8_t row[8];
    struct key key;
    enum err err;

    if (last == 0 || machine_ms < last) {
        txn->ledger->machine_ms = machine_ms;
        return ERR_OK;
    }
    if (machine_ms - last < RUNNING_STEP_MS)
        return ERR_OK;
    err = running_ms(&snapshot, &total);
    if (err != ERR_OK)
        return err;
    be64_put(row, total + (machine_ms - last));
    key_of_byte(META_RUNNING, &key);
    err = ledger_put_sealed(txn, TABLE_META, &key, span_of(row, sizeof row));
    if (err == ERR_OK)
        txn->ledger->machine_ms = machine_ms;
    return err;
}

enum err running_moment(struct ledger_txn *txn, struct moment *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);

    out->wall_ms = txn->now_ms;
    return running_ms(&snapshot, &out->running_ms);
}

/* PROTOCOL TIME-1: "The wall clock and the running time agree where both say that the span has
 * passed, or one says so and the other lacks at most a day." */
bool running_has_passed(const struct moment *since, const struct moment *now, uint64_t span_ms)
{
    uint64_t wall = now->wall_ms > since->wall_ms ? now->wall_ms - since->wall_ms : 0;
    uint64_t running =
        now->running_ms > since->running_ms ? now->running_ms - since->running_ms : 0;
    uint64_t less = wall < running ? wall : running, more = wall < running ? running : wall;

    return more >= span_ms && less + RUNNING_DAY_MS >= span_ms;
}
