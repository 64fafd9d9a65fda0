/* What the files of the ledger share; only they and the views include it. */
#ifndef KITH_STORAGE_LEDGER_STATE_H
#define KITH_STORAGE_LEDGER_STATE_H

#include "storage/ledger.h"

enum {
    LEDGER_TOUCHED_MAX = 1 << 16, /* logs one transaction writes: a removal writes to each peer */
    LEDGER_TOUCHED_CHUNK = 32,
    LEDGER_TOUCHED_BUCKETS = 64,
    LEDGER_MAC_SIZE = 16,
    LEDGER_SPACE_SPAN = 64
};

/* Grows when a view is added or changes: views made by an older program are made again. */
enum { LEDGER_VIEWS = 30 };

enum meta_key {
    META_FORMAT = 1,
    META_SELF = 2,
    META_STATE = 3,
    META_DEVICE = 4,
    META_OLD_KEYS = 5,
    META_RUNNING = 6,
    META_JOINING = 7, /* this device is new: join.h */
    META_WELCOME = 8, /* what own devices share from the beginning: join.h */
    META_NETWORK = 9, /* number of the own network space, 0 for none; older stores lack the row */
    META_OUT = 10,    /* the device whose being shut out the journal tells */
    META_REBUILT = 11 /* entries there were when the views were thrown away last */
};

enum {
    LEDGER_OLD_KEYS_MAX = 16 /* devices this store was written by before, the newest of them */
};

/* What is left of a device that has a successor: what was sealed for it can still be opened. */
struct ledger_old_keys {
    struct exchange_key statics, receiving;
};

/* Counters, one row, written with every commit that changes them. */
struct ledger_counters {
    uint64_t arrival;               /* of the newest entry */
    uint64_t followed;              /* the views' watermark */
    uint32_t logs, spaces, objects; /* greatest number given */
    uint32_t last_log;              /* log of the newest entry: does the run go on? */
    bool has_ready;                 /* waiting entries whose key has come */
    uint8_t views;                  /* LEDGER_VIEWS of the program that made the views */
};

/* The key that the newest own entry was sealed under: edits by hand go to one log, under one epoch,
 * for a long time. Of write transactions alone; keys never change, so an abort does not matter. */
struct ledger_last_key {
    bool is_set;
    struct hash epoch;
    struct log_id log;
    uint8_t bytes[KEY_SIZE];
};

/* Spaces of others that cost much to merge again, and when that may be done once more. Forgotten
 * with the process: what waits stands on the agenda. */
struct ledger_again {
    struct {
        uint32_t space;
        uint64_t until_ms;
    } spaces[64];
    size_t next;
    uint64_t count;  /* how often some space was made from nothing */
    uint64_t now_ms; /* the last that was told: a stage knows no time */
};

struct ledger {
    struct kv *kv;
    struct device_secrets *secrets;
    struct signing_key *signing, *root;
    struct exchange_key *statics, *receiving;
    struct ledger_last_key *last_key; /* secret */
    struct ledger_old_keys *old;      /* oldest first; NULL for none */
    size_t old_count;
    struct entropy entropy;
    struct id self_space;
    uint64_t machine_ms; /* the machine's clock when running time was last written; 0: not yet */
    bool is_disk_low;
    struct ledger_again again;    /* the writer's */
    uint64_t endorsement_changes; /* what may count otherwise since it was opened, kept or not */
};

/* A log this transaction appends to. */
struct ledger_touched {
    struct log_row row;
    struct log_id id;
    bool is_own;
    bool must_sign;
    bool has_cut;      /* foreign logs: what comes may have been cut from the log before */
    bool has_rejoined; /* and some of it was */
    struct ledger_touched *next_in_bucket; /* by space */
};

/* They stay where they are: who touches one keeps it while others are touched. */
struct ledger_touched_chunk {
    struct ledger_touched_chunk *next;
    size_t count;
    struct ledger_touched logs[LEDGER_TOUCHED_CHUNK];
};

struct ledger_txn {
    struct ledger *ledger;
    struct kv_txn *kv;
    uint64_t now_ms;
    uint64_t written;
    struct ledger_counters counters;
    uint64_t began;                                      /* the newest entry from before it */
    struct ledger_touched_chunk *touched, *touched_last; /* in the order they were touched */
    struct ledger_touched *touched_buckets[LEDGER_TOUCHED_BUCKETS];
    size_t touched_count;
    struct ledger_news news;
    struct follow_cache *cache;     /* entry keys: see follow.c */
    struct view_search *search;     /* what search has to write: see view_search.c */
    struct view_contacts *contacts; /* what lists of contacts have to write: see view_contact.h */
    uint64_t proved;                /* arrival of an entry whose statement was verified ahead */
    bool is_joining;                /* this device writes nothing yet: join.h */
    bool must_keep;                 /* a retired log of mine may lack its keep */
    bool must_rotate;               /* an epoch of mine may have been cut */
    bool has_restated;              /* something was repeated: returns may be done */
    enum err failed;                /* the first failure of a write: can only be aborted then */
    uint64_t eighths;               /* of pages made dirty, as estimated */
    struct id drawn[16];            /* random ids not yet given out */
    size_t drawn_left, drawn_count;
    uint32_t unwritten; /* the greatest object number, while its row is still to be written */
};

