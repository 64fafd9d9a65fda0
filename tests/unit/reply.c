/* Letters of a thread: sealed for one, of three sizes, by a key of the thread and perhaps a device;
 * replies and answers, with every bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "proto/answer.h"
#include "proto/contact.h"
#include "proto/limits.h"
#include "proto/reply.h"
#include "tests/unit/heap_failing.h"

struct hand {
    struct signing_key root, device, thread, asker;
    struct exchange_key box, asked; /* of the thread; of the ask */
    struct buf identity;
    struct entropy entropy;
};

static char long_text[LETTER_SIZE_MAX + 64];

static void reply_seed(uint8_t seed, struct signing_key *out)
{
    uint8_t bytes[SEED_SIZE];

    memset(bytes, seed, sizeof bytes);
    identity_signing_key(bytes, out);
}

static void reply_hand(struct hand *out)
{
    struct certificate certificate = {.time_ms = UINT64_C(1700000000000), .name = span_str("desk")};
    uint8_t secret[KEY_SIZE] = {7}, ask[KEY_SIZE] = {8};
    struct buf issued = {0};
    struct hash next = {{9}};
    struct span list;

    *out = (struct hand){.entropy = entropy_os()};
    memset(long_text, 'x', sizeof long_text);
    reply_seed(1, &out->root);
    reply_seed(2, &out->device);
    reply_seed(3, &out->asker);
    reply_keys(secret, &out->thread, &out->box);
    identity_exchange_key(ask, &out->asked);
    certificate.member = out->root.public_key;
    certificate.device = out->device.public_key;
    assert_int_equal(certificate_issue(&certificate, &out->root, &issued), ERR_OK);
    list = buf_span(&issued);
    device_put_identity(&out->root.public_key, &next, &list, 1, &out->identity);
    buf_release(&issued);
}

static struct reply reply_plain(const struct hand *hand)
{
    struct reply reply = {.ask = {{5}},
                          .kind = REPLY_LEAD,
                          .at_ms = UINT64_C(1790000000000),
                          .thread = hand->thread.public_key,
                          .text = span_str("Ask at the harbour.")};

    memcpy(reply.box, hand->box.public_key, KEY_SIZE);
    return reply;
}

/* Seals a reply, with a name when it has one; gives what sealing gave. */
static enum err reply_sealed(const struct hand *hand, const struct reply *reply, struct buf *out)
{
    struct letter_by by = {.writer = &hand->thread};
    struct buf content = {0};
    enum err err = reply_write(reply, &content);

    if (reply->name.size > 0) {
        by.device = &hand->device;
        by.identity = buf_span(&hand->identity);
    }
    if (err == ERR_OK)
        err = letter_seal(&by, buf_span(&content), hand->asked.public_key, &hand->entropy, out);
    buf_release(&content);
    return err;
}

static enum err reply_opened(const struct hand *hand, struct span bytes, struct buf *plain,
                             struct reply *out, bool *has_member, struct public_key *member)
{
    struct hash ask = {{5}};
    struct letter letter;

    return reply_open(&hand->asked, &ask, bytes, plain, out, &letter, has_member, member);
}

static void reply_is_read_by_who_asked_as_it_was_written(void **state)
{
    struct public_key member;
    struct buf letter = {0}, plain = {0};
    struct reply reply, read;
    bool has_member;
    struct hand hand;

    (void)state;
    reply_hand(&hand);
    reply = reply_plain(&hand);
    reply.name = span_str("Dora");
    reply.about = (struct reply_about){
        .name = span_str("Elena"),
        .facts = {{CONTACT_ORG, span_str("Yard")}, {CONTACT_EMAILS, span_str("e@example.org")}},
        .facts_count = 2,
        .offers_introduction = true};
    assert_int_equal(reply_sealed(&hand, &reply, &letter), ERR_OK);
    assert_int_equal(reply_opened(&hand, buf_span(&letter), &plain, &read, &has_member, &member),
                     ERR_OK);
    assert_true(has_member && public_key_is_equal(&member, &hand.root.public_key));
    assert_int_equal(read.kind, REPLY_LEAD);
    assert_true(span_is_equal(read.text, reply.text) && span_is_equal(read.name, reply.name));
    assert_true(span_is_equal(read.about.name, reply.about.name));
    assert_int_equal(read.about.facts_count, 2);
    assert_true(read.about.offers_introduction && !read.has_first);
    assert_memory_equal(read.box, hand.box.public_key, KEY_SIZE);
    buf_release(&letter);
    buf_release(&plain);
    buf_release(&hand.identity);
}

