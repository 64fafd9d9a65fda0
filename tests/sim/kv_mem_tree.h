/*
 * The tree under kv_mem: a treap whose nodes are counted and shared between versions. A node that
 * only one version holds is changed in place, any other is copied first, so a version costs nothing
 * to keep and a write transaction nothing extra for what it made itself. Keys are ordered by
 * (table, bytes).
 */
#ifndef KITH_TESTS_SIM_KV_MEM_TREE_H
#define KITH_TESTS_SIM_KV_MEM_TREE_H

#include <stdbool.h>

#include "crypto/span.h"

struct kv_mem_node; /* NULL is the empty tree */

struct kv_mem_key {
    unsigned table;
    struct span bytes;
};

struct kv_mem_pair {
    unsigned table;
    struct span key;
    struct span value;
};

/* Which neighbour of a key is asked for. */
enum kv_mem_side { KV_MEM_EQUAL, KV_MEM_NOT_LESS, KV_MEM_GREATER, KV_MEM_LESS };

/* One more holder; returns the same. */
struct kv_mem_node *kv_mem_tree_share(struct kv_mem_node *root);
void kv_mem_tree_release(struct kv_mem_node *root);
/* The spans live as long as a holder of this version. */
bool kv_mem_tree_find(const struct kv_mem_node *root, struct kv_mem_key key, enum kv_mem_side side,
                      struct kv_mem_pair *out);
/* ERR_NOMEM leaves a tree that can only be released. */
MUST_USE enum err kv_mem_tree_put(struct kv_mem_node **root, struct kv_mem_key key,
                                  struct span value);
/* ERR_NOT_FOUND; ERR_NOMEM leaves a tree that can only be released. */
MUST_USE enum err kv_mem_tree_erase(struct kv_mem_node **root, struct kv_mem_key key);
/* How many keys of a table; logarithmic. */
uint64_t kv_mem_tree_count(const struct kv_mem_node *root, unsigned table);
/* Bytes of keys and values, by a walk. */
uint64_t kv_mem_tree_bytes(const struct kv_mem_node *root);

#endif
