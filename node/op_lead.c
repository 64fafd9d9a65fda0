/* A thread is named by its first letter. Both of its sides use the same commands. */
#include "node/op_lead.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/carry.h"
#include "node/describe_lead.h"
#include "node/introduction.h"
#include "node/lead_write.h"
#include "node/name.h"
#include "node/op_introduce.h"
#include "node/op_reply.h"
#include "node/react.h"
#include "node/which.h"
#include "proto/limits.h"
#include "storage/row.h"

enum { OP_LEAD_NAME_SIZE = NAME_SIZE_MAX + 1 };

/* Looking. */

enum err op_lead_list(struct op_call *call)
{
    json_t *leads = describe_leads(call, NULL);

    if (leads == NULL)
        return op_fail_err(call, ERR_NOMEM, "the leads could not be read");
    call->result = json_pack("{s:o}", "leads", leads);
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

/* Finding one by its id, by who answered, or by the title of the ask. */

struct op_lead_search {
    const struct op_call *call;
    struct which which;
    struct id id;
    bool has_names; /* they are looked at, too */
};

static enum err op_lead_on_named(struct op_lead_search *search, const struct id *id,
                                 const struct object *lead)
{
    struct span ask_hash = object_value(lead, LEAD_ASK).bytes;
    char name[OP_LEAD_NAME_SIZE] = "", title[CARRY_TITLE_SIZE] = "";
    struct which_names names = {.names = {name, title},
                                .is_over = object_number(lead, LEAD_THANKED) != 0};
    struct reply reply;
    struct id ask;

    if (ask_hash.size == HASH_SIZE) {
        memcpy(ask.bytes, ask_hash.data, ID_SIZE);
        carry_title(&search->call->snapshot, &ask, title);
    }
    if (object_number(lead, LEAD_IS_ASKED) != 0 &&
        reply_peek(object_value(lead, LEAD_CONTENT).bytes, &reply) == ERR_OK)
        (void)snprintf(name, sizeof name, "%.*s", (int)reply.name.size,
                       reply.name.size > 0 ? (const char *)reply.name.data : "");
    if (which_offer(&search->which, id, &names))
        search->id = *id;
    return ERR_OK;
}

static enum err op_lead_on_found(void *self, const struct thread *thread)
{
    static const struct which_names nameless = {.is_over = false};
    struct op_lead_search *search = self;
    struct object lead = {0};
    enum err err = ERR_OK;
    struct id id;

    reply_object_id(&thread->first, &id);
    if (!search->has_names) {
        if (which_offer(&search->which, &id, &nameless))
            search->id = id;
        return ERR_OK;
    }
    err = view_thread_first(&search->call->snapshot, &thread->first, &lead);
    if (err == ERR_OK)
        err = op_lead_on_named(search, &id, &lead);
    object_release(&lead);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err op_lead_get(struct op_call *call, const struct id *id, struct object *out)
{
    uint32_t number;

    return row_get(&call->snapshot, ledger_self_space(call->snapshot.ledger), KIND_LEAD, id, out,
                   &number);
}

/* The first letter of the thread; to be released. */
static enum err op_lead_find(struct op_call *call, struct object *out)
{
    static const struct which_noun noun = {"lead", "leads", "kith lead list"};
    struct op_lead_search search = {.call = call};
    enum err err = which_begin(op_text(call, "id"), &search.which);

    if (err == ERR_OK && search.which.typed != NULL)
        err = view_thread_each(&call->snapshot, span_str(search.which.typed), op_lead_on_found,
                               &search);
    search.has_names = true;
    if (err == ERR_OK && search.which.typed != NULL && search.which.count == 0)
        err = view_thread_each(&call->snapshot, span_of(NULL, 0), op_lead_on_found, &search);
    if (err != ERR_OK) {
        which_release(&search.which);
        return op_fail_err(call, err, "the leads could not be read");
    }
    err = which_settle(&search.which, call, &noun);
    if (err == ERR_OK)
        err = op_lead_get(call, &search.id, out);
    /* Another device of mine may have told of a thread before its first letter has come. */
    if (err == ERR_NOT_FOUND && call->failure.code == OP_DONE)
        return op_fail(call, OP_NOT_FOUND, noun.hint, "there is no lead %.40s",
                       op_text(call, "id"));
    return err;
}

static enum err op_lead_describe(struct op_call *call, const struct id *id)
{
    struct object lead = {0};
    enum err err = op_lead_get(call, id, &lead);

