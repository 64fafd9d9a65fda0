/* What is kept is what was verified: content and proof, byte for byte. */
#include "node/lead.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/introduction.h"
#include "proto/limits.h"
#include "storage/fold.h"
#include "storage/retire_table.h"
#include "storage/row.h"
#include "storage/standing.h"
#include "storage/view_interaction.h"

enum { LEAD_TEXT_SIZE = CARRY_TITLE_SIZE + THANKS_LINE_SIZE_MAX + NAME_SIZE_MAX + 80 };

/* A reply to my ask, opened. */
struct lead_reply {
    struct buf plain;
    struct reply reply;
    struct letter letter;
    bool has_member;
    struct public_key member;
};

static bool lead_is_hash(struct span bytes, const struct hash *hash)
{
    return span_is_equal(bytes, span_of(hash->bytes, HASH_SIZE));
}

static enum err lead_get(const struct snapshot *snapshot, const struct hash *letter,
                         struct object *out)
{
    uint32_t number;
    struct id id;
    enum err err;

    reply_object_id(letter, &id);
    err = row_get(snapshot, ledger_self_space(snapshot->ledger), KIND_LEAD, &id, out, &number);
    return err == ERR_OK && !object_is_visible(out) ? ERR_NOT_FOUND : err;
}

static void lead_begin(struct carry *carry, const struct hash *letter, struct amend *out)
{
    struct id id;

    reply_object_id(letter, &id);
    amend_begin(out, carry->txn, ledger_self_space(carry->snapshot.ledger), KIND_LEAD, &id);
}

/* Credit for this reply on somebody's timeline. */
static enum err lead_credit(struct carry *carry, const struct public_key *member,
                            enum interaction_what what, struct span ref_id, struct span text)
{
    struct interaction act = {.what = what, .text = text};
    char ref[ID_TEXT_SIZE];

    hex_write(ref_id, ref);
    act.ref = span_str(ref);
    return view_interaction_act(carry->txn, member, &act);
}

/* Replies to my ask. */

/* PROTOCOL REPLY-4: "A message counts when its thread key is that of the letter it names; it waits
 * for that letter when it comes first." */
static enum err lead_check_thread(const struct carry *carry, const struct reply *reply)
{
    struct object first = {0};
    struct reply began;
    enum err err = lead_get(&carry->snapshot, &reply->first, &first);

    if (err == ERR_OK &&
        (!lead_is_hash(object_value(&first, LEAD_ASK).bytes, &reply->ask) ||
         object_number(&first, LEAD_IS_MINE) != 0 || object_number(&first, LEAD_IS_ASKED) == 0))
        err = ERR_FORGED;
    if (err == ERR_OK)
        err = reply_peek(object_value(&first, LEAD_CONTENT).bytes, &began);
    if (err == ERR_OK && (began.has_first || !public_key_is_equal(&began.thread, &reply->thread)))
        err = ERR_FORGED;
    object_release(&first);
    return err == ERR_NOT_FOUND ? ERR_STATE : err;
}

/* PROTOCOL LETTER-5: "A name proved by one of the devices of ASK-7 is none, and the letter is
 * refused." */
static enum err lead_check_signer(const struct carry *carry, const struct letter *letter)
{
    enum standing standing = STANDING_GOOD;
    struct device_keys by = {.count = 0};
    bool has_any = false;
    enum err err = retire_table_has_any(&carry->snapshot, &has_any);

    if (err == ERR_OK && has_any)
        err = letter_signers(letter, &by);
    if (err == ERR_OK)
        err = standing_of_signer(&carry->snapshot, &by, &standing);
    return err == ERR_OK && standing >= STANDING_STOLEN ? ERR_INVALID : err;
}

static enum err lead_open(struct carry *carry, struct span letter, struct lead_reply *out)
{
    struct exchange_key *key = secret_new(sizeof *key);
    uint8_t *seed = secret_new(SEED_SIZE);
    struct buf own = {0};
    struct ask_pass pass;
    enum err err = key != NULL && seed != NULL
                       ? view_ask_reply_secret(&carry->snapshot, &carry->row.ask, seed)
                       : ERR_NOMEM;

