/* Copies first: an effect's memory is the engine's and lives only until its next step. */
#include "node/errand.h"

#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "node/introducee.h"
#include "node/link_join.h"
#include "storage/absent.h"
#include "storage/check.h"
#include "storage/join.h"
#include "storage/journal.h"
#include "storage/keep.h"
#include "storage/retire_table.h"
#include "storage/returns.h"
#include "storage/view_host.h"
#include "storage/view_peer.h"

struct errand_delivery {
    struct public_key peer;
    struct log_id log;
    uint64_t size;
    struct errand_delivery *next;
};

struct errand {
    struct engine_effect effect; /* its spans point to the copies */
    struct buf identity, name, addresses, my_addresses;
    struct link_answer answer;
    struct errand_delivery *deliveries;
};

static struct span errand_keep(struct buf *keep, struct span bytes)
{
    buf_append(keep, bytes);
    return buf_span(keep);
}

static enum err errand_keep_link(struct errand *errand)
{
    struct link_request *request = &errand->effect.link.request;
    struct hash next_root;

    request->identity = errand_keep(&errand->identity, request->identity);
    request->message.name = errand_keep(&errand->name, request->message.name);
    request->message.addresses = errand_keep(&errand->addresses, request->message.addresses);
    request->my_addresses = errand_keep(&errand->my_addresses, request->my_addresses);
    if (buf_err(&errand->identity) != ERR_OK || buf_err(&errand->name) != ERR_OK ||
        buf_err(&errand->addresses) != ERR_OK || buf_err(&errand->my_addresses) != ERR_OK)
        return ERR_NOMEM;
    /* The chain's spans point into the engine's memory: read it again from our own copy. */
    return device_read_identity(request->identity, &request->chain, &next_root);
}

enum err errand_new(const struct engine_effect *effect, struct errand **out)
{
    struct errand *errand = heap_new_zeroed(1, sizeof *errand);
    enum err err = ERR_OK;

    if (errand == NULL) {
        if (effect->type == ENGINE_INGEST)
            verified_batch_free(effect->ingest.batch);
        if (effect->type == ENGINE_RETURNED)
            returned_free(effect->returned.returned);
        return ERR_NOMEM;
    }
    errand->effect = *effect;
    if (effect->type == ENGINE_LINK)
        err = errand_keep_link(errand);
    if (effect->type == ENGINE_REACHED) {
        errand->effect.reached.addresses =
            errand_keep(&errand->addresses, effect->reached.addresses);
        err = buf_err(&errand->addresses);
    }
    if (effect->type == ENGINE_FACTS) {
        errand->effect.facts.list = errand_keep(&errand->identity, effect->facts.list);
        err = buf_err(&errand->identity);
    }
    if (effect->type == ENGINE_FILL) {
        errand->effect.fill.payload = errand_keep(&errand->identity, effect->fill.payload);
        err = buf_err(&errand->identity);
    }
    if (effect->type == ENGINE_MEET) {
        errand->effect.identity = errand_keep(&errand->identity, effect->identity);
        err = buf_err(&errand->identity);
    }
    if (err != ERR_OK) {
        errand_free(errand);
        return err;
    }
    *out = errand;
    return ERR_OK;
}

bool errand_failed(const struct engine_effect *effect, struct engine_event *out)
{
    if (effect->type == ENGINE_INGEST)
        *out =
            (struct engine_event){.type = ENGINE_COMMITTED,
                                  .committed = {.ticket = effect->ingest.ticket, .err = ERR_NOMEM}};
    else if (effect->type == ENGINE_LINK)
        *out = (struct engine_event){.type = ENGINE_LINK_ANSWERED,
                                     .conn = effect->conn,
                                     .link = {.ticket = effect->link.ticket, .err = ERR_NOMEM}};
    else if (effect->type == ENGINE_RETURNED)
        *out = (struct engine_event){
            .type = ENGINE_COMMITTED,
            .committed = {.ticket = effect->returned.ticket, .err = ERR_NOMEM}};
    else if (effect->type == ENGINE_FILL)
        *out =
            (struct engine_event){.type = ENGINE_COMMITTED,
                                  .committed = {.ticket = effect->fill.ticket, .err = ERR_NOMEM}};
    return effect->type == ENGINE_INGEST || effect->type == ENGINE_LINK ||
           effect->type == ENGINE_RETURNED || effect->type == ENGINE_FILL;
}

