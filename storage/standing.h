/*
 * Whether a device counts: what was stated about it, and whether whoever certified it could still
 * do so. The one place that says what a stolen device has spoilt.
 */
#ifndef KITH_STORAGE_STANDING_H
#define KITH_STORAGE_STANDING_H

#include "proto/device.h"
#include "storage/view_peer.h"

enum standing {
    STANDING_GOOD,
    STANDING_FORKED, /* it goes on under another key */
    STANDING_OWNER,  /* given up: from here on it is shut out */
    STANDING_STOLEN,
    STANDING_VOID /* its certificate is by a stolen device, and came too late */
};

static inline bool standing_is_out(enum standing standing)
{
    return standing >= STANDING_OWNER;
}

/* The devices that lead from a member's root to one of its devices, as it is known now; the last is
 * that one. Each is judged by those before it alone. */
struct standing_line {
    struct public_key member;
    struct standing_place {
        struct public_key device;
        bool is_stolen; /* the root, it, or one before it says so */
        bool is_void;   /* by the certificates that lead here */
    } places[VIEW_CHAIN_MAX];
    size_t count;
};

/* As this member's (NULL: of whom it is held to be). ERR_NOT_FOUND: not known. */
MUST_USE enum err standing_line_of(const struct snapshot *snapshot, const struct public_key *device,
                                   const struct public_key *member, struct standing_line *out);
/* Was this device stolen, and leads to the one that writes in this store? NULL: any that does. */
MUST_USE enum err standing_is_led_by(const struct snapshot *snapshot,
                                     const struct public_key *device, bool *out);
/* What somebody said of a device, and where it stands as an object. */
struct standing_word {
    const struct public_key *signer; /* the member, where the root signed */
    struct span statement;
    const struct space_row *space; /* whose log may hold it; NULL: the member's card space */
    uint8_t kind;
};

/* Does a log of the word's signer hold it, as far as that log counts here? */
MUST_USE enum err standing_is_told(const struct snapshot *snapshot, const struct public_key *member,
                                   const struct standing_word *word, bool *out);
/* A device as a member's. */
struct standing_device {
    const struct public_key *member, *device;
};

/* Each certificate that the card space holds of a device, and in whose log: as far as those logs
 * count here. shown: the object, or NULL to look. What each returns ends it, unless ERR_OK. */
typedef enum err (*standing_told_fn)(void *self, const struct public_key *writer,
                                     struct span statement);
MUST_USE enum err standing_each_told(const struct snapshot *snapshot,
                                     const struct standing_device *of, const struct object *shown,
                                     standing_told_fn each, void *self);
/* A device and the certificate by which it is known. */
struct standing_certified {
    const struct public_key *member, *device, *certifier;
    struct span statement;
};

/* Is it among those, in its certifier's log? */
MUST_USE enum err standing_was_told(const struct snapshot *snapshot,
                                    const struct standing_certified *certified,
                                    const struct object *shown, bool *out);
/* Is all that counts of a stolen device's log in the card space here, and can it be read? Until
 * then whom it certified may be among what is on its way. */
MUST_USE enum err standing_is_whole(const struct snapshot *snapshot,
                                    const struct public_key *member,
                                    const struct public_key *device, bool *out);
/* Is it so of all stolen ones that lead to a device? Then one that is void stays so. */
MUST_USE enum err standing_is_sure(const struct snapshot *snapshot, const struct public_key *device,
                                   bool *out);
/* Is the word of its signer to be believed, whatever it is about? */
MUST_USE enum err standing_is_credible(const struct snapshot *snapshot,
                                       const struct public_key *member,
                                       const struct standing_word *word, bool *out);
/* The same of a word about the last of a line that only those who lead to it may say: itself, too,
 * where may_itself. */
MUST_USE enum err standing_is_said_above(const struct snapshot *snapshot,
                                         const struct standing_line *line,
                                         const struct standing_word *word, bool may_itself,
                                         bool *out);

/* One sentence for its owner, on the device that is shut out; NULL for any other. */
const char *standing_sentence(enum standing standing);
/* An unknown device is good as far as statements go. */
MUST_USE enum err standing_of(const struct snapshot *snapshot, const struct public_key *device,
                              enum standing *out);
/* How a device stands that signed a statement, judged by the chain it carries: its own standing
 * where it is known here, else that of the nearest one above it that is; void below a stolen one.
 * Good where none is known. */
MUST_USE enum err standing_of_signer(const struct snapshot *snapshot,
                                     const struct device_keys *chain, enum standing *out);
/* Notes how the device stands now; what follows where that has changed is done. */
MUST_USE enum err standing_note(struct ledger_txn *txn, const struct public_key *member,
                                const struct public_key *device, bool *out_is_other);
/* What was noted last: good where nothing was. */
MUST_USE enum err standing_noted(const struct snapshot *snapshot, const struct public_key *member,
                                 const struct public_key *device, enum standing *out);
/* The device is none of this member's: what was noted is forgotten. */
MUST_USE enum err standing_forget(struct ledger_txn *txn, const struct public_key *member,
                                  const struct public_key *device);
/* Is this the key of such a note? Whose and of which device. */
bool standing_is_row(const struct key *key, struct public_key *out_member,
                     struct public_key *out_device);
/* All of whom anything was stated are looked at again, when the views have caught up. Notes about
 * devices that are another member's, as an older program left them, go at once. */
MUST_USE enum err standing_look_again(struct ledger_txn *txn);
/* Where one of this member's is void all of them are looked at again. */
MUST_USE enum err standing_look_at_own(struct ledger_txn *txn);
/* Would a certificate make its device void? card: its object as the card space shows it now, or
 * NULL to look. */
MUST_USE enum err standing_of_certificate(const struct snapshot *snapshot,
                                          const struct certificate *certificate,
                                          const struct object *card, bool *out_is_void);
/* Is the chain's device shut out, or void by one of its certificates? */
MUST_USE enum err standing_of_chain(const struct snapshot *snapshot,
                                    const struct device_chain *chain, bool *out_is_out);

#endif
