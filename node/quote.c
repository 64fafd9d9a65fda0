/* What is quoted follows from three things: whom I quote, what they show, and what is in the space
 * already. */
#include "node/quote.h"

#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "node/amend.h"
#include "proto/link.h"
#include "storage/row.h"
#include "storage/space.h"
#include "storage/view_peer.h"

enum { QUOTE_SWEEP_MAX = 16384, QUOTE_READERS_MAX = 4096 };

static const struct id *quote_self(const struct snapshot *snapshot)
{
    return ledger_self_space(snapshot->ledger);
}

/* What the owner said of this one. ERR_NOT_FOUND: nothing. */
static enum err quote_said(const struct snapshot *snapshot, const struct public_key *member,
                           bool *out)
{
    struct object quoting = {0};
    uint32_t number;
    struct id id;
    enum err err;

    id_about("kith quoting", member, &id);
    err = row_get(snapshot, quote_self(snapshot), KIND_QUOTING, &id, &quoting, &number);
    if (err == ERR_OK && !object_is_visible(&quoting))
        err = ERR_NOT_FOUND;
    *out = err == ERR_OK && object_number(&quoting, QUOTING_IS_ON) != 0;
    object_release(&quoting);
    return err;
}

/* PROTOCOL QUOTE-5: "The quoting object of the owner's own root says whether those are quoted of
 * whom no other object says it." */
enum err quote_is_on(const struct snapshot *snapshot, const struct public_key *member, bool *out)
{
    enum err err = quote_said(snapshot, member, out);

    if (err == ERR_NOT_FOUND)
        err = quote_said(snapshot, ledger_member(snapshot->ledger), out);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* One quote. */

/* Where the subject shows it: the card of a linked peer whom I quote. */
static enum err quote_find_card(const struct snapshot *snapshot, const struct public_key *subject,
                                struct id *out_card)
{
    struct peer *peer = secret_new(sizeof *peer);
    bool is_on = false;
    enum err err = peer != NULL ? view_peer(snapshot, subject, peer) : ERR_NOMEM;

    if (err == ERR_OK && (peer->state != LINK_LINKED || !peer->has_card_in))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        *out_card = peer->card_in;
    secret_free(peer);
    if (err == ERR_OK)
        err = quote_is_on(snapshot, subject, &is_on);
    return err == ERR_OK && !is_on ? ERR_NOT_FOUND : err;
}

/* PROTOCOL QUOTE-2: "A quote is an endorsement and its show, as they stand in the card space of its
 * subject, who is a linked peer of the writer, and whom the writer chose to quote. Nothing is
 * quoted from a network space." */
static bool quote_is_wanted(const struct endorsement_view *view)
{
    return view != NULL && view->state == ENDORSEMENT_ACCEPTED && !view->is_quoted &&
           view->shown_to >= AUDIENCE_NETWORK;
}

/* PROTOCOL QUOTE-3: "A network space has at most QUOTES_MAX endorsements, of QUOTES_SIZE_MAX bytes
 * with their shows; its writer adds none beyond that." */
static enum err quote_has_room(const struct snapshot *snapshot, bool *out)
{
    uint64_t count, bytes;
    enum err err =
        endorsement_table_quotes(snapshot, ledger_member(snapshot->ledger), &count, &bytes);

    *out = err == ERR_OK && count < QUOTES_MAX &&
           bytes + ENDORSEMENT_SIZE_MAX + SHOW_SIZE_MAX <= QUOTES_SIZE_MAX;
    return err;
}

static enum err quote_put(struct ledger_txn *txn, const struct id *network, const struct id *card,
                          const struct id *object)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct object shown = {0};
    struct amend amend;
    uint32_t number;
    bool has_room = true;
    enum err err = row_get(&snapshot, card, KIND_ENDORSEMENT, object, &shown, &number);

