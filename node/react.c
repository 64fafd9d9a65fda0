/* One table says who looks at what. A name of a kind nobody looks at any more is dropped. */
#include "node/react.h"

#include "node/ask.h"
#include "node/carry.h"
#include "node/endorse.h"
#include "node/introduction.h"
#include "node/share.h"
#include "node/want.h"
#include "storage/agenda.h"
#include "storage/dropped.h"
#include "storage/expiry.h"
#include "storage/follow.h"
#include "storage/forget.h"
#include "storage/heal.h"
#include "storage/join.h"
#include "storage/restate.h"
#include "storage/retire_table.h"
#include "storage/space.h"
#include "storage/standing.h"

/* Answers one transaction may give: a flood of facts is answered in several, none of them long. */
enum { REACT_ITEMS_MAX = 512 };

struct reactor {
    uint8_t kind;
    react_fn look;
};

static const struct reactor reactors[] = {
    {KIND_LINK, space_tend_known},
    {KIND_KEY, space_tend_keys},
    {KIND_REACH, space_tend_reach},
    {KIND_CERTIFICATE, space_tend_certificates},
    {KIND_RETIRE, retire_table_hear},
    {KIND_KEEP, heal_tend},
    {KIND_SPACE, space_tend},
    {KIND_GRANT, space_tend_granted},
    {KIND_KNOCK, space_tend_knock},
    {KIND_ENDORSEMENT, endorse_look},
    {KIND_ENDORSEMENT_WANT, want_look},
    {KIND_INTRODUCTION, introduction_look},
    {KIND_ASK, ask_look},
    {KIND_PASS, ask_look_route},
    {KIND_REPLY, carry_look},
    {KIND_SHARE, share_look},
    {KIND_RESTATEMENT, restate_tend},
    {KIND_EXPIRY, expiry_tend},
    {KIND_FORGET, forget_tend},
    {KIND_DROPPED, dropped_look},
    {0, NULL},
};

static enum err react_one(struct ledger_txn *txn, const struct agenda_item *item)
{
    for (size_t at = 0; reactors[at].look != NULL; at++)
        if (reactors[at].kind == item->kind)
            return reactors[at].look(txn, span_of(item->name, item->name_size));
    return ERR_OK;
}

/* A device that may not write yet still looks at what it has come to know. */
static enum err react_take(struct ledger_txn *txn, struct agenda_item *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool is_joining;
    enum err err = join_is_pending(&snapshot, &is_joining);

    if (err != ERR_OK)
        return err;
    return is_joining ? agenda_take_kind(txn, KIND_LINK, out)
                      : agenda_take(txn, ledger_txn_now_ms(txn), out);
}

/* PROTOCOL STOLEN-11: "A device that learns that it is shut out itself opens no epoch, draws no
 * knock, and answers nothing by itself any more" */
static enum err react_is_out(struct ledger_txn *txn, bool *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum standing standing;
    enum err err = standing_of(&snapshot, ledger_device(snapshot.ledger), &standing);

    *out = err == ERR_OK && standing_is_out(standing);
    return *out ? heal_note_out(txn, standing) : err;
}

/* How devices stand is looked at by whoever is shut out, too: it may not be, after all. */
static bool react_is_about_devices(const struct agenda_item *item)
{
    return item->name_size == sizeof(struct public_key) &&
           (item->kind == KIND_CERTIFICATE || item->kind == KIND_RETIRE);
}

enum err react_all(struct ledger_txn *txn)
{
    struct agenda_item item;
    bool is_out = false;
    enum err err = ledger_follow(txn);

    if (err == ERR_OK)
        err = react_is_out(txn, &is_out);

    for (size_t count = 0; err == ERR_OK && count < REACT_ITEMS_MAX; count++) {
        if (follow_txn_is_behind(txn))
            return ERR_OK;
        err = react_take(txn, &item);
        if (err == ERR_NOT_FOUND)
            return ERR_OK;
        if (err == ERR_OK && (!is_out || react_is_about_devices(&item)))
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
    bool is_due, is_joining = false, has_link = false;

    if (ledger_snapshot(ledger, &snapshot) != ERR_OK)
        return false;
    is_due = join_is_pending(&snapshot, &is_joining) == ERR_OK &&
             agenda_has_kind(&snapshot, KIND_LINK, &has_link) == ERR_OK &&
             agenda_next(&snapshot, &due_ms) == ERR_OK && due_ms <= wall_ms &&
             (!is_joining || has_link);
    ledger_snapshot_end(&snapshot);
    return is_due && !follow_is_behind(ledger);
}