    if (err == ERR_OK) {
        call->result = describe_lead(call, &lead);
        err = call->result != NULL ? ERR_OK : ERR_NOMEM;
    }
    object_release(&lead);
    return err;
}

enum err op_lead_show(struct op_call *call)
{
    struct object lead = {0};
    enum err err = op_lead_find(call, &lead);

    if (err == ERR_OK)
        err = op_lead_describe(call, &lead.id);
    object_release(&lead);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the lead could not be read");
}

/* Going on. */

/* What to type next in this thread. */
struct op_lead_hint {
    char text[80];
};

static struct op_lead_hint op_lead_hint(const struct object *lead)
{
    struct op_lead_hint hint;
    char id[ID_TEXT_SIZE];

    hex_write(span_of(lead->id.bytes, ID_SIZE), id);
    (void)snprintf(hint.text, sizeof hint.text, "kith lead answer %.12s TEXT", id);
    return hint;
}

static bool op_lead_is_asked(const struct object *lead)
{
    return object_number(lead, LEAD_IS_ASKED) != 0;
}

static enum err op_lead_gone(struct op_call *call, enum err err)
{
    if (err != ERR_NOT_FOUND || call->failure.code != OP_DONE)
        return err;
    return op_fail(call, OP_FAILED, "kith peer list",
                   "nobody is left who could carry it: who brought this is no peer of yours now");
}

/* Whoever asked goes on; by name when everybody knows it, or they want to. */
static enum err op_lead_answer_back(struct op_call *call, const struct object *lead,
                                    struct answer_letter *letter, bool is_named)
{
    struct span ask = object_value(lead, LEAD_ASK).bytes;
    char name[OP_LEAD_NAME_SIZE];
    struct buf plain = {0};
    struct ask_pass pass;
    struct id id;
    enum err err = ask.size == HASH_SIZE ? ERR_OK : ERR_CORRUPT;

    if (err == ERR_OK) {
        memcpy(id.bytes, ask.data, ID_SIZE);
        err = view_ask_own(&call->snapshot, &id, &plain, &pass);
    }
    if (err == ERR_OK && (is_named || pass.ask.naming == ASK_NAMED_ALWAYS)) {
        err = op_reply_my_name(call, name, sizeof name);
        letter->name = span_str(name);
    }
    if (err == ERR_OK)
        err = lead_write_answer(call->txn, lead, letter);
    view_ask_wipe(&plain);
    return op_lead_gone(call, err);
}

/* Who replied goes on, as they began: by name or without. */
static enum err op_lead_write_on(struct op_call *call, const struct object *lead, const char *text)
{
    struct span secret = object_value(lead, LEAD_SECRET).bytes;
    struct lead_draft draft = {.secret = secret.data,
                               .expires_ms = object_number(lead, LEAD_EXPIRES)};
    struct span letter = object_value(lead, LEAD_LETTER).bytes;
    char name[OP_LEAD_NAME_SIZE];
    struct ask_route route;
    struct buf plain = {0};
    struct ask_pass pass;
    struct reply first;
    struct hash id;
    struct id ask;
    enum err err = reply_peek(object_value(lead, LEAD_CONTENT).bytes, &first);

    if (err == ERR_OK && (secret.size != KEY_SIZE || letter.size != HASH_SIZE))
        err = ERR_CORRUPT;
    if (err != ERR_OK)
        return err;
    ask_id(&first.ask, &ask);
    err = view_ask_route(&call->snapshot, &ask, &route);
    if (err == ERR_OK)
        err = view_ask_pass(&call->snapshot, &route, &plain, &pass);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && call->now_ms >= draft.expires_ms))
        err = op_fail(call, OP_FAILED, "kith lead list", "that ask is over; nobody carries it");
    if (err == ERR_OK && first.name.size > 0)
        err = op_reply_my_name(call, name, sizeof name);
    if (err == ERR_OK) {
        draft.reply = (struct reply){.ask = first.ask,
                                     .kind = REPLY_MESSAGE,
                                     .at_ms = call->now_ms,
                                     .has_first = true,
                                     .text = span_str(text)};
        memcpy(draft.reply.first.bytes, letter.data, HASH_SIZE);
        if (first.name.size > 0)
            draft.reply.name = span_str(name);
        draft.reply_key = pass.ask.reply_key;
        err = lead_write_reply(call->txn, &draft, &id);
    }
    view_ask_wipe(&plain);
    return err;
}

