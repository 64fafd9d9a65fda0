/* An id names any endorsement that is known; a name one that the other wrote about me, or I about
 * them. */
#include <stdio.h>
#include <string.h>

#include "node/describe.h"
#include "node/introduction.h"
#include "node/op_endorsement.h"
#include "node/which.h"

enum { OP_ENDORSEMENT_FIND_MIN = 6, OP_ENDORSEMENT_FIND_MAX = 8 };

/* By its id. */

struct op_endorsement_find_search {
    struct endorsement_view found[OP_ENDORSEMENT_FIND_MAX];
    size_t count;
};

static enum err op_endorsement_find_on_id(void *self, const struct endorsement_view *view)
{
    struct op_endorsement_find_search *search = self;

    if (search->count == OP_ENDORSEMENT_FIND_MAX)
        return ERR_CANCELLED;
    search->found[search->count] = *view;
    search->found[search->count++].about_count = 0; /* It lies in the store. */
    return ERR_OK;
}

/* An id as typed: its hex digits in lower case. False when it holds anything else. */
static bool op_endorsement_find_digits(const char *text, char out[static 2 * ID_SIZE + 1])
{
    size_t count = 0;

    if (strncmp(text, "urn:uuid:", 9) == 0)
        text += 9;
    for (; *text != '\0'; text++) {
        char digit = *text >= 'A' && *text <= 'F' ? (char)(*text + 32) : *text;

        if (digit == '-')
            continue;
        if (strchr("0123456789abcdef", digit) == NULL || count == (size_t)2 * ID_SIZE)
            return false;
        out[count++] = digit;
    }
    out[count] = '\0';
    return count >= OP_ENDORSEMENT_FIND_MIN;
}

static enum err op_endorsement_find_several(struct op_call *call, const char *id,
                                            const struct op_endorsement_find_search *search)
{
    char uuid[DESCRIBE_UUID_SIZE];
    size_t size;

    (void)op_fail(call, OP_AMBIGUOUS, "type more of the id", "%.40s could be:", id);
    for (size_t at = 0; at < search->count; at++) {
        describe_uuid(&search->found[at].id, uuid);
        size = strlen(call->failure.message);
        (void)snprintf(call->failure.message + size, sizeof call->failure.message - size, "%s %s",
                       at > 0 ? "," : "", uuid);
    }
    return ERR_AMBIGUOUS;
}

/* By a name. */

struct op_endorsement_find_named {
    const struct op_call *call;
    struct which which;
    struct endorsement_view found;
};

static bool op_endorsement_find_is_over(enum endorsement_state state)
{
    return state == ENDORSEMENT_REVOKED || state == ENDORSEMENT_EXPIRED ||
           state == ENDORSEMENT_SET_ASIDE;
}

static enum err op_endorsement_find_on_named(void *self, const struct endorsement_view *view)
{
    struct op_endorsement_find_named *named = self;
    const struct public_key *other =
        op_endorsement_is_me(named->call, &view->subject) ? &view->issuer : &view->subject;
    char name[INTRODUCTION_NAME_SIZE];
    struct which_names names = {.names = {name},
                                .is_over = view->is_superseded ||
                                           op_endorsement_find_is_over(view->state)};

    introduction_name(&named->call->snapshot, other, name);
    if (which_offer(&named->which, &view->id, &names)) {
        named->found = *view;
        named->found.about_count = 0; /* It lies in the store. */
    }
    return ERR_OK;
}

static enum err op_endorsement_find_by_name(struct op_call *call, const char *name,
                                            struct endorsement_view *out)
{
    static const struct which_noun noun = {"endorsement", "endorsements", "kith endorsement list"};
    struct op_endorsement_find_named named = {.call = call};
    enum err err = which_begin(name, &named.which);

    if (err == ERR_OK)
        err =
            view_endorsement_of(&call->snapshot, call->now_ms, ledger_member(call->snapshot.ledger),
                                op_endorsement_find_on_named, &named);
    if (err == ERR_OK)
        err = view_endorsement_given(&call->snapshot, call->now_ms, op_endorsement_find_on_named,
                                     &named);
    if (err != ERR_OK) {
        which_release(&named.which);
        return op_fail_err(call, err, "the endorsements could not be read");
    }
    *out = named.found;
    return which_settle(&named.which, call, &noun);
}

enum err op_endorsement_find(struct op_call *call, const char *id, struct endorsement_view *out)
{
    struct op_endorsement_find_search search = {.count = 0};
    char digits[2 * ID_SIZE + 1];
    enum err err = ERR_OK;

    if (id != NULL && op_endorsement_find_digits(id, digits))
        err = view_endorsement_named(&call->snapshot, call->now_ms, span_str(digits),
                                     op_endorsement_find_on_id, &search);
    if (err != ERR_OK && err != ERR_CANCELLED)
        return op_fail_err(call, err, "the endorsements could not be read");
    if (search.count > 1)
        return op_endorsement_find_several(call, id, &search);
    if (search.count == 0)
        return op_endorsement_find_by_name(call, id, out);
    *out = search.found[0];
    return ERR_OK;
}