/* Notes that the transaction was changed or that changing it failed half way: it can only be
 * aborted then. Returns err. */
enum err ledger_note(struct ledger_txn *txn, enum err err);

/* Rows with a keyed hash (rule L20). */

/* Puts a value with its hash under the local key behind it. */
MUST_USE enum err ledger_put_sealed(struct ledger_txn *txn, enum table table, const struct key *key,
                                    struct span value);
/* Gets it, hash checked and taken off. ERR_CORRUPT, ERR_NOT_FOUND. */
MUST_USE enum err ledger_get_sealed(const struct snapshot *snapshot, enum table table,
                                    const struct key *key, struct span *out);
MUST_USE enum err ledger_put(struct ledger_txn *txn, enum table table, const struct key *key,
                             struct span value);
/* The same for a key greater than all of its table: pages fill to their ends. */
MUST_USE enum err ledger_put_last(struct ledger_txn *txn, enum table table, const struct key *key,
                                  struct span value);
/* ERR_NOT_FOUND is no failure of the transaction. */
MUST_USE enum err ledger_erase(struct ledger_txn *txn, enum table table, const struct key *key);
MUST_USE enum err ledger_get(const struct snapshot *snapshot, enum table table,
                             const struct key *key, struct span *out);

/* Ledger_walk.c: rows whose keys begin with a prefix, in the order of their keys. What each returns
 * other than ERR_OK ends the walk and is returned; ERR_NOT_FOUND only ends it. */
typedef enum err (*ledger_row_fn)(void *self, struct span key, struct span value);
MUST_USE enum err ledger_each(const struct snapshot *snapshot, enum table table, struct span prefix,
                              ledger_row_fn each, void *self);
/* The same of rows that ledger_put_sealed wrote: hash checked and taken off. */
MUST_USE enum err ledger_each_sealed(const struct snapshot *snapshot, enum table table,
                                     struct span prefix, ledger_row_fn each, void *self);
/* How many there are; stops counting at max. */
MUST_USE enum err ledger_count_rows(const struct snapshot *snapshot, enum table table,
                                    struct span prefix, size_t max, size_t *out);
MUST_USE enum err ledger_clear(struct ledger_txn *txn, enum table table, struct span prefix);

/* Ledger.c. */
/* A store with format, self space id (NULL: drawn) and counters, in a transaction still open:
 * space.c and join.c go on from there. */
MUST_USE enum err ledger_create_empty(struct kv *kv, const struct device_secrets *secrets,
                                      const struct entropy *entropy, const struct id *self,
                                      uint64_t now_ms, struct ledger **out_ledger,
                                      struct ledger_txn **out_txn);
MUST_USE enum err ledger_load_counters(const struct snapshot *snapshot,
                                       struct ledger_counters *out);

/* Pages this transaction makes dirty, as estimated: a page for each row, but rows of tables that
 * are written in the order of their keys share them. */
uint64_t ledger_txn_pages(const struct ledger_txn *txn);
/* Ledger_keys.c */
/* A small secret in the meta table, sealed under the local key; got, it is appended to a buffer to
 * be wiped. */
MUST_USE enum err ledger_put_secret(struct ledger_txn *txn, const struct key *key,
                                    struct span plain);
MUST_USE enum err ledger_get_secret(const struct snapshot *snapshot, const struct key *key,
                                    struct buf *out);
/* Takes the secrets' successor as current when the store says that it writes here. */
MUST_USE enum err ledger_settle_device(struct ledger *ledger);
/* Says that this ledger's device writes here, and keeps what must be kept of the one before. */
MUST_USE enum err ledger_take_over(struct ledger_txn *txn, const struct device_secrets *before);

/* Commits a stage of follow: like ledger_commit, without following any further. */
MUST_USE enum err ledger_commit_stage(struct ledger_txn *txn);

/* touched.c. NULL: it is not among them. */
struct ledger_touched *touched_find(const struct ledger_txn *txn, uint32_t space,
                                    const struct public_key *device);
/* A place for one more, zeroed; it counts once it is filled and kept. ERR_LIMIT, ERR_NOMEM. */
MUST_USE enum err touched_place(struct ledger_txn *txn, struct ledger_touched **out);
void touched_keep(struct ledger_txn *txn, struct ledger_touched *log);
void touched_release(struct ledger_txn *txn);

/* Log_table.c: spaces, logs, entries as rows. */
/* Notes which space is the own network space, where the store does not say yet. */
MUST_USE enum err log_table_find_network(struct ledger_txn *txn);
MUST_USE enum err log_table_put(struct ledger_txn *txn, const struct log_row *row);
MUST_USE enum err log_table_touch(struct ledger_txn *txn, const struct space_row *space,
                                  const struct public_key *device, struct ledger_touched **out);
/* A log as this transaction has it, entries it added included; one of which nothing is held stands
 * at its beginning, number 0. Writes nothing. */
