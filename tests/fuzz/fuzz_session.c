/*
 * A session in all its states under arbitrary events. The first byte chooses the role; then each
 * step is one byte for what happens and, where bytes arrive, one for how many.
 */
#include <string.h>

#include "proto/frame.h"
#include "proto/limits.h"
#include "tests/sim/session_pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_input {
    const uint8_t *data;
    size_t size;
};

static uint8_t fuzz_byte(struct fuzz_input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

/* Arbitrary bytes, as one message or as they are. */
static void fuzz_bytes(struct session_pair *pair, struct fuzz_input *input, bool is_framed)
{
    size_t size = fuzz_byte(input);
    struct buf bytes = {0};

    size = size < input->size ? size : input->size;
    if (is_framed)
        buf_u32(&bytes, (uint32_t)size);
    buf_append(&bytes, span_of(input->data, size));
    input->data += size;
    input->size -= size;
    session_pair_inject(pair, BEN, &bytes);
}

/* A well-formed message with small numbers out of the input. */
static void fuzz_message(struct session_pair *pair, struct fuzz_input *input)
{
    uint8_t type = fuzz_byte(input), one = fuzz_byte(input), two = fuzz_byte(input);
    struct log_id log = session_pair_log(pair, one & 1, (enum session_pair_space)(two & 3));
    struct mark mark = {.log = log, .size = (uint64_t)(two >> 2)};
    struct replica replica = replica_mem_replica(&pair->sides[ANA].replica);
    struct ack ack = {.alias = one, .size = two};
    struct chain chain;
    struct buf bytes = {0};

    if (replica.chain_at(replica.self, &log, mark.size, &chain) == ERR_OK)
        chain_mark(&chain, &log, &mark);
    switch (type % 8) {
    case 0:
        message_put_marks(&mark, 1, one >> 7, &bytes);
        break;
    case 1:
        message_put_log(one >> 4, &log, &bytes);
        break;
    case 2:
        message_put_acks(&ack, 1, &bytes);
        break;
    case 3:
        message_put_credit((uint64_t)one << 16, &bytes);
        break;
    case 4:
        message_put_identity(buf_span(&pair->sides[one & 1].identity), &bytes);
        break;
    case 5:
        message_put_link(&(struct link_message){.has_secret = one & 1}, &bytes);
        break;
    case 6:
        message_put_totals(one, two, &bytes);
        break;
    default:
        message_put_refused((enum refusal)one, &bytes);
        break;
    }
    session_pair_inject(pair, BEN, &bytes);
}

/* A batch of ana's pair log from any place, named or not, signed or not. */
static void fuzz_batch(struct session_pair *pair, struct fuzz_input *input)
{
    uint8_t from = fuzz_byte(input), how = fuzz_byte(input);
    struct log_id log = session_pair_log(pair, ANA, ANA_PAIR);
    struct replica replica = replica_mem_replica(&pair->sides[ANA].replica);
    struct batch_writer writer = {0};
    uint8_t signature[SIGNATURE_SIZE];
    struct chain start, end;
    struct buf bytes = {0};

    if (replica.chain_at(replica.self, &log, from, &start) == ERR_OK &&
        replica.read(replica.self, &log, &start, &writer, &end, signature) == ERR_OK) {
        signature[0] ^= how >> 7;
        message_put_batch(how & 3, how & 4 ? &start : NULL, &writer, signature, &bytes);
        session_pair_inject(pair, BEN, &bytes);
    }
    batch_release(&writer);
}

static void fuzz_event(struct session_pair *pair, struct fuzz_input *input)
{
    const enum session_event_type types[] = {SESSION_DRAINED, SESSION_WOKEN, SESSION_SYNC_ASKED,
                                             SESSION_STOP};
    uint8_t what = fuzz_byte(input);
    struct session_event event = {.type = types[what & 3], .stop = BYE_DONE};

    pair->now_ms += (uint64_t)what * 1000;
    session_pair_event(pair, BEN, &event);
}

static void fuzz_step(struct session_pair *pair, struct fuzz_input *input)
{
    struct session_side *ben = &pair->sides[BEN];

    switch (fuzz_byte(input) % 10) {
    case 0:
        fuzz_bytes(pair, input, true);
        break;
    case 1:
        fuzz_bytes(pair, input, false);
        break;
    case 2:
        fuzz_message(pair, input);
        break;
    case 3:
    case 4:
        fuzz_batch(pair, input);
        break;
    case 5:
        session_pair_write(pair, BEN, BEN_PAIR, fuzz_byte(input) % 8 + 1u, 20, 3);
        break;
    case 6:
        ben->commit_err = fuzz_byte(input) & 1 ? ERR_DETACHED : ERR_OK;
        if (ben->commits_count > 0)
            session_pair_commit(pair, BEN);
        break;
    case 7:
        if (ben->is_asked)
            session_pair_answer(pair, BEN);
        break;
    case 8: /* What ana really says. */
        ben->holds_commits = ben->holds_answer = true;
        session_pair_run(pair);
        break;
    default:
        fuzz_event(pair, input);
        break;
    }
    (void)session_pair_text(pair);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.data = data, .size = size};
    struct session_pair *pair = session_pair_new();
    bool is_linking = fuzz_byte(&input) & 1;

    session_pair_write(pair, ANA, ANA_PAIR, 20, 20, 1);
    session_pair_write(pair, ANA, ANA_PAIR, 20, 20, 2);
    session_pair_connect(pair, is_linking ? SESSION_INVITER : SESSION_PEER,
                         is_linking ? SESSION_ACCEPTOR : SESSION_PEER);
    while (input.size > 0 && !pair->sides[BEN].is_ended)
        fuzz_step(pair, &input);
    session_pair_free(pair);
    return 0;
}
