/* People who hold an invitation of mine and have not used it: no peers yet, but no strangers. */
#ifndef KITH_NODE_INVITED_H
#define KITH_NODE_INVITED_H

#include "node/name.h"

/* ERR_NOT_FOUND, with the call's failure filled, where an invitation given to who is still open;
 * ERR_OK where there is none. For those who turned out not to be peers. */
MUST_USE enum err invited_check(struct op_call *call, const struct name_match *who);

#endif
