/* The letter as it travels is kept beside its content: a spare way may need it later. */
#include "node/lead_write.h"

#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/ask.h"
#include "node/introduction.h"
#include "proto/limits.h"
#include "storage/view_reply.h"

static void lead_write_begin(struct ledger_txn *txn, const struct hash *id, struct amend *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct id object;

    reply_object_id(id, &object);
    amend_begin(out, txn, ledger_self_space(snapshot.ledger), KIND_LEAD, &object);
}

/* Signs by name where the letter gives one. */
static enum err lead_write_seal(struct ledger_txn *txn, const struct signing_key *writer,
                                bool is_named, struct span content,
                                const uint8_t recipient[static KEY_SIZE], struct buf *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct letter_by by = {.writer = writer};
    struct buf identity = {0};
    enum err err = is_named ? view_identity(&snapshot, &identity) : ERR_OK;

    if (is_named) {
        by.device = ledger_signing_key(snapshot.ledger);
        by.identity = buf_span(&identity);
    }
    if (err == ERR_OK)
        err = letter_seal(&by, content, recipient, ledger_entropy(snapshot.ledger), out);
    buf_release(&identity);
    return err;
}

/* Replies. */

static enum err lead_write_keep(struct ledger_txn *txn, const struct lead_draft *draft,
                                const struct hash *id, struct span content, struct span sealed)
{
    const struct hash *thread = draft->reply.has_first ? &draft->reply.first : id;
    struct amend amend;

    lead_write_begin(txn, id, &amend);
    amend_bytes(&amend, LEAD_ASK, span_of(draft->reply.ask.bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_THREAD, span_of(thread->bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_LETTER, span_of(id->bytes, HASH_SIZE));
    amend_number(&amend, LEAD_IS_MINE, 1);
    amend_bytes(&amend, LEAD_CONTENT, content);
    amend_number(&amend, LEAD_AT, ledger_txn_now_ms(txn));
    if (!draft->reply.has_first)
        amend_bytes(&amend, LEAD_SECRET, span_of(draft->secret, KEY_SIZE));
    amend_bytes(&amend, LEAD_SEALED, sealed);
    amend_number(&amend, LEAD_EXPIRES, draft->expires_ms);
    return amend_end(&amend, NULL);
}

enum err lead_write_reply(struct ledger_txn *txn, struct lead_draft *draft, struct hash *out_id)
{
    struct signing_key *thread = secret_new(sizeof *thread);
    struct exchange_key *box = secret_new(sizeof *box);
    struct buf content = {0}, sealed = {0};
    enum err err = thread != NULL && box != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK) {
        reply_keys(draft->secret, thread, box);
        draft->reply.thread = thread->public_key;
        memcpy(draft->reply.box, box->public_key, KEY_SIZE);
        err = reply_write(&draft->reply, &content);
    }
    if (err == ERR_OK)
        err = lead_write_seal(txn, thread, draft->reply.name.size > 0, buf_span(&content),
                              draft->reply_key, &sealed);
    if (err == ERR_OK) {
        letter_id(buf_span(&sealed), out_id);
        err = lead_write_keep(txn, draft, out_id, buf_span(&content), buf_span(&sealed));
    }
    secret_free(thread);
    secret_free(box);
    view_ask_wipe(&content);
    buf_release(&sealed);
    return err;
}

/* Answers. */

/* Of those who brought the reply the first who is a peer. */
struct lead_write_way {
    struct snapshot snapshot;
    struct public_key to;
    uint64_t arrival;
    bool is_found;
};

static enum err lead_write_try(struct lead_write_way *way, const struct public_key *member,
                               uint64_t arrival)
{
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? introduction_peer(&way->snapshot, member, peer) : ERR_NOMEM;

    if (err == ERR_OK && peer->state == LINK_LINKED && peer->has_pair_out &&
        (!way->is_found || arrival < way->arrival)) {
        way->to = *member;
        way->arrival = arrival;
        way->is_found = true;
    }
    secret_free(peer);
    return err;
}

static enum err lead_write_on_brought(void *self, const struct reply_brought *brought)
{
    return brought->kind == KIND_REPLY ? lead_write_try(self, &brought->by, brought->arrival)
                                       : ERR_OK;
}

static enum err lead_write_find_way(struct ledger_txn *txn, const struct object *lead,
                                    struct lead_write_way *out)
{
    struct span through = object_value(lead, LEAD_THROUGH).bytes;
    struct span letter = object_value(lead, LEAD_LETTER).bytes;
    struct public_key member;
    struct hash id;
    enum err err = ERR_OK;

    *out = (struct lead_write_way){.snapshot = ledger_txn_snapshot(txn)};
    if (through.size == 32) {
        memcpy(member.bytes, through.data, 32);
        err = lead_write_try(out, &member, 0);
    }
    if (err == ERR_OK && letter.size == HASH_SIZE) {
        memcpy(id.bytes, letter.data, HASH_SIZE);
        err = view_reply_brought(&out->snapshot, &id, lead_write_on_brought, out);
    }
    return err == ERR_OK && !out->is_found ? ERR_NOT_FOUND : err;
}

/* The ask's own key. ERR_NOT_FOUND: the ask is not mine, or gone. */
static enum err lead_write_asker(struct ledger_txn *txn, const struct object *lead,
                                 struct signing_key *out_key, struct answer *answer)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span ask = object_value(lead, LEAD_ASK).bytes;
    struct span letter = object_value(lead, LEAD_LETTER).bytes;
    struct buf plain = {0};
    struct ask_pass pass;
    struct id id;
    enum err err = ask.size == HASH_SIZE && letter.size == HASH_SIZE ? ERR_OK : ERR_NOT_FOUND;

    if (err == ERR_OK) {
        memcpy(id.bytes, ask.data, ID_SIZE);
        memcpy(answer->reply.bytes, letter.data, HASH_SIZE);
        err = view_ask_own(&snapshot, &id, &plain, &pass);
    }
    if (err == ERR_OK) {
        identity_signing_key(pass.secret.data, out_key);
        ask_hash_body(pass.body, &answer->body);
        answer->ask = pass.hash;
        answer->asker = out_key->public_key;
        answer->at_ms = ledger_txn_now_ms(txn);
    }
    view_ask_wipe(&plain);
    return err;
}

