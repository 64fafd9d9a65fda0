/* Words about somebody's work. Everything is checked before the first write, with the sentence that
 * says what to change. */
#include "node/op_endorse.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypto/secret.h"
#include "node/credential.h"
#include "node/endorse.h"
#include "node/name.h"
#include "node/op_endorsement.h"
#include "proto/card.h"
#include "proto/statement.h"
#include "storage/journal.h"
#include "storage/row.h"
#include "storage/view_peer.h"

enum { OP_ENDORSE_NUMBER_MAX = 10000 };

static const char op_endorse_example[] =
    "kith endorse joon --about carpentry --relation worked-with --words \"...\"";

/* What was typed. */

static enum err op_endorse_read_relation(struct op_call *call, struct endorsement *out)
{
    const char *relation = op_text(call, "relation");

    if (relation == NULL)
        return op_fail(call, OP_USAGE,
                       "--relation worked-with|managed|was-managed-by|client|taught|studied|"
                       "volunteered|know-personally",
                       "say how you know their work: --relation");
    if (relation_named(relation, &out->relation) != ERR_OK)
        return op_fail(call, OP_USAGE,
                       "--relation worked-with|managed|was-managed-by|client|taught|studied|"
                       "volunteered|know-personally",
                       "there is no relation \"%.60s\"", relation);
    return ERR_OK;
}

static enum err op_endorse_read_about(struct op_call *call, struct endorsement *out)
{
    json_t *list = op_list(call, "about"), *item;
    size_t at;

    if (json_array_size(list) < 1 || json_array_size(list) > ENDORSEMENT_ABOUT_MAX)
        return op_fail(call, OP_USAGE, op_endorse_example,
                       "say what it is about, in one to three tags: --about");
    json_array_foreach(list, at, item)
    {
        struct span tag = span_of(json_string_value(item), json_string_length(item));

        if (tag.size == 0 || tag.size > ENDORSEMENT_ABOUT_SIZE_MAX)
            return op_fail(call, OP_USAGE, "--about carpentry", "a tag is 1 to %d bytes long",
                           ENDORSEMENT_ABOUT_SIZE_MAX);
        out->about[out->about_count++] = tag;
    }
    return ERR_OK;
}

/* A year, or nothing. */
static enum err op_endorse_read_year(struct op_call *call, const char *flag, uint16_t *out)
{
    const char *text = op_text(call, flag);
    unsigned year = 0;

    if (text == NULL)
        return ERR_OK;
    for (const char *at = text; *at >= '0' && *at <= '9' && year < OP_ENDORSE_NUMBER_MAX; at++)
        year = year * 10 + (unsigned)(*at - '0');
    if (strlen(text) != 4 || year < ENDORSEMENT_YEAR_MIN || year > ENDORSEMENT_YEAR_MAX)
        return op_fail(call, OP_USAGE, "--since 2021 --until 2024", "--%s wants a year", flag);
    *out = (uint16_t)year;
    return ERR_OK;
}

/* "24m", "2y": so many months after a time; the day stays, or is the last of its month. */
static uint64_t op_endorse_add_months(uint64_t from_s, unsigned months)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    time_t from = (time_t)from_s;
    struct tm parts = {0};
    int last;

    if (gmtime_r(&from, &parts) == NULL)
        return from_s;
    parts.tm_mon += (int)months;
    parts.tm_year += parts.tm_mon / 12;
    parts.tm_mon %= 12;
    last = days[parts.tm_mon];
    if (parts.tm_mon == 1 && parts.tm_year % 4 == 0 &&
        (parts.tm_year % 100 != 0 || (parts.tm_year + 1900) % 400 == 0))
        last = 29;
    if (parts.tm_mday > last)
        parts.tm_mday = last;
    return (uint64_t)timegm(&parts);
}

static enum err op_endorse_read_life(struct op_call *call, struct endorsement *out)
{
    const char *text = op_text(call, "expires"), *at = text;
    unsigned number = 0;

    out->issued_s = call->now_ms / 1000;
    if (text == NULL) {
        out->expires_s = op_endorse_add_months(out->issued_s, ENDORSEMENT_MONTHS_DEFAULT);
        return ERR_OK;
    }
    while (*at >= '0' && *at <= '9' && number < OP_ENDORSE_NUMBER_MAX)
        number = number * 10 + (unsigned)(*at++ - '0');
    if (strcmp(at, "y") == 0)
        number *= 12;
    else if (strcmp(at, "m") != 0)
        number = 0;
    if (number < 1 || number > ENDORSEMENT_MONTHS_MAX)
        return op_fail(call, OP_USAGE, "--expires 24m", "--expires wants 1m to %dm, or 1y to %dy",
                       ENDORSEMENT_MONTHS_MAX, ENDORSEMENT_MONTHS_MAX / 12);
    out->expires_s = op_endorse_add_months(out->issued_s, number);
    return ERR_OK;
}

static enum err op_endorse_read_ceiling(struct op_call *call, struct endorsement *out)
{
    const char *ceiling = op_text(call, "ceiling");

