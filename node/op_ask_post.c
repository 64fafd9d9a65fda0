/* Keys are drawn once everything else is decided; budgets are told with the time they end. */
#include "node/op_ask_post.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/ask.h"
#include "node/date.h"
#include "node/describe.h"
#include "node/introduction.h"
#include "node/op_ask.h"
#include "node/op_ask_colleagues.h"
#include "node/op_ask_to.h"
#include "node/until.h"
#include "proto/card.h"
#include "storage/fold.h"
#include "storage/follow.h"
#include "storage/row.h"
#include "storage/view_interaction.h"

enum {
    OP_ASK_POST_HALF_DAY_MS = 12 * 3600 * 1000,
    OP_ASK_POST_TITLE = 80, /* bytes of a title that was not given */
    OP_ASK_POST_DRAWS = 16  /* keys tried until no keep-away tag fits a recipient by chance */
};

/* Of secret memory: what is drawn. */
struct op_ask_post_secrets {
    uint8_t seed[SEED_SIZE]; /* A0 */
    uint8_t reply[SEED_SIZE];
    uint8_t salt[ASK_SALT_SIZE];
    struct signing_key key;
    struct exchange_key reply_key;
};

struct op_ask_post {
    struct op_call *call;
    struct ask ask;
    struct op_ask_to to;
    struct buf keep_from; /* roots */
    struct buf body, author;
    struct op_ask_post_secrets *secrets;
    struct ask_pass held;
    struct object card; /* mine */
    size_t open;
    uint64_t again_ms; /* when another may be posted */
};

/* Reading. */

/* A title for who gave none: the first sentence, or as much of it as a line holds. */
static struct span op_ask_post_title(const char *text)
{
    size_t size = strcspn(text, "\r\n"), end = 0;

    while (end < size && (strchr(".!?", text[end]) == NULL ||
                          (text[end + 1] != ' ' && text[end + 1] != '\n' && text[end + 1] != '\0')))
        end++;
    if (end < size)
        size = end + (text[end] != '.');
    if (size <= OP_ASK_POST_TITLE)
        return span_of(text, size);
    for (end = OP_ASK_POST_TITLE; end > 0 && text[end] != ' ';)
        end--;
    return span_of(text, end); /* A word longer than that leaves none: the owner is asked. */
}

static enum err op_ask_post_words(struct op_ask_post *plan)
{
    struct op_call *call = plan->call;
    const char *text = op_text(call, "text"), *title = op_text(call, "title");
    const char *caution = op_text(call, "caution"), *fault;
    json_t *tag;
    size_t at;

    plan->ask.text = span_str(text != NULL ? text : "");
    plan->ask.title = title != NULL ? span_str(title) : op_ask_post_title(text != NULL ? text : "");
    plan->ask.caution = span_str(caution != NULL ? caution : "");
    json_array_foreach(op_list(call, "tag"), at, tag)
    {
        if (at < ASK_TAGS_MAX)
            plan->ask.tags[at] = span_of(json_string_value(tag), json_string_length(tag));
        plan->ask.tags_count++;
    }
    fault = ask_text_fault(&plan->ask);
    if (fault == NULL && !fold_is_seen(plan->ask.title))
        fault = "there is nothing to see in that title";
    if (fault == NULL && !fold_is_seen(plan->ask.text))
        fault = "there is nothing to see in that text";
    return fault == NULL
               ? ERR_OK
               : op_fail(call, OP_USAGE,
                         plan->ask.sort == ASK_SORT_OFFER ? "kith offer post TEXT --title TITLE"
                                                          : "kith ask post TEXT --title TITLE",
                         "%s", fault);
}

static enum err op_ask_post_reach(struct op_ask_post *plan)
{
    struct op_call *call = plan->call;
    const char *hops = op_text(call, "hops"), *name = op_text(call, "name");

