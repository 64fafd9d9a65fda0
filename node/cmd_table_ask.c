/* The commands about asks and offers. */
#include "node/cmd.h"

#define CMD_ASK_POST_FLAGS                                                                         \
    {"title", CMD_TEXT, "TITLE"}, {"tag", CMD_LIST, "T"}, {"to", CMD_LIST, "WHO"},                 \
        {"circle", CMD_LIST, "C"}, {"hops", CMD_TEXT, "1|2|3"}, {"until", CMD_TEXT, "DATE|14d"},   \
        {"name", CMD_TEXT, "always|first|on-request"}, {"keep-from", CMD_LIST, "WHO"},             \
    {                                                                                              \
        "caution", CMD_TEXT, "TEXT"                                                                \
    }

const struct cmd cmd_table_ask[] = {
    {.words = "ask post",
     .method = "ask.post",
     .args = {"[TEXT]"},
     .text = "text",
     .flags = {CMD_ASK_POST_FLAGS, {"anyway", CMD_BOOL, NULL}},
     .run = cmd_post,
     .summary = "ask your network; people who know you pass it on, as far as you allow",
     .example = "kith ask post \"I design packaging and look for a job.\" --title \"Looking for "
                "work\" --tag design --circle friends"},
    {.words = "offer post",
     .method = "offer.post",
     .args = {"[TEXT]"},
     .text = "text",
     .flags = {CMD_ASK_POST_FLAGS},
     .run = cmd_post,
     .summary = "offer something to your network",
     .example = "kith offer post \"A desk in our workshop is free.\" --title \"Room for one\" "
                "--hops 1"},
    {.words = "ask list",
     .method = "ask.list",
     .flags = {{"mine", CMD_BOOL, NULL}, {"later", CMD_BOOL, NULL}, {"all", CMD_BOOL, NULL}},
     .run = cmd_op,
     .summary = "what your network asks and offers; --later has what was more than a day's",
     .example = "kith ask list --mine"},
    {.words = "ask show",
     .method = "ask.show",
     .args = {"ID"},
     .of = "ask",
     .run = cmd_op,
     .summary = "one ask or offer",
     .example = "kith ask show 3f9a1c"},
    {.words = "ask pass",
     .method = "ask.pass",
     .args = {"ID"},
     .of = "ask.others",
     .flags = {{"to", CMD_LIST, "WHO"}, {"note", CMD_TEXT, "TEXT"}},
     .run = cmd_op,
     .summary = "hand it on to ten people at most, with a line of your own",
     .example = "kith ask pass 3f9a1c --to bruno --note \"You know everybody in packaging.\""},
    {.words = "ask dismiss",
     .method = "ask.dismiss",
     .args = {"ID"},
     .of = "ask.others",
     .run = cmd_op,
     .summary = "not now; nobody is told",
     .example = "kith ask dismiss 3f9a1c"},
    {.words = "ask close",
     .method = "ask.close",
     .args = {"ID"},
     .of = "ask.mine",
     .flags = {{"reason", CMD_TEXT, "found|changed"}},
     .run = cmd_op,
     .summary = "end an ask of yours; whoever has it is told",
     .example = "kith ask close 3f9a1c --reason found"},
    {.words = NULL},
};
