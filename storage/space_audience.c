/*
 * Who may read a space today: members, their devices, and the keys that an epoch is wrapped for.
 * Counted when an epoch opens, and whenever one is chosen; nobody else decides.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "storage/ledger_state.h"
#include "storage/space_state.h"
#include "storage/standing.h"
#include "storage/view_peer.h"

enum { SPACE_PEER_DEVICES_MAX = 24 }; /* more of a peer's devices are not wrapped for */

struct space_count {
    const struct snapshot *snapshot;
    enum space_kind kind;
    struct space_audience *audience;
    struct buf members; /* of card and network spaces: whose devices count */
    struct buf bereft;  /* those of them a device of whom was shut out */
    size_t left;        /* wraps that may still be added */
    struct buf *out;    /* of a pair space: devices of the reader that were shut out; or NULL */
};

static void space_add_reader(struct space_audience *audience, const struct public_key *reader)
{
    buf_append(&audience->readers, span_of(reader, sizeof *reader));
}

static int space_order(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct public_key));
}

static void space_sort(struct buf *keys)
{
    if (keys->size > 0)
        qsort(keys->data, keys->size / sizeof(struct public_key), sizeof(struct public_key),
              space_order);
}

static bool space_has(const struct buf *sorted, const struct public_key *key)
{
    return sorted->size > 0 &&
           bsearch(key, sorted->data, sorted->size / sizeof *key, sizeof *key, space_order) != NULL;
}

bool space_may_read(enum space_kind kind, const struct peer *peer)
{
    return peer->state == LINK_LINKED && (kind != SPACE_NETWORK || peer->reads_network);
}

bool space_audience_has(const struct space_audience *audience, const struct public_key *reader)
{
    return space_has(&audience->readers, reader);
}

/* PROTOCOL STOLEN-12: "A device of a peer that was shut out knows the key of each epoch of the pair
 * space whose opener did not record that it was" */
bool space_audience_knows_out(const struct space_audience *audience, struct span recorded)
{
    size_t at = 0, size = sizeof(struct public_key);

    for (size_t out = 0; out < audience->out.size; out += size, at += size) {
        while (at + size <= recorded.size &&
               memcmp(recorded.data + at, audience->out.data + out, size) < 0)
            at += size;
        if (at + size > recorded.size ||
            memcmp(recorded.data + at, audience->out.data + out, size) != 0)
            return false;
    }
    return true;
}

/* PROTOCOL EPOCH-12: "and every known device of theirs that was neither given up nor stolen and is
 * not void." */
static enum err space_on_device(void *self, const struct device_row *device)
{
    struct space_count *count = self;
    struct space_audience *audience = count->audience;
    enum standing standing;
    enum err err = standing_of(count->snapshot, &device->device, &standing);

    if (err == ERR_OK && standing_is_out(standing) && count->out != NULL) {
        buf_append(count->out, span_of(&device->device, sizeof device->device));
        err = buf_err(count->out);
    }
    if (err != ERR_OK || standing_is_out(standing))
        return err;
    if (count->left == 0 || audience->recipients_count == EPOCH_WRAPS_MAX)
        return ERR_OK;
    count->left--;
    memcpy(audience->recipients[audience->recipients_count++], device->receiving_key, KEY_SIZE);
    space_add_reader(audience, &device->device);
    return ERR_OK;
}

/* Own devices and the recovery key read everything of mine. This device's own key is known before
 * its certificate is. */
static enum err space_add_own(const struct snapshot *snapshot, struct space_audience *audience)
{
    const struct exchange_key *own = ledger_receiving_key(snapshot->ledger);
    struct space_count count = {.snapshot = snapshot,
                                .audience = audience,
                                .left = EPOCH_WRAPS_MAX - SPACE_PEER_DEVICES_MAX - 2};
    enum err err =
        view_device_each(snapshot, ledger_member(snapshot->ledger), space_on_device, &count);
    bool has_this = false;

