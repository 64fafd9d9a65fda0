/* Sharing asks first whether the person has agreed, beside what would travel. */
#include <stdio.h>
#include <string.h>

#include "node/cmd.h"
#include "node/door.h"
#include "node/show.h"

enum { CMD_SHARE_ANSWER_MAX = 16 };

/* Nothing but yes is a yes. */
static bool cmd_share_has_agreed(const char *name)
{
    char answer[CMD_SHARE_ANSWER_MAX];

    (void)fprintf(stderr, "Has %s agreed to that? [y/N] ", name);
    if (fgets(answer, sizeof answer, stdin) == NULL)
        return false;
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcmp(answer, "y") == 0 || strcmp(answer, "Y") == 0 || strcmp(answer, "yes") == 0;
}

static int cmd_share_ask(const struct config *config, json_t *params, bool *out_agreed)
{
    struct door_call plan = {.method = "contact.share.plan", .params = params};
    struct op_failure failure = {0};
    struct buf name = {0};
    const char *who;
    int code = OP_DONE;

    *out_agreed = false;
    if (!door_call(config, &plan))
        return cmd_fail(config, &plan.failure);
    show_share_plan(plan.result, stderr);
    who = json_string_value(json_object_get(plan.result, "name"));
    show_clean(span_str(who != NULL ? who : ""), &name);
    buf_byte(&name, 0);
    *out_agreed = buf_err(&name) == ERR_OK && cmd_share_has_agreed((const char *)name.data);
    buf_release(&name);
    json_decref(plan.result);
    if (!*out_agreed) {
        door_fail(&failure, OP_CANCELLED, "ask them, then type it again", "nothing was shared");
        code = cmd_fail(config, &failure);
    }
    return code;
}

int cmd_share(const struct config *config, const struct cmd *cmd, json_t *params)
{
    struct cmd rehearsal = *cmd;
    bool has_agreed = json_is_true(json_object_get(params, "agreed"));
    int code = OP_DONE;

    if (json_is_true(json_object_get(params, "dry-run"))) {
        rehearsal.method = "contact.share.plan";
        return cmd_op(config, &rehearsal, params);
    }
    if (!has_agreed && config_may_prompt(config)) {
        code = cmd_share_ask(config, params, &has_agreed);
        if (code == OP_DONE && json_object_set_new(params, "agreed", json_true()) != 0)
            code = OP_FAILED;
    }
    return code == OP_DONE ? cmd_op(config, cmd, params) : code;
}
