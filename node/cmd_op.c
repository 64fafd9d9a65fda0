/* Commands that are an op and little more. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "node/cmd.h"
#include "node/cmd_text.h"
#include "node/door.h"
#include "node/prompt.h"
#include "node/show.h"
#include "proto/limits.h"

enum { CMD_URI_FILE_MAX = 64 << 10 };

int cmd_fail(const struct config *config, const struct op_failure *failure)
{
    if (config->is_json) {
        json_t *error = op_failure_json(failure);

        show_json(error, JSON_COMPACT);
        json_decref(error);
    } else {
        show_failure(failure, config_wants_colour(config, STDERR_FILENO));
    }
    return (int)failure->code;
}

int cmd_print(const struct config *config, const char *method, json_t *result, json_t *params)
{
    if (config->is_json) {
        show_json(result, JSON_COMPACT);
    } else {
        json_t *look =
            json_pack("{s:b, s:b, s:i}", "header", config->wants_header, "colour",
                      config_wants_colour(config, STDOUT_FILENO), "columns", config_columns());

        /* Without it things look as they do by themselves. */
        (void)json_object_set(params, SHOW_LOOK, look);
        json_decref(look);
        show_result(method, result, params);
    }
    return fflush(stdout) == 0 ? OP_DONE : OP_FAILED;
}

static void cmd_on_progress(void *self, uint64_t done, uint64_t total)
{
    bool *has_told = self;

    *has_told = true;
    show_progress(done, total);
}

/* The call, with a line about how far it is, which is gone before anything else is shown. */
static bool cmd_follow(const struct config *config, struct door_call *call)
{
    bool has_told = false, is_done;

    call->progress = cmd_on_progress;
    call->self = &has_told;
    is_done = door_call(config, call);
    call->self = NULL;
    if (has_told)
        show_progress_end();
    return is_done;
}

static int cmd_call(const struct config *config, struct door_call *call)
{
    int code;

    if (!cmd_follow(config, call)) {
        json_decref(call->result);
        return cmd_fail(config, &call->failure);
    }
    code = cmd_print(config, call->method, call->result, call->params);
    json_decref(call->result);
    return code;
}

int cmd_op(const struct config *config, const struct cmd *cmd, json_t *params)
{
    struct door_call call = {.method = cmd->method, .params = params};
    json_t *wait = json_object_get(params, "wait");
    struct cmd_text text;
    int code;

    if (!cmd_text_fill(config, cmd, params, &text, &call.failure))
        return cmd_fail(config, &call.failure);
    if (strcmp(cmd->method, "sync") != 0 || wait == NULL) {
        code = cmd_call(config, &call);
        cmd_text_end(&text, code == OP_DONE);
        return code;
    }
    if (!cmd_follow(config, &call))
        return cmd_fail(config, &call.failure);
    code = cmd_print(config, cmd->method, call.result, params);
    if (code == OP_DONE && !json_is_true(json_object_get(call.result, "in_step")))
        code = OP_FAILED;
    json_decref(call.result);
    return code;
}

/* Cannot be called back from where it has gone, and the next is days away: its owner sees first who
 * gets it. */
static bool cmd_post_agrees(const struct config *config, const struct cmd *cmd, json_t *params,
                            struct op_failure *failure)
{
    json_t *plan;
    bool agrees;

    if (!cmd_text_plan(config, cmd, params, &plan, failure))
        return false;
    show_post_plan(plan, stderr);
    agrees = prompt_agrees("Send it?");
    json_decref(plan);
    if (!agrees)
        door_fail(failure, OP_CANCELLED,
                  "--to WHO or --circle C chooses whom; --hops 1 keeps it near",
                  "nothing was sent");
    return agrees;
}

int cmd_post(const struct config *config, const struct cmd *cmd, json_t *params)
{
    struct door_call call = {.method = cmd->method, .params = params};
    struct cmd_text text;
    int code;

    if (!cmd_text_fill(config, cmd, params, &text, &call.failure))
        return cmd_fail(config, &call.failure);
    if (config_may_prompt(config) && !config->is_json &&
        !cmd_post_agrees(config, cmd, params, &call.failure))
        code = cmd_fail(config, &call.failure);
    else
        code = cmd_call(config, &call);
    cmd_text_end(&text, code == OP_DONE);
    return code;
}

/* People are told what waits for them as well. */
int cmd_status(const struct config *config, const struct cmd *cmd, json_t *params)
{
    struct door_call call = {.method = config->is_json ? cmd->method : "status.waiting",
                             .params = params};

    return cmd_call(config, &call);
}