    for (size_t at = 0; at < audience->recipients_count; at++)
        has_this |= memcmp(audience->recipients[at], own->public_key, KEY_SIZE) == 0;
    if (!has_this) {
        memcpy(audience->recipients[audience->recipients_count++], own->public_key, KEY_SIZE);
        space_add_reader(audience, ledger_device(snapshot->ledger));
    }
    memcpy(audience->recipients[audience->recipients_count++],
           ledger_secrets(snapshot->ledger)->recovery_public, KEY_SIZE);
    space_add_reader(audience, ledger_member(snapshot->ledger));
    return err;
}

static enum err space_add_peer(const struct snapshot *snapshot, const struct public_key *peer,
                               struct space_audience *audience)
{
    struct space_count count = {
        .snapshot = snapshot, .audience = audience, .left = SPACE_PEER_DEVICES_MAX};
    enum err err;

    space_add_reader(audience, peer);
    count.out = &audience->out;
    err = view_device_each(snapshot, peer, space_on_device, &count);
    space_sort(&audience->out);
    return err;
}

/* All who are linked: their devices get the key by grants in their pair spaces. */

static enum err space_count_linked(void *self, const struct peer *peer)
{
    struct space_count *count = self;

    if (space_may_read(count->kind, peer))
        buf_append(&count->members, span_of(&peer->member, sizeof peer->member));
    else if (peer->has_pair_out)
        buf_append(&count->audience->former, span_of(peer->pair_out.bytes, ID_SIZE));
    return buf_err(&count->members);
}

static enum err space_count_device(void *self, const struct device_row *device)
{
    struct space_count *count = self;
    enum standing standing;
    enum err err = ERR_OK;

    if (!space_has(&count->members, &device->member))
        return ERR_OK;
    err = standing_of(count->snapshot, &device->device, &standing);
    if (err == ERR_OK && !standing_is_out(standing))
        space_add_reader(count->audience, &device->device);
    else if (err == ERR_OK)
        buf_append(&count->bereft, span_of(&device->member, sizeof device->member));
    return err == ERR_OK ? buf_err(&count->bereft) : err;
}

/* Such a device was granted what its member was. */
static enum err space_note_bereft(void *self, const struct peer *peer)
{
    struct space_count *count = self;

    if (peer->has_pair_out && space_has(&count->bereft, &peer->member))
        buf_append(&count->audience->bereft, span_of(peer->pair_out.bytes, ID_SIZE));
    return buf_err(&count->audience->bereft);
}

static enum err space_add_linked(const struct snapshot *snapshot, enum space_kind kind,
                                 struct space_audience *audience)
{
    const struct public_key *own = ledger_member(snapshot->ledger);
    struct space_count count = {.snapshot = snapshot, .kind = kind, .audience = audience};
    enum err err = view_peer_each_link(snapshot, space_count_linked, &count);

    buf_append(&count.members, span_of(own, sizeof *own));
    space_sort(&count.members);
    if (err == ERR_OK)
        err = view_device_each(snapshot, NULL, space_count_device, &count);
    space_sort(&count.bereft);
    if (err == ERR_OK && count.bereft.size > 0)
        err = view_peer_each_link(snapshot, space_note_bereft, &count);
    buf_append(&audience->readers, buf_span(&count.members));
    space_sort(&audience->readers);
    if (!space_has(&audience->readers, ledger_device(snapshot->ledger)))
        space_add_reader(audience, ledger_device(snapshot->ledger));
    buf_release(&count.members);
    buf_release(&count.bereft);
    return err;
}

enum err space_find_audience(const struct snapshot *snapshot, const struct space_row *space,
                             struct space_audience *out)
{
    enum err err;

    out->recipients_count = 0;
    out->readers = out->former = out->bereft = out->out = (struct buf){0};
    if (space->kind == SPACE_CARD || space->kind == SPACE_NETWORK) {
        err = space_add_linked(snapshot, space->kind, out);
    } else {
        err = space_add_own(snapshot, out);
        if (err == ERR_OK && space->kind == SPACE_PAIR)
            err = space_add_peer(snapshot, &space->reader, out);
    }
    space_sort(&out->readers);
    if (err == ERR_OK)
        err = buf_err(&out->former);
    return err == ERR_OK ? buf_err(&out->readers) : err;
}
