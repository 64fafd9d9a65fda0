/* Rows of one endorsement stand side by side; they are gathered into one view, which is told when
 * the next one begins. */
#include "storage/view_endorsement.h"

#include <string.h>

#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/running.h"
#include "storage/standing.h"

/* What has been told already, for the caps and for renewals. */
struct view_endorsement_told {
    struct public_key issuer;
    struct id supersedes;
    bool has_supersedes;
};

struct view_endorsement_walk {
    const struct snapshot *snapshot;
    const struct public_key *me;
    uint64_t now_s, running_ms;
    bool is_capped;
    view_endorsement_fn each;
    void *self;

    struct endorsement_view view; /* being gathered */
    bool has_view;
    bool is_shown, is_quote; /* what the rows so far say */
    enum audience shown, quoted;

    struct view_endorsement_told told[ENDORSEMENTS_SHOWN_MAX];
    size_t told_count;

    struct device_keys judged; /* who signed the last quote that was looked at, */
    enum standing standing;    /* and how they stand: one subject's are signed by few */
    const uint8_t *revoked; /* NULL, or of each place by id whether something there was revoked */
};

/* An object's place among the bits: its id is a hash. */
enum { VIEW_ENDORSEMENT_PLACES = 1 << 16 };

static unsigned view_endorsement_place(const struct id *object)
{
    return be16(object->bytes);
}

static enum err view_endorsement_begin(struct view_endorsement_walk *walk,
                                       const struct snapshot *snapshot, uint64_t now_ms,
                                       view_endorsement_fn each, void *self)
{
    *walk = (struct view_endorsement_walk){.snapshot = snapshot,
                                           .me = ledger_member(snapshot->ledger),
                                           .now_s = now_ms / 1000,
                                           .each = each,
                                           .self = self};
    return running_ms(snapshot, &walk->running_ms);
}

/* PROTOCOL SHOW-4: "A holder counts the distance between the two times in its own running time from
 * the newest renewal on." */
static uint64_t view_endorsement_left_s(const struct view_endorsement_walk *walk,
                                        const struct endorsement_row *row)
{
    uint64_t held_ms =
        walk->running_ms > row->renewed_at_ms ? walk->running_ms - row->renewed_at_ms : 0;

    return held_ms / 1000 < row->until_s - row->made_s ? row->until_s - row->made_s - held_ms / 1000
                                                       : 0;
}

static void view_endorsement_start(struct view_endorsement_walk *walk,
                                   const struct endorsement_row *row)
{
    walk->view = (struct endorsement_view){.object = row->object,
                                           .id = row->id,
                                           .issuer = row->issuer,
                                           .subject = row->subject,
                                           .number = row->number,
                                           .relation = row->relation,
                                           .ceiling = row->ceiling,
                                           .issued_s = row->issued_s,
                                           .expires_s = row->expires_s,
                                           .about_count = row->about_count,
                                           .has_supersedes = row->has_supersedes,
                                           .shown_left_s = UINT64_MAX,
                                           .supersedes = row->supersedes};
    memcpy(walk->view.about, row->about, sizeof walk->view.about);
    walk->has_view = true;
    walk->is_shown = walk->is_quote = false;
    walk->shown = walk->quoted = AUDIENCE_SUBJECT;
}

/* PROTOCOL SHOW-6: "In a network space a show says nothing where the device that signed it is one
 * of those of ASK-7: whenever it came, and whenever that came to be known." */
static enum err view_endorsement_judge(struct view_endorsement_walk *walk,
                                       const struct endorsement_row *row, bool *out_counts)
{
    enum err err = ERR_OK;
    size_t size = row->by.count * sizeof row->by.devices[0];

    if (row->by.count != walk->judged.count ||
        memcmp(row->by.devices, walk->judged.devices, size) != 0) {
        err = standing_of_signer(walk->snapshot, &row->by, &walk->standing);
        walk->judged = row->by;
    }
    *out_counts = walk->standing < STANDING_STOLEN;
    return err;
}