/* PROTOCOL LETTER-1: the size is always one of three. */
static void letter_is_always_one_of_three_sizes(void **state)
{
    struct hand hand;

    (void)state;
    reply_hand(&hand);
    for (size_t size = 1; size <= REPLY_TEXT_SIZE_MAX; size += size < 5000 ? 97 : 500) {
        struct reply reply = reply_plain(&hand);
        struct buf letter = {0};

        reply.text = span_of(long_text, size);
        assert_int_equal(reply_sealed(&hand, &reply, &letter), ERR_OK);
        assert_true(letter_is_size(letter.size));
        assert_true(size > 600 || letter.size == 1024);
        assert_true(size < 1100 || letter.size > 1024);
        buf_release(&letter);
    }
    assert_false(letter_is_size(1023) || letter_is_size(1025) || letter_is_size(0));
    buf_release(&hand.identity);
}

/* The largest content fits the largest size exactly, one byte more does not. */
static void letter_holds_what_its_size_says_and_no_byte_more(void **state)
{
    struct letter_by by;
    struct hand hand;
    size_t least = 0, most = LETTER_SIZE_MAX;

    (void)state;
    reply_hand(&hand);
    by = (struct letter_by){.writer = &hand.thread};
    while (least + 1 < most) {
        size_t middle = (least + most) / 2;
        struct buf letter = {0};
        enum err err = letter_seal(&by, span_of(long_text, middle), hand.asked.public_key,
                                   &hand.entropy, &letter);

        assert_true(err == ERR_OK || err == ERR_LIMIT);
        assert_true(err != ERR_OK || letter_is_size(letter.size));
        *(err == ERR_OK ? &least : &most) = middle;
        buf_release(&letter);
    }
    /* Array, content with its head, signature with its head, no proof, size, sealing. */
    assert_int_equal(least + 1 + 3 + 2 + SIGNATURE_SIZE + 2 + 2 + SEAL_WRAP_OVERHEAD,
                     LETTER_SIZE_MAX);
    buf_release(&hand.identity);
}

static void reply_refuses_what_is_beyond_its_bounds(void **state)
{
    struct buf out = {0};
    struct hand hand;

    (void)state;
    reply_hand(&hand);
    for (size_t more = 0; more < 2; more++) {
        struct reply reply = reply_plain(&hand);
        enum err wanted = more == 0 ? ERR_OK : ERR_LIMIT;

        reply.text = span_of(long_text, REPLY_TEXT_SIZE_MAX + more);
        assert_int_equal(reply_write(&reply, &out), wanted);
        reply = reply_plain(&hand);
        reply.name = span_of(long_text, NAME_SIZE_MAX + more);
        assert_int_equal(reply_write(&reply, &out), wanted);
        reply = reply_plain(&hand);
        reply.about.name = span_of(long_text, NAME_SIZE_MAX + more);
        assert_int_equal(reply_write(&reply, &out), wanted);
        reply.about = (struct reply_about){
            .name = span_str("E"),
            .facts = {{CONTACT_ORG, span_of(long_text, REPLY_FACT_SIZE_MAX + more)}},
            .facts_count = 1};
        assert_int_equal(reply_write(&reply, &out), wanted);
        reply.about =
            (struct reply_about){.name = span_str("E"), .facts_count = REPLY_FACTS_MAX + more};
        for (size_t at = 0; at < REPLY_FACTS_MAX; at++)
            reply.about.facts[at] = (struct reply_fact){CONTACT_URLS, span_str("u")};
        assert_int_equal(reply_write(&reply, &out), wanted);
    }
    buf_release(&out);
    buf_release(&hand.identity);
}