    plan->ask.hop_limit = ASK_HOPS_MAX;
    if (hops != NULL && (strlen(hops) != 1 || hops[0] < '1' || hops[0] > '0' + ASK_HOPS_MAX))
        return op_fail(call, OP_USAGE, "--hops 1, --hops 2 or --hops 3",
                       "an ask goes 1, 2 or 3 hops far");
    if (hops != NULL)
        plan->ask.hop_limit = (uint8_t)(hops[0] - '0');
    plan->ask.naming = ASK_NAMED_ALWAYS;
    if (name == NULL || strcmp(name, "always") == 0)
        return ERR_OK;
    plan->ask.naming = strcmp(name, "first") == 0 ? ASK_NAMED_FIRST : ASK_NAMED_ON_REQUEST;
    if (plan->ask.naming == ASK_NAMED_FIRST || strcmp(name, "on-request") == 0)
        return ERR_OK;
    return op_fail(call, OP_USAGE, "--name always, --name first or --name on-request",
                   "--name says who reads your name: everybody, those you give it to, or nobody "
                   "by kith");
}

/* A day (to its end), or a span from now. Whole seconds: entries end in those. */
static enum err op_ask_post_until(struct op_ask_post *plan)
{
    struct op_call *call = plan->call;
    const char *text = op_text(call, "until");
    uint64_t seconds = (uint64_t)ASK_DAYS_DEFAULT * 86400, until_ms;

    plan->ask.issued_ms = call->now_ms;
    if (text == NULL || until_read(text, &seconds) == ERR_OK)
        until_ms = call->now_ms + seconds * 1000;
    else if (date_read_ms(text, call->now_ms, &until_ms) == ERR_OK)
        until_ms += OP_ASK_POST_HALF_DAY_MS;
    else
        return op_fail(call, OP_USAGE, "--until 2026-12-24 or --until 14d",
                       "%.40s is no day kith can read", text);
    until_ms -= until_ms % 1000;
    if (until_ms <= call->now_ms || until_ms - call->now_ms > ASK_DAYS_MAX * MS_PER_DAY)
        return op_fail(call, OP_USAGE, "--until 14d",
                       "an ask ends within %d days, and not before "
                       "it began",
                       ASK_DAYS_MAX);
    plan->ask.expires_ms = until_ms;
    return ERR_OK;
}

static enum err op_ask_post_keep(struct op_ask_post *plan)
{
    struct op_call *call = plan->call;
    json_t *name;
    size_t at;

    json_array_foreach(op_list(call, "keep-from"), at, name)
    {
        struct name_match who;
        enum err err = name_find(call, json_string_value(name), &who);

        if (err == ERR_OK && !who.has_member)
            err = op_fail(call, OP_FAILED, "kith contact show WHO",
                          "%s is not on kith as far as you know: kith cannot keep it from them",
                          who.shown);
        if (err != ERR_OK)
            return err;
        if (!op_ask_to_has(&plan->keep_from, &who.member))
            buf_append(&plan->keep_from, span_of(who.member.bytes, 32));
    }
    if (plan->keep_from.size / 32 > ASK_KEEP_MAX)
        return op_fail(call, OP_USAGE, "choose those who matter most",
                       "it can be kept from %d people at most", ASK_KEEP_MAX);
    return buf_err(&plan->keep_from);
}

static enum err op_ask_post_to(struct op_ask_post *plan)
{
    struct op_call *call = plan->call;
    json_t *names = op_list(call, "to"), *circles = op_list(call, "circle");
    enum err err = op_ask_to_named(&plan->to, names);

    if (err == ERR_OK)
        err = op_ask_to_circles(&plan->to, circles);
    if (err == ERR_OK && json_array_size(names) == 0 && json_array_size(circles) == 0)
        err = op_ask_to_all(&plan->to);
    for (size_t at = op_ask_to_count(&plan->to); err == ERR_OK && at-- > 0;) {
        struct public_key member = op_ask_to_at(&plan->to, at);

        if (op_ask_to_has(&plan->keep_from, &member))
            op_ask_to_leave_out(&plan->to, at, "you keep it from them");
    }
    return err;
}

static enum err op_ask_post_read(struct op_ask_post *plan)
{
    enum err err = op_ask_post_words(plan);

    if (err == ERR_OK)
        err = op_ask_post_reach(plan);
    if (err == ERR_OK)
        err = op_ask_post_until(plan);
    if (err == ERR_OK)
        err = op_ask_post_keep(plan);
    if (err == ERR_OK)
        err = op_ask_post_to(plan);
    if (err == ERR_OK && op_ask_to_count(&plan->to) == 0)
        err = op_fail(plan->call, OP_FAILED, "kith peer invite NAME, or another --circle or --to",
                      "nobody is there to send it to");
    return err;
}

