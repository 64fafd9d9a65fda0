/* One field of the contact: rows of a field's number and the first bytes of a value's element id.
 */
#include "node/import_base.h"

#include <string.h>

#include "proto/contact.h"

static void import_base_row(uint8_t field, struct span value, uint8_t out[static IMPORT_BASE_ROW])
{
    struct id element;

    object_element(KIND_CONTACT, field, value, &element);
    out[0] = field;
    memcpy(out + 1, element.bytes, IMPORT_BASE_HASH);
}

void import_base_begin(struct import_base *base, const struct object *contact)
{
    struct span known = object_value(contact, CONTACT_IMPORTED).bytes;

    base->is_new = known.size == 0;
    base->is_changed = false;
    buf_clear(&base->rows);
    if (known.size % IMPORT_BASE_ROW == 0)
        buf_append(&base->rows, known);
}

static bool import_base_holds(const struct import_base *base, const uint8_t *row)
{
    for (size_t at = 0; at < base->rows.size; at += IMPORT_BASE_ROW)
        if (memcmp(base->rows.data + at, row, IMPORT_BASE_ROW) == 0)
            return true;
    return false;
}

bool import_base_has(const struct import_base *base, uint8_t field, struct span value)
{
    uint8_t row[IMPORT_BASE_ROW];

    import_base_row(field, value, row);
    return import_base_holds(base, row);
}

/* PROTOCOL IMPORT-6: "Another import overwrites no value that is not among them, and brings back
 * none of them that is gone." */
bool import_base_may_set(const struct import_base *base, const struct object *contact,
                         uint8_t field, struct span value)
{
    struct span mine = object_value(contact, field).bytes;

    if (base->is_new || span_is_equal(mine, value))
        return true;
    if (mine.size > 0)
        return import_base_has(base, field, mine);
    return !import_base_has(base, field, value); /* Cleared by hand; another one is news. */
}

bool import_base_may_add(const struct import_base *base, const struct object *contact,
                         uint8_t field, struct span value)
{
    if (base->is_new || !import_base_has(base, field, value))
        return true;
    /* It is there: adding it changes nothing. */
    return object_element_like(contact, field, value) != NULL;
}

void import_base_note(struct import_base *base, uint8_t field, struct span value)
{
    uint8_t row[IMPORT_BASE_ROW];

    import_base_row(field, value, row);
    if (import_base_holds(base, row))
        return;
    buf_append(&base->rows, span_of(row, sizeof row));
    base->is_changed = true;
}

void import_base_end(struct import_base *base, struct amend *amend)
{
    size_t most = (size_t)IMPORT_BASE_MAX * IMPORT_BASE_ROW;
    struct span rows = buf_span(&base->rows);

    if (rows.size > most)
        rows = span_of(rows.data + (rows.size - most), most);
    if (buf_err(&base->rows) != ERR_OK && amend->err == ERR_OK)
        amend->err = ERR_NOMEM;
    if (base->is_changed)
        amend_bytes(amend, CONTACT_IMPORTED, rows);
}

void import_base_release(struct import_base *base)
{
    buf_release(&base->rows);
}
