/*
 * First whom the owner knows, then whom those know. Ways through others are ranked by the weakest
 * trust on them, then by how lately the owner was in touch with the first of them.
 */
#include "node/op_path.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/describe.h"
#include "node/describe_path.h"
#include "node/op_interaction.h"
#include "storage/fold.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_same.h"
#include "storage/view_search.h"

enum {
    OP_PATH_LIMIT = 10,
    OP_PATH_KEPT = 4 * OP_PATH_LIMIT, /* the best so far: of equal ones the lately met come first */
    OP_PATH_CONTACTS_MAX = 50,        /* found by words, before they are ranked */
    OP_PATH_BUDGET = 100000           /* neighbours looked at */
};

/* How far the ways to somebody were looked for. */
enum op_path_looked { OP_PATH_NEW, OP_PATH_WANTED, OP_PATH_TAKEN };

struct op_path {
    struct op_call *call;
    struct vouch_view view;
    uint32_t me;              /* UINT32_MAX: not in the graph */
    struct buf words, folded; /* what is looked for, as one text */
    struct buf tag, place;    /* folded */
    struct name_match who;    /* looked for by name */
    bool has_who;
    struct describe_path rows[OP_PATH_KEPT]; /* the best, in order */
    size_t kept, count;                      /* rows that are kept; found in all */
    uint8_t *looked;                         /* of each person in the graph: enum op_path_looked */
    uint32_t people;
    uint32_t budget;
    bool is_cut;
};

/* What is looked for. */

static enum err op_path_add_text(struct op_path *path, const char *text)
{
    if (path->words.size > 0)
        buf_byte(&path->words, ' ');
    buf_append(&path->words, span_str(text));
    return buf_err(&path->words);
}

static enum err op_path_read_words(struct op_path *path)
{
    json_t *words = op_list(path->call, "words"), *word;
    size_t at;
    enum err err = ERR_OK;

    json_array_foreach(words, at, word)
    {
        const char *text = json_string_value(word);

        if (text == NULL)
            return op_fail(path->call, OP_USAGE, "kith path designer", "words are texts");
        if (err == ERR_OK)
            err = op_path_add_text(path, text);
    }
    return err;
}

/* A whole name, or a did:key; several people of one name are found by their words. */
static enum err op_path_read_who(struct op_path *path)
{
    struct op_call *call = path->call;
    enum err err;

    if (identity_read_did(buf_span(&path->words), &path->who.member) == ERR_OK) {
        path->has_who = path->who.has_member = true;
        return ERR_OK;
    }
    buf_byte(&path->words, 0);
    err = buf_err(&path->words);
    if (err == ERR_OK)
        err = name_find(call, (const char *)path->words.data, &path->who);
    path->words.size--;
    path->has_who = err == ERR_OK;
    if (err != ERR_NOT_FOUND && err != ERR_AMBIGUOUS)
        return err;
    call->failure = (struct op_failure){.code = OP_DONE};
    path->who = (struct name_match){.has_member = false};
    return ERR_OK;
}

static enum err op_path_read(struct op_path *path)
{
    const char *tag = op_text(path->call, "tag"), *place = op_text(path->call, "place");
    enum err err = op_path_read_words(path);

    if (err == ERR_OK && path->words.size == 0 && tag == NULL && place == NULL)
        return op_fail(path->call, OP_USAGE, "kith path designer --place \"Oklahoma City\"",
                       "say whom you look for: a name, words, --tag or --place");
    if (err == ERR_OK && path->words.size > 0 && tag == NULL && place == NULL)
        err = op_path_read_who(path);
    if (err == ERR_OK && tag != NULL) {
        err = op_path_add_text(path, tag);
        if (err == ERR_OK)
            err = fold(span_str(tag), &path->tag);
    }
    if (err == ERR_OK)
        err = fold(buf_span(&path->words), &path->folded);
    return err == ERR_OK && place != NULL ? fold(span_str(place), &path->place) : err;
}

