/*
 * What a node is asked for, in processor time, while others offer it endorsements by the thousand,
 * none of them answered: medians, and how much dearer they are with the most than with the fewest.
 * First few issuers who keep no cap, then, last column, as many peers as a node may have, who offer
 * as many together. usage: bench_pending [FEW MANY MOST]
 */
#include "node/react.h"
#include "proto/limits.h"
#include "tests/bench/rig.h"
#include "tests/sim/flood.h"

enum { PENDING_TRIES = 9, PENDING_ISSUERS = 8, PENDING_PEERS = 1000, PENDING_COLUMNS = 4 };

enum pending_row {
    PENDING_EDIT,
    PENDING_ACCEPT,
    PENDING_RECEIVED,
    PENDING_LIST,
    PENDING_STATUS,
    PENDING_DUE,
    PENDING_DAY,
    PENDING_MEETING,
    PENDING_START,
    PENDING_ROWS
};

static const char *const pending_names[PENDING_ROWS] = {
    "a local edit, durable",
    "accepting one, shown to peers, durable",
    "endorsement list --received",
    "endorsement list --pending",
    "status",
    "due",
    "a day goes by: what is due is looked at, durable",
    "a reconnect where nothing is new: marks of what is shared",
    "a start",
};

struct pending {
    struct member me, friends[PENDING_TRIES]; /* who each endorse once, by the op */
    struct member *issuers;
    size_t issuers_count, count;
    double medians[PENDING_ROWS];
    size_t listed;
    long anonymous_kib;
    double arrived_s;
};

/* Of this process, so that whoever else uses the machine does not count; what is durable waits for
 * the disk besides. */
static double pending_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double pending_since(double begun)
{
    return (pending_now() - begun) * 1000;
}

static void pending_open(struct member *member, uint32_t seed, const char *name, bool is_lmdb)
{
    member_new(member, seed, is_lmdb);
    bench_check(member_name_card(member, name), "name");
}

/* Everything the flood is: offered, carried, answered as far as the caps let it be. */
static void pending_begin(struct pending *pending)
{
    struct flood flood = {.count = pending->count / pending->issuers_count};
    double begun;

    pending_open(&pending->me, 1, "Me", true);
    for (size_t at = 0; at < PENDING_TRIES; at++) {
        pending_open(&pending->friends[at], 10 + (uint32_t)at, "Friend", false);
        meeting_link(&pending->me, &pending->friends[at]);
    }
    pending->issuers = calloc(pending->issuers_count, sizeof *pending->issuers);
    for (size_t at = 0; at < pending->issuers_count; at++) {
        struct member *issuer = &pending->issuers[at];

        pending_open(issuer, 100 + (uint32_t)at, "Issuer", false);
        meeting_link(&pending->me, issuer);
        flood.issued_s = issuer->now_ms / 1000 - 200000;
        flood_offer(issuer, &pending->me, &flood);
        begun = pending_now();
        meeting_carry(&pending->me, issuer);
        while (react_is_due(pending->me.ledger, pending->me.now_ms))
            meeting_tick(&pending->me);
        pending->arrived_s += pending_now() - begun;
    }
}

/* What is done. */

static double pending_op(struct member *member, const char *method, json_t *params)
{
    double begun = pending_now();

    json_decref(meeting_op(member, method, params, NULL));
    return pending_since(begun);
}

static double pending_edit(struct pending *pending, size_t at)
{
    char org[20];

    (void)snprintf(org, sizeof org, "Ito %zu", at);
    return pending_op(&pending->me, "me.edit", json_pack("{s:s}", "org", org));
}

static double pending_accept(struct pending *pending, size_t at)
{
    json_t *own =
        meeting_op(&pending->friends[at], "endorse",
                   json_pack("{s:s, s:[s], s:s, s:s}", "who", "Me", "about", "stairs", "relation",
                             "client", "words", "Built our stairs, on time and true."),
                   NULL);
    double took;

    meeting_carry(&pending->me, &pending->friends[at]);
    took = pending_op(&pending->me, "endorsement.accept",
                      json_pack("{s:O, s:s}", "id", json_object_get(own, "id"), "to", "peers"));
    json_decref(own);
    return took;
}

static double pending_list(struct pending *pending, const char *which)
{
    double begun = pending_now(), took;
    json_t *list = meeting_op(&pending->me, "endorsement.list", json_pack("{s:b}", which, 1), NULL);

    took = pending_since(begun);
    pending->listed = json_array_size(json_object_get(list, "endorsements"));
    json_decref(list);
    return took;
}

