/* Replies and answers between members without a network: what each hands on, opens and refuses, and
 * people on the way who play foul. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/ask.h"
#include "node/carry.h"
#include "proto/limits.h"
#include "storage/check.h"
#include "storage/journal.h"
#include "storage/row.h"
#include "tests/sim/meeting.h"

static const char canary[] = "Elena Quist at the harbour yard";

/* Ana asks. Bruno and Carla have it from her, Dora from both of them; or one from another. */
struct four {
    struct member ana, bruno, carla, dora;
    char ask[ID_TEXT_SIZE];
};

static void carry_all(struct four *four)
{
    for (int round = 0; round < 4; round++) {
        meeting_carry(&four->ana, &four->bruno);
        meeting_carry(&four->ana, &four->carla);
        meeting_carry(&four->bruno, &four->carla);
        meeting_carry(&four->bruno, &four->dora);
        meeting_carry(&four->carla, &four->dora);
    }
}

static void carry_new(struct four *four)
{
    meeting_new(&four->ana, 1, "Ana");
    meeting_new(&four->bruno, 2, "Bruno");
    meeting_new(&four->carla, 3, "Carla");
    meeting_new(&four->dora, 4, "Dora");
    meeting_link(&four->ana, &four->bruno);
    meeting_link(&four->ana, &four->carla);
    meeting_link(&four->bruno, &four->carla);
    meeting_link(&four->bruno, &four->dora);
    meeting_link(&four->carla, &four->dora);
}

static void carry_free(struct four *four)
{
    member_free(&four->ana);
    member_free(&four->bruno);
    member_free(&four->carla);
    member_free(&four->dora);
}

static void carry_post(struct four *four, const char *to)
{
    json_t *ask = meeting_op(
        &four->ana, "ask.post",
        json_pack("{s:s, s:s, s:[s]}", "text", "I look for work.", "title", "Work", "to", to),
        NULL);

    (void)snprintf(four->ask, sizeof four->ask, "%s",
                   json_string_value(json_object_get(ask, "id")));
    json_decref(ask);
    carry_all(four);
}

static void carry_pass(struct four *four, struct member *by, const char *to)
{
    json_decref(
        meeting_op(by, "ask.pass", json_pack("{s:s, s:[s]}", "id", four->ask, "to", to), NULL));
    carry_all(four);
}

/* In a row: Ana, Bruno, Carla, Dora. */
static void carry_row(struct four *four)
{
    carry_new(four);
    carry_post(four, "Bruno");
    carry_pass(four, &four->bruno, "Carla");
    carry_pass(four, &four->carla, "Dora");
}

/* By two ways: Ana; Bruno and Carla; Dora. */
static void carry_diamond(struct four *four)
{
    json_t *ask;

    carry_new(four);
    ask = meeting_op(&four->ana, "ask.post",
                     json_pack("{s:s, s:s, s:[s, s]}", "text", "I look for work.", "title", "Work",
                               "to", "Bruno", "Carla"),
                     NULL);
    (void)snprintf(four->ask, sizeof four->ask, "%s",
                   json_string_value(json_object_get(ask, "id")));
    json_decref(ask);
    carry_all(four);
    carry_pass(four, &four->bruno, "Dora");
    carry_pass(four, &four->carla, "Dora");
}

static void carry_reply_to(struct four *four, struct member *by, const char *text,
                           char out[static ID_TEXT_SIZE])
{
    json_t *lead =
        meeting_op(by, "ask.reply", json_pack("{s:s, s:s}", "id", four->ask, "text", text), NULL);

    (void)snprintf(out, ID_TEXT_SIZE, "%s", json_string_value(json_object_get(lead, "id")));
    json_decref(lead);
}

static size_t carry_leads(struct member *member)
{
    json_t *list = meeting_op(member, "lead.list", json_object(), NULL);
    size_t count = json_array_size(json_object_get(list, "leads"));

    json_decref(list);
    return count;
}

