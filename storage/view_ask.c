/* Reading: rows, routes, grants, and what they lead to. How they come to be is view_ask_hear.c. */
#include "storage/view_ask.h"

#include <string.h>

#include "crypto/secret.h"
#include "storage/ledger_state.h"
#include "storage/row.h"

enum {
    ASK_ROW = 1 + 1 + 5 * 8,
    ASK_ROUTE_ROW = 8 + 1 + 1 + 32 + 8,
    ASK_GRANT_ROW = ID_SIZE + 32 + 1 + 32 + 32
};

/* Rows. */

static enum err ask_row_read(struct span key, struct span value, struct ask_row *out)
{
    if (key.size != ID_SIZE || value.size != ASK_ROW || value.data[0] == 0 ||
        value.data[0] > ASK_STATE_UNHEARD || value.data[1] > ASK_CHANGED)
        return ERR_CORRUPT;
    *out = (struct ask_row){.state = (enum ask_state)value.data[0], .closed = value.data[1]};
    memcpy(out->id.bytes, key.data, ID_SIZE);
    out->expires_ms = be64(value.data + 2);
    out->heard = (struct moment){be64(value.data + 10), be64(value.data + 18)};
    out->shown_ms = be64(value.data + 26);
    out->closed_ms = be64(value.data + 34);
    return ERR_OK;
}

enum err view_ask(const struct snapshot *snapshot, const struct id *id, struct ask_row *out)
{
    struct span value;
    struct key key;
    enum err err;

    key_of_bytes(span_of(id->bytes, ID_SIZE), &key);
    err = ledger_get_sealed(snapshot, TABLE_ASK, &key, &value);
    return err == ERR_OK ? ask_row_read(key_span(&key), value, out) : err;
}

enum err view_ask_put(struct ledger_txn *txn, const struct ask_row *row)
{
    uint8_t value[ASK_ROW] = {(uint8_t)row->state, row->closed};
    struct key key;

    be64_put(value + 2, row->expires_ms);
    be64_put(value + 10, row->heard.running_ms);
    be64_put(value + 18, row->heard.wall_ms);
    be64_put(value + 26, row->shown_ms);
    be64_put(value + 34, row->closed_ms);
    key_of_bytes(span_of(row->id.bytes, ID_SIZE), &key);
    return ledger_put_sealed(txn, TABLE_ASK, &key, span_of(value, sizeof value));
}

/* PROTOCOL ASK-11: "For its reader an ask is over when the wall clock says so, or when ASK_DAYS_MAX
 * days of running time have passed since it was first heard of." */
enum err view_ask_is_over(const struct snapshot *snapshot, const struct ask_row *row,
                          uint64_t now_ms, bool *out)
{
    uint64_t now_running_ms;
    enum err err = running_ms(snapshot, &now_running_ms);

    *out = now_ms >= row->expires_ms ||
           now_running_ms >= row->heard.running_ms + ASK_DAYS_MAX * MS_PER_DAY;
    return err;
}

struct ask_row_walk {
    view_ask_fn each;
    void *self;
};

static enum err ask_on_row(void *self, struct span key, struct span value)
{
    struct ask_row_walk *walk = self;
    struct ask_row row;
    enum err err = ask_row_read(key, value, &row);

    return err == ERR_OK ? walk->each(walk->self, &row) : err;
}

enum err view_ask_each(const struct snapshot *snapshot, view_ask_fn each, void *self)
{
    struct ask_row_walk walk = {.each = each, .self = self};

    return ledger_each_sealed(snapshot, TABLE_ASK, span_of(NULL, 0), ask_on_row, &walk);
}

/* Routes. */

void view_ask_route_name(const struct ask_route *route, struct key *out)
{
    key_of_bytes(span_of(route->ask.bytes, ID_SIZE), out);
    key_add_bytes(out, span_of(route->from.bytes, 32));
    key_add_bytes(out, span_of(route->hash, sizeof route->hash));
}

static enum err ask_route_read(struct span key, struct span value, struct ask_route *out)
{
    if (key.size != VIEW_ASK_ROUTE_NAME || value.size != ASK_ROUTE_ROW ||
        value.data[8] > ASK_HOPS_MAX || value.data[9] > ASK_FAULT_LAST)
        return ERR_CORRUPT;
    *out = (struct ask_route){.arrival = be64(value.data),
                              .depth = value.data[8],
                              .fault = (enum ask_fault)value.data[9],
                              .at_ms = be64(value.data + 42)};
    memcpy(out->ask.bytes, key.data, ID_SIZE);
    memcpy(out->from.bytes, key.data + ID_SIZE, 32);
    memcpy(out->hash, key.data + ID_SIZE + 32, sizeof out->hash);
    memcpy(out->grant.bytes, value.data + 10, 32);
    return ERR_OK;
}

enum err view_ask_route_put(struct ledger_txn *txn, const struct ask_route *route)
{
    uint8_t value[ASK_ROUTE_ROW];
    struct key key;

