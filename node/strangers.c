/*
 * Three tables of rows that are found by the keyed hash of a name, four rows to a set: how fast a
 * place knocks, which places are known, which ephemeral keys were answered. In a full set the row
 * that matters least gives way, so nothing grows and nobody outside can choose whose row that is.
 */
#include "node/strangers.h"

#include <string.h>

#include "crypto/digest.h"
#include "crypto/heap.h"
#include "node/bucket.h"

enum {
    STRANGERS_SET = 4,
    STRANGERS_PACE_SETS = 1024,
    STRANGERS_KNOWN_SETS = 256,
    STRANGERS_SEARCH_SETS = 64,
    STRANGERS_SEEN_SETS = 1024 /* 4,096 ephemeral keys */
};

#define STRANGERS_DAY_MS (UINT64_C(24) * 3600 * 1000)

struct strangers_row {
    uint8_t name[STRANGERS_PLACE_SIZE];
    uint64_t at_ms; /* 0: empty; the greater, the more it matters */
};

struct strangers_slot {
    uint64_t conn; /* 0: free */
    uint64_t since_ms;
    uint8_t place[STRANGERS_PLACE_SIZE];
    size_t neighbours; /* slots of the same place, this one too */
    bool is_known;
};

struct strangers {
    uint8_t key[KEY_SIZE];
    struct strangers_slot slots[STRANGERS_MAX];
    size_t count, unknown_count;
    struct strangers_row pace[STRANGERS_PACE_SETS * STRANGERS_SET];
    struct strangers_row known[STRANGERS_KNOWN_SETS * STRANGERS_SET];
    struct strangers_row seen[STRANGERS_SEEN_SETS * STRANGERS_SET];
    struct strangers_row searches[STRANGERS_SEARCH_SETS * STRANGERS_SET];
    uint64_t costs_full_at_us, searches_full_at_ms;
};

/* Rows. */

/* The row of this name, or the one that gives way to it. */
static struct strangers_row *strangers_row(const struct strangers *strangers,
                                           struct strangers_row *rows, size_t sets,
                                           const uint8_t name[static STRANGERS_PLACE_SIZE],
                                           bool *out_is_there)
{
    const struct span part = span_of(name, STRANGERS_PLACE_SIZE);
    struct strangers_row *set, *least;
    uint8_t hash[16];

    digest_keyed(strangers->key, "kith stranger", &part, 1, hash, sizeof hash);
    set = least = &rows[be32(hash) % sets * STRANGERS_SET];
    for (size_t at = 0; at < STRANGERS_SET; at++) {
        *out_is_there = set[at].at_ms > 0 && memcmp(set[at].name, name, sizeof set[at].name) == 0;
        if (*out_is_there)
            return &set[at];
        if (set[at].at_ms < least->at_ms)
            least = &set[at];
    }
    return least;
}

void strangers_place(const struct address *address, uint8_t out[static STRANGERS_PLACE_SIZE])
{
    memset(out, 0, STRANGERS_PLACE_SIZE);
    memcpy(out, address->host, address_is_ipv4(address) ? 16 : 8);
}

/* This very machine, not all of 127.0.0.0/8. */
static bool strangers_is_own_machine(const struct address *address)
{
    return address_is_loopback(address) &&
           (!address_is_ipv4(address) || be32(address->host + 12) == 0x7f000001);
}

static bool strangers_is_known(struct strangers *strangers,
                               const uint8_t place[static STRANGERS_PLACE_SIZE], uint64_t now_ms)
{
    bool is_there;
    const struct strangers_row *row =
        strangers_row(strangers, strangers->known, STRANGERS_KNOWN_SETS, place, &is_there);

    return is_there && row->at_ms > now_ms;
}

void strangers_know(struct strangers *strangers, const struct address *from, uint64_t age_ms,
                    uint64_t now_ms)
{
    uint64_t days_ms = STRANGERS_KNOWN_DAYS * STRANGERS_DAY_MS;
    uint8_t place[STRANGERS_PLACE_SIZE];
    struct strangers_row *row;
    uint64_t until_ms;
    bool is_there;

    if (age_ms >= days_ms)
        return;
    until_ms = now_ms + days_ms - age_ms;
    strangers_place(from, place);
    row = strangers_row(strangers, strangers->known, STRANGERS_KNOWN_SETS, place, &is_there);
    if (row->at_ms > until_ms)
        return;
    memcpy(row->name, place, sizeof row->name);
    row->at_ms = until_ms;
}