/* How many lines of the journal are of this kind and contain this. */
struct carry_lines {
    const char *kind, *text;
    size_t count;
};

static enum err carry_on_line(void *self, const struct journal_row *row)
{
    struct carry_lines *lines = self;

    if (span_is_equal(row->kind, span_str(lines->kind)) && row->text.size > 0 &&
        memmem(row->text.data, row->text.size, lines->text, strlen(lines->text)) != NULL)
        lines->count++;
    return ERR_OK;
}

static size_t carry_told(struct member *member, const char *kind, const char *text)
{
    struct carry_lines lines = {.kind = kind, .text = text};
    struct snapshot snapshot = member_snapshot(member);

    assert_int_equal(journal_each(&snapshot, 0, carry_on_line, &lines), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return lines.count;
}

/* What one says to another of a kind: how many, and the newest of them. */
struct carry_found {
    size_t count;
    struct buf bytes;
};

static enum err carry_on_found(void *self, uint32_t number, const struct object *object)
{
    struct carry_found *found = self;

    (void)number;
    found->count++;
    buf_clear(&found->bytes);
    buf_append(&found->bytes, object_value(object, KIND_STATEMENT_FIELD).bytes);
    return buf_err(&found->bytes);
}

static size_t carry_says(struct member *by, const struct member *to, uint8_t kind,
                         struct buf *out_newest)
{
    struct snapshot snapshot = member_snapshot(by);
    struct carry_found found = {.count = 0};
    struct peer peer;

    assert_int_equal(view_peer(&snapshot, &to->secrets.member, &peer), ERR_OK);
    assert_int_equal(row_each(&snapshot, &peer.pair_out, kind, carry_on_found, &found), ERR_OK);
    ledger_snapshot_end(&snapshot);
    if (out_newest != NULL)
        buf_append(out_newest, buf_span(&found.bytes));
    buf_release(&found.bytes);
    return found.count;
}

/* Says anything at all, as only a hostile program would. */
static void carry_say_anything(struct member *by, const struct member *to, uint8_t kind,
                               struct span bytes)
{
    struct ledger_txn *txn = member_begin(by);

    assert_int_equal(ask_say(txn, &to->secrets.member, kind, bytes, by->now_ms + 5 * MS_PER_DAY),
                     ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* A letter of noise under a grant. */
static void carry_say_noise(struct member *by, const struct member *to,
                            const struct public_key *grant, uint32_t number)
{
    uint8_t letter[LETTER_SIZE_MIN] = {7};
    struct reply_carried carried = {.grant = *grant, .letter = span_of(letter, sizeof letter)};
    struct buf bytes = {0};

    be32_put(letter + 8, number);
    reply_carry(&carried, &bytes);
    carry_say_anything(by, to, KIND_REPLY, buf_span(&bytes));
    buf_release(&bytes);
}

/* The grant by which somebody has the ask, as a route of theirs says. */
static struct public_key carry_grant(struct four *four, struct member *of)
{
    struct snapshot snapshot = member_snapshot(of);
    struct ask_route route;
    struct id id;

    assert_int_equal(hex_read(span_str(four->ask), id.bytes, ID_SIZE), ERR_OK);
    assert_int_equal(view_ask_route(&snapshot, &id, &route), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return route.grant;
}

/* The way there and back. */

static void carry_brings_a_lead_over_three_hops_unread(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;
    json_t *lead;

    (void)state;
    carry_row(&four);
    carry_reply_to(&four, &four.dora, canary, id);
    carry_all(&four);
    assert_int_equal(carry_leads(&four.ana), 1);
    json_decref(meeting_op(&four.ana, "lead.answer",
                           json_pack("{s:s, s:s}", "id", id, "text", "Number 555-0134"), NULL));
    carry_all(&four);
    json_decref(meeting_op(&four.dora, "lead.answer",
                           json_pack("{s:s, s:s}", "id", id, "text", "The harbour gate"), NULL));
    carry_all(&four);
    json_decref(meeting_op(&four.ana, "thanks",
                           json_pack("{s:s, s:s}", "id", id, "text", "It worked"), NULL));
    carry_all(&four);
    for (size_t at = 0; at < 3; at++) {
        struct span needle = span_str(at == 0   ? canary
                                      : at == 1 ? "Number 555-0134"
                                                : "The harbour gate");

        assert_true(meeting_holds(&four.ana, needle) && meeting_holds(&four.dora, needle));
        assert_false(meeting_holds(&four.bruno, needle) || meeting_holds(&four.carla, needle));
    }
    lead = meeting_op(&four.dora, "lead.show", json_pack("{s:s}", "id", id), NULL);
    assert_string_equal(json_string_value(json_object_get(lead, "thanks")), "It worked");
    assert_int_equal(json_array_size(json_object_get(lead, "thread")), 3);
    json_decref(lead);
    assert_int_equal(carry_told(&four.bruno, "thanks", "brought something back: It worked"), 1);
    assert_int_equal(carry_told(&four.carla, "thanks", "brought something back: It worked"), 1);
    carry_free(&four);
}

/* PROTOCOL REPLY-7: the same letter brought again changes nothing, whoever brings it. */
static void carry_takes_a_letter_once(void **state)
{
    char id[ID_TEXT_SIZE];
    struct buf bytes = {0};
    struct reply_carried carried;
    struct public_key grant;
    struct four four;

    (void)state;
    carry_row(&four);
    carry_reply_to(&four, &four.dora, canary, id);
    carry_all(&four);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, &bytes), 1);
    carry_say_anything(&four.bruno, &four.ana, KIND_REPLY, buf_span(&bytes));
    /* Dora, too, has a grant: she cannot use it with Bruno, who never gave it to her. */
    assert_int_equal(reply_read_carried(buf_span(&bytes), &carried), ERR_OK);
    grant = carry_grant(&four, &four.dora);
    carry_say_noise(&four.dora, &four.bruno, &grant, 1);
    carry_all(&four);
    assert_int_equal(carry_leads(&four.ana), 1);
    assert_int_equal(carry_told(&four.ana, "lead", ""), 1);
    assert_int_equal(carry_told(&four.bruno, "refused", "you passed them no such ask"), 1);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 1);
    buf_release(&bytes);
    carry_free(&four);
}

/* REPLY-5: what was altered on the way, or is no letter, is seen by who asked and costs its
 * bringer. */
static void carry_shows_who_asked_that_a_letter_was_altered(void **state)
{
    char id[ID_TEXT_SIZE];
    struct buf bytes = {0};
    struct four four;

    (void)state;
    carry_row(&four);
    carry_reply_to(&four, &four.dora, canary, id);
    carry_all(&four);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, &bytes), 1);
    for (size_t at = 0; at < 5; at++) {
        bytes.data[bytes.size - 1 - 200 * at] ^= 1;
        carry_say_anything(&four.bruno, &four.ana, KIND_REPLY, buf_span(&bytes));
        bytes.data[bytes.size - 1 - 200 * at] ^= 1;
    }
    carry_all(&four);
    assert_int_equal(carry_leads(&four.ana), 1);
    assert_int_equal(carry_told(&four.ana, "refused", "it was altered"), 5);
    buf_release(&bytes);
    carry_free(&four);
}