static enum err lead_write_say(struct ledger_txn *txn, const struct lead_write_way *way,
                               const struct answer *answer, const struct signing_key *asker)
{
    uint64_t expires_ms = ledger_txn_now_ms(txn) + ANSWER_KEEP_DAYS * MS_PER_DAY;
    struct buf bytes = {0};
    enum err err = answer_say(answer, asker, &bytes);

    if (err == ERR_OK)
        err = ask_say(txn, &way->to, KIND_ANSWER, buf_span(&bytes), expires_ms);
    buf_release(&bytes);
    return err == ERR_OK ? ledger_follow(txn) : err;
}

static enum err lead_write_keep_answer(struct ledger_txn *txn, const struct answer *answer,
                                       const struct lead_write_way *way, struct span content)
{
    struct amend amend;
    struct hash id;

    letter_id(answer->letter, &id);
    lead_write_begin(txn, &id, &amend);
    amend_bytes(&amend, LEAD_ASK, span_of(answer->ask.bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_THREAD, span_of(answer->reply.bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_LETTER, span_of(id.bytes, HASH_SIZE));
    amend_number(&amend, LEAD_IS_MINE, 1);
    amend_number(&amend, LEAD_IS_ASKED, 1);
    amend_bytes(&amend, LEAD_CONTENT, content);
    amend_bytes(&amend, LEAD_THROUGH, span_of(way->to.bytes, 32));
    amend_number(&amend, LEAD_AT, ledger_txn_now_ms(txn));
    return amend_end(&amend, NULL);
}

enum err lead_write_answer(struct ledger_txn *txn, const struct object *lead,
                           struct answer_letter *letter)
{
    struct signing_key *asker = secret_new(sizeof *asker);
    struct answer answer = {.type = ANSWER_LETTER};
    struct buf content = {0}, sealed = {0};
    struct lead_write_way way;
    struct reply first;
    enum err err = asker != NULL ? lead_write_find_way(txn, lead, &way) : ERR_NOMEM;

    if (err == ERR_OK)
        err = lead_write_asker(txn, lead, asker, &answer);
    if (err == ERR_OK)
        err = reply_peek(object_value(lead, LEAD_CONTENT).bytes, &first);
    if (err == ERR_OK) {
        letter->ask = answer.ask;
        letter->reply = answer.reply;
        letter->at_ms = answer.at_ms;
        err = answer_write(letter, &content);
    }
    if (err == ERR_OK)
        err = lead_write_seal(txn, asker, letter->name.size > 0, buf_span(&content), first.box,
                              &sealed);
    answer.letter = buf_span(&sealed);
    if (err == ERR_OK)
        err = lead_write_keep_answer(txn, &answer, &way, buf_span(&content));
    if (err == ERR_OK)
        err = lead_write_say(txn, &way, &answer, asker);
    secret_free(asker);
    view_ask_wipe(&content);
    buf_release(&sealed);
    return err;
}

enum err lead_write_thanks(struct ledger_txn *txn, const struct object *lead, struct span line,
                           struct public_key *out_to)
{
    struct signing_key *asker = secret_new(sizeof *asker);
    struct answer answer = {.type = ANSWER_THANKS, .line = line};
    struct lead_write_way way;
    struct amend amend;
    enum err err = asker != NULL ? lead_write_find_way(txn, lead, &way) : ERR_NOMEM;

    if (err == ERR_OK)
        err = lead_write_asker(txn, lead, asker, &answer);
    if (err == ERR_OK)
        err = lead_write_say(txn, &way, &answer, asker);
    if (err == ERR_OK) {
        lead_write_begin(txn, &answer.reply, &amend);
        amend_number(&amend, LEAD_THANKED, answer.at_ms);
        amend_text(&amend, LEAD_THANKS, line);
        err = amend_end(&amend, NULL);
        *out_to = way.to;
    }
    secret_free(asker);
    return err;
}