void errand_collect(struct errand **errand, const struct engine_effect *delivered)
{
    struct errand_delivery *at;

    if (*errand == NULL) {
        *errand = heap_new_zeroed(1, sizeof **errand);
        if (*errand == NULL)
            return;
        (*errand)->effect.type = ENGINE_DELIVERED;
    }
    for (at = (*errand)->deliveries; at != NULL; at = at->next)
        if (public_key_is_equal(&at->peer, &delivered->delivered.peer) &&
            log_id_is_equal(&at->log, &delivered->delivered.log)) {
            at->size = delivered->delivered.size;
            return;
        }
    at = heap_new_zeroed(1, sizeof *at);
    if (at == NULL)
        return;
    at->peer = delivered->delivered.peer;
    at->log = delivered->delivered.log;
    at->size = delivered->delivered.size;
    at->next = (*errand)->deliveries;
    (*errand)->deliveries = at;
}

size_t errand_weight(const struct errand *errand)
{
    if (errand->effect.type == ENGINE_FILL)
        return errand->effect.fill.payload.size;
    if (errand->effect.type == ENGINE_FACTS)
        return errand->effect.facts.list.size;
    if (errand->effect.type == ENGINE_RETURNED)
        return verified_batch_size(errand->effect.returned.returned->batch);
    return errand->effect.type == ENGINE_INGEST ? verified_batch_size(errand->effect.ingest.batch)
                                                : 0;
}

/* A link that is not in the lists yet would be made anew: it is called for again. */
static enum err errand_run_link(struct errand *errand, struct ledger_txn *txn)
{
    const struct link_request *request = &errand->effect.link.request;
    bool is_rebuilding = false;
    enum err err = check_is_rebuilding(txn, &is_rebuilding);

    if (err != ERR_OK || is_rebuilding)
        return err != ERR_OK ? err : ERR_BUSY;
    switch (errand->effect.link.step) {
    case ENGINE_LINK_CLAIM:
        return link_claim(txn, request, &errand->answer);
    case ENGINE_LINK_MAKE:
        return link_make(txn, request, &errand->answer);
    case ENGINE_LINK_COMPLETE:
        return link_complete(txn, request, &errand->answer);
    }
    return ERR_INVALID;
}

static enum err errand_run_deliveries(const struct errand *errand, struct ledger_txn *txn)
{
    enum err err = ERR_OK;

    for (const struct errand_delivery *at = errand->deliveries; at != NULL && err == ERR_OK;
         at = at->next)
        err = view_delivered(txn, &at->peer, &at->log, at->size);
    return err;
}

static enum err errand_run_journal(const struct errand *errand, struct ledger_txn *txn)
{
    struct journal_row row = {.at_ms = ledger_txn_now_ms(txn),
                              .kind = span_str(errand->effect.journal.kind),
                              .who = span_str(errand->effect.journal.who),
                              .text = span_str(errand->effect.journal.text)};

    return journal_add(txn, &row);
}

static enum err errand_run_reached(const struct engine_effect *effect, struct ledger_txn *txn)
{
    enum err err = view_peer_reached(txn, &effect->reached.device, effect->reached.addresses,
                                     effect->reached.seen_at_ms);

    if (err == ERR_OK && effect->reached.has_place)
        err = view_host_seen(txn, effect->reached.place, effect->reached.seen_at_ms);
    return err;
}

static enum err errand_run_confirmed(const struct errand *errand, struct ledger_txn *txn)
{
    const struct public_key *member = &errand->effect.confirmed.member;
    const struct hash *secret =
        errand->effect.confirmed.has_secret ? &errand->effect.confirmed.secret : NULL;
    enum err err = link_confirmed(txn, member, secret);

    return err == ERR_OK ? link_join_drop(txn, member) : err;
}

/* Statements are believed of whoever signed them, by whatever way they came; the first ones make
 * known the devices that the later ones are about. Own devices tell of everybody's. */
static enum err errand_run_facts(const struct engine_effect *effect, struct ledger_txn *txn)
{
    const struct public_key *own = ledger_member(ledger_txn_snapshot(txn).ledger);
    const struct public_key *other = &effect->facts.member;
    struct span list = effect->facts.list;
    bool is_sibling = public_key_is_equal(own, other);
    enum err err = ERR_OK;

    while (err == ERR_OK && list.size >= 2) {
        size_t size = be16(list.data);

        if (size > list.size - 2)
            return ERR_INVALID;
        err = retire_table_take(txn, is_sibling ? NULL : own, span_of(list.data + 2, size));
        if (err == ERR_OK && !is_sibling)
            err = retire_table_take(txn, other, span_of(list.data + 2, size));
        list = span_of(list.data + 2 + size, list.size - 2 - size);
    }
    if (err == ERR_OK)
        err = view_device_news(txn, is_sibling ? NULL : own);
    return err == ERR_OK && !is_sibling ? view_device_news(txn, other) : err;
}

