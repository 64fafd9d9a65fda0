/* Contacts whose name begins so, and peers by alias; few of them, and quickly. */
#include "node/op_complete.h"

#include <string.h>

#include "proto/link.h"
#include "storage/fold.h"
#include "storage/view_contact.h"
#include "storage/view_peer.h"

enum { OP_COMPLETE_MAX = 50 };

struct op_complete {
    json_t *names;
    struct buf prefix; /* folded */
};

static enum err op_complete_add(struct op_complete *complete, struct span name)
{
    if (name.size > 0 &&
        json_array_append_new(complete->names, json_stringn((const char *)name.data, name.size)))
        return ERR_NOMEM;
    return json_array_size(complete->names) >= OP_COMPLETE_MAX ? ERR_CANCELLED : ERR_OK;
}

static enum err op_complete_on_contact(void *self, uint32_t number, const struct object *contact)
{
    (void)number;
    return op_complete_add(self, view_contact_shown(contact));
}

static enum err op_complete_on_peer(void *self, const struct peer *peer)
{
    struct op_complete *complete = self;
    struct buf folded = {0};
    bool begins;

    if (peer->alias[0] == '\0' || peer->state == LINK_REMOVED)
        return ERR_OK;
    begins = fold(span_str(peer->alias), &folded) == ERR_OK &&
             folded.size >= complete->prefix.size &&
             (complete->prefix.size == 0 ||
              memcmp(folded.data, complete->prefix.data, complete->prefix.size) == 0);
    buf_release(&folded);
    return begins ? op_complete_add(complete, span_str(peer->alias)) : ERR_OK;
}

enum err op_complete(struct op_call *call)
{
    const char *prefix = op_text(call, "prefix");
    struct op_complete complete = {.names = json_array()};
    enum err err = fold(span_str(prefix != NULL ? prefix : ""), &complete.prefix);

    if (err == ERR_OK)
        err = view_peer_each(&call->snapshot, op_complete_on_peer, &complete);
    if (err == ERR_OK)
        err = view_contact_named(&call->snapshot, buf_span(&complete.prefix),
                                 op_complete_on_contact, &complete);
    buf_release(&complete.prefix);
    call->result = json_pack("{s:o}", "names", complete.names);
    if (err != ERR_OK && err != ERR_CANCELLED)
        return op_fail_err(call, err, "names could not be read");
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}
