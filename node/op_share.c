/* Sharing is planned whole, for every reader, before the first write. What does not stand in the
 * plan has no way into the body: it is built field by field from what was chosen. */
#include "node/op_share.h"

#include <string.h>

#include "crypto/secret.h"
#include "node/describe.h"
#include "node/describe_endorsement.h"
#include "node/describe_share.h"
#include "node/name.h"
#include "node/person_contact.h"
#include "node/share.h"
#include "proto/scan.h"
#include "storage/fold.h"
#include "storage/journal.h"
#include "storage/row.h"
#include "storage/view_interaction.h"
#include "storage/view_peer.h"
#include "storage/view_same.h"

enum {
    OP_SHARE_READERS_MAX = 10, /* as many as an ask is passed to at once */
    OP_SHARE_PREFIX_MIN = 6
};

static const char op_share_example[] = "kith contact share joon --with ana --field email --agreed";

struct op_share_reader {
    struct public_key member;
    struct id pair;
    char shown[201];
};

struct op_share_plan {
    struct op_call *call;
    struct name_match who;
    struct object contact;
    struct person person;
    struct share share;
    struct buf body;
    struct op_share_reader readers[OP_SHARE_READERS_MAX];
    size_t readers_count;
};

/* Which fields travel. */

struct op_share_choice {
    const char *name;
    uint8_t field;
    bool is_default;
};

static const struct op_share_choice op_share_choices[] = {
    {"name", CONTACT_NAME, true},     {"org", CONTACT_ORG, true},
    {"title", CONTACT_TITLE, true},   {"place", CONTACT_PLACE, false},
    {"email", CONTACT_EMAILS, false}, {"tel", CONTACT_PHONES, false},
    {"url", CONTACT_URLS, false},     {"tag", CONTACT_TAGS, false},
};
enum { OP_SHARE_CHOICES = sizeof op_share_choices / sizeof op_share_choices[0] };

static enum err op_share_find_choice(struct op_call *call, const char *name, size_t *out)
{
    for (*out = 0; *out < OP_SHARE_CHOICES; (*out)++)
        if (strcmp(op_share_choices[*out].name, name) == 0)
            return ERR_OK;
    if (strcmp(name, "note") == 0 || strcmp(name, "met") == 0)
        return op_fail(call, OP_USAGE, "say it in your own words: --why TEXT",
                       "what you noted for yourself is never shared");
    return op_fail(call, OP_USAGE, "--field place, email, tel, url or tag",
                   "there is no field \"%.40s\" to share", name);
}

/* Marks what --field adds to the usual, and --without takes away. */
static enum err op_share_choose(struct op_call *call, bool chosen[static OP_SHARE_CHOICES],
                                bool named[static OP_SHARE_CHOICES])
{
    static const char *const flags[] = {"field", "without"};
    size_t at, choice;
    json_t *item;
    enum err err;

    for (choice = 0; choice < OP_SHARE_CHOICES; choice++)
        chosen[choice] = op_share_choices[choice].is_default;
    for (size_t flag = 0; flag < 2; flag++) {
        json_array_foreach(op_list(call, flags[flag]), at, item)
        {
            err = op_share_find_choice(call, json_string_value(item), &choice);
            if (err != ERR_OK)
                return err;
            chosen[choice] = flag == 0;
            named[choice] = flag == 0;
        }
    }
    if (!chosen[0])
        return op_fail(call, OP_USAGE, op_share_example, "a contact is not shared without a name");
    return ERR_OK;
}

static void op_share_take(const struct person *person, uint8_t field, struct share *out)
{
    struct span value;

    for (size_t at = 0; at < SHARE_TEXTS; at++)
        if (share_text_fields[at] == field)
            out->texts[at] = person_text(person, field);
    for (size_t at = 0; at < SHARE_SETS; at++) {
        if (share_set_fields[at] != field)
            continue;
        for (size_t index = 0; (value = person_at(person, field, index)).size > 0; index++) {
            if (out->sets[at].count < SHARE_VALUES_MAX)
                out->sets[at].values[out->sets[at].count] = value;
            out->sets[at].count++; /* Too many are found by share_check. */
        }
    }
}

