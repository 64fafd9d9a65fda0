/*
 * First the search index says of whom the words are said at all, then the best of these are read
 * and judged by match.h. Endorsements are matches_endorsed.c's.
 */
#include "node/matches_state.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "node/date.h"
#include "node/describe.h"
#include "node/match.h"
#include "node/op_interaction.h"
#include "node/person_contact.h"
#include "proto/card.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_peer.h"
#include "storage/view_same.h"
#include "storage/view_search.h"

enum {
    MATCHES_SKILL_WEIGHT = 60,
    MATCHES_LOCATION_WEIGHT = 8,
    MATCHES_WHEN_WEIGHT = 4,
    MATCHES_WORD_WEIGHT = 1,
    MATCHES_ID_DIGITS = 12
};

void matches_begin(struct matches *matches, struct op_call *call)
{
    *matches = (struct matches){.call = call};
}

void matches_end(struct matches *matches)
{
    buf_release(&matches->endorsed);
    buf_release(&matches->abouts);
    if (matches->is_open)
        vouch_close(&matches->vouches);
}

/* Candidates. */

static bool matches_fits(const void *self, struct span token)
{
    return match_fits(self, token);
}

static unsigned matches_weight(enum match_sort sort)
{
    switch (sort) {
    case MATCH_SKILL:
        return MATCHES_SKILL_WEIGHT;
    case MATCH_LOCATION:
        return MATCHES_LOCATION_WEIGHT;
    case MATCH_WHEN:
        return MATCHES_WHEN_WEIGHT;
    case MATCH_WORD:
        break;
    }
    return MATCHES_WORD_WEIGHT;
}

static enum err matches_rank(struct matches_search *search, struct view_search_found *out)
{
    struct view_search_hint hints[MATCH_TERMS_MAX];
    uint64_t common = search->matches->contacts / MATCHES_COMMON_PART;
    enum err err;

    for (size_t at = 0; at < search->ask.count; at++) {
        const struct match_term *term = &search->ask.terms[at];

        hints[at] = (struct view_search_hint){.prefix = match_prefix(term),
                                              .fits = matches_fits,
                                              .self = term,
                                              .weight = matches_weight(term->sort)};
        if (term->sort == MATCH_WORD)
            hints[at].most = common > MATCHES_COMMON_MIN ? common : MATCHES_COMMON_MIN;
    }
    err = view_search_rank(&search->matches->call->snapshot, hints, search->ask.count,
                           MATCHES_LOOKED_MAX, out);
    for (size_t at = 0; at < search->ask.count && err == ERR_OK; at++)
        if (hints[at].is_too_common)
            search->ask.ignored |= UINT64_C(1) << at;
    return err;
}

/* Reading. */

static enum err matches_look_object(const struct match_ask *ask, const struct object *contact,
                                    const struct object *card, struct match_found *found)
{
    const struct object_element *tag;
    struct span note = object_text(contact, CONTACT_NOTE);
    const struct {
        enum match_place place;
        struct span text;
    } texts[] = {{MATCH_IN_TITLE, object_text(contact, CONTACT_TITLE)},
                 {MATCH_IN_TITLE, object_text(card, CARD_TITLE)},
                 {MATCH_IN_ORG, object_text(contact, CONTACT_ORG)},
                 {MATCH_IN_ORG, object_text(card, CARD_ORG)},
                 {MATCH_IN_PLACE, object_text(contact, CONTACT_PLACE)},
                 {MATCH_IN_PLACE, object_text(card, CARD_PLACE)},
                 {MATCH_IN_NOTE, match_may_read_note(note) ? note : span_of(NULL, 0)}};
    enum err err = ERR_OK;

    for (size_t at = 0; at < sizeof texts / sizeof texts[0] && err == ERR_OK; at++)
        err = match_look(ask, texts[at].place, texts[at].text, found);
    for (tag = object_element_next(contact, CONTACT_TAGS, NULL); err == ERR_OK && tag != NULL;
         tag = object_element_next(contact, CONTACT_TAGS, tag))
        err = match_look(ask, MATCH_IN_TAGS, tag->value.bytes, found);
    return err;
}

/* Why. */

void matches_say(struct buf *out, const char *words, struct span text)
{
    if (text.size == 0)
        return;
    buf_append(out, span_str(out->size > 0 ? "; " : ""));
    buf_append(out, span_str(words));
    buf_append(out, text);
}

static struct span matches_either(const struct object *contact, uint8_t field,
                                  const struct object *card, uint8_t card_field)
{
    struct span mine = object_text(contact, field);

    return mine.size > 0 ? mine : object_text(card, card_field);
}

/* "Designer at Ito Design" */
static void matches_say_work(struct buf *out, struct span title, struct span org)
{
    matches_say(out, "", title);
    if (title.size == 0)
        matches_say(out, "at ", org);
    else if (org.size > 0) {
        buf_append(out, span_str(" at "));
        buf_append(out, org);
    }
}