/* Budgets. Asks and offers have their own. */

static enum err op_ask_post_on_own(void *self, uint32_t number, const struct object *own)
{
    struct op_ask_post *plan = self;
    uint64_t now_ms = plan->call->now_ms, pause_ms, until_ms;
    bool is_reaching = plan->ask.hop_limit > 1;
    struct ask ask;
    enum err err = ask_read(object_value(own, ASK_BODY).bytes, &ask);

    (void)number;
    if (err != ERR_OK || ask.sort != plan->ask.sort || (ask.hop_limit > 1) != is_reaching)
        return err == ERR_MALFORMED ? ERR_OK : err;
    pause_ms = is_reaching ? ASK_PAUSE_DAYS * MS_PER_DAY : MS_PER_DAY;
    until_ms = (ask.issued_ms < now_ms ? ask.issued_ms : now_ms) + pause_ms;
    if (until_ms > plan->again_ms)
        plan->again_ms = until_ms;
    plan->open += object_number(own, ASK_CLOSED) == 0 && ask.expires_ms > now_ms;
    return ERR_OK;
}

static enum err op_ask_post_budget(struct op_ask_post *plan)
{
    struct op_call *call = plan->call;
    const char *what = plan->ask.sort == ASK_SORT_OFFER ? "offer" : "ask";
    bool is_reaching = plan->ask.hop_limit > 1;
    char when[DESCRIBE_TIME_SIZE];
    enum err err = row_each(&call->snapshot, ledger_self_space(call->snapshot.ledger), KIND_ASK,
                            op_ask_post_on_own, plan);

    if (err != ERR_OK)
        return op_fail_err(call, err, "your asks could not be read");
    if (is_reaching && plan->open >= ASK_OPEN_MAX)
        return op_fail(call, OP_FAILED, "kith ask list --mine, then kith ask close ID",
                       "%d of your %ss that reach beyond your peers are open: close one first",
                       ASK_OPEN_MAX, what);
    if (plan->again_ms <= call->now_ms)
        return ERR_OK;
    describe_time(plan->again_ms, when);
    if (is_reaching)
        return op_fail(call, OP_FAILED, "kith ask post TEXT --title TITLE --hops 1",
                       "one %s that reaches beyond your peers in %d days: the next is possible "
                       "after %s; to your peers alone sooner",
                       what, ASK_PAUSE_DAYS, when);
    return op_fail(call, OP_FAILED, "kith ask list --mine",
                   "one %s to your peers a day: the next is possible after %s", what, when);
}

/* Drawing. */

static void op_ask_post_draw_key(struct op_ask_post *plan, uint8_t keep[static ASK_KEEP_MAX])
{
    struct op_ask_post_secrets *secrets = plan->secrets;
    size_t count = plan->keep_from.size / 32;

    entropy_fill(ledger_entropy(plan->call->snapshot.ledger), secrets->seed, SEED_SIZE);
    identity_signing_key(secrets->seed, &secrets->key);
    plan->ask.key = secrets->key.public_key;
    for (size_t at = 0; at < count; at++) {
        struct public_key member;

        memcpy(member.bytes, plan->keep_from.data + 32 * at, 32);
        keep[at] = ask_keep(&plan->ask.key, &member);
    }
    plan->ask.keep = span_of(keep, count);
}

static bool op_ask_post_has_chance_fit(const struct op_ask_post *plan)
{
    for (size_t at = 0; at < op_ask_to_count(&plan->to); at++) {
        struct public_key member = op_ask_to_at(&plan->to, at);

        if (ask_keeps_from(&plan->ask, &member))
            return true;
    }
    return false;
}

static enum err op_ask_post_author(struct op_ask_post *plan)
{
    const struct snapshot *snapshot = &plan->call->snapshot;
    struct buf identity = {0};
    enum err err;

