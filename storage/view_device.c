/* Devices by key and by handshake key, their chains, and where they were reached. */
#include <string.h>

#include "proto/card.h"
#include "proto/limits.h"
#include "storage/agenda.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/space.h"
#include "storage/view_certificate.h"
#include "storage/view_claim.h"

enum { VIEW_DEVICE_FIXED = 32 + 32 + 32 + 32 + 8 + 1, VIEW_DEVICE_REACHED_HEADER = 8 };

static const struct id *view_device_self(const struct snapshot *snapshot)
{
    return ledger_self_space(snapshot->ledger);
}

/* A device row: member, static key, receiving key, certifier, time, name size, name, statement. */
static void view_device_write(const struct certificate *certificate, struct buf *out)
{
    buf_append(out, span_of(certificate->member.bytes, 32));
    buf_append(out, span_of(certificate->static_key, 32));
    buf_append(out, span_of(certificate->receiving_key, 32));
    buf_append(out, span_of(certificate->certifier.bytes, 32));
    buf_u64(out, certificate->time_ms);
    buf_byte(out, (uint8_t)certificate->name.size);
    buf_append(out, certificate->name);
    buf_append(out, certificate->statement);
}

/* known: as it was, of the same member; NULL: not at all. */
static enum err view_device_put_row(struct ledger_txn *txn, const struct device_row *known,
                                    const struct certificate *certificate, struct span row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    bool is_new, is_other = false;
    struct device_row now;
    struct span statement;
    struct key key;
    enum err err = ERR_OK;

    /* This device is wrapped for before it is certified. */
    is_new =
        known == NULL && !public_key_is_equal(&certificate->device, ledger_device(txn->ledger));
    if (known == NULL)
        err = view_device_has_room(&snapshot, &certificate->member);
    else
        is_other = memcmp(known->receiving_key, certificate->receiving_key, KEY_SIZE) != 0;
    if (err != ERR_OK)
        return err == ERR_LIMIT ? ERR_OK : err;
    key_of_bytes(span_of(certificate->device.bytes, 32), &key);
    err = ledger_put(txn, TABLE_DEVICE, &key, row);
    if (err == ERR_OK && known != NULL &&
        memcmp(known->static_key, certificate->static_key, KEY_SIZE) != 0)
        err = view_static_drop(txn, known);
    if (err == ERR_OK)
        err = view_device_read_row(&certificate->device, row, &now, &statement);
    if (err == ERR_OK)
        err = view_static_put(txn, &now);
    if (err == ERR_OK && known == NULL) /* It may have been spoken of. */
        err = agenda_put(txn, AGENDA_NOW, KIND_RETIRE, key_span(&key));
    txn->news.has_links |= is_new;      /* Somebody more to call. */
    txn->ledger->endorsement_changes++; /* What it signed may count. */
    return err == ERR_OK && (is_new || is_other) ? space_devices_changed(txn, &certificate->member)
                                                 : err;
}

enum err view_device_put(struct ledger_txn *txn, const struct certificate *certificate)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct device_row known;
    struct buf row = {0};
    bool is_known;
    enum err err = view_device(&snapshot, &certificate->device, &known);

    is_known = err == ERR_OK;
    if (err == ERR_OK || err == ERR_NOT_FOUND) {
        view_device_write(certificate, &row);
        err = buf_err(&row);
    }
    if (err == ERR_OK && is_known && !public_key_is_equal(&known.member, &certificate->member))
        err = view_device_put_claim(txn, &known, certificate, buf_span(&row));
    else if (err == ERR_OK)
        err = view_device_put_row(txn, is_known ? &known : NULL, certificate, buf_span(&row));
    buf_release(&row);
    return err;
}

enum err view_device_read_row(const struct public_key *device, struct span row,
                              struct device_row *out, struct span *out_statement)
{
    size_t name_size;

    if (row.size < VIEW_DEVICE_FIXED)
        return ERR_CORRUPT;
    name_size = row.data[136];
    if (name_size > DEVICE_NAME_SIZE_MAX || row.size < VIEW_DEVICE_FIXED + name_size)
        return ERR_CORRUPT;
    *out = (struct device_row){.device = *device, .certified_at_ms = be64(row.data + 128)};
    memcpy(out->member.bytes, row.data, 32);
    memcpy(out->static_key, row.data + 32, 32);
    memcpy(out->receiving_key, row.data + 64, 32);
    memcpy(out->certifier.bytes, row.data + 96, 32);
    memcpy(out->name, row.data + VIEW_DEVICE_FIXED, name_size);
    *out_statement =
        span_of(row.data + VIEW_DEVICE_FIXED + name_size, row.size - VIEW_DEVICE_FIXED - name_size);
    return ERR_OK;
}