/* Takes one from what a place has in a table of paces. */
static bool strangers_take(struct strangers *strangers, struct strangers_row *rows, size_t sets,
                           const uint8_t place[static STRANGERS_PLACE_SIZE], uint64_t step_ms,
                           uint64_t burst, uint64_t now_ms)
{
    bool is_there;
    struct strangers_row *row = strangers_row(strangers, rows, sets, place, &is_there);
    uint64_t full_at_ms = is_there ? row->at_ms : 0;

    if (!bucket_take(&full_at_ms, step_ms, 1, burst, now_ms))
        return false;
    memcpy(row->name, place, sizeof row->name);
    row->at_ms = full_at_ms;
    return true;
}

/* How fast one place knocks. */
/* PROTOCOL LIMIT-1: "A place may connect five times a second, ten times at once." */
static bool strangers_is_in_pace(struct strangers *strangers,
                                 const uint8_t place[static STRANGERS_PLACE_SIZE], uint64_t now_ms)
{
    return strangers_take(strangers, strangers->pace, STRANGERS_PACE_SETS, place, STRANGERS_STEP_MS,
                          STRANGERS_BURST, now_ms);
}

bool strangers_may_search(struct strangers *strangers, const struct address *from, uint64_t now_ms)
{
    uint8_t place[STRANGERS_PLACE_SIZE];

    strangers_place(from, place);
    if (!strangers_is_own_machine(from) &&
        !strangers_take(strangers, strangers->searches, STRANGERS_SEARCH_SETS, place,
                        STRANGERS_SEARCH_STEP_MS, STRANGERS_SEARCH_BURST, now_ms))
        return false;
    return bucket_take(&strangers->searches_full_at_ms, STRANGERS_SEARCHES_STEP_MS, 1,
                       STRANGERS_SEARCHES_BURST, now_ms);
}

/* Slots. */

/* How many slots a place has; each of them is told. */
static size_t strangers_count_place(struct strangers *strangers,
                                    const uint8_t place[static STRANGERS_PLACE_SIZE])
{
    struct strangers_slot *same[STRANGERS_MAX];
    size_t count = 0;

    for (size_t at = 0; at < STRANGERS_MAX; at++)
        if (strangers->slots[at].conn != 0 &&
            memcmp(strangers->slots[at].place, place, STRANGERS_PLACE_SIZE) == 0)
            same[count++] = &strangers->slots[at];
    for (size_t at = 0; at < count; at++)
        same[at]->neighbours = count;
    return count;
}

/* The oldest connection of the busiest place, among the known or among the others. NULL when there
 * is none of the kind. */
static struct strangers_slot *strangers_busiest(struct strangers *strangers, bool is_known)
{
    struct strangers_slot *found = NULL;

    for (size_t at = 0; at < STRANGERS_MAX; at++) {
        struct strangers_slot *slot = &strangers->slots[at];

        if (slot->conn == 0 || slot->is_known != is_known)
            continue;
        if (found == NULL || slot->neighbours > found->neighbours ||
            (slot->neighbours == found->neighbours && slot->since_ms < found->since_ms))
            found = slot;
    }
    return found;
}

static void strangers_release(struct strangers *strangers, struct strangers_slot *slot)
{
    uint8_t place[STRANGERS_PLACE_SIZE];

    memcpy(place, slot->place, sizeof place);
    strangers->count--;
    strangers->unknown_count -= slot->is_known ? 0 : 1;
    *slot = (struct strangers_slot){0};
    (void)strangers_count_place(strangers, place); /* The others of the place are told. */
}

/* Makes room for one more of a kind; what has to give way is of the others first. */
/* PROTOCOL LIMIT-1: "Of the 256 connections of HANDSHAKE-7 64 are kept for places from which
 * somebody proved who they are in the last 30 days. Where one more must have room, the oldest of
 * the busiest place gives way, an unknown place's before a known one's." */
