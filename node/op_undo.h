/*
 * Taking back what this device did last to contacts: each act notes what it wrote, and
 * undoing it writes what there was before, unless somebody has changed it since. Nothing is removed
 * from the log.
 */
#ifndef KITH_NODE_OP_UNDO_H
#define KITH_NODE_OP_UNDO_H

#include "node/ops.h"

/* Around an act on contacts: what it appends between the two can be taken back as one. */
uint64_t op_undo_begin(const struct op_call *call);
/* verb and name say what it was: "add", "Joon Kim". Nothing is noted when nothing was appended. */
MUST_USE enum err op_undo_end(struct op_call *call, uint64_t mark, const char *verb,
                              const char *name);
/* The same for a step of an act that is written in several: act is 0 before the first, and what the
 * next one is to be told. */
MUST_USE enum err op_undo_end_step(struct op_call *call, uint64_t mark, const char *verb,
                                   uint64_t *act);
enum err op_undo(struct op_call *call);

#endif
