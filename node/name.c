/*
 * Candidates are collected from the peers (alias, card name, did:key) and from the contacts (name,
 * e-mail, id), one row a person. Whole names come before first names, and those before any words of
 * a name: "Ana" means the Ana who is called just that, if there is one, then Ana Lima, then whoever
 * has an Ana among their names.
 */
#include "node/name.h"

#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "node/describe.h"
#include "node/invited.h"
#include "proto/contact.h"
#include "storage/fold.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_peer.h"
#include "storage/view_same.h"
#include "storage/view_search.h"

enum {
    NAME_MATCHES_MAX = 16,
    NAME_PREFIX_MIN = 6,
    NAME_WHO_MAX = 400,
    NAME_DIGITS_MIN = 12,
    NAME_FOUND_MAX = 1000 /* contacts read for a word of their names */
};

/* What a name has to do with what was typed. */
enum name_round { NAME_WHOLE, NAME_FIRST, NAME_WORDS };

struct name_search {
    struct op_call *call;
    const char *who;
    struct buf folded; /* of who */
    bool peers_only;
    enum name_round round;
    struct name_match matches[NAME_MATCHES_MAX];
    size_t count;
    bool is_cut;
};

bool name_has_words(struct span name, struct span typed)
{
    while (typed.size > 0) {
        const uint8_t *space = memchr(typed.data, ' ', typed.size);
        struct span word =
            span_of(typed.data, space != NULL ? (size_t)(space - typed.data) : typed.size);
        bool is_there = false;

        for (size_t at = 0; !is_there && at + word.size <= name.size; at++)
            is_there =
                memcmp(name.data + at, word.data, word.size) == 0 &&
                (at == 0 || strchr(" -,.", name.data[at - 1]) != NULL) &&
                (at + word.size == name.size || strchr(" -,.", name.data[at + word.size]) != NULL);
        if (!is_there)
            return false;
        typed = span_of(typed.data + word.size + (space != NULL),
                        typed.size - word.size - (space != NULL));
    }
    return true;
}

/* Does a folded name fit what was typed, in this round or an earlier one? */
static bool name_fits(const struct name_search *search, struct span name)
{
    struct span typed = buf_span(&search->folded);
    bool begins =
        typed.size > 0 && name.size >= typed.size && memcmp(name.data, typed.data, typed.size) == 0;

    if (begins &&
        (name.size == typed.size || (search->round != NAME_WHOLE && name.data[typed.size] == ' ')))
        return true;
    return search->round == NAME_WORDS && typed.size > 0 && name_has_words(name, typed);
}

static void name_add(struct name_search *search, const struct name_match *match)
{
    for (size_t at = 0; at < search->count; at++) {
        const struct name_match *known = &search->matches[at];

        if (known->has_contact && match->has_contact && known->number == match->number)
            return;
        if (known->has_member && match->has_member &&
            public_key_is_equal(&known->member, &match->member))
            return;
    }
    if (search->count == NAME_MATCHES_MAX)
        search->is_cut = true;
    else
        search->matches[search->count++] = *match;
}

static enum err name_on_contact(void *self, uint32_t number, const struct object *contact)
{
    struct name_search *search = self;
    struct name_match match = {.has_contact = true};
    struct object shown;
    struct span member, name, org;
    enum err err = view_same_read(&search->call->snapshot, number, &shown, &match.number);

    (void)contact;
    if (err != ERR_OK)
        return err;
    match.contact = shown.id;
    member = object_value(&shown, CONTACT_MEMBER).bytes;
    name = view_contact_shown(&shown);
    org = object_text(&shown, CONTACT_ORG);
    if (org.size > 0 && org.data != name.data)
        describe_cut(match.org, sizeof match.org, org);
    describe_cut(match.shown, sizeof match.shown, name);
    if (member.size == 32) {
        match.has_member = true;
        memcpy(match.member.bytes, member.data, 32);
    }
    if (!search->peers_only || match.has_member)
        name_add(search, &match);
    object_release(&shown);
    return search->is_cut ? ERR_CANCELLED : ERR_OK;
}

static enum err name_on_named(void *self, uint32_t number, const struct object *contact)
{
    struct name_search *search = self;
    struct span name = object_text(contact, CONTACT_NAME);
    struct buf folded = {0};
    enum err err = fold(name.size > 0 ? name : object_text(contact, CONTACT_ORG), &folded);
    bool fits = err == ERR_OK && name_fits(search, buf_span(&folded));

    buf_release(&folded);
    return fits ? name_on_contact(self, number, contact) : err;
}