static uint64_t strangers_make_room(struct strangers *strangers, bool is_known)
{
    struct strangers_slot *slot = NULL;
    uint64_t conn;

    if (strangers->count < STRANGERS_MAX &&
        (is_known || strangers->unknown_count < STRANGERS_MAX - STRANGERS_RESERVED))
        return 0;
    slot = strangers_busiest(strangers, false);
    if (slot == NULL)
        slot = strangers_busiest(strangers, true);
    conn = slot->conn;
    strangers_release(strangers, slot);
    return conn;
}

/* PROTOCOL LIMIT-1: "The machine itself (127.0.0.1, ::1) has 128 and no pace." */
/* PROTOCOL HANDSHAKE-7: "At most 256 connections wait before their handshake is done, 8 from one
 * IPv4 address or IPv6 /64." */
bool strangers_enter(struct strangers *strangers, uint64_t conn, const struct address *from,
                     uint64_t now_ms, uint64_t *out_dropped)
{
    bool is_own = strangers_is_own_machine(from);
    size_t most = is_own ? STRANGERS_OWN_MACHINE_MAX : STRANGERS_PER_PLACE_MAX;
    uint8_t place[STRANGERS_PLACE_SIZE];
    struct strangers_slot *slot = strangers->slots;

    *out_dropped = 0;
    strangers_place(from, place);
    if (strangers_count_place(strangers, place) >= most ||
        (!is_own && !strangers_is_in_pace(strangers, place, now_ms)))
        return false;
    *out_dropped = strangers_make_room(strangers, strangers_is_known(strangers, place, now_ms));
    while (slot->conn != 0)
        slot++;
    *slot = (struct strangers_slot){
        .conn = conn, .since_ms = now_ms, .is_known = strangers_is_known(strangers, place, now_ms)};
    memcpy(slot->place, place, sizeof slot->place);
    strangers->count++;
    strangers->unknown_count += slot->is_known ? 0 : 1;
    (void)strangers_count_place(strangers, place); /* Each of the place is told. */
    return true;
}

void strangers_leave(struct strangers *strangers, uint64_t conn)
{
    for (size_t at = 0; conn != 0 && at < STRANGERS_MAX; at++)
        if (strangers->slots[at].conn == conn)
            strangers_release(strangers, &strangers->slots[at]);
}

size_t strangers_count(const struct strangers *strangers)
{
    return strangers->count;
}

/* Arithmetic. */

/* PROTOCOL LIMIT-2: "A first message is answered once: its ephemeral key is remembered for 10
 * minutes, the last 4,096 of them. On first messages at most 2,000 scalar multiplications a second
 * are spent, a part of them kept for known places; what comes beyond is refused." */
bool strangers_may_answer(struct strangers *strangers, const struct address *from,
                          const uint8_t ephemeral[static 32], uint64_t now_ms)
{
    uint8_t place[STRANGERS_PLACE_SIZE];
    struct strangers_row *row;
    uint64_t burst = STRANGERS_COSTS_BURST;
    bool is_there;

    row = strangers_row(strangers, strangers->seen, STRANGERS_SEEN_SETS, ephemeral, &is_there);
    if (is_there && row->at_ms + STRANGERS_SEEN_MS > now_ms)
        return false;
    strangers_place(from, place);
    if (!strangers_is_known(strangers, place, now_ms))
        burst -= STRANGERS_COSTS_KNOWN;
    if (!bucket_take(&strangers->costs_full_at_us, STRANGERS_COSTS_STEP_US,
                     STRANGERS_HANDSHAKE_COST, burst, now_ms * 1000))
        return false;
    memcpy(row->name, ephemeral, sizeof row->name);
    row->at_ms = now_ms + 1; /* Never 0, which is an empty row. */
    return true;
}

/* Life. */

enum err strangers_new(const struct entropy *entropy, struct strangers **out)
{
    struct strangers *strangers = heap_new_zeroed(1, sizeof *strangers);

    if (strangers == NULL)
        return ERR_NOMEM;
    entropy_fill(entropy, strangers->key, sizeof strangers->key);
    *out = strangers;
    return ERR_OK;
}

void strangers_free(struct strangers *strangers)
{
    heap_free(strangers);
}
