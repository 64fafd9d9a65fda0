/* What was cut from logs: each entry is where its row says, each batch leads to a signed head. */
#include <string.h>

#include "proto/retire.h"
#include "storage/check_state.h"
#include "storage/return_table.h"

static enum err check_cut(const struct snapshot *snapshot, const struct key *key)
{
    struct return_cut cut = {0};
    struct entry_row entry;
    uint64_t arrival;
    enum err err;

    if (key->size != 4 + 8 + HASH_SIZE)
        return ERR_CORRUPT;
    cut.log = be32(key->bytes);
    cut.seq = be64(key->bytes + 4);
    memcpy(cut.payload.bytes, key->bytes + 12, HASH_SIZE);
    err = return_table_cut(snapshot, &cut, &arrival);
    if (err == ERR_OK)
        err = ledger_entry(snapshot, arrival, &entry);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    if (entry.entry.payload.size > 0)
        entry_hash_payload(&entry.entry);
    if (!entry.is_cut || entry.log != cut.log || entry.seq != cut.seq ||
        memcmp(entry.entry.header.payload_hash.bytes, cut.payload.bytes, HASH_SIZE) != 0)
        return ERR_CORRUPT;
    return ERR_OK;
}

static enum err check_return(const struct snapshot *snapshot, const struct key *key)
{
    struct head head = {.size = 0};
    struct return_row row;
    struct space_row space;
    struct log_id id;
    struct chain chain;
    enum err err;

    if (key->size != 4 + 32 + HASH_SIZE)
        return ERR_CORRUPT;
    memcpy(id.device.bytes, key->bytes + 4, 32);
    memcpy(head.hash.bytes, key->bytes + 36, HASH_SIZE);
    err = ledger_space_numbered(snapshot, be32(key->bytes), &space);
    if (err == ERR_OK)
        err = return_table_get(snapshot, space.number, &id.device, &head.hash, &row);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    id.space = space.id;
    chain = (struct chain){.size = row.start_size, .hash = row.start_hash};
    for (size_t at = 0; at < row.count; at++) {
        struct entry_row entry;

        err = ledger_entry(snapshot, row.arrivals[at], &entry);
        if (err != ERR_OK)
            return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
        if (entry.entry.payload.size > 0)
            entry_hash_payload(&entry.entry);
        (void)chain_extend(&chain,
                           &entry.entry.header); /* Where blocks end does not matter here. */
    }
    head.size = chain.size;
    memcpy(head.signature, row.signature, SIGNATURE_SIZE);
    if (memcmp(chain.hash.bytes, head.hash.bytes, HASH_SIZE) != 0)
        return ERR_CORRUPT;
    return head_verify(&id, &head) == ERR_OK ? ERR_OK : ERR_CORRUPT;
}

static enum err check_retire(const struct snapshot *snapshot, const struct key *key)
{
    struct retirement retirement;
    struct span row;
    enum err err = ledger_get_sealed(snapshot, TABLE_RETIRE, key, &row);

    return err == ERR_OK ? retire_read(row, &retirement) : err;
}

static enum err check_keep(const struct snapshot *snapshot, const struct key *key)
{
    struct span row;
    struct keep keep;
    enum err err = ledger_get_sealed(snapshot, TABLE_KEEP, key, &row);

    return err == ERR_OK ? retire_read_keep(row, &keep) : err;
}

enum err check_returns(const struct snapshot *snapshot, struct check_report *report)
{
    uint64_t count = 0;
    enum err err = check_table(snapshot, TABLE_CUT, check_cut,
                               "an entry that was cut from its log is damaged", report);

    if (err == ERR_OK)
        err = kv_count(snapshot->kv, TABLE_CUT, &count);
    report->entries += count;
    if (err == ERR_OK)
        err = check_table(snapshot, TABLE_RETURN, check_return,
                          "what was cut from a log has not the head it says", report);
    if (err == ERR_OK)
        err = check_table(snapshot, TABLE_RETIRE, check_retire,
                          "the statement that retires a device is damaged", report);
    if (err == ERR_OK)
        err = check_table(snapshot, TABLE_KEEP, check_keep,
                          "the statement that says how much of a log counts is damaged", report);
    return err;
}