static enum err op_share_fill(struct op_share_plan *plan)
{
    bool chosen[OP_SHARE_CHOICES] = {false}, named[OP_SHARE_CHOICES] = {false};
    enum err err = op_share_choose(plan->call, chosen, named);

    for (size_t at = 0; err == ERR_OK && at < OP_SHARE_CHOICES; at++) {
        const struct op_share_choice *choice = &op_share_choices[at];

        if (chosen[at])
            op_share_take(&plan->person, choice->field, &plan->share);
        if (named[at] && person_text(&plan->person, choice->field).size == 0)
            err = op_fail(plan->call, OP_FAILED, "kith contact show WHO", "%s has no %s to share",
                          plan->who.shown, choice->name);
    }
    plan->share.is_org = object_number(&plan->contact, CONTACT_IS_ORG) != 0;
    return err;
}

/* With whom. */

static enum err op_share_read_reader(struct op_share_plan *plan, const char *who, struct peer *peer)
{
    struct op_share_reader *reader = &plan->readers[plan->readers_count];
    struct op_call *call = plan->call;
    struct name_match match;
    enum err err = name_find_peer(call, who, &match);

    if (err == ERR_OK)
        err = view_peer(&call->snapshot, &match.member, peer);
    if (err == ERR_NOT_FOUND && call->failure.code == OP_DONE)
        err = op_fail(call, OP_NOT_FOUND, "kith peer list", "%s is not a peer of yours", who);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the peer could not be read");
    if (peer->state != LINK_LINKED || !peer->has_pair_out)
        return op_fail(call, OP_FAILED, "kith peer invite NAME", "you are not linked with %s",
                       match.shown);
    if (plan->who.has_member && public_key_is_equal(&plan->who.member, &match.member))
        return op_fail(call, OP_USAGE, op_share_example, "%s is the one you would share",
                       match.shown);
    for (size_t at = 0; at < plan->readers_count; at++)
        if (public_key_is_equal(&plan->readers[at].member, &match.member))
            return ERR_OK;
    reader->member = match.member;
    reader->pair = peer->pair_out;
    memcpy(reader->shown, match.shown, sizeof reader->shown);
    plan->readers_count++;
    return ERR_OK;
}

static enum err op_share_read_readers(struct op_share_plan *plan)
{
    json_t *list = op_list(plan->call, "with"), *item;
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? ERR_OK : ERR_NOMEM;
    size_t at;

    if (json_array_size(list) < 1 || json_array_size(list) > OP_SHARE_READERS_MAX)
        err = op_fail(plan->call, OP_USAGE, op_share_example,
                      "say with whom, %d peers at most: --with", OP_SHARE_READERS_MAX);
    json_array_foreach(list, at, item) if (err == ERR_OK) err =
        op_share_read_reader(plan, json_string_value(item), peer);
    secret_free(peer);
    return err;
}

/* The plan. */

static enum err op_share_read_why(struct op_share_plan *plan)
{
    struct share alone = {.texts = {span_str("anybody")}};
    const char *why = op_text(plan->call, "why");

    plan->share.why = alone.why = person_trim(span_str(why != NULL ? why : ""));
    plan->share.shared_s = plan->call->now_ms / 1000;
    if (!scan_is_utf8(plan->share.why))
        return op_fail(plan->call, OP_USAGE, "use UTF-8", "--why is not text");
    return share_check(&alone) == SHARE_FINE
               ? ERR_OK
               : op_fail(plan->call, OP_USAGE, "say it in fewer words, on one line",
                         "--why takes one line of at most %d bytes", SHARE_WHY_SIZE_MAX);
}

static enum err op_share_encode(struct op_share_plan *plan)
{
    enum share_fault fault;
    enum err err = share_write(&plan->share, &plan->body, &fault);

    if (err == ERR_INVALID)
        return op_fail(plan->call, OP_FAILED,
                       "kith contact edit WHO, or leave that field out: --without FIELD",
                       "%s cannot be shared as it is: %s", plan->who.shown,
                       share_fault_text(fault));
    return err == ERR_OK ? ERR_OK : op_fail_err(plan->call, err, "the contact could not be read");
}

static enum err op_share_make_plan(struct op_share_plan *plan)
{
    struct op_call *call = plan->call;
    uint32_t head;
    enum err err = name_find(call, op_text(call, "who"), &plan->who);

