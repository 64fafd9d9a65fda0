/* Keeping makes a contact of what was told; the record remembers what that was, so that keeping it
 * again later brings over what is new and leaves alone what the owner changed. */
#include "node/op_shared.h"

#include <string.h>

#include "node/amend.h"
#include "node/describe.h"
#include "node/describe_share.h"
#include "node/import_match.h"
#include "node/op_undo.h"
#include "node/share.h"
#include "storage/row.h"
#include "storage/view_peer.h"

enum { OP_SHARED_PREFIX_MIN = 6 };

/* Looking. */

struct op_shared_rows {
    struct op_call *call;
    json_t *rows;
    bool wants_all;
};

static enum err op_shared_on_row(void *self, const struct share_view *view)
{
    struct op_shared_rows *rows = self;

    if (!rows->wants_all && view->decision == SHARE_SET_ASIDE)
        return ERR_OK;
    return json_array_append_new(rows->rows, describe_share(rows->call, view)) == 0 ? ERR_OK
                                                                                    : ERR_NOMEM;
}

enum err op_shared_list(struct op_call *call)
{
    bool given = op_flag(call, "given"), received = op_flag(call, "received");
    struct op_shared_rows rows = {
        .call = call, .rows = json_array(), .wants_all = op_flag(call, "all")};
    enum err err = ERR_OK;

    if (received || !given)
        err = view_share_received(&call->snapshot, op_shared_on_row, &rows);
    if (err == ERR_OK && (given || !received))
        err = view_share_given(&call->snapshot, NULL, op_shared_on_row, &rows);
    call->result = json_pack("{s:o}", "shares", rows.rows);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the shared contacts could not be read");
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

struct op_shared_count {
    const struct snapshot *snapshot;
    json_int_t waiting, given;
};

static enum err op_shared_on_given(void *self, const struct share_view *view)
{
    struct op_shared_count *count = self;

    (void)view;
    count->given++;
    return ERR_OK;
}

static enum err op_shared_on_peer(void *self, const struct peer *peer)
{
    struct op_shared_count *count = self;
    struct share_counts counts;
    enum err err = view_share_counts(count->snapshot, &peer->member, &counts);

    if (err == ERR_OK && peer->state == LINK_LINKED)
        count->waiting += (json_int_t)counts.waiting;
    return err;
}

enum err op_shared_status(struct op_call *call)
{
    struct op_shared_count count = {.snapshot = &call->snapshot};
    json_t *shares;
    enum err err = view_peer_each(&call->snapshot, op_shared_on_peer, &count);

    if (err == ERR_OK)
        err = view_share_given(&call->snapshot, NULL, op_shared_on_given, &count);
    shares = json_pack("{s:I, s:I}", "waiting", count.waiting, "given", count.given);
    return json_object_set_new(call->result, "shares", shares) == 0 ? err : ERR_NOMEM;
}

/* Finding one by its id or the start of it. */

struct op_shared_search {
    struct op_call *call;
    const char *prefix;
    size_t count;
    struct share_view view; /* without what is borrowed */
    json_t *described;
    struct buf body;
};

static enum err op_shared_on_found(void *self, const struct share_view *view)
{
    struct op_shared_search *search = self;
    char id[ID_TEXT_SIZE];

    hex_write(span_of(view->object.bytes, ID_SIZE), id);
    if (strncmp(id, search->prefix, strlen(search->prefix)) != 0)
        return ERR_OK;
    search->count++;
    search->view = *view;
    search->view.share = (struct share){0};
    buf_clear(&search->body);
    buf_append(&search->body, view->body);
    json_decref(search->described);
    search->described = describe_share(search->call, view);
    return buf_err(&search->body);
}

static void op_shared_end(struct op_shared_search *search)
{
    json_decref(search->described);
    buf_release(&search->body);
}

static enum err op_shared_find(struct op_shared_search *search, bool with_given)
{
    struct op_call *call = search->call;
    enum err err;