/* The better first; by how lately, only once that is known. */
static int op_path_order(const void *left, const void *right)
{
    const struct describe_path *one = left, *other = right;

    if (one->is_direct != other->is_direct)
        return one->is_direct ? -1 : 1;
    if (one->least != other->least)
        return one->least > other->least ? -1 : 1;
    if (one->count != other->count)
        return one->count < other->count ? -1 : 1;
    if (one->touched_ms != other->touched_ms)
        return one->touched_ms > other->touched_ms ? -1 : 1;
    if (one->has_member && other->has_member)
        return span_order(span_of(one->member.bytes, 32), span_of(other->member.bytes, 32));
    return one->number < other->number ? -1 : one->number > other->number;
}

static void op_path_keep(struct op_path *path, const struct describe_path *row)
{
    size_t at = path->kept;

    path->count++;
    if (path->kept == OP_PATH_KEPT) {
        if (op_path_order(row, &path->rows[OP_PATH_KEPT - 1]) >= 0)
            return;
        at = OP_PATH_KEPT - 1;
    } else {
        path->kept++;
    }
    for (; at > 0 && op_path_order(row, &path->rows[at - 1]) < 0; at--)
        path->rows[at] = path->rows[at - 1];
    path->rows[at] = *row;
}

/* People the owner knows. */

static enum err op_path_add_direct(struct op_path *path, uint32_t number,
                                   const struct name_match *who)
{
    struct describe_path row = {
        .is_direct = true, .number = number, .has_contact = who->has_contact};
    enum closeness level = closeness_to(&path->view.near, who);
    enum err err = ERR_OK;

    if (level == CLOSENESS_MUTED)
        return ERR_OK;
    row.least = vouch_amount(level);
    row.level = level;
    row.has_member = who->has_member;
    row.member = who->member;
    row.is_in_graph = who->has_member && vouch_person(&path->view, &who->member, &row.to);
    if (row.is_in_graph)
        path->looked[row.to] = OP_PATH_TAKEN;
    if (who->has_contact)
        err = op_interaction_last(path->call, number, &row.touched_ms);
    if (err == ERR_OK)
        op_path_keep(path, &row);
    return err;
}

static enum err op_path_read_contact(struct op_path *path, uint32_t number, struct name_match *out)
{
    struct object contact;
    struct span member;
    enum err err = view_same_read(&path->call->snapshot, number, &contact, &out->number);

    if (err != ERR_OK)
        return err;
    member = object_value(&contact, CONTACT_MEMBER).bytes;
    out->has_contact = true;
    out->contact = contact.id;
    out->has_member = member.size == sizeof out->member.bytes;
    if (out->has_member)
        memcpy(out->member.bytes, member.data, member.size);
    object_release(&contact);
    return ERR_OK;
}

/* Does a text of the page hold this, both folded? */
static enum err op_path_holds(const char *text, const struct buf *wanted, bool *out)
{
    struct buf folded = {0};
    enum err err = fold(span_str(text != NULL ? text : ""), &folded);

    *out = err == ERR_OK && folded.size >= wanted->size &&
           memmem(folded.data, folded.size, wanted->data, wanted->size) != NULL;
    buf_release(&folded);
    return err;
}

/* Their own words and the card's: is there the tag, is it the place? */
static enum err op_path_is_wanted(struct op_path *path, uint32_t number, bool asks_tag, bool *out)
{
    json_t *page, *tag;
    size_t at;
    bool has_tag = !asks_tag || path->tag.size == 0, has_place = path->place.size == 0;
    enum err err = ERR_OK;

    *out = has_tag && has_place;
    if (*out)
        return ERR_OK;
    page = describe_contact_numbered(path->call, number);
    if (page == NULL)
        return ERR_NOMEM;
    json_array_foreach(json_object_get(page, "tags"), at, tag)
    {
        bool is_it = false;

        if (err == ERR_OK && !has_tag)
            err = op_path_holds(json_string_value(tag), &path->tag, &is_it);
        has_tag |= is_it;
    }
    if (err == ERR_OK && !has_place)
        err = op_path_holds(json_string_value(json_object_get(page, "place")), &path->place,
                            &has_place);
    json_decref(page);
    *out = has_tag && has_place;
    return err;
}