static double pending_day(struct pending *pending)
{
    double begun = pending_now();

    meeting_live(&pending->me, MS_PER_DAY);
    return pending_since(begun);
}

static double pending_meeting(struct pending *pending, size_t at)
{
    struct member *other = &pending->issuers[at % pending->issuers_count];
    double begun;

    meeting_carry(&pending->me, other);
    begun = pending_now();
    if (member_pull(other, &pending->me, NULL) != 0)
        exit(1);
    return pending_since(begun);
}

static double pending_start(struct pending *pending)
{
    double begun;

    member_close(&pending->me);
    begun = pending_now();
    member_open(&pending->me);
    return pending_since(begun);
}

static double pending_do(struct pending *pending, enum pending_row row, size_t at)
{
    switch (row) {
    case PENDING_EDIT:
        return pending_edit(pending, at);
    case PENDING_ACCEPT:
        return pending_accept(pending, at);
    case PENDING_RECEIVED:
        return pending_list(pending, "received");
    case PENDING_LIST:
        return pending_list(pending, "pending");
    case PENDING_STATUS:
        return pending_op(&pending->me, "status", json_object());
    case PENDING_DUE:
        return pending_op(&pending->me, "due", json_object());
    case PENDING_DAY:
        return pending_day(pending);
    case PENDING_MEETING:
        return pending_meeting(pending, at);
    case PENDING_START:
        return pending_start(pending);
    case PENDING_ROWS:
        break;
    }
    return 0;
}

static void pending_end(struct pending *pending)
{
    for (size_t at = 0; at < PENDING_TRIES; at++)
        member_free(&pending->friends[at]);
    for (size_t at = 0; at < pending->issuers_count; at++)
        member_free(&pending->issuers[at]);
    free(pending->issuers);
    member_free(&pending->me);
}

static void pending_measure(struct pending *pending)
{
    long before_kib;

    pending_begin(pending);
    before_kib = rig_memory().anonymous_kib; /* Of all members of it, which are in this process. */
    for (size_t row = 0; row < PENDING_ROWS; row++) {
        double took[PENDING_TRIES];

        for (size_t at = 0; at < PENDING_TRIES; at++)
            took[at] = pending_do(pending, (enum pending_row)row, at);
        pending->medians[row] = bench_median(took, PENDING_TRIES);
    }
    pending->anonymous_kib = rig_memory().anonymous_kib - before_kib;
    pending_end(pending);
}

static void pending_print(const struct pending *all, size_t columns)
{
    const struct pending *crowd = &all[PENDING_COLUMNS - 1];

    for (size_t row = 0; row < PENDING_ROWS; row++) {
        printf("%-58s %8.3f %8.3f %8.3f ms, %.1f times", pending_names[row], all[0].medians[row],
               all[1].medians[row], all[2].medians[row], all[2].medians[row] / all[0].medians[row]);
        if (columns == PENDING_COLUMNS)
            printf("; %8.3f ms", crowd->medians[row]);
        printf("\n");
    }
    printf("%-58s %8ld %8ld %8ld KiB", "anonymous memory that all of this took",
           all[0].anonymous_kib, all[1].anonymous_kib, all[2].anonymous_kib);
    if (columns == PENDING_COLUMNS)
        printf("; %ld KiB", crowd->anonymous_kib);
    printf("\n");
}

int main(int argc, char **argv)
{
    static const size_t usual[] = {100, 10000, 100000};
    static struct pending all[PENDING_COLUMNS];
    size_t peers = argc > 4 ? (size_t)atol(argv[4]) : PENDING_PEERS;
    size_t columns = peers > 0 ? PENDING_COLUMNS : PENDING_COLUMNS - 1;

    if (secret_start() != ERR_OK)
        return 1;
    for (size_t at = 0; at < columns; at++) {
        size_t size = at < PENDING_COLUMNS - 1 ? at : PENDING_COLUMNS - 2;

        all[at].count = (int)size + 1 < argc ? (size_t)atol(argv[size + 1]) : usual[size];
        all[at].issuers_count = at == PENDING_COLUMNS - 1 ? peers : PENDING_ISSUERS;
        if (all[at].count < all[at].issuers_count)
            return 2;
        pending_measure(&all[at]);
        printf("%zu offered by %zu, %zu pending listed; answered %.0f a second of processor time\n",
               all[at].count, all[at].issuers_count, all[at].listed,
               (double)all[at].count / all[at].arrived_s);
        (void)fflush(stdout);
    }
    pending_print(all, columns);
    return 0;
}