static void carry_refuses_grants_it_never_gave(void **state)
{
    struct public_key unknown = {{9}}, grant;
    struct four four;

    (void)state;
    carry_row(&four);
    grant = carry_grant(&four, &four.carla); /* Carla told Dora the grant she has from Bruno. */
    carry_say_noise(&four.dora, &four.bruno, &grant, 99);
    meeting_carry(&four.dora, &four.bruno);
    assert_int_equal(carry_told(&four.bruno, "refused", "you passed them no such ask"), 1);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 0);
    grant = carry_grant(&four, &four.dora);
    for (uint32_t number = 0; number < 15; number++)
        carry_say_noise(&four.carla, &four.bruno, number % 2 == 0 ? &unknown : &grant, number);
    carry_all(&four);
    /* Told while they are few, never handed on. */
    assert_int_equal(carry_told(&four.bruno, "refused", "you passed them no such ask"),
                     1 + ASK_REFUSED_DAY_MAX);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 0);
    carry_free(&four);
}

/* REPLY-7: REPLIES_DAY_MAX a day of one neighbour, the rest waits, and what is beyond is passed
 * over. */
static void carry_keeps_to_the_pace_of_each_neighbour(void **state)
{
    struct public_key grant;
    struct four four;
    char id[ID_TEXT_SIZE];

    (void)state;
    carry_row(&four);
    grant = carry_grant(&four, &four.carla);
    for (uint32_t number = 0; number < REPLIES_DAY_MAX + REPLIES_WAITING_MAX + 30; number++)
        carry_say_noise(&four.carla, &four.bruno, &grant, number);
    meeting_carry(&four.carla, &four.bruno);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, NULL), REPLIES_DAY_MAX);
    /* Bruno himself is not held up by what Carla does. */
    carry_reply_to(&four, &four.bruno, canary, id);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, NULL), REPLIES_DAY_MAX + 1);
    for (unsigned day = 1; day <= 12; day++) {
        four.bruno.now_ms += MS_PER_DAY;
        meeting_tick(&four.bruno);
        if (day <= 3)
            assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, NULL),
                             REPLIES_DAY_MAX * (day + 1) + 1);
    }
    /* What did not fit into the wait when it came is gone, and costs nobody anything. */
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, NULL), REPLIES_WAITING_MAX + 1);
    carry_free(&four);
}

