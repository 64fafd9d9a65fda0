/* Any bytes as an address book: every person has a name, and all of a person's texts are UTF-8. */
#include <stdlib.h>
#include <string.h>

#include "node/vcard.h"
#include "proto/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err fuzz_person(void *self, json_t *person, size_t line)
{
    const char *key;
    json_t *value, *item;
    size_t index;

    (void)self;
    if (!json_is_string(json_object_get(person, "name")) || line == 0)
        abort();
    json_object_foreach(person, key, value)
    {
        if (json_is_string(value) && !scan_is_utf8(span_str(json_string_value(value))))
            abort();
        json_array_foreach(value, index, item) if (!json_is_string(item)) abort();
    }
    return ERR_OK;
}

static void fuzz_reject(void *self, size_t line, const char *why)
{
    (void)self;
    if (line == 0 || why[0] == '\0')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vcard_reader reader = {.person = fuzz_person, .reject = fuzz_reject};

    if (vcard_read(span_of(data, size), &reader) != ERR_OK)
        abort();
    return 0;
}
