/* What the files of spaces share; only they include it. */
#ifndef KITH_STORAGE_SPACE_STATE_H
#define KITH_STORAGE_SPACE_STATE_H

#include "storage/space.h"
#include "storage/view_peer.h"

/* Space.c: records a space of mine in self. */
MUST_USE enum err space_tell(struct ledger_txn *txn, const struct space_row *space);

/* Who may read a space today. */
struct space_audience {
    uint8_t recipients[EPOCH_WRAPS_MAX]
                      [KEY_SIZE]; /* receiving keys an epoch's key is wrapped for */
    size_t recipients_count;
    struct buf readers; /* struct public_key, ascending: members, and their devices */
    struct buf former;  /* struct id: the pair spaces of those who may not read card or network */
    struct buf bereft;  /* struct id: of those who may, and a device of whom was shut out */
    struct buf out;     /* struct public_key, ascending: such devices of a pair space's reader */
};
/* Space_look.c: what is known of the epochs of one space. */

struct space_epoch {
    struct hash id;
    uint32_t depth;
    struct hash parents[EPOCH_PARENTS_MAX];
    size_t parents_count;
    bool has_key, is_fresh;
    bool is_tip;
    bool is_leaked; /* somebody has its key, or one from which it follows, who may not read today */
    bool is_told;   /* its opener recorded its readers in self, and that has arrived */
    bool is_fit;    /* its readers are known, and all of them may read today */
    bool is_exact;  /* and all who may read today are among them */
    bool is_open;   /* has a key that whoever reads today may get: see space_is_open; of tips */
    uint64_t opened_ms;
    uint32_t log;     /* where its opening is, or was; 0: older stores do not say */
    bool is_standing; /* its log still holds the opening; where devices were retired, as are these:
                       */
    bool is_used;     /* another log writes under it */
    bool is_taught;   /* an epoch that stands tells its key */
    bool is_untaught; /* none does, and it must: see space_cut.c */
    bool is_unseen;   /* its opening was cut from its log before it came here */
    bool is_lacking;  /* somebody was not granted it: of exact tips beside the one to write under */
};

struct space_look {
    const struct snapshot *snapshot;
    struct space_audience *audience;
    struct space_epoch *epochs; /* by id, ascending */
    size_t count;
    enum space_kind kind;
    const struct space_epoch *best; /* of the fit ones, the one to write under; NULL */
    bool has_fresh;
    bool is_whole;    /* every epoch is judged, and not only tips and what one may write under */
    bool has_own_out; /* a device of this member was shut out */
    size_t untaught;  /* so many epochs are */
    bool is_awaited;  /* an opening may still come, or a grant */
};

MUST_USE enum err space_look_at(const struct snapshot *snapshot, const struct space_row *space,
                                struct space_look *out);
/* All epochs are judged when is_whole. */
MUST_USE enum err space_look_whole(const struct snapshot *snapshot, const struct space_row *space,
                                   bool is_whole, struct space_look *out);
void space_look_release(struct space_look *look);
/* Judges one of the look's epochs as it was opened, whatever has leaked since. */
MUST_USE enum err space_judge(struct space_look *look, struct space_epoch *epoch);
/* The first epoch whose id does not come before these bytes. */
size_t space_first_from(const struct space_look *look, const uint8_t *id, size_t size);
struct space_epoch *space_epoch_of(const struct space_look *look, const struct hash *id); /* NULL */
/* At its place by id. What pointed to an epoch of the look points nowhere then. */
MUST_USE enum err space_insert_epoch(struct space_look *look, const struct space_epoch *epoch);
/* May what is under it be sealed for others by now? */
MUST_USE enum err space_find_open(const struct space_look *look, const struct hash *epoch,
                                  bool *out);
/* Space_cut.c: which epochs' keys a reader may lack, for their openings were cut. */
MUST_USE enum err space_find_cut(struct space_look *look, const struct space_row *space);
/* Adds those that were never here, before any is judged. */
MUST_USE enum err space_find_unseen(struct space_look *look, const struct space_row *space);
/* Space_leak.c: marks the epochs whose key somebody has who may not read today. */
MUST_USE enum err space_find_leaks(struct space_look *look);
bool space_is_better(const struct space_epoch *left, const struct space_epoch *right);

/* space_pace.c: how long an epoch must wait that is opened only because somebody lacks the one to
 * write under. Judges anew: nothing is to be chosen by this look any more. */
MUST_USE enum err space_pace(struct space_look *look, uint64_t *out_wait_ms);

/* The caller releases the readers. */
MUST_USE enum err space_find_audience(const struct snapshot *snapshot,
                                      const struct space_row *space, struct space_audience *out);
/* May the peer read my card or network space today? */
bool space_may_read(enum space_kind kind, const struct peer *peer);
/* Space_reader.c: grants the current epoch to linked peers who lack it, once that is this device's
 * turn. */
MUST_USE enum err space_reader_tend(struct ledger_txn *txn, const struct space_row *space);
/* Was somebody who may read my card or network space not granted this epoch? */
MUST_USE enum err space_reader_is_lacking(const struct space_look *look, const struct hash *epoch,
                                          bool *out);
/* Marks other tips that linked peers lack. */
MUST_USE enum err space_reader_find_lacking(struct space_look *look);
/* Is each device of the audience's out among those an epoch's opener recorded, in ascending order?
 * The others of its member had told it the keys of epochs before. */
bool space_audience_knows_out(const struct space_audience *audience, struct span recorded);
bool space_audience_has(const struct space_audience *audience, const struct public_key *reader);

#endif
