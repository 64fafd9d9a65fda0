/* Links by hand: look, compare, rename, remove, block. */
#include "node/op_peer.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "crypto/words.h"
#include "node/amend.h"
#include "node/describe.h"
#include "node/describe_endorsement.h"
#include "node/link_join.h"
#include "node/name.h"
#include "node/person.h"
#include "proto/limits.h"
#include "storage/dropped.h"
#include "storage/fold.h"
#include "storage/journal.h"
#include "storage/row.h"
#include "storage/view_peer.h"

static const struct id *op_peer_self(const struct op_call *call)
{
    return ledger_self_space(call->snapshot.ledger);
}

/* Looking. */

struct op_peer_rows {
    struct op_call *call;
    json_t *peers;
};

static enum err op_peer_on_peer(void *self, const struct peer *peer)
{
    struct op_peer_rows *rows = self;

    if (peer->state == LINK_REMOVED)
        return ERR_OK;
    return json_array_append_new(rows->peers, describe_peer(rows->call, peer, false)) == 0
               ? ERR_OK
               : ERR_NOMEM;
}

static void op_peer_add_addresses(json_t *row, const struct address *addresses, size_t count)
{
    json_t *list = json_array();
    char text[ADDRESS_TEXT_SIZE];

    for (size_t at = 0; at < count; at++) {
        address_write(&addresses[at], text);
        (void)json_array_append_new(list, json_string(text)); /* A lost row shows as absent. */
    }
    (void)json_object_set_new(row, "addresses", list);
}

static enum err op_peer_on_acceptance(void *self, uint32_t number, const struct object *acceptance)
{
    struct op_peer_rows *rows = self;
    struct invitation invitation;
    json_t *row;

    (void)number;
    if (object_number(acceptance, ACCEPTANCE_STATE) != ACCEPTANCE_PENDING ||
        invitation_read(object_text(acceptance, ACCEPTANCE_URI), &invitation) != ERR_OK)
        return ERR_OK;
    row = json_pack("{s:s, s:s, s:b, s:i}", "level", "invited", "state", "pending", "in_step", 0,
                    "undelivered", 0);
    describe_set_name(row, span_str(invitation.hint));
    op_peer_add_addresses(row, invitation.addresses, invitation.addresses_count);
    secret_wipe(&invitation, sizeof invitation);
    return json_array_append_new(rows->peers, row) == 0 ? ERR_OK : ERR_NOMEM;
}

enum err op_peer_list(struct op_call *call)
{
    struct op_peer_rows rows = {.call = call, .peers = json_array()};
    enum err err = view_peer_each(&call->snapshot, op_peer_on_peer, &rows);

    if (err == ERR_OK)
        err = row_each(&call->snapshot, op_peer_self(call), KIND_ACCEPTANCE, op_peer_on_acceptance,
                       &rows);
    call->result = json_pack("{s:o}", "peers", rows.peers);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the peers could not be read");
}

static enum err op_peer_load(struct op_call *call, struct name_match *who, struct peer *out)
{
    enum err err = name_find_peer(call, op_text(call, "who"), who);

    if (err != ERR_OK)
        return err;
    err = view_peer(&call->snapshot, &who->member, out);
    if (err == ERR_NOT_FOUND)
        return op_fail(call, OP_NOT_FOUND, "kith peer list", "%s is not a peer of yours",
                       who->shown);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the peer could not be read");
}

enum err op_peer_show(struct op_call *call)
{
    struct peer *peer = secret_new(sizeof *peer);
    struct dropped dropped = {.count = 0};
    struct name_match who;
    enum err err = peer != NULL ? op_peer_load(call, &who, peer) : ERR_NOMEM;

    if (err == ERR_OK) {
        call->result = describe_peer(call, peer, true);
        describe_endorsement_mentions(call, call->result, &peer->member);
        err = dropped_of(&call->snapshot, &peer->member, &dropped);
    }
    /* Of forged or misplaced records nothing is kept but how many there were. */
    if (err == ERR_OK && dropped.count > 0)
        (void)json_object_set_new(call->result, "dropped", json_integer((json_int_t)dropped.count));
    secret_free(peer);
    return err;
}

enum err op_peer_words(struct op_call *call)
{
    struct peer *peer = secret_new(sizeof *peer);
    char words[WORDS_SAFETY_SIZE];
    struct name_match who;
    enum err err = peer != NULL ? op_peer_load(call, &who, peer) : ERR_NOMEM;

    if (err == ERR_OK) {
        words_safety(ledger_member(call->snapshot.ledger), &peer->member, words);
        call->result = json_pack("{s:s, s:s}", "words", words, "name", peer->name);
        describe_set_did(call->result, "member", &peer->member);
    }
    secret_free(peer);
    return err;
}