    out->ceiling = AUDIENCE_PEERS;
    if (ceiling == NULL || audience_named(ceiling, true, &out->ceiling) == ERR_OK)
        return ERR_OK;
    return op_fail(call, OP_USAGE, "--ceiling subject|peers|network|public",
                   "there is no ceiling \"%.60s\"", ceiling);
}

static struct span op_endorse_trim(const char *text)
{
    struct span span = span_str(text);

    while (span.size > 0 && strchr(" \t\r\n", span.data[0]) != NULL)
        span = span_of(span.data + 1, span.size - 1);
    while (span.size > 0 && strchr(" \t\r\n", span.data[span.size - 1]) != NULL)
        span.size--;
    return span;
}

static enum err op_endorse_read_words(struct op_call *call, struct endorsement *out)
{
    const char *words = op_text(call, "words");

    if (words == NULL)
        return op_fail(call, OP_USAGE, op_endorse_example,
                       "say in your own words what you saw them do: --words");
    out->words = op_endorse_trim(words);
    return ERR_OK;
}

/* What the record's own check finds, as a sentence. */
static enum err op_endorse_check(struct op_call *call, const struct endorsement *endorsement)
{
    switch (endorsement_check(endorsement)) {
    case ENDORSEMENT_FINE:
        return ERR_OK;
    case ENDORSEMENT_WORDS_SHORT:
        return op_fail(call, OP_USAGE, "say what you saw this person do",
                       "an endorsement has at least %d characters of words", ENDORSEMENT_WORDS_MIN);
    case ENDORSEMENT_WORDS_LONG:
        return op_fail(call, OP_USAGE, "make it shorter",
                       "an endorsement has at most %d characters of words, in %d bytes",
                       ENDORSEMENT_WORDS_MAX, ENDORSEMENT_WORDS_SIZE_MAX);
    case ENDORSEMENT_BAD_YEARS:
        return op_fail(call, OP_USAGE, "--since 2021 --until 2024",
                       "--since may not be later than --until");
    case ENDORSEMENT_OF_ONESELF:
        return op_fail(call, OP_FAILED, "kith peer list", "nobody endorses themself");
    case ENDORSEMENT_BAD_TEXT:
        return op_fail(call, OP_FAILED, "kith me edit --name NAME",
                       "your card needs a name of at most %d bytes", NAME_SIZE_MAX);
    case ENDORSEMENT_BAD_LIFE:
        return op_fail(call, OP_FAILED, "set this machine's clock",
                       "the clock of this machine is too far off");
    case ENDORSEMENT_BAD_ID:
    case ENDORSEMENT_BAD_RELATION:
    case ENDORSEMENT_BAD_ABOUT:
    case ENDORSEMENT_BAD_CEILING:
        break;
    }
    return op_fail(call, OP_USAGE, op_endorse_example, "that is not an endorsement");
}

/* Whom, and whether it may be. */

struct op_endorse_count {
    const struct public_key *subject;
    const struct id *renewed;
    size_t live;
};

static enum err op_endorse_on_given(void *self, const struct endorsement_view *view)
{
    struct op_endorse_count *count = self;
    bool is_live = view->state == ENDORSEMENT_SENT || view->state == ENDORSEMENT_ACCEPTED;

    if (is_live && public_key_is_equal(&view->subject, count->subject) &&
        (count->renewed == NULL || !id_is_equal(&view->id, count->renewed)))
        count->live++;
    return ERR_OK;
}

static enum err op_endorse_check_cap(struct op_call *call, const struct endorsement *endorsement,
                                     const char *shown)
{
    struct op_endorse_count count = {
        .subject = &endorsement->subject,
        .renewed = endorsement->has_supersedes ? &endorsement->supersedes : NULL};
    enum err err =
        view_endorsement_given(&call->snapshot, call->now_ms, op_endorse_on_given, &count);

    if (err != ERR_OK)
        return op_fail_err(call, err, "your endorsements could not be read");
    if (count.live >= ENDORSEMENTS_PER_ISSUER_MAX)
        return op_fail(call, OP_FAILED, "--renews ID, or kith endorsement revoke ID",
                       "%s has %d endorsements of yours already, as many as there can be", shown,
                       ENDORSEMENTS_PER_ISSUER_MAX);
    return ERR_OK;
}

static enum err op_endorse_read_renewed(struct op_call *call, struct endorsement *out)
{
    const char *id = op_text(call, "renews");
    struct endorsement_view view;
    enum err err;

    if (id == NULL)
        return ERR_OK;
    err = op_endorsement_find(call, id, &view);
    if (err != ERR_OK)
        return err;
    if (!op_endorsement_is_me(call, &view.issuer) ||
        !public_key_is_equal(&view.subject, &out->subject))
        return op_fail(call, OP_FAILED, "kith endorsement list --given",
                       "that is no endorsement of yours about the same person");
    out->has_supersedes = true;
    out->supersedes = view.id;
    if (out->issued_s <= view.issued_s)
        out->issued_s = view.issued_s + 1; /* A renewal is newer, whatever the clock says. */
    return ERR_OK;
}

