/* Any bytes as a statement: read or refused, and what was read agrees with a look without
 * cryptography. */
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "proto/limits.h"
#include "proto/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size), body;
    struct statement statement;
    struct public_key member;
    enum err peeked;

    if (secret_start() != ERR_OK)
        abort();
    peeked = statement_peek(bytes, &member, &body);
    if (statement_read("kith test", bytes, &statement) == ERR_OK &&
        (peeked != ERR_OK || !public_key_is_equal(&member, &statement.member) ||
         !span_is_equal(body, statement.body)))
        abort();
    if (peeked == ERR_OK && (body.size == 0 || body.size > STATEMENT_BODY_SIZE_MAX))
        abort();
    return 0;
}
