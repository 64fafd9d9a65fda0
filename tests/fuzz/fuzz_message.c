/* Any session message: read whole, lists walked to their end. */
#include "proto/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_doc doc = {0};
    struct message message;
    struct mark mark;
    struct ack ack;

    if (message_read(&doc, span_of(data, size), &message) == ERR_OK) {
        if (message.type == MESSAGE_MARKS)
            while (message_next_mark(&message, &mark) == ERR_OK)
                continue;
        if (message.type == MESSAGE_ACK)
            while (message_next_ack(&message, &ack) == ERR_OK)
                continue;
    }
    wire_release(&doc);
    return 0;
}
