/*
 * kith as a later version may be, for the end to end tests: the whole program, but that what it
 * says of itself at the door (KITH_LATER=knock) or in its hello (KITH_LATER=hello) is version 2; or
 * that it says hello twice, against the rules (KITH_LATER=rude); or that it is killed when what it
 * wrote is committed and its lists are to follow (KITH_LATER=behind); or that no signature of what
 * it gives fits (KITH_LATER=forger); or that it takes an introduction back where an offer is due
 * (KITH_LATER=early); or that it imports in small steps and is told to end in the first
 * (KITH_LATER=ending). The linker puts these functions before those of the same name (--wrap).
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "crypto/handshake.h"
#include "node/ops.h"
#include "node/writer_round.h"
#include "proto/introduction_judge.h"
#include "proto/message.h"
#include "storage/follow.h"

enum { LATER_VERSION = 2, LATER_STEP = 20, LATER_ENDING_US = 300000 };

enum err __real_handshake_dial(struct handshake *handshake, const struct handshake_dial *dial,
                               const struct entropy *entropy, struct buf *out);
enum err __wrap_handshake_dial(struct handshake *handshake, const struct handshake_dial *dial,
                               const struct entropy *entropy, struct buf *out);
enum err __real_handshake_check_knock(struct span first, const uint8_t knock[static KEY_SIZE]);
enum err __wrap_handshake_check_knock(struct span first, const uint8_t knock[static KEY_SIZE]);
void __real_message_put_hello(const struct hello *hello, struct buf *out);
void __wrap_message_put_hello(const struct hello *hello, struct buf *out);
void __real_message_put_batch(uint32_t alias, const struct chain *start,
                              struct batch_writer *entries,
                              const uint8_t signature[static SIGNATURE_SIZE], struct buf *out);
void __wrap_message_put_batch(uint32_t alias, const struct chain *start,
                              struct batch_writer *entries,
                              const uint8_t signature[static SIGNATURE_SIZE], struct buf *out);
enum err __real_follow_stage(struct ledger *ledger, size_t budget, bool *out_is_more);
enum err __wrap_follow_stage(struct ledger *ledger, size_t budget, bool *out_is_more);
enum err __real_writer_round_start(struct ledger *ledger, struct writer_round **out);
enum err __wrap_writer_round_start(struct ledger *ledger, struct writer_round **out);
void __real_introduction_judge_plan(const struct introduction_plan_facts *facts,
                                    struct introduction_plan_verdict *out);
void __wrap_introduction_judge_plan(const struct introduction_plan_facts *facts,
                                    struct introduction_plan_verdict *out);
enum err __real_op_step(enum err (*step)(struct op_call *call), struct op_call *call,
                        struct ledger *ledger, struct ledger_txn *txn, uint64_t wall_ms);
enum err __wrap_op_step(enum err (*step)(struct op_call *call), struct op_call *call,
                        struct ledger *ledger, struct ledger_txn *txn, uint64_t wall_ms);

static bool later_is(const char *what)
{
    const char *wanted = getenv("KITH_LATER");

    return wanted != NULL && strcmp(wanted, what) == 0;
}

enum err __wrap_handshake_dial(struct handshake *handshake, const struct handshake_dial *dial,
                               const struct entropy *entropy, struct buf *out)
{
    size_t begun_at = out->size;
    enum err err = __real_handshake_dial(handshake, dial, entropy, out);
    struct span covered;

    if (err != ERR_OK || !later_is("knock"))
        return err;
    out->data[begun_at + HANDSHAKE_KNOCK_SIZE] = LATER_VERSION;
    covered =
        span_of(out->data + begun_at + HANDSHAKE_KNOCK_SIZE, 1 + HANDSHAKE_SELECTOR_SIZE + 32);
    digest_keyed(dial->knock, "kith knock", &covered, 1, out->data + begun_at,
                 HANDSHAKE_KNOCK_SIZE);
    return ERR_OK;
}

enum err __wrap_handshake_check_knock(struct span first, const uint8_t knock[static KEY_SIZE])
{
    enum err err = __real_handshake_check_knock(first, knock);

    if (err == ERR_FORGED || !later_is("knock"))
        return err;
    return err == ERR_OK ? ERR_VERSION : ERR_OK;
}

void __wrap_message_put_hello(const struct hello *hello, struct buf *out)
{
    struct hello later = *hello;

    if (later_is("hello"))
        later.version = LATER_VERSION;
    __real_message_put_hello(&later, out);
    if (later_is("rude"))
        __real_message_put_hello(&later, out);
}

void __wrap_message_put_batch(uint32_t alias, const struct chain *start,
                              struct batch_writer *entries,
                              const uint8_t signature[static SIGNATURE_SIZE], struct buf *out)
{
    uint8_t forged[SIGNATURE_SIZE];

    memcpy(forged, signature, SIGNATURE_SIZE);
    if (later_is("forger"))
        forged[SIGNATURE_SIZE / 2 - 1] ^= 1;
    __real_message_put_batch(alias, start, entries, forged, out);
}

enum err __wrap_follow_stage(struct ledger *ledger, size_t budget, bool *out_is_more)
{
    if (later_is("behind"))
        _exit(1);
    return __real_follow_stage(ledger, budget, out_is_more);
}

enum err __wrap_writer_round_start(struct ledger *ledger, struct writer_round **out)
{
    if (later_is("behind"))
        _exit(1);
    return __real_writer_round_start(ledger, out);
}

void __wrap_introduction_judge_plan(const struct introduction_plan_facts *facts,
                                    struct introduction_plan_verdict *out)
{
    __real_introduction_judge_plan(facts, out);
    for (unsigned side = 0; side < 2 && later_is("early"); side++) {
        out->must_withdraw[side] = out->must_offer[side];
        out->must_offer[side] = false;
    }
}

enum err __wrap_op_step(enum err (*step)(struct op_call *call), struct op_call *call,
                        struct ledger *ledger, struct ledger_txn *txn, uint64_t wall_ms)
{
    const struct op_world *before = call->world;
    struct op_world world = *before;
    enum err err;

    if (!later_is("ending") || call->file.size == 0)
        return __real_op_step(step, call, ledger, txn, wall_ms);
    world.import_step = LATER_STEP;
    call->world = &world;
    if (call->first == NULL) {
        (void)kill(getpid(), SIGTERM);
        (void)usleep(LATER_ENDING_US); /* The loop has heard of it. */
    }
    err = __real_op_step(step, call, ledger, txn, wall_ms);
    call->world = before;
    return err;
}
