/* Replies and answers between members without a network: what each hands on, opens and refuses, and
 * people on the way who play foul. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "proto/answer.h"
#include "proto/limits.h"
#include "proto/reply.h"
#include "storage/view_ask.h"
#include "tests/sim/four.h"

static const char canary[] = "Elena Quist at the harbour yard";

/* The way there and back. */

static void carry_brings_a_lead_over_three_hops_unread(void **state)
{
    char id[ID_TEXT_SIZE];
    struct four four;
    json_t *lead;

    (void)state;
    four_row(&four);
    four_reply_to(&four, &four.dora, canary, id);
    four_all(&four);
    assert_int_equal(four_leads(&four.ana), 1);
    json_decref(meeting_op(&four.ana, "lead.answer",
                           json_pack("{s:s, s:s}", "id", id, "text", "Number 555-0134"), NULL));
    four_all(&four);
    json_decref(meeting_op(&four.dora, "lead.answer",
                           json_pack("{s:s, s:s}", "id", id, "text", "The harbour gate"), NULL));
    four_all(&four);
    json_decref(meeting_op(&four.ana, "thanks",
                           json_pack("{s:s, s:s}", "id", id, "text", "It worked"), NULL));
    four_all(&four);
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
    assert_int_equal(four_told(&four.bruno, "thanks", "brought something back: It worked"), 1);
    assert_int_equal(four_told(&four.carla, "thanks", "brought something back: It worked"), 1);
    four_free(&four);
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
    four_row(&four);
    four_reply_to(&four, &four.dora, canary, id);
    four_all(&four);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, &bytes), 1);
    four_say_anything(&four.bruno, &four.ana, KIND_REPLY, buf_span(&bytes));
    /* Dora, too, has a grant: she cannot use it with Bruno, who never gave it to her. */
    assert_int_equal(reply_read_carried(buf_span(&bytes), &carried), ERR_OK);
    grant = four_grant(&four, &four.dora);
    four_say_noise(&four.dora, &four.bruno, &grant, 1);
    four_all(&four);
    assert_int_equal(four_leads(&four.ana), 1);
    assert_int_equal(four_told(&four.ana, "lead", ""), 1);
    assert_int_equal(four_told(&four.bruno, "refused", "you passed them no such ask"), 1);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 1);
    buf_release(&bytes);
    four_free(&four);
}

/* REPLY-5: what was altered on the way, or is no letter, is seen by who asked and costs its
 * bringer. */
static void carry_shows_who_asked_that_a_letter_was_altered(void **state)
{
    char id[ID_TEXT_SIZE];
    struct buf bytes = {0};
    struct four four;

    (void)state;
    four_row(&four);
    four_reply_to(&four, &four.dora, canary, id);
    four_all(&four);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, &bytes), 1);
    for (size_t at = 0; at < 5; at++) {
        bytes.data[bytes.size - 1 - 200 * at] ^= 1;
        four_say_anything(&four.bruno, &four.ana, KIND_REPLY, buf_span(&bytes));
        bytes.data[bytes.size - 1 - 200 * at] ^= 1;
    }
    four_all(&four);
    assert_int_equal(four_leads(&four.ana), 1);
    assert_int_equal(four_told(&four.ana, "refused", "it was altered"), 5);
    buf_release(&bytes);
    four_free(&four);
}

static void carry_refuses_grants_it_never_gave(void **state)
{
    struct public_key unknown = {{9}}, grant;
    struct four four;

    (void)state;
    four_row(&four);
    grant = four_grant(&four, &four.carla); /* Carla told Dora the grant she has from Bruno. */
    four_say_noise(&four.dora, &four.bruno, &grant, 99);
    meeting_carry(&four.dora, &four.bruno);
    assert_int_equal(four_told(&four.bruno, "refused", "you passed them no such ask"), 1);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 0);
    grant = four_grant(&four, &four.dora);
    for (uint32_t number = 0; number < 15; number++)
        four_say_noise(&four.carla, &four.bruno, number % 2 == 0 ? &unknown : &grant, number);
    four_all(&four);
    /* Told while they are few, never handed on. */
    assert_int_equal(four_told(&four.bruno, "refused", "you passed them no such ask"),
                     1 + ASK_REFUSED_DAY_MAX);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, NULL), 0);
    four_free(&four);
}

/* REPLY-7: REPLIES_DAY_MAX a day of one neighbour, the rest waits, and what is beyond is passed
 * over. */
