/* Nothing of a third person goes out but the name, and what was chosen by hand. */
#include "node/op_reply.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/describe_lead.h"
#include "node/introduction.h"
#include "node/lead_write.h"
#include "node/name.h"
#include "node/op_ask.h"
#include "node/react.h"
#include "proto/contact.h"
#include "proto/limits.h"
#include "storage/row.h"

static const char op_reply_usage[] = "kith ask reply ID --text TEXT";

struct op_reply {
    struct op_call *call;
    struct ask_row row;
    struct ask_route route;
    struct buf plain;
    struct ask_pass pass;
    struct lead_draft draft;
    struct name_match about;
    json_t *about_person; /* what facts borrow from */
    char name[NAME_SIZE_MAX + 1];
    bool is_rehearsal; /* only to see what will be asked of the owner */
    bool must_ask;     /* whether whoever it names has agreed */
};

enum err op_reply_my_name(const struct op_call *call, char *out, size_t out_size)
{
    const struct public_key *me = ledger_member(call->snapshot.ledger);
    struct space_row space;
    const char *name = NULL;
    json_t *card = NULL;
    char did[DID_SIZE];
    enum err err = ledger_own_space(&call->snapshot, SPACE_CARD, &space);

    identity_did(me, did);
    if (err == ERR_OK)
        card = describe_card(call, &space.id, me);
    name = json_string_value(json_object_get(card, "name"));
    (void)snprintf(out, out_size, "%s", name != NULL && name[0] != '\0' ? name : did);
    json_decref(card);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* The ask. */

static enum err op_reply_find(struct op_reply *plan)
{
    struct op_call *call = plan->call;
    bool is_over = false;
    enum err err = op_ask_find(call, op_text(call, "id"), &plan->row);

    if (err != ERR_OK)
        return err;
    if (plan->row.state == ASK_STATE_MINE)
        return op_fail(call, OP_USAGE, "kith lead list", "that is your own ask");
    err = view_ask_is_over(&call->snapshot, &plan->row, call->now_ms, &is_over);
    if (err == ERR_OK && (is_over || plan->row.closed != 0))
        return op_fail(call, OP_FAILED, "kith ask list", "that ask is over; nobody waits for it");
    if (err == ERR_OK)
        err = view_ask_route(&call->snapshot, &plan->row.id, &plan->route);
    if (err == ERR_OK)
        err = view_ask_pass(&call->snapshot, &plan->route, &plan->plain, &plan->pass);
    if (err == ERR_NOT_FOUND)
        return op_fail(call, OP_FAILED, "kith ask list", "what that ask said is gone");
    return err;
}

/* The words. */

static enum err op_reply_words(struct op_reply *plan)
{
    struct op_call *call = plan->call;
    const char *text = op_text(call, "text"), *kind = op_text(call, "kind");
    struct reply *reply = &plan->draft.reply;
    enum err err;

    if (text == NULL || text[0] == '\0')
        return op_fail(call, OP_USAGE, op_reply_usage, "say something: --text TEXT");
    if (strlen(text) > REPLY_TEXT_SIZE_MAX)
        return op_fail(call, OP_USAGE, "say it in fewer words", "a reply takes up to %d bytes",
                       REPLY_TEXT_SIZE_MAX);
    reply->kind = REPLY_LEAD;
    for (uint64_t at = REPLY_LEAD; kind != NULL && at <= REPLY_MESSAGE; at++) {
        if (at == REPLY_MESSAGE)
            return op_fail(call, OP_USAGE, "--kind lead, --kind offer-help or --kind cheer",
                           "\"%.40s\" is no kind of reply", kind);
        reply->kind = (enum reply_kind)at;
        if (strcmp(kind, reply_kind_name(at)) == 0)
            break;
    }
    reply->text = span_str(text);
    reply->at_ms = call->now_ms;
    reply->ask = plan->pass.hash;
    if (op_flag(call, "unnamed"))
        return ERR_OK;
    err = op_reply_my_name(call, plan->name, sizeof plan->name);
    reply->name = span_str(plan->name);
    return err;
}

/* Whom it names. */

static const struct {
    const char *name, *key;
    uint8_t field;
} op_reply_shares[] = {{"org", "org", CONTACT_ORG},       {"title", "title", CONTACT_TITLE},
                       {"place", "place", CONTACT_PLACE}, {"email", "emails", CONTACT_EMAILS},
                       {"tel", "phones", CONTACT_PHONES}, {"url", "urls", CONTACT_URLS}};

static enum err op_reply_add_fact(struct op_reply *plan, uint8_t field, json_t *value)
{
    struct reply_about *about = &plan->draft.reply.about;
    size_t size = json_string_length(value);

