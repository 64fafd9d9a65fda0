/* Links, their peers' cards and doors: what sessions and ops ask about people. Devices are in
 * view_device.c. */
#include "storage/view_peer.h"

#include <string.h>

#include "crypto/secret.h"
#include "proto/card.h"
#include "proto/limits.h"
#include "storage/agenda.h"
#include "storage/fold.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/row.h"
#include "storage/space.h"

enum { VIEW_PEER_DID_SHOWN = 20 };

static const struct id view_peer_only = {{0}}; /* the one object of its kind in a card space */

/* Follow. */

static bool view_peer_id(const struct object *link, uint8_t field, struct id *out)
{
    struct span bytes = object_value(link, field).bytes;

    if (bytes.size != ID_SIZE)
        return false;
    memcpy(out->bytes, bytes.data, ID_SIZE);
    return true;
}

static enum err view_peer_link_changed(struct ledger_txn *txn, uint32_t number,
                                       const struct object *after)
{
    struct span member = object_value(after, LINK_MEMBER).bytes;
    uint8_t value[4];
    struct key key;
    enum err err;

    if (member.size != 32)
        return ERR_OK;
    txn->news.has_links = true;
    be32_put(value, number);
    key_of_bytes(member, &key);
    err = ledger_put(txn, TABLE_PEER, &key, span_of(value, sizeof value));
    return err == ERR_OK ? space_learn_link(txn, after) : err;
}

enum err view_peer_network(const struct snapshot *snapshot, const struct public_key *member,
                           struct space_row *out)
{
    struct span row;
    struct key key;
    enum err err;

    key_of_bytes(span_of(member->bytes, 32), &key);
    err = ledger_get(snapshot, TABLE_NETWORK_IN, &key, &row);
    if (err == ERR_OK && row.size != 4)
        err = ERR_CORRUPT;
    return err == ERR_OK ? ledger_space_numbered(snapshot, be32(row.data), out) : err;
}

/* PROTOCOL NETWORK-2: "A grant of kind network makes the space known to its reader, the first for
 * each writer alone." ERR_NOT_FOUND: it is not the first, or no network. */
static enum err view_peer_learn_network(struct ledger_txn *txn, const struct id *id,
                                        const struct public_key *writer, uint64_t kind,
                                        struct space_row *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space = {.id = *id, .kind = SPACE_NETWORK, .writer = *writer};
    uint8_t number[4];
    struct key key;
    enum err err;

    if (kind != SPACE_NETWORK)
        return ERR_NOT_FOUND;
    if (public_key_is_equal(writer, ledger_member(txn->ledger))) { /* By another device of mine. */
        err = space_learn_network(txn, id);
        return err == ERR_OK ? ledger_space(&snapshot, id, out) : err;
    }
    err = view_peer_network(&snapshot, writer, out);
    if (err != ERR_NOT_FOUND)
        return err == ERR_OK ? ERR_NOT_FOUND : err;
    err = ledger_add_space(txn, &space);
    if (err == ERR_OK)
        err = ledger_space(&snapshot, id, out);
    if (err != ERR_OK)
        return err;
    be32_put(number, out->number);
    key_of_bytes(span_of(writer->bytes, 32), &key);
    return ledger_put(txn, TABLE_NETWORK_IN, &key, span_of(number, sizeof number));
}

/* A peer's grant is believed for spaces that this peer writes, and for no others. */
static enum err view_peer_grant_changed(struct ledger_txn *txn, const struct space_row *space,
                                        const struct object *after)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span about = object_value(after, GRANT_SPACE).bytes;
    struct span epoch = object_value(after, GRANT_EPOCH).bytes;
    struct span key = object_value(after, GRANT_KEY).bytes;
    struct space_row target;
    struct hash id;
    struct id target_id;
    enum err err;

    if (about.size != ID_SIZE || epoch.size != HASH_SIZE || key.size != KEY_SIZE)
        return ERR_OK;
    memcpy(target_id.bytes, about.data, ID_SIZE);
    memcpy(id.bytes, epoch.data, HASH_SIZE);
    err = ledger_space(&snapshot, &target_id, &target);
    if (err == ERR_NOT_FOUND)
        err = view_peer_learn_network(txn, &target_id, &space->writer,
                                      object_number(after, GRANT_SPACE_KIND), &target);
    if (err == ERR_NOT_FOUND ||
        (err == ERR_OK && !public_key_is_equal(&target.writer, &space->writer)))
        return ERR_OK;
    if (err == ERR_OK)
        err = ledger_add_key(txn, &id, key.data);
    if (err == ERR_OK && target.is_mine && target.kind == SPACE_NETWORK) {
        ledger_note_news(txn, &target.id); /* From now on it is shared. */
        err = space_granted(txn, &space->reader);
    }
    return err == ERR_FORGED ? ERR_OK : err;
}