    if (err == ERR_OK && !plan->who.has_contact)
        err = op_fail(call, OP_NOT_FOUND, "kith contact add NAME",
                      "%s is a peer without a contact of yours", plan->who.shown);
    if (err == ERR_OK)
        err = view_same_read(&call->snapshot, plan->who.number, &plan->contact, &head);
    if (err == ERR_OK)
        err = person_of_contact(&call->snapshot, &plan->contact, &plan->person);
    if (err == ERR_OK)
        err = op_share_read_readers(plan);
    if (err == ERR_OK)
        err = op_share_fill(plan);
    if (err == ERR_OK)
        err = op_share_read_why(plan);
    if (err == ERR_OK)
        err = op_share_encode(plan);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the contact could not be read");
}

static void op_share_release(struct op_share_plan *plan)
{
    object_release(&plan->contact);
    person_release(&plan->person);
    buf_release(&plan->body);
}

/* The share that stands already, of whichever contact of the group, or the one to make. */
static enum err op_share_find_id(struct op_share_plan *plan, const struct op_share_reader *reader,
                                 struct id *out)
{
    const struct snapshot *snapshot = &plan->call->snapshot;
    uint32_t members[VIEW_SAME_MAX], space;
    size_t count = 0;
    enum err err = view_same_members(snapshot, plan->who.number, members, &count);

    share_id(&reader->pair, &plan->who.contact, out);
    for (size_t at = 0; at < count && err == ERR_OK; at++) {
        struct object contact = {0}, share = {0};
        struct id id;
        uint32_t number;
        bool stands;

        err = row_load(snapshot, members[at], &contact, &space);
        if (err != ERR_OK)
            break;
        share_id(&reader->pair, &contact.id, &id);
        stands = row_get(snapshot, &reader->pair, KIND_SHARE, &id, &share, &number) == ERR_OK &&
                 object_is_visible(&share);
        object_release(&contact);
        object_release(&share);
        if (stands) {
            *out = id;
            break;
        }
    }
    return err;
}

static enum err op_share_answer(struct op_share_plan *plan)
{
    struct op_call *call = plan->call;
    json_t *with = json_array(), *shared = json_object();
    enum err err = ERR_OK;

    for (size_t at = 0; at < plan->readers_count && err == ERR_OK; at++) {
        json_t *row =
            describe_endorsement_member(call, &plan->readers[at].member, span_of(NULL, 0));
        struct id id;

        err = op_share_find_id(plan, &plan->readers[at], &id);
        describe_set_id(row, "share", &id);
        (void)json_array_append_new(with, row); /* A lost row shows as absent. */
    }
    describe_share_person(shared, &plan->share);
    describe_set_text(shared, "why", plan->share.why);
    call->result =
        json_pack("{s:s, s:o, s:o}", "name", plan->who.shown, "shared", shared, "with", with);
    if (call->result != NULL)
        describe_set_id(call->result, "contact", &plan->who.contact);
    return err == ERR_OK && call->result == NULL ? ERR_NOMEM : err;
}

enum err op_share_plan(struct op_call *call)
{
    struct op_share_plan plan = {.call = call};
    enum err err = op_share_make_plan(&plan);

    if (err == ERR_OK)
        err = op_share_answer(&plan);
    op_share_release(&plan);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the contact could not be read");
}

/* Giving. */

struct op_share_count {
    struct id mine; /* what is said anew */
    size_t others;
};

static enum err op_share_on_other(void *self, const struct share_view *view)
{
    struct op_share_count *count = self;

    count->others += !id_is_equal(&view->object, &count->mine);
    return ERR_OK;
}

static enum err op_share_check_cap(struct op_share_plan *plan)
{
    struct op_call *call = plan->call;

    for (size_t at = 0; at < plan->readers_count; at++) {
        struct op_share_count count = {.others = 0};
        enum err err = op_share_find_id(plan, &plan->readers[at], &count.mine);

        if (err == ERR_OK)
            err = view_share_given(&call->snapshot, &plan->readers[at].member, op_share_on_other,
                                   &count);
        if (err != ERR_OK)
            return op_fail_err(call, err, "what you share could not be read");
        if (count.others >= SHARES_PER_PEER_MAX)
            return op_fail(call, OP_FAILED, "kith share list, then kith share withdraw WHO",
                           "you share %d contacts with %s, as many as there can be",
                           SHARES_PER_PEER_MAX, plan->readers[at].shown);
    }
    return ERR_OK;
}

