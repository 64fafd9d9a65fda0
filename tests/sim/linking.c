/* See linking.h. */
#include "tests/sim/linking.h"

#include <stdio.h>

static void linking_on_uri(struct world_node *node, void *self, enum err err,
                           const struct op_call *call)
{
    struct linking *linking = self;

    (void)node;
    if (err == ERR_OK && linking->uri[0] == '\0')
        (void)snprintf(linking->uri, sizeof linking->uri, "%s",
                       json_string_value(json_object_get(call->result, "uri")));
}

bool linking_urge(struct linking *linking)
{
    struct world_node *one = linking->inviter, *other = linking->acceptor;

    if (judge_is_linked(one, other) && judge_is_linked(other, one))
        return true;
    if (linking->uri[0] == '\0')
        world_op(one, "peer.invite", json_pack("{s:s}", "name", other->name), linking_on_uri,
                 linking);
    else
        world_op(other, "peer.accept", json_pack("{s:s}", "uri", linking->uri), NULL, NULL);
    return false;
}
