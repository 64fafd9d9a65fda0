/*
 * Opening and closing, snapshots and transactions. Memory is never ahead of the disk: a transaction
 * carries its own copy of the counters, and the ledger keeps none.
 */
#include "storage/ledger.h"

#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/heal.h"
#include "storage/join.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/returns.h"
#include "storage/view_contact.h"
#include "storage/view_search.h"

enum { LEDGER_COUNTERS_SIZE = 8 + 8 + 4 + 4 + 4 + 4 + 1 + 1, LEDGER_COUNTERS_OLD_SIZE = 33 };

/* Counters. */

enum err ledger_load_counters(const struct snapshot *snapshot, struct ledger_counters *out)
{
    struct key key;
    struct span row;
    enum err err;

    key_of_byte(META_STATE, &key);
    err = ledger_get_sealed(snapshot, TABLE_META, &key, &row);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    if (row.size != LEDGER_COUNTERS_SIZE && row.size != LEDGER_COUNTERS_OLD_SIZE)
        return ERR_CORRUPT;
    out->arrival = be64(row.data);
    out->followed = be64(row.data + 8);
    out->logs = be32(row.data + 16);
    out->spaces = be32(row.data + 20);
    out->objects = be32(row.data + 24);
    out->last_log = be32(row.data + 28);
    out->has_ready = row.data[32] != 0;
    out->views = row.size == LEDGER_COUNTERS_SIZE ? row.data[33] : 0;
    return ERR_OK;
}

static enum err ledger_store_counters(struct ledger_txn *txn)
{
    uint8_t row[LEDGER_COUNTERS_SIZE];
    struct key key;

    be64_put(row, txn->counters.arrival);
    be64_put(row + 8, txn->counters.followed);
    be32_put(row + 16, txn->counters.logs);
    be32_put(row + 20, txn->counters.spaces);
    be32_put(row + 24, txn->counters.objects);
    be32_put(row + 28, txn->counters.last_log);
    row[32] = txn->counters.has_ready ? 1 : 0;
    row[33] = txn->counters.views;
    key_of_byte(META_STATE, &key);
    return ledger_put_sealed(txn, TABLE_META, &key, span_of(row, sizeof row));
}

/* Opening. */

static void ledger_free(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    secret_free(ledger->secrets);
    secret_free(ledger->signing);
    secret_free(ledger->root);
    secret_free(ledger->statics);
    secret_free(ledger->receiving);
    secret_free(ledger->last_key);
    secret_free(ledger->old);
    heap_free(ledger);
}

/* The keys a device works with, made from its secrets in locked memory. */
static struct ledger *ledger_new(struct kv *kv, const struct device_secrets *secrets,
                                 const struct entropy *entropy)
{
    struct ledger *ledger = heap_new_zeroed(1, sizeof *ledger);

    if (ledger == NULL)
        return NULL;
    ledger->kv = kv;
    ledger->entropy = *entropy;
    ledger->secrets = secret_new(sizeof *ledger->secrets);
    ledger->signing = secret_new(sizeof *ledger->signing);
    ledger->statics = secret_new(sizeof *ledger->statics);
    ledger->receiving = secret_new(sizeof *ledger->receiving);
    ledger->last_key = secret_new(sizeof *ledger->last_key);
    if (secrets->has_root)
        ledger->root = secret_new(sizeof *ledger->root);
    if (ledger->secrets == NULL || ledger->signing == NULL || ledger->statics == NULL ||
        ledger->receiving == NULL || ledger->last_key == NULL ||
        (secrets->has_root && ledger->root == NULL)) {
        ledger_free(ledger);
        return NULL;
    }
    *ledger->secrets = *secrets;
    identity_signing_key(secrets->signing_seed, ledger->signing);
    identity_exchange_key(secrets->static_seed, ledger->statics);
    identity_exchange_key(secrets->receiving_seed, ledger->receiving);
    if (secrets->has_root)
        identity_signing_key(secrets->root_seed, ledger->root);
    return ledger;
}

static enum err ledger_read_self(struct ledger *ledger)
{
    struct snapshot snapshot;
    struct ledger_counters counters;
    struct span row;
    struct key key;
    enum err err = ledger_snapshot(ledger, &snapshot);