enum err view_device_stated(const struct snapshot *snapshot, const struct public_key *device,
                            struct device_row *out, struct span *out_statement)
{
    struct span row;
    struct key key;
    enum err err;

    key_of_bytes(span_of(device->bytes, 32), &key);
    err = ledger_get(snapshot, TABLE_DEVICE, &key, &row);
    return err == ERR_OK ? view_device_read_row(device, row, out, out_statement) : err;
}

enum err view_device(const struct snapshot *snapshot, const struct public_key *device,
                     struct device_row *out)
{
    struct span statement;

    return view_device_stated(snapshot, device, out, &statement);
}

enum err view_device_by_static(const struct snapshot *snapshot, const uint8_t static_key[static 32],
                               struct device_row *out)
{
    struct public_key device;
    struct span value;
    struct key key;
    enum err err;

    key_of_bytes(span_of(static_key, 32), &key);
    err = ledger_get(snapshot, TABLE_STATIC_KEY, &key, &value);
    if (err == ERR_OK && value.size != 32)
        err = ERR_CORRUPT;
    if (err != ERR_OK)
        return err;
    memcpy(device.bytes, value.data, 32);
    return view_device(snapshot, &device, out);
}

enum err view_device_each_row(const struct snapshot *snapshot, const struct public_key *member,
                              view_device_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span key, value, statement;
    struct public_key device;
    struct device_row row;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_DEVICE, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, span_of(NULL, 0)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        if (key.size != 32 || value.size < 32) {
            err = ERR_CORRUPT;
            break;
        }
        if (member != NULL && memcmp(value.data, member->bytes, 32) != 0)
            continue;
        memcpy(device.bytes, key.data, 32);
        err = view_device_read_row(&device, value, &row, &statement);
        if (err == ERR_OK)
            err = each(self, &row);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* A row may have no statement, where only its contents are known: that one was admitted. */
static bool view_device_is_successor(struct span statement)
{
    struct certificate certificate;

    return statement.size > 0 && certificate_peek(statement, &certificate) == ERR_OK &&
           certificate.is_successor;
}

/* PROTOCOL CERT-2: "At most CHAIN_LENGTH_MAX certificates of form 1, and CHAIN_CERTIFICATES_MAX in
 * all, lead from the root to a device: a successor stands at the depth of the device before it. No
 * certificate of form 2 is by the root." */
enum err view_device_depth(const struct snapshot *snapshot, const struct certificate *certificate,
                           size_t *out_depth, size_t *out_length)
{
    struct public_key at = certificate->certifier;
    size_t depth = !certificate->is_successor, length = 1;

    if (public_key_is_equal(&at, &certificate->member) && certificate->is_successor)
        return ERR_FORGED;
    for (; !public_key_is_equal(&at, &certificate->member); length++) {
        struct device_row row;
        struct span statement;
        enum err err;

        /* PROTOCOL RETIRE-12: "A certificate that would lead a chain through its own device is
         * passed over." */
        if (length == CHAIN_CERTIFICATES_MAX || public_key_is_equal(&at, &certificate->device))
            return ERR_FORGED;
        err = view_device_stated_of(snapshot, &at, &certificate->member, &row, &statement);
        if (err != ERR_OK)
            return err == ERR_NOT_FOUND ? ERR_FORGED : err;
        depth += !view_device_is_successor(statement);
        if (depth > CHAIN_LENGTH_MAX)
            return ERR_FORGED;
        at = row.certifier;
    }
    *out_depth = depth;
    *out_length = length;
    return ERR_OK;
}

enum err view_device_may_certify(const struct snapshot *snapshot,
                                 const struct certificate *certificate)
{
    size_t depth, length;

    return view_device_depth(snapshot, certificate, &depth, &length);
}

enum err view_device_written(struct ledger_txn *txn, const struct space_row *space,
                             const struct edit *edit, const struct object *after)
{
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < edit->writes_count; at++) {
        const struct write *write = &edit->writes[at];
        struct certificate certificate;

        if (write->op != WRITE_SET || write->field != CERTIFICATE_STATEMENT ||
            write->value.type != VALUE_BYTES)
            continue;
        err = certificate_read(write->value.bytes, &certificate);
        if (err == ERR_OK)
            err = view_certificate_take(txn, &space->writer, &certificate, after);
        err = err == ERR_MALFORMED || err == ERR_FORGED ? ERR_OK : err;
    }
    return err;
}