/* Now that its readers are known an epoch may be the one to write under, and what is under it may
 * be restated. */
static enum err view_peer_unsettle(struct ledger_txn *txn, struct span space,
                                   const struct hash *epoch)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row row;
    struct id id;
    enum err err;

    if (space.size != ID_SIZE)
        return ERR_OK;
    memcpy(id.bytes, space.data, ID_SIZE);
    err = ledger_space(&snapshot, &id, &row);
    if (err != ERR_OK ||
        span_is_equal(span_of(row.current.bytes, HASH_SIZE), span_of(epoch->bytes, HASH_SIZE)))
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    err = space_unsettle(txn, &row);
    return err == ERR_OK && row.is_mine ? agenda_put(txn, AGENDA_NOW, KIND_RESTATEMENT, space)
                                        : err;
}

static enum err view_peer_key_changed(struct ledger_txn *txn, const struct object *after)
{
    struct span epoch = object_value(after, KEY_EPOCH).bytes;
    struct span key = object_value(after, KEY_BYTES).bytes;
    struct hash id;
    enum err err;

    if (epoch.size != HASH_SIZE || key.size != KEY_SIZE)
        return ERR_OK;
    memcpy(id.bytes, epoch.data, HASH_SIZE);
    err = ledger_add_key(txn, &id, key.data);
    if (err == ERR_OK)
        err = view_peer_unsettle(txn, object_value(after, KEY_SPACE).bytes, &id);
    return err == ERR_FORGED ? ERR_OK : err;
}

/* The key a granting or key object tells for exactly this epoch. */
static enum err view_peer_told(const struct snapshot *snapshot, const struct id *space,
                               uint8_t kind, const struct hash *epoch, uint8_t out[static KEY_SIZE])
{
    uint8_t epoch_field = kind == KIND_GRANT ? GRANT_EPOCH : KEY_EPOCH;
    uint8_t key_field = kind == KIND_GRANT ? GRANT_KEY : KEY_BYTES;
    struct object told = {0};
    struct id object;
    struct span key;
    uint32_t number;
    enum err err;

    memcpy(object.bytes, epoch->bytes, ID_SIZE);
    err = row_get(snapshot, space, kind, &object, &told, &number);
    if (err != ERR_OK)
        return err;
    key = object_value(&told, key_field).bytes;
    if (key.size == KEY_SIZE &&
        span_is_equal(object_value(&told, epoch_field).bytes, span_of(epoch->bytes, HASH_SIZE)))
        memcpy(out, key.data, KEY_SIZE);
    else
        err = ERR_NOT_FOUND;
    object_release(&told);
    return err;
}

enum err view_peer_key_of(const struct snapshot *snapshot, const struct public_key *writer,
                          const struct hash *epoch, uint8_t out[static KEY_SIZE])
{
    struct peer *peer;
    enum err err;

    if (public_key_is_equal(writer, ledger_member(snapshot->ledger)))
        return view_peer_told(snapshot, ledger_self_space(snapshot->ledger), KIND_KEY, epoch, out);
    peer = secret_new(sizeof *peer);
    err = peer != NULL ? view_peer(snapshot, writer, peer) : ERR_NOMEM;
    if (err == ERR_OK)
        err = peer->has_pair_in ? view_peer_told(snapshot, &peer->pair_in, KIND_GRANT, epoch, out)
                                : ERR_NOT_FOUND;
    secret_free(peer);
    return err;
}

/* A statement about a device of the space's writer, brought by a log: a keep is believed for the
 * space it stands in. */
