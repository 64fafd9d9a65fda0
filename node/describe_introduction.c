/* The introducer sees both sides; an introducee what was told of the other, and no more. */
#include "node/describe_introduction.h"

#include "crypto/secret.h"
#include "node/introducee.h"

/* An end may be heard of before the offer, in another log: there is nothing to show until then. */
static bool describe_introduction_is_blank(const struct introduction_row *row)
{
    return row->expires_ms == 0 &&
           (row->state == INTRODUCTION_WITHDRAWN || row->state == INTRODUCTION_RETRACTED ||
            row->state == INTRODUCTION_DECLINED);
}

const char *describe_introduction_state(const struct introduction_row *row, uint64_t now_ms)
{
    bool is_past = row->expires_ms != 0 && now_ms >= row->expires_ms;

    if (describe_introduction_is_blank(row))
        return NULL;
    switch (row->state) {
    case INTRODUCTION_OFFERED:
        return is_past && !row->is_asked_again ? "lapsed" : "offered";
    case INTRODUCTION_AGREED:
        return "yes";
    case INTRODUCTION_DECLINED:
        return "no";
    case INTRODUCTION_LAPSED:
        return "lapsed";
    case INTRODUCTION_WITHDRAWN:
        return "withdrawn";
    case INTRODUCTION_RETRACTED:
        return "retracted";
    case INTRODUCTION_GREETED:
        return "greeted";
    case INTRODUCTION_CONNECTED:
        return "connected";
    case INTRODUCTION_CONFLICT:
        return "conflict";
    case INTRODUCTION_OPEN:
        return is_past ? "closed" : "open";
    case INTRODUCTION_RELEASED:
        return "released";
    case INTRODUCTION_CLOSED:
        return "closed";
    case INTRODUCTION_NONE:
    case INTRODUCTION_HELD:
    case INTRODUCTION_SUPPRESSED:
        break;
    }
    return NULL;
}

static json_t *describe_introduction_who(const struct op_call *call,
                                         const struct public_key *member)
{
    json_t *who = json_object();
    char name[INTRODUCTION_NAME_SIZE];

    introduction_name(&call->snapshot, member, name);
    describe_set_did(who, "member", member);
    describe_set_name(who, span_str(name));
    return who;
}

/* One side as the introducer sees it. */
static const char *describe_introduction_side(const struct introduction_case *intro,
                                              const struct public_key *side)
{
    const struct public_key *me = ledger_member(intro->snapshot.ledger);
    const struct introduction_fact *offer;

    if (introduction_said(intro, INTRODUCTION_KNOWN, side, 0) != NULL)
        return "known";
    if (introduction_said(intro, INTRODUCTION_NO, side, 0) != NULL)
        return "no";
    if (introduction_said(intro, INTRODUCTION_RETRACT, side, 0) != NULL)
        return "retracted";
    if (introduction_said(intro, INTRODUCTION_YES, side, 0) != NULL)
        return "yes";
    for (size_t at = 0; (offer = introduction_said(intro, INTRODUCTION_OFFER, me, at)) != NULL;
         at++)
        if (public_key_is_equal(&offer->message.to, side))
            return "asked";
    return "not asked yet";
}

static void describe_introduction_plan(const struct op_call *call,
                                       const struct introduction_case *intro, json_t *out)
{
    static const struct {
        const char *key;
        uint8_t field, text;
    } sides[] = {{"a", RECORD_A, RECORD_TO_A}, {"b", RECORD_B, RECORD_TO_B}};

    (void)json_object_set_new(out, "role", json_string("introducer"));
    describe_set_text(out, "why", object_text(&intro->record, RECORD_WHY));
    describe_set_time(out, "issued", object_number(&intro->record, RECORD_ISSUED));
    for (size_t at = 0; at < 2; at++) {
        struct span root = object_value(&intro->record, sides[at].field).bytes;
        const struct introduction_fact *thanks;
        struct public_key member;
        json_t *side;

        if (root.size != 32)
            continue;
        member = *(const struct public_key *)(const void *)root.data;
        side = describe_introduction_who(call, &member);
        (void)json_object_set_new(side, "answer",
                                  json_string(describe_introduction_side(intro, &member)));
        describe_set_text(side, "why", object_text(&intro->record, sides[at].text));
        thanks = introduction_said(intro, INTRODUCTION_THANKS, &member, 0);
        if (thanks != NULL)
            describe_set_text(side, "thanks", thanks->message.thanks.line);
        (void)json_object_set_new(out, sides[at].key, side);
    }
}

