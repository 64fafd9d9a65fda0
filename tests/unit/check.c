/* Damage is found, told, and does not hide other damage; views can be made again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/card.h"
#include "proto/contact.h"
#include "proto/link.h"
#include "storage/absent.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/restate.h"
#include "storage/row.h"
#include "storage/space.h"
#include "storage/view_contact.h"
#include "tests/sim/asking.h"
#include "tests/sim/meeting.h"

static struct check_report check_look(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    struct check_report report;

    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return report;
}

/* A store with something in every table. */
static void check_fill(struct member *ana, struct member *bruno)
{
    struct edit_space edit = {0};
    struct ledger_txn *txn;
    struct member *const to[] = {ana, NULL};
    struct asking_post post = {.author = bruno,
                               .title = "Boat shed",
                               .hop_limit = 1,
                               .naming = ASK_NAMED_ALWAYS,
                               .days = 14};
    struct log_id log;
    struct id contact, card, ask;

    member_link(ana, bruno);
    member_grant(bruno, ana);
    txn = member_begin(bruno);
    assert_int_equal(space_use_network(txn, true), ERR_OK);
    assert_int_equal(space_share_network(txn, &ana->secrets.member, true), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    card = member_card_space(ana);
    txn = member_begin(ana);
    assert_int_equal(restate_space(txn, &card), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(member_name_card(bruno, "Bruno"), ERR_OK);
    asking_post(&post, to, &ask);
    assert_true(member_pull(ana, bruno, NULL) > 0);
    for (size_t at = 0; at < 3; at++)
        assert_int_equal(member_add_contact(ana, "Chie", "c@example.org", &contact), ERR_OK);
    txn = member_begin(ana);
    for (size_t at = 0; at < 300; at++) {
        edit_begin(&edit, KIND_CONTACT, &contact, ana->now_ms);
        edit_set(&edit, CONTACT_NOTE, at + 1, member_text("a note"));
        assert_int_equal(ledger_append(txn, ledger_self_space(ana->ledger), &edit, 0), ERR_OK);
    }
    log = (struct log_id){.space = *ledger_self_space(ana->ledger),
                          .device = *ledger_device(ana->ledger)};
    assert_int_equal(view_delivered(txn, &bruno->secrets.member, &log, 2), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
    while (follow_is_behind(ana->ledger)) {
        bool is_more;

        assert_int_equal(follow_stage(ana->ledger, 100, &is_more), ERR_OK);
    }
}

static void check_finds_nothing_in_a_sound_store(void **state)
{
    (void)state;
    for (int is_lmdb = 0; is_lmdb < 2; is_lmdb++) {
        struct check_report report;
        struct member ana, bruno;

        member_new(&ana, 1, is_lmdb != 0);
        member_new(&bruno, 2, is_lmdb != 0);
        check_fill(&ana, &bruno);
        report = check_look(&ana);
        assert_string_equal(report.first, "");
        assert_int_equal(report.damaged, 0);
        assert_true(report.entries > 300);
        assert_true(report.heads > report.logs); /* a block's head, and one tip each */
        assert_true(report.objects > 8);
        member_free(&ana);
        member_free(&bruno);
    }
}

/* The number-th row of a table, copied. */
static void check_row(struct kv_txn *txn, unsigned table, size_t number, struct key *out_key,
                      struct buf *out_value)
{
    struct kv_cursor *cursor;
    struct span key, value;

    assert_int_equal(kv_cursor_open(txn, table, &cursor), ERR_OK);
    assert_int_equal(kv_cursor_seek(cursor, span_of(NULL, 0)), ERR_OK);
    for (size_t at = 0; at < number; at++)
        assert_int_equal(kv_cursor_next(cursor), ERR_OK);
    kv_cursor_at(cursor, &key, &value);
    key_of_bytes(key, out_key);
    buf_clear(out_value);
    buf_append(out_value, value);
    kv_cursor_close(cursor);
}

/* Flips a bit in a row, or takes the row away; puts everything back after the look. */
static void check_finds_any_damage(void **state)
{
    static const struct {
        enum table table;
        bool is_flip_found, is_loss_found;
    } cases[] = {
        {TABLE_ENTRY, true, true},       {TABLE_RUN, true, true},
        {TABLE_LOG, true, true},         {TABLE_HEAD, true, true},
        {TABLE_SPACE, true, true},       {TABLE_SPACE_ID, true, true},
        {TABLE_EPOCH, true, false},      {TABLE_OBJECT_ID, true, true},
        {TABLE_OBJECT, true, true},      {TABLE_DELIVERED, true, false},
        {TABLE_NAME, false, true},       {TABLE_LOG_ID, false, true},
        {TABLE_TOKEN, true, true},       {TABLE_MATCH, true, true},
        {TABLE_CARD_OF, false, true},    {TABLE_RESTATE, true, false},
        {TABLE_NETWORK_IN, true, false}, {TABLE_ASK, true, false},
        {TABLE_ASK_ROUTE, true, false},  {TABLE_ASK_BUDGET, true, false},
    };
    struct member ana, bruno;
    size_t looks = 0;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    check_fill(&ana, &bruno);
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++)
        for (int is_loss = 0; is_loss < 2; is_loss++) {
            struct buf value = {0};
            struct kv_txn *txn;
            struct key key;

            if (!(is_loss ? cases[at].is_loss_found : cases[at].is_flip_found))
                continue;
            assert_int_equal(kv_begin(ana.kv, KV_WRITE, &txn), ERR_OK);
            check_row(txn, cases[at].table, 0, &key, &value);
            if (is_loss) {
                assert_int_equal(kv_erase(txn, cases[at].table, key_span(&key)), ERR_OK);
            } else {
                value.data[0] ^= 1;
                assert_int_equal(kv_put(txn, cases[at].table, key_span(&key), buf_span(&value)),
                                 ERR_OK);
                value.data[0] ^= 1;
            }
            assert_int_equal(kv_commit(txn), ERR_OK);
            assert_true(check_look(&ana).damaged > 0);
            assert_string_not_equal(check_look(&ana).first, "");
            assert_int_equal(kv_begin(ana.kv, KV_WRITE, &txn), ERR_OK);
            assert_int_equal(kv_put(txn, cases[at].table, key_span(&key), buf_span(&value)),
                             ERR_OK);
            assert_int_equal(kv_commit(txn), ERR_OK);
            assert_int_equal(check_look(&ana).damaged, 0);
            buf_release(&value);
            looks++;
        }
    assert_int_equal(looks, 30);
    member_free(&ana);
    member_free(&bruno);
}

/* Two who write one place with an equal counter, contacts that are one person, times they met, a
 * payload that is gone, an introduction. */
static void check_fill_lists(struct member *ana, struct member *bruno, struct member *chie)
{
    struct edit_space edit = {0};
    struct ledger_txn *txn;
    struct id contact;
    uint64_t newest = 0;
    struct snapshot snapshot;
    bool is_more = true;

    meeting_new(ana, 1, "Ana");
    meeting_new(bruno, 2, "Bruno");
    meeting_new(chie, 3, "Chie");
    meeting_link(ana, bruno);
    meeting_link(ana, chie);
    json_decref(meeting_op(ana, "introduce",
                           json_pack("{s:s, s:s, s:s}", "a", "bruno", "b", "chie", "why", "Boats"),
                           NULL));
    meeting_carry(ana, bruno);
    meeting_accept(bruno);
    meeting_carry(ana, bruno);
    assert_int_equal(member_add_contact(ana, "Dora Dias", "d@example.org", &contact), ERR_OK);
    json_decref(meeting_op(ana, "contact.add", json_pack("{s:s}", "name", "Dora D."), NULL));
    json_decref(meeting_op(ana, "contact.merge",
                           json_pack("{s:s, s:s}", "who", "d@example.org", "other", "Dora D."),
                           NULL));
    json_decref(meeting_op(ana, "contact.log",
                           json_pack("{s:s, s:s, s:s}", "who", "d@example.org", "text",
                                     "By the boats.", "kind", "met"),
                           NULL));
    for (size_t at = 0; at < 2; at++) {
        txn = member_begin(ana);
        edit_begin(&edit, KIND_CONTACT, &contact, ana->now_ms + at);
        edit_set(&edit, CONTACT_NOTE, 7, member_text(at == 0 ? "one" : "other"));
        assert_int_equal(ledger_append(txn, ledger_self_space(ana->ledger), &edit, 0), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        assert_int_equal(follow_stage(ana->ledger, 100, &is_more), ERR_OK);
    }
    edit_release(&edit);
    snapshot = member_snapshot(ana);
    assert_int_equal(ledger_newest_arrival(&snapshot, &newest), ERR_OK);
    ledger_snapshot_end(&snapshot);
    txn = member_begin(ana);
    assert_int_equal(absent_drop(txn, newest), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

enum check_harm { CHECK_FLIP = 1, CHECK_LOSE = 2, CHECK_MOVE = 4 };

/* The first row of a table is flipped, taken away, or put under another name; true when told. */
static bool check_is_harm_found(struct member *ana, enum table table, enum check_harm harm)
{
    struct buf value = {0};
    struct kv_txn *txn;
    struct key key, other;
    bool is_found;

    assert_int_equal(kv_begin(ana->kv, KV_WRITE, &txn), ERR_OK);
    check_row(txn, table, 0, &key, &value);
    other = key;
    other.bytes[0] ^= 0x80;
    if (harm == CHECK_FLIP)
        value.data[0] ^= 1;
    else
        assert_int_equal(kv_erase(txn, table, key_span(&key)), ERR_OK);
    if (harm != CHECK_LOSE)
        assert_int_equal(
            kv_put(txn, table, key_span(harm == CHECK_MOVE ? &other : &key), buf_span(&value)),
            ERR_OK);
    assert_int_equal(kv_commit(txn), ERR_OK);
    is_found = check_look(ana).damaged > 0;
    assert_int_equal(kv_begin(ana->kv, KV_WRITE, &txn), ERR_OK);
    if (harm == CHECK_FLIP)
        value.data[0] ^= 1;
    if (harm == CHECK_MOVE)
        assert_int_equal(kv_erase(txn, table, key_span(&other)), ERR_OK);
    assert_int_equal(kv_put(txn, table, key_span(&key), buf_span(&value)), ERR_OK);
    assert_int_equal(kv_commit(txn), ERR_OK);
    assert_string_equal(check_look(ana).first, "");
    buf_release(&value);
    return is_found;
}

static void check_finds_lists_that_lead_astray(void **state)
{
    static const struct {
        enum table table;
        int harms;
    } cases[] = {
        {TABLE_WRITER, CHECK_LOSE | CHECK_MOVE},
        {TABLE_ORIGIN, CHECK_FLIP | CHECK_MOVE},
        {TABLE_PEER, CHECK_FLIP | CHECK_LOSE | CHECK_MOVE},
        {TABLE_CARD_OF, CHECK_FLIP | CHECK_LOSE | CHECK_MOVE},
        {TABLE_STATIC_KEY, CHECK_FLIP | CHECK_LOSE | CHECK_MOVE},
        {TABLE_DEVICE, CHECK_FLIP | CHECK_LOSE | CHECK_MOVE},
        {TABLE_LOG_EPOCH, CHECK_FLIP | CHECK_MOVE},
        {TABLE_ABSENT, CHECK_FLIP | CHECK_LOSE | CHECK_MOVE},
        {TABLE_EXPIRY, CHECK_MOVE},
        {TABLE_SAME, CHECK_FLIP | CHECK_LOSE | CHECK_MOVE},
        {TABLE_INTERACTION, CHECK_MOVE},
        {TABLE_NAME_ORDER, CHECK_LOSE | CHECK_MOVE},
        {TABLE_FACT, CHECK_FLIP},
        {TABLE_INTRODUCTION, CHECK_FLIP | CHECK_MOVE},
    };
    struct member ana, bruno, chie;

    (void)state;
    check_fill_lists(&ana, &bruno, &chie);
    assert_string_equal(check_look(&ana).first, "");
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++)
        for (int harm = CHECK_FLIP; harm <= CHECK_MOVE; harm *= 2)
            if ((cases[at].harms & harm) != 0 &&
                !check_is_harm_found(&ana, cases[at].table, (enum check_harm)harm))
                fail_msg("nothing is found in table %s, harm %d", table_names[cases[at].table],
                         harm);
    member_free(&ana);
    member_free(&bruno);
    member_free(&chie);
}

/* Any changed bit of any entry is found: chain and signature cover them all. */
static void check_finds_every_changed_entry(void **state)
{
    struct member ana;
    struct id contact;
    uint64_t count = 0;

    (void)state;
    member_new(&ana, 1, false);
    assert_int_equal(member_add_contact(&ana, "Chie", NULL, &contact), ERR_OK);
    {
        struct kv_txn *txn;

        assert_int_equal(kv_begin(ana.kv, KV_READ, &txn), ERR_OK);
        assert_int_equal(kv_count(txn, TABLE_ENTRY, &count), ERR_OK);
        kv_abort(txn);
    }
    assert_true(count > 5);
    for (uint64_t number = 0; number < count; number++) {
        struct buf value = {0};
        struct kv_txn *txn;
        struct key key;

        assert_int_equal(kv_begin(ana.kv, KV_WRITE, &txn), ERR_OK);
        check_row(txn, TABLE_ENTRY, (size_t)number, &key, &value);
        value.data[value.size - 1] ^= 0x80;
        assert_int_equal(kv_put(txn, TABLE_ENTRY, key_span(&key), buf_span(&value)), ERR_OK);
        assert_int_equal(kv_commit(txn), ERR_OK);
        assert_true(check_look(&ana).damaged > 0);
        value.data[value.size - 1] ^= 0x80;
        assert_int_equal(kv_begin(ana.kv, KV_WRITE, &txn), ERR_OK);
        assert_int_equal(kv_put(txn, TABLE_ENTRY, key_span(&key), buf_span(&value)), ERR_OK);
        assert_int_equal(kv_commit(txn), ERR_OK);
        buf_release(&value);
    }
    assert_int_equal(check_look(&ana).damaged, 0);
    member_free(&ana);
}

static enum err check_add_meaning(void *self, uint32_t number, const struct object *object)
{
    (void)number;
    member_put_meaning(object, self);
    return ERR_OK;
}

/* All that can be asked about a store's views, as bytes. */
static void check_put_views(struct member *member, const struct id *card_in, struct buf *out)
{
    static const uint8_t kinds[] = {KIND_CONTACT, KIND_LINK, KIND_KEY, KIND_SPACE, KIND_KNOCK};
    struct snapshot snapshot = member_snapshot(member);
    uint64_t contacts;

    for (size_t at = 0; at < sizeof kinds; at++)
        assert_int_equal(row_each(&snapshot, ledger_self_space(member->ledger), kinds[at],
                                  check_add_meaning, out),
                         ERR_OK);
    assert_int_equal(row_each(&snapshot, card_in, KIND_CARD, check_add_meaning, out), ERR_OK);
    assert_int_equal(view_contact_each(&snapshot, check_add_meaning, out), ERR_OK);
    assert_int_equal(view_contact_match(&snapshot, MATCH_BY_EMAIL, span_str("c@example.org"),
                                        check_add_meaning, out),
                     ERR_OK);
    assert_int_equal(view_contact_count(&snapshot, &contacts), ERR_OK);
    buf_u64(out, contacts);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(buf_err(out), ERR_OK);
    assert_true(out->size > 1000);
}

/* Views thrown away and made again in stages, with a restart between, are what they were. */
static void check_rebuilt_views_are_the_same(void **state)
{
    (void)state;
    for (int is_lmdb = 0; is_lmdb < 2; is_lmdb++) {
        struct buf before = {0}, after = {0};
        struct member ana, bruno;
        struct ledger_txn *txn;
        struct id card_in;
        bool is_more = true;
        size_t stages = 0;

        member_new(&ana, 1, is_lmdb != 0);
        member_new(&bruno, 2, is_lmdb != 0);
        check_fill(&ana, &bruno);
        card_in = member_card_space(&bruno);
        check_put_views(&ana, &card_in, &before);
        txn = member_begin(&ana);
        assert_int_equal(check_forget_views(txn), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        assert_true(follow_is_behind(ana.ledger));
        for (; is_more; stages++) {
            if (stages == 2) {
                member_close(&ana);
                member_open(&ana);
            }
            assert_int_equal(follow_stage(ana.ledger, 50, &is_more), ERR_OK);
        }
        assert_true(stages > 5);
        check_put_views(&ana, &card_in, &after);
        assert_true(span_is_equal(buf_span(&before), buf_span(&after)));
        assert_int_equal(check_look(&ana).damaged, 0);
        buf_release(&before);
        buf_release(&after);
        member_free(&ana);
        member_free(&bruno);
    }
}

/* A damaged view is healed by making it again. */
static void check_rebuilding_heals_damaged_views(void **state)
{
    static const enum table views[] = {TABLE_OBJECT, TABLE_OBJECT_ID, TABLE_NAME,
                                       TABLE_PEER,   TABLE_WRITER,    TABLE_CARD_OF};
    struct member ana, bruno;
    size_t healed = 0;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    check_fill(&ana, &bruno);
    for (; healed < sizeof views / sizeof views[0]; healed++) {
        struct buf value = {0};
        struct ledger_txn *rebuild;
        struct snapshot snapshot;
        struct kv_txn *txn;
        struct peer peer;
        struct key key;
        bool is_more;

        assert_int_equal(kv_begin(ana.kv, KV_WRITE, &txn), ERR_OK);
        check_row(txn, views[healed], 0, &key, &value);
        assert_int_equal(kv_erase(txn, views[healed], key_span(&key)), ERR_OK);
        assert_int_equal(kv_commit(txn), ERR_OK);
        rebuild = member_begin(&ana);
        assert_int_equal(check_forget_views(rebuild), ERR_OK);
        assert_int_equal(ledger_commit(rebuild, NULL), ERR_OK);
        assert_int_equal(follow_stage(ana.ledger, SIZE_MAX, &is_more), ERR_OK);
        assert_int_equal(check_look(&ana).damaged, 0);
        snapshot = member_snapshot(&ana);
        assert_int_equal(view_peer(&snapshot, &bruno.secrets.member, &peer), ERR_OK);
        ledger_snapshot_end(&snapshot);
        buf_release(&value);
    }
    assert_int_equal(healed, 6);
    member_free(&ana);
    member_free(&bruno);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_finds_nothing_in_a_sound_store),
        cmocka_unit_test(check_finds_any_damage),
        cmocka_unit_test(check_finds_lists_that_lead_astray),
        cmocka_unit_test(check_finds_every_changed_entry),
        cmocka_unit_test(check_rebuilt_views_are_the_same),
        cmocka_unit_test(check_rebuilding_heals_damaged_views),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
