/* One row for each device, reason and signer; of keeps two for each space, device and signer: the
 * one that counts of all, and of those that the signer's log here holds, since that is what is left
 * of its word when it is stolen. Of one signer's the same is kept by the same rule on every node.
 */
#include "storage/retire_table.h"

#include <string.h>

#include "storage/ledger_state.h"
#include "storage/retire_rows.h"

enum {
    RETIRE_TABLE_OLD_SIZE = 32 + 1, /* of an older program: read for its signer */
    RETIRE_TABLE_SIZE = 32 + 1 + 1 + 32
};

enum err retire_table_has_any(const struct snapshot *snapshot, bool *out)
{
    uint64_t count = 0;
    enum err err = kv_count(snapshot->kv, TABLE_RETIRE, &count);

    *out = count > 0;
    return err;
}

void retire_table_key(const struct public_key *device, enum retire_reason reason, struct key *out)
{
    key_of_bytes(span_of(device->bytes, 32), out);
    key_add_byte(out, (uint8_t)reason);
}

void retire_table_keep_key(uint32_t space, const struct public_key *device, struct key *out)
{
    key_of_u32(space, out);
    key_add_bytes(out, span_of(device->bytes, 32));
}

/* The root's row comes first. */
void retire_table_add_signer(const struct public_key *signer, const struct public_key *member,
                             struct key *out)
{
    key_add_byte(out, public_key_is_equal(signer, member) ? 0 : 1);
    key_add_bytes(out, span_of(signer->bytes, 32));
}

/* Reading. */

struct retire_table_walk {
    retire_word_fn each;
    void *self;
};

static enum err retire_table_on_row(void *self, struct span key, struct span value)
{
    const struct retire_table_walk *walk = self;
    struct retirement retirement;
    enum err err = ERR_OK;

    if (key.size == RETIRE_TABLE_SIZE)
        memcpy(retirement.signer.bytes, key.data + key.size - 32, 32);
    else
        err = key.size == RETIRE_TABLE_OLD_SIZE ? retire_read(value, &retirement) : ERR_CORRUPT;
    return err == ERR_OK ? walk->each(walk->self, &retirement.signer, value) : ERR_CORRUPT;
}

enum err retire_table_each(const struct snapshot *snapshot, const struct public_key *device,
                           enum retire_reason reason, retire_word_fn each, void *self)
{
    struct retire_table_walk walk = {.each = each, .self = self};
    struct key prefix;

    retire_table_key(device, reason, &prefix);
    return ledger_each_sealed(snapshot, TABLE_RETIRE, key_span(&prefix), retire_table_on_row,
                              &walk);
}

struct retire_table_search {
    const struct snapshot *snapshot;
    const struct standing_line *line;
    enum retire_reason reason;
    bool is_said;
};

/* PROTOCOL STOLEN-4: "That a device is given up or stolen counts where the root says it, or a
 * device of the chain that leads to it, itself the last." */
static enum err retire_table_on_word(void *self, const struct public_key *signer,
                                     struct span statement)
{
    struct retire_table_search *search = self;
    struct standing_word word = {.signer = signer, .statement = statement, .kind = KIND_RETIRE};

    if (search->is_said)
        return ERR_OK;
    if (search->reason == RETIRE_FORKED &&
        !public_key_is_equal(signer, &search->line->places[search->line->count - 1].device))
        return standing_is_credible(search->snapshot, &search->line->member, &word,
                                    &search->is_said);
    return standing_is_said_above(search->snapshot, search->line, &word, true, &search->is_said);
}

enum err retire_table_state_on(const struct snapshot *snapshot, const struct standing_line *line,
                               struct retire_state *out)
{
    struct retire_table_search search = {.snapshot = snapshot, .line = line};
    const struct standing_place *last = &line->places[line->count - 1];
    enum err err = ERR_OK;

    *out = (struct retire_state){.is_retired = last->is_stolen,
                                 .reason = last->is_stolen ? RETIRE_STOLEN : 0};
    for (int reason = RETIRE_OWNER; err == ERR_OK && !out->is_retired && reason >= RETIRE_FORKED;
         reason--) {
        search.reason = (enum retire_reason)reason;
        err = retire_table_each(snapshot, &last->device, search.reason, retire_table_on_word,
                                &search);
        if (search.is_said)
            *out = (struct retire_state){.is_retired = true, .reason = search.reason};
    }
    return err;
}

enum err retire_table_state(const struct snapshot *snapshot, const struct public_key *device,
                            struct retire_state *out)
{
    struct standing_line line;
    bool has_any;
    enum err err = retire_table_has_any(snapshot, &has_any);

    *out = (struct retire_state){0};
    if (err != ERR_OK || !has_any)
        return err;
    err = standing_line_of(snapshot, device, NULL, &line);
    if (err == ERR_OK)
        err = retire_table_state_on(snapshot, &line, out);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

struct retire_table_found {
    const struct snapshot *snapshot;
    struct space_row space;
    struct standing_line line;
    bool is_out; /* the device */
    struct keep best;
    struct span found; /* the statement of the best */
    bool is_found;
};

/* PROTOCOL STOLEN-5: "How much of a log counts of a device that is given up or stolen is said by
 * the root or by a device above it, not by itself." */
static enum err retire_table_on_keep(void *self, struct span key, struct span value)
{
    struct retire_table_found *keeps = self;
    struct keep keep;
    struct standing_word word = {
        .signer = &keep.signer, .statement = value, .space = &keeps->space, .kind = KIND_KEEP};
    bool counts = false;
    enum err err = retire_read_keep(value, &keep);

