/* Off until the owner turns it on for somebody: it tells my peers who my peers are. */
#include "node/op_network.h"

#include <string.h>

#include "crypto/secret.h"
#include "node/describe_endorsement.h"
#include "node/endorse.h"
#include "node/name.h"
#include "node/quote.h"
#include "storage/view_peer.h"

struct op_network_rows {
    struct op_call *call;
    json_t *rows;
};

static enum err op_network_on_peer(void *self, const struct peer *peer)
{
    struct op_network_rows *list = self;
    bool is_on = false;
    enum err err = peer->state == LINK_LINKED
                       ? quote_is_on(&list->call->snapshot, &peer->member, &is_on)
                       : ERR_OK;

    if (err == ERR_OK && is_on &&
        json_array_append_new(list->rows, describe_endorsement_member(list->call, &peer->member,
                                                                      span_of(NULL, 0))) != 0)
        err = ERR_NOMEM;
    return err;
}

enum err op_network_list(struct op_call *call)
{
    struct op_network_rows list = {.call = call, .rows = json_array()};
    uint64_t count = 0, bytes = 0;
    bool is_all = false;
    enum err err = view_peer_each(&call->snapshot, op_network_on_peer, &list);

    if (err == ERR_OK)
        err = endorsement_table_quotes(&call->snapshot, ledger_member(call->snapshot.ledger),
                                       &count, &bytes);
    if (err == ERR_OK)
        err = quote_is_on(&call->snapshot, ledger_member(call->snapshot.ledger), &is_all);
    call->result = json_pack("{s:o, s:I, s:b}", "quoting", list.rows, "quotes", (json_int_t)count,
                             "all", is_all);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "it could not be read");
}

static enum err op_network_turn(struct op_call *call, bool is_on)
{
    struct peer *peer = secret_new(sizeof *peer);
    struct name_match who;
    enum err err = peer != NULL ? name_find_peer(call, op_text(call, "who"), &who) : ERR_NOMEM;

    if (err == ERR_OK)
        err = view_peer(&call->snapshot, &who.member, peer);
    if (err == ERR_OK && is_on && peer->state != LINK_LINKED)
        err = op_fail(call, OP_FAILED, "kith peer invite NAME", "you are not linked with %s",
                      who.shown);
    secret_free(peer);
    if (err == ERR_OK)
        err = quote_turn(call->txn, &who.member, is_on);
    if (err == ERR_OK && is_on)
        err = endorse_plan_sweep(call->txn);
    return err == ERR_OK ? op_network_list(call)
                         : op_fail_err(call, err, "that could not be changed");
}

enum err op_network_quote(struct op_call *call)
{
    return op_network_turn(call, true);
}

enum err op_network_unquote(struct op_call *call)
{
    return op_network_turn(call, false);
}

static enum err op_network_turn_all(struct op_call *call, bool is_on)
{
    enum err err = quote_turn_all(call->txn, is_on);

    if (err == ERR_OK && is_on)
        err = endorse_plan_sweep(call->txn);
    return err == ERR_OK ? op_network_list(call)
                         : op_fail_err(call, err, "that could not be changed");
}

enum err op_network_on(struct op_call *call)
{
    return op_network_turn_all(call, true);
}

enum err op_network_off(struct op_call *call)
{
    return op_network_turn_all(call, false);
}
