/*
 * kith doctor: what there is to say of a home. Reading the store may end the process when the disk
 * is damaged, so the command calls it in a child. Rebuilding drops the views; they are made again
 * from the entries.
 */
#ifndef KITH_NODE_OP_DOCTOR_H
#define KITH_NODE_OP_DOCTOR_H

#include "node/ops.h"

MUST_USE enum err op_doctor(struct op_call *call);
MUST_USE enum err op_doctor_rebuild(struct op_call *call);

#endif
