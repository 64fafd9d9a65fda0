/* One person twice in the address book: finding them, saying that they are the same, parting them.
 */
#ifndef KITH_NODE_OP_MERGE_H
#define KITH_NODE_OP_MERGE_H

#include "node/ops.h"

enum err op_merge(struct op_call *call);
enum err op_merge_split(struct op_call *call);
enum err op_merge_duplicates(struct op_call *call);

#endif