    if (err != ERR_OK)
        return err;
    key_of_byte(META_FORMAT, &key);
    err = ledger_get(&snapshot, TABLE_META, &key, &row);
    if (err == ERR_OK && row.size != 4)
        err = ERR_CORRUPT;
    if (err == ERR_OK && be32(row.data) > STORE_FORMAT)
        err = ERR_VERSION;
    key_of_byte(META_SELF, &key);
    if (err == ERR_OK) {
        err = ledger_get_sealed(&snapshot, TABLE_META, &key, &row);
        err = err == ERR_NOT_FOUND || (err == ERR_OK && row.size != ID_SIZE) ? ERR_CORRUPT : err;
    }
    if (err == ERR_OK) {
        memcpy(ledger->self_space.bytes, row.data, ID_SIZE);
        err = ledger_load_counters(&snapshot, &counters);
    }
    ledger_snapshot_end(&snapshot);
    if (err == ERR_OK)
        err = ledger_settle_device(ledger);
    return err == ERR_OK ? ledger_reload_keys(ledger) : err;
}

enum err ledger_succeed(const struct ledger *before, const struct device_secrets *secrets,
                        struct ledger **out)
{
    struct ledger *ledger = ledger_new(before->kv, secrets, &before->entropy);
    enum err err;

    if (ledger == NULL)
        return ERR_NOMEM;
    ledger->self_space = before->self_space;
    ledger->endorsement_changes = before->endorsement_changes + 1;
    err = ledger_reload_keys(ledger);
    if (err != ERR_OK) {
        ledger_free(ledger);
        return err;
    }
    *out = ledger;
    return ERR_OK;
}

enum err ledger_open(struct kv *kv, const struct device_secrets *secrets,
                     const struct entropy *entropy, struct ledger **out)
{
    struct ledger *ledger = ledger_new(kv, secrets, entropy);
    enum err err;

    if (ledger == NULL)
        return ERR_NOMEM;
    err = ledger_read_self(ledger);
    if (err != ERR_OK) {
        ledger_free(ledger);
        return err;
    }
    *out = ledger;
    return ERR_OK;
}

bool ledger_has_old_views(struct ledger *ledger)
{
    struct ledger_counters counters = {0};
    struct snapshot snapshot;
    bool is_old = false;

    if (ledger_snapshot(ledger, &snapshot) == ERR_OK) {
        is_old =
            ledger_load_counters(&snapshot, &counters) == ERR_OK && counters.views != LEDGER_VIEWS;
        ledger_snapshot_end(&snapshot);
    }
    return is_old;
}

void ledger_close(struct ledger *ledger)
{
    ledger_free(ledger);
}

enum err ledger_create_empty(struct kv *kv, const struct device_secrets *secrets,
                             const struct entropy *entropy, const struct id *self, uint64_t now_ms,
                             struct ledger **out_ledger, struct ledger_txn **out_txn)
{
    struct ledger *ledger = ledger_new(kv, secrets, entropy);
    struct ledger_txn *txn = heap_new_zeroed(1, sizeof *txn);
    struct snapshot snapshot;
    uint8_t format[4];
    struct span row;
    struct key key;
    enum err err = ledger != NULL && txn != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK)
        err = kv_begin(kv, KV_WRITE, &txn->kv);
    if (err != ERR_OK)
        goto free_both;
    txn->ledger = ledger;
    txn->now_ms = now_ms;
    txn->counters.views = LEDGER_VIEWS;
    snapshot = ledger_txn_snapshot(txn);
    key_of_byte(META_FORMAT, &key);
    err = ledger_get(&snapshot, TABLE_META, &key, &row);
    err = err == ERR_OK ? ERR_EXISTS : err == ERR_NOT_FOUND ? ERR_OK : err;
    be32_put(format, STORE_FORMAT);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_META, &key, span_of(format, sizeof format));
    if (self != NULL)
        ledger->self_space = *self;
    else
        id_draw_random(entropy, &ledger->self_space);
    key_of_byte(META_SELF, &key);
    if (err == ERR_OK)
        err = ledger_put_sealed(txn, TABLE_META, &key, span_of(ledger->self_space.bytes, ID_SIZE));
    if (err == ERR_OK)
        err = log_table_find_network(txn);
    if (err == ERR_OK)
        err = ledger_store_counters(txn);
    if (err == ERR_OK) {
        *out_ledger = ledger;
        *out_txn = txn;
        return ERR_OK;
    }
    kv_abort(txn->kv);

