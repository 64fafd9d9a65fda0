/* Key: contact's id, day, object. A contact shown as another one keeps its own rows; whoever reads
 * a group reads each. */
#include "storage/view_interaction.h"

#include <string.h>

#include "crypto/secret.h"
#include "proto/limits.h"
#include "proto/scan.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/view_peer.h"

enum { VIEW_INTERACTION_KEY_SIZE = ID_SIZE + 8 + 4 };

static void view_interaction_text(struct edit_space *edit, uint8_t field, struct span text)
{
    if (text.size > 0)
        edit_set(edit, field, 1, (struct value){.type = VALUE_TEXT, .bytes = text});
}

static enum err view_interaction_write(struct ledger_txn *txn, const struct interaction *note,
                                       const struct id *id)
{
    uint64_t on_ms = note->on_ms > 0 ? note->on_ms : ledger_txn_now_ms(txn);
    struct edit_space edit = {0};
    enum err err;

    edit_begin(&edit, KIND_INTERACTION, id, ledger_txn_now_ms(txn));
    edit_set(&edit, INTERACTION_CONTACT, 1,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(note->contact.bytes, ID_SIZE)});
    edit_set(&edit, INTERACTION_WHAT, 1,
             (struct value){.type = VALUE_NUMBER, .number = (uint64_t)note->what});
    edit_set(&edit, INTERACTION_ON, 1, (struct value){.type = VALUE_NUMBER, .number = on_ms});
    view_interaction_text(&edit, INTERACTION_TEXT, note->text);
    view_interaction_text(&edit, INTERACTION_REF, note->ref);
    err = ledger_append(txn, ledger_self_space(txn->ledger), &edit, 0);
    edit_release(&edit);
    return err;
}

enum err view_interaction_add(struct ledger_txn *txn, const struct interaction *note,
                              struct id *out_id)
{
    struct id id;

    id_draw(ledger_entropy(txn->ledger), ledger_txn_now_ms(txn), &id);
    if (out_id != NULL)
        *out_id = id;
    return view_interaction_write(txn, note, &id);
}

/* Noted before, here or on another device of mine. */
static enum err view_interaction_is_noted(const struct snapshot *snapshot, const struct id *id,
                                          bool *out)
{
    struct space_row self;
    uint32_t number;
    enum err err = ledger_space(snapshot, ledger_self_space(snapshot->ledger), &self);

    if (err == ERR_OK)
        err = row_find(snapshot, self.number, KIND_INTERACTION, id, &number);
    *out = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_interaction_act(struct ledger_txn *txn, const struct public_key *member,
                              const struct interaction *act)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *peer = secret_new(sizeof *peer);
    struct interaction copy = *act;
    bool is_noted = true;
    struct id id;
    enum err err = peer != NULL ? view_peer(&snapshot, member, peer) : ERR_NOMEM;

    interaction_act_id(member, act->what, act->ref, &id);
    if (err == ERR_OK && peer->has_contact)
        err = view_interaction_is_noted(&snapshot, &id, &is_noted);
    if (err == ERR_OK)
        copy.contact = peer->contact;
    secret_free(peer);
    copy.text = scan_cut(act->text, NOTE_SIZE_MAX);
    if (err == ERR_OK && !is_noted)
        err = view_interaction_write(txn, &copy, &id);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Following. */

static bool view_interaction_key(const struct object *note, uint32_t number, struct key *out)
{
    struct span contact = object_value(note, INTERACTION_CONTACT).bytes;

    if (contact.size != ID_SIZE || !object_is_visible(note))
        return false;
    key_of_bytes(contact, out);
    key_add_u64(out, object_number(note, INTERACTION_ON));
    key_add_u32(out, number);
    return true;
}

enum err view_interaction_changed(struct ledger_txn *txn, uint32_t number,
                                  const struct object *before, const struct object *after)
{
    struct key key;
    enum err err = ERR_OK;

    if (before != NULL && view_interaction_key(before, number, &key)) {
        err = ledger_erase(txn, TABLE_INTERACTION, &key);
        if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    if (err == ERR_OK && view_interaction_key(after, number, &key))
        err = ledger_put(txn, TABLE_INTERACTION, &key, span_of(NULL, 0));
    return err;
}

/* Reading. */

/* Places the cursor at the contact's newest row up to a day. ERR_NOT_FOUND: there is none. */
static enum err view_interaction_seek(struct kv_cursor *cursor, const struct id *contact,
                                      uint64_t until_ms)
{
    struct key key;
    enum err err;

    key_of_bytes(span_of(contact->bytes, ID_SIZE), &key);
    key_add_u64(&key, until_ms);
    key_add_u32(&key, UINT32_MAX);
    key_add_byte(&key, 0);
    err = kv_cursor_seek(cursor, key_span(&key));
    if (err == ERR_OK)
        return kv_cursor_previous(cursor);
    return err == ERR_NOT_FOUND ? kv_cursor_last(cursor) : err;
}

static bool view_interaction_is_of(struct kv_cursor *cursor, const struct id *contact,
                                   struct span *out_key)
{
    struct span value;

    kv_cursor_at(cursor, out_key, &value);
    return out_key->size == VIEW_INTERACTION_KEY_SIZE &&
           memcmp(out_key->data, contact->bytes, ID_SIZE) == 0;
}

enum err view_interaction_each(const struct snapshot *snapshot, const struct id *contact,
                               view_interaction_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span key;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_INTERACTION, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = view_interaction_seek(cursor, contact, UINT64_MAX); err == ERR_OK;
         err = kv_cursor_previous(cursor)) {
        struct object note = {0};
        uint32_t number, space;

        if (!view_interaction_is_of(cursor, contact, &key))
            break;
        number = be32(key.data + ID_SIZE + 8);
        err = row_load(snapshot, number, &note, &space);
        if (err == ERR_OK)
            err = each(self, number, &note);
        object_release(&note);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_interaction_last(const struct snapshot *snapshot, const struct id *contact,
                               uint64_t now_ms, uint64_t *out_ms)
{
    struct kv_cursor *cursor;
    struct span key;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_INTERACTION, &cursor);

    *out_ms = 0;
    if (err != ERR_OK)
        return err;
    err = view_interaction_seek(cursor, contact, now_ms);
    if (err == ERR_OK && view_interaction_is_of(cursor, contact, &key))
        *out_ms = be64(key.data + ID_SIZE);
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
