/* Templates of sentences; names are those the owner has for people, or they sign with. */
#include "node/describe_trust.h"

#include <string.h>

#include "node/date.h"
#include "node/describe.h"
#include "node/vouch_words.h"

enum { DESCRIBE_TRUST_TOLD_MAX = 20, DESCRIBE_TRUST_ROUTES_MAX = 3 };

const struct describe_trust_said *describe_trust_said(const struct describe_trust *trust)
{
    return (const struct describe_trust_said *)(const void *)trust->said.data;
}

size_t describe_trust_count(const struct describe_trust *trust)
{
    return trust->said.size / sizeof(struct describe_trust_said);
}

const struct describe_trust_route *describe_trust_routes(const struct describe_trust *trust)
{
    return (const struct describe_trust_route *)(const void *)trust->routes.data;
}

size_t describe_trust_routes_count(const struct describe_trust *trust)
{
    return trust->routes.size / sizeof(struct describe_trust_route);
}

/* Sentences. */

const char *describe_trust_name(const struct describe_trust *trust)
{
    return (const char *)trust->name.data;
}

static void describe_trust_put(struct buf *line, const char *text)
{
    buf_append(line, span_str(text));
}

static void describe_trust_put_about(const struct describe_trust *trust, struct buf *line)
{
    if (trust->about == NULL)
        return;
    describe_trust_put(line, " for ");
    describe_trust_put(line, trust->about);
}

static enum err describe_trust_line(struct describe_trust *trust, struct buf *line)
{
    enum err err = buf_err(line);

    if (err == ERR_OK &&
        json_array_append_new(trust->sentences,
                              json_stringn((const char *)line->data, line->size)) != 0)
        err = ERR_NOMEM;
    buf_release(line);
    return err;
}

/* "Ana endorses Ivo, and Ivo has worked with Dana". */
static enum err describe_trust_put_route(struct describe_trust *trust,
                                         const struct describe_trust_route *route, struct buf *line)
{
    uint32_t people[TRUST_HOPS], count = 0;
    enum err err =
        trust_route(trust->view.flow, route->branch, route->said->person, people, &count);

    for (uint32_t at = 0; err == ERR_OK && at < count; at++) {
        err = vouch_put_name(&trust->view, vouch_member(&trust->view, people[at]), line);
        if (err == ERR_OK && at + 1 < count) {
            describe_trust_put(line, " endorses ");
            err = vouch_put_name(&trust->view, vouch_member(&trust->view, people[at + 1]), line);
            describe_trust_put(line, at + 2 < count ? ", " : ", and ");
        }
    }
    describe_trust_put(line, " ");
    describe_trust_put(line, vouch_relation(route->said->relation, false));
    describe_trust_put(line, " ");
    describe_trust_put(line, describe_trust_name(trust));
    describe_trust_put(line, vouch_relation_end(route->said->relation));
    return err;
}

static size_t describe_trust_direct(const struct describe_trust *trust,
                                    const struct describe_trust_said **out_first,
                                    bool *out_is_alike)
{
    size_t count = 0;

    *out_is_alike = trust->about == NULL;
    for (size_t at = 0; at < describe_trust_count(trust); at++) {
        const struct describe_trust_said *said = &describe_trust_said(trust)[at];

        if (said->hop != 1)
            continue;
        if (count++ == 0)
            *out_first = said;
        else if (said->relation != (*out_first)->relation)
            *out_is_alike = false;
    }
    return count;
}

/* "Two people you know have worked with Dana: Ana and Ben." */
static enum err describe_trust_say_direct(struct describe_trust *trust, size_t count,
                                          const struct describe_trust_said *first, bool is_alike)
{
    struct buf line = {0};
    size_t told = 0;
    enum err err = ERR_OK;

    vouch_put_number(count, &line);
    if (line.data != NULL && line.data[0] >= 'a')
        line.data[0] = (uint8_t)(line.data[0] - 32);
    describe_trust_put(&line, count > 1 ? " people you know " : " person you know ");
    describe_trust_put(&line, is_alike    ? vouch_relation(first->relation, count > 1)
                              : count > 1 ? "endorse"
                                          : "endorses");
    describe_trust_put(&line, " ");
    describe_trust_put(&line, describe_trust_name(trust));
    describe_trust_put(&line, is_alike ? vouch_relation_end(first->relation) : "");
    describe_trust_put_about(trust, &line);
    describe_trust_put(&line, ": ");
    /* The routes of friends are in the order that counts. */
    for (size_t at = 0; err == ERR_OK && at < describe_trust_routes_count(trust); at++) {
        const struct describe_trust_route *route = &describe_trust_routes(trust)[at];

        if (route->said->hop != 1)
            continue;
        vouch_put_comma(told++, count, &line);
        err = vouch_put_name(&trust->view, &route->said->issuer, &line);
    }
    describe_trust_put(&line, ".");
    if (err != ERR_OK) {
        buf_release(&line);
        return err;
    }
    return describe_trust_line(trust, &line);
}