    if (plan->ask.naming == ASK_NAMED_ON_REQUEST)
        return ERR_OK;
    err = view_identity(snapshot, &identity);
    if (err == ERR_OK)
        err = ask_author_write(
            plan->secrets->salt, &plan->held.hash, object_text(&plan->card, CARD_NAME),
            ledger_signing_key(snapshot->ledger), buf_span(&identity), &plan->author);
    buf_release(&identity);
    return err;
}

static enum err op_ask_post_draw(struct op_ask_post *plan)
{
    const struct ledger *ledger = plan->call->snapshot.ledger;
    uint8_t keep[ASK_KEEP_MAX];
    enum err err;

    plan->secrets = secret_new(sizeof *plan->secrets);
    if (plan->secrets == NULL)
        return ERR_NOMEM;
    for (size_t tries = 0;
         tries == 0 || (tries < OP_ASK_POST_DRAWS && op_ask_post_has_chance_fit(plan)); tries++)
        op_ask_post_draw_key(plan, keep);
    op_ask_to_keep_away(&plan->to, &plan->ask);
    entropy_fill(ledger_entropy(ledger), plan->secrets->reply, SEED_SIZE);
    entropy_fill(ledger_entropy(ledger), plan->secrets->salt, ASK_SALT_SIZE);
    identity_exchange_key(plan->secrets->reply, &plan->secrets->reply_key);
    memcpy(plan->ask.reply_key, plan->secrets->reply_key.public_key, 32);
    ask_author(plan->secrets->salt, ledger_member(ledger), &plan->ask.author);
    err = ask_write(&plan->ask, &plan->body);
    plan->held = (struct ask_pass){.body = buf_span(&plan->body),
                                   .ask = plan->ask,
                                   .secret = span_of(plan->secrets->seed, SEED_SIZE)};
    ask_hash(&plan->ask.key, plan->held.body, &plan->held.hash);
    ask_id(&plan->held.hash, &plan->held.id);
    if (err == ERR_OK)
        err = op_ask_post_author(plan);
    plan->held.author = buf_span(&plan->author);
    return err;
}

/* Writing. */

static enum err op_ask_post_keep_own(struct op_ask_post *plan)
{
    struct op_call *call = plan->call;
    struct amend amend;

    amend_begin(&amend, call->txn, ledger_self_space(call->snapshot.ledger), KIND_ASK,
                &plan->held.id);
    amend_bytes(&amend, ASK_BODY, plan->held.body);
    amend_bytes(&amend, ASK_SECRET, span_of(plan->secrets->seed, SEED_SIZE));
    amend_bytes(&amend, ASK_REPLY_SECRET, span_of(plan->secrets->reply, SEED_SIZE));
    if (plan->author.size > 0)
        amend_bytes(&amend, ASK_AUTHOR_PART, plan->held.author);
    return amend_end_behind(&amend, NULL);
}

/* On the timeline of each: I asked them, I offered them. */
static enum err op_ask_post_note(struct op_ask_post *plan, const struct public_key *to)
{
    char ref[ID_TEXT_SIZE];
    struct interaction act = {.what = plan->ask.sort == ASK_SORT_OFFER ? INTERACTION_OFFERED
                                                                       : INTERACTION_ASKED,
                              .text = plan->ask.title};

    hex_write(span_of(plan->held.id.bytes, ID_SIZE), ref);
    act.ref = span_str(ref);
    return view_interaction_act(plan->call->txn, to, &act);
}

static enum err op_ask_post_write(struct op_ask_post *plan)
{
    struct op_call *call = plan->call;
    struct public_key to;
    struct ask_gift gift = {.held = &plan->held, .to = &to};
    enum err err = op_ask_post_keep_own(plan);

    for (size_t at = 0; at < op_ask_to_count(&plan->to) && err == ERR_OK; at++) {
        to = op_ask_to_at(&plan->to, at);
        err = ask_give(call->txn, &gift);
        if (err == ERR_OK)
            err = op_ask_post_note(plan, &to);
    }
    if (err == ERR_OK)
        err = follow_all(call->txn);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the ask could not be stored");
    err = op_ask_answer(call, &plan->held.id);
    if (err == ERR_OK && plan->ask.sort == ASK_SORT_ASK)
        err = op_ask_colleagues_note(call, object_text(&plan->card, CARD_ORG));
    if (err == ERR_OK && json_array_size(plan->to.left_out) > 0)
        (void)json_object_set(call->result, "left_out", plan->to.left_out);
    return err;
}

