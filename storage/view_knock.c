/* Knock keys: those drawn, as self records them, and the one the card space tells. */
#include <string.h>

#include "crypto/secret.h"
#include "proto/card.h"
#include "proto/limits.h"
#include "proto/link.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/running.h"
#include "storage/view_peer.h"

enum { VIEW_KNOCKS_MAX = 8 };

static bool view_knock_key(const struct object *object, uint8_t field, uint8_t out[static KEY_SIZE])
{
    struct span bytes = object_value(object, field).bytes;

    if (bytes.size == KEY_SIZE)
        memcpy(out, bytes.data, KEY_SIZE);
    return bytes.size == KEY_SIZE;
}

struct view_knock_list {
    uint8_t *keys;
    uint64_t created[VIEW_KNOCKS_MAX];
    uint64_t told[VIEW_KNOCKS_MAX];    /* entry of a log of the card that tells it; 0: unknown */
    uint64_t running[VIEW_KNOCKS_MAX]; /* 1 + the device's running time then, in ms; 0: unknown */
    struct public_key devices[VIEW_KNOCKS_MAX];
    size_t count;
};

/* Makes room at a place; of too many the last goes. */
static void view_knock_insert(struct view_knock_list *to, size_t at,
                              const uint8_t key[static KEY_SIZE])
{
    size_t behind;

    if (to->count == VIEW_KNOCKS_MAX)
        to->count--;
    behind = to->count - at;
    memmove(to->keys + (at + 1) * KEY_SIZE, to->keys + at * KEY_SIZE, behind * KEY_SIZE);
    memmove(&to->created[at + 1], &to->created[at], behind * sizeof to->created[0]);
    memmove(&to->told[at + 1], &to->told[at], behind * sizeof to->told[0]);
    memmove(&to->running[at + 1], &to->running[at], behind * sizeof to->running[0]);
    memmove(&to->devices[at + 1], &to->devices[at], behind * sizeof to->devices[0]);
    memcpy(to->keys + at * KEY_SIZE, key, KEY_SIZE);
    to->told[at] = to->created[at] = to->running[at] = 0;
    to->count++;
}

/* Keeps the newest, newest first. */
static enum err view_knock_on(void *self, uint32_t number, const struct object *knock)
{
    struct view_knock_list *to = self;
    uint64_t created = object_number(knock, KNOCK_CREATED);
    uint8_t key[KEY_SIZE];
    size_t at = to->count;

    (void)number;
    if (!view_knock_key(knock, KNOCK_KEY, key))
        return ERR_OK;
    while (at > 0 && to->created[at - 1] < created)
        at--;
    if (at < VIEW_KNOCKS_MAX) {
        view_knock_insert(to, at, key);
        to->told[at] = object_number(knock, KNOCK_TOLD);
        to->running[at] = object_number(knock, KNOCK_RUNNING);
        (void)view_knock_key(knock, KNOCK_DEVICE, to->devices[at].bytes); /* told is 0 without */
        to->created[at] = created;
    }
    secret_wipe(key, sizeof key);
    return ERR_OK;
}

struct view_knock_told {
    const struct snapshot *snapshot;
    uint32_t log;
    uint64_t told;
    struct hash epochs[2]; /* that it is told under, and that is current: its key opens the other */
    bool is_missed;
};