    search->prefix = op_text(call, "id");
    if (search->prefix == NULL || strlen(search->prefix) < OP_SHARED_PREFIX_MIN)
        return op_fail(call, OP_USAGE, "kith share list",
                       "say which: the first %d or more letters of its id", OP_SHARED_PREFIX_MIN);
    err = view_share_received(&call->snapshot, op_shared_on_found, search);
    if (err == ERR_OK && with_given)
        err = view_share_given(&call->snapshot, NULL, op_shared_on_found, search);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the shared contacts could not be read");
    if (search->count == 0)
        return op_fail(call, OP_NOT_FOUND, "kith share list --all",
                       "nothing shared with you begins with %.40s", search->prefix);
    if (search->count > 1)
        return op_fail(call, OP_AMBIGUOUS, "use more of the id: kith share list",
                       "several shared contacts begin with %.40s", search->prefix);
    return ERR_OK;
}

enum err op_shared_show(struct op_call *call)
{
    struct op_shared_search search = {.call = call};
    enum err err = op_shared_find(&search, true);

    if (err == ERR_OK)
        call->result = json_incref(search.described);
    op_shared_end(&search);
    return err == ERR_OK && call->result == NULL ? ERR_NOMEM : err;
}

/* Keeping. */

/* The contact it becomes has the same id on every device of mine. */
static void op_shared_contact_id(const struct share_view *view, struct id *out)
{
    if (view->has_contact) {
        *out = view->contact;
        return;
    }
    *out = view->record;
    for (size_t at = 0; at < 6; at++)
        out->bytes[at] = (uint8_t)(view->seen_ms >> (40 - 8 * at));
}

static bool op_shared_has(const struct share_set *set, uint8_t field, const struct id *element)
{
    for (size_t at = 0; at < set->count; at++) {
        struct id other;

        object_element(KIND_CONTACT, field, set->values[at], &other);
        if (id_is_equal(&other, element))
            return true;
    }
    return false;
}

/* What was kept last time and is told no more goes; what is new comes; what the owner changed or
 * removed since stays so. */
static void op_shared_amend_set(struct amend *amend, uint8_t field, const struct share_set *kept,
                                const struct share_set *told)
{
    struct id element;

    for (size_t at = 0; at < kept->count; at++) {
        object_element(KIND_CONTACT, field, kept->values[at], &element);
        if (!op_shared_has(told, field, &element))
            (void)amend_remove(amend, field, kept->values[at]); /* What is gone need not go. */
    }
    for (size_t at = 0; at < told->count; at++) {
        object_element(KIND_CONTACT, field, told->values[at], &element);
        if (op_shared_has(kept, field, &element) && !amend->is_new &&
            object_element_like(&amend->object, field, told->values[at]) == NULL)
            continue;
        amend_add(amend, field, told->values[at]);
    }
}

static enum err op_shared_write_contact(struct op_call *call, const struct id *contact,
                                        const struct share *kept, const struct share *told)
{
    struct amend amend;
    uint64_t mark = op_undo_begin(call);
    char name[NAME_SIZE_MAX + 1];
    enum err err;

    amend_begin(&amend, call->txn, ledger_self_space(call->snapshot.ledger), KIND_CONTACT, contact);
    if (amend.is_new)
        amend_number(&amend, CONTACT_CREATED, call->now_ms);
    if (amend.is_new && told->is_org)
        amend_number(&amend, CONTACT_IS_ORG, 1);
    for (size_t at = 0; at < SHARE_TEXTS; at++) {
        struct span mine = object_text(&amend.object, share_text_fields[at]);

        if (mine.size == 0 || span_is_equal(mine, kept->texts[at]))
            amend_text(&amend, share_text_fields[at], told->texts[at]);
    }
    for (size_t at = 0; at < SHARE_SETS; at++)
        op_shared_amend_set(&amend, share_set_fields[at], &kept->sets[at], &told->sets[at]);
    amend_restore(&amend);
    err = amend_end(&amend, NULL);
    memcpy(name, told->texts[0].data, told->texts[0].size);
    name[told->texts[0].size] = '\0';
    return err == ERR_OK ? op_undo_end(call, mark, "add", name) : err;
}

/* Somebody in the address book who may be the same person: before the contact is there, which would
 * be found first. */
static bool op_shared_look_alike(struct op_call *call, const struct share *told, struct id *out)
{
    struct import_match match = {0};
    struct person person = {0};
    bool is_found;

    person_begin(&person, 1);
    for (size_t at = 0; at < SHARE_TEXTS; at++)
        (void)person_set(&person, share_text_fields[at], told->texts[at]);
    for (size_t at = 0; at < SHARE_SETS; at++)
        for (size_t value = 0; value < told->sets[at].count; value++)
            (void)person_add(&person, share_set_fields[at], told->sets[at].values[value]);
    is_found = person_err(&person) == ERR_OK &&
               import_match(&call->snapshot, &person, &match) == ERR_OK &&
               (match.is_found || match.has_like);
    if (is_found)
        *out = match.is_found ? match.contact : match.like;
    person_release(&person);
    return is_found;
}

static enum err op_shared_decide(struct op_call *call, const struct share_view *view,
                                 enum share_decision decision, const struct id *contact,
                                 struct span body)
{
    struct amend amend;

