/* Roots become numbers by a table of their own, under a random salt: who chooses roots cannot make
 * them meet. */
#include "node/vouch.h"

#include <string.h>

#include "crypto/heap.h"
#include "proto/limits.h"
#include "storage/fold.h"

enum { VOUCH_SLOTS_MIN = 1024, VOUCH_NAMES_SIZE = 1 << 20 };

/* Of each person the others; at has one place more than people. */
struct vouch_links {
    uint32_t *at, *others;
};

struct vouch_graph {
    const struct ledger *ledger;
    uint64_t changes; /* of the endorsements it was made of */
    uint64_t from_ms, until_ms;
    uint64_t salt[4];
    struct buf members; /* struct public_key, by number */
    uint32_t *slots;    /* number + 1, or 0; a power of two, at most half of them taken */
    size_t slots_count;
    struct trust_graph trust;
    struct vouch_tags tags;
    struct vouch_links quoters, quoted;
    struct buf names;   /* those looked up: size, bytes */
    uint32_t *names_at; /* of each person: place + 1; 0: not looked up */
    bool is_cut;
};

/* People as numbers. */

static uint64_t vouch_hash(const struct vouch_graph *graph, const struct public_key *member)
{
    uint64_t sum = 0;

    for (size_t at = 0; at < 4; at++)
        sum = (sum ^ (be64(member->bytes + 8 * at) + graph->salt[at])) * (graph->salt[at] | 1);
    return sum ^ sum >> 29;
}

static const struct public_key *vouch_members(const struct vouch_graph *graph)
{
    return (const struct public_key *)(const void *)graph->members.data;
}

static size_t vouch_people(const struct vouch_graph *graph)
{
    return graph->members.size / sizeof(struct public_key);
}

/* The slot of a member, or the empty one where they belong. */
static size_t vouch_slot(const struct vouch_graph *graph, const struct public_key *member)
{
    size_t at = vouch_hash(graph, member) & (graph->slots_count - 1);

    while (graph->slots[at] != 0 &&
           !public_key_is_equal(&vouch_members(graph)[graph->slots[at] - 1], member))
        at = (at + 1) & (graph->slots_count - 1);
    return at;
}

static enum err vouch_widen(struct vouch_graph *graph)
{
    size_t count = graph->slots_count > 0 ? 2 * graph->slots_count : VOUCH_SLOTS_MIN;
    uint32_t *slots = heap_new_zeroed(count, sizeof *slots);

    if (slots == NULL)
        return ERR_NOMEM;
    heap_free(graph->slots);
    graph->slots = slots;
    graph->slots_count = count;
    for (size_t at = 0; at < vouch_people(graph); at++)
        graph->slots[vouch_slot(graph, &vouch_members(graph)[at])] = (uint32_t)at + 1;
    return ERR_OK;
}

/* ERR_LIMIT: no room for somebody more. */
static enum err vouch_number(struct vouch_graph *graph, const struct public_key *member,
                             uint32_t *out)
{
    size_t slot, people = vouch_people(graph);
    enum err err = 2 * people >= graph->slots_count ? vouch_widen(graph) : ERR_OK;

    if (err != ERR_OK)
        return err;
    slot = vouch_slot(graph, member);
    if (graph->slots[slot] == 0) {
        if (people == VOUCH_PEOPLE_MAX)
            return ERR_LIMIT;
        buf_append(&graph->members, span_of(member, sizeof *member));
        if (buf_err(&graph->members) != ERR_OK)
            return ERR_NOMEM;
        graph->slots[slot] = (uint32_t)people + 1;
    }
    *out = graph->slots[slot] - 1;
    return ERR_OK;
}

/* Reading. */

/* A peer of mine and somebody whom they are linked with. */
struct vouch_link {
    uint32_t person, quoter;
};

struct vouch_reading {
    struct vouch_graph *graph;
    struct public_key me;
    struct buf vouches; /* struct trust_vouch */
    struct buf links;   /* struct vouch_link */
    struct buf folded;
    uint64_t now_ms;
};

/* The number of a tag; FNV-1a finds it. */
static enum err vouch_tag(struct vouch_reading *reading, struct span tag,
                          const struct trust_vouch *vouch, uint32_t *out)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    enum err err;

    buf_clear(&reading->folded);
    err = fold(tag, &reading->folded);
    for (size_t at = 0; at < reading->folded.size; at++)
        hash = (hash ^ reading->folded.data[at]) * UINT64_C(0x100000001b3);
    return err == ERR_OK ? vouch_tags_add(&reading->graph->tags, buf_span(&reading->folded), hash,
                                          vouch->to, vouch->from, out)
                         : err;
}

