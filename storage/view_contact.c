/* Two tables: folded names in order, and exact values of e-mails, phones, ids, members, tags,
 * organisations, addresses. */
#include "storage/view_contact.h"

#include <string.h>
#include <strings.h>

#include "storage/fold.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/view_same.h"

enum { VIEW_CONTACT_NAME_MAX = 60, VIEW_CONTACT_VALUE_MAX = 120, VIEW_CONTACT_HEX_MAX = 32 };

/* Keys. */

struct span view_contact_shown(const struct object *contact)
{
    struct span name = object_text(contact, CONTACT_NAME);

    return name.size > 0 ? name : object_text(contact, CONTACT_ORG);
}

static enum err view_contact_name_key(struct span name, uint32_t number, struct key *out)
{
    struct buf folded = {0};
    enum err err = fold(name, &folded);

    if (err == ERR_OK) {
        out->size = 0;
        key_add_bytes(out, span_of(folded.data, folded.size < VIEW_CONTACT_NAME_MAX
                                                    ? folded.size
                                                    : VIEW_CONTACT_NAME_MAX));
        key_add_byte(out, 0);
        key_add_u32(out, number);
    }
    buf_release(&folded);
    return err;
}

/* The value as it is compared: e-mails in lower case, phones as digits, words folded, the rest as
 * it is. */
static enum err view_contact_value(enum match_what what, struct span value, struct buf *out)
{
    switch (what) {
    case MATCH_BY_EMAIL:
        kind_normalise(MATCH_EMAIL, value, out);
        return buf_err(out);
    case MATCH_BY_PHONE:
        kind_normalise(MATCH_PHONE, value, out);
        return buf_err(out);
    case MATCH_BY_TAG:
    case MATCH_BY_ORG:
        return fold(value, out);
    case MATCH_BY_UID:
    case MATCH_BY_MEMBER:
    case MATCH_BY_URL:
        buf_append(out, value);
        return buf_err(out);
    }
    return ERR_INVALID;
}

/* Longer values than fit are told apart by a hash of all of them. */
static enum err view_contact_match_key(enum match_what what, struct span value, struct key *out)
{
    struct buf normal = {0};
    struct hash hash;
    enum err err = view_contact_value(what, value, &normal);

    key_of_byte((uint8_t)what, out);
    if (err == ERR_OK && normal.size > VIEW_CONTACT_VALUE_MAX) {
        struct span whole = buf_span(&normal);

        digest("kith match", &whole, 1, &hash);
        key_add_bytes(out, span_of(normal.data, VIEW_CONTACT_VALUE_MAX - HASH_SIZE));
        key_add_bytes(out, span_of(hash.bytes, HASH_SIZE));
    } else if (err == ERR_OK) {
        key_add_bytes(out, buf_span(&normal));
    }
    key_add_byte(out, 0);
    buf_release(&normal);
    return err;
}

/* Following. */