static enum err op_endorse_load_name(struct op_call *call, struct object *card,
                                     struct endorsement *out)
{
    static const struct id only = {{0}};
    struct space_row space;
    uint32_t number;
    enum err err = ledger_own_space(&call->snapshot, SPACE_CARD, &space);

    if (err == ERR_OK)
        err = row_get(&call->snapshot, &space.id, KIND_CARD, &only, card, &number);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return op_fail_err(call, err, "your card could not be read");
    out->name = object_text(card, CARD_NAME);
    return ERR_OK;
}

static enum err op_endorse_read(struct op_call *call, struct object *card, struct endorsement *out)
{
    enum err err = op_endorse_read_relation(call, out);

    if (err == ERR_OK)
        err = op_endorse_read_about(call, out);
    if (err == ERR_OK)
        err = op_endorse_read_words(call, out);
    if (err == ERR_OK)
        err = op_endorse_read_year(call, "since", &out->since);
    if (err == ERR_OK)
        err = op_endorse_read_year(call, "until", &out->until);
    if (err == ERR_OK)
        err = op_endorse_read_life(call, out);
    if (err == ERR_OK)
        err = op_endorse_read_ceiling(call, out);
    if (err == ERR_OK)
        err = op_endorse_read_renewed(call, out);
    if (err == ERR_OK)
        err = op_endorse_load_name(call, card, out);
    return err == ERR_OK ? op_endorse_check(call, out) : err;
}

static enum err op_endorse_find_subject(struct op_call *call, struct name_match *who,
                                        struct endorsement *out, struct id *out_pair)
{
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? name_find_peer(call, op_text(call, "who"), who) : ERR_NOMEM;

    if (err == ERR_OK)
        err = view_peer(&call->snapshot, &who->member, peer);
    if (err == ERR_NOT_FOUND && call->failure.code == OP_DONE)
        err = op_fail(call, OP_NOT_FOUND, "kith peer invite NAME", "%s is not a peer of yours",
                      who->shown);
    if (err == ERR_OK && (peer->state != LINK_LINKED || !peer->has_pair_out))
        err = op_fail(call, OP_FAILED, "kith peer invite NAME", "you are not linked with %s",
                      who->shown);
    if (err == ERR_OK) {
        out->subject = peer->member;
        *out_pair = peer->pair_out;
    }
    secret_free(peer);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the peer could not be read");
}

/* Writing. */

static enum err op_endorse_issue(struct op_call *call, struct endorsement *endorsement,
                                 const struct id *pair, struct endorsement_place *out)
{
    const struct signing_key *root = ledger_root_key(call->snapshot.ledger);
    struct buf statement = {0};
    enum err err = credential_prove(endorsement, root);

    if (err == ERR_OK)
        err = endorsement_issue(endorsement, root, &statement);
    if (err == ERR_OK)
        err = endorse_offer(call->txn, pair, buf_span(&statement));
    if (err == ERR_OK)
        err = endorse_note(call->txn, endorsement);
    if (err == ERR_OK) {
        *out = (struct endorsement_place){.subject = endorsement->subject,
                                          .issued_s = endorsement->issued_s};
        statement_id(buf_span(&statement), &out->object);
    }
    buf_release(&statement);
    return err;
}

/* All that can be said before anything is written. */
static enum err op_endorse_decide(struct op_call *call, struct name_match *who, struct object *card,
                                  struct endorsement *out, struct id *out_pair)
{
    enum err err;

    if (ledger_root_key(call->snapshot.ledger) == NULL)
        return op_fail(call, OP_FAILED, "use the device you began with",
                       "this device does not hold the key that signs endorsements");
    out->issuer = *ledger_member(call->snapshot.ledger);
    err = op_endorse_find_subject(call, who, out, out_pair);
    endorsement_draw_id(ledger_entropy(call->snapshot.ledger), call->now_ms, &out->id);
    if (err == ERR_OK)
        err = op_endorse_read(call, card, out);
    return err == ERR_OK ? op_endorse_check_cap(call, out, who->shown) : err;
}

enum err op_endorse(struct op_call *call)
{
    struct endorsement endorsement = {0};
    struct journal_row row = {.at_ms = call->now_ms,
                              .kind = span_str("endorsed"),
                              .text = span_str("was endorsed by you: they decide who sees it")};
    struct endorsement_place place;
    struct object card = {0};
    struct name_match who;
    struct id pair;
    enum err err = op_endorse_decide(call, &who, &card, &endorsement, &pair);

    if (err == ERR_OK)
        err = op_endorse_issue(call, &endorsement, &pair, &place);
    row.who = span_str(err == ERR_OK ? who.shown : "");
    if (err == ERR_OK)
        err = journal_add(call->txn, &row);
    if (err == ERR_OK)
        err = op_endorsement_answer(call, &place);
    object_release(&card);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the endorsement could not be written");
}
