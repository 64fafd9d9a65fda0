/*
 * Spaces of mine: making them, their epochs, and granting their keys. Who reads what is decided
 * here and in ops, never by a reader.
 */
#ifndef KITH_STORAGE_SPACE_H
#define KITH_STORAGE_SPACE_H

#include "storage/ledger.h"

struct peer; /* storage/view_peer.h */

/* Draws an id, records the space in self, opens its first epoch. For a pair space peer is the
 * reader, whose devices known so far get the key; for card and network it is NULL. */
MUST_USE enum err space_create(struct ledger_txn *txn, enum space_kind kind,
                               const struct public_key *peer, struct id *out_id);
/* The id of the pair space for this peer, or of the network space: the same on all own devices. */
MUST_USE enum err space_id(struct ledger_txn *txn, enum space_kind kind,
                           const struct public_key *peer, struct id *out);
/* The same under an id that was drawn, and perhaps told, before. */
MUST_USE enum err space_create_as(struct ledger_txn *txn, enum space_kind kind,
                                  const struct public_key *peer, const struct id *id);
/* A fresh epoch over all that is there, for the audience as it is now: own devices, recovery key,
 * and (pair) the peer's devices, or (card, network) every linked peer by a grant in its pair space.
 * What removes a reader or shuts out a device calls it in the same transaction. */
MUST_USE enum err space_rotate(struct ledger_txn *txn, const struct id *space);
/* The same for my card or network space; nothing when there is none. */
MUST_USE enum err space_rotate_own(struct ledger_txn *txn, enum space_kind kind);
/* Something about the space's readers or epochs has changed: before anything else is written there,
 * and before this transaction ends, its epoch is chosen anew. Nothing for spaces of others. */
MUST_USE enum err space_unsettle(struct ledger_txn *txn, const struct space_row *space);
/* Chooses the epoch to write under, where that is in question; opens one where none will do.
 * ERR_KEY_MISSING: there are epochs and no key to any has come yet. Updates the row given. */
MUST_USE enum err space_settle(struct ledger_txn *txn, struct space_row *space);
/* Called from the agenda with a space's id: settles it, and wraps its key for devices that came,
 * now or (devices of peers) when a day has passed since the last time. */
MUST_USE enum err space_tend(struct ledger_txn *txn, struct span name);
/* Called by follow when a link changed (before is NULL when it is new), and when devices of a
 * member became known or were shut out. */
MUST_USE enum err space_link_changed(struct ledger_txn *txn, const struct object *before,
                                     const struct object *after);
/* A device of this member was given up, or stolen. */
MUST_USE enum err space_shut_out(struct ledger_txn *txn, const struct public_key *member);
MUST_USE enum err space_devices_changed(struct ledger_txn *txn, const struct public_key *member);
/* May what was sealed under this epoch of mine be sealed anew for today's readers? Not while its
 * own are not known, in a card or network space: its opener may have removed somebody, which only
 * self tells. After RETURN_WAIT_DAYS of running time nobody will. */
MUST_USE enum err space_is_open(const struct snapshot *snapshot, const struct space_row *space,
                                const struct hash *epoch, bool *out);
/* Opens an epoch over all that is there; its readers are the audience of now. is_fresh: it tells no
 * earlier key, and only a restatement does that. */
MUST_USE enum err space_open_epoch(struct ledger_txn *txn, const struct space_row *space,
                                   bool is_fresh, struct hash *out_id);
/* Grants the current epoch of my card or network space to every linked peer; held: to those alone
 * who were granted that epoch, or NULL. */
MUST_USE enum err space_grant_all(struct ledger_txn *txn, const struct id *space,
                                  const struct hash *held);
/* The same as space_grant for a peer who could not read the space until now: what was withdrawn is
 * restated away first. */
MUST_USE enum err space_admit(struct ledger_txn *txn, const struct id *space,
                              const struct public_key *peer);
/* Turns my network space on (made when there is none yet) or off: what stands in it is given to
 * nobody while it is off. */
