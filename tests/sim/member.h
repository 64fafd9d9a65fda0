/*
 * A member with one device, its store and its ledger, for tests of storage: all randomness comes
 * from one seed, so that a run repeats. Links are made by hand and entries carried by hand, through
 * replica and verified batches, without a session. What a test does not expect to fail stops the
 * program.
 */
#ifndef KITH_TESTS_SIM_MEMBER_H
#define KITH_TESTS_SIM_MEMBER_H

#include "proto/object.h"
#include "storage/ledger.h"
#include "storage/view_peer.h"
#include "tests/sim/kv_mem.h"

struct member {
    struct kv_mem *mem; /* NULL: on LMDB, in folder */
    char folder[32];
    struct kv *kv;
    struct device_secrets secrets;
    uint64_t drawn; /* of the random stream */
    struct entropy entropy;
    struct ledger *ledger; /* NULL while closed */
    uint64_t now_ms;
    uint64_t sent_bytes; /* of batches, as they are framed */
};

/* Secrets, clock and an empty disk; no ledger yet. */
void member_prepare(struct member *member, uint32_t seed, bool is_lmdb);
/* The same, created and opened. */
void member_new(struct member *member, uint32_t seed, bool is_lmdb);
/* Another device of the same member: certified on the first, its store a copy of the first's as it
 * is then (kv_mem only). Both go on by themselves. */
void member_twin(struct member *twin, struct member *of, uint8_t seed);
void member_close(struct member *member);
void member_open(struct member *member);
/* Closes and removes everything. */
void member_free(struct member *member);

struct ledger_txn *member_begin(struct member *member);
struct snapshot member_snapshot(struct member *member);
struct id member_card_space(struct member *member);
/* How many logs its store has rows for, of every space. */
size_t member_logs(struct member *member);

/* Both know each other's devices and spaces and hold the link; no card key is granted yet. */
void member_link(struct member *left, struct member *right);
/* Grants the card's key to the other and commits. */
void member_grant(struct member *member, const struct member *to);
/* Changes the state of a link. */
void member_set_link(struct member *member, const struct member *peer, enum link_state state);

/* Begins an edit of an object; the caller appends it. counter 0: the next one by the row. */
struct value member_text(const char *text);
/* Writes one text field and commits. */
enum err member_write(struct member *member, const struct id *space, uint8_t kind,
                      const struct id *object, uint8_t field, const char *text);
enum err member_name_card(struct member *member, const char *name);
/* A contact with a name and, when not NULL, one e-mail. */
enum err member_add_contact(struct member *member, const char *name, const char *email,
                            struct id *out);

/* One batch of a log as the other side would receive it, from what `to` holds on. ERR_NOT_FOUND:
 * nothing more. */
enum err member_fetch(struct member *from, const struct log_id *log, const struct chain *start,
                      struct verified_batch **out);
/* Carries the next batch of one log, in a transaction of its own. Returns how many entries; 0:
 * there is none, or it is not taken. */
uint64_t member_pull_batch(struct member *to, struct member *from, const struct log_id *log);
/* Carries what `from` writes for `to`, in one space or (NULL) in all, a batch a transaction.
 * Returns how many entries. */
uint64_t member_pull(struct member *to, struct member *from, const struct id *space);

/* A row's text field, "" without row or field; lives until the next call with the same room. */
const char *member_read_text(struct member *member, const struct id *space, uint8_t kind,
                             const struct id *object, uint8_t field, char room[static 256]);

/* What an object means, without local numbers: equal on all nodes that have merged the same. */
void member_put_meaning(const struct object *object, struct buf *out);

#endif