/* "You know nobody who endorses Dana directly. Ana endorses Ivo, and Ivo has worked with Dana." */
static enum err describe_trust_say_indirect(struct describe_trust *trust)
{
    struct buf line = {0};
    enum err err;

    describe_trust_put(&line, "You know nobody who endorses ");
    describe_trust_put(&line, describe_trust_name(trust));
    describe_trust_put(&line, " directly");
    describe_trust_put_about(trust, &line);
    describe_trust_put(&line, ". ");
    err = describe_trust_put_route(trust, &describe_trust_routes(trust)[0], &line);
    describe_trust_put(&line, ".");
    if (err != ERR_OK) {
        buf_release(&line);
        return err;
    }
    return describe_trust_line(trust, &line);
}

static enum err describe_trust_say_nothing(struct describe_trust *trust)
{
    struct buf line = {0};
    bool is_known;

    if (trust->is_muted) {
        describe_trust_put(&line, "You have muted ");
        describe_trust_put(&line, describe_trust_name(trust));
        describe_trust_put(&line,
                           ": what they say, and what is said of them, counts for nothing here.");
        return describe_trust_line(trust, &line);
    }
    if (!trust->who.has_member) {
        describe_trust_put(&line, describe_trust_name(trust));
        describe_trust_put(&line,
                           " does not use kith as far as you know: nobody's endorsement of them "
                           "can reach you.");
        return describe_trust_line(trust, &line);
    }
    is_known = closeness_of(&trust->view.near, &trust->who.member) != NULL;
    describe_trust_put(&line, is_known ? "You know " : "No path from people you know to ");
    describe_trust_put(&line, describe_trust_name(trust));
    if (is_known)
        describe_trust_put(&line, " yourself; nobody you know endorses them");
    describe_trust_put_about(trust, &line);
    describe_trust_put(&line, ".");
    return describe_trust_line(trust, &line);
}

/* "Four endorsements, all through one person you know (Ana)." */
static enum err describe_trust_say_one_branch(struct describe_trust *trust)
{
    const struct describe_trust_route *routes = describe_trust_routes(trust);
    size_t reached = 0;
    struct buf line = {0};
    enum err err;

    for (size_t at = 0; at < describe_trust_count(trust); at++)
        reached += describe_trust_said(trust)[at].hop > 0;
    for (size_t at = 1; at < describe_trust_routes_count(trust); at++)
        if (routes[at].branch != routes[0].branch)
            return ERR_OK;
    if (reached < 2 || describe_trust_routes_count(trust) == 0)
        return ERR_OK;
    vouch_put_number(reached, &line);
    if (line.data != NULL && line.data[0] >= 'a')
        line.data[0] = (uint8_t)(line.data[0] - 32);
    describe_trust_put(&line, " endorsements, all through one person you know (");
    err =
        vouch_put_name(&trust->view, &vouch_friend(&trust->view, routes[0].branch)->member, &line);
    describe_trust_put(&line, ").");
    if (err != ERR_OK) {
        buf_release(&line);
        return err;
    }
    return describe_trust_line(trust, &line);
}

/* By people nothing leads to; and what the owner wrote. */
static enum err describe_trust_say_rest(struct describe_trust *trust)
{
    struct buf line = {0}, own = {0};
    size_t strangers = 0;
    char day[DATE_TEXT_SIZE];
    enum err err = ERR_OK;

    for (size_t at = 0; at < describe_trust_count(trust); at++) {
        const struct describe_trust_said *said = &describe_trust_said(trust)[at];

        strangers += said->hop == 0 && !said->is_mine;
        if (!said->is_mine)
            continue;
        date_write(said->issued_s * 1000, day);
        describe_trust_put(&own, "You endorsed ");
        describe_trust_put(&own, describe_trust_name(trust));
        describe_trust_put(&own, " yourself");
        describe_trust_put_about(trust, &own);
        describe_trust_put(&own, ", on ");
        describe_trust_put(&own, day);
        describe_trust_put(&own, ".");
        err = describe_trust_line(trust, &own);
    }
    if (err != ERR_OK || strangers == 0 || trust->is_muted)
        return err;
    vouch_put_number(strangers, &line);
    if (line.data != NULL && line.data[0] >= 'a')
        line.data[0] = (uint8_t)(line.data[0] - 32);
    describe_trust_put(&line, strangers > 1 ? " endorsements are by people"
                                            : " endorsement is by someone");
    describe_trust_put(&line, " nobody you know leads to; ");
    describe_trust_put(&line, strangers > 1 ? "they count for nothing here."
                                            : "it counts for nothing here.");
    return describe_trust_line(trust, &line);
}

