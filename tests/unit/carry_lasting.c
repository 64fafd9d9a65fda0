/* Replies that wait, go by a spare way, or outlive a rebuild, a device, and their ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/react.h"
#include "proto/limits.h"
#include "proto/reply.h"
#include "storage/check.h"
#include "storage/ledger_state.h"
#include "storage/running.h"
#include "tests/sim/four.h"
#include "tests/unit/heap_failing.h"

static const char canary[] = "Elena Quist at the harbour yard";

/* Spare ways. */

static void carry_goes_by_the_first_way_and_by_a_spare_one(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;

    (void)state;
    four_diamond(&four);
    four_reply_to(&four, &four.dora, canary, id);
    assert_int_equal(four_says(&four.dora, &four.bruno, KIND_REPLY, NULL), 1);
    assert_int_equal(four_says(&four.dora, &four.carla, KIND_REPLY, NULL), 0);
    /* Before Bruno has heard of it Dora and he part: it goes by Carla, too. */
    member_set_link(&four.dora, &four.bruno, LINK_REMOVED);
    meeting_tick(&four.dora);
    assert_int_equal(four_says(&four.dora, &four.carla, KIND_REPLY, NULL), 1);
    meeting_carry(&four.dora, &four.carla);
    meeting_carry(&four.carla, &four.ana);
    assert_int_equal(four_leads(&four.ana), 1);
    json_decref(meeting_op(&four.ana, "thanks", json_pack("{s:s}", "id", id), NULL));
    four_all(&four);
    assert_int_equal(four_told(&four.dora, "thanks", "for your answer"), 1);
    four_free(&four);
}

static void carry_goes_both_ways_and_is_told_once(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;

    (void)state;
    four_diamond(&four);
    four_reply_to(&four, &four.dora, canary, id);
    meeting_carry_one_way(&four.bruno, &four.dora);
    member_set_link(&four.dora, &four.bruno, LINK_REMOVED);
    meeting_tick(&four.dora);
    four_all(&four);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 1);
    assert_int_equal(four_says(&four.carla, &four.ana, KIND_REPLY, NULL), 1);
    assert_int_equal(four_leads(&four.ana), 1);
    assert_int_equal(four_told(&four.ana, "lead", ""), 1);
    /* Thanks go to who brought it first; where that is no peer any more, to the other. */
    member_set_link(&four.ana, &four.bruno, LINK_REMOVED);
    meeting_tick(&four.ana);
    json_decref(meeting_op(&four.ana, "thanks", json_pack("{s:s}", "id", id), NULL));
    four_all(&four);
    assert_int_equal(four_told(&four.dora, "thanks", "for your answer"), 1);
    four_free(&four);
}

static void carry_keeps_a_reply_until_there_is_a_way(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;
    json_t *lead;

    (void)state;
    four_row(&four);
    member_set_link(&four.dora, &four.carla, LINK_REMOVED);
    meeting_tick(&four.dora);
    four_reply_to(&four, &four.dora, canary, id);
    lead = meeting_op(&four.dora, "lead.show", json_pack("{s:s}", "id", id), NULL);
    assert_string_equal(json_string_value(json_object_get(lead, "state")), "waiting");
    json_decref(lead);
    four_all(&four);
    assert_int_equal(four_leads(&four.ana), 0);
    member_set_link(&four.dora, &four.carla, LINK_LINKED);
    meeting_tick(&four.dora);
    four_all(&four);
    assert_int_equal(four_leads(&four.ana), 1);
    four_free(&four);
}

/* What time, a rebuild, and another device do. */

/* Both clocks move on. */
static void carry_days(struct member *member, uint64_t days)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(running_advance(txn, 1000), ERR_OK);
    assert_int_equal(running_advance(txn, 1000 + days * MS_PER_DAY), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    member_close(member);
    member_open(member); /* Its next reading of the machine's clock is a first one. */
    member->now_ms += days * MS_PER_DAY;
    meeting_tick(member);
}