static enum err errand_run_meet(struct span identity, struct ledger_txn *txn)
{
    struct device_chain chain;
    struct hash next_root;
    enum err err = device_read_identity(identity, &chain, &next_root);

    return err == ERR_OK ? view_device_meet(txn, &chain) : err;
}

enum err errand_run(struct errand *errand, struct ledger_txn *txn)
{
    const struct engine_effect *effect = &errand->effect;

    switch (effect->type) {
    case ENGINE_INGEST:
        return effect->ingest.is_shared ? ledger_ingest_shared(txn, effect->ingest.batch)
                                        : ledger_ingest(txn, effect->ingest.batch);
    case ENGINE_RETURNED:
        return returns_take(txn, effect->returned.returned, &effect->returned.member);
    case ENGINE_FILL:
        return absent_fill(txn, &effect->fill.log, effect->fill.seq, effect->fill.payload);
    case ENGINE_FACTS:
        return errand_run_facts(effect, txn);
    case ENGINE_REBASE:
        return keep_rebase(txn, &effect->rebase.log, effect->rebase.size);
    case ENGINE_MEET:
        return errand_run_meet(effect->identity, txn);
    case ENGINE_LINK:
        return errand_run_link(errand, txn);
    case ENGINE_REACHED:
        return errand_run_reached(effect, txn);
    case ENGINE_DELIVERED:
        return errand_run_deliveries(errand, txn);
    case ENGINE_CONFIRMED:
        return errand_run_confirmed(errand, txn);
    case ENGINE_MET:
        return introducee_met(txn, &effect->member);
    case ENGINE_JOINED:
        return join_finish(txn);
    case ENGINE_REFUSED:
        return link_refused(txn, &effect->refused.acceptance, effect->refused.refusal);
    case ENGINE_JOURNAL:
        return errand_run_journal(errand, txn);
    case ENGINE_SEND:
    case ENGINE_CLOSE:
    case ENGINE_DIAL:
    case ENGINE_PRESENCE:
        break;
    }
    return ERR_INVALID;
}

size_t errand_events(const struct errand *errand, enum err err,
                     struct engine_event out[static ERRAND_EVENTS_MAX])
{
    const struct engine_effect *effect = &errand->effect;
    const struct engine_event changed = {.type = ENGINE_PEERS_CHANGED};
    bool is_link = effect->type == ENGINE_LINK;
    size_t count = 0;

    if (err == ERR_OK &&
        (is_link || effect->type == ENGINE_CONFIRMED || effect->type == ENGINE_REFUSED ||
         effect->type == ENGINE_JOINED || effect->type == ENGINE_MEET))
        out[count++] = changed;
    if (effect->type == ENGINE_INGEST)
        out[count++] = (struct engine_event){
            .type = ENGINE_COMMITTED, .committed = {.ticket = effect->ingest.ticket, .err = err}};
    if (effect->type == ENGINE_FILL)
        out[count++] = (struct engine_event){
            .type = ENGINE_COMMITTED, .committed = {.ticket = effect->fill.ticket, .err = err}};
    if (effect->type == ENGINE_RETURNED)
        out[count++] = (struct engine_event){
            .type = ENGINE_COMMITTED, .committed = {.ticket = effect->returned.ticket, .err = err}};
    if (is_link)
        out[count++] = (struct engine_event){
            .type = ENGINE_LINK_ANSWERED,
            .conn = effect->conn,
            .link = {.ticket = effect->link.ticket, .err = err, .answer = &errand->answer}};
    return count;
}

bool errand_brings_proof(const struct errand *errand, uint8_t out_handshake_hash[static HASH_SIZE])
{
    const struct engine_effect *effect = &errand->effect;

    if (effect->type == ENGINE_FACTS)
        memcpy(out_handshake_hash, effect->facts.handshake_hash, HASH_SIZE);
    else if (effect->type == ENGINE_RETURNED && effect->returned.returned->is_last)
        memcpy(out_handshake_hash, effect->returned.handshake_hash, HASH_SIZE);
    else
        return false;
    return true;
}

void errand_free(struct errand *errand)
{
    struct errand_delivery *next;

    if (errand == NULL)
        return;
    if (errand->effect.type == ENGINE_INGEST)
        verified_batch_free(errand->effect.ingest.batch);
    if (errand->effect.type == ENGINE_RETURNED)
        returned_free(errand->effect.returned.returned);
    for (struct errand_delivery *at = errand->deliveries; at != NULL; at = next) {
        next = at->next;
        heap_free(at);
    }
    buf_release(&errand->identity);
    buf_release(&errand->name);
    buf_release(&errand->addresses);
    buf_release(&errand->my_addresses);
    if (errand->effect.type == ENGINE_LINK)
        secret_wipe(errand, sizeof *errand);
    heap_free(errand);
}
