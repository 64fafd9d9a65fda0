/* Shared contacts as JSON: the keys of the command line's promise. */
#ifndef KITH_NODE_DESCRIBE_SHARE_H
#define KITH_NODE_DESCRIBE_SHARE_H

#include "node/ops.h"
#include "storage/view_share.h"

/* New reference; NULL without memory. */
json_t *describe_share(const struct op_call *call, const struct share_view *view);
/* What it says of the person: name, org, emails, ... put into out. */
void describe_share_person(json_t *out, const struct share *share);
/* From whom a contact came, and whom it is shared with, as "shared_by" and "shared_with" of a page
 * about the contact with this number. Each key only when there is something to say. */
void describe_share_mentions(const struct op_call *call, json_t *out, uint32_t head);

#endif
