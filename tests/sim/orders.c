/* Orders are drawn from a seed: one that fails is told by its number. */
#include "tests/sim/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/react.h"
#include "proto/replica.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/heal.h"
#include "storage/join.h"
#include "storage/replica.h"
#include "storage/retire_table.h"
#include "storage/row.h"
#include "storage/space.h"
#include "tests/sim/joined.h"

enum {
    ORDERS_KINDS = 100,
    ORDERS_PERMUTED_MAX = 5,
    ORDERS_PERMUTATIONS = 12,
    ORDERS_SHUFFLES = 15,
    ORDERS_OWN_PERMUTATIONS = 6,
    ORDERS_OWN_SHUFFLES = 4
};

static void orders_must(enum err err)
{
    KITH_ASSERT(err == ERR_OK);
}

void orders_commit(struct ledger_txn *txn)
{
    orders_must(react_all(txn));
    orders_must(ledger_commit(txn, NULL));
}

/* Among own devices. */
void orders_carry(struct orders *orders, size_t to, size_t from)
{
    (void)member_pull(&orders->devices[to], &orders->devices[from], NULL);
    (void)member_pull(&orders->devices[to], &orders->devices[from], NULL);
    orders_commit(member_begin(&orders->devices[to]));
}

/* A story in which the twin acts has nobody to be told to but peers. */
static void orders_act(struct orders *orders, size_t device)
{
    orders->has_twin_acted |= device == TWIN;
}

void orders_write(struct orders *orders, size_t device, uint8_t field, const char *text)
{
    static const struct id only = {{0}};
    struct id card = member_card_space(&orders->devices[DESK]);

    orders_act(orders, device);
    orders_must(member_write(&orders->devices[device], &card, KIND_CARD, &only, field, text));
}

void orders_shut(struct orders *orders, size_t by, size_t device, enum retire_reason reason)
{
    struct ledger_txn *txn = member_begin(&orders->devices[by]);

    orders_act(orders, by);
    orders_must(heal_shut_out(txn, ledger_device(orders->devices[device].ledger), reason));
    orders_commit(txn);
}

void orders_fork(struct orders *orders, size_t by, size_t device)
{
    struct ledger_txn *txn = member_begin(&orders->devices[by]);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row card;

    orders_must(ledger_own_space(&snapshot, SPACE_CARD, &card));
    orders_must(heal_sibling(txn, &card, ledger_device(orders->devices[device].ledger)));
    orders_commit(txn);
}

static bool orders_wants_all(void *self, const struct space_row *space)
{
    (void)self;
    (void)space;
    return true;
}

static enum err orders_on_fact(void *self, struct span statement)
{
    return retire_table_take(self, NULL, statement);
}

/* PROTOCOL FACT-1 */
void orders_tell(struct member *to, struct member *from, const struct public_key *device)
{
    struct snapshot snapshot = member_snapshot(from);
    struct ledger_txn *txn = member_begin(to);
    enum err err = retire_table_facts(&snapshot, device, orders_wants_all, orders_on_fact, txn);

    KITH_ASSERT(err == ERR_OK || err == ERR_NOT_FOUND);
    orders_commit(txn);
    ledger_snapshot_end(&snapshot);
}

void orders_succeed(struct orders *orders, size_t device, size_t sibling)
{
    struct member *one = &orders->devices[device], *other = &orders->devices[sibling];

    orders_tell(one, other, ledger_device(one->ledger));
    orders_must(joined_succeed(one));
    orders_tell(other, one, ledger_device(one->ledger));
    orders_commit(member_begin(other));
}

void orders_join(struct orders *orders, size_t device, size_t host)
{
    struct ledger_txn *txn;

    joined_new(&orders->devices[device], &orders->devices[host], (uint8_t)(10 + device));
    orders->is_there[device] = true;
    for (size_t of = 0; of < ORDERS_DEVICES; of++)
        if (orders->is_there[of])
            orders_tell(&orders->devices[device], &orders->devices[host],
                        ledger_device(orders->devices[of].ledger));
    for (int round = 0; round < 2; round++) {
        orders_commit(member_begin(&orders->devices[host]));
        (void)member_pull(&orders->devices[device], &orders->devices[host], NULL);
        (void)member_pull(&orders->devices[device], &orders->devices[host], NULL);
    }
    txn = member_begin(&orders->devices[device]);
    orders_must(join_finish(txn));
    orders_commit(txn);
}

