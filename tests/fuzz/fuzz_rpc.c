/* Any line as a request or a reply of the socket. */
#include "node/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rpc_request request;
    struct rpc_reply reply;
    struct span upload;
    uint64_t id;

    if (rpc_is_upload(span_of(data, size), &id, &upload)) {
        KITH_ASSERT(rpc_read_request(span_of(data, size), &request) == ERR_OK);
        KITH_ASSERT((uint64_t)json_integer_value(request.id) == id);
        KITH_ASSERT(json_string_length(json_object_get(request.params, "data")) == upload.size);
        rpc_request_release(&request);
    }
    if (rpc_read_request(span_of(data, size), &request) == ERR_OK)
        rpc_request_release(&request);
    if (rpc_read_reply(span_of(data, size), &reply) == ERR_OK)
        rpc_reply_release(&reply);
    return 0;
}
