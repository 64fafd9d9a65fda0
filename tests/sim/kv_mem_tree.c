/*
 * A persistent treap. The priority of a node is a hash of its key, so one set of keys has one
 * shape. Depth is logarithmic for keys nobody chose against the hash, which is enough for a test
 * double; recursion follows it.
 */
#include "tests/sim/kv_mem_tree.h"

#include <stdatomic.h>
#include <string.h>

#include "crypto/heap.h"

/* A key and its value, shared by the copies of a node. */
struct kv_mem_item {
    atomic_uint holders;
    unsigned table;
    uint64_t priority;
    size_t key_size;
    size_t value_size;
    uint8_t bytes[]; /* key, then value */
};

struct kv_mem_node {
    atomic_uint holders;
    uint64_t count; /* nodes from here down */
    struct kv_mem_item *item;
    struct kv_mem_node *left;
    struct kv_mem_node *right;
};

static struct kv_mem_item *kv_mem_item_new(struct kv_mem_key key, struct span value)
{
    struct kv_mem_item *item = heap_new(sizeof *item + key.bytes.size + value.size);
    uint64_t hash = 0xcbf29ce484222325 ^ key.table; /* FNV-1a, then the finisher of splitmix64. */

    if (item == NULL)
        return NULL;
    for (size_t index = 0; index < key.bytes.size; index++)
        hash = (hash ^ key.bytes.data[index]) * 0x100000001b3;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
    atomic_init(&item->holders, 1);
    item->table = key.table;
    item->priority = hash ^ (hash >> 31);
    item->key_size = key.bytes.size;
    item->value_size = value.size;
    memcpy(item->bytes, key.bytes.data, key.bytes.size);
    if (value.size > 0)
        memcpy(item->bytes + key.bytes.size, value.data, value.size);
    return item;
}

static struct kv_mem_item *kv_mem_item_share(struct kv_mem_item *item)
{
    (void)atomic_fetch_add(&item->holders, 1);
    return item;
}

static void kv_mem_item_release(struct kv_mem_item *item)
{
    if (atomic_fetch_sub(&item->holders, 1) == 1)
        heap_free(item);
}

static int kv_mem_item_order(struct kv_mem_key key, const struct kv_mem_item *item)
{
    if (key.table != item->table)
        return key.table < item->table ? -1 : 1;
    return span_order(key.bytes, span_of(item->bytes, item->key_size));
}

struct kv_mem_node *kv_mem_tree_share(struct kv_mem_node *root)
{
    if (root != NULL)
        (void)atomic_fetch_add(&root->holders, 1);
    return root;
}

void kv_mem_tree_release(struct kv_mem_node *root)
{
    if (root == NULL || atomic_fetch_sub(&root->holders, 1) > 1)
        return;
    kv_mem_tree_release(root->left);
    kv_mem_tree_release(root->right);
    kv_mem_item_release(root->item);
    heap_free(root);
}

bool kv_mem_tree_find(const struct kv_mem_node *root, struct kv_mem_key key, enum kv_mem_side side,
                      struct kv_mem_pair *out)
{
    const struct kv_mem_item *best = NULL;

    while (root != NULL) {
        int order = kv_mem_item_order(key, root->item);

        if (order == 0 && side <= KV_MEM_NOT_LESS) {
            best = root->item;
            break;
        }
        if (order > 0 && side == KV_MEM_LESS)
            best = root->item;
        if (order < 0 && (side == KV_MEM_NOT_LESS || side == KV_MEM_GREATER))
            best = root->item;
        if (order < 0 || (order == 0 && side == KV_MEM_LESS))
            root = root->left;
        else
            root = root->right;
    }
    if (best == NULL)
        return false;
    *out = (struct kv_mem_pair){.table = best->table,
                                .key = span_of(best->bytes, best->key_size),
                                .value = span_of(best->bytes + best->key_size, best->value_size)};
    return true;
}

/* Makes the node in this place one that only this version holds. */
static enum err kv_mem_tree_own(struct kv_mem_node **place)
{
    struct kv_mem_node *node = *place, *copy;

    if (atomic_load(&node->holders) == 1)
        return ERR_OK;
    copy = heap_new(sizeof *copy);
    if (copy == NULL)
        return ERR_NOMEM;
    atomic_init(&copy->holders, 1);
    copy->count = node->count;
    copy->item = kv_mem_item_share(node->item);
    copy->left = kv_mem_tree_share(node->left);
    copy->right = kv_mem_tree_share(node->right);
    *place = copy;
    kv_mem_tree_release(node);
    return ERR_OK;
}

static uint64_t kv_mem_node_count(const struct kv_mem_node *node)
{
    return node != NULL ? node->count : 0;
}

