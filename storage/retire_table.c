/* One row for each device and reason, one for each space and device: what was stated twice is kept
 * once, by the same rule on every node. */
#include "storage/retire_table.h"

#include <string.h>

#include "proto/limits.h"
#include "storage/agenda.h"
#include "storage/endorsement_table.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/space.h"
#include "storage/standing.h"
#include "storage/view_certificate.h"

enum err retire_table_has_any(const struct snapshot *snapshot, bool *out)
{
    uint64_t count = 0;
    enum err err = kv_count(snapshot->kv, TABLE_RETIRE, &count);

    *out = count > 0;
    return err;
}

static void retire_table_key(const struct public_key *device, enum retire_reason reason,
                             struct key *out)
{
    key_of_bytes(span_of(device->bytes, 32), out);
    key_add_byte(out, (uint8_t)reason);
}

static void retire_table_keep_key(uint32_t space, const struct public_key *device, struct key *out)
{
    key_of_u32(space, out);
    key_add_bytes(out, span_of(device->bytes, 32));
}

enum err retire_table_state(const struct snapshot *snapshot, const struct public_key *device,
                            struct retire_state *out)
{
    bool has_any;
    enum err err = retire_table_has_any(snapshot, &has_any);

    *out = (struct retire_state){0};
    if (err != ERR_OK || !has_any)
        return err;
    for (int reason = RETIRE_STOLEN; reason >= RETIRE_FORKED; reason--) {
        struct span row;
        struct key key;

        retire_table_key(device, (enum retire_reason)reason, &key);
        err = ledger_get_sealed(snapshot, TABLE_RETIRE, &key, &row);
        if (err == ERR_OK) {
            out->is_retired = true;
            out->reason = (enum retire_reason)reason;
        }
        if (err != ERR_NOT_FOUND)
            return err;
    }
    return ERR_OK;
}

enum err retire_table_keep(const struct snapshot *snapshot, uint32_t space,
                           const struct public_key *device, struct keep *out)
{
    struct span row;
    struct key key;
    enum err err;

    retire_table_keep_key(space, device, &key);
    err = ledger_get_sealed(snapshot, TABLE_KEEP, &key, &row);
    if (err == ERR_OK)
        err = retire_read_keep(row, out);
    return err == ERR_MALFORMED || err == ERR_FORGED ? ERR_CORRUPT : err;
}

/* Does this device's chain lead through the signer? */
static enum err retire_table_is_above(const struct snapshot *snapshot,
                                      const struct public_key *signer, struct public_key device,
                                      bool *out)
{
    *out = public_key_is_equal(signer, &device);
    for (size_t depth = 0; depth < CHAIN_CERTIFICATES_MAX && !*out; depth++) {
        struct device_row row;
        enum err err = view_device(snapshot, &device, &row);

        if (err != ERR_OK)
            return err == ERR_NOT_FOUND ? ERR_OK : err;
        device = row.certifier;
        *out = public_key_is_equal(signer, &device);
    }
    return ERR_OK;
}

/* Who says so, of which device: the common part of both statements. */
struct retire_table_word {
    const struct public_key *member; /* whose devices it may be about */
    const struct public_key *said_by, *signer, *device;
    bool is_grave; /* of reasons that shut a device out */
};

/* PROTOCOL RETIRE-4: "It counts for devices of its signer's member. Once found good it stays, even
 * if the log that brought it is cut." */
/* PROTOCOL STOLEN-4: "That a device is given up or stolen counts where the root says it, or a
 * device of the chain that leads to it, itself the last." */
static enum err retire_table_may(const struct snapshot *snapshot,
                                 const struct retire_table_word *word)
{
    enum standing standing = STANDING_GOOD;
    struct device_row row;
    bool is_above = true;
    enum err err = view_device(snapshot, word->device, &row);

    if (err == ERR_OK && (!public_key_is_equal(&row.member, word->member) ||
                          !public_key_is_equal(word->said_by, word->member)))
        err = ERR_FORGED;
    if (err == ERR_OK && public_key_is_equal(word->signer, word->member))
        return ERR_OK;
    if (err == ERR_OK)
        err = standing_of(snapshot, word->signer, &standing);
    if (err == ERR_OK && word->is_grave)
        err = retire_table_is_above(snapshot, word->signer, *word->device, &is_above);
    return err == ERR_OK && (!is_above || standing_is_out(standing)) ? ERR_FORGED : err;
}

