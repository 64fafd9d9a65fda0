/* What members without a world say to one another, and what is told of it. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/siege.h"

void siege_say_in(struct member *by, const struct member *to, uint8_t kind, struct span bytes,
                  uint64_t expires_at_s)
{
    struct ledger_txn *txn = member_begin(by);
    struct edit_space edit = {0};
    struct peer peer;
    struct id id;

    KITH_ASSERT(meeting_peer(by, to, &peer));
    statement_id(bytes, &id);
    edit_begin(&edit, kind, &id, by->now_ms);
    edit_set(&edit, KIND_STATEMENT_FIELD, 1, (struct value){.type = VALUE_BYTES, .bytes = bytes});
    world_must(ledger_append(txn, &peer.pair_out, &edit, expires_at_s));
    world_must(ledger_commit(txn, NULL));
    edit_release(&edit);
}

long siege_dropped(struct member *member, const char *who)
{
    json_t *peer = meeting_op(member, "peer.show", json_pack("{s:s}", "who", who), NULL);
    long count = (long)json_integer_value(json_object_get(peer, "dropped"));

    json_decref(peer);
    return count;
}

size_t siege_refusals_told(struct member *member)
{
    json_t *log = meeting_op(member, "log", json_object(), NULL), *row;
    size_t at, count = 0;

    json_array_foreach(json_object_get(log, "events"), at, row)
    {
        const char *kind = json_string_value(json_object_get(row, "kind"));

        count += kind != NULL && strcmp(kind, "refused") == 0;
    }
    json_decref(log);
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