    (void)key;
    if (err == ERR_OK && keeps->is_out)
        err = standing_is_said_above(keeps->snapshot, &keeps->line, &word, false, &counts);
    else if (err == ERR_OK)
        err = standing_is_credible(keeps->snapshot, &keeps->line.member, &word, &counts);
    if (err != ERR_OK || !counts)
        return err == ERR_MALFORMED || err == ERR_FORGED ? ERR_CORRUPT : err;
    if (keeps->is_found && !retire_keep_counts(&keep, &keeps->best))
        return ERR_OK;
    keeps->is_found = true;
    keeps->best = keep;
    keeps->found = value;
    return ERR_OK;
}

/* PROTOCOL RETIRE-5: "Of several keeps for one log the least size counts, then the least hash." */
static enum err retire_table_find_keep(const struct snapshot *snapshot, uint32_t space,
                                       const struct public_key *device,
                                       struct retire_table_found *out)
{
    enum standing standing = STANDING_GOOD;
    struct key prefix;
    size_t count;
    enum err err;

    *out = (struct retire_table_found){.snapshot = snapshot};
    retire_table_keep_key(space, device, &prefix);
    err = ledger_count_rows(snapshot, TABLE_KEEP, key_span(&prefix), 1, &count);
    if (err != ERR_OK || count == 0)
        return err == ERR_OK ? ERR_NOT_FOUND : err;
    err = ledger_space_numbered(snapshot, space, &out->space);
    if (err == ERR_OK)
        err = standing_line_of(snapshot, device, &out->space.writer, &out->line);
    if (err == ERR_OK)
        err = standing_of(snapshot, device, &standing);
    out->is_out = standing_is_out(standing);
    if (err == ERR_OK)
        err =
            ledger_each_sealed(snapshot, TABLE_KEEP, key_span(&prefix), retire_table_on_keep, out);
    return err == ERR_OK && !out->is_found ? ERR_NOT_FOUND : err;
}

enum err retire_table_keep(const struct snapshot *snapshot, uint32_t space,
                           const struct public_key *device, struct keep *out)
{
    struct retire_table_found keeps;
    enum err err = retire_table_find_keep(snapshot, space, device, &keeps);

    *out = keeps.best;
    return err;
}

/* Telling. */

struct retire_table_telling {
    struct retire_table_search search;
    retire_fact_fn each;
    void *self;
};

/* What counts here. */
static enum err retire_table_on_told(void *self, const struct public_key *signer,
                                     struct span statement)
{
    struct retire_table_telling *telling = self;
    enum err err;

    telling->search.is_said = false;
    err = retire_table_on_word(&telling->search, signer, statement);
    return err == ERR_OK && telling->search.is_said ? telling->each(telling->self, statement) : err;
}

static enum err retire_table_tell_keep(const struct retire_table_telling *telling,
                                       retire_wants_fn wants, uint32_t number)
{
    const struct snapshot *snapshot = telling->search.snapshot;
    const struct standing_line *line = telling->search.line;
    struct retire_table_found keeps;
    struct space_row space;
    enum err err = ledger_space_numbered(snapshot, number, &space);

    if (err != ERR_OK || !wants(telling->self, &space))
        return err;
    err = retire_table_find_keep(snapshot, number, &line->places[line->count - 1].device, &keeps);
    if (err == ERR_OK)
        err = telling->each(telling->self, keeps.found);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL FACT-1: "and its keeps in the shared spaces, the self space last" */
static enum err retire_table_keeps(const struct retire_table_telling *telling,
                                   retire_wants_fn wants)
{
    const struct snapshot *snapshot = telling->search.snapshot;
    struct ledger_counters counters;
    struct space_row own;
    enum err err = ledger_load_counters(snapshot, &counters);

    if (err == ERR_OK)
        err = ledger_space(snapshot, ledger_self_space(snapshot->ledger), &own);
    for (uint32_t number = 1; err == ERR_OK && number <= counters.spaces; number++)
        if (number != own.number)
            err = retire_table_tell_keep(telling, wants, number);
    return err == ERR_OK ? retire_table_tell_keep(telling, wants, own.number) : err;
}

enum err retire_table_facts(const struct snapshot *snapshot, const struct public_key *device,
                            retire_wants_fn wants, retire_fact_fn each, void *self)
{
    struct standing_line line;
    struct retire_table_telling telling = {
        .search = {.snapshot = snapshot, .line = &line}, .each = each, .self = self};
    struct span statements[VIEW_CHAIN_MAX];
    size_t count = 0;
    enum err err = view_device_chain(snapshot, device, statements, &count);

    for (size_t at = 0; err == ERR_OK && at < count; at++)
        if (statements[at].size > 0)
            err = each(self, statements[at]);
    if (err == ERR_OK)
        err = standing_line_of(snapshot, device, NULL, &line);
    for (int reason = RETIRE_FORKED; err == ERR_OK && reason <= RETIRE_STOLEN; reason++) {
        telling.search.reason = (enum retire_reason)reason;
        err = retire_table_each(snapshot, device, telling.search.reason, retire_table_on_told,
                                &telling);
    }
    return err == ERR_OK ? retire_table_keeps(&telling, wants) : err;
}

enum err retire_table_forget(struct ledger_txn *txn, const struct public_key *device)
{
    return ledger_clear(txn, TABLE_RETIRE, span_of(device->bytes, 32));
}