/* The same, on a disk of its own. */
static void orders_clone(const struct member *of, struct member *out)
{
    *out = *of;
    out->ledger = NULL;
    out->entropy.self = out;
    orders_must(kv_mem_clone(of->mem, &out->mem));
    member_open(out);
}

void orders_new(struct orders *orders)
{
    *orders = (struct orders){.is_there = {true, true}};
    member_new(&orders->devices[DESK], 1, false);
    member_new(&orders->bruno, 2, false);
    member_link(&orders->devices[DESK], &orders->bruno);
    member_grant(&orders->devices[DESK], &orders->bruno);
    member_twin(&orders->devices[TWIN], &orders->devices[DESK], 9);
    orders_clone(&orders->devices[TWIN], &orders->own);
}

void orders_free(struct orders *orders)
{
    for (size_t at = 0; at < ORDERS_DEVICES; at++)
        if (orders->is_there[at])
            member_free(&orders->devices[at]);
    member_free(&orders->bruno);
    member_free(&orders->own);
}

/* What there is to tell. */

static enum err orders_on_log(void *self, const struct replica_log *log)
{
    struct orders *orders = self;

    if (!log->is_mine || log->tip.size == 0 ||
        public_key_is_equal(&log->log.device, orders->reader))
        return ERR_OK;
    KITH_ASSERT(orders->pieces_count < ORDERS_LOGS_MAX);
    orders->pieces[orders->pieces_count++] =
        (struct orders_piece){.source = orders->source, .log = log->log};
    return ERR_OK;
}

void orders_gather(struct orders *orders, const struct member *reader)
{
    orders->pieces_count = 0;
    orders->reader = ledger_device(reader->ledger);
    for (orders->source = 0; orders->source < ORDERS_DEVICES; orders->source++) {
        struct snapshot snapshot;
        struct replica replica;

        if (!orders->is_there[orders->source])
            continue;
        snapshot = member_snapshot(&orders->devices[orders->source]);
        replica_of(&snapshot, &replica);
        orders_must(replica.logs(replica.self, &reader->secrets.member, orders_on_log, orders));
        ledger_snapshot_end(&snapshot);
    }
}

/* What has become of it. */

static enum err orders_on_object(void *self, uint32_t number, const struct object *object)
{
    (void)number;
    member_put_meaning(object, self);
    return ERR_OK;
}

struct orders_told {
    const struct snapshot *snapshot;
    const struct public_key *reader; /* the device */
    bool is_own;                     /* the member's */
    struct buf *out;
};

static enum err orders_on_told(void *self, const struct replica_log *log)
{
    enum standing standing = STANDING_GOOD;
    struct orders_told *told = self;

    /* What one beyond its mark said is repeated: an own device may draw the mark where it likes. */
    if (told->is_own)
        orders_must(standing_of(told->snapshot, &log->log.device, &standing));
    if (standing == STANDING_FORKED || standing == STANDING_OWNER)
        return ERR_OK;
    if (log->is_mine != told->is_own || log->tip.size == 0 ||
        public_key_is_equal(&log->log.device, told->reader))
        return ERR_OK;
    buf_append(told->out, span_of(log->log.space.bytes, ID_SIZE));
    buf_append(told->out, span_of(log->log.device.bytes, 32));
    buf_u64(told->out, log->tip.size);
    buf_append(told->out, span_of(log->tip.hash.bytes, HASH_SIZE));
    return ERR_OK;
}

static void orders_put_spaces(struct orders *orders, const struct snapshot *snapshot,
                              struct buf *out)
{
    for (size_t at = 0; at < orders->pieces_count; at++) {
        bool is_first = true;

        for (size_t before = 0; before < at; before++)
            is_first &=
                !id_is_equal(&orders->pieces[before].log.space, &orders->pieces[at].log.space);
        for (uint8_t kind = 1; is_first && kind < ORDERS_KINDS; kind++)
            orders_must(
                row_each(snapshot, &orders->pieces[at].log.space, kind, orders_on_object, out));
    }
}

/* One that is not known says as little as one that is void. */
static void orders_put_device(const struct snapshot *snapshot, const struct public_key *device,
                              struct buf *out)
{
    enum standing standing = STANDING_GOOD;
    struct device_row row = {.name = ""};
    enum err err = view_device(snapshot, device, &row);

    if (err == ERR_OK)
        err = standing_of(snapshot, device, &standing);
    KITH_ASSERT(err == ERR_OK || err == ERR_NOT_FOUND);
    if (err == ERR_NOT_FOUND || standing > STANDING_STOLEN)
        standing = STANDING_STOLEN;
    buf_byte(out, (uint8_t)standing);
    if (standing < STANDING_STOLEN)
        buf_append(out, span_of(row.certifier.bytes, 32));
    if (standing < STANDING_STOLEN)
        buf_append(out, span_of(row.receiving_key, KEY_SIZE));
}