free_both:
    heap_free(txn);
    ledger_free(ledger);
    return err;
}

/* What it knows. */

const struct public_key *ledger_member(const struct ledger *ledger)
{
    return &ledger->secrets->member;
}

const struct public_key *ledger_device(const struct ledger *ledger)
{
    return &ledger->signing->public_key;
}

const struct signing_key *ledger_signing_key(const struct ledger *ledger)
{
    return ledger->signing;
}

const struct exchange_key *ledger_static_key(const struct ledger *ledger)
{
    return ledger->statics;
}

const struct exchange_key *ledger_receiving_key(const struct ledger *ledger)
{
    return ledger->receiving;
}

const struct signing_key *ledger_root_key(const struct ledger *ledger)
{
    return ledger->root;
}

const struct device_secrets *ledger_secrets(const struct ledger *ledger)
{
    return ledger->secrets;
}

const struct entropy *ledger_entropy(const struct ledger *ledger)
{
    return &ledger->entropy;
}

const struct id *ledger_self_space(const struct ledger *ledger)
{
    return &ledger->self_space;
}

void ledger_set_disk_low(struct ledger *ledger, bool is_low)
{
    ledger->is_disk_low = is_low;
}

bool ledger_is_disk_low(const struct ledger *ledger)
{
    return ledger->is_disk_low;
}

/* Snapshots and transactions. */

enum err ledger_snapshot(struct ledger *ledger, struct snapshot *out)
{
    out->ledger = ledger;
    return kv_begin(ledger->kv, KV_READ, &out->kv);
}

void ledger_snapshot_end(struct snapshot *snapshot)
{
    kv_abort(snapshot->kv);
    snapshot->kv = NULL;
}

enum err ledger_newest_arrival(const struct snapshot *snapshot, uint64_t *out)
{
    struct ledger_counters counters;
    enum err err = ledger_load_counters(snapshot, &counters);

    if (err == ERR_OK)
        *out = counters.arrival;
    return err;
}

enum err ledger_begin(struct ledger *ledger, uint64_t now_ms, struct ledger_txn **out)
{
    struct ledger_txn *txn = heap_new_zeroed(1, sizeof *txn);
    struct snapshot snapshot;
    enum err err;

    if (txn == NULL)
        return ERR_NOMEM;
    err = kv_begin(ledger->kv, KV_WRITE, &txn->kv);
    if (err != ERR_OK) {
        heap_free(txn);
        return err;
    }
    txn->ledger = ledger;
    txn->now_ms = now_ms;
    ledger->again.now_ms = now_ms != 0 ? now_ms : ledger->again.now_ms;
    snapshot = ledger_txn_snapshot(txn);
    err = ledger_load_counters(&snapshot, &txn->counters);
    if (err == ERR_OK)
        err = join_is_pending(&snapshot, &txn->is_joining);
    if (err == ERR_OK && txn->counters.views != LEDGER_VIEWS) {
        err = check_forget_views(txn);
        if (err == ERR_OK)
            err = log_table_find_network(txn);
    }
    txn->began = txn->counters.arrival;
    if (err != ERR_OK) {
        ledger_abort(txn);
        return err;
    }
    *out = txn;
    return ERR_OK;
}

struct snapshot ledger_txn_snapshot(struct ledger_txn *txn)
{
    return (struct snapshot){.ledger = txn->ledger, .kv = txn->kv};
}

/* One by one at first: most transactions want a few. */
void ledger_draw(struct ledger_txn *txn, struct id *out)
{
    size_t most = sizeof txn->drawn / sizeof txn->drawn[0];
    size_t wanted = txn->drawn_count < most / 4 ? 1 : most;

    if (txn->drawn_left == 0) {
        entropy_fill(&txn->ledger->entropy, txn->drawn[0].bytes, wanted * ID_SIZE);
        txn->drawn_left = wanted;
        txn->drawn_count += wanted;
    }
    *out = txn->drawn[--txn->drawn_left];
}

