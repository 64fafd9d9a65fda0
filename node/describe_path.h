/* A warm way as a sentence, with who is on it, why, and the next line to type. */
#ifndef KITH_NODE_DESCRIBE_PATH_H
#define KITH_NODE_DESCRIBE_PATH_H

#include "node/warm.h"

struct describe_path {
    bool is_direct; /* the owner knows them */
    bool has_contact, has_member, is_in_graph;
    uint32_t number; /* of a contact's object */
    struct public_key member;
    uint32_t to, through[WARM_BETWEEN_MAX], count; /* as in struct warm_way */
    uint32_t least;
    enum closeness level; /* is_direct */
    uint64_t touched_ms;  /* when the owner was last in touch with the first person; 0: never */
};

/* {"to", "through", "sentence", "next"}: new reference, or NULL. */
json_t *describe_path(struct vouch_view *view, const struct describe_path *path);
/* Says into an answer that there is none, and what to ask instead. */
void describe_path_none(struct op_call *call, struct span words, json_t *out);

#endif
