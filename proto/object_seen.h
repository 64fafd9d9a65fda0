/* What object.c and object_seen.c share; only they include it. */
#ifndef KITH_PROTO_OBJECT_SEEN_H
#define KITH_PROTO_OBJECT_SEEN_H

#include "proto/object.h"

/* Object.c. Room for one more element in an array that grows by doubling; the new element is
 * zeroed. NULL without memory. */
void *object_more(void **array, size_t *count, size_t size);

#define OBJECT_MORE(array, count) object_more((void **)&(array), &(count), sizeof *(array))

/* An edit with writes other than deletes was merged. */
MUST_USE enum err object_see_write(struct object *object, const struct origin *origin);
MUST_USE enum err object_see_delete(struct object *object, const struct write *write,
                                    const struct object_context *context);

#endif