static enum err op_path_contacts(struct op_path *path)
{
    struct view_search_found found = {0};
    struct buf text = {0};
    enum err err;

    buf_append(&text, buf_span(&path->folded));
    buf_byte(&text, ' ');
    buf_append(&text, buf_span(&path->place));
    err = buf_err(&text);
    if (err == ERR_OK)
        err =
            view_search_find(&path->call->snapshot, buf_span(&text), OP_PATH_CONTACTS_MAX, &found);
    if (err == ERR_INVALID)
        err = op_fail(path->call, OP_USAGE, "kith path designer",
                      "say whom you look for: 1 to %d words", VIEW_SEARCH_WORDS_MAX);
    path->is_cut |= found.total > found.count;
    for (size_t at = 0; err == ERR_OK && at < found.count; at++) {
        struct name_match who = {.has_member = false};
        bool is_wanted = false;

        err = op_path_is_wanted(path, found.numbers[at], true, &is_wanted);
        if (err == ERR_OK && is_wanted)
            err = op_path_read_contact(path, found.numbers[at], &who);
        if (err == ERR_OK && is_wanted)
            err = op_path_add_direct(path, who.number, &who);
    }
    heap_free(found.numbers);
    buf_release(&text);
    return err;
}

/* People others are endorsed before: quotes, and peers whose card says nothing of it. */

static enum err op_path_on_person(void *self, uint32_t person)
{
    struct op_path *path = self;

    if (path->looked[person] == OP_PATH_NEW && person != path->me)
        path->looked[person] = OP_PATH_WANTED;
    return ERR_OK;
}

/* A peer who is endorsed for it. */
static enum err op_path_add_friend(struct op_path *path, const struct public_key *member)
{
    struct name_match who = {.has_member = true, .member = *member};
    const struct closeness_row *row = closeness_of(&path->view.near, &who.member);
    struct snapshot *snapshot = &path->call->snapshot;
    struct space_row self;
    bool is_wanted = path->place.size == 0;
    uint32_t number = 0;
    enum err err = ledger_space(snapshot, ledger_self_space(snapshot->ledger), &self);

    if (err == ERR_OK && row != NULL && row->has_contact)
        err = row_find(snapshot, self.number, KIND_CONTACT, &row->contact, &number);
    if (err == ERR_OK && number != 0)
        err = op_path_read_contact(path, number, &who);
    if (err == ERR_OK && who.has_contact)
        err = op_path_is_wanted(path, who.number, false, &is_wanted);
    return err == ERR_OK && is_wanted ? op_path_add_direct(path, who.number, &who) : err;
}

static enum err op_path_fits(const struct op_path *path, const struct endorsement_view *view,
                             bool *out)
{
    enum err err = ERR_OK;

    *out = false;
    for (size_t at = 0; err == ERR_OK && !*out && at < view->about_count; at++) {
        struct buf tag = {0};

        err = fold(view->about[at], &tag);
        if (err == ERR_OK)
            err = vouch_tags_fit(buf_span(&tag), buf_span(&path->folded), out);
        buf_release(&tag);
    }
    return err;
}

/* Only those in the graph are marked where they are looked at. */
static bool op_path_is_told(const struct op_path *path, const struct public_key *member)
{
    for (size_t at = 0; at < path->kept; at++)
        if (path->rows[at].has_member && public_key_is_equal(&path->rows[at].member, member))
            return true;
    return false;
}

static enum err op_path_on_given(void *self, const struct endorsement_view *view)
{
    struct op_path *path = self;
    bool is_live = view->state == ENDORSEMENT_SENT || view->state == ENDORSEMENT_ACCEPTED;
    bool is_fit = false;
    enum err err = ERR_OK;

    if (is_live && !view->is_superseded && closeness_of(&path->view.near, &view->subject) != NULL)
        err = op_path_fits(path, view, &is_fit);
    return err == ERR_OK && is_fit && !op_path_is_told(path, &view->subject)
               ? op_path_add_friend(path, &view->subject)
               : err;
}