static enum err view_peer_fact_changed(struct ledger_txn *txn, const struct space_row *space,
                                       const struct object *after)
{
    struct span statement = object_value(after, KIND_STATEMENT_FIELD).bytes;
    struct keep keep;
    enum err err = ERR_OK;

    if (after->kind == KIND_KEEP) {
        err = retire_read_keep(statement, &keep);
        if (err == ERR_OK && !id_is_equal(&keep.space, &space->id))
            err = ERR_FORGED;
    }
    if (err == ERR_OK)
        err = retire_table_take(txn, &space->writer, statement);
    return err == ERR_MALFORMED || err == ERR_FORGED ? ERR_OK : err;
}

enum err view_peer_changed(struct ledger_txn *txn, const struct space_row *space, uint32_t number,
                           const struct object *after)
{
    switch (after->kind) {
    case KIND_LINK:
        return view_peer_link_changed(txn, number, after);
    case KIND_SPACE:
        return space_learn(txn, after);
    case KIND_GRANT:
        return view_peer_grant_changed(txn, space, after);
    case KIND_KEY:
        return view_peer_key_changed(txn, after);
    case KIND_RETIRE:
    case KIND_KEEP:
        return view_peer_fact_changed(txn, space, after);
    default:
        return ERR_OK;
    }
}

/* Links. */

static bool view_peer_key(const struct object *link, uint8_t field, uint8_t out[static KEY_SIZE])
{
    struct span bytes = object_value(link, field).bytes;

    if (bytes.size != KEY_SIZE)
        return false;
    memcpy(out, bytes.data, KEY_SIZE);
    return true;
}

static void view_peer_text(struct span text, char out[static 201])
{
    size_t size = text.size < 200 ? text.size : 200;

    if (size > 0)
        memcpy(out, text.data, size);
    out[size] = '\0';
}

/* Nobody is shown as nothing. */
static void view_peer_nameless(struct peer *peer)
{
    char did[DID_SIZE];

    identity_did(&peer->member, did);
    view_peer_text(span_of(did, VIEW_PEER_DID_SHOWN), peer->name);
}

static void view_peer_read(const struct object *link, struct peer *out)
{
    struct span pin = object_value(link, LINK_PIN).bytes;

    *out = (struct peer){.state = (enum link_state)object_number(link, LINK_STATE),
                         .level = (enum link_level)object_number(link, LINK_LEVEL),
                         .since_ms = object_number(link, LINK_SINCE),
                         .is_confirmed = object_number(link, LINK_CONFIRMED) != 0,
                         .reads_network = object_number(link, LINK_NETWORK) == 1,
                         .entries_max = object_number(link, LINK_ENTRIES_MAX),
                         .bytes_max = object_number(link, LINK_BYTES_MAX)};
    (void)view_peer_key(link, LINK_MEMBER,
                        out->member.bytes); /* A row without it is never in the peer table. */
    out->has_secret = view_peer_key(link, LINK_SECRET, out->secret);
    out->has_secret_old = view_peer_key(link, LINK_SECRET_OLD, out->secret_old);
    out->has_pair_out = view_peer_id(link, LINK_PAIR_OUT, &out->pair_out);
    out->has_pair_in = view_peer_id(link, LINK_PAIR_IN, &out->pair_in);
    out->has_card_in = view_peer_id(link, LINK_CARD_IN, &out->card_in);
    out->has_contact = view_peer_id(link, LINK_CONTACT, &out->contact);
    out->has_knock = view_peer_key(link, LINK_KNOCK, out->knock);
    memcpy(out->knock_first, out->knock, KEY_SIZE);
    if (pin.size == HASH_SIZE)
        memcpy(out->pin.bytes, pin.data, HASH_SIZE);
    out->has_via = view_peer_key(link, LINK_VIA, out->via.bytes);
    out->has_introduction = view_peer_id(link, LINK_INTRODUCTION, &out->introduction);
    view_peer_text(object_text(link, LINK_ALIAS), out->alias);
    view_peer_text(object_text(link, LINK_NAME), out->name);
    if (!fold_is_seen(span_str(out->name)))
        view_peer_nameless(out);
}

/* What the peer's card space says newer than the link does: the name, and where to knock. */
static enum err view_peer_refresh(const struct snapshot *snapshot, struct peer *peer)
{
    struct object object = {0};
    uint32_t number;
    enum err err;