/* Spare ways. */

static void carry_goes_by_the_first_way_and_by_a_spare_one(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;

    (void)state;
    carry_diamond(&four);
    carry_reply_to(&four, &four.dora, canary, id);
    assert_int_equal(carry_says(&four.dora, &four.bruno, KIND_REPLY, NULL), 1);
    assert_int_equal(carry_says(&four.dora, &four.carla, KIND_REPLY, NULL), 0);
    /* Before Bruno has heard of it Dora and he part: it goes by Carla, too. */
    member_set_link(&four.dora, &four.bruno, LINK_REMOVED);
    meeting_tick(&four.dora);
    assert_int_equal(carry_says(&four.dora, &four.carla, KIND_REPLY, NULL), 1);
    meeting_carry(&four.dora, &four.carla);
    meeting_carry(&four.carla, &four.ana);
    assert_int_equal(carry_leads(&four.ana), 1);
    json_decref(meeting_op(&four.ana, "thanks", json_pack("{s:s}", "id", id), NULL));
    carry_all(&four);
    assert_int_equal(carry_told(&four.dora, "thanks", "for your answer"), 1);
    carry_free(&four);
}

static void carry_goes_both_ways_and_is_told_once(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;

    (void)state;
    carry_diamond(&four);
    carry_reply_to(&four, &four.dora, canary, id);
    meeting_carry_one_way(&four.bruno, &four.dora);
    member_set_link(&four.dora, &four.bruno, LINK_REMOVED);
    meeting_tick(&four.dora);
    carry_all(&four);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 1);
    assert_int_equal(carry_says(&four.carla, &four.ana, KIND_REPLY, NULL), 1);
    assert_int_equal(carry_leads(&four.ana), 1);
    assert_int_equal(carry_told(&four.ana, "lead", ""), 1);
    /* Thanks go to who brought it first; where that is no peer any more, to the other. */
    member_set_link(&four.ana, &four.bruno, LINK_REMOVED);
    meeting_tick(&four.ana);
    json_decref(meeting_op(&four.ana, "thanks", json_pack("{s:s}", "id", id), NULL));
    carry_all(&four);
    assert_int_equal(carry_told(&four.dora, "thanks", "for your answer"), 1);
    carry_free(&four);
}

