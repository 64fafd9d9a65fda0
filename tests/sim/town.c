/* See town.h. */
#include "tests/sim/town.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void town_new(struct town *town)
{
    meeting_new(&town->ana, 1, "Ana");
    meeting_new(&town->bruno, 2, "Bruno");
    meeting_new(&town->emil, 3, "Emil");
    meeting_new(&town->carla, 4, "Carla");
    meeting_new(&town->dora, 5, "Dora");
    meeting_link(&town->ana, &town->bruno);
    meeting_link(&town->ana, &town->emil);
    meeting_link(&town->bruno, &town->carla);
    meeting_link(&town->emil, &town->carla);
    meeting_link(&town->carla, &town->dora);
}

void town_free(struct town *town)
{
    member_free(&town->ana);
    member_free(&town->bruno);
    member_free(&town->emil);
    member_free(&town->carla);
    member_free(&town->dora);
}

void town_carry(struct town *town)
{
    for (int round = 0; round < 2; round++) {
        meeting_carry(&town->ana, &town->bruno);
        meeting_carry(&town->ana, &town->emil);
        meeting_carry(&town->bruno, &town->carla);
        meeting_carry(&town->emil, &town->carla);
        meeting_carry(&town->carla, &town->dora);
    }
}

void town_expect(struct member *member, const struct id *id, const char *state)
{
    char room[32];

    if (strcmp(asking_state(member, id, room), state) != 0) {
        (void)fprintf(stderr, "an ask is at \"%s\", not at \"%s\"\n", room, state);
        abort();
    }
}

/* Ana asks Bruno and Emil. */
void town_ask(struct town *town, const char *title, struct id *out)
{
    struct member *const both[] = {&town->bruno, &town->emil, NULL};
    struct asking_post post = {.author = &town->ana,
                               .title = title,
                               .hop_limit = 3,
                               .naming = ASK_NAMED_ALWAYS,
                               .days = 14};

    asking_post(&post, both, out);
    town_carry(town);
}

uint32_t town_routes(struct member *member, const struct public_key *from)
{
    struct snapshot snapshot = member_snapshot(member);
    struct ask_budget budget;

    KITH_ASSERT(view_ask_budget(&snapshot, from, member->now_ms, &budget) == ERR_OK);
    ledger_snapshot_end(&snapshot);
    return budget.kept;
}

/* What a neighbour hands on against the rules is refused, told, and paid for; the honest one after
 * it is not lost. */
void town_expect_refused(struct member *member, const char *why, size_t count)
{
    KITH_ASSERT(asking_told(member, "refused") == count);
    KITH_ASSERT(asking_last_says(member, "refused", why));
}

/* The close itself, as its author would say it. */
void town_close_bytes(struct member *author, const struct id *id, struct buf *out)
{
    struct snapshot snapshot = member_snapshot(author);
    struct signing_key key;
    struct buf plain = {0};
    struct ask_pass own;

    KITH_ASSERT(view_ask_own(&snapshot, id, &plain, &own) == ERR_OK);
    identity_signing_key(own.secret.data, &key);
    KITH_ASSERT(ask_close_write(own.body, &key, ASK_FOUND, out) == ERR_OK);
    view_ask_wipe(&plain);
    ledger_snapshot_end(&snapshot);
}
