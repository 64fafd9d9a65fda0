/* A wish names the work; whether and what is written is the other's alone. */
#include "node/op_want.h"

#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "node/date.h"
#include "node/describe.h"
#include "node/describe_path.h"
#include "node/want.h"
#include "proto/scan.h"

static json_t *op_want_about(const struct object *object)
{
    const struct object_element *element;
    json_t *about = json_array();

    element = object_element_next(object, ENDORSEMENT_WANT_ABOUT, NULL);
    for (size_t at = 0; element != NULL && at < ENDORSEMENT_ABOUT_MAX;
         at++, element = object_element_next(object, ENDORSEMENT_WANT_ABOUT, element))
        (void)json_array_append_new(about, json_stringn((const char *)element->value.bytes.data,
                                                        element->value.bytes.size));
    return about;
}

/* The line to type: what they would like it to be about is theirs to say, and mine to leave. */
static void op_want_put_next(json_t *row, json_t *who, json_t *about)
{
    const char *skill = json_string_value(json_array_get(about, 0));
    struct buf next = {0};

    buf_append(&next, span_str("kith endorse "));
    describe_path_put_who(who, &next);
    buf_append(&next, span_str(" --about "));
    if (skill != NULL && describe_path_is_plain(span_str(skill))) {
        buf_append(&next, span_str("\""));
        buf_append(&next, span_str(skill));
        buf_append(&next, span_str("\""));
    } else {
        buf_append(&next, span_str("SKILL"));
    }
    buf_append(&next, span_str(" --relation worked-with --words \"...\""));
    describe_set_text(row, "next", buf_span(&next));
    buf_release(&next);
}

static json_t *op_want_describe(const struct peer *peer, const struct want *want, bool is_mine)
{
    json_t *row = json_object(), *who = json_object(), *about = op_want_about(&want->object);

    describe_set_did(who, "member", &peer->member);
    describe_set_name(who, span_str(peer->alias[0] != '\0' ? peer->alias : peer->name));
    (void)json_object_set(row, is_mine ? "to" : "from", who);
    describe_set_text(row, "words", object_text(&want->object, ENDORSEMENT_WANT_WORDS));
    if (json_array_size(about) > 0)
        (void)json_object_set(row, "about", about);
    describe_set_time(row, "asked", want->asked_ms);
    if (!is_mine)
        op_want_put_next(row, who, about);
    json_decref(who);
    json_decref(about);
    return row;
}

/* Listing. */

struct op_want_walk {
    struct op_call *call;
    json_t *theirs, *mine;
};

struct op_want_newest {
    const struct public_key *issuer;
    uint64_t issued_ms;
};

static enum err op_want_on_view(void *self, const struct endorsement_view *view)
{
    struct op_want_newest *newest = self;

    if (public_key_is_equal(&view->issuer, newest->issuer) &&
        view->issued_s * 1000 > newest->issued_ms)
        newest->issued_ms = view->issued_s * 1000;
    return ERR_OK;
}

/* Has it been done since? */
static enum err op_want_is_done(struct op_call *call, const struct public_key *issuer,
                                const struct public_key *subject, uint64_t asked_ms, bool *out)
{
    struct op_want_newest newest = {.issuer = issuer};
    enum err err =
        view_endorsement_of(&call->snapshot, call->now_ms, subject, op_want_on_view, &newest);

    *out = newest.issued_ms / 1000 >= asked_ms / 1000;
    return err;
}

/* A wish that is still one; ERR_NOT_FOUND. */
static enum err op_want_open(struct op_call *call, const struct peer *peer, bool is_mine,
                             struct want *out)
{
    const struct public_key *me = ledger_member(call->snapshot.ledger);
    bool is_done = false;
    enum err err = want_get(&call->snapshot, peer, is_mine, call->now_ms, out);

    if (err != ERR_OK)
        return err;
    err = op_want_is_done(call, is_mine ? &peer->member : me, is_mine ? me : &peer->member,
                          out->asked_ms, &is_done);
    if (err == ERR_OK && is_done)
        err = ERR_NOT_FOUND;
    if (err != ERR_OK)
        object_release(&out->object);
    return err;
}

static enum err op_want_add(struct op_want_walk *walk, const struct peer *peer, bool is_mine)
{
    struct want want;
    enum err err = op_want_open(walk->call, peer, is_mine, &want);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (json_array_append_new(is_mine ? walk->mine : walk->theirs,
                              op_want_describe(peer, &want, is_mine)) != 0)
        err = ERR_NOMEM;
    object_release(&want.object);
    return err;
}

static enum err op_want_on_peer(void *self, const struct peer *peer)
{
    enum err err = ERR_OK;

    if (peer->state != LINK_LINKED)
        return ERR_OK;
    err = op_want_add(self, peer, false);
    return err == ERR_OK ? op_want_add(self, peer, true) : err;
}

struct op_want_each {
    struct op_call *call;
    op_want_fn each;
    void *self;
};