/* The invitation itself, a file that holds it, or standard input. */
int cmd_accept(const struct config *config, const struct cmd *cmd, json_t *params)
{
    const char *text = json_string_value(json_object_get(params, "uri"));
    struct op_failure failure = {0};
    struct buf file = {0};
    enum err err;
    int code;

    if (text != NULL && (strcmp(text, "-") == 0 ||
                         (strncasecmp(text, "kith:", 5) != 0 && access(text, R_OK) == 0))) {
        err = home_read_file(text, CMD_URI_FILE_MAX, &file);
        if (err != ERR_OK) {
            const char *why = home_why_unreadable(text);

            door_fail(&failure, OP_FAILED, "kith peer accept kith:1...",
                      "%.300s could not be read: %s", text, why != NULL ? why : err_sentence(err));
            buf_release(&file);
            return cmd_fail(config, &failure);
        }
        (void)json_object_set_new(params, "uri", json_stringn((const char *)file.data, file.size));
        buf_release(&file);
    }
    if (!json_is_string(json_object_get(params, "uri"))) {
        door_fail(&failure, OP_USAGE, "kith peer accept kith:1...", "that is not an invitation");
        return cmd_fail(config, &failure);
    }
    code = cmd_op(config, cmd, params);
    return code;
}

/* False when the reader has gone. */
static bool cmd_on_event(void *self, json_t *row)
{
    const struct config *config = self;

    if (config->is_json) {
        show_json(row, JSON_COMPACT);
        (void)fflush(stdout); /* What went wrong is remembered. */
    } else {
        show_event(row);
    }
    return ferror(stdout) == 0;
}

/* One object a line; with --follow it goes on until interrupted. */
int cmd_log(const struct config *config, const struct cmd *cmd, json_t *params)
{
    struct config copy = *config;
    struct door_call call = {.method = cmd->method, .params = params, .self = &copy};
    json_t *rows, *row;
    size_t at;

    if (json_is_true(json_object_get(params, "follow"))) {
        call.event = cmd_on_event;
        if (!door_call(config, &call))
            return cmd_fail(config, &call.failure);
        json_decref(call.result);
        return OP_DONE;
    }
    if (!door_call(config, &call))
        return cmd_fail(config, &call.failure);
    rows = json_object_get(call.result, "events");
    if (!config->is_json)
        show_result(cmd->method, call.result, params);
    for (at = 0; config->is_json && (row = json_array_get(rows, at)) != NULL; at++)
        if (!cmd_on_event(&copy, row))
            break;
    json_decref(call.result);
    return fflush(stdout) == 0 ? OP_DONE : OP_FAILED;
}

int cmd_doctor(const struct config *config, const struct cmd *cmd, json_t *params)
{
    struct door_call rebuild = {.method = "doctor.rebuild", .params = params};
    struct door_call look = {.method = cmd->method, .params = params, .is_apart = true};
    int code;

    if (json_is_true(json_object_get(params, "rebuild"))) {
        if (!door_call(config, &rebuild))
            return cmd_fail(config, &rebuild.failure);
        json_decref(rebuild.result);
    }
    if (!door_call(config, &look))
        return cmd_fail(config, &look.failure);
    code = cmd_print(config, cmd->method, look.result, params);
    if (!json_is_true(json_object_get(look.result, "healthy")))
        code = OP_FAILED;
    json_decref(look.result);
    return code;
}

int cmd_import(const struct config *config, const struct cmd *cmd, json_t *params)
{
    bool is_dry = json_is_true(json_object_get(params, "dry-run"));
    struct door_call call = {.method = is_dry ? "import.plan" : "import", .params = params};
    const char *path = json_string_value(json_object_get(params, "file"));
    struct op_failure failure = {0};
    struct buf file = {0};
    enum err err = path != NULL ? home_read_file(path, IMPORT_FILE_SIZE_MAX, &file) : ERR_INVALID;
    int code;

    (void)cmd;
    if (err != ERR_OK) {
        const char *why = path != NULL ? home_why_unreadable(path) : NULL;

        door_fail(&failure, OP_FAILED, "kith import FILE", "%.300s could not be read: %s",
                  path != NULL ? path : "the file", why != NULL ? why : err_sentence(err));
        code = cmd_fail(config, &failure);
    } else {
        call.file = buf_span(&file);
        code = cmd_call(config, &call);
    }
    buf_release(&file);
    return code;
}
