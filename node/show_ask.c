/* Asks as people see them: who asks, by whom it came, how far it may go, what to type next. */
#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/show_state.h"

enum { SHOW_ASK_LINE = 700, SHOW_ASK_NAMES = 8 };

static bool show_ask_is(json_t *ask, const char *key, const char *text)
{
    return strcmp(show_text(ask, key), text) == 0;
}

static const char *show_ask_title(json_t *ask)
{
    const char *title = show_text(ask, "title");

    return title[0] != '\0' ? title : "(no title)";
}

static const char *show_ask_author(json_t *ask)
{
    const char *name = show_text(json_object_get(ask, "author"), "name");

    if (json_is_true(json_object_get(ask, "mine")))
        return "you";
    return name[0] != '\0' ? name : "somebody";
}

/* One line: id, state, title, who and by whom. */
static void show_ask_row(json_t *ask)
{
    const char *from = show_text(ask, "from");
    bool is_passed = json_integer_value(json_object_get(ask, "hops")) > 1;
    char text[SHOW_ASK_LINE];
    char *clean;

    (void)snprintf(text, sizeof text, "%.12s  %-8s  %.140s, %s by %s%s%s%s", show_text(ask, "id"),
                   show_ask_is(ask, "state", "shown") ? "new" : show_text(ask, "state"),
                   show_ask_title(ask), show_ask_is(ask, "kind", "offer") ? "offered" : "asked",
                   show_ask_author(ask), is_passed ? ", passed on by " : "", is_passed ? from : "",
                   json_object_get(ask, "matches") != NULL ? " (you may know somebody)" : "");
    clean = show_copy(text);
    if (clean != NULL)
        show_wrap(stdout, clean, 0, SHOW_INDENT);
    heap_free(clean);
}

static void show_asks(json_t *result, json_t *params)
{
    json_t *asks = json_object_get(result, "asks"), *ask, *fresh = NULL;
    json_int_t later = json_integer_value(json_object_get(result, "later"));
    bool is_digest = json_is_true(json_object_get(params, "later"));
    size_t at;

    if (json_array_size(asks) == 0)
        show_say("No open asks; kith ask list --all has those that ended. Ask your network: kith "
                 "ask post TEXT");
    json_array_foreach(asks, at, ask)
    {
        show_ask_row(ask);
        if (show_ask_is(ask, "state", "shown") && fresh == NULL)
            fresh = ask;
    }
    show_step_row("kith ask show", fresh);
    if (later > 0 && !is_digest)
        (void)printf("%" JSON_INTEGER_FORMAT " more for later: kith ask list --later\n", later);
}

static void show_ask_names(const char *label, json_t *people)
{
    json_t *who, *names = json_array();
    size_t at;

    json_array_foreach(people, at, who)(void)
        json_array_append_new(names, json_string(show_text(who, "name")));
    show_list(label, names);
    json_decref(names);
}

static void show_ask_way(json_t *ask)
{
    static const char *const between[] = {"", "", " (one person in between)",
                                          " (two people in between)"};
    json_int_t hops = json_integer_value(json_object_get(ask, "hops"));
    const char *from = show_text(ask, "from");
    char text[SHOW_ASK_LINE];
    json_t *also;
    size_t at;

    if (hops > 1 && hops <= 3) {
        (void)snprintf(text, sizeof text, "%.300s%s", from, between[hops]);
        show_line("Passed on by", text);
    }
    json_array_foreach(json_object_get(ask, "also_from"), at, also)
        show_line(hops > 1 ? "and by" : "also by", json_string_value(also));
    show_line("They say", show_text(ask, "note"));
}

static const char *show_ask_past(json_t *ask)
{
    const char *state = show_text(ask, "state");

    if (strcmp(state, "closed") == 0)
        return show_ask_is(ask, "reason", "found") ? "closed: found" : "closed";
    if (strcmp(state, "expired") == 0)
        return "its time is over";
    if (strcmp(state, "passed") == 0)
        return "you passed it on";
    if (strcmp(state, "answered") == 0)
        return "you answered";
    return strcmp(state, "not now") == 0 ? "you said: not now" : "";
}

static void show_ask_state(json_t *ask)
{
    const char *past = show_ask_past(ask);
    bool may_go_on = json_integer_value(json_object_get(ask, "hops")) <
                     json_integer_value(json_object_get(ask, "hop_limit"));

    if (past[0] != '\0')
        show_line("State", past);
    else if (json_is_true(json_object_get(ask, "mine")))
        show_line("State", "open");
    else if (!may_go_on)
        show_line("State", "it goes no further than you");
}

/* What to type next. */
static void show_ask_next(json_t *ask)
{
    const char *label = "Next";
    bool may_go_on = json_integer_value(json_object_get(ask, "hops")) <
                     json_integer_value(json_object_get(ask, "hop_limit"));

    if (show_ask_is(ask, "state", "closed") || show_ask_is(ask, "state", "expired"))
        return;
    if (json_is_true(json_object_get(ask, "mine"))) {
        show_step("Next", "kith ask close", ask, " # when you have found it, or changed your mind");
        return;
    }
    if (may_go_on) {
        show_step(label, "kith ask pass", ask, "--to WHO --note \"...\"");
        label = "";
    }
    show_step(label, "kith ask reply", ask, "--text \"...\"");
    if (show_ask_past(ask)[0] == '\0')
        show_step("", "kith ask dismiss", ask, " # not now; nobody is told");
}