/* "Ana introduced you on 2026-05-03." */
static enum err describe_trust_say_introduced(struct describe_trust *trust)
{
    const struct closeness_row *row =
        trust->who.has_member ? closeness_of(&trust->view.near, &trust->who.member) : NULL;
    struct buf line = {0};
    char day[DATE_TEXT_SIZE];
    enum err err;

    if (row == NULL || !row->has_via)
        return ERR_OK;
    err = vouch_put_name(&trust->view, &row->via, &line);
    describe_trust_put(&line, " introduced the two of you, on ");
    date_write(row->since_ms, day);
    describe_trust_put(&line, day);
    describe_trust_put(&line, ".");
    if (err != ERR_OK) {
        buf_release(&line);
        return err;
    }
    return describe_trust_line(trust, &line);
}

enum err describe_trust_say(struct describe_trust *trust)
{
    const struct describe_trust_said *first = NULL;
    bool is_alike;
    size_t direct = describe_trust_direct(trust, &first, &is_alike);
    enum err err;

    if (direct > 0)
        err = describe_trust_say_direct(trust, direct, first, is_alike);
    else if (describe_trust_routes_count(trust) > 0)
        err = describe_trust_say_indirect(trust);
    else
        err = describe_trust_say_nothing(trust);
    if (err == ERR_OK)
        err = describe_trust_say_one_branch(trust);
    if (err == ERR_OK)
        err = describe_trust_say_rest(trust);
    return err == ERR_OK ? describe_trust_say_introduced(trust) : err;
}

/* The branches behind it. */

static json_t *describe_trust_chain(struct describe_trust *trust,
                                    const struct describe_trust_route *route)
{
    json_t *chain = json_array();
    uint32_t people[TRUST_HOPS], count = 0;

    if (trust_route(trust->view.flow, route->branch, route->said->person, people, &count) != ERR_OK)
        count = 0;
    for (uint32_t at = 0; at < count; at++)
        (void)json_array_append_new(
            chain, vouch_describe(&trust->view, vouch_member(&trust->view, people[at])));
    return chain;
}

static enum err describe_trust_branch(struct describe_trust *trust,
                                      const struct describe_trust_route *route, json_t *list)
{
    json_t *row = json_object(), *chain = describe_trust_chain(trust, route);
    struct buf line = {0};
    char day[DATE_TEXT_SIZE], uuid[DESCRIBE_UUID_SIZE];
    enum err err = describe_trust_put_route(trust, route, &line);

    date_write(route->said->issued_s * 1000, day);
    describe_uuid(&route->said->id, uuid);
    describe_trust_put(&line, " (");
    for (size_t at = 0; at < json_array_size(route->said->about); at++) {
        describe_trust_put(&line, at > 0 ? ", " : "");
        describe_trust_put(&line, json_string_value(json_array_get(route->said->about, at)));
    }
    describe_trust_put(&line, "; written ");
    describe_trust_put(&line, day);
    describe_trust_put(&line, ").");
    (void)json_object_set(row, "through", json_array_get(chain, 0));
    (void)json_object_set_new(row, "chain", chain);
    (void)json_object_set(row, "about", route->said->about);
    describe_set_text(row, "relation", span_str(relation_name(route->said->relation)));
    describe_set_time(row, "issued", route->said->issued_s * 1000);
    describe_set_text(row, "endorsement", span_str(uuid));
    describe_set_text(row, "sentence", buf_span(&line));
    if (err == ERR_OK)
        err = buf_err(&line);
    buf_release(&line);
    return json_array_append_new(list, row) == 0 ? err : ERR_NOMEM;
}

/* At most a few branches of one endorsement, so that one does not crowd out the others. */
enum err describe_trust_branches(struct describe_trust *trust, json_t *list)
{
    const struct describe_trust_route *routes = describe_trust_routes(trust);
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < describe_trust_routes_count(trust) &&
                        json_array_size(list) < DESCRIBE_TRUST_TOLD_MAX;
         at++) {
        size_t before = 0;

        for (size_t earlier = 0; earlier < at; earlier++)
            before += routes[earlier].said == routes[at].said;
        if (before < DESCRIBE_TRUST_ROUTES_MAX)
            err = describe_trust_branch(trust, &routes[at], list);
    }
    return err;
}