static bool carry_knows(struct member *member, const char *id)
{
    struct snapshot snapshot = member_snapshot(member);
    struct kv_cursor *cursor;
    struct span key, value;
    uint8_t start[ID_SIZE];
    bool is_known = false;

    assert_int_equal(hex_read(span_str(id), start, ID_SIZE), ERR_OK);
    assert_int_equal(kv_cursor_open(snapshot.kv, TABLE_REPLY, &cursor), ERR_OK);
    if (kv_cursor_seek(cursor, span_of(start, ID_SIZE)) == ERR_OK) {
        kv_cursor_at(cursor, &key, &value);
        is_known = memcmp(key.data, start, ID_SIZE) == 0;
    }
    kv_cursor_close(cursor);
    ledger_snapshot_end(&snapshot);
    return is_known;
}

/* REPLY-6: an ask that is over carries nothing; what was carried is forgotten in time, not before.
 */
static void carry_forgets_when_nobody_can_answer_any_more(void **state)
{
    char before[ID_TEXT_SIZE], late[ID_TEXT_SIZE];
    struct four four;

    (void)state;
    four_row(&four);
    four_reply_to(&four, &four.dora, canary, before);
    four_all(&four);
    four_reply_to(&four, &four.dora, "Too late", late);
    carry_days(&four.carla, 15);
    carry_days(&four.bruno, 15);
    four_all(&four);
    assert_int_equal(four_leads(&four.ana), 1);
    /* Thanks still find their way. */
    json_decref(meeting_op(&four.ana, "thanks", json_pack("{s:s}", "id", before), NULL));
    four_all(&four);
    assert_int_equal(four_told(&four.dora, "thanks", "for your answer"), 1);
    four.bruno.now_ms += 200 * MS_PER_DAY; /* A wrong clock alone forgets nothing. */
    meeting_tick(&four.bruno);
    assert_true(carry_knows(&four.bruno, before));
    four.bruno.now_ms -= 200 * MS_PER_DAY;
    carry_days(&four.bruno, 80);
    assert_false(carry_knows(&four.bruno, before));
    four_free(&four);
}

static void carry_tells_nothing_again_after_a_rebuild(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;

    (void)state;
    four_row(&four);
    four_reply_to(&four, &four.dora, canary, id);
    four_all(&four);
    json_decref(meeting_op(&four.ana, "thanks", json_pack("{s:s}", "id", id), NULL));
    four_all(&four);
    for (size_t at = 0; at < 4; at++) {
        struct member *member = &(&four.ana)[at];
        struct ledger_txn *txn = member_begin(member);

        assert_int_equal(check_forget_views(txn), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        meeting_tick(member);
        meeting_tick(member);
    }
    four_all(&four);
    assert_int_equal(four_leads(&four.ana), 1);
    assert_int_equal(four_told(&four.ana, "lead", ""), 1);
    assert_int_equal(four_told(&four.bruno, "thanks", ""), 1);
    assert_int_equal(four_told(&four.carla, "thanks", ""), 1);
    assert_int_equal(four_told(&four.dora, "thanks", ""), 1);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 1);
    assert_int_equal(four_says(&four.carla, &four.dora, KIND_ANSWER, NULL), 1);
    /* And a thread goes on. */
    json_decref(meeting_op(&four.ana, "lead.answer",
                           json_pack("{s:s, s:s}", "id", id, "text", "Hello"), NULL));
    four_all(&four);
    assert_int_equal(four_told(&four.dora, "lead", "brought a message"), 1);
    four_free(&four);
}

