/* Certificates are kept by member, device and certifier; devices, beside that, by who certified
 * them, and with the rank they had last: where that changes, those below are judged anew. A
 * certificate's rank is greater than that of any above it, so there is one answer, and no order in
 * which to ask. What one member certifies takes no room of another's, and is not chosen among
 * another's: whose a device is of two members' that certify it says view_claim.h.
 *
 *   1, member, device, is not by the root, certifier, form   the statement
 *   2, certifier, member, device                             nothing
 *   3, member, device                                        the rank of the one that counts
 *   4, member, device                                        how it stood last: standing_note.c */
#include "storage/view_certificate.h"

#include <string.h>

#include "proto/card.h"
#include "proto/limits.h"
#include "storage/agenda.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"

enum {
    CERTIFICATE_STATED = 1,
    CERTIFICATE_BELOW = 2,
    CERTIFICATE_RANK = 3,
    CERTIFICATE_RANK_SIZE = 3,
    CERTIFICATE_STATED_SIZE = 1 + 32 + 32 + 1 + 32 + 1,
    CERTIFICATE_BELOW_SIZE = 1 + 32 + 32 + 32
};

/* A device as this member's. */
struct certificate_of {
    struct public_key member, device;
};

/* How near to its root: the least counts. */
struct certificate_rank {
    uint8_t bytes[CERTIFICATE_RANK_SIZE]; /* is void, depth, length of the chain */
};

static const struct certificate_rank certificate_nowhere = {{0xff, 0xff, 0xff}};

/* second: may be NULL. */
static void certificate_key(uint8_t sort, const struct public_key *first,
                            const struct public_key *second, struct key *out)
{
    key_of_byte(sort, out);
    key_add_bytes(out, span_of(first->bytes, 32));
    if (second != NULL)
        key_add_bytes(out, span_of(second->bytes, 32));
}

static void certificate_stated_key(const struct certificate *certificate, struct key *out)
{
    bool is_by_root = public_key_is_equal(&certificate->certifier, &certificate->member);

    certificate_key(CERTIFICATE_STATED, &certificate->member, &certificate->device, out);
    key_add_byte(out, is_by_root ? 0 : 1);
    key_add_bytes(out, span_of(certificate->certifier.bytes, 32));
    key_add_byte(out, certificate->is_successor ? 2 : 1);
}

/* Keeping. */

/* Of two by one certifier the later counts; of one time, the lesser. */
static bool certificate_is_later(const struct certificate *one, struct span than)
{
    struct certificate other;

    if (certificate_peek(than, &other) != ERR_OK)
        return true;
    return one->time_ms != other.time_ms ? one->time_ms > other.time_ms
                                         : span_order(one->statement, than) < 0;
}

struct certificate_last {
    size_t count;
    struct key key;
};

static enum err certificate_on_count(void *self, struct span key, struct span value)
{
    struct certificate_last *last = self;

    (void)value;
    last->count++;
    key_of_bytes(key, &last->key);
    return ERR_OK;
}

/* PROTOCOL CERT-5: "Of more than CERTIFICATES_PER_DEVICE_MAX by different certifiers the root's and
 * those by the least keys are looked at." */
static enum err certificate_make_room(struct ledger_txn *txn, const struct certificate *certificate)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct certificate_last last = {.count = 0};
    struct key prefix;
    enum err err;

    certificate_key(CERTIFICATE_STATED, &certificate->member, &certificate->device, &prefix);
    err = ledger_each(&snapshot, TABLE_CERTIFICATE, key_span(&prefix), certificate_on_count, &last);
    return err == ERR_OK && last.count > CERTIFICATES_PER_DEVICE_MAX
               ? ledger_erase(txn, TABLE_CERTIFICATE, &last.key)
               : err;
}

struct certificate_devices {
    struct public_key device; /* the last */
    size_t count;
};

static enum err certificate_on_device(void *self, struct span key, struct span value)
{
    struct certificate_devices *devices = self;

    (void)value;
    if (key.size != CERTIFICATE_STATED_SIZE)
        return ERR_CORRUPT;
    if (devices->count > 0 && memcmp(devices->device.bytes, key.data + 33, 32) == 0)
        return ERR_OK;
    memcpy(devices->device.bytes, key.data + 33, 32);
    return ++devices->count >= DEVICES_MAX ? ERR_LIMIT : ERR_OK;
}

/* PROTOCOL FACT-2: "Of one member 256 devices are known; others are passed over." So are those of
 * which nothing is known but certificates that do not count. ERR_LIMIT. */