    be64_put(value, route->arrival);
    value[8] = route->depth;
    value[9] = (uint8_t)route->fault;
    memcpy(value + 10, route->grant.bytes, 32);
    be64_put(value + 42, route->at_ms);
    view_ask_route_name(route, &key);
    return ledger_put_sealed(txn, TABLE_ASK_ROUTE, &key, span_of(value, sizeof value));
}

enum err view_ask_route_named(const struct snapshot *snapshot, struct span name,
                              struct ask_route *out)
{
    struct span value;
    struct key key;
    enum err err;

    key_of_bytes(name, &key);
    err = ledger_get_sealed(snapshot, TABLE_ASK_ROUTE, &key, &value);
    return err == ERR_OK ? ask_route_read(name, value, out) : err;
}

struct ask_route_walk {
    view_ask_route_fn each;
    void *self;
};

static enum err ask_on_any_route(void *self, struct span key, struct span value)
{
    struct ask_route_walk *walk = self;
    struct ask_route route;
    enum err err = ask_route_read(key, value, &route);

    return err == ERR_OK ? walk->each(walk->self, &route) : err;
}

enum err view_ask_routes_all(const struct snapshot *snapshot, const struct id *id,
                             view_ask_route_fn each, void *self)
{
    struct ask_route_walk walk = {.each = each, .self = self};
    struct key prefix;

    key_of_bytes(span_of(id->bytes, ID_SIZE), &prefix);
    return ledger_each_sealed(snapshot, TABLE_ASK_ROUTE, key_span(&prefix), ask_on_any_route,
                              &walk);
}

struct ask_routes {
    struct ask_route routes[ASK_ROUTES_MAX];
    size_t count;
};

static bool ask_route_is_better(const struct ask_route *left, const struct ask_route *right)
{
    if (left->depth != right->depth)
        return left->depth < right->depth;
    if (left->at_ms != right->at_ms)
        return left->at_ms < right->at_ms;
    return memcmp(left->hash, right->hash, sizeof left->hash) < 0;
}

/* PROTOCOL ASK-8: "the way back is the nearest to the author, of those the earliest" */
static enum err ask_on_route(void *self, const struct ask_route *route)
{
    struct ask_routes *sorted = self;
    size_t at;

    if (route->fault != ASK_FINE || route->depth == 0 || sorted->count == ASK_ROUTES_MAX)
        return ERR_OK;
    for (at = sorted->count; at > 0 && ask_route_is_better(route, &sorted->routes[at - 1]); at--)
        sorted->routes[at] = sorted->routes[at - 1];
    sorted->routes[at] = *route;
    sorted->count++;
    return ERR_OK;
}

static bool ask_routes_has(const struct ask_routes *routes, size_t before,
                           const struct public_key *from)
{
    for (size_t at = 0; at < before; at++)
        if (public_key_is_equal(&routes->routes[at].from, from))
            return true;
    return false;
}

enum err view_ask_routes(const struct snapshot *snapshot, const struct id *id,
                         view_ask_route_fn each, void *self)
{
    struct ask_routes sorted = {.count = 0};
    enum err err = view_ask_routes_all(snapshot, id, ask_on_route, &sorted);

    for (size_t at = 0; at < sorted.count && err == ERR_OK; at++)
        if (!ask_routes_has(&sorted, at, &sorted.routes[at].from))
            err = each(self, &sorted.routes[at]);
    return err;
}

enum err view_ask_route(const struct snapshot *snapshot, const struct id *id, struct ask_route *out)
{
    struct ask_routes sorted = {.count = 0};
    enum err err = view_ask_routes_all(snapshot, id, ask_on_route, &sorted);

    if (err == ERR_OK && sorted.count == 0)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        *out = sorted.routes[0];
    return err;
}

/* What they lead to. */

void view_ask_wipe(struct buf *plain)
{
    if (plain->data != NULL)
        secret_wipe(plain->data, plain->capacity);
    buf_release(plain);
}

enum err view_ask_said(const struct snapshot *snapshot, const struct ask_route *route,
                       struct buf *plain, struct span *out)
{
    uint8_t kind = route->depth > 0 ? KIND_PASS : KIND_CLOSE;
    struct edit_space edit = {0};
    struct entry_row entry;
    enum err err = ledger_entry(snapshot, route->arrival, &entry);

    if (err == ERR_OK && entry.entry.payload.size == 0)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = ledger_open_entry(snapshot, &entry, plain);
    if (err == ERR_OK)
        err = edit_read(&edit, buf_span(plain));
    if (err == ERR_KEY_MISSING)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK && (edit.edit.kind != kind || edit.edit.writes_count != 1))
        err = ERR_CORRUPT;
    if (err == ERR_OK)
        *out = edit.edit.writes[0].value.bytes;
    edit_release(&edit);
    return err;
}

enum err view_ask_pass(const struct snapshot *snapshot, const struct ask_route *route,
                       struct buf *plain, struct ask_pass *out)
{
    struct span bytes;
    enum err err = view_ask_said(snapshot, route, plain, &bytes);

    return err == ERR_OK ? ask_pass_read(bytes, out) : err;
}

