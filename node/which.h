/*
 * WHICH: one of several introductions, asks, leads or endorsements out of what somebody typed: the
 * beginning of its id, of at least six digits, or any words of a name it goes by. An id comes
 * before a name, and of those with one name what is under way before what is over. One match acts;
 * several are listed, never guessed.
 */
#ifndef KITH_NODE_WHICH_H
#define KITH_NODE_WHICH_H

#include "node/ops.h"

enum { WHICH_SHOWN_MAX = 5 };

struct which {
    const char *typed; /* NULL: nothing was */
    struct buf folded;
    unsigned rank; /* of the best so far; 0: none */
    size_t count;  /* of those as good */
    struct {
        char id[ID_TEXT_SIZE], name[81];
    } shown[WHICH_SHOWN_MAX];
};

/* What one of them goes by. */
struct which_names {
    const char *names[2]; /* NULL: none */
    bool is_over;
};

/* What it is to be called when none or several fit. */
struct which_noun {
    const char *one, *many; /* "introduction", "introductions" */
    const char *hint;       /* the command that lists them */
};

/* typed may be NULL, and lives as long. */
MUST_USE enum err which_begin(const char *typed, struct which *out);
/* May it be told by its id alone? Then names need not be looked up. */
bool which_fits_id(const struct which *which, const struct id *id);
/* True when this one is better than all before: to be kept. */
bool which_offer(struct which *which, const struct id *id, const struct which_names *names);
/* ERR_OK when one fits; else the call's failure is filled. Releases. */
MUST_USE enum err which_settle(struct which *which, struct op_call *call,
                               const struct which_noun *noun);
void which_release(struct which *which);

#endif
