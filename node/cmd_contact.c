/* A note is the one thing of a contact that is longer than a line: it is changed where one writes.
 */
#include <string.h>

#include "node/cmd.h"
#include "node/cmd_text.h"
#include "node/door.h"

static bool cmd_contact_has_change(json_t *params)
{
    static const char *const flags[] = {"set", "add", "unset"};

    for (size_t at = 0; at < sizeof flags / sizeof flags[0]; at++)
        if (json_object_get(params, flags[at]) != NULL)
            return true;
    return false;
}

/* Would a note about them be taken? */
static bool cmd_contact_may(const struct config *config, json_t *params, struct op_failure *failure)
{
    struct door_call plan = {
        .method = "contact.edit.plan",
        .params = json_pack("{s:O, s:[s]}", "who", json_object_get(params, "who"), "set", "note=")};
    bool may = door_call(config, &plan);

    *failure = plan.failure;
    json_decref(plan.params);
    json_decref(plan.result);
    return may;
}

/* The note as it stands goes into the editor, and what comes out of it is set. */
static bool cmd_contact_ask(const struct config *config, const struct cmd *cmd, json_t *params,
                            struct cmd_text *text, struct op_failure *failure)
{
    struct door_call call = {.method = "contact.show",
                             .params = json_pack("{s:O}", "who", json_object_get(params, "who"))};
    struct cmd note = *cmd;
    const char *before;
    bool is_written;

    note.text = "note";
    is_written = (door_would_ask(config) || cmd_contact_may(config, params, &call.failure)) &&
                 door_call(config, &call);
    if (is_written) {
        before = json_string_value(json_object_get(call.result, "note"));
        is_written =
            cmd_text_change(config, &note, before != NULL ? before : "", params, text, failure);
    } else {
        *failure = call.failure;
    }
    if (is_written) {
        (void)json_object_set_new(
            params, "set",
            json_pack("[o]",
                      json_sprintf("note=%s", json_string_value(json_object_get(params, "note")))));
        (void)json_object_del(params, "note"); /* The op knows it as a change. */
    }
    json_decref(call.params);
    json_decref(call.result);
    return is_written;
}

int cmd_contact_edit(const struct config *config, const struct cmd *cmd, json_t *params)
{
    struct op_failure failure = {0};
    struct cmd_text text = {{0}};
    int code;

    if (!cmd_contact_has_change(params) && cmd_text_may_ask(config) &&
        !cmd_contact_ask(config, cmd, params, &text, &failure))
        return cmd_fail(config, &failure);
    code = cmd_op(config, cmd, params);
    cmd_text_end(&text, code == OP_DONE);
    return code;
}