static enum err op_lead_finish(struct op_call *call, struct object *lead, enum err err)
{
    if (err == ERR_OK)
        err = react_all(call->txn);
    if (err == ERR_OK)
        err = op_lead_describe(call, &lead->id);
    object_release(lead);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "this could not be written");
}

static enum err op_lead_check_text(struct op_call *call, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return op_fail(call, OP_USAGE, "kith lead answer ID TEXT", "say something");
    if (strlen(text) > REPLY_TEXT_SIZE_MAX)
        return op_fail(call, OP_USAGE, "say it in fewer words", "a message takes up to %d bytes",
                       REPLY_TEXT_SIZE_MAX);
    return ERR_OK;
}

enum err op_lead_answer(struct op_call *call)
{
    const char *text = op_text(call, "text");
    struct answer_letter letter = {.text = span_str(text != NULL ? text : "")};
    struct object lead = {0};
    enum err err = op_lead_find(call, &lead);

    if (err == ERR_OK)
        err = op_lead_check_text(call, text);
    if (err == ERR_OK && op_lead_is_asked(&lead))
        err = op_lead_answer_back(call, &lead, &letter, op_flag(call, "named"));
    else if (err == ERR_OK)
        err = op_lead_write_on(call, &lead, text);
    return op_lead_finish(call, &lead, err);
}

/* Introductions. */

/* Root of who wrote a letter by name; false when they did not. */
static bool op_lead_author(const struct object *letter, struct public_key *out)
{
    struct span proof = object_value(letter, LEAD_PROOF).bytes, body;

    return proof.size > 0 && statement_peek(proof, out, &body) == ERR_OK;
}

static bool op_lead_is_peer(const struct op_call *call, const struct public_key *member)
{
    struct peer *peer = secret_new(sizeof *peer);
    bool is_peer = peer != NULL && introduction_peer(&call->snapshot, member, peer) == ERR_OK &&
                   peer->state == LINK_LINKED;

    secret_free(peer);
    return is_peer;
}

/* Now, in the thread's first letter. */
static enum err op_lead_note(struct op_call *call, const struct object *lead, enum lead_field field)
{
    struct amend amend;

    amend_begin(&amend, call->txn, ledger_self_space(call->snapshot.ledger), KIND_LEAD, &lead->id);
    amend_number(&amend, (uint8_t)field, call->now_ms);
    return amend_end(&amend, NULL);
}

/* Whoever asked says yes; so that they can be introduced, by name. */
static enum err op_lead_say_yes(struct op_call *call, const struct object *lead, const char *text)
{
    struct answer_letter letter = {.wants_introduction = true,
                                   .text = span_str(text != NULL ? text : "")};
    enum err err;

    if (text != NULL && strlen(text) > REPLY_TEXT_SIZE_MAX)
        return op_lead_check_text(call, text);
    err = op_lead_answer_back(call, lead, &letter, true);
    return err == ERR_OK ? op_lead_note(call, lead, LEAD_MEET) : err;
}

/* The newest letter in a thread of mine in which whoever asked gives their name. */
struct op_lead_yes {
    uint64_t at_ms;
    bool is_found;
    struct public_key member;
    char name[OP_LEAD_NAME_SIZE];
};

static enum err op_lead_on_yes(void *self, uint32_t number, const struct object *letter)
{
    struct op_lead_yes *yes = self;
    struct answer_letter answer;
    struct public_key member;

