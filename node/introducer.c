/* The one who brings two together: asks, waits for two yeses, releases, and hands on what the two
 * then tell each other without being able to read it. */
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/introduction.h"
#include "proto/card.h"
#include "proto/limits.h"
#include "storage/row.h"

struct introducer {
    struct introduction_case *intro;
    struct public_key sides[2]; /* A, B */
    struct peer *peers;         /* secret: of each side */
    const struct introduction_fact *yes[2];
    struct introduction_plan_facts facts;
};

static const struct public_key *introducer_self(const struct introducer *plan)
{
    return ledger_member(plan->intro->snapshot.ledger);
}

/* My own statement of this type to this side; any of them when there are several. */
static const struct introduction_fact *introducer_told(const struct introducer *plan,
                                                       enum introduction_type type, unsigned side)
{
    const struct introduction_fact *fact;

    for (size_t at = 0;
         (fact = introduction_said(plan->intro, type, introducer_self(plan), at)) != NULL; at++)
        if (public_key_is_equal(&fact->message.to, &plan->sides[side]))
            return fact;
    return NULL;
}

/* Did I make exactly this offer to this side? */
static bool introducer_offered(const struct introducer *plan, unsigned side,
                               const struct hash *offer)
{
    const struct introduction_fact *fact;

    for (size_t at = 0; (fact = introduction_said(plan->intro, INTRODUCTION_OFFER,
                                                  introducer_self(plan), at)) != NULL;
         at++)
        if (public_key_is_equal(&fact->message.to, &plan->sides[side]) &&
            memcmp(fact->hash.bytes, offer->bytes, HASH_SIZE) == 0)
            return true;
    return false;
}

/* PROTOCOL INTRO-6: "A yes counts when it names an offer that was made to this member, and its key
 * is certified by this member's root." */
static const struct introduction_fact *introducer_yes(const struct introducer *plan, unsigned side)
{
    const struct introduction_fact *fact;

    for (size_t at = 0;
         (fact = introduction_said(plan->intro, INTRODUCTION_YES, &plan->sides[side], at)) != NULL;
         at++) {
        struct public_key owner;
        uint8_t key[32];

        if (introducer_offered(plan, side, &fact->message.yes.offer) &&
            introduction_key_read(fact->message.yes.key, &owner, key) == ERR_OK &&
            public_key_is_equal(&owner, &plan->sides[side]))
            return fact;
    }
    return NULL;
}

static bool introducer_has_no(const struct introducer *plan, unsigned side)
{
    static const enum introduction_type against[] = {INTRODUCTION_NO, INTRODUCTION_RETRACT,
                                                     INTRODUCTION_KNOWN};

    for (size_t at = 0; at < sizeof against / sizeof against[0]; at++)
        if (introduction_said(plan->intro, against[at], &plan->sides[side], 0) != NULL)
            return true;
    return false;
}

/* PROTOCOL INTRO-9: "No more than INTRODUCTION_HELLOS_MAX hellos are relayed to one side." */
static bool introducer_may_relay(const struct introducer *plan, unsigned side)
{
    const struct introduction_fact *relay;
    size_t count = 0;

    for (size_t at = 0; (relay = introduction_said(plan->intro, INTRODUCTION_RELAY,
                                                   introducer_self(plan), at)) != NULL;
         at++)
        count += public_key_is_equal(&relay->message.to, &plan->sides[side]);
    return count < INTRODUCTION_HELLOS_MAX;
}

/* A hello of the other side that was not handed on to this one yet, and may be. */
static const struct introduction_fact *introducer_unrelayed(const struct introducer *plan,
                                                            unsigned side)
{
    const struct introduction_fact *hello, *relay;

    if (!introducer_may_relay(plan, side))
        return NULL;
    for (size_t at = 0; (hello = introduction_said(plan->intro, INTRODUCTION_HELLO,
                                                   &plan->sides[1 - side], at)) != NULL;
         at++) {
        bool is_relayed = false;

        for (size_t done = 0; (relay = introduction_said(plan->intro, INTRODUCTION_RELAY,
                                                         introducer_self(plan), done)) != NULL;
             done++)
            is_relayed |= public_key_is_equal(&relay->message.to, &plan->sides[side]) &&
                          span_is_equal(relay->message.sealed, hello->message.sealed);
        if (!is_relayed)
            return hello;
    }
    return NULL;
}

