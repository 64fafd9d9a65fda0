/* See meeting.h. */
#include "tests/sim/meeting.h"

#include <stdio.h>
#include <string.h>

#include "node/group.h"
#include "storage/follow.h"
#include "storage/running.h"

struct meeting_job {
    struct writer_job base;
    struct member *member;
    const struct op *op;
    struct op_call call;
    uint64_t span_ms;
};

static enum err meeting_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct meeting_job *job = (struct meeting_job *)(void *)base;
    uint64_t wall_ms = job->member->now_ms;

    return job->op != NULL ? op_step(job->op->run, &job->call, job->member->ledger, txn, wall_ms)
                           : ERR_OK;
}

static void meeting_follow(struct member *member)
{
    bool is_more = follow_is_behind(member->ledger);

    while (is_more)
        KITH_ASSERT(follow_stage(member->ledger, 1000, &is_more) == ERR_OK);
}

json_t *meeting_op(struct member *member, const char *method, json_t *params,
                   enum op_code *out_code)
{
    static const struct op_world nowhere;
    struct meeting_job job = {.base.run = meeting_run, .member = member, .op = ops_find(method)};
    enum err err;

    KITH_ASSERT(job.op != NULL && params != NULL);
    member->now_ms += 1000;
    job.base.is_reading = job.op->mode == OP_READ;
    job.call.params = params;
    job.call.world = &nowhere;
    group_run(member->ledger, &job.base, member->now_ms);
    err = op_settle(&job.call, job.base.err);
    if (out_code != NULL)
        *out_code = err == ERR_OK ? OP_DONE : job.call.failure.code;
    else if (err != ERR_OK)
        (void)fprintf(stderr, "%s: %s\n", method, job.call.failure.message);
    KITH_ASSERT(err == ERR_OK || out_code != NULL);
    json_decref(params);
    if (err == ERR_OK)
        return job.call.result;
    json_decref(job.call.result);
    return NULL;
}

void meeting_tick(struct member *member)
{
    struct meeting_job job = {.base.run = meeting_run, .member = member};

    meeting_follow(member);
    group_run(member->ledger, &job.base, member->now_ms);
    KITH_ASSERT(job.base.err == ERR_OK);
}

static enum err meeting_run_on(struct writer_job *base, struct ledger_txn *txn)
{
    struct meeting_job *live = (struct meeting_job *)(void *)base;
    enum err err = running_advance(txn, 1);

    return err == ERR_OK ? running_advance(txn, 1 + live->span_ms) : err;
}

void meeting_live(struct member *member, uint64_t span_ms)
{
    struct meeting_job job = {.base.run = meeting_run_on, .member = member, .span_ms = span_ms};

    member->now_ms += span_ms;
    meeting_follow(member);
    group_run(member->ledger, &job.base, member->now_ms);
    KITH_ASSERT(job.base.err == ERR_OK);
}

void meeting_new(struct member *member, uint8_t seed, const char *name)
{
    member_new(member, seed, false);
    KITH_ASSERT(member_name_card(member, name) == ERR_OK);
}

uint64_t meeting_carry_one_way(struct member *to, struct member *from)
{
    uint64_t carried = member_pull(to, from, NULL);

    meeting_tick(to);
    return carried;
}

void meeting_carry(struct member *left, struct member *right)
{
    uint64_t carried = 1;

    while (carried > 0) {
        carried = meeting_carry_one_way(left, right);
        carried += meeting_carry_one_way(right, left);
    }
}

void meeting_link(struct member *left, struct member *right)
{
    member_link(left, right);
    member_grant(left, right);
    member_grant(right, left);
    meeting_carry(left, right);
}

static json_t *meeting_find(struct member *member, const char *id)
{
    json_t *list = meeting_op(member, "intro.list", json_object(), NULL), *row, *found = NULL;
    size_t at;

    json_array_foreach(json_object_get(list, "introductions"), at, row)
    {
        const char *its = json_string_value(json_object_get(row, "id"));

        if (found == NULL && (id == NULL || strcmp(its, id) == 0))
            found = json_incref(row);
    }
    json_decref(list);
    return found;
}

