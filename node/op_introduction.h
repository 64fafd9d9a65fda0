/* Introductions: looking, and answering. */
#ifndef KITH_NODE_OP_INTRODUCTION_H
#define KITH_NODE_OP_INTRODUCTION_H

#include "node/ops.h"
#include "storage/view_introduction.h"

enum err op_introduction_list(struct op_call *call);     /* intro.list */
enum err op_introduction_show(struct op_call *call);     /* intro.show */
enum err op_introduction_accept(struct op_call *call);   /* intro.accept */
enum err op_introduction_decline(struct op_call *call);  /* intro.decline */
enum err op_introduction_withdraw(struct op_call *call); /* intro.withdraw */
enum err op_introduction_known(struct op_call *call);    /* intro.known */
enum err op_introduction_thanks(struct op_call *call);   /* intro.thanks */
enum err op_introduction_mute(struct op_call *call);     /* intro.mute */
/* Does it wait for the owner to answer? */
bool op_introduction_waits(const struct introduction_row *row, uint64_t now_ms);
/* Its part of status: offers that wait for the owner, and what is under way. */
MUST_USE enum err op_introduction_status(struct op_call *call);

#endif