static enum err introducer_gather(struct introducer *plan)
{
    const struct object *record = &plan->intro->record;
    struct span a = object_value(record, RECORD_A).bytes, b = object_value(record, RECORD_B).bytes;
    struct introduction_plan_facts *facts = &plan->facts;

    if (a.size != 32 || b.size != 32)
        return ERR_NOT_FOUND;
    memcpy(plan->sides[0].bytes, a.data, 32);
    memcpy(plan->sides[1].bytes, b.data, 32);
    *facts =
        (struct introduction_plan_facts){.is_parallel = object_number(record, RECORD_FIRST) == 2,
                                         .first = object_number(record, RECORD_FIRST) == 1 ? 1 : 0,
                                         .is_ended = object_number(record, RECORD_ENDED) != 0,
                                         .now_ms = plan->intro->now_ms,
                                         .expires_ms = object_number(record, RECORD_EXPIRES)};
    for (unsigned side = 0; side < 2; side++) {
        enum err err =
            introduction_peer(&plan->intro->snapshot, &plan->sides[side], &plan->peers[side]);

        if (err != ERR_OK)
            return err;
        plan->yes[side] = introducer_yes(plan, side);
        facts->is_peer[side] = plan->peers[side].state == LINK_LINKED;
        facts->has_yes[side] = plan->yes[side] != NULL;
        facts->has_no[side] = introducer_has_no(plan, side);
        facts->was_asked[side] = introducer_told(plan, INTRODUCTION_OFFER, side) != NULL;
        facts->was_released[side] = introducer_told(plan, INTRODUCTION_RELEASE, side) != NULL;
        facts->was_withdrawn[side] = introducer_told(plan, INTRODUCTION_WITHDRAW, side) != NULL;
        facts->was_relayed[side] = introducer_unrelayed(plan, side) == NULL;
        facts->has_hello[side] =
            introduction_said(plan->intro, INTRODUCTION_HELLO, &plan->sides[side], 0) != NULL;
    }
    return ERR_OK;
}

/* Acting. */

