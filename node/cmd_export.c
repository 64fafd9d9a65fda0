/*
 * The address book as a file or into a pipe. A file is written whole or not at all: beside its
 * name, synced, renamed, readable by its owner alone. The pieces come one after the other; a reader
 * that goes away ends the command.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node/cmd.h"
#include "node/door.h"
#include "node/show.h"

/* Asks for the next piece; false when the call failed. */
static bool cmd_export_piece(const struct config *config, struct door_call *call)
{
    json_t *next = json_incref(json_object_get(call->result, "next"));

    json_decref(call->result);
    call->result = NULL;
    if (next != NULL)
        (void)json_object_set_new(call->params, "after", next);
    return door_call(config, call);
}

static int cmd_export_done(const struct config *config, const char *path, const char *format,
                           json_int_t contacts, const struct buf *text)
{
    json_t *result = json_pack("{s:s, s:I}", "format", format, "contacts", contacts);

    if (path != NULL)
        (void)json_object_set_new(result, "file", json_string(path));
    else
        (void)json_object_set_new(result, "text",
                                  json_stringn((const char *)text->data, text->size));
    if (config->is_json) {
        show_json(result, JSON_COMPACT);
    } else if (path != NULL) {
        (void)printf("%" JSON_INTEGER_FORMAT " contacts in %s\n", contacts, path);
    }
    json_decref(result);
    return fflush(stdout) == 0 ? OP_DONE : OP_FAILED;
}

static int cmd_export_fail(const struct config *config, const char *path, enum err err)
{
    struct op_failure failure = {0};

    door_fail(&failure, OP_FAILED, "kith export -o FILE, in a folder you may write to",
              "%.300s could not be written: %s", path,
              err == ERR_NOT_FOUND ? "there is no such folder" : err_sentence(err));
    return cmd_fail(config, &failure);
}

int cmd_export(const struct config *config, const struct cmd *cmd, json_t *params)
{
    struct door_call call = {.method = "export", .params = params};
    json_t *output = json_incref(json_object_get(params, "output"));
    json_t *wanted = json_object_get(params, "format");
    const char *path = json_string_value(output);
    const char *format = json_is_string(wanted) ? json_string_value(wanted) : "vcard";
    bool is_pipe = path == NULL || strcmp(path, "-") == 0;
    struct buf text = {0};
    json_int_t contacts = 0;
    int code = OP_DONE;
    enum err err;

    (void)cmd;
    (void)json_object_del(params, "output"); /* The node need not know where to. */
    do {
        json_t *piece;

        if (!cmd_export_piece(config, &call)) {
            code = cmd_fail(config, &call.failure);
            break;
        }
        piece = json_object_get(call.result, "text");
        contacts += json_integer_value(json_object_get(call.result, "contacts"));
        if (!is_pipe || config->is_json)
            buf_append(&text, span_of(json_string_value(piece), json_string_length(piece)));
        else if (!show_file(span_of(json_string_value(piece), json_string_length(piece))))
            code = OP_FAILED;
    } while (code == OP_DONE && json_object_get(call.result, "next") != NULL);
    if (code == OP_DONE && !is_pipe) {
        err = buf_err(&text);
        if (err == ERR_OK)
            err = home_write_file(path, buf_span(&text), 0600);
        if (err != ERR_OK)
            code = cmd_export_fail(config, path, err);
    }
    if (code == OP_DONE)
        code = cmd_export_done(config, is_pipe ? NULL : path, format, contacts, &text);
    json_decref(call.result);
    json_decref(output);
    buf_release(&text);
    return code;
}