/* Logs of this device, in every space its member writes. */
static enum err retire_table_apply(struct ledger_txn *txn, const struct public_key *member,
                                   const struct public_key *device)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = ERR_OK;

    for (uint32_t number = 1; err == ERR_OK && number <= txn->counters.spaces; number++) {
        struct space_row space;

        err = ledger_space_numbered(&snapshot, number, &space);
        if (err == ERR_OK && public_key_is_equal(&space.writer, member))
            err = keep_apply(txn, &space, device);
    }
    return err;
}

/* PROTOCOL STOLEN-5: "How much of a log counts of a device that is given up or stolen is said by
 * the root or by a device above it, not by itself." */
static enum err retire_table_may_keep(const struct snapshot *snapshot,
                                      const struct retire_table_word *word)
{
    enum standing standing = STANDING_GOOD;
    bool is_above = true;
    enum err err = standing_of(snapshot, word->device, &standing);

    if (err != ERR_OK || !standing_is_out(standing) ||
        public_key_is_equal(word->signer, word->member))
        return err;
    if (public_key_is_equal(word->signer, word->device))
        return ERR_FORGED;
    err = retire_table_is_above(snapshot, word->signer, *word->device, &is_above);
    return err == ERR_OK && !is_above ? ERR_FORGED : err;
}

/* What was believed of the device about its own logs is so no more. */
static enum err retire_table_judge_keeps(struct ledger_txn *txn, const struct public_key *member,
                                         const struct public_key *device)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = ERR_OK;

    for (uint32_t number = 1; err == ERR_OK && number <= txn->counters.spaces; number++) {
        struct keep keep;
        struct key key;

        err = retire_table_keep(&snapshot, number, device, &keep);
        if (err == ERR_OK)
            err = retire_table_may_keep(&snapshot,
                                        &(struct retire_table_word){.member = member,
                                                                    .said_by = &keep.member,
                                                                    .signer = &keep.signer,
                                                                    .device = device});
        if (err == ERR_FORGED) {
            retire_table_keep_key(number, device, &key);
            err = ledger_erase(txn, TABLE_KEEP, &key);
        }
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return err;
}

/* Which certificates of this device's count is looked at when the views are as they should be. */
static enum err retire_table_judge(struct ledger_txn *txn, const struct public_key *device)
{
    return agenda_put(txn, AGENDA_NOW, KIND_CERTIFICATE,
                      span_of(device->bytes, sizeof device->bytes));
}

static enum err retire_table_take_retirement(struct ledger_txn *txn,
                                             const struct public_key *member,
                                             const struct retirement *retirement,
                                             struct span statement)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span row;
    struct key key;
    enum err err;

    err = retire_table_may(
        &snapshot, &(struct retire_table_word){.member = member,
                                               .said_by = &retirement->member,
                                               .signer = &retirement->signer,
                                               .device = &retirement->device,
                                               .is_grave = retirement->reason != RETIRE_FORKED});
    if (err == ERR_FORGED || err == ERR_NOT_FOUND)
        return ERR_OK;
    retire_table_key(&retirement->device, retirement->reason, &key);
    if (err == ERR_OK)
        err = ledger_get_sealed(&snapshot, TABLE_RETIRE, &key, &row);
    if (err == ERR_OK && span_order(row, statement) <= 0)
        return ERR_OK;
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = ledger_put_sealed(txn, TABLE_RETIRE, &key, statement);
    txn->news.has_links = true; /* It is called no more, or by its old name only. */
    if (err == ERR_OK && public_key_is_equal(member, ledger_member(txn->ledger)))
        txn->must_keep = true;
    if (err == ERR_OK && public_key_is_equal(member, ledger_member(txn->ledger)))
        err = agenda_put(txn, AGENDA_NOW, KIND_CERTIFICATE, span_of(NULL, 0));
    if (err == ERR_OK && retirement->reason != RETIRE_FORKED)
        err = space_shut_out(txn, member);
    if (err == ERR_OK && retirement->reason != RETIRE_FORKED)
        err = endorsement_table_judge(txn, member);
    if (err == ERR_OK && retirement->reason == RETIRE_STOLEN)
        err = retire_table_judge(txn, &retirement->device);
    if (err == ERR_OK && retirement->reason != RETIRE_FORKED)
        err = retire_table_judge_keeps(txn, member, &retirement->device);
    return err == ERR_OK ? retire_table_apply(txn, member, &retirement->device) : err;
}