    if (!peer->has_card_in)
        return ERR_OK;
    err = row_get(snapshot, &peer->card_in, KIND_CARD, &view_peer_only, &object, &number);
    if (err == ERR_OK && fold_is_seen(object_text(&object, CARD_NAME)))
        view_peer_text(object_text(&object, CARD_NAME), peer->name);
    object_release(&object);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    err = row_get(snapshot, &peer->card_in, KIND_DOOR, &view_peer_only, &object, &number);
    if (err == ERR_OK && view_peer_key(&object, DOOR_KNOCK, peer->knock))
        peer->has_knock = true;
    object_release(&object);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err view_peer_link(const struct snapshot *snapshot, uint32_t number, struct peer *out)
{
    struct object link = {0};
    uint32_t space;
    enum err err = row_get_numbered(snapshot, number, &link, &space);

    if (err == ERR_OK)
        view_peer_read(&link, out);
    object_release(&link);
    return err;
}

static enum err view_peer_numbered(const struct snapshot *snapshot, uint32_t number,
                                   struct peer *out)
{
    enum err err = view_peer_link(snapshot, number, out);

    return err == ERR_OK ? view_peer_refresh(snapshot, out) : err;
}

enum err view_peer(const struct snapshot *snapshot, const struct public_key *member,
                   struct peer *out)
{
    struct span value;
    struct key key;
    enum err err;

    key_of_bytes(span_of(member->bytes, 32), &key);
    err = ledger_get(snapshot, TABLE_PEER, &key, &value);
    if (err == ERR_OK && value.size != 4)
        err = ERR_CORRUPT;
    return err == ERR_OK ? view_peer_numbered(snapshot, be32(value.data), out) : err;
}

enum err view_peer_card(const struct snapshot *snapshot, const struct public_key *member,
                        struct space_row *out)
{
    struct object link = {0};
    struct id id, card;
    uint32_t number;
    enum err err;

    if (public_key_is_equal(member, ledger_member(snapshot->ledger)))
        return ledger_own_space(snapshot, SPACE_CARD, out);
    id_about("kith link", member, &id);
    err = row_get(snapshot, ledger_self_space(snapshot->ledger), KIND_LINK, &id, &link, &number);
    if (err == ERR_OK)
        err = view_peer_id(&link, LINK_CARD_IN, &card) ? ledger_space(snapshot, &card, out)
                                                       : ERR_NOT_FOUND;
    object_release(&link);
    return err;
}

struct view_peer_walk {
    const struct snapshot *snapshot;
    view_peer_fn each;
    void *self;
    bool is_refreshed;
    struct peer *peer; /* secret */
};

static enum err view_peer_on_row(void *self, struct span key, struct span value)
{
    struct view_peer_walk *walk = self;
    enum err err = value.size == 4 ? ERR_OK : ERR_CORRUPT;

    (void)key;
    if (err == ERR_OK)
        err = view_peer_link(walk->snapshot, be32(value.data), walk->peer);
    if (err == ERR_OK && walk->is_refreshed)
        err = view_peer_refresh(walk->snapshot, walk->peer);
    return err == ERR_OK ? walk->each(walk->self, walk->peer) : err;
}

static enum err view_peer_walk(struct view_peer_walk *walk)
{
    enum err err;

    walk->peer = secret_new(sizeof *walk->peer);
    err = walk->peer != NULL
              ? ledger_each(walk->snapshot, TABLE_PEER, span_of(NULL, 0), view_peer_on_row, walk)
              : ERR_NOMEM;
    secret_free(walk->peer);
    return err;
}

enum err view_peer_each(const struct snapshot *snapshot, view_peer_fn each, void *self)
{
    struct view_peer_walk walk = {
        .snapshot = snapshot, .each = each, .self = self, .is_refreshed = true};

    return view_peer_walk(&walk);
}

enum err view_peer_each_link(const struct snapshot *snapshot, view_peer_fn each, void *self)
{
    struct view_peer_walk walk = {.snapshot = snapshot, .each = each, .self = self};

