/* The graph of endorsements says who is endorsed for a word; of these a few are read. */
#include "node/matches_state.h"

#include <string.h>

#include "node/describe.h"
#include "node/describe_path.h"
#include "node/vouch_words.h"
#include "proto/contact.h"
#include "storage/fold.h"
#include "storage/view_contact.h"
#include "storage/view_same.h"

struct matches_quoting {
    struct matches_search *search;
    uint32_t people[MATCHES_QUOTED_MAX];
    size_t count;
    enum match_sort sort; /* what is looked for */
    uint64_t found;       /* terms in the tag that is looked at */
};

/* Finding. */

enum err matches_open_vouches(struct matches *matches)
{
    enum err err = matches->is_open ? ERR_OK : vouch_open(matches->call, &matches->vouches);

    matches->is_open = true; /* Closed by matches_end, whatever came of it. */
    return err;
}

/* PROTOCOL TRUST-2: "Muted people, and every endorsement by or of them, are left out before
 * anything is counted." */
bool matches_may_cite(const struct matches *matches, const struct endorsement_view *view)
{
    const struct closeness_row *issuer = closeness_of(&matches->vouches.near, &view->issuer);

    return (view->state == ENDORSEMENT_ACCEPTED || view->state == ENDORSEMENT_SENT) &&
           (issuer == NULL || issuer->level != CLOSENESS_MUTED);
}

/* Linked peers were looked at as peers. */
static bool matches_is_known(const struct matches_search *search, const struct public_key *member)
{
    const struct matches *matches = search->matches;
    const struct closeness_row *near = closeness_of(&matches->vouches.near, member);

    return public_key_is_equal(member, ledger_member(matches->call->snapshot.ledger)) ||
           (near != NULL && (near->is_peer || near->is_blocked)) ||
           (search->question->is_left_out != NULL &&
            search->question->is_left_out(search->question->self, member));
}

static enum err matches_on_person(void *self, uint32_t person)
{
    struct matches_quoting *quoting = self;
    const struct vouch_view *vouches = &quoting->search->matches->vouches;

    for (size_t at = 0; at < quoting->count; at++)
        if (quoting->people[at] == person)
            return ERR_OK;
    if (matches_is_known(quoting->search, vouch_member(vouches, person)))
        return ERR_OK;
    if (quoting->count == MATCHES_QUOTED_MAX)
        return ERR_CANCELLED;
    quoting->people[quoting->count++] = person;
    return ERR_OK;
}

static enum err matches_on_tag_word(void *context, struct span word)
{
    struct matches_quoting *quoting = context;
    const struct match_ask *ask = &quoting->search->ask;

    for (size_t at = 0; at < ask->count; at++)
        if (ask->terms[at].bytes[0] == word.data[0] && match_fits(&ask->terms[at], word))
            quoting->found |= UINT64_C(1) << at;
    return ERR_OK;
}

/* Are all words of a tag of the ask in it, or (sort) one word of the text? */
static enum err matches_fits_tag(void *self, struct span folded_tag, bool *out)
{
    struct matches_quoting *quoting = self;
    const struct match_ask *ask = &quoting->search->ask;
    enum err err;

    quoting->found = 0;
    err = fold_words(folded_tag, matches_on_tag_word, quoting);
    for (size_t at = 0, first; at < ask->count && quoting->found != 0;) {
        uint64_t group = 0;

        for (first = at; at < ask->count && ask->terms[at].group == ask->terms[first].group; at++)
            group |= UINT64_C(1) << at;
        *out |= ask->terms[first].sort == quoting->sort &&
                (group & ~(quoting->found & ~ask->ignored)) == 0;
    }
    return err;
}

/* Those who fit a tag of the ask before those who fit its text. */
static enum err matches_find_people(struct matches_quoting *quoting)
{
    static const enum match_sort sorts[] = {MATCH_SKILL, MATCH_WORD};
    enum err err = ERR_OK;