static enum err certificate_has_room(const struct snapshot *snapshot,
                                     const struct certificate *certificate)
{
    struct certificate_devices devices = {.count = 0};
    struct certificate_last own = {.count = 0};
    struct key prefix;
    enum err err;

    if (public_key_is_equal(&certificate->member, ledger_member(snapshot->ledger)))
        return ERR_OK;
    certificate_key(CERTIFICATE_STATED, &certificate->member, &certificate->device, &prefix);
    err = ledger_each(snapshot, TABLE_CERTIFICATE, key_span(&prefix), certificate_on_count, &own);
    if (err != ERR_OK || own.count > 0)
        return err;
    certificate_key(CERTIFICATE_STATED, &certificate->member, NULL, &prefix);
    return ledger_each(snapshot, TABLE_CERTIFICATE, key_span(&prefix), certificate_on_device,
                       &devices);
}

/* ERR_LIMIT: there is no room for it. */
static enum err certificate_keep(struct ledger_txn *txn, const struct certificate *certificate)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span known;
    struct key key;
    enum err err;

    certificate_stated_key(certificate, &key);
    err = ledger_get(&snapshot, TABLE_CERTIFICATE, &key, &known);
    if (err == ERR_OK && !certificate_is_later(certificate, known))
        return ERR_OK;
    if (err == ERR_NOT_FOUND)
        err = certificate_has_room(&snapshot, certificate);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_CERTIFICATE, &key, certificate->statement);
    certificate_key(CERTIFICATE_BELOW, &certificate->certifier, &certificate->member, &key);
    key_add_bytes(&key, span_of(certificate->device.bytes, 32));
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_CERTIFICATE, &key, span_of(NULL, 0));
    return err == ERR_OK ? certificate_make_room(txn, certificate) : err;
}

/* Choosing. */

struct certificate_choice {
    const struct snapshot *snapshot;
    const struct object *shown;
    struct certificate_rank rank;
    struct certificate best;
    struct buf statement; /* what best borrows from */
};

struct certificate_told {
    struct certificate_choice *choice;
    const struct certificate_of *of;
};

static enum err certificate_rank_of(const struct certificate_choice *choice,
                                    const struct certificate *certificate,
                                    struct certificate_rank *out)
{
    size_t depth, length;
    bool is_void = false;
    enum err err = view_device_depth(choice->snapshot, certificate, &depth, &length);

    if (err == ERR_OK)
        err = standing_of_certificate(choice->snapshot, certificate, choice->shown, &is_void);
    if (err == ERR_OK)
        *out = (struct certificate_rank){{is_void ? 1 : 0, (uint8_t)depth, (uint8_t)length}};
    return err;
}

/* PROTOCOL CERT-5: "Of several certificates of a device the one of least depth counts, of those the
 * one with the fewest above it, the later, the lesser; one that makes its device void (STOLEN-2)
 * after all others." */
static enum err certificate_consider(struct certificate_choice *choice, struct span statement)
{
    struct certificate certificate;
    struct certificate_rank rank;
    int order;
    enum err err = certificate_peek(statement, &certificate);

    if (err == ERR_OK)
        err = certificate_rank_of(choice, &certificate, &rank);
    if (err != ERR_OK)
        return err == ERR_FORGED || err == ERR_MALFORMED ? ERR_OK : err;
    order = memcmp(rank.bytes, choice->rank.bytes, CERTIFICATE_RANK_SIZE);
    if (order > 0 || (order == 0 && !certificate_is_later(&certificate, choice->best.statement)))
        return ERR_OK;
    choice->rank = rank;
    buf_clear(&choice->statement);
    buf_append(&choice->statement, statement);
    if (buf_err(&choice->statement) != ERR_OK)
        return ERR_NOMEM;
    return certificate_peek(buf_span(&choice->statement), &choice->best);
}

static enum err certificate_on_stated(void *self, struct span key, struct span value)
{
    return key.size == CERTIFICATE_STATED_SIZE ? certificate_consider(self, value) : ERR_CORRUPT;
}

/* What its certifier's log holds. */
static enum err certificate_on_told(void *self, const struct public_key *writer,
                                    struct span statement)
{
    struct certificate_told *told = self;
    struct certificate certificate;
    enum err err = ERR_OK;

    if (!span_is_equal(statement, buf_span(&told->choice->statement)))
        err = certificate_read(statement, &certificate);
    else
        return ERR_OK;
    if (err == ERR_OK && public_key_is_equal(&certificate.certifier, writer) &&
        public_key_is_equal(&certificate.member, &told->of->member) &&
        public_key_is_equal(&certificate.device, &told->of->device) &&
        !public_key_is_equal(&certificate.certifier, &told->of->device))
        err = certificate_consider(told->choice, statement);
    return err == ERR_MALFORMED || err == ERR_FORGED ? ERR_OK : err;
}

