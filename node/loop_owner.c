/* What happens is told to whoever watches the node's terminal: new rows of the journal, as the op
 * "log" has them. */
#include "node/clock.h"
#include "node/loop_state.h"
#include "node/ops.h"

/* The rows after the last one told; that one moves on. */
static json_t *loop_owner_rows(struct loop *loop)
{
    static const struct op_world world = {.home = ""};
    struct op_call call = {.world = &world, .params = json_pack("{s:I}", "after", loop->told)};
    json_t *rows = NULL;

    if (call.params != NULL &&
        op_step(ops_find("log")->run, &call, loop->ledger, NULL, clock_wall_ms()) == ERR_OK) {
        rows = json_incref(json_object_get(call.result, "events"));
        loop->told = json_integer_value(json_object_get(call.result, "last"));
    }
    json_decref(call.params);
    json_decref(call.result);
    return rows;
}

void loop_owner_begin(struct loop *loop)
{
    if (loop->options->on_event != NULL)
        json_decref(loop_owner_rows(loop)); /* What was before is told by `kith log`. */
}

void loop_owner_tell(struct loop *loop)
{
    json_t *rows, *row;
    size_t at;

    if (loop->options->on_event == NULL || !loop->is_journal_changed)
        return;
    rows = loop_owner_rows(loop);
    json_array_foreach(rows, at, row) loop->options->on_event(loop->options->self, row);
    json_decref(rows);
}
