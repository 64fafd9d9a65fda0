/*
 * Commands: one table says what there is to type, what each takes and which op it calls. Help and
 * completion read the same table.
 */
#ifndef KITH_NODE_CMD_H
#define KITH_NODE_CMD_H

#include "node/config.h"
#include "node/ops.h"

enum { CMD_FLAGS_MAX = 16, CMD_ARGS_MAX = 3, CMD_WORDS_MAX = 2, CMD_ARG_NAME_SIZE = 32 };

enum cmd_flag_type { CMD_TEXT, CMD_LIST, CMD_BOOL, CMD_NUMBER };

struct cmd_flag {
    const char *name; /* without the dashes; NULL ends the list */
    enum cmd_flag_type type;
    const char *value; /* how help names what it takes */
};

struct cmd;
/* What was typed, as the op's params. Returns the exit code. */
typedef int (*cmd_fn)(const struct config *config, const struct cmd *cmd, json_t *params);

struct cmd {
    const char *words;              /* "contact add" */
    const char *method;             /* "contact.add"; NULL for commands of their own */
    const char *args[CMD_ARGS_MAX]; /* "NAME"; in brackets when it may be left out; the last may end
                                       in "..." */
    struct cmd_flag flags[CMD_FLAGS_MAX];
    cmd_fn run;
    const char *summary, *example;
    const char *text;   /* a param with longer text, see cmd_text.h; NULL: none */
    bool may_lack_text; /* then nobody is asked for it */
    const char *of; /* what its first argument is one of, see op_complete.h; NULL: by its name */
};

/* Flags that describe a person. */
#define CMD_CARD_FLAGS                                                                             \
    {"org", CMD_TEXT, "O"}, {"title", CMD_TEXT, "T"}, {"place", CMD_TEXT, "P"},                    \
        {"email", CMD_LIST, "E"}, {"tel", CMD_LIST, "T"},                                          \
    {                                                                                              \
        "url", CMD_LIST, "U"                                                                       \
    }

/* cmd_table.c: the command with this number, in the order of help; NULL beyond the last. */
const struct cmd *cmd_at(size_t index);
/* The groups it is made of, one file each; a row without words ends a group. */
extern const struct cmd cmd_table_contact[];
extern const struct cmd cmd_table_circle[];
extern const struct cmd cmd_table_peer[];
extern const struct cmd cmd_table_introduction[];
extern const struct cmd cmd_table_endorsement[];
extern const struct cmd cmd_table_ask[];
extern const struct cmd cmd_table_reply[];
extern const struct cmd cmd_table_share[];
extern const struct cmd cmd_table_touch[];
extern const struct cmd cmd_table_trust[];
/* The command whose words these are; out_used says how many. NULL: none. */
const struct cmd *cmd_find(char *const *words, int count, int *out_used);
/* The param an argument becomes: "WHO" is "who", "[NAME]" "name", "[TOPIC...]" "topic". */
void cmd_arg_name(const char *arg, char out[static CMD_ARG_NAME_SIZE]);

/* Words from..to of a line are one word, which a shell wants in quotes; from == to: none. */
struct cmd_guess_join {
    int from, to;
};
/* cmd_guess.c: what was meant by words that are no command, with all that was typed after them.
 * False when nothing comes to mind. */
bool cmd_guess(char *const *words, int count, char *out, size_t size);
/* The line "kith COMMAND WORDS...", to be copied. False when it is too long, or has letters in it
 * that want more than quotes. */
bool cmd_guess_line(const char *command, char *const *words, int count, struct cmd_guess_join join,
                    char *out, size_t size);

/* The word at this place is one too many for the command: the line that was probably meant. */
bool cmd_guess_many(const struct cmd *cmd, char *const *words, int count, int at, char *out,
                    size_t size);

/* cmd_params.c: holds the params of a method against what its command takes. False with a failure
 * for a name the command does not know or a value of another type. A number where text is wanted
 * becomes text. Methods without a command may have any plain values. */
bool cmd_params_check(const char *method, json_t *params, struct op_failure *failure);

/* cmd_op.c: calls the op and prints its answer. */
int cmd_op(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_post(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_status(const struct config *config, const struct cmd *cmd, json_t *params);
/* Prints a failure as people or programs read it; returns its code. */
int cmd_fail(const struct config *config, const struct op_failure *failure);
int cmd_print(const struct config *config, const char *method, json_t *result, json_t *params);
int cmd_accept(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_log(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_stop(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_doctor(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_import(const struct config *config, const struct cmd *cmd, json_t *params);

/* cmd_contact.c: without anything to change, the note in the owner's editor. */
int cmd_contact_edit(const struct config *config, const struct cmd *cmd, json_t *params);

/* cmd_endorsement.c */
int cmd_endorsement_export(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_endorsement_verify(const struct config *config, const struct cmd *cmd, json_t *params);

/* cmd_share.c */
int cmd_share(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_reply(const struct config *config, const struct cmd *cmd, json_t *params);

/* cmd_export.c */
int cmd_export(const struct config *config, const struct cmd *cmd, json_t *params);

/* cmd_init.c, cmd_run.c, cmd_help.c */
int cmd_init(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_run(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_help(const struct config *config, const struct cmd *cmd, json_t *params);
/* cmd_complete.c, cmd_completion.c, cmd_man.c: written from the table. */
int cmd_complete(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_completion(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_man(const struct config *config, const struct cmd *cmd, json_t *params);
int cmd_version(const struct config *config, const struct cmd *cmd, json_t *params);
void cmd_usage(const struct cmd *cmd);

#endif
