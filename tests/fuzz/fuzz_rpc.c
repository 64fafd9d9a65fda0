/* Any line as a request or a reply of the socket. */
#include "node/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rpc_request request;
    struct rpc_reply reply;

    if (rpc_read_request(span_of(data, size), &request) == ERR_OK)
        rpc_request_release(&request);
    if (rpc_read_reply(span_of(data, size), &reply) == ERR_OK)
        rpc_reply_release(&reply);
    return 0;
}
