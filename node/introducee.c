/* One of the two: shown an offer or not, asked, and once both have agreed, greeting the other and
 * linked. Nobody who is blocked or muted ever notices: the answer is silence. */
#include "node/introducee.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/link.h"
#include "proto/limits.h"
#include "storage/fold.h"
#include "storage/row.h"

static const struct public_key *introducee_me(const struct introducee *self)
{
    return ledger_member(self->intro->snapshot.ledger);
}

/* By the other's hello, on this device. */
static bool introducee_was_connected(const struct introducee *self)
{
    const struct introduction_row *row = &self->intro->row;

    return row->state == INTRODUCTION_CONNECTED && !row->is_met;
}

static bool introducee_has_said(const struct introducee *self, enum introduction_type type)
{
    return introduction_said(self->intro, type, introducee_me(self), 0) != NULL;
}

static bool introducee_has_heard(const struct introducee *self, enum introduction_type type)
{
    return introduction_said(self->intro, type, &self->intro->row.introducer, 0) != NULL;
}

/* The address book. */

struct introducee_namesake {
    const struct public_key *other;
    struct buf folded; /* the name that was offered */
    bool is_found;
};

static bool introducee_is_called(const struct introducee_namesake *search, const char *name)
{
    struct buf folded = {0};
    bool is_equal = name[0] != '\0' && fold(span_str(name), &folded) == ERR_OK &&
                    span_is_equal(buf_span(&folded), buf_span(&search->folded));

    buf_release(&folded);
    return is_equal;
}

static enum err introducee_on_namesake(void *self, const struct peer *peer)
{
    struct introducee_namesake *search = self;

    if (peer->state == LINK_LINKED && !public_key_is_equal(&peer->member, search->other))
        search->is_found |=
            introducee_is_called(search, peer->name) || introducee_is_called(search, peer->alias);
    return ERR_OK;
}

/* PROTOCOL INTRO-17: "the name that was offered is here under another key" */
static enum err introducee_find_namesake(const struct introducee *self, bool *out)
{
    struct introducee_namesake search = {.other = &self->release.theirs.root};
    enum err err = ERR_OK;

    *out = false;
    if (self->offer == NULL || self->offer->message.offer.name.size == 0 ||
        self->other->state == LINK_LINKED)
        return ERR_OK;
    err = fold(self->offer->message.offer.name, &search.folded);
    if (err == ERR_OK && search.folded.size > 0)
        err = view_peer_each(&self->intro->snapshot, introducee_on_namesake, &search);
    *out = search.is_found;
    buf_release(&search.folded);
    return err;
}

/* Who must not be heard of. */

static enum err introducee_check_mute(struct introducee *self, bool is_answered)
{
    struct introduction_row *row = &self->intro->row;
    bool is_muted = false;
    enum err err = ERR_OK;

    if (!is_answered)
        err = view_introduction_muted(&self->intro->snapshot, &row->introducer, self->intro->now_ms,
                                      &is_muted);
    row->is_suppressed |= is_muted;
    is_muted = false;
    if (err == ERR_OK && self->knows_other && !is_answered)
        err = view_introduction_muted(&self->intro->snapshot, &self->other->member,
                                      self->intro->now_ms, &is_muted);
    row->is_suppressed |= is_muted || (self->knows_other && self->other->state == LINK_BLOCKED) ||
                          (self->introducer->state == LINK_BLOCKED && !is_answered);
    return err;
}

/* Whoever is muted need not be a peer: mutes are looked through by tag. */
static enum err introducee_on_mute(void *context, uint32_t number, const struct object *mute)
{
    struct introducee *self = context;
    struct span member = object_value(mute, INTRODUCTION_MUTE_MEMBER).bytes;
    struct public_key root;
    struct hash tag;

    (void)number;
    if (member.size != 32 || object_number(mute, INTRODUCTION_MUTE_UNTIL) <= self->intro->now_ms)
        return ERR_OK;
    memcpy(root.bytes, member.data, 32);
    introduction_tag(&self->intro->row.id, NULL, &root, &tag);
    if (memcmp(tag.bytes, self->offer->message.offer.tag.bytes, HASH_SIZE) == 0)
        self->intro->row.is_suppressed = true;
    return ERR_OK;
}

