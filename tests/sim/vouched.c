/* See vouched.h. */
#include "tests/sim/vouched.h"

#include <stdio.h>
#include <string.h>

static const char vouched_words[] = "Built our stairs, on time and true.";

void vouched_new(struct vouched *vouched)
{
    meeting_new(&vouched->ana, 1, "Ana");
    meeting_new(&vouched->bruno, 2, "Bruno");
    meeting_new(&vouched->chie, 3, "Chie");
    meeting_link(&vouched->ana, &vouched->bruno);
    meeting_link(&vouched->bruno, &vouched->chie);
}

void vouched_free(struct vouched *vouched)
{
    member_free(&vouched->ana);
    member_free(&vouched->bruno);
    member_free(&vouched->chie);
}

void vouched_round(struct vouched *vouched)
{
    for (int round = 0; round < 3; round++) {
        meeting_carry(&vouched->ana, &vouched->bruno);
        meeting_carry(&vouched->bruno, &vouched->chie);
    }
}

void vouched_endorse(struct vouched *vouched, const char *ceiling)
{
    json_decref(
        meeting_op(&vouched->ana, "endorse",
                   json_pack("{s:s, s:[s], s:s, s:s, s:s}", "who", "Bruno", "about", "stairs",
                             "relation", "client", "words", vouched_words, "ceiling", ceiling),
                   NULL));
}

/* A new reference. */
static json_t *vouched_list(struct member *member, const char *which)
{
    json_t *list = meeting_op(member, "endorsement.list", json_pack("{s:b}", which, true), NULL);
    json_t *rows = json_incref(json_object_get(list, "endorsements"));

    json_decref(list);
    return rows;
}

enum op_code vouched_op(struct member *member, const char *method, const char *list, const char *to)
{
    json_t *rows = vouched_list(member, list);
    json_t *id = json_object_get(json_array_get(rows, 0), "id");
    json_t *params = json_pack("{s:O}", "id", id);
    enum op_code code;

    KITH_ASSERT(id != NULL);
    if (to != NULL)
        (void)json_object_set_new(params, "to", json_string(to));
    json_decref(meeting_op(member, method, params, &code));
    json_decref(rows);
    return code;
}

void vouched_decide(struct member *subject, const char *method, const char *to)
{
    KITH_ASSERT(vouched_op(subject, method, "received", to) == OP_DONE);
}

const char *vouched_state(struct member *member, char room[static 32])
{
    json_t *rows = vouched_list(member, "received");
    const char *state = json_string_value(json_object_get(json_array_get(rows, 0), "state"));

    (void)snprintf(room, 32, "%s", state != NULL ? state : "");
    json_decref(rows);
    return room;
}

size_t vouched_seen(struct member *member, const struct member *subject)
{
    char did[DID_SIZE];
    json_t *list;
    size_t count;

    identity_did(&subject->secrets.member, did);
    list = meeting_op(member, "endorsement.list", json_pack("{s:s}", "of", did), NULL);
    count = json_array_size(json_object_get(list, "endorsements"));
    json_decref(list);
    return count;
}

size_t vouched_shown_to(struct member *subject)
{
    json_t *rows = vouched_list(subject, "received"), *row;
    size_t count = 0, at;

    json_array_foreach(rows, at, row)
    {
        const char *to = json_string_value(json_object_get(row, "shown_to"));

        count += to != NULL && strcmp(to, "nobody") != 0;
    }
    json_decref(rows);
    return count;
}

bool vouched_holds_words(struct member *member)
{
    return meeting_holds(member, span_str(vouched_words));
}