    (void)number;
    if (object_number(letter, LEAD_IS_MINE) != 0 || object_number(letter, LEAD_AT) < yes->at_ms ||
        !op_lead_author(letter, &member) ||
        answer_peek(object_value(letter, LEAD_CONTENT).bytes, &answer) != ERR_OK)
        return ERR_OK;
    yes->is_found = true;
    yes->member = member;
    yes->at_ms = object_number(letter, LEAD_AT);
    (void)snprintf(yes->name, sizeof yes->name, "%.*s", (int)answer.name.size, answer.name.data);
    return ERR_OK;
}

/* Who offered introduces now, by the same op as kith introduce. */
static enum err op_lead_bring_together(struct op_call *call, const struct object *lead,
                                       const struct op_lead_yes *yes, const struct reply *reply)
{
    char did[DID_SIZE], about[DID_SIZE], why[INTRODUCTION_WHY_SIZE_MAX], title[CARRY_TITLE_SIZE];
    struct span named = object_value(lead, LEAD_ABOUT).bytes;
    struct op_call inner = *call;
    struct public_key member;
    struct id ask;
    enum err err;

    if (named.size != 32)
        return ERR_CORRUPT;
    memcpy(member.bytes, named.data, 32);
    identity_did(&member, about);
    identity_did(&yes->member, did);
    ask_id(&reply->ask, &ask);
    carry_title(&call->snapshot, &ask, title);
    (void)snprintf(why, sizeof why, "An ask brought this up: %s", title);
    inner.params = json_pack("{s:s, s:s, s:s}", "a", about, "b", did, "why",
                             op_text(call, "why") != NULL ? op_text(call, "why") : why);
    if (inner.params == NULL)
        return ERR_NOMEM;
    inner.result = NULL;
    err = op_introduce(&inner);
    json_decref(inner.params);
    call->failure = inner.failure;
    if (err == ERR_OK)
        err = op_lead_note(call, lead, LEAD_INTRODUCED);
    if (err == ERR_OK)
        call->result = inner.result;
    else
        json_decref(inner.result);
    return err;
}

static enum err op_lead_carry_out(struct op_call *call, const struct object *lead)
{
    struct span thread = object_value(lead, LEAD_THREAD).bytes;
    struct op_lead_yes yes = {.is_found = false};
    char id[ID_TEXT_SIZE], hint[120];
    struct reply reply;
    enum err err = thread.size == HASH_SIZE ? ERR_OK : ERR_CORRUPT;
    struct hash first;

    if (err == ERR_OK) {
        memcpy(first.bytes, thread.data, HASH_SIZE);
        err = view_thread_letters(&call->snapshot, &first, op_lead_on_yes, &yes);
    }
    if (err == ERR_OK)
        err = reply_peek(object_value(lead, LEAD_CONTENT).bytes, &reply);
    if (err != ERR_OK)
        return err;
    hex_write(span_of(lead->id.bytes, ID_SIZE), id);
    (void)snprintf(hint, sizeof hint, "kith lead show %.12s", id);
    if (!reply.about.offers_introduction)
        return op_fail(call, OP_FAILED, hint, "you offered no introduction in this one");
    if (object_number(lead, LEAD_MEET) == 0)
        return op_fail(call, OP_FAILED, hint, "whoever asked has not said yes to it yet");
    if (!yes.is_found)
        return op_fail(call, OP_FAILED, hint, "whoever asked has not told their name yet");
    (void)snprintf(hint, sizeof hint, "kith peer invite, then kith lead answer %.12s \"kith:1...\"",
                   id);
    if (!op_lead_is_peer(call, &yes.member))
        return op_fail(call, OP_FAILED, hint,
                       "%s and you are not linked: invite them first, in this thread", yes.name);
    return op_lead_bring_together(call, lead, &yes, &reply);
}

enum err op_lead_introduce(struct op_call *call)
{
    const char *text = op_text(call, "message");
    struct object lead = {0};
    struct reply reply;
    enum err err = op_lead_find(call, &lead);

    if (err == ERR_OK)
        err = reply_peek(object_value(&lead, LEAD_CONTENT).bytes, &reply);
    if (err == ERR_OK && !op_lead_is_asked(&lead)) {
        err = op_lead_carry_out(call, &lead);
        object_release(&lead);
        return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "this could not be written");
    }
    if (err == ERR_OK && !reply.about.offers_introduction)
        err = op_fail(call, OP_FAILED, op_lead_hint(&lead).text,
                      "no introduction was offered with this one; you can ask for it");
    if (err == ERR_OK)
        err = op_lead_say_yes(call, &lead, text);
    return op_lead_finish(call, &lead, err);
}

