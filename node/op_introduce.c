/* Ops only note what the owner decided; asking, releasing and the rest follow by reaction. Caps and
 * cool-downs are checked here, never in what arrives. */
#include "node/op_introduce.h"

#include <string.h>

#include "crypto/secret.h"
#include "node/date.h"
#include "node/describe_introduction.h"
#include "node/introduction.h"
#include "node/invited.h"
#include "node/name.h"
#include "node/react.h"
#include "node/until.h"
#include "proto/limits.h"
#include "storage/fold.h"
#include "storage/row.h"

struct op_introduce {
    struct op_call *call;
    struct name_match who[2];
    struct id id;
    uint64_t expires_ms;
    uint64_t first; /* 0 A, 1 B, 2 both */
    bool has_first;
    bool has_want[2]; /* of A, of B */
    struct id want[2];
    const char *why, *to[2];
    size_t open;
    bool is_open;     /* this pair already */
    uint64_t cool_ms; /* until when this pair has to wait */
};

static enum err op_introduce_peer(struct op_call *call, const char *who, struct name_match *out)
{
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? name_find_peer(call, who, out) : ERR_NOMEM;

    if (err == ERR_OK)
        err = view_peer(&call->snapshot, &out->member, peer);
    if ((err == ERR_NOT_FOUND && call->failure.code == OP_DONE) ||
        (err == ERR_OK && peer->state != LINK_LINKED)) {
        err = invited_check(call, out); /* Once more, after a parting. */
        if (err == ERR_OK)
            err = op_fail(call, OP_NOT_FOUND, "kith peer list", "%s is not a peer of yours",
                          out->shown);
    }
    secret_free(peer);
    return err;
}

static enum err op_introduce_text(struct op_call *call, const char *flag, size_t size_max,
                                  const char **out)
{
    *out = op_text(call, flag);
    if (*out != NULL && strlen(*out) > size_max)
        return op_fail(call, OP_USAGE, "say it in fewer words", "--%s takes up to %zu bytes", flag,
                       size_max);
    return ERR_OK;
}

static enum err op_introduce_days(struct op_call *call, uint64_t *out_ms)
{
    const char *text = op_text(call, "expires");
    uint64_t seconds = (uint64_t)INTRODUCTION_DAYS_DEFAULT * 86400;

    if (text != NULL && until_read(text, &seconds) != ERR_OK)
        return op_fail(call, OP_USAGE, "--expires 21d", "%.40s is no span of time", text);
    if (seconds * 1000 < INTRODUCTION_DAYS_MIN * MS_PER_DAY ||
        seconds * 1000 > INTRODUCTION_DAYS_MAX * MS_PER_DAY)
        return op_fail(call, OP_USAGE, "--expires 21d", "an introduction stands %d to %d days",
                       INTRODUCTION_DAYS_MIN, INTRODUCTION_DAYS_MAX);
    *out_ms = call->now_ms + seconds * 1000;
    return ERR_OK;
}

static enum err op_introduce_read(struct op_introduce *plan)
{
    struct op_call *call = plan->call;
    const char *first = op_text(call, "first");
    enum err err = op_introduce_peer(call, op_text(call, "a"), &plan->who[0]);

    if (err == ERR_OK)
        err = op_introduce_peer(call, op_text(call, "b"), &plan->who[1]);
    if (err == ERR_OK && public_key_is_equal(&plan->who[0].member, &plan->who[1].member))
        err = op_fail(call, OP_USAGE, "kith introduce A B --why TEXT",
                      "%s cannot be introduced to themself", plan->who[0].shown);
    if (err == ERR_OK)
        err = op_introduce_text(call, "why", INTRODUCTION_WHY_SIZE_MAX, &plan->why);
    if (err == ERR_OK)
        err = op_introduce_text(call, "to-a", INTRODUCTION_WHY_SIZE_MAX, &plan->to[0]);
    if (err == ERR_OK)
        err = op_introduce_text(call, "to-b", INTRODUCTION_WHY_SIZE_MAX, &plan->to[1]);
    if (err == ERR_OK)
        err = op_introduce_days(call, &plan->expires_ms);
    if (err != ERR_OK)
        return err;
    if ((plan->why == NULL || plan->why[0] == '\0') && (plan->to[0] == NULL || plan->to[1] == NULL))
        return op_fail(call, OP_USAGE, "kith introduce A B --why TEXT",
                       "say why the two should meet");
    plan->has_first = first != NULL;
    if (first == NULL || strcmp(first, "A") == 0 || strcmp(first, "a") == 0)
        plan->first = 0;
    else if (strcmp(first, "B") == 0 || strcmp(first, "b") == 0)
        plan->first = 1;
    else if (strcmp(first, "both") == 0)
        plan->first = 2;
    else
        return op_fail(call, OP_USAGE, "--first A, --first B or --first both",
                       "--first says who is asked first");
    return ERR_OK;
}

