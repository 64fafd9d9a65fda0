/* Names of others can hold anything; in a line to type they stand only when no shell could read
 * more in them than a name. */
#include "node/describe_path.h"

#include <string.h>

#include "node/date.h"
#include "node/describe.h"
#include "node/vouch_words.h"
#include "storage/view_contact.h"

static void describe_path_put(struct buf *line, const char *text)
{
    buf_append(line, span_str(text));
}

bool describe_path_is_plain(struct span name)
{
    for (size_t at = 0; at < name.size; at++) {
        uint8_t letter = name.data[at];
        bool is_letter = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                         (letter >= '0' && letter <= '9') || letter >= 0x80;

        if (!is_letter && strchr(at > 0 ? " ._-'" : "", letter) == NULL)
            return false;
    }
    return name.size > 0;
}

void describe_path_put_who(json_t *who, struct buf *line)
{
    const char *name = json_string_value(json_object_get(who, "name"));
    const char *id = json_string_value(json_object_get(who, "id"));
    const char *member = json_string_value(json_object_get(who, "member"));

    if (name != NULL && describe_path_is_plain(span_str(name))) {
        describe_path_put(line, "\"");
        describe_path_put(line, name);
        describe_path_put(line, "\"");
        return;
    }
    describe_path_put(line, member != NULL ? member : id != NULL ? id : "WHO");
}

static void describe_path_set(json_t *out, const char *key, struct buf *line)
{
    describe_set_text(out, key, buf_span(line));
    buf_release(line);
}

/* Why two people know one another. */

struct describe_path_why {
    struct vouch_view *view;
    const struct public_key *issuer;
    struct public_key subject;
    struct buf *line;
};

static enum err describe_path_on_view(void *self, const struct endorsement_view *view)
{
    struct describe_path_why *why = self;
    char day[DATE_TEXT_SIZE];
    enum err err;

    if (view->state != ENDORSEMENT_ACCEPTED || view->is_superseded ||
        !public_key_is_equal(&view->issuer, why->issuer))
        return ERR_OK;
    err = vouch_put_name(why->view, why->issuer, why->line);
    describe_path_put(why->line, " ");
    describe_path_put(why->line, vouch_relation(view->relation, false));
    describe_path_put(why->line, " ");
    if (err == ERR_OK)
        err = vouch_put_name(why->view, &why->subject, why->line);
    describe_path_put(why->line, vouch_relation_end(view->relation));
    describe_path_put(why->line, " (");
    for (size_t at = 0; at < view->about_count; at++) {
        describe_path_put(why->line, at > 0 ? ", " : "");
        buf_append(why->line, view->about[at]);
    }
    date_write(view->issued_s * 1000, day);
    describe_path_put(why->line, "; written ");
    describe_path_put(why->line, day);
    describe_path_put(why->line, ")");
    return err == ERR_OK ? ERR_CANCELLED : err;
}

/* The newest thing the one wrote of the other; nothing, when there is none. */
static enum err describe_path_wrote(struct vouch_view *view, const struct public_key *issuer,
                                    const struct public_key *subject, struct buf *line)
{
    struct describe_path_why why = {
        .view = view, .issuer = issuer, .subject = *subject, .line = line};
    enum err err = view_endorsement_of(&view->call->snapshot, view->call->now_ms, subject,
                                       describe_path_on_view, &why);

    return err == ERR_CANCELLED ? ERR_OK : err;
}

static enum err describe_path_why(struct vouch_view *view, const struct public_key *one,
                                  const struct public_key *other, struct buf *line)
{
    size_t begun = line->size;
    enum err err = describe_path_wrote(view, one, other, line);

    if (err == ERR_OK && line->size == begun)
        err = describe_path_wrote(view, other, one, line);
    if (err != ERR_OK || line->size > begun)
        return err;
    err = vouch_put_name(view, one, line);
    describe_path_put(line, " is linked with ");
    if (err == ERR_OK)
        err = vouch_put_name(view, other, line);
    describe_path_put(line, " on kith");
    return err;
}

/* Through others. */

/* Where the way goes from step at on. */
static const struct public_key *describe_path_step(const struct vouch_view *view,
                                                   const struct describe_path *path, uint32_t at)
{
    return at < path->count ? vouch_member(view, path->through[at]) : &path->member;
}

/* Whoever is in no address book may be anywhere: --place was not asked of them. */
static enum err describe_path_whereabouts(struct vouch_view *view, const struct describe_path *path,
                                          struct buf *sentence, json_t *out)
{
    uint32_t number;
    enum err err;

    if (op_text(view->call, "place") == NULL)
        return ERR_OK;
    err = view_contact_of_member(&view->call->snapshot, &path->member, &number);
    (void)json_object_set_new(out, "place_known", json_boolean(err == ERR_OK));
    if (err != ERR_NOT_FOUND)
        return err;
    describe_path_put(sentence, " Nobody has told you where ");
    err = vouch_put_name(view, &path->member, sentence);
    describe_path_put(sentence, " is.");
    return err;
}

