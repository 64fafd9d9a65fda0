/* Whoever is named to somebody else has to have agreed: a contact that is shared, beside what would
 * travel, and whoever an answer is about. */
#include <stdio.h>
#include <string.h>

#include "node/cmd.h"
#include "node/cmd_text.h"
#include "node/door.h"
#include "node/prompt.h"
#include "node/show.h"

/* Puts the question about somebody, whose name a terminal may show. */
static bool cmd_share_asks(const char *before, const char *who, const char *after)
{
    struct buf question = {0};
    bool agrees;

    buf_append(&question, span_str(before));
    show_clean(span_str(who != NULL && who[0] != '\0' ? who : "they"), &question);
    buf_append(&question, span_str(after));
    buf_byte(&question, 0);
    agrees = buf_err(&question) == ERR_OK && prompt_agrees((const char *)question.data);
    buf_release(&question);
    return agrees;
}

static int cmd_share_ask(const struct config *config, json_t *params, bool *out_agreed)
{
    struct door_call plan = {.method = "contact.share.plan", .params = params};
    struct op_failure failure = {0};
    int code = OP_DONE;

    *out_agreed = false;
    if (!door_call(config, &plan))
        return cmd_fail(config, &plan.failure);
    show_share_plan(plan.result, stderr);
    *out_agreed = cmd_share_asks("Has ", json_string_value(json_object_get(plan.result, "name")),
                                 " agreed to that?");
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

/* What would be refused, and whether whoever it names has agreed, is asked before its words are
 * written. */
int cmd_reply(const struct config *config, const struct cmd *cmd, json_t *params)
{
    struct op_failure failure = {0};
    json_t *plan;
    bool must_ask, has_agreed;

    if (!config_may_prompt(config) ||
        (json_object_get(params, "about") == NULL && json_object_get(params, "text") != NULL))
        return cmd_op(config, cmd, params);
    if (!cmd_text_plan(config, cmd, params, &plan, &failure))
        return cmd_fail(config, &failure);
    must_ask = json_is_true(json_object_get(plan, "must_ask"));
    has_agreed = must_ask && cmd_share_asks("", json_string_value(json_object_get(plan, "about")),
                                            " is not on kith with you. Have you asked them?");
    json_decref(plan);
    if (must_ask && !has_agreed) {
        door_fail(&failure, OP_CANCELLED, "ask them, then type it again, or leave out --about",
                  "nothing was sent");
        return cmd_fail(config, &failure);
    }
    if (has_agreed)
        (void)json_object_set_new(params, "asked", json_true()); /* Else the op asks for it. */
    return cmd_op(config, cmd, params);
}