/* Caps. */

static bool op_introduce_is_pair(const struct op_introduce *plan, const struct object *record)
{
    struct span a = object_value(record, RECORD_A).bytes, b = object_value(record, RECORD_B).bytes;
    struct span first = span_of(plan->who[0].member.bytes, 32);
    struct span second = span_of(plan->who[1].member.bytes, 32);

    return (span_is_equal(a, first) && span_is_equal(b, second)) ||
           (span_is_equal(a, second) && span_is_equal(b, first));
}

static enum err op_introduce_on_record(void *self, uint32_t number, const struct object *record)
{
    struct op_introduce *plan = self;
    const struct public_key *me = ledger_member(plan->call->snapshot.ledger);
    struct span id_bytes = object_value(record, RECORD_ID).bytes;
    struct introduction_row row;
    uint64_t until_ms;
    struct id id;
    bool is_open;
    enum err err;

    (void)number;
    if (object_value(record, RECORD_A).bytes.size != 32 || id_bytes.size != ID_SIZE)
        return ERR_OK;
    memcpy(id.bytes, id_bytes.data, ID_SIZE);
    err = view_introduction(&plan->call->snapshot, me, &id, &row);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    is_open = row.state == INTRODUCTION_OPEN && plan->call->now_ms < row.expires_ms;
    plan->open += is_open;
    if (!op_introduce_is_pair(plan, record))
        return ERR_OK;
    plan->is_open |= is_open;
    until_ms =
        (row.ended_ms != 0 ? row.ended_ms : row.seen_ms) + INTRODUCTION_COOL_DAYS * MS_PER_DAY;
    if (!is_open && until_ms > plan->cool_ms)
        plan->cool_ms = until_ms;
    return ERR_OK;
}

static enum err op_introduce_check(struct op_introduce *plan)
{
    struct op_call *call = plan->call;
    char day[DATE_TEXT_SIZE];
    enum err err = row_each(&call->snapshot, ledger_self_space(call->snapshot.ledger),
                            KIND_INTRODUCTION_RECORD, op_introduce_on_record, plan);

    if (err != ERR_OK)
        return op_fail_err(call, err, "your introductions could not be read");
    if (plan->is_open)
        return op_fail(call, OP_FAILED, "kith intro list", "you are introducing %s and %s already",
                       plan->who[0].shown, plan->who[1].shown);
    if (plan->cool_ms > call->now_ms) {
        date_write(plan->cool_ms, day);
        return op_fail(call, OP_FAILED, "kith intro list",
                       "you introduced %s and %s before; once more is possible after %s",
                       plan->who[0].shown, plan->who[1].shown, day);
    }
    if (plan->open >= INTRODUCTION_OPEN_MAX)
        return op_fail(call, OP_FAILED, "kith intro list, then kith intro withdraw ID",
                       "%d of your introductions are open: let some of them end first",
                       INTRODUCTION_OPEN_MAX);
    return ERR_OK;
}

/* Wants that this answers. */

/* Is this whom the want names: by key, or by what I call them? */
static bool op_introduce_is_meant(const struct introduction_want *want,
                                  const struct name_match *who)
{
    struct buf words = {0}, name = {0};
    bool is_meant = want->has_target && public_key_is_equal(&want->target, &who->member);

    if (!want->has_target && fold(want->words, &words) == ERR_OK &&
        fold(span_str(who->shown), &name) == ERR_OK)
        is_meant = words.size > 0 && span_is_equal(buf_span(&words), buf_span(&name));
    buf_release(&words);
    buf_release(&name);
    return is_meant;
}

static enum err op_introduce_on_want(void *self, const struct introduction_fact *fact)
{
    struct op_introduce *plan = self;
    const struct introduction_want *want = &fact->message.want;

    if (want->expires_ms <= plan->call->now_ms)
        return ERR_OK;
    for (unsigned side = 0; side < 2; side++)
        if (public_key_is_equal(&fact->member, &plan->who[side].member) &&
            op_introduce_is_meant(want, &plan->who[1 - side])) {
            plan->has_want[side] = true;
            plan->want[side] = fact->message.id;
        }
    return ERR_OK;
}