    for (size_t at = 0; at < sizeof sorts / sizeof sorts[0] && err == ERR_OK; at++) {
        quoting->sort = sorts[at];
        err = vouch_where(&quoting->search->matches->vouches, matches_fits_tag, quoting,
                          matches_on_person, quoting);
    }
    return err == ERR_CANCELLED ? ERR_OK : err;
}

/* Endorsements of one. */

struct matches_reading {
    struct matches_search *search;
    struct matches_row *row;
    uint32_t number; /* of the contact, who is endorsed for all of it */
};

static enum err matches_keep_about(struct matches *matches, uint32_t number, struct span about,
                                   const struct public_key *issuer, struct matches_endorsed *out)
{
    *out = (struct matches_endorsed){.number = number,
                                     .at = (uint32_t)matches->abouts.size,
                                     .size = (uint32_t)about.size,
                                     .issuer = *issuer};
    buf_append(&matches->abouts, about);
    return buf_err(&matches->abouts);
}

static enum err matches_on_about(const struct matches_reading *reading,
                                 const struct endorsement_view *view, struct span about)
{
    struct matches *matches = reading->search->matches;
    struct matches_row *row = reading->row;
    struct matches_endorsed endorsed;
    struct match_found found = {0};
    enum err err = ERR_OK;

    if (row == NULL) {
        err = matches_keep_about(matches, reading->number, about, &view->issuer, &endorsed);
        buf_append(&matches->endorsed, span_of(&endorsed, sizeof endorsed));
        return err == ERR_OK ? buf_err(&matches->endorsed) : err;
    }
    err = match_look(&reading->search->ask, MATCH_IN_ENDORSEMENTS, about, &found);
    if (err != ERR_OK || found.at[MATCH_IN_ENDORSEMENTS] == 0)
        return err;
    row->found.at[MATCH_IN_ENDORSEMENTS] |= found.at[MATCH_IN_ENDORSEMENTS];
    if (row->endorsed.size > 0)
        return ERR_OK; /* The newest says enough. */
    row->is_quoted = view->is_quoted;
    row->quoted_by = view->quoted_by;
    return matches_keep_about(matches, 0, about, &view->issuer, &row->endorsed);
}

static enum err matches_on_quoted(void *self, const struct endorsement_view *view)
{
    struct matches_reading *reading = self;
    enum err err = ERR_OK;

    if (!matches_may_cite(reading->search->matches, view))
        return ERR_OK;
    for (size_t at = 0; at < view->about_count && err == ERR_OK; at++)
        err = matches_on_about(reading, view, view->about[at]);
    return err;
}

static enum err matches_read(struct matches_reading *reading, const struct public_key *member)
{
    const struct op_call *call = reading->search->matches->call;

    return view_endorsement_of(&call->snapshot, call->now_ms, member, matches_on_quoted, reading);
}

/* Who of them is in the address book. */

static bool matches_has_endorsed(const struct matches *matches, uint32_t number)
{
    struct matches_endorsed endorsed;

    for (size_t at = 0; at < matches->endorsed.size; at += sizeof endorsed) {
        memcpy(&endorsed, matches->endorsed.data + at, sizeof endorsed);
        if (endorsed.number == number)
            return true;
    }
    return false;
}

static enum err matches_sort_out(struct matches_search *search, const struct public_key *member,
                                 struct buf *out)
{
    const struct snapshot *snapshot = &search->matches->call->snapshot;
    struct matches_reading reading = {.search = search};
    uint32_t number;
    enum err err = view_contact_of_member(snapshot, member, &number);

    if (err == ERR_NOT_FOUND) {
        buf_append(out, span_of(member, sizeof *member));
        return buf_err(out);
    }
    if (err == ERR_OK)
        err = view_same_head(snapshot, number, &reading.number);
    if (err != ERR_OK || matches_has_endorsed(search->matches, reading.number) ||
        search->matches->endorsed.size / sizeof(struct matches_endorsed) >= MATCHES_TAGS_MAX)
        return err;
    return matches_read(&reading, member);
}

enum err matches_find_quoted(struct matches_search *search, struct buf *out)
{
    struct matches_quoting quoting = {.search = search};
    const struct vouch_view *vouches = &search->matches->vouches;
    enum err err = matches_open_vouches(search->matches);