    if (size == 0)
        return ERR_OK;
    if (about->facts_count == REPLY_FACTS_MAX || size > REPLY_FACT_SIZE_MAX)
        return op_fail(plan->call, OP_USAGE, "share less with --share",
                       "a reply tells up to %d things of %d bytes about somebody", REPLY_FACTS_MAX,
                       REPLY_FACT_SIZE_MAX);
    about->facts[about->facts_count++] =
        (struct reply_fact){field, span_of(json_string_value(value), size)};
    return ERR_OK;
}

static enum err op_reply_share(struct op_reply *plan, const char *what)
{
    enum err err = ERR_OK;
    size_t at = 0, index;
    json_t *value, *one;

    while (at < 6 && strcmp(op_reply_shares[at].name, what) != 0)
        at++;
    if (at == 6)
        return op_fail(plan->call, OP_USAGE, "--share org, title, place, email, tel or url",
                       "\"%.40s\" cannot be shared in a reply", what);
    value = json_object_get(plan->about_person, op_reply_shares[at].key);
    if (json_is_string(value))
        return op_reply_add_fact(plan, op_reply_shares[at].field, value);
    json_array_foreach(value, index, one)
    {
        if (err == ERR_OK)
            err = op_reply_add_fact(plan, op_reply_shares[at].field, one);
    }
    return err;
}

/* Who is no peer of mine has not said yes to being named by kith: did the owner ask? */
static enum err op_reply_consent(struct op_reply *plan, const char *who, bool *out_is_peer)
{
    struct op_call *call = plan->call;
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK)
        err = introduction_peer(&call->snapshot, &plan->about.member, peer);
    *out_is_peer = err == ERR_OK && plan->about.has_member && peer->state == LINK_LINKED;
    secret_free(peer);
    plan->must_ask = err == ERR_OK && !*out_is_peer && !op_flag(call, "asked");
    if (plan->must_ask && !plan->is_rehearsal)
        err = op_fail(call, OP_AMBIGUOUS,
                      "the same with --asked once they agreed, or without --about",
                      "%s is not on kith with you: have you asked them?", who);
    return err;
}

static enum err op_reply_about(struct op_reply *plan)
{
    struct op_call *call = plan->call;
    const char *who = op_text(call, "about");
    json_t *shares = op_list(call, "share"), *share;
    struct reply_about *about = &plan->draft.reply.about;
    bool is_peer = false;
    size_t at;
    enum err err;

    if (who == NULL) {
        if (op_flag(call, "introduce") || json_array_size(shares) > 0)
            return op_fail(call, OP_USAGE, "kith ask reply ID --text TEXT --about WHO",
                           "say whom it is about: --about WHO");
        return ERR_OK;
    }
    if (strlen(who) > NAME_SIZE_MAX)
        return op_fail(call, OP_USAGE, "--about WHO", "a name takes up to %d bytes", NAME_SIZE_MAX);
    err = name_find(call, who, &plan->about);
    if (err == ERR_NOT_FOUND && json_array_size(shares) == 0) { /* Somebody by name alone. */
        call->failure = (struct op_failure){.code = OP_DONE};
        plan->about = (struct name_match){.has_member = false};
        (void)snprintf(plan->about.shown, sizeof plan->about.shown, "%s", who);
        err = ERR_OK;
    }
    if (err == ERR_OK)
        err = op_reply_consent(plan, plan->about.shown, &is_peer);
    if (err == ERR_OK && op_flag(call, "introduce") && (!is_peer || op_flag(call, "unnamed")))
        err = op_fail(call, OP_USAGE, "kith peer list",
                      is_peer ? "who stays unnamed cannot introduce anybody"
                              : "%s is no peer of yours: you cannot introduce them by kith yet",
                      plan->about.shown);
    if (err != ERR_OK)
        return err;
    about->name = span_str(plan->about.shown);
    about->offers_introduction = op_flag(call, "introduce");
    if (is_peer)
        plan->draft.about = &plan->about.member;
    if (plan->about.has_contact)
        plan->about_person = describe_contact_numbered(call, plan->about.number);
    json_array_foreach(shares, at, share)
    {
        if (err == ERR_OK)
            err = op_reply_share(plan, json_string_value(share));
    }
    return err;
}

