/* The address book as text for others, a piece at a time: it may be larger than a line of the
 * socket. Each is an op of the table in ops.c. */
#ifndef KITH_NODE_OP_EXPORT_H
#define KITH_NODE_OP_EXPORT_H

#include "node/ops.h"

/* Params: format (vcard, vcard4, csv, json), tag, after (what "next" said). Result: text, contacts
 * (in this piece), next (there is more; give it back). In the order contacts were made, so that
 * what is edited meanwhile is neither lost nor doubled. */
MUST_USE enum err op_export(struct op_call *call);

#endif