static void view_endorsement_gather(struct view_endorsement_walk *walk,
                                    const struct endorsement_row *row)
{
    uint64_t left_s =
        row->source < ENDORSEMENT_SHOWN ? UINT64_MAX : view_endorsement_left_s(walk, row);
    bool is_in_force = left_s > 0;

    if (is_in_force && left_s < walk->view.shown_left_s)
        walk->view.shown_left_s = left_s;

    switch (row->source) {
    case ENDORSEMENT_OFFERED:
        break;
    case ENDORSEMENT_KEPT:
        walk->view.is_kept = true;
        walk->view.decision = row->decision;
        walk->view.is_known_revoked = row->is_revoked;
        break;
    case ENDORSEMENT_SHOWN:
        walk->is_shown = is_in_force;
        walk->shown = is_in_force ? row->audience : AUDIENCE_SUBJECT;
        break;
    case ENDORSEMENT_QUOTED:
        if (is_in_force && walk->view.quoters_count < VOUCH_QUOTERS_MAX)
            walk->view.quoters[walk->view.quoters_count++] = row->writer;
        if (is_in_force && !walk->is_quote) {
            walk->is_quote = true;
            walk->quoted = row->audience;
            walk->view.quoted_by = row->writer;
        }
        break;
    }
}

static bool view_endorsement_is_me(const struct view_endorsement_walk *walk,
                                   const struct public_key *member)
{
    return public_key_is_equal(walk->me, member);
}

/* What I decided, as whom it is shown to. */
static enum audience view_endorsement_chosen(enum endorsement_decision decision)
{
    switch (decision) {
    case DECISION_PEERS:
        return AUDIENCE_PEERS;
    case DECISION_NETWORK:
        return AUDIENCE_NETWORK;
    case DECISION_PUBLIC:
        return AUDIENCE_PUBLIC;
    case DECISION_NONE:
    case DECISION_NOBODY:
    case DECISION_SET_ASIDE:
        break;
    }
    return AUDIENCE_SUBJECT;
}

static void view_endorsement_settle_mine(struct endorsement_view *view)
{
    view->shown_to = view_endorsement_chosen(view->decision);
    if (view->shown_to > view->ceiling)
        view->shown_to = view->ceiling;
    view->state = view->decision == DECISION_NONE        ? ENDORSEMENT_PENDING
                  : view->decision == DECISION_SET_ASIDE ? ENDORSEMENT_SET_ASIDE
                                                         : ENDORSEMENT_ACCEPTED;
}

/* How often the issuer has been told already, and whether one of those takes this one's place. */
static size_t view_endorsement_before(struct view_endorsement_walk *walk)
{
    size_t count = 0;

    for (size_t at = 0; at < walk->told_count; at++) {
        const struct view_endorsement_told *told = &walk->told[at];

        if (told->issuer.bytes[0] != walk->view.issuer.bytes[0] ||
            !public_key_is_equal(&told->issuer, &walk->view.issuer))
            continue;
        count++;
        if (told->has_supersedes && id_is_equal(&told->supersedes, &walk->view.id))
            walk->view.is_superseded = true;
    }
    return count;
}

static void view_endorsement_remember(struct view_endorsement_walk *walk)
{
    if (walk->told_count == ENDORSEMENTS_SHOWN_MAX)
        return;
    walk->told[walk->told_count++] =
        (struct view_endorsement_told){.issuer = walk->view.issuer,
                                       .has_supersedes = walk->view.has_supersedes,
                                       .supersedes = walk->view.supersedes};
}

/* PROTOCOL ENDORSE-9: "Of what one issuer says of one subject the newest three count, of all that a
 * subject shows the newest 200." */
static bool view_endorsement_is_beyond(struct view_endorsement_walk *walk, bool is_mine)
{
    struct endorsement_view *view = &walk->view;
    size_t before = view_endorsement_before(walk);
    bool counts = view->state == ENDORSEMENT_ACCEPTED || view->state == ENDORSEMENT_PENDING;
    bool is_beyond = before >= ENDORSEMENTS_PER_ISSUER_MAX ||
                     walk->told_count == ENDORSEMENTS_SHOWN_MAX || view->is_superseded;

    if (!counts)
        return false;
    if (!walk->is_capped)
        is_beyond = false;
    /* What I have decided about stays before my eyes; only undecided ones can flood me. */
    else if (is_mine && view->state == ENDORSEMENT_PENDING)
        is_beyond = before >= ENDORSEMENTS_PER_ISSUER_MAX;
    else if (is_mine)
        is_beyond = false;
    if (!is_beyond)
        view_endorsement_remember(walk);
    return is_beyond;
}

/* Of what one issuer wrote about me and I have not even kept only the newest count, taken back or
 * not: a hundred thousand more cost their rows, and nothing else. */
static bool view_endorsement_is_flood(struct view_endorsement_walk *walk)
{
    return walk->is_capped && !walk->view.is_kept &&
           view_endorsement_before(walk) >= ENDORSEMENTS_PER_ISSUER_MAX;
}

