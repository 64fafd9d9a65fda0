/*
 * What arrives on the socket is as strange as what a person types, so it is held against the same
 * table: what a command does not know, or wants in another shape, is refused before any op sees it.
 */
#include <stdio.h>
#include <string.h>

#include "node/cmd.h"
#include "node/door.h"

enum { CMD_PARAM_NAME_MAX = 60 };

static bool cmd_params_are_texts(json_t *list)
{
    size_t at;
    json_t *item;
    bool are = json_is_array(list);

    json_array_foreach(list, at, item) are = are && json_is_string(item);
    return are;
}

/* Values any op can bear: text, whole numbers, yes and no, and lists of texts. */
static bool cmd_params_is_plain(json_t *value)
{
    return json_is_string(value) || json_is_integer(value) || json_is_boolean(value) ||
           cmd_params_are_texts(value);
}

static bool cmd_params_fit_flag(enum cmd_flag_type type, json_t *value)
{
    switch (type) {
    case CMD_TEXT:
        return json_is_string(value) || json_is_integer(value);
    case CMD_LIST:
        return cmd_params_are_texts(value);
    case CMD_BOOL:
        return json_is_boolean(value);
    case CMD_NUMBER:
        return json_is_integer(value);
    }
    return false;
}

static bool cmd_params_fit(const struct cmd *cmd, const char *name, json_t *value, bool *out_known)
{
    char arg[CMD_ARG_NAME_SIZE];

    *out_known = true;
    for (size_t at = 0; at < CMD_FLAGS_MAX && cmd->flags[at].name != NULL; at++)
        if (strcmp(cmd->flags[at].name, name) == 0)
            return cmd_params_fit_flag(cmd->flags[at].type, value);
    for (size_t at = 0; at < CMD_ARGS_MAX && cmd->args[at] != NULL; at++) {
        cmd_arg_name(cmd->args[at], arg);
        if (strcmp(arg, name) == 0)
            return strstr(cmd->args[at], "...") != NULL ? cmd_params_are_texts(value)
                                                        : json_is_string(value);
    }
    *out_known = false;
    return false;
}

/* 30 where "30" is wanted. */
static void cmd_params_to_text(json_t *params, const char *name, json_t *value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    (void)json_object_set_new(params, name, json_string(text)); /* A lost value shows as absent. */
}

static bool cmd_params_wants_text(const struct cmd *cmd, const char *name)
{
    for (size_t at = 0; at < CMD_FLAGS_MAX && cmd->flags[at].name != NULL; at++)
        if (strcmp(cmd->flags[at].name, name) == 0)
            return cmd->flags[at].type == CMD_TEXT;
    return false;
}

static bool cmd_params_fail(struct op_failure *failure, const struct cmd *cmd, const char *name,
                            bool is_known)
{
    char hint[CMD_PARAM_NAME_MAX + 12];

    (void)snprintf(hint, sizeof hint, "kith help %.*s", CMD_PARAM_NAME_MAX,
                   cmd != NULL ? cmd->words : ""); /* Cut when too long. */
    door_fail(failure, OP_USAGE, hint,
              is_known ? "\"%.*s\" has the wrong type" : "this command does not know \"%.*s\"",
              CMD_PARAM_NAME_MAX, name);
    return false;
}

bool cmd_params_check(const char *method, json_t *params, struct op_failure *failure)
{
    const struct cmd *cmd;
    const char *name;
    json_t *value;

    for (size_t at = 0; (cmd = cmd_at(at)) != NULL; at++)
        if (cmd->method != NULL && strcmp(cmd->method, method) == 0)
            break;
    json_object_foreach(params, name, value)
    {
        bool is_known = true;

        if (!cmd_params_is_plain(value) ||
            (cmd != NULL && !cmd_params_fit(cmd, name, value, &is_known)))
            return cmd_params_fail(failure, cmd, name, is_known);
        if (cmd != NULL && json_is_integer(value) && cmd_params_wants_text(cmd, name))
            cmd_params_to_text(params, name, value);
    }
    return true;
}
