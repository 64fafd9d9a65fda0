/* What waits until it is known who was removed is in no restatement before. PROTOCOL RESTATE-6,
 * RETURN-10, promise P5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/react.h"
#include "proto/card.h"
#include "proto/limits.h"
#include "proto/link.h"
#include "storage/restate.h"
#include "storage/row.h"
#include "storage/space.h"
#include "storage/view_restate.h"
#include "tests/sim/burglar.h"
#include "tests/sim/meeting.h"

/* Ana's desk and laptop, and two who read her card. */
struct wait_world {
    struct member desk, laptop, bruno, chie;
    struct id card;
};

static void wait_react(struct member *member,
                       enum err (*change)(struct ledger_txn *txn, const struct id *space))
{
    struct id card = member_card_space(member);
    struct ledger_txn *txn = member_begin(member);

    if (change != NULL)
        assert_int_equal(change(txn, &card), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void wait_unite(struct wait_world *world)
{
    for (int round = 0; round < 4; round++) {
        (void)member_pull(&world->desk, &world->laptop, NULL);
        (void)member_pull(&world->laptop, &world->desk, NULL);
        wait_react(&world->desk, NULL);
        wait_react(&world->laptop, NULL);
    }
}

static void wait_world_new(struct wait_world *world)
{
    member_new(&world->desk, 1, false);
    member_new(&world->bruno, 2, false);
    member_new(&world->chie, 3, false);
    member_link(&world->desk, &world->bruno);
    member_link(&world->desk, &world->chie);
    member_grant(&world->desk, &world->bruno);
    member_grant(&world->desk, &world->chie);
    world->card = member_card_space(&world->desk);
    assert_int_equal(member_name_card(&world->desk, "First"), ERR_OK);
    member_twin(&world->laptop, &world->desk, 9);
    wait_unite(world);
}

static void wait_world_free(struct wait_world *world)
{
    member_free(&world->desk);
    member_free(&world->laptop);
    member_free(&world->bruno);
    member_free(&world->chie);
}

static void wait_reads(struct wait_world *world, struct member *reader, const char *name)
{
    static const struct id only = {{0}};
    char room[256];

    (void)member_pull(reader, &world->desk, NULL);
    assert_string_equal(member_read_text(reader, &world->card, KIND_CARD, &only, CARD_NAME, room),
                        name);
}

/* Only what peers bring: the card, and the grant in a pair space. */
static void wait_hear(struct wait_world *world)
{
    struct peer *link = secret_new(sizeof *link);

    assert_non_null(link);
    assert_true(meeting_peer(&world->desk, &world->bruno, link));
    (void)member_pull(&world->desk, &world->laptop, &world->card);
    (void)member_pull(&world->desk, &world->laptop, &link->pair_out);
    secret_free(link);
}

/* The desk restates while the laptop removes Chie. What the laptop wrote lies beyond the marks,
 * under an epoch no deeper: it is restated when the desk knows for whom, or nobody can tell. */
static void nothing_is_restated_for_a_reader_who_may_have_been_removed(void **state)
{
    for (int is_told = 0; is_told < 2; is_told++) {
        struct wait_world world;
        uint64_t before;

        (void)state;
        wait_world_new(&world);
        wait_react(&world.desk, restate_space);
        wait_reads(&world, &world.chie, "First");
        before = burglar_newest(&world.desk);
        member_set_link(&world.laptop, &world.chie, LINK_REMOVED);
        wait_react(&world.laptop, NULL);
        assert_int_equal(member_name_card(&world.laptop, "Of the laptop"), ERR_OK);
        wait_hear(&world);
        for (int hour = 0; hour < 20; hour++) {
            world.desk.now_ms += MS_PER_DAY / 24;
            meeting_tick(&world.desk);
        }
        wait_reads(&world, &world.chie, "First");
        assert_false(burglar_finds(&world.chie, &world.desk, before, "Of the laptop"));
        if (is_told)
            wait_unite(&world);
        meeting_live(&world.desk, MS_PER_DAY + MS_PER_DAY / 24);
        meeting_tick(&world.desk);
        if (is_told)
            assert_false(burglar_finds(&world.chie, &world.desk, before, "Of the laptop"));
        else
            wait_reads(&world, &world.chie, "Of the laptop");
        wait_reads(&world, &world.bruno, "Of the laptop");
        wait_world_free(&world);
    }
}

static uint32_t wait_depth(struct wait_world *world)
{
    struct snapshot snapshot = member_snapshot(&world->desk);
    struct view_restate restate;
    struct space_row card;

    assert_int_equal(ledger_space(&snapshot, &world->card, &card), ERR_OK);
    assert_int_equal(view_restate_load(&snapshot, card.number, &restate), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return restate.is_there ? restate.depth : 0;
}

/* The desk restates while the laptop opens an epoch for nobody else. What the laptop wrote is
 * restated once its readers are known, and not an hour later. */
static void what_has_waited_is_restated_when_the_readers_are_known(void **state)
{
    struct wait_world world;
    uint32_t depth;

    (void)state;
    wait_world_new(&world);
    wait_react(&world.desk, restate_space);
    depth = wait_depth(&world);
    wait_react(&world.laptop, space_rotate);
    assert_int_equal(member_name_card(&world.laptop, "Of the laptop"), ERR_OK);
    wait_hear(&world);
    wait_react(&world.desk, NULL);
    world.desk.now_ms += MS_PER_DAY / 24;
    meeting_tick(&world.desk);
    assert_int_equal(wait_depth(&world), depth);
    (void)member_pull(&world.desk, &world.laptop, ledger_self_space(world.desk.ledger));
    wait_react(&world.desk, NULL);
    assert_true(wait_depth(&world) > depth);
    wait_world_free(&world);
}

/* Has Ana granted the key of her card's current epoch? */
static bool wait_is_admitted(struct wait_world *world, struct member *reader)
{
    struct snapshot snapshot = member_snapshot(&world->desk);
    struct peer *link = secret_new(sizeof *link);
    struct object grant = {0};
    struct space_row card;
    struct id object;
    uint32_t number;
    enum err err;

    assert_non_null(link);
    assert_int_equal(ledger_space(&snapshot, &world->card, &card), ERR_OK);
    assert_int_equal(view_peer(&snapshot, &reader->secrets.member, link), ERR_OK);
    memcpy(object.bytes, card.current.bytes, ID_SIZE);
    err = row_get(&snapshot, &link->pair_out, KIND_GRANT, &object, &grant, &number);
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    object_release(&grant);
    secret_free(link);
    ledger_snapshot_end(&snapshot);
    return err == ERR_OK;
}

/* The same where somebody new is admitted meanwhile, and something was withdrawn before. */
static void nobody_is_admitted_by_what_may_not_be_repeated(void **state)
{
    struct wait_world world;
    struct member dora;
    struct ledger_txn *txn;
    uint64_t before;

    (void)state;
    wait_world_new(&world);
    assert_int_equal(member_name_card(&world.desk, "Second"), ERR_OK);
    wait_unite(&world);
    wait_reads(&world, &world.chie, "Second");
    before = burglar_newest(&world.desk);
    member_set_link(&world.laptop, &world.chie, LINK_REMOVED);
    wait_react(&world.laptop, NULL);
    assert_int_equal(member_name_card(&world.laptop, "Of the laptop"), ERR_OK);
    wait_hear(&world);
    member_new(&dora, 4, false);
    member_link(&world.desk, &dora);
    txn = member_begin(&world.desk);
    assert_int_equal(space_admit(txn, &world.card, &dora.secrets.member), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    wait_reads(&world, &world.chie, "Second");
    assert_false(burglar_finds(&world.chie, &world.desk, before, "Of the laptop"));
    assert_false(wait_is_admitted(&world, &dora));
    wait_unite(&world);
    for (int hour = 0; hour < 26; hour++)
        meeting_live(&world.desk, MS_PER_DAY / 24);
    meeting_tick(&world.desk);
    wait_unite(&world);
    assert_true(wait_is_admitted(&world, &dora));
    assert_false(burglar_finds(&world.chie, &world.desk, before, "Of the laptop"));
    member_free(&dora);
    wait_world_free(&world);
}

/* Can the peer read it, with every key that has come to it by now? */
static bool wait_finds(struct wait_world *world, struct member *peer, uint64_t before,
                       const char *name)
{
    (void)member_pull(peer, &world->desk, NULL);
    (void)member_pull(peer, &world->desk, NULL);
    return burglar_finds(peer, &world->desk, before, name);
}

/* A restated card with two branches that need no uniting, since both serve exactly today's readers:
 * the desk and a phone removed Dora apart. The laptop heard of neither and removes Chie. */
static void wait_branch(struct wait_world *world, struct member *phone, uint64_t *out_before)
{
    struct member dora;

    wait_world_new(world);
    member_new(&dora, 4, false);
    member_link(&world->desk, &dora);
    member_grant(&world->desk, &dora);
    wait_react(&world->desk, restate_space);
    member_twin(phone, &world->desk, 10);
    wait_unite(world);
    member_set_link(&world->desk, &dora, LINK_REMOVED);
    wait_react(&world->desk, NULL);
    member_set_link(phone, &dora, LINK_REMOVED);
    wait_react(phone, NULL);
    (void)member_pull(&world->desk, phone, NULL);
    wait_react(&world->desk, NULL);
    wait_reads(world, &world->chie, "First");
    *out_before = burglar_newest(&world->desk);
    member_set_link(&world->laptop, &world->chie, LINK_REMOVED);
    wait_react(&world->laptop, NULL);
    assert_int_equal(member_name_card(&world->laptop, "Of the laptop"), ERR_OK);
    wait_hear(world);
    wait_react(&world->desk, NULL);
    assert_false(wait_finds(world, &world->chie, *out_before, "Of the laptop"));
    member_free(&dora);
}

/* All hear of all: nothing waits any more, and what waited is for today's readers. */
static void wait_end(struct wait_world *world, struct member *phone, uint64_t before)
{
    for (int round = 0; round < 4; round++) {
        wait_unite(world);
        (void)member_pull(phone, &world->desk, NULL);
        wait_react(phone, NULL);
        (void)member_pull(&world->desk, phone, NULL);
        meeting_live(&world->desk, MS_PER_DAY / 24);
    }
    assert_false(wait_finds(world, &world->chie, before, "Of the laptop"));
    member_free(phone);
}

/* Who is removed here leaves no epoch to write under: one is opened over a single branch. */
static void a_removal_does_not_unite_branches_of_what_may_not_be_repeated(void **state)
{
    struct wait_world world;
    struct member phone;
    uint64_t before, removed;

    (void)state;
    wait_branch(&world, &phone, &before);
    assert_true(wait_finds(&world, &world.bruno, before, "Of the laptop"));
    removed = burglar_newest(&world.desk);
    member_set_link(&world.desk, &world.bruno, LINK_REMOVED);
    wait_react(&world.desk, NULL);
    assert_false(wait_finds(&world, &world.chie, before, "Of the laptop"));
    assert_int_equal(member_name_card(&world.desk, "Of the desk"), ERR_OK);
    wait_reads(&world, &world.chie, "Of the desk");
    assert_false(wait_finds(&world, &world.bruno, removed, "Of the desk"));
    wait_end(&world, &phone, before);
    assert_false(wait_finds(&world, &world.bruno, removed, "Of the desk"));
    wait_world_free(&world);
}

/* Who is linked here lacks both branches: they are united later. */
static void a_link_does_not_unite_branches_of_what_may_not_be_repeated(void **state)
{
    for (int is_told = 0; is_told < 2; is_told++) {
        struct wait_world world;
        struct member phone, eva;
        uint64_t before;

        (void)state;
        wait_branch(&world, &phone, &before);
        member_new(&eva, 5, false);
        member_link(&world.desk, &eva);
        wait_react(&world.desk, NULL);
        assert_false(wait_finds(&world, &world.chie, before, "Of the laptop"));
        for (int hour = 0; hour < 26 && !is_told; hour++)
            meeting_live(&world.desk, MS_PER_DAY / 24);
        if (!is_told)
            assert_true(wait_finds(&world, &world.chie, before, "Of the laptop"));
        if (is_told)
            wait_end(&world, &phone, before);
        else
            member_free(&phone);
        assert_true(wait_is_admitted(&world, &eva));
        wait_reads(&world, &eva, "Of the laptop");
        member_free(&eva);
        wait_world_free(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_restated_for_a_reader_who_may_have_been_removed),
        cmocka_unit_test(what_has_waited_is_restated_when_the_readers_are_known),
        cmocka_unit_test(nobody_is_admitted_by_what_may_not_be_repeated),
        cmocka_unit_test(a_removal_does_not_unite_branches_of_what_may_not_be_repeated),
        cmocka_unit_test(a_link_does_not_unite_branches_of_what_may_not_be_repeated),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
