/*
 * Shared contacts as people see them: what peers share with me beside what I decided, and what I
 * share with them. Shares that break a bound, or are too many, leave no row: they are counted, with
 * the newest reason.
 *
 * The table has rows of several sorts, told apart by the first byte of the key:
 *
 *   1, peer's root       struct share_counts
 *   2, space, object     nothing: a share of a peer's that is sound and within the cap
 *   3, contact, record   object number of the record: the contact came from this share
 */
#ifndef KITH_STORAGE_VIEW_SHARE_H
#define KITH_STORAGE_VIEW_SHARE_H

#include "proto/share.h"
#include "storage/ledger.h"

struct share_counts {
    uint64_t standing; /* sound ones the peer shares with me */
    uint64_t waiting;  /* of those shown to me, not decided */
    uint64_t refused;  /* broke a bound or were too many, ever */
    uint64_t told;     /* of these, how many my owner was told of */
    uint64_t told_ms;
    uint8_t fault; /* enum share_fault of the newest; FINE: one too many */
};

struct share_view {
    struct id object, record;
    struct public_key peer; /* who shares, or (given) with whom */
    bool is_given;
    bool is_standing;   /* false: it was taken back, or the peer is none any more */
    struct share share; /* what is told; of one that stands no more, what was kept */
    struct span body;   /* that of a standing one. Both are valid during the call */
    enum share_decision decision;
    bool is_changed; /* kept, and what is told is no longer what was kept */
    uint64_t seen_ms, decided_ms, withdrawn_ms;
    bool has_contact;
    struct id contact; /* what it became */
};

typedef enum err (*view_share_fn)(void *self, const struct share_view *view);
/* What was shared with me and shown: waiting ones of linked peers, and all that I decided on. Stops
 * at the first error of each and returns it. */
MUST_USE enum err view_share_received(const struct snapshot *snapshot, view_share_fn each,
                                      void *self);
/* What I share with a peer (NULL: with all that are linked). */
MUST_USE enum err view_share_given(const struct snapshot *snapshot, const struct public_key *peer,
                                   view_share_fn each, void *self);
/* The shares a contact came from. */
MUST_USE enum err view_share_of(const struct snapshot *snapshot, const struct id *contact,
                                view_share_fn each, void *self);
MUST_USE enum err view_share_counts(const struct snapshot *snapshot, const struct public_key *peer,
                                    struct share_counts *out);
/* The owner was told now of all that was refused. */
MUST_USE enum err view_share_note_told(struct ledger_txn *txn, const struct public_key *peer,
                                       uint64_t now_ms);
/* Does a share of a peer's stand, sound and within the cap? */
MUST_USE enum err view_share_stands(const struct snapshot *snapshot, uint32_t space,
                                    const struct id *object, bool *out);
/* Every such share in a space. */
typedef enum err (*view_share_place_fn)(void *self, const struct id *object);
MUST_USE enum err view_share_each_standing(const struct snapshot *snapshot, uint32_t space,
                                           view_share_place_fn each, void *self);

/* Called by follow after a share or a record changed. */
MUST_USE enum err view_share_changed(struct ledger_txn *txn, const struct space_row *space,
                                     uint32_t number, const struct object *before,
                                     const struct object *after);

/* The name of a share on the agenda, and back; a name of another size is a peer's root, all of
 * whose shares are looked at. */
enum { VIEW_SHARE_NAME_SIZE = 4 + ID_SIZE };
bool view_share_read_name(struct span name, uint32_t *out_space, struct id *out_object);

#endif