uint64_t ledger_txn_now_ms(const struct ledger_txn *txn)
{
    return txn->now_ms;
}

uint64_t ledger_txn_written(const struct ledger_txn *txn)
{
    return txn->written;
}

uint64_t ledger_txn_pages(const struct ledger_txn *txn)
{
    return txn->eighths / 8;
}

static void ledger_txn_free(struct ledger_txn *txn)
{
    follow_cache_free(txn->cache);
    view_search_free(txn->search);
    view_contact_free(txn->contacts);
    touched_release(txn);
    heap_free(txn);
}

void ledger_abort(struct ledger_txn *txn)
{
    kv_abort(txn->kv);
    ledger_txn_free(txn);
}

static enum err ledger_sign_head(struct ledger_txn *txn, struct ledger_touched *log)
{
    struct head head;
    enum err err;

    if (log->is_own && log->must_sign) {
        err = head_sign(txn->ledger->signing, &log->id, &log->row.tip, &head);
        if (err != ERR_OK)
            return err;
        memcpy(log->row.head_signature, head.signature, SIGNATURE_SIZE);
        log->must_sign = false;
    }
    return log_table_put(txn, &log->row);
}

/* One head for each own log that grew. */
static enum err ledger_sign_heads(struct ledger_txn *txn)
{
    enum err err = ERR_OK;

    for (struct ledger_touched_chunk *chunk = txn->touched; chunk != NULL; chunk = chunk->next)
        for (size_t at = 0; at < chunk->count && err == ERR_OK; at++)
            err = ledger_sign_head(txn, &chunk->logs[at]);
    return err;
}

enum err ledger_follow(struct ledger_txn *txn)
{
    return follow_inline(txn);
}

/* Ends the transaction with what it has: views may stay behind. */
static enum err ledger_finish(struct ledger_txn *txn, struct ledger_news *out_news)
{
    enum err err = txn->failed != ERR_OK ? txn->failed : ledger_sign_heads(txn);

    if (err == ERR_OK)
        err = view_search_flush(txn);
    if (err == ERR_OK)
        err = view_contact_flush(txn);
    if (err == ERR_OK)
        err = ledger_store_counters(txn);
    if (err != ERR_OK) {
        ledger_abort(txn);
        return err;
    }
    if (out_news != NULL)
        *out_news = txn->news;
    err = kv_commit(txn->kv);
    ledger_txn_free(txn);
    return err;
}

/* What retired devices make necessary, and the views of what it wrote. */
static enum err ledger_do_duties(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool has_any;
    enum err err = retire_table_has_any(&snapshot, &has_any);

    if (err != ERR_OK || !has_any)
        return err;
    if (txn->is_joining || follow_txn_is_behind(txn))
        return heal_do_duty_later(txn);
    err = heal_do_duty(txn);
    if (err == ERR_OK)
        err = returns_do_duty(txn);
    return err == ERR_OK ? ledger_follow(txn) : err;
}

enum err ledger_commit(struct ledger_txn *txn, struct ledger_news *out_news)
{
    enum err err = txn->failed != ERR_OK ? txn->failed : ledger_follow(txn);

    if (err == ERR_OK)
        err = ledger_do_duties(txn);
    if (err == ERR_OK)
        return ledger_finish(txn, out_news);
    ledger_abort(txn);
    return err;
}

enum err ledger_commit_stage(struct ledger_txn *txn)
{
    enum err err = heal_do_duty_later(txn);

    if (err == ERR_OK)
        return ledger_finish(txn, NULL);
    ledger_abort(txn);
    return err;
}

void ledger_note_news(struct ledger_txn *txn, const struct id *space)
{
    struct ledger_news *news = &txn->news;

    for (size_t at = 0; at < news->spaces_count; at++)
        if (id_is_equal(&news->spaces[at], space))
            return;
    if (news->spaces_count == sizeof news->spaces / sizeof news->spaces[0])
        news->is_cut = true;
    else
        news->spaces[news->spaces_count++] = *space;
}
