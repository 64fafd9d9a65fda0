/*
 * JSON-RPC 2.0 on the UNIX socket: one object a line; a request has at most RPC_LINE_MAX bytes, an
 * answer as many as it needs. Batches and requests without an id are refused. Pure: lines in, lines
 * out.
 */
#ifndef KITH_NODE_RPC_H
#define KITH_NODE_RPC_H

#include "node/ops.h"

enum { RPC_LINE_MAX = 1 << 20, RPC_DEPTH_MAX = 64, RPC_SECRET_MAX = 64 << 10 };

/* Once, before any JSON: an invitation or recovery words may be in it, so all of it is wiped where
 * it is left behind. */
void rpc_start(void);
/* May a line of so many bytes hold a secret? A longer one is a list of people, or of a file, and is
 * moved about as it grows. */
bool rpc_is_secret(size_t line_size);

/* The standard's numbers (JSON-RPC 2.0, section 5.1), and ours for an op that failed. */
enum rpc_code {
    RPC_NOT_JSON = -32700,
    RPC_NOT_A_REQUEST = -32600,
    RPC_NO_SUCH_METHOD = -32601,
    RPC_WRONG_PARAMS = -32602,
    RPC_FAILED = -32000
};
/* Parses JSON from outside: within these bounds, no key twice in one object. NULL when it is none;
 * the reference belongs to the caller. */
json_t *rpc_parse(struct span text, size_t size_max, size_t depth_max);

struct rpc_request {
    json_t *whole;      /* owned */
    json_t *id;         /* borrowed from whole: a number or a string */
    const char *method; /* borrowed */
    json_t *params;     /* borrowed: an object; NULL when left out */
};

/* ERR_MALFORMED: not JSON, too long or too deep; ERR_INVALID: JSON, but not one request. */
MUST_USE enum err rpc_read_request(struct span line, struct rpc_request *out);
void rpc_request_release(struct rpc_request *request);

/* A file goes to the node as hundreds of requests `upload` of half a megabyte each. They are
 * written and read as they stand, without a tree of JSON, which costs ten times as much.
 * rpc_is_upload is true for a line just as rpc_write_upload writes it (out_data is base64, borrowed
 * from it); false for any other, which may mean the same and is read as requests are. */
void rpc_write_upload(uint64_t id, struct span bytes, struct buf *out);
bool rpc_is_upload(struct span line, uint64_t *out_id, struct span *out_data);

/* Each appends one line with its newline, to what is as secret as rpc_is_secret says. Failures
 * carry our error object as "data", beside the standard's fields. */
void rpc_write_request(uint64_t id, const char *method, json_t *params, struct buf *out);
void rpc_write_result(json_t *id, json_t *result, struct buf *out);
void rpc_write_failure(json_t *id, enum rpc_code code, const struct op_failure *failure,
                       struct buf *out);
void rpc_write_notification(const char *method, json_t *params, struct buf *out);

/* What came back: a result, a failure, or a notification. */
struct rpc_reply {
    json_t *whole;  /* owned */
    json_t *result; /* borrowed; NULL for a failure or a notification */
    bool is_notification;
    const char *method; /* of a notification */
    json_t *params;     /* of a notification */
    struct op_failure failure;
};
MUST_USE enum err rpc_read_reply(struct span line, struct rpc_reply *out);
void rpc_reply_release(struct rpc_reply *reply);

#endif