/* parts: where devices, logs and objects end. A device of the member's own says things itself,
 * which may be more or less: of its objects nothing is asked. */
void orders_outcome(struct orders *orders, struct member *reader, struct buf *out,
                    size_t parts[static 3])
{
    struct snapshot snapshot = member_snapshot(reader);
    struct orders_told told = {
        .snapshot = &snapshot,
        .reader = ledger_device(reader->ledger),
        .is_own = public_key_is_equal(&reader->secrets.member, &orders->own.secrets.member),
        .out = out};
    struct replica replica;

    buf_clear(out);
    for (size_t at = 0; at < ORDERS_DEVICES; at++)
        if (orders->is_there[at])
            orders_put_device(&snapshot, ledger_device(orders->devices[at].ledger), out);
    parts[0] = out->size;
    replica_of(&snapshot, &replica);
    orders_must(
        replica.logs(replica.self, &orders->devices[DESK].secrets.member, orders_on_told, &told));
    parts[1] = out->size;
    if (!told.is_own)
        orders_put_spaces(orders, &snapshot, out);
    parts[2] = out->size;
    orders_must(buf_err(out));
    ledger_snapshot_end(&snapshot);
}

/* Telling. */

/* Of those of its source that are this device's? */
static bool orders_is_first(const struct orders *orders, size_t piece)
{
    for (size_t before = 0; before < piece; before++)
        if (orders->pieces[before].source == orders->pieces[piece].source &&
            public_key_is_equal(&orders->pieces[before].log.device,
                                &orders->pieces[piece].log.device))
            return false;
    return true;
}

/* What the source of a piece knows of whose log it is, if that one writes no more. */
static void orders_tell_of(struct orders *orders, struct member *reader, size_t piece)
{
    const struct public_key *device = &orders->pieces[piece].log.device;
    struct member *source = &orders->devices[orders->pieces[piece].source];
    struct snapshot snapshot = member_snapshot(source);
    enum standing standing;

    orders_must(standing_of(&snapshot, device, &standing));
    ledger_snapshot_end(&snapshot);
    if (standing != STANDING_GOOD)
        orders_tell(reader, source, device);
}

/* PROTOCOL FACT-1: "Devices of one member tell each other the facts about every device of theirs
 * that was shut out, before they give anything" */
static void orders_tell_outs(struct orders *orders, struct member *reader, size_t source)
{
    for (size_t piece = 0; piece < orders->pieces_count; piece++)
        if (orders->pieces[piece].source == source && orders_is_first(orders, piece))
            orders_tell_of(orders, reader, piece);
}

static uint64_t orders_piece(struct orders *orders, struct member *reader, size_t piece)
{
    struct member *source = &orders->devices[orders->pieces[piece].source];

    if (public_key_is_equal(&reader->secrets.member, &source->secrets.member))
        orders_tell_outs(orders, reader, orders->pieces[piece].source);
    return member_pull_batch(reader, source, &orders->pieces[piece].log);
}

/* All that is left, until nothing moves. Of whose log the one has more, and the other less, the
 * facts are told first. */
void orders_finish(struct orders *orders, struct member *reader)
{
    for (size_t source = 0; source < ORDERS_DEVICES; source++)
        orders_tell_outs(orders, reader, source);
    for (uint64_t moved = 1, round = 0; moved > 0 || round < 3; round++) {
        moved = 0;
        for (size_t at = 0; at < orders->pieces_count; at++)
            moved += orders_piece(orders, reader, at);
        orders_commit(member_begin(reader));
        KITH_ASSERT(round < 100);
    }
}

static const char *const orders_parts[] = {"the devices stand otherwise",
                                           "the logs count otherwise", "something else shows"};

/* A key that somebody else made for a good device would be sealed for. */
static void orders_check_key(struct orders *orders, const struct snapshot *snapshot, size_t device)
{
    const struct device_secrets *secrets = &orders->devices[device].secrets;
    enum standing standing = STANDING_GOOD;
    struct device_row row = {.name = ""};
    struct welcome_ask own;
    enum err err = view_device(snapshot, ledger_device(orders->devices[device].ledger), &row);

    if (err == ERR_OK)
        err = standing_of(snapshot, &row.device, &standing);
    if (err == ERR_NOT_FOUND || standing_is_out(standing))
        return;
    orders_must(err);
    orders_must(join_ask_of(secrets, span_str("device"), &own));
    if (memcmp(row.receiving_key, own.receiving_key, KEY_SIZE) != 0)
        (void)snprintf(orders->why, sizeof orders->why, "a key of device %zu is not its own",
                       device);
}