static void carry_keeps_a_reply_until_there_is_a_way(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;
    json_t *lead;

    (void)state;
    carry_row(&four);
    member_set_link(&four.dora, &four.carla, LINK_REMOVED);
    meeting_tick(&four.dora);
    carry_reply_to(&four, &four.dora, canary, id);
    lead = meeting_op(&four.dora, "lead.show", json_pack("{s:s}", "id", id), NULL);
    assert_string_equal(json_string_value(json_object_get(lead, "state")), "waiting");
    json_decref(lead);
    carry_all(&four);
    assert_int_equal(carry_leads(&four.ana), 0);
    member_set_link(&four.dora, &four.carla, LINK_LINKED);
    meeting_tick(&four.dora);
    carry_all(&four);
    assert_int_equal(carry_leads(&four.ana), 1);
    carry_free(&four);
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
    carry_row(&four);
    carry_reply_to(&four, &four.dora, canary, before);
    carry_all(&four);
    carry_reply_to(&four, &four.dora, "Too late", late);
    carry_days(&four.carla, 15);
    carry_days(&four.bruno, 15);
    carry_all(&four);
    assert_int_equal(carry_leads(&four.ana), 1);
    /* Thanks still find their way. */
    json_decref(meeting_op(&four.ana, "thanks", json_pack("{s:s}", "id", before), NULL));
    carry_all(&four);
    assert_int_equal(carry_told(&four.dora, "thanks", "for your answer"), 1);
    four.bruno.now_ms += 200 * MS_PER_DAY; /* A wrong clock alone forgets nothing. */
    meeting_tick(&four.bruno);
    assert_true(carry_knows(&four.bruno, before));
    four.bruno.now_ms -= 200 * MS_PER_DAY;
    carry_days(&four.bruno, 80);
    assert_false(carry_knows(&four.bruno, before));
    carry_free(&four);
}

static void carry_tells_nothing_again_after_a_rebuild(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;

    (void)state;
    carry_row(&four);
    carry_reply_to(&four, &four.dora, canary, id);
    carry_all(&four);
    json_decref(meeting_op(&four.ana, "thanks", json_pack("{s:s}", "id", id), NULL));
    carry_all(&four);
    for (size_t at = 0; at < 4; at++) {
        struct member *member = &(&four.ana)[at];
        struct ledger_txn *txn = member_begin(member);

        assert_int_equal(check_forget_views(txn), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        meeting_tick(member);
        meeting_tick(member);
    }
    carry_all(&four);
    assert_int_equal(carry_leads(&four.ana), 1);
    assert_int_equal(carry_told(&four.ana, "lead", ""), 1);
    assert_int_equal(carry_told(&four.bruno, "thanks", ""), 1);
    assert_int_equal(carry_told(&four.carla, "thanks", ""), 1);
    assert_int_equal(carry_told(&four.dora, "thanks", ""), 1);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 1);
    assert_int_equal(carry_says(&four.carla, &four.dora, KIND_ANSWER, NULL), 1);
    /* And a thread goes on. */
    json_decref(meeting_op(&four.ana, "lead.answer",
                           json_pack("{s:s, s:s}", "id", id, "text", "Hello"), NULL));
    carry_all(&four);
    assert_int_equal(carry_told(&four.dora, "lead", "brought a message"), 1);
    carry_free(&four);
}

/* All devices of who carries come to the same: they say the same bytes. */
static void carry_by_two_devices_is_said_once(void **state)
{
    char id[ID_TEXT_SIZE];
    struct member twin;
    struct four four;

    (void)state;
    carry_row(&four);
    member_twin(&twin, &four.bruno, 9);
    carry_reply_to(&four, &four.dora, canary, id);
    meeting_carry(&four.dora, &four.carla);
    meeting_carry_one_way(&four.bruno, &four.carla);
    meeting_carry_one_way(&twin, &four.carla);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 1);
    assert_int_equal(carry_says(&twin, &four.ana, KIND_REPLY, NULL), 1);
    meeting_carry(&four.bruno, &twin);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 1);
    meeting_carry(&four.bruno, &four.ana);
    meeting_carry_one_way(&four.ana, &twin);
    assert_int_equal(carry_leads(&four.ana), 1);
    assert_int_equal(carry_told(&four.ana, "lead", ""), 1);
    member_free(&twin);
    carry_free(&four);
}