static enum err matches_say_tags(struct buf *out, const struct match_ask *ask,
                                 const struct object *contact)
{
    const struct object_element *tag;
    const char *words = "tagged ";
    enum err err = ERR_OK;

    for (tag = object_element_next(contact, CONTACT_TAGS, NULL); err == ERR_OK && tag != NULL;
         tag = object_element_next(contact, CONTACT_TAGS, tag)) {
        struct match_found found = {0};

        err = match_look(ask, MATCH_IN_TAGS, tag->value.bytes, &found);
        if (found.at[MATCH_IN_TAGS] == 0)
            continue;
        matches_say(out, words, tag->value.bytes);
        words = "";
    }
    return err;
}

static void matches_say_last(struct buf *out, uint64_t last_ms, uint64_t now_ms)
{
    char ago[DATE_AGO_SIZE];

    if (last_ms == 0) {
        matches_say(out, "", span_str("never noted as in touch"));
        return;
    }
    date_ago(last_ms, now_ms, ago);
    matches_say(out, "last in touch ", span_str(ago));
}

/* What to type. */

void matches_add_next(json_t *list, const char *const *words)
{
    struct buf line = {0};

    for (size_t at = 0; words[at] != NULL; at++) {
        buf_append(&line, span_str(at > 0 ? " " : ""));
        buf_append(&line, span_str(words[at]));
    }
    if (buf_err(&line) == ERR_OK)
        (void)json_array_append_new(list, json_stringn((const char *)line.data, line.size));
    buf_release(&line);
}

static json_t *matches_next(const struct matches_search *search, const struct id *contact,
                            bool is_peer)
{
    const struct matches_question *question = search->question;
    char who[ID_TEXT_SIZE], did[DID_SIZE];
    json_t *list = json_array();

    hex_write(span_of(contact->bytes, ID_SIZE), who);
    who[MATCHES_ID_DIGITS] = '\0';
    matches_add_next(list, (const char *const[]){"kith contact show", who, NULL});
    if (is_peer && question->can_pass)
        matches_add_next(list,
                         (const char *const[]){"kith ask pass", question->id, "--to", who, NULL});
    matches_add_next(list, (const char *const[]){"kith ask reply", question->id, "--about", who,
                                                 "--text \"...\"", NULL});
    if (is_peer && question->author != NULL) {
        identity_did(question->author, did);
        matches_add_next(list,
                         (const char *const[]){"kith introduce", did, who, "--why \"...\"", NULL});
    }
    return list;
}

static enum err matches_say_why(struct matches_search *search, const struct matches_row *row,
                                const struct object *contact, const struct object *card,
                                struct buf *out)
{
    const uint64_t *at = row->found.at;
    enum err err;

    if ((at[MATCH_IN_TITLE] | at[MATCH_IN_ORG]) != 0)
        matches_say_work(out, matches_either(contact, CONTACT_TITLE, card, CARD_TITLE),
                         matches_either(contact, CONTACT_ORG, card, CARD_ORG));
    if (at[MATCH_IN_PLACE] != 0)
        matches_say(out, "in ", matches_either(contact, CONTACT_PLACE, card, CARD_PLACE));
    err = matches_say_tags(out, &search->ask, contact);
    if (err == ERR_OK)
        err = matches_say_endorsed(out, search->matches, &search->ask, row->number);
    if (at[MATCH_IN_NOTE] != 0)
        matches_say(out, "", span_str("your note fits"));
    matches_say_last(out, row->last_ms, search->matches->call->now_ms);
    return err == ERR_OK ? buf_err(out) : err;
}

static enum err matches_describe(struct matches_search *search, const struct matches_row *row,
                                 json_t *list)
{
    struct op_call *call = search->matches->call;
    struct object contact = {0}, card = {0};
    json_t *who = json_object(), *described;
    struct buf why = {0};
    struct span name;
    uint32_t head;
    enum err err = view_same_read(&call->snapshot, row->number, &contact, &head);

    if (err == ERR_OK)
        err = person_card_of(&call->snapshot, &contact, &card);
    if (err == ERR_OK)
        err = matches_say_why(search, row, &contact, &card, &why);
    name = view_contact_shown(&contact);
    describe_set_id(who, "id", &row->id);
    describe_set_name(who, name.size > 0 ? name : object_text(&card, CARD_NAME));
    describe_set_text(who, "title", matches_either(&contact, CONTACT_TITLE, &card, CARD_TITLE));
    describe_set_text(who, "org", matches_either(&contact, CONTACT_ORG, &card, CARD_ORG));
    describe_set_text(who, "place", matches_either(&contact, CONTACT_PLACE, &card, CARD_PLACE));
    described = json_pack("{s:o, s:b, s:o}", "contact", who, "peer", row->is_peer, "next",
                          matches_next(search, &row->id, row->is_peer));
    if (described != NULL) {
        describe_set_text(described, "why", buf_span(&why));
        describe_set_time(described, "last", row->last_ms);
    }
    if (json_array_append_new(list, described) != 0 && err == ERR_OK)
        err = ERR_NOMEM;
    object_release(&contact);
    object_release(&card);
    buf_release(&why);
    return err;
}