    amend_begin(&amend, call->txn, ledger_self_space(call->snapshot.ledger), KIND_SHARE_RECORD,
                &view->record);
    amend_number(&amend, SHARE_RECORD_DECISION, decision);
    amend_number(&amend, SHARE_RECORD_DECIDED, call->now_ms);
    if (contact != NULL) {
        amend_bytes(&amend, SHARE_RECORD_CONTACT, span_of(contact->bytes, ID_SIZE));
        amend_bytes(&amend, SHARE_RECORD_BODY, body);
    }
    return amend_end(&amend, NULL);
}

static enum err op_shared_answer(struct op_call *call)
{
    struct op_shared_search search = {.call = call};
    enum err err = op_shared_find(&search, false);

    if (err == ERR_OK)
        call->result = json_incref(search.described);
    op_shared_end(&search);
    return err == ERR_OK && call->result == NULL ? ERR_NOMEM : err;
}

/* The body that was kept before; an empty share when none was. It borrows from record. */
static enum err op_shared_load_kept(struct op_call *call, const struct share_view *view,
                                    struct object *record, struct share *out)
{
    struct span body;
    enum share_fault fault;
    uint32_t number;
    enum err err = row_get(&call->snapshot, ledger_self_space(call->snapshot.ledger),
                           KIND_SHARE_RECORD, &view->record, record, &number);

    *out = (struct share){0};
    body = object_value(record, SHARE_RECORD_BODY).bytes;
    if (err == ERR_OK && body.size > 0)
        err = share_read(body, out, &fault);
    return err;
}

static enum err op_shared_add_like(struct op_call *call, const struct id *like)
{
    char id[ID_TEXT_SIZE];
    json_t *list;

    hex_write(span_of(like->bytes, ID_SIZE), id);
    list = json_pack("[s]", id);
    return json_object_set_new(call->result, "look_alike", list) == 0 ? ERR_OK : ERR_NOMEM;
}

enum err op_shared_keep(struct op_call *call)
{
    struct op_shared_search search = {.call = call};
    struct object record = {0};
    struct share kept, told;
    enum share_fault fault;
    struct id contact, like;
    bool has_like = false;
    enum err err = op_shared_find(&search, false);

    if (err == ERR_OK && !search.view.is_standing)
        err = op_fail(call, OP_FAILED, "kith share list", "it is not shared with you any more");
    if (err == ERR_OK)
        err = share_read(buf_span(&search.body), &told, &fault);
    if (err == ERR_OK)
        err = op_shared_load_kept(call, &search.view, &record, &kept);
    if (err == ERR_OK) {
        op_shared_contact_id(&search.view, &contact);
        has_like = !search.view.has_contact && op_shared_look_alike(call, &told, &like);
        err = op_shared_write_contact(call, &contact, &kept, &told);
    }
    if (err == ERR_OK)
        err = op_shared_decide(call, &search.view, SHARE_KEPT, &contact, buf_span(&search.body));
    if (err == ERR_OK)
        err = op_shared_answer(call);
    if (err == ERR_OK && has_like)
        err = op_shared_add_like(call, &like);
    object_release(&record);
    op_shared_end(&search);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the contact could not be kept");
}

enum err op_shared_set_aside(struct op_call *call)
{
    struct op_shared_search search = {.call = call};
    enum err err = op_shared_find(&search, false);

    if (err == ERR_OK && search.view.decision == SHARE_KEPT)
        err = op_fail(call, OP_FAILED, "kith contact remove WHO",
                      "you kept it: it is in your address book");
    if (err == ERR_OK)
        err = op_shared_decide(call, &search.view, SHARE_SET_ASIDE, NULL, span_of(NULL, 0));
    if (err == ERR_OK)
        err = op_shared_answer(call);
    op_shared_end(&search);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "it could not be set aside");
}
