/* Folded names in order; exact values are in view_contact_match.c. */
#include "storage/view_contact.h"

#include <string.h>
#include <strings.h>

#include "storage/fold.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/view_same.h"

enum { VIEW_CONTACT_NAME_MAX = 60, VIEW_CONTACT_HEX_MAX = 32 };

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

/* Following. */

static enum err view_contact_set(struct ledger_txn *txn, const struct key *key, bool is_there)
{
    enum err err;

    if (is_there)
        return ledger_put(txn, TABLE_NAME, key, span_of(NULL, 0));
    err = ledger_erase(txn, TABLE_NAME, key);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
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
            err = view_contact_set(txn, &key, false);
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

    return err == ERR_OK ? view_contact_set(txn, &key, is_listed) : err;
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
    return err == ERR_OK ? view_contact_note(txn, number, before, after) : err;
}

/* Looking up. */

/* Visits the contacts whose key begins with these bytes. */
static enum err view_contact_walk(const struct snapshot *snapshot, struct span prefix,
                                  view_contact_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_NAME, &cursor);

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
    return view_contact_walk(snapshot, span_of(NULL, 0), each, self);
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
        err = view_contact_walk(snapshot, buf_span(&folded), each, self);
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

/* The object ids of contacts, from the first whose hex could begin so. */
static enum err view_contact_on_first(void *self, uint32_t number, const struct object *contact)
{
    (void)contact;
    *(uint32_t *)self = number;
    return ERR_CANCELLED;
}

enum err view_contact_of_member(const struct snapshot *snapshot, const struct public_key *member,
                                uint32_t *out_number)
{
    enum err err = view_contact_match(snapshot, MATCH_BY_MEMBER, span_of(member->bytes, 32),
                                      view_contact_on_first, out_number);

    return err == ERR_CANCELLED ? ERR_OK : err == ERR_OK ? ERR_NOT_FOUND : err;
}

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

/* Names that differ in their last four bytes only. */
enum err view_contact_namesakes(const struct snapshot *snapshot, view_contact_pair_fn each,
                                void *self)
{
    struct kv_cursor *cursor;
    struct span at, value;
    struct key last = {.size = 0};
    enum err err = kv_cursor_open(snapshot->kv, TABLE_NAME, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, span_of(NULL, 0)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &at, &value);
        if (at.size < 5)
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

enum err view_contact_count(const struct snapshot *snapshot, uint64_t *out)
{
    return kv_count(snapshot->kv, TABLE_NAME, out);
}
