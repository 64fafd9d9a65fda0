/* Nothing is thrown together: contacts are tied, shown as one, and can be parted again. */
#include "node/op_merge.h"

#include "crypto/heap.h"
#include "node/amend.h"
#include "node/describe.h"
#include "node/name.h"
#include "node/op_undo.h"
#include "proto/contact.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_same.h"

enum { OP_MERGE_PAIRS_MAX = 1000 };

static const struct id *op_merge_self(const struct op_call *call)
{
    return ledger_self_space(call->snapshot.ledger);
}

/* One side of a tie. */
static enum err op_merge_tie(struct op_call *call, const struct id *one, const struct id *other,
                             bool is_same)
{
    struct amend amend;

    amend_begin(&amend, call->txn, op_merge_self(call), KIND_CONTACT, one);
    amend_same(&amend, other, is_same);
    return amend_end(&amend, NULL);
}

static enum err op_merge_find(struct op_call *call, const char *who, struct name_match *out)
{
    enum err err = name_find(call, who, out);

    if (err == ERR_OK && !out->has_contact)
        return op_fail(call, OP_NOT_FOUND, "kith contact add NAME",
                       "%s is a peer without a contact of yours", out->shown);
    return err;
}

static enum err op_merge_answer(struct op_call *call, uint32_t number)
{
    call->result = describe_contact_numbered(call, number);
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

enum err op_merge(struct op_call *call)
{
    struct name_match one, other;
    uint64_t mark = op_undo_begin(call);
    enum err err = op_merge_find(call, op_text(call, "who"), &one);

    if (err == ERR_OK)
        err = op_merge_find(call, op_text(call, "other"), &other);
    if (err != ERR_OK)
        return err;
    if (one.number == other.number)
        return op_fail(call, OP_AMBIGUOUS, "kith contact duplicates",
                       "both are %s already; name the two by their ids", one.shown);
    if (one.has_member && other.has_member && !public_key_is_equal(&one.member, &other.member))
        return op_fail(call, OP_UNTRUSTED, "kith peer words WHO",
                       "%s and %s are linked to two different members", one.shown, other.shown);
    err = op_merge_tie(call, &one.contact, &other.contact, true);
    if (err == ERR_OK)
        err = op_merge_tie(call, &other.contact, &one.contact, true);
    if (err == ERR_OK)
        err = op_undo_end(call, mark, "merge", one.shown);
    if (err == ERR_OK)
        err = op_merge_answer(call, one.number);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the contacts could not be merged");
}

/* Parting: every tie between two contacts of the group is taken back. */
static enum err op_merge_part(struct op_call *call, uint32_t number)
{
    struct object contact;
    uint32_t space;
    enum err err = row_get_numbered(&call->snapshot, number, &contact, &space);

    for (size_t at = 0; at < contact.ties_count && err == ERR_OK; at++)
        if (contact.ties[at].is_same)
            err = op_merge_tie(call, &contact.id, &contact.ties[at].other, false);
    object_release(&contact);
    return err;
}

enum err op_merge_split(struct op_call *call)
{
    uint32_t members[VIEW_SAME_MAX];
    struct name_match who;
    uint64_t mark = op_undo_begin(call);
    size_t count = 0;
    json_t *contacts;
    enum err err = op_merge_find(call, op_text(call, "who"), &who);

    if (err != ERR_OK)
        return err;
    err = view_same_members(&call->snapshot, who.number, members, &count);
    if (err == ERR_OK && count < 2)
        return op_fail(call, OP_FAILED, "kith contact history WHO",
                       "%s was not merged with anybody", who.shown);
    for (size_t at = 0; at < count && err == ERR_OK; at++)
        err = op_merge_part(call, members[at]);
    if (err == ERR_OK)
        err = op_undo_end(call, mark, "split", who.shown);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the contacts could not be parted");
    contacts = json_array();
    for (size_t at = 0; at < count; at++)
        (void)json_array_append_new(contacts, describe_contact_numbered(call, members[at]));
    call->result = json_pack("{s:o}", "contacts", contacts);
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

/* Duplicates. */

struct op_merge_pairs {
    struct op_call *call;
    json_t *list;
    const char *why;
    struct id seen[OP_MERGE_PAIRS_MAX][2];
    size_t count;
};

/* Said to be different, or named already under a stronger reason? */
static bool op_merge_is_settled(const struct op_merge_pairs *pairs, const struct object *one,
                                const struct object *other)
{
    for (size_t at = 0; at < one->ties_count; at++)
        if (id_is_equal(&one->ties[at].other, &other->id))
            return true;
    for (size_t at = 0; at < pairs->count; at++)
        if (id_is_equal(&pairs->seen[at][0], &one->id) &&
            id_is_equal(&pairs->seen[at][1], &other->id))
            return true;
    return pairs->count == OP_MERGE_PAIRS_MAX;
}

static enum err op_merge_on_pair(void *self, uint32_t left, uint32_t right)
{
    struct op_merge_pairs *pairs = self;
    struct object one, other;
    uint32_t one_head, other_head;
    enum err err = view_same_read(&pairs->call->snapshot, left, &one, &one_head);

    other = (struct object){0};
    if (err == ERR_OK)
        err = view_same_read(&pairs->call->snapshot, right, &other, &other_head);
    if (err == ERR_OK && one_head != other_head && !op_merge_is_settled(pairs, &one, &other)) {
        char left_id[ID_TEXT_SIZE], right_id[ID_TEXT_SIZE];
        json_t *row;

        name_short_id(&pairs->call->snapshot, &one.id, left_id);
        name_short_id(&pairs->call->snapshot, &other.id, right_id);
        row = json_pack("{s:[o, o], s:s, s:o}", "contacts",
                        describe_contact_numbered(pairs->call, one_head),
                        describe_contact_numbered(pairs->call, other_head), "why", pairs->why,
                        "next", json_sprintf("kith contact merge %s %s", left_id, right_id));

        pairs->seen[pairs->count][0] = one.id;
        pairs->seen[pairs->count++][1] = other.id;
        if (json_array_append_new(pairs->list, row) != 0)
            err = ERR_NOMEM;
    }
    object_release(&one);
    object_release(&other);
    return err;
}

enum err op_merge_duplicates(struct op_call *call)
{
    static const struct {
        enum match_what what;
        const char *why;
    } reasons[] = {{MATCH_BY_EMAIL, "the same e-mail"},
                   {MATCH_BY_PHONE, "the same telephone number"},
                   {MATCH_BY_URL, "the same web address"}};
    struct op_merge_pairs *pairs = heap_new_zeroed(1, sizeof *pairs);
    enum err err = ERR_OK;

    if (pairs == NULL)
        return ERR_NOMEM;
    pairs->call = call;
    pairs->list = json_array();
    for (size_t at = 0; at < sizeof reasons / sizeof reasons[0] && err == ERR_OK; at++) {
        pairs->why = reasons[at].why;
        err = view_contact_pairs(&call->snapshot, reasons[at].what, op_merge_on_pair, pairs);
    }
    pairs->why = "the same name";
    if (err == ERR_OK)
        err = view_contact_namesakes(&call->snapshot, op_merge_on_pair, pairs);
    call->result = json_pack("{s:o, s:b}", "duplicates", pairs->list, "is_cut",
                             pairs->count == OP_MERGE_PAIRS_MAX);
    heap_free(pairs);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the contacts could not be compared");
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}