/* Changing. */

static void op_peer_amend(struct op_call *call, const struct public_key *member,
                          struct amend *amend)
{
    struct id id;

    id_about("kith link", member, &id);
    amend_begin(amend, call->txn, op_peer_self(call), KIND_LINK, &id);
}

static enum err op_peer_finish(struct op_call *call, const struct public_key *member, enum err err)
{
    struct peer *peer = secret_new(sizeof *peer);

    if (err == ERR_OK)
        err = peer != NULL ? view_peer(&call->snapshot, member, peer) : ERR_NOMEM;
    if (err == ERR_OK)
        call->result = describe_peer(call, peer, false);
    secret_free(peer);
    call->effects.peers_changed = true;
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the link could not be changed");
}

enum err op_peer_compared(struct op_call *call)
{
    struct peer *peer = secret_new(sizeof *peer);
    struct name_match who;
    struct amend amend;
    enum err err = peer != NULL ? op_peer_load(call, &who, peer) : ERR_NOMEM;

    secret_free(peer);
    if (err != ERR_OK)
        return err;
    op_peer_amend(call, &who.member, &amend);
    amend_number(&amend, LINK_LEVEL, LINK_COMPARED);
    return op_peer_finish(call, &who.member, amend_end(&amend, NULL));
}

enum err op_peer_rename(struct op_call *call)
{
    struct peer *peer = secret_new(sizeof *peer);
    const char *alias = op_text(call, "alias");
    struct span trimmed = person_trim(span_str(alias != NULL ? alias : ""));
    struct name_match who;
    struct amend amend;
    enum err err = peer != NULL ? op_peer_load(call, &who, peer) : ERR_NOMEM;

    secret_free(peer);
    if (err != ERR_OK)
        return err;
    if (alias == NULL || trimmed.size > NAME_SIZE_MAX)
        return op_fail(call, OP_USAGE, "kith peer rename WHO ALIAS",
                       "an alias is up to %d bytes long", NAME_SIZE_MAX);
    if (trimmed.size > 0 && !fold_is_seen(trimmed))
        return op_fail(call, OP_USAGE, "kith peer rename WHO ALIAS, or \"\" for none",
                       "there is nothing to see in that alias");
    op_peer_amend(call, &who.member, &amend);
    amend_text(&amend, LINK_ALIAS, trimmed); /* Of a blank one nobody could be called. */
    return op_peer_finish(call, &who.member, amend_end(&amend, NULL));
}

static enum err op_peer_part(struct op_call *call, enum link_state state, const char *kind,
                             const char *text)
{
    struct peer *peer = secret_new(sizeof *peer);
    struct journal_row row = {
        .at_ms = call->now_ms, .kind = span_str(kind), .text = span_str(text)};
    struct name_match who;
    enum err err = peer != NULL ? op_peer_load(call, &who, peer) : ERR_NOMEM;

    /* Whoever is blocked is removed, too, and stays blocked. */
    if (err == ERR_OK && peer->state == LINK_BLOCKED)
        err = op_fail(call, OP_FAILED, "kith peer unblock WHO",
                      "%s is blocked already: no link is left", who.shown);
    if (err == ERR_OK && peer->state == state)
        err = op_fail(call, OP_FAILED, "kith peer list", "that was done before: no link is left");
    secret_free(peer);
    if (err != ERR_OK)
        return err;
    row.who = span_str(who.shown);
    err = link_join_cut(call->txn, &who.member, state);
    if (err == ERR_OK)
        err = journal_add(call->txn, &row);
    return op_peer_finish(call, &who.member, err);
}

enum err op_peer_remove(struct op_call *call)
{
    return op_peer_part(call, LINK_REMOVED, "removed",
                        "is no peer of yours any more: nothing you write from now on "
                        "can be read there");
}

enum err op_peer_block(struct op_call *call)
{
    return op_peer_part(call, LINK_BLOCKED, "blocked", "is blocked, and is not told so");
}

enum err op_peer_unblock(struct op_call *call)
{
    struct peer *peer = secret_new(sizeof *peer);
    struct name_match who;
    struct amend amend;
    enum err err = peer != NULL ? op_peer_load(call, &who, peer) : ERR_NOMEM;

    if (err == ERR_OK && peer->state != LINK_BLOCKED)
        err = op_fail(call, OP_FAILED, "kith peer list", "%s is not blocked", who.shown);
    secret_free(peer);
    if (err != ERR_OK)
        return err;
    op_peer_amend(call, &who.member, &amend);
    amend_number(&amend, LINK_STATE, LINK_REMOVED);
    return op_peer_finish(call, &who.member, amend_end(&amend, NULL));
}
