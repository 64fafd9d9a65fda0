/* The wish stands in the link, so that all own devices keep to it; the session asks for room. */
#include "node/op_quota.h"

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/describe.h"
#include "node/name.h"
#include "proto/limits.h"
#include "storage/room.h"

enum { OP_QUOTA_MIB = 20 }; /* a MiB is 2 to the 20th */

static enum err op_quota_number(struct op_call *call, const char *flag, json_int_t least,
                                json_int_t most, json_int_t *out)
{
    json_t *number = json_object_get(call->params, flag);

    *out = -1;
    if (number == NULL)
        return ERR_OK;
    *out = json_integer_value(number);
    if (json_is_integer(number) && (*out == 0 || (*out >= least && *out <= most)))
        return ERR_OK;
    return op_fail(call, OP_USAGE, "kith peer quota WHO --mib 256",
                   "--%s is %lld to %lld, or 0 for the usual", flag, (long long)least,
                   (long long)most);
}

static enum err op_quota_change(struct op_call *call, const struct public_key *member)
{
    json_int_t mib, entries;
    struct amend amend;
    struct id id;
    enum err err = op_quota_number(call, "mib", 1, PEER_MIB_MAX, &mib);

    if (err == ERR_OK)
        err = op_quota_number(call, "entries", PEER_ENTRIES_LEAST, INT32_MAX, &entries);
    if (err != ERR_OK || (mib < 0 && entries < 0))
        return err;
    id_about("kith link", member, &id);
    amend_begin(&amend, call->txn, ledger_self_space(call->snapshot.ledger), KIND_LINK, &id);
    if (mib >= 0)
        amend_number(&amend, LINK_BYTES_MAX, (uint64_t)mib << OP_QUOTA_MIB);
    if (entries >= 0)
        amend_number(&amend, LINK_ENTRIES_MAX, (uint64_t)entries);
    call->effects.dial[call->effects.dial_count++] =
        *member; /* Its session looks for room again. */
    return amend_end(&amend, NULL);
}

static enum err op_quota_answer(struct op_call *call, struct peer *peer,
                                const struct public_key *member)
{
    struct replica_room used;
    bool is_full = false;
    enum err err = view_peer(&call->snapshot, member, peer);

    if (err == ERR_OK)
        err = room_used(&call->snapshot, peer, &used);
    if (err != ERR_OK)
        return err;
    for (size_t at = 0; at < call->world->presence_count; at++)
        is_full |= call->world->presence[at].is_full &&
                   public_key_is_equal(&call->world->presence[at].member, member);
    call->result =
        json_pack("{s:I, s:I, s:I, s:I, s:b}", "entries", (json_int_t)used.entries, "entries_max",
                  (json_int_t)used.entries_max, "bytes", (json_int_t)used.bytes, "bytes_max",
                  (json_int_t)used.bytes_max, "full",
                  is_full || used.entries >= used.entries_max || used.bytes >= used.bytes_max);
    if (call->result == NULL)
        return ERR_NOMEM;
    describe_set_did(call->result, "member", member);
    describe_set_name(call->result, span_str(peer->name));
    return ERR_OK;
}

enum err op_quota(struct op_call *call)
{
    struct peer *peer = secret_new(sizeof *peer);
    struct name_match who;
    enum err err = peer != NULL ? name_find_peer(call, op_text(call, "who"), &who) : ERR_NOMEM;

    if (err == ERR_OK)
        err = view_peer(&call->snapshot, &who.member, peer);
    if (err == ERR_OK && peer->state != LINK_LINKED)
        err = op_fail(call, OP_FAILED, "kith peer invite NAME", "you are not linked with %s",
                      who.shown);
    if (err == ERR_OK)
        err = op_quota_change(call, &who.member);
    if (err == ERR_OK)
        err = op_quota_answer(call, peer, &who.member);
    secret_free(peer);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the peer could not be read");
}
