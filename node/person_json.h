/* People as JSON, with the keys INTERFACE gives a contact, and "uid", "photo" and "extra" (what has
 * no field) beside them: {"contacts":[{...},...]}. */
#ifndef KITH_NODE_PERSON_JSON_H
#define KITH_NODE_PERSON_JSON_H

#include <jansson.h>

#include "node/person.h"
#include "proto/limits.h"

/* New reference; NULL without memory. */
json_t *person_to_json(const struct person *person);
/* Every contact of a file, each parsed alone so that the memory is that of one. Keys that are not
 * known are passed over. ERR_MALFORMED: it is no list of contacts; ERR_NOMEM; what reader->person
 * returned. */
MUST_USE enum err person_read_json(struct span file, const struct person_reader *reader);

#endif
