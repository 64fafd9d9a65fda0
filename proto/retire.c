/* Statements like any other (proto/statement.h), with a body each. */
#include "proto/retire.h"

#include <string.h>

#include "proto/limits.h"
#include "proto/log.h"

static const char retire_label[] = "kith retire";
static const char retire_keep_label[] = "kith keep";

static bool retire_is_none(const struct public_key *key)
{
    static const struct public_key none;

    return public_key_is_equal(key, &none);
}

/* PROTOCOL RETIRE-4: "A statement about a device is signed by the root of the device's member, or
 * on a device without the root by that device with its chain." */
static enum err retire_sign(const char *label, const struct retire_signer *signer, struct buf *body,
                            struct buf *out)
{
    enum err err = buf_err(body);

    if (err == ERR_OK)
        err = signer->root != NULL ? statement_by_root(label, signer->root, buf_span(body), out)
                                   : statement_by_device(label, signer->device, signer->identity,
                                                         buf_span(body), out);
    buf_release(body);
    return err;
}

/* PROTOCOL RETIRE-1: "A retire statement, under the label `kith retire`, has the body [device,
 * successor or empty, reason, time in ms]." */
enum err retire_issue(const struct retirement *retirement, const struct retire_signer *signer,
                      struct buf *out)
{
    struct buf body = {0};

    wire_put_array(&body, 4);
    wire_put_bin(&body, span_of(retirement->device.bytes, 32));
    wire_put_bin(&body, span_of(retirement->successor.bytes,
                                retire_is_none(&retirement->successor) ? 0 : 32));
    wire_put_uint(&body, retirement->reason);
    wire_put_uint(&body, retirement->time_ms);
    return retire_sign(retire_label, signer, &body, out);
}

static void retire_read_body(struct wire *wire, struct retirement *out)
{
    struct span successor;
    uint64_t reason;

    wire_bytes(wire, out->device.bytes, 32);
    successor = wire_bin(wire, 0, 32);
    if (successor.size == 32)
        memcpy(out->successor.bytes, successor.data, 32);
    else if (successor.size != 0)
        wire_fail(wire);
    reason = wire_uint(wire, RETIRE_STOLEN);
    if (reason == 0)
        wire_fail(wire);
    out->reason = (enum retire_reason)reason;
    out->time_ms = wire_uint(wire, UINT64_MAX);
    wire_end(wire);
}

static struct public_key retire_signer_of(const struct statement *statement)
{
    return statement->chain.count > 0 ? device_of(&statement->chain)->device : statement->member;
}

enum err retire_read(struct span bytes, struct retirement *out)
{
    struct wire_doc doc = {0};
    struct statement statement;
    struct wire wire;
    enum err err = bytes.size <= FACT_SIZE_MAX ? statement_read(retire_label, bytes, &statement)
                                               : ERR_MALFORMED;

    *out = (struct retirement){0};
    if (err == ERR_OK)
        err = wire_open(&doc, statement.body, &wire);
    if (err == ERR_OK) {
        retire_read_body(&wire, out);
        err = wire_err(&doc);
        out->member = statement.member;
        out->signer = retire_signer_of(&statement);
    }
    wire_release(&doc);
    return err;
}

/* PROTOCOL RETIRE-2: "A keep, under the label `kith keep`, has the body [space, device, size, chain
 * hash, head signature], the last one empty for size 0." */
enum err retire_issue_keep(const struct keep *keep, const struct retire_signer *signer,
                           struct buf *out)
{
    struct buf body = {0};

    wire_put_array(&body, 5);
    wire_put_bin(&body, span_of(keep->space.bytes, ID_SIZE));
    wire_put_bin(&body, span_of(keep->device.bytes, 32));
    wire_put_uint(&body, keep->size);
    wire_put_bin(&body, span_of(keep->hash.bytes, HASH_SIZE));
    wire_put_bin(&body, span_of(keep->signature, keep->size > 0 ? SIGNATURE_SIZE : 0));
    return retire_sign(retire_keep_label, signer, &body, out);
}