/* Judging one. */

static enum err matches_ask_about(struct matches_search *search, const struct object *contact,
                                  bool *out_is_peer, bool *out_is_left_out)
{
    const struct matches_question *question = search->question;
    struct span member = object_value(contact, CONTACT_MEMBER).bytes;
    struct public_key root;
    struct peer *peer;
    enum err err;

    *out_is_peer = *out_is_left_out = false;
    if (member.size != sizeof root.bytes)
        return ERR_OK;
    memcpy(root.bytes, member.data, sizeof root.bytes);
    *out_is_left_out =
        question->is_left_out != NULL && question->is_left_out(question->self, &root);
    peer = secret_new(sizeof *peer);
    if (peer == NULL)
        return ERR_NOMEM;
    err = view_peer(&search->matches->call->snapshot, &root, peer);
    *out_is_peer = err == ERR_OK && peer->state == LINK_LINKED;
    secret_free(peer);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err matches_judge(struct matches_search *search, uint32_t number)
{
    struct op_call *call = search->matches->call;
    struct matches_row *row = &search->rows[search->count];
    struct object contact = {0}, card = {0};
    bool is_left_out;
    enum err err = view_same_read(&call->snapshot, number, &contact, &row->number);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    row->found = (struct match_found){0};
    err = matches_ask_about(search, &contact, &row->is_peer, &is_left_out);
    if (err == ERR_OK)
        err = person_card_of(&call->snapshot, &contact, &card);
    if (err == ERR_OK)
        err = matches_look_object(&search->ask, &contact, &card, &row->found);
    if (err == ERR_OK)
        err = matches_look_endorsed(search->matches, &search->ask, row->number, &row->found);
    row->score = err == ERR_OK && !is_left_out ? match_score(&search->ask, &row->found) : 0;
    row->id = contact.id;
    if (row->score > 0) {
        search->count++;
        err = op_interaction_last(call, row->number, &row->last_ms);
    }
    if (err == ERR_OK && row->score > 0)
        err = fold(view_contact_shown(&contact), &row->folded);
    object_release(&contact);
    object_release(&card);
    return err;
}

static int matches_best_first(const void *left, const void *right)
{
    const struct matches_row *one = left, *other = right;
    int order;

    if (one->score != other->score)
        return one->score > other->score ? -1 : 1;
    if (one->last_ms != other->last_ms)
        return one->last_ms > other->last_ms ? -1 : 1;
    order = span_order(buf_span(&one->folded), buf_span(&other->folded));
    return order != 0
               ? order
               : span_order(span_of(one->id.bytes, ID_SIZE), span_of(other->id.bytes, ID_SIZE));
}

static enum err matches_search_all(struct matches_search *search)
{
    struct view_search_found ranked = {0};
    struct buf quoted = {0};
    enum err err = matches_rank(search, &ranked);

    if (err == ERR_OK)
        err = matches_find_quoted(search, &quoted);
    for (size_t at = 0; at < ranked.count && err == ERR_OK; at++)
        err = matches_judge(search, ranked.numbers[at]);
    if (err == ERR_OK)
        err = matches_judge_endorsed(search, &ranked);
    if (err == ERR_OK)
        err = matches_judge_quoted(search, &quoted);
    buf_release(&quoted);
    heap_free(ranked.numbers);
    return err;
}

static enum err matches_read_question(struct matches_search *search)
{
    const struct matches_question *question = search->question;
    enum err err = ERR_OK;

    for (size_t at = 0; at < question->tags_count && err == ERR_OK; at++)
        err = match_add_tag(&search->ask, question->tags[at]);
    if (err == ERR_OK)
        err = match_add_text(&search->ask, question->title);
    return err == ERR_OK ? match_add_text(&search->ask, question->text) : err;
}

enum err matches_of(struct matches *matches, const struct matches_question *question, json_t **out)
{
    struct matches_search *search = heap_new_zeroed(1, sizeof *search);
    enum err err = search != NULL ? matches_load(matches) : ERR_NOMEM;

    *out = json_array();
    if (err == ERR_OK) {
        search->matches = matches;
        search->question = question;
        err = matches_read_question(search);
    }
    if (err == ERR_OK && search->ask.count > 0)
        err = matches_search_all(search);
    if (err == ERR_OK && search->count > 1)
        qsort(search->rows, search->count, sizeof *search->rows, matches_best_first);
    for (size_t at = 0; search != NULL && at < search->count; at++) {
        const struct matches_row *row = &search->rows[at];

        if (err == ERR_OK && at < MATCHES_SHOWN_MAX)
            err = row->number != 0 ? matches_describe(search, row, *out)
                                   : matches_describe_quoted(search, row, *out);
        buf_release(&search->rows[at].folded);
    }
    heap_free(search);
    if (err != ERR_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return err;
}