    if (err != ERR_OK) {
        object_release(&shown);
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    amend_begin(&amend, txn, network, KIND_ENDORSEMENT, object);
    if (amend.is_new || !object_is_visible(&amend.object))
        err = quote_has_room(&snapshot, &has_room);
    if (err == ERR_OK && has_room) {
        amend_bytes(&amend, ENDORSEMENT_STATEMENT,
                    object_value(&shown, ENDORSEMENT_STATEMENT).bytes);
        amend_bytes(&amend, ENDORSEMENT_SHOW, object_value(&shown, ENDORSEMENT_SHOW).bytes);
        if (!amend.is_new && amend.changes == 0 && !object_is_visible(&amend.object))
            amend_restore(&amend);
        err = amend_end(&amend, NULL);
    } else {
        amend_abort(&amend);
    }
    object_release(&shown);
    return err;
}

static enum err quote_drop(struct ledger_txn *txn, const struct id *network,
                           const struct id *object)
{
    struct amend amend;

    amend_begin(&amend, txn, network, KIND_ENDORSEMENT, object);
    if (!amend.is_new && object_is_visible(&amend.object))
        amend_delete(&amend);
    return amend_end(&amend, NULL);
}

enum err quote_settle(struct ledger_txn *txn, const struct endorsement_place *place,
                      const struct endorsement_view *view)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row network;
    struct id card;
    enum err err = ledger_own_space(&snapshot, SPACE_NETWORK, &network);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    err =
        quote_is_wanted(view) ? quote_find_card(&snapshot, &place->subject, &card) : ERR_NOT_FOUND;
    if (err == ERR_OK)
        return quote_put(txn, &network.id, &card, &place->object);
    return err == ERR_NOT_FOUND ? quote_drop(txn, &network.id, &place->object) : err;
}

/* All of them. */

struct quote_places {
    struct endorsement_place *list;
    size_t count;
};

static enum err quote_collect(struct quote_places *places, const struct endorsement_row *row)
{
    if (places->count == QUOTE_SWEEP_MAX)
        return ERR_CANCELLED;
    places->list[places->count++] = (struct endorsement_place){
        .subject = row->subject, .issued_s = row->issued_s, .object = row->object};
    return ERR_OK;
}

static enum err quote_on_shown(void *self, const struct endorsement_row *row)
{
    return row->source == ENDORSEMENT_SHOWN && row->audience >= AUDIENCE_NETWORK
               ? quote_collect(self, row)
               : ERR_OK;
}

struct quote_walk {
    const struct snapshot *snapshot;
    struct quote_places places;
    const struct public_key *only; /* NULL: every peer */
};

static enum err quote_on_peer(void *self, const struct peer *peer)
{
    struct quote_walk *walk = self;

    if (walk->only != NULL && !public_key_is_equal(walk->only, &peer->member))
        return ERR_OK;
    return endorsement_table_about(walk->snapshot, &peer->member, quote_on_shown, &walk->places);
}

/* PROTOCOL QUOTE-2: "It is deleted when it is shown to the network no more." */
static enum err quote_on_quote(void *self, uint32_t number, const struct object *quote)
{
    struct quote_walk *walk = self;
    struct endorsement_row row = {.object = quote->id};
    struct endorsement record;

    (void)number;
    if (endorsement_read(object_value(quote, ENDORSEMENT_STATEMENT).bytes, &record) != ERR_OK)
        return ERR_OK;
    row.subject = record.subject;
    row.issued_s = record.issued_s;
    return walk->only == NULL || public_key_is_equal(walk->only, &row.subject)
               ? quote_collect(&walk->places, &row)
               : ERR_OK;
}

static enum err quote_sweep_of(struct ledger_txn *txn, const struct public_key *only)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct quote_walk walk = {.snapshot = &snapshot, .only = only};
    struct space_row network;
    enum err err = ledger_own_space(&snapshot, SPACE_NETWORK, &network);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    walk.places.list = heap_new_zeroed(QUOTE_SWEEP_MAX, sizeof *walk.places.list);
    if (walk.places.list == NULL)
        return ERR_NOMEM;
    err = row_each(&snapshot, &network.id, KIND_ENDORSEMENT, quote_on_quote, &walk);
    if (err == ERR_OK)
        err = view_peer_each(&snapshot, quote_on_peer, &walk);
    if (err == ERR_CANCELLED)
        err = ERR_OK;
    for (size_t at = 0; err == ERR_OK && at < walk.places.count; at++) {
        const struct endorsement_place *place = &walk.places.list[at];
        struct endorsement_view view;
        enum err seen = view_endorsement_get(&snapshot, ledger_txn_now_ms(txn), place, &view);

        err = seen == ERR_OK || seen == ERR_NOT_FOUND
                  ? quote_settle(txn, place, seen == ERR_OK ? &view : NULL)
                  : seen;
    }
    heap_free(walk.places.list);
    return err;
}