/* PROTOCOL REPLY-3 */
static void reply_refuses_what_does_not_fit_together(void **state)
{
    static const enum reply_kind kinds[] = {REPLY_LEAD, REPLY_OFFER_HELP, REPLY_CHEER};
    struct buf out = {0};
    struct reply reply;
    struct hand hand;

    (void)state;
    reply_hand(&hand);
    for (size_t at = 0; at < 3; at++) {
        reply = reply_plain(&hand);
        reply.kind = kinds[at];
        assert_int_equal(reply_write(&reply, &out), ERR_OK);
        reply.has_first = true;
        assert_int_equal(reply_write(&reply, &out), ERR_LIMIT);
    }
    reply = reply_plain(&hand);
    reply.kind = REPLY_MESSAGE;
    assert_int_equal(reply_write(&reply, &out), ERR_LIMIT);
    reply.has_first = true;
    assert_int_equal(reply_write(&reply, &out), ERR_OK);
    reply.about.name = span_str("Elena");
    assert_int_equal(reply_write(&reply, &out), ERR_LIMIT);
    reply = reply_plain(&hand);
    reply.text = span_of(NULL, 0);
    assert_int_equal(reply_write(&reply, &out), ERR_LIMIT);
    reply = reply_plain(&hand);
    reply.about = (struct reply_about){.name = span_str("E"), .offers_introduction = true};
    assert_int_equal(reply_write(&reply, &out), ERR_LIMIT); /* Nobody would introduce. */
    reply.about = (struct reply_about){
        .name = span_str("E"), .facts = {{CONTACT_NOTE, span_str("n")}}, .facts_count = 1};
    assert_int_equal(reply_write(&reply, &out), ERR_LIMIT); /* Notes are never told. */
    reply = reply_plain(&hand);
    reply.kind = (enum reply_kind)5;
    assert_int_equal(reply_write(&reply, &out), ERR_LIMIT);
    buf_release(&out);
    buf_release(&hand.identity);
}

/* Whoever carries it can change nothing, and sends it to no other ask. */
static void reply_shows_that_it_was_altered(void **state)
{
    struct public_key member;
    struct buf letter = {0}, plain = {0};
    struct hash other = {{6}};
    struct letter inside;
    struct reply reply, read;
    bool has_member;
    struct hand hand;

    (void)state;
    reply_hand(&hand);
    reply = reply_plain(&hand);
    reply.name = span_str("Dora");
    assert_int_equal(reply_sealed(&hand, &reply, &letter), ERR_OK);
    for (size_t at = 0; at < letter.size; at += 13) {
        letter.data[at] ^= 1;
        buf_clear(&plain);
        assert_int_equal(
            reply_opened(&hand, buf_span(&letter), &plain, &read, &has_member, &member),
            ERR_FORGED);
        letter.data[at] ^= 1;
    }
    buf_clear(&plain);
    assert_int_equal(reply_open(&hand.asked, &other, buf_span(&letter), &plain, &read, &inside,
                                &has_member, &member),
                     ERR_FORGED);
    buf_clear(&plain);
    assert_int_equal(reply_open(&hand.box, &reply.ask, buf_span(&letter), &plain, &read, &inside,
                                &has_member, &member),
                     ERR_FORGED);
    letter.size--;
    assert_int_equal(reply_opened(&hand, buf_span(&letter), &plain, &read, &has_member, &member),
                     ERR_MALFORMED);
    buf_release(&letter);
    buf_release(&plain);
    buf_release(&hand.identity);
}

/* A name needs a proof and a proof a name; nobody signs with another's thread key. */
static void reply_believes_no_name_without_a_proof(void **state)
{
    struct letter_by by;
    struct public_key member;
    struct reply reply, read;
    bool has_member;
    struct hand hand;

    (void)state;
    reply_hand(&hand);
    for (int wrong = 0; wrong < 4; wrong++) {
        struct buf content = {0}, letter = {0}, plain = {0};

        by = (struct letter_by){.writer = wrong == 2 ? &hand.asker : &hand.thread};
        reply = reply_plain(&hand);
        if (wrong != 1)
            reply.name = span_str("Dora");
        if (wrong != 0) {
            by.device = &hand.device;
            by.identity = buf_span(&hand.identity);
        }
        assert_int_equal(reply_write(&reply, &content), ERR_OK);
        assert_int_equal(
            letter_seal(&by, buf_span(&content), hand.asked.public_key, &hand.entropy, &letter),
            ERR_OK);
        assert_int_equal(
            reply_opened(&hand, buf_span(&letter), &plain, &read, &has_member, &member),
            wrong < 3 ? ERR_FORGED : ERR_OK);
        buf_release(&content);
        buf_release(&letter);
        buf_release(&plain);
    }
    buf_release(&hand.identity);
}

