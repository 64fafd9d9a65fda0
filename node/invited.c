/* An invitation names the contact it was given to, and says the name as it was typed: contacts are
 * merged and removed, the name stays. */
#include "node/invited.h"

#include <stdio.h>
#include <string.h>

#include "node/date.h"
#include "node/describe_path.h"
#include "proto/link.h"
#include "storage/fold.h"
#include "storage/row.h"

enum { INVITED_HINT_SIZE = 400 };

struct invited_search {
    const struct op_call *call;
    const struct name_match *who;
    struct buf folded; /* the name of who */
    uint64_t until_s;  /* when the last of them ends; 0: there is none */
};

static bool invited_is_named(const struct invited_search *search, const struct object *invitation)
{
    struct buf name = {0};
    bool is_same = fold(object_text(invitation, INVITATION_NAME), &name) == ERR_OK &&
                   name.size > 0 && span_is_equal(buf_span(&name), buf_span(&search->folded));

    buf_release(&name);
    return is_same;
}

static enum err invited_on_invitation(void *self, uint32_t number, const struct object *invitation)
{
    struct invited_search *search = self;
    const struct name_match *who = search->who;
    uint64_t until_s = object_number(invitation, INVITATION_EXPIRES);
    struct span contact = object_value(invitation, INVITATION_CONTACT).bytes;
    bool is_theirs = who->has_contact &&
                     span_is_equal(contact, span_of(who->contact.bytes, sizeof who->contact.bytes));

    (void)number;
    if (object_number(invitation, INVITATION_STATE) != INVITATION_OPEN ||
        until_s * 1000 <= search->call->now_ms ||
        object_value(invitation, INVITATION_VIA).bytes.size > 0)
        return ERR_OK;
    if ((is_theirs || invited_is_named(search, invitation)) && until_s > search->until_s)
        search->until_s = until_s;
    return ERR_OK;
}

static enum err invited_fail(struct op_call *call, const struct name_match *who, uint64_t until_s)
{
    char day[DATE_TEXT_SIZE], id[ID_TEXT_SIZE], hint[INVITED_HINT_SIZE];
    bool is_plain = describe_path_is_plain(span_str(who->shown));

    date_write(until_s * 1000, day);
    if (!is_plain && who->has_contact)
        name_short_id(&call->snapshot, &who->contact, id);
    (void)snprintf(hint, sizeof hint, "send it again, or a new one: kith peer invite %s%s%s",
                   is_plain ? "\"" : "",
                   is_plain           ? who->shown
                   : who->has_contact ? id
                                      : "NAME",
                   is_plain ? "\"" : "");
    return op_fail(call, OP_NOT_FOUND, hint,
                   "%s has not accepted your invitation yet: it can be used until %s", who->shown,
                   day);
}

enum err invited_check(struct op_call *call, const struct name_match *who)
{
    struct invited_search search = {.call = call, .who = who};
    enum err err = fold(span_str(who->shown), &search.folded);

    if (err == ERR_OK)
        err = row_each(&call->snapshot, ledger_self_space(call->snapshot.ledger), KIND_INVITATION,
                       invited_on_invitation, &search);
    buf_release(&search.folded);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the invitations could not be read");
    return search.until_s > 0 ? invited_fail(call, who, search.until_s) : ERR_OK;
}
