/* One row a neighbour. The bucket is the moment at which it is full again: each pass moves that on
 * by its share of a week. */
#include "storage/view_ask.h"

#include <string.h>

#include "storage/ledger_state.h"

enum { ASK_BUDGET_ROW = 8 + 4 + 8 + 4 * 4 };

static const uint64_t ask_budget_price_ms = 7 * MS_PER_DAY / ASK_BUCKET_WEEK;

static void ask_budget_key(const struct public_key *neighbour, struct key *out)
{
    key_of_bytes(span_of(neighbour->bytes, 32), out);
}

enum err view_ask_budget(const struct snapshot *snapshot, const struct public_key *neighbour,
                         uint64_t now_ms, struct ask_budget *out)
{
    uint64_t today = now_ms / MS_PER_DAY;
    struct span row;
    struct key key;
    enum err err;

    *out = (struct ask_budget){.neighbour = *neighbour, .day = today};
    ask_budget_key(neighbour, &key);
    err = ledger_get_sealed(snapshot, TABLE_ASK_BUDGET, &key, &row);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err == ERR_OK && row.size != ASK_BUDGET_ROW)
        err = ERR_CORRUPT;
    if (err != ERR_OK)
        return err;
    out->full_ms = be64(row.data);
    out->kept = be32(row.data + 8);
    out->ignored = be32(row.data + 20);
    if (be64(row.data + 12) != today)
        return ERR_OK;
    out->refused = be32(row.data + 24);
    out->shown = be32(row.data + 28);
    out->relayed = be32(row.data + 32);
    return ERR_OK;
}

enum err view_ask_budget_put(struct ledger_txn *txn, const struct ask_budget *budget)
{
    uint8_t row[ASK_BUDGET_ROW];
    struct key key;

    be64_put(row, budget->full_ms);
    be32_put(row + 8, budget->kept);
    be64_put(row + 12, budget->day);
    be32_put(row + 20, budget->ignored);
    be32_put(row + 24, budget->refused);
    be32_put(row + 28, budget->shown);
    be32_put(row + 32, budget->relayed);
    ask_budget_key(&budget->neighbour, &key);
    return ledger_put_sealed(txn, TABLE_ASK_BUDGET, &key, span_of(row, sizeof row));
}

bool view_ask_budget_take(struct ask_budget *budget, uint64_t now_ms)
{
    uint64_t latest_ms = now_ms + ASK_BUCKET * ask_budget_price_ms;

    if (budget->full_ms < now_ms)
        budget->full_ms = now_ms;
    if (budget->full_ms > latest_ms) /* The wall clock was set back. */
        budget->full_ms = latest_ms;
    if (budget->full_ms + ask_budget_price_ms > latest_ms)
        return false;
    budget->full_ms += ask_budget_price_ms;
    return true;
}
