/* What a delete names, and so what it hides: of the writes its writer had merged, and of no other.
 * PROTOCOL MERGE-4, RESTATE-5, FORGET-2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/amend.h"
#include "node/group.h"
#include "node/ops.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "proto/limits.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/forget.h"
#include "storage/heal.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/restate.h"
#include "storage/row.h"
#include "storage/space.h"
#include "tests/sim/member.h"

static const struct id delete_contact = {{0x0d}};

static void delete_write(struct member *device, uint8_t field, const char *text)
{
    assert_int_equal(member_write(device, ledger_self_space(device->ledger), KIND_CONTACT,
                                  &delete_contact, field, text),
                     ERR_OK);
}

static void delete_now(struct member *device)
{
    struct ledger_txn *txn = member_begin(device);
    struct amend amend;

    amend_begin(&amend, txn, ledger_self_space(device->ledger), KIND_CONTACT, &delete_contact);
    amend_delete(&amend);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void delete_forget(struct member *device)
{
    struct ledger_txn *txn = member_begin(device);

    assert_int_equal(
        forget_object(txn, ledger_self_space(device->ledger), KIND_CONTACT, &delete_contact),
        ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* The contact shows on this device, and a field says this (NULL: it does not show). */
static void delete_shows(struct member *device, uint8_t field, const char *text)
{
    const struct id *self = ledger_self_space(device->ledger);
    struct snapshot snapshot = member_snapshot(device);
    struct object object = {0};
    uint32_t number;

    assert_int_equal(row_get(&snapshot, self, KIND_CONTACT, &delete_contact, &object, &number),
                     ERR_OK);
    assert_int_equal(object_is_visible(&object), text != NULL);
    if (text != NULL)
        assert_true(span_is_equal(object_text(&object, field), span_str(text)));
    object_release(&object);
    ledger_snapshot_end(&snapshot);
}

/* Carries what a device wrote in self, and in the card space, where certificates stand. */
static void delete_carry(struct member *to, struct member *from)
{
    const struct id spaces[] = {member_card_space(to), *ledger_self_space(to->ledger)};

    for (size_t at = 0; at < sizeof spaces / sizeof spaces[0]; at++) {
        struct log_id log = {.space = spaces[at], .device = *ledger_device(from->ledger)};

        while (member_pull_batch(to, from, &log) > 0)
            continue;
    }
}