static enum err op_want_on_theirs(void *self, const struct peer *peer)
{
    struct op_want_each *walk = self;
    struct want want;
    enum err err = ERR_NOT_FOUND;

    if (peer->state == LINK_LINKED)
        err = op_want_open(walk->call, peer, false, &want);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    err = walk->each(walk->self, peer, &want);
    object_release(&want.object);
    return err;
}

enum err op_want_each(struct op_call *call, op_want_fn each, void *self)
{
    struct op_want_each walk = {.call = call, .each = each, .self = self};

    return view_peer_each(&call->snapshot, op_want_on_theirs, &walk);
}

enum err op_want_list(struct op_call *call)
{
    struct op_want_walk walk = {.call = call, .theirs = json_array(), .mine = json_array()};
    enum err err = view_peer_each(&call->snapshot, op_want_on_peer, &walk);

    call->result = json_pack("{s:o, s:o}", "wants", walk.theirs, "mine", walk.mine);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the wishes could not be read");
}

/* Asking. */

static enum err op_want_read(struct op_call *call, const char **out_words)
{
    const char *words = op_text(call, "words");
    json_t *about = op_list(call, "about"), *tag;
    size_t at;

    *out_words = words;
    if (words == NULL || words[0] == '\0' || strlen(words) > ENDORSEMENT_WANT_SIZE_MAX ||
        !scan_is_utf8(span_str(words)))
        return op_fail(
            call, OP_USAGE,
            "kith endorsement want WHO --words \"The stairs on Elm Street, last spring\"",
            "name the work, in at most %d bytes", ENDORSEMENT_WANT_SIZE_MAX);
    if (json_array_size(about) > ENDORSEMENT_ABOUT_MAX)
        return op_fail(call, OP_USAGE, "--about carpentry", "at most %d skills",
                       ENDORSEMENT_ABOUT_MAX);
    json_array_foreach(about, at, tag)
    {
        size_t size = json_string_length(tag);

        if (size == 0 || size > ENDORSEMENT_ABOUT_SIZE_MAX)
            return op_fail(call, OP_USAGE, "--about carpentry", "a skill has 1 to %d bytes",
                           ENDORSEMENT_ABOUT_SIZE_MAX);
    }
    return ERR_OK;
}

/* PROTOCOL WANT-2: "Its writer asks one peer at most once in ENDORSEMENT_WANT_DAYS days." */
static enum err op_want_check(struct op_call *call, const struct peer *peer)
{
    char day[DATE_TEXT_SIZE];
    struct want want;
    enum err err = want_get(&call->snapshot, peer, true, call->now_ms, &want);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    date_write(want.asked_ms, day);
    object_release(&want.object);
    return op_fail(call, OP_FAILED, "kith endorsement wants",
                   "you asked them on %s; once in %d days is as often as one asks", day,
                   ENDORSEMENT_WANT_DAYS);
}

static enum err op_want_write(struct op_call *call, const struct peer *peer, const char *words)
{
    static const struct id object = {{0}};
    struct amend amend;
    json_t *tag;
    size_t at;

    amend_begin(&amend, call->txn, &peer->pair_out, KIND_ENDORSEMENT_WANT, &object);
    amend_text(&amend, ENDORSEMENT_WANT_WORDS, span_str(words));
    amend_number(&amend, ENDORSEMENT_WANT_ASKED, call->now_ms);
    amend_remove_all(&amend, ENDORSEMENT_WANT_ABOUT);
    json_array_foreach(op_list(call, "about"), at, tag)
        amend_add(&amend, ENDORSEMENT_WANT_ABOUT, span_str(json_string_value(tag)));
    return amend_end(&amend, NULL);
}

static enum err op_want_of(struct op_call *call, struct peer *peer)
{
    struct name_match who;
    struct want want;
    const char *words = NULL;
    bool is_new;
    enum err err = name_find_peer(call, op_text(call, "who"), &who);

    if (err == ERR_OK)
        err = view_peer(&call->snapshot, &who.member, peer);
    if (err == ERR_OK && (peer->state != LINK_LINKED || !peer->has_pair_out))
        err = op_fail(call, OP_NOT_FOUND, "kith peer list", "%s is not a peer of yours", who.shown);
    if (err == ERR_OK)
        err = op_want_read(call, &words);
    if (err == ERR_OK)
        err = op_want_check(call, peer);
    if (err == ERR_OK)
        err = op_want_write(call, peer, words);
    if (err == ERR_OK)
        err = want_note(call->txn, &peer->member, true, span_str(words), &is_new);
    if (err == ERR_OK)
        err = want_get(&call->snapshot, peer, true, call->now_ms, &want);
    if (err != ERR_OK)
        return err;
    call->result = op_want_describe(peer, &want, true);
    object_release(&want.object);
    return ERR_OK;
}

enum err op_want(struct op_call *call)
{
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? op_want_of(call, peer) : ERR_NOMEM;

    secret_free(peer);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "they could not be asked");
}