static enum err op_ask_post_card(struct op_ask_post *plan)
{
    static const struct id only = {{0}};
    struct space_row space;
    uint32_t number;
    enum err err = ledger_own_space(&plan->call->snapshot, SPACE_CARD, &space);

    if (err == ERR_OK)
        err = row_get(&plan->call->snapshot, &space.id, KIND_CARD, &only, &plan->card, &number);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static void op_ask_post_release(struct op_ask_post *plan)
{
    op_ask_to_release(&plan->to);
    object_release(&plan->card);
    buf_release(&plan->keep_from);
    buf_release(&plan->body);
    buf_release(&plan->author);
    secret_free(plan->secrets);
}

/* All that can be said before anything is drawn. */
static enum err op_ask_post_decide(struct op_ask_post *plan)
{
    struct op_ask_audience audience = {.keep_from = &plan->keep_from, .named = &plan->to.named};
    enum err err;

    op_ask_to_begin(plan->call, &plan->to);
    err = op_ask_post_card(plan);
    if (err == ERR_OK)
        err = op_ask_post_read(plan);
    if (err == ERR_OK)
        err = op_ask_post_budget(plan);
    if (plan->ask.hop_limit == 1) /* Nobody passes it on. */
        audience.reached = &plan->to.members;
    if (err == ERR_OK && plan->ask.sort == ASK_SORT_ASK && !op_flag(plan->call, "anyway"))
        err = op_ask_colleagues(plan->call, object_text(&plan->card, CARD_ORG), &audience);
    return err;
}

static enum err op_ask_post_rehearse(struct op_call *call, enum ask_sort sort)
{
    static const char *const named[] = {"always", "first", "on-request"};
    struct op_ask_post plan = {.call = call, .ask.sort = sort};
    enum err err = op_ask_post_decide(&plan);
    json_t *to = json_array();

    for (size_t at = 0; err == ERR_OK && at < op_ask_to_count(&plan.to); at++) {
        struct public_key member = op_ask_to_at(&plan.to, at);
        char name[INTRODUCTION_NAME_SIZE];

        introduction_name(&call->snapshot, &member, name);
        (void)json_array_append_new(to, json_string(name)); /* A lost name is not shown. */
    }
    if (err == ERR_OK) {
        call->result = json_pack("{s:s%, s:O, s:O, s:i, s:s}", "title", plan.ask.title.data,
                                 plan.ask.title.size, "to", to, "left_out", plan.to.left_out,
                                 "hop_limit", plan.ask.hop_limit, "named",
                                 named[plan.ask.naming == ASK_NAMED_FIRST        ? 1
                                       : plan.ask.naming == ASK_NAMED_ON_REQUEST ? 2
                                                                                 : 0]);
        describe_set_time(call->result, "expires", plan.ask.expires_ms);
        err = call->result != NULL ? ERR_OK : ERR_NOMEM;
    }
    json_decref(to);
    op_ask_post_release(&plan);
    return err;
}

static enum err op_ask_post_sort(struct op_call *call, enum ask_sort sort)
{
    struct op_ask_post plan = {.call = call, .ask.sort = sort};
    enum err err = op_ask_post_decide(&plan);

    if (err == ERR_OK) {
        err = op_ask_post_draw(&plan);
        if (err == ERR_LIMIT)
            err = op_fail(call, OP_USAGE, "say it in fewer words",
                          "with tags and all, that is more than %d bytes", ASK_SIZE_MAX);
    }
    if (err == ERR_OK)
        err = op_ask_post_write(&plan);
    op_ask_post_release(&plan);
    return err;
}

enum err op_ask_post(struct op_call *call)
{
    return op_ask_post_sort(call, ASK_SORT_ASK);
}

enum err op_ask_post_offer(struct op_call *call)
{
    return op_ask_post_sort(call, ASK_SORT_OFFER);
}

enum err op_ask_post_plan(struct op_call *call)
{
    return op_ask_post_rehearse(call, ASK_SORT_ASK);
}

enum err op_ask_post_offer_plan(struct op_call *call)
{
    return op_ask_post_rehearse(call, ASK_SORT_OFFER);
}