static void describe_introduction_other(const struct op_call *call,
                                        const struct introduction_case *intro, json_t *out)
{
    const struct introduction_fact *offer = introducee_offer(intro);
    const struct introduction_row *row = &intro->row;
    struct peer *peer = secret_new(sizeof *peer);
    json_t *other = json_object();
    bool is_peer = false;

    (void)json_object_set_new(out, "role", json_string("introducee"));
    if (offer != NULL) {
        describe_set_name(other, offer->message.offer.name);
        describe_set_text(other, "line", offer->message.offer.line);
        describe_set_text(out, "why", offer->message.offer.why);
        describe_set_time(out, "issued", offer->message.offer.issued_ms);
        (void)json_object_set_new(out, "blind", json_boolean(offer->message.offer.is_blind));
    }
    if (row->has_other && peer != NULL && view_peer(&call->snapshot, &row->other, peer) == ERR_OK)
        is_peer = peer->state == LINK_LINKED;
    if (is_peer && peer->name[0] != '\0')
        describe_set_name(other, span_str(peer->name));
    if (is_peer || row->state == INTRODUCTION_CONNECTED)
        describe_set_did(other, "member", &row->other);
    describe_set_text(other, "message", object_text(&intro->record, RECORD_HEARD));
    (void)json_object_set_new(out, "other", other);
    (void)json_object_set_new(out, "known",
                              json_boolean(is_peer && row->state != INTRODUCTION_CONNECTED));
    if (row->is_asked_again)
        (void)json_object_set_new(out, "asked_again", json_true());
    secret_free(peer);
}

json_t *describe_introduction(const struct op_call *call, const struct introduction_row *row)
{
    const char *state = describe_introduction_state(row, call->now_ms);
    struct introduction_case intro;
    json_t *out = NULL;

    if (state == NULL)
        return NULL;
    if (introduction_open(&call->snapshot, NULL, &row->introducer, &row->id, &intro) == ERR_OK) {
        out = json_object();
        describe_set_id(out, "id", &row->id);
        (void)json_object_set_new(out, "introducer",
                                  describe_introduction_who(call, &row->introducer));
        if (public_key_is_equal(&row->introducer, ledger_member(call->snapshot.ledger)))
            describe_introduction_plan(call, &intro, out);
        else
            describe_introduction_other(call, &intro, out);
        (void)json_object_set_new(out, "state", json_string(state));
        describe_set_time(out, "expires", row->expires_ms);
    }
    introduction_close(&intro);
    return out;
}

json_t *describe_introduction_want(const struct op_call *call, const struct introduction_fact *fact)
{
    const struct introduction_want *want = &fact->message.want;
    json_t *out = json_object();

    describe_set_id(out, "id", &fact->message.id);
    (void)json_object_set_new(out, "from", describe_introduction_who(call, &fact->member));
    (void)json_object_set_new(out, "to", describe_introduction_who(call, &fact->message.to));
    if (want->has_target)
        (void)json_object_set_new(out, "whom", describe_introduction_who(call, &want->target));
    else
        describe_set_text(out, "words", want->words);
    describe_set_text(out, "blurb", want->blurb);
    describe_set_text(out, "note", want->note);
    describe_set_time(out, "expires", want->expires_ms);
    return out;
}