enum err view_device_learn(struct ledger_txn *txn, const struct device_chain *chain)
{
    enum err err = ERR_OK;

    for (size_t at = 0; at < chain->count && err == ERR_OK; at++)
        err = view_certificate_take(txn, &chain->member, &chain->certificates[at], NULL);
    return err;
}

enum err view_device_news(struct ledger_txn *txn, const struct public_key *member)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = ERR_OK;

    if (member == NULL) {
        ledger_note_news(txn, ledger_self_space(txn->ledger));
        txn->news.is_cut = true;
        return ERR_OK;
    }
    for (uint32_t number = 1; err == ERR_OK && number <= txn->counters.spaces; number++) {
        struct space_row space;

        err = ledger_space_numbered(&snapshot, number, &space);
        if (err == ERR_OK && public_key_is_equal(&space.writer, member))
            ledger_note_news(txn, &space.id);
    }
    return err;
}

enum err view_device_meet(struct ledger_txn *txn, const struct device_chain *chain)
{
    enum err err = view_device_learn(txn, chain);

    return err == ERR_OK ? view_device_news(txn, &chain->member) : err;
}

/* Addresses. */

static size_t view_device_add(struct span bytes, struct address *out, size_t count, size_t max)
{
    struct address read[ADDRESSES_MAX];
    size_t read_count = 0;

    if (address_read_list(bytes, read, &read_count) != ERR_OK)
        return count;
    for (size_t at = 0; at < read_count && count < max; at++) {
        bool is_known = false;

        for (size_t known = 0; known < count; known++)
            is_known |= address_is_equal(&out[known], &read[at]);
        if (!is_known)
            out[count++] = read[at];
    }
    return count;
}

static void view_device_reached_key(const struct public_key *device, struct key *out)
{
    key_of_bytes(span_of(device->bytes, 32), out);
}

/* The link's addresses are those of the device the link was made with; with one device a member
 * they serve for it. */
static size_t view_device_link_addresses(const struct snapshot *snapshot,
                                         const struct public_key *member, struct address *out,
                                         size_t count, size_t max)
{
    struct object link = {0};
    struct id id;
    uint32_t number;

    id_about("kith link", member, &id);
    if (row_get(snapshot, view_device_self(snapshot), KIND_LINK, &id, &link, &number) == ERR_OK)
        count = view_device_add(object_value(&link, LINK_ADDRESSES).bytes, out, count, max);
    object_release(&link);
    return count;
}

/* What the device says in its member's card space: others of the member tell it, too. */
static enum err view_device_reach(const struct snapshot *snapshot, const struct device_row *device,
                                  struct address *out, size_t max, size_t *count)
{
    struct object reach = {0};
    struct space_row card;
    struct id id;
    uint32_t number;
    enum err err = view_peer_card(snapshot, &device->member, &card);

    id_about("kith device", &device->device, &id);
    if (err == ERR_OK)
        err = row_get(snapshot, &card.id, KIND_REACH, &id, &reach, &number);
    if (err == ERR_OK)
        *count = view_device_add(object_value(&reach, REACH_ADDRESSES).bytes, out, *count, max);
    object_release(&reach);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_peer_addresses(const struct snapshot *snapshot, const struct public_key *device,
                             struct address out[static ADDRESSES_MAX * 3], size_t *out_count,
                             bool *out_is_told)
{
    size_t count = 0, max = (size_t)ADDRESSES_MAX * 3;
    struct device_row row;
    struct span value;
    struct key key;
    enum err err = view_device(snapshot, device, &row);

    if (err != ERR_OK)
        return err;
    view_device_reached_key(device, &key);
    err = ledger_get(snapshot, TABLE_REACHED, &key, &value);
    if (err == ERR_OK && value.size >= VIEW_DEVICE_REACHED_HEADER)
        count = view_device_add(span_of(value.data + 8, value.size - 8), out, count, max);
    else if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    err = view_device_reach(snapshot, &row, out, max, &count);
    if (out_is_told != NULL)
        *out_is_told = count > 0;
    *out_count = view_device_link_addresses(snapshot, &row.member, out, count, max);
    return err;
}

enum err view_peer_reached(struct ledger_txn *txn, const struct public_key *device,
                           struct span addresses, uint64_t seen_at_ms)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct buf row = {0};
    struct span value;
    struct key key;
    enum err err;

