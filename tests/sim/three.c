/* See three.h. */
#include "tests/sim/three.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"

void three_new(struct three *three)
{
    meeting_new(&three->iris, 1, "Iris");
    meeting_new(&three->ana, 2, "Ana");
    meeting_new(&three->bruno, 3, "Bruno");
    meeting_link(&three->iris, &three->ana);
    meeting_link(&three->iris, &three->bruno);
}

void three_free(struct three *three)
{
    member_free(&three->iris);
    member_free(&three->ana);
    member_free(&three->bruno);
}

void three_begin(struct three *three, const char *first, bool is_blind)
{
    json_decref(meeting_op(&three->iris, "introduce",
                           json_pack("{s:s, s:s, s:s, s:s, s:b}", "a", "Ana", "b", "Bruno", "why",
                                     "You both restore boats.", "first", first, "blind", is_blind),
                           NULL));
}

void three_round(struct three *three)
{
    for (int round = 0; round < 3; round++) {
        meeting_carry(&three->iris, &three->ana);
        meeting_carry(&three->iris, &three->bruno);
    }
}

void three_offer(struct three *three, uint8_t number, uint64_t issued_ms)
{
    struct introduction_message offer = {.type = INTRODUCTION_OFFER,
                                         .offer = {.issued_ms = issued_ms,
                                                   .expires_ms = issued_ms + 21 * MS_PER_DAY,
                                                   .tag = {{number}},
                                                   .name = span_str("Somebody"),
                                                   .why = span_str("Because.")}};

    memset(offer.id.bytes, number, ID_SIZE);
    meeting_say(&three->iris, &three->ana, &offer);
}

size_t three_shown(struct member *member)
{
    json_t *list = meeting_op(member, "intro.list", json_object(), NULL);
    size_t count = json_array_size(json_object_get(list, "introductions"));

    json_decref(list);
    return count;
}

void three_expect(struct member *member, const char *state)
{
    char room[32];

    if (strcmp(meeting_state(member, NULL, room), state) != 0) {
        (void)fprintf(stderr, "an introduction is at \"%s\", not at \"%s\"\n", room, state);
        abort();
    }
}

void three_expect_linked(struct three *three)
{
    struct peer a, b;

    KITH_ASSERT(meeting_peer(&three->ana, &three->bruno, &a));
    KITH_ASSERT(meeting_peer(&three->bruno, &three->ana, &b));
    KITH_ASSERT(a.level == LINK_INTRODUCED);
    KITH_ASSERT(b.level == LINK_INTRODUCED);
    KITH_ASSERT(a.has_via && public_key_is_equal(&a.via, &three->iris.secrets.member));
    KITH_ASSERT(memcmp(a.secret, b.secret, KEY_SIZE) == 0);
    KITH_ASSERT(id_is_equal(&a.pair_out, &b.pair_in) && id_is_equal(&b.pair_out, &a.pair_in));
}
