/* Names are found before anything is written. */
#include "node/op_ask_to.h"

#include <string.h>

#include "crypto/secret.h"
#include "node/introduction.h"
#include "node/op_circle.h"

void op_ask_to_begin(struct op_call *call, struct op_ask_to *out)
{
    *out = (struct op_ask_to){.call = call, .left_out = json_array()};
}

void op_ask_to_release(struct op_ask_to *to)
{
    buf_release(&to->members);
    buf_release(&to->named);
    json_decref(to->left_out);
}

size_t op_ask_to_count(const struct op_ask_to *to)
{
    return to->members.size / 32;
}

struct public_key op_ask_to_at(const struct op_ask_to *to, size_t index)
{
    struct public_key member;

    memcpy(member.bytes, to->members.data + 32 * index, 32);
    return member;
}

bool op_ask_to_has(const struct buf *members, const struct public_key *member)
{
    for (size_t at = 0; at < members->size; at += 32)
        if (memcmp(members->data + at, member->bytes, 32) == 0)
            return true;
    return false;
}

static void op_ask_to_note(struct op_ask_to *to, const char *name, const char *why)
{
    (void)json_array_append_new(to->left_out, json_pack("{s:s, s:s}", "name", name, "why", why));
}

static enum err op_ask_to_add(struct op_ask_to *to, const struct public_key *member)
{
    if (!op_ask_to_has(&to->members, member))
        buf_append(&to->members, span_of(member->bytes, 32));
    return buf_err(&to->members);
}

static bool op_ask_to_is_peer(const struct op_ask_to *to, const struct name_match *who)
{
    struct peer *peer = who->has_member ? secret_new(sizeof *peer) : NULL;
    bool is_peer = peer != NULL && view_peer(&to->call->snapshot, &who->member, peer) == ERR_OK &&
                   peer->state == LINK_LINKED && peer->has_pair_out;

    secret_free(peer);
    return is_peer;
}

enum err op_ask_to_named(struct op_ask_to *to, json_t *names)
{
    struct op_call *call = to->call;
    enum err err = ERR_OK;
    json_t *name;
    size_t at;

    json_array_foreach(names, at, name)
    {
        struct name_match who;

        err = name_find_peer(call, json_string_value(name), &who);
        if (err == ERR_OK && !op_ask_to_is_peer(to, &who))
            err = op_fail(call, OP_NOT_FOUND, "kith peer list", "%s is not a peer of yours",
                          who.shown);
        if (err == ERR_OK)
            err = op_ask_to_add(to, &who.member);
        if (err == ERR_OK)
            buf_append(&to->named, span_of(who.member.bytes, 32));
        if (err != ERR_OK)
            return err;
    }
    return buf_err(&to->named);
}

static enum err op_ask_to_on_member(void *self, const struct name_match *who)
{
    struct op_ask_to *to = self;

    if (op_ask_to_is_peer(to, who))
        return op_ask_to_add(to, &who->member);
    op_ask_to_note(to, who->shown, "no peer of yours");
    return ERR_OK;
}

enum err op_ask_to_circles(struct op_ask_to *to, json_t *circles)
{
    enum err err = ERR_OK;
    json_t *circle;
    size_t at;

    json_array_foreach(circles, at, circle)
    {
        err = op_circle_each(to->call, json_string_value(circle), op_ask_to_on_member, to);
        if (err != ERR_OK)
            break;
    }
    return err;
}

static enum err op_ask_to_on_peer(void *self, const struct peer *peer)
{
    return peer->state == LINK_LINKED && peer->has_pair_out ? op_ask_to_add(self, &peer->member)
                                                            : ERR_OK;
}

enum err op_ask_to_all(struct op_ask_to *to)
{
    return view_peer_each(&to->call->snapshot, op_ask_to_on_peer, to);
}

void op_ask_to_leave_out(struct op_ask_to *to, size_t index, const char *why)
{
    struct public_key member = op_ask_to_at(to, index);
    char name[INTRODUCTION_NAME_SIZE];
    size_t last = to->members.size - 32;

    introduction_name(&to->call->snapshot, &member, name);
    op_ask_to_note(to, name, why);
    memmove(to->members.data + 32 * index, to->members.data + 32 * (index + 1), last - 32 * index);
    to->members.size = last;
}

/* PROTOCOL ASK-6: "Nobody passes an ask on to a member whom one of its tags fits." */
void op_ask_to_keep_away(struct op_ask_to *to, const struct ask *ask)
{
    for (size_t at = op_ask_to_count(to); at-- > 0;) {
        struct public_key member = op_ask_to_at(to, at);

        if (ask_keeps_from(ask, &member))
            op_ask_to_leave_out(to, at, "the author may want it kept from them");
    }
}