static enum err describe_path_far(struct vouch_view *view, const struct describe_path *path,
                                  json_t *out)
{
    json_t *through = json_array(), *to = vouch_describe(view, &path->member);
    json_t *first = vouch_describe(view, describe_path_step(view, path, 0));
    json_t *wanted = vouch_describe(view, describe_path_step(view, path, 1));
    struct buf sentence = {0}, next = {0};
    enum err err = ERR_OK;

    /* A name nobody here has been told by its bearer finds nobody. */
    if (closeness_of(&view->near, describe_path_step(view, path, 1)) == NULL)
        (void)json_object_del(wanted, "name");
    for (uint32_t at = 0; err == ERR_OK && at < path->count; at++) {
        const struct public_key *one = describe_path_step(view, path, at);
        json_t *row = vouch_describe(view, one);
        struct buf why = {0};

        err = describe_path_why(view, one, describe_path_step(view, path, at + 1), &why);
        describe_path_put(&sentence, at > 0 ? ", and " : "");
        buf_append(&sentence, buf_span(&why));
        describe_path_set(row, "why", &why);
        (void)json_array_append_new(through, row);
    }
    describe_path_put(&sentence, ". Ask ");
    if (err == ERR_OK)
        err = vouch_put_name(view, describe_path_step(view, path, 0), &sentence);
    describe_path_put(&sentence,
                      path->count > 1 ? " first: they know who comes next." : " to introduce you.");
    if (err == ERR_OK)
        err = describe_path_whereabouts(view, path, &sentence, out);
    describe_path_put(&next, "kith intro want ");
    describe_path_put_who(wanted, &next);
    describe_path_put(&next, " --from ");
    describe_path_put_who(first, &next);
    describe_path_put(&next, " --blurb \"...\"");
    (void)json_object_set_new(out, "to", to);
    (void)json_object_set_new(out, "through", through);
    describe_path_set(out, "sentence", &sentence);
    describe_path_set(out, "next", &next);
    json_decref(first);
    json_decref(wanted);
    return err;
}

/* Without others. */

static void describe_path_put_detail(json_t *page, const char *key, const char *before,
                                     struct buf *line)
{
    const char *text = json_string_value(json_object_get(page, key));

    if (text == NULL)
        return;
    describe_path_put(line, before);
    describe_path_put(line, text);
}

static json_t *describe_path_page(struct vouch_view *view, const struct describe_path *path)
{
    static const char *const keys[] = {"member", "id", "name", "title", "org", "place"};
    json_t *page, *to;

    if (!path->has_contact)
        return vouch_describe(view, &path->member);
    page = describe_contact_numbered(view->call, path->number);
    to = json_object();
    for (size_t at = 0; at < sizeof keys / sizeof keys[0]; at++)
        if (json_object_get(page, keys[at]) != NULL)
            (void)json_object_set(to, keys[at], json_object_get(page, keys[at]));
    json_decref(page);
    return to;
}

static enum err describe_path_direct(struct vouch_view *view, const struct describe_path *path,
                                     json_t *out)
{
    json_t *to = describe_path_page(view, path);
    struct buf sentence = {0}, next = {0};
    char day[DATE_TEXT_SIZE];
    const char *name = json_string_value(json_object_get(to, "name"));

    describe_path_put(&sentence, "You know ");
    describe_path_put(&sentence, name != NULL ? name : "them");
    describe_path_put(&sentence, " yourself");
    describe_path_put_detail(to, "title", ": ", &sentence);
    describe_path_put_detail(to, "org", json_object_get(to, "title") != NULL ? " at " : ": ",
                             &sentence);
    describe_path_put_detail(to, "place", ", ", &sentence);
    if (path->touched_ms > 0) {
        date_write(path->touched_ms, day);
        describe_path_put(&sentence, "; last in touch ");
        describe_path_put(&sentence, day);
    }
    describe_path_put(&sentence, ".");
    describe_path_put(&next, "kith contact show ");
    describe_path_put_who(to, &next);
    (void)json_object_set_new(out, "to", to);
    (void)json_object_set_new(out, "through", json_array());
    describe_path_set(out, "sentence", &sentence);
    describe_path_set(out, "next", &next);
    return ERR_OK;
}

json_t *describe_path(struct vouch_view *view, const struct describe_path *path)
{
    json_t *out = json_object();
    enum err err = path->is_direct ? describe_path_direct(view, path, out)
                                   : describe_path_far(view, path, out);

    if (err == ERR_OK)
        return out;
    json_decref(out);
    return NULL;
}

void describe_path_none(struct op_call *call, struct span words, json_t *out)
{
    const char *place = op_text(call, "place");
    struct buf what = {0}, next = {0};

    buf_append(&what, words);
    if (place != NULL) {
        describe_path_put(&what, what.size > 0 ? " in " : "somebody in ");
        describe_path_put(&what, place);
    }
    describe_path_put(&next, "kith ask post \"I am looking for ");
    if (describe_path_is_plain(buf_span(&what))) {
        buf_append(&next, buf_span(&what));
        describe_path_put(&next, "\" --title \"");
        buf_append(&next, buf_span(&what));
    } else {
        describe_path_put(&next, "...\" --title \"...");
    }
    describe_path_put(&next, "\" --hops 2");
    buf_release(&what);
    describe_set_text(out, "sentence", span_str("No known warm path. Ask instead:"));
    describe_path_set(out, "next", &next);
}