MUST_USE enum err log_table_now(struct ledger_txn *txn, const struct space_row *space,
                                const struct public_key *device, struct log_row *out);
/* Appends an entry row under the next arrival number; the chain must have been extended by the
 * caller. */
MUST_USE enum err log_table_add_entry(struct ledger_txn *txn, const struct ledger_touched *log,
                                      uint64_t seq, const struct entry *entry);
/* Writes an entry's row again; epoch says that its log does not follow it, NULL that it does. */
MUST_USE enum err log_table_put_entry(struct ledger_txn *txn, uint64_t arrival, uint32_t log,
                                      uint64_t seq, const struct entry *entry,
                                      const struct hash *epoch);
MUST_USE enum err log_table_put_run(struct ledger_txn *txn, uint32_t log, uint64_t seq,
                                    uint64_t arrival);
/* The head of a block that ends at the log's tip. */
MUST_USE enum err log_table_put_head(struct ledger_txn *txn, const struct log_row *log,
                                     const struct head *head);
/* How many unsealed entries a log has up to size. */
MUST_USE enum err log_table_begin_count(const struct snapshot *snapshot, const struct log_row *log,
                                        uint64_t size, uint32_t *out);
/* Log_table_begin.c: an empty log of this transaction begins here. */
MUST_USE enum err log_table_begin(struct ledger_txn *txn, struct ledger_touched *log,
                                  const struct log_beginning *beginning);
/* Where a log begins for a reader that holds nothing of it, or for another device of this member.
 */
MUST_USE enum err log_table_begin_for(const struct snapshot *snapshot, const struct log_id *id,
                                      bool is_own, struct log_beginning *out);
/* The size at the last block's end at or before size; 0 when there is none. */
MUST_USE enum err log_table_block_end(const struct snapshot *snapshot, uint32_t log, uint64_t size,
                                      uint64_t *out);
MUST_USE enum err log_table_head(const struct snapshot *snapshot, uint32_t log, uint64_t size,
                                 struct head *out);
MUST_USE enum err log_table_entry_read(uint64_t arrival, struct span value, struct entry_row *out);
/* Its row's bytes, appended; epoch as above. */
void log_table_entry_write(uint32_t log, uint64_t seq, const struct entry *entry,
                           const struct hash *epoch, struct buf *out);
MUST_USE enum err ledger_put_space(struct ledger_txn *txn, const struct space_row *space);
MUST_USE enum err log_table_arrival(const struct snapshot *snapshot, uint32_t log, uint64_t seq,
                                    uint64_t *out);
/* Gives a log its number before anything of it has come: a delete may have seen it elsewhere. */
MUST_USE enum err log_table_number(struct ledger_txn *txn, uint32_t space,
                                   const struct public_key *device, uint32_t *out);
void ledger_note_news(struct ledger_txn *txn, const struct id *space);

/* Epoch_table.c. */
struct epoch_row {
    struct hash id;
    bool is_known; /* the epoch's entry has come; else only a key that was told */
    uint32_t space;
    struct epoch epoch; /* previous borrows from the row */
    bool has_key;
    uint32_t log; /* where its entry stands; 0 in rows of older stores */
    uint64_t seq;
    uint64_t heard_ms; /* running time when it, or its key, was first heard of */
};
/* Registers the epoch an unsealed entry opens or uses: row, index in its log, key if it can be
 * opened. */
MUST_USE enum err epoch_table_add_entry(struct ledger_txn *txn, struct ledger_touched *log,
                                        struct span payload);
/* What the newest unsealed entry before a log's beginning names; zeros: nothing. */
MUST_USE enum err epoch_table_begin(struct ledger_txn *txn, const struct log_row *log,
                                    const struct hash *epoch);
MUST_USE enum err epoch_table_of_log(const struct snapshot *snapshot, uint32_t log, uint32_t index,
                                     struct hash *out);
MUST_USE enum err epoch_table_get(const struct snapshot *snapshot, const struct hash *id,
                                  struct epoch_row *out);
/* A log's newest epoch, and how many entries stand behind it. ERR_NOT_FOUND: it has none. */
MUST_USE enum err epoch_table_newest(const struct snapshot *snapshot, const struct log_row *log,
                                     struct hash *out, uint64_t *out_since);
/* What an epoch's entry tells that was cut from its log: for reading only. */
MUST_USE enum err epoch_table_learn_cut(struct ledger_txn *txn, const struct log_id *log,
                                        struct span payload);
/* The epochs of a space by id, until each returns an error, which is returned. */
typedef enum err (*epoch_table_fn)(void *self, const struct hash *id);
MUST_USE enum err epoch_table_each(const struct snapshot *snapshot, uint32_t space,
                                   epoch_table_fn each, void *self);
/* ERR_KEY_MISSING when it has not come. */
MUST_USE enum err epoch_table_key(const struct snapshot *snapshot, const struct hash *id,
                                  uint8_t out[static KEY_SIZE]);
/* The epoch an own space writes under now. */
MUST_USE enum err epoch_table_current(const struct snapshot *snapshot, uint32_t space,
                                      struct hash *out);

#endif