/* What the owner wrote carries no trust, so that the graph leaves it out; she still knows whom she
 * wrote it of, and before they have shown it to anybody. */
static enum err op_path_given(struct op_path *path)
{
    if (path->folded.size == 0)
        return ERR_OK;
    return view_endorsement_given(&path->call->snapshot, path->call->now_ms, op_path_on_given,
                                  path);
}

static void op_path_put_way(struct op_path *path, const struct warm_way *way)
{
    const struct describe_path *worst = &path->rows[OP_PATH_KEPT - 1];
    struct describe_path row;

    /* Most are turned away here, where thousands fit. */
    if (path->kept == OP_PATH_KEPT && (worst->is_direct || worst->least > way->least)) {
        path->count++;
        return;
    }
    row = (struct describe_path){.is_in_graph = true,
                                 .has_member = true,
                                 .member = *vouch_member(&path->view, way->to),
                                 .to = way->to,
                                 .through = {way->through[0], way->through[1]},
                                 .count = way->count,
                                 .least = way->least};

    op_path_keep(path, &row);
}

/* Where people are stands in the address book alone; whoever is not in it may be there. */
static enum err op_path_may_be_there(struct op_path *path, uint32_t person, bool *out)
{
    const struct snapshot *snapshot = &path->call->snapshot;
    uint32_t number;
    enum err err;

    *out = true;
    if (path->place.size == 0)
        return ERR_OK;
    err = view_contact_of_member(snapshot, vouch_member(&path->view, person), &number);
    if (err == ERR_OK)
        err = view_same_head(snapshot, number, &number);
    if (err == ERR_OK)
        err = op_path_is_wanted(path, number, false, out);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err op_path_on_way(void *self, const struct warm_way *way)
{
    struct op_path *path = self;
    bool may_be;
    enum err err;

    /* The nearest friend comes first. */
    if (path->looked[way->to] != OP_PATH_WANTED)
        return ERR_OK;
    path->looked[way->to] = OP_PATH_TAKEN;
    err = op_path_may_be_there(path, way->to, &may_be);
    if (err == ERR_OK && may_be)
        op_path_put_way(path, way);
    return err;
}

/* The best way through two people to one of many. */
static enum err op_path_add_far(struct op_path *path, uint32_t person)
{
    struct buf ways = {0};
    const struct warm_way *way;
    enum err err = warm_find(&path->view, path->me, person, true, &path->budget, &ways);
    size_t count = ways.size / sizeof *way, best = 0;

    way = (const struct warm_way *)(const void *)ways.data;
    for (size_t at = 1; at < count; at++)
        if (way[at].least > way[best].least)
            best = at;
    if (err == ERR_OK && count > 0)
        err = op_path_on_way(path, &way[best]);
    buf_release(&ways);
    return err;
}

static bool op_path_is_open(const struct op_path *path, uint32_t person, bool is_friend)
{
    return path->looked[person] == OP_PATH_WANTED &&
           (trust_hop(path->view.flow, person) == 1) == is_friend;
}

/* Friends; whom they know; and only where those are few, those two people away. */
static enum err op_path_endorsed(struct op_path *path)
{
    enum err err = path->folded.size > 0
                       ? vouch_find(&path->view, buf_span(&path->folded), op_path_on_person, path)
                       : ERR_OK;

    for (uint32_t person = 0; err == ERR_OK && person < path->people; person++)
        if (op_path_is_open(path, person, true)) {
            path->looked[person] = OP_PATH_TAKEN;
            err = op_path_add_friend(path, vouch_member(&path->view, person));
        }
    if (err == ERR_OK)
        err = warm_ahead(&path->view, path->me, &path->budget, op_path_on_way, path);
    for (uint32_t person = 0;
         err == ERR_OK && path->count < OP_PATH_LIMIT && path->budget > 0 && person < path->people;
         person++)
        if (op_path_is_open(path, person, false))
            err = op_path_add_far(path, person);
    path->is_cut |= path->budget == 0;
    return err;
}

/* One person, by name. */
static enum err op_path_to_who(struct op_path *path)
{
    bool is_known =
        path->who.has_contact ||
        (path->who.has_member && closeness_of(&path->view.near, &path->who.member) != NULL);
    struct buf ways = {0};
    uint32_t person;
    enum err err = is_known ? op_path_add_direct(path, path->who.number, &path->who) : ERR_OK;