/* PROTOCOL STOLEN-13 is what the note of each agrees with: kith doctor looks. */
void orders_check(struct orders *orders, struct member *reader)
{
    struct snapshot snapshot = member_snapshot(reader);
    struct check_report report;

    orders_must(check_store(&snapshot, &report));
    for (size_t device = 0; device < ORDERS_DEVICES; device++)
        if (orders->is_there[device])
            orders_check_key(orders, &snapshot, device);
    ledger_snapshot_end(&snapshot);
    if (report.damaged > 0)
        (void)snprintf(orders->why, sizeof orders->why, "%s", report.first);
}

/* Device by device. */
static void orders_describe(const struct orders *orders, const struct buf *outcome,
                            char out[static ORDERS_DEVICES + 1])
{
    static const char letters[] = "gfosv";

    for (size_t device = 0, at = 0; device < ORDERS_DEVICES; device++) {
        uint8_t standing = orders->is_there[device] ? outcome->data[at] : STANDING_STOLEN;

        out[device] = orders->is_there[device] ? letters[standing] : '-';
        at += !orders->is_there[device] ? 0 : standing < STANDING_STOLEN ? 65 : 1;
        out[device + 1] = '\0';
    }
}

static void orders_compare(struct orders *orders, struct member *reader, struct buf *first,
                           const char *order)
{
    char was[ORDERS_DEVICES + 1], is[ORDERS_DEVICES + 1];
    struct buf now = {0};
    size_t parts[3];

    orders_outcome(orders, reader, &now, parts);
    if (first->size == 0) {
        buf_append(first, buf_span(&now));
        orders_must(buf_err(first));
    }
    orders_describe(orders, first, was);
    orders_describe(orders, &now, is);
    for (size_t part = 0; part < 3 && orders->why[0] == '\0'; part++)
        if (first->size < parts[part] || memcmp(first->data, now.data, parts[part]) != 0)
            (void)snprintf(orders->why, sizeof orders->why, "in the order %s %s: %s, not %s", order,
                           orders_parts[part], is, was);
    KITH_ASSERT(first->size == now.size || orders->why[0] != '\0');
    orders_check(orders, reader);
    buf_release(&now);
}

static uint32_t orders_draw(uint32_t *state, uint32_t below)
{
    *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
    return (*state >> 8) % below;
}

/* The card's logs in an order of this number, each whole, then all else. */
static void orders_permute(struct orders *orders, uint32_t number, struct buf *first)
{
    size_t left[ORDERS_LOGS_MAX], count = 0, picked = 0;
    struct id card = member_card_space(&orders->devices[DESK]);
    struct member reader;
    char order[64] = "";

    for (size_t at = 0; at < orders->pieces_count; at++) {
        const struct orders_piece *piece = &orders->pieces[at];
        const struct member *source = &orders->devices[piece->source];

        if (id_is_equal(&piece->log.space, &card) &&
            public_key_is_equal(&piece->log.device, ledger_device(source->ledger)))
            left[count++] = at;
    }
    KITH_ASSERT(count <= ORDERS_PERMUTED_MAX + 1);
    orders_clone(orders->listener, &reader);
    for (; count > 0; count--, picked++) {
        size_t pick = number % count;

        number /= (uint32_t)count;
        (void)snprintf(order + 2 * picked, sizeof order - 2 * picked, "%zu ",
                       orders->pieces[left[pick]].source);
        (void)orders_piece(orders, &reader, left[pick]);
        memmove(left + pick, left + pick + 1, (count - pick - 1) * sizeof *left);
    }
    orders_finish(orders, &reader);
    orders_compare(orders, &reader, first, order);
    member_free(&reader);
}

static void orders_rebuild(struct member *reader)
{
    struct ledger_txn *txn = member_begin(reader);
    bool is_more = true;

    orders_must(check_forget_views(txn));
    orders_must(ledger_commit(txn, NULL));
    while (follow_is_behind(reader->ledger))
        orders_must(follow_stage(reader->ledger, 1000, &is_more));
}

