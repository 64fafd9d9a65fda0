/* Asking for what is not one's to know: B39, B70. A log is named that is not shared with mal, or a
 * device asks that its owner gave up. Where there is such a log, and where there is none, ana says
 * the same. */
#include <string.h>

#include "crypto/secret.h"
#include "storage/replica.h"
#include "storage/view_peer.h"
#include "tests/sim/siege.h"

enum { SIEGE_PEEK_WANTS = 8 };

struct siege_peek {
    struct log_id logs[8];
    size_t count;
};

static void siege_peek_add(struct siege_peek *peek, const struct id *space,
                           const struct public_key *device)
{
    peek->logs[peek->count++] = (struct log_id){.space = *space, .device = *device};
}

/* What ana holds and mal must not hear of: what she and ben write for one another, his card, her
 * own space; and, for comparison, a log that is nowhere. */
static void siege_peek_find(struct siege *siege, struct siege_peek *peek)
{
    static const struct id nowhere = {{0x77}};
    struct peer *link = secret_new(sizeof *link);
    struct snapshot snapshot;

    KITH_ASSERT(link != NULL);
    peek->count = 0;
    world_must(ledger_snapshot(siege->ana->ledger, &snapshot));
    world_must(view_peer(&snapshot, &siege->ben->secrets->member, link));
    siege_peek_add(peek, &nowhere, &siege->device);
    siege_peek_add(peek, &link->card_in, ledger_device(siege->ben->ledger));
    siege_peek_add(peek, &link->pair_in, ledger_device(siege->ben->ledger));
    siege_peek_add(peek, &link->pair_out, &siege->device);
    siege_peek_add(peek, ledger_self_space(siege->ana->ledger), &siege->device);
    ledger_snapshot_end(&snapshot);
    secret_free(link);
}

static uint64_t siege_peek_said(const struct siege *siege)
{
    const uint64_t *said = siege->hostile.said;

    return said[MESSAGE_TRACE] + said[MESSAGE_TRACE_ASK] + said[MESSAGE_FETCH] +
           said[MESSAGE_BATCH] + said[MESSAGE_RETURNED] + said[MESSAGE_WANT];
}

/* Marks of it, shorter and longer than it can be, then everything that may be asked about a log.
 * How many bytes came back. */
static uint64_t siege_peek_at(struct siege *siege, const struct log_id *log)
{
    struct mark mark = {.log = *log, .size = 1};
    uint64_t seqs[SIEGE_PEEK_WANTS], before;
    struct trace_tag tag = {.size = 0};
    struct buf framed = {0};

    for (uint64_t at = 0; at < SIEGE_PEEK_WANTS; at++)
        seqs[at] = at + 1;
    if (!siege_open(siege))
        return 0;
    before = siege->hostile.bytes_back;
    message_put_marks(&mark, 1, false, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_marks(&siege->hostile); /* The rest, as it is: nothing need be given again. */
    mark.size = UINT64_C(1) << 30;
    message_put_marks(&mark, 1, false, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_marks(&siege->hostile);
    message_put_place(MESSAGE_TRACE_ASK, log, 1, &framed);
    message_put_trace(log, &tag, 1, true, &framed);
    message_put_place(MESSAGE_FETCH, log, 0, &framed);
    message_put_want(log, seqs, SIEGE_PEEK_WANTS, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 2000);
    siege_expect(siege, siege->hostile.is_connected, "it breaks no rule");
    siege_expect(siege, siege->hostile.said[MESSAGE_PAYLOAD] == SIEGE_PEEK_WANTS,
                 "what is not there is answered, too");
    before = siege->hostile.bytes_back - before;
    hostile_hang_up(&siege->hostile);
    return before;
}

static void siege_peeks(struct siege *siege)
{
    struct siege_peek peek;
    uint64_t nothing = 0;

    siege_peek_find(siege, &peek);
    for (size_t at = 0; at < peek.count; at++) {
        uint64_t bytes = siege_peek_at(siege, &peek.logs[at]);

        nothing = at == 0 ? bytes : nothing;
        siege_expect(siege, bytes == nothing, "the answer of a log that is nowhere");
        siege_expect(siege, siege_peek_said(siege) == 0, "not a word about it");
    }
}

const struct siege_case siege_peek_cases[] = {
    {.name = "B39 logs that are not shared with mal", .run = siege_peeks},
    {.name = NULL},
};