    if (err == ERR_OK && path->who.has_member &&
        vouch_person(&path->view, &path->who.member, &person) && person != path->me) {
        err = warm_find(&path->view, path->me, person, true, &path->budget, &ways);
        for (size_t at = 0; err == ERR_OK && at < ways.size; at += sizeof(struct warm_way))
            op_path_put_way(path, (const struct warm_way *)(const void *)(ways.data + at));
    }
    path->is_cut |= path->budget == 0;
    buf_release(&ways);
    return err;
}

/* Ranking. */

/* When the owner was last in touch with the first on the way. */
static enum err op_path_touch(struct op_path *path, struct describe_path *row)
{
    const struct closeness_row *known =
        closeness_of(&path->view.near, vouch_member(&path->view, row->through[0]));
    struct snapshot *snapshot = &path->call->snapshot;
    struct space_row self;
    uint32_t number;
    enum err err;

    if (known == NULL || !known->has_contact)
        return ERR_OK;
    err = ledger_space(snapshot, ledger_self_space(snapshot->ledger), &self);
    if (err == ERR_OK)
        err = row_find(snapshot, self.number, KIND_CONTACT, &known->contact, &number);
    if (err == ERR_OK)
        err = op_interaction_last(path->call, number, &row->touched_ms);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err op_path_rank(struct op_path *path)
{
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < path->kept; at++)
        if (!path->rows[at].is_direct)
            err = op_path_touch(path, &path->rows[at]);
    qsort(path->rows, path->kept, sizeof *path->rows, op_path_order);
    return err;
}

/* Answers. */

static enum err op_path_answer(struct op_path *path)
{
    json_t *list = json_array();
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < path->kept && at < OP_PATH_LIMIT; at++) {
        json_t *row = describe_path(&path->view, &path->rows[at]);

        if (row == NULL || json_array_append_new(list, row) != 0)
            err = ERR_NOMEM;
    }
    path->call->result = json_pack("{s:o}", "paths", list);
    if (path->call->result == NULL)
        return ERR_NOMEM;
    if (path->count == 0)
        describe_path_none(path->call, buf_span(&path->words), path->call->result);
    if (path->is_cut || vouch_is_cut(&path->view) || path->count > OP_PATH_LIMIT)
        (void)json_object_set_new(path->call->result, "is_cut", json_true());
    return err;
}

static enum err op_path_search(struct op_path *path)
{
    enum err err = vouch_open(path->call, &path->view);

    if (err != ERR_OK)
        return err;
    path->people = vouch_trust(&path->view)->people;
    path->looked = heap_new_zeroed((size_t)path->people + 1, 1);
    if (path->looked == NULL)
        return ERR_NOMEM;
    if (!vouch_person(&path->view, ledger_member(path->call->snapshot.ledger), &path->me))
        path->me = UINT32_MAX;
    if (path->has_who)
        return op_path_to_who(path);
    err = op_path_contacts(path);
    if (err == ERR_OK)
        err = op_path_given(path);
    return err == ERR_OK ? op_path_endorsed(path) : err;
}

enum err op_path(struct op_call *call)
{
    struct op_path path = {.call = call, .budget = OP_PATH_BUDGET};
    enum err err = op_path_read(&path);

    if (err == ERR_OK)
        err = op_path_search(&path);
    if (err == ERR_OK)
        err = op_path_rank(&path);
    if (err == ERR_OK)
        err = op_path_answer(&path);
    buf_release(&path.words);
    buf_release(&path.folded);
    buf_release(&path.tag);
    buf_release(&path.place);
    heap_free(path.looked);
    vouch_close(&path.view);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "no way could be looked for");
}