/* A proof of one letter is none of another: it covers the whole content. */
static void reply_takes_no_proof_of_another_letter(void **state)
{
    struct buf letters[2] = {{0}}, plains[2] = {{0}};
    struct public_key member;
    struct letter opened[2], mixed;
    bool has_member;
    struct hand hand;

    (void)state;
    reply_hand(&hand);
    for (size_t at = 0; at < 2; at++) {
        struct reply reply = reply_plain(&hand);

        reply.name = span_str("Dora");
        reply.at_ms += at;
        assert_int_equal(reply_sealed(&hand, &reply, &letters[at]), ERR_OK);
        assert_int_equal(letter_open(&hand.asked, buf_span(&letters[at]), &plains[at], &opened[at]),
                         ERR_OK);
    }
    mixed = opened[0];
    assert_int_equal(letter_verify(&mixed, &hand.thread.public_key, &has_member, &member), ERR_OK);
    mixed.proof = opened[1].proof;
    assert_int_equal(letter_verify(&mixed, &hand.thread.public_key, &has_member, &member),
                     ERR_FORGED);
    for (size_t at = 0; at < 2; at++) {
        buf_release(&letters[at]);
        buf_release(&plains[at]);
    }
    buf_release(&hand.identity);
}

static void reply_is_carried_as_it_is(void **state)
{
    struct reply_carried carried = {.grant = {{4}}}, read;
    static uint8_t letter[LETTER_SIZE_MAX + 1];
    static const size_t sizes[] = {1024, 4096, 16384};
    static const size_t wrong[] = {0, 1023, 1025, 4095, 16383, 16385};
    struct buf out = {0};

    (void)state;
    for (size_t at = 0; at < 3; at++) {
        buf_clear(&out);
        carried.letter = span_of(letter, sizes[at]);
        reply_carry(&carried, &out);
        assert_true(out.size <= REPLY_SIZE_MAX);
        assert_int_equal(reply_read_carried(buf_span(&out), &read), ERR_OK);
        assert_true(public_key_is_equal(&read.grant, &carried.grant));
        assert_int_equal(read.letter.size, sizes[at]);
    }
    for (size_t at = 0; at < sizeof wrong / sizeof wrong[0]; at++) {
        buf_clear(&out);
        carried.letter = span_of(letter, wrong[at]);
        reply_carry(&carried, &out);
        assert_int_equal(reply_read_carried(buf_span(&out), &read), ERR_MALFORMED);
    }
    buf_release(&out);
}

static void answer_is_the_askers_alone(void **state)
{
    struct answer answer = {.type = ANSWER_THANKS,
                            .body = {{5}},
                            .reply = {{6}},
                            .at_ms = 7,
                            .line = span_str("It worked.")},
                  read;
    struct buf out = {0};
    struct hand hand;

    (void)state;
    reply_hand(&hand);
    assert_int_equal(answer_say(&answer, &hand.asker, &out), ERR_OK);
    assert_int_equal(answer_read(buf_span(&out), &read), ERR_OK);
    assert_true(span_is_equal(read.line, answer.line) && read.at_ms == 7);
    assert_memory_equal(read.reply.bytes, answer.reply.bytes, HASH_SIZE);
    ask_hash_of(&hand.asker.public_key, &answer.body, &answer.ask);
    assert_memory_equal(read.ask.bytes, answer.ask.bytes, HASH_SIZE);
    for (size_t at = 0; at < out.size; at++) {
        enum err err;

        out.data[at] ^= 1;
        err = answer_read(buf_span(&out), &read);
        assert_true(err == ERR_FORGED || err == ERR_MALFORMED);
        out.data[at] ^= 1;
    }
    for (size_t more = 0; more < 2; more++) {
        buf_clear(&out);
        answer.line = span_of(long_text, THANKS_LINE_SIZE_MAX + more);
        assert_int_equal(answer_say(&answer, &hand.asker, &out), more == 0 ? ERR_OK : ERR_LIMIT);
    }
    answer = (struct answer){.type = ANSWER_LETTER, .letter = span_of(long_text, 1024)};
    assert_int_equal(answer_say(&answer, &hand.asker, &out), ERR_OK);
    answer.letter.size = 1023;
    assert_int_equal(answer_say(&answer, &hand.asker, &out), ERR_LIMIT);
    buf_release(&out);
    buf_release(&hand.identity);
}

