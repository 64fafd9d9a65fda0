/* The ask as it came by its best route, as a question to matches.h. */
#include "node/ask_matches.h"

#include <string.h>

enum { ASK_MATCHES_ID_DIGITS = 12 };

struct ask_matches {
    const struct ask *ask;
    const struct public_key *author; /* NULL: not told */
    struct buf neighbours;           /* struct public_key: who passed it */
};

static enum err ask_matches_on_route(void *self, const struct ask_route *route)
{
    struct buf *neighbours = self;

    buf_append(neighbours, span_of(&route->from, sizeof route->from));
    return buf_err(neighbours);
}

static bool ask_matches_leave_out(const void *self, const struct public_key *member)
{
    const struct ask_matches *about = self;
    struct public_key neighbour;

    for (size_t at = 0; at < about->neighbours.size; at += sizeof neighbour) {
        memcpy(&neighbour, about->neighbours.data + at, sizeof neighbour);
        if (public_key_is_equal(&neighbour, member))
            return true;
    }
    return ask_keeps_from(about->ask, member) ||
           (about->author != NULL && public_key_is_equal(about->author, member));
}

static enum err ask_matches_find(struct matches *matches, const struct ask_route *route,
                                 const struct ask_pass *pass, struct ask_matches *about,
                                 json_t **out)
{
    char id[ID_TEXT_SIZE];
    struct ask_signer signer = {.member = route->from};
    struct matches_question question = {.id = id,
                                        .title = pass->ask.title,
                                        .text = pass->ask.text,
                                        .tags = pass->ask.tags,
                                        .tags_count = pass->ask.tags_count,
                                        .can_pass = route->depth < pass->ask.hop_limit,
                                        .is_left_out = ask_matches_leave_out,
                                        .self = about};
    bool is_told = route->depth == 1 ||
                   (pass->author.size > 0 && ask_author_peek(pass->author, &signer) == ERR_OK);

    hex_write(span_of(route->ask.bytes, ID_SIZE), id);
    id[ASK_MATCHES_ID_DIGITS] = '\0';
    about->ask = &pass->ask;
    about->author = question.author = is_told ? &signer.member : NULL;
    return matches_of(matches, &question, out);
}

static enum err ask_matches_read(struct matches *matches, const struct ask_row *row, json_t **out)
{
    const struct snapshot *snapshot = &matches->call->snapshot;
    struct ask_matches about = {0};
    struct buf plain = {0};
    struct ask_route route;
    struct ask_pass pass;
    enum err err = view_ask_route(snapshot, &row->id, &route);

    if (err == ERR_OK)
        err = view_ask_pass(snapshot, &route, &plain, &pass);
    if (err == ERR_OK)
        err = view_ask_routes(snapshot, &row->id, ask_matches_on_route, &about.neighbours);
    if (err == ERR_OK)
        err = ask_matches_find(matches, &route, &pass, &about, out);
    view_ask_wipe(&plain);
    buf_release(&about.neighbours);
    return err;
}

enum err ask_matches_add(struct matches *matches, const struct ask_row *row, json_t *ask)
{
    const char *state = json_string_value(json_object_get(ask, "state"));
    json_t *list = NULL;
    enum err err;

    if (row->state == ASK_STATE_MINE || state == NULL || strcmp(state, "closed") == 0 ||
        strcmp(state, "expired") == 0)
        return ERR_OK;
    err = ask_matches_read(matches, row, &list);
    if (err == ERR_OK && json_array_size(list) > 0 && json_object_set(ask, "matches", list) != 0)
        err = ERR_NOMEM;
    json_decref(list);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