/* All devices of who carries come to the same: they say the same bytes. */
static void carry_by_two_devices_is_said_once(void **state)
{
    char id[ID_TEXT_SIZE];
    struct member twin;
    struct four four;

    (void)state;
    four_row(&four);
    member_twin(&twin, &four.bruno, 9);
    four_reply_to(&four, &four.dora, canary, id);
    meeting_carry(&four.dora, &four.carla);
    meeting_carry_one_way(&four.bruno, &four.carla);
    meeting_carry_one_way(&twin, &four.carla);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 1);
    assert_int_equal(four_says(&twin, &four.ana, KIND_REPLY, NULL), 1);
    meeting_carry(&four.bruno, &twin);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 1);
    meeting_carry(&four.bruno, &four.ana);
    meeting_carry_one_way(&four.ana, &twin);
    assert_int_equal(four_leads(&four.ana), 1);
    assert_int_equal(four_told(&four.ana, "lead", ""), 1);
    member_free(&twin);
    four_free(&four);
}

static void carry_shows_nothing_by_who_is_blocked(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;

    (void)state;
    four_row(&four);
    meeting_link(&four.ana, &four.dora);
    member_set_link(&four.ana, &four.dora, LINK_BLOCKED);
    meeting_tick(&four.ana);
    four_reply_to(&four, &four.dora, canary, id);
    four_all(&four);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 1);
    assert_int_equal(four_leads(&four.ana), 0);
    assert_int_equal(four_told(&four.ana, "lead", ""), 0);
    assert_int_equal(four_told(&four.ana, "refused", ""), 0);
    four_free(&four);
}

/* Takes what `from` wrote in, and answers it with every allocation of the answer failed once:
 * nothing of such an answer remains. Returns how many failed. */
static size_t carry_without_memory(struct member *to, struct member *from)
{
    size_t left = 0;
    enum err err;

    (void)member_pull(to, from, NULL);
    do {
        struct ledger_txn *txn = member_begin(to);

        assert_true(left < 20000);
        heap_failing_after(left);
        err = react_all(txn);
        heap_failing_after(SIZE_MAX);
        assert_true(err == ERR_OK || err == ERR_NOMEM);
        if (err == ERR_OK)
            assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        else
            ledger_abort(txn);
        left += left < 100 ? 1 : 7;
    } while (err != ERR_OK);
    return left;
}

static void carry_leaves_nothing_half_done_without_memory(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;

    (void)state;
    four_row(&four);
    four_reply_to(&four, &four.dora, canary, id);
    assert_true(carry_without_memory(&four.carla, &four.dora) > 20);
    meeting_carry_one_way(&four.bruno, &four.carla);
    assert_true(carry_without_memory(&four.ana, &four.bruno) > 20);
    assert_int_equal(four_leads(&four.ana), 1);
    assert_int_equal(four_told(&four.ana, "lead", ""), 1);
    json_decref(meeting_op(&four.ana, "lead.answer",
                           json_pack("{s:s, s:s}", "id", id, "text", "Hello"), NULL));
    json_decref(meeting_op(&four.ana, "thanks", json_pack("{s:s}", "id", id), NULL));
    assert_true(carry_without_memory(&four.bruno, &four.ana) > 20);
    meeting_carry_one_way(&four.carla, &four.bruno);
    assert_true(carry_without_memory(&four.dora, &four.carla) > 20);
    assert_int_equal(four_told(&four.bruno, "thanks", ""), 1);
    assert_int_equal(four_told(&four.dora, "thanks", ""), 1);
    assert_int_equal(four_told(&four.dora, "lead", "brought a message"), 1);
    four_free(&four);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carry_goes_by_the_first_way_and_by_a_spare_one),
        cmocka_unit_test(carry_goes_both_ways_and_is_told_once),
        cmocka_unit_test(carry_keeps_a_reply_until_there_is_a_way),
        cmocka_unit_test(carry_forgets_when_nobody_can_answer_any_more),
        cmocka_unit_test(carry_tells_nothing_again_after_a_rebuild),
        cmocka_unit_test(carry_by_two_devices_is_said_once),
        cmocka_unit_test(carry_shows_nothing_by_who_is_blocked),
        cmocka_unit_test(carry_leaves_nothing_half_done_without_memory),
    };

    if (secret_start() != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