/* PROTOCOL ANSWER-3 */
static void answer_letter_counts_in_its_own_thread_only(void **state)
{
    struct hash ask = {{5}}, reply = {{6}}, other = {{7}};
    struct answer_letter letter = {.ask = ask,
                                   .reply = reply,
                                   .at_ms = 3,
                                   .text = span_str("Who is it?"),
                                   .name = span_str("Ana")},
                         read;
    struct answer answer = {.type = ANSWER_LETTER, .ask = ask, .reply = reply};
    struct buf content = {0}, sealed = {0}, plain = {0};
    struct public_key member;
    struct letter inside;
    struct letter_by by;
    bool has_member;
    struct hand hand;

    (void)state;
    reply_hand(&hand);
    by = (struct letter_by){
        .writer = &hand.asker, .device = &hand.device, .identity = buf_span(&hand.identity)};
    assert_int_equal(answer_write(&letter, &content), ERR_OK);
    assert_int_equal(
        letter_seal(&by, buf_span(&content), hand.box.public_key, &hand.entropy, &sealed), ERR_OK);
    answer.letter = buf_span(&sealed);
    answer.asker = hand.asker.public_key;
    assert_int_equal(answer_open(&hand.box, &answer, &plain, &read, &inside, &has_member, &member),
                     ERR_OK);
    assert_true(has_member && public_key_is_equal(&member, &hand.root.public_key));
    assert_true(span_is_equal(read.text, letter.text) && !read.wants_introduction);
    for (int wrong = 0; wrong < 4; wrong++) {
        struct answer bad = answer;

        buf_clear(&plain);
        if (wrong == 0)
            bad.ask = other;
        if (wrong == 1)
            bad.reply = other;
        if (wrong == 3)
            bad.asker = hand.thread.public_key;
        assert_int_equal(answer_open(wrong == 2 ? &hand.asked : &hand.box, &bad, &plain, &read,
                                     &inside, &has_member, &member),
                         ERR_FORGED);
    }
    letter.text = span_of(NULL, 0);
    assert_int_equal(answer_write(&letter, &content), ERR_LIMIT);
    letter.wants_introduction = true;
    assert_int_equal(answer_write(&letter, &content), ERR_OK);
    letter.text = span_of(long_text, REPLY_TEXT_SIZE_MAX);
    assert_int_equal(answer_write(&letter, &content), ERR_OK);
    letter.text.size++;
    assert_int_equal(answer_write(&letter, &content), ERR_LIMIT);
    buf_release(&content);
    buf_release(&sealed);
    buf_release(&plain);
    buf_release(&hand.identity);
}

static void reply_and_answer_survive_the_lack_of_memory(void **state)
{
    struct hand hand;
    bool is_done = false;

    (void)state;
    reply_hand(&hand);
    for (size_t left = 0; !is_done; left++) {
        struct buf letter = {0}, plain = {0};
        struct reply reply = reply_plain(&hand), read;
        struct public_key member;
        bool has_member;
        enum err err;

        assert_true(left < 200);
        reply.name = span_str("Dora");
        heap_failing_after(left);
        err = reply_sealed(&hand, &reply, &letter);
        if (err == ERR_OK)
            err = reply_opened(&hand, buf_span(&letter), &plain, &read, &has_member, &member);
        heap_failing_after(SIZE_MAX);
        assert_true(err == ERR_OK || err == ERR_NOMEM);
        is_done = err == ERR_OK;
        buf_release(&letter);
        buf_release(&plain);
    }
    buf_release(&hand.identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_is_read_by_who_asked_as_it_was_written),
        cmocka_unit_test(letter_is_always_one_of_three_sizes),
        cmocka_unit_test(letter_holds_what_its_size_says_and_no_byte_more),
        cmocka_unit_test(reply_refuses_what_is_beyond_its_bounds),
        cmocka_unit_test(reply_refuses_what_does_not_fit_together),
        cmocka_unit_test(reply_shows_that_it_was_altered),
        cmocka_unit_test(reply_believes_no_name_without_a_proof),
        cmocka_unit_test(reply_takes_no_proof_of_another_letter),
        cmocka_unit_test(reply_is_carried_as_it_is),
        cmocka_unit_test(answer_is_the_askers_alone),
        cmocka_unit_test(answer_letter_counts_in_its_own_thread_only),
        cmocka_unit_test(reply_and_answer_survive_the_lack_of_memory),
    };

    if (secret_start() != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
