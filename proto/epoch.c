/* An epoch entry's payload: [1, parents, depth, readers, commitment, previous, [[hint, wrap],
 * ...]], or [2, id] to use an epoch that another log of the space opened. */
#include "proto/epoch.h"

#include <string.h>

#include "crypto/seal.h"
#include "crypto/secret.h"
#include "proto/limits.h"

enum {
    EPOCH_FORM_OPEN = 1,
    EPOCH_FORM_USE = 2,
    EPOCH_HINT_SIZE = 8,
    EPOCH_WRAP_SIZE = KEY_SIZE + SEAL_WRAP_OVERHEAD,
    EPOCH_WRAP_ROW = 1 + 2 + EPOCH_HINT_SIZE + 2 + EPOCH_WRAP_SIZE /* as canonical msgpack */
};

/* PROTOCOL EPOCH-3: "readers = HASH(kith readers, salt 16 | the keys of the members who may read
 * and of their devices, in ascending order), whose opening stays in the self space" */
void epoch_readers(const struct id *salt, const struct public_key *sorted, size_t count,
                   struct hash *out)
{
    const struct span parts[2] = {span_of(salt->bytes, ID_SIZE),
                                  span_of(sorted, count * sizeof *sorted)};

    digest("kith readers", parts, 2, out);
}

/* PROTOCOL EPOCH-2: "id = HASH(`kith epoch`, space | opening device | parent ids, or 32 zero bytes
 * | depth u32 | readers | commitment)." */
void epoch_name(const struct id *space, const struct public_key *opener, struct epoch *epoch)
{
    static const struct hash none;
    const struct hash *parents = epoch->parents_count > 0 ? epoch->parents : &none;
    size_t count = epoch->parents_count > 0 ? epoch->parents_count : 1;
    uint8_t depth[4];
    const struct span parts[6] = {
        span_of(space->bytes, ID_SIZE),           span_of(opener->bytes, 32),
        span_of(parents, count * HASH_SIZE),      span_of(depth, sizeof depth),
        span_of(epoch->readers.bytes, HASH_SIZE), span_of(epoch->commitment.bytes, HASH_SIZE)};

    be32_put(depth, epoch->depth);
    digest("kith epoch", parts, 6, &epoch->id);
}

/* Tells a reader which wrap is its own, and nobody that two wraps are for the same device. */
/* PROTOCOL EPOCH-4: "hint = the first 8 bytes of HASH(kith hint, receiving key | commitment)." */
static void epoch_hint(const uint8_t recipient[static KEY_SIZE], const struct hash *commitment,
                       uint8_t out[static EPOCH_HINT_SIZE])
{
    const struct span parts[2] = {span_of(recipient, KEY_SIZE),
                                  span_of(commitment->bytes, HASH_SIZE)};
    struct hash hash;

    digest("kith hint", parts, 2, &hash);
    memcpy(out, hash.bytes, EPOCH_HINT_SIZE);
}

/* PROTOCOL EPOCH-4: "wrap = WRAP(receiving key, epoch key) for each own device, the recovery key,
 * and in pair spaces each device of the reader;" */
static enum err epoch_put_wraps(const struct epoch_plan *plan, const struct entropy *entropy,
                                const uint8_t key[static KEY_SIZE], const struct hash *commitment,
                                struct buf *out)
{
    uint8_t hint[EPOCH_HINT_SIZE];
    struct buf wrap = {0};
    enum err err = ERR_OK;

    wire_put_array(out, plan->recipients_count);
    for (size_t at = 0; at < plan->recipients_count && err == ERR_OK; at++) {
        epoch_hint(plan->recipients + at * KEY_SIZE, commitment, hint);
        buf_clear(&wrap);
        err = seal_wrap(plan->recipients + at * KEY_SIZE, entropy, span_of(key, KEY_SIZE), &wrap);
        wire_put_array(out, 2);
        wire_put_bin(out, span_of(hint, sizeof hint));
        wire_put_bin(out, buf_span(&wrap));
    }
    buf_release(&wrap);
    return err == ERR_OK ? buf_err(out) : err;
}

/* A key of each parent, sealed under the new one. */
/* PROTOCOL EPOCH-3: "previous = SEAL(key, parent id, parent's key) for each parent in their order,
 * or empty: then no earlier key follows from this one." */
static void epoch_put_previous(const struct epoch_plan *plan, const uint8_t key[static KEY_SIZE],
                               struct buf *out)
{
    struct buf previous = {0};

