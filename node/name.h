/*
 * WHO: one person out of what somebody typed. An alias, a name (case and accents ignored), an
 * e-mail, a contact id or a did:key, or a prefix of either of at least six characters; where no
 * whole name fits, the first name, and where that does not either, any words of a name. One match
 * acts; several are listed, never guessed.
 */
#ifndef KITH_NODE_NAME_H
#define KITH_NODE_NAME_H

#include "node/ops.h"

struct name_match {
    bool has_contact;
    uint32_t number; /* local number of the contact's object */
    struct id contact;
    bool has_member; /* linked to a member */
    struct public_key member;
    char shown[201]; /* the name, for messages */
    char org[81];    /* to tell namesakes apart; of contacts */
};

/* The one person meant. On ERR_NOT_FOUND and ERR_AMBIGUOUS the call's failure is filled, with the
 * next line to type. */
MUST_USE enum err name_find(struct op_call *call, const char *who, struct name_match *out);
/* The same, but it must be somebody there is, or was, a link with. */
MUST_USE enum err name_find_peer(struct op_call *call, const char *who, struct name_match *out);

/* Is each word typed a word of the name? Both folded. */
bool name_has_words(struct span name, struct span typed);

/* The beginning of a contact's id, of twelve digits or more, that fits no other: an import makes
 * many contacts in one millisecond, and their ids begin alike. */
void name_short_id(const struct snapshot *snapshot, const struct id *contact,
                   char out[static ID_TEXT_SIZE]);

#endif