/* Has the peer acknowledged an entry that grants it this epoch? */
static enum err view_knock_is_granted(const struct view_knock_told *told, const struct peer *peer,
                                      const struct hash *epoch, bool *out)
{
    struct object grant = {0};
    struct id object;
    uint32_t number;
    enum err err;

    memcpy(object.bytes, epoch->bytes, ID_SIZE);
    err = peer->has_pair_out
              ? row_get(told->snapshot, &peer->pair_out, KIND_GRANT, &object, &grant, &number)
              : ERR_NOT_FOUND;
    for (size_t at = 0; err == ERR_OK && !*out && at < grant.edits_count; at++) {
        struct entry_row entry;
        uint64_t size = 0;

        err = ledger_entry(told->snapshot, grant.edits[at], &entry);
        if (err == ERR_OK && !entry.is_cut)
            err = view_delivered_to(told->snapshot, &peer->member, entry.log, &size);
        *out = err == ERR_OK && !entry.is_cut && size >= entry.seq;
    }
    object_release(&grant);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err view_knock_on_peer(void *self, const struct peer *peer)
{
    struct view_knock_told *told = self;
    bool is_granted = false;
    uint64_t size = 0;
    enum err err;

    if (peer->state != LINK_LINKED || told->is_missed)
        return ERR_OK;
    err = view_delivered_to(told->snapshot, &peer->member, told->log, &size);
    for (size_t at = 0; err == ERR_OK && size >= told->told && !is_granted && at < 2; at++)
        err = view_knock_is_granted(told, peer, &told->epochs[at], &is_granted);
    told->is_missed = !is_granted;
    return err;
}

/* Where it is told. ERR_NOT_FOUND. */
static enum err view_knock_find_told(const struct snapshot *snapshot, const struct log_id *id,
                                     struct view_knock_told *out)
{
    struct entry_row entry;
    struct log_row log;
    enum err err = ledger_log(snapshot, id, &log);

    out->log = log.number;
    if (err == ERR_OK)
        err = ledger_entry_at(snapshot, log.number, out->told, &entry);
    return err == ERR_OK ? epoch_table_of_log(snapshot, log.number, entry.entry.header.epoch_index,
                                              &out->epochs[0])
                         : err;
}

static enum err view_knock_all_know(const struct snapshot *snapshot,
                                    const struct view_knock_list *knocks, size_t at, bool *out)
{
    struct view_knock_told told = {.snapshot = snapshot, .told = knocks->told[at]};
    struct log_id id = {.device = knocks->devices[at]};
    struct space_row card = {0};
    enum err err = told.told > 0 ? ledger_own_space(snapshot, SPACE_CARD, &card) : ERR_NOT_FOUND;

    id.space = card.id;
    told.epochs[1] = card.current;
    if (err == ERR_OK)
        err = view_knock_find_told(snapshot, &id, &told);
    if (err == ERR_OK)
        err = view_peer_each(snapshot, view_knock_on_peer, &told);
    *out = err == ERR_OK && !told.is_missed;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL KNOCK-6: "Older knocks are answered until every remaining peer has acknowledged the
 * entry that tells a newer one and a grant of its epoch, or of the current one, or the device that
 * drew the newer one has run KNOCK_DAYS_MAX since: what a peer holds and cannot open tells it
 * nothing." Running time never runs ahead, so it needs no wall clock beside it. */
static enum err view_knock_is_settled(const struct snapshot *snapshot,
                                      const struct view_knock_list *knocks, size_t at, bool *out)
{
    uint64_t now_ms = 0;
    enum err err = view_knock_all_know(snapshot, knocks, at, out);

    if (err != ERR_OK || *out || knocks->running[at] == 0 ||
        !public_key_is_equal(&knocks->devices[at], ledger_device(snapshot->ledger)))
        return err;
    err = running_ms(snapshot, &now_ms);
    *out = now_ms + 1 >= knocks->running[at] + KNOCK_DAYS_MAX * MS_PER_DAY;
    return err;
}

/* PROTOCOL OWN-2: "Answered is, too, the knock that the card space tells, whoever drew it" */
/* What the card space tells now is what peers use towards every device of mine: another device may
 * have drawn it, whose word in self has not come yet. */
static enum err view_knock_door(const struct snapshot *snapshot, struct view_knock_list *to)
{
    static const struct id only = {{0}};
    struct object door = {0};
    struct space_row card;
    uint8_t key[KEY_SIZE];
    uint32_t number;
    bool is_known = false;
    enum err err = ledger_own_space(snapshot, SPACE_CARD, &card);

    if (err == ERR_OK)
        err = row_get(snapshot, &card.id, KIND_DOOR, &only, &door, &number);
    if (err == ERR_OK && view_knock_key(&door, DOOR_KNOCK, key)) {
        for (size_t at = 0; at < to->count; at++)
            is_known |= memcmp(to->keys + at * KEY_SIZE, key, KEY_SIZE) == 0;
        if (!is_known)
            view_knock_insert(to, 0, key);
    }
    secret_wipe(key, sizeof key);
    object_release(&door);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_knocks_held(const struct snapshot *snapshot, uint8_t out[static 8 * KEY_SIZE],
                          size_t *out_answered, size_t *out_held)
{
    struct view_knock_list to = {.keys = out};
    enum err err =
        row_each(snapshot, ledger_self_space(snapshot->ledger), KIND_KNOCK, view_knock_on, &to);

    if (err == ERR_OK)
        err = view_knock_door(snapshot, &to);
    *out_answered = *out_held = to.count;
    for (size_t at = 0; err == ERR_OK && at + 1 < *out_answered; at++) {
        bool is_known = false;

        err = view_knock_is_settled(snapshot, &to, at, &is_known);
        if (err == ERR_OK && is_known)
            *out_answered = at + 1;
    }
    return err;
}

/* What one entry of the card says of the knock. ERR_NOT_FOUND: nothing that can be read. */
static enum err view_knock_read(const struct snapshot *snapshot, uint64_t arrival,
                                uint8_t out[static KEY_SIZE])
{
    struct edit_space edit = {0};
    struct buf plain = {0};
    struct entry_row row;
    enum err err = ledger_entry(snapshot, arrival, &row);

    if (err == ERR_OK && row.entry.payload.size == 0)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = ledger_open_entry(snapshot, &row, &plain);
    if (err == ERR_OK)
        err = edit_read(&edit, buf_span(&plain));
    if (err == ERR_OK)
        err = ERR_NOT_FOUND;
    for (size_t at = 0; err == ERR_NOT_FOUND && at < edit.edit.writes_count; at++) {
        const struct write *write = &edit.edit.writes[at];

        if (write->op != WRITE_SET || write->field != DOOR_KNOCK ||
            write->value.type != VALUE_BYTES || write->value.bytes.size != KEY_SIZE)
            continue;
        memcpy(out, write->value.bytes.data, KEY_SIZE);
        err = ERR_OK;
    }
    edit_release(&edit);
    if (plain.data != NULL)
        secret_wipe(plain.data, plain.capacity);
    buf_release(&plain);
    return err == ERR_KEY_MISSING || err == ERR_FORGED || err == ERR_MALFORMED ? ERR_NOT_FOUND
                                                                               : err;
}

/* PROTOCOL OWN-2: "and those that the card space told once, whoever drew them" */
enum err view_knocks_told(const struct snapshot *snapshot, uint8_t *keys, size_t max,
                          size_t *in_out_count)
{
    static const struct id only = {{0}};
    struct object door = {0};
    struct space_row card;
    uint8_t key[KEY_SIZE];
    uint32_t number;
    enum err err = ledger_own_space(snapshot, SPACE_CARD, &card);

    if (err == ERR_OK)
        err = row_get(snapshot, &card.id, KIND_DOOR, &only, &door, &number);
    for (size_t at = door.edits_count; err == ERR_OK && at > 0 && *in_out_count < max; at--) {
        bool is_known = false;

        err = view_knock_read(snapshot, door.edits[at - 1], key);
        for (size_t one = 0; err == ERR_OK && one < *in_out_count; one++)
            is_known |= memcmp(keys + one * KEY_SIZE, key, KEY_SIZE) == 0;
        if (err == ERR_OK && !is_known)
            memcpy(keys + (*in_out_count)++ * KEY_SIZE, key, KEY_SIZE);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    secret_wipe(key, sizeof key);
    object_release(&door);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_knocks(const struct snapshot *snapshot, uint8_t out[static 8 * KEY_SIZE],
                     size_t *out_count)
{
    size_t held;

    return view_knocks_held(snapshot, out, out_count, &held);
}