enum err quote_sweep(struct ledger_txn *txn)
{
    return quote_sweep_of(txn, NULL);
}

/* The space is on, and every peer may read it. */
struct quote_readers {
    struct public_key *list;
    size_t count;
};

static enum err quote_on_reader(void *self, const struct peer *peer)
{
    struct quote_readers *readers = self;

    if (peer->state != LINK_LINKED || peer->reads_network)
        return ERR_OK;
    if (readers->count == QUOTE_READERS_MAX)
        return ERR_CANCELLED;
    readers->list[readers->count++] = peer->member;
    return ERR_OK;
}

/* PROTOCOL QUOTE-1: "A network space is made when its owner first quotes a peer; its key is granted
 * to all peers, and later ones, like the card's (EPOCH-5); whom it was granted to is noted in the
 * link (NETWORK-3)." */
static enum err quote_ensure_space(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct quote_readers readers = {.list =
                                        heap_new_zeroed(QUOTE_READERS_MAX, sizeof *readers.list)};
    enum err err = readers.list != NULL ? space_use_network(txn, true) : ERR_NOMEM;

    if (err == ERR_OK)
        err = view_peer_each(&snapshot, quote_on_reader, &readers);
    if (err == ERR_CANCELLED)
        err = ERR_OK; /* The rest at the next turn. */
    for (size_t at = 0; at < readers.count && err == ERR_OK; at++)
        err = space_share_network(txn, &readers.list[at], true);
    heap_free(readers.list);
    return err;
}

static enum err quote_say(struct ledger_txn *txn, const struct public_key *member, bool is_on)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct amend amend;
    struct id id;

    id_about("kith quoting", member, &id);
    amend_begin(&amend, txn, quote_self(&snapshot), KIND_QUOTING, &id);
    amend_bytes(&amend, QUOTING_MEMBER, span_of(member->bytes, 32));
    amend_number(&amend, QUOTING_IS_ON, is_on ? 1 : 0);
    return amend_end(&amend, NULL);
}

enum err quote_turn(struct ledger_txn *txn, const struct public_key *member, bool is_on)
{
    enum err err = is_on ? quote_ensure_space(txn) : ERR_OK;

    if (err == ERR_OK)
        err = quote_say(txn, member, is_on);
    return err == ERR_OK ? quote_sweep_of(txn, member) : err;
}

static enum err quote_on_said(void *self, uint32_t number, const struct object *quoting)
{
    struct quote_readers *said = self;
    struct span member = object_value(quoting, QUOTING_MEMBER).bytes;

    (void)number;
    if (member.size != sizeof said->list->bytes || said->count == QUOTE_READERS_MAX)
        return ERR_OK;
    memcpy(said->list[said->count++].bytes, member.data, member.size);
    return ERR_OK;
}

/* What was said of one before is overruled. */
enum err quote_turn_all(struct ledger_txn *txn, bool is_on)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct quote_readers said = {.list = heap_new_zeroed(QUOTE_READERS_MAX, sizeof *said.list)};
    enum err err = said.list == NULL ? ERR_NOMEM : is_on ? quote_ensure_space(txn) : ERR_OK;

    if (err == ERR_OK)
        err = row_each(&snapshot, quote_self(&snapshot), KIND_QUOTING, quote_on_said, &said);
    for (size_t at = 0; at < said.count && err == ERR_OK; at++)
        err = quote_say(txn, &said.list[at], is_on);
    heap_free(said.list);
    if (err == ERR_OK)
        err = quote_say(txn, ledger_member(snapshot.ledger), is_on);
    return err == ERR_OK ? quote_sweep(txn) : err;
}
