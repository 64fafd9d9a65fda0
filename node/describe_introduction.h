/* An introduction as people and programs see it. What is held or suppressed is not described. */
#ifndef KITH_NODE_DESCRIBE_INTRODUCTION_H
#define KITH_NODE_DESCRIBE_INTRODUCTION_H

#include "node/describe.h"
#include "storage/view_introduction.h"

/* New reference; NULL for what nobody is to see, and without memory. */
json_t *describe_introduction(const struct op_call *call, const struct introduction_row *row);
/* The state's word. */
const char *describe_introduction_state(const struct introduction_row *row, uint64_t now_ms);
/* A want: whom somebody asks to meet. */
json_t *describe_introduction_want(const struct op_call *call,
                                   const struct introduction_fact *fact);

#endif