    for (size_t at = 0; at < plan->parents_count && plan->parent_keys != NULL; at++)
        seal(key, span_of(plan->parents[at].bytes, HASH_SIZE),
             span_of(plan->parent_keys + at * KEY_SIZE, KEY_SIZE), &previous);
    wire_put_bin(out, buf_span(&previous));
    out->is_failed |= previous.is_failed;
    buf_release(&previous);
}

enum err epoch_create(const struct epoch_plan *plan, const struct entropy *entropy,
                      uint8_t out_key[static KEY_SIZE], struct hash *out_id,
                      struct buf *out_payload)
{
    struct epoch epoch = {
        .depth = plan->depth, .readers = plan->readers, .parents_count = plan->parents_count};
    enum err err;

    if (plan->recipients_count > EPOCH_WRAPS_MAX || plan->parents_count > EPOCH_PARENTS_MAX)
        return ERR_LIMIT;
    entropy_fill(entropy, out_key, KEY_SIZE);
    seal_commitment(out_key, &epoch.commitment);
    if (plan->parents_count > 0)
        memcpy(epoch.parents, plan->parents, plan->parents_count * sizeof *plan->parents);
    epoch_name(&plan->space, &plan->opener, &epoch);
    wire_put_array(out_payload, 7);
    wire_put_uint(out_payload, EPOCH_FORM_OPEN);
    wire_put_bin(out_payload, span_of(epoch.parents, epoch.parents_count * HASH_SIZE));
    wire_put_uint(out_payload, epoch.depth);
    wire_put_bin(out_payload, span_of(epoch.readers.bytes, HASH_SIZE));
    wire_put_bin(out_payload, span_of(epoch.commitment.bytes, HASH_SIZE));
    epoch_put_previous(plan, out_key, out_payload);
    err = epoch_put_wraps(plan, entropy, out_key, &epoch.commitment, out_payload);
    *out_id = epoch.id;
    return err;
}

void epoch_put_use(const struct hash *id, struct buf *out_payload)
{
    wire_put_array(out_payload, 2);
    wire_put_uint(out_payload, EPOCH_FORM_USE);
    wire_put_bin(out_payload, span_of(id->bytes, HASH_SIZE));
}

/* Checks every wrap's shape; being canonical they are all of one size, so the list can be found
 * again from its end. */
static void epoch_read_wraps(struct wire *wire, struct span payload, struct epoch *out)
{
    struct wire list = wire_array(wire, 0, EPOCH_WRAPS_MAX);

    out->wraps_count = list.left;
    while (list.left > 0 && wire_err(list.doc) == ERR_OK) {
        struct wire row = wire_array(&list, 2, 2);

        (void)wire_bin(&row, EPOCH_HINT_SIZE,
                       EPOCH_HINT_SIZE); /* Read again when a wrap is looked for. */
        (void)wire_bin(&row, EPOCH_WRAP_SIZE, EPOCH_WRAP_SIZE);
    }
    if (wire_err(wire->doc) != ERR_OK || payload.size < out->wraps_count * EPOCH_WRAP_ROW)
        return;
    out->wraps = span_of(payload.data + payload.size - out->wraps_count * EPOCH_WRAP_ROW,
                         out->wraps_count * EPOCH_WRAP_ROW);
}

/* Ascending, so that one set of parents has one id. */
static void epoch_read_parents(struct wire *wire, struct epoch *out)
{
    struct span parents = wire_bin(wire, 0, sizeof out->parents);

    if (parents.size % HASH_SIZE != 0) {
        wire_fail(wire);
        return;
    }
    out->parents_count = parents.size / HASH_SIZE;
    if (parents.size > 0)
        memcpy(out->parents, parents.data, parents.size);
    for (size_t at = 1; at < out->parents_count; at++)
        if (memcmp(&out->parents[at - 1], &out->parents[at], HASH_SIZE) >= 0)
            wire_fail(wire);
}

