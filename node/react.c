/* One table says who looks at what. A name of a kind nobody looks at any more is dropped. */
#include "node/react.h"

#include "node/endorse.h"
#include "node/introduction.h"
#include "node/want.h"
#include "storage/agenda.h"
#include "storage/expiry.h"
#include "storage/follow.h"
#include "storage/restate.h"
#include "storage/space.h"

/* Answers one transaction may give: a flood of facts is answered in several, none of them long. */
enum { REACT_ITEMS_MAX = 512 };

struct reactor {
    uint8_t kind;
    react_fn look;
};

static const struct reactor reactors[] = {
    {KIND_SPACE, space_tend},
    {KIND_KNOCK, space_tend_knock},
    {KIND_ENDORSEMENT, endorse_look},
    {KIND_ENDORSEMENT_WANT, want_look},
    {KIND_INTRODUCTION, introduction_look},
    {KIND_RESTATEMENT, restate_tend},
    {KIND_EXPIRY, expiry_tend},
    {0, NULL},
};

static enum err react_one(struct ledger_txn *txn, const struct agenda_item *item)
{
    for (size_t at = 0; reactors[at].look != NULL; at++)
        if (reactors[at].kind == item->kind)
            return reactors[at].look(txn, span_of(item->name, item->name_size));
    return ERR_OK;
}

enum err react_all(struct ledger_txn *txn)
{
    struct agenda_item item;
    enum err err = ledger_follow(txn);

    for (size_t count = 0; err == ERR_OK && count < REACT_ITEMS_MAX; count++) {
        if (follow_txn_is_behind(txn))
            return ERR_OK;
        err = agenda_take(txn, ledger_txn_now_ms(txn), &item);
        if (err == ERR_NOT_FOUND)
            return ERR_OK;
        if (err == ERR_OK)
            err = react_one(txn, &item);
        if (err == ERR_OK)
            err = ledger_follow(txn);
    }
    return err;
}

bool react_is_due(struct ledger *ledger, uint64_t wall_ms)
{
    uint64_t due_ms = UINT64_MAX;
    struct snapshot snapshot;
    bool is_due;

    if (ledger_snapshot(ledger, &snapshot) != ERR_OK)
        return false;
    is_due = agenda_next(&snapshot, &due_ms) == ERR_OK && due_ms <= wall_ms;
    ledger_snapshot_end(&snapshot);
    return is_due && !follow_is_behind(ledger);
}