static void carry_shows_nothing_by_who_is_blocked(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;

    (void)state;
    carry_row(&four);
    meeting_link(&four.ana, &four.dora);
    member_set_link(&four.ana, &four.dora, LINK_BLOCKED);
    meeting_tick(&four.ana);
    carry_reply_to(&four, &four.dora, canary, id);
    carry_all(&four);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 1);
    assert_int_equal(carry_leads(&four.ana), 0);
    assert_int_equal(carry_told(&four.ana, "lead", ""), 0);
    assert_int_equal(carry_told(&four.ana, "refused", ""), 0);
    carry_free(&four);
}

/* Answers. */

/* ANSWER-2: who carries can make up no answer, and change none. */
static void carry_hands_on_no_answer_but_the_askers(void **state)
{
    static const uint8_t seed[SEED_SIZE] = {5};
    char id[ID_TEXT_SIZE];
    struct answer answer = {.type = ANSWER_THANKS, .line = span_str("Pay me")};
    struct signing_key *forger = secret_new(sizeof *forger);
    struct reply_carried carried;
    struct buf bytes = {0}, forged = {0};
    struct four four;

    (void)state;
    assert_non_null(forger);
    identity_signing_key(seed, forger);
    carry_row(&four);
    carry_reply_to(&four, &four.dora, canary, id);
    carry_all(&four);
    assert_int_equal(carry_says(&four.dora, &four.carla, KIND_REPLY, &bytes), 1);
    assert_int_equal(reply_read_carried(buf_span(&bytes), &carried), ERR_OK);
    letter_id(carried.letter, &answer.reply);
    answer.at_ms = four.bruno.now_ms;
    assert_int_equal(answer_say(&answer, forger, &forged), ERR_OK);
    carry_say_anything(&four.bruno, &four.carla, KIND_ANSWER, buf_span(&forged));
    json_decref(meeting_op(&four.ana, "lead.answer",
                           json_pack("{s:s, s:s}", "id", id, "text", "Hello"), NULL));
    meeting_carry(&four.ana, &four.bruno);
    buf_clear(&bytes);
    assert_int_equal(carry_says(&four.ana, &four.bruno, KIND_ANSWER, &bytes), 1);
    bytes.data[bytes.size / 2] ^= 1;
    carry_say_anything(&four.bruno, &four.carla, KIND_ANSWER, buf_span(&bytes));
    carry_all(&four);
    assert_int_equal(carry_told(&four.carla, "refused", "it answers nothing I know"), 2);
    assert_int_equal(carry_told(&four.dora, "thanks", ""), 0);
    assert_int_equal(carry_told(&four.dora, "lead", "brought a message"), 1);
    secret_free(forger);
    buf_release(&bytes);
    buf_release(&forged);
    carry_free(&four);
}

static void carry_refuses_answers_to_replies_it_never_carried(void **state)
{
    static const uint8_t seed[SEED_SIZE] = {5};
    struct answer answer = {.type = ANSWER_THANKS, .at_ms = 1};
    struct signing_key *asker = secret_new(sizeof *asker);
    struct four four;

    (void)state;
    assert_non_null(asker);
    identity_signing_key(seed, asker);
    carry_row(&four);
    for (uint8_t number = 0; number < 12; number++) {
        struct buf bytes = {0};

        answer.reply.bytes[0] = number;
        assert_int_equal(answer_say(&answer, asker, &bytes), ERR_OK);
        carry_say_anything(&four.bruno, &four.carla, KIND_ANSWER, buf_span(&bytes));
        buf_release(&bytes);
    }
    carry_all(&four);
    assert_int_equal(carry_told(&four.carla, "refused", "an answer that was refused"),
                     ASK_REFUSED_DAY_MAX);
    secret_free(asker);
    carry_free(&four);
}