static void carry_keeps_to_the_pace_of_each_neighbour(void **state)
{
    struct public_key grant;
    struct four four;
    char id[ID_TEXT_SIZE];

    (void)state;
    four_row(&four);
    grant = four_grant(&four, &four.carla);
    for (uint32_t number = 0; number < REPLIES_DAY_MAX + REPLIES_WAITING_MAX + 30; number++)
        four_say_noise(&four.carla, &four.bruno, &grant, number);
    meeting_carry(&four.carla, &four.bruno);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, NULL), REPLIES_DAY_MAX);
    /* Bruno himself is not held up by what Carla does. */
    four_reply_to(&four, &four.bruno, canary, id);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, NULL), REPLIES_DAY_MAX + 1);
    for (unsigned day = 1; day <= 12; day++) {
        four.bruno.now_ms += MS_PER_DAY;
        meeting_tick(&four.bruno);
        if (day <= 3)
            assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, NULL),
                             REPLIES_DAY_MAX * (day + 1) + 1);
    }
    /* What did not fit into the wait when it came is gone, and costs nobody anything. */
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, NULL), REPLIES_WAITING_MAX + 1);
    four_free(&four);
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
    four_row(&four);
    four_reply_to(&four, &four.dora, canary, id);
    four_all(&four);
    assert_int_equal(four_says(&four.dora, &four.carla, KIND_REPLY, &bytes), 1);
    assert_int_equal(reply_read_carried(buf_span(&bytes), &carried), ERR_OK);
    letter_id(carried.letter, &answer.reply);
    answer.at_ms = four.bruno.now_ms;
    assert_int_equal(answer_say(&answer, forger, &forged), ERR_OK);
    four_say_anything(&four.bruno, &four.carla, KIND_ANSWER, buf_span(&forged));
    json_decref(meeting_op(&four.ana, "lead.answer",
                           json_pack("{s:s, s:s}", "id", id, "text", "Hello"), NULL));
    meeting_carry(&four.ana, &four.bruno);
    buf_clear(&bytes);
    assert_int_equal(four_says(&four.ana, &four.bruno, KIND_ANSWER, &bytes), 1);
    bytes.data[bytes.size / 2] ^= 1;
    four_say_anything(&four.bruno, &four.carla, KIND_ANSWER, buf_span(&bytes));
    four_all(&four);
    assert_int_equal(four_told(&four.carla, "refused", "it answers nothing I know"), 2);
    assert_int_equal(four_told(&four.dora, "thanks", ""), 0);
    assert_int_equal(four_told(&four.dora, "lead", "brought a message"), 1);
    secret_free(forger);
    buf_release(&bytes);
    buf_release(&forged);
    four_free(&four);
}

/* REPLY-8: one neighbour's made-up answers to a reply leave the true one its place. */
static void carry_hands_on_the_true_answer_among_many_made_up(void **state)
{
    static const uint8_t seed[SEED_SIZE] = {5};
    char id[ID_TEXT_SIZE];
    struct answer answer = {.type = ANSWER_THANKS, .line = span_str("Pay me")};
    struct signing_key *forger = secret_new(sizeof *forger);
    struct reply_carried carried;
    struct buf bytes = {0};
    struct four four;

    (void)state;
    assert_non_null(forger);
    identity_signing_key(seed, forger);
    four_row(&four);
    four_reply_to(&four, &four.dora, canary, id);
    four_all(&four);
    assert_int_equal(four_says(&four.dora, &four.carla, KIND_REPLY, &bytes), 1);
    assert_int_equal(reply_read_carried(buf_span(&bytes), &carried), ERR_OK);
    letter_id(carried.letter, &answer.reply);
    for (unsigned at = 0; at < 2 * REPLY_ANSWERS_MAX; at++) { /* What is looked at makes room. */
        struct buf forged = {0};

        if (at == REPLY_ANSWERS_MAX)
            meeting_carry(&four.dora, &four.carla);
        answer.at_ms = four.dora.now_ms + at;
        assert_int_equal(answer_say(&answer, forger, &forged), ERR_OK);
        four_say_anything(&four.dora, &four.carla, KIND_ANSWER, buf_span(&forged));
        buf_release(&forged);
    }
    meeting_carry(&four.dora, &four.carla);
    json_decref(meeting_op(&four.ana, "lead.answer",
                           json_pack("{s:s, s:s}", "id", id, "text", "Hello"), NULL));
    four_all(&four);
    assert_int_equal(four_told(&four.dora, "lead", "brought a message"), 1);
    secret_free(forger);
    buf_release(&bytes);
    four_free(&four);
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
    four_row(&four);
    for (uint8_t number = 0; number < 12; number++) {
        struct buf bytes = {0};

        answer.reply.bytes[0] = number;
        assert_int_equal(answer_say(&answer, asker, &bytes), ERR_OK);
        four_say_anything(&four.bruno, &four.carla, KIND_ANSWER, buf_span(&bytes));
        buf_release(&bytes);
    }
    four_all(&four);
    assert_int_equal(four_told(&four.carla, "refused", "an answer that was refused"),
                     ASK_REFUSED_DAY_MAX);
    secret_free(asker);
    four_free(&four);
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
    four_row(&four);
    four_reply_to(&four, &four.dora, canary, id);
    four_all(&four);
    assert_int_equal(four_says(&four.bruno, &four.ana, KIND_REPLY, &bytes), 1);
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
    four_say_anything(&four.bruno, &four.ana, KIND_REPLY, buf_span(&content));
    four_all(&four);
    assert_int_equal(four_told(&four.ana, "refused", "altered"), 1);
    assert_false(meeting_holds(&four.ana, span_str("Send money")));
    secret_free(thread);
    secret_free(box);
    buf_release(&bytes);
    buf_release(&content);
    buf_release(&sealed);
    view_ask_wipe(&plain);
    four_free(&four);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carry_brings_a_lead_over_three_hops_unread),
        cmocka_unit_test(carry_takes_a_letter_once),
        cmocka_unit_test(carry_shows_who_asked_that_a_letter_was_altered),
        cmocka_unit_test(carry_refuses_grants_it_never_gave),
        cmocka_unit_test(carry_keeps_to_the_pace_of_each_neighbour),
        cmocka_unit_test(carry_hands_on_no_answer_but_the_askers),
        cmocka_unit_test(carry_hands_on_the_true_answer_among_many_made_up),
        cmocka_unit_test(carry_refuses_answers_to_replies_it_never_carried),
        cmocka_unit_test(carry_takes_no_message_under_another_thread_key),
    };

    if (secret_start() != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
