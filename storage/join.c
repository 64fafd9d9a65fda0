/* The rows are two: that the first meeting is still to come, and what own devices share from the
 * beginning: their secret, and behind it, on a device that joined, the knock key it was told. */
#include "storage/join.h"

#include <string.h>

#include "crypto/secret.h"
#include "proto/card.h"
#include "proto/device.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/space.h"
#include "storage/standing.h"
#include "storage/view_peer.h"

enum { JOIN_ROW_SIZE = 2 * KEY_SIZE };

/* The new device. */

void join_draw(const struct entropy *entropy, uint64_t now_ms, struct device_secrets *out)
{
    memset(out, 0, sizeof *out);
    out->created_at_ms = now_ms;
    entropy_fill(entropy, out->signing_seed, 32);
    entropy_fill(entropy, out->static_seed, 32);
    entropy_fill(entropy, out->receiving_seed, 32);
    entropy_fill(entropy, out->local_key, 32);
    entropy_fill(entropy, out->incarnation, 16);
}

enum err join_ask_of(const struct device_secrets *secrets, struct span name,
                     struct welcome_ask *out)
{
    struct signing_key *signing = secret_new(sizeof *signing);
    struct exchange_key *exchange = secret_new(sizeof *exchange);
    enum err err = signing != NULL && exchange != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK && name.size > DEVICE_NAME_SIZE_MAX)
        err = ERR_LIMIT;
    if (err == ERR_OK) {
        *out = (struct welcome_ask){0};
        identity_signing_key(secrets->signing_seed, signing);
        out->device = signing->public_key;
        identity_exchange_key(secrets->static_seed, exchange);
        memcpy(out->static_key, exchange->public_key, KEY_SIZE);
        identity_exchange_key(secrets->receiving_seed, exchange);
        memcpy(out->receiving_key, exchange->public_key, KEY_SIZE);
        if (name.size > 0)
            memcpy(out->name, name.data, name.size);
    }
    secret_free(signing);
    secret_free(exchange);
    return err;
}

/* The device that is there. */

/* PROTOCOL OWN-6: "The certificate of a further device is by the root where the device that admits
 * it holds the root, else by that device." */
static enum err join_certify(struct ledger_txn *txn, const struct welcome_ask *ask,
                             struct buf *identity)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct device_secrets *secrets = ledger_secrets(txn->ledger);
    const struct signing_key *root = ledger_root_key(txn->ledger);
    struct certificate certificate = {.member = secrets->member,
                                      .device = ask->device,
                                      .certifier = secrets->member,
                                      .time_ms = txn->now_ms,
                                      .name = span_str(ask->name)};
    struct span chain[VIEW_CHAIN_MAX];
    struct buf statement = {0};
    size_t count = 0;
    enum err err = ERR_OK;

    if (root == NULL) {
        certificate.certifier = *ledger_device(txn->ledger);
        err = view_device_chain(&snapshot, ledger_device(txn->ledger), chain, &count);
        if (err == ERR_OK)
            err = view_device_may_certify(&snapshot, &certificate);
        if (err == ERR_FORGED)
            err = ERR_LIMIT; /* My chain leads here; it has no room. */
    }
    memcpy(certificate.static_key, ask->static_key, KEY_SIZE);
    memcpy(certificate.receiving_key, ask->receiving_key, KEY_SIZE);
    if (err == ERR_OK)
        err = certificate_issue(&certificate, root != NULL ? root : ledger_signing_key(txn->ledger),
                                &statement);
    if (err == ERR_OK) {
        chain[count] = buf_span(&statement);
        device_put_identity(&secrets->member, &secrets->next_root_hash, chain, count + 1, identity);
        err = buf_err(identity);
    }
    if (err == ERR_OK)
        err = space_put_certificate(txn, &ask->device, buf_span(&statement));
    buf_release(&statement);
    return err;
}

static enum err join_fill(struct span from, uint8_t *out, size_t max, size_t *out_size)
{
    if (from.size > max)
        return ERR_LIMIT;
    if (from.size > 0)
        memcpy(out, from.data, from.size);
    *out_size = from.size;
    return ERR_OK;
}

