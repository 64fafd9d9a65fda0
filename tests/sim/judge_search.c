/*
 * The search knows nothing of audiences as the product sees them: it looks for canaries in every
 * row as it lies there, and then tries every epoch key the node holds on every entry it holds.
 */
#include "tests/sim/judge_search.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/seal.h"
#include "storage/ledger_state.h"

enum { JUDGE_KEYS_MAX = 4096, JUDGE_DIGITS = 9 /* as judge_canary writes them */ };

/* Some bytes that a node holds, and where. */
typedef void (*judge_bytes_fn)(void *self, struct span bytes, const char *where);

/* One search through a node. */
struct judge_searching {
    struct world_node *node;
    judge_bytes_fn look;
    judge_canary_fn each;
    void *self;
    struct span needle;
    bool is_found;
    uint8_t (*keys)[KEY_SIZE];
    size_t keys_count;
};

static void judge_look_for_canaries(void *self, struct span bytes, const char *where)
{
    static const char mark[] = "canary:";
    struct judge_searching *search = self;
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;

    while (left >= sizeof mark) {
        const uint8_t *found = memmem(at, left, mark, sizeof mark - 1);
        size_t number = 0, digits = 0;

        if (found == NULL)
            return;
        left -= (size_t)(found - at) + sizeof mark - 1;
        at = found + sizeof mark - 1;
        while (left > 0 && *at >= '0' && *at <= '9') {
            number = number * 10 + (size_t)(*at - '0');
            at++;
            left--;
            digits++;
        }
        if (digits < JUDGE_DIGITS) /* Cut, as in a column of name beginnings: nobody's. */
            continue;
        search->each(search->self, search->node, number, where);
    }
}

static void judge_search_table(struct judge_searching *search, struct kv_txn *txn, unsigned table)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err;

    world_must(kv_cursor_open(txn, table, &cursor));
    for (err = kv_cursor_seek(cursor, span_of("", 1)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        search->look(search, key, table_names[table]);
        search->look(search, value, table_names[table]);
    }
    kv_cursor_close(cursor);
}

