/*
 * Endorsements as people see them: what stands in several spaces put together, with the state it
 * has for this member. Caps are applied here, the same way by everybody: the newest count.
 */
#ifndef KITH_STORAGE_VIEW_ENDORSEMENT_H
#define KITH_STORAGE_VIEW_ENDORSEMENT_H

#include "storage/endorsement_table.h"

enum endorsement_state {
    ENDORSEMENT_SENT,     /* mine; the subject shows it to nobody that I know of */
    ENDORSEMENT_PENDING,  /* about me; not decided */
    ENDORSEMENT_ACCEPTED, /* about me and accepted, or shown by its subject */
    ENDORSEMENT_SET_ASIDE,
    ENDORSEMENT_REVOKED,
    ENDORSEMENT_EXPIRED
};

struct endorsement_view {
    struct id object, id;
    struct public_key issuer, subject;
    uint32_t number; /* an object whose first field is the record */
    enum relation relation;
    enum audience ceiling;
    uint64_t issued_s, expires_s;
    struct span about[ENDORSEMENT_ABOUT_MAX]; /* borrowed, valid during the call */
    size_t about_count;
    enum endorsement_state state;
    uint64_t shown_left_s;              /* of others: of running time, until that may change */
    enum audience shown_to;             /* AUDIENCE_SUBJECT: nobody; what is in force now */
    enum endorsement_decision decision; /* about me: mine */
    bool is_kept;                       /* about me: a copy stands in my self space */
    bool is_known_revoked;              /* about me: and it says that it was taken back */
    bool is_superseded; /* the issuer's newer one, which is accepted or shown, takes its place */
    bool has_supersedes;
    struct id supersedes;
    bool is_quoted; /* known only through a peer of the subject */
    struct public_key quoted_by;
    struct public_key quoters[VOUCH_QUOTERS_MAX]; /* that one and others */
    size_t quoters_count;
};

typedef enum err (*view_endorsement_fn)(void *self, const struct endorsement_view *view);

/* Endorsements of a member that this member may see, newest first. Of me: all that was kept, and of
 * what else is offered the newest ENDORSEMENTS_PER_ISSUER_MAX of each issuer. Of
 * others: those I wrote, and what is shown or quoted and in force, at most
 * ENDORSEMENTS_PER_ISSUER_MAX of one issuer and ENDORSEMENTS_SHOWN_MAX in all. Stops at the first
 * error of each and returns it. */
MUST_USE enum err view_endorsement_of(const struct snapshot *snapshot, uint64_t now_ms,
                                      const struct public_key *subject, view_endorsement_fn each,
                                      void *self);
/* Everything that is accepted or shown and in force, of everybody I may see, me included: subject
 * after subject in the order of their roots, of each what view_endorsement_of tells. */
MUST_USE enum err view_endorsement_every(const struct snapshot *snapshot, uint64_t now_ms,
                                         view_endorsement_fn each, void *self);
/* Those I wrote, newest first. */
MUST_USE enum err view_endorsement_given(const struct snapshot *snapshot, uint64_t now_ms,
                                         view_endorsement_fn each, void *self);
/* Those whose UUID begins with these hex digits (lower case), whatever their state. */
MUST_USE enum err view_endorsement_named(const struct snapshot *snapshot, uint64_t now_ms,
                                         struct span hex, view_endorsement_fn each, void *self);
/* One, where it stands. ERR_NOT_FOUND. */
MUST_USE enum err view_endorsement_at(const struct snapshot *snapshot, uint64_t now_ms,
                                      const struct endorsement_place *place,
                                      view_endorsement_fn each, void *self);
/* The same as a value, whose tags are not borrowed on: about_count is 0. ERR_NOT_FOUND also for one
 * that this member may not see. */
MUST_USE enum err view_endorsement_get(const struct snapshot *snapshot, uint64_t now_ms,
                                       const struct endorsement_place *place,
                                       struct endorsement_view *out);
/* The record of a view: reads it again from its object into out, whose spans borrow from object;
 * the caller releases object. */
MUST_USE enum err view_endorsement_record(const struct snapshot *snapshot,
                                          const struct endorsement_view *view,
                                          struct object *object, struct endorsement *out);

struct endorsement_counts {
    uint64_t given, received, shown, pending;
};
/* What status says: in force, by me; in force, of me and not set aside; of those shown to somebody;
 * of those not decided. */
MUST_USE enum err view_endorsement_count(const struct snapshot *snapshot, uint64_t now_ms,
                                         struct endorsement_counts *out);

#endif
