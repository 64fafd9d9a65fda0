/* Any session message: read whole, lists walked to their end. */
#include <stdlib.h>

#include "crypto/secret.h"
#include "proto/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_doc doc = {0};
    struct returned *returned;
    struct message message;
    struct trace_tag tag;
    struct span fact;
    struct mark mark;
    struct ack ack;

    if (secret_start() != ERR_OK)
        abort();
    if (message_read(&doc, span_of(data, size), &message) == ERR_OK) {
        if (message.type == MESSAGE_MARKS)
            while (message_next_mark(&message, &mark) == ERR_OK)
                continue;
        if (message.type == MESSAGE_TRACE)
            while (message_next_tag(&message, &tag) == ERR_OK)
                continue;
        if (message.type == MESSAGE_FACTS)
            while (message_next_fact(&message, &fact) == ERR_OK)
                continue;
        if (message.type == MESSAGE_RETURNED &&
            returned_read(&message.returned, &returned) == ERR_OK)
            returned_free(returned);
        if (message.type == MESSAGE_ACK)
            while (message_next_ack(&message, &ack) == ERR_OK)
                continue;
    }
    wire_release(&doc);
    return 0;
}