/* Who asked for it is asked last: if the other would rather not, they never learn I tried. */
static enum err op_introduce_find_wants(struct op_introduce *plan)
{
    enum err err =
        view_introduction_wants(&plan->call->snapshot, ledger_member(plan->call->snapshot.ledger),
                                op_introduce_on_want, plan);

    if (!plan->has_first && plan->has_want[0] != plan->has_want[1])
        plan->first = plan->has_want[0] ? 1 : 0;
    else if (!plan->has_first && plan->has_want[0] && plan->has_want[1])
        plan->first = 2;
    return err;
}

/* Noting. */

static enum err op_introduce_note(struct op_introduce *plan)
{
    struct op_call *call = plan->call;
    const struct entropy *entropy = ledger_entropy(call->snapshot.ledger);
    const struct public_key *me = ledger_member(call->snapshot.ledger);
    struct id record, salts[2];
    struct amend amend;

    id_draw_random(entropy, &plan->id);
    introduction_record_id(me, &plan->id, &record);
    amend_begin(&amend, call->txn, ledger_self_space(call->snapshot.ledger),
                KIND_INTRODUCTION_RECORD, &record);
    amend_bytes(&amend, RECORD_INTRODUCER, span_of(me->bytes, 32));
    amend_bytes(&amend, RECORD_ID, span_of(plan->id.bytes, ID_SIZE));
    amend_bytes(&amend, RECORD_A, span_of(plan->who[0].member.bytes, 32));
    amend_bytes(&amend, RECORD_B, span_of(plan->who[1].member.bytes, 32));
    amend_text(&amend, RECORD_WHY, span_str(plan->why != NULL ? plan->why : ""));
    amend_text(&amend, RECORD_TO_A, span_str(plan->to[0] != NULL ? plan->to[0] : ""));
    amend_text(&amend, RECORD_TO_B, span_str(plan->to[1] != NULL ? plan->to[1] : ""));
    amend_number(&amend, RECORD_FIRST, plan->first);
    amend_number(&amend, RECORD_ISSUED, call->now_ms);
    amend_number(&amend, RECORD_EXPIRES, plan->expires_ms);
    if (op_flag(call, "blind")) {
        id_draw_random(entropy, &salts[0]);
        id_draw_random(entropy, &salts[1]);
        amend_number(&amend, RECORD_IS_BLIND, 1);
        amend_bytes(&amend, RECORD_SALT_A, span_of(salts[0].bytes, ID_SIZE));
        amend_bytes(&amend, RECORD_SALT_B, span_of(salts[1].bytes, ID_SIZE));
    }
    if (plan->has_want[0])
        amend_bytes(&amend, RECORD_WANT_A, span_of(plan->want[0].bytes, ID_SIZE));
    if (plan->has_want[1])
        amend_bytes(&amend, RECORD_WANT_B, span_of(plan->want[1].bytes, ID_SIZE));
    return amend_end(&amend, NULL);
}

enum err op_introduce(struct op_call *call)
{
    struct op_introduce plan = {.call = call};
    struct introduction_row row;
    enum err err = op_introduce_read(&plan);

    if (err == ERR_OK)
        err = op_introduce_check(&plan);
    if (err == ERR_OK)
        err = op_introduce_find_wants(&plan);
    if (err == ERR_OK)
        err = op_introduce_note(&plan);
    if (err == ERR_OK)
        err = react_all(call->txn);
    if (err == ERR_OK)
        err = view_introduction(&call->snapshot, ledger_member(call->snapshot.ledger), &plan.id,
                                &row);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the introduction could not be stored");
    call->result = describe_introduction(call, &row);
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

/* Wants. */

struct op_introduce_wanted {
    struct op_call *call;
    size_t count;
    struct id id; /* of the one just written */
    json_t *found;
};

static enum err op_introduce_on_own(void *self, const struct introduction_fact *fact)
{
    struct op_introduce_wanted *wanted = self;