static enum err introducee_suppress(struct introducee *self)
{
    bool is_answered = introducee_has_said(self, INTRODUCTION_YES) ||
                       introducee_has_said(self, INTRODUCTION_NO) ||
                       introducee_has_said(self, INTRODUCTION_KNOWN);
    enum err err = introducee_check_mute(self, is_answered);

    if (err == ERR_OK && self->offer != NULL && !is_answered)
        err = row_each(&self->intro->snapshot, ledger_self_space(self->intro->snapshot.ledger),
                       KIND_INTRODUCTION_MUTE, introducee_on_mute, self);
    self->facts.is_suppressed = self->intro->row.is_suppressed;
    return err;
}

/* A place to be shown in. */

struct introducee_places {
    const struct introducee *self;
    size_t open, all, week;
    uint64_t free_ms; /* when the week's first makes room */
};

static enum err introducee_on_row(void *context, const struct introduction_row *row)
{
    struct introducee_places *places = context;
    const struct introduction_row *own = &places->self->intro->row;
    bool is_same = public_key_is_equal(&row->introducer, &own->introducer);
    uint64_t week_ms = row->shown_ms + 7 * MS_PER_DAY;

    if (row->shown_ms == 0 || (is_same && id_is_equal(&row->id, &own->id)))
        return ERR_OK;
    places->all += row->state == INTRODUCTION_OFFERED;
    places->open += is_same && row->state == INTRODUCTION_OFFERED;
    if (is_same && week_ms > places->self->intro->now_ms) {
        places->week++;
        if (week_ms < places->free_ms)
            places->free_ms = week_ms;
    }
    return ERR_OK;
}

static enum err introducee_find_place(struct introducee *self, uint64_t *out_free_ms)
{
    struct introducee_places places = {.self = self, .free_ms = UINT64_MAX};
    enum err err = ERR_OK;

    *out_free_ms = UINT64_MAX;
    self->facts.has_place = self->intro->row.shown_ms != 0;
    if (!self->facts.has_place) {
        err = view_introduction_each(&self->intro->snapshot, NULL, introducee_on_row, &places);
        self->facts.has_place = places.open < INTRODUCTION_SHOWN_OPEN_MAX &&
                                places.week < INTRODUCTION_SHOWN_WEEK_MAX &&
                                places.all < INTRODUCTION_SHOWN_MAX;
        *out_free_ms = places.free_ms;
    }
    return err;
}

/* Wants of mine that say yes ahead. */

struct introducee_ahead {
    const struct introducee *self;
    bool is_found;
};

static enum err introducee_on_want(void *context, const struct introduction_fact *fact)
{
    struct introducee_ahead *ahead = context;
    const struct introduction_offer *offer = &ahead->self->offer->message.offer;
    const struct introduction_want *want = &fact->message.want;
    struct hash tag;

    if (!public_key_is_equal(&fact->member, introducee_me(ahead->self)) ||
        !id_is_equal(&fact->message.id, &offer->want) || !want->is_auto ||
        want->expires_ms <= ahead->self->intro->now_ms)
        return ERR_OK;
    introduction_tag(&ahead->self->intro->row.id, NULL, &want->target, &tag);
    ahead->is_found |=
        !want->has_target || offer->is_blind || memcmp(tag.bytes, offer->tag.bytes, HASH_SIZE) == 0;
    return ERR_OK;
}

static enum err introducee_find_want(struct introducee *self)
{
    struct introducee_ahead ahead = {.self = self};
    enum err err = ERR_OK;

    if (self->offer != NULL && self->offer->message.offer.has_want)
        err = view_introduction_wants(&self->intro->snapshot, &self->intro->row.introducer,
                                      introducee_on_want, &ahead);
    self->facts.is_auto = ahead.is_found;
    return err;
}

/* Gathering. */

static enum err introducee_know_other(struct introducee *self)
{
    enum err err = introducee_release(self->intro, &self->release);