const char *meeting_state(struct member *member, const char *id, char room[static 32])
{
    json_t *row = meeting_find(member, id);
    const char *state = json_string_value(json_object_get(row, "state"));

    (void)snprintf(room, 32, "%s", state != NULL ? state : "");
    json_decref(row);
    return room;
}

void meeting_first_id(struct member *member, char out[static ID_TEXT_SIZE])
{
    json_t *row = meeting_find(member, NULL);
    const char *id = json_string_value(json_object_get(row, "id"));

    (void)snprintf(out, ID_TEXT_SIZE, "%s", id != NULL ? id : "");
    json_decref(row);
}

void meeting_accept(struct member *member)
{
    char id[ID_TEXT_SIZE];

    meeting_first_id(member, id);
    json_decref(meeting_op(member, "intro.accept", json_pack("{s:s}", "id", id), NULL));
}

void meeting_say(struct member *member, const struct member *to,
                 struct introduction_message *message)
{
    struct ledger_txn *txn = member_begin(member);
    struct introduction_case intro = {.txn = txn,
                                      .snapshot = ledger_txn_snapshot(txn),
                                      .now_ms = member->now_ms,
                                      .row = {.id = message->id}};

    if (message->type == INTRODUCTION_OFFER)
        intro.row.expires_ms = message->offer.expires_ms;
    KITH_ASSERT(introduction_tell(&intro, &to->secrets.member, message) == ERR_OK);
    KITH_ASSERT(ledger_commit(txn, NULL) == ERR_OK);
}

static bool meeting_contains(struct span hay, struct span needle)
{
    for (size_t at = 0; at + needle.size <= hay.size; at++)
        if (memcmp(hay.data + at, needle.data, needle.size) == 0)
            return true;
    return false;
}

static bool meeting_holds_entry(const struct snapshot *snapshot, struct span needle)
{
    uint64_t newest = 0;
    bool holds = false;

    KITH_ASSERT(ledger_newest_arrival(snapshot, &newest) == ERR_OK);
    for (uint64_t arrival = 1; arrival <= newest && !holds; arrival++) {
        struct entry_row row;
        struct buf plain = {0};

        if (ledger_entry(snapshot, arrival, &row) == ERR_OK &&
            ledger_open_entry(snapshot, &row, &plain) == ERR_OK)
            holds = meeting_contains(buf_span(&plain), needle);
        buf_release(&plain);
    }
    return holds;
}

bool meeting_holds_at(const struct snapshot *snapshot, struct span needle)
{
    bool holds = meeting_holds_entry(snapshot, needle);

    for (unsigned table = 0; table < TABLES_COUNT && !holds; table++) {
        struct kv_cursor *cursor;
        struct span key, value;
        enum err err = kv_cursor_open(snapshot->kv, table, &cursor);

        KITH_ASSERT(err == ERR_OK);
        for (err = kv_cursor_seek(cursor, span_of(NULL, 0)); err == ERR_OK && !holds;
             err = kv_cursor_next(cursor)) {
            kv_cursor_at(cursor, &key, &value);
            holds = meeting_contains(key, needle) || meeting_contains(value, needle);
        }
        kv_cursor_close(cursor);
    }
    return holds;
}

bool meeting_holds(struct member *member, struct span needle)
{
    struct snapshot snapshot = member_snapshot(member);
    bool holds = meeting_holds_at(&snapshot, needle);

    ledger_snapshot_end(&snapshot);
    return holds;
}

bool meeting_peer(struct member *member, const struct member *other, struct peer *out)
{
    struct snapshot snapshot = member_snapshot(member);
    enum err err = view_peer(&snapshot, &other->secrets.member, out);

    ledger_snapshot_end(&snapshot);
    return err == ERR_OK && out->state == LINK_LINKED;
}