static enum err op_share_give(struct op_share_plan *plan, const struct op_share_reader *reader)
{
    struct op_call *call = plan->call;
    struct interaction act = {.what = INTERACTION_SHARED, .text = span_str(plan->who.shown)};
    struct journal_row row = {.at_ms = call->now_ms,
                              .kind = span_str("shared"),
                              .who = span_str(reader->shown),
                              .text = span_str("has a contact from you: they keep it or let it "
                                               "pass")};
    char ref[ID_TEXT_SIZE];
    struct id id;
    enum err err;

    err = op_share_find_id(plan, reader, &id);
    hex_write(span_of(id.bytes, ID_SIZE), ref);
    act.ref = row.ref = span_str(ref);
    if (err == ERR_OK)
        err = share_tell(call->txn, &reader->pair, &id, buf_span(&plan->body));
    if (err == ERR_OK)
        err = view_interaction_act(call->txn, &reader->member, &act);
    return err == ERR_OK ? journal_add(call->txn, &row) : err;
}

enum err op_share(struct op_call *call)
{
    struct op_share_plan plan = {.call = call};
    enum err err = op_share_make_plan(&plan);

    if (err == ERR_OK && !op_flag(call, "agreed"))
        err = op_fail(call, OP_USAGE, "ask them, then type it again with --agreed",
                      "has %s agreed that you share this?", plan.who.shown);
    if (err == ERR_OK)
        err = op_share_check_cap(&plan);
    for (size_t at = 0; err == ERR_OK && at < plan.readers_count; at++)
        err = op_share_give(&plan, &plan.readers[at]);
    if (err == ERR_OK)
        err = op_share_answer(&plan);
    op_share_release(&plan);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the contact could not be shared");
}

/* Taking back. */

struct op_share_search {
    struct op_call *call;
    const char *prefix;              /* of an id; or NULL */
    uint32_t members[VIEW_SAME_MAX]; /* contacts of the group meant */
    size_t members_count;
    struct buf contacts; /* their ids */
    struct buf from;     /* members: whose alone is taken back; none: everybody's */
    struct buf name;     /* folded: of somebody who is in the address book no more */
    struct buf found;    /* struct op_share_found */
};

struct op_share_found {
    struct public_key member;
    struct id object;
};

static enum err op_share_read_from(struct op_share_search *search)
{
    struct name_match match;
    json_t *item;
    size_t at;

    json_array_foreach(op_list(search->call, "from"), at, item)
    {
        enum err err = name_find_peer(search->call, json_string_value(item), &match);

        if (err != ERR_OK)
            return err;
        buf_append(&search->from, span_of(match.member.bytes, sizeof match.member.bytes));
    }
    return buf_err(&search->from);
}

static bool op_share_is_from(const struct op_share_search *search, const struct public_key *member)
{
    for (size_t at = 0; at < search->from.size; at += sizeof member->bytes)
        if (memcmp(search->from.data + at, member->bytes, sizeof member->bytes) == 0)
            return true;
    return search->from.size == 0;
}

static bool op_share_is_called(const struct buf *folded, struct span name)
{
    struct buf other = {0};
    bool is_called =
        fold(name, &other) == ERR_OK && span_is_equal(buf_span(&other), buf_span(folded));

    buf_release(&other);
    return is_called;
}

static bool op_share_is_meant(const struct op_share_search *search, const struct share_view *view,
                              const struct id *pair)
{
    char id[ID_TEXT_SIZE];

    hex_write(span_of(view->object.bytes, ID_SIZE), id);
    if (search->prefix != NULL && strncmp(id, search->prefix, strlen(search->prefix)) == 0)
        return true;
    if (search->name.size > 0 && op_share_is_called(&search->name, view->share.texts[0]))
        return true;
    for (size_t at = 0; at < search->contacts.size; at += ID_SIZE) {
        struct id contact, share;

        memcpy(contact.bytes, search->contacts.data + at, ID_SIZE);
        share_id(pair, &contact, &share);
        if (id_is_equal(&share, &view->object))
            return true;
    }
    return false;
}

