/* What an introducee can tell of the other one, for reactions and for ops. */
#ifndef KITH_NODE_INTRODUCEE_H
#define KITH_NODE_INTRODUCEE_H

#include "node/introduction.h"
#include "proto/introduction_bond.h"

/* A release that fits a yes of mine. */
struct introducee_release {
    const struct introduction_fact *fact, *yes; /* the release, my yes */
    struct introduction_bundle mine, theirs;
    bool fits_tag;     /* it shows who the offer said */
    struct hash order; /* of several, the least counts */
};

/* One look at an introduction, as one of the two. */
struct introducee {
    struct introduction_case *intro;
    const struct introduction_fact *offer;
    struct introducee_release release; /* when has_release */
    struct peer *introducer, *other;   /* secret; other: once known */
    struct introduction_bond *bond;    /* secret; when has_bond */
    bool has_bond, knows_other;
    bool was_called;  /* the link stands already, by this introduction */
    struct buf plain; /* of the other's hello */
    struct introduction_hello hello;
    struct introduction_facts facts;
};

/* Introducee_greet.c: says hello to the other, and links with them. */
MUST_USE enum err introducee_greet(struct introducee *self);
MUST_USE enum err introducee_connect(struct introducee *self);
/* Introducee_release.c: of the releases that show the same other as the first one does, the one
 * that counts, with what both said under it. */
MUST_USE enum err introducee_choose_release(struct introducee *self);
/* Looks whether my hello is for the release that counts. */
MUST_USE enum err introducee_find_hello(struct introducee *self);
/* What my own hello said under it, read back: it may have been another device's. Wipe plain, from
 * which out borrows. ERR_NOT_FOUND; ERR_FORGED: they are all for others. */
MUST_USE enum err introducee_my_hello(struct introducee *self, struct buf *plain,
                                      struct introduction_hello *out);
/* Is the secret of this release one of the link's? */
bool introducee_holds_secret(const struct introducee *self);
/* Notes for all devices that this introduction has ended in a link: before the link itself, so that
 * whoever learns of the link and its end knows. */
MUST_USE enum err introducee_note_met(struct introduction_case *intro);
/* Linked with them anyhow: only notes who vouches for their key. */
MUST_USE enum err introducee_vouch(struct introducee *self);
/* A session with this member stood under the link there is: every introduction to them in which I
 * have said hello is over. Calls for the next look at each. */
MUST_USE enum err introducee_met(struct ledger_txn *txn, const struct public_key *member);

/* The offer that counts: the one I answered, else the one with the least hash. NULL: none. */
const struct introduction_fact *introducee_offer(const struct introduction_case *intro);
/* The release that counts. ERR_NOT_FOUND. */
MUST_USE enum err introducee_release(const struct introduction_case *intro,
                                     struct introducee_release *out);
/* The next one behind that order. */
MUST_USE enum err introducee_release_after(const struct introduction_case *intro,
                                           const struct hash *after,
                                           struct introducee_release *out);
/* The peer or blocked member the offer is about, when its tag tells. ERR_NOT_FOUND. */
MUST_USE enum err introducee_recognise(const struct introduction_case *intro,
                                       const struct introduction_offer *offer, struct peer *out);
/* Says yes to the offer: the owner did, or a want ahead of it. */
MUST_USE enum err introducee_agree(struct introduction_case *intro);

#endif