static bool name_is_hex(const char *text)
{
    for (; *text != '\0'; text++)
        if (strchr("0123456789abcdefABCDEF", *text) == NULL)
            return false;
    return true;
}

static bool name_text_fits(const struct name_search *search, const char *text)
{
    struct buf folded = {0};
    bool fits = text[0] != '\0' && fold(span_str(text), &folded) == ERR_OK &&
                name_fits(search, buf_span(&folded));

    buf_release(&folded);
    return fits;
}

/* The contact a peer is linked to, as it is shown. */
static enum err name_of_peer(struct name_search *search, const struct id *id, struct object *out,
                             uint32_t *out_number)
{
    struct snapshot *snapshot = &search->call->snapshot;
    struct space_row self;
    uint32_t number;
    enum err err = ledger_space(snapshot, ledger_self_space(snapshot->ledger), &self);

    *out = (struct object){0};
    if (err == ERR_OK)
        err = row_find(snapshot, self.number, KIND_CONTACT, id, &number);
    return err == ERR_OK ? view_same_read(snapshot, number, out, out_number) : err;
}

static enum err name_on_peer(void *self, const struct peer *peer)
{
    struct name_search *search = self;
    struct name_match match = {.has_member = true, .member = peer->member};
    const char *shown = peer->alias[0] != '\0' ? peer->alias : peer->name;
    char did[DID_SIZE];
    struct object contact = {0};
    bool fits;

    identity_did(&peer->member, did);
    fits = strncmp(did, search->who, strlen(search->who)) == 0 &&
           strlen(search->who) >= strlen("did:key:z6Mk") + 2;
    fits |= name_text_fits(search, peer->alias) || name_text_fits(search, peer->name);
    if (!fits || peer->state == LINK_REMOVED)
        return ERR_OK;
    (void)snprintf(match.shown, sizeof match.shown, "%s", shown);
    if (peer->has_contact &&
        name_of_peer(search, &peer->contact, &contact, &match.number) == ERR_OK &&
        object_is_visible(&contact)) {
        match.has_contact = true;
        match.contact = contact.id;
    }
    object_release(&contact);
    name_add(search, &match);
    return ERR_OK;
}

/* Contacts that are shown as another one keep their names. */
static enum err name_on_same(void *self, uint32_t number, uint32_t head)
{
    struct name_search *search = self;
    struct object contact = {0};
    uint32_t space;
    enum err err = row_load(&search->call->snapshot, number, &contact, &space);

    (void)head;
    if (err == ERR_OK)
        err = name_on_named(self, number, &contact);
    object_release(&contact);
    return err;
}

/* People with these words among their names: found as a search does, and looked at. */
static enum err name_collect_words(struct name_search *search)
{
    struct snapshot *snapshot = &search->call->snapshot;
    struct view_search_found found = {0};
    enum err err = view_search_find(snapshot, buf_span(&search->folded), NAME_FOUND_MAX, &found);

    if (err == ERR_INVALID) /* No word, or too many for a name. */
        return ERR_OK;
    for (size_t at = 0; at < found.count && err == ERR_OK; at++)
        err = name_on_same(search, found.numbers[at], 0);
    search->is_cut |= found.is_cut || found.total > found.count;
    heap_free(found.numbers);
    return err;
}

static enum err name_collect(struct name_search *search)
{
    struct snapshot *snapshot = &search->call->snapshot;
    struct span who = span_str(search->who);
    enum err err = ERR_OK;

    for (search->round = NAME_WHOLE; err == ERR_OK && search->count == 0; search->round++) {
        err = view_peer_each(snapshot, name_on_peer, search);
        if (err == ERR_OK && search->round != NAME_WORDS)
            err = view_contact_named(snapshot, buf_span(&search->folded), name_on_named, search);
        if (err == ERR_OK)
            err = view_same_each(snapshot, name_on_same, search);
        if (err == ERR_OK && search->round == NAME_WORDS)
            err = name_collect_words(search);
        if (search->round == NAME_WORDS)
            break;
        if (search->round != NAME_WHOLE)
            continue;
        if (err == ERR_OK && memchr(who.data, '@', who.size) != NULL)
            err = view_contact_match(snapshot, MATCH_BY_EMAIL, who, name_on_contact, search);
        if (err == ERR_OK && who.size >= NAME_PREFIX_MIN && name_is_hex(search->who))
            err = view_contact_by_id(snapshot, who, name_on_contact, search);
    }
    return err == ERR_CANCELLED ? ERR_OK : err;
}

/* Ends the walk at the second. */
static enum err name_count(void *self, uint32_t number, const struct object *contact)
{
    size_t *count = self;