enum err view_ask_own(const struct snapshot *snapshot, const struct id *id, struct buf *plain,
                      struct ask_pass *out)
{
    struct span body, author, secret;
    struct object own = {0};
    uint32_t number;
    enum err err =
        row_get(snapshot, ledger_self_space(snapshot->ledger), KIND_ASK, id, &own, &number);

    *out = (struct ask_pass){.depth = 0};
    body = object_value(&own, ASK_BODY).bytes;
    author = object_value(&own, ASK_AUTHOR_PART).bytes;
    secret = object_value(&own, ASK_SECRET).bytes;
    if (err == ERR_OK && (body.size == 0 || secret.size != SEED_SIZE))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK) {
        buf_reserve(plain, body.size + author.size + secret.size);
        buf_append(plain, body);
        buf_append(plain, author);
        buf_append(plain, secret);
        err = buf_err(plain);
    }
    if (err == ERR_OK) {
        out->body = span_of(plain->data, body.size);
        out->author = span_of(plain->data + body.size, author.size);
        out->secret = span_of(plain->data + body.size + author.size, SEED_SIZE);
        err = ask_read(out->body, &out->ask);
    }
    if (err == ERR_OK) {
        ask_hash(&out->ask.key, out->body, &out->hash);
        ask_id(&out->hash, &out->id);
    }
    object_release(&own);
    return err;
}

enum err view_ask_reply_secret(const struct snapshot *snapshot, const struct id *id,
                               uint8_t out[static SEED_SIZE])
{
    struct object own = {0};
    struct span secret;
    uint32_t number;
    enum err err =
        row_get(snapshot, ledger_self_space(snapshot->ledger), KIND_ASK, id, &own, &number);

    secret = object_value(&own, ASK_REPLY_SECRET).bytes;
    if (err == ERR_OK && secret.size != SEED_SIZE)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        memcpy(out, secret.data, SEED_SIZE);
    object_release(&own);
    return err;
}

/* Grants. */

static void ask_grant_key(const struct public_key *grant, struct key *out)
{
    key_of_byte('g', out);
    key_add_bytes(out, span_of(grant->bytes, 32));
}

enum err view_ask_grant_put(struct ledger_txn *txn, const struct ask_grant *grant)
{
    uint8_t value[ASK_GRANT_ROW];
    struct key key;
    enum err err;

    memcpy(value, grant->ask.bytes, ID_SIZE);
    memcpy(value + ID_SIZE, grant->to.bytes, 32);
    value[ID_SIZE + 32] = grant->is_mine ? 1 : 0;
    memcpy(value + ID_SIZE + 33, grant->via.bytes, 32);
    memcpy(value + ID_SIZE + 65, grant->from.bytes, 32);
    ask_grant_key(&grant->grant, &key);
    err = ledger_put(txn, TABLE_ASK_GRANT, &key, span_of(value, sizeof value));
    if (err != ERR_OK)
        return err;
    key_of_byte('a', &key);
    key_add_bytes(&key, span_of(grant->ask.bytes, ID_SIZE));
    key_add_bytes(&key, span_of(grant->grant.bytes, 32));
    return ledger_put(txn, TABLE_ASK_GRANT, &key, span_of(NULL, 0));
}

enum err view_ask_grant(const struct snapshot *snapshot, const struct public_key *grant,
                        struct ask_grant *out)
{
    struct span value;
    struct key key;
    enum err err;

    ask_grant_key(grant, &key);
    err = ledger_get(snapshot, TABLE_ASK_GRANT, &key, &value);
    if (err == ERR_OK && value.size != ASK_GRANT_ROW)
        err = ERR_CORRUPT;
    if (err != ERR_OK)
        return err;
    *out = (struct ask_grant){.grant = *grant, .is_mine = value.data[ID_SIZE + 32] != 0};
    memcpy(out->ask.bytes, value.data, ID_SIZE);
    memcpy(out->to.bytes, value.data + ID_SIZE, 32);
    memcpy(out->via.bytes, value.data + ID_SIZE + 33, 32);
    memcpy(out->from.bytes, value.data + ID_SIZE + 65, 32);
    return ERR_OK;
}

struct ask_grant_walk {
    const struct snapshot *snapshot;
    view_ask_grant_fn each;
    void *self;
};

static enum err ask_on_grant(void *self, struct span key, struct span value)
{
    struct ask_grant_walk *walk = self;
    struct public_key named;
    struct ask_grant grant;
    enum err err;

    (void)value;
    if (key.size != 1 + ID_SIZE + 32)
        return ERR_CORRUPT;
    memcpy(named.bytes, key.data + 1 + ID_SIZE, 32);
    err = view_ask_grant(walk->snapshot, &named, &grant);
    return err == ERR_OK ? walk->each(walk->self, &grant) : err;
}

enum err view_ask_grants(const struct snapshot *snapshot, const struct id *id,
                         view_ask_grant_fn each, void *self)
{
    struct ask_grant_walk walk = {.snapshot = snapshot, .each = each, .self = self};
    struct key prefix;

    key_of_byte('a', &prefix);
    key_add_bytes(&prefix, span_of(id->bytes, ID_SIZE));
    return ledger_each(snapshot, TABLE_ASK_GRANT, key_span(&prefix), ask_on_grant, &walk);
}