/* What the logs in the card space hold is looked at, too, where somebody was stolen: of several by
 * one certifier the later was kept, and a thief may have written it. */
static enum err certificate_consider_told(struct certificate_choice *choice,
                                          const struct certificate_of *of)
{
    const struct standing_device device = {.member = &of->member, .device = &of->device};
    struct certificate_told told = {.choice = choice, .of = of};
    bool has_any = false;
    enum err err = retire_table_has_any(choice->snapshot, &has_any);

    return err == ERR_OK && has_any ? standing_each_told(choice->snapshot, &device, choice->shown,
                                                         certificate_on_told, &told)
                                    : err;
}

/* What a store of before has is in the row alone. */
static enum err certificate_choose(struct certificate_choice *choice,
                                   const struct certificate_of *of, struct span row)
{
    struct key prefix;
    enum err err = row.size > 0 ? certificate_consider(choice, row) : ERR_OK;

    certificate_key(CERTIFICATE_STATED, &of->member, &of->device, &prefix);
    if (err == ERR_OK)
        err = ledger_each(choice->snapshot, TABLE_CERTIFICATE, key_span(&prefix),
                          certificate_on_stated, choice);
    return err == ERR_OK ? certificate_consider_told(choice, of) : err;
}

/* Settling. */

/* Did the rank change since it was last asked? It is noted. */
static enum err certificate_note_rank(struct ledger_txn *txn, const struct certificate_of *of,
                                      const struct certificate_rank *rank, bool *out_is_other)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span now = span_of(rank->bytes, CERTIFICATE_RANK_SIZE), known;
    struct key key;
    enum err err;

    certificate_key(CERTIFICATE_RANK, &of->member, &of->device, &key);
    err = ledger_get(&snapshot, TABLE_CERTIFICATE, &key, &known);
    *out_is_other = err == ERR_NOT_FOUND || (err == ERR_OK && !span_is_equal(known, now));
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    return *out_is_other ? ledger_put(txn, TABLE_CERTIFICATE, &key, now) : ERR_OK;
}

static enum err certificate_settle_one(struct ledger_txn *txn, const struct certificate_of *of,
                                       const struct object *shown, bool *out_is_other)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct certificate_choice choice = {
        .snapshot = &snapshot, .shown = shown, .rank = certificate_nowhere};
    struct device_row row;
    struct span stated = span_of(NULL, 0);
    bool is_known, is_void, is_mine;
    enum err err = view_device_stated_of(&snapshot, &of->device, &of->member, &row, &stated);

    is_known = err == ERR_OK;
    if (!is_known)
        stated = span_of(NULL, 0);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = certificate_choose(&choice, of, stated);
    is_void = choice.rank.bytes[0] != 0;
    is_mine =
        choice.statement.size > 0 && public_key_is_equal(&of->member, ledger_member(txn->ledger));
    /* A void one of mine must be known to be shut out by name: heal_do_duty. */
    txn->must_keep |= err == ERR_OK && is_void && is_mine;
    if (err == ERR_OK && choice.statement.size > 0 && (is_known || is_mine || !is_void) &&
        !span_is_equal(stated, buf_span(&choice.statement)))
        err = view_device_put(txn, &choice.best);
    if (err == ERR_OK)
        err = certificate_note_rank(txn, of, &choice.rank, out_is_other);
    buf_release(&choice.statement);
    return err;
}

static enum err certificate_on_below(void *self, struct span key, struct span value)
{
    struct buf *devices = self;

    (void)value;
    if (key.size != CERTIFICATE_BELOW_SIZE)
        return ERR_CORRUPT;
    if (devices->size == CERTIFICATES_JUDGED_MAX * sizeof(struct certificate_of))
        return ERR_CANCELLED;
    buf_append(devices, span_of(key.data + 33, sizeof(struct certificate_of)));
    return buf_err(devices);
}

/* member: whose devices, or NULL: anybody's. */
static enum err certificate_add_below(struct ledger_txn *txn, const struct public_key *device,
                                      const struct public_key *member, struct buf *devices)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct key prefix;
    enum err err;

    certificate_key(CERTIFICATE_BELOW, device, member, &prefix);
    err =
        ledger_each(&snapshot, TABLE_CERTIFICATE, key_span(&prefix), certificate_on_below, devices);
    return err == ERR_CANCELLED ? ERR_OK : err;
}