static enum err op_share_on_given(void *self, const struct share_view *view)
{
    struct op_share_search *search = self;
    struct op_share_found found = {.member = view->peer, .object = view->object};
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? view_peer(&search->call->snapshot, &view->peer, peer) : ERR_NOMEM;

    if (err == ERR_OK && op_share_is_meant(search, view, &peer->pair_out) &&
        op_share_is_from(search, &view->peer))
        buf_append(&search->found, span_of(&found, sizeof found));
    secret_free(peer);
    return err == ERR_OK ? buf_err(&search->found) : err;
}

/* By the beginning of its id, by the contact it came from, or by the name that was told. */
static enum err op_share_search_what(struct op_share_search *search)
{
    struct op_call *call = search->call;
    const char *who = op_text(call, "who");
    struct name_match match;
    uint32_t space;
    enum err err;

    if (strlen(who) >= OP_SHARE_PREFIX_MIN && strspn(who, "0123456789abcdef") == strlen(who))
        search->prefix = who;
    err = name_find(call, who, &match);
    if (err == ERR_NOT_FOUND) { /* What is shared of somebody who was removed can be taken back. */
        call->failure = (struct op_failure){.code = OP_DONE};
        return fold(span_str(who), &search->name);
    }
    if (err == ERR_OK && match.has_contact)
        err = view_same_members(&call->snapshot, match.number, search->members,
                                &search->members_count);
    for (size_t at = 0; err == ERR_OK && at < search->members_count; at++) {
        struct object contact = {0};

        err = row_load(&call->snapshot, search->members[at], &contact, &space);
        buf_append(&search->contacts, span_of(contact.id.bytes, ID_SIZE));
        object_release(&contact);
    }
    return err == ERR_OK ? buf_err(&search->contacts) : err;
}

static enum err op_share_take_back(struct op_call *call, const struct op_share_found *found,
                                   json_t *with)
{
    struct journal_row row = {.at_ms = call->now_ms,
                              .kind = span_str("taken back"),
                              .text = span_str("has that contact from you no more, unless they "
                                               "kept it")};
    json_t *member = describe_endorsement_member(call, &found->member, span_of(NULL, 0));
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? view_peer(&call->snapshot, &found->member, peer) : ERR_NOMEM;

    if (err == ERR_OK)
        err = share_withdraw(call->txn, &peer->pair_out, &found->object);
    secret_free(peer);
    row.who = span_str(json_string_value(json_object_get(member, "name")) != NULL
                           ? json_string_value(json_object_get(member, "name"))
                           : "");
    if (err == ERR_OK)
        err = journal_add(call->txn, &row);
    describe_set_id(member, "share", &found->object);
    (void)json_array_append_new(with, member); /* A lost row shows as absent. */
    return err;
}

enum err op_share_withdraw(struct op_call *call)
{
    struct op_share_search search = {.call = call};
    json_t *with = json_array();
    enum err err = op_text(call, "who") != NULL
                       ? op_share_search_what(&search)
                       : op_fail(call, OP_USAGE, "kith share list --given", "say what: WHO");

    if (err == ERR_OK)
        err = op_share_read_from(&search);
    if (err == ERR_OK)
        err = view_share_given(&call->snapshot, NULL, op_share_on_given, &search);
    if (err == ERR_OK && search.found.size == 0)
        err = op_fail(call, OP_NOT_FOUND, "kith share list --given", "you do not share %.100s",
                      op_text(call, "who"));
    for (size_t at = 0; err == ERR_OK && at < search.found.size;
         at += sizeof(struct op_share_found)) {
        struct op_share_found found;

        memcpy(&found, search.found.data + at, sizeof found);
        err = op_share_take_back(call, &found, with);
    }
    buf_release(&search.contacts);
    buf_release(&search.from);
    buf_release(&search.name);
    buf_release(&search.found);
    call->result = json_pack("{s:o}", "withdrawn", with);
    if (err != ERR_OK)
        return op_fail_err(call, err, "it could not be taken back");
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}