/* How far it has come, of how far it may go. */
static void show_ask_reach(json_t *ask)
{
    json_int_t hops = json_integer_value(json_object_get(ask, "hops"));
    json_int_t limit = json_integer_value(json_object_get(ask, "hop_limit"));
    char text[SHOW_ASK_LINE];

    if (hops == 0)
        (void)snprintf(text, sizeof text, "up to %" JSON_INTEGER_FORMAT " hop%s", limit,
                       limit == 1 ? "" : "s");
    else
        (void)snprintf(text, sizeof text,
                       "%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " hops", hops, limit);
    show_line("Reach", text);
}

static void show_ask_left_out(json_t *result)
{
    json_t *row;
    size_t at;

    json_array_foreach(json_object_get(result, "left_out"), at, row)
    {
        char text[SHOW_ASK_LINE];

        (void)snprintf(text, sizeof text, "%.300s: %s", show_text(row, "name"),
                       show_text(row, "why"));
        show_line("Left out", text);
    }
    show_list("Colleagues", json_object_get(result, "colleagues"));
    if (json_object_get(result, "colleagues") != NULL)
        show_say("They work where you do and are not on kith, as far as you know: what they hear "
                 "from others kith cannot keep from them.");
}

static const char *show_ask_named(json_t *ask)
{
    if (show_ask_is(ask, "named", "first"))
        return "only to those you gave it to";
    if (show_ask_is(ask, "named", "on-request"))
        return "to nobody; you tell it yourself";
    return "to everybody who has it";
}

/* Who may fit, why, and what to type: for the reader's eyes alone. */
static void show_ask_matches(json_t *ask)
{
    json_t *match, *next;
    size_t at, index;

    json_array_foreach(json_object_get(ask, "matches"), at, match)
    {
        char text[SHOW_ASK_LINE];

        (void)snprintf(text, sizeof text, "%.200s: %.400s",
                       show_text(json_object_get(match, "contact"), "name"),
                       show_text(match, "why"));
        show_line(at == 0 ? "You may know" : "", text);
        json_array_foreach(json_object_get(match, "next"), index, next)
        {
            (void)snprintf(text, sizeof text, "  %.300s", json_string_value(next));
            show_line("", text);
        }
    }
    if (at > 0)
        show_say("Nobody is told who they are, or that there are any, unless you say so.");
}

static void show_ask(json_t *result, json_t *params)
{
    bool is_mine = json_is_true(json_object_get(result, "mine"));

    (void)params;
    show_line(show_ask_is(result, "kind", "offer") ? "Offer" : "Ask", show_text(result, "id"));
    show_line("Title", show_ask_title(result));
    show_line("By", show_ask_author(result));
    show_ask_way(result);
    show_lines("Text", show_text(result, "text"));
    show_list("Tags", json_object_get(result, "tags"));
    show_line("Mind", show_text(result, "caution"));
    if (is_mine)
        show_line("Your name", show_ask_named(result));
    show_ask_names("To", json_object_get(result, "to"));
    show_ask_names("Passed to", json_object_get(result, "passed_to"));
    show_ask_reach(result);
    show_time("Until", show_text(result, "expires"));
    show_ask_state(result);
    show_ask_matches(result);
    show_ask_left_out(result);
    show_reply_leads(result);
    show_ask_next(result);
}

/* "Ana, Bruno and 12 more" */
static void show_post_names(json_t *names, struct buf *out)
{
    size_t count = json_array_size(names), shown = count > SHOW_ASK_NAMES ? SHOW_ASK_NAMES : count;
    char more[40];

    for (size_t at = 0; at < shown; at++) {
        buf_append(out, span_str(at == 0 ? "" : at + 1 < count || shown < count ? ", " : " and "));
        show_clean(span_str(json_string_value(json_array_get(names, at))), out);
    }
    (void)snprintf(more, sizeof more, " and %zu more", count - shown);
    buf_append(out, span_str(shown < count ? more : ""));
}

void show_post_plan(json_t *result, FILE *out)
{
    json_int_t hops = json_integer_value(json_object_get(result, "hop_limit"));
    const char *named = show_text(result, "named");
    struct buf text = {0};

    buf_append(&text, span_str("\""));
    show_clean(span_str(show_text(result, "title")), &text);
    buf_append(&text, span_str("\" goes to "));
    show_post_names(json_object_get(result, "to"), &text);
    buf_append(&text, span_str(hops == 1   ? ", and no further"
                               : hops == 2 ? ". They may pass it on to people they know"
                                           : ". They may pass it on, and so may those who get it "
                                             "from them"));
    buf_append(&text, span_str(strcmp(named, "first") == 0    ? "; your name stays with the first."
                               : strcmp(named, "always") == 0 ? "; your name goes with it."
                                                              : "; your name does not."));
    buf_append(&text, span_str(" It ends on "));
    buf_append(&text, span_of(show_text(result, "expires"), 10));
    buf_append(&text, span_of(".", 2));
    if (buf_err(&text) == ERR_OK)
        show_wrap(out, (const char *)text.data, 0, 0);
    buf_release(&text);
}

const struct show_printer show_ask_printers[] = {
    {"ask.list", show_asks},   {"ask.show", show_ask}, {"ask.post", show_ask},
    {"offer.post", show_ask},  {"ask.pass", show_ask}, {"ask.close", show_ask},
    {"ask.dismiss", show_ask}, {NULL, NULL},
};
