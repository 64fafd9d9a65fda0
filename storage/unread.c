#include "storage/unread.h"

#include "storage/absent.h"
#include "storage/ledger_state.h"

struct unread_search {
    const struct snapshot *snapshot;
    uint32_t log;
    uint64_t after;
    uint64_t first; /* UINT64_MAX: none so far */
};

static enum err unread_on_waiting(void *self, struct span key, struct span value)
{
    struct unread_search *search = self;
    struct entry_row row;
    enum err err;

    (void)value;
    if (key.size != HASH_SIZE + 8)
        return ERR_CORRUPT;
    err = ledger_entry(search->snapshot, be64(key.data + HASH_SIZE), &row);
    if (err == ERR_OK && row.log == search->log && !row.is_cut && row.seq > search->after &&
        row.seq < search->first)
        search->first = row.seq;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* An entry that has its key stands there, too, until it is merged. */
static enum err unread_in_epoch(struct unread_search *search, uint32_t index)
{
    struct hash epoch;
    enum err err = epoch_table_of_log(search->snapshot, search->log, index, &epoch);

    if (err == ERR_OK)
        err = ledger_each(search->snapshot, TABLE_WAITING, span_of(epoch.bytes, HASH_SIZE),
                          unread_on_waiting, search);
    return err == ERR_NOT_FOUND ? ERR_OK : err; /* The log began behind that epoch. */
}

enum err unread_waiting(const struct snapshot *snapshot, const struct log_row *log, uint64_t after,
                        uint64_t *out_seq)
{
    struct unread_search search = {
        .snapshot = snapshot, .log = log->number, .after = after, .first = UINT64_MAX};
    uint64_t waiting = 0;
    enum err err = kv_count(snapshot->kv, TABLE_WAITING, &waiting);

    for (uint32_t index = 1; err == ERR_OK && waiting > 0 && index <= log->epochs_count; index++)
        err = unread_in_epoch(&search, index);
    *out_seq = search.first;
    return err == ERR_OK && search.first == UINT64_MAX ? ERR_NOT_FOUND : err;
}

static enum err unread_on_wanted(void *self, uint64_t seq)
{
    struct unread_search *search = self;

    if (seq < search->first)
        search->first = seq;
    return ERR_CANCELLED; /* They ascend. */
}

enum err unread_first(const struct snapshot *snapshot, const struct log_row *log, uint64_t after,
                      uint64_t *out_seq)
{
    struct unread_search search = {.first = UINT64_MAX};
    enum err err = unread_waiting(snapshot, log, after, &search.first);

    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = absent_each_wanted(snapshot, log, after, unread_on_wanted, &search);
    *out_seq = search.first;
    if (err != ERR_OK && err != ERR_CANCELLED)
        return err;
    return search.first == UINT64_MAX ? ERR_NOT_FOUND : ERR_OK;
}