/* Quotes of one person by one peer mostly follow one another. */
static enum err vouch_note_links(struct vouch_reading *reading, const struct endorsement_view *view,
                                 uint32_t person)
{
    enum err err = ERR_OK;

    for (size_t at = 0; view->is_quoted && err == ERR_OK && at < view->quoters_count; at++) {
        struct vouch_link link = {.person = person};
        const struct vouch_link *last =
            (const struct vouch_link *)(const void *)reading->links.data +
            reading->links.size / sizeof link;

        err = vouch_number(reading->graph, &view->quoters[at], &link.quoter);
        if (err == ERR_OK && (reading->links.size == 0 || last[-1].person != person ||
                              last[-1].quoter != link.quoter)) {
            buf_append(&reading->links, span_of(&link, sizeof link));
            err = buf_err(&reading->links);
        }
    }
    return err;
}

static void vouch_ends(struct vouch_reading *reading, const struct endorsement_view *view)
{
    uint64_t left_s = view->expires_s - reading->now_ms / 1000;

    if (view->shown_left_s < left_s)
        left_s = view->shown_left_s;
    if (reading->now_ms + left_s * 1000 < reading->graph->until_ms)
        reading->graph->until_ms = reading->now_ms + left_s * 1000;
}

/* PROTOCOL TRUST-1: "The viewer's own endorsements of others are told and carry nothing: how near
 * somebody is to the viewer is what the viewer said." */
static enum err vouch_on_view(void *self, const struct endorsement_view *view)
{
    struct vouch_reading *reading = self;
    struct trust_vouch vouch = {.day = (uint32_t)(view->issued_s / (VOUCH_MS_PER_DAY / 1000)),
                                .relation = (uint8_t)view->relation,
                                .tags_count = (uint8_t)view->about_count};
    enum err err;

    if (public_key_is_equal(&view->issuer, &reading->me))
        return ERR_OK;
    if (reading->vouches.size / sizeof vouch == VOUCHES_MAX) {
        reading->graph->is_cut = true;
        return ERR_CANCELLED;
    }
    err = vouch_number(reading->graph, &view->issuer, &vouch.from);
    if (err == ERR_OK)
        err = vouch_number(reading->graph, &view->subject, &vouch.to);
    for (size_t at = 0; err == ERR_OK && at < view->about_count; at++)
        err = vouch_tag(reading, view->about[at], &vouch, &vouch.tags[at]);
    if (err == ERR_OK)
        err = vouch_note_links(reading, view, vouch.to);
    if (err == ERR_LIMIT) {
        reading->graph->is_cut = true;
        return ERR_OK;
    }
    if (err != ERR_OK)
        return err;
    vouch_ends(reading, view);
    buf_append(&reading->vouches, span_of(&vouch, sizeof vouch));
    return buf_err(&reading->vouches);
}

static void vouch_free(struct vouch_graph *graph)
{
    if (graph == NULL)
        return;
    trust_graph_release(&graph->trust);
    vouch_tags_release(&graph->tags);
    heap_free(graph->quoters.at);
    heap_free(graph->quoters.others);
    heap_free(graph->quoted.at);
    heap_free(graph->quoted.others);
    buf_release(&graph->names);
    heap_free(graph->names_at);
    buf_release(&graph->members);
    heap_free(graph->slots);
    heap_free(graph);
}

/* Links by the one or by the other. */
static enum err vouch_sort_links(const struct vouch_reading *reading, size_t people,
                                 bool is_by_quoter, struct vouch_links *out)
{
    const struct vouch_link *links = (const struct vouch_link *)(const void *)reading->links.data;
    size_t count = reading->links.size / sizeof *links;

    out->at = heap_new_zeroed(people + 2, sizeof *out->at);
    out->others = heap_new_zeroed(count + 1, sizeof *out->others);
    if (out->at == NULL || out->others == NULL)
        return ERR_NOMEM;
    for (size_t at = 0; at < count; at++)
        out->at[(is_by_quoter ? links[at].quoter : links[at].person) + 1]++;
    for (size_t person = 0; person < people; person++)
        out->at[person + 1] += out->at[person];
    for (size_t at = 0; at < count; at++) {
        uint32_t one = is_by_quoter ? links[at].quoter : links[at].person;

        out->others[out->at[one]++] = is_by_quoter ? links[at].person : links[at].quoter;
    }
    memmove(out->at + 1, out->at, people * sizeof *out->at);
    out->at[0] = 0;
    return ERR_OK;
}