    (void)number;
    (void)contact;
    return ++*count > 1 ? ERR_CANCELLED : ERR_OK;
}

void name_short_id(const struct snapshot *snapshot, const struct id *contact,
                   char out[static ID_TEXT_SIZE])
{
    char whole[ID_TEXT_SIZE];

    hex_write(span_of(contact->bytes, ID_SIZE), whole);
    for (int digits = NAME_DIGITS_MIN; digits < ID_TEXT_SIZE; digits++) {
        size_t count = 0;

        (void)snprintf(out, ID_TEXT_SIZE, "%.*s", digits, whole);
        if (view_contact_by_id(snapshot, span_str(out), name_count, &count) == ERR_OK && count < 2)
            return;
    }
}

/* What is typed to mean just this one. */
static void name_id(const struct snapshot *snapshot, const struct name_match *match,
                    char out[static DID_SIZE])
{
    if (match->has_contact)
        name_short_id(snapshot, &match->contact, out);
    else
        identity_did(&match->member, out);
}

/* The list of who it could be, and what to type to say which. */
static enum err name_ambiguous(struct name_search *search)
{
    struct op_failure *failure = &search->call->failure;
    char id[DID_SIZE];
    size_t size;

    (void)op_fail(search->call, OP_AMBIGUOUS, "use the id in brackets, an e-mail or an alias",
                  "%.100s could be:", search->who);
    for (size_t at = 0; at < search->count; at++) {
        name_id(&search->call->snapshot, &search->matches[at], id);
        size = strlen(failure->message);
        (void)snprintf(failure->message + size, sizeof failure->message - size,
                       "%s %.60s (%s)%s%.40s", at > 0 ? "," : "", search->matches[at].shown, id,
                       search->matches[at].org[0] != '\0' ? " of " : "", search->matches[at].org);
    }
    size = strlen(failure->message);
    if (search->is_cut)
        (void)snprintf(failure->message + size, sizeof failure->message - size, " and more");
    return ERR_AMBIGUOUS;
}

/* Some of its letters may find whoever was meant. */
static enum err name_nobody(struct op_call *call, const char *who, bool peers_only)
{
    char hint[80] = "kith contact list";

    if (peers_only)
        return op_fail(call, OP_NOT_FOUND, "kith peer list", "no peer of yours is called \"%s\"",
                       who);
    if (strlen(who) < 40 && strpbrk(who, "\"\\$`") == NULL)
        (void)snprintf(hint, sizeof hint, "kith contact search \"%s\"", who);
    return op_fail(call, OP_NOT_FOUND, hint, "nobody in your address book is called \"%s\"", who);
}

static enum err name_search(struct op_call *call, const char *who, bool peers_only,
                            struct name_match *out)
{
    struct name_search search = {.call = call, .who = who, .peers_only = peers_only};
    enum err err;

    *out = (struct name_match){.has_member = false};
    if (who == NULL || strlen(who) > NAME_WHO_MAX || !fold_is_seen(span_str(who)))
        return op_fail(call, OP_USAGE, "kith help",
                       "say who: a name, an alias, an e-mail or an id");
    err = fold(span_str(who), &search.folded);
    if (err == ERR_OK)
        err = name_collect(&search);
    buf_release(&search.folded);
    if (err != ERR_OK)
        return op_fail_err(call, err, "people could not be looked up");
    if (search.count == 0)
        return name_nobody(call, who, peers_only);
    if (search.count > 1 || (search.count == 1 && search.is_cut))
        return name_ambiguous(&search);
    *out = search.matches[0];
    return ERR_OK;
}

enum err name_find(struct op_call *call, const char *who, struct name_match *out)
{
    return name_search(call, who, false, out);
}

/* No peer is called so; where somebody is who has been invited, that is what there is to know. */
static enum err name_tell_invited(struct op_call *call, const char *who)
{
    struct op_failure failure = call->failure;
    struct name_match match;
    enum err err;

    call->failure = (struct op_failure){.code = OP_DONE};
    err = name_search(call, who, false, &match);
    if (err == ERR_OK)
        err = invited_check(call, &match);
    if (err != ERR_OK && (match.has_contact || (err != ERR_NOT_FOUND && err != ERR_AMBIGUOUS)))
        return err;
    call->failure = failure;
    return ERR_NOT_FOUND;
}

enum err name_find_peer(struct op_call *call, const char *who, struct name_match *out)
{
    enum err err = name_search(call, who, true, out);

    return err == ERR_NOT_FOUND ? name_tell_invited(call, who) : err;
}
