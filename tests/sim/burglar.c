/* See burglar.h. */
#include "tests/sim/burglar.h"

#include <stdlib.h>
#include <string.h>

#include "storage/ledger_state.h"

enum { BURGLAR_KEYS_MAX = 4096 };

struct burglar {
    uint8_t keys[BURGLAR_KEYS_MAX][KEY_SIZE];
    size_t count;
    const char *text;
    bool has_found;
    size_t opened;
};

static void burglar_add(struct burglar *burglar, const uint8_t key[static KEY_SIZE])
{
    for (size_t at = 0; at < burglar->count; at++)
        if (memcmp(burglar->keys[at], key, KEY_SIZE) == 0)
            return;
    KITH_ASSERT(burglar->count < BURGLAR_KEYS_MAX);
    memcpy(burglar->keys[burglar->count++], key, KEY_SIZE);
}

static void burglar_take_keys(struct burglar *burglar, struct member *thief)
{
    struct snapshot snapshot = member_snapshot(thief);
    struct kv_cursor *cursor;
    struct span at, value;
    enum err err = kv_cursor_open(snapshot.kv, TABLE_EPOCH, &cursor);

    KITH_ASSERT(err == ERR_OK);
    for (err = kv_cursor_seek(cursor, span_of(NULL, 0)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        uint8_t key[KEY_SIZE];
        struct hash id;

        kv_cursor_at(cursor, &at, &value);
        memcpy(id.bytes, at.data, HASH_SIZE);
        if (epoch_table_key(&snapshot, &id, key) == ERR_OK)
            burglar_add(burglar, key);
    }
    kv_cursor_close(cursor);
    ledger_snapshot_end(&snapshot);
}

/* What an epoch's entry gives to whoever has these keys. */
static void burglar_pick(struct burglar *burglar, struct member *thief, const struct epoch *epoch)
{
    uint8_t key[KEY_SIZE];

    if (epoch_unwrap(epoch, ledger_receiving_key(thief->ledger), key) == ERR_OK)
        burglar_add(burglar, key);
    for (size_t at = 0; at < burglar->count; at++)
        for (size_t parent = 0; parent < epoch->parents_count; parent++)
            if (epoch_previous(epoch, parent, burglar->keys[at], key) == ERR_OK)
                burglar_add(burglar, key);
}

static void burglar_try(struct burglar *burglar, const struct entry_row *row,
                        const struct log_id *log)
{
    for (size_t at = 0; at < burglar->count; at++) {
        struct buf plain = {0};
        uint8_t key[KEY_SIZE];

        entry_key(burglar->keys[at], log, key);
        if (entry_open(key, &row->entry, row->seq, &plain) == ERR_OK) {
            burglar->opened++;
            burglar->has_found |=
                burglar->text != NULL &&
                memmem(plain.data, plain.size, burglar->text, strlen(burglar->text)) != NULL;
            at = burglar->count;
        }
        buf_release(&plain);
    }
}

static void burglar_round(struct burglar *burglar, struct member *thief, struct member *owner,
                          uint64_t after, bool is_trying)
{
    struct snapshot snapshot = member_snapshot(owner);
    uint64_t newest = 0;

    KITH_ASSERT(ledger_newest_arrival(&snapshot, &newest) == ERR_OK);
    for (uint64_t arrival = 1; arrival <= newest; arrival++) {
        struct entry_row row;
        struct log_row log;
        struct space_row space;
        struct log_id id;
        struct epoch epoch;

        if (ledger_entry(&snapshot, arrival, &row) != ERR_OK || row.entry.payload.size == 0)
            continue;
        KITH_ASSERT(ledger_log_numbered(&snapshot, row.log, &log) == ERR_OK);
        KITH_ASSERT(ledger_space_numbered(&snapshot, log.space, &space) == ERR_OK);
        id = (struct log_id){.space = space.id, .device = log.device};
        if (!is_trying && row.entry.header.epoch_index == 0 &&
            epoch_read(&id, row.entry.payload, &epoch) == ERR_OK && !epoch.is_use)
            burglar_pick(burglar, thief, &epoch);
        if (is_trying && row.entry.header.epoch_index != 0 && arrival > after)
            burglar_try(burglar, &row, &id);
    }
    ledger_snapshot_end(&snapshot);
}

static void burglar_work(struct burglar *burglar, struct member *thief, struct member *owner,
                         uint64_t after)
{
    size_t before;

    burglar_take_keys(burglar, thief);
    do {
        before = burglar->count;
        burglar_round(burglar, thief, owner, after, false);
    } while (burglar->count > before);
    burglar_round(burglar, thief, owner, after, true);
}

size_t burglar_opens(struct member *thief, struct member *owner, uint64_t after)
{
    struct burglar *burglar = calloc(1, sizeof *burglar);
    size_t opened;

    KITH_ASSERT(burglar != NULL);
    burglar_work(burglar, thief, owner, after);
    opened = burglar->opened;
    free(burglar);
    return opened;
}

bool burglar_finds(struct member *thief, struct member *owner, uint64_t after, const char *text)
{
    struct burglar *burglar = calloc(1, sizeof *burglar);
    bool has_found;

    KITH_ASSERT(burglar != NULL);
    burglar->text = text;
    burglar_work(burglar, thief, owner, after);
    has_found = burglar->has_found;
    free(burglar);
    return has_found;
}

uint64_t burglar_newest(struct member *owner)
{
    struct snapshot snapshot = member_snapshot(owner);
    uint64_t newest = 0;

    KITH_ASSERT(ledger_newest_arrival(&snapshot, &newest) == ERR_OK);
    ledger_snapshot_end(&snapshot);
    return newest;
}