MUST_USE enum err space_use_network(struct ledger_txn *txn, bool is_on);
/* ERR_NOT_FOUND: it is off, or was never on. */
MUST_USE enum err space_network(const struct snapshot *snapshot, struct space_row *out);
/* The same for one peer. ERR_NOT_FOUND, too, where it was not let in, or told no key of it yet. */
MUST_USE enum err space_network_of(const struct snapshot *snapshot, const struct peer *link,
                                   struct space_row *out);
/* Lets one peer read my network space, or no more from now on. ERR_STATE while it is off, or when
 * the peer is none; ERR_NOT_FOUND: no such peer. */
MUST_USE enum err space_share_network(struct ledger_txn *txn, const struct public_key *peer,
                                      bool is_reader);
/* Notes the key of an epoch of self once more, unless a log tells it under one deeper than this. */
MUST_USE enum err space_tell_older(struct ledger_txn *txn, const struct space_row *space,
                                   const struct hash *epoch, uint32_t depth);
/* Called by follow where a key of my network space stands in the pair space for this peer. */
MUST_USE enum err space_granted(struct ledger_txn *txn, const struct public_key *reader);
/* Called from the agenda with a peer who was granted it. */
MUST_USE enum err space_tend_granted(struct ledger_txn *txn, struct span name);
/* Tells one peer the keys of my card (or network) space: a grant in its pair space for each epoch
 * it may read. */
MUST_USE enum err space_grant(struct ledger_txn *txn, const struct id *space,
                              const struct public_key *peer);

/* Certifies this device in the card space, by the root; ERR_STATE on a device without it. */
MUST_USE enum err space_certify(struct ledger_txn *txn, struct span device_name);
/* The same for a device that follows another, whose signing seed is given. ERR_LIMIT: without the
 * root its chain would be too long. */
MUST_USE enum err space_certify_successor(struct ledger_txn *txn, struct span device_name,
                                          const uint8_t before_seed[static 32]);
/* Called from the agenda, on a device with the root: devices of mine that a forked one certified
 * are certified by the root. */
MUST_USE enum err space_tend_certificates(struct ledger_txn *txn, struct span name);
/* Puts a certificate of a device of mine into the card space. */
MUST_USE enum err space_put_certificate(struct ledger_txn *txn, const struct public_key *device,
                                        struct span statement);
/* Between devices of one member (space_sibling.c). */

/* Has this member devices besides this one that are not retired? */
MUST_USE enum err space_has_siblings(const struct snapshot *snapshot, bool *out);
/* Called by follow with an object of self: spaces of mine that another device made, and what a link
 * that another device made says of the peer's, become known. */
MUST_USE enum err space_learn(struct ledger_txn *txn, const struct object *space);
/* My network space, which another device made and granted to a peer before self told of it.
 * ERR_NOT_FOUND: it has another id (OWN-11). */
MUST_USE enum err space_learn_network(struct ledger_txn *txn, const struct id *id);
MUST_USE enum err space_learn_link(struct ledger_txn *txn, const struct object *link);
/* Called from the agenda. With a member's root: its spaces are news. With an epoch's id: the key of
 * a peer's pair space is put into self for the other devices; with none: every such key is. And:
 * where this device can be reached stands in the card space, once there is another to tell it. */
MUST_USE enum err space_tend_known(struct ledger_txn *txn, struct span name);
MUST_USE enum err space_tend_keys(struct ledger_txn *txn, struct span name);
MUST_USE enum err space_tend_reach(struct ledger_txn *txn, struct span name);

/* Draws a new knock, tells it to all peers through the card space; older ones are still answered
 * for a while. */
MUST_USE enum err space_renew_knock(struct ledger_txn *txn);

/* The same for a removal: at once, or with the other removals of the same day. */
MUST_USE enum err space_renew_knock_soon(struct ledger_txn *txn);
/* Called from the agenda. */
MUST_USE enum err space_tend_knock(struct ledger_txn *txn, struct span name);

#endif