    return view_peer_walk(&walk);
}

/* Deliveries. */

static void view_peer_delivered_key(const struct public_key *peer, uint32_t log, struct key *out)
{
    key_of_bytes(span_of(peer->bytes, 32), out);
    key_add_u32(out, log);
}

enum err view_delivered(struct ledger_txn *txn, const struct public_key *peer,
                        const struct log_id *log, uint64_t size)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t value[8];
    struct log_row row;
    struct span known;
    struct key key;
    enum err err = ledger_log(&snapshot, log, &row);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    view_peer_delivered_key(peer, row.number, &key);
    err = ledger_get_sealed(&snapshot, TABLE_DELIVERED, &key, &known);
    if (err == ERR_OK && known.size == 8 && be64(known.data) >= size)
        return ERR_OK;
    /* What the peer says now is better than a damaged row. */
    if (err != ERR_OK && err != ERR_NOT_FOUND && err != ERR_CORRUPT)
        return err;
    be64_put(value, size);
    return ledger_put_sealed(txn, TABLE_DELIVERED, &key, span_of(value, sizeof value));
}

enum err view_delivered_size(const struct snapshot *snapshot, const struct public_key *peer,
                             const struct log_id *log, uint64_t *out)
{
    struct log_row row;
    struct span value;
    struct key key;
    enum err err = ledger_log(snapshot, log, &row);

    if (err != ERR_OK)
        return err;
    view_peer_delivered_key(peer, row.number, &key);
    err = ledger_get_sealed(snapshot, TABLE_DELIVERED, &key, &value);
    if (err == ERR_OK && value.size != 8)
        err = ERR_CORRUPT;
    if (err == ERR_OK)
        *out = be64(value.data);
    return err;
}

enum err view_delivered_to(const struct snapshot *snapshot, const struct public_key *peer,
                           uint32_t log, uint64_t *out_size)
{
    struct span value;
    struct key key;
    enum err err;

    view_peer_delivered_key(peer, log, &key);
    err = ledger_get_sealed(snapshot, TABLE_DELIVERED, &key, &value);
    if (err == ERR_OK && value.size != 8)
        err = ERR_CORRUPT;
    *out_size = err == ERR_OK ? be64(value.data) : 0;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

struct view_peer_sum {
    const struct snapshot *snapshot;
    const struct public_key *peer;
    uint64_t undelivered;
};

static enum err view_peer_add_undelivered(void *self, const struct log_row *log)
{
    struct view_peer_sum *sum = self;
    struct span value;
    struct key key;
    enum err err;

    view_peer_delivered_key(sum->peer, log->number, &key);
    err = ledger_get_sealed(sum->snapshot, TABLE_DELIVERED, &key, &value);
    if (err == ERR_OK && value.size == 8)
        sum->undelivered +=
            log->tip.size - (be64(value.data) < log->tip.size ? be64(value.data) : log->tip.size);
    else if (err == ERR_NOT_FOUND)
        sum->undelivered += log->tip.size;
    else
        return err == ERR_OK ? ERR_CORRUPT : err;
    return ERR_OK;
}

enum err view_undelivered(const struct snapshot *snapshot, const struct public_key *peer,
                          uint64_t *out_entries)
{
    struct view_peer_sum sum = {.snapshot = snapshot, .peer = peer};
    struct peer *link = secret_new(sizeof *link);
    struct space_row space;
    enum err err = link != NULL ? view_peer(snapshot, peer, link) : ERR_NOMEM;

    if (err == ERR_OK && link->has_pair_out) {
        err = ledger_space(snapshot, &link->pair_out, &space);
        if (err == ERR_OK)
            err = ledger_logs(snapshot, space.number, view_peer_add_undelivered, &sum);
    }
    if (err == ERR_OK)
        err = ledger_own_space(snapshot, SPACE_CARD, &space);
    if (err == ERR_OK)
        err = ledger_logs(snapshot, space.number, view_peer_add_undelivered, &sum);
    if (err == ERR_OK)
        err = space_network_of(snapshot, link, &space);
    if (err == ERR_OK)
        err = ledger_logs(snapshot, space.number, view_peer_add_undelivered, &sum);
    else if (err == ERR_NOT_FOUND)
        err = ERR_OK;
    *out_entries = sum.undelivered;
    secret_free(link);
    return err;
}