static enum err retire_table_take_keep(struct ledger_txn *txn, const struct public_key *member,
                                       const struct keep *keep, struct span statement)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct retire_table_word word = {.member = member,
                                           .said_by = &keep->member,
                                           .signer = &keep->signer,
                                           .device = &keep->device};
    struct space_row space;
    struct keep known;
    struct key key;
    enum err err = ledger_space(&snapshot, &keep->space, &space);

    if (err == ERR_NOT_FOUND || (err == ERR_OK && !public_key_is_equal(&space.writer, member)))
        return ERR_OK;
    if (err == ERR_OK)
        err = retire_table_may(&snapshot, &word);
    if (err == ERR_OK)
        err = retire_table_may_keep(&snapshot, &word);
    if (err == ERR_FORGED || err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err == ERR_OK)
        err = retire_table_keep(&snapshot, space.number, &keep->device, &known);
    if (err == ERR_OK && !retire_keep_counts(keep, &known))
        return ERR_OK;
    retire_table_keep_key(space.number, &keep->device, &key);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = ledger_put_sealed(txn, TABLE_KEEP, &key, statement);
    if (err == ERR_OK && space.kind == SPACE_CARD)
        err = retire_table_judge(txn, &keep->device);
    return err == ERR_OK ? keep_apply(txn, &space, &keep->device) : err;
}

static bool retire_table_is_other(enum err err)
{
    return err == ERR_MALFORMED || err == ERR_FORGED;
}

enum err retire_table_take(struct ledger_txn *txn, const struct public_key *member,
                           struct span statement)
{
    struct certificate certificate;
    struct retirement retirement;
    struct keep keep;
    enum err err = retire_read_keep(statement, &keep);

    if (err == ERR_OK)
        return retire_table_take_keep(txn, member != NULL ? member : &keep.member, &keep,
                                      statement);
    if (retire_table_is_other(err))
        err = retire_read(statement, &retirement);
    if (err == ERR_OK)
        return retire_table_take_retirement(txn, member != NULL ? member : &retirement.member,
                                            &retirement, statement);
    if (retire_table_is_other(err))
        err = certificate_read(statement, &certificate);
    if (err == ERR_OK)
        err = view_certificate_take(txn, member != NULL ? member : &certificate.member,
                                    &certificate, NULL);
    return retire_table_is_other(err) ? ERR_OK : err;
}

enum err retire_table_forget(struct ledger_txn *txn, const struct public_key *device)
{
    enum err err = ERR_OK;

    for (int reason = RETIRE_FORKED; err == ERR_OK && reason <= RETIRE_STOLEN; reason++) {
        struct key key;

        retire_table_key(device, (enum retire_reason)reason, &key);
        err = ledger_erase(txn, TABLE_RETIRE, &key);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return err;
}

/* Telling. */

static enum err retire_table_keeps(const struct snapshot *snapshot, const struct public_key *device,
                                   retire_wants_fn wants, retire_fact_fn each, void *self)
{
    struct ledger_counters counters;
    enum err err = ledger_load_counters(snapshot, &counters);

    for (uint32_t number = 1; err == ERR_OK && number <= counters.spaces; number++) {
        struct space_row space;
        struct span row;
        struct key key;

        err = ledger_space_numbered(snapshot, number, &space);
        if (err != ERR_OK || !wants(self, &space))
            continue;
        retire_table_keep_key(number, device, &key);
        err = ledger_get_sealed(snapshot, TABLE_KEEP, &key, &row);
        if (err == ERR_OK)
            err = each(self, row);
        else if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    return err;
}

enum err retire_table_facts(const struct snapshot *snapshot, const struct public_key *device,
                            retire_wants_fn wants, retire_fact_fn each, void *self)
{
    struct span statements[VIEW_CHAIN_MAX];
    size_t count = 0;
    enum err err = view_device_chain(snapshot, device, statements, &count);

    for (size_t at = 0; err == ERR_OK && at < count; at++)
        if (statements[at].size > 0)
            err = each(self, statements[at]);
    for (int reason = RETIRE_FORKED; err == ERR_OK && reason <= RETIRE_STOLEN; reason++) {
        struct span row;
        struct key key;

        retire_table_key(device, (enum retire_reason)reason, &key);
        err = ledger_get_sealed(snapshot, TABLE_RETIRE, &key, &row);
        if (err == ERR_OK)
            err = each(self, row);
        else if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    return err == ERR_OK ? retire_table_keeps(snapshot, device, wants, each, self) : err;
}
