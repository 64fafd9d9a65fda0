/* What members without a world say to one another, and what is told of it. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/siege.h"

long siege_dropped(struct member *member, const char *who)
{
    json_t *peer = meeting_op(member, "peer.show", json_pack("{s:s}", "who", who), NULL);
    long count = (long)json_integer_value(json_object_get(peer, "dropped"));

    json_decref(peer);
    return count;
}

bool siege_says(struct member *member, const char *method, json_t *params, const char *text)
{
    json_t *answer = meeting_op(member, method, params, NULL);
    char *all = json_dumps(answer, JSON_COMPACT);
    bool is_so = all != NULL && strstr(all, text) != NULL;

    free(all);
    json_decref(answer);
    return is_so;
}