/* A thread belongs to its keys: nobody else's letter is taken for a message of it. */
static void carry_takes_no_message_under_another_thread_key(void **state)
{
    static const uint8_t secret[KEY_SIZE] = {6};
    struct reply reply = {.kind = REPLY_MESSAGE, .has_first = true, .text = span_str("Send money")};
    struct letter_by by = {.device = NULL};
    struct signing_key *thread = secret_new(sizeof *thread);
    struct exchange_key *box = secret_new(sizeof *box);
    struct buf bytes = {0}, content = {0}, sealed = {0}, plain = {0};
    struct reply_carried carried;
    struct snapshot snapshot;
    struct ask_route route;
    struct ask_pass pass;
    char id[ID_TEXT_SIZE];
    struct four four;
    struct id ask;

    (void)state;
    carry_row(&four);
    carry_reply_to(&four, &four.dora, canary, id);
    carry_all(&four);
    assert_int_equal(carry_says(&four.bruno, &four.ana, KIND_REPLY, &bytes), 1);
    assert_int_equal(reply_read_carried(buf_span(&bytes), &carried), ERR_OK);
    letter_id(carried.letter, &reply.first);
    assert_int_equal(hex_read(span_str(four.ask), ask.bytes, ID_SIZE), ERR_OK);
    snapshot = member_snapshot(&four.bruno);
    assert_int_equal(view_ask_route(&snapshot, &ask, &route), ERR_OK);
    assert_int_equal(view_ask_pass(&snapshot, &route, &plain, &pass), ERR_OK);
    ledger_snapshot_end(&snapshot);
    reply.ask = pass.hash;
    reply_keys(secret, thread, box);
    reply.thread = thread->public_key;
    memcpy(reply.box, box->public_key, KEY_SIZE);
    by.writer = thread;
    assert_int_equal(reply_write(&reply, &content), ERR_OK);
    assert_int_equal(
        letter_seal(&by, buf_span(&content), pass.ask.reply_key, &four.bruno.entropy, &sealed),
        ERR_OK);
    carried.letter = buf_span(&sealed);
    buf_clear(&content);
    reply_carry(&carried, &content);
    carry_say_anything(&four.bruno, &four.ana, KIND_REPLY, buf_span(&content));
    carry_all(&four);
    assert_int_equal(carry_told(&four.ana, "refused", "altered"), 1);
    assert_false(meeting_holds(&four.ana, span_str("Send money")));
    secret_free(thread);
    secret_free(box);
    buf_release(&bytes);
    buf_release(&content);
    buf_release(&sealed);
    view_ask_wipe(&plain);
    carry_free(&four);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carry_brings_a_lead_over_three_hops_unread),
        cmocka_unit_test(carry_takes_a_letter_once),
        cmocka_unit_test(carry_shows_who_asked_that_a_letter_was_altered),
        cmocka_unit_test(carry_refuses_grants_it_never_gave),
        cmocka_unit_test(carry_keeps_to_the_pace_of_each_neighbour),
        cmocka_unit_test(carry_goes_by_the_first_way_and_by_a_spare_one),
        cmocka_unit_test(carry_goes_both_ways_and_is_told_once),
        cmocka_unit_test(carry_keeps_a_reply_until_there_is_a_way),
        cmocka_unit_test(carry_forgets_when_nobody_can_answer_any_more),
        cmocka_unit_test(carry_tells_nothing_again_after_a_rebuild),
        cmocka_unit_test(carry_by_two_devices_is_said_once),
        cmocka_unit_test(carry_shows_nothing_by_who_is_blocked),
        cmocka_unit_test(carry_hands_on_no_answer_but_the_askers),
        cmocka_unit_test(carry_refuses_answers_to_replies_it_never_carried),
        cmocka_unit_test(carry_takes_no_message_under_another_thread_key),
    };

    if (secret_start() != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