    self->facts.has_release = err == ERR_OK;
    if (err == ERR_OK) {
        self->knows_other = true;
        err = introduction_peer(&self->intro->snapshot, &self->release.theirs.root, self->other);
    } else if (err == ERR_NOT_FOUND && self->offer != NULL) {
        err = introducee_recognise(self->intro, &self->offer->message.offer, self->other);
        self->knows_other = err == ERR_OK;
    }
    if (self->knows_other) {
        self->intro->row.has_other = true;
        self->intro->row.other = self->other->member;
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err introducee_judge_release(struct introducee *self)
{
    bool is_namesake = false;
    enum err err = introducee_choose_release(self);

    if (err == ERR_OK)
        err = introducee_find_hello(self);
    /* They called with the invitation I hold for them, and told me what a hello tells. */
    self->was_called = self->other->state == LINK_LINKED && self->other->has_introduction &&
                       id_is_equal(&self->other->introduction, &self->intro->row.id);
    self->facts.has_hello |= self->was_called && introducee_has_said(self, INTRODUCTION_HELLO);
    if (err == ERR_OK)
        err = introducee_find_namesake(self, &is_namesake);
    if (!introducee_has_said(self, INTRODUCTION_HELLO))
        self->intro->row.is_mismatched |= is_namesake || !self->release.fits_tag;
    self->facts.is_mismatched = self->intro->row.is_mismatched;
    /* Without the secret the hello cannot be said. */
    self->facts.has_release = self->has_bond || introducee_has_said(self, INTRODUCTION_HELLO);
    return err;
}

static enum err introducee_gather(struct introducee *self, uint64_t *out_free_ms)
{
    const struct object *record = &self->intro->record;
    struct introduction_facts *facts = &self->facts;
    enum err err =
        introduction_peer(&self->intro->snapshot, &self->intro->row.introducer, self->introducer);

    self->offer = introducee_offer(self->intro);
    *facts = (struct introduction_facts){
        .has_offer = self->offer != NULL,
        .has_withdraw = introducee_has_heard(self, INTRODUCTION_WITHDRAW),
        .said_yes = introducee_has_said(self, INTRODUCTION_YES),
        .said_no =
            introducee_has_said(self, INTRODUCTION_NO) || object_number(record, RECORD_QUIET) != 0,
        .said_known = introducee_has_said(self, INTRODUCTION_KNOWN),
        .said_hello = introducee_has_said(self, INTRODUCTION_HELLO),
        .said_retract = introducee_has_said(self, INTRODUCTION_RETRACT) ||
                        object_number(record, RECORD_ENDED) != 0,
        .has_met = object_number(record, RECORD_MET) != 0,
        .is_peer = self->introducer->state == LINK_LINKED,
        .was_gone = self->intro->row.was_gone,
        .is_confirmed = object_number(record, RECORD_CONFIRMED) != 0,
        .now_ms = self->intro->now_ms};
    if (self->offer != NULL) {
        facts->issued_ms = self->offer->message.offer.issued_ms;
        facts->expires_ms = introduction_expires_ms(&self->offer->message.offer);
        self->intro->row.expires_ms = facts->expires_ms;
    }
    if (err == ERR_OK)
        err = introducee_know_other(self);
    if (err == ERR_OK && facts->has_release)
        err = introducee_judge_release(self);
    if (err == ERR_OK)
        err = introducee_suppress(self);
    if (err == ERR_OK)
        err = introducee_find_want(self);
    return err == ERR_OK ? introducee_find_place(self, out_free_ms) : err;
}

/* PROTOCOL INTRO-16: "where both clocks agree that so much time has passed since the yes" */
static enum err introducee_watch(struct introducee *self)
{
    const uint64_t longest_ms =
        (INTRODUCTION_DAYS_MAX + INTRODUCTION_RETRACT_DAYS) * (uint64_t)MS_PER_DAY;
    struct moment *agreed = &self->intro->row.agreed, now;
    uint64_t span_ms = self->facts.expires_ms + INTRODUCTION_RETRACT_DAYS * MS_PER_DAY;
    enum err err = running_moment(self->intro->txn, &now);

    if (err != ERR_OK || !self->facts.said_yes)
        return err;
    if (agreed->wall_ms == 0)
        *agreed = now;
    span_ms = span_ms > agreed->wall_ms ? span_ms - agreed->wall_ms : 0;
    self->facts.has_run_out =
        running_has_passed(agreed, &now, span_ms < longest_ms ? span_ms : longest_ms);
    return ERR_OK;
}

/* Acting. */

static enum err introducee_retract(struct introducee *self)
{
    struct introduction_message message = {.type = INTRODUCTION_RETRACT};
    struct amend amend;

    if (self->facts.is_peer)
        return introduction_tell(self->intro, &self->intro->row.introducer, &message);
    /* Nothing is written any more for whoever is no peer: it is noted here. */
    introduction_amend(self->intro, &amend);
    amend_number(&amend, RECORD_ENDED, INTRODUCTION_ENDED_GONE);
    return amend_end(&amend, NULL);
}

/* A hello that comes after the two have met, here or on another device of mine, counts while their
 * link stands: it never brings back somebody who was removed. */
static enum err introducee_meet(struct introducee *self)
{
    enum err err;

    if (self->was_called)
        return introducee_note_met(self->intro);
    if (!self->facts.has_hello)
        return self->intro->row.is_met ? ERR_OK : introducee_vouch(self);
    if (self->facts.has_met && self->other->state != LINK_LINKED)
        return ERR_OK;
    if (introducee_was_connected(self) && introducee_holds_secret(self))
        return ERR_OK; /* By this release, here, before. */
    err = introducee_note_met(self->intro);
    return err == ERR_OK ? introducee_connect(self) : err;
}

static enum err introducee_act(struct introducee *self, const struct introduction_verdict *verdict)
{
    enum err err = ERR_OK;

    if (verdict->must_say_yes)
        err = introducee_agree(self->intro);
    if (err == ERR_STATE)
        err = ERR_OK; /* No certified key on this device: another of mine will say it. */
    if (err == ERR_OK && verdict->must_say_retract)
        err = introducee_retract(self);
    if (err == ERR_OK && verdict->must_say_hello)
        err = introducee_greet(self);
    else if (err == ERR_OK && verdict->state == INTRODUCTION_CONNECTED)
        err = introducee_meet(self);
    return err;
}

/* Telling the owner. */

static void introducee_other_name(const struct introducee *self,
                                  char out[static INTRODUCTION_NAME_SIZE])
{
    struct span name = self->hello.name;

    if (!fold_is_seen(name) && self->offer != NULL)
        name = self->offer->message.offer.name;
    if (!fold_is_seen(name))
        name.size = 0;
    (void)snprintf(out, INTRODUCTION_NAME_SIZE, "%.*s", (int)(name.size < 200 ? name.size : 200),
                   name.size > 0 ? (const char *)name.data : "");
    if (name.size == 0 && self->knows_other)
        introduction_name(&self->intro->snapshot, &self->other->member, out);
}

static enum err introducee_report(struct introducee *self,
                                  const struct introduction_verdict *verdict)
{
    char by[INTRODUCTION_NAME_SIZE], other[INTRODUCTION_NAME_SIZE];
    char text[2 * INTRODUCTION_NAME_SIZE + 120];
    const char *who = by;
    enum err err = ERR_OK;

    if (verdict->state == self->intro->row.state &&
        verdict->is_asked_again == self->intro->row.is_asked_again)
        return ERR_OK;
    introduction_name(&self->intro->snapshot, &self->intro->row.introducer, by);
    introducee_other_name(self, other);
    switch (verdict->state) {
    case INTRODUCTION_OFFERED:
        (void)snprintf(text, sizeof text, "suggests you meet %s",
                       other[0] != '\0' ? other : "somebody, who is named once you both agree");
        break;
    case INTRODUCTION_WITHDRAWN:
        if (!self->facts.has_withdraw || self->intro->row.shown_ms == 0)
            return ERR_OK;
        (void)snprintf(text, sizeof text, "took an introduction back");
        break;
    case INTRODUCTION_GREETED:
        who = other;
        (void)snprintf(text, sizeof text, "wants to meet you, too, says %s", by);
        break;
    case INTRODUCTION_CONNECTED:
        who = other;
        (void)snprintf(text, sizeof text,
                       self->facts.has_hello || self->was_called
                           ? "is linked with you: introduced by %s; you have not compared safety "
                             "words"
                           : "is linked with you; %s brought you together, too",
                       by);
        err = introduction_act(self->intro, &self->intro->row.introducer, INTERACTION_INTRODUCED_ME,
                               span_str(other));
        break;
    case INTRODUCTION_CONFLICT:
        who = other;
        (void)snprintf(text, sizeof text,
                       "is not who you know by that name, or not who %s offered: ask before you "
                       "go on",
                       by);
        break;
    default:
        return ERR_OK;
    }
    return err == ERR_OK ? introduction_journal(self->intro, "introduction", who, text) : err;
}

/* A place became free: whoever is held is looked at again. */
static enum err introducee_on_held(void *context, const struct introduction_row *row)
{
    struct buf *names = context;

    if (row->state == INTRODUCTION_HELD) {
        buf_append(names, span_of(row->introducer.bytes, 32));
        buf_append(names, span_of(row->id.bytes, ID_SIZE));
    }
    return buf_err(names);
}

static enum err introducee_free_place(struct introducee *self)
{
    struct buf names = {0};
    enum err err = view_introduction_each(&self->intro->snapshot, NULL, introducee_on_held, &names);

    for (size_t at = 0; at < names.size && err == ERR_OK; at += 32 + ID_SIZE)
        err = agenda_put(self->intro->txn, AGENDA_NOW, KIND_INTRODUCTION,
                         span_of(names.data + at, 32 + ID_SIZE));
    buf_release(&names);
    return err;
}

static enum err introducee_settle(struct introducee *self,
                                  const struct introduction_verdict *verdict, uint64_t free_ms)
{
    struct introduction_row *row = &self->intro->row;
    bool was_shown = row->state == INTRODUCTION_OFFERED;
    uint64_t wake_ms = verdict->wake_ms;
    struct key name;
    enum err err = introducee_report(self, verdict);

    if (verdict->state == INTRODUCTION_HELD && free_ms < wake_ms)
        wake_ms = free_ms;
    row->state = verdict->state;
    row->is_met = verdict->state == INTRODUCTION_CONNECTED && !self->facts.has_hello;
    row->is_asked_again = verdict->is_asked_again;
    row->was_gone |= self->facts.has_offer && !self->facts.is_peer && !self->facts.said_yes;
    if (verdict->state == INTRODUCTION_OFFERED && row->shown_ms == 0)
        row->shown_ms = self->intro->now_ms;
    if (err == ERR_OK && was_shown && verdict->state != INTRODUCTION_OFFERED)
        err = introducee_free_place(self);
    if (err == ERR_OK && verdict->state == INTRODUCTION_CONNECTED)
        err = introduction_secret_tidy(self->intro->txn, self->intro->now_ms);
    if (err != ERR_OK || wake_ms == UINT64_MAX)
        return err;
    view_introduction_name(&row->introducer, &row->id, &name);
    return agenda_put(self->intro->txn, wake_ms, KIND_INTRODUCTION, key_span(&name));
}

enum err introducee_look(struct introduction_case *intro)
{
    struct introducee self = {.intro = intro,
                              .introducer = secret_new(sizeof(struct peer)),
                              .other = secret_new(sizeof(struct peer)),
                              .bond = secret_new(sizeof(struct introduction_bond))};
    struct introduction_verdict verdict = {.state = INTRODUCTION_NONE};
    uint64_t free_ms = UINT64_MAX;
    enum err err = ERR_OK;

    if (introducee_was_connected(&self) && object_number(&intro->record, RECORD_MET) == 0)
        goto out; /* It is theirs alone now; noted so by an older program. */
    if (self.introducer == NULL || self.other == NULL || self.bond == NULL)
        err = ERR_NOMEM;
    if (err == ERR_OK)
        err = introducee_gather(&self, &free_ms);
    if (err == ERR_OK)
        err = introducee_watch(&self);
    if (err == ERR_OK) {
        introduction_judge(&self.facts, &verdict);
        err = introducee_act(&self, &verdict);
    }
    /* A hello that is said now is a fact of the next look, which connects. */
    if (err == ERR_OK && verdict.must_say_hello && !self.facts.said_hello)
        verdict.state = INTRODUCTION_GREETED;
    if (err == ERR_OK)
        err = introducee_settle(&self, &verdict, free_ms);

out:
    if (self.plain.data != NULL)
        secret_wipe(self.plain.data, self.plain.capacity);
    buf_release(&self.plain);
    secret_free(self.introducer);
    secret_free(self.other);
    secret_free(self.bond);
    return err;
}
