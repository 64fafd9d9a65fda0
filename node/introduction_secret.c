/* Introduction keys: one for 30 days, shared by all devices of the member through self. */
#include <string.h>

#include "crypto/secret.h"
#include "node/introduction.h"
#include "proto/introduction_bond.h"
#include "proto/limits.h"
#include "storage/row.h"

struct introduction_newest {
    struct id id;
    uint64_t created_ms;
    bool is_found;
};

static bool introduction_secret_is_live(const struct object *key)
{
    return object_value(key, INTRODUCTION_KEY_SECRET).bytes.size == KEY_SIZE &&
           object_value(key, INTRODUCTION_KEY_STATEMENT).bytes.size > 0;
}

static enum err introduction_on_newest(void *self, uint32_t number, const struct object *key)
{
    struct introduction_newest *newest = self;
    uint64_t created_ms = object_number(key, INTRODUCTION_KEY_CREATED);

    (void)number;
    if (introduction_secret_is_live(key) && (!newest->is_found || created_ms > newest->created_ms))
        *newest =
            (struct introduction_newest){.id = key->id, .created_ms = created_ms, .is_found = true};
    return ERR_OK;
}

static enum err introduction_secret_new(struct introduction_case *intro,
                                        uint8_t secret[static KEY_SIZE], struct buf *out_statement)
{
    const struct ledger *ledger = intro->snapshot.ledger;
    const struct public_key *member = ledger_member(ledger);
    struct exchange_key *keys = secret_new(2 * sizeof *keys);
    struct amend amend;
    struct id id;
    enum err err = keys != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK) {
        entropy_fill(ledger_entropy(ledger), secret, KEY_SIZE);
        introduction_bond_keys(secret, member, &intro->row.id, &keys[0], &keys[1]);
        err = introduction_key_issue(ledger_root_key(ledger), keys[0].public_key, intro->now_ms,
                                     out_statement);
    }
    if (err == ERR_OK) {
        id_draw(ledger_entropy(ledger), intro->now_ms, &id);
        amend_begin(&amend, intro->txn, ledger_self_space(ledger), KIND_INTRODUCTION_KEY, &id);
        amend_bytes(&amend, INTRODUCTION_KEY_SECRET, span_of(secret, KEY_SIZE));
        amend_number(&amend, INTRODUCTION_KEY_CREATED, intro->now_ms);
        amend_bytes(&amend, INTRODUCTION_KEY_STATEMENT, buf_span(out_statement));
        err = amend_end(&amend, NULL);
    }
    secret_free(keys);
    return err;
}

enum err introduction_secret_now(struct introduction_case *intro, uint8_t secret[static KEY_SIZE],
                                 struct buf *out_statement)
{
    const struct id *self = ledger_self_space(intro->snapshot.ledger);
    bool has_root = ledger_root_key(intro->snapshot.ledger) != NULL;
    struct introduction_newest newest = {.is_found = false};
    struct object key = {0};
    uint32_t number;
    bool is_old;
    enum err err =
        row_each(&intro->snapshot, self, KIND_INTRODUCTION_KEY, introduction_on_newest, &newest);

    if (err != ERR_OK)
        return err;
    is_old = intro->now_ms > newest.created_ms + INTRODUCTION_KEY_DAYS * MS_PER_DAY;
    if (has_root && (!newest.is_found || is_old))
        return introduction_secret_new(intro, secret, out_statement);
    if (!newest.is_found)
        return ERR_STATE;
    err = row_get(&intro->snapshot, self, KIND_INTRODUCTION_KEY, &newest.id, &key, &number);
    if (err == ERR_OK) {
        memcpy(secret, object_value(&key, INTRODUCTION_KEY_SECRET).bytes.data, KEY_SIZE);
        buf_append(out_statement, object_value(&key, INTRODUCTION_KEY_STATEMENT).bytes);
        err = buf_err(out_statement);
    }
    object_release(&key);
    return err;
}

struct introduction_find {
    struct span statement;
    uint8_t *secret;
};

static enum err introduction_on_key(void *self, uint32_t number, const struct object *key)
{
    struct introduction_find *find = self;