/* A walk over everything knows beforehand where asking is in vain. */
static enum err view_endorsement_ask_revoked(const struct view_endorsement_walk *walk, bool *out)
{
    unsigned place = view_endorsement_place(&walk->view.object);

    *out = false;
    if (walk->revoked != NULL && (walk->revoked[place / 8] & 1u << place % 8) == 0)
        return ERR_OK;
    return endorsement_table_is_revoked(walk->snapshot, &walk->view.issuer, &walk->view.object,
                                        out);
}

static enum err view_endorsement_tell(struct view_endorsement_walk *walk)
{
    struct endorsement_view *view = &walk->view;
    bool is_mine = view_endorsement_is_me(walk, &view->subject);
    bool is_by_me = view_endorsement_is_me(walk, &view->issuer);
    bool is_over = view->expires_s <= walk->now_s, is_revoked = false;
    enum err err;

    if (!walk->has_view)
        return ERR_OK;
    walk->has_view = false;
    if (is_mine && view_endorsement_is_flood(walk))
        return ERR_OK;
    err = view_endorsement_ask_revoked(walk, &is_revoked);
    if (err != ERR_OK)
        return err;
    if (is_mine) {
        is_revoked |= view->is_known_revoked;
        view_endorsement_settle_mine(view);
    } else {
        view->is_quoted = !walk->is_shown && walk->is_quote;
        view->shown_to = walk->is_shown ? walk->shown : walk->quoted;
        view->state = walk->is_shown || walk->is_quote ? ENDORSEMENT_ACCEPTED : ENDORSEMENT_SENT;
        if (!is_by_me && (view->state == ENDORSEMENT_SENT || is_over || is_revoked))
            return ERR_OK;
    }
    if (is_revoked || is_over) {
        view->state = is_revoked ? ENDORSEMENT_REVOKED : ENDORSEMENT_EXPIRED;
        view->shown_to = AUDIENCE_SUBJECT;
    }
    if (view_endorsement_is_beyond(walk, is_mine || is_by_me))
        return ERR_OK;
    return walk->each(walk->self, view);
}

static enum err view_endorsement_on_row(void *self, const struct endorsement_row *row)
{
    struct view_endorsement_walk *walk = self;
    bool counts = true;
    enum err err = ERR_OK;

    if (walk->has_view && !id_is_equal(&walk->view.object, &row->object))
        err = view_endorsement_tell(walk);
    if (err != ERR_OK)
        return err;
    if (walk->told_count > 0 && !public_key_is_equal(&walk->view.subject, &row->subject))
        walk->told_count = 0; /* Caps are for each subject. */
    if (!walk->has_view)
        view_endorsement_start(walk, row);
    if (row->source == ENDORSEMENT_QUOTED)
        err = view_endorsement_judge(walk, row, &counts);
    if (err == ERR_OK && counts)
        view_endorsement_gather(walk, row);
    return err;
}

enum err view_endorsement_of(const struct snapshot *snapshot, uint64_t now_ms,
                             const struct public_key *subject, view_endorsement_fn each, void *self)
{
    struct view_endorsement_walk walk;
    enum err err = view_endorsement_begin(&walk, snapshot, now_ms, each, self);

    walk.is_capped = true;
    if (err == ERR_OK)
        err = endorsement_table_about(snapshot, subject, view_endorsement_on_row, &walk);
    return err == ERR_OK ? view_endorsement_tell(&walk) : err;
}

struct view_endorsement_live {
    view_endorsement_fn each;
    void *self;
};

static enum err view_endorsement_on_live(void *self, const struct endorsement_view *view)
{
    struct view_endorsement_live *live = self;

    return view->state == ENDORSEMENT_ACCEPTED && !view->is_superseded
               ? live->each(live->self, view)
               : ERR_OK;
}

static enum err view_endorsement_on_revoked(void *self, const struct id *object)
{
    uint8_t *revoked = self;
    unsigned place = view_endorsement_place(object);

    revoked[place / 8] |= (uint8_t)(1u << place % 8);
    return ERR_OK;
}

enum err view_endorsement_every(const struct snapshot *snapshot, uint64_t now_ms,
                                view_endorsement_fn each, void *self)
{
    struct view_endorsement_live live = {.each = each, .self = self};
    uint8_t revoked[VIEW_ENDORSEMENT_PLACES / 8] = {0};
    struct view_endorsement_walk walk;
    enum err err = view_endorsement_begin(&walk, snapshot, now_ms, view_endorsement_on_live, &live);

    walk.is_capped = true;
    walk.revoked = revoked;
    if (err == ERR_OK)
        err = endorsement_table_revoked(snapshot, view_endorsement_on_revoked, revoked);
    if (err == ERR_OK)
        err = endorsement_table_about(snapshot, NULL, view_endorsement_on_row, &walk);
    return err == ERR_OK ? view_endorsement_tell(&walk) : err;
}