/* devices: whose and which to look at; those below are added where a rank has changed. */
static enum err certificate_settle(struct ledger_txn *txn, struct buf *devices,
                                   const struct object *shown)
{
    struct certificate_of of;
    enum err err = buf_err(devices);

    for (size_t at = 0; err == ERR_OK && at < devices->size; at += sizeof of) {
        bool is_other = false, stands = false;

        memcpy(&of, devices->data + at, sizeof of);
        err = certificate_settle_one(txn, &of, at == 0 ? shown : NULL, &is_other);
        if (err == ERR_OK)
            err = standing_note(txn, &of.member, &of.device, &stands);
        if (err == ERR_OK && (is_other || stands))
            err = certificate_add_below(txn, &of.device, &of.member, devices);
    }
    return err;
}

enum err view_certificate_take(struct ledger_txn *txn, const struct public_key *member,
                               const struct certificate *certificate, const struct object *shown)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct buf devices = {0};
    struct device_row known;
    enum err err = ERR_OK;

    if (!public_key_is_equal(&certificate->member, member) ||
        public_key_is_equal(&certificate->device, &certificate->certifier))
        return ERR_OK;
    if (shown == NULL && !public_key_is_equal(&certificate->certifier, member))
        err = view_device_of(&snapshot, &certificate->certifier, member, &known);
    if (err == ERR_OK)
        err = certificate_keep(txn, certificate);
    if (err == ERR_OK) {
        buf_append(&devices, span_of(certificate->member.bytes, 32));
        buf_append(&devices, span_of(certificate->device.bytes, 32));
        err = certificate_settle(txn, &devices, shown);
    }
    buf_release(&devices);
    return err == ERR_NOT_FOUND || err == ERR_LIMIT ? ERR_OK : err;
}

struct certificate_all {
    const struct public_key *member;
    struct buf devices;
};

static enum err certificate_all_add(struct certificate_all *all, const uint8_t *device)
{
    size_t size = all->devices.size;

    if (size > 0 && memcmp(all->devices.data + size - 32, device, 32) == 0)
        return ERR_OK;
    if (size == CERTIFICATES_JUDGED_MAX * sizeof(struct certificate_of))
        return ERR_CANCELLED;
    buf_append(&all->devices, span_of(all->member->bytes, 32));
    buf_append(&all->devices, span_of(device, 32));
    return buf_err(&all->devices);
}

static enum err certificate_on_any(void *self, struct span key, struct span value)
{
    (void)value;
    return key.size == CERTIFICATE_STATED_SIZE ? certificate_all_add(self, key.data + 33)
                                               : ERR_CORRUPT;
}

static enum err certificate_on_row(void *self, const struct device_row *device)
{
    return certificate_all_add(self, device->device.bytes);
}

/* One look at each. The list is as long as before it. */
static enum err certificate_judge_once(struct ledger_txn *txn, struct certificate_all *all,
                                       bool *out_is_other)
{
    size_t size = all->devices.size;
    struct certificate_of of;
    enum err err = ERR_OK;

    *out_is_other = false;
    for (size_t at = 0; err == ERR_OK && at < size; at += sizeof of) {
        bool is_ranked = false, stands = false;

        memcpy(&of, all->devices.data + at, sizeof of);
        err = certificate_settle_one(txn, &of, NULL, &is_ranked);
        if (err == ERR_OK)
            err = standing_note(txn, &of.member, &of.device, &stands);
        *out_is_other |= is_ranked || stands;
    }
    return err;
}

/* Each is judged by those nearer to the root: what they are is settled after as many looks as a
 * chain is long. */
enum err view_certificate_judge(struct ledger_txn *txn, const struct public_key *member)
{
    struct certificate_all all = {.member = member};
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool is_other = true;
    struct key prefix;
    enum err err;

    certificate_key(CERTIFICATE_STATED, member, NULL, &prefix);
    err = ledger_each(&snapshot, TABLE_CERTIFICATE, key_span(&prefix), certificate_on_any, &all);
    if (err == ERR_OK) /* What a store of before has is in the row alone. */
        err = view_device_each(&snapshot, member, certificate_on_row, &all);
    err = err == ERR_CANCELLED ? ERR_OK : err;
    for (size_t look = 0; err == ERR_OK && is_other && look <= CHAIN_CERTIFICATES_MAX + 1; look++)
        err = certificate_judge_once(txn, &all, &is_other);
    if (err == ERR_OK)
        err = retire_table_apply(txn, member);
    buf_release(&all.devices);
    return err;
}