/* Whatever comes next: a piece, what somebody says of a device, a restart. */
static void orders_shuffle(struct orders *orders, uint32_t seed, struct buf *first)
{
    uint32_t state = seed * 2654435761u;
    struct member reader;
    char order[32];

    orders_clone(orders->listener, &reader);
    for (size_t step = 0; step < 3 * orders->pieces_count; step++) {
        size_t source = orders_draw(&state, ORDERS_DEVICES);
        size_t device = orders_draw(&state, ORDERS_DEVICES);

        switch (orders_draw(&state, 8)) {
        case 0:
            if (orders_draw(&state, 4) == 0)
                orders_rebuild(&reader);
            member_close(&reader);
            member_open(&reader);
            break;
        case 1:
        case 2:
            if (orders->is_there[source] && orders->is_there[device])
                orders_tell(&reader, &orders->devices[source],
                            ledger_device(orders->devices[device].ledger));
            break;
        case 3:
            orders_commit(member_begin(&reader));
            break;
        default:
            (void)orders_piece(orders, &reader,
                               orders_draw(&state, (uint32_t)orders->pieces_count));
        }
    }
    orders_finish(orders, &reader);
    (void)snprintf(order, sizeof order, "shuffled by %u", seed);
    orders_compare(orders, &reader, first, order);
    member_free(&reader);
}

void orders_forge(struct orders *orders, size_t by, size_t device)
{
    struct member *thief = &orders->devices[by];
    struct ledger_txn *txn = member_begin(thief);
    struct certificate certificate = {.member = thief->secrets.member,
                                      .device = *ledger_device(orders->devices[device].ledger),
                                      .time_ms = thief->now_ms + MS_PER_DAY,
                                      .name = span_str("forged")};
    struct buf statement = {0};

    memset(certificate.static_key, 0x5a, KEY_SIZE);
    memset(certificate.receiving_key, 0x5b, KEY_SIZE);
    orders_must(certificate_issue(&certificate, ledger_signing_key(thief->ledger), &statement));
    orders_must(space_put_certificate(txn, &certificate.device, buf_span(&statement)));
    orders_commit(txn);
    buf_release(&statement);
}

/* To one listener. first: what came of it at first. */
static void orders_agree_on(struct orders *orders, const struct member *listener, uint32_t shuffles,
                            struct buf *first)
{
    uint32_t count = 1, devices = 0;

    orders->listener = listener;
    orders_gather(orders, listener);
    for (size_t device = 0; device < ORDERS_DEVICES; device++)
        if (orders->is_there[device])
            count *= ++devices;
    if (listener == &orders->own)
        count = count < ORDERS_OWN_PERMUTATIONS ? count : ORDERS_OWN_PERMUTATIONS;
    for (uint32_t number = 0;
         number < count && number < ORDERS_PERMUTATIONS && orders->why[0] == '\0'; number++)
        orders_permute(orders, number, first);
    for (uint32_t seed = 1; seed <= shuffles && orders->why[0] == '\0'; seed++)
        orders_shuffle(orders, seed, first);
}

/* How each stands, of what came of it. */
static void orders_read(const struct orders *orders, const struct buf *outcome,
                        enum standing out[static ORDERS_DEVICES])
{
    size_t at = 0;

    for (size_t device = 0; device < ORDERS_DEVICES; device++) {
        out[device] = STANDING_VOID;
        if (!orders->is_there[device])
            continue;
        out[device] = (enum standing)outcome->data[at];
        at += out[device] < STANDING_STOLEN ? 65 : 1;
    }
}

bool orders_agree(struct orders *orders, enum standing out[static ORDERS_DEVICES])
{
    enum standing own[ORDERS_DEVICES];
    struct buf first = {0}, first_own = {0};
    const char *more = getenv("KITH_ORDERS"); /* More shuffles than a test run has time for. */
    uint32_t shuffles = more != NULL ? (uint32_t)strtoul(more, NULL, 10) : 0;

    orders_agree_on(orders, &orders->bruno, shuffles > 0 ? shuffles : ORDERS_SHUFFLES, &first);
    orders_read(orders, &first, out);
    if (orders->why[0] == '\0' && !orders->has_twin_acted) {
        orders_agree_on(orders, &orders->own, shuffles > 0 ? shuffles : ORDERS_OWN_SHUFFLES,
                        &first_own);
        orders_read(orders, &first_own, own);
        if (orders->why[0] == '\0' && memcmp(own, out, sizeof own) != 0)
            (void)snprintf(orders->why, sizeof orders->why, "%s",
                           "to an own device they stand otherwise than to a peer");
    }
    buf_release(&first);
    buf_release(&first_own);
    return orders->why[0] == '\0';
}