static void kv_mem_node_recount(struct kv_mem_node *node)
{
    node->count = 1 + kv_mem_node_count(node->left) + kv_mem_node_count(node->right);
}

/* The child on that side, owned like its parent, takes the parent's place. */
static void kv_mem_tree_rotate(struct kv_mem_node **place, bool from_left)
{
    struct kv_mem_node *node = *place;
    struct kv_mem_node *child = from_left ? node->left : node->right;

    if (from_left) {
        node->left = child->right;
        child->right = node;
    } else {
        node->right = child->left;
        child->left = node;
    }
    kv_mem_node_recount(node);
    kv_mem_node_recount(child);
    *place = child;
}

static enum err kv_mem_tree_leaf(struct kv_mem_node **place, struct kv_mem_item *item)
{
    struct kv_mem_node *node = heap_new(sizeof *node);

    if (node == NULL)
        return ERR_NOMEM;
    atomic_init(&node->holders, 1);
    node->count = 1;
    node->item = item;
    node->left = node->right = NULL;
    *place = node;
    return ERR_OK;
}

/* Takes the item when it succeeds. */
static enum err kv_mem_tree_insert(struct kv_mem_node **place, struct kv_mem_key key,
                                   struct kv_mem_item *item)
{
    struct kv_mem_node **child;
    enum err err;
    int order;

    if (*place == NULL)
        return kv_mem_tree_leaf(place, item);
    err = kv_mem_tree_own(place);
    if (err != ERR_OK)
        return err;
    order = kv_mem_item_order(key, (*place)->item);
    if (order == 0) {
        kv_mem_item_release((*place)->item);
        (*place)->item = item;
        return ERR_OK;
    }
    child = order < 0 ? &(*place)->left : &(*place)->right;
    err = kv_mem_tree_insert(child, key, item);
    if (err == ERR_OK)
        kv_mem_node_recount(*place);
    if (err == ERR_OK && (*child)->item->priority > (*place)->item->priority)
        kv_mem_tree_rotate(place, order < 0);
    return err;
}

enum err kv_mem_tree_put(struct kv_mem_node **root, struct kv_mem_key key, struct span value)
{
    struct kv_mem_item *item = kv_mem_item_new(key, value);
    enum err err;

    if (item == NULL)
        return ERR_NOMEM;
    err = kv_mem_tree_insert(root, key, item);
    if (err != ERR_OK)
        kv_mem_item_release(item);
    return err;
}

/* Turns an owned node down until one child at most is left, then lets that child take its place. */
static enum err kv_mem_tree_sink(struct kv_mem_node **place)
{
    struct kv_mem_node *node = *place;

    while (node->left != NULL && node->right != NULL) {
        bool from_left = node->left->item->priority > node->right->item->priority;
        enum err err = kv_mem_tree_own(from_left ? &node->left : &node->right);

        if (err != ERR_OK)
            return err;
        kv_mem_tree_rotate(place, from_left);
        (*place)->count--; /* The node below it is on its way out. */
        place = from_left ? &(*place)->right : &(*place)->left;
    }
    *place = node->left != NULL ? node->left : node->right;
    node->left = node->right = NULL;
    kv_mem_tree_release(node);
    return ERR_OK;
}

enum err kv_mem_tree_erase(struct kv_mem_node **root, struct kv_mem_key key)
{
    struct kv_mem_node **place = root;
    struct kv_mem_pair pair;

    if (!kv_mem_tree_find(*root, key, KV_MEM_EQUAL, &pair))
        return ERR_NOT_FOUND;
    for (;;) {
        enum err err = kv_mem_tree_own(place);
        int order;

        if (err != ERR_OK)
            return err;
        order = kv_mem_item_order(key, (*place)->item);
        if (order == 0)
            return kv_mem_tree_sink(place);
        (*place)->count--;
        place = order < 0 ? &(*place)->left : &(*place)->right;
    }
}

/* Keys of all tables below this one. */
static uint64_t kv_mem_tree_rank(const struct kv_mem_node *root, unsigned table)
{
    uint64_t count = 0;

    while (root != NULL) {
        bool is_below = root->item->table < table;

        if (is_below)
            count += 1 + kv_mem_node_count(root->left);
        root = is_below ? root->right : root->left;
    }
    return count;
}

uint64_t kv_mem_tree_count(const struct kv_mem_node *root, unsigned table)
{
    return kv_mem_tree_rank(root, table + 1) - kv_mem_tree_rank(root, table);
}

uint64_t kv_mem_tree_bytes(const struct kv_mem_node *root)
{
    if (root == NULL)
        return 0;
    return root->item->key_size + root->item->value_size + kv_mem_tree_bytes(root->left) +
           kv_mem_tree_bytes(root->right);
}