/* One line about somebody: title and organisation of the card they gave me. */
static enum err introducer_line(struct introducer *plan, unsigned side,
                                char out[static INTRODUCTION_LINE_SIZE_MAX + 1])
{
    static const struct id only = {{0}};
    const struct peer *peer = &plan->peers[side];
    struct object card = {0};
    struct span title, org;
    uint32_t number;
    enum err err;

    out[0] = '\0';
    if (!peer->has_card_in)
        return ERR_OK;
    err = row_get(&plan->intro->snapshot, &peer->card_in, KIND_CARD, &only, &card, &number);
    title = object_text(&card, CARD_TITLE);
    org = object_text(&card, CARD_ORG);
    if (err == ERR_OK && title.size + org.size + 2 <= INTRODUCTION_LINE_SIZE_MAX)
        (void)snprintf(out, INTRODUCTION_LINE_SIZE_MAX + 1, "%.*s%s%.*s", (int)title.size,
                       title.size > 0 ? (const char *)title.data : "",
                       title.size > 0 && org.size > 0 ? ", " : "", (int)org.size,
                       org.size > 0 ? (const char *)org.data : "");
    object_release(&card);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static bool introducer_id(const struct object *record, uint8_t field, struct id *out)
{
    struct span bytes = object_value(record, field).bytes;

    if (bytes.size == ID_SIZE)
        memcpy(out->bytes, bytes.data, ID_SIZE);
    return bytes.size == ID_SIZE;
}

static enum err introducer_offer(struct introducer *plan, unsigned side)
{
    const struct object *record = &plan->intro->record;
    struct introduction_message message = {.type = INTRODUCTION_OFFER};
    struct introduction_offer *offer = &message.offer;
    char line[INTRODUCTION_LINE_SIZE_MAX + 1], name[INTRODUCTION_NAME_SIZE];
    struct id salt;
    enum err err = introducer_line(plan, 1 - side, line);

    if (err != ERR_OK)
        return err;
    *offer = (struct introduction_offer){
        .issued_ms = object_number(record, RECORD_ISSUED),
        .expires_ms = object_number(record, RECORD_EXPIRES),
        .is_blind = object_number(record, RECORD_IS_BLIND) != 0,
        .why = object_text(record, side == 0 ? RECORD_TO_A : RECORD_TO_B)};
    offer->has_want =
        introducer_id(record, side == 0 ? RECORD_WANT_A : RECORD_WANT_B, &offer->want);
    if (offer->why.size == 0)
        offer->why = object_text(record, RECORD_WHY);
    if (!offer->is_blind) {
        (void)snprintf(name, sizeof name, "%s", plan->peers[1 - side].name);
        offer->name = span_str(name);
        offer->line = span_str(line);
        introduction_tag(&plan->intro->row.id, NULL, &plan->sides[1 - side], &offer->tag);
    } else if (introducer_id(record, side == 0 ? RECORD_SALT_A : RECORD_SALT_B, &salt)) {
        introduction_tag(&plan->intro->row.id, &salt, &plan->sides[1 - side], &offer->tag);
    }
    return introduction_tell(plan->intro, &plan->sides[side], &message);
}

static enum err introducer_release(struct introducer *plan, unsigned side)
{
    struct introduction_message message = {.type = INTRODUCTION_RELEASE};
    struct introduction_release *release = &message.release;
    const struct object *record = &plan->intro->record;

    if (plan->yes[side] == NULL)
        return ERR_OK;
    *release = (struct introduction_release){.other = plan->yes[1 - side]->bytes,
                                             .yes = plan->yes[side]->hash,
                                             .offer = plan->yes[side]->message.yes.offer,
                                             .other_offer = plan->yes[1 - side]->message.yes.offer};
    if (object_number(record, RECORD_IS_BLIND) != 0)
        release->has_salt =
            introducer_id(record, side == 0 ? RECORD_SALT_A : RECORD_SALT_B, &release->salt);
    return introduction_tell(plan->intro, &plan->sides[side], &message);
}

static enum err introducer_relay(struct introducer *plan, unsigned side)
{
    struct introduction_message message = {.type = INTRODUCTION_RELAY};

    message.sealed = introducer_unrelayed(plan, side)->message.sealed;
    return introduction_tell(plan->intro, &plan->sides[side], &message);
}

static enum err introducer_end(struct introducer *plan)
{
    struct amend amend;

    introduction_amend(plan->intro, &amend);
    amend_number(&amend, RECORD_ENDED, INTRODUCTION_ENDED_GONE);
    return amend_end(&amend, NULL);
}

/* PROTOCOL INTRO-7: "The introducer asks one first and the other when the first has said yes, or
 * both at once; says release to both in the commit in which it holds two yeses, no refusal, and
 * both are its peers, before its own clock has reached the end; and relays every hello to the other
 * once. Nobody learns of a no: no withdraw follows one." */
static enum err introducer_act(struct introducer *plan,
                               const struct introduction_plan_verdict *verdict)
{
    struct introduction_message withdraw = {.type = INTRODUCTION_WITHDRAW};
    enum err err = verdict->must_end ? introducer_end(plan) : ERR_OK;

    for (unsigned side = 0; side < 2 && err == ERR_OK; side++) {
        if (verdict->must_offer[side])
            err = introducer_offer(plan, side);
        if (err == ERR_OK && verdict->must_release[side])
            err = introducer_release(plan, side);
        if (err == ERR_OK && verdict->must_withdraw[side])
            err = introduction_tell(plan->intro, &plan->sides[side], &withdraw);
        if (err == ERR_OK && verdict->must_relay[side])
            err = introducer_relay(plan, side);
    }
    return err;
}

/* Telling the owner. */

static enum err introducer_tell_no(struct introducer *plan)
{
    for (unsigned side = 0; side < 2; side++) {
        char name[INTRODUCTION_NAME_SIZE];
        bool is_known = introduction_said(plan->intro, INTRODUCTION_KNOWN, &plan->sides[side], 0);

        if (!plan->facts.has_no[side])
            continue;
        introduction_name(&plan->intro->snapshot, &plan->sides[side], name);
        return introduction_journal(plan->intro, "introduction", name,
                                    is_known ? "knows the other already: your introduction is over"
                                             : "would rather not be introduced; only you see this");
    }
    return ERR_OK;
}

static enum err introducer_report(struct introducer *plan, enum introduction_state state)
{
    char names[2 * INTRODUCTION_NAME_SIZE + 8], a[INTRODUCTION_NAME_SIZE],
        b[INTRODUCTION_NAME_SIZE];
    enum err err;

    if (state == plan->intro->row.state)
        return ERR_OK;
    if (state == INTRODUCTION_CLOSED)
        return introducer_tell_no(plan);
    if (state != INTRODUCTION_RELEASED)
        return ERR_OK;
    introduction_name(&plan->intro->snapshot, &plan->sides[0], a);
    introduction_name(&plan->intro->snapshot, &plan->sides[1], b);
    (void)snprintf(names, sizeof names, "%s and %s", a, b);
    err = introduction_act(plan->intro, &plan->sides[0], INTERACTION_INTRODUCED, span_str(b));
    if (err == ERR_OK)
        err = introduction_act(plan->intro, &plan->sides[1], INTERACTION_INTRODUCED, span_str(a));
    return err == ERR_OK ? introduction_journal(plan->intro, "introduction", names,
                                                "both said yes to your introduction")
                         : err;
}

static enum err introducer_hear_thanks(struct introducer *plan)
{
    struct introduction_row *row = &plan->intro->row;
    enum err err = ERR_OK;

    for (unsigned side = 0; side < 2 && err == ERR_OK; side++) {
        const struct introduction_fact *thanks =
            introduction_said(plan->intro, INTRODUCTION_THANKS, &plan->sides[side], 0);
        char name[INTRODUCTION_NAME_SIZE], text[INTRODUCTION_MESSAGE_SIZE_MAX + 64];
        struct span line;

        if (thanks == NULL || row->has_thanked[side])
            continue;
        row->has_thanked[side] = true;
        line = thanks->message.thanks.line;
        introduction_name(&plan->intro->snapshot, &plan->sides[side], name);
        (void)snprintf(text, sizeof text, "thanks you for your introduction%s%.*s",
                       line.size > 0 ? ": " : "", (int)line.size,
                       line.size > 0 ? (const char *)line.data : "");
        err = introduction_journal(plan->intro, "thanks", name, text);
        if (err == ERR_OK)
            err = introduction_act(plan->intro, &plan->sides[side], INTERACTION_THANKED_ME, line);
    }
    return err;
}

enum err introducer_look(struct introduction_case *intro)
{
    struct introducer plan = {.intro = intro, .peers = secret_new(2 * sizeof(struct peer))};
    struct introduction_plan_verdict verdict;
    struct key name;
    enum err err = plan.peers != NULL ? introducer_gather(&plan) : ERR_NOMEM;

    if (err == ERR_OK) {
        intro->row.expires_ms = plan.facts.expires_ms;
        introduction_judge_plan(&plan.facts, &verdict);
        err = introducer_act(&plan, &verdict);
    }
    if (err == ERR_OK)
        err = introducer_report(&plan, verdict.state);
    if (err == ERR_OK)
        err = introducer_hear_thanks(&plan);
    if (err == ERR_OK && verdict.wake_ms != UINT64_MAX) {
        view_introduction_name(&intro->row.introducer, &intro->row.id, &name);
        err = agenda_put(intro->txn, verdict.wake_ms, KIND_INTRODUCTION, key_span(&name));
    }
    if (err == ERR_OK)
        intro->row.state = verdict.state;
    secret_free(plan.peers);
    return err;
}
