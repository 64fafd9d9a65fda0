/* The commands about whom one trusts, and through whom. */
#include "node/cmd.h"

const struct cmd cmd_table_trust[] = {
    {.words = "trust",
     .method = "trust",
     .args = {"WHO"},
     .flags = {{"about", CMD_TEXT, "SKILL"}},
     .run = cmd_op,
     .summary = "who among the people you know stands for somebody; in sentences, for you alone",
     .example = "kith trust dana --about carpentry"},
    {.words = "path",
     .method = "path",
     .args = {"[WORDS...]"},
     .of = "people",
     .flags = {{"tag", CMD_TEXT, "T"}, {"place", CMD_TEXT, "P"}},
     .run = cmd_op,
     .summary = "who can introduce you: to somebody by name, or to anybody who fits",
     .example = "kith path designer --place \"Oklahoma City\""},
    {.words = "contact closeness",
     .method = "contact.closeness",
     .args = {"WHO", "LEVEL"},
     .run = cmd_op,
     .summary = "how near you feel: close, good, known, met or muted; private, never sent",
     .example = "kith contact closeness joon good"},
    {.words = NULL},
};
