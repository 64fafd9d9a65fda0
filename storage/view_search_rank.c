/*
 * Ranking: whatever a hint's postings name gains the hint's weight, once. Then one pass over the
 * sums keeps the best. Costs the postings read and that pass, whatever the rows hold: none is read.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "storage/ledger_state.h"
#include "storage/view_contact.h"
#include "storage/view_same.h"
#include "storage/view_search_state.h"

_Static_assert(VIEW_SEARCH_WEIGHT_MAX *VIEW_SEARCH_HINTS_MAX <= UINT16_MAX, "sums fit");

struct view_search_ranking {
    const struct snapshot *snapshot;
    uint8_t *is_hit;  /* of each number, for the hint at hand */
    struct buf hits;  /* the numbers that were hit once, uint32_t each */
    uint16_t *sums;   /* of each number */
    uint32_t numbers; /* how many there are */
    uint64_t budget;
    struct view_search_hint *hint;
};

static void view_search_hit(struct view_search_ranking *ranking, uint32_t number)
{
    if (number >= ranking->numbers || ranking->is_hit[number] != 0)
        return;
    ranking->is_hit[number] = 1;
    buf_append(&ranking->hits, span_of(&number, sizeof number));
}

static bool view_search_take_hit(struct view_search_ranking *ranking, uint32_t number)
{
    bool was_hit = number < ranking->numbers && ranking->is_hit[number] != 0;

    if (was_hit)
        ranking->is_hit[number] = 0;
    return was_hit;
}

static enum err view_search_on_hinted(void *self, struct span token, const uint32_t *numbers,
                                      size_t count)
{
    struct view_search_ranking *ranking = self;

    if (!ranking->hint->fits(ranking->hint->self, token))
        return ERR_OK;
    if (ranking->budget < count)
        return ERR_CANCELLED;
    ranking->budget -= count;
    for (size_t at = 0; at < count; at++)
        view_search_hit(ranking, numbers[at]);
    return ERR_OK;
}

static enum err view_search_hit_contact(void *self, uint32_t number, const struct object *contact)
{
    (void)contact;
    view_search_hit(self, number);
    return ERR_OK;
}

/* What stands on a card counts for the contacts linked to its writer. */
static enum err view_search_hit_card(void *self, uint32_t card, const struct public_key *writer)
{
    struct view_search_ranking *ranking = self;

    if (!view_search_take_hit(ranking, card))
        return ERR_OK;
    return view_contact_match(ranking->snapshot, MATCH_BY_MEMBER,
                              span_of(writer->bytes, sizeof writer->bytes), view_search_hit_contact,
                              ranking);
}

static enum err view_search_hit_same(void *self, uint32_t number, uint32_t head)
{
    if (view_search_take_hit(self, number))
        view_search_hit(self, head);
    return ERR_OK;
}

/* Adds the weight to all that are hit still, and makes ready for the next hint. */
static void view_search_add_weight(struct view_search_ranking *ranking, uint64_t most)
{
    const uint32_t *hits = (const uint32_t *)(const void *)ranking->hits.data;
    size_t size = ranking->hits.size / sizeof *hits;
    uint64_t count = 0;

    for (size_t at = 0; at < size; at++)
        count += ranking->is_hit[hits[at]];
    ranking->hint->is_too_common |= most > 0 && count > most;
    for (size_t at = 0; at < size; at++) {
        uint32_t number = hits[at];

        if (ranking->is_hit[number] != 0 && !ranking->hint->is_too_common)
            ranking->sums[number] = (uint16_t)(ranking->sums[number] + ranking->hint->weight);
        ranking->is_hit[number] = 0;
    }
    buf_clear(&ranking->hits);
}

static enum err view_search_hint(struct view_search_ranking *ranking, struct view_search_hint *hint)
{
    enum err err;

