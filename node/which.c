/* A rank for each that fits; the best is counted. */
#include "node/which.h"

#include <stdio.h>
#include <string.h>

#include "node/name.h"
#include "storage/fold.h"

enum { WHICH_DIGITS_MIN = 6, WHICH_SHOWN_DIGITS = 12 };
enum which_rank { WHICH_NOT, WHICH_OVER, WHICH_UNDER_WAY, WHICH_BY_ID };

enum err which_begin(const char *typed, struct which *out)
{
    *out = (struct which){.typed = typed};
    return typed != NULL ? fold(span_str(typed), &out->folded) : ERR_OK;
}

void which_release(struct which *which)
{
    buf_release(&which->folded);
}

bool which_fits_id(const struct which *which, const struct id *id)
{
    char text[ID_TEXT_SIZE];

    hex_write(span_of(id->bytes, ID_SIZE), text);
    return which->typed != NULL && strlen(which->typed) >= WHICH_DIGITS_MIN &&
           strncmp(text, which->typed, strlen(which->typed)) == 0;
}

static bool which_fits_name(const struct which *which, const char *name)
{
    struct buf folded = {0};
    bool fits = name != NULL && which->folded.size > 0 && fold(span_str(name), &folded) == ERR_OK &&
                name_has_words(buf_span(&folded), buf_span(&which->folded));

    buf_release(&folded);
    return fits;
}

static void which_show(struct which *which, const struct id *id, const char *name)
{
    size_t at = which->count - 1;

    if (at >= WHICH_SHOWN_MAX)
        return;
    hex_write(span_of(id->bytes, ID_SIZE), which->shown[at].id);
    (void)snprintf(which->shown[at].name, sizeof which->shown[at].name, "%s",
                   name != NULL ? name : "");
}

bool which_offer(struct which *which, const struct id *id, const struct which_names *names)
{
    enum which_rank rank = which_fits_id(which, id) ? WHICH_BY_ID : WHICH_NOT;
    const char *name = names->names[0];

    for (size_t at = 0; at < 2 && rank == WHICH_NOT; at++)
        if (which_fits_name(which, names->names[at])) {
            rank = names->is_over ? WHICH_OVER : WHICH_UNDER_WAY;
            name = names->names[at];
        }
    if (rank == WHICH_NOT || rank < which->rank)
        return false;
    if (rank > which->rank)
        which->count = 0;
    which->rank = rank;
    which->count++;
    which_show(which, id, name);
    return which->count == 1;
}

static enum err which_ambiguous(const struct which *which, struct op_call *call,
                                const struct which_noun *noun)
{
    struct op_failure *failure = &call->failure;

    (void)op_fail(call, OP_AMBIGUOUS, noun->hint, "several %s fit \"%.40s\":", noun->many,
                  which->typed);
    for (size_t at = 0; at < which->count && at < WHICH_SHOWN_MAX; at++) {
        size_t size = strlen(failure->message);

        (void)snprintf(failure->message + size, sizeof failure->message - size, "%s %.*s (%.60s)",
                       at > 0 ? "," : "", WHICH_SHOWN_DIGITS, which->shown[at].id,
                       which->shown[at].name);
    }
    return ERR_AMBIGUOUS;
}

/* Digits that are too few to be the beginning of an id. */
static bool which_is_short(const char *typed)
{
    return strlen(typed) < WHICH_DIGITS_MIN && typed[strspn(typed, "0123456789abcdef")] == '\0';
}

enum err which_settle(struct which *which, struct op_call *call, const struct which_noun *noun)
{
    enum err err = ERR_OK;

    if (which->count > 1)
        err = which_ambiguous(which, call, noun);
    else if (which->count == 0 && (which->typed == NULL || which_is_short(which->typed)))
        err = op_fail(call, OP_USAGE, noun->hint,
                      "say which: the first %d or more letters of its id, or words of its name",
                      WHICH_DIGITS_MIN);
    else if (which->count == 0)
        err = op_fail(call, OP_NOT_FOUND, noun->hint, "there is no %s %.40s", noun->one,
                      which->typed);
    which_release(which);
    return err;
}