    view_device_reached_key(device, &key);
    err = ledger_get(&snapshot, TABLE_REACHED, &key, &value);
    if (err == ERR_OK && value.size >= VIEW_DEVICE_REACHED_HEADER) {
        if (seen_at_ms == 0)
            seen_at_ms = be64(value.data);
        if (addresses.size == 0)
            addresses = span_of(value.data + 8, value.size - 8);
    } else if (err != ERR_OK && err != ERR_NOT_FOUND) {
        return err;
    }
    buf_u64(&row, seen_at_ms);
    buf_append(&row, addresses);
    err = buf_err(&row);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_REACHED, &key, buf_span(&row));
    buf_release(&row);
    if (err == ERR_OK && public_key_is_equal(device, ledger_device(txn->ledger)))
        err = agenda_put(txn, AGENDA_NOW, KIND_REACH, span_of(NULL, 0));
    return err;
}

enum err view_peer_own_addresses(const struct snapshot *snapshot, struct buf *out)
{
    struct span value;
    struct key key;
    enum err err;

    view_device_reached_key(ledger_device(snapshot->ledger), &key);
    err = ledger_get(snapshot, TABLE_REACHED, &key, &value);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && value.size < VIEW_DEVICE_REACHED_HEADER))
        return ERR_OK;
    if (err == ERR_OK) {
        buf_append(out, span_of(value.data + VIEW_DEVICE_REACHED_HEADER,
                                value.size - VIEW_DEVICE_REACHED_HEADER));
        err = buf_err(out);
    }
    return err;
}

struct view_device_seen {
    const struct snapshot *snapshot;
    uint64_t newest_ms;
};

static enum err view_device_newest(void *self, const struct device_row *device)
{
    struct view_device_seen *seen = self;
    struct span value;
    struct key key;
    enum err err;

    view_device_reached_key(&device->device, &key);
    err = ledger_get(seen->snapshot, TABLE_REACHED, &key, &value);
    if (err == ERR_OK && value.size >= VIEW_DEVICE_REACHED_HEADER &&
        be64(value.data) > seen->newest_ms)
        seen->newest_ms = be64(value.data);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_peer_last_seen(const struct snapshot *snapshot, const struct public_key *member,
                             uint64_t *out_ms)
{
    struct view_device_seen seen = {.snapshot = snapshot};
    enum err err = view_device_each(snapshot, member, view_device_newest, &seen);

    *out_ms = seen.newest_ms;
    return err;
}

/* Chains. */

enum err view_device_chain(const struct snapshot *snapshot, const struct public_key *device,
                           struct span out[static VIEW_CHAIN_MAX], size_t *out_count)
{
    struct span found[VIEW_CHAIN_MAX];
    struct public_key at = *device;
    struct device_row row = {.member = *device};
    bool is_root = false;

    for (*out_count = 0; !is_root; (*out_count)++) {
        enum err err;

        if (*out_count == VIEW_CHAIN_MAX)
            return ERR_NOT_FOUND; /* What stood above it is void, and what is left is too far. */
        err = view_device_stated(snapshot, &at, &row, &found[*out_count]);
        if (err != ERR_OK)
            return err;
        is_root = public_key_is_equal(&row.certifier, &row.member);
        at = row.certifier;
    }
    for (size_t index = 0; index < *out_count; index++)
        out[index] = found[*out_count - 1 - index];
    return ERR_OK;
}

enum err view_identity(const struct snapshot *snapshot, struct buf *out)
{
    const struct device_secrets *secrets = ledger_secrets(snapshot->ledger);
    struct span statements[VIEW_CHAIN_MAX];
    size_t count = 0;
    enum err err = view_device_chain(snapshot, ledger_device(snapshot->ledger), statements, &count);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    device_put_identity(&secrets->member, &secrets->next_root_hash, statements, count, out);
    return buf_err(out);
}
