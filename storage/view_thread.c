/* Keys are the first letter's hash, the letter's object; values say whether it is mine. By asks:
 * the ask's hash, the first letter's; without a value. */
#include "storage/view_thread.h"

#include <string.h>

#include "storage/ledger_state.h"

enum { VIEW_THREAD_KEY_SIZE = HASH_SIZE + 4 };

/* False: it is no letter of any thread. */
static bool view_thread_key(uint32_t number, const struct object *lead, struct key *out)
{
    struct span first = lead != NULL && object_is_visible(lead)
                            ? object_value(lead, LEAD_THREAD).bytes
                            : span_of(NULL, 0);

    key_of_bytes(first, out);
    key_add_u32(out, number);
    return first.size == HASH_SIZE;
}

/* False: it is no first letter about any ask. */
static bool view_thread_ask_key(const struct object *lead, struct key *out)
{
    struct key thread;
    struct hash first;
    struct span ask;
    struct id id;

    if (!view_thread_key(0, lead, &thread))
        return false;
    memcpy(first.bytes, thread.bytes, HASH_SIZE);
    reply_object_id(&first, &id);
    ask = object_value(lead, LEAD_ASK).bytes;
    key_of_bytes(ask, out);
    key_add_bytes(out, span_of(first.bytes, HASH_SIZE));
    return id_is_equal(&id, &lead->id) && ask.size == HASH_SIZE;
}

/* The row that was there goes, when it is not the one that is to be. */
static enum err view_thread_move(struct ledger_txn *txn, enum table table, const struct key *old,
                                 const struct key *now, struct span value)
{
    enum err err = ERR_OK;

    if (old != NULL && (now == NULL || !span_is_equal(key_span(old), key_span(now))))
        err = ledger_erase(txn, table, old);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    return now != NULL ? ledger_put(txn, table, now, value) : ERR_OK;
}

enum err view_thread_changed(struct ledger_txn *txn, uint32_t number, const struct object *before,
                             const struct object *after)
{
    uint8_t is_mine = object_number(after, LEAD_IS_MINE) != 0;
    struct key old, now;
    bool was = view_thread_key(number, before, &old), is = view_thread_key(number, after, &now);
    enum err err = view_thread_move(txn, TABLE_THREAD, was ? &old : NULL, is ? &now : NULL,
                                    span_of(&is_mine, 1));

    if (err != ERR_OK)
        return err;
    was = view_thread_ask_key(before, &old);
    is = view_thread_ask_key(after, &now);
    return view_thread_move(txn, TABLE_ASK_THREAD, was ? &old : NULL, is ? &now : NULL,
                            span_of(NULL, 0));
}

/* Threads. */

struct view_thread_walk {
    view_thread_fn each;
    void *self;
    struct span hex;
    struct thread thread; /* as far as it is counted; without letters: none yet */
};

static enum err view_thread_tell(struct view_thread_walk *walk)
{
    char text[2 * HASH_SIZE + 1];

    hex_write(span_of(walk->thread.first.bytes, HASH_SIZE), text);
    if (walk->thread.letters == 0 || !span_is_equal(span_of(text, walk->hex.size), walk->hex))
        return ERR_OK;
    return walk->each(walk->self, &walk->thread);
}

static enum err view_thread_on_row(void *self, struct span key, struct span value)
{
    struct view_thread_walk *walk = self;
    enum err err = ERR_OK;

    if (key.size != VIEW_THREAD_KEY_SIZE || value.size != 1)
        return ERR_CORRUPT;
    if (walk->thread.letters == 0 || memcmp(walk->thread.first.bytes, key.data, HASH_SIZE) != 0) {
        err = view_thread_tell(walk);
        walk->thread = (struct thread){.letters = 0};
        memcpy(walk->thread.first.bytes, key.data, HASH_SIZE);
    }
    walk->thread.letters++;
    walk->thread.mine += value.data[0] != 0;
    return err;
}

enum err view_thread_each(const struct snapshot *snapshot, struct span hex, view_thread_fn each,
                          void *self)
{
    struct view_thread_walk walk = {.each = each, .self = self, .hex = hex};
    uint8_t prefix[HASH_SIZE];
    enum err err;

    if (hex.size > (size_t)2 * HASH_SIZE ||
        hex_read(span_of(hex.data, hex.size / 2 * 2), prefix, hex.size / 2) != ERR_OK)
        return ERR_OK;
    err = ledger_each(snapshot, TABLE_THREAD, span_of(prefix, hex.size / 2), view_thread_on_row,
                      &walk);
    return err == ERR_OK ? view_thread_tell(&walk) : err;
}

struct view_thread_of_ask {
    const struct snapshot *snapshot;
    view_thread_fn each;
    void *self;
};

static enum err view_thread_on_ask(void *self, struct span key, struct span value)
{
    struct view_thread_of_ask *of = self;
    struct view_thread_walk walk = {.each = of->each, .self = of->self};
    enum err err;

    (void)value;
    if (key.size != (size_t)2 * HASH_SIZE)
        return ERR_CORRUPT;
    err = ledger_each(of->snapshot, TABLE_THREAD, span_of(key.data + HASH_SIZE, HASH_SIZE),
                      view_thread_on_row, &walk);
    return err == ERR_OK ? view_thread_tell(&walk) : err;
}

enum err view_thread_of_ask(const struct snapshot *snapshot, const struct id *ask,
                            view_thread_fn each, void *self)
{
    struct view_thread_of_ask of = {.snapshot = snapshot, .each = each, .self = self};

    return ledger_each(snapshot, TABLE_ASK_THREAD, span_of(ask->bytes, ID_SIZE), view_thread_on_ask,
                       &of);
}

/* Letters. */

struct view_thread_letters {
    const struct snapshot *snapshot;
    row_fn each;
    void *self;
};

static enum err view_thread_on_letter(void *self, struct span key, struct span value)
{
    struct view_thread_letters *letters = self;
    struct object lead = {0};
    uint32_t number, space;
    enum err err;

    (void)value;
    if (key.size != VIEW_THREAD_KEY_SIZE)
        return ERR_CORRUPT;
    number = be32(key.data + HASH_SIZE);
    err = row_load(letters->snapshot, number, &lead, &space);
    if (err == ERR_OK)
        err = letters->each(letters->self, number, &lead);
    object_release(&lead);
    return err;
}

enum err view_thread_letters(const struct snapshot *snapshot, const struct hash *first, row_fn each,
                             void *self)
{
    struct view_thread_letters letters = {.snapshot = snapshot, .each = each, .self = self};

    return ledger_each(snapshot, TABLE_THREAD, span_of(first->bytes, HASH_SIZE),
                       view_thread_on_letter, &letters);
}

enum err view_thread_first(const struct snapshot *snapshot, const struct hash *first,
                           struct object *out)
{
    uint32_t number;
    struct id id;
    enum err err;

    reply_object_id(first, &id);
    err = row_get(snapshot, ledger_self_space(snapshot->ledger), KIND_LEAD, &id, out, &number);
    return err == ERR_OK && !object_is_visible(out) ? ERR_NOT_FOUND : err;
}