/* Thanks. */

/* Who wrote it by name, and was no peer when it came, has the credit now. */
static enum err op_lead_note_author(struct op_call *call, const struct object *lead,
                                    const struct public_key *author, struct interaction *act)
{
    char title[CARRY_TITLE_SIZE];
    struct interaction credit = *act;
    struct reply reply;
    struct id ask;
    enum err err = reply_peek(object_value(lead, LEAD_CONTENT).bytes, &reply);

    if (err != ERR_OK)
        return err;
    ask_id(&reply.ask, &ask);
    carry_title(&call->snapshot, &ask, title);
    credit.what = reply.kind == REPLY_CHEER ? INTERACTION_CHEERED_ME : INTERACTION_ANSWERED_ME;
    credit.text = span_str(title);
    err = view_interaction_act(call->txn, author, &credit);
    return err == ERR_OK ? view_interaction_act(call->txn, author, act) : err;
}

static enum err op_lead_note_thanks(struct op_call *call, const struct object *lead,
                                    const struct public_key *to, const char *line)
{
    struct interaction act = {.what = INTERACTION_THANKED, .text = span_str(line)};
    struct public_key author;
    char ref[ID_TEXT_SIZE];
    enum err err;

    hex_write(span_of(lead->id.bytes, ID_SIZE), ref);
    act.ref = span_str(ref);
    err = view_interaction_act(call->txn, to, &act);
    if (err == ERR_OK && op_lead_author(lead, &author))
        err = op_lead_note_author(call, lead, &author, &act);
    return err;
}

enum err op_lead_thanks(struct op_call *call)
{
    const char *line = op_text(call, "text") != NULL ? op_text(call, "text") : "";
    struct object lead = {0};
    struct public_key to;
    enum err err = op_lead_find(call, &lead);

    if (err == ERR_OK && !op_lead_is_asked(&lead))
        err = op_fail(call, OP_FAILED, op_lead_hint(&lead).text,
                      "this answers somebody else's ask: thanks are theirs to give");
    if (err == ERR_OK && object_number(&lead, LEAD_THANKED) != 0)
        err = op_fail(call, OP_FAILED, op_lead_hint(&lead).text, "you have thanked for it before");
    if (err == ERR_OK && strlen(line) > THANKS_LINE_SIZE_MAX)
        err = op_fail(call, OP_USAGE, "say it in fewer words",
                      "thanks take up to %d bytes, as everybody on the way reads them",
                      THANKS_LINE_SIZE_MAX);
    if (err == ERR_OK)
        err = op_lead_gone(call, lead_write_thanks(call->txn, &lead, span_str(line), &to));
    if (err == ERR_OK)
        err = op_lead_note_thanks(call, &lead, &to, line);
    return op_lead_finish(call, &lead, err);
}

/* Counting. */

struct op_lead_status {
    const struct op_call *call;
    json_int_t words, introductions;
};

static enum err op_lead_on_status(void *self, const struct thread *thread)
{
    struct op_lead_status *status = self;
    struct object lead = {0};
    enum err err = view_thread_first(&status->call->snapshot, &thread->first, &lead);

    if (err == ERR_OK) {
        enum describe_lead_waits waits = describe_lead_waits(status->call, thread, &lead, NULL);

        status->words += waits == DESCRIBE_LEAD_WAITS_WORD;
        status->introductions += waits == DESCRIBE_LEAD_WAITS_INTRODUCTION;
    }
    object_release(&lead);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err op_lead_status(struct op_call *call)
{
    struct op_lead_status status = {.call = call};
    enum err err = view_thread_each(&call->snapshot, span_of(NULL, 0), op_lead_on_status, &status);

    (void)json_object_set_new(call->result, "leads",
                              json_pack("{s:I, s:I}", "waiting_for_me", status.words,
                                        "introductions_wanted", status.introductions));
    return err;
}