static enum err vouch_settle_links(struct vouch_graph *graph, const struct vouch_reading *reading)
{
    size_t people = vouch_people(graph);
    enum err err = vouch_sort_links(reading, people, false, &graph->quoters);

    graph->names_at = heap_new_zeroed(people + 1, sizeof *graph->names_at);
    if (err == ERR_OK)
        err = vouch_sort_links(reading, people, true, &graph->quoted);
    return err == ERR_OK && graph->names_at == NULL ? ERR_NOMEM : err;
}

static enum err vouch_read(const struct snapshot *snapshot, uint64_t now_ms,
                           struct vouch_graph *graph)
{
    struct vouch_reading reading = {
        .graph = graph, .me = *ledger_member(snapshot->ledger), .now_ms = now_ms};
    uint64_t today = now_ms / VOUCH_MS_PER_DAY;
    enum err err;

    graph->ledger = snapshot->ledger;
    graph->changes = endorsement_table_changes(snapshot);
    graph->from_ms = now_ms;
    graph->until_ms = (today + 1) * VOUCH_MS_PER_DAY;
    entropy_fill(ledger_entropy(snapshot->ledger), (uint8_t *)graph->salt, sizeof graph->salt);
    err = vouch_widen(graph);
    if (err == ERR_OK)
        err = view_endorsement_every(snapshot, now_ms, vouch_on_view, &reading);
    if (err == ERR_OK || err == ERR_CANCELLED)
        err = trust_graph_make((uint32_t)vouch_people(graph),
                               (struct trust_vouch *)(void *)reading.vouches.data,
                               (uint32_t)(reading.vouches.size / sizeof(struct trust_vouch)),
                               (uint32_t)today, &graph->trust);
    if (err == ERR_OK)
        err = vouch_settle_links(graph, &reading);
    buf_release(&reading.vouches);
    buf_release(&reading.links);
    buf_release(&reading.folded);
    return err;
}

static bool vouch_is_current(const struct vouch_graph *graph, const struct op_call *call)
{
    return graph->ledger == call->snapshot.ledger &&
           graph->changes == endorsement_table_changes(&call->snapshot) &&
           graph->from_ms <= call->now_ms && call->now_ms < graph->until_ms;
}

/* What a transaction has changed and not committed is nobody else's to see: only what is read on a
 * snapshot is kept. */
static enum err vouch_get(const struct op_call *call, struct vouch_view *view)
{
    struct vouch_cache *cache = call->txn == NULL ? call->world->vouches : NULL;
    struct vouch_graph *graph;
    enum err err;

    if (cache != NULL && cache->graph != NULL && vouch_is_current(cache->graph, call)) {
        view->graph = cache->graph;
        view->is_kept = true;
        return ERR_OK;
    }
    if (cache != NULL)
        vouch_cache_release(cache);
    graph = heap_new_zeroed(1, sizeof *graph);
    err = graph != NULL ? vouch_read(&call->snapshot, call->now_ms, graph) : ERR_NOMEM;
    if (err != ERR_OK) {
        vouch_free(graph);
        return err;
    }
    view->graph = graph;
    view->is_kept = cache != NULL;
    if (cache != NULL)
        cache->graph = graph;
    return ERR_OK;
}

void vouch_cache_release(struct vouch_cache *cache)
{
    vouch_free(cache->graph);
    cache->graph = NULL;
}

/* The first hop. */

uint32_t vouch_amount(enum closeness level)
{
    static const uint32_t amounts[] = {
        [CLOSENESS_UNSET] = TRUST_MUTED, [CLOSENESS_CLOSE] = TRUST_CLOSE,
        [CLOSENESS_GOOD] = TRUST_GOOD,   [CLOSENESS_KNOWN] = TRUST_KNOWN,
        [CLOSENESS_MET] = TRUST_MET,     [CLOSENESS_MUTED] = TRUST_MUTED};

    return amounts[level];
}

static enum err vouch_find_friends(struct vouch_view *view)
{
    const struct closeness_list *near = &view->near;

    view->friends = heap_new_zeroed(near->members_count + 1, sizeof *view->friends);
    view->friend_rows = heap_new_zeroed(near->members_count + 1, sizeof(void *));
    if (view->friends == NULL || view->friend_rows == NULL)
        return ERR_NOMEM;
    for (size_t at = 0; at < near->members_count; at++) {
        struct trust_friend *known = &view->friends[view->friends_count];

        if (!vouch_person(view, &near->rows[at].member, &known->person))
            continue;
        known->closeness = vouch_amount(near->rows[at].level);
        view->friend_rows[view->friends_count++] = &near->rows[at];
    }
    return ERR_OK;
}

