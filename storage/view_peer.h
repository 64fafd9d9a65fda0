/*
 * Peers, devices, invitations and knocks as sessions and ops ask for them: derived from link,
 * certificate, reach, door, invitation and knock objects.
 */
#ifndef KITH_STORAGE_VIEW_PEER_H
#define KITH_STORAGE_VIEW_PEER_H

#include "proto/device.h"
#include "proto/invite.h"
#include "proto/link.h"
#include "storage/ledger.h"

/* A link, read whole. Holds secrets: lives in memory from secret_new, or is wiped after use. */
struct peer {
    struct public_key member;
    enum link_state state;
    enum link_level level;
    uint64_t since_ms;
    uint8_t secret[KEY_SIZE], secret_old[KEY_SIZE];
    bool has_secret, has_secret_old, is_confirmed;
    bool reads_network;              /* of mine */
    uint64_t entries_max, bytes_max; /* my bounds on what the peer writes; 0: the usual ones */
    struct hash pin;
    struct id pair_out, pair_in, card_in, contact;
    bool has_pair_out, has_pair_in, has_card_in, has_contact, has_knock;
    bool has_via, has_introduction;
    struct public_key via;         /* who introduced us */
    struct id introduction;        /* and in which introduction */
    uint8_t knock[KEY_SIZE];       /* to use towards the peer: the newest told */
    uint8_t knock_first[KEY_SIZE]; /* the one that the link was made with; zeros without a knock */
    char alias[201];               /* my name for the peer; empty when none */
    char name[201]; /* the newest card's, else the one given when linking; where there is nothing to
                       see in it, the beginning of the member's did */
};

MUST_USE enum err view_peer(const struct snapshot *snapshot, const struct public_key *member,
                            struct peer *out);
typedef enum err (*view_peer_fn)(void *self, const struct peer *peer);
/* The network space a peer writes, by the peer's root. ERR_NOT_FOUND: it has granted none. */
MUST_USE enum err view_peer_network(const struct snapshot *snapshot,
                                    const struct public_key *member, struct space_row *out);
/* The card space of a member, a peer's or mine. ERR_NOT_FOUND. */
MUST_USE enum err view_peer_card(const struct snapshot *snapshot, const struct public_key *member,
                                 struct space_row *out);
/* Every link that was ever made and not forgotten, removed and blocked ones included. */
MUST_USE enum err view_peer_each(const struct snapshot *snapshot, view_peer_fn each, void *self);
/* The same by what the links alone say, not the peers' cards: name and knock may be older. */
MUST_USE enum err view_peer_each_link(const struct snapshot *snapshot, view_peer_fn each,
                                      void *self);

struct device_row {
    struct public_key device, member, certifier;
    uint8_t static_key[32], receiving_key[32];
    char name[33];
    uint64_t certified_at_ms;
    bool is_claim; /* another member certified it before; it has signed nothing yet */
};
typedef enum err (*view_device_fn)(void *self, const struct device_row *device);
MUST_USE enum err view_device(const struct snapshot *snapshot, const struct public_key *device,
                              struct device_row *out);
/* The same as a device of this member. ERR_NOT_FOUND, too, where it is known to be somebody else's.
 */
MUST_USE enum err view_device_of(const struct snapshot *snapshot, const struct public_key *device,
                                 const struct public_key *member, struct device_row *out);
/* An entry of the device's in a space of this member has come, and was verified: so it is this
 * member's from here on. ERR_NOT_FOUND: the member does not say so, or it is somebody else's. */
MUST_USE enum err view_device_prove(struct ledger_txn *txn, const struct public_key *device,
                                    const struct public_key *member);
MUST_USE enum err view_device_by_static(const struct snapshot *snapshot,
                                        const uint8_t static_key[static 32],
                                        struct device_row *out);
/* Does a chain with room for this certificate lead from the root of its member to its certifier?
 * The root itself always may admit. ERR_FORGED. */
MUST_USE enum err view_device_may_certify(const struct snapshot *snapshot,
                                          const struct certificate *certificate);
/* The same, and how long the chain would be with it: how many admit a device, how many in all. */
MUST_USE enum err view_device_depth(const struct snapshot *snapshot,
                                    const struct certificate *certificate, size_t *out_depth,
                                    size_t *out_length);
/* A device and the certificate it is known by, borrowed; empty where only its contents are known.
 */
MUST_USE enum err view_device_stated(const struct snapshot *snapshot,
                                     const struct public_key *device, struct device_row *out,
                                     struct span *out_statement);
/* The same as a device of this member, as view_device_of says. */
MUST_USE enum err view_device_stated_of(const struct snapshot *snapshot,
                                        const struct public_key *device,
                                        const struct public_key *member, struct device_row *out,
                                        struct span *out_statement);
/* Makes this certificate the one it is known by, as a device of its member:
 * view_certificate.h says which that is. */