    if (public_key_is_equal(&fact->member, ledger_member(wanted->call->snapshot.ledger))) {
        wanted->count++;
        if (id_is_equal(&fact->message.id, &wanted->id))
            wanted->found = describe_introduction_want(wanted->call, fact);
    }
    return ERR_OK;
}

static void op_introduce_tags(struct op_call *call, struct buf *out)
{
    json_t *tags = op_list(call, "tag"), *tag;
    size_t at;

    json_array_foreach(tags, at, tag)
    {
        if (at > 0)
            buf_append(out, span_str(", "));
        buf_append(out, span_of(json_string_value(tag), json_string_length(tag)));
    }
}

/* Whom: somebody by name, or any by tags. */
static enum err op_introduce_whom(struct op_call *call, struct introduction_want *want,
                                  struct name_match *who, struct buf *words)
{
    const char *name = op_text(call, "who");
    enum err err = ERR_OK;

    op_introduce_tags(call, words);
    if ((name == NULL) == (words->size == 0))
        return op_fail(call, OP_USAGE, "kith intro want WHO --from INTRODUCER --blurb TEXT",
                       "say whom you want to meet: a name, or --tag");
    if (name != NULL && identity_read_did(span_str(name), &who->member) == ERR_OK)
        who->has_member = true;
    else if (name != NULL)
        err = name_find(call, name, who);
    if (err == ERR_NOT_FOUND) { /* Somebody only the introducer knows. */
        call->failure = (struct op_failure){.code = OP_DONE};
        *who = (struct name_match){.has_member = false};
        err = ERR_OK;
        buf_append(words, span_str(name));
    } else if (err == ERR_OK && name != NULL && !who->has_member) {
        buf_append(words, span_str(who->shown));
    }
    if (err == ERR_OK && (buf_err(words) != ERR_OK || words->size > INTRODUCTION_WORDS_SIZE_MAX))
        return op_fail(call, OP_USAGE, "say it in fewer words", "that is too long");
    want->has_target = who->has_member;
    want->target = who->member;
    if (!want->has_target)
        want->words = buf_span(words);
    return err;
}

static enum err op_introduce_say_want(struct op_call *call, const struct public_key *to,
                                      struct introduction_message *message)
{
    struct introduction_case intro = {
        .txn = call->txn, .snapshot = call->snapshot, .now_ms = call->now_ms};
    enum err err = introduction_tell(&intro, to, message);

    return err == ERR_OK ? ledger_follow(call->txn) : err;
}

enum err op_introduce_want(struct op_call *call)
{
    struct introduction_message message = {.type = INTRODUCTION_WANT};
    struct op_introduce_wanted wanted = {.call = call};
    struct name_match who = {.has_member = false}, from;
    const char *blurb, *note;
    struct buf words = {0};
    enum err err;

    if (op_text(call, "from") == NULL)
        return op_fail(call, OP_USAGE, "kith intro want WHO --from INTRODUCER --blurb TEXT",
                       "say who may introduce you: --from");
    err = op_introduce_peer(call, op_text(call, "from"), &from);
    if (err == ERR_OK)
        err = op_introduce_text(call, "blurb", INTRODUCTION_WHY_SIZE_MAX, &blurb);
    if (err == ERR_OK)
        err = op_introduce_text(call, "note", INTRODUCTION_WHY_SIZE_MAX, &note);
    if (err == ERR_OK && (blurb == NULL || blurb[0] == '\0'))
        err = op_fail(call, OP_USAGE, "kith intro want WHO --from INTRODUCER --blurb TEXT",
                      "write a few words %s can pass on", from.shown);
    if (err == ERR_OK)
        err = op_introduce_days(call, &message.want.expires_ms);
    if (err == ERR_OK)
        err = op_introduce_whom(call, &message.want, &who, &words);
    if (err == ERR_OK)
        err = view_introduction_wants(&call->snapshot, &from.member, op_introduce_on_own, &wanted);
    if (err == ERR_OK && wanted.count >= INTRODUCTION_WANTS_MAX)
        err = op_fail(call, OP_FAILED, "kith intro list",
                      "you have asked %s for %d introductions already", from.shown,
                      INTRODUCTION_WANTS_MAX);
    if (err == ERR_OK) {
        message.want.blurb = span_str(blurb);
        message.want.note = span_str(note != NULL ? note : "");
        message.want.is_auto = true;
        id_draw_random(ledger_entropy(call->snapshot.ledger), &message.id);
        wanted.id = message.id;
        err = op_introduce_say_want(call, &from.member, &message);
    }
    if (err == ERR_OK)
        err = view_introduction_wants(&call->snapshot, &from.member, op_introduce_on_own, &wanted);
    buf_release(&words);
    call->result = wanted.found;
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "this could not be asked");
}