    /* A contact may have several tokens that fit; four times too many postings are too many. */
    ranking->budget = hint->most > 0 ? 4 * hint->most : VIEW_SEARCH_BUDGET;
    ranking->hint = hint;
    err =
        posting_each(ranking->snapshot, TABLE_TOKEN, hint->prefix, view_search_on_hinted, ranking);
    hint->is_too_common = err == ERR_CANCELLED;
    if (err == ERR_OK)
        err = view_search_cards(ranking->snapshot, view_search_hit_card, ranking);
    if (err == ERR_OK)
        err = view_same_each(ranking->snapshot, view_search_hit_same, ranking);
    if (err == ERR_OK)
        err = buf_err(&ranking->hits);
    if (err == ERR_OK || err == ERR_CANCELLED)
        view_search_add_weight(ranking, hint->most);
    return err == ERR_CANCELLED ? ERR_OK : err;
}

/* The least sum among the best: counting how many have each tells where to cut. */
static uint16_t view_search_least(const uint32_t *counts, size_t limit, size_t *out_room)
{
    uint16_t least = UINT16_MAX;
    size_t taken = 0;

    while (least > 1 && taken + counts[least] <= limit)
        taken += counts[least--];
    *out_room = limit - taken; /* of those with the least sum, so many still fit */
    return least;
}

struct view_search_ranked {
    uint32_t number;
    uint16_t sum;
};

static int view_search_best_first(const void *left, const void *right)
{
    const struct view_search_ranked *one = left, *other = right;

    if (one->sum != other->sum)
        return one->sum > other->sum ? -1 : 1;
    return one->number < other->number ? -1 : one->number > other->number;
}

static enum err view_search_best(const struct view_search_ranking *ranking, size_t limit,
                                 struct view_search_found *out)
{
    uint32_t *counts = heap_new_zeroed(UINT16_MAX + 1, sizeof *counts);
    struct view_search_ranked *best = heap_new_zeroed(limit, sizeof *best);
    size_t room, count = 0;
    uint16_t least;

    out->numbers = heap_new(limit * sizeof *out->numbers);
    if (counts == NULL || best == NULL || out->numbers == NULL) {
        heap_free(counts);
        heap_free(best);
        return ERR_NOMEM;
    }
    for (uint32_t number = 0; number < ranking->numbers; number++)
        if (ranking->sums[number] > 0) {
            counts[ranking->sums[number]]++;
            out->total++;
        }
    least = view_search_least(counts, limit, &room);
    for (uint32_t number = 0; number < ranking->numbers && count < limit; number++) {
        uint16_t sum = ranking->sums[number];

        if (sum == 0 || sum < least || (sum == least && room == 0))
            continue;
        room -= sum == least;
        best[count++] = (struct view_search_ranked){.number = number, .sum = sum};
    }
    qsort(best, count, sizeof *best, view_search_best_first);
    for (size_t at = 0; at < count; at++)
        out->numbers[out->count++] = best[at].number;
    heap_free(counts);
    heap_free(best);
    return ERR_OK;
}

enum err view_search_rank(const struct snapshot *snapshot, struct view_search_hint *hints,
                          size_t hints_count, size_t limit, struct view_search_found *out)
{
    struct view_search_ranking ranking = {.snapshot = snapshot};
    struct ledger_counters counters;
    enum err err = ledger_load_counters(snapshot, &counters);

    *out = (struct view_search_found){0};
    if (err != ERR_OK || limit == 0 || hints_count > VIEW_SEARCH_HINTS_MAX)
        return err != ERR_OK ? err : limit == 0 ? ERR_OK : ERR_LIMIT;
    ranking.numbers = (uint32_t)counters.objects + 1;
    ranking.is_hit = heap_new_zeroed(ranking.numbers, sizeof *ranking.is_hit);
    ranking.sums = heap_new_zeroed(ranking.numbers, sizeof *ranking.sums);
    if (ranking.is_hit == NULL || ranking.sums == NULL)
        err = ERR_NOMEM;
    for (size_t at = 0; at < hints_count && err == ERR_OK; at++) {
        err = view_search_hint(&ranking, &hints[at]);
        out->is_cut |= hints[at].is_too_common;
    }
    if (err == ERR_OK)
        err = view_search_best(&ranking, limit, out);
    if (err != ERR_OK) {
        heap_free(out->numbers);
        *out = (struct view_search_found){0};
    }
    heap_free(ranking.is_hit);
    heap_free(ranking.sums);
    buf_release(&ranking.hits);
    return err;
}