    (void)number;
    if (!introduction_secret_is_live(key) ||
        !span_is_equal(object_value(key, INTRODUCTION_KEY_STATEMENT).bytes, find->statement))
        return ERR_OK;
    memcpy(find->secret, object_value(key, INTRODUCTION_KEY_SECRET).bytes.data, KEY_SIZE);
    return ERR_CANCELLED;
}

enum err introduction_secret_of(const struct snapshot *snapshot, struct span statement,
                                uint8_t secret[static KEY_SIZE])
{
    struct introduction_find find = {.statement = statement, .secret = secret};
    enum err err = row_each(snapshot, ledger_self_space(snapshot->ledger), KIND_INTRODUCTION_KEY,
                            introduction_on_key, &find);

    return err == ERR_CANCELLED ? ERR_OK : err == ERR_OK ? ERR_NOT_FOUND : err;
}

/* Erasing. */

struct introduction_tidy {
    const struct snapshot *snapshot;
    uint64_t now_ms;
    struct buf open; /* hashes of the certified keys that open introductions use */
    struct buf over; /* ids of the keys to erase */
};

static enum err introduction_on_used(void *self, const struct introduction_fact *fact)
{
    struct introduction_tidy *tidy = self;
    struct hash hash;

    if (fact->message.type != INTRODUCTION_YES ||
        !public_key_is_equal(&fact->member, ledger_member(tidy->snapshot->ledger)))
        return ERR_OK;
    statement_hash(fact->message.yes.key, &hash);
    buf_append(&tidy->open, span_of(hash.bytes, HASH_SIZE));
    return buf_err(&tidy->open);
}

static enum err introduction_on_open(void *self, const struct introduction_row *row)
{
    struct introduction_tidy *tidy = self;

    if (row->ended_ms != 0 ||
        public_key_is_equal(&row->introducer, ledger_member(tidy->snapshot->ledger)))
        return ERR_OK;
    return view_introduction_facts(tidy->snapshot, &row->introducer, &row->id, introduction_on_used,
                                   tidy);
}

static enum err introduction_on_old(void *self, uint32_t number, const struct object *key)
{
    struct introduction_tidy *tidy = self;
    uint64_t created_ms = object_number(key, INTRODUCTION_KEY_CREATED);
    struct hash hash;

    (void)number;
    if (!introduction_secret_is_live(key) ||
        tidy->now_ms <= created_ms + INTRODUCTION_KEY_DAYS * MS_PER_DAY)
        return ERR_OK;
    statement_hash(object_value(key, INTRODUCTION_KEY_STATEMENT).bytes, &hash);
    for (size_t at = 0; at < tidy->open.size; at += HASH_SIZE)
        if (memcmp(tidy->open.data + at, hash.bytes, HASH_SIZE) == 0)
            return ERR_OK;
    buf_append(&tidy->over, span_of(key->id.bytes, ID_SIZE));
    return buf_err(&tidy->over);
}

/* PROTOCOL INTRO-4: "A secret that is past its time is erased when no open introduction needs it."
 */
enum err introduction_secret_tidy(struct ledger_txn *txn, uint64_t now_ms)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct id *self = ledger_self_space(snapshot.ledger);
    struct introduction_tidy tidy = {.snapshot = &snapshot, .now_ms = now_ms};
    enum err err = view_introduction_each(&snapshot, NULL, introduction_on_open, &tidy);

    if (err == ERR_OK)
        err = row_each(&snapshot, self, KIND_INTRODUCTION_KEY, introduction_on_old, &tidy);
    for (size_t at = 0; at < tidy.over.size && err == ERR_OK; at += ID_SIZE) {
        struct amend amend;
        struct id id;

        memcpy(id.bytes, tidy.over.data + at, ID_SIZE);
        amend_begin(&amend, txn, self, KIND_INTRODUCTION_KEY, &id);
        amend_clear(&amend, INTRODUCTION_KEY_SECRET);
        err = amend_end(&amend, NULL);
    }
    buf_release(&tidy.open);
    buf_release(&tidy.over);
    return err;
}
