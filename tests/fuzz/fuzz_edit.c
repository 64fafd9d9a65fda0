/* The plaintext of an entry: if it reads, it merges into an object, what is written from it reads
 * the same, and its first bytes say which object it is of. */
#include <stdlib.h>

#include "proto/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err fuzz_origin(void *self, uint64_t arrival, struct origin *out)
{
    (void)self;
    *out = (struct origin){.arrival = arrival};
    return ERR_OK;
}

static enum err fuzz_log_number(void *self, const struct public_key *device, uint32_t *out)
{
    (void)self;
    *out = device->bytes[0];
    return ERR_OK;
}

/* What is written from an edit reads, and is written the same from then on. It may be shorter than
 * what was read: a dot that could be counted on from the one before it may come in full. */
static void fuzz_write_again(struct edit_space *edit, struct span had)
{
    struct edit_space read = {0};
    struct buf once = {0}, twice = {0};

    if (edit_write(edit, &once) == ERR_OK) {
        if (once.size > had.size || edit_read(&read, buf_span(&once)) != ERR_OK ||
            edit_write(&read, &twice) != ERR_OK ||
            !span_is_equal(buf_span(&once), buf_span(&twice)))
            abort();
        if (once.size == had.size && !span_is_equal(buf_span(&once), had))
            abort();
    }
    edit_release(&read);
    buf_release(&once);
    buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct object_context context = {.origin = fuzz_origin, .log_number = fuzz_log_number};
    struct origin origin = {.arrival = 1, .log = 1, .seq = 1};
    struct edit_space edit = {0};
    struct object object = {0};
    uint8_t kind = 0;
    struct id id = {{0}};
    enum err peeked = edit_peek(span_of(data, size < 64 ? size : 64), &kind, &id);

    if (edit_read(&edit, span_of(data, size)) == ERR_OK) {
        if (object_apply(&object, &edit.edit, &origin, &context) != ERR_OK)
            abort();
        if (peeked != ERR_OK || kind != edit.edit.kind || !id_is_equal(&id, &edit.edit.object))
            abort();
        if (object_own(&object) != ERR_OK)
            abort();
        (void)object_is_visible(&object);
        fuzz_write_again(&edit, span_of(data, size));
    }
    object_release(&object);
    edit_release(&edit);
    return 0;
}