static void retire_read_keep_body(struct wire *wire, struct keep *out)
{
    struct span signature;

    wire_bytes(wire, out->space.bytes, ID_SIZE);
    wire_bytes(wire, out->device.bytes, 32);
    out->size = wire_uint(wire, LOG_SIZE_MAX);
    wire_bytes(wire, out->hash.bytes, HASH_SIZE);
    signature = wire_bin(wire, 0, SIGNATURE_SIZE);
    if (signature.size != (out->size > 0 ? SIGNATURE_SIZE : 0))
        wire_fail(wire);
    else if (signature.size > 0)
        memcpy(out->signature, signature.data, SIGNATURE_SIZE);
    wire_end(wire);
}

/* PROTOCOL RETIRE-3: "A keep of a size above 0 carries the device's own head there, which must
 * verify: so a log that was cut ends at a head like any other." */
static enum err retire_check_head(const struct keep *keep)
{
    struct log_id log = {.space = keep->space, .device = keep->device};
    struct head head = {.size = keep->size, .hash = keep->hash};

    if (keep->size == 0)
        return ERR_OK;
    memcpy(head.signature, keep->signature, SIGNATURE_SIZE);
    return head_verify(&log, &head);
}

enum err retire_read_keep(struct span bytes, struct keep *out)
{
    struct wire_doc doc = {0};
    struct statement statement;
    struct wire wire;
    enum err err = bytes.size <= FACT_SIZE_MAX
                       ? statement_read(retire_keep_label, bytes, &statement)
                       : ERR_MALFORMED;

    *out = (struct keep){0};
    if (err == ERR_OK)
        err = wire_open(&doc, statement.body, &wire);
    if (err == ERR_OK) {
        retire_read_keep_body(&wire, out);
        err = wire_err(&doc);
        out->member = statement.member;
        out->signer = retire_signer_of(&statement);
    }
    if (err == ERR_OK)
        err = retire_check_head(out);
    wire_release(&doc);
    return err;
}

enum err retire_peek(uint8_t kind, struct span bytes, struct public_key *out_device)
{
    struct retirement retirement = {.reason = 0};
    struct keep keep = {.size = 0};
    struct wire_doc doc = {0};
    struct public_key member;
    struct span body;
    struct wire wire;
    enum err err = statement_peek(bytes, &member, &body);

    if (err == ERR_OK)
        err = wire_open(&doc, body, &wire);
    if (err == ERR_OK) {
        if (kind == KIND_KEEP)
            retire_read_keep_body(&wire, &keep);
        else
            retire_read_body(&wire, &retirement);
        err = wire_err(&doc);
        *out_device = kind == KIND_KEEP ? keep.device : retirement.device;
    }
    wire_release(&doc);
    return err;
}

/* PROTOCOL RETIRE-5: "Of several keeps for one log the least size counts, then the least hash." */
bool retire_keep_counts(const struct keep *left, const struct keep *right)
{
    if (left->size != right->size)
        return left->size < right->size;
    return left->size > 0 && span_order(span_of(left->hash.bytes, HASH_SIZE),
                                        span_of(right->hash.bytes, HASH_SIZE)) < 0;
}

/* The kinds. */

static const struct field retire_fields[] = {
    {KIND_STATEMENT_FIELD, "statement", VALUE_BYTES, false, MATCH_EXACT, FACT_SIZE_MAX}};

const struct kind retire_kind = {.number = KIND_RETIRE,
                                 .name = "retire",
                                 .spaces = 1u << SPACE_CARD,
                                 .is_statement = true,
                                 .fields = retire_fields,
                                 .fields_count = 1};
const struct kind keep_kind = {.number = KIND_KEEP,
                               .name = "keep",
                               .spaces = 1u << SPACE_SELF | 1u << SPACE_CARD | 1u << SPACE_PAIR |
                                         1u << SPACE_NETWORK,
                               .is_statement = true,
                               .fields = retire_fields,
                               .fields_count = 1};