static enum err join_tell(const struct snapshot *snapshot, struct welcome *out)
{
    const struct device_secrets *secrets = ledger_secrets(snapshot->ledger);
    uint8_t *knocks = secret_new((size_t)8 * KEY_SIZE);
    struct buf host = {0}, addresses = {0};
    struct space_row card;
    size_t count = 0;
    enum err err = knocks != NULL ? ledger_own_space(snapshot, SPACE_CARD, &card) : ERR_NOMEM;

    if (err == ERR_OK)
        err = view_knocks(snapshot, knocks, &count);
    if (err == ERR_OK && count == 0)
        err = ERR_STATE;
    if (err == ERR_OK)
        err = join_secret(snapshot, out->secret);
    if (err == ERR_OK)
        err = view_identity(snapshot, &host);
    if (err == ERR_OK)
        err = join_fill(buf_span(&host), out->host, sizeof out->host, &out->host_size);
    if (err == ERR_OK)
        err = view_peer_own_addresses(snapshot, &addresses);
    if (err == ERR_OK)
        err = join_fill(buf_span(&addresses), out->addresses, sizeof out->addresses,
                        &out->addresses_size);
    if (err == ERR_OK) {
        out->member = secrets->member;
        out->next_root_hash = secrets->next_root_hash;
        memcpy(out->recovery_public, secrets->recovery_public, KEY_SIZE);
        out->self_space = *ledger_self_space(snapshot->ledger);
        out->card_space = card.id;
        memcpy(out->knock, knocks, KEY_SIZE);
    }
    secret_free(knocks);
    buf_release(&host);
    buf_release(&addresses);
    return err;
}

enum err join_admit(struct ledger_txn *txn, const struct welcome_ask *ask, struct welcome *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct retire_state state;
    struct buf identity = {0};
    enum err err = retire_table_state(&snapshot, ledger_device(txn->ledger), &state);

    if (err == ERR_OK && (state.is_retired || txn->is_joining))
        err = ERR_STATE;
    if (err == ERR_OK)
        err = join_certify(txn, ask, &identity);
    if (err == ERR_OK)
        err = ledger_follow(txn);
    if (err == ERR_OK)
        err = join_tell(&snapshot, out);
    if (err == ERR_OK)
        err = join_fill(buf_span(&identity), out->identity, sizeof out->identity,
                        &out->identity_size);
    buf_release(&identity);
    return err;
}

/* A store for it. */

static enum err join_put_flag(struct ledger_txn *txn)
{
    static const uint8_t yes = 1;
    struct key key;

    key_of_byte(META_JOINING, &key);
    return ledger_put_sealed(txn, TABLE_META, &key, span_of(&yes, 1));
}

static enum err join_put_welcome(struct ledger_txn *txn, const struct welcome *welcome)
{
    uint8_t plain[JOIN_ROW_SIZE];
    struct key key;
    enum err err;

    key_of_byte(META_WELCOME, &key);
    memcpy(plain, welcome->secret, KEY_SIZE);
    memcpy(plain + KEY_SIZE, welcome->knock, KEY_SIZE);
    err = ledger_put_secret(txn, &key, span_of(plain, sizeof plain));
    secret_wipe(plain, sizeof plain);
    return err;
}

static enum err join_add_spaces(struct ledger_txn *txn, const struct welcome *welcome)
{
    struct space_row self = {.id = welcome->self_space,
                             .kind = SPACE_SELF,
                             .is_mine = true,
                             .writer = welcome->member,
                             .is_unsettled = true};
    struct space_row card = self;
    enum err err = ledger_add_space(txn, &self);

    card.id = welcome->card_space;
    card.kind = SPACE_CARD;
    return err == ERR_OK ? ledger_add_space(txn, &card) : err;
}

static enum err join_learn(struct ledger_txn *txn, const struct welcome *welcome,
                           const struct device_chain *host, const struct device_chain *mine)
{
    enum err err = view_device_learn(txn, host);

    if (err == ERR_OK)
        err = view_device_learn(txn, mine);
    return err == ERR_OK
               ? view_peer_reached(txn, &device_of(host)->device,
                                   span_of(welcome->addresses, welcome->addresses_size), 0)
               : err;
}

/* PROTOCOL WELCOME-3: "A new device takes a welcome whose two identities are both of the member,
 * and of which the first ends with the keys it asked for." */