    if (err == ERR_OK)
        err = view_ask_own(&carry->snapshot, &carry->row.ask, &own, &pass);
    if (err == ERR_NOT_FOUND)
        err = ERR_FORGED;
    if (err == ERR_OK) {
        identity_exchange_key(seed, key);
        err = reply_open(key, &pass.hash, letter, &out->plain, &out->reply, &out->letter,
                         &out->has_member, &out->member);
    }
    if (err == ERR_OK && out->reply.has_first)
        err = lead_check_thread(carry, &out->reply);
    if (err == ERR_OK)
        err = lead_check_signer(carry, &out->letter);
    view_ask_wipe(&own);
    secret_free(key);
    secret_free(seed);
    return err;
}

static enum err lead_keep_reply(struct carry *carry, const struct lead_reply *opened)
{
    const struct reply *reply = &opened->reply;
    const struct hash *thread = reply->has_first ? &reply->first : &carry->row.id;
    struct amend amend;

    lead_begin(carry, &carry->row.id, &amend);
    amend_bytes(&amend, LEAD_ASK, span_of(reply->ask.bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_THREAD, span_of(thread->bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_LETTER, span_of(carry->row.id.bytes, HASH_SIZE));
    amend_number(&amend, LEAD_IS_ASKED, 1);
    amend_bytes(&amend, LEAD_CONTENT, opened->letter.content);
    if (opened->has_member)
        amend_bytes(&amend, LEAD_PROOF, opened->letter.proof);
    amend_bytes(&amend, LEAD_THROUGH, span_of(carry->row.from.bytes, 32));
    if (amend.is_new)
        amend_number(&amend, LEAD_AT, carry->now_ms);
    return amend_end(&amend, NULL);
}

/* Whoever handed it to me has the credit; so has who wrote it, when I know them. */
static enum err lead_credit_reply(struct carry *carry, const struct lead_reply *opened,
                                  const char *title)
{
    bool is_cheer = opened->reply.kind == REPLY_CHEER;
    bool is_theirs = opened->has_member && public_key_is_equal(&opened->member, &carry->row.from);
    struct span text = span_str(title), lead = span_of(carry->row.id.bytes, ID_SIZE);
    struct span ask = span_of(carry->row.ask.bytes, ID_SIZE);
    enum err err = ERR_OK;

    if (opened->reply.kind == REPLY_MESSAGE)
        return ERR_OK;
    if (!is_theirs)
        err = lead_credit(carry, &carry->row.from, INTERACTION_PASSED_MINE, ask, text);
    if (err == ERR_OK && opened->has_member)
        err = lead_credit(carry, &opened->member,
                          is_cheer ? INTERACTION_CHEERED_ME : INTERACTION_ANSWERED_ME, lead, text);
    return err;
}

static enum err lead_tell_reply(struct carry *carry, const struct lead_reply *opened,
                                const char *title)
{
    static const char *const whats[] = {"a lead", "an offer of help", "a cheer", "a message"};
    const struct reply *reply = &opened->reply;
    struct span name = fold_is_seen(reply->name) ? reply->name : span_str("");
    char text[LEAD_TEXT_SIZE];

    (void)snprintf(text, sizeof text, "brought %s about \"%s\"%s%.*s", whats[reply->kind - 1],
                   title, name.size > 0 ? ", by " : "", (int)name.size, (const char *)name.data);
    return carry_journal(carry, "lead", &carry->row.from, text);
}

/* Nobody learns that they are blocked, and nothing of theirs is shown. */
static enum err lead_is_blocked(struct carry *carry, const struct lead_reply *opened, bool *out)
{
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? ERR_OK : ERR_NOMEM;

    *out = false;
    if (err == ERR_OK && opened->has_member) {
        err = introduction_peer(&carry->snapshot, &opened->member, peer);
        *out = err == ERR_OK && peer->state == LINK_BLOCKED;
    }
    secret_free(peer);
    return err;
}

enum err lead_take_reply(struct carry *carry, struct span letter)
{
    struct lead_reply opened = {.has_member = false};
    char title[CARRY_TITLE_SIZE];
    bool is_blocked = false;
    enum err err = lead_open(carry, letter, &opened);

    if (err == ERR_OK)
        err = lead_is_blocked(carry, &opened, &is_blocked);
    if (err != ERR_OK || is_blocked) {
        view_ask_wipe(&opened.plain);
        return err;
    }
    err = lead_keep_reply(carry, &opened);
    if (err == ERR_OK) {
        carry_title(&carry->snapshot, &carry->row.ask, title);
        err = lead_tell_reply(carry, &opened, title);
    }
    if (err == ERR_OK)
        err = lead_credit_reply(carry, &opened, title);
    if (err == ERR_OK && !opened.reply.has_first)
        err = view_reply_waiting_due(carry->txn); /* Letters that go on with it may have come. */
    view_ask_wipe(&opened.plain);
    return err;
}

/* Answers to my reply. */

static enum err lead_take_thanks(struct carry *carry, const struct answer *answer,
                                 const struct public_key *by)
{
    char title[CARRY_TITLE_SIZE], text[LEAD_TEXT_SIZE];
    struct span lead = span_of(carry->row.id.bytes, ID_SIZE);
    struct amend amend;
    enum err err;

    if (carry->row.is_thanked)
        return ERR_OK;
    carry->row.is_thanked = true;
    lead_begin(carry, &carry->row.id, &amend);
    amend_number(&amend, LEAD_THANKED, carry->now_ms);
    amend_text(&amend, LEAD_THANKS, answer->line);
    err = amend_end(&amend, NULL);
    carry_title(&carry->snapshot, &carry->row.ask, title);
    (void)snprintf(text, sizeof text, "brings thanks for your answer to \"%s\"%s%.*s", title,
                   answer->line.size > 0 ? ": " : "", (int)answer->line.size,
                   answer->line.size > 0 ? (const char *)answer->line.data : "");
    if (err == ERR_OK)
        err = carry_journal(carry, "thanks", by, text);
    return err == ERR_OK ? lead_credit(carry, by, INTERACTION_THANKED_ME, lead, answer->line) : err;
}

static enum err lead_open_answer(const struct carry *carry, const struct answer *answer,
                                 struct buf *plain, struct answer_letter *out,
                                 struct letter *out_letter, bool *out_has_member)
{
    struct span secret = object_value(&carry->own, LEAD_SECRET).bytes;
    struct signing_key *thread = secret_new(sizeof *thread);
    struct exchange_key *box = secret_new(sizeof *box);
    struct public_key member;
    enum err err = thread != NULL && box != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK && secret.size != KEY_SIZE)
        err = ERR_FORGED;
    if (err == ERR_OK) {
        reply_keys(secret.data, thread, box);
        err = answer_open(box, answer, plain, out, out_letter, out_has_member, &member);
    }
    if (err == ERR_OK)
        err = lead_check_signer(carry, out_letter);
    secret_free(thread);
    secret_free(box);
    return err;
}

static enum err lead_keep_answer(struct carry *carry, const struct answer *answer,
                                 const struct letter *letter, const struct public_key *by)
{
    struct amend amend;
    struct hash id;

    letter_id(answer->letter, &id);
    lead_begin(carry, &id, &amend);
    amend_bytes(&amend, LEAD_ASK, span_of(answer->ask.bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_THREAD, span_of(answer->reply.bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_LETTER, span_of(id.bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_CONTENT, letter->content);
    if (letter->proof.size > 0)
        amend_bytes(&amend, LEAD_PROOF, letter->proof);
    amend_bytes(&amend, LEAD_THROUGH, span_of(by->bytes, 32));
    if (amend.is_new)
        amend_number(&amend, LEAD_AT, carry->now_ms);
    return amend_end(&amend, NULL);
}

static enum err lead_note_meet(struct carry *carry)
{
    struct amend amend;

    lead_begin(carry, &carry->row.id, &amend);
    amend_number(&amend, LEAD_MEET, carry->now_ms);
    return amend_end(&amend, NULL);
}

static enum err lead_take_letter(struct carry *carry, const struct answer *answer,
                                 const struct public_key *by)
{
    char title[CARRY_TITLE_SIZE], text[LEAD_TEXT_SIZE];
    struct answer_letter inside;
    struct letter letter;
    struct buf plain = {0};
    bool has_member;
    enum err err = lead_open_answer(carry, answer, &plain, &inside, &letter, &has_member);

    if (err == ERR_OK)
        err = lead_keep_answer(carry, answer, &letter, by);
    if (err == ERR_OK && inside.wants_introduction)
        err = lead_note_meet(carry);
    if (err == ERR_OK) {
        carry_title(&carry->snapshot, &carry->row.ask, title);
        (void)snprintf(text, sizeof text, "brought %s about \"%s\"",
                       inside.wants_introduction ? "a yes to the introduction you offered"
                                                 : "a message",
                       title);
        err = carry_journal(carry, "lead", by, text);
    }
    view_ask_wipe(&plain);
    return err;
}

enum err lead_take_answer(struct carry *carry, const struct answer *answer,
                          const struct public_key *by)
{
    return answer->type == ANSWER_THANKS ? lead_take_thanks(carry, answer, by)
                                         : lead_take_letter(carry, answer, by);
}
