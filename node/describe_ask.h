/* Asks as people and programs see them: as much as this member may know, and no more. */
#ifndef KITH_NODE_DESCRIBE_ASK_H
#define KITH_NODE_DESCRIBE_ASK_H

#include "node/describe.h"
#include "storage/view_ask.h"

/* What an ask is at: "open", "shown", "later", "passed", "answered", "not now", "closed",
 * "expired". NULL: nothing of it is shown to the owner. */
MUST_USE enum err describe_ask_state(const struct op_call *call, const struct ask_row *row,
                                     const char **out);
/* NULL when nothing of it is shown, or what it said is gone, or without memory. */
json_t *describe_ask(const struct op_call *call, const struct ask_row *row);
const char *describe_ask_naming(enum ask_naming naming);

#endif
