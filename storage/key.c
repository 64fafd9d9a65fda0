/* Keys are short and built in place; nothing here allocates. */
#include "storage/key.h"

#include <string.h>

const char *const table_names[TABLES_COUNT] = {
#define X(word, name) name,
    TABLE_LIST(X)
#undef X
};

void key_add_bytes(struct key *key, struct span bytes)
{
    size_t size =
        bytes.size < sizeof key->bytes - key->size ? bytes.size : sizeof key->bytes - key->size;

    if (size > 0)
        memcpy(key->bytes + key->size, bytes.data, size);
    key->size += size;
}

void key_add_byte(struct key *key, uint8_t value)
{
    key_add_bytes(key, span_of(&value, 1));
}

void key_add_u32(struct key *key, uint32_t value)
{
    uint8_t bytes[4];

    be32_put(bytes, value);
    key_add_bytes(key, span_of(bytes, sizeof bytes));
}

void key_add_u64(struct key *key, uint64_t value)
{
    uint8_t bytes[8];

    be64_put(bytes, value);
    key_add_bytes(key, span_of(bytes, sizeof bytes));
}

void key_of_byte(uint8_t value, struct key *out)
{
    out->size = 0;
    key_add_byte(out, value);
}

void key_of_u32(uint32_t value, struct key *out)
{
    out->size = 0;
    key_add_u32(out, value);
}

void key_of_u64(uint64_t value, struct key *out)
{
    out->size = 0;
    key_add_u64(out, value);
}

void key_of_bytes(struct span bytes, struct key *out)
{
    out->size = 0;
    key_add_bytes(out, bytes);
}
