/* What a device that was given up or stolen says of it, and what it does no more. PROTOCOL
 * STOLEN-11 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/link.h"
#include "node/react.h"
#include "storage/heal.h"
#include "storage/retire_table.h"
#include "storage/view_peer.h"
#include "tests/sim/meeting.h"

/* Ana's desk, and her lap that is not used any more. */
struct told_world {
    struct member desk, lap;
};

static void told_commit(struct ledger_txn *txn)
{
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static bool told_wants_none(void *self, const struct space_row *space)
{
    (void)self;
    (void)space;
    return false;
}

static enum err told_on_fact(void *self, struct span statement)
{
    return retire_table_take(self, NULL, statement);
}

/* The desk says so, and the lap hears it as a peer would tell it. */
static void told_world_new(struct told_world *world, enum retire_reason reason)
{
    struct snapshot snapshot;
    struct ledger_txn *txn;

    meeting_new(&world->desk, 1, "Ana");
    member_twin(&world->lap, &world->desk, 9);
    txn = member_begin(&world->desk);
    assert_int_equal(heal_shut_out(txn, ledger_device(world->lap.ledger), reason), ERR_OK);
    told_commit(txn);
    snapshot = member_snapshot(&world->desk);
    txn = member_begin(&world->lap);
    assert_int_equal(retire_table_facts(&snapshot, ledger_device(world->lap.ledger),
                                        told_wants_none, told_on_fact, txn),
                     ERR_OK);
    told_commit(txn);
    ledger_snapshot_end(&snapshot);
}

static void told_world_free(struct told_world *world)
{
    member_free(&world->desk);
    member_free(&world->lap);
}

static json_t *told_ask(struct member *member, const char *method)
{
    enum op_code code;
    json_t *answer = meeting_op(member, method, json_object(), &code);

    assert_int_equal(code, OP_DONE);
    return answer;
}

static size_t told_events(struct member *member, const char *kind)
{
    json_t *answer = told_ask(member, "log"), *row;
    size_t at, count = 0;

    json_array_foreach(json_object_get(answer, "events"), at, row) count +=
        strcmp(json_string_value(json_object_get(row, "kind")), kind) == 0;
    json_decref(answer);
    return count;
}

static uint64_t told_entries(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    uint64_t newest = 0;

    assert_int_equal(ledger_newest_arrival(&snapshot, &newest), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return newest;
}

/* In one sentence, with what can still be done; told once in the log. */
static void whoever_is_shut_out_says_so(void **state)
{
    static const struct {
        enum retire_reason reason;
        const char *word;
    } cases[] = {{RETIRE_OWNER, "given up"}, {RETIRE_STOLEN, "stolen"}};

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct told_world world;
        json_t *status;

        told_world_new(&world, cases[at].reason);
        status = told_ask(&world.lap, "status");
        assert_string_equal(json_string_value(json_object_get(status, "shut_out")), cases[at].word);
        assert_non_null(
            strstr(json_string_value(json_object_get(status, "note")), "nobody else sees"));
        assert_non_null(strstr(json_string_value(json_object_get(status, "note")), "kith export"));
        json_decref(status);
        meeting_tick(&world.lap);
        told_commit(member_begin(&world.lap));
        assert_int_equal(told_events(&world.lap, "shut out"), 1);
        status = told_ask(&world.desk, "status");
        assert_null(json_object_get(status, "shut_out"));
        json_decref(status);
        assert_int_equal(told_events(&world.desk, "shut out"), 0);
        told_world_free(&world);
    }
}

/* Nothing is acknowledged that nobody will see; what is there can be read, and saved. */
static void whoever_is_shut_out_takes_no_edit(void **state)
{
    struct told_world world;
    const struct op *table;
    uint64_t before;
    size_t count;

    (void)state;
    told_world_new(&world, RETIRE_OWNER);
    before = told_entries(&world.lap);
    table = ops_table(&count);
    for (size_t at = 0; at < count; at++) {
        enum op_code code;

        if (table[at].mode != OP_WRITE || strcmp(table[at].method, "doctor.rebuild") == 0)
            continue;
        json_decref(
            meeting_op(&world.lap, table[at].method, json_pack("{s:s}", "name", "Dora"), &code));
        if (code != OP_UNTRUSTED)
            fail_msg("%s answers %d", table[at].method, (int)code);
    }
    assert_int_equal(told_entries(&world.lap), before);
    json_decref(told_ask(&world.lap, "doctor.rebuild"));
    json_decref(told_ask(&world.lap, "contact.list"));
    json_decref(told_ask(&world.lap, "export"));
    json_decref(meeting_op(&world.desk, "contact.add", json_pack("{s:s}", "name", "Dora"), NULL));
    assert_true(told_entries(&world.desk) > 0);
    told_world_free(&world);
}

/* One that was copied goes on, under a new key at the next meeting, and takes what it is told. */
static void whoever_was_copied_goes_on(void **state)
{
    struct told_world world;
    struct space_row card;
    struct snapshot snapshot;
    struct ledger_txn *txn;
    enum op_code code;
    json_t *status;

    (void)state;
    meeting_new(&world.desk, 1, "Ana");
    member_twin(&world.lap, &world.desk, 9);
    txn = member_begin(&world.desk);
    snapshot = ledger_txn_snapshot(txn);
    assert_int_equal(ledger_own_space(&snapshot, SPACE_CARD, &card), ERR_OK);
    assert_int_equal(heal_sibling(txn, &card, ledger_device(world.lap.ledger)), ERR_OK);
    told_commit(txn);
    snapshot = member_snapshot(&world.desk);
    txn = member_begin(&world.lap);
    assert_int_equal(retire_table_facts(&snapshot, ledger_device(world.lap.ledger), told_wants_none,
                                        told_on_fact, txn),
                     ERR_OK);
    told_commit(txn);
    ledger_snapshot_end(&snapshot);
    status = told_ask(&world.lap, "status");
    assert_null(json_object_get(status, "shut_out"));
    assert_non_null(strstr(json_string_value(json_object_get(status, "note")), "a new key"));
    json_decref(status);
    json_decref(meeting_op(&world.lap, "contact.add", json_pack("{s:s}", "name", "Dora"), &code));
    assert_int_equal(code, OP_DONE);
    assert_int_equal(told_events(&world.lap, "shut out"), 0);
    told_world_free(&world);
}

/* May this device's open invitation become a link? */
static bool told_may_link(struct member *device, struct member *bruno)
{
    static const uint8_t secret[INVITATION_SECRET_SIZE] = {7};
    struct link_request request = {.invitation = {{5}}};
    struct snapshot snapshot = member_snapshot(bruno);
    struct ledger_txn *txn = member_begin(device);
    struct link_answer answer;
    struct buf identity = {0};
    struct amend amend;

    assert_int_equal(view_identity(&snapshot, &identity), ERR_OK);
    ledger_snapshot_end(&snapshot);
    request.identity = buf_span(&identity);
    assert_int_equal(device_read_identity(request.identity, &request.chain, &request.next_root),
                     ERR_OK);
    amend_begin(&amend, txn, ledger_self_space(device->ledger), KIND_INVITATION,
                &request.invitation);
    amend_bytes(&amend, INVITATION_SECRET, span_of(secret, sizeof secret));
    amend_number(&amend, INVITATION_EXPIRES, device->now_ms / 1000 + 3600);
    amend_number(&amend, INVITATION_STATE, INVITATION_OPEN);
    assert_int_equal(amend_end(&amend, NULL), ERR_OK);
    assert_int_equal(ledger_follow(txn), ERR_OK);
    assert_int_equal(link_claim(txn, &request, &answer), ERR_OK);
    ledger_abort(txn);
    buf_release(&identity);
    return !answer.is_refused;
}

/* A link with it would be one that no other device of its member knows. */
static void whoever_is_shut_out_makes_no_link(void **state)
{
    struct told_world world;
    struct member bruno;

    (void)state;
    told_world_new(&world, RETIRE_OWNER);
    member_new(&bruno, 2, false);
    assert_true(told_may_link(&world.desk, &bruno));
    assert_false(told_may_link(&world.lap, &bruno));
    member_free(&bruno);
    told_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_is_shut_out_says_so),
        cmocka_unit_test(whoever_is_shut_out_takes_no_edit),
        cmocka_unit_test(whoever_was_copied_goes_on),
        cmocka_unit_test(whoever_is_shut_out_makes_no_link),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