/* Every epoch key there is. */
static size_t judge_search_keys(const struct snapshot *snapshot, uint8_t (*out)[KEY_SIZE])
{
    struct kv_cursor *cursor;
    struct span key, value;
    struct hash id;
    size_t count = 0;

    world_must(kv_cursor_open(snapshot->kv, TABLE_EPOCH, &cursor));
    for (enum err err = kv_cursor_seek(cursor, span_of("", 1)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        KITH_ASSERT(key.size == HASH_SIZE && count < JUDGE_KEYS_MAX);
        memcpy(id.bytes, key.data, HASH_SIZE);
        count += epoch_table_key(snapshot, &id, out[count]) == ERR_OK;
    }
    kv_cursor_close(cursor);
    return count;
}

static void judge_search_sealed(struct judge_searching *search, const struct log_id *log,
                                const struct entry_row *row)
{
    struct buf plain = {0};
    uint8_t key[KEY_SIZE];

    for (size_t at = 0; at < search->keys_count; at++) {
        entry_key(search->keys[at], log, key);
        if (entry_open(key, &row->entry, row->seq, &plain) == ERR_OK) {
            search->look(search, buf_span(&plain), "an entry its keys open");
            break;
        }
    }
    buf_release(&plain);
}

/* Calls each with every entry a node holds. */
typedef void (*judge_entry_fn)(void *self, const struct log_id *log, const struct entry_row *row);

static void judge_search_entries(const struct snapshot *snapshot, judge_entry_fn each, void *self)
{
    uint64_t newest;

    world_must(ledger_newest_arrival(snapshot, &newest));
    for (uint64_t arrival = 1; arrival <= newest; arrival++) {
        struct entry_row row;
        struct log_row log;
        struct space_row space;
        struct log_id id;

        if (ledger_entry(snapshot, arrival, &row) != ERR_OK)
            continue;
        world_must(ledger_log_numbered(snapshot, row.log, &log));
        world_must(ledger_space_numbered(snapshot, log.space, &space));
        id = (struct log_id){.space = space.id, .device = log.device};
        each(self, &id, &row);
    }
}

static void judge_search_entry(void *self, const struct log_id *log, const struct entry_row *row)
{
    if (row->entry.payload.data != NULL && row->entry.header.epoch_index > 0)
        judge_search_sealed(self, log, row);
}

static void judge_search_all(struct judge_searching *search)
{
    struct snapshot snapshot;

    search->keys = world_memory(JUDGE_KEYS_MAX * sizeof search->keys[0]);
    world_must(ledger_snapshot(search->node->ledger, &snapshot));
    for (unsigned table = 0; table < TABLES_COUNT; table++)
        judge_search_table(search, snapshot.kv, table);
    search->keys_count = judge_search_keys(&snapshot, search->keys);
    judge_search_entries(&snapshot, judge_search_entry, search);
    ledger_snapshot_end(&snapshot);
    free(search->keys);
}

void judge_search_each(struct world_node *node, judge_canary_fn each, void *self)
{
    struct judge_searching search = {
        .node = node, .look = judge_look_for_canaries, .each = each, .self = self};

    judge_search_all(&search);
}

static void judge_look_for_needle(void *self, struct span bytes, const char *where)
{
    struct judge_searching *search = self;

    (void)where;
    search->is_found =
        search->is_found || (bytes.size > 0 && memmem(bytes.data, bytes.size, search->needle.data,
                                                      search->needle.size) != NULL);
}

bool judge_search_holds(struct world_node *node, struct span needle)
{
    struct judge_searching search = {.node = node, .look = judge_look_for_needle, .needle = needle};

    judge_search_all(&search);
    return search.is_found;
}

static void judge_on_canary(void *self, struct world_node *node, size_t number, const char *where)
{
    struct judge *judge = self;

    if (number >= judge->canaries_count ||
        ((judge->canaries[number].readers >> node->person) & 1) == 0)
        judge_fail(judge, "%s holds canary %zu of person %zu in %s", node->name, number,
                   number < judge->canaries_count ? judge->canaries[number].person : 0, where);
}

void judge_search(struct judge *judge, struct world_node *node)
{
    judge_search_each(node, judge_on_canary, judge);
}

/* Nonces. */

struct judge_sealed {
    uint8_t nonce[SEAL_NONCE_SIZE];
    struct hash payload;
};

struct judge_all_sealed {
    struct judge_sealed *sealed;
    size_t count, capacity;
};

static void judge_collect(void *self, const struct log_id *log, const struct entry_row *row)
{
    struct judge_all_sealed *all = self;
    struct judge_sealed *at;
    struct span payload = row->entry.payload;

    (void)log;
    if (row->entry.payload.size < SEAL_NONCE_SIZE || row->entry.header.epoch_index == 0)
        return;
    if (all->count == all->capacity) {
        all->capacity = all->capacity == 0 ? 256 : all->capacity * 2;
        all->sealed = realloc(all->sealed, all->capacity * sizeof *all->sealed);
        KITH_ASSERT(all->sealed != NULL);
    }
    at = &all->sealed[all->count++];
    memcpy(at->nonce, row->entry.payload.data, SEAL_NONCE_SIZE);
    digest("test payload", &payload, 1, &at->payload);
}

static int judge_order_sealed(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct judge_sealed));
}

void judge_nonces(struct judge *judge)
{
    struct judge_all_sealed all = {0};

    for (size_t at = 0; at < judge->world->nodes_count; at++) {
        struct world_node *node = judge->world->nodes[at];
        struct snapshot snapshot;

        if (!node->is_up)
            continue;
        world_must(ledger_snapshot(node->ledger, &snapshot));
        judge_search_entries(&snapshot, judge_collect, &all);
        ledger_snapshot_end(&snapshot);
    }
    if (all.count > 0)
        qsort(all.sealed, all.count, sizeof *all.sealed, judge_order_sealed);
    for (size_t at = 1; at < all.count; at++)
        if (memcmp(all.sealed[at].nonce, all.sealed[at - 1].nonce, SEAL_NONCE_SIZE) == 0 &&
            memcmp(&all.sealed[at].payload, &all.sealed[at - 1].payload, HASH_SIZE) != 0)
            judge_fail(judge, "two different entries were sealed with one nonce");
    free(all.sealed);
}