static enum err view_contact_set(struct ledger_txn *txn, enum table table, const struct key *key,
                                 bool is_there)
{
    enum err err;

    if (is_there)
        return ledger_put(txn, table, key, span_of(NULL, 0));
    err = ledger_erase(txn, table, key);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err view_contact_set_match(struct ledger_txn *txn, enum match_what what,
                                       struct span value, uint32_t number, bool is_there)
{
    struct key key;
    enum err err;

    if (value.size == 0)
        return ERR_OK;
    err = view_contact_match_key(what, value, &key);
    key_add_u32(&key, number);
    return err == ERR_OK ? view_contact_set(txn, TABLE_MATCH, &key, is_there) : err;
}

static const struct {
    uint8_t field;
    enum match_what what;
    bool is_set;
} view_contact_fields[] = {
    {CONTACT_EMAILS, MATCH_BY_EMAIL, true}, {CONTACT_PHONES, MATCH_BY_PHONE, true},
    {CONTACT_URLS, MATCH_BY_URL, true},     {CONTACT_TAGS, MATCH_BY_TAG, true},
    {CONTACT_UID, MATCH_BY_UID, false},     {CONTACT_MEMBER, MATCH_BY_MEMBER, false},
    {CONTACT_ORG, MATCH_BY_ORG, false},
};

static bool view_contact_has_element(const struct object *contact, uint8_t field,
                                     const struct id *element)
{
    const struct object_element *at;

    for (size_t index = 0;
         contact != NULL && (at = object_element_at(contact, field, index)) != NULL; index++)
        if (id_is_equal(&at->element, element))
            return true;
    return false;
}

/* Values of one that the other does not have. */
static enum err view_contact_difference(struct ledger_txn *txn, uint32_t number,
                                        const struct object *one, const struct object *other,
                                        bool is_there)
{
    enum err err = ERR_OK;

    for (size_t row = 0;
         row < sizeof view_contact_fields / sizeof view_contact_fields[0] && err == ERR_OK; row++) {
        uint8_t field = view_contact_fields[row].field;
        const struct object_element *at;

        if (!view_contact_fields[row].is_set) {
            struct span value = object_value(one, field).bytes;
            struct span before =
                other != NULL ? object_value(other, field).bytes : span_of(NULL, 0);

            if (!span_is_equal(value, before))
                err = view_contact_set_match(txn, view_contact_fields[row].what, value, number,
                                             is_there);
            continue;
        }
        for (size_t index = 0; err == ERR_OK && (at = object_element_at(one, field, index)) != NULL;
             index++)
            if (!view_contact_has_element(other, field, &at->element))
                err = view_contact_set_match(txn, view_contact_fields[row].what, at->value.bytes,
                                             number, is_there);
    }
    return err;
}

static enum err view_contact_rename(struct ledger_txn *txn, uint32_t number,
                                    const struct object *before, const struct object *after)
{
    struct span old_name = before != NULL ? view_contact_shown(before) : span_of(NULL, 0);
    struct span new_name = after != NULL ? view_contact_shown(after) : span_of(NULL, 0);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint32_t head;
    struct key key;
    enum err err = ERR_OK;

    if (before != NULL && after != NULL && span_is_equal(old_name, new_name))
        return ERR_OK;
    if (before != NULL) {
        err = view_contact_name_key(old_name, number, &key);
        if (err == ERR_OK)
            err = view_contact_set(txn, TABLE_NAME, &key, false);
    }
    if (err == ERR_OK && after != NULL) {
        err = view_same_head(&snapshot, number, &head);
        if (err == ERR_OK && head == number)
            err = view_contact_list(txn, number, after, true);
    }
    return err;
}

enum err view_contact_list(struct ledger_txn *txn, uint32_t number, const struct object *contact,
                           bool is_listed)
{
    struct key key;
    enum err err = view_contact_name_key(view_contact_shown(contact), number, &key);

    return err == ERR_OK ? view_contact_set(txn, TABLE_NAME, &key, is_listed) : err;
}

enum err view_contact_changed(struct ledger_txn *txn, uint32_t number, const struct object *before,
                              const struct object *after)
{
    enum err err;

    if (before != NULL && !object_is_visible(before))
        before = NULL;
    if (!object_is_visible(after))
        after = NULL;
    err = view_contact_rename(txn, number, before, after);
    if (err == ERR_OK && before != NULL)
        err = view_contact_difference(txn, number, before, after, false);
    if (err == ERR_OK && after != NULL)
        err = view_contact_difference(txn, number, after, before, true);
    return err;
}

/* Looking up. */

/* Visits the contacts whose key in a table begins with these bytes. */
static enum err view_contact_walk(const struct snapshot *snapshot, enum table table,
                                  struct span prefix, view_contact_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, table, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, prefix); err == ERR_OK; err = kv_cursor_next(cursor)) {
        struct object contact = {0};
        uint32_t number, space;

        kv_cursor_at(cursor, &key, &value);
        if (key.size < prefix.size + 4 ||
            (prefix.size > 0 && memcmp(key.data, prefix.data, prefix.size) != 0)) {
            err = ERR_NOT_FOUND;
            break;
        }
        number = be32(key.data + key.size - 4);
        err = row_load(snapshot, number, &contact, &space);
        if (err == ERR_OK)
            err = each(self, number, &contact);
        object_release(&contact);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_contact_each(const struct snapshot *snapshot, view_contact_fn each, void *self)
{
    return view_contact_walk(snapshot, TABLE_NAME, span_of(NULL, 0), each, self);
}

static enum err view_contact_by_name(const struct snapshot *snapshot, struct span name,
                                     bool is_whole, view_contact_fn each, void *self)
{
    struct buf folded = {0};
    enum err err = fold(name, &folded);

    if (err == ERR_OK && folded.size > VIEW_CONTACT_NAME_MAX)
        folded.size = VIEW_CONTACT_NAME_MAX;
    if (err == ERR_OK && is_whole) {
        buf_byte(&folded, 0);
        err = buf_err(&folded);
    }
    if (err == ERR_OK)
        err = view_contact_walk(snapshot, TABLE_NAME, buf_span(&folded), each, self);
    buf_release(&folded);
    return err;
}

enum err view_contact_named(const struct snapshot *snapshot, struct span prefix,
                            view_contact_fn each, void *self)
{
    return view_contact_by_name(snapshot, prefix, false, each, self);
}

enum err view_contact_called(const struct snapshot *snapshot, struct span name,
                             view_contact_fn each, void *self)
{
    return view_contact_by_name(snapshot, name, true, each, self);
}

enum err view_contact_match(const struct snapshot *snapshot, enum match_what what,
                            struct span value, view_contact_fn each, void *self)
{
    struct key key;
    enum err err = view_contact_match_key(what, value, &key);

    return err == ERR_OK ? view_contact_walk(snapshot, TABLE_MATCH, key_span(&key), each, self)
                         : err;
}

/* The object ids of contacts, from the first whose hex could begin so. */
enum err view_contact_by_id(const struct snapshot *snapshot, struct span hex_prefix,
                            view_contact_fn each, void *self)
{
    uint8_t padded[VIEW_CONTACT_HEX_MAX];
    struct kv_cursor *cursor;
    struct space_row space;
    struct key key;
    struct id first;
    enum err err;

    if (hex_prefix.size == 0 || hex_prefix.size > VIEW_CONTACT_HEX_MAX)
        return ERR_OK;
    memset(padded, '0', sizeof padded);
    memcpy(padded, hex_prefix.data, hex_prefix.size);
    if (hex_read(span_of(padded, sizeof padded), first.bytes, ID_SIZE) != ERR_OK)
        return ERR_OK;
    err = ledger_space(snapshot, ledger_self_space(snapshot->ledger), &space);
    if (err == ERR_OK)
        err = kv_cursor_open(snapshot->kv, TABLE_OBJECT_ID, &cursor);
    if (err != ERR_OK)
        return err;
    key_of_u32(space.number, &key);
    key_add_byte(&key, KIND_CONTACT);
    key_add_bytes(&key, span_of(first.bytes, ID_SIZE));
    for (err = kv_cursor_seek(cursor, key_span(&key)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        struct object contact = {0};
        struct span at, value;
        char hex[ID_TEXT_SIZE];
        uint32_t ignored;

        kv_cursor_at(cursor, &at, &value);
        if (at.size != 5 + ID_SIZE || memcmp(at.data, key.bytes, 5) != 0 || value.size != 4)
            break;
        hex_write(span_of(at.data + 5, ID_SIZE), hex);
        if (strncasecmp(hex, (const char *)hex_prefix.data, hex_prefix.size) != 0)
            break;
        err = row_load(snapshot, be32(value.data), &contact, &ignored);
        if (err == ERR_OK && object_is_visible(&contact))
            err = each(self, be32(value.data), &contact);
        object_release(&contact);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Keys that differ in their last four bytes only. */
static enum err view_contact_neighbours(const struct snapshot *snapshot, enum table table,
                                        struct span prefix, view_contact_pair_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span at, value;
    struct key last = {.size = 0};
    enum err err = kv_cursor_open(snapshot->kv, table, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, prefix); err == ERR_OK; err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &at, &value);
        if (at.size < prefix.size + 5 ||
            (prefix.size > 0 && memcmp(at.data, prefix.data, prefix.size) != 0))
            break;
        if (at.size == last.size && at.size > 5 && memcmp(at.data, last.bytes, at.size - 4) == 0)
            err = each(self, be32(last.bytes + last.size - 4), be32(at.data + at.size - 4));
        if (err != ERR_OK)
            break;
        key_of_bytes(at, &last);
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_contact_pairs(const struct snapshot *snapshot, enum match_what what,
                            view_contact_pair_fn each, void *self)
{
    uint8_t prefix = (uint8_t)what;

    return view_contact_neighbours(snapshot, TABLE_MATCH, span_of(&prefix, 1), each, self);
}

enum err view_contact_namesakes(const struct snapshot *snapshot, view_contact_pair_fn each,
                                void *self)
{
    return view_contact_neighbours(snapshot, TABLE_NAME, span_of(NULL, 0), each, self);
}

enum err view_contact_numbers(const struct snapshot *snapshot, view_contact_number_fn each,
                              void *self)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_NAME, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, span_of(NULL, 0)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        err = key.size > 4 ? each(self, be32(key.data + key.size - 4)) : ERR_CORRUPT;
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_contact_values(const struct snapshot *snapshot, enum match_what what,
                             struct span prefix, view_contact_value_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span at, value;
    struct key key, begin;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_MATCH, &cursor);

    if (err != ERR_OK)
        return err;
    key_of_byte((uint8_t)what, &begin);
    key_add_bytes(&begin, span_of(prefix.data, prefix.size < VIEW_CONTACT_VALUE_MAX
                                                   ? prefix.size
                                                   : VIEW_CONTACT_VALUE_MAX));
    key = begin;
    while (err == ERR_OK && (err = kv_cursor_seek(cursor, key_span(&key))) == ERR_OK) {
        kv_cursor_at(cursor, &at, &value);
        if (at.size < begin.size + 5 || memcmp(at.data, begin.bytes, begin.size) != 0)
            break;
        key_of_bytes(span_of(at.data, at.size - 4), &key); /* Past all who have this value. */
        key_add_u32(&key, UINT32_MAX);
        if (at.size - 6 < VIEW_CONTACT_VALUE_MAX)
            err = each(self, be32(at.data + at.size - 4), span_of(key.bytes + 1, at.size - 6));
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_contact_count(const struct snapshot *snapshot, uint64_t *out)
{
    return kv_count(snapshot->kv, TABLE_NAME, out);
}