/* Writing. */

/* Whoever asked when they are a peer of mine, else who passed it to me. */
static struct public_key op_reply_whom(const struct op_reply *plan)
{
    struct peer *peer = secret_new(sizeof *peer);
    struct public_key whom = plan->route.from;
    struct ask_signer author;

    if (peer != NULL && plan->pass.author.size > 0 &&
        ask_author_peek(plan->pass.author, &author) == ERR_OK &&
        introduction_peer(&plan->call->snapshot, &author.member, peer) == ERR_OK &&
        peer->state == LINK_LINKED)
        whom = author.member;
    secret_free(peer);
    return whom;
}

static enum err op_reply_note(struct op_reply *plan)
{
    struct op_call *call = plan->call;
    bool is_cheer = plan->draft.reply.kind == REPLY_CHEER;
    struct interaction act = {.what = is_cheer ? INTERACTION_CHEERED : INTERACTION_ANSWERED,
                              .text = plan->pass.ask.title};
    struct public_key whom = op_reply_whom(plan);
    char ref[ID_TEXT_SIZE];
    struct amend amend;
    enum err err;

    amend_begin(&amend, call->txn, ledger_self_space(call->snapshot.ledger), KIND_HEARD,
                &plan->row.id);
    amend_number(&amend, HEARD_ANSWERED, call->now_ms);
    err = amend_end(&amend, NULL);
    if (err == ERR_OK)
        err = op_ask_welcome(call, &plan->row.id, true);
    hex_write(span_of(plan->row.id.bytes, ID_SIZE), ref);
    act.ref = span_str(ref);
    return err == ERR_OK ? view_interaction_act(call->txn, &whom, &act) : err;
}

static enum err op_reply_answer(struct op_call *call, const struct hash *id)
{
    struct object lead = {0};
    struct id object;
    uint32_t number;
    enum err err;

    reply_object_id(id, &object);
    err = row_get(&call->snapshot, ledger_self_space(call->snapshot.ledger), KIND_LEAD, &object,
                  &lead, &number);
    if (err == ERR_OK) {
        call->result = describe_lead(call, &lead);
        err = call->result != NULL ? ERR_OK : ERR_NOMEM;
    }
    object_release(&lead);
    return err;
}

enum err op_reply_plan(struct op_call *call)
{
    struct op_reply plan = {.call = call, .is_rehearsal = true};
    enum err err = op_reply_find(&plan);

    if (err == ERR_OK)
        err = op_reply_words(&plan);
    if (err == ERR_OK)
        err = op_reply_about(&plan);
    if (err == ERR_OK) {
        call->result = json_pack("{s:b}", "must_ask", plan.must_ask);
        describe_set_text(call->result, "about", span_str(plan.about.shown));
    }
    view_ask_wipe(&plan.plain);
    json_decref(plan.about_person);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the ask could not be read");
}

enum err op_reply(struct op_call *call)
{
    struct op_reply plan = {.call = call};
    uint8_t *secret = secret_new(KEY_SIZE);
    struct hash id;
    enum err err = secret != NULL ? op_reply_find(&plan) : ERR_NOMEM;

    if (err == ERR_OK)
        err = op_reply_words(&plan);
    if (err == ERR_OK)
        err = op_reply_about(&plan);
    if (err == ERR_OK) {
        entropy_fill(ledger_entropy(call->snapshot.ledger), secret, KEY_SIZE);
        plan.draft.secret = secret;
        plan.draft.reply_key = plan.pass.ask.reply_key;
        plan.draft.expires_ms = plan.pass.ask.expires_ms;
        err = lead_write_reply(call->txn, &plan.draft, &id);
        if (err == ERR_FORGED)
            err = op_fail(call, OP_UNTRUSTED, "kith ask list",
                          "that ask names no key that an answer could be sealed for");
    }
    if (err == ERR_OK)
        err = op_reply_note(&plan);
    if (err == ERR_OK)
        err = react_all(call->txn);
    if (err == ERR_OK)
        err = op_reply_answer(call, &id);
    view_ask_wipe(&plan.plain);
    json_decref(plan.about_person);
    secret_free(secret);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the reply could not be written");
}