enum err vouch_open(const struct op_call *call, struct vouch_view *out)
{
    enum err err;

    *out = (struct vouch_view){.call = call};
    err = vouch_get(call, out);
    if (err == ERR_OK)
        err = closeness_load(&call->snapshot, &out->near);
    if (err == ERR_OK)
        err = vouch_find_friends(out);
    if (err == ERR_OK)
        err = trust_flow_new(&out->graph->trust, out->friends, out->friends_count, &out->flow);
    if (err != ERR_OK)
        vouch_close(out);
    return err;
}

void vouch_close(struct vouch_view *view)
{
    trust_flow_free(view->flow);
    heap_free(view->friends);
    heap_free(view->friend_rows);
    closeness_release(&view->near);
    if (!view->is_kept)
        vouch_free(view->graph);
    *view = (struct vouch_view){0};
}

bool vouch_person(const struct vouch_view *view, const struct public_key *member, uint32_t *out)
{
    uint32_t number = view->graph->slots[vouch_slot(view->graph, member)];

    *out = number - 1;
    return number != 0;
}

const struct public_key *vouch_member(const struct vouch_view *view, uint32_t person)
{
    return &vouch_members(view->graph)[person];
}

const struct closeness_row *vouch_friend(const struct vouch_view *view, uint32_t branch)
{
    return view->friend_rows[branch];
}

bool vouch_name(const struct vouch_view *view, uint32_t person, struct span *out)
{
    const struct vouch_graph *graph = view->graph;
    const uint8_t *at = graph->names.data + graph->names_at[person];

    if (graph->names_at[person] == 0)
        return false;
    *out = span_of(at, at[-1]);
    return true;
}

enum err vouch_keep_name(struct vouch_view *view, uint32_t person, struct span name)
{
    struct vouch_graph *graph = view->graph;

    if (graph->names.size > VOUCH_NAMES_SIZE) {
        buf_clear(&graph->names);
        memset(graph->names_at, 0, graph->trust.people * sizeof *graph->names_at);
    }
    buf_byte(&graph->names, (uint8_t)name.size);
    if (buf_err(&graph->names) == ERR_OK)
        graph->names_at[person] = (uint32_t)graph->names.size;
    buf_append(&graph->names, name);
    return buf_err(&graph->names);
}

static const uint32_t *vouch_linked(const struct vouch_links *links, uint32_t person,
                                    uint32_t *out_count)
{
    *out_count = links->at[person + 1] - links->at[person];
    return links->others + links->at[person];
}

const uint32_t *vouch_quoters(const struct vouch_view *view, uint32_t person, uint32_t *out_count)
{
    return vouch_linked(&view->graph->quoters, person, out_count);
}

const uint32_t *vouch_quoted(const struct vouch_view *view, uint32_t person, uint32_t *out_count)
{
    return vouch_linked(&view->graph->quoted, person, out_count);
}

struct vouch_finding {
    const struct vouch_view *view;
    vouch_find_fn each;
    void *self;
};

/* PROTOCOL TRUST-2: "Muted people, and every endorsement by or of them, are left out before
 * anything is counted." */
static enum err vouch_on_mention(void *self, uint32_t person, uint32_t by)
{
    const struct vouch_finding *finding = self;
    const struct trust_flow *flow = finding->view->flow;

    return trust_is_muted(flow, person) || trust_is_muted(flow, by)
               ? ERR_OK
               : finding->each(finding->self, person);
}

enum err vouch_find(const struct vouch_view *view, struct span folded, vouch_find_fn each,
                    void *self)
{
    struct vouch_finding finding = {.view = view, .each = each, .self = self};

    return vouch_tags_find(&view->graph->tags, folded, vouch_on_mention, &finding);
}

enum err vouch_where(const struct vouch_view *view, vouch_tags_fit_fn fits, void *fits_self,
                     vouch_find_fn each, void *self)
{
    struct vouch_finding finding = {.view = view, .each = each, .self = self};

    return vouch_tags_where(&view->graph->tags, fits, fits_self, vouch_on_mention, &finding);
}

const struct trust_graph *vouch_trust(const struct vouch_view *view)
{
    return &view->graph->trust;
}

bool vouch_is_cut(const struct vouch_view *view)
{
    return view->graph->is_cut || view->graph->tags.is_cut;
}