static enum err join_check(const struct device_secrets *secrets, const struct welcome *welcome,
                           struct device_chain *out_host, struct device_chain *out_mine)
{
    struct welcome_ask ask;
    struct hash next_root;
    enum err err =
        device_read_identity(span_of(welcome->host, welcome->host_size), out_host, &next_root);

    if (err == ERR_OK)
        err = device_read_identity(span_of(welcome->identity, welcome->identity_size), out_mine,
                                   &next_root);
    if (err == ERR_OK)
        err = join_ask_of(secrets, span_of(NULL, 0), &ask);
    if (err == ERR_OK &&
        (!public_key_is_equal(&out_host->member, &welcome->member) ||
         !public_key_is_equal(&out_mine->member, &welcome->member) ||
         !public_key_is_equal(&device_of(out_mine)->device, &ask.device) ||
         memcmp(device_of(out_mine)->static_key, ask.static_key, KEY_SIZE) != 0 ||
         memcmp(device_of(out_mine)->receiving_key, ask.receiving_key, KEY_SIZE) != 0))
        err = ERR_FORGED;
    return err;
}

enum err join_create(struct kv *kv, struct device_secrets *secrets, const struct entropy *entropy,
                     const struct welcome *welcome, uint64_t now_ms)
{
    struct device_chain host, mine;
    struct ledger *ledger;
    struct ledger_txn *txn;
    enum err err = join_check(secrets, welcome, &host, &mine);

    if (err != ERR_OK)
        return err;
    secrets->member = welcome->member;
    secrets->next_root_hash = welcome->next_root_hash;
    memcpy(secrets->recovery_public, welcome->recovery_public, KEY_SIZE);
    err = ledger_create_empty(kv, secrets, entropy, &welcome->self_space, now_ms, &ledger, &txn);
    if (err != ERR_OK)
        return err;
    txn->is_joining = true;
    err = join_put_flag(txn);
    if (err == ERR_OK)
        err = join_put_welcome(txn, welcome);
    if (err == ERR_OK)
        err = join_add_spaces(txn, welcome);
    if (err == ERR_OK)
        err = join_learn(txn, welcome, &host, &mine);
    if (err == ERR_OK)
        err = ledger_commit(txn, NULL);
    else
        ledger_abort(txn);
    ledger_close(ledger);
    return err;
}

/* The first meeting. */

enum err join_is_pending(const struct snapshot *snapshot, bool *out)
{
    struct span row;
    struct key key;
    enum err err;

    key_of_byte(META_JOINING, &key);
    err = ledger_get_sealed(snapshot, TABLE_META, &key, &row);
    *out = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL OWN-7: "A new device writes in no space before it holds all that was announced at its
 * first meeting with another device of its member" */
enum err join_finish(struct ledger_txn *txn)
{
    struct key key;
    enum err err = ledger_follow(txn);

    if (err != ERR_OK || !txn->is_joining || follow_txn_is_behind(txn))
        return err;
    key_of_byte(META_JOINING, &key);
    err = ledger_erase(txn, TABLE_META, &key);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        txn->is_joining = false;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* What own devices share. */

static enum err join_shared(const struct snapshot *snapshot, size_t at,
                            uint8_t out[static KEY_SIZE])
{
    struct buf opened = {0};
    struct key key;
    enum err err;

    key_of_byte(META_WELCOME, &key);
    err = ledger_get_secret(snapshot, &key, &opened);
    if (err == ERR_OK && opened.size != KEY_SIZE && opened.size != JOIN_ROW_SIZE)
        err = ERR_CORRUPT;
    if (err == ERR_OK && opened.size < at + KEY_SIZE)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        memcpy(out, opened.data + at, KEY_SIZE);
    if (opened.data != NULL)
        secret_wipe(opened.data, opened.capacity);
    buf_release(&opened);
    return err;
}

/* PROTOCOL OWN-1: "The psk between devices of one member is KDF(key, `kith sibling`, nothing),
 * where key is that of the first epoch of the self space. The member's first device opens it when
 * the member is made". It is the first entry of that device's store, whatever became of its log;
 * another device may have opened one of the same depth since. */
static enum err join_first_epoch(const struct snapshot *snapshot, struct hash *out)
{
    struct log_id id = {.space = *ledger_self_space(snapshot->ledger)};
    struct entry_row first;
    struct space_row self;
    struct log_row log;
    struct epoch epoch;
    enum err err = ledger_space(snapshot, &id.space, &self);

