/*
 * Endorsements as rows: what stands in any space this node reads, verified once when it is merged.
 * A record that is forged, offered by somebody else than its issuer, shown by somebody else than
 * its subject, or shown without a show that fits, leaves no row: it is counted against the writer
 * of its space, and changes nothing else.
 *
 * The table has rows of several sorts, told apart by the first byte of the key:
 *
 *   1, subject, ~issued, object, space   what is known from this space: struct endorsement_row
 *   2, issuer, ~issued, object, space    subject
 *   3, issuer, object                    nothing: the issuer revoked it
 *   4, uuid, object, space               subject, ~issued
 *   5, writer's root                     what of theirs was dropped: see dropped.h
 *   6, object, space                     subject, ~issued: where its rows are
 *   7, writer's root                     how many quotes their network space has, how many bytes
 *   8, issuer                            the same of the kept ones of theirs that I have not
 * decided
 *
 * ~issued is the complement of the time, so that the newest comes first.
 */
#ifndef KITH_STORAGE_ENDORSEMENT_TABLE_H
#define KITH_STORAGE_ENDORSEMENT_TABLE_H

#include "proto/device.h"
#include "proto/endorsement.h"
#include "storage/ledger.h"

enum endorsement_source {
    ENDORSEMENT_OFFERED = 1, /* in the pair space its issuer writes for its subject */
    ENDORSEMENT_KEPT = 2,    /* in my self space: I am the subject */
    ENDORSEMENT_SHOWN = 3,   /* in its subject's card space */
    ENDORSEMENT_QUOTED = 4   /* in the network space of a peer of its subject */
};

/* What the subject decided, the weaker before the stronger. PROTOCOL ENDORSE-7. */
enum endorsement_decision {
    DECISION_NONE = 0,
    DECISION_PUBLIC = 1,
    DECISION_NETWORK = 2,
    DECISION_PEERS = 3,
    DECISION_NOBODY = 4,
    DECISION_SET_ASIDE = 5
};

struct endorsement_row {
    struct id object, id;
    struct public_key issuer, subject;
    struct public_key writer; /* of the space it stands in */
    uint32_t space;
    uint32_t number; /* the object; its first field is the record */
    uint32_t size;   /* bytes of record and show */
    enum endorsement_source source;
    enum endorsement_decision decision; /* KEPT */
    bool is_revoked;                    /* KEPT: I know that it was taken back */
    enum audience audience;             /* SHOWN, QUOTED: by the show */
    enum relation relation;
    enum audience ceiling;
    uint64_t issued_s, expires_s;
    uint64_t made_s, until_s; /* of the show */
    uint64_t renewed_at_ms;   /* my running time when the newest show came */
    struct device_keys by;    /* QUOTED: the chain of the device that signed the show */
    bool has_supersedes;
    struct id supersedes;
    struct span about[ENDORSEMENT_ABOUT_MAX]; /* borrowed from the row */
    size_t about_count;
};

/* Where the rows of one endorsement stand. */
struct endorsement_place {
    struct public_key subject;
    uint64_t issued_s;
    struct id object;
};

/* The value of KEPT_DECISIONS for a decision; "" for none. */
const char *endorsement_decision_name(enum endorsement_decision decision);
/* The strongest decision of a kept object. */
enum endorsement_decision endorsement_decided(const struct object *kept);

/* Called by follow after an endorsement, kept or revoked object changed. */
MUST_USE enum err endorsement_table_changed(struct ledger_txn *txn, const struct space_row *space,
                                            uint32_t number, const struct object *after);

/* The same for a wish to be endorsed: whoever has to tell of it looks before the commit. */
MUST_USE enum err endorsement_want_changed(struct ledger_txn *txn, const struct space_row *space);

/* The name of an endorsement on the agenda, and back. */
enum { ENDORSEMENT_PLACE_SIZE = 32 + 8 + ID_SIZE };
void endorsement_put_place(const struct endorsement_place *place,
                           uint8_t out[static ENDORSEMENT_PLACE_SIZE]);
bool endorsement_read_place(struct span name, struct endorsement_place *out);

/* On the agenda beside places, a name of one byte: everything is looked at, once a day, so that a
 * clock that was wrong for a while leaves no traces. */
enum { ENDORSEMENT_SWEEP = 1 };
MUST_USE enum err endorsement_table_sweep(struct ledger_txn *txn, uint64_t due_ms);
/* It became known how a device of this member stands: what it showed may count no more. */
MUST_USE enum err endorsement_table_judge(struct ledger_txn *txn, const struct public_key *member);

/* Rows about a subject, newest first, or (NULL) about everybody, subject after subject in the order
 * of their roots; each until an error, which is returned. */
typedef enum err (*endorsement_row_fn)(void *self, const struct endorsement_row *row);
MUST_USE enum err endorsement_table_about(const struct snapshot *snapshot,
                                          const struct public_key *subject, endorsement_row_fn each,
                                          void *self);
/* The same for one endorsement of the subject. */
MUST_USE enum err endorsement_table_one(const struct snapshot *snapshot,
                                        const struct public_key *subject, uint64_t issued_s,
                                        const struct id *object, endorsement_row_fn each,
                                        void *self);
/* Which endorsements an issuer wrote, newest first, and which have a UUID that begins with these
 * hex digits: each once. */
typedef enum err (*endorsement_place_fn)(void *self, const struct endorsement_place *place);
MUST_USE enum err endorsement_table_by(const struct snapshot *snapshot,
                                       const struct public_key *issuer, endorsement_place_fn each,
                                       void *self);
MUST_USE enum err endorsement_table_named(const struct snapshot *snapshot, struct span hex,
                                          endorsement_place_fn each, void *self);
MUST_USE enum err endorsement_table_is_revoked(const struct snapshot *snapshot,
                                               const struct public_key *issuer,
                                               const struct id *object, bool *out);
/* How many quotes stand in a writer's network space, and their bytes. */
MUST_USE enum err endorsement_table_quotes(const struct snapshot *snapshot,
                                           const struct public_key *writer, uint64_t *out_count,
                                           uint64_t *out_bytes);
/* How many of an issuer's are kept and not decided. */
MUST_USE enum err endorsement_table_undecided(const struct snapshot *snapshot,
                                              const struct public_key *issuer, uint64_t *out);
/* Every endorsement that was taken back by who wrote it, by its object alone. */
typedef enum err (*endorsement_object_fn)(void *self, const struct id *object);
MUST_USE enum err endorsement_table_revoked(const struct snapshot *snapshot,
                                            endorsement_object_fn each, void *self);
/* Grows whenever a row may have changed: who keeps what was made of rows compares it. Asked on the
 * writer's thread, of snapshots without a write transaction. */
uint64_t endorsement_table_changes(const struct snapshot *snapshot);

#endif