static void epoch_read_open(struct wire *wire, struct span payload, struct epoch *out)
{
    epoch_read_parents(wire, out);
    out->depth = (uint32_t)wire_uint(wire, EPOCH_DEPTH_MAX);
    wire_bytes(wire, out->readers.bytes, HASH_SIZE);
    wire_bytes(wire, out->commitment.bytes, HASH_SIZE);
    out->previous = wire_bin(wire, 0, (size_t)EPOCH_PARENTS_MAX * EPOCH_PREVIOUS_SIZE);
    epoch_read_wraps(wire, payload, out);
    if (out->previous.size != 0 && out->previous.size != out->parents_count * EPOCH_PREVIOUS_SIZE)
        wire_fail(wire);
    if (out->parents_count > 0 ? out->depth < 2 : out->depth != 1)
        wire_fail(wire);
}

/* PROTOCOL EPOCH-1: "An unsealed payload [1, parents, depth, readers, commitment, previous, [[hint,
 * wrap], ...]] opens an epoch; [2, id] uses one that another log of the space opened. Either takes
 * the next index of its log. An unsealed payload of another shape takes an index, too. parents is
 * the ids of none to EPOCH_PARENTS_MAX epochs of the space in ascending order, one after the
 * other." */
enum err epoch_read(const struct log_id *log, struct span payload, struct epoch *out)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = wire_open(&doc, payload, &wire);
    uint64_t form;

    *out = (struct epoch){0};
    if (err == ERR_OK) {
        form = wire_uint(&wire, EPOCH_FORM_USE);
        out->is_use = form == EPOCH_FORM_USE;
        if (form == EPOCH_FORM_OPEN)
            epoch_read_open(&wire, payload, out);
        else if (out->is_use)
            wire_bytes(&wire, out->id.bytes, HASH_SIZE);
        else
            wire_fail(&wire);
        wire_end(&wire);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    if (err == ERR_OK && !out->is_use)
        epoch_name(&log->space, &log->device, out);
    return err;
}

enum err epoch_check(const struct epoch *epoch, const uint8_t key[static KEY_SIZE])
{
    struct hash commitment;

    seal_commitment(key, &commitment);
    return secret_is_equal(commitment.bytes, epoch->commitment.bytes, HASH_SIZE) ? ERR_OK
                                                                                 : ERR_FORGED;
}

/* Opens 32 secret bytes into out by way of locked memory. */
static enum err epoch_take_key(const struct epoch *epoch, struct buf *opened,
                               uint8_t out_key[static KEY_SIZE])
{
    enum err err = opened->size == KEY_SIZE ? epoch_check(epoch, opened->data) : ERR_FORGED;

    if (err == ERR_OK)
        memcpy(out_key, opened->data, KEY_SIZE);
    return err;
}

enum err epoch_unwrap(const struct epoch *epoch, const struct exchange_key *receiving,
                      uint8_t out_key[static KEY_SIZE])
{
    uint8_t hint[EPOCH_HINT_SIZE];
    struct buf opened = {0};
    enum err err = ERR_NOT_FOUND;

    epoch_hint(receiving->public_key, &epoch->commitment, hint);
    for (size_t at = 0; at < epoch->wraps_count; at++) {
        const uint8_t *row = epoch->wraps.data + at * EPOCH_WRAP_ROW;

        if (memcmp(row + 3, hint, EPOCH_HINT_SIZE) != 0)
            continue;
        err =
            seal_unwrap(receiving->public_key, receiving->secret,
                        span_of(row + EPOCH_WRAP_ROW - EPOCH_WRAP_SIZE, EPOCH_WRAP_SIZE), &opened);
        if (err == ERR_OK)
            err = epoch_take_key(epoch, &opened, out_key);
        break;
    }
    if (opened.data != NULL)
        secret_wipe(opened.data, opened.capacity);
    buf_release(&opened);
    return err;
}

enum err epoch_previous(const struct epoch *epoch, size_t parent,
                        const uint8_t key[static KEY_SIZE], uint8_t out_key[static KEY_SIZE])
{
    struct buf opened = {0};
    enum err err;

    if (parent >= epoch->parents_count || epoch->previous.size == 0)
        return ERR_NOT_FOUND;
    err = seal_open(
        key, span_of(epoch->parents[parent].bytes, HASH_SIZE),
        span_of(epoch->previous.data + parent * EPOCH_PREVIOUS_SIZE, EPOCH_PREVIOUS_SIZE), &opened);
    if (err == ERR_OK && opened.size != KEY_SIZE)
        err = ERR_FORGED;
    if (err == ERR_OK)
        memcpy(out_key, opened.data, KEY_SIZE);
    if (opened.data != NULL)
        secret_wipe(opened.data, opened.capacity);
    buf_release(&opened);
    return err;
}