static void delete_rotate(struct member *device, struct hash *out)
{
    struct ledger_txn *txn = member_begin(device);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row self;

    assert_int_equal(space_rotate(txn, ledger_self_space(device->ledger)), ERR_OK);
    assert_int_equal(ledger_own_space(&snapshot, SPACE_SELF, &self), ERR_OK);
    assert_int_equal(epoch_table_current(&snapshot, self.number, out), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* By its owner, who names the contact. */
struct delete_job {
    struct writer_job base;
    struct member *device;
    struct op_call call;
};

static enum err delete_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct delete_job *job = (struct delete_job *)(void *)base;

    return op_step(ops_find("contact.remove")->run, &job->call, job->device->ledger, txn,
                   job->device->now_ms);
}

static enum op_code delete_by_hand(struct member *device, const char *who)
{
    static const struct op_world nowhere = {.home = "/nonexistent"};
    struct delete_job job = {.base.run = delete_run, .device = device, .call.world = &nowhere};
    enum err err;

    job.call.params = json_pack("{s:s}", "who", who);
    device->now_ms += 1000;
    group_run(device->ledger, &job.base, device->now_ms);
    err = op_settle(&job.call, job.base.err);
    json_decref(job.call.params);
    json_decref(job.call.result);
    return err == ERR_OK ? OP_DONE : job.call.failure.code;
}

struct delete_world {
    struct member desk, tab, lap;
    struct member *opener, *deleter; /* tab and lap, one this, one that */
};

/* Tab and lap open an epoch at once, and the desk writes under one, then under the other. Who has
 * opened the second has the desk's log, and not that of who opened the first: it cannot read what
 * was written first. */
static void delete_world_new(struct delete_world *world)
{
    struct hash tabs, laps;

    member_new(&world->desk, 1, false);
    delete_write(&world->desk, CONTACT_NAME, "Chie");
    member_twin(&world->tab, &world->desk, 2);
    member_twin(&world->lap, &world->desk, 3);
    delete_carry(&world->tab, &world->desk);
    delete_rotate(&world->tab, &tabs);
    delete_rotate(&world->lap, &laps);
    world->opener = &world->tab;
    world->deleter = &world->lap;
    if (memcmp(tabs.bytes, laps.bytes, HASH_SIZE) < 0) {
        world->opener = &world->lap;
        world->deleter = &world->tab;
    }
    delete_carry(&world->desk, world->opener);
    delete_write(&world->desk, CONTACT_NOTE, "never seen");
    delete_carry(&world->desk, world->deleter);
    delete_write(&world->desk, CONTACT_NAME, "Chie S");
    delete_carry(world->deleter, &world->desk);
    delete_shows(world->deleter, CONTACT_NAME, "Chie S");
    delete_shows(world->deleter, CONTACT_NOTE, "");
}

static void delete_world_free(struct delete_world *world)
{
    member_free(&world->desk);
    member_free(&world->tab);
    member_free(&world->lap);
}

/* All hear all, and agree. */
static void delete_world_shows(struct delete_world *world, const char *note)
{
    struct member *all[] = {&world->desk, &world->tab, &world->lap};

    for (size_t to = 0; to < 3; to++)
        for (size_t from = 0; from < 3; from++)
            if (to != from)
                delete_carry(all[to], all[from]);
    for (size_t at = 0; at < 3; at++)
        delete_shows(all[at], CONTACT_NOTE, note);
}

/* Its owner is told, and it is deleted when all that was written can be read. */
static void a_delete_waits_for_what_its_writer_cannot_read(void **state)
{
    struct delete_world world;

    (void)state;
    delete_world_new(&world);
    assert_int_equal(delete_by_hand(world.deleter, "Chie S"), OP_NEEDS_NODE);
    delete_world_shows(&world, "never seen");
    assert_int_equal(delete_by_hand(world.deleter, "Chie S"), OP_DONE);
    delete_world_shows(&world, NULL);
    delete_world_free(&world);
}

/* What could not be read is not forgotten with the rest: it shows on all, whoever read it before
 * they heard of that. */
static void what_could_not_be_read_is_not_forgotten(void **state)
{
    struct delete_world world;

    (void)state;
    delete_world_new(&world);
    delete_forget(world.deleter);
    delete_world_shows(&world, "never seen");
    delete_forget(world.deleter);
    delete_world_shows(&world, NULL);
    delete_world_free(&world);
}

/* The desk is given up, and what it wrote first is never read: nobody waits for it. */
static void nothing_of_a_device_that_was_given_up_is_waited_for(void **state)
{
    struct delete_world world;
    struct ledger_txn *txn;

    (void)state;
    delete_world_new(&world);
    txn = member_begin(world.deleter);
    assert_int_equal(heal_shut_out(txn, ledger_device(world.desk.ledger), RETIRE_OWNER), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(delete_by_hand(world.deleter, "Chie S"), OP_DONE);
    delete_shows(world.deleter, CONTACT_NOTE, NULL);
    delete_world_free(&world);
}

/* Restated. */

static const struct id delete_card = {{0x0c}};

/* Whose entry is this: what was written last. */
static struct original delete_last(struct member *member, const struct id *space)
{
    struct log_id id = {.space = *space, .device = *ledger_device(member->ledger)};
    struct snapshot snapshot = member_snapshot(member);
    struct original original = {.device = id.device};
    struct entry_row entry;
    struct log_row log;

    assert_int_equal(ledger_log(&snapshot, &id, &log), ERR_OK);
    assert_int_equal(ledger_entry_at(&snapshot, log.number, log.tip.size, &entry), ERR_OK);
    entry_hash_payload(&entry.entry);
    original.seq = entry.seq;
    original.entry_hash = entry.entry.header.payload_hash;
    ledger_snapshot_end(&snapshot);
    return original;
}

/* What was cut from a log comes again: this write. */
static void delete_repeat(struct member *member, const struct id *space, const char *title,
                          const struct original *original)
{
    struct ledger_txn *txn = member_begin(member);
    struct edit_space edit = {0};

    edit_begin(&edit, KIND_CARD, &delete_card, member->now_ms);
    edit_set(&edit, CARD_TITLE, 1, member_text(title));
    edit_carry(&edit, original);
    assert_int_equal(ledger_append(txn, space, &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
}

static bool delete_shows_card(struct member *member, const struct id *space, size_t *out_names)
{
    struct snapshot snapshot = member_snapshot(member);
    struct object object = {0};
    uint32_t number;
    bool is_visible;

    assert_int_equal(row_get(&snapshot, space, KIND_CARD, &delete_card, &object, &number), ERR_OK);
    is_visible = object_is_visible(&object);
    *out_names = object.named_count;
    object_release(&object);
    ledger_snapshot_end(&snapshot);
    return is_visible;
}

/* RESTATE-5: Bruno comes later and can read no more than what repeats it. He holds the names of all
 * that was seen, so that none of it shows when it comes by another way; what was not seen does. */
static void a_restatement_repeats_what_was_seen(void **state)
{
    enum { DELETE_TITLES = 3 * DELETE_NAMES_MAX / 2 };
    struct member ana, bruno;
    struct original seen, other;
    struct ledger_txn *txn;
    struct amend amend;
    struct id card;
    size_t names;
    char room[256];

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    card = member_card_space(&ana);
    for (int at = 0; at < DELETE_TITLES; at++)
        assert_int_equal(member_write(&ana, &card, KIND_CARD, &delete_card, CARD_TITLE, "Seen"),
                         ERR_OK);
    seen = delete_last(&ana, &card);
    txn = member_begin(&ana);
    amend_begin(&amend, txn, &card, KIND_CARD, &delete_card);
    amend_delete(&amend);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(restate_space(txn, &card), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    member_link(&ana, &bruno);
    member_grant(&ana, &bruno);
    (void)member_pull(&bruno, &ana, NULL);
    assert_false(delete_shows_card(&bruno, &card, &names));
    assert_int_equal(names, DELETE_TITLES);
    assert_string_equal(member_read_text(&bruno, &card, KIND_CARD, &delete_card, CARD_TITLE, room),
                        "");
    delete_repeat(&ana, &card, "Seen", &seen);
    (void)member_pull(&bruno, &ana, NULL);
    assert_false(delete_shows_card(&ana, &card, &names));
    assert_false(delete_shows_card(&bruno, &card, &names));
    other = seen;
    other.entry_hash.bytes[0] ^= 1;
    delete_repeat(&ana, &card, "Not seen", &other);
    (void)member_pull(&bruno, &ana, NULL);
    assert_true(delete_shows_card(&ana, &card, &names));
    assert_true(delete_shows_card(&bruno, &card, &names));
    member_free(&ana);
    member_free(&bruno);
}

/* Forgotten. */

/* What a third device wrote first is repeated, with a lesser counter than what is there. */
static void delete_repeat_name(struct member *device, const char *name)
{
    struct original original = {.device = {{0x77}}, .seq = 3, .entry_hash = {{0x78}}};
    struct ledger_txn *txn = member_begin(device);
    struct edit_space edit = {0};

    edit_begin(&edit, KIND_CONTACT, &delete_contact, device->now_ms);
    edit_set(&edit, CONTACT_NAME, 1, member_text(name));
    edit_carry(&edit, &original);
    assert_int_equal(ledger_append(txn, ledger_self_space(device->ledger), &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
}

/* FORGET-2, MERGE-4: the desk forgets a contact and has not heard of a write apart, which what it
 * forgets had displaced. That shows on both, unless the lap's delete saw it. */
static void a_write_apart_shows_where_others_are_forgotten(void **state)
{
    (void)state;
    for (int is_deleted = 0; is_deleted < 2; is_deleted++) {
        struct member desk, lap;

        member_new(&desk, 1, false);
        member_twin(&lap, &desk, 3);
        delete_write(&desk, CONTACT_NAME, "One");
        delete_write(&desk, CONTACT_NAME, "Two");
        delete_carry(&lap, &desk);
        delete_repeat_name(&lap, "Apart");
        delete_shows(&lap, CONTACT_NAME, "Two");
        if (is_deleted != 0)
            delete_now(&lap);
        delete_forget(&desk);
        delete_carry(&lap, &desk);
        delete_carry(&desk, &lap);
        delete_shows(&desk, CONTACT_NAME, is_deleted != 0 ? NULL : "Apart");
        delete_shows(&lap, CONTACT_NAME, is_deleted != 0 ? NULL : "Apart");
        member_free(&desk);
        member_free(&lap);
    }
}

/* More writes than a delete names. */

/* The tab writes of it, fills a block with something else, and writes of it again and again; the
 * lap has seen all, and deletes. Where the log ends with that block what is left of it was seen,
 * and is so old that it is not named: it shows. */
static void what_is_too_old_to_be_named_shows_once_it_is_the_newest(void **state)
{
    static const struct id other = {{0x0e}};
    struct member desk, tab, lap;
    struct ledger_txn *txn;
    struct log_id log;

    (void)state;
    member_new(&desk, 1, false);
    member_twin(&tab, &desk, 2);
    member_twin(&lap, &desk, 3);
    log = (struct log_id){.space = *ledger_self_space(tab.ledger),
                          .device = *ledger_device(tab.ledger)};
    delete_write(&tab, CONTACT_NAME, "Chie");
    for (int at = 0; at < BLOCK_ENTRIES_MAX; at++)
        assert_int_equal(
            member_write(&tab, &log.space, KIND_CONTACT, &other, CONTACT_NAME, "Somebody"), ERR_OK);
    for (int at = 0; at < OBJECT_EDITS_MAX + 1; at++)
        delete_write(&tab, CONTACT_NOTE, "again");
    assert_int_equal(member_pull_batch(&desk, &tab, &log), BLOCK_ENTRIES_MAX);
    delete_carry(&lap, &tab);
    delete_now(&lap);
    delete_shows(&lap, CONTACT_NAME, NULL);
    delete_carry(&desk, &lap);
    delete_shows(&desk, CONTACT_NAME, "Chie");
    delete_carry(&desk, &tab);
    delete_shows(&desk, CONTACT_NAME, NULL);
    txn = member_begin(&lap);
    assert_int_equal(keep_rebase(txn, &log, BLOCK_ENTRIES_MAX), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    delete_shows(&lap, CONTACT_NAME, "Chie"); /* Though it has merged the rest. */
    delete_carry(&lap, &tab);
    delete_shows(&lap, CONTACT_NAME, NULL); /* It belongs to the log again. */
    member_free(&desk);
    member_free(&tab);
    member_free(&lap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delete_waits_for_what_its_writer_cannot_read),
        cmocka_unit_test(what_could_not_be_read_is_not_forgotten),
        cmocka_unit_test(nothing_of_a_device_that_was_given_up_is_waited_for),
        cmocka_unit_test(a_restatement_repeats_what_was_seen),
        cmocka_unit_test(a_write_apart_shows_where_others_are_forgotten),
        cmocka_unit_test(what_is_too_old_to_be_named_shows_once_it_is_the_newest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