    if (err == ERR_OK)
        err = ledger_entry(snapshot, 1, &first);
    if (err == ERR_OK)
        err = ledger_log_numbered(snapshot, first.log, &log);
    if (err != ERR_OK)
        return err;
    if (log.space != self.number || first.entry.header.epoch_index != 0 ||
        first.entry.payload.size == 0)
        return ERR_NOT_FOUND;
    id.device = log.device;
    err = epoch_read(&id, first.entry.payload, &epoch);
    *out = epoch.id;
    return err == ERR_MALFORMED || epoch.is_use ? ERR_NOT_FOUND : err;
}

static enum err join_derive(const struct snapshot *snapshot, uint8_t out[static KEY_SIZE])
{
    uint8_t *key = secret_new(KEY_SIZE);
    struct hash first;
    enum err err = key != NULL ? join_first_epoch(snapshot, &first) : ERR_NOMEM;

    if (err == ERR_OK)
        err = epoch_table_key(snapshot, &first, key);
    if (err == ERR_OK)
        digest_derive(key, "kith sibling", span_of(NULL, 0), out);
    secret_free(key);
    return err == ERR_KEY_MISSING ? ERR_NOT_FOUND : err;
}

enum err join_begin(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t *secret = secret_new(KEY_SIZE);
    enum err err = secret != NULL ? join_derive(&snapshot, secret) : ERR_NOMEM;
    struct key key;

    key_of_byte(META_WELCOME, &key);
    if (err == ERR_OK)
        err = ledger_put_secret(txn, &key, span_of(secret, KEY_SIZE));
    secret_free(secret);
    return err;
}

enum err join_secret(const struct snapshot *snapshot, uint8_t out[static KEY_SIZE])
{
    enum err err = join_shared(snapshot, 0, out);

    /* A first device whose store is older than the row. */
    return err == ERR_NOT_FOUND ? join_derive(snapshot, out) : err;
}

struct join_look {
    const struct snapshot *snapshot;
    bool is_any_out;
};

static enum err join_on_device(void *self, const struct device_row *device)
{
    struct join_look *look = self;
    enum standing standing = STANDING_GOOD;
    enum err err = standing_of(look->snapshot, &device->device, &standing);

    look->is_any_out |= standing_is_out(standing);
    return err;
}

/* PROTOCOL OWN-2: "and, while none of them is shut out, KDF(psk, `kith own knock`, nothing)" */
enum err join_knock_between(const struct snapshot *snapshot, uint8_t out[static KEY_SIZE])
{
    struct join_look look = {.snapshot = snapshot};
    uint8_t *secret = secret_new(KEY_SIZE);
    enum err err = secret != NULL ? view_device_each(snapshot, ledger_member(snapshot->ledger),
                                                     join_on_device, &look)
                                  : ERR_NOMEM;

    if (err == ERR_OK)
        err = look.is_any_out ? ERR_NOT_FOUND : join_secret(snapshot, secret);
    if (err == ERR_OK)
        digest_derive(secret, "kith own knock", span_of(NULL, 0), out);
    secret_free(secret);
    return err;
}

/* PROTOCOL OWN-12: "Two own devices have a knock with each other, too: KDF(X25519(static key of
 * one, static key of the other), `kith mutual`, psk)." */
enum err join_knock_mutual(const struct snapshot *snapshot, const struct exchange_key *own,
                           const uint8_t other[static KEY_SIZE], uint8_t out[static KEY_SIZE])
{
    uint8_t *secret = secret_new((size_t)2 * KEY_SIZE);
    enum err err = secret != NULL ? join_secret(snapshot, secret) : ERR_NOMEM;

    if (err == ERR_OK)
        err = identity_agree(own->secret, other, secret + KEY_SIZE);
    if (err == ERR_OK)
        digest_derive(secret + KEY_SIZE, "kith mutual", span_of(secret, KEY_SIZE), out);
    secret_free(secret);
    return err;
}

enum err join_knock(const struct snapshot *snapshot, uint8_t out[static KEY_SIZE])
{
    return join_shared(snapshot, KEY_SIZE, out);
}
