/* Which views are told of what: by kind. */
#include "storage/endorsement_table.h"
#include "storage/follow_state.h"
#include "storage/forget.h"
#include "storage/space.h"
#include "storage/view_ask.h"
#include "storage/view_contact.h"
#include "storage/view_interaction.h"
#include "storage/view_introduction.h"
#include "storage/view_peer.h"
#include "storage/view_reply.h"
#include "storage/view_same.h"
#include "storage/view_search.h"
#include "storage/view_share.h"
#include "storage/view_thread.h"

/* Another restatement counts now: what the space's objects are follows from it alone. */
static enum err follow_tell_restatement(struct ledger_txn *txn, const struct space_row *space,
                                        const struct object *after)
{
    bool is_new, waits;
    size_t looked;
    enum err err = follow_wait_is_due(txn, space, FOLLOW_WAITS_LOOK, &waits);

    if (err != ERR_OK || waits)
        return err;
    err = view_restate_look(txn, space, after, &is_new, &looked);
    follow_wait_spent(txn, space->number, looked);
    return err == ERR_OK && is_new ? follow_demand_again(txn, space->number) : err;
}

static enum err follow_tell_letter(struct ledger_txn *txn, const struct space_row *space,
                                   uint32_t number, const struct object *before,
                                   const struct object *after)
{
    enum err err =
        after->kind == KIND_LEAD ? view_thread_changed(txn, number, before, after) : ERR_OK;

    return err == ERR_OK ? view_reply_changed(txn, space, before, after) : err;
}

static enum err follow_tell_contact(struct ledger_txn *txn, const struct space_row *space,
                                    uint32_t number, const struct object *before,
                                    const struct object *after)
{
    enum err err = view_contact_changed(txn, number, before, after);

    if (err == ERR_OK)
        err = view_search_changed(txn, space, number, before, after);
    return err == ERR_OK ? view_same_changed(txn, number, before, after) : err;
}

/* The views of each kind, told what an object was and what it has become. */
enum err follow_tell(struct ledger_txn *txn, const struct space_row *space, uint32_t number,
                     const struct object *before, const struct object *after)
{
    enum err err;

    switch (after->kind) {
    case KIND_CONTACT:
        return follow_tell_contact(txn, space, number, before, after);
    case KIND_CARD:
        return view_search_changed(txn, space, number, before, after);
    case KIND_LINK:
        err = view_peer_changed(txn, space, number, after);
        if (err == ERR_OK)
            err = space_link_changed(txn, before, after);
        if (err == ERR_OK)
            err = view_share_link_changed(txn, after);
        if (err == ERR_OK)
            err = view_introduction_changed(txn, space, before, after);
        return err == ERR_OK ? view_reply_changed(txn, space, before, after) : err;
    case KIND_SPACE:
    case KIND_GRANT:
    case KIND_KEY:
    case KIND_RETIRE:
    case KIND_KEEP:
        return view_peer_changed(txn, space, number, after);
    case KIND_INTERACTION:
        return view_interaction_changed(txn, number, before, after);
    case KIND_RESTATEMENT:
        return follow_tell_restatement(txn, space, after);
    case KIND_REACH:
    case KIND_DOOR:
    case KIND_KNOCK:
    case KIND_INVITATION:
    case KIND_ACCEPTANCE:
        txn->news.has_links = true;
        return ERR_OK;
    case KIND_INTRODUCTION:
    case KIND_INTRODUCTION_RECORD:
    case KIND_INTRODUCTION_KEY:
    case KIND_INTRODUCTION_MUTE:
        return view_introduction_changed(txn, space, before, after);
    case KIND_PASS:
    case KIND_ASK:
    case KIND_PASSED:
    case KIND_CLOSE:
        err = view_ask_changed(txn, space, after);
        return err == ERR_OK ? view_reply_changed(txn, space, before, after) : err;
    case KIND_ENDORSEMENT:
    case KIND_KEPT:
    case KIND_REVOKED:
        return endorsement_table_changed(txn, space, number, after);
    case KIND_REPLY:
    case KIND_ANSWER:
    case KIND_LEAD:
        return follow_tell_letter(txn, space, number, before, after);
    case KIND_SHARE:
    case KIND_SHARE_RECORD:
        return view_share_changed(txn, space, number, before, after);
    case KIND_ENDORSEMENT_WANT:
        return endorsement_want_changed(txn, space);
    default:
        return ERR_OK;
    }
}
