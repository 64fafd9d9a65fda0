/* What people are endorsed for: of linked peers by what they show, of other contacts by what is
 * quoted (matches_quoted.c). */
#include "node/matches_state.h"

#include "node/vouch_words.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_peer.h"
#include "storage/view_same.h"

/* Endorsements. */

struct matches_loading {
    struct matches *matches;
    uint32_t number;
    size_t count; /* of this peer's */
};

static enum err matches_on_endorsement(void *self, const struct endorsement_view *view)
{
    struct matches_loading *loading = self;
    struct matches *matches = loading->matches;

    if (!matches_may_cite(matches, view))
        return ERR_OK;
    if (loading->count++ == MATCHES_ENDORSED_MAX ||
        matches->endorsed.size / sizeof(struct matches_endorsed) >= MATCHES_TAGS_MAX)
        return ERR_CANCELLED;
    for (size_t at = 0; at < view->about_count; at++) {
        struct matches_endorsed endorsed = {.number = loading->number,
                                            .at = (uint32_t)matches->abouts.size,
                                            .size = (uint32_t)view->about[at].size,
                                            .issuer = view->issuer};

        buf_append(&matches->abouts, view->about[at]);
        buf_append(&matches->endorsed, span_of(&endorsed, sizeof endorsed));
    }
    return ERR_OK;
}

static enum err matches_on_peer(void *self, const struct peer *peer)
{
    struct matches_loading *loading = self;
    const struct snapshot *snapshot = &loading->matches->call->snapshot;
    struct space_row space;
    uint32_t number;
    enum err err;

    if (peer->state != LINK_LINKED || !peer->has_contact)
        return ERR_OK;
    loading->count = 0;
    err = ledger_space(snapshot, ledger_self_space(snapshot->ledger), &space);
    if (err == ERR_OK)
        err = row_find(snapshot, space.number, KIND_CONTACT, &peer->contact, &number);
    if (err == ERR_OK)
        err = view_same_head(snapshot, number, &loading->number);
    if (err == ERR_OK)
        err = view_endorsement_of(snapshot, loading->matches->call->now_ms, &peer->member,
                                  matches_on_endorsement, loading);
    return err == ERR_NOT_FOUND || err == ERR_CANCELLED ? ERR_OK : err;
}

enum err matches_load(struct matches *matches)
{
    struct matches_loading loading = {.matches = matches};
    enum err err;

    if (matches->is_loaded)
        return ERR_OK;
    err = view_contact_count(&matches->call->snapshot, &matches->contacts);
    if (err == ERR_OK)
        err = matches_open_vouches(matches);
    if (err == ERR_OK)
        err = view_peer_each(&matches->call->snapshot, matches_on_peer, &loading);
    if (err == ERR_OK)
        err = buf_err(&matches->abouts);
    if (err == ERR_OK)
        err = buf_err(&matches->endorsed);
    matches->is_loaded = err == ERR_OK;
    return err;
}

static const struct matches_endorsed *matches_endorsed_at(const struct matches *matches,
                                                          size_t index, struct span *out_about)
{
    const struct matches_endorsed *all =
        (const struct matches_endorsed *)(const void *)matches->endorsed.data;

    if (index >= matches->endorsed.size / sizeof *all)
        return NULL;
    *out_about = span_of(matches->abouts.data + all[index].at, all[index].size);
    return &all[index];
}

enum err matches_look_endorsed(const struct matches *matches, const struct match_ask *ask,
                               uint32_t number, struct match_found *found)
{
    const struct matches_endorsed *endorsed;
    struct span about;
    enum err err = ERR_OK;

    for (size_t at = 0;
         err == ERR_OK && (endorsed = matches_endorsed_at(matches, at, &about)) != NULL; at++)
        if (endorsed->number == number)
            err = match_look(ask, MATCH_IN_ENDORSEMENTS, about, found);
    return err;
}

enum err matches_say_endorsed(struct buf *out, struct matches *matches, const struct match_ask *ask,
                              uint32_t number)
{
    const struct matches_endorsed *endorsed;
    struct span about;
    enum err err = ERR_OK;

    for (size_t at = 0;
         err == ERR_OK && (endorsed = matches_endorsed_at(matches, at, &about)) != NULL; at++) {
        struct match_found found = {0};

        if (endorsed->number != number)
            continue;
        err = match_look(ask, MATCH_IN_ENDORSEMENTS, about, &found);
        if (err != ERR_OK || found.at[MATCH_IN_ENDORSEMENTS] == 0)
            continue;
        matches_say(out, "endorsed for ", about);
        buf_append(out, span_str(" by "));
        return vouch_put_name(&matches->vouches, &endorsed->issuer,
                              out); /* The newest is enough. */
    }
    return err;
}

enum err matches_judge_endorsed(struct matches_search *search,
                                const struct view_search_found *ranked)
{
    const struct matches_endorsed *endorsed;
    struct span about;
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && search->count < MATCHES_LOOKED_MAX; at++) {
        struct match_found found = {0};
        bool is_known = false;

        endorsed = matches_endorsed_at(search->matches, at, &about);
        if (endorsed == NULL)
            break;
        err = match_look(&search->ask, MATCH_IN_ENDORSEMENTS, about, &found);
        for (size_t other = 0; other < ranked->count; other++)
            is_known |= ranked->numbers[other] == endorsed->number;
        for (size_t other = 0; other < search->count; other++)
            is_known |= search->rows[other].number == endorsed->number;
        if (err == ERR_OK && found.at[MATCH_IN_ENDORSEMENTS] != 0 && !is_known)
            err = matches_judge(search, endorsed->number);
    }
    return err;
}