static enum err view_endorsement_on_place(void *self, const struct endorsement_place *place)
{
    struct view_endorsement_walk *walk = self;
    enum err err = endorsement_table_one(walk->snapshot, &place->subject, place->issued_s,
                                         &place->object, view_endorsement_on_row, walk);

    return err == ERR_OK ? view_endorsement_tell(walk) : err;
}

enum err view_endorsement_given(const struct snapshot *snapshot, uint64_t now_ms,
                                view_endorsement_fn each, void *self)
{
    struct view_endorsement_walk walk;
    enum err err = view_endorsement_begin(&walk, snapshot, now_ms, each, self);

    return err == ERR_OK ? endorsement_table_by(snapshot, walk.me, view_endorsement_on_place, &walk)
                         : err;
}

enum err view_endorsement_named(const struct snapshot *snapshot, uint64_t now_ms, struct span hex,
                                view_endorsement_fn each, void *self)
{
    struct view_endorsement_walk walk;
    enum err err = view_endorsement_begin(&walk, snapshot, now_ms, each, self);

    return err == ERR_OK ? endorsement_table_named(snapshot, hex, view_endorsement_on_place, &walk)
                         : err;
}

enum err view_endorsement_at(const struct snapshot *snapshot, uint64_t now_ms,
                             const struct endorsement_place *place, view_endorsement_fn each,
                             void *self)
{
    struct view_endorsement_walk walk;
    enum err err = view_endorsement_begin(&walk, snapshot, now_ms, each, self);

    return err == ERR_OK ? view_endorsement_on_place(&walk, place) : err;
}

struct view_endorsement_found {
    struct endorsement_view *out;
    bool is_found;
};

static enum err view_endorsement_copy(void *self, const struct endorsement_view *view)
{
    struct view_endorsement_found *found = self;

    *found->out = *view;
    found->out->about_count = 0; /* The tags lie in the store. */
    found->is_found = true;
    return ERR_OK;
}

enum err view_endorsement_get(const struct snapshot *snapshot, uint64_t now_ms,
                              const struct endorsement_place *place, struct endorsement_view *out)
{
    struct view_endorsement_found found = {.out = out};
    enum err err = view_endorsement_at(snapshot, now_ms, place, view_endorsement_copy, &found);

    return err == ERR_OK && !found.is_found ? ERR_NOT_FOUND : err;
}

enum err view_endorsement_record(const struct snapshot *snapshot,
                                 const struct endorsement_view *view, struct object *object,
                                 struct endorsement *out)
{
    uint32_t space;
    enum err err = row_get_numbered(snapshot, view->number, object, &space);

    if (err == ERR_OK)
        err = endorsement_read(object_value(object, ENDORSEMENT_STATEMENT).bytes, out);
    return err == ERR_FORGED || err == ERR_MALFORMED ? ERR_CORRUPT : err;
}

/* Counts. */

static enum err view_endorsement_count_given(void *self, const struct endorsement_view *view)
{
    struct endorsement_counts *counts = self;

    counts->given += view->state == ENDORSEMENT_SENT || view->state == ENDORSEMENT_ACCEPTED;
    return ERR_OK;
}

static enum err view_endorsement_count_received(void *self, const struct endorsement_view *view)
{
    struct endorsement_counts *counts = self;

    counts->received += view->state == ENDORSEMENT_PENDING || view->state == ENDORSEMENT_ACCEPTED;
    counts->pending += view->state == ENDORSEMENT_PENDING;
    counts->shown += view->state == ENDORSEMENT_ACCEPTED && view->shown_to > AUDIENCE_SUBJECT;
    return ERR_OK;
}

enum err view_endorsement_count(const struct snapshot *snapshot, uint64_t now_ms,
                                struct endorsement_counts *out)
{
    enum err err;

    *out = (struct endorsement_counts){0};
    err = view_endorsement_given(snapshot, now_ms, view_endorsement_count_given, out);
    return err == ERR_OK ? view_endorsement_of(snapshot, now_ms, ledger_member(snapshot->ledger),
                                               view_endorsement_count_received, out)
                         : err;
}