    if (err == ERR_OK)
        err = matches_find_people(&quoting);
    for (size_t at = 0; at < quoting.count && err == ERR_OK; at++)
        err = matches_sort_out(search, vouch_member(vouches, quoting.people[at]), out);
    return err;
}

/* Judging. */

static enum err matches_judge_member(struct matches_search *search, const struct public_key *member)
{
    struct matches_row *row = &search->rows[search->count];
    struct matches_reading reading = {.search = search, .row = row};
    struct buf name = {0};
    enum err err;

    *row = (struct matches_row){.member = *member};
    memcpy(row->id.bytes, member->bytes, ID_SIZE);
    err = matches_read(&reading, member);
    row->score = err == ERR_OK ? match_score(&search->ask, &row->found) : 0;
    if (err != ERR_OK || row->score == 0)
        return err;
    search->count++;
    err = vouch_put_name(&search->matches->vouches, member, &name);
    if (err == ERR_OK)
        err = fold(buf_span(&name), &row->folded);
    buf_release(&name);
    return err;
}

enum err matches_judge_quoted(struct matches_search *search, const struct buf *members)
{
    struct public_key member;
    enum err err = ERR_OK;

    for (size_t at = 0; at < members->size && err == ERR_OK && search->count < MATCHES_LOOKED_MAX;
         at += sizeof member) {
        memcpy(&member, members->data + at, sizeof member);
        err = matches_judge_member(search, &member);
    }
    return err;
}

/* Saying. */

static enum err matches_say_quoted(struct matches_search *search, const struct matches_row *row,
                                   struct buf *out)
{
    struct matches *matches = search->matches;
    enum err err;

    matches_say(out, "endorsed for ",
                span_of(matches->abouts.data + row->endorsed.at, row->endorsed.size));
    buf_append(out, span_str(" by "));
    err = vouch_put_name(&matches->vouches, &row->endorsed.issuer, out);
    if (err == ERR_OK && row->is_quoted) {
        buf_append(out, span_str(", as "));
        err = vouch_put_name(&matches->vouches, &row->quoted_by, out);
        buf_append(out, span_str(" quotes"));
    }
    matches_say(out, "", span_str("nobody of your address book"));
    return err == ERR_OK ? buf_err(out) : err;
}

static json_t *matches_next_quoted(struct matches_search *search, const struct matches_row *row)
{
    json_t *list = json_array(), *from;
    struct buf line = {0};
    char did[DID_SIZE];

    identity_did(&row->member, did);
    matches_add_next(list, (const char *const[]){"kith path", did, NULL});
    if (!row->is_quoted)
        return list;
    from = vouch_describe(&search->matches->vouches, &row->quoted_by);
    describe_path_put_who(from, &line);
    buf_byte(&line, 0);
    if (buf_err(&line) == ERR_OK)
        matches_add_next(list,
                         (const char *const[]){"kith intro want", did, "--from",
                                               (const char *)line.data, "--blurb \"...\"", NULL});
    json_decref(from);
    buf_release(&line);
    return list;
}

enum err matches_describe_quoted(struct matches_search *search, const struct matches_row *row,
                                 json_t *list)
{
    struct vouch_view *vouches = &search->matches->vouches;
    struct buf why = {0}, name = {0};
    json_t *who = vouch_describe(vouches, &row->member), *described;
    enum err err = matches_say_quoted(search, row, &why);

    if (err == ERR_OK)
        err = vouch_put_name(vouches, &row->member, &name);
    if (err == ERR_OK)
        describe_set_name(who, buf_span(&name)); /* The key, when nobody told one. */
    described = json_pack("{s:o, s:b, s:o}", "contact", who, "peer", 0, "next",
                          matches_next_quoted(search, row));
    if (described != NULL)
        describe_set_text(described, "why", buf_span(&why));
    if (json_array_append_new(list, described) != 0 && err == ERR_OK)
        err = ERR_NOMEM;
    buf_release(&why);
    buf_release(&name);
    return err;
}
