/* What people and programs see of things, as JSON with the keys that INTERFACE promises. Every
 * function gives a new reference, or NULL when memory ran out. */
#ifndef KITH_NODE_DESCRIBE_H
#define KITH_NODE_DESCRIBE_H

#include "node/ops.h"
#include "storage/view_peer.h"

/* RFC 3339 in UTC, e.g. "2026-03-01T08:30:00Z". */
enum { DESCRIBE_TIME_SIZE = 32, DESCRIBE_UUID_SIZE = 37 };
void describe_time(uint64_t ms, char out[static DESCRIBE_TIME_SIZE]);
/* Sets key to a time, unless it is 0. */
void describe_set_time(json_t *object, const char *key, uint64_t ms);
/* Sets key to a text, unless it is empty. */
void describe_set_text(json_t *object, const char *key, struct span text);
/* Sets "name", unless there is nothing to see in it: whoever shows it finds none then, and has
 * other words for that. */
void describe_set_name(json_t *object, struct span name);
/* Copies as many whole letters as fit, and an end. */
void describe_cut(char *out, size_t size, struct span text);
/* The text of an id that is a UUID: DESCRIBE_UUID_SIZE bytes with the end. */
void describe_uuid(const struct id *id, char out[static DESCRIBE_UUID_SIZE]);
void describe_set_did(json_t *object, const char *key, const struct public_key *member);
void describe_set_id(json_t *object, const char *key, const struct id *id);

/* A contact with the linked peer's card beside it: mine where set, else theirs; sets united. */
json_t *describe_contact(const struct op_call *call, const struct object *contact);
/* The same for the contact with this number, or for the one it is shown as. */
json_t *describe_contact_numbered(const struct op_call *call, uint32_t number);
/* A card: of a peer, or my own with my card space. One that was never written is an empty object;
 * NULL when the store cannot be read. */
json_t *describe_card(const struct op_call *call, const struct id *card_space,
                      const struct public_key *member);
json_t *describe_peer(const struct op_call *call, const struct peer *peer, bool with_card);
/* The running node's view of a peer, or NULL. */
const struct op_presence *describe_presence(const struct op_call *call,
                                            const struct public_key *member);

#endif