MUST_USE enum err view_device_put(struct ledger_txn *txn, const struct certificate *certificate);
enum { VIEW_CHAIN_MAX = CHAIN_CERTIFICATES_MAX };
/* Every device that may call with this handshake key: more than one where somebody certifies a key
 * that is somebody else's. Stops at the first error of each and returns it. ERR_NOT_FOUND: none. */
MUST_USE enum err view_device_each_static(const struct snapshot *snapshot,
                                          const uint8_t static_key[static 32], view_device_fn each,
                                          void *self);
/* A device's certificates from the root down, borrowed from the snapshot; one may be empty where
 * only its contents are known. ERR_NOT_FOUND: no such device, or too far from the root by now. */
MUST_USE enum err view_device_chain(const struct snapshot *snapshot,
                                    const struct public_key *device,
                                    struct span out[static VIEW_CHAIN_MAX], size_t *out_count);
/* The certified devices of a member (my own too), or (NULL) of all. */
MUST_USE enum err view_device_each(const struct snapshot *snapshot, const struct public_key *member,
                                   view_device_fn each, void *self);
/* Registers a device from a verified chain before its card space has arrived (link exchange,
 * message 3). */
MUST_USE enum err view_device_learn(struct ledger_txn *txn, const struct device_chain *chain);
/* The same for a device that came by itself: its logs may have been offered before it was known. */
MUST_USE enum err view_device_meet(struct ledger_txn *txn, const struct device_chain *chain);
/* What this member's devices write, or (NULL) what anybody does, is news: something about them has
 * come. */
MUST_USE enum err view_device_news(struct ledger_txn *txn, const struct public_key *member);
/* Addresses of a device: those that worked lately first, then those of its reach object, then the
 * link's, which may be another device's. out_is_told: there are some of the first two; or NULL. */
MUST_USE enum err view_peer_addresses(const struct snapshot *snapshot,
                                      const struct public_key *device,
                                      struct address out[static ADDRESSES_MAX * 3],
                                      size_t *out_count, bool *out_is_told);
/* Remembers where a device was reached or says it can be; last_seen 0 keeps the old. */
MUST_USE enum err view_peer_reached(struct ledger_txn *txn, const struct public_key *device,
                                    struct span addresses, uint64_t seen_at_ms);
/* Appends where this device says it can be reached (address_put_list): view_peer_reached of its
 * own.
 */
MUST_USE enum err view_peer_own_addresses(const struct snapshot *snapshot, struct buf *out);
MUST_USE enum err view_peer_last_seen(const struct snapshot *snapshot,
                                      const struct public_key *member, uint64_t *out_ms);

/* My knock keys that are still answered, newest first. */
MUST_USE enum err view_knocks(const struct snapshot *snapshot, uint8_t out[static 8 * KEY_SIZE],
                              size_t *out_count);
/* The same, and behind them those that are answered no more but were, eight in all. */
MUST_USE enum err view_knocks_held(const struct snapshot *snapshot,
                                   uint8_t out[static 8 * KEY_SIZE], size_t *out_answered,
                                   size_t *out_held);
/* Appends those that the card space told once, whoever drew them, the newest first, where they are
 * not among these keys and while there are fewer than max. */
MUST_USE enum err view_knocks_told(const struct snapshot *snapshot, uint8_t *keys, size_t max,
                                   size_t *in_out_count);
/* What I tell in message 3 and in the first frame: root, pin, my chain (device_put_identity). */
MUST_USE enum err view_identity(const struct snapshot *snapshot, struct buf *out);

/* How far the peer has stored my logs; and what it has not. */
MUST_USE enum err view_delivered(struct ledger_txn *txn, const struct public_key *peer,
                                 const struct log_id *log, uint64_t size);
/* ERR_NOT_FOUND: nothing of it, as far as is known. */
MUST_USE enum err view_delivered_size(const struct snapshot *snapshot,
                                      const struct public_key *peer, const struct log_id *log,
                                      uint64_t *out);
/* How far one peer has stored one log. */
MUST_USE enum err view_delivered_to(const struct snapshot *snapshot, const struct public_key *peer,
                                    uint32_t log, uint64_t *out_size);
MUST_USE enum err view_undelivered(const struct snapshot *snapshot, const struct public_key *peer,
                                   uint64_t *out_entries);

/* Called by follow after a link, certificate, grant or key object changed. */
MUST_USE enum err view_peer_changed(struct ledger_txn *txn, const struct space_row *space,
                                    uint32_t number, const struct object *after);

/* The key for an epoch that the space's writer told: in a grant, or (my own) in self. Nobody else's
 * word counts. ERR_NOT_FOUND. */
MUST_USE enum err view_peer_key_of(const struct snapshot *snapshot, const struct public_key *writer,
                                   const struct hash *epoch, uint8_t out[static KEY_SIZE]);

/* The same for each edit of a certificate, whether it won or not: after is what the object is now.
 */
MUST_USE enum err view_device_written(struct ledger_txn *txn, const struct space_row *space,
                                      const struct edit *edit, const struct object *after);

#endif
